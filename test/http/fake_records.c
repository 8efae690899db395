// The store's port in memory.
#include "http/fake_records.h"

#include "domain/device.h"
#include "domain/session.h"
#include "domain/site.h"
#include "domain/user.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTITIES_MAX = 4096, CALLS_MAX = 16 };

struct row {
	struct arena arena;
	struct entity *entity; // NULL = free
};

struct fake_records {
	struct records port;
	pthread_mutex_t lock;
	struct row rows[ENTITY_KIND_COUNT][ENTITIES_MAX]; // by id - 1
	uint64_t last_id[ENTITY_KIND_COUNT];
	struct call_record *calls[CALLS_MAX];
	size_t call_count;
	_Atomic int failure;
	atomic_bool ails;
	void (*changed)(void *context, const struct entity *before, const struct entity *after);
	void *context;
};

static struct entity *row_get(struct fake_records *fake, enum entity_kind kind, uint64_t id)
{
	return id >= 1 && id <= fake->last_id[kind] ? fake->rows[kind][id - 1].entity : NULL;
}

static enum err row_set(struct fake_records *fake, const struct entity *entity)
{
	struct row *row = &fake->rows[entity->kind][entity->id - 1], copy;
	arena_init(&copy.arena, 0);
	copy.entity = entity_copy(entity, &copy.arena);
	if (!copy.entity) {
		arena_free(&copy.arena);
		return ERR_NO_MEMORY;
	}
	if (row->entity)
		arena_free(&row->arena);
	*row = copy;
	return ERR_NONE;
}

static void row_clear(struct fake_records *fake, enum entity_kind kind, uint64_t id)
{
	struct row *row = &fake->rows[kind][id - 1];
	arena_free(&row->arena);
	row->entity = NULL;
}

// ---- text of a field, for filters, search and order

static struct str field_text(const struct entity *entity, const struct field *field, char *buffer, size_t size)
{
	const void *value = field_of(entity, field);
	struct writer w = writer_into(buffer, size);
	switch (field->type) {
	case FIELD_TEXT:
		return *(const struct str *)value;
	case FIELD_INTEGER:
	case FIELD_TIME:
		writer_int(&w, *(const int64_t *)value);
		break;
	case FIELD_BOOLEAN:
		writer_text(&w, *(const bool *)value ? "true" : "false");
		break;
	case FIELD_CHOICE:
		writer_text(&w, field->choices[*(const int *)value]);
		break;
	case FIELD_REFERENCE:
		writer_uint(&w, *(const uint64_t *)value);
		break;
	}
	return writer_result(&w);
}

static bool field_same(const struct entity *a, const struct entity *b, const struct field *field)
{
	char first[32], second[32];
	return str_equal(field_text(a, field, first, sizeof first), field_text(b, field, second, sizeof second));
}

static struct entity *row_find(struct fake_records *fake, enum entity_kind kind, const char *name, struct str value)
{
	const struct field *field = entity_field(entity_type(kind), str_of(name));
	char buffer[32];
	for (uint64_t id = 1; id <= fake->last_id[kind]; id++) {
		struct entity *entity = row_get(fake, kind, id);
		if (entity && str_equal(field_text(entity, field, buffer, sizeof buffer), value))
			return entity;
	}
	return NULL;
}

// ---- rules

static enum err unique_check(struct fake_records *fake, const struct entity *entity, struct problem *problem)
{
	const struct entity_type *type = entity_type(entity->kind);
	char buffer[32];
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if (!(field->flags & FIELD_UNIQUE))
			continue;
		struct entity *other =
		    row_find(fake, entity->kind, field->name, field_text(entity, field, buffer, sizeof buffer));
		if (!other || other->id == entity->id)
			continue;
		problem->other_id = other->id;
		return problem_set(problem, ERR_NOT_UNIQUE, field->name, "Another %s has this %s already.", type->name,
				   field->name);
	}
	return ERR_NONE;
}

