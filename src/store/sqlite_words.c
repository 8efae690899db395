// The index of words on SQLite: FTS5 with an entry for each three characters of `search`.
#include "store/sqlite_words.h"

#include <assert.h>

enum { SQL_MAX = 512 };

// '%' stands for the table's name.
static const char *text_for(char room[SQL_MAX], const char *text, const char *table)
{
	struct writer w = writer_into(room, SQL_MAX);
	struct str rest = str_of(text), piece;

	while (str_take(&rest, '%', &piece)) {
		writer_str(&w, piece);
		writer_text(&w, str_empty(rest) ? "" : table);
	}
	writer_char(&w, '\0');
	assert(!w.overflow);
	return room;
}

enum err sqlite_words_index(struct database *database, const char *table)
{
	char room[SQL_MAX];
	int64_t there = 0;
	enum err err = database_integer(database, "SELECT count(*) FROM sqlite_master WHERE name = $1 || '_words'",
					VALUES(value_text(str_of(table))), &there);

	if (err || there)
		return err;
	err = database_begin(database);
	if (!err)
		err = database->backend->script(
		    database, text_for(room,
				       "CREATE VIRTUAL TABLE %_words USING fts5(search, content = '%', "
				       "content_rowid = 'id', columnsize = 0, tokenize = 'trigram case_sensitive 1');"
				       "INSERT INTO %_words (%_words) VALUES ('rebuild');",
				       table));
	if (!err)
		err = database_commit(database);
	if (err)
		database_rollback(database);
	return err;
}

enum err sqlite_words_add(struct database *database, const char *table, uint64_t id)
{
	char room[SQL_MAX];

	return database_run(
	    database,
	    text_for(room, "INSERT INTO %_words (rowid, search) SELECT id, search FROM % WHERE id = $1 ", table),
	    VALUES(value_id(id)), NO_ROWS);
}

enum err sqlite_words_remove(struct database *database, const char *table, uint64_t id)
{
	char room[SQL_MAX];

	return database_run(database,
			    text_for(room,
				     "INSERT INTO %_words (%_words, rowid, search) "
				     "SELECT 'delete', id, search FROM % WHERE id = $1 ",
				     table),
			    VALUES(value_id(id)), NO_ROWS);
}

void sqlite_words_write(struct writer *w, const char *table, unsigned parameter)
{
	writer_format(w, "SELECT rowid FROM %s_words WHERE %s_words MATCH $%u", table, table, parameter);
}

// Each as a string of FTS5's own language, a quote doubled.
struct str sqlite_words_value(const struct str *words, size_t count, struct arena *arena)
{
	size_t room = 1;
	struct writer w;

	for (size_t i = 0; i < count; i++)
		room += 2 * words[i].length + 3;
	w = writer_into(arena_alloc(arena, room), room);
	if (!w.at)
		return STR_NONE;
	for (size_t i = 0; i < count; i++) {
		writer_text(&w, i ? " \"" : "\"");
		for (size_t at = 0; at < words[i].length; at++) {
			if (words[i].at[at] == '"')
				writer_char(&w, '"');
			writer_char(&w, words[i].at[at]);
		}
		writer_char(&w, '"');
	}
	return writer_result(&w);
}
