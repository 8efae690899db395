// By which way our requests go when it is not plainly UDP: a phone's own connection, a new one, or a datagram after all.
#include "sip/legs.h"

#include <string.h>

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
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
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
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
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

static void what_is_too_large_for_a_datagram_goes_as_one_when_tcp_fails(void **state)
{
	char large[2000];
	(void)state;
	memset(large, 'x', sizeof large);
	struct outgoing_invite outgoing = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .max_forwards = 69,
	};
	outgoing.body = (struct body){.type = STR("application/sdp"), .bytes = {large, sizeof large}};
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
	    LEGS_TEST(a_phone_on_tcp_is_rung_over_its_own_connection),
	    LEGS_TEST(a_call_whose_connection_broke_goes_on_where_the_contact_says),
	    LEGS_TEST(a_phone_whose_connection_broke_is_not_rung_in_vain),
	    LEGS_TEST(what_is_too_large_for_a_datagram_goes_as_one_when_tcp_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