static const struct user *assigned_to(struct fake_records *fake, uint64_t device_id, uint64_t except)
{
	for (uint64_t id = 1; id <= fake->last_id[ENTITY_USER]; id++) {
		const struct user *user = (struct user *)row_get(fake, ENTITY_USER, id);
		for (size_t i = 0; user && id != except && i < user->turn_count; i++)
			if (user->turns[i].device_id == device_id)
				return user;
	}
	return NULL;
}

static const struct user *selected_by(struct fake_records *fake, uint64_t device_id, uint64_t except)
{
	for (uint64_t id = 1; id <= fake->last_id[ENTITY_SELECTION]; id++) {
		const struct selection *selection = (struct selection *)row_get(fake, ENTITY_SELECTION, id);
		if (selection && selection->device_id == device_id && selection->user_id != except)
			return (struct user *)row_get(fake, ENTITY_USER, selection->user_id);
	}
	return NULL;
}

static enum err device_free(struct fake_records *fake, uint64_t device_id, uint64_t user_id, const char *field,
			    struct problem *problem)
{
	const struct device *device = (struct device *)row_get(fake, ENTITY_DEVICE, device_id);
	const struct user *holder = assigned_to(fake, device_id, user_id);
	if (!device)
		return problem_set(problem, ERR_INVALID_FIELD, field, "There is no such device.");
	if (!device_kind_has_one_holder(device->device_kind))
		return ERR_NONE;
	if (!holder)
		holder = selected_by(fake, device_id, user_id);
	if (!holder)
		return ERR_NONE;
	problem->other_id = holder->entity.id;
	return problem_set(problem, ERR_DEVICE_TAKEN, field, "Device %.*s belongs to %.*s (%.*s).",
			   STR_ARG(device->number), STR_ARG(holder->title), STR_ARG(holder->extension));
}

static enum err kind_check(struct fake_records *fake, const struct entity *entity, struct problem *problem)
{
	if (entity->kind == ENTITY_USER) {
		const struct user *user = (const struct user *)entity;
		enum err err = ERR_NONE;
		for (size_t i = 0; !err && i < user->turn_count; i++)
			err = device_free(fake, user->turns[i].device_id, entity->id, "turns", problem);
		return err;
	}
	if (entity->kind == ENTITY_SELECTION) {
		const struct selection *selection = (const struct selection *)entity;
		const struct user *user = (struct user *)row_get(fake, ENTITY_USER, selection->user_id);
		const struct device *device = (struct device *)row_get(fake, ENTITY_DEVICE, selection->device_id);
		if (user->turn_count)
			return problem_set(problem, ERR_NOT_ALLOWED, "user_id",
					   "Who has devices assigned cannot select another one.");
		if (device && !device->available_for_selection)
			return problem_set(problem, ERR_NOT_ALLOWED, "device_id", "This device cannot be selected.");
		return device_free(fake, selection->device_id, selection->user_id, "device_id", problem);
	}
	return ERR_NONE;
}

static enum err fixed_check(struct fake_records *fake, const struct entity *before, const struct entity *after,
			    struct problem *problem)
{
	const struct entity_type *type = entity_type(after->kind);
	for (size_t i = 0; i < type->field_count; i++)
		if (type->fields[i].flags & FIELD_FIXED && !field_same(before, after, &type->fields[i]))
			return problem_set(problem, ERR_FIXED_FIELD, type->fields[i].name, NULL);
	if (after->kind != ENTITY_USER)
		return ERR_NONE;
	const struct user *old = (const struct user *)before, *new = (const struct user *)after;
	char id[24];
	snprintf(id, sizeof id, "%" PRIu64, after->id);
	if ((old->role != new->role || !str_equal(old->extension, new->extension)) &&
	    row_find(fake, ENTITY_SESSION, "user_id", str_of(id)))
		return problem_set(problem, ERR_SIGNED_IN, old->role != new->role ? "role" : "extension", NULL);
	return ERR_NONE;
}

