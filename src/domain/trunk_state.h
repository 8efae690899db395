// How a trunk is now, as it is shown: its registration, and each of its targets, what it answered last and since when that is so. A value: its texts are
// in it. Filled in on the call thread.
#ifndef DOMAIN_TRUNK_STATE_H
#define DOMAIN_TRUNK_STATE_H

#include "domain/trunk_registration.h"

enum trunk_service {
	TRUNK_UNKNOWN,       // nobody has looked yet, or nobody looks
	TRUNK_IN_SERVICE,    // calls go there
	TRUNK_OUT_OF_SERVICE // calls go elsewhere, at once
};
extern const char *const trunk_service_names[]; // "unknown" ...

enum { TRUNK_STATE_TARGETS_MAX = 16, TRUNK_STATE_TEXT_MAX = 256 };

struct trunk_target_state {
	char host[TRUNK_STATE_TEXT_MAX]; // as configured
	char address[64];                // "192.0.2.1:5060"
	const char *transport;
	enum trunk_service service;
	const char *reason;    // a sentence; NULL: there is nothing to say
	unsigned last_status;  // the last final response to OPTIONS; 0: none came
	int64_t round_trip_ms; // of that one; -1: none came
	int64_t checked_at;    // wall clock ms of the last check that ended; 0: none has
	int64_t since;         // wall clock ms since when it is in this service
};

struct trunk_state {
	uint64_t trunk_id;
	enum trunk_service service;   // out of service when all its targets are
	const char *reason;           // likewise
	unsigned legs;                // now, in both directions
	uint64_t legs_begun;          // since the start
	uint64_t legs_refused;        // for the limits
	int64_t legs_max, legs_per_s; // the limits; 0 = none
	int64_t own_number_until; // wall clock ms: it is shown own numbers alone, having refused others; 0: it is not
	size_t target_count;
	struct trunk_target_state targets[TRUNK_STATE_TARGETS_MAX];
	struct trunk_registration_state registration;
};

#endif
