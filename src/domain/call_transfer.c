// Transfers (RFC 3515, RFC 5589). The one who stays keeps his dialog with us; a call of its own, the successor, rings the target
// for him and takes him over when somebody answers. Until then he stays in his call, which goes on when nobody does.
#include "domain/call.h"

#include "base/log.h"

#include <string.h>

enum { HOPS = 70 };

static const struct body no_body = {.bytes = {NULL, 0}};

// ---- whose leg it is

static int leg_device_kind(const struct leg *leg)
{
	return leg->attempt ? leg->turn->device_kind : leg->call->caller_device_kind;
}

// Over a trunk comes somebody from outside; over the one to MS Teams, one of us.
uint64_t leg_user(const struct leg *leg)
{
	if (leg->trunk_id && leg_device_kind(leg) != DEVICE_TEAMS)
		return 0;
	if (leg->turn && leg->turn->guest_id)
		return leg->turn->guest_id;
	return leg->attempt ? leg->attempt->user_id : leg->call->caller_user_id;
}

// Takes away whose calls the leg is counted among; he is to be counted elsewhere.
static uint64_t leg_uncount(const struct leg *leg)
{
	uint64_t *counted = leg->attempt ? &leg->attempt->counted_user_id : &leg->call->counted_user_id;
	uint64_t user_id = *counted;

	list_remove(leg->attempt ? &leg->attempt->of_called : &leg->call->of_caller);
	*counted = 0;
	return user_id;
}

static struct tally *tally_of(const struct call *call, uint64_t user_id)
{
	return tally_find(call->table, TALLY_USER, user_id);
}

static struct call_record *record_of(const struct leg *leg)
{
	const struct call *call = leg->call;

	if (leg->attempt)
		return leg->attempt->record;
	return call->winner ? call->winner->attempt->record : call_attempt(call)->record;
}

// "511 Bob"
static struct str leg_described(const struct leg *leg, struct arena *arena)
{
	const struct call_record *record = record_of(leg);
	struct str number = leg->attempt ? record->canonical : record->caller_number;
	struct str name = leg->attempt ? record->callee_title : record->caller_name;

	return arena_format(arena, "%.*s%s%.*s", STR_ARG(number), str_empty(name) ? "" : " ", STR_ARG(name));
}

static void caller_as_before(struct call *call, struct call_record *record, const struct leg *leg)
{
	const struct call *from = leg->call;
	const struct call_record *known = record_of(leg);

	call->caller_kind = from->caller_kind;
	call->caller_device_kind = from->caller_device_kind;
	call->caller_user_id = from->caller_user_id;
	call->anonymous = from->anonymous;
	memcpy(call->caller_canonical, from->caller_canonical, sizeof call->caller_canonical);
	record->caller_number = arena_copy(&record->arena, known->caller_number);
	record->caller_name = arena_copy(&record->arena, known->caller_name);
	record->caller_device_number = arena_copy(&record->arena, known->caller_device_number);
	record->call_id = arena_copy(&record->arena, known->call_id);
}

// Who was called becomes who calls.
static void caller_as_called(struct call *call, struct call_record *record, const struct leg *leg)
{
	const struct call_record *known = record_of(leg);

	call->caller_kind = leg->trunk_id && leg_device_kind(leg) != DEVICE_TEAMS ? CALLER_TRUNK : CALLER_DEVICE;
	call->caller_device_kind = leg->turn->device_kind;
	call->caller_user_id = leg->attempt->user_id;
	call->anonymous = false;
	call->caller_canonical[0] = '\0';
	if (!str_empty(leg->turn->number) && leg->turn->number.length < sizeof call->caller_canonical) {
		memcpy(call->caller_canonical, leg->turn->number.at, leg->turn->number.length);
		call->caller_canonical[leg->turn->number.length] = '\0';
	}
	record->caller_number = arena_copy(&record->arena, known->canonical);
	record->caller_name = arena_copy(&record->arena, known->callee_title);
	record->caller_device_number = arena_copy(&record->arena, leg->turn->device_number);
}

bool caller_becomes(struct call *call, const struct leg *leg)
{
	struct call_record *record = call_attempt(call)->record;

	if (leg->attempt)
		caller_as_called(call, record, leg);
	else
		caller_as_before(call, record, leg);
	call->caller_device_id = record->caller_device_id = leg->device_id;
	call->caller_trunk_id = record->caller_trunk_id = leg->trunk_id;
	record->caller_user_id = call->caller_user_id;
	return record->caller_number.at && record->caller_name.at && record->caller_device_number.at;
}

// ---- succession

static bool succession_note(struct call_record *record, const struct leg *leaver)
{
	record->forwarded_from = arena_copy(&record->arena, record_of(leaver)->id);
	record->transferred_by = leg_described(leaver, &record->arena);
	return record->forwarded_from.at && record->transferred_by.at;
}

