// Reads what a SIP server under load sends: one walk over the head, no copies. It trusts nothing: what is missing is empty.
#ifndef BENCH_LOAD_MESSAGE_H
#define BENCH_LOAD_MESSAGE_H

#include "base/str.h"

enum method { METHOD_OTHER, METHOD_REGISTER, METHOD_INVITE, METHOD_ACK, METHOD_CANCEL, METHOD_BYE };

// Slices of the text it was read from.
struct message {
	unsigned status;     // 0: a request
	enum method method;  // of the request, or of the CSeq that a response answers
	struct str uri;      // of a request
	struct str vias;     // all Via lines with their line ends
	struct str branch;   // of the first of them
	struct str routes;   // all Record-Route lines with their line ends
	struct str from, to; // values of the headers
	struct str from_tag, to_tag;
	struct str call_id, cseq, contact; // contact: the URI alone
	struct str challenge;              // of a 401 or 407 with algorithm MD5, or the first one
	struct str retry_after;
	struct str body;
	size_t length; // of the whole message
};

// False when the head is not one of SIP.
bool message_read(struct str text, struct message *message);
// The length of the first message in what a stream has brought, 0 when it is not whole yet.
size_t message_length(struct str text);
// What stands between two pieces of text in a value; empty when they are not there.
struct str message_between(struct str value, const char *before, const char *stops);

#endif
