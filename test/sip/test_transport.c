// The transport: where answers go, what the Via says of the sender, framing on streams, keep-alives, and the several ends
// of a connection.
#include "sip/stand.h"

#include <stdio.h>
#include <string.h>

#define OPTIONS_VIA(via)                                                                                               \
	"OPTIONS sip:192.0.2.1 SIP/2.0\n"                                                                              \
	"Via: SIP/2.0/" via "\n"                                                                                       \
	"Max-Forwards: 70\n"                                                                                           \
	"From: <sip:330@example.com>;tag=them\n"                                                                       \
	"To: <sip:192.0.2.1>\n"                                                                                        \
	"Call-ID: call-3\n"                                                                                            \
	"CSeq: 1 OPTIONS\n"
#define OPTIONS_TCP OPTIONS_VIA("TCP 192.0.2.9:5090;branch=z9hG4bK1") "Content-Length: 0\n\n"

static void answer_200(struct stand *stand, const struct flow *from, const struct sip_message *request)
{
	stand_note(stand, "new %s", sip_method_name(request->method));
	sip_respond_stateless(stand->transactions, from, request, &(struct sip_response){.status = 200});
}

// ---- UDP

static void answered_via_is(struct stand *stand, const char *sent, const char *answered)
{
	char line[256];

	stand->last[0] = '\0';
	stand_peer_sends(stand,
			 "OPTIONS sip:192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP %s\nMax-Forwards: 70\n"
			 "From: <sip:330@example.com>;tag=them\nTo: <sip:192.0.2.1>\nCall-ID: call-3\n"
			 "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
			 sent);
	snprintf(line, sizeof line, "\r\nVia: SIP/2.0/UDP %s\r\n", answered);
	if (!strstr(stand->last, line))
		fail_msg("expected%sin\n%s", line, stand->last);
}

static void the_via_says_where_the_request_came_from(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand.on_request = answer_200;
	answered_via_is(&stand, "192.0.2.9:5090;branch=z9hG4bK1", "192.0.2.9:5090;branch=z9hG4bK1");
	answered_via_is(&stand, "192.0.2.9:1;rport;branch=z9hG4bK2",
			"192.0.2.9:1;rport=5090;branch=z9hG4bK2;received=192.0.2.9");
	answered_via_is(&stand, "10.0.0.1:5090;branch=z9hG4bK3", "10.0.0.1:5090;branch=z9hG4bK3;received=192.0.2.9");
	answered_via_is(&stand, "pc.example.com:5090;branch=z9hG4bK4",
			"pc.example.com:5090;branch=z9hG4bK4;received=192.0.2.9");
	answered_via_is(&stand, "10.0.0.1:5090;received=10.0.0.2;rport=99;branch=z9hG4bK5",
			"10.0.0.1:5090;rport=5090;branch=z9hG4bK5;received=192.0.2.9");
	answered_via_is(&stand, "10.0.0.1:5090;maddr=10.0.0.3;branch=z9hG4bK6",
			"10.0.0.1:5090;maddr=10.0.0.3;branch=z9hG4bK6;received=192.0.2.9");
	stand_tear_down(&stand);
}

static void answers_over_udp_go_to_the_vias_port_unless_rport_was_asked_for(void **state)
{
	struct flow from = {.transport = TRANSPORT_UDP, .remote = stand_address("198.51.100.7:40000")}, flow;
	struct sip_via via;
	(void)state;

	assert_true(sip_via_parse(STR("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1"), &via));
	flow = sip_transport_reply_flow(&from, &via);
	assert_int_equal(flow.remote.port, 5070);
	assert_true(net_address_same_host(&flow.remote, &from.remote));
	assert_true(sip_via_parse(STR("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1"), &via));
	flow = sip_transport_reply_flow(&from, &via);
	assert_int_equal(flow.remote.port, 5060);
	assert_true(sip_via_parse(STR("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1"), &via));
	flow = sip_transport_reply_flow(&from, &via);
	assert_true(net_address_equal(&flow.remote, &from.remote));
}

static void what_keeps_a_nat_open_is_no_message(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_peer_sends(&stand, "\n\n");
	stand_peer_sends(&stand, " ");
	assert_int_equal(udp_send(stand.peer_socket, &stand.ours, (struct str){"\0\0\0\0", 4}, NULL), 0);
	assert_int_equal(udp_send(stand.peer_socket, &stand.ours, STR_NONE, NULL), 0);
	stand_run(&stand, 1);
	stand_expect(&stand, "");
	assert_int_equal(sip_transport_count(stand.transport).broken, 0);
	stand_peer_sends(&stand, "\n\n%s", OPTIONS_VIA("UDP 192.0.2.9:5090;branch=z9hG4bK1") "Content-Length: 0\n\n");
	stand_expect(&stand, "1 new OPTIONS\n");
	stand_tear_down(&stand);
}

