// Feature codes in what is dialled.
#include "domain/feature_code.h"
#include "lib/cmocka.h"

static void expect_feature(const char *dialled, enum feature feature, const char *argument)
{
	struct str rest;
	assert_int_equal(feature_of(&feature_codes_usual, str_of(dialled), &rest), feature);
	if (feature != FEATURE_NONE)
		assert_true(str_equal(rest, str_of(argument)));
}

static void the_longest_code_that_fits_counts(void **state)
{
	(void)state;
	expect_feature("*8510", FEATURE_PICK_UP, "510");
	expect_feature("*85", FEATURE_TAKE_OVER, "");
	expect_feature("*851", FEATURE_PICK_UP, "51");
	expect_feature("*8", FEATURE_NONE, "");
	expect_feature("510", FEATURE_NONE, "");
	expect_feature("*", FEATURE_NONE, "");
	expect_feature("", FEATURE_NONE, "");
}

static void an_empty_code_is_off(void **state)
{
	struct feature_codes codes = feature_codes_usual;
	struct str rest;
	(void)state;
	codes.code[FEATURE_PICK_UP] = STR_NONE;
	assert_int_equal(feature_of(&codes, STR("*8510"), &rest), FEATURE_NONE);
	assert_int_equal(feature_of(&codes, STR("510"), &rest), FEATURE_NONE);
	assert_int_equal(feature_of(&codes, STR("*85"), &rest), FEATURE_TAKE_OVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_code_that_fits_counts),
	    cmocka_unit_test(an_empty_code_is_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
