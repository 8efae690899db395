// How a simulated phone makes, takes and ends calls.
#include "sim/phone_call.h"

#include "sim/plane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SDP_MAX = 400, RING_LIMIT_MS = 240000, CANCEL_LIMIT_MS = 40000 };

const char *phone_call_state_name(enum phone_call_state state)
{
	switch (state) {
	case PHONE_CALL_TRYING:
		return "trying";
	case PHONE_CALL_RINGING:
		return "ringing";
	case PHONE_CALL_ANSWERED:
		return "answered";
	case PHONE_CALL_TALKING:
		return "talking";
	case PHONE_CALL_OVER:
		return "over";
	}
	return "?";
}

static uint64_t now(const struct phone_call *call)
{
	return loop_now_ms(phone_loop(call->phone));
}

static void stop_timers(struct phone_call *call)
{
	timer_stop(&call->ring_timer);
	timer_stop(&call->decide_timer);
	timer_stop(&call->end_timer);
	timer_stop(&call->act_timer);
	timer_stop(&call->vanish_timer);
}

// The only place that writes a call's state.
static void set_state(struct phone_call *call, enum phone_call_state state)
{
	if (call->state == state)
		return;
	call->state = state;
	if (state == PHONE_CALL_RINGING && !call->ringing_ms)
		call->ringing_ms = now(call);
	if (state == PHONE_CALL_ANSWERED || (state == PHONE_CALL_TALKING && !call->incoming))
		call->answered_ms = now(call);
	if (state == PHONE_CALL_TALKING)
		call->acked_ms = now(call);
	if (state == PHONE_CALL_OVER) {
		call->over_ms = now(call);
		stop_timers(call);
	}
	plane_call_changed(call->phone->plane, call);
}

// ---- SDP: the origin names the call

static const char *write_sdp(struct phone_call *call, char sdp[SDP_MAX])
{
	const unsigned version = ++call->sdp_version;
	snprintf(sdp, SDP_MAX,
		 "v=0\r\no=- %u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 101\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
		 PLANE_SDP_BASE + call->number, version, call->phone->host, call->phone->host,
		 10000 + call->number % 20000 * 2, version % 2 ? "sendrecv" : "sendonly");
	return sdp;
}

// The number in the origin line; 0 when there is no SDP.
static unsigned sdp_number(const struct sip_message *message)
{
	struct str rest = message->body, line;
	uint64_t number;
	while (str_take(&rest, '\n', &line)) {
		struct str word;
		if (!str_starts(line, STR("o=- ")))
			continue;
		line = str_from(line, 4);
		if (str_take(&line, ' ', &word) && str_to_uint(word, UINT32_MAX, &number) && number > PLANE_SDP_BASE)
			return (unsigned)number - PLANE_SDP_BASE;
	}
	return 0;
}

static void hear_sdp(struct phone_call *call, const struct sip_message *message)
{
	const unsigned number = sdp_number(message);
	if (number)
		call->talks_to = number;
}

// ---- requests within the dialog

static struct request_head dialog_head(struct phone_call *call, enum sip_method method, uint32_t cseq)
{
	struct request_head head = {.method = method, .cseq = cseq};
	int used;
	snprintf(head.uri, sizeof head.uri, "%.255s", call->target);
	used = snprintf(head.from, sizeof head.from, "%s;tag=%s", call->local, call->local_tag);
	assert((size_t)used < sizeof head.from);
	used = snprintf(head.to, sizeof head.to, "%s;tag=%s", call->remote, call->remote_tag);
	assert((size_t)used < sizeof head.to);
	memcpy(head.call_id, call->call_id, sizeof head.call_id);
	return head;
}

static void nothing_more(struct request *request, const struct sip_message *response)
{
	(void)request;
	(void)response;
}

static void bye(struct phone_call *call)
{
	const struct request_head head = dialog_head(call, SIP_BYE, ++call->cseq);
	request_send(call->phone, &head, &(struct request_settings){.call = call, .done = nothing_more});
	call->bye_sent = true;
	set_state(call, PHONE_CALL_OVER);
}

static void acknowledge(struct phone_call *call, struct request *request, const char *body)
{
	const struct request_head head = dialog_head(call, SIP_ACK, request->head.cseq);
	free(request->ack);
	request->ack = ack_send(call->phone, &head, body, &request->ack_size);
}

