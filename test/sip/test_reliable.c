// Reliable provisional answers to callers (RFC 3262), in raw SIP over the simulated network, the domain played by the test.
#include "sip/legs.h"

#include <stdlib.h>
#include <string.h>

static void progress(unsigned status, const struct body *body)
{
	rig->signalling->progress(rig->signalling->context, rig->session, status, body);
}

static void accept_call(const struct body *body)
{
	rig->signalling->accept(rig->signalling->context, rig->session, body);
}

static const char *rseq_of(const char *response)
{
	const char *rseq = header_of(rig, response, "RSeq");
	assert_string_not_equal(rseq, "");
	assert_string_equal(header_of(rig, response, "Require"), "100rel");
	return rseq;
}

// The PRACK of what was said, with the rest of the message.
static void prack(const char *response, unsigned cseq, const char *rest)
{
	desk_says("PRACK", response, cseq,
		  text_of(rig, "RAck: %s 2 INVITE\n%s", rseq_of(response), *rest ? rest : "Content-Length: 0\n\n"));
}

static void an_answer_with_a_description_is_repeated_until_its_prack(void **state)
{
	(void)state;
	call_510_with("Supported: 100rel\n");
	progress(180, &nothing);
	const char *ringing = peer_next(&desk);
	assert_starts(ringing, "SIP/2.0 180 ");
	assert_lacks(ringing, "RSeq");
	progress(183, &answer);
	const char *early = peer_next(&desk);
	assert_starts(early, "SIP/2.0 183 ");
	assert_has(early, WIRE_ANSWER);
	rseq_of(early);
	static const unsigned after_ms[] = {500, 1000, 2000, 4000}; // no end at T2 (RFC 3262 section 3)
	for (size_t i = 0; i < 4; i++) {
		sim_run_for(rig->loop, after_ms[i] - 100);
		peer_nothing(&desk);
		sim_run_for(rig->loop, 100);
		assert_string_equal(peer_next(&desk), early);
	}
	prack(early, 3, "");
	const char *answered = peer_next(&desk);
	assert_starts(answered, "SIP/2.0 200 ");
	assert_string_equal(header_of(rig, answered, "CSeq"), "3 PRACK");
	sim_run_for(rig->loop, 50000);
	peer_nothing(&desk);
	prack(early, 4, ""); // twice is once too often
	assert_starts(peer_next(&desk), "SIP/2.0 481 ");
	rig_told(rig, "");
}

