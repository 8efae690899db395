// Every call there is: made, found, counted and given back here. Signalling's events find their leg and go on to leg.c.
#include "domain/call.h"

#include "base/log.h"
#include "domain/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEGS_MAX = 4 * CALLS_MAX };

// ---- how many calls a user or device is in

static bool same_tally(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct tally, node)->id == *(const uint64_t *)key;
}

struct tally *tally_find(const struct call_table *table, enum tally_kind kind, uint64_t id)
{
	struct hash_node *node = hash_find(table->tallies[kind], hash_id(id), same_tally, &id);

	return node ? container_of(node, struct tally, node) : NULL;
}

bool tally_add(struct call_table *table, enum tally_kind kind, uint64_t id)
{
	struct tally *tally = tally_find(table, kind, id);

	if (!tally) {
		tally = pool_take(&table->tallies_pool);
		if (!tally)
			return false;
		tally->id = id;
		list_init(&tally->calls);
		list_init(&tally->attempts);
		if (!hash_insert(table->tallies[kind], &tally->node, hash_id(id))) {
			pool_give(&table->tallies_pool, tally);
			return false;
		}
	}
	tally->count++;
	return true;
}

void tally_drop(struct call_table *table, enum tally_kind kind, uint64_t id)
{
	struct tally *tally = tally_find(table, kind, id);

	assert(tally && tally->count > 0);
	if (--tally->count > 0)
		return;
	assert(list_empty(&tally->calls) && list_empty(&tally->attempts));
	hash_remove(table->tallies[kind], &tally->node);
	pool_give(&table->tallies_pool, tally);
}

unsigned tally_count(const struct call_table *table, enum tally_kind kind, uint64_t id)
{
	const struct tally *tally = tally_find(table, kind, id);

	return tally ? tally->count : 0;
}

void tally_talk(struct call_table *table, uint64_t device_id)
{
	tally_find(table, TALLY_DEVICE, device_id)->talking++;
}

void tally_hush(struct call_table *table, uint64_t device_id)
{
	struct tally *tally = tally_find(table, TALLY_DEVICE, device_id);

	assert(tally && tally->talking > 0);
	tally->talking--;
}

enum device_activity call_table_device_activity(const struct call_table *table, uint64_t device_id)
{
	const struct tally *tally = tally_find(table, TALLY_DEVICE, device_id);

	if (!tally)
		return DEVICE_IDLE;
	return tally->talking ? DEVICE_TALKING : DEVICE_RINGING;
}

unsigned call_table_calls_of_user(const struct call_table *table, uint64_t user_id)
{
	return tally_count(table, TALLY_USER, user_id);
}

// ---- the table

struct call_table *call_table_create(const struct call_table_ports *ports)
{
	struct call_table *table = calloc(1, sizeof *table);

	if (!table)
		return NULL;
	table->ports = *ports;
	list_init(&table->calls);
	list_init(&table->changed);
	pieces_init(&table->offers);
	pool_init(&table->calls_pool, sizeof(struct call));
	pool_init(&table->legs_pool, sizeof(struct leg));
	pool_init(&table->attempts_pool, sizeof(struct attempt));
	pool_init(&table->relays_pool, sizeof(struct relay));
	pool_init(&table->tallies_pool, sizeof(struct tally));
	pool_init(&table->lamps_pool, sizeof(struct lamp));
	pool_init(&table->confirmations_pool, confirmation_size());
	pool_init(&table->letters_pool, letter_size());
	table->legs = slots_create(LEGS_MAX);
	table->relays = slots_create(CALLS_MAX);
	table->letters = slots_create(LEGS_MAX);
	for (int key = 0; key < HAIRPIN_KEYS; key++)
		table->outside[key] = hash_create();
	table->number_refusals = hash_create();
	table->toll = toll_create(
	    &(struct toll_ports){.loop = ports->loop, .directory = ports->directory, .watch = ports->watch});
	table->trunk_use = trunk_use_create(ports->loop);
	table->lamps = hash_create();
	table->tallies[TALLY_USER] = hash_create();
	table->tallies[TALLY_DEVICE] = hash_create();
	if (!table->legs || !table->relays || !table->letters || !table->outside[0] || !table->outside[1] ||
	    !table->outside[2] || !table->number_refusals || !table->toll || !table->trunk_use || !table->lamps ||
	    !table->tallies[TALLY_USER] || !table->tallies[TALLY_DEVICE]) {
		call_table_destroy(table);
		return NULL;
	}
	if (ports->watch)
		watch_calls(ports->watch, calls_report_changed, table);
	return table;
}

