// A device that sends a call elsewhere (3xx, RFC 3261 section 8.1.3.4): the first of its targets that its user might dial
// rings in its place, in the same attempt and the same record. Nothing else is dialled for it: a host of somebody else's never.
#include "domain/call.h"

#include "base/log.h"

static uint64_t now_of(const struct attempt *attempt)
{
	return loop_now_ms(attempt->call->table->ports.loop) - attempt->began_ms;
}

// A turn of the target's, moved to begin now.
static bool turn_append(struct attempt *attempt, const struct turn *plan, const struct str *number)
{
	struct call_turn *turn = &attempt->turns[attempt->turn_count];
	uint64_t now = now_of(attempt);

	*turn = (struct call_turn){.plan = *plan, .redirected = true, .device_kind = DEVICE_EXTERNAL};
	turn->plan.start_ms += now;
	turn->plan.stop_ms += now;
	turn->starts_ms = turn->plan.start_ms;
	turn->stops_ms = turn->plan.stop_ms;
	if (number) {
		turn->number = arena_copy(&attempt->record->arena, *number);
		turn->device_number = turn->number;
		if (!turn->number.at)
			return false;
	} else if (!turn_describe(attempt, turn)) {
		return false;
	}
	attempt->turn_count++;
	return true;
}

static enum err ring_user(struct attempt *attempt, const struct user *user)
{
	struct call *call = attempt->call;
	struct turn_plan plan[USER_TURNS_MAX];
	struct turn timeline[USER_TURNS_MAX];

	if (user->entity.id == attempt->user_id || was_visited(call, user->entity.id))
		return ERR_LOOP;
	enum err err = user_may_be_called(call, user);
	if (err)
		return err;
	size_t count = directory_turns(call->table->ports.directory, user, plan);
	if (count == 0)
		return ERR_NO_DEVICES;
	if (!attempt_make_room(attempt, count))
		return ERR_NO_MEMORY;
	ring_plan_timeline(user->strategy, plan, count, timeline);
	for (size_t i = 0; i < count; i++)
		if (!turn_append(attempt, &timeline[i], NULL))
			return ERR_NO_MEMORY;
	call->visited[call->visited_count++] = user->entity.id;
	return ERR_NONE;
}

// As long as the device itself would have rung.
static enum err ring_outside(struct attempt *attempt, const struct call_turn *from, const struct number *number)
{
	const struct call *call = attempt->call;
	struct str canonical = str_of(number->canonical);
	struct turn plan = {.stop_ms = from->plan.stop_ms - from->plan.start_ms};

	if (device_kind_needs_relay(call->caller_device_kind) && !media_relay_is_there(call->table))
		return ERR_NO_MEDIA_RELAY;
	attempt->payer_id = attempt->user_id;
	if (!attempt_make_room(attempt, 1) || !turn_append(attempt, &plan, &canonical))
		return ERR_NO_MEMORY;
	return ERR_NONE;
}

static enum err redirect_to(struct leg *leg, const struct user *user, struct str target)
{
	struct attempt *attempt = leg->attempt;
	struct destination destination;

	enum err err = destination_of_redirect(attempt->call, user, target, &destination);
	if (err)
		return err;
	return destination.user ? ring_user(attempt, destination.user)
				: ring_outside(attempt, leg->turn, &destination.outside);
}

// What the record says of the device.
static void note(struct leg *leg, struct str target, enum err err)
{
	struct arena *arena = &leg->attempt->record->arena;

	leg->reason =
	    err ? arena_format(arena, "%u: not redirected to %.*s: %s", leg->status, STR_ARG(target), err_sentence(err))
		: arena_format(arena, "%u: redirected to %.*s", leg->status, STR_ARG(target));
	log_info("call_redirected", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
		 LOG_STR("to", target), LOG_TEXT("refused", err ? err_name(err) : "no"));
}

bool redirect_obey(struct leg *leg)
{
	struct call *call = leg->call;
	const struct user *user = directory_user(call->table->ports.directory, leg->attempt->user_id);
	enum err err = ERR_NOT_ALLOWED;

	if (!user)
		return false;
	for (size_t i = 0; i < leg->target_count; i++) {
		// An offer that the caller has answered already cannot be given to another one.
		if (user->obey_redirects && !call->answered_early)
			err = call->redirects < REDIRECTS_MAX ? redirect_to(leg, user, leg->targets[i])
							      : ERR_TOO_MANY_HOPS;
		note(leg, leg->targets[i], err);
		if (err)
			continue;
		call->redirects++;
		leg->attempt->alone = false;
		return true;
	}
	return false;
}
