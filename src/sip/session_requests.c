// What the other side asks within a call: ACK, BYE, and what the domain carries over to the other leg (re-INVITE, UPDATE, INFO,
// MESSAGE). Glare and order are settled here as RFC 3261 section 14.2, RFC 3311 section 5.2 and RFC 5407 say.
#include "sip/owned.h"
#include "sip/refer.h"
#include "sip/rules.h"
#include "sip/session.h"

enum { RETRY_AFTER_MAX_S = 10, SAID_MAX = 300 };

static void refuse(struct sip_session *session, const struct flow *from, const struct sip_message *request,
		   unsigned status)
{
	sip_endpoint_answer_once(session->endpoint, from, request, status,
				 status == 405 ? STR(SIP_ALLOW_LINE) : STR_NONE);
}

static unsigned retry_after_s(const struct sip_session *session)
{
	return (unsigned)(loop_random_uint(session->endpoint->loop) % (RETRY_AFTER_MAX_S + 1));
}

// "Ask again in a moment", where the RFC wants a random time with the 500.
static void refuse_for_now(struct sip_session *session, const struct flow *from, const struct sip_message *request)
{
	char extra[64];
	struct writer w = writer_into(extra, sizeof extra);
	writer_format(&w, "Retry-After: %u\r\n", retry_after_s(session));
	sip_endpoint_answer_once(session->endpoint, from, request, 500, writer_result(&w));
}

// ---- answering

// The lines that go with a 2xx to INVITE and UPDATE.
static struct str answer_lines(struct sip_session *session, enum sip_method method, struct writer *w)
{
	if (session_may_offer(method)) {
		dialog_write_contact(&session->dialog, session->endpoint->transport, &session->dialog.flow, w);
		writer_text(w, SIP_ALLOW_LINE SIP_SUPPORTED_LINE);
		if (session->state == SESSION_ANSWERED || session->state == SESSION_UP) // not while it still rings
			session_timer_accept(session, w);
	} else if (method == SIP_REFER) { // RFC 3515 section 2.2
		dialog_write_contact(&session->dialog, session->endpoint->transport, &session->dialog.flow, w);
	}
	return writer_result(w);
}

bool session_answer_invite(struct sip_session *session, struct sip_server_transaction *invite, uint32_t cseq,
			   const struct body *body)
{
	char extra[1024];
	struct writer w = writer_into(extra, sizeof extra);
	struct sip_response response = {
	    .status = 200,
	    .to_tag = session->dialog.local_tag,
	    .extra = answer_lines(session, SIP_INVITE, &w),
	    .body_type = body->type,
	    .body = body->bytes,
	};
	if (w.overflow || sip_server_respond(invite, &response) != 0)
		return false;
	session_note_said(session, body->type, body->bytes);
	session->invite = invite;
	session->answered_cseq = cseq;
	session->repeat_ms = SIP_T1_MS;
	session->give_up_at_ms = loop_now_ms(session->endpoint->loop) + 64 * SIP_T1_MS;
	timer_start(session->endpoint->loop, &session->timer, SIP_T1_MS);
	return true;
}

void session_cannot_answer(struct sip_session *session)
{
	session->repeat_ms = SIP_T1_MS;
	session->give_up_at_ms = loop_now_ms(session->endpoint->loop);
	timer_start(session->endpoint->loop, &session->timer, 1);
}

static struct question *question_find(struct sip_session *session, uint64_t id)
{
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		if (session->questions[i].transaction && session->questions[i].id == id)
			return &session->questions[i];
	return NULL;
}

// A question is over once it has a final answer.
static void question_close(struct question *question)
{
	sip_server_forget(question->transaction);
	*question = (struct question){0};
}

static void question_answer(struct sip_session *session, struct question *question, unsigned status,
			    const struct body *body)
{
	char extra[1024];
	struct writer w = writer_into(extra, sizeof extra);
	struct sip_response response = {
	    .status = status,
	    .to_tag = session->dialog.local_tag,
	    .body_type = body->type,
	    .body = body->bytes,
	};
	if (status >= 200 && status < 300) {
		response.extra = answer_lines(session, question->method, &w);
		session_note_said(session, body->type, body->bytes);
	} else if (status == 500 && question->offers) {
		writer_format(&w, "Retry-After: %u\r\n", retry_after_s(session));
		response.extra = writer_result(&w);
	}
	if (status == 202 && question->silent) { // RFC 4488 section 4
		writer_text(&w, "Refer-Sub: false\r\n");
		response.extra = writer_result(&w);
	}
	if (sip_server_respond(question->transaction, &response) != 0 && status >= 200)
		sip_server_respond(question->transaction, &(struct sip_response){.status = 500});
	struct question answered = *question;
	if (status >= 200)
		question_close(question);
	if (status == 202 && answered.method == SIP_REFER)
		refer_accepted(session, &answered);
}

