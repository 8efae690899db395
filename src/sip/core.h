// What the files of the user agent share: the endpoint's insides. Outside of it only endpoint.h is used.
#ifndef SIP_CORE_H
#define SIP_CORE_H

#include "base/hash.h"
#include "base/pool.h"
#include "base/slots.h"
#include "sip/endpoint.h"

struct sip_registrar;
struct sip_resolver;
struct subscriptions;
struct trunk_health;
struct trunk_names;
struct trunk_registrations;

struct sip_endpoint {
	struct loop *loop;
	struct sip_resolver *resolver;
	struct trunk_names *trunk_names;
	struct trunk_registrations *trunk_registrations;
	struct trunk_health *trunk_health;
	struct watch *watch; // who is told of trunks; may be NULL
	struct sip_transport *transport;
	struct sip_transactions *transactions;
	struct sip_auth *auth;
	struct sip_limits *limits;
	struct sip_overload *overload;
	uint64_t dropped_before;                            // by the limits, when the overload looked last
	uint64_t flood_until_ms;                            // strangers bring more than is read
	struct net_range trusted[SIP_TRUSTED_MAX];          // by the limits, beside the trunks
	struct net_range authenticated_by[SIP_TRUSTED_MAX]; // who authenticates devices himself
	struct directory *directory;
	struct registrations *registrations;
	struct call_table *calls; // NULL until the start
	struct signalling signalling;
	struct sip_registrar *registrar;
	struct subscriptions *subscriptions;
	struct str realm;   // owned
	struct str domains; // owned
	struct str host;    // of From and To: the first domain, or the realm; within one of those
	struct slots *sessions;
	struct hash_table *sessions_by_tag;    // by our own tag
	struct hash_table *sessions_by_origin; // callers, by what their INVITE is known by (RFC 3261 section 8.2.2.2)
	struct pool session_pool, exchange_pool, fork_pool, early_pool;
	unsigned session_expires_s; // asked for; 0: no session timer of our own
	unsigned session_min_s;     // granted at least
	uint64_t invites, refused_authentication;
};

enum { SESSIONS_MAX = 200000 };

// What we take, outside and within calls.
#define SIP_ALLOW_LINE                                                                                                 \
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE, UPDATE, PRACK, INFO, MESSAGE, REFER, "         \
	"NOTIFY\r\n"
#define SIP_SUPPORTED_LINE "Supported: timer, replaces, norefersub\r\n"
#define SIP_ACCEPT_LINE    "Accept: application/sdp\r\n"

// Whether we answer for this host.
bool sip_endpoint_is_ours(const struct sip_endpoint *endpoint, const struct sip_uri *uri);

// An answer without state (RFC 3261 section 8.2.7), with the usual phrase.
void sip_endpoint_answer(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			 unsigned status, struct str extra);
// A call for help: it is taken whatever limit is reached.
bool sip_endpoint_is_emergency(const struct sip_endpoint *endpoint, const struct sip_message *request);
// The same to one who has shown who he is, or stands in a dialog: a repetition gets the same again, though its digest or its
// CSeq was good once only.
void sip_endpoint_answer_once(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			      unsigned status, struct str extra);

#endif
