// Sessions: their life, the requests we send in them, and how they end. Who asks what in a call is the domain's business; here
// the RFC's rules of order are kept: ACK before BYE, one offer at a time, every 2xx acknowledged as often as it comes.
#include "sip/session.h"

#include "base/log.h"
#include "sip/owned.h"
#include "sip/trunk_account.h"
#include "sip/trunk_leg.h"

#include <assert.h>

enum { GIVE_UP_MS = 64 * SIP_T1_MS };

static const char *const state_names[SESSION_STATE_COUNT] = {
    [SESSION_STARTING] = "starting",
    [SESSION_RINGING] = "ringing",
    [SESSION_CANCELLING] = "cancelling",
    [SESSION_ANSWERED] = "answered",
    [SESSION_UP] = "up",
    [SESSION_LEAVING] = "leaving",
    [SESSION_ENDING] = "ending",
    [SESSION_LINGERING] = "lingering",
    [SESSION_OVER] = "over",
};

void session_set_state(struct sip_session *session, enum session_state state)
{
	if (session->state == state)
		return;
	log_debug("session_state", LOG_UINT("session", session->id), LOG_UINT("leg", session->leg),
		  LOG_TEXT("from", state_names[session->state]), LOG_TEXT("to", state_names[state]));
	session->state = state;
}

// ---- life

static void unacknowledged(struct sip_session *session)
{
	struct call_table *calls = session->endpoint->calls;
	uint64_t leg = session->leg;
	log_info("session_unacknowledged", LOG_UINT("session", session->id), LOG_UINT("leg", leg));
	session->leg = 0;
	session_bye(session, &session->dialog, LEG_END_NORMAL, STR_NONE); // RFC 3261 sections 13.3.1.4 and 14.2
	if (leg)
		call_table_unacknowledged(calls, leg);
}

void session_lost_invite(struct sip_session *session)
{
	bool answered = session->repeat_ms != 0;
	session->invite = NULL;
	session->repeat_ms = 0;
	timer_stop(&session->timer);
	if (answered)
		unacknowledged(session);
}

static void repeat_answer(struct sip_session *session)
{
	uint64_t now = loop_now_ms(session->endpoint->loop);
	if (now >= session->give_up_at_ms) {
		unacknowledged(session);
		return;
	}
	sip_server_repeat(session->invite);
	session->repeat_ms = session->repeat_ms * 2 > SIP_T2_MS ? SIP_T2_MS : session->repeat_ms * 2;
	uint64_t left = session->give_up_at_ms - now;
	timer_start(session->endpoint->loop, &session->timer, session->repeat_ms < left ? session->repeat_ms : left);
}

static void session_timer(struct timer *timer)
{
	struct sip_session *session = container_of(timer, struct sip_session, timer);
	if (session->state == SESSION_LINGERING)
		session_free(session);
	else if (session->repeat_ms != 0)
		repeat_answer(session);
	else if (session->reliable.waits)
		reliable_repeat(session);
	else
		invite_server_repeat_progress(session);
}

static void flow_lost(struct loss_watch *watch)
{
	container_of(watch, struct sip_session, watch)->dialog.flow.connection = 0;
}

void session_watch_flow(struct sip_session *session)
{
	uint64_t connection = session->dialog.flow.connection;
	list_remove(&session->watch.node);
	if (connection != 0 && !sip_transport_watch(session->endpoint->transport, connection, &session->watch))
		session->dialog.flow.connection = 0;
}

struct sip_session *session_new(struct sip_endpoint *endpoint, enum session_role role)
{
	struct sip_session *session = pool_take(&endpoint->session_pool);
	if (!session)
		return NULL;
	session->endpoint = endpoint;
	session->role = role;
	dialog_init(&session->dialog);
	list_init(&session->watch.node);
	session->watch.lost = flow_lost;
	list_init(&session->exchanges);
	list_init(&session->early);
	list_init(&session->forks);
	timer_init(&session->timer, session_timer);
	session_timer_init(session);
	session->id = slots_add(endpoint->sessions, session);
	if (session->id != 0)
		return session;
	pool_give(&endpoint->session_pool, session);
	return NULL;
}

