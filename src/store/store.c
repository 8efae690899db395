// Puts the store together: the writer's thread, the readers, and the record of functions through which the rest uses them.
#include "store/store.h"

#include "base/log.h"
#include "store/answer_sql.h"
#include "store/answer_time_sql.h"
#include "store/audit_sql.h"
#include "store/call_record_sql.h"
#include "store/derived_sql.h"
#include "store/entity_list.h"
#include "store/entity_sql.h"
#include "store/migrate.h"
#include "store/number_rules.h"
#include "store/overview_sql.h"
#include "store/readers.h"
#include "store/recording_sql.h"
#include "store/registration_sql.h"
#include "store/store_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

struct store {
	bool forgets_registrations;
	char path[512];              // of the database's file, "" when it is none
	struct store_writer *writer; // owned
	struct readers *readers;     // owned
	struct records records;
	struct mos_counters heard; // the call thread's
};

// ---- writing, from the call thread

static void save_registration(void *context, struct registration_write *write)
{
	struct store *store = context;

	if (!store->forgets_registrations) {
		store_writer_post_registration(store->writer, write);
		return;
	}
	write->err = ERR_NONE;
	write->done(write);
}

static void save_call(void *context, struct call_record *record)
{
	store_writer_post_call(((struct store *)context)->writer, record);
}

static void quality(void *context, const struct call_quality *quality)
{
	struct store *store = context;

	call_quality_count(&store->heard, quality);
	store_writer_post_quality(store->writer, quality);
}

// ---- writing, from API threads

static enum err refuse(struct problem *problem, enum err err, const struct problem *found)
{
	if (!problem)
		return err;
	if (found->err == err)
		*problem = *found;
	else
		problem_set(problem, err, "", NULL);
	return err;
}

// Who the calling thread writes for. An API thread serves one request at a time.
static _Thread_local const struct actor *acting;

static void act_as(void *context, const struct actor *actor)
{
	(void)context;
	acting = actor;
}

// Runs the operation and waits until it is durable and told.
static void operate(struct store *store, struct operation *operation)
{
	operation->actor = acting;
	operation_begin(operation);
	store_writer_post_operation(store->writer, operation);
	operation_wait(operation);
	operation_end(operation);
}

// For what is found wrong with an entity's numbers before it waits for the writer, who looks again: the plan may change meanwhile.
static enum err plan_read(struct store *store, const struct entity *entity, struct arena *arena,
			  struct number_plan *plan)
{
	struct database *database;

	*plan = (struct number_plan){.country = STR_NONE};
	if (!entity || !number_rules_concern(entity->kind))
		return ERR_NONE;
	enum err err = readers_take(store->readers, &database);
	if (err)
		return err;
	err = number_rules_plan(database, arena, plan);
	readers_give(store->readers, database, err);
	return err;
}

// `entity` is NULL for a removal.
static enum err write_one(struct store *store, struct operation_item *item, const struct entity *entity,
			  struct problem *problem)
{
	struct operation operation = {.kind = OPERATION_WRITE, .items = item, .item_count = 1};
	struct number_plan plan;
	struct arena arena;
	enum err err;

	arena_init(&arena, 0);
	err = plan_read(store, entity, &arena, &plan);
	if (!err)
		err = operation_item_prepare(item, &plan, entity);
	arena_free(&arena);
	if (err)
		return refuse(problem, err, &item->problem);
	operate(store, &operation);
	return operation.err ? refuse(problem, operation.err, &item->problem) : ERR_NONE;
}

static enum err create(void *context, struct entity *entity, struct problem *problem)
{
	struct operation_item item = {.kind = WRITE_CREATE, .entity_kind = entity->kind};
	enum err err = write_one(context, &item, entity, problem);

	if (!err) {
		entity->id = item.id;
		entity->version = item.version;
	}
	return err;
}

static enum err update(void *context, struct entity *entity, struct problem *problem)
{
	struct operation_item item = {
	    .kind = WRITE_UPDATE, .entity_kind = entity->kind, .id = entity->id, .version = entity->version};
	enum err err = write_one(context, &item, entity, problem);

	if (!err)
		entity->version = item.version;
	return err;
}

