// Client transactions, machine by machine: when a request is sent again, what ends it, what its user hears.
#include "lib/failing_allocator.h"
#include "sip/stand.h"

#include <stdio.h>
#include <string.h>

// ---- INVITE

static void an_invite_is_repeated_with_doubling_gaps_and_fails_after_32_s(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 peer < INVITE\n"
			     "500 peer < INVITE\n"
			     "1500 peer < INVITE\n"
			     "3500 peer < INVITE\n"
			     "7500 peer < INVITE\n"
			     "15500 peer < INVITE\n"
			     "31500 peer < INVITE\n"
			     "32000 user: failed 408\n");
	assert_int_equal(sip_transactions_count(stand.transactions).timeouts, 1);
	assert_int_equal(sip_transactions_count(stand.transactions).retransmissions, 6);
	stand_tear_down(&stand);
}

static void a_provisional_response_stops_the_repeating_for_good(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_run(&stand, 600);
	stand_peer_sends(&stand, STAND_RESPONSE("100", "UDP", "INVITE"));
	stand_run(&stand, 400);
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	stand_run(&stand, 200000);
	stand_expect(&stand, "0 peer < INVITE\n"
			     "500 peer < INVITE\n"
			     "600 user: 100\n"
			     "1000 user: 180\n"
			     "1000 user: 180\n");
	assert_int_equal(sim_count(stand.loop).timers, 0);
	sip_client_forget(transaction);
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "201000 peer < ACK\n");
	stand_tear_down(&stand);
}

static void every_2xx_reaches_the_user_for_64_t1(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	assert_int_equal(sip_transactions_count(stand.transactions).kept_bytes, 0);
	stand_run(&stand, 500);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 31499);
	stand_peer_sends(&stand, STAND_RESPONSE("202", "UDP", "INVITE"));
	stand_run(&stand, 1);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	stand_expect(&stand, "0 peer < INVITE\n"
			     "0 user: 200\n"
			     "500 user: 200\n"
			     "31999 user: 202\n"
			     "32000 user: ended\n"
			     "32000 stray 200\n");
	stand_tear_down(&stand);
}

static void forgetting_an_answered_invite_ends_it_at_once(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	sip_client_forget(transaction);
	stand_assert_no_transactions(&stand);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	stand_expect(&stand, "0 peer < INVITE\n0 user: 200\n0 stray 200\n");
	stand_tear_down(&stand);
}

static void forget_when_heard(void *user, struct sip_client_transaction *transaction,
			      const struct sip_message *response)
{
	stand_note(user, "user: %u, forgets", response->status);
	sip_client_forget(transaction);
}

static const struct sip_client_handlers forgetful_handlers = {.response = forget_when_heard};

static void the_user_may_forget_from_within_its_handler(void **state)
{
	static const char *const statuses[] = {STAND_RESPONSE("180", "UDP", "INVITE"),
					       STAND_RESPONSE("200", "UDP", "INVITE"),
					       STAND_RESPONSE("486", "UDP", "INVITE")};
	(void)state;

	for (unsigned i = 0; i < 3; i++) {
		struct stand stand;
		char bytes[1024];
		struct writer w = writer_into(bytes, sizeof bytes);
		struct flow flow;

		stand_set_up(&stand);
		stand.peer_is_silent = true;
		flow = stand_flow(&stand, TRANSPORT_UDP);
		writer_text(&w, "INVITE sip:330@192.0.2.9:5090 SIP/2.0\r\n");
		sip_transport_write_via(stand.transport, &w, &flow, STR(STAND_BRANCH));
		writer_text(&w, "Max-Forwards: 70\r\nFrom: <sip:510@example.com>;tag=us\r\n"
				"To: <sip:330@example.com>\r\nCall-ID: call-1\r\nCSeq: 7 INVITE\r\n"
				"Contact: <sip:510@192.0.2.1>\r\nContent-Length: 0\r\n\r\n");
		assert_non_null(sip_client_start(
		    stand.transactions,
		    &(struct sip_client_request){
			.method = SIP_INVITE, .branch = STR(STAND_BRANCH), .flow = flow, .bytes = writer_result(&w)},
		    &forgetful_handlers, &stand));
		stand_peer_sends(&stand, "%s", statuses[i]);
		stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
		stand_run(&stand, 32000);
		stand_expect(&stand, i == 0   ? "0 user: 180, forgets\n"
				     : i == 1 ? "0 user: 200, forgets\n0 stray 486\n"
					      : "0 user: 486, forgets\n");
		stand_tear_down(&stand);
	}
}

