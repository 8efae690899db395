// The branches of an INVITE of ours before one answers: PRACK and UPDATE each in its own dialog (RFC 3262, RFC 3311, RFC 6228).
#include "sip/legs.h"

#include <string.h>

#define RELIABLY(rseq) "Require: 100rel\nRSeq: " rseq "\n"

static void a_reliable_answer_gets_its_prack_to_the_byte(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "183 Session Progress", "s1", RELIABLY("700") ANSWERED_BY_SOFT);
	rig_told(rig, "progressed 9 183 application/sdp [" SDP_ANSWER "]\n");
	const char *prack = peer_next(&soft);
	assert_string_equal(masked(rig, prack), "PRACK sip:821@10.0.0.3:5060 SIP/2.0\n"
						"Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
						"Max-Forwards: 70\n"
						"From: \"Bob \\\"B\\\" Smith\" <sip:511@example.com>;tag=TAG\n"
						"To: \"510\" <sip:821@example.com>;tag=TAG\n"
						"Call-ID: CALLID\n"
						"CSeq: 2 PRACK\n"
						"RAck: 700 1 INVITE\n" AGENT "Content-Length: 0\n\n");
	respond(&soft, prack, "200 OK", "", "");
	respond(&soft, invite, "183 Session Progress", "s1", RELIABLY("700") ANSWERED_BY_SOFT); // the PRACK crossed it
	respond(&soft, invite, "180 Ringing", "s1", RELIABLY("702") "Content-Length: 0\n\n");   // out of order
	peer_nothing(&soft);
	rig_told(rig, "");
	respond(&soft, invite, "180 Ringing", "s1", RELIABLY("701") "Content-Length: 0\n\n");
	rig_told(rig, "progressed 9 180\n");
	assert_string_equal(header_of(rig, peer_next(&soft), "RAck"), "701 1 INVITE");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT);
	rig_told(rig, "answered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_string_equal(header_of(rig, peer_next(&soft), "CSeq"), "1 ACK");
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	assert_string_equal(header_of(rig, peer_next(&soft), "CSeq"), "4 BYE"); // the numbers go on
}

// The 2xx need not repeat the answer (RFC 3261 section 13.2.1), but a caller may not have had it.
static void an_answer_given_early_is_the_answer(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "183 Session Progress", "s1", RELIABLY("700") ANSWERED_BY_SOFT);
	respond(&soft, peer_next(&soft), "200 OK", "", "");
	respond(&soft, invite, "200 OK", "s1", "Contact: <sip:821@10.0.0.3:5060>\nContent-Length: 0\n\n");
	rig_told(rig,
		 "progressed 9 183 application/sdp [" SDP_ANSWER "]\nanswered 9 application/sdp [" SDP_ANSWER "]\n");
}

