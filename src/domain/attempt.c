// A ring plan being carried out. Turns start when they are due, stop when their time is over, and start early when all
// that was to ring before them has failed. One timer of the call serves them all.
#include "domain/call.h"

#include "base/log.h"
#include "domain/guard.h"

#include <assert.h>
#include <string.h>

enum { MS_PER_S = 1000 };

enum outcome outcome_of_status(unsigned status, bool rang)
{
	switch (status) {
	case 486: // a phone that has rung is not busy: somebody pressed the button
		return rang ? OUTCOME_DECLINED : OUTCOME_BUSY;
	case 600:
		return OUTCOME_BUSY;
	case 603:
	case 607: // unwanted (RFC 8197)
		return OUTCOME_DECLINED;
	case 408:
	case 480:
		return rang ? OUTCOME_TIMED_OUT : OUTCOME_UNREACHABLE;
	case 410:
	case 430:
	case 502:
	case 503:
	case 504:
		return OUTCOME_UNREACHABLE;
	default:
		return OUTCOME_FAILED;
	}
}

// ---- the best response (RFC 3261 section 16.7 step 6)

// What says more ranks higher: a 6xx is final for all devices, busy is more than silence, and that somebody could have
// answered is more than that nobody was there, or that one device was not to be disturbed.
static int response_rank(const struct result *result)
{
	unsigned status = result->status;

	if (status == 0)
		return 0;
	if (status >= 600)
		return 8;
	if (result->err == ERR_DO_NOT_DISTURB)
		return 4;
	if (status == 486)
		return 7;
	if (status == 415 || status == 420 || status == 484 || status == 488)
		return 6;
	if (result->outcome == OUTCOME_TIMED_OUT)
		return 5;
	if (result->outcome == OUTCOME_UNREACHABLE)
		return 2;
	return status >= 400 && status < 500 ? 4 : 3;
}

// What a device answered, as the caller may see it. A challenge or a redirection was for us; a 503 would tell the caller's
// phone that we are out of service (RFC 3261 section 16.7).
static unsigned status_for_caller(unsigned status)
{
	if (status == 401 || status == 407 || status == 503)
		return 500;
	if (status < 400 || status == 487)
		return 480;
	return status;
}

// Our own word, with Retry-After: later there may be room.
static bool no_trunk_has_room(enum err err)
{
	return err == ERR_TRUNK_DOWN || err == ERR_TRUNK_FULL || err == ERR_TRUNK_PACED;
}

static void attempt_note(struct attempt *attempt, struct result result)
{
	if (result.status && !no_trunk_has_room(result.err))
		result.status = status_for_caller(result.status);
	if (response_rank(&result) > response_rank(&attempt->best))
		attempt->best = result;
}

// ---- making and giving back

struct attempt *attempt_new(struct call *call)
{
	struct attempt *attempt = pool_take(&call->table->attempts_pool);

	if (!attempt)
		return NULL;
	attempt->call = call;
	list_init(&attempt->of_called);
	list_init(&attempt->legs);
	attempt->began_ms = loop_now_ms(call->table->ports.loop);
	attempt->record = record_begin(call);
	if (!attempt->record) {
		pool_give(&call->table->attempts_pool, attempt);
		return NULL;
	}
	list_append(&call->attempts, &attempt->node);
	return attempt;
}

void attempt_free(struct attempt *attempt)
{
	list_each (node, following, &attempt->legs)
		leg_free(container_of(node, struct leg, node));
	list_remove(&attempt->node);
	call_record_free(attempt->record);
	pool_give(&attempt->call->table->attempts_pool, attempt);
}

// ---- laying out

// Never into the voicemail, which counts from when the phone rings; from when it is invited, as long as it does not.
static void turn_cut(struct call_turn *turn, uint64_t rings_ms)
{
	uint64_t planned_ms = turn->starts_ms + turn->plan.stop_ms - turn->plan.start_ms;
	uint64_t latest_ms = rings_ms + turn->too_late_ms;

	turn->cut = turn->too_late_ms && latest_ms < planned_ms;
	turn->stops_ms = turn->cut ? latest_ms : planned_ms;
}