void session_reply(struct sip_session *session, uint64_t id, unsigned status, const struct body *body)
{
	struct question *question = question_find(session, id);
	if (!question)
		return;
	// The other leg's quarrel about passwords is not this one's.
	if (status == 401 || status == 407)
		status = 500;
	if (question->method == SIP_INVITE && status >= 200 && status < 300 &&
	    session_answer_invite(session, question->transaction, question->cseq, body))
		*question = (struct question){0};
	else
		question_answer(session, question, status, body);
}

void session_drop_questions(struct sip_session *session, unsigned status)
{
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		if (session->questions[i].transaction)
			question_answer(session, &session->questions[i], status, &(struct body){0});
}

// ---- what the transaction layer tells

static void cancelled(void *user, struct sip_server_transaction *transaction, const struct sip_message *cancel)
{
	struct sip_session *session = user;
	char text[SAID_MAX];
	struct writer w = writer_into(text, sizeof text);
	// A re-INVITE is answered soon in any case and its CANCEL changes nothing: the other leg's answer could no longer be
	// taken back. Only the call itself is given up.
	if (transaction == session->invite && session->repeat_ms == 0 && session->leg)
		call_table_cancelled(session->endpoint->calls, session->leg, session_said(cancel, &w));
}

static void ended(void *user, struct sip_server_transaction *transaction)
{
	struct sip_session *session = user;
	if (transaction == session->invite)
		session_lost_invite(session);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		if (session->questions[i].transaction == transaction)
			session->questions[i] = (struct question){0};
}

const struct sip_server_handlers session_server_handlers = {.cancelled = cancelled, .ended = ended};

// ---- ACK and BYE

static void receive_ack(struct sip_session *session, const struct sip_message *ack)
{
	struct body body = session_body(ack);
	if (session->repeat_ms == 0 || ack->cseq != session->answered_cseq)
		return;
	sip_server_forget(session->invite);
	session->invite = NULL;
	session->repeat_ms = 0;
	timer_stop(&session->timer);
	if (session->state == SESSION_LEAVING) {
		session_bye(session, &session->dialog, (enum leg_end)session->end, session->said);
		return;
	}
	if (session->state == SESSION_ANSWERED)
		session_set_state(session, SESSION_UP);
	uint64_t id = session->id;
	struct sip_endpoint *endpoint = session->endpoint;
	if (session->leg)
		call_table_acknowledged(endpoint->calls, session->leg, &body);
	session = session_find(endpoint, id);
	if (session && session->clock.restate_due)
		session_restate(session);
}

static void hung_up(struct sip_session *session, const struct sip_message *bye)
{
	char text[SAID_MAX];
	struct writer w = writer_into(text, sizeof text);
	struct call_table *calls = session->endpoint->calls;
	uint64_t leg = session->leg;
	session_drop_questions(session, 487); // RFC 3261 section 15.1.2
	session_finish(session);
	if (leg)
		call_table_hung_up(calls, leg, session_said(bye, &w));
}

static void receive_bye(struct sip_session *session, const struct flow *from, const struct sip_message *bye)
{
	char text[SAID_MAX];
	struct writer w = writer_into(text, sizeof text);

	sip_endpoint_answer_once(session->endpoint, from, bye, 200, STR_NONE);
	switch (session->state) {
	case SESSION_STARTING:
	case SESSION_RINGING:
	case SESSION_CANCELLING:
		// A caller may end an early dialog so (RFC 3261 section 15).
		if (session->leg)
			call_table_cancelled(session->endpoint->calls, session->leg, session_said(bye, &w));
		break;
	case SESSION_ANSWERED:
		if (session->role == SESSION_CALLEE)
			session_acknowledge(session, &session->dialog, session->due_cseq, NULL);
		hung_up(session, bye);
		break;
	case SESSION_UP:
	case SESSION_LEAVING:
		hung_up(session, bye);
		break;
	case SESSION_ENDING: // crossed ours, which still waits for its answer
	case SESSION_LINGERING:
	case SESSION_OVER:
	case SESSION_STATE_COUNT:
		break;
	}
}

// ---- what the domain answers

bool session_asked_to_answer(const struct sip_session *session)
{
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		if (session->questions[i].transaction && session->questions[i].offers)
			return true;
	return false;
}

