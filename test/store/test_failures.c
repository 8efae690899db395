// A disk that fails, fills up or loses power: what is acknowledged is there, what is not says so, and writing goes on by
// itself once the disk works again.
#include "store/store_writer.h"

#include "base/log.h"
#include "store/fixture.h"
#include "store/vfs_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECOVERY_MS = 60 * 1000 };

static int setup(void **state)
{
	vfs_shim_fault(VFS_WORKS, 0);
	fixture_setup(state);
	return 0;
}

static void no_line(struct str line, void *context)
{
	(void)line;
	(void)context;
}

static enum err save_binding(struct fixture *fixture, uint64_t device, const char *contact, uint32_t cseq)
{
	struct registration registration = {.write = {.device_id = device, .kept_count = 1},
					    .binding = new_binding(device, contact, cseq)};

	registration.write.kept = &registration.binding;
	return save_and_wait(fixture, &registration);
}

static bool healthy(struct fixture *fixture)
{
	char sentence[256];
	bool is = fixture->records->healthy(fixture->records->context, sentence, sizeof sentence);

	assert_true(is == (sentence[0] == '\0'));
	return is;
}

// Without anybody writing: the writer tries by itself.
static void assert_recovers(struct fixture *fixture)
{
	int64_t until = now_ms() + RECOVERY_MS;

	while ((!healthy(fixture) || store_count(fixture->store).records_kept > 0) && now_ms() < until)
		poll(NULL, 0, 10);
	assert_true(healthy(fixture));
	assert_int_equal(store_count(fixture->store).records_kept, 0);
}

static void save_record(struct fixture *fixture, unsigned number)
{
	struct call_record *record = call_record_new(NULL);

	assert_non_null(record);
	record->id = arena_format(&record->arena, "%026u", number);
	record->started_at = record->ended_at = number;
	fixture->records->save_call(fixture->records->context, record);
}

static void a_failing_disk(struct fixture *fixture, enum vfs_fault fault)
{
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	struct device *other = new_device(fixture, DEVICE_SIP_PHONE, "331");
	struct device *read;

	assert_int_equal(save_binding(fixture, device, "sip:330@192.0.2.7", 1), ERR_NONE);
	fixture_told(fixture);
	vfs_shim_fault(fault, 0);
	assert_int_equal(save_binding(fixture, device, "sip:330@192.0.2.7", 2), ERR_STORE_UNAVAILABLE);
	assert_false(healthy(fixture));
	assert_int_equal(try_create(fixture, &other->entity), ERR_STORE_UNAVAILABLE);
	assert_problem(fixture, "store_unavailable", "");
	assert_int_equal(err_http_status(fixture->problem.err), 503);
	for (unsigned i = 0; i < 600; i++)
		save_record(fixture, i);
	// Reading goes on, and sees nothing of what was refused.
	read = stored(fixture, ENTITY_DEVICE, device);
	assert_non_null(read);
	assert_null(stored(fixture, ENTITY_DEVICE, device + 1));
	assert_string_equal(fixture_told(fixture), "");
	assert_true(vfs_shim_struck() > 0);
	assert_true(store_count(fixture->store).failures > 0);

	vfs_shim_fault(VFS_WORKS, 0);
	assert_recovers(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT cseq FROM registrations"), "1");
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_records"), "600");
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM devices"), "1");
	assert_int_equal(try_create(fixture, &other->entity), ERR_NONE);
	assert_int_equal(save_binding(fixture, device, "sip:330@192.0.2.7", 3), ERR_NONE);
	fixture_check_file(fixture);
}

static void writes_that_fail_are_refused(void **state)
{
	a_failing_disk(*state, VFS_WRITE_FAILS);
}

static void syncs_that_fail_are_refused(void **state)
{
	a_failing_disk(*state, VFS_SYNC_FAILS);
}

static void a_full_disk_is_refused(void **state)
{
	a_failing_disk(*state, VFS_DISK_FULL);
}

// The fault strikes at each write and sync of a series in turn, checkpoints included.
static void any_single_fault_is_survived(void **state)
{
	struct fixture *fixture = *state;
	static const enum vfs_fault faults[] = {VFS_WRITE_FAILS, VFS_SYNC_FAILS, VFS_DISK_FULL};
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	uint32_t cseq = 1, acknowledged = 0;
	char text[16];

	for (unsigned round = 0; round < 60; round++) {
		vfs_shim_fault(faults[round % 3], round / 3 % 7);
		for (unsigned i = 0; i < 3; i++)
			if (save_binding(fixture, device, "sip:330@192.0.2.7", ++cseq) == ERR_NONE)
				acknowledged = cseq;
		vfs_shim_fault(VFS_WORKS, 0);
		assert_int_equal(save_binding(fixture, device, "sip:330@192.0.2.7", ++cseq), ERR_NONE);
		acknowledged = cseq;
		snprintf(text, sizeof text, "%u", acknowledged);
		assert_string_equal(fixture_sql(fixture, "SELECT cseq FROM registrations"), text);
	}
	fixture_check_file(fixture);
}

// Somebody else holds the write lock for longer than is waited for.
static void a_locked_database_is_refused_and_comes_back(void **state)
{
	struct fixture *fixture = *state;
	struct device *device = new_device(fixture, DEVICE_SIP_PHONE, "330");
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(try_create(fixture, &device->entity), ERR_STORE_UNAVAILABLE);
	assert_false(healthy(fixture));
	assert_int_equal(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
	assert_recovers(fixture);
	assert_int_equal(try_create(fixture, &device->entity), ERR_NONE);
}

static void too_many_kept_records_lose_the_oldest(void **state)
{
	struct fixture *fixture = *state;

	created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	vfs_shim_fault(VFS_DISK_FULL, 0);
	for (unsigned i = 0; i < 10005; i++)
		save_record(fixture, i);
	assert_int_equal(try_create(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "331")->entity),
			 ERR_STORE_UNAVAILABLE); // behind them in the queue
	assert_int_equal(store_count(fixture->store).records_kept, 10000);
	assert_int_equal(store_count(fixture->store).records_lost, 5);
	vfs_shim_fault(VFS_WORKS, 0);
	assert_recovers(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) || ' ' || min(started_at) FROM call_records"),
			    "10000 5");
}

