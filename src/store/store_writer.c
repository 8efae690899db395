// Group commit. One turn of the thread: take what waits, and once it is due: BEGIN, run each (an API operation within a
// savepoint, so that its refusal undoes it alone), COMMIT, answer each. When the database fails, all of that transaction
// is refused; when one write breaks it in a way that cannot be undone alone, each is tried in a transaction of its own.
#include "store/store_writer.h"

#include "base/log.h"
#include "domain/registration.h"
#include "store/answer_sql.h"
#include "store/audit_sql.h"
#include "store/call_quality_sql.h"
#include "store/call_record_sql.h"
#include "store/derived_sql.h"
#include "store/registration_sql.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BATCH_MAX = 1024,            // registrations and operations in one transaction
	BATCH_RECORDS_MAX = 512,     // call records besides
	PACE_MS = 40,                // registrations wait so long after others: a third less than by 20, at 200/s
	GATHER_MS = 20,              // call records wait for each other so long
	SPACING_MS = 250,            // and so long after others were written: many at once cost a third of many singly
	YIELD_RECORDS = 8,           // nobody waits for records, but on the same core calls do: 0.1 ms, not 3
	RECORDS_KEPT_MAX = 10000,    // call records that wait for the database
	TICK_MS = 1000,              // a failing database is tried again this often
	EXPIRE_MS = 10 * 1000,       // selections and sessions that are over
	SWEEP_MS = 60 * 60 * 1000,   // registrations that are over: no reader gets them, this is for the space
	SWEEP_AFTER_MS = 600 * 1000, // how long over
};

static const int64_t ANSWERS_KEPT_MS = 25LL * 60 * 60 * 1000;     // a day counts; then they may go
static const int64_t QUALITY_KEPT_MS = 48LL * 60 * 60 * 1000;     // of a call that has no record yet
static const int64_t AUDIT_KEPT_MS = 400LL * 24 * 60 * 60 * 1000; // what happened longer ago is forgotten

// A call record that waits, or how one of a call's legs was heard.
struct kept_record {
	struct queue_item item;
	struct kept_record *next;
	struct call_record *record;  // owned; this structure lives in its arena. NULL: it is the other
	struct call_quality quality; // its texts follow this structure
};

// What goes into one transaction.
struct batch {
	struct queue_item *items[BATCH_MAX];
	size_t count;
	bool with_records;
	size_t record_count; // of the kept ones, once written
	bool unavailable;    // it was the database that failed, no single write
};

struct store_writer {
	struct database *database; // owned, the thread's alone
	struct store_settings settings;
	struct queue *queue;
	pthread_t thread;
	struct queue_item stop;
	bool stopping;
	struct batch batch;        // what was taken and is not due yet; empty while the database fails
	uint64_t items_written_ms; // monotonic: when some were written last

	struct kept_record *records; // oldest first
	struct kept_record **records_end;
	uint64_t records_at_ms;             // monotonic: when the oldest was given
	uint64_t records_written_ms;        // monotonic: when some were written last
	atomic_bool gathering;              // the thread wakes by itself for records
	atomic_bool pacing;                 // and for registrations
	uint64_t expire_at_ms, sweep_at_ms; // monotonic

	pthread_mutex_t mutex; // of failing and sentence
	bool failing;
	char sentence[256];
	_Atomic uint64_t commits, writes, failures, records_lost;
	_Atomic size_t records_kept;
};

// What waits in the queue is told apart by its run function; none of these is ever called.
static void is_registration(struct queue_item *item)
{
	(void)item;
}

static void is_operation(struct queue_item *item)
{
	(void)item;
}

static void is_record(struct queue_item *item)
{
	(void)item;
}

static void is_stop(struct queue_item *item)
{
	(void)item;
}

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- health: the one place that writes `failing`

static void health_set(struct store_writer *writer, bool failing)
{
	pthread_mutex_lock(&writer->mutex);
	bool was = writer->failing;
	writer->failing = failing;
	if (failing)
		snprintf(writer->sentence, sizeof writer->sentence, "The database cannot be written to: %.200s.",
			 writer->database->message);
	pthread_mutex_unlock(&writer->mutex);
	if (failing && !was)
		log_error("store_state", LOG_TEXT("from", "writing"), LOG_TEXT("to", "failing"),
			  LOG_TEXT("reason", writer->database->message));
	if (!failing && was)
		log_info("store_state", LOG_TEXT("from", "failing"), LOG_TEXT("to", "writing"),
			 LOG_UINT("records_kept", atomic_load(&writer->records_kept)));
}

