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

// Two calls as version 34 kept them, in the order in which they ended, which is not that in which they began.
static const char former_calls[] =
    "INSERT INTO call_records (id, search, started_at, answered_at, ended_at, caller_number, caller_name, "
    "caller_user_id, "
    "caller_device_number, dialled, canonical, callee_title, outcome, err, sip_status, ended_by, call_id, "
    "forwarded_from, "
    "transferred_by, q850) VALUES ('01HF0000000000000000000002', 'bob', 2000, 2001, 2002, '511', 'Bob', 2, '331', "
    "'510', "
    "'510', 'Jane', 'busy', 'busy', 486, 'callee', 'a@b', '01HF0000000000000000000001', '512 Carol', 17), "
    "('01HF0000000000000000000001', 'bob', 1000, 1001, 3002, '511', 'Bob', 2, '331', '510', '510', 'Jane', 'answered', "
    "'none', 200, 'caller', 'a@c', '', '', 0);"
    "INSERT INTO call_legs (record_id, position, device_id, device_number, device_title, device_kind, started_at, "
    "ringing_at, "
    "answered_at, ended_at, outcome, sip_status, reason, planned_start_ms, planned_stop_ms, q850, confirmed_at, "
    "number, "
    "anchor_reason) VALUES ('01HF0000000000000000000001', 1, 4, '333', 'Cell', 'external', 11, 12, 13, 14, 'declined', "
    "603, "
    "'why', 21, 22, 23, 24, 2, 'browser'), ('01HF0000000000000000000001', 0, 3, '332', 'Desk', 'softphone', 1, 2, 3, "
    "4, "
    "'answered', 200, '', 0, 20, 0, 0, 1, ''), ('01HF0000000000000000000002', 0, NULL, '9', '', 'sip_phone', 2000, 0, "
    "0, 0, "
    "'busy', 486, '', 0, 0, 0, 0, 1, '');"
    "INSERT INTO call_quality (record_id, leg, kept_for, noted_at, relay, codec, packets, lost, jitter_ms, "
    "mos_hundred) "
    "VALUES ('01HF0000000000000000000001', 2, '01HF0000000000000000000001', 5, 'west', 'PCMU', 900, 3, 7, 420), "
    "('01HF0000000000000000000009', 1, NULL, 9000000000000, 'west', 'PCMU', 1, 0, 0, 0);";

static void former_database_make(struct fixture *fixture, unsigned version)
{
	struct database *database;
	char sentence[512];

	assert_int_equal(database_open(str_of(fixture->url), DATABASE_WRITE, &database, sentence, sizeof sentence),
			 ERR_NONE);
	for (unsigned i = 0; i < version; i++)
		assert_int_equal(database->backend->script(database, migrations[i].sql), ERR_NONE);
	assert_int_equal(database->backend->set_version(database, version), ERR_NONE);
	assert_int_equal(database->backend->script(database, former_calls), ERR_NONE);
	database_close(database);
}

static struct call_record *record_of(struct fixture *fixture, const char *id)
{
	struct call_record *record;

	assert_int_equal(fixture->records->record_get(fixture->records->context, str_of(id), &fixture->arena, &record),
			 ERR_NONE);
	return record;
}

static void calls_get_numbers(void **state)
{
	struct fixture *fixture = *state;
	struct record_query query = {.limit = 10, .device_id = 4};
	struct record_page page;
	char sentence[512];

	former_database_make(fixture, 34);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	const struct call_record *record = record_of(fixture, "01HF0000000000000000000001");
	assert_int_equal(record->ended_at, 3002);
	assert_int_equal(record->leg_count, 2);
	assert_true(str_equal(record->legs[0].device_number, STR("332")));
	const struct leg_record *leg = &record->legs[1];
	assert_int_equal(leg->device_id, 4);
	assert_true(str_equal(leg->device_title, STR("Cell")));
	assert_int_equal(leg->started_at, 11);
	assert_int_equal(leg->ringing_at, 12);
	assert_int_equal(leg->answered_at, 13);
	assert_int_equal(leg->ended_at, 14);
	assert_int_equal(leg->outcome, OUTCOME_DECLINED);
	assert_int_equal(leg->sip_status, 603);
	assert_true(str_equal(leg->reason, STR("why")));
	assert_int_equal(leg->planned_start_ms, 21);
	assert_int_equal(leg->planned_stop_ms, 22);
	assert_int_equal(leg->q850, 23);
	assert_int_equal(leg->confirmed_at, 24);
	assert_int_equal(leg->number, 2);
	assert_true(str_equal(leg->anchor_reason, STR("browser")));
	assert_non_null(leg->quality);
	assert_int_equal(leg->quality->mos_hundred, 420);
	record = record_of(fixture, "01HF0000000000000000000002");
	assert_int_equal(record->leg_count, 1);
	assert_int_equal(record->legs[0].device_id, 0);
	assert_true(str_equal(record->transferred_by, STR("512 Carol")));
	assert_true(str_equal(record->forwarded_from, STR("01HF0000000000000000000001")));
	assert_int_equal(record->q850, 17);
	assert_int_equal(fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page),
			 ERR_NONE);
	assert_int_equal(page.count, 1);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_quality WHERE kept_for IS NULL"), "1");
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'former%'"), "0");
	fixture_check_file(fixture);
	fixture_close(fixture);
	struct database *database;
	assert_int_equal(database_open(str_of(fixture->url), DATABASE_WRITE, &database, sentence, sizeof sentence),
			 ERR_NONE);
	assert_int_equal(database->backend->script(database, "DELETE FROM call_records"), ERR_NONE);
	database_close(database);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_legs"), "0");
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_quality"), "1"); // the one without a record
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
	    TEST(calls_get_numbers),
	    TEST(placeholders_go_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