bool session_enter(struct sip_session *session)
{
	session_watch_flow(session);
	return hash_insert(session->endpoint->sessions_by_tag, &session->by_tag, hash_str(session->dialog.local_tag));
}

struct sip_session *session_find(const struct sip_endpoint *endpoint, uint64_t id)
{
	return slots_find(endpoint->sessions, id);
}

struct tag_key {
	struct str tag, call_id;
};

static bool same_tag(const struct hash_node *node, const void *key)
{
	const struct sip_session *session = container_of(node, struct sip_session, by_tag);
	const struct tag_key *wanted = key;
	return str_equal(session->dialog.local_tag, wanted->tag) && str_equal(session->dialog.call_id, wanted->call_id);
}

struct sip_session *session_of_tag(const struct sip_endpoint *endpoint, struct str tag, struct str call_id)
{
	struct tag_key key = {tag, call_id};
	struct hash_node *node = hash_find(endpoint->sessions_by_tag, hash_str(tag), same_tag, &key);
	return node ? container_of(node, struct sip_session, by_tag) : NULL;
}

struct sip_session *session_of_request(const struct sip_endpoint *endpoint, const struct sip_message *request)
{
	return session_of_tag(endpoint, request->to_tag, request->call_id);
}

struct sip_session *session_of_response(const struct sip_endpoint *endpoint, const struct sip_message *response)
{
	return session_of_tag(endpoint, response->from_tag, response->call_id);
}

static void drop_exchanges(struct sip_session *session)
{
	list_each (node, following, &session->exchanges)
		exchange_end(container_of(node, struct exchange, node));
}

static void drop_invite(struct sip_session *session)
{
	if (session->invite)
		sip_server_forget(session->invite);
	session->invite = NULL;
	session->repeat_ms = 0;
	timer_stop(&session->timer);
}

void session_free(struct sip_session *session)
{
	struct sip_endpoint *endpoint = session->endpoint;
	session_set_state(session, SESSION_OVER);
	trunk_leg_free(session);
	trunk_account_drop(session);
	session_timer_clear(session);
	reliable_clear(session);
	drop_exchanges(session);
	session_drop_questions(session, 481);
	drop_invite(session);
	early_drop_all(session);
	list_each (node, following, &session->forks) {
		struct sip_dialog *fork = container_of(node, struct sip_dialog, node);
		dialog_clear(fork);
		pool_give(&endpoint->fork_pool, fork);
	}
	if (session->by_tag.hash != 0)
		hash_remove(endpoint->sessions_by_tag, &session->by_tag);
	if (session->by_origin.hash != 0)
		hash_remove(endpoint->sessions_by_origin, &session->by_origin);
	list_remove(&session->watch.node);
	slots_remove(endpoint->sessions, session->id);
	owned_free(&session->authorization);
	owned_free(&session->said);
	dialog_clear(&session->dialog);
	pool_give(&endpoint->session_pool, session);
}

void session_finish(struct sip_session *session)
{
	uint64_t now = loop_now_ms(session->endpoint->loop);
	session->leg = 0;
	if (now >= session->linger_until_ms) {
		session_free(session);
		return;
	}
	// A 2xx repeated, or one of another branch, still has to be acknowledged (RFC 3261 section 13.2.2.4).
	session_set_state(session, SESSION_LINGERING);
	session_timer_clear(session);
	drop_exchanges(session);
	session_drop_questions(session, 481);
	drop_invite(session);
	early_drop_all(session);
	timer_start_about(session->endpoint->loop, &session->timer, session->linger_until_ms - now);
}

struct body session_body(const struct sip_message *message)
{
	struct body body = {.bytes = message->body};
	if (!str_empty(body.bytes))
		body.type = sip_header_value(message, SIP_HEADER_CONTENT_TYPE);
	return body;
}

// ---- acknowledging

