// SIP over WebSocket in the simulated world: the greeting, and what becomes of a connection in time. What frames may look
// like is tested in test/e2e/test_ws.py, by another implementation.
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"
#include "sip/transport.h"
#include "sip/websocket.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#define GREETING                                                                                                       \
	"GET /sip HTTP/1.1\r\nHost: pbx.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                  \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: "         \
	"sip\r\n\r\n"
// "OPTIONS ...": a frame with a mask of zeros.
#define OPTIONS                                                                                                        \
	"OPTIONS sip:pbx.example.com SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"     \
	"From: <sip:1@a>;tag=1\r\nTo: <sip:2@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"

struct world {
	struct loop *loop;
	struct sip_transport *transport;
	struct net_address ours;
	struct tcp_connection *browser;
	char said[2048]; // to the browser, since the last look
	size_t said_size;
	bool closed;
	unsigned received, lost;
	struct flow from;
};

static void received(void *context, const struct flow *from, struct sip_message *message)
{
	struct world *world = context;

	(void)message;
	world->received++;
	world->from = *from;
}

static void flow_lost(void *context, uint64_t connection)
{
	(void)connection;
	((struct world *)context)->lost++;
}

static void browser_connected(void *context, int error)
{
	(void)context;
	assert_int_equal(error, 0);
}

static void browser_received(void *context, char *bytes, size_t size)
{
	struct world *world = context;

	assert_true(world->said_size + size < sizeof world->said);
	memcpy(world->said + world->said_size, bytes, size);
	world->said_size += size;
	world->said[world->said_size] = '\0';
}

static void browser_ended(void *context, int error)
{
	struct world *world = context;

	(void)error;
	world->closed = true;
	tcp_close(world->browser);
	world->browser = NULL;
}

static const struct tcp_handlers browser_handlers = {browser_connected, browser_received, browser_ended};
static const struct sip_transport_handlers transport_handlers = {.received = received, .flow_lost = flow_lost};

static void set_up(struct world *world)
{
	struct net_address failed, from;

	memset(world, 0, sizeof *world);
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	world->loop = sim_create(5);
	sim_set_network(world->loop, &(struct sim_network){.delay_min_ms = 0});
	assert_true(net_address_parse_with_port(STR("192.0.2.1:8088"), 0, &world->ours));
	assert_true(net_address_parse_with_port(STR("192.0.2.9:0"), 0, &from));
	const struct sip_transport_settings settings = {.ws[0] = world->ours, .idle_s = 300};
	assert_int_equal(
	    sip_transport_create(world->loop, &settings, &transport_handlers, world, &world->transport, &failed), 0);
	assert_int_equal(sim_tcp_connect(world->loop, &from, &world->ours, &browser_handlers, world, &world->browser),
			 0);
	sim_run_for(world->loop, 0);
}

static void tear_down(struct world *world)
{
	tcp_close(world->browser);
	sip_transport_destroy(world->transport);
	sim_run_for(world->loop, 2000);
	assert_int_equal(sim_count(world->loop).sockets, 0);
	assert_int_equal(sim_count(world->loop).timers, 0);
	loop_destroy(world->loop);
}

static void says(struct world *world, struct str bytes)
{
	world->said_size = 0;
	assert_int_equal(tcp_send(world->browser, bytes), 0);
	sim_run_for(world->loop, 0);
}

static void says_frame(struct world *world, uint8_t opcode, const char *text)
{
	char frame[512];
	size_t size = strlen(text);
	struct writer w = writer_into(frame, sizeof frame);

	writer_char(&w, (char)(0x80 | opcode));
	writer_char(&w, (char)(size < 126 ? 0x80 | size : 0xfe));
	if (size >= 126) {
		writer_char(&w, (char)(size >> 8));
		writer_char(&w, (char)size);
	}
	writer_str(&w, (struct str){"\0\0\0\0", 4});
	writer_text(&w, text);
	assert_false(w.overflow);
	says(world, writer_result(&w));
}

static void the_greeting_is_answered_as_the_rfc_has_it(void **state)
{
	char text[512];
	struct writer answer = writer_into(text, sizeof text);
	const char *why;
	(void)state;

	assert_int_equal(websocket_greet(STR(GREETING), STR_NONE, &answer, &why), 101);
	assert_true(
	    str_equal(writer_result(&answer),
		      STR("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
			  "Sec-WebSocket-Protocol: sip\r\n\r\n"))); // the key and the answer of RFC 6455 section 1.3
	for (size_t length = 0; length < strlen(GREETING); length++) {
		answer = writer_into(text, sizeof text);
		assert_int_not_equal(websocket_greet(str_first(STR(GREETING), length), STR_NONE, &answer, &why), 101);
	}
}

