// Where devices are. Each device that has bindings, or a change to them under way, has a place; the changes of one device
// are carried out one after the other: prepared in memory, written to the store, and only then put in force.
#include "domain/registration.h"

#include "base/hash.h"
#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 4 };

// A binding in memory, in one piece with its texts.
struct kept {
	struct binding binding;
	struct hash_node by_connection; // in registrations.connections while the flow has a connection
};

struct place {
	struct hash_node node; // in registrations.places, by device
	struct registrations *registrations;
	uint64_t device_id;
	struct list bindings;  // of struct kept, best q first
	struct change *change; // the one under way, and those that wait behind it; NULL: none
	struct timer expiry;   // runs while there are bindings: the first one's end
};

enum change_kind {
	CHANGE_REGISTER, // somebody waits for it
	CHANGE_EXPIRE,   // the store forgets what memory has forgotten already
	CHANGE_FORGET,   // likewise, all of the device's
};

// One change to a device's bindings, from its arrival until the store has it.
struct change {
	struct change *next; // waits behind this one
	struct place *place;
	enum change_kind kind;
	struct registration_write write;
	struct arena arena; // texts, and the arrays of `write`
	struct str call_id; // CHANGE_REGISTER from here on
	uint32_t cseq;
	bool remove_all;
	struct kept **contacts; // as asked for, owned until they are in force; NULL once moved
	size_t contact_count;
	void (*done)(void *context, uint64_t token, enum err err);
	void *context;
	uint64_t token;
};

struct registrations {
	struct loop *loop;
	struct records *records;
	struct hash_table *places;
	struct hash_table *connections;
	size_t count; // bindings
};

static void change_start(struct change *change);

// ---- places

static bool same_device(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct place, node)->device_id == *(const uint64_t *)key;
}

static struct place *place_find(const struct registrations *registrations, uint64_t device_id)
{
	struct hash_node *node = hash_find(registrations->places, hash_uint(device_id), same_device, &device_id);

	return node ? container_of(node, struct place, node) : NULL;
}

static void place_expire(struct place *place);

static void expiry_due(struct timer *timer)
{
	place_expire(container_of(timer, struct place, expiry));
}

static struct place *place_get(struct registrations *registrations, uint64_t device_id)
{
	struct place *place = place_find(registrations, device_id);

	if (place)
		return place;
	place = calloc(1, sizeof *place);
	if (!place)
		return NULL;
	place->registrations = registrations;
	place->device_id = device_id;
	list_init(&place->bindings);
	timer_init(&place->expiry, expiry_due);
	if (!hash_insert(registrations->places, &place->node, hash_uint(device_id))) {
		free(place);
		return NULL;
	}
	return place;
}

// Gives the place back when nothing is left in it.
static void place_release(struct place *place)
{
	if (place->change || !list_empty(&place->bindings))
		return;
	timer_stop(&place->expiry);
	hash_remove(place->registrations->places, &place->node);
	free(place);
}

// ---- bindings

static struct kept *kept_of(struct list *node)
{
	return container_of(container_of(node, struct binding, node), struct kept, binding);
}

static struct str text_move(char **room, struct str text)
{
	struct str moved = {*room, text.length};

	if (text.length)
		memcpy(*room, text.at, text.length);
	*room += text.length;
	return moved;
}

