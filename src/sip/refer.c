// REFER (RFC 3515, RFC 4488): what the other side of a dialog wants its counterpart to call, and the NOTIFYs that tell how that
// goes. The subscription lives in the dialog and ends with it: who hangs up wants to know no more.
#include "sip/refer.h"

#include "sip/replaces.h"

enum { EXPIRES_S = 180 };

static struct str unescaped(struct str text, char into[SIP_URI_MAX])
{
	struct str result;

	if (text.length > SIP_URI_MAX || !sip_unescape(text, into, &result))
		return STR_NONE;
	return result;
}

static unsigned read_replaces(struct sip_session *session, struct str value, struct dialog_request *asked)
{
	char room[SIP_URI_MAX];
	struct sip_replaces replaces;

	if (!sip_replaces_parse(unescaped(value, room), &replaces))
		return 400;
	struct sip_session *replaced = replaces_session(session->endpoint, &replaces);
	asked->refers_to_leg = true;
	asked->replaces = replaced ? replaced->leg : 0;
	return 0;
}

unsigned refer_read(struct sip_session *session, const struct sip_message *refer, struct refer_texts *texts,
		    struct dialog_request *asked)
{
	struct sip_address target;
	struct str value;

	if (!sip_address_parse(sip_header_value(refer, SIP_HEADER_REFER_TO), &target))
		return 400;
	if (target.uri.scheme == URI_OTHER)
		return 416;
	// Somebody else's server is reached through our routes or not at all.
	if (!sip_endpoint_is_ours(session->endpoint, &target.uri))
		return 403;
	if (sip_parameter(target.uri.parameters, ';', STR("method"), &value) && !str_equal_nocase(value, STR("INVITE")))
		return 403;
	asked->refer_to = unescaped(sip_number_only(target.uri.user), texts->target);
	if (sip_parameter(target.uri.headers, '&', STR("Replaces"), &value))
		return read_replaces(session, value, asked);
	return str_empty(asked->refer_to) ? 400 : 0;
}

bool refer_is_silent(const struct sip_message *refer)
{
	struct str value = sip_header_value(refer, SIP_HEADER_REFER_SUB);

	return str_equal_nocase(str_trim(str_first(value, str_index(value, ';'))), STR("false"));
}

// ---- how it goes

static void notify_over(struct exchange *exchange, unsigned status)
{
	if (status == 481) // it has no such subscription (any more)
		exchange->session->referral.question = 0;
	exchange_end(exchange);
}

static void notify_answered(struct exchange *exchange, const struct sip_message *response)
{
	if (response->status >= 200 && !exchange_authorise(exchange, response))
		notify_over(exchange, response->status);
}

static void notify(struct sip_session *session, unsigned status)
{
	char lines[256], fragment[128];
	struct writer extra = writer_into(lines, sizeof lines), body = writer_into(fragment, sizeof fragment);
	struct referral *referral = &session->referral;

	writer_text(&extra, "Event: refer");
	if (!referral->is_first) // RFC 3515 section 2.4.6
		writer_format(&extra, ";id=%u", referral->cseq);
	if (status < 200)
		writer_format(&extra, "\r\nSubscription-State: active;expires=%d\r\n", EXPIRES_S);
	else
		writer_text(&extra, "\r\nSubscription-State: terminated;reason=noresource\r\n");
	writer_text(&extra, SIP_ALLOW_LINE);
	writer_format(&body, "SIP/2.0 %u ", status);
	writer_str(&body, sip_reason_phrase(status));
	writer_text(&body, "\r\n");
	exchange_start(session, &(struct exchange_draft){
				    .dialog = &session->dialog,
				    .method = SIP_NOTIFY,
				    .max_forwards = 70,
				    .extra = writer_result(&extra),
				    .body = {.type = STR("message/sipfrag;version=2.0"), .bytes = writer_result(&body)},
				    .answered = notify_answered,
				    .failed = notify_over,
				});
}

void refer_accepted(struct sip_session *session, const struct question *question)
{
	struct referral *referral = &session->referral;

	if (question->silent)
		return;
	*referral = (struct referral){
	    .question = question->id,
	    .cseq = question->cseq,
	    .is_first = referral->cseq == 0,
	};
	notify(session, 100);
}

void refer_progress(struct sip_session *session, uint64_t question, unsigned status)
{
	if (session->referral.question != question || session->state != SESSION_UP)
		return;
	notify(session, status);
	if (status >= 200)
		session->referral.question = 0;
}
