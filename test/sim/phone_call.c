// A simulated phone's call: its state, its SDP, what is asked within it, and its end.
#include "sim/phone_extensions.h"

#include "sim/plane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

uint64_t phone_call_now(const struct phone_call *call)
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
	timer_stop(&call->reliable_timer);
	timer_stop(&call->session_timer);
}

// The only place that writes a call's state.
void phone_call_set_state(struct phone_call *call, enum phone_call_state state)
{
	if (call->state == state)
		return;
	call->state = state;
	if (state == PHONE_CALL_RINGING && !call->ringing_ms)
		call->ringing_ms = phone_call_now(call);
	if (state == PHONE_CALL_ANSWERED || (state == PHONE_CALL_TALKING && !call->incoming))
		call->answered_ms = phone_call_now(call);
	if (state == PHONE_CALL_TALKING)
		call->acked_ms = phone_call_now(call);
	if (state == PHONE_CALL_OVER) {
		call->over_ms = phone_call_now(call);
		stop_timers(call);
	}
	plane_call_changed(call->phone->plane, call);
}

// ---- SDP: the origin names the call

const char *phone_call_write_sdp(struct phone_call *call, char sdp[PHONE_SDP_MAX])
{
	const unsigned version = ++call->sdp_version;
	snprintf(sdp, PHONE_SDP_MAX,
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

void phone_call_hear_sdp(struct phone_call *call, const struct sip_message *message)
{
	const unsigned number = sdp_number(message);
	if (!number || number == call->talks_to)
		return;
	plane_call_moves(call->phone->plane, call, number);
	call->talks_to = number;
	call->heard_ms = phone_call_now(call);
}

// ---- requests within the dialog

struct request_head phone_call_head(struct phone_call *call, enum sip_method method, uint32_t cseq)
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

void phone_call_nothing_more(struct request *request, const struct sip_message *response)
{
	(void)request;
	(void)response;
}

void phone_call_bye(struct phone_call *call)
{
	const struct request_head head = phone_call_head(call, SIP_BYE, ++call->cseq);
	request_send(call->phone, &head, &(struct request_settings){.call = call, .done = phone_call_nothing_more});
	call->bye_sent = true;
	phone_call_set_state(call, PHONE_CALL_OVER);
}

void phone_call_acknowledge(struct phone_call *call, struct request *request, const char *body)
{
	const struct request_head head = phone_call_head(call, SIP_ACK, request->head.cseq);
	free(request->ack);
	request->ack = ack_send(call->phone, &head, body, &request->ack_size);
}

void phone_call_learn_target(struct phone_call *call, const struct sip_message *message)
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
			phone_call_learn_target(call, response);
			phone_call_acknowledge(call, request, NULL);
		}
		if (call->state != PHONE_CALL_OVER)
			phone_call_hear_sdp(call, response);
		if (request->head.method == SIP_INVITE || request->head.method == SIP_UPDATE)
			phone_timer_answered(call, response);
		return;
	}
	// RFC 3261 section 12.2.1.2: the dialog is gone.
	if ((!response || response->status == 481 || response->status == 408) && call->state == PHONE_CALL_TALKING)
		phone_call_bye(call);
}

// ---- transfers

static struct phone_call *other_call(const struct phone_call *call)
{
	list_each (node, following, &call->phone->calls) {
		struct phone_call *other = container_of(node, struct phone_call, node);
		const bool up =
		    other->state == PHONE_CALL_TALKING || (!other->incoming && other->state == PHONE_CALL_RINGING);
		if (other != call && up && !other->vanished && other->remote_tag[0])
			return other;
	}
	return NULL;
}

static void refer_answered(struct request *request, const struct sip_message *response)
{
	struct phone_call *call = request->call;
	if (!response || response->status < 200)
		return;
	plane_refer_answered(call->phone->plane, call, response->status);
	if (response->status >= 300 || call->vanished || call->state != PHONE_CALL_TALKING)
		return;
	// Many hang up at once; others wait for the news, and some never do.
	if (phone_with_chance(call->phone, 40))
		phone_call_bye(call);
}

// For a URI's headers (RFC 3261 section 25.1).
static const char *escaped(const char *text, char into[900])
{
	size_t used = 0;
	for (; *text && used < 890; text++)
		if (*text == '@')
			used += (size_t)snprintf(into + used, 900 - used, "%%40");
		else
			into[used++] = *text;
	into[used] = '\0';
	return into;
}

