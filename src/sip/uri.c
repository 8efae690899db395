// SIP, SIPS and tel URIs: reading, escapes. Comparing them is in uri_equal.c.
#include "sip/uri.h"

#include "sip/syntax.h"

// The index of the first byte at or after `from` that is neither in the set nor part of a whole escape.
static size_t escaped_span(struct str text, size_t from, enum syntax_set set)
{
	while (from < text.length) {
		if (syntax_has(set, text.at[from]))
			from++;
		else if (text.at[from] == '%' && from + 2 < text.length && syntax_hex(text.at[from + 1]) >= 0 &&
			 syntax_hex(text.at[from + 2]) >= 0)
			from += 3;
		else
			break;
	}
	return from;
}

static bool fail(const char **why, size_t *at, const char *reason, size_t where)
{
	*why = reason;
	*at = where;
	return false;
}

// scheme ":"; gives the index behind the colon, 0 when there is none.
static size_t parse_scheme(struct str text, enum uri_scheme *scheme)
{
	if (str_empty(text) || !syntax_is_letter(text.at[0]))
		return 0;
	size_t end = syntax_span(text, 0, SYNTAX_SCHEME);
	if (end == text.length || text.at[end] != ':')
		return 0;

	struct str name = str_first(text, end);
	if (str_equal_nocase(name, STR("sip")))
		*scheme = URI_SIP;
	else if (str_equal_nocase(name, STR("sips")))
		*scheme = URI_SIPS;
	else if (str_equal_nocase(name, STR("tel")))
		*scheme = URI_TEL;
	else
		*scheme = URI_OTHER;
	return end + 1;
}

// [ userinfo "@" ]: an '@' cannot stand anywhere else in the URI.
static bool parse_userinfo(struct str text, size_t *position, struct sip_uri *uri, const char **why, size_t *at)
{
	size_t begin = *position;
	size_t sign = begin + str_index(str_from(text, begin), '@');
	if (sign == text.length)
		return true;

	size_t end = escaped_span(text, begin, SYNTAX_USER);
	uri->user = syntax_slice(text, begin, end);
	if (end == begin)
		return fail(why, at, "the user part is empty or begins with a forbidden character", begin);
	if (text.at[end] == ':') {
		size_t password = end + 1;
		end = escaped_span(text, password, SYNTAX_PASSWORD);
		uri->password = syntax_slice(text, password, end);
	}
	if (end != sign)
		return fail(why, at, "a character that must be escaped in the user part, or a broken escape", end);
	*position = sign + 1;
	return true;
}

// Every parameter needs a name; only the last separator may have nothing behind it. There is a bound on them, since comparing
// two URIs takes the product of their numbers.
static bool list_valid(struct str list, char separator)
{
	struct str piece;
	unsigned count = 0;
	while (str_take(&list, separator, &piece)) {
		if (str_empty(piece) || piece.at[0] == '=' || ++count > SIP_URI_PARAMETERS_MAX)
			return false;
	}
	return true;
}

// uri-parameters [ headers ] until the end of the text.
static bool parse_tail(struct str text, size_t position, struct sip_uri *uri, const char **why, size_t *at)
{
	if (position < text.length && text.at[position] == ';') {
		size_t end = escaped_span(text, position + 1, SYNTAX_URI_PARAMETERS);
		uri->parameters = syntax_slice(text, position + 1, end);
		if (!list_valid(uri->parameters, ';'))
			return fail(why, at, "a URI parameter without a name, or too many of them", position);
		position = end;
	}
	if (position < text.length && text.at[position] == '?' && uri->scheme != URI_TEL) {
		size_t end = escaped_span(text, position + 1, SYNTAX_URI_HEADERS);
		uri->headers = syntax_slice(text, position + 1, end);
		if (str_empty(uri->headers) || !list_valid(uri->headers, '&'))
			return fail(why, at, "a URI header without a name, or too many of them", position);
		position = end;
	}
	if (position < text.length)
		return fail(why, at, "a character that cannot stand here in a URI, or a broken escape", position);
	return true;
}

