// Streams: connections, found by id and by the address at the other end, with all their ways to come and go. What differs
// between TCP and TLS is put in between (connection.h). A connection is only ever taken down from the loop, never from
// within a call into the transport, so whoever sends need not fear for what it stands on.
#include "sip/connection.h"

#include "base/log.h"
#include "sip/source_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	CONNECT_MS = 5000,         // to open a connection
	PONG_MS = 10000,           // for the answer to CRLF CRLF (RFC 5626 section 4.4.1)
	PING_MS = 30000,           // of silence on a WebSocket until it is asked, and for the answer
	HANDSHAKE_MS = 10000,      // to secure it
	MESSAGE_MS = 64 * 500,     // from a message's first byte to its last; its sender's transaction is over by then
	OUTGOING_MAX = 256 * 1024, // bytes that wait for the handshake
};

static const char *const state_names[] = {"opening", "securing", "greeting", "open", "broken"};

// ---- state, time and end

void sip_connection_set_state(struct sip_connection *connection, enum sip_connection_state state)
{
	log_debug("sip_connection", LOG_UINT("connection", connection->id),
		  LOG_TEXT("from", state_names[connection->state]), LOG_TEXT("to", state_names[state]));
	connection->state = state;
	connection->state_since_ms = loop_now_ms(connection->transport->loop);
}

static void connection_free(struct sip_connection *connection)
{
	struct sip_transport *transport = connection->transport;

	timer_stop(&connection->timer);
	sip_bytes_free(transport, &connection->incoming);
	sip_bytes_free(transport, &connection->outgoing);
	hash_remove(transport->by_remote, &connection->node);
	slots_remove(transport->connections, connection->id);
	websocket_destroy(connection->websocket);
	tls_channel_close(connection->tls);
	if (connection->is_counted)
		sip_limits_disconnected(transport->limits, &connection->remote);
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
	loss_watches_tell(&watches);
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
		*why = connection->why;
		return 0;
	case CONNECTION_OPENING:
		*why = "not answered";
		return connection->state_since_ms + CONNECT_MS;
	case CONNECTION_SECURING:
	case CONNECTION_GREETING:
		*why = "no handshake";
		return connection->state_since_ms + HANDSHAKE_MS;
	case CONNECTION_OPEN:
		break;
	}
	*why = "idle";
	if (connection->websocket && connection->heard_ms + PING_MS < idle_ms) {
		*why = "no answer to a ping";
		return connection->heard_ms + PING_MS;
	}
	if (connection->ping_due && connection->answers_pings && connection->pinged_ms + PONG_MS < idle_ms) {
		*why = "no answer to a ping";
		return connection->pinged_ms + PONG_MS;
	}
	if (connection->half_since_ms != 0 && half_ms < idle_ms) {
		*why = "half a message";
		return half_ms;
	}
	return idle_ms;
}

void sip_connection_schedule(struct sip_connection *connection)
{
	uint64_t now_ms = loop_now_ms(connection->transport->loop);
	const char *why;
	uint64_t end_ms = connection_end_ms(connection, &why);

	timer_start(connection->transport->loop, &connection->timer, end_ms > now_ms ? end_ms - now_ms : 0);
}

// RFC 7118 section 6: a browser cannot ask, so we do. False when it was asked already, or is to end for another reason.
static bool connection_ping(struct sip_connection *connection)
{
	uint64_t now_ms = loop_now_ms(connection->transport->loop);

	if (connection->state != CONNECTION_OPEN || !connection->websocket || connection->pinged ||
	    connection->heard_ms + PING_MS > now_ms || !websocket_ping(connection->websocket))
		return false;
	connection->pinged = true;
	connection->heard_ms = now_ms;
	return true;
}

static void connection_timer(struct timer *timer)
{
	struct sip_connection *connection = container_of(timer, struct sip_connection, timer);
	const char *why;

	if (connection_ping(connection) ||
	    connection_end_ms(connection, &why) > loop_now_ms(connection->transport->loop)) {
		sip_connection_schedule(connection);
		return;
	}
	if (connection->state == CONNECTION_SECURING)
		sip_tls_note_failure(connection, why);
	connection_lose(connection, why);
}

void sip_connection_break(struct sip_connection *connection, const char *why)
{
	if (connection->state == CONNECTION_BROKEN)
		return;
	connection->why = why;
	sip_connection_set_state(connection, CONNECTION_BROKEN);
	sip_connection_schedule(connection);
}

// ---- receiving

struct flow sip_connection_flow(const struct sip_connection *connection)
{
	return (struct flow){.transport = connection->kind,
			     .listener = connection->listener,
			     .remote = connection->remote,
			     .connection = connection->id,
			     .name = connection->name};
}

static void connection_received(void *context, char *bytes, size_t size)
{
	struct sip_connection *connection = context;

	if (connection->state == CONNECTION_BROKEN)
		return;
	connection->heard_ms = loop_now_ms(connection->transport->loop);
	connection->pinged = false;
	if (!connection->websocket) // there pings and pongs come, too: they keep nothing alive that nobody needs
		connection->active_ms = connection->heard_ms;
	if (connection->tls)
		sip_tls_take(connection, (struct str){bytes, size});
	else
		sip_connection_take(connection, bytes, size);
}

