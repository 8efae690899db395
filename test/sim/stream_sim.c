// TCP in a simulated world: pairs of connections that hand each other their bytes, in order, late and in pieces.
#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TCP_WAITING_MAX = 256 * 1024, CONNECT_TIMEOUT_MS = 60000 };

// ---- TCP

int tcp_listen(struct loop *loop, const struct net_address *local,
	       void (*accepted)(void *context, struct tcp_connection *connection, const struct net_address *from),
	       void *context, struct tcp_listener **listener)
{
	struct tcp_listener *made = calloc(1, sizeof *made);
	if (!made)
		return -ENOMEM;
	int error = bound_add(loop, &made->bound, BOUND_TCP, local);
	if (error) {
		free(made);
		return error;
	}
	made->accepted = accepted;
	made->context = context;
	*listener = made;
	return 0;
}

struct net_address tcp_listener_local(const struct tcp_listener *listener)
{
	return listener->bound.address;
}

void tcp_listener_close(struct tcp_listener *listener)
{
	if (!listener)
		return;
	bound_remove(&listener->bound);
	free(listener);
}

static struct tcp_connection *connection_new(struct loop *loop, const struct net_address *local,
					     const struct net_address *remote)
{
	struct tcp_connection *connection = calloc(1, sizeof *connection);
	if (!connection)
		return NULL;
	connection->loop = loop;
	connection->local = *local;
	connection->remote = *remote;
	connection->reading = true;
	list_init(&connection->inbox);
	list_init(&connection->early);
	connection->id = slots_add(loop->connections, connection);
	if (!connection->id) {
		free(connection);
		return NULL;
	}
	loop->count.sockets++;
	return connection;
}

static void events_free(struct list *events)
{
	list_each (node, following, events) {
		list_remove(node);
		event_free(container_of(node, struct event, node));
	}
}

static void connection_free(struct tcp_connection *connection)
{
	events_free(&connection->inbox);
	events_free(&connection->early);
	slots_remove(connection->loop->connections, connection->id);
	connection->loop->count.sockets--;
	free(connection);
}

// Something for the peer, behind all that went before it.
static void connection_send(struct tcp_connection *connection, enum event_kind kind, struct str bytes)
{
	struct loop *loop = connection->loop;
	uint64_t at_ms = loop->now_ms + network_delay(loop);
	if (at_ms < connection->last_arrival_ms)
		at_ms = connection->last_arrival_ms;
	connection->last_arrival_ms = at_ms;
	struct event *event = event_new(loop, kind, at_ms, bytes);
	event->from = connection->local;
	event->to = connection->remote;
	event->connection = connection->peer;
	event->sender = connection->id;
	event_push(loop, event);
}

static struct tcp_connection *connection_find(struct loop *loop, uint64_t id)
{
	return slots_find(loop->connections, id);
}

// ---- opening

int sim_tcp_connect(struct loop *loop, const struct net_address *from, const struct net_address *to,
		    const struct tcp_handlers *handlers, void *context, struct tcp_connection **connection)
{
	if (from->family != to->family)
		return -ENETUNREACH;
	struct net_address local = *from;
	local.port = port_next(loop);
	struct tcp_connection *made = connection_new(loop, &local, to);
	if (!made)
		return -ENOMEM;
	made->handlers = handlers;
	made->context = context;
	struct event *syn = event_new(loop, EVENT_SYN, loop->now_ms + network_delay(loop), STR_NONE);
	syn->from = made->local;
	syn->to = made->remote;
	syn->connection = made->id;
	event_push(loop, syn);
	*connection = made;
	return 0;
}

int tcp_connect(struct loop *loop, const struct net_address *to, const struct tcp_handlers *handlers, void *context,
		struct tcp_connection **connection)
{
	return sim_tcp_connect(loop, &loop->home, to, handlers, context, connection);
}

// There are no sockets here.
int tcp_adopt(struct loop *loop, const struct tcp_foreign *foreign, const struct tcp_handlers *handlers, void *context,
	      struct tcp_connection **connection)
{
	(void)loop;
	(void)handlers;
	(void)context;
	(void)connection;
	if (foreign->closed)
		foreign->closed(foreign->context);
	return -ENOTSUP;
}

