// One message for each section of RFC 4475.
#include "lib/cmocka.h"
#include "sip/torture.h"

#define VIA(n)    "Via: SIP/2.0/UDP desk.example.net:5062;branch=z9hG4bK.torture." n "\n"
#define FROM      "From: \"Jane\" <sip:jane@example.net>;tag=8f2e\n"
#define TO        "To: <sip:bob@example.com>\n"
#define ID(n)     "Call-ID: torture-" n "@desk.example.net\n"
#define TOP(n)    VIA(n) FROM TO ID(n) "Max-Forwards: 70\n"
#define CONTACT   "Contact: <sip:jane@desk.example.net:5062>\n"
#define SDP       "v=0\no=jane 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 8\n"
#define SDP_TYPE  "Content-Type: application/sdp\n"
#define INVITE(n) "INVITE sip:bob@example.com SIP/2.0\n" TOP(n) CONTACT "CSeq: 5 INVITE\n"
// With its carriage returns the SDP has 90 bytes.
#define BODY SDP_TYPE "Content-Length: 90\n\n" SDP

static void check_folding(const struct sip_message *m)
{
	assert_string_equal(
	    torture_values(m, SIP_HEADER_VIA),
	    "SIP / 2.0    / TLS [2001:db8::5] : 5071 ;     branch = z9hG4bK.a|SIP/2.0/UDP b.example.net ;branch=     "
	    "z9hG4bK.b|SIP / 2.0/TCP c.example.net|");
	assert_str(m->via.transport, "TLS");
	assert_int_equal(m->via.port, 5071);
	assert_str(m->via.branch, "z9hG4bK.a");
	assert_str(m->from_tag, "8f2e");
	assert_str(m->to_tag, "91");
	assert_str(m->to.uri.user, "bob");
	assert_int_equal(m->max_forwards, 68);
	assert_int_equal(m->cseq, 9);
	assert_int_equal(m->body.length, 2);
	struct str q;
	struct sip_address contact;
	assert_true(sip_address_parse(sip_header_value(m, SIP_HEADER_CONTACT), &contact));
	assert_true(sip_header_parameter(contact.parameters, STR("q"), &q));
	assert_str(q, "0.33");
}

static void check_odd_characters(const struct sip_message *m)
{
	char into[64];
	assert_int_equal(m->method, SIP_METHOD_OTHER);
	assert_str(m->method_text, "Knock-On.Wood!%*_+`'~9");
	assert_str(m->uri.user, "a-_.!~*'()&=+$,;?/b");
	assert_str(m->uri.password, "&=+$,pw");
	struct str name = sip_display_text(m->to.display, into);
	assert_int_equal(name.length, 8);
	assert_memory_equal(name.at,
			    "a\0b\x07"
			    "c\x7f\"\\",
			    8);
	assert_str(m->from.display, "one' two* +three%");
	assert_str(m->from_tag, "'~`%*");
	assert_str(m->call_id, "w0rd~%`(<[{:\\\"/?}]>)@w'o*r!d");
}

static void check_escapes(const struct sip_message *m)
{
	char into[64];
	struct str user;
	assert_int_equal(m->uri.scheme, URI_SIP);
	assert_true(sip_unescape(m->uri.user, into, &user));
	assert_str(user, "sips:bob@example.org");
	assert_true(sip_uri_equal(&m->from.uri, &m->to.uri)); // one has an escaped letter
}

static void check_escaped_nul(const struct sip_message *m)
{
	char into[64];
	struct sip_walk walk = {0};
	struct sip_address first, second;
	struct str value, user;
	assert_true(sip_value_next(m, SIP_HEADER_CONTACT, &walk, &value) && sip_address_parse(value, &first));
	assert_true(sip_value_next(m, SIP_HEADER_CONTACT, &walk, &value) && sip_address_parse(value, &second));
	assert_false(sip_uri_equal(&first.uri, &second.uri));
	assert_true(sip_unescape(second.uri.user, into, &user));
	assert_int_equal(user.length, 3);
	assert_memory_equal(user.at, "\0x\0", 3);
}

