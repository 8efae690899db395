// Pieces of memory of any size: a pool for each of the sizes that they are cut to.
#include "base/pieces.h"

#include "base/sanitized.h"

#include <stdlib.h>

// Multiples of 16, which is what a pool's objects are cut to, then eight to each power of two.
enum { STEP = 16, FINE_MAX = 256, FINE_SIZES = FINE_MAX / STEP - 1 };

static size_t size_of(unsigned number)
{
	if (number < FINE_SIZES)
		return (size_t)(number + 2) * STEP;
	number -= FINE_SIZES;
	return (size_t)(9 + number % 8) * (FINE_MAX / 8) << number / 8;
}

static unsigned number_of(size_t size)
{
	if (size <= 2 * STEP)
		return 0;
	if (size <= FINE_MAX)
		return (unsigned)((size + STEP - 1) / STEP - 2);
	unsigned power = 63 - (unsigned)__builtin_clzll(size - 1); // of two, below the size
	return FINE_SIZES + 8 * (power - 8) + (unsigned)((size - 1) >> (power - 3)) - 8;
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
