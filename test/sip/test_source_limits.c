// The limits: what a bucket gives, who is banned and who is not, and that whatever comes the memory stays the same.
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"
#include "sip/source_limits.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PER_S = 10,
	BURST = 20,
	KNOWN_PER_S = 100,
	DEVICE_PER_S = 5,
	DEVICE_BURST = 15,
	WAIT_AFTER = 3,
	WAIT_S = 30,
	BAN_AFTER = 10,
	WINDOW_S = 60,
	BAN_S = 120
};

struct world {
	struct loop *loop;
	struct sip_limits *limits;
	const char *trusted;
	unsigned asked; // whether somebody is trusted
	char log[4096];
};

static bool trusts(void *context, const struct net_address *address)
{
	struct world *world = context;
	struct net_address trusted;
	world->asked++;
	return world->trusted && net_address_parse(str_of(world->trusted), 0, &trusted) &&
	       net_address_same_host(&trusted, address);
}

static void note_line(struct str line, void *context)
{
	struct world *world = context;
	size_t used = strlen(world->log);
	snprintf(world->log + used, sizeof world->log - used, "%.*s\n", STR_ARG(line));
}

static int setup(void **state)
{
	static struct world world;
	world = (struct world){.loop = sim_create(7)};
	const struct sip_limits_settings settings = {
	    .requests_per_s = PER_S,
	    .requests_burst = BURST,
	    .known_requests_per_s = KNOWN_PER_S,
	    .device_requests_per_s = DEVICE_PER_S,
	    .device_requests_burst = DEVICE_BURST,
	    .failures_wait = WAIT_AFTER,
	    .wait_s = WAIT_S,
	    .failures_ban = BAN_AFTER,
	    .window_s = WINDOW_S,
	    .ban_s = BAN_S,
	    .connections_per_source = 3,
	    .remembered = 64,
	    .trusts = trusts,
	    .context = &world,
	};
	world.limits = sip_limits_create(world.loop, &settings);
	log_capture(note_line, &world);
	*state = &world;
	return world.loop && world.limits ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;
	log_capture(NULL, NULL);
	sip_limits_destroy(world->limits);
	loop_destroy(world->loop);
	return 0;
}

static struct flow flow_of(const char *host, uint16_t port)
{
	struct flow flow = {.transport = TRANSPORT_UDP};
	assert_true(net_address_parse(str_of(host), port, &flow.remote));
	return flow;
}

// How many of so many requests at once are taken.
static unsigned taken(struct world *world, const struct flow *from, unsigned requests)
{
	unsigned count = 0;
	while (requests-- > 0)
		count += sip_limits_admits(world->limits, from, LIMITS_REQUEST);
	return count;
}

static void fail_times(struct world *world, const struct flow *from, unsigned times)
{
	char account[16];
	for (unsigned i = 0; i < times; i++) {
		snprintf(account, sizeof account, "guess%u", i);
		sip_limits_failed(world->limits, from, str_of(account));
	}
}

static void a_bucket_is_full_at_first_and_fills_with_time(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_of("192.0.2.1", 5060);
	assert_int_equal(taken(world, &flow, 100), BURST);
	sim_run_for(world->loop, 99);
	assert_int_equal(taken(world, &flow, 100), 0);
	sim_run_for(world->loop, 1);
	assert_int_equal(taken(world, &flow, 100), 1);
	sim_run_for(world->loop, 1000);
	assert_int_equal(taken(world, &flow, 100), PER_S);
	sim_run_for(world->loop, 3600 * 1000);
	assert_int_equal(taken(world, &flow, 100), BURST);
	assert_int_equal(sip_limits_count(world->limits).dropped_over_limit, 500 - 2 * BURST - PER_S - 1);
	// In the log once a minute.
	assert_string_equal(world->log, "warning sip_source_over_limit source=192.0.2.1\n"
					"warning sip_source_over_limit source=192.0.2.1\n");
}

