// Overload control against a server whose load depends on what it takes: how fast it finds the share that it can bear, and that
// it lets go of it.
#include "lib/cmocka.h"
#include "sim/sim.h"
#include "sip/overload.h"
#include "sip/parsed.h"

#include "base/log.h"

#include <stdio.h>

struct world {
	struct loop *loop;
	struct sip_overload *overload;
	unsigned queue_percent;
	uint64_t store_waits_ms;
	unsigned next; // number of the next request
	char log[4096];
};

static struct world world;

static unsigned queue_percent(void *context)
{
	return ((struct world *)context)->queue_percent;
}

static uint64_t store_waits_ms(void *context)
{
	return ((struct world *)context)->store_waits_ms;
}

static void note_line(struct str line, void *context)
{
	size_t used = strlen(world.log);
	(void)context;
	snprintf(world.log + used, sizeof world.log - used, "%.*s\n", STR_ARG(line));
}

static int setup(void **state)
{
	const struct sip_overload_settings settings = {
	    .busy_percent = 90, .queue_percent = queue_percent, .store_waits_ms = store_waits_ms, .context = &world};
	(void)state;
	world = (struct world){.loop = sim_create(3)};
	world.overload = sip_overload_create(world.loop, &settings);
	log_capture(note_line, &world);
	return world.loop && world.overload ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	log_capture(NULL, NULL);
	sip_overload_destroy(world.overload);
	loop_destroy(world.loop);
	return 0;
}

static bool admits(const char *method, unsigned number)
{
	char text[512];
	snprintf(
	    text, sizeof text,
	    "%s sip:510@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=f\r\n"
	    "To: <sip:a@b>\r\nCall-ID: call-%u\r\nCSeq: 1 %s\r\nContact: <sip:a@b>\r\nMax-Forwards: 70\r\n"
	    "Content-Length: 0\r\n\r\n",
	    method, number, method);
	struct parsed *request = parsed_text(text, SIP_DATAGRAM);
	assert_true(request->fine);
	bool admitted = sip_overload_admits(world.overload, &request->message);
	parsed_free(request);
	return admitted;
}

// For so long come `load_permille` of what the thread can do; gives how many of a hundred were taken in the last second.
static unsigned run(unsigned seconds, unsigned load_permille)
{
	unsigned taken = 0;
	for (unsigned i = 0; i < seconds * 10; i++) {
		unsigned admitted = 0;
		for (unsigned call = 0; call < 50; call++)
			admitted += admits("INVITE", world.next++);
		taken = i + 10 < seconds * 10 ? 0 : taken + admitted;
		unsigned busy = load_permille * admitted / 50;
		sim_set_busy(world.loop, busy < 1000 ? busy : 1000);
		sim_run_for(world.loop, 100);
	}
	return taken / 5;
}

static void below_the_limit_all_are_taken(void **state)
{
	(void)state;
	assert_int_equal(run(10, 850), 100);
	assert_int_equal(sip_overload_count(world.overload).busy_percent, 84); // rounded down in each look
	assert_string_equal(world.log, "");
}

static void at_twice_the_load_as_many_are_taken_as_can_be_borne(void **state)
{
	(void)state;
	assert_in_range(run(5, 2000), 40, 50);
	assert_in_range(run(20, 2000), 40, 50);
	assert_in_range(sip_overload_count(world.overload).busy_percent, 80, 98);
	assert_in_range(run(8, 10000), 5, 16);
}

// One line as it begins and one when it is over.
static void an_episode_ends(void **state)
{
	(void)state;
	run(5, 2000);
	assert_non_null(strstr(world.log, "sip_overload_began busy_percent=9"));
	assert_true(sip_overload_count(world.overload).overloaded);
	assert_int_equal(run(5, 300), 100);
	assert_true(sip_overload_count(world.overload).overloaded);
	run(5, 300);
	assert_false(sip_overload_count(world.overload).overloaded);
	assert_non_null(strstr(world.log, "sip_overload_over seconds="));
	unsigned lines = 0;
	for (const char *at = world.log; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 2);
	assert_int_equal(sip_overload_count(world.overload).episodes, 1);
	sim_run_for(world.loop, 1000);
	assert_int_equal(sim_count(world.loop).timers, 0); // nobody asks, nobody looks
}

