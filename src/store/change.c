// Changes: their memory, and those that a write makes besides its own.
#include "store/change.h"

#include "store/entity_sql.h"

#include <stdlib.h>
#include <time.h>

struct change *change_create(void)
{
	struct change *change = calloc(1, sizeof *change);

	if (change)
		arena_init(&change->arena, 0);
	return change;
}

void change_free(struct change *change)
{
	if (!change)
		return;
	arena_free(&change->arena);
	free(change);
}

void changes_free(struct change *change)
{
	while (change) {
		struct change *next = change->next;
		change_free(change);
		change = next;
	}
}

void change_set_init(struct change_set *set, struct database *database, struct problem *problem)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*set = (struct change_set){.database = database, .problem = problem};
	set->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	arena_init(&set->scratch, 0);
}

void change_set_end(struct change_set *set)
{
	arena_free(&set->scratch);
}

// A further change, already in the set, so that it is freed with it. NULL when there is no memory.
static struct change *change_append(struct change_set *set)
{
	struct change **last = &set->others;
	struct change *change = change_create();

	while (*last)
		last = &(*last)->next;
	*last = change;
	return change;
}

// The same with the entity as it is now.
static enum err change_add(struct change_set *set, enum entity_kind kind, uint64_t id, struct change **result)
{
	struct change *change = change_append(set);

	if (!change)
		return ERR_NO_MEMORY;
	*result = change;
	return entity_read(set->database, kind, id, &change->arena, &change->told.before);
}

enum err change_set_remove(struct change_set *set, enum entity_kind kind, uint64_t id)
{
	struct change *change;
	enum err err = change_add(set, kind, id, &change);

	return err ? err : entity_delete(set->database, kind, id);
}

enum err change_set_take_turn(struct change_set *set, uint64_t user_id, uint64_t device_id)
{
	struct change *change;
	struct user *user;
	size_t kept = 0;
	enum err err = change_add(set, ENTITY_USER, user_id, &change);

	if (err)
		return err;
	change->told.after = entity_copy(change->told.before, &change->arena);
	if (!change->told.after)
		return ERR_NO_MEMORY;
	user = (struct user *)change->told.after;
	for (size_t i = 0; i < user->turn_count; i++)
		if (user->turns[i].device_id != device_id)
			user->turns[kept++] = user->turns[i];
	user->turn_count = kept;
	user->entity.version++;
	return entity_update(set->database, &user->entity);
}

enum err change_set_update(struct change_set *set, const struct entity *before, const struct entity *after)
{
	struct change *change = change_append(set);

	if (!change)
		return ERR_NO_MEMORY;
	change->told.before = entity_copy(before, &change->arena);
	change->told.after = entity_copy(after, &change->arena);
	if (!change->told.before || !change->told.after)
		return ERR_NO_MEMORY;
	change->told.after->version = before->version + 1;
	return entity_update(set->database, change->told.after);
}