bool store_writer_healthy(struct store_writer *writer, char *sentence, size_t size)
{
	pthread_mutex_lock(&writer->mutex);
	bool failing = writer->failing;
	snprintf(sentence, size, "%s", failing ? writer->sentence : "");
	pthread_mutex_unlock(&writer->mutex);
	return !failing;
}

// ---- call records that wait

static void record_drop_oldest(struct store_writer *writer)
{
	struct kept_record *oldest = writer->records;

	writer->records = oldest->next;
	if (!writer->records)
		writer->records_end = &writer->records;
	atomic_fetch_sub(&writer->records_kept, 1);
	if (oldest->record)
		call_record_free(oldest->record);
	else
		free(oldest);
}

static void record_lose(struct store_writer *writer, const char *why)
{
	const struct kept_record *oldest = writer->records;

	if (oldest->record) {
		log_error("call_record_lost", LOG_STR("id", oldest->record->id), LOG_TEXT("why", why));
		atomic_fetch_add(&writer->records_lost, 1);
	} else {
		log_warning("call_quality_lost", LOG_STR("id", oldest->quality.record), LOG_TEXT("why", why));
	}
	record_drop_oldest(writer);
}

static enum err record_write_out(struct store_writer *writer, const struct kept_record *kept)
{
	return kept->record ? call_record_save(writer->database, kept->record)
			    : call_quality_save(writer->database, &kept->quality, wall_ms());
}

static void record_keep(struct store_writer *writer, struct kept_record *kept)
{
	if (atomic_load(&writer->records_kept) == RECORDS_KEPT_MAX)
		record_lose(writer, "too many wait for the database");
	if (!writer->records)
		writer->records_at_ms = monotonic_ms();
	kept->next = NULL;
	*writer->records_end = kept;
	writer->records_end = &kept->next;
	atomic_fetch_add(&writer->records_kept, 1);
}

static enum err records_run(struct store_writer *writer, struct batch *batch)
{
	enum err err = ERR_NONE;

	batch->record_count = 0;
	if (!batch->with_records)
		return ERR_NONE;
	for (struct kept_record *kept = writer->records; kept && batch->record_count < BATCH_RECORDS_MAX;
	     kept = kept->next) {
		err = record_write_out(writer, kept);
		if (err)
			return err;
		batch->record_count++;
		if (batch->record_count % YIELD_RECORDS == 0)
			sched_yield();
	}
	return ERR_NONE;
}

// ---- one transaction

static struct operation *operation_of(struct queue_item *item)
{
	return container_of(item, struct operation, item);
}

static struct registration_write *registration_of(struct queue_item *item)
{
	return container_of(item, struct registration_write, item);
}

// 0 also when the operation was refused and undone; else the transaction is of no use any more.
static enum err operation_try(struct store_writer *writer, struct operation *operation)
{
	struct database *database = writer->database;
	enum err err = database_run(database, "SAVEPOINT operation", VALUES_NONE, NO_ROWS);

	if (err)
		return err;
	operation->err = operation_run(operation, database);
	if (operation->err || operation->mode == WRITE_TRY) {
		if (operation->err == ERR_INTERNAL)
			log_error("store_statement_failed", LOG_TEXT("reason", database->message));
		operation_undo(operation);
		if (operation->err == ERR_STORE_UNAVAILABLE || !database->backend->in_transaction(database))
			return operation->err;
		err = database_run(database, "ROLLBACK TO operation", VALUES_NONE, NO_ROWS);
	}
	return err ? err : database_run(database, "RELEASE operation", VALUES_NONE, NO_ROWS);
}

// A registration of a device that is gone is refused, having written nothing; so no savepoint is needed.
static enum err registration_try(struct store_writer *writer, struct registration_write *write)
{
	enum err err = registration_save(writer->database, write);

	write->err = err;
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static enum err items_run(struct store_writer *writer, struct batch *batch)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < batch->count; i++) {
		struct queue_item *item = batch->items[i];
		err = item->run == is_operation ? operation_try(writer, operation_of(item))
						: registration_try(writer, registration_of(item));
	}
	return err;
}