static enum err remove_entity(void *context, enum entity_kind kind, uint64_t id, uint64_t version,
			      enum delete_mode mode, struct problem *problem)
{
	struct operation_item item = {
	    .kind = WRITE_REMOVE, .entity_kind = kind, .id = id, .version = version, .mode = mode};

	return write_one(context, &item, NULL, problem);
}

// All are prepared, or none: what is wrong with their fields is found without the writer.
static enum err writes_prepare(const struct number_plan *plan, struct record_write *writes,
			       struct operation_item *items, size_t count)
{
	enum err refused = ERR_NONE;

	for (size_t i = 0; i < count; i++) {
		const struct entity *entity = writes[i].entity;
		items[i] = (struct operation_item){.kind = writes[i].kind,
						   .entity_kind = entity->kind,
						   .id = entity->id,
						   .version = writes[i].kind == WRITE_CREATE ? 0 : entity->version,
						   .mode = writes[i].mode};
		writes[i].err = operation_item_prepare(&items[i], plan, writes[i].kind == WRITE_REMOVE ? NULL : entity);
		writes[i].problem = items[i].problem;
		if (!refused)
			refused = writes[i].err;
	}
	for (size_t i = 0; refused && i < count; i++)
		operation_item_free(&items[i]);
	return refused;
}

// The plan is read once, for the first that needs it.
static enum err writes_read_and_prepare(struct store *store, struct record_write *writes, struct operation_item *items,
					size_t count)
{
	struct number_plan plan = {.country = STR_NONE};
	struct arena arena;
	enum err err = ERR_NONE;

	arena_init(&arena, 0);
	for (size_t i = 0; !err && i < count && str_empty(plan.country); i++)
		err = plan_read(store, writes[i].entity, &arena, &plan);
	for (size_t i = 0; err && i < count; i++) {
		writes[i].problem = (struct problem){.err = ERR_NONE};
		writes[i].err = problem_set(&writes[i].problem, err, "", NULL);
	}
	if (!err)
		err = writes_prepare(&plan, writes, items, count);
	arena_free(&arena);
	return err;
}

static void refusal_report(struct record_write *write, const struct operation_item *item)
{
	write->err = item->err;
	write->problem = item->problem;
	if (write->err && write->problem.err != write->err) {
		write->problem = (struct problem){0};
		problem_set(&write->problem, write->err, "", NULL);
	}
}

static void success_report(struct record_write *write, const struct operation_item *item)
{
	if (write->kind == WRITE_REMOVE)
		return;
	write->entity->id = item->id;
	write->entity->version = item->version;
}

static enum err write_all(void *context, struct record_write *writes, size_t count, enum write_mode mode)
{
	struct store *store = context;
	struct operation operation = {.kind = OPERATION_WRITE, .item_count = count, .mode = mode};
	enum err err;

	if (count == 0)
		return ERR_NONE;
	if (count > WRITES_MAX)
		return ERR_TOO_LARGE;
	operation.items = calloc(count, sizeof *operation.items);
	if (!operation.items)
		return ERR_NO_MEMORY;
	err = writes_read_and_prepare(store, writes, operation.items, count);
	if (!err) {
		operate(store, &operation);
		err = operation.err;
		for (size_t i = 0; i < count; i++) {
			refusal_report(&writes[i], &operation.items[i]);
			if (!err && mode == WRITE_FOR_GOOD)
				success_report(&writes[i], &operation.items[i]);
		}
	}
	free(operation.items);
	return err;
}

static enum err note(void *context, const struct audit_note *what)
{
	struct operation operation = {.kind = OPERATION_NOTE, .note = what};

	operate(context, &operation);
	return operation.err;
}

static enum err keep_answer(void *context, const struct kept_answer *answer)
{
	struct operation operation = {.kind = OPERATION_ANSWER, .answer = answer};

	operate(context, &operation);
	return operation.err;
}

static enum err save_recording(void *context, const struct recording *recording)
{
	struct operation operation = {.kind = OPERATION_RECORDING, .recording = recording};

	operate(context, &operation);
	return operation.err;
}

// ---- reading, from API threads

