// Session descriptions: what is read lies within the text, and printed from its parts reads the same.
#include "domain/sdp.h"
#include "fuzz/fuzz.h"

static void print_media(struct writer *w, const struct sdp_media *media)
{
	writer_text(w, "m=");
	writer_str(w, media->type);
	writer_format(w, " %u/%u ", media->port, media->ports);
	writer_str(w, media->carrier);
	writer_char(w, ' ');
	writer_str(w, media->formats);
	writer_text(w, "\r\n");
	writer_str(w, media->lines);
	if (!str_empty(media->lines) && media->lines.at[media->lines.length - 1] != '\n')
		writer_char(w, '\n');
}

static void same_media(const struct sdp_media *a, const struct sdp_media *b)
{
	must_equal(a->type, b->type);
	must_equal(a->carrier, b->carrier);
	must_equal(a->formats, b->formats);
	must_equal(a->address, b->address);
	must(a->port == b->port && a->ports == b->ports && a->profile == b->profile && a->direction == b->direction);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp sdp, again;
	static char printed[2 * SDP_SIZE_MAX];
	struct sdp_fault fault = {0};
	struct str text = input(data, size), rest, value;

	if (size > SDP_SIZE_MAX / 2) // room for what printing adds
		return 0;
	if (!sdp_read(text, &sdp, &fault)) {
		must(fault.why && fault.at <= size);
		return 0;
	}
	struct writer w = writer_into(printed, sizeof printed);
	must_lie_within(text, sdp.lines);
	must_lie_within(text, sdp.address);
	writer_str(&w, sdp.lines);
	if (sdp.lines.at[sdp.lines.length - 1] != '\n')
		writer_char(&w, '\n');
	for (size_t i = 0; i < sdp.media_count; i++) {
		must_lie_within(text, sdp.media[i].lines);
		must_lie_within(text, sdp.media[i].formats);
		must_lie_within(text, sdp.media[i].address);
		print_media(&w, &sdp.media[i]);
		rest = sdp.media[i].lines;
		while (sdp_attribute(&rest, STR("candidate"), &value))
			must_lie_within(text, value);
	}
	must(!w.overflow);
	must(sdp_read(writer_result(&w), &again, &fault));
	must(sdp.media_count == again.media_count && sdp.direction == again.direction);
	must_equal(sdp.address, again.address);
	for (size_t i = 0; i < sdp.media_count; i++)
		same_media(&sdp.media[i], &again.media[i]);
	must(sdp_holds(&sdp) == sdp_holds(&again));
	return 0;
}