// While it fails, something is written in any case: a transaction that writes nothing succeeds on a full disk.
static enum err probe(struct store_writer *writer)
{
	if (!writer->failing)
		return ERR_NONE;
	return database_run(writer->database, "UPDATE probes SET probed_at = $1 WHERE id = 1",
			    VALUES(value_integer(wall_ms())), NO_ROWS);
}

// What the transaction did to the operations is undone with it.
static void items_undo(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i]->run == is_operation)
			operation_undo(operation_of(batch->items[i]));
}

static enum err batch_commit(struct store_writer *writer, struct batch *batch)
{
	enum err err = database_begin(writer->database);

	if (!err)
		err = probe(writer);
	if (!err)
		err = items_run(writer, batch);
	if (!err)
		err = records_run(writer, batch);
	if (!err)
		err = database_commit(writer->database);
	if (!err) {
		atomic_fetch_add(&writer->commits, 1);
		atomic_fetch_add(&writer->writes, batch->count + batch->record_count);
		health_set(writer, false);
		return ERR_NONE;
	}
	database_rollback(writer->database);
	items_undo(batch);
	batch->record_count = 0;
	batch->unavailable = err == ERR_STORE_UNAVAILABLE;
	atomic_fetch_add(&writer->failures, 1);
	if (batch->unavailable)
		health_set(writer, true);
	else
		log_error("store_transaction_failed", LOG_TEXT("err", err_name(err)),
			  LOG_TEXT("reason", writer->database->message));
	return err;
}

// ---- answers

static void registration_done(struct queue_item *item)
{
	struct registration_write *write = registration_of(item);

	write->done(write);
}

static void item_finish(struct store_writer *writer, struct queue_item *item)
{
	if (item->run == is_operation) {
		operation_finish(operation_of(item), writer->settings.changed, writer->settings.context);
		return;
	}
	item->run = registration_done;
	queue_post(writer->settings.call_thread, item);
}

static void item_refuse(struct store_writer *writer, struct queue_item *item, enum err err)
{
	if (item->run == is_operation) {
		operation_of(item)->err = err;
		for (size_t i = 0; i < operation_of(item)->item_count; i++)
			operation_of(item)->items[i].problem = (struct problem){.err = ERR_NONE};
	} else {
		registration_of(item)->err = err;
	}
	item_finish(writer, item);
}

static void batch_finish(struct store_writer *writer, const struct batch *batch)
{
	for (size_t i = 0; i < batch->record_count; i++)
		record_drop_oldest(writer);
	if (batch->record_count > 0)
		writer->records_written_ms = monotonic_ms();
	if (batch->count > 0)
		writer->items_written_ms = monotonic_ms();
	for (size_t i = 0; i < batch->count; i++) // last: who is answered finds the records counted as written
		item_finish(writer, batch->items[i]);
}

// ---- batches

// One record that can never be written must not stop those behind it.
static void records_try_singly(struct store_writer *writer)
{
	for (size_t i = 0; writer->records && i < BATCH_RECORDS_MAX; i++) {
		enum err err = database_begin(writer->database);
		if (!err)
			err = record_write_out(writer, writer->records);
		if (!err)
			err = database_commit(writer->database);
		database_rollback(writer->database);
		if (err == ERR_STORE_UNAVAILABLE)
			health_set(writer, true);
		if (err == ERR_STORE_UNAVAILABLE || err == ERR_NO_MEMORY)
			return;
		if (err)
			record_lose(writer, writer->database->message);
		else
			record_drop_oldest(writer);
	}
}

static void items_try_singly(struct store_writer *writer, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch single = {.items = {batch->items[i]}, .count = 1};
		enum err err = batch_commit(writer, &single);
		if (err)
			item_refuse(writer, batch->items[i], err);
		else
			item_finish(writer, batch->items[i]);
	}
}

static void batch_write(struct store_writer *writer, struct batch *batch)
{
	enum err err = batch_commit(writer, batch);

	if (!err) {
		batch_finish(writer, batch);
	} else if (batch->unavailable) {
		for (size_t i = 0; i < batch->count; i++)
			item_refuse(writer, batch->items[i], err);
	} else {
		items_try_singly(writer, batch);
		if (batch->with_records)
			records_try_singly(writer);
	}
}

