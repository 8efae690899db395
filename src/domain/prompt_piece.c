#include "domain/prompt_piece.h"

const struct prompt_piece_kind prompt_piece_kinds[PIECE_COUNT] = {
#define PIECE(name, text, most_s, english, czech) [PIECE_##name] = {text, {english, czech}, most_s},
#include "domain/prompt_pieces.def"
#undef PIECE
};

const char *const prompt_languages[PROMPT_LANGUAGE_COUNT + 1] = {"en", "cs", NULL};

bool prompt_piece_find(struct str name, enum prompt_piece *piece)
{
	for (*piece = 0; *piece < PIECE_COUNT; (*piece)++)
		if (str_equal(name, str_of(prompt_piece_kinds[*piece].name)))
			return true;
	return false;
}

bool prompt_language_find(struct str name, enum prompt_language *language)
{
	for (*language = 0; *language < PROMPT_LANGUAGE_COUNT; (*language)++)
		if (str_equal(name, str_of(prompt_languages[*language])))
			return true;
	return false;
}