static void each_branch_has_its_own_dialog(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	respond(&soft, invite, "183 Session Progress", "s2",
		RELIABLY("5") "Contact: <sip:second@10.0.0.7:5060>\nContent-Type: application/sdp\n"
			      "Content-Length: 35\n\n" WIRE_ANSWER);
	const char *prack = peer_next(&soft);
	assert_starts(prack, "PRACK sip:second@10.0.0.7:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, prack, "To"), "\"510\" <sip:821@example.com>;tag=s2");
	assert_string_equal(header_of(rig, prack, "CSeq"), "2 PRACK");
	respond(&soft, prack, "200 OK", "", "");
	respond(&soft, invite, "180 Ringing", "s3",
		RELIABLY("9") "Contact: <sip:third@10.0.0.3>\nContent-Length: 0\n\n");
	const char *third = peer_next(&soft);
	assert_starts(third, "PRACK sip:third@10.0.0.3 SIP/2.0\n");
	assert_string_equal(header_of(rig, third, "CSeq"), "2 PRACK");
	respond(&soft, third, "200 OK", "", "");
	rig_told(rig, "progressed 9 180\nprogressed 9 183 application/sdp [" SDP_ANSWER "]\nprogressed 9 180\n");

	// An UPDATE goes where an offer has its answer, and comes from there alone.
	struct dialog_request request = {.method = DIALOG_UPDATE, .body = offer};
	assert_int_equal(rig->signalling->request(rig->signalling->context, session, 5, &request), ERR_NONE);
	const char *update = peer_next(&soft);
	assert_starts(update, "UPDATE sip:second@10.0.0.7:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, update, "CSeq"), "3 UPDATE");
	respond(&soft, update, "200 OK", "", "Contact: <sip:second@10.0.0.7:5060>\n" SDP_LINES);
	rig_told(rig, "replied 9 to 5: 200 application/sdp [" SDP_OFFER "]\n");
	const char *from = header_of(rig, invite, "From"), *call = header_of(rig, invite, "Call-ID");
	peer_send(
	    &soft,
	    "UPDATE sip:carillon@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKu2;rport\n"
	    "From: <sip:821@example.com>;tag=s2\nTo: %s\nCall-ID: %s\nCSeq: 2 UPDATE\nMax-Forwards: 70\n" SDP_LINES,
	    from, call);
	rig_told(rig, "requested 9 UPDATE application/sdp [" SDP_OFFER "]\n");
	rig->signalling->reply(rig->signalling->context, session, rig->transaction, 200, &answer);
	assert_starts(peer_next(&soft), "SIP/2.0 200 ");
	peer_send(
	    &soft,
	    "UPDATE sip:carillon@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKu3;rport\n"
	    "From: <sip:821@example.com>;tag=s3\nTo: %s\nCall-ID: %s\nCSeq: 1 UPDATE\nMax-Forwards: 70\n" SDP_LINES,
	    from, call);
	assert_starts(peer_next(&soft), "SIP/2.0 491 ");

	// Who answers has the dialog, whatever the others were doing.
	assert_int_equal(rig->signalling->request(rig->signalling->context, session, 6, &request), ERR_NONE);
	assert_starts(peer_next(&soft), "UPDATE ");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT);
	rig_told(rig, "replied 9 to 6: 500\nanswered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&soft), "ACK sip:821@10.0.0.3:5060 SIP/2.0\n");
}

static void a_branch_that_is_over_is_forgotten(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	respond(&soft, invite, "199 Early Dialog Terminated", "s1", "");
	rig_told(rig, "progressed 9 180\n");
	peer_send(&soft,
		  "INFO sip:carillon@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKn1;rport\n"
		  "From: <sip:821@example.com>;tag=s1\nTo: %s\nCall-ID: %s\nCSeq: 1 INFO\nMax-Forwards: 70\n"
		  "Content-Length: 0\n\n",
		  header_of(rig, invite, "From"), header_of(rig, invite, "Call-ID"));
	assert_starts(peer_next(&soft), "SIP/2.0 481 ");
}

static void an_early_offer_is_answered_in_the_prack(void **state)
{
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3:5060>\n");
	struct outgoing_invite without = to_soft();
	without.body = nothing;
	without.answers_early = true;
	uint64_t session = ring(&without);
	const char *invite = peer_next(&soft);
	assert_has(invite, "Supported: 100rel\n");
	respond(&soft, invite, "183 Session Progress", "s1", ANSWERED_BY_SOFT); // no offer: it is not reliable
	rig_told(rig, "progressed 9 183\n");
	respond(&soft, invite, "183 Session Progress", "s1", RELIABLY("1") ANSWERED_BY_SOFT);
	rig_told(rig, "progressed 9 183 application/sdp [" SDP_ANSWER "]\n");
	peer_nothing(&soft);
	rig->signalling->answer_early(rig->signalling->context, session, &offer);
	const char *prack = peer_next(&soft);
	assert_string_equal(header_of(rig, prack, "RAck"), "1 1 INVITE");
	assert_has(prack, WIRE_OFFER);
	rig->signalling->answer_early(rig->signalling->context, session, &offer); // once
	respond(&soft, prack, "200 OK", "", "");
	peer_nothing(&soft);
}

#define OFFER_OF(number)                                                                                               \
	"v=0\no=- " number " 1 IN IP4 10.0.0." number "\ns=-\nc=IN IP4 10.0.0." number                                 \
	"\nt=0 0\nm=audio 4000 RTP/AVP 0\n"
#define OFFERS(number)                                                                                                 \
	"Contact: <sip:821@10.0.0.3:5060>\nContent-Type: application/sdp\nContent-Length: 85\n\n" OFFER_OF(number)

// The caller answers one offer, and hears of the other branch's when that one answers the call.
static void each_branch_that_offers_gets_its_prack(void **state)
{
	static const char answered[] = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
				       "m=audio 5000 RTP/AVP 0\r\n";
	const struct body caller = {.type = STR("application/sdp"), .bytes = {answered, sizeof answered - 1}};
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3:5060>\n");
	struct outgoing_invite without = to_soft();
	without.body = nothing;
	without.answers_early = true;
	uint64_t session = ring(&without);
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "183 Session Progress", "s1", RELIABLY("1") OFFERS("3"));
	respond(&soft, invite, "183 Session Progress", "s2", RELIABLY("5") OFFERS("4"));
	peer_nothing(&soft); // nobody has answered yet
	rig->events[0] = '\0';
	rig->signalling->answer_early(rig->signalling->context, session, &caller);
	for (unsigned i = 0; i < 2; i++) {
		const char *prack = peer_next(&soft);
		assert_string_equal(header_of(rig, prack, "RAck"), i ? "5 1 INVITE" : "1 1 INVITE");
		assert_has(header_of(rig, prack, "To"), i ? ";tag=s2" : ";tag=s1");
		assert_has(prack, "\nm=audio 5000 RTP/AVP 0\n");
		respond(&soft, prack, "200 OK", "", "");
	}
	// One that comes later gets it at once; what the answer does not fit gets none.
	respond(&soft, invite, "183 Session Progress", "s3", RELIABLY("9") OFFERS("5"));
	const char *prack = peer_next(&soft);
	assert_string_equal(header_of(rig, prack, "RAck"), "9 1 INVITE");
	assert_has(prack, "\nm=audio 5000 RTP/AVP 0\n");
	respond(&soft, prack, "200 OK", "", "");
	respond(&soft, invite, "183 Session Progress", "s4", RELIABLY("2") ANSWERED_BY_SOFT);
	peer_nothing(&soft);
	rig->events[0] = '\0';
	respond(&soft, invite, "200 OK", "s2", "Contact: <sip:821@10.0.0.3:5060>\nContent-Length: 0\n\n");
	sim_run_for(rig->loop, 10);
	assert_has(rig->events, "answered 9 application/sdp [v=0\r\no=- 4 1 IN IP4 10.0.0.4\r\n");
	rig->events[0] = '\0';
}

