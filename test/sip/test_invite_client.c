// Legs that we ring, in raw SIP over the simulated network: the domain is played by the test, which reads what it would be told and
// says what it would say.
#include "sip/legs.h"

#include "lib/failing_allocator.h"

#include <limits.h>

static void an_invite_is_written_to_the_byte(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060;unknownparam");
	assert_string_equal(masked(rig, peer_next(&soft)),
			    "INVITE sip:821@10.0.0.3:5060;unknownparam SIP/2.0\n"
			    "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
			    "Max-Forwards: 69\n"
			    "From: \"Bob \\\"B\\\" Smith\" <sip:511@example.com>;tag=TAG\n"
			    "To: \"510\" <sip:821@example.com>\n"
			    "Call-ID: CALLID\n"
			    "CSeq: 1 INVITE\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW RELIABLE AGENT
			    "Content-Type: application/sdp\n"
			    "Content-Length: 35\n\n" WIRE_OFFER);
}

static void the_request_uri_is_the_contact_without_its_headers(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3;x=%41?Route=%3Csip:evil%3E");
	assert_starts(peer_next(&soft), "INVITE sip:821@10.0.0.3;x=%41 SIP/2.0\n");
}

static void behind_nat_the_packet_goes_where_it_came_from(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@192.168.7.7:5088");
	const char *invite = peer_next(&soft);
	assert_starts(invite, "INVITE sip:821@192.168.7.7:5088 SIP/2.0\n");
	respond(&soft, invite, "200 OK", "s1", "Contact: <sip:821@192.168.7.7:5088>\nContent-Length: 0\n\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&soft), "ACK sip:821@192.168.7.7:5088 SIP/2.0\n");
}

static void a_path_becomes_the_route(void **state)
{
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.99>\nPath: <sip:10.0.0.3;lr>\n");
	struct outgoing_invite invite = to_soft();
	ring(&invite);
	const char *text = peer_next(&soft);
	assert_starts(text, "INVITE sip:821@10.0.0.99 SIP/2.0\n");
	assert_string_equal(header_of(rig, text, "Route"), "<sip:10.0.0.3;lr>");
}

static void a_call_out_from_invite_to_bye(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "100 Trying", "", "");
	rig_told(rig, "");
	respond(&soft, invite, "180 Ringing", "s1", "");
	rig_told(rig, "progressed 9 180\n");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT);
	rig_told(rig, "answered 9 application/sdp [" SDP_ANSWER "]\n");
	peer_nothing(&soft); // the ACK is the domain's to give

	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	const char *ack = peer_next(&soft);
	assert_string_equal(masked(rig, ack), "ACK sip:821@10.0.0.3:5060 SIP/2.0\n"
					      "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
					      "Max-Forwards: 70\n"
					      "From: \"Bob \\\"B\\\" Smith\" <sip:511@example.com>;tag=TAG\n"
					      "To: \"510\" <sip:821@example.com>;tag=TAG\n"
					      "Call-ID: CALLID\n"
					      "CSeq: 1 ACK\n" AGENT "Content-Length: 0\n\n");
	assert_string_equal(header_of(rig, ack, "To"), "\"510\" <sip:821@example.com>;tag=s1");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT); // it was lost on the way
	assert_string_equal(peer_next(&soft), ack);
	rig_told(rig, "");

	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	const char *bye = peer_next(&soft);
	assert_starts(bye, "BYE sip:821@10.0.0.3:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, bye, "CSeq"), "2 BYE");
	assert_string_equal(header_of(rig, bye, "Reason"), "");
	respond(&soft, bye, "200 OK", "", "");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT); // still: every 2xx gets its ACK
	assert_string_equal(peer_next(&soft), ack);
	sim_run_for(rig->loop, 33000);
	assert_int_equal(sessions(), 0);
	rig_told(rig, "");
}