// Switched off in the middle of it, and on again.
static void it_can_be_switched_off(void **state)
{
	struct sip_overload_settings settings = {.busy_percent = 0, .retry_after_s = 1};
	(void)state;
	run(5, 2000);
	assert_true(sip_overload_count(world.overload).overloaded);
	sip_overload_change(world.overload, &settings);
	assert_false(sip_overload_count(world.overload).overloaded);
	assert_non_null(strstr(world.log, "sip_overload_over seconds="));
	assert_int_equal(run(5, 2000), 100);
	assert_in_range(sip_overload_retry_after_s(world.overload), 1, 2);
	settings.busy_percent = 50;
	sip_overload_change(world.overload, &settings);
	assert_in_range(run(20, 2000), 20, 30);
}

static void a_full_queue_halves_at_once(void **state)
{
	(void)state;
	run(1, 300);
	world.queue_percent = 30;
	sim_run_for(world.loop, 100);
	assert_int_equal(sip_overload_count(world.overload).admitted_percent, 50);
	sim_run_for(world.loop, 1000);
	assert_int_equal(sip_overload_count(world.overload).admitted_percent, 2); // never none: else nobody saw it end
}

static void all_requests_of_a_call_meet_the_same_answer(void **state)
{
	unsigned changed = 0;
	(void)state;
	run(5, 2000);
	for (unsigned i = 0; i < 100; i++) {
		bool first = admits("INVITE", 1000000 + i), phone = admits("REGISTER", i);
		assert_int_equal(admits("INVITE", 1000000 + i), first);
		assert_int_equal(admits("REGISTER", i), phone);
		if (i == 0)
			world.next = 2000000;
	}
	bool before[100];
	for (unsigned i = 0; i < 100; i++)
		before[i] = admits("REGISTER", i);
	run(8, 2000);
	for (unsigned i = 0; i < 100; i++)
		changed += admits("REGISTER", i) != before[i];
	assert_in_range(changed, 10, 90); // no phone is always the unlucky one
}

static void registrations_give_way_first(void **state)
{
	unsigned calls = 0, registers = 0;
	(void)state;
	run(5, 2000);
	for (unsigned i = 0; i < 1000; i++) {
		calls += admits("INVITE", 5000000 + i);
		registers += admits("REGISTER", 5000000 + i);
	}
	assert_in_range(calls, 380, 520);
	assert_in_range(registers, 120, 280);
}

static void a_slow_store_sends_registrations_away_and_no_calls(void **state)
{
	(void)state;
	assert_true(admits("REGISTER", 1));
	world.store_waits_ms = 1000;
	sim_run_for(world.loop, 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_false(admits("REGISTER", i));
		assert_true(admits("INVITE", i));
	}
	assert_non_null(strstr(world.log, "sip_overload_began busy_percent=0 queue_percent=0 store_waits_ms=1000"));
	world.store_waits_ms = 0;
	sim_run_for(world.loop, 100);
	assert_true(admits("REGISTER", 1));
	assert_int_equal(sip_overload_count(world.overload).refused_registers, 100);
}

static void they_are_asked_to_come_back_at_different_times(void **state)
{
	unsigned seen[30] = {0};
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		unsigned seconds = sip_overload_retry_after_s(world.overload);
		assert_in_range(seconds, 5, 15);
		seen[seconds]++;
	}
	for (unsigned seconds = 5; seconds <= 15; seconds++)
		assert_in_range(seen[seconds], 50, 140);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(below_the_limit_all_are_taken),
	    T(at_twice_the_load_as_many_are_taken_as_can_be_borne),
	    T(an_episode_ends),
	    T(it_can_be_switched_off),
	    T(a_full_queue_halves_at_once),
	    T(all_requests_of_a_call_meet_the_same_answer),
	    T(registrations_give_way_first),
	    T(a_slow_store_sends_registrations_away_and_no_calls),
	    T(they_are_asked_to_come_back_at_different_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
