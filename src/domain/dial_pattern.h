// How a route says which numbers it takes. A pattern is held against the canonical number:
//   0 to 9, +   that digit; '+' only in front
//   X           0 to 9
//   Z           1 to 9
//   N           2 to 9
//   [13-5]      1, 3, 4 or 5
//   .           at the end: one or more further digits
//   !           at the end: any further digits, or none
// Digits alone are a prefix, as if '!' followed; the empty pattern takes every number.
//
// Of several that take a number the most specific goes first. They are compared from the left, and the first difference decides:
// fewer digits before more, a digit before the pattern's end, an end that takes nothing further before '.', that before '!'.
#ifndef DOMAIN_DIAL_PATTERN_H
#define DOMAIN_DIAL_PATTERN_H

#include "base/str.h"

enum { PATTERN_STEPS_MAX = 20, PATTERN_TEXT_MAX = 64 };

// What may follow the steps, the most specific first.
enum pattern_end { PATTERN_NOTHING, PATTERN_SOMETHING, PATTERN_ANYTHING };

struct dial_pattern {
	uint16_t steps[PATTERN_STEPS_MAX]; // sets of characters: see dial_step
	size_t count;
	enum pattern_end end;
};

// False when the text is none.
bool dial_pattern_read(struct str text, struct dial_pattern *pattern);
// The set of one character of a canonical number; 0: no such character.
uint16_t dial_step(char c);
bool dial_pattern_ends_with(enum pattern_end end, size_t further); // so many further characters
bool dial_pattern_takes(const struct dial_pattern *pattern, struct str number);

#endif