// ---- a disk that is really full

// Gives false when this may not be done here.
static bool small_disk_mount(const char *directory)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	return mount("tmpfs", directory, "tmpfs", 0, "size=2m") == 0;
}

static void disk_fill(const char *directory)
{
	char path[128], block[4096] = "";
	int file;

	snprintf(path, sizeof path, "%s/filler", directory);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(file >= 0);
	while (write(file, block, sizeof block) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(file);
}

static void a_small_disk_fills_up_and_is_emptied(void **state)
{
	struct fixture *fixture;
	char directory[] = "/tmp/carillon-full-XXXXXX", sentence[256], path[128], contact[64], expected[32];
	unsigned acknowledged = 0;
	uint64_t device;
	enum err err = ERR_NONE;

	(void)state;
	assert_non_null(mkdtemp(directory));
	if (!small_disk_mount(directory)) {
		print_message("skipped: mounting is not permitted here (%s)\n", strerror(errno));
		rmdir(directory);
		skip();
	}
	fixture = fixture_create_in(directory);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	disk_fill(directory);
	for (unsigned i = 0; i < 20000 && !err; i++) {
		snprintf(contact, sizeof contact, "sip:%u@192.0.2.7", i);
		err = save_binding(fixture, device, contact, 1);
		acknowledged += err == ERR_NONE;
	}
	assert_int_equal(err, ERR_STORE_UNAVAILABLE);
	assert_false(healthy(fixture));
	save_record(fixture, 1);
	assert_int_equal(try_create(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "331")->entity),
			 ERR_STORE_UNAVAILABLE);
	snprintf(path, sizeof path, "%s/filler", directory);
	assert_int_equal(unlink(path), 0);
	assert_recovers(fixture);
	snprintf(expected, sizeof expected, "%u", acknowledged);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM registrations"), expected);
	assert_int_equal(save_binding(fixture, device, contact, 1), ERR_NONE);
	fixture_check_file(fixture);
	fixture_close(fixture);
	umount(directory);
	fixture_destroy(fixture);
}

// ---- power cuts

enum { PHONES = 40, CUTS = 15, ACKNOWLEDGEMENTS_A_CUT = 300 };

// A phone that registers again as soon as it was answered.
struct phone {
	struct registration_write write;
	struct binding binding;
	struct storm *storm;
	_Atomic uint32_t acknowledged;
};

struct storm {
	struct fixture *fixture;
	struct phone phones[PHONES];
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	uint64_t acknowledgements;
	unsigned running;
	bool ending;
};