static void a_refusal_is_acknowledged_as_often_as_it_comes(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_expect_last(&stand, "ACK sip:330@192.0.2.9:5090 SIP/2.0\n"
				  "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=" STAND_BRANCH "\n"
				  "Route: <sip:192.0.2.9:5090;lr>, <sip:second.example.com;lr>\n"
				  "Route: <sip:third.example.com;lr>\n"
				  "Max-Forwards: 70\n"
				  "From: <sip:510@example.com>;tag=us\n"
				  "To: <sip:330@example.com>;tag=them\n"
				  "Call-ID: call-1\n"
				  "CSeq: 7 ACK\n"
				  "Content-Length: 0\n\n");
	stand_run(&stand, 500); // the ACK was lost
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 31499);
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 1); // timer D
	stand_assert_no_transactions(&stand);
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_expect(&stand, "0 peer < INVITE\n"
			     "0 user: 486\n"
			     "0 peer < ACK\n"
			     "500 peer < ACK\n"
			     "31999 peer < ACK\n"
			     "32000 stray 486\n");
	stand_tear_down(&stand);
}

static void over_tcp_nothing_is_repeated_and_a_refusal_ends_it_at_once(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_TCP);
	stand_run(&stand, 20000);
	stand_peer_writes(&stand, STAND_RESPONSE("486", "TCP", "INVITE"));
	stand_assert_no_transactions(&stand);
	stand_expect(&stand, "0 peer: connection accepted\n"
			     "0 peer < INVITE\n"
			     "20000 user: 486\n"
			     "20000 peer < ACK\n");
	stand_start(&stand, SIP_INVITE, TRANSPORT_TCP);
	stand_run(&stand, 40000);
	stand_expect(&stand, "20000 peer < INVITE\n"
			     "52000 user: failed 408\n");
	stand_tear_down(&stand);
}

// ---- others

static void another_request_is_repeated_up_to_every_4_s_and_fails_after_32_s(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_OPTIONS, TRANSPORT_UDP);
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 peer < OPTIONS\n"
			     "500 peer < OPTIONS\n"
			     "1500 peer < OPTIONS\n"
			     "3500 peer < OPTIONS\n"
			     "7500 peer < OPTIONS\n"
			     "11500 peer < OPTIONS\n"
			     "15500 peer < OPTIONS\n"
			     "19500 peer < OPTIONS\n"
			     "23500 peer < OPTIONS\n"
			     "27500 peer < OPTIONS\n"
			     "31500 peer < OPTIONS\n"
			     "32000 user: failed 408\n");
	stand_tear_down(&stand);
}

static void a_provisional_response_only_slows_the_repeating(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_OPTIONS, TRANSPORT_UDP);
	stand_run(&stand, 600);
	stand_peer_sends(&stand, STAND_RESPONSE("100", "UDP", "OPTIONS"));
	stand_run(&stand, 12000);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "OPTIONS"));
	stand_expect(&stand, "0 peer < OPTIONS\n"
			     "500 peer < OPTIONS\n"
			     "600 user: 100\n"
			     "1500 peer < OPTIONS\n"
			     "5500 peer < OPTIONS\n"
			     "9500 peer < OPTIONS\n"
			     "12600 user: 200\n");
	assert_int_equal(sip_transactions_count(stand.transactions).kept_bytes, 0);
	stand_run(&stand, 4999);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "OPTIONS"));
	stand_run(&stand, 1); // timer K
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "OPTIONS"));
	stand_expect(&stand, "17600 stray 200\n");

	stand_restart(&stand);
	stand_start(&stand, SIP_OPTIONS, TRANSPORT_UDP);
	stand.peer_is_silent = true;
	stand_peer_sends(&stand, STAND_RESPONSE("100", "UDP", "OPTIONS"));
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 peer < OPTIONS\n0 user: 100\n32000 user: failed 408\n");
	stand_tear_down(&stand);
}

static void over_tcp_another_request_ends_with_its_answer(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_OPTIONS, TRANSPORT_TCP);
	stand_run(&stand, 5000);
	stand_peer_writes(&stand, STAND_RESPONSE("404", "TCP", "OPTIONS"));
	stand_assert_no_transactions(&stand);
	stand_expect(&stand, "0 peer: connection accepted\n0 peer < OPTIONS\n5000 user: 404\n");
	stand_tear_down(&stand);
}

