// Finding the next hop among simulated records: which targets, in which order, for how long, and who is left out.
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"
#include "sip/resolver.h"

#include <stdio.h>
#include <string.h>

struct world {
	struct loop *loop;
	struct sip_resolver *resolver;
	struct sip_lookup lookup;
	unsigned done;
	char text[1024];
};

static struct world world;

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	world.loop = sim_create(1);
	assert_int_equal(sip_resolver_create(world.loop, STR_NONE, &world.resolver), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sip_lookup_stop(&world.lookup);
	sip_resolver_destroy(world.resolver);
	loop_destroy(world.loop);
	return 0;
}

static void lookup_done(struct sip_lookup *lookup)
{
	(void)lookup;
	world.done++;
}

enum { UDP = 1 << TRANSPORT_UDP, TCP = 1 << TRANSPORT_TCP, TLS = 1 << TRANSPORT_TLS, ALL = UDP | TCP | TLS };

static bool start(struct sip_lookup *lookup, const char *host, uint16_t port, unsigned transports)
{
	const struct sip_destination destination = {
	    .host = str_of(host), .port = port, .transports = transports, .purpose = SIP_TO_SEND};
	return sip_lookup_start(world.resolver, lookup, &destination, lookup_done);
}

static const char *targets_of(const struct sip_lookup *lookup)
{
	struct writer w = writer_into(world.text, sizeof world.text - 1);
	for (unsigned i = 0; i < lookup->count; i++) {
		if (i > 0)
			writer_char(&w, ' ');
		writer_text(&w, transport_names[lookup->targets[i].transport]);
		writer_char(&w, ':');
		net_address_write(&w, &lookup->targets[i].address);
	}
	assert_false(w.overflow);
	world.text[w.used] = '\0';
	return world.text;
}

// Looks, waits for the result when it has to, and gives it.
static const char *find(const char *host, uint16_t port, unsigned transports)
{
	unsigned done = world.done;
	if (!start(&world.lookup, host, port, transports)) {
		assert_int_equal(world.done, done);
		sim_run_for(world.loop, SIP_LOOKUP_MS);
		assert_int_equal(world.done, done + 1);
	}
	return targets_of(&world.lookup);
}

static void add(const char *record)
{
	sim_dns_add(world.loop, record);
}

static void note(const char *address, enum target_health health)
{
	struct sip_target target = {.transport = TRANSPORT_UDP};
	assert_true(net_address_parse_with_port(str_of(address), 5060, &target.address));
	sip_resolver_note(world.resolver, &target, health, TARGET_DEAD_MS);
}

// ---- RFC 3263 section 4

static void numbers_ask_nobody(void **state)
{
	(void)state;
	assert_true(start(&world.lookup, "192.0.2.1", 0, UDP));
	assert_string_equal(targets_of(&world.lookup), "udp:192.0.2.1:5060");
	assert_true(start(&world.lookup, "2001:db8::1", 0, TLS));
	assert_string_equal(targets_of(&world.lookup), "tls:[2001:db8::1]:5061");
	assert_true(start(&world.lookup, "192.0.2.1", 5080, ALL));
	assert_string_equal(targets_of(&world.lookup), "udp:192.0.2.1:5080");
	assert_int_equal(sim_dns_asked(world.loop), 0);
}

static void a_port_means_addresses_alone(void **state)
{
	(void)state;
	add("carrier.example 60 A 10.0.1.1");
	add("carrier.example 60 A 10.0.1.2");
	add("carrier.example 60 AAAA 2001:db8::1");
	add("_sip._udp.carrier.example 60 SRV 1 1 5099 other.example");
	assert_string_equal(find("carrier.example", 5070, UDP),
			    "udp:10.0.1.1:5070 udp:10.0.1.2:5070 udp:[2001:db8::1]:5070");
	assert_int_equal(sim_dns_asked(world.loop), 2);
	assert_string_equal(find("Carrier.Example.", 5070, TCP),
			    "tcp:10.0.1.1:5070 tcp:10.0.1.2:5070 tcp:[2001:db8::1]:5070");
	assert_int_equal(sim_dns_asked(world.loop), 2);
}

