// The peers and calls that tests of sessions begin with.
#include "sip/legs.h"

#include <string.h>

const struct body offer = {.type = {"application/sdp", 15}, .bytes = {SDP_OFFER, sizeof SDP_OFFER - 1}};
const struct body answer = {.type = {"application/sdp", 15}, .bytes = {SDP_ANSWER, sizeof SDP_ANSWER - 1}};
const struct body nothing = {.bytes = {NULL, 0}};

struct rig *rig;
struct peer desk, soft, carrier, stranger;

static int start(unsigned session_expires_s)
{
	rig = rig_start(session_expires_s);
	peer_open(&desk, rig, "10.0.0.2", 5060);
	peer_open(&soft, rig, "10.0.0.3", 5060);
	peer_open(&carrier, rig, "10.0.1.1", 5060);
	peer_open(&stranger, rig, "10.9.9.9", 5060);
	return 0;
}

int legs_start(void **state)
{
	(void)state;
	return start(0);
}

int legs_start_timed(void **state)
{
	(void)state;
	return start(1800);
}

int legs_stop(void **state)
{
	(void)state;
	peer_close(&desk);
	peer_close(&soft);
	peer_close(&carrier);
	peer_close(&stranger);
	rig_stop(rig);
	return 0;
}

unsigned sessions(void)
{
	return sip_endpoint_count(rig->endpoint).sessions;
}

static const struct binding *binding_of(uint64_t device)
{
	const struct list *bindings = registrations_of(rig->registrations, device);
	assert_non_null(bindings);
	return container_of(bindings->next, struct binding, node);
}

struct outgoing_invite to_soft(void)
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

uint64_t ring(const struct outgoing_invite *invite)
{
	uint64_t session = 0;
	assert_int_equal(rig->signalling->invite(rig->signalling->context, invite, &session), ERR_NONE);
	return session;
}

uint64_t ring_soft(const char *contact)
{
	assert_starts(peer_register(&soft, "821", 1, text_of(rig, "Contact: <%s>\n", contact)), "SIP/2.0 200 OK\n");
	struct outgoing_invite invite = to_soft();
	return ring(&invite);
}

void respond(struct peer *peer, const char *request, const char *status, const char *tag, const char *lines)
{
	const char *to = header_of(rig, request, "To");
	peer_send(peer, "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s%s%s\nCall-ID: %s\nCSeq: %s\n%s", status,
		  header_of(rig, request, "Via"), header_of(rig, request, "From"), to,
		  *tag && !strstr(to, ";tag=") ? ";tag=" : "", *tag && !strstr(to, ";tag=") ? tag : "",
		  header_of(rig, request, "Call-ID"), header_of(rig, request, "CSeq"),
		  *lines ? lines : "Content-Length: 0\n\n");
}

const char *invite_text(unsigned branch, unsigned cseq, const char *password)
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

const char *call_510(void)
{
	return call_510_with("");
}

const char *call_510_with(const char *lines)
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
	const char *invite = invite_text(2, 2, text_of(rig, "%s%s", lines, authorization(rig, challenge, &login)));
	peer_send(&desk, "%s", invite);
	rig_told(rig, "invited by device 1, dialled 510 application/sdp [" SDP_OFFER "]\n");
	return invite;
}

void desk_says(const char *method, const char *answered, unsigned cseq, const char *rest)
{
	peer_send(&desk,
		  "%s sip:carillon@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%s%u;rport\n"
		  "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %u %s\nMax-Forwards: 70\n%s",
		  method, method, cseq, header_of(rig, answered, "From"), header_of(rig, answered, "To"),
		  header_of(rig, answered, "Call-ID"), cseq, method, *rest ? rest : "Content-Length: 0\n\n");
}

const char *talk(void)
{
	call_510();
	rig->signalling->accept(rig->signalling->context, rig->session, &answer);
	const char *answered = peer_next(&desk);
	desk_says("ACK", answered, 2, "");
	rig_told(rig, "acknowledged 7\n");
	return answered;
}

void ask(enum dialog_method method, const struct body *body, enum err expected)
{
	struct dialog_request request = {.method = method, .body = *body};
	assert_int_equal(rig->signalling->request(rig->signalling->context, rig->session, 5, &request), expected);
}

unsigned wait_for(const struct peer *peer, unsigned most_ms)
{
	unsigned waited_ms = 0;
	for (; peer->read == peer->count; waited_ms += 10) {
		assert_true(waited_ms < most_ms);
		sim_run_for(rig->loop, 10);
	}
	return waited_ms;
}
