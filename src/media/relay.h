// The relays there are: which are alive, and which one a new call gets.
#ifndef MEDIA_RELAY_H
#define MEDIA_RELAY_H

#include "domain/media_relay.h"
#include "media/ng.h"

struct relay;
struct relays;

struct relay_settings {
	struct str name; // at most MEDIA_RELAY_NAME_MAX bytes
	struct net_address address;
	unsigned weight; // of new calls, in proportion to the others'; at least 1
};

// What has begun on this relay before then is lost: it does not answer any more, or it has started anew.
typedef void relay_gone(void *context, struct relay *relay, uint64_t before_ms);

// Begins to check them at once; none is up before it has answered. `local` as in ng_client_create. 0, or a negative errno.
int relays_create(struct loop *loop, const struct net_address *local, relay_gone *gone, void *context,
		  struct relays **relays);
int relays_add(struct relays *relays, const struct relay_settings *settings);
void relays_destroy(struct relays *relays); // NULL is allowed

// By weight among those that are up, without `other_than` (which may be NULL). NULL: there is none.
struct relay *relays_choose(const struct relays *relays, const struct relay *other_than);
bool relays_available(const struct relays *relays); // whether one is up
// Whether one of them is at this host.
bool relays_hold(const struct relays *relays, const struct net_address *host);
size_t relays_states(const struct relays *relays, struct media_relay_state states[MEDIA_RELAYS_MAX]);

struct ng_client *relay_client(const struct relay *relay);
bool relay_is_up(const struct relay *relay);
struct str relay_name(const struct relay *relay);
void relay_take(struct relay *relay); // one session more
void relay_give(struct relay *relay); // one less

#endif
