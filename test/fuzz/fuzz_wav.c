// Reads any bytes as a recording; what was read, written again, reads the same.
#include "base/wav.h"
#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct wav wav, again;

	arena_init(&arena, 1 << 24);
	enum wav_fault fault = wav_read(input(data, size), 2000, &arena, &wav);
	must(*wav_sentence(fault));
	if (!fault) {
		must(wav.count > 0 && wav_ms(wav.count) <= 2000 && wav.peak <= 32768);
		size_t whole = WAV_HEAD_SIZE + 2 * wav.count;
		uint8_t *bytes = malloc(whole);
		must(bytes);
		wav_write_head(bytes, wav.count);
		for (size_t i = 0; i < wav.count; i++) {
			bytes[WAV_HEAD_SIZE + 2 * i] = (uint8_t)wav.samples[i];
			bytes[WAV_HEAD_SIZE + 2 * i + 1] = (uint8_t)((uint16_t)wav.samples[i] >> 8);
		}
		must(wav_read(input(bytes, whole), 2000, &arena, &again) == WAV_FINE);
		must(again.count == wav.count && again.peak == wav.peak);
		must(memcmp(again.samples, wav.samples, 2 * wav.count) == 0);
		free(bytes);
	}
	arena_free(&arena);
	return 0;
}
