// The port that the domain drives signalling by: each call finds its session by id, and one for a session that is gone does
// nothing.
#include "sip/signalling.h"

#include "sip/refer.h"
#include "sip/sdp_hold.h"
#include "sip/session.h"

enum { HOLD_MAX = 4096 };

static enum err invite(void *context, const struct outgoing_invite *outgoing, uint64_t *session)
{
	return invite_client_start(context, outgoing, session);
}

static void cancel(void *context, uint64_t id, enum leg_end why, struct str said)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		invite_client_cancel(session, why, said);
}

static void acknowledge(void *context, uint64_t id, const struct body *body)
{
	struct sip_session *session = session_find(context, id);
	if (session && session->ack_due)
		session_acknowledge(session, &session->dialog, session->due_cseq, body);
}

static void answer_early(void *context, uint64_t id, const struct body *body)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		early_answer(session, body);
}

static void progress(void *context, uint64_t id, unsigned status, const struct body *body)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		invite_server_progress(session, status, body);
}

static void accept_call(void *context, uint64_t id, const struct body *body)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		invite_server_accept(session, body);
}

static enum err accept_on_hold(void *context, uint64_t id, const struct body *offer)
{
	struct sip_session *session = session_find(context, id);
	char answer[HOLD_MAX];
	struct writer w = writer_into(answer, sizeof answer);

	if (!session || !sdp_write_hold(&w, offer->bytes))
		return ERR_NOT_ACCEPTABLE;
	invite_server_accept(session, &(struct body){.type = STR("application/sdp"), .bytes = writer_result(&w)});
	return ERR_NONE;
}

static void refuse(void *context, uint64_t id, const struct refusal *refusal)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		invite_server_refuse(session, refusal);
}

static void hang_up(void *context, uint64_t id, enum leg_end why, struct str said)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		session_hang_up(session, why, said);
}

static enum err request(void *context, uint64_t id, uint64_t token, const struct dialog_request *asked)
{
	struct sip_session *session = session_find(context, id);
	return session ? session_request(session, token, asked) : ERR_NO_SUCH_CALL;
}

static void reply(void *context, uint64_t id, uint64_t transaction, unsigned status, const struct body *body)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		session_reply(session, transaction, status, body);
}

static void refer_goes_on(void *context, uint64_t id, uint64_t transaction, unsigned status)
{
	struct sip_session *session = session_find(context, id);
	if (session)
		refer_progress(session, transaction, status);
}

void sip_signalling_init(struct sip_endpoint *endpoint)
{
	endpoint->signalling = (struct signalling){
	    .context = endpoint,
	    .invite = invite,
	    .cancel = cancel,
	    .acknowledge = acknowledge,
	    .answer_early = answer_early,
	    .progress = progress,
	    .accept = accept_call,
	    .accept_on_hold = accept_on_hold,
	    .refuse = refuse,
	    .hang_up = hang_up,
	    .request = request,
	    .reply = reply,
	    .refer_progress = refer_goes_on,
	};
}
