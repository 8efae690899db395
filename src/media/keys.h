// The keys that relays have heard (RFC 4733): rtpengine sends a datagram with a JSON object for each (--dtmf-log-dest).
#ifndef MEDIA_KEYS_H
#define MEDIA_KEYS_H

#include "base/loop.h"

struct relays;
struct keys;

// The texts are borrowed.
typedef void key_heard(void *context, struct str call_id, struct str tag, char key);

// Listens there. Datagrams from elsewhere than a relay's host are dropped. 0, or a negative errno.
int keys_listen(struct loop *loop, const struct net_address *local, const struct relays *relays, key_heard *heard,
		void *context, struct keys **keys);
struct net_address keys_local(const struct keys *keys);
void keys_close(struct keys *keys); // NULL is allowed

struct key_event {
	char call_id[128], tag[64];
	char key; // '0' to '9', '*', '#', 'A' to 'D'
};
// False: it tells of no key.
bool key_read(struct str datagram, struct key_event *event);

#endif
