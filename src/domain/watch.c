// Gathers reports into a batch and hands it over when its time has come.
#include "domain/watch.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "domain/registration.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	CALLS_PER_TURN = 64,     // in one turn of the loop, so that calls need not wait for reports
	DEVICES_PER_TURN = 200,  // named in one batch
	ENTITIES_PER_KIND = 100, // likewise
	REPORTS_MAX = 4000,      // in one batch
	BATCH_MEMORY_MAX = 8 << 20,
	BATCHES_WAITING_MAX = 32, // that nobody has taken
	SETTLE_MS = 10,           // what happens together comes together
};

const char *const entity_action_names[] = {"created", "changed", "deleted"};

// A device that has changed since the last batch.
struct changed_device {
	struct hash_node node;
	struct list order; // in watch.devices
	uint64_t id;
};

struct watch {
	struct loop *loop;
	struct directory *directory;
	struct registrations *registrations;
	struct queue *batches;
	_Atomic unsigned interval_ms; // 0: nobody listens
	struct timer timer;
	uint64_t delivered_ms;                // loop_now_ms of the last batch
	struct watch_batch *batch;            // NULL: empty so far
	unsigned entities[ENTITY_KIND_COUNT]; // in it
	struct hash_table *devices_by_id;
	struct list devices;
	bool (*calls_report)(void *context, size_t max);
	void *calls_context;
};

bool watch_wanted(const struct watch *watch)
{
	return watch && atomic_load_explicit(&watch->interval_ms, memory_order_relaxed) != 0;
}

// ---- the batch

static void batch_taken(struct queue_item *item)
{
	(void)item; // whoever waits takes it himself
}

static struct watch_batch *batch_get(struct watch *watch)
{
	if (watch->batch)
		return watch->batch;
	struct watch_batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return NULL;
	batch->item.run = batch_taken;
	batch->end = &batch->first;
	arena_init(&batch->arena, BATCH_MEMORY_MAX);
	watch->batch = batch;
	for (size_t i = 0; i < ENTITY_KIND_COUNT; i++)
		watch->entities[i] = 0;
	return batch;
}

void watch_batch_free(struct watch_batch *batch)
{
	if (!batch)
		return;
	arena_free(&batch->arena);
	free(batch);
}

struct report *watch_report(struct watch *watch, enum report_kind kind, struct arena **arena)
{
	struct watch_batch *batch = batch_get(watch);

	if (!batch)
		return NULL;
	struct report *report = batch->count < REPORTS_MAX ? arena_alloc(&batch->arena, sizeof *report) : NULL;
	if (!report) {
		batch->incomplete = true;
		return NULL;
	}
	report->kind = kind;
	*batch->end = report;
	batch->end = &report->next;
	batch->count++;
	*arena = &batch->arena;
	return report;
}

static void batch_deliver(struct watch *watch)
{
	struct watch_batch *batch = watch->batch;

	if (!batch)
		return;
	// A listener that has stopped taking batches costs a bounded amount of memory, and finds the last one incomplete.
	if (queue_length(watch->batches) >= BATCHES_WAITING_MAX) {
		arena_reset(&batch->arena);
		batch->first = NULL;
		batch->end = &batch->first;
		batch->count = 0;
		batch->incomplete = true;
		return;
	}
	watch->batch = NULL;
	watch->delivered_ms = loop_now_ms(watch->loop);
	queue_post(watch->batches, &batch->item);
}

// ---- devices

static bool same_device(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct changed_device, node)->id == *(const uint64_t *)key;
}

static void changed_device_drop(struct watch *watch, struct changed_device *changed)
{
	hash_remove(watch->devices_by_id, &changed->node);
	list_remove(&changed->order);
	free(changed);
}

void watch_device(struct watch *watch, uint64_t device_id)
{
	if (!watch_wanted(watch) || device_id == 0 ||
	    hash_find(watch->devices_by_id, hash_id(device_id), same_device, &device_id))
		return;
	watch_soon(watch);
	// One more than are named shows that there were too many.
	if (hash_count(watch->devices_by_id) > DEVICES_PER_TURN)
		return;
	struct changed_device *changed = calloc(1, sizeof *changed);
	if (!changed || !hash_insert(watch->devices_by_id, &changed->node, hash_id(device_id))) {
		struct watch_batch *batch = batch_get(watch);
		if (batch)
			batch->incomplete = true;
		free(changed);
		return;
	}
	changed->id = device_id;
	list_append(&watch->devices, &changed->order);
}

