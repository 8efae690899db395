// A call's states: who is tried, who wins, who ends it and what the caller gets.
#include "domain/call.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const call_state_names[CALL_STATE_COUNT] = {
#define CALL_STATE(name, text) [CALL_##name] = text,
#include "domain/call_states.def"
#undef CALL_STATE
};

static const char *const event_names[CALL_EVENT_COUNT] = {
#define CALL_EVENT(name, text) [CALL_EVENT_##name] = text,
#include "domain/call_events.def"
#undef CALL_EVENT
};

struct attempt *call_attempt(const struct call *call)
{
	assert(!list_empty(&call->attempts));
	return container_of(call->attempts.previous, struct attempt, node);
}

void call_drop_offer(struct call *call)
{
	pieces_give(&call->table->offers, (char *)(uintptr_t)call->offer.bytes.at,
		    call->offer.bytes.length + call->offer.type.length);
	call->offer = (struct body){.bytes = STR_NONE};
}

void call_set_state(struct call *call, enum call_state state)
{
	if (state == call->state)
		return;
	if (log_enabled(LOG_LEVEL_DEBUG)) {
		char change[40];

		snprintf(change, sizeof change, "%s -> %s", call_state_names[call->state], call_state_names[state]);
		log_debug("call", LOG_UINT("call", call->id), LOG_TEXT("state", change));
	}
	call->state = state;
	call_changed(call);
	comfort_update(call);
	if (state != CALL_ENDING)
		return;
	list_remove(&call->of_caller);
	timer_stop(&call->clock);
	call_drop_offer(call);
	relay_drop_all(call);
	if (call->counted_user_id)
		tally_drop(call->table, TALLY_USER, call->counted_user_id);
	call->counted_user_id = 0;
	succession_end(call);
}

// ---- how it ends without an answer

void call_refuse(struct call *call, const struct result *ended)
{
	struct attempt *attempt = call_attempt(call);
	struct result result = *ended;
	bool by_callee =
	    result.err == ERR_NONE && (result.outcome == OUTCOME_DECLINED || result.outcome == OUTCOME_BUSY);

	if (call->caller_kind == CALLER_TRUNK && result.err == ERR_NONE)
		result.status = status_for_carrier(result.status);
	succession_report(call, result.status);
	caller_refuse(call, &result);
	record_settle(attempt, &result, result.status, by_callee ? "callee" : "server");
	call_set_state(call, CALL_ENDING);
}

void call_refuse_for(struct call *call, enum err err)
{
	struct result result = {.outcome = OUTCOME_REFUSED, .status = err_sip_status(err), .err = err};

	if (err == ERR_BUSY)
		result.outcome = OUTCOME_BUSY;
	log_info("call_refused", LOG_UINT("call", call->id), LOG_TEXT("why", err_name(err)));
	attempt_forbid(call_attempt(call), err_sentence(err));
	call_refuse(call, &result);
}

// ---- trying a destination

// Whether the user takes a further call at all (design: call limit, do-not-disturb). A call of his own to his own
// extension does not count against him.
enum err user_may_be_called(const struct call *call, const struct user *user)
{
	unsigned calls = tally_count(call->table, TALLY_USER, user->entity.id);

	if (user->do_not_disturb)
		return ERR_DO_NOT_DISTURB;
	if (call->caller_user_id == user->entity.id)
		calls--;
	return user->call_limit && calls >= (uint64_t)user->call_limit ? ERR_BUSY : ERR_NONE;
}

static enum err user_count_call(struct call *call, struct attempt *attempt, const struct user *user)
{
	if (call->caller_user_id == user->entity.id)
		return ERR_NONE;
	if (!tally_add(call->table, TALLY_USER, user->entity.id))
		return ERR_NO_MEMORY;
	attempt->counted_user_id = user->entity.id;
	list_append(&tally_find(call->table, TALLY_USER, user->entity.id)->attempts, &attempt->of_called);
	return ERR_NONE;
}

bool was_visited(const struct call *call, uint64_t user_id)
{
	for (size_t i = 0; i < call->visited_count; i++)
		if (call->visited[i] == user_id)
			return true;
	return false;
}

