// What is kept of messages, in pools by size: a call keeps thirty texts, and the heap took a twelfth of its instructions.
#include "sip/owned.h"

#include "base/pieces.h"

#include <string.h>

// One thread speaks SIP; what has warmed up serves it until the end.
static struct pieces texts;

char *owned_take(size_t size)
{
	if (texts.pools[0].object_size == 0)
		pieces_init(&texts);
	return pieces_take(&texts, size);
}

void owned_give(char *text, size_t size)
{
	if (text)
		pieces_give(&texts, text, size);
}

void owned_free(struct str *owned)
{
	owned_give((char *)(uintptr_t)owned->at, owned->length);
	*owned = STR_NONE;
}

bool owned_set(struct str *owned, struct str from)
{
	char *copy = NULL;
	if (from.length > 0) {
		copy = owned_take(from.length);
		if (!copy)
			return false;
		memcpy(copy, from.at, from.length);
	}
	owned_free(owned);
	*owned = (struct str){copy, from.length};
	return true;
}
