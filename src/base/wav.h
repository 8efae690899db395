// Reads and writes WAV: 16-bit PCM, A-law and mu-law (ITU-T G.711), at 8, 16, 44.1 or 48 kHz, mono or stereo. What is read comes
// out at 8 kHz, mono. Nothing of a foreign file is believed; every length is held against the bytes that are there.
#ifndef BASE_WAV_H
#define BASE_WAV_H

#include "base/arena.h"

enum { WAV_RATE = 8000, WAV_HEAD_SIZE = 44 };

enum wav_fault {
	WAV_FINE,
	WAV_NOT_WAV,     // something else
	WAV_BROKEN,      // cut off, or its parts contradict each other
	WAV_OTHER_CODEC, // other than those above
	WAV_OTHER_RATE,
	WAV_OTHER_CHANNELS,
	WAV_EMPTY,
	WAV_TOO_LONG,
	WAV_NO_MEMORY,
};
const char *wav_sentence(enum wav_fault fault);

struct wav {
	int16_t *samples; // in the arena
	size_t count;
	unsigned peak; // of all of them, 0 to 32768
};

// At most `most_ms` are allowed.
enum wav_fault wav_read(struct str bytes, unsigned most_ms, struct arena *arena, struct wav *wav);
static inline uint64_t wav_ms(size_t samples)
{
	return (uint64_t)samples * 1000 / WAV_RATE;
}
// The head of a file with so many samples of 16 bits at 8 kHz, which follow it, the lower byte first.
void wav_write_head(uint8_t head[WAV_HEAD_SIZE], size_t samples);

#endif
