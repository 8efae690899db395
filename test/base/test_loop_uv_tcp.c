// TCP on libuv: partial writes, peers that close, peers that are stuck, owners that close in any handler.
#include "base/loop.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

// One world per test: a listener, the connection it accepted, and the one that connects to it.
struct world {
	struct loop *loop;
	struct timer guard; // a test that hangs fails instead
	struct timer timer;
	struct tcp_listener *listener;
	struct tcp_connection *server, *client;
	const struct tcp_handlers *server_handlers;
	bool server_reads;
	int connected; // what the client was told; 1 before
	int ended;     // what either was told; 1 before
	uint64_t sent, received;
	unsigned calls;
};

static void guard_fired(struct timer *timer)
{
	(void)timer;
	fail_msg("nothing happened for five seconds");
}

static void accepted(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	struct world *world = context;
	assert_true(net_address_equal(from, &(struct net_address){4, from->port, {127, 0, 0, 1}}));
	if (!world->server_handlers) {
		world->calls++;
		tcp_close(connection);
		return;
	}
	world->server = connection;
	tcp_handle(connection, world->server_handlers, world);
	if (!world->server_reads)
		tcp_read_stop(connection);
}

static int set_up(void **state)
{
	static struct world world;
	struct net_address any_port;
	memset(&world, 0, sizeof world);
	world.connected = world.ended = 1;
	assert_int_equal(loop_create(&world.loop), 0);
	assert_true(net_address_parse(STR("127.0.0.1"), 0, &any_port));
	assert_int_equal(tcp_listen(world.loop, &any_port, accepted, &world, &world.listener), 0);
	timer_init(&world.guard, guard_fired);
	timer_start(world.loop, &world.guard, 5000);
	*state = &world;
	return 0;
}

static void take_down(struct world *world)
{
	timer_stop(&world->guard);
	timer_stop(&world->timer);
	if (world->server)
		tcp_close(world->server);
	if (world->client)
		tcp_close(world->client);
	tcp_listener_close(world->listener);
	loop_destroy(world->loop);
	memset(world, 0, sizeof *world);
}

static int tear_down(void **state)
{
	struct world *world = *state;
	if (world->loop)
		take_down(world);
	return 0;
}

static void connect_client(struct world *world, const struct tcp_handlers *handlers)
{
	struct net_address to = tcp_listener_local(world->listener);
	assert_true(to.port != 0);
	assert_int_equal(tcp_connect(world->loop, &to, handlers, world, &world->client), 0);
}

// The byte at each place of the stream, so that a loss or a swap shows.
static char pattern(uint64_t place)
{
	return (char)(place * 31 + place / 251);
}

static void check_pattern(struct world *world, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != pattern(world->received + i))
			fail_msg("byte %llu is wrong", (unsigned long long)(world->received + i));
	world->received += size;
}

// ---- handlers

static void client_connected(void *context, int error)
{
	struct world *world = context;
	world->connected = error;
	if (error)
		loop_stop(world->loop);
}

static void ignore_received(void *context, char *bytes, size_t size)
{
	(void)context, (void)bytes, (void)size;
}

static void note_ended(void *context, int error)
{
	struct world *world = context;
	assert_int_equal(world->ended, 1); // told once
	world->ended = error;
	loop_stop(world->loop);
}

static const struct tcp_handlers quiet = {client_connected, ignore_received, note_ended};

// ---- echo, and both addresses

static void server_echo(void *context, char *bytes, size_t size)
{
	struct world *world = context;
	assert_int_equal(tcp_send(world->server, (struct str){bytes, size}), 0);
}

static void client_received(void *context, char *bytes, size_t size)
{
	struct world *world = context;
	check_pattern(world, bytes, size);
	if (world->received == world->sent)
		loop_stop(world->loop);
}

static const struct tcp_handlers echo_server = {NULL, server_echo, note_ended};
static const struct tcp_handlers echo_client = {client_connected, client_received, note_ended};

