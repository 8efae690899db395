// Receives a request's head and body within bounds, hands it to a worker, and sends the answer that it made.
#include "http/exchange.h"

#include "base/log.h"
#include "http/answer.h"
#include "http/connections.h"
#include "http/feed.h"
#include "http/handover.h"
#include "http/router.h"
#include "http/server.h"
#include "http/workers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	DISCARD_MAX = 8 << 20,    // of a body that is too large, before the connection is cut
	STREAM_BLOCK = 16 << 10,  // of events, taken and sent in one go
	STREAM_SOCKET = 64 << 10, // what the kernel may keep for a listener that does not read
};

// A request on its way through libmicrohttpd.
struct http_exchange {
	struct request request; // the worker's while the connection sleeps
	struct MHD_Connection *connection;
	int64_t since_ms; // monotonic
	size_t discarded;
	bool head_seen, handed_over, answered, too_large;
};

// ---- receiving

void *http_exchange_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct http_exchange *exchange = calloc(1, sizeof *exchange);
	if (!exchange)
		return NULL;
	exchange->connection = connection;
	exchange->since_ms = http_monotonic_ms();
	exchange->request.server = context;
	arena_init(&exchange->request.arena, REQUEST_MEMORY_MAX);
	list_init(&exchange->request.node);
	exchange->request.uri = arena_copy(&exchange->request.arena, str_of(uri));
	return exchange;
}

static void exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	json_decref(exchange->request.json);
	answer_free(&exchange->request.answer);
	free(exchange->request.body);
	arena_free(&exchange->request.arena);
	free(exchange);
}

void http_exchange_completed(void *context, struct MHD_Connection *connection, void **slot,
			     enum MHD_RequestTerminationCode code)
{
	(void)code;
	struct http_exchange *exchange = *slot;
	if (!exchange)
		return;
	if (exchange->handed_over)
		connections_under_way(server_connections(context), -1);
	connection_waits(connection, http_monotonic_ms());
	exchange_free(exchange);
	*slot = NULL;
}

static struct str header(struct http_exchange *exchange, const char *name)
{
	const char *value = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
	return arena_copy(&exchange->request.arena, str_of(value));
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
static enum err framing_check(struct http_exchange *exchange)
{
	struct framing framing = {0};
	uint64_t length = 0;
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, framing_look, &framing);
	struct str text = header(exchange, "Content-Length");
	if (framing.lengths + framing.encodings > 1 || framing.bad_encoding ||
	    (framing.lengths && !str_to_uint(text, UINT64_MAX, &length)))
		return ERR_MALFORMED;
	return length > REQUEST_BODY_MAX ? ERR_TOO_LARGE : ERR_NONE;
}

static enum err head_read(struct http_exchange *exchange, const char *method, const char *version)
{
	struct request *request = &exchange->request;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	request->method = method_parse(method);
	request->headers = (struct request_headers){
	    .authorization = header(exchange, MHD_HTTP_HEADER_AUTHORIZATION),
	    .cookie = header(exchange, MHD_HTTP_HEADER_COOKIE),
	    .content_type = header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE),
	    .if_match = header(exchange, MHD_HTTP_HEADER_IF_MATCH),
	    .if_none_match = header(exchange, MHD_HTTP_HEADER_IF_NONE_MATCH),
	    .accept_encoding = header(exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING),
	    .csrf_token = header(exchange, "X-CSRF-Token"),
	    .idempotency_key = header(exchange, "Idempotency-Key"),
	    .forwarded_proto = header(exchange, "X-Forwarded-Proto"),
	    .user_agent = header(exchange, MHD_HTTP_HEADER_USER_AGENT),
	    .last_event_id = header(exchange, "Last-Event-ID"),
	};
	request->secured = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL;
	if (info && info->client_addr)
		net_address_from_sockaddr(info->client_addr, &request->from);
	if (!request->uri.at)
		return ERR_NO_MEMORY;
	if (handover_concerns(request->uri))
		request->head = handover_head(&request->arena, exchange->connection, method, request->uri, version);
	return framing_check(exchange);
}

