// Opening hours, time zones and their rules.
#include "domain/opening_hours.h"
#include "lib/cmocka.h"

static struct local_time local(const char *zone, int64_t utc_s)
{
	return time_zone_local(str_of(zone), utc_s * 1000);
}

#define EXPECT_LOCAL(zone, utc_s, y, m, d, w, minutes)                                                                 \
	do {                                                                                                           \
		struct local_time now = local(zone, utc_s);                                                            \
		assert_int_equal(now.year, y);                                                                         \
		assert_int_equal(now.month, m);                                                                        \
		assert_int_equal(now.day, d);                                                                          \
		assert_int_equal(now.weekday, w);                                                                      \
		assert_int_equal(now.minute, minutes);                                                                 \
	} while (0)

// Against `date` with TZ set, on the edges.
static void clocks_go_forward_and_back(void **state)
{
	(void)state;
	EXPECT_LOCAL("UTC", 0, 1970, 1, 1, 3, 0);
	EXPECT_LOCAL("Europe/London", 1774745999, 2026, 3, 29, 6, 59);   // 00:59 GMT
	EXPECT_LOCAL("Europe/London", 1774746000, 2026, 3, 29, 6, 120);  // 02:00 BST
	EXPECT_LOCAL("Europe/London", 1792889999, 2026, 10, 25, 6, 119); // 01:59 BST
	EXPECT_LOCAL("Europe/London", 1792890000, 2026, 10, 25, 6, 60);  // 01:00 GMT
	EXPECT_LOCAL("Europe/Prague", 1782864000, 2026, 7, 1, 2, 120);
	EXPECT_LOCAL("Europe/Dublin", 1782864000, 2026, 7, 1, 2, 60); // a winter time of less
	EXPECT_LOCAL("Europe/Dublin", 1798761599, 2026, 12, 31, 3, 1439);
	EXPECT_LOCAL("Australia/Sydney", 1798761600, 2027, 1, 1, 4, 660); // summer in the south
	EXPECT_LOCAL("America/St_Johns", 1798761600, 2026, 12, 31, 3, 1230);
	EXPECT_LOCAL("Asia/Kathmandu", 1709164800, 2024, 2, 29, 3, 345);
	EXPECT_LOCAL("Mars/Olympus_Mons", 1798761600, 2027, 1, 1, 4, 0);
}

