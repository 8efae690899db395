// Legs and tokens of trunks. A trunk that once had a leg keeps its place: there are few, and their counters are read later.
#include "domain/trunk_use.h"

#include "base/hash.h"
#include "base/list.h"

#include <assert.h>
#include <stdlib.h>

enum { MS_PER_S = 1000 };

struct used_trunk {
	struct hash_node node;
	uint64_t trunk_id;
	struct trunk_use_counters counters;
	// A bucket of a second's worth of new legs, in thousandths of one, filled evenly.
	int64_t tokens, per_s; // per_s: as it was filled last
	uint64_t filled_ms;
};

struct trunk_use {
	struct loop *loop;
	struct hash_table *trunks;
	size_t legs;
};

static bool same_trunk(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct used_trunk, node)->trunk_id == *(const uint64_t *)key;
}

static struct used_trunk *find(const struct trunk_use *use, uint64_t trunk_id)
{
	struct hash_node *node = hash_find(use->trunks, hash_uint(trunk_id), same_trunk, &trunk_id);

	return node ? container_of(node, struct used_trunk, node) : NULL;
}

static struct used_trunk *get(struct trunk_use *use, uint64_t trunk_id)
{
	struct used_trunk *used = find(use, trunk_id);

	if (used)
		return used;
	used = calloc(1, sizeof *used);
	if (!used)
		return NULL;
	used->trunk_id = trunk_id;
	if (!hash_insert(use->trunks, &used->node, hash_uint(trunk_id))) {
		free(used);
		return NULL;
	}
	return used;
}

static void fill(struct used_trunk *used, int64_t per_s, uint64_t now_ms)
{
	int64_t most = per_s * MS_PER_S;
	uint64_t passed_ms = now_ms - used->filled_ms;

	used->filled_ms = now_ms;
	if (used->per_s != per_s || passed_ms >= MS_PER_S) // another limit begins with a full bucket
		used->tokens = most;
	else
		used->tokens += (int64_t)passed_ms * per_s;
	used->per_s = per_s;
	if (used->tokens > most)
		used->tokens = most;
}

enum err trunk_use_take(struct trunk_use *use, const struct trunk *trunk, enum trunk_leg_kind kind)
{
	struct used_trunk *used = get(use, trunk->entity.id);
	bool paced = trunk->legs_per_s > 0 && kind != TRUNK_LEG_IN;

	if (!used)
		return ERR_NO_MEMORY;
	if (paced)
		fill(used, trunk->legs_per_s, loop_now_ms(use->loop));
	if (kind != TRUNK_LEG_EMERGENCY && trunk->legs_max > 0 && used->counters.legs >= (uint64_t)trunk->legs_max) {
		used->counters.refused_full++;
		return ERR_TRUNK_FULL;
	}
	if (kind != TRUNK_LEG_EMERGENCY && paced && used->tokens < MS_PER_S) {
		used->counters.refused_paced++;
		return ERR_TRUNK_PACED;
	}
	if (paced) // an emergency may take more than there is: what is not urgent waits for it
		used->tokens -= MS_PER_S;
	used->counters.legs++;
	used->counters.begun++;
	use->legs++;
	return ERR_NONE;
}

void trunk_use_give(struct trunk_use *use, uint64_t trunk_id)
{
	struct used_trunk *used = find(use, trunk_id);

	assert(used && used->counters.legs > 0);
	used->counters.legs--;
	use->legs--;
}

struct trunk_use_counters trunk_use_count(const struct trunk_use *use, uint64_t trunk_id)
{
	const struct used_trunk *used = find(use, trunk_id);

	return used ? used->counters : (struct trunk_use_counters){0};
}

size_t trunk_use_legs(const struct trunk_use *use)
{
	return use->legs;
}

// ---- life

static bool drop(struct hash_node *node, void *context)
{
	(void)context;
	free(container_of(node, struct used_trunk, node));
	return true;
}

struct trunk_use *trunk_use_create(struct loop *loop)
{
	struct trunk_use *use = calloc(1, sizeof *use);

	if (!use)
		return NULL;
	use->loop = loop;
	use->trunks = hash_create();
	if (!use->trunks) {
		free(use);
		return NULL;
	}
	return use;
}

void trunk_use_destroy(struct trunk_use *use)
{
	if (!use)
		return;
	assert(use->legs == 0);
	hash_visit(use->trunks, drop, NULL);
	hash_destroy(use->trunks);
	free(use);
}