// Writes an ACK, a transaction of its own (RFC 3261 section 13.2.2.4).
static bool write_ack(struct sip_session *session, struct sip_dialog *dialog, uint32_t cseq, const struct body *body,
		      struct writer *w)
{
	struct sip_endpoint *endpoint = session->endpoint;
	char branch[SIP_BRANCH_SIZE + 1];
	struct flow flow = session_next_hop(session, dialog);

	sip_branch_new(endpoint->loop, branch);
	struct request_draft draft = {
	    .method = SIP_ACK,
	    .cseq = cseq,
	    .max_forwards = 70,
	    .branch = str_of(branch),
	    .extra = session->authorization, // the INVITE's credentials (RFC 3261 section 22.1)
	    .body_type = body ? body->type : STR_NONE,
	    .body = body ? body->bytes : STR_NONE,
	};
	return dialog_write_request(dialog, endpoint->transport, &flow, &draft, w);
}

static void send_ack(struct sip_session *session, struct sip_dialog *dialog, struct str ack)
{
	struct flow flow = session_next_hop(session, dialog);
	if (!str_empty(ack))
		sip_transport_send(session->endpoint->transport, &flow, ack);
}

void session_acknowledge(struct sip_session *session, struct sip_dialog *dialog, uint32_t cseq, const struct body *body)
{
	char text[DIALOG_REQUEST_MAX];
	struct writer w = writer_into(text, sizeof text);

	if (!write_ack(session, dialog, cseq, body, &w))
		return;
	dialog->ack_cseq = cseq;
	if (body)
		session_note_said(session, body->type, body->bytes);
	if (!owned_set(&dialog->ack, writer_result(&w)))
		owned_free(&dialog->ack); // sent once only, then
	send_ack(session, dialog, writer_result(&w));
	if (dialog != &session->dialog)
		return;
	session->ack_due = false;
	if (session->state == SESSION_ANSWERED && session->role == SESSION_CALLEE)
		session_set_state(session, SESSION_UP);
}

void session_repeat_ack(struct sip_session *session, struct sip_dialog *dialog, uint32_t cseq)
{
	char text[DIALOG_REQUEST_MAX];
	struct writer w = writer_into(text, sizeof text);

	if (cseq == dialog->ack_cseq)
		send_ack(session, dialog, dialog->ack);
	else if (cseq < dialog->ack_cseq && write_ack(session, dialog, cseq, NULL, &w))
		send_ack(session, dialog, writer_result(&w)); // an earlier one was lost; its body is not kept
}

// ---- the end

struct str session_said(const struct sip_message *request, struct writer *w)
{
	struct sip_walk walk = {0};
	struct str value;

	while (sip_value_next(request, SIP_HEADER_REASON, &walk, &value)) {
		if (w->used + value.length + 2 > w->size)
			break;
		writer_text(w, w->used ? ", " : "");
		writer_str(w, value);
	}
	return writer_result(w);
}

// What phones are told, and what carriers are told besides (Q.850; RFC 3326 allows one value for each protocol).
struct str session_reason(const struct sip_session *session, enum leg_end why, struct str said)
{
	bool carrier = session->trunk_id != 0 && !session->is_teams; // Teams reads the SIP cause, written exactly so

	switch (why) {
	case LEG_END_ANSWERED_ELSEWHERE:
		return carrier ? STR("SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26")
			       : STR("SIP;cause=200;text=\"Call completed elsewhere\"");
	case LEG_END_DECLINED_ELSEWHERE:
		return carrier ? STR("SIP;cause=600;text=\"Busy Everywhere\", Q.850;cause=26")
			       : STR("SIP;cause=600;text=\"Busy Everywhere\"");
	case LEG_END_TURN_TIMED_OUT:
	case LEG_END_TOO_LATE:
		return carrier ? STR("SIP;cause=408;text=\"Ring time over\", Q.850;cause=19")
			       : STR("SIP;cause=408;text=\"Ring time over\"");
	case LEG_END_EXPIRED:
		return carrier ? STR("SIP;cause=408;text=\"Session timer expired\", Q.850;cause=102")
			       : STR("SIP;cause=408;text=\"Session timer expired\"");
	case LEG_END_TOO_SOON:
		return STR("Q.850;cause=16;text=\"Answered too soon\"");
	case LEG_END_NORMAL:
	case LEG_END_CALLER_GAVE_UP:
		if (carrier && str_empty(said))
			return STR("Q.850;cause=16");
		break;
	case LEG_END_SERVER:
		if (carrier && str_empty(said))
			return STR("Q.850;cause=31");
		break;
	}
	return said;
}

