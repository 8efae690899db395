// A device that sends a call elsewhere (3xx, RFC 3261 section 8.1.3.4): the first of its targets that its user might dial
// rings in its place, in the same attempt and the same record; the next one when nobody answers there. Nothing else is dialled
// for it: a host of somebody else's never.
#include "domain/call.h"

#include "base/log.h"

static uint64_t now_of(const struct attempt *attempt)
{
	return loop_now_ms(attempt->call->table->ports.loop) - attempt->began_ms;
}

// A turn of the target's, moved to begin now.
static bool turn_append(const struct leg *from, const struct turn *plan, const struct user *user,
			const struct str *number)
{
	struct attempt *attempt = from->attempt;
	struct call_turn *turn = &attempt->turns[attempt->turn_count];
	uint64_t now = now_of(attempt);

	*turn = (struct call_turn){
	    .plan = *plan, .redirector = from, .guest_id = user ? user->entity.id : 0, .device_kind = DEVICE_EXTERNAL};
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

// As if he were called himself; the caller's own calls count already.
static bool guest_count(struct attempt *attempt, const struct user *user)
{
	struct call *call = attempt->call;

	if (call->caller_user_id == user->entity.id)
		return true;
	if (attempt->guest_count == REDIRECTS_MAX || !tally_add(call->table, TALLY_USER, user->entity.id))
		return false;
	attempt->guests[attempt->guest_count++] = user->entity.id;
	return true;
}

void redirect_uncount(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->guest_count; i++)
		if (attempt->guests[i])
			tally_drop(attempt->call->table, TALLY_USER, attempt->guests[i]);
	attempt->guest_count = 0;
}

void redirect_count_winner(const struct leg *leg)
{
	struct attempt *attempt = leg->attempt;
	struct call_table *table = leg->call->table;
	uint64_t guest_id = leg->turn->guest_id;

	for (size_t i = 0; i < attempt->guest_count; i++) {
		if (attempt->guests[i] != guest_id)
			continue;
		attempt->guests[i] = attempt->counted_user_id; // who sent it away, if he counts, is dropped below
		attempt->counted_user_id = guest_id;
		list_remove(&attempt->of_called);
		list_append(&tally_find(table, TALLY_USER, guest_id)->attempts, &attempt->of_called);
	}
	redirect_uncount(attempt);
}

static enum err ring_user(const struct leg *leg, const struct user *user)
{
	struct attempt *attempt = leg->attempt;
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
	if (!attempt_make_room(attempt, count) || !guest_count(attempt, user))
		return ERR_NO_MEMORY;
	ring_plan_timeline(user->strategy, plan, count, timeline);
	for (size_t i = 0; i < count; i++)
		if (!turn_append(leg, &timeline[i], user, NULL))
			return ERR_NO_MEMORY;
	call->visited[call->visited_count++] = user->entity.id;
	return ERR_NONE;
}

// As long as the device itself would have rung.
static enum err ring_outside(const struct leg *leg, const struct number *number)
{
	struct attempt *attempt = leg->attempt;
	const struct call *call = attempt->call;
	struct str canonical = str_of(number->canonical);
	struct turn plan = {.stop_ms = leg->turn->plan.stop_ms - leg->turn->plan.start_ms};

	if (device_kind_needs_relay(call->caller_device_kind) && !media_relay_is_there(call->table))
		return ERR_NO_MEDIA_RELAY;
	attempt->payer_id = attempt->user_id;
	if (!attempt_make_room(attempt, 1) || !turn_append(leg, &plan, NULL, &canonical))
		return ERR_NO_MEMORY;
	return ERR_NONE;
}

static enum err redirect_to(const struct leg *leg, const struct user *user, struct str target)
{
	struct destination destination;

	enum err err = destination_of_redirect(leg->call, user, target, &destination);
	if (err)
		return err;
	return destination.user ? ring_user(leg, destination.user) : ring_outside(leg, &destination.outside);
}

// What the record says of the device.
static void note(struct leg *leg, struct str target, enum err err)
{
	struct arena *arena = &leg->attempt->record->arena;

	if (leg->redirected)
		leg->reason = err ? arena_format(arena, "%.*s, not to %.*s: %s", STR_ARG(leg->reason), STR_ARG(target),
						 err_sentence(err))
				  : arena_format(arena, "%.*s, then to %.*s", STR_ARG(leg->reason), STR_ARG(target));
	else
		leg->reason = err ? arena_format(arena, "%u: not redirected to %.*s: %s", leg->status, STR_ARG(target),
						 err_sentence(err))
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
	while (leg->targets_tried < leg->target_count) {
		struct str target = leg->targets[leg->targets_tried++];
		// An offer that the caller has answered already cannot be given to another one.
		if (user->obey_redirects && !call->answered_early)
			err = call->redirects < REDIRECTS_MAX ? redirect_to(leg, user, target) : ERR_TOO_MANY_HOPS;
		note(leg, target, err);
		if (err)
			continue;
		call->redirects++;
		leg->redirected = true;
		leg->attempt->alone = false;
		return true;
	}
	return false;
}

// Those that its targets sent on count, too.
static bool is_over(const struct attempt *attempt, const struct leg *redirector)
{
	for (size_t i = 0; i < attempt->turn_count; i++) {
		const struct call_turn *turn = &attempt->turns[i];
		if (turn->state == TURN_OVER)
			continue;
		for (const struct leg *from = turn->redirector; from; from = from->turn->redirector)
			if (from == redirector)
				return false;
	}
	return true;
}

bool redirect_go_on(struct attempt *attempt)
{
	list_each (node, following, &attempt->legs) {
		struct leg *leg = container_of(node, struct leg, node);
		if (leg->redirected && leg->targets_tried < leg->target_count && is_over(attempt, leg) &&
		    redirect_obey(leg))
			return true;
	}
	return false;
}
