// What the store does to text: lower case for searching, valid UTF-8 for keeping.
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include "base/arena.h"

// Lower case of ASCII, Latin, Greek and Cyrillic letters, in place: no letter changes its length.
void text_fold(char *text, size_t length);
// A LIKE pattern that finds the word, folded, anywhere; '\' escapes. at == NULL when there is no memory.
struct str text_pattern(struct str word, struct arena *arena);
// The text with '?' in place of each byte that is not UTF-8 or is NUL (PostgreSQL takes neither); the text itself when
// there is none. at == NULL when there is no memory and the text was not empty.
struct str text_clean(struct str text, struct arena *arena);

#endif
