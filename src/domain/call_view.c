// Calls shown to people: what is going on now, and what would happen if an extension were called.
#include "domain/call.h"
#include "domain/guard.h"

#include <string.h>

// ---- snapshots

static bool leg_show(const struct leg *leg, struct arena *arena, struct leg_snapshot *shown)
{
	const struct call_turn *turn = leg->turn;

	*shown = (struct leg_snapshot){
	    .leg = leg->number,
	    .device_id = turn->plan.device_id,
	    .device_number = arena_copy(arena, turn->device_number),
	    .device_title = arena_copy(arena, turn->device_title),
	    .state = leg_state_names[leg->state],
	    .started_at = leg->started_at,
	    .ringing_at = leg->ringing_at,
	    .answered_at = leg->answered_at,
	    .ended_at = leg->ended_at,
	    .outcome = leg_is_open(leg) ? NULL : outcome_names[leg->outcome],
	    .reason = arena_copy(arena, leg->reason),
	};
	return shown->device_number.at && shown->device_title.at && shown->reason.at;
}

static bool turn_show(const struct call_turn *turn, struct arena *arena, struct turn_snapshot *shown)
{
	static const char *const states[] = {
	    [TURN_WAITING] = "waiting", [TURN_RINGING] = "ringing", [TURN_OVER] = "over"};
	bool never_rang = turn->state == TURN_OVER && !turn->rung;

	*shown = (struct turn_snapshot){
	    .device_id = turn->plan.device_id,
	    .number = arena_copy(arena, turn->device_number),
	    .title = arena_copy(arena, turn->device_title),
	    .device_kind = turn->device_kind,
	    .planned_start_ms = (int64_t)turn->plan.start_ms,
	    .planned_stop_ms = (int64_t)turn->plan.stop_ms,
	    .start_ms = (int64_t)turn->starts_ms,
	    .stop_ms = (int64_t)turn->stops_ms,
	    .state = states[turn->state],
	    .outcome = never_rang ? outcome_names[turn->outcome] : NULL,
	    .reason = never_rang ? turn->reason : NULL,
	};
	return shown->number.at && shown->title.at;
}

static void others_show(const struct call *call, uint64_t callee_id, struct call_snapshot *shown)
{
	if (call->caller_user_id && call->caller_user_id != callee_id)
		shown->others[shown->other_count++] = call->caller_user_id;
	for (size_t i = 0; i < call->visited_count; i++)
		if (call->visited[i] != callee_id && call->visited[i] != call->caller_user_id)
			shown->others[shown->other_count++] = call->visited[i];
}

static bool parts_show(const struct call *call, struct arena *arena, struct call_snapshot *shown)
{
	const struct attempt *attempt = call_attempt(call);

	shown->legs = arena_alloc(arena, (attempt->leg_count + 1) * sizeof *shown->legs);
	shown->turns = arena_alloc(arena, (attempt->turn_count + 1) * sizeof *shown->turns);
	shown->others = arena_alloc(arena, (call->visited_count + 1) * sizeof *shown->others);
	if (!shown->legs || !shown->turns || !shown->others)
		return false;
	list_each (node, following, &attempt->legs)
		if (!leg_show(container_of(node, const struct leg, node), arena, &shown->legs[shown->leg_count++]))
			return false;
	for (size_t i = 0; i < attempt->turn_count; i++)
		if (!turn_show(&attempt->turns[i], arena, &shown->turns[shown->turn_count++]))
			return false;
	others_show(call, attempt->user_id, shown);
	return true;
}

bool call_snapshot_make(const struct call *call, struct arena *arena, struct call_snapshot *shown)
{
	const struct attempt *attempt = call_attempt(call);
	const struct call_record *record = attempt->record;

	*shown = (struct call_snapshot){
	    .call = call->id,
	    .record_id = arena_copy(arena, record->id),
	    .caller_number = arena_copy(arena, record->caller_number),
	    .caller_name = arena_copy(arena, record->caller_name),
	    .dialled = arena_copy(arena, record->dialled),
	    .caller_user_id = call->caller_user_id,
	    .caller_device_id = call->caller_device_id,
	    .caller_trunk_id = call->caller_trunk_id,
	    .callee_user_id = record->callee_user_id,
	    .called = arena_copy(arena, record->canonical),
	    .callee_title = arena_copy(arena, record->callee_title),
	    .state = call_state_names[call->state],
	    .started_at = call->caller->started_at,
	    .answered_at = call->answered_at,
	    .ring_started_at = record->started_at,
	    .caller_holds = call->caller->holds,
	    .callee_holds = call->state == CALL_TALKING && call->winner->holds,
	    .outcome = attempt->settled ? outcome_names[record->outcome] : NULL,
	};
	return shown->record_id.at && shown->caller_number.at && shown->caller_name.at && shown->dialled.at &&
	       shown->called.at && shown->callee_title.at && parts_show(call, arena, shown);
}

