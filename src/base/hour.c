// A ring of minutes.
#include "base/hour.h"

enum { MS_PER_MINUTE = 60 * 1000 };

// The minutes that have gone by since then are empty.
static void hour_advance(struct hour *hour, uint64_t minute)
{
	uint64_t passed = minute - hour->minute;

	for (uint64_t i = 1; i <= passed && i <= HOUR_MINUTES; i++)
		hour->counts[(hour->minute + i) % HOUR_MINUTES] = 0;
	hour->minute = minute;
}

void hour_add(struct hour *hour, uint64_t now_ms)
{
	uint64_t minute = now_ms / MS_PER_MINUTE;

	if (minute > hour->minute)
		hour_advance(hour, minute);
	hour->counts[hour->minute % HOUR_MINUTES]++;
}

unsigned hour_count(const struct hour *hour, uint64_t now_ms)
{
	uint64_t passed = now_ms / MS_PER_MINUTE - hour->minute;
	unsigned count = 0;

	for (uint64_t back = 0; passed + back < HOUR_MINUTES && back <= hour->minute; back++)
		count += hour->counts[(hour->minute - back) % HOUR_MINUTES];
	return count;
}