bool turn_describe(struct attempt *attempt, struct call_turn *turn)
{
	struct arena *arena = &attempt->record->arena;
	const struct directory *directory = attempt->call->table->ports.directory;
	const struct device *device = directory_device(directory, turn->plan.device_id);

	if (!device)
		return true; // deleted since; turn_start says so
	turn->device_kind = device->device_kind;
	turn->device_number = arena_copy(arena, device->number);
	turn->device_title = arena_copy(arena, device->title);
	turn->confirm = device->confirm;
	if (!device_kind_registers(device->device_kind)) {
		turn->number = arena_copy(arena, str_empty(device->canonical) ? device->number : device->canonical);
		struct guard guard = guard_of(device, directory_site(directory));
		turn->too_soon_ms = guard.too_soon_ms;
		turn->too_late_ms = guard.too_late_ms;
		if (guard.too_late_ms)
			turn_cut(turn, turn->starts_ms);
		if (!turn->number.at)
			return false;
	}
	return turn->device_number.at && turn->device_title.at;
}

bool attempt_make_room(struct attempt *attempt, size_t more)
{
	size_t count = attempt->turn_count;
	struct call_turn *before = attempt->turns;
	struct call_turn *turns = arena_alloc(&attempt->record->arena, (count + more) * sizeof *turns);

	if (!turns)
		return false;
	memcpy(turns, before, count * sizeof *turns);
	list_each (node, following, &attempt->legs) {
		struct leg *leg = container_of(node, struct leg, node);
		leg->turn = turns + (leg->turn - before);
	}
	attempt->turns = turns;
	return true;
}

static bool is_forwarded(const struct user *user)
{
	return user->unanswered == UNANSWERED_EXTENSION || user->unanswered == UNANSWERED_OUTSIDE;
}

// Waits once for what is read of all of them, and not for each.
static void devices_fetch(const struct call_table_ports *ports, const struct turn_plan *plan, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		directory_expect_device(ports->directory, plan[i].device_id);
		registrations_expect(ports->registrations, plan[i].device_id);
	}
	for (size_t i = 0; i < count; i++) {
		directory_fetch_device(ports->directory, plan[i].device_id);
		registrations_fetch(ports->registrations, plan[i].device_id);
	}
}

bool attempt_plan_user(struct attempt *attempt, const struct user *user)
{
	struct call_table_ports *ports = &attempt->call->table->ports;
	struct turn_plan plan[USER_TURNS_MAX];
	struct turn timeline[USER_TURNS_MAX];
	size_t count = directory_turns(ports->directory, user, plan);

	devices_fetch(ports, plan, count);
	attempt->user_id = user->entity.id;
	ring_plan_timeline(user->strategy, plan, count, timeline);
	attempt->turns = arena_alloc(&attempt->record->arena, (count + 1) * sizeof *attempt->turns);
	if (!attempt->turns)
		return false;
	attempt->turn_count = count;
	for (size_t i = 0; i < count; i++) {
		struct call_turn *turn = &attempt->turns[i];
		turn->plan = timeline[i];
		turn->starts_ms = timeline[i].start_ms;
		turn->stops_ms = timeline[i].stop_ms;
		if (!turn_describe(attempt, turn))
			return false;
	}
	// A call that was forwarded has told the caller about another device already.
	attempt->alone = count == 1 && !is_forwarded(user) && attempt->call->forwards == 0;
	return true;
}

bool attempt_plan_outside(struct attempt *attempt, const struct number *number)
{
	struct call_turn *turn = arena_alloc(&attempt->record->arena, sizeof *turn);

	if (!turn)
		return false;
	turn->plan = (struct turn){.stop_ms = RING_OUTSIDE_MS};
	turn->stops_ms = RING_OUTSIDE_MS;
	turn->device_kind = DEVICE_EXTERNAL;
	turn->number = arena_copy(&attempt->record->arena, str_of(number->canonical));
	turn->device_number = turn->number;
	attempt->emergency = number->class_ == NUMBER_EMERGENCY;
	attempt->turns = turn;
	attempt->turn_count = 1;
	attempt->alone = attempt->call->forwards == 0;
	return turn->number.at;
}

