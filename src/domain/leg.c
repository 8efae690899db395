// A leg's states, and what each asks of signalling. The caller's leg and those to devices share one table: they differ in
// the states they go through.
#include "domain/call.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const leg_state_names[LEG_STATE_COUNT] = {
#define LEG_STATE(name, text, final) [LEG_##name] = text,
#include "domain/leg_states.def"
#undef LEG_STATE
};

static const bool state_is_final[LEG_STATE_COUNT] = {
#define LEG_STATE(name, text, final) [LEG_##name] = final,
#include "domain/leg_states.def"
#undef LEG_STATE
};

static const char *const event_names[LEG_EVENT_COUNT] = {
#define LEG_EVENT(name, text) [LEG_EVENT_##name] = text,
#include "domain/leg_events.def"
#undef LEG_EVENT
};

// What a leg that is stopped is recorded as.
static const struct {
	enum outcome outcome;
	const char *sentence;
} ends[] = {
    [LEG_END_NORMAL] = {OUTCOME_FAILED, "The call ended."},
    [LEG_END_ANSWERED_ELSEWHERE] = {OUTCOME_ANSWERED_ELSEWHERE, "Answered on another device."},
    [LEG_END_DECLINED_ELSEWHERE] = {OUTCOME_DECLINED_ELSEWHERE, "Declined on another device."},
    [LEG_END_CALLER_GAVE_UP] = {OUTCOME_CALLER_GAVE_UP, "The caller gave up."},
    [LEG_END_TURN_TIMED_OUT] = {OUTCOME_TIMED_OUT, "Its ring time was over."},
    [LEG_END_EXPIRED] = {OUTCOME_FAILED, "It was not heard of any more."},
    [LEG_END_TOO_SOON] = {OUTCOME_TOO_SOON, "It answered too soon to be a person."},
    [LEG_END_TOO_LATE] = {OUTCOME_TOO_LATE, "It rang as long as it may before its voicemail answers."},
    [LEG_END_SERVER] = {OUTCOME_FAILED, "The server ended the call."},
};

const char *leg_end_sentence(enum leg_end why)
{
	return ends[why].sentence;
}

bool leg_is_open(const struct leg *leg)
{
	return !state_is_final[leg->state];
}

static int64_t wall_clock(const struct leg *leg)
{
	return call_time_ms(leg->call);
}

// The device is in one call less. A turn's legs, one per contact, are one call.
static void leg_release_device(struct leg *leg)
{
	if (leg->talks)
		tally_hush(leg->call->table, leg->device_id);
	leg->talks = false;
	if (leg->counted && (!leg->turn || --leg->turn->counted_legs == 0))
		tally_drop(leg->call->table, TALLY_DEVICE, leg->device_id);
	leg->counted = false;
}

enum err leg_load_trunk(struct leg *leg, uint64_t trunk_id, enum trunk_leg_kind kind)
{
	struct call_table *table = leg->call->table;
	const struct trunk *trunk = directory_trunk(table->ports.directory, trunk_id);

	if (!trunk) // deleted while its call was on the way in
		return ERR_NONE;
	enum err err = trunk_use_take(table->trunk_use, trunk, kind);
	leg->on_trunk = err == ERR_NONE;
	return err;
}

void leg_unload_trunk(struct leg *leg)
{
	if (leg->on_trunk)
		trunk_use_give(leg->call->table->trunk_use, leg->trunk_id);
	leg->on_trunk = false;
}

void leg_talk(struct leg *leg)
{
	if (!leg->counted || leg->talks)
		return;
	leg->talks = true;
	tally_talk(leg->call->table, leg->device_id);
}

static void leg_close(struct leg *leg)
{
	struct call_table *table = leg->call->table;

	leg->ended_at = wall_clock(leg);
	confirm_end(leg);
	letters_drop(leg);
	anchor_leave(leg);
	toll_leave(table->toll, &leg->permit);
	slots_remove(table->legs, leg->id);
	leg->id = 0;
	hairpin_forget(leg);
	leg_unload_trunk(leg);
	if (leg->attempt)
		leg->attempt->open_legs--;
	relay_leg_over(leg);
}

