// The pieces of SIP's grammar (RFC 3261 section 25.1) that the parsers of this folder share. For src/sip/ alone.
#ifndef SIP_SYNTAX_H
#define SIP_SYNTAX_H

#include "base/str.h"

// A set of bytes. One of its own for each of them: to pick a bit out of four words takes ten instructions a letter, this six.
struct syntax_set {
	bool has[256];
};

// Sets are written down as words of a bit each: below 64, below 128, and the two beyond ASCII, which are in or out as a whole.
#define SYNTAX_SET(low, high, beyond)                                                                                  \
	{                                                                                                              \
		{                                                                                                      \
			SYNTAX_WORD(low), SYNTAX_WORD(high), SYNTAX_WORD(beyond), SYNTAX_WORD(beyond)                  \
		}                                                                                                      \
	}
#define SYNTAX_WORD(word)                                                                                              \
	SYNTAX_EIGHT(word, 0), SYNTAX_EIGHT(word, 8), SYNTAX_EIGHT(word, 16), SYNTAX_EIGHT(word, 24),                  \
	    SYNTAX_EIGHT(word, 32), SYNTAX_EIGHT(word, 40), SYNTAX_EIGHT(word, 48), SYNTAX_EIGHT(word, 56)
#define SYNTAX_EIGHT(word, at)                                                                                         \
	SYNTAX_IN(word, at), SYNTAX_IN(word, at + 1), SYNTAX_IN(word, at + 2), SYNTAX_IN(word, at + 3),                \
	    SYNTAX_IN(word, at + 4), SYNTAX_IN(word, at + 5), SYNTAX_IN(word, at + 6), SYNTAX_IN(word, at + 7)
#define SYNTAX_IN(word, at) (((word) >> (at)&1) != 0)
#define SYNTAX_ALL          UINT64_MAX
#define SYNTAX_NONE         UINT64_C(0)

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

extern const struct syntax_set syntax_token;

static inline bool syntax_has(const struct syntax_set *set, char c)
{
	return set->has[(unsigned char)c];
}

// The index of the first byte at or after `from` that is not in the set.
static inline size_t syntax_span(struct str text, size_t from, const struct syntax_set *set)
{
	while (from < text.length && syntax_has(set, text.at[from]))
		from++;
	return from;
}

static inline bool syntax_is_digit(char c)
{
	return c >= '0' && c <= '9';
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
