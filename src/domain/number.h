// Phone numbers: what was typed is kept; what is dialled and compared is the canonical form, "+" and digits (E.164), or
// the bare digits of a short code. Pure, without allocation; a parse takes at most a few thousand steps.
//
// What is looked for, in this order: an emergency code; one of the site's short codes; a number with + or the country's
// prefix for calls abroad; a national number with its prefix; a number that is whole without one, by the country's rules;
// a local number, when the site has an area code; 2 to 6 digits as a short code, when the site names none.
// What could be two things, or none, is refused with a sentence that says what would be right.
#ifndef DOMAIN_NUMBER_H
#define DOMAIN_NUMBER_H

#include "domain/err.h"
#include "domain/number_region.h"

enum { NUMBER_MAX = 32 };

// A site's way of dialling. Slices live as long as the plan.
struct number_plan {
	struct str country_code;         // "44": the calling code
	struct str international_prefix; // "00"; when it is the country's usual one, its others are understood, too
	struct str national_prefix;      // "0"; may be empty
	struct str outside_prefix;       // dialled before an outside number, or empty
	struct str emergency;            // codes separated by spaces: "112 999"
	struct str country;              // ISO 3166: "GB"; empty: the main one that has the calling code
	struct str area_code;            // "1444": of numbers dialled without one; empty: there are none
	struct str short_codes;          // separated by spaces, x for any digit: "118xxx 1xx"; empty: any 2 to 6 digits
};
// The usual way of dialling in a country. False: there is no such country.
bool number_plan_usual(struct str country, struct number_plan *plan);
// The plan's country. NULL: its calling code is nobody's.
const struct number_region *number_plan_region(const struct number_plan *plan);

// SHORT: only this country or carrier understands it. NATIONAL: of the plan's country. A number that shares the plan's
// calling code but belongs to another country is national, too, as it is dialled; except in North America, where the
// islands are called like the next town and cost like another continent.
enum number_class { NUMBER_EMERGENCY, NUMBER_SHORT, NUMBER_NATIONAL, NUMBER_INTERNATIONAL };
extern const char *const number_class_names[]; // "emergency" ..., ends with NULL

struct number {
	char canonical[NUMBER_MAX]; // terminated
	enum number_class class_;
	enum number_type type;              // of a national or international number: premium, mobile ...
	const struct number_region *region; // its country; NULL: a code
};

// Spaces, dots, dashes, slashes and parentheses are ignored; "(0)" after a country code too. ERR_BAD_NUMBER with a sentence
// when it is none or could be two things.
enum err number_parse(const struct number_plan *plan, struct str typed, struct number *number, struct problem *problem);
// What a person dialled on a phone: with the plan's outside prefix when there is one ("9" before 01444 123456), or
// beginning with '+', or an emergency code with or without it. ERR_UNKNOWN_NUMBER when the outside prefix is missing.
enum err number_parse_dialled(const struct number_plan *plan, struct str dialled, struct number *number,
			      struct problem *problem);
// True for an emergency code, with or without the outside prefix.
bool number_is_emergency(const struct number_plan *plan, struct str dialled);
// True for one of the site's short codes, as it stands.
bool number_is_short(const struct number_plan *plan, struct str digits);
// As people write it: "+44 1444 123456", or "01444 123456". A code as it is.
void number_spell(const struct number *number, enum number_spelling spelling, struct writer *w);

#endif