void leg_set_state(struct leg *leg, enum leg_state state)
{
	if (log_enabled(LOG_LEVEL_DEBUG)) {
		char change[40];

		snprintf(change, sizeof change, "%s -> %s", leg_state_names[leg->state], leg_state_names[state]);
		log_debug("leg", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
			  LOG_TEXT("state", change));
	}
	assert(leg_is_open(leg));
	leg->state = state;
	if (state == LEG_PROMPTING || state == LEG_ANSWERED || state == LEG_TALKING)
		leg_talk(leg);
	// A contact that is dead answers our CANCEL after half a minute, or rather never does; the device is free before that.
	if (state == LEG_STOPPING || !leg_is_open(leg))
		leg_release_device(leg);
	if (!leg_is_open(leg))
		leg_close(leg);
	call_changed(leg->call);
}

void leg_note_end(struct leg *leg, enum leg_end why)
{
	leg->why = why;
	leg->outcome = ends[why].outcome;
	leg->reason = str_of(ends[why].sentence);
	if ((why == LEG_END_TURN_TIMED_OUT || why == LEG_END_TOO_LATE) && !leg->rang) {
		leg->outcome = OUTCOME_UNREACHABLE;
		leg->reason = STR("It did not respond.");
	}
}

void leg_fail(struct leg *leg, enum outcome outcome, const char *reason)
{
	leg->outcome = outcome;
	leg->reason = str_of(reason);
	leg_set_state(leg, LEG_FAILED);
}

// ---- a leg of ours, ringing

static void ours_progresses(struct leg *leg, const struct leg_event *event)
{
	if (event->status <= 100)
		return;
	leg->progress = event->status;
	if (!leg->rang || (event->status == 180 && !leg->alerted)) {
		leg->ringing_at = wall_clock(leg);
		attempt_leg_rings(leg->attempt, leg);
	}
	leg->alerted = leg->alerted || event->status == 180;
	if (!leg->rang) {
		number_refusal_confirm(leg);
		leg->rang = true;
		leg_set_state(leg, LEG_RINGING);
	}
	call_happens(leg->call, CALL_EVENT_LEG_RANG, leg, event->body);
}

// The voicemail guard: whoever answers this fast is no person. The other devices ring on.
static bool answered_too_soon(const struct leg *leg)
{
	int64_t since = leg->rang ? leg->ringing_at : leg->started_at;

	return wall_clock(leg) - since < (int64_t)leg->turn->too_soon_ms;
}

static void ours_answers(struct leg *leg, const struct leg_event *event)
{
	number_refusal_confirm(leg);
	if (answered_too_soon(leg)) {
		wire_acknowledge(leg, NULL);
		wire_hang_up(leg, LEG_END_TOO_SOON);
		leg_note_end(leg, LEG_END_TOO_SOON);
		leg->status = 200;
		leg->answered_at = wall_clock(leg);
		leg_set_state(leg, LEG_FAILED);
		call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
		return;
	}
	if (leg->confirmation)
		confirm_begin(leg, event->body);
	else
		call_happens(leg->call, CALL_EVENT_LEG_ANSWERED, leg, event->body);
}

// Where the device wants the call to go instead (RFC 3261 section 8.1.3.4).
static void leg_note_redirection(struct leg *leg, const struct leg_event *event)
{
	struct arena *arena = &leg->attempt->record->arena;

	if (event->target_count > 0)
		leg->targets = arena_alloc(arena, REDIRECT_TARGETS_MAX * sizeof *leg->targets);
	for (size_t i = 0; leg->targets && i < event->target_count && i < REDIRECT_TARGETS_MAX; i++) {
		struct str target = arena_copy(arena, event->targets[i]);
		if (target.at)
			leg->targets[leg->target_count++] = target;
	}
}

