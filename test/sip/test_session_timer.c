// Session timers (RFC 4028) on either side, in raw SIP over the simulated network, the domain played by the test.
#include "sip/legs.h"

#include <string.h>

#define TAKES_UPDATE "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n"

// The softphone answers our INVITE with these lines; it is up.
static uint64_t soft_answers(const char *lines)
{
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	assert_string_equal(header_of(rig, invite, "Session-Expires"), "1800");
	assert_string_equal(header_of(rig, invite, "Min-SE"), ""); // 90 says nothing
	respond(&soft, invite, "200 OK", "s1", text_of(rig, "%s%s", lines, ANSWERED_BY_SOFT));
	rig_told(rig, "answered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&soft), "ACK ");
	return session;
}

static void run_s(unsigned seconds)
{
	sim_run_for(rig->loop, seconds * 1000ull);
}

static void we_refresh_by_update_at_half_the_time(void **state)
{
	(void)state;
	soft_answers("Supported: timer\nSession-Expires: 1000;refresher=uac\n" TAKES_UPDATE);
	for (unsigned n = 2; n < 5; n++) {
		run_s(499);
		peer_nothing(&soft);
		run_s(1);
		const char *update = peer_next(&soft);
		assert_starts(update, "UPDATE sip:821@10.0.0.3:5060 SIP/2.0\n");
		assert_string_equal(header_of(rig, update, "CSeq"), text_of(rig, "%u UPDATE", n));
		assert_string_equal(header_of(rig, update, "Session-Expires"), "1000;refresher=uac");
		assert_has(update, SUPPORTED);
		assert_has(update, "\nContent-Length: 0\n");
		respond(&soft, update, "200 OK", "",
			"Session-Expires: 1000;refresher=uac\nContact: <sip:821@10.0.0.3:5060>\nContent-Length: 0\n\n");
	}
	rig_told(rig, ""); // nobody else hears of it
}

static void without_update_we_say_the_same_once_more(void **state)
{
	(void)state;
	uint64_t session = soft_answers("Session-Expires: 1000;refresher=uac\n");
	sim_run_for(rig->loop, 500100);
	const char *invite = peer_next(&soft);
	assert_starts(invite, "INVITE sip:821@10.0.0.3:5060 SIP/2.0\n");
	assert_has(invite, WIRE_OFFER);
	// Theirs crosses it: both are told to wait, ours 2.1 to 4 s, since the Call-ID is ours (RFC 3261 section 14.1).
	struct dialog_request request = {.method = DIALOG_INVITE, .body = offer};
	assert_int_equal(rig->signalling->request(rig->signalling->context, session, 5, &request), ERR_REQUEST_PENDING);
	respond(&soft, invite, "491 Request Pending", "", "");
	assert_starts(peer_next(&soft), "ACK ");
	assert_true(wait_for(&soft, 4020) >= 2080);
	invite = peer_next(&soft);
	assert_string_equal(header_of(rig, invite, "CSeq"), "3 INVITE");
	respond(&soft, invite, "200 OK", "", text_of(rig, "Session-Expires: 600;refresher=uac\n%s", ANSWERED_BY_SOFT));
	const char *ack = peer_next(&soft);
	assert_string_equal(header_of(rig, ack, "CSeq"), "3 ACK");
	assert_has(ack, "\nContent-Length: 0\n");
	run_s(299);
	peer_nothing(&soft);
	run_s(1);
	assert_starts(peer_next(&soft), "INVITE ");
	rig_told(rig, "");
}

static void an_update_refused_becomes_a_re_invite(void **state)
{
	(void)state;
	talk(); // the caller's INVITE said nothing of a timer, nor of UPDATE
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	const char *invite = peer_next(&desk);
	assert_string_equal(header_of(rig, invite, "Session-Expires"), "1800");
	respond(&desk, invite, "200 OK", "",
		"Session-Expires: 90;refresher=uac\nContact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig->signalling->acknowledge(rig->signalling->context, rig->session, &nothing);
	assert_starts(peer_next(&desk), "ACK ");
	sim_run_for(rig->loop, 45100);
	invite = peer_next(&desk);
	assert_starts(invite, "INVITE ");
	assert_string_equal(header_of(rig, invite, "Session-Expires"), "90;refresher=uac");
	assert_has(invite, WIRE_OFFER);
}

static void who_allows_update_and_refuses_it_gets_a_re_invite(void **state)
{
	static const char *const refusals[] = {"405 Method Not Allowed", "501 Not Implemented"};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		if (i > 0) {
			legs_stop(state);
			legs_start_timed(state);
		}
		soft_answers("Supported: timer\nSession-Expires: 1000;refresher=uac\n" TAKES_UPDATE);
		run_s(500);
		respond(&soft, peer_next(&soft), refusals[i], "", "");
		const char *invite = peer_next(&soft);
		assert_starts(invite, "INVITE sip:821@10.0.0.3:5060 SIP/2.0\n");
		assert_string_equal(header_of(rig, invite, "CSeq"), "3 INVITE");
		assert_string_equal(header_of(rig, invite, "Session-Expires"), "1000;refresher=uac");
		assert_has(invite, WIRE_OFFER);
		respond(&soft, invite, "200 OK", "",
			text_of(rig, "Session-Expires: 1000;refresher=uac\n" TAKES_UPDATE "%s", ANSWERED_BY_SOFT));
		assert_starts(peer_next(&soft), "ACK ");
		run_s(500);
		assert_starts(peer_next(&soft), "INVITE "); // it is not asked again
		rig_told(rig, "");
	}
}

static void who_is_to_refresh_and_does_not_is_hung_up_on(void **state)
{
	(void)state;
	soft_answers("Require: timer\nSession-Expires: 900;refresher=uas\n" TAKES_UPDATE);
	run_s(867);
	peer_nothing(&soft);
	run_s(2); // 32 s before the end (RFC 4028 section 10)
	const char *bye = peer_next(&soft);
	assert_starts(bye, "BYE ");
	assert_string_equal(header_of(rig, bye, "Reason"), "SIP;cause=408;text=\"Session timer expired\"");
	rig_told(rig, "expired 9\n");
}

static void who_does_not_answer_a_refresh_is_gone(void **state)
{
	(void)state;
	soft_answers("Session-Expires: 900;refresher=uac\n" TAKES_UPDATE);
	run_s(450);
	sim_run_for(rig->loop, 32100);
	for (int i = 0; i < 11; i++) // timers E and F
		assert_starts(peer_next(&soft), "UPDATE ");
	assert_starts(peer_next(&soft), "BYE ");
	rig_told(rig, "expired 9\n");
}

static void more_time_is_given_three_times(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "422 Session Interval Too Small", "s1", "Min-SE: 3600\nContent-Length: 0\n\n");
	assert_starts(peer_next(&soft), "ACK ");
	const char *again = peer_next(&soft);
	assert_starts(again, "INVITE sip:821@10.0.0.3:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, again, "CSeq"), "2 INVITE");
	assert_string_equal(header_of(rig, again, "Session-Expires"), "3600");
	assert_string_equal(header_of(rig, again, "Min-SE"), "3600");
	assert_string_equal(header_of(rig, again, "Call-ID"), header_of(rig, invite, "Call-ID"));
	assert_has(again, WIRE_OFFER);
	rig_told(rig, "");
	for (unsigned min_s = 7200; min_s < 10000; min_s += 1000) {
		rig_told(rig, "");
		respond(&soft, again, "422 Session Interval Too Small", "s1",
			text_of(rig, "Min-SE: %u\nContent-Length: 0\n\n", min_s));
		assert_starts(peer_next(&soft), "ACK ");
		if (min_s > 9000)
			break;
		again = peer_next(&soft);
		assert_string_equal(header_of(rig, again, "Session-Expires"), text_of(rig, "%u", min_s));
		assert_string_equal(header_of(rig, again, "Min-SE"), text_of(rig, "%u", min_s));
	}
	peer_nothing(&soft);
	rig_told(rig, "failed 9 422 Session Interval Too Small\n");
	assert_int_equal(sessions(), 0);
}

// Who wants no more than he was given has no reason.
static void no_more_time_is_given_to_who_wants_the_same(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "422 Session Interval Too Small", "s1", "Min-SE: 3600\nContent-Length: 0\n\n");
	assert_starts(peer_next(&soft), "ACK ");
	respond(&soft, peer_next(&soft), "422 Session Interval Too Small", "s1", "Min-SE: 3600\nContent-Length: 0\n\n");
	assert_starts(peer_next(&soft), "ACK ");
	peer_nothing(&soft);
	rig_told(rig, "failed 9 422 Session Interval Too Small\n");
}

