// How a simulated phone rings, answers, declines and is cancelled.
#include "sim/phone_extensions.h"

#include "sim/plane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_LIMIT_MS = 240000 };

static void callee_tag(const struct phone_call *call, unsigned n, char tag[PHONE_TOKEN_SIZE])
{
	snprintf(tag, PHONE_TOKEN_SIZE, "%.20sx%u", call->local_tag, n % 10);
}

static void callee_says(struct phone_call *call, const struct answer_settings *settings)
{
	struct answer *answer = call->invite_answer;
	answer_send(answer, settings);
	if (call->manner.says_twice)
		phone_send(call->phone, answer->wire, (struct str){answer->bytes, answer->size});
}

void phone_callee_rings(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, ring_timer);
	char tag[PHONE_TOKEN_SIZE], sdp[PHONE_SDP_MAX], lines[PHONE_LINES_MAX];
	const bool media = call->manner.early_media && call->offered && !call->answered_early;

	if (!call->invite_answer || call->cancelled_ms)
		return;
	if (phone_reliable_waits(call)) {
		timer_start(phone_loop(call->phone), timer, 100);
		return;
	}
	callee_tag(call, call->tags_used++ % call->manner.ring_tags, tag);
	callee_says(call, &(struct answer_settings){.status = call->manner.ring_status,
						    .tag = tag,
						    .extra = phone_reliable_lines(call, media, lines),
						    .body = media ? phone_call_write_sdp(call, sdp) : NULL});
	if (call->manner.ring_again_ms)
		timer_start(phone_loop(call->phone), timer, call->manner.ring_again_ms);
	phone_call_set_state(call, PHONE_CALL_RINGING);
}

void phone_callee_refuse(struct phone_call *call, unsigned status)
{
	char tag[PHONE_TOKEN_SIZE], dialled[64], contact[128];
	callee_tag(call, 0, tag);
	if (status == 302) {
		configuration_sent_on(call->phone->plane, call->phone, dialled, sizeof dialled);
		snprintf(contact, sizeof contact, "Contact: <sip:%s@carillon.example>\r\n", dialled);
	}
	callee_says(call,
		    &(struct answer_settings){.status = status, .tag = tag, .extra = status == 302 ? contact : NULL});
	call->invite_answer = NULL;
	call->final = status;
	phone_call_set_state(call, PHONE_CALL_OVER);
}

// A second 200 from behind the same phone, as a forking proxy would let through (RFC 3261 section 13.2.2.4).
static void callee_answer_again(struct phone_call *call, const struct answer *first)
{
	struct phone *phone = call->phone;
	struct phone_call *twin = phone_call_new(phone, &(struct manner){.talk_ms = call->manner.talk_ms});
	struct answer *second = calloc(1, sizeof *second);
	char sdp[PHONE_SDP_MAX];
	assert(second);
	*second = *first;
	list_init(&second->node);
	timer_init(&second->timer, first->timer.handler);
	second->bytes = NULL;
	second->call = twin;
	list_append(&phone->answers, &second->node);

	twin->incoming = twin->twin = true;
	twin->offered = call->offered;
	memcpy(twin->call_id, call->call_id, sizeof twin->call_id);
	memcpy(twin->local, call->local, sizeof twin->local);
	memcpy(twin->remote, call->remote, sizeof twin->remote);
	memcpy(twin->remote_tag, call->remote_tag, sizeof twin->remote_tag);
	memcpy(twin->target, call->target, sizeof twin->target);
	twin->remote_cseq = call->remote_cseq;
	twin->peer = call->peer;
	twin->talks_to = call->talks_to;
	twin->final = 200;
	snprintf(twin->local_tag, sizeof twin->local_tag, "%.30stwin", call->local_tag);
	if (twin->peer)
		list_append(&twin->peer->legs, &twin->leg_node);
	answer_send(second, &(struct answer_settings){
				.status = 200, .tag = twin->local_tag, .body = phone_call_write_sdp(twin, sdp)});
	phone_call_set_state(twin, PHONE_CALL_ANSWERED);
}

static void callee_answer(struct phone_call *call)
{
	struct answer *answer = call->invite_answer;
	char tag[PHONE_TOKEN_SIZE], sdp[PHONE_SDP_MAX];
	call->unpracked_ms = 0;
	timer_stop(&call->reliable_timer);
	callee_tag(call, call->manner.ring_tags > 1 ? phone_chance(call->phone, call->manner.ring_tags) : 0, tag);
	callee_says(call,
		    &(struct answer_settings){.status = 200,
					      .tag = tag,
					      .extra = call->session_lines,
					      .body = call->answered_early ? NULL : phone_call_write_sdp(call, sdp)});
	memcpy(call->local_tag, tag, sizeof tag);
	call->invite_answer = NULL;
	call->final = 200;
	timer_stop(&call->ring_timer);
	timer_stop(&call->decide_timer);
	timer_stop(&call->end_timer);
	phone_call_set_state(call, PHONE_CALL_ANSWERED);
	if (call->manner.answers_twice)
		callee_answer_again(call, answer);
}

