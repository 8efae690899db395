// The branches of an INVITE of ours before one of them answers: each early dialog by its tag, its reliable answers (RFC 3262)
// with a PRACK each, in order.
#include "domain/sdp.h"
#include "sip/owned.h"
#include "sip/session.h"

struct early *early_find(const struct sip_session *session, struct str tag)
{
	list_each (node, following, &session->early) {
		struct early *early = container_of(node, struct early, node);
		if (str_equal(early->tag, tag))
			return early;
	}
	return NULL;
}

struct early *early_settled(const struct sip_session *session)
{
	list_each (node, following, &session->early) {
		struct early *early = container_of(node, struct early, node);
		if (early->settled)
			return early;
	}
	return NULL;
}

// ---- beginning and end

// NULL: its requests get 481, its reliable answers no PRACK; its final answer is still taken.
static struct early *early_new(struct sip_session *session, struct str tag)
{
	unsigned count = 0;
	list_each (node, following, &session->early)
		count++;
	struct early *early = count < EARLY_MAX ? pool_take(&session->endpoint->early_pool) : NULL;
	if (!early)
		return NULL;
	if (!owned_set(&early->tag, tag)) {
		pool_give(&session->endpoint->early_pool, early);
		return NULL;
	}
	list_append(&session->early, &early->node);
	return early;
}

// What is under way in a branch that is over. Its transaction runs to its end alone.
static void drop_requests(struct sip_session *session, const struct early *early)
{
	list_each (node, following, &session->exchanges) {
		struct exchange *exchange = container_of(node, struct exchange, node);
		if (exchange->dialog != early->dialog)
			continue;
		if (exchange->transaction)
			sip_client_forget(exchange->transaction);
		exchange->transaction = NULL;
		exchange->dialog = &session->dialog;
		exchange->failed(exchange, 500);
	}
}

static void early_free(struct sip_session *session, struct early *early)
{
	if (early->dialog) {
		drop_requests(session, early);
		dialog_clear(early->dialog);
		pool_give(&session->endpoint->fork_pool, early->dialog);
	}
	list_remove(&early->node);
	owned_free(&early->sdp);
	owned_free(&early->sdp_type);
	owned_free(&early->tag);
	pool_give(&session->endpoint->early_pool, early);
}

void early_drop_all(struct sip_session *session)
{
	list_each (node, following, &session->early)
		early_free(session, container_of(node, struct early, node));
}

struct body early_win(struct sip_session *session, const struct sip_message *response)
{
	struct early *early = early_find(session, response->to_tag);
	struct body said = {0};

	if (!early)
		return said;
	session->dialog.remote_cseq = early->remote_cseq;
	session->dialog.remote_cseq_known = early->remote_cseq_known;
	if (!early->dialog)
		return said;
	session->dialog.local_cseq = early->dialog->local_cseq;
	list_each (node, following, &session->exchanges) {
		struct exchange *exchange = container_of(node, struct exchange, node);
		if (exchange->dialog == early->dialog)
			exchange->dialog = &session->dialog;
	}
	said = (struct body){.type = early->sdp_type, .bytes = early->sdp};
	early->sdp_type = early->sdp = STR_NONE;
	return said;
}

// ---- PRACK

static void prack_answered(struct exchange *exchange, const struct sip_message *response)
{
	if (response->status >= 200 && !exchange_authorise(exchange, response))
		exchange_end(exchange);
}

static void prack_failed(struct exchange *exchange, unsigned status)
{
	(void)status;
	exchange_end(exchange); // the other side gives up by itself (RFC 3262 section 3)
}

static void send_prack(struct sip_session *session, struct early *early, const struct body *body)
{
	char extra[64];
	struct writer w = writer_into(extra, sizeof extra);
	struct exchange_draft draft = {
	    .dialog = early->dialog,
	    .method = SIP_PRACK,
	    .max_forwards = 70,
	    .body = *body,
	    .answered = prack_answered,
	    .failed = prack_failed,
	};

	writer_format(&w, "RAck: %u %u INVITE\r\n", early->rseq, session->invite_cseq);
	draft.extra = writer_result(&w);
	exchange_start(session, &draft);
}

