// Whole messages: what is read, what is refused with which status, and streams cut into messages.
#include "lib/cmocka.h"
#include "sip/parsed.h"

#include <stdio.h>

#define assert_str(s, text) assert_true(str_equal((s), str_of(text)))

#define VIA     "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport\r\n"
#define FROM    "From: \"Jane\" <sip:510@example.com>;tag=from1\r\n"
#define TO      "To: <sip:511@example.com>\r\n"
#define CALL_ID "Call-ID: a84b4c76e66710@pc33\r\n"
#define CSEQ    "CSeq: 314159 INVITE\r\n"
#define FIVE    VIA FROM TO CALL_ID CSEQ
#define INVITE  "INVITE sip:511@example.com SIP/2.0\r\n"
#define OK      "SIP/2.0 200 OK\r\n"

static void reads_a_request(void **state)
{
	(void)state;
	struct parsed *p = parsed_text(INVITE FIVE "Max-Forwards: 69\r\nContent-Length: 4\r\n\r\nv=0\n", SIP_DATAGRAM);
	const struct sip_message *m = &p->message;
	assert_true(p->fine);
	assert_true(m->is_request);
	assert_int_equal(m->method, SIP_INVITE);
	assert_str(m->method_text, "INVITE");
	assert_str(m->request_uri, "sip:511@example.com");
	assert_str(m->uri.user, "511");
	assert_int_equal(m->header_count, 7);
	assert_str(m->via.host, "192.0.2.1");
	assert_int_equal(m->via.port, 5062);
	assert_str(m->via.branch, "z9hG4bK1");
	assert_true(m->via.rport);
	assert_str(m->from.display, "\"Jane\"");
	assert_str(m->from.uri.user, "510");
	assert_str(m->from_tag, "from1");
	assert_str(m->to.uri.user, "511");
	assert_str(m->to_tag, "");
	assert_str(m->call_id, "a84b4c76e66710@pc33");
	assert_int_equal(m->cseq, 314159);
	assert_int_equal(m->max_forwards, 69);
	assert_true(m->has_content_length);
	assert_int_equal(m->content_length, 4);
	assert_str(m->body, "v=0\n");
	assert_int_equal(m->bytes.length, p->size);
	assert_int_equal(m->status, 0);
	assert_null(p->fault.why);
	parsed_free(p);
}

static void reads_a_response(void **state)
{
	(void)state;
	struct parsed *p = parsed_text("sip/2.0 486 Busy  Here \r\n" FIVE "\r\n", SIP_DATAGRAM);
	assert_true(p->fine);
	assert_false(p->message.is_request);
	assert_int_equal(p->message.status, 486);
	assert_str(p->message.reason, "Busy  Here ");
	assert_int_equal(p->message.method, SIP_INVITE);
	assert_str(p->message.method_text, "INVITE");
	assert_int_equal(p->message.max_forwards, 70);
	assert_false(p->message.has_content_length);
	assert_str(p->message.body, "");
	parsed_free(p);

	p = parsed_text("SIP/2.0 200 \r\n" FIVE "\r\n", SIP_DATAGRAM);
	assert_true(p->fine);
	assert_str(p->message.reason, "");
	parsed_free(p);
	p = parsed_text("SIP/2.0 200\r\n" FIVE "\r\n", SIP_DATAGRAM);
	assert_true(p->fine);
	assert_str(p->message.reason, "");
	parsed_free(p);
}