void tcp_handle(struct tcp_connection *connection, const struct tcp_handlers *handlers, void *context)
{
	connection->handlers = handlers;
	connection->context = context;
}

struct net_address tcp_local(const struct tcp_connection *connection)
{
	return connection->local;
}

struct net_address tcp_remote(const struct tcp_connection *connection)
{
	return connection->remote;
}

// What the asker hears: refused, or nobody was there to answer.
static void asker_fails(struct tcp_connection *asker, int error, uint64_t delay_ms)
{
	struct loop *loop = asker->loop;
	struct event *event = event_new(loop, EVENT_REFUSED, loop->now_ms + delay_ms, STR_NONE);
	event->connection = asker->id;
	event->error = error;
	event_push(loop, event);
}

static void syn_arrive(struct loop *loop, const struct event *event)
{
	struct tcp_connection *asker = connection_find(loop, event->connection);
	if (!asker || asker->state != CONNECTION_ASKING)
		return;
	if (network_is_down(loop, &event->to) || network_is_down(loop, &event->from)) {
		asker_fails(asker, -ETIMEDOUT, CONNECT_TIMEOUT_MS);
		return;
	}
	struct bound *bound = bound_find(loop, BOUND_TCP, &event->to);
	struct tcp_connection *made = bound ? connection_new(loop, &event->to, &event->from) : NULL;
	if (!made) {
		asker_fails(asker, -ECONNREFUSED, network_delay(loop));
		return;
	}
	struct tcp_listener *listener = container_of(bound, struct tcp_listener, bound);
	made->peer = asker->id;
	made->state = CONNECTION_OPEN;
	asker->peer = made->id;
	connection_send(made, EVENT_OPEN, STR_NONE);
	const uint64_t made_id = made->id;
	listener->accepted(listener->context, made, &event->from);
	made = connection_find(loop, made_id);
	assert(!made || made->handlers); // the listener must take it or close it
}

static void open_arrive(struct tcp_connection *asker)
{
	asker->state = CONNECTION_OPEN;
	list_each (node, following, &asker->early) {
		struct event *event = container_of(node, struct event, node);
		list_remove(node);
		connection_send(asker, EVENT_PIECE, (struct str){event->bytes, event->size});
		event_free(event);
	}
	asker->handlers->connected(asker->context, 0);
}

// ---- bytes

static void send_piece(struct tcp_connection *connection, struct str bytes)
{
	const struct sim_packet packet = {connection->loop->now_ms, SIM_TCP, connection->local, connection->remote,
					  bytes};
	network_sent(connection->loop, &packet, SIM_DELIVERED);
	connection_send(connection, EVENT_PIECE, bytes);
}

int tcp_send(struct tcp_connection *connection, struct str bytes)
{
	struct loop *loop = connection->loop;
	if (connection->state == CONNECTION_ENDED)
		return -EPIPE;
	if (connection->waiting + bytes.length > TCP_WAITING_MAX)
		return -ENOBUFS;
	connection->waiting += bytes.length;
	if (connection->state == CONNECTION_ASKING) {
		struct event *event = event_new(loop, EVENT_PIECE, 0, bytes);
		list_append(&connection->early, &event->node);
		return 0;
	}
	while (loop->network.cut_streams && bytes.length > 1 && draw_below(&loop->network_state, 3) == 0) {
		const size_t cut = 1 + draw_below(&loop->network_state, bytes.length - 1);
		send_piece(connection, str_first(bytes, cut));
		bytes = str_from(bytes, cut);
	}
	if (bytes.length)
		send_piece(connection, bytes);
	return 0;
}

void tcp_read_stop(struct tcp_connection *connection)
{
	connection->reading = false;
}

// What came in the meantime arrives now, in turns of its own.
static void inbox_resume(struct tcp_connection *connection)
{
	list_each (node, following, &connection->inbox) {
		struct event *event = container_of(node, struct event, node);
		list_remove(node);
		event->at_ms = connection->loop->now_ms;
		event_push(connection->loop, event);
	}
}

