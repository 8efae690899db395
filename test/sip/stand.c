// The stand that the tests of transport and transactions share; see stand.h.
#include "sip/stand.h"

#include "base/hash.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

static uint64_t stand_now(const struct stand *stand)
{
	return loop_now_ms(stand->loop) - stand->start_ms;
}

void stand_note(struct stand *stand, const char *format, ...)
{
	size_t room = sizeof stand->transcript - stand->transcript_size;
	char *at = stand->transcript + stand->transcript_size;
	int used = snprintf(at, room, "%u ", (unsigned)stand_now(stand));
	va_list arguments;

	va_start(arguments, format);
	used += vsnprintf(at + used, room - (size_t)used, format, arguments);
	va_end(arguments);
	assert_true((size_t)used + 2 < room);
	at[used] = '\n';
	at[used + 1] = '\0';
	stand->transcript_size += (size_t)used + 1;
}

void stand_expect_at(struct stand *stand, const char *text, const char *file, int line)
{
	if (strcmp(stand->transcript, text) != 0)
		fail_msg("%s:%d: expected\n%s\nbut it was\n%s", file, line, text, stand->transcript);
	stand->transcript_size = 0;
	stand->transcript[0] = '\0';
}

void stand_expect_last_at(struct stand *stand, const char *text, const char *file, int line)
{
	char got[sizeof stand->last];
	size_t size = 0;

	for (size_t i = 0; i < stand->last_size; i++)
		if (stand->last[i] != '\r')
			got[size++] = stand->last[i];
	got[size] = '\0';
	if (strcmp(got, text) != 0)
		fail_msg("%s:%d: expected\n%s\nbut it was\n%s", file, line, text, got);
}

void stand_restart(struct stand *stand)
{
	stand->start_ms = loop_now_ms(stand->loop);
}

void stand_run(struct stand *stand, uint64_t ms)
{
	sim_run_for(stand->loop, ms);
}

struct net_address stand_address(const char *text)
{
	struct net_address address;

	assert_true(net_address_parse_with_port(str_of(text), 5060, &address));
	return address;
}

// ---- the peer

static void peer_notes(struct stand *stand, char *bytes, size_t size)
{
	struct sip_message message;
	struct sip_fault fault;

	assert_true(size < sizeof stand->last);
	memcpy(stand->last, bytes, size);
	stand->last[size] = '\0';
	stand->last_size = size;
	if (stand->peer_is_silent)
		return;
	if (!sip_message_parse(bytes, size, SIP_STREAM, &message, &fault))
		stand_note(stand, "peer < %u bytes", (unsigned)size);
	else if (message.is_request)
		stand_note(stand, "peer < %.*s", STR_ARG(message.method_text));
	else
		stand_note(stand, "peer < %u %s", message.status, sip_method_name(message.method));
}

static void peer_datagram(void *context, const struct net_address *from, char *bytes, size_t size)
{
	(void)from;
	peer_notes(context, bytes, size);
}

static void peer_connected(void *context, int error)
{
	if (error)
		stand_note(context, "peer could not connect");
}

static void peer_received(void *context, char *bytes, size_t size)
{
	peer_notes(context, bytes, size);
}

static void peer_ended(void *context, int error)
{
	struct stand *stand = context;

	stand_note(stand, error ? "peer: connection broke" : "peer: connection closed");
	tcp_close(stand->peer_connection);
	stand->peer_connection = NULL;
}

static const struct tcp_handlers peer_handlers = {
    .connected = peer_connected, .received = peer_received, .ended = peer_ended};

static void peer_accepted(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	struct stand *stand = context;

	(void)from;
	stand_note(stand, "peer: connection accepted");
	if (stand->peer_connection)
		tcp_close(stand->peer_connection);
	stand->peer_connection = connection;
	tcp_handle(connection, &peer_handlers, stand);
}

void stand_peer_connects(struct stand *stand)
{
	assert_int_equal(
	    sim_tcp_connect(stand->loop, &stand->peer, &stand->ours, &peer_handlers, stand, &stand->peer_connection),
	    0);
	sim_run_for(stand->loop, 1);
	stand->start_ms = loop_now_ms(stand->loop);
}

static struct str with_line_ends(char *into, size_t size, const char *format, va_list arguments)
{
	char text[8192];
	int length = vsnprintf(text, sizeof text, format, arguments);
	size_t used = 0;

