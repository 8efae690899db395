// The life of an API write, from the API thread over the writer to the call thread and back.
#include "store/operation.h"

#include "store/answer_sql.h"
#include "store/audit_sql.h"
#include "store/entity_sql.h"
#include "store/number_rules.h"
#include "store/recording_sql.h"
#include "store/rules.h"

#include <assert.h>

enum err operation_item_prepare(struct operation_item *item, const struct number_plan *plan,
				const struct entity *entity)
{
	enum err err = ERR_NO_MEMORY;

	item->own = change_create();
	if (!item->own)
		return ERR_NO_MEMORY;
	if (!entity)
		return ERR_NONE;
	item->own->told.after = entity_copy(entity, &item->own->arena);
	if (item->own->told.after)
		err = rules_prepare(plan, item->own->told.after, &item->own->arena, &item->problem);
	if (err)
		operation_item_free(item);
	return err;
}

void operation_item_free(struct operation_item *item)
{
	change_free(item->own);
	item->own = NULL;
}

void operation_begin(struct operation *operation)
{
	for (size_t i = 0; i < operation->item_count; i++)
		operation->items[i].own->operation = operation;
	operation->pending = 1;
	pthread_mutex_init(&operation->mutex, NULL);
	pthread_cond_init(&operation->over, NULL);
}

// ---- on the writer's thread

static enum err run_create(struct operation_item *item, struct change_set *set)
{
	struct entity *after = item->own->told.after;
	enum err err;

	after->id = item->id; // whatever a run before, that was undone, had given it
	err = number_rules_prepare(set, after, &item->own->arena);
	if (!err)
		err = rules_write(set, NULL, after);
	return err ? err : entity_insert(set->database, after);
}

static enum err before_read(const struct operation_item *item, const struct change_set *set)
{
	struct change *own = item->own;
	enum err err = entity_read(set->database, item->entity_kind, item->id, &own->arena, &own->told.before);

	if (err)
		return err;
	return item->version == 0 || item->version == own->told.before->version ? ERR_NONE : ERR_STALE;
}

static enum err run_update(struct operation_item *item, struct change_set *set)
{
	struct entity *after = item->own->told.after;
	enum err err = before_read(item, set);

	if (err)
		return err;
	after->version = item->own->told.before->version + 1;
	err = number_rules_prepare(set, after, &item->own->arena);
	if (!err)
		err = rules_write(set, item->own->told.before, after);
	return err ? err : entity_update(set->database, after);
}

static enum err run_remove(struct operation_item *item, struct change_set *set)
{
	enum err err = before_read(item, set);

	if (!err)
		err = rules_remove(set, item->own->told.before, item->mode);
	return err ? err : entity_delete(set->database, item->entity_kind, item->id);
}

static enum err item_run(struct operation_item *item, struct change_set *set)
{
	enum err err = ERR_INTERNAL;

	item->problem = (struct problem){.err = ERR_NONE};
	set->problem = &item->problem;
	switch (item->kind) {
	case WRITE_CREATE:
		err = run_create(item, set);
		break;
	case WRITE_UPDATE:
		err = run_update(item, set);
		break;
	case WRITE_REMOVE:
		err = run_remove(item, set);
		break;
	}
	return err ? err : audit_write(set, item->own->told.before, item->own->told.after);
}

// One of several: when it is refused, what it did is undone, so that the others can be tried.
static enum err item_try(struct operation_item *item, struct change_set *set)
{
	struct change **others_end = &set->others;
	enum err err = database_run(set->database, "SAVEPOINT item", VALUES_NONE, NO_ROWS);

	while (*others_end)
		others_end = &(*others_end)->next;
	if (err)
		return err;
	item->err = item_run(item, set);
	if (!item->err)
		return database_run(set->database, "RELEASE item", VALUES_NONE, NO_ROWS);
	if (item->err == ERR_STORE_UNAVAILABLE || item->err == ERR_NO_MEMORY || item->err == ERR_INTERNAL ||
	    !set->database->backend->in_transaction(set->database))
		return item->err;
	changes_free(*others_end);
	*others_end = NULL;
	err = database_run(set->database, "ROLLBACK TO item", VALUES_NONE, NO_ROWS);
	return err ? err : database_run(set->database, "RELEASE item", VALUES_NONE, NO_ROWS);
}

static enum err items_run(struct operation *operation, struct change_set *set)
{
	enum err refused = ERR_NONE;