bool call_table_snapshot(struct call_table *table, struct arena *arena, struct call_snapshot **calls, size_t *count)
{
	*count = 0;
	*calls = arena_alloc(arena, (table->count + 1) * sizeof **calls);
	if (!*calls)
		return false;
	list_each (node, following, &table->calls)
		if (!call_snapshot_make(container_of(node, const struct call, node), arena, &(*calls)[(*count)++]))
			return false;
	return true;
}

// ---- explanations

static unsigned contacts_of(const struct call_table *table, uint64_t device_id)
{
	const struct list *bindings = registrations_of(table->ports.registrations, device_id);
	unsigned count = 0;

	if (!bindings)
		return 0;
	list_each (node, following, bindings)
		count++;
	return count;
}

static enum err routes_explain(const struct call_table *table, const struct user *user, const struct device *device)
{
	struct toll_question question = {
	    .payer_id = user->entity.id,
	    .number = str_empty(device->canonical) ? device->number : device->canonical,
	    .free = device->device_kind == DEVICE_TEAMS,
	};
	const struct route *routes[ROUTES_MAX];
	size_t count = device->device_kind == DEVICE_TEAMS
			   ? directory_teams_routes(table->ports.directory, routes, ROUTES_MAX)
			   : directory_routes(table->ports.directory, question.number, routes, ROUTES_MAX);
	enum err err = ERR_NO_ROUTE;

	for (size_t i = 0; i < count && err; i++) {
		const struct trunk *trunk = directory_trunk(table->ports.directory, routes[i]->trunk_id);
		question.route = routes[i];
		if (trunk && trunk->enabled)
			err = toll_judge(table->toll, &question).err;
	}
	return err;
}

static enum err device_explain(const struct call_table *table, const struct user *user, const struct device *device,
			       struct ring_explanation_turn *turn, const char **why)
{
	enum err err = device_may_ring(table, device, DEVICE_SIP_PHONE, why);

	if (err)
		return err;
	if (device_kind_registers(device->device_kind)) {
		turn->targets = contacts_of(table, device->entity.id);
		return ERR_NONE;
	}
	turn->targets = 1;
	return routes_explain(table, user, device);
}

static void turn_cut(struct ring_explanation_turn *turn, uint64_t too_late_ms)
{
	turn->cut = too_late_ms && (int64_t)too_late_ms < turn->stop_ms - turn->start_ms;
	if (turn->cut)
		turn->stop_ms = turn->start_ms + (int64_t)too_late_ms;
}

static bool turn_explain(const struct call_table *table, const struct user *user, const struct turn *plan,
			 struct arena *arena, struct ring_explanation_turn *turn)
{
	const struct device *device = directory_device(table->ports.directory, plan->device_id);
	const char *why = NULL;

	turn->device_id = plan->device_id;
	turn->start_ms = (int64_t)plan->start_ms;
	turn->stop_ms = (int64_t)plan->stop_ms;
	turn->why_not = ERR_NOT_FOUND;
	if (device) {
		turn->number = arena_copy(arena, device->number);
		turn->title = arena_copy(arena, device->title);
		turn->device_kind = device->device_kind;
		turn->why_not = device_explain(table, user, device, turn, &why);
	}
	turn->rings = turn->why_not == ERR_NONE;
	if (!turn->rings)
		turn->targets = 0;
	else
		turn_cut(turn, guard_of(device, directory_site(table->ports.directory)).too_late_ms);
	if (turn->rings && turn->targets > 1)
		turn->sentence = arena_format(arena, "Rings at %u places.", turn->targets);
	else if (turn->cut)
		turn->sentence = STR("Rings, but not into its voicemail.");
	else if (turn->rings)
		turn->sentence = STR("Rings.");
	else
		turn->sentence = arena_copy(arena, str_of(why ? why : err_sentence(turn->why_not)));
	return turn->sentence.at && (!device || (turn->number.at && turn->title.at));
}

