// An answer to an offer that takes all of it and sends nothing (RFC 3264 section 8.4), for a phone that is asked again in a moment.
#include "sip/sdp_hold.h"

// How a stream of the offer is answered.
enum stream {
	STREAM_REFUSED, // also those with keys in the SDP (RFC 4568): they would need one of ours
	STREAM_PLAIN,
	STREAM_DTLS, // RFC 5763
};

// What a browser insists on (RFC 8829 section 5.8.3). Nobody is there to be connected to: there is no candidate, and no certificate
// has this fingerprint. The offer that follows has others, with which ICE and DTLS begin anew (RFC 8839 section 4.4.1.1.1, RFC 8842
// section 4).
static const char nobody[] =
    "a=rtcp-mux\r\na=ice-ufrag:hold\r\na=ice-pwd:nobodyisthereonhold0000\r\na=setup:active\r\na=fingerprint:sha-256 "
    "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n";

static enum stream stream_of(struct str transport, struct str port)
{
	if (str_equal(port, STR("0")))
		return STREAM_REFUSED;
	if (str_equal(transport, STR("RTP/AVP")) || str_equal(transport, STR("RTP/AVPF")))
		return STREAM_PLAIN;
	if (str_equal(transport, STR("UDP/TLS/RTP/SAVP")) || str_equal(transport, STR("UDP/TLS/RTP/SAVPF")))
		return STREAM_DTLS;
	return STREAM_REFUSED;
}

// "m=audio 4000 RTP/AVP 0 101": the same with another port.
static bool write_media(struct writer *w, struct str line, enum stream *stream)
{
	struct str rest = str_from(line, 2), media, port, transport;

	if (!str_take(&rest, ' ', &media) || !str_take(&rest, ' ', &port) || !str_take(&rest, ' ', &transport))
		return false;
	*stream = stream_of(transport, port);
	writer_text(w, "m=");
	writer_str(w, media);
	writer_text(w, *stream == STREAM_REFUSED ? " 0 " : " 9 ");
	writer_str(w, transport);
	writer_char(w, ' ');
	writer_str(w, rest);
	writer_text(w, *stream == STREAM_REFUSED ? "\r\n" : "\r\na=inactive\r\n");
	if (*stream == STREAM_DTLS)
		writer_text(w, nobody);
	return !str_empty(rest);
}

static bool is_kept(struct str line, enum stream stream)
{
	if (stream == STREAM_DTLS && str_starts(line, STR("a=mid:")))
		return true;
	return stream != STREAM_REFUSED && (str_starts(line, STR("a=rtpmap:")) || str_starts(line, STR("a=fmtp:")));
}

bool sdp_write_hold(struct writer *w, struct str offer)
{
	struct str line;
	enum stream stream = STREAM_REFUSED;
	bool any = false;

	writer_text(w, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n");
	while (str_take(&offer, '\n', &line)) {
		if (line.length > 0 && line.at[line.length - 1] == '\r')
			line.length--;
		if (str_starts(line, STR("m="))) {
			if (!write_media(w, line, &stream))
				return false;
			any |= stream != STREAM_REFUSED;
		} else if (is_kept(line, stream)) {
			writer_str(w, line);
			writer_text(w, "\r\n");
		}
	}
	return any && !w->overflow;
}
