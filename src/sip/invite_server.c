// A caller's leg: its INVITE, what it hears while others ring, and how it is answered or refused.
#include "domain/cause.h"
#include "sip/diversion.h"
#include "sip/replaces.h"
#include "sip/trunk_account.h"
#include "sip/trunk_caller.h"
#include "sip/trunk_identity.h"

// ---- the same INVITE by two ways

struct origin_key {
	struct str from_tag, call_id;
	uint32_t cseq;
};

static bool same_origin(const struct hash_node *node, const void *key)
{
	const struct sip_session *session = container_of(node, struct sip_session, by_origin);
	const struct origin_key *wanted = key;
	return session->invite_cseq == wanted->cseq && str_equal(session->dialog.remote_tag, wanted->from_tag) &&
	       str_equal(session->dialog.call_id, wanted->call_id);
}

static uint64_t origin_hash(const struct sip_message *invite)
{
	return hash_uint(hash_str(invite->from_tag) ^ (hash_str(invite->call_id) << 1) ^ invite->cseq);
}

bool invite_server_merged(const struct sip_endpoint *endpoint, const struct sip_message *invite)
{
	struct origin_key key = {invite->from_tag, invite->call_id, invite->cseq};
	return hash_find(endpoint->sessions_by_origin, origin_hash(invite), same_origin, &key) != NULL;
}

// ---- the invitation

// Texts that the invitation borrows.
struct invitation_texts {
	char dialled[SIP_URI_MAX];
	char number[SIP_URI_MAX];
	char name[SIP_LINE_MAX];
};

// RFC 3891 section 3. Which of two dialogs of ours stays is the domain's business.
static unsigned take_replaces(const struct sip_session *session, const struct sip_message *invite,
			      struct invitation *invitation)
{
	struct str value = sip_header_value(invite, SIP_HEADER_REPLACES);
	struct sip_replaces replaces;

	if (str_empty(value))
		return 0;
	if (!sip_replaces_parse(value, &replaces))
		return 400;
	const struct sip_session *replaced = replaces_session(session->endpoint, &replaces);
	invitation->takes_place = true;
	invitation->early_only = replaces.early_only;
	invitation->place = replaced ? replaced->leg : 0;
	return 0;
}

static struct str unescaped(struct str user, char into[SIP_URI_MAX])
{
	struct str text;
	if (user.length > SIP_URI_MAX || !sip_unescape(user, into, &text))
		return STR_NONE;
	return text;
}

static bool wants_privacy(const struct sip_message *invite)
{
	struct str value = sip_header_value(invite, SIP_HEADER_PRIVACY), piece;
	while (str_take(&value, ';', &piece)) {
		piece = str_trim(piece);
		if (str_equal_nocase(piece, STR("id")) || str_equal_nocase(piece, STR("user")) ||
		    str_equal_nocase(piece, STR("header")))
			return true;
	}
	return str_equal_nocase(invite->from.uri.host, STR("anonymous.invalid"));
}

// Who calls, as a trunk says it.
static void take_caller(const struct trunk *trunk, const struct sip_message *invite, struct invitation *invitation,
			struct invitation_texts *texts)
{
	const struct sip_address caller = trunk_caller(trunk, invite);
	invitation->caller_number = unescaped(sip_number_only(caller.uri.user), texts->number);
	if (caller.display.length <= sizeof texts->name)
		invitation->caller_name = sip_display_text(caller.display, texts->name);
}

// Where he is himself, when no proxy stands between us.
static const struct net_address *heard_from(const struct sip_session *session, const struct sip_message *invite)
{
	struct sip_walk walk = {0};
	struct str first, second;
	bool forwarded = sip_value_next(invite, SIP_HEADER_VIA, &walk, &first) &&
			 sip_value_next(invite, SIP_HEADER_VIA, &walk, &second);

	return forwarded ? NULL : &session->dialog.flow.remote;
}

