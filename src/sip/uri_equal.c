// Whether two URIs mean the same place: RFC 3261 section 19.1.4, RFC 3966 section 5.
#include "sip/syntax.h"
#include "sip/uri.h"

#include <arpa/inet.h>

enum letter_case { CASE_MATTERS, CASE_FOLDS };

static int fold(int c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

// The next character of an escaped text. A reserved character is not equal to its escaped form, so an escaped one gets a
// value of its own, above 255.
static int next_character(struct str text, size_t *i)
{
	char c = text.at[(*i)++];
	if (c != '%' || *i + 1 >= text.length)
		return (unsigned char)c;
	char plain = (char)(syntax_hex(text.at[*i]) << 4 | syntax_hex(text.at[*i + 1]));
	*i += 2;
	return (unsigned char)plain + (syntax_has(SYNTAX_RESERVED, plain) ? 256 : 0);
}

static bool escaped_equal(struct str a, struct str b, enum letter_case letters)
{
	size_t i = 0, j = 0;
	while (i < a.length && j < b.length) {
		int left = next_character(a, &i), right = next_character(b, &j);
		if (letters == CASE_FOLDS ? fold(left) != fold(right) : left != right)
			return false;
	}
	return i == a.length && j == b.length;
}

// Finds `name` in a list whose names may be escaped.
static bool find(struct str list, char separator, struct str name, struct str *value)
{
	struct str piece;
	while (str_take(&list, separator, &piece)) {
		size_t equals = str_index(piece, '=');
		if (escaped_equal(str_first(piece, equals), name, CASE_FOLDS)) {
			*value = str_from(piece, equals + 1);
			return true;
		}
	}
	return false;
}

// A parameter that may not stand in one of the two alone.
static bool must_be_in_both(struct str name)
{
	return str_equal_nocase(name, STR("transport")) || str_equal_nocase(name, STR("user")) ||
	       str_equal_nocase(name, STR("ttl")) || str_equal_nocase(name, STR("method")) ||
	       str_equal_nocase(name, STR("maddr"));
}

// How lists of name=value compare.
struct list_rule {
	char separator;
	bool all_in_both; // else only those that must_be_in_both names
	enum letter_case values;
};
static const struct list_rule sip_parameters = {';', false, CASE_FOLDS};
static const struct list_rule sip_headers = {'&', true, CASE_MATTERS};
static const struct list_rule tel_parameters = {';', true, CASE_FOLDS};

// Whether all that `a` holds agrees with what `b` holds.
static bool list_agrees(struct str a, struct str b, const struct list_rule *rule)
{
	const struct str whole = a;
	struct str piece, value;
	while (str_take(&a, rule->separator, &piece)) {
		size_t equals = str_index(piece, '=');
		struct str name = str_first(piece, equals);
		// What stands twice counts as it stands first.
		if (find(whole, rule->separator, name, &value) && value.at != str_from(piece, equals + 1).at)
			continue;
		if (find(b, rule->separator, name, &value)) {
			if (!escaped_equal(str_from(piece, equals + 1), value, rule->values))
				return false;
		} else if (rule->all_in_both || must_be_in_both(name)) {
			return false;
		}
	}
	return true;
}

static bool lists_equal(struct str a, struct str b, const struct list_rule *rule)
{
	return list_agrees(a, b, rule) && list_agrees(b, a, rule);
}

static bool host_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->host_is_ipv6 != b->host_is_ipv6)
		return false;
	if (!a->host_is_ipv6)
		return str_equal_nocase(a->host, b->host);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr left, right;
	if (!str_to_cstring(a->host, text, sizeof text) || inet_pton(AF_INET6, text, &left) != 1)
		return false;
	if (!str_to_cstring(b->host, text, sizeof text) || inet_pton(AF_INET6, text, &right) != 1)
		return false;
	return IN6_ARE_ADDR_EQUAL(&left, &right);
}

// The next character of a telephone number that is not a visual separator, 0 at the end.
static int next_digit(struct str number, size_t *i)
{
	while (*i < number.length) {
		char c = number.at[(*i)++];
		if (c != '-' && c != '.' && c != '(' && c != ')')
			return fold(c);
	}
	return 0;
}

static bool number_equal(struct str a, struct str b)
{
	size_t i = 0, j = 0;
	for (;;) {
		int left = next_digit(a, &i), right = next_digit(b, &j);
		if (left != right)
			return false;
		if (left == 0)
			return true;
	}
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	switch (a->scheme) {
	case URI_SIP:
	case URI_SIPS:
		return escaped_equal(a->user, b->user, CASE_MATTERS) &&
		       escaped_equal(a->password, b->password, CASE_MATTERS) && host_equal(a, b) &&
		       a->port == b->port && lists_equal(a->parameters, b->parameters, &sip_parameters) &&
		       lists_equal(a->headers, b->headers, &sip_headers);
	case URI_TEL:
		return number_equal(a->user, b->user) && lists_equal(a->parameters, b->parameters, &tel_parameters);
	case URI_OTHER:
		break;
	}
	return str_equal(a->text, b->text);
}
