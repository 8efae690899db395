// SIP messages (RFC 3261 section 7): a parser that copies nothing and has a bound on everything.
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H

#include "sip/uri.h"

enum sip_method {
#define METHOD(name, wire) SIP_##name,
#include "sip/methods.def"
#undef METHOD
	SIP_METHOD_OTHER,
	SIP_METHOD_COUNT
};

enum sip_header_name {
#define HEADER(name, wire, compact, how_many) SIP_HEADER_##name,
#include "sip/headers.def"
#undef HEADER
	SIP_HEADER_OTHER,
	SIP_HEADER_COUNT
};

enum {
	SIP_MESSAGE_MAX = 65535, // bytes, body included
	SIP_HEAD_MAX = 16384,    // bytes up to the blank line
	SIP_LINE_MAX = 8192,     // one unfolded header
	SIP_HEADERS_MAX = 128,   // header lines
};

struct sip_header {
	struct str name;  // as received
	struct str value; // trimmed; folds have become spaces
	enum sip_header_name is;
};

// name-addr or addr-spec with its header parameters (From, To, Contact, Route ...).
struct sip_address {
	struct str display; // quotes and escapes as received, quotes included
	struct sip_uri uri;
	struct str parameters; // of the header, after the first ';'
	struct str tag;        // among them; empty = none
	bool angle;            // written in < >
};

// One Via value.
struct sip_via {
	struct str text;      // the whole value, without the comma
	struct str transport; // "UDP"
	struct str host;      // IPv6 without brackets
	bool host_is_ipv6;
	uint16_t port;        // 0 = not given
	struct str branch;    // "" when absent
	struct str received;  // IPv6 without brackets (RFC 5118 section 4.5: either way comes)
	bool rport;           // present, with or without value
	uint16_t rport_value; // 0 = none
	bool takes_feedback;  // the sender understands overload control (RFC 7339): oc
	struct str feedback;  // what answers say in place of these; empty = they stay as they are
	struct str parameters;
};

struct sip_message {
	struct str bytes; // the message alone: head and body
	bool is_request;
	enum sip_method method; // of the request, or by CSeq of a response
	struct str method_text;
	struct str request_uri;
	struct sip_uri uri; // of the Request-URI
	unsigned status;    // of a response, 100 to 699
	struct str reason;
	unsigned header_count;
	int16_t first[SIP_HEADER_COUNT]; // index of the first header of this name, -1 = none
	struct str body;

	// Mandatory fields, parsed and checked.
	struct sip_via via;          // topmost
	struct sip_address from, to; // of a request; a response repeats what we wrote, and only its tags are read
	struct str from_tag, to_tag; // empty = none
	struct str contact_text;     // of a request: the first Contact,
	struct sip_address contact;  // and what it says; nothing for "*"
	struct str call_id;
	uint32_t cseq;
	unsigned max_forwards; // 70 when absent or over 255
	bool has_content_length;
	size_t content_length;
	uint64_t transaction_hash; // of what a request's transaction is known by, once it was looked for; 0 before

	struct sip_header headers[SIP_HEADERS_MAX]; // last: what is behind header_count is never touched
};

// Where and why a message was refused, and what is needed to answer it.
struct sip_fault {
	size_t at;       // offset into the bytes
	const char *why; // a sentence, static
	unsigned status; // what a request is answered with: 400, 414, 505, 513; 0 = drop in silence
	// status != 0: a request, no ACK, with a topmost Via that says where answers go. The answer repeats whichever of Via,
	// From, To, Call-ID and CSeq the message has (RFC 4475 section 3.3.1).
	bool answerable;
};

enum sip_framing { SIP_DATAGRAM, SIP_STREAM };

// A whole message. Folds are overwritten by spaces in place, else the bytes stay as they are. With SIP_DATAGRAM a missing
// Content-Length means "to the end" and bytes beyond it are ignored (RFC 3261 section 18.3).
// False: see *fault, which tells of the first fault; `message` then holds all that was understood, before and after it.
// CRLFs before the message are skipped. A Contact that cannot be read is a fault of a request; other addresses than From
// and To are left to those who use them.
bool sip_message_parse(char *bytes, size_t size, enum sip_framing framing, struct sip_message *message,
		       struct sip_fault *fault);

// For streams: how many bytes the first message in the buffer has. 0 = not complete yet; -1 = can never become one: the
// connection must be closed, after an answer when fault->answerable, for which sip_message_parse of the rest of the buffer
// gives the message. Leading CRLFs (keep-alives) are counted into *skipped in every case; the message begins behind them and
// the result does not include them. Folds are unfolded in place once the head is complete.
long sip_message_frame(char *bytes, size_t size, size_t *skipped, struct sip_fault *fault);

enum sip_method sip_method_of(struct str text);
const char *sip_method_name(enum sip_method method);
struct str sip_header_wire_name(enum sip_header_name name);

// The first header of the name, or NULL.
const struct sip_header *sip_header_first(const struct sip_message *message, enum sip_header_name name);
// A value of Contact that sip_value_next gave, as sip_address_parse reads it. That of a request has been read with it.
bool sip_contact_parse(const struct sip_message *message, struct str value, struct sip_address *address);
// The next of the same name, or NULL.
const struct sip_header *sip_header_next(const struct sip_message *message, const struct sip_header *after);
// Its value, or STR_NONE.
struct str sip_header_value(const struct sip_message *message, enum sip_header_name name);
// Walks all values of a header that may be joined by commas, over several lines. Start with *walk = (struct sip_walk){0}.
// Empty values are left out. Of headers whose commas mean something else (headers.def) each line is one value.
struct sip_walk {
	unsigned header;
	struct str rest;
	bool started;
};
bool sip_value_next(const struct sip_message *message, enum sip_header_name name, struct sip_walk *walk,
		    struct str *value);
// Whether a list header (Require, Supported, Allow ...) names the token, without case.
bool sip_list_has(const struct sip_message *message, enum sip_header_name name, struct str token);

// One value. On failure they hold what stood before the fault. "*" is no address.
bool sip_address_parse(struct str value, struct sip_address *address);
// Its tag alone, at a quarter of the cost; the URI may be anything. False when there is no telling where its parameters begin, or they
// are broken.
bool sip_address_tag(struct str value, struct str *tag);
bool sip_via_parse(struct str value, struct sip_via *via);
// A header parameter such as tag, q, expires; a quoted value comes without its quotes, its escapes as received. False when
// there is none; a bare one gives an empty value. Names compare without case.
bool sip_header_parameter(struct str parameters, struct str name, struct str *value);
// The display name as text: without quotes, escapes resolved. `into` has room for display.length bytes.
struct str sip_display_text(struct str display, char *into);
// Writes the name quoted and escaped, and a space behind it; nothing for an empty one. Control characters are left out.
void sip_write_display(struct writer *w, struct str name);

// The usual phrase of a status: "Not Found"; of an unknown one that of its class.
struct str sip_reason_phrase(unsigned status);

#endif
