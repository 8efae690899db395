#include "base/wav.h"

#include <math.h>
#include <string.h>

// Format tags (RFC 2361), and the one whose real tag stands further behind.
enum { TAG_PCM = 1, TAG_A_LAW = 6, TAG_MU_LAW = 7, TAG_EXTENSIBLE = 0xfffe };
enum { FORMAT_MIN = 16, EXTENSIBLE_MIN = 40, TAG_OF_EXTENSIBLE = 24, CHANNELS_MAX = 2 };

struct format {
	unsigned tag, channels, rate, bits;
};

const char *wav_sentence(enum wav_fault fault)
{
	switch (fault) {
	case WAV_FINE:
		return "It is fine.";
	case WAV_NOT_WAV:
		return "This is no WAV file.";
	case WAV_BROKEN:
		return "The WAV file is cut off or broken.";
	case WAV_OTHER_CODEC:
		return "A recording is 16-bit PCM, A-law or mu-law; this WAV file has something else in it.";
	case WAV_OTHER_RATE:
		return "A recording has 8, 16, 44.1 or 48 kHz; this one has another sample rate.";
	case WAV_OTHER_CHANNELS:
		return "A recording is mono or stereo; this one has more channels.";
	case WAV_EMPTY:
		return "There is nothing in this WAV file.";
	case WAV_TOO_LONG:
		return "The recording is too long.";
	case WAV_NO_MEMORY:
		return "The server is out of memory.";
	}
	return "";
}

// ---- the file's parts

static unsigned u16(const char *at)
{
	const uint8_t *bytes = (const uint8_t *)at;

	return bytes[0] | (unsigned)bytes[1] << 8;
}

static uint32_t u32(const char *at)
{
	return u16(at) | (uint32_t)u16(at + 2) << 16;
}

// Takes the next part off the front of *rest; an odd one is followed by a byte that belongs to nothing.
static bool chunk_take(struct str *rest, struct str *name, struct str *body)
{
	if (rest->length < 8)
		return false;
	uint32_t size = u32(rest->at + 4);
	if (size > rest->length - 8)
		return false;
	*name = str_first(*rest, 4);
	*body = str_first(str_from(*rest, 8), size);
	*rest = str_from(*rest, 8 + (size_t)size + (size & 1));
	return true;
}

static enum wav_fault format_read(struct str body, struct format *format)
{
	if (body.length < FORMAT_MIN)
		return WAV_BROKEN;
	*format = (struct format){
	    .tag = u16(body.at), .channels = u16(body.at + 2), .rate = u32(body.at + 4), .bits = u16(body.at + 14)};
	unsigned block = u16(body.at + 12);
	if (format->tag == TAG_EXTENSIBLE) {
		if (body.length < EXTENSIBLE_MIN)
			return WAV_BROKEN;
		format->tag = u16(body.at + TAG_OF_EXTENSIBLE);
	}
	bool pcm = format->tag == TAG_PCM && format->bits == 16;
	bool g711 = (format->tag == TAG_A_LAW || format->tag == TAG_MU_LAW) && format->bits == 8;
	if (!pcm && !g711)
		return WAV_OTHER_CODEC;
	if (format->channels < 1 || format->channels > CHANNELS_MAX)
		return WAV_OTHER_CHANNELS;
	if (format->rate != 8000 && format->rate != 16000 && format->rate != 44100 && format->rate != 48000)
		return WAV_OTHER_RATE;
	return block == format->channels * format->bits / 8 ? WAV_FINE : WAV_BROKEN;
}

static enum wav_fault parts_find(struct str bytes, struct format *format, struct str *data)
{
	struct str rest = str_from(bytes, 12), name, body;
	bool has_format = false;

	if (bytes.length < 12 || memcmp(bytes.at, "RIFF", 4) != 0 || memcmp(bytes.at + 8, "WAVE", 4) != 0)
		return WAV_NOT_WAV;
	while (chunk_take(&rest, &name, &body)) {
		if (str_equal(name, STR("fmt ")) && !has_format) {
			enum wav_fault fault = format_read(body, format);
			if (fault)
				return fault;
			has_format = true;
		} else if (str_equal(name, STR("data"))) {
			*data = body;
			return has_format ? WAV_FINE : WAV_BROKEN;
		}
	}
	return WAV_BROKEN;
}

// ---- samples (G.711: a sign, an exponent of three bits, a mantissa of four)

static int from_a_law(unsigned code)
{
	code ^= 0x55;
	unsigned exponent = code >> 4 & 7, mantissa = code & 15;
	int value = (int)(exponent ? (mantissa * 2 + 33) << (exponent - 1) : mantissa * 2 + 1) * 8;

	return code & 0x80 ? value : -value;
}

static int from_mu_law(unsigned code)
{
	code = ~code & 0xff;
	unsigned exponent = code >> 4 & 7, mantissa = code & 15;
	int value = (int)((mantissa * 2 + 33) << exponent) - 33;

	return (code & 0x80 ? -value : value) * 4;
}

static int sample_at(const struct format *format, struct str data, size_t index)
{
	if (format->tag == TAG_PCM)
		return (int16_t)u16(data.at + 2 * index);
	uint8_t code = (uint8_t)data.at[index];
	return format->tag == TAG_A_LAW ? from_a_law(code) : from_mu_law(code);
}

