// Pieces of memory of any size: a pool for every quarter of a power of two.
#include "base/pieces.h"

#include "base/sanitized.h"

#include <stdlib.h>

enum { SMALLEST = 32 };

// Four to each power of two.
static size_t size_of(unsigned number)
{
	return (size_t)(4 + number % 4) * (SMALLEST / 4) << number / 4;
}

static unsigned number_of(size_t size)
{
	if (size <= SMALLEST)
		return 0;
	unsigned power = 63 - (unsigned)__builtin_clzll(size - 1); // of two, below the size
	return 4 * (power - 5) + (unsigned)((size - 1) >> (power - 2)) - 3;
}

void pieces_init(struct pieces *pieces)
{
	for (unsigned i = 0; i < PIECES_SIZES; i++)
		pool_init(&pieces->pools[i], size_of(i));
}

void *pieces_take(struct pieces *pieces, size_t size)
{
	unsigned number = number_of(size);
	return SANITIZED || number >= PIECES_SIZES ? malloc(size ? size : 1)
						   : pool_take_uncleared(&pieces->pools[number]);
}

void pieces_give(struct pieces *pieces, void *piece, size_t size)
{
	unsigned number = number_of(size);
	if (SANITIZED || number >= PIECES_SIZES)
		free(piece);
	else
		pool_give(&pieces->pools[number], piece);
}

void pieces_free(struct pieces *pieces)
{
	for (unsigned i = 0; i < PIECES_SIZES; i++)
		pool_free(&pieces->pools[i]);
}