// What a device says is its own; a carrier's word stands for a network behind it, which has said more.
static void leg_note_refusal(struct leg *leg, const struct leg_event *event)
{
	struct arena *arena = &leg->attempt->record->arena;

	leg->status = leg->understood = event->status;
	leg->cause = event->cause;
	if (leg->trunk_id)
		leg->understood = status_understood(event->status, event->cause);
	if (leg->trunk_id && leg->rang && event->cause == CAUSE_REJECTED && leg->understood < 600)
		leg->understood = 603; // it rang, so that it was a person who rejected it (RFC 3398 section 7.2.4.1)
	if (leg->came_back_over)       // a loop of ours is none of the caller's
		leg->understood = 480;
	leg->outcome = outcome_of_status(leg->understood, leg->rang);
	leg->reason = arena_format(arena, "%u %.*s", event->status, STR_ARG(event->reason));
	if (leg->came_back_over)
		leg->reason = arena_format(arena, "%.*s: it came back to us", STR_ARG(leg->reason));
	if (event->cause)
		leg->reason = arena_format(arena, "%.*s (Q.850 %u%s%s)", STR_ARG(leg->reason), event->cause,
					   *cause_text(event->cause) ? ": " : "", cause_text(event->cause));
}

static void ours_fails(struct leg *leg, const struct leg_event *event)
{
	leg_note_redirection(leg, event);
	leg_note_refusal(leg, event);
	leg_set_state(leg, LEG_FAILED);
	call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
}

static void ours_is_stopped(struct leg *leg, const struct leg_event *event)
{
	leg_note_end(leg, event->why);
	wire_cancel(leg, event->why);
	if (leg->call->early_leg == leg)
		leg->call->early_leg = NULL;
	leg_set_state(leg, LEG_STOPPING);
}

// Its 200 crossed our CANCEL. A 2xx must be acknowledged before its dialog can be ended (RFC 3261 section 13.2.2.4).
static void stopping_answers(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	if (leg->outcome == OUTCOME_TOO_LATE)
		leg->answered_at = wall_clock(leg); // the voicemail: it tells when it answers
	wire_acknowledge(leg, NULL);
	wire_hang_up(leg, leg->why);
	leg_set_state(leg, LEG_CANCELLED);
}

static void stopping_fails(struct leg *leg, const struct leg_event *event)
{
	leg->status = event->status;
	leg->cause = event->cause;
	leg_set_state(leg, LEG_CANCELLED);
}

static void stays(struct leg *leg, const struct leg_event *event)
{
	(void)leg;
	(void)event;
}

// ---- one of ours that is invited once the relay has said what with

static const struct binding *binding_of(const struct leg *leg)
{
	const struct list *bindings = registrations_of(leg->call->table->ports.registrations, leg->device_id);

	if (!bindings)
		return NULL;
	list_each (node, following, bindings) {
		const struct binding *binding = container_of(node, const struct binding, node);
		if (str_equal(binding->contact, leg->contact))
			return binding;
	}
	return NULL;
}

// What it is invited over may have gone meanwhile.
static void preparing_is_offered(struct leg *leg, const struct leg_event *event)
{
	const struct route *route = leg->trunk_id ? route_of_leg(leg) : NULL;
	const struct binding *binding = leg->trunk_id ? NULL : binding_of(leg);
	enum err err = ERR_UNREACHABLE;

	if (route || binding)
		err = leg_send(leg, binding, route, event->body);
	else
		leg_fail(leg, OUTCOME_UNREACHABLE, err_sentence(err));
	if (!err)
		return;
	leg->understood = leg->trunk_id ? 503 : 0; // as one that could not be sent: another route may do
	call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
}

static void preparing_is_lost(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg->understood = err_sip_status(ERR_NO_MEDIA_RELAY);
	leg_fail(leg, OUTCOME_FAILED, "The media relay did not answer.");
	call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
}

static void preparing_is_stopped(struct leg *leg, const struct leg_event *event)
{
	leg_note_end(leg, event->why);
	leg_set_state(leg, LEG_CANCELLED);
}

// Whoever answered could not be heard, so it need not ring.
static void ringing_is_lost(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg->why = LEG_END_NORMAL;
	leg->outcome = OUTCOME_FAILED;
	leg->reason = STR("The media relay was lost.");
	wire_cancel(leg, LEG_END_NORMAL);
	leg_set_state(leg, LEG_STOPPING);
	call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
}

// ---- the caller's leg until it is connected

