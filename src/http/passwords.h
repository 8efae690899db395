// Passwords: argon2id, 19 MiB, two passes. Slow by design, so only a few are worked on at once and only a few may wait.
#ifndef HTTP_PASSWORDS_H
#define HTTP_PASSWORDS_H

#include "base/arena.h"
#include "domain/err.h"

enum { PASSWORD_HASH_MAX = 128, PASSWORD_MIN = 12, PASSWORD_MAX = 256, PASSWORDS_AT_ONCE = 2 };

struct passwords;

// With so many workers besides those for signing in: hashing and waiting for it never takes more than half of them. NULL when there is no memory.
struct passwords *passwords_create(unsigned workers);
void passwords_destroy(struct passwords *passwords);

// WRONG_CREDENTIALS when it is another. An empty `encoded` (there is no such user) takes the same time and gives the same.
enum err passwords_verify(struct passwords *passwords, struct str password, struct str encoded);
enum err passwords_hash(struct passwords *passwords, struct str password, char encoded[PASSWORD_HASH_MAX]);
// Whether a person may choose it.
enum err password_check(struct str password, struct str user_name, const char *field, struct problem *problem);
// Checks and hashes a PIN that somebody has chosen; an empty one has an empty hash. The problem names the field "pin".
enum err pin_hash(struct passwords *passwords, struct str pin, struct arena *arena, struct str *hash,
		  struct problem *problem);
// A password that people can type: `length` letters and digits without those that look alike. False without randomness.
bool password_generate(char *into, size_t length);

#endif
