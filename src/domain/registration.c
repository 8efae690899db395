// Where devices are. Each device that has bindings, or a change to them under way, has a place.
#include "domain/registration_place.h"

#include "base/fetch.h"
#include "base/log.h"
#include "domain/watch.h"

#include <stdlib.h>
#include <string.h>

// ---- places

static bool same_device(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct place, node)->device_id == *(const uint64_t *)key;
}

struct place *place_find(const struct registrations *registrations, uint64_t device_id)
{
	struct hash_node *node = hash_find(registrations->places, hash_id(device_id), same_device, &device_id);

	return node ? container_of(node, struct place, node) : NULL;
}

static void place_expire(struct place *place);

static void expiry_due(struct timer *timer)
{
	place_expire(container_of(timer, struct place, expiry));
}

struct place *place_get(struct registrations *registrations, uint64_t device_id)
{
	struct place *place = place_find(registrations, device_id);

	if (place)
		return place;
	place = pool_take(&registrations->places_pool);
	if (!place)
		return NULL;
	place->registrations = registrations;
	place->device_id = device_id;
	list_init(&place->bindings);
	timer_init(&place->expiry, expiry_due);
	if (!hash_insert(registrations->places, &place->node, hash_id(device_id))) {
		pool_give(&registrations->places_pool, place);
		return NULL;
	}
	return place;
}

void place_release(struct place *place)
{
	if (place->change || !list_empty(&place->bindings))
		return;
	timer_stop(&place->expiry);
	hash_remove(place->registrations->places, &place->node);
	pool_give(&place->registrations->places_pool, place);
}

// ---- bindings

static struct str text_move(char **room, struct str text)
{
	struct str moved = {*room, text.length};

	if (text.length)
		memcpy(*room, text.at, text.length);
	*room += text.length;
	return moved;
}

static size_t kept_size(const struct binding *binding)
{
	return sizeof(struct kept) + binding->contact.length + binding->instance.length + binding->call_id.length +
	       binding->path.length + binding->user_agent.length;
}

struct kept *kept_new(struct registrations *registrations, const struct binding *binding)
{
	struct kept *kept = pieces_take(&registrations->pieces, kept_size(binding));

	if (!kept)
		return NULL;
	char *room = (char *)(kept + 1);
	kept->binding = *binding;
	list_init(&kept->binding.node);
	kept->by_connection = (struct hash_node){.next = NULL, .hash = 0};
	kept->binding.contact = text_move(&room, binding->contact);
	kept->binding.instance = text_move(&room, binding->instance);
	kept->binding.call_id = text_move(&room, binding->call_id);
	kept->binding.path = text_move(&room, binding->path);
	kept->binding.user_agent = text_move(&room, binding->user_agent);
	return kept;
}

void kept_free(struct registrations *registrations, struct kept *kept)
{
	if (kept)
		pieces_give(&registrations->pieces, kept, kept_size(&kept->binding));
}

static void connection_forget(struct registrations *registrations, struct kept *kept)
{
	if (kept->by_connection.hash)
		hash_remove(registrations->connections, &kept->by_connection);
	kept->by_connection.hash = 0;
}

void kept_drop(struct registrations *registrations, struct kept *kept)
{
	connection_forget(registrations, kept);
	list_remove(&kept->binding.node);
	registrations->count--;
	kept_free(registrations, kept);
}

void place_empty(struct place *place)
{
	timer_stop(&place->expiry);
	list_each (node, following, &place->bindings)
		kept_drop(place->registrations, kept_of(node));
}

void kept_enter(struct place *place, struct kept *kept)
{
	struct registrations *registrations = place->registrations;
	uint64_t connection = kept->binding.flow.connection;
	struct list *before = place->bindings.previous;

	while (before != &place->bindings && kept_of(before)->binding.q < kept->binding.q)
		before = before->previous;
	list_insert_after(before, &kept->binding.node);
	registrations->count++;
	if (connection && !hash_insert(registrations->connections, &kept->by_connection, hash_uint(connection)))
		kept->by_connection.hash = 0;
}

