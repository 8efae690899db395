// One HTTP request, received completely, and the answer to it. A worker thread has it alone; nothing here knows the
// library that carried it.
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "base/list.h"
#include "base/net.h"
#include "domain/records.h"
#include "domain/session.h"
#include "domain/user.h"

#include <jansson.h>

struct http_server;
struct listener;
struct operation;

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_OTHER };
const char *method_name(enum method method);
enum method method_parse(const char *name); // HEAD counts as GET: the library leaves the body out

enum {
	REQUEST_BODY_MAX = 1 << 20,
	REQUEST_MEMORY_MAX = 32 << 20, // of the arena: what a list of 1000 entities needs at most
	QUERY_PARAMETERS_MAX = 24,
};

// What a request is answered with. Made by the functions of answer.h only, so that no path is without an answer.
struct answer {
	unsigned status;
	const char *type; // Content-Type; NULL = no body
	struct str body;
	char *owned;      // the body's memory, to be freed; NULL = it is constant
	const char *etag; // these live in the request's arena or are constant, NULL = none
	const char *location;
	const char *cookie;
	const char *allow;
	const char *cache;    // Cache-Control; NULL = no-store
	const char *encoding; // Content-Encoding
	const char *policy;   // Content-Security-Policy; NULL = nothing is allowed
	bool varies;          // with Accept-Encoding
	bool replayed;        // that of an earlier request with the same idempotency key
	unsigned retry_after_s;
	struct listener *stream; // instead of a body; owned
	struct str verbatim;     // status line, headers and body, instead of all others; in the arena
};

// The headers that mean something here. Slices of the arena, empty = absent.
struct request_headers {
	struct str authorization;
	struct str cookie;
	struct str content_type;
	struct str if_match;
	struct str if_none_match;
	struct str accept_encoding;
	struct str csrf_token;
	struct str idempotency_key;
	struct str forwarded_proto;
	struct str user_agent;
	struct str last_event_id;
};

// Who asks. All in the request's arena.
struct identity {
	const struct user *user;       // NULL = nobody
	const struct session *session; // by cookie
	const struct token *token;     // by Authorization
	enum role role;                // a token may be allowed less than its user
};

struct query_parameter {
	struct str name, value; // percent-decoded
	bool used;
};

struct request {
	struct list node; // in the workers' queue
	struct http_server *server;
	struct arena arena;
	enum method method;
	struct str uri; // as it came: path and query
	struct request_headers headers;
	struct net_address from;
	bool secured;    // by TLS here; a proxy in front may have done so as well
	struct str head; // all of it, where the SIP side is to read it; in the arena
	char *body;      // malloc'd, at most REQUEST_BODY_MAX bytes
	size_t body_size;

	// What the worker makes of it.
	struct str path;
	struct query_parameter query[QUERY_PARAMETERS_MAX];
	size_t query_count;
	const struct operation *operation;
	struct str id; // the {id} in the path
	struct identity identity;
	struct actor actor; // the same for the audit log
	json_t *json;       // the body, an object; owned
	struct answer answer;
};

// Splits the URI into path and query and decodes them. MALFORMED on a bad escape, a NUL, text that is not UTF-8, a
// parameter given twice or too many of them.
enum err request_read_uri(struct request *request, struct problem *problem);
// The body as a JSON object: WRONG_MEDIA_TYPE, or MALFORMED with the place and the reason.
enum err request_read_json(struct request *request, struct problem *problem);
// A query parameter, marked as used; false when it was not given.
bool request_parameter(struct request *request, const char *name, struct str *value);
// UNKNOWN_FIELD for the first parameter that nobody has used.
enum err request_parameters_done(struct request *request, struct problem *problem);
// The path's {id} as a number; 0 when it is none, which no entity has.
uint64_t request_id(const struct request *request);
// The value of a cookie, empty when there is none.
struct str request_cookie(const struct request *request, const char *name);
int64_t request_now_ms(const struct request *request); // wall clock

#endif
