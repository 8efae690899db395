// Session descriptions as phones, browsers and carriers write them, and as nobody should.
#include "domain/sdp.h"
#include "lib/cmocka.h"

#include <stdio.h>
#include <string.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"

static struct sdp sdp;
static struct sdp_fault fault;

static void read_text(const char *text)
{
	if (!sdp_read(str_of(text), &sdp, &fault))
		fail_msg("%s at %zu", fault.why, fault.at);
}

static void refused(const char *text, size_t at, const char *why)
{
	assert_false(sdp_read(str_of(text), &sdp, &fault));
	assert_string_equal(fault.why, why);
	assert_int_equal(fault.at, at);
}

#define assert_text(slice, text) assert_true(str_equal((slice), str_of(text)))

static void a_phones_offer(void **state)
{
	(void)state;
	read_text(HEAD "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
		       "a=ptime:20\r\nm=video 0 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\na=recvonly\r\n");
	assert_int_equal(sdp.media_count, 2);
	assert_text(sdp.address, "192.0.2.1");
	assert_text(sdp.media[0].type, "audio");
	assert_int_equal(sdp.media[0].port, 49170);
	assert_int_equal(sdp.media[0].ports, 1);
	assert_text(sdp.media[0].carrier, "RTP/AVP");
	assert_int_equal(sdp.media[0].profile, SDP_AVP);
	assert_text(sdp.media[0].formats, "0 8 101");
	assert_text(sdp.media[0].address, "192.0.2.1");
	assert_int_equal(sdp.media[0].direction, SDP_SENDRECV);
	assert_text(sdp.media[0].lines, "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n");
	assert_text(sdp.media[1].address, "2001:db8::1");
	assert_int_equal(sdp.media[1].port, 0);
	assert_int_equal(sdp.media[1].direction, SDP_RECVONLY);
	assert_text(sdp.lines, HEAD "c=IN IP4 192.0.2.1\r\nt=0 0\r\n");
	assert_false(sdp_holds(&sdp));
}

static void a_browsers_offer(void **state)
{
	struct str rest, value;
	(void)state;
	read_text(HEAD "t=0 0\na=fingerprint:sha-256 AA:BB\na=ice-lite\n"
		       "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 0.0.0.0\na=ice-ufrag:x\na=candidate:1\n"
		       "a=candidate:2\na=rtcp-mux\na=sendrecv");
	assert_int_equal(sdp.media[0].profile, SDP_TLS_SAVPF);
	rest = sdp.lines;
	assert_true(sdp_attribute(&rest, STR("fingerprint"), &value));
	assert_text(value, "sha-256 AA:BB");
	assert_false(sdp_attribute(&rest, STR("fingerprint"), &value));
	rest = sdp.lines;
	assert_true(sdp_attribute(&rest, STR("ice-lite"), &value));
	assert_text(value, "");
	rest = sdp.media[0].lines;
	assert_true(sdp_attribute(&rest, STR("candidate"), &value));
	assert_true(sdp_attribute(&rest, STR("candidate"), &value));
	assert_text(value, "2");
	assert_false(sdp_attribute(&rest, STR("candidate"), &value));
	assert_int_equal(sdp.media[0].direction, SDP_SENDRECV);
}

static void srtp_with_its_keys(void **state)
{
	struct str rest, value;
	(void)state;
	read_text(HEAD "c=IN IP4 224.2.1.1/127/3\r\nt=0 0\r\na=inactive\r\nm=audio 4000/2 RTP/SAVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n");
	assert_text(sdp.media[0].address, "224.2.1.1");
	assert_int_equal(sdp.media[0].ports, 2);
	assert_int_equal(sdp.media[0].profile, SDP_SAVP);
	assert_int_equal(sdp.media[0].direction, SDP_INACTIVE); // the session's
	rest = sdp.media[0].lines;
	assert_true(sdp_attribute(&rest, STR("crypto"), &value));
	assert_text(value, "1 AES_CM_128_HMAC_SHA1_80 inline:abc");
	assert_string_equal(sdp_direction_name(sdp.direction), "inactive");
}

