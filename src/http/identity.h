// Who a request comes from: the cookie of a session, or a Bearer token. Secrets are looked up by their hashes.
#ifndef HTTP_IDENTITY_H
#define HTTP_IDENTITY_H

#include "http/request.h"

#define SESSION_COOKIE "carillon_session"

enum { SECRET_BYTES = 32, SECRET_TEXT_MAX = 48, SECRET_HASH_MAX = 65 };

// Sets request->identity. NOT_SIGNED_IN when there is no session or token, or it has ended.
enum err identity_find(struct request *request);
// The session that the cookie names, over or not; 0: none.
uint64_t identity_cookie_session(struct request *request);
// A new secret in base64url and its SHA-256 in hex, both terminated. False when the kernel has no randomness for us.
bool secret_make(char text[SECRET_TEXT_MAX], char hash[SECRET_HASH_MAX]);
void secret_hash(struct str text, char hash[SECRET_HASH_MAX]);

#endif
