// Server transactions, machine by machine: which requests find which transaction, when a response is sent again, what ends
// it.
#include "lib/failing_allocator.h"
#include "sip/stand.h"
#include "sip/transaction_private.h"

#include <errno.h>
#include <string.h>

// ---- INVITE

static void an_invite_is_answered_100_after_200_ms(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, "INVITE sip:510@192.0.2.1 SIP/2.0\n"
				 "Via: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\n"
				 "Record-Route: <sip:192.0.2.9:5090;lr>\n"
				 "From: <sip:330@example.com>;tag=them\n"
				 "To: <sip:510@example.com>\n"
				 "Call-ID: call-2\n"
				 "CSeq: 1 INVITE\n"
				 "Timestamp: 54.1\n"
				 "Contact: <sip:330@192.0.2.9:5090>\n"
				 "Content-Length: 0\n\n");
	stand_run(&stand, 300);
	stand_expect(&stand, "0 new INVITE\n200 peer < 100 INVITE\n");
	stand_expect_last(&stand, "SIP/2.0 100 Trying\n"
				  "Via: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\n"
				  "From: <sip:330@example.com>;tag=them\n"
				  "Call-ID: call-2\n"
				  "CSeq: 1 INVITE\n"
				  "To: <sip:510@example.com>\n"
				  "Timestamp: 54.1 0.200\n"
				  "Content-Length: 0\n\n");
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 180);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_run(&stand, 100000);
	stand_expect(&stand, "300 peer < 100 INVITE\n300 peer < 180 INVITE\n300 peer < 180 INVITE\n");
	stand_respond(&stand, 486);
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_run(&stand, 5000);
	stand_expect(&stand, "100300 peer < 486 INVITE\n100300 user: ended\n");
	stand_tear_down(&stand);
}

static void no_100_when_the_user_was_quicker(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_run(&stand, 199);
	stand_respond(&stand, 180);
	stand_run(&stand, 1000);
	stand_expect(&stand, "0 new INVITE\n199 peer < 180 INVITE\n");
	stand_respond(&stand, 200);
	stand_run(&stand, 32000);
	stand_expect(&stand, "1199 peer < 200 INVITE\n33199 user: ended\n");
	stand_tear_down(&stand);
}

static void a_refusal_is_repeated_until_32_s_without_an_ack(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 486);
	stand_run(&stand, 1700);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 new INVITE\n"
			     "0 peer < 486 INVITE\n"
			     "500 peer < 486 INVITE\n"
			     "1500 peer < 486 INVITE\n"
			     "1700 peer < 486 INVITE\n"
			     "3500 peer < 486 INVITE\n"
			     "7500 peer < 486 INVITE\n"
			     "11500 peer < 486 INVITE\n"
			     "15500 peer < 486 INVITE\n"
			     "19500 peer < 486 INVITE\n"
			     "23500 peer < 486 INVITE\n"
			     "27500 peer < 486 INVITE\n"
			     "31500 peer < 486 INVITE\n"
			     "32000 user: ended\n");
	assert_int_equal(sip_transactions_count(stand.transactions).timeouts, 1);
	stand_tear_down(&stand);
}

static void the_ack_of_a_refusal_ends_it_and_more_of_them_are_absorbed(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 603);
	stand_run(&stand, 600);
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_run(&stand, 4999);
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_run(&stand, 1); // timer I
	stand_assert_no_transactions(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_expect(&stand, "0 new INVITE\n"
			     "0 peer < 603 INVITE\n"
			     "500 peer < 603 INVITE\n"
			     "600 user: ended\n"
			     "5600 new ACK\n");
	stand_tear_down(&stand);
}

static void after_a_2xx_repeated_invites_are_absorbed_and_acks_belong_to_the_dialog(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 200);
	stand_run(&stand, 500);
	sip_server_repeat(stand.server);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_run(&stand, 31499);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_run(&stand, 1); // timer L
	stand_expect(&stand, "0 new INVITE\n"
			     "0 peer < 200 INVITE\n"
			     "500 peer < 200 INVITE\n"
			     "500 new ACK\n"
			     "500 new ACK\n"
			     "32000 user: ended\n");
	stand_tear_down(&stand);
}

static void a_forgotten_2xx_is_not_kept(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 200);
	assert_int_equal(sip_transactions_count(stand.transactions).kept_bytes,
			 stand.last_size + strlen(STAND_PEER_BRANCH " 192.0.2.9:5090"));
	sip_server_forget(stand.server);
	assert_in_range(sip_transactions_count(stand.transactions).kept_bytes,
			strlen(STAND_PEER_BRANCH " 192.0.2.9:5090"), 200);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_run(&stand, 31999);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_run(&stand, 1);
	stand_assert_no_transactions(&stand);
	stand_expect(&stand, "0 new INVITE\n0 peer < 200 INVITE\n0 new ACK\n0 peer < 200 CANCEL\n");
	stand_tear_down(&stand);
}

