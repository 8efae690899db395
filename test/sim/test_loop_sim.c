// The simulated world itself: that time jumps, that packets suffer what they were told to, that a seed repeats.
#include "sim/sim.h"

#include "base/queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Notes what happens, as text.
struct diary {
	struct loop *loop;
	char text[4096];
	size_t used;
	struct tcp_connection *connection;
	struct udp_socket *socket;
};

static void note(struct diary *diary, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct diary *diary, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	diary->used +=
	    (size_t)vsnprintf(diary->text + diary->used, sizeof diary->text - diary->used, format, arguments);
	va_end(arguments);
	assert_true(diary->used < sizeof diary->text);
}

static struct net_address address(const char *host, uint16_t port)
{
	struct net_address made;
	assert_true(net_address_parse(str_of(host), port, &made));
	return made;
}

static void datagram_noted(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct diary *diary = context;
	(void)from;
	note(diary, "%u %.*s\n", (unsigned)loop_now_ms(diary->loop), (int)size, bytes);
}

static void send_letters(struct diary *diary, struct udp_socket *from, const char *letters)
{
	const struct net_address to = udp_local(diary->socket);
	for (const char *at = letters; *at; at++)
		assert_int_equal(udp_send(from, &to, (struct str){at, 1}, NULL), 0);
}

struct two_hosts {
	struct diary diary;
	struct udp_socket *sender;
};

static void two_hosts_open(struct two_hosts *hosts, uint64_t seed)
{
	const struct net_address a = address("192.0.2.1", 5060), b = address("2001:db8::7", 5060);
	const struct net_address c = address("192.0.2.2", 0);
	*hosts = (struct two_hosts){0};
	hosts->diary.loop = sim_create(seed);
	assert_non_null(hosts->diary.loop);
	assert_int_equal(udp_open(hosts->diary.loop, &a, datagram_noted, &hosts->diary, &hosts->diary.socket), 0);
	struct udp_socket *other;
	assert_int_equal(udp_open(hosts->diary.loop, &a, datagram_noted, &hosts->diary, &other), -EADDRINUSE);
	assert_int_equal(udp_open(hosts->diary.loop, &b, datagram_noted, &hosts->diary, &other), 0);
	udp_close(other);
	assert_int_equal(udp_open(hosts->diary.loop, &c, datagram_noted, &hosts->diary, &hosts->sender), 0);
	assert_int_not_equal(udp_local(hosts->sender).port, 0);
}

static void two_hosts_close(struct two_hosts *hosts)
{
	udp_close(hosts->diary.socket);
	udp_close(hosts->sender);
	assert_int_equal(sim_count(hosts->diary.loop).sockets, 0);
	loop_destroy(hosts->diary.loop);
}

static void a_datagram_takes_its_time(void **state)
{
	struct two_hosts hosts;
	(void)state;
	two_hosts_open(&hosts, 1);
	sim_set_network(hosts.diary.loop, &(struct sim_network){.delay_min_ms = 20, .delay_max_ms = 20});
	send_letters(&hosts.diary, hosts.sender, "ab");
	sim_run_until(hosts.diary.loop, 1019);
	assert_string_equal(hosts.diary.text, "");
	assert_true(sim_run_idle(hosts.diary.loop, 1000));
	assert_string_equal(hosts.diary.text, "1020 a\n1020 b\n");
	two_hosts_close(&hosts);
}

static enum sim_fate lose_a_double_b(void *context, const struct sim_packet *packet)
{
	(void)context;
	return packet->bytes.at[0] == 'a' ? SIM_LOST : packet->bytes.at[0] == 'b' ? SIM_DOUBLED : SIM_DELIVERED;
}

static void a_filter_decides(void **state)
{
	struct two_hosts hosts;
	(void)state;
	two_hosts_open(&hosts, 1);
	sim_filter(hosts.diary.loop, lose_a_double_b, NULL);
	send_letters(&hosts.diary, hosts.sender, "abc");
	assert_true(sim_run_idle(hosts.diary.loop, 1000));
	assert_string_equal(hosts.diary.text, "1001 b\n1001 b\n1001 c\n");
	const struct net_address host = address("192.0.2.1", 0);
	sim_host_down(hosts.diary.loop, &host);
	send_letters(&hosts.diary, hosts.sender, "d");
	sim_run_for(hosts.diary.loop, 10);
	sim_host_up(hosts.diary.loop, &host);
	send_letters(&hosts.diary, hosts.sender, "e");
	sim_run_for(hosts.diary.loop, 10);
	assert_string_equal(hosts.diary.text, "1001 b\n1001 b\n1001 c\n1012 e\n");
	two_hosts_close(&hosts);
}

