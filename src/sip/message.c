// SIP messages: the start line, the headers by name, and the fields that every message must have, checked.
// A fault does not end the reading: what is good behind it is needed to answer it.
#include "sip/message.h"

#include "sip/head.h"
#include "sip/header.h"
#include "sip/syntax.h"

#include <assert.h>
#include <string.h>

static const struct str method_names[SIP_METHOD_COUNT] = {
#define METHOD(name, wire) [SIP_##name] = {wire, sizeof wire - 1},
#include "sip/methods.def"
#undef METHOD
    [SIP_METHOD_OTHER] = {"", 0},
};

enum sip_method sip_method_of(struct str text)
{
#define METHOD(name, wire)                                                                                             \
	if (text.length == sizeof wire - 1 && memcmp(text.at, wire, sizeof wire - 1) == 0)                             \
		return SIP_##name;
#include "sip/methods.def"
#undef METHOD
	return SIP_METHOD_OTHER;
}

const char *sip_method_name(enum sip_method method)
{
	return method_names[method].at;
}

struct parser {
	struct sip_head head;
	enum sip_framing framing;
	struct sip_message *message;
	struct sip_fault *fault;
};

// The first fault stays; it is the one that is answered.
static void refuse(struct parser *p, const char *at, unsigned status, const char *why)
{
	if (p->fault->why)
		return;
	*p->fault = (struct sip_fault){.at = (size_t)(at - p->head.bytes), .why = why, .status = status};
}

static void refuse_line(struct parser *p)
{
	refuse(p, p->head.bytes + p->head.why_at, p->head.status, p->head.why);
}

// ---- the start line

// Takes what stands before the next single space; false when there is no space.
static bool take_word(struct str *rest, struct str *word)
{
	size_t space = str_index(*rest, ' ');
	if (space == rest->length)
		return false;
	*word = str_first(*rest, space);
	*rest = str_from(*rest, space + 1);
	return true;
}

static bool is_version(struct str text)
{
	return str_equal_nocase(text, STR("SIP/2.0"));
}

// Request-Line = Method SP Request-URI SP SIP-Version
static void parse_request_line(struct parser *p, struct str line)
{
	struct sip_message *message = p->message;
	struct str rest = line;
	message->is_request = true;
	if (!take_word(&rest, &message->method_text) || str_empty(message->method_text) ||
	    syntax_span(message->method_text, 0, SYNTAX_TOKEN) < message->method_text.length) {
		refuse(p, line.at, 0, "neither a request line nor a status line");
		message->method_text = STR_NONE;
		return;
	}
	message->method = sip_method_of(message->method_text);
	if (!take_word(&rest, &message->request_uri)) {
		refuse(p, rest.at, 400, "the request line has no SIP version");
		return;
	}

	if (!is_version(rest)) {
		bool other_version = str_starts_nocase(rest, STR("SIP/")) && str_index(rest, ' ') == rest.length;
		refuse(p, rest.at, other_version ? 505 : 400,
		       other_version ? "a SIP version other than 2.0" : "the request line does not end with SIP/2.0");
	}
	const char *why;
	size_t at;
	if (!sip_uri_parse(message->request_uri, &message->uri, &why, &at))
		refuse(p, message->request_uri.at + at, message->request_uri.length > SIP_URI_MAX ? 414 : 400, why);
	else if (!str_empty(message->uri.headers))
		refuse(p, message->uri.headers.at, 400, "the Request-URI carries header fields");
}

// Status-Line = SIP-Version SP Status-Code SP Reason-Phrase; some leave the last space out with the phrase.
static void parse_status_line(struct parser *p, struct str line)
{
	struct sip_message *message = p->message;
	struct str version, status;
	struct str rest = line;
	uint64_t number;
	message->is_request = false;
	if (!take_word(&rest, &version) || !is_version(version)) {
		refuse(p, line.at, 0, "a SIP version other than 2.0");
		return;
	}
	if (!take_word(&rest, &status)) {
		status = rest;
		rest = STR_NONE;
	}
	if (status.length != 3 || !str_to_uint(status, 699, &number) || number < 100) {
		refuse(p, status.at, 0, "the status is not a number from 100 to 699");
		return;
	}
	message->status = (unsigned)number;
	message->reason = rest;
}

