// Registrations: the order of CSeqs, one write under way per device, in force only once the store has them, expiry.
#include "domain/registration.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A store that keeps each write until the test answers it, and a log of what was asked and told.
struct fixture {
	struct loop *loop;
	struct records records;
	struct registrations *registrations;
	struct registration_write *waiting[16];
	size_t waiting_count;
	bool answers_at_once;
	char said[1000];
};

static void say(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct fixture *f, const char *format, ...)
{
	size_t length = strlen(f->said);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f->said + length, sizeof f->said - length, format, arguments);
	va_end(arguments);
}

static void assert_said(struct fixture *f, const char *text)
{
	assert_string_equal(f->said, text);
	f->said[0] = '\0';
}

static void save_registration(void *context, struct registration_write *write)
{
	struct fixture *f = context;

	say(f, "write %llu%s", (unsigned long long)write->device_id, write->remove_all ? " all away" : "");
	for (size_t i = 0; i < write->removed_count; i++)
		say(f, " -%.*s", STR_ARG(write->removed[i]));
	for (size_t i = 0; i < write->kept_count; i++)
		say(f, " +%.*s", STR_ARG(write->kept[i].contact));
	say(f, "; ");
	if (f->answers_at_once) {
		write->done(write);
		return;
	}
	f->waiting[f->waiting_count++] = write;
}

static void store_answers(struct fixture *f, enum err err)
{
	struct registration_write *write = f->waiting[0];

	assert_true(f->waiting_count > 0);
	f->waiting_count--;
	memmove(f->waiting, f->waiting + 1, f->waiting_count * sizeof *f->waiting);
	write->err = err;
	write->done(write);
}

static void done(void *context, uint64_t token, enum err err)
{
	say(context, "told %llu %s; ", (unsigned long long)token, err_name(err));
}

static int open(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->loop = sim_create(1);
	f->records = (struct records){.context = f, .save_registration = save_registration};
	f->registrations = registrations_create(f->loop, &f->records);
	*state = f;
	return 0;
}

static int close(void **state)
{
	struct fixture *f = *state;

	registrations_destroy(f->registrations);
	assert_int_equal(sim_count(f->loop).timers, 0);
	loop_destroy(f->loop);
	free(f);
	return 0;
}

// "a" registers contact a for 60 s; "-a" removes it; "*" removes all.
static void registers(struct fixture *f, uint64_t token, const char *contacts, const char *call_id, uint32_t cseq)
{
	struct binding bindings[BINDINGS_PER_DEVICE_MAX + 1];
	struct registration_update update = {
	    .device_id = 330, .call_id = str_of(call_id), .cseq = cseq, .contacts = bindings};
	struct str rest = str_of(contacts), piece;

	memset(bindings, 0, sizeof bindings);
	while (str_take(&rest, ' ', &piece)) {
		struct binding *binding = &bindings[update.contact_count];
		if (str_equal(piece, STR("*"))) {
			update.remove_all = true;
			continue;
		}
		bool away = str_starts(piece, STR("-"));
		binding->contact = str_from(piece, away ? 1 : 0);
		size_t at = str_index(binding->contact, '@'); // "a@i": contact "a@i" of instance "i"
		binding->instance = str_from(binding->contact, at + 1);
		binding->expires_at_ms = away ? 0 : (int64_t)loop_time_ms(f->loop) + 60000;
		update.contact_count++;
	}
	registrations_update(f->registrations, &update, done, f, token);
}

static void assert_bound(struct fixture *f, const char *contacts)
{
	char text[300] = "";
	const struct list *list = registrations_of(f->registrations, 330);

	if (list)
		list_each (node, following, list)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", *text ? " " : "",
				 STR_ARG(container_of(node, const struct binding, node)->contact));
	assert_string_equal(text, contacts);
	assert_int_equal(registrations_any(f->registrations, 330), *contacts != '\0');
}

static void in_force_only_once_the_store_has_it(void **state)
{
	struct fixture *f = *state;

	registers(f, 1, "a", "x", 1);
	assert_said(f, "write 330 +a; ");
	assert_bound(f, "");
	store_answers(f, ERR_NONE);
	assert_said(f, "told 1 none; ");
	assert_bound(f, "a");
	registers(f, 2, "-a", "x", 2);
	assert_bound(f, "a");
	store_answers(f, ERR_NONE);
	assert_said(f, "write 330 -a; told 2 none; ");
	assert_bound(f, "");
	assert_int_equal(registrations_count(f->registrations), 0);
}

