// Databases that cannot be used: each gets one sentence that says why, and is left as it was.
#include "store/database.h"

#include "base/log.h"
#include "store/fixture.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

// Opening is refused with a sentence that holds `part`.
static void refused(struct fixture *fixture, const char *part)
{
	char sentence[512] = "";

	assert_false(fixture_open(fixture, sentence, sizeof sentence));
	if (!strstr(sentence, part) || sentence[strlen(sentence) - 1] != '.')
		fail_msg("\"%s\" does not say \"%s\"", sentence, part);
}

static int setup(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	*state = fixture_create();
	return 0;
}

static void a_new_database_is_for_its_owner_alone(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;
	char sentence[256];

	umask(022);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_string_equal(fixture_sql(fixture, "PRAGMA journal_mode"), "wal");
	assert_string_equal(fixture_sql(fixture, "PRAGMA application_id"), "1130459753");
	char version[16];
	snprintf(version, sizeof version, "%u", migration_count);
	assert_string_equal(fixture_sql(fixture, "PRAGMA user_version"), version);
	fixture_close(fixture);
	assert_true(fixture_open(fixture, sentence, sizeof sentence)); // and opens again
}

static void a_missing_directory_is_named(void **state)
{
	struct fixture *fixture = *state;

	snprintf(fixture->url, sizeof fixture->url, "sqlite:%s/none/carillon.db", fixture->directory);
	refused(fixture, "cannot be created: No such file or directory");
	refused(fixture, fixture->directory);
}

static void a_directory_is_no_database(void **state)
{
	struct fixture *fixture = *state;

	snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", fixture->directory);
	refused(fixture, "is a directory");
}

static void a_text_file_is_no_database(void **state)
{
	struct fixture *fixture = *state;

	file_write(fixture->path,
		   "Dear diary, today nothing rang, and I would like to keep these words as they are.\n");
	refused(fixture, "not a database");
}

static void a_foreign_database_is_left_alone(void **state)
{
	struct fixture *fixture = *state;

	fixture_sql(fixture, "CREATE TABLE recipes (title TEXT)");
	refused(fixture, "is a database of another program");
	assert_string_equal(fixture_sql(fixture, "PRAGMA journal_mode"), "delete");
	assert_string_equal(fixture_sql(fixture, "SELECT group_concat(name) FROM sqlite_master"), "recipes");
}

static void a_foreign_application_is_left_alone(void **state)
{
	struct fixture *fixture = *state;

	fixture_sql(fixture, "PRAGMA application_id = 12345");
	refused(fixture, "is a database of another program");
}

static void a_newer_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char sentence[512];

	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	fixture_close(fixture);
	fixture_sql(fixture, "PRAGMA user_version = 4711");
	refused(fixture, "written by a newer Carillon (schema 4711;");
}

static void a_cut_off_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char sentence[512];

	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	fixture_close(fixture);
	assert_int_equal(truncate(fixture->path, 1000), 0);
	refused(fixture, ":");
}

static void an_address_without_a_known_scheme_is_refused(void **state)
{
	struct fixture *fixture = *state;

	snprintf(fixture->url, sizeof fixture->url, "/var/lib/carillon.db");
	refused(fixture, "must be like sqlite:");
	snprintf(fixture->url, sizeof fixture->url, "oracle:x");
	refused(fixture, "no kind of database called oracle");
	snprintf(fixture->url, sizeof fixture->url, "sqlite:");
	refused(fixture, "names no file");
}

// Root may write anywhere, so another user tries. Exit status 0: refused as it should be.
static void a_file_that_may_only_be_read_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char sentence[512] = "";
	int status;
	pid_t child;

	if (geteuid() != 0) {
		print_message("skipped: only root can become somebody who may not write\n");
		skip();
	}
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	fixture_close(fixture);
	assert_int_equal(chmod(fixture->directory, 0755), 0);
	assert_int_equal(chmod(fixture->path, 0644), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		if (fixture_open(fixture, sentence, sizeof sentence))
			_exit(3);
		_exit(strstr(sentence, "may only be read") ? 0 : 4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_failed_migration_leaves_the_file_empty(void **state)
{
	struct fixture *fixture = *state;
	struct database *database;
	char sentence[512];
	int64_t tables;
	unsigned version = 99;

	assert_int_equal(database_open(str_of(fixture->url), DATABASE_WRITE, &database, sentence, sizeof sentence),
			 ERR_NONE);
	assert_int_equal(database_begin(database), ERR_NONE);
	assert_int_equal(database->backend->script(database, "CREATE TABLE a (b TEXT); CREATE NONSENSE;"),
			 ERR_INTERNAL);
	assert_true(strlen(database->message) > 0);
	database_rollback(database);
	assert_int_equal(database_integer(database, "SELECT count(*) FROM sqlite_master", VALUES_NONE, &tables),
			 ERR_NONE);
	assert_int_equal(tables, 0);
	assert_int_equal(database->backend->version(database, &version, sentence, sizeof sentence), ERR_NONE);
	assert_int_equal(version, 0);
	database_close(database);
}

// The placeholders are PostgreSQL's: by number, in any order, more than once.
static void placeholders_go_by_number(void **state)
{
	struct fixture *fixture = *state;
	struct database *database;
	char sentence[512];
	int64_t result;

	assert_int_equal(database_open(str_of(fixture->url), DATABASE_WRITE, &database, sentence, sizeof sentence),
			 ERR_NONE);
	assert_int_equal(database_integer(database, "SELECT $2 * 100 + $1 * 10 + $2",
					  VALUES(value_integer(1), value_integer(2)), &result),
			 ERR_NONE);
	assert_int_equal(result, 212);
	assert_int_equal(database_integer(database, "SELECT ?", VALUES(value_integer(1)), &result), ERR_INTERNAL);
	assert_int_equal(database_integer(database, "SELECT $2", VALUES(value_integer(1)), &result), ERR_INTERNAL);
	assert_int_equal(database_integer(database, "SELECT $0", VALUES(value_integer(1)), &result), ERR_INTERNAL);
	// More statements than are kept.
	for (int i = 0; i < 300; i++) {
		char sql[32];
		snprintf(sql, sizeof sql, "SELECT %d + $1", i);
		assert_int_equal(database_integer(database, sql, VALUES(value_integer(1)), &result), ERR_NONE);
		assert_int_equal(result, i + 1);
	}
	database_close(database);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_new_database_is_for_its_owner_alone),
	    TEST(a_missing_directory_is_named),
	    TEST(a_directory_is_no_database),
	    TEST(a_text_file_is_no_database),
	    TEST(a_foreign_database_is_left_alone),
	    TEST(a_foreign_application_is_left_alone),
	    TEST(a_newer_database_is_refused),
	    TEST(a_cut_off_database_is_refused),
	    TEST(an_address_without_a_known_scheme_is_refused),
	    TEST(a_file_that_may_only_be_read_is_refused),
	    TEST(a_failed_migration_leaves_the_file_empty),
	    TEST(placeholders_go_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
