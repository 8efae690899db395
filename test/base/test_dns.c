// Questions through c-ares to a name server of the test's own on the loopback, over UDP and TCP. What it says depends on the
// name.
#include "base/dns.h"
#include "lib/cmocka.h"

#include <errno.h>
#include <string.h>

enum { HEADER_SIZE = 12, NX_DOMAIN = 3, REFUSED = 5, PORTS_TRIED = 50 };

struct world {
	struct loop *loop;
	struct timer guard;
	struct udp_socket *udp;
	struct tcp_listener *listener;
	struct tcp_connection *connection;
	char request[512]; // over TCP
	size_t requested;
	struct net_address server;
	struct dns *dns;
	unsigned asked_udp, asked_tcp;
	// The answer.
	unsigned answers;
	enum dns_status status;
	uint32_t ttl_s;
	size_t count;
	char text[512];
};

static struct world world;

// ---- the server

static void put_u16(struct writer *w, unsigned value)
{
	writer_char(w, (char)(value >> 8));
	writer_char(w, (char)value);
}

// "a.b" as labels.
static void put_name(struct writer *w, const char *name)
{
	struct str rest = str_of(name), label;
	while (str_take(&rest, '.', &label)) {
		writer_char(w, (char)label.length);
		writer_str(w, label);
	}
	writer_char(w, '\0');
}

// The start of a record whose owner is the question's name.
static void put_head(struct writer *w, unsigned type, unsigned ttl_s, unsigned size)
{
	put_u16(w, 0xc000 | HEADER_SIZE);
	put_u16(w, type);
	put_u16(w, 1);
	put_u16(w, 0);
	put_u16(w, ttl_s);
	put_u16(w, size);
}

static void put_a(struct writer *w, unsigned ttl_s, const char address[4])
{
	put_head(w, DNS_A, ttl_s, 4);
	writer_str(w, (struct str){address, 4});
}

struct reply {
	struct writer w;
	unsigned rcode, flags, answers, authorities;
};

static void say_addresses(struct reply *reply)
{
	put_a(&reply->w, 300, "\x0a\x00\x01\x01");
	put_a(&reply->w, 200, "\x0a\x00\x01\x02");
	reply->answers = 2;
}

static void say_services(struct reply *reply)
{
	put_head(&reply->w, DNS_SRV, 100, 6 + 11);
	put_u16(&reply->w, 10);
	put_u16(&reply->w, 60);
	put_u16(&reply->w, 5070);
	put_name(&reply->w, "a.example"); // 11 bytes
	reply->answers = 1;
}

static void say_naptr(struct reply *reply)
{
	put_head(&reply->w, DNS_NAPTR, 100, 4 + 2 + 8 + 1 + 15);
	put_u16(&reply->w, 10);
	put_u16(&reply->w, 20);
	writer_text(&reply->w, "\001s\007SIP+D2U");
	writer_char(&reply->w, '\0');
	put_name(&reply->w, "_sip._udp.test"); // 16 bytes, one more than was said
	reply->answers = 1;
}

static void say_nothing(struct reply *reply)
{
	reply->rcode = NX_DOMAIN;
	put_head(&reply->w, 6, 900, 3 + 3 + 20);
	put_name(&reply->w, "a");
	put_name(&reply->w, "b");
	for (unsigned i = 0; i < 8; i++)
		put_u16(&reply->w, 0);
	put_u16(&reply->w, 0);
	put_u16(&reply->w, 77);
	reply->authorities = 1;
}

static void say_refused(struct reply *reply)
{
	reply->rcode = REFUSED;
}

// Says four records, has half of one.
static void say_half(struct reply *reply)
{
	put_u16(&reply->w, 0xc000 | HEADER_SIZE);
	put_u16(&reply->w, DNS_A);
	reply->answers = 4;
}

// Over UDP: only that there is more.
static void say_much(struct reply *reply)
{
	if (world.asked_tcp == 0) {
		reply->flags = 0x0200;
		return;
	}
	for (unsigned i = 0; i < 60; i++)
		put_a(&reply->w, 300, (char[4]){10, 0, 2, (char)i});
	reply->answers = 60;
}

static const struct {
	const char *name;
	void (*say)(struct reply *reply); // NULL: silence
} zone[] = {
    {"many.example", say_addresses},  {"_sip._udp.many.example", say_services},
    {"naptr.example", say_naptr},     {"gone.example", say_nothing},
    {"refused.example", say_refused}, {"half.example", say_half},
    {"big.example", say_much},        {"silent.example", NULL},
};

static size_t question_end(struct str query)
{
	size_t at = HEADER_SIZE;
	while (at < query.length && query.at[at] != 0)
		at += 1 + (size_t)query.at[at];
	return at + 5;
}