static void unfolds_in_place(void **state)
{
	(void)state;
	struct parsed *p = parsed_text(INVITE "v:\r\n SIP / 2.0\r\n\t/ UDP h\r\n ;branch=\r\n z9hG4bK1\r\n"
					      "f: \"a\r\n b\" <sip:a@h>\r\n ;tag\r\n = 1\r\n" TO
					      "i:\r\n \r\n x\r\nCSeq: 7\r\n INVITE\r\ns: \r\n \r\n"
					      "X-A:\r\n one\r\n\t two\r\n\r\n",
				       SIP_DATAGRAM);
	assert_true(p->fine);
	assert_str(p->message.via.branch, "z9hG4bK1");
	assert_str(p->message.from.display, "\"a   b\"");
	assert_str(p->message.from_tag, "1");
	assert_str(p->message.call_id, "x");
	assert_int_equal(p->message.cseq, 7);
	assert_str(sip_header_value(&p->message, SIP_HEADER_SUBJECT), "");
	assert_str(sip_header_value(&p->message, SIP_HEADER_OTHER), "one  \t two");
	// A second reading finds the same.
	struct sip_message again;
	struct sip_fault fault;
	assert_true(sip_message_parse(p->bytes, p->size, SIP_DATAGRAM, &again, &fault));
	assert_int_equal(again.header_count, p->message.header_count);
	parsed_free(p);
}

static void the_body_ends_where_it_should(void **state)
{
	(void)state;
	static const struct {
		const char *length, *body;
	} cases[] = {
	    {"", "v=0\r\n\r\nINVITE"},
	    {"Content-Length: 0\r\n", ""},
	    {"l: 5\r\n", "v=0\r\n"},
	    {"Content-Length: 0005\r\nl: 0005\r\n", "v=0\r\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];
		snprintf(text, sizeof text, "\r\n\r\n" INVITE FIVE "%s\r\nv=0\r\n\r\nINVITE", cases[i].length);
		struct parsed *p = parsed_text(text, SIP_DATAGRAM);
		assert_true(p->fine);
		assert_str(p->message.body, cases[i].body);
		assert_ptr_equal(p->message.bytes.at, p->bytes + 4);
		assert_ptr_equal(p->message.bytes.at + p->message.bytes.length,
				 p->message.body.at + p->message.body.length);
		parsed_free(p);
	}
}

static void max_forwards_over_255_counts_as_absent(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		unsigned is;
	} cases[] = {{"0", 0}, {"0068", 68}, {"255", 255}, {"256", 70}, {"36893488147419103232", 70}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];
		snprintf(text, sizeof text, INVITE FIVE "Max-Forwards: %s\r\n\r\n", cases[i].value);
		struct parsed *p = parsed_text(text, SIP_DATAGRAM);
		assert_true(p->fine);
		assert_int_equal(p->message.max_forwards, cases[i].is);
		parsed_free(p);
	}
}

static void tolerates(void **state)
{
	(void)state;
	static const char *const fine[] = {
	    // two of what is harmless twice
	    INVITE FIVE "Subject: a\r\nSubject: b\r\nUser-Agent: c\r\nUser-Agent: d\r\nDate: e\r\nDate: f\r\n\r\n",
	    // a quoted-pair of control characters
	    INVITE VIA "From: \"BEL \\\x07 ESC \\\x1b DEL \\\x7f\" <sip:a@h>;tag=1\r\n" TO CALL_ID CSEQ "\r\n",
	    // bytes beyond ASCII
	    INVITE FIVE "X-A: \xef\xbb\xbf\xe5\xa4\xa7\xff\xfe\r\n\r\n",
	    // a header without a value, one with nothing but colons
	    INVITE FIVE "X-A:\r\nX-B: ;;,,;:\r\n\r\n",
	    // the old ways: no tags, no cookie
	    "INVITE sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a@h\r\nTo: sip:b@h\r\nCall-ID: 1\r\nCSeq: 0 "
	    "INVITE\r\n\r\n",
	    // methods and schemes of others
	    "F%4FO~ soap.beep:x SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 4294967295 F%4FO~\r\n\r\n",
	    // Contact: * and the absence of values
	    INVITE FIVE "Contact: *\r\nContact:\r\n\r\n",
	    // an empty line of a list
	    INVITE "Via:\r\n" FIVE "\r\n",
	    // a Contact that cannot be read, in a response
	    OK FIVE "Contact: <sip:a@h?\r\nMax-Forwards: 300\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		struct parsed *p = parsed_text(fine[i], SIP_DATAGRAM);
		if (!p->fine)
			fail_msg("%s: at %zu of\n%s", p->fault.why, p->fault.at, fine[i]);
		parsed_free(p);
	}
}