static void the_ack_carries_the_answer_when_the_200_made_the_offer(void **state)
{
	(void)state;
	assert_starts(peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3>\n"), "SIP/2.0 200 OK\n");
	struct outgoing_invite invite = to_soft();
	invite.body = nothing;
	uint64_t session = ring(&invite);
	const char *text = peer_next(&soft);
	assert_has(text, "\nContent-Length: 0\n\n");
	assert_lacks(text, "Content-Type");
	respond(&soft, text, "200 OK", "s1", ANSWERED_BY_SOFT);
	respond(&soft, text, "200 OK", "s1", ANSWERED_BY_SOFT); // nothing can be said yet
	peer_nothing(&soft);
	rig->signalling->acknowledge(rig->signalling->context, session, &offer);
	assert_has(peer_next(&soft), "\nContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_OFFER);
}

static void branches_of_a_fork_each_get_what_is_theirs(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "a", "");
	respond(&soft, invite, "180 Ringing", "b", "");
	rig_told(rig, "progressed 9 180\nprogressed 9 180\n");
	respond(&soft, invite, "200 OK", "b", ANSWERED_BY_SOFT);
	rig_told(rig, "answered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_has(peer_next(&soft), ";tag=b\n");

	respond(&soft, invite, "200 OK", "a", "Contact: <sip:other@10.0.0.3:5060>\nContent-Length: 0\n\n");
	const char *ack = peer_next(&soft), *bye = peer_next(&soft);
	assert_starts(ack, "ACK sip:other@10.0.0.3:5060 SIP/2.0\n");
	assert_has(ack, ";tag=a\n");
	assert_starts(bye, "BYE sip:other@10.0.0.3:5060 SIP/2.0\n");
	assert_has(bye, ";tag=a\n");
	assert_string_equal(header_of(rig, bye, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
	respond(&soft, bye, "200 OK", "", "");
	respond(&soft, invite, "200 OK", "a", "Contact: <sip:other@10.0.0.3:5060>\nContent-Length: 0\n\n");
	assert_string_equal(peer_next(&soft), ack);
	rig_told(rig, ""); // the domain has one answer

	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	assert_has(peer_next(&soft), ";tag=b\n");
}

static void a_cancel_waits_for_a_provisional_answer(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	rig->signalling->cancel(rig->signalling->context, session, LEG_END_ANSWERED_ELSEWHERE, STR_NONE);
	peer_nothing(&soft); // RFC 3261 section 9.1
	respond(&soft, invite, "180 Ringing", "s1", "");
	const char *cancel = peer_next(&soft);
	assert_starts(cancel, "CANCEL sip:821@10.0.0.3:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
	assert_string_equal(header_of(rig, cancel, "Via"), header_of(rig, invite, "Via"));
	assert_string_equal(header_of(rig, cancel, "CSeq"), "1 CANCEL");
	rig_told(rig, ""); // a leg that is given up no longer progresses
	respond(&soft, cancel, "200 OK", "s1", "");
	respond(&soft, invite, "487 Request Terminated", "s1", "");
	assert_starts(peer_next(&soft), "ACK ");
	rig_told(rig, "failed 9 487 Request Terminated\n");
	assert_int_equal(sessions(), 0);
}

static void the_reasons_for_a_cancel_differ(void **state)
{
	static const struct {
		enum leg_end why;
		const char *reason, *said;
	} rows[] = {
	    {LEG_END_CALLER_GAVE_UP, "Q.850;cause=16", "Q.850;cause=16"},
	    {LEG_END_ANSWERED_ELSEWHERE, "SIP;cause=200;text=\"Call completed elsewhere\"", "Q.850;cause=16"},
	    {LEG_END_NORMAL, "", NULL},
	    {LEG_END_ANSWERED_ELSEWHERE, "SIP;cause=200;text=\"Call completed elsewhere\"", NULL},
	    {LEG_END_DECLINED_ELSEWHERE, "SIP;cause=600;text=\"Busy Everywhere\"", NULL},
	    {LEG_END_CALLER_GAVE_UP, "", NULL},
	    {LEG_END_TURN_TIMED_OUT, "SIP;cause=408;text=\"Ring time over\"", NULL},
	    {LEG_END_SERVER, "", NULL},
	};
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3:5060>\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct outgoing_invite invite = to_soft();
		uint64_t session = ring(&invite);
		const char *text = peer_next(&soft);
		respond(&soft, text, "180 Ringing", "s1", "");
		rig->signalling->cancel(rig->signalling->context, session, rows[i].why, str_of(rows[i].said));
		const char *cancel = peer_next(&soft);
		assert_starts(cancel, "CANCEL ");
		assert_string_equal(header_of(rig, cancel, "Reason"), rows[i].reason);
		respond(&soft, cancel, "200 OK", "s1", "");
		respond(&soft, text, "487 Request Terminated", "s1", "");
		assert_starts(peer_next(&soft), "ACK ");
	}
}

static void an_answer_that_crosses_the_cancel_gets_ack_then_bye(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	rig->signalling->cancel(rig->signalling->context, session, LEG_END_ANSWERED_ELSEWHERE, STR_NONE);
	assert_starts(peer_next(&soft), "CANCEL ");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT);
	rig_told(rig, "progressed 9 180\nanswered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_ANSWERED_ELSEWHERE, STR_NONE);
	assert_starts(peer_next(&soft), "ACK ");
	const char *bye = peer_next(&soft);
	assert_starts(bye, "BYE ");
	assert_string_equal(header_of(rig, bye, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
}

static void a_hang_up_without_an_ack_acknowledges_first(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	respond(&soft, peer_next(&soft), "200 OK", "s1", ANSWERED_BY_SOFT);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	assert_starts(peer_next(&soft), "ACK ");
	assert_starts(peer_next(&soft), "BYE ");
}

static void refusals_and_silence_are_told(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	respond(&soft, peer_next(&soft), "486 Busy Here", "s1", "");
	rig_told(rig, "failed 9 486 Busy Here\n");
	assert_starts(peer_next(&soft), "ACK ");
	struct outgoing_invite invite = to_soft();
	ring(&invite);
	sim_run_for(rig->loop, 33000);
	rig_told(rig, "failed 9 408 \n");
	assert_int_equal(sessions(), 0);
}

static void whoever_only_rings_cannot_say_bye(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	const char *to = header_of(rig, invite, "To"), *from = header_of(rig, invite, "From");
	static const char text[] = "%s sip:carillon@10.0.0.1:5060 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKe%s;rport\n"
				   "From: %s;tag=s1\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nContent-Length: 0\n\n";
	const char *call_id = header_of(rig, invite, "Call-ID");
	peer_send(&soft, text, "BYE", "1", to, from, call_id, 1, "BYE");
	assert_starts(peer_next(&soft), "SIP/2.0 481 ");
	peer_send(&soft, text, "OPTIONS", "2", to, from, call_id, 2, "OPTIONS");
	assert_starts(peer_next(&soft), "SIP/2.0 200 ");
	peer_send(&soft, text, "UPDATE", "3", to, from, call_id, 3, "UPDATE");
	assert_starts(peer_next(&soft), "SIP/2.0 200 "); // it offers nothing
	peer_send(&soft, text, "UPDATE", "4", to, from, call_id, 3, "UPDATE");
	assert_starts(peer_next(&soft), "SIP/2.0 500 "); // the CSeq is used
	rig_told(rig, "progressed 9 180\n");
}

// A proxy that sends our own INVITE back to us, whatever it is called there.
static void our_own_invite_that_comes_back_is_482(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	peer_send(
	    &soft,
	    "INVITE sip:511@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKback;rport\nVia: %s\n"
	    "From: %s\nTo: %s\nCall-ID: %s\nCSeq: 1 INVITE\nMax-Forwards: 68\nContact: <sip:10.0.0.3>\n"
	    "Content-Length: 0\n\n",
	    header_of(rig, invite, "Via"), header_of(rig, invite, "From"), header_of(rig, invite, "To"),
	    header_of(rig, invite, "Call-ID"));
	assert_starts(peer_next(&soft), "SIP/2.0 482 ");
	rig_told(rig, "");
}

// ---- a trunk

static const struct diversion follow_me = {.number = {"510", 3}, .reason = DIVERSION_FOLLOW_ME, .times = 1};

static struct outgoing_invite to_carrier(void)
{
	return (struct outgoing_invite){
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .caller_name = STR("Bob"),
	    .diversions = &follow_me,
	    .diversion_count = 1,
	    .max_forwards = 69,
	    .body = offer,
	};
}

static void a_trunk_is_told_who_calls_and_for_whom(void **state)
{
	(void)state;
	struct outgoing_invite invite = to_carrier();
	ring(&invite);
	assert_string_equal(masked(rig, peer_next(&carrier)),
			    "INVITE sip:+441444123456@10.0.1.1 SIP/2.0\n"
			    "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
			    "Max-Forwards: 69\n"
			    "From: \"Bob\" <sip:+441444555555@example.com>;tag=TAG\n"
			    "To: <sip:+441444123456@10.0.1.1>\n"
			    "Call-ID: CALLID\n"
			    "CSeq: 1 INVITE\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW
			    "P-Asserted-Identity: \"Bob\" <sip:+441444555555@example.com>\n"
			    "Diversion: <sip:510@example.com>;reason=follow-me\n" RELIABLE AGENT
			    "Content-Type: application/sdp\n"
			    "Content-Length: 35\n\n" WIRE_OFFER);
}

static void an_anonymous_caller_is_known_to_trunks_only(void **state)
{
	(void)state;
	struct outgoing_invite invite = to_carrier();
	invite.anonymous = true;
	ring(&invite);
	const char *text = peer_next(&carrier);
	assert_starts(header_of(rig, text, "From"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=");
	assert_string_equal(header_of(rig, text, "Privacy"), "id");
	assert_has(text, "P-Asserted-Identity: \"Bob\" <sip:+441444555555@example.com>\n");

	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3>\n");
	invite = to_soft();
	invite.anonymous = true;
	ring(&invite);
	text = peer_next(&soft);
	assert_starts(header_of(rig, text, "From"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=");
	assert_lacks(text, "511");
	assert_lacks(text, "Smith");
}

static void a_caller_without_a_number_has_no_user_part(void **state)
{
	(void)state;
	struct outgoing_invite invite = to_carrier();
	invite.caller_number = STR_NONE;
	ring(&invite);
	const char *text = peer_next(&carrier);
	assert_starts(header_of(rig, text, "From"), "\"Bob\" <sip:example.com>;tag=");
	assert_lacks(text, "P-Asserted-Identity");
	assert_lacks(text, "<sip:@");
}

static void a_trunks_password_is_given_once(void **state)
{
	(void)state;
	struct outgoing_invite outgoing = to_carrier();
	uint64_t session = ring(&outgoing);
	const char *first = peer_next(&carrier);
	respond(&carrier, first, "407 Proxy Authentication Required", "c1",
		"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\", algorithm=MD5\n"
		"Content-Length: 0\n\n");
	assert_starts(peer_next(&carrier), "ACK ");
	const char *second = peer_next(&carrier);
	const char *credentials = header_of(rig, second, "Proxy-Authorization");
	assert_starts(credentials, "Digest username=\"carillon\"");
	assert_has(credentials, "uri=\"sip:+441444123456@10.0.1.1\"");
	assert_lacks(second, "trunk-secret");
	assert_string_equal(header_of(rig, second, "CSeq"), "2 INVITE");
	assert_string_equal(header_of(rig, second, "Call-ID"), header_of(rig, first, "Call-ID"));
	assert_string_equal(header_of(rig, second, "From"), header_of(rig, first, "From"));
	assert_string_equal(header_of(rig, second, "To"), "<sip:+441444123456@10.0.1.1>");
	assert_string_not_equal(header_of(rig, second, "Via"), header_of(rig, first, "Via"));
	assert_has(second, "\nContent-Length: 35\n\n" WIRE_OFFER);
	rig_told(rig, "");

	respond(&carrier, second, "200 OK", "c1", "Contact: <sip:10.0.1.1>\nContent-Length: 0\n\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	const char *ack = peer_next(&carrier);
	assert_string_equal(header_of(rig, ack, "CSeq"), "2 ACK");
	assert_string_equal(header_of(rig, ack, "Proxy-Authorization"), credentials); // RFC 3261 section 22.1
	rig_told(rig, "answered 9\n");
}

static void a_password_refused_is_not_tried_again(void **state)
{
	(void)state;
	struct outgoing_invite outgoing = to_carrier();
	ring(&outgoing);
	for (int i = 0; i < 2; i++) {
		respond(
		    &carrier, peer_next(&carrier), "401 Unauthorized", "c1",
		    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\nContent-Length: 0\n\n");
		assert_starts(peer_next(&carrier), "ACK ");
	}
	peer_nothing(&carrier);
	rig_told(rig, "failed 9 401 Unauthorized\n");
	assert_int_equal(sessions(), 0);
}

// ---- without memory

// The simulated network takes memory for each packet too, and cannot do without: the allocations before the first packet are
// the ones that may fail here.
static unsigned allocations_at_first_packet;

static void count_at_packet(void *context, const struct sim_packet *packet, enum sim_fate fate)
{
	(void)context;
	(void)packet;
	(void)fate;
	if (allocations_at_first_packet == 0)
		allocations_at_first_packet = failing_allocator_count();
}

static void ignore_arrival(void *context, const struct sim_packet *packet)
{
	(void)context;
	(void)packet;
}

static void a_leg_there_is_no_memory_for_leaves_nothing(void **state)
{
	struct outgoing_invite invite = to_carrier(); // the trunk's password has the request kept, too
	struct sim_watcher watcher = {count_at_packet, ignore_arrival, NULL};
	uint64_t session;
	(void)state;
	unsigned fewest = UINT_MAX;
	sim_watch(rig->loop, &watcher);
	for (int i = 0; i < 8; i++) { // pools and tables grow now and then
		allocations_at_first_packet = 0;
		failing_allocator_arm(100000);
		ring(&invite);
		failing_allocator_disarm();
		if (allocations_at_first_packet < fewest)
			fewest = allocations_at_first_packet;
	}
	assert_true(fewest > 4 && fewest < 1000);
	unsigned refused = 0;
	for (unsigned n = 1; n + 2 < fewest; n++) {
		unsigned before = sessions();
		failing_allocator_arm(n);
		enum err err = rig->signalling->invite(rig->signalling->context, &invite, &session);
		failing_allocator_disarm();
		refused += err == ERR_NO_MEMORY;
		assert_int_equal(sessions(), before + (err == ERR_NONE)); // some can be done without
	}
	assert_true(refused > 2);
	sim_run_for(rig->loop, 40000);
	assert_int_equal(sessions(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(an_invite_is_written_to_the_byte),
	    LEGS_TEST(the_request_uri_is_the_contact_without_its_headers),
	    LEGS_TEST(behind_nat_the_packet_goes_where_it_came_from),
	    LEGS_TEST(a_path_becomes_the_route),
	    LEGS_TEST(a_call_out_from_invite_to_bye),
	    LEGS_TEST(the_ack_carries_the_answer_when_the_200_made_the_offer),
	    LEGS_TEST(branches_of_a_fork_each_get_what_is_theirs),
	    LEGS_TEST(a_cancel_waits_for_a_provisional_answer),
	    LEGS_TEST(the_reasons_for_a_cancel_differ),
	    LEGS_TEST(an_answer_that_crosses_the_cancel_gets_ack_then_bye),
	    LEGS_TEST(a_hang_up_without_an_ack_acknowledges_first),
	    LEGS_TEST(refusals_and_silence_are_told),
	    LEGS_TEST(whoever_only_rings_cannot_say_bye),
	    LEGS_TEST(our_own_invite_that_comes_back_is_482),
	    LEGS_TEST(a_trunk_is_told_who_calls_and_for_whom),
	    LEGS_TEST(an_anonymous_caller_is_known_to_trunks_only),
	    LEGS_TEST(a_caller_without_a_number_has_no_user_part),
	    LEGS_TEST(a_trunks_password_is_given_once),
	    LEGS_TEST(a_password_refused_is_not_tried_again),
	    LEGS_TEST(a_leg_there_is_no_memory_for_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
