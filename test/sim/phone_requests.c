// What a simulated phone does with the server's requests.
#include "sim/phone_extensions.h"

#include "sim/plane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct phone_call *call_of_dialog(struct phone *phone, const struct sip_message *request)
{
	list_each (node, following, &phone->calls) {
		struct phone_call *call = container_of(node, struct phone_call, node);
		if (str_equal(request->call_id, str_of(call->call_id)) &&
		    str_equal(request->to_tag, str_of(call->local_tag)) &&
		    str_equal(request->from_tag, str_of(call->remote_tag)))
			return call;
	}
	return NULL;
}

void phone_call_refuse(struct answer *answer, unsigned status)
{
	char tag[PHONE_TOKEN_SIZE];
	phone_token(answer->phone, "", tag, sizeof tag);
	answer_send(answer, &(struct answer_settings){.status = status, .tag = tag});
}

static void take_reinvite(struct phone_call *call, struct answer *answer, const struct sip_message *request)
{
	const bool glare = call->asking;
	char sdp[PHONE_SDP_MAX], lines[PHONE_LINES_MAX];
	answer->call = call;
	if (call->state == PHONE_CALL_OVER) {
		phone_call_refuse(answer, 481);
	} else if (glare) {
		phone_call_refuse(answer, 491);
	} else {
		phone_call_hear_sdp(call, request);
		answer_send(answer, &(struct answer_settings){.status = 200,
							      .extra = phone_timer_answer_lines(call, request, lines),
							      .body = phone_call_write_sdp(call, sdp)});
	}
}

static void take_ack(struct phone *phone, const struct sip_message *ack)
{
	struct answer *refusal = answer_find(phone, ack);
	struct phone_call *call;
	if (refusal && refusal->status >= 300) {
		answer_acked(refusal);
		return;
	}
	call = call_of_dialog(phone, ack);
	if (!call) {
		if (!phone_was_away(phone)) // else it may have lain on the way until all was forgotten
			phone_complain(phone, NULL, "an ACK that belongs to nothing");
		return;
	}
	list_each (node, following, &phone->answers) {
		struct answer *answer = container_of(node, struct answer, node);
		if (answer->call == call && answer->method == SIP_INVITE && answer->cseq == ack->cseq)
			answer_acked(answer);
	}
	if (call->state == PHONE_CALL_OVER)
		return;
	phone_call_hear_sdp(call, ack);
	if (call->state == PHONE_CALL_ANSWERED)
		phone_call_talk(call);
}

static void take_bye(struct phone_call *call, struct answer *answer)
{
	answer_send(answer, &(struct answer_settings){.status = 200});
	call->bye_came = true;
	if (call->state == PHONE_CALL_ANSWERED && plane_is_orderly(call->phone->plane))
		phone_complain(call->phone, call, "BYE before ACK");
	if ((call->state == PHONE_CALL_TRYING || call->state == PHONE_CALL_RINGING) && !call->network_failed)
		phone_complain(call->phone, call, "BYE on a call that was never answered");
	phone_call_set_state(call, PHONE_CALL_OVER);
}

static void take_other(struct phone_call *call, struct answer *answer, const struct sip_message *request)
{
	char sdp[PHONE_SDP_MAX], lines[PHONE_LINES_MAX];
	if (call->state == PHONE_CALL_OVER) {
		phone_call_refuse(answer, 481);
	} else if (request->method == SIP_UPDATE && call->asking) {
		phone_call_refuse(answer, 491);
	} else if (request->method == SIP_UPDATE) {
		const bool offers = !str_empty(request->body);
		phone_call_hear_sdp(call, request);
		answer_send(answer, &(struct answer_settings){.status = 200,
							      .extra = phone_timer_answer_lines(call, request, lines),
							      .body = offers ? phone_call_write_sdp(call, sdp) : NULL});
	} else {
		phone_call_refuse(answer, phone_with_chance(call->phone, 80) ? 200 : 405);
	}
}

static void take_in_dialog(struct phone *phone, struct answer *answer, const struct sip_message *request)
{
	struct phone_call *call = call_of_dialog(phone, request);
	if (request->method == SIP_PRACK) { // its dialog is an early one
		phone_reliable_pracked(phone, answer, request);
		return;
	}
	if (!call) {
		phone_call_refuse(answer, 481);
		return;
	}
	answer->call = call;
	if (request->cseq <= call->remote_cseq && plane_is_orderly(phone->plane))
		phone_complain(phone, call, "a CSeq that does not grow: %u after %u", request->cseq, call->remote_cseq);
	if (request->cseq > call->remote_cseq)
		call->remote_cseq = request->cseq;
	if (request->method == SIP_INVITE)
		take_reinvite(call, answer, request);
	else if (request->method == SIP_BYE)
		take_bye(call, answer);
	else
		take_other(call, answer, request);
}

void phone_call_request(struct phone *phone, uint64_t wire, const struct sip_message *request)
{
	struct answer *answer;
	if (phone_call_vanished(phone, request))
		return;
	if (request->method == SIP_ACK) {
		take_ack(phone, request);
		return;
	}
	answer = answer_find(phone, request);
	if (answer) { // a repetition
		if (answer->bytes && !answer->acked)
			phone_send(phone, wire, (struct str){answer->bytes, answer->size});
		return;
	}
	if (request->method == SIP_CANCEL) {
		phone_callee_take_cancel(phone, wire, request);
		return;
	}
	answer = answer_start(phone, wire, request);
	if (!str_empty(request->to_tag))
		take_in_dialog(phone, answer, request);
	else if (request->method == SIP_INVITE)
		phone_callee_take_invite(phone, answer, request);
	else
		phone_call_refuse(answer, request->method == SIP_OPTIONS ? 200 : 405);
}