static void bytes_come_back(void **state)
{
	struct world *world = *state;
	char bytes[1000];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = pattern(i);
	world->server_handlers = &echo_server;
	world->server_reads = true;
	world->sent = sizeof bytes;
	connect_client(world, &echo_client);
	assert_int_equal(tcp_send(world->client, (struct str){bytes, 600}), 0); // not yet connected
	assert_int_equal(tcp_send(world->client, (struct str){bytes + 600, 400}), 0);
	assert_int_equal(tcp_send(world->client, STR_NONE), 0);
	loop_run(world->loop);
	assert_int_equal(world->connected, 0);
	assert_int_equal(world->received, sizeof bytes);
	struct net_address client_local = tcp_local(world->client), client_remote = tcp_remote(world->client);
	struct net_address server_local = tcp_local(world->server), server_remote = tcp_remote(world->server);
	assert_true(net_address_equal(&client_local, &server_remote));
	assert_true(net_address_equal(&client_remote, &server_local));
}

// ---- a peer that does not read

static int send_piece(struct world *world)
{
	char bytes[PIECE];
	for (size_t i = 0; i < PIECE; i++)
		bytes[i] = pattern(world->sent + i);
	int error = tcp_send(world->client, (struct str){bytes, PIECE});
	if (!error)
		world->sent += PIECE;
	return error;
}

static void connected_then_stop(void *context, int error)
{
	client_connected(context, error);
	loop_stop(((struct world *)context)->loop);
}

static const struct tcp_handlers stopping_client = {connected_then_stop, ignore_received, note_ended};

static void server_received_all(void *context, char *bytes, size_t size)
{
	struct world *world = context;
	check_pattern(world, bytes, size);
	if (world->received == world->sent)
		loop_stop(world->loop);
}

static const struct tcp_handlers collecting_server = {NULL, server_received_all, note_ended};

static void server_came(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, timer);
	if (world->server)
		loop_stop(world->loop);
	else
		timer_start(world->loop, timer, 1);
}

// Connects and fills whatever there is between the client and a server that does not read.
static void fill(struct world *world)
{
	world->server_handlers = &collecting_server;
	connect_client(world, &stopping_client);
	loop_run(world->loop);
	timer_init(&world->timer, server_came);
	timer_start(world->loop, &world->timer, 1);
	loop_run(world->loop);
	while (send_piece(world) == 0)
		assert_true(world->sent < 64 * 1024 * 1024); // there is a bound
}

static void what_waits_is_bounded_and_arrives(void **state)
{
	struct world *world = *state;
	fill(world);
	assert_int_equal(send_piece(world), -ENOBUFS);
	assert_int_equal(world->ended, 1); // it goes on
	tcp_read_start(world->server);
	loop_run(world->loop);
	assert_int_equal(world->received, world->sent);
	assert_int_equal(send_piece(world), 0);
	loop_run(world->loop);
	assert_int_equal(world->received, world->sent);
	char *too_much = calloc(1, 256 * 1024 + 1);
	assert_int_equal(tcp_send(world->client, (struct str){too_much, 256 * 1024 + 1}), -ENOBUFS);
	free(too_much);
}

static void closing_sends_what_waits(void **state)
{
	struct world *world = *state;
	fill(world);
	tcp_close(world->client);
	world->client = NULL;
	tcp_read_start(world->server);
	loop_run(world->loop); // all received
	assert_int_equal(world->received, world->sent);
	loop_run(world->loop); // ended
	assert_int_equal(world->ended, 0);
}

