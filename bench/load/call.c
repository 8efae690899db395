// Callers and the phones that ring for them. A call is done when its caller has an answer to the BYE and every phone that rang was
// told how it ended: the one that answered by ACK and BYE, each other by CANCEL and the ACK for its 487.
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CALLS = 1 << 16, // places in the ring of calls
	LEGS = 1 << 18,  // and of the phones' sides
	BRANCHES = 1 << 19,
	LEGS_OF_CALL = 8,
};

enum call_state { CALL_NONE, CALL_INVITED, CALL_RINGING, CALL_TALKING, CALL_ENDING };

// Seen from the caller.
struct call {
	enum call_state state;
	uint32_t number; // of the call
	unsigned user, caller;
	unsigned asked;   // phones that have an INVITE
	unsigned settled; // and those that know how it ended
	uint64_t invited_us, talks_us;
	char to_tag[80], contact[200], routes[400];
};

enum leg_state { LEG_NONE, LEG_RINGING, LEG_ANSWERED, LEG_TALKING, LEG_CANCELLED };

// Seen from the phone.
struct leg {
	enum leg_state state;
	uint32_t call, device, next; // next: in the chain of its branch
	unsigned link;
	uint64_t answers_us; // 0: it only rings
	char *invite;        // a copy, owned
	struct message message;
};

static struct call *calls;
static struct leg *legs;
static uint32_t *branches; // heads of chains of legs, +1
static uint32_t legs_begun;
static uint32_t *answering; // legs in the order in which they answer
static uint64_t answering_first, answering_next;
static uint32_t *talking; // calls in the order in which their callers hang up
static uint64_t talking_first, talking_next, open_count;

bool calls_begin(struct load *load)
{
	(void)load;
	calls = calloc(CALLS, sizeof *calls);
	legs = calloc(LEGS, sizeof *legs);
	branches = calloc(BRANCHES, sizeof *branches);
	answering = calloc(LEGS, sizeof *answering);
	talking = calloc(CALLS, sizeof *talking);
	return calls && legs && branches && answering && talking;
}

void calls_end(void)
{
	for (size_t i = 0; legs && i < LEGS; i++)
		free(legs[i].invite);
	free(calls);
	free(legs);
	free(branches);
	free(answering);
	free(talking);
}

uint64_t calls_open(const struct load *load)
{
	(void)load;
	return open_count;
}

static void fail(struct load *load, struct call *call, const char *what, struct str text)
{
	load_complain(load, what, text);
	load->calls.failed++;
	call->state = CALL_NONE;
	open_count--;
}

static void unexpected(struct load *load, const char *what, struct str text)
{
	load->calls.unexpected++;
	load_complain(load, what, text);
}

static void perhaps_done(struct load *load, struct call *call, bool hung_up)
{
	unsigned devices = load->options.plan == PLAN_TRUNK ? 1 : load->options.devices;

	if (hung_up)
		call->state = CALL_ENDING;
	if (call->state != CALL_ENDING || call->talks_us || call->settled < devices)
		return;
	if (call->asked != devices)
		unexpected(load, "phones asked", STR_NONE);
	call->state = CALL_NONE;
	load->calls.done++;
	open_count--;
}

// ---- the caller

