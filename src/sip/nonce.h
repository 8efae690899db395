// Nonces of digest authentication: each carries its time under a key of this process, and each count of one is good once.
// For src/sip/ alone.
#ifndef SIP_NONCE_H
#define SIP_NONCE_H

#include "base/loop.h"

enum { SIP_NONCE_SIZE = 40 }; // characters

struct sip_nonces;

// NULL when there is no memory. All that it will ever need is taken here.
struct sip_nonces *sip_nonces_create(struct loop *loop, uint64_t life_ms);
void sip_nonces_destroy(struct sip_nonces *nonces);
struct str sip_nonce_issue(struct sip_nonces *nonces, char text[SIP_NONCE_SIZE]);
// Whether the nonce is ours, not too old, and this count of it was not used before; it is used from now on. Call it only
// for credentials that are right, so that nobody else can fill the table. Counts may come out of order within the last 64.
bool sip_nonce_use(struct sip_nonces *nonces, struct str nonce, uint32_t count);

#endif