struct refusal {
	const char *text;
	unsigned status; // 0 = not answerable
	const char *why;
	const char *at; // what stands where the fault is
};

static void check_refusals(const struct refusal *refusals, size_t count, enum sip_framing framing)
{
	for (size_t i = 0; i < count; i++) {
		const struct refusal *r = &refusals[i];
		struct parsed *p = parsed_text(r->text, framing);
		if (p->fine)
			fail_msg("accepted:\n%s", r->text);
		if (p->fault.status != r->status || strcmp(p->fault.why, r->why) != 0 || p->fault.at > p->size ||
		    strncmp(r->text + p->fault.at, r->at, strlen(r->at)) != 0)
			fail_msg("%u %s at %zu of\n%s", p->fault.status, p->fault.why, p->fault.at, r->text);
		assert_int_equal(p->fault.answerable, r->status != 0);
		parsed_free(p);
	}
}

static void refuses_start_lines(void **state)
{
	(void)state;
	static const char *const no_uri_end = "the request line does not end with SIP/2.0";
	const struct refusal refusals[] = {
	    {"", 0, "nothing but line ends", ""},
	    {"\r\n\r\n", 0, "nothing but line ends", ""},
	    {"\r", 0, "a control character, or a line end that is not CRLF", "\r"},
	    {"\n\n", 0, "a control character, or a line end that is not CRLF", "\n"},
	    {"hello", 0, "the blank line behind the head is missing", ""},
	    {"\r\n\r\nhello\r\n\r\n", 0, "neither a request line nor a status line", "hello"},
	    {" INVITE sip:h SIP/2.0\r\n" FIVE "\r\n", 0, "neither a request line nor a status line", " INVITE"},
	    {"IN(ITE sip:h SIP/2.0\r\n" FIVE "\r\n", 0, "neither a request line nor a status line", "IN(ITE"},
	    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0, no_uri_end, "HTTP"},
	    {"INVITE sip:h\r\n" FIVE "\r\n", 400, "the request line has no SIP version", "sip:h"},
	    {"INVITE sip:h \r\n" FIVE "\r\n", 400, no_uri_end, "\r\n"},
	    {"INVITE sip:h SIP/2.0 \r\n" FIVE "\r\n", 400, no_uri_end, "SIP/2.0 "},
	    {"INVITE  sip:h SIP/2.0\r\n" FIVE "\r\n", 400, no_uri_end, "sip:h"},
	    {"INVITE sip:h  SIP/2.0\r\n" FIVE "\r\n", 400, no_uri_end, " SIP/2.0"},
	    {"INVITE sip:h SIP/2.0\n" FIVE "\r\n", 0, "a control character, or a line end that is not CRLF", "\n"},
	    {"INVITE sip:h\r\n SIP/2.0\r\n" FIVE "\r\n", 400, "the request line has no SIP version", "sip:h"},
	    {"INVITE sip:h SIP/3.0\r\n" FIVE "\r\n", 505, "a SIP version other than 2.0", "SIP/3.0"},
	    {"INVITE sip:h SIP/2.00\r\n" FIVE "\r\n", 505, "a SIP version other than 2.0", "SIP/2.00"},
	    {"INVITE sip:h;\t SIP/2.0\r\n" FIVE "\r\n", 400,
	     "a character that cannot stand here in a URI, or a broken escape", "\t SIP"},
	    {"INVITE <sip:h> SIP/2.0\r\n" FIVE "\r\n", 400, "the URI does not begin with a scheme", "<sip:h>"},
	    {"INVITE sip:h?a=b SIP/2.0\r\n" FIVE "\r\n", 400, "the Request-URI carries header fields", "a=b"},
	    {"ACK sip:h?a=b SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 ACK\r\n\r\n", 0,
	     "the Request-URI carries header fields", "a=b"},
	    {"SIP/3.0 200 OK\r\n" FIVE "\r\n", 0, "a SIP version other than 2.0", "SIP/3.0"},
	    {"SIP/2.0\r\n" FIVE "\r\n", 0, "a SIP version other than 2.0", "SIP/2.0"},
	    {"SIP/2.0 4294967496 OK\r\n" FIVE "\r\n", 0, "the status is not a number from 100 to 699", "4294967496"},
	    {"SIP/2.0 099 OK\r\n" FIVE "\r\n", 0, "the status is not a number from 100 to 699", "099"},
	    {"SIP/2.0 700 OK\r\n" FIVE "\r\n", 0, "the status is not a number from 100 to 699", "700"},
	    {"SIP/2.0 2x0 OK\r\n" FIVE "\r\n", 0, "the status is not a number from 100 to 699", "2x0"},
	    {"SIP/2.0  200 OK\r\n" FIVE "\r\n", 0, "the status is not a number from 100 to 699", " 200"},
	};
	check_refusals(refusals, sizeof refusals / sizeof *refusals, SIP_DATAGRAM);
}