static void what_the_store_refuses_changes_nothing(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a", "x", 1);
	f->answers_at_once = false;
	registers(f, 2, "b -a", "x", 2);
	store_answers(f, ERR_STORE_UNAVAILABLE);
	assert_said(f, "write 330 +a; told 1 none; write 330 -a +b; told 2 store_unavailable; ");
	assert_bound(f, "a");
	// The refused CSeq may come again.
	registers(f, 3, "b", "x", 2);
	store_answers(f, ERR_NONE);
	assert_bound(f, "a b");
}

// RFC 3261 section 10.3, steps 6 and 7.
static void older_requests_of_a_call_id_are_refused(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a", "x", 5);
	registers(f, 2, "a", "x", 5);
	registers(f, 3, "-a", "x", 4);
	registers(f, 4, "*", "x", 5);
	assert_said(f, "write 330 +a; told 1 none; told 2 out_of_order; told 3 out_of_order; told 4 out_of_order; ");
	assert_bound(f, "a");
	registers(f, 5, "a", "other", 1); // another Call-ID: a restarted phone
	registers(f, 6, "b", "x", 1);     // nothing known of b
	registers(f, 7, "*", "x", 2);     // newer than b, and a is of another Call-ID
	assert_said(f, "write 330 +a; told 5 none; write 330 +b; told 6 none; write 330 all away; told 7 none; ");
	assert_bound(f, "");
}

static void one_write_at_a_time_and_four_wait(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 1; i <= 6; i++)
		registers(f, i, "a", "x", (uint32_t)i);
	assert_said(f, "write 330 +a; told 6 overloaded; ");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(f->waiting_count, 1);
		store_answers(f, ERR_NONE);
	}
	assert_said(f, "told 1 none; write 330 +a; told 2 none; write 330 +a; told 3 none; write 330 +a; told 4 none; "
		       "write 330 +a; told 5 none; ");
	assert_int_equal(registrations_count(f->registrations), 1);
}

// Order is judged against what is in force when the turn comes, not when the request came.
static void waiting_requests_are_judged_when_their_turn_comes(void **state)
{
	struct fixture *f = *state;

	registers(f, 1, "a", "x", 2);
	registers(f, 2, "a", "x", 1);
	registers(f, 3, "-a", "x", 3);
	store_answers(f, ERR_NONE);
	assert_said(f, "write 330 +a; told 1 none; told 2 out_of_order; write 330 -a; ");
	store_answers(f, ERR_NONE);
	assert_bound(f, "");
}

static void an_instance_replaces_its_old_contact(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "port1@phone", "x", 1);
	registers(f, 2, "port2@phone", "y", 1);
	registers(f, 3, "port1@laptop", "z", 1);
	assert_said(f, "write 330 +port1@phone; told 1 none; write 330 -port1@phone +port2@phone; told 2 none; "
		       "write 330 +port1@laptop; told 3 none; ");
	assert_bound(f, "port2@phone port1@laptop");
}

static void too_many_contacts_push_out_the_one_that_ends_first(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	for (uint64_t i = 1; i <= 11; i++) {
		char contact[20];
		snprintf(contact, sizeof contact, "c%llu", (unsigned long long)i);
		registers(f, i, contact, "x", 1);
		sim_run_for(f->loop, 10);
	}
	assert_bound(f, "c2 c3 c4 c5 c6 c7 c8 c9 c10 c11");
	f->said[0] = '\0';
	registers(f, 20, "d1 d2 d3", "y", 1);
	assert_said(f, "write 330 -c2 -c3 -c4 +d1 +d2 +d3; told 20 none; ");
	assert_bound(f, "c5 c6 c7 c8 c9 c10 c11 d1 d2 d3");
	registers(f, 21, "1 2 3 4 5 6 7 8 9 10 11", "y", 1);
	assert_said(f, "told 21 too_large; ");
}

static void bindings_expire_in_memory_and_in_the_store(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a", "x", 1);
	sim_run_for(f->loop, 30000);
	registers(f, 2, "b", "x", 1);
	sim_run_for(f->loop, 29990);
	assert_bound(f, "a b");
	f->said[0] = '\0';
	sim_run_for(f->loop, 20);
	assert_said(f, "write 330 -a; ");
	assert_bound(f, "b");
	sim_run_for(f->loop, 30000);
	assert_bound(f, "");
	assert_int_equal(registrations_count(f->registrations), 0);
}