static void too_short_a_time_is_422(void **state)
{
	(void)state;
	const char *ask_for_30 = "Supported: timer\nSession-Expires: 30\n";
	peer_send(&desk, "%s", invite_text(1, 1, ask_for_30));
	const char *challenge = peer_next(&desk);
	assert_starts(challenge, "SIP/2.0 401 ");
	struct login login = {"330", "secret", "INVITE", "sip:510@example.com"};
	peer_send(&desk, "%s",
		  invite_text(2, 2, text_of(rig, "%s%s", ask_for_30, authorization(rig, challenge, &login))));
	const char *refused = peer_next(&desk);
	assert_starts(refused, "SIP/2.0 422 ");
	assert_string_equal(header_of(rig, refused, "Min-SE"), "90");
	peer_send_bytes(&desk, rig->last_sent); // it was lost, and the digest is used up
	assert_string_equal(peer_next(&desk), refused);
	sim_run_for(rig->loop, 510); // timer G
	assert_string_equal(peer_next(&desk), refused);
	peer_send(&desk,
		  "ACK sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport\n"
		  "From: \"Somebody else\" <sip:999@example.com>;tag=d1\nTo: %s\nCall-ID: call1@10.0.0.2\n"
		  "CSeq: 2 ACK\nContent-Length: 0\n\n",
		  header_of(rig, refused, "To"));
	sim_run_for(rig->loop, 5000);
	peer_nothing(&desk);
	rig_told(rig, "");
	assert_int_equal(sessions(), 0);
}