static void bye_over(struct exchange *exchange)
{
	struct sip_session *session = exchange->session;
	bool all = exchange->dialog == &session->dialog;
	exchange_end(exchange);
	if (all)
		session_finish(session);
}

static void bye_answered(struct exchange *exchange, const struct sip_message *response)
{
	if (response->status >= 200 && !exchange_authorise(exchange, response))
		bye_over(exchange);
}

static void bye_failed(struct exchange *exchange, unsigned status)
{
	(void)status;
	bye_over(exchange);
}

void session_bye(struct sip_session *session, struct sip_dialog *dialog, enum leg_end why, struct str said)
{
	char extra[512];
	struct writer w = writer_into(extra, sizeof extra);
	struct str reason = session_reason(session, why, said);
	bool all = dialog == &session->dialog;

	if (!str_empty(reason)) {
		writer_text(&w, "Reason: ");
		writer_str(&w, reason);
		writer_text(&w, "\r\n");
	}
	if (all) {
		session_timer_clear(session);
		session_drop_questions(session, 487); // RFC 3261 section 15.1.2
		drop_invite(session);
		session_set_state(session, SESSION_ENDING);
	}
	struct exchange_draft draft = {
	    .dialog = dialog,
	    .method = SIP_BYE,
	    .max_forwards = 70,
	    .extra = writer_result(&w),
	    .answered = bye_answered,
	    .failed = bye_failed,
	};
	if (!exchange_start(session, &draft) && all)
		session_finish(session);
}

void session_hang_up(struct sip_session *session, enum leg_end why, struct str said)
{
	session->leg = 0;
	switch (session->state) {
	case SESSION_STARTING:
	case SESSION_RINGING:
		if (session->role == SESSION_CALLEE)
			invite_client_cancel(session, why, said);
		else
			invite_server_refuse(session, &(struct refusal){.status = 480});
		break;
	case SESSION_ANSWERED:
		if (session->role == SESSION_CALLER) {
			// Whoever was called must not say BYE before the ACK is here (RFC 3261 section 15).
			session->end = (int)why;
			(void)owned_set(&session->said, said);
			session_set_state(session, SESSION_LEAVING);
			break;
		}
		session_acknowledge(session, &session->dialog, session->due_cseq, NULL);
		session_bye(session, &session->dialog, why, said);
		break;
	case SESSION_UP:
		if (session->ack_due)
			session_acknowledge(session, &session->dialog, session->due_cseq, NULL);
		session_bye(session, &session->dialog, why, said);
		break;
	case SESSION_CANCELLING:
	case SESSION_LEAVING:
	case SESSION_ENDING:
	case SESSION_LINGERING:
	case SESSION_OVER:
	case SESSION_STATE_COUNT:
		break;
	}
}

// ---- what the domain asks in a call

static const enum sip_method wire_methods[] = {
    [DIALOG_INVITE] = SIP_INVITE,   [DIALOG_UPDATE] = SIP_UPDATE, [DIALOG_INFO] = SIP_INFO,
    [DIALOG_MESSAGE] = SIP_MESSAGE, [DIALOG_REFER] = SIP_REFER,   [DIALOG_NOTIFY] = SIP_NOTIFY,
    [DIALOG_OPTIONS] = SIP_OPTIONS,
};

