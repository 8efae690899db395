// The cache of answers: a hash table by type and name, and a list in the order of use, whose end is forgotten first.
#include "sip/dns_cache.h"

#include "base/hash.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
	TTL_MIN_MS = 5 * 1000, // so that a lookup of several steps finds at its end what it found at its beginning
	TTL_MAX_MS = 24 * 3600 * 1000,
	NOTHING_MS = 60 * 1000, // where no SOA says
	NOTHING_MAX_MS = 300 * 1000,
	RETRY_MS = 10 * 1000,       // after a failure
	STALE_MS = 24 * 3600 * 1000 // RFC 8767 section 5: one to three days
};

struct entry {
	struct hash_node node;
	struct list used; // in cache->used, the latest first
	struct dns_cache *cache;
	struct dns_query *query;  // under way, or NULL
	bool known, failing;      // there is an answer; the last question had none
	struct arena arena;       // the answer's
	struct dns_answer answer; // FOUND or NOTHING
	uint64_t fresh_until_ms, refresh_at_ms, retry_at_ms;
	enum dns_type type;
	size_t name_length;
	char name[];
};

struct dns_cache {
	struct loop *loop;
	struct dns *dns;
	void (*came)(void *context);
	void *context;
	struct hash_table *entries; // owned
	struct list used;
	struct dns_cache_counters counters;
};

static struct str entry_name(const struct entry *entry)
{
	return (struct str){entry->name, entry->name_length};
}

static const char *type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_NAPTR:
		return "NAPTR";
	}
	return "";
}

// ---- entries

struct key {
	enum dns_type type;
	struct str name;
};

static uint64_t key_hash(const struct key *key)
{
	return hash_str_nocase(key->name) + (uint64_t)key->type;
}

static bool has_key(const struct hash_node *node, const void *sought)
{
	const struct entry *entry = container_of(node, const struct entry, node);
	const struct key *key = sought;
	return entry->type == key->type && str_equal_nocase(entry_name(entry), key->name);
}

static void entry_free(struct entry *entry)
{
	hash_remove(entry->cache->entries, &entry->node);
	list_remove(&entry->used);
	dns_cancel(entry->query);
	arena_free(&entry->arena);
	free(entry);
}

static struct entry *entry_new(struct dns_cache *cache, const struct key *key)
{
	struct entry *entry = calloc(1, sizeof *entry + key->name.length);
	if (!entry)
		return NULL;
	entry->cache = cache;
	entry->type = key->type;
	entry->name_length = key->name.length;
	memcpy(entry->name, key->name.at, key->name.length);
	arena_init(&entry->arena, 0);
	list_init(&entry->used);
	if (hash_insert(cache->entries, &entry->node, key_hash(key)))
		return entry;
	free(entry);
	return NULL;
}

static struct entry *entry_get(struct dns_cache *cache, const struct key *key)
{
	struct hash_node *node = hash_find(cache->entries, key_hash(key), has_key, key);
	struct entry *entry = node ? container_of(node, struct entry, node) : entry_new(cache, key);
	if (!entry)
		return NULL;
	list_remove(&entry->used);
	list_insert_after(&cache->used, &entry->used);
	return entry;
}

// Only when an answer comes, so that what was looked at stays while it is looked at.
static void forget_oldest(struct dns_cache *cache)
{
	for (struct list *node = cache->used.previous, *before;
	     node != &cache->used && hash_count(cache->entries) > DNS_CACHE_MAX; node = before) {
		struct entry *entry = container_of(node, struct entry, used);
		before = node->previous;
		if (!entry->query)
			entry_free(entry);
	}
}

// ---- answers

static bool texts_copied(struct arena *arena, enum dns_type type, struct dns_record *record)
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		return true;
	case DNS_SRV:
		record->srv.target = arena_copy(arena, record->srv.target);
		return record->srv.target.at != NULL;
	case DNS_NAPTR:
		record->naptr.flags = arena_copy(arena, record->naptr.flags);
		record->naptr.services = arena_copy(arena, record->naptr.services);
		record->naptr.regexp = arena_copy(arena, record->naptr.regexp);
		record->naptr.replacement = arena_copy(arena, record->naptr.replacement);
		return record->naptr.flags.at && record->naptr.services.at && record->naptr.regexp.at &&
		       record->naptr.replacement.at;
	}
	return false;
}

// False, and the old answer stays, when there is no memory.
static bool entry_keep(struct entry *entry, const struct dns_answer *answer)
{
	struct arena arena;
	struct dns_record *records = NULL;

	arena_init(&arena, 0);
	if (answer->count > 0) {
		records = arena_alloc(&arena, answer->count * sizeof *records);
		if (!records)
			return false;
		memcpy(records, answer->records, answer->count * sizeof *records);
	}
	for (size_t i = 0; i < answer->count; i++) {
		if (!texts_copied(&arena, entry->type, &records[i])) {
			arena_free(&arena);
			return false;
		}
	}
	arena_free(&entry->arena);
	entry->arena = arena;
	entry->answer = *answer;
	entry->answer.records = records;
	entry->known = true;
	return true;
}

