// Requests within a call: re-INVITE, UPDATE, INFO and MESSAGE go to the other side, and its answer comes back.
#include "domain/call.h"

#include "base/log.h"
#include "domain/sdp.h"

#include <assert.h>

static const struct body no_body = {.bytes = {NULL, 0}};

// Before somebody has answered it is the device whose early media the caller has.
struct leg *other_side(const struct leg *leg)
{
	const struct call *call = leg->call;

	if (leg != call->caller)
		return call->caller;
	return call->winner ? call->winner : call->early_leg;
}

// Requests go from side to side once both talk; an UPDATE also while it rings, where the caller has a device's early media
// (RFC 3311 section 5.1).
static bool may_pass(const struct leg *leg, enum dialog_method method)
{
	const struct call *call = leg->call;

	if (call->state == CALL_TALKING)
		return leg->state == LEG_TALKING;
	return method == DIALOG_UPDATE && call->state == CALL_RINGING && call->early_leg &&
	       (leg == call->caller || leg == call->early_leg);
}

// Whether an offer puts the other on hold. One that cannot be read goes on as it is, and is taken for one that does not.
static bool offer_holds(const struct body *body)
{
	struct sdp sdp;
	struct sdp_fault fault;

	return sdp_read(body->bytes, &sdp, &fault) && sdp_holds(&sdp);
}

// An offer of this leg's was accepted.
static void leg_set_hold(struct leg *leg, bool holds)
{
	if (leg->holds == holds)
		return;
	leg->holds = holds;
	log_debug("leg_hold", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
		  LOG_TEXT("holds", holds ? "yes" : "no"));
	call_changed(leg->call);
	comfort_update(leg->call);
}

static bool carries_offer(enum dialog_method method)
{
	return method == DIALOG_INVITE || method == DIALOG_UPDATE;
}

static struct relay *relay_new(struct leg *from, uint64_t transaction, const struct dialog_request *request)
{
	struct call *call = from->call;
	struct call_table *table = call->table;

	if (call->relay_count >= RELAYS_MAX)
		return NULL;
	struct relay *relay = pool_take(&table->relays_pool);
	if (!relay)
		return NULL;
	relay->id = slots_add(table->relays, relay);
	if (!relay->id) {
		pool_give(&table->relays_pool, relay);
		return NULL;
	}
	relay->from = from;
	relay->to = other_side(from);
	relay->transaction = transaction;
	relay->method = request->method;
	relay->offered = !str_empty(request->body.bytes);
	relay->holds = relay->offered && carries_offer(request->method) && offer_holds(&request->body);
	list_append(&call->relays, &relay->node);
	call->relay_count++;
	return relay;
}

static void relay_free(struct relay *relay)
{
	struct call *call = relay->from->call;

	list_remove(&relay->node);
	call->relay_count--;
	slots_remove(call->table->relays, relay->id);
	pool_give(&call->table->relays_pool, relay);
}

// What is answered without asking the other side; 0: ask it.
static unsigned own_answer(const struct leg *leg, enum dialog_method method)
{
	switch (method) {
	case DIALOG_OPTIONS:
		return 200;
	case DIALOG_REFER: // call_transfer.c
		return 0;
	case DIALOG_NOTIFY: // nobody here subscribes to anything (RFC 6665 section 4.1.3)
		return 481;
	case DIALOG_INVITE:
	case DIALOG_UPDATE:
	case DIALOG_INFO:
	case DIALOG_MESSAGE:
		return may_pass(leg, method) ? 0 : 491;
	}
	return 501;
}

void relay_requested(struct leg *leg, const struct leg_event *event)
{
	unsigned status = own_answer(leg, event->request->method);

	if (event->request->method == DIALOG_REFER) {
		transfer_requested(leg, event);
		return;
	}
	if (status) {
		wire_reply(leg, event->token, status, NULL);
		return;
	}
	struct relay *relay = relay_new(leg, event->token, event->request);
	if (!relay) {
		wire_reply(leg, event->token, err_sip_status(ERR_OVERLOADED), NULL);
		return;
	}
	enum err err = wire_request(relay->to, relay->id, event->request);
	if (err) {
		wire_reply(leg, event->token, err_sip_status(err), NULL);
		relay_free(relay);
	}
}

void relay_replied(struct leg *leg, const struct leg_event *event)
{
	struct relay *relay = slots_find(leg->call->table->relays, event->token);

	if (event->status < 200)
		return;
	if (!relay || relay->to != leg) {
		if (event->status < 300)
			wire_acknowledge(
			    leg, NULL); // whoever asked has left the call; an INVITE's 2xx wants its ACK all the same
		return;
	}
	if (relay->awaits_ack)
		return;
	if (relay->own) {
		relay_free(relay);
		join_replied(leg, event->status, event->body);
		return;
	}
	bool accepted_invite = relay->method == DIALOG_INVITE && event->status < 300;
	bool brings_offer = accepted_invite && !relay->offered && event->body;
	if (brings_offer)
		wire_reply_offer(relay->from, relay->transaction, event->body);
	else
		wire_reply(relay->from, relay->transaction, event->status, event->body);
	if (relay->offered && carries_offer(relay->method) && event->status < 300)
		leg_set_hold(relay->from, relay->holds);
	else if (accepted_invite && event->body)
		leg_set_hold(leg, offer_holds(event->body));
	if (accepted_invite && !relay->offered) {
		relay->awaits_ack = true; // the 2xx has the offer, the ACK will bring the answer
		return;
	}
	if (accepted_invite)
		wire_acknowledge(leg, NULL);
	relay_free(relay);
}

void relay_acknowledged(struct leg *leg, const struct body *body)
{
	list_each (node, following, &leg->call->relays) {
		struct relay *relay = container_of(node, struct relay, node);
		if (relay->from != leg || !relay->awaits_ack)
			continue;
		wire_acknowledge(relay->to, body);
		relay_free(relay);
		return;
	}
}

enum err relay_ask(struct leg *leg, const struct body *offer)
{
	const struct dialog_request request = {.method = DIALOG_INVITE, .body = offer ? *offer : no_body};
	struct relay *relay = relay_new(leg, 0, &request);

	if (!relay)
		return ERR_OVERLOADED;
	relay->own = true;
	relay->to = leg;
	enum err err = wire_request(leg, relay->id, &request);
	if (err)
		relay_free(relay);
	return err;
}

void relay_drop_leg(struct leg *leg)
{
	list_each (node, following, &leg->call->relays) {
		struct relay *relay = container_of(node, struct relay, node);
		if (relay->from != leg && relay->to != leg)
			continue;
		if (relay->awaits_ack && relay->to == leg)
			wire_acknowledge(leg, NULL);
		else if (!relay->awaits_ack && relay->from == leg && !relay->own)
			wire_reply(leg, relay->transaction, 491, NULL);
		relay_free(relay);
	}
}

void relay_leg_over(struct leg *leg)
{
	struct call *call = leg->call;

	if (call->early_leg == leg)
		call->early_leg = NULL;
	if (leg == call->caller || leg == call->winner)
		return; // the call ends, and all of it with it
	list_each (node, following, &call->relays) {
		struct relay *relay = container_of(node, struct relay, node);
		if (relay->to == leg)
			wire_reply(relay->from, relay->transaction, 500, NULL);
		if (relay->to == leg || relay->from == leg)
			relay_free(relay);
	}
}

void relay_drop_all(struct call *call)
{
	list_each (node, following, &call->relays)
		relay_free(container_of(node, struct relay, node));
}