static void over_tcp_a_refusal_is_sent_once_and_its_ack_awaited(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, STAND_REQUEST_TCP("INVITE"));
	stand_respond(&stand, 486);
	stand_run(&stand, 10000);
	stand_peer_writes(&stand, STAND_REQUEST_TCP("ACK"));
	stand_assert_no_transactions(&stand);
	stand_expect(&stand, "0 new INVITE\n0 peer < 486 INVITE\n10000 user: ended\n");
	stand_peer_writes(&stand, STAND_REQUEST_TCP("INVITE"));
	stand_respond(&stand, 486);
	stand_run(&stand, 32000);
	stand_expect(&stand, "10000 new INVITE\n10000 peer < 486 INVITE\n42000 user: ended\n");
	stand_tear_down(&stand);
}

// ---- others

static void another_request_is_answered_again_for_32_s(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	stand_run(&stand, 1000);
	stand_respond(&stand, 182);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	stand_respond(&stand, 200);
	stand_run(&stand, 31999);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	stand_run(&stand, 1); // timer J
	stand_assert_no_transactions(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	sip_server_forget(stand.server);
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 new OPTIONS\n"
			     "1000 peer < 182 OPTIONS\n"
			     "1000 peer < 182 OPTIONS\n"
			     "1000 peer < 200 OPTIONS\n"
			     "32999 peer < 200 OPTIONS\n"
			     "33000 user: ended\n"
			     "33000 new OPTIONS\n"
			     "33000 peer < 500 OPTIONS\n");
	stand_tear_down(&stand);
}

static void over_tcp_another_request_ends_with_the_next_turn(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, STAND_REQUEST_TCP("OPTIONS"));
	assert_int_equal(sip_server_respond(stand.server, &(struct sip_response){.status = 200}), 0);
	stand_expect(&stand, "0 new OPTIONS\n");
	stand_run(&stand, 0);
	stand_assert_no_transactions(&stand);
	stand_expect(&stand, "0 user: ended\n0 peer < 200 OPTIONS\n");
	stand_tear_down(&stand);
}

// ---- CANCEL

static void a_cancel_gets_its_200_and_the_user_hears_of_it_once(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 180);
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_expect_last(&stand, "SIP/2.0 200 OK\n"
				  "Via: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\n"
				  "From: <sip:330@example.com>;tag=them\n"
				  "Call-ID: call-2\n"
				  "CSeq: 1 CANCEL\n"
				  "To: <sip:510@example.com>;tag=us\n"
				  "Content-Length: 0\n\n");
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_respond(&stand, 487);
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_run(&stand, 5000);
	stand_expect(&stand, "0 new INVITE\n"
			     "0 peer < 180 INVITE\n"
			     "0 user: cancelled\n"
			     "0 peer < 200 CANCEL\n"
			     "0 peer < 200 CANCEL\n"
			     "0 peer < 487 INVITE\n"
			     "0 peer < 200 CANCEL\n"
			     "0 user: ended\n");
	stand_tear_down(&stand);
}

static void a_cancel_after_the_answer_changes_nothing(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 200);
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 new INVITE\n0 peer < 200 INVITE\n0 peer < 200 CANCEL\n32000 user: ended\n");
	stand_tear_down(&stand);
}

static void a_cancel_of_another_request_has_no_effect_but_a_200(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_respond(&stand, 200);
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 new OPTIONS\n0 peer < 200 CANCEL\n0 peer < 200 OPTIONS\n32000 user: ended\n");
	stand_tear_down(&stand);
}

static void a_cancel_of_nothing_is_new(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	stand_expect(&stand, "0 new CANCEL\n");
	stand_tear_down(&stand);
}

// ---- matching

