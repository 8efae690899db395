// The fields of a trunk and a route.
#include "domain/trunk.h"

#include "base/net.h"
#include "base/writer.h"
#include "domain/dial_pattern.h"
#include "domain/did.h"
#include "domain/fields.h"
#include "domain/number_refusal.h"
#include "domain/sip_secret.h"
#include "domain/status_list.h"
#include "domain/trunk_target.h"
#include "domain/user.h"

const char *const transport_names[] = {"udp", "tcp", "tls", "ws", "wss", NULL};

static const char *const trunk_transport_names[] = {"udp", "tcp", "tls", "auto", NULL};

static const char *const profile_names[] = {"carrier", "teams", NULL};
static const char *const number_format_names[] = {"e164", "e164_no_plus", "international", "national", NULL};
static const char *const asserted_identity_names[] = {"always", "public", "never", NULL};
static const char *const from_user_names[] = {"caller", "account", NULL};

static bool host_allowed(struct str text)
{
	struct net_address address;

	return net_address_parse(text, 0, &address) || net_name_valid(text);
}

static bool own_host_allowed(struct str text)
{
	struct net_address address;

	return net_name_valid(text) && !net_address_parse(text, 0, &address);
}

static bool inbound_allowed(struct str text)
{
	struct net_range range;
	struct str piece;

	while (str_take(&text, ' ', &piece))
		if (!str_empty(piece) && !net_range_parse(piece, &range))
			return false;
	return true;
}

static bool targets_allowed(struct str text)
{
	struct trunk_target targets[TRUNK_TARGETS_MAX];
	size_t count;

	return trunk_targets_parse(text, targets, &count);
}

static bool digits_and(struct str text, struct str others)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (!(c >= '0' && c <= '9') && str_index(others, c) == others.length)
			return false;
	}
	return true;
}

static bool pattern_allowed(struct str text)
{
	struct dial_pattern pattern;

	return dial_pattern_read(text, &pattern);
}

static bool prepend_allowed(struct str text)
{
	return digits_and(text, STR("+*#"));
}

static const char *const policy_names[] = {"original", "own_did", "fixed", NULL};
static const char *const diversion_names[] = {"none", "diversion", "history_info", "both", NULL};

bool phone_number_allowed(struct str text)
{
	return digits_and(text, STR("+ .-/()"));
}

static bool inbound_username_allowed(struct str text)
{
	return digits_and(text, STR("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-"));
}

static bool hex_allowed(struct str text)
{
	return digits_and(text, STR("abcdef"));
}