static enum err try_user(struct call *call, struct attempt *attempt, const struct user *user)
{
	struct call_record *record = attempt->record;

	record->canonical = arena_copy(&record->arena, user->extension);
	record->callee_title = arena_copy(&record->arena, user->title);
	record->callee_user_id = user->entity.id;
	attempt->called = record->canonical;
	call->visited[call->visited_count++] = user->entity.id;
	if (!record->canonical.at || !record->callee_title.at || !attempt_plan_user(attempt, user))
		return ERR_NO_MEMORY;
	enum err err = user_may_be_called(call, user);
	return err ? err : user_count_call(call, attempt, user);
}

static enum err try_outside(struct call *call, struct attempt *attempt, const struct destination *destination)
{
	struct call_record *record = attempt->record;

	record->canonical = arena_copy(&record->arena, str_of(destination->outside.canonical));
	if (!record->canonical.at || !attempt_plan_outside(attempt, &destination->outside))
		return ERR_NO_MEMORY;
	if (call->forwards == 0 && attempt->payer_id == 0)
		attempt->payer_id = call->caller_user_id;
	if (device_kind_needs_relay(call->caller_device_kind) && !media_relay_is_there(call->table))
		return ERR_NO_MEDIA_RELAY;
	return ERR_NONE;
}

void call_try(struct call *call, const struct destination *destination)
{
	struct attempt *attempt = call_attempt(call);
	enum err err =
	    destination->user ? try_user(call, attempt, destination->user) : try_outside(call, attempt, destination);

	if (err) {
		call_refuse_for(call, err);
		return;
	}
	call_set_state(call, call->transfers ? CALL_TRANSFERRING : CALL_RINGING);
	attempt_ring(attempt);
}

static void log_arrival(const struct call *call, const struct call_record *record)
{
	const struct trunk *trunk = directory_trunk(call->table->ports.directory, call->caller_trunk_id);

	log_info("call_arrives", LOG_UINT("call", call->id), LOG_STR("caller", record->caller_number),
		 LOG_STR("dialled", record->dialled), LOG_STR("device", record->caller_device_number),
		 LOG_STR("trunk", trunk ? trunk->title : STR_NONE));
}

// What he dialled is to be rung: see *destination; or something else is under way already.
static enum err call_serve(struct call *call, const struct invitation *invitation, struct destination *destination)
{
	const struct feature_codes *codes = directory_features(call->table->ports.directory);
	struct str dialled = invitation->dialled, argument;

	if (invitation->takes_place)
		return replace_begin(call, invitation);
	if (call->caller_device_id && call->caller_device_kind == DEVICE_TEAMS)
		dialled = dialled_on_teams(call->table->ports.directory, dialled);
	switch (call->caller_device_id ? feature_of(codes, dialled, &argument) : FEATURE_NONE) {
	case FEATURE_TAKE_OVER:
		return take_over_begin(call);
	case FEATURE_SELECT_DEVICE:
	case FEATURE_RELEASE_DEVICE:
	case FEATURE_DO_NOT_DISTURB:
	case FEATURE_DISTURB:
		return serve_begin(call, feature_of(codes, dialled, &argument), argument);
	case FEATURE_PICK_UP:
		return pick_up_by_extension(call, argument);
	case FEATURE_NONE:
		break;
	}
	return destination_find(call, dialled, destination);
}

void call_begin(struct call *call, const struct invitation *invitation)
{
	struct destination destination;
	struct attempt *attempt = call_attempt(call);

	enum err err = caller_identify(call, invitation, attempt->record);
	anchor_note_caller(call, invitation);
	log_arrival(call, attempt->record);
	if (!err && call->table->draining)
		err = ERR_SHUTTING_DOWN;
	if (!err && (invitation->max_forwards <= 1 || diversions_hops(call) >= DIVERSION_HOPS_MAX))
		err = ERR_TOO_MANY_HOPS;
	if (!err)
		err = call_serve(call, invitation, &destination);
	if (err)
		call_refuse_for(call, err);
	else if (call->state == CALL_ROUTING)
		call_try(call, &destination);
}

