// The database layer on SQLite: one file in WAL mode, every commit synced. Readers have connections of their own and never
// wait for the writer.
#include "store/database.h"
#include "store/sqlite_words.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	APPLICATION_ID = 0x43617269, // "Cari", in the file's header
	STATEMENTS_MAX = 96,         // kept prepared per connection
	STATEMENT_KEPT_MAX = 4096,   // bytes; a longer text will hardly come again
	PARAMETERS_MAX = 40,         // in one statement
	BUSY_TIMEOUT_MS = 2000,
};

// A prepared statement. SQLite numbers $1, $2 ... in the order in which it meets them, so the order is kept with it.
struct statement {
	sqlite3_stmt *handle;
	char *text; // owned
	size_t length;
	unsigned parameter_count;
	uint8_t value_of[PARAMETERS_MAX]; // by SQLite's parameter, from 0
};

struct sqlite {
	struct database database;
	sqlite3 *handle;
	int lock; // of the one process that writes; -1: none
	enum database_mode mode;
	struct statement *statements[STATEMENTS_MAX]; // the last used first; owned
	size_t statement_count;
	// Prepared when it is opened, so that ending a transaction needs no memory. Owned.
	struct statement *begin, *commit, *rollback;
};

static struct sqlite *sqlite_of(struct database *database)
{
	return (struct sqlite *)database;
}

// ---- what went wrong

static enum err err_of_constraint(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return ERR_IN_USE;
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_NOT_UNIQUE;
	default:
		return ERR_INTERNAL;
	}
}

static enum err err_of(int extended)
{
	if (extended == SQLITE_IOERR_NOMEM)
		return ERR_NO_MEMORY;
	switch (extended & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_NONE;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_TOOBIG:
		return ERR_TOO_LARGE;
	case SQLITE_CONSTRAINT:
		return err_of_constraint(extended);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PROTOCOL:
	case SQLITE_PERM:
	case SQLITE_INTERRUPT:
		return ERR_STORE_UNAVAILABLE;
	default: // ours: a wrong statement, a wrong use
		return ERR_INTERNAL;
	}
}

static enum err fail(struct sqlite *sqlite, int code)
{
	int extended = sqlite3_extended_errcode(sqlite->handle);

	if ((extended & 0xff) != (code & 0xff))
		extended = code;
	snprintf(sqlite->database.message, sizeof sqlite->database.message, "%s", sqlite3_errmsg(sqlite->handle));
	return err_of(extended);
}

// ---- statements

static void statement_free(struct statement *statement)
{
	if (!statement)
		return;
	sqlite3_finalize(statement->handle);
	free(statement->text);
	free(statement);
}

// $7 is value 6, wherever it stands. False when the text uses another kind of placeholder.
static bool parameters_map(struct statement *statement)
{
	int count = sqlite3_bind_parameter_count(statement->handle);

	if (count > PARAMETERS_MAX)
		return false;
	for (int i = 0; i < count; i++) {
		const char *name = sqlite3_bind_parameter_name(statement->handle, i + 1);
		uint64_t number;
		if (!name || name[0] != '$' || !str_to_uint(str_of(name + 1), PARAMETERS_MAX, &number) || number == 0)
			return false;
		statement->value_of[i] = (uint8_t)(number - 1);
	}
	statement->parameter_count = (unsigned)count;
	return true;
}

static enum err statement_prepare(struct sqlite *sqlite, const char *sql, size_t length, struct statement **result)
{
	struct statement *statement = calloc(1, sizeof *statement);
	enum err err = ERR_NO_MEMORY;
	int code;

	if (!statement)
		return ERR_NO_MEMORY;
	statement->length = length;
	statement->text = strdup(sql);
	if (!statement->text)
		goto failed;
	code = sqlite3_prepare_v3(sqlite->handle, sql, (int)length + 1, SQLITE_PREPARE_PERSISTENT, &statement->handle,
				  NULL);
	if (code != SQLITE_OK) {
		err = fail(sqlite, code);
		goto failed;
	}
	if (!parameters_map(statement)) {
		snprintf(sqlite->database.message, sizeof sqlite->database.message, "wrong placeholders");
		err = ERR_INTERNAL;
		goto failed;
	}
	*result = statement;
	return ERR_NONE;
failed:
	statement_free(statement);
	return err;
}

static void statement_to_front(struct sqlite *sqlite, size_t index)
{
	struct statement *statement = sqlite->statements[index];

	memmove(&sqlite->statements[1], &sqlite->statements[0], index * sizeof *sqlite->statements);
	sqlite->statements[0] = statement;
}

static enum err statement_find(struct sqlite *sqlite, const char *sql, struct statement **result)
{
	size_t length = strlen(sql);
	enum err err;

