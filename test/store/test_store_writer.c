// The writer: many writers at once, order, group commit, and a poster that never waits.
#include "store/store_writer.h"

#include "store/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 8, DEVICES_EACH = 25, REGISTRATIONS = 20000, PHONES = 1000 };

struct api_thread {
	struct fixture *fixture;
	pthread_t thread;
	unsigned number;
	unsigned created, refused;
	uint64_t other_id;
	uint64_t user_id, device_id;
};

static void threads_run(struct fixture *fixture, struct api_thread threads[THREADS], void *(*run)(void *context))
{
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i].fixture = fixture;
		threads[i].number = i;
		assert_int_equal(pthread_create(&threads[i].thread, NULL, run, &threads[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i].thread, NULL);
}

// All threads want the same numbers.
static void *create_devices(void *context)
{
	struct api_thread *api = context;
	struct records *records = api->fixture->records;

	for (unsigned i = 0; i < DEVICES_EACH; i++) {
		struct problem problem = {.err = ERR_NONE};
		struct device device = {.entity = {.kind = ENTITY_DEVICE}};
		char number[16];
		snprintf(number, sizeof number, "%u", 100 + i);
		device.number = str_of(number);
		if (records->create(records->context, &device.entity, &problem) == ERR_NONE)
			api->created++;
		else if (problem.err == ERR_NOT_UNIQUE && problem.other_id > 0)
			api->refused++;
	}
	return NULL;
}

static void of_many_who_want_a_number_one_gets_it(void **state)
{
	struct fixture *fixture = *state;
	struct api_thread threads[THREADS] = {{.fixture = NULL}};
	unsigned total = 0, refused = 0;

	threads_run(fixture, threads, create_devices);
	for (unsigned i = 0; i < THREADS; i++) {
		total += threads[i].created;
		refused += threads[i].refused;
	}
	assert_int_equal(total, DEVICES_EACH);
	assert_int_equal(refused, DEVICES_EACH * (THREADS - 1));
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) || ' ' || count(DISTINCT number) FROM devices"),
			    "25 25");
	fixture_check_file(fixture);
}

static void *select_device(void *context)
{
	struct api_thread *api = context;
	struct records *records = api->fixture->records;
	struct selection selection = {
	    .entity = {.kind = ENTITY_SELECTION}, .user_id = api->user_id, .device_id = api->device_id};
	struct problem problem = {.err = ERR_NONE};

	if (records->create(records->context, &selection.entity, &problem) == ERR_NONE)
		api->created = 1;
	else if (problem.err == ERR_DEVICE_TAKEN)
		api->other_id = problem.other_id;
	return NULL;
}

static void of_many_who_pick_a_device_one_gets_it(void **state)
{
	struct fixture *fixture = *state;
	struct api_thread threads[THREADS] = {{.fixture = NULL}};
	struct device *device = new_device(fixture, DEVICE_SOFTPHONE, "821");
	char names[THREADS][8];
	uint64_t winner = 0;

	device->available_for_selection = true;
	created(fixture, &device->entity);
	for (unsigned i = 0; i < THREADS; i++) {
		snprintf(names[i], sizeof names[i], "%u", 500 + i);
		threads[i].user_id = created(fixture, &new_user(fixture, names[i], names[i])->entity);
		threads[i].device_id = device->entity.id;
	}
	threads_run(fixture, threads, select_device);
	for (unsigned i = 0; i < THREADS; i++)
		if (threads[i].created) {
			assert_int_equal(winner, 0);
			winner = threads[i].user_id;
		}
	assert_int_not_equal(winner, 0);
	for (unsigned i = 0; i < THREADS; i++)
		if (!threads[i].created)
			assert_int_equal(threads[i].other_id, winner);
}

static void *change_title(void *context)
{
	struct api_thread *api = context;
	struct records *records = api->fixture->records;
	struct arena arena;

	arena_init(&arena, 0);
	for (unsigned i = 0; i < DEVICES_EACH;) {
		struct entity *entity;
		struct problem problem = {.err = ERR_NONE};
		char title[32];
		assert_int_equal(records->get(records->context, ENTITY_DEVICE, api->device_id, &arena, &entity),
				 ERR_NONE);
		struct device *device = (struct device *)entity;
		snprintf(title, sizeof title, "%.*s.", STR_ARG(str_first(device->title, 20)));
		device->title = str_of(title);
		device->call_limit++;
		if (records->update(records->context, entity, &problem) == ERR_NONE)
			i++;
		else
			api->refused++;
		arena_reset(&arena);
	}
	arena_free(&arena);
	return NULL;
}

// Reading, changing and writing with the version loses no change, however many do it.
static void versions_lose_no_update(void **state)
{
	struct fixture *fixture = *state;
	struct api_thread threads[THREADS] = {{.fixture = NULL}};
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	char expected[16];

	for (unsigned i = 0; i < THREADS; i++)
		threads[i].device_id = device;
	threads_run(fixture, threads, change_title);
	snprintf(expected, sizeof expected, "%d", THREADS * DEVICES_EACH);
	assert_string_equal(fixture_sql(fixture, "SELECT call_limit FROM devices"), expected);
}

