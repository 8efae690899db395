// Carries HTTP/1.1 with libmicrohttpd: one thread accepts connections and receives requests as a whole, within bounds of
// size and time; then the connection sleeps while a worker thread makes the answer.
#include "http/server.h"
#include "base/log.h"
#include "http/answer.h"
#include "http/console.h"
#include "http/feed.h"
#include "http/handover.h"
#include "http/https_certificate.h"
#include "http/idempotency.h"
#include "http/router.h"
#include "http/sessions.h"
#include "http/ticker.h"
#include "http/workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = LISTENERS_MAX + 1024,
	SECURED_MAX = CONNECTIONS_MAX + 4096, // those that speak SIP are carried here as long as they last
	CONNECTION_MEMORY = 32 << 10,         // bounds the request line and all headers
	IDLE_S = 15,                          // without a byte
	LAST_ANSWERS_S = 2,                   // to send what was answered when the server is taken down
	RECEIVE_S = 30,                       // for a whole request, however its bytes trickle in
	DISCARD_MAX = 8 << 20,                // of a body that is too large, before the connection is cut
	WORKERS_DEFAULT = 4,
	STREAM_BLOCK = 16 << 10,  // of events, taken and sent in one go
	STREAM_SOCKET = 64 << 10, // what the kernel may keep for a listener that does not read
};

struct http_server {
	struct http_settings settings;
	struct MHD_Daemon *daemon, *secured; // NULL: not listening
	struct net_address listener, secured_listener;
	bool stopped;
	struct workers *workers;
	struct call_line *call_line;
	struct passwords *passwords;
	struct attempts attempts;
	struct overview_cache overview;
	struct idempotency *idempotency;
	struct feed *feed;
	struct activity *activity;
	struct provider *provider;
	struct ticker *sweeper; // of sessions
	struct workers *sign_in_workers;
	struct ticker *ticker;
	struct console *console; // NULL = none is installed
	pthread_mutex_t connections_lock;
	pthread_cond_t answered_all;
	struct list connections;      // of struct connection
	size_t under_way;             // requests handed to a worker and not yet answered in full
	_Atomic uint64_t answered[6]; // by hundreds of the status
};

// One connection, for the deadline: libmicrohttpd's own timer starts anew with each byte.
struct connection {
	struct list node;
	struct http_server *server;
	int socket;
	int64_t since_ms; // when it began to wait for a request, monotonic; 0 = one is being answered
};

// A request on its way through libmicrohttpd.
struct transfer {
	struct request request; // the worker's while the connection sleeps
	struct MHD_Connection *connection;
	int64_t since_ms; // monotonic
	size_t discarded;
	bool head_seen, handed_over, answered, too_large;
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct http_settings *server_settings(const struct http_server *server)
{
	return &server->settings;
}

struct records *server_records(struct http_server *server)
{
	return server->settings.records;
}

struct call_line *server_call_line(struct http_server *server)
{
	return server->call_line;
}

struct passwords *server_passwords(struct http_server *server)
{
	return server->passwords;
}

struct attempts *server_attempts(struct http_server *server)
{
	return &server->attempts;
}

struct idempotency *server_idempotency(struct http_server *server)
{
	return server->idempotency;
}

struct overview_cache *server_overview(struct http_server *server)
{
	return &server->overview;
}

struct activity *server_activity(struct http_server *server)
{
	return server->activity;
}

struct provider *server_provider(struct http_server *server)
{
	return server->provider;
}

struct feed *server_feed(struct http_server *server)
{
	return server->feed;
}

const struct console *server_console(const struct http_server *server)
{
	return server->console;
}

int64_t server_now_ms(const struct http_server *server)
{
	return server->settings.now_ms();
}

static void feed_metrics(struct http_server *server, struct writer *w)
{
	struct feed_counters feed = feed_count(server->feed);
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} metrics[] = {
	    {"event_listeners", "gauge", "Streams of events open now.", feed.listeners},
	    {"event_listeners_dropped_total", "counter", "Streams cut off for not keeping up.", feed.dropped},
	    {"events_total", "counter", "Events made.", feed.events},
	    {"event_bytes_total", "counter", "Bytes of events sent to all listeners together.", feed.bytes_sent},
	};
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		writer_format(w, "# HELP carillon_%s %s\n# TYPE carillon_%s %s\ncarillon_%s %" PRIu64 "\n",
			      metrics[i].name, metrics[i].help, metrics[i].name, metrics[i].type, metrics[i].name,
			      metrics[i].value);
}