void sip_connection_take(struct sip_connection *connection, char *bytes, size_t size)
{
	if (connection->websocket)
		sip_ws_take(connection, (struct str){bytes, size});
	else
		sip_framing_take(connection, bytes, size);
}

static void connection_ended(void *context, int error)
{
	connection_lose(context, error ? "broken" : "closed by the other side");
}

// ---- opening

void sip_connection_ready(struct sip_connection *connection)
{
	sip_connection_set_state(connection, CONNECTION_OPEN);
	connection->active_ms = loop_now_ms(connection->transport->loop);
	sip_connection_schedule(connection);
	if (!str_empty(connection->outgoing) && sip_connection_say(connection, connection->outgoing))
		sip_connection_break(connection, "cannot be sent to");
	sip_bytes_free(connection->transport, &connection->outgoing);
}

void sip_connection_secured(struct sip_connection *connection)
{
	if (!connection->websocket) {
		sip_connection_ready(connection);
		return;
	}
	sip_connection_set_state(connection, CONNECTION_GREETING);
	sip_connection_schedule(connection);
}

// TCP is there.
static void connection_begin(struct sip_connection *connection)
{
	if (!connection->tls) {
		sip_connection_secured(connection);
		return;
	}
	sip_connection_set_state(connection, CONNECTION_SECURING);
	sip_connection_schedule(connection);
	sip_tls_start(connection);
}

static void connection_opened(void *context, int error)
{
	struct sip_connection *connection = context;

	if (error) {
		connection_lose(connection, "refused");
		return;
	}
	if (connection->state != CONNECTION_OPENING)
		return;
	connection_begin(connection);
}

static const struct tcp_handlers connection_handlers = {
    .connected = connection_opened, .received = connection_received, .ended = connection_ended};

// A connection in both tables, with nothing under it yet. NULL when there are too many or there is no memory.
static struct sip_connection *connection_create(struct sip_transport *transport, const struct flow *flow)
{
	struct sip_connection *connection = pool_take(&transport->connection_pool);

	if (!connection)
		return NULL;
	connection->id = slots_add(transport->connections, connection);
	if (connection->id == 0)
		goto no_slot;
	if (!hash_insert(transport->by_remote, &connection->node, net_address_hash(&flow->remote)))
		goto no_node;
	connection->transport = transport;
	connection->remote = flow->remote;
	connection->kind = flow->transport;
	connection->listener = flow->listener;
	connection->name = flow->name;
	connection->state_since_ms = connection->active_ms = connection->heard_ms = loop_now_ms(transport->loop);
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

// One that came to us, within its source's limits; what is between it and its messages is made by us but for what others have done
// already. NULL when it must go.
static struct sip_connection *connection_accept(struct sip_listener *listener, const struct net_address *from,
						bool secured)
{
	struct sip_transport *transport = listener->transport;
	struct flow flow = {.transport = listener->kind, .listener = listener->index, .remote = *from};
	struct sip_connection *connection = NULL;
	bool counted = transport->limits && sip_limits_connected(transport->limits, from);

	if (counted || !transport->limits)
		connection = connection_create(transport, &flow);
	if (connection)
		connection->is_counted = counted;
	else if (counted)
		sip_limits_disconnected(transport->limits, from);
	if (connection && ((sip_is_secured(connection->kind) && !secured && !sip_tls_accept(connection)) ||
			   (sip_is_web_socket(connection->kind) && !sip_ws_accept(connection)))) {
		connection_free(connection);
		connection = NULL;
	}
	if (!connection)
		transport->counters.refused_connections++;
	return connection;
}

static void listener_accepted(void *context, struct tcp_connection *tcp, const struct net_address *from)
{
	struct sip_connection *connection = connection_accept(context, from, false);

	if (!connection) {
		tcp_close(tcp);
		return;
	}
	connection->tcp = tcp;
	tcp_handle(tcp, &connection_handlers, connection);
	connection_begin(connection);
}

void sip_transport_adopt(struct sip_transport *transport, enum transport kind, const struct tcp_foreign *socket,
			 struct str early)
{
	struct sip_listener *listener = &transport->listeners[kind][transport->foreign[kind]];
	struct sip_connection *connection = connection_accept(listener, &socket->remote, true);

