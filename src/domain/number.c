// From what people type to E.164, by the site's way of dialling and by what numbers its country has.
#include "domain/number.h"

#include <string.h>

enum { SHORT_MIN = 2, SHORT_MAX = 6 };

const char *const number_class_names[] = {"emergency", "short", "national", "international", NULL};

// What was typed, and the digits of it without what people put between them.
struct typed {
	struct str text;
	char at[NUMBER_MAX];
	size_t count;
	bool plus;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str digits_of(const struct typed *typed)
{
	return (struct str){typed->at, typed->count};
}

bool number_plan_usual(struct str country, struct number_plan *plan)
{
	const struct number_region *region = number_region_of_country(country);

	if (!region)
		return false;
	*plan = (struct number_plan){
	    .country_code = str_of(region->calling_code),
	    .international_prefix = str_of(region->international_prefix),
	    .national_prefix = str_of(region->national_prefix),
	    .emergency = str_of(number_region_emergency(region)),
	    .country = str_of(region->country),
	};
	return true;
}

const struct number_region *number_plan_region(const struct number_plan *plan)
{
	const struct number_region *main = number_region_of_digits(plan->country_code), *own;

	if (!main || str_empty(plan->country) || str_equal(plan->country, str_of(main->country)))
		return main;
	own = number_region_of_country(plan->country);
	return own && strcmp(own->calling_code, main->calling_code) == 0 ? own : main;
}

// Where the number behind the prefix for calls abroad begins; 0: there is no such prefix.
static size_t abroad(const struct number_plan *plan, struct str digits)
{
	const struct number_region *region = number_plan_region(plan);
	size_t length = plan->international_prefix.length;

	if (length == 0)
		return 0;
	if (!str_starts(digits, plan->international_prefix))
		length = region && str_equal(plan->international_prefix, str_of(region->international_prefix))
			     ? number_region_international(region, digits)
			     : 0;
	return length > 0 && length < digits.length && digits.at[length] != '0' ? length
										: 0; // no calling code begins with 0
}

// "(0)" stands for a prefix that is dialled only inside the country; a number with its country code drops it.
static bool skip_zero_in_parentheses(const struct number_plan *plan, const struct typed *typed, size_t at)
{
	return str_starts(str_from(typed->text, at), STR("(0)")) && (typed->plus || abroad(plan, digits_of(typed)) > 0);
}

static bool typed_read(const struct number_plan *plan, struct str text, struct typed *typed)
{
	*typed = (struct typed){.text = str_trim(text)};
	for (size_t i = 0; i < typed->text.length; i++) {
		char c = typed->text.at[i];
		if (skip_zero_in_parentheses(plan, typed, i)) {
			i += 2;
		} else if (is_digit(c)) {
			if (typed->count == NUMBER_MAX - 2) // room for '+' and the NUL
				return false;
			typed->at[typed->count++] = c;
		} else if (c == '+') {
			if (typed->plus || typed->count > 0)
				return false;
			typed->plus = true;
		} else if (!memchr(" .-/()", c, 6)) {
			return false;
		}
	}
	return typed->count > 0;
}

// ---- codes

static bool pattern_fits(struct str pattern, struct str digits)
{
	if (pattern.length != digits.length || str_empty(pattern))
		return false;
	for (size_t i = 0; i < digits.length; i++)
		if (pattern.at[i] != digits.at[i] && !(pattern.at[i] == 'x' && is_digit(digits.at[i])))
			return false;
	return true;
}

static bool code_in(struct str codes, struct str digits)
{
	struct str code;

	while (str_take(&codes, ' ', &code))
		if (pattern_fits(code, digits))
			return true;
	return false;
}

bool number_is_short(const struct number_plan *plan, struct str digits)
{
	return code_in(plan->short_codes, digits);
}

static enum err number_code(struct number *number, enum number_class class_, struct str digits)
{
	*number = (struct number){.class_ = class_};
	memcpy(number->canonical, digits.at, digits.length);
	return ERR_NONE;
}

// ---- sentences

static enum err bad(struct problem *problem, const struct typed *typed, const char *why)
{
	return problem_set(problem, ERR_BAD_NUMBER, "number", "\"%.*s\" %s",
			   STR_ARG(str_first(typed->text, NUMBER_MAX)), why);
}

// "9 or 10", of a mask of lengths.
static void lengths_write(struct writer *w, uint32_t lengths)
{
	for (unsigned length = 0; length < 32 && lengths >> length; length++) {
		if (!(lengths >> length & 1))
			continue;
		writer_uint(w, length);
		uint32_t more = lengths >> length >> 1;
		if (more)
			writer_text(w, more & (more - 1) ? ", " : " or ");
	}
}

static unsigned lowest(uint32_t lengths)
{
	unsigned length = 0;

	while (!(lengths >> length & 1))
		length++;
	return length;
}

static unsigned highest(uint32_t lengths)
{
	unsigned length = 31;

	while (!(lengths >> length & 1))
		length--;
	return length;
}

// It has another number of digits than any number there is.
static enum err bad_length(struct problem *problem, const struct typed *typed, const struct number_known *known,
			   struct str national)
{
	const struct number_region *region = known->region;
	uint32_t lengths = known->lengths ? known->lengths : region->lengths;
	bool is_short = national.length<lowest(lengths), is_long = national.length> highest(lengths);
	size_t wrong = is_short ? lowest(lengths) - national.length : is_long ? national.length - highest(lengths) : 0;
	char room[256];
	struct writer w = writer_into(room, sizeof room);

