// How a leg was heard, as far as the media relay saw: kept beside the call record, and counted.
#ifndef DOMAIN_CALL_QUALITY_H
#define DOMAIN_CALL_QUALITY_H

#include "base/str.h"

// May be told before the record is saved or after it. All borrowed for the length of the call.
struct call_quality {
	struct str record;    // the call record's id
	unsigned leg;         // its number within the call; 0 is the caller
	struct str relay;     // which one saw it
	struct str codec;     // "PCMA", "opus"; empty: nothing came
	uint64_t packets;     // received from this side
	uint64_t lost;        // of those that were sent
	unsigned jitter_ms;   // mean, interarrival (RFC 3550 section 6.4.1)
	unsigned mos_hundred; // mean opinion score by 100, 100 to 500; 0: not known
};

// By what listeners say of calls with such a score: G.107, table B.1: satisfied; some or many dissatisfied; nearly all.
enum { MOS_GOOD = 400, MOS_FAIR = 310 };
const char *call_quality_rating(const struct call_quality *quality); // "good", "fair", "poor"; NULL: not known

// All scores since the start, as a histogram.
enum { MOS_BOUND_COUNT = 6 };
extern const unsigned mos_bounds[MOS_BOUND_COUNT]; // by 100
struct mos_counters {
	uint64_t at_most[MOS_BOUND_COUNT]; // no better than each bound
	uint64_t count, sum_hundred;
};
void call_quality_count(struct mos_counters *counters, const struct call_quality *quality);

#endif