bool succession_begin(struct call *call, struct leg *leaver)
{
	call->succession = (struct succession){.from = leaver->call, .leaver = leaver};
	leaver->call->successor = call;
	return succession_note(call_attempt(call)->record, leaver);
}

void succession_report(const struct call *call, unsigned status)
{
	const struct succession *succession = &call->succession;
	struct signalling *signalling = call->table->ports.signalling;

	if (succession->from && succession->subscription)
		signalling->refer_progress(signalling->context, succession->leaver->session, succession->subscription,
					   status);
}

static void succession_part(struct call *call)
{
	call->succession.from->successor = NULL;
	call->succession.from = NULL;
}

// The one who stays comes over as the caller.
static void caller_comes(struct call *call, struct leg *stays)
{
	call->counted_user_id = leg_uncount(stays);
	if (call->counted_user_id)
		list_append(&tally_of(call, call->counted_user_id)->calls, &call->of_caller);
	leg_take(call->caller, stays);
}

// Who moves his call to another device of his own is counted in it all the time.
static void mover_comes(struct call *call, const struct leg *leaver)
{
	struct attempt *attempt = call_attempt(call);

	attempt->counted_user_id = leg_uncount(leaver);
	if (attempt->counted_user_id)
		list_append(&tally_of(call, attempt->counted_user_id)->attempts, &attempt->of_called);
}

// He comes, and his call is over. It is left to the caller to tidy it.
static struct call *succession_happens(struct call *call)
{
	struct call *from = call->succession.from;
	struct leg *leaver = call->succession.leaver;

	succession_report(call, 200);
	succession_part(call);
	caller_comes(call, other_side(leaver));
	if (call->moves)
		mover_comes(call, leaver);
	leg_stop(leaver, call->moves ? LEG_END_ANSWERED_ELSEWHERE : LEG_END_NORMAL);
	call_settle_answered(from, OUTCOME_ANSWERED, ERR_NONE, "transfer");
	return from;
}

struct leg *succession_heir(const struct leg *leaver)
{
	const struct call *call = leaver->call->successor;

	return call && call->succession.leaver == leaver && call->state == CALL_TRANSFERRING ? other_side(leaver)
											     : NULL;
}

bool succession_waits(struct leg *leaver)
{
	struct call *call = leaver->call->successor;

	if (!succession_heir(leaver))
		return false;
	succession_part(call);
	caller_comes(call, other_side(leaver));
	if (call->moves)
		mover_comes(call, leaver);
	comfort_update(call);
	return true;
}

void succession_end(struct call *call)
{
	struct call *successor = call->successor;

	if (call->succession.from)
		succession_part(call);
	if (!successor)
		return;
	succession_part(successor);
	if (successor->state == CALL_TRANSFERRING)
		call_happens(successor, CALL_EVENT_HUNG_UP, successor->caller, NULL);
	else
		call_happens(successor, CALL_EVENT_STOPPED, NULL, NULL);
	call_tidy(successor);
}

void transfer_answered(struct call *call, struct leg *leg, const struct body *body)
{
	struct attempt *attempt = leg->attempt;
	struct call *from = call->succession.from ? succession_happens(call) : NULL;

	call->winner = leg;
	call->answered_at = attempt->record->answered_at = (int64_t)loop_time_ms(call->table->ports.loop);
	redirect_count_winner(leg);
	winner_accept(leg);
	attempt_stop(attempt, leg, LEG_END_ANSWERED_ELSEWHERE);
	join_begin(call, body);
	if (from)
		call_tidy(from);
}

// ---- REFER

static struct call *successor_new(struct leg *leaver, uint64_t subscription)
{
	struct call *call = call_new(leaver->call->table, &no_body);

	if (!call)
		return NULL;
	call->max_forwards = HOPS;
	call->transfers = true;
	if (succession_begin(call, leaver) && caller_becomes(call, other_side(leaver))) {
		call->succession.subscription = subscription;
		return call;
	}
	call_refuse_for(call, ERR_NO_MEMORY);
	call_tidy(call);
	return NULL;
}

// To whatever the one who transfers could dial himself, and at his expense.
static enum err refer_blind(struct leg *leaver, const struct leg_event *event)
{
	struct call_table *table = leaver->call->table;
	const struct user *user = directory_user(table->ports.directory, leg_user(leaver));
	struct destination destination;
	struct str dialled = event->request->refer_to;

