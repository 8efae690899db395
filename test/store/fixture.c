// What every test of the store starts with.
#include "store/fixture.h"

#include "base/log.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct number_plan fixture_plan = {
    .country_code = {"44", 2},
    .international_prefix = {"00", 2},
    .national_prefix = {"0", 1},
    .emergency = {"112 999", 7},
};

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- the call thread

static void stop(struct queue_item *item)
{
	container_of(item, struct fixture, stop)->stopping = true;
}

static void *call_thread(void *context)
{
	struct fixture *fixture = context;

	while (!fixture->stopping)
		for (struct queue_item *item = queue_wait(fixture->call_thread, -1), *next; item; item = next) {
			next = item->next;
			item->run(item);
		}
	return NULL;
}

static struct fixture *told_fixture; // one at a time: an item carries no context

static void tell(struct queue_item *item)
{
	struct entity_change *change = container_of(item, struct entity_change, item);
	const struct entity *entity = change->after ? change->after : change->before;
	struct fixture *fixture = told_fixture;
	size_t used;

	pthread_mutex_lock(&fixture->mutex);
	used = strlen(fixture->told);
	snprintf(fixture->told + used, sizeof fixture->told - used, "%s %llu %s\n", entity_type(entity->kind)->name,
		 (unsigned long long)entity->id,
		 !change->before  ? "created"
		 : !change->after ? "removed"
				  : "changed");
	pthread_mutex_unlock(&fixture->mutex);
	change->done(change);
}

static void changed(void *context, struct entity_change *change)
{
	struct fixture *fixture = context;

	change->item.run = tell;
	queue_post(fixture->call_thread, &change->item);
}

const char *fixture_told(struct fixture *fixture)
{
	char *copy;

	pthread_mutex_lock(&fixture->mutex);
	copy = (char *)(uintptr_t)arena_copy(&fixture->arena, str_of(fixture->told)).at;
	fixture->told[0] = '\0';
	pthread_mutex_unlock(&fixture->mutex);
	return copy;
}

// ---- the store

struct fixture *fixture_create_in(const char *directory)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	assert_non_null(fixture);
	snprintf(fixture->directory, sizeof fixture->directory, "%s", directory);
	snprintf(fixture->path, sizeof fixture->path, "%s/carillon.db", directory);
	snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", fixture->path);
	pthread_mutex_init(&fixture->mutex, NULL);
	arena_init(&fixture->arena, 0);
	return fixture;
}

struct fixture *fixture_create(void)
{
	char directory[] = "/tmp/carillon-store-XXXXXX";

	assert_non_null(mkdtemp(directory));
	return fixture_create_in(directory);
}

bool fixture_open(struct fixture *fixture, char *sentence, size_t size)
{
	struct store_settings settings = {.url = str_of(fixture->url), .changed = changed, .context = fixture};

	settings.forgets_registrations = fixture->forgets_registrations;

	told_fixture = fixture;
	assert_int_equal(queue_create(&fixture->call_thread), 0);
	settings.call_thread = fixture->call_thread;
	fixture->stopping = false;
	if (!store_open(&settings, &fixture->store, sentence, size)) {
		queue_destroy(fixture->call_thread);
		return false;
	}
	assert_int_equal(pthread_create(&fixture->thread, NULL, call_thread, fixture), 0);
	fixture->records = store_records(fixture->store);
	return true;
}

void fixture_close(struct fixture *fixture)
{
	if (!fixture->store)
		return;
	store_close(fixture->store);
	fixture->store = NULL;
	fixture->stop.run = stop;
	queue_post(fixture->call_thread, &fixture->stop);
	pthread_join(fixture->thread, NULL);
	queue_destroy(fixture->call_thread);
}

void fixture_destroy(struct fixture *fixture)
{
	DIR *directory = opendir(fixture->directory);
	char path[400];

	fixture_close(fixture);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		snprintf(path, sizeof path, "%s/%s", fixture->directory, entry->d_name);
		unlink(path);
	}
	closedir(directory);
	rmdir(fixture->directory);
	arena_free(&fixture->arena);
	pthread_mutex_destroy(&fixture->mutex);
	free(fixture);
}