// False when there is nothing that could be a message.
static bool parse_start_line(struct parser *p)
{
	struct str line;
	switch (sip_head_start_line(&p->head, &line)) {
	case SIP_HEAD_LINE:
		break;
	case SIP_HEAD_BROKEN:
	case SIP_HEAD_CUT:
		refuse_line(p);
		break;
	case SIP_HEAD_BLANK: // the CRLFs before were skipped
		return false;
	}
	if (str_starts_nocase(line, STR("SIP/")))
		parse_status_line(p, line);
	else
		parse_request_line(p, line);
	return true;
}

// ---- the headers

static void check_repetition(struct parser *p, const struct sip_header *header, const struct sip_header *first)
{
	if (sip_header_how_many(header->is) == SIP_HEADER_ONE)
		refuse(p, header->name.at, 400, sip_header_repeated(header->is));
	else if (header->is == SIP_HEADER_CONTENT_LENGTH && !str_equal(header->value, first->value))
		refuse(p, header->name.at, 400, "two Content-Length headers that differ");
}

static void add_header(struct parser *p, struct str line)
{
	struct sip_message *message = p->message;
	if (message->header_count == SIP_HEADERS_MAX) {
		refuse(p, line.at, 513, "more than 128 headers");
		return;
	}
	struct sip_header *header = &message->headers[message->header_count];
	if (!sip_head_split(line, header)) {
		refuse(p, line.at, 400, "not a header: no name with a colon behind it");
		return;
	}
	int16_t *first = &message->first[header->is];
	if (*first < 0)
		*first = (int16_t)message->header_count;
	else
		check_repetition(p, header, &message->headers[*first]);
	message->header_count++;
}

static void parse_headers(struct parser *p)
{
	struct str line;
	for (;;) {
		switch (sip_head_line(&p->head, &line)) {
		case SIP_HEAD_BROKEN:
			refuse_line(p);
			if (!str_empty(line))
				add_header(p, line);
			break;
		case SIP_HEAD_LINE:
			add_header(p, line);
			break;
		case SIP_HEAD_CUT:
			refuse_line(p);
			if (!str_empty(line))
				add_header(p, line);
			return;
		case SIP_HEAD_BLANK:
			return;
		}
	}
}

// ---- the mandatory fields (RFC 3261 section 8.1.1)

// The header's value, trimmed; refuses a message without it.
static bool need(struct parser *p, enum sip_header_name name, const char *why, struct str *value)
{
	const struct sip_header *header = sip_header_first(p->message, name);
	if (!header) {
		refuse(p, p->head.bytes + p->head.at, 400, why);
		return false;
	}
	*value = header->value;
	return true;
}

static void check_via(struct parser *p)
{
	struct sip_via *via = &p->message->via;
	struct sip_walk walk = {0};
	struct str value, topmost;
	if (!need(p, SIP_HEADER_VIA, "no Via header", &value))
		return;
	if (!sip_value_next(p->message, SIP_HEADER_VIA, &walk, &topmost))
		refuse(p, value.at, 400, "Via is empty");
	else if (!sip_via_parse(topmost, via))
		refuse(p, topmost.at, 400, "the topmost Via cannot be read");
	else if (str_equal_nocase(via->branch, STR("z9hG4bK")))
		refuse(p, via->branch.at, 400, "the branch is nothing but the magic cookie");
}

static void check_address(struct parser *p, enum sip_header_name name, struct sip_address *address, struct str *tag)
{
	bool from = name == SIP_HEADER_FROM;
	struct str value;
	if (!need(p, name, from ? "no From header" : "no To header", &value))
		return;
	bool understood = p->message->is_request ? sip_address_parse(value, address) : sip_address_tag(value, tag);
	if (!understood)
		refuse(p, value.at, 400, from ? "From cannot be read" : "To cannot be read");
	else if (p->message->is_request)
		*tag = address->tag;
}

static void check_call_id(struct parser *p)
{
	struct str value;
	if (!need(p, SIP_HEADER_CALL_ID, "no Call-ID header", &value))
		return;
	for (size_t i = 0; i < value.length; i++) {
		if ((unsigned char)value.at[i] <= ' ') {
			refuse(p, value.at + i, 400, "a space or control character in Call-ID");
			return;
		}
	}
	p->message->call_id = value;
	if (str_empty(value))
		refuse(p, value.at, 400, "Call-ID is empty");
}

