// What the clock on the wall shows in a time zone. The zones are those of the IANA database that the build has found, each with the rule
// that holds from now on: what was in the past is not known.
#ifndef DOMAIN_TIME_ZONE_H
#define DOMAIN_TIME_ZONE_H

#include "base/str.h"

enum { TIME_ZONE_NAME_MAX = 40 };

bool time_zone_known(struct str name); // "Europe/Prague"; as they are written, capitals included

struct local_time {
	int year, month, day; // 1 to 12, 1 to 31
	int weekday;          // 0: Monday
	int minute;           // of the day: 0 to 1439
};

int days_of_month(int year, int month); // 1 to 12

// An unknown zone is UTC.
struct local_time time_zone_local(struct str name, int64_t utc_ms);

// The same by a rule of POSIX's TZ variable: "CET-1CEST,M3.5.0,M10.5.0/3". False when it cannot be read.
bool time_rule_offset(struct str rule, int64_t utc_s, int *east_s);

#endif
