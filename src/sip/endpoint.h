// The SIP side as a whole: transport, transactions, authentication, registrar and the calls' sessions, and the signalling
// port that the domain drives them by. Policy about calls is the domain's.
#ifndef SIP_ENDPOINT_H
#define SIP_ENDPOINT_H

#include "domain/call_table.h"
#include "domain/trunk_state.h"
#include "sip/auth.h"
#include "sip/overload.h"
#include "sip/resolver.h"
#include "sip/source_limits.h"
#include "sip/transaction.h"

struct sip_endpoint;

enum { SIP_TRUSTED_MAX = 16 };

struct sip_endpoint_settings {
	struct sip_transport_settings transport;
	struct str realm;   // of the digest, and the host in From and To when no domain is given
	struct str domains; // names and addresses we answer for, separated by spaces; empty: any
	unsigned nonce_life_s;
	struct str digest; // algorithms that challenges offer, best first; see sip_auth_offer
	unsigned register_min_s, register_max_s, register_default_s;
	unsigned session_expires_s, session_min_s; // RFC 4028; 0: no session timer of our own, and 90 at least
	unsigned subscribe_min_s, subscribe_max_s; // 0: 60 and 3600
	unsigned subscriptions_per_device, subscriptions_max; // 0: 200 and 50,000
	bool lamps_nameless;                                  // busy lamps do not tell who calls whom
	struct sip_limits_settings limits;                    // but for whom it trusts: trunks and those of `trusted`
	struct net_range trusted[SIP_TRUSTED_MAX];            // unused places are all zero
	struct net_range authenticated_by[SIP_TRUSTED_MAX];   // proxies that authenticate phones themselves; likewise
	struct sip_overload_settings overload;                // but for what it asks
	struct str dns_servers;                               // see base/dns.h; empty: the system's
	struct watch *watch;                                  // is told when a trunk's state changes; may be NULL
};

// 0, or a negative errno with *failed set to the address that could not be opened.
int sip_endpoint_create(struct loop *loop, const struct sip_endpoint_settings *settings, struct directory *directory,
			struct registrations *registrations, struct sip_endpoint **endpoint,
			struct net_address *failed);
// The port for the domain. The call table is given afterwards, since each needs the other.
struct signalling *sip_endpoint_signalling(struct sip_endpoint *endpoint);
void sip_endpoint_start(struct sip_endpoint *endpoint, struct call_table *calls);
// Takes over what can change while it runs: limits, whom it trusts, bounds of registrations and subscriptions, overload, life of nonces,
// session timers (of what is negotiated from now on), origins, idle_s. Calls and connections go on. False, and nothing has changed, when
// there is no memory.
bool sip_endpoint_change(struct sip_endpoint *endpoint, const struct sip_endpoint_settings *settings);
// See sip_transport_set_foreign, sip_transport_greet and sip_transport_adopt.
void sip_endpoint_set_foreign(struct sip_endpoint *endpoint, enum transport kind, const struct net_address *local);
void sip_endpoint_greet(struct sip_endpoint *endpoint, const struct net_address *from, struct str head,
			struct writer *answer);
void sip_endpoint_adopt(struct sip_endpoint *endpoint, enum transport kind, const struct tcp_foreign *socket,
			struct str early);
// A trunk has been added to the directory, changed, or taken out of it. (sip_endpoint_start looks at all that are there.)
void sip_endpoint_trunk_changed(struct sip_endpoint *endpoint, uint64_t trunk_id);
// How the trunk is now.
void sip_endpoint_trunk_state(const struct sip_endpoint *endpoint, uint64_t trunk_id, struct trunk_state *state);
// Takes the trunks' registrations at their carriers back; none comes again. `left` is called once, in a later turn, within
// TRUNK_REGISTER_LEAVE_MS (trunk_registration.h).
void sip_endpoint_leave(struct sip_endpoint *endpoint, void (*left)(void *context), void *context);
// A device is gone, or has a new password: what it has subscribed to ends. Calls go on.
void sip_endpoint_device_ended(struct sip_endpoint *endpoint, uint64_t device_id);
// The call table goes next. Subscribers are told to come again.
void sip_endpoint_stop(struct sip_endpoint *endpoint);
void sip_endpoint_destroy(struct sip_endpoint *endpoint);

// Checks that have ended, and targets of trunks now.
struct trunk_health_counters {
	uint64_t checks, failed;                                 // ended
	unsigned targets, out_of_service, trunks_out_of_service; // now
};

struct sip_endpoint_counters {
	struct sip_transport_counters transport;
	struct sip_transaction_counters transactions;
	struct sip_resolver_counters resolver;
	struct trunk_health_counters trunks;
	struct sip_limits_counters limits;
	struct sip_overload_counters overload;
	uint32_t sessions, subscriptions;
	uint64_t notifies, refused_subscriptions;
	uint64_t registers, invites, refused_authentication;
};
struct sip_endpoint_counters sip_endpoint_count(const struct sip_endpoint *endpoint);
struct net_address sip_endpoint_listener(const struct sip_endpoint *endpoint, enum transport kind, unsigned n);

#endif