static void a_message_comes_and_one_goes_along_the_same_flow_only(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	says(&world, STR(GREETING));
	assert_non_null(strstr(world.said, "HTTP/1.1 101 "));
	says_frame(&world, 1, OPTIONS);
	assert_int_equal(world.received, 1);
	assert_int_equal(world.from.transport, TRANSPORT_WS);
	assert_false(sip_transport_is_secured(&world.from));
	world.said_size = 0;
	assert_int_equal(sip_transport_send(world.transport, &world.from, STR("hello")), 0);
	sim_run_for(world.loop, 0);
	assert_memory_equal(world.said, "\x81\x05hello", 7);
	world.said_size = 0;
	assert_int_equal(sip_transport_send(world.transport, &world.from, STR("\xff")), 0);
	sim_run_for(world.loop, 0);
	assert_memory_equal(world.said, "\x82\x01\xff", 3); // no text
	tcp_close(world.browser);
	world.browser = NULL;
	sim_run_for(world.loop, 0);
	assert_int_equal(world.lost, 1);
	assert_int_not_equal(sip_transport_send(world.transport, &world.from, STR("hello")), 0); // nobody to connect to
	assert_int_equal(sip_transport_count(world.transport).connections, 0);
	tear_down(&world);
}

static void half_a_greeting_is_waited_for_10_s(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	for (unsigned i = 0; i < 9; i++) {
		says(&world, (struct str){&GREETING[i], 1});
		sim_run_for(world.loop, 1000);
	}
	assert_false(world.closed);
	sim_run_for(world.loop, 1001);
	assert_true(world.closed);
	assert_int_equal(world.lost, 1);
	tear_down(&world);
}

static void a_silent_browser_is_asked_and_given_up(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	says(&world, STR(GREETING));
	says_frame(&world, 1, OPTIONS);
	for (unsigned i = 0; i < 3; i++) {
		world.said_size = 0;
		sim_run_for(world.loop, 30000);
		assert_memory_equal(world.said, "\x89\x00", 2); // a ping
		says_frame(&world, 10, "");                     // its pong
	}
	sim_run_for(world.loop, 59000);
	assert_false(world.closed);
	sim_run_for(world.loop, 1001);
	assert_true(world.closed);
	tear_down(&world);
}

static void pongs_alone_keep_no_connection_that_nobody_needs(void **state)
{
	struct world world;
	(void)state;

	set_up(&world);
	says(&world, STR(GREETING));
	says_frame(&world, 1, OPTIONS);
	for (unsigned i = 0; i < 9; i++) {
		sim_run_for(world.loop, 30000);
		says_frame(&world, 10, "");
	}
	assert_false(world.closed);
	sim_run_for(world.loop, 30001);
	assert_true(world.closed); // 300 s without a message
	tear_down(&world);
}

static bool takes(void *context, struct str bytes)
{
	(void)context;
	(void)bytes;
	return true;
}

static void without_memory_there_is_no_websocket(void **state)
{
	static const struct websocket_handlers handlers = {.send = takes};
	struct websocket *websocket;
	(void)state;

	failing_allocator_arm(1);
	websocket = websocket_create(&STR_NONE, 1000, &handlers, NULL);
	assert_true(failing_allocator_disarm());
	assert_null(websocket);
	websocket = websocket_create(&STR_NONE, 1000, &handlers, NULL);
	assert_non_null(websocket);
	assert_int_equal(websocket_receive(websocket, STR("GET ")), WEBSOCKET_GREETING);
	assert_false(websocket_send(websocket, STR("too early")));
	websocket_destroy(websocket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_greeting_is_answered_as_the_rfc_has_it),
	    cmocka_unit_test(a_message_comes_and_one_goes_along_the_same_flow_only),
	    cmocka_unit_test(half_a_greeting_is_waited_for_10_s),
	    cmocka_unit_test(a_silent_browser_is_asked_and_given_up),
	    cmocka_unit_test(pongs_alone_keep_no_connection_that_nobody_needs),
	    cmocka_unit_test(without_memory_there_is_no_websocket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