static void refuses_headers(void **state)
{
	(void)state;
	static const char *const control = "a control character, or a line end that is not CRLF";
	static const char *const no_header = "not a header: no name with a colon behind it";
	static const char *const no_blank = "the blank line behind the head is missing";
	const struct refusal refusals[] = {
	    {INVITE FIVE, 400, no_blank, ""},
	    {INVITE FIVE "X-A: y", 400, no_blank, ""},
	    {INVITE FIVE "X-A: y\r", 400, control, "\r"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 314159 INVITE", 400, no_blank, ""},
	    {INVITE " folded: into what\r\n" FIVE "\r\n", 400, no_header, " folded"},
	    {INVITE FIVE "no colon\r\n\r\n", 400, no_header, "no colon"},
	    {INVITE FIVE ": no name\r\n\r\n", 400, no_header, ": no name"},
	    {INVITE FIVE "a b: x\r\n\r\n", 400, no_header, "a b"},
	    {INVITE FIVE "X-A: a\nX-B: b\r\n\r\n", 400, control, "\nX-B"},
	    {INVITE FIVE "X-A: a\rX-B: b\r\n\r\n", 400, control, "\rX-B"},
	    {INVITE FIVE "X-A: a\\\rX-B: b\r\n\r\n", 400, control, "\rX-B"},
	    {INVITE FIVE "X-A: a\x01\r\n\r\n", 400, control, "\x01"},
	    {INVITE FIVE "\x01\r\n\r\n", 400, control, "\x01"},
	    {INVITE FROM TO CALL_ID CSEQ "\r\n", 0, "no Via header", ""},
	    {INVITE VIA TO CALL_ID CSEQ "\r\n", 400, "no From header", ""},
	    {INVITE VIA FROM CALL_ID CSEQ "\r\n", 400, "no To header", ""},
	    {INVITE VIA FROM TO CSEQ "\r\n", 400, "no Call-ID header", ""},
	    {INVITE VIA FROM TO CALL_ID "\r\n", 400, "no CSeq header", ""},
	    {INVITE FIVE VIA "f: <sip:x@h>\r\n\r\n", 400, "a second From header", "f: <"},
	    {INVITE FIVE "t: <sip:x@h>\r\n\r\n", 400, "a second To header", "t: <"},
	    {INVITE FIVE "i: 2\r\n\r\n", 400, "a second Call-ID header", "i: 2"},
	    {INVITE FIVE CSEQ "\r\n", 400, "a second CSeq header", "CSeq"},
	    {INVITE FIVE "Max-Forwards: 1\r\nMAX-FORWARDS: 1\r\n\r\n", 400, "a second Max-Forwards header", "MAX"},
	    {INVITE FIVE "Replaces: 1\r\nReplaces: 1\r\n\r\n", 400, "a second Replaces header", "Replaces"},
	    {INVITE FIVE "l: 0\r\nContent-Length: 1\r\n\r\nx", 400, "two Content-Length headers that differ",
	     "Content"},
	    {INVITE "Via: SIP/2.0/UDP\r\n" FROM TO CALL_ID CSEQ "\r\n", 0, "the topmost Via cannot be read",
	     "SIP/2.0/UDP"},
	    {INVITE "Via: ,,\r\n" FROM TO CALL_ID CSEQ "\r\n", 0, "Via is empty", ",,"},
	    {INVITE "Via: SIP/2.0/UDP h;;,;,,\r\n" FROM TO CALL_ID CSEQ "\r\n", 400, "the topmost Via cannot be read",
	     "SIP/2.0/UDP h;;"},
	    {INVITE "Via: SIP/2.0/UDP h;branch=z9hG4bK\r\n" FROM TO CALL_ID CSEQ "\r\n", 400,
	     "the branch is nothing but the magic cookie", "z9hG4bK\r\n"},
	    {INVITE VIA "From: <sip:a@h\r\n" TO CALL_ID CSEQ "\r\n", 400, "From cannot be read", "<sip:a@h"},
	    {INVITE VIA FROM "To: \"J <sip:a@h>\r\n" CALL_ID CSEQ "\r\n", 400, "To cannot be read", "\"J"},
	    {INVITE VIA FROM TO "Call-ID:\r\n" CSEQ "\r\n", 400, "Call-ID is empty", ""},
	    {INVITE VIA FROM TO "Call-ID: a b\r\n" CSEQ "\r\n", 400, "a space or control character in Call-ID", " b"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 4294967296 INVITE\r\n\r\n", 400, "CSeq has no number below 2^32",
	     "4294967296"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: INVITE\r\n\r\n", 400, "CSeq has no number below 2^32", "INVITE"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: -1 INVITE\r\n\r\n", 400, "CSeq has no number below 2^32", "-1"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 1\r\n\r\n", 400, "CSeq has no method", "\r\n"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 1INVITE\r\n\r\n", 400, "CSeq has no method", "INVITE"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 1 INVITE x\r\n\r\n", 400, "CSeq has no method", "INVITE x"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 1 BYE\r\n\r\n", 400, "the method of CSeq is not that of the request",
	     "BYE"},
	    {INVITE VIA FROM TO CALL_ID "CSeq: 1 invite\r\n\r\n", 400, "the method of CSeq is not that of the request",
	     "invite"},
	    {INVITE FIVE "Max-Forwards: x\r\n\r\n", 400, "Max-Forwards is not a number", "x"},
	    {INVITE FIVE "Max-Forwards: -1\r\n\r\n", 400, "Max-Forwards is not a number", "-1"},
	    {INVITE FIVE "Max-Forwards:\r\n\r\n", 400, "Max-Forwards is not a number", ""},
	    {INVITE FIVE "Contact: <sip:a@h>, sip:a@h?x=y\r\n\r\n", 400, "a Contact cannot be read", "sip:a@h?"},
	    {INVITE FIVE "Contact: \"Joe\" <sip:a@h>;;;;\r\n\r\n", 400, "a Contact cannot be read", "\"Joe\""},
	    {OK VIA FROM TO CALL_ID "CSeq: 4294967296 INVITE\r\n\r\n", 0, "CSeq has no number below 2^32",
	     "4294967296"},
	    {OK VIA FROM TO CALL_ID "\r\n", 0, "no CSeq header", ""},
	};
	check_refusals(refusals, sizeof refusals / sizeof *refusals, SIP_DATAGRAM);
}

static const struct refusal lengths[] = {
    {INVITE FIVE "Content-Length: -1\r\n\r\n", 400, "Content-Length is not a number below 2^32", "-1"},
    {INVITE FIVE "Content-Length: +1\r\n\r\nx", 400, "Content-Length is not a number below 2^32", "+1"},
    {INVITE FIVE "Content-Length: 0x1\r\n\r\nx", 400, "Content-Length is not a number below 2^32", "0x1"},
    {INVITE FIVE "Content-Length: 1, 1\r\n\r\nx", 400, "Content-Length is not a number below 2^32", "1, 1"},
    {INVITE FIVE "Content-Length: 1\r\n 1\r\n\r\nxxxxxxxxxxxx", 400, "Content-Length is not a number below 2^32", "1"},
    {INVITE FIVE "Content-Length:\r\n\r\n", 400, "Content-Length is not a number below 2^32", ""},
    {INVITE FIVE "Content-Length: 4294967296\r\n\r\n", 400, "Content-Length is not a number below 2^32", "4294967296"},
    {INVITE FIVE "Content-Length: 18446744073709551616\r\n\r\n", 400, "Content-Length is not a number below 2^32",
     "1844"},
    {INVITE FIVE "Content-Length: 4294967295\r\n\r\n", 513, "the message is longer than 65535 bytes", "4294967295"},
    {INVITE FIVE "Content-Length: 2147483648\r\n\r\n", 513, "the message is longer than 65535 bytes", "2147483648"},
    {INVITE FIVE "Content-Length: 65500\r\n\r\n", 513, "the message is longer than 65535 bytes", "65500"},
    {INVITE FIVE "Content-Length: 1\r\nl: 2\r\n\r\nxx", 400, "two Content-Length headers that differ", "l: 2"},
};

static void refuses_lengths(void **state)
{
	(void)state;
	static const struct refusal short_of_bytes[] = {
	    {INVITE FIVE "Content-Length: 5\r\n\r\nfour", 400, "Content-Length is more than what is there", "5"},
	};
	static const struct refusal missing[] = {
	    {INVITE FIVE "\r\nfour", 400, "no Content-Length in a stream", "four"},
	};
	check_refusals(lengths, sizeof lengths / sizeof *lengths, SIP_DATAGRAM);
	check_refusals(lengths, sizeof lengths / sizeof *lengths, SIP_STREAM);
	check_refusals(short_of_bytes, 1, SIP_DATAGRAM);
	check_refusals(missing, 1, SIP_STREAM);
}

// What can be repeated in the answer is there although a fault came before it.
static void reads_on_behind_a_fault(void **state)
{
	(void)state;
	struct parsed *p = parsed_text(
	    "INVITE  sip:h SIP/2.0\r\nbroken\r\nMax-Forwards: x\r\n" FIVE "Content-Length: 9\r\n\r\n", SIP_DATAGRAM);
	assert_false(p->fine);
	assert_int_equal(p->message.method, SIP_INVITE);
	assert_str(p->message.via.host, "192.0.2.1");
	assert_str(p->message.from_tag, "from1");
	assert_str(p->message.to.uri.user, "511");
	assert_str(p->message.call_id, "a84b4c76e66710@pc33");
	assert_int_equal(p->message.cseq, 314159);
	assert_int_equal(p->message.header_count, 7);
	parsed_free(p);
}

// An answer repeats headers; none of them may hold what somebody else could take for a line end.
static void no_value_holds_a_line_end(void **state)
{
	(void)state;
	static const char *const broken[] = {
	    INVITE FIVE "Subject: a\rVia: x\r\n\r\n",
	    INVITE FIVE "Subject: a\nVia: x\r\n\r\n",
	    INVITE FIVE "Subject: a\nVia: x",
	};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct parsed *p = parsed_text(broken[i], SIP_DATAGRAM);
		assert_false(p->fine);
		assert_true(p->fault.answerable);
		assert_int_equal(p->message.header_count, 5);
		parsed_free(p);
	}
}