// ---- matching

static void a_response_must_match_branch_and_method(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "OPTIONS"));
	stand_peer_sends(&stand, "SIP/2.0 200 OK\n"
				 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=" STAND_BRANCH "x\n"
				 "From: <sip:510@example.com>;tag=us\nTo: <sip:330@example.com>;tag=them\n"
				 "Call-ID: call-1\nCSeq: 7 INVITE\nContent-Length: 0\n\n");
	stand_peer_sends(&stand, "SIP/2.0 200 OK\n"
				 "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=" STAND_BRANCH "\n" // not for us at all
				 "From: <sip:510@example.com>;tag=us\nTo: <sip:330@example.com>;tag=them\n"
				 "Call-ID: call-1\nCSeq: 7 INVITE\nContent-Length: 0\n\n");
	stand_expect(&stand, "0 peer < INVITE\n0 stray 200\n0 stray 200\n");
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	sip_client_forget(transaction);
	stand_expect(&stand, "0 user: 200\n");
	stand_tear_down(&stand);
}

static void branches_are_new_each_time(void **state)
{
	struct loop *loop = sim_create(1);
	char a[SIP_BRANCH_SIZE + 1], b[SIP_BRANCH_SIZE + 1];
	(void)state;

	sip_branch_new(loop, a);
	sip_branch_new(loop, b);
	assert_memory_equal(a, "z9hG4bK", 7);
	assert_int_equal(strlen(a), SIP_BRANCH_SIZE);
	assert_string_not_equal(a, b);
	loop_destroy(loop);
}

// ---- what cannot be sent

static void a_sending_error_is_told_at_the_next_turn(void **state)
{
	struct stand stand;
	struct flow flow;
	(void)state;

	stand_set_up(&stand);
	flow = stand_flow(&stand, TRANSPORT_UDP);
	flow.listener = 3; // there is none
	assert_non_null(stand_start_padded(&stand, SIP_INVITE, flow, 1));
	stand_expect(&stand, "");
	stand_run(&stand, 2);
	stand_expect(&stand, "1 user: failed 503\n");
	stand_tear_down(&stand);
}

static enum sim_fate refuse(void *context, const struct sim_packet *packet)
{
	(void)context;
	(void)packet;
	return SIM_REFUSED;
}

static void a_datagram_that_the_kernel_refuses_fails_at_the_next_turn(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	sim_filter(stand.loop, refuse, NULL);
	assert_non_null(stand_start_padded(&stand, SIP_INVITE, stand_flow(&stand, TRANSPORT_UDP), 1));
	stand_expect(&stand, "");
	stand_run(&stand, 2);
	stand_expect(&stand, "1 user: failed 503\n");
	stand_tear_down(&stand);
}

static enum sim_fate refuse_ack(void *context, const struct sim_packet *packet)
{
	(void)context;
	return str_starts(packet->bytes, STR("ACK ")) ? SIM_REFUSED : SIM_DELIVERED;
}

static void a_repetition_that_is_refused_fails_and_one_after_a_response_is_nothing(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_run(&stand, 100);
	sim_filter(stand.loop, refuse, NULL);
	stand_run(&stand, 500);
	stand_expect(&stand, "0 peer < INVITE\n501 user: failed 503\n");
	sim_filter(stand.loop, refuse_ack, NULL);
	stand_restart(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 40000); // the ACK, of which nobody needs to know
	stand_expect(&stand, "0 peer < INVITE\n0 user: 486\n");
	stand_tear_down(&stand);
}

static void who_forgets_a_request_is_not_told_that_it_was_refused(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	sim_filter(stand.loop, refuse, NULL);
	transaction = stand_start_padded(&stand, SIP_OPTIONS, stand_flow(&stand, TRANSPORT_UDP), 1);
	sip_client_forget(transaction);
	stand_run(&stand, 40000);
	stand_expect(&stand, "");
	stand_tear_down(&stand);
}

static void a_refused_connection_fails_in_milliseconds(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	tcp_listener_close(stand.peer_listener);
	stand.peer_listener = NULL;
	stand_start(&stand, SIP_INVITE, TRANSPORT_TCP);
	stand_run(&stand, 10);
	stand_expect(&stand, "0 user: failed 503\n0 flow lost\n");
	stand_tear_down(&stand);
}

