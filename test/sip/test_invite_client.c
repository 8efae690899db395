// Legs that we ring, in raw SIP over the simulated network: the domain is played by the test, which reads what it would be told and
// says what it would say.
#include "sip/legs.h"

#include "lib/failing_allocator.h"

#include <limits.h>
#include <string.h>

static void an_invite_is_written_to_the_byte(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060;unknownparam");
	assert_string_equal(masked(rig, peer_next(&soft)),
			    "INVITE sip:821@10.0.0.3:5060;unknownparam SIP/2.0\n"
			    "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
			    "Max-Forwards: 69\n"
			    "From: \"Bob \\\"B\\\" Smith\" <sip:511@example.com>;tag=TAG\n"
			    "To: \"510\" <sip:821@example.com>\n"
			    "Call-ID: CALLID\n"
			    "CSeq: 1 INVITE\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW AGENT "Content-Type: application/sdp\n"
			    "Content-Length: 35\n\n" WIRE_OFFER);
}

static void the_request_uri_is_the_contact_without_its_headers(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3;x=%41?Route=%3Csip:evil%3E");
	assert_starts(peer_next(&soft), "INVITE sip:821@10.0.0.3;x=%41 SIP/2.0\n");
}

static void behind_nat_the_packet_goes_where_it_came_from(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@192.168.7.7:5088");
	const char *invite = peer_next(&soft);
	assert_starts(invite, "INVITE sip:821@192.168.7.7:5088 SIP/2.0\n");
	respond(&soft, invite, "200 OK", "s1", "Contact: <sip:821@192.168.7.7:5088>\nContent-Length: 0\n\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&soft), "ACK sip:821@192.168.7.7:5088 SIP/2.0\n");
}

static void a_path_becomes_the_route(void **state)
{
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.99>\nPath: <sip:10.0.0.3;lr>\n");
	struct outgoing_invite invite = to_soft();
	ring(&invite);
	const char *text = peer_next(&soft);
	assert_starts(text, "INVITE sip:821@10.0.0.99 SIP/2.0\n");
	assert_string_equal(header_of(rig, text, "Route"), "<sip:10.0.0.3;lr>");
}

static void a_call_out_from_invite_to_bye(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "100 Trying", "", "");
	rig_told(rig, "");
	respond(&soft, invite, "180 Ringing", "s1", "");
	rig_told(rig, "progressed 9 180\n");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT);
	rig_told(rig, "answered 9 application/sdp [" SDP_ANSWER "]\n");
	peer_nothing(&soft); // the ACK is the domain's to give

	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	const char *ack = peer_next(&soft);
	assert_string_equal(masked(rig, ack), "ACK sip:821@10.0.0.3:5060 SIP/2.0\n"
					      "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
					      "Max-Forwards: 70\n"
					      "From: \"Bob \\\"B\\\" Smith\" <sip:511@example.com>;tag=TAG\n"
					      "To: \"510\" <sip:821@example.com>;tag=TAG\n"
					      "Call-ID: CALLID\n"
					      "CSeq: 1 ACK\n" AGENT "Content-Length: 0\n\n");
	assert_string_equal(header_of(rig, ack, "To"), "\"510\" <sip:821@example.com>;tag=s1");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT); // it was lost on the way
	assert_string_equal(peer_next(&soft), ack);
	rig_told(rig, "");

	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL);
	const char *bye = peer_next(&soft);
	assert_starts(bye, "BYE sip:821@10.0.0.3:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, bye, "CSeq"), "2 BYE");
	assert_string_equal(header_of(rig, bye, "Reason"), "");
	respond(&soft, bye, "200 OK", "", "");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT); // still: every 2xx gets its ACK
	assert_string_equal(peer_next(&soft), ack);
	sim_run_for(rig->loop, 33000);
	assert_int_equal(sessions(), 0);
	rig_told(rig, "");
}