// As the store does it, if only for numbers that are international already.
static void canonical_make(struct entity *entity, char *buffer, size_t size)
{
	const struct field *number = entity_field(entity_type(entity->kind), STR("number"));
	const struct field *canonical = entity_field(entity_type(entity->kind), STR("canonical"));
	struct writer w = writer_into(buffer, size);
	if (!canonical || (entity->kind == ENTITY_DEVICE && ((struct device *)entity)->device_kind != DEVICE_EXTERNAL))
		return;
	struct str typed = *(struct str *)field_of(entity, number);
	for (size_t i = 0; i < typed.length; i++)
		if (typed.at[i] == '+' || (typed.at[i] >= '0' && typed.at[i] <= '9'))
			writer_char(&w, typed.at[i]);
	*(struct str *)field_of(entity, canonical) = writer_result(&w);
}

// The buffer goes: the row has it for as long as there is a row.
static void canonical_keep(struct fake_records *fake, struct entity *entity)
{
	const struct field *canonical = entity_field(entity_type(entity->kind), STR("canonical"));
	const struct entity *row = row_get(fake, entity->kind, entity->id);
	if (canonical)
		*(struct str *)field_of(entity, canonical) = row ? *(struct str *)field_of(row, canonical) : STR_NONE;
}

// What a route needs its trunk for, and a DID its user.
static enum err needed_check(struct fake_records *fake, enum entity_kind kind, uint64_t id, struct problem *problem)
{
	static const struct {
		enum entity_kind needed, by;
		const char *field;
	} needs[] = {{ENTITY_TRUNK, ENTITY_ROUTE, "trunk_id"}, {ENTITY_USER, ENTITY_DID, "user_id"}};
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, id);
	for (size_t i = 0; i < 2; i++)
		if (needs[i].needed == kind && row_find(fake, needs[i].by, needs[i].field, str_of(text)))
			return problem_set(problem, ERR_IN_USE, NULL, NULL);
	return ERR_NONE;
}

// ---- the port

static void tell(struct fake_records *fake, const struct entity *before, const struct entity *after)
{
	if (fake->changed)
		fake->changed(fake->context, before, after);
}

static enum err failure(struct fake_records *fake)
{
	return (enum err)atomic_load(&fake->failure);
}

static void selection_remember(struct fake_records *fake, const struct entity *entity)
{
	const struct selection *selection = (const struct selection *)entity;
	if (entity->kind == ENTITY_SELECTION)
		((struct user *)row_get(fake, ENTITY_USER, selection->user_id))->last_device_id =
		    (int64_t)selection->device_id;
}

static enum err fake_create(void *context, struct entity *entity, struct problem *problem)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	static _Thread_local char canonical[64]; // the answer shows it after this
	if (err)
		return err;
	canonical_make(entity, canonical, sizeof canonical);
	pthread_mutex_lock(&fake->lock);
	err = entity_check(entity, problem);
	if (!err)
		err = kind_check(fake, entity, problem);
	if (!err)
		err = unique_check(fake, entity, problem);
	if (!err) {
		entity->id = fake->last_id[entity->kind] + 1;
		entity->version = 1;
		assert(entity->id <= ENTITIES_MAX);
		err = row_set(fake, entity);
	}
	if (!err)
		selection_remember(fake, entity);
	if (!err)
		fake->last_id[entity->kind]++;
	canonical_keep(fake, entity);
	pthread_mutex_unlock(&fake->lock);
	if (!err)
		tell(fake, NULL, entity);
	return err;
}

