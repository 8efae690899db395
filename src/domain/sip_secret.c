// The hashes of SIP passwords.
#include "domain/sip_secret.h"

#include "base/digest.h"

static struct str ha1(enum digest_algorithm algorithm, const struct str pieces[3], struct arena *arena)
{
	char hex[DIGEST_HEX_MAX];

	return arena_copy(arena, digest_joined_hex(algorithm, pieces, 3, hex));
}

struct sip_secret sip_secret_make(struct str name, struct str realm, struct str password, struct arena *arena)
{
	const struct str pieces[] = {name, realm, password};

	return (struct sip_secret){ha1(DIGEST_MD5, pieces, arena), ha1(DIGEST_SHA256, pieces, arena)};
}