static unsigned contacts_of(struct watch *watch, uint64_t device_id)
{
	const struct list *bindings = registrations_of(watch->registrations, device_id);
	unsigned count = 0;

	if (!bindings)
		return 0;
	list_each (node, following, bindings)
		count++;
	return count;
}

static void device_report(struct watch *watch, uint64_t device_id)
{
	unsigned contacts = contacts_of(watch, device_id);
	const struct device *device = directory_device(watch->directory, device_id);
	struct arena *arena;

	if (!device) // deleted; that is reported as such
		return;
	struct report *report = watch_report(watch, REPORT_DEVICE, &arena);
	if (!report)
		return;
	struct holding_view holding = directory_holding(watch->directory, device_id);
	const struct user *holder = holding.user;
	report->device = (struct device_report){
	    .device_id = device_id,
	    .number = arena_copy(arena, device->number),
	    .title = arena_copy(arena, device->title),
	    .device_kind = device->device_kind,
	    .available_for_selection = device->available_for_selection,
	    .contacts = contacts,
	    .held = holding.held,
	    .holders = holding.holders,
	    .expires_at = holding.expires_at,
	    .holder_id = holder ? holder->entity.id : 0,
	    .holder_title = holder ? arena_copy(arena, holder->title) : STR_NONE,
	    .holder_extension = holder ? arena_copy(arena, holder->extension) : STR_NONE,
	};
}

static void devices_report(struct watch *watch)
{
	struct arena *arena;
	bool too_many = hash_count(watch->devices_by_id) > DEVICES_PER_TURN;

	for (size_t i = 0; i <= DEVICES_PER_TURN && !list_empty(&watch->devices); i++) {
		struct changed_device *changed = container_of(watch->devices.next, struct changed_device, order);
		uint64_t id = changed->id;
		changed_device_drop(watch, changed);
		if (!too_many)
			device_report(watch, id);
	}
	if (too_many)
		watch_report(watch, REPORT_DEVICE, &arena); // without an id
}

// ---- entities