bool attempt_plan_device(struct attempt *attempt, const struct user *user, uint64_t device_id)
{
	struct call_turn *turn = arena_alloc(&attempt->record->arena, sizeof *turn);

	if (!turn)
		return false;
	turn->plan = (struct turn){.device_id = device_id, .stop_ms = RING_S_DEFAULT * MS_PER_S};
	turn->stops_ms = turn->plan.stop_ms;
	attempt->user_id = user->entity.id;
	attempt->turns = turn;
	attempt->turn_count = 1;
	return turn_describe(attempt, turn);
}

bool attempt_plan_leg(struct attempt *attempt, const struct leg *leg)
{
	struct arena *arena = &attempt->record->arena;
	const struct directory *directory = attempt->call->table->ports.directory;
	const struct device *device = directory_device(directory, leg->device_id);
	struct call_turn *turn = arena_alloc(arena, sizeof *turn);

	if (!turn)
		return false;
	turn->plan.device_id = leg->device_id;
	turn->state = TURN_OVER;
	turn->rung = true;
	turn->device_kind = leg->turn ? leg->turn->device_kind : leg->call->caller_device_kind;
	if (leg->turn)
		turn->device_number = arena_copy(arena, leg->turn->device_number);
	else if (device)
		turn->device_number = arena_copy(arena, device->number);
	else
		turn->device_number = arena_copy(arena, str_of(leg->call->caller_canonical));
	turn->device_title = device ? arena_copy(arena, device->title) : STR_NONE;
	attempt->turns = turn;
	attempt->turn_count = 1;
	return turn->device_number.at && (!device || turn->device_title.at);
}

// ---- turns

static uint64_t now_of(const struct attempt *attempt)
{
	return loop_now_ms(attempt->call->table->ports.loop) - attempt->began_ms;
}

static bool leg_rings_on(const struct leg *leg)
{
	return leg->state == LEG_PREPARING || leg->state == LEG_INVITED || leg->state == LEG_RINGING ||
	       leg->state == LEG_PROMPTING;
}

static bool turn_rings_on(const struct attempt *attempt, const struct call_turn *turn)
{
	list_each (node, following, &attempt->legs) {
		const struct leg *leg = container_of(node, const struct leg, node);
		if (leg->turn == turn && leg_rings_on(leg))
			return true;
	}
	return false;
}

// Who has answered and hears who calls takes his time, which is bounded by itself: the turn's own stands still.
static bool turn_prompts(const struct attempt *attempt, const struct call_turn *turn)
{
	list_each (node, following, &attempt->legs) {
		const struct leg *leg = container_of(node, const struct leg, node);
		if (leg->turn == turn && leg->state == LEG_PROMPTING)
			return true;
	}
	return false;
}

static void turn_stop_legs(struct attempt *attempt, const struct call_turn *turn, enum leg_end why)
{
	list_each (node, following, &attempt->legs) {
		struct leg *leg = container_of(node, struct leg, node);
		if (leg->turn == turn && leg_rings_on(leg))
			leg_stop(leg, why);
	}
}

// The turn will not ring; what that means for the caller's answer.
static void turn_skip(struct attempt *attempt, struct call_turn *turn, enum err err, const char *reason)
{
	struct result result = {.outcome = OUTCOME_UNREACHABLE, .status = err_sip_status(err), .err = err};

	turn->state = TURN_OVER;
	turn->outcome = OUTCOME_NOT_RUNG;
	turn->reason = reason ? reason : err_sentence(err);
	if (err == ERR_UNREACHABLE || err == ERR_NO_ROUTE || err == ERR_TRUNK_DOWN)
		turn->outcome = OUTCOME_UNREACHABLE;
	if (attempt->user_id && no_trunk_has_room(err))
		result.status = 480; // a device of several; who is called is not there
	if (result.status == 486)
		result.outcome = OUTCOME_BUSY;
	if (result.status == 488)
		result.outcome = OUTCOME_FAILED;
	if (result.status == 403 && !turn->plan.device_id) // dialled, by somebody who may not
		result.outcome = OUTCOME_REFUSED;
	attempt->last_ended_failed = true;
	attempt_note(attempt, result);
}

