// What a prompt says: which pieces, one after the other, with what silence between them.
#ifndef MEDIA_PROMPT_SCRIPT_H
#define MEDIA_PROMPT_SCRIPT_H

#include "media/prompts.h"

enum { SPOKEN_DIGITS_MAX = 20, SPANS_MAX = 64 };

// What is to be said, without anything borrowed. `number` is a '+' or none and digits; empty: nobody's.
struct prompt_wish {
	enum prompt prompt;
	enum prompt_language language;
	uint64_t user_id;
	char number[SPOKEN_DIGITS_MAX + 2];
};

struct span {
	const int16_t *samples; // NULL: silence
	size_t count;
};

struct prompt_script {
	struct span spans[SPANS_MAX];
	size_t span_count;
	size_t samples; // of all of them
};

// The pieces in memory: the shipped ones, and what is recorded in their place, each read when it is first needed.
struct prompt_pieces {
	struct prompt_recordings recordings;
	struct arena shipped_arena, recorded_arena;
	struct span shipped[PROMPT_LANGUAGE_COUNT][PIECE_COUNT];
	struct span recorded[PROMPT_LANGUAGE_COUNT][PIECE_COUNT]; // count 0: the shipped one counts
	bool looked[PROMPT_LANGUAGE_COUNT][PIECE_COUNT];
	bool in_trouble; // something could not be read: what was written since then need not be what is recorded
};

// An unknown language is English. A number with anything else in it than digits cannot be said, nor one that is too long.
void prompt_wish_of(const struct media_prompt *prompt, struct prompt_wish *wish);

enum err prompt_pieces_init(struct prompt_pieces *pieces, const struct prompt_recordings *recordings);
void prompt_pieces_forget(struct prompt_pieces *pieces); // what was recorded has changed
void prompt_pieces_free(struct prompt_pieces *pieces);
// Its spans live as long as both the pieces and the arena do.
enum err prompt_script_write(struct prompt_pieces *pieces, const struct prompt_wish *wish, struct arena *arena,
			     struct prompt_script *script);

#endif
