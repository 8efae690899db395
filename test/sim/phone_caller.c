// How a simulated phone calls, gives up, and takes what it gets.
#include "sim/phone_extensions.h"

#include "sim/plane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANCEL_LIMIT_MS = 40000 };

static void send_cancel(struct phone_call *call)
{
	struct request_head head = call->invite->head;
	head.method = SIP_CANCEL;
	call->cancelled_ms = call->settled_ms = phone_call_now(call);
	timer_start(phone_loop(call->phone), &call->end_timer, CANCEL_LIMIT_MS);
	request_send(
	    call->phone, &head,
	    &(struct request_settings){.call = call, .branch = call->invite->branch, .done = phone_call_nothing_more});
}

void phone_caller_gives_up(struct phone_call *call)
{
	if (!call->invite || call->cancelled_ms)
		return;
	if (call->invite->provisional)
		send_cancel(call);
	else
		call->cancel_due = true; // RFC 3261 section 9.1
}

// RFC 3261 section 9.1: no final response within 64*T1 of the CANCEL.
void phone_caller_waits_no_longer(struct phone_call *call)
{
	if (!call->network_failed)
		phone_complain(call->phone, call, "no final response after a CANCEL");
	request_free(call->invite);
	call->invite = NULL;
	call->final = 408;
	phone_call_set_state(call, PHONE_CALL_OVER);
}

// ---- the INVITE

static void invite_answered(struct request *request, const struct sip_message *response);

static void send_invite(struct phone_call *call, const char *credentials)
{
	struct request_head head = phone_call_head(call, SIP_INVITE, ++call->cseq);
	char sdp[PHONE_SDP_MAX], lines[PHONE_LINES_MAX], extra[PHONE_MESSAGE_MAX];
	snprintf(extra, sizeof extra, "%s%s%s", call->manner.reliable ? "Supported: 100rel\r\n" : "",
		 phone_timer_request_lines(call, lines), credentials ? credentials : "");
	memcpy(head.to, call->remote, sizeof call->remote);
	call->invite =
	    request_send(call->phone, &head,
			 &(struct request_settings){.call = call,
						    .extra = extra,
						    .body = call->offered ? phone_call_write_sdp(call, sdp) : NULL,
						    .done = invite_answered});
	call->invite->authorised = credentials != NULL;
	call->started_ms = phone_call_now(call);
}

static void invite_progressed(struct phone_call *call, const struct sip_message *response)
{
	call->got_response = true;
	if (response->status > 100) {
		if (call->remote_tag[0] && !str_equal(str_of(call->remote_tag), response->to_tag))
			phone_complain(call->phone, call, "the caller's dialog has changed its tag");
		str_to_cstring(response->to_tag, call->remote_tag, sizeof call->remote_tag);
		if (call->state == PHONE_CALL_TRYING)
			phone_call_set_state(call, PHONE_CALL_RINGING);
		phone_reliable_heard(call, response);
	}
	if (call->cancel_due && !call->cancelled_ms)
		send_cancel(call);
}

static void invite_accepted(struct phone_call *call, struct request *request, const struct sip_message *response)
{
	char sdp[PHONE_SDP_MAX];
	if (call->remote_tag[0] && !str_equal(str_of(call->remote_tag), response->to_tag))
		phone_complain(call->phone, call, "the caller's dialog has changed its tag");
	str_to_cstring(response->to_tag, call->remote_tag, sizeof call->remote_tag);
	phone_call_learn_target(call, response);
	phone_call_hear_sdp(call, response);
	if (!call->talks_to && call->dialled[0] != '*') // who picks up a call is held first
		phone_complain(call->phone, call, "a 200 without SDP");
	if (!call->settled_ms)
		call->settled_ms = phone_call_now(call);
	phone_call_acknowledge(call, request, call->offered ? NULL : phone_call_write_sdp(call, sdp));
	phone_timer_answered(call, response);
	if (call->cancelled_ms || call->cancel_due) {
		call->answered_ms = phone_call_now(call);
		phone_call_bye(call);
		return;
	}
	phone_call_talk(call);
}

static void invite_refused(struct phone_call *call, const struct sip_message *response)
{
	if (!call->settled_ms)
		call->settled_ms = phone_call_now(call);
	if (response)
		plane_call_refused(call->phone->plane, call, response);
	if (call->cancelled_ms && response && response->status != 487 && response->status < 400)
		phone_complain(call->phone, call, "%u after a CANCEL", response->status);
	phone_call_set_state(call, PHONE_CALL_OVER);
}

// RFC 7616 section 3.3: the password was right, the nonce was used up.
static bool challenge_is_stale(const struct sip_message *response)
{
	const struct str value = sip_header_value(response, SIP_HEADER_WWW_AUTHENTICATE);
	for (size_t at = 0; at < value.length; at++)
		if (str_starts_nocase(str_from(value, at), STR("stale=true")))
			return true;
	return false;
}

static void invite_answered(struct request *request, const struct sip_message *response)
{
	struct phone_call *call = request->call;
	if (response && response->status < 200) {
		invite_progressed(call, response);
		return;
	}
	call->invite = NULL;
	call->got_response |= response != NULL;
	call->final = response ? response->status : 408;
	if (response && (response->status == 401 || response->status == 407) &&
	    (!request->authorised || challenge_is_stale(response))) {
		char memory[PHONE_MESSAGE_MAX];
		struct writer w = writer_into(memory, sizeof memory - 1);
		call->final = 0;
		call->remote_tag[0] = '\0';
		if (call->cancel_due || call->cancelled_ms ||
		    !phone_write_credentials(call->phone, &w, response, "INVITE", call->target)) {
			call->final = response->status;
			invite_refused(call, response);
			return;
		}
		memory[w.used] = '\0';
		call->challenged = true;
		call->got_response = false;
		send_invite(call, memory);
		return;
	}
	if (response && response->status == 422 && !call->cancel_due && !call->cancelled_ms &&
	    phone_timer_raise(call, response)) { // RFC 4028 section 7.3
		call->final = 0;
		call->challenged = false;
		call->remote_tag[0] = '\0';
		send_invite(call, NULL);
		return;
	}
	if (response && response->status < 300)
		invite_accepted(call, request, response);
	else
		invite_refused(call, response);
}

struct phone_call *phone_call_start(struct phone *phone, const char *dialled, const struct manner *manner)
{
	struct phone_call *call = phone_call_new(phone, manner);
	char id[PHONE_TOKEN_SIZE];
	phone_token(phone, "", id, sizeof id);
	snprintf(call->call_id, sizeof call->call_id, "%s@%s", id, phone->host);
	phone_token(phone, "", call->local_tag, sizeof call->local_tag);
	snprintf(call->dialled, sizeof call->dialled, "%s", dialled);
	snprintf(call->target, sizeof call->target, "sip:%s@%s", dialled, plane_server_text(phone->plane));
	if (phone->role == PHONE_CARRIER)
		snprintf(call->local, sizeof call->local, "<sip:+4420%07u@%s>", call->number, phone->host);
	else
		snprintf(call->local, sizeof call->local, "\"Phone\" <sip:%s@carillon.example>", phone->number);
	snprintf(call->remote, sizeof call->remote, "<sip:%s@%s>", dialled, plane_server_text(phone->plane));
	call->offered = !manner->no_offer;
	if (manner->give_up_ms)
		timer_start(phone_loop(phone), &call->end_timer, manner->give_up_ms);
	send_invite(call, NULL);
	return call;
}
