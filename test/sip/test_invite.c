// Both kinds of legs in raw SIP over the simulated network: the domain is played by the test, which reads what it would be told
// and says what it would say.
#include "sip/rig.h"

#include <stdio.h>
#include <string.h>

#define SDP_OFFER  "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\n"
#define SDP_ANSWER "v=0\r\no=- 2 2 IN IP4 10.0.0.3\r\ns=-\r\n"
// The same in what peers send and get, where "\n" stands for CRLF, and in what the call table is told.
#define WIRE_OFFER  "v=0\no=- 1 1 IN IP4 10.0.0.2\ns=-\n"
#define WIRE_ANSWER "v=0\no=- 2 2 IN IP4 10.0.0.3\ns=-\n"
#define ALLOW       "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, INFO, MESSAGE\n"
#define AGENT       "User-Agent: Carillon/" CARILLON_VERSION "\n"

static const struct body offer = {{"application/sdp", 15}, {SDP_OFFER, sizeof SDP_OFFER - 1}};
static const struct body answer = {{"application/sdp", 15}, {SDP_ANSWER, sizeof SDP_ANSWER - 1}};
static const struct body nothing = {{NULL, 0}, {NULL, 0}};

static struct rig *rig;
static struct peer desk, soft, carrier, stranger;

static int start(void **state)
{
	(void)state;
	rig = rig_start();
	peer_open(&desk, rig, "10.0.0.2", 5060);
	peer_open(&soft, rig, "10.0.0.3", 5060);
	peer_open(&carrier, rig, "10.0.1.1", 5060);
	peer_open(&stranger, rig, "10.9.9.9", 5060);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	peer_close(&desk);
	peer_close(&soft);
	peer_close(&carrier);
	peer_close(&stranger);
	rig_stop(rig);
	return 0;
}

static unsigned sessions(void)
{
	return sip_endpoint_count(rig->endpoint).sessions;
}

// ---- a leg that we ring

static const struct binding *binding_of(uint64_t device)
{
	const struct list *bindings = registrations_of(rig->registrations, device);
	assert_non_null(bindings);
	return container_of(bindings->next, struct binding, node);
}

static struct outgoing_invite to_soft(void)
{
	return (struct outgoing_invite){
	    .leg = 9,
	    .target = TARGET_BINDING,
	    .binding = binding_of(rig->soft),
	    .device_number = STR("821"),
	    .caller_number = STR("511"),
	    .caller_name = STR("Bob \"B\" Smith"),
	    .dialled = STR("510"),
	    .max_forwards = 69,
	    .body = offer,
	};
}

static uint64_t ring(const struct outgoing_invite *invite)
{
	uint64_t session = 0;
	assert_int_equal(rig->signalling->invite(rig->signalling->context, invite, &session), ERR_NONE);
	return session;
}

static uint64_t ring_soft(const char *contact)
{
	assert_starts(peer_register(&soft, "821", 1, text_of(rig, "Contact: <%s>\n", contact)), "SIP/2.0 200 OK\n");
	struct outgoing_invite invite = to_soft();
	return ring(&invite);
}

// What a peer answers a request of ours with.
static void respond(struct peer *peer, const char *request, const char *status, const char *tag, const char *lines)
{
	const char *to = header_of(rig, request, "To");
	peer_send(peer, "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s%s%s\nCall-ID: %s\nCSeq: %s\n%s", status,
		  header_of(rig, request, "Via"), header_of(rig, request, "From"), to,
		  *tag && !strstr(to, ";tag=") ? ";tag=" : "", *tag && !strstr(to, ";tag=") ? tag : "",
		  header_of(rig, request, "Call-ID"), header_of(rig, request, "CSeq"),
		  *lines ? lines : "Content-Length: 0\n\n");
}

#define ANSWERED_BY_SOFT                                                                                               \
	"Contact: <sip:821@10.0.0.3:5060>\nContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_ANSWER

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

// ---- a caller

static const char *invite_text(unsigned branch, unsigned cseq, const char *password)
{
	return text_of(rig,
		       "INVITE sip:510@example.com SIP/2.0\n"
		       "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi%u;rport\n"
		       "From: \"Somebody else\" <sip:999@example.com>;tag=d1\n"
		       "To: <sip:510@example.com>\n"
		       "Call-ID: call1@10.0.0.2\n"
		       "CSeq: %u INVITE\n"
		       "Max-Forwards: 70\n"
		       "Contact: <sip:330@10.0.0.2:5060>\n"
		       "%sContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_OFFER,
		       branch, cseq, password);
}