// Nothing rings twice in one call: neither a device nor a number, nor what the call comes from.
static enum err turn_repeats(const struct attempt *attempt, const struct call_turn *turn, const char **reason)
{
	const struct call *call = attempt->call;

	*reason = "The call comes from this device.";
	if (turn->plan.device_id && turn->plan.device_id == call->caller_device_id)
		return ERR_BUSY;
	*reason = "The call comes from this number.";
	if (!str_empty(turn->number) && str_equal(turn->number, str_of(call->caller_canonical)))
		return ERR_BUSY;
	*reason = "It has rung in this call already.";
	list_each (node, following, &call->attempts) {
		const struct attempt *other = container_of(node, const struct attempt, node);
		for (size_t i = 0; i < other->turn_count; i++) {
			const struct call_turn *earlier = &other->turns[i];
			if (earlier == turn || !earlier->rung)
				continue;
			if (turn->plan.device_id && earlier->plan.device_id == turn->plan.device_id)
				return ERR_LOOP;
			if (!str_empty(turn->number) && str_equal(earlier->number, turn->number))
				return ERR_LOOP;
		}
	}
	*reason = NULL;
	return ERR_NONE;
}

// A turn that starts early takes along what was to start only after it: no silence in between, and each rings as long
// as it was to.
static void turns_follow(struct attempt *attempt, const struct call_turn *early)
{
	uint64_t by_ms = early->plan.start_ms - early->starts_ms;

	for (size_t i = 0; i < attempt->turn_count; i++) {
		struct call_turn *turn = &attempt->turns[i];
		if (turn->state != TURN_WAITING || turn->plan.start_ms < early->plan.stop_ms)
			continue;
		uint64_t starts_ms = turn->plan.start_ms - by_ms;
		if (starts_ms >= turn->starts_ms)
			continue;
		turn->stops_ms -= turn->starts_ms - starts_ms;
		turn->starts_ms = starts_ms;
	}
}

static enum err turn_ring_bindings(struct attempt *attempt, struct call_turn *turn)
{
	struct registrations *registrations = attempt->call->table->ports.registrations;
	const struct list *bindings = registrations_of(registrations, turn->plan.device_id);
	enum err err = ERR_UNREACHABLE;

	if (!bindings)
		return ERR_UNREACHABLE;
	if (bindings->next != bindings->previous)
		attempt->alone = false;
	list_each (node, following, bindings) {
		enum err failed = leg_begin(attempt, turn, container_of(node, const struct binding, node), NULL);
		err = failed && err ? failed : ERR_NONE;
	}
	return err;
}

// Goes down the routes until one takes the call.
static enum err turn_ring_route(struct attempt *attempt, struct call_turn *turn)
{
	enum err err = ERR_NONE;
	const struct route *route;

	while ((route = route_next(attempt, turn, &err))) {
		size_t legs = attempt->leg_count;
		err = leg_begin(attempt, turn, NULL, route);
		if (!err || err == ERR_NO_MEMORY || attempt->leg_count == legs) // without a leg the next is this one
			return err;
	}
	return err;
}

static enum err turn_ring(struct attempt *attempt, struct call_turn *turn, const char **reason)
{
	const struct call *call = attempt->call;
	const struct device *device = directory_device(call->table->ports.directory, turn->plan.device_id);

	enum err err = turn_repeats(attempt, turn, reason);

