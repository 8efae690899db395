// The voicemail guard: how a voicemail that answers for an external number or a Teams user is told from a person.
//
// A phone rings from the moment its carrier says so. Both times count from there: from the first 180; without one, from the
// first other provisional answer (183, 181); without any, from our INVITE. So the seconds that a carrier needs to find the
// phone count for nobody, a mailbox that answers right after its 180 is caught, and so is one that answers without ringing;
// a single 180 that was lost on the way makes nobody who answers a mailbox.
#ifndef DOMAIN_GUARD_H
#define DOMAIN_GUARD_H

#include "domain/device.h"
#include "domain/site.h"

enum { TOO_SOON_MS_MAX = 60000, TOO_LATE_MS_MAX = 600000 };
#define TOO_SOON_RULE "An answer is too soon within 1 to 60000 milliseconds; 0 turns it off."
#define TOO_LATE_RULE "An answer is too late after 1 to 600000 milliseconds; 0 turns it off."

struct guard {
	uint64_t too_soon_ms; // whoever answers sooner is no person; 0 = off
	uint64_t too_late_ms; // it never rings longer; 0 = off
};

// What counts for the device, its own times or the site's. All off for a device that registers: it has no voicemail of its own.
struct guard guard_of(const struct device *device, const struct site *site); // site: NULL: off
// Nobody could answer when too late came before too soon. Times that are left open are not compared.
enum err guard_check(int64_t too_soon_ms, int64_t too_late_ms, struct problem *problem);

#endif