static void who_requires_it_gets_all_of_them_reliably_and_one_at_a_time(void **state)
{
	(void)state;
	call_510_with("Require: 100rel\n");
	progress(180, &nothing);
	const char *ringing = peer_next(&desk);
	assert_starts(ringing, "SIP/2.0 180 ");
	progress(183, &answer);
	progress(180, &nothing); // less than what is held
	peer_nothing(&desk);
	unsigned rseq = (unsigned)atoi(rseq_of(ringing));
	desk_says("PRACK", ringing, 3, text_of(rig, "RAck: %u 2 INVITE\nContent-Length: 0\n\n", rseq + 1));
	assert_starts(peer_next(&desk), "SIP/2.0 481 ");
	desk_says("PRACK", ringing, 4, text_of(rig, "RAck: %u 1 INVITE\nContent-Length: 0\n\n", rseq));
	assert_starts(peer_next(&desk), "SIP/2.0 481 ");
	desk_says("PRACK", ringing, 5, "RAck: nonsense\nContent-Length: 0\n\n");
	assert_starts(peer_next(&desk), "SIP/2.0 481 ");
	prack(ringing, 6, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	const char *early = peer_next(&desk);
	assert_starts(early, "SIP/2.0 183 ");
	assert_int_equal(atoi(rseq_of(early)), rseq + 1);
	prack(early, 7, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	sim_run_for(rig->loop, 60100); // what is said again for the proxies on the way is reliable, too
	assert_int_equal(atoi(rseq_of(peer_next(&desk))), rseq + 2);
}

static void no_2xx_overtakes_a_description(void **state)
{
	(void)state;
	call_510_with("Supported: 100rel\n");
	progress(183, &answer);
	const char *early = peer_next(&desk);
	accept_call(&answer);
	peer_nothing(&desk);
	prack(early, 3, "");
	assert_string_equal(header_of(rig, peer_next(&desk), "CSeq"), "3 PRACK");
	const char *answered = peer_next(&desk);
	assert_starts(answered, "SIP/2.0 200 ");
	assert_string_equal(header_of(rig, answered, "CSeq"), "2 INVITE");
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	sim_run_for(rig->loop, 5000);
	peer_nothing(&desk);
}

static void a_2xx_overtakes_mere_ringing(void **state)
{
	(void)state;
	call_510_with("Require: 100rel\n");
	progress(180, &nothing);
	const char *ringing = peer_next(&desk);
	accept_call(&answer);
	const char *answered = peer_next(&desk);
	assert_string_equal(header_of(rig, answered, "CSeq"), "2 INVITE");
	assert_starts(answered, "SIP/2.0 200 ");
	prack(ringing, 3, ""); // it may still come
	assert_string_equal(header_of(rig, peer_next(&desk), "CSeq"), "3 PRACK");
	sim_run_for(rig->loop, 500);
	assert_string_equal(peer_next(&desk), answered);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
}

static void without_a_prack_the_call_is_refused(void **state)
{
	(void)state;
	call_510_with("Supported: 100rel\n");
	progress(183, &answer);
	for (int i = 0; i < 7; i++) { // at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
		assert_starts(peer_next(&desk), "SIP/2.0 183 ");
		sim_run_for(rig->loop, 500u << i);
	}
	assert_starts(peer_next(&desk), "SIP/2.0 504 ");
	rig_told(rig, "unacknowledged 7\n");
	assert_int_equal(sessions(), 0);
}

static const char invite_without[] = "INVITE sip:510@example.com SIP/2.0\n"
				     "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKw%u;rport\n"
				     "From: <sip:330@example.com>;tag=d1\nTo: <sip:510@example.com>\n"
				     "Call-ID: call1@10.0.0.2\nCSeq: %u INVITE\nMax-Forwards: 70\n"
				     "Contact: <sip:330@10.0.0.2:5060>\nSupported: 100rel\n";

static void a_prack_answers_an_offer_of_ours(void **state)
{
	struct login login = {"330", "secret", "INVITE", "sip:510@example.com"};
	(void)state;
	peer_send(&desk, "%sContent-Length: 0\n\n", text_of(rig, invite_without, 1u, 1u));
	const char *password = authorization(rig, peer_next(&desk), &login);
	peer_send(&desk, "%s%sContent-Length: 0\n\n", text_of(rig, invite_without, 2u, 2u), password);
	rig_told(rig, "invited by device 1, dialled 510\n");
	progress(183, &answer);
	const char *early = peer_next(&desk);
	prack(early, 3, ""); // it must bring the answer (RFC 3262 section 5)
	assert_starts(peer_next(&desk), "SIP/2.0 400 ");
	prack(early, 4, SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	rig_told(rig, "early answered 7 application/sdp [" SDP_OFFER "]\n");
	// Another branch than the one he heard answers: its offer is made to him afterwards.
	accept_call(
	    &(struct body){.type = STR("application/sdp"), .bytes = STR("v=0\r\no=- 9 9 IN IP4 10.0.0.9\r\ns=-\r\n")});
	const char *answered = peer_next(&desk);
	assert_has(answered, "Content-Length: 0\n");
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	const char *again = peer_next(&desk);
	assert_starts(again, "INVITE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_has(again, "\n\nv=0\no=- 9 9 IN IP4 10.0.0.9\ns=-\n");
}

static void the_offer_that_was_answered_is_not_made_again(void **state)
{
	struct login login = {"330", "secret", "INVITE", "sip:510@example.com"};
	(void)state;
	peer_send(&desk, "%sContent-Length: 0\n\n", text_of(rig, invite_without, 1u, 1u));
	const char *password = authorization(rig, peer_next(&desk), &login);
	peer_send(&desk, "%s%sContent-Length: 0\n\n", text_of(rig, invite_without, 2u, 2u), password);
	rig_told(rig, "invited by device 1, dialled 510\n");
	progress(183, &answer);
	prack(peer_next(&desk), 4, SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	rig_told(rig, "early answered 7 application/sdp [" SDP_OFFER "]\n");
	accept_call(&answer);
	const char *answered = peer_next(&desk);
	assert_has(answered, "Content-Length: 0\n");
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	peer_nothing(&desk);
}

static void update_before_the_answer_goes_both_ways(void **state)
{
	(void)state;
	call_510_with("Supported: 100rel\n");
	progress(183, &answer);
	const char *early = peer_next(&desk);
	desk_says("UPDATE", early, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 500 "); // not before the PRACK
	prack(early, 4, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("UPDATE", early, 5, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig_told(rig, "requested 7 UPDATE application/sdp [" SDP_OFFER "]\n");
	ask(DIALOG_UPDATE, &offer, ERR_REQUEST_PENDING);
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &answer);
	const char *updated = peer_next(&desk);
	assert_starts(updated, "SIP/2.0 200 ");
	assert_string_equal(header_of(rig, updated, "CSeq"), "5 UPDATE");
	assert_has(updated, WIRE_ANSWER);
	ask(DIALOG_INVITE, &offer, ERR_REQUEST_PENDING); // only UPDATE may
	ask(DIALOG_UPDATE, &offer, ERR_NONE);
	const char *ours = peer_next(&desk);
	assert_starts(ours, "UPDATE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_has(ours, WIRE_OFFER);
	respond(&desk, ours, "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig_told(rig, "replied 7 to 5: 200 application/sdp [" SDP_OFFER "]\n");
	// A PRACK may bring an offer as well (RFC 3262 section 5).
	progress(183, &answer);
	early = peer_next(&desk);
	prack(early, 6, SDP_LINES);
	rig_told(rig, "requested 7 UPDATE application/sdp [" SDP_OFFER "]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &answer);
	updated = peer_next(&desk);
	assert_string_equal(header_of(rig, updated, "CSeq"), "6 PRACK");
	assert_has(updated, WIRE_ANSWER);
}

static void update_before_any_answer_waits(void **state)
{
	(void)state;
	call_510_with("");
	progress(180, &nothing);
	const char *ringing = peer_next(&desk);
	desk_says("UPDATE", ringing, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	const char *later = peer_next(&desk);
	assert_starts(later, "SIP/2.0 500 ");
	assert_string_not_equal(header_of(rig, later, "Retry-After"), "");
	ask(DIALOG_UPDATE, &offer, ERR_REQUEST_PENDING);
}

// One branch was heard early, another one answered: a 2xx cannot change what the PRACK has settled.
static void the_answer_of_another_branch_is_told_by_re_invite(void **state)
{
	const struct body other = {.type = STR("application/sdp"),
				   .bytes = STR("v=0\r\no=- 9 9 IN IP4 10.0.0.9\r\ns=-\r\n")};
	(void)state;
	call_510_with("Supported: 100rel\n");
	progress(183, &answer);
	const char *early = peer_next(&desk);
	prack(early, 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	accept_call(&other);
	const char *answered = peer_next(&desk);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	const char *again = peer_next(&desk);
	assert_starts(again, "INVITE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_has(again, "\n\nv=0\no=- 9 9 IN IP4 10.0.0.9\ns=-\n");
	ask(DIALOG_INVITE, &offer, ERR_REQUEST_PENDING);
	respond(&desk, again, "491 Request Pending", "", "");
	assert_starts(peer_next(&desk), "ACK ");
	wait_for(&desk, 2020); // it was the desk phone that made the Call-ID (RFC 3261 section 14.1)
	again = peer_next(&desk);
	respond(&desk, again, "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "ACK ");
	rig_told(rig, "");
	ask(DIALOG_INVITE, &offer, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(an_answer_with_a_description_is_repeated_until_its_prack),
	    LEGS_TEST(who_requires_it_gets_all_of_them_reliably_and_one_at_a_time),
	    LEGS_TEST(no_2xx_overtakes_a_description),
	    LEGS_TEST(a_2xx_overtakes_mere_ringing),
	    LEGS_TEST(without_a_prack_the_call_is_refused),
	    LEGS_TEST(a_prack_answers_an_offer_of_ours),
	    LEGS_TEST(the_offer_that_was_answered_is_not_made_again),
	    LEGS_TEST(update_before_the_answer_goes_both_ways),
	    LEGS_TEST(update_before_any_answer_waits),
	    LEGS_TEST(the_answer_of_another_branch_is_told_by_re_invite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