static struct kept *kept_new(const struct binding *binding)
{
	size_t texts = binding->contact.length + binding->instance.length + binding->call_id.length +
		       binding->path.length + binding->user_agent.length;
	struct kept *kept = malloc(sizeof *kept + texts);

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

static void connection_forget(struct registrations *registrations, struct kept *kept)
{
	if (kept->by_connection.hash)
		hash_remove(registrations->connections, &kept->by_connection);
	kept->by_connection.hash = 0;
}

static void kept_drop(struct registrations *registrations, struct kept *kept)
{
	connection_forget(registrations, kept);
	list_remove(&kept->binding.node);
	registrations->count--;
	free(kept);
}

// Puts a binding in force. It ends up reachable even when there is no memory to notice the loss of its connection.
static void kept_enter(struct place *place, struct kept *kept)
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

static bool same_contact(const struct binding *a, const struct binding *b)
{
	if (!str_empty(a->instance) && !str_empty(b->instance))
		return str_equal(a->instance, b->instance) && a->reg_id == b->reg_id;
	return str_equal(a->contact, b->contact);
}

static struct kept *place_match(struct place *place, const struct binding *contact)
{
	list_each (node, following, &place->bindings)
		if (same_contact(&kept_of(node)->binding, contact))
			return kept_of(node);
	return NULL;
}

// ---- expiry: by the wall clock, looked at again when the timer fires, since that clock may have been set

static void expiry_restart(struct place *place)
{
	int64_t now = (int64_t)loop_time_ms(place->registrations->loop), first = INT64_MAX;

	timer_stop(&place->expiry);
	list_each (node, following, &place->bindings)
		if (kept_of(node)->binding.expires_at_ms < first)
			first = kept_of(node)->binding.expires_at_ms;
	if (first != INT64_MAX)
		timer_start(place->registrations->loop, &place->expiry, first > now ? (uint64_t)(first - now) : 0);
}

// ---- changes

static struct change *change_new(struct place *place, enum change_kind kind)
{
	struct change *change = calloc(1, sizeof *change);

