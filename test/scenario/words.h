// The words scenarios are written in: patterns, and what each does on the stage.
#ifndef SCENARIO_WORDS_H
#define SCENARIO_WORDS_H

#include "stage.h"

enum { WORDS_MAX = 4 };

struct line {
	char words[WORDS_MAX][200]; // what the pattern's stars stood for
};

// A star stands for one word, the last one for all the rest. The first pattern that fits is played.
struct word {
	const char *pattern;
	void (*play)(struct stage *stage, struct line *line);
};

extern const struct word setting_words[]; // who is there; ends with a NULL pattern
extern const struct word playing_words[]; // what they do; likewise

uint64_t milliseconds(const char *text); // of "5s" or "300ms"
// A device nobody has spoken of yet is a phone, and registered.
struct device *device_or_phone(struct stage *stage, const char *name);

#endif