bool same_contact(const struct binding *a, const struct binding *b)
{
	if (!str_empty(a->instance) && !str_empty(b->instance))
		return str_equal(a->instance, b->instance) && a->reg_id == b->reg_id;
	return str_equal(a->contact, b->contact);
}

struct kept *place_match(struct place *place, const struct binding *contact)
{
	list_each (node, following, &place->bindings)
		if (same_contact(&kept_of(node)->binding, contact))
			return kept_of(node);
	return NULL;
}

// ---- expiry: by a clock that nobody sets

void expiry_restart(struct place *place)
{
	int64_t now = (int64_t)loop_steady_time_ms(place->registrations->loop), first = INT64_MAX;

	timer_stop(&place->expiry);
	list_each (node, following, &place->bindings)
		if (kept_of(node)->binding.expires_at_ms < first)
			first = kept_of(node)->binding.expires_at_ms;
	if (first != INT64_MAX)
		timer_start_about(place->registrations->loop, &place->expiry,
				  first > now ? (uint64_t)(first - now) : 0);
}

// Drops bindings that `goes` picks from memory, and has the store forget them.
static void place_drop(struct place *place, bool (*goes)(const struct kept *kept, int64_t value), int64_t value)
{
	struct change *change = registration_change_new(place, CHANGE_EXPIRE);
	struct str *removed =
	    change ? arena_alloc(&change->arena, (BINDINGS_PER_DEVICE_MAX + 1) * sizeof *removed) : NULL;
	size_t count = 0;

	list_each (node, following, &place->bindings) {
		struct kept *kept = kept_of(node);
		if (!goes(kept, value))
			continue;
		if (removed && count < BINDINGS_PER_DEVICE_MAX)
			removed[count++] = arena_copy(&change->arena, kept->binding.contact);
		log_info("binding_gone", LOG_UINT("device", place->device_id),
			 LOG_STR("contact", kept->binding.contact));
		kept_drop(place->registrations, kept);
	}
	expiry_restart(place);
	if (count > 0) {
		watch_device(place->registrations->watch, place->device_id);
		change->write.removed = removed;
		change->write.removed_count = count;
		registration_change_enqueue(change);
	} else {
		if (change)
			registration_change_free(change);
		place_release(place);
	}
}

static bool is_over(const struct kept *kept, int64_t now)
{
	return kept->binding.expires_at_ms <= now;
}

static void place_expire(struct place *place)
{
	place_drop(place, is_over, (int64_t)loop_steady_time_ms(place->registrations->loop));
}

// ---- the module's own functions

struct registrations *registrations_create(struct loop *loop, struct records *records)
{
	struct registrations *registrations = calloc(1, sizeof *registrations);

	if (!registrations)
		return NULL;
	registrations->loop = loop;
	registrations->records = records;
	pool_init(&registrations->places_pool, sizeof(struct place));
	pieces_init(&registrations->pieces);
	registrations->places = hash_create();
	registrations->connections = hash_create();
	if (!registrations->places || !registrations->connections) {
		hash_destroy(registrations->places);
		hash_destroy(registrations->connections);
		free(registrations);
		return NULL;
	}
	return registrations;
}

static bool place_destroy(struct hash_node *node, void *context)
{
	struct place *place = container_of(node, struct place, node);

	(void)context;
	while (place->change) {
		struct change *change = place->change;
		place->change = change->next;
		registration_change_free(change);
	}
	place_empty(place);
	place_release(place);
	return true;
}

bool registrations_busy(const struct registrations *registrations)
{
	return registrations->changes > 0;
}

void registrations_stop(struct registrations *registrations)
{
	registrations->stopped = true;
}

void registrations_destroy(struct registrations *registrations)
{
	if (!registrations)
		return;
	hash_visit(registrations->places, place_destroy, NULL);
	hash_destroy(registrations->places);
	hash_destroy(registrations->connections);
	registration_changes_free_spare(registrations);
	pool_free(&registrations->places_pool);
	pieces_free(&registrations->pieces);
	free(registrations);
}