static uint64_t stormy_transcript(uint64_t seed, struct sim_count *count)
{
	struct two_hosts hosts;
	two_hosts_open(&hosts, seed);
	sim_set_network(hosts.diary.loop, &(struct sim_network){.loss_permille = 200,
								.duplicate_permille = 200,
								.reorder_permille = 200,
								.reorder_ms = 30,
								.delay_min_ms = 1,
								.delay_max_ms = 10});
	for (int i = 0; i < 10; i++)
		send_letters(&hosts.diary, hosts.sender, "abcdefghij");
	assert_true(sim_run_idle(hosts.diary.loop, 1000));
	*count = sim_count(hosts.diary.loop);
	two_hosts_close(&hosts);
	return count->transcript;
}

static void a_seed_repeats(void **state)
{
	struct sim_count count, other;
	(void)state;
	assert_int_equal(stormy_transcript(7, &count), stormy_transcript(7, &other));
	assert_int_equal(count.sent, 100);
	assert_in_range(count.arrived, 60, 130);
	assert_int_equal(count.arrived, other.arrived);
	assert_int_not_equal(stormy_transcript(8, &other), count.transcript);
}

// ---- timers and wake-ups

struct alarm_clock {
	struct timer timer;
	struct diary *diary;
	unsigned again;
};

static void alarm_rings(struct timer *timer)
{
	struct alarm_clock *alarm = container_of(timer, struct alarm_clock, timer);
	note(alarm->diary, "%u ring\n", (unsigned)loop_now_ms(alarm->diary->loop));
	if (alarm->again && alarm->again--)
		timer_start(alarm->diary->loop, &alarm->timer, 3600000);
}

static void woken(void *context)
{
	note(context, "%u awake\n", (unsigned)loop_now_ms(((struct diary *)context)->loop));
}

static void time_jumps_to_what_is_due(void **state)
{
	struct diary diary = {.loop = sim_create(3)};
	struct alarm_clock alarm = {.diary = &diary, .again = 2};
	struct wakeup *wakeup;
	(void)state;
	timer_init(&alarm.timer, alarm_rings);
	timer_start(diary.loop, &alarm.timer, 500);
	assert_int_equal(sim_count(diary.loop).timers, 1);
	assert_int_equal(wakeup_create(diary.loop, woken, &diary, &wakeup), 0);
	wakeup_signal(wakeup);
	wakeup_signal(wakeup);
	assert_true(sim_run_idle(diary.loop, 100000000));
	assert_string_equal(diary.text, "1000 awake\n1500 ring\n3601500 ring\n7201500 ring\n");
	assert_int_equal(loop_time_ms(diary.loop), 1704067200000u + 7200500);
	assert_false(sim_step(diary.loop));
	wakeup_destroy(wakeup);
	loop_destroy(diary.loop);
}

struct errand {
	struct queue_item item;
	struct diary *diary;
	char letter;
};

static void errand_run(struct queue_item *item)
{
	struct errand *errand = container_of(item, struct errand, item);
	note(errand->diary, "%u %c\n", (unsigned)loop_now_ms(errand->diary->loop), errand->letter);
}

static void a_queue_runs_on_the_loop(void **state)
{
	struct diary diary = {.loop = sim_create(3)};
	struct errand a = {{NULL, errand_run}, &diary, 'a'}, b = {{NULL, errand_run}, &diary, 'b'};
	struct queue *queue;
	(void)state;
	assert_int_equal(queue_create_on_loop(diary.loop, &queue), 0);
	queue_post(queue, &a.item);
	queue_post(queue, &b.item);
	assert_string_equal(diary.text, "");
	assert_true(sim_run_idle(diary.loop, 1));
	assert_string_equal(diary.text, "1000 a\n1000 b\n");
	queue_destroy(queue);
	loop_destroy(diary.loop);
}

// ---- TCP

static void stream_received(void *context, char *bytes, size_t size)
{
	note(context, "%.*s", (int)size, bytes);
}

