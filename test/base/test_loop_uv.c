// The loop on libuv: time, signals, wake-ups and UDP. TCP is in test_loop_uv_tcp.c.
#include "base/loop.h"
#include "base/sanitized.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

// One world per test, found by handlers through their context.
struct world {
	struct loop *loop;
	struct timer guard; // a test that hangs fails instead
	struct timer timer;
	struct wakeup *wakeup;
	struct udp_socket *a, *b;
	struct net_address a_local, b_local;
	unsigned calls, losses;
	uint64_t started_ms;
	char last[64];
};

static void guard_fired(struct timer *timer)
{
	(void)timer;
	fail_msg("nothing happened for five seconds");
}

static int set_up(void **state)
{
	static struct world world;
	memset(&world, 0, sizeof world);
	assert_int_equal(loop_create(&world.loop), 0);
	timer_init(&world.guard, guard_fired);
	timer_start(world.loop, &world.guard, 5000);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	timer_stop(&world->guard);
	loop_destroy(world->loop);
	return 0;
}

// ---- time

static void timer_fired(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, timer);
	assert_true(loop_now_ms(world->loop) >= world->started_ms + 20);
	if (++world->calls == 2) {
		loop_stop(world->loop);
		return;
	}
	world->started_ms = loop_now_ms(world->loop);
	timer_start(world->loop, timer, 20);
}

static void timers_fire_once_and_not_early(void **state)
{
	struct world *world = *state;
	timer_init(&world->timer, timer_fired);
	world->started_ms = loop_now_ms(world->loop);
	uint64_t began_us = loop_now_us(world->loop);
	failing_allocator_arm_from(1); // timers need no memory
	timer_start(world->loop, &world->timer, 5);
	timer_start(world->loop, &world->timer, 20);
	loop_run(world->loop);
	failing_allocator_disarm();
	assert_int_equal(world->calls, 2);
	assert_true(loop_now_us(world->loop) - began_us >= 38000); // 40 ms in ticks of a millisecond
	assert_true(loop_time_ms(world->loop) > UINT64_C(1600000000000));
}

static void random_bytes_differ(void **state)
{
	struct world *world = *state;
	uint8_t bytes[600], zeros[16] = {0};
	uint64_t values[100];
	memset(bytes, 0, sizeof bytes);
	loop_random(world->loop, bytes, sizeof bytes);
	for (size_t i = 0; i + 16 <= sizeof bytes; i += 16)
		assert_memory_not_equal(bytes + i, zeros, 16);
	for (size_t i = 0; i < 100; i++) {
		values[i] = loop_random_uint(world->loop);
		for (size_t j = 0; j < i; j++)
			assert_true(values[i] != values[j]);
	}
}

// ---- signals and wake-ups

static void stop(void *context)
{
	struct world *world = context;
	world->calls++;
	loop_stop(world->loop);
}

static void a_signal_comes(void **state)
{
	struct world *world = *state;
	assert_int_equal(loop_on_signal(world->loop, SIGUSR1, stop, world), 0);
	assert_int_equal(loop_on_signal(world->loop, SIGUSR1, stop, world), -EEXIST);
	assert_true(loop_on_signal(world->loop, SIGKILL, stop, world) < 0);
	raise(SIGUSR1);
	loop_run(world->loop);
	assert_int_equal(world->calls, 1);
}

static void *signal_often(void *context)
{
	struct world *world = context;
	for (int i = 0; i < 100; i++)
		wakeup_signal(world->wakeup);
	return NULL;
}

static void another_thread_wakes(void **state)
{
	struct world *world = *state;
	pthread_t thread;
	assert_int_equal(wakeup_create(world->loop, stop, world, &world->wakeup), 0);
	assert_int_equal(pthread_create(&thread, NULL, signal_often, world), 0);
	loop_run(world->loop);
	pthread_join(thread, NULL);
	assert_in_range(world->calls, 1, 100);
	wakeup_destroy(world->wakeup);
	wakeup_destroy(NULL);
}

// ---- UDP

static void open_two(struct world *world, const char *host, udp_received *a, udp_received *b)
{
	struct net_address any_port;
	assert_true(net_address_parse(str_of(host), 0, &any_port));
	assert_int_equal(udp_open(world->loop, &any_port, a, world, &world->a), 0);
	assert_int_equal(udp_open(world->loop, &any_port, b, world, &world->b), 0);
	world->a_local = udp_local(world->a);
	world->b_local = udp_local(world->b);
	assert_true(world->a_local.port != 0 && world->b_local.port != 0);
}

static void echo(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(bytes[i] + 1);
	assert_int_equal(udp_send(world->b, from, (struct str){bytes, size}, NULL), 0);
}

static void expect_echo(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	assert_true(net_address_equal(from, &world->b_local));
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, "bcd", 3);
	if (++world->calls == 500)
		loop_stop(world->loop);
}