static void broken_messages_are_counted_and_broken_responses_get_no_answer(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_peer_sends(&stand, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n\n");
	stand_expect(&stand, "");
	stand_peer_sends(&stand, "hello\n\n");
	assert_int_equal(sip_transport_count(stand.transport).broken, 2);
	stand_peer_sends(&stand, OPTIONS_VIA("UDP 192.0.2.9:5090;branch=z9hG4bK1") "Content-Length: 5\n\nabc");
	assert_int_equal(sip_transport_count(stand.transport).broken, 3);
	assert_memory_equal(stand.last, "SIP/2.0 400 ", 12);
	stand_tear_down(&stand);
}

static void a_response_that_is_not_ours_is_dropped(void **state)
{
	static const char *const vias[] = {"192.0.2.2:5060", "192.0.2.1:5061", "sip.example.com"};
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	for (unsigned i = 0; i < 3; i++)
		stand_peer_sends(&stand,
				 "SIP/2.0 200 OK\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\n"
				 "To: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
				 vias[i]);
	stand_expect(&stand, "");
	stand_peer_sends(&stand, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\n"
				 "To: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
	stand_expect(&stand, "0 stray 200\n");
	stand_tear_down(&stand);
}

// ---- streams

static void messages_are_cut_out_of_the_stream_wherever_it_was_cut(void **state)
{
	struct stand stand;
	char text[] = "\n" OPTIONS_VIA("TCP 192.0.2.9:5090;branch=z9hG4bK1") "Content-Length: 3\n\nabc";
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, "%s%s\n%s", OPTIONS_TCP, text, OPTIONS_TCP);
	stand_expect(&stand, "0 new OPTIONS\n0 new OPTIONS\n0 new OPTIONS\n");
	for (const char *at = text; *at; at++) {
		stand_expect(&stand, "");
		stand_peer_writes(&stand, "%c", *at);
	}
	stand_expect(&stand, "0 new OPTIONS\n");
	assert_int_equal(sip_transport_count(stand.transport).buffered_bytes, 0);
	stand_peer_writes(&stand, "%s%.20s", text, OPTIONS_TCP);
	assert_int_equal(sip_transport_count(stand.transport).buffered_bytes, 20);
	stand_peer_writes(&stand, "%s%.30s", &OPTIONS_TCP[20], OPTIONS_TCP);
	stand_peer_writes(&stand, "%s", &OPTIONS_TCP[30]);
	stand_expect(&stand, "0 new OPTIONS\n0 new OPTIONS\n0 new OPTIONS\n");
	stand_tear_down(&stand);
}

static void a_ping_of_two_line_ends_is_answered_with_one(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, "\n\n");
	stand_expect(&stand, "0 peer < 2 bytes\n");
	assert_string_equal(stand.last, "\r\n");
	stand_peer_writes(&stand, "\n");
	stand_expect(&stand, "");
	stand_peer_writes(&stand, "\n");
	stand_expect(&stand, "0 peer < 2 bytes\n");
	stand_peer_writes(&stand, "\n%s\n", OPTIONS_TCP); // neither is a ping
	stand_expect(&stand, "0 new OPTIONS\n");
	stand_tear_down(&stand);
}

static void a_stream_that_cannot_be_framed_is_answered_and_closed(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, OPTIONS_VIA("TCP 192.0.2.9:5090;branch=z9hG4bK1") "\n");
	stand_run(&stand, 1);
	stand_expect(&stand, "0 broken but answerable\n0 flow lost\n0 peer < 400 OPTIONS\n0 peer: connection closed\n");
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, "\x16\x03\x01 this is not SIP");
	stand_run(&stand, 1);
	stand_expect(&stand, "0 broken \n0 flow lost\n0 peer: connection closed\n");
	stand_tear_down(&stand);
}

static void a_broken_message_in_a_good_frame_does_not_end_the_stream(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand.peer_is_silent = true;
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, "OPTIONS sip:192.0.2.1 SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.9:5090;branch=z9hG4bK1\n"
				  "CSeq: none\nContent-Length: 0\n\n" OPTIONS_TCP);
	stand_expect(&stand, "0 broken but answerable\n0 new OPTIONS\n");
	stand_tear_down(&stand);
}