// ---- nobody answers

// A new attempt, with a record of its own that names the one before.
static enum err call_forward(struct call *call, const struct user *user)
{
	struct attempt *before = call_attempt(call);
	struct destination destination;
	enum err err = destination_of_forward(call, user, &destination);

	if (err)
		return err;
	if (call->forwards >= FORWARDS_MAX || call->max_forwards <= call->forwards + 2)
		return ERR_TOO_MANY_HOPS;
	if (destination.user && was_visited(call, destination.user->entity.id))
		return ERR_LOOP;
	struct attempt *attempt = attempt_new(call);
	if (!attempt)
		return ERR_NO_MEMORY;
	record_forward(attempt, before);
	attempt->called = arena_copy(&attempt->record->arena, user->extension);
	attempt->payer_id = user->entity.id;
	record_settle(before, &before->best, 0, "server");
	call->forwards++;
	log_info("call_forwarded", LOG_UINT("call", call->id), LOG_STR("from", user->extension),
		 LOG_STR("to", user->unanswered_target));
	call_try(call, &destination);
	return ERR_NONE;
}

// There is no way on. A loop is what the caller should hear of; otherwise what the devices answered says more.
static void call_stay(struct call *call, enum err err)
{
	struct attempt *attempt = call_attempt(call);

	if (err == ERR_LOOP || err == ERR_TOO_MANY_HOPS || err == ERR_NO_MEMORY) {
		call_refuse_for(call, err);
		return;
	}
	call_refuse(call, &attempt->best);
	attempt->record->err = err;
}

void call_unanswered(struct call *call)
{
	struct attempt *attempt = call_attempt(call);
	const struct user *user = directory_user(call->table->ports.directory, attempt->user_id);
	enum unanswered policy = user && !call->moves ? (enum unanswered)user->unanswered : UNANSWERED_HANG_UP;

	timer_stop(&call->clock);
	if (attempt->best.status == 0)
		attempt->best = (struct result){.outcome = OUTCOME_UNREACHABLE, .status = 480, .err = ERR_NO_DEVICES};
	switch (policy) {
	case UNANSWERED_BUSY:
		// What a device said itself is the truth; silence becomes busy.
		if (attempt->best.outcome == OUTCOME_TIMED_OUT || attempt->best.outcome == OUTCOME_UNREACHABLE)
			attempt->best.status = 486;
		call_refuse(call, &attempt->best);
		return;
	case UNANSWERED_HANG_UP:
		call_refuse(call, &attempt->best);
		return;
	case UNANSWERED_EXTENSION:
	case UNANSWERED_OUTSIDE: {
		enum err err = call_forward(call, user);
		if (err)
			call_stay(call, err);
		return;
	}
	}
}

// ---- what happens in each state

// What he is told is what he hears: 183 what the far end plays, 180 his own phone's ringing tone when nothing is played. So each
// change from one to the other is told, in either order; a repetition is not, and the answer to his offer is given once.
static void ringing_rings(struct call *call, struct leg *leg, const struct body *body)
{
	bool plays = leg_may_be_heard(leg) && body && !str_empty(body->bytes);
	bool follows = call->early_leg == leg && (leg->progress == 180 || leg->progress == 183);

	if (plays && !call->early_media) {
		call->early_media = true;
		call->early_leg = leg;
		call->told = leg->progress;
		call->rang = true;
		caller_ring(call, leg->progress, body);
	} else if (follows ? leg->progress != call->told : !call->rang) {
		call->told = follows ? leg->progress : 180;
		call->rang = true;
		caller_ring(call, call->told, NULL);
	}
}

static void ringing_is_answered(struct call *call, struct leg *leg, const struct body *body)
{
	struct attempt *attempt = leg->attempt;

	call->winner = leg;
	call->answered_at = call_time_ms(call);
	attempt->record->answered_at = call->answered_at;
	redirect_count_winner(leg);
	winner_accept(leg);
	caller_accept(call, body);
	attempt_stop(attempt, leg, LEG_END_ANSWERED_ELSEWHERE);
	call_set_state(call, CALL_CONNECTING);
}