static void datagrams_go_both_ways(void **state)
{
	struct world *world = *state;
	const char *hosts[] = {"127.0.0.1", "::1"};
	for (int h = 0; h < 2; h++) {
		world->calls = 0;
		open_two(world, hosts[h], expect_echo, echo);
		failing_allocator_arm(0);
		for (int i = 0; i < 500; i++)
			assert_int_equal(udp_send(world->a, &world->b_local, STR("abc"), NULL), 0);
		loop_run(world->loop);
		failing_allocator_disarm();
		assert_int_equal(world->calls, 500);
		if (!SANITIZED)
			assert_int_equal(failing_allocator_count(), 0);
		udp_close(world->a);
		udp_close(world->b);
	}
}

static void expect_sizes(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	const size_t sizes[] = {0, 1, 65507};
	(void)from;
	assert_int_equal(size, sizes[world->calls]);
	assert_true(size == 0 || bytes[size - 1] == 'z');
	if (++world->calls == 3)
		loop_stop(world->loop);
}

static void any_size_that_fits(void **state)
{
	struct world *world = *state;
	static char large[65508];
	memset(large, 'z', sizeof large);
	open_two(world, "127.0.0.1", expect_sizes, expect_sizes);
	assert_int_equal(udp_send(world->a, &world->b_local, STR_NONE, NULL), 0);
	assert_int_equal(udp_send(world->a, &world->b_local, STR("z"), NULL), 0);
	assert_int_equal(udp_send(world->a, &world->b_local, (struct str){large, 65507}, NULL), 0);
	assert_int_equal(udp_send(world->a, &world->b_local, (struct str){large, 65508}, NULL), -EMSGSIZE);
	assert_int_equal(udp_send(world->a, &world->b_local, (struct str){large, SIZE_MAX}, NULL), -EMSGSIZE);
	assert_int_equal(udp_send(world->a, &world->b_local, (struct str){large, (UINT64_C(1) << 32) + 1}, NULL),
			 -EMSGSIZE);
	assert_int_equal(udp_send(world->a, &(struct net_address){0}, STR("z"), NULL), -EAFNOSUPPORT);
	loop_run(world->loop);
	udp_close(world->a);
	udp_close(world->b);
}

static void close_while_received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	(void)from, (void)bytes, (void)size;
	world->calls++;
	udp_close(world->b);
	timer_init(&world->timer, timer_fired);
	world->started_ms = loop_now_ms(world->loop);
	timer_start(world->loop, &world->timer, 20); // long enough for the rest of the batch to come, if it did
}

static void nothing_comes_after_close(void **state)
{
	struct world *world = *state;
	open_two(world, "127.0.0.1", close_while_received, close_while_received);
	for (int i = 0; i < 100; i++)
		udp_send(world->a, &world->b_local, STR("x"), NULL);
	loop_run(world->loop);
	assert_int_equal(world->calls, 2); // one datagram, then the timer
	udp_close(world->a);
	udp_close(NULL);
}

// ---- what a turn sends

enum { MANY = 200 }; // more than a turn holds

static void count_upwards(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	(void)from;
	assert_int_equal(size, 1 + world->calls % 3);
	assert_int_equal((unsigned char)bytes[0], world->calls);
	if (++world->calls == MANY)
		loop_stop(world->loop);
}

static void send_upwards(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, timer);
	for (int i = 0; i < MANY; i++) {
		char bytes[] = {(char)i, 0, 0};
		assert_int_equal(udp_send(world->a, &world->b_local, (struct str){bytes, 1 + (size_t)i % 3}, NULL), 0);
	}
	assert_int_equal(world->calls, 0);
}

static void a_turn_sends_at_its_end_and_in_order(void **state)
{
	struct world *world = *state;
	open_two(world, "127.0.0.1", echo, count_upwards);
	timer_init(&world->timer, send_upwards);
	timer_start(world->loop, &world->timer, 1);
	loop_run(world->loop);
	udp_close(world->a);
	udp_close(world->b);
}

static void expect_bytes(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	(void)from;
	assert_int_equal(size, 40000);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], 'a' + world->calls);
	if (++world->calls == 5)
		loop_stop(world->loop);
}

static void send_large(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, timer);
	static char large[40000];
	for (int i = 0; i < 5; i++) {
		memset(large, 'a' + i, sizeof large);
		assert_int_equal(udp_send(world->a, &world->b_local, (struct str){large, sizeof large}, NULL), 0);
	}
}

static void what_a_turn_sends_may_be_large(void **state)
{
	struct world *world = *state;
	open_two(world, "127.0.0.1", echo, expect_bytes);
	timer_init(&world->timer, send_large);
	timer_start(world->loop, &world->timer, 1);
	loop_run(world->loop);
	udp_close(world->a);
	udp_close(world->b);
}

// Nobody may send to everybody.
static const struct net_address everybody = {.family = 4, .port = 9, .bytes = {255, 255, 255, 255}};

struct watched {
	struct loss_watch watch;
	struct world *world;
};

static struct watched refused[3];

static void count_lost(struct loss_watch *watch)
{
	struct watched *watched = container_of(watch, struct watched, watch);
	assert_ptr_equal(watched, &refused[0]);
	assert_true(list_empty(&watch->node));
	watched->world->losses++;
}

