// How the registration of a trunk at its carrier is: kept by signalling on the call thread, shown by everybody else.
#ifndef DOMAIN_TRUNK_REGISTRATION_H
#define DOMAIN_TRUNK_REGISTRATION_H

#include "base/str.h"

#include <stdint.h>

enum trunk_registration_status {
	TRUNK_REGISTRATION_OFF, // the trunk does not register, or is disabled
	TRUNK_REGISTERING,      // the carrier has been asked, or is being looked for
	TRUNK_REGISTERED,
	TRUNK_REGISTRATION_FAILED,  // it is tried again; what the carrier granted before may still hold
	TRUNK_REGISTRATION_REFUSED, // the carrier does not want this account: it is asked again after a long pause only
};
extern const char *const trunk_registration_status_names[]; // "off" ..., ends with NULL

enum { TRUNK_REGISTRATION_SENTENCE_MAX = 200 };

struct trunk_registration_state {
	enum trunk_registration_status status;
	int64_t registered_until; // wall clock ms; 0 = the carrier does not know us now
	int64_t next_try_at;      // wall clock ms, of the next REGISTER; 0 = it is under way, or there will be none
	int64_t since;            // wall clock ms since when it has this status
	unsigned last_status;     // of the last final response to a REGISTER; 0 = none came
	char sentence[TRUNK_REGISTRATION_SENTENCE_MAX]; // what happened last, for people: who answered what
};

#endif
