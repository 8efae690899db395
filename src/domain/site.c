// The fields of the site's settings.
#define OF struct site
#include "domain/site.h"

#include "domain/did.h"
#include "domain/fields.h"
#include "domain/guard.h"
#include "domain/number_plan.h"
#include "domain/opening_hours.h"
#include "domain/prompt_piece.h"
#include "domain/user.h"

static const char *const multi_login_names[] = {"allow", "refuse", "take_over", NULL};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

// "+44 90 118": digits with or without '+' in front.
static bool prefix_allowed(struct str prefix)
{
	size_t at = prefix.at[0] == '+';

	if (prefix.length == at || prefix.length > 16)
		return false;
	for (; at < prefix.length; at++)
		if (!digit(prefix.at[at]))
			return false;
	return true;
}

static bool prefixes_allowed(struct str text)
{
	struct str prefix;

	while (str_take(&text, ' ', &prefix))
		if (!str_empty(prefix) && !prefix_allowed(prefix))
			return false;
	return true;
}

// "FR +49"
static bool countries_allowed(struct str text)
{
	struct str country;

	while (str_take(&text, ' ', &country)) {
		if (str_empty(country))
			continue;
		if (country.at[0] == '+' ? !prefix_allowed(country) : !number_region_of_country(country))
			return false;
	}
	return true;
}

struct str site_prompt_language(const struct site *site)
{
	return str_of(prompt_languages[site ? site->prompt_language : 0]);
}

#define ADDRESS_RULE "An address is such as https://graph.microsoft.com, without anything after the name and a port."

// What stands in an address of ours without being escaped.
static bool word_allowed(struct str text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (!digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' && c != '.' && c != '_')
			return false;
	}
	return true;
}

static bool address_allowed(struct str text)
{
	struct str rest = text, host;

	if (!str_starts(text, STR("https://")))
		return false;
	rest = str_from(text, 8);
	host = str_first(rest, str_index(rest, ':'));
	rest = str_from(rest, host.length);
	for (size_t i = 1; i < rest.length; i++)
		if (!digit(rest.at[i]))
			return false;
	return !str_empty(host) && rest.length != 1 && rest.length <= 6 && word_allowed(host);
}