	if (!user)
		return ERR_NOT_ALLOWED;
	if (leg_device_kind(leaver) == DEVICE_TEAMS)
		dialled = dialled_on_teams(table->ports.directory, dialled);
	enum err err = destination_of_user(table, user, dialled, &destination);
	if (err)
		return err;
	struct call *call = successor_new(leaver, event->token);
	if (!call)
		return ERR_NO_MEMORY;
	struct attempt *attempt = call_attempt(call);
	attempt->payer_id = user->entity.id;
	attempt->record->dialled = arena_copy(&attempt->record->arena, str_first(event->request->refer_to, 128));
	log_info("call_transferred", LOG_UINT("call", leaver->call->id), LOG_UINT("to_call", call->id),
		 LOG_STR("by", attempt->record->transferred_by), LOG_STR("to", attempt->record->dialled));
	wire_reply(leaver, event->token, 202, NULL);
	call_try(call, &destination);
	call_tidy(call);
	return ERR_NONE;
}

// The called side of a call that begins answered: who was at the other end of a call before.
static bool callee_becomes(struct call *call, const struct leg *leg)
{
	struct attempt *attempt = call_attempt(call);
	struct call_record *record = attempt->record;
	const struct call_record *known = record_of(leg);

	attempt->user_id = record->callee_user_id = leg->attempt ? leg->attempt->user_id : leg->call->caller_user_id;
	record->canonical = arena_copy(&record->arena, leg->attempt ? known->canonical : known->caller_number);
	record->callee_title = arena_copy(&record->arena, leg->attempt ? known->callee_title : known->caller_name);
	if (str_empty(record->dialled))
		record->dialled = record->canonical;
	return record->canonical.at && record->callee_title.at && attempt_plan_leg(attempt, leg);
}

bool callee_comes(struct call *call, struct leg *leg)
{
	struct attempt *attempt = call_attempt(call);
	struct leg *winner;

	if (!callee_becomes(call, leg) || !(winner = leg_new(call)))
		return false;
	leg_list(winner, attempt, attempt->turns);
	attempt->counted_user_id = leg_uncount(leg);
	if (attempt->counted_user_id)
		list_append(&tally_of(call, attempt->counted_user_id)->attempts, &attempt->of_called);
	leg_take(winner, leg);
	call->winner = winner;
	call->answered_at = attempt->record->answered_at = (int64_t)loop_time_ms(call->table->ports.loop);
	return true;
}

void callee_is(struct attempt *attempt, const struct call *picker)
{
	list_remove(&attempt->of_called);
	if (attempt->counted_user_id)
		tally_drop(picker->table, TALLY_USER, attempt->counted_user_id);
	attempt->user_id = picker->caller_user_id;
	attempt->counted_user_id = leg_uncount(picker->caller);
	if (attempt->counted_user_id)
		list_append(&tally_of(picker, attempt->counted_user_id)->attempts, &attempt->of_called);
}

// Both of his calls are up: the two far ends are joined in a third one.
static enum err refer_to_talker(struct leg *leaver, struct leg *place, uint64_t subscription)
{
	struct call *consulted = place->call, *call = successor_new(leaver, subscription);

	if (!call)
		return ERR_NO_MEMORY;
	if (!callee_comes(call, other_side(place))) {
		call->succession.subscription = 0;
		call_refuse_for(call, ERR_NO_MEMORY);
		call_tidy(call);
		return ERR_NO_MEMORY;
	}
	log_info("call_transferred", LOG_UINT("call", leaver->call->id), LOG_UINT("with", consulted->id),
		 LOG_UINT("to_call", call->id));
	wire_reply(leaver, subscription, 202, NULL);
	succession_happens(call);
	leg_stop(place, LEG_END_NORMAL);
	call_settle_answered(consulted, OUTCOME_ANSWERED, ERR_NONE, "transfer");
	call_tidy(consulted);
	join_begin(call, NULL);
	call_tidy(call);
	return ERR_NONE;
}

// The target still rings: the one who stays takes the place of the one who called it.
static enum err refer_to_ringing(struct leg *leaver, struct leg *place, uint64_t subscription)
{
	struct call *call = place->call;
	struct leg *caller = leg_new(call);

	if (!caller)
		return ERR_NO_MEMORY;
	uint64_t counted = leg_uncount(place);
	call->caller = caller;
	if (!succession_begin(call, leaver) || !caller_becomes(call, other_side(leaver)))
		log_warning("transfer_without_names", LOG_UINT("call", call->id));
	call->succession.subscription = subscription;
	call->transfers = true;
	log_info("call_transferred", LOG_UINT("call", leaver->call->id), LOG_UINT("to_call", call->id));
	wire_reply(leaver, subscription, 202, NULL);
	succession_happens(call);
	if (counted)
		tally_drop(call->table, TALLY_USER, counted);
	call_drop_offer(call); // its media are gone; whoever is still to ring makes one himself
	call_set_state(call, CALL_TRANSFERRING);
	leg_happens(place, &(struct leg_event){.kind = LEG_EVENT_STOP, .result = {.status = 487}});
	leg_free(place);
	return ERR_NONE;
}

