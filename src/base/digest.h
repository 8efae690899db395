// Hashes and keyed hashes, by OpenSSL's libcrypto. No state between calls; any thread.
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/str.h"

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256 };

enum { DIGEST_SIZE_MAX = 32, DIGEST_HEX_MAX = 2 * DIGEST_SIZE_MAX };

size_t digest_size(enum digest_algorithm algorithm); // bytes: 16 or 32
// The hash of the pieces joined by ':' (RFC 7616 writes all its hashes so), as lower-case hex into `hex`, which has
// room for DIGEST_HEX_MAX bytes; gives the slice written.
struct str digest_joined_hex(enum digest_algorithm algorithm, const struct str *pieces, size_t count, char *hex);
// HMAC-SHA-256.
void digest_hmac(struct str key, struct str text, uint8_t mac[32]);
void digest_sha256(struct str text, uint8_t hash[32]);
// Base64url without padding. `into` needs 4 * ((size + 2) / 3) bytes; gives the slice written.
struct str digest_base64url(const void *bytes, size_t size, char *into);
// Strict; false when a byte is not of the alphabet or it does not fit. *size is the room on the way in.
bool digest_base64url_decode(struct str text, void *into, size_t *size);

#endif
