// See the header.
#include "domain/phone_key.h"

#include "base/hash.h"
#include "base/list.h"
#include "domain/err.h"

#include <stdlib.h>
#include <string.h>

enum { MD5_HEX = 32, SHA256_HEX = 64 };

struct phone_key {
	struct list node; // in phone.keys, the oldest first
	uint64_t user_id, session_id;
	int64_t expires_at;
	char ha1_md5[MD5_HEX], ha1_sha256[SHA256_HEX];
};

// A device that has some.
struct phone {
	struct hash_node node;
	uint64_t device_id;
	struct list keys; // never empty
	size_t count;
};

struct phone_keys {
	struct hash_table *phones;
	size_t count;
};

struct phone_keys *phone_keys_create(void)
{
	struct phone_keys *keys = calloc(1, sizeof *keys);

	if (!keys)
		return NULL;
	keys->phones = hash_create();
	if (keys->phones)
		return keys;
	free(keys);
	return NULL;
}

static bool same_phone(const struct hash_node *node, const void *id)
{
	return container_of(node, const struct phone, node)->device_id == *(const uint64_t *)id;
}

static struct phone *phone_find(const struct phone_keys *keys, uint64_t device_id)
{
	struct hash_node *node = hash_find(keys->phones, hash_id(device_id), same_phone, &device_id);

	return node ? container_of(node, struct phone, node) : NULL;
}

// The phone stays, even without keys.
static void key_drop(struct phone_keys *keys, struct phone *phone, struct phone_key *key)
{
	list_remove(&key->node);
	phone->count--;
	keys->count--;
	explicit_bzero(key, sizeof *key);
	free(key);
}

static void phone_drop_if_empty(struct phone_keys *keys, struct phone *phone)
{
	if (phone->count > 0)
		return;
	hash_remove(keys->phones, &phone->node);
	free(phone);
}

bool phone_keys_keep(struct phone_keys *keys, uint64_t device_id, uint64_t user_id)
{
	struct phone *phone = phone_find(keys, device_id);
	size_t before = phone ? phone->count : 0;

	if (!phone)
		return false;
	list_each (link, following, &phone->keys) {
		struct phone_key *key = container_of(link, struct phone_key, node);
		if (key->user_id != user_id)
			key_drop(keys, phone, key);
	}
	bool dropped = phone->count < before;
	phone_drop_if_empty(keys, phone);
	return dropped;
}

struct end_of_session {
	struct phone_keys *keys;
	uint64_t session_id;
	void (*lost)(void *context, uint64_t device_id);
	void *context;
};

static bool end_at_phone(struct hash_node *node, void *context)
{
	const struct end_of_session *end = context;
	struct phone *phone = container_of(node, struct phone, node);
	size_t before = phone->count;

	list_each (link, following, &phone->keys) {
		struct phone_key *key = container_of(link, struct phone_key, node);
		if (key->session_id == end->session_id)
			key_drop(end->keys, phone, key);
	}
	if (end->lost && phone->count < before)
		end->lost(end->context, phone->device_id);
	phone_drop_if_empty(end->keys, phone);
	return true;
}

void phone_keys_drop_session(struct phone_keys *keys, uint64_t session_id,
			     void (*lost)(void *context, uint64_t device_id), void *context)
{
	struct end_of_session end = {keys, session_id, lost, context};

	hash_visit(keys->phones, end_at_phone, &end);
}

static bool phone_free(struct hash_node *node, void *context)
{
	struct phone_keys *keys = context;
	struct phone *phone = container_of(node, struct phone, node);

	list_each (link, following, &phone->keys)
		key_drop(keys, phone, container_of(link, struct phone_key, node));
	phone_drop_if_empty(keys, phone);
	return true;
}

void phone_keys_destroy(struct phone_keys *keys)
{
	if (!keys)
		return;
	hash_visit(keys->phones, phone_free, keys);
	hash_destroy(keys->phones);
	free(keys);
}

// The oldest of the session's, and the oldest of all, make room.
static void make_room(struct phone_keys *keys, struct phone *phone, uint64_t session_id)
{
	size_t of_session = 0;

	for (struct list *link = phone->keys.previous, *previous; link != &phone->keys; link = previous) {
		struct phone_key *key = container_of(link, struct phone_key, node);
		previous = link->previous;
		if (key->session_id == session_id && ++of_session >= PHONE_KEYS_OF_SESSION)
			key_drop(keys, phone, key);
	}
	if (phone->count >= PHONE_KEYS_OF_DEVICE)
		key_drop(keys, phone, container_of(phone->keys.next, struct phone_key, node));
}

static struct phone *phone_new(struct phone_keys *keys, uint64_t device_id)
{
	struct phone *phone = calloc(1, sizeof *phone);

	if (!phone)
		return NULL;
	phone->device_id = device_id;
	list_init(&phone->keys);
	if (hash_insert(keys->phones, &phone->node, hash_id(device_id)))
		return phone;
	free(phone);
	return NULL;
}

enum err phone_keys_add(struct phone_keys *keys, const struct phone_key_draft *draft)
{
	struct phone *phone = phone_find(keys, draft->device_id);

	if (keys->count >= PHONE_KEYS_MAX)
		return ERR_OVERLOADED;
	if (draft->secret.ha1_md5.length != MD5_HEX || draft->secret.ha1_sha256.length != SHA256_HEX)
		return ERR_NO_MEMORY;
	struct phone_key *key = calloc(1, sizeof *key);
	if (!phone)
		phone = key ? phone_new(keys, draft->device_id) : NULL;
	if (!key || !phone) {
		free(key);
		return ERR_NO_MEMORY;
	}
	make_room(keys, phone, draft->session_id);
	key->user_id = draft->user_id;
	key->session_id = draft->session_id;
	key->expires_at = draft->expires_at;
	memcpy(key->ha1_md5, draft->secret.ha1_md5.at, MD5_HEX);
	memcpy(key->ha1_sha256, draft->secret.ha1_sha256.at, SHA256_HEX);
	list_append(&phone->keys, &key->node);
	phone->count++;
	keys->count++;
	return ERR_NONE;
}

size_t phone_keys_of(const struct phone_keys *keys, uint64_t device_id, uint64_t user_id, int64_t now_ms,
		     struct sip_secret secrets[PHONE_KEYS_OF_DEVICE])
{
	const struct phone *phone = phone_find(keys, device_id);
	size_t count = 0;

	if (!phone)
		return 0;
	list_each (link, following, &phone->keys) {
		const struct phone_key *key = container_of(link, const struct phone_key, node);
		if (key->user_id == user_id && now_ms < key->expires_at)
			secrets[count++] = (struct sip_secret){{key->ha1_md5, MD5_HEX}, {key->ha1_sha256, SHA256_HEX}};
	}
	return count;
}