	for (size_t i = 0; i < sqlite->statement_count; i++) {
		const struct statement *kept = sqlite->statements[i];
		if (kept->length == length && memcmp(kept->text, sql, length) == 0) {
			statement_to_front(sqlite, i);
			*result = sqlite->statements[0];
			return ERR_NONE;
		}
	}
	err = statement_prepare(sqlite, sql, length, result);
	if (err || length > STATEMENT_KEPT_MAX)
		return err;
	if (sqlite->statement_count == STATEMENTS_MAX)
		statement_free(sqlite->statements[--sqlite->statement_count]);
	sqlite->statements[sqlite->statement_count] = *result;
	statement_to_front(sqlite, sqlite->statement_count++);
	return ERR_NONE;
}

static int value_bind(sqlite3_stmt *handle, int parameter, const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL:
		return sqlite3_bind_null(handle, parameter);
	case VALUE_INTEGER:
	case VALUE_BOOLEAN:
		return sqlite3_bind_int64(handle, parameter, value->integer);
	case VALUE_TEXT:
		return sqlite3_bind_text64(handle, parameter, value->text.at ? value->text.at : "", value->text.length,
					   SQLITE_STATIC, SQLITE_UTF8);
	case VALUE_BYTES:
		return sqlite3_bind_blob64(handle, parameter, value->text.at ? value->text.at : "", value->text.length,
					   SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static int values_bind(const struct statement *statement, struct values values)
{
	for (unsigned i = 0; i < statement->parameter_count; i++) {
		int code = SQLITE_MISUSE;
		if (statement->value_of[i] < values.count)
			code = value_bind(statement->handle, (int)i + 1, &values.at[statement->value_of[i]]);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

static enum err statement_step(struct sqlite *sqlite, const struct statement *statement, struct row_visitor visitor)
{
	const struct row row = {&sqlite_backend, statement->handle};
	int code;

	while ((code = sqlite3_step(statement->handle)) == SQLITE_ROW) {
		enum err err = visitor.visit ? visitor.visit(visitor.context, &row) : ERR_NONE;
		if (err)
			return err;
	}
	return code == SQLITE_DONE ? ERR_NONE : fail(sqlite, code);
}

static enum err sqlite_run(struct database *database, const char *sql, struct values values, struct row_visitor visitor)
{
	struct sqlite *sqlite = sqlite_of(database);
	struct statement *statement;
	enum err err = statement_find(sqlite, sql, &statement);
	int code;

	if (err)
		return err;
	code = values_bind(statement, values);
	err = code == SQLITE_OK ? statement_step(sqlite, statement, visitor) : fail(sqlite, code);
	database->changed_rows = (uint64_t)sqlite3_changes64(sqlite->handle);
	database->given_id = (uint64_t)sqlite3_last_insert_rowid(sqlite->handle);
	sqlite3_reset(statement->handle); // its result was the step's
	if (statement->length > STATEMENT_KEPT_MAX)
		statement_free(statement);
	return err;
}

static int64_t sqlite_row_integer(const struct row *row, unsigned column)
{
	return sqlite3_column_int64(row->handle, (int)column);
}

static struct str sqlite_row_text(const struct row *row, unsigned column)
{
	const char *text = (const char *)sqlite3_column_text(row->handle, (int)column);

	return (struct str){text, text ? (size_t)sqlite3_column_bytes(row->handle, (int)column) : 0};
}

// ---- transactions

static enum err sqlite_script(struct database *database, const char *sql)
{
	struct sqlite *sqlite = sqlite_of(database);
	int code = sqlite3_exec(sqlite->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? ERR_NONE : fail(sqlite, code);
}

static bool sqlite_in_transaction(const struct database *database)
{
	return !sqlite3_get_autocommit(((const struct sqlite *)database)->handle);
}

static enum err statement_run(struct sqlite *sqlite, const struct statement *statement)
{
	enum err err = statement_step(sqlite, statement, NO_ROWS);

	sqlite3_reset(statement->handle);
	return err;
}

static void sqlite_rollback(struct database *database)
{
	struct sqlite *sqlite = sqlite_of(database);
	char message[sizeof database->message];

	if (!sqlite_in_transaction(database))
		return;
	memcpy(message, database->message, sizeof message); // of the failure that led here
	(void)statement_run(sqlite, sqlite->rollback);
	memcpy(database->message, message, sizeof message);
}

static enum err sqlite_begin(struct database *database)
{
	struct sqlite *sqlite = sqlite_of(database);

	sqlite_rollback(database); // of one that could not be ended
	return statement_run(sqlite, sqlite->begin);
}

static enum err sqlite_commit(struct database *database)
{
	struct sqlite *sqlite = sqlite_of(database);
	enum err err = statement_run(sqlite, sqlite->commit);

	if (err)
		sqlite_rollback(database);
	return err;
}

// ---- whose file it is

static enum err sqlite_version(struct database *database, unsigned *version, char *sentence, size_t size)
{
	int64_t application, user_version, tables;
	enum err err = database_integer(database, "PRAGMA application_id", VALUES_NONE, &application);

	if (!err)
		err = database_integer(database, "PRAGMA user_version", VALUES_NONE, &user_version);
	if (!err)
		err = database_integer(database, "SELECT count(*) FROM sqlite_master", VALUES_NONE, &tables);
	if (err) {
		snprintf(sentence, size, "cannot be read: %s.", database->message);
		return err;
	}
	if (application != APPLICATION_ID && (application || user_version || tables)) {
		snprintf(sentence, size, "is a database of another program.");
		return ERR_NOT_ALLOWED;
	}
	*version = (unsigned)user_version;
	return ERR_NONE;
}

// PRAGMA takes no values; numbers alone are written into the text.
static enum err sqlite_set_version(struct database *database, unsigned version)
{
	char sql[96];

	snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %u;", APPLICATION_ID, version);
	return sqlite_script(database, sql);
}

// ---- opening

// It holds password hashes: nobody else may read a new one. SQLite gives its side files the same permissions.
static bool file_make(const char *path, char *sentence, size_t size)
{
	struct stat status;
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (file >= 0) {
		close(file);
		return true;
	}
	if (errno != EEXIST) {
		snprintf(sentence, size, "The database %s cannot be created: %s.", path, strerror(errno));
		return false;
	}
	if (stat(path, &status) < 0) {
		snprintf(sentence, size, "The database %s cannot be opened: %s.", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		snprintf(sentence, size, "The database %s is %s, not a file.", path,
			 S_ISDIR(status.st_mode) ? "a directory" : "something else");
		return false;
	}
	return true;
}

// One server per store: a second one would hold other registrations in memory and answer for the same devices. The lock is on a file of
// its own, since closing any descriptor of the database's file would drop the locks that SQLite has on it. It ends with the process,
// however that ends; the file stays and means nothing by itself.
static bool lock_take(struct sqlite *sqlite, const char *path, char *sentence, size_t size)
{
	char lock_path[4096 + sizeof ".lock"], holder[16] = "";

	snprintf(lock_path, sizeof lock_path, "%s.lock", path);
	sqlite->lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sqlite->lock < 0 && (errno == EACCES || errno == EROFS)) {
		snprintf(sentence, size, "The database %s may only be read, not written to: %s is not ours.", path,
			 lock_path);
		return false;
	}
	if (sqlite->lock < 0) {
		snprintf(sentence, size, "The lock file %s cannot be opened: %s.", lock_path, strerror(errno));
		return false;
	}
	if (flock(sqlite->lock, LOCK_EX | LOCK_NB) < 0) {
		int why = errno;
		ssize_t length = pread(sqlite->lock, holder, sizeof holder - 1, 0);
		if (why != EWOULDBLOCK)
			snprintf(sentence, size, "The lock file %s cannot be locked: %s.", lock_path, strerror(why));
		else
			snprintf(sentence, size, "The database %s is in use by another server%s%.*s.", path,
				 length > 0 ? ", process " : "", length > 0 ? (int)strspn(holder, "0123456789") : 0,
				 holder);
		return false;
	}
	// Who has it is a courtesy: a full disk must not keep us from starting.
	if (ftruncate(sqlite->lock, 0) == 0)
		(void)dprintf(sqlite->lock, "%ld\n", (long)getpid());
	return true;
}

static const char settings_write[] = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
				     "PRAGMA case_sensitive_like = ON; PRAGMA temp_store = MEMORY;"
				     "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32000;"
				     "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";
static const char settings_read[] = "PRAGMA query_only = ON; PRAGMA case_sensitive_like = ON;"
				    "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
				    "PRAGMA cache_size = -16000;";

static enum err endings_prepare(struct sqlite *sqlite)
{
	const char *begin = sqlite->mode == DATABASE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN";
	enum err err = statement_prepare(sqlite, begin, strlen(begin), &sqlite->begin);

	if (!err)
		err = statement_prepare(sqlite, "COMMIT", strlen("COMMIT"), &sqlite->commit);
	if (!err)
		err = statement_prepare(sqlite, "ROLLBACK", strlen("ROLLBACK"), &sqlite->rollback);
	return err;
}

static enum err take_wal(void *context, const struct row *row)
{
	*(bool *)context = str_equal(row_text(row, 0), STR("wal"));
	return ERR_NONE;
}

// ERR_STORE_UNAVAILABLE when the file system does not allow what it needs.
static enum err wal_turn_on(struct sqlite *sqlite)
{
	bool wal = false;
	enum err err = sqlite_run(&sqlite->database, "PRAGMA journal_mode = WAL", VALUES_NONE,
				  (struct row_visitor){take_wal, &wal});

	if (!err && !wal) {
		snprintf(sqlite->database.message, sizeof sqlite->database.message,
			 "this file system allows no write-ahead log");
		err = ERR_STORE_UNAVAILABLE;
	}
	return err;
}

static bool settings_apply(struct sqlite *sqlite, const char *path, char *sentence, size_t size)
{
	bool writes = sqlite->mode == DATABASE_WRITE;
	unsigned version;
	enum err err;

	sqlite3_extended_result_codes(sqlite->handle, 1);
	sqlite3_busy_timeout(sqlite->handle, BUSY_TIMEOUT_MS);
	sqlite3_db_config(sqlite->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(sqlite->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	if (writes && sqlite3_db_readonly(sqlite->handle, "main") == 1) {
		snprintf(sentence, size, "The database %s may only be read, not written to.", path);
		return false;
	}
	if (writes) { // before anything of a foreign file is changed
		int used = snprintf(sentence, size, "The database %s ", path);
		size_t room = used > 0 && (size_t)used < size ? (size_t)used : size;
		if (sqlite_version(&sqlite->database, &version, sentence + room, size - room))
			return false;
	}
	err = writes ? wal_turn_on(sqlite) : ERR_NONE;
	if (!err)
		err = sqlite_script(&sqlite->database, writes ? settings_write : settings_read);
	if (!err)
		err = endings_prepare(sqlite);
	if (err) {
		snprintf(sentence, size, "The database %s cannot be used: %s.", path, sqlite->database.message);
		return false;
	}
	return true;
}

static void sqlite_close(struct database *database)
{
	struct sqlite *sqlite = sqlite_of(database);

	for (size_t i = 0; i < sqlite->statement_count; i++)
		statement_free(sqlite->statements[i]);
	statement_free(sqlite->begin);
	statement_free(sqlite->commit);
	statement_free(sqlite->rollback);
	sqlite3_close(sqlite->handle);
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	free(sqlite);
}

// Once, before the first connection: SQLite would count its memory under a lock that all threads share, at each piece it takes.
static void library_set_up(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); // refused when somebody uses it already: then it counts
}

static enum err sqlite_open(struct str location, enum database_mode mode, struct database **database, char *sentence,
			    size_t size)
{
	int flags = SQLITE_OPEN_NOMUTEX | (mode == DATABASE_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	static pthread_once_t library_once = PTHREAD_ONCE_INIT;
	char path[4096];
	struct sqlite *sqlite;

	(void)pthread_once(&library_once, library_set_up);
	if (str_empty(location) || !str_to_cstring(location, path, sizeof path)) {
		snprintf(sentence, size, "The database's address names no file.");
		return ERR_MALFORMED;
	}
	if (mode == DATABASE_WRITE && !file_make(path, sentence, size))
		return ERR_STORE_UNAVAILABLE;
	sqlite = calloc(1, sizeof *sqlite);
	if (!sqlite) {
		snprintf(sentence, size, "There is no memory to open the database.");
		return ERR_NO_MEMORY;
	}
	sqlite->database.backend = &sqlite_backend;
	sqlite->mode = mode;
	sqlite->lock = -1;
	if (mode == DATABASE_WRITE && !lock_take(sqlite, path, sentence, size)) {
		sqlite_close(&sqlite->database);
		return ERR_STORE_UNAVAILABLE;
	}
	if (sqlite3_open_v2(path, &sqlite->handle, flags, NULL) != SQLITE_OK) {
		snprintf(sentence, size, "The database %s cannot be opened: %s.", path,
			 sqlite->handle ? sqlite3_errmsg(sqlite->handle) : "out of memory");
		sqlite_close(&sqlite->database);
		return ERR_STORE_UNAVAILABLE;
	}
	if (!settings_apply(sqlite, path, sentence, size)) {
		sqlite_close(&sqlite->database);
		return ERR_STORE_UNAVAILABLE;
	}
	*database = &sqlite->database;
	return ERR_NONE;
}

const struct database_backend sqlite_backend = {
    .scheme = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .run = sqlite_run,
    .script = sqlite_script,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .in_transaction = sqlite_in_transaction,
    .version = sqlite_version,
    .set_version = sqlite_set_version,
    .words_index = sqlite_words_index,
    .words_add = sqlite_words_add,
    .words_remove = sqlite_words_remove,
    .words_write = sqlite_words_write,
    .words_value = sqlite_words_value,
    .row_integer = sqlite_row_integer,
    .row_text = sqlite_row_text,
};