static void check_escaped_method(const struct sip_message *m)
{
	assert_int_equal(m->method, SIP_METHOD_OTHER);
	assert_str(m->method_text, "%52EGISTER");
}

static void check_name_touching_bracket(const struct sip_message *m)
{
	assert_str(m->to.display, "Bob");
	assert_str(m->to.uri.user, "bob");
}

static void check_body_is_empty(const struct sip_message *m)
{
	assert_int_equal(m->method, SIP_REGISTER);
	assert_int_equal(m->body.length, 0);
	assert_int_equal(m->header_count, 8);
}

static void check_semicolon_in_user(const struct sip_message *m)
{
	assert_str(m->uri.user, "bob;ext=7%40x");
	assert_str(m->uri.host, "example.com");
	assert_str(m->uri.parameters, "");
}

static void check_vias(const struct sip_message *m)
{
	assert_string_equal(
	    torture_values(m, SIP_HEADER_VIA),
	    "SIP/2.0/UDP desk.example.net:5062;branch=z9hG4bK.torture.10|SIP/2.0/PIGEON a.example.net|SIP/2.0/SCTP "
	    "b.example.net|SIP/2.0/x!y%z c.example.net;branch=z9hG4bK.c|");
}

static void check_binary_body(const struct sip_message *m)
{
	assert_int_equal(m->body.length, 46);
	assert_memory_equal(m->body.at + 31, "\0\xff\x80\x01", 4);
}

static void check_reason(const struct sip_message *m)
{
	assert_int_equal(m->status, 200);
	assert_str(m->reason, "= 2**3 * 25 \xd0\xb8 \xe5\xbe\x88\xe5\xa5\xbd");
}

static void check_no_reason(const struct sip_message *m)
{
	assert_int_equal(m->status, 100);
	assert_str(m->reason, "");
}

static void check_other_scheme(const struct sip_message *m)
{
	assert_int_equal(m->uri.scheme, URI_OTHER);
}

static void check_other_addresses(const struct sip_message *m)
{
	assert_int_equal(m->to.uri.scheme, URI_OTHER);
	assert_int_equal(m->from.uri.scheme, URI_OTHER);
}

static void check_extensions(const struct sip_message *m)
{
	assert_true(sip_list_has(m, SIP_HEADER_REQUIRE, STR("levitation")));
	assert_true(sip_list_has(m, SIP_HEADER_PROXY_REQUIRE, STR("telepathy")));
	assert_false(sip_list_has(m, SIP_HEADER_SUPPORTED, STR("levitation")));
}

static void check_no_hops_left(const struct sip_message *m)
{
	assert_int_equal(m->max_forwards, 0);
}

static void check_parameter_of_the_header(const struct sip_message *m)
{
	struct sip_address contact;
	assert_true(sip_address_parse(sip_header_value(m, SIP_HEADER_CONTACT), &contact));
	assert_str(contact.uri.parameters, "");
	assert_str(contact.parameters, "colour=blue");
}

static void check_parameter_of_the_uri(const struct sip_message *m)
{
	struct sip_address contact;
	assert_true(sip_address_parse(sip_header_value(m, SIP_HEADER_CONTACT), &contact));
	assert_str(contact.uri.parameters, "colour=blue");
	assert_str(contact.parameters, "");
}

static void check_escaped_route(const struct sip_message *m)
{
	struct sip_address contact;
	assert_true(sip_address_parse(sip_header_value(m, SIP_HEADER_CONTACT), &contact));
	assert_str(contact.uri.headers, "Route=%3Csip:edge.example.com%3Blr%3E");
}

static void check_old_request(const struct sip_message *m)
{
	assert_str(m->via.branch, "");
	assert_str(m->from_tag, "");
	assert_int_equal(m->max_forwards, 70);
	assert_int_equal(m->body.length, 90);
}

#define REPEAT_10(text)  text text text text text text text text text text
#define REPEAT_100(text) REPEAT_10(REPEAT_10(text))

