// How many requests each of many may send: a bucket each, of which nothing but the moment is kept at which it will be full again. A
// full one needs no place. A request touches one line of the cache.
#ifndef SIP_ALLOWANCE_H
#define SIP_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allowance {
	uint64_t who;              // 0: nobody's
	uint64_t full_at_us : 48;  // nine years
	uint64_t told_minute : 16; // the log has it already
};

struct allowances {
	struct allowance *at; // owned
	size_t mask;          // of the sets that `who` chooses from
};

// Room for so many that are not full, at least. Where more come than a place has room for, the one that lacks least is taken as full.
bool allowances_init(struct allowances *allowances, size_t count); // false: no memory
void allowances_free(struct allowances *allowances);               // also of one that is all zero
// The one of `who`, a hash; full if nothing was taken of late. Valid until the next call.
struct allowance *allowances_of(struct allowances *allowances, uint64_t who, uint64_t now_us);
// Takes one request. False: there is none left.
bool allowance_take(struct allowance *allowance, uint64_t now_us, unsigned per_s, unsigned burst);
// Whether the log should tell of it now: at most once in each minute.
bool allowance_tells(struct allowance *allowance, uint64_t now_us);

#endif