static void without_a_port_services_are_asked_for(void **state)
{
	(void)state;
	add("_sip._tcp.carrier.example 60 SRV 20 0 5080 b.example");
	add("_sip._tcp.carrier.example 60 SRV 10 0 5070 a.example");
	add("a.example 60 A 10.0.1.1");
	add("b.example 60 A 10.0.1.2");
	add("carrier.example 60 A 10.0.9.9");
	assert_string_equal(find("carrier.example", 0, TCP), "tcp:10.0.1.1:5070 tcp:10.0.1.2:5080");
	assert_string_equal(find("carrier.example", 0, UDP), "udp:10.0.9.9:5060");
	add("_sips._tcp.carrier.example 60 SRV 20 0 5061 b.example");
	assert_string_equal(find("carrier.example", 0, TLS), "tls:10.0.1.2:5061");
}

static void a_service_that_is_not_there_is_not_replaced(void **state)
{
	(void)state;
	add("_sip._udp.carrier.example 60 SRV 0 0 0 .");
	add("carrier.example 60 A 10.0.9.9");
	assert_string_equal(find("carrier.example", 0, UDP), "");
}

static void naptr_chooses_the_transport(void **state)
{
	(void)state;
	add("carrier.example 60 NAPTR 50 50 s SIPS+D2T _sips._tcp.carrier.example");
	add("carrier.example 60 NAPTR 20 90 s SIP+D2U _sip._udp.carrier.example");
	add("carrier.example 60 NAPTR 20 10 S sip+d2t _sip._tcp.carrier.example");
	add("carrier.example 60 NAPTR 10 10 u E2U+sip _e2u.carrier.example");
	add("_sips._tcp.carrier.example 60 SRV 1 1 5061 a.example");
	add("_sip._udp.carrier.example 60 SRV 1 1 5060 a.example");
	add("_sip._tcp.carrier.example 60 SRV 1 1 5062 a.example");
	add("a.example 60 A 10.0.1.1");
	assert_string_equal(find("carrier.example", 0, ALL), "tcp:10.0.1.1:5062 udp:10.0.1.1:5060");
	assert_string_equal(find("carrier.example", 0, UDP | TLS), "udp:10.0.1.1:5060");
	assert_string_equal(find("carrier.example", 0, TLS), "tls:10.0.1.1:5061"); // said: NAPTR is not asked
}

static void without_naptr_all_services_are_tried(void **state)
{
	(void)state;
	add("_sips._tcp.carrier.example 60 SRV 1 1 5061 a.example");
	add("_sip._tcp.carrier.example 60 SRV 1 1 5062 a.example");
	add("a.example 60 A 10.0.1.1");
	assert_string_equal(find("carrier.example", 0, ALL), "tcp:10.0.1.1:5062 tls:10.0.1.1:5061");
	add("plain.example 60 A 10.0.1.5");
	assert_string_equal(find("plain.example", 0, ALL), "udp:10.0.1.5:5060");
	assert_string_equal(find("unknown.example", 0, ALL), "");
}

static void the_same_target_counts_once(void **state)
{
	(void)state;
	add("_sip._udp.carrier.example 60 SRV 1 1 5060 a.example");
	add("_sip._udp.carrier.example 60 SRV 2 1 5060 b.example");
	add("a.example 60 A 10.0.1.1");
	add("b.example 60 A 10.0.1.1");
	for (unsigned i = 0; i < 40; i++) {
		char record[64];
		snprintf(record, sizeof record, "big.example 60 A 10.1.0.%u", i + 1);
		add(record);
	}
	assert_string_equal(find("carrier.example", 0, UDP), "udp:10.0.1.1:5060");
	find("big.example", 5060, UDP);
	assert_int_equal(world.lookup.count, SIP_TARGETS_MAX);
}

