// A slice of text that borrows its bytes: whoever holds the bytes decides how long the slice lives.
// Not terminated by a NUL; may hold any octet. Nothing here allocates.
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *at; // may be NULL when length is 0
	size_t length;  // bytes
};

// A slice of a string literal, usable in initialisers.
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
// For printf: printf("%.*s", STR_ARG(s)).
#define STR_ARG(s) (int)(s).length, ((s).at ? (s).at : "")

struct str str_of(const char *terminated); // NULL gives STR_NONE
static inline bool str_empty(struct str s)
{
	return s.length == 0;
}
bool str_equal(struct str a, struct str b);
int str_compare(struct str a, struct str b); // like memcmp, shorter first
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix); // ASCII case only
static inline bool str_equal_nocase(struct str a, struct str b)
{
	return a.length == b.length && str_starts_nocase(a, b);
}
// Constant time in the contents of both; the lengths may leak.
bool str_equal_secret(struct str a, struct str b);

// The slice from `from` (clamped) to the end, and the first `length` bytes (clamped).
struct str str_from(struct str s, size_t from);
struct str str_first(struct str s, size_t length);
// Cuts spaces, tabs, CR and LF from both ends.
struct str str_trim(struct str s);
// Index of the first `c`, or s.length.
size_t str_index(struct str s, char c);
// Takes what stands before the first `separator` off the front of *rest, and the separator with it.
// Without a separator takes all; false when *rest was empty.
bool str_take(struct str *rest, char separator, struct str *piece);

// A whole slice of decimal digits, at most `max`. False on an empty slice, a sign, any other byte or overflow.
bool str_to_uint(struct str s, uint64_t max, uint64_t *value);
// Optional leading minus.
bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *value);

// Copies with a terminating NUL; false (and an empty string) when it does not fit or holds a NUL.
bool str_to_cstring(struct str s, char *into, size_t size);

#endif
