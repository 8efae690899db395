// SIP over TCP: connections, found by id and by the address at the other end; framing, keep-alives, and their several
// ways to go. A connection is only ever taken down from the loop, never from within a call into the transport, so whoever
// sends need not fear for what it stands on.
#include "sip/transport_private.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 5000,     // to open a connection
	MESSAGE_MS = 64 * 500, // from a message's first byte to its last; its sender's transaction is over by then
	PING_SIZE = 4,         // CRLF CRLF (RFC 5626 section 4.4.1)
};

enum sip_connection_state { CONNECTION_OPENING, CONNECTION_OPEN, CONNECTION_BROKEN };

static const char *const state_names[] = {"opening", "open", "broken"};

struct sip_connection {
	struct hash_node node; // in by_remote
	struct sip_transport *transport;
	struct tcp_connection *tcp; // owned
	uint64_t id;
	struct net_address remote;
	uint8_t listener;
	enum sip_connection_state state;
	unsigned ping_bytes; // line ends seen since the last message
	struct timer timer;  // the next of the moments below
	uint64_t opened_ms;
	uint64_t active_ms;     // when something was last said, either way
	uint64_t keep_until_ms; // a registration needs it until then
	uint64_t half_since_ms; // half a message lies in `incoming` since then; 0 = none
	struct str incoming;    // what came of a message that is not complete; owned
	struct list watches;    // of struct sip_flow_watch
};

// ---- state, time and end

static void connection_set_state(struct sip_connection *connection, enum sip_connection_state state)
{
	log_debug("sip_connection", LOG_UINT("connection", connection->id),
		  LOG_TEXT("from", state_names[connection->state]), LOG_TEXT("to", state_names[state]));
	connection->state = state;
}

static void connection_hold(struct sip_connection *connection, struct str bytes)
{
	connection->transport->counters.buffered_bytes += bytes.length;
	connection->transport->counters.buffered_bytes -= connection->incoming.length;
	connection->incoming = bytes;
}

static void connection_let_go(struct sip_connection *connection)
{
	free((char *)connection->incoming.at);
	connection_hold(connection, STR_NONE);
}

// Adds a copy of the bytes behind what is held.
static bool connection_append(struct sip_connection *connection, struct str bytes)
{
	size_t held = connection->incoming.length;
	char *grown = realloc((char *)connection->incoming.at, held + bytes.length);

	if (!grown)
		return false;
	memcpy(grown + held, bytes.at, bytes.length);
	connection_hold(connection, (struct str){grown, held + bytes.length});
	return true;
}

static void connection_free(struct sip_connection *connection)
{
	struct sip_transport *transport = connection->transport;

	timer_stop(&connection->timer);
	connection_let_go(connection);
	hash_remove(transport->by_remote, &connection->node);
	slots_remove(transport->connections, connection->id);
	if (connection->tcp)
		tcp_close(connection->tcp);
	transport->counters.connections--;
	pool_give(&transport->connection_pool, connection);
}

