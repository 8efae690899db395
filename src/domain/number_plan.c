// From the site's settings to its way of dialling.
#include "domain/number_plan.h"

enum { CODE_MIN = 2, CODE_MAX = 8 };

static const char none[] = "none"; // a prefix that is left out, where an empty one is the country's

static struct str own_or(struct str own, const char *usual)
{
	return str_empty(own) ? str_of(usual) : own;
}

bool number_plan_of_site(const struct site *site, struct number_plan *plan)
{
	struct number_plan usual;

	if (!number_plan_usual(site->country, &usual))
		return false;
	*plan = usual;
	plan->international_prefix = own_or(site->international_prefix, usual.international_prefix.at);
	plan->national_prefix = own_or(site->national_prefix, usual.national_prefix.at);
	if (str_equal(plan->national_prefix, str_of(none)))
		plan->national_prefix = STR_NONE;
	plan->emergency = own_or(site->emergency, usual.emergency.at);
	plan->area_code = site->area_code;
	plan->outside_prefix = site->outside_prefix;
	plan->short_codes = site->short_codes;
	return true;
}

bool number_plan_equal(const struct site *a, const struct site *b)
{
	return str_equal(a->country, b->country) && str_equal(a->area_code, b->area_code) &&
	       str_equal(a->international_prefix, b->international_prefix) &&
	       str_equal(a->national_prefix, b->national_prefix) && str_equal(a->outside_prefix, b->outside_prefix) &&
	       str_equal(a->emergency, b->emergency) && str_equal(a->short_codes, b->short_codes);
}

// ---- what may stand in a field

bool number_country_allowed(struct str text)
{
	return number_region_of_country(text) != NULL;
}

static bool digits_or(struct str text, char also)
{
	for (size_t i = 0; i < text.length; i++)
		if ((text.at[i] < '0' || text.at[i] > '9') && text.at[i] != also)
			return false;
	return true;
}

bool number_digits_allowed(struct str text)
{
	return digits_or(text, '0');
}

bool number_national_prefix_allowed(struct str text)
{
	return number_digits_allowed(text) || str_equal(text, str_of(none));
}

static bool codes_allowed(struct str codes, char also)
{
	struct str code;

	while (str_take(&codes, ' ', &code))
		if (!str_empty(code) && (code.length < CODE_MIN || code.length > CODE_MAX || !digits_or(code, also)))
			return false;
	return true;
}

bool number_emergency_allowed(struct str text)
{
	return codes_allowed(text, '0');
}

bool number_short_codes_allowed(struct str text)
{
	return codes_allowed(text, 'x');
}

enum err number_plan_check(const struct site *site, struct problem *problem)
{
	struct number_plan plan;

	if (!number_plan_of_site(site, &plan) || str_empty(site->area_code))
		return ERR_NONE; // the field's own rule has said so
	const struct number_region *region = number_plan_region(&plan);
	if (!str_empty(plan.national_prefix) && str_starts(site->area_code, plan.national_prefix))
		return problem_set(problem, ERR_INVALID_FIELD, "area_code",
				   "The area code is written without the %.*s that is dialled before it: %.*s.",
				   STR_ARG(plan.national_prefix),
				   STR_ARG(str_from(site->area_code, plan.national_prefix.length)));
	if (number_region_know(region, site->area_code).lengths == 0)
		return problem_set(problem, ERR_INVALID_FIELD, "area_code", "No numbers of %s begin with %.*s.",
				   number_region_name(region), STR_ARG(site->area_code));
	return ERR_NONE;
}