#define OF struct trunk
static const struct field trunk_fields[] = {
    TEXT(title, .flags = FIELD_REQUIRED | FIELD_UNIQUE, .min = 1, .max = 100, .rule = "A title has 1 to 100 bytes."),
    CHOICE(profile, .choices = profile_names, .fallback = "carrier"),
    TEXT(own_host, .min = 2, .max = 253, .allows = own_host_allowed,
	 .rule = "What this server calls itself towards the trunk is a name, such as sbc.example.com."),
    TEXT(host, .flags = FIELD_REQUIRED, .min = 2, .max = 253, .rule = "The host is a name or an IP address.",
	 .allows = host_allowed),
    INTEGER(port, .min = 0, .max = 65535, .fallback = "0", .rule = "A port is 1 to 65535, or 0 for the usual one."),
    TEXT(targets, .max = TRUNK_TARGETS_LENGTH_MAX, .allows = targets_allowed,
	 .rule = "Targets are up to 8 different hosts, separated by spaces, such as "
		 "sbc1.example.com:5060;priority=10;weight=60."),
    INTEGER(options_interval_s, .min = 0, .max = 3600, .fallback = "30",
	    .rule = "OPTIONS are sent every 5 to 3600 seconds; 0 sends none."),
    CHOICE(transport, .choices = trunk_transport_names, .fallback = "udp"),
    TEXT(username, .max = 128, .rule = "A user name has at most 128 bytes."),
    TEXT(password, .flags = FIELD_HIDDEN, .secret = "password", .max = 128,
	 .rule = "A password has at most 128 bytes."),
    TEXT(realm, .max = 128, .rule = "A realm has at most 128 bytes."),
    BOOLEAN(registers, .fallback = "false"),
    TEXT(registration_user, .max = 128, .rule = "The user of a registration has at most 128 bytes."),
    INTEGER(registration_expires_s, .min = 60, .max = 86400, .fallback = "600",
	    .rule = "A registration is asked for 60 to 86400 seconds."),
    TEXT(inbound, .max = 1000, .rule = "Inbound holds IP addresses and ranges, separated by spaces.",
	 .allows = inbound_allowed),
    TEXT(inbound_username, .max = 64,
	 .rule = "An inbound user name has at most 64 letters, digits, dots, dashes or underscores.",
	 .allows = inbound_username_allowed),
    TEXT(inbound_ha1_md5, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .min = 32, .max = 32, .secret = "inbound_password",
	 .rule = "An MD5 hash has 32 hexadecimal digits.", .allows = hex_allowed),
    TEXT(inbound_ha1_sha256, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .min = 64, .max = 64,
	 .rule = "A SHA-256 hash has 64 hexadecimal digits.", .allows = hex_allowed),
    TEXT(caller_id, .max = 32, .rule = "A caller ID is a phone number of at most 32 characters.",
	 .allows = phone_number_allowed),
    INTEGER(legs_max, .min = 0, .max = 100000, .fallback = "0",
	    .rule = "A trunk carries 1 to 100000 calls at once; 0 sets no limit."),
    INTEGER(legs_per_s, .min = 0, .max = 10000, .fallback = "0",
	    .rule = "A trunk is given 1 to 10000 new calls a second; 0 sets no limit."),
    INTEGER(outside_legs_per_hour, .min = 0, .max = 1000000, .fallback = "0",
	    .rule = "A trunk takes up to 1 to 1000000 calls within an hour; 0 means no limit."),
    CHOICE(called_format, .choices = number_format_names, .fallback = "e164"),
    CHOICE(caller_format, .choices = number_format_names, .fallback = "e164"),
    CHOICE(asserted_identity, .choices = asserted_identity_names, .fallback = "always"),
    BOOLEAN(trusts_asserted_identity, .fallback = "true"),
    CHOICE(from_user, .choices = from_user_names, .fallback = "caller"),
    BOOLEAN(from_name, .fallback = "true"),
    CHOICE(caller_id_policy, .choices = policy_names, .fallback = "original"),
    CHOICE(diversion, .choices = diversion_names, .fallback = "diversion"),
    TEXT(number_refusals, .max = 100, .fallback = NUMBER_REFUSALS_USUAL,
	 .rule = "Statuses are numbers from 400 to 699, separated by spaces.", .allows = status_list_allowed),
    BOOLEAN(enabled, .fallback = "true"),
    BOOLEAN(trusts_caller_number, .fallback = "true"),
    CHOICE(unknown_did, .choices = unknown_did_names, .fallback = "site"),
    TEXT(unknown_did_extension, .max = EXTENSION_MAX, .rule = "An extension has 2 to 15 digits."),
};

bool trunk_is_teams(const struct trunk *trunk)
{
	return trunk && trunk->profile == TRUNK_TEAMS;
}

// What Direct Routing refuses anyway is refused where it can be mended.
static enum err teams_check(const struct trunk *trunk, struct problem *problem)
{
	if (str_index(trunk->own_host, '.') >= trunk->own_host.length)
		return problem_set(problem, ERR_MISSING_FIELD, "own_host",
				   "MS Teams knows this server by the full name in its certificate, such as "
				   "sbc.example.com.");
	if (trunk->transport != TRANSPORT_TLS)
		return problem_set(problem, ERR_INVALID_FIELD, "transport", "MS Teams is reached over TLS alone.");
	if (trunk->called_format != NUMBER_FORMAT_E164)
		return problem_set(problem, ERR_INVALID_FIELD, "called_format",
				   "MS Teams wants called numbers in E.164, with the plus.");
	if (trunk->caller_format != NUMBER_FORMAT_E164)
		return problem_set(problem, ERR_INVALID_FIELD, "caller_format",
				   "MS Teams wants callers' numbers in E.164, with the plus.");
	if (trunk->registers)
		return problem_set(problem, ERR_INVALID_FIELD, "registers", "MS Teams takes no registrations.");
	if (trunk->from_user == TRUNK_FROM_ACCOUNT)
		return problem_set(problem, ERR_INVALID_FIELD, "from_user",
				   "MS Teams knows no account: From holds the caller.");
	return ERR_NONE;
}