static enum err fake_update(void *context, struct entity *entity, struct problem *problem)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	static _Thread_local char canonical[64]; // the answer shows it after this
	if (err)
		return err;
	canonical_make(entity, canonical, sizeof canonical);
	pthread_mutex_lock(&fake->lock);
	const struct entity *before = row_get(fake, entity->kind, entity->id);
	if (!before)
		err = ERR_NOT_FOUND;
	else if (entity->version && entity->version != before->version)
		err = problem_set(problem, ERR_STALE, NULL, NULL);
	if (!err)
		err = entity_check(entity, problem);
	if (!err)
		err = fixed_check(fake, before, entity, problem);
	if (!err)
		err = kind_check(fake, entity, problem);
	if (!err)
		err = unique_check(fake, entity, problem);
	if (!err) {
		entity->version = before->version + 1;
		err = row_set(fake, entity);
	}
	canonical_keep(fake, entity);
	pthread_mutex_unlock(&fake->lock);
	if (!err)
		tell(fake, entity, entity);
	return err;
}

static enum err device_release(struct fake_records *fake, uint64_t device_id, enum delete_mode mode,
			       struct problem *problem)
{
	const struct user *holder = assigned_to(fake, device_id, 0);
	if (!holder && mode == DELETE_IF_FREE)
		holder = selected_by(fake, device_id, 0);
	if (!holder)
		return ERR_NONE;
	if (mode == DELETE_IF_FREE)
		return problem_set(problem, ERR_IN_USE, NULL, "%.*s has this device.", STR_ARG(holder->title));
	struct user *user = (struct user *)(uintptr_t)holder;
	user->turn_count = 0;
	return ERR_NONE;
}

static enum err fake_remove(void *context, enum entity_kind kind, uint64_t id, uint64_t version, enum delete_mode mode,
			    struct problem *problem)
{
	struct fake_records *fake = context;
	struct arena arena;
	struct entity *before = NULL;
	enum err err = failure(fake);
	if (err)
		return err;
	arena_init(&arena, 0);
	pthread_mutex_lock(&fake->lock);
	struct entity *entity = row_get(fake, kind, id);
	if (!entity)
		err = ERR_NOT_FOUND;
	else if (version && version != entity->version)
		err = problem_set(problem, ERR_STALE, NULL, NULL);
	else if (kind == ENTITY_DEVICE)
		err = device_release(fake, id, mode, problem);
	else
		err = needed_check(fake, kind, id, problem);
	if (!err) {
		before = entity_copy(entity, &arena);
		err = before ? ERR_NONE : ERR_NO_MEMORY;
	}
	if (!err)
		row_clear(fake, kind, id);
	pthread_mutex_unlock(&fake->lock);
	if (before)
		tell(fake, before, NULL);
	arena_free(&arena);
	return err;
}

static enum err fake_get(void *context, enum entity_kind kind, uint64_t id, struct arena *arena, struct entity **entity)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	if (err)
		return err;
	pthread_mutex_lock(&fake->lock);
	struct entity *found = row_get(fake, kind, id);
	*entity = found ? entity_copy(found, arena) : NULL;
	pthread_mutex_unlock(&fake->lock);
	if (!found)
		return ERR_NOT_FOUND;
	return *entity ? ERR_NONE : ERR_NO_MEMORY;
}

static enum err fake_find(void *context, enum entity_kind kind, const char *field, struct str value,
			  struct arena *arena, struct entity **entity)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	if (err)
		return err;
	pthread_mutex_lock(&fake->lock);
	struct entity *found = row_find(fake, kind, field, value);
	*entity = found ? entity_copy(found, arena) : NULL;
	pthread_mutex_unlock(&fake->lock);
	if (!found)
		return ERR_NOT_FOUND;
	return *entity ? ERR_NONE : ERR_NO_MEMORY;
}

// Of the filters that are no fields only holder_id: by assignment.
static bool derived_matches(struct fake_records *fake, const struct entity *entity, const struct list_filter *filter)
{
	uint64_t id = 0;
	if (!str_equal(str_of(filter->field->name), STR("holder_id")) || !str_to_uint(filter->value, UINT64_MAX, &id))
		return true;
	const struct user *holder = assigned_to(fake, entity->id, 0);
	return holder && holder->entity.id == id;
}

