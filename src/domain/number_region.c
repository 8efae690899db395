// Walks the table of numbers. Its rows:
//   CALLING(code, state, region, count)  a calling code: where the types of its numbers begin, and its regions, the main one first
//   REGION(...)                          struct number_region, in its order
//   RULE(...), FORMAT(...)               struct rule, struct format, in their order
//   STATES(edge, label, ...)             per state its first edge (NO_EDGE: none), and what a number is that ends there (0: none)
//   REMAINING(...)                       per state, bit n: a number may end n digits further on
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

// Of what was dialled: `before` is taken off, what `kept` matches stays (0: all the rest), `after` is taken off behind it, and
// `insert` put in front.
static const struct rule {
	uint16_t before, kept;
	const char *after;
	bool to_end; // nothing may follow
	const char *insert;
} rules[] = {
#define RULE(...) {__VA_ARGS__},
#include "domain/number_regions.def"
};

// For numbers that `state` matches: how many digits each group has, two hexadecimal digits a group, at least and at most; and
// two templates, where $1 stands for the first group.
static const struct format {
	uint16_t state;
	bool bare;
	const char *groups, *international, *national;
} formats[] = {
#define FORMAT(...) {__VA_ARGS__},
#include "domain/number_regions.def"
};

// Two of each: states[2 * n] is the edge, states[2 * n + 1] the label.
static const uint16_t states[] = {
#define STATES(...) __VA_ARGS__,
#include "domain/number_regions.def"
};

static const uint32_t remaining[] = {
#define REMAINING(...) __VA_ARGS__,
#include "domain/number_regions.def"
};

static const uint32_t edges[] = {
#define EDGES(...) __VA_ARGS__,
#include "domain/number_regions.def"
};