static const struct field site_fields[] = {
    INTEGER(session_life_s, .min = 300, .max = 2592000, .fallback = "43200",
	    .rule = "A sign-in lasts 300 to 2592000 seconds."),
    INTEGER(session_idle_s, .min = 0, .max = 2592000, .fallback = "28800",
	    .rule = "A sign-in ends after up to 2592000 seconds without a request; 0 means never."),
    INTEGER(lease_s, .min = 0, .max = 2592000, .fallback = "43200",
	    .rule = "A selected device is kept for up to 2592000 seconds; 0 means until the sign-out."),
    CHOICE(multi_login, .choices = multi_login_names, .fallback = "allow"),
    TEXT(denied_prefixes, .max = 1000,
	 .rule = "Denied prefixes are beginnings of numbers such as +882 +4487, separated by spaces.",
	 .allows = prefixes_allowed),
    TEXT(premium_prefixes, .max = 1000,
	 .rule = "Premium prefixes are beginnings of numbers such as +449 118, separated by spaces.",
	 .allows = prefixes_allowed),
    TEXT(allowed_countries, .max = 1000,
	 .rule = "Allowed countries are FR DE or, by their codes, +33 +49, separated by spaces; empty for all.",
	 .allows = countries_allowed),
    CHOICE(prompt_language, .choices = prompt_languages, .fallback = "en"),
    TEXT(country, .min = 2, .max = 2, .fallback = "GB",
	 .rule = "A country is two capital letters of ISO 3166, such as GB.", .allows = number_country_allowed),
    TEXT(area_code, .max = 8, .rule = "An area code has up to 8 digits.", .allows = number_digits_allowed),
    TEXT(international_prefix, .max = 8, .rule = "A prefix for calls abroad has up to 8 digits, such as 00.",
	 .allows = number_digits_allowed),
    TEXT(national_prefix, .max = 4, .rule = "A national prefix has up to 4 digits, such as 0, or is \"none\".",
	 .allows = number_national_prefix_allowed),
    TEXT(outside_prefix, .max = 4, .rule = "A prefix for outside numbers has up to 4 digits, such as 9.",
	 .allows = number_digits_allowed),
    TEXT(emergency, .max = 100, .rule = "Emergency codes have 2 to 8 digits and are separated by spaces: 112 999.",
	 .allows = number_emergency_allowed),
    TEXT(short_codes, .max = 200,
	 .rule = "Short codes have 2 to 8 digits, or x for any digit, and are separated by spaces: 101 118xxx.",
	 .allows = number_short_codes_allowed),
    INTEGER(too_soon_ms, .min = 0, .max = TOO_SOON_MS_MAX, .fallback = "1500", .rule = TOO_SOON_RULE),
    INTEGER(too_late_ms, .min = 0, .max = TOO_LATE_MS_MAX, .fallback = "19000", .rule = TOO_LATE_RULE),
    CHOICE(unknown_did, .choices = unknown_did_names + 1, .fallback = "not_found"),
    TEXT(unknown_did_extension, .max = EXTENSION_MAX, .rule = "An extension has 2 to 15 digits."),
    INTEGER(user_outside_legs_max, .min = 0, .max = 10000, .fallback = "10",
	    .rule = "Each user has up to 1 to 10000 calls to the outside at once; 0 means no limit."),
    INTEGER(user_outside_legs_per_hour, .min = 0, .max = 100000, .fallback = "200",
	    .rule = "Each user has up to 1 to 100000 calls to the outside within an hour; 0 means no limit."),
    INTEGER(user_international_legs_per_hour, .min = 0, .max = 100000, .fallback = "20",
	    .rule = "Each user has up to 1 to 100000 international calls within an hour; 0 means no limit."),
    INTEGER(outside_legs_max, .min = 0, .max = 1000000, .fallback = "0",
	    .rule = "The site has up to 1 to 1000000 calls to the outside at once; 0 means no limit."),
    INTEGER(outside_legs_per_hour, .min = 0, .max = 1000000, .fallback = "0",
	    .rule = "The site has up to 1 to 1000000 calls to the outside within an hour; 0 means no limit."),
    TEXT(time_zone, .min = 1, .max = TIME_ZONE_NAME_MAX, .fallback = "UTC",
	 .rule = "A time zone is one of the IANA database, such as Europe/Prague.", .allows = time_zone_known),
    TEXT(opening_hours, .max = 500,
	 .rule = "Opening hours are such as mon-fri 08:00-12:00 13:00-18:00, sat 09:00-13:00; empty for always.",
	 .allows = opening_hours_allowed),
    TEXT(closed_days, .max = 1000, .rule = "Closed days are 12-25 of every year or 2027-04-05, separated by spaces.",
	 .allows = closed_days_allowed),
    INTEGER(closed_toll_class, .min = 0, .max = 3, .fallback = "1",
	    .rule = "A toll class is 0 (none), 1 (national), 2 (international) or 3 (premium)."),
    BOOLEAN(require_verified_numbers, .fallback = "false"),
    BOOLEAN(graph_presence, .fallback = "false"),
    TEXT(graph_tenant, .max = 253, .rule = "A tenant is an id or a domain, such as example.onmicrosoft.com.",
	 .allows = word_allowed),
    TEXT(graph_client_id, .max = 64, .rule = "A client id has up to 64 letters, digits and dashes.",
	 .allows = word_allowed),
    TEXT(graph_client_secret, .flags = FIELD_HIDDEN, .secret = "graph_client_secret", .max = 256,
	 .rule = "A client secret has at most 256 bytes."),
    INTEGER(graph_poll_s, .min = 5, .max = 3600, .fallback = "30",
	    .rule = "Presence is asked for every 5 to 3600 seconds."),
    TEXT(graph_login_url, .min = 9, .max = 200, .fallback = "https://login.microsoftonline.com", .rule = ADDRESS_RULE,
	 .allows = address_allowed),
    TEXT(graph_url, .min = 9, .max = 200, .fallback = "https://graph.microsoft.com", .rule = ADDRESS_RULE,
	 .allows = address_allowed),
};

static enum err graph_check(const struct site *site, struct problem *problem)
{
	if (!site->graph_presence)
		return ERR_NONE;
	if (str_empty(site->graph_tenant))
		return problem_set(problem, ERR_MISSING_FIELD, "graph_tenant", "Say in which tenant the users are.");
	if (str_empty(site->graph_client_id))
		return problem_set(problem, ERR_MISSING_FIELD, "graph_client_id", "Say which application we are.");
	if (str_empty(site->graph_client_secret))
		return problem_set(problem, ERR_MISSING_FIELD, "graph_client_secret", "Say the application's secret.");
	return ERR_NONE;
}

static enum err site_check(const struct entity *entity, struct problem *problem)
{
	const struct site *site = (const struct site *)entity;
	enum err err = guard_check(site->too_soon_ms, site->too_late_ms, problem);

	if (!err)
		err = unknown_did_check(site->unknown_did + 1, site->unknown_did_extension, problem);
	if (!err)
		err = closed_days_check(site->closed_days, problem);
	if (!err)
		err = graph_check(site, problem);
	return err ? err : number_plan_check(site, problem);
}

const struct entity_type site_type = ENTITY_TYPE(ENTITY_SITE, "settings", "settings", site_fields, .check = site_check);
