// Reading opening hours and closed days, and holding the clock against them.
#include "domain/opening_hours.h"

enum { DAY_MINUTES = 1440 };

// ---- days and times

static bool weekday_read(struct str text, int *weekday)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	for (int i = 0; i < 7; i++)
		if (str_equal_nocase(text, str_of(names[i]))) {
			*weekday = i;
			return true;
		}
	return false;
}

// One bit a day.
static bool days_read(struct str text, unsigned *days)
{
	int first, last;
	struct str from = str_first(text, str_index(text, '-'));

	if (!weekday_read(from, &first))
		return false;
	last = first;
	if (from.length < text.length && !weekday_read(str_from(text, from.length + 1), &last))
		return false;
	for (int day = first;; day = (day + 1) % 7) {
		*days |= 1u << day;
		if (day == last)
			return true;
	}
}

static bool minute_read(struct str text, int *minute)
{
	uint64_t hours, minutes;

	if (text.length != 5 || text.at[2] != ':' || !str_to_uint(str_first(text, 2), 24, &hours) ||
	    !str_to_uint(str_from(text, 3), 59, &minutes) || hours * 60 + minutes > DAY_MINUTES)
		return false;
	*minute = (int)(hours * 60 + minutes);
	return true;
}

struct span {
	int from, to; // minutes of the day; to <= from: of the next one
};

static bool span_read(struct str text, struct span *span)
{
	return text.length == 11 && text.at[5] == '-' && minute_read(str_first(text, 5), &span->from) &&
	       minute_read(str_from(text, 6), &span->to) && span->from < DAY_MINUTES && span->from != span->to;
}

// ---- the text

struct reader {
	struct str rest;
	unsigned days; // of the entry that is being read
	struct span span;
	bool wrong;
};

// The next time, and on which days; false at the end or where something is wrong.
static bool entry_next(struct reader *reader, bool *begun)
{
	struct str word;

	for (;;) {
		while (!str_empty(reader->rest) && reader->rest.at[0] == ' ')
			reader->rest = str_from(reader->rest, 1);
		if (str_empty(reader->rest) || reader->rest.at[0] == ',') {
			reader->wrong = !*begun; // an entry needs a time
			reader->days = 0;
			*begun = false;
			if (reader->wrong || str_empty(reader->rest))
				return false;
			reader->rest = str_from(reader->rest, 1);
			continue;
		}
		size_t end = 0;
		while (end < reader->rest.length && reader->rest.at[end] != ' ' && reader->rest.at[end] != ',')
			end++;
		word = str_first(reader->rest, end);
		reader->rest = str_from(reader->rest, end);
		if (reader->days && span_read(word, &reader->span)) {
			*begun = true;
			return true;
		}
		if (*begun || !days_read(word, &reader->days)) {
			reader->wrong = true;
			return false;
		}
	}
}

bool opening_hours_allowed(struct str hours)
{
	struct reader reader = {.rest = str_trim(hours)};
	bool begun = false;

	if (str_empty(reader.rest))
		return true;
	while (entry_next(&reader, &begun))
		;
	return !reader.wrong;
}

// ---- closed days

struct date {
	uint64_t year, month, day; // year 0: every one
};

static bool date_read(struct str text, struct date *date)
{
	date->year = 0;
	if (text.length == 10 && text.at[4] == '-') {
		if (!str_to_uint(str_first(text, 4), 9999, &date->year) || date->year < 2000)
			return false;
		text = str_from(text, 5);
	}
	return text.length == 5 && text.at[2] == '-' && str_to_uint(str_first(text, 2), 12, &date->month) &&
	       str_to_uint(str_from(text, 3), 31, &date->day) && date->month > 0 && date->day > 0;
}

bool closed_days_allowed(struct str days)
{
	struct date date;
	struct str day;

	while (str_take(&days, ' ', &day))
		if (!str_empty(day) && !date_read(day, &date))
			return false;
	return true;
}

enum err closed_days_check(struct str days, struct problem *problem)
{
	enum { LEAP_YEAR = 2000 }; // of every year: 02-29 is a day of some
	struct date date;
	struct str day;

	while (str_take(&days, ' ', &day))
		if (date_read(day, &date) &&
		    date.day > (uint64_t)days_of_month(date.year ? (int)date.year : LEAP_YEAR, (int)date.month))
			return problem_set(problem, ERR_INVALID_FIELD, "closed_days",
					   "There is no %.*s in the calendar.", STR_ARG(day));
	return ERR_NONE;
}

static bool is_closed(struct str days, const struct local_time *on)
{
	struct date date;
	struct str day;

	while (str_take(&days, ' ', &day))
		if (date_read(day, &date) && (date.year == 0 || date.year == (uint64_t)on->year) &&
		    date.month == (uint64_t)on->month && date.day == (uint64_t)on->day)
			return true;
	return false;
}

// ---- now

static struct local_time day_before(const struct local_time *now)
{
	struct local_time before = *now;

	before.weekday = (now->weekday + 6) % 7;
	if (before.day-- > 1)
		return before;
	if (before.month-- == 1) {
		before.month = 12;
		before.year--;
	}
	before.day = days_of_month(before.year, before.month);
	return before;
}

bool opening_hours_open(struct str hours, struct str closed_days, const struct local_time *now)
{
	struct reader reader = {.rest = str_trim(hours)};
	const struct local_time yesterday = day_before(now);
	bool closed_today = is_closed(closed_days, now), closed_yesterday = is_closed(closed_days, &yesterday);
	bool begun = false;

	if (str_empty(reader.rest))
		return !closed_today;
	while (entry_next(&reader, &begun)) {
		const struct span *span = &reader.span;
		bool overnight = span->to <= span->from;
		if (!closed_today && (reader.days & 1u << now->weekday) && now->minute >= span->from &&
		    (overnight || now->minute < span->to))
			return true;
		if (!closed_yesterday && overnight && (reader.days & 1u << yesterday.weekday) && now->minute < span->to)
			return true;
	}
	return false;
}