// ---- RFC 2782

static void weights_are_kept_within_a_priority(void **state)
{
	enum { ROUNDS = 4000 };
	unsigned first[3] = {0};

	(void)state;
	add("_sip._udp.carrier.example 86400 SRV 10 60 5060 a.example");
	add("_sip._udp.carrier.example 86400 SRV 10 30 5060 b.example");
	add("_sip._udp.carrier.example 86400 SRV 10 10 5060 c.example");
	add("_sip._udp.carrier.example 86400 SRV 20 1000 5060 d.example");
	add("a.example 86400 A 10.0.0.10");
	add("b.example 86400 A 10.0.0.11");
	add("c.example 86400 A 10.0.0.12");
	add("d.example 86400 A 10.0.0.13");
	find("carrier.example", 0, UDP);
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_true(start(&world.lookup, "carrier.example", 0, UDP));
		assert_int_equal(world.lookup.count, 4);
		assert_int_equal(world.lookup.targets[3].address.bytes[3], 13); // the other priority is last
		first[world.lookup.targets[0].address.bytes[3] - 10]++;
	}
	// Of 0 to 100, 61 numbers give the first in record order, 30 the second, 10 the third; 5 % of the rounds of slack.
	assert_in_range(first[0], ROUNDS * 55 / 100, ROUNDS * 65 / 100);
	assert_in_range(first[1], ROUNDS * 25 / 100, ROUNDS * 35 / 100);
	assert_in_range(first[2], ROUNDS * 5 / 100, ROUNDS * 15 / 100);
}

static void no_weight_is_chosen_rarely(void **state)
{
	unsigned first = 0;

	(void)state;
	add("_sip._udp.carrier.example 86400 SRV 10 99 5060 a.example");
	add("_sip._udp.carrier.example 86400 SRV 10 0 5060 b.example");
	add("a.example 86400 A 10.0.0.10");
	add("b.example 86400 A 10.0.0.11");
	find("carrier.example", 0, UDP);
	for (unsigned i = 0; i < 2000; i++) {
		assert_true(start(&world.lookup, "carrier.example", 0, UDP));
		first += world.lookup.targets[0].address.bytes[3] == 11;
	}
	assert_in_range(first, 1, 80); // one in a hundred
}

// ---- the cache

static void answers_live_as_long_as_they_say(void **state)
{
	(void)state;
	add("carrier.example 100 A 10.0.1.1");
	add("carrier.example 200 AAAA 2001:db8::1");
	find("carrier.example", 5060, UDP);
	sim_dns_remove(world.loop, "carrier.example");
	add("carrier.example 0 A 10.0.1.2");
	sim_run_for(world.loop, 70 * 1000);
	assert_true(start(&world.lookup, "carrier.example", 5060, UDP));
	assert_string_equal(targets_of(&world.lookup), "udp:10.0.1.1:5060 udp:[2001:db8::1]:5060");
	assert_int_equal(sim_dns_asked(world.loop), 2);
	sim_run_for(world.loop, 27 * 1000);
	assert_false(start(&world.lookup, "carrier.example", 5060, UDP)); // find() took 4 s
	sim_run_for(world.loop, 10);
	assert_string_equal(targets_of(&world.lookup), "udp:10.0.1.2:5060 udp:[2001:db8::1]:5060");
	assert_true(start(&world.lookup, "carrier.example", 5060, UDP)); // even a TTL of 0 lasts for the lookup's steps
}

static void nothing_is_remembered_too(void **state)
{
	(void)state;
	assert_string_equal(find("unknown.example", 5060, UDP), "");
	assert_true(start(&world.lookup, "unknown.example", 5060, UDP));
	assert_int_equal(sim_dns_asked(world.loop), 2);
	add("unknown.example 100 A 10.0.1.1");
	sim_run_for(world.loop, 31 * 1000);
	assert_string_equal(find("unknown.example", 5060, UDP), "udp:10.0.1.1:5060");
}

