// The configuration file's keys, their defaults and what they mean.
#include "settings.h"

#include "base/dns.h"
#include "base/log.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT(section, name, member, value, help)                                                                       \
	{                                                                                                              \
		section, name, CONFIG_TEXT, offsetof(struct settings, member), value, 0, 0, help                       \
	}
#define INTEGER(section, name, member, value, min, max, help)                                                          \
	{                                                                                                              \
		section, name, CONFIG_INTEGER, offsetof(struct settings, member), value, min, max, help                \
	}
#define BOOLEAN(section, name, member, value, help)                                                                    \
	{                                                                                                              \
		section, name, CONFIG_BOOLEAN, offsetof(struct settings, member), value, 0, 0, help                    \
	}

static const struct config_key keys[] = {
    TEXT("sip", "udp", sip_udp, "0.0.0.0:5060 [::]:5060",
	 "Addresses for SIP over UDP, separated by spaces; empty: none."),
    TEXT("sip", "tcp", sip_tcp, "0.0.0.0:5060 [::]:5060",
	 "Addresses for SIP over TCP, separated by spaces; empty: none."),
    TEXT("sip", "tls", sip_tls, "0.0.0.0:5061 [::]:5061",
	 "Addresses for SIP over TLS, separated by spaces; without a certificate in [tls]: none."),
    TEXT("sip", "ws", sip_ws, "", "Addresses for SIP over WebSocket, separated by spaces; empty: none."),
    TEXT("sip", "wss", sip_wss, "", "The same over TLS; without a certificate in [tls]: none."),
    TEXT("sip", "ws_origins", sip_ws_origins, "",
	 "Origins of the web pages that may connect by WebSocket, such as https://pbx.example.com; empty: any."),
    TEXT("sip", "advertised_host", sip_advertised_host, "",
	 "Host that phones and carriers are told to answer to; empty: the address of the interface used."),
    TEXT("sip", "realm", sip_realm, "carillon",
	 "Realm of the devices' passwords. Changing it invalidates every device password."),
    TEXT("sip", "domains", sip_domains, "",
	 "Domains and addresses whose numbers are ours, separated by spaces; empty: whatever a request names."),
    INTEGER("sip", "connections_max", sip_connections_max, "20000", 1, 1000000, "Connections at once, at most."),
    INTEGER("sip", "idle_s", sip_idle_s, "900", 10, 86400, "A connection that says nothing for this long is closed."),
    INTEGER("sip", "nonce_life_s", sip_nonce_life_s, "300", 10, 86400, "How long a digest nonce can be used."),
    TEXT("sip", "digest", sip_digest, "MD5",
	 "Digest algorithms offered, best first. \"SHA-256 MD5\" once every phone knows RFC 8760: others often give "
	 "up."),
    TEXT("tls", "certificate", tls_certificate, "",
	 "PEM file with our certificate, then those that lead to its root. SIGHUP reads it again."),
    TEXT("tls", "key", tls_key, "", "PEM file with its key, without a pass phrase; empty: in the certificate's file."),
    TEXT("tls", "ca", tls_ca, "",
	 "PEM file with the CAs that certificates of others must come from; empty: those that the system trusts."),
    BOOLEAN("tls", "require_client_certificate", tls_require_client_certificate, "no",
	    "Whether those who connect by TLS must have a certificate, too."),
    INTEGER(
	"sip", "session_expires_s", session_expires_s, "1800", 0, 604800,
	"A phone that is silent for so long within a call has left it (RFC 4028); half of that between two refreshes. "
	"0: only if the other side asks for it."),
    INTEGER("sip", "session_min_s", session_min_s, "90", 90, 86400,
	    "The shortest such time taken from the other side; shorter: 422."),
    TEXT("sip", "authenticated_by", sip_authenticated_by, "",
	 "Addresses and ranges of proxies that authenticate phones themselves: From says which device it is. Empty: "
	 "none."),
    INTEGER("registrar", "min_s", register_min_s, "60", 1, 86400, "The shortest registration taken; shorter: 423."),
    INTEGER("registrar", "max_s", register_max_s, "7200", 60, 604800, "The longest; longer ones are shortened to it."),
    INTEGER("registrar", "default_s", register_default_s, "3600", 60, 604800, "Where the device does not say."),
    INTEGER("presence", "min_s", presence_min_s, "60", 1, 86400,
	    "The shortest subscription to a busy lamp taken; shorter: 423."),
    INTEGER("presence", "max_s", presence_max_s, "3600", 60, 86400, "The longest; longer ones are shortened to it."),
    INTEGER("presence", "per_device", presence_per_device, "200", 1, 10000, "Subscriptions of one device at once."),
    INTEGER("presence", "subscriptions_max", presence_subscriptions_max, "50000", 1, 1000000,
	    "Subscriptions of all devices at once; each takes about 1.5 kB."),
    BOOLEAN("presence", "identities", presence_identities, "yes",
	    "Whether a busy lamp tells who calls whom; no: only that somebody does."),
    TEXT("dns", "servers", dns_servers, "",
	 "Name servers such as 192.0.2.53 or [2001:db8::53]:5353, separated by spaces; empty: the system's."),
    INTEGER(
	"limits", "requests_per_s", limits_requests_per_s, "50", 1, 1000000,
	"Requests a second taken from an address where nobody has authenticated (IPv6: from a /64); more are dropped."),
    INTEGER("limits", "requests_burst", limits_requests_burst, "400", 1, 1000000, "As many at once."),
    INTEGER("limits", "known_requests_per_s", limits_known_requests_per_s, "10000", 1, 1000000,
	    "The same for a device that has authenticated, and for a trunk; twice as many at once."),
    INTEGER("limits", "device_requests_per_s", limits_device_requests_per_s, "50", 1, 1000000,
	    "Calls, registrations and subscriptions a second of one device, wherever it sends from; more get 503."),
    INTEGER("limits", "device_requests_burst", limits_device_requests_burst, "500", 1, 1000000, "As many at once."),
    INTEGER("limits", "connections_per_source", limits_connections_per_source, "500", 1, 1000000,
	    "TCP and TLS connections from one address at once."),
    INTEGER("limits", "failures_wait", limits_failures_wait, "5", 1, 1000000,
	    "After so many wrong passwords for a device from one address, that device must wait there."),
    INTEGER("limits", "wait_s", limits_wait_s, "30", 1, 86400, "For so long."),
    INTEGER(
	"limits", "failures_ban", limits_failures_ban, "50", 1, 1000000,
	"After so many wrong passwords from one address it is banned; devices that were right there before are not."),
    INTEGER("limits", "window_s", limits_window_s, "600", 1, 86400, "Wrong passwords are counted for so long."),
    INTEGER("limits", "ban_s", limits_ban_s, "600", 1, 604800, "A ban lasts for so long."),
    TEXT("limits", "trusted", limits_trusted, "",
	 "Addresses and ranges never banned, such as those of a proxy in front, separated by spaces. Trunks are "
	 "anyway."),
    INTEGER(
	"overload", "busy_percent", overload_busy_percent, "90", 0, 100,
	"Once so much of the call thread's time is taken, some of the new calls and registrations get 503; 0: never."),
    INTEGER("overload", "retry_after_s", overload_retry_after_s, "10", 1, 3600,
	    "Those are asked to stay away for this long, some less and some more."),
    INTEGER("overload", "store_wait_ms", overload_store_wait_ms, "1000", 100, 60000,
	    "Registrations get 503 while one has waited this long for the disk."),
    TEXT("media", "relays", media_relays, "",
	 "Media relays (rtpengine), with commas between: 192.0.2.1:2223, and weight=2, name=prague if wanted; empty: "
	 "none."),
    TEXT("media", "dtmf", media_dtmf, "127.0.0.1:2226",
	 "Address that the relays send the keys of phones to, as their --dtmf-log-dest says; empty: they send none."),
    TEXT("media", "anchor", media_anchor, "needed",
	 "Calls that go through a relay: needed (browsers, MS Teams, NAT, prompts), or all."),
    TEXT("media", "prompts", media_prompts, "/var/lib/carillon/prompts",
	 "Folder for what relays say, as files that are made anew when they are wanted; relays read them."),
    TEXT("http", "listen", http_listen, "0.0.0.0:8080", "Address of the console and the API."),
    TEXT("http", "https", http_https, "0.0.0.0:8443",
	 "The same over TLS; empty, or without a certificate in [tls]: none."),
    INTEGER("http", "workers", http_workers, "4", 1, 64, "Threads that answer API requests."),
    TEXT("http", "console", http_console, "",
	 "Folder of the console's files; empty: share/carillon/console or web/dist, as seen from the program."),
    TEXT("oidc", "issuer", oidc_issuer, "",
	 "Provider of single sign-on by OpenID Connect, such as https://login.example.com; empty: none."),
    TEXT("oidc", "client_id", oidc_client_id, "", "Our name there."),
    TEXT("oidc", "client_secret", oidc_client_secret, "", "Our secret there; empty: we have none."),
    TEXT("oidc", "redirect_uri", oidc_redirect_uri, "",
	 "Where it sends browsers back, as registered there: https://OURS/api/v1/single-sign-on/callback."),
    TEXT("oidc", "claim", oidc_claim, "preferred_username", "Claim that holds the sign-in name of a user here."),
    TEXT("oidc", "scope", oidc_scope, "openid profile email", "What is asked of it; openid is needed."),
    TEXT("store", "url", store_url, "sqlite:/var/lib/carillon/carillon.db", "Where everything is kept."),
    BOOLEAN("store", "keep_registrations", keep_registrations, "yes",
	    "Whether a registration is on disk before it is answered; no: phones are unknown after a restart."),
#define FEATURE(name, key, fallback, argument, help)                                                                   \
	TEXT("features", key, features.code[FEATURE_##name], fallback, help),
#include "domain/feature_codes.def"
#undef FEATURE
    TEXT("log", "level", log_level, "info", "error, warning, info or debug."),
    INTEGER("server", "drain_s", drain_s, "30", 0, 3600, "On SIGTERM running calls may go on for this long."),
};

// What a SIGHUP may change; without a name: the whole section.
static const struct {
	const char *section, *name;
} adoptable[] = {
    {"sip", "authenticated_by"},
    {"sip", "ws_origins"},
    {"sip", "idle_s"},
    {"sip", "nonce_life_s"},
    {"sip", "session_expires_s"},
    {"sip", "session_min_s"},
    {"registrar", NULL},
    {"presence", NULL},
    {"limits", NULL},
    {"overload", NULL},
    {"log", "level"},
    {"server", "drain_s"},
};

static bool is_adoptable(const struct config_key *key)
{
	for (size_t i = 0; i < sizeof adoptable / sizeof *adoptable; i++)
		if (strcmp(adoptable[i].section, key->section) == 0 &&
		    (!adoptable[i].name || strcmp(adoptable[i].name, key->name) == 0))
			return true;
	return false;
}

static size_t value_size(const struct config_key *key)
{
	static const size_t sizes[] = {
	    [CONFIG_TEXT] = sizeof(struct str), [CONFIG_INTEGER] = sizeof(int64_t), [CONFIG_BOOLEAN] = sizeof(bool)};

	return sizes[key->type];
}

static bool same_value(const struct config_key *key, const struct settings *a, const struct settings *b)
{
	const char *one = (const char *)a + key->offset, *other = (const char *)b + key->offset;

	if (key->type == CONFIG_TEXT)
		return str_equal(*(const struct str *)(const void *)one, *(const struct str *)(const void *)other);
	return memcmp(one, other, value_size(key)) == 0;
}

void settings_compare(const struct settings *running, const struct settings *read, struct writer *adopted,
		      struct writer *later)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct writer *w = is_adoptable(&keys[i]) ? adopted : later;
		if (!same_value(&keys[i], running, read))
			writer_format(w, "%s[%s] %s", w->used ? ", " : "", keys[i].section, keys[i].name);
	}
}

