// What of the configuration each part of the server is given.
#include "settings_of.h"

static struct sip_limits_settings limits_settings(const struct settings *from)
{
	return (struct sip_limits_settings){
	    .requests_per_s = (unsigned)from->limits_requests_per_s,
	    .requests_burst = (unsigned)from->limits_requests_burst,
	    .known_requests_per_s = (unsigned)from->limits_known_requests_per_s,
	    .device_requests_per_s = (unsigned)from->limits_device_requests_per_s,
	    .device_requests_burst = (unsigned)from->limits_device_requests_burst,
	    .connections_per_source = (unsigned)from->limits_connections_per_source,
	    .failures_wait = (unsigned)from->limits_failures_wait,
	    .wait_s = (unsigned)from->limits_wait_s,
	    .failures_ban = (unsigned)from->limits_failures_ban,
	    .window_s = (unsigned)from->limits_window_s,
	    .ban_s = (unsigned)from->limits_ban_s,
	};
}

struct sip_endpoint_settings settings_of_endpoint(const struct settings *from, struct tls *tls)
{
	struct sip_endpoint_settings settings = {
	    .transport.secure = tls,
	    .transport.origins = from->sip_ws_origins,
	    .transport.advertised_host = from->sip_advertised_host,
	    .transport.connections_max = (unsigned)from->sip_connections_max,
	    .transport.idle_s = (unsigned)from->sip_idle_s,
	    .realm = from->sip_realm,
	    .domains = from->sip_domains,
	    .nonce_life_s = (unsigned)from->sip_nonce_life_s,
	    .dns_servers = from->dns_servers,
	    .digest = from->sip_digest,
	    .limits = limits_settings(from),
	    .overload.busy_percent = (unsigned)from->overload_busy_percent,
	    .overload.retry_after_s = (unsigned)from->overload_retry_after_s,
	    .overload.store_wait_ms = (unsigned)from->overload_store_wait_ms,
	    .session_expires_s = (unsigned)from->session_expires_s,
	    .session_min_s = (unsigned)from->session_min_s,
	    .register_min_s = (unsigned)from->register_min_s,
	    .register_max_s = (unsigned)from->register_max_s,
	    .register_default_s = (unsigned)from->register_default_s,
	    .subscribe_min_s = (unsigned)from->presence_min_s,
	    .subscribe_max_s = (unsigned)from->presence_max_s,
	    .subscriptions_per_device = (unsigned)from->presence_per_device,
	    .subscriptions_max = (unsigned)from->presence_subscriptions_max,
	    .lamps_nameless = !from->presence_identities,
	};

	_Static_assert((int)TRUSTED_MAX == (int)SIP_TRUSTED_MAX, "as many as the endpoint takes");
	settings_trusted(from, settings.trusted);
	settings_authenticated_by(from, settings.authenticated_by);
	settings_listeners(from->sip_udp, 5060, settings.transport.udp);
	settings_listeners(from->sip_tcp, 5060, settings.transport.tcp);
	settings_listeners(from->sip_tls, 5061, settings.transport.tls);
	settings_listeners(from->sip_ws, 80, settings.transport.ws);
	settings_listeners(from->sip_wss, 443, settings.transport.wss);
	return settings;
}

struct rtpengine_options settings_of_media(const struct settings *from)
{
	struct rtpengine_options options = {.takes_all = str_equal(from->media_anchor, STR("all"))};
	struct settings_relay relays[RELAYS_MAX];
	struct net_address listen[LISTENERS_MAX];

	_Static_assert((int)RELAYS_MAX == (int)MEDIA_RELAYS_MAX && (int)RELAY_NAME_MAX == (int)MEDIA_RELAY_NAME_MAX,
		       "as many, and as long, as the adapter takes");
	options.relay_count = settings_relays(from, relays);
	for (size_t i = 0; i < options.relay_count; i++)
		options.relays[i] = (struct rtpengine_relay){relays[i].name, relays[i].address, relays[i].weight};
	settings_listeners(from->media_dtmf, 2226, listen);
	options.dtmf_listen = listen[0];
	return options;
}

struct provider_settings settings_of_single_sign_on(const struct settings *from)
{
	return (struct provider_settings){
	    .issuer = from->oidc_issuer.at,
	    .client_id = from->oidc_client_id.at,
	    .client_secret = from->oidc_client_secret.at,
	    .redirect_uri = from->oidc_redirect_uri.at,
	    .claim = from->oidc_claim.at,
	    .scope = from->oidc_scope.at,
	};
}