static void caller_gives_up(struct leg *leg, const struct leg_event *event)
{
	const struct refusal refusal = {.status = 487};

	(void)event;
	wire_refuse(leg, &refusal);
	leg_set_state(leg, LEG_GAVE_UP);
	call_happens(leg->call, CALL_EVENT_CALLER_GAVE_UP, leg, NULL);
}

// The far end's own word, unless our status says something else.
static unsigned cause_of_result(const struct result *result)
{
	if (result->cause && status_of_cause(result->cause) == result->status)
		return result->cause;
	if (result->outcome == OUTCOME_TIMED_OUT)
		return CAUSE_NO_ANSWER;
	if (result->err == ERR_UNREACHABLE || result->err == ERR_NO_DEVICES)
		return CAUSE_ABSENT;
	return cause_of_status(result->status);
}

static void caller_is_refused(struct leg *leg, const struct leg_event *event)
{
	const struct result *result = &event->result;
	struct refusal refusal = {.status = result->status, .cause = cause_of_result(result)};

	if (result->err) {
		refusal.warning = str_of(err_sentence(result->err));
		refusal.retry_after_s = result->status == 503 ? RETRY_AFTER_S : 0;
	}
	wire_refuse(leg, &refusal);
	leg_set_state(leg, LEG_REFUSED);
}

// Signalling has refused him already.
static void caller_is_lost(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg_set_state(leg, LEG_REFUSED);
	call_happens(leg->call, CALL_EVENT_CALLER_LOST, leg, NULL);
}

// The device whose offer it is has it in its PRACK.
static void caller_answers_early(struct leg *leg, const struct leg_event *event)
{
	struct leg *early = leg->call->early_leg;

	if (!early || !leg_is_open(early))
		return;
	leg->call->answered_early = true;
	wire_answer_early(early, event->body);
}

static void accepted_acknowledges(struct leg *leg, const struct leg_event *event)
{
	leg_set_state(leg, LEG_TALKING);
	call_happens(leg->call, CALL_EVENT_CALLER_ACKNOWLEDGED, leg, event->body);
}

// Whose place somebody was to take, who is still in his own call.
static void place_is_given_up(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg_set_state(leg, LEG_CANCELLED);
}

// ---- either side, connected

static void talker_acknowledges(struct leg *leg, const struct leg_event *event)
{
	relay_acknowledged(leg, event->body);
}

static void talker_is_lost(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	call_happens(leg->call, CALL_EVENT_CALLER_LOST, leg, NULL);
}

static void talker_hangs_up(struct leg *leg, const struct leg_event *event)
{
	leg->cause = cause_in_reason(event->reason);
	leg_set_state(leg, LEG_ENDED);
	call_happens(leg->call, CALL_EVENT_HUNG_UP, leg, NULL);
}

// Nothing is heard any more, but the call is up: where there is another relay the two move there.
static void talker_loses_relay(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg->comfort = PROMPT_COUNT;
	call_happens(leg->call, CALL_EVENT_MEDIA_LOST, leg, NULL);
}

static void talker_expires(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg_note_end(leg, LEG_END_EXPIRED);
	leg->outcome = OUTCOME_ANSWERED;
	leg_set_state(leg, LEG_ENDED);
	call_happens(leg->call, CALL_EVENT_EXPIRED, leg, NULL);
}

static void talker_is_stopped(struct leg *leg, const struct leg_event *event)
{
	wire_hang_up(leg, event->why);
	leg_set_state(leg, LEG_ENDED);
}

// The caller never brought the answer, but the winner's 200 wants its ACK all the same.
static void answered_is_stopped(struct leg *leg, const struct leg_event *event)
{
	wire_acknowledge(leg, NULL);
	talker_is_stopped(leg, event);
}

// ---- accepted: as long as our 2xx waits for the relay he can still be refused

// It crossed our 200 (RFC 3261 section 9.2), unless that has not left.
static void accepted_is_cancelled(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	if (!leg->unaccepted)
		return;
	wire_refuse(leg, &(struct refusal){.status = 487});
	leg_set_state(leg, LEG_GAVE_UP);
	call_happens(leg->call, leg == leg->call->caller ? CALL_EVENT_CALLER_GAVE_UP : CALL_EVENT_HUNG_UP, leg, NULL);
}