static void ports_share_what_hosts_do_not(void **state)
{
	struct world *world = *state;
	struct flow one = flow_of("192.0.2.1", 5060), port = flow_of("192.0.2.1", 5062),
		    other = flow_of("192.0.2.2", 5060);
	struct flow six = flow_of("2001:db8::1", 5060), same = flow_of("2001:db8::ffff:1", 5060),
		    network = flow_of("2001:db8:0:1::1", 5060);
	assert_int_equal(taken(world, &one, BURST), BURST);
	assert_int_equal(taken(world, &port, BURST), 0);
	assert_int_equal(taken(world, &other, BURST), BURST);
	assert_int_equal(taken(world, &six, BURST), BURST);
	assert_int_equal(taken(world, &same, BURST), 0);
	assert_int_equal(taken(world, &network, BURST), BURST);
}

static void responses_are_no_requests(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_of("192.0.2.1", 5060);
	taken(world, &flow, 2 * BURST);
	assert_true(sip_limits_admits(world->limits, &flow, LIMITS_RESPONSE));
	fail_times(world, &flow, BAN_AFTER);
	assert_false(sip_limits_admits(world->limits, &flow, LIMITS_RESPONSE));
}

static void who_has_authenticated_has_an_allowance_of_their_own(void **state)
{
	struct world *world = *state;
	struct flow phone = flow_of("192.0.2.1", 5060), neighbour = flow_of("192.0.2.1", 5062);
	taken(world, &neighbour, 1000);
	sip_limits_authenticated(world->limits, &phone, STR("330"), 60);
	assert_int_equal(taken(world, &phone, 1000), 2 * KNOWN_PER_S);
	assert_int_equal(taken(world, &neighbour, 1000), 0);
	struct flow tcp = phone;
	tcp.transport = TRANSPORT_TCP; // another flow, though the port is the same
	assert_int_equal(taken(world, &tcp, 1000), 0);
	sim_run_for(world->loop, 60 * 1000);
	assert_int_equal(taken(world, &phone, 1000), BURST);
}

static void a_trunk_is_trusted_when_it_needs_to_be(void **state)
{
	struct world *world = *state;
	struct flow trunk = flow_of("198.51.100.1", 5060), other = flow_of("198.51.100.2", 5060);
	world->trusted = "198.51.100.1";
	assert_int_equal(taken(world, &trunk, BURST), BURST);
	assert_int_equal(world->asked, 0);
	assert_int_equal(taken(world, &trunk, KNOWN_PER_S), KNOWN_PER_S);
	assert_int_equal(world->asked, 1);
	assert_int_equal(taken(world, &other, 1000), BURST);
	fail_times(world, &trunk, 10 * BAN_AFTER);
	assert_int_equal(sip_limits_count(world->limits).bans, 0);
	sim_run_for(world->loop, 60 * 1000); // and it is a trunk no more
	world->trusted = NULL;
	assert_int_equal(taken(world, &trunk, 1000), BURST);
}

static void an_account_that_fails_must_wait(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_of("192.0.2.1", 5060), elsewhere = flow_of("192.0.2.2", 5060);
	sip_limits_failed(world->limits, &flow, STR("330"));
	sip_limits_failed(world->limits, &flow, STR("330"));
	assert_int_equal(sip_limits_wait_s(world->limits, &flow, STR("330")), 0);
	sip_limits_failed(world->limits, &flow, STR("330"));
	assert_int_equal(sip_limits_wait_s(world->limits, &flow, STR("330")), WAIT_S);
	assert_int_equal(sip_limits_wait_s(world->limits, &flow, STR("331")), 0);
	assert_int_equal(sip_limits_wait_s(world->limits, &elsewhere, STR("330")), 0);
	sim_run_for(world->loop, 1000);
	sip_limits_failed(world->limits, &flow, STR("330")); // does not make it longer
	assert_int_equal(sip_limits_wait_s(world->limits, &flow, STR("330")), WAIT_S - 1);
	sim_run_for(world->loop, (WAIT_S - 1) * 1000);
	assert_int_equal(sip_limits_wait_s(world->limits, &flow, STR("330")), 0);
	assert_int_equal(sip_limits_count(world->limits).waits, 1);
}

