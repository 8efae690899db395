// Opening hours and rules of time zones: eight bytes of time, then hours, closed days and a rule, a line each.
#include "domain/opening_hours.h"
#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t time_s;
	int east_s = 0;

	if (size < sizeof time_s)
		return 0;
	memcpy(&time_s, data, sizeof time_s);
	time_s %= (int64_t)400 * 366 * 86400; // four centuries either way
	struct str text = input(data + sizeof time_s, size - sizeof time_s), hours, days, rule = STR_NONE;
	if (!str_take(&text, '\n', &hours) || !str_take(&text, '\n', &days))
		return 0;
	str_take(&text, '\n', &rule);
	const struct local_time now = time_zone_local(rule, time_s * 1000);
	must(now.month >= 1 && now.month <= 12 && now.day >= 1 && now.day <= days_of_month(now.year, now.month));
	must(now.weekday >= 0 && now.weekday < 7 && now.minute >= 0 && now.minute < 1440);
	if (opening_hours_allowed(hours) && closed_days_allowed(days))
		(void)opening_hours_open(hours, days, &now);
	if (time_rule_offset(rule, time_s, &east_s))
		must(east_s >= -200 * 3600 && east_s <= 200 * 3600);
	return 0;
}