static void learn_target(struct phone_call *call, const struct sip_message *message)
{
	struct sip_address contact;
	if (!sip_address_parse(sip_header_value(message, SIP_HEADER_CONTACT), &contact) ||
	    !str_to_cstring(contact.uri.text, call->target, sizeof call->target))
		phone_complain(call->phone, call, "no usable Contact in a message that makes a dialog");
	if (sip_header_first(message, SIP_HEADER_RECORD_ROUTE))
		phone_complain(call->phone, call, "a Record-Route from a back-to-back agent");
}

static void act_answered(struct request *request, const struct sip_message *response)
{
	struct phone_call *call = request->call;
	if (response && response->status < 200)
		return;
	if (request->head.method == SIP_INVITE || request->head.method == SIP_UPDATE)
		call->asking = false;
	if (call->vanished)
		return;
	if (response && response->status < 300) {
		if (request->head.method == SIP_INVITE) {
			learn_target(call, response);
			acknowledge(call, request, NULL);
		}
		if (call->state != PHONE_CALL_OVER)
			hear_sdp(call, response);
		return;
	}
	// RFC 3261 section 12.2.1.2: the dialog is gone.
	if ((!response || response->status == 481 || response->status == 408) && call->state == PHONE_CALL_TALKING)
		bye(call);
}

// Holds, resumes, updates, presses a key, asks.
static void act_timer_fired(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, act_timer);
	struct phone *phone = call->phone;
	static const enum sip_method methods[] = {SIP_INVITE, SIP_INVITE,  SIP_UPDATE,
						  SIP_INFO,   SIP_OPTIONS, SIP_MESSAGE};
	const enum sip_method method = methods[phone_chance(phone, sizeof methods / sizeof *methods)];
	const bool offers = method == SIP_INVITE || method == SIP_UPDATE;
	char sdp[SDP_MAX];

	if (call->state != PHONE_CALL_TALKING)
		return;
	timer_start(phone_loop(phone), timer, call->manner.act_ms);
	if (offers && call->asking)
		return;
	call->asking |= offers;
	const struct request_head head = dialog_head(call, method, ++call->cseq);
	request_send(phone, &head,
		     &(struct request_settings){
			 .call = call, .body = offers ? write_sdp(call, sdp) : NULL, .done = act_answered});
}

// RFC 3261 section 9.1: no final response within 64*T1 of the CANCEL.
static void caller_waits_no_longer(struct phone_call *call)
{
	if (!call->network_failed)
		phone_complain(call->phone, call, "no final response after a CANCEL");
	request_free(call->invite);
	call->invite = NULL;
	call->final = 408;
	set_state(call, PHONE_CALL_OVER);
}

static void end_timer_fired(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, end_timer);
	if (!call->incoming && call->cancelled_ms && call->invite)
		caller_waits_no_longer(call);
	else if (call->incoming && call->state == PHONE_CALL_TRYING)
		phone_call_vanish(call); // it never noticed
	else
		phone_call_hang_up(call);
}

static void begin_talk(struct phone_call *call)
{
	struct loop *loop = phone_loop(call->phone);
	timer_start(loop, &call->end_timer, call->manner.talk_ms);
	if (call->manner.act_ms)
		timer_start(loop, &call->act_timer, call->manner.act_ms);
	set_state(call, PHONE_CALL_TALKING);
}

void phone_call_vanish(struct phone_call *call)
{
	call->vanished = true;
	stop_timers(call);
	call->invite = NULL;
	list_each (node, following, &call->phone->requests) {
		struct request *request = container_of(node, struct request, node);
		if (request->call == call)
			request_free(request);
	}
	list_each (node, following, &call->phone->answers) {
		struct answer *answer = container_of(node, struct answer, node);
		if (answer->call == call)
			answer_free(answer);
	}
	plane_call_changed(call->phone->plane, call);
}

static void vanish_timer_fired(struct timer *timer)
{
	phone_call_vanish(container_of(timer, struct phone_call, vanish_timer));
}

// ---- a new call, either way

static void ring_timer_fired(struct timer *timer);
static void decide_timer_fired(struct timer *timer);

