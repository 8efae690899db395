// From what people type to E.164, by several countries' ways of dialling.
#include "domain/number.h"
#include "lib/cmocka.h"

#include <string.h>

static const struct number_plan britain = {{"44", 2}, {"00", 2}, {"0", 1}, {NULL, 0}, {"112 999", 7}};
static const struct number_plan britain_nine = {{"44", 2}, {"00", 2}, {"0", 1}, {"9", 1}, {"112 999", 7}};
static const struct number_plan czechia = {{"420", 3}, {"00", 2}, {NULL, 0}, {NULL, 0}, {"112 150 155 158", 15}};
static const struct number_plan america = {{"1", 1}, {"011", 3}, {"1", 1}, {NULL, 0}, {"911", 3}};

// One row: what is typed, and what becomes of it; a canonical form of NULL means ERR_BAD_NUMBER.
struct row {
	const struct number_plan *plan;
	const char *typed, *canonical;
	enum number_class class_;
};

static const struct row rows[] = {
    {&britain, "01444 123456", "+441444123456", NUMBER_NATIONAL},
    {&britain, "+44 1444 123456", "+441444123456", NUMBER_NATIONAL},
    {&britain, "+44 (0)1444 123456", "+441444123456", NUMBER_NATIONAL},
    {&britain, "0044 (0) 1444/12.34-56", "+441444123456", NUMBER_NATIONAL},
    {&britain, "0044 (0)1444/12.34-56", "+441444123456", NUMBER_NATIONAL},
    {&britain, "(01444) 123456", "+441444123456", NUMBER_NATIONAL},
    {&britain, " 01444 123456\r\n", "+441444123456", NUMBER_NATIONAL},
    {&britain, "00420 222 333 444", "+420222333444", NUMBER_INTERNATIONAL},
    {&britain, "+420222333444", "+420222333444", NUMBER_INTERNATIONAL},
    {&britain, "999", "999", NUMBER_EMERGENCY},
    {&britain, "1 1 2", "112", NUMBER_EMERGENCY},
    {&britain, "+112", NULL, 0}, // a plus makes it international, and that is too short
    {&britain, "118", "118", NUMBER_SHORT},
    {&britain, "116117", "116117", NUMBER_SHORT},
    {&britain, "5", NULL, 0},
    {&britain, "1234567", NULL, 0},      // local, or abroad without '+'
    {&britain, "441444123456", NULL, 0}, // likewise
    {&britain, "0", NULL, 0},
    {&britain, "00", NULL, 0},
    {&britain, "+0441444123456", NULL, 0},
    {&britain, "+441444123456789012", NULL, 0},
    {&britain, "0044144412345678901234567890123456789", NULL, 0},
    {&britain, "", NULL, 0},
    {&britain, "+", NULL, 0},
    {&britain, "01444+123456", NULL, 0},
    {&britain, "01444x123456", NULL, 0},
    {&britain, "*21#", NULL, 0},
    {&czechia, "222 333 444", "+420222333444", NUMBER_NATIONAL},
    {&czechia, "00 44 1444 123456", "+441444123456", NUMBER_INTERNATIONAL},
    {&czechia, "158", "158", NUMBER_EMERGENCY},
    {&czechia, "1188", "1188", NUMBER_SHORT},
    {&america, "1 (212) 555-1234", "+12125551234", NUMBER_NATIONAL},
    {&america, "212-555-1234", "+12125551234", NUMBER_NATIONAL},
    {&america, "011 44 1444 123456", "+441444123456", NUMBER_INTERNATIONAL},
    {&america, "911", "911", NUMBER_EMERGENCY},
    {&america, "311", "311", NUMBER_SHORT},
};

static void every_row_gives_its_canonical_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct number number;
		struct problem problem = {.err = ERR_NONE};
		enum err err = number_parse(rows[i].plan, str_of(rows[i].typed), &number, &problem);
		if (!rows[i].canonical) {
			if (err != ERR_BAD_NUMBER)
				fail_msg("\"%s\" gives %s", rows[i].typed, number.canonical);
			assert_int_equal(problem.err, ERR_BAD_NUMBER);
			assert_true(strlen(problem.sentence) > 10);
			continue;
		}
		if (err)
			fail_msg("\"%s\": %s", rows[i].typed, problem.sentence);
		assert_string_equal(number.canonical, rows[i].canonical);
		assert_int_equal(number.class_, rows[i].class_);
	}
}

// Typed again, a canonical form gives itself, and its class.
static void canonical_forms_stay_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct number number;
		struct problem problem = {.err = ERR_NONE};
		if (!rows[i].canonical)
			continue;
		assert_int_equal(number_parse(rows[i].plan, str_of(rows[i].canonical), &number, &problem), ERR_NONE);
		assert_string_equal(number.canonical, rows[i].canonical);
		assert_int_equal(number.class_, rows[i].class_);
	}
}