static void failures_are_forgotten_after_the_window(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_of("192.0.2.1", 5060);
	for (unsigned i = 0; i < 10; i++) {
		fail_times(world, &flow, BAN_AFTER - 1);
		sim_run_for(world->loop, WINDOW_S * 1000);
	}
	assert_int_equal(sip_limits_count(world->limits).bans, 0);
}

static void a_ban_has_an_end_and_is_told_once(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_of("192.0.2.1", 5060), other = flow_of("192.0.2.2", 5060);
	fail_times(world, &flow, BAN_AFTER - 1);
	assert_int_equal(taken(world, &flow, 1), 1);
	fail_times(world, &flow, 1);
	assert_int_equal(taken(world, &flow, 100), 0);
	assert_int_equal(taken(world, &other, 1), 1);
	assert_int_equal(sip_limits_count(world->limits).banned, 1);
	fail_times(world, &flow, 5); // what was under way
	assert_int_equal(sip_limits_count(world->limits).bans, 1);
	assert_int_equal(sip_limits_count(world->limits).dropped_banned, 100);
	sim_run_for(world->loop, BAN_S * 1000 - 1);
	assert_int_equal(taken(world, &flow, 1), 0);
	sim_run_for(world->loop, 1);
	assert_int_equal(sip_limits_count(world->limits).banned, 0);
	assert_int_equal(taken(world, &flow, 1), 1);
	const char *banned = strstr(world->log, "warning sip_source_banned source=192.0.2.1 account=guess0 until=");
	assert_non_null(banned);
	assert_non_null(strstr(banned, " why=\"wrong passwords\" failures=10\n"));
	assert_null(strstr(banned + strlen("warning sip_source_banned"), "sip_source_banned"));
	assert_non_null(strstr(banned, "info sip_source_ban_over source=192.0.2.1\n"));
}

// The attacker and the phone have one address between them.
static void neighbours_behind_one_nat_go_on(void **state)
{
	struct world *world = *state;
	struct flow phone = flow_of("192.0.2.1", 5060), attacker = flow_of("192.0.2.1", 40000),
		    rebooted = flow_of("192.0.2.1", 40001);
	sip_limits_authenticated(world->limits, &phone, STR("330"), 3600);
	fail_times(world, &attacker, BAN_AFTER);
	assert_int_equal(sip_limits_count(world->limits).banned, 1);
	assert_int_equal(taken(world, &phone, 10), 10);
	assert_true(sip_limits_admits_account(world->limits, &phone, STR("330")));
	// With another port it is let in by its account; the attacker's guesses at other accounts are not read any further.
	assert_int_equal(taken(world, &rebooted, 1), 1);
	assert_true(sip_limits_admits_account(world->limits, &rebooted, STR("330")));
	assert_false(sip_limits_admits_account(world->limits, &attacker, STR("331")));
	assert_false(sip_limits_admits_account(world->limits, &attacker, STR_NONE));
	// Guesses at that very account make others wait, and not the phone where it is registered.
	for (unsigned i = 0; i < WAIT_AFTER; i++)
		sip_limits_failed(world->limits, &attacker, STR("330"));
	assert_int_equal(sip_limits_wait_s(world->limits, &attacker, STR("330")), WAIT_S);
	assert_int_equal(sip_limits_wait_s(world->limits, &phone, STR("330")), 0);
}

