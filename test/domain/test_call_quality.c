// What a score says, and the histogram of them.
#include "domain/call_quality.h"
#include "lib/cmocka.h"

static const char *rating(unsigned mos_hundred)
{
	const char *rating = call_quality_rating(&(struct call_quality){.mos_hundred = mos_hundred});
	return rating ? rating : "";
}

static void a_score_has_its_word(void **state)
{
	(void)state;
	assert_string_equal(rating(440), "good");
	assert_string_equal(rating(400), "good");
	assert_string_equal(rating(399), "fair");
	assert_string_equal(rating(310), "fair");
	assert_string_equal(rating(309), "poor");
	assert_string_equal(rating(100), "poor");
	assert_string_equal(rating(0), "");
}

static void scores_are_counted_up_to_each_bound(void **state)
{
	static const unsigned scores[] = {0, 100, 200, 201, 430, 431};
	struct mos_counters counters = {.count = 0};
	(void)state;
	for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
		call_quality_count(&counters, &(struct call_quality){.mos_hundred = scores[i]});
	assert_int_equal(counters.count, 5); // what is not known does not count
	assert_int_equal(counters.sum_hundred, 100 + 200 + 201 + 430 + 431);
	assert_int_equal(counters.at_most[0], 2);
	assert_int_equal(counters.at_most[1], 3);
	assert_int_equal(counters.at_most[MOS_BOUND_COUNT - 2], 3);
	assert_int_equal(counters.at_most[MOS_BOUND_COUNT - 1], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_score_has_its_word),
	    cmocka_unit_test(scores_are_counted_up_to_each_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
