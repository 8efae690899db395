// The reader of recordings: every format and rate it takes, and the sentence for what it does not.
#include "base/wav.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 44, FILE_MAX = HEAD + 4 * 48000 };

struct made {
	unsigned tag, channels, rate, bits;
	double hz;
	size_t frames;
};

static uint8_t file[FILE_MAX];

static void put(uint8_t *at, uint32_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

// The two laws by the table of G.711's decision values, searched: slow, and nothing like what is tested.
static uint8_t encode(unsigned tag, int value)
{
	uint8_t best = 0;
	int least = 1 << 20;

	for (unsigned code = 0; code < 256; code++) {
		uint8_t one[HEAD + 2] = {0};
		struct arena arena;
		struct wav wav;

		memcpy(one, file, HEAD);
		put(one + 20, tag, 2);
		put(one + 22, 1, 2);
		put(one + 24, 8000, 4);
		put(one + 32, 1, 2);
		put(one + 34, 8, 2);
		put(one + 40, 1, 4);
		one[HEAD] = (uint8_t)code;
		arena_init(&arena, 0);
		assert_int_equal(wav_read((struct str){(const char *)one, HEAD + 1}, 1000, &arena, &wav), WAV_FINE);
		if (abs(wav.samples[0] - value) < least) {
			least = abs(wav.samples[0] - value);
			best = (uint8_t)code;
		}
		arena_free(&arena);
	}
	assert_true(least <= (abs(value) >> 5) + 8); // half a step of the logarithm
	return best;
}

static struct str make(const struct made *made)
{
	unsigned bytes = made->bits / 8, block = bytes * made->channels;
	size_t size = made->frames * block;

	memcpy(file, "RIFF    WAVEfmt ", 16);
	put(file + 4, (uint32_t)(36 + size), 4);
	put(file + 16, 16, 4);
	put(file + 20, made->tag, 2);
	put(file + 22, made->channels, 2);
	put(file + 24, made->rate, 4);
	put(file + 28, made->rate * block, 4);
	put(file + 32, block, 2);
	put(file + 34, made->bits, 2);
	memcpy(file + 36, "data", 4);
	put(file + 40, (uint32_t)size, 4);
	for (size_t i = 0; i < made->frames; i++) {
		int value = (int)lrint(10000 * sin(2 * 3.14159265358979 * made->hz * (double)i / made->rate));
		for (unsigned c = 0; c < made->channels; c++) {
			uint8_t *at = file + HEAD + (i * made->channels + c) * bytes;
			if (made->bits == 16)
				put(at, (uint32_t)value, 2);
			else
				*at = encode(made->tag, value);
		}
	}
	return (struct str){(const char *)file, HEAD + size};
}

// How much of a sine of this frequency is in it: its amplitude.
static double amplitude(const struct wav *wav, double hz)
{
	double a = 0, b = 0;

	for (size_t i = 0; i < wav->count; i++) {
		double angle = 2 * 3.14159265358979 * hz * (double)i / WAV_RATE;
		a += wav->samples[i] * cos(angle);
		b += wav->samples[i] * sin(angle);
	}
	return 2 * sqrt(a * a + b * b) / (double)wav->count;
}

static double read_amplitude(const struct made *made, double hz)
{
	struct arena arena;
	struct wav wav;

	arena_init(&arena, 0);
	assert_int_equal(wav_read(make(made), 1000, &arena, &wav), WAV_FINE);
	assert_int_equal(wav.count, made->frames * WAV_RATE / made->rate);
	double result = amplitude(&wav, hz);
	arena_free(&arena);
	return result;
}

static void every_rate_comes_out_at_8_khz(void **state)
{
	static const unsigned rates[] = {8000, 16000, 44100, 48000};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (unsigned channels = 1; channels <= 2; channels++) {
			const struct made made = {1, channels, rates[i], 16, 1000, rates[i] / 2};
			assert_true(fabs(read_amplitude(&made, 1000) - 10000) < 100);
		}
}

static void what_8_khz_cannot_carry_is_gone(void **state)
{
	const struct made made = {1, 1, 48000, 16, 6000, 24000};

	(void)state;
	assert_true(read_amplitude(&made, 2000) < 50); // where it would come up again
}

static void both_laws_are_read(void **state)
{
	(void)state;
	for (unsigned tag = 6; tag <= 7; tag++) {
		const struct made made = {tag, 1, 8000, 8, 500, 160};
		assert_true(fabs(read_amplitude(&made, 500) - 10000) < 200);
	}
}

static void known_codes_of_both_laws(void **state)
{
	static const struct {
		unsigned tag;
		uint8_t code;
		int value;
	} known[] = {{6, 0xd5, 8}, {6, 0x55, -8}, {6, 0xaa, 32256}, {6, 0x2a, -32256}, {6, 0xc5, 264},
		     {7, 0xff, 0}, {7, 0x7f, 0},  {7, 0x80, 32124}, {7, 0x00, -32124}, {7, 0xfe, 8}};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct made made = {known[i].tag, 1, 8000, 8, 0, 0};
		struct arena arena;
		struct wav wav;
		make(&made);
		file[40] = 1;
		file[HEAD] = known[i].code;
		arena_init(&arena, 0);
		assert_int_equal(wav_read((struct str){(const char *)file, HEAD + 1}, 1000, &arena, &wav), WAV_FINE);
		assert_int_equal(wav.samples[0], known[i].value);
		arena_free(&arena);
	}
}