	writer_format(&w, "\"%.*s\" ", STR_ARG(str_first(typed->text, NUMBER_MAX)));
	if (!typed->plus)
		writer_format(&w, "(+%s %.*s) ", region->calling_code, STR_ARG(national));
	if (wrong == 1)
		writer_format(&w, "is one digit %s", is_short ? "short" : "too long");
	else if (wrong)
		writer_format(&w, "is %zu digits %s", wrong, is_short ? "short" : "too long");
	else
		writer_format(&w, "has the wrong number of digits, %zu", national.length);
	writer_format(&w, ": numbers of %s%s have ", number_region_name(region),
		      known->lengths ? " that begin like it" : "");
	lengths_write(&w, lengths);
	writer_format(&w, " digits after +%s.", region->calling_code);
	return problem_set(problem, ERR_BAD_NUMBER, "number", "%.*s", STR_ARG(writer_result(&w)));
}

// Without its prefix a national number could be one of elsewhere.
static enum err bad_without_prefix(struct problem *problem, const struct typed *typed, const struct number_plan *plan)
{
	const struct number_region *region = number_plan_region(plan);
	struct str digits = digits_of(typed);

	if (region && digits.length < 32 && (region->lengths >> digits.length & 1))
		return problem_set(
		    problem, ERR_BAD_NUMBER, "number",
		    "\"%.*s\" could be two things: write %.*s%.*s, or +%.*s%.*s, if it is a number of %s; "
		    "and + with its country code if it is another one.",
		    STR_ARG(str_first(typed->text, NUMBER_MAX)), STR_ARG(plan->national_prefix), STR_ARG(digits),
		    STR_ARG(plan->country_code), STR_ARG(digits), number_region_name(region));
	if (digits.length <= SHORT_MAX)
		return bad(problem, typed, "is no number, and none of the site's short codes.");
	return bad(problem, typed, "could be two things: write it with + and the country code.");
}

// ---- numbers

// In these, +1 is dialled and paid for as one country.
static bool north_america_at_home(const struct number_region *region)
{
	return code_in(STR("US CA PR VI GU AS MP"), str_of(region->country));
}

static bool at_home(const struct number_plan *plan, const struct number *number)
{
	const struct number_region *own = number_plan_region(plan);

	if (!own || strcmp(own->calling_code, number->region->calling_code) != 0)
		return false;
	if (strcmp(own->calling_code, "1") != 0 || own == number->region)
		return true;
	return north_america_at_home(own) && north_america_at_home(number->region);
}

// `main` has the calling code; `national` is what stands behind it, without prefixes.
static enum err number_of(const struct number_plan *plan, const struct typed *typed, const struct number_region *main,
			  struct str national, struct number *number, struct problem *problem)
{
	struct number_known known = number_region_know(main, national);
	uint32_t fits = known.lengths ? known.lengths : main->lengths;
	struct writer w = writer_into(number->canonical, sizeof number->canonical - 1);
	char room[NUMBER_NATIONAL_MAX];
	struct str again;

	if (!known.complete && !(national.length < 32 && (fits >> national.length & 1)))
		return bad_length(problem, typed, &known, national);
	if (!known.complete && number_region_strip(main, national, room, &again)) // read again, it would be another one
		return bad(problem, typed, "begins with more zeros, or other prefixes, than a number does.");
	*number = (struct number){.type = known.type, .region = known.region};
	number->class_ = at_home(plan, number) ? NUMBER_NATIONAL : NUMBER_INTERNATIONAL;
	writer_char(&w, '+');
	writer_text(&w, main->calling_code);
	writer_str(&w, national);
	if (w.overflow)
		return bad(problem, typed, "is too long for a number.");
	return ERR_NONE;
}

// Behind '+' or the prefix for calls abroad.
static enum err number_international(const struct number_plan *plan, const struct typed *typed, struct str digits,
				     struct number *number, struct problem *problem)
{
	const struct number_region *main = number_region_of_digits(digits);
	char room[NUMBER_NATIONAL_MAX];
	struct str national;

