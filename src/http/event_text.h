// What an event says and whom it concerns.
#ifndef HTTP_EVENT_TEXT_H
#define HTTP_EVENT_TEXT_H

#include "http/feed.h"

enum { EVENT_USERS_MAX = 8 };

// One event, made once and shared by all who get it.
struct event {
	struct event *following; // in a batch
	unsigned holders;        // with the feed locked
	enum event_kind kind;
	bool for_readers, for_agents; // administrators and auditors; every agent
	uint64_t users[EVENT_USERS_MAX];
	size_t user_count; // agents whom it concerns
	size_t length;
	char text[]; // with the blank line at its end
};

bool event_concerns(const struct event *event, const struct listener_settings *who);

// Events on their way into the ring, numbered from `next` on.
struct event_batch {
	int64_t epoch; // the first half of each id
	uint64_t next;
	struct event *first, **end;
};
// Adds the events that a report makes. False when there was no memory for one.
bool events_make(struct event_batch *batch, const struct report *report, struct teams_presence *presence);

#endif