int fixture_setup(void **state)
{
	struct fixture *fixture = fixture_create();
	char sentence[512] = "";

	log_set_level(LOG_LEVEL_ERROR);
	*state = fixture;
	if (!fixture_open(fixture, sentence, sizeof sentence))
		fail_msg("%s", sentence);
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

const char *fixture_sql(struct fixture *fixture, const char *sql)
{
	sqlite3 *handle;
	sqlite3_stmt *statement;
	struct str text = STR("");

	assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
	sqlite3_busy_timeout(handle, 5000);
	if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
	if (sqlite3_step(statement) == SQLITE_ROW)
		text = str_of((const char *)sqlite3_column_text(statement, 0));
	text = arena_copy(&fixture->arena, text);
	sqlite3_finalize(statement);
	sqlite3_close(handle);
	return text.at;
}

void fixture_check_file(struct fixture *fixture)
{
	assert_string_equal(fixture_sql(fixture, "PRAGMA integrity_check"), "ok");
	assert_string_equal(fixture_sql(fixture, "PRAGMA foreign_key_check"), "");
}

// ---- entities

static void *new_entity(struct fixture *fixture, enum entity_kind kind)
{
	struct entity *entity = entity_new(kind, &fixture->arena);

	assert_non_null(entity);
	return entity;
}

struct user *new_user(struct fixture *fixture, const char *name, const char *extension)
{
	struct user *user = new_entity(fixture, ENTITY_USER);

	user->name = str_of(name);
	user->title = str_of(name);
	user->extension = str_of(extension);
	user->role = ROLE_AGENT;
	return user;
}

struct device *new_device(struct fixture *fixture, enum device_kind kind, const char *number)
{
	struct device *device = new_entity(fixture, ENTITY_DEVICE);

	device->device_kind = kind;
	device->number = str_of(number);
	return device;
}

struct trunk *new_trunk(struct fixture *fixture, const char *title)
{
	struct trunk *trunk = new_entity(fixture, ENTITY_TRUNK);

	trunk->title = str_of(title);
	trunk->host = STR("192.0.2.1");
	return trunk;
}

struct session *new_session(struct fixture *fixture, uint64_t user_id, int64_t expires_at)
{
	static unsigned count;
	struct session *session = new_entity(fixture, ENTITY_SESSION);

	session->user_id = user_id;
	session->secret_hash = arena_format(&fixture->arena, "%064x", ++count);
	session->created_at = now_ms();
	session->expires_at = expires_at;
	session->client = STR("192.0.2.9 Firefox");
	return session;
}

struct selection *new_selection(struct fixture *fixture, uint64_t user_id, uint64_t device_id, int64_t expires_at)
{
	struct selection *selection = new_entity(fixture, ENTITY_SELECTION);

	selection->user_id = user_id;
	selection->device_id = device_id;
	selection->created_at = now_ms();
	selection->expires_at = expires_at;
	return selection;
}

void give(struct fixture *fixture, struct user *user, const uint64_t *devices, size_t count)
{
	user->turns = arena_alloc(&fixture->arena, count * sizeof *user->turns);
	user->turn_count = count;
	for (size_t i = 0; i < count; i++)
		user->turns[i] = (struct turn_plan){devices[i], (int64_t)i * 5, RING_S_DEFAULT};
}

void phones_make(struct fixture *fixture, unsigned count)
{
	char sql[1024];

	snprintf(sql, sizeof sql,
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
		 "INSERT INTO devices (id, version, search, kind, number, canonical, title, description, "
		 "available_for_selection, do_not_disturb, call_limit, nat, ha1_md5, ha1_sha256, caller_id, "
		 "caller_id_number, too_soon_ms, too_late_ms, confirm, teams_user) "
		 "SELECT i, 1, 'phone ' || i, 'sip_phone', printf('%%04d', i), '', '', '', "
		 "0, 0, 0, 'auto', '', '', 'original', '', 0, 0, 0, '' FROM n",
		 count);
	fixture_sql(fixture, sql);
	fixture_sql(fixture, "INSERT INTO devices_words (devices_words) VALUES ('rebuild')");
}

enum err try_create(struct fixture *fixture, struct entity *entity)
{
	fixture->problem = (struct problem){.err = ERR_NONE};
	return fixture->records->create(fixture->records->context, entity, &fixture->problem);
}

enum err try_update(struct fixture *fixture, struct entity *entity)
{
	fixture->problem = (struct problem){.err = ERR_NONE};
	return fixture->records->update(fixture->records->context, entity, &fixture->problem);
}

enum err try_remove(struct fixture *fixture, const struct entity *entity, enum delete_mode mode)
{
	fixture->problem = (struct problem){.err = ERR_NONE};
	return fixture->records->remove(fixture->records->context, entity->kind, entity->id, 0, mode,
					&fixture->problem);
}

uint64_t created(struct fixture *fixture, struct entity *entity)
{
	if (try_create(fixture, entity) != ERR_NONE)
		fail_msg("%s: %s", fixture->problem.field, fixture->problem.sentence);
	return entity->id;
}

void *stored(struct fixture *fixture, enum entity_kind kind, uint64_t id)
{
	struct entity *entity = NULL;
	enum err err = fixture->records->get(fixture->records->context, kind, id, &fixture->arena, &entity);

	if (err && err != ERR_NOT_FOUND)
		fail_msg("get: %s", err_name(err));
	return entity;
}

// ---- registrations

struct binding new_binding(uint64_t device_id, const char *contact, uint32_t cseq)
{
	struct binding binding = {
	    .device_id = device_id,
	    .contact = str_of(contact),
	    .expires_at_ms = now_ms() + 3600 * 1000,
	    .cseq = cseq,
	    .q = 1000,
	    .call_id = STR("a84b4c76e66710"),
	};

	list_init(&binding.node);
	assert_true(net_address_parse(STR("192.0.2.7"), 5060, &binding.flow.remote));
	return binding;
}

static void answered(struct registration_write *write)
{
	struct registration *registration = container_of(write, struct registration, write);

	pthread_mutex_lock(&registration->mutex);
	registration->over = true;
	pthread_cond_signal(&registration->answered);
	pthread_mutex_unlock(&registration->mutex);
}

enum err save_and_wait(struct fixture *fixture, struct registration *registration)
{
	registration->write.done = answered;
	registration->over = false;
	pthread_mutex_init(&registration->mutex, NULL);
	pthread_cond_init(&registration->answered, NULL);
	fixture->records->save_registration(fixture->records->context, &registration->write);
	pthread_mutex_lock(&registration->mutex);
	while (!registration->over)
		pthread_cond_wait(&registration->answered, &registration->mutex);
	pthread_mutex_unlock(&registration->mutex);
	pthread_cond_destroy(&registration->answered);
	pthread_mutex_destroy(&registration->mutex);
	return registration->write.err;
}

enum err binding_save(struct fixture *fixture, struct binding binding)
{
	struct registration registration = {.write = {.device_id = binding.device_id, .kept_count = 1},
					    .binding = binding};

	registration.write.kept = &registration.binding;
	return save_and_wait(fixture, &registration);
}
