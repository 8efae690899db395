// A table of sessions and times.
#include "http/activity.h"
#include "base/hash.h"
#include "base/list.h"

#include <pthread.h>
#include <stdlib.h>

struct active {
	struct hash_node node;
	uint64_t session_id;
	int64_t at_ms;
};

struct activity {
	pthread_mutex_t lock;
	struct hash_table *sessions;
};

static bool same_session(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct active, node)->session_id == *(const uint64_t *)key;
}

static struct active *active_find(struct activity *activity, uint64_t session_id)
{
	struct hash_node *node = hash_find(activity->sessions, hash_uint(session_id), same_session, &session_id);
	return node ? container_of(node, struct active, node) : NULL;
}

static struct active *active_get(struct activity *activity, uint64_t session_id, int64_t now_ms)
{
	struct active *active = active_find(activity, session_id);
	if (active)
		return active;
	active = calloc(1, sizeof *active);
	if (!active)
		return NULL;
	active->session_id = session_id;
	active->at_ms = now_ms;
	if (hash_insert(activity->sessions, &active->node, hash_uint(session_id)))
		return active;
	free(active);
	return NULL;
}

int64_t activity_of(struct activity *activity, uint64_t session_id, int64_t now_ms)
{
	pthread_mutex_lock(&activity->lock);
	const struct active *active = active_get(activity, session_id, now_ms);
	int64_t at_ms = active ? active->at_ms : now_ms;
	pthread_mutex_unlock(&activity->lock);
	return at_ms;
}

void activity_note(struct activity *activity, uint64_t session_id, int64_t now_ms)
{
	pthread_mutex_lock(&activity->lock);
	struct active *active = active_get(activity, session_id, now_ms);
	if (active)
		active->at_ms = now_ms;
	pthread_mutex_unlock(&activity->lock);
}

void activity_forget(struct activity *activity, uint64_t session_id)
{
	pthread_mutex_lock(&activity->lock);
	struct active *active = active_find(activity, session_id);
	if (active)
		hash_remove(activity->sessions, &active->node);
	free(active);
	pthread_mutex_unlock(&activity->lock);
}

struct activity *activity_create(void)
{
	struct activity *activity = calloc(1, sizeof *activity);
	if (!activity)
		return NULL;
	activity->sessions = hash_create();
	if (!activity->sessions) {
		free(activity);
		return NULL;
	}
	pthread_mutex_init(&activity->lock, NULL);
	return activity;
}

static bool active_free(struct hash_node *node, void *context)
{
	struct activity *activity = context;
	hash_remove(activity->sessions, node);
	free(container_of(node, struct active, node));
	return true;
}

void activity_destroy(struct activity *activity)
{
	if (!activity)
		return;
	hash_visit(activity->sessions, active_free, activity);
	hash_destroy(activity->sessions);
	pthread_mutex_destroy(&activity->lock);
	free(activity);
}
