// The recordings that prompts are put together from: one of each per language. Which there are stands in prompt_pieces.def.
#ifndef DOMAIN_PROMPT_PIECE_H
#define DOMAIN_PROMPT_PIECE_H

#include "base/str.h"

enum prompt_piece {
#define PIECE(name, text, most_s, english, czech) PIECE_##name,
#include "domain/prompt_pieces.def"
#undef PIECE
	PIECE_COUNT
};

enum prompt_language { PROMPT_ENGLISH, PROMPT_CZECH, PROMPT_LANGUAGE_COUNT };

// The name of a user, recorded: said in place of the extension.
enum { RECORDED_NAME_MAX_S = 6 };

struct prompt_piece_kind {
	const char *name;                         // "digit-5"
	const char *texts[PROMPT_LANGUAGE_COUNT]; // what the shipped one says
	unsigned most_s;                          // the longest that another one may be
};
extern const struct prompt_piece_kind prompt_piece_kinds[PIECE_COUNT];
extern const char *const prompt_languages[PROMPT_LANGUAGE_COUNT + 1]; // "en", "cs", NULL

// False when there is none of this name.
bool prompt_piece_find(struct str name, enum prompt_piece *piece);
bool prompt_language_find(struct str name, enum prompt_language *language);

#endif
