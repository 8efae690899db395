// The pieces of SIP's grammar that the parsers of this folder share.
#include "sip/syntax.h"

#include <arpa/inet.h>
#include <string.h>

_Static_assert(SYNTAX_SETS_COUNT <= 16, "a bit for each set");

#define IN(name, byte, low, high, beyond)                                                                              \
	| (((byte) < 64 ? (low) : (byte) < 128 ? (high) : (beyond)) >> ((byte)&63) & 1) << SYNTAX_##name
#define ONE(byte)     (uint16_t)(0 SYNTAX_SETS(IN, byte))
#define FOUR(byte)    ONE(byte), ONE((byte) + 1), ONE((byte) + 2), ONE((byte) + 3)
#define SIXTEEN(byte) FOUR(byte), FOUR((byte) + 4), FOUR((byte) + 8), FOUR((byte) + 12)
#define WORD(byte)    SIXTEEN(byte), SIXTEEN((byte) + 16), SIXTEEN((byte) + 32), SIXTEEN((byte) + 48)

_Alignas(64) const uint16_t syntax_sets_of[256] = {WORD(0), WORD(64), WORD(128), WORD(192)};

int syntax_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t syntax_quoted_end(struct str text, size_t from)
{
	for (size_t i = from + 1; i < text.length; i++) {
		if (text.at[i] == '"')
			return i + 1;
		if (text.at[i] == '\\')
			i++;
	}
	return 0;
}

struct str syntax_trim(struct str text)
{
	size_t from = syntax_skip_space(text, 0);
	size_t to = text.length;
	while (to > from && syntax_is_space(text.at[to - 1]))
		to--;
	return syntax_slice(text, from, to);
}

struct str syntax_unquote(struct str text, char *into)
{
	size_t used = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\\' && i + 1 < text.length)
			i++;
		into[used++] = text.at[i];
	}
	return (struct str){into, used};
}

// Reads the value behind the '='; text.at[at] is its first byte. Gives the index behind it, 0 when broken.
static size_t parameter_value(struct str text, size_t at, char separator, struct syntax_parameter *parameter)
{
	if (at < text.length && text.at[at] == '"') {
		size_t end = syntax_quoted_end(text, at);
		if (end == 0)
			return 0;
		parameter->value = syntax_slice(text, at + 1, end - 1);
		return end;
	}
	size_t end = syntax_span(text, at, separator == ';' ? SYNTAX_BEFORE_SEMICOLON : SYNTAX_BEFORE_COMMA);
	parameter->value = syntax_slice(text, at, end);
	return end == at ? 0 : end;
}

enum syntax_step syntax_parameter_next(struct str *rest, char separator, struct syntax_parameter *parameter)
{
	struct str text = *rest;
	size_t at = syntax_skip_space(text, 0);
	if (at == text.length)
		return SYNTAX_END;

	size_t end = syntax_span(text, at, SYNTAX_TOKEN);
	if (end == at)
		return SYNTAX_BROKEN;
	*parameter = (struct syntax_parameter){.name = syntax_slice(text, at, end)};

	at = syntax_skip_space(text, end);
	if (at < text.length && text.at[at] == '=') {
		parameter->has_value = true;
		at = parameter_value(text, syntax_skip_space(text, at + 1), separator, parameter);
		if (at == 0)
			return SYNTAX_BROKEN;
		at = syntax_skip_space(text, at);
	}
	if (at < text.length && text.at[at++] != separator)
		return SYNTAX_BROKEN;
	*rest = str_from(text, at);
	return SYNTAX_ITEM;
}

static bool ipv6_valid(struct str host)
{
	char terminated[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (host.length >= sizeof terminated)
		return false;
	memcpy(terminated, host.at, host.length);
	terminated[host.length] = '\0';
	return strlen(terminated) == host.length && inet_pton(AF_INET6, terminated, &address) == 1;
}

// The index behind the IPv4 address that begins at `at`, 0 when none does.
static size_t ipv4_end(struct str text, size_t at)
{
	for (unsigned part = 0;; at++, part++) {
		unsigned value = 0;
		size_t begin = at;
		for (; at < text.length && at <= begin + 3 && syntax_is_digit(text.at[at]); at++)
			value = value * 10 + (unsigned)(text.at[at] - '0');
		if (at == begin || at > begin + 3 || value > 255)
			return 0;
		if (part == 3)
			return at;
		if (at == text.length || text.at[at] != '.')
			return 0;
	}
}

// Labels of letters, digits and hyphens; an underscore too, since names in local networks have it. The last label
// is no number (a toplabel begins with a letter), so "1234" is not taken for 0.0.4.210.
static bool name_valid(struct str host)
{
	size_t label = 0; // length of the last one
	bool number = false;
	for (size_t i = 0; i < host.length; i++) {
		if (host.at[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		number = (label == 0 || number) && syntax_is_digit(host.at[i]);
		label++;
	}
	return !number;
}

static bool host_parse(struct str text, size_t *at, struct syntax_hostport *into, const char **why)
{
	if (*at < text.length && text.at[*at] == '[') {
		size_t from = *at + 1;
		size_t to = from + str_index(str_from(text, from), ']');
		into->host = syntax_slice(text, from, to);
		into->is_ipv6 = true;
		*why = "not an IPv6 address between the brackets";
		if (to == text.length || !ipv6_valid(into->host))
			return false;
		*at = to + 1;
		return true;
	}
	// Most hosts on the wire are IPv4 addresses.
	size_t to = ipv4_end(text, *at);
	bool address = to != 0 && (to == text.length || !syntax_has(SYNTAX_HOST, text.at[to]));
	if (!address)
		to = syntax_span(text, *at, SYNTAX_HOST);
	into->host = syntax_slice(text, *at, to);
	into->is_ipv6 = false;
	*why = to == *at ? "the host is missing" : "neither a host name nor an IPv4 address";
	if (to == *at || !(address || name_valid(into->host)))
		return false;
	*at = to;
	return true;
}

bool syntax_hostport_parse(struct str text, enum syntax_spaces spaces, size_t *at, struct syntax_hostport *into,
			   const char **why)
{
	into->port = 0;
	if (!host_parse(text, at, into, why))
		return false;

	size_t colon = spaces == SYNTAX_SPACED ? syntax_skip_space(text, *at) : *at;
	if (colon == text.length || text.at[colon] != ':')
		return true;
	size_t from = spaces == SYNTAX_SPACED ? syntax_skip_space(text, colon + 1) : colon + 1;
	size_t to = from;
	unsigned port = 0;
	for (; to < text.length && syntax_is_digit(text.at[to]); to++)
		port = port > UINT16_MAX ? port : port * 10 + (unsigned)(text.at[to] - '0');
	*at = from;
	*why = "not a port between 1 and 65535";
	if (port == 0 || port > UINT16_MAX)
		return false;
	into->port = (uint16_t)port;
	*at = to;
	return true;
}