static void a_name_in_use_is_asked_anew_in_time(void **state)
{
	(void)state;
	add("carrier.example 100 A 10.0.1.1");
	add("carrier.example 100 AAAA 2001:db8::1");
	find("carrier.example", 5060, UDP);
	sim_dns_remove(world.loop, "carrier.example");
	add("carrier.example 100 A 10.0.1.2");
	add("carrier.example 100 AAAA 2001:db8::1");
	sim_run_for(world.loop, 85 * 1000);
	assert_true(start(&world.lookup, "carrier.example", 5060, UDP)); // the old answer still, and a question
	assert_string_equal(targets_of(&world.lookup), "udp:10.0.1.1:5060 udp:[2001:db8::1]:5060");
	sim_run_for(world.loop, 10);
	assert_true(start(&world.lookup, "carrier.example", 5060, UDP));
	assert_string_equal(targets_of(&world.lookup), "udp:10.0.1.2:5060 udp:[2001:db8::1]:5060");
	assert_int_equal(sim_dns_asked(world.loop), 4);
}

static void equal_questions_are_asked_once(void **state)
{
	struct sip_lookup lookups[10];

	(void)state;
	add("carrier.example 100 A 10.0.1.1");
	for (unsigned i = 0; i < 10; i++)
		assert_false(start(&lookups[i], "carrier.example", 5060, i % 2 ? UDP : TCP));
	sip_lookup_stop(&lookups[3]);
	sim_run_for(world.loop, 10);
	assert_int_equal(world.done, 9);
	assert_int_equal(lookups[9].count, 1);
	assert_int_equal(sim_dns_asked(world.loop), 2);
}

static struct sip_lookup others[2];

static void stops_the_others(struct sip_lookup *lookup)
{
	world.done++;
	for (unsigned i = 0; i < 2; i++)
		if (lookup != &others[i])
			sip_lookup_stop(&others[i]);
}

static void a_lookup_may_stop_another(void **state)
{
	const struct sip_destination destination = {
	    .host = STR("carrier.example"), .port = 5060, .transports = UDP, .purpose = SIP_TO_SEND};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_false(sip_lookup_start(world.resolver, &others[i], &destination, stops_the_others));
	sim_run_for(world.loop, 100);
	assert_int_equal(world.done, 1);
}

static void the_cache_is_bounded(void **state)
{
	struct dns_cache_counters counters;
	char host[64];

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(host, sizeof host, "host%u.example", i);
		find(host, 5060, UDP);
	}
	counters = sip_resolver_count(world.resolver).cache;
	assert_int_equal(counters.entries, DNS_CACHE_MAX);
	assert_int_equal(counters.asking, 0);
	uint64_t asked = sim_dns_asked(world.loop);
	assert_true(start(&world.lookup, "host1999.example", 5060, UDP));
	assert_int_equal(sim_dns_asked(world.loop), asked);
	assert_false(start(&world.lookup, "host0.example", 5060, UDP)); // forgotten
}

// ---- nobody answers

static void old_answers_serve_while_nobody_answers(void **state)
{
	(void)state;
	add("carrier.example 100 A 10.0.1.1");
	add("carrier.example 100 AAAA 2001:db8::1");
	find("carrier.example", 5060, UDP);
	sim_dns_servers(world.loop, SIM_DNS_SILENT);
	sim_run_for(world.loop, 200 * 1000);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.1:5060 udp:[2001:db8::1]:5060");
	for (unsigned i = 0; i < 100; i++) {
		assert_true(start(&world.lookup, "carrier.example", 5060, UDP)); // nobody waits any more
		assert_int_equal(world.lookup.count, 2);
		sim_run_for(world.loop, 1000);
	}
	sim_run_for(world.loop, 25 * 3600 * UINT64_C(1000));
	assert_true(start(&world.lookup, "carrier.example", 5060, UDP)); // a day is enough
	assert_int_equal(world.lookup.count, 0);
	sim_dns_servers(world.loop, SIM_DNS_ANSWER);
	sim_run_for(world.loop, 20 * 1000);
	start(&world.lookup, "carrier.example", 5060, UDP);
	sim_run_for(world.loop, 10);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.1:5060 udp:[2001:db8::1]:5060");
}

