// TCP on libuv: connections that write at once what the kernel takes and keep a bounded rest, and listeners.
#include "base/loop_uv.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	WAITING_MAX = 256 * 1024, // bytes
	LINGER_MS = 1000,
	KEEPALIVE_S = 60,
	TAKEN_MS = 30000, // what the other side has not taken after this long it never will
	BACKLOG = 1024,
	ACCEPT_RETRY_MS = 100,
};

enum phase {
	PHASE_CONNECTING,
	PHASE_OPEN,
	PHASE_OVER,      // `connected` has told of an error, or `ended` was called or will be; the owner must close
	PHASE_LINGERING, // closed by its owner; what waits is being sent
	PHASE_CLOSING,   // libuv is letting go of it
};

struct tcp_connection {
	uv_tcp_t uv;
	struct loop *loop;
	enum phase phase;
	bool reading_stopped; // by tcp_read_stop
	const struct tcp_handlers *handlers;
	void *context;
	struct net_address remote;
	struct net_address local; // of one that was adopted; family 0: the kernel knows
	void (*closed)(void *context);
	void *closed_context;
	size_t waiting; // bytes copied and not yet taken by the kernel
	uv_connect_t connecting;
	uv_shutdown_t shutting_down;
	struct timer timer; // tells of `error` in the next turn, or ends lingering
	int error;
};

struct waiting_write {
	uv_write_t request;
	struct tcp_connection *connection;
	size_t size;
	char bytes[];
};

struct tcp_listener {
	uv_tcp_t uv;
	struct loop *loop;
	void (*accepted)(void *context, struct tcp_connection *connection, const struct net_address *from);
	void *context;
	struct timer retry; // runs while there was no memory for a connection that waits
};

// ---- the life of a connection

static void connection_closed(uv_handle_t *handle)
{
	struct tcp_connection *connection = handle->data;
	if (connection->closed)
		connection->closed(connection->closed_context);
	free(connection);
}

static void connection_let_go(struct tcp_connection *connection)
{
	connection->phase = PHASE_CLOSING;
	timer_stop(&connection->timer);
	uv_close((uv_handle_t *)&connection->uv, connection_closed);
}

static void connection_end(struct tcp_connection *connection, int error)
{
	connection->phase = PHASE_OVER;
	uv_read_stop((uv_stream_t *)&connection->uv);
	connection->handlers->ended(connection->context, error);
}

// For errors found while the owner calls us: its handler is not called from within its own call.
static void connection_end_later(struct tcp_connection *connection, int error)
{
	if (connection->phase != PHASE_OPEN)
		return;
	connection->phase = PHASE_OVER;
	connection->error = error;
	uv_read_stop((uv_stream_t *)&connection->uv);
	timer_start(connection->loop, &connection->timer, 0);
}

static void timer_fired(struct timer *timer)
{
	struct tcp_connection *connection = container_of(timer, struct tcp_connection, timer);
	if (connection->phase == PHASE_LINGERING)
		connection_let_go(connection);
	else
		connection_end(connection, connection->error);
}

static struct tcp_connection *connection_create(struct loop *loop)
{
	struct tcp_connection *connection = calloc(1, sizeof *connection);
	if (!connection)
		return NULL;
	if (uv_tcp_init(&loop->uv, &connection->uv) != 0) {
		free(connection);
		return NULL;
	}
	connection->uv.data = connection;
	connection->loop = loop;
	timer_init(&connection->timer, timer_fired);
	loop->open++;
	return connection;
}

// ---- reading

static void provide_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
	struct tcp_connection *connection = handle->data;
	(void)suggested_size;
	*buffer = uv_buf_init(connection->loop->received, LOOP_PIECE_SIZE);
}

static void deliver(void *object, const void *extra, char *bytes, size_t size)
{
	struct tcp_connection *connection = object;
	(void)extra;
	connection->handlers->received(connection->context, bytes, size);
}

static void bytes_came(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct tcp_connection *connection = stream->data;
	if (connection->phase != PHASE_OPEN || size == 0)
		return;
	if (size > 0)
		loop_deliver(deliver, connection, NULL, (struct str){buffer->base, (size_t)size});
	else
		connection_end(connection, size == UV_EOF ? 0 : (int)size);
}

void tcp_read_stop(struct tcp_connection *connection)
{
	connection->reading_stopped = true;
	if (connection->phase == PHASE_OPEN)
		uv_read_stop((uv_stream_t *)&connection->uv);
}

void tcp_read_start(struct tcp_connection *connection)
{
	connection->reading_stopped = false;
	if (connection->phase == PHASE_OPEN)
		uv_read_start((uv_stream_t *)&connection->uv, provide_buffer, bytes_came);
}

