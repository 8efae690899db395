// From what people type to E.164, by several countries' ways of dialling.
#include "domain/number.h"
#include "lib/cmocka.h"

#include <string.h>

static const struct number_plan britain = {.country_code = {"44", 2},
					   .international_prefix = {"00", 2},
					   .national_prefix = {"0", 1},
					   .emergency = {"112 999", 7}};
static const struct number_plan britain_nine = {.country_code = {"44", 2},
						.international_prefix = {"00", 2},
						.national_prefix = {"0", 1},
						.outside_prefix = {"9", 1},
						.emergency = {"112 999", 7}};
static const struct number_plan czechia = {
    .country_code = {"420", 3}, .international_prefix = {"00", 2}, .emergency = {"112 150 155 158", 15}};
static const struct number_plan america = {
    .country_code = {"1", 1}, .international_prefix = {"011", 3}, .national_prefix = {"1", 1}, .emergency = {"911", 3}};

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
}

// What people there write, and dial.
static void each_country_is_dialled_its_own_way(void **state)
{
	static const struct {
		const char *country, *text, *canonical;
	} numbers[] = {
	    {"GB", "020 7946 0958", "+442079460958"},
	    {"GB", "(01444) 12-34-56", "+441444123456"},
	    {"GB", "+44 01444 123456", "+441444123456"},
	    {"GB", "(+44) 1444 123456", "+441444123456"},
	    {"GG", "01481 234567", "+441481234567"},
	    {"CZ", "601 123 456", "+420601123456"},
	    {"SK", "0905 123 456", "+421905123456"},
	    {"DE", "030 23125 000", "+493023125000"},
	    {"AT", "01 711 62 655000", "+43171162655000"},
	    {"CH", "044 668 18 00", "+41446681800"},
	    {"FR", "01 42 68 53 00", "+33142685300"},
	    {"FR", "00 44 1444 123456", "+441444123456"},
	    {"ES", "91 411 25 25", "+34914112525"},
	    {"PT", "21 123 4567", "+351211234567"},
	    {"IT", "06 1234 5678", "+390612345678"},
	    {"IT", "347 123 4567", "+393471234567"},
	    {"NL", "020 555 1234", "+31205551234"},
	    {"BE", "02 555 12 12", "+3225551212"},
	    {"DK", "33 12 34 56", "+4533123456"},
	    {"NO", "22 12 34 56", "+4722123456"},
	    {"SE", "08-123 456 78", "+46812345678"},
	    {"FI", "09 123 4567", "+35891234567"},
	    {"PL", "22 123 45 67", "+48221234567"},
	    {"HU", "06 1 234 5678", "+3612345678"},
	    {"RO", "021 311 1234", "+40213111234"},
	    {"LT", "8 612 34567", "+37061234567"},
	    {"UA", "044 123 4567", "+380441234567"},
	    {"RU", "8 (495) 123-45-67", "+74951234567"},
	    {"RU", "8 10 44 1444 123456", "+441444123456"},
	    {"RU", "8 800 555-35-35", "+78005553535"},
	    {"KZ", "8 701 123 4567", "+77011234567"},
	    {"US", "(212) 555-1234", "+12125551234"},
	    {"US", "1-212-555-1234", "+12125551234"},
	    {"US", "011 420 601 123 456", "+420601123456"},
	    {"CA", "416 555 1234", "+14165551234"},
	    {"AG", "464 1234", "+12684641234"},
	    {"MX", "55 1234 5678", "+525512345678"},
	    {"BR", "(11) 98765-4321", "+5511987654321"},
	    {"BR", "0 15 11 98765-4321", "+5511987654321"},
	    {"AR", "011 15-2345-6789", "+5491123456789"},
	    {"AR", "+54 9 11 2345-6789", "+5491123456789"},
	    {"AR", "0343 15-412-3456", "+5493434123456"},
	    {"AU", "0011 44 1444 123456", "+441444123456"},
	    {"AU", "(02) 9876 5432", "+61298765432"},
	    {"NZ", "09 123 4567", "+6491234567"},
	    {"JP", "03-1234-5678", "+81312345678"},
	    {"JP", "010 44 1444 123456", "+441444123456"},
	    {"CN", "010 1234 5678", "+861012345678"},
	    {"IN", "098765 43210", "+919876543210"},
	    {"ZA", "011 123 4567", "+27111234567"},
	    {"IL", "02-123-4567", "+97221234567"},
	    {"TR", "0212 123 45 67", "+902121234567"},
	    {"FK", "55555", "+50055555"},
	    {"CZ", "1188", "1188"},
	    {"IT", "118", "118"},
	    {"US", "411", "411"},
	    {"AU", "000", "000"},
	    {"GB", "116117", "116117"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct number_plan plan;
		struct number number = {.class_ = NUMBER_SHORT};
		struct problem problem = {.err = ERR_NONE};
		assert_true(number_plan_usual(str_of(numbers[i].country), &plan));
		enum err err = number_parse(&plan, str_of(numbers[i].text), &number, &problem);
		if (err || strcmp(number.canonical, numbers[i].canonical) != 0)
			fail_msg("%s %s: %s %s", numbers[i].country, numbers[i].text, number.canonical,
				 problem.sentence);
	}
}

static void a_wrong_number_is_told_what_would_be_right(void **state)
{
	static const struct {
		const char *country, *text, *sentence;
	} wrong[] = {
	    {"GB", "+44 1444 12345",
	     "\"+44 1444 12345\" is one digit short: numbers of the United Kingdom that begin like it have 10 digits "
	     "after "
	     "+44."},
	    {"GB", "01444 1234567",
	     "\"01444 1234567\" (+44 14441234567) is one digit too long: numbers of the United Kingdom have 7, 9 or 10 "
	     "digits after +44."},
	    {"GB", "1444 123456",
	     "\"1444 123456\" could be two things: write 01444123456, or +441444123456, if it is a number of the "
	     "United "
	     "Kingdom; and + with its country code if it is another one."},
	    {"CZ", "22 333 444",
	     "\"22 333 444\" (+420 22333444) is one digit short: numbers of Czechia that begin like it have 9 digits "
	     "after "
	     "+420."},
	    {"GB", "+210 123 456", "\"+210 123 456\" begins with a country code that no country has."},
	    {"GB", "+0 123 456", "\"+0 123 456\" begins with 0 after the +, as no country code does."},
	    {"GB", "call me", "\"call me\" is not a phone number."},
	    {"GB", "1+2", "\"1+2\" is not a phone number."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct number_plan plan;
		struct number number;
		struct problem problem = {.err = ERR_NONE};
		assert_true(number_plan_usual(str_of(wrong[i].country), &plan));
		assert_int_equal(number_parse(&plan, str_of(wrong[i].text), &number, &problem), ERR_BAD_NUMBER);
		assert_string_equal(problem.sentence, wrong[i].sentence);
	}
}

static void the_site_says_what_is_short_and_local(void **state)
{
	struct number_plan plan;
	struct number number;
	struct problem problem = {.err = ERR_NONE};

	(void)state;
	assert_true(number_plan_usual(STR("GB"), &plan));
	plan.area_code = STR("1444");
	assert_int_equal(number_parse(&plan, STR("116117"), &number, &problem),
			 ERR_NONE); // no local number begins with 1
	assert_int_equal(number.class_, NUMBER_SHORT);
	plan.short_codes = STR("118xxx 101 443322");
	assert_int_equal(number_parse(&plan, STR("23 45 67"), &number, &problem), ERR_NONE);
	assert_string_equal(number.canonical, "+441444234567");
	assert_int_equal(number_parse(&plan, STR("118500"), &number, &problem), ERR_NONE);
	assert_int_equal(number.class_, NUMBER_SHORT);
	assert_int_equal(number_parse(&plan, STR("443322"), &number, &problem), ERR_NONE); // said to be one
	assert_int_equal(number.class_, NUMBER_SHORT);
	assert_int_equal(number_parse(&plan, STR("999"), &number, &problem), ERR_NONE);
	assert_int_equal(number.class_, NUMBER_EMERGENCY);
	assert_int_equal(number_parse(&plan, STR("1234"), &number, &problem), ERR_BAD_NUMBER);
	assert_string_equal(problem.sentence, "\"1234\" is no number, and none of the site's short codes.");
	assert_true(number_is_short(&plan, STR("101")));
	assert_false(number_is_short(&plan, STR("1011")));
}

static void the_islands_of_north_america_are_abroad(void **state)
{
	static const struct {
		const char *country, *text;
		enum number_class class_;
	} calls[] = {
	    {"US", "416 555 1234", NUMBER_NATIONAL},        // Canada
	    {"US", "1 876 512 3456", NUMBER_INTERNATIONAL}, // Jamaica
	    {"JM", "1 876 512 3456", NUMBER_NATIONAL},      {"JM", "212 555 1234", NUMBER_INTERNATIONAL},
	    {"GB", "01481 234567", NUMBER_NATIONAL}, // Guernsey
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct number_plan plan;
		struct number number;
		struct problem problem = {.err = ERR_NONE};
		assert_true(number_plan_usual(str_of(calls[i].country), &plan));
		assert_int_equal(number_parse(&plan, str_of(calls[i].text), &number, &problem), ERR_NONE);
		assert_int_equal(number.class_, calls[i].class_);
	}
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
	    cmocka_unit_test(each_country_is_dialled_its_own_way),
	    cmocka_unit_test(a_wrong_number_is_told_what_would_be_right),
	    cmocka_unit_test(the_site_says_what_is_short_and_local),
	    cmocka_unit_test(the_islands_of_north_america_are_abroad),
	    cmocka_unit_test(dialling_wants_the_outside_prefix),
	    cmocka_unit_test(emergency_codes_work_with_and_without_the_outside_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