static void stop_the_loop(struct timer *timer)
{
	loop_stop(container_of(timer, struct world, timer)->loop);
}

// Stops when nothing more comes for a while.
static void b_and_d(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	(void)from;
	assert_int_equal(size, 1);
	assert_int_equal(bytes[0], world->calls == 0 ? 'b' : 'd');
	world->calls++;
	timer_init(&world->timer, stop_the_loop);
	timer_start(world->loop, &world->timer, 20);
}

// The first is refused, the third too, but its watcher has gone; what is between them and behind is sent.
static void send_with_refusals(struct timer *timer)
{
	struct world *world = container_of(timer, struct world, timer);
	for (int i = 0; i < 3; i++) {
		refused[i] = (struct watched){{.lost = count_lost}, world};
		list_init(&refused[i].watch.node);
	}
	assert_int_equal(udp_send(world->a, &everybody, STR("a"), &refused[0].watch), 0);
	assert_int_equal(udp_send(world->a, &world->b_local, STR("b"), &refused[1].watch), 0);
	assert_int_equal(udp_send(world->a, &everybody, STR("c"), &refused[2].watch), 0);
	assert_int_equal(udp_send(world->a, &everybody, STR("x"), NULL), 0);
	assert_int_equal(udp_send(world->a, &world->b_local, STR("d"), NULL), 0);
	list_remove(&refused[2].watch.node);
}

static void who_watches_is_told_of_a_refusal(void **state)
{
	struct world *world = *state;
	open_two(world, "127.0.0.1", echo, b_and_d);
	assert_int_equal(udp_send(world->a, &everybody, STR("now"), NULL), -EACCES);
	timer_init(&world->timer, send_with_refusals);
	timer_start(world->loop, &world->timer, 1);
	loop_run(world->loop);
	assert_int_equal(world->losses, 1);
	assert_int_equal(world->calls, 2);
	for (int i = 0; i < 3; i++)
		assert_true(list_empty(&refused[i].watch.node));
	udp_close(world->a);
	udp_close(world->b);
}

static void send_and_stop(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	(void)from, (void)bytes, (void)size;
	assert_int_equal(udp_send(world->a, &world->b_local, STR("b"), NULL), 0);
	loop_stop(world->loop);
}

static void send_close_and_stop(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct world *world = context;
	send_and_stop(context, from, bytes, size);
	udp_close(world->a);
}

static void who_stops_or_closes_has_sent_before(void **state)
{
	struct world *world = *state;
	udp_received *const handlers[] = {send_and_stop, send_close_and_stop};
	for (int i = 0; i < 2; i++) {
		world->calls = 0;
		open_two(world, "127.0.0.1", handlers[i], b_and_d);
		assert_int_equal(udp_send(world->b, &world->a_local, STR("go"), NULL), 0);
		loop_run(world->loop);
		bool open = handlers[i] == send_and_stop;
		if (open) // what is sent now comes behind it
			assert_int_equal(udp_send(world->a, &world->b_local, STR("d"), NULL), 0);
		loop_run(world->loop); // until it has come
		assert_int_equal(world->calls, open ? 2 : 1);
		if (open)
			udp_close(world->a);
		udp_close(world->b);
	}
}

static void a_port_has_one_socket(void **state)
{
	struct world *world = *state;
	struct udp_socket *other;
	open_two(world, "127.0.0.1", echo, echo);
	assert_int_equal(udp_open(world->loop, &world->a_local, echo, world, &other), -EADDRINUSE);
	assert_int_equal(udp_open(world->loop, &(struct net_address){0}, echo, world, &other), -EAFNOSUPPORT);
	udp_close(world->a);
	udp_close(world->b);
}

static void survives_without_memory(void **state)
{
	struct world *world = *state;
	struct loop *loop;
	struct udp_socket *udp;
	struct net_address any_port;
	assert_true(net_address_parse(STR("127.0.0.1"), 0, &any_port));
	for (unsigned n = 1; n <= 2; n++) {
		failing_allocator_arm(n);
		assert_int_equal(loop_create(&loop), -ENOMEM);
		assert_true(failing_allocator_disarm());
	}
	failing_allocator_arm_from(1);
	assert_int_equal(udp_open(world->loop, &any_port, echo, world, &udp), -ENOMEM);
	assert_int_equal(wakeup_create(world->loop, stop, world, &world->wakeup), -ENOMEM);
	assert_int_equal(loop_on_signal(world->loop, SIGUSR2, stop, world), -ENOMEM);
	failing_allocator_disarm();
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(timers_fire_once_and_not_early),
	    test(random_bytes_differ),
	    test(a_signal_comes),
	    test(another_thread_wakes),
	    test(datagrams_go_both_ways),
	    test(any_size_that_fits),
	    test(nothing_comes_after_close),
	    test(a_port_has_one_socket),
	    test(survives_without_memory),
	    test(a_turn_sends_at_its_end_and_in_order),
	    test(what_a_turn_sends_may_be_large),
	    test(who_watches_is_told_of_a_refusal),
	    test(who_stops_or_closes_has_sent_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