static void branch_sent_by_and_method_tell_requests_apart(void **state)
{
	struct stand stand;
	struct sip_server_transaction *servers[4];
	static const char *const requests[] = {
	    STAND_REQUEST("OPTIONS"), STAND_REQUEST("INFO"),
	    STAND_REQUEST_VIA("UDP 192.0.2.9:5091;branch=" STAND_PEER_BRANCH, "OPTIONS"),
	    STAND_REQUEST_VIA("UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "x", "OPTIONS")};
	(void)state;

	stand_set_up_server(&stand);
	for (unsigned i = 0; i < 4; i++) {
		stand_peer_sends(&stand, "%s", requests[i]);
		servers[i] = stand.server;
	}
	for (unsigned i = 0; i < 4; i++)
		stand_peer_sends(&stand, "%s", requests[i]);
	stand_expect(&stand, "0 new OPTIONS\n0 new INFO\n0 new OPTIONS\n0 new OPTIONS\n");
	stand.peer_is_silent = true;
	for (unsigned i = 0; i < 4; i++)
		sip_server_forget(servers[i]);
	stand_run(&stand, 32000);
	stand_tear_down(&stand);
}

static void peers_of_rfc_2543_are_told_apart_without_a_branch(void **state)
{
	static const char *const vias[] = {"UDP 192.0.2.9:5090", "UDP 192.0.2.9:5090;branch=1"};
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		struct stand stand;

		stand_set_up_server(&stand);
		for (unsigned n = 0; n < 2; n++)
			stand_peer_sends(&stand,
					 "INVITE sip:510@192.0.2.1 SIP/2.0\nVia: SIP/2.0/%s\n"
					 "From: <sip:330@example.com>;tag=them\nTo: <sip:510@example.com>\n"
					 "Call-ID: call-2\nCSeq: 1 INVITE\nContact: <sip:330@192.0.2.9:5090>\n"
					 "Content-Length: 0\n\n",
					 vias[i]);
		stand_expect(&stand, "0 new INVITE\n");
		stand_respond(&stand, 486);
		stand_peer_sends(&stand,
				 "ACK sip:510@192.0.2.1 SIP/2.0\nVia: SIP/2.0/%s\n"
				 "From: <sip:330@example.com>;tag=them\nTo: <sip:510@example.com>;tag=us\n"
				 "Call-ID: call-2\nCSeq: 1 ACK\nContent-Length: 0\n\n",
				 vias[i]);
		stand_expect(&stand, "0 peer < 486 INVITE\n0 user: ended\n");
		stand_peer_sends(&stand,
				 "INVITE sip:510@192.0.2.1 SIP/2.0\nVia: SIP/2.0/%s\n"
				 "From: <sip:330@example.com>;tag=them\nTo: <sip:510@example.com>\n"
				 "Call-ID: call-2\nCSeq: 2 INVITE\nContact: <sip:330@192.0.2.9:5090>\n"
				 "Content-Length: 0\n\n",
				 vias[i]);
		stand_expect(&stand, "0 new INVITE\n");
		sip_server_forget(stand.server);
		stand_run(&stand, 32000);
		stand_tear_down(&stand);
	}
}

static void only_one_final_response_is_sent(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 486);
	assert_int_equal(sip_server_respond(stand.server, &(struct sip_response){.status = 200}), -EALREADY);
	assert_int_equal(sip_server_respond(stand.server, &(struct sip_response){.status = 180}), -EALREADY);
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_run(&stand, 5000);
	stand_expect(&stand, "0 new INVITE\n0 peer < 486 INVITE\n0 user: ended\n");
	stand_tear_down(&stand);
}

static void start_if_there_is_room(struct stand *stand, const struct flow *from, const struct sip_message *request)
{
	stand->server = sip_server_start(stand->transactions, from, request, NULL, NULL);
	stand_note(stand, stand->server ? "taken" : "no room");
}

struct counted {
	unsigned datagrams;
	struct net_address from;
};

static void count_datagram(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct counted *counted = context;

	assert_memory_equal(bytes, "SIP/2.0 200 OK\r\n", 16);
	assert_true(size > 16);
	counted->datagrams++;
	counted->from = *from;
}

static void over_ipv6_a_repetition_is_answered_as_well(void **state)
{
	struct net_address ours = stand_address("[2001:db8::1]:5060"), theirs = stand_address("[2001:db8::9]:5090");
	struct str options =
	    STR("OPTIONS sip:510@[2001:db8::1] SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::9]:5090;branch=" STAND_PEER_BRANCH "\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:330@example.com>;tag=them\r\n"
		"To: <sip:510@example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
	struct counted counted = {.datagrams = 0};
	struct udp_socket *peer;
	struct stand stand;
	(void)state;

	stand_set_up_with(&stand, (struct sip_transport_settings){.udp = {{0}, ours}});
	stand.on_request = start_if_there_is_room;
	assert_int_equal(udp_open(stand.loop, &theirs, count_datagram, &counted, &peer), 0);
	assert_int_equal(udp_send(peer, &ours, options, NULL), 0);
	stand_run(&stand, 10);
	stand_respond(&stand, 200);
	for (unsigned answers = 1; answers <= 3; answers++) {
		stand_run(&stand, 10);
		assert_int_equal(counted.datagrams, answers);
		assert_true(net_address_equal(&counted.from, &ours));
		assert_int_equal(udp_send(peer, &ours, options, NULL), 0);
	}
	stand_run(&stand, 32000);
	udp_close(peer);
	stand_tear_down(&stand);
}

// ---- memory

static void without_memory_nothing_is_started_and_nothing_leaks(void **state)
{
	(void)state;

	for (unsigned n = 1;; n++) {
		struct stand stand;
		struct sip_message request;
		struct sip_fault fault;
		char bytes[] =
		    "OPTIONS sip:510@192.0.2.1 SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\r\n"
		    "Max-Forwards: 70\r\nFrom: <sip:330@example.com>;tag=them\r\n"
		    "To: <sip:510@example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
		struct flow from;
		bool failed;

		stand_set_up(&stand);
		from = stand_flow(&stand, TRANSPORT_UDP);
		from.listener = 3; // the simulated network wants memory for what is sent
		assert_true(sip_message_parse(bytes, sizeof bytes - 1, SIP_DATAGRAM, &request, &fault));
		failing_allocator_arm(n);
		stand.server = sip_server_start(stand.transactions, &from, &request, NULL, NULL);
		if (stand.server)
			sip_server_forget(stand.server);
		failed = failing_allocator_disarm();
		stand_run(&stand, 32000);
		stand_tear_down(&stand);
		if (!failed)
			break;
	}
}

static void destroying_the_table_ends_all_and_calls_nobody(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 486);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	sip_transactions_destroy(stand.transactions);
	stand.transactions = sip_transactions_create(stand.loop, stand.transport);
	stand_run(&stand, 40000);
	stand_expect(&stand, "0 new INVITE\n0 peer < 486 INVITE\n0 new OPTIONS\n");
	stand_tear_down(&stand);
}

