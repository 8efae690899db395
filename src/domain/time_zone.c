// The zones of the build by name, the calendar, and rules of POSIX's TZ variable.
#include "domain/time_zone.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static const struct zone {
	const char *name, *rule;
} zones[] = {
#include "domain/time_zones.inc"
};
enum { ZONES = sizeof zones / sizeof zones[0] };

static const struct zone *zone_find(struct str name)
{
	size_t low = 0, high = ZONES;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_compare(name, str_of(zones[middle].name));
		if (order == 0)
			return &zones[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool time_zone_known(struct str name)
{
	return zone_find(name) != NULL;
}

// ---- the calendar (Gregorian; days since 1970-01-01)

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_before_year(int year)
{
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static int64_t days_before_month(int year, int month)
{
	int64_t days = days_before_year(year);

	for (int each = 1; each < month; each++)
		days += days_of_month(year, each);
	return days;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int year_of_day(int64_t day)
{
	int year = (int)(1970 + floor_divide(day * 400, 146097));

	while (days_before_year(year) > day)
		year--;
	while (days_before_year(year + 1) <= day)
		year++;
	return year;
}

static int weekday_of_day(int64_t day) // 0: Monday
{
	return (int)(((day + 3) % 7 + 7) % 7);
}

// ---- a rule of POSIX's TZ variable

static bool take_char(struct str *text, char c)
{
	if (str_empty(*text) || text->at[0] != c)
		return false;
	*text = str_from(*text, 1);
	return true;
}

static bool take_number(struct str *text, int max, int *number)
{
	size_t digits = 0;
	uint64_t value;

	while (digits < text->length && digits < 4 && text->at[digits] >= '0' && text->at[digits] <= '9')
		digits++;
	if (!str_to_uint(str_first(*text, digits), (uint64_t)max, &value))
		return false;
	*number = (int)value;
	*text = str_from(*text, digits);
	return true;
}

// "[+-]hh[:mm[:ss]]"
static bool take_time(struct str *text, int *seconds)
{
	bool negative = take_char(text, '-');
	int hours, minutes = 0, rest = 0;

	if (!negative)
		take_char(text, '+');
	if (!take_number(text, 167, &hours))
		return false;
	if (take_char(text, ':') && !take_number(text, 59, &minutes))
		return false;
	if (take_char(text, ':') && !take_number(text, 59, &rest))
		return false;
	*seconds = (hours * HOUR_S + minutes * MINUTE_S + rest) * (negative ? -1 : 1);
	return true;
}

static bool take_name(struct str *text)
{
	size_t length = 0;

	if (take_char(text, '<')) {
		length = str_index(*text, '>');
		if (length == text->length)
			return false;
		*text = str_from(*text, length + 1);
		return true;
	}
	while (length < text->length && ((text->at[length] | 0x20) >= 'a' && (text->at[length] | 0x20) <= 'z'))
		length++;
	*text = str_from(*text, length);
	return length >= 3;
}

// The day of `year` that a date of a rule is: "M10.5.0" (the last Sunday of October), "J60" (without a 29th of February), "59".
static bool take_date(struct str *text, int year, int64_t *day)
{
	int month, week, weekday, number;

	if (take_char(text, 'M')) {
		if (!take_number(text, 12, &month) || month < 1 || !take_char(text, '.') ||
		    !take_number(text, 5, &week) || week < 1 || !take_char(text, '.') ||
		    !take_number(text, 6, &weekday))
			return false;
		int64_t first = days_before_month(year, month);
		int64_t found = first + ((weekday + 6) % 7 - weekday_of_day(first) + 7) % 7 + (week - 1) * 7;
		while (found >= first + days_of_month(year, month))
			found -= 7;
		*day = found;
		return true;
	}
	bool julian = take_char(text, 'J');
	if (!take_number(text, 365, &number) || (julian && number < 1))
		return false;
	*day = days_before_year(year) + number - (julian && !(is_leap(year) && number >= 60));
	return true;
}

static bool take_change(struct str *text, int year, int64_t *local_s)
{
	int64_t day;
	int at_s = 2 * HOUR_S;

	if (!take_char(text, ',') || !take_date(text, year, &day))
		return false;
	if (take_char(text, '/') && !take_time(text, &at_s))
		return false;
	*local_s = day * DAY_S + at_s;
	return true;
}

bool time_rule_offset(struct str rule, int64_t utc_s, int *east_s)
{
	int west_s, summer_west_s;
	int64_t start_s, end_s;

	if (!take_name(&rule) || !take_time(&rule, &west_s))
		return false;
	*east_s = -west_s;
	if (str_empty(rule))
		return true;
	summer_west_s = west_s - HOUR_S;
	if (!take_name(&rule))
		return false;
	if (!str_empty(rule) && rule.at[0] != ',' && !take_time(&rule, &summer_west_s))
		return false;
	int year = year_of_day(floor_divide(utc_s - west_s, DAY_S));
	if (!take_change(&rule, year, &start_s) || !take_change(&rule, year, &end_s) || !str_empty(rule))
		return false;
	start_s += west_s;
	end_s += summer_west_s;
	bool summer =
	    start_s < end_s ? utc_s >= start_s && utc_s < end_s : utc_s >= start_s || utc_s < end_s; // the south
	if (summer)
		*east_s = -summer_west_s;
	return true;
}

struct local_time time_zone_local(struct str name, int64_t utc_ms)
{
	const struct zone *zone = zone_find(name);
	int64_t utc_s = floor_divide(utc_ms, 1000);
	int east_s = 0;

	if (zone)
		time_rule_offset(str_of(zone->rule), utc_s, &east_s);
	int64_t day = floor_divide(utc_s + east_s, DAY_S);
	struct local_time local = {.year = year_of_day(day), .weekday = weekday_of_day(day), .month = 1};
	local.minute = (int)((utc_s + east_s - day * DAY_S) / MINUTE_S);
	int left = (int)(day - days_before_year(local.year));
	while (left >= days_of_month(local.year, local.month))
		left -= days_of_month(local.year, local.month++);
	local.day = left + 1;
	return local;
}