static void call_abandon(struct call *call)
{
	if (call->state != CALL_ENDING)
		call_happens(call, CALL_EVENT_STOPPED, NULL, NULL);
	list_each (node, following, &call->attempts) {
		struct attempt *attempt = container_of(node, struct attempt, node);
		list_each (leg_node, following_leg, &attempt->legs) {
			struct leg *leg = container_of(leg_node, struct leg, node);
			if (leg_is_open(leg))
				leg_abandon(leg);
		}
	}
	call_tidy(call);
}

void call_table_destroy(struct call_table *table)
{
	if (!table)
		return;
	while (!list_empty(&table->calls))
		call_abandon(container_of(table->calls.next, struct call, node));
	assert(table->count == 0);
	if (table->ports.watch)
		watch_calls(table->ports.watch, NULL, NULL);
	slots_destroy(table->legs);
	slots_destroy(table->relays);
	slots_destroy(table->letters);
	for (int key = 0; key < HAIRPIN_KEYS; key++)
		hash_destroy(table->outside[key]);
	number_refusals_free(table);
	toll_destroy(table->toll);
	trunk_use_destroy(table->trunk_use);
	hash_destroy(table->lamps);
	hash_destroy(table->tallies[TALLY_USER]);
	hash_destroy(table->tallies[TALLY_DEVICE]);
	pieces_free(&table->offers);
	pool_free(&table->calls_pool);
	pool_free(&table->legs_pool);
	pool_free(&table->attempts_pool);
	pool_free(&table->relays_pool);
	pool_free(&table->tallies_pool);
	pool_free(&table->lamps_pool);
	pool_free(&table->confirmations_pool);
	pool_free(&table->letters_pool);
	free(table);
}

struct trunk_use_counters call_table_trunk_use(const struct call_table *table, uint64_t trunk_id)
{
	return trunk_use_count(table->trunk_use, trunk_id);
}

size_t call_table_count(const struct call_table *table)
{
	return table->count;
}

const struct toll *call_table_toll(const struct call_table *table)
{
	return table->toll;
}

void call_table_drain(struct call_table *table)
{
	table->draining = true;
}

// ---- a new call

static void clock_strikes(struct timer *timer)
{
	struct call *call = container_of(timer, struct call, clock);

	call_happens(call, CALL_EVENT_CLOCK, NULL, NULL);
	call_tidy(call);
}

// The caller's offer goes to each device, also to those whose turn comes later.
bool call_keep_offer(struct call *call, const struct body *body)
{
	if (!body || str_empty(body->bytes))
		return true;
	char *copy = pieces_take(&call->table->offers, body->bytes.length + body->type.length);
	if (!copy)
		return false;
	memcpy(copy, body->bytes.at, body->bytes.length);
	if (!str_empty(body->type))
		memcpy(copy + body->bytes.length, body->type.at, body->type.length);
	call->offer.bytes = (struct str){copy, body->bytes.length};
	call->offer.type = (struct str){copy + body->bytes.length, body->type.length};
	call->offer.from_leg = body->from_leg;
	return true;
}

struct call *call_new(struct call_table *table, const struct body *offer)
{
	struct call *call = pool_take(&table->calls_pool);

	if (!call)
		return NULL;
	call->table = table;
	call->id = table->last_id + 1;
	call->began_ms = loop_now_ms(table->ports.loop);
	call->began_at = (int64_t)loop_time_ms(table->ports.loop);
	list_init(&call->of_caller);
	list_init(&call->attempts);
	list_init(&call->changed);
	list_init(&call->relays);
	timer_init(&call->clock, clock_strikes);
	call->caller = leg_new(call);
	if (!call->caller)
		goto no_leg;
	if (!attempt_new(call))
		goto no_attempt;
	if (!call_keep_offer(call, offer))
		goto no_offer;
	call->offer.from_leg = call->caller->id;
	call->caller->offered = !str_empty(call->offer.bytes);
	table->last_id++;
	table->count++;
	list_append(&table->calls, &call->node);
	return call;

no_offer:
	attempt_free(call_attempt(call));
no_attempt:
	leg_free(call->caller);
no_leg:
	pool_give(&table->calls_pool, call);
	return NULL;
}