static enum err trunk_check(const struct entity *entity, struct problem *problem)
{
	const struct trunk *trunk = (const struct trunk *)entity;
	enum err err = trunk_is_teams(trunk) ? teams_check(trunk, problem) : ERR_NONE;

	if (err)
		return err;
	if (trunk->options_interval_s > 0 && trunk->options_interval_s < TRUNK_OPTIONS_INTERVAL_MIN_S)
		return problem_set(problem, ERR_INVALID_FIELD, "options_interval_s",
				   "OPTIONS are sent every 5 to 3600 seconds; 0 sends none.");
	if (trunk->registers && str_empty(trunk->username) && str_empty(trunk->registration_user))
		return problem_set(problem, ERR_MISSING_FIELD, "username",
				   "A trunk that registers has a user name: the one that the carrier gave.");
	if (trunk->from_user == TRUNK_FROM_ACCOUNT && str_empty(trunk->username) && str_empty(trunk->registration_user))
		return problem_set(problem, ERR_INVALID_FIELD, "from_user", "An account in From needs a user name.");
	return unknown_did_check(trunk->unknown_did, trunk->unknown_did_extension, problem);
}

const struct entity_type trunk_type = ENTITY_TYPE(ENTITY_TRUNK, "trunk", "trunks", trunk_fields, .check = trunk_check);
#undef OF

bool trunk_set_inbound_password(struct trunk *trunk, struct str realm, struct str password, struct arena *arena)
{
	const struct sip_secret secret = sip_secret_make(trunk->inbound_username, realm, password, arena);

	trunk->inbound_ha1_md5 = secret.ha1_md5;
	trunk->inbound_ha1_sha256 = secret.ha1_sha256;
	return trunk->inbound_ha1_md5.at && trunk->inbound_ha1_sha256.at;
}

#define OF struct route
static const struct field route_fields[] = {
    TEXT(pattern, .max = PATTERN_TEXT_MAX,
	 .rule = "A pattern has at most 20 places: digits with + in front, X, Z, N, sets such as [1-5]; then . or ! or "
		 "nothing.",
	 .allows = pattern_allowed),
    REFERENCE(trunk_id, .flags = FIELD_REQUIRED, .refers_to = ENTITY_TRUNK, .rule = "Say which trunk it leads to."),
    INTEGER(cost, .min = 0, .max = 1000000, .fallback = "0", .rule = "A cost is 0 to 1000000."),
    INTEGER(strip, .min = 0, .max = 31, .fallback = "0", .rule = "At most 31 characters can be stripped."),
    TEXT(prepend, .max = 20, .rule = "At most 20 digits can be put in front.", .allows = prepend_allowed),
    INTEGER(toll_class, .min = 0, .max = 3, .fallback = "1",
	    .rule = "A toll class is 0 (none), 1 (national), 2 (international) or 3 (premium)."),
};

const struct entity_type route_type = ENTITY_TYPE(ENTITY_ROUTE, "route", "routes", route_fields, .check = NULL);
#undef OF

// It says at least how the number begins.
static bool made_for(const struct route *route, struct str number)
{
	struct dial_pattern pattern;

	return !str_empty(number) && dial_pattern_read(route->pattern, &pattern) && pattern.count > 0 &&
	       pattern.steps[0] == dial_step(number.at[0]) && dial_pattern_takes(&pattern, number);
}

struct str route_number(const struct route *route, bool emergency, struct str number, char room[ROUTE_NUMBER_MAX])
{
	struct writer w = writer_into(room, ROUTE_NUMBER_MAX);

	if (emergency && !made_for(route, number))
		return number;
	writer_str(&w, route->prepend);
	writer_str(&w, str_from(number, (size_t)route->strip));
	return writer_result(&w);
}