void registrations_watch(struct registrations *registrations, struct watch *watch)
{
	registrations->watch = watch;
}

bool registrations_restore(struct registrations *registrations, const struct binding *binding)
{
	if (binding->expires_at_ms <= (int64_t)loop_steady_time_ms(registrations->loop))
		return true;
	struct place *place = place_get(registrations, binding->device_id);
	struct kept *kept = place ? kept_new(registrations, binding) : NULL;
	if (!kept) {
		if (place)
			place_release(place);
		return false;
	}
	kept->binding.flow.connection = 0; // connections do not outlive us
	kept_enter(place, kept);
	expiry_restart(place);
	return true;
}

static bool place_has_over(const struct place *place)
{
	int64_t now = (int64_t)loop_steady_time_ms(place->registrations->loop);

	list_each (node, following, &place->bindings)
		if (is_over(kept_of(node), now))
			return true;
	return false;
}

const struct list *registrations_of(struct registrations *registrations, uint64_t device_id)
{
	struct place *place = place_find(registrations, device_id);

	if (place && place_has_over(place)) { // its timer is due in this very moment
		place_expire(place);
		place = place_find(registrations, device_id);
	}
	return place && !list_empty(&place->bindings) ? &place->bindings : NULL;
}

void registrations_expect(const struct registrations *registrations, uint64_t device_id)
{
	hash_fetch(registrations->places, hash_id(device_id));
}

void registrations_fetch(const struct registrations *registrations, uint64_t device_id)
{
	const struct hash_node *node = hash_first(registrations->places, hash_id(device_id));

	if (node)
		fetch(container_of(node, const struct place, node));
}

bool registrations_any(struct registrations *registrations, uint64_t device_id)
{
	return registrations_of(registrations, device_id) != NULL;
}

size_t registrations_count(const struct registrations *registrations)
{
	return registrations->count;
}

struct each_context {
	void (*visit)(const struct binding *binding, void *context);
	void *context;
};

static bool each_place(struct hash_node *node, void *context)
{
	const struct each_context *each = context;

	list_each (binding, following, &container_of(node, struct place, node)->bindings)
		each->visit(&kept_of(binding)->binding, each->context);
	return true;
}

void registrations_each(struct registrations *registrations, void (*visit)(const struct binding *, void *context),
			void *context)
{
	hash_visit(registrations->places, each_place, &(struct each_context){visit, context});
}

void registrations_forget(struct registrations *registrations, uint64_t device_id)
{
	struct place *place = place_find(registrations, device_id);

	if (!place)
		return;
	place_empty(place);
	watch_device(registrations->watch, device_id);
	struct change *change = registration_change_new(place, CHANGE_FORGET);
	if (change) {
		change->write.remove_all = true;
		registration_change_enqueue(change);
	} else {
		log_error("registration_not_forgotten", LOG_UINT("device", device_id),
			  LOG_TEXT("why", err_name(ERR_NO_MEMORY)));
		place_release(place);
	}
}

static bool same_connection(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct kept, by_connection)->binding.flow.connection == *(const uint64_t *)key;
}

static bool only_by_connection(const struct kept *kept, int64_t connection)
{
	const struct flow *flow = &kept->binding.flow;

	return flow->connection == (uint64_t)connection &&
	       (kept->binding.behind_nat || flow->transport == TRANSPORT_WS || flow->transport == TRANSPORT_WSS);
}

void registrations_flow_lost(struct registrations *registrations, uint64_t connection)
{
	struct hash_node *node;

	while ((node = hash_find(registrations->connections, hash_uint(connection), same_connection, &connection))) {
		struct kept *kept = container_of(node, struct kept, by_connection);
		connection_forget(registrations, kept);
		if (only_by_connection(kept, (int64_t)connection))
			place_drop(place_find(registrations, kept->binding.device_id), only_by_connection,
				   (int64_t)connection);
		else
			kept->binding.flow.connection = 0;
	}
}