// The index of the first byte that is no digit.
static size_t digits_end(struct str text)
{
	size_t end = 0;
	while (end < text.length && syntax_is_digit(text.at[end]))
		end++;
	return end;
}

// CSeq = 1*DIGIT LWS Method
static void check_cseq(struct parser *p)
{
	struct sip_message *message = p->message;
	struct str value;
	if (!need(p, SIP_HEADER_CSEQ, "no CSeq header", &value))
		return;
	size_t end = digits_end(value);
	struct str method = str_from(value, syntax_skip_space(value, end));
	uint64_t number;
	if (!str_to_uint(str_first(value, end), UINT32_MAX, &number)) {
		refuse(p, value.at, 400, "CSeq has no number below 2^32");
		return;
	}
	message->cseq = (uint32_t)number;
	if (str_empty(method) || method.at == value.at + end || syntax_span(method, 0, SYNTAX_TOKEN) < method.length) {
		refuse(p, method.at, 400, "CSeq has no method");
		return;
	}
	if (message->is_request && !str_equal(method, message->method_text))
		refuse(p, method.at, 400, "the method of CSeq is not that of the request");
	if (!message->is_request) {
		message->method_text = method;
		message->method = sip_method_of(method);
	}
}

// A number over 255 is no reason to refuse (RFC 4475 section 3.1.2.4): it counts as absent, so that loops still end.
static void check_max_forwards(struct parser *p)
{
	struct str value = sip_header_value(p->message, SIP_HEADER_MAX_FORWARDS);
	uint64_t number;
	if (!sip_header_first(p->message, SIP_HEADER_MAX_FORWARDS))
		return;
	if (str_to_uint(value, 255, &number))
		p->message->max_forwards = (unsigned)number;
	else if (str_empty(value) || digits_end(value) < value.length)
		refuse(p, value.at, 400, "Max-Forwards is not a number");
}

// Contacts of a response are left to those who follow them: it is of no use to lose an answer over one.
static void check_contacts(struct parser *p)
{
	struct sip_walk walk = {0};
	struct sip_message *message = p->message;
	struct sip_address other, *address = &message->contact;
	struct str value;
	if (!message->is_request)
		return;
	while (sip_value_next(message, SIP_HEADER_CONTACT, &walk, &value)) {
		if (address == &message->contact)
			message->contact_text = value;
		if (!str_equal(value, STR("*")) && !sip_address_parse(value, address))
			refuse(p, value.at, 400, "a Contact cannot be read");
		address = &other;
	}
}

bool sip_contact_parse(const struct sip_message *message, struct str value, struct sip_address *address)
{
	if (value.at != message->contact_text.at || str_equal(value, STR("*")))
		return sip_address_parse(value, address);
	*address = message->contact;
	return true;
}

// RFC 3261 section 18.3. A datagram ends its message; in a stream only Content-Length does.
static void check_body(struct parser *p)
{
	struct sip_message *message = p->message;
	const struct sip_header *header = sip_header_first(message, SIP_HEADER_CONTENT_LENGTH);
	size_t head_length = p->head.at - (size_t)(message->bytes.at - p->head.bytes);
	size_t room = p->head.size - p->head.at, length = room;
	if (header) {
		message->has_content_length = sip_content_length(header->value, &message->content_length);
		if (!message->has_content_length)
			refuse(p, header->value.at, 400, "Content-Length is not a number below 2^32");
		else if (head_length + message->content_length > SIP_MESSAGE_MAX)
			refuse(p, header->value.at, 513, "the message is longer than 65535 bytes");
		else if (message->content_length > room)
			refuse(p, header->value.at, 400, "Content-Length is more than what is there");
		else
			length = message->content_length;
	} else if (p->framing == SIP_STREAM) {
		refuse(p, p->head.bytes + p->head.at, 400, "no Content-Length in a stream");
	}
	message->body = (struct str){p->head.bytes + p->head.at, length};
	message->bytes.length = head_length + length;
}