static enum wav_fault fault_of(struct str bytes, unsigned most_ms)
{
	struct arena arena;
	struct wav wav;

	arena_init(&arena, 0);
	enum wav_fault fault = wav_read(bytes, most_ms, &arena, &wav);
	arena_free(&arena);
	return fault;
}

static void what_cannot_be_used_is_named(void **state)
{
	static const struct made fine = {1, 1, 8000, 16, 440, 800};
	struct made made;

	(void)state;
	assert_int_equal(fault_of(STR("ID3 no wav at all"), 1000), WAV_NOT_WAV);
	assert_int_equal(fault_of(str_first(make(&fine), 500), 1000), WAV_BROKEN);
	assert_int_equal(fault_of(make(&fine), 99), WAV_TOO_LONG);
	assert_int_equal(fault_of(make(&fine), 100), WAV_FINE);
	made = fine;
	made.rate = 22050;
	assert_int_equal(fault_of(make(&made), 1000), WAV_OTHER_RATE);
	made = fine;
	made.channels = 3;
	assert_int_equal(fault_of(make(&made), 1000), WAV_OTHER_CHANNELS);
	made = fine;
	made.tag = 3; // floating point
	assert_int_equal(fault_of(make(&made), 1000), WAV_OTHER_CODEC);
	made = fine;
	made.frames = 0;
	assert_int_equal(fault_of(make(&made), 1000), WAV_EMPTY);
	for (enum wav_fault fault = WAV_FINE; fault <= WAV_NO_MEMORY; fault++)
		assert_true(strlen(wav_sentence(fault)) > 5);
}

static void without_memory_it_says_so(void **state)
{
	static const struct made made = {1, 2, 44100, 16, 440, 4410};
	struct str bytes = make(&made);

	(void)state;
	for (unsigned n = 1;; n++) {
		failing_allocator_arm(n);
		enum wav_fault fault = fault_of(bytes, 1000);
		if (!failing_allocator_disarm())
			break;
		assert_int_equal(fault, WAV_NO_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_rate_comes_out_at_8_khz),
	    cmocka_unit_test(what_8_khz_cannot_carry_is_gone),
	    cmocka_unit_test(both_laws_are_read),
	    cmocka_unit_test(known_codes_of_both_laws),
	    cmocka_unit_test(what_cannot_be_used_is_named),
	    cmocka_unit_test(without_memory_it_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
