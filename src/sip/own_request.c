// What is made of a request of our own, from its bytes alone: the CANCEL and the ACK that go with an INVITE, and itself
// once more for another transport.
#include "sip/transaction_private.h"

#include "base/log.h"

// Our own requests have no folds, so that reading changes no byte. False, and an error in the log, when one cannot be read.
static bool read_own(struct str bytes, struct sip_message *request)
{
	struct sip_fault fault = {0};

	if (sip_message_parse_own((char *)bytes.at, bytes.length, request, &fault))
		return true;
	log_error("own_request_unreadable", LOG_TEXT("why", fault.why), LOG_UINT("at", fault.at));
	return false;
}

static void write_line(struct writer *w, struct str name, struct str value)
{
	writer_str(w, name);
	writer_str(w, STR(": "));
	writer_str(w, value);
	writer_str(w, STR("\r\n"));
}

// RFC 3261 sections 17.1.1.3 and 9.1 ask for the same: Request-URI, the topmost Via alone, Routes, From, Call-ID and
// the CSeq's number of the INVITE.
static void write_companion(struct writer *w, const struct sip_message *invite, enum sip_method method, struct str to,
			    struct str reason)
{
	struct str name = str_of(sip_method_name(method));

	writer_str(w, name);
	writer_char(w, ' ');
	writer_str(w, invite->request_uri);
	writer_str(w, STR(" SIP/2.0\r\n"));
	write_line(w, STR("Via"), invite->via.text);
	for (const struct sip_header *route = sip_header_first(invite, SIP_HEADER_ROUTE); route;
	     route = sip_header_next(invite, route))
		write_line(w, STR("Route"), route->value);
	writer_str(w, STR("Max-Forwards: 70\r\n"));
	write_line(w, STR("From"), sip_header_value(invite, SIP_HEADER_FROM));
	write_line(w, STR("To"), to);
	write_line(w, STR("Call-ID"), invite->call_id);
	writer_str(w, STR("CSeq: "));
	writer_uint(w, invite->cseq);
	writer_char(w, ' ');
	writer_str(w, name);
	writer_str(w, STR("\r\n"));
	if (!str_empty(reason))
		write_line(w, STR("Reason"), reason);
	writer_str(w, STR("Content-Length: 0\r\n\r\n"));
}

bool sip_own_write_cancel(struct writer *w, struct str invite_bytes, struct str reason)
{
	struct sip_message invite;

	if (!read_own(invite_bytes, &invite))
		return false;
	write_companion(w, &invite, SIP_CANCEL, sip_header_value(&invite, SIP_HEADER_TO), reason);
	return !w->overflow;
}

bool sip_own_write_ack(struct writer *w, struct str invite_bytes, const struct sip_message *response)
{
	struct sip_message invite;

	if (!read_own(invite_bytes, &invite))
		return false;
	write_companion(w, &invite, SIP_ACK, sip_header_value(response, SIP_HEADER_TO), STR_NONE);
	return !w->overflow;
}

bool sip_own_write_moved(struct writer *w, struct str request_bytes, struct sip_transport *transport,
			 const struct flow *flow)
{
	struct sip_message request;
	size_t via, parameters;

	if (!read_own(request_bytes, &request))
		return false;
	via = (size_t)(request.via.text.at - request_bytes.at);
	parameters = via + str_index(request.via.text, ';');
	writer_str(w, str_first(request_bytes, via));
	writer_str(w, STR("SIP/2.0/"));
	writer_text(w, sip_transport_via_name(flow->transport));
	writer_char(w, ' ');
	sip_transport_write_local(transport, w, flow);
	writer_str(w, str_from(request_bytes, parameters));
	return !w->overflow;
}
