// The last hour against a list of times.
#include "base/hour.h"
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

static void nothing_has_happened(void **state)
{
	struct hour hour;

	(void)state;
	memset(&hour, 0, sizeof hour);
	assert_int_equal(hour_count(&hour, 0), 0);
	assert_int_equal(hour_count(&hour, UINT64_MAX), 0);
}

static void what_happened_is_forgotten_after_an_hour(void **state)
{
	struct hour hour = {.minute = 0};

	(void)state;
	hour_add(&hour, 30 * 1000);
	hour_add(&hour, 59 * 1000);
	assert_int_equal(hour_count(&hour, 59 * 1000), 2);
	assert_int_equal(hour_count(&hour, MS_PER_HOUR + 59 * 1000), 2);
	assert_int_equal(hour_count(&hour, MS_PER_HOUR + 60 * 1000), 0);
	hour_add(&hour, 10ULL * MS_PER_HOUR);
	assert_int_equal(hour_count(&hour, 10ULL * MS_PER_HOUR), 1);
}

// Never fewer than in 60 minutes, never more than in 61.
static void it_never_counts_too_few(void **state)
{
	static uint64_t times[20000];
	struct hour hour = {.minute = 0};
	uint64_t now_ms = 0;

	(void)state;
	srand(1);
	for (size_t count = 0; count < sizeof times / sizeof *times; count++) {
		now_ms += (uint64_t)rand() % (rand() % 50 == 0 ? 4000000 : 90000);
		size_t least = 0, most = 0;
		for (size_t i = count; i-- > 0 && times[i] + MS_PER_HOUR + 60000 > now_ms;) {
			least += times[i] + MS_PER_HOUR > now_ms;
			most++;
		}
		assert_in_range(hour_count(&hour, now_ms), least, most);
		hour_add(&hour, now_ms);
		times[count] = now_ms;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_has_happened),
	    cmocka_unit_test(what_happened_is_forgotten_after_an_hour),
	    cmocka_unit_test(it_never_counts_too_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
