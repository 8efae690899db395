// Entries in a hash table, and in a list for each worth from which room is made.
#include "sip/source_table.h"

bool limits_table_init(struct limits_table *table, size_t max)
{
	*table = (struct limits_table){.entries = hash_create(), .max = max};
	pool_init(&table->pool, sizeof(struct limits_entry));
	for (size_t i = 0; i < WORTH_COUNTS; i++)
		list_init(&table->by_worth[i]);
	return table->entries != NULL;
}

static bool forget_visited(struct hash_node *node, void *context)
{
	struct limits_table *table = context;
	hash_remove(table->entries, node);
	pool_give(&table->pool, container_of(node, struct limits_entry, node));
	return true;
}

void limits_table_free(struct limits_table *table)
{
	if (!table->entries)
		return;
	hash_visit(table->entries, forget_visited, table);
	hash_destroy(table->entries);
	pool_free(&table->pool);
}

static uint64_t key_hash(const struct limits_key *key)
{
	return hash_uint(net_address_hash(&key->address) ^ key->more);
}

static bool same_key(const struct hash_node *node, const void *context)
{
	const struct limits_key *key = context;
	const struct limits_entry *entry = container_of(node, const struct limits_entry, node);
	return entry->key.more == key->more && net_address_equal(&entry->key.address, &key->address);
}

struct limits_entry *limits_table_find(const struct limits_table *table, const struct limits_key *key)
{
	struct hash_node *node = hash_find(table->entries, key_hash(key), same_key, key);
	return node ? container_of(node, struct limits_entry, node) : NULL;
}

void limits_table_forget(struct limits_table *table, struct limits_entry *entry)
{
	list_remove(&entry->place);
	hash_remove(table->entries, &entry->node);
	pool_give(&table->pool, entry);
}

static bool make_room(struct limits_table *table)
{
	if (hash_count(table->entries) < table->max)
		return true;
	for (size_t i = 0; i < WORTH_COUNTS; i++)
		if (!list_empty(&table->by_worth[i])) {
			limits_table_forget(table, container_of(table->by_worth[i].next, struct limits_entry, place));
			return true;
		}
	return false;
}

struct limits_entry *limits_table_get(struct limits_table *table, const struct limits_key *key)
{
	struct limits_entry *entry = limits_table_find(table, key);
	if (entry) {
		limits_table_rate(table, entry, entry->worth);
		return entry;
	}
	entry = make_room(table) ? pool_take(&table->pool) : NULL;
	if (!entry)
		return NULL;
	entry->key = *key;
	list_init(&entry->place);
	if (!hash_insert(table->entries, &entry->node, key_hash(key))) {
		pool_give(&table->pool, entry);
		return NULL;
	}
	limits_table_rate(table, entry, WORTH_LITTLE);
	return entry;
}

void limits_table_rate(struct limits_table *table, struct limits_entry *entry, enum limits_worth worth)
{
	entry->worth = worth;
	list_remove(&entry->place);
	if (entry->holders == 0)
		list_append(&table->by_worth[worth], &entry->place);
}

void limits_table_hold(struct limits_table *table, struct limits_entry *entry)
{
	entry->holders++;
	limits_table_rate(table, entry, entry->worth);
}

void limits_table_release(struct limits_table *table, struct limits_entry *entry)
{
	entry->holders--;
	limits_table_rate(table, entry, entry->worth);
}