static void rules_are_read_or_refused(void **state)
{
	int east_s;

	(void)state;
	assert_true(time_rule_offset(STR("<+0545>-5:45"), 0, &east_s));
	assert_int_equal(east_s, 20700);
	assert_true(time_rule_offset(STR("AAA3BBB,J60/0,J300/0"), 1772323200, &east_s)); // 2026-03-01
	assert_int_equal(east_s, -10800);
	assert_true(time_rule_offset(STR("AAA3BBB,J60/0,J300/0"), 1772334000, &east_s));
	assert_int_equal(east_s, -7200);
	assert_true(time_rule_offset(STR("AAA3BBB,59/0,300/0"), 1772334000, &east_s));
	assert_int_equal(east_s, -7200);
	static const char *const wrong[] = {
	    "",        "A",       "AAA",           "AAA1BBB,",       "AAA1BBB,M0.1.0,M3.1.0",
	    "<AAA1",   "AAA-",    "AAA1BB",        "AAA1BBB,M3.5.0", "AAA1BBB,M3.6.0,M10.5.0",
	    "AAA1:60", "AAA9999", "AAA1BBB,J0,J1", "AAA1BBB,J1,J2x"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (time_rule_offset(str_of(wrong[i]), 0, &east_s))
			fail_msg("\"%s\" was taken", wrong[i]);
}

static void zones_are_known_by_name(void **state)
{
	(void)state;
	assert_true(time_zone_known(STR("Europe/Prague")));
	assert_true(time_zone_known(STR("UTC")));
	assert_false(time_zone_known(STR("europe/prague")));
	assert_false(time_zone_known(STR("Europe")));
	assert_false(time_zone_known(STR("Europe/Prague/")));
	assert_false(time_zone_known(STR("")));
}

static void hours_are_read_or_refused(void **state)
{
	static const char *const right[] = {"", "mon 08:00-18:00", "mon-fri 08:00-12:00 13:00-18:00, sat 09:00-13:00",
					    "Mon Wed fri 00:00-24:00,sat-sun 22:00-06:00", "  sun  10:00-11:00  "};
	static const char *const wrong[] = {"mon",
					    "08:00-18:00",
					    "mon 8:00-18:00",
					    "mon 08:00-18:00,",
					    ",",
					    "mon 08:00-25:00",
					    "mon 24:00-08:00",
					    "mon 08:60-09:00",
					    "mon 08:00-08:00",
					    "mon 08:00-24:01",
					    "mon 08:00 - 18:00",
					    "mon-fry 08:00-18:00",
					    "mon 08:00-18:00 tue 08:00-18:00",
					    "po-pá 08:00-18:00"};

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		if (!opening_hours_allowed(str_of(right[i])))
			fail_msg("\"%s\" was refused", right[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (opening_hours_allowed(str_of(wrong[i])))
			fail_msg("\"%s\" was taken", wrong[i]);
	assert_true(closed_days_allowed(STR("12-25 12-26 2027-04-05")));
	assert_true(closed_days_allowed(STR("")));
	assert_false(closed_days_allowed(STR("25.12.")));
	assert_false(closed_days_allowed(STR("13-01")));
	assert_false(closed_days_allowed(STR("12-00")));
	assert_false(closed_days_allowed(STR("1999-12-25")));
	assert_false(closed_days_allowed(STR("12-25,12-26")));
}

static void closed_days_are_in_the_calendar(void **state)
{
	static const char *const right[] = {"", "12-25 12-26", "02-29", "2028-02-29", "2000-02-29", "01-31 2027-04-30"};
	static const struct {
		const char *days, *sentence;
	} wrong[] = {
	    {"02-30", "There is no 02-30 in the calendar."},
	    {"12-25 2027-02-29 12-26", "There is no 2027-02-29 in the calendar."},
	    {"2100-02-29", "There is no 2100-02-29 in the calendar."},
	    {"04-31", "There is no 04-31 in the calendar."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		struct problem problem = {.err = ERR_NONE};
		if (closed_days_check(str_of(right[i]), &problem))
			fail_msg("\"%s\" was refused: %s", right[i], problem.sentence);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct problem problem = {.err = ERR_NONE};
		assert_int_equal(closed_days_check(str_of(wrong[i].days), &problem), ERR_INVALID_FIELD);
		assert_string_equal(problem.field, "closed_days");
		assert_string_equal(problem.sentence, wrong[i].sentence);
	}
}

static bool open_at(const char *hours, const char *closed, int weekday, int minute)
{
	// In the week from Monday, the 21st of December 2026.
	const struct local_time now = {
	    .year = 2026, .month = 12, .day = 21 + weekday, .weekday = weekday, .minute = minute};

	return opening_hours_open(str_of(hours), str_of(closed), &now);
}

static void it_is_open_or_not(void **state)
{
	const char *hours = "mon-fri 08:00-12:00 13:00-18:00, sat 22:00-02:00";

	(void)state;
	assert_true(open_at("", "", 3, 0));
	assert_false(open_at("", "12-24", 3, 0));
	assert_false(open_at(hours, "", 0, 479));
	assert_true(open_at(hours, "", 0, 480));
	assert_true(open_at(hours, "", 0, 719));
	assert_false(open_at(hours, "", 0, 720));
	assert_true(open_at(hours, "", 4, 1079));
	assert_false(open_at(hours, "", 4, 1080));
	assert_false(open_at(hours, "2026-12-25", 4, 600));
	assert_true(open_at(hours, "2027-12-25", 4, 600));
	// Into Sunday, unless Saturday was closed; and not on Saturday's own morning.
	assert_true(open_at(hours, "", 5, 1320));
	assert_true(open_at(hours, "", 6, 119));
	assert_false(open_at(hours, "", 6, 120));
	assert_false(open_at(hours, "", 5, 60));
	assert_false(open_at(hours, "12-26", 6, 60));
	assert_true(open_at(hours, "12-27", 5, 1400));
	assert_true(open_at(hours, "12-27", 6, 60));
	assert_true(open_at("sun 00:00-24:00", "", 6, 1439));
	assert_false(open_at("sun 00:00-24:00", "", 0, 0));
	assert_true(open_at("sat-mon 00:00-01:00", "", 6, 30));
	assert_false(open_at("sat-mon 00:00-01:00", "", 2, 30));
	// The first of a month: yesterday was of the one before.
	const struct local_time new_year = {.year = 2027, .month = 1, .day = 1, .weekday = 4, .minute = 30};
	assert_true(opening_hours_open(STR("thu 22:00-01:00"), STR(""), &new_year));
	assert_false(opening_hours_open(STR("thu 22:00-01:00"), STR("12-31"), &new_year));
	assert_true(opening_hours_open(STR("thu 22:00-01:00"), STR("01-01"), &new_year));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clocks_go_forward_and_back),      cmocka_unit_test(rules_are_read_or_refused),
	    cmocka_unit_test(zones_are_known_by_name),         cmocka_unit_test(hours_are_read_or_refused),
	    cmocka_unit_test(closed_days_are_in_the_calendar), cmocka_unit_test(it_is_open_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
