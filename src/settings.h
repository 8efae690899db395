// The keys of the configuration file: what the server needs before it can open its store. All else lives in the store.
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/config.h"
#include "base/net.h"
#include "base/writer.h"
#include "domain/feature_code.h"

enum { LISTENERS_MAX = 4, TRUSTED_MAX = 16, RELAYS_MAX = 8, RELAY_NAME_MAX = 63 };

struct settings {
	struct str sip_udp, sip_tcp, sip_tls, sip_ws, sip_wss; // addresses with ports, separated by spaces
	struct str sip_ws_origins;
	struct str sip_advertised_host;
	struct str sip_realm;
	struct str sip_domains;
	int64_t sip_connections_max;
	int64_t sip_idle_s;
	int64_t sip_nonce_life_s;
	struct str sip_digest;
	struct str sip_authenticated_by;
	struct str tls_certificate, tls_key, tls_ca; // files
	bool tls_require_client_certificate;
	int64_t session_expires_s, session_min_s;
	int64_t register_min_s, register_max_s, register_default_s;
	int64_t presence_min_s, presence_max_s;
	int64_t presence_per_device, presence_subscriptions_max;
	bool presence_identities;
	struct str dns_servers;
	int64_t limits_requests_per_s, limits_requests_burst, limits_known_requests_per_s;
	int64_t limits_device_requests_per_s, limits_device_requests_burst;
	int64_t limits_connections_per_source;
	int64_t limits_failures_wait, limits_wait_s;
	int64_t overload_busy_percent, overload_retry_after_s, overload_store_wait_ms;
	int64_t limits_failures_ban, limits_window_s, limits_ban_s;
	struct str limits_trusted;
	struct str media_relays, media_dtmf, media_anchor, media_prompts;
	struct str http_listen, http_https;
	int64_t http_workers;
	struct str http_console;
	struct str store_url;
	bool keep_registrations;
	struct feature_codes features;
	struct str log_level;
	struct str oidc_issuer, oidc_client_id, oidc_client_secret, oidc_redirect_uri, oidc_claim, oidc_scope;
	int64_t drain_s;
};

// Reads the file (NULL: the defaults) and checks what a single key's type cannot. False with error->sentence.
bool settings_read(const char *path, struct settings *settings, struct arena *arena, struct config_error *error);
// Lists the keys whose values differ, as "[section] name" with commas between: those that settings_adopt takes over, and those
// that count from the next start on.
void settings_compare(const struct settings *running, const struct settings *read, struct writer *adopted,
		      struct writer *later);
// Takes over what can change while the server runs: all such keys, so that none of their texts is the old settings' any more.
void settings_adopt(struct settings *running, const struct settings *read);
// The listeners of a key that settings_read has checked; unused places have family 0.
void settings_listeners(struct str text, uint16_t default_port, struct net_address listeners[LISTENERS_MAX]);
// Of [limits] trusted; unused places are all zero.
void settings_trusted(const struct settings *settings, struct net_range ranges[TRUSTED_MAX]);
// Of [sip] authenticated_by, likewise.
void settings_authenticated_by(const struct settings *settings, struct net_range ranges[TRUSTED_MAX]);
// Of [media] relays. Gives how many there are.
struct settings_relay {
	struct str name; // RELAY_NAME_MAX bytes at most
	struct net_address address;
	unsigned weight;
};
size_t settings_relays(const struct settings *settings, struct settings_relay relays[RELAYS_MAX]);
// The folder of the console's files: [http] console, or the first one there is of those where it lies when the program is
// installed or was built. False: there is none.
bool settings_console(const struct settings *settings, char *folder, size_t size);
// Every key with its default and meaning, as a file that can be used as it is.
void settings_print_example(void);

#endif
