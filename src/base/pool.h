// Objects of one size, taken and given back without going to the heap once the pool has warmed up.
// One thread only. Under the address sanitizer every object comes from the heap, so that misuse is found.
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
	size_t object_size; // bytes
	void *free;         // given back
	void *slabs;        // owned
	char *fresh;        // the next one of the last slab that was never out,
	size_t fresh_count; // and how many of them there are
	size_t in_use;      // objects out now; 0 when all was given back
};

void pool_init(struct pool *pool, size_t object_size);
void *pool_take(struct pool *pool);              // zeroed; NULL when there is no memory
void *pool_take_uncleared(struct pool *pool);    // with whatever is in it
void pool_give(struct pool *pool, void *object); // NULL is allowed
void pool_free(struct pool *pool);               // asserts that nothing is in use

#endif
