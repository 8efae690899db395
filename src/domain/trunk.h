// A SIP line to a carrier, and the rules that lead outside numbers to it.
#ifndef DOMAIN_TRUNK_H
#define DOMAIN_TRUNK_H

#include "domain/entity.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_WS, TRANSPORT_WSS };
extern const char *const transport_names[]; // "udp" ..., ends with NULL

// What a trunk may go over: udp, tcp and tls as in enum transport, and auto, which leaves the choice to the carrier's NAPTR and
// SRV records.
enum { TRUNK_TRANSPORT_AUTO = TRANSPORT_TLS + 1 };

enum { TRUNK_OPTIONS_INTERVAL_MIN_S = 5 };

// How a number is written on the wire: +441444123456, 441444123456, 00441444123456, or 01444123456 at home and 00... abroad, by the
// country's prefixes.
enum number_format {
	NUMBER_FORMAT_E164,
	NUMBER_FORMAT_E164_NO_PLUS,
	NUMBER_FORMAT_INTERNATIONAL,
	NUMBER_FORMAT_NATIONAL
};

// What stands at the other end. Microsoft's Direct Routing wants TLS, a name of ours that its certificate check finds, +E.164, and SRTP.
enum trunk_profile { TRUNK_CARRIER, TRUNK_TEAMS };

// When P-Asserted-Identity is sent (RFC 3325).
enum asserted_identity {
	ASSERTED_ALWAYS, // of anonymous callers, too, with Privacy: id; the trunk is trusted to keep it
	ASSERTED_PUBLIC, // of those alone who show their number
	ASSERTED_NEVER
};
enum trunk_from { TRUNK_FROM_CALLER, TRUNK_FROM_ACCOUNT };

// By which headers a trunk is told who has sent a call on.
enum trunk_diversion {
	TRUNK_DIVERSION_NONE,
	TRUNK_DIVERSION_DIVERSION,
	TRUNK_DIVERSION_HISTORY_INFO,
	TRUNK_DIVERSION_BOTH
};

struct trunk {
	struct entity entity;
	struct str title; // unique
	int profile;      // enum trunk_profile
	struct str
	    own_host; // what our URIs call us towards it: Contact, From; a name. Empty = the usual one. Teams needs it
	struct str host;    // a name, or an IP address
	int64_t port;       // 0 = as SRV records say, else the transport's own
	struct str targets; // where calls are sent instead of to the host, see trunk_target.h; empty: to the host
	int64_t options_interval_s;     // between two OPTIONS to each target; 0 = none are sent
	int transport;                  // or TRUNK_TRANSPORT_AUTO
	struct str username;            // digest to the carrier; empty = none
	struct str password;            // hidden
	struct str realm;               // the only realm the password answers to; empty = the first one challenged with
	bool registers;                 // RFC 3261 section 10: it tells the carrier where calls are to be sent
	struct str registration_user;   // of the address-of-record; empty = the digest's
	int64_t registration_expires_s; // asked for
	struct str inbound; // addresses and ranges calls are taken from, separated by spaces; empty = host alone
	struct str inbound_username;   // calls sign in as this, from wherever; empty = they are known by their address
	struct str inbound_ha1_md5;    // lower-case hex of MD5(inbound_username:realm:password); hidden
	struct str inbound_ha1_sha256; // the same with SHA-256; hidden
	struct str caller_id;          // shown when neither the device nor the user has one
	int64_t legs_max;              // at once, in both directions; 0 = any number
	int64_t legs_per_s;            // new ones that we begin; 0 = any number
	int64_t outside_legs_per_hour; // toll protection; 0 = no limit
	int called_format, caller_format; // enum number_format
	int asserted_identity;            // enum asserted_identity
	bool trusts_asserted_identity;    // on calls from it, P-Asserted-Identity says who calls, else From does
	int from_user;                    // enum trunk_from: whose number stands in From
	bool from_name;                   // and whether a name stands beside it
	int caller_id_policy;             // enum caller_id_policy (device.h), never TRUNK_DEFAULT; FIXED is caller_id
	int diversion;                    // enum trunk_diversion
	struct str number_refusals;       // statuses by which it refuses the number shown (number_refusal.h)
	bool enabled;
	bool
	    trusts_caller_number; // its numbers are the callers' own: who calls from a number of ours is shown as its user
	int unknown_did; // what a caller gets for a number that leads nowhere: enum unknown_did, SITE = as the site says
	struct str unknown_did_extension; // UNKNOWN_DID_EXTENSION: which
};

bool trunk_is_teams(const struct trunk *trunk); // NULL is allowed: no

struct route {
	struct entity entity;
	struct str pattern; // of the canonical number: see dial_pattern.h; "" = every number
	uint64_t trunk_id;
	int64_t cost;  // lower first among equal patterns
	int64_t strip; // digits (and '+') taken off the front
	struct str prepend;
	int64_t toll_class; // what a caller must have at least
};

enum { ROUTES_MAX = 16 }; // tried for one number

// The canonical number as the route's trunk wants it. A rule made for numbers in general must not maim an emergency code;
// one made for the code itself knows what the trunk wants.
enum { ROUTE_NUMBER_MAX = 64 };
struct str route_number(const struct route *route, bool emergency, struct str number, char room[ROUTE_NUMBER_MAX]);

bool phone_number_allowed(struct str text); // digits, a plus, and what people write between them

extern const struct entity_type trunk_type;
// Makes both hashes from inbound_username, the server's realm and the password. False when the arena is out of memory.
bool trunk_set_inbound_password(struct trunk *trunk, struct str realm, struct str password, struct arena *arena);
extern const struct entity_type route_type;

#endif
