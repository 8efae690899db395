// Configuration that was committed, on its way into the directory, and whom that concerns.
#include "server.h"

#include "base/log.h"

#include <stdlib.h>

// Where a device has registered counts no more when it is deleted or has a new password: that may be the answer to a stolen phone.
static bool registrations_end(const struct entity_change *change)
{
	const struct device *before = (const struct device *)change->before;
	const struct device *after = (const struct device *)change->after;

	if (!before || before->entity.kind != ENTITY_DEVICE)
		return false;
	return !after || !str_equal(before->ha1_md5, after->ha1_md5) ||
	       !str_equal(before->ha1_sha256, after->ha1_sha256);
}

static void registrations_of_device_end(void *context, uint64_t device_id)
{
	struct server *server = context;

	registrations_forget(server->registrations, device_id);
	sip_endpoint_device_ended(server->endpoint, device_id);
}

// ---- the phones in browsers, whose passwords end with the session and with the hold of the device

// Whoever does not hold the device any more loses what he was given: what registered with it would ring for somebody else.
static void phone_follow(struct server *server, uint64_t device_id)
{
	const struct user *holder = directory_holder(server->directory, device_id);

	if (phone_keys_keep(directory_phone_keys(server->directory), device_id, holder ? holder->entity.id : 0))
		registrations_of_device_end(server, device_id);
}

static void phones_follow(struct server *server, const struct entity *entity)
{
	if (!entity)
		return;
	if (entity->kind == ENTITY_DEVICE)
		phone_follow(server, entity->id);
	if (entity->kind == ENTITY_SELECTION)
		phone_follow(server, ((const struct selection *)entity)->device_id);
	if (entity->kind == ENTITY_USER)
		for (size_t i = 0; i < ((const struct user *)entity)->turn_count; i++)
			phone_follow(server, ((const struct user *)entity)->turns[i].device_id);
}

static void change_apply(struct server *server, struct entity_change *change)
{
	const struct entity *subject = change->after ? change->after : change->before;

	if (!change->after)
		directory_remove(server->directory, subject->kind, subject->id);
	else if (directory_put(server->directory, change->after))
		log_error("directory_out_of_memory", LOG_TEXT("kind", entity_type(subject->kind)->name),
			  LOG_UINT("id", subject->id));
	if (subject->kind == ENTITY_USER && server->calls)
		call_table_user_changed(server->calls, subject->id);
	if (subject->kind == ENTITY_TRUNK && server->endpoint)
		sip_endpoint_trunk_changed(server->endpoint, subject->id);
	if (registrations_end(change))
		registrations_of_device_end(server, subject->id);
	phones_follow(server, change->before);
	phones_follow(server, change->after);
	if (subject->kind == ENTITY_SESSION && !change->after)
		phone_keys_drop_session(directory_phone_keys(server->directory), subject->id,
					registrations_of_device_end, server);
	watch_entity(server->watch, change->before, change->after);
	change->done(change);
}

struct posted_change {
	struct queue_item item;
	struct server *server;
	struct entity_change *change;
};

static void change_run(struct queue_item *item)
{
	struct posted_change *posted = container_of(item, struct posted_change, item);

	change_apply(posted->server, posted->change);
	free(posted);
}

// On the store's thread. At the first start the call thread does not run yet: it waits for this very change.
void change_committed(void *context, struct entity_change *change)
{
	struct server *server = context;

	if (!atomic_load(&server->live)) {
		change_apply(server, change);
		return;
	}
	struct posted_change *posted = malloc(sizeof *posted);
	if (!posted)
		abort(); // the store and the directory would differ from now on; the supervisor starts us anew
	*posted = (struct posted_change){.item.run = change_run, .server = server, .change = change};
	queue_post(server->call_thread, &posted->item);
}
