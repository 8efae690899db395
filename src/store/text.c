// Lower case and clean-up of text. Letters beyond ASCII are those of the scripts that two bytes of UTF-8 hold.
#include "store/text.h"

// Pairs of an even upper and the odd lower letter after it, or of an odd and the even one.
static bool in_pairs(unsigned code, unsigned first, unsigned last)
{
	return code >= first && code <= last && (code - first) % 2 == 0;
}

static unsigned latin_fold(unsigned code)
{
	if (code >= 0xC0 && code <= 0xDE && code != 0xD7)
		return code + 0x20;
	if (code == 0x130) // its lower case is ASCII i: another length
		return code;
	if (code == 0x178)
		return 0xFF;
	if (in_pairs(code, 0x100, 0x136) || in_pairs(code, 0x139, 0x147) || in_pairs(code, 0x14A, 0x176) ||
	    in_pairs(code, 0x179, 0x17D))
		return code + 1;
	return code;
}

static unsigned greek_and_cyrillic_fold(unsigned code)
{
	if (code == 0x386)
		return 0x3AC;
	if (code >= 0x388 && code <= 0x38A)
		return code + 37;
	if (code == 0x38C)
		return 0x3CC;
	if (code == 0x38E || code == 0x38F)
		return code + 63;
	if (code >= 0x391 && code <= 0x3AB && code != 0x3A2)
		return code + 0x20;
	if (code >= 0x400 && code <= 0x40F)
		return code + 0x50;
	if (code >= 0x410 && code <= 0x42F)
		return code + 0x20;
	return code;
}

void text_fold(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 'A' && c <= 'Z') {
			text[i] = (char)(c + 0x20);
		} else if (c >= 0xC3 && c <= 0xD3 && i + 1 < length && ((unsigned char)text[i + 1] & 0xC0) == 0x80) {
			unsigned code = (c & 0x1FU) << 6 | ((unsigned char)text[i + 1] & 0x3FU);
			code = code < 0x180 ? latin_fold(code) : greek_and_cyrillic_fold(code);
			text[i++] = (char)(0xC0 | code >> 6);
			text[i] = (char)(0x80 | (code & 0x3F));
		}
	}
}

struct str text_pattern(struct str word, struct arena *arena)
{
	char *pattern = arena_alloc(arena, 2 * word.length + 2);
	size_t used = 0;

	if (!pattern)
		return STR_NONE;
	pattern[used++] = '%';
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '%' || word.at[i] == '_' || word.at[i] == '\\')
			pattern[used++] = '\\';
		pattern[used++] = word.at[i];
	}
	pattern[used++] = '%';
	text_fold(pattern, used);
	return (struct str){pattern, used};
}

// Length of the character that begins here (RFC 3629 section 4); 0 when it is none, or NUL.
static size_t character_length(const unsigned char *at, size_t room)
{
	size_t length = at[0] < 0x80   ? 1
			: at[0] < 0xC2 ? 0
			: at[0] < 0xE0 ? 2
			: at[0] < 0xF0 ? 3
			: at[0] < 0xF5 ? 4
				       : 0;

	if (at[0] == 0 || length == 0 || length > room)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90)) // longer than needed
		return 0;
	if ((at[0] == 0xED && at[1] > 0x9F) || (at[0] == 0xF4 && at[1] > 0x8F)) // surrogates, beyond the last
		return 0;
	return length;
}

static size_t clean_length(struct str text)
{
	size_t at = 0, length;

	while (at < text.length) {
		length = character_length((const unsigned char *)text.at + at, text.length - at);
		if (length == 0)
			break;
		at += length;
	}
	return at;
}

struct str text_clean(struct str text, struct arena *arena)
{
	size_t clean = clean_length(text);
	struct str copy;

	if (clean == text.length)
		return text;
	copy = arena_copy(arena, text);
	if (!copy.at)
		return copy;
	while (clean < copy.length) {
		((char *)(uintptr_t)copy.at)[clean] = '?';
		clean += clean_length(str_from(copy, clean));
	}
	return copy;
}
