// Requests of ours within a session, each with its transaction: sent where the dialog leads, challenged, sent again.
#include "sip/owned.h"
#include "sip/session.h"
#include "sip/trunk_account.h"

enum { LINES_MAX = 8192 };

// Who takes our calls to a trunk by TLS, and what belongs to them, shows a certificate of the trunk's host (RFC 5922 section 7.3), or of
// the target that answered.
static struct flow expect_trunk(const struct sip_session *session, struct flow flow)
{
	if (flow.transport == TRANSPORT_TLS && session->trunk_id)
		flow.name = session->expected ? session->expected : session->trunk_name;
	return flow;
}

struct flow session_next_hop(const struct sip_session *session, const struct sip_dialog *dialog)
{
	// An INVITE to a trunk goes to the target that was chosen, whatever address the trunk's host is.
	bool chosen = session->role == SESSION_CALLEE && session->trunk_id && str_empty(dialog->remote_tag);

	return expect_trunk(session, chosen ? dialog->flow : dialog_next_flow(dialog, session->endpoint->transport));
}

// The connection that carried the request is the dialog's from now on.
static void adopt_connection(struct exchange *exchange)
{
	const struct flow *used = sip_client_flow(exchange->transaction);
	struct flow *flow = &exchange->dialog->flow;
	if (used->connection == flow->connection || used->transport != flow->transport ||
	    !net_address_equal(&used->remote, &flow->remote))
		return;
	flow->connection = used->connection;
	if (exchange->dialog == &exchange->session->dialog)
		session_watch_flow(exchange->session);
}

static void exchange_response(void *user, struct sip_client_transaction *transaction,
			      const struct sip_message *response)
{
	struct exchange *exchange = user;
	adopt_connection(exchange);
	if (response->status >= 200) {
		if (response->status < 300 && exchange->method == SIP_INVITE)
			sip_client_forget(transaction);
		exchange->transaction = NULL;
	}
	exchange->answered(exchange, response);
}

static void exchange_failed(void *user, struct sip_client_transaction *transaction, unsigned status)
{
	struct exchange *exchange = user;
	(void)transaction;
	exchange->transaction = NULL;
	exchange->failed(exchange, status);
}

static const struct sip_client_handlers exchange_handlers = {.response = exchange_response, .failed = exchange_failed};

static bool exchange_send(struct exchange *exchange, struct request_draft *draft)
{
	struct sip_endpoint *endpoint = exchange->session->endpoint;
	struct sip_dialog *dialog = exchange->dialog;
	char branch[SIP_BRANCH_SIZE + 1], text[DIALOG_REQUEST_MAX], lines[LINES_MAX];
	struct writer w = writer_into(text, sizeof text), extra = writer_into(lines, sizeof lines);
	struct flow flow = session_next_hop(exchange->session, dialog);

	if (session_may_offer(exchange->method)) {
		bool reliable = exchange->method == SIP_INVITE && exchange->session->offers_reliable &&
				exchange->session->state < SESSION_CANCELLING;
		writer_str(&extra, draft->extra);
		if (reliable)
			writer_text(&extra, "Supported: 100rel\r\n");
		session_timer_write_request(exchange->session, &extra);
		if (extra.overflow)
			return false;
		draft->extra = writer_result(&extra);
		session_note_said(exchange->session, draft->body_type, draft->body);
	}
	sip_branch_new(endpoint->loop, branch);
	draft->branch = str_of(branch);
	draft->method = exchange->method;
	draft->cseq = exchange->cseq = ++dialog->local_cseq;
	if (!dialog_write_request(dialog, endpoint->transport, &flow, draft, &w))
		return false;
	struct sip_client_request request = {
	    .method = exchange->method,
	    .branch = draft->branch,
	    .flow = flow,
	    .bytes = writer_result(&w),
	    .large = dialog->pinned ? SIP_LARGE_AS_IS : SIP_LARGE_BY_TCP,
	};
	exchange->transaction = sip_client_start(endpoint->transactions, &request, &exchange_handlers, exchange);
	return exchange->transaction != NULL;
}

struct exchange *exchange_start(struct sip_session *session, const struct exchange_draft *draft)
{
	struct exchange *exchange = pool_take(&session->endpoint->exchange_pool);
	if (!exchange)
		return NULL;
	exchange->session = session;
	exchange->dialog = draft->dialog;
	exchange->method = draft->method;
	exchange->token = draft->token;
	exchange->answered = draft->answered;
	exchange->failed = draft->failed;
	exchange->offers =
	    draft->method == SIP_INVITE || (draft->method == SIP_UPDATE && !str_empty(draft->body.bytes));
	list_init(&exchange->node);
	list_append(&session->exchanges, &exchange->node);

	struct request_draft request = {
	    .max_forwards = draft->max_forwards,
	    .extra = draft->extra,
	    .body_type = draft->body.type,
	    .body = draft->body.bytes,
	};
	if ((draft->method == SIP_INVITE || session->trunk_account) &&
	    (!owned_set(&exchange->extra, draft->extra) || !owned_set(&exchange->body_type, draft->body.type) ||
	     !owned_set(&exchange->body, draft->body.bytes)))
		goto failed;
	exchange->max_forwards = draft->max_forwards;
	if (!exchange_send(exchange, &request))
		goto failed;
	return exchange;

failed:
	exchange_end(exchange);
	return NULL;
}

void exchange_end(struct exchange *exchange)
{
	if (exchange->transaction)
		sip_client_forget(exchange->transaction);
	list_remove(&exchange->node);
	owned_free(&exchange->extra);
	owned_free(&exchange->body_type);
	owned_free(&exchange->body);
	pool_give(&exchange->session->endpoint->exchange_pool, exchange);
}

bool exchange_repeat(struct exchange *exchange)
{
	struct request_draft draft = {
	    .max_forwards = exchange->max_forwards,
	    .extra = exchange->extra,
	    .body_type = exchange->body_type,
	    .body = exchange->body,
	};
	exchange->authorised = false; // it is another request, and may be challenged anew
	return exchange_send(exchange, &draft);
}

bool exchange_authorise(struct exchange *exchange, const struct sip_message *response)
{
	struct sip_session *session = exchange->session;
	struct sip_credentials credentials;
	char extra[4096];
	struct writer w = writer_into(extra, sizeof extra);

	if ((response->status != 401 && response->status != 407) || exchange->authorised ||
	    !trunk_account_credentials(session, &credentials))
		return false;
	if (!sip_auth_write_answer(&w, response, &credentials, str_of(sip_method_name(exchange->method)),
				   dialog_request_uri(exchange->dialog), STR_NONE, session->endpoint->loop))
		return false;
	if (exchange->method == SIP_INVITE && !owned_set(&session->authorization, writer_result(&w)))
		return false;
	exchange->authorised = true;
	writer_str(&w, exchange->extra);
	if (w.overflow)
		return false;
	struct request_draft draft = {
	    .max_forwards = exchange->max_forwards,
	    .extra = writer_result(&w),
	    .body_type = exchange->body_type,
	    .body = exchange->body,
	};
	return exchange_send(exchange, &draft);
}

struct exchange *session_offer(const struct sip_session *session, const struct sip_dialog *dialog)
{
	list_each (node, following, &session->exchanges) {
		struct exchange *exchange = container_of(node, struct exchange, node);
		if (exchange->offers && exchange->dialog == dialog)
			return exchange;
	}
	return NULL;
}
