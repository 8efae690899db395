// An answer to an offer that takes all of it and sends nothing (RFC 3264 section 8.4), for a phone that is asked again in a moment.
#include "sip/sdp_hold.h"

// Secured media would need keys of ours: those are refused for now.
static bool is_plain(struct str transport)
{
	return str_equal(transport, STR("RTP/AVP")) || str_equal(transport, STR("RTP/AVPF"));
}

// "m=audio 4000 RTP/AVP 0 101": the same with another port.
static bool write_media(struct writer *w, struct str line, bool *plain)
{
	struct str rest = str_from(line, 2), media, port, transport;

	if (!str_take(&rest, ' ', &media) || !str_take(&rest, ' ', &port) || !str_take(&rest, ' ', &transport))
		return false;
	*plain = is_plain(transport) && !str_equal(port, STR("0"));
	writer_text(w, "m=");
	writer_str(w, media);
	writer_text(w, *plain ? " 9 " : " 0 ");
	writer_str(w, transport);
	writer_char(w, ' ');
	writer_str(w, rest);
	writer_text(w, *plain ? "\r\na=inactive\r\n" : "\r\n");
	return !str_empty(rest);
}

static bool is_kept(struct str line)
{
	return str_starts(line, STR("a=rtpmap:")) || str_starts(line, STR("a=fmtp:"));
}

bool sdp_write_hold(struct writer *w, struct str offer)
{
	struct str line;
	bool plain = false, any = false;

	writer_text(w, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n");
	while (str_take(&offer, '\n', &line)) {
		if (line.length > 0 && line.at[line.length - 1] == '\r')
			line.length--;
		if (str_starts(line, STR("m="))) {
			if (!write_media(w, line, &plain))
				return false;
			any |= plain;
		} else if (plain && is_kept(line)) {
			writer_str(w, line);
			writer_text(w, "\r\n");
		}
	}
	return any && !w->overflow;
}
