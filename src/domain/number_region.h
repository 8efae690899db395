// What numbers there are in each country, from the table number_regions.def: lengths, types, prefixes, spelling. Pure, without
// allocation; a look-up walks one table once along the digits, so it costs at most NUMBER_NATIONAL_MAX steps.
#ifndef DOMAIN_NUMBER_REGION_H
#define DOMAIN_NUMBER_REGION_H

#include "base/writer.h"

#include <stdbool.h>
#include <stdint.h>

enum { NUMBER_NATIONAL_MAX = 17 };

// What is called at a number, and so what a call costs. UNKNOWN: the metadata knows no such number; there may be one all the same.
enum number_type {
	NUMBER_TYPE_UNKNOWN,
	NUMBER_FIXED,
	NUMBER_FIXED_OR_MOBILE, // one cannot be told from the other, as in North America
	NUMBER_MOBILE,
	NUMBER_PREMIUM,
	NUMBER_TOLL_FREE,
	NUMBER_SHARED_COST,
	NUMBER_VOIP,
	NUMBER_PERSONAL, // follows its owner
	NUMBER_PAGER,
	NUMBER_COMPANY, // reaches a company wherever it is ("UAN")
	NUMBER_VOICEMAIL,
	NUMBER_TYPE_COUNT
};
extern const char *const number_type_names[]; // "unknown", "fixed" ..., ends with NULL

// A country, or what else has a calling code: then `country` is empty.
struct number_region {
	const char *country;      // ISO 3166: "GB"
	const char *calling_code; // "44"
	const char
	    *international_prefix; // dialled before a calling code; the usual one where there are several. May be empty
	const char *national_prefix;     // dialled before a national number; may be empty
	uint32_t lengths;                // bit n: national numbers of n digits are possible
	uint16_t international, general; // in the table
	uint16_t rule, rule_count, format, format_count;
};

// NULL: no such country.
const struct number_region *number_region_of_country(struct str country);
// The main one that has the calling code these digits (of an E.164 number, without '+') begin with. NULL: there is none.
const struct number_region *number_region_of_digits(struct str digits);
// As it stands in a sentence: "the United Kingdom".
const char *number_region_name(const struct number_region *region);
// The codes of its emergency services, separated by spaces; empty for what is no country.
const char *number_region_emergency(const struct number_region *region);

// ---- national numbers: digits without prefixes

// What the metadata says of a national number.
struct number_known {
	const struct number_region
	    *region; // the one of those that share the calling code that it belongs to; else the main one
	enum number_type type;
	// Bit n: numbers that begin like this one have n digits. 0: none is known that begins so.
	uint32_t lengths;
	bool complete; // it is one of them
};
struct number_known number_region_know(const struct number_region *main, struct str national);
// How many digits at the front of what was dialled are the country's prefix for calls abroad; 0: none.
size_t number_region_international(const struct number_region *region, struct str digits);
// Takes off what is dialled before a national number (a prefix, a carrier's code), or puts in what is left out, as the
// country's rules have it. False: nothing changes, and `national` is `digits`.
bool number_region_strip(const struct number_region *region, struct str digits, char room[NUMBER_NATIONAL_MAX],
			 struct str *national);
// True when it is usual to write this number without the national prefix.
bool number_region_bare(const struct number_region *region, struct str national);

// How people write it: "01444 123456", or "1444 123456" to follow the calling code.
enum number_spelling { NUMBER_SPELT_NATIONAL, NUMBER_SPELT_INTERNATIONAL };
void number_region_spell(const struct number_region *region, struct str national, enum number_spelling spelling,
			 struct writer *w);

#endif
