// Who has sent a call on, as carriers say it and as they are told.
#include "sip/legs.h"

#include <stdio.h>
#include <string.h>

static void from_carrier(const char *lines)
{
	static unsigned number;

	number++;
	peer_send(&carrier,
		  "INVITE sip:+441444555510@10.0.0.1 SIP/2.0\n"
		  "Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKd%u;rport\n"
		  "From: <sip:+44207@10.0.1.1>;tag=t\nTo: <sip:+441444555510@10.0.0.1>\nCall-ID: d%u\n"
		  "CSeq: 7 INVITE\nMax-Forwards: 70\nContact: <sip:+44207@10.0.1.1>\n%sContent-Length: 0\n\n",
		  number, number, lines);
	sim_run_for(rig->loop, 10);
}

#define INVITED "invited by trunk 3, dialled +441444555510, number +44207, name "

static void diversion_is_read_from_the_oldest_on(void **state)
{
	(void)state;
	from_carrier("Diversion: \"C, the last\" <sip:+441444000003@10.0.0.1;user=phone>;reason=no-answer;counter=2\n"
		     "Diversion: <tel:+441444000002>;reason=\"user-busy\";privacy=full, "
		     "<sip:01444%20000001@carrier.example:5070>\n"
		     "History-Info: <sip:9@x>;index=1, <sip:8@x;cause=302>;index=1.1\n");
	rig_told(rig, INVITED ", sent on by 01444 000001 <sip:01444%20000001@carrier.example:5070> unknown 1"
			      ", sent on by +441444000002 <tel:+441444000002> user-busy 1 private"
			      ", sent on by +441444000003 <sip:+441444000003@10.0.0.1> no-answer 2 ours\n");
}

static void history_info_is_read_where_there_is_no_diversion(void **state)
{
	(void)state;
	from_carrier("History-Info: <sip:+441444000001@carrier?Privacy=history>;index=1, "
		     "<sip:+441444000002@[2001:db8::1]:5070;cause=486>;index=1.1;mp=1\n"
		     "History-Info: <sip:+441444555510@10.0.0.1;cause=408>;index=1.1.1;mp=1.1\n"
		     "History-Info: <sip:+441444555510@10.0.0.2>;index=1.1.1.1;rc=1.1.1\n");
	rig_told(rig, INVITED ", sent on by +441444000001 <sip:+441444000001@carrier> user-busy 1 private"
			      ", sent on by +441444000002 <sip:+441444000002@[2001:db8::1]:5070> no-answer 1\n");
}

static void what_cannot_be_read_is_left_out(void **state)
{
	char many[4000] = "";
	(void)state;
	from_carrier("Diversion: <>, <sip:1@>, \"x, <sip:2@h>;reason=\n"
		     "Diversion: <sip:+441444000001@h>;reason=whatever;counter=-1\n"
		     "Diversion: <mailto:a@b>;reason=away\n");
	rig_told(rig, INVITED ", sent on by +441444000001 <sip:+441444000001@h> unknown 1\n");
	from_carrier("History-Info: garbage, <sip:1@h;cause=302>, ;index=1\n");
	rig_told(rig, INVITED "\n");
	for (int i = 0; i < 60; i++)
		snprintf(many + strlen(many), sizeof many - strlen(many), "Diversion: <sip:%d@h>\n", i);
	from_carrier(many);
	const char *told = rig->events;
	unsigned count = 0;
	for (const char *at = told; (at = strstr(at, "sent on by")); at++)
		count++;
	assert_int_equal(count, DIVERSIONS_MAX);
	assert_non_null(strstr(told, "sent on by 9 <sip:9@h> unknown 1, sent on by 8"));
}

static const struct diversion three[] = {
    {.number = {"+441444222222", 13},
     .uri = {"sip:+441444222222@other.example", 31},
     .reason = DIVERSION_UNCONDITIONAL,
     .times = 2,
     .is_private = true},
    {.number = {"+441444555510", 13}, .reason = DIVERSION_NO_ANSWER, .times = 1},
    {.number = {"512", 3}, .reason = DIVERSION_FOLLOW_ME, .times = 1},
};

// What the carrier gets between Supported and User-Agent.
static const char *told(int diversion, size_t count)
{
	struct trunk trunk = *directory_trunk(rig->directory, rig->trunk);
	struct outgoing_invite invite = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = &trunk,
	    .number = STR("+441444123456"),
	    .diversions = three,
	    .diversion_count = count,
	    .max_forwards = 69,
	    .body = offer,
	};
	trunk.diversion = diversion;
	ring(&invite);
	const char *text = masked(rig, peer_next(&carrier));
	const char *begin = strstr(text, "norefersub\n") + 11, *end = strstr(begin, "Supported:");
	assert_non_null(end);
	return text_of(rig, "%.*s", (int)(end - begin), begin);
}

#define THE_DIVERSIONS                                                                                                 \
	"Diversion: <sip:512@example.com>;reason=follow-me\n"                                                          \
	"Diversion: <sip:+441444555510@example.com>;reason=no-answer\n"                                                \
	"Diversion: <sip:+441444222222@other.example>;reason=unconditional;counter=2;privacy=full\n"
#define THE_HISTORY                                                                                                    \
	"History-Info: <sip:+441444222222@other.example?Privacy=history>;index=1\n"                                    \
	"History-Info: <sip:+441444555510@example.com;cause=302>;index=1.1;mp=1\n"                                     \
	"History-Info: <sip:512@example.com;cause=408>;index=1.1.1;mp=1.1\n"                                           \
	"History-Info: <sip:+441444123456@10.0.1.1;cause=404>;index=1.1.1.1;mp=1.1.1\n"

static void a_trunk_is_told_as_it_wants(void **state)
{
	(void)state;
	assert_string_equal(told(TRUNK_DIVERSION_DIVERSION, 3), THE_DIVERSIONS);
	assert_string_equal(told(TRUNK_DIVERSION_HISTORY_INFO, 3), THE_HISTORY);
	assert_string_equal(told(TRUNK_DIVERSION_BOTH, 3), THE_DIVERSIONS THE_HISTORY);
	assert_string_equal(told(TRUNK_DIVERSION_NONE, 3), "");
	assert_string_equal(told(TRUNK_DIVERSION_BOTH, 0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(diversion_is_read_from_the_oldest_on),
	    LEGS_TEST(history_info_is_read_where_there_is_no_diversion),
	    LEGS_TEST(what_cannot_be_read_is_left_out),
	    LEGS_TEST(a_trunk_is_told_as_it_wants),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
