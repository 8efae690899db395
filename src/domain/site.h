// What holds for the whole site and administrators may change while it runs: one entity, with the id 1, always there.
#ifndef DOMAIN_SITE_H
#define DOMAIN_SITE_H

#include "domain/entity.h"

enum { SITE_ID = 1 };

// What a further sign-in of the same user does to those there are.
enum multi_login { MULTI_LOGIN_ALLOW, MULTI_LOGIN_REFUSE, MULTI_LOGIN_TAKE_OVER };

struct site {
	struct entity entity;
	int64_t session_life_s; // a sign-in ends after this long
	int64_t session_idle_s; // or after this long without a request; 0 = never
	int64_t lease_s;        // a selected device is given back after this long; 0 = never
	int multi_login;
	// Toll protection: beginnings of canonical numbers, separated by spaces.
	struct str denied_prefixes;   // dialled by nobody
	struct str premium_prefixes;  // for toll class 3 alone, besides those that are premium by the numbers' metadata
	struct str allowed_countries; // "FR +49": no other country is dialled; empty = every one is
	int prompt_language;          // what people who answer hear: see site_prompt_language
	// How numbers are dialled here; number_plan.h makes a plan of it. Empty: as usual in the country.
	struct str country;               // ISO 3166: "GB"
	struct str area_code;             // "1444": of numbers dialled without one; empty: there are none
	struct str international_prefix;  // dialled before a country code
	struct str national_prefix;       // dialled before a national number; "none": nothing is
	struct str outside_prefix;        // dialled before any outside number; empty: nothing is
	struct str emergency;             // codes, separated by spaces
	struct str short_codes;           // likewise, x for any digit; empty: any 2 to 6 digits
	int64_t too_soon_ms, too_late_ms; // the voicemail guard of devices that leave theirs open
	int unknown_did; // what a caller gets for a public number that leads nowhere: enum unknown_did from NOT_FOUND = 0 on
	struct str unknown_did_extension; // UNKNOWN_DID_EXTENSION: which
	// Limits; 0 = none. A user's own ones go before those for every user.
	int64_t user_outside_legs_max; // at once
	int64_t user_outside_legs_per_hour;
	int64_t user_international_legs_per_hour;
	int64_t outside_legs_max; // of all users together
	int64_t outside_legs_per_hour;
	// Outside the opening hours, by the clock of the time zone, nobody has more than a toll class.
	struct str time_zone;     // "Europe/Prague"
	struct str opening_hours; // see opening_hours.h
	struct str closed_days;
	int64_t closed_toll_class; // of users who may not call at any time
	// The presence of Teams users by Microsoft Graph; shown, and nothing else.
	bool graph_presence;
	struct str graph_tenant, graph_client_id, graph_client_secret;
	int64_t graph_poll_s;                  // how often it is asked for
	struct str graph_login_url, graph_url; // of Microsoft's cloud, or of a national one
	bool require_verified_numbers;         // an external number rings only when it is known to belong to who has it
};

extern const struct entity_type site_type;
struct str site_prompt_language(const struct site *site); // "en", "cs"; NULL: what a fresh site has

#endif