static bool body_add(struct http_exchange *exchange, const char *bytes, size_t size)
{
	struct request *request = &exchange->request;
	if (exchange->too_large || size > REQUEST_BODY_MAX - request->body_size) {
		exchange->too_large = true;
		exchange->discarded += size;
		return exchange->discarded < DISCARD_MAX;
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

static void log_request(const struct http_exchange *exchange)
{
	const struct request *request = &exchange->request;
	log_info("http_request", LOG_TEXT("method", method_name(request->method)),
		 LOG_TEXT("route", request->operation ? request->operation->path : "none"),
		 LOG_UINT("status", request->answer.status), LOG_INT("ms", http_monotonic_ms() - exchange->since_ms),
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
	    {"Idempotency-Replayed", answer->replayed ? "true" : NULL},
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
	struct http_exchange *exchange = context;
	(void)position;
	ssize_t more = feed_read(exchange->request.answer.stream, exchange->connection, into, size);
	return more < 0 ? MHD_CONTENT_READER_END_OF_STREAM : more;
}

static struct MHD_Response *stream_begin(struct http_exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int room = STREAM_SOCKET;
	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, exchange, NULL);
}

// The connection is no longer ours to answer on.
static void upgraded(void *context, struct MHD_Connection *connection, void *slot, const char *early, size_t early_size,
		     MHD_socket socket, struct MHD_UpgradeResponseHandle *handle)
{
	struct http_exchange *exchange = slot;
	connections_under_way(server_connections(context), -1);
	exchange->handed_over = false;
	handover_give(context, connection, socket, handle, (struct str){early, early_size});
}

static struct MHD_Response *response_begin(struct http_exchange *exchange)
{
	struct answer *answer = &exchange->request.answer;
	if (!str_empty(answer->verbatim))
		return handover_response(answer->verbatim, upgraded, exchange->request.server);
	if (answer->stream)
		return stream_begin(exchange);
	return MHD_create_response_from_buffer(answer->body.length, (void *)(uintptr_t)answer->body.at,
					       answer->owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer_send(struct http_exchange *exchange)
{
	struct answer *answer = &exchange->request.answer;
	exchange->answered = true;
	server_count_answer(exchange->request.server, answer->status);
	log_request(exchange);
	struct MHD_Response *response = response_begin(exchange);
	if (!response)
		return MHD_NO;
	answer->owned = NULL; // the response has it now
	enum MHD_Result result = MHD_NO;
	if (answer->status == 101 || headers_add(response, answer, exchange->request.secured))
		result = MHD_queue_response(exchange->connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct http_exchange *exchange, enum err err)
{
	exchange->request.answer = answer_err(&exchange->request, err);
	return answer_send(exchange);
}

void http_exchange_answered(struct request *request)
{
	MHD_resume_connection(container_of(request, struct http_exchange, request)->connection);
}

// Checking a password takes long. Whoever signs in waits behind those who do so too, and nobody else does.
static struct workers *workers_for(const struct request *request)
{
	// So does asking the provider.
	bool slow = str_starts(request->uri, STR("/api/v1/single-sign-on/")) ||
		    (request->method == METHOD_POST && str_equal(request->uri, STR("/api/v1/session"))) ||
		    (request->method == METHOD_PUT && str_equal(request->uri, STR("/api/v1/me/password")));
	return server_workers(request->server, slow);
}

static enum MHD_Result hand_over(struct http_exchange *exchange)
{
	if (exchange->too_large)
		return refuse(exchange, ERR_TOO_LARGE);
	exchange->handed_over = true;
	connections_under_way(server_connections(exchange->request.server), 1);
	MHD_suspend_connection(exchange->connection);
	if (workers_take(workers_for(&exchange->request), &exchange->request))
		return MHD_YES;
	exchange->request.answer = answer_err(&exchange->request, ERR_OVERLOADED);
	MHD_resume_connection(exchange->connection);
	return MHD_YES;
}

enum MHD_Result http_exchange_received(void *context, struct MHD_Connection *connection, const char *url,
				       const char *method, const char *version, const char *upload, size_t *upload_size,
				       void **slot)
{
	struct http_exchange *exchange = *slot;
	(void)context;
	(void)connection;
	(void)url;
	if (!exchange)
		return MHD_NO;
	if (!exchange->head_seen) {
		exchange->head_seen = true;
		enum err err = head_read(exchange, method, version);
		return err ? refuse(exchange, err) : MHD_YES;
	}
	if (*upload_size) {
		bool kept = body_add(exchange, upload, *upload_size);
		*upload_size = 0;
		return kept ? MHD_YES : MHD_NO;
	}
	if (exchange->answered)
		return MHD_YES;
	if (exchange->request.answer.status)
		return answer_send(exchange);
	connection_waits(connection, 0);
	return hand_over(exchange);
}