// Whether an UPDATE may come before the call is answered: an offer and its answer must have been exchanged reliably
// (RFC 3311 section 5.1). `early` is the callee's branch that it comes from.
static bool takes_early_update(const struct sip_session *session, const struct early *early, enum sip_method method)
{
	if (method != SIP_UPDATE || session->state == SESSION_CANCELLING)
		return false;
	return session->role == SESSION_CALLER ? session->reliable.settled : early && early->settled;
}

// The status that refuses this request now, 0 when it may be asked. 500 stands for "in a moment".
static unsigned not_now(const struct sip_session *session, const struct early *early, const struct sip_message *request)
{
	enum sip_method method = request->method;
	bool up = session->state == SESSION_UP || session->state == SESSION_ANSWERED;
	const struct sip_dialog *dialog = early ? early->dialog : &session->dialog;
	if (session->state == SESSION_LEAVING || session->state == SESSION_ENDING ||
	    session->state == SESSION_LINGERING || session->state == SESSION_OVER)
		return 481;
	if (!session_may_offer(method))
		return up ? 0 : 480;
	if (method == SIP_UPDATE && str_empty(request->body)) // it offers nothing (RFC 3311 section 5.2)
		return 0;
	if (!up && !takes_early_update(session, early, method))
		// Their first INVITE is not answered yet (RFC 3261 section 14.2); our first INVITE is not (RFC 3311 section 5.2).
		return session->role == SESSION_CALLER ? 500 : 491;
	// An offer of ours is open, or the ACK that closes the one before is still on its way (RFC 5407 section 3.1.4).
	if (session->state == SESSION_ANSWERED || session->repeat_ms != 0 || session->ack_due ||
	    (dialog && session_offer(session, dialog)) || session->reliable.waits)
		return 491;
	return session_asked_to_answer(session) ? 500 : 0;
}

static const struct {
	enum sip_method wire;
	enum dialog_method method;
} askable[] = {
    {SIP_INVITE, DIALOG_INVITE},   {SIP_UPDATE, DIALOG_UPDATE}, {SIP_INFO, DIALOG_INFO},
    {SIP_MESSAGE, DIALOG_MESSAGE}, {SIP_REFER, DIALOG_REFER},   {SIP_NOTIFY, DIALOG_NOTIFY},
};

void session_ask_domain(struct sip_session *session, const struct flow *from, const struct sip_message *request,
			enum dialog_method method)
{
	struct question *question = NULL;
	struct refer_texts texts;
	struct dialog_request asked = {
	    .method = method,
	    .body = session_body(request),
	    .info_package = sip_header_value(request, SIP_HEADER_INFO_PACKAGE),
	};
	unsigned status = method == DIALOG_REFER ? refer_read(session, request, &texts, &asked) : 0;
	if (status) {
		refuse(session, from, request, status);
		return;
	}
	for (unsigned i = 0; i < QUESTIONS_MAX && !question; i++)
		if (!session->questions[i].transaction)
			question = &session->questions[i];
	if (!question) {
		refuse_for_now(session, from, request);
		return;
	}
	question->transaction =
	    sip_server_start(session->endpoint->transactions, from, request, &session_server_handlers, session);
	if (!question->transaction) {
		refuse(session, from, request, 503);
		return;
	}
	question->id = ++session->last_question;
	question->method = request->method;
	question->cseq = request->cseq;
	question->silent = method == DIALOG_REFER && refer_is_silent(request);
	question->offers = session_may_offer(request->method) || request->method == SIP_PRACK;
	call_table_requested(session->endpoint->calls, session->leg, question->id, &asked);
}

// It says no more than that the other side is there and where: nobody else has to hear of it (RFC 3311 section 5.2).
static void answer_refresh(struct sip_session *session, const struct flow *from, const struct sip_message *update)
{
	char extra[1024];
	struct writer w = writer_into(extra, sizeof extra);
	struct sip_server_transaction *transaction =
	    sip_server_start(session->endpoint->transactions, from, update, NULL, NULL);
	if (!transaction) {
		refuse(session, from, update, 503);
		return;
	}
	struct sip_response response = {.status = 200, .extra = answer_lines(session, SIP_UPDATE, &w)};
	sip_server_respond(transaction, &response);
	sip_server_forget(transaction);
}

// An INVITE or UPDATE that may be asked: it moves the target, and says what it wants of the session timer.
static bool receive_offer(struct sip_session *session, struct early *early, const struct flow *from,
			  const struct sip_message *request)
{
	char extra[64];
	struct writer w = writer_into(extra, sizeof extra);
	unsigned status = session_timer_check(session->endpoint, request, &w);
	if (status) {
		sip_endpoint_answer_once(session->endpoint, from, request, status, writer_result(&w));
		return false;
	}
	dialog_refresh_target(early && early->dialog ? early->dialog : &session->dialog, request);
	if (!early && dialog_refresh_flow(&session->dialog, from))
		session_watch_flow(session);
	session_timer_asked(session, request);
	if (request->method != SIP_UPDATE || !str_empty(request->body))
		return true;
	answer_refresh(session, from, request);
	return false;
}