// Somebody with an account of their own tries those of others over the same flow.
static void a_guesser_who_is_known_is_banned_like_others(void **state)
{
	struct world *world = *state;
	struct flow flow = flow_of("192.0.2.1", 5060);
	sip_limits_authenticated(world->limits, &flow, STR("330"), 3600);
	for (unsigned i = 0; i < WAIT_AFTER; i++)
		sip_limits_failed(world->limits, &flow, STR("331"));
	assert_int_equal(sip_limits_wait_s(world->limits, &flow, STR("331")), WAIT_S);
	fail_times(world, &flow, BAN_AFTER);
	assert_false(sip_limits_admits_account(world->limits, &flow, STR("331")));
	assert_true(sip_limits_admits_account(world->limits, &flow, STR("330")));
}

static void connections_are_counted_by_source(void **state)
{
	struct world *world = *state;
	struct flow a = flow_of("192.0.2.1", 1), b = flow_of("192.0.2.2", 1), trunk = flow_of("192.0.2.3", 1);
	for (unsigned i = 0; i < 3; i++)
		assert_true(sip_limits_connected(world->limits, &a.remote));
	assert_false(sip_limits_connected(world->limits, &a.remote));
	assert_true(sip_limits_connected(world->limits, &b.remote));
	sip_limits_disconnected(world->limits, &a.remote);
	assert_true(sip_limits_connected(world->limits, &a.remote));
	world->trusted = "192.0.2.3";
	for (unsigned i = 0; i < 10; i++)
		assert_true(sip_limits_connected(world->limits, &trunk.remote));
	fail_times(world, &b, BAN_AFTER);
	assert_false(sip_limits_connected(world->limits, &b.remote));
	assert_int_equal(sip_limits_count(world->limits).refused_connections, 2);
	for (unsigned i = 0; i < 3; i++)
		sip_limits_disconnected(world->limits, &a.remote);
	sip_limits_disconnected(world->limits, &b.remote);
}

// However many come: memory is bounded, and neither bans, nor the known, nor counted connections are washed away.
static void a_flood_of_sources_washes_nothing_away(void **state)
{
	struct world *world = *state;
	struct flow banned = flow_of("192.0.2.1", 1), phone = flow_of("192.0.2.2", 1),
		    connected = flow_of("192.0.2.3", 1);
	fail_times(world, &banned, BAN_AFTER);
	sip_limits_authenticated(world->limits, &phone, STR("330"), 3600);
	for (unsigned i = 0; i < 3; i++)
		assert_true(sip_limits_connected(world->limits, &connected.remote));
	for (unsigned i = 0; i < 100000; i++) {
		struct flow flow = flow_of("10.0.0.0", 5060);
		flow.remote.bytes[1] = (uint8_t)(i >> 16), flow.remote.bytes[2] = (uint8_t)(i >> 8);
		flow.remote.bytes[3] = (uint8_t)i;
		assert_true(sip_limits_admits(world->limits, &flow, LIMITS_REQUEST));
		if (i % 2 == 0)
			sip_limits_failed(world->limits, &flow, STR("guess"));
	}
	struct sip_limits_counters counters = sip_limits_count(world->limits);
	assert_int_equal(counters.sources, 64);
	assert_in_range(counters.accounts, 1, 64);
	assert_int_equal(counters.flows, 1);
	assert_int_equal(taken(world, &banned, 1), 0);
	assert_int_equal(taken(world, &phone, 50), 50);
	assert_false(sip_limits_connected(world->limits, &connected.remote));
	for (unsigned i = 0; i < 3; i++)
		sip_limits_disconnected(world->limits, &connected.remote);
}