// A message with `filler` in the middle of it, repeated.
static struct parsed *filled(const char *before, const char *filler, size_t times, const char *after)
{
	size_t unit = strlen(filler), size = strlen(before) + times * unit + strlen(after), at = strlen(before);
	char *text = malloc(size + 1);
	assert_non_null(text);
	strcpy(text, before);
	for (size_t i = 0; i < times; i++, at += unit)
		memcpy(text + at, filler, unit);
	strcpy(text + at, after);
	struct parsed *p = parsed_bytes(text, size, SIP_DATAGRAM);
	free(text);
	return p;
}

static void everything_has_a_bound(void **state)
{
	(void)state;
	static const struct {
		const char *before, *filler, *after;
		size_t fits; // how many fit; one more does not
		unsigned status;
		const char *why;
	} bounds[] = {
	    {INVITE FIVE, "X-A:\r\n", "\r\n", SIP_HEADERS_MAX - 5, 513, "more than 128 headers"},
	    {INVITE FIVE "X-A:", "y", "\r\n\r\n", SIP_LINE_MAX - 4, 513, "a header is longer than 8192 bytes"},
	    {INVITE FIVE "X-A:", "\r\n ", "y\r\n\r\n", (SIP_LINE_MAX - 5) / 3, 513,
	     "a header is longer than 8192 bytes"},
	    {INVITE FIVE "\r\n", "y", "", SIP_MESSAGE_MAX - sizeof INVITE FIVE - 1, 513,
	     "the message is longer than 65535 bytes"},
	    {"INVITE sip:h", "h", " SIP/2.0\r\n" FIVE "\r\n", SIP_URI_MAX - 5, 414,
	     "the URI is longer than 1024 bytes"},
	};
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		struct parsed *p = filled(bounds[i].before, bounds[i].filler, bounds[i].fits, bounds[i].after);
		if (!p->fine)
			fail_msg("row %zu: %s at %zu", i, p->fault.why, p->fault.at);
		parsed_free(p);
		p = filled(bounds[i].before, bounds[i].filler, bounds[i].fits + 1, bounds[i].after);
		assert_false(p->fine);
		assert_int_equal(p->fault.status, bounds[i].status);
		assert_string_equal(p->fault.why, bounds[i].why);
		parsed_free(p);
	}
}