void server_metrics(struct http_server *server, struct writer *w)
{
	feed_metrics(server, w);
	writer_text(w, "# HELP carillon_http_requests_total Requests answered, by class of status.\n"
		       "# TYPE carillon_http_requests_total counter\n");
	for (int i = 1; i < 6; i++)
		writer_format(w, "carillon_http_requests_total{status=\"%dxx\"} %" PRIu64 "\n", i,
			      atomic_load(&server->answered[i]));
}

// ---- connections and their deadline

static struct connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

static void connection_waits(struct MHD_Connection *mhd, int64_t since_ms)
{
	struct connection *connection = connection_of(mhd);
	if (!connection)
		return;
	pthread_mutex_lock(&connection->server->connections_lock);
	connection->since_ms = since_ms;
	pthread_mutex_unlock(&connection->server->connections_lock);
}

static void connection_changed(void *context, struct MHD_Connection *mhd, void **socket_context,
			       enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = context;
	struct connection *connection = *socket_context;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	pthread_mutex_lock(&server->connections_lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = calloc(1, sizeof *connection);
		*socket_context = connection;
		if (connection && info) {
			*connection = (struct connection){
			    .server = server, .socket = info->connect_fd, .since_ms = monotonic_ms()};
			list_append(&server->connections, &connection->node);
		}
	} else if (connection) {
		list_remove(&connection->node);
		free(connection);
		*socket_context = NULL;
	}
	pthread_mutex_unlock(&server->connections_lock);
}

// Called once a second. The lock keeps a socket's number from being given to another meanwhile.
static void connections_expire(void *context)
{
	struct http_server *server = context;
	int64_t latest_ms = monotonic_ms() - server->settings.receive_s * 1000;
	pthread_mutex_lock(&server->connections_lock);
	list_each (node, following, &server->connections) {
		struct connection *connection = container_of(node, struct connection, node);
		if (connection->since_ms && connection->since_ms < latest_ms)
			shutdown(connection->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->connections_lock);
}

// ---- receiving

// Called with the request line, before anything else. What it gives becomes *slot of the calls that follow.
static void *uri_received(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);
	if (!transfer)
		return NULL;
	transfer->connection = connection;
	transfer->since_ms = monotonic_ms();
	transfer->request.server = context;
	arena_init(&transfer->request.arena, REQUEST_MEMORY_MAX);
	list_init(&transfer->request.node);
	transfer->request.uri = arena_copy(&transfer->request.arena, str_of(uri));
	return transfer;
}

static void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	json_decref(transfer->request.json);
	answer_free(&transfer->request.answer);
	free(transfer->request.body);
	arena_free(&transfer->request.arena);
	free(transfer);
}

static void under_way_add(struct http_server *server, int count)
{
	pthread_mutex_lock(&server->connections_lock);
	server->under_way += (size_t)count;
	if (server->under_way == 0)
		pthread_cond_signal(&server->answered_all);
	pthread_mutex_unlock(&server->connections_lock);
}

static void completed(void *context, struct MHD_Connection *connection, void **slot,
		      enum MHD_RequestTerminationCode code)
{
	(void)code;
	struct transfer *transfer = *slot;
	if (!transfer)
		return;
	if (transfer->handed_over)
		under_way_add(context, -1);
	connection_waits(connection, monotonic_ms());
	transfer_free(transfer);
	*slot = NULL;
}

static struct str header(struct transfer *transfer, const char *name)
{
	const char *value = MHD_lookup_connection_value(transfer->connection, MHD_HEADER_KIND, name);
	return arena_copy(&transfer->request.arena, str_of(value));
}

struct framing {
	unsigned lengths, encodings;
	bool bad_encoding;
};