static void a_connection_lost_before_any_response_fails_the_request(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_TCP);
	stand_run(&stand, 100);
	sim_reset_connections(stand.loop, &stand.peer);
	stand_run(&stand, 1);
	stand_expect(&stand, "0 peer: connection accepted\n"
			     "0 peer < INVITE\n"
			     "100 user: failed 503\n"
			     "100 flow lost\n"
			     "100 peer: connection broke\n");
	stand_tear_down(&stand);
}

static void a_ringing_invite_outlives_its_connection(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_TCP);
	stand_peer_writes(&stand, STAND_RESPONSE("180", "TCP", "INVITE"));
	sim_reset_connections(stand.loop, &stand.peer);
	stand_run(&stand, 1);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, STAND_RESPONSE("200", "TCP", "INVITE"));
	stand_expect(&stand, "0 peer: connection accepted\n"
			     "0 peer < INVITE\n"
			     "0 user: 180\n"
			     "0 flow lost\n"
			     "0 peer: connection broke\n"
			     "0 user: 200\n");
	sip_client_forget(transaction);
	stand_tear_down(&stand);
}

// ---- memory

static void without_memory_nothing_is_started_and_nothing_leaks(void **state)
{
	(void)state;

	for (unsigned n = 1;; n++) {
		struct stand stand;
		struct flow nowhere; // the simulated network wants memory for what is sent
		bool started, failed;

		stand_set_up(&stand);
		nowhere = stand_flow(&stand, TRANSPORT_UDP);
		nowhere.listener = 3;
		failing_allocator_arm(n);
		started = stand_start_padded(&stand, SIP_INVITE, nowhere, 1) != NULL;
		failed = failing_allocator_disarm();
		assert_int_equal(started, !failed);
		stand_run(&stand, 2);
		stand_expect(&stand, started ? "1 user: failed 503\n" : "");
		stand_tear_down(&stand);
		if (!failed)
			break;
	}
}

static void destroying_the_table_ends_all_and_calls_nobody(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_start(&stand, SIP_OPTIONS, TRANSPORT_TCP);
	sip_transactions_destroy(stand.transactions);
	stand.transactions = sip_transactions_create(stand.loop, stand.transport);
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 peer < INVITE\n0 peer: connection accepted\n0 peer < OPTIONS\n");
	stand_tear_down(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_invite_is_repeated_with_doubling_gaps_and_fails_after_32_s),
	    cmocka_unit_test(a_provisional_response_stops_the_repeating_for_good),
	    cmocka_unit_test(every_2xx_reaches_the_user_for_64_t1),
	    cmocka_unit_test(forgetting_an_answered_invite_ends_it_at_once),
	    cmocka_unit_test(the_user_may_forget_from_within_its_handler),
	    cmocka_unit_test(a_refusal_is_acknowledged_as_often_as_it_comes),
	    cmocka_unit_test(over_tcp_nothing_is_repeated_and_a_refusal_ends_it_at_once),
	    cmocka_unit_test(another_request_is_repeated_up_to_every_4_s_and_fails_after_32_s),
	    cmocka_unit_test(a_provisional_response_only_slows_the_repeating),
	    cmocka_unit_test(over_tcp_another_request_ends_with_its_answer),
	    cmocka_unit_test(a_response_must_match_branch_and_method),
	    cmocka_unit_test(branches_are_new_each_time),
	    cmocka_unit_test(a_sending_error_is_told_at_the_next_turn),
	    cmocka_unit_test(a_datagram_that_the_kernel_refuses_fails_at_the_next_turn),
	    cmocka_unit_test(a_repetition_that_is_refused_fails_and_one_after_a_response_is_nothing),
	    cmocka_unit_test(who_forgets_a_request_is_not_told_that_it_was_refused),
	    cmocka_unit_test(a_refused_connection_fails_in_milliseconds),
	    cmocka_unit_test(a_connection_lost_before_any_response_fails_the_request),
	    cmocka_unit_test(a_ringing_invite_outlives_its_connection),
	    cmocka_unit_test(without_memory_nothing_is_started_and_nothing_leaks),
	    cmocka_unit_test(destroying_the_table_ends_all_and_calls_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