// Whether there is somebody to tell about the fault, and a place to send it to.
static void check_answerable(struct parser *p)
{
	const struct sip_message *message = p->message;
	p->fault->answerable = p->fault->status != 0 && message->is_request && message->method != SIP_ACK &&
			       !str_empty(message->method_text) && !str_empty(message->via.host);
	if (!p->fault->answerable)
		p->fault->status = 0;
}

static size_t skip_crlf(const char *bytes, size_t size)
{
	size_t at = 0;
	while (at + 1 < size && bytes[at] == '\r' && bytes[at + 1] == '\n')
		at += 2;
	return at;
}

// The head by its lines, of which nothing but the first is looked into. False when there is none.
static bool parse_head(struct parser *p)
{
	struct sip_message *message = p->message;
	memset(message, 0, offsetof(struct sip_message, headers));
	memset(message->first, 0xff, sizeof message->first);
	*p->fault = (struct sip_fault){.at = 0};
	message->method = SIP_METHOD_OTHER;
	message->max_forwards = 70;

	p->head.at = skip_crlf(p->head.bytes, p->head.limit);
	message->bytes.at = p->head.bytes + p->head.at;
	if (p->head.at == p->head.size || !parse_start_line(p)) {
		refuse(p, p->head.bytes + p->head.at, 0, "nothing but line ends");
		return false;
	}
	if (p->head.size > SIP_MESSAGE_MAX)
		refuse(p, p->head.bytes + SIP_MESSAGE_MAX, 513, "the message is longer than 65535 bytes");
	parse_headers(p);
	return true;
}

bool sip_message_parse(char *bytes, size_t size, enum sip_framing framing, struct sip_message *message,
		       struct sip_fault *fault)
{
	struct parser p = {sip_head_over(bytes, size), framing, message, fault};
	if (!parse_head(&p))
		return false;
	check_via(&p);
	check_address(&p, SIP_HEADER_FROM, &message->from, &message->from_tag);
	check_address(&p, SIP_HEADER_TO, &message->to, &message->to_tag);
	check_call_id(&p);
	check_cseq(&p);
	check_max_forwards(&p);
	check_contacts(&p);
	check_body(&p);
	if (!fault->why)
		return true;
	check_answerable(&p);
	return false;
}

// ---- streams

// The length of the body by the headers, which are known to end with a blank line. False when it cannot be told.
static bool stream_body_length(struct sip_head *head, size_t *length)
{
	struct sip_header header;
	struct str line, given = STR_NONE;
	bool found = false;
	enum sip_head_step step = sip_head_start_line(head, &line);
	for (; step == SIP_HEAD_LINE || step == SIP_HEAD_BROKEN; step = sip_head_line(head, &line)) {
		if (!sip_head_split(line, &header) || header.is != SIP_HEADER_CONTENT_LENGTH)
			continue;
		if (found && !str_equal(header.value, given))
			return false;
		found = true;
		given = header.value;
	}
	return step == SIP_HEAD_BLANK && found && sip_content_length(given, length);
}

// The fault that the parser finds in what is there; it finds one wherever sip_message_frame gives up.
static long hopeless(char *bytes, size_t size, struct sip_fault *fault)
{
	struct sip_message message;
	bool parsed = sip_message_parse(bytes, size, SIP_STREAM, &message, fault);
	assert(!parsed);
	(void)parsed;
	return -1;
}

long sip_message_frame(char *bytes, size_t size, size_t *skipped, struct sip_fault *fault)
{
	*skipped = skip_crlf(bytes, size);
	*fault = (struct sip_fault){.at = 0};
	bytes += *skipped;
	size -= *skipped;
	if (size == 0 || (size == 1 && bytes[0] == '\r'))
		return 0;
	if (!syntax_has(SYNTAX_TOKEN, bytes[0])) // a TLS handshake, say: no need to wait for the end of a head
		return hopeless(bytes, size, fault);

	struct sip_head head = sip_head_over(bytes, size);
	if (!memmem(bytes, head.limit, "\r\n\r\n", 4))
		return size < SIP_HEAD_MAX ? 0 : hopeless(bytes, size, fault);
	size_t length;
	if (!stream_body_length(&head, &length) || head.at + length > SIP_MESSAGE_MAX)
		return hopeless(bytes, size, fault);
	return head.at + length > size ? 0 : (long)(head.at + length);
}