static bool matches(struct fake_records *fake, const struct entity *entity, const struct list_query *query)
{
	const struct entity_type *type = entity_type(entity->kind);
	char buffer[32];
	for (size_t i = 0; i < query->filter_count; i++)
		if (query->filters[i].field < type->fields ||
		    query->filters[i].field >= type->fields + type->field_count) {
			if (!derived_matches(fake, entity, &query->filters[i]))
				return false;
		} else if (!str_equal(field_text(entity, query->filters[i].field, buffer, sizeof buffer),
				      query->filters[i].value))
			return false;
	if (str_empty(query->q))
		return true;
	for (size_t i = 0; i < type->field_count; i++) {
		struct str text = field_text(entity, &type->fields[i], buffer, sizeof buffer);
		if (!(type->fields[i].flags & FIELD_HIDDEN) && type->fields[i].type == FIELD_TEXT &&
		    memmem(text.at ? text.at : "", text.length, query->q.at, query->q.length))
			return true;
	}
	return false;
}

struct order {
	const struct field *field; // NULL = by id
	int sign;
};

static int compare(const void *a, const void *b, void *context)
{
	const struct entity *first = *(struct entity *const *)a, *second = *(struct entity *const *)b;
	const struct order *order = context;
	char one[32], two[32];
	int result = order->field ? str_compare(field_text(first, order->field, one, sizeof one),
						field_text(second, order->field, two, sizeof two))
				  : 0;
	if (result == 0)
		result = first->id < second->id ? -1 : 1;
	return result * order->sign;
}

static enum err list_locked(struct fake_records *fake, enum entity_kind kind, const struct list_query *query,
			    struct arena *arena, struct entity_page *page)
{
	static const struct entity *found[ENTITIES_MAX]; // under the lock
	struct str sort = query->sort;
	struct order order = {NULL, str_starts(sort, STR("-")) ? -1 : 1};
	uint64_t offset = 0;
	size_t count = 0;
	order.field = entity_field(entity_type(kind), str_from(sort, order.sign < 0 ? 1 : 0));
	if (!str_empty(query->cursor) && !str_to_uint(query->cursor, ENTITIES_MAX, &offset))
		return ERR_MALFORMED;
	for (uint64_t id = 1; id <= fake->last_id[kind]; id++) {
		const struct entity *entity = row_get(fake, kind, id);
		if (entity && matches(fake, entity, query))
			found[count++] = entity;
	}
	qsort_r(found, count, sizeof *found, compare, &order);
	page->total = count;
	page->entities = arena_alloc(arena, (query->limit + 1) * sizeof *page->entities);
	if (!page->entities)
		return ERR_NO_MEMORY;
	for (; page->count < query->limit && offset < count; page->count++, offset++) {
		page->entities[page->count] = entity_copy(found[offset], arena);
		if (!page->entities[page->count])
			return ERR_NO_MEMORY;
	}
	if (offset < count)
		page->next = arena_format(arena, "%" PRIu64, offset);
	return ERR_NONE;
}

static enum err fake_list(void *context, enum entity_kind kind, const struct list_query *query, struct arena *arena,
			  struct entity_page *page)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	if (err)
		return err;
	*page = (struct entity_page){.count = 0};
	pthread_mutex_lock(&fake->lock);
	err = list_locked(fake, kind, query, arena, page);
	pthread_mutex_unlock(&fake->lock);
	return err;
}

static enum err fake_count_by(void *context, const struct field *field, enum entity_kind kind, const uint64_t *ids,
			      size_t count, uint64_t *counts)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	if (err)
		return err;
	pthread_mutex_lock(&fake->lock);
	for (size_t i = 0; i < count; i++) {
		counts[i] = 0;
		for (uint64_t id = 1; id <= fake->last_id[kind]; id++) {
			const struct entity *entity = row_get(fake, kind, id);
			counts[i] += entity && *(uint64_t *)field_of(entity, field) == ids[i];
		}
	}
	pthread_mutex_unlock(&fake->lock);
	return ERR_NONE;
}

