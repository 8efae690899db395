// A public number that trunks deliver, or a range of them, and what it reaches.
#ifndef DOMAIN_DID_H
#define DOMAIN_DID_H

#include "domain/entity.h"
#include "domain/number.h"

// USER: one extension, whichever of the numbers is called. DIGITS: the last digits of the number called are the extension.
// BUSY and NOT_FOUND: nobody's; what the caller gets.
enum did_target { DID_USER, DID_DIGITS, DID_BUSY, DID_NOT_FOUND };

// What a trunk gets for a number that is no DID, or that leads to no extension. The site's own list has no SITE.
enum unknown_did { UNKNOWN_DID_SITE, UNKNOWN_DID_NOT_FOUND, UNKNOWN_DID_BUSY, UNKNOWN_DID_EXTENSION };
extern const char *const unknown_did_names[]; // "site" ..., ends with NULL
// Whether there is an extension where the choice needs one.
enum err unknown_did_check(int unknown_did, struct str extension, struct problem *problem);

enum { DID_RANGE_MAX = 1000000, DID_CANONICAL_MAX = 40 };

struct did {
	struct entity entity;
	struct str number;           // as typed; of a range the first
	struct str last;             // of a range, as typed: the whole number or its last digits; empty = one number
	struct str canonical;        // read-only, unique: "+441444555500", of a range "+441444555500-+441444555599"
	int target;                  // enum did_target
	uint64_t user_id;            // DID_USER: whose extension it reaches
	int64_t extension_digits;    // DID_DIGITS: how many
	struct str extension_prefix; // DID_DIGITS: what stands in front of them
	uint64_t trunk_id;           // 0 = from any trunk
	int64_t first_value;         // read-only: the numbers as did_value has them, for the store's comparisons
	int64_t last_value;
};

extern const struct entity_type did_type;

// A canonical number as one that can be compared; false when it is none. Short codes come after all E.164 numbers.
bool did_value(struct str canonical, int64_t *value);
// The values of the first and the last number of a DID's canonical form.
bool did_values(struct str canonical, int64_t *first, int64_t *last);
// Reads number and last by the plan into canonical and the values. The problem names the field.
enum err did_canonicalize(const struct number_plan *plan, struct did *did, struct arena *arena,
			  struct problem *problem);
// DID_DIGITS: the extension that a canonical number stands for. at == NULL: the number is too short.
struct str did_extension(const struct did *did, struct str canonical, char room[NUMBER_MAX]);

#endif
