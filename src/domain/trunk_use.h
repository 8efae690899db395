// How many legs each trunk carries and how fast new ones come, held against its limits. A leg counts from its INVITE to its end, in
// both directions: a carrier's channels do not care who called. New legs per second count those that we begin. Emergency calls count,
// and are never refused. Call thread only.
#ifndef DOMAIN_TRUNK_USE_H
#define DOMAIN_TRUNK_USE_H

#include "base/loop.h"
#include "domain/trunk.h"

struct trunk_use;

struct trunk_use *trunk_use_create(struct loop *loop); // NULL when there is no memory
void trunk_use_destroy(struct trunk_use *use);         // no leg may be left

enum trunk_leg_kind { TRUNK_LEG_IN, TRUNK_LEG_OUT, TRUNK_LEG_EMERGENCY };

// One leg more. ERR_TRUNK_FULL or ERR_TRUNK_PACED when the limits do not allow it, ERR_NO_MEMORY: nothing is counted then.
enum err trunk_use_take(struct trunk_use *use, const struct trunk *trunk, enum trunk_leg_kind kind);
// That leg has ended; the trunk may be gone by then.
void trunk_use_give(struct trunk_use *use, uint64_t trunk_id);

struct trunk_use_counters {
	unsigned legs;          // now
	uint64_t begun;         // ever
	uint64_t refused_full;  // for legs_max
	uint64_t refused_paced; // for legs_per_s
};
struct trunk_use_counters trunk_use_count(const struct trunk_use *use, uint64_t trunk_id);
size_t trunk_use_legs(const struct trunk_use *use); // over all trunks

#endif
