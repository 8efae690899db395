// The transport on real sockets of this machine: a request and its answer over UDP and TCP, IPv4 and IPv6, between one
// transport that is bound to every address and another that is bound to one.
#include "base/hash.h"
#include "lib/cmocka.h"
#include "sip/transaction.h"

#include <stdio.h>
#include <string.h>

#define BRANCH "z9hG4bK0123456789abcdefghij"

struct side {
	struct loop *loop;
	struct sip_transport *transport;
	struct sip_transactions *transactions;
	unsigned requests, responses;
};

struct world {
	struct loop *loop;
	struct timer guard; // a test that hangs fails instead
	struct side server, client;
};

static void guard_fired(struct timer *timer)
{
	(void)timer;
	fail_msg("nothing happened for five seconds");
}

static struct net_address address(const char *text)
{
	struct net_address made;

	assert_true(net_address_parse_with_port(str_of(text), 0, &made));
	return made;
}

static void received(void *context, const struct flow *from, struct sip_message *message)
{
	struct side *side = context;

	if (message->is_request) {
		side->requests++;
		sip_respond_stateless(side->transactions, from, message, &(struct sip_response){.status = 200});
		return;
	}
	side->responses++;
	assert_int_equal(message->status, 200);
	assert_true(str_equal(message->via.branch, STR(BRANCH)));
	loop_stop(side->loop);
}

static const struct sip_transport_handlers handlers = {.received = received};

static bool side_open(struct side *side, struct loop *loop, const char *v4, const char *v6)
{
	struct sip_transport_settings settings = {.udp = {address(v4), address(v6)}, .tcp = {address(v4), address(v6)}};
	struct net_address failed;

	side->loop = loop;
	if (sip_transport_create(loop, &settings, &handlers, side, &side->transport, &failed) != 0)
		return false;
	side->transactions = sip_transactions_create(loop, side->transport);
	assert_non_null(side->transactions);
	return true;
}

static void side_close(struct side *side)
{
	sip_transactions_destroy(side->transactions);
	sip_transport_destroy(side->transport);
}

// False on a machine without IPv6.
static bool world_open(struct world *world)
{
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	memset(world, 0, sizeof *world);
	assert_int_equal(loop_create(&world->loop), 0);
	if (side_open(&world->server, world->loop, "0.0.0.0:0", "[::]:0")) {
		assert_true(side_open(&world->client, world->loop, "127.0.0.1:0", "[::1]:0"));
		timer_init(&world->guard, guard_fired);
		timer_start(world->loop, &world->guard, 5000);
		return true;
	}
	loop_destroy(world->loop);
	return false;
}

static void world_close(struct world *world)
{
	timer_stop(&world->guard);
	side_close(&world->client);
	side_close(&world->server);
	loop_destroy(world->loop);
}

static void ask(struct world *world, enum transport kind, unsigned listener, const char *host)
{
	struct net_address to = address(host);
	struct flow flow;
	char bytes[1024];
	struct writer w = writer_into(bytes, sizeof bytes);

	to.port = sip_transport_listener(world->server.transport, kind, listener).port;
	assert_int_not_equal(to.port, 0);
	assert_true(sip_transport_flow_to(world->client.transport, kind, &to, &flow));
	writer_text(&w, "OPTIONS sip:somebody@example.com SIP/2.0\r\n");
	sip_transport_write_via(world->client.transport, &w, &flow, STR(BRANCH));
	writer_text(&w, "Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
			"Call-ID: call\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(sip_transport_send(world->client.transport, &flow, writer_result(&w)), 0);
	loop_run(world->loop);
}

static void requests_and_answers_travel_over_each_transport(void **state)
{
	struct world world;
	(void)state;

	if (!world_open(&world)) {
		print_message("skipped: this machine has no IPv6\n");
		skip();
	}
	ask(&world, TRANSPORT_UDP, 0, "127.0.0.1");
	ask(&world, TRANSPORT_UDP, 1, "::1");
	ask(&world, TRANSPORT_TCP, 0, "127.0.0.1");
	ask(&world, TRANSPORT_TCP, 1, "::1");
	ask(&world, TRANSPORT_TCP, 1, "::1");
	assert_int_equal(world.server.requests, 5);
	assert_int_equal(world.client.responses, 5);
	assert_int_equal(sip_transport_count(world.server.transport).connections, 2);
	world_close(&world);
}

static void local_is(struct world *world, enum transport kind, const char *remote, const char *expected_host)
{
	struct net_address to = address(remote);
	struct flow flow;
	char text[128], expected[160];
	struct writer w = writer_into(text, sizeof text - 1);

	to.port = 5060;
	assert_true(sip_transport_flow_to(world->server.transport, kind, &to, &flow));
	sip_transport_write_local(world->server.transport, &w, &flow);
	text[w.used] = '\0';
	snprintf(expected, sizeof expected, "%s:%u", expected_host,
		 sip_transport_listener(world->server.transport, kind, flow.listener).port);
	assert_string_equal(text, expected);
}

static void bound_to_every_address_we_say_the_one_that_leads_there(void **state)
{
	struct world world;
	uint16_t port;
	(void)state;

	if (!world_open(&world)) {
		print_message("skipped: this machine has no IPv6\n");
		skip();
	}
	local_is(&world, TRANSPORT_UDP, "127.0.0.1", "127.0.0.1");
	local_is(&world, TRANSPORT_TCP, "127.0.0.1", "127.0.0.1");
	local_is(&world, TRANSPORT_UDP, "::1", "[::1]");
	port = sip_transport_listener(world.server.transport, TRANSPORT_UDP, 0).port;
	assert_true(sip_transport_is_local(world.server.transport, STR("127.0.0.1"), port));
	assert_false(sip_transport_is_local(world.server.transport, STR("203.0.113.7"), port));
	assert_false(sip_transport_is_local(world.server.transport, STR("127.0.0.1"), 1));
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_and_answers_travel_over_each_transport),
	    cmocka_unit_test(bound_to_every_address_we_say_the_one_that_leads_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
