// The schema's history: migrations/NNN_name.sql, compiled in, only ever added to.
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/database.h"

struct migration {
	unsigned number; // from 1, without gaps
	const char *name;
	const char *sql;
};

extern const struct migration migrations[]; // generated
extern const unsigned migration_count;

// Brings the schema up to date, each migration in a transaction of its own. Else a sentence: not ours, newer than this
// program, or what went wrong.
enum err migrate(struct database *database, char *sentence, size_t size);

#endif
