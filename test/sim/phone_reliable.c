// Reliable provisional responses (RFC 3262), on either side of a simulated phone's call.
#include "sim/phone_extensions.h"

#include "sim/plane.h"

#include <stdio.h>
#include <string.h>

enum { T1_MS = 500, GIVE_UP_MS = 32000 };

static uint64_t number_in(const struct sip_message *message, enum sip_header_name name)
{
	uint64_t number = 0;
	const struct str value = sip_header_value(message, name);
	return str_to_uint(str_trim(str_first(value, str_index(value, ' '))), UINT32_MAX, &number) ? number : 0;
}

// ---- a caller

void phone_reliable_heard(struct phone_call *call, const struct sip_message *response)
{
	const uint64_t rseq = number_in(response, SIP_HEADER_RSEQ);
	char extra[PHONE_LINES_MAX];
	if (!sip_list_has(response, SIP_HEADER_REQUIRE, STR("100rel")))
		return;
	if (!call->manner.reliable)
		phone_complain(call->phone, call, "a reliable response that nobody asked for");
	if (rseq == 0)
		phone_complain(call->phone, call, "a reliable response without RSeq");
	// Section 4: a repetition has its PRACK, and what is out of order is not taken.
	if (call->rseq && rseq != call->rseq + 1)
		return;
	call->rseq = rseq;
	phone_call_learn_target(call, response);
	phone_call_hear_sdp(call, response);
	snprintf(extra, sizeof extra, "RAck: %llu %u INVITE\r\n", (unsigned long long)rseq, response->cseq);
	const struct request_head head = phone_call_head(call, SIP_PRACK, ++call->cseq);
	request_send(call->phone, &head,
		     &(struct request_settings){.call = call, .extra = extra, .done = phone_call_nothing_more});
}

// ---- a callee

void phone_reliable_invited(struct phone_call *call, const struct sip_message *invite)
{
	const bool supported = sip_list_has(invite, SIP_HEADER_SUPPORTED, STR("100rel"));
	call->manner.reliable &= supported && call->offered;
	if (!call->manner.reliable)
		return;
	call->manner.ring_tags = 1;
	call->manner.answers_twice = false;
	call->rseq = 1 + phone_chance(call->phone, 1000000);
}

bool phone_reliable_waits(const struct phone_call *call)
{
	return call->unpracked_ms != 0;
}

const char *phone_reliable_lines(struct phone_call *call, bool media, char lines[PHONE_LINES_MAX])
{
	lines[0] = '\0';
	if (!call->manner.reliable)
		return lines;
	snprintf(lines, PHONE_LINES_MAX, "Require: 100rel\r\nRSeq: %llu\r\n", (unsigned long long)++call->rseq);
	call->unpracked_ms = phone_call_now(call);
	call->answered_early |= media;
	call->repeat_ms = T1_MS;
	timer_start(phone_loop(call->phone), &call->reliable_timer, T1_MS);
	return lines;
}

static void repeat(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, reliable_timer);
	struct answer *answer = call->invite_answer;
	if (!answer || !call->unpracked_ms || call->vanished)
		return;
	if (phone_call_now(call) >= call->unpracked_ms + GIVE_UP_MS) {
		if (plane_is_orderly(call->phone->plane) && !call->cancelled_ms)
			phone_complain(call->phone, call, "a reliable response without PRACK");
		call->unpracked_ms = 0; // section 3: the INVITE should be refused
		phone_callee_refuse(call, 504);
		return;
	}
	phone_send(call->phone, answer->wire, (struct str){answer->bytes, answer->size});
	call->repeat_ms *= 2;
	timer_start(phone_loop(call->phone), timer, call->repeat_ms);
}

void phone_reliable_init(struct phone_call *call)
{
	timer_init(&call->reliable_timer, repeat);
}

static struct phone_call *call_of_prack(struct phone *phone, const struct sip_message *prack)
{
	list_each (node, following, &phone->calls) {
		struct phone_call *call = container_of(node, struct phone_call, node);
		if (call->incoming && str_equal(prack->call_id, str_of(call->call_id)) &&
		    str_equal(prack->from_tag, str_of(call->remote_tag)))
			return call;
	}
	return NULL;
}

void phone_reliable_pracked(struct phone *phone, struct answer *answer, const struct sip_message *prack)
{
	struct phone_call *call = call_of_prack(phone, prack);
	const bool right = call && number_in(prack, SIP_HEADER_RACK) == call->rseq;
	if (!call) {
		phone_call_refuse(answer, 481);
		return;
	}
	if (!right)
		phone_complain(phone, call, "a PRACK for another response");
	if (prack->cseq <= call->remote_cseq && plane_is_orderly(phone->plane))
		phone_complain(phone, call, "a PRACK whose CSeq does not grow");
	call->remote_cseq = prack->cseq;
	call->unpracked_ms = 0;
	timer_stop(&call->reliable_timer);
	answer_send(answer, &(struct answer_settings){.status = 200});
}
