// What a mean opinion score says, and how many there were of each.
#include "domain/call_quality.h"

#include <stddef.h>

const unsigned mos_bounds[MOS_BOUND_COUNT] = {200, 250, 300, 350, 400, 430};

const char *call_quality_rating(const struct call_quality *quality)
{
	if (quality->mos_hundred == 0)
		return NULL;
	if (quality->mos_hundred >= MOS_GOOD)
		return "good";
	return quality->mos_hundred >= MOS_FAIR ? "fair" : "poor";
}

void call_quality_count(struct mos_counters *counters, const struct call_quality *quality)
{
	if (quality->mos_hundred == 0)
		return;
	for (size_t i = 0; i < MOS_BOUND_COUNT; i++)
		counters->at_most[i] += quality->mos_hundred <= mos_bounds[i];
	counters->count++;
	counters->sum_hundred += quality->mos_hundred;
}