static enum err fake_overview(void *context, struct store_overview *overview)
{
	*overview = (struct store_overview){.users = 4,
					    .devices = 2,
					    .unreachable_users = {.count = 1, .examples = {{2, "jane (510)"}}},
					    .disk_free_bytes = 50 << 20};
	return failure(context);
}

static enum err fake_record_list(void *context, const struct record_query *query, struct arena *arena,
				 struct record_page *page)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	*page = (struct record_page){.count = 0};
	if (err)
		return err;
	page->records = arena_alloc(arena, CALLS_MAX * sizeof *page->records);
	if (!page->records)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < fake->call_count && page->count < query->limit; i++)
		if (fake->calls[i]->started_at >= query->from && (!query->to || fake->calls[i]->started_at < query->to))
			page->records[page->count++] = fake->calls[i];
	return ERR_NONE;
}

// Nothing was ever recorded, and nothing is kept.
static enum err fake_recording_save(void *context, const struct recording *recording)
{
	(void)recording;
	return failure(context);
}

static enum err fake_recording_get(void *context, struct str name, struct arena *arena, struct recording *recording)
{
	enum err err = failure(context);
	(void)name;
	(void)arena;
	*recording = (struct recording){.user_id = 0};
	return err ? err : ERR_NOT_FOUND;
}

static enum err fake_recording_list(void *context, struct arena *arena, struct recording_page *page)
{
	(void)arena;
	*page = (struct recording_page){.count = 0};
	return failure(context);
}

static enum err fake_answer_times(void *context, uint64_t device_id, struct arena *arena, struct answer_time **times,
				  size_t *count)
{
	enum err err = failure(context);
	(void)device_id;
	*count = 0;
	if (err)
		return err;
	*times = arena_alloc(arena, ANSWER_TIMES_NEEDED * sizeof **times);
	if (!*times)
		return ERR_NO_MEMORY;
	for (; *count < ANSWER_TIMES_NEEDED; (*count)++)
		(*times)[*count] =
		    (struct answer_time){ANSWER_TAKEN, true, *count < 5 ? 200 : 3000 + 100 * (int64_t)*count};
	return ERR_NONE;
}

static enum err fake_record_get(void *context, struct str id, struct arena *arena, struct call_record **record)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	(void)arena;
	for (size_t i = 0; !err && i < fake->call_count; i++) {
		*record = fake->calls[i];
		if (str_equal((*record)->id, id))
			return ERR_NONE;
	}
	return err ? err : ERR_NOT_FOUND;
}

// One after the other, and not undone: the real store's business.
static enum err fake_write_all(void *context, struct record_write *writes, size_t count, enum write_mode mode)
{
	enum err err = failure(context), first = err;
	(void)mode;
	for (size_t i = 0; !err && i < count; i++) {
		struct record_write *write = &writes[i];
		switch (write->kind) {
		case WRITE_CREATE:
			write->err = fake_create(context, write->entity, &write->problem);
			break;
		case WRITE_UPDATE:
			write->err = fake_update(context, write->entity, &write->problem);
			break;
		case WRITE_REMOVE:
			write->err = fake_remove(context, write->entity->kind, write->entity->id,
						 write->entity->version, write->mode, &write->problem);
			break;
		}
		if (write->err && !write->problem.err)
			problem_set(&write->problem, write->err, NULL, NULL);
		first = first ? first : write->err;
	}
	return first;
}

static void fake_act_as(void *context, const struct actor *actor)
{
	(void)context;
	(void)actor;
}

static enum err fake_note(void *context, const struct audit_note *note)
{
	(void)note;
	return failure(context);
}

static enum err fake_answer_save(void *context, const struct kept_answer *answer)
{
	(void)answer;
	return failure(context);
}

static enum err fake_answer_find(void *context, struct str key, struct arena *arena, struct kept_answer *answer)
{
	enum err err = failure(context);
	(void)key;
	(void)arena;
	(void)answer;
	return err ? err : ERR_NOT_FOUND;
}

