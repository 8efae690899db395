// The ng protocol, by which rtpengine is told what to do: a cookie, a space and a JSON object in one datagram, and the
// answer with the same cookie. A command is sent again until it is answered; rtpengine remembers cookies and does nothing
// twice.
#ifndef MEDIA_NG_H
#define MEDIA_NG_H

#include "base/loop.h"

#include <jansson.h>

enum { NG_COOKIE_SIZE = 16, NG_DATAGRAM_MAX = 65507 };

struct ng_client;  // speaks to one relay
struct ng_request; // waits for an answer; gone once its handler is called

// The answer, an object; NULL: none came in time. Borrowed.
typedef void ng_answered(void *context, const json_t *answer);

struct ng_counters {
	uint64_t sent;            // commands
	uint64_t retransmissions; // datagrams sent again
	uint64_t timeouts;        // commands without an answer
	uint64_t strays;          // datagrams that answer nothing, or are broken
};

// `local` with family 0: any address and port. 0, or a negative errno.
int ng_client_create(struct loop *loop, const struct net_address *local, const struct net_address *relay,
		     struct ng_client **client);
// No handler is called any more. NULL is allowed.
void ng_client_destroy(struct ng_client *client);
struct ng_counters ng_client_count(const struct ng_client *client);

// Sends the command now, after 100 ms, another 200 ms, 400 ms and so on, and gives up after patience_ms. The handler is
// called in a later turn. NULL when there is no memory, or the command does not fit into a datagram. Borrows the command.
struct ng_request *ng_send(struct ng_client *client, const json_t *command, uint64_t patience_ms, ng_answered *handler,
			   void *context);
void ng_cancel(struct ng_request *request); // its handler is not called. NULL is allowed

// ---- reading what came; each takes whatever it is given

// The object, which the caller owns, and the cookie, which lies in the datagram. NULL: it is no answer.
json_t *ng_read(struct str datagram, struct str *cookie);
// What the relay says it was ("ok", "pong", "error"), or empty. Lives as long as the answer.
struct str ng_result(const json_t *answer);
// A member that is a text, or empty. Lives as long as the object.
struct str ng_text(const json_t *object, const char *key);
// A member that is a whole number from 0 on, also when it is written as a text; else `fallback`.
uint64_t ng_uint(const json_t *object, const char *key, uint64_t fallback);

#endif
