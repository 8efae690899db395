// The arithmetic of ring plans.
#include "domain/ring_plan.h"
#include "lib/cmocka.h"

#include <stdlib.h>

static void at_once_starts_each_at_its_own_time(void **state)
{
	const struct turn_plan plan[] = {{.device_id = 330, .start_s = 0, .ring_s = 20},
					 {.device_id = 821, .start_s = 5, .ring_s = 10},
					 {.device_id = 7, .start_s = 0, .ring_s = 1}};
	struct turn timeline[USER_TURNS_MAX];

	(void)state;
	assert_int_equal(ring_plan_timeline(STRATEGY_AT_ONCE, plan, 3, timeline), 3);
	// by start; equal ones in the order given
	assert_int_equal(timeline[0].device_id, 330);
	assert_int_equal(timeline[1].device_id, 7);
	assert_int_equal(timeline[2].device_id, 821);
	assert_int_equal(timeline[2].start_ms, 5000);
	assert_int_equal(timeline[2].stop_ms, 15000);
	assert_int_equal(timeline[1].stop_ms, 1000);
}

static void in_sequence_starts_each_when_the_one_before_stops(void **state)
{
	const struct turn_plan plan[] = {{.device_id = 330, .start_s = 9, .ring_s = 5},
					 {.device_id = 821, .start_s = 0, .ring_s = 10},
					 {.device_id = 7, .start_s = 3, .ring_s = 600}};
	struct turn timeline[USER_TURNS_MAX];

	(void)state;
	assert_int_equal(ring_plan_timeline(STRATEGY_IN_SEQUENCE, plan, 3, timeline), 3);
	assert_int_equal(timeline[0].start_ms, 0); // start_s has no meaning here
	assert_int_equal(timeline[0].stop_ms, 5000);
	assert_int_equal(timeline[1].start_ms, 5000);
	assert_int_equal(timeline[1].stop_ms, 15000);
	assert_int_equal(timeline[2].start_ms, 15000);
	assert_int_equal(timeline[2].stop_ms, 615000);
}

static void nothing_gives_nothing(void **state)
{
	struct turn timeline[USER_TURNS_MAX];

	(void)state;
	assert_int_equal(ring_plan_timeline(STRATEGY_AT_ONCE, NULL, 0, timeline), 0);
}

// Whatever the plan: as many turns as given, each device once, ordered, each as long as it is to ring.
static void any_plan_keeps_every_device_and_its_ring_time(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct turn_plan plan[USER_TURNS_MAX];
		struct turn timeline[USER_TURNS_MAX];
		size_t count = (size_t)rand() % (USER_TURNS_MAX + 1);
		enum strategy strategy = rand() % 2 ? STRATEGY_AT_ONCE : STRATEGY_IN_SEQUENCE;
		for (size_t i = 0; i < count; i++)
			plan[i] =
			    (struct turn_plan){.device_id = i + 1, .start_s = rand() % 4, .ring_s = 1 + rand() % 600};
		assert_int_equal(ring_plan_timeline(strategy, plan, count, timeline), count);
		uint64_t seen = 0;
		for (size_t i = 0; i < count; i++) {
			const struct turn_plan *of = &plan[timeline[i].device_id - 1];
			seen |= UINT64_C(1) << of->device_id;
			assert_int_equal(timeline[i].stop_ms - timeline[i].start_ms, of->ring_s * 1000);
			if (strategy == STRATEGY_AT_ONCE)
				assert_int_equal(timeline[i].start_ms, of->start_s * 1000);
			if (i == 0)
				continue;
			assert_true(timeline[i].start_ms >= timeline[i - 1].start_ms);
			if (strategy == STRATEGY_IN_SEQUENCE)
				assert_int_equal(timeline[i].start_ms, timeline[i - 1].stop_ms);
			else if (timeline[i].start_ms == timeline[i - 1].start_ms)
				assert_true(timeline[i].device_id > timeline[i - 1].device_id);
		}
		assert_int_equal(seen, ((UINT64_C(1) << count) - 1) << 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_once_starts_each_at_its_own_time),
	    cmocka_unit_test(in_sequence_starts_each_when_the_one_before_stops),
	    cmocka_unit_test(nothing_gives_nothing),
	    cmocka_unit_test(any_plan_keeps_every_device_and_its_ring_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
