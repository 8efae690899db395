// The timer wheel against a naive model, and the promises of its header one by one.
#include "base/timer_wheel.h"
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

enum { TIMERS = 200 };

struct alarm {
	struct timer timer;
	uint64_t model_due_ms; // 0 while stopped
	uint64_t fired_at_ms;
	unsigned fired;
	struct alarm *stops;
	bool starts_anew;
};

// The wheel is process-wide here only so that handlers reach it.
static struct timer_wheel wheel;
static uint64_t order[TIMERS];
static size_t fired;

static void ring(struct timer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);
	assert_false(timer_running(timer));
	alarm->fired++;
	alarm->fired_at_ms = wheel.now_ms;
	if (fired < TIMERS)
		order[fired] = (uint64_t)(uintptr_t)alarm;
	fired++;
	if (alarm->stops)
		timer_stop(&alarm->stops->timer);
	if (alarm->starts_anew)
		timer_wheel_start(&wheel, timer, 0);
}

static void set_up(struct alarm *alarms, size_t count, uint64_t now_ms)
{
	timer_wheel_init(&wheel, now_ms);
	fired = 0;
	memset(alarms, 0, count * sizeof *alarms);
	for (size_t i = 0; i < count; i++)
		timer_init(&alarms[i].timer, ring);
}

static uint64_t random_delay_ms(void)
{
	// every level of the wheel, most often the near ones
	return (uint64_t)rand() % (UINT64_C(1) << rand() % 30);
}

static void step_model(struct alarm *alarms, uint64_t now_ms)
{
	size_t expected = 0;
	for (size_t i = 0; i < TIMERS; i++)
		expected += alarms[i].model_due_ms != 0 && alarms[i].model_due_ms <= now_ms;
	fired = 0;
	assert_int_equal(timer_wheel_advance(&wheel, now_ms), expected);
	assert_int_equal(fired, expected);
	for (size_t i = 0; i < TIMERS; i++) {
		if (alarms[i].model_due_ms == 0 || alarms[i].model_due_ms > now_ms)
			continue;
		assert_int_equal(alarms[i].fired, 1);
		assert_true(alarms[i].fired_at_ms == alarms[i].model_due_ms);
		alarms[i].fired = 0;
		alarms[i].model_due_ms = 0;
	}
}

static void agrees_with_a_naive_model(void **state)
{
	(void)state;
	struct alarm alarms[TIMERS];
	for (unsigned seed = 1; seed <= 8; seed++) {
		srand(seed);
		uint64_t now_ms = seed % 2 ? 0 : (UINT64_C(1) << 36) - 1000;
		set_up(alarms, TIMERS, now_ms);
		for (int step = 0; step < 6000; step++) {
			struct alarm *alarm = &alarms[rand() % TIMERS];
			if (rand() % 4 == 0) {
				timer_stop(&alarm->timer);
				alarm->model_due_ms = 0;
			} else if (rand() % 4 != 0) {
				uint64_t due_ms = now_ms + random_delay_ms();
				timer_wheel_start(&wheel, &alarm->timer, due_ms);
				alarm->model_due_ms = due_ms > now_ms ? due_ms : now_ms + 1;
			} else {
				now_ms += random_delay_ms() + 1;
				step_model(alarms, now_ms);
			}
			uint64_t earliest_ms = UINT64_MAX;
			for (size_t i = 0; i < TIMERS; i++)
				if (alarms[i].model_due_ms != 0 && alarms[i].model_due_ms < earliest_ms)
					earliest_ms = alarms[i].model_due_ms;
			uint64_t next_ms = timer_wheel_next(&wheel);
			if (earliest_ms == UINT64_MAX)
				assert_true(next_ms == UINT64_MAX);
			else
				assert_true(next_ms >= 1 && next_ms <= earliest_ms - now_ms);
		}
	}
}

static void sleeping_until_next_is_never_late(void **state)
{
	(void)state;
	struct alarm alarm;
	for (uint64_t delay_ms = 1; delay_ms < UINT64_C(1) << 40; delay_ms = delay_ms * 3 + 1) {
		set_up(&alarm, 1, 12345);
		timer_wheel_start(&wheel, &alarm.timer, 12345 + delay_ms);
		unsigned turns = 0;
		while (alarm.fired == 0) {
			timer_wheel_advance(&wheel, wheel.now_ms + timer_wheel_next(&wheel));
			turns++;
		}
		assert_true(alarm.fired_at_ms == 12345 + delay_ms);
		assert_true(wheel.now_ms == 12345 + delay_ms);
		assert_in_range(turns, 1, TIMER_WHEEL_LEVELS);
	}
}