static void the_ack_carries_the_answer_when_the_200_made_the_offer(void **state)
{
	(void)state;
	assert_starts(peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3>\n"), "SIP/2.0 200 OK\n");
	struct outgoing_invite invite = to_soft();
	invite.body = nothing;
	uint64_t session = ring(&invite);
	const char *text = peer_next(&soft);
	assert_has(text, "\nContent-Length: 0\n\n");
	assert_lacks(text, "Content-Type");
	respond(&soft, text, "200 OK", "s1", ANSWERED_BY_SOFT);
	respond(&soft, text, "200 OK", "s1", ANSWERED_BY_SOFT); // nothing can be said yet
	peer_nothing(&soft);
	rig->signalling->acknowledge(rig->signalling->context, session, &offer);
	assert_has(peer_next(&soft), "\nContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_OFFER);
}

static void branches_of_a_fork_each_get_what_is_theirs(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "a", "");
	respond(&soft, invite, "180 Ringing", "b", "");
	rig_told(rig, "progressed 9 180\nprogressed 9 180\n");
	respond(&soft, invite, "200 OK", "b", ANSWERED_BY_SOFT);
	rig_told(rig, "answered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_has(peer_next(&soft), ";tag=b\n");

	respond(&soft, invite, "200 OK", "a", "Contact: <sip:other@10.0.0.3:5060>\nContent-Length: 0\n\n");
	const char *ack = peer_next(&soft), *bye = peer_next(&soft);
	assert_starts(ack, "ACK sip:other@10.0.0.3:5060 SIP/2.0\n");
	assert_has(ack, ";tag=a\n");
	assert_starts(bye, "BYE sip:other@10.0.0.3:5060 SIP/2.0\n");
	assert_has(bye, ";tag=a\n");
	assert_string_equal(header_of(rig, bye, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
	respond(&soft, bye, "200 OK", "", "");
	respond(&soft, invite, "200 OK", "a", "Contact: <sip:other@10.0.0.3:5060>\nContent-Length: 0\n\n");
	assert_string_equal(peer_next(&soft), ack);
	rig_told(rig, ""); // the domain has one answer

	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL);
	assert_has(peer_next(&soft), ";tag=b\n");
}

static void a_cancel_waits_for_a_provisional_answer(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	rig->signalling->cancel(rig->signalling->context, session, LEG_END_ANSWERED_ELSEWHERE);
	peer_nothing(&soft); // RFC 3261 section 9.1
	respond(&soft, invite, "180 Ringing", "s1", "");
	const char *cancel = peer_next(&soft);
	assert_starts(cancel, "CANCEL sip:821@10.0.0.3:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
	assert_string_equal(header_of(rig, cancel, "Via"), header_of(rig, invite, "Via"));
	assert_string_equal(header_of(rig, cancel, "CSeq"), "1 CANCEL");
	rig_told(rig, ""); // a leg that is given up no longer progresses
	respond(&soft, cancel, "200 OK", "s1", "");
	respond(&soft, invite, "487 Request Terminated", "s1", "");
	assert_starts(peer_next(&soft), "ACK ");
	rig_told(rig, "failed 9 487 Request Terminated\n");
	assert_int_equal(sessions(), 0);
}

static void the_reasons_for_a_cancel_differ(void **state)
{
	static const struct {
		enum leg_end why;
		const char *reason;
	} rows[] = {
	    {LEG_END_NORMAL, ""},
	    {LEG_END_ANSWERED_ELSEWHERE, "SIP;cause=200;text=\"Call completed elsewhere\""},
	    {LEG_END_DECLINED_ELSEWHERE, "SIP;cause=600;text=\"Busy Everywhere\""},
	    {LEG_END_CALLER_GAVE_UP, ""},
	    {LEG_END_TURN_TIMED_OUT, "SIP;cause=408;text=\"Ring time over\""},
	    {LEG_END_SERVER, ""},
	};
	(void)state;
	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3:5060>\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct outgoing_invite invite = to_soft();
		uint64_t session = ring(&invite);
		const char *text = peer_next(&soft);
		respond(&soft, text, "180 Ringing", "s1", "");
		rig->signalling->cancel(rig->signalling->context, session, rows[i].why);
		const char *cancel = peer_next(&soft);
		assert_starts(cancel, "CANCEL ");
		assert_string_equal(header_of(rig, cancel, "Reason"), rows[i].reason);
		respond(&soft, cancel, "200 OK", "s1", "");
		respond(&soft, text, "487 Request Terminated", "s1", "");
		assert_starts(peer_next(&soft), "ACK ");
	}
}

static void an_answer_that_crosses_the_cancel_gets_ack_then_bye(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	rig->signalling->cancel(rig->signalling->context, session, LEG_END_ANSWERED_ELSEWHERE);
	assert_starts(peer_next(&soft), "CANCEL ");
	respond(&soft, invite, "200 OK", "s1", ANSWERED_BY_SOFT);
	rig_told(rig, "progressed 9 180\nanswered 9 application/sdp [" SDP_ANSWER "]\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_ANSWERED_ELSEWHERE);
	assert_starts(peer_next(&soft), "ACK ");
	const char *bye = peer_next(&soft);
	assert_starts(bye, "BYE ");
	assert_string_equal(header_of(rig, bye, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
}

static void a_hang_up_without_an_ack_acknowledges_first(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	respond(&soft, peer_next(&soft), "200 OK", "s1", ANSWERED_BY_SOFT);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL);
	assert_starts(peer_next(&soft), "ACK ");
	assert_starts(peer_next(&soft), "BYE ");
}

static void refusals_and_silence_are_told(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	respond(&soft, peer_next(&soft), "486 Busy Here", "s1", "");
	rig_told(rig, "failed 9 486 Busy Here\n");
	assert_starts(peer_next(&soft), "ACK ");
	struct outgoing_invite invite = to_soft();
	ring(&invite);
	sim_run_for(rig->loop, 33000);
	rig_told(rig, "failed 9 408 \n");
	assert_int_equal(sessions(), 0);
}

static void whoever_only_rings_cannot_say_bye(void **state)
{
	(void)state;
	ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	const char *to = header_of(rig, invite, "To"), *from = header_of(rig, invite, "From");
	static const char text[] = "%s sip:carillon@10.0.0.1:5060 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKe%s;rport\n"
				   "From: %s;tag=s1\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nContent-Length: 0\n\n";
	const char *call_id = header_of(rig, invite, "Call-ID");
	peer_send(&soft, text, "BYE", "1", to, from, call_id, 1, "BYE");
	assert_starts(peer_next(&soft), "SIP/2.0 481 ");
	peer_send(&soft, text, "OPTIONS", "2", to, from, call_id, 2, "OPTIONS");
	assert_starts(peer_next(&soft), "SIP/2.0 200 ");
	peer_send(&soft, text, "UPDATE", "3", to, from, call_id, 3, "UPDATE");
	assert_starts(peer_next(&soft), "SIP/2.0 491 ");
	peer_send(&soft, text, "UPDATE", "4", to, from, call_id, 3, "UPDATE");
	assert_starts(peer_next(&soft), "SIP/2.0 500 "); // the CSeq is used
	rig_told(rig, "progressed 9 180\n");
}

// ---- a trunk

static struct outgoing_invite to_carrier(void)
{
	return (struct outgoing_invite){
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .caller_name = STR("Bob"),
	    .dialled = STR("510"),
	    .max_forwards = 69,
	    .body = offer,
	};
}

static void a_trunk_is_told_who_calls_and_for_whom(void **state)
{
	(void)state;
	struct outgoing_invite invite = to_carrier();
	ring(&invite);
	assert_string_equal(masked(rig, peer_next(&carrier)),
			    "INVITE sip:+441444123456@10.0.1.1 SIP/2.0\n"
			    "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
			    "Max-Forwards: 69\n"
			    "From: \"Bob\" <sip:+441444555555@example.com>;tag=TAG\n"
			    "To: <sip:+441444123456@10.0.1.1>\n"
			    "Call-ID: CALLID\n"
			    "CSeq: 1 INVITE\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW
			    "P-Asserted-Identity: \"Bob\" <sip:+441444555555@example.com>\n"
			    "Diversion: <sip:510@example.com>;reason=follow-me\n" AGENT
			    "Content-Type: application/sdp\n"
			    "Content-Length: 35\n\n" WIRE_OFFER);
}

static void an_anonymous_caller_is_known_to_trunks_only(void **state)
{
	(void)state;
	struct outgoing_invite invite = to_carrier();
	invite.anonymous = true;
	ring(&invite);
	const char *text = peer_next(&carrier);
	assert_starts(header_of(rig, text, "From"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=");
	assert_string_equal(header_of(rig, text, "Privacy"), "id");
	assert_has(text, "P-Asserted-Identity: \"Bob\" <sip:+441444555555@example.com>\n");

	peer_register(&soft, "821", 1, "Contact: <sip:821@10.0.0.3>\n");
	invite = to_soft();
	invite.anonymous = true;
	ring(&invite);
	text = peer_next(&soft);
	assert_starts(header_of(rig, text, "From"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=");
	assert_lacks(text, "511");
	assert_lacks(text, "Smith");
}

static void a_trunks_password_is_given_once(void **state)
{
	(void)state;
	struct outgoing_invite outgoing = to_carrier();
	uint64_t session = ring(&outgoing);
	const char *first = peer_next(&carrier);
	respond(&carrier, first, "407 Proxy Authentication Required", "c1",
		"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\", algorithm=MD5\n"
		"Content-Length: 0\n\n");
	assert_starts(peer_next(&carrier), "ACK ");
	const char *second = peer_next(&carrier);
	const char *credentials = header_of(rig, second, "Proxy-Authorization");
	assert_starts(credentials, "Digest username=\"carillon\"");
	assert_has(credentials, "uri=\"sip:+441444123456@10.0.1.1\"");
	assert_lacks(second, "trunk-secret");
	assert_string_equal(header_of(rig, second, "CSeq"), "2 INVITE");
	assert_string_equal(header_of(rig, second, "Call-ID"), header_of(rig, first, "Call-ID"));
	assert_string_equal(header_of(rig, second, "From"), header_of(rig, first, "From"));
	assert_string_equal(header_of(rig, second, "To"), "<sip:+441444123456@10.0.1.1>");
	assert_string_not_equal(header_of(rig, second, "Via"), header_of(rig, first, "Via"));
	assert_has(second, "\nContent-Length: 35\n\n" WIRE_OFFER);
	rig_told(rig, "");

	respond(&carrier, second, "200 OK", "c1", "Contact: <sip:10.0.1.1>\nContent-Length: 0\n\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	const char *ack = peer_next(&carrier);
	assert_string_equal(header_of(rig, ack, "CSeq"), "2 ACK");
	assert_string_equal(header_of(rig, ack, "Proxy-Authorization"), credentials); // RFC 3261 section 22.1
	rig_told(rig, "answered 9\n");
}

static void a_password_refused_is_not_tried_again(void **state)
{
	(void)state;
	struct outgoing_invite outgoing = to_carrier();
	ring(&outgoing);
	for (int i = 0; i < 2; i++) {
		respond(
		    &carrier, peer_next(&carrier), "401 Unauthorized", "c1",
		    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\nContent-Length: 0\n\n");
		assert_starts(peer_next(&carrier), "ACK ");
	}
	peer_nothing(&carrier);
	rig_told(rig, "failed 9 401 Unauthorized\n");
	assert_int_equal(sessions(), 0);
}

// ---- without memory

// The simulated network takes memory for each packet too, and cannot do without: the allocations before the first packet are
// the ones that may fail here.
static unsigned allocations_at_first_packet;

static void count_at_packet(void *context, const struct sim_packet *packet, enum sim_fate fate)
{
	(void)context;
	(void)packet;
	(void)fate;
	if (allocations_at_first_packet == 0)
		allocations_at_first_packet = failing_allocator_count();
}

static void ignore_arrival(void *context, const struct sim_packet *packet)
{
	(void)context;
	(void)packet;
}

static void a_leg_there_is_no_memory_for_leaves_nothing(void **state)
{
	struct outgoing_invite invite = to_carrier(); // the trunk's password has the request kept, too
	struct sim_watcher watcher = {count_at_packet, ignore_arrival, NULL};
	uint64_t session;
	(void)state;
	unsigned fewest = UINT_MAX;
	sim_watch(rig->loop, &watcher);
	for (int i = 0; i < 8; i++) { // pools and tables grow now and then
		allocations_at_first_packet = 0;
		failing_allocator_arm(100000);
		ring(&invite);
		failing_allocator_disarm();
		if (allocations_at_first_packet < fewest)
			fewest = allocations_at_first_packet;
	}
	assert_true(fewest > 4 && fewest < 1000);
	unsigned refused = 0;
	for (unsigned n = 1; n + 2 < fewest; n++) {
		unsigned before = sessions();
		failing_allocator_arm(n);
		enum err err = rig->signalling->invite(rig->signalling->context, &invite, &session);
		failing_allocator_disarm();
		refused += err == ERR_NO_MEMORY;
		assert_int_equal(sessions(), before + (err == ERR_NONE)); // some can be done without
	}
	assert_true(refused > 2);
	sim_run_for(rig->loop, 40000);
	assert_int_equal(sessions(), 0);
}

// ---- TCP and IPv6

struct stream {
	struct tcp_connection *connection;
	char got[16384];
	size_t used, read;
	bool ended;
};

static void stream_connected(void *context, int error)
{
	(void)context;
	assert_int_equal(error, 0);
}

static void stream_received(void *context, char *bytes, size_t size)
{
	struct stream *stream = context;
	assert_true(stream->used + size < sizeof stream->got);
	memcpy(stream->got + stream->used, bytes, size);
	stream->used += size;
	stream->got[stream->used] = '\0';
}

static void stream_ended(void *context, int error)
{
	struct stream *stream = context;
	(void)error;
	stream->ended = true;
}

static const struct tcp_handlers stream_handlers = {stream_connected, stream_received, stream_ended};

static void stream_open(struct stream *stream, const char *from)
{
	struct net_address own, to;
	*stream = (struct stream){0};
	assert_true(net_address_parse(str_of(from), 0, &own));
	assert_true(net_address_parse(STR("10.0.0.1"), 5060, &to));
	assert_int_equal(sim_tcp_connect(rig->loop, &own, &to, &stream_handlers, stream, &stream->connection), 0);
	sim_run_for(rig->loop, 10);
}

static void stream_send(struct stream *stream, const char *text)
{
	char wire[8192], *end = wire;
	for (; *text; text++) {
		if (*text == '\n')
			*end++ = '\r';
		*end++ = *text;
	}
	assert_int_equal(tcp_send(stream->connection, (struct str){wire, (size_t)(end - wire)}), 0);
}

// All that came since the last time, with "\n" for CRLF.
static const char *stream_next(struct stream *stream)
{
	char *text = arena_alloc(&rig->arena, sizeof stream->got), *end = text;
	sim_run_for(rig->loop, 10);
	for (; stream->read < stream->used; stream->read++)
		if (stream->got[stream->read] != '\r')
			*end++ = stream->got[stream->read];
	return text;
}

// The softphone registers over TCP and is let in.
static void stream_register(struct stream *stream, const char *contact)
{
	struct login login = {"821", "secret", "REGISTER", "sip:example.com"};
	const char *credentials = "";
	stream_open(stream, "10.0.0.3");
	for (int i = 1; i <= 2; i++) {
		stream_send(stream, text_of(rig,
					    "REGISTER sip:example.com SIP/2.0\n"
					    "Via: SIP/2.0/TCP 10.0.0.3:5060;branch=z9hG4bK%d\n"
					    "From: <sip:821@example.com>;tag=f\nTo: <sip:821@example.com>\n"
					    "Call-ID: c\nCSeq: %d REGISTER\nContact: <%s>\n%s"
					    "Content-Length: 0\n\n",
					    i, i, contact, credentials));
		const char *answer_text = stream_next(stream);
		assert_starts(answer_text, i == 1 ? "SIP/2.0 401 " : "SIP/2.0 200 OK\n");
		if (i == 1)
			credentials = authorization(rig, answer_text, &login);
	}
}

static void stream_answers(struct stream *stream, const char *invite)
{
	stream_send(stream, text_of(rig,
				    "SIP/2.0 200 OK\nVia: %s\nFrom: %s\nTo: %s;tag=s1\nCall-ID: %s\nCSeq: 1 INVITE\n"
				    "Contact: <sip:821@10.0.0.3:5060;transport=tcp>\nContent-Length: 0\n\n",
				    header_of(rig, invite, "Via"), header_of(rig, invite, "From"),
				    header_of(rig, invite, "To"), header_of(rig, invite, "Call-ID")));
	sim_run_for(rig->loop, 10);
}

static void a_phone_on_tcp_is_rung_over_its_own_connection(void **state)
{
	struct stream stream;
	(void)state;
	stream_register(&stream, "sip:821@10.0.0.3:5060;transport=tcp");

	struct outgoing_invite outgoing = to_soft();
	uint64_t session = ring(&outgoing);
	const char *invite = stream_next(&stream);
	assert_starts(invite, "INVITE sip:821@10.0.0.3:5060;transport=tcp SIP/2.0\n");
	assert_starts(header_of(rig, invite, "Via"), "SIP/2.0/TCP 10.0.0.1:5060;");
	assert_string_equal(header_of(rig, invite, "Contact"), "<sip:carillon@10.0.0.1:5060;transport=tcp>");
	stream_answers(&stream, invite);
	rig_told(rig, "answered 9\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL);
	const char *both = stream_next(&stream);
	assert_starts(both, "ACK ");
	assert_has(both, "\n\nBYE ");
	tcp_close(stream.connection);
	sim_run_for(rig->loop, 40000);
	assert_int_equal(sessions(), 0);
}

static struct stream phone_listens;

static void phone_accepts(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	(void)from;
	phone_listens = (struct stream){.connection = connection};
	tcp_handle(connection, &stream_handlers, &phone_listens);
	*(bool *)context = true;
}

static void a_call_whose_connection_broke_goes_on_where_the_contact_says(void **state)
{
	struct stream stream;
	struct tcp_listener *listener;
	struct net_address address;
	bool accepted = false;
	(void)state;
	stream_register(&stream, "sip:821@10.0.0.3:5060;transport=tcp");
	struct outgoing_invite outgoing = to_soft();
	uint64_t session = ring(&outgoing);
	const char *invite = stream_next(&stream);
	stream_answers(&stream, invite);
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	sim_run_for(rig->loop, 10);
	address = tcp_local(stream.connection);
	assert_int_equal(sim_reset_connections(rig->loop, &address), 1);
	sim_run_for(rig->loop, 10);
	tcp_close(stream.connection);

	assert_true(net_address_parse(STR("10.0.0.3"), 5060, &address));
	assert_int_equal(tcp_listen(rig->loop, &address, phone_accepts, &accepted, &listener), 0);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL);
	sim_run_for(rig->loop, 20);
	assert_true(accepted);
	assert_starts(stream_next(&phone_listens), "BYE sip:821@10.0.0.3:5060;transport=tcp SIP/2.0\n");
	tcp_close(phone_listens.connection);
	tcp_listener_close(listener);
}

static void a_phone_whose_connection_broke_is_not_rung_in_vain(void **state)
{
	struct stream stream;
	struct net_address end;
	(void)state;
	stream_register(&stream, "sip:821@192.168.0.3:5060;transport=tcp");
	assert_true(registrations_any(rig->registrations, rig->soft));
	end = tcp_local(stream.connection);
	assert_int_equal(sim_reset_connections(rig->loop, &end), 1);
	sim_run_for(rig->loop, 10);
	assert_true(stream.ended);
	tcp_close(stream.connection);
	assert_false(registrations_any(rig->registrations, rig->soft)); // behind NAT only that connection led there
}

static void a_carrier_on_tcp_gets_what_is_too_large_for_a_datagram(void **state)
{
	char large[2000];
	(void)state;
	memset(large, 'x', sizeof large);
	struct outgoing_invite outgoing = to_carrier();
	outgoing.body = (struct body){STR("application/sdp"), {large, sizeof large}};
	ring(&outgoing);
	sim_run_for(rig->loop, 3000);
	const char *invite =
	    peer_next(&carrier); // nobody listened on TCP there: by UDP after all (RFC 3261 section 18.1.1)
	assert_has(invite, "\nContent-Length: 2000\n\nxxxx");
	assert_starts(header_of(rig, invite, "Via"), "SIP/2.0/UDP ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(an_invite_is_written_to_the_byte),
	    LEGS_TEST(the_request_uri_is_the_contact_without_its_headers),
	    LEGS_TEST(behind_nat_the_packet_goes_where_it_came_from),
	    LEGS_TEST(a_path_becomes_the_route),
	    LEGS_TEST(a_call_out_from_invite_to_bye),
	    LEGS_TEST(the_ack_carries_the_answer_when_the_200_made_the_offer),
	    LEGS_TEST(branches_of_a_fork_each_get_what_is_theirs),
	    LEGS_TEST(a_cancel_waits_for_a_provisional_answer),
	    LEGS_TEST(the_reasons_for_a_cancel_differ),
	    LEGS_TEST(an_answer_that_crosses_the_cancel_gets_ack_then_bye),
	    LEGS_TEST(a_hang_up_without_an_ack_acknowledges_first),
	    LEGS_TEST(refusals_and_silence_are_told),
	    LEGS_TEST(whoever_only_rings_cannot_say_bye),
	    LEGS_TEST(a_trunk_is_told_who_calls_and_for_whom),
	    LEGS_TEST(an_anonymous_caller_is_known_to_trunks_only),
	    LEGS_TEST(a_trunks_password_is_given_once),
	    LEGS_TEST(a_password_refused_is_not_tried_again),
	    LEGS_TEST(a_leg_there_is_no_memory_for_leaves_nothing),
	    LEGS_TEST(a_phone_on_tcp_is_rung_over_its_own_connection),
	    LEGS_TEST(a_call_whose_connection_broke_goes_on_where_the_contact_says),
	    LEGS_TEST(a_phone_whose_connection_broke_is_not_rung_in_vain),
	    LEGS_TEST(a_carrier_on_tcp_gets_what_is_too_large_for_a_datagram),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
