// Memory that is given back all at once: one arena for one message, request or piece of configuration.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; // newest first, owned
	size_t limit;               // bytes that may be taken in all; 0 = no limit
	size_t taken;
};

// Nothing is allocated until something is asked for.
void arena_init(struct arena *arena, size_t limit_bytes);
// Aligned for anything, zeroed; sizes count rounded up to the alignment. NULL when memory or the limit is used up.
void *arena_alloc(struct arena *arena, size_t size);
// Copies with a NUL behind the slice (not counted in its length). at == NULL when there is no memory and the
// slice was not empty; an empty slice gives "".
struct str arena_copy(struct arena *arena, struct str s);
// at == NULL when there is no memory.
struct str arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Gives everything back but keeps one block for reuse.
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
