// A site's way of dialling, made from its settings: what they leave open is as in the site's country.
#ifndef DOMAIN_NUMBER_PLAN_H
#define DOMAIN_NUMBER_PLAN_H

#include "domain/number.h"
#include "domain/site.h"

// The slices are the site's, or live for ever. False: the country is none; the plan is as it was.
bool number_plan_of_site(const struct site *site, struct number_plan *plan);
// True when two sites' settings read numbers alike.
bool number_plan_equal(const struct site *a, const struct site *b);

// For the field table and the check of the site.
bool number_country_allowed(struct str text);
bool number_digits_allowed(struct str text);
bool number_national_prefix_allowed(struct str text); // digits, or "none"
bool number_emergency_allowed(struct str text);
bool number_short_codes_allowed(struct str text);
enum err number_plan_check(const struct site *site, struct problem *problem);

#endif
