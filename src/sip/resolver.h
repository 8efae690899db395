// Finding the next hop (RFC 3263): from a host, a port and the transports that would do, to addresses in the order in which
// they are to be tried. What the cache holds is told at once, the rest later; nothing ever blocks.
#ifndef SIP_RESOLVER_H
#define SIP_RESOLVER_H

#include "domain/trunk_target.h"
#include "sip/dead_targets.h"
#include "sip/dns_cache.h"

struct sip_resolver;

enum {
	SIP_TARGETS_MAX = 16,
	SIP_LOOKUP_MS = 4000 // no lookup takes longer; what is known by then is all there is
};

enum sip_lookup_purpose {
	SIP_TO_SEND,     // servers that are dead or busy are left out
	SIP_TO_RECOGNISE // all of them: to know who calls
};

struct sip_destination {
	struct str host;     // a name or an address
	uint16_t port;       // 0 = not said: SRV records are asked for
	unsigned transports; // bits, 1 << TRANSPORT_...; with more than one NAPTR records choose
	enum sip_lookup_purpose purpose;
	struct trunk_target places[TRUNK_TARGETS_MAX]; // instead of host and port, when there are any
	size_t place_count;
};

// Belongs to who looks.
struct sip_lookup {
	struct list node; // while it waits
	struct sip_resolver *resolver;
	void (*done)(struct sip_lookup *lookup);
	struct timer deadline;
	unsigned transports;
	enum sip_lookup_purpose purpose;
	struct sip_lookup_place {
		uint16_t port, begins, length; // of its name in `names`
	} places[TRUNK_TARGETS_MAX];           // in the order in which they are to be tried
	unsigned place_count;
	char names[TRUNK_TARGETS_LENGTH_MAX];
	// The result.
	unsigned count;
	struct sip_target targets[SIP_TARGETS_MAX]; // the first to be tried first
	uint64_t good_until_ms;                     // when looking again may tell something new
};

int sip_resolver_create(struct loop *loop, struct str servers, struct sip_resolver **resolver);
void sip_resolver_destroy(struct sip_resolver *resolver); // no lookup may be left

// True: the result is there now, `done` will not be called. False: it will, in a later turn. A count of 0: nobody can be
// reached.
bool sip_lookup_start(struct sip_resolver *resolver, struct sip_lookup *lookup,
		      const struct sip_destination *destination, void (*done)(struct sip_lookup *lookup));
// The name or address that a target of the result stands for.
struct str sip_lookup_host(const struct sip_lookup *lookup, const struct sip_target *target);
void sip_lookup_stop(struct sip_lookup *lookup); // harmless when not running, or zeroed

// What became of a request to this target.
void sip_resolver_note(struct sip_resolver *resolver, const struct sip_target *target, enum target_health health,
		       uint64_t duration_ms);

struct sip_resolver_counters {
	struct dns_cache_counters cache;
	unsigned dead; // targets dead or busy now
};
struct sip_resolver_counters sip_resolver_count(const struct sip_resolver *resolver);

#endif