static bool parse_sip(struct str text, size_t position, struct sip_uri *uri, const char **why, size_t *at)
{
	if (!parse_userinfo(text, &position, uri, why, at))
		return false;
	struct syntax_hostport where;
	if (!syntax_hostport_parse(text, SYNTAX_COMPACT, &position, &where, why)) {
		*at = position;
		return false;
	}
	uri->host = where.host;
	uri->host_is_ipv6 = where.is_ipv6;
	uri->port = where.port;
	return parse_tail(text, position, uri, why, at);
}

// "+" with digits, or a local number of (hexadecimal) digits, '*' and '#'; visual separators between them.
static bool parse_tel(struct str text, size_t position, struct sip_uri *uri, const char **why, size_t *at)
{
	bool global = position < text.length && text.at[position] == '+';
	size_t end = position + global, digits = 0;
	for (; end < text.length && text.at[end] != ';'; end++) {
		char c = text.at[end];
		if (syntax_is_digit(c) || (!global && (syntax_hex(c) >= 0 || c == '*' || c == '#')))
			digits++;
		else if (c != '-' && c != '.' && c != '(' && c != ')')
			return fail(why, at, "a character that cannot stand in a telephone number", end);
	}
	if (digits == 0)
		return fail(why, at, "a telephone number without digits", position);
	uri->user = syntax_slice(text, position, end);
	return parse_tail(text, end, uri, why, at);
}

// Of a scheme that is not ours only the bytes are looked at, so that it can be written between < and >.
static bool parse_other(struct str text, size_t position, const char **why, size_t *at)
{
	if (position == text.length)
		return fail(why, at, "nothing behind the URI's scheme", position);
	for (; position < text.length; position++) {
		char c = text.at[position];
		if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"')
			return fail(why, at, "a character that cannot stand in a URI", position);
	}
	return true;
}

bool sip_uri_parse(struct str text, struct sip_uri *uri, const char **why, size_t *at)
{
	*uri = (struct sip_uri){.scheme = URI_OTHER, .text = text};
	if (text.length > SIP_URI_MAX)
		return fail(why, at, "the URI is longer than 1024 bytes", SIP_URI_MAX);
	size_t position = parse_scheme(text, &uri->scheme);
	if (position == 0)
		return fail(why, at, "the URI does not begin with a scheme", 0);

	switch (uri->scheme) {
	case URI_SIP:
	case URI_SIPS:
		return parse_sip(text, position, uri, why, at);
	case URI_TEL:
		return parse_tel(text, position, uri, why, at);
	case URI_OTHER:
		break;
	}
	return parse_other(text, position, why, at);
}

bool sip_parameter(struct str parameters, char separator, struct str name, struct str *value)
{
	struct str piece;
	while (str_take(&parameters, separator, &piece)) {
		size_t equals = str_index(piece, '=');
		if (!str_equal_nocase(str_first(piece, equals), name))
			continue;
		*value = str_from(piece, equals + 1);
		return true;
	}
	return false;
}

bool sip_unescape(struct str text, char *into, struct str *result)
{
	size_t used = 0;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (c == '%') {
			if (i + 2 >= text.length)
				return false;
			int high = syntax_hex(text.at[i + 1]), low = syntax_hex(text.at[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		into[used++] = c;
	}
	*result = (struct str){into, used};
	return true;
}

void sip_write_user(struct writer *w, struct str user)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < user.length; i++) {
		unsigned char c = (unsigned char)user.at[i];
		if (c != '#' && syntax_has(SYNTAX_USER, user.at[i])) {
			writer_char(w, user.at[i]);
			continue;
		}
		writer_char(w, '%');
		writer_char(w, digits[c >> 4]);
		writer_char(w, digits[c & 15]);
	}
}

struct str sip_number_only(struct str user)
{
	bool telephone = user.length > 0 && (user.at[0] == '+' || (user.at[0] >= '0' && user.at[0] <= '9'));
	return telephone ? str_first(user, str_index(user, ';')) : user;
}