static void half_a_message_is_waited_for_32_s(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_run(&stand, 1000);
	stand_peer_writes(&stand, "%.50s", OPTIONS_TCP);
	for (unsigned i = 0; i < 31; i++) { // one byte a second does not help
		stand_run(&stand, 1000);
		stand_peer_writes(&stand, "%c", OPTIONS_TCP[50 + i]);
	}
	stand_run(&stand, 1000);
	stand_expect(&stand, "33000 flow lost\n33000 peer: connection closed\n");
	stand_tear_down(&stand);
}

static void an_idle_connection_is_closed_unless_it_is_needed(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_with(&stand, (struct sip_transport_settings){.idle_s = 60});
	stand_peer_connects(&stand);
	stand_run(&stand, 50000);
	stand_peer_writes(&stand, "\n");
	stand_run(&stand, 59000);
	stand_peer_writes(&stand, OPTIONS_TCP);
	stand_run(&stand, 60000);
	stand_expect(&stand, "109000 new OPTIONS\n169000 flow lost\n169000 peer: connection closed\n");

	stand_peer_connects(&stand);
	stand_peer_writes(&stand, OPTIONS_TCP);
	sip_transport_keep(stand.transport, stand.from.connection, 3600);
	stand_run(&stand, 3600000);
	stand_expect(&stand, "0 new OPTIONS\n3600000 flow lost\n3600000 peer: connection closed\n");

	stand_peer_connects(&stand);
	stand_peer_writes(&stand, OPTIONS_TCP);
	sip_transport_keep(stand.transport, stand.from.connection, 3600);
	stand_run(&stand, 100000);
	sip_transport_keep(stand.transport, stand.from.connection, 0);
	stand_run(&stand, 1);
	stand_expect(&stand, "0 new OPTIONS\n100000 flow lost\n100000 peer: connection closed\n");
	stand_tear_down(&stand);
}

static void connections_beyond_the_limit_are_refused(void **state)
{
	struct stand stand;
	struct flow flow;
	struct tcp_connection *first;
	(void)state;

	stand_set_up_with(&stand, (struct sip_transport_settings){.connections_max = 1});
	stand_peer_connects(&stand);
	first = stand.peer_connection;
	stand_peer_connects(&stand);
	stand_run(&stand, 1);
	stand_expect(&stand, "0 peer: connection closed\n");
	assert_int_equal(sip_transport_count(stand.transport).refused_connections, 1);
	assert_int_equal(sip_transport_count(stand.transport).connections, 1);
	flow = stand_flow(&stand, TRANSPORT_TCP);
	assert_int_not_equal(sip_transport_send(stand.transport, &flow, STR("x")), 0);
	tcp_close(first);
	stand_run(&stand, 1);
	stand_expect(&stand, "1 flow lost\n");
	assert_int_equal(sip_transport_count(stand.transport).connections, 0);
	stand_tear_down(&stand);
}

// ---- connections of our own

static void what_is_sent_to_the_same_place_shares_a_connection(void **state)
{
	struct stand stand;
	struct flow first, second;
	(void)state;

	stand_set_up(&stand);
	first = second = stand_flow(&stand, TRANSPORT_TCP);
	assert_int_equal(sip_transport_send(stand.transport, &first, STR("one")), 0);
	assert_int_equal(sip_transport_send(stand.transport, &second, STR("four")), 0);
	assert_int_not_equal(first.connection, 0);
	assert_int_equal(first.connection, second.connection);
	stand_run(&stand, 1);
	stand_expect(&stand, "0 peer: connection accepted\n0 peer < 3 bytes\n0 peer < 4 bytes\n");
	sim_reset_connections(stand.loop, &stand.peer);
	stand_run(&stand, 0);
	assert_int_equal(sip_transport_send(stand.transport, &second, STR("again")), 0);
	assert_int_not_equal(first.connection, second.connection);
	stand_run(&stand, 1);
	stand_expect(&stand, "1 flow lost\n1 peer: connection broke\n1 peer: connection accepted\n1 peer < 5 bytes\n");
	stand_tear_down(&stand);
}

