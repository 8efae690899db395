// The pieces of SIP's grammar (RFC 3261 section 25.1) that the parsers of this folder share. For src/sip/ alone.
#ifndef SIP_SYNTAX_H
#define SIP_SYNTAX_H

#include "base/str.h"

// Sets of bytes, each written down as words of a bit each: below 64, below 128, and the two beyond ASCII, which are in or out as a
// whole.
#define SYNTAX_ALL            UINT64_MAX
#define SYNTAX_NONE           UINT64_C(0)
#define SYNTAX_BIT(c)         (UINT64_C(1) << ((c)&63))
#define SYNTAX_SPAN(from, to) (SYNTAX_BIT(to) - SYNTAX_BIT(from) + SYNTAX_BIT(to))

#define SYNTAX_DIGITS  SYNTAX_SPAN('0', '9')
#define SYNTAX_LETTERS (SYNTAX_SPAN('A', 'Z') | SYNTAX_SPAN('a', 'z'))
// unreserved = alphanum / mark
#define SYNTAX_UNRESERVED_LOW                                                                                          \
	(SYNTAX_DIGITS | SYNTAX_BIT('-') | SYNTAX_BIT('.') | SYNTAX_BIT('!') | SYNTAX_BIT('*') | SYNTAX_BIT('\'') |    \
	 SYNTAX_BIT('(') | SYNTAX_BIT(')'))
#define SYNTAX_UNRESERVED_HIGH (SYNTAX_LETTERS | SYNTAX_BIT('_') | SYNTAX_BIT('~'))
#define SYNTAX_TOKEN_LOW                                                                                               \
	(SYNTAX_DIGITS | SYNTAX_BIT('-') | SYNTAX_BIT('.') | SYNTAX_BIT('!') | SYNTAX_BIT('%') | SYNTAX_BIT('*') |     \
	 SYNTAX_BIT('+') | SYNTAX_BIT('\''))
#define SYNTAX_TOKEN_HIGH (SYNTAX_LETTERS | SYNTAX_BIT('_') | SYNTAX_BIT('`') | SYNTAX_BIT('~'))
// What may stand in an unquoted value: wider than a token, since tags and branches hold '/', '=', '@', ':' in practice and
// hosts hold brackets. What other lists are made of stays out: quotes, angle brackets and commas.
#define SYNTAX_VALUE_LOW                                                                                               \
	(SYNTAX_SPAN('!', '?') & ~SYNTAX_BIT('"') & ~SYNTAX_BIT('<') & ~SYNTAX_BIT('>') & ~SYNTAX_BIT(','))
#define SYNTAX_VALUE_HIGH (~SYNTAX_BIT('\\') & ~SYNTAX_BIT(0x7f))

// SET(name, byte, low, high, beyond), for the byte that is asked for:
// TOKEN
// BARE_NAME: a display name without quotes: tokens with spaces between. UTF-8 belongs in quotes, but is meant well without.
// BEFORE_COMMA, BEFORE_SEMICOLON: an unquoted value in a list that these part
// ONE_VALUE: no quotes, no '<' and no comma, by which values are parted
// SCHEME, HOST
// USER: unreserved / user-unreserved. '#' belongs escaped, but telephones send feature codes as they are typed.
// PASSWORD
// URI_PARAMETERS: paramchar, with the '=' and ';' between names and values
// URI_HEADERS: hname and hvalue, with the '=' and '&' between them
// RESERVED: not the same escaped and not
#define SYNTAX_SETS(SET, byte)                                                                                         \
	SET(TOKEN, byte, SYNTAX_TOKEN_LOW, SYNTAX_TOKEN_HIGH, SYNTAX_NONE)                                             \
	SET(BARE_NAME, byte, SYNTAX_TOKEN_LOW | SYNTAX_BIT(' ') | SYNTAX_BIT('\t'), SYNTAX_TOKEN_HIGH, SYNTAX_ALL)     \
	SET(BEFORE_COMMA, byte, SYNTAX_VALUE_LOW, SYNTAX_VALUE_HIGH, SYNTAX_ALL)                                       \
	SET(BEFORE_SEMICOLON, byte, SYNTAX_VALUE_LOW & ~SYNTAX_BIT(';'), SYNTAX_VALUE_HIGH, SYNTAX_ALL)                \
	SET(ONE_VALUE, byte, ~(SYNTAX_BIT('"') | SYNTAX_BIT('<') | SYNTAX_BIT(',')), SYNTAX_ALL, SYNTAX_ALL)           \
	SET(SCHEME, byte, SYNTAX_DIGITS | SYNTAX_BIT('+') | SYNTAX_BIT('-') | SYNTAX_BIT('.'), SYNTAX_LETTERS,         \
	    SYNTAX_NONE)                                                                                               \
	SET(HOST, byte, SYNTAX_DIGITS | SYNTAX_BIT('-') | SYNTAX_BIT('.'), SYNTAX_LETTERS | SYNTAX_BIT('_'),           \
	    SYNTAX_NONE)                                                                                               \
	SET(USER, byte,                                                                                                \
	    SYNTAX_UNRESERVED_LOW | SYNTAX_BIT('&') | SYNTAX_BIT('=') | SYNTAX_BIT('+') | SYNTAX_BIT('$') |            \
		SYNTAX_BIT(',') | SYNTAX_BIT(';') | SYNTAX_BIT('?') | SYNTAX_BIT('/') | SYNTAX_BIT('#'),               \
	    SYNTAX_UNRESERVED_HIGH, SYNTAX_NONE)                                                                       \
	SET(PASSWORD, byte,                                                                                            \
	    SYNTAX_UNRESERVED_LOW | SYNTAX_BIT('&') | SYNTAX_BIT('=') | SYNTAX_BIT('+') | SYNTAX_BIT('$') |            \
		SYNTAX_BIT(','),                                                                                       \
	    SYNTAX_UNRESERVED_HIGH, SYNTAX_NONE)                                                                       \
	SET(URI_PARAMETERS, byte,                                                                                      \
	    SYNTAX_UNRESERVED_LOW | SYNTAX_BIT('/') | SYNTAX_BIT(':') | SYNTAX_BIT('&') | SYNTAX_BIT('+') |            \
		SYNTAX_BIT('$') | SYNTAX_BIT('=') | SYNTAX_BIT(';'),                                                   \
	    SYNTAX_UNRESERVED_HIGH | SYNTAX_BIT('[') | SYNTAX_BIT(']'), SYNTAX_NONE)                                   \
	SET(URI_HEADERS, byte,                                                                                         \
	    SYNTAX_UNRESERVED_LOW | SYNTAX_BIT('/') | SYNTAX_BIT('?') | SYNTAX_BIT(':') | SYNTAX_BIT('+') |            \
		SYNTAX_BIT('$') | SYNTAX_BIT('=') | SYNTAX_BIT('&'),                                                   \
	    SYNTAX_UNRESERVED_HIGH | SYNTAX_BIT('[') | SYNTAX_BIT(']'), SYNTAX_NONE)                                   \
	SET(RESERVED, byte,                                                                                            \
	    SYNTAX_BIT(';') | SYNTAX_BIT('/') | SYNTAX_BIT('?') | SYNTAX_BIT(':') | SYNTAX_BIT('&') |                  \
		SYNTAX_BIT('=') | SYNTAX_BIT('+') | SYNTAX_BIT('$') | SYNTAX_BIT(','),                                 \
	    SYNTAX_BIT('@'), SYNTAX_NONE)

