// A media relay that answers as rtpengine does, as far as the adapter can tell, and writes down what it is asked.
#ifndef TEST_MEDIA_FAKE_RELAY_H
#define TEST_MEDIA_FAKE_RELAY_H

#include "base/loop.h"

#include <jansson.h>

struct fake_relay {
	struct loop *loop;
	struct net_address address;
	struct udp_socket *socket;
	uint64_t started_ms;
	bool silent;                  // to all
	bool deaf_to_calls;           // answers checks alone
	const char *refuses;          // this command, with an error
	unsigned datagrams, commands; // all; those that were not checks and not sent again
	unsigned sessions;            // calls it holds
	char transcript[8192];        // a line for each command: "offer l1 l2"
	json_t *last;                 // the last command; owned
	char calls[64][160];          // ids of calls it holds
	char cookies[64][17];         // seen
	unsigned cookie_count;
	const char *deleted;  // what a delete brings, besides the result: the inside of a JSON object
	uint64_t duration_ms; // of what is played; 0: it does not say
};

void fake_relay_open(struct fake_relay *relay, struct loop *loop, const char *address);
void fake_relay_close(struct fake_relay *relay);
// Forgets its calls and counts its uptime anew.
void fake_relay_restart(struct fake_relay *relay);
// What it was asked since the last time.
const char *fake_relay_told(struct fake_relay *relay);
// A datagram as a relay sends for a key.
void fake_relay_key(struct fake_relay *relay, const struct net_address *to, const char *call_id, const char *tag,
		    unsigned event);

#endif