// When every place is taken by somebody with a connection, there is none for strangers.
static void without_a_place_nobody_new_is_heard(void **state)
{
	struct world *world = *state;
	struct flow holder = flow_of("192.0.2.0", 1), stranger = flow_of("198.51.100.1", 1);
	for (unsigned i = 0; i < 64; i++) {
		holder.remote.bytes[3] = (uint8_t)i;
		assert_true(sip_limits_connected(world->limits, &holder.remote));
	}
	assert_false(sip_limits_connected(world->limits, &stranger.remote));
	assert_false(sip_limits_admits(world->limits, &stranger, LIMITS_REQUEST));
	assert_true(sip_limits_admits(world->limits, &holder, LIMITS_REQUEST));
	fail_times(world, &stranger, BAN_AFTER); // nothing to write it to
	for (unsigned i = 0; i < 64; i++) {
		holder.remote.bytes[3] = (uint8_t)i;
		sip_limits_disconnected(world->limits, &holder.remote);
	}
	assert_true(sip_limits_admits(world->limits, &stranger, LIMITS_REQUEST));
}

static void without_memory_there_are_none(void **state)
{
	struct world *world = *state;
	const struct sip_limits_settings settings = {.remembered = 4};
	bool failed = true;
	for (unsigned n = 1; failed; n++) {
		failing_allocator_arm(n);
		struct sip_limits *limits = sip_limits_create(world->loop, &settings);
		failed = failing_allocator_disarm();
		assert_int_equal(limits == NULL, failed);
		sip_limits_destroy(limits);
	}
	struct flow flow = flow_of("192.0.2.1", 1);
	failing_allocator_arm_from(1);
	bool admitted = sip_limits_admits(world->limits, &flow, LIMITS_REQUEST);
	bool connected = sip_limits_connected(world->limits, &flow.remote);
	sip_limits_failed(world->limits, &flow, STR("330"));
	sip_limits_authenticated(world->limits, &flow, STR("330"), 60);
	failing_allocator_disarm();
	assert_false(admitted);
	assert_false(connected);
	assert_true(sip_limits_admits(world->limits, &flow, LIMITS_REQUEST));
}

static unsigned taken_of_device(struct world *world, const char *number, unsigned requests)
{
	unsigned count = 0;
	while (requests-- > 0)
		count += sip_limits_admits_device(world->limits, strtoull(number, NULL, 10), str_of(number));
	return count;
}

static void a_device_has_an_allowance_wherever_it_sends_from(void **state)
{
	struct world *world = *state;
	char number[16];
	assert_int_equal(taken_of_device(world, "330", 100), DEVICE_BURST);
	assert_int_equal(taken_of_device(world, "331", 1), 1);
	assert_int_equal(sip_limits_count(world->limits).refused_devices, 100 - DEVICE_BURST);
	assert_string_equal(strstr(world->log, "sip_device_over_limit"), "sip_device_over_limit device=330\n");
	sim_run_for(world->loop, 199);
	assert_int_equal(taken_of_device(world, "330", 1), 0);
	sim_run_for(world->loop, 1);
	assert_int_equal(taken_of_device(world, "330", 5), 1);
	sim_run_for(world->loop, 60 * 1000);
	assert_int_equal(taken_of_device(world, "330", 100), DEVICE_BURST);
	for (unsigned i = 0; i < 1000; i++) { // more than are remembered
		snprintf(number, sizeof number, "%u", 1000 + i);
		assert_int_equal(taken_of_device(world, number, 1), 1);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_bucket_is_full_at_first_and_fills_with_time),
	    T(ports_share_what_hosts_do_not),
	    T(responses_are_no_requests),
	    T(who_has_authenticated_has_an_allowance_of_their_own),
	    T(a_trunk_is_trusted_when_it_needs_to_be),
	    T(a_device_has_an_allowance_wherever_it_sends_from),
	    T(an_account_that_fails_must_wait),
	    T(failures_are_forgotten_after_the_window),
	    T(a_ban_has_an_end_and_is_told_once),
	    T(neighbours_behind_one_nat_go_on),
	    T(a_guesser_who_is_known_is_banned_like_others),
	    T(connections_are_counted_by_source),
	    T(a_flood_of_sources_washes_nothing_away),
	    T(without_a_place_nobody_new_is_heard),
	    T(without_memory_there_are_none),
	};
	return cmocka_run_group_tests_name("sip source_limits", tests, NULL, NULL);
}