static void one_millisecond_fires_in_order_of_start(void **state)
{
	(void)state;
	struct alarm alarms[4];
	set_up(alarms, 4, 0);
	timer_wheel_start(&wheel, &alarms[0].timer, 100);
	timer_wheel_start(&wheel, &alarms[1].timer, 99);
	timer_wheel_advance(&wheel, 70); // the first two have moved to a finer level by now
	timer_wheel_start(&wheel, &alarms[2].timer, 100);
	timer_wheel_start(&wheel, &alarms[3].timer, 100);
	timer_wheel_advance(&wheel, 100000);
	const size_t expected[] = {1, 0, 2, 3};
	assert_int_equal(fired, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(order[i] == (uintptr_t)&alarms[expected[i]]);
}

static void handlers_stop_and_start(void **state)
{
	(void)state;
	struct alarm alarms[3];
	set_up(alarms, 3, 0);
	alarms[0].stops = &alarms[1]; // due in the same millisecond
	alarms[0].starts_anew = true;
	for (size_t i = 0; i < 3; i++)
		timer_wheel_start(&wheel, &alarms[i].timer, 10);
	assert_int_equal(timer_wheel_advance(&wheel, 500), 2);
	assert_int_equal(alarms[1].fired, 0);
	assert_false(timer_running(&alarms[1].timer));
	// started anew with no delay: not in the same turn, but in the very next
	assert_int_equal(alarms[0].fired, 1);
	assert_int_equal(timer_wheel_next(&wheel), 1);
	assert_int_equal(timer_wheel_advance(&wheel, 501), 1);
	assert_int_equal(alarms[0].fired, 2);
	timer_stop(&alarms[0].timer);
	timer_stop(&alarms[0].timer);
	assert_true(timer_wheel_next(&wheel) == UINT64_MAX);
}

static void time_does_not_go_back(void **state)
{
	(void)state;
	struct alarm alarms[2];
	set_up(alarms, 2, 1000);
	timer_wheel_start(&wheel, &alarms[0].timer, 1001);
	assert_int_equal(timer_wheel_advance(&wheel, 1000), 0);
	assert_int_equal(timer_wheel_advance(&wheel, 5), 0);
	timer_wheel_start(&wheel, &alarms[1].timer, UINT64_MAX);
	assert_true(timer_running(&alarms[1].timer));
	assert_int_equal(timer_wheel_advance(&wheel, 1001), 1);
	assert_int_equal(timer_wheel_advance(&wheel, UINT64_C(1) << 41), 0);
	// a timer that was never started, not even initialised, may be stopped
	struct timer untouched = {.handler = ring};
	timer_stop(&untouched);
}

static void about_then_is_with_others_and_never_early(void **state)
{
	(void)state;
	struct alarm alarms[TIMERS];
	uint64_t now_ms = 12345678901, last_ms = 0;
	size_t wakeups = 0;
	set_up(alarms, TIMERS, now_ms);
	for (size_t i = 0; i < TIMERS; i++) {
		alarms[i].model_due_ms = now_ms + 32000 + 7 * i;
		timer_wheel_start(&wheel, &alarms[i].timer, timer_wheel_about(&wheel, alarms[i].model_due_ms));
	}
	for (uint64_t wait; (wait = timer_wheel_next(&wheel)) != UINT64_MAX;)
		timer_wheel_advance(&wheel, now_ms += wait);
	for (size_t i = 0; i < TIMERS; i++) {
		assert_int_equal(alarms[i].fired, 1);
		assert_true(alarms[i].fired_at_ms >= alarms[i].model_due_ms);
		assert_true(alarms[i].fired_at_ms < alarms[i].model_due_ms + wheel.about_ms);
		wakeups += alarms[i].fired_at_ms != last_ms;
		last_ms = alarms[i].fired_at_ms;
	}
	assert_in_range(wakeups, 1, 2 + 7 * TIMERS / 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_a_naive_model),
	    cmocka_unit_test(sleeping_until_next_is_never_late),
	    cmocka_unit_test(one_millisecond_fires_in_order_of_start),
	    cmocka_unit_test(handlers_stop_and_start),
	    cmocka_unit_test(about_then_is_with_others_and_never_early),
	    cmocka_unit_test(time_does_not_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