static int64_t store_disk_free(const struct store *store)
{
	struct statvfs volume;

	if (!store->path[0] || statvfs(store->path, &volume) < 0)
		return -1;
	return (int64_t)volume.f_bavail * (int64_t)volume.f_frsize;
}

static enum err get(void *context, enum entity_kind kind, uint64_t id, struct arena *arena, struct entity **entity)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = entity_read(database, kind, id, arena, entity);
	readers_give(store->readers, database, err);
	return err;
}

static enum err find(void *context, enum entity_kind kind, const char *field, struct str value, struct arena *arena,
		     struct entity **entity)
{
	struct store *store = context;
	const struct entity_key key = {kind, entity_field(entity_type(kind), str_of(field)), value};
	struct database *database;
	enum err err;

	if (!key.field || !(key.field->flags & FIELD_UNIQUE))
		return ERR_UNKNOWN_FIELD;
	err = readers_take(store->readers, &database);
	if (err)
		return err;
	err = entity_find(database, &key, arena, entity);
	readers_give(store->readers, database, err);
	return err;
}

static enum err list(void *context, enum entity_kind kind, const struct list_query *query, struct arena *arena,
		     struct entity_page *page)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = entity_list(database, kind, query, arena, page);
	readers_give(store->readers, database, err);
	return err;
}

static enum err count_by(void *context, const struct field *field, enum entity_kind kind, const uint64_t *ids,
			 size_t count, uint64_t *counts)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = entity_count_by(database, field, kind, ids, count, counts);
	readers_give(store->readers, database, err);
	return err;
}

static enum err overview(void *context, struct store_overview *overview)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = overview_read(database, overview);
	readers_give(store->readers, database, err);
	overview->disk_free_bytes = store_disk_free(store);
	return err;
}

static enum err find_answer(void *context, struct str key, struct arena *arena, struct kept_answer *answer)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = answer_read(database, key, arena, answer);
	readers_give(store->readers, database, err);
	return err;
}

static enum err audit_read(void *context, const struct audit_query *query, struct arena *arena, struct audit_page *page)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = audit_list(database, query, arena, page);
	readers_give(store->readers, database, err);
	return err;
}

static enum err read_recording(void *context, struct str name, struct arena *arena, struct recording *recording)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = recording_read(database, name, arena, recording);
	readers_give(store->readers, database, err);
	return err;
}

static enum err list_recordings(void *context, struct arena *arena, struct recording_page *page)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = recording_list(database, arena, page);
	readers_give(store->readers, database, err);
	return err;
}

static enum err record_list(void *context, const struct record_query *query, struct arena *arena,
			    struct record_page *page)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = call_record_list(database, query, arena, page);
	readers_give(store->readers, database, err);
	return err;
}

static enum err answer_times(void *context, uint64_t device_id, struct arena *arena, struct answer_time **times,
			     size_t *count)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = answer_time_list(database, device_id, arena, times, count);
	readers_give(store->readers, database, err);
	return err;
}

static enum err record_get(void *context, struct str id, struct arena *arena, struct call_record **record)
{
	struct store *store = context;
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err)
		return err;
	err = call_record_read(database, id, arena, record);
	readers_give(store->readers, database, err);
	return err;
}

static bool healthy(void *context, char *sentence, size_t size)
{
	return store_writer_healthy(((struct store *)context)->writer, sentence, size);
}

// ---- at start

static const enum entity_kind loaded_kinds[] = {ENTITY_SITE,  ENTITY_USER, ENTITY_DEVICE,   ENTITY_TRUNK,
						ENTITY_ROUTE, ENTITY_DID,  ENTITY_SELECTION};
enum { LOAD_PAGE = 1000 };

// In pages, so that a large installation is never twice in memory.
static enum err load_kind(struct database *database, enum entity_kind kind, const struct store_visitor *visitor)
{
	struct list_query query = {.limit = LOAD_PAGE};
	struct arena arenas[2]; // the cursor is read from the page before
	enum err err = ERR_NONE;

