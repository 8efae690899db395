// What a relay says of a side's packets when a pair of sides is deleted.
#ifndef MEDIA_QUALITY_H
#define MEDIA_QUALITY_H

#include "base/str.h"

#include <jansson.h>

enum { QUALITY_CODEC_MAX = 31 };

struct quality {
	char codec[QUALITY_CODEC_MAX + 1]; // of what came most; empty: nothing came
	uint64_t codec_packets;
	uint64_t packets, lost;
	uint64_t jitter_weighted, mos_weighted; // by packets
	uint64_t jitter_packets, mos_packets;   // those that they are of
};

// Adds what came from `tag`, as far as the relay knows, by what `other`, who got it, has reported (RTCP). False: the answer
// tells nothing of that tag, and nothing is added.
bool quality_read(const json_t *answer, const char *tag, const char *other, struct quality *quality);
void quality_add(struct quality *sum, const struct quality *one);
unsigned quality_jitter_ms(const struct quality *quality);
unsigned quality_mos_hundred(const struct quality *quality); // 0: not known

#endif
