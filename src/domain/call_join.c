// Joining two legs that are up: each has a dialog with us and is told of the other's media by re-INVITEs (RFC 3725). Whoever has
// answered us last makes the offer, so that nobody is held to media that are gone.
#include "domain/call.h"

#include "base/log.h"

enum {
	TRIES_MAX = 5,
	// We may have made the dialog or not; whichever, this is later than they try again (RFC 3261 section 14.1).
	AGAIN_MIN_MS = 2100,
	AGAIN_SPAN_MS = 1900,
};

void join_try_later(struct call *call)
{
	struct loop *loop = call->table->ports.loop;

	timer_start(loop, &call->clock, AGAIN_MIN_MS + loop_random_uint(loop) % AGAIN_SPAN_MS);
}

// Whoever is asking us, or has just been asked, is asked again in a moment.
bool join_may_try_later(struct call *call)
{
	return ++call->join_tries < TRIES_MAX;
}

static struct leg *asked_leg(const struct call *call)
{
	switch (call->join_step) {
	case JOIN_ANSWER_WAITED:
		return call->caller;
	case JOIN_OFFER_WAITED:
		return call->offerer;
	case JOIN_OFFER_SENT:
		return other_side(call->offerer);
	}
	return NULL;
}

static void ask(struct call *call)
{
	struct leg *leg = asked_leg(call);
	enum err err = relay_ask(leg, call->join_step == JOIN_OFFER_WAITED ? NULL : &call->offer);

	if (err == ERR_REQUEST_PENDING && join_may_try_later(call))
		join_try_later(call);
	else if (err)
		call_happens(call, CALL_EVENT_SIDE_REFUSED, leg, NULL);
}

void join_begin(struct call *call, const struct body *offer)
{
	bool offered = call->winner->state == LEG_ANSWERED;

	call->join_tries = 0;
	call->offerer = call->caller;
	call->join_step = offered ? JOIN_ANSWER_WAITED : JOIN_OFFER_WAITED;
	call_set_state(call, CALL_JOINING);
	call_drop_offer(call);
	if (offered && !call_keep_offer(call, offer))
		call_happens(call, CALL_EVENT_SIDE_REFUSED, call->winner, NULL);
	else
		ask(call);
}

void join_again(struct call *call, struct leg *leg, const struct body *body)
{
	(void)leg;
	(void)body;
	ask(call);
}

static void joined(struct call *call)
{
	call_drop_offer(call);
	call_set_state(call, CALL_TALKING);
}

void join_accepted(struct call *call, struct leg *leg, const struct body *body)
{
	switch (call->join_step) {
	case JOIN_ANSWER_WAITED:
		wire_acknowledge(leg, NULL);
		winner_acknowledge(call, body);
		joined(call);
		return;
	case JOIN_OFFER_WAITED:
		call_drop_offer(call);
		call->join_step = JOIN_OFFER_SENT;
		if (call_keep_offer(call, body))
			ask(call);
		else
			call_happens(call, CALL_EVENT_SIDE_REFUSED, leg, NULL);
		return;
	case JOIN_OFFER_SENT:
		wire_acknowledge(leg, NULL);
		wire_acknowledge(call->offerer, body);
		joined(call);
		return;
	}
}

void join_restore(struct call *call, struct leg *leg, const struct body *body)
{
	call->join_tries = 0;
	call_set_state(call, CALL_JOINING);
	if (call->join_step == JOIN_OFFER_WAITED) { // which this is
		join_accepted(call, leg, body);
		return;
	}
	wire_acknowledge(leg, NULL);
	call->join_step = JOIN_OFFER_WAITED;
	ask(call);
}

void join_replied(struct leg *leg, unsigned status, const struct body *body)
{
	struct call *call = leg->call;
	bool later = status == 491 || status == 500;

	if (call->state == CALL_TALKING)
		replace_replied(leg, status, body);
	else if (status < 300)
		call_happens(call, CALL_EVENT_SIDE_ACCEPTED, leg, body);
	else if (later && (call->state == CALL_JOINING || call->state == CALL_PICKED_UP) && join_may_try_later(call))
		join_try_later(call);
	else
		call_happens(call, CALL_EVENT_SIDE_REFUSED, leg, body);
}