	if (!connection) {
		close(socket->socket);
		if (socket->closed)
			socket->closed(socket->context);
		return;
	}
	if (tcp_adopt(transport->loop, socket, &connection_handlers, connection, &connection->tcp)) {
		transport->counters.refused_connections++;
		connection_free(connection);
		return;
	}
	websocket_greeted(connection->websocket);
	sip_connection_ready(connection);
	if (!str_empty(early))
		connection_received(connection, (char *)(uintptr_t)early.at, early.length);
}

static int connection_open(struct sip_transport *transport, const struct flow *flow, struct sip_connection **opened)
{
	struct sip_connection *connection;
	int error = -ENOMEM;

	if (sip_is_secured(flow->transport) && !transport->tls)
		return -EPROTONOSUPPORT;
	if (sip_is_web_socket(flow->transport)) // RFC 7118 section 3: a browser cannot be connected to
		return -ENOTCONN;
	connection = connection_create(transport, flow);
	if (!connection) {
		transport->counters.refused_connections++;
		return -ENOBUFS;
	}
	if (sip_is_secured(flow->transport) && !sip_tls_connect(connection))
		goto failed;
	error = tcp_connect(transport->loop, &flow->remote, &connection_handlers, connection, &connection->tcp);
	if (error) {
		connection->tcp = NULL;
		goto failed;
	}
	sip_connection_schedule(connection);
	*opened = connection;
	return 0;
failed:
	connection_free(connection);
	return error;
}

// ---- finding and sending

// A connection whose certificate was asked for another name leads to somebody else, whatever its address (RFC 5923 section 9).
static bool connection_leads_along(const struct hash_node *node, const void *key)
{
	const struct sip_connection *connection = container_of((struct hash_node *)node, struct sip_connection, node);
	const struct flow *flow = key;

	return connection->state != CONNECTION_BROKEN && connection->kind == flow->transport &&
	       net_address_equal(&connection->remote, &flow->remote) &&
	       (flow->name == 0 || flow->name == connection->name);
}

static struct sip_connection *connection_for(const struct sip_transport *transport, const struct flow *flow)
{
	struct sip_connection *connection = slots_find(transport->connections, flow->connection);
	struct hash_node *node;

	if (connection && connection->state != CONNECTION_BROKEN)
		return connection;
	node = hash_find(transport->by_remote, net_address_hash(&flow->remote), connection_leads_along, flow);
	return node ? container_of(node, struct sip_connection, node) : NULL;
}

int sip_connection_write(struct sip_connection *connection, struct str bytes)
{
	if (!connection->tls)
		return tcp_send(connection->tcp, bytes);
	return tls_channel_send(connection->tls, bytes) ? 0 : -EPIPE;
}

int sip_connection_say(struct sip_connection *connection, struct str bytes)
{
	bool waits = connection->tls || connection->websocket;

	if (!waits || connection->state == CONNECTION_OPEN) {
		if (!connection->websocket)
			return sip_connection_write(connection, bytes);
		return websocket_send(connection->websocket, bytes) ? 0 : -EPIPE;
	}
	if (bytes.length > OUTGOING_MAX - connection->outgoing.length)
		return -ENOBUFS;
	return sip_bytes_append(connection->transport, &connection->outgoing, bytes) ? 0 : -ENOMEM;
}

int sip_stream_send(struct sip_transport *transport, struct flow *flow, struct str bytes)
{
	struct sip_connection *connection = connection_for(transport, flow);
	int error = 0;

	if (!connection)
		error = connection_open(transport, flow, &connection);
	if (error)
		return error;
	flow->connection = connection->id;
	connection->active_ms = loop_now_ms(transport->loop);
	error = sip_connection_say(connection, bytes);
	if (error)
		sip_connection_break(connection, "cannot be sent to"); // it does not read, or it is gone
	return error;
}

bool sip_transport_watch(struct sip_transport *transport, uint64_t id, struct loss_watch *watch)
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
	sip_connection_schedule(connection);
}

void sip_transport_ping(struct sip_transport *transport, uint64_t id)
{
	struct sip_connection *connection = slots_find(transport->connections, id);

	if (!connection || connection->state != CONNECTION_OPEN || connection->websocket)
		return;
	if (sip_connection_say(connection, STR("\r\n\r\n"))) {
		sip_connection_break(connection, "cannot be sent to");
		return;
	}
	connection->active_ms = loop_now_ms(transport->loop);
	if (!connection->ping_due)
		connection->pinged_ms = connection->active_ms;
	connection->ping_due = true;
	sip_connection_schedule(connection);
}

struct net_address sip_stream_local(const struct sip_transport *transport, uint64_t id)
{
	struct sip_connection *connection = slots_find(transport->connections, id);

	if (!connection || connection->state == CONNECTION_OPENING || connection->state == CONNECTION_BROKEN)
		return (struct net_address){0};
	return tcp_local(connection->tcp);
}

// ---- listeners

size_t sip_connection_size(void)
{
	return sizeof(struct sip_connection);
}

int sip_stream_listen(struct sip_listener *listener, const struct net_address *local)
{
	int error = tcp_listen(listener->transport->loop, local, listener_accepted, listener, &listener->tcp);

	if (!error)
		listener->local = tcp_listener_local(listener->tcp);
	return error;
}

static void close_visited(void *object, void *context)
{
	struct sip_connection *connection = object;
	(void)context;

	list_each (node, following, &connection->watches)
		list_remove(node);
	connection_free(connection);
}

void sip_stream_close_all(struct sip_transport *transport)
{
	slots_visit(transport->connections, close_visited, NULL);
}
