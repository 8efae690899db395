// Slices of text: compare, cut and convert.
#include "base/str.h"

#include <string.h>

static unsigned char ascii_lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

struct str str_of(const char *terminated)
{
	return terminated ? (struct str){terminated, strlen(terminated)} : STR_NONE;
}

bool str_equal(struct str a, struct str b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

int str_compare(struct str a, struct str b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common > 0 ? memcmp(a.at, b.at, common) : 0;
	if (order != 0)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.length >= prefix.length && str_equal(str_first(s, prefix.length), prefix);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
	if (s.length < prefix.length)
		return false;
	for (size_t i = 0; i < prefix.length; i++)
		if (ascii_lower(s.at[i]) != ascii_lower(prefix.at[i]))
			return false;
	return true;
}

bool str_equal_secret(struct str a, struct str b)
{
	if (a.length != b.length)
		return false;
	// volatile, so that the compiler cannot leave the loop at the first difference
	volatile unsigned char difference = 0;
	for (size_t i = 0; i < a.length; i++)
		difference = (unsigned char)(difference | (a.at[i] ^ b.at[i]));
	return difference == 0;
}

struct str str_from(struct str s, size_t from)
{
	if (from >= s.length)
		return (struct str){s.at ? s.at + s.length : NULL, 0};
	return (struct str){s.at + from, s.length - from};
}

struct str str_first(struct str s, size_t length)
{
	return (struct str){s.at, length < s.length ? length : s.length};
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.length > 0 && is_space(s.at[s.length - 1]))
		s.length--;
	while (s.length > 0 && is_space(s.at[0])) {
		s.at++;
		s.length--;
	}
	return s;
}

size_t str_index(struct str s, char c)
{
	const char *found = s.length > 0 ? memchr(s.at, c, s.length) : NULL;
	return found ? (size_t)(found - s.at) : s.length;
}

bool str_take(struct str *rest, char separator, struct str *piece)
{
	if (rest->length == 0)
		return false;
	size_t end = str_index(*rest, separator);
	*piece = str_first(*rest, end);
	*rest = str_from(*rest, end + 1);
	return true;
}

bool str_to_uint(struct str s, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;
	if (s.length == 0)
		return false;
	for (size_t i = 0; i < s.length; i++) {
		unsigned digit = (unsigned)(unsigned char)s.at[i] - '0'; // far above 9 when it is none
		if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	if (sum > max)
		return false;
	*value = sum;
	return true;
}

bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *value)
{
	bool negative = s.length > 0 && s.at[0] == '-';
	uint64_t size;
	if (!str_to_uint(negative ? str_from(s, 1) : s, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &size))
		return false;
	// -1 - (size - 1) reaches INT64_MIN without leaving the type
	int64_t result = negative && size > 0 ? -1 - (int64_t)(size - 1) : (int64_t)size;
	if (result < min || result > max)
		return false;
	*value = result;
	return true;
}

bool str_to_cstring(struct str s, char *into, size_t size)
{
	if (size == 0)
		return false;
	into[0] = '\0';
	if (s.length >= size || str_index(s, '\0') < s.length)
		return false;
	if (s.length > 0)
		memcpy(into, s.at, s.length);
	into[s.length] = '\0';
	return true;
}
