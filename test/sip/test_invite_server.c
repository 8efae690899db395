// Callers' legs in raw SIP over the simulated network, the domain played by the test.
#include "sip/legs.h"

static void a_call_in_from_invite_to_bye(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	assert_string_equal(masked(rig, peer_next(&desk)),
			    "SIP/2.0 180 Ringing\n"
			    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport=5060;received=10.0.0.2\n"
			    "From: \"Somebody else\" <sip:999@example.com>;tag=TAG\n"
			    "Call-ID: call1@10.0.0.2\n"
			    "CSeq: 2 INVITE\n"
			    "To: <sip:510@example.com>;tag=TAG\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW "Content-Length: 0\n\n");
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	assert_string_equal(masked(rig, answered),
			    "SIP/2.0 200 OK\n"
			    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport=5060;received=10.0.0.2\n"
			    "From: \"Somebody else\" <sip:999@example.com>;tag=TAG\n"
			    "Call-ID: call1@10.0.0.2\n"
			    "CSeq: 2 INVITE\n"
			    "To: <sip:510@example.com>;tag=TAG\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW
			    "Content-Type: application/sdp\nContent-Length: 35\n\n" WIRE_ANSWER);
	sim_run_for(rig->loop, 1600); // 500 + 1000
	assert_string_equal(peer_next(&desk), answered);
	assert_string_equal(peer_next(&desk), answered);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	sim_run_for(rig->loop, 5000);
	peer_nothing(&desk);
	desk_says("BYE", answered, 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 OK\n");
	rig_told(rig, "hung up 7\n");
	assert_int_equal(sessions(), 0);
	desk_says("INFO", answered, 4, "");
	assert_starts(peer_next(&desk), "SIP/2.0 481 ");
}

static void a_caller_who_gives_up_gets_487(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	peer_next(&desk);
	peer_send(&desk, "CANCEL sip:510@example.com SIP/2.0\n"
			 "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport\n"
			 "From: \"Somebody else\" <sip:999@example.com>;tag=d1\nTo: <sip:510@example.com>\n"
			 "Call-ID: call1@10.0.0.2\nCSeq: 2 CANCEL\nReason: SIP;cause=600, Q.850;cause=21\n"
			 "Content-Length: 0\n\n");
	const char *first = peer_next(&desk), *second = peer_next(&desk);
	assert_starts(first, "SIP/2.0 200 ");
	assert_string_equal(header_of(rig, first, "CSeq"), "2 CANCEL");
	assert_starts(second, "SIP/2.0 487 ");
	assert_string_equal(header_of(rig, second, "CSeq"), "2 INVITE");
	rig_told(rig, "cancelled 7 SIP;cause=600, Q.850;cause=21\n");
	assert_int_equal(sessions(), 0);
}

static void a_bye_before_the_answer_gives_up_too(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	desk_says("BYE", peer_next(&desk), 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	assert_starts(peer_next(&desk), "SIP/2.0 487 ");
	rig_told(rig, "cancelled 7\n");
}

static void an_answer_nobody_acknowledges_ends_the_call(void **state)
{
	(void)state;
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	sim_run_for(rig->loop, 31900);
	unsigned repeated = 0;
	while (desk.read < desk.count) {
		assert_string_equal(peer_next(&desk), answered);
		repeated++;
	}
	// At 0.5, 1.5, 3.5, 7.5 s and then every 4 s (RFC 3261 section 13.3.1.4).
	assert_int_equal(repeated, 10);
	rig_told(rig, "");
	sim_run_for(rig->loop, 200);
	assert_starts(peer_next(&desk), "BYE sip:330@10.0.0.2:5060 SIP/2.0\n");
	rig_told(rig, "unacknowledged 7\n");
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL, STR_NONE); // harmless
	sim_run_for(rig->loop, 33000);
	assert_int_equal(sessions(), 0);
}

static void the_ack_of_an_older_invite_does_not_count(void **state)
{
	(void)state;
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	desk_says("ACK", answered, 1, "");
	rig_told(rig, "");
	sim_run_for(rig->loop, 600);
	assert_string_equal(peer_next(&desk), answered);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
}

static void our_bye_waits_for_the_ack(void **state)
{
	(void)state;
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL, STR_NONE);
	peer_nothing(&desk); // RFC 3261 section 15
	desk_says("ACK", answered, 2, "");
	const char *bye = peer_next(&desk);
	assert_starts(bye, "BYE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, bye, "From"), header_of(rig, answered, "To"));
	assert_string_equal(header_of(rig, bye, "To"), header_of(rig, answered, "From"));
	respond(&desk, bye, "200 OK", "", "");
	rig_told(rig, "");
	assert_int_equal(sessions(), 0);
}

static void a_refusal_says_why(void **state)
{
	struct refusal refusal = {486, 17, STR("The user\r\nis busy"), STR("Say \"please\"\r\nEvil: 1"), 30};
	(void)state;
	call_510();
	rig->signalling->refuse(rig->signalling->context, rig->session, &refusal);
	assert_string_equal(masked(rig, peer_next(&desk)),
			    "SIP/2.0 486 The user  is busy\n"
			    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport=5060;received=10.0.0.2\n"
			    "From: \"Somebody else\" <sip:999@example.com>;tag=TAG\n"
			    "Call-ID: call1@10.0.0.2\n"
			    "CSeq: 2 INVITE\n"
			    "To: <sip:510@example.com>;tag=TAG\n"
			    "Retry-After: 30\n"
			    "Warning: 399 example.com \"Say \\\"please\\\"  Evil: 1\"\n"
			    "Content-Length: 0\n\n");
	assert_int_equal(sessions(), 0);
}

static void a_password_somebody_else_wants_is_not_asked_of_the_caller(void **state)
{
	struct refusal refusal = {.status = 407};
	(void)state;
	call_510();
	rig->signalling->refuse(rig->signalling->context, rig->session, &refusal);
	assert_starts(peer_next(&desk), "SIP/2.0 503 ");
}

static void a_call_the_domain_does_not_take_is_refused(void **state)
{
	(void)state;
	rig->invited = ERR_UNKNOWN_NUMBER;
	call_510();
	assert_starts(peer_next(&desk), "SIP/2.0 404 ");
	assert_int_equal(sessions(), 0);
}

static void ringing_is_repeated_each_minute(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	const char *ringing = peer_next(&desk);
	sim_run_for(rig->loop, 59000);
	peer_nothing(&desk);
	sim_run_for(rig->loop, 2000);
	assert_string_equal(peer_next(&desk), ringing);
}

static void the_same_invite_by_another_way_is_482(void **state)
{
	(void)state;
	const char *invite = call_510();
	peer_send(&desk, "%s", invite); // a plain repetition is absorbed
	rig_told(rig, "");
	sim_run_for(rig->loop, 300);
	assert_starts(peer_next(&desk), "SIP/2.0 100 ");
	peer_send(&desk, "%s", invite_text(3, 2, ""));
	assert_starts(peer_next(&desk), "SIP/2.0 482 ");
	rig_told(rig, "");
}

static void a_trunk_calls_without_a_password(void **state)
{
	static const char text[] = "INVITE sip:+441444%%20000@10.0.0.1 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKt%d\n"
				   "From: <sip:anonymous@anonymous.invalid>;tag=t\nTo: <sip:+441444000@10.0.0.1>\n"
				   "Call-ID: t1\nCSeq: 7 INVITE\nMax-Forwards: 70\nContact: <sip:10.0.1.1>\n"
				   "P-Asserted-Identity: \"Ann \\\"A\\\"\" <sip:+44207;npdi@carrier>\n"
				   "Content-Length: 0\n\n";
	(void)state;
	peer_send(&carrier, text, 1);
	rig_told(rig, "invited by trunk 3, dialled +441444 000, number +44207, name Ann \"A\", anonymous\n");
	peer_send(&stranger, text, 2);
	assert_starts(peer_next(&stranger), "SIP/2.0 482 "); // and never to where its Via points
}

static void early_media_passes_through(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 183, &answer);
	const char *progress = peer_next(&desk);
	assert_starts(progress, "SIP/2.0 183 Session Progress\n");
	assert_has(progress, "\nContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_ANSWER);
}

// Nothing waits for the store or for names: whatever else is slow, the caller hears from us in time.
static void a_100_leaves_after_200_ms(void **state)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, &rig->arena);
	(void)state;
	trunk->entity.id = rig->trunk;
	trunk->title = STR("Carrier");
	trunk->host = STR("carrier.example");
	trunk->enabled = true;
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
	sim_dns_servers(rig->loop, SIM_DNS_SILENT);
	rig->store = STORE_WAITS;
	assert_string_equal(peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3:5060>\n"), "");

	call_510();
	struct outgoing_invite outside = {.leg = 9,
					  .target = TARGET_TRUNK,
					  .trunk = directory_trunk(rig->directory, rig->trunk),
					  .number = STR("+441444123456"),
					  .max_forwards = 69,
					  .body = offer};
	ring(&outside);
	unsigned waited_ms = wait_for(&desk, 300);
	assert_in_range(waited_ms, 180, 210);
	const char *trying = peer_next(&desk);
	assert_starts(trying, "SIP/2.0 100 Trying\n");
	assert_string_equal(header_of(rig, trying, "CSeq"), "2 INVITE");
	assert_string_equal(header_of(rig, trying, "To"), "<sip:510@example.com>");
	sim_run_for(rig->loop, 2000);
	peer_nothing(&desk); // once
	peer_nothing(&soft); // the store still waits
	assert_int_equal(rig->write_count, 1);
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	desk_says("ACK", answered, 2, "");

	// Within the call, too, while the other side thinks about it.
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_in_range(wait_for(&desk, 300), 180, 210);
	assert_starts(peer_next(&desk), "SIP/2.0 100 Trying\n");
	rig_store_answer(rig, ERR_NONE);
}

static void no_100_where_something_left_earlier(void **state)
{
	(void)state;
	call_510();
	sim_run_for(rig->loop, 150);
	peer_nothing(&desk);
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 180 ");
	sim_run_for(rig->loop, 2000);
	peer_nothing(&desk);
}

// RFC 5626 section 4.3: what a Contact with "ob" gets comes by the flow that its INVITE came by, not where it points.
static void ob_keeps_a_dialog_on_its_flow(void **state)
{
	struct peer elsewhere;
	(void)state;
	peer_open(&elsewhere, rig, "10.0.1.1", 5999);
	for (unsigned ob = 0; ob < 2; ob++) {
		peer_send(&carrier,
			  "INVITE sip:510@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKob%u;rport\n"
			  "From: <sip:+44207@10.0.1.1>;tag=t\nTo: <sip:510@10.0.0.1>\nCall-ID: ob%u\n"
			  "CSeq: 7 INVITE\nMax-Forwards: 70\nContact: <sip:+44207@10.0.1.1:5999%s>\n" SDP_LINES,
			  ob, ob, ob ? ";ob" : "");
		rig->signalling->accept(rig->signalling->context, rig->session, &answer);
		const char *answered = peer_next(&carrier);
		peer_send(
		    &carrier,
		    "ACK sip:carillon@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKack%u;rport\n"
		    "From: <sip:+44207@10.0.1.1>;tag=t\nTo: %s\nCall-ID: ob%u\nCSeq: 7 ACK\n"
		    "Content-Length: 0\n\n",
		    ob, header_of(rig, answered, "To"), ob);
		rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL, STR_NONE);
		const char *bye = peer_next(ob ? &carrier : &elsewhere);
		assert_starts(bye, text_of(rig, "BYE sip:+44207@10.0.1.1:5999%s SIP/2.0\n", ob ? ";ob" : ""));
		respond(ob ? &carrier : &elsewhere, bye, "200 OK", "", "");
		peer_nothing(&carrier);
		peer_nothing(&elsewhere);
	}
	peer_close(&elsewhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(a_call_in_from_invite_to_bye),
	    LEGS_TEST(a_caller_who_gives_up_gets_487),
	    LEGS_TEST(a_bye_before_the_answer_gives_up_too),
	    LEGS_TEST(an_answer_nobody_acknowledges_ends_the_call),
	    LEGS_TEST(the_ack_of_an_older_invite_does_not_count),
	    LEGS_TEST(our_bye_waits_for_the_ack),
	    LEGS_TEST(a_refusal_says_why),
	    LEGS_TEST(a_password_somebody_else_wants_is_not_asked_of_the_caller),
	    LEGS_TEST(a_call_the_domain_does_not_take_is_refused),
	    LEGS_TEST(ringing_is_repeated_each_minute),
	    LEGS_TEST(the_same_invite_by_another_way_is_482),
	    LEGS_TEST(a_trunk_calls_without_a_password),
	    LEGS_TEST(early_media_passes_through),
	    LEGS_TEST(a_100_leaves_after_200_ms),
	    LEGS_TEST(no_100_where_something_left_earlier),
	    LEGS_TEST(ob_keeps_a_dialog_on_its_flow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