// Takes items off the list until the batch is full. Gives the rest of the list.
static struct queue_item *batch_fill(struct store_writer *writer, struct batch *batch, struct queue_item *item)
{
	batch->record_count = 0;
	while (item && batch->count < BATCH_MAX) {
		struct queue_item *next = item->next;
		if (item->run == is_record)
			record_keep(writer, container_of(item, struct kept_record, item));
		else if (item->run == is_stop)
			writer->stopping = true;
		else
			batch->items[batch->count++] = item;
		item = next;
	}
	return item;
}

// After a quiet while a record is there at once, for who looks; while many come they are written together.
static uint64_t records_due_at_ms(const struct store_writer *writer)
{
	uint64_t gathered_ms = writer->records_at_ms + GATHER_MS, spaced_ms = writer->records_written_ms + SPACING_MS;

	return gathered_ms > spaced_ms ? gathered_ms : spaced_ms;
}

static bool batch_has_operation(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i]->run == is_operation)
			return true;
	return false;
}

static bool records_due(const struct store_writer *writer)
{
	return writer->records && !writer->failing &&
	       (writer->stopping || atomic_load(&writer->records_kept) >= BATCH_RECORDS_MAX ||
		monotonic_ms() >= records_due_at_ms(writer));
}

// While there are registrations alone.
static bool items_due(const struct store_writer *writer, const struct batch *batch)
{
	return batch->count > 0 && (batch->count == BATCH_MAX || writer->stopping || writer->failing ||
				    monotonic_ms() >= writer->items_written_ms + PACE_MS);
}

// ---- the thread

static void expire(struct store_writer *writer)
{
	struct operation operation = {.kind = OPERATION_EXPIRE};
	struct batch batch = {.items = {&operation.item}, .count = 1};

	operation.item.run = is_operation;
	operation_begin(&operation);
	batch_write(writer, &batch);
	operation_end(&operation);
}

static void sweep(struct store_writer *writer)
{
	enum err err = derived_sweep(writer->database, wall_ms() - SWEEP_AFTER_MS);

	if (!err)
		err = audit_sweep(writer->database, wall_ms() - AUDIT_KEPT_MS);
	if (!err)
		err = answer_sweep(writer->database, wall_ms() - ANSWERS_KEPT_MS);
	if (!err)
		err = call_quality_sweep(writer->database, wall_ms() - QUALITY_KEPT_MS);
	if (err)
		log_warning("store_sweep_failed", LOG_TEXT("reason", writer->database->message));
}

// What is done by the clock. A failing database is tried here even when nobody writes.
static void tick(struct store_writer *writer, uint64_t now_ms)
{
	if (writer->failing)
		batch_write(writer, &(struct batch){.with_records = true});
	if (!writer->failing && now_ms >= writer->expire_at_ms) {
		writer->expire_at_ms = now_ms + EXPIRE_MS;
		expire(writer);
	}
	if (!writer->failing && now_ms >= writer->sweep_at_ms) {
		writer->sweep_at_ms = now_ms + SWEEP_MS;
		sweep(writer);
	}
}

// Takes all of the list and writes what is due; what the API writes is due at once, and with it all that waits.
static void turn(struct store_writer *writer, struct queue_item *items)
{
	struct batch *batch = &writer->batch;

	do {
		items = batch_fill(writer, batch, items);
		bool at_once = batch_has_operation(batch);
		batch->with_records = records_due(writer) || (at_once && !writer->failing);
		if (at_once || batch->with_records || items_due(writer, batch)) {
			batch_write(writer, batch);
			batch->count = 0;
		}
	} while (items || (batch->record_count > 0 && records_due(writer)));
}

