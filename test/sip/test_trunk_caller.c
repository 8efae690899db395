// Trunks whose calls sign in: known by their password from wherever they come, and by nothing else.
#include "sip/legs.h"

#include "domain/trunk.h"

#include <string.h>

static struct trunk *trunk;

static void put(void)
{
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
}

static int start(void **state)
{
	legs_start(state);
	trunk = (struct trunk *)entity_new(ENTITY_TRUNK, &rig->arena);
	trunk->entity.id = rig->trunk;
	trunk->title = STR("Carrier");
	trunk->host = STR("10.0.1.1");
	trunk->options_interval_s = 0;
	trunk->inbound_username = STR("carrier-in");
	assert_true(trunk_set_inbound_password(trunk, STR("carillon"), STR("in-secret"), &rig->arena));
	put();
	return 0;
}

static const char uri[] = "sip:+441632960123@example.com";
static unsigned branch;

static void call(struct peer *peer, const char *from, const char *lines)
{
	branch++;
	peer_send(peer,
		  "INVITE %s SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKn%u;rport\n"
		  "From: <sip:%s@carrier.example>;tag=f%u\nTo: <%s>\nCall-ID: in%u\nCSeq: 1 INVITE\n"
		  "Max-Forwards: 70\nContact: <sip:10.0.0.9>\n%sContent-Length: 0\n\n",
		  uri, branch, from, branch, uri, branch, lines);
}

// Calls, is challenged, and calls again with these credentials; gives what it is answered, "" when nothing.
static const char *call_as(struct peer *peer, const char *user, const char *password)
{
	struct login login = {user, password, "INVITE", uri};
	call(peer, "+441444000001", "");
	const char *challenge = peer_next(peer);
	assert_starts(challenge, "SIP/2.0 401 ");
	rig_told(rig, "");
	call(peer, "+441444000001", authorization(rig, challenge, &login));
	return peer->read < peer->count ? peer_next(peer) : "";
}

static void is_trunk(void)
{
	assert_starts(rig->events, "invited by trunk 3, dialled +441632960123, number +441444000001");
	rig->events[0] = '\0';
}

static void it_is_known_by_its_password_from_anywhere(void **state)
{
	(void)state;
	call_as(&stranger, "carrier-in", "in-secret");
	is_trunk();
	call_as(&carrier, "carrier-in", "in-secret");
	is_trunk();
}

static void its_address_alone_is_not_enough(void **state)
{
	(void)state;
	call(&carrier, "+441444000001", "");
	assert_starts(peer_next(&carrier), "SIP/2.0 401 ");
	rig_told(rig, "");
	trunk->inbound_username = STR_NONE;
	put();
	call(&carrier, "+441444000001", "");
	is_trunk();
}

static void an_unknown_name_and_a_wrong_password_are_answered_alike(void **state)
{
	(void)state;
	const char *wrong = masked(rig, call_as(&stranger, "carrier-in", "guess"));
	assert_starts(wrong, "SIP/2.0 401 ");
	const char *unknown = masked(rig, call_as(&stranger, "carrier-on", "in-secret"));
	assert_string_equal(strstr(wrong, "WWW-"), strstr(unknown, "WWW-"));
	rig_told(rig, "");
}

static void addresses_that_are_given_narrow_it(void **state)
{
	(void)state;
	trunk->inbound = STR("10.9.9.0/24");
	put();
	assert_starts(call_as(&carrier, "carrier-in", "in-secret"), "SIP/2.0 401 ");
	rig_told(rig, "");
	call_as(&stranger, "carrier-in", "in-secret");
	is_trunk();
}

static void a_disabled_trunk_signs_in_no_more(void **state)
{
	(void)state;
	trunk->enabled = false;
	put();
	assert_starts(call_as(&stranger, "carrier-in", "in-secret"), "SIP/2.0 401 ");
	rig_told(rig, "");
}

static void a_phone_at_the_carriers_address_stays_a_phone(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct login login = {"330", "secret", "INVITE", uri};
		call(&stranger, "330", "");
		const char *challenge = peer_next(&stranger);
		trunk->inbound_username = i ? STR_NONE : STR("carrier-in");
		trunk->inbound = STR("10.9.9.9"); // and now the carrier's
		put();
		call(&stranger, "330", authorization(rig, challenge, &login));
		assert_starts(rig->events, "invited by device 1, ");
		rig->events[0] = '\0';
		trunk->inbound = STR_NONE;
		put();
		stranger.read = stranger.count;
	}
}

static void it_registers_no_phone(void **state)
{
	(void)state;
	peer_send(&stranger, "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bKr1;rport\n"
			     "From: <sip:carrier-in@example.com>;tag=r\nTo: <sip:carrier-in@example.com>\nCall-ID: r\n"
			     "CSeq: 1 REGISTER\nContact: <sip:10.9.9.9>\nContent-Length: 0\n\n");
	struct login login = {"carrier-in", "in-secret", "REGISTER", "sip:example.com"};
	const char *line = authorization(rig, peer_next(&stranger), &login);
	peer_send(&stranger,
		  "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bKr2;rport\n"
		  "From: <sip:carrier-in@example.com>;tag=r\nTo: <sip:carrier-in@example.com>\nCall-ID: r\n"
		  "CSeq: 2 REGISTER\nContact: <sip:10.9.9.9>\n%sContent-Length: 0\n\n",
		  line);
	assert_starts(peer_next(&stranger), "SIP/2.0 401 ");
}

#define CALLER_TEST(name) cmocka_unit_test_setup_teardown(name, start, legs_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CALLER_TEST(it_is_known_by_its_password_from_anywhere),
	    CALLER_TEST(its_address_alone_is_not_enough),
	    CALLER_TEST(an_unknown_name_and_a_wrong_password_are_answered_alike),
	    CALLER_TEST(addresses_that_are_given_narrow_it),
	    CALLER_TEST(a_disabled_trunk_signs_in_no_more),
	    CALLER_TEST(a_phone_at_the_carriers_address_stays_a_phone),
	    CALLER_TEST(it_registers_no_phone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
