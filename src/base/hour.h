// How often something happened within the last hour. Counted by the minute, so that memory is bounded: never fewer than there were
// in the last 60 minutes, and those of up to one minute before.
#ifndef BASE_HOUR_H
#define BASE_HOUR_H

#include <stdint.h>

enum { HOUR_MINUTES = 61, MS_PER_HOUR = 3600 * 1000 };

struct hour {            // all zero: never
	uint64_t minute; // the one that is counted in now
	uint32_t counts[HOUR_MINUTES];
};

// Times by a clock that never goes back.
void hour_add(struct hour *hour, uint64_t now_ms);
unsigned hour_count(const struct hour *hour, uint64_t now_ms);

#endif
