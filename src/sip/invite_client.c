// A leg that we ring: its INVITE, the branches it may fork into, the race between CANCEL and 200, and every 2xx's ACK. Nothing of
// the other leg is in it but the caller's number and name.
#include "base/log.h"
#include "sip/diversion.h"
#include "sip/owned.h"
#include "sip/trunk_account.h"
#include "sip/trunk_identity.h"
#include "sip/trunk_leg.h"
#include "sip/trunk_registration.h"
#include "sip/trunk_uri.h"

enum { LINES_MAX = 8192, ADDRESS_MAX = 1024, HOST_MAX = 300 };

// ---- writing the INVITE

static void write_address(struct writer *w, struct str display, struct str user, struct str host)
{
	sip_write_display(w, display);
	writer_text(w, "<sip:");
	if (!str_empty(user)) { // an empty one is no URI (RFC 3261 section 25.1)
		sip_write_user(w, user);
		writer_char(w, '@');
	}
	writer_str(w, host);
	writer_char(w, '>');
}

// The host of our own URIs in one INVITE. Without a domain of our own it is the address that the other side reaches us at,
// so that a number in its call log can be called back.
struct own_host {
	char text[HOST_MAX];
	struct str name;
};

static void own_host_find(struct own_host *host, struct sip_endpoint *endpoint, const struct outgoing_invite *invite)
{
	struct writer w = writer_into(host->text, sizeof host->text);
	struct flow flow = {.transport = TRANSPORT_UDP};

	host->name = endpoint->host;
	if (invite->target == TARGET_TRUNK && !str_empty(invite->trunk->own_host)) {
		host->name = invite->trunk->own_host;
		return;
	}
	if (!str_empty(endpoint->domains))
		return;
	if (invite->target == TARGET_BINDING)
		flow = invite->binding->flow;
	else if (!net_address_parse(invite->trunk->host, 5060, &flow.remote))
		return; // known only once its name is
	sip_transport_write_local(endpoint->transport, &w, &flow);
	if (!w.overflow && w.used > 0)
		host->name = writer_result(&w);
}

