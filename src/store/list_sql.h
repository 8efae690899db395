// The SQL of lists: what is looked for, in which order, and where a page begins.
//
// A list is read in one of two ways. WAY_IN_ORDER walks the index that has the sort order and tests each row: quick when many match.
// WAY_OF_MATCHES finds what matches by the conditions' own indexes and sorts it: quick when few match. Left to itself a database
// guesses, without knowing how many match; so what it must not use is written such that no index fits.
#ifndef STORE_LIST_SQL_H
#define STORE_LIST_SQL_H

#include "domain/records.h"
#include "store/database.h"

enum {
	LIST_SQL_MAX = 8192, // but for a list of ids
	LIST_WORDS_MAX = 6,
	LIST_CHOICES_MAX = 8, // in one filter
	LIST_VALUES_MAX = 8 * LIST_CHOICES_MAX + LIST_WORDS_MAX + 4,
};

enum list_way { WAY_OF_MATCHES, WAY_IN_ORDER };

// A statement while it is put together.
struct list_draft {
	struct writer w;
	char *sql; // in the arena
	struct value values[LIST_VALUES_MAX];
	size_t value_count;
	bool has_where;
};

// What a query asks for, once it was read.
struct list_wish {
	enum entity_kind kind;
	const struct entity_type *type;
	const struct list_query *query;
	const struct field *sort; // NULL: by id
	bool descending;
	struct str words[LIST_WORDS_MAX]; // folded; in the arena
	size_t word_count;
	bool words_are_common; // too many rows have them all for their index to be of use
};

// UNKNOWN_FIELD, MALFORMED, NO_MEMORY. `query` is borrowed.
enum err list_wish_read(struct list_wish *wish, enum entity_kind kind, const struct list_query *query,
			struct arena *arena);

// With room for so many ids as text. NO_MEMORY.
enum err list_draft_start(struct list_draft *draft, struct arena *arena, size_t ids);
unsigned list_draft_value(struct list_draft *draft, struct value value); // gives the placeholder's number
void list_draft_and(struct list_draft *draft);                           // WHERE or AND
const char *list_draft_sql(struct list_draft *draft);
struct values list_draft_values(const struct list_draft *draft);

// How many of the wish's words the index of words can find, and the SQL that gives the ids of the rows that have them.
size_t list_indexed_words(const struct list_wish *wish, struct str words[LIST_WORDS_MAX]);
enum err list_write_words(struct list_draft *draft, const struct list_wish *wish, struct arena *arena,
			  const struct database *database);
// What rows are looked for by.
struct list_conditions {
	const struct list_wish *wish;
	enum list_way way;
	struct arena *arena;
	const struct database *database;
};
// UNKNOWN_FIELD, INVALID_FIELD, NO_MEMORY.
enum err list_write_conditions(struct list_draft *draft, const struct list_conditions *conditions);
// What rows are sorted by before their id: never NULL.
void list_write_sort(struct writer *w, const struct field *sort, enum list_way way);
void list_write_order(struct list_draft *draft, const struct list_wish *wish, enum list_way way);
// Rows after the query's cursor.
enum err list_write_cursor(struct list_draft *draft, const struct list_wish *wish, enum list_way way,
			   struct arena *arena);
bool list_sort_is_text(const struct field *sort);

#endif
