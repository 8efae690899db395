// Who calls, in the bytes that trunks get and give: From, P-Asserted-Identity, Privacy, forms of numbers; and that the session description
// goes through as it came.
#include "sip/legs.h"

#include <stdlib.h>
#include <string.h>

static struct trunk *trunk_of_rig(void)
{
	return (struct trunk *)entity_copy(&directory_trunk(rig->directory, rig->trunk)->entity, &rig->arena);
}

static void put(struct trunk *trunk)
{
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
}

static const char *invite_with(bool anonymous)
{
	struct outgoing_invite invite = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .caller_name = STR("Bob"),
	    .anonymous = anonymous,
	    .max_forwards = 69,
	    .body = offer,
	};
	ring(&invite);
	return peer_next(&carrier);
}

static void a_trunk_is_told_number_and_name_unless_it_wants_otherwise(void **state)
{
	(void)state;
	const char *text = invite_with(false);
	assert_starts(header_of(rig, text, "From"), "\"Bob\" <sip:+441444555555@");
	assert_starts(header_of(rig, text, "P-Asserted-Identity"), "\"Bob\" <sip:+441444555555@");
	struct trunk *trunk = trunk_of_rig();
	trunk->from_name = false;
	trunk->caller_format = NUMBER_FORMAT_NATIONAL; // the rig has no national prefix
	trunk->asserted_identity = ASSERTED_NEVER;
	put(trunk);
	text = invite_with(false);
	assert_starts(header_of(rig, text, "From"), "<sip:1444555555@");
	assert_lacks(text, "P-Asserted-Identity");
	assert_lacks(text, "Bob");
	assert_lacks(text, "Privacy");
}

static void the_account_stands_in_from_and_the_caller_is_asserted(void **state)
{
	struct trunk *trunk = trunk_of_rig();

	(void)state;
	trunk->from_user = TRUNK_FROM_ACCOUNT;
	trunk->caller_format = NUMBER_FORMAT_E164_NO_PLUS;
	put(trunk);
	const char *text = invite_with(false);
	assert_starts(header_of(rig, text, "From"), "\"Bob\" <sip:carillon@10.0.1.1>;tag=");
	assert_starts(header_of(rig, text, "P-Asserted-Identity"), "\"Bob\" <sip:441444555555@");
	trunk = trunk_of_rig();
	trunk->registration_user = STR("+441632960000");
	put(trunk);
	assert_starts(header_of(rig, invite_with(false), "From"), "\"Bob\" <sip:+441632960000@10.0.1.1>;tag=");
}

static void who_is_anonymous_is_so_in_every_header(void **state)
{
	static const enum asserted_identity asserted[] = {ASSERTED_PUBLIC, ASSERTED_NEVER};
	struct trunk *trunk;

	(void)state;
	for (int from = TRUNK_FROM_CALLER; from <= TRUNK_FROM_ACCOUNT; from++)
		for (size_t i = 0; i < 2; i++) {
			trunk = trunk_of_rig();
			trunk->from_user = from;
			trunk->asserted_identity = asserted[i];
			put(trunk);
			const char *text = invite_with(true);
			assert_starts(header_of(rig, text, "From"),
				      "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=");
			assert_string_equal(header_of(rig, text, "Privacy"), "id");
			assert_lacks(text, "441444555555");
			assert_lacks(text, "Bob");
		}
	trunk = trunk_of_rig();
	trunk->asserted_identity = ASSERTED_ALWAYS; // trusted to keep it
	trunk->from_name = false;
	put(trunk);
	const char *text = invite_with(true);
	assert_starts(header_of(rig, text, "P-Asserted-Identity"), "<sip:+441444555555@");
	assert_string_equal(header_of(rig, text, "Privacy"), "id");
	const char *first = strstr(text, "441444555555");
	assert_null(strstr(first + 1, "441444555555")); // in no other header
	assert_lacks(text, "Bob");
}

static void a_session_description_goes_through_byte_for_byte(void **state)
{
	// What no one here would write so: odd order, unknown lines, trailing blanks, no line end at the end.
	static const char odd[] = "v=0\r\no=- 20 1 IN IP4 192.0.2.9\r\ns= \r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
				  "a=x-unknown:\x01\x7f \r\nm=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n"
				  "a=fmtp:101 0-15\r\na=sendrecv\r\nm=image 0 udptl t38\r\na=ptime:20  ";
	struct outgoing_invite invite = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .max_forwards = 69,
	    .body = {.type = STR("application/sdp"), .bytes = {odd, sizeof odd - 1}},
	};
	char wanted[1024];
	size_t used = 0;

	(void)state;
	ring(&invite);
	const char *text = peer_next(&carrier);
	for (size_t i = 0; i < sizeof odd - 1; i++) // peers see CRLF as LF
		if (odd[i] != '\r')
			wanted[used++] = odd[i];
	wanted[used] = '\0';
	const char *body = strstr(text, "\n\n");
	assert_non_null(body);
	assert_string_equal(body + 2, wanted);
	assert_int_equal(atoi(header_of(rig, text, "Content-Length")), (int)sizeof odd - 1);
}

static void call_in(const char *lines)
{
	static unsigned branch;
	branch++;
	peer_send(
	    &carrier,
	    "INVITE sip:+441632960123@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKt%u;rport\n"
	    "From: <sip:+441444000001@carrier.example>;tag=f%u\nTo: <sip:+441632960123@example.com>\n"
	    "Call-ID: in%u\nCSeq: 1 INVITE\nMax-Forwards: 70\nContact: <sip:10.0.1.1>\n%sContent-Length: 0\n\n",
	    branch, branch, branch, lines);
	sim_run_for(rig->loop, 1);
}

static void what_a_trunk_asserts_is_believed_when_it_is_trusted(void **state)
{
	static const char lines[] = "P-Asserted-Identity: \"Head\" <sip:+441444777777@carrier.example>\n";
	struct trunk *trunk;

	(void)state;
	call_in(lines);
	assert_has(rig->events, "+441444777777");
	rig->events[0] = '\0';
	trunk = trunk_of_rig();
	trunk->trusts_asserted_identity = false;
	put(trunk);
	call_in(lines);
	assert_has(rig->events, "+441444000001");
	assert_lacks(rig->events, "+441444777777");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(a_trunk_is_told_number_and_name_unless_it_wants_otherwise),
	    LEGS_TEST(the_account_stands_in_from_and_the_caller_is_asserted),
	    LEGS_TEST(who_is_anonymous_is_so_in_every_header),
	    LEGS_TEST(a_session_description_goes_through_byte_for_byte),
	    LEGS_TEST(what_a_trunk_asserts_is_believed_when_it_is_trusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