static void write_sdp(struct writer *w, const char *who, uint32_t number)
{
	char sdp[400];
	struct writer body = writer_into(sdp, sizeof sdp);

	writer_format(&body,
		      "v=0\r\no=- %u 1 IN IP4 127.0.0.1\r\ns=%s%u\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		      "m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
		      "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\na=ptime:20\r\n",
		      number, who, number);
	writer_format(w, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n", body.used);
	writer_str(w, writer_result(&body));
}

// What a relay made of it: the same session, its codecs first, at another port.
static bool is_relayed(struct str body, const char *who, uint32_t number)
{
	char name[40];

	snprintf(name, sizeof name, "s=%s%u\r\n", who, number);
	struct str port = message_between(body, "m=audio ", " ");
	return memmem(body.at, body.length, name, strlen(name)) && memmem(body.at, body.length, " RTP/AVP 0 8 ", 13) &&
	       !str_empty(port) && !str_equal(port, STR("30000"));
}

static bool is_sdp(const struct load *load, struct str body, const char *who, uint32_t number)
{
	char room[600];

	if (load->options.anchored)
		return is_relayed(body, who, number);
	struct writer w = writer_into(room, sizeof room);

	write_sdp(&w, who, number);
	struct str whole = writer_result(&w);
	const char *start = memmem(whole.at, whole.length, "\r\n\r\n", 4);
	return start && str_equal(body, str_from(whole, (size_t)(start - whole.at) + 4));
}

static void write_called(const struct options *options, const struct call *call, char *uri, size_t size)
{
	if (options->plan == PLAN_TRUNK)
		snprintf(uri, size, "sip:00441444%06u@bench", call->user % 1000000);
	else
		snprintf(uri, size, "sip:%u@bench", load_extension(options, call->user));
}

static void request_begin(struct load *load, const struct call *call, struct writer *w, const char *method, char kind,
			  const char *uri)
{
	unsigned link = load_link_of(load, call->caller), name = load_name(&load->options, call->caller);
	char called[64];

	write_called(&load->options, call, called, sizeof called);
	writer_format(w,
		      "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%c%u-%x;rport\r\nMax-Forwards: 70\r\n"
		      "From: <sip:%u@bench>;tag=c%u\r\nTo: <%s>%s%s\r\nCall-ID: c%u-%x\r\nCSeq: %u %s\r\n",
		      method, uri, wire_via(load->wire), wire_address(load->wire, link), kind, call->number, load_run,
		      name, call->number, called, call->to_tag[0] ? ";tag=" : "", call->to_tag, call->number, load_run,
		      kind == 'b' ? 2u : 1u, method);
}

static void invite_send(struct load *load, struct call *call)
{
	char text[MESSAGE_MAX], called[64];
	struct writer w = writer_into(text, sizeof text);
	unsigned link = load_link_of(load, call->caller);

	write_called(&load->options, call, called, sizeof called);
	request_begin(load, call, &w, "INVITE", 'i', called);
	writer_format(&w, "Contact: <sip:%u@%s%s>\r\n", load_device_number(&load->options, call->caller),
		      wire_address(load->wire, link), wire_parameter(load->wire));
	load_authorize(load, &w, load->options.peer == PEER_KAMAILIO ? "Proxy-Authorization" : "Authorization",
		       load_name(&load->options, call->caller), "INVITE", called);
	write_sdp(&w, "caller", call->number);
	wire_send(load->wire, link, writer_result(&w));
}

void call_start(struct load *load)
{
	const struct options *options = &load->options;
	uint32_t number = (uint32_t)load->calls.started++;
	struct call *call = &calls[number % CALLS];
	unsigned user = number % options->users;

	if (call->state != CALL_NONE)
		fail(load, call, "a call is not over in time", STR_NONE);
	*call = (struct call){
	    .state = CALL_INVITED,
	    .number = number,
	    .user = user,
	    .caller = (user + options->users / 2) % options->users * options->devices,
	    .invited_us = load->now_us,
	};
	open_count++;
	invite_send(load, call);
}

static void in_dialog_send(struct load *load, const struct call *call, const char *method, char kind)
{
	char text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);

	request_begin(load, call, &w, method, kind, call->contact);
	writer_text(&w, call->routes);
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	wire_send(load->wire, load_link_of(load, call->caller), writer_result(&w));
}

// The Record-Route lines of a response as the Route lines of what follows; one proxy, so the order does not matter.
static bool take_routes(struct call *call, struct str lines)
{
	struct writer w = writer_into(call->routes, sizeof call->routes - 1);
	struct str line;

	while (str_take(&lines, '\n', &line))
		if (line.length > 7)
			writer_format(&w, "%.*s\n", STR_ARG(str_from(line, 7)));
	call->routes[w.used] = '\0';
	return !w.overflow;
}

static void invite_refused(struct load *load, struct call *call, const struct message *message)
{
	bool challenged = message->status == 401 || message->status == 407;

	str_to_cstring(message->to_tag, call->to_tag, sizeof call->to_tag);
	char called[64], text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);
	write_called(&load->options, call, called, sizeof called);
	request_begin(load, call, &w, "ACK", 'i', called); // of the INVITE's transaction
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	wire_send(load->wire, load_link_of(load, call->caller), writer_result(&w));
	call->to_tag[0] = '\0';
	if (challenged && load_take_challenge(load, message->challenge) && load->calls.started < load->options.rate)
		load->calls.retransmitted++; // the nonce is needed once
	fail(load, call, "an INVITE was refused", message->vias);
}