// clang-format off
const struct torture torture_4475[] = {
    {"3.1.1.1", "wsinv", "folds and spaces wherever they are allowed", PARSED, 0,
     TORTURE_TEXT("INVITE sip:bob@example.com;odd SIP/2.0\n"
		  "VIA \t :\n SIP / 2.0\n  / TLS [2001:db8::5] : 5071 ;\n   branch = z9hG4bK.a\n"
		  "fRoM:\n \"Jane\"\n  <sip:jane@example.net>\n ;\n tag\n =\n 8f2e\n"
		  "t :bob <sip:bob@example.com>   ;   tag  =91\n"
		  "i: torture-1\nC-UnHeard-Of:   one\n two\n\tthree\nX-Odd: ,;,=\"\n"
		  "mAX-fORWARDS\t: 00068\ncseq: 0009\n\tINVITE\ns :\n"
		  "v: SIP/2.0/UDP b.example.net ;branch=\n   z9hG4bK.b ,SIP / 2.0/TCP c.example.net\n"
		  "m:<sip:jane@192.0.2.9>;flag ; new =\n  \"\\\"\" ; q\n = 0.33\n"
		  "l  :  2\n\nok"),
     check_folding},
    {"3.1.1.2", "intmeth", "every character that the grammar lets in", PARSED, 0,
     TORTURE_TEXT("Knock-On.Wood!%*_+`'~9 sip:a-_.!~*'()&=+$,;?/b:&=+$,pw@example.com SIP/2.0\n" VIA("2")
		  "To: \"a\\\0b\\\x07" "c\\\x7f\\\"\\\\\" <sip:bob@example.com>\n"
		  "From: one' two* +three% <sip:jane@example.net>;x''~+*_!.-%=\"\xc3\xa4\xe5\xa4\xa7\";tag='~`%*\n"
		  "Call-ID: w0rd~%`(<[{:\\\"/?}]>)@w'o*r!d\nCSeq: 139122385 Knock-On.Wood!%*_+`'~9\n"
		  "Max-Forwards: 255\nX-!.%*+_`'~: \xef\xbb\xbf\xe5\xa4\xa7\n\n"),
     check_odd_characters},
    {"3.1.1.3", "esc01", "escapes mean the characters that they stand for", PARSED, 0,
     TORTURE_TEXT("INVITE sip:sips%3Abob%40example.org@example.com SIP/2.0\n" VIA("3")
		  "From: <sip:%6aane@example.net;x=%41>;tag=1\nTo: <sip:jane@example.net;x=A>\n" ID("3")
		  "CSeq: 1 INVITE\n" BODY),
     check_escapes},
    {"3.1.1.4", "escnull", "an escaped NUL ends nothing", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("4") "CSeq: 7 REGISTER\n"
		  "Contact: <sip:%00@192.0.2.9>\nContact: <sip:%00x%00@192.0.2.9>\nl: 0\n\n"),
     check_escaped_nul},
    {"3.1.1.5", "esc02", "an escape in a method is no escape", PARSED, 0,
     TORTURE_TEXT("%52EGISTER sip:example.com SIP/2.0\n" TOP("5") "CSeq: 7 %52EGISTER\n"
		  "Contact: <sip:a%61@192.0.2.9>;methods=\"%zz\"\nl: 0\n\n"),
     check_escaped_method},
    {"3.1.1.6", "lwsdisp", "no space between name and bracket", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" VIA("6") FROM "To: Bob<sip:bob@example.com>\n" ID("6")
		  "CSeq: 1 OPTIONS\nl: 0\n\n"),
     check_name_touching_bracket},
    {"3.1.1.7", "longreq", "long values, and many", PARSED, 0,
     TORTURE_TEXT("INVITE sip:bob@example.com SIP/2.0\n" VIA("7")
		  REPEAT_10("Via: SIP/2.0/TCP a.example.net\nv: SIP/2.0/TCP b.example.net,SIP/2.0/TLS c.example.net\n")
		  "From: \"" REPEAT_100("long ") "\" <sip:" REPEAT_100("jane") "@example.net>;tag=" REPEAT_10("tag") "\n"
		  "To: <sip:bob@example.com;" REPEAT_100("name") "=" REPEAT_100("value") ">\n"
		  "X-" REPEAT_100("Long") ": " REPEAT_10("longer ") "\nCall-ID: " REPEAT_10("call-id") "\n"
		  "CSeq: 1 INVITE\nl: 0\n\n"),
     NULL},
    {"3.1.1.8", "dblreq", "what follows the body of a datagram is nothing", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("8") "CSeq: 7 REGISTER\n" CONTACT "Content-Length: 0\n\n"
		  INVITE("8b") BODY),
     check_body_is_empty},
    {"3.1.1.9", "semiuri", "a semicolon in the user part", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob;ext=7%40x@example.com SIP/2.0\n" TOP("9") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     check_semicolon_in_user},
    {"3.1.1.10", "transports", "transports that nobody knows, in Vias of others", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" TOP("10")
		  "Via: SIP/2.0/PIGEON a.example.net\nVia: SIP/2.0/SCTP b.example.net,"
		  "SIP/2.0/x!y%z c.example.net;branch=z9hG4bK.c\nCSeq: 1 OPTIONS\nl: 0\n\n"),
     check_vias},
    {"3.1.1.11", "mpart01", "a body of several parts, one of them binary", PARSED, 0,
     TORTURE_TEXT("MESSAGE sip:bob@example.com SIP/2.0\n" TOP("11") "CSeq: 1 MESSAGE\n"
		  "Content-Type: multipart/mixed;boundary=\"=\\\"b\"\nContent-Length: 46\n\n"
		  "--=\"b\n\nhello there\n--=\"b\n\n\0\xff\x80\x01\n--=\"b--\n"),
     check_binary_body},
    {"3.1.1.12", "unreason", "a reason phrase beyond ASCII", PARSED, 0,
     TORTURE_TEXT("SIP/2.0 200 = 2**3 * 25 \xd0\xb8 \xe5\xbe\x88\xe5\xa5\xbd\n" TOP("12") "CSeq: 1 INVITE\n" CONTACT
		  "l: 0\n\n"),
     check_reason},
    {"3.1.1.13", "noreason", "no reason phrase", PARSED, 0,
     TORTURE_TEXT("SIP/2.0 100 \n" TOP("13") "CSeq: 1 INVITE\nl: 0\n\n"), check_no_reason},

    {"3.1.2.1", "badinv01", "separators with nothing between them", REFUSED, 400,
     TORTURE_TEXT("INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;;,;,\n" FROM TO ID("14")
		  "CSeq: 1 INVITE\nContact: \"\" <sip:jane@192.0.2.9>;;;\n" BODY),
     NULL},
    {"3.1.2.2", "clerr", "Content-Length beyond the datagram", REFUSED, 400,
     TORTURE_TEXT(INVITE("15") SDP_TYPE "Content-Length: 4711\n\n" SDP), NULL},
    {"3.1.2.3", "ncl", "Content-Length below zero", REFUSED, 400,
     TORTURE_TEXT(INVITE("16") SDP_TYPE "Content-Length: -17\n\n" SDP), NULL},
    {"3.1.2.4", "scalar02", "numbers beyond their fields, in a request", REFUSED, 400,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" VIA("17") FROM TO ID("17")
		  "CSeq: 18446744073709551623 REGISTER\nMax-Forwards: 1000\nExpires: 10000000000000\n"
		  "Contact: <sip:jane@192.0.2.9>;expires=28948709384570234\nl: 0\n\n"),
     NULL},
    {"3.1.2.5", "scalarlg", "numbers beyond their fields, in a response", DROPPED, 0,
     TORTURE_TEXT("SIP/2.0 503 Service Unavailable\n" VIA("18") FROM TO ID("18")
		  "CSeq: 4294967297 INVITE\nRetry-After: 949302838503028349304023988\n"
		  "Warning: 1812 example.com \"In Progress\"\nl: 0\n\n"),
     NULL},
    {"3.1.2.6", "quotbal", "a quote that is never closed", REFUSED, 400,
     TORTURE_TEXT("INVITE sip:bob@example.com SIP/2.0\n" VIA("19") FROM "To: \"Bob <sip:bob@example.com>\n" ID("19")
		  "CSeq: 1 INVITE\n" BODY),
     NULL},
    {"3.1.2.7", "ltgtruri", "a Request-URI in angle brackets", REFUSED, 400,
     TORTURE_TEXT("INVITE <sip:bob@example.com> SIP/2.0\n" TOP("20") "CSeq: 1 INVITE\n" BODY), NULL},
    {"3.1.2.8", "lwsruri", "a space in the Request-URI", REFUSED, 400,
     TORTURE_TEXT("INVITE sip:bob@example.com; transport=udp SIP/2.0\n" TOP("21") "CSeq: 1 INVITE\n" BODY), NULL},
    {"3.1.2.9", "lwsstart", "two spaces in the request line", REFUSED, 400,
     TORTURE_TEXT("INVITE  sip:bob@example.com  SIP/2.0\n" TOP("22") "CSeq: 1 INVITE\n" BODY), NULL},
    {"3.1.2.10", "trws", "a space at the end of the request line", REFUSED, 400,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0 \n" TOP("23") "CSeq: 1 OPTIONS\nl: 0\n\n"), NULL},
    {"3.1.2.11", "escruri", "a header in the Request-URI", REFUSED, 400,
     TORTURE_TEXT("INVITE sip:bob@example.com?Replaces=1%402 SIP/2.0\n" TOP("24") "CSeq: 1 INVITE\n" BODY), NULL},
    {"3.1.2.12", "baddate", "a date of another zone, which nobody needs", PARSED, 0,
     TORTURE_TEXT(INVITE("25") "Date: Sat, 01 Jan 2022 16:00:00 CET\n" BODY), NULL},
    {"3.1.2.13", "regbadct", "a Contact with headers that is not in brackets", REFUSED, 400,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("26") "CSeq: 1 REGISTER\n"
		  "Contact: sip:jane@192.0.2.9?Route=%3Csip:edge.example.com%3E\nl: 0\n\n"),
     NULL},
    {"3.1.2.14", "badaspec", "spaces within the brackets", REFUSED, 400,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" VIA("27") FROM "To: \"Bob\" < sip:bob@example.com >\n"
		  ID("27") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     NULL},
    {"3.1.2.15", "baddn", "a comma in a name without quotes", REFUSED, 400,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" VIA("28") "From: Doe, Jane <sip:jane@example.net>;tag=1\n"
		  TO ID("28") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     NULL},
    {"3.1.2.16", "badvers", "a version of the future", REFUSED, 505,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/9.1\nVia: SIP/9.1/UDP desk.example.net;branch=z9hG4bK.29\n" FROM TO
		  ID("29") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     NULL},
    {"3.1.2.17", "mismatch01", "CSeq of another method", REFUSED, 400,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" TOP("30") "CSeq: 1 BYE\nl: 0\n\n"), NULL},
    {"3.1.2.18", "mismatch02", "CSeq of another method, the request's unknown", REFUSED, 400,
     TORTURE_TEXT("WAVE sip:bob@example.com SIP/2.0\n" TOP("31") "CSeq: 1 INVITE\nl: 0\n\n"), NULL},
    {"3.1.2.19", "bigcode", "a status that would wrap to one that exists", DROPPED, 0,
     TORTURE_TEXT("SIP/2.0 4294967496 Fine\n" TOP("32") "CSeq: 1 INVITE\nl: 0\n\n"), NULL},

    {"3.2.1", "badbranch", "a branch with nothing behind the cookie", REFUSED, 400,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP desk.example.net;branch=z9hG4bK\n" FROM TO
		  ID("33") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     NULL},

    {"3.3.1", "insuf", "neither Call-ID nor From nor To", REFUSED, 400,
     TORTURE_TEXT("INVITE sip:bob@example.com SIP/2.0\n" VIA("34") "CSeq: 1 INVITE\nMax-Forwards: 70\n" BODY), NULL},
    {"3.3.2", "unkscm", "a Request-URI of an unknown scheme", PARSED, 0,
     TORTURE_TEXT("OPTIONS semaphore:two-flags-up SIP/2.0\n" TOP("35") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     check_other_scheme},
    {"3.3.3", "novelsc", "a Request-URI of a scheme with a dot", PARSED, 0,
     TORTURE_TEXT("OPTIONS drum.beat+x-1://192.0.2.9:3002/a?b#c SIP/2.0\n" TOP("36") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     check_other_scheme},
    {"3.3.4", "unksm2", "From, To and Contact of other schemes", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" VIA("37") "From: <https://example.net/jane>;tag=1\n"
		  "To: issn:1234-5678\n" ID("37") "CSeq: 1 REGISTER\nContact: <nick:jane>\nl: 0\n\n"),
     check_other_addresses},
    {"3.3.5", "bext01", "extensions that are required and unknown", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" TOP("38") "CSeq: 1 OPTIONS\n"
		  "Require: timer,\n levitation\nProxy-Require: telepathy, gruu\nSupported: timer\nl: 0\n\n"),
     check_extensions},
    {"3.3.6", "invut", "a body of an unknown type", PARSED, 0,
     TORTURE_TEXT(INVITE("39") "Content-Type: application/x-melody;key=\"c \\\"minor\\\"\"\nContent-Length: 4\n\ndadi"),
     NULL},
    {"3.3.7", "regaut01", "credentials of an unknown scheme", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("40") "CSeq: 1 REGISTER\n" CONTACT
		  "Authorization: Handshake left=\"firm\", right\nl: 0\n\n"),
     NULL},
    {"3.3.8", "multi01", "twice what may be there once", REFUSED, 400,
     TORTURE_TEXT(INVITE("41") FROM TO ID("42") "CSeq: 6 INVITE\nMax-Forwards: 5\n" BODY), NULL},
    {"3.3.9", "mcl01", "two Content-Lengths that differ", REFUSED, 400,
     TORTURE_TEXT(INVITE("43") "l: 2\n" BODY), NULL},
    {"3.3.10", "bcast", "a response that another Via would send to everybody", PARSED, 0,
     TORTURE_TEXT("SIP/2.0 200 OK\n" TOP("44") "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK.b\nCSeq: 1 INVITE\n"
		  CONTACT BODY),
     NULL},
    {"3.3.11", "zeromf", "no hop left", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob@example.com SIP/2.0\n" VIA("45") FROM TO ID("45")
		  "CSeq: 1 OPTIONS\nMax-Forwards: 0\nl: 0\n\n"),
     check_no_hops_left},
    {"3.3.12", "cparam01", "a parameter that belongs to Contact", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("46") "CSeq: 1 REGISTER\n"
		  "Contact: sip:jane@192.0.2.9;colour=blue\nl: 0\n\n"),
     check_parameter_of_the_header},
    {"3.3.13", "cparam02", "a parameter that belongs to the Contact's URI", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("47") "CSeq: 1 REGISTER\n"
		  "Contact: <sip:jane@192.0.2.9;colour=blue>\nl: 0\n\n"),
     check_parameter_of_the_uri},
    {"3.3.14", "regescrt", "a Contact's URI with an escaped Route", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:example.com SIP/2.0\n" TOP("48") "CSeq: 1 REGISTER\n"
		  "Contact: <sip:jane@192.0.2.9?Route=%3Csip:edge.example.com%3Blr%3E>\nl: 0\n\n"),
     check_escaped_route},
    {"3.3.15", "sdp01", "SDP is not among what is accepted in return", PARSED, 0,
     TORTURE_TEXT(INVITE("49") "Accept: text/x-song;q=0.9,image/*\n" BODY), NULL},

    {"3.4.1", "inv2543", "an INVITE of the year 1999", PARSED, 0,
     TORTURE_TEXT("INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP desk.example.net\nFrom: sip:jane@example.net\n"
		  "To: sip:bob@example.com\nCall-ID: 1\nCSeq: 1 INVITE\n" SDP_TYPE "\n" SDP),
     check_old_request},
};
// clang-format on
const size_t torture_4475_count = sizeof torture_4475 / sizeof *torture_4475;