static int patience_ms(const struct store_writer *writer)
{
	uint64_t now_ms = monotonic_ms(), due_ms = now_ms + TICK_MS;

	if (writer->batch.count > 0)
		due_ms = writer->items_written_ms + PACE_MS;
	if (writer->records && !writer->failing && records_due_at_ms(writer) < due_ms)
		due_ms = records_due_at_ms(writer);
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void *writer_thread(void *context)
{
	struct store_writer *writer = context;
	uint64_t tick_at_ms = 0;

	while (!writer->stopping) {
		uint64_t now_ms;
		// Before the queue is looked at: what is posted comes first, so what did not wake us is seen now.
		if (!writer->records)
			atomic_store(&writer->gathering, false);
		if (writer->batch.count == 0)
			atomic_store(&writer->pacing, false);
		turn(writer, queue_wait(writer->queue, patience_ms(writer)));
		now_ms = monotonic_ms();
		if (now_ms < tick_at_ms)
			continue;
		tick_at_ms = now_ms + TICK_MS;
		tick(writer, now_ms);
	}
	return NULL;
}

struct store_writer *store_writer_create(struct database *database, const struct store_settings *settings)
{
	struct store_writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		goto no_writer;
	writer->database = database;
	writer->settings = *settings;
	writer->records_end = &writer->records;
	if (queue_create(&writer->queue) < 0)
		goto no_queue;
	pthread_mutex_init(&writer->mutex, NULL);
	if (pthread_create(&writer->thread, NULL, writer_thread, writer) != 0)
		goto no_thread;
	return writer;

no_thread:
	pthread_mutex_destroy(&writer->mutex);
	queue_destroy(writer->queue);
no_queue:
	free(writer);
no_writer:
	database_close(database);
	return NULL;
}

void store_writer_destroy(struct store_writer *writer)
{
	writer->stop.run = is_stop;
	queue_post(writer->queue, &writer->stop);
	pthread_join(writer->thread, NULL);
	while (writer->records)
		record_lose(writer, "the database did not come back before the end");
	pthread_mutex_destroy(&writer->mutex);
	queue_destroy(writer->queue);
	database_close(writer->database);
	free(writer);
}

// ---- any thread

// Wakes the thread only when it does not wait for others of its kind already.
static void post_quietly(struct store_writer *writer, struct queue_item *item, atomic_bool *waits_already)
{
	queue_post_quietly(writer->queue, item);
	if (!atomic_exchange(waits_already, true))
		queue_wake(writer->queue);
}

void store_writer_post_registration(struct store_writer *writer, struct registration_write *write)
{
	write->item.run = is_registration;
	write->err = ERR_NONE;
	post_quietly(writer, &write->item, &writer->pacing);
}

static void record_post(struct store_writer *writer, struct kept_record *kept)
{
	kept->item.run = is_record;
	post_quietly(writer, &kept->item, &writer->gathering);
}

void store_writer_post_call(struct store_writer *writer, struct call_record *record)
{
	struct kept_record *kept = arena_alloc(&record->arena, sizeof *kept);

	if (!kept) {
		log_error("call_record_lost", LOG_STR("id", record->id), LOG_TEXT("why", "no memory"));
		atomic_fetch_add(&writer->records_lost, 1);
		call_record_free(record);
		return;
	}
	kept->record = record;
	record_post(writer, kept);
}

static struct str text_put(char **at, struct str text)
{
	struct str copy = {*at, text.length};

	if (!str_empty(text))
		memcpy(*at, text.at, text.length);
	*at += text.length;
	return copy;
}

void store_writer_post_quality(struct store_writer *writer, const struct call_quality *quality)
{
	struct kept_record *kept =
	    calloc(1, sizeof *kept + quality->record.length + quality->relay.length + quality->codec.length);

	if (!kept) {
		log_warning("call_quality_lost", LOG_STR("id", quality->record), LOG_TEXT("why", "no memory"));
		return;
	}
	char *texts = (char *)(kept + 1);
	kept->quality = *quality;
	kept->quality.record = text_put(&texts, quality->record);
	kept->quality.relay = text_put(&texts, quality->relay);
	kept->quality.codec = text_put(&texts, quality->codec);
	record_post(writer, kept);
}

void store_writer_post_operation(struct store_writer *writer, struct operation *operation)
{
	operation->item.run = is_operation;
	queue_post(writer->queue, &operation->item);
}

struct store_counters store_writer_count(const struct store_writer *writer)
{
	return (struct store_counters){
	    .commits = atomic_load(&writer->commits),
	    .writes = atomic_load(&writer->writes),
	    .failures = atomic_load(&writer->failures),
	    .waiting = queue_length(writer->queue),
	    .records_kept = atomic_load(&writer->records_kept),
	    .records_lost = atomic_load(&writer->records_lost),
	};
}
