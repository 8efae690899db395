// Nonces of digest authentication: each carries its time, and under a key of this process the source it was issued to;
// each count of one is good once. For src/sip/ alone.
#ifndef SIP_NONCE_H
#define SIP_NONCE_H

#include "base/loop.h"

enum { SIP_NONCE_SIZE = 40 }; // characters

struct sip_nonces;

// NULL when there is no memory. All that it will ever need is taken here.
struct sip_nonces *sip_nonces_create(struct loop *loop, uint64_t life_ms);
void sip_nonces_set_life(struct sip_nonces *nonces, uint64_t life_ms); // of those that were issued, too
void sip_nonces_destroy(struct sip_nonces *nonces);
struct str sip_nonce_issue(struct sip_nonces *nonces, const struct net_address *to, char text[SIP_NONCE_SIZE]);

// What a nonce says of itself.
struct sip_nonce {
	uint64_t issued_ms, id;
};
// Whether the nonce is ours, was issued to the source that it comes from (net_address_source), and is not too old.
bool sip_nonce_read(const struct sip_nonces *nonces, const struct net_address *from, struct str text,
		    struct sip_nonce *nonce);
// Whether this count of it was not used before; it is used from now on. Call it only for credentials that are right, so that
// nobody else can fill the table. Counts may come out of order within the last 64.
bool sip_nonce_use(struct sip_nonces *nonces, const struct sip_nonce *nonce, uint32_t count);

#endif
