// A hash table of chained buckets that doubles bit by bit: while it grows, members live in the old buckets or in the
// new ones, and each insert carries a few old buckets over. SipHash-1-3 (Aumasson and Bernstein, 2012) makes the keys: the rounds that are
// enough for tables, half of what 2-4 costs.
#include "base/hash.h"

#include "base/fetch.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 16, CARRIED_PER_INSERT = 4 };

struct buckets {
	struct hash_node **at; // NULL when there are none
	size_t mask;           // number of buckets less one
};

struct hash_table {
	struct buckets current; // inserts go here
	struct buckets old;     // while growing
	size_t carried;         // old buckets before this one are empty
	size_t count;
};

static uint64_t secret_low = 0x0706050403020100, secret_high = 0x0f0e0d0c0b0a0908;

// ---- SipHash

static inline uint64_t little_endian(const void *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof word);
	return le64toh(word);
}

// The last bytes, fewer than eight.
static inline uint64_t little_endian_rest(const unsigned char *bytes, size_t size)
{
	uint64_t word = 0;
	for (size_t i = 0; i < size; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static inline void sip_absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

// Sets bit 5 of each byte that is an ASCII capital letter, eight bytes at a time: adding to seven bits carries into the
// eighth when the letter is at least 'A', and when it is beyond 'Z'.
static inline uint64_t fold(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101, high = 0x80 * ones;
	uint64_t low = word & ~high;
	uint64_t from_a = low + (0x80 - 'A') * ones, beyond_z = low + (0x7f - 'Z') * ones;
	return word | ((from_a ^ beyond_z) & ~word & high) >> 2;
}

static inline uint64_t unfolded(uint64_t word)
{
	return word;
}

// Inlined into its two callers, so that `letters` costs no call.
static inline __attribute__((always_inline)) uint64_t sip_hash(const unsigned char *bytes, size_t size,
							       uint64_t (*letters)(uint64_t word))
{
	uint64_t v[4] = {secret_low ^ 0x736f6d6570736575, secret_high ^ 0x646f72616e646f6d,
			 secret_low ^ 0x6c7967656e657261, secret_high ^ 0x7465646279746573};
	size_t rest = size;
	for (; rest >= 8; bytes += 8, rest -= 8)
		sip_absorb(v, letters(little_endian(bytes)));
	sip_absorb(v, letters(little_endian_rest(bytes, rest)) | (uint64_t)size << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
	return hash != 0 ? hash : 1; // 0 says "in no table"
}

void hash_set_secret(const uint8_t secret[16])
{
	secret_low = little_endian(secret);
	secret_high = little_endian(secret + 8);
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
	return sip_hash(bytes, size, unfolded);
}

uint64_t hash_str_nocase(struct str s)
{
	return sip_hash((const unsigned char *)s.at, s.length, fold);
}

// Ids are ours: nobody chooses them so that they collide. Half of a call's look-ups are by id, and SipHash takes 100 instructions.
uint64_t hash_uint(uint64_t value)
{
	uint64_t hash = (value ^ secret_low) * 0x9e3779b97f4a7c15;

	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
	hash ^= hash >> 32;
	return hash != 0 ? hash : 1;
}

// ---- the table

struct hash_table *hash_create(void)
{
	struct hash_table *table = calloc(1, sizeof *table);
	if (!table)
		return NULL;
	table->current.at = calloc(FIRST_SIZE, sizeof(struct hash_node *));
	table->current.mask = FIRST_SIZE - 1;
	if (!table->current.at) {
		free(table);
		return NULL;
	}
	return table;
}

void hash_destroy(struct hash_table *table)
{
	if (!table)
		return;
	free(table->current.at);
	free(table->old.at);
	free(table);
}

size_t hash_count(const struct hash_table *table)
{
	return table->count;
}

static void push(struct buckets *buckets, struct hash_node *node)
{
	struct hash_node **bucket = &buckets->at[node->hash & buckets->mask];
	node->next = *bucket;
	*bucket = node;
}

static void carry_over(struct hash_table *table)
{
	for (int i = 0; i < CARRIED_PER_INSERT && table->old.at; i++) {
		struct hash_node *node = table->old.at[table->carried];
		table->old.at[table->carried] = NULL;
		while (node) {
			struct hash_node *next = node->next;
			push(&table->current, node);
			node = next;
		}
		if (table->carried++ == table->old.mask) {
			free(table->old.at);
			table->old = (struct buckets){NULL, 0};
		}
	}
	for (size_t i = 0; i < CARRIED_PER_INSERT && table->old.at && table->carried + i <= table->old.mask; i++)
		fetch(table->old.at[table->carried + i]); // for the next insert
}

// Without memory the table goes on with longer chains, and tries again at the next insert.
static void start_growing(struct hash_table *table)
{
	size_t size = 2 * (table->current.mask + 1);
	struct hash_node **at = calloc(size, sizeof *at);
	if (!at)
		return;
	table->old = table->current;
	table->current = (struct buckets){at, size - 1};
	table->carried = 0;
}

bool hash_insert(struct hash_table *table, struct hash_node *node, uint64_t hash)
{
	assert(node->hash == 0);
	node->hash = hash != 0 ? hash : 1;
	carry_over(table);
	if (!table->old.at && table->count > table->current.mask)
		start_growing(table);
	push(&table->current, node);
	table->count++;
	return true;
}

static bool unlink_from(struct buckets *buckets, struct hash_node *node)
{
	if (!buckets->at)
		return false;
	for (struct hash_node **at = &buckets->at[node->hash & buckets->mask]; *at; at = &(*at)->next) {
		if (*at == node) {
			*at = node->next;
			return true;
		}
	}
	return false;
}

void hash_remove(struct hash_table *table, struct hash_node *node)
{
	bool found = unlink_from(&table->current, node) || unlink_from(&table->old, node);
	assert(found);
	if (!found)
		return;
	node->next = NULL;
	node->hash = 0;
	table->count--;
}

struct hash_node *hash_find(const struct hash_table *table, uint64_t hash,
			    bool (*same)(const struct hash_node *node, const void *key), const void *key)
{
	if (hash == 0)
		hash = 1;
	const struct buckets *places[] = {&table->current, &table->old};
	for (size_t i = 0; i < 2 && places[i]->at; i++)
		for (struct hash_node *node = places[i]->at[hash & places[i]->mask]; node; node = node->next)
			if (node->hash == hash && same(node, key))
				return node;
	return NULL;
}

void hash_fetch(const struct hash_table *table, uint64_t hash)
{
	fetch(&table->current.at[hash & table->current.mask]);
}

struct hash_node *hash_first(const struct hash_table *table, uint64_t hash)
{
	return table->current.at[hash & table->current.mask];
}

void hash_visit(struct hash_table *table, bool (*visit)(struct hash_node *node, void *context), void *context)
{
	const struct buckets *places[] = {&table->current, &table->old};
	for (size_t i = 0; i < 2 && places[i]->at; i++) {
		for (size_t b = 0; b <= places[i]->mask; b++) {
			for (struct hash_node *node = places[i]->at[b], *next; node; node = next) {
				next = node->next;
				if (!visit(node, context))
					return;
			}
		}
	}
}