// Gives the reply's size; 0: silence.
static size_t answer_to(struct str query, char *into, size_t size)
{
	struct reply reply = {.w = writer_into(into, size)};
	char asked[256];
	struct writer name = writer_into(asked, sizeof asked - 1);
	size_t end = question_end(query);

	assert_true(end <= query.length);
	for (size_t at = HEADER_SIZE; query.at[at] != 0; at += 1 + (size_t)query.at[at]) {
		if (name.used > 0)
			writer_char(&name, '.');
		writer_str(&name, str_first(str_from(query, at + 1), (size_t)query.at[at]));
	}
	asked[name.used] = '\0';
	writer_str(&reply.w, str_first(query, end));
	for (size_t i = 0; i < sizeof zone / sizeof *zone; i++) {
		if (strcmp(zone[i].name, asked) != 0)
			continue;
		if (!zone[i].say)
			return 0;
		zone[i].say(&reply);
	}
	assert_false(reply.w.overflow);
	struct writer head = writer_into(into + 2, HEADER_SIZE - 2);
	put_u16(&head, 0x8180 | reply.flags | reply.rcode);
	put_u16(&head, 1);
	put_u16(&head, reply.answers);
	put_u16(&head, reply.authorities);
	put_u16(&head, 0);
	return reply.w.used;
}

static void datagram_came(void *context, const struct net_address *from, char *bytes, size_t size)
{
	char reply[512];
	(void)context;
	world.asked_udp++;
	size_t length = answer_to((struct str){bytes, size}, reply, sizeof reply);
	if (length > 0)
		assert_int_equal(udp_send(world.udp, from, (struct str){reply, length}, NULL), 0);
}

static void piece_came(void *context, char *bytes, size_t size)
{
	char reply[4096];
	(void)context;
	assert_true(world.requested + size <= sizeof world.request);
	memcpy(world.request + world.requested, bytes, size);
	world.requested += size;
	size_t wanted = (size_t)(unsigned char)world.request[0] << 8 | (unsigned char)world.request[1];
	if (world.requested < 2 + wanted)
		return;
	world.asked_tcp++;
	size_t length = answer_to((struct str){world.request + 2, wanted}, reply + 2, sizeof reply - 2);
	reply[0] = (char)(length >> 8);
	reply[1] = (char)length;
	tcp_send(world.connection, (struct str){reply, 2 + length});
	world.requested = 0;
}

static void connection_ended(void *context, int error)
{
	(void)context;
	(void)error;
	tcp_close(world.connection);
	world.connection = NULL;
}

static void accepted(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	static const struct tcp_handlers handlers = {.received = piece_came, .ended = connection_ended};
	(void)context;
	(void)from;
	assert_null(world.connection);
	world.connection = connection;
	tcp_handle(connection, &handlers, NULL);
}

// ---- the one who asks

static void answer_came(void *context, const struct dns_answer *answer)
{
	struct writer w = writer_into(world.text, sizeof world.text - 1);

	assert_ptr_equal(context, &world);
	world.answers++;
	world.status = answer->status;
	world.ttl_s = answer->ttl_s;
	world.count = answer->count;
	for (size_t i = 0; i < answer->count && i < 4; i++) {
		const struct dns_record *record = &answer->records[i];
		if (answer->type == DNS_A) {
			net_address_write_host(&w, &record->address);
			writer_char(&w, ' ');
		} else if (answer->type == DNS_SRV) {
			writer_format(&w, "%u %u %u %.*s", record->srv.priority, record->srv.weight, record->srv.port,
				      STR_ARG(record->srv.target));
		}
	}
	world.text[w.used] = '\0';
	loop_stop(world.loop);
}

static void ask(enum dns_type type, const char *name)
{
	unsigned answers = world.answers;
	assert_non_null(dns_ask(world.dns, type, str_of(name), answer_came, &world));
	assert_int_equal(world.answers, answers); // never from within
	loop_run(world.loop);
	assert_int_equal(world.answers, answers + 1);
}

static void guard_fired(struct timer *timer)
{
	(void)timer;
	fail_msg("nothing happened for ten seconds");
}

static void open_server(void)
{
	for (unsigned i = 0; i < PORTS_TRIED; i++) { // one port that is free for both
		assert_true(net_address_parse(STR("127.0.0.1"), 0, &world.server));
		assert_int_equal(udp_open(world.loop, &world.server, datagram_came, NULL, &world.udp), 0);
		world.server = udp_local(world.udp);
		if (tcp_listen(world.loop, &world.server, accepted, NULL, &world.listener) == 0)
			return;
		udp_close(world.udp);
	}
	fail_msg("no port is free");
}

static void open_dns(const char *others)
{
	char servers[128];
	struct writer w = writer_into(servers, sizeof servers);
	writer_text(&w, others);
	net_address_write(&w, &world.server);
	assert_true(dns_servers_valid(writer_result(&w)));
	assert_int_equal(dns_create(world.loop, writer_result(&w), &world.dns), 0);
}

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	assert_int_equal(loop_create(&world.loop), 0);
	timer_init(&world.guard, guard_fired);
	timer_start(world.loop, &world.guard, 10000);
	open_server();
	open_dns("");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	timer_stop(&world.guard);
	dns_destroy(world.dns);
	udp_close(world.udp);
	tcp_listener_close(world.listener);
	if (world.connection)
		tcp_close(world.connection);
	loop_destroy(world.loop);
	return 0;
}

// ---- answers