	if (digits.at[0] == '0')
		return bad(problem, typed, "begins with 0 after the +, as no country code does.");
	if (!main)
		return bad(problem, typed, "begins with a country code that no country has.");
	national = digits = str_from(digits, strlen(main->calling_code));
	if (!number_region_know(main, digits).complete)
		number_region_strip(main, digits, room, &national);
	return number_of(plan, typed, main, national, number, problem);
}

// Digits with what is dialled before a national number taken off, or put in. False: there is no such thing.
static bool national_strip(const struct number_plan *plan, const struct number_region *region, struct str digits,
			   char room[NUMBER_NATIONAL_MAX], struct str *national)
{
	if (str_equal(plan->national_prefix, str_of(region->national_prefix)) &&
	    number_region_strip(region, digits, room, national))
		return true;
	if (str_empty(plan->national_prefix) || !str_starts(digits, plan->national_prefix))
		return false;
	*national = str_from(digits, plan->national_prefix.length);
	if (number_region_know(region, digits).complete && !number_region_know(region, *national).complete)
		*national = digits; // it begins with the prefix's digit by itself
	return true;
}

// Complete as it stands: where there is no prefix, and where it is usual to leave it out.
static bool is_whole(const struct number_plan *plan, const struct number_region *region, struct str digits)
{
	if (!number_region_know(region, digits).complete)
		return false;
	return str_empty(plan->national_prefix) || number_region_bare(region, digits);
}

// Local numbers do not begin with 1: that is where short codes are.
static bool add_area_code(const struct number_plan *plan, const struct number_region *region, struct str digits,
			  char room[NUMBER_MAX], struct str *national)
{
	struct writer w = writer_into(room, NUMBER_MAX);

	if (str_empty(plan->area_code) || digits.at[0] == '1')
		return false;
	writer_str(&w, plan->area_code);
	writer_str(&w, digits);
	*national = writer_result(&w);
	return !w.overflow && number_region_know(region, *national).complete;
}

static enum err number_national(const struct number_plan *plan, const struct typed *typed, struct number *number,
				struct problem *problem)
{
	const struct number_region *region = number_plan_region(plan);
	struct str digits = digits_of(typed), national = digits;
	char room[NUMBER_MAX];

	if (!region)
		return bad(problem, typed,
			   "cannot be understood: the site's country is not set. Write it with + and the "
			   "country code.");
	if (is_whole(plan, region, digits) || national_strip(plan, region, digits, room, &national) ||
	    add_area_code(plan, region, digits, room, &national))
		return number_of(plan, typed, region, national, number, problem);
	if (str_empty(plan->short_codes) && digits.length >= SHORT_MIN && digits.length <= SHORT_MAX)
		return number_code(number, NUMBER_SHORT, digits);
	if (str_empty(plan->national_prefix))
		return number_of(plan, typed, region, digits, number, problem);
	return bad_without_prefix(problem, typed, plan);
}

enum err number_parse(const struct number_plan *plan, struct str text, struct number *number, struct problem *problem)
{
	struct typed typed;

	if (!typed_read(plan, text, &typed))
		return bad(problem, &typed, "is not a phone number.");
	struct str digits = digits_of(&typed);
	if (typed.plus)
		return number_international(plan, &typed, digits, number, problem);
	if (code_in(plan->emergency, digits))
		return number_code(number, NUMBER_EMERGENCY, digits);
	if (number_is_short(plan, digits))
		return number_code(number, NUMBER_SHORT, digits);
	size_t from = abroad(plan, digits);
	if (from > 0)
		return number_international(plan, &typed, str_from(digits, from), number, problem);
	return number_national(plan, &typed, number, problem);
}

// ---- on a phone

// What stands behind the outside prefix; false when it is missing.
static bool outside_of(const struct number_plan *plan, struct str dialled, struct str *outside)
{
	*outside = dialled;
	if (str_empty(plan->outside_prefix))
		return true;
	if (!str_starts(dialled, plan->outside_prefix))
		return false;
	*outside = str_from(dialled, plan->outside_prefix.length);
	return true;
}

static bool emergency_typed(const struct number_plan *plan, struct str text)
{
	struct typed typed;

	return typed_read(plan, text, &typed) && !typed.plus && code_in(plan->emergency, digits_of(&typed));
}

bool number_is_emergency(const struct number_plan *plan, struct str dialled)
{
	struct str outside;

	dialled = str_trim(dialled);
	return emergency_typed(plan, dialled) ||
	       (outside_of(plan, dialled, &outside) && emergency_typed(plan, outside));
}

enum err number_parse_dialled(const struct number_plan *plan, struct str dialled, struct number *number,
			      struct problem *problem)
{
	struct str outside;

	dialled = str_trim(dialled);
	if (str_starts(dialled, STR("+")) || emergency_typed(plan, dialled))
		return number_parse(plan, dialled, number, problem);
	if (!outside_of(plan, dialled, &outside))
		return problem_set(problem, ERR_UNKNOWN_NUMBER, "number", NULL);
	return number_parse(plan, outside, number, problem);
}

void number_spell(const struct number *number, enum number_spelling spelling, struct writer *w)
{
	const struct number_region *region = number->region;

	if (!region) {
		writer_text(w, number->canonical);
		return;
	}
	if (spelling == NUMBER_SPELT_INTERNATIONAL)
		writer_format(w, "+%s ", region->calling_code);
	number_region_spell(region, str_of(number->canonical + 1 + strlen(region->calling_code)), spelling, w);
}