enum err call_table_invited(struct call_table *table, const struct invitation *invitation, uint64_t *leg)
{
	struct call *call = call_new(table, &invitation->body);

	if (!call)
		return ERR_NO_MEMORY;
	*leg = call->caller->id;
	caller_arrives(call->caller, invitation->session);
	call_begin(call, invitation);
	call_tidy(call);
	return ERR_NONE;
}

// ---- what happens to a leg

// What it says is its own wherever that goes.

static void leg_event(struct call_table *table, uint64_t id, const struct leg_event *event)
{
	struct leg *leg = slots_find(table->legs, id);
	struct leg_event owned = *event;
	struct dialog_request request;
	struct body body;

	if (!leg)
		return;
	if (event->body) {
		body = *event->body;
		body.from_leg = id;
		owned.body = &body;
	}
	if (event->request) {
		request = *event->request;
		request.body.from_leg = id;
		owned.request = &request;
	}
	struct call *call = leg->call;
	call->said = event->kind == LEG_EVENT_FAILED ? STR_NONE : event->reason;
	leg_happens(leg, &owned);
	call->said = STR_NONE;
	call_tidy(call);
}

void call_table_cancelled(struct call_table *table, uint64_t leg, struct str reason)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_CANCELLED, .reason = reason});
}

void call_table_acknowledged(struct call_table *table, uint64_t leg, const struct body *body)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_ACKNOWLEDGED, .body = body});
}

void call_table_unacknowledged(struct call_table *table, uint64_t leg)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_UNACKNOWLEDGED});
}

void call_table_progressed(struct call_table *table, uint64_t leg, unsigned status, const struct body *body)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_PROGRESSED, .status = status, .body = body});
}

void call_table_answered(struct call_table *table, uint64_t leg, const struct body *body)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_ANSWERED, .body = body});
}

void call_table_failed(struct call_table *table, uint64_t leg, unsigned status, struct str phrase, struct str reason)
{
	leg_event(table, leg,
		  &(struct leg_event){
		      .kind = LEG_EVENT_FAILED, .status = status, .reason = phrase, .cause = cause_in_reason(reason)});
}

void call_table_redirected(struct call_table *table, uint64_t leg, unsigned status, struct str reason,
			   const struct str targets[], size_t count)
{
	leg_event(table, leg,
		  &(struct leg_event){.kind = LEG_EVENT_FAILED,
				      .status = status,
				      .reason = reason,
				      .targets = targets,
				      .target_count = count});
}

void call_table_media_lost(struct call_table *table, uint64_t leg)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_MEDIA_LOST});
}

void call_table_prompt_over(struct call_table *table, uint64_t leg)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_PROMPT_OVER});
}

void call_table_key_pressed(struct call_table *table, uint64_t leg, char key)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_KEY, .key = key});
}

void call_table_early_answered(struct call_table *table, uint64_t leg, const struct body *body)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_EARLY_ANSWERED, .body = body});
}

void call_table_expired(struct call_table *table, uint64_t leg)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_EXPIRED});
}

void call_table_hung_up(struct call_table *table, uint64_t leg, struct str reason)
{
	leg_event(table, leg, &(struct leg_event){.kind = LEG_EVENT_HUNG_UP, .reason = reason});
}

void call_table_requested(struct call_table *table, uint64_t leg, uint64_t transaction,
			  const struct dialog_request *request)
{
	leg_event(table, leg,
		  &(struct leg_event){.kind = LEG_EVENT_REQUESTED, .token = transaction, .request = request});
}

void call_table_replied(struct call_table *table, uint64_t leg, uint64_t token, unsigned status,
			const struct body *body)
{
	leg_event(table, leg,
		  &(struct leg_event){.kind = LEG_EVENT_REPLIED, .token = token, .status = status, .body = body});
}

bool call_table_hang_up(struct call_table *table, uint64_t id)
{
	list_each (node, following, &table->calls) {
		struct call *call = container_of(node, struct call, node);
		if (call->id != id || call->state == CALL_ENDING)
			continue;
		call_happens(call, CALL_EVENT_STOPPED, NULL, NULL);
		call_tidy(call);
		return true;
	}
	return false;
}