	if (!err && turn->plan.device_id && !device) {
		*reason = "The device has been deleted.";
		err = ERR_UNREACHABLE;
	} else if (!err && device) {
		err = device_may_ring(call->table, device, call->caller_device_kind, reason);
	}
	if (err)
		return err;
	return str_empty(turn->number) ? turn_ring_bindings(attempt, turn) : turn_ring_route(attempt, turn);
}

static void turn_start(struct attempt *attempt, struct call_turn *turn)
{
	uint64_t length_ms = turn->stops_ms - turn->starts_ms;
	const char *reason = NULL;

	turn->starts_ms = now_of(attempt);
	turn->stops_ms = turn->starts_ms + length_ms;
	if (turn->starts_ms < turn->plan.start_ms)
		turns_follow(attempt, turn);
	enum err err = turn_ring(attempt, turn, &reason);
	if (err)
		turn_skip(attempt, turn, err, reason);
	else
		turn->state = TURN_RINGING;
}

static void turn_time_out(struct attempt *attempt, struct call_turn *turn)
{
	struct result result = {.outcome = OUTCOME_UNREACHABLE, .status = 480};

	list_each (node, following, &attempt->legs) {
		const struct leg *leg = container_of(node, const struct leg, node);
		if (leg->turn == turn && leg->state == LEG_RINGING)
			result = (struct result){.outcome = OUTCOME_TIMED_OUT, .status = 408};
	}
	turn->state = TURN_OVER;
	attempt->last_ended_failed =
	    turn->cut; // the plan did not foresee that: what comes next need not wait for its time
	attempt_note(attempt, result);
	turn_stop_legs(attempt, turn, turn->cut ? LEG_END_TOO_LATE : LEG_END_TURN_TIMED_OUT);
}

// Everything that was to start before it has ended, and the last of that by failing. Time that runs out is what the plan
// foresaw, so the plan goes on as written.
static bool turn_may_start_early(const struct attempt *attempt, const struct call_turn *turn)
{
	if (!attempt->last_ended_failed)
		return false;
	for (size_t i = 0; i < attempt->turn_count; i++)
		if (attempt->turns[i].plan.start_ms < turn->plan.start_ms && attempt->turns[i].state != TURN_OVER)
			return false;
	return true;
}

// ---- the attempt as a whole

static void clock_arm(struct attempt *attempt)
{
	struct call *call = attempt->call;
	uint64_t now = now_of(attempt), next = UINT64_MAX;
	bool cut = false; // before a voicemail answers, and not about then

	for (size_t i = 0; i < attempt->turn_count; i++) {
		const struct call_turn *turn = &attempt->turns[i];
		if (turn->state == TURN_WAITING && turn->starts_ms < next) {
			next = turn->starts_ms;
			cut = false;
		}
		if (turn->state == TURN_RINGING && turn->stops_ms < next && !turn_prompts(attempt, turn)) {
			next = turn->stops_ms;
			cut = turn->cut;
		}
	}
	if (next == UINT64_MAX) // all that is left prompts
		timer_stop(&call->clock);
	else if (cut)
		timer_start(call->table->ports.loop, &call->clock, next > now ? next - now : 0);
	else
		timer_start_about(call->table->ports.loop, &call->clock, next > now ? next - now : 0);
}

void attempt_leg_rings(struct attempt *attempt, struct leg *leg)
{
	struct call_turn *turn = leg->turn;

	if (!turn->too_late_ms || turn->state != TURN_RINGING)
		return;
	turn_cut(turn, now_of(attempt));
	clock_arm(attempt);
}

void attempt_advance(struct attempt *attempt)
{
	uint64_t now = now_of(attempt);
	size_t over;

	call_changed(attempt->call);
	for (size_t i = 0; i < attempt->turn_count; i++)
		if (attempt->turns[i].state == TURN_RINGING && attempt->turns[i].stops_ms <= now &&
		    !turn_prompts(attempt, &attempt->turns[i]))
			turn_time_out(attempt, &attempt->turns[i]);
	do {
		over = 0;
		for (size_t i = 0; i < attempt->turn_count; i++) {
			struct call_turn *turn = &attempt->turns[i];
			if (turn->state == TURN_WAITING &&
			    (turn->starts_ms <= now || turn_may_start_early(attempt, turn)))
				turn_start(attempt, turn);
			over += turn->state == TURN_OVER;
		}
	} while (redirect_go_on(attempt));
	if (over == attempt->turn_count)
		call_unanswered(attempt->call);
	else
		clock_arm(attempt);
}