static void invite_accepted(struct load *load, struct call *call, const struct message *message)
{
	if (call->state == CALL_TALKING) {
		load->calls.retransmitted++;
		in_dialog_send(load, call, "ACK", 'a');
		return;
	}
	if (call->state != CALL_RINGING) {
		fail(load, call, "a 200 without a 180 before", message->vias);
		return;
	}
	if (!str_to_cstring(message->to_tag, call->to_tag, sizeof call->to_tag) || str_empty(message->to_tag) ||
	    !str_to_cstring(message->contact, call->contact, sizeof call->contact) ||
	    !take_routes(call, message->routes) || !is_sdp(load, message->body, "phone", call->number)) {
		fail(load, call, "a 200 without tag, contact or the phone's description", message->vias);
		return;
	}
	call->state = CALL_TALKING;
	in_dialog_send(load, call, "ACK", 'a');
	call->talks_us = load->now_us + (uint64_t)load->options.talk_ms * 1000;
	talking[talking_next++ % CALLS] = call->number;
}

void call_answered(struct load *load, unsigned link, const struct message *message)
{
	uint64_t number;
	char kind = message->branch.length > 8 ? message->branch.at[7] : ' ';
	struct str digits = str_from(message->branch, 8);

	(void)link;
	if (!str_to_uint(str_first(digits, str_index(digits, '-')), UINT32_MAX, &number)) {
		unexpected(load, "an answer to nothing", message->vias);
		return;
	}
	struct call *call = &calls[number % CALLS];
	if (call->state == CALL_NONE || call->number != number) {
		unexpected(load, "an answer to no call", message->vias);
		return;
	}
	if (kind == 'b' && message->method == METHOD_BYE) {
		if (message->status == 200)
			perhaps_done(load, call, true);
		else
			fail(load, call, "a BYE was refused", message->vias);
	} else if (kind != 'i' || message->method != METHOD_INVITE) {
		unexpected(load, "an answer to something else", message->vias);
	} else if (message->status >= 300) {
		invite_refused(load, call, message);
	} else if (message->status >= 200) {
		invite_accepted(load, call, message);
	} else if (message->status > 100) {
		if (str_empty(message->to_tag) || message->status != 180)
			fail(load, call, "a provisional answer that is no 180 with a tag", message->vias);
		else if (call->state == CALL_INVITED)
			call->state = CALL_RINGING;
	}
}

// ---- the phones

static uint32_t *branch_chain(struct str branch)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < branch.length; i++)
		hash = (hash ^ (uint8_t)branch.at[i]) * 1099511628211u;
	return &branches[(hash ^ hash >> 32) % BRANCHES];
}

static uint32_t *leg_find(struct str branch)
{
	uint32_t *at = branch_chain(branch);

	while (*at && !str_equal(legs[*at - 1].message.branch, branch))
		at = &legs[*at - 1].next;
	return at;
}

static void leg_free(struct leg *leg)
{
	uint32_t *at = leg_find(leg->message.branch);

	if (*at)
		*at = leg->next;
	free(leg->invite);
	*leg = (struct leg){.state = LEG_NONE};
}

static void leg_settled(struct load *load, struct leg *leg)
{
	struct call *call = &calls[leg->call % CALLS];
	uint32_t number = leg->call;

	leg_free(leg);
	if (call->state == CALL_NONE || call->number != number)
		return;
	call->settled++;
	perhaps_done(load, call, false);
}

static void respond(struct load *load, unsigned link, const struct message *to, const struct leg *leg, const char *line,
		    bool with_body)
{
	char text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);

	writer_format(&w, "SIP/2.0 %s\r\n", line);
	writer_str(&w, to->vias);
	if (leg)
		writer_str(&w, to->routes);
	writer_format(&w, "From: %.*s\r\nTo: %.*s", STR_ARG(to->from), STR_ARG(to->to));
	if (leg && str_empty(to->to_tag))
		writer_format(&w, ";tag=p%u", (unsigned)(leg - legs));
	writer_format(&w, "\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n", STR_ARG(to->call_id), STR_ARG(to->cseq));
	if (leg)
		writer_format(&w, "Contact: <sip:%u@%s%s>\r\n", leg->device, wire_address(load->wire, link),
			      wire_parameter(load->wire));
	if (with_body)
		write_sdp(&w, "phone", leg->call);
	else
		writer_text(&w, "Content-Length: 0\r\n\r\n");
	if (w.overflow)
		unexpected(load, "too long to answer", to->vias);
	wire_send(load->wire, link, writer_result(&w));
}

// Which of a user's devices answers.
static bool answers(const struct options *options, unsigned device)
{
	unsigned place = device % options->devices;

	return options->plan == PLAN_TRUNK || place == (options->plan == PLAN_IN_SEQUENCE ? options->devices - 1 : 0);
}

