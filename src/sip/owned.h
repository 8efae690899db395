// Text that is owned by the structure it stands in: a slice whose bytes came from the heap.
#ifndef SIP_OWNED_H
#define SIP_OWNED_H

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static inline void owned_free(struct str *owned)
{
	free((void *)(uintptr_t)owned->at);
	*owned = STR_NONE;
}

// Copies `from`, which may be a part of what *owned holds now. False, and nothing has changed, when there is no memory.
static inline bool owned_set(struct str *owned, struct str from)
{
	char *copy = NULL;
	if (from.length > 0) {
		copy = malloc(from.length);
		if (!copy)
			return false;
		memcpy(copy, from.at, from.length);
	}
	owned_free(owned);
	*owned = (struct str){copy, from.length};
	return true;
}

#endif