// The relay has not answered, or he never acknowledged.
static void accepted_is_lost(struct leg *leg, const struct leg_event *event)
{
	const struct result result = {
	    .outcome = OUTCOME_FAILED, .status = err_sip_status(ERR_NO_MEDIA_RELAY), .err = ERR_NO_MEDIA_RELAY};

	(void)event;
	if (leg->unaccepted)
		caller_is_refused(leg, &(struct leg_event){.kind = LEG_EVENT_STOP, .result = result});
	call_happens(leg->call, CALL_EVENT_CALLER_LOST, leg, NULL);
}

static void accepted_is_stopped(struct leg *leg, const struct leg_event *event)
{
	const struct result result = {.outcome = OUTCOME_FAILED, .status = 480};

	if (leg->unaccepted)
		caller_is_refused(leg, &(struct leg_event){.kind = LEG_EVENT_STOP, .result = result});
	else
		talker_is_stopped(leg, event);
}

// Each cell: what is done. An empty one cannot happen: it is logged and does nothing.
typedef void leg_handler(struct leg *leg, const struct leg_event *event);
static leg_handler *const table[LEG_STATE_COUNT][LEG_EVENT_COUNT] = {
    [LEG_NEW] =
	{
	    [LEG_EVENT_STOP] = place_is_given_up,
	},
    [LEG_CALLING] =
	{
	    [LEG_EVENT_CANCELLED] = caller_gives_up,
	    [LEG_EVENT_UNACKNOWLEDGED] = caller_is_lost,
	    [LEG_EVENT_EARLY_ANSWERED] = caller_answers_early,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_MEDIA_LOST] = stays,
	    [LEG_EVENT_STOP] = caller_is_refused,
	},
    [LEG_ACCEPTED] =
	{
	    [LEG_EVENT_ACKNOWLEDGED] = accepted_acknowledges,
	    [LEG_EVENT_UNACKNOWLEDGED] = accepted_is_lost,
	    [LEG_EVENT_CANCELLED] = accepted_is_cancelled,
	    [LEG_EVENT_MEDIA_LOST] = stays,
	    [LEG_EVENT_HUNG_UP] = talker_hangs_up,
	    [LEG_EVENT_EARLY_ANSWERED] = stays, // the device has answered without waiting for it
	    [LEG_EVENT_EXPIRED] = talker_expires,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = accepted_is_stopped,
	},
    [LEG_INVITED] =
	{
	    [LEG_EVENT_MEDIA_LOST] = ringing_is_lost,
	    [LEG_EVENT_PROGRESSED] = ours_progresses,
	    [LEG_EVENT_ANSWERED] = ours_answers,
	    [LEG_EVENT_FAILED] = ours_fails,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = ours_is_stopped,
	},
    [LEG_RINGING] =
	{
	    [LEG_EVENT_MEDIA_LOST] = ringing_is_lost,
	    [LEG_EVENT_PROGRESSED] = ours_progresses,
	    [LEG_EVENT_ANSWERED] = ours_answers,
	    [LEG_EVENT_FAILED] = ours_fails,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = ours_is_stopped,
	},
    [LEG_PREPARING] =
	{
	    [LEG_EVENT_MEDIA_OFFERED] = preparing_is_offered,
	    [LEG_EVENT_MEDIA_LOST] = preparing_is_lost,
	    [LEG_EVENT_STOP] = preparing_is_stopped,
	},
    [LEG_PROMPTING] =
	{
	    [LEG_EVENT_MEDIA_ANSWERED] = prompting_is_connected,
	    [LEG_EVENT_MEDIA_LOST] = prompting_is_lost,
	    [LEG_EVENT_PROMPT_OVER] = prompting_is_heard,
	    [LEG_EVENT_KEY] = prompting_key,
	    [LEG_EVENT_WAITED] = prompting_waited,
	    [LEG_EVENT_HUNG_UP] = prompting_hangs_up,
	    [LEG_EVENT_EXPIRED] = prompting_hangs_up,
	    [LEG_EVENT_REQUESTED] = prompting_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = prompting_is_stopped,
	},
    [LEG_DISMISSED] =
	{
	    [LEG_EVENT_MEDIA_LOST] = dismissed_is_over,
	    [LEG_EVENT_PROMPT_OVER] = dismissed_is_over,
	    [LEG_EVENT_KEY] = stays, // a 1 that comes too late
	    [LEG_EVENT_WAITED] = dismissed_is_over,
	    [LEG_EVENT_HUNG_UP] = dismissed_hangs_up,
	    [LEG_EVENT_EXPIRED] = dismissed_hangs_up,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = dismissed_is_over,
	},
    [LEG_STOPPING] =
	{
	    [LEG_EVENT_MEDIA_LOST] = stays,
	    [LEG_EVENT_PROGRESSED] = stays, // it crossed our CANCEL
	    [LEG_EVENT_ANSWERED] = stopping_answers,
	    [LEG_EVENT_FAILED] = stopping_fails,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = stays, // one reason is enough
	},
    [LEG_ANSWERED] =
	{
	    [LEG_EVENT_MEDIA_LOST] = stays,
	    [LEG_EVENT_HUNG_UP] = talker_hangs_up,
	    [LEG_EVENT_EXPIRED] = talker_expires,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = answered_is_stopped,
	},
    [LEG_TALKING] =
	{
	    [LEG_EVENT_PROMPT_OVER] = talker_has_heard,
	    [LEG_EVENT_MEDIA_ANSWERED] = stays, // it went to the relay alone
	    [LEG_EVENT_MEDIA_LOST] = talker_loses_relay,
	    [LEG_EVENT_ACKNOWLEDGED] = talker_acknowledges,
	    [LEG_EVENT_UNACKNOWLEDGED] = talker_is_lost,
	    [LEG_EVENT_HUNG_UP] = talker_hangs_up,
	    [LEG_EVENT_EXPIRED] = talker_expires,
	    [LEG_EVENT_REQUESTED] = relay_requested,
	    [LEG_EVENT_REPLIED] = relay_replied,
	    [LEG_EVENT_STOP] = talker_is_stopped,
	},
};