void settings_adopt(struct settings *running, const struct settings *read)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (is_adoptable(&keys[i]))
			memcpy((char *)running + keys[i].offset, (const char *)read + keys[i].offset,
			       value_size(&keys[i]));
}

static bool refuse(struct config_error *error, const char *key, struct str value, const char *right)
{
	config_error_set(error, 0, "%s: \"%.*s\" is not right: %s", key, STR_ARG(value), right);
	return false;
}

// Reads the addresses; gives how many there are, or -1.
static int listeners_parse(struct str text, uint16_t default_port, struct net_address listeners[LISTENERS_MAX])
{
	struct str piece;
	int count = 0;

	memset(listeners, 0, LISTENERS_MAX * sizeof *listeners);
	while (str_take(&text, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		if (count == LISTENERS_MAX || !net_address_parse_with_port(piece, default_port, &listeners[count]))
			return -1;
		count++;
	}
	return count;
}

void settings_listeners(struct str text, uint16_t default_port, struct net_address listeners[LISTENERS_MAX])
{
	(void)listeners_parse(text, default_port, listeners);
}

// "weight=2" or "name=prague", after the address.
static bool relay_option_parse(struct str option, struct settings_relay *relay)
{
	uint64_t weight;

	if (str_starts(option, STR("name="))) {
		relay->name = str_from(option, 5);
		return !str_empty(relay->name) && relay->name.length <= RELAY_NAME_MAX;
	}
	if (!str_starts(option, STR("weight=")) || !str_to_uint(str_from(option, 7), 1000, &weight) || weight == 0)
		return false;
	relay->weight = (unsigned)weight;
	return true;
}

static bool relay_parse(struct str text, struct settings_relay *relay)
{
	struct str piece;
	bool has_address = false;

	while (str_take(&text, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		if (has_address) {
			if (!relay_option_parse(piece, relay))
				return false;
			continue;
		}
		has_address = true;
		*relay = (struct settings_relay){.name = str_first(piece, RELAY_NAME_MAX), .weight = 1};
		if (!net_address_parse_with_port(piece, 2223, &relay->address) || net_address_is_any(&relay->address))
			return false;
	}
	return has_address;
}

// False: something else stands there, or there are too many, or two of one name.
static bool relays_parse(struct str text, struct settings_relay relays[RELAYS_MAX], size_t *count)
{
	struct str piece;

	*count = 0;
	while (str_take(&text, ',', &piece)) {
		if (*count == RELAYS_MAX || !relay_parse(piece, &relays[*count]))
			return false;
		for (size_t i = 0; i < *count; i++)
			if (str_equal(relays[i].name, relays[*count].name))
				return false;
		++*count;
	}
	return true;
}

size_t settings_relays(const struct settings *settings, struct settings_relay relays[RELAYS_MAX])
{
	size_t count;

	return relays_parse(settings->media_relays, relays, &count) ? count : 0;
}

// False: something else stands there, or there are too many.
static bool ranges_parse(struct str text, struct net_range ranges[TRUSTED_MAX])
{
	struct str piece;
	size_t count = 0;

	memset(ranges, 0, TRUSTED_MAX * sizeof *ranges);
	while (str_take(&text, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		if (count == TRUSTED_MAX || !net_range_parse(piece, &ranges[count]))
			return false;
		count++;
	}
	return true;
}

void settings_trusted(const struct settings *settings, struct net_range ranges[TRUSTED_MAX])
{
	(void)ranges_parse(settings->limits_trusted, ranges);
}

void settings_authenticated_by(const struct settings *settings, struct net_range ranges[TRUSTED_MAX])
{
	(void)ranges_parse(settings->sip_authenticated_by, ranges);
}

static bool digest_known(struct str algorithms)
{
	struct str name;
	unsigned known = 0;

	while (str_take(&algorithms, ' ', &name)) {
		if (str_empty(name))
			continue;
		if (!str_equal_nocase(name, STR("MD5")) && !str_equal_nocase(name, STR("SHA-256")))
			return false;
		known++;
	}
	return known == 1 || known == 2;
}

// "*85" and the like, since no number begins so; or nothing.
static bool feature_code_valid(struct str code)
{
	if (str_empty(code))
		return true;
	for (size_t i = 1; i < code.length; i++)
		if (code.at[i] < '0' || code.at[i] > '9')
			return false;
	return code.at[0] == '*' && code.length >= 2 && code.length <= 9;
}

// A code that two features have, or nothing.
static struct str feature_code_twice(const struct settings *settings)
{
	for (int i = 0; i < FEATURE_COUNT; i++)
		for (int j = 0; j < i; j++)
			if (!str_empty(settings->features.code[i]) &&
			    str_equal(settings->features.code[i], settings->features.code[j]))
				return settings->features.code[i];
	return STR_NONE;
}

static bool media_check(const struct settings *settings, struct config_error *error)
{
	struct net_address listeners[LISTENERS_MAX];
	struct settings_relay relays[RELAYS_MAX];
	size_t count;

	if (!relays_parse(settings->media_relays, relays, &count))
		return refuse(error, "[media] relays", settings->media_relays,
			      "up to eight addresses such as 192.0.2.1:2223 weight=2 name=prague, with commas between");
	if (listeners_parse(settings->media_dtmf, 2226, listeners) < 0 || listeners[1].family)
		return refuse(error, "[media] dtmf", settings->media_dtmf,
			      "one address such as 127.0.0.1:2226, or empty");
	if (!str_equal(settings->media_anchor, STR("needed")) && !str_equal(settings->media_anchor, STR("all")))
		return refuse(error, "[media] anchor", settings->media_anchor, "needed or all");
	return true;
}

static bool settings_check(const struct settings *settings, struct config_error *error)
{
	static const char addresses[] = "up to four addresses such as 192.0.2.1:5060 or [2001:db8::1]:5060";
	struct net_address listeners[LISTENERS_MAX];
	struct net_range trusted[TRUSTED_MAX];
	enum log_level level;

	int udp = listeners_parse(settings->sip_udp, 5060, listeners);
	if (udp < 0)
		return refuse(error, "[sip] udp", settings->sip_udp, addresses);
	int tcp = listeners_parse(settings->sip_tcp, 5060, listeners);
	if (tcp < 0)
		return refuse(error, "[sip] tcp", settings->sip_tcp, addresses);
	if (listeners_parse(settings->sip_tls, 5061, listeners) < 0)
		return refuse(error, "[sip] tls", settings->sip_tls, addresses);
	if (listeners_parse(settings->sip_ws, 80, listeners) < 0)
		return refuse(error, "[sip] ws", settings->sip_ws, addresses);
	if (listeners_parse(settings->sip_wss, 443, listeners) < 0)
		return refuse(error, "[sip] wss", settings->sip_wss, addresses);
	if (udp + tcp == 0)
		return refuse(error, "[sip] udp and tcp", STR_NONE, "at least one address is needed");
	if (listeners_parse(settings->http_listen, 8080, listeners) != 1)
		return refuse(error, "[http] listen", settings->http_listen, "one address such as 0.0.0.0:8080");
	if (listeners_parse(settings->http_https, 8443, listeners) < 0 || listeners[1].family)
		return refuse(error, "[http] https", settings->http_https,
			      "one address such as 0.0.0.0:8443, or empty");
	if (str_empty(settings->sip_realm) || str_index(settings->sip_realm, '"') < settings->sip_realm.length)
		return refuse(error, "[sip] realm", settings->sip_realm, "a name without quotation marks");
	if (!dns_servers_valid(settings->dns_servers))
		return refuse(error, "[dns] servers", settings->dns_servers,
			      "up to eight addresses such as 192.0.2.53 or [2001:db8::53]:5353");
	if (!ranges_parse(settings->sip_authenticated_by, trusted))
		return refuse(error, "[sip] authenticated_by", settings->sip_authenticated_by,
			      "up to 16 addresses and ranges such as 192.0.2.1 or 2001:db8::/64");
	if (!ranges_parse(settings->limits_trusted, trusted))
		return refuse(error, "[limits] trusted", settings->limits_trusted,
			      "up to 16 addresses and ranges such as 192.0.2.1 or 2001:db8::/64");
	if (!digest_known(settings->sip_digest))
		return refuse(error, "[sip] digest", settings->sip_digest,
			      "MD5, SHA-256, or both with a space between");
	if (settings->register_min_s > settings->register_default_s ||
	    settings->register_default_s > settings->register_max_s)
		return refuse(error, "[registrar] min_s, default_s, max_s", STR_NONE,
			      "they must not decrease in this order");
	for (int i = 0; i < FEATURE_COUNT; i++)
		if (!feature_code_valid(settings->features.code[i]))
			return refuse(error, "[features]", settings->features.code[i],
				      "a code is * and digits, up to 8 of them, or empty");
	if (!str_empty(feature_code_twice(settings)))
		return refuse(error, "[features]", feature_code_twice(settings), "each feature has a code of its own");
	if (settings->presence_min_s > settings->presence_max_s)
		return refuse(error, "[presence] min_s, max_s", STR_NONE, "they must not decrease in this order");
	if (settings->session_expires_s && settings->session_expires_s < settings->session_min_s)
		return refuse(error, "[sip] session_expires_s", STR_NONE, "0, or at least session_min_s");
	if (!log_level_parse(settings->log_level, &level))
		return refuse(error, "[log] level", settings->log_level, "error, warning, info or debug");
	return media_check(settings, error);
}

bool settings_read(const char *path, struct settings *settings, struct arena *arena, struct config_error *error)
{
	memset(settings, 0, sizeof *settings);
	if (config_read(path, keys, sizeof keys / sizeof *keys, settings, arena, error))
		return settings_check(settings, error);
	if (error->unknown_section && strstr(error->sentence, "[numbers]"))
		config_error_set(
		    error, error->line,
		    "[numbers] is not set here: how the site dials (country, area code, prefixes, emergency "
		    "codes) is in its settings, in the console or by PATCH /api/v1/settings.");
	return false;
}

bool settings_console(const struct settings *settings, char *folder, size_t size)
{
	static const char *const places[] = {"../share/carillon/console", "../../web/dist"};
	char program[PATH_MAX];
	if (!str_empty(settings->http_console))
		return str_to_cstring(settings->http_console, folder, size);
	ssize_t length = readlink("/proc/self/exe", program, sizeof program);
	if (length <= 0 || length == sizeof program)
		return false;
	while (length > 0 && program[length - 1] != '/')
		length--;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int written = snprintf(folder, size, "%.*s%s/index.html", (int)length, program, places[i]);
		if (written < 0 || (size_t)written >= size || access(folder, R_OK) != 0)
			continue;
		*strrchr(folder, '/') = '\0';
		return true;
	}
	return false;
}

void settings_print_example(void)
{
	const char *section = "";

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcmp(section, keys[i].section) != 0)
			printf("%s[%s]\n", i ? "\n" : "", keys[i].section);
		section = keys[i].section;
		printf("; %s\n%s = %s\n", keys[i].help, keys[i].name, keys[i].default_text);
	}
}