static void what_is_sent_to_who_came_goes_by_the_connection_it_came_on(void **state)
{
	struct stand stand;
	struct flow flow;
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, OPTIONS_TCP);
	flow = stand.from;
	flow.connection = 0; // as after a restart, or from the registration's address
	assert_int_equal(sip_transport_send(stand.transport, &flow, STR("x")), 0);
	assert_int_equal(flow.connection, stand.from.connection);
	stand_run(&stand, 1);
	stand_expect(&stand, "0 new OPTIONS\n0 peer < 1 bytes\n");
	stand_tear_down(&stand);
}

static void an_answer_whose_connection_is_gone_goes_to_the_vias_port(void **state)
{
	struct stand stand;
	struct sip_via via;
	struct flow flow;
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, OPTIONS_TCP);
	assert_true(sip_via_parse(STR("SIP/2.0/TCP 192.0.2.9:5090;rport;branch=z9hG4bK1"), &via));
	flow = sip_transport_reply_flow(&stand.from, &via);
	assert_int_equal(flow.connection, stand.from.connection);
	stand.from.remote.port = 0;
	sim_reset_connections(stand.loop, &stand.from.remote);
	stand_run(&stand, 1);
	assert_int_equal(sip_transport_send(stand.transport, &flow, STR("answer")), 0);
	stand_run(&stand, 1);
	stand_expect(&stand, "0 new OPTIONS\n0 peer: connection broke\n0 flow lost\n1 peer: connection accepted\n"
			     "1 peer < 6 bytes\n");
	stand_tear_down(&stand);
}

struct told {
	struct loss_watch watch;
	unsigned times;
};

static void count_lost(struct loss_watch *watch)
{
	container_of(watch, struct told, watch)->times++;
}

static void a_connection_nobody_answers_is_given_up_after_5_s(void **state)
{
	struct stand stand;
	struct flow flow;
	struct told watching = {.watch.lost = count_lost}, left = {.watch.lost = count_lost};
	(void)state;

	stand_set_up(&stand);
	list_init(&watching.watch.node);
	list_init(&left.watch.node);
	assert_false(sip_transport_watch(stand.transport, 0, &watching.watch));
	sim_host_down(stand.loop, &stand.peer);
	flow = stand_flow(&stand, TRANSPORT_TCP);
	assert_int_equal(sip_transport_send(stand.transport, &flow, STR("x")), 0);
	assert_true(sip_transport_watch(stand.transport, flow.connection, &watching.watch));
	assert_true(sip_transport_watch(stand.transport, flow.connection, &left.watch));
	list_remove(&left.watch.node);
	stand_run(&stand, 4999);
	assert_int_equal(watching.times, 0);
	stand_run(&stand, 1);
	assert_int_equal(watching.times, 1);
	assert_int_equal(left.times, 0);
	stand_expect(&stand, "5000 flow lost\n");
	stand_tear_down(&stand);
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
	struct stand stand;
	static char bytes[60000];
	struct flow flow;
	unsigned sent = 0;
	(void)state;

	stand_set_up(&stand);
	stand_peer_connects(&stand);
	stand_peer_writes(&stand, OPTIONS_TCP);
	tcp_read_stop(stand.peer_connection);
	flow = stand.from;
	memset(bytes, 'x', sizeof bytes);
	while (sent < 100 && sip_transport_send(stand.transport, &flow, (struct str){bytes, sizeof bytes}) == 0) {
		stand_run(&stand, 0);
		sent++;
	}
	assert_in_range(sent, 1, 99);
	assert_int_equal(sip_transport_send(stand.transport, &flow, STR("x")), 0); // a new one, which nobody takes
	assert_int_not_equal(flow.connection, stand.from.connection);
	stand_run(&stand, 0);
	stand_expect(&stand, "0 new OPTIONS\n0 flow lost\n0 flow lost\n");
	tcp_read_start(stand.peer_connection);
	stand_run(&stand, 2000);
	stand_tear_down(&stand);
}

// ---- our own addresses

static struct str written_local(struct stand *stand, const struct flow *flow, char *into, size_t size)
{
	struct writer w = writer_into(into, size);

	sip_transport_write_local(stand->transport, &w, flow);
	return writer_result(&w);
}