static void stream_ended(void *context, int error)
{
	struct diary *diary = context;
	note(diary, "|ended %d|", error);
	tcp_close(diary->connection);
	diary->connection = NULL;
}

static void stream_connected(void *context, int error)
{
	struct diary *diary = context;
	note(diary, "|connected %d|", error);
	if (error) {
		tcp_close(diary->connection);
		diary->connection = NULL;
	}
}

static const struct tcp_handlers stream_handlers = {stream_connected, stream_received, stream_ended};

static void stream_accepted(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	struct diary *diary = context;
	(void)from;
	diary->connection = connection;
	tcp_handle(connection, &stream_handlers, diary);
	note(diary, "|accepted|");
}

struct stream_pair {
	struct loop *loop;
	struct diary server, client;
	struct tcp_listener *listener;
};

static void stream_pair_open(struct stream_pair *pair, uint64_t seed)
{
	const struct net_address server = address("192.0.2.1", 5060), client = address("192.0.2.9", 0);
	*pair = (struct stream_pair){.loop = sim_create(seed)};
	pair->server.loop = pair->client.loop = pair->loop;
	sim_set_network(pair->loop, &(struct sim_network){.delay_min_ms = 1, .delay_max_ms = 50, .cut_streams = true});
	assert_int_equal(tcp_listen(pair->loop, &server, stream_accepted, &pair->server, &pair->listener), 0);
	assert_int_equal(
	    sim_tcp_connect(pair->loop, &client, &server, &stream_handlers, &pair->client, &pair->client.connection),
	    0);
}

static void stream_pair_close(struct stream_pair *pair)
{
	tcp_close(pair->server.connection);
	tcp_close(pair->client.connection);
	tcp_listener_close(pair->listener);
	assert_int_equal(sim_count(pair->loop).sockets, 0);
	loop_destroy(pair->loop);
}

static void a_stream_keeps_its_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 50; seed++) {
		struct stream_pair pair;
		stream_pair_open(&pair, seed);
		assert_int_equal(tcp_send(pair.client.connection, STR("early ")), 0);
		sim_run_for(pair.loop, 300);
		assert_int_equal(tcp_send(pair.client.connection, STR("one two three ")), 0);
		assert_int_equal(tcp_send(pair.client.connection, STR("four")), 0);
		sim_run_for(pair.loop, 300);
		assert_string_equal(pair.server.text, "|accepted|early one two three four");
		tcp_read_stop(pair.client.connection);
		assert_int_equal(tcp_send(pair.server.connection, STR("not read yet")), 0);
		tcp_close(pair.server.connection);
		pair.server.connection = NULL;
		sim_run_for(pair.loop, 300);
		assert_string_equal(pair.client.text, "|connected 0|");
		tcp_read_start(pair.client.connection);
		sim_run_for(pair.loop, 300);
		assert_string_equal(pair.client.text, "|connected 0|not read yet|ended 0|");
		stream_pair_close(&pair);
	}
}

static void a_connection_breaks(void **state)
{
	struct stream_pair pair;
	(void)state;
	stream_pair_open(&pair, 1);
	sim_run_for(pair.loop, 200);
	const struct net_address end = address("192.0.2.9", 0);
	assert_int_equal(sim_reset_connections(pair.loop, &end), 1);
	assert_true(sim_run_idle(pair.loop, 1000));
	assert_string_equal(pair.server.text, "|accepted||ended -104|");
	assert_string_equal(pair.client.text, "|connected 0||ended -104|");
	const struct net_address nobody = address("192.0.2.1", 99);
	assert_int_equal(
	    sim_tcp_connect(pair.loop, &end, &nobody, &stream_handlers, &pair.client, &pair.client.connection), 0);
	assert_true(sim_run_idle(pair.loop, 1000));
	assert_string_equal(pair.client.text, "|connected 0||ended -104||connected -111|");
	stream_pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_datagram_takes_its_time),
	    cmocka_unit_test(a_filter_decides),
	    cmocka_unit_test(a_seed_repeats),
	    cmocka_unit_test(time_jumps_to_what_is_due),
	    cmocka_unit_test(a_queue_runs_on_the_loop),
	    cmocka_unit_test(a_stream_keeps_its_order),
	    cmocka_unit_test(a_connection_breaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
