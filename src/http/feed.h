// Events for those who listen (Server-Sent Events, WHATWG HTML section 9.2): a thread takes what the call thread reports,
// makes each event's text once, keeps the last of them in a ring, and wakes the listeners that it concerns. A listener is
// a place in the ring and nothing else, so a thousand of them cost little; one that falls out of the ring is dropped.
#ifndef HTTP_FEED_H
#define HTTP_FEED_H

#include "domain/user.h"
#include "domain/watch.h"

#include <sys/types.h>

struct feed;
struct teams_presence;
struct listener;

enum event_kind { EVENT_CALL, EVENT_DEVICE, EVENT_ENTITY, EVENT_SESSION, EVENT_TRUNK, EVENT_ALARM, EVENT_KIND_COUNT };
extern const char *const event_kind_names[]; // "call" ..., ends with NULL

enum { LISTENERS_MAX = 4096, LISTENERS_PER_USER_MAX = 1024 };

// What carries the bytes. Both are called with the feed locked, and strictly in turns.
struct feed_carrier {
	void (*sleep)(void *connection); // nothing to send for now
	void (*wake)(void *connection);  // there is: feed_read follows
};

// Who listens, and to what.
struct listener_settings {
	uint64_t user_id, session_id, token_id; // session or token: the other is 0
	enum role role;                         // what is shown
	int users_role;                         // a change of it ends the stream
	int64_t until_ms;                       // wall clock: when the session ends; 0 = never
	unsigned kinds;                         // a bit per enum event_kind
	struct str last_id;                     // Last-Event-ID, or empty
};

// NULL when there is no memory or thread. What is known of Teams users is told with their devices; it lives longer.
struct feed *feed_create(struct watch *watch, const struct feed_carrier *carrier, int64_t (*now_ms)(void),
			 struct teams_presence *presence);
// Every stream ends, none begins any more.
void feed_end(struct feed *feed);
void feed_destroy(struct feed *feed); // every listener must have left
// OVERLOADED when too many listen.
enum err feed_listen(struct feed *feed, const struct listener_settings *settings, struct listener **listener);
// Up to `size` bytes of the stream. 0: sleep was called for this connection; -1: the stream has ended.
ssize_t feed_read(struct listener *listener, void *connection, char *into, size_t size);
void feed_leave(struct listener *listener);

struct feed_counters {
	uint64_t events, bytes_sent, dropped;
	size_t listeners;
};
struct feed_counters feed_count(struct feed *feed);

#endif
