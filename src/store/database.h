// A small layer over a database: a connection runs SQL with values and shows the rows to a visitor. Each kind of database
// is one record of functions; nothing above it knows which one it is. A connection is used by one thread at a time.
//
// The SQL is the part that SQLite and PostgreSQL share: placeholders $1, $2 ..., ON CONFLICT, RETURNING, row values.
//
// Functions give 0, or: ERR_NO_MEMORY; ERR_STORE_UNAVAILABLE when the disk, a lock or the connection is in the way;
// ERR_NOT_UNIQUE and ERR_IN_USE when a constraint (a reference) of the schema refuses; ERR_TOO_LARGE; ERR_INTERNAL when the
// statement is wrong. database->message then says it in the database's own words.
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "base/arena.h"
#include "base/writer.h"
#include "domain/err.h"

enum { WORD_INDEXED_MIN = 3 };

enum value_type { VALUE_NULL, VALUE_INTEGER, VALUE_BOOLEAN, VALUE_TEXT, VALUE_BYTES };

struct value {
	enum value_type type;
	int64_t integer;
	struct str text; // borrowed until the statement is done
};

struct values { // $1 is at[0]
	const struct value *at;
	size_t count;
};

#define VALUES(...)                                                                                                    \
	((struct values){(const struct value[]){__VA_ARGS__},                                                          \
			 sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)})
#define VALUES_NONE ((struct values){NULL, 0})

static inline struct value value_integer(int64_t integer)
{
	return (struct value){.type = VALUE_INTEGER, .integer = integer};
}
static inline struct value value_id(uint64_t id) // 0, no reference, is NULL
{
	return (struct value){.type = id ? VALUE_INTEGER : VALUE_NULL, .integer = (int64_t)id};
}
static inline struct value value_boolean(bool truth)
{
	return (struct value){.type = VALUE_BOOLEAN, .integer = truth};
}
static inline struct value value_text(struct str text)
{
	return (struct value){.type = VALUE_TEXT, .text = text};
}
static inline struct value value_bytes(struct str bytes) // any; row_text gives them back
{
	return (struct value){.type = VALUE_BYTES, .text = bytes};
}

struct database_backend;

struct database {
	const struct database_backend *backend;
	uint64_t changed_rows; // by the last statement
	uint64_t given_id;     // of the last row inserted without one into a table whose key is an integer
	char message[256];     // about the last failure
};

struct row {
	const struct database_backend *backend;
	void *handle;
};

// Called for each row. A refusal ends the statement and is its result. NULL visit: rows are not looked at.
struct row_visitor {
	enum err (*visit)(void *context, const struct row *row);
	void *context;
};
#define NO_ROWS ((struct row_visitor){NULL, NULL})

enum database_mode { DATABASE_WRITE, DATABASE_READ };

struct database_backend {
	const char *scheme; // of the URL
	// DATABASE_WRITE makes the database when there is none. Else a sentence.
	enum err (*open)(struct str location, enum database_mode mode, struct database **database, char *sentence,
			 size_t size);
	void (*close)(struct database *database);
	// The statement is kept prepared for the next time, found again by its text.
	enum err (*run)(struct database *database, const char *sql, struct values values, struct row_visitor visitor);
	enum err (*script)(struct database *database, const char *sql); // several statements
	// For writing it takes the write lock at once; for reading everything until commit sees one state.
	enum err (*begin)(struct database *database);
	// Gives 0 only when it is on disk. After a failure nothing of the transaction remains.
	enum err (*commit)(struct database *database);
	void (*rollback)(struct database *database); // harmless outside a transaction
	// A failure may have ended the transaction already.
	bool (*in_transaction)(const struct database *database);
	// The number of the last migration, 0 for an empty database; ERR_NOT_ALLOWED with a sentence when the database
	// belongs to something else.
	enum err (*version)(struct database *database, unsigned *version, char *sentence, size_t size);
	enum err (*set_version)(struct database *database, unsigned version); // part of the transaction
	// Makes the index by which words are found in the table's column `search`, when there is none; in a transaction of its own.
	enum err (*words_index)(struct database *database, const char *table);
	// A row was inserted, or its words changed; and before they change, or it is deleted.
	enum err (*words_add)(struct database *database, const char *table, uint64_t id);
	enum err (*words_remove)(struct database *database, const char *table, uint64_t id);
	// SQL that gives the ids of rows of the table whose `search` holds each of the words, found by that index; `parameter` is the number of the value that
	// words_value makes of them. No word is shorter than WORD_INDEXED_MIN characters.
	void (*words_write)(struct writer *w, const char *table, unsigned parameter);
	struct str (*words_value)(const struct str *words, size_t count, struct arena *arena); // at == NULL: no memory
	int64_t (*row_integer)(const struct row *row, unsigned column); // booleans too; NULL gives 0
	struct str (*row_text)(const struct row *row, unsigned column); // valid during the visit; NULL gives ""
};

extern const struct database_backend sqlite_backend;

// Finds the backend by the URL's scheme and opens.
enum err database_open(struct str url, enum database_mode mode, struct database **database, char *sentence,
		       size_t size);
void database_close(struct database *database); // NULL is allowed

static inline enum err database_run(struct database *database, const char *sql, struct values values,
				    struct row_visitor visitor)
{
	return database->backend->run(database, sql, values, visitor);
}
static inline enum err database_begin(struct database *database)
{
	return database->backend->begin(database);
}
static inline enum err database_commit(struct database *database)
{
	return database->backend->commit(database);
}
static inline void database_rollback(struct database *database)
{
	database->backend->rollback(database);
}
// The first column of the first row; 0 when there is none.
enum err database_integer(struct database *database, const char *sql, struct values values, int64_t *integer);

static inline int64_t row_integer(const struct row *row, unsigned column)
{
	return row->backend->row_integer(row, column);
}
static inline uint64_t row_id(const struct row *row, unsigned column)
{
	return (uint64_t)row->backend->row_integer(row, column);
}
static inline struct str row_text(const struct row *row, unsigned column)
{
	return row->backend->row_text(row, column);
}

#endif