static int frame_at(const struct format *format, struct str data, size_t index)
{
	int sum = 0;

	for (unsigned channel = 0; channel < format->channels; channel++)
		sum += sample_at(format, data, index * format->channels + channel);
	return sum / (int)format->channels;
}

// ---- to 8 kHz: a windowed sinc, tabulated for each place that a new sample can have between two old ones

enum { ZEROES = 12 }; // of the sinc, on either side
static const double cut_hz = 3700, pi = 3.14159265358979323846;

struct filter {
	unsigned up, down; // so many new samples take the place of so many old ones
	size_t half;       // old samples on either side
	float *weights;    // `up` rows of 2 * half
};

static unsigned common_divisor(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static double weight(double x, double cut, double half)
{
	double sinc = fabs(x) < 1e-9 ? 2 * cut : sin(2 * pi * cut * x) / (pi * x);

	return fabs(x) >= half ? 0 : sinc * (0.5 + 0.5 * cos(pi * x / half));
}

static bool filter_make(struct filter *filter, unsigned rate, struct arena *arena)
{
	unsigned divisor = common_divisor(rate, WAV_RATE);

	filter->up = WAV_RATE / divisor;
	filter->down = rate / divisor;
	filter->half = (size_t)ZEROES * rate / WAV_RATE;
	filter->weights = arena_alloc(arena, filter->up * 2 * filter->half * sizeof *filter->weights);
	if (!filter->weights)
		return false;
	for (unsigned row = 0; row < filter->up; row++) {
		float *weights = filter->weights + row * 2 * filter->half;
		double sum = 0;
		for (size_t i = 0; i < 2 * filter->half; i++) {
			double x = (double)i - (double)(filter->half - 1) - (double)row / filter->up;
			double value = weight(x, cut_hz / rate, (double)filter->half);
			weights[i] = (float)value;
			sum += value;
		}
		for (size_t i = 0; i < 2 * filter->half; i++)
			weights[i] /= (float)sum;
	}
	return true;
}

static int16_t clamp(double value)
{
	return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : (int16_t)lrint(value);
}

static int16_t filtered(const struct filter *filter, const int16_t *old, size_t count, size_t number)
{
	size_t middle = number * filter->down / filter->up, row = number * filter->down % filter->up;
	const float *weights = filter->weights + row * 2 * filter->half;
	float sum = 0;

	for (size_t i = 0; i < 2 * filter->half; i++) {
		size_t place = middle + i + 1; // of the old sample, and half more
		if (place >= filter->half && place - filter->half < count)
			sum += weights[i] * (float)old[place - filter->half];
	}
	return clamp(sum);
}

static bool resample(unsigned rate, struct arena *arena, struct wav *wav)
{
	struct filter filter;
	const int16_t *old = wav->samples;
	size_t count = wav->count;

	if (rate == WAV_RATE)
		return true;
	if (!filter_make(&filter, rate, arena))
		return false;
	wav->count = count * filter.up / filter.down;
	wav->samples = arena_alloc(arena, (wav->count ? wav->count : 1) * sizeof *wav->samples);
	for (size_t i = 0; wav->samples && i < wav->count; i++)
		wav->samples[i] = filtered(&filter, old, count, i);
	return wav->samples;
}

// ---- the whole

enum wav_fault wav_read(struct str bytes, unsigned most_ms, struct arena *arena, struct wav *wav)
{
	struct format format = {.rate = 0}; // filled in unless there is a fault, which the compiler does not see
	struct str data;
	enum wav_fault fault = parts_find(bytes, &format, &data);

	*wav = (struct wav){.samples = NULL};
	if (fault)
		return fault;
	size_t frame = format.channels * format.bits / 8, count = data.length / frame;
	if (data.length % frame != 0)
		return WAV_BROKEN;
	if ((uint64_t)count * 1000 > (uint64_t)most_ms * format.rate)
		return WAV_TOO_LONG;
	wav->count = count;
	wav->samples = arena_alloc(arena, (count ? count : 1) * sizeof *wav->samples);
	if (!wav->samples)
		return WAV_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		wav->samples[i] = (int16_t)frame_at(&format, data, i);
	if (!resample(format.rate, arena, wav))
		return WAV_NO_MEMORY;
	if (wav->count == 0)
		return WAV_EMPTY;
	for (size_t i = 0; i < wav->count; i++) {
		unsigned loud = (unsigned)(wav->samples[i] < 0 ? -wav->samples[i] : wav->samples[i]);
		wav->peak = loud > wav->peak ? loud : wav->peak;
	}
	return WAV_FINE;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

void wav_write_head(uint8_t head[WAV_HEAD_SIZE], size_t samples)
{
	memcpy(head, "RIFF    WAVEfmt ", 16);
	put(head + 4, WAV_HEAD_SIZE - 8 + 2 * samples, 4);
	put(head + 16, FORMAT_MIN, 4);
	put(head + 20, TAG_PCM, 2);
	put(head + 22, 1, 2);
	put(head + 24, WAV_RATE, 4);
	put(head + 28, (uint64_t)2 * WAV_RATE, 4);
	put(head + 32, 2, 2);
	put(head + 34, 16, 2);
	memcpy(head + 36, "data", 4);
	put(head + 40, 2 * samples, 4);
}