static void options_with(struct stand *stand, unsigned branch)
{
	stand_peer_sends(stand,
			 "OPTIONS sip:510@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5090;branch=z9hG4bK%u\n"
			 "From: <sip:330@example.com>;tag=them\nTo: <sip:510@example.com>\nCall-ID: call-%u\n"
			 "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
			 branch, branch);
}

// Repetitions of the last two get their answer again, of the first they are new; and what is not answered is never forgotten.
static void the_longest_answered_makes_room(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand.on_request = start_if_there_is_room;
	stand.transactions->servers_max = 2;
	for (unsigned branch = 1; branch <= 3; branch++) {
		options_with(&stand, branch);
		stand_respond(&stand, 200);
	}
	options_with(&stand, 2);
	options_with(&stand, 3);
	stand_expect(&stand,
		     "0 taken\n0 peer < 200 OPTIONS\n0 taken\n0 peer < 200 OPTIONS\n0 taken\n0 peer < 200 OPTIONS\n"
		     "0 peer < 200 OPTIONS\n0 peer < 200 OPTIONS\n");
	options_with(&stand, 4);
	struct sip_server_transaction *fourth = stand.server;
	options_with(&stand, 5);
	struct sip_server_transaction *fifth = stand.server;
	options_with(&stand, 6);
	stand_expect(&stand, "0 taken\n0 taken\n0 no room\n");
	assert_int_equal(sip_transactions_count(stand.transactions).servers, 2);
	stand.server = fourth;
	stand_respond(&stand, 200);
	stand.server = fifth;
	stand_respond(&stand, 200);
	stand_run(&stand, 40000);
	stand_tear_down(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_answered_makes_room),
	    cmocka_unit_test(an_invite_is_answered_100_after_200_ms),
	    cmocka_unit_test(no_100_when_the_user_was_quicker),
	    cmocka_unit_test(a_refusal_is_repeated_until_32_s_without_an_ack),
	    cmocka_unit_test(the_ack_of_a_refusal_ends_it_and_more_of_them_are_absorbed),
	    cmocka_unit_test(after_a_2xx_repeated_invites_are_absorbed_and_acks_belong_to_the_dialog),
	    cmocka_unit_test(a_forgotten_2xx_is_not_kept),
	    cmocka_unit_test(over_tcp_a_refusal_is_sent_once_and_its_ack_awaited),
	    cmocka_unit_test(another_request_is_answered_again_for_32_s),
	    cmocka_unit_test(over_ipv6_a_repetition_is_answered_as_well),
	    cmocka_unit_test(over_tcp_another_request_ends_with_the_next_turn),
	    cmocka_unit_test(a_cancel_gets_its_200_and_the_user_hears_of_it_once),
	    cmocka_unit_test(a_cancel_after_the_answer_changes_nothing),
	    cmocka_unit_test(a_cancel_of_another_request_has_no_effect_but_a_200),
	    cmocka_unit_test(a_cancel_of_nothing_is_new),
	    cmocka_unit_test(branch_sent_by_and_method_tell_requests_apart),
	    cmocka_unit_test(peers_of_rfc_2543_are_told_apart_without_a_branch),
	    cmocka_unit_test(only_one_final_response_is_sent),
	    cmocka_unit_test(without_memory_nothing_is_started_and_nothing_leaks),
	    cmocka_unit_test(destroying_the_table_ends_all_and_calls_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