static void the_head_has_a_bound(void **state)
{
	(void)state;
	char line[201];
	memset(line, 'y', sizeof line);
	memcpy(line, "X-A:", 4);
	strcpy(line + sizeof line - 3, "\r\n");
	struct parsed *p = filled(INVITE FIVE, line, 80, "\r\n");
	assert_true(p->fine);
	parsed_free(p);
	p = filled(INVITE FIVE, line, 100, "\r\n");
	assert_false(p->fine);
	assert_int_equal(p->fault.status, 513);
	assert_string_equal(p->fault.why, "the head is longer than 16384 bytes");
	assert_int_equal(p->fault.at, SIP_HEAD_MAX);
	parsed_free(p);
}

// ---- streams

// Frames the text out of memory of exactly its size.
static long frame(const char *text, size_t size, size_t *skipped, struct sip_fault *fault)
{
	char *bytes = malloc(size + (size == 0));
	assert_non_null(bytes);
	memcpy(bytes, text, size);
	long length = sip_message_frame(bytes, size, skipped, fault);
	free(bytes);
	return length;
}

static void frames_a_stream_at_every_cut(void **state)
{
	(void)state;
	static const char first[] = INVITE FIVE "Content-Length:\r\n 5\r\n\r\nv=0\r\n",
			  second[] = OK FIVE "l: 0\r\n\r\n";
	static const char stream[] =
	    "\r\n\r\n" INVITE FIVE "Content-Length:\r\n 5\r\n\r\nv=0\r\n" OK FIVE "l: 0\r\n\r\n";
	size_t skipped;
	struct sip_fault fault;
	for (size_t size = 0; size < sizeof stream; size++) {
		long length = frame(stream, size, &skipped, &fault);
		assert_int_equal(skipped, size < 4 ? size / 2 * 2 : 4);
		assert_int_equal(length, size < 4 + sizeof first - 1 ? 0 : (long)sizeof first - 1);
	}
	assert_int_equal(frame(second, sizeof second - 1, &skipped, &fault), (long)sizeof second - 1);
	assert_int_equal(skipped, 0);
	assert_null(fault.why);
}