static bool holds(const char *rest)
{
	char text[500];
	snprintf(text, sizeof text, HEAD "c=IN IP4 192.0.2.1\r\nt=0 0\r\n%s", rest);
	read_text(text);
	return sdp_holds(&sdp);
}

static void hold(void **state)
{
	(void)state;
	assert_true(holds("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"));
	assert_true(holds("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n"));
	assert_true(holds("a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n"));
	assert_true(holds("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"));
	assert_true(holds("m=audio 4000 RTP/AVP 0\r\na=inactive\r\nm=video 0 RTP/AVP 31\r\n"));
	assert_false(holds("m=audio 4000 RTP/AVP 0\r\n"));
	assert_false(holds("m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n"));
	assert_false(holds("a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n"));
	assert_false(holds("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\nm=video 4002 RTP/AVP 31\r\n"));
	assert_false(holds("m=audio 0 RTP/AVP 0\r\na=sendonly\r\n"));
	assert_false(holds(""));
}

static void what_cannot_be_read(void **state)
{
	(void)state;
	refused("", 0, "It is empty.");
	refused("o=- 1 1 IN IP4 192.0.2.1\r\n", 0, "The first line must be v=0.");
	refused("v=1\r\n", 0, "The first line must be v=0.");
	refused("v=0\r\nhello\r\n", 5, "A line has no type.");
	refused("v=0\r\n\r\ns=-\r\n", 5, "A line has no type.");
	refused("v=0\r\ns=\x01\r\n", 5, "A line has a control character.");
	refused("v=0\r\ns=a\rb\r\n", 5, "A line has a control character.");
	refused("v=0\r\nc=IN IP4\r\n", 5, "A c= line cannot be read.");
	refused("v=0\r\nc=IN IP4 \r\n", 5, "A c= line cannot be read.");
	refused("v=0\r\nc=IN IPX 1.2.3.4\r\n", 5, "A c= line cannot be read.");
	refused("v=0\r\nc=IN IP4 1.2.3.4 x\r\n", 5, "A c= line cannot be read.");
	refused("v=0\r\nm=audio\r\n", 5, "An m= line cannot be read.");
	refused("v=0\r\nm=audio 1 RTP/AVP\r\n", 5, "An m= line cannot be read.");
	refused("v=0\r\nm=audio 65536 RTP/AVP 0\r\n", 5, "An m= line cannot be read.");
	refused("v=0\r\nm=audio -1 RTP/AVP 0\r\n", 5, "An m= line cannot be read.");
	refused("v=0\r\nm=audio 1/0 RTP/AVP 0\r\n", 5, "An m= line cannot be read.");
	refused("v=0\r\nm=audio  1 RTP/AVP 0\r\n", 5, "An m= line cannot be read.");
}

static void there_are_bounds(void **state)
{
	static char text[SDP_SIZE_MAX + 2];
	size_t used = 0;
	(void)state;
	memcpy(text, "v=0\n", 4);
	memset(text + 4, '\n', sizeof text - 5);
	refused(text, 0, "It is too long.");
	used = 4;
	for (int i = 0; i < SDP_LINES_MAX; i++, used += 4)
		memcpy(text + used, "b=1\n", 5);
	refused(text, used - 4, "There are too many lines.");
	used = 4;
	for (int i = 0; i <= SDP_MEDIA_MAX; i++, used += 10)
		memcpy(text + used, "m=a 1 b 2\n", 11);
	refused(text, used - 10, "There are too many media.");
	text[used - 10] = '\0';
	read_text(text);
	assert_int_equal(sdp.media_count, SDP_MEDIA_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_phones_offer),      cmocka_unit_test(a_browsers_offer),
	    cmocka_unit_test(srtp_with_its_keys),  cmocka_unit_test(hold),
	    cmocka_unit_test(what_cannot_be_read), cmocka_unit_test(there_are_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
