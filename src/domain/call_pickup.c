// Picking up: a user takes a call that rings at somebody else's. He dialled, so his phone has made an offer, as the caller's has.
// His is accepted without any media first; then he is asked to answer the caller's, and that answer is the caller's 200.
#include "domain/call.h"

#include "base/log.h"

// His own calls, and those of whoever is in the same group.
static bool may_pick_up(const struct call *picker, const struct attempt *attempt)
{
	const struct directory *directory = picker->table->ports.directory;
	const struct user *user = directory_user(directory, picker->caller_user_id);
	const struct user *called = directory_user(directory, attempt->user_id);

	if (!user || !called)
		return false;
	return user == called ||
	       (!str_empty(user->pickup_group) && str_equal(user->pickup_group, called->pickup_group));
}

// The device that takes the call is a line of its record, beside those that rang.
static struct call_turn *turn_add(struct attempt *attempt, const struct call *picker)
{
	struct arena *arena = &attempt->record->arena;
	const struct device *device = directory_device(picker->table->ports.directory, picker->caller_device_id);

	if (!device || !attempt_make_room(attempt, 1))
		return NULL;
	struct call_turn *turn = &attempt->turns[attempt->turn_count];
	*turn = (struct call_turn){.plan = {.device_id = picker->caller_device_id},
				   .state = TURN_OVER,
				   .rung = true,
				   .device_kind = device->device_kind};
	turn->device_number = arena_copy(arena, device->number);
	turn->device_title = arena_copy(arena, device->title);
	return turn->device_number.at && turn->device_title.at ? turn : NULL;
}

// The first answer: to a phone that made an offer, without media; to one that did not, the caller's offer.
static enum err picker_accept(struct call *call, const struct call *picker)
{
	struct signalling *signalling = call->table->ports.signalling;

	call->join_tries = 0;
	call->join_step = JOIN_OFFER_SENT;
	if (!str_empty(picker->offer.bytes))
		return signalling->accept_on_hold(signalling->context, picker->caller->session, &picker->offer);
	call->join_step = JOIN_ANSWER_WAITED;
	if (str_empty(call->offer.bytes))
		return ERR_NOT_ACCEPTABLE; // neither says what it can do
	wire_accept(picker->caller, &call->offer);
	return ERR_NONE;
}

// All that happened is in the record of the call that he took.
static void picker_vanishes(struct call *picker)
{
	call_set_state(picker, CALL_ENDING);
	attempt_free(call_attempt(picker));
}

enum err pick_up_begin(struct call *picker, struct attempt *attempt)
{
	struct call *call = attempt->call;

	if (!may_pick_up(picker, attempt))
		return ERR_NOT_ALLOWED;
	struct call_turn *turn = turn_add(attempt, picker);
	struct leg *winner = turn ? leg_new(call) : NULL;
	enum err err = winner ? picker_accept(call, picker) : ERR_NO_MEMORY;
	if (err) {
		if (winner)
			leg_free(winner);
		return err;
	}
	attempt->turn_count++;
	leg_list(winner, attempt, turn);
	leg_take_accepted(winner, picker->caller);
	callee_is(attempt, picker);
	call->winner = winner;
	log_info("call_picked_up", LOG_UINT("call", call->id), LOG_STR("at", turn->device_number));
	attempt_stop(attempt, winner, LEG_END_ANSWERED_ELSEWHERE);
	call_set_state(call, CALL_PICKED_UP);
	picker_vanishes(picker);
	return ERR_NONE;
}

enum err pick_up_by_extension(struct call *picker, struct str extension)
{
	const struct directory *directory = picker->table->ports.directory;
	const struct user *user = directory_user_by_extension(directory, extension);
	const struct tally *tally = user ? tally_find(picker->table, TALLY_USER, user->entity.id) : NULL;

	if (!user)
		return ERR_UNKNOWN_NUMBER;
	if (!tally)
		return ERR_NO_SUCH_CALL;
	list_each (node, following, &tally->attempts) {
		struct attempt *attempt = container_of(node, struct attempt, of_called);
		if (attempt->call->state == CALL_RINGING && attempt == call_attempt(attempt->call))
			return pick_up_begin(picker, attempt);
	}
	return ERR_NO_SUCH_CALL;
}

// ---- what happens until the caller has his answer

static void caller_gets(struct call *call, struct leg *winner, const struct body *answer)
{
	struct attempt *attempt = winner->attempt;

	call->answered_at = attempt->record->answered_at = (int64_t)loop_time_ms(call->table->ports.loop);
	caller_accept(call, answer);
	call_set_state(call, CALL_CONNECTING);
}

void picked_up_asks(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	enum err err = relay_ask(call->winner, &call->offer);
	if (err == ERR_REQUEST_PENDING && join_may_try_later(call))
		join_try_later(call);
	else if (err)
		call_happens(call, CALL_EVENT_SIDE_REFUSED, call->winner, NULL);
}

void picked_up_connects(struct call *call, struct leg *leg, const struct body *body)
{
	if (call->join_step == JOIN_ANSWER_WAITED)
		caller_gets(call, leg, body);
	else
		picked_up_asks(call, leg, body);
}

void picked_up_accepted(struct call *call, struct leg *leg, const struct body *body)
{
	if (str_empty(call->offer.bytes))
		leg_await_answer(leg); // that was an offer
	else
		wire_acknowledge(leg, NULL);
	caller_gets(call, leg, body);
}

static void winner_fails(struct call *call)
{
	struct leg *winner = call->winner;

	winner->outcome = OUTCOME_FAILED;
	winner->answered_at = 0;
	if (leg_is_open(winner))
		leg_stop(winner, LEG_END_NORMAL);
}

void picked_up_fails(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {.outcome = OUTCOME_FAILED, .status = 480};

	(void)leg;
	(void)body;
	winner_fails(call);
	call_refuse(call, &result);
}

void picked_up_caller_gives_up(struct call *call, struct leg *leg, const struct body *body)
{
	const struct result result = {.outcome = OUTCOME_CALLER_GAVE_UP, .status = 487};

	(void)leg;
	(void)body;
	winner_fails(call);
	record_settle(call_attempt(call), &result, 487, "caller");
	call_set_state(call, CALL_ENDING);
}
