// What the limits remember: entries by key, as many as there may be and no more. When there is no room the one that matters least
// and was not seen for the longest goes. For source_limits.c alone.
#ifndef SIP_SOURCE_TABLE_H
#define SIP_SOURCE_TABLE_H

#include "base/hash.h"
#include "base/list.h"
#include "base/net.h"
#include "base/pool.h"

// What it would mean to forget an entry.
enum limits_worth {
	WORTH_LITTLE, // it was heard of
	WORTH_SOME,   // it has authenticated, or has failed to
	WORTH_MUCH,   // it is banned
	WORTH_COUNTS, // WORTH_LITTLE and a count
};

struct limits_key {
	struct net_address address;
	uint64_t more; // tells apart what has the same address
};

struct limits_entry {
	struct hash_node node;
	struct list place; // in its table's list of its worth; in none while it is held
	struct limits_key key;
	enum limits_worth worth;
	unsigned holders; // it stays while there are any
	uint64_t tokens;  // thousandths of a request that may still come
	uint64_t filled_ms;
	unsigned failures;         // so many wrong passwords ...
	uint64_t failures_over_ms; // ... until this moment, at which they are forgotten
	uint64_t barred_until_ms;  // a source: banned; an account: waits
	uint64_t good_until_ms;    // somebody there has authenticated
	uint64_t trusted_until_ms; // it is a neighbour's
	uint64_t told_until_ms;    // the log has it already
	uint64_t account;          // who authenticated last
};

struct limits_table {
	struct hash_table *entries;
	struct pool pool;
	struct list by_worth[WORTH_COUNTS]; // the longest unseen first
	size_t max;
};

bool limits_table_init(struct limits_table *table, size_t max); // false: no memory
void limits_table_free(struct limits_table *table);             // also of one that is all zero
struct limits_entry *limits_table_find(const struct limits_table *table, const struct limits_key *key); // NULL: none
// Finds it, or makes it, of little worth and all zero, at the cost of another. NULL when there is no memory, or all are held.
struct limits_entry *limits_table_get(struct limits_table *table, const struct limits_key *key);
// It was seen, and is worth this from now on.
void limits_table_rate(struct limits_table *table, struct limits_entry *entry, enum limits_worth worth);
void limits_table_hold(struct limits_table *table, struct limits_entry *entry);
void limits_table_release(struct limits_table *table, struct limits_entry *entry);
void limits_table_forget(struct limits_table *table, struct limits_entry *entry); // must not be held

#endif
