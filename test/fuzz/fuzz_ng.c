// What a media relay sends: answers to commands, and the keys that it heard.
#include "fuzz/fuzz.h"
#include "media/keys.h"
#include "media/ng.h"
#include "media/quality.h"

#include <string.h>

static void key_look(struct str datagram)
{
	struct key_event event;

	if (!key_read(datagram, &event))
		return;
	must(memchr("0123456789*#ABCD", event.key, 16) != NULL);
	must(memchr(event.call_id, '\0', sizeof event.call_id) && memchr(event.tag, '\0', sizeof event.tag));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str datagram = input(data, size);
	struct quality quality = {.packets = 0};
	struct str cookie;

	key_look(datagram);
	json_t *answer = ng_read(datagram, &cookie);
	if (!answer)
		return 0;
	must(json_is_object(answer) && cookie.length == NG_COOKIE_SIZE);
	must_lie_within(datagram, cookie);
	must(ng_result(answer).length <= size && ng_text(answer, "sdp").length <= size);
	must(ng_uint(answer, "duration", 7) <= INT64_MAX);
	if (quality_read(answer, "l1", "l2", &quality)) {
		must(strlen(quality.codec) <= QUALITY_CODEC_MAX && (quality.packets > 0 || !quality.codec[0]));
		must(quality_mos_hundred(&quality) == 0 ||
		     (quality_mos_hundred(&quality) >= 100 && quality_mos_hundred(&quality) <= 500));
		must(quality_jitter_ms(&quality) <= 100000);
	}
	json_decref(answer);
	return 0;
}
