// The HTTP side: the REST API under /api/v1, health, and the console's files. Runs on its own threads: one accepts and
// parses, a few workers run the handlers, which may wait for the store or ask the call thread a question through its queue.
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/loop.h"
#include "domain/media_relay.h"
#include "domain/prompt_piece.h"
#include "domain/trunk_state.h"
#include "domain/watch.h"
#include "http/provider.h"

struct http_server;

// What only main knows of how things are. Written on the call thread.
struct http_status {
	int64_t certificate_ends_s; // since 1970; 0: there is none
	unsigned banned;            // addresses banned for wrong passwords
	size_t records_waiting;     // call records not written yet
	uint64_t records_lost;
	struct {
		bool now;                                  // new requests are sent away
		unsigned busy_percent, admitted_percent;   // of the call thread's time; of new calls
		uint64_t refused_calls, refused_registers; // since the start
	} overload;
	struct media_relay_state relays[MEDIA_RELAYS_MAX];
	size_t relay_count;
};

// Who speaks SIP over WebSocket. Both are called on the call thread.
struct http_handover {
	// Writes the whole HTTP answer to a request for /sip, whose head this is. 101: its socket follows. NULL: there is no /sip.
	void (*greet)(void *context, const struct net_address *from, struct str head, struct writer *answer);
	// The socket, given away, and what came on it after the head. Secured: the HTTP side does the TLS.
	void (*adopt)(void *context, const struct tcp_foreign *socket, bool secured, struct str early);
};

struct http_settings {
	struct net_address listen;
	struct net_address listen_secured; // HTTPS, with what http_certificate_read has read; family 0 = none
	struct str realm;                  // of the devices' digests
	const char *console;               // folder of its files; NULL = none. Needed by http_server_create alone
	unsigned workers;                  // threads that run handlers
	int64_t receive_s;                 // within which a request must have come in whole; 0 = 30
	struct records *records;
	struct queue *call_thread; // work posted here runs on the call thread ...
	struct call_table *calls;  // ... and only there may these three be touched
	struct directory *directory;
	struct registrations *registrations;
	struct watch *watch; // what those who listen to events are told
	struct provider_settings single_sign_on;
	const char *version;
	// Numbers for /metrics, written on the call thread. May be NULL.
	void (*metrics)(void *context, struct writer *w);
	void (*status)(void *context, struct http_status *status); // on the call thread; may be NULL
	// How a trunk is, on the call thread; may be NULL: nothing is known.
	void (*trunk_state)(void *context, uint64_t trunk_id, struct trunk_state *state);
	struct http_handover handover;
	// The piece that ships, as WAV; may be NULL: none does.
	struct str (*prompt_shipped)(enum prompt_language language, enum prompt_piece piece);
	void (*recordings_changed)(void *context); // a prompt's recording is another; any thread; may be NULL
	void *context;
	int64_t (*now_ms)(void); // wall clock; NULL = the system's. For tests
};

// 0, or a negative errno (the address cannot be listened on).
int http_server_create(const struct http_settings *settings, struct http_server **server);
struct net_address http_server_listener(const struct http_server *server);
struct net_address http_server_secured_listener(const struct http_server *server); // family 0: there is none
// Takes no new requests and answers those under way. The call thread must go on with its queue meanwhile, so call this
// from another thread. Sockets that were given away and are secured here go on until http_server_destroy.
void http_server_stop(struct http_server *server);
void http_server_destroy(struct http_server *server); // stops it first, if that was not done. NULL is allowed

// Reads certificate and key (empty: in the same file), PEM, for HTTPS connections that begin from now on. False with a sentence, and
// nothing has changed.
bool http_certificate_read(struct str certificate, struct str key, char *sentence, size_t size);
void http_certificate_forget(void); // after the server

// Hashing of passwords (argon2id), shared with the first start. False when there is no memory.
bool http_password_hash(struct str password, char *encoded, size_t size);

#endif