static void an_unknown_name_fails_in_time(void **state)
{
	uint64_t began = loop_now_ms(world.loop);

	(void)state;
	sim_dns_servers(world.loop, SIM_DNS_SILENT);
	assert_false(start(&world.lookup, "carrier.example", 0, ALL));
	while (world.done == 0)
		assert_true(sim_step(world.loop));
	assert_int_equal(world.lookup.count, 0);
	assert_true(loop_now_ms(world.loop) - began <= SIP_LOOKUP_MS);
	assert_true(start(&world.lookup, "carrier.example", 5060, UDP) || world.lookup.count == 0);
}

static void what_is_there_is_taken_at_the_end(void **state)
{
	(void)state;
	add("_sip._udp.carrier.example 600 SRV 10 0 5060 a.example");
	add("_sip._udp.carrier.example 600 SRV 20 0 5060 b.example");
	add("a.example 600 A 10.0.1.1");
	add("a.example 600 AAAA 2001:db8::1");
	find("a.example", 5060, UDP);
	assert_false(start(&world.lookup, "carrier.example", 0, UDP));
	sim_run_for(world.loop, 1);
	sim_dns_servers(world.loop, SIM_DNS_SILENT); // the SRV question is under way and fails
	sim_run_for(world.loop, SIP_LOOKUP_MS);
	assert_int_equal(world.lookup.count, 0); // SRV records there may be: no guess is made
	sim_dns_servers(world.loop, SIM_DNS_ANSWER);
	sim_run_for(world.loop, 11 * 1000);
	start(&world.lookup, "carrier.example", 0, UDP);
	sim_run_for(world.loop, 10);
	sip_lookup_stop(&world.lookup);
	assert_string_equal(find("carrier.example", 0, UDP), "udp:10.0.1.1:5060 udp:[2001:db8::1]:5060");
}

// ---- dead targets

static void the_dead_are_left_out_for_a_while(void **state)
{
	(void)state;
	add("carrier.example 600 A 10.0.1.1");
	add("carrier.example 600 A 10.0.1.2");
	note("10.0.1.1", TARGET_DEAD);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.2:5060");
	assert_string_equal(find("carrier.example", 5060, TCP), "tcp:10.0.1.1:5060 tcp:10.0.1.2:5060");
	note("10.0.1.2", TARGET_DEAD);
	assert_string_equal(find("carrier.example", 5060, UDP), "");
	assert_string_equal(find("10.0.1.2", 5060, UDP), ""); // by number, too
	const struct sip_destination recognise = {
	    .host = STR("carrier.example"), .port = 5060, .transports = UDP, .purpose = SIP_TO_RECOGNISE};
	assert_true(sip_lookup_start(world.resolver, &world.lookup, &recognise, lookup_done));
	assert_int_equal(world.lookup.count, 2);
	note("10.0.1.2", TARGET_ALIVE);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.2:5060");
	assert_int_equal(sip_resolver_count(world.resolver).dead, 1);
	sim_run_for(world.loop, TARGET_DEAD_MS);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.1:5060 udp:10.0.1.2:5060");
	assert_int_equal(sip_resolver_count(world.resolver).dead, 0);
}