// The desk phone calls with these lines; gives our 200.
static const char *desk_talks(const char *lines)
{
	call_510_with(lines);
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	return answered;
}

static void a_caller_who_wants_to_refresh_does(void **state)
{
	(void)state;
	const char *answered = desk_talks("Supported: timer\nSession-Expires: 600;refresher=uac\n" TAKES_UPDATE);
	assert_string_equal(header_of(rig, answered, "Session-Expires"), "600;refresher=uac");
	assert_string_equal(header_of(rig, answered, "Require"), "timer");
	run_s(500);
	peer_nothing(&desk);
	desk_says("UPDATE", answered, 3, "Supported: timer\nSession-Expires: 60\nContent-Length: 0\n\n");
	const char *refused = peer_next(&desk);
	assert_starts(refused, "SIP/2.0 422 ");
	peer_send_bytes(&desk, rig->last_sent); // it was lost, and the number is used up
	assert_string_equal(peer_next(&desk), refused);
	desk_says("UPDATE", answered, 4, "Supported: timer\nSession-Expires: 600;refresher=uac\nContent-Length: 0\n\n");
	const char *refreshed = peer_next(&desk);
	assert_starts(refreshed, "SIP/2.0 200 ");
	assert_string_equal(header_of(rig, refreshed, "Session-Expires"), "600;refresher=uac");
	rig_told(rig, ""); // the other side has a timer of its own
	run_s(566);
	peer_nothing(&desk);
	run_s(3);
	assert_starts(peer_next(&desk), "BYE ");
	rig_told(rig, "expired 7\n");
}

static void where_the_choice_is_ours_we_refresh(void **state)
{
	(void)state;
	const char *answered = desk_talks("Supported: timer\nSession-Expires: 3600\nMin-SE: 120\n" TAKES_UPDATE);
	assert_string_equal(header_of(rig, answered, "Session-Expires"), "1800;refresher=uas");
	assert_string_equal(header_of(rig, answered, "Require"), "");
	sim_run_for(rig->loop, 900100);
	const char *update = peer_next(&desk);
	assert_starts(update, "UPDATE ");
	assert_string_equal(header_of(rig, update, "Session-Expires"), "1800;refresher=uac");
	assert_string_equal(header_of(rig, update, "Min-SE"), "120");
	respond(&desk, update, "405 Method Not Allowed", "", "");
	const char *invite = peer_next(&desk);
	assert_starts(invite, "INVITE ");
	assert_has(invite, WIRE_ANSWER); // what it was answered
}

static void who_knows_neither_timer_nor_update_is_left_alone(void **state)
{
	(void)state;
	const char *answered = desk_talks("");
	assert_string_equal(header_of(rig, answered, "Session-Expires"), "");
	run_s(10000);
	peer_nothing(&desk);
	rig_told(rig, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST_TIMED(we_refresh_by_update_at_half_the_time),
	    LEGS_TEST_TIMED(without_update_we_say_the_same_once_more),
	    LEGS_TEST_TIMED(an_update_refused_becomes_a_re_invite),
	    LEGS_TEST_TIMED(who_is_to_refresh_and_does_not_is_hung_up_on),
	    LEGS_TEST_TIMED(who_does_not_answer_a_refresh_is_gone),
	    LEGS_TEST_TIMED(more_time_is_given_three_times),
	    LEGS_TEST_TIMED(no_more_time_is_given_to_who_wants_the_same),
	    LEGS_TEST_TIMED(who_allows_update_and_refuses_it_gets_a_re_invite),
	    LEGS_TEST_TIMED(too_short_a_time_is_422),
	    LEGS_TEST_TIMED(a_caller_who_wants_to_refresh_does),
	    LEGS_TEST_TIMED(where_the_choice_is_ours_we_refresh),
	    LEGS_TEST_TIMED(who_knows_neither_timer_nor_update_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