// The answer, or its absence, goes to the domain. A dialog that the other side does not know, or whose other side is silent, is over
// (RFC 3261 section 12.2.1.2).
static void request_over(struct exchange *exchange, unsigned status, const struct body *body)
{
	struct sip_session *session = exchange->session;
	struct call_table *calls = session->endpoint->calls;
	uint64_t leg = session->leg, token = exchange->token;
	bool dead =
	    session->state == SESSION_UP && (status == 481 || (status == 408 && session_may_offer(exchange->method)));

	exchange_end(exchange);
	if (dead) {
		session->leg = 0;
		session_bye(session, &session->dialog, LEG_END_NORMAL, STR_NONE);
	}
	if (!leg)
		return;
	call_table_replied(calls, leg, token, status, body);
	if (dead)
		call_table_hung_up(calls, leg, STR_NONE);
}

static void request_answered(struct exchange *exchange, const struct sip_message *response)
{
	struct sip_session *session = exchange->session;
	struct body body = session_body(response);
	unsigned status = response->status;
	bool accepted = status < 300;

	if (status < 200 || exchange_authorise(exchange, response))
		return;
	if (accepted && session_may_offer(exchange->method)) {
		dialog_refresh_target(exchange->dialog, response);
		if (exchange->dialog == &session->dialog && session->state == SESSION_UP)
			session_timer_answered(session, response);
	}
	if (accepted && exchange->method == SIP_INVITE) {
		session->ack_due = true;
		session->due_cseq = exchange->cseq;
		if (!session->leg) // our BYE is under way already
			session_acknowledge(session, &session->dialog, exchange->cseq, NULL);
	}
	request_over(exchange, status, &body);
}

static void request_failed(struct exchange *exchange, unsigned status)
{
	request_over(exchange, status, &(struct body){0});
}

bool session_is_negotiating(const struct sip_session *session)
{
	return session_offer(session, &session->dialog) || session_asked_to_answer(session) || session->ack_due ||
	       session->repeat_ms != 0;
}

// An UPDATE before the call is answered goes to where an offer and its answer have been exchanged already (RFC 3311 section 5.1).
static struct sip_dialog *early_dialog(struct sip_session *session)
{
	struct early *early = early_settled(session);

	if (session->state != SESSION_STARTING && session->state != SESSION_RINGING)
		return NULL;
	if (session->role == SESSION_CALLER)
		return session->reliable.settled ? &session->dialog : NULL;
	return early ? early->dialog : NULL;
}

enum err session_request(struct sip_session *session, uint64_t token, const struct dialog_request *request)
{
	enum sip_method method = wire_methods[request->method];
	char extra[512];
	struct writer w = writer_into(extra, sizeof extra);

	struct sip_dialog *dialog = session->state == SESSION_UP ? &session->dialog : NULL;
	if (!dialog && method == SIP_UPDATE)
		dialog = early_dialog(session);
	if (!dialog)
		return session->state <= SESSION_ANSWERED && session->state != SESSION_CANCELLING ? ERR_REQUEST_PENDING
												  : ERR_NO_SUCH_CALL;
	if (method == SIP_REFER || method == SIP_NOTIFY)
		return ERR_METHOD_NOT_ALLOWED;
	// One offer at a time, either way (RFC 3261 section 14.1, RFC 3311 section 5.1).
	if (session_may_offer(method) && (session_offer(session, dialog) || session_asked_to_answer(session)))
		return ERR_REQUEST_PENDING;
	if (session_may_offer(method) && dialog == &session->dialog && session_is_negotiating(session))
		return ERR_REQUEST_PENDING;
	if (session_may_offer(method))
		writer_text(&w, SIP_ALLOW_LINE SIP_SUPPORTED_LINE);
	if (method == SIP_INFO && !str_empty(request->info_package)) {
		writer_text(&w, "Info-Package: ");
		writer_str(&w, request->info_package);
		writer_text(&w, "\r\nContent-Disposition: Info-Package\r\n"); // RFC 6086 section 4.2
	}
	struct exchange_draft draft = {
	    .dialog = dialog,
	    .method = method,
	    .max_forwards = 70,
	    .token = token,
	    .extra = writer_result(&w),
	    .body = request->body,
	    .answered = request_answered,
	    .failed = request_failed,
	};
	if (w.overflow)
		return ERR_TOO_LARGE;
	return exchange_start(session, &draft) ? ERR_NONE : ERR_NO_MEMORY;
}
