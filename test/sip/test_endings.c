// How calls over trunks end and what they sound like before, on the wire: Reason in both directions (RFC 3326, RFC 6432), and ringing
// and early media in either order.
#include "sip/legs.h"

#include <string.h>

static uint64_t ring_carrier(void)
{
	struct outgoing_invite invite = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .max_forwards = 69,
	    .body = offer,
	};
	return ring(&invite);
}

// The carrier calls; gives nothing: rig->session is its leg.
static void call_from_carrier(unsigned number)
{
	peer_send(&carrier,
		  "INVITE sip:+441444555510@10.0.0.1 SIP/2.0\n"
		  "Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKe%u;rport\n"
		  "From: <sip:+44207@10.0.1.1>;tag=t\nTo: <sip:+441444555510@10.0.0.1>\nCall-ID: e%u\n"
		  "CSeq: 7 INVITE\nMax-Forwards: 70\nContact: <sip:+44207@10.0.1.1>\n" SDP_LINES,
		  number, number);
	sim_run_for(rig->loop, 10);
}

static void a_carrier_hears_the_cause_of_a_cancel(void **state)
{
	static const struct {
		enum leg_end why;
		const char *reason, *said;
	} rows[] = {
	    {LEG_END_ANSWERED_ELSEWHERE, "SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26", NULL},
	    {LEG_END_DECLINED_ELSEWHERE, "SIP;cause=600;text=\"Busy Everywhere\", Q.850;cause=26", NULL},
	    {LEG_END_TURN_TIMED_OUT, "SIP;cause=408;text=\"Ring time over\", Q.850;cause=19", NULL},
	    {LEG_END_CALLER_GAVE_UP, "Q.850;cause=16", NULL},
	    {LEG_END_CALLER_GAVE_UP, "Q.850;cause=31;text=\"x\"", "Q.850;cause=31;text=\"x\""},
	    {LEG_END_SERVER, "Q.850;cause=31", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t session = ring_carrier();
		const char *invite = peer_next(&carrier);
		respond(&carrier, invite, "180 Ringing", "c1", "");
		rig->signalling->cancel(rig->signalling->context, session, rows[i].why, str_of(rows[i].said));
		const char *cancel = peer_next(&carrier);
		assert_starts(cancel, "CANCEL ");
		assert_string_equal(header_of(rig, cancel, "Reason"), rows[i].reason);
		respond(&carrier, cancel, "200 OK", "c1", "");
		respond(&carrier, invite, "487 Request Terminated", "c1", "");
		assert_starts(peer_next(&carrier), "ACK ");
	}
}

static void a_carrier_hears_the_cause_of_a_bye(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	const char *invite = peer_next(&carrier);
	respond(&carrier, invite, "200 OK", "c1", "Contact: <sip:10.0.1.1>\n" SDP_LINES);
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&carrier), "ACK ");
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	const char *bye = peer_next(&carrier);
	assert_starts(bye, "BYE ");
	assert_string_equal(header_of(rig, bye, "Reason"), "Q.850;cause=16");
}

static void what_a_carrier_gives_as_the_cause_is_read(void **state)
{
	(void)state;
	ring_carrier();
	const char *invite = peer_next(&carrier);
	respond(&carrier, invite, "480 Temporarily Unavailable", "c1",
		"Reason: SIP;cause=480\nReason: Q.850;cause=17;text=\"User busy\"\nContent-Length: 0\n\n");
	assert_starts(peer_next(&carrier), "ACK ");
	rig_told(rig, "failed 9 480 Temporarily Unavailable, SIP;cause=480, Q.850;cause=17;text=\"User busy\"\n");
}

static void a_refusal_tells_a_carrier_its_cause(void **state)
{
	(void)state;
	call_from_carrier(1);
	rig->signalling->refuse(rig->signalling->context, rig->session, &(struct refusal){.status = 486, .cause = 17});
	assert_string_equal(masked(rig, peer_next(&carrier)),
			    "SIP/2.0 486 Busy Here\n"
			    "Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKe1;rport=5060;received=10.0.1.1\n"
			    "From: <sip:+44207@10.0.1.1>;tag=TAG\n"
			    "Call-ID: e1\n"
			    "CSeq: 7 INVITE\n"
			    "To: <sip:+441444555510@10.0.0.1>;tag=TAG\n"
			    "Reason: Q.850;cause=17;text=\"User busy\"\n"
			    "Content-Length: 0\n\n");
}

static void a_phone_is_not_told_causes(void **state)
{
	(void)state;
	call_510();
	rig->signalling->refuse(rig->signalling->context, rig->session, &(struct refusal){.status = 486, .cause = 17});
	assert_string_equal(header_of(rig, peer_next(&desk), "Reason"), "");
}

// What the phone hears in the order that the domain says it: each in the same early dialog, the description once.
static void ringing_and_early_media_alternate(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	const char *first = peer_next(&desk);
	assert_starts(first, "SIP/2.0 180 Ringing\n");
	assert_has(first, "Content-Length: 0\n");
	rig->signalling->progress(rig->signalling->context, rig->session, 183, &answer);
	const char *second = peer_next(&desk);
	assert_starts(second, "SIP/2.0 183 Session Progress\n");
	assert_has(second, "Content-Type: application/sdp\n");
	assert_has(second, WIRE_ANSWER);
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	const char *third = peer_next(&desk);
	assert_starts(third, "SIP/2.0 180 Ringing\n");
	assert_has(third, "Content-Length: 0\n");
	assert_string_equal(header_of(rig, first, "To"), header_of(rig, second, "To"));
	assert_string_equal(header_of(rig, first, "To"), header_of(rig, third, "To"));
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	assert_starts(peer_next(&desk), "SIP/2.0 200 OK\n");
}

// A carrier whose far end forks: two early dialogs on one leg, each told as it comes.
static void early_dialogs_of_a_carrier_are_one_leg(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	const char *invite = peer_next(&carrier);
	respond(&carrier, invite, "183 Session Progress", "a", "Contact: <sip:10.0.1.1>\n" SDP_LINES);
	respond(&carrier, invite, "180 Ringing", "b", "Contact: <sip:10.0.1.1>\nContent-Length: 0\n\n");
	respond(&carrier, invite, "183 Session Progress", "a", "Contact: <sip:10.0.1.1>\nContent-Length: 0\n\n");
	rig_told(rig, "progressed 9 183 application/sdp [" SDP_OFFER "]\nprogressed 9 180\nprogressed 9 183\n");
	respond(&carrier, invite, "200 OK", "b", "Contact: <sip:10.0.1.1>\n" SDP_LINES);
	rig_told(rig, "answered 9 application/sdp [" SDP_OFFER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	const char *ack = peer_next(&carrier);
	assert_starts(ack, "ACK ");
	assert_has(ack, ";tag=b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(a_carrier_hears_the_cause_of_a_cancel),
	    LEGS_TEST(a_carrier_hears_the_cause_of_a_bye),
	    LEGS_TEST(what_a_carrier_gives_as_the_cause_is_read),
	    LEGS_TEST(a_refusal_tells_a_carrier_its_cause),
	    LEGS_TEST(a_phone_is_not_told_causes),
	    LEGS_TEST(ringing_and_early_media_alternate),
	    LEGS_TEST(early_dialogs_of_a_carrier_are_one_leg),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