static struct phone_call *phone_call_new(struct phone *phone, const struct manner *manner)
{
	struct phone_call *call = calloc(1, sizeof *call);
	assert(call);
	call->phone = phone;
	call->manner = *manner;
	list_init(&call->node);
	list_init(&call->leg_node);
	list_init(&call->legs);
	list_append(&phone->calls, &call->node);
	timer_init(&call->ring_timer, ring_timer_fired);
	timer_init(&call->decide_timer, decide_timer_fired);
	timer_init(&call->end_timer, end_timer_fired);
	timer_init(&call->act_timer, act_timer_fired);
	timer_init(&call->vanish_timer, vanish_timer_fired);
	call->started_ms = now(call);
	plane_call_added(phone->plane, call);
	if (manner->vanish_ms)
		timer_start(phone_loop(phone), &call->vanish_timer, manner->vanish_ms);
	return call;
}

void phone_call_free(struct phone_call *call)
{
	stop_timers(call);
	list_remove(&call->node);
	list_remove(&call->leg_node);
	list_each (node, following, &call->legs)
		list_remove(node);
	free(call);
}

// ---- the caller

static void send_cancel(struct phone_call *call)
{
	struct request_head head = call->invite->head;
	head.method = SIP_CANCEL;
	call->cancelled_ms = call->settled_ms = now(call);
	timer_start(phone_loop(call->phone), &call->end_timer, CANCEL_LIMIT_MS);
	request_send(call->phone, &head,
		     &(struct request_settings){.call = call, .branch = call->invite->branch, .done = nothing_more});
}

static void caller_gives_up(struct phone_call *call)
{
	if (!call->invite || call->cancelled_ms)
		return;
	if (call->invite->provisional)
		send_cancel(call);
	else
		call->cancel_due = true; // RFC 3261 section 9.1
}

static void invite_answered(struct request *request, const struct sip_message *response);

static void send_invite(struct phone_call *call, const char *credentials)
{
	struct request_head head = dialog_head(call, SIP_INVITE, ++call->cseq);
	char sdp[SDP_MAX];
	memcpy(head.to, call->remote, sizeof call->remote);
	call->invite = request_send(call->phone, &head,
				    &(struct request_settings){.call = call,
							       .extra = credentials,
							       .body = call->offered ? write_sdp(call, sdp) : NULL,
							       .done = invite_answered});
	call->invite->authorised = credentials != NULL;
	call->started_ms = now(call);
}

static void invite_progressed(struct phone_call *call, const struct sip_message *response)
{
	call->got_response = true;
	if (response->status > 100) {
		if (call->remote_tag[0] && !str_equal(str_of(call->remote_tag), response->to_tag))
			phone_complain(call->phone, call, "the caller's dialog has changed its tag");
		str_to_cstring(response->to_tag, call->remote_tag, sizeof call->remote_tag);
		if (call->state == PHONE_CALL_TRYING)
			set_state(call, PHONE_CALL_RINGING);
	}
	if (call->cancel_due && !call->cancelled_ms)
		send_cancel(call);
}

static void invite_accepted(struct phone_call *call, struct request *request, const struct sip_message *response)
{
	char sdp[SDP_MAX];
	if (call->remote_tag[0] && !str_equal(str_of(call->remote_tag), response->to_tag))
		phone_complain(call->phone, call, "the caller's dialog has changed its tag");
	str_to_cstring(response->to_tag, call->remote_tag, sizeof call->remote_tag);
	learn_target(call, response);
	hear_sdp(call, response);
	if (!call->talks_to)
		phone_complain(call->phone, call, "a 200 without SDP");
	if (!call->settled_ms)
		call->settled_ms = now(call);
	acknowledge(call, request, call->offered ? NULL : write_sdp(call, sdp));
	if (call->cancelled_ms || call->cancel_due) {
		call->answered_ms = now(call);
		bye(call);
		return;
	}
	begin_talk(call);
}

