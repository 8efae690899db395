// What numbers there are in each country, from the table number_regions.def: lengths, types, prefixes, spelling. Pure, without
// allocation; a look-up walks one table once along the digits, so it costs at most NUMBER_NATIONAL_MAX steps.
#ifndef DOMAIN_NUMBER_REGION_H
#define DOMAIN_NUMBER_REGION_H

#include "base/str.h"

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
// The type of a national number, and of those that share main's calling code the one that it belongs to: `main` itself when
// the metadata does not say.
enum number_type number_region_type(const struct number_region *main, struct str national,
				    const struct number_region **region);

#endif