// There is one entry, number 1: Jane has signed in.
static enum err fake_audit_list(void *context, const struct audit_query *query, struct arena *arena,
				struct audit_page *page)
{
	static struct audit_entry entry = {.id = 1,
					   .at = 1700000000000,
					   .group_id = 1,
					   .actor_id = 2,
					   .actor = {"jane", 4},
					   .via = {"console", 7},
					   .action = {"sign_in", 7},
					   .entity = {"session", 7},
					   .entity_id = 1};
	(void)arena;
	*page = (struct audit_page){.entries = &entry};
	page->count = query->id <= 1 && query->after_id == 0 && (query->entity_id <= 1) ? 1 : 0;
	return failure(context);
}

static bool fake_healthy(void *context, char *sentence, size_t size)
{
	struct fake_records *fake = context;
	enum err err = failure(fake);
	snprintf(sentence, size, "%s", err_sentence(err ? err : ERR_STORE_UNAVAILABLE));
	return err == ERR_NONE && !atomic_load(&fake->ails);
}

static void fake_save_registration(void *context, struct registration_write *write)
{
	(void)context;
	write->err = ERR_NONE;
	write->done(write);
}

static void fake_save_call(void *context, struct call_record *record)
{
	fake_records_add_call(context, record);
}

// There from the start, as a migration makes it.
static void site_make(struct fake_records *fake)
{
	struct arena arena;
	arena_init(&arena, 0);
	struct entity *site = entity_new(ENTITY_SITE, &arena);
	site->id = site->version = SITE_ID;
	fake->last_id[ENTITY_SITE] = SITE_ID;
	assert(site && row_set(fake, site) == ERR_NONE);
	arena_free(&arena);
}

struct fake_records *fake_records_create(void)
{
	struct fake_records *fake = calloc(1, sizeof *fake);
	assert(fake);
	pthread_mutex_init(&fake->lock, NULL);
	site_make(fake);
	fake->port = (struct records){
	    .context = fake,
	    .save_registration = fake_save_registration,
	    .save_call = fake_save_call,
	    .create = fake_create,
	    .update = fake_update,
	    .remove = fake_remove,
	    .get = fake_get,
	    .find = fake_find,
	    .list = fake_list,
	    .count_by = fake_count_by,
	    .overview = fake_overview,
	    .write_all = fake_write_all,
	    .act_as = fake_act_as,
	    .note = fake_note,
	    .answer_save = fake_answer_save,
	    .answer_find = fake_answer_find,
	    .audit_list = fake_audit_list,
	    .record_list = fake_record_list,
	    .record_get = fake_record_get,
	    .answer_times = fake_answer_times,
	    .recording_save = fake_recording_save,
	    .recording_get = fake_recording_get,
	    .recording_list = fake_recording_list,
	    .healthy = fake_healthy,
	};
	return fake;
}

void fake_records_destroy(struct fake_records *fake)
{
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++)
		for (uint64_t id = 1; id <= fake->last_id[kind]; id++)
			if (fake->rows[kind][id - 1].entity)
				row_clear(fake, (enum entity_kind)kind, id);
	for (size_t i = 0; i < fake->call_count; i++)
		call_record_free(fake->calls[i]);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

struct records *fake_records_port(struct fake_records *fake)
{
	return &fake->port;
}

void fake_records_on_change(struct fake_records *fake,
			    void (*changed)(void *context, const struct entity *before, const struct entity *after),
			    void *context)
{
	fake->changed = changed;
	fake->context = context;
}

void fake_records_fail(struct fake_records *fake, enum err err)
{
	atomic_store(&fake->failure, err);
}

void fake_records_ail(struct fake_records *fake)
{
	atomic_store(&fake->ails, true);
}

void fake_records_add_call(struct fake_records *fake, struct call_record *record)
{
	assert(fake->call_count < CALLS_MAX);
	fake->calls[fake->call_count++] = record;
}