static void ringing_leg_fails(struct call *call, struct leg *leg, const struct body *body)
{
	(void)call;
	(void)body;
	attempt_leg_failed(leg->attempt, leg);
}

static void ringing_clock(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	attempt_advance(call_attempt(call));
}

static void caller_gives_up(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {.outcome = OUTCOME_CALLER_GAVE_UP, .status = 487};
	struct attempt *attempt = call_attempt(call);

	(void)leg;
	(void)body;
	attempt_stop(attempt, NULL, LEG_END_CALLER_GAVE_UP);
	record_settle(attempt, &result, 487, "caller");
	call_set_state(call, CALL_ENDING);
}

// He never acknowledged that it rings, and has been refused (RFC 3262 section 3).
static void ringing_loses_caller(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {
	    .outcome = OUTCOME_FAILED, .status = err_sip_status(ERR_NO_PRACK), .err = ERR_NO_PRACK};
	struct attempt *attempt = call_attempt(call);

	(void)leg;
	(void)body;
	attempt_stop(attempt, NULL, LEG_END_CALLER_GAVE_UP);
	record_settle(attempt, &result, result.status, "server");
	call_set_state(call, CALL_ENDING);
}

static void ringing_is_stopped(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {.outcome = OUTCOME_FAILED, .status = 480};

	(void)leg;
	(void)body;
	attempt_stop(call_attempt(call), NULL, LEG_END_SERVER);
	call_refuse(call, &result);
}

static void caller_connects(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	winner_acknowledge(call, body);
	call_drop_offer(call);
	call_set_state(call, CALL_TALKING);
}

static void settle(struct call *call, const struct result *result, const char *ended_by)
{
	struct attempt *attempt = call->winner ? call->winner->attempt : call_attempt(call);

	if (result->status >= 300) // he was refused, whoever had answered
		call->answered_at = attempt->record->answered_at = 0;
	record_settle(attempt, result, result->status, ended_by);
	call_set_state(call, CALL_ENDING);
}

void call_settle_answered(struct call *call, enum outcome outcome, enum err err, const char *ended_by)
{
	const struct result answered = {.outcome = outcome, .status = 200, .err = err};
	const struct result refused = {.outcome = OUTCOME_FAILED, .status = 480, .err = err};

	settle(call, call->caller->unaccepted ? &refused : &answered, ended_by);
}

// He took his call back before the relay had answered, so before he was told that somebody has it.
static void connecting_caller_gives_up(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {.outcome = OUTCOME_CALLER_GAVE_UP, .status = 487};

	(void)leg;
	(void)body;
	leg_note_end(call->winner, LEG_END_CALLER_GAVE_UP);
	leg_stop(call->winner, LEG_END_CALLER_GAVE_UP);
	settle(call, &result, "caller");
}

static void one_hangs_up(struct call *call, struct leg *leg, const struct body *body)
{
	bool by_caller = leg == call->caller;

	(void)body;
	if (!succession_waits(leg))
		leg_stop(by_caller ? call->winner : call->caller, LEG_END_NORMAL);
	call_settle_answered(call, OUTCOME_ANSWERED, ERR_NONE, by_caller ? "caller" : "callee");
}

// One side's session timer ran out; the other one is told that it is over.
static void one_expires(struct call *call, struct leg *leg, const struct body *body)
{
	(void)body;
	if (!succession_waits(leg))
		leg_stop(leg == call->caller ? call->winner : call->caller, LEG_END_NORMAL);
	call_settle_answered(call, OUTCOME_ANSWERED, ERR_SESSION_EXPIRED, "server");
}

static void both_are_stopped(struct call *call)
{
	leg_stop(call->caller, LEG_END_SERVER);
	leg_stop(call->winner, LEG_END_SERVER);
}

// The 200 never reached the caller, or his ACK never us: there is no call (RFC 3261 section 13.3.1.4). Or the relay did not answer,
// and he has been refused.
static void caller_never_connects(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result refused = {
	    .outcome = OUTCOME_FAILED, .status = err_sip_status(ERR_NO_MEDIA_RELAY), .err = ERR_NO_MEDIA_RELAY};

	(void)body;
	if (leg_is_open(leg)) {
		both_are_stopped(call);
		call_settle_answered(call, OUTCOME_FAILED, ERR_NONE, "server");
	} else {
		leg_stop(call->winner, LEG_END_SERVER);
		settle(call, &refused, "server");
	}
}