	arena_init(&arenas[0], 0);
	arena_init(&arenas[1], 0);
	for (unsigned turn = 0; !err; turn = !turn) {
		struct entity_page page;
		arena_reset(&arenas[turn]);
		err = entity_list(database, kind, &query, &arenas[turn], &page);
		for (size_t i = 0; !err && i < page.count; i++)
			if (!visitor->entity(visitor->context, page.entities[i]))
				err = ERR_INTERNAL;
		if (err || str_empty(page.next))
			break;
		query.cursor = page.next;
	}
	arena_free(&arenas[0]);
	arena_free(&arenas[1]);
	return err;
}

static int64_t wall_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum err load_all(struct database *database, const struct store_visitor *visitor)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < sizeof loaded_kinds / sizeof *loaded_kinds; i++)
		err = load_kind(database, loaded_kinds[i], visitor);
	if (!err)
		err = registration_load(database, wall_clock_ms(), visitor->binding, visitor->context);
	return err;
}

bool store_load(struct store *store, const struct store_visitor *visitor, char *sentence, size_t size)
{
	struct database *database;
	enum err err = readers_take(store->readers, &database);

	if (err) {
		snprintf(sentence, size, "The database cannot be read: %s", err_sentence(err));
		return false;
	}
	err = load_all(database, visitor);
	if (err)
		snprintf(sentence, size, "The database cannot be loaded: %s.",
			 database->message[0] ? database->message : err_name(err));
	readers_give(store->readers, database, err);
	return !err;
}

// ---- the whole

// The index of words, and an end to registrations that ended while nobody was there.
static bool database_settle(struct database *database, char *sentence, size_t size)
{
	enum err err = ERR_NONE;

	for (int kind = 0; !err && kind < ENTITY_KIND_COUNT; kind++)
		if (entity_has_words((enum entity_kind)kind))
			err = database->backend->words_index(database, entity_type((enum entity_kind)kind)->plural);
	if (!err)
		err = derived_sweep(database, wall_clock_ms());
	if (err)
		snprintf(sentence, size, "The database cannot be prepared: %s.", database->message);
	return !err;
}

bool store_open(const struct store_settings *settings, struct store **result, char *sentence, size_t size)
{
	struct database *database = NULL;
	struct store *store = calloc(1, sizeof *store);

	snprintf(sentence, size, "There is no memory for the database.");
	if (!store)
		return false;
	if (database_open(settings->url, DATABASE_WRITE, &database, sentence, size))
		goto no_database;
	if (migrate(database, sentence, size) || !database_settle(database, sentence, size))
		goto not_migrated;
	snprintf(sentence, size, "There is no memory for the database.");
	store->forgets_registrations = settings->forgets_registrations;
	if (str_starts(settings->url, STR("sqlite:")) &&
	    !str_to_cstring(str_from(settings->url, 7), store->path, sizeof store->path))
		store->path[0] = '\0';
	store->readers = readers_create(settings->url);
	if (!store->readers)
		goto not_migrated;
	store->writer = store_writer_create(database, settings);
	if (!store->writer)
		goto no_writer;
	store->records = (struct records){
	    .context = store,
	    .spare = call_records_create(), // without it records come from the heap
	    .save_registration = save_registration,
	    .save_call = save_call,
	    .quality = quality,
	    .create = create,
	    .update = update,
	    .remove = remove_entity,
	    .write_all = write_all,
	    .act_as = act_as,
	    .note = note,
	    .answer_save = keep_answer,
	    .answer_find = find_answer,
	    .audit_list = audit_read,
	    .get = get,
	    .find = find,
	    .list = list,
	    .count_by = count_by,
	    .overview = overview,
	    .record_list = record_list,
	    .record_get = record_get,
	    .answer_times = answer_times,
	    .recording_save = save_recording,
	    .recording_get = read_recording,
	    .recording_list = list_recordings,
	    .healthy = healthy,
	};
	*result = store;
	return true;

no_writer:
	database = NULL; // the writer took it
	readers_destroy(store->readers);
not_migrated:
	database_close(database);
no_database:
	free(store);
	return false;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	readers_destroy(store->readers);
	store_writer_destroy(store->writer); // the last connection: it folds the log into the file
	call_records_destroy(store->records.spare);
	free(store);
}

struct records *store_records(struct store *store)
{
	return &store->records;
}

struct store_counters store_count(const struct store *store)
{
	struct store_counters counters = store_writer_count(store->writer);

	counters.heard = store->heard;
	return counters;
}
