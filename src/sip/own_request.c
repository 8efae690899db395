// What is made of a request of our own, from its bytes alone: the CANCEL and the ACK that go with an INVITE, and itself
// once more for another transport. All of it stands in the first lines, up to CSeq; our own requests have no folds, so that reading
// changes no byte.
#include "sip/transaction_private.h"

#include "base/log.h"
#include "sip/head.h"
#include "sip/header.h"

struct own_request {
	struct sip_head head;
	struct str uri;
	struct sip_header header; // the last that was read
};

static bool read_start(struct own_request *own, struct str bytes)
{
	struct str line;

	own->head = sip_head_over((char *)(uintptr_t)bytes.at, bytes.length);
	if (sip_head_start_line(&own->head, &line) != SIP_HEAD_LINE)
		return false;
	struct str rest = str_from(line, str_index(line, ' ') + 1);
	own->uri = str_first(rest, str_index(rest, ' '));
	return !str_empty(own->uri);
}

static bool read_line(struct own_request *own)
{
	struct str line;

	return sip_head_line(&own->head, &line) == SIP_HEAD_LINE && sip_head_split(line, &own->header);
}

static bool unreadable(const struct own_request *own)
{
	log_error("own_request_unreadable", LOG_UINT("at", own->head.at));
	return false;
}

static void write_line(struct writer *w, struct str name, struct str value)
{
	writer_str(w, name);
	writer_str(w, STR(": "));
	writer_str(w, value);
	writer_str(w, STR("\r\n"));
}

// A line that stands before CSeq, for the companion. The To of an ACK is the response's.
static void write_repeated(struct writer *w, const struct own_request *own, struct str to)
{
	enum sip_header_name is = own->header.is;

	if (is == SIP_HEADER_TO)
		write_line(w, STR("To"), str_empty(to) ? own->header.value : to);
	else if (is == SIP_HEADER_MAX_FORWARDS)
		writer_str(w, STR("Max-Forwards: 70\r\n"));
	else if (is == SIP_HEADER_VIA || is == SIP_HEADER_ROUTE || is == SIP_HEADER_FROM || is == SIP_HEADER_CALL_ID)
		write_line(w, sip_header_wire_name(is), own->header.value);
}

// RFC 3261 sections 17.1.1.3 and 9.1 ask for the same: Request-URI, the topmost Via, which is our only one, Routes, From, Call-ID and
// the CSeq's number of the INVITE.
static bool write_companion(struct writer *w, struct str invite_bytes, enum sip_method method, struct str to,
			    struct str reason)
{
	struct str name = str_of(sip_method_name(method));
	struct own_request own;

	if (!read_start(&own, invite_bytes))
		return unreadable(&own);
	writer_str(w, name);
	writer_char(w, ' ');
	writer_str(w, own.uri);
	writer_str(w, STR(" SIP/2.0\r\n"));
	do {
		if (!read_line(&own))
			return unreadable(&own);
		write_repeated(w, &own, to);
	} while (own.header.is != SIP_HEADER_CSEQ);
	writer_str(w, STR("CSeq: "));
	writer_str(w, str_first(own.header.value, str_index(own.header.value, ' ')));
	writer_char(w, ' ');
	writer_str(w, name);
	writer_str(w, STR("\r\n"));
	if (!str_empty(reason))
		write_line(w, STR("Reason"), reason);
	writer_str(w, STR("Content-Length: 0\r\n\r\n"));
	return !w->overflow;
}

bool sip_own_write_cancel(struct writer *w, struct str invite_bytes, struct str reason)
{
	return write_companion(w, invite_bytes, SIP_CANCEL, STR_NONE, reason);
}

bool sip_own_write_ack(struct writer *w, struct str invite_bytes, const struct sip_message *response)
{
	return write_companion(w, invite_bytes, SIP_ACK, sip_header_value(response, SIP_HEADER_TO), STR_NONE);
}

bool sip_own_write_moved(struct writer *w, struct str request_bytes, struct sip_transport *transport,
			 const struct flow *flow)
{
	struct own_request own;

	if (!read_start(&own, request_bytes))
		return unreadable(&own);
	do
		if (!read_line(&own))
			return unreadable(&own);
	while (own.header.is != SIP_HEADER_VIA);
	size_t via = (size_t)(own.header.value.at - request_bytes.at);
	writer_str(w, str_first(request_bytes, via));
	writer_str(w, STR("SIP/2.0/"));
	writer_text(w, sip_transport_via_name(flow->transport));
	writer_char(w, ' ');
	sip_transport_write_local(transport, w, flow);
	writer_str(w, str_from(request_bytes, via + str_index(own.header.value, ';')));
	return !w->overflow;
}
