// Writes responses: what RFC 3261 section 8.2.6.2 has each of them repeat from its request, and what is new.
#ifndef SIP_RESPONSE_H
#define SIP_RESPONSE_H

#include "sip/message.h"

struct sip_response {
	unsigned status;
	struct str reason; // empty: the usual phrase
	struct str to_tag;
	struct str extra; // whole header lines, each with CRLF
	struct str body_type;
	struct str body;
};

// What a request leaves to its responses, as lines in one piece of memory: Vias, From, Call-ID, CSeq, To; then
// Record-Routes; then the value of Timestamp. What a broken request lacks is left out.
struct sip_response_head {
	const char *lines;               // borrowed
	uint32_t to_end, timestamp, end; // offsets
	bool takes_tag;                  // there is a To, and it has no tag yet
};

enum { SIP_TAG_SIZE = 13 };

// Writes the lines; the topmost Via has received and rport as the parsed one says (RFC 3261 section 18.2.1, RFC 3581
// section 4), Vias joined by commas become lines of their own. head->lines is where the writer stood; the lines may be
// moved elsewhere as long as head->lines is moved with them. Check w->overflow.
void sip_response_head_write(struct writer *w, const struct sip_message *request, struct sip_response_head *head);
// The whole response. The To tag is response->to_tag, unless the request had one. *tag becomes the slice of the writer's
// memory where the tag stands, empty when none was written. `delay_ms`: since the request came, for a 100's Timestamp.
// Check w->overflow.
void sip_response_write(struct writer *w, const struct sip_response_head *head, const struct sip_response *response,
			uint64_t delay_ms, struct str *tag);
// A number as a tag.
struct str sip_response_tag(uint64_t seed, char into[SIP_TAG_SIZE]);

#endif