static void the_busy_are_better_than_nobody(void **state)
{
	(void)state;
	add("carrier.example 600 A 10.0.1.1");
	add("carrier.example 600 A 10.0.1.2");
	add("carrier.example 600 A 10.0.1.3");
	note("10.0.1.2", TARGET_BUSY);
	note("10.0.1.1", TARGET_BUSY);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.3:5060");
	note("10.0.1.3", TARGET_DEAD);
	assert_string_equal(find("carrier.example", 5060, UDP), "udp:10.0.1.1:5060 udp:10.0.1.2:5060");
}

static void the_memory_of_the_dead_is_bounded(void **state)
{
	char address[32];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(address, sizeof address, "10.2.0.%u", i);
		note(address, TARGET_DEAD);
		sim_run_for(world.loop, 1);
	}
	assert_int_equal(sip_resolver_count(world.resolver).dead, DEAD_TARGETS_MAX);
	assert_string_equal(find("10.2.0.199", 5060, UDP), "");
	assert_string_equal(find("10.2.0.0", 5060, UDP), "udp:10.2.0.0:5060"); // its time would have been over first
}

// ---- without memory

static void a_lookup_there_is_no_memory_for_ends_all_the_same(void **state)
{
	unsigned failures = 0;

	(void)state;
	add("carrier.example 600 NAPTR 10 10 s SIP+D2U _sip._udp.carrier.example");
	add("_sip._udp.carrier.example 600 SRV 10 0 5060 a.example");
	add("a.example 600 A 10.0.1.1");
	for (unsigned n = 1;; n++) {
		struct sip_resolver *resolver = world.resolver;
		unsigned done = world.done;
		failing_allocator_arm(n);
		bool now = start(&world.lookup, "carrier.example", 0, ALL);
		sim_run_for(world.loop, SIP_LOOKUP_MS);
		bool failed = failing_allocator_disarm();
		assert_int_equal(world.done - done, now ? 0 : 1);
		if (!failed)
			break;
		failures++;
		sip_resolver_destroy(resolver);
		assert_int_equal(sip_resolver_create(world.loop, STR_NONE, &world.resolver), 0);
	}
	assert_string_equal(targets_of(&world.lookup), "udp:10.0.1.1:5060");
	assert_true(failures > 10);
	for (unsigned n = 1;; n++) {
		struct sip_resolver *resolver = NULL;
		failing_allocator_arm(n);
		int error = sip_resolver_create(world.loop, STR_NONE, &resolver);
		if (!failing_allocator_disarm()) {
			sip_resolver_destroy(resolver);
			break;
		}
		assert_true(error < 0);
	}
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(numbers_ask_nobody),
	    WORLD_TEST(a_port_means_addresses_alone),
	    WORLD_TEST(without_a_port_services_are_asked_for),
	    WORLD_TEST(a_service_that_is_not_there_is_not_replaced),
	    WORLD_TEST(naptr_chooses_the_transport),
	    WORLD_TEST(without_naptr_all_services_are_tried),
	    WORLD_TEST(the_same_target_counts_once),
	    WORLD_TEST(weights_are_kept_within_a_priority),
	    WORLD_TEST(no_weight_is_chosen_rarely),
	    WORLD_TEST(answers_live_as_long_as_they_say),
	    WORLD_TEST(nothing_is_remembered_too),
	    WORLD_TEST(a_name_in_use_is_asked_anew_in_time),
	    WORLD_TEST(equal_questions_are_asked_once),
	    WORLD_TEST(a_lookup_may_stop_another),
	    WORLD_TEST(the_cache_is_bounded),
	    WORLD_TEST(old_answers_serve_while_nobody_answers),
	    WORLD_TEST(an_unknown_name_fails_in_time),
	    WORLD_TEST(what_is_there_is_taken_at_the_end),
	    WORLD_TEST(the_dead_are_left_out_for_a_while),
	    WORLD_TEST(the_busy_are_better_than_nobody),
	    WORLD_TEST(the_memory_of_the_dead_is_bounded),
	    WORLD_TEST(a_lookup_there_is_no_memory_for_ends_all_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
