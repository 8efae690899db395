// Pieces of memory of any size: a pool for every half power of two.
#include "base/pieces.h"

#include "base/sanitized.h"

#include <stdlib.h>

enum { SMALLEST = 32 };

// Two to each power of two: 32, 48, 64, 96 ...
static size_t size_of(unsigned number)
{
	return (size_t)(2 + number % 2) * (SMALLEST / 2) << number / 2;
}

static unsigned number_of(size_t size)
{
	if (size <= SMALLEST)
		return 0;
	unsigned power = 63 - (unsigned)__builtin_clzll(size - 1); // of two, below the size
	return 2 * (power - 5) + (size > (size_t)3 << (power - 1) ? 2 : 1);
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