static void we_know_ourselves(void **state)
{
	struct stand stand;
	struct net_address sixth = stand_address("[2001:db8::9]:5060");
	struct flow flow;
	char text[256];
	(void)state;

	stand_set_up_with(&stand, (struct sip_transport_settings){.udp[1] = stand_address("[2001:db8::1]:5062")});
	assert_true(sip_transport_is_local(stand.transport, STR("192.0.2.1"), 0));
	assert_true(sip_transport_is_local(stand.transport, STR("192.0.2.1"), 5060));
	assert_true(sip_transport_is_local(stand.transport, STR("2001:0db8::1"), 5062));
	assert_false(sip_transport_is_local(stand.transport, STR("192.0.2.1"), 5062));
	assert_false(sip_transport_is_local(stand.transport, STR("192.0.2.9"), 5060));
	assert_false(sip_transport_is_local(stand.transport, STR("sip.example.com"), 5060));
	flow = stand_flow(&stand, TRANSPORT_UDP);
	assert_true(str_equal(written_local(&stand, &flow, text, sizeof text), STR("192.0.2.1:5060")));
	assert_true(sip_transport_flow_to(stand.transport, TRANSPORT_UDP, &sixth, &flow));
	assert_int_equal(flow.listener, 1);
	assert_true(str_equal(written_local(&stand, &flow, text, sizeof text), STR("[2001:db8::1]:5062")));
	assert_false(sip_transport_flow_to(stand.transport, TRANSPORT_TCP, &sixth, &flow));
	stand_tear_down(&stand);
}

static void the_advertised_host_stands_for_our_own(void **state)
{
	struct stand stand;
	struct flow flow;
	char text[256];
	(void)state;

	stand_set_up_with(&stand, (struct sip_transport_settings){.advertised_host = STR("sip.example.com")});
	assert_true(sip_transport_is_local(stand.transport, STR("SIP.example.com"), 5060));
	assert_true(sip_transport_is_local(stand.transport, STR("192.0.2.1"), 5060));
	assert_false(sip_transport_is_local(stand.transport, STR("sip.example.com"), 5070));
	flow = stand_flow(&stand, TRANSPORT_TCP);
	assert_true(str_equal(written_local(&stand, &flow, text, sizeof text), STR("sip.example.com:5060")));
	stand_peer_sends(&stand, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP sip.example.com;branch=z9hG4bK1\n"
				 "From: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 OPTIONS\n"
				 "Content-Length: 0\n\n");
	stand_expect(&stand, "0 stray 200\n");
	stand_tear_down(&stand);
}

static void an_address_in_use_is_named(void **state)
{
	struct stand stand;
	struct sip_transport_handlers handlers = {0};
	struct sip_transport_settings settings = {.udp = {stand_address("192.0.2.77:5060")},
						  .tcp = {stand_address("192.0.2.9:5090")}};
	struct sip_transport *transport = NULL;
	struct net_address failed;
	(void)state;

	stand_set_up(&stand);
	assert_int_not_equal(sip_transport_create(stand.loop, &settings, &handlers, NULL, &transport, &failed), 0);
	assert_null(transport);
	assert_true(net_address_equal(&failed, &settings.tcp[0]));
	stand_tear_down(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_via_says_where_the_request_came_from),
	    cmocka_unit_test(answers_over_udp_go_to_the_vias_port_unless_rport_was_asked_for),
	    cmocka_unit_test(what_keeps_a_nat_open_is_no_message),
	    cmocka_unit_test(broken_messages_are_counted_and_broken_responses_get_no_answer),
	    cmocka_unit_test(a_response_that_is_not_ours_is_dropped),
	    cmocka_unit_test(messages_are_cut_out_of_the_stream_wherever_it_was_cut),
	    cmocka_unit_test(a_ping_of_two_line_ends_is_answered_with_one),
	    cmocka_unit_test(a_stream_that_cannot_be_framed_is_answered_and_closed),
	    cmocka_unit_test(a_broken_message_in_a_good_frame_does_not_end_the_stream),
	    cmocka_unit_test(half_a_message_is_waited_for_32_s),
	    cmocka_unit_test(an_idle_connection_is_closed_unless_it_is_needed),
	    cmocka_unit_test(connections_beyond_the_limit_are_refused),
	    cmocka_unit_test(what_is_sent_to_the_same_place_shares_a_connection),
	    cmocka_unit_test(what_is_sent_to_who_came_goes_by_the_connection_it_came_on),
	    cmocka_unit_test(an_answer_whose_connection_is_gone_goes_to_the_vias_port),
	    cmocka_unit_test(a_connection_nobody_answers_is_given_up_after_5_s),
	    cmocka_unit_test(a_peer_that_does_not_read_is_given_up),
	    cmocka_unit_test(we_know_ourselves),
	    cmocka_unit_test(the_advertised_host_stands_for_our_own),
	    cmocka_unit_test(an_address_in_use_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
