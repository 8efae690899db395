// Busy lamps. Each user who is in a call has a tally that lists his calls, so that a lamp costs as much as he has calls,
// however many there are; a change costs one comparison while nobody watches anybody.
#include "domain/lamp.h"

#include "domain/call.h"

#include <assert.h>

static bool same_lamp(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct lamp, node)->user_id == *(const uint64_t *)key;
}

static struct lamp *lamp_find(const struct call_table *table, uint64_t user_id)
{
	struct hash_node *node = hash_find(table->lamps, hash_id(user_id), same_lamp, &user_id);

	return node ? container_of(node, struct lamp, node) : NULL;
}

static struct lamp *lamp_new(struct call_table *table, uint64_t user_id)
{
	struct lamp *lamp = pool_take(&table->lamps_pool);

	if (!lamp)
		return NULL;
	lamp->user_id = user_id;
	list_init(&lamp->watches);
	if (hash_insert(table->lamps, &lamp->node, hash_id(user_id)))
		return lamp;
	pool_give(&table->lamps_pool, lamp);
	return NULL;
}

bool call_table_watch(struct call_table *table, struct lamp_watch *watch)
{
	struct lamp *lamp = lamp_find(table, watch->user_id);

	if (!lamp)
		lamp = lamp_new(table, watch->user_id);
	if (lamp)
		list_append(&lamp->watches, &watch->node);
	return lamp != NULL;
}

void call_table_unwatch(struct call_table *table, struct lamp_watch *watch)
{
	struct lamp *lamp = list_empty(&watch->node) ? NULL : lamp_find(table, watch->user_id);

	list_remove(&watch->node);
	if (!lamp || !list_empty(&lamp->watches))
		return;
	hash_remove(table->lamps, &lamp->node);
	pool_give(&table->lamps_pool, lamp);
}

// ---- changes

void call_table_user_changed(struct call_table *table, uint64_t user_id)
{
	struct lamp *lamp = lamp_find(table, user_id);

	if (!lamp)
		return;
	list_each (node, following, &lamp->watches) {
		struct lamp_watch *watch = container_of(node, struct lamp_watch, node);
		watch->changed(watch);
	}
}

void lamp_call_changed(const struct call *call)
{
	struct call_table *table = call->table;

	if (hash_count(table->lamps) == 0)
		return;
	if (call->caller_user_id)
		call_table_user_changed(table, call->caller_user_id);
	list_each (node, following, &call->attempts) {
		const struct attempt *attempt = container_of(node, const struct attempt, node);
		if (attempt->user_id && attempt->user_id != call->caller_user_id)
			call_table_user_changed(table, attempt->user_id);
		if (attempt->counted_user_id && attempt->counted_user_id != attempt->user_id) // redirected to him
			call_table_user_changed(table, attempt->counted_user_id);
	}
}

// ---- what is shown

static const struct leg *leg_that_rings(const struct attempt *attempt)
{
	list_each (node, following, &attempt->legs) {
		const struct leg *leg = container_of(node, const struct leg, node);
		if (leg->state == LEG_RINGING)
			return leg;
	}
	return NULL;
}

static struct lamp_call show_called(const struct attempt *attempt)
{
	const struct call *call = attempt->call;
	const struct leg *ringing = leg_that_rings(attempt);
	struct lamp_call shown = {
	    .call = call->id,
	    .state = ringing ? LAMP_EARLY : LAMP_TRYING,
	    .called = true,
	    .session = ringing ? ringing->session : 0,
	    .anonymous = call->anonymous,
	    .other_number = attempt->record->caller_number,
	    .other_name = attempt->record->caller_name,
	};

	if (call->winner) {
		shown.state = LAMP_CONFIRMED;
		shown.session = 0;
		shown.holds = call->winner->holds;
		shown.held = call->caller->holds;
	}
	return shown;
}

static struct lamp_call show_caller(const struct call *call)
{
	const struct attempt *attempt = call_attempt(call);
	const struct call_record *record = attempt->record;
	struct lamp_call shown = {
	    .call = call->id,
	    .state = call->rang ? LAMP_EARLY : LAMP_TRYING,
	    .other_number = str_empty(attempt->called) ? record->dialled : attempt->called,
	    .other_name = record->callee_title,
	};

	if (call->winner) {
		shown.state = LAMP_CONFIRMED;
		shown.holds = call->caller->holds;
		shown.held = call->winner->holds;
	}
	return shown;
}

size_t call_table_lamp(const struct call_table *table, uint64_t user_id, struct lamp_call calls[2 * LAMP_CALLS_MAX])
{
	const struct tally *tally = tally_find(table, TALLY_USER, user_id);
	size_t count = 0, called = 0;

	if (!tally)
		return 0;
	list_each (node, following, &tally->attempts) {
		if (count < LAMP_CALLS_MAX)
			calls[count++] = show_called(container_of(node, const struct attempt, of_called));
	}
	called = count;
	list_each (node, following, &tally->calls) {
		if (count - called < LAMP_CALLS_MAX)
			calls[count++] = show_caller(container_of(node, const struct call, of_caller));
	}
	return count;
}