static uint64_t user_concerned(const struct entity *entity)
{
	switch (entity->kind) {
	case ENTITY_USER:
		return entity->id;
	case ENTITY_SELECTION:
		return ((const struct selection *)entity)->user_id;
	case ENTITY_SESSION:
		return ((const struct session *)entity)->user_id;
	case ENTITY_TOKEN:
		return ((const struct token *)entity)->user_id;
	case ENTITY_DEVICE:
	case ENTITY_TRUNK:
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	return 0;
}

// The devices whose state this changes: itself, the selected one, those assigned.
static void devices_concerned(struct watch *watch, const struct entity *entity)
{
	if (!entity)
		return;
	if (entity->kind == ENTITY_DEVICE)
		watch_device(watch, entity->id);
	if (entity->kind == ENTITY_SELECTION)
		watch_device(watch, ((const struct selection *)entity)->device_id);
	if (entity->kind != ENTITY_USER)
		return;
	const struct user *user = (const struct user *)entity;
	for (size_t i = 0; i < user->turn_count; i++)
		watch_device(watch, user->turns[i].device_id);
}

static void entity_describe(struct watch *watch, struct entity_report *report, const struct entity *entity,
			    struct arena *arena)
{
	const struct user *user = entity->kind == ENTITY_USER ? (const struct user *)entity
							      : directory_user(watch->directory, report->user_id);

	report->id = entity->id;
	report->version = entity->version;
	if (!user)
		return;
	report->role = user->role;
	report->name = arena_copy(arena, user->name);
	report->title = arena_copy(arena, user->title);
	report->extension = arena_copy(arena, user->extension);
}

void watch_entity(struct watch *watch, const struct entity *before, const struct entity *after)
{
	const struct entity *entity = after ? after : before;
	struct arena *arena;

	if (!watch_wanted(watch) || !batch_get(watch))
		return;
	watch_soon(watch);
	devices_concerned(watch, before);
	devices_concerned(watch, after);
	if (watch->entities[entity->kind] > ENTITIES_PER_KIND)
		return;
	struct report *report = watch_report(watch, REPORT_ENTITY, &arena);
	if (!report)
		return;
	report->entity = (struct entity_report){.kind = entity->kind, .action = ENTITY_CHANGED};
	if (++watch->entities[entity->kind] > ENTITIES_PER_KIND)
		return; // without an id
	if (!before || !after)
		report->entity.action = after ? ENTITY_CREATED : ENTITY_DELETED;
	report->entity.user_id = user_concerned(entity);
	entity_describe(watch, &report->entity, entity, arena);
}

// ---- trunks

void watch_trunk(struct watch *watch, uint64_t trunk_id)
{
	struct arena *arena;

	if (!watch_wanted(watch) || !batch_get(watch))
		return;
	watch_soon(watch);
	for (const struct report *report = watch->batch->first; report; report = report->next)
		if (report->kind == REPORT_TRUNK && report->trunk_id == trunk_id)
			return;
	struct report *report = watch_report(watch, REPORT_TRUNK, &arena);
	if (report)
		report->trunk_id = trunk_id;
}

// ---- handing over

void watch_soon(struct watch *watch)
{
	uint64_t interval_ms = atomic_load_explicit(&watch->interval_ms, memory_order_relaxed);
	uint64_t since_ms = loop_now_ms(watch->loop) - watch->delivered_ms;

	if (timer_running(&watch->timer))
		return;
	// After a quiet time at once, and otherwise as seldom as the listeners like it.
	timer_start(watch->loop, &watch->timer,
		    since_ms + SETTLE_MS >= interval_ms ? SETTLE_MS : interval_ms - since_ms);
}

static void timer_due(struct timer *timer)
{
	struct watch *watch = container_of(timer, struct watch, timer);
	bool more = watch->calls_report && watch->calls_report(watch->calls_context, CALLS_PER_TURN);

	devices_report(watch);
	batch_deliver(watch);
	if (more || watch->batch)
		timer_start(watch->loop, &watch->timer, more ? 1 : SETTLE_MS * 10);
}

void watch_alarm(struct watch *watch, const struct toll_alarm *alarm)
{
	struct arena *arena;
	struct report *report = watch_wanted(watch) ? watch_report(watch, REPORT_ALARM, &arena) : NULL;

	if (!report)
		return;
	report->alarm = *alarm;
	watch_soon(watch);
}

void watch_calls(struct watch *watch, bool (*report)(void *context, size_t max), void *context)
{
	watch->calls_report = report;
	watch->calls_context = context;
}

void watch_listen(struct watch *watch, unsigned interval_ms)
{
	atomic_store_explicit(&watch->interval_ms, interval_ms, memory_order_relaxed);
}

struct queue_item *watch_wait(struct watch *watch, int timeout_ms)
{
	return queue_wait(watch->batches, timeout_ms);
}

// ---- the module's own

struct watch *watch_create(struct loop *loop, struct directory *directory, struct registrations *registrations)
{
	struct watch *watch = calloc(1, sizeof *watch);

	if (!watch)
		return NULL;
	watch->loop = loop;
	watch->directory = directory;
	watch->registrations = registrations;
	list_init(&watch->devices);
	timer_init(&watch->timer, timer_due);
	watch->devices_by_id = hash_create();
	if (watch->devices_by_id && queue_create(&watch->batches) == 0)
		return watch;
	hash_destroy(watch->devices_by_id);
	free(watch);
	return NULL;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	timer_stop(&watch->timer);
	while (!list_empty(&watch->devices))
		changed_device_drop(watch, container_of(watch->devices.next, struct changed_device, order));
	hash_destroy(watch->devices_by_id);
	for (struct queue_item *item = queue_wait(watch->batches, 0), *next; item; item = next) {
		next = item->next;
		watch_batch_free(container_of(item, struct watch_batch, item));
	}
	watch_batch_free(watch->batch);
	queue_destroy(watch->batches);
	free(watch);
}
