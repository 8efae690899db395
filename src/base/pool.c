// Objects of one size, cut from slabs and kept in a list of free ones.
#include "base/pool.h"

#include "base/sanitized.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_SIZE = 32 * 1024, SLAB_OBJECTS_MIN = 8 };

struct free_object {
	struct free_object *next;
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
	// backwards, so that they are handed out in the order of their addresses
	while (count-- > 0) {
		struct free_object *object = (void *)(slab->objects + count * stride(pool));
		object->next = pool->free;
		pool->free = object;
	}
	return true;
}

void *pool_take_uncleared(struct pool *pool)
{
	if (SANITIZED) {
		void *object = malloc(pool->object_size);
		pool->in_use += object != NULL;
		return object;
	}
	if (!pool->free && !add_slab(pool))
		return NULL;
	struct free_object *object = pool->free;
	pool->free = object->next;
	pool->in_use++;
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
	struct free_object *object = given;
	object->next = pool->free;
	pool->free = object;
}

void pool_free(struct pool *pool)
{
	assert(pool->in_use == 0);
	for (struct slab *slab = pool->slabs, *next; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	pool->slabs = pool->free = NULL;
}
