// What both sides ask within a call, in raw SIP over the simulated network.
#include "sip/legs.h"

#include <stdio.h>
#include <string.h>

static void a_re_invite_goes_through_the_domain(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5070>\n" SDP_LINES);
	rig_told(rig, "requested 7 INVITE application/sdp [" SDP_OFFER "]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &answer);
	const char *again = peer_next(&desk);
	assert_starts(again, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, again, "CSeq"), "3 INVITE");
	assert_string_equal(header_of(rig, again, "Contact"), "<sip:carillon@10.0.0.1:5060>");
	assert_has(again, WIRE_ANSWER);
	sim_run_for(rig->loop, 600);
	assert_string_equal(peer_next(&desk), again); // repeated until the ACK
	desk_says("ACK", answered, 3, "");
	rig_told(rig, "acknowledged 7\n");
	// The target has moved (RFC 3261 section 12.2).
	struct peer moved;
	peer_open(&moved, rig, "10.0.0.2", 5070);
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL, STR_NONE);
	assert_starts(peer_next(&moved), "BYE sip:330@10.0.0.2:5070 SIP/2.0\n");
	peer_close(&moved);
}

// A phone behind NAT whose network has changed: its Contact stays as it was, its place is where it asks from.
static void who_is_behind_nat_moves_with_a_re_invite(void **state)
{
	(void)state;
	struct peer moved;
	uint64_t session = ring_soft("sip:821@192.168.7.7:5088");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "200 OK", "s1", "Contact: <sip:821@192.168.7.7:5088>\nContent-Length: 0\n\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&soft), "ACK ");
	peer_open(&moved, rig, "10.0.0.3", 6060);
	peer_send(&moved,
		  "INVITE sip:carillon@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.168.7.7:5088;branch=z9hG4bKm;rport\n"
		  "From: %s;tag=s1\nTo: %s\nCall-ID: %s\nCSeq: 1 INVITE\nMax-Forwards: 70\n"
		  "Contact: <sip:821@192.168.7.7:5088>\n" SDP_LINES,
		  header_of(rig, invite, "To"), header_of(rig, invite, "From"), header_of(rig, invite, "Call-ID"));
	rig->signalling->reply(rig->signalling->context, session, rig->transaction, 200, &answer);
	assert_starts(peer_next(&moved), "SIP/2.0 200 OK\n");
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	assert_starts(peer_next(&moved), "BYE sip:821@192.168.7.7:5088 SIP/2.0\n");
	peer_nothing(&soft);
	peer_close(&moved);
}

