// Text that is owned by the structure it stands in: a slice whose bytes are given back with it, and whose length is therefore never cut.
#ifndef SIP_OWNED_H
#define SIP_OWNED_H

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

void owned_free(struct str *owned); // leaves STR_NONE
// Copies `from`, which may be a part of what *owned holds now. False, and nothing has changed, when there is no memory.
bool owned_set(struct str *owned, struct str from);

// Bytes for such a text, to be filled in; NULL when there is no memory. Given back with the size they were taken with.
char *owned_take(size_t size);
void owned_give(char *text, size_t size);

#endif