	assert_true(length >= 0 && (size_t)length < sizeof text);
	for (int i = 0; i < length; i++) {
		assert_true(used + 2 < size);
		if (text[i] == '\n')
			into[used++] = '\r';
		into[used++] = text[i];
	}
	return (struct str){into, used};
}

void stand_peer_sends(struct stand *stand, const char *format, ...)
{
	char bytes[9000];
	va_list arguments;

	va_start(arguments, format);
	struct str datagram = with_line_ends(bytes, sizeof bytes, format, arguments);
	va_end(arguments);
	assert_int_equal(udp_send(stand->peer_socket, &stand->ours, datagram, NULL), 0);
	sim_run_for(stand->loop, 0);
}

void stand_peer_writes(struct stand *stand, const char *format, ...)
{
	char bytes[9000];
	va_list arguments;

	va_start(arguments, format);
	struct str text = with_line_ends(bytes, sizeof bytes, format, arguments);
	va_end(arguments);
	assert_int_equal(tcp_send(stand->peer_connection, text), 0);
	sim_run_for(stand->loop, 0);
}

// ---- the user

static void user_heard(void *user, struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)transaction;
	stand_note(user, "user: %u", response->status);
}

static void user_failed(void *user, struct sip_client_transaction *transaction, unsigned status)
{
	(void)transaction;
	stand_note(user, "user: failed %u", status);
}

static void user_client_ended(void *user, struct sip_client_transaction *transaction)
{
	(void)transaction;
	stand_note(user, "user: ended");
}

const struct sip_client_handlers stand_client_handlers = {
    .response = user_heard, .failed = user_failed, .ended = user_client_ended};

static void user_cancelled(void *user, struct sip_server_transaction *transaction, const struct sip_message *cancel)
{
	(void)transaction;
	(void)cancel;
	stand_note(user, "user: cancelled");
}

static void user_server_ended(void *user, struct sip_server_transaction *transaction)
{
	struct stand *stand = user;

	if (transaction == stand->server)
		stand->server = NULL;
	stand_note(stand, "user: ended");
}

const struct sip_server_handlers stand_server_handlers = {.cancelled = user_cancelled, .ended = user_server_ended};

// ---- our side

static void stand_received(void *context, const struct flow *from, struct sip_message *message)
{
	struct stand *stand = context;

	stand->from = *from;
	if (!message->is_request) {
		if (!sip_client_receive(stand->transactions, from, message))
			stand_note(stand, "stray %u", message->status);
	} else if (sip_server_receive(stand->transactions, from, message) == SIP_SERVER_NEW) {
		if (stand->on_request)
			stand->on_request(stand, from, message);
		else
			stand_note(stand, "new %s", sip_method_name(message->method));
	}
}

static void stand_broken(void *context, const struct flow *from, struct sip_message *message,
			 const struct sip_fault *fault)
{
	struct stand *stand = context;

	stand_note(stand, "broken %s", fault->answerable ? "but answerable" : "");
	if (fault->answerable)
		sip_respond_stateless(stand->transactions, from, message,
				      &(struct sip_response){.status = fault->status});
}

static void stand_flow_lost(void *context, uint64_t connection)
{
	(void)connection;
	stand_note(context, "flow lost");
}

static const struct sip_transport_handlers transport_handlers = {
    .received = stand_received, .broken = stand_broken, .flow_lost = stand_flow_lost};

// What the tables of the machines call impossible must not happen here.
static void watch_log(struct str line, void *context)
{
	(void)context;
	if (memmem(line.at, line.length, "_impossible", 11))
		fail_msg("%.*s", STR_ARG(line));
}

