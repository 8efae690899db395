// Taking somebody's place in a call that is up (RFC 3891): the caller makes the offer, the one who stays answers it, and only then
// the other one is let go. So nothing is lost when it does not work out.
#include "domain/call.h"

#include "base/log.h"

enum { TRIES_MAX = 4, AGAIN_MS = 1000 };

static void ask(struct call *call)
{
	struct call *from = call->succession.from;
	struct leg *stays = other_side(call->succession.leaver);
	bool offered = !str_empty(call->offer.bytes);

	// What to mend if the caller is gone when the answer comes.
	from->join_step = offered ? JOIN_ANSWER_WAITED : JOIN_OFFER_WAITED;
	from->offerer = stays;
	enum err err = relay_ask(stays, &call->offer);
	if (err == ERR_REQUEST_PENDING && ++call->join_tries < TRIES_MAX)
		timer_start(call->table->ports.loop, &call->clock, AGAIN_MS);
	else if (err)
		call_refuse_for(call, err);
}

// Somebody's phone that rings: its call is picked up.
static struct attempt *ringing_attempt(const struct call *call, const struct invitation *invitation)
{
	const struct leg *place = slots_find(call->table->legs, invitation->place);
	bool rings = place && (place->state == LEG_INVITED || place->state == LEG_RINGING);

	return rings && place->call->state == CALL_RINGING ? place->attempt : NULL;
}

static enum err place_find(struct call *call, const struct invitation *invitation, struct leg **place)
{
	*place = slots_find(call->table->legs, invitation->place);
	if (!*place || (*place)->call == call)
		return ERR_NO_SUCH_CALL;
	if (!leg_is_same_owner(call->caller, *place))
		return ERR_NOT_ALLOWED;
	struct call *from = (*place)->call;
	if (from->state != CALL_TALKING || (*place)->state != LEG_TALKING || other_side(*place)->state != LEG_TALKING ||
	    from->successor)
		return ERR_REQUEST_PENDING;
	return invitation->early_only ? ERR_BUSY : ERR_NONE; // RFC 3891 section 3
}

enum err replace_begin(struct call *call, const struct invitation *invitation)
{
	struct attempt *ringing = ringing_attempt(call, invitation);
	struct leg *place;

	if (ringing)
		return pick_up_begin(call, ringing);
	enum err err = place_find(call, invitation, &place);

	if (err)
		return err;
	if (!succession_begin(call, place))
		return ERR_NO_MEMORY;
	log_info("call_taken_over", LOG_UINT("call", place->call->id), LOG_UINT("by_call", call->id));
	call_set_state(call, CALL_REPLACING);
	ask(call);
	return ERR_NONE;
}

void replace_again(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	ask(call);
}

static void take(struct call *call, struct leg *stays, const struct body *answer)
{
	struct leg *place = call->succession.leaver;
	struct call *from = place->call;

	if (!callee_comes(call, stays)) {
		call_refuse_for(call, ERR_NO_MEMORY);
		join_restore(from, stays, answer);
		return;
	}
	succession_end(call);
	if (str_empty(call->offer.bytes))
		leg_await_answer(call->winner);
	else
		wire_acknowledge(call->winner, NULL);
	caller_accept(call, answer);
	call_set_state(call, CALL_CONNECTING);
	leg_stop(place, LEG_END_ANSWERED_ELSEWHERE);
	call_settle_answered(from, OUTCOME_ANSWERED, ERR_NONE, "transfer");
}

void replace_replied(struct leg *stays, unsigned status, const struct body *body)
{
	struct call *call = stays->call->successor;

	if (!call || call->state != CALL_REPLACING) {
		if (status < 300)
			join_restore(stays->call, stays, body);
		return;
	}
	if (status < 300)
		take(call, stays, body);
	else if ((status == 491 || status == 500) && ++call->join_tries < TRIES_MAX)
		timer_start(call->table->ports.loop, &call->clock, AGAIN_MS);
	else
		call_refuse_for(call, ERR_NOT_ACCEPTABLE);
	call_tidy(call);
}

// ---- by feature code

// His call that is up, the latest of them, at another device than the one he calls from.
static struct leg *own_talking_leg(const struct call *call)
{
	struct leg *found = NULL;

	list_each (node, following, &call->table->calls) {
		struct call *other = container_of(node, struct call, node);
		if (other->state != CALL_TALKING || other->successor)
			continue;
		if (leg_is_same_owner(call->caller, other->caller))
			found = other->caller;
		else if (leg_is_same_owner(call->caller, other->winner))
			found = other->winner;
	}
	return found;
}

enum err take_over_begin(struct call *call)
{
	const struct leg *leg = own_talking_leg(call);

	return leg ? replace_begin(call, &(struct invitation){.place = leg->id}) : ERR_NO_SUCH_CALL;
}
