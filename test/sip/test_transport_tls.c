// SIP over TLS in the simulated world: what the transport makes of the channels, in time and over the network.
#include "lib/cmocka.h"
#include "sim/sim.h"
#include "sip/certificates.h"
#include "sip/tls.h"
#include "sip/transport.h"

#include "base/hash.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS                                                                                                        \
	"OPTIONS sip:192.0.2.1;transport=tls SIP/2.0\r\n"                                                              \
	"Via: SIP/2.0/TLS 192.0.2.9:40000;branch=z9hG4bK1;rport\r\n"                                                   \
	"Max-Forwards: 70\r\n"                                                                                         \
	"From: <sip:330@example.com>;tag=them\r\n"                                                                     \
	"To: <sip:192.0.2.1>\r\n"                                                                                      \
	"Call-ID: call-3\r\n"                                                                                          \
	"CSeq: 1 OPTIONS\r\n"                                                                                          \
	"Content-Length: 0\r\n\r\n"

// A place with a transport of ours: the server, and the one that it talks to.
struct place {
	struct tls *tls;
	struct sip_transport *transport;
	struct net_address address;
	unsigned received, lost;
	struct flow from; // of the last message
	char line[128];   // its start line
	bool answers;
};

struct world {
	struct loop *loop;
	char folder[64], ca_path[96], certificate_path[96];
	struct issued ca;
	struct place here, there;
	struct tcp_connection *raw; // of somebody who speaks no TLS
	bool raw_closed;
};

static void received(void *context, const struct flow *from, struct sip_message *message)
{
	struct place *place = context;
	struct flow back = *from;

	place->received++;
	place->from = *from;
	snprintf(place->line, sizeof place->line, "%.*s", (int)str_index(message->bytes, '\r'), message->bytes.at);
	if (place->answers)
		assert_int_equal(sip_transport_send(place->transport, &back, STR(OPTIONS)), 0);
}

static void flow_lost(void *context, uint64_t connection)
{
	(void)connection;
	((struct place *)context)->lost++;
}

static const struct sip_transport_handlers place_handlers = {.received = received, .flow_lost = flow_lost};

static struct net_address address_of(const char *text)
{
	struct net_address address;

	assert_true(net_address_parse_with_port(str_of(text), 5061, &address));
	return address;
}

static void place_open(struct world *world, struct place *place, const char *address, const struct tls_settings *tls)
{
	char sentence[256];
	struct net_address failed;

	place->address = address_of(address);
	if (!tls_create(world->loop, tls, &place->tls, sentence, sizeof sentence))
		fail_msg("%s", sentence);
	const struct sip_transport_settings settings = {
	    .tls[0] = place->address, .secure = place->tls, .idle_s = 60, .connections_max = 3};
	assert_int_equal(
	    sip_transport_create(world->loop, &settings, &place_handlers, place, &place->transport, &failed), 0);
}

static void place_close(struct place *place)
{
	assert_int_equal(sip_transport_count(place->transport).buffered_bytes, 0);
	sip_transport_destroy(place->transport);
	tls_destroy(place->tls);
}