static void invite_refused(struct phone_call *call, const struct sip_message *response)
{
	if (!call->settled_ms)
		call->settled_ms = now(call);
	if (call->cancelled_ms && response && response->status != 487 && response->status < 400)
		phone_complain(call->phone, call, "%u after a CANCEL", response->status);
	set_state(call, PHONE_CALL_OVER);
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
	if (response && (response->status == 401 || response->status == 407) && !request->authorised) {
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

// ---- the callee

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

static void ring_timer_fired(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, ring_timer);
	char tag[PHONE_TOKEN_SIZE], sdp[SDP_MAX];
	const bool media = call->manner.early_media && call->offered;

	if (!call->invite_answer || call->cancelled_ms)
		return;
	callee_tag(call, call->tags_used++ % call->manner.ring_tags, tag);
	callee_says(call, &(struct answer_settings){.status = call->manner.ring_status,
						    .tag = tag,
						    .body = media ? write_sdp(call, sdp) : NULL});
	if (call->manner.ring_again_ms)
		timer_start(phone_loop(call->phone), timer, call->manner.ring_again_ms);
	set_state(call, PHONE_CALL_RINGING);
}

static void callee_refuse(struct phone_call *call, unsigned status)
{
	char tag[PHONE_TOKEN_SIZE];
	callee_tag(call, 0, tag);
	callee_says(call, &(struct answer_settings){.status = status, .tag = tag});
	call->invite_answer = NULL;
	call->final = status;
	set_state(call, PHONE_CALL_OVER);
}

// A second 200 from behind the same phone, as a forking proxy would let through (RFC 3261 section 13.2.2.4).
static void callee_answer_again(struct phone_call *call, const struct answer *first)
{
	struct phone *phone = call->phone;
	struct phone_call *twin = phone_call_new(phone, &(struct manner){.talk_ms = call->manner.talk_ms});
	struct answer *second = calloc(1, sizeof *second);
	char sdp[SDP_MAX];
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
	answer_send(second,
		    &(struct answer_settings){.status = 200, .tag = twin->local_tag, .body = write_sdp(twin, sdp)});
	set_state(twin, PHONE_CALL_ANSWERED);
}

static void callee_answer(struct phone_call *call)
{
	struct answer *answer = call->invite_answer;
	char tag[PHONE_TOKEN_SIZE], sdp[SDP_MAX];
	callee_tag(call, call->manner.ring_tags > 1 ? phone_chance(call->phone, call->manner.ring_tags) : 0, tag);
	callee_says(call, &(struct answer_settings){.status = 200, .tag = tag, .body = write_sdp(call, sdp)});
	memcpy(call->local_tag, tag, sizeof tag);
	call->invite_answer = NULL;
	call->final = 200;
	timer_stop(&call->ring_timer);
	timer_stop(&call->decide_timer);
	timer_stop(&call->end_timer);
	set_state(call, PHONE_CALL_ANSWERED);
	if (call->manner.answers_twice)
		callee_answer_again(call, answer);
}

static void decide_timer_fired(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, decide_timer);
	if (!call->invite_answer)
		return;
	switch (call->manner.decision) {
	case DECIDE_ANSWER:
		callee_answer(call);
		break;
	case DECIDE_REFUSE:
		callee_refuse(call, call->manner.refusal);
		break;
	case DECIDE_VANISH:
		phone_call_vanish(call);
		break;
	case DECIDE_NOTHING:
		break;
	}
}

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

bool phone_call_vanished(const struct phone *phone, const struct sip_message *message)
{
	list_each (node, following, &phone->calls) {
		struct phone_call *call = container_of(node, struct phone_call, node);
		if (str_equal(message->call_id, str_of(call->call_id)) && call->vanished)
			return true;
	}
	return false;
}

static void refuse_request(struct answer *answer, unsigned status)
{
	char tag[PHONE_TOKEN_SIZE];
	phone_token(answer->phone, "", tag, sizeof tag);
	answer_send(answer, &(struct answer_settings){.status = status, .tag = tag});
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
	learn_target(call, invite);
}

static void take_invite(struct phone *phone, struct answer *answer, const struct sip_message *invite)
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
	hear_sdp(call, invite);
	call->offered = call->talks_to != 0;
	plane_leg_invited(phone->plane, call, invite);
	if (manner.trying)
		answer_send(answer, &(struct answer_settings){.status = 100});
	if (manner.rings)
		timer_start(loop, &call->ring_timer, manner.ring_after_ms);
	if (manner.decision != DECIDE_NOTHING)
		timer_start(loop, &call->decide_timer, manner.decide_after_ms);
	timer_start(loop, &call->end_timer, RING_LIMIT_MS);
}