	if (!change)
		return NULL;
	change->place = place;
	change->kind = kind;
	change->write.device_id = place->device_id;
	arena_init(&change->arena, 0);
	return change;
}

static void change_free(struct change *change)
{
	for (size_t i = 0; i < change->contact_count; i++)
		free(change->contacts[i]);
	arena_free(&change->arena);
	free(change);
}

static void change_enqueue(struct change *change)
{
	struct change **last = &change->place->change;
	bool first = *last == NULL;

	while (*last)
		last = &(*last)->next;
	*last = change;
	if (first)
		change_start(change);
}

// Tells the finished change's owner, takes it from the head of its place, and starts the next. It stays the head while
// its owner is told: what he asks for then waits behind it.
static void place_empty(struct place *place)
{
	list_each (node, following, &place->bindings)
		kept_drop(place->registrations, kept_of(node));
	timer_stop(&place->expiry);
}

static void change_finish(struct change *change, enum err err)
{
	struct place *place = change->place;

	assert(place->change == change);
	if (change->kind == CHANGE_FORGET) // a REGISTER that was ahead of it may have come in force meanwhile
		place_empty(place);
	if (change->kind == CHANGE_REGISTER)
		change->done(change->context, change->token, err);
	else if (err)
		log_warning("registration_not_forgotten", LOG_UINT("device", place->device_id),
			    LOG_TEXT("why", err_name(err)));
	place->change = change->next;
	change_free(change);
	if (place->change)
		change_start(place->change);
	else
		place_release(place);
}

// RFC 3261 section 10.3, steps 6 and 7: within one Call-ID a request must be newer than what it would change.
static bool change_in_order(struct change *change)
{
	struct place *place = change->place;

	if (change->remove_all) {
		list_each (node, following, &place->bindings)
			if (str_equal(kept_of(node)->binding.call_id, change->call_id) &&
			    kept_of(node)->binding.cseq >= change->cseq)
				return false;
		return true;
	}
	for (size_t i = 0; i < change->contact_count; i++) {
		const struct kept *old = place_match(place, &change->contacts[i]->binding);
		if (old && str_equal(old->binding.call_id, change->call_id) && old->binding.cseq >= change->cseq)
			return false;
	}
	return true;
}

static bool replaced_by(const struct change *change, const struct binding *binding)
{
	for (size_t i = 0; i < change->contact_count; i++)
		if (same_contact(&change->contacts[i]->binding, binding))
			return true;
	return false;
}

// The binding that ends first of those the change leaves alone and does not remove yet.
static const struct kept *place_oldest(struct change *change, const struct str *removed, size_t removed_count)
{
	const struct kept *oldest = NULL;

	list_each (node, following, &change->place->bindings) {
		const struct kept *kept = kept_of(node);
		bool gone = replaced_by(change, &kept->binding);
		for (size_t i = 0; i < removed_count && !gone; i++)
			gone = removed[i].at == kept->binding.contact.at;
		if (!gone && (!oldest || kept->binding.expires_at_ms < oldest->binding.expires_at_ms))
			oldest = kept;
	}
	return oldest;
}

// What the store must do: which contacts go and which are written.
static bool change_prepare(struct change *change)
{
	struct registration_write *write = &change->write;
	size_t alone = 0; // bindings that the change leaves alone
	struct str *removed =
	    arena_alloc(&change->arena, (BINDINGS_PER_DEVICE_MAX + change->contact_count) * sizeof *removed);
	struct binding *kept = arena_alloc(&change->arena, (change->contact_count + 1) * sizeof *kept);

	if (!removed || !kept)
		return false;
	for (size_t i = 0; i < change->contact_count; i++) {
		const struct binding *contact = &change->contacts[i]->binding;
		const struct kept *old = place_match(change->place, contact);
		if (old && (contact->expires_at_ms == 0 || !str_equal(old->binding.contact, contact->contact)))
			removed[write->removed_count++] = old->binding.contact;
		if (contact->expires_at_ms != 0)
			kept[write->kept_count++] = *contact;
	}
	list_each (node, following, &change->place->bindings)
		alone += !replaced_by(change, &kept_of(node)->binding);
	while (alone > 0 && alone + write->kept_count > BINDINGS_PER_DEVICE_MAX) {
		removed[write->removed_count] = place_oldest(change, removed, write->removed_count)->binding.contact;
		write->removed_count++;
		alone--;
	}
	write->remove_all = change->remove_all;
	write->removed = removed;
	write->kept = kept;
	return true;
}

// The store has it: now it is so.
static void change_apply(struct change *change)
{
	struct place *place = change->place;
	struct registrations *registrations = place->registrations;

	list_each (node, following, &place->bindings) {
		struct kept *kept = kept_of(node);
		bool goes = change->remove_all || replaced_by(change, &kept->binding);
		for (size_t i = 0; i < change->write.removed_count && !goes; i++)
			goes = str_equal(change->write.removed[i], kept->binding.contact);
		if (goes)
			kept_drop(registrations, kept);
	}
	for (size_t i = 0; i < change->contact_count; i++) {
		if (change->contacts[i]->binding.expires_at_ms == 0)
			continue;
		kept_enter(place, change->contacts[i]);
		change->contacts[i] = NULL;
	}
	expiry_restart(place);
}

static void change_written(struct registration_write *write)
{
	struct change *change = container_of(write, struct change, write);

	if (write->err == ERR_NONE && change->kind == CHANGE_REGISTER)
		change_apply(change);
	change_finish(change, write->err);
}

static void change_start(struct change *change)
{
	struct records *records = change->place->registrations->records;

	if (change->kind == CHANGE_REGISTER && !change_in_order(change)) {
		change_finish(change, ERR_OUT_OF_ORDER);
		return;
	}
	if (change->kind == CHANGE_REGISTER && !change_prepare(change)) {
		change_finish(change, ERR_NO_MEMORY);
		return;
	}
	// What is removed is a slice of a binding that may expire while the store writes: it needs a text of its own.
	struct str *removed = (struct str *)(uintptr_t)change->write.removed;
	for (size_t i = 0; i < change->write.removed_count; i++) {
		removed[i] = arena_copy(&change->arena, removed[i]);
		if (!removed[i].at) {
			change_finish(change, ERR_NO_MEMORY);
			return;
		}
	}
	if (!change->write.remove_all && change->write.removed_count == 0 && change->write.kept_count == 0) {
		change_finish(change, ERR_NONE);
		return;
	}
	change->write.done = change_written;
	records->save_registration(records->context, &change->write);
}

// Drops bindings that `goes` picks from memory, and has the store forget them.
static void place_drop(struct place *place, bool (*goes)(const struct kept *kept, int64_t value), int64_t value)
{
	struct change *change = change_new(place, CHANGE_EXPIRE);
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
		change->write.removed = removed;
		change->write.removed_count = count;
		change_enqueue(change);
	} else {
		if (change)
			change_free(change);
		place_release(place);
	}
}

