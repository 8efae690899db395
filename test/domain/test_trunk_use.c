// What trunks carry, against their limits: what is refused, what is earned by time, and that the count is always the legs there are.
#include "domain/trunk_use.h"
#include "lib/cmocka.h"
#include "sim/sim.h"

static struct loop *loop;
static struct trunk_use *use;

static int start(void **state)
{
	(void)state;
	loop = sim_create(7);
	use = trunk_use_create(loop);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	trunk_use_destroy(use);
	loop_destroy(loop);
	return 0;
}

static struct trunk limited(uint64_t id, int64_t legs_max, int64_t legs_per_s)
{
	return (struct trunk){.entity.id = id, .legs_max = legs_max, .legs_per_s = legs_per_s};
}

static void as_many_legs_as_it_may_in_both_directions(void **state)
{
	const struct trunk trunk = limited(1, 2, 0), other = limited(2, 1, 0);

	(void)state;
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_IN), ERR_NONE);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_OUT), ERR_NONE);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_OUT), ERR_TRUNK_FULL);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_IN), ERR_TRUNK_FULL);
	assert_int_equal(trunk_use_take(use, &other, TRUNK_LEG_OUT), ERR_NONE);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_EMERGENCY), ERR_NONE);
	assert_int_equal(trunk_use_count(use, 1).legs, 3);
	assert_int_equal(trunk_use_count(use, 1).begun, 3);
	assert_int_equal(trunk_use_count(use, 1).refused_full, 2);
	trunk_use_give(use, 1);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_OUT), ERR_TRUNK_FULL); // the emergency has a place
	trunk_use_give(use, 1);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_OUT), ERR_NONE);
	trunk_use_give(use, 1);
	trunk_use_give(use, 1);
	trunk_use_give(use, 2);
}

static unsigned taken(const struct trunk *trunk, unsigned tries)
{
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++)
		if (trunk_use_take(use, trunk, TRUNK_LEG_OUT) == ERR_NONE) {
			trunk_use_give(use, trunk->entity.id);
			count++;
		}
	return count;
}

static void new_legs_are_earned_by_time(void **state)
{
	struct trunk trunk = limited(1, 0, 5);

	(void)state;
	assert_int_equal(taken(&trunk, 20), 5);
	sim_run_for(loop, 199);
	assert_int_equal(taken(&trunk, 20), 0);
	sim_run_for(loop, 1);
	assert_int_equal(taken(&trunk, 20), 1);
	sim_run_for(loop, 400);
	assert_int_equal(taken(&trunk, 20), 2);
	sim_run_for(loop, 3600 * 1000); // no more than a second's worth is saved up
	assert_int_equal(taken(&trunk, 20), 5);
	trunk.legs_per_s = 7; // changed: a new bucket
	assert_int_equal(taken(&trunk, 20), 7);
	for (unsigned i = 0; i < 60000; i += 37) { // in small steps nothing is lost
		sim_run_for(loop, 37);
		taken(&trunk, 1);
	}
	assert_in_range(trunk_use_count(use, 1).begun - 5 - 1 - 2 - 5 - 7, 7 * 60 - 1, 7 * 60 + 1);
}

static void an_emergency_is_never_refused_and_others_wait_for_it(void **state)
{
	const struct trunk trunk = limited(1, 1, 1);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_EMERGENCY), ERR_NONE);
	for (unsigned i = 0; i < 3; i++)
		trunk_use_give(use, 1);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_OUT), ERR_TRUNK_PACED);
	assert_int_equal(trunk_use_take(use, &trunk, TRUNK_LEG_IN), ERR_NONE); // the carrier's pace is its own
	trunk_use_give(use, 1);
}

// 200,000 random steps over trunks whose limits change meanwhile.
static void the_count_is_always_the_legs_there_are(void **state)
{
	unsigned legs[4] = {0};

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t chance = loop_random_uint(loop);
		unsigned at = chance % 4, kind = (chance >> 8) % 3;
		const struct trunk trunk =
		    limited(at + 1, (int64_t)((chance >> 16) % 6), (int64_t)((chance >> 24) % 4));
		if ((chance >> 32) % 2 && legs[at] > 0) {
			trunk_use_give(use, at + 1);
			legs[at]--;
		} else {
			enum err err = trunk_use_take(use, &trunk, (enum trunk_leg_kind)kind);
			if (kind == TRUNK_LEG_EMERGENCY)
				assert_int_equal(err, ERR_NONE);
			else if (err == ERR_NONE)
				assert_true(trunk.legs_max == 0 || legs[at] < (uint64_t)trunk.legs_max);
			else
				assert_true(err == ERR_TRUNK_PACED ||
					    (trunk.legs_max > 0 && legs[at] >= (uint64_t)trunk.legs_max));
			legs[at] += err == ERR_NONE;
		}
		assert_int_equal(trunk_use_count(use, at + 1).legs, legs[at]);
		assert_int_equal(trunk_use_legs(use), legs[0] + legs[1] + legs[2] + legs[3]);
		if (chance >> 60 == 0)
			sim_run_for(loop, chance % 700);
	}
	for (unsigned at = 0; at < 4; at++)
		while (legs[at]-- > 0)
			trunk_use_give(use, at + 1);
	assert_int_equal(trunk_use_legs(use), 0);
}

#define USE_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    USE_TEST(as_many_legs_as_it_may_in_both_directions),
	    USE_TEST(new_legs_are_earned_by_time),
	    USE_TEST(an_emergency_is_never_refused_and_others_wait_for_it),
	    USE_TEST(the_count_is_always_the_legs_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