static uint64_t life_ms(const struct dns_answer *answer)
{
	uint64_t ms = (uint64_t)answer->ttl_s * 1000, most = TTL_MAX_MS;
	if (answer->status == DNS_NOTHING) {
		most = NOTHING_MAX_MS;
		if (ms == 0)
			ms = NOTHING_MS;
	}
	return ms < TTL_MIN_MS ? TTL_MIN_MS : ms > most ? most : ms;
}

static void entry_set_failing(struct entry *entry, bool failing)
{
	if (entry->failing != failing)
		log_warning(failing ? "dns_failing" : "dns_answers_again", LOG_STR("name", entry_name(entry)),
			    LOG_TEXT("type", type_name(entry->type)));
	entry->failing = failing;
}

static void answered(void *context, const struct dns_answer *answer)
{
	struct entry *entry = context;
	struct dns_cache *cache = entry->cache;
	uint64_t now = loop_now_ms(cache->loop);

	entry->query = NULL;
	cache->counters.asking--;
	if (answer->status == DNS_FAILED || !entry_keep(entry, answer)) {
		cache->counters.failed++;
		entry->retry_at_ms = now + RETRY_MS;
		entry_set_failing(entry, true);
	} else {
		uint64_t life = life_ms(answer);
		entry->fresh_until_ms = now + life;
		entry->refresh_at_ms = now + life / 5 * 4;
		entry_set_failing(entry, false);
	}
	forget_oldest(cache);
	cache->came(cache->context);
}

static void ask(struct entry *entry)
{
	struct dns_cache *cache = entry->cache;
	uint64_t now = loop_now_ms(cache->loop);

	if (entry->query || now < entry->retry_at_ms)
		return;
	if (cache->counters.asking < DNS_CACHE_ASKING_MAX)
		entry->query = dns_ask(cache->dns, entry->type, entry_name(entry), answered, entry);
	if (!entry->query) {
		entry->retry_at_ms = now + RETRY_MS;
		entry_set_failing(entry, true);
		return;
	}
	cache->counters.asking++;
	cache->counters.asked++;
}

// ---- looking

static struct dns_view view(const struct entry *entry, uint64_t good_until_ms)
{
	return (struct dns_view){
	    .known = entry->answer.status == DNS_FOUND ? DNS_KNOWN_RECORDS : DNS_KNOWN_NOTHING,
	    .records = entry->answer.records,
	    .count = entry->answer.count,
	    .good_until_ms = good_until_ms,
	};
}

struct dns_view dns_cache_look(struct dns_cache *cache, enum dns_type type, struct str name)
{
	uint64_t now = loop_now_ms(cache->loop);
	struct key key = {type, name};
	struct entry *entry;

	if (name.length > 0 && name.at[name.length - 1] == '.')
		key.name.length--;
	entry = net_name_valid(key.name) ? entry_get(cache, &key) : NULL;
	if (!entry)
		return (struct dns_view){.known = DNS_KNOWN_FAILED, .good_until_ms = now + RETRY_MS};
	if (entry->known && now < entry->fresh_until_ms) {
		cache->counters.hits++;
		if (now >= entry->refresh_at_ms)
			ask(entry);
		return view(entry, entry->fresh_until_ms);
	}
	ask(entry);
	// Once nobody has answered, nobody is waited for: an answer that comes after all serves the next.
	if (!entry->failing)
		return (struct dns_view){.known = DNS_KNOWN_LATER, .good_until_ms = now + RETRY_MS};
	if (entry->known && now < entry->fresh_until_ms + STALE_MS) {
		cache->counters.stale++;
		return view(entry, now + RETRY_MS);
	}
	return (struct dns_view){.known = DNS_KNOWN_FAILED, .good_until_ms = now + RETRY_MS};
}

// ---- life

struct dns_cache *dns_cache_create(struct loop *loop, struct dns *dns, void (*came)(void *context), void *context)
{
	struct dns_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return NULL;
	*cache = (struct dns_cache){.loop = loop, .dns = dns, .came = came, .context = context};
	list_init(&cache->used);
	cache->entries = hash_create();
	if (cache->entries)
		return cache;
	free(cache);
	return NULL;
}

void dns_cache_destroy(struct dns_cache *cache)
{
	if (!cache)
		return;
	list_each (node, following, &cache->used)
		entry_free(container_of(node, struct entry, used));
	hash_destroy(cache->entries);
	free(cache);
}

struct dns_cache_counters dns_cache_count(const struct dns_cache *cache)
{
	struct dns_cache_counters counters = cache->counters;
	counters.entries = hash_count(cache->entries);
	return counters;
}
