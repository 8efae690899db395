// Whole messages: print and parse again; and what the framing of a stream says agrees with what the parser says.
#include "fuzz/fuzz.h"
#include "sip/message.h"

#include <string.h>

// Never longer than what was parsed.
static void print(struct writer *w, const struct sip_message *m)
{
	if (m->is_request) {
		writer_str(w, m->method_text);
		writer_char(w, ' ');
		writer_str(w, m->request_uri);
		writer_text(w, " SIP/2.0\r\n");
	} else {
		writer_format(w, "SIP/2.0 %u", m->status);
		writer_text(w, m->reason.at ? " " : "");
		writer_str(w, m->reason);
		writer_text(w, "\r\n");
	}
	for (unsigned i = 0; i < m->header_count; i++) {
		writer_str(w, m->headers[i].name);
		writer_char(w, ':');
		writer_str(w, m->headers[i].value);
		writer_text(w, "\r\n");
	}
	writer_text(w, "\r\n");
	writer_str(w, m->body);
}

static void must_be_same(const struct sip_message *a, const struct sip_message *b)
{
	must(a->is_request == b->is_request && a->method == b->method && a->status == b->status);
	must(a->cseq == b->cseq && a->max_forwards == b->max_forwards && a->header_count == b->header_count);
	must(a->has_content_length == b->has_content_length && a->content_length == b->content_length);
	must_equal(a->method_text, b->method_text);
	must_equal(a->request_uri, b->request_uri);
	must_equal(a->reason, b->reason);
	must_equal(a->via.branch, b->via.branch);
	must_equal(a->from.uri.text, b->from.uri.text);
	must_equal(a->from_tag, b->from_tag);
	must_equal(a->to.uri.text, b->to.uri.text);
	must_equal(a->to_tag, b->to_tag);
	must_equal(a->call_id, b->call_id);
	must_equal(a->body, b->body);
	for (unsigned i = 0; i < a->header_count; i++) {
		must(a->headers[i].is == b->headers[i].is);
		must_equal(a->headers[i].name, b->headers[i].name);
		must_equal(a->headers[i].value, b->headers[i].value);
	}
}

// Every value of every header, as those who use the message would go over them.
static void walk(const struct sip_message *m)
{
	for (int name = 0; name < SIP_HEADER_COUNT; name++) {
		struct sip_walk walk = {0};
		struct str value;
		struct sip_address address;
		while (sip_value_next(m, (enum sip_header_name)name, &walk, &value)) {
			must(!str_empty(value));
			must_lie_within(m->bytes, value);
			for (size_t i = 0; i < value.length; i++)
				must(value.at[i] != '\r' && value.at[i] != '\n');
			(void)sip_address_parse(value, &address);
			must(str_index(value, ';') < value.length ||
			     sip_list_has(m, (enum sip_header_name)name, value));
		}
	}
}

static void check_datagram(const uint8_t *data, size_t size)
{
	struct sip_message message, again;
	struct sip_fault fault;
	char *bytes = malloc(size + 1), *printed = malloc(size + 1);
	must(bytes && printed);
	memcpy(bytes, data, size);
	bool fine = sip_message_parse(bytes, size, SIP_DATAGRAM, &message, &fault);
	must(fine || (fault.why && fault.at <= size));
	must(fault.answerable == (fault.status != 0));
	must(!fault.answerable || (message.is_request && !str_empty(message.via.host)));
	if (message.bytes.at)
		walk(&message);
	if (fine) {
		struct writer w = writer_into(printed, size + 1);
		print(&w, &message);
		must(!w.overflow);
		if (!sip_message_parse(printed, w.used, SIP_DATAGRAM, &again, &fault)) {
			fprintf(stderr, "%s at %zu\n", fault.why, fault.at);
			abort();
		}
		must_be_same(&message, &again);
	}
	free(bytes);
	free(printed);
}

static void check_stream(const uint8_t *data, size_t size)
{
	struct sip_message message;
	struct sip_fault fault, framing;
	size_t skipped;
	char *bytes = malloc(size + 1);
	must(bytes);
	memcpy(bytes, data, size);
	long length = sip_message_frame(bytes, size, &skipped, &framing);
	must(skipped <= size);
	bool fine = sip_message_parse(bytes + skipped, size - skipped, SIP_STREAM, &message, &fault);
	if (length < 0)
		must(!fine && framing.why);
	else if (length == 0)
		must(!fine); // incomplete
	else
		must((size_t)length <= size - skipped && (!fine || message.bytes.length == (size_t)length));
	// One byte less is not a message.
	if (length > 0)
		must(sip_message_frame(bytes + skipped, (size_t)length - 1, &skipped, &framing) == 0);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_datagram(data, size);
	check_stream(data, size);
	return 0;
}