	if (operation->item_count == 1) {
		operation->items[0].err = item_run(&operation->items[0], set);
		return operation->items[0].err;
	}
	for (size_t i = 0; i < operation->item_count; i++) {
		enum err err = item_try(&operation->items[i], set);
		if (err)
			return err;
		if (!refused)
			refused = operation->items[i].err;
	}
	return refused;
}

static enum err others_audit(struct change_set *set)
{
	enum err err = ERR_NONE;

	for (struct change *other = set->others; !err && other; other = other->next)
		err = audit_write(set, other->told.before, other->told.after);
	return err;
}

enum err operation_run(struct operation *operation, struct database *database)
{
	struct change_set set;
	enum err err = ERR_INTERNAL;

	change_set_init(&set, database, NULL);
	set.actor = operation->actor;
	switch (operation->kind) {
	case OPERATION_WRITE:
		err = items_run(operation, &set);
		if (!err)
			err = answer_mark(database, operation->actor, set.now_ms);
		break;
	case OPERATION_EXPIRE:
		err = rules_expire(&set);
		break;
	case OPERATION_NOTE:
		err = audit_write_note(&set, operation->note);
		break;
	case OPERATION_ANSWER:
		err = answer_save(database, operation->answer);
		break;
	case OPERATION_RECORDING:
		err = recording_write(&set, operation->recording);
		break;
	}
	if (!err)
		err = others_audit(&set);
	operation->others = set.others;
	change_set_end(&set);
	return err;
}

void operation_undo(struct operation *operation)
{
	changes_free(operation->others);
	operation->others = NULL;
	for (size_t i = 0; i < operation->item_count; i++)
		operation->items[i].own->told.before = NULL; // stays in its arena; it is read again
}

// ---- telling

static void pending_end(struct operation *operation)
{
	pthread_mutex_lock(&operation->mutex);
	if (--operation->pending == 0)
		pthread_cond_signal(&operation->over);
	pthread_mutex_unlock(&operation->mutex);
}

static void change_done(struct entity_change *told)
{
	struct change *change = (struct change *)told;
	struct operation *operation = change->operation;

	change_free(change);
	if (operation)
		pending_end(operation);
}

static void change_tell(struct change *change, void (*changed)(void *context, struct entity_change *change),
			void *context)
{
	change->next = NULL;
	change->told.done = change_done;
	if (changed)
		changed(context, &change->told);
	else
		change_done(&change->told);
}

static void operation_refuse(struct operation *operation)
{
	changes_free(operation->others);
	operation->others = NULL;
	for (size_t i = 0; i < operation->item_count; i++)
		operation_item_free(&operation->items[i]);
	pending_end(operation);
}

// Before the first is told: the last one told may end the wait, and with it the items.
static struct change *changes_gather(struct operation *operation)
{
	struct change *all = operation->others, **end = &all;

	pthread_mutex_lock(&operation->mutex);
	for (; *end; end = &(*end)->next) {
		if (operation->kind == OPERATION_EXPIRE)
			continue;
		(*end)->operation = operation;
		operation->pending++;
	}
	for (size_t i = 0; i < operation->item_count; i++) {
		struct operation_item *item = &operation->items[i];
		struct entity_change *told = &item->own->told;
		item->id = told->after ? told->after->id : told->before->id;
		item->version = told->after ? told->after->version : 0;
		*end = item->own;
		end = &item->own->next;
		item->own = NULL;
		operation->pending++;
	}
	*end = NULL;
	operation->others = NULL;
	pthread_mutex_unlock(&operation->mutex);
	return all;
}

void operation_finish(struct operation *operation, void (*changed)(void *context, struct entity_change *change),
		      void *context)
{
	struct change *change, *next;

	if (operation->err || operation->mode == WRITE_TRY) {
		operation_refuse(operation);
		return;
	}
	for (change = changes_gather(operation); change; change = next) {
		next = change->next;
		change_tell(change, changed, context);
	}
	pending_end(operation);
}

void operation_wait(struct operation *operation)
{
	pthread_mutex_lock(&operation->mutex);
	while (operation->pending > 0)
		pthread_cond_wait(&operation->over, &operation->mutex);
	pthread_mutex_unlock(&operation->mutex);
}

void operation_end(struct operation *operation)
{
	assert(!operation->others);
	pthread_cond_destroy(&operation->over);
	pthread_mutex_destroy(&operation->mutex);
}
