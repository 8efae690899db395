// The torture cases of RFC 4475 and RFC 5118 as messages of our own: one for each section, with what the parser makes of it.
// What the server as a whole makes of those that parse (405, 416, 420 ...) is not the parser's business.
#ifndef TEST_SIP_TORTURE_H
#define TEST_SIP_TORTURE_H

#include "sip/message.h"

enum outcome {
	PARSED,
	REFUSED, // a fault that is answered with `status`
	DROPPED, // a fault, and nobody to tell about it
};

struct torture {
	const char *section;
	const char *name; // the RFC's name of the message
	const char *what;
	enum outcome outcome;
	unsigned status;
	struct str text;                            // line ends are "\n" here and CRLF on the wire
	void (*check)(const struct sip_message *m); // more about our message; may be NULL
};

#define TORTURE_TEXT(literal)                                                                                          \
	{                                                                                                              \
		(literal), sizeof(literal) - 1                                                                         \
	}

extern const struct torture torture_4475[];
extern const size_t torture_4475_count;
extern const struct torture torture_5118[];
extern const size_t torture_5118_count;

// For the checks.
#define assert_str(s, literal) assert_true(str_equal((s), str_of(literal)))
// All values of the header, parted by '|'.
const char *torture_values(const struct sip_message *m, enum sip_header_name name);

#endif