static void connection_open(struct tcp_connection *connection)
{
	connection->phase = PHASE_OPEN;
	// SIP messages are small and somebody waits for each
	uv_tcp_nodelay(&connection->uv, 1);
	uv_tcp_keepalive(&connection->uv, 1, KEEPALIVE_S);
	// ends connections of those who are gone and of those who do not read (tcp(7)); without it the kernel waits for hours
	const unsigned taken_ms = TAKEN_MS;
	uv_os_fd_t fd;
	if (uv_fileno((uv_handle_t *)&connection->uv, &fd) == 0)
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &taken_ms, sizeof taken_ms);
}

// ---- writing

static void write_done(uv_write_t *request, int status)
{
	struct waiting_write *write = container_of(request, struct waiting_write, request);
	struct tcp_connection *connection = write->connection;
	connection->waiting -= write->size;
	free(write);
	if (status != 0 && connection->phase == PHASE_OPEN)
		connection_end(connection, status);
}

// Keeps a copy of what the kernel did not take.
static int write_later(struct tcp_connection *connection, struct str bytes)
{
	struct waiting_write *write = malloc(sizeof *write + bytes.length);
	if (!write)
		return -ENOMEM;
	write->connection = connection;
	write->size = bytes.length;
	memcpy(write->bytes, bytes.at, bytes.length);
	uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)bytes.length);
	int error = uv_write(&write->request, (uv_stream_t *)&connection->uv, &buffer, 1, write_done);
	if (error) {
		free(write);
		return error;
	}
	connection->waiting += bytes.length;
	return 0;
}

int tcp_send(struct tcp_connection *connection, struct str bytes)
{
	if (connection->phase != PHASE_OPEN && connection->phase != PHASE_CONNECTING)
		return -ENOTCONN;
	if (bytes.length > WAITING_MAX - connection->waiting)
		return -ENOBUFS;
	if (bytes.length == 0)
		return 0;
	int taken = -EAGAIN;
	if (connection->phase == PHASE_OPEN) {
		// libuv takes bytes that may be written to, but only reads them; -EAGAIN while earlier bytes wait
		uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes.at, (unsigned)bytes.length);
		taken = uv_try_write((uv_stream_t *)&connection->uv, &buffer, 1);
	}
	if (taken < 0 && taken != -EAGAIN) {
		connection_end_later(connection, taken);
		return taken;
	}
	struct str rest = str_from(bytes, taken > 0 ? (size_t)taken : 0);
	int error = rest.length > 0 ? write_later(connection, rest) : 0;
	// half a message is out: whatever followed would be read as its other half
	if (error && taken > 0)
		connection_end_later(connection, error);
	return error;
}

static void shutdown_done(uv_shutdown_t *request, int status)
{
	struct tcp_connection *connection = request->handle->data;
	(void)status;
	if (connection->phase == PHASE_LINGERING)
		connection_let_go(connection);
}

void tcp_close(struct tcp_connection *connection)
{
	if (!connection)
		return;
	assert(connection->phase < PHASE_LINGERING);
	connection->loop->open--;
	bool lingers = connection->phase == PHASE_OPEN && connection->waiting > 0;
	timer_stop(&connection->timer);
	connection->phase = PHASE_LINGERING;
	uv_read_stop((uv_stream_t *)&connection->uv);
	if (lingers && uv_shutdown(&connection->shutting_down, (uv_stream_t *)&connection->uv, shutdown_done) == 0)
		timer_start(connection->loop, &connection->timer, LINGER_MS);
	else
		connection_let_go(connection);
}

// ---- connecting

static void connect_done(uv_connect_t *request, int status)
{
	struct tcp_connection *connection = request->handle->data;
	if (connection->phase != PHASE_CONNECTING)
		return;
	if (status == 0)
		connection_open(connection);
	else
		connection->phase = PHASE_OVER;
	if (status == 0 && !connection->reading_stopped)
		tcp_read_start(connection);
	connection->handlers->connected(connection->context, status);
}

int tcp_connect(struct loop *loop, const struct net_address *to, const struct tcp_handlers *handlers, void *context,
		struct tcp_connection **result)
{
	struct sockaddr_storage address;
	if (net_address_to_sockaddr(to, &address) == 0)
		return -EAFNOSUPPORT;
	struct tcp_connection *connection = connection_create(loop);
	if (!connection)
		return -ENOMEM;
	connection->phase = PHASE_CONNECTING;
	connection->remote = *to;
	tcp_handle(connection, handlers, context);
	int error = uv_tcp_connect(&connection->connecting, &connection->uv, (struct sockaddr *)&address, connect_done);
	if (error) {
		tcp_close(connection);
		return error;
	}
	*result = connection;
	return 0;
}