static void write_from(struct str host, const struct outgoing_invite *invite, struct writer *w)
{
	if (invite->anonymous) // RFC 3323 section 4.1.1.3
		writer_text(w, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	else
		write_address(w, invite->caller_name, invite->caller_number, host);
}

// Where the call goes: the dialog's beginning, without From.
struct destination {
	char target[ADDRESS_MAX], remote[ADDRESS_MAX];
	struct dialog_start start;
};

static enum err toward_binding(const struct outgoing_invite *invite, struct str host, struct destination *to)
{
	const struct binding *binding = invite->binding;
	struct writer remote = writer_into(to->remote, sizeof to->remote);
	write_address(&remote, invite->dialled, invite->device_number, host);
	if (remote.overflow)
		return ERR_TOO_LARGE;
	to->start.target = binding->contact;
	to->start.routes = binding->path;
	to->start.remote = writer_result(&remote);
	to->start.flow = binding->flow;
	to->start.pinned = binding->behind_nat;
	return ERR_NONE;
}

// Its flow is found later, by the trunk's leg.
static enum err toward_trunk(const struct sip_endpoint *endpoint, const struct outgoing_invite *invite,
			     struct destination *to)
{
	const struct trunk *trunk = invite->trunk;
	struct writer target = writer_into(to->target, sizeof to->target);
	struct writer remote = writer_into(to->remote, sizeof to->remote);

	trunk_write_uri(trunk, invite->number, &target);
	writer_text(&remote, "<sip:");
	sip_write_user(&remote, invite->number);
	writer_char(&remote, '@');
	trunk_write_host(trunk, &remote);
	writer_char(&remote, '>');
	if (target.overflow || remote.overflow)
		return ERR_TOO_LARGE;
	to->start.target = writer_result(&target);
	to->start.remote = writer_result(&remote);
	to->start.own_name = trunk_own_name(endpoint, trunk);
	return ERR_NONE;
}

// ---- the answers

static void over(struct sip_session *session, unsigned status, const struct sip_message *response)
{
	struct call_table *calls = session->endpoint->calls;
	uint64_t leg = session->leg;
	char text[SIP_LINE_MAX];
	struct writer said = writer_into(text, sizeof text);
	struct str reason = response ? session_said(response, &said) : STR_NONE;
	session_free(session);
	if (leg)
		call_table_failed(calls, leg, status, response ? response->reason : STR_NONE, reason);
}

// Only a device may send its own calls elsewhere.
static void refused(struct sip_session *session, const struct sip_message *response)
{
	uint64_t leg = session->leg;

	if (response->status >= 400 || !session->device_id || !leg) {
		over(session, response->status, response);
		return;
	}
	session->leg = 0;
	session_redirected(leg, session, response);
	session_free(session);
}

static void progressed(struct sip_session *session, const struct sip_message *response)
{
	if (response->status == 100 || !early_heard(session, response))
		return;
	if (session->state == SESSION_STARTING)
		session_set_state(session, SESSION_RINGING);
	if (session->state != SESSION_RINGING || !session->leg)
		return;
	struct body body = session_body(response);
	const struct early *early = early_find(session, response->to_tag);
	// Without an offer of ours only a reliable answer may bring one (RFC 3261 section 13.2.1).
	if (!session->offered && !(early && early->answer_due))
		body = (struct body){0};
	call_table_progressed(session->endpoint->calls, session->leg, response->status, &body);
}

// The answer in the 2xx, or the one that its branch has given before, reliably, and need not give again.
static void tell_answered(struct sip_session *session, const struct sip_message *response, const struct body *before)
{
	struct body body = session_body(response);

	session_timer_answered(session, response);
	call_table_answered(session->endpoint->calls, session->leg, str_empty(body.bytes) ? before : &body);
}

// The first 2xx settles the dialog. It may have crossed our CANCEL: the domain decides, and hangs up then.
static void settled(struct sip_session *session, const struct sip_message *response)
{
	bool confirmed = dialog_confirm(&session->dialog, response);
	struct body before = early_win(session, response);
	early_drop_all(session);
	session->invite_cseq = session->due_cseq = response->cseq;
	session->ack_due = true;
	session->linger_until_ms = loop_now_ms(session->endpoint->loop) + 64 * SIP_T1_MS;
	session_set_state(session, SESSION_ANSWERED);
	if (confirmed && session->leg) {
		tell_answered(session, response, &before);
	} else {
		uint64_t leg = session->leg;
		struct call_table *calls = session->endpoint->calls;
		session_hang_up(session, LEG_END_NORMAL, STR_NONE);
		if (leg)
			call_table_failed(calls, leg, 503, STR_NONE, STR_NONE);
	}
	owned_free(&before.type);
	owned_free(&before.bytes);
}

// RFC 4028 section 7.4: a session timer that is too short for them.
static bool sent_with_more_time(struct exchange *exchange, const struct sip_message *response)
{
	return response->status == 422 && session_timer_raise(exchange->session, response) && exchange_repeat(exchange);
}

static void answered(struct exchange *exchange, const struct sip_message *response)
{
	struct sip_session *session = exchange->session;
	trunk_leg_heard(session, response);
	if (response->status < 200) {
		progressed(session, response);
		return;
	}
	if (session->state != SESSION_CANCELLING &&
	    (exchange_authorise(exchange, response) || sent_with_more_time(exchange, response))) {
		early_drop_all(session);
		return;
	}
	exchange_end(exchange);
	if (response->status < 300)
		settled(session, response);
	else if (!trunk_leg_failed(session, response))
		refused(session, response);
}

static void failed(struct exchange *exchange, unsigned status)
{
	struct sip_session *session = exchange->session;
	exchange_end(exchange);
	if (!trunk_leg_failed(session, NULL))
		over(session, status, NULL);
}

// Another branch of ours answered too: it gets what RFC 3261 section 13.2.2.4 says, ACK and BYE, and the domain never knows.
static void answered_again(struct sip_session *session, const struct sip_message *response)
{
	unsigned count = 0;
	list_each (node, following, &session->forks) {
		struct sip_dialog *fork = container_of(node, struct sip_dialog, node);
		if (str_equal(fork->remote_tag, response->to_tag)) {
			session_repeat_ack(session, fork, response->cseq);
			return;
		}
		count++;
	}
	struct sip_dialog *fork = count < FORKS_MAX ? pool_take(&session->endpoint->fork_pool) : NULL;
	if (!fork)
		return;
	if (!dialog_fork(fork, &session->dialog, response)) {
		dialog_clear(fork);
		pool_give(&session->endpoint->fork_pool, fork);
		return;
	}
	list_append(&session->forks, &fork->node);
	log_info("session_forked", LOG_UINT("session", session->id), LOG_UINT("leg", session->leg));
	session_acknowledge(session, fork, response->cseq, NULL);
	session_bye(session, fork, LEG_END_ANSWERED_ELSEWHERE, STR_NONE);
}

void invite_client_late(struct sip_session *session, const struct sip_message *response)
{
	if (str_equal(response->to_tag, session->dialog.remote_tag)) {
		session_repeat_ack(session, &session->dialog, response->cseq);
		return;
	}
	if (session->role != SESSION_CALLEE)
		return;
	// Another branch's, or that of a target which was given up for another one.
	if ((response->cseq == session->invite_cseq && session->linger_until_ms != 0) ||
	    response->cseq <= session->abandoned_cseq)
		answered_again(session, response);
}

// ---- what the domain asks

void invite_client_cancel(struct sip_session *session, enum leg_end why, struct str said)
{
	struct exchange *invite = session_offer(session, &session->dialog);
	if (session->state != SESSION_STARTING && session->state != SESSION_RINGING)
		return;
	if (!trunk_leg_cancelled(session) && !invite)
		return;
	session_set_state(session, SESSION_CANCELLING);
	if (invite)
		sip_client_cancel(invite->transaction, session_reason(session, why, said));
}

static enum err begin(struct sip_session *session, const struct outgoing_invite *invite, struct str host,
		      const struct destination *to)
{
	char extra[LINES_MAX];
	struct writer w = writer_into(extra, sizeof extra);

	if (!dialog_start_client(&session->dialog, session->endpoint->loop, &to->start) || !session_enter(session))
		return ERR_NO_MEMORY;
	session->offered = !str_empty(invite->body.bytes);
	session->offers_reliable = session->offered || invite->answers_early;
	writer_text(&w, SIP_ALLOW_LINE SIP_SUPPORTED_LINE);
	if (invite->target == TARGET_TRUNK) {
		trunk_write_identity(session->endpoint, invite, host, &w);
		trunk_write_product(invite->trunk, &w);
		sip_diversions_write(invite, host, to->start.target, &w);
	} else if (invite->anonymous)
		writer_text(&w, "Privacy: id\r\n");
	struct exchange_draft draft = {
	    .dialog = &session->dialog,
	    .method = SIP_INVITE,
	    .max_forwards = invite->max_forwards,
	    .extra = writer_result(&w),
	    .body = invite->body,
	    .answered = answered,
	    .failed = failed,
	};
	if (w.overflow)
		return ERR_TOO_LARGE;
	if (invite->target == TARGET_TRUNK)
		return trunk_leg_start(session, invite->trunk, &draft);
	return exchange_start(session, &draft) ? ERR_NONE : ERR_NO_MEMORY;
}

enum err invite_client_start(struct sip_endpoint *endpoint, const struct outgoing_invite *invite, uint64_t *session_id)
{
	struct destination to = {0};
	struct own_host host;
	char local[ADDRESS_MAX];
	struct writer from = writer_into(local, sizeof local);
	own_host_find(&host, endpoint, invite);
	enum err err = invite->target == TARGET_BINDING ? toward_binding(invite, host.name, &to)
							: toward_trunk(endpoint, invite, &to);
	if (invite->target == TARGET_TRUNK)
		to.start.routes = trunk_registration_routes(endpoint->trunk_registrations, invite->trunk->entity.id);
	if (invite->target == TARGET_TRUNK)
		trunk_write_from(endpoint, invite, host.name, &from);
	else
		write_from(host.name, invite, &from);
	if (err || from.overflow)
		return err ? err : ERR_TOO_LARGE;
	to.start.local = writer_result(&from);

	struct sip_session *session = session_new(endpoint, SESSION_CALLEE);
	if (!session)
		return ERR_NO_MEMORY;
	session->leg = invite->leg;
	if (invite->target == TARGET_BINDING)
		session->device_id = invite->binding->device_id;
	else if (!trunk_account_keep(session, invite->trunk))
		err = ERR_NO_MEMORY;
	if (!err)
		err = begin(session, invite, host.name, &to);
	if (err) {
		session_free(session);
		return err;
	}
	*session_id = session->id;
	return ERR_NONE;
}
