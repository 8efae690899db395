// Hashes and checks passwords, few at a time.
#include "http/passwords.h"
#include "domain/user.h"
#include "http/http.h"

#include <argon2.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

// OWASP's second choice for argon2id: 19 MiB, 2 passes, 1 lane.
enum { PASSES = 2, MEMORY_KIB = 19456, LANES = 1, SALT_SIZE = 16, HASH_SIZE = 32 };

struct passwords {
	pthread_mutex_t lock;
	pthread_cond_t free;
	unsigned busy, waiting, waiting_max;
	char nobody[PASSWORD_HASH_MAX]; // of a password nobody has: what an unknown user's is compared with
};

bool http_password_hash(struct str password, char *encoded, size_t size)
{
	uint8_t salt[SALT_SIZE];
	return getrandom(salt, sizeof salt, 0) == sizeof salt &&
	       argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password.at, password.length, salt, sizeof salt,
				     HASH_SIZE, encoded, size) == ARGON2_OK;
}

struct passwords *passwords_create(unsigned workers)
{
	struct passwords *passwords = calloc(1, sizeof *passwords);
	char password[32];
	if (!passwords)
		return NULL;
	passwords->waiting_max = PASSWORDS_AT_ONCE + workers / 2;
	pthread_mutex_init(&passwords->lock, NULL);
	pthread_cond_init(&passwords->free, NULL);
	if (getrandom(password, sizeof password, 0) != sizeof password ||
	    !http_password_hash((struct str){password, sizeof password}, passwords->nobody, sizeof passwords->nobody)) {
		passwords_destroy(passwords);
		return NULL;
	}
	return passwords;
}

void passwords_destroy(struct passwords *passwords)
{
	if (!passwords)
		return;
	pthread_cond_destroy(&passwords->free);
	pthread_mutex_destroy(&passwords->lock);
	free(passwords);
}

static enum err gate_enter(struct passwords *passwords)
{
	enum err err = ERR_NONE;
	pthread_mutex_lock(&passwords->lock);
	if (passwords->busy >= PASSWORDS_AT_ONCE && passwords->waiting >= passwords->waiting_max) {
		err = ERR_OVERLOADED;
	} else {
		passwords->waiting++;
		while (passwords->busy >= PASSWORDS_AT_ONCE)
			pthread_cond_wait(&passwords->free, &passwords->lock);
		passwords->waiting--;
		passwords->busy++;
	}
	pthread_mutex_unlock(&passwords->lock);
	return err;
}

static void gate_leave(struct passwords *passwords)
{
	pthread_mutex_lock(&passwords->lock);
	passwords->busy--;
	pthread_cond_signal(&passwords->free);
	pthread_mutex_unlock(&passwords->lock);
}

enum err passwords_verify(struct passwords *passwords, struct str password, struct str encoded)
{
	char hash[PASSWORD_HASH_MAX];
	bool known = !str_empty(encoded) && str_to_cstring(encoded, hash, sizeof hash);
	enum err err = gate_enter(passwords);
	if (err)
		return err;
	int result = argon2id_verify(known ? hash : passwords->nobody, password.at, password.length);
	gate_leave(passwords);
	if (result == ARGON2_MEMORY_ALLOCATION_ERROR)
		return ERR_NO_MEMORY;
	return known && result == ARGON2_OK ? ERR_NONE : ERR_WRONG_CREDENTIALS;
}

enum err passwords_hash(struct passwords *passwords, struct str password, char encoded[PASSWORD_HASH_MAX])
{
	enum err err = gate_enter(passwords);
	if (err)
		return err;
	bool done = http_password_hash(password, encoded, PASSWORD_HASH_MAX);
	gate_leave(passwords);
	return done ? ERR_NONE : ERR_NO_MEMORY;
}

enum err password_check(struct str password, struct str user_name, const char *field, struct problem *problem)
{
	if (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, field, "A password has %d to %d characters.",
				   PASSWORD_MIN, PASSWORD_MAX);
	if (str_equal_nocase(password, user_name))
		return problem_set(problem, ERR_INVALID_FIELD, field,
				   "The password must differ from the sign-in name.");
	return ERR_NONE;
}

enum err pin_hash(struct passwords *passwords, struct str pin, struct arena *arena, struct str *hash,
		  struct problem *problem)
{
	char encoded[PASSWORD_HASH_MAX];
	*hash = STR_NONE;
	if (str_empty(pin))
		return ERR_NONE;
	if (!pin_allowed(pin))
		return problem_set(problem, ERR_INVALID_FIELD, "pin", "A PIN has %d to %d digits.", PIN_MIN, PIN_MAX);
	enum err err = passwords_hash(passwords, pin, encoded);
	if (!err)
		*hash = arena_copy(arena, str_of(encoded));
	if (!err && !hash->at)
		err = ERR_NO_MEMORY;
	return err ? problem_set(problem, err, NULL, NULL) : ERR_NONE;
}

bool password_generate(char *into, size_t length)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	enum { LETTERS = sizeof letters - 1, EVEN = 256 / LETTERS * LETTERS };
	for (size_t i = 0; i < length;) {
		uint8_t byte;
		if (getrandom(&byte, 1, 0) != 1)
			return false;
		if (byte < EVEN) // no letter is likelier than another
			into[i++] = letters[byte % LETTERS];
	}
	into[length] = '\0';
	return true;
}
