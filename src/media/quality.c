// The tags of an answer hold the packets that came from each; its SSRC table holds, under the source of who reports, what that
// one says of the stream that he receives. So how A's packets fared stands where B reports.
#include "media/quality.h"

#include "media/ng.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOS_MAX_TENTH = 50, JITTER_MAX_MS = 100000 };
static const uint64_t packets_max = UINT32_MAX; // of a stream; more is nonsense

// The first stream of this tag that carries RTP; only audio is counted.
static const json_t *audio_medium(const json_t *answer, const char *tag)
{
	const json_t *media = json_object_get(json_object_get(json_object_get(answer, "tags"), tag), "medias");
	size_t index;
	const json_t *medium;

	json_array_foreach(media, index, medium) if (str_equal(ng_text(medium, "type"), STR("audio"))) return medium;
	return NULL;
}

static const json_t *rtp_stream(const json_t *medium)
{
	return json_array_get(json_object_get(medium, "streams"), 0);
}

static void reports_read(const json_t *answer, const char *other, struct quality *quality)
{
	const json_t *stream = rtp_stream(audio_medium(answer, other));
	uint64_t ssrc = ng_uint(stream, "SSRC", UINT64_MAX);
	char key[24];

	if (ssrc > UINT32_MAX)
		return;
	snprintf(key, sizeof key, "%" PRIu64, ssrc);
	const json_t *report = json_object_get(json_object_get(answer, "SSRC"), key);
	const json_t *mean = json_object_get(report, "average MOS");
	uint64_t lost = ng_uint(report, "cumulative loss", 0), mos = ng_uint(mean, "MOS", 0);
	uint64_t jitter_ms = ng_uint(mean, "jitter", UINT64_MAX);

	quality->lost = lost < packets_max ? lost : 0;
	if (jitter_ms <= JITTER_MAX_MS) {
		quality->jitter_weighted = jitter_ms * quality->packets;
		quality->jitter_packets = quality->packets;
	}
	if (mos >= 10 && mos <= MOS_MAX_TENTH) {
		quality->mos_weighted = mos * 10 * quality->packets;
		quality->mos_packets = quality->packets;
	}
}

bool quality_read(const json_t *answer, const char *tag, const char *other, struct quality *quality)
{
	const json_t *medium = audio_medium(answer, tag);
	uint64_t packets = ng_uint(json_object_get(rtp_stream(medium), "stats"), "packets", UINT64_MAX);
	struct quality one = {.packets = packets};
	struct str codec = ng_text(medium, "codec");

	if (packets > packets_max)
		return false;
	if (packets > 0) {
		codec = str_first(codec, str_index(codec, '/'));
		str_to_cstring(codec, one.codec, sizeof one.codec);
		one.codec_packets = packets;
		reports_read(answer, other, &one);
	}
	quality_add(quality, &one);
	return true;
}

void quality_add(struct quality *sum, const struct quality *one)
{
	if (one->codec_packets > sum->codec_packets) {
		memcpy(sum->codec, one->codec, sizeof sum->codec);
		sum->codec_packets = one->codec_packets;
	}
	sum->packets += one->packets;
	sum->lost += one->lost;
	sum->jitter_weighted += one->jitter_weighted;
	sum->jitter_packets += one->jitter_packets;
	sum->mos_weighted += one->mos_weighted;
	sum->mos_packets += one->mos_packets;
}

unsigned quality_jitter_ms(const struct quality *quality)
{
	return quality->jitter_packets ? (unsigned)(quality->jitter_weighted / quality->jitter_packets) : 0;
}

unsigned quality_mos_hundred(const struct quality *quality)
{
	return quality->mos_packets ? (unsigned)(quality->mos_weighted / quality->mos_packets) : 0;
}
