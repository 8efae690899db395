// Allowances: what one gives and when it is full again, and whose is given up when more come than there is room for.
#include "lib/cmocka.h"
#include "sip/allowance.h"

enum { PER_S = 50, BURST = 10, REQUEST_US = 1000000 / PER_S };

static const uint64_t start_us = 5000000;

static unsigned taken(struct allowances *allowances, uint64_t who, uint64_t now_us, unsigned requests)
{
	unsigned count = 0;
	while (requests-- > 0)
		count += allowance_take(allowances_of(allowances, who, now_us), now_us, PER_S, BURST);
	return count;
}

static void a_full_one_gives_a_burst_and_then_as_much_as_comes_again(void **state)
{
	struct allowances allowances;
	(void)state;
	assert_true(allowances_init(&allowances, 100));
	assert_int_equal(taken(&allowances, 7, start_us, 2 * BURST), BURST);
	assert_int_equal(taken(&allowances, 7, start_us + REQUEST_US - 1, 1), 0);
	assert_int_equal(taken(&allowances, 7, start_us + REQUEST_US, 2), 1);
	assert_int_equal(taken(&allowances, 7, start_us + 4 * REQUEST_US, 9), 3);
	assert_int_equal(taken(&allowances, 7, start_us + 1000 * REQUEST_US, 2 * BURST), BURST);
	assert_int_equal(taken(&allowances, 8, start_us + 1000 * REQUEST_US, 2 * BURST), BURST);
	allowances_free(&allowances);
}

static void who_lacks_least_makes_room(void **state)
{
	struct allowances allowances;
	(void)state;
	assert_true(allowances_init(&allowances, 1)); // one set, of four
	for (uint64_t who = 1; who <= 4; who++)
		taken(&allowances, who, start_us, (unsigned)(who == 3 ? 1 : BURST));
	taken(&allowances, 5, start_us, BURST);
	assert_int_equal(taken(&allowances, 1, start_us, 1), 0);
	assert_int_equal(taken(&allowances, 2, start_us, 1), 0);
	assert_int_equal(taken(&allowances, 4, start_us, 1), 0);
	assert_int_equal(taken(&allowances, 5, start_us, 1), 0);
	allowances_free(&allowances);
}

static void it_tells_once_a_minute(void **state)
{
	const uint64_t minute_us = 60000000;
	struct allowances allowances;
	(void)state;
	assert_true(allowances_init(&allowances, 100));
	struct allowance *allowance = allowances_of(&allowances, 7, start_us);
	assert_true(allowance_tells(allowance, start_us));
	assert_false(allowance_tells(allowance, start_us + 1));
	assert_true(allowance_tells(allowances_of(&allowances, 8, start_us), start_us));
	assert_true(allowance_tells(allowances_of(&allowances, 7, start_us), start_us + minute_us));
	allowances_free(&allowances);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_full_one_gives_a_burst_and_then_as_much_as_comes_again),
	    cmocka_unit_test(who_lacks_least_makes_room),
	    cmocka_unit_test(it_tells_once_a_minute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