// A turn that starts early takes along what was to start only after it.
static void turns_follow(struct ring_explanation_turn *turns, const struct turn *plan, size_t count, size_t early)
{
	int64_t by_ms = (int64_t)plan[early].start_ms - turns[early].start_ms;

	for (size_t i = early + 1; i < count; i++) {
		int64_t start_ms = (int64_t)plan[i].start_ms - by_ms;
		if (plan[i].start_ms < plan[early].stop_ms || start_ms >= turns[i].start_ms)
			continue;
		turns[i].stop_ms -= turns[i].start_ms - start_ms;
		turns[i].start_ms = start_ms;
	}
}

// The plan is in the order of its starts. A device that does not ring fails at once, and by attempt.c's rule the next one starts early
// when all before it are over and the last of them failed. So the times are those of a call that nobody answers.
static void times_explain(struct ring_explanation_turn *turns, const struct turn *plan, size_t count)
{
	int64_t over_ms = 0,
		early_ms = 0; // when the last of the turns so far is over; of those that start before this one
	bool failed = false, early = false; // whether it failed; likewise

	for (size_t i = 0; i < count; i++) {
		struct ring_explanation_turn *turn = &turns[i];
		int64_t length_ms = turn->stop_ms - turn->start_ms;
		if (i > 0 && plan[i].start_ms > plan[i - 1].start_ms) {
			early_ms = over_ms;
			early = failed;
		}
		if (early && early_ms < turn->start_ms) {
			turn->start_ms = early_ms;
			turn->stop_ms = early_ms + length_ms;
			turns_follow(turns, plan, count, i);
		}
		int64_t ends_ms = turn->rings ? turn->stop_ms : turn->start_ms;
		bool fails = !turn->rings || turn->cut;
		if (ends_ms > over_ms || (ends_ms == over_ms && fails))
			failed = fails;
		over_ms = ends_ms > over_ms ? ends_ms : over_ms;
	}
}

// Who is not to be disturbed, or is busy already, refuses at once, whatever is to happen when nobody answers.
static struct str afterwards_of(const struct user *user, enum err refused, struct arena *arena)
{
	if (refused == ERR_DO_NOT_DISTURB || refused == ERR_BUSY)
		return STR("The caller hears busy at once.");
	switch ((enum unanswered)user->unanswered) {
	case UNANSWERED_BUSY:
		return STR("If nobody answers, the caller hears busy.");
	case UNANSWERED_HANG_UP:
		return STR("If nobody answers, the call ends and the caller is told why.");
	case UNANSWERED_EXTENSION:
		return arena_format(arena, "If nobody answers, the call goes on to extension %.*s.",
				    STR_ARG(user->unanswered_target));
	case UNANSWERED_OUTSIDE:
		return arena_format(arena, "If nobody answers, the call goes on to %.*s.",
				    STR_ARG(user->unanswered_target));
	}
	return STR_NONE;
}

static enum err refused_at_once(const struct call_table *table, const struct user *user, size_t turn_count)
{
	if (user->do_not_disturb)
		return ERR_DO_NOT_DISTURB;
	if (user->call_limit && call_table_calls_of_user(table, user->entity.id) >= (uint64_t)user->call_limit)
		return ERR_BUSY;
	return turn_count == 0 ? ERR_NO_DEVICES : ERR_NONE;
}

enum err call_table_explain(struct call_table *table, struct str extension, struct arena *arena,
			    struct ring_explanation *explanation)
{
	const struct directory *directory = table->ports.directory;
	const struct user *user = directory_user_by_extension(directory, extension);
	struct turn_plan plan[USER_TURNS_MAX];
	struct turn timeline[USER_TURNS_MAX];

	if (!user)
		return ERR_UNKNOWN_NUMBER;
	size_t count = directory_turns(directory, user, plan);
	ring_plan_timeline(user->strategy, plan, count, timeline);
	enum err refused = refused_at_once(table, user, count);
	*explanation = (struct ring_explanation){
	    .user_id = user->entity.id,
	    .extension = arena_copy(arena, user->extension),
	    .title = arena_copy(arena, user->title),
	    .strategy = user->strategy,
	    .refused = refused,
	    .turns = arena_alloc(arena, (count + 1) * sizeof *explanation->turns),
	    .afterwards = afterwards_of(user, refused, arena),
	};
	if (!explanation->extension.at || !explanation->title.at || !explanation->turns || !explanation->afterwards.at)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (!turn_explain(table, user, &timeline[i], arena, &explanation->turns[explanation->turn_count++]))
			return ERR_NO_MEMORY;
	times_explain(explanation->turns, timeline, count);
	return plan_warn(directory, user, arena, explanation) ? ERR_NONE : ERR_NO_MEMORY;
}
