#include "message.h"

#include <string.h>
#include <strings.h>

static enum method method_of(struct str name)
{
	static const struct {
		struct str name;
		enum method method;
	} methods[] = {
	    {{"REGISTER", 8}, METHOD_REGISTER}, {{"INVITE", 6}, METHOD_INVITE}, {{"ACK", 3}, METHOD_ACK},
	    {{"CANCEL", 6}, METHOD_CANCEL},     {{"BYE", 3}, METHOD_BYE},
	};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (str_equal(methods[i].name, name))
			return methods[i].method;
	return METHOD_OTHER;
}

struct str message_between(struct str value, const char *before, const char *stops)
{
	const char *at = value.length ? memmem(value.at, value.length, before, strlen(before)) : NULL;

	if (!at)
		return STR_NONE;
	at += strlen(before);
	size_t left = value.length - (size_t)(at - value.at), length = 0;

	while (length < left && !strchr(stops, at[length]))
		length++;
	return (struct str){at, length};
}

static struct str tag_of(struct str value)
{
	return message_between(value, ";tag=", ";> \r\n");
}

static void extend(struct str *lines, struct str line)
{
	if (str_empty(*lines))
		lines->at = line.at;
	lines->length = (size_t)(line.at + line.length - lines->at);
}

static struct str uri_of(struct str value)
{
	struct str inside = message_between(value, "<", ">");

	return str_empty(inside) ? str_first(value, str_index(value, ';')) : inside;
}

static bool first_line(struct str line, struct message *message)
{
	uint64_t status;
	struct str piece;

	if (str_starts(line, STR("SIP/2.0 ")) && line.length >= 11) {
		if (!str_to_uint(str_first(str_from(line, 8), 3), 699, &status))
			return false;
		message->status = (unsigned)status;
		return true;
	}
	if (!str_take(&line, ' ', &piece) || line.length < 9)
		return false;
	message->method = method_of(piece);
	return str_take(&line, ' ', &message->uri) && str_equal(line, STR("SIP/2.0"));
}

static void header_line(struct message *message, struct str line, struct str whole)
{
	struct str name, value = line, number;

	if (!str_take(&value, ':', &name))
		return;
	name = str_trim(name);
	value = str_trim(value);
	switch (name.length ? name.at[0] | 32 : 0) {
	case 'v':
		if (!str_equal_nocase(name, STR("Via")) && name.length > 1)
			break;
		if (str_empty(message->vias))
			message->branch = message_between(value, ";branch=", ";, \r\n");
		extend(&message->vias, whole);
		break;
	case 'f':
		if (str_equal_nocase(name, STR("From")) || name.length == 1) {
			message->from = value;
			message->from_tag = tag_of(value);
		}
		break;
	case 't':
		if (str_equal_nocase(name, STR("To")) || name.length == 1) {
			message->to = value;
			message->to_tag = tag_of(value);
		}
		break;
	case 'c':
		if (str_equal_nocase(name, STR("CSeq"))) {
			message->cseq = value;
			if (message->status && str_take(&value, ' ', &number))
				message->method = method_of(value);
		} else if (str_equal_nocase(name, STR("Call-ID"))) {
			message->call_id = value;
		} else if (str_equal_nocase(name, STR("Contact"))) {
			message->contact = uri_of(value);
		}
		break;
	case 'i':
		if (name.length == 1)
			message->call_id = value;
		break;
	case 'm':
		if (name.length == 1)
			message->contact = uri_of(value);
		break;
	case 'r':
		if (str_equal_nocase(name, STR("Record-Route")))
			extend(&message->routes, whole);
		else if (str_equal_nocase(name, STR("Retry-After")))
			message->retry_after = value;
		break;
	case 'w':
	case 'p':
		if (str_equal_nocase(name, STR("WWW-Authenticate")) ||
		    str_equal_nocase(name, STR("Proxy-Authenticate")))
			if (str_empty(message->challenge) || memmem(value.at, value.length, "MD5", 3))
				message->challenge = value;
		break;
	default:
		break;
	}
}

static size_t head_length(struct str text)
{
	const char *end = text.length ? memmem(text.at, text.length, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - text.at) + 4 : 0;
}

static size_t content_length(struct str head)
{
	uint64_t length = 0;
	struct str rest = head, line;

	while (str_take(&rest, '\n', &line))
		if (str_starts_nocase(line, STR("Content-Length:")) || str_starts_nocase(line, STR("l:")))
			str_to_uint(str_trim(str_from(line, str_index(line, ':') + 1)), 65535, &length);
	return (size_t)length;
}

size_t message_length(struct str text)
{
	size_t head = head_length(text), whole;

	if (!head)
		return 0;
	whole = head + content_length(str_first(text, head));
	return whole <= text.length ? whole : 0;
}

bool message_read(struct str text, struct message *message)
{
	size_t head = head_length(text);
	struct str rest = str_first(text, head), line;

	*message = (struct message){.length = text.length};
	if (!head || !str_take(&rest, '\n', &line) || !first_line(str_trim(line), message))
		return false;
	while (str_take(&rest, '\n', &line)) {
		struct str whole = {line.at, line.length + 1};
		if (line.length <= 1)
			break;
		header_line(message, str_first(line, line.length - 1), whole);
	}
	message->body = str_from(text, head);
	return !str_empty(message->call_id) && !str_empty(message->cseq) && !str_empty(message->vias);
}
