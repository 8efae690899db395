// When a site is open, as an administrator writes it: "mon-fri 08:00-12:00 13:00-18:00, sat 09:00-13:00".
#ifndef DOMAIN_OPENING_HOURS_H
#define DOMAIN_OPENING_HOURS_H

#include "domain/err.h"
#include "domain/time_zone.h"

// Entries separated by commas; each names days (mon, or mon-fri, also sat-mon, several in a row) and then times. 24:00 is midnight; a time
// that ends before it begins goes on into the next day. Empty: always open.
bool opening_hours_allowed(struct str hours);
// Days without opening hours, separated by spaces: 12-25 of every year, 2027-04-05 once.
bool closed_days_allowed(struct str days);
// Each is a day that the calendar has. They must be allowed.
enum err closed_days_check(struct str days, struct problem *problem);
// Both must be allowed. A time that goes past midnight belongs to the day on which it begins.
bool opening_hours_open(struct str hours, struct str closed_days, const struct local_time *now);

#endif
