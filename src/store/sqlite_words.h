// The index of words on SQLite. The contracts are those of struct database_backend.
#ifndef STORE_SQLITE_WORDS_H
#define STORE_SQLITE_WORDS_H

#include "store/database.h"

enum err sqlite_words_index(struct database *database, const char *table);
enum err sqlite_words_add(struct database *database, const char *table, uint64_t id);
enum err sqlite_words_remove(struct database *database, const char *table, uint64_t id);
void sqlite_words_write(struct writer *w, const char *table, unsigned parameter);
struct str sqlite_words_value(const struct str *words, size_t count, struct arena *arena);

#endif