int tcp_adopt(struct loop *loop, const struct tcp_foreign *foreign, const struct tcp_handlers *handlers, void *context,
	      struct tcp_connection **result)
{
	struct tcp_connection *connection = connection_create(loop);
	int error = connection ? uv_tcp_open(&connection->uv, foreign->socket) : -ENOMEM;
	if (error) {
		close(foreign->socket);
		if (foreign->closed)
			foreign->closed(foreign->context);
		if (connection)
			tcp_close(connection);
		return error;
	}
	connection->local = foreign->local;
	connection->remote = foreign->remote;
	connection->closed = foreign->closed;
	connection->closed_context = foreign->context;
	tcp_handle(connection, handlers, context);
	connection_open(connection);
	tcp_read_start(connection);
	*result = connection;
	return 0;
}

void tcp_handle(struct tcp_connection *connection, const struct tcp_handlers *handlers, void *context)
{
	connection->handlers = handlers;
	connection->context = context;
}

struct net_address tcp_local(const struct tcp_connection *connection)
{
	struct sockaddr_storage address;
	struct net_address local = connection->local;
	int size = sizeof address;
	if (local.family == 0 && uv_tcp_getsockname(&connection->uv, (struct sockaddr *)&address, &size) == 0)
		net_address_from_sockaddr((struct sockaddr *)&address, &local);
	return local;
}

struct net_address tcp_remote(const struct tcp_connection *connection)
{
	return connection->remote;
}

// ---- listening

static bool read_remote(struct tcp_connection *connection)
{
	struct sockaddr_storage address;
	int size = sizeof address;
	return uv_tcp_getpeername(&connection->uv, (struct sockaddr *)&address, &size) == 0 &&
	       net_address_from_sockaddr((struct sockaddr *)&address, &connection->remote);
}

static void connection_came(uv_stream_t *stream, int status)
{
	struct tcp_listener *listener = stream->data;
	if (status != 0)
		return; // none left to take, or it went away while it waited
	struct tcp_connection *connection = connection_create(listener->loop);
	if (!connection) {
		// libuv holds it and takes no other until it was accepted
		timer_start(listener->loop, &listener->retry, ACCEPT_RETRY_MS);
		return;
	}
	if (uv_accept(stream, (uv_stream_t *)&connection->uv) != 0 || !read_remote(connection)) {
		tcp_close(connection);
		return;
	}
	connection_open(connection);
	// a handler may free the connection's owner, but the memory of the connection outlives this function
	listener->accepted(listener->context, connection, &connection->remote);
	assert(connection->handlers || connection->phase >= PHASE_LINGERING);
	if (connection->phase == PHASE_OPEN && !connection->reading_stopped)
		tcp_read_start(connection);
}

static void accept_again(struct timer *timer)
{
	struct tcp_listener *listener = container_of(timer, struct tcp_listener, retry);
	connection_came((uv_stream_t *)&listener->uv, 0);
}

static void listener_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int tcp_listen(struct loop *loop, const struct net_address *local,
	       void (*accepted)(void *context, struct tcp_connection *connection, const struct net_address *from),
	       void *context, struct tcp_listener **result)
{
	struct sockaddr_storage address;
	if (net_address_to_sockaddr(local, &address) == 0)
		return -EAFNOSUPPORT;
	struct tcp_listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		return -ENOMEM;
	*listener = (struct tcp_listener){.loop = loop, .accepted = accepted, .context = context};
	int error = uv_tcp_init(&loop->uv, &listener->uv);
	if (error) {
		free(listener);
		return error;
	}
	listener->uv.data = listener;
	timer_init(&listener->retry, accept_again);
	// sets SO_REUSEADDR too, so that a restart need not wait for old connections to time out
	error = uv_tcp_bind(&listener->uv, (struct sockaddr *)&address, local->family == 6 ? UV_TCP_IPV6ONLY : 0);
	if (!error)
		error = uv_listen((uv_stream_t *)&listener->uv, BACKLOG, connection_came);
	if (error) {
		uv_close((uv_handle_t *)&listener->uv, listener_closed);
		return error;
	}
	loop->open++;
	*result = listener;
	return 0;
}

struct net_address tcp_listener_local(const struct tcp_listener *listener)
{
	struct sockaddr_storage address;
	struct net_address local = {0};
	int size = sizeof address;
	if (uv_tcp_getsockname(&listener->uv, (struct sockaddr *)&address, &size) == 0)
		net_address_from_sockaddr((struct sockaddr *)&address, &local);
	return local;
}

void tcp_listener_close(struct tcp_listener *listener)
{
	if (!listener)
		return;
	timer_stop(&listener->retry);
	listener->loop->open--;
	uv_close((uv_handle_t *)&listener->uv, listener_closed);
}