void attempt_ring(struct attempt *attempt)
{
	attempt->began_ms = loop_now_ms(attempt->call->table->ports.loop);
	attempt_advance(attempt);
}

void attempt_forbid(struct attempt *attempt, const char *reason)
{
	timer_stop(&attempt->call->clock);
	call_changed(attempt->call);
	for (size_t i = 0; i < attempt->turn_count; i++) {
		struct call_turn *turn = &attempt->turns[i];
		if (turn->state == TURN_WAITING) {
			turn->outcome = OUTCOME_NOT_RUNG;
			turn->reason = reason;
		}
		turn->state = TURN_OVER;
	}
}

void attempt_stop(struct attempt *attempt, const struct leg *but, enum leg_end why)
{
	list_each (node, following, &attempt->legs) {
		struct leg *leg = container_of(node, struct leg, node);
		if (leg != but && leg_rings_on(leg))
			leg_stop(leg, why);
	}
	attempt_forbid(attempt, leg_end_sentence(why));
}

// Refused by the trunk, or not reached, before anything was heard from the far end: another trunk may do better.
static bool next_route_may_help(const struct leg *leg)
{
	unsigned status = leg->understood;
	bool tells_elsewhere = status >= 300 && status < 400;   // a carrier redirects nobody
	bool does_not_know_us = status == 401 || status == 407; // our password was no answer, or there is none

	return leg->trunk_id && !leg->rang && !leg->came_back_over &&
	       ((status >= 500 && status < 600) || status == 408 || tells_elsewhere || does_not_know_us);
}

// What a decline stops: true when that is all of the user's devices.
static bool decline_stops_all(const struct attempt *attempt, const struct leg *leg)
{
	const struct user *user = directory_user(attempt->call->table->ports.directory, attempt->user_id);
	bool six_hundred = leg->status >= 600;

	if (!user)
		return six_hundred;
	return (six_hundred && user->six_hundred_stops_all) ||
	       ((six_hundred || leg->outcome == OUTCOME_DECLINED) && user->decline_stops == DECLINE_ALL);
}

void attempt_leg_failed(struct attempt *attempt, struct leg *leg)
{
	struct call_turn *turn = leg->turn;
	struct result result = {.outcome = leg->outcome, .status = leg->understood, .cause = leg->cause};

	if (leg->trunk_id && number_refusal_retry(leg))
		return;
	if (next_route_may_help(leg) && turn_ring_route(attempt, turn) == ERR_NONE)
		return;
	if (result.outcome == OUTCOME_TOO_SOON || result.outcome == OUTCOME_NOT_CONFIRMED) // a voicemail is nobody
		result = (struct result){.outcome = OUTCOME_TIMED_OUT, .status = 480};
	else if (result.outcome == OUTCOME_UNREACHABLE || result.status == 0)
		result.status = 480;
	bool redirected = leg->target_count > 0 && redirect_obey(leg);
	turn = leg->turn;
	if (!redirected)
		attempt_note(attempt, result);
	if (decline_stops_all(attempt, leg)) {
		attempt_stop(attempt, NULL, LEG_END_DECLINED_ELSEWHERE);
		call_unanswered(attempt->call);
		return;
	}
	if (leg->status >= 600 || leg->outcome == OUTCOME_DECLINED)
		turn_stop_legs(attempt, turn, LEG_END_DECLINED_ELSEWHERE);
	if (!turn_rings_on(attempt, turn)) {
		turn->state = TURN_OVER;
		attempt->last_ended_failed = true;
	}
	attempt_advance(attempt);
}