// The connection is gone: its watches are told, then the endpoint. They may send to the same place and get a new one.
static void connection_lose(struct sip_connection *connection, const char *why)
{
	struct sip_transport *transport = connection->transport;
	uint64_t id = connection->id;
	struct list watches;

	log_debug("sip_connection_lost", LOG_UINT("connection", id), LOG_TEXT("why", why));
	list_init(&watches);
	if (!list_empty(&connection->watches)) {
		list_insert_after(&connection->watches, &watches);
		list_remove(&connection->watches);
	}
	connection_free(connection);
	while (!list_empty(&watches)) {
		struct sip_flow_watch *watch = container_of(watches.next, struct sip_flow_watch, node);
		list_remove(&watch->node);
		watch->lost(watch);
	}
	if (transport->handlers.flow_lost)
		transport->handlers.flow_lost(transport->context, id);
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

// When nothing else happens, the connection ends then; *why says for what.
static uint64_t connection_end_ms(const struct sip_connection *connection, const char **why)
{
	uint64_t idle_ms = later_of(connection->active_ms + connection->transport->idle_ms, connection->keep_until_ms);
	uint64_t half_ms = connection->half_since_ms + MESSAGE_MS;

	switch (connection->state) {
	case CONNECTION_BROKEN:
		*why = "broken";
		return 0;
	case CONNECTION_OPENING:
		*why = "not answered";
		return connection->opened_ms + CONNECT_MS;
	case CONNECTION_OPEN:
		break;
	}
	*why = "idle";
	if (connection->half_since_ms != 0 && half_ms < idle_ms) {
		*why = "half a message";
		return half_ms;
	}
	return idle_ms;
}

// Something that ends it sooner came up. What ends it later is found out when the timer fires.
static void connection_schedule(struct sip_connection *connection)
{
	uint64_t now_ms = loop_now_ms(connection->transport->loop);
	const char *why;
	uint64_t end_ms = connection_end_ms(connection, &why);

	timer_start(connection->transport->loop, &connection->timer, end_ms > now_ms ? end_ms - now_ms : 0);
}

static void connection_timer(struct timer *timer)
{
	struct sip_connection *connection = container_of(timer, struct sip_connection, timer);
	const char *why;

	if (connection_end_ms(connection, &why) <= loop_now_ms(connection->transport->loop))
		connection_lose(connection, why);
	else
		connection_schedule(connection);
}

// Ends it with the loop's next turn.
static void connection_break(struct sip_connection *connection)
{
	if (connection->state == CONNECTION_BROKEN)
		return;
	connection_set_state(connection, CONNECTION_BROKEN);
	connection_schedule(connection);
}

// ---- receiving

static struct flow connection_flow(const struct sip_connection *connection)
{
	return (struct flow){.transport = TRANSPORT_TCP,
			     .listener = connection->listener,
			     .remote = connection->remote,
			     .connection = connection->id};
}

// RFC 5626 section 4.4.1: CRLF CRLF is a ping and gets one CRLF; several at once are one question.
static void connection_answer_pings(struct sip_connection *connection, size_t line_end_bytes)
{
	connection->ping_bytes += (unsigned)line_end_bytes;
	if (connection->ping_bytes < PING_SIZE)
		return;
	connection->ping_bytes %= PING_SIZE;
	if (tcp_send(connection->tcp, STR("\r\n")))
		connection_break(connection);
}

// Takes whole messages off the front and gives how many bytes that was.
static size_t connection_consume(struct sip_connection *connection, char *bytes, size_t size)
{
	struct flow flow = connection_flow(connection);
	size_t taken = 0;

	while (connection->state == CONNECTION_OPEN && taken < size) {
		struct sip_fault fault = {0};
		size_t skipped = 0;
		long length = sip_message_frame(bytes + taken, size - taken, &skipped, &fault);

		taken += skipped;
		connection_answer_pings(connection, skipped);
		if (length == 0 && size - taken <= SIP_MESSAGE_MAX)
			break;
		connection->ping_bytes = 0;
		if (length <= 0) {
			// Where the next one begins cannot be known. Parsing finds what is needed to say so.
			sip_transport_deliver(connection->transport, &flow, bytes + taken, size - taken);
			connection_break(connection);
			break;
		}
		sip_transport_deliver(connection->transport, &flow, bytes + taken, (size_t)length);
		taken += (size_t)length;
	}
	return taken;
}

// Takes what it can of the bytes, behind those that wait already, and keeps the rest. Gives how many it took.
static size_t connection_take(struct sip_connection *connection, struct str bytes)
{
	struct str *incoming = &connection->incoming;
	size_t taken;

	if (str_empty(*incoming)) {
		taken = connection_consume(connection, (char *)bytes.at, bytes.length);
		if (taken < bytes.length && !connection_append(connection, str_from(bytes, taken)))
			connection_break(connection);
		return taken;
	}
	if (!connection_append(connection, bytes)) {
		connection_break(connection);
		return 0;
	}
	taken = connection_consume(connection, (char *)incoming->at, incoming->length);
	if (taken == incoming->length) {
		connection_let_go(connection);
	} else if (taken > 0) {
		memmove((char *)incoming->at, incoming->at + taken, incoming->length - taken);
		connection_hold(connection, str_first(*incoming, incoming->length - taken));
	}
	return taken;
}

static void connection_received(void *context, char *bytes, size_t size)
{
	struct sip_connection *connection = context;
	size_t taken;

	if (connection->state == CONNECTION_BROKEN)
		return;
	connection->active_ms = loop_now_ms(connection->transport->loop);
	taken = connection_take(connection, (struct str){bytes, size});
	if (str_empty(connection->incoming)) {
		connection->half_since_ms = 0;
	} else if (taken > 0 || connection->half_since_ms == 0) {
		connection->half_since_ms = connection->active_ms;
		connection_schedule(connection);
	}
}

static void connection_ended(void *context, int error)
{
	connection_lose(context, error ? "broken" : "closed by the other side");
}

// ---- opening

static void connection_opened(void *context, int error)
{
	struct sip_connection *connection = context;

	if (error) {
		connection_lose(connection, "refused");
		return;
	}
	if (connection->state != CONNECTION_OPENING)
		return;
	connection_set_state(connection, CONNECTION_OPEN);
	connection->active_ms = loop_now_ms(connection->transport->loop);
	connection_schedule(connection);
}

static const struct tcp_handlers connection_handlers = {
    .connected = connection_opened, .received = connection_received, .ended = connection_ended};

// A connection in both tables, with nothing under it yet. NULL when there are too many or there is no memory.
static struct sip_connection *connection_create(struct sip_transport *transport, const struct net_address *remote)
{
	struct sip_connection *connection = pool_take(&transport->connection_pool);

	if (!connection)
		return NULL;
	connection->id = slots_add(transport->connections, connection);
	if (connection->id == 0)
		goto no_slot;
	if (!hash_insert(transport->by_remote, &connection->node, net_address_hash(remote)))
		goto no_node;
	connection->transport = transport;
	connection->remote = *remote;
	connection->opened_ms = connection->active_ms = loop_now_ms(transport->loop);
	list_init(&connection->watches);
	timer_init(&connection->timer, connection_timer);
	transport->counters.connections++;
	return connection;
no_node:
	slots_remove(transport->connections, connection->id);
no_slot:
	pool_give(&transport->connection_pool, connection);
	return NULL;
}

static void listener_accepted(void *context, struct tcp_connection *tcp, const struct net_address *from)
{
	struct sip_tcp_listener *listener = context;
	struct sip_connection *connection = connection_create(listener->transport, from);

	if (!connection) {
		listener->transport->counters.refused_connections++;
		tcp_close(tcp);
		return;
	}
	connection->tcp = tcp;
	connection->listener = listener->index;
	tcp_handle(tcp, &connection_handlers, connection);
	connection_set_state(connection, CONNECTION_OPEN);
	connection_schedule(connection);
}

static int connection_open(struct sip_transport *transport, const struct flow *flow, struct sip_connection **opened)
{
	struct sip_connection *connection = connection_create(transport, &flow->remote);
	int error;

	if (!connection) {
		transport->counters.refused_connections++;
		return -ENOBUFS;
	}
	connection->listener = flow->listener;
	error = tcp_connect(transport->loop, &flow->remote, &connection_handlers, connection, &connection->tcp);
	if (error) {
		connection->tcp = NULL;
		connection_free(connection);
		return error;
	}
	connection_schedule(connection);
	*opened = connection;
	return 0;
}

// ---- finding and sending

static bool connection_leads_to(const struct hash_node *node, const void *remote)
{
	const struct sip_connection *connection = container_of((struct hash_node *)node, struct sip_connection, node);

	return connection->state != CONNECTION_BROKEN && net_address_equal(&connection->remote, remote);
}

static struct sip_connection *connection_for(const struct sip_transport *transport, const struct flow *flow)
{
	struct sip_connection *connection = slots_find(transport->connections, flow->connection);
	struct hash_node *node;

	if (connection && connection->state != CONNECTION_BROKEN)
		return connection;
	node = hash_find(transport->by_remote, net_address_hash(&flow->remote), connection_leads_to, &flow->remote);
	return node ? container_of(node, struct sip_connection, node) : NULL;
}

int sip_tcp_send(struct sip_transport *transport, struct flow *flow, struct str bytes)
{
	struct sip_connection *connection = connection_for(transport, flow);
	int error = 0;

	if (!connection)
		error = connection_open(transport, flow, &connection);
	if (error)
		return error;
	flow->connection = connection->id;
	connection->active_ms = loop_now_ms(transport->loop);
	error = tcp_send(connection->tcp, bytes);
	if (error)
		connection_break(connection); // it does not read, or it is gone
	return error;
}

bool sip_transport_watch(struct sip_transport *transport, uint64_t id, struct sip_flow_watch *watch)
{
	struct sip_connection *connection = slots_find(transport->connections, id);

	if (!connection)
		return false;
	list_remove(&watch->node);
	list_append(&connection->watches, &watch->node);
	return true;
}

void sip_transport_keep(struct sip_transport *transport, uint64_t id, unsigned seconds)
{
	struct sip_connection *connection = slots_find(transport->connections, id);

	if (!connection)
		return;
	connection->keep_until_ms = seconds ? loop_now_ms(transport->loop) + (uint64_t)seconds * 1000 : 0;
	connection_schedule(connection);
}

struct net_address sip_tcp_connection_local(const struct sip_transport *transport, uint64_t id)
{
	struct sip_connection *connection = slots_find(transport->connections, id);

	if (!connection || connection->state != CONNECTION_OPEN)
		return (struct net_address){0};
	return tcp_local(connection->tcp);
}

// ---- listeners

size_t sip_tcp_connection_size(void)
{
	return sizeof(struct sip_connection);
}

int sip_tcp_open(struct sip_transport *transport, const struct net_address *local)
{
	struct sip_tcp_listener *listener = &transport->tcp[transport->tcp_count];
	int error;

	*listener = (struct sip_tcp_listener){.transport = transport, .index = transport->tcp_count};
	error = tcp_listen(transport->loop, local, listener_accepted, listener, &listener->listener);
	if (error)
		return error;
	listener->local = tcp_listener_local(listener->listener);
	transport->tcp_count++;
	return 0;
}

void sip_tcp_close(struct sip_tcp_listener *listener)
{
	tcp_listener_close(listener->listener);
}

static void close_visited(void *object, void *context)
{
	struct sip_connection *connection = object;
	(void)context;

	list_each (node, following, &connection->watches)
		list_remove(node);
	connection_free(connection);
}

void sip_tcp_close_all(struct sip_transport *transport)
{
	slots_visit(transport->connections, close_visited, NULL);
}