static enum MHD_Result framing_look(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *framing = context;
	(void)kind;
	if (str_equal_nocase(str_of(name), STR("Content-Length")))
		framing->lengths++;
	if (str_equal_nocase(str_of(name), STR("Transfer-Encoding"))) {
		framing->encodings++;
		framing->bad_encoding |= !str_equal_nocase(str_trim(str_of(value)), STR("chunked"));
	}
	return MHD_YES;
}

// Two lengths, or a length and chunks, are read differently by different servers (RFC 9112 section 6.3): none is right.
static enum err framing_check(struct transfer *transfer)
{
	struct framing framing = {0};
	uint64_t length = 0;
	MHD_get_connection_values(transfer->connection, MHD_HEADER_KIND, framing_look, &framing);
	struct str text = header(transfer, "Content-Length");
	if (framing.lengths + framing.encodings > 1 || framing.bad_encoding ||
	    (framing.lengths && !str_to_uint(text, UINT64_MAX, &length)))
		return ERR_MALFORMED;
	return length > REQUEST_BODY_MAX ? ERR_TOO_LARGE : ERR_NONE;
}

static enum err head_read(struct transfer *transfer, const char *method, const char *version)
{
	struct request *request = &transfer->request;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(transfer->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	request->method = method_parse(method);
	request->headers = (struct request_headers){
	    .authorization = header(transfer, MHD_HTTP_HEADER_AUTHORIZATION),
	    .cookie = header(transfer, MHD_HTTP_HEADER_COOKIE),
	    .content_type = header(transfer, MHD_HTTP_HEADER_CONTENT_TYPE),
	    .if_match = header(transfer, MHD_HTTP_HEADER_IF_MATCH),
	    .if_none_match = header(transfer, MHD_HTTP_HEADER_IF_NONE_MATCH),
	    .accept_encoding = header(transfer, MHD_HTTP_HEADER_ACCEPT_ENCODING),
	    .csrf_token = header(transfer, "X-CSRF-Token"),
	    .idempotency_key = header(transfer, "Idempotency-Key"),
	    .forwarded_proto = header(transfer, "X-Forwarded-Proto"),
	    .user_agent = header(transfer, MHD_HTTP_HEADER_USER_AGENT),
	    .last_event_id = header(transfer, "Last-Event-ID"),
	};
	request->secured = MHD_get_connection_info(transfer->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL;
	if (info && info->client_addr)
		net_address_from_sockaddr(info->client_addr, &request->from);
	if (!request->uri.at)
		return ERR_NO_MEMORY;
	if (handover_concerns(request->uri))
		request->head = handover_head(&request->arena, transfer->connection, method, request->uri, version);
	return framing_check(transfer);
}

static bool body_add(struct transfer *transfer, const char *bytes, size_t size)
{
	struct request *request = &transfer->request;
	if (transfer->too_large || size > REQUEST_BODY_MAX - request->body_size) {
		transfer->too_large = true;
		transfer->discarded += size;
		return transfer->discarded < DISCARD_MAX;
	}
	// The room doubles: a length that was only promised takes no memory.
	size_t room = 4096;
	while (room < request->body_size)
		room *= 2;
	if (request->body == NULL || request->body_size + size > room) {
		while (room < request->body_size + size)
			room *= 2;
		char *body = realloc(request->body, room);
		if (!body)
			return false;
		request->body = body;
	}
	memcpy(request->body + request->body_size, bytes, size);
	request->body_size += size;
	return true;
}

// ---- answering

static void log_request(const struct transfer *transfer)
{
	const struct request *request = &transfer->request;
	log_info("http_request", LOG_TEXT("method", method_name(request->method)),
		 LOG_TEXT("route", request->operation ? request->operation->path : "none"),
		 LOG_UINT("status", request->answer.status), LOG_INT("ms", monotonic_ms() - transfer->since_ms),
		 LOG_UINT("user", request->identity.user ? request->identity.user->entity.id : 0));
}

static bool headers_add(struct MHD_Response *response, const struct answer *answer, bool secured)
{
	const char *const pairs[][2] = {
	    {"Content-Type", answer->type},
	    {"ETag", answer->etag},
	    {"Location", answer->location},
	    {"Set-Cookie", answer->cookie},
	    {"Allow", answer->allow},
	    {"WWW-Authenticate", answer->status == 401 ? "Bearer" : NULL},
	    {"Cache-Control", answer->cache ? answer->cache : "no-store"},
	    {"Content-Encoding", answer->encoding},
	    {"Vary", answer->varies ? "Accept-Encoding" : NULL},
	    {"X-Content-Type-Options", "nosniff"},
	    {"X-Frame-Options", "DENY"},
	    {"Referrer-Policy", "no-referrer"},
	    {"Content-Security-Policy", answer->policy ? answer->policy : "default-src 'none'; frame-ancestors 'none'"},
	    {"Cross-Origin-Resource-Policy", "same-origin"},
	    {"Strict-Transport-Security", secured ? "max-age=31536000" : NULL},
	    {"X-Accel-Buffering", answer->stream ? "no" : NULL}, // a proxy must not gather events
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (pairs[i][1] && MHD_add_response_header(response, pairs[i][0], pairs[i][1]) != MHD_YES)
			return false;
	if (answer->retry_after_s) {
		char seconds[16];
		struct writer w = writer_into(seconds, sizeof seconds);
		writer_format(&w, "%u%c", answer->retry_after_s, '\0');
		return MHD_add_response_header(response, "Retry-After", seconds) == MHD_YES;
	}
	return true;
}

static ssize_t stream_read(void *context, uint64_t position, char *into, size_t size)
{
	struct transfer *transfer = context;
	(void)position;
	ssize_t more = feed_read(transfer->request.answer.stream, transfer->connection, into, size);
	return more < 0 ? MHD_CONTENT_READER_END_OF_STREAM : more;
}

static struct MHD_Response *stream_begin(struct transfer *transfer)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(transfer->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int room = STREAM_SOCKET;
	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, transfer, NULL);
}

// libmicrohttpd resumes a connection on its own thread, so a listener may be woken on any.
static void stream_sleep(void *connection)
{
	MHD_suspend_connection(connection);
}

static void stream_wake(void *connection)
{
	MHD_resume_connection(connection);
}

// The connection is no longer ours to answer on.
static void upgraded(void *context, struct MHD_Connection *connection, void *slot, const char *early, size_t early_size,
		     MHD_socket socket, struct MHD_UpgradeResponseHandle *handle)
{
	struct transfer *transfer = slot;
	under_way_add(context, -1);
	transfer->handed_over = false;
	handover_give(context, connection, socket, handle, (struct str){early, early_size});
}

static struct MHD_Response *response_begin(struct transfer *transfer)
{
	struct answer *answer = &transfer->request.answer;
	if (!str_empty(answer->verbatim))
		return handover_response(answer->verbatim, upgraded, transfer->request.server);
	if (answer->stream)
		return stream_begin(transfer);
	return MHD_create_response_from_buffer(answer->body.length, (void *)(uintptr_t)answer->body.at,
					       answer->owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer_send(struct transfer *transfer)
{
	struct answer *answer = &transfer->request.answer;
	struct http_server *server = transfer->request.server;
	transfer->answered = true;
	atomic_fetch_add(&server->answered[answer->status / 100 % 6], 1);
	log_request(transfer);
	struct MHD_Response *response = response_begin(transfer);
	if (!response)
		return MHD_NO;
	answer->owned = NULL; // the response has it now
	enum MHD_Result result = MHD_NO;
	if (answer->status == 101 || headers_add(response, answer, transfer->request.secured))
		result = MHD_queue_response(transfer->connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct transfer *transfer, enum err err)
{
	transfer->request.answer = answer_err(&transfer->request, err);
	return answer_send(transfer);
}

// On a worker's thread.
static void answer_made(struct request *request)
{
	MHD_resume_connection(container_of(request, struct transfer, request)->connection);
}

// Checking a password takes long. Whoever signs in waits behind those who do so too, and nobody else does.
static struct workers *workers_for(const struct request *request)
{
	// So does asking the provider.
	bool slow = str_starts(request->uri, STR("/api/v1/single-sign-on/")) ||
		    (request->method == METHOD_POST && str_equal(request->uri, STR("/api/v1/session"))) ||
		    (request->method == METHOD_PUT && str_equal(request->uri, STR("/api/v1/me/password")));
	return slow ? request->server->sign_in_workers : request->server->workers;
}

static enum MHD_Result hand_over(struct transfer *transfer)
{
	if (transfer->too_large)
		return refuse(transfer, ERR_TOO_LARGE);
	transfer->handed_over = true;
	under_way_add(transfer->request.server, 1);
	MHD_suspend_connection(transfer->connection);
	if (workers_take(workers_for(&transfer->request), &transfer->request))
		return MHD_YES;
	transfer->request.answer = answer_err(&transfer->request, ERR_OVERLOADED);
	MHD_resume_connection(transfer->connection);
	return MHD_YES;
}

// libmicrohttpd calls this with the head, with each piece of the body, at the body's end, and again after a resume.
static enum MHD_Result received(void *context, struct MHD_Connection *connection, const char *url, const char *method,
				const char *version, const char *upload, size_t *upload_size, void **slot)
{
	struct transfer *transfer = *slot;
	(void)context;
	(void)connection;
	(void)url;
	if (!transfer)
		return MHD_NO;
	if (!transfer->head_seen) {
		transfer->head_seen = true;
		enum err err = head_read(transfer, method, version);
		return err ? refuse(transfer, err) : MHD_YES;
	}
	if (*upload_size) {
		bool kept = body_add(transfer, upload, *upload_size);
		*upload_size = 0;
		return kept ? MHD_YES : MHD_NO;
	}
	if (transfer->answered)
		return MHD_YES;
	if (transfer->request.answer.status)
		return answer_send(transfer);
	connection_waits(connection, 0);
	return hand_over(transfer);
}

// ---- building and taking down

// The path and query are decoded by request.c, which refuses what is wrong instead of mending it.
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

static void daemon_logs(void *context, const char *format, va_list arguments)
{
	char text[300];
	(void)context;
	int length = vsnprintf(text, sizeof text, format, arguments);
	if (length > 0)
		log_debug("http_library", LOG_STR("says", str_trim(str_of(text))));
}

static int daemon_start(struct http_server *server, const struct net_address *listen, bool secured,
			struct MHD_Daemon **started, struct net_address *listener)
{
	struct sockaddr_storage address;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ITC |
			 MHD_USE_ERROR_LOG | (secured ? MHD_USE_TLS : 0) | (listen->family == 6 ? MHD_USE_IPv6 : 0);
	net_address_to_sockaddr(listen, &address);
	errno = 0;
	struct MHD_Daemon *daemon = MHD_start_daemon(
	    flags, listen->port, NULL, NULL, received, server, MHD_OPTION_EXTERNAL_LOGGER, daemon_logs, NULL,
	    MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)(secured ? SECURED_MAX : CONNECTIONS_MAX), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, uri_received, server,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, server, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
	    secured ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
	    MHD_OPTION_HTTPS_CERT_CALLBACK2, https_certificate_give, MHD_OPTION_END);
	if (!daemon)
		return errno ? -errno : -EADDRINUSE;
	*started = daemon;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_LISTEN_FD);
	socklen_t size = sizeof address;
	if (!info || getsockname(info->listen_fd, (struct sockaddr *)&address, &size) != 0)
		return -EIO;
	net_address_from_sockaddr((struct sockaddr *)&address, listener);
	return 0;
}

static int daemons_start(struct http_server *server)
{
	const struct http_settings *settings = &server->settings;
	int error = daemon_start(server, &settings->listen, false, &server->daemon, &server->listener);
	if (!error && settings->listen_secured.family)
		error =
		    daemon_start(server, &settings->listen_secured, true, &server->secured, &server->secured_listener);
	return error;
}

// A server without a console is still a server: what is wrong with it is logged.
static void console_read(struct http_server *server, const char *folder)
{
	int error = console_create(folder, &server->console);
	if (error)
		log_warning("console_not_read", LOG_TEXT("folder", folder), LOG_TEXT("error", strerror(-error)));
}

int http_server_create(const struct http_settings *settings, struct http_server **created)
{
	struct http_server *server = calloc(1, sizeof *server);
	int error = -ENOMEM;
	if (!server)
		return error;
	server->settings = *settings;
	if (!server->settings.receive_s)
		server->settings.receive_s = RECEIVE_S;
	if (!server->settings.now_ms)
		server->settings.now_ms = wall_clock_ms;
	unsigned workers = settings->workers ? settings->workers : WORKERS_DEFAULT;
	pthread_mutex_init(&server->connections_lock, NULL);
	pthread_mutex_init(&server->attempts.lock, NULL);
	pthread_mutex_init(&server->overview.lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&server->answered_all, &attributes);
	pthread_condattr_destroy(&attributes);
	list_init(&server->connections);
	server->call_line =
	    call_line_create(settings->call_thread, settings->calls, settings->directory, settings->registrations);
	server->passwords = passwords_create(workers);
	server->activity = activity_create();
	server->provider = provider_create(&settings->single_sign_on);
	server->idempotency = idempotency_create();
	server->feed =
	    feed_create(settings->watch, &(struct feed_carrier){stream_sleep, stream_wake}, server->settings.now_ms);
	server->workers = workers_create(workers, answer_made);
	server->sign_in_workers = workers_create(PASSWORDS_AT_ONCE, answer_made);
	server->sweeper = ticker_create(sessions_sweep, server);
	server->ticker = ticker_create(connections_expire, server);
	if (settings->console)
		console_read(server, settings->console);
	if (server->activity && server->provider && server->sign_in_workers && server->sweeper && server->call_line &&
	    server->passwords && server->idempotency && server->feed && server->workers && server->ticker)
		error = daemons_start(server);
	if (error) {
		http_server_destroy(server);
		return error;
	}
	*created = server;
	return 0;
}

struct net_address http_server_listener(const struct http_server *server)
{
	return server->listener;
}

struct net_address http_server_secured_listener(const struct http_server *server)
{
	return server->secured_listener;
}

static void answers_wait(struct http_server *server)
{
	struct timespec until;
	int waited = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LAST_ANSWERS_S;
	pthread_mutex_lock(&server->connections_lock);
	while (server->under_way && waited == 0)
		waited = pthread_cond_timedwait(&server->answered_all, &server->connections_lock, &until);
	pthread_mutex_unlock(&server->connections_lock);
}

static void listening_ends(struct MHD_Daemon *daemon)
{
	MHD_socket listener = daemon ? MHD_quiesce_daemon(daemon) : MHD_INVALID_SOCKET;
	if (listener != MHD_INVALID_SOCKET)
		close(listener);
}

void http_server_stop(struct http_server *server)
{
	if (server->stopped)
		return;
	server->stopped = true;
	listening_ends(server->daemon);
	listening_ends(server->secured);
	ticker_destroy(server->ticker);
	ticker_destroy(server->sweeper);
	if (server->workers)
		workers_end(server->workers);
	if (server->sign_in_workers)
		workers_end(server->sign_in_workers);
	if (server->feed)
		feed_end(server->feed); // no connection sleeps after this
	if (server->daemon)
		answers_wait(server);
}

void http_server_destroy(struct http_server *server)
{
	if (!server)
		return;
	http_server_stop(server);
	handover_end(server);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->secured)
		MHD_stop_daemon(server->secured);
	workers_destroy(server->workers);
	workers_destroy(server->sign_in_workers);
	activity_destroy(server->activity);
	provider_destroy(server->provider);
	feed_destroy(server->feed);
	passwords_destroy(server->passwords);
	idempotency_destroy(server->idempotency);
	console_destroy(server->console);
	if (server->call_line)
		call_line_release(server->call_line);
	pthread_cond_destroy(&server->answered_all);
	pthread_mutex_destroy(&server->overview.lock);
	pthread_mutex_destroy(&server->attempts.lock);
	pthread_mutex_destroy(&server->connections_lock);
	free(server);
}
