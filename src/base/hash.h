// A hash table threaded through its members, keyed by SipHash with a secret of this process, so that nobody
// outside can choose colliding keys. Grows a few buckets at a time: no insert pays for a whole rehash.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

struct hash_node {
	struct hash_node *next;
	uint64_t hash; // 0 when in no table; set it so before the first insert
};

struct hash_table; // owns its buckets, not its members

// The secret; call once at start with 16 random bytes, before any hash is taken.
void hash_set_secret(const uint8_t secret[16]);
uint64_t hash_bytes(const void *bytes, size_t size);
static inline uint64_t hash_str(struct str s)
{
	return hash_bytes(s.at, s.length);
}
uint64_t hash_str_nocase(struct str s); // ASCII letters fold
uint64_t hash_uint(uint64_t value);
// Of a number that the database gives, one after another, so that nobody chooses it: neighbours lie side by side, and no two of as many
// as there are buckets lie in the same one. A call among 1,000,000 devices, called one after another, took 10 to 24 percent more than among
// 1,000 with hash_uint, and 4 to 10 percent more with this.
static inline uint64_t hash_id(uint64_t id)
{
	return id;
}

struct hash_table *hash_create(void); // NULL when there is no memory
void hash_destroy(struct hash_table *table);
size_t hash_count(const struct hash_table *table);
// False when there is no memory; the node is then not in the table.
bool hash_insert(struct hash_table *table, struct hash_node *node, uint64_t hash);
void hash_remove(struct hash_table *table, struct hash_node *node); // the node must be in it
// The first member with this hash for which same(node, key) holds, else NULL.
struct hash_node *hash_find(const struct hash_table *table, uint64_t hash,
			    bool (*same)(const struct hash_node *node, const void *key), const void *key);
// Begins to fetch the bucket in which hash_find looks first.
void hash_fetch(const struct hash_table *table, uint64_t hash);
// The first member of that bucket, be it another one; NULL when there is none. Nothing of it is read, so it can be fetched itself.
struct hash_node *hash_first(const struct hash_table *table, uint64_t hash);
// Calls visit for each member until it returns false. The visited node may be removed; no other may be, and none may
// be inserted.
void hash_visit(struct hash_table *table, bool (*visit)(struct hash_node *node, void *context), void *context);

#endif
