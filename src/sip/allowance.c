// Buckets as the moments at which they are full (GCRA, as in ITU-T I.371), in sets of as many as a line of the cache holds.
#include "sip/allowance.h"

#include <stdlib.h>
#include <string.h>

enum { SET = 4, MINUTE_US = 60 * 1000 * 1000, COUNT_MAX = 1 << 24 };

_Static_assert(SET * sizeof(struct allowance) == 64, "a set fills a line of the cache");

bool allowances_init(struct allowances *allowances, size_t count)
{
	size_t sets = 1;

	if (count > COUNT_MAX)
		count = COUNT_MAX;
	while (sets * SET < count)
		sets *= 2;
	allowances->mask = sets - 1;
	allowances->at = aligned_alloc(SET * sizeof(struct allowance), sets * SET * sizeof(struct allowance));
	if (allowances->at)
		memset(allowances->at, 0, sets * SET * sizeof(struct allowance));
	return allowances->at != NULL;
}

void allowances_free(struct allowances *allowances)
{
	free(allowances->at);
	allowances->at = NULL;
}

struct allowance *allowances_of(struct allowances *allowances, uint64_t who, uint64_t now_us)
{
	struct allowance *set = &allowances->at[(who & allowances->mask) * SET], *fullest = set;

	for (int i = 0; i < SET; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].full_at_us < fullest->full_at_us)
			fullest = &set[i];
	}
	*fullest = (struct allowance){.who = who, .full_at_us = now_us};
	return fullest;
}

bool allowance_take(struct allowance *allowance, uint64_t now_us, unsigned per_s, unsigned burst)
{
	uint64_t request_us = 1000000 / per_s;
	uint64_t from_us = allowance->full_at_us > now_us ? allowance->full_at_us : now_us;

	if (from_us - now_us + request_us > burst * request_us)
		return false;
	allowance->full_at_us = from_us + request_us;
	return true;
}

bool allowance_tells(struct allowance *allowance, uint64_t now_us)
{
	uint16_t minute = (uint16_t)(now_us / MINUTE_US + 1);

	if (allowance->told_minute == minute)
		return false;
	allowance->told_minute = minute;
	return true;
}
