// One message for each section of RFC 5118: IPv6 in SIP.
#include "lib/cmocka.h"
#include "sip/torture.h"

#define REST(n)                                                                                                        \
	"From: \"Jane\" <sip:jane@[2001:DB8:0:1::5]>;tag=8f2e\nTo: <sip:bob@example.com>\n"                            \
	"Call-ID: torture-v6-" n "\nMax-Forwards: 70\n"
#define VIA(n)      "Via: SIP/2.0/UDP [2001:db8:0:1::5];branch=z9hG4bK.v6." n "\n"
#define REGISTER(n) VIA(n) REST(n) "CSeq: 3 REGISTER\nContact: <sip:jane@[2001:db8:0:1::5]>\nl: 0\n\n"

static void check_good(const struct sip_message *m)
{
	assert_str(m->uri.host, "2001:db8::53");
	assert_true(m->uri.host_is_ipv6);
	assert_int_equal(m->uri.port, 0);
	assert_str(m->via.host, "2001:db8:0:1::5");
	struct sip_address contact;
	assert_true(sip_address_parse(sip_header_value(m, SIP_HEADER_CONTACT), &contact));
	assert_true(sip_uri_equal(&contact.uri, &m->from.uri)); // letters of another case
}

static void check_no_port(const struct sip_message *m)
{
	assert_str(m->uri.host, "2001:db8::53:5070");
	assert_int_equal(m->uri.port, 0);
}

static void check_port(const struct sip_message *m)
{
	assert_str(m->uri.host, "2001:db8::53");
	assert_int_equal(m->uri.port, 5070);
}

static void check_received(const struct sip_message *m)
{
	assert_str(m->via.received, "2001:db8::9:255");
	assert_str(m->via.branch, "z9hG4bK.v6.5");
}

static void check_many_vias(const struct sip_message *m)
{
	struct sip_walk walk = {0};
	struct str value;
	struct sip_via via;
	static const char *const hosts[] = {"2001:db8:0:1::5", "192.0.2.77", "2001:db8::8"};
	for (size_t i = 0; i < 3; i++) {
		assert_true(sip_value_next(m, SIP_HEADER_VIA, &walk, &value));
		assert_true(sip_via_parse(value, &via));
		assert_str(via.host, hosts[i]);
	}
	assert_false(sip_value_next(m, SIP_HEADER_VIA, &walk, &value));
}

static void check_mapped(const struct sip_message *m)
{
	assert_str(m->via.host, "::ffff:192.0.2.9");
	assert_int_equal(m->via.port, 19000);
	assert_str(m->uri.host, "::ffff:192.0.2.53");
}

// clang-format off
const struct torture torture_5118[] = {
    {"4.1", "ipv6-good", "an IPv6 address", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:[2001:db8::53] SIP/2.0\n" REGISTER("1")), check_good},
    {"4.2", "ipv6-bad", "without its brackets", REFUSED, 400,
     TORTURE_TEXT("REGISTER sip:2001:db8::53 SIP/2.0\n" REGISTER("2")), NULL},
    {"4.3", "port-ambiguous", "within its brackets nothing is a port", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:[2001:db8::53:5070] SIP/2.0\n" REGISTER("3")), check_no_port},
    {"4.4", "port-unambiguous", "behind its brackets it is", PARSED, 0,
     TORTURE_TEXT("REGISTER sip:[2001:db8::53]:5070 SIP/2.0\n" REGISTER("4")), check_port},
    {"4.5", "via-received-param-with-delim", "received in brackets", PARSED, 0,
     TORTURE_TEXT("BYE sip:[2001:db8::53] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8:0:1::5];received=[2001:db8::9:255]"
		  ";branch=z9hG4bK.v6.5\n" REST("5") "CSeq: 4 BYE\nl: 0\n\n"),
     check_received},
    {"4.5", "via-received-param-no-delim", "received without them", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:[2001:db8::53] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8:0:1::5];received=2001:db8::9:255"
		  ";branch=z9hG4bK.v6.5\n" REST("5") "CSeq: 4 OPTIONS\nl: 0\n\n"),
     check_received},
    {"4.6", "ipv6-in-sdp", "IPv6 in the session description", PARSED, 0,
     TORTURE_TEXT("INVITE sip:bob@[2001:db8::53] SIP/2.0\n" VIA("6") REST("6") "CSeq: 5 INVITE\n"
		  "Contact: \"Jane\" <sip:jane@[2001:db8:0:1::5]>\nContent-Type: application/sdp\nContent-Length: 114\n\n"
		  "v=0\no=jane 1 1 IN IP6 2001:db8:0:1::5\ns=-\nc=IN IP6 2001:db8:0:1::5\nt=0 0\n"
		  "m=audio 4000 RTP/AVP 8\na=sendrecv\n"),
     NULL},
    {"4.7", "mult-ip-in-header", "addresses of both kinds in the Vias", PARSED, 0,
     TORTURE_TEXT("BYE sip:bob@example.com SIP/2.0\n" VIA("7") "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bK.b, "
		  "SIP/2.0/TLS [2001:db8::8]:5061;branch=z9hG4bK.c\n" REST("7") "CSeq: 6 BYE\nl: 0\n\n"),
     check_many_vias},
    {"4.8", "mult-ip-in-sdp", "addresses of both kinds in the session description", PARSED, 0,
     TORTURE_TEXT("INVITE sip:bob@[2001:db8::53] SIP/2.0\n" VIA("8") REST("8") "CSeq: 5 INVITE\n"
		  "Contact: <sip:jane@[2001:db8:0:1::5]>\nContent-Type: application/sdp\nContent-Length: 165\n\n"
		  "v=0\no=jane 1 1 IN IP6 2001:db8:0:1::5\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 8\n"
		  "c=IN IP6 2001:db8:0:1::5\nm=video 4002 RTP/AVP 99\nc=IN IP4 192.0.2.77\na=x\na=sendrecv\n"),
     NULL},
    {"4.9", "ipv4-mapped-ipv6", "an IPv4 address as IPv6", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob@[::ffff:192.0.2.53] SIP/2.0\n"
		  "Via: SIP/2.0/UDP [::ffff:192.0.2.9]:19000;branch=z9hG4bK.v6.9\n" REST("9") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     check_mapped},
    {"4.10", "ipv6-bug-abnf-3-colons", "three colons, by a slip in the grammar of RFC 3261", REFUSED, 400,
     TORTURE_TEXT("OPTIONS sip:bob@[2001:db8:::192.0.2.53] SIP/2.0\n" VIA("10") REST("10") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     NULL},
    {"4.10", "ipv6-correct-abnf-2-colons", "two colons", PARSED, 0,
     TORTURE_TEXT("OPTIONS sip:bob@[2001:db8::192.0.2.53] SIP/2.0\n" VIA("11") REST("11") "CSeq: 1 OPTIONS\nl: 0\n\n"),
     NULL},
};
// clang-format on
const size_t torture_5118_count = sizeof torture_5118 / sizeof *torture_5118;
