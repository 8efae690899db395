// The life of an API write, from the API thread over the writer to the call thread and back.
#include "store/operation.h"

#include "store/entity_sql.h"
#include "store/rules.h"

#include <assert.h>

static enum err own_prepare(struct operation *operation, const struct number_plan *plan, const struct entity *entity)
{
	struct change *own = change_create();
	enum err err = ERR_NO_MEMORY;

	if (!own)
		return ERR_NO_MEMORY;
	own->operation = operation;
	operation->own = own;
	if (!entity)
		return ERR_NONE;
	own->told.after = entity_copy(entity, &own->arena);
	if (own->told.after)
		err = rules_prepare(plan, own->told.after, &own->arena, &operation->problem);
	if (err) {
		change_free(own);
		operation->own = NULL;
	}
	return err;
}

enum err operation_prepare(struct operation *operation, const struct number_plan *plan, const struct entity *entity)
{
	enum err err = operation->kind == OPERATION_EXPIRE ? ERR_NONE : own_prepare(operation, plan, entity);

	if (err)
		return err;
	operation->pending = 1;
	pthread_mutex_init(&operation->mutex, NULL);
	pthread_cond_init(&operation->over, NULL);
	return ERR_NONE;
}

// ---- on the writer's thread

static enum err run_create(struct operation *operation, struct change_set *set)
{
	struct entity *after = operation->own->told.after;
	enum err err;

	after->id = 0;
	err = rules_write(set, NULL, after);
	return err ? err : entity_insert(set->database, after);
}

static enum err before_read(const struct operation *operation, const struct change_set *set)
{
	struct change *own = operation->own;
	enum err err =
	    entity_read(set->database, operation->entity_kind, operation->id, &own->arena, &own->told.before);

	if (err)
		return err;
	return operation->version == 0 || operation->version == own->told.before->version ? ERR_NONE : ERR_STALE;
}

static enum err run_update(struct operation *operation, struct change_set *set)
{
	struct entity *after = operation->own->told.after;
	enum err err = before_read(operation, set);

	if (err)
		return err;
	after->version = operation->own->told.before->version + 1;
	err = rules_write(set, operation->own->told.before, after);
	return err ? err : entity_update(set->database, after);
}

static enum err run_remove(struct operation *operation, struct change_set *set)
{
	enum err err = before_read(operation, set);

	if (!err)
		err = rules_remove(set, operation->own->told.before, operation->mode);
	return err ? err : entity_delete(set->database, operation->entity_kind, operation->id);
}

enum err operation_run(struct operation *operation, struct database *database)
{
	struct change_set set;
	enum err err = ERR_INTERNAL;

	operation->problem = (struct problem){.err = ERR_NONE};
	change_set_init(&set, database, &operation->problem);
	switch (operation->kind) {
	case OPERATION_CREATE:
		err = run_create(operation, &set);
		break;
	case OPERATION_UPDATE:
		err = run_update(operation, &set);
		break;
	case OPERATION_REMOVE:
		err = run_remove(operation, &set);
		break;
	case OPERATION_EXPIRE:
		err = rules_expire(&set);
		break;
	}
	operation->others = set.others;
	change_set_end(&set);
	return err;
}

void operation_undo(struct operation *operation)
{
	changes_free(operation->others);
	operation->others = NULL;
	if (operation->own)
		operation->own->told.before = NULL; // stays in its arena; it is read again
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

void operation_finish(struct operation *operation, void (*changed)(void *context, struct entity_change *change),
		      void *context)
{
	struct change *others = operation->others, *own = operation->own;

	operation->others = operation->own = NULL;
	if (operation->err) {
		changes_free(others);
		change_free(own);
		pending_end(operation);
		return;
	}
	pthread_mutex_lock(&operation->mutex);
	for (struct change *change = others; change && operation->kind != OPERATION_EXPIRE; change = change->next) {
		change->operation = operation;
		operation->pending++;
	}
	if (own) {
		operation->id = own->told.after ? own->told.after->id : own->told.before->id;
		operation->version = own->told.after ? own->told.after->version : 0;
		operation->pending++;
	}
	pthread_mutex_unlock(&operation->mutex);
	while (others) {
		struct change *next = others->next;
		change_tell(others, changed, context);
		others = next;
	}
	if (own)
		change_tell(own, changed, context);
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
	assert(!operation->own && !operation->others);
	pthread_cond_destroy(&operation->over);
	pthread_mutex_destroy(&operation->mutex);
}
