// Who is signed in, what they have picked, and what machines may do.
#ifndef DOMAIN_SESSION_H
#define DOMAIN_SESSION_H

#include "domain/entity.h"

struct session {
	struct entity entity;
	uint64_t user_id;
	struct str secret_hash; // SHA-256 of the cookie, hex; hidden, unique
	struct str csrf;        // hidden
	int64_t created_at;
	int64_t expires_at;
	struct str client;   // address and browser, for the list of one's sessions
	bool single_sign_on; // the provider has said who it is, no password of ours
};

// A device that a signed-in agent picked: exclusive, released at sign-out, at expiry or by an administrator.
struct selection {
	struct entity entity;
	uint64_t user_id;   // unique
	uint64_t device_id; // unique
	int64_t created_at;
	int64_t expires_at; // 0 = never
};

struct token {
	struct entity entity;
	struct str title;
	struct str secret_hash; // SHA-256, hex; hidden, unique
	int role;               // enum role: what it may do
	uint64_t user_id;       // who made it
	int64_t created_at;
	struct str scopes;  // what of that role's it may do: words of enum scope
	int64_t expires_at; // 0 = never
};

enum scope { SCOPE_READ, SCOPE_WRITE, SCOPE_CALLS, SCOPE_COUNT };
extern const char *const scope_names[];                // "read" ...
bool scopes_have(struct str scopes, enum scope scope); // the words of a token's field

extern const struct entity_type session_type;
extern const struct entity_type selection_type;
extern const struct entity_type token_type;

#endif
