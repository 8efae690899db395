// Phone numbers: what was typed is kept; what is dialled and compared is the canonical form, "+" and digits (E.164), or
// the bare digits of a short code. Pure.
#ifndef DOMAIN_NUMBER_H
#define DOMAIN_NUMBER_H

#include "domain/err.h"
#include "domain/number_region.h"

enum { NUMBER_MAX = 32 };

// A site's way of dialling. Slices live as long as the plan.
struct number_plan {
	struct str country_code;         // "44"
	struct str international_prefix; // "00"
	struct str national_prefix;      // "0"; may be empty
	struct str outside_prefix;       // dialled before an outside number, or empty
	struct str emergency;            // codes separated by spaces: "112 999"
};

// SHORT: 2 to 6 digits that only this country or carrier understands. NATIONAL: within the plan's country.
enum number_class { NUMBER_EMERGENCY, NUMBER_SHORT, NUMBER_NATIONAL, NUMBER_INTERNATIONAL };

struct number {
	char canonical[NUMBER_MAX]; // terminated
	enum number_class class_;
	enum number_type type;              // of a national or international number: premium, mobile ...
	const struct number_region *region; // its country; NULL: a code, or a calling code that nobody has
};

// Spaces, dots, dashes, slashes and parentheses are ignored; "(0)" after a country code too. Emergency codes are matched
// before anything else. ERR_BAD_NUMBER with a sentence when it is none or could be two things.
enum err number_parse(const struct number_plan *plan, struct str typed, struct number *number, struct problem *problem);
// What a person dialled on a phone: with the plan's outside prefix when there is one ("9" before 01444 123456), or
// beginning with '+', or an emergency code with or without it. ERR_UNKNOWN_NUMBER when the outside prefix is missing.
enum err number_parse_dialled(const struct number_plan *plan, struct str dialled, struct number *number,
			      struct problem *problem);
// True for an emergency code, with or without the outside prefix.
bool number_is_emergency(const struct number_plan *plan, struct str dialled);

#endif