static void a_refresh_counts_from_now(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a", "x", 1);
	sim_run_for(f->loop, 50000);
	registers(f, 2, "a", "x", 2);
	sim_run_for(f->loop, 50000);
	assert_bound(f, "a");
	assert_int_equal(registrations_count(f->registrations), 1);
	sim_run_for(f->loop, 10001);
	assert_bound(f, "");
}

static void whoever_sets_the_clock_changes_no_expiry(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a", "x", 1);
	sim_set_time(f->loop, loop_time_ms(f->loop) + 40000);
	assert_bound(f, "a");
	sim_run_for(f->loop, 59000);
	assert_bound(f, "a");
	sim_set_time(f->loop, loop_time_ms(f->loop) - 3600000);
	sim_run_for(f->loop, 1001);
	assert_bound(f, "");
}

static void a_binding_may_expire_while_its_refresh_is_written(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a", "x", 1);
	f->answers_at_once = false;
	sim_run_for(f->loop, 59990);
	registers(f, 2, "a", "x", 2);
	sim_run_for(f->loop, 100);
	assert_bound(f, "");
	store_answers(f, ERR_NONE); // the refresh, and behind it the removal of what had expired
	assert_bound(f, "a");
	assert_string_equal(f->said + strlen(f->said) - strlen("write 330 -a; "), "write 330 -a; ");
	store_answers(f, ERR_NONE);
	assert_bound(f, "a");
}

static void forgetting_a_device_removes_all_of_it(void **state)
{
	struct fixture *f = *state;

	f->answers_at_once = true;
	registers(f, 1, "a b", "x", 1);
	f->answers_at_once = false;
	registers(f, 2, "c", "x", 1); // under way while the device goes
	f->said[0] = '\0';
	registrations_forget(f->registrations, 330);
	assert_bound(f, "");
	store_answers(f, ERR_NONE);
	store_answers(f, ERR_NONE);
	assert_said(f, "told 2 none; write 330 all away; ");
	assert_bound(f, "");
	registrations_forget(f->registrations, 330);
	assert_said(f, "");
}

static void restore(struct fixture *f, const char *contact, unsigned q, uint64_t connection, bool behind_nat)
{
	const struct binding binding = {.device_id = 330,
					.contact = str_of(contact),
					.expires_at_ms = (int64_t)loop_time_ms(f->loop) + 60000,
					.q = (uint16_t)q,
					.behind_nat = behind_nat,
					.flow = {.transport = TRANSPORT_TCP, .connection = connection}};

	assert_true(registrations_restore(f->registrations, &binding));
}

static void restored_bindings_are_there_best_q_first(void **state)
{
	struct fixture *f = *state;
	struct binding over = {.device_id = 330, .contact = STR("over")};

	restore(f, "low", 100, 5, false);
	restore(f, "high", 1000, 0, false);
	restore(f, "middle", 500, 0, false);
	restore(f, "middle2", 500, 0, false);
	over.expires_at_ms = (int64_t)loop_time_ms(f->loop);
	assert_true(registrations_restore(f->registrations, &over));
	assert_bound(f, "high middle middle2 low");
	list_each (node, following, registrations_of(f->registrations, 330))
		assert_int_equal(container_of(node, const struct binding, node)->flow.connection, 0);
	assert_said(f, "");
}

static void over_connections(struct fixture *f, const struct flow *flows, size_t count)
{
	static const char *const names[] = {"tcp", "tcp-nat", "ws", "other", "udp"};
	struct binding bindings[8];

	memset(bindings, 0, sizeof bindings);
	for (size_t i = 0; i < count; i++) {
		bindings[i].contact = str_of(names[i]);
		bindings[i].flow = flows[i];
		bindings[i].behind_nat = i == 1;
		bindings[i].expires_at_ms = (int64_t)loop_time_ms(f->loop) + 60000;
	}
	const struct registration_update update = {
	    .device_id = 330, .call_id = STR("x"), .cseq = 1, .contacts = bindings, .contact_count = count};
	registrations_update(f->registrations, &update, done, f, 1);
}