enum syntax_set {
#define SYNTAX_NAME(name, byte, low, high, beyond) SYNTAX_##name,
	SYNTAX_SETS(SYNTAX_NAME, 0) SYNTAX_SETS_COUNT
#undef SYNTAX_NAME
};

// The sets that a byte is in, a bit for each: all of ASCII that is written takes three lines of the cache, where a table for each set
// took three of them for each.
extern const uint16_t syntax_sets_of[256];

static inline bool syntax_has(enum syntax_set set, char c)
{
	return (syntax_sets_of[(unsigned char)c] >> set & 1) != 0;
}

// The index of the first byte at or after `from` that is not in the set.
static inline size_t syntax_span(struct str text, size_t from, enum syntax_set set)
{
	while (from < text.length && syntax_has(set, text.at[from]))
		from++;
	return from;
}

static inline bool syntax_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool syntax_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool syntax_is_space(char c)
{
	return c == ' ' || c == '\t';
}

// The value of a hexadecimal digit, -1 for anything else.
int syntax_hex(char c);
// The index of the first byte at or after `from` that is neither space nor tab. Folds are spaces by now.
static inline size_t syntax_skip_space(struct str text, size_t from)
{
	while (from < text.length && syntax_is_space(text.at[from]))
		from++;
	return from;
}
// text.at[from] is the opening quote: the index behind the closing one, or 0 when there is none.
size_t syntax_quoted_end(struct str text, size_t from);
// Cuts spaces and tabs from both ends.
struct str syntax_trim(struct str text);
// The bytes from `from` up to `to`.
static inline struct str syntax_slice(struct str text, size_t from, size_t to)
{
	return (struct str){text.at ? text.at + from : NULL, to - from};
}
// Resolves backslash pairs (quoted-pair); `into` has room for text.length bytes.
struct str syntax_unquote(struct str text, char *into);

enum syntax_step { SYNTAX_END, SYNTAX_ITEM, SYNTAX_BROKEN };

struct syntax_parameter {
	struct str name;
	struct str value; // without quotes, escapes as received
	bool has_value;
};

// Takes the next `name = value` off the front of a list (generic-param, auth-param). An empty element is broken; only the
// very last separator may have nothing behind it, since telephones send that.
enum syntax_step syntax_parameter_next(struct str *rest, char separator, struct syntax_parameter *parameter);

struct syntax_hostport {
	struct str host; // IPv6 without brackets
	bool is_ipv6;
	uint16_t port; // 0 = not given
};
enum syntax_spaces { SYNTAX_COMPACT, SYNTAX_SPACED }; // whether spaces may stand around the port's colon

// Reads host [":" port] from text at *at and moves *at behind it; on failure *at is where it went wrong, and *why says how.
bool syntax_hostport_parse(struct str text, enum syntax_spaces spaces, size_t *at, struct syntax_hostport *into,
			   const char **why);

#endif