static bool is_over(const struct kept *kept, int64_t now)
{
	return kept->binding.expires_at_ms <= now;
}

static void place_expire(struct place *place)
{
	place_drop(place, is_over, (int64_t)loop_time_ms(place->registrations->loop));
}

// ---- the module's own functions

struct registrations *registrations_create(struct loop *loop, struct records *records)
{
	struct registrations *registrations = calloc(1, sizeof *registrations);

	if (!registrations)
		return NULL;
	registrations->loop = loop;
	registrations->records = records;
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
		change_free(change);
	}
	list_each (binding, following, &place->bindings)
		kept_drop(place->registrations, kept_of(binding));
	place_release(place);
	return true;
}

void registrations_destroy(struct registrations *registrations)
{
	if (!registrations)
		return;
	hash_visit(registrations->places, place_destroy, NULL);
	hash_destroy(registrations->places);
	hash_destroy(registrations->connections);
	free(registrations);
}

bool registrations_restore(struct registrations *registrations, const struct binding *binding)
{
	if (binding->expires_at_ms <= (int64_t)loop_time_ms(registrations->loop))
		return true;
	struct place *place = place_get(registrations, binding->device_id);
	struct kept *kept = place ? kept_new(binding) : NULL;
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
	int64_t now = (int64_t)loop_time_ms(place->registrations->loop);

	list_each (node, following, &place->bindings)
		if (is_over(kept_of(node), now))
			return true;
	return false;
}

const struct list *registrations_of(struct registrations *registrations, uint64_t device_id)
{
	struct place *place = place_find(registrations, device_id);

	if (place && place_has_over(place)) { // the wall clock was set forward
		place_expire(place);
		place = place_find(registrations, device_id);
	}
	return place && !list_empty(&place->bindings) ? &place->bindings : NULL;
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
	struct change *change = change_new(place, CHANGE_FORGET);
	if (change) {
		change->write.remove_all = true;
		change_enqueue(change);
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

static bool change_copy(struct change *change, const struct registration_update *update)
{
	change->call_id = arena_copy(&change->arena, update->call_id);
	change->contacts = arena_alloc(&change->arena, (update->contact_count + 1) * sizeof(struct kept *));
	if (!change->call_id.at || !change->contacts)
		return false;
	for (size_t i = 0; i < update->contact_count; i++) {
		struct binding contact = update->contacts[i];
		contact.device_id = update->device_id;
		contact.call_id = update->call_id;
		contact.cseq = update->cseq;
		change->contacts[i] = kept_new(&contact);
		if (!change->contacts[i])
			return false;
		change->contact_count = i + 1;
	}
	change->cseq = update->cseq;
	change->remove_all = update->remove_all;
	return true;
}

static enum err update_queue(struct registrations *registrations, const struct registration_update *update,
			     struct change **queued)
{
	if (update->contact_count > BINDINGS_PER_DEVICE_MAX)
		return ERR_TOO_LARGE;
	struct place *place = place_get(registrations, update->device_id);
	if (!place)
		return ERR_NO_MEMORY;
	size_t waiting = 0;
	for (const struct change *other = place->change; other; other = other->next)
		waiting++;
	if (waiting > WAITING_MAX)
		return ERR_OVERLOADED;
	struct change *change = change_new(place, CHANGE_REGISTER);
	if (!change || !change_copy(change, update)) {
		if (change)
			change_free(change);
		place_release(place);
		return ERR_NO_MEMORY;
	}
	*queued = change;
	return ERR_NONE;
}

void registrations_update(struct registrations *registrations, const struct registration_update *update,
			  void (*done)(void *context, uint64_t token, enum err err), void *context, uint64_t token)
{
	struct change *change = NULL;
	enum err err = update_queue(registrations, update, &change);

	if (err) {
		done(context, token, err);
		return;
	}
	change->done = done;
	change->context = context;
	change->token = token;
	change_enqueue(change);
}
