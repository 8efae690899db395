// From start and ring times to a timeline.
#include "domain/ring_plan.h"

#include <assert.h>

enum { MS_PER_S = 1000 };

// Later turns come later, equal ones stay in the order given.
static void turn_insert(struct turn *timeline, size_t count, struct turn turn)
{
	size_t place = count;

	while (place > 0 && timeline[place - 1].start_ms > turn.start_ms) {
		timeline[place] = timeline[place - 1];
		place--;
	}
	timeline[place] = turn;
}

size_t ring_plan_timeline(enum strategy strategy, const struct turn_plan *plan, size_t count,
			  struct turn timeline[USER_TURNS_MAX])
{
	uint64_t stopped_ms = 0;

	assert(count <= USER_TURNS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct turn turn = {.device_id = plan[i].device_id};
		turn.start_ms = strategy == STRATEGY_IN_SEQUENCE ? stopped_ms : (uint64_t)plan[i].start_s * MS_PER_S;
		turn.stop_ms = turn.start_ms + (uint64_t)plan[i].ring_s * MS_PER_S;
		stopped_ms = turn.stop_ms;
		turn_insert(timeline, i, turn);
	}
	return count;
}