static void the_domain_asks_the_other_side(void **state)
{
	(void)state;
	talk();
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	const char *invite = peer_next(&desk);
	assert_starts(invite, "INVITE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, invite, "Contact"), "<sip:carillon@10.0.0.1:5060>");
	assert_has(invite, WIRE_OFFER);
	respond(&desk, invite, "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig_told(rig, "replied 7 to 5: 200 application/sdp [" SDP_OFFER "]\n");
	peer_nothing(&desk);
	rig->signalling->acknowledge(rig->signalling->context, rig->session, &nothing);
	const char *ack = peer_next(&desk);
	assert_string_equal(header_of(rig, ack, "CSeq"), "1 ACK");
	respond(&desk, invite, "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_string_equal(peer_next(&desk), ack);
	ask(DIALOG_INFO, &(struct body){.type = STR("application/dtmf-relay"), .bytes = STR("Signal=1\r\n")}, ERR_NONE);
	const char *info = peer_next(&desk);
	assert_starts(info, "INFO ");
	assert_has(info, "\nContent-Type: application/dtmf-relay\nContent-Length: 10\n\nSignal=1\n");
	respond(&desk, info, "200 OK", "", "");
	rig_told(rig, "replied 7 to 5: 200\n");
}

// The ACK of the first may have been lost when the second is answered already.
static void each_of_two_answers_gets_its_ack_again(void **state)
{
	const char *invites[2];
	(void)state;
	talk();
	for (int i = 0; i < 2; i++) {
		ask(DIALOG_INVITE, &offer, ERR_NONE);
		invites[i] = peer_next(&desk);
		respond(&desk, invites[i], "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
		rig_told(rig, "replied 7 to 5: 200 application/sdp [" SDP_OFFER "]\n");
		rig->signalling->acknowledge(rig->signalling->context, rig->session, &nothing);
		assert_starts(peer_next(&desk), "ACK ");
	}
	respond(&desk, invites[0], "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	const char *ack = peer_next(&desk);
	assert_string_equal(header_of(rig, ack, "CSeq"), "1 ACK");
	respond(&desk, invites[1], "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_string_equal(header_of(rig, peer_next(&desk), "CSeq"), "2 ACK");
	rig_told(rig, "");
}

static void glare_is_491_on_both_sides(void **state)
{
	(void)state;
	const char *answered = talk();
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	const char *invite = peer_next(&desk);
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 491 ");
	desk_says("UPDATE", answered, 4, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 491 ");
	respond(&desk, invite, "491 Request Pending", "", "");
	assert_starts(peer_next(&desk), "ACK ");
	rig_told(rig, "replied 7 to 5: 491\n");
	// Theirs first: ours is refused at home, and a second one of theirs is told to wait (RFC 3261 section 14.2).
	desk_says("INVITE", answered, 5, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	ask(DIALOG_INVITE, &offer, ERR_REQUEST_PENDING);
	desk_says("UPDATE", answered, 6, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	const char *later = peer_next(&desk);
	assert_starts(later, "SIP/2.0 500 ");
	assert_string_not_equal(header_of(rig, later, "Retry-After"), "");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 488, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 488 ");
	ask(DIALOG_INVITE, &offer, ERR_NONE);
}

static void nothing_new_before_the_ack_of_the_last(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &answer);
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	ask(DIALOG_INVITE, &offer, ERR_REQUEST_PENDING);
	desk_says("INVITE", answered, 4, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 491 "); // RFC 5407 section 3.1.4
}

static void info_and_message_pass(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INFO", answered, 3, "Content-Type: application/dtmf-relay\nContent-Length: 9\n\nSignal=1\n");
	rig_told(rig, "requested 7 INFO application/dtmf-relay [Signal=1\r]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("MESSAGE", answered, 4, "Content-Type: text/plain\nContent-Length: 2\n\nhi");
	rig_told(rig, "requested 7 MESSAGE text/plain [hi]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 407, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 500 "); // the other side's password is not this one's affair
	desk_says("OPTIONS", answered, 6, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("UPDATE", answered, 7, "Require: precondition\nContent-Length: 0\n\n");
	assert_string_equal(header_of(rig, peer_next(&desk), "Unsupported"), "precondition");
	rig_told(rig, "");
}

static void bytes_pass_unchanged(void **state)
{
	static const char head[] = "INFO sip:carillon@10.0.0.1:5060 SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbin;rport\r\nFrom: %s\r\nTo: %s\r\n"
				   "Call-ID: %s\r\nCSeq: 3 INFO\r\nContent-Type: multipart/mixed;boundary=\"x y\"\r\n"
				   "Content-Length: 8\r\n\r\n";
	static const char body[8] = {'\0', '\r', '\n', '\xff', '%', '\n', '\r', '\0'};
	char wire[2048];
	(void)state;
	const char *answered = talk();
	int length = snprintf(wire, sizeof wire, head, header_of(rig, answered, "From"), header_of(rig, answered, "To"),
			      header_of(rig, answered, "Call-ID"));
	memcpy(wire + length, body, sizeof body);
	peer_send_bytes(&desk, (struct str){wire, (size_t)length + sizeof body});
	assert_starts(rig->events, "requested 7 INFO multipart/mixed;boundary=\"x y\" [");
	rig->events[0] = '\0';

	ask(DIALOG_INFO, &(struct body){.type = STR("application/octet-stream"), .bytes = {body, sizeof body}},
	    ERR_NONE);
	const char *info = peer_next(&desk);
	const char *blank = strstr(info, "\n\n") + 2;
	assert_has(info, "\nContent-Length: 8\n\n");
	// The peer's text has lost one CR before LF, nothing else.
	assert_memory_equal(blank, ((const char[]){'\0', '\n', '\xff', '%', '\n', '\r', '\0'}), 7);
}

static void requests_come_in_order(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("OPTIONS", answered, 9, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("BYE", answered, 8, "");
	assert_starts(peer_next(&desk), "SIP/2.0 500 ");
	rig_told(rig, "");
}

static void foreign_requests_do_not_reach_the_call(void **state)
{
	static const char text[] = "%s sip:carillon@10.0.0.1:5060 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bKf%d;rport\n"
				   "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n%sContent-Length: 0\n\n";
	(void)state;
	const char *answered = talk(), *from = header_of(rig, answered, "From"), *to = header_of(rig, answered, "To");
	// Wrong in one thing each.
	peer_send(&stranger, text, "BYE", 1, "<sip:999@example.com>;tag=other", to, "call1@10.0.0.2", 9, "BYE", "");
	assert_starts(peer_next(&stranger), "SIP/2.0 481 ");
	peer_send(&stranger, text, "BYE", 2, from, "<sip:510@example.com>;tag=other", "call1@10.0.0.2", 9, "BYE", "");
	assert_starts(peer_next(&stranger), "SIP/2.0 481 ");
	peer_send(&stranger, text, "BYE", 3, from, to, "call2", 9, "BYE", "");
	assert_starts(peer_next(&stranger), "SIP/2.0 481 ");
	// Right, but from where nobody has spoken before: only with the device's own password.
	peer_send(&stranger, text, "BYE", 4, from, to, "call1@10.0.0.2", 9, "BYE", "");
	const char *challenge = peer_next(&stranger);
	assert_starts(challenge, "SIP/2.0 401 ");
	rig_told(rig, "");
	struct login other = {"821", "secret", "BYE", "sip:carillon@10.0.0.1:5060"};
	peer_send(&stranger, text, "BYE", 5, from, to, "call1@10.0.0.2", 10, "BYE",
		  authorization(rig, challenge, &other));
	assert_starts(peer_next(&stranger), "SIP/2.0 403 ");
	rig_told(rig, "");
	peer_send(&stranger, text, "BYE", 6, from, to, "call1@10.0.0.2", 11, "BYE", "");
	struct login own = {"330", "secret", "BYE", "sip:carillon@10.0.0.1:5060"};
	peer_send(&stranger, text, "BYE", 7, from, to, "call1@10.0.0.2", 12, "BYE",
		  authorization(rig, peer_next(&stranger), &own));
	assert_starts(peer_next(&stranger), "SIP/2.0 200 ");
	rig_told(rig, "hung up 7\n");
}

static void a_dialog_the_other_side_has_lost_is_over(void **state)
{
	(void)state;
	talk();
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	respond(&desk, peer_next(&desk), "481 Call/Transaction Does Not Exist", "", "");
	rig_told(rig, "replied 7 to 5: 481\nhung up 7\n");
	assert_starts(peer_next(&desk), "ACK ");
	assert_starts(peer_next(&desk), "BYE ");
}

static void a_bye_ends_what_is_asked(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig_told(rig, "requested 7 INVITE application/sdp [" SDP_OFFER "]\n");
	desk_says("BYE", answered, 4, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	const char *terminated = peer_next(&desk);
	assert_starts(terminated, "SIP/2.0 487 "); // RFC 3261 section 15.1.2
	assert_string_equal(header_of(rig, terminated, "CSeq"), "3 INVITE");
	rig_told(rig, "hung up 7\n");
	assert_int_equal(sessions(), 0);
}

static void two_byes_that_cross_are_both_answered(void **state)
{
	(void)state;
	const char *answered = talk();
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL, STR_NONE);
	const char *bye = peer_next(&desk);
	desk_says("BYE", answered, 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	respond(&desk, bye, "200 OK", "", "");
	rig_told(rig, "");
	assert_int_equal(sessions(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(a_re_invite_goes_through_the_domain),
	    LEGS_TEST(who_is_behind_nat_moves_with_a_re_invite),
	    LEGS_TEST(the_domain_asks_the_other_side),
	    LEGS_TEST(each_of_two_answers_gets_its_ack_again),
	    LEGS_TEST(glare_is_491_on_both_sides),
	    LEGS_TEST(nothing_new_before_the_ack_of_the_last),
	    LEGS_TEST(info_and_message_pass),
	    LEGS_TEST(bytes_pass_unchanged),
	    LEGS_TEST(requests_come_in_order),
	    LEGS_TEST(foreign_requests_do_not_reach_the_call),
	    LEGS_TEST(a_dialog_the_other_side_has_lost_is_over),
	    LEGS_TEST(a_bye_ends_what_is_asked),
	    LEGS_TEST(two_byes_that_cross_are_both_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
