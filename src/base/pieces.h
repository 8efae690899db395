// Pieces of memory of any size, taken and given back without going to the heap once the pools of their sizes have warmed up: what
// is kept of messages. Whoever gives one back knows its size. One thread only; under the address sanitizer every piece comes from
// the heap, so that misuse is found.
#ifndef BASE_PIECES_H
#define BASE_PIECES_H

#include "base/pool.h"

// 32, 48, 64 ... 256, 288, 320 ... 4096 bytes: a piece is less than 16 bytes, or an eighth, larger than what was asked for. Larger ones
// come from the heap.
enum { PIECES_SIZES = 47 };

struct pieces {
	struct pool pools[PIECES_SIZES];
};

void pieces_init(struct pieces *pieces);
void *pieces_take(struct pieces *pieces, size_t size);             // not cleared; NULL when there is no memory
void pieces_give(struct pieces *pieces, void *piece, size_t size); // as it was taken; NULL is allowed
void pieces_free(struct pieces *pieces);                           // asserts that nothing is in use

#endif
