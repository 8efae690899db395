// Session descriptions (RFC 8866), read where they lie: nothing is copied, everything has a bound. What an offer or answer
// says of media is here; Carillon carries the bytes themselves untouched.
#ifndef DOMAIN_SDP_H
#define DOMAIN_SDP_H

#include "base/str.h"

enum { SDP_SIZE_MAX = 65535, SDP_LINES_MAX = 2000, SDP_MEDIA_MAX = 16 };

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

// How a medium is carried, as its m= line says.
enum sdp_profile {
	SDP_AVP,       // RTP/AVP (RFC 3551)
	SDP_AVPF,      // RTP/AVPF (RFC 4585)
	SDP_SAVP,      // RTP/SAVP (RFC 3711)
	SDP_SAVPF,     // RTP/SAVPF (RFC 5124)
	SDP_TLS_SAVP,  // UDP/TLS/RTP/SAVP (RFC 5764)
	SDP_TLS_SAVPF, // UDP/TLS/RTP/SAVPF
	SDP_OTHER,
};

struct sdp_media {
	struct str type;    // "audio"
	uint16_t port;      // 0: refused, or taken out (RFC 3264 section 8.2)
	uint16_t ports;     // 1, or as "port/ports" says
	struct str carrier; // "RTP/AVP"
	enum sdp_profile profile;
	struct str formats; // "0 8 101"
	struct str address; // of its own c= line, else the session's; empty: neither has one
	enum sdp_direction direction;
	struct str lines; // what follows the m= line, for sdp_attribute
};

struct sdp {
	struct str lines;             // before the first m= line
	struct str address;           // of the session's c= line, or empty
	enum sdp_direction direction; // of media that say none
	struct sdp_media media[SDP_MEDIA_MAX];
	size_t media_count;
};

struct sdp_fault {
	size_t at;       // offset of the line
	const char *why; // a sentence, static
};

// False: see *fault. Lines end in CRLF or LF. Lines of unknown types are passed over (RFC 8866 section 5), the order of the known ones
// is not insisted on, but for v= as the first.
bool sdp_read(struct str text, struct sdp *sdp, struct sdp_fault *fault);
// The next a= line of this name: "crypto", "fingerprint", "ice-ufrag", "candidate". *rest begins as the lines of a medium or of the
// session and shrinks; the value is empty for a=name alone. False when there is none any more.
bool sdp_attribute(struct str *rest, struct str name, struct str *value);
// Who sends this has put the other on hold: of the media that are there he hears none (RFC 3264 section 8.4: sendonly or
// inactive; RFC 2543: 0.0.0.0).
bool sdp_holds(const struct sdp *sdp);
const char *sdp_direction_name(enum sdp_direction direction); // "sendrecv"

#endif