static void phone_answered(struct registration_write *write)
{
	struct phone *phone = container_of(write, struct phone, write);
	struct storm *storm = phone->storm;

	assert_int_equal(write->err, ERR_NONE);
	phone->acknowledged = phone->binding.cseq;
	pthread_mutex_lock(&storm->mutex);
	storm->acknowledgements++;
	bool again = !storm->ending;
	storm->running -= !again;
	pthread_cond_signal(&storm->moved);
	pthread_mutex_unlock(&storm->mutex);
	if (!again)
		return;
	phone->binding.cseq++;
	storm->fixture->records->save_registration(storm->fixture->records->context, write);
}

static void storm_start(struct storm *storm, struct fixture *fixture)
{
	storm->fixture = fixture;
	pthread_mutex_init(&storm->mutex, NULL);
	pthread_cond_init(&storm->moved, NULL);
	for (unsigned i = 0; i < PHONES; i++) {
		struct phone *phone = &storm->phones[i];
		char number[16];
		uint64_t device;
		snprintf(number, sizeof number, "%u", 1000 + i);
		device = created(
		    fixture,
		    &new_device(fixture, DEVICE_SIP_PHONE, arena_copy(&fixture->arena, str_of(number)).at)->entity);
		*phone = (struct phone){.storm = storm, .binding = new_binding(device, "sip:phone@192.0.2.7", 1)};
		phone->write = (struct registration_write){
		    .device_id = device, .kept = &phone->binding, .kept_count = 1, .done = phone_answered};
	}
	storm->running = PHONES;
	for (unsigned i = 0; i < PHONES; i++)
		fixture->records->save_registration(fixture->records->context, &storm->phones[i].write);
}

static void storm_wait(struct storm *storm, uint64_t acknowledgements)
{
	pthread_mutex_lock(&storm->mutex);
	while (storm->acknowledgements < acknowledgements)
		pthread_cond_wait(&storm->moved, &storm->mutex);
	pthread_mutex_unlock(&storm->mutex);
}

static void storm_end(struct storm *storm)
{
	pthread_mutex_lock(&storm->mutex);
	storm->ending = true;
	while (storm->running > 0)
		pthread_cond_wait(&storm->moved, &storm->mutex);
	pthread_mutex_unlock(&storm->mutex);
}

static void cut_check(struct storm *storm, unsigned number)
{
	struct fixture *after = fixture_create();
	uint32_t acknowledged[PHONES];
	char sql[96];

	for (unsigned i = 0; i < PHONES; i++) // first: what is acknowledged later may be lost
		acknowledged[i] = storm->phones[i].acknowledged;
	vfs_shim_power_cut(storm->fixture->path, after->path, number);
	fixture_check_file(after);
	for (unsigned i = 0; i < PHONES; i++) {
		snprintf(sql, sizeof sql, "SELECT cseq >= %u FROM registrations WHERE device_id = %u", acknowledged[i],
			 (unsigned)storm->phones[i].binding.device_id);
		if (acknowledged[i] && strcmp(fixture_sql(after, sql), "1") != 0)
			fail_msg("power cut %u: phone %u lost CSeq %u", number, i, acknowledged[i]);
	}
	fixture_destroy(after);
}

static void what_is_acknowledged_survives_a_power_cut(void **state)
{
	struct fixture *fixture = fixture_create();
	struct storm *storm = calloc(1, sizeof *storm);
	char sentence[256];

	(void)state;
	assert_non_null(storm);
	vfs_shim_watch(true);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	storm_start(storm, fixture);
	for (unsigned cut = 1; cut <= CUTS; cut++) {
		storm_wait(storm, cut * ACKNOWLEDGEMENTS_A_CUT + cut * 37 % 101);
		cut_check(storm, cut);
	}
	storm_end(storm);
	vfs_shim_watch(false);
	fixture_destroy(fixture);
	pthread_cond_destroy(&storm->moved);
	pthread_mutex_destroy(&storm->mutex);
	free(storm);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(writes_that_fail_are_refused),
	    TEST(syncs_that_fail_are_refused),
	    TEST(a_full_disk_is_refused),
	    TEST(any_single_fault_is_survived),
	    TEST(a_locked_database_is_refused_and_comes_back),
	    TEST(too_many_kept_records_lose_the_oldest),
	    cmocka_unit_test(what_is_acknowledged_survives_a_power_cut),
	    cmocka_unit_test(a_small_disk_fills_up_and_is_emptied), // last: it gives this process mounts of its own
	};

	log_capture(no_line, NULL);
	vfs_shim_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