static void addresses_come_with_the_shortest_life(void **state)
{
	(void)state;
	ask(DNS_A, "many.example");
	assert_int_equal(world.status, DNS_FOUND);
	assert_string_equal(world.text, "10.0.1.1 10.0.1.2 ");
	assert_int_equal(world.ttl_s, 200);
	ask(DNS_A, "many.example"); // nothing is kept here
	assert_int_equal(world.asked_udp, 2);
}

static void services_are_read(void **state)
{
	(void)state;
	ask(DNS_SRV, "_sip._udp.many.example");
	assert_string_equal(world.text, "10 60 5070 a.example");
}

static void what_is_not_there_is_so_for_a_time(void **state)
{
	(void)state;
	ask(DNS_A, "gone.example");
	assert_int_equal(world.status, DNS_NOTHING);
	assert_int_equal(world.ttl_s, 77);
	ask(DNS_AAAA, "unknown.example"); // no error, and no record
	assert_int_equal(world.status, DNS_NOTHING);
}

static void answers_without_sense_are_failures(void **state)
{
	(void)state;
	ask(DNS_A, "half.example");
	assert_int_equal(world.status, DNS_FAILED);
	ask(DNS_A, "refused.example");
	assert_int_equal(world.status, DNS_FAILED);
	ask(DNS_NAPTR, "naptr.example"); // one record, whose parts are longer than it is: left out
	assert_int_equal(world.status, DNS_NOTHING);
}

static void silence_is_a_failure_in_time(void **state)
{
	uint64_t began_us = loop_now_us(world.loop);
	(void)state;
	ask(DNS_A, "silent.example");
	assert_int_equal(world.status, DNS_FAILED);
	assert_int_equal(world.asked_udp, 2);
	assert_in_range((loop_now_us(world.loop) - began_us) / 1000, 1000, DNS_PATIENCE_MS + 500);
}

static void what_is_cut_off_is_asked_for_by_tcp(void **state)
{
	(void)state;
	ask(DNS_A, "big.example");
	assert_int_equal(world.status, DNS_FOUND);
	assert_int_equal(world.count, 60);
	assert_int_equal(world.asked_udp, 1);
	assert_int_equal(world.asked_tcp, 1);
}

static void another_server_answers_for_one_that_is_gone(void **state)
{
	(void)state;
	dns_destroy(world.dns);
	open_dns("127.0.0.1:1 ");
	ask(DNS_A, "many.example");
	assert_int_equal(world.status, DNS_FOUND);
}

// ---- going away

static void nobody_hears_a_cancelled_answer(void **state)
{
	(void)state;
	struct dns_query *query = dns_ask(world.dns, DNS_A, STR("many.example"), answer_came, &world);
	dns_cancel(query);
	ask(DNS_SRV, "_sip._udp.many.example"); // comes after it
	assert_int_equal(world.answers, 1);
}

static void destroyed(void *context, const struct dns_answer *answer)
{
	(void)context;
	(void)answer;
	dns_destroy(world.dns);
	world.dns = NULL;
	loop_stop(world.loop);
}

static void a_handler_may_destroy_all(void **state)
{
	(void)state;
	dns_ask(world.dns, DNS_A, STR("silent.example"), answer_came, &world);
	dns_ask(world.dns, DNS_A, STR("many.example"), destroyed, NULL);
	dns_ask(world.dns, DNS_A, STR("many.example"), answer_came, &world);
	loop_run(world.loop);
	assert_null(world.dns);
	assert_true(world.answers <= 1);
}

static void names_and_servers_are_checked(void **state)
{
	(void)state;
	assert_null(dns_ask(world.dns, DNS_A, STR("not a name"), answer_came, &world));
	assert_null(dns_ask(world.dns, DNS_A, STR(""), answer_came, &world));
	assert_null(dns_ask(world.dns, DNS_A, STR("192.0.2.1"), answer_came, &world));
	assert_true(dns_servers_valid(STR("")));
	assert_true(dns_servers_valid(STR("192.0.2.53 [2001:db8::53]:5353 2001:db8::1")));
	assert_false(dns_servers_valid(STR("ns.example")));
	assert_false(dns_servers_valid(STR("192.0.2.53:0")));
	assert_false(dns_servers_valid(STR("192.0.2.53,192.0.2.54")));
	assert_false(dns_servers_valid(STR("10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 "
					   "10.0.0.9")));
	struct dns *dns = NULL;
	assert_int_equal(dns_create(world.loop, STR("ns.example"), &dns), -EINVAL);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(addresses_come_with_the_shortest_life),
	    WORLD_TEST(services_are_read),
	    WORLD_TEST(what_is_not_there_is_so_for_a_time),
	    WORLD_TEST(answers_without_sense_are_failures),
	    WORLD_TEST(silence_is_a_failure_in_time),
	    WORLD_TEST(what_is_cut_off_is_asked_for_by_tcp),
	    WORLD_TEST(another_server_answers_for_one_that_is_gone),
	    WORLD_TEST(nobody_hears_a_cancelled_answer),
	    WORLD_TEST(a_handler_may_destroy_all),
	    WORLD_TEST(names_and_servers_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
