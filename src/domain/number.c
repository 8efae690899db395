// From what people type to E.164, by the site's way of dialling.
#include "domain/number.h"

#include <string.h>

enum { SHORT_MIN = 2, SHORT_MAX = 6, E164_MIN = 7, E164_MAX = 15 };

// The digits of what was typed, without what people put between them.
struct digits {
	char at[NUMBER_MAX];
	size_t count;
	bool plus;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str digits_str(const struct digits *digits, size_t from)
{
	return str_from((struct str){digits->at, digits->count}, from);
}

// "(0)" stands for a prefix that is dialled only inside the country; a number with its country code drops it.
static bool skip_zero_in_parentheses(const struct number_plan *plan, const struct digits *digits, struct str typed,
				     size_t at)
{
	if (!str_starts(str_from(typed, at), STR("(0)")))
		return false;
	return digits->plus || (!str_empty(plan->international_prefix) &&
				str_starts(digits_str(digits, 0), plan->international_prefix));
}

static bool digits_read(const struct number_plan *plan, struct str typed, struct digits *digits)
{
	*digits = (struct digits){.count = 0};
	typed = str_trim(typed);
	for (size_t i = 0; i < typed.length; i++) {
		char c = typed.at[i];
		if (skip_zero_in_parentheses(plan, digits, typed, i)) {
			i += 2;
		} else if (is_digit(c)) {
			if (digits->count == NUMBER_MAX - 2) // room for '+' and the NUL
				return false;
			digits->at[digits->count++] = c;
		} else if (c == '+') {
			if (i > 0)
				return false;
			digits->plus = true;
		} else if (!memchr(" .-/()", c, 6)) {
			return false;
		}
	}
	return digits->count > 0;
}

static bool emergency_code(const struct number_plan *plan, struct str digits)
{
	struct str codes = plan->emergency, code;

	while (str_take(&codes, ' ', &code))
		if (!str_empty(code) && str_equal(code, digits))
			return true;
	return false;
}

static enum err number_bad(struct problem *problem, struct str typed, const char *why)
{
	return problem_set(problem, ERR_BAD_NUMBER, "number", "\"%.*s\" %s", STR_ARG(str_first(typed, NUMBER_MAX)),
			   why);
}

static void number_set(struct number *number, enum number_class class_, struct str prefix, struct str digits)
{
	size_t used = 0;

	*number = (struct number){.class_ = class_};
	memcpy(number->canonical, prefix.at, prefix.length);
	used += prefix.length;
	memcpy(number->canonical + used, digits.at, digits.length);
	number->canonical[used + digits.length] = '\0';
}

// Country and type, by what stands behind the '+'.
static void number_place(struct number *number)
{
	struct str digits = str_of(number->canonical + 1);

	number->region = number_region_of_digits(digits);
	if (!number->region)
		return;
	digits = str_from(digits, strlen(number->region->calling_code));
	number->type = number_region_type(number->region, digits, &number->region);
}

static enum err number_international(const struct number_plan *plan, struct str digits, struct number *number,
				     struct problem *problem)
{
	if (digits.length < E164_MIN || digits.length > E164_MAX)
		return number_bad(problem, digits, "is not an international number: those have 7 to 15 digits.");
	if (digits.at[0] == '0')
		return number_bad(problem, digits, "is not an international number: no country code begins with 0.");
	bool here = !str_empty(plan->country_code) && str_starts(digits, plan->country_code);
	number_set(number, here ? NUMBER_NATIONAL : NUMBER_INTERNATIONAL, STR("+"), digits);
	number_place(number);
	return ERR_NONE;
}

static enum err number_national(const struct number_plan *plan, struct str digits, struct number *number,
				struct problem *problem)
{
	char whole[NUMBER_MAX];
	size_t length = plan->country_code.length + digits.length;

	if (length < E164_MIN || length > E164_MAX || str_empty(plan->country_code))
		return number_bad(problem, digits, "does not have the length of a national number.");
	memcpy(whole, plan->country_code.at, plan->country_code.length);
	memcpy(whole + plan->country_code.length, digits.at, digits.length);
	number_set(number, NUMBER_NATIONAL, STR("+"), (struct str){whole, length});
	number_place(number);
	return ERR_NONE;
}

// In the North American plan ten digits are whole without the leading 1.
static bool ten_digits_of_north_america(const struct number_plan *plan, struct str digits)
{
	return str_equal(plan->country_code, STR("1")) && digits.length == 10 && digits.at[0] >= '2';
}

enum err number_parse(const struct number_plan *plan, struct str typed, struct number *number, struct problem *problem)
{
	struct digits read;

	if (!digits_read(plan, typed, &read))
		return number_bad(problem, typed, "is not a phone number.");
	struct str digits = digits_str(&read, 0);
	if (!read.plus && emergency_code(plan, digits)) {
		number_set(number, NUMBER_EMERGENCY, STR(""), digits);
		return ERR_NONE;
	}
	if (read.plus)
		return number_international(plan, digits, number, problem);
	if (!str_empty(plan->international_prefix) && str_starts(digits, plan->international_prefix))
		return number_international(plan, str_from(digits, plan->international_prefix.length), number, problem);
	if (ten_digits_of_north_america(plan, digits))
		return number_national(plan, digits, number, problem);
	if (digits.length >= SHORT_MIN && digits.length <= SHORT_MAX &&
	    (str_empty(plan->national_prefix) || !str_starts(digits, plan->national_prefix))) {
		number_set(number, NUMBER_SHORT, STR(""), digits);
		return ERR_NONE;
	}
	if (str_empty(plan->national_prefix))
		return number_national(plan, digits, number, problem);
	if (str_starts(digits, plan->national_prefix))
		return number_national(plan, str_from(digits, plan->national_prefix.length), number, problem);
	return number_bad(problem, typed, "could be two things: write it with + and the country code.");
}

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

static bool emergency_typed(const struct number_plan *plan, struct str typed)
{
	struct digits read;

	return digits_read(plan, typed, &read) && !read.plus && emergency_code(plan, digits_str(&read, 0));
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
