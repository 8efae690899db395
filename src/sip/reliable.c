// Reliable provisional answers to a caller (RFC 3262): numbered, repeated until the PRACK is here, one at a time. Nothing
// that is said meanwhile is lost, and no 2xx overtakes a session description.
#include "base/log.h"
#include "sip/owned.h"
#include "sip/session.h"

enum { RSEQ_FIRST_MAX = 0x7fffffff };

void reliable_clear(struct sip_session *session)
{
	owned_free(&session->reliable.sdp);
	owned_free(&session->reliable.held_type);
	owned_free(&session->reliable.held_body);
	session->reliable.held_status = 0;
	session->reliable.waits = false;
}

// What is only rung is worth no PRACK, unless the caller insists.
bool reliable_wanted(const struct sip_session *session, const struct body *body)
{
	const struct reliable *reliable = &session->reliable;
	return reliable->required || (reliable->supported && !str_empty(body->bytes));
}

void reliable_begin(struct sip_session *session, const struct body *body, struct writer *extra)
{
	struct reliable *reliable = &session->reliable;
	struct loop *loop = session->endpoint->loop;

	// The first is anything from 1 to 2^31 - 1 (RFC 3262 section 3).
	reliable->rseq = reliable->rseq ? reliable->rseq + 1 : (uint32_t)(1 + loop_random_uint(loop) % RSEQ_FIRST_MAX);
	reliable->waits = true;
	reliable->has_sdp = !str_empty(body->bytes);
	reliable->offered = reliable->has_sdp && !session->offered && !reliable->settled;
	if (reliable->has_sdp)
		(void)owned_set(&reliable->sdp, body->bytes);
	reliable->repeat_ms = SIP_T1_MS;
	reliable->give_up_at_ms = loop_now_ms(loop) + 64 * SIP_T1_MS;
	writer_format(extra, "Require: 100rel\r\nRSeq: %u\r\n", reliable->rseq);
	timer_start(loop, &session->timer, SIP_T1_MS);
}

// 64*T1 without a PRACK: the INVITE is refused (RFC 3262 section 3), and the domain has lost its caller.
static void give_up(struct sip_session *session)
{
	struct call_table *calls = session->endpoint->calls;
	uint64_t leg = session->leg;

	log_info("session_without_prack", LOG_UINT("session", session->id), LOG_UINT("leg", leg));
	invite_server_refuse(session, &(struct refusal){.status = 504});
	if (leg)
		call_table_unacknowledged(calls, leg);
}

void reliable_repeat(struct sip_session *session)
{
	struct reliable *reliable = &session->reliable;
	uint64_t now = loop_now_ms(session->endpoint->loop);

	if (now >= reliable->give_up_at_ms) {
		give_up(session);
		return;
	}
	sip_server_repeat(session->invite);
	reliable->repeat_ms *= 2;
	uint64_t left = reliable->give_up_at_ms - now;
	timer_start(session->endpoint->loop, &session->timer, reliable->repeat_ms < left ? reliable->repeat_ms : left);
}

bool reliable_hold(struct sip_session *session, unsigned status, const struct body *body)
{
	struct reliable *reliable = &session->reliable;
	bool answer = status >= 200;

	// A 2xx waits for a session description alone; from then on the PRACK may come or not.
	if (!reliable->waits || (answer && !reliable->has_sdp))
		return false;
	// A description that waits already is worth more than another ringing.
	if (!answer && str_empty(body->bytes) && !str_empty(reliable->held_body))
		return true;
	if (!owned_set(&reliable->held_type, body->type) || !owned_set(&reliable->held_body, body->bytes))
		return false;
	reliable->held_status = status;
	return true;
}

static void say_held(struct sip_session *session)
{
	struct reliable *reliable = &session->reliable;
	struct str type = reliable->held_type, bytes = reliable->held_body;
	unsigned status = reliable->held_status;
	struct body body = {.type = type, .bytes = bytes};

	reliable->held_type = reliable->held_body = STR_NONE;
	reliable->held_status = 0;
	if (status >= 200)
		invite_server_accept(session, &body);
	else if (status)
		invite_server_progress(session, status, &body);
	owned_free(&type);
	owned_free(&bytes);
}

// RAck: the RSeq, then the INVITE's CSeq.
static bool names_the_last(const struct sip_session *session, const struct sip_message *prack)
{
	struct str rest = str_trim(sip_header_value(prack, SIP_HEADER_RACK)), piece;
	uint64_t rseq, cseq;

	if (!str_take(&rest, ' ', &piece) || !str_to_uint(piece, UINT32_MAX, &rseq))
		return false;
	rest = str_trim(rest);
	if (!str_take(&rest, ' ', &piece) || !str_to_uint(piece, UINT32_MAX, &cseq))
		return false;
	return session->reliable.waits && rseq == session->reliable.rseq && cseq == session->invite_cseq &&
	       str_equal(str_trim(rest), STR("INVITE"));
}

void reliable_receive_prack(struct sip_session *session, const struct flow *from, const struct sip_message *prack)
{
	struct reliable *reliable = &session->reliable;
	struct sip_endpoint *endpoint = session->endpoint;
	struct body body = session_body(prack);
	uint64_t id = session->id;
	bool answers = reliable->offered;

	if (session->role != SESSION_CALLER || !names_the_last(session, prack)) {
		sip_endpoint_answer_once(endpoint, from, prack, 481, STR_NONE);
		return;
	}
	if (answers && str_empty(body.bytes)) { // RFC 3262 section 5
		sip_endpoint_answer_once(endpoint, from, prack, 400, STR_NONE);
		return;
	}
	bool asks = !answers && !str_empty(body.bytes) && session->leg;
	if (!asks)
		sip_endpoint_answer_once(endpoint, from, prack, 200, STR_NONE);
	reliable->waits = reliable->offered = false;
	reliable->settled |= reliable->has_sdp;
	if (session->repeat_ms == 0)
		timer_start(endpoint->loop, &session->timer, PROGRESS_AGAIN_MS);
	if (asks) // an offer of its own, which the other side answers
		session_ask_domain(session, from, prack, DIALOG_UPDATE);
	else if (answers && session->leg)
		call_table_early_answered(endpoint->calls, session->leg, &body);
	session = session_find(endpoint, id);
	if (session)
		say_held(session);
}