// The desk phone calls 510; gives what it sent.
static const char *call_510(void)
{
	struct login login = {"330", "secret", "INVITE", "sip:510@example.com"};
	peer_send(&desk, "%s", invite_text(1, 1, ""));
	const char *challenge = peer_next(&desk);
	assert_starts(challenge, "SIP/2.0 401 ");
	assert_int_equal(sip_endpoint_count(rig->endpoint).transactions.invite_servers, 0); // it cost nothing
	peer_send(&desk,
		  "ACK sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi1;rport\n"
		  "From: \"Somebody else\" <sip:999@example.com>;tag=d1\nTo: %s\nCall-ID: call1@10.0.0.2\n"
		  "CSeq: 1 ACK\nContent-Length: 0\n\n",
		  header_of(rig, challenge, "To"));
	const char *invite = invite_text(2, 2, authorization(rig, challenge, &login));
	peer_send(&desk, "%s", invite);
	rig_told(rig, "invited by device 1, dialled 510 application/sdp [" SDP_OFFER "]\n");
	return invite;
}

// A request of the caller within the call, `answered` being the 200 it got.
static void desk_says(const char *method, const char *answered, unsigned cseq, const char *rest)
{
	peer_send(&desk,
		  "%s sip:carillon@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%s%u;rport\n"
		  "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %u %s\nMax-Forwards: 70\n%s",
		  method, method, cseq, header_of(rig, answered, "From"), header_of(rig, answered, "To"),
		  header_of(rig, answered, "Call-ID"), cseq, method, *rest ? rest : "Content-Length: 0\n\n");
}

// The call is up; gives the 200.
static const char *talk(void)
{
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	return answered;
}