void phone_callee_decides(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, decide_timer);
	if (!call->invite_answer)
		return;
	if (phone_reliable_waits(call) && call->manner.decision == DECIDE_ANSWER) { // RFC 3262 section 3
		timer_start(phone_loop(call->phone), timer, 100);
		return;
	}
	switch (call->manner.decision) {
	case DECIDE_ANSWER:
		callee_answer(call);
		break;
	case DECIDE_REFUSE:
		phone_callee_refuse(call, call->manner.refusal);
		break;
	case DECIDE_VANISH:
		phone_call_vanish(call);
		break;
	case DECIDE_NOTHING:
		break;
	}
}

// RFC 3261 section 12.1.1: the callee's side of the dialog.
static void learn_dialog(struct phone_call *call, const struct sip_message *invite)
{
	struct str from = sip_header_value(invite, SIP_HEADER_FROM);
	struct sip_address address;
	char display[128];
	if (!sip_address_parse(from, &address) || address.display.length >= sizeof display)
		return;
	str_to_cstring(address.display, display, sizeof display);
	snprintf(call->remote, sizeof call->remote, "%s%s<%.*s>", display, display[0] ? " " : "",
		 STR_ARG(address.uri.text));
	snprintf(call->local, sizeof call->local, "<%.*s>", STR_ARG(invite->to.uri.text));
	if (!str_to_cstring(invite->from_tag, call->remote_tag, sizeof call->remote_tag) ||
	    !str_to_cstring(invite->call_id, call->call_id, sizeof call->call_id))
		phone_complain(call->phone, call, "a tag or Call-ID that is far too long");
	call->remote_cseq = invite->cseq;
	phone_call_learn_target(call, invite);
}

void phone_callee_take_invite(struct phone *phone, struct answer *answer, const struct sip_message *invite)
{
	struct loop *loop = phone_loop(phone);
	const struct manner manner = plane_callee_manner(phone->plane, phone);
	struct phone_call *call;

	if (phone->challenges && !phone_credentials_are_right(phone, invite)) {
		answer_send(answer,
			    &(struct answer_settings){.status = 407,
						      .tag = "carrier",
						      .extra = "Proxy-Authenticate: Digest realm=\"carrier\", "
							       "nonce=\"c0ffee\", qop=\"auth\", algorithm=MD5\r\n"});
		return;
	}
	call = phone_call_new(phone, &manner);
	call->incoming = true;
	call->invite_answer = answer;
	answer->call = call;
	phone_token(phone, "", call->local_tag, sizeof call->local_tag);
	learn_dialog(call, invite);
	phone_call_hear_sdp(call, invite);
	call->offered = call->talks_to != 0;
	phone_reliable_invited(call, invite);
	(void)phone_timer_answer_lines(call, invite, call->session_lines);
	plane_leg_invited(phone->plane, call, invite);
	if (manner.trying)
		answer_send(answer, &(struct answer_settings){.status = 100});
	if (manner.rings)
		timer_start(loop, &call->ring_timer, manner.ring_after_ms);
	if (manner.decision != DECIDE_NOTHING)
		timer_start(loop, &call->decide_timer, manner.decide_after_ms);
	timer_start(loop, &call->end_timer, RING_LIMIT_MS);
}

static unsigned reason_cause(const struct sip_message *message)
{
	const struct str value = sip_header_value(message, SIP_HEADER_REASON);
	struct str cause;
	uint64_t number;
	if (str_empty(value) || !str_starts_nocase(value, STR("SIP")) ||
	    !sip_header_parameter(str_from(value, str_index(value, ';') + 1), STR("cause"), &cause) ||
	    !str_to_uint(cause, 699, &number))
		return 0;
	return (unsigned)number;
}

void phone_callee_take_cancel(struct phone *phone, uint64_t wire, const struct sip_message *cancel)
{
	struct sip_message invite = *cancel;
	invite.method = SIP_INVITE;
	struct answer *first = answer_find(phone, &invite), *answer;
	struct phone_call *call = first ? first->call : NULL;

	if (call && call->manner.on_cancel == ON_CANCEL_SILENT && call->invite_answer) {
		call->cancelled_ms = call->cancelled_ms ? call->cancelled_ms : phone_call_now(call);
		phone_call_vanish(call);
		return;
	}
	answer = answer_start(phone, wire, cancel);
	if (!first) {
		phone_call_refuse(answer, 481);
		return;
	}
	phone_call_refuse(answer, 200);
	if (!call)
		return;
	if (!call->cancelled_ms)
		call->cancelled_ms = phone_call_now(call);
	call->cancel_cause = reason_cause(cancel);
	plane_leg_cancelled(phone->plane, call, cancel);
	if (!call->invite_answer)
		return;
	if (call->manner.on_cancel == ON_CANCEL_ANSWER)
		callee_answer(call); // it was picked up at that very moment
	else
		phone_callee_refuse(call, 487);
}
