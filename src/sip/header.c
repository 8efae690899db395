// Headers by name, and the values that a message has of each.
#include "sip/header.h"

#include "sip/syntax.h"

#include <string.h>

struct header_row {
	struct str wire;
	enum sip_header_count how_many;
	const char *repeated; // the sentence about a second one
};

static const struct header_row rows[SIP_HEADER_COUNT] = {
#define HEADER(name, wire, compact, how_many)                                                                          \
	[SIP_HEADER_##name] = {{wire, sizeof wire - 1}, SIP_HEADER_##how_many, "a second " wire " header"},
#include "sip/headers.def"
#undef HEADER
    [SIP_HEADER_OTHER] = {{"", 0}, SIP_HEADER_LINES, ""},
};

enum sip_header_count sip_header_how_many(enum sip_header_name name)
{
	return rows[name].how_many;
}

const char *sip_header_repeated(enum sip_header_name name)
{
	return rows[name].repeated;
}

struct str sip_header_wire_name(enum sip_header_name name)
{
	return rows[name].wire;
}

static enum sip_header_name compact_form(char letter)
{
	letter |= 0x20;
#define HEADER(name, wire, compact, how_many)                                                                          \
	if ((compact) != 0 && letter == (compact))                                                                     \
		return SIP_HEADER_##name;
#include "sip/headers.def"
#undef HEADER
	return SIP_HEADER_OTHER;
}

// Names are tokens, and among those the bit that tells small letters from capitals makes no two others alike.
static inline __attribute__((always_inline)) bool same_name(const char *name, const char *wire, size_t length)
{
	const uint64_t fold = UINT64_C(0x2020202020202020);
	size_t i = 0;
	for (; i + 8 <= length; i += 8) {
		uint64_t left, right;
		memcpy(&left, name + i, 8);
		memcpy(&right, wire + i, 8);
		if ((left | fold) != (right | fold))
			return false;
	}
	for (; i < length; i++) {
		if ((name[i] | 0x20) != (wire[i] | 0x20))
			return false;
	}
	return true;
}

// Called with a length that the compiler knows, so that only the names of that length are left of the table.
static inline __attribute__((always_inline)) enum sip_header_name of_length(struct str name, size_t length)
{
#define HEADER(known, wire, compact, how_many)                                                                         \
	if (length == sizeof wire - 1 && same_name(name.at, wire, sizeof wire - 1))                                    \
		return SIP_HEADER_##known;
#include "sip/headers.def"
#undef HEADER
	return SIP_HEADER_OTHER;
}

#define OF_LENGTH(n)                                                                                                   \
	case n:                                                                                                        \
		return of_length(name, n)

enum sip_header_name sip_header_name_of(struct str name)
{
	switch (name.length) {
	case 1:
		return compact_form(name.at[0]);
		OF_LENGTH(2);
		OF_LENGTH(3);
		OF_LENGTH(4);
		OF_LENGTH(5);
		OF_LENGTH(6);
		OF_LENGTH(7);
		OF_LENGTH(8);
		OF_LENGTH(9);
		OF_LENGTH(10);
		OF_LENGTH(11);
		OF_LENGTH(12);
		OF_LENGTH(13);
		OF_LENGTH(14);
		OF_LENGTH(15);
		OF_LENGTH(16);
		OF_LENGTH(17);
		OF_LENGTH(18);
		OF_LENGTH(19);
		OF_LENGTH(20);
		OF_LENGTH(21);
		OF_LENGTH(22);
		OF_LENGTH(23);
		OF_LENGTH(24);
	default:
		return SIP_HEADER_OTHER;
	}
}

const struct sip_header *sip_header_first(const struct sip_message *message, enum sip_header_name name)
{
	int first = message->first[name];
	return first < 0 ? NULL : &message->headers[first];
}

const struct sip_header *sip_header_next(const struct sip_message *message, const struct sip_header *after)
{
	const struct sip_header *end = message->headers + message->header_count;
	for (const struct sip_header *header = after + 1; header < end; header++) {
		if (header->is == after->is)
			return header;
	}
	return NULL;
}

struct str sip_header_value(const struct sip_message *message, enum sip_header_name name)
{
	const struct sip_header *header = sip_header_first(message, name);
	return header ? header->value : STR_NONE;
}

// The index of the comma that ends the first value: one outside of quotes and of < >, or the length.
static size_t value_end(struct str text)
{
	if (str_index(text, ',') == text.length) // most lines hold one value
		return text.length;
	for (size_t i = 0; i < text.length; i++) {
		i = syntax_span(text, i, SYNTAX_ONE_VALUE);
		if (i == text.length || text.at[i] == ',')
			return i;
		if (text.at[i] == '<') {
			i += str_index(str_from(text, i), '>');
		} else {
			size_t end = syntax_quoted_end(text, i);
			if (end == 0)
				break;
			i = end - 1;
		}
	}
	return text.length;
}

// Moves to the next line of the name; false, again and again, when there is none left.
static bool next_line(const struct sip_message *message, enum sip_header_name name, struct sip_walk *walk)
{
	unsigned count = message->header_count;
	unsigned i = message->first[name] < 0 ? count : (unsigned)message->first[name];
	if (walk->started)
		i = walk->header < count ? walk->header + 1 : count;
	while (i < count && message->headers[i].is != name)
		i++;
	walk->started = true;
	walk->header = i;
	if (i == count)
		return false;
	walk->rest = message->headers[i].value;
	return true;
}

bool sip_value_next(const struct sip_message *message, enum sip_header_name name, struct sip_walk *walk,
		    struct str *value)
{
	bool joined = rows[name].how_many == SIP_HEADER_MANY;
	for (;;) {
		while (str_empty(walk->rest)) {
			if (!next_line(message, name, walk))
				return false;
		}
		size_t end = joined ? value_end(walk->rest) : walk->rest.length;
		*value = syntax_trim(str_first(walk->rest, end));
		walk->rest = str_from(walk->rest, end + 1);
		if (!str_empty(*value))
			return true;
	}
}

bool sip_list_has(const struct sip_message *message, enum sip_header_name name, struct str token)
{
	struct sip_walk walk = {0};
	struct str value;
	while (sip_value_next(message, name, &walk, &value)) {
		if (str_equal_nocase(syntax_trim(str_first(value, str_index(value, ';'))), token))
			return true;
	}
	return false;
}
