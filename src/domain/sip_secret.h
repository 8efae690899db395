// What is kept of a SIP password: the two hashes that digest authentication needs (HA1 of RFC 7616 section 3.4.2).
#ifndef DOMAIN_SIP_SECRET_H
#define DOMAIN_SIP_SECRET_H

#include "base/arena.h"

struct sip_secret {
	struct str ha1_md5, ha1_sha256; // lower-case hex of H(name:realm:password)
};

// In the arena; at == NULL in either: it is out of memory.
struct sip_secret sip_secret_make(struct str name, struct str realm, struct str password, struct arena *arena);

#endif
