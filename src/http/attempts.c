// Failed sign-ins by name and address, in a table where each key has a few places.
#include "http/attempts.h"
#include "base/hash.h"

enum { PLACES = 4, FORGET_AFTER_MS = 15 * 60 * 1000 };

static uint64_t key_of(struct str name, const struct net_address *from)
{
	struct net_address host = *from;
	host.port = 0;
	uint64_t key = hash_str_nocase(name) * 31 + net_address_hash(&host);
	return key ? key : 1;
}

// The key's entry; NULL when it has none.
static struct attempt *find(struct attempts *attempts, uint64_t key)
{
	struct attempt *places = &attempts->entries[key % (ATTEMPTS_KEPT / PLACES) * PLACES];
	for (int i = 0; i < PLACES; i++)
		if (places[i].key == key)
			return &places[i];
	return NULL;
}

static struct attempt *oldest(struct attempts *attempts, uint64_t key)
{
	struct attempt *places = &attempts->entries[key % (ATTEMPTS_KEPT / PLACES) * PLACES];
	struct attempt *oldest = places;
	for (int i = 1; i < PLACES; i++)
		if (places[i].last_ms < oldest->last_ms)
			oldest = &places[i];
	return oldest;
}

unsigned attempts_wait_s(struct attempts *attempts, struct str name, const struct net_address *from, int64_t now_ms)
{
	int64_t wait_ms = 0;
	pthread_mutex_lock(&attempts->lock);
	const struct attempt *attempt = find(attempts, key_of(name, from));
	if (attempt && attempt->failures > ATTEMPTS_FREE) {
		unsigned doublings = attempt->failures - ATTEMPTS_FREE - 1;
		int64_t delay_s = doublings > 6 ? ATTEMPTS_DELAY_MAX_S : INT64_C(1) << doublings;
		wait_ms = attempt->last_ms + delay_s * 1000 - now_ms;
	}
	pthread_mutex_unlock(&attempts->lock);
	return wait_ms > 0 ? (unsigned)((wait_ms + 999) / 1000) : 0;
}

void attempts_failed(struct attempts *attempts, struct str name, const struct net_address *from, int64_t now_ms)
{
	uint64_t key = key_of(name, from);
	pthread_mutex_lock(&attempts->lock);
	struct attempt *attempt = find(attempts, key);
	if (!attempt || now_ms - attempt->last_ms > FORGET_AFTER_MS) {
		attempt = attempt ? attempt : oldest(attempts, key);
		*attempt = (struct attempt){.key = key};
	}
	attempt->failures++;
	attempt->last_ms = now_ms;
	pthread_mutex_unlock(&attempts->lock);
}

void attempts_succeeded(struct attempts *attempts, struct str name, const struct net_address *from)
{
	pthread_mutex_lock(&attempts->lock);
	struct attempt *attempt = find(attempts, key_of(name, from));
	if (attempt)
		*attempt = (struct attempt){0};
	pthread_mutex_unlock(&attempts->lock);
}