static void refer(struct phone_call *call)
{
	const struct request_head head = phone_call_head(call, SIP_REFER, ++call->cseq);
	struct phone_call *other = phone_with_chance(call->phone, 50) ? other_call(call) : NULL;
	char extra[1200], dialled[64], id[900];

	plane_something_to_dial(call->phone, dialled, sizeof dialled);
	if (other)
		snprintf(extra, sizeof extra,
			 "Refer-To: <sip:%s@carillon.example?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>\r\n",
			 dialled, escaped(other->call_id, id), other->remote_tag, other->local_tag);
	else
		snprintf(extra, sizeof extra, "Refer-To: <sip:%s@carillon.example>\r\n%s", dialled,
			 phone_with_chance(call->phone, 30) ? "Refer-Sub: false\r\n" : "");
	plane_refers(call->phone->plane, call, other);
	request_send(call->phone, &head,
		     &(struct request_settings){.call = call, .extra = extra, .done = refer_answered});
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
	char sdp[PHONE_SDP_MAX], lines[PHONE_LINES_MAX];

	if (call->state != PHONE_CALL_TALKING)
		return;
	timer_start(phone_loop(phone), timer, call->manner.act_ms);
	if (plane_transfers(phone) && phone_with_chance(phone, 60)) {
		refer(call);
		return;
	}
	if (offers && call->asking)
		return;
	call->asking |= offers;
	const struct request_head head = phone_call_head(call, method, ++call->cseq);
	request_send(phone, &head,
		     &(struct request_settings){.call = call,
						.extra = offers ? phone_timer_request_lines(call, lines) : NULL,
						.body = offers ? phone_call_write_sdp(call, sdp) : NULL,
						.done = act_answered});
}

// ---- life

static void end_timer_fired(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, end_timer);
	if (!call->incoming && call->cancelled_ms && call->invite)
		phone_caller_waits_no_longer(call);
	else if (call->incoming && call->state == PHONE_CALL_TRYING)
		phone_call_vanish(call); // it never noticed
	else
		phone_call_hang_up(call);
}

void phone_call_talk(struct phone_call *call)
{
	struct loop *loop = phone_loop(call->phone);
	timer_start(loop, &call->end_timer, call->manner.talk_ms);
	if (call->manner.act_ms)
		timer_start(loop, &call->act_timer, call->manner.act_ms);
	phone_call_set_state(call, PHONE_CALL_TALKING);
	phone_timer_start(call);
}

void phone_call_vanish(struct phone_call *call)
{
	call->vanished = true;
	call->vanished_ms = phone_call_now(call);
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

struct phone_call *phone_call_new(struct phone *phone, const struct manner *manner)
{
	struct phone_call *call = calloc(1, sizeof *call);
	assert(call);
	call->phone = phone;
	call->manner = *manner;
	list_init(&call->node);
	list_init(&call->leg_node);
	list_init(&call->legs);
	list_append(&phone->calls, &call->node);
	timer_init(&call->ring_timer, phone_callee_rings);
	timer_init(&call->decide_timer, phone_callee_decides);
	timer_init(&call->end_timer, end_timer_fired);
	timer_init(&call->act_timer, act_timer_fired);
	timer_init(&call->vanish_timer, vanish_timer_fired);
	phone_reliable_init(call);
	phone_timer_init(call);
	call->started_ms = phone_call_now(call);
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

void phone_call_hang_up(struct phone_call *call)
{
	switch (call->state) {
	case PHONE_CALL_TRYING:
	case PHONE_CALL_RINGING:
		if (!call->incoming)
			phone_caller_gives_up(call);
		else if (call->invite_answer)
			phone_callee_refuse(call, 480);
		break;
	case PHONE_CALL_TALKING:
		phone_call_bye(call);
		break;
	case PHONE_CALL_ANSWERED: // not before the ACK (RFC 3261 section 15)
	case PHONE_CALL_OVER:
		break;
	}
}

bool phone_call_vanished(const struct phone *phone, const struct sip_message *message)
{
	bool vanished = false;
	list_each (node, following, &phone->calls) {
		struct phone_call *call = container_of(node, struct phone_call, node);
		const struct str tag = str_of(call->local_tag);
		if (!str_equal(message->call_id, str_of(call->call_id)))
			continue;
		// Of two behind one contact the other goes on.
		if (!call->vanished && (str_equal(message->to_tag, tag) || str_equal(message->from_tag, tag)))
			return false;
		vanished |= call->vanished;
	}
	return vanished;
}

void phone_call_unacknowledged(struct phone_call *call, struct answer *answer)
{
	plane_leg_unacknowledged(call->phone->plane, call, answer->status);
	// RFC 3261 section 13.3.1.4: no ACK, so the session is ended.
	if (answer->status < 300 && (call->state == PHONE_CALL_ANSWERED || call->state == PHONE_CALL_TALKING))
		phone_call_bye(call);
}

void phone_call_forget_answer(struct phone_call *call, const struct answer *answer)
{
	if (call->invite_answer == answer)
		call->invite_answer = NULL;
}