static void invite_domain(struct sip_session *session, const struct sip_message *invite, const struct identity *who)
{
	struct sip_endpoint *endpoint = session->endpoint;
	struct invitation_texts texts;
	struct sip_diversions diversions;
	uint64_t id = session->id, leg = 0;
	struct invitation invitation = {
	    .caller = who->kind == IDENTITY_DEVICE ? CALLER_DEVICE : CALLER_TRUNK,
	    .device_id = session->device_id,
	    .trunk_id = session->trunk_id,
	    .dialled = unescaped(sip_number_only(invite->uri.user), texts.dialled),
	    .anonymous = wants_privacy(invite),
	    .max_forwards = invite->max_forwards,
	    .answers_early = session->reliable.supported,
	    .call_id = invite->call_id,
	    .body = session_body(invite),
	    .session = session->id,
	};
	if (who->kind == IDENTITY_DEVICE)
		invitation.heard_from = heard_from(session, invite);
	if (who->kind == IDENTITY_TRUNK) {
		const struct trunk *trunk = directory_trunk(endpoint->directory, who->id);
		struct str called = trunk ? trunk_called_user(trunk, invite) : invite->uri.user;
		invitation.dialled = unescaped(sip_number_only(called), texts.dialled);
		take_caller(trunk, invite, &invitation, &texts);
		sip_diversions_read(endpoint, invite, &diversions);
		invitation.diversions = diversions.list;
		invitation.diversion_count = diversions.count;
	}
	unsigned unreadable = take_replaces(session, invite, &invitation);
	if (unreadable) {
		invite_server_refuse(session, &(struct refusal){.status = unreadable});
		return;
	}
	enum err err = call_table_invited(endpoint->calls, &invitation, &leg);
	session = session_find(endpoint, id); // it may have been refused meanwhile
	if (!session)
		return;
	if (err)
		invite_server_refuse(session, &(struct refusal){.status = err_sip_status(err)});
	else
		session->leg = leg;
}

static void note_extensions(struct sip_session *session, const struct sip_message *invite)
{
	session->offered = !str_empty(invite->body);
	session->reliable.required = sip_list_has(invite, SIP_HEADER_REQUIRE, STR("100rel"));
	session->reliable.supported =
	    session->reliable.required || sip_list_has(invite, SIP_HEADER_SUPPORTED, STR("100rel"));
	session_timer_asked(session, invite);
}

void invite_server_received(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *invite,
			    const struct identity *who)
{
	char lines[64];
	struct writer extra = writer_into(lines, sizeof lines);
	unsigned status = session_timer_check(endpoint, invite, &extra);
	if (status) {
		sip_endpoint_answer_once(endpoint, from, invite, status, writer_result(&extra));
		return;
	}
	struct sip_session *session = endpoint->calls ? session_new(endpoint, SESSION_CALLER) : NULL;
	if (!session) {
		sip_endpoint_answer_once(endpoint, from, invite, 503, STR_NONE);
		return;
	}
	session->device_id = who->kind == IDENTITY_DEVICE ? who->id : 0;
	const struct trunk *trunk = who->kind == IDENTITY_TRUNK ? directory_trunk(endpoint->directory, who->id) : NULL;
	if (trunk && !trunk_account_keep(session, trunk))
		goto refused;
	session->invite_cseq = invite->cseq;
	note_extensions(session, invite);
	bool started = dialog_start_server(&session->dialog, endpoint->loop, invite, from);
	session->dialog.own_name = trunk ? trunk_own_name(endpoint, trunk) : 0;
	if (!started || !session_enter(session) ||
	    !hash_insert(endpoint->sessions_by_origin, &session->by_origin, origin_hash(invite)))
		goto refused;
	session->invite = sip_server_start(endpoint->transactions, from, invite, &session_server_handlers, session);
	if (!session->invite)
		goto refused;
	endpoint->invites++;
	invite_domain(session, invite, who);
	return;

refused:
	session_free(session);
	sip_endpoint_answer_once(endpoint, from, invite, 503, STR_NONE);
}

// ---- what the domain says

static bool waits(const struct sip_session *session)
{
	return session->role == SESSION_CALLER && session->invite &&
	       (session->state == SESSION_STARTING || session->state == SESSION_RINGING);
}