static void talk_is_stopped(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	both_are_stopped(call);
	call_settle_answered(call, OUTCOME_ANSWERED, ERR_NONE, "server");
}

// The two are told of each other's media again, by way of another relay.
static void talk_loses_relay(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	bool both_talk = call->caller->state == LEG_TALKING && call->winner->state == LEG_TALKING;
	if (both_talk && !call->successor && media_relay_is_there(call->table))
		join_begin(call, NULL);
}

// ---- a call for somebody who is in one already, and joining the two

static void transferring_rings(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	if (!call->rang)
		succession_report(call, 180);
	call->rang = true;
	comfort_update(call);
}

// He waits here, and waits no longer.
static void transferee_hangs_up(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {.outcome = OUTCOME_CALLER_GAVE_UP, .status = 487};
	struct attempt *attempt = call_attempt(call);

	(void)body;
	if (leg_is_open(leg))
		leg_stop(leg, LEG_END_NORMAL);
	attempt_stop(attempt, NULL, LEG_END_CALLER_GAVE_UP);
	record_settle(attempt, &result, 487, "caller");
	call_set_state(call, CALL_ENDING);
}

static void joining_fails(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	both_are_stopped(call);
	call_settle_answered(call, OUTCOME_FAILED, ERR_NONE, "server");
}

static void ignored(struct call *call, struct leg *leg, const struct body *body)
{
	(void)call;
	(void)leg;
	(void)body;
}

