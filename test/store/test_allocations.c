// Each allocation fails in turn, the database's and our own: a write is then done or refused, never half done, and the store
// works on.
#include "store/operation.h"

#include "base/log.h"
#include "lib/failing_allocator.h"
#include "store/entity_list.h"
#include "store/fixture.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- SQLite's allocations, on whatever thread

static atomic_uint countdown; // 1: the next one fails; 0: none does
static atomic_uint failed;
static sqlite3_mem_methods real;

static bool must_fail(void)
{
	unsigned left = atomic_load(&countdown);

	while (left > 0)
		if (atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
			if (left == 1)
				atomic_fetch_add(&failed, 1);
			return left == 1;
		}
	return false;
}

static void *failing_malloc(int size)
{
	return must_fail() ? NULL : real.xMalloc(size);
}

static void *failing_realloc(void *memory, int size)
{
	return must_fail() ? NULL : real.xRealloc(memory, size);
}

static void failing_install(void)
{
	sqlite3_mem_methods methods;

	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
	methods = real;
	methods.xMalloc = failing_malloc;
	methods.xRealloc = failing_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
	// Small allocations would otherwise come out of a reserve and never fail.
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
}

static void arm(unsigned n)
{
	atomic_store(&failed, 0);
	atomic_store(&countdown, n);
}

static bool disarm(void)
{
	atomic_store(&countdown, 0);
	return atomic_load(&failed) > 0;
}

// ---- what is tried each time; whatever is refused must not be there

static void refused_for_memory(enum err err)
{
	if (err != ERR_NO_MEMORY && err != ERR_STORE_UNAVAILABLE)
		fail_msg("refused with %s", err_name(err));
}

static void assert_count(struct fixture *fixture, const char *sql, unsigned expected)
{
	char text[16];

	snprintf(text, sizeof text, "%u", expected);
	assert_string_equal(fixture_sql(fixture, sql), text);
}

static bool create_fails(struct fixture *fixture, unsigned n, unsigned *count)
{
	struct device *device = new_device(fixture, DEVICE_SIP_PHONE, NULL);
	enum err err;
	bool struck;

	device->number = arena_format(&fixture->arena, "c%u", n);
	arm(n);
	err = try_create(fixture, &device->entity);
	struck = disarm();
	if (err)
		refused_for_memory(err);
	else
		++*count;
	assert_count(fixture, "SELECT count(*) FROM devices", *count);
	return struck;
}

static void creating_is_done_or_refused(void **state)
{
	struct fixture *fixture = *state;
	unsigned count = 0, n = 1;

	while (create_fails(fixture, n, &count))
		n++;
	assert_true(n > 3);
	assert_true(count > 0);
	fixture_check_file(fixture);
}

static void registering_is_done_or_refused(void **state)
{
	struct fixture *fixture = *state;
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	struct str old = STR("sip:old@192.0.2.7");
	unsigned cseq = 1, n = 1;
	char sql[96];
	bool struck;

	do { // two bindings go, two come: all of it or nothing
		struct binding kept[2] = {new_binding(device, "sip:a@192.0.2.7", cseq + 1),
					  new_binding(device, "sip:b@192.0.2.7", cseq + 1)};
		struct registration registration = {
		    .write = {.device_id = device, .removed = &old, .removed_count = 1, .kept = kept, .kept_count = 2}};
		enum err err;
		arm(n);
		err = save_and_wait(fixture, &registration);
		struck = disarm();
		if (err)
			refused_for_memory(err);
		else
			cseq++;
		snprintf(sql, sizeof sql, "SELECT count(*) FROM registrations WHERE cseq = %u", cseq);
		assert_count(fixture, sql, cseq == 1 ? 0 : 2);
		assert_count(fixture, "SELECT count(*) FROM registrations", cseq == 1 ? 0 : 2);
		n++;
	} while (struck);
	assert_true(cseq > 1);
	fixture_check_file(fixture);
}

// The widest write there is: a device leaves two ring plans.
static void releasing_is_done_or_refused(void **state)
{
	struct fixture *fixture = *state;
	bool struck = true;

	for (unsigned n = 1; struck; n++) {
		struct device *shared = new_device(fixture, DEVICE_EXTERNAL, NULL);
		struct user *one = new_user(fixture, NULL, NULL), *two = new_user(fixture, NULL, NULL);
		enum err err;
		shared->number = arena_format(&fixture->arena, "+44 1444 %06u", n);
		one->name = one->title = arena_format(&fixture->arena, "one%u", n);
		one->extension = arena_format(&fixture->arena, "1%05u", n);
		two->name = two->title = arena_format(&fixture->arena, "two%u", n);
		two->extension = arena_format(&fixture->arena, "2%05u", n);
		created(fixture, &shared->entity);
		give(fixture, one, &shared->entity.id, 1);
		give(fixture, two, &shared->entity.id, 1);
		created(fixture, &one->entity);
		created(fixture, &two->entity);
		fixture_told(fixture);
		arm(n);
		err = try_remove(fixture, &shared->entity, DELETE_AND_RELEASE);
		struck = disarm();
		if (err) {
			refused_for_memory(err);
			assert_string_equal(fixture_told(fixture), "");
			assert_count(fixture, "SELECT count(*) FROM assignments", 2);
			assert_int_equal(try_remove(fixture, &shared->entity, DELETE_AND_RELEASE), ERR_NONE);
		}
		assert_count(fixture, "SELECT count(*) FROM assignments", 0);
		assert_count(fixture, "SELECT count(*) FROM devices", 0);
	}
	fixture_check_file(fixture);
}