void leg_happens(struct leg *leg, const struct leg_event *event)
{
	leg_handler *handler = table[leg->state][event->kind];

	if (handler)
		handler(leg, event);
	else
		log_warning("leg_event_ignored", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
			    LOG_TEXT("state", leg_state_names[leg->state]),
			    LOG_TEXT("event", event_names[event->kind]));
}

// ---- what the call asks for

void leg_stop(struct leg *leg, enum leg_end why)
{
	leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_STOP, .why = why});
}

void leg_abandon(struct leg *leg)
{
	leg_set_state(leg, LEG_CANCELLED);
}

void caller_ring(struct call *call, unsigned status, const struct body *body)
{
	wire_progress(call->caller, status, body);
}

void caller_refuse(struct call *call, const struct result *result)
{
	leg_happens(call->caller, &(struct leg_event){.kind = LEG_EVENT_STOP, .result = *result});
}

void caller_accept(struct call *call, const struct body *body)
{
	struct leg *leg = call->caller;

	wire_accept(leg, body);
	leg->answered_at = wall_clock(leg);
	leg_set_state(leg, LEG_ACCEPTED);
}

void winner_accept(struct leg *leg)
{
	leg->outcome = OUTCOME_ANSWERED;
	leg->status = 200;
	if (leg->state == LEG_PROMPTING) { // it was acknowledged when it was answered
		leg_set_state(leg, LEG_TALKING);
		return;
	}
	leg->answered_at = wall_clock(leg);
	if (!leg->offered && !leg->call->answered_early) {
		leg_set_state(leg, LEG_ANSWERED);
		return;
	}
	wire_acknowledge(leg, NULL);
	leg_set_state(leg, LEG_TALKING);
}

void winner_acknowledge(struct call *call, const struct body *body)
{
	struct leg *leg = call->winner;

	if (leg->state != LEG_ANSWERED && leg->offer_is_ours && body && !str_empty(body->bytes))
		wire_to_relay(call->caller, body); // it has had its answer long ago
	if (leg->state != LEG_ANSWERED)
		return;
	wire_acknowledge(leg, body);
	leg_set_state(leg, LEG_TALKING);
}