static void a_write_returns_after_the_call_thread_knows(void **state)
{
	struct fixture *fixture = *state;

	created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	assert_string_equal(fixture_told(fixture), "device 1 created\n");
	created(fixture, &new_user(fixture, "jane", "510")->entity);
	assert_string_equal(fixture_told(fixture), "user 1 created\n");
}

static void leases_that_are_over_end_by_themselves(void **state)
{
	struct fixture *fixture = *state;
	struct device *device = new_device(fixture, DEVICE_SOFTPHONE, "821");
	char sentence[256];

	device->available_for_selection = true;
	created(fixture, &device->entity);
	created(fixture, &new_user(fixture, "bob", "511")->entity);
	created(fixture, &new_selection(fixture, 1, 1, now_ms() + 3600000)->entity);
	created(fixture, &new_session(fixture, 1, now_ms() + 3600000)->entity);
	fixture_close(fixture);
	fixture_sql(fixture, "UPDATE selections SET expires_at = 1");
	fixture_sql(fixture, "UPDATE sessions SET expires_at = 1");
	fixture_told(fixture);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity); // the writer's first turn
	created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "331")->entity); // what follows it
	assert_string_equal(fixture_told(fixture),
			    "device 2 created\nselection 1 removed\nsession 1 removed\ndevice 3 created\n");
}

// ---- group commit

struct storm {
	struct registration_write *writes;
	struct binding *bindings;
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	unsigned count, answered;
};

struct storm_result {
	uint64_t commits;
	double seconds, slowest_post;
};

static struct storm *storm_now; // a write carries no context

static void storm_answered(struct registration_write *write)
{
	assert_int_equal(write->err, ERR_NONE);
	pthread_mutex_lock(&storm_now->mutex);
	if (++storm_now->answered == storm_now->count)
		pthread_cond_signal(&storm_now->moved);
	pthread_mutex_unlock(&storm_now->mutex);
}

static void storm_begin(struct storm *storm)
{
	storm_now = storm;
	pthread_mutex_init(&storm->mutex, NULL);
	pthread_cond_init(&storm->moved, NULL);
}