static void set_up(struct world *world)
{
	memset(world, 0, sizeof *world);
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	world->loop = sim_create(5);
	sim_set_network(world->loop,
			&(struct sim_network){.delay_min_ms = 10, .delay_max_ms = 10, .cut_streams = true});
	snprintf(world->folder, sizeof world->folder, "tls-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	snprintf(world->ca_path, sizeof world->ca_path, "%s/ca.pem", world->folder);
	snprintf(world->certificate_path, sizeof world->certificate_path, "%s/own.pem", world->folder);
	world->ca = certificate_issue(&(struct issue){.common_name = "Test CA", .is_ca = true});
	certificate_write(&world->ca, world->ca_path);
	struct issued issued = certificate_issue(&(struct issue){
	    .common_name = "x", .alternative = "DNS:sip.example.com,IP:192.0.2.1", .issuer = &world->ca});
	certificate_write(&issued, world->certificate_path);
	certificate_free(&issued);
	const struct tls_settings server = {.certificate = str_of(world->certificate_path)};
	const struct tls_settings client = {.ca = str_of(world->ca_path)};
	place_open(world, &world->here, "192.0.2.1:5061", &server);
	place_open(world, &world->there, "192.0.2.9:5061", &client); // without a certificate: it does not listen
}

static void tear_down(struct world *world)
{
	tcp_close(world->raw);
	place_close(&world->here);
	place_close(&world->there);
	certificate_free(&world->ca);
	unlink(world->ca_path);
	unlink(world->certificate_path);
	rmdir(world->folder);
	sim_run_for(world->loop, 2000);
	assert_int_equal(sim_count(world->loop).sockets, 0);
	assert_int_equal(sim_count(world->loop).timers, 0);
	loop_destroy(world->loop);
}

// A flow from there to here, to whoever bears the name.
static struct flow flow_to(struct world *world, const char *name)
{
	struct flow flow;

	assert_true(sip_transport_flow_to(world->there.transport, TRANSPORT_TLS, &world->here.address, &flow));
	flow.name = sip_transport_name(world->there.transport, str_of(name));
	return flow;
}

static void what_is_sent_arrives_once_it_is_secured_and_is_answered_on_the_same_connection(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	assert_int_equal(sip_transport_listener(world.here.transport, TRANSPORT_TLS, 0).port, 5061);
	assert_int_equal(sip_transport_listener(world.there.transport, TRANSPORT_TLS, 0).family, 0);
	world.here.answers = true;
	struct flow flow = flow_to(&world, "sip.example.com"), again = flow;
	assert_int_equal(sip_transport_send(world.there.transport, &flow, STR(OPTIONS)), 0);
	assert_int_equal(sip_transport_send(world.there.transport, &again, STR(OPTIONS)), 0);
	assert_int_equal(flow.connection, again.connection);
	sim_run_for(world.loop, 500);
	assert_int_equal(world.here.received, 2);
	assert_int_equal(world.here.from.transport, TRANSPORT_TLS);
	assert_true(sip_transport_is_secured(&world.here.from));
	assert_string_equal(world.here.line, "OPTIONS sip:192.0.2.1;transport=tls SIP/2.0");
	assert_int_equal(world.there.received, 2);
	assert_int_equal(world.there.from.connection, flow.connection);
	assert_int_equal(sip_transport_count(world.here.transport).handshakes, 1);
	sim_run_for(world.loop, 59000);
	assert_int_equal(world.there.lost, 0);
	sim_run_for(world.loop, 2000); // idle for a minute
	assert_int_equal(world.here.lost + world.there.lost, 2);
	tear_down(&world);
}

static void large_messages_arrive_whole(void **state)
{
	static char body[40000], message[42000];
	struct world world;
	(void)state;

	set_up(&world);
	memset(body, 'x', sizeof body);
	int size =
	    snprintf(message, sizeof message, "%.*sContent-Length: %zu\r\n\r\n%.*s",
		     (int)(strstr(OPTIONS, "Content-Length") - OPTIONS), OPTIONS, sizeof body, (int)sizeof body, body);
	struct flow flow = flow_to(&world, "sip.example.com");
	for (unsigned i = 0; i < 5; i++) // before the handshake is done, and as much as may wait
		assert_int_equal(sip_transport_send(world.there.transport, &flow, (struct str){message, (size_t)size}),
				 0);
	sim_run_for(world.loop, 500);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(sip_transport_send(world.there.transport, &flow, (struct str){message, (size_t)size}),
				 0);
	sim_run_for(world.loop, 500);
	assert_int_equal(world.here.received, 10);
	assert_int_equal(sip_transport_count(world.here.transport).broken, 0);
	struct flow fresh = flow_to(&world, "192.0.2.1");
	unsigned taken = 0;
	while (sip_transport_send(world.there.transport, &fresh, (struct str){message, (size_t)size}) == 0)
		assert_true(++taken < 10); // 256 KiB wait, no more
	sim_run_for(world.loop, 500);
	assert_int_equal(world.there.lost, 1);
	tear_down(&world);
}

static void nothing_is_said_to_somebody_else(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	struct flow flow = flow_to(&world, "other.example.com");
	assert_int_equal(sip_transport_send(world.there.transport, &flow, STR(OPTIONS)), 0);
	sim_run_for(world.loop, 500);
	assert_int_equal(world.here.received, 0);
	assert_int_equal(world.there.lost, 1);
	assert_int_equal(sip_transport_count(world.there.transport).handshakes_failed, 1);

	flow = flow_to(&world, "sip.example.com");
	assert_int_equal(sip_transport_send(world.there.transport, &flow, STR(OPTIONS)), 0);
	sim_run_for(world.loop, 500);
	struct flow other = flow_to(&world, "other.example.com"); // the same address, and not the same connection
	assert_int_equal(sip_transport_send(world.there.transport, &other, STR(OPTIONS)), 0);
	assert_int_not_equal(other.connection, flow.connection);
	sim_run_for(world.loop, 500);
	assert_int_equal(world.here.received, 1);
	struct flow unnamed = flow_to(&world, "sip.example.com");
	unnamed.name = 0; // by its address, which is in the certificate
	unnamed.connection = 0;
	assert_int_equal(sip_transport_send(world.there.transport, &unnamed, STR(OPTIONS)), 0);
	sim_run_for(world.loop, 500);
	assert_int_equal(world.here.received, 2);
	tear_down(&world);
}

// ---- somebody who speaks no TLS

static void raw_connected(void *context, int error)
{
	(void)context;
	assert_int_equal(error, 0);
}

static void raw_received(void *context, char *bytes, size_t size)
{
	(void)context;
	(void)bytes;
	(void)size;
}

static void raw_ended(void *context, int error)
{
	struct world *world = context;

	(void)error;
	world->raw_closed = true;
	tcp_close(world->raw);
	world->raw = NULL;
}

static const struct tcp_handlers raw_handlers = {raw_connected, raw_received, raw_ended};

static void raw_connect(struct world *world)
{
	struct net_address from = address_of("192.0.2.66:0");

	world->raw_closed = false;
	assert_int_equal(sim_tcp_connect(world->loop, &from, &world->here.address, &raw_handlers, world, &world->raw),
			 0);
	sim_run_for(world->loop, 100);
}

static void half_a_handshake_is_waited_for_10_s(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	raw_connect(&world);
	assert_int_equal(tcp_send(world.raw, (struct str){"\x16\x03\x01\x00\xc8", 5}), 0);
	for (unsigned i = 0; i < 9; i++) { // one byte a second does not help
		sim_run_for(world.loop, 1000);
		assert_int_equal(tcp_send(world.raw, (struct str){"\x01", 1}), 0);
	}
	assert_false(world.raw_closed);
	sim_run_for(world.loop, 1100);
	assert_true(world.raw_closed);
	assert_int_equal(world.here.lost, 1);
	assert_int_equal(sip_transport_count(world.here.transport).handshakes_failed, 1);
	tear_down(&world);
}

static void sip_without_tls_is_not_heard(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	raw_connect(&world);
	assert_int_equal(tcp_send(world.raw, STR(OPTIONS)), 0);
	sim_run_for(world.loop, 100);
	assert_true(world.raw_closed);
	assert_int_equal(world.here.received, 0);
	assert_int_equal(sip_transport_count(world.here.transport).connections, 0);
	tear_down(&world);
}

static void connections_that_shake_hands_count_against_the_limit(void **state)
{
	struct world world;
	struct tcp_connection *first[3];
	(void)state;

	set_up(&world);
	for (unsigned i = 0; i < 3; i++) {
		raw_connect(&world);
		first[i] = world.raw;
	}
	raw_connect(&world);
	assert_true(world.raw_closed);
	assert_int_equal(sip_transport_count(world.here.transport).refused_connections, 1);
	for (unsigned i = 0; i < 3; i++)
		tcp_close(first[i]);
	tear_down(&world);
}

static void a_connection_that_breaks_in_the_handshake_is_told(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	struct flow flow = flow_to(&world, "sip.example.com");
	assert_int_equal(sip_transport_send(world.there.transport, &flow, STR(OPTIONS)), 0);
	sim_run_for(world.loop, 25);
	assert_int_not_equal(sim_reset_connections(world.loop, &world.here.address), 0);
	sim_run_for(world.loop, 100);
	assert_int_equal(world.here.lost + world.there.lost, 2);
	tear_down(&world);
}

// ---- ourselves

static void addresses_and_ports_are_those_of_tls(void **state)
{
	struct world world;
	char text[128];
	struct writer w = writer_into(text, sizeof text);
	struct sip_via via;
	(void)state;

	set_up(&world);
	assert_true(sip_transport_is_local(world.here.transport, STR("192.0.2.1"), 0));
	assert_true(sip_transport_is_local(world.here.transport, STR("192.0.2.1"), 5061));
	assert_false(sip_transport_is_local(world.here.transport, STR("192.0.2.1"), 5060));
	struct flow flow = {.transport = TRANSPORT_TLS, .remote = world.there.address};
	sip_transport_write_via(world.here.transport, &w, &flow, STR("z9hG4bK7"));
	assert_true(str_equal(writer_result(&w), STR("Via: SIP/2.0/TLS 192.0.2.1:5061;rport;branch=z9hG4bK7\r\n")));
	assert_true(sip_via_parse(STR("SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK1"), &via));
	assert_int_equal(sip_transport_reply_flow(&flow, &via).remote.port, 5061);
	assert_int_equal(sip_transport_name(world.here.transport, STR("a.example.com")), 1);
	assert_int_equal(sip_transport_name(world.here.transport, STR("b.example.com")), 2);
	assert_int_equal(sip_transport_name(world.here.transport, STR("A.example.com")), 1);
	assert_int_equal(sip_transport_name(world.here.transport, STR_NONE), 0);
	tear_down(&world);
}

static void without_tls_nothing_goes_by_it(void **state)
{
	const struct sip_transport_settings settings = {.udp[0] = address_of("192.0.2.50:5060")};
	struct sip_transport *transport;
	struct net_address failed, remote = address_of("192.0.2.1:5061");
	struct loop *loop = sim_create(1);
	struct flow flow;
	(void)state;

	assert_int_equal(sip_transport_create(loop, &settings, &place_handlers, NULL, &transport, &failed), 0);
	assert_false(sip_transport_flow_to(transport, TRANSPORT_TLS, &remote, &flow));
	flow = (struct flow){.transport = TRANSPORT_TLS, .remote = remote};
	assert_int_not_equal(sip_transport_send(transport, &flow, STR(OPTIONS)), 0);
	sip_transport_destroy(transport);
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_sent_arrives_once_it_is_secured_and_is_answered_on_the_same_connection),
	    cmocka_unit_test(large_messages_arrive_whole),
	    cmocka_unit_test(nothing_is_said_to_somebody_else),
	    cmocka_unit_test(half_a_handshake_is_waited_for_10_s),
	    cmocka_unit_test(sip_without_tls_is_not_heard),
	    cmocka_unit_test(connections_that_shake_hands_count_against_the_limit),
	    cmocka_unit_test(a_connection_that_breaks_in_the_handshake_is_told),
	    cmocka_unit_test(addresses_and_ports_are_those_of_tls),
	    cmocka_unit_test(without_tls_nothing_goes_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
