// Answers on hold.
#include "lib/cmocka.h"
#include "sip/sdp_hold.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"

static void expect_hold(const char *offer, const char *answer)
{
	char room[1024];
	struct writer w = writer_into(room, sizeof room - 1);
	bool held = sdp_write_hold(&w, str_of(offer));
	assert_int_equal(held, answer != NULL);
	if (!answer)
		return;
	room[w.used] = '\0';
	assert_string_equal(room, answer);
}

static void plain_streams_are_taken_and_others_refused(void **state)
{
	(void)state;
	expect_hold("v=0\r\no=- 5 7 IN IP4 10.0.0.2\r\ns=x\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
		    "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
		    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
		    "m=audio 4002 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
		    HEAD "m=audio 9 RTP/AVP 0 101\r\na=inactive\r\na=rtpmap:101 telephone-event/8000\r\n"
			 "m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/SAVP 0\r\n");
	expect_hold("v=0\nm=audio 4000 RTP/AVP 8\n", HEAD "m=audio 9 RTP/AVP 8\r\na=inactive\r\n");
}

static void a_browser_is_told_of_nobody_to_connect_to(void **state)
{
	(void)state;
	expect_hold(
	    "v=0\r\no=- 5 7 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
	    "m=audio 4000 UDP/TLS/RTP/SAVPF 111 0\r\na=ice-ufrag:Zb2k\r\na=fingerprint:sha-256 AA:BB\r\n"
	    "a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
	    "a=fmtp:111 minptime=10\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
	    HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=inactive\r\na=rtcp-mux\r\na=ice-ufrag:hold\r\n"
		 "a=ice-pwd:nobodyisthereonhold0000\r\na=setup:active\r\na=fingerprint:sha-256 "
		 "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n"
		 "a=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n"
		 "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n");
}

static void nothing_to_hold_is_no_answer(void **state)
{
	static const char *const offers[] = {"",
					     "v=0\r\n",
					     "m=\r\n",
					     "m=audio\r\n",
					     "m=audio 1 RTP/AVP\r\n",
					     "m=audio 1 RTP/SAVP 0\r\n",
					     "m=audio 0 RTP/AVP 0\r\n"};
	(void)state;
	for (unsigned i = 0; i < sizeof offers / sizeof *offers; i++)
		expect_hold(offers[i], NULL);
	char room[40];
	struct writer w = writer_into(room, sizeof room);
	assert_false(sdp_write_hold(&w, STR("m=audio 4000 RTP/AVP 8\r\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_streams_are_taken_and_others_refused),
	    cmocka_unit_test(a_browser_is_told_of_nobody_to_connect_to),
	    cmocka_unit_test(nothing_to_hold_is_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