bool leg_is_same_owner(const struct leg *leg, const struct leg *other)
{
	if (leg->trunk_id || other->trunk_id)
		return leg->trunk_id == other->trunk_id;
	return leg_user(leg) != 0 && leg_user(leg) == leg_user(other);
}

static enum err refer_attended(struct leg *leaver, const struct leg_event *event)
{
	struct leg *place = slots_find(leaver->call->table->legs, event->request->replaces);

	if (!place || place->call == leaver->call)
		return ERR_NO_SUCH_CALL;
	if (!leg_is_same_owner(leaver, place))
		return ERR_NOT_ALLOWED;
	if (place->call->successor || place->call->succession.from)
		return ERR_REQUEST_PENDING;
	if (place->call->state == CALL_TALKING && place->state == LEG_TALKING &&
	    other_side(place)->state == LEG_TALKING)
		return refer_to_talker(leaver, place, event->token);
	if (place->call->state == CALL_RINGING && place->state == LEG_CALLING)
		return refer_to_ringing(leaver, place, event->token);
	return ERR_REQUEST_PENDING;
}

static enum err refer(struct leg *leg, const struct leg_event *event)
{
	if (leg->call->state != CALL_TALKING || leg->state != LEG_TALKING || other_side(leg)->state != LEG_TALKING ||
	    leg->call->successor)
		return ERR_REQUEST_PENDING;
	if (leg->call->table->draining)
		return ERR_SHUTTING_DOWN;
	return event->request->refers_to_leg ? refer_attended(leg, event) : refer_blind(leg, event);
}

void transfer_requested(struct leg *leg, const struct leg_event *event)
{
	enum err err = refer(leg, event);

	if (err)
		wire_reply(leg, event->token, err_sip_status(err), NULL);
}

// ---- to another device of one's own

static bool user_has(const struct call_table *table, uint64_t user_id, uint64_t device_id)
{
	const struct user *user = directory_user(table->ports.directory, user_id);
	struct turn_plan plan[USER_TURNS_MAX];
	size_t count = user ? directory_turns(table->ports.directory, user, plan) : 0;

	for (size_t i = 0; i < count; i++)
		if (plan[i].device_id == device_id)
			return true;
	return false;
}

// Whose device it is, of the two; NULL: neither's.
static struct leg *leg_that_moves(struct call *call, uint64_t device_id, uint64_t user_id)
{
	struct leg *const legs[] = {call->winner, call->caller};

	for (size_t i = 0; i < 2; i++) {
		uint64_t owner = legs[i]->attempt ? legs[i]->attempt->user_id : call->caller_user_id;
		if (owner && (user_id == 0 || owner == user_id) && user_has(call->table, owner, device_id))
			return legs[i];
	}
	return NULL;
}

static enum err move(struct leg *leaver, uint64_t device_id)
{
	struct call_table *table = leaver->call->table;
	const struct device *device = directory_device(table->ports.directory, device_id);
	uint64_t owner = leaver->attempt ? leaver->attempt->user_id : leaver->call->caller_user_id;
	const struct user *user = directory_user(table->ports.directory, owner);
	const char *why;

	if (leaver->device_id == device_id)
		return ERR_IN_USE;
	if (table->draining)
		return ERR_SHUTTING_DOWN;
	enum err err = device_may_ring(table, device, leg_device_kind(other_side(leaver)), &why);
	if (err)
		return err;
	struct call *call = successor_new(leaver, 0);
	if (!call)
		return ERR_NO_MEMORY;
	struct attempt *attempt = call_attempt(call);
	struct call_record *record = attempt->record;
	call->moves = true;
	attempt->called = record->dialled = record->canonical = arena_copy(&record->arena, user->extension);
	record->callee_title = arena_copy(&record->arena, user->title);
	record->callee_user_id = owner;
	log_info("call_moves", LOG_UINT("call", leaver->call->id), LOG_UINT("to_call", call->id),
		 LOG_STR("to", device->number));
	if (attempt_plan_device(attempt, user, device_id)) {
		call_set_state(call, CALL_TRANSFERRING);
		attempt_ring(attempt);
	} else {
		call_refuse_for(call, ERR_NO_MEMORY);
	}
	call_tidy(call);
	return ERR_NONE;
}

enum err call_table_move(struct call_table *table, uint64_t id, uint64_t device_id, uint64_t user_id)
{
	list_each (node, following, &table->calls) {
		struct call *call = container_of(node, struct call, node);
		if (call->id != id || call->state == CALL_ENDING)
			continue;
		if (call->state != CALL_TALKING || call->successor)
			return ERR_REQUEST_PENDING;
		if (!directory_device(table->ports.directory, device_id))
			return ERR_INVALID_FIELD;
		struct leg *leaver = leg_that_moves(call, device_id, user_id);
		return leaver ? move(leaver, device_id) : ERR_NOT_ALLOWED;
	}
	return ERR_NO_SUCH_CALL;
}