static void receive_other(struct sip_session *session, struct early *early, const struct flow *from,
			  const struct sip_message *request)
{
	for (size_t i = 0; i < sizeof askable / sizeof *askable; i++) {
		if (askable[i].wire != request->method)
			continue;
		unsigned status = not_now(session, early, request);
		if (status == 500)
			refuse_for_now(session, from, request);
		else if (status || !session->leg)
			refuse(session, from, request, status ? status : 481);
		else if (!session_may_offer(request->method) || receive_offer(session, early, from, request))
			session_ask_domain(session, from, request, askable[i].method);
		return;
	}
	refuse(session, from, request, 405);
}

// ---- finding the dialog

enum matched { MATCHED_NONE, MATCHED_DIALOG, MATCHED_EARLY, MATCHED_FORK };

static bool settled(const struct sip_session *session)
{
	return session->role == SESSION_CALLER ||
	       (session->state != SESSION_STARTING && session->state != SESSION_RINGING &&
		session->state != SESSION_CANCELLING);
}

static enum matched match(struct sip_session *session, const struct sip_message *request, struct early **early)
{
	if (settled(session) && dialog_matches(&session->dialog, request))
		return MATCHED_DIALOG;
	*early = early_find(session, request->from_tag);
	if (*early)
		return MATCHED_EARLY;
	list_each (node, following, &session->forks) {
		if (dialog_matches(container_of(node, struct sip_dialog, node), request))
			return MATCHED_FORK;
	}
	return MATCHED_NONE;
}

static bool in_order(struct sip_session *session, struct early *early, const struct sip_message *request)
{
	if (!early)
		return dialog_in_order(&session->dialog, request);
	if (early->remote_cseq_known && request->cseq <= early->remote_cseq)
		return false;
	early->remote_cseq = request->cseq;
	early->remote_cseq_known = true;
	return true;
}

// From an address that the dialog does not know, only its own device's password or its own trunk's address is good enough.
static bool trusted(struct sip_session *session, const struct flow *from, const struct sip_message *request)
{
	struct identity who;
	if (dialog_flow_plausible(&session->dialog, from))
		return true;
	if (request->method == SIP_ACK)
		return false; // cannot be answered, let alone challenged
	if (!identity_establish(session->endpoint, from, request, TRUST_DEVICES_AND_TRUNKS, &who))
		return false;
	if (who.kind == IDENTITY_DEVICE ? who.id == session->device_id : who.id == session->trunk_id) {
		session->dialog.flow = *from; // it has moved
		session->dialog.pinned = who.kind == IDENTITY_DEVICE;
		session_watch_flow(session);
		return true;
	}
	refuse(session, from, request, 403);
	return false;
}

void session_receive(struct sip_session *session, const struct flow *from, const struct sip_message *request)
{
	char extra[1024];
	struct writer w = writer_into(extra, sizeof extra);
	struct early *early = NULL;
	enum matched matched = match(session, request, &early);
	bool ack = request->method == SIP_ACK, bye = request->method == SIP_BYE;

	// Whoever only rings may not say BYE (RFC 3261 section 15); a further branch that answered may say nothing else.
	if (matched == MATCHED_NONE || (matched == MATCHED_FORK && !bye) || (matched == MATCHED_EARLY && bye)) {
		sip_endpoint_answer(session->endpoint, from, request, 481, STR_NONE);
		return;
	}
	if (!trusted(session, from, request))
		return;
	if (ack) {
		receive_ack(session, request);
		return;
	}
	if (matched == MATCHED_FORK) {
		refuse(session, from, request, 200); // our own BYE to it is under way
		return;
	}
	if (!in_order(session, early, request)) {
		refuse(session, from, request, 500); // RFC 3261 section 12.2.2
		return;
	}
	unsigned status = rules_check_in_dialog(request, &w);
	if (status)
		sip_endpoint_answer_once(session->endpoint, from, request, status, writer_result(&w));
	else if (bye)
		receive_bye(session, from, request);
	else if (request->method == SIP_OPTIONS)
		sip_endpoint_answer_once(session->endpoint, from, request, 200, STR(SIP_ALLOW_LINE SIP_ACCEPT_LINE));
	else if (request->method == SIP_PRACK)
		reliable_receive_prack(session, from, request);
	else
		receive_other(session, early, from, request);
}
