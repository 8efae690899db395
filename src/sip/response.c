// Writes responses: what RFC 3261 section 8.2.6.2 has each of them repeat from its request, and what is new.
#include "sip/response.h"

#include <assert.h>

static void write_line(struct writer *w, struct str name, struct str value)
{
	writer_str(w, name);
	writer_str(w, STR(": "));
	writer_str(w, value);
	writer_str(w, STR("\r\n"));
}

// Takes the parameter before the next ';' that stands outside quotes.
static bool take_parameter(struct str *rest, struct str *parameter)
{
	if (str_empty(*rest))
		return false;
	bool quoted = false;
	size_t end = str_index(*rest, ';');
	if (str_index(str_first(*rest, end), '"') < end) // else none of what is before the ';' is quoted
		end = 0;
	for (; end < rest->length && (quoted || rest->at[end] != ';'); end++) {
		if (quoted && rest->at[end] == '\\')
			end++;
		else if (rest->at[end] == '"')
			quoted = !quoted;
	}
	*parameter = str_first(*rest, end);
	*rest = str_from(*rest, end + 1);
	return true;
}

static bool parameter_is(struct str parameter, struct str name)
{
	return str_equal_nocase(str_trim(str_first(parameter, str_index(parameter, '='))), name);
}

// RFC 7339 section 4: the neighbour's own go where we say something.
static bool is_overload_control(struct str parameter)
{
	return parameter_is(parameter, STR("oc")) || parameter_is(parameter, STR("oc-algo")) ||
	       parameter_is(parameter, STR("oc-validity")) || parameter_is(parameter, STR("oc-seq"));
}

// The topmost Via with what the transport found out about the sender. A received of the sender's own making goes.
static void write_top_via(struct writer *w, const struct sip_via *via)
{
	size_t parameters = str_index(via->text, ';');
	struct str rest = str_from(via->text, parameters + 1);
	struct str parameter;

	writer_str(w, STR("Via: "));
	writer_str(w, str_first(via->text, parameters));
	while (take_parameter(&rest, &parameter)) {
		if (parameter_is(parameter, STR("received")) ||
		    (!str_empty(via->feedback) && is_overload_control(parameter)))
			continue;
		writer_char(w, ';');
		if (via->rport && via->rport_value != 0 && parameter_is(parameter, STR("rport"))) {
			writer_str(w, STR("rport="));
			writer_uint(w, via->rport_value);
		} else {
			writer_str(w, parameter);
		}
	}
	if (!str_empty(via->received)) {
		writer_str(w, STR(";received="));
		writer_str(w, via->received);
	}
	if (!str_empty(via->feedback)) {
		writer_char(w, ';');
		writer_str(w, via->feedback);
	}
	writer_str(w, STR("\r\n"));
}

static void write_vias(struct writer *w, const struct sip_message *request)
{
	struct sip_walk walk = {0};
	struct str value;

	write_top_via(w, &request->via);
	if (!sip_value_next(request, SIP_HEADER_VIA, &walk, &value))
		return;
	while (sip_value_next(request, SIP_HEADER_VIA, &walk, &value))
		write_line(w, STR("Via"), value);
}

// As it came, and not at all when a broken request lacks it.
static void write_header(struct writer *w, const struct sip_message *request, enum sip_header_name name)
{
	const struct sip_header *header = sip_header_first(request, name);

	if (header)
		write_line(w, sip_header_wire_name(name), header->value);
}

void sip_response_head_write(struct writer *w, const struct sip_message *request, struct sip_response_head *head)
{
	size_t start = w->used;

	head->lines = w->at + start;
	write_vias(w, request);
	write_header(w, request, SIP_HEADER_FROM);
	write_header(w, request, SIP_HEADER_CALL_ID);
	write_header(w, request, SIP_HEADER_CSEQ);
	write_header(w, request, SIP_HEADER_TO);
	head->to_end = (uint32_t)(w->used - start);
	head->takes_tag = sip_header_first(request, SIP_HEADER_TO) && str_empty(request->to_tag);
	for (const struct sip_header *header = sip_header_first(request, SIP_HEADER_RECORD_ROUTE); header;
	     header = sip_header_next(request, header))
		write_line(w, STR("Record-Route"), header->value);
	head->timestamp = (uint32_t)(w->used - start);
	writer_str(w, sip_header_value(request, SIP_HEADER_TIMESTAMP));
	head->end = (uint32_t)(w->used - start);
}

static struct str head_part(const struct sip_response_head *head, uint32_t from, uint32_t to)
{
	return (struct str){head->lines + from, to - from};
}

// RFC 3261 section 8.2.6.1: a 100 carries the request's Timestamp, and how many seconds it took to answer.
static void write_timestamp(struct writer *w, const struct sip_response_head *head, uint64_t delay_ms)
{
	struct str value = head_part(head, head->timestamp, head->end);

	if (str_empty(value))
		return;
	writer_str(w, STR("Timestamp: "));
	writer_str(w, str_first(value, str_index(value, ' ')));
	writer_format(w, " %llu.%03u\r\n", (unsigned long long)(delay_ms / 1000), (unsigned)(delay_ms % 1000));
}

void sip_response_write(struct writer *w, const struct sip_response_head *head, const struct sip_response *response,
			uint64_t delay_ms, struct str *tag)
{
	struct str reason = str_empty(response->reason) ? sip_reason_phrase(response->status) : response->reason;
	bool has_body = !str_empty(response->body);

	assert(response->status >= 100 && response->status <= 699);
	*tag = STR_NONE;
	writer_str(w, STR("SIP/2.0 "));
	writer_uint(w, response->status);
	writer_char(w, ' ');
	writer_str(w, reason);
	writer_str(w, STR("\r\n"));
	if (head->takes_tag && !str_empty(response->to_tag)) {
		writer_str(w, head_part(head, 0, head->to_end - 2)); // To is the last line, and its CRLF waits
		writer_str(w, STR(";tag="));
		*tag = (struct str){w->at + w->used, response->to_tag.length};
		writer_str(w, response->to_tag);
		writer_str(w, STR("\r\n"));
	} else {
		writer_str(w, head_part(head, 0, head->to_end));
	}
	// RFC 3261 section 12.1.1: only what can make a dialog repeats the route; a 100 and a refusal cannot.
	if (response->status > 100 && response->status < 300)
		writer_str(w, head_part(head, head->to_end, head->timestamp));
	if (response->status == 100)
		write_timestamp(w, head, delay_ms);
	writer_str(w, response->extra);
	if (has_body)
		write_line(w, STR("Content-Type"), response->body_type);
	writer_str(w, STR("Content-Length: "));
	writer_uint(w, response->body.length);
	writer_str(w, STR("\r\n\r\n"));
	writer_str(w, response->body);
}

struct str sip_response_tag(uint64_t seed, char into[SIP_TAG_SIZE])
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

	for (unsigned i = 0; i < SIP_TAG_SIZE; i++, seed >>= 5)
		into[i] = letters[seed & 31];
	return (struct str){into, SIP_TAG_SIZE};
}