void stand_set_up_with(struct stand *stand, struct sip_transport_settings settings)
{
	struct sim_network at_once = {.delay_min_ms = 0};
	struct net_address failed;

	memset(stand, 0, sizeof *stand);
	log_capture(watch_log, NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	stand->loop = sim_create(7);
	assert_non_null(stand->loop);
	sim_set_network(stand->loop, &at_once);
	stand->ours = stand_address("192.0.2.1:5060");
	stand->peer = stand_address("192.0.2.9:5090");
	settings.udp[0] = settings.tcp[0] = stand->ours;
	assert_int_equal(
	    sip_transport_create(stand->loop, &settings, &transport_handlers, stand, &stand->transport, &failed), 0);
	stand->transactions = sip_transactions_create(stand->loop, stand->transport);
	assert_non_null(stand->transactions);
	assert_int_equal(udp_open(stand->loop, &stand->peer, peer_datagram, stand, &stand->peer_socket), 0);
	assert_int_equal(tcp_listen(stand->loop, &stand->peer, peer_accepted, stand, &stand->peer_listener), 0);
	stand->start_ms = loop_now_ms(stand->loop);
}

void stand_set_up(struct stand *stand)
{
	stand_set_up_with(stand, (struct sip_transport_settings){0});
}

void stand_assert_no_transactions(struct stand *stand)
{
	struct sip_transaction_counters counters = sip_transactions_count(stand->transactions);

	assert_int_equal(counters.invite_clients, 0);
	assert_int_equal(counters.clients, 0);
	assert_int_equal(counters.invite_servers, 0);
	assert_int_equal(counters.servers, 0);
	assert_int_equal(counters.kept_bytes, 0);
}

void stand_tear_down(struct stand *stand)
{
	stand_assert_no_transactions(stand);
	assert_int_equal(sip_transport_count(stand->transport).buffered_bytes, 0);
	if (stand->peer_connection)
		tcp_close(stand->peer_connection);
	sip_transactions_destroy(stand->transactions);
	sip_transport_destroy(stand->transport);
	udp_close(stand->peer_socket);
	tcp_listener_close(stand->peer_listener);
	sim_run_for(stand->loop, 2000); // whoever lingers, closes
	assert_int_equal(sim_count(stand->loop).timers, 0);
	assert_int_equal(sim_count(stand->loop).sockets, 0);
	loop_destroy(stand->loop);
	log_capture(NULL, NULL);
}

struct flow stand_flow(struct stand *stand, enum transport kind)
{
	struct flow flow;

	assert_true(sip_transport_flow_to(stand->transport, kind, &stand->peer, &flow));
	return flow;
}

// ---- transactions

struct sip_client_transaction *stand_start_padded(struct stand *stand, enum sip_method method, struct flow flow,
						  unsigned padding)
{
	char bytes[4096], pad[2048];
	struct writer w = writer_into(bytes, sizeof bytes);

	memset(pad, 'x', sizeof pad);
	writer_format(&w, "%s sip:330@192.0.2.9:5090 SIP/2.0\r\n", sip_method_name(method));
	sip_transport_write_via(stand->transport, &w, &flow, STR(STAND_BRANCH));
	writer_text(&w, "Route: <sip:192.0.2.9:5090;lr>, <sip:second.example.com;lr>\r\n"
			"Route: <sip:third.example.com;lr>\r\n"
			"Max-Forwards: 70\r\n"
			"From: <sip:510@example.com>;tag=us\r\n"
			"To: <sip:330@example.com>\r\n"
			"Call-ID: call-1\r\n");
	writer_format(&w, "CSeq: 7 %s\r\n", sip_method_name(method));
	writer_format(&w, "Require: x-nothing\r\nX-Padding: %.*s\r\nContent-Length: 0\r\n\r\n", (int)padding, pad);
	assert_false(w.overflow);
	return sip_client_start(stand->transactions,
				&(struct sip_client_request){.method = method,
							     .branch = STR(STAND_BRANCH),
							     .flow = flow,
							     .bytes = writer_result(&w),
							     .large = SIP_LARGE_BY_TCP},
				&stand_client_handlers, stand);
}

struct sip_client_transaction *stand_start(struct stand *stand, enum sip_method method, enum transport kind)
{
	struct sip_client_transaction *transaction = stand_start_padded(stand, method, stand_flow(stand, kind), 1);

	assert_non_null(transaction);
	stand_run(stand, 0);
	return transaction;
}

static void start_server(struct stand *stand, const struct flow *from, const struct sip_message *request)
{
	stand_note(stand, "new %s", sip_method_name(request->method));
	if (request->method == SIP_ACK || request->method == SIP_CANCEL)
		return;
	stand->server = sip_server_start(stand->transactions, from, request, &stand_server_handlers, stand);
	assert_non_null(stand->server);
}

void stand_set_up_server(struct stand *stand)
{
	stand_set_up(stand);
	stand->on_request = start_server;
}

void stand_respond(struct stand *stand, unsigned status)
{
	struct sip_response response = {.status = status, .to_tag = STR("us")};

	assert_int_equal(sip_server_respond(stand->server, &response), 0);
	stand_run(stand, 0);
}
