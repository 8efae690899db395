// Checks an ID token of OpenID Connect (Core 1.0 section 3.1.3.7): who signed it, for whom, for which sign-in, and until when.
#ifndef HTTP_ID_TOKEN_H
#define HTTP_ID_TOKEN_H

#include "base/str.h"

#include <jansson.h>

struct id_token_expected {
	const char *issuer, *client_id, *nonce;
	int64_t now_s;
};

enum { CLOCK_SKEW_S = 60 };

// `keys` is a JWK set (RFC 7517). The claims, owned by the caller, or NULL with a sentence for the log. *unknown_key: signed with a
// key that is not in the set, so a newer set may help.
json_t *id_token_check(struct str token, const json_t *keys, const struct id_token_expected *expected,
		       bool *unknown_key, char *sentence, size_t size);

#endif
