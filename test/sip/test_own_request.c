// What goes with a request of ours: its CANCEL, before and after a provisional response, and the move to TCP for its size.
#include "sip/stand.h"

#include <string.h>

// ---- CANCEL

static void cancel_goes_out_at_once_when_the_invite_rings(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	sip_client_cancel(transaction, STR("SIP;cause=200;text=\"Call completed elsewhere\""));
	sip_client_cancel(transaction, STR("SIP;cause=600"));
	stand_run(&stand, 100);
	stand_expect_last(&stand, "CANCEL sip:330@192.0.2.9:5090 SIP/2.0\n"
				  "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=" STAND_BRANCH "\n"
				  "Route: <sip:192.0.2.9:5090;lr>, <sip:second.example.com;lr>\n"
				  "Route: <sip:third.example.com;lr>\n"
				  "Max-Forwards: 70\n"
				  "From: <sip:510@example.com>;tag=us\n"
				  "To: <sip:330@example.com>\n"
				  "Call-ID: call-1\n"
				  "CSeq: 7 CANCEL\n"
				  "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n"
				  "Content-Length: 0\n\n");
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "CANCEL"));
	stand_peer_sends(&stand, STAND_RESPONSE("487", "UDP", "INVITE"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 peer < INVITE\n"
			     "0 user: 180\n"
			     "0 peer < CANCEL\n"
			     "100 user: 487\n"
			     "100 peer < ACK\n");
	stand_tear_down(&stand);
}

static void cancel_waits_for_the_first_provisional_response(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	sip_client_cancel(transaction, STR("SIP;cause=200"));
	stand_run(&stand, 700);
	stand_peer_sends(&stand, STAND_RESPONSE("100", "UDP", "INVITE"));
	stand_expect(&stand, "0 peer < INVITE\n"
			     "500 peer < INVITE\n"
			     "700 user: 100\n"
			     "700 peer < CANCEL\n");
	assert_non_null(strstr(stand.last, "\r\nReason: SIP;cause=200\r\n"));
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "CANCEL"));
	stand_peer_sends(&stand, STAND_RESPONSE("487", "UDP", "INVITE"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "700 user: 180\n"
			     "700 user: 487\n"
			     "700 peer < ACK\n");
	stand_tear_down(&stand);
}

static void a_held_cancel_is_dropped_when_a_final_response_comes_first(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	sip_client_cancel(transaction, STR_NONE);
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 peer < INVITE\n0 user: 486\n0 peer < ACK\n");

	stand_restart(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	sip_client_cancel(transaction, STR("SIP;cause=200"));
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 peer < INVITE\n0 user: 200\n32000 user: ended\n");
	stand_tear_down(&stand);
}

static void a_held_cancel_does_not_keep_an_unanswered_invite_alive(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	stand.peer_is_silent = true;
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_run(&stand, 10000);
	sip_client_cancel(transaction, STR("SIP;cause=200"));
	stand_run(&stand, 30000);
	stand_expect(&stand, "32000 user: failed 408\n");
	stand_tear_down(&stand);
}

static void a_200_that_crosses_the_cancel_reaches_the_user(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	sip_client_cancel(transaction, STR_NONE);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "INVITE"));
	stand_peer_sends(&stand, STAND_RESPONSE("481", "UDP", "CANCEL"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 peer < INVITE\n"
			     "0 user: 180\n"
			     "0 peer < CANCEL\n"
			     "0 user: 200\n"
			     "32000 user: ended\n");
	stand_tear_down(&stand);
}

static void a_cancelled_invite_is_waited_for_64_t1_and_no_longer(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	stand_run(&stand, 1000);
	sip_client_cancel(transaction, STR_NONE);
	stand_run(&stand, 0);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "CANCEL"));
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 peer < INVITE\n"
			     "0 user: 180\n"
			     "1000 peer < CANCEL\n"
			     "1000 user: 180\n"
			     "33000 user: failed 408\n");
	stand_tear_down(&stand);
}

static void an_unanswered_cancel_is_repeated_like_any_request(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start(&stand, SIP_INVITE, TRANSPORT_UDP);
	stand_peer_sends(&stand, STAND_RESPONSE("180", "UDP", "INVITE"));
	sip_client_cancel(transaction, STR_NONE);
	stand_run(&stand, 4000);
	stand_peer_sends(&stand, STAND_RESPONSE("487", "UDP", "INVITE"));
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 peer < INVITE\n"
			     "0 user: 180\n"
			     "0 peer < CANCEL\n"
			     "500 peer < CANCEL\n"
			     "1500 peer < CANCEL\n"
			     "3500 peer < CANCEL\n"
			     "4000 user: 487\n"
			     "4000 peer < ACK\n"
			     "7500 peer < CANCEL\n"
			     "11500 peer < CANCEL\n"
			     "15500 peer < CANCEL\n"
			     "19500 peer < CANCEL\n"
			     "23500 peer < CANCEL\n"
			     "27500 peer < CANCEL\n"
			     "31500 peer < CANCEL\n");
	stand_tear_down(&stand);
}