static void who_cannot_answer_early_does_not_offer_to(void **state)
{
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3:5060>\n");
	struct outgoing_invite without = to_soft();
	without.body = nothing;
	ring(&without);
	const char *invite = peer_next(&soft);
	assert_lacks(invite, "100rel");
	respond(&soft, invite, "183 Session Progress", "s1", RELIABLY("1") ANSWERED_BY_SOFT); // all the same
	rig_told(rig, "progressed 9 183\n");
	peer_nothing(&soft);
}

static void a_redirection_names_what_is_ours(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "302 Moved Temporarily", "s1",
		"Contact: <sip:512@example.com>;q=0.5, <sip:bob@evil.example>, <sip:0044@203.0.113.9>;q=1\n"
		"Contact: <sip:%2B44%201444@example.net;user=phone>;q=0.7, \"Tel\" <tel:+441444999999;ext=7>;q=0.9\n"
		"Contact: <sip:513@10.0.0.1:5060>;q=0.1, <mailto:bob@example.com>\nContent-Length: 0\n\n");
	rig_told(rig, "redirected 9 302 Moved Temporarily: +441444999999 +44 1444 512 513\n");
	assert_starts(peer_next(&soft), "ACK ");
	assert_int_equal(sessions(), 0);
}

static void a_carrier_redirects_nobody(void **state)
{
	(void)state;
	struct outgoing_invite invite = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .max_forwards = 69,
	    .body = offer,
	};
	ring(&invite);
	respond(&carrier, peer_next(&carrier), "302 Moved", "c1",
		"Contact: <sip:512@example.com>\nContent-Length: 0\n\n");
	rig_told(rig, "failed 9 302 Moved\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(a_reliable_answer_gets_its_prack_to_the_byte),
	    LEGS_TEST(an_answer_given_early_is_the_answer),
	    LEGS_TEST(each_branch_has_its_own_dialog),
	    LEGS_TEST(a_branch_that_is_over_is_forgotten),
	    LEGS_TEST(an_early_offer_is_answered_in_the_prack),
	    LEGS_TEST(each_branch_that_offers_gets_its_prack),
	    LEGS_TEST(who_cannot_answer_early_does_not_offer_to),
	    LEGS_TEST(a_redirection_names_what_is_ours),
	    LEGS_TEST(a_carrier_redirects_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
