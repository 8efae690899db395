// Passwords of minutes, with which the phone in the browser registers as the device of whoever is signed in there. They are kept in
// memory alone, as the hashes that digest authentication needs, and are worth nothing once the session is over or the device has
// another holder. Call thread only.
#ifndef DOMAIN_PHONE_KEY_H
#define DOMAIN_PHONE_KEY_H

#include "domain/err.h"
#include "domain/sip_secret.h"

struct phone_keys;

enum {
	PHONE_KEY_LIFE_S = 600,
	PHONE_KEYS_OF_SESSION = 2, // so that a renewal does not break an answer that is on its way
	PHONE_KEYS_OF_DEVICE = 8,  // the oldest makes room
	PHONE_KEYS_MAX = 100000,
};

struct phone_key_draft {
	uint64_t device_id, user_id, session_id;
	struct sip_secret secret; // copied; both hashes of their full length
	int64_t expires_at;       // wall clock, ms
};

struct phone_keys *phone_keys_create(void); // NULL when there is no memory
void phone_keys_destroy(struct phone_keys *keys);
// NO_MEMORY; OVERLOADED when there are too many.
enum err phone_keys_add(struct phone_keys *keys, const struct phone_key_draft *draft);
// What is good now for this device, held by this user; slices live until the next call into this module. Gives their number.
size_t phone_keys_of(const struct phone_keys *keys, uint64_t device_id, uint64_t user_id, int64_t now_ms,
		     struct sip_secret secrets[PHONE_KEYS_OF_DEVICE]);
// The device has this holder now (0: nobody): whatever others were given for it is dropped. True when there was any.
bool phone_keys_keep(struct phone_keys *keys, uint64_t device_id, uint64_t user_id);
// Drops what this session was given, and tells of each device that has lost some; `lost` may be NULL.
void phone_keys_drop_session(struct phone_keys *keys, uint64_t session_id,
			     void (*lost)(void *context, uint64_t device_id), void *context);

#endif