static bool is_reliable(const struct sip_session *session, const struct sip_message *response, uint32_t *rseq)
{
	uint64_t number;

	if (!session->offers_reliable || !sip_list_has(response, SIP_HEADER_REQUIRE, STR("100rel")) ||
	    !str_to_uint(str_trim(sip_header_value(response, SIP_HEADER_RSEQ)), UINT32_MAX, &number) || number == 0)
		return false;
	*rseq = (uint32_t)number;
	return true;
}

// A dialog of its own, since its requests have a target, a route and numbers of their own.
static bool early_open(struct sip_session *session, struct early *early, const struct sip_message *response)
{
	if (early->dialog)
		return true;
	early->dialog = pool_take(&session->endpoint->fork_pool);
	if (!early->dialog)
		return false;
	if (dialog_fork(early->dialog, &session->dialog, response))
		return true;
	dialog_clear(early->dialog);
	pool_give(&session->endpoint->fork_pool, early->dialog);
	early->dialog = NULL;
	return false;
}

// Whether the answer to one offer is one to another, too.
static bool answers(struct str answer, struct str offer)
{
	struct sdp ours, theirs;
	struct sdp_fault fault;

	if (!sdp_read(answer, &ours, &fault) || !sdp_read(offer, &theirs, &fault) ||
	    ours.media_count != theirs.media_count)
		return false;
	for (size_t i = 0; i < ours.media_count; i++)
		if (!str_equal(ours.media[i].type, theirs.media[i].type))
			return false;
	return true;
}

// The caller has answered one branch's offer. What he said goes to the others that make one, so that each gets its PRACK; should
// one of them answer the call, he hears of its offer then.
static void answer_offer(struct sip_session *session, struct early *early)
{
	const struct body said = {.type = session->clock.said_type, .bytes = session->clock.said};

	if (!early->answer_due || !answers(said.bytes, early->sdp))
		return;
	early->answer_due = false;
	early->settled = true;
	send_prack(session, early, &said);
}

// RFC 3262 section 4: the first may have any number, each further one the next; all others are as if they had never come.
static bool early_heard_reliable(struct sip_session *session, struct early *early, const struct sip_message *response,
				 uint32_t rseq)
{
	bool sdp = !str_empty(response->body);

	if (early->rseq != 0 && rseq != early->rseq + 1)
		return false;
	if (!early_open(session, early, response))
		return false; // it comes again
	early->rseq = rseq;
	session->invite_cseq = response->cseq;
	// The 2xx need not say it again (RFC 3261 section 13.2.1), but the caller may know nothing of it yet.
	if (sdp && !early->settled) {
		struct body body = session_body(response);
		bool kept = owned_set(&early->sdp, body.bytes) && owned_set(&early->sdp_type, body.type);
		if (!session->offered) {
			early->answer_due = true;
			if (!str_empty(session->clock.said))
				answer_offer(session, early);
			return true;
		}
		early->settled = kept;
	}
	send_prack(session, early, &(struct body){0});
	return true;
}

bool early_heard(struct sip_session *session, const struct sip_message *response)
{
	struct early *early = str_empty(response->to_tag) ? NULL : early_find(session, response->to_tag);
	uint32_t rseq = 0;

	if (response->status == 199) { // RFC 6228
		if (early)
			early_free(session, early);
		return false;
	}
	if (!early && !str_empty(response->to_tag))
		early = early_new(session, response->to_tag);
	if (early && is_reliable(session, response, &rseq))
		return early_heard_reliable(session, early, response, rseq);
	return true;
}

void early_answer(struct sip_session *session, const struct body *body)
{
	bool first = str_empty(session->clock.said); // our INVITE said nothing

	list_each (node, following, &session->early) {
		struct early *early = container_of(node, struct early, node);
		if (!early->answer_due || !first)
			continue;
		first = false;
		session_note_said(session, body->type, body->bytes);
		early->answer_due = false;
		early->settled = true;
		send_prack(session, early, body);
	}
	list_each (node, following, &session->early)
		answer_offer(session, container_of(node, struct early, node));
}