// Each cell: what is done. An empty one cannot happen: it is logged and does nothing.
typedef void call_handler(struct call *call, struct leg *leg, const struct body *body);
static call_handler *const table[CALL_STATE_COUNT][CALL_EVENT_COUNT] = {
    [CALL_RINGING] =
	{
	    [CALL_EVENT_LEG_RANG] = ringing_rings,
	    [CALL_EVENT_LEG_ANSWERED] = ringing_is_answered,
	    [CALL_EVENT_LEG_FAILED] = ringing_leg_fails,
	    [CALL_EVENT_CALLER_GAVE_UP] = caller_gives_up,
	    [CALL_EVENT_CALLER_LOST] = ringing_loses_caller,
	    [CALL_EVENT_CLOCK] = ringing_clock,
	    [CALL_EVENT_STOPPED] = ringing_is_stopped,
	},
    [CALL_TRANSFERRING] =
	{
	    [CALL_EVENT_LEG_RANG] = transferring_rings,
	    [CALL_EVENT_LEG_ANSWERED] = transfer_answered,
	    [CALL_EVENT_LEG_FAILED] = ringing_leg_fails,
	    [CALL_EVENT_CALLER_LOST] = transferee_hangs_up,
	    [CALL_EVENT_HUNG_UP] = transferee_hangs_up,
	    [CALL_EVENT_EXPIRED] = transferee_hangs_up,
	    [CALL_EVENT_CLOCK] = ringing_clock,
	    [CALL_EVENT_STOPPED] = ringing_is_stopped,
	},
    [CALL_REPLACING] =
	{
	    [CALL_EVENT_CALLER_GAVE_UP] = caller_gives_up,
	    [CALL_EVENT_CALLER_LOST] = ringing_loses_caller,
	    [CALL_EVENT_CLOCK] = replace_again,
	    [CALL_EVENT_STOPPED] = ringing_is_stopped,
	},
    [CALL_PICKED_UP] =
	{
	    [CALL_EVENT_CALLER_GAVE_UP] = picked_up_caller_gives_up,
	    [CALL_EVENT_CALLER_ACKNOWLEDGED] = picked_up_connects,
	    [CALL_EVENT_CALLER_LOST] = picked_up_fails,
	    [CALL_EVENT_HUNG_UP] = picked_up_fails,
	    [CALL_EVENT_CLOCK] = picked_up_asks,
	    [CALL_EVENT_STOPPED] = picked_up_fails,
	    [CALL_EVENT_SIDE_ACCEPTED] = picked_up_accepted,
	    [CALL_EVENT_SIDE_REFUSED] = picked_up_fails,
	},
    [CALL_SERVING] =
	{
	    [CALL_EVENT_CALLER_GAVE_UP] = caller_gives_up,
	    [CALL_EVENT_CALLER_LOST] = ringing_loses_caller,
	    [CALL_EVENT_STOPPED] = ringing_is_stopped,
	},
    [CALL_SERVED] =
	{
	    [CALL_EVENT_CALLER_GAVE_UP] = served_is_left,
	    [CALL_EVENT_CALLER_ACKNOWLEDGED] = served_acknowledged,
	    [CALL_EVENT_CALLER_LOST] = served_is_left,
	    [CALL_EVENT_HUNG_UP] = served_is_left,
	    [CALL_EVENT_EXPIRED] = served_is_left,
	    [CALL_EVENT_STOPPED] = served_is_left,
	},
    [CALL_JOINING] =
	{
	    [CALL_EVENT_CALLER_LOST] = talk_is_stopped,
	    [CALL_EVENT_HUNG_UP] = one_hangs_up,
	    [CALL_EVENT_EXPIRED] = one_expires,
	    [CALL_EVENT_MEDIA_LOST] = ignored, // they are being told already
	    [CALL_EVENT_CLOCK] = join_again,
	    [CALL_EVENT_STOPPED] = talk_is_stopped,
	    [CALL_EVENT_SIDE_ACCEPTED] = join_accepted,
	    [CALL_EVENT_SIDE_REFUSED] = joining_fails,
	},
    [CALL_CONNECTING] =
	{
	    [CALL_EVENT_CALLER_GAVE_UP] = connecting_caller_gives_up,
	    [CALL_EVENT_CALLER_ACKNOWLEDGED] = caller_connects,
	    [CALL_EVENT_CALLER_LOST] = caller_never_connects,
	    [CALL_EVENT_HUNG_UP] = one_hangs_up,
	    [CALL_EVENT_EXPIRED] = one_expires,
	    [CALL_EVENT_STOPPED] = talk_is_stopped,
	},
    [CALL_TALKING] =
	{
	    [CALL_EVENT_CALLER_LOST] = talk_is_stopped, // a re-INVITE's 2xx
	    [CALL_EVENT_HUNG_UP] = one_hangs_up,
	    [CALL_EVENT_EXPIRED] = one_expires,
	    [CALL_EVENT_MEDIA_LOST] = talk_loses_relay,
	    [CALL_EVENT_STOPPED] = talk_is_stopped,
	},
};

void call_happens(struct call *call, enum call_event event, struct leg *leg, const struct body *body)
{
	call_handler *handler = table[call->state][event];

	if (handler)
		handler(call, leg, body);
	else
		log_warning("call_event_ignored", LOG_UINT("call", call->id),
			    LOG_TEXT("state", call_state_names[call->state]), LOG_TEXT("event", event_names[event]));
}

// ---- giving back

static void call_free(struct call *call)
{
	struct call_table *calls = call->table;

	assert(call->state == CALL_ENDING && list_empty(&call->relays));
	log_debug("call_over", LOG_UINT("call", call->id));
	list_remove(&call->node);
	list_remove(&call->changed);
	calls->count--;
	leg_free(call->caller);
	pool_give(&calls->calls_pool, call);
}

// An attempt is remembered until nothing can ring any more: what it has rung must not ring again.
void call_tidy(struct call *call)
{
	if (call->state == CALL_RINGING || call->state == CALL_TRANSFERRING)
		return;
	list_each (node, following, &call->attempts) {
		struct attempt *attempt = container_of(node, struct attempt, node);
		if (!attempt->settled || attempt->open_legs > 0)
			continue;
		if (call->attempts.next == call->attempts.previous)
			call_report_over(call);
		record_save(attempt);
		attempt_free(attempt);
	}
	if (list_empty(&call->attempts) && !leg_is_open(call->caller))
		call_free(call);
}
