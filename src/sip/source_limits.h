// How much anybody may ask of us: requests and connections of a source, wrong passwords of a source and of a source for an
// account. Bookkeeping in bounded memory, a few hash look-ups a message. A source is an IPv4 host or an IPv6 network of 64 bits;
// a flow is one port of it over one transport.
//
// Whoever has authenticated has made their flow known: it has an allowance of its own, far larger than the source's, which all
// unknown flows share. A ban is on a source's unknown flows and on accounts that never were good there: neighbours behind the
// same NAT go on, and those whose port changes can register again. Nothing but wrong answers to nonces that were issued to the
// source itself lead to a ban, so nobody can have another one banned.
#ifndef SIP_SOURCE_LIMITS_H
#define SIP_SOURCE_LIMITS_H

#include "base/loop.h"
#include "domain/registration.h"

struct sip_limits;

// 0 is the default, everywhere.
struct sip_limits_settings {
	unsigned requests_per_s, requests_burst; // of all unknown flows of a source together
	unsigned known_requests_per_s; // of a known flow, or of a source that is trusted; the burst is twice that
	unsigned device_requests_per_s, device_requests_burst; // that begin something new, of a device that was right
	unsigned failures_wait, wait_s;         // so many wrong passwords of a source for an account make it wait
	unsigned failures_ban, window_s, ban_s; // so many of a source within the window have it banned
	unsigned connections_per_source;        // those that came to us
	unsigned remembered; // sources, and as many accounts of sources; known flows: eight times that
	bool (*trusts)(void *context, const struct net_address *address); // a neighbour, never banned; NULL: nobody is
	void *context;
};

struct sip_limits *sip_limits_create(struct loop *loop, const struct sip_limits_settings *settings); // NULL: no memory
// Other figures from now on; whom it trusts and how many it remembers stay. What has been counted counts on.
void sip_limits_change(struct sip_limits *limits, const struct sip_limits_settings *settings);
void sip_limits_destroy(struct sip_limits *limits);

// Before a message is read. False: drop it.
enum limits_message { LIMITS_REQUEST, LIMITS_RESPONSE };
bool sip_limits_admits(struct sip_limits *limits, const struct flow *from, enum limits_message kind);
// Whether somebody has authenticated there of late.
bool sip_limits_knows(const struct sip_limits *limits, const struct flow *from);
// A connection came. False: close it; it does not count.
bool sip_limits_connected(struct sip_limits *limits, const struct net_address *remote);
void sip_limits_disconnected(struct sip_limits *limits, const struct net_address *remote);

// Whether the request may go on, by the account that it says it comes from. Always, unless the source is banned and the flow is
// unknown.
bool sip_limits_admits_account(const struct sip_limits *limits, const struct flow *from, struct str account);
// Whether a device that was right may begin something new once more; this counts. The allowance is the device's, wherever it
// sends from, so that one behind a proxy, or one that many ports are open to, has no more than others.
bool sip_limits_admits_device(struct sip_limits *limits, uint64_t device_id, struct str number);
// Seconds that this account must wait from this source before its password is looked at; 0: none.
unsigned sip_limits_wait_s(const struct sip_limits *limits, const struct flow *from, struct str account);
// A wrong answer to a nonce issued to this source, or any answer while the account had to wait.
void sip_limits_failed(struct sip_limits *limits, const struct flow *from, struct str account);
// A right answer.
void sip_limits_authenticated(struct sip_limits *limits, const struct flow *from, struct str account, unsigned known_s);
// A binding of somebody who was right lasts so long: their flow stays known.
void sip_limits_registered(struct sip_limits *limits, const struct flow *from, unsigned known_s);

enum { SIP_LIMITS_KNOWN_S = 600 }; // for which a flow stays known after a right answer

struct sip_limits_counters {
	uint64_t refused_devices, dropped_over_limit, dropped_banned, refused_connections; // since the start
	uint64_t bans, waits;
	size_t banned, sources, flows, accounts; // now
};
struct sip_limits_counters sip_limits_count(const struct sip_limits *limits); // looks at every source
// Messages that were dropped unread since the start: some of the counters, without a look at anything.
uint64_t sip_limits_dropped(const struct sip_limits *limits);

#endif
