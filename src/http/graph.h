// Microsoft Graph, as an application that signs in with its own secret (OAuth 2.0 client credentials): whom a user principal name means,
// and the presence of users. Waits for answers, so it belongs to one thread that is neither the call thread nor a worker.
#ifndef HTTP_GRAPH_H
#define HTTP_GRAPH_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GRAPH_ID_MAX = 64,      // of a user's id with its NUL
	GRAPH_BATCH_MAX = 650,  // ids in one question, by Microsoft's documentation
	GRAPH_ACTIVITY_MAX = 32 // "InACall" with its NUL
};

struct graph;

// All texts are copied.
struct graph_settings {
	struct str tenant;    // its id or one of its domains
	struct str client_id; // of the application
	struct str client_secret;
	struct str login_url;         // "https://login.microsoftonline.com"
	struct str graph_url;         // "https://graph.microsoft.com"
	const atomic_bool *abandoned; // once it is true whatever waits gives up; lives longer
};

enum graph_result {
	GRAPH_DONE,
	GRAPH_NOT_FOUND,
	GRAPH_WAIT,   // it asks us to come later, or cannot be reached
	GRAPH_REFUSED // and that will not change by itself
};

struct graph_refusal {
	long retry_after_s; // as it says; 0: it does not
	char sentence[256]; // why; holds no secret
};

struct graph_counters {
	uint64_t requests, throttled, failed, tokens;
};

enum availability {
	PRESENCE_UNKNOWN,
	PRESENCE_AVAILABLE,
	PRESENCE_BUSY,
	PRESENCE_DO_NOT_DISTURB,
	PRESENCE_AWAY,
	PRESENCE_OFFLINE
};
extern const char *const availability_names[]; // "unknown" ..., ends with NULL

struct graph_presence {
	struct str id;
	enum availability availability;
	struct str activity; // Microsoft's own word, letters alone; empty: none
};

struct graph *graph_create(const struct graph_settings *settings); // NULL when there is no memory
void graph_destroy(struct graph *graph);                           // forgets its secrets
struct graph_counters graph_count(const struct graph *graph);

// The id of the user with this principal name; one that is an id already is only looked at.
enum graph_result graph_find_user(struct graph *graph, struct str name, char id[GRAPH_ID_MAX],
				  struct graph_refusal *refusal);
// Of up to GRAPH_BATCH_MAX users. `take` is called for each that it tells of, its texts borrowed.
struct graph_taker {
	void (*take)(void *context, const struct graph_presence *presence);
	void *context;
};
enum graph_result graph_presences(struct graph *graph, const char *const *ids, size_t count,
				  const struct graph_taker *taker, struct graph_refusal *refusal);

#endif