static void storm_wait(struct storm *storm)
{
	pthread_mutex_lock(&storm->mutex);
	while (storm->answered < storm->count)
		pthread_cond_wait(&storm->moved, &storm->mutex);
	pthread_mutex_unlock(&storm->mutex);
	pthread_cond_destroy(&storm->moved);
	pthread_mutex_destroy(&storm->mutex);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

// Registers the phones so often in all, each time a pause later; gives the commits, and the seconds, that it took.
static struct storm_result storm_run(struct fixture *fixture, unsigned count, long each_ms)
{
	struct storm storm = {.count = count,
			      .writes = calloc(count, sizeof *storm.writes),
			      .bindings = calloc(count, sizeof *storm.bindings)};
	struct store_counters before = store_count(fixture->store), after;
	double started = seconds_now();
	struct storm_result result = {0};

	storm_begin(&storm);
	for (unsigned i = 0; i < count; i++) {
		storm.bindings[i] =
		    new_binding(1 + i % PHONES, "sip:phone@192.0.2.7:5060;transport=udp", 1 + i / PHONES);
		storm.writes[i] = (struct registration_write){
		    .device_id = 1 + i % PHONES, .kept = &storm.bindings[i], .kept_count = 1, .done = storm_answered};
		double posting = seconds_now();
		fixture->records->save_registration(fixture->records->context, &storm.writes[i]);
		if (seconds_now() - posting > result.slowest_post)
			result.slowest_post = seconds_now() - posting;
		if (each_ms > 0)
			pause_ms(each_ms);
	}
	storm_wait(&storm);
	after = store_count(fixture->store);
	assert_int_equal(after.waiting, 0);
	result.seconds = seconds_now() - started;
	result.commits = after.commits - before.commits;
	free(storm.writes);
	free(storm.bindings);
	return result;
}

static void many_registrations_share_a_commit(void **state)
{
	struct fixture *fixture = *state;

	phones_make(fixture, PHONES);
	struct storm_result result = storm_run(fixture, REGISTRATIONS, 0);
	print_message("%d registrations acknowledged in %.2f s: %.0f/s, %.0f a commit; the slowest post took %.2f ms\n",
		      REGISTRATIONS, result.seconds, REGISTRATIONS / result.seconds,
		      REGISTRATIONS / (double)result.commits, result.slowest_post * 1000);
	assert_true(result.commits < REGISTRATIONS / 4);
	assert_string_equal(
	    fixture_sql(fixture, "SELECT count(*) || ' ' || min(cseq) || ' ' || max(cseq) FROM registrations"),
	    "1000 20 20");
}

// One that comes alone is written at once; those that come one after another wait for each other.
static void registrations_wait_for_each_other(void **state)
{
	struct fixture *fixture = *state;

	phones_make(fixture, PHONES);
	struct storm_result result = storm_run(fixture, 300, 2);
	assert_true(result.commits >= 2);
	assert_true((double)result.commits <= 2 + result.seconds * 25); // 300 singly take 0.6 s
}

// The console does not wait for the phones' pace, and what waits is written along with what it asks.
static void an_operation_takes_along_what_waits(void **state)
{
	struct fixture *fixture = *state;
	struct records *records = fixture->records;
	double registering = 0, creating = 0;
	unsigned together = 0;

	struct device *one = new_device(fixture, DEVICE_SIP_PHONE, "101");
	struct device *two = new_device(fixture, DEVICE_SIP_PHONE, "102");
	assert_int_equal(try_create(fixture, &one->entity), ERR_NONE);
	assert_int_equal(try_create(fixture, &two->entity), ERR_NONE);
	for (uint32_t i = 1; i <= 20; i++) { // somebody else may have the core for 40 ms
		struct binding other = new_binding(two->entity.id, "sip:phone@192.0.2.7", i);
		struct device device = {.entity = {.kind = ENTITY_DEVICE}};
		struct problem problem = {.err = ERR_NONE};
		char number[16];
		snprintf(number, sizeof number, "77%05u", i);
		device.number = str_of(number);
		registering -= seconds_now();
		assert_int_equal(binding_save(fixture, new_binding(one->entity.id, "sip:phone@192.0.2.7", i)),
				 ERR_NONE);
		registering += seconds_now();
		struct storm storm = {.count = 1};
		struct registration_write write = {
		    .device_id = two->entity.id, .kept = &other, .kept_count = 1, .done = storm_answered};
		storm_begin(&storm);
		uint64_t before = store_count(fixture->store).commits;
		records->save_registration(records->context, &write);
		creating -= seconds_now();
		assert_int_equal(records->create(records->context, &device.entity, &problem), ERR_NONE);
		creating += seconds_now();
		together += store_count(fixture->store).commits == before + 1;
		storm_wait(&storm);
	}
	assert_true(together > 10);
	assert_true(creating < registering / 2); // each of those waited for 40 ms
}

static void record_post(struct fixture *fixture, unsigned id)
{
	struct call_record *record = call_record_new(NULL);

	assert_non_null(record);
	record->id = arena_format(&record->arena, "%026u", id);
	fixture->records->save_call(fixture->records->context, record);
}

// Whoever looks after a call sees its record; a busy server does not write each by itself.
static void a_record_is_there_soon_and_many_share_a_commit(void **state)
{
	struct fixture *fixture = *state;
	double started = seconds_now();
	struct store_counters before, after;

	record_post(fixture, 0);
	while (strcmp(fixture_sql(fixture, "SELECT count(*) FROM call_records"), "1") != 0)
		pause_ms(2);
	assert_true(seconds_now() - started < 0.2);
	before = store_count(fixture->store);
	started = seconds_now();
	for (unsigned i = 1; i <= 200; i++, pause_ms(5))
		record_post(fixture, i);
	while (strcmp(fixture_sql(fixture, "SELECT count(*) FROM call_records"), "201") != 0)
		pause_ms(2);
	after = store_count(fixture->store);
	assert_true(after.commits - before.commits >= 3);
	assert_true((double)(after.commits - before.commits) <= 3 + (seconds_now() - started) * 5);
}

static void closing_writes_what_waits(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 1000; i++)
		record_post(fixture, i);
	fixture_close(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_records"), "1000");
}

static void registrations_that_are_not_kept_leave_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	struct device *device = new_device(fixture, DEVICE_SIP_PHONE, "330");
	char sentence[200];

	assert_int_equal(try_create(fixture, &device->entity), ERR_NONE);
	assert_int_equal(binding_save(fixture, new_binding(device->entity.id, "sip:330@192.0.2.7", 1)), ERR_NONE);
	fixture_close(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM registrations"), "1");
	fixture->forgets_registrations = true;
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	assert_int_equal(binding_save(fixture, new_binding(device->entity.id, "sip:330@192.0.2.8", 2)), ERR_NONE);
	fixture_close(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM registrations"), "1");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(of_many_who_want_a_number_one_gets_it),
	    TEST(of_many_who_pick_a_device_one_gets_it),
	    TEST(versions_lose_no_update),
	    TEST(a_write_returns_after_the_call_thread_knows),
	    TEST(leases_that_are_over_end_by_themselves),
	    TEST(many_registrations_share_a_commit),
	    TEST(registrations_wait_for_each_other),
	    TEST(an_operation_takes_along_what_waits),
	    TEST(a_record_is_there_soon_and_many_share_a_commit),
	    TEST(closing_writes_what_waits),
	    TEST(registrations_that_are_not_kept_leave_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
