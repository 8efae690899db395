// Objects of one size, cut from slabs. Some of those that were given back hold the addresses of others, so that most come and go unread:
// who gives one back may not ask for the next before it has left the cache.
#include "base/pool.h"

#include "base/fetch.h"
#include "base/sanitized.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_SIZE = 32 * 1024, SLAB_OBJECTS_MIN = 8 };

struct holder {
	struct holder *next;
	size_t count;
	void *objects[]; // as many as the holder's size has room for
};

struct slab {
	struct slab *next;
	alignas(max_align_t) unsigned char objects[];
};

void pool_init(struct pool *pool, size_t object_size)
{
	assert(object_size > 0 && object_size < SIZE_MAX / 2 / SLAB_OBJECTS_MIN);
	*pool = (struct pool){.object_size = object_size};
}

static size_t stride(const struct pool *pool)
{
	const size_t alignment = alignof(max_align_t);
	return (pool->object_size + alignment - 1) / alignment * alignment;
}

static bool add_slab(struct pool *pool)
{
	size_t count = SLAB_SIZE / stride(pool);
	if (count < SLAB_OBJECTS_MIN)
		count = SLAB_OBJECTS_MIN;
	struct slab *slab = malloc(sizeof *slab + count * stride(pool));
	if (!slab)
		return false;
	slab->next = pool->slabs;
	pool->slabs = slab;
	pool->fresh = (char *)slab->objects;
	pool->fresh_count = count;
	return true;
}

static void *take_fresh(struct pool *pool)
{
	if (pool->fresh_count == 0 && !add_slab(pool))
		return NULL;
	void *object = pool->fresh;
	pool->fresh += stride(pool);
	pool->fresh_count--;
	return object;
}

static void *take_given_back(struct pool *pool)
{
	struct holder *holder = pool->free;
	if (holder->count == 0) {
		pool->free = holder->next;
		return holder;
	}
	void *object = holder->objects[--holder->count];
	fetch(holder->count > 0 ? holder->objects[holder->count - 1] : holder); // for who asks next
	return object;
}

void *pool_take_uncleared(struct pool *pool)
{
	void *object = SANITIZED ? malloc(pool->object_size) : pool->free ? take_given_back(pool) : take_fresh(pool);
	pool->in_use += object != NULL;
	return object;
}

void *pool_take(struct pool *pool)
{
	void *object = pool_take_uncleared(pool);
	return object ? memset(object, 0, pool->object_size) : NULL;
}

void pool_give(struct pool *pool, void *given)
{
	if (!given)
		return;
	assert(pool->in_use > 0);
	pool->in_use--;
	if (SANITIZED) {
		free(given);
		return;
	}
	struct holder *holder = pool->free, *given_holder = given;
	if (holder && holder->count < (stride(pool) - sizeof *holder) / sizeof *holder->objects) {
		holder->objects[holder->count++] = given;
		return;
	}
	*given_holder = (struct holder){.next = holder};
	pool->free = given;
}

void pool_free(struct pool *pool)
{
	assert(pool->in_use == 0);
	for (struct slab *slab = pool->slabs, *next; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	pool->slabs = pool->free = NULL;
	pool->fresh_count = 0;
}
