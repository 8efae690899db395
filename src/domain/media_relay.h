// How a media relay is, as the status and the metrics show it.
#ifndef DOMAIN_MEDIA_RELAY_H
#define DOMAIN_MEDIA_RELAY_H

#include "base/net.h"

enum { MEDIA_RELAYS_MAX = 8, MEDIA_RELAY_NAME_MAX = 63 };

struct media_relay_state {
	char name[MEDIA_RELAY_NAME_MAX + 1];
	struct net_address address;
	bool up;                                      // new calls can have it
	int64_t since;                                // wall clock ms; 0: it has not been heard of yet
	size_t sessions;                              // pairs of sides that are on it now
	int64_t latency_us;                           // of the last check that was answered; -1: there was none
	uint64_t commands, retransmissions, timeouts; // since the start
};

#endif
