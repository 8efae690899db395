// Reading patterns, and holding one against a number.
#include "domain/dial_pattern.h"

enum { STEP_PLUS = 1 << 10, STEP_X = 0x3ff, STEP_Z = 0x3fe, STEP_N = 0x3fc };

uint16_t dial_step(char c)
{
	if (c >= '0' && c <= '9')
		return (uint16_t)(1 << (c - '0'));
	return c == '+' ? STEP_PLUS : 0;
}

// "13-5]": up to the bracket.
static bool set_read(struct str *rest, uint16_t *step)
{
	struct str set;

	*step = 0;
	if (str_index(*rest, ']') == rest->length || !str_take(rest, ']', &set))
		return false;
	for (size_t i = 0; i < set.length; i++) {
		char from = set.at[i], to = from;
		if (i + 2 < set.length && set.at[i + 1] == '-') {
			to = set.at[i + 2];
			i += 2;
		}
		if (from < '0' || to > '9' || from > to)
			return false;
		for (char c = from; c <= to; c++)
			*step = (uint16_t)(*step | dial_step(c));
	}
	return *step != 0;
}

static bool step_read(struct str *rest, bool first, uint16_t *step)
{
	char c = rest->at[0];

	*rest = str_from(*rest, 1);
	switch (c) {
	case 'X':
	case 'x':
		*step = STEP_X;
		return true;
	case 'Z':
	case 'z':
		*step = STEP_Z;
		return true;
	case 'N':
	case 'n':
		*step = STEP_N;
		return true;
	case '[':
		return set_read(rest, step);
	default:
		*step = dial_step(c);
		return *step != 0 && (c != '+' || first);
	}
}

bool dial_pattern_read(struct str text, struct dial_pattern *pattern)
{
	bool digits_alone = true;

	*pattern = (struct dial_pattern){.count = 0};
	while (!str_empty(text)) {
		char c = text.at[0];
		if (text.length == 1 && (c == '.' || c == '!')) {
			pattern->end = c == '.' ? PATTERN_SOMETHING : PATTERN_ANYTHING;
			return true;
		}
		digits_alone = digits_alone && dial_step(c) != 0;
		if (pattern->count == PATTERN_STEPS_MAX ||
		    !step_read(&text, pattern->count == 0, &pattern->steps[pattern->count]))
			return false;
		pattern->count++;
	}
	pattern->end = digits_alone ? PATTERN_ANYTHING : PATTERN_NOTHING;
	return true;
}

bool dial_pattern_ends_with(enum pattern_end end, size_t further)
{
	return end == PATTERN_ANYTHING || (end == PATTERN_SOMETHING) == (further > 0);
}

bool dial_pattern_takes(const struct dial_pattern *pattern, struct str number)
{
	if (number.length < pattern->count)
		return false;
	for (size_t i = 0; i < pattern->count; i++)
		if (!(pattern->steps[i] & dial_step(number.at[i])))
			return false;
	return dial_pattern_ends_with(pattern->end, number.length - pattern->count);
}