static void a_number_says_what_it_costs_to_call(void **state)
{
	(void)state;
	static const struct {
		const char *text, *country;
		enum number_type type;
	} typed[] = {
	    {"01444 123456", "GB", NUMBER_FIXED},           {"07400 123456", "GB", NUMBER_MOBILE},
	    {"07911 123456", "GG", NUMBER_MOBILE},          {"0909 879 0000", "GB", NUMBER_PREMIUM},
	    {"0800 1111", "GB", NUMBER_TOLL_FREE},          {"0400 123 4567", "GB", NUMBER_TYPE_UNKNOWN},
	    {"+44 7781 123456", "GG", NUMBER_MOBILE},       {"+1 212 555 1234", "US", NUMBER_FIXED_OR_MOBILE},
	    {"+1 900 234 5678", "US", NUMBER_PREMIUM},      {"+1 268 464 1234", "AG", NUMBER_MOBILE},
	    {"+420 601 123 456", "CZ", NUMBER_MOBILE},      {"+420 900 123 456", "CZ", NUMBER_PREMIUM},
	    {"+420 811 234 567", "CZ", NUMBER_SHARED_COST}, {"+39 06 123 45678", "IT", NUMBER_FIXED},
	    {"+39 06 698 12345", "VA", NUMBER_FIXED},       {"+7 701 123 4567", "KZ", NUMBER_MOBILE},
	    {"+800 1234 5678", "", NUMBER_TOLL_FREE},       {"+979 123 456 789", "", NUMBER_PREMIUM},
	};
	for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
		struct number number;
		struct problem problem = {.err = ERR_NONE};
		assert_int_equal(number_parse(&britain, str_of(typed[i].text), &number, &problem), ERR_NONE);
		assert_non_null(number.region);
		if (strcmp(number.region->country, typed[i].country) != 0 || number.type != typed[i].type)
			fail_msg("%s: %s %s", typed[i].text, number.region->country, number_type_names[number.type]);
	}
}

static void a_code_has_no_country(void **state)
{
	struct number number;
	struct problem problem = {.err = ERR_NONE};

	(void)state;
	assert_int_equal(number_parse(&britain, STR("999"), &number, &problem), ERR_NONE);
	assert_null(number.region);
	assert_int_equal(number.type, NUMBER_TYPE_UNKNOWN);
	assert_int_equal(number_parse(&britain, STR("+210 1234 5678"), &number, &problem), ERR_NONE);
	assert_null(number.region);
}

static enum err dialled(const struct number_plan *plan, const char *text, struct number *number)
{
	struct problem problem = {.err = ERR_NONE};

	return number_parse_dialled(plan, str_of(text), number, &problem);
}

static void dialling_wants_the_outside_prefix(void **state)
{
	struct number number;

	(void)state;
	assert_int_equal(dialled(&britain_nine, "901444123456", &number), ERR_NONE);
	assert_string_equal(number.canonical, "+441444123456");
	assert_int_equal(dialled(&britain_nine, "01444123456", &number), ERR_UNKNOWN_NUMBER);
	assert_int_equal(dialled(&britain_nine, "+441444123456", &number), ERR_NONE);
	assert_int_equal(dialled(&britain, "01444123456", &number), ERR_NONE);
	assert_int_equal(dialled(&britain_nine, "9", &number), ERR_BAD_NUMBER);
}

static void emergency_codes_work_with_and_without_the_outside_prefix(void **state)
{
	struct number number;

	(void)state;
	assert_int_equal(dialled(&britain_nine, "112", &number), ERR_NONE);
	assert_int_equal(number.class_, NUMBER_EMERGENCY);
	assert_int_equal(dialled(&britain_nine, "9112", &number), ERR_NONE);
	assert_string_equal(number.canonical, "112");
	assert_int_equal(number.class_, NUMBER_EMERGENCY);
	// 999 begins with the outside prefix, and is a code all the same
	assert_int_equal(dialled(&britain_nine, "999", &number), ERR_NONE);
	assert_string_equal(number.canonical, "999");
	assert_true(number_is_emergency(&britain_nine, STR("9999")));
	assert_true(number_is_emergency(&britain_nine, STR("999")));
	assert_false(number_is_emergency(&britain_nine, STR("99")));
	assert_false(number_is_emergency(&britain_nine, STR("+112")));
	assert_false(number_is_emergency(&britain, STR("9112")));
	assert_false(number_is_emergency(&britain, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_gives_its_canonical_form),
	    cmocka_unit_test(canonical_forms_stay_as_they_are),
	    cmocka_unit_test(a_number_says_what_it_costs_to_call),
	    cmocka_unit_test(a_code_has_no_country),
	    cmocka_unit_test(dialling_wants_the_outside_prefix),
	    cmocka_unit_test(emergency_codes_work_with_and_without_the_outside_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
