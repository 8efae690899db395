// Changes to a device's bindings: put in order, prepared, written to the store, and in force once the store has them.
#include "domain/registration_place.h"

#include "base/log.h"
#include "base/sanitized.h"
#include "domain/watch.h"

#include <assert.h>
#include <stdlib.h>

enum { WAITING_MAX = 4, SPARE_MAX = 64 };

static void change_start(struct change *change);

struct change *registration_change_new(struct place *place, enum change_kind kind)
{
	struct registrations *registrations = place->registrations;
	struct change *change = registrations->spare;
	struct arena arena;

	arena_init(&arena, 0);
	if (change) {
		registrations->spare = change->next;
		registrations->spare_count--;
		arena = change->arena;
	} else {
		change = malloc(sizeof *change);
		if (!change)
			return NULL;
	}
	*change =
	    (struct change){.place = place, .kind = kind, .write = {.device_id = place->device_id}, .arena = arena};
	return change;
}

void registration_change_free(struct change *change)
{
	struct registrations *registrations = change->place->registrations;

	for (size_t i = 0; i < change->contact_count; i++)
		kept_free(registrations, change->contacts[i]);
	if (!SANITIZED && registrations->spare_count < SPARE_MAX) {
		arena_reset(&change->arena);
		change->next = registrations->spare;
		registrations->spare = change;
		registrations->spare_count++;
		return;
	}
	arena_free(&change->arena);
	free(change);
}

void registration_changes_free_spare(struct registrations *registrations)
{
	for (struct change *change = registrations->spare, *next; change; change = next) {
		next = change->next;
		arena_free(&change->arena);
		free(change);
	}
}

void registration_change_enqueue(struct change *change)
{
	struct change **last = &change->place->change;
	bool first = *last == NULL;

	change->place->registrations->changes++;
	while (*last)
		last = &(*last)->next;
	*last = change;
	if (first)
		change_start(change);
}

// Tells the finished change's owner, takes it from the head of its place, and starts the next. It stays the head while
// its owner is told: what he asks for then waits behind it.
static void change_finish(struct change *change, enum err err)
{
	struct place *place = change->place;

	assert(place->change == change);
	if (change->kind == CHANGE_REGISTER)
		change->done(change->context, change->token, err);
	else if (err)
		log_warning("registration_not_forgotten", LOG_UINT("device", place->device_id),
			    LOG_TEXT("why", err_name(err)));
	place->change = change->next;
	place->registrations->changes--;
	registration_change_free(change);
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
	size_t known = 0; // contacts that are there already
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
		known += old && str_equal(old->binding.contact, contact->contact);
	}
	list_each (node, following, &change->place->bindings)
		alone += !replaced_by(change, &kept_of(node)->binding);
	while (alone > 0 && alone + write->kept_count > BINDINGS_PER_DEVICE_MAX) {
		removed[write->removed_count] = place_oldest(change, removed, write->removed_count)->binding.contact;
		write->removed_count++;
		alone--;
	}
	write->refreshes = !change->remove_all && write->removed_count == 0 && known == change->contact_count;
	write->remove_all = change->remove_all;
	write->removed = removed;
	write->kept = kept;
	return true;
}

// Nothing but the time until when: what is refreshed every few minutes is no news.
static bool change_refreshes(const struct change *change)
{
	if (change->remove_all || change->write.removed_count > 0)
		return false;
	for (size_t i = 0; i < change->contact_count; i++) {
		const struct binding *binding = &change->contacts[i]->binding;
		const struct kept *old = place_match(change->place, binding);
		if (!old || !net_address_equal(&old->binding.flow.remote, &binding->flow.remote))
			return false;
	}
	return true;
}

// The store has it: now it is so.
static void change_apply(struct change *change)
{
	struct place *place = change->place;
	struct registrations *registrations = place->registrations;

	if (!change_refreshes(change))
		watch_device(registrations->watch, place->device_id);
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
	if (change->kind == CHANGE_FORGET) // a change that was under way before may have brought some back
		place_empty(change->place);
	change_finish(change, write->err);
}

static void change_start(struct change *change)
{
	struct records *records = change->place->registrations->records;

	if (change->place->registrations->stopped) {
		change_finish(change, ERR_STORE_UNAVAILABLE);
		return;
	}
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
		change->contacts[i] = kept_new(change->place->registrations, &contact);
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
	struct change *change = registration_change_new(place, CHANGE_REGISTER);
	if (!change || !change_copy(change, update)) {
		if (change)
			registration_change_free(change);
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
	registration_change_enqueue(change);
}
