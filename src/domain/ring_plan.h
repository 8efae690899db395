// The arithmetic of a ring plan: turns on a timeline. Pure.
#ifndef DOMAIN_RING_PLAN_H
#define DOMAIN_RING_PLAN_H

#include "domain/user.h"

// One device's place on the timeline, in milliseconds after the call's arrival.
struct turn {
	uint64_t device_id;
	uint64_t start_ms;
	uint64_t stop_ms;
};

// at_once: each starts at its start_s. in_sequence: each starts when the one before stops. Each rings for its ring_s.
// The result is ordered by start_ms, equal ones in the order given. Gives the count.
size_t ring_plan_timeline(enum strategy strategy, const struct turn_plan *plan, size_t count,
			  struct turn timeline[USER_TURNS_MAX]);

#endif