static void a_call_in_from_invite_to_bye(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	assert_string_equal(masked(rig, peer_next(&desk)),
			    "SIP/2.0 180 Ringing\n"
			    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport=5060;received=10.0.0.2\n"
			    "From: \"Somebody else\" <sip:999@example.com>;tag=TAG\n"
			    "Call-ID: call1@10.0.0.2\n"
			    "CSeq: 2 INVITE\n"
			    "To: <sip:510@example.com>;tag=TAG\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW "Content-Length: 0\n\n");
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	assert_string_equal(masked(rig, answered),
			    "SIP/2.0 200 OK\n"
			    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport=5060;received=10.0.0.2\n"
			    "From: \"Somebody else\" <sip:999@example.com>;tag=TAG\n"
			    "Call-ID: call1@10.0.0.2\n"
			    "CSeq: 2 INVITE\n"
			    "To: <sip:510@example.com>;tag=TAG\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" ALLOW "Content-Type: application/sdp\n"
			    "Content-Length: 35\n\n" WIRE_ANSWER);
	sim_run_for(rig->loop, 1600); // 500 + 1000
	assert_string_equal(peer_next(&desk), answered);
	assert_string_equal(peer_next(&desk), answered);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	sim_run_for(rig->loop, 5000);
	peer_nothing(&desk);
	desk_says("BYE", answered, 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 OK\n");
	rig_told(rig, "hung up 7\n");
	assert_int_equal(sessions(), 0);
	desk_says("INFO", answered, 4, "");
	assert_starts(peer_next(&desk), "SIP/2.0 481 ");
}

static void a_caller_who_gives_up_gets_487(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	peer_next(&desk);
	peer_send(&desk, "CANCEL sip:510@example.com SIP/2.0\n"
			 "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport\n"
			 "From: \"Somebody else\" <sip:999@example.com>;tag=d1\nTo: <sip:510@example.com>\n"
			 "Call-ID: call1@10.0.0.2\nCSeq: 2 CANCEL\nContent-Length: 0\n\n");
	const char *first = peer_next(&desk), *second = peer_next(&desk);
	assert_starts(first, "SIP/2.0 200 ");
	assert_string_equal(header_of(rig, first, "CSeq"), "2 CANCEL");
	assert_starts(second, "SIP/2.0 487 ");
	assert_string_equal(header_of(rig, second, "CSeq"), "2 INVITE");
	rig_told(rig, "cancelled 7\n");
	assert_int_equal(sessions(), 0);
}

static void a_bye_before_the_answer_gives_up_too(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	desk_says("BYE", peer_next(&desk), 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	assert_starts(peer_next(&desk), "SIP/2.0 487 ");
	rig_told(rig, "cancelled 7\n");
}

static void an_answer_nobody_acknowledges_ends_the_call(void **state)
{
	(void)state;
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	sim_run_for(rig->loop, 31900);
	unsigned repeated = 0;
	while (desk.read < desk.count) {
		assert_string_equal(peer_next(&desk), answered);
		repeated++;
	}
	// At 0.5, 1.5, 3.5, 7.5 s and then every 4 s (RFC 3261 section 13.3.1.4).
	assert_int_equal(repeated, 10);
	rig_told(rig, "");
	sim_run_for(rig->loop, 200);
	assert_starts(peer_next(&desk), "BYE sip:330@10.0.0.2:5060 SIP/2.0\n");
	rig_told(rig, "unacknowledged 7\n");
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL); // harmless
	sim_run_for(rig->loop, 33000);
	assert_int_equal(sessions(), 0);
}

static void our_bye_waits_for_the_ack(void **state)
{
	(void)state;
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL);
	peer_nothing(&desk); // RFC 3261 section 15
	desk_says("ACK", answered, 2, "");
	const char *bye = peer_next(&desk);
	assert_starts(bye, "BYE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, bye, "From"), header_of(rig, answered, "To"));
	assert_string_equal(header_of(rig, bye, "To"), header_of(rig, answered, "From"));
	respond(&desk, bye, "200 OK", "", "");
	rig_told(rig, "");
	assert_int_equal(sessions(), 0);
}

static void a_refusal_says_why(void **state)
{
	struct refusal refusal = {486, STR("The user\r\nis busy"), STR("Say \"please\"\r\nEvil: 1"), 30};
	(void)state;
	call_510();
	rig->signalling->refuse(rig->signalling->context, rig->session, &refusal);
	assert_string_equal(masked(rig, peer_next(&desk)),
			    "SIP/2.0 486 The user  is busy\n"
			    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi2;rport=5060;received=10.0.0.2\n"
			    "From: \"Somebody else\" <sip:999@example.com>;tag=TAG\n"
			    "Call-ID: call1@10.0.0.2\n"
			    "CSeq: 2 INVITE\n"
			    "To: <sip:510@example.com>;tag=TAG\n"
			    "Retry-After: 30\n"
			    "Warning: 399 example.com \"Say \\\"please\\\"  Evil: 1\"\n"
			    "Content-Length: 0\n\n");
	assert_int_equal(sessions(), 0);
}

static void a_call_the_domain_does_not_take_is_refused(void **state)
{
	(void)state;
	rig->invited = ERR_UNKNOWN_NUMBER;
	call_510();
	assert_starts(peer_next(&desk), "SIP/2.0 404 ");
	assert_int_equal(sessions(), 0);
}

static void ringing_is_repeated_each_minute(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 180, &nothing);
	const char *ringing = peer_next(&desk);
	sim_run_for(rig->loop, 59000);
	peer_nothing(&desk);
	sim_run_for(rig->loop, 2000);
	assert_string_equal(peer_next(&desk), ringing);
}

static void the_same_invite_by_another_way_is_482(void **state)
{
	(void)state;
	const char *invite = call_510();
	peer_send(&desk, "%s", invite); // a plain repetition is absorbed
	rig_told(rig, "");
	sim_run_for(rig->loop, 300);
	assert_starts(peer_next(&desk), "SIP/2.0 100 ");
	peer_send(&desk, "%s", invite_text(3, 2, ""));
	assert_starts(peer_next(&desk), "SIP/2.0 482 ");
	rig_told(rig, "");
}

static void a_trunk_calls_without_a_password(void **state)
{
	static const char text[] = "INVITE sip:+441444%%20000@10.0.0.1 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKt%d\n"
				   "From: <sip:anonymous@anonymous.invalid>;tag=t\nTo: <sip:+441444000@10.0.0.1>\n"
				   "Call-ID: t1\nCSeq: 7 INVITE\nMax-Forwards: 70\nContact: <sip:10.0.1.1>\n"
				   "P-Asserted-Identity: \"Ann \\\"A\\\"\" <sip:+44207;npdi@carrier>\n"
				   "Content-Length: 0\n\n";
	(void)state;
	peer_send(&carrier, text, 1);
	rig_told(rig, "invited by trunk 3, dialled +441444 000, number +44207, name Ann \"A\", anonymous\n");
	peer_send(&stranger, text, 2);
	assert_starts(peer_next(&stranger), "SIP/2.0 482 "); // and never to where its Via points
}

static void early_media_passes_through(void **state)
{
	(void)state;
	call_510();
	rig->signalling->progress(rig->signalling->context, rig->session, 183, &answer);
	const char *progress = peer_next(&desk);
	assert_starts(progress, "SIP/2.0 183 Session Progress\n");
	assert_has(progress, "\nContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_ANSWER);
}

// ---- in a call

#define SDP_LINES "Content-Type: application/sdp\nContent-Length: 35\n\n" WIRE_OFFER

static void a_re_invite_goes_through_the_domain(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5070>\n" SDP_LINES);
	rig_told(rig, "requested 7 INVITE application/sdp [" SDP_OFFER "]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &answer);
	const char *again = peer_next(&desk);
	assert_starts(again, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, again, "CSeq"), "3 INVITE");
	assert_string_equal(header_of(rig, again, "Contact"), "<sip:carillon@10.0.0.1:5060>");
	assert_has(again, WIRE_ANSWER);
	sim_run_for(rig->loop, 600);
	assert_string_equal(peer_next(&desk), again); // repeated until the ACK
	desk_says("ACK", answered, 3, "");
	rig_told(rig, "acknowledged 7\n");
	// The target has moved (RFC 3261 section 12.2).
	struct peer moved;
	peer_open(&moved, rig, "10.0.0.2", 5070);
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL);
	assert_starts(peer_next(&moved), "BYE sip:330@10.0.0.2:5070 SIP/2.0\n");
	peer_close(&moved);
}

static uint64_t ask(enum dialog_method method, const struct body *body, enum err expected)
{
	struct dialog_request request = {.method = method, .body = *body};
	assert_int_equal(rig->signalling->request(rig->signalling->context, rig->session, 5, &request), expected);
	return 5;
}

static void the_domain_asks_the_other_side(void **state)
{
	(void)state;
	talk();
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	const char *invite = peer_next(&desk);
	assert_starts(invite, "INVITE sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, invite, "Contact"), "<sip:carillon@10.0.0.1:5060>");
	assert_has(invite, WIRE_OFFER);
	respond(&desk, invite, "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig_told(rig, "replied 7 to 5: 200 application/sdp [" SDP_OFFER "]\n");
	peer_nothing(&desk);
	rig->signalling->acknowledge(rig->signalling->context, rig->session, &nothing);
	const char *ack = peer_next(&desk);
	assert_string_equal(header_of(rig, ack, "CSeq"), "1 ACK");
	respond(&desk, invite, "200 OK", "", "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_string_equal(peer_next(&desk), ack);
	ask(DIALOG_INFO, &(struct body){STR("application/dtmf-relay"), STR("Signal=1\r\n")}, ERR_NONE);
	const char *info = peer_next(&desk);
	assert_starts(info, "INFO ");
	assert_has(info, "\nContent-Type: application/dtmf-relay\nContent-Length: 10\n\nSignal=1\n");
	respond(&desk, info, "200 OK", "", "");
	rig_told(rig, "replied 7 to 5: 200\n");
}

static void glare_is_491_on_both_sides(void **state)
{
	(void)state;
	const char *answered = talk();
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	const char *invite = peer_next(&desk);
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 491 ");
	desk_says("UPDATE", answered, 4, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 491 ");
	respond(&desk, invite, "491 Request Pending", "", "");
	assert_starts(peer_next(&desk), "ACK ");
	rig_told(rig, "replied 7 to 5: 491\n");
	// Theirs first: ours is refused at home, and a second one of theirs is told to wait (RFC 3261 section 14.2).
	desk_says("INVITE", answered, 5, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	ask(DIALOG_INVITE, &offer, ERR_REQUEST_PENDING);
	desk_says("UPDATE", answered, 6, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	const char *later = peer_next(&desk);
	assert_starts(later, "SIP/2.0 500 ");
	assert_string_not_equal(header_of(rig, later, "Retry-After"), "");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 488, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 488 ");
	ask(DIALOG_INVITE, &offer, ERR_NONE);
}

static void nothing_new_before_the_ack_of_the_last(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &answer);
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	ask(DIALOG_INVITE, &offer, ERR_REQUEST_PENDING);
	desk_says("INVITE", answered, 4, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	assert_starts(peer_next(&desk), "SIP/2.0 491 "); // RFC 5407 section 3.1.4
}

static void info_and_message_pass_and_refer_does_not(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INFO", answered, 3, "Content-Type: application/dtmf-relay\nContent-Length: 9\n\nSignal=1\n");
	rig_told(rig, "requested 7 INFO application/dtmf-relay [Signal=1\r]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 200, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("MESSAGE", answered, 4, "Content-Type: text/plain\nContent-Length: 2\n\nhi");
	rig_told(rig, "requested 7 MESSAGE text/plain [hi]\n");
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, 407, &nothing);
	assert_starts(peer_next(&desk), "SIP/2.0 500 "); // the other side's password is not this one's affair
	desk_says("REFER", answered, 5, "Refer-To: <sip:1@2>\nContent-Length: 0\n\n");
	const char *refused = peer_next(&desk);
	assert_starts(refused, "SIP/2.0 405 ");
	assert_string_not_equal(header_of(rig, refused, "Allow"), "");
	desk_says("OPTIONS", answered, 6, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("UPDATE", answered, 7, "Require: 100rel\nContent-Length: 0\n\n");
	assert_string_equal(header_of(rig, peer_next(&desk), "Unsupported"), "100rel");
	rig_told(rig, "");
}

static void bytes_pass_unchanged(void **state)
{
	static const char head[] = "INFO sip:carillon@10.0.0.1:5060 SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbin;rport\r\nFrom: %s\r\nTo: %s\r\n"
				   "Call-ID: %s\r\nCSeq: 3 INFO\r\nContent-Type: multipart/mixed;boundary=\"x y\"\r\n"
				   "Content-Length: 8\r\n\r\n";
	static const char body[8] = {'\0', '\r', '\n', '\xff', '%', '\n', '\r', '\0'};
	char wire[2048];
	(void)state;
	const char *answered = talk();
	int length = snprintf(wire, sizeof wire, head, header_of(rig, answered, "From"), header_of(rig, answered, "To"),
			      header_of(rig, answered, "Call-ID"));
	memcpy(wire + length, body, sizeof body);
	peer_send_bytes(&desk, (struct str){wire, (size_t)length + sizeof body});
	assert_starts(rig->events, "requested 7 INFO multipart/mixed;boundary=\"x y\" [");
	rig->events[0] = '\0';

	ask(DIALOG_INFO, &(struct body){STR("application/octet-stream"), {body, sizeof body}}, ERR_NONE);
	const char *info = peer_next(&desk);
	const char *blank = strstr(info, "\n\n") + 2;
	assert_has(info, "\nContent-Length: 8\n\n");
	// The peer's text has lost one CR before LF, nothing else.
	assert_memory_equal(blank, ((const char[]){'\0', '\n', '\xff', '%', '\n', '\r', '\0'}), 7);
}

static void requests_come_in_order(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("OPTIONS", answered, 9, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	desk_says("BYE", answered, 8, "");
	assert_starts(peer_next(&desk), "SIP/2.0 500 ");
	rig_told(rig, "");
}

static void foreign_requests_do_not_reach_the_call(void **state)
{
	static const char text[] = "%s sip:carillon@10.0.0.1:5060 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bKf%d;rport\n"
				   "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n%sContent-Length: 0\n\n";
	(void)state;
	const char *answered = talk(), *from = header_of(rig, answered, "From"), *to = header_of(rig, answered, "To");
	// Wrong in one thing each.
	peer_send(&stranger, text, "BYE", 1, "<sip:999@example.com>;tag=other", to, "call1@10.0.0.2", 9, "BYE", "");
	assert_starts(peer_next(&stranger), "SIP/2.0 481 ");
	peer_send(&stranger, text, "BYE", 2, from, "<sip:510@example.com>;tag=other", "call1@10.0.0.2", 9, "BYE", "");
	assert_starts(peer_next(&stranger), "SIP/2.0 481 ");
	peer_send(&stranger, text, "BYE", 3, from, to, "call2", 9, "BYE", "");
	assert_starts(peer_next(&stranger), "SIP/2.0 481 ");
	// Right, but from where nobody has spoken before: only with the device's own password.
	peer_send(&stranger, text, "BYE", 4, from, to, "call1@10.0.0.2", 9, "BYE", "");
	const char *challenge = peer_next(&stranger);
	assert_starts(challenge, "SIP/2.0 401 ");
	rig_told(rig, "");
	struct login other = {"821", "secret", "BYE", "sip:carillon@10.0.0.1:5060"};
	peer_send(&stranger, text, "BYE", 5, from, to, "call1@10.0.0.2", 10, "BYE",
		  authorization(rig, challenge, &other));
	assert_starts(peer_next(&stranger), "SIP/2.0 403 ");
	rig_told(rig, "");
	peer_send(&stranger, text, "BYE", 6, from, to, "call1@10.0.0.2", 11, "BYE", "");
	struct login own = {"330", "secret", "BYE", "sip:carillon@10.0.0.1:5060"};
	peer_send(&stranger, text, "BYE", 7, from, to, "call1@10.0.0.2", 12, "BYE",
		  authorization(rig, peer_next(&stranger), &own));
	assert_starts(peer_next(&stranger), "SIP/2.0 200 ");
	rig_told(rig, "hung up 7\n");
}

static void a_dialog_the_other_side_has_lost_is_over(void **state)
{
	(void)state;
	talk();
	ask(DIALOG_INVITE, &offer, ERR_NONE);
	respond(&desk, peer_next(&desk), "481 Call/Transaction Does Not Exist", "", "");
	rig_told(rig, "replied 7 to 5: 481\nhung up 7\n");
	assert_starts(peer_next(&desk), "ACK ");
	assert_starts(peer_next(&desk), "BYE ");
}

static void a_bye_ends_what_is_asked(void **state)
{
	(void)state;
	const char *answered = talk();
	desk_says("INVITE", answered, 3, "Contact: <sip:330@10.0.0.2:5060>\n" SDP_LINES);
	rig_told(rig, "requested 7 INVITE application/sdp [" SDP_OFFER "]\n");
	desk_says("BYE", answered, 4, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	const char *terminated = peer_next(&desk);
	assert_starts(terminated, "SIP/2.0 487 "); // RFC 3261 section 15.1.2
	assert_string_equal(header_of(rig, terminated, "CSeq"), "3 INVITE");
	rig_told(rig, "hung up 7\n");
	assert_int_equal(sessions(), 0);
}

static void two_byes_that_cross_are_both_answered(void **state)
{
	(void)state;
	const char *answered = talk();
	rig->signalling->hang_up(rig->signalling->context, rig->session, LEG_END_NORMAL);
	const char *bye = peer_next(&desk);
	desk_says("BYE", answered, 3, "");
	assert_starts(peer_next(&desk), "SIP/2.0 200 ");
	respond(&desk, bye, "200 OK", "", "");
	rig_told(rig, "");
	assert_int_equal(sessions(), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    T(an_invite_is_written_to_the_byte),
	    T(the_request_uri_is_the_contact_without_its_headers),
	    T(behind_nat_the_packet_goes_where_it_came_from),
	    T(a_path_becomes_the_route),
	    T(a_call_out_from_invite_to_bye),
	    T(the_ack_carries_the_answer_when_the_200_made_the_offer),
	    T(branches_of_a_fork_each_get_what_is_theirs),
	    T(a_cancel_waits_for_a_provisional_answer),
	    T(the_reasons_for_a_cancel_differ),
	    T(an_answer_that_crosses_the_cancel_gets_ack_then_bye),
	    T(a_hang_up_without_an_ack_acknowledges_first),
	    T(refusals_and_silence_are_told),
	    T(whoever_only_rings_cannot_say_bye),
	    T(a_trunk_is_told_who_calls_and_for_whom),
	    T(an_anonymous_caller_is_known_to_trunks_only),
	    T(a_trunks_password_is_given_once),
	    T(a_password_refused_is_not_tried_again),
	    T(a_call_in_from_invite_to_bye),
	    T(a_caller_who_gives_up_gets_487),
	    T(a_bye_before_the_answer_gives_up_too),
	    T(an_answer_nobody_acknowledges_ends_the_call),
	    T(our_bye_waits_for_the_ack),
	    T(a_refusal_says_why),
	    T(a_call_the_domain_does_not_take_is_refused),
	    T(ringing_is_repeated_each_minute),
	    T(the_same_invite_by_another_way_is_482),
	    T(a_trunk_calls_without_a_password),
	    T(early_media_passes_through),
	    T(a_re_invite_goes_through_the_domain),
	    T(the_domain_asks_the_other_side),
	    T(glare_is_491_on_both_sides),
	    T(nothing_new_before_the_ack_of_the_last),
	    T(info_and_message_pass_and_refer_does_not),
	    T(bytes_pass_unchanged),
	    T(requests_come_in_order),
	    T(foreign_requests_do_not_reach_the_call),
	    T(a_dialog_the_other_side_has_lost_is_over),
	    T(a_bye_ends_what_is_asked),
	    T(two_byes_that_cross_are_both_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
