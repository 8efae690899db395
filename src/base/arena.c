// Memory that is given back all at once, cut from a chain of blocks.
#include "base/arena.h"

#include "base/sanitized.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t size; // of bytes
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

// Under the sanitizer each piece has a block of its own, and none is kept.
// The first one is small: a call's record has an arena for as long as it rings and talks, and needs less than 1,500 bytes.
enum {
	FIRST_SIZE = SANITIZED ? 0 : 1504,
	BLOCK_SIZE = SANITIZED ? 0 : 4096,
	KEPT_SIZE_MAX = SANITIZED ? 0 : 64 * 1024
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
	*arena = (struct arena){.limit = limit_bytes};
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = malloc(sizeof *block + size);
	if (!block)
		return NULL;
	*block = (struct arena_block){.next = arena->blocks, .size = size};
	arena->blocks = block;
	return block;
}

static size_t block_size(const struct arena *arena, size_t whole)
{
	size_t usual = arena->blocks ? BLOCK_SIZE : FIRST_SIZE;
	return whole > usual ? whole : usual;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t alignment = alignof(max_align_t);
	if (size > SIZE_MAX / 2)
		return NULL;
	// an empty piece is a piece, with an address of its own
	size_t whole = size == 0 ? alignment : (size + alignment - 1) / alignment * alignment;
	if (arena->limit > 0 && (whole > arena->limit || arena->taken > arena->limit - whole))
		return NULL;
	struct arena_block *block = arena->blocks;
	if (SANITIZED || !block || whole > block->size - block->used)
		block = add_block(arena, SANITIZED ? size : block_size(arena, whole));
	if (!block)
		return NULL;
	void *piece = block->bytes + block->used;
	block->used += SANITIZED ? size : whole;
	arena->taken += whole;
	return memset(piece, 0, size);
}

struct str arena_copy(struct arena *arena, struct str s)
{
	if (s.length == 0)
		return STR("");
	if (s.length == SIZE_MAX)
		return STR_NONE;
	char *copy = arena_alloc(arena, s.length + 1);
	if (!copy)
		return STR_NONE;
	memcpy(copy, s.at, s.length);
	return (struct str){copy, s.length};
}

struct str arena_format(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
	if (!text)
		return STR_NONE;
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return (struct str){text, (size_t)length};
}

// The largest block of a sensible size stays, so that the next message like this one needs no memory.
void arena_reset(struct arena *arena)
{
	struct arena_block *kept = NULL;
	for (struct arena_block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		if (block->size <= KEPT_SIZE_MAX && (!kept || block->size > kept->size)) {
			free(kept);
			kept = block;
		} else {
			free(block);
		}
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
	}
	arena->blocks = kept;
	arena->taken = 0;
}

void arena_free(struct arena *arena)
{
	arena_reset(arena);
	free(arena->blocks);
	arena->blocks = NULL;
}
