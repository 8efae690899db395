// Servers that did not answer, remembered for a while so that the next call does not wait for them, too.
#ifndef SIP_DEAD_TARGETS_H
#define SIP_DEAD_TARGETS_H

#include "base/loop.h"
#include "domain/trunk.h"

struct sip_target {
	struct net_address address;
	enum transport transport;
	uint8_t place; // of those that the lookup was given, the one it stands for; no part of what it is
};

enum target_health {
	TARGET_ALIVE, // as far as is known
	TARGET_BUSY,  // said 503: only used when there is no other
	TARGET_DEAD   // silent, or no connection comes about: not used
};

enum { DEAD_TARGETS_MAX = 64, TARGET_DEAD_MS = 30 * 1000, TARGET_BUSY_MAX_MS = 300 * 1000 };
#define TARGET_UNTIL_CHECKED UINT64_MAX // as long as nobody says that it lives

struct dead_target {
	struct sip_target target;
	enum target_health health; // TARGET_ALIVE: this place is free
	uint64_t until_ms;
};

// When all places are taken, the one whose time is over first makes room.
struct dead_targets {
	struct dead_target places[DEAD_TARGETS_MAX];
};

bool sip_target_equal(const struct sip_target *a, const struct sip_target *b);
// TARGET_ALIVE forgets it.
void dead_targets_note(struct dead_targets *dead, struct loop *loop, const struct sip_target *target,
		       enum target_health health, uint64_t duration_ms);
enum target_health dead_targets_look(const struct dead_targets *dead, const struct loop *loop,
				     const struct sip_target *target);
unsigned dead_targets_count(const struct dead_targets *dead, const struct loop *loop);

#endif
