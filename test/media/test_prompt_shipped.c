// Every recording that ships: there, readable, loud enough and not too loud, and no longer than one may be.
#include "base/wav.h"
#include "lib/cmocka.h"
#include "media/prompts.h"

#include <math.h>
#include <string.h>

// RMS in dBFS of the blocks of 20 ms in which something sounds.
static double level_of(const struct wav *wav)
{
	double loudest = 0, sum = 0, energies[20 * 50];
	size_t count = 0, sounding = 0;

	for (size_t at = 0; at + 160 <= wav->count; at += 160) {
		double energy = 0;
		for (size_t i = at; i < at + 160; i++)
			energy += (double)wav->samples[i] * wav->samples[i] / 160;
		assert_true(count < sizeof energies / sizeof *energies);
		energies[count++] = energy;
		loudest = energy > loudest ? energy : loudest;
	}
	for (size_t i = 0; i < count; i++)
		if (energies[i] > loudest / 1000) {
			sum += energies[i];
			sounding++;
		}
	return 10 * log10(sum / (double)sounding / 32768 / 32768);
}

static void every_piece_can_be_played(void **state)
{
	(void)state;
	for (enum prompt_language language = 0; language < PROMPT_LANGUAGE_COUNT; language++)
		for (enum prompt_piece piece = 0; piece < PIECE_COUNT; piece++) {
			struct str bytes = prompt_shipped(language, piece);
			struct arena arena;
			struct wav wav;
			arena_init(&arena, 0);
			assert_true(bytes.length > 40);
			assert_int_equal((uint8_t)bytes.at[24] | (uint8_t)bytes.at[25] << 8, 8000);
			assert_int_equal(wav_read(bytes, prompt_piece_kinds[piece].most_s * 1000, &arena, &wav),
					 WAV_FINE);
			assert_true(wav_ms(wav.count) > 200);
			assert_true(wav.peak > 3000 && wav.peak < 29000); // heard, and not cut
			assert_true(fabs(level_of(&wav) + 20) < 1.5);
			arena_free(&arena);
		}
}

static void both_languages_say_something_else(void **state)
{
	(void)state;
	for (enum prompt_piece piece = 0; piece < PIECE_COUNT; piece++) {
		bool tone = piece == PIECE_RINGBACK || piece == PIECE_HOLD;
		assert_int_equal(str_equal(prompt_shipped(PROMPT_ENGLISH, piece), prompt_shipped(PROMPT_CZECH, piece)),
				 tone);
	}
}

static void pieces_and_languages_are_found_by_name(void **state)
{
	enum prompt_piece piece;
	enum prompt_language language;

	(void)state;
	assert_true(prompt_piece_find(STR("digit-5"), &piece));
	assert_int_equal(piece, PIECE_DIGIT_5);
	assert_false(prompt_piece_find(STR("digit-10"), &piece));
	assert_true(prompt_language_find(STR("cs"), &language));
	assert_int_equal(language, PROMPT_CZECH);
	assert_false(prompt_language_find(STR("de"), &language));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_piece_can_be_played),
	    cmocka_unit_test(both_languages_say_something_else),
	    cmocka_unit_test(pieces_and_languages_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