static const struct {
	const char *country, *name, *emergency;
} countries[] = {
#define COUNTRY(...) {__VA_ARGS__},
#include "domain/countries.def"
#undef COUNTRY
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

static unsigned label(uint16_t state)
{
	return states[2 * state + 1];
}

// 0: nothing leads there.
static uint16_t walk(uint16_t state, struct str digits)
{
	for (size_t i = 0; state && i < digits.length; i++)
		state = step(state, digits.at[i]);
	return state;
}

static bool matches(uint16_t state, struct str digits)
{
	return label(walk(state, digits)) != 0;
}

// The longest front that matches, of at most `most` digits; false: none does, not even the empty one.
static bool longest(uint16_t state, struct str digits, size_t most, size_t *length)
{
	bool found = false;

	for (size_t i = 0; state && i <= digits.length && i <= most; i++) {
		if (label(state)) {
			*length = i;
			found = true;
		}
		state = i < digits.length ? step(state, digits.at[i]) : 0;
	}
	return found;
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

	while (low < high && !str_empty(digits)) {
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
	const struct calling *calling = calling_of(digits);

	return calling ? &regions[calling->region] : NULL;
}

static size_t country_row(const struct number_region *region)
{
	const char *key = region->country[0] ? region->country : region->calling_code;
	size_t i = 0;

	while (i < sizeof countries / sizeof *countries - 1 && strcmp(countries[i].country, key) != 0)
		i++;
	return i;
}

const char *number_region_name(const struct number_region *region)
{
	return countries[country_row(region)].name;
}

const char *number_region_emergency(const struct number_region *region)
{
	return countries[country_row(region)].emergency;
}

// ---- national numbers

struct number_known number_region_know(const struct number_region *main, struct str national)
{
	const struct calling *calling = calling_of(str_of(main->calling_code));
	struct number_known known = {.region = calling ? &regions[calling->region] : main};
	uint16_t state = calling ? walk(calling->state, national) : 0;

	known.lengths = remaining[state] << national.length;
	known.complete = label(state) != 0;
	if (known.complete) {
		known.region = &regions[calling->region + (label(state) - 1) / NUMBER_TYPE_COUNT];
		known.type = (enum number_type)((label(state) - 1) % NUMBER_TYPE_COUNT);
	}
	return known;
}

size_t number_region_international(const struct number_region *region, struct str digits)
{
	size_t length = 0;

	return longest(region->international, digits, digits.length, &length) ? length : 0;
}

// The pieces of digits that a rule leaves: of what it keeps, and behind it.
struct kept {
	struct str front, rest;
};

static bool rule_keep(const struct rule *rule, struct str digits, struct kept *kept)
{
	size_t before = digits.length, length;

	for (;; before--) {
		if (!longest(rule->before, digits, before, &before))
			return false;
		struct str behind = str_from(digits, before);
		*kept = (struct kept){.front = behind};
		if (!rule->kept)
			return true;
		for (size_t most = behind.length; longest(rule->kept, behind, most, &length); most = length - 1) {
			struct str after = str_from(behind, length);
			*kept = (struct kept){str_first(behind, length), str_from(after, strlen(rule->after))};
			if (str_starts(after, str_of(rule->after)) && (!rule->to_end || str_empty(kept->rest)))
				return true;
			if (length == 0)
				break;
		}
		if (before == 0)
			return false;
	}
}

// A prefix is not taken off when that makes of a number one that cannot be.
static bool strip_helps(const struct number_region *region, struct str digits, struct str national)
{
	if (matches(region->general, digits) && !matches(region->general, national))
		return false;
	uint32_t lengths = number_region_know(region, national).region->lengths | region->lengths;
	return national.length < 32 && lengths >> national.length != 0 &&
	       ((lengths >> national.length & 1) || lengths >> (national.length + 1) == 0);
}

bool number_region_strip(const struct number_region *region, struct str digits, char room[NUMBER_NATIONAL_MAX],
			 struct str *national)
{
	struct kept kept;

	*national = digits;
	for (size_t i = region->rule; i < (size_t)region->rule + region->rule_count; i++) {
		if (!rule_keep(&rules[i], digits, &kept))
			continue;
		struct writer w = writer_into(room, NUMBER_NATIONAL_MAX);
		writer_text(&w, rules[i].insert);
		writer_str(&w, kept.front);
		writer_str(&w, kept.rest);
		if (w.overflow || str_equal(writer_result(&w), digits) ||
		    !strip_helps(region, digits, writer_result(&w)))
			return false;
		*national = writer_result(&w);
		return true;
	}
	return false;
}

// ---- spelling

static const struct format *format_of(const struct number_region *region, struct str national)
{
	for (size_t i = region->format; i < (size_t)region->format + region->format_count; i++)
		if (matches(formats[i].state, national))
			return &formats[i];
	return NULL;
}

bool number_region_bare(const struct number_region *region, struct str national)
{
	const struct format *format = format_of(region, national);

	return !format || format->bare;
}

static size_t hexadecimal(char c)
{
	return (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

enum { GROUPS_MAX = 8 };

// Each group takes as much as it may and the others can spare, as the format's pattern would.
static void groups_cut(const char *groups, struct str national, struct str cut[GROUPS_MAX])
{
	size_t spare = national.length;

	for (const char *group = groups; *group; group += 2)
		spare -= hexadecimal(group[0]);
	for (size_t i = 0; i < GROUPS_MAX && groups[2 * i]; i++) {
		size_t least = hexadecimal(groups[2 * i]), more = hexadecimal(groups[2 * i + 1]) - least;
		more = more < spare ? more : spare;
		spare -= more;
		cut[i] = str_first(national, least + more);
		national = str_from(national, least + more);
	}
}

void number_region_spell(const struct number_region *region, struct str national, enum number_spelling spelling,
			 struct writer *w)
{
	const struct format *format = format_of(region, national);
	struct str cut[GROUPS_MAX] = {STR_NONE};

	if (!format) { // dialled as it is
		writer_str(w, national);
		return;
	}
	groups_cut(format->groups, national, cut);
	const char *at = spelling == NUMBER_SPELT_NATIONAL ? format->national : format->international;
	for (; *at; at++) {
		if (at[0] == '$' && at[1] >= '1' && at[1] < '1' + GROUPS_MAX)
			writer_str(w, cut[*++at - '1']);
		else
			writer_char(w, *at);
	}
}
