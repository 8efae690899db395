// Nonces: base64url(time, 8 random bytes, truncated HMAC of both and of the source), and a table of fixed size of the counts that were used.
//
// The random bytes choose a set of eight places in the table. When all of a set's places are taken by nonces that still
// live, the oldest makes room, and from then on no nonce of that set that is as old counts as fresh: under pressure clients
// are told "stale" sooner, but no count is ever good twice.
#include "sip/nonce.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { TIME_SIZE = 6, RANDOM_SIZE = 8, MAC_SIZE = 16, BYTES = TIME_SIZE + RANDOM_SIZE + MAC_SIZE };
enum { SETS = 4096, PLACES = 8 };
_Static_assert(SIP_NONCE_SIZE == 4 * BYTES / 3, "a nonce has no padding");

struct use {
	uint64_t id;        // the random bytes
	uint64_t issued_ms; // 0 = an empty place
	uint64_t window;    // bit n: the count highest - n was used
	uint32_t highest;   // the highest count so far
};

struct set {
	struct use places[PLACES];
	uint64_t forgotten_ms; // nonces issued until then, and not in the set, are not fresh
};

struct sip_nonces {
	struct loop *loop;
	uint64_t life_ms;
	uint8_t key[32];
	struct set *sets; // SETS of them, owned
};

struct sip_nonces *sip_nonces_create(struct loop *loop, uint64_t life_ms)
{
	struct sip_nonces *nonces = calloc(1, sizeof *nonces);
	if (!nonces)
		return NULL;
	nonces->sets = calloc(SETS, sizeof *nonces->sets);
	if (!nonces->sets) {
		free(nonces);
		return NULL;
	}
	nonces->loop = loop;
	nonces->life_ms = life_ms;
	loop_random(loop, nonces->key, sizeof nonces->key);
	return nonces;
}

void sip_nonces_destroy(struct sip_nonces *nonces)
{
	if (!nonces)
		return;
	explicit_bzero(nonces->key, sizeof nonces->key);
	free(nonces->sets);
	free(nonces);
}

void sip_nonces_set_life(struct sip_nonces *nonces, uint64_t life_ms)
{
	nonces->life_ms = life_ms;
}

static void sign(const struct sip_nonces *nonces, const struct net_address *address, uint8_t bytes[BYTES])
{
	enum { SIGNED = TIME_SIZE + RANDOM_SIZE };
	struct net_address source = net_address_source(address);
	uint8_t text[SIGNED + 1 + sizeof source.bytes], mac[32];
	struct str key = {(const char *)nonces->key, sizeof nonces->key};

	memcpy(text, bytes, SIGNED);
	text[SIGNED] = source.family;
	memcpy(text + SIGNED + 1, source.bytes, sizeof source.bytes);
	digest_hmac(key, (struct str){(const char *)text, sizeof text}, mac);
	memcpy(bytes + TIME_SIZE + RANDOM_SIZE, mac, MAC_SIZE);
}

// Times are counted from 1, since 0 marks an empty place.
static uint64_t now(const struct sip_nonces *nonces)
{
	return loop_now_ms(nonces->loop) + 1;
}

struct str sip_nonce_issue(struct sip_nonces *nonces, const struct net_address *to, char text[SIP_NONCE_SIZE])
{
	uint8_t bytes[BYTES];
	uint64_t time = now(nonces);
	for (int i = TIME_SIZE - 1; i >= 0; i--, time >>= 8)
		bytes[i] = (uint8_t)time;
	loop_random(nonces->loop, bytes + TIME_SIZE, RANDOM_SIZE);
	sign(nonces, to, bytes);
	return digest_base64url(bytes, sizeof bytes, text);
}

bool sip_nonce_read(const struct sip_nonces *nonces, const struct net_address *from, struct str text,
		    struct sip_nonce *nonce)
{
	uint8_t bytes[BYTES], own[BYTES];
	size_t size = sizeof bytes;

	if (text.length != SIP_NONCE_SIZE || !digest_base64url_decode(text, bytes, &size) || size != sizeof bytes)
		return false;
	memcpy(own, bytes, sizeof own);
	sign(nonces, from, own);
	if (!str_equal_secret((struct str){(char *)own, sizeof own}, (struct str){(char *)bytes, sizeof bytes}))
		return false;
	*nonce = (struct sip_nonce){0};
	for (int i = 0; i < TIME_SIZE; i++)
		nonce->issued_ms = nonce->issued_ms << 8 | bytes[i];
	memcpy(&nonce->id, bytes + TIME_SIZE, sizeof nonce->id);
	return now(nonces) - nonce->issued_ms < nonces->life_ms;
}

// The place of this nonce; a new one when it has none yet, at the cost of the oldest. NULL when it may have been forgotten.
static struct use *find_place(struct sip_nonces *nonces, uint64_t id, uint64_t issued_ms)
{
	struct set *set = &nonces->sets[id % SETS];
	struct use *oldest = &set->places[0];
	for (struct use *use = set->places; use < set->places + PLACES; use++) {
		if (use->id == id && use->issued_ms == issued_ms)
			return use;
		if (use->issued_ms < oldest->issued_ms)
			oldest = use;
	}
	if (issued_ms <= set->forgotten_ms)
		return NULL;
	if (oldest->issued_ms > 0)
		set->forgotten_ms = oldest->issued_ms;
	*oldest = (struct use){.id = id, .issued_ms = issued_ms};
	return oldest;
}

// A sliding window over the counts, since datagrams may overtake one another.
static bool use_count(struct use *use, uint32_t count)
{
	if (count > use->highest) {
		uint32_t step = count - use->highest;
		use->window = step < 64 ? use->window << step | 1 : 1;
		use->highest = count;
		return true;
	}
	uint32_t behind = use->highest - count;
	if (behind >= 64 || (use->window >> behind & 1) != 0)
		return false;
	use->window |= UINT64_C(1) << behind;
	return true;
}

bool sip_nonce_use(struct sip_nonces *nonces, const struct sip_nonce *nonce, uint32_t count)
{
	struct use *use = count > 0 ? find_place(nonces, nonce->id, nonce->issued_ms) : NULL;
	return use && use_count(use, count);
}