static void phone_invited(struct load *load, unsigned link, const struct message *message, struct str text)
{
	const struct options *options = &load->options;
	uint64_t number, device = load_device_number(options, 0);
	struct str user = message_between(message->uri, "sip:", "@;");
	struct leg *leg;

	if (*leg_find(message->branch)) {
		load->calls.retransmitted++;
		return;
	}
	if (!str_to_uint(message_between(message->body, "s=caller", "\r"), UINT32_MAX, &number) ||
	    (options->plan != PLAN_TRUNK && !str_to_uint(user, UINT32_MAX, &device)) ||
	    !is_sdp(load, message->body, "caller", (uint32_t)number) || str_empty(message->contact)) {
		unexpected(load, "an INVITE that is not as the caller's", text);
		return;
	}
	struct call *call = &calls[number % CALLS];
	leg = &legs[legs_begun++ % LEGS];
	if (call->number != number || call->state == CALL_NONE || leg->state != LEG_NONE) {
		unexpected(load, "an INVITE of no call", text);
		return;
	}
	if (options->plan != PLAN_TRUNK && (device - load_device_number(options, 0)) / options->devices != call->user) {
		unexpected(load, "an INVITE to somebody else's phone", text);
		return;
	}
	if (call->asked++ == 0)
		load_latency(load, load->now_us - call->invited_us);
	*leg = (struct leg){.state = LEG_RINGING,
			    .call = (uint32_t)number,
			    .device = (uint32_t)device,
			    .link = link,
			    .invite = malloc(text.length)};
	if (!leg->invite)
		return;
	memcpy(leg->invite, text.at, text.length);
	message_read((struct str){leg->invite, text.length}, &leg->message);
	uint32_t *chain = branch_chain(leg->message.branch);
	leg->next = *chain;
	*chain = (uint32_t)(leg - legs) + 1;
	respond(load, link, &leg->message, leg, "180 Ringing", false);
	if (!answers(options, (unsigned)device - load_device_number(options, 0)))
		return;
	leg->answers_us = load->now_us + (uint64_t)options->ring_ms * 1000;
	answering[answering_next++ % LEGS] = (uint32_t)(leg - legs);
}

static struct leg *leg_of_tag(struct str tag)
{
	uint64_t at;

	if (tag.length < 2 || tag.at[0] != 'p' || !str_to_uint(str_from(tag, 1), LEGS - 1, &at) ||
	    legs[at].state == LEG_NONE)
		return NULL;
	return &legs[at];
}

void call_requested(struct load *load, unsigned link, const struct message *message, struct str text)
{
	struct leg *leg = leg_of_tag(message->to_tag);
	uint32_t found;

	switch (message->method) {
	case METHOD_INVITE:
		phone_invited(load, link, message, text);
		return;
	case METHOD_CANCEL:
		found = *leg_find(message->branch);
		respond(load, link, message, NULL, found ? "200 OK" : "481 Call/Transaction Does Not Exist", false);
		if (!found || legs[found - 1].state != LEG_RINGING) {
			unexpected(load, "a CANCEL of nothing", text);
			return;
		}
		leg = &legs[found - 1];
		leg->state = LEG_CANCELLED;
		respond(load, link, &leg->message, leg, "487 Request Terminated", false);
		return;
	case METHOD_ACK:
		if (leg && leg->state == LEG_CANCELLED)
			leg_settled(load, leg);
		else if (leg && leg->state == LEG_ANSWERED)
			leg->state = LEG_TALKING;
		else
			unexpected(load, "an ACK of nothing", text);
		return;
	case METHOD_BYE:
		respond(load, link, message, NULL, leg ? "200 OK" : "481 Call/Transaction Does Not Exist", false);
		if (leg && leg->state == LEG_TALKING)
			leg_settled(load, leg);
		else
			unexpected(load, "a BYE of nothing", text);
		return;
	case METHOD_REGISTER:
	case METHOD_OTHER:
		respond(load, link, message, NULL, "200 OK", false); // OPTIONS
		return;
	}
}

void calls_tick(struct load *load)
{
	while (answering_first < answering_next) {
		struct leg *leg = &legs[answering[answering_first % LEGS]];
		if (leg->state == LEG_RINGING && leg->answers_us > load->now_us)
			break;
		answering_first++;
		if (leg->state != LEG_RINGING)
			continue;
		leg->state = LEG_ANSWERED;
		respond(load, leg->link, &leg->message, leg, "200 OK", true);
	}
	while (talking_first < talking_next) {
		struct call *call = &calls[talking[talking_first % CALLS] % CALLS];
		if (call->state == CALL_TALKING && call->talks_us > load->now_us)
			break;
		talking_first++;
		if (call->state != CALL_TALKING)
			continue;
		call->talks_us = 0;
		in_dialog_send(load, call, "BYE", 'b');
	}
}
