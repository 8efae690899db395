// Walks the table of numbers. Its rows:
//   CALLING(code, state, region, count)  a calling code: where the types of its numbers begin, and its regions, the main one first
//   REGION(...)                          struct number_region, in its order
//   STATES(edge, label, ...)             per state its first edge (NO_EDGE: none), and what a number is that ends there (0: none)
//   EDGES(...)                           the state it leads to << 11 | 1 << 10 for the state's last | a bit for each digit
#include "domain/number_region.h"

#include <string.h>

enum { EDGE_LAST = 1 << 10, EDGE_TO = 11, NO_EDGE = 65535 };

const char *const number_type_names[] = {"unknown",     "fixed", "fixed_or_mobile", "mobile", "premium", "toll_free",
					 "shared_cost", "voip",  "personal",        "pager",  "company", "voicemail",
					 NULL};

struct calling {
	const char *code;
	uint16_t state, region, count;
};
static const struct calling callings[] = {
#define CALLING(...) {__VA_ARGS__},
#include "domain/number_regions.def"
};

static const struct number_region regions[] = {
#define REGION(...) {__VA_ARGS__},
#include "domain/number_regions.def"
};

// Two of each: states[2 * n] is the edge, states[2 * n + 1] the label.
static const uint16_t states[] = {
#define STATES(...) __VA_ARGS__,
#include "domain/number_regions.def"
};

static const uint32_t edges[] = {
#define EDGES(...) __VA_ARGS__,
#include "domain/number_regions.def"
};

static uint16_t step(uint16_t state, char digit)
{
	size_t edge = states[2 * state];

	if (edge == NO_EDGE || digit < '0' || digit > '9')
		return 0;
	for (;; edge++) {
		if (edges[edge] & 1u << (digit - '0'))
			return (uint16_t)(edges[edge] >> EDGE_TO);
		if (edges[edge] & EDGE_LAST)
			return 0;
	}
}

// 0: nothing leads there.
static uint16_t walk(uint16_t state, struct str digits)
{
	for (size_t i = 0; state && i < digits.length; i++)
		state = step(state, digits.at[i]);
	return state;
}

// ---- countries and calling codes

const struct number_region *number_region_of_country(struct str country)
{
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		if (!str_empty(country) && str_equal(str_of(regions[i].country), country))
			return &regions[i];
	return NULL;
}

// No calling code begins with another one, so at most one in the sorted rows fits.
static const struct calling *calling_of(struct str digits)
{
	size_t low = 0, high = sizeof callings / sizeof *callings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct str code = str_of(callings[middle].code);
		struct str front = str_first(digits, code.length);
		int order = memcmp(front.at, code.at, front.length);
		if (order == 0 && front.length == code.length)
			return &callings[middle];
		if (order < 0 || (order == 0 && front.length < code.length))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct number_region *number_region_of_digits(struct str digits)
{
	const struct calling *calling = str_empty(digits) ? NULL : calling_of(digits);

	return calling ? &regions[calling->region] : NULL;
}

// ---- types

enum number_type number_region_type(const struct number_region *main, struct str national,
				    const struct number_region **region)
{
	const struct calling *calling = calling_of(str_of(main->calling_code));
	unsigned label = calling ? states[2 * walk(calling->state, national) + 1] : 0;

	*region = main;
	if (label == 0)
		return NUMBER_TYPE_UNKNOWN;
	*region = &regions[calling->region + (label - 1) / NUMBER_TYPE_COUNT];
	return (enum number_type)((label - 1) % NUMBER_TYPE_COUNT);
}