static void take_reinvite(struct phone_call *call, struct answer *answer, const struct sip_message *request)
{
	const bool glare = call->asking;
	char sdp[SDP_MAX];
	answer->call = call;
	if (call->state == PHONE_CALL_OVER) {
		refuse_request(answer, 481);
	} else if (glare) {
		refuse_request(answer, 491);
	} else {
		hear_sdp(call, request);
		answer_send(answer, &(struct answer_settings){.status = 200, .body = write_sdp(call, sdp)});
	}
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

static void take_cancel(struct phone *phone, uint64_t wire, const struct sip_message *cancel)
{
	struct sip_message invite = *cancel;
	invite.method = SIP_INVITE;
	struct answer *first = answer_find(phone, &invite), *answer;
	struct phone_call *call = first ? first->call : NULL;

	if (call && call->manner.on_cancel == ON_CANCEL_SILENT && call->invite_answer) {
		call->cancelled_ms = call->cancelled_ms ? call->cancelled_ms : now(call);
		phone_call_vanish(call);
		return;
	}
	answer = answer_start(phone, wire, cancel);
	if (!first) {
		refuse_request(answer, 481);
		return;
	}
	refuse_request(answer, 200);
	if (!call)
		return;
	if (!call->cancelled_ms)
		call->cancelled_ms = now(call);
	call->cancel_cause = reason_cause(cancel);
	plane_leg_cancelled(phone->plane, call, cancel);
	if (!call->invite_answer)
		return;
	if (call->manner.on_cancel == ON_CANCEL_ANSWER)
		callee_answer(call); // it was picked up at that very moment
	else
		callee_refuse(call, 487);
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
	hear_sdp(call, ack);
	if (call->state == PHONE_CALL_ANSWERED)
		begin_talk(call);
}

static void take_bye(struct phone_call *call, struct answer *answer)
{
	answer_send(answer, &(struct answer_settings){.status = 200});
	call->bye_came = true;
	if (call->state == PHONE_CALL_ANSWERED && plane_is_orderly(call->phone->plane))
		phone_complain(call->phone, call, "BYE before ACK");
	if (call->state == PHONE_CALL_TRYING || call->state == PHONE_CALL_RINGING)
		phone_complain(call->phone, call, "BYE on a call that was never answered");
	set_state(call, PHONE_CALL_OVER);
}

static void take_other(struct phone_call *call, struct answer *answer, const struct sip_message *request)
{
	char sdp[SDP_MAX];
	if (call->state == PHONE_CALL_OVER) {
		refuse_request(answer, 481);
	} else if (request->method == SIP_UPDATE && call->asking) {
		refuse_request(answer, 491);
	} else if (request->method == SIP_UPDATE && !str_empty(request->body)) {
		hear_sdp(call, request);
		answer_send(answer, &(struct answer_settings){.status = 200, .body = write_sdp(call, sdp)});
	} else {
		refuse_request(answer, phone_with_chance(call->phone, 80) ? 200 : 405);
	}
}

static void take_in_dialog(struct phone *phone, struct answer *answer, const struct sip_message *request)
{
	struct phone_call *call = call_of_dialog(phone, request);
	if (!call) {
		refuse_request(answer, 481);
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
		take_cancel(phone, wire, request);
		return;
	}
	answer = answer_start(phone, wire, request);
	if (!str_empty(request->to_tag))
		take_in_dialog(phone, answer, request);
	else if (request->method == SIP_INVITE)
		take_invite(phone, answer, request);
	else
		refuse_request(answer, request->method == SIP_OPTIONS ? 200 : 405);
}

void phone_call_unacknowledged(struct phone_call *call, struct answer *answer)
{
	plane_leg_unacknowledged(call->phone->plane, call, answer->status);
	// RFC 3261 section 13.3.1.4: no ACK, so the session is ended.
	if (answer->status < 300 && (call->state == PHONE_CALL_ANSWERED || call->state == PHONE_CALL_TALKING))
		bye(call);
}

void phone_call_forget_answer(struct phone_call *call, const struct answer *answer)
{
	if (call->invite_answer == answer)
		call->invite_answer = NULL;
}

void phone_call_hang_up(struct phone_call *call)
{
	switch (call->state) {
	case PHONE_CALL_TRYING:
	case PHONE_CALL_RINGING:
		if (!call->incoming)
			caller_gives_up(call);
		else if (call->invite_answer)
			callee_refuse(call, 480);
		break;
	case PHONE_CALL_TALKING:
		bye(call);
		break;
	case PHONE_CALL_ANSWERED: // not before the ACK (RFC 3261 section 15)
	case PHONE_CALL_OVER:
		break;
	}
}
