// What the domain name system said, for as long as it said (TTL), and no longer than memory allows. Equal questions are asked
// once. A name that is asked for often is asked anew before its time is over, so that nobody waits for it; when nobody
// answers, the old answer serves on for a bounded time (RFC 8767).
#ifndef SIP_DNS_CACHE_H
#define SIP_DNS_CACHE_H

#include "base/dns.h"

enum {
	DNS_CACHE_MAX = 1024,      // answers kept
	DNS_CACHE_ASKING_MAX = 256 // questions under way
};

struct dns_cache;

enum dns_known {
	DNS_KNOWN_RECORDS,
	DNS_KNOWN_NOTHING, // there are none, that is certain
	DNS_KNOWN_FAILED,  // nobody says, and nothing is remembered
	DNS_KNOWN_LATER    // it has been asked for; `came` is called
};

struct dns_view {
	enum dns_known known;
	const struct dns_record *records; // valid until control goes back to the loop
	size_t count;
	uint64_t good_until_ms; // by loop_now_ms; when it is worth looking again
};

// `came` is called whenever an answer, or the news that there is none, has come. NULL when there is no memory.
struct dns_cache *dns_cache_create(struct loop *loop, struct dns *dns, void (*came)(void *context), void *context);
void dns_cache_destroy(struct dns_cache *cache);
// What is known; asks when it has to. Never calls back from within.
struct dns_view dns_cache_look(struct dns_cache *cache, enum dns_type type, struct str name);

struct dns_cache_counters {
	size_t entries, asking;              // now
	uint64_t asked, failed, hits, stale; // ever
};
struct dns_cache_counters dns_cache_count(const struct dns_cache *cache);

#endif