static void gives_up_on_streams(void **state)
{
	(void)state;
	size_t skipped;
	struct sip_fault fault;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		if (frame(lengths[i].text, strlen(lengths[i].text), &skipped, &fault) != -1)
			fail_msg("framed:\n%s", lengths[i].text);
		assert_int_equal(fault.status, lengths[i].status);
		assert_true(fault.answerable);
		assert_string_equal(fault.why, lengths[i].why);
	}
	static const char missing[] = INVITE FIVE "\r\n";
	assert_int_equal(frame(missing, sizeof missing - 1, &skipped, &fault), -1);
	assert_string_equal(fault.why, "no Content-Length in a stream");
	static const char handshake[] = "\r\n\x16\x03\x01\x02";
	assert_int_equal(frame(handshake, sizeof handshake - 1, &skipped, &fault), -1);
	assert_int_equal(skipped, 2);
	assert_int_equal(fault.status, 0);
	static const char not_crlf[] = "\n\n";
	assert_int_equal(frame(not_crlf, sizeof not_crlf - 1, &skipped, &fault), -1);
}

static void a_head_without_end_is_given_up_at_its_bound(void **state)
{
	(void)state;
	char *endless = malloc(SIP_HEAD_MAX + 1);
	size_t skipped, start = strlen(INVITE FIVE "X-A:");
	struct sip_fault fault;
	assert_non_null(endless);
	memset(endless, 'y', SIP_HEAD_MAX + 1);
	memcpy(endless, INVITE FIVE "X-A:", start);
	assert_int_equal(frame(endless, SIP_HEAD_MAX - 1, &skipped, &fault), 0);
	assert_int_equal(frame(endless, SIP_HEAD_MAX, &skipped, &fault), -1);
	assert_int_equal(frame(endless, SIP_HEAD_MAX + 1, &skipped, &fault), -1);
	assert_int_equal(fault.status, 513);
	free(endless);
}