static void a_stuck_peer_holds_nothing_up(void **state)
{
	struct world *world = *state;
	struct net_address to = tcp_listener_local(world->listener);
	struct sockaddr_storage address;
	socklen_t size = net_address_to_sockaddr(&to, &address);
	int stuck = socket(AF_INET, SOCK_STREAM, 0); // nobody will ever read from it
	assert_int_equal(connect(stuck, (struct sockaddr *)&address, size), 0);
	world->server_handlers = &collecting_server;
	timer_init(&world->timer, server_came);
	timer_start(world->loop, &world->timer, 1);
	loop_run(world->loop);
	world->client = world->server;
	world->server = NULL;
	while (send_piece(world) == 0)
		;
	uint64_t began_ms = loop_now_ms(world->loop);
	tcp_close(world->client);
	world->client = NULL;
	take_down(world); // waits for the last bytes, a second at most
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_in_range((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - began_ms, 900, 3000);
	close(stuck);
}

static void a_break_in_the_middle_ends_it(void **state)
{
	struct world *world = *state;
	world->server_handlers = &collecting_server;
	connect_client(world, &stopping_client);
	loop_run(world->loop);
	failing_allocator_arm_from(1);
	int error = 0;
	while (error == 0)
		error = send_piece(world);
	failing_allocator_disarm();
	assert_int_equal(error, -ENOMEM);
	// either nothing of the last piece was sent, and the next call may send it, or `ended` follows
	if (tcp_send(world->client, STR("x")) == -ENOTCONN) {
		loop_run(world->loop);
		assert_int_equal(world->ended, -ENOMEM);
	}
}

// ---- ends

static void server_close(void *context, char *bytes, size_t size)
{
	struct world *world = context;
	(void)bytes, (void)size;
	tcp_close(world->server);
	world->server = NULL;
}

static const struct tcp_handlers closing_server = {NULL, server_close, note_ended};

static void the_peer_closes(void **state)
{
	struct world *world = *state;
	world->server_handlers = &closing_server;
	world->server_reads = true;
	connect_client(world, &quiet);
	tcp_send(world->client, STR("bye"));
	loop_run(world->loop);
	assert_int_equal(world->connected, 0);
	assert_int_equal(world->ended, 0);
	assert_int_equal(tcp_send(world->client, STR("x")), -ENOTCONN);
	tcp_read_start(world->client); // harmless
}

static void nobody_listens(void **state)
{
	struct world *world = *state;
	struct net_address to = tcp_listener_local(world->listener);
	tcp_listener_close(world->listener);
	world->listener = NULL;
	assert_int_equal(tcp_connect(world->loop, &to, &quiet, world, &world->client), 0);
	loop_run(world->loop);
	assert_int_equal(world->connected, -ECONNREFUSED);
	assert_int_equal(world->ended, 1);
	assert_int_equal(tcp_connect(world->loop, &(struct net_address){0}, &quiet, world, &world->client),
			 -EAFNOSUPPORT);
}

static void refused_in_accepted(void **state)
{
	struct world *world = *state;
	connect_client(world, &quiet);
	loop_run(world->loop);
	assert_int_equal(world->calls, 1);
	assert_int_equal(world->connected, 0);
	assert_true(world->ended == 0 || world->ended == -ECONNRESET);
}

static void close_in_connected(void *context, int error)
{
	struct world *world = context;
	world->connected = error;
	tcp_close(world->client);
	world->client = NULL;
}

static const struct tcp_handlers fleeting_client = {close_in_connected, NULL, NULL};

static void closed_in_connected(void **state)
{
	struct world *world = *state;
	world->server_handlers = &quiet;
	world->server_reads = true;
	connect_client(world, &fleeting_client);
	loop_run(world->loop); // until the server is told of the end
	assert_int_equal(world->connected, 0);
	assert_int_equal(world->ended, 0);
}

static void closed_before_connected(void **state)
{
	struct world *world = *state;
	connect_client(world, &fleeting_client);
	tcp_close(world->client);
	tcp_close(NULL);
	world->client = NULL;
	assert_int_equal(world->connected, 1); // and the handlers, two of them NULL, are not called
}

static void two_cannot_listen(void **state)
{
	struct world *world = *state;
	struct tcp_listener *other;
	struct net_address same = tcp_listener_local(world->listener);
	assert_int_equal(tcp_listen(world->loop, &same, accepted, world, &other), -EADDRINUSE);
}

// ---- no memory

static void first_accept_fails(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, timer);
	if (failing_allocator_count() == 0) {
		timer_start(world->loop, timer, 1);
		return;
	}
	assert_null(world->server);
	failing_allocator_disarm();
}