static void a_lost_connection_takes_what_only_it_could_reach(void **state)
{
	struct fixture *f = *state;
	const struct flow flows[] = {{.transport = TRANSPORT_TCP, .connection = 7},
				     {.transport = TRANSPORT_TCP, .connection = 7},
				     {.transport = TRANSPORT_WS, .connection = 7},
				     {.transport = TRANSPORT_WS, .connection = 8},
				     {.transport = TRANSPORT_UDP}};

	f->answers_at_once = true;
	over_connections(f, flows, 5);
	f->said[0] = '\0';
	registrations_flow_lost(f->registrations, 99);
	assert_said(f, "");
	registrations_flow_lost(f->registrations, 7);
	assert_said(f, "write 330 -tcp-nat -ws; ");
	assert_bound(f, "tcp other udp");
	const struct list *list = registrations_of(f->registrations, 330);
	assert_int_equal(container_of(list->next, const struct binding, node)->flow.connection, 0);
	registrations_flow_lost(f->registrations, 7);
	assert_said(f, "");
}

static void count_binding(const struct binding *binding, void *context)
{
	assert_int_equal(binding->device_id, 330);
	++*(unsigned *)context;
}

static void each_binding_is_visited(void **state)
{
	struct fixture *f = *state;
	unsigned count = 0;

	restore(f, "a", 0, 0, false);
	restore(f, "b", 0, 0, false);
	registrations_each(f->registrations, count_binding, &count);
	assert_int_equal(count, 2);
}

static void every_allocation_may_fail(void **state)
{
	struct fixture *f = *state;
	bool failed = true;

	f->answers_at_once = true;
	for (unsigned n = 1; failed; n++) {
		f->said[0] = '\0';
		failing_allocator_arm(n);
		registers(f, n, "a b -c", "x", n);
		failed = failing_allocator_disarm();
		bool took = strstr(f->said, "none; ") != NULL;
		assert_true(took || failed);
		if (!took)
			assert_non_null(strstr(f->said, "no_memory; "));
		failing_allocator_arm(n);
		registrations_forget(f->registrations, 330);
		failed = failing_allocator_disarm() || failed;
		assert_bound(f, "");
	}
}

// Whoever ends the server waits until nothing is under way; where the store hangs, what waits behind it is not written any more.
static void what_waits_at_the_end_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(registrations_busy(f->registrations));
	registers(f, 1, "a", "x", 1);
	registers(f, 2, "b", "x", 2);
	registers(f, 3, "c", "x", 3);
	assert_true(registrations_busy(f->registrations));
	registrations_stop(f->registrations);
	store_answers(f, ERR_NONE);
	assert_said(f, "write 330 +a; told 1 none; told 2 store_unavailable; told 3 store_unavailable; ");
	assert_int_equal(f->waiting_count, 0);
	assert_false(registrations_busy(f->registrations));
	registers(f, 4, "d", "x", 4);
	assert_said(f, "told 4 store_unavailable; ");
	assert_bound(f, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(in_force_only_once_the_store_has_it, open, close),
	    cmocka_unit_test_setup_teardown(what_the_store_refuses_changes_nothing, open, close),
	    cmocka_unit_test_setup_teardown(older_requests_of_a_call_id_are_refused, open, close),
	    cmocka_unit_test_setup_teardown(one_write_at_a_time_and_four_wait, open, close),
	    cmocka_unit_test_setup_teardown(what_waits_at_the_end_is_refused, open, close),
	    cmocka_unit_test_setup_teardown(waiting_requests_are_judged_when_their_turn_comes, open, close),
	    cmocka_unit_test_setup_teardown(an_instance_replaces_its_old_contact, open, close),
	    cmocka_unit_test_setup_teardown(too_many_contacts_push_out_the_one_that_ends_first, open, close),
	    cmocka_unit_test_setup_teardown(bindings_expire_in_memory_and_in_the_store, open, close),
	    cmocka_unit_test_setup_teardown(a_refresh_counts_from_now, open, close),
	    cmocka_unit_test_setup_teardown(whoever_sets_the_clock_changes_no_expiry, open, close),
	    cmocka_unit_test_setup_teardown(a_binding_may_expire_while_its_refresh_is_written, open, close),
	    cmocka_unit_test_setup_teardown(forgetting_a_device_removes_all_of_it, open, close),
	    cmocka_unit_test_setup_teardown(restored_bindings_are_there_best_q_first, open, close),
	    cmocka_unit_test_setup_teardown(a_lost_connection_takes_what_only_it_could_reach, open, close),
	    cmocka_unit_test_setup_teardown(each_binding_is_visited, open, close),
	    cmocka_unit_test_setup_teardown(every_allocation_may_fail, open, close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