// ---- the size switch

static void a_large_request_goes_by_tcp_with_its_via_rewritten(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start_padded(&stand, SIP_INVITE, stand_flow(&stand, TRANSPORT_UDP), 1400);
	stand_run(&stand, 1000);
	stand_expect(&stand, "0 peer: connection accepted\n0 peer < INVITE\n");
	assert_non_null(
	    strstr(stand.last, "\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;rport;branch=" STAND_BRANCH "\r\nRoute: "));
	assert_int_equal(sip_client_flow(transaction)->transport, TRANSPORT_TCP);
	stand_peer_writes(&stand, STAND_RESPONSE("603", "TCP", "INVITE"));
	stand_expect(&stand, "1000 user: 603\n"
			     "1000 peer < ACK\n");
	assert_non_null(strstr(stand.last, "\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;rport;branch=" STAND_BRANCH "\r\n"));
	stand_tear_down(&stand);
}

static void a_large_request_goes_by_udp_when_tcp_is_refused(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	tcp_listener_close(stand.peer_listener);
	stand.peer_listener = NULL;
	assert_non_null(stand_start_padded(&stand, SIP_INVITE, stand_flow(&stand, TRANSPORT_UDP), 1400));
	stand_run(&stand, 600);
	stand_expect(&stand, "0 flow lost\n0 peer < INVITE\n500 peer < INVITE\n");
	assert_non_null(
	    strstr(stand.last, "\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=" STAND_BRANCH "\r\nRoute: "));
	stand_peer_sends(&stand, STAND_RESPONSE("486", "UDP", "INVITE"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "600 user: 486\n"
			     "600 peer < ACK\n");
	stand_tear_down(&stand);
}

static void a_large_request_goes_by_udp_when_tcp_is_not_answered(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	sim_host_down(stand.loop, &stand.peer);
	transaction = stand_start_padded(&stand, SIP_INVITE, stand_flow(&stand, TRANSPORT_UDP), 1400);
	stand_run(&stand, 4900);
	sim_host_up(stand.loop, &stand.peer);
	assert_int_equal(sip_client_flow(transaction)->transport, TRANSPORT_TCP);
	sip_client_forget(transaction);
	stand.peer_is_silent = true;
	stand_run(&stand, 40000);
	stand_assert_no_transactions(&stand);
	stand_tear_down(&stand);
}

static void a_small_request_stays_on_udp(void **state)
{
	struct stand stand;
	struct sip_client_transaction *transaction;
	(void)state;

	stand_set_up(&stand);
	transaction = stand_start_padded(&stand, SIP_OPTIONS, stand_flow(&stand, TRANSPORT_UDP), 800);
	assert_int_equal(sip_client_flow(transaction)->transport, TRANSPORT_UDP);
	stand_run(&stand, 0);
	stand_peer_sends(&stand, STAND_RESPONSE("200", "UDP", "OPTIONS"));
	stand_run(&stand, 5000);
	stand_expect(&stand, "0 peer < OPTIONS\n0 user: 200\n");
	stand_tear_down(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cancel_goes_out_at_once_when_the_invite_rings),
	    cmocka_unit_test(cancel_waits_for_the_first_provisional_response),
	    cmocka_unit_test(a_held_cancel_is_dropped_when_a_final_response_comes_first),
	    cmocka_unit_test(a_held_cancel_does_not_keep_an_unanswered_invite_alive),
	    cmocka_unit_test(a_200_that_crosses_the_cancel_reaches_the_user),
	    cmocka_unit_test(a_cancelled_invite_is_waited_for_64_t1_and_no_longer),
	    cmocka_unit_test(an_unanswered_cancel_is_repeated_like_any_request),
	    cmocka_unit_test(a_large_request_goes_by_tcp_with_its_via_rewritten),
	    cmocka_unit_test(a_large_request_goes_by_udp_when_tcp_is_refused),
	    cmocka_unit_test(a_large_request_goes_by_udp_when_tcp_is_not_answered),
	    cmocka_unit_test(a_small_request_stays_on_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
