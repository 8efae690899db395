// Where the calls of a trunk are sent: its host alone, or each target that it names beside, in the order that priority and weight
// ask for (RFC 2782); and how each of them is.
#ifndef DOMAIN_TRUNK_TARGET_H
#define DOMAIN_TRUNK_TARGET_H

#include "domain/trunk.h"

enum { TRUNK_TARGETS_MAX = 8, TRUNK_TARGETS_LENGTH_MAX = 1000, TEAMS_PORT = 5061 };

struct trunk_target {
	struct str host;   // a name or an IP address; borrowed
	uint16_t port;     // 0 = as SRV records say, else the transport's own
	uint16_t priority; // lower first
	uint16_t weight;   // the share of the calls among equal priorities
};

// Reads "sbc1.example.com:5060;priority=10;weight=60 [2001:db8::1] ...", separated by spaces. False when that is not what it is:
// a wrong host or parameter, the same one twice, or more than TRUNK_TARGETS_MAX.
bool trunk_targets_parse(struct str text, struct trunk_target targets[TRUNK_TARGETS_MAX], size_t *count);
// The trunk's targets as written, or else its host and port alone. At least one. Of MS Teams: at port 5061, and where the host is
// sip.pstnhub.microsoft.com, sip2 and sip3 behind it, in that order.
size_t trunk_targets(const struct trunk *trunk, struct trunk_target targets[TRUNK_TARGETS_MAX]);

#endif