static void say(struct sip_session *session, unsigned status, const struct body *body)
{
	char extra[512];
	struct writer w = writer_into(extra, sizeof extra);
	bool reliably = reliable_wanted(session, body);
	dialog_write_contact(&session->dialog, session->endpoint->transport, &session->dialog.flow, &w);
	writer_text(&w, SIP_ALLOW_LINE SIP_SUPPORTED_LINE);
	timer_start(session->endpoint->loop, &session->timer, PROGRESS_AGAIN_MS);
	if (reliably)
		reliable_begin(session, body, &w);
	session_note_said(session, body->type, body->bytes);
	struct sip_response response = {
	    .status = status,
	    .to_tag = session->dialog.local_tag,
	    .extra = writer_result(&w),
	    .body_type = body->type,
	    .body = body->bytes,
	};
	sip_server_respond(session->invite, &response);
}

void invite_server_progress(struct sip_session *session, unsigned status, const struct body *body)
{
	if (!waits(session) || reliable_hold(session, status, body))
		return;
	session_set_state(session, SESSION_RINGING);
	session->last_provisional = status;
	say(session, status, body);
}

void invite_server_repeat_progress(struct sip_session *session)
{
	if (waits(session) && session->last_provisional != 0)
		say(session, session->last_provisional, &(struct body){0});
}

void invite_server_accept(struct sip_session *session, const struct body *body)
{
	if (!waits(session) || reliable_hold(session, 200, body))
		return;
	// An offer of ours that he has answered in a PRACK is not made again.
	bool answered_early = !session->offered && session->reliable.settled;
	const struct body nothing = {0};

	session_set_state(session, SESSION_ANSWERED);
	// What the caller has heard, from one branch, is not the one of the branch that won: he will be told by re-INVITE, since
	// a 2xx can no longer tell him (RFC 3261 section 13.2.1).
	session->clock.restate_due =
	    session->reliable.settled && !str_empty(body->bytes) && !str_equal(body->bytes, session->reliable.sdp);
	if (answered_early)
		session_note_said(session, body->type, body->bytes);
	if (!session_answer_invite(session, session->invite, session->invite_cseq, answered_early ? &nothing : body))
		session_cannot_answer(session);
}

// Text from elsewhere becomes a piece of one line.
static void write_plain(struct writer *w, struct str text)
{
	for (size_t i = 0; i < text.length; i++)
		writer_char(w, (unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f ? ' ' : text.at[i]);
}

static void write_quoted(struct writer *w, struct str text)
{
	writer_char(w, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			writer_char(w, '\\');
		write_plain(w, (struct str){text.at + i, 1});
	}
	writer_char(w, '"');
}

void invite_server_refuse(struct sip_session *session, const struct refusal *refusal)
{
	char extra[1024], phrase[256];
	struct writer w = writer_into(extra, sizeof extra), reason = writer_into(phrase, sizeof phrase);

	if (!waits(session))
		return;
	if (refusal->retry_after_s)
		writer_format(&w, "Retry-After: %u\r\n", refusal->retry_after_s);
	if (!str_empty(refusal->warning)) { // RFC 3261 section 20.43
		writer_text(&w, "Warning: 399 ");
		writer_str(&w, session->endpoint->host);
		writer_char(&w, ' ');
		write_quoted(&w, str_first(refusal->warning, 400));
		writer_text(&w, "\r\n");
	}
	if (refusal->cause && session->trunk_id) // RFC 6432; others have no use for it
		writer_format(&w, "Reason: Q.850;cause=%u;text=\"%s\"\r\n", refusal->cause, cause_text(refusal->cause));
	if (refusal->status == 405)
		writer_text(&w, SIP_ALLOW_LINE);
	write_plain(&reason, str_first(refusal->reason, sizeof phrase));
	// A password asked for by somebody else's server is nothing the caller has.
	unsigned status = refusal->status == 401 || refusal->status == 407 ? 503 : refusal->status;
	struct sip_response response = {
	    .status = status,
	    .reason = writer_result(&reason),
	    .to_tag = session->dialog.local_tag,
	    .extra = w.overflow ? STR_NONE : writer_result(&w),
	};
	if (sip_server_respond(session->invite, &response) != 0)
		sip_server_respond(session->invite, &(struct sip_response){.status = 500});
	session_free(session);
}
