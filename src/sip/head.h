// The lines of a message's head, one by one, unfolded in place. For src/sip/ alone.
#ifndef SIP_HEAD_H
#define SIP_HEAD_H

#include "sip/message.h"

// A cursor over the bytes of a message.
struct sip_head {
	char *bytes;
	size_t size;
	size_t limit;    // how far the head may reach: the smaller of size and SIP_HEAD_MAX
	size_t at;       // where the next line begins
	const char *why; // the last fault
	size_t why_at;   // where it is
	unsigned status; // what it is worth: 400 or 513
};

enum sip_head_step {
	SIP_HEAD_LINE,
	SIP_HEAD_BLANK, // the end of the head; `at` is where the body begins
	SIP_HEAD_CUT,   // no blank line within the limit; a last line may have been given before
	SIP_HEAD_BROKEN, // the line has more bytes than it may, or a control character; it is empty then, so that what could end
			 // a line elsewhere is never repeated in an answer
};

struct sip_head sip_head_over(char *bytes, size_t size);
// The start line, which has no folds.
enum sip_head_step sip_head_start_line(struct sip_head *head, struct str *line);
// The next header line, its folds made spaces.
enum sip_head_step sip_head_line(struct sip_head *head, struct str *line);
// name HCOLON value, and which name it is. False when the line has no such shape.
bool sip_head_split(struct str line, struct sip_header *header);
// Content-Length; false when it is not a number or beyond all bounds.
bool sip_content_length(struct str value, size_t *length);

#endif