static void reading_is_done_or_refused(void **state)
{
	struct fixture *fixture = *state;
	struct records *records = fixture->records;
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	struct user *user = new_user(fixture, "jane", "510");
	bool struck = true;

	give(fixture, user, &device, 1);
	created(fixture, &user->entity);
	for (unsigned n = 1; struck; n++) {
		struct list_query query = {.limit = 10, .q = STR("jane"), .sort = STR("title")};
		struct entity_page page;
		enum err err;
		arm(n);
		err = records->list(records->context, ENTITY_USER, &query, &fixture->arena, &page);
		struck = disarm();
		if (err) {
			refused_for_memory(err);
			continue;
		}
		assert_int_equal(page.count, 1);
		assert_true(str_equal(((struct user *)page.entities[0])->title, STR("jane")));
		assert_int_equal(((struct user *)page.entities[0])->turn_count, 1);
	}
}

static void opening_is_done_or_refused(void **state)
{
	struct fixture *fixture = *state;
	char sentence[256];
	bool struck = true;

	fixture_close(fixture);
	for (unsigned n = 1; struck; n++) {
		bool opened;
		arm(n);
		opened = fixture_open(fixture, sentence, sizeof sentence);
		struck = disarm();
		if (opened)
			fixture_close(fixture);
		else
			assert_true(strlen(sentence) > 10);
	}
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	fixture_check_file(fixture);
}

// ---- our own, on this thread

static void our_reads_survive(void **state)
{
	struct fixture *fixture = *state;
	struct records *records = fixture->records;
	struct call_record *record = call_record_new(NULL);
	unsigned n = 1;
	bool struck;

	record->id = STR("00000000000000000000000001");
	records->save_call(records->context, record);
	created(fixture, &new_user(fixture, "jane", "510")->entity);
	do {
		struct list_query query = {.limit = 1, .sort = STR("title"), .q = STR("jane")};
		struct record_query record_query = {.limit = 1};
		struct entity_page page;
		struct record_page record_page;
		struct entity *entity = NULL;
		struct call_record *read = NULL;
		struct arena arena;
		enum err errs[4];
		arena_init(&arena, 0);
		failing_allocator_arm(n);
		errs[0] = records->list(records->context, ENTITY_USER, &query, &arena, &page);
		errs[1] = records->get(records->context, ENTITY_USER, 1, &arena, &entity);
		errs[2] = records->record_list(records->context, &record_query, &arena, &record_page);
		errs[3] = records->record_get(records->context, STR("00000000000000000000000001"), &arena, &read);
		struck = failing_allocator_disarm();
		for (unsigned i = 0; i < 4; i++)
			if (errs[i])
				refused_for_memory(errs[i]);
		assert_true(errs[1] || entity->id == 1);
		assert_true(errs[3] || str_equal(read->id, STR("00000000000000000000000001")));
		arena_free(&arena);
		n++;
	} while (struck);
	assert_true(n > 5);
}

// An operation on this thread, as the writer would run it.
static enum err run_here(struct database *database, struct operation_item *item, const struct entity *entity,
			 bool *struck, unsigned n)
{
	struct operation whole = {.kind = OPERATION_WRITE, .items = item, .item_count = 1}, *operation = &whole;
	enum err err;

	failing_allocator_arm(n);
	err = operation_item_prepare(item, &fixture_plan, entity);
	if (!err) {
		operation_begin(operation);
		err = database_begin(database);
		if (!err)
			err = operation_run(operation, database);
		if (!err)
			err = database_commit(database);
		database_rollback(database);
		if (err)
			operation_undo(operation);
		operation->err = err;
		operation_finish(operation, NULL, NULL);
		operation_end(operation);
	}
	*struck = failing_allocator_disarm();
	return err;
}

static void our_writes_survive(void **state)
{
	struct fixture *fixture = *state;
	struct database *database;
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "01444 123456")->entity);
	struct user *user = new_user(fixture, "jane", "510");
	char sentence[256];
	bool struck;
	enum err err;

	give(fixture, user, &device, 1);
	created(fixture, &user->entity);
	fixture_close(fixture);
	assert_int_equal(database_open(str_of(fixture->url), DATABASE_WRITE, &database, sentence, sizeof sentence),
			 ERR_NONE);
	for (unsigned n = 1;; n++) {
		struct operation_item operation = {.kind = WRITE_UPDATE, .entity_kind = ENTITY_USER, .id = 1};
		user->call_limit = n % 10;
		err = run_here(database, &operation, &user->entity, &struck, n);
		if (err)
			refused_for_memory(err);
		if (!struck)
			break;
	}
	for (unsigned n = 1;; n++) {
		struct operation_item operation = {
		    .kind = WRITE_REMOVE, .entity_kind = ENTITY_DEVICE, .id = device, .mode = DELETE_AND_RELEASE};
		err = run_here(database, &operation, NULL, &struck, n);
		if (!err)
			break;
		refused_for_memory(err);
	}
	database_close(database);
	assert_count(fixture, "SELECT count(*) FROM assignments", 0);
	fixture_check_file(fixture);
}

static void no_line(struct str line, void *context)
{
	(void)line;
	(void)context;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(creating_is_done_or_refused), TEST(registering_is_done_or_refused), TEST(releasing_is_done_or_refused),
	    TEST(reading_is_done_or_refused),  TEST(opening_is_done_or_refused),     TEST(our_reads_survive),
	    TEST(our_writes_survive),
	};

	log_capture(no_line, NULL);
	failing_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