static void an_accept_without_memory_is_made_up_for(void **state)
{
	struct world *world = *state;
	world->server_handlers = &closing_server;
	world->server_reads = true;
	connect_client(world, &quiet);
	assert_int_equal(tcp_send(world->client, STR("x")), 0);
	failing_allocator_arm_from(1);
	timer_init(&world->timer, first_accept_fails);
	timer_start(world->loop, &world->timer, 1);
	loop_run(world->loop); // accepted at last, and closed by the server
	assert_int_equal(world->ended, 0);
}

static void survives_without_memory(void **state)
{
	struct world *world = *state;
	struct net_address to = tcp_listener_local(world->listener), any_port = to;
	struct tcp_listener *other;
	any_port.port = 0;
	failing_allocator_arm_from(1);
	assert_int_equal(tcp_connect(world->loop, &to, &quiet, world, &world->client), -ENOMEM);
	assert_int_equal(tcp_listen(world->loop, &any_port, accepted, world, &other), -ENOMEM);
	failing_allocator_disarm();
	assert_null(world->client);
}

// ---- adopting

struct adoption {
	struct world *world;
	struct tcp_connection *connection;
	bool closed;
	char heard[16];
};

static void adoption_closed(void *context)
{
	struct adoption *adoption = context;
	adoption->closed = true;
	loop_stop(adoption->world->loop);
}

static void adoption_received(void *context, char *bytes, size_t size)
{
	struct adoption *adoption = context;
	snprintf(adoption->heard, sizeof adoption->heard, "%.*s", (int)size, bytes);
	assert_int_equal(tcp_send(adoption->connection, STR("pong")), 0);
	tcp_close(adoption->connection);
}

static const struct tcp_handlers adoption_handlers = {.received = adoption_received};

static void a_socket_of_somebody_else_is_adopted(void **state)
{
	struct world *world = *state;
	struct adoption adoption = {.world = world};
	struct tcp_foreign foreign = {.local = {4, 8443, {192, 0, 2, 1}},
				      .remote = {4, 40000, {192, 0, 2, 99}},
				      .closed = adoption_closed,
				      .context = &adoption};
	char answer[8];
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	foreign.socket = pair[0];
	assert_int_equal(tcp_adopt(world->loop, &foreign, &adoption_handlers, &adoption, &adoption.connection), 0);
	struct net_address local = tcp_local(adoption.connection), remote = tcp_remote(adoption.connection);
	assert_true(net_address_equal(&local, &foreign.local));
	assert_true(net_address_equal(&remote, &foreign.remote));
	assert_int_equal(write(pair[1], "ping", 4), 4);
	loop_run(world->loop);
	assert_true(adoption.closed);
	assert_string_equal(adoption.heard, "ping");
	assert_int_equal(read(pair[1], answer, sizeof answer), 4);
	assert_memory_equal(answer, "pong", 4);
	assert_int_equal(read(pair[1], answer, sizeof answer), 0);
	close(pair[1]);

	adoption.closed = false;
	foreign.socket = -1; // no socket at all
	assert_true(tcp_adopt(world->loop, &foreign, &adoption_handlers, &adoption, &adoption.connection) < 0);
	assert_true(adoption.closed);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_socket_of_somebody_else_is_adopted),
	    test(bytes_come_back),
	    test(what_waits_is_bounded_and_arrives),
	    test(closing_sends_what_waits),
	    test(a_stuck_peer_holds_nothing_up),
	    test(a_break_in_the_middle_ends_it),
	    test(the_peer_closes),
	    test(nobody_listens),
	    test(refused_in_accepted),
	    test(closed_in_connected),
	    test(closed_before_connected),
	    test(two_cannot_listen),
	    test(an_accept_without_memory_is_made_up_for),
	    test(survives_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