// A fault that does not touch the length costs the message, not the connection.
static void a_broken_message_is_framed_all_the_same(void **state)
{
	(void)state;
	static const char broken[] = INVITE FIVE "X-A: \x01\r\nno colon\r\nContent-Length: 2\r\n\r\nhi";
	size_t skipped;
	struct sip_fault fault;
	assert_int_equal(frame(broken, sizeof broken - 1, &skipped, &fault), (long)sizeof broken - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_a_request),
	    cmocka_unit_test(reads_a_response),
	    cmocka_unit_test(unfolds_in_place),
	    cmocka_unit_test(the_body_ends_where_it_should),
	    cmocka_unit_test(max_forwards_over_255_counts_as_absent),
	    cmocka_unit_test(tolerates),
	    cmocka_unit_test(refuses_start_lines),
	    cmocka_unit_test(refuses_headers),
	    cmocka_unit_test(refuses_lengths),
	    cmocka_unit_test(reads_on_behind_a_fault),
	    cmocka_unit_test(no_value_holds_a_line_end),
	    cmocka_unit_test(everything_has_a_bound),
	    cmocka_unit_test(the_head_has_a_bound),
	    cmocka_unit_test(frames_a_stream_at_every_cut),
	    cmocka_unit_test(gives_up_on_streams),
	    cmocka_unit_test(a_head_without_end_is_given_up_at_its_bound),
	    cmocka_unit_test(a_broken_message_is_framed_all_the_same),
	};
	return cmocka_run_group_tests_name("sip message", tests, NULL, NULL);
}