void tcp_read_start(struct tcp_connection *connection)
{
	if (connection->reading)
		return;
	connection->reading = true;
	inbox_resume(connection);
}

static void resume_visited(void *object, void *context)
{
	struct tcp_connection *connection = object;
	(void)context;
	if (connection->reading)
		inbox_resume(connection);
}

void streams_resume(struct loop *loop)
{
	slots_visit(loop->connections, resume_visited, NULL);
}

static void piece_arrive(struct tcp_connection *connection, const struct event *event)
{
	struct tcp_connection *sender = connection_find(connection->loop, connection->peer);
	if (sender)
		sender->waiting -= event->size;
	network_arrived(connection->loop, event, SIM_TCP);
	connection->handlers->received(connection->context, event->bytes, event->size);
}

// ---- the end

static void connection_ends(struct tcp_connection *connection, int error)
{
	const bool was_asking = connection->state == CONNECTION_ASKING;
	connection->state = CONNECTION_ENDED;
	if (was_asking)
		connection->handlers->connected(connection->context, error);
	else
		connection->handlers->ended(connection->context, error);
}

void tcp_close(struct tcp_connection *connection)
{
	if (!connection)
		return;
	if (connection->peer && connection->state != CONNECTION_ENDED)
		connection_send(connection, EVENT_FIN, STR_NONE);
	connection_free(connection);
}

struct reset {
	const struct net_address *end;
	unsigned count;
};

static bool end_matches(const struct net_address *address, const struct net_address *end)
{
	return net_address_same_host(address, end) && (end->port == 0 || end->port == address->port);
}

static void reset_visited(void *object, void *context)
{
	struct tcp_connection *connection = object;
	struct reset *reset = context;
	if (connection->state != CONNECTION_OPEN ||
	    (!end_matches(&connection->local, reset->end) && !end_matches(&connection->remote, reset->end)))
		return;
	struct event *event = event_new(connection->loop, EVENT_RESET, connection->loop->now_ms, STR_NONE);
	event->connection = connection->id;
	event_push(connection->loop, event);
	reset->count++;
}

unsigned sim_reset_connections(struct loop *loop, const struct net_address *end)
{
	struct reset reset = {.end = end};
	slots_visit(loop->connections, reset_visited, &reset);
	return (reset.count + 1) / 2; // both ends were counted
}

// Bytes for a connection that is closed: its host answers with a reset.
static void answer_reset(struct loop *loop, const struct event *event)
{
	struct event *reset = event_new(loop, EVENT_RESET, loop->now_ms + network_delay(loop), STR_NONE);
	reset->connection = event->sender;
	event_push(loop, reset);
}

// ---- arrivals

// Gives false when the event was kept for later.
static bool connection_arrive(struct tcp_connection *connection, struct event *event)
{
	struct loop *loop = connection->loop;
	const bool stalled = event->kind != EVENT_RESET && event->kind != EVENT_REFUSED &&
			     (!connection->reading || !list_empty(&connection->inbox) ||
			      network_is_down(loop, &event->to) || network_is_down(loop, &event->from));
	if (stalled) {
		list_append(&connection->inbox, &event->node);
		return false;
	}
	if (connection->state == CONNECTION_ENDED)
		return true;
	switch (event->kind) {
	case EVENT_OPEN:
		open_arrive(connection);
		break;
	case EVENT_PIECE:
		piece_arrive(connection, event);
		break;
	case EVENT_FIN:
		connection_ends(connection, 0);
		break;
	case EVENT_RESET:
		connection_ends(connection, -ECONNRESET);
		break;
	case EVENT_REFUSED:
		connection_ends(connection, event->error);
		break;
	case EVENT_SYN:
	case EVENT_DATAGRAM:
		assert(!"not for a connection");
	}
	return true;
}

void stream_arrive(struct loop *loop, struct event *event)
{
	struct tcp_connection *connection = connection_find(loop, event->connection);
	if (event->kind == EVENT_SYN) {
		syn_arrive(loop, event);
	} else if (!connection) {
		if (event->kind == EVENT_PIECE)
			answer_reset(loop, event);
	} else if (!connection_arrive(connection, event)) {
		return;
	}
	event_free(event);
}
