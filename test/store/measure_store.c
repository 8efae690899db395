// How fast the store is with 50,000 users and 150,000 devices: `meson test --benchmark`. Prints; judges nothing.
#include "store/store.h"

#include "store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USERS = 50000, DEVICES = 150000, LISTS = 100, WRITES = 200000, IN_FLIGHT = 5000 };

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double now_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

static void fill(struct fixture *fixture)
{
	fixture_sql(
	    fixture,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) "
	    "INSERT INTO devices (id, version, search, kind, number, canonical, title, description, "
	    "available_for_selection, do_not_disturb, call_limit, nat, ha1_md5, ha1_sha256, caller_id, "
	    "caller_id_number, "
	    "too_soon_ms, too_late_ms, confirm, teams_user, held) SELECT i, 1, CASE i % 3 WHEN 2 THEN '01444 ' || "
	    "(100000 + i) || char(10) || "
	    "'+441444' || (100000 + i) ELSE '' || (100000 + i) || char(10) END || char(10) || 'device of person ' || i "
	    "|| char(10) || 'room ' || (i % 977) || char(10), "
	    "CASE i % 3 WHEN 0 THEN 'sip_phone' WHEN 1 THEN 'softphone' ELSE 'external' END, "
	    "CASE i % 3 WHEN 2 THEN '01444 ' || (100000 + i) ELSE 100000 + i END, "
	    "CASE i % 3 WHEN 2 THEN '+441444' || (100000 + i) ELSE '' END, 'Device of Person ' || i, 'Room ' || i % "
	    "977, "
	    "i % 10 = 0, 0, 0, 'auto', '0123456789abcdef0123456789abcdef', "
	    "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 'original', '', 0, 0, 0, '', "
	    "'assigned' FROM n");
	fixture_sql(
	    fixture,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
	    "INSERT INTO users (id, version, search, name, title, role, password_hash, extension, strategy, "
	    "call_limit, "
	    "do_not_disturb, decline_stops, six_hundred_stops_all, unanswered, unanswered_target, caller_id, "
	    "toll_class, "
	    "password_change_due) SELECT i, 1, 'person' || i || char(10) || 'person ' || i || char(10) || (10000 + i), "
	    "'person' || i, 'Person ' || i, CASE i % 100 WHEN 0 THEN 'admin' ELSE 'agent' END, "
	    "'$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g', "
	    "10000 + i, 'at_once', 2, 0, 'device', 1, 'busy', '', '', 1, 0 FROM n");
	fixture_sql(fixture, "INSERT INTO assignments SELECT (id - 1) / 3 + 1, (id - 1) % 3, id, 0, 20 FROM devices");
	fixture_sql(fixture, "INSERT INTO devices_words (devices_words) VALUES ('rebuild')");
	fixture_sql(fixture, "INSERT INTO users_words (users_words) VALUES ('rebuild')");
	fixture_sql(fixture, "UPDATE last_ids SET id = 150000 WHERE kind = 'device'");
	fixture_sql(fixture, "UPDATE last_ids SET id = 50000 WHERE kind = 'user'");
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct listed {
	const char *what;
	enum entity_kind kind;
	const char *q, *sort, *filter, *value;
	unsigned page; // how many pages in
};

static void list_measure(struct fixture *fixture, const struct listed *listed)
{
	static double took[LISTS], cpu[LISTS];
	struct entity_page page;

	for (unsigned i = 0; i < LISTS; i++) {
		char q[64];
		struct list_query query = {.limit = 50, .sort = str_of(listed->sort)};
		if (listed->q) {
			if (listed->q[0] == '#') // another one each time
				snprintf(q, sizeof q, "%s%u", listed->q + 1, i * 491 % DEVICES);
			else
				snprintf(q, sizeof q, "%s", listed->q);
			query.q = str_of(q);
		}
		if (listed->filter) {
			query.filters[0] = (struct list_filter){
			    entity_field(entity_type(listed->kind), str_of(listed->filter)), str_of(listed->value)};
			query.filter_count = 1;
		}
		for (unsigned turn = 0; turn <= listed->page; turn++) {
			double started = now_s(), cpu_started = clock_s(CLOCK_THREAD_CPUTIME_ID);
			assert_int_equal(fixture->records->list(fixture->records->context, listed->kind, &query,
								&fixture->arena, &page),
					 ERR_NONE);
			took[i] = now_s() - started;
			cpu[i] = clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_started;
			query.cursor = page.next;
		}
		arena_reset(&fixture->arena);
	}
	qsort(took, LISTS, sizeof *took, by_size);
	qsort(cpu, LISTS, sizeof *cpu, by_size);
	print_message("%-44s p50 %6.2f ms  p99 %6.2f ms  (of it CPU %6.2f, %6.2f)  %llu rows\n", listed->what,
		      took[LISTS / 2] * 1000, took[LISTS * 99 / 100] * 1000, cpu[LISTS / 2] * 1000,
		      cpu[LISTS * 99 / 100] * 1000, (unsigned long long)page.total);
}

static const struct listed lists[] = {
    {.what = "devices", .kind = ENTITY_DEVICE},
    {.what = "devices by title", .kind = ENTITY_DEVICE, .sort = "title"},
    {.what = "devices by title, third page", .kind = ENTITY_DEVICE, .sort = "title", .page = 2},
    {.what = "external numbers by number",
     .kind = ENTITY_DEVICE,
     .sort = "number",
     .filter = "kind",
     .value = "external"},
    {.what = "devices by call limit (no index)", .kind = ENTITY_DEVICE, .sort = "call_limit"},
    {.what = "devices, search finds one or few", .kind = ENTITY_DEVICE, .q = "#person ", .sort = "title"},
    {.what = "devices, search finds none", .kind = ENTITY_DEVICE, .q = "nobody", .sort = "title"},
    {.what = "devices, search finds all", .kind = ENTITY_DEVICE, .q = "person", .sort = "-number"},
    {.what = "devices, search finds some hundred", .kind = ENTITY_DEVICE, .q = "room 976", .sort = "number"},
    {.what = "external numbers, search finds few",
     .kind = ENTITY_DEVICE,
     .q = "#person ",
     .filter = "kind",
     .value = "external"},
    {.what = "users by title", .kind = ENTITY_USER, .sort = "title"},
    {.what = "users, search finds few", .kind = ENTITY_USER, .q = "#person ", .sort = "title"},
    {.what = "administrators", .kind = ENTITY_USER, .filter = "role", .value = "admin", .sort = "title"},
};

// ---- registrations, with at most IN_FLIGHT unanswered

struct phone {
	struct registration_write write;
	struct binding binding;
	double sent;
};

static struct {
	struct fixture *fixture;
	struct phone *phones;
	pthread_mutex_t mutex;
	pthread_cond_t over;
	unsigned sent, answered;
	double slowest;
} storm;

static void phone_send(struct phone *phone)
{
	phone->binding.cseq++;
	phone->sent = now_s();
	storm.sent++;
	storm.fixture->records->save_registration(storm.fixture->records->context, &phone->write);
}

static void phone_answered(struct registration_write *write)
{
	struct phone *phone = container_of(write, struct phone, write);
	double took = now_s() - phone->sent;

	if (took > storm.slowest)
		storm.slowest = took;
	storm.answered++;
	if (storm.sent < WRITES) {
		phone_send(&storm.phones[storm.sent % DEVICES]);
	} else if (storm.answered == WRITES) {
		pthread_mutex_lock(&storm.mutex);
		pthread_cond_signal(&storm.over);
		pthread_mutex_unlock(&storm.mutex);
	}
}

static void storm_measure(struct fixture *fixture, const char *what)
{
	struct store_counters before = store_count(fixture->store), after;
	double started = now_s();

	storm.sent = storm.answered = 0;
	storm.slowest = 0;
	pthread_mutex_lock(&storm.mutex);
	storm.sent = IN_FLIGHT; // only the call thread counts from here on
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		storm.phones[i].sent = now_s();
		storm.phones[i].binding.cseq++;
		fixture->records->save_registration(fixture->records->context, &storm.phones[i].write);
	}
	while (storm.answered < WRITES)
		pthread_cond_wait(&storm.over, &storm.mutex);
	pthread_mutex_unlock(&storm.mutex);
	started = now_s() - started;
	after = store_count(fixture->store);
	print_message("%-44s %.0f/s, %.0f a commit, slowest answer %.0f ms\n", what, WRITES / started,
		      WRITES / (double)(after.commits - before.commits), storm.slowest * 1000);
}

static void measure(void **state)
{
	struct fixture *fixture = *state;
	double started = now_s();
	char sentence[256];

	fixture_close(fixture); // nobody else writes meanwhile
	fill(fixture);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	print_message("filled in %.1f s\n", now_s() - started);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		list_measure(fixture, &lists[i]);
	storm.fixture = fixture;
	storm.phones = calloc(DEVICES, sizeof *storm.phones);
	assert_non_null(storm.phones);
	pthread_mutex_init(&storm.mutex, NULL);
	pthread_cond_init(&storm.over, NULL);
	for (unsigned i = 0; i < DEVICES; i++) {
		struct phone *phone = &storm.phones[i];
		phone->binding = new_binding(i + 1, "sip:phone@192.0.2.7:5060;transport=udp", 0);
		phone->binding.instance = STR("<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>");
		phone->binding.user_agent = STR("Some phone 1.2.3.4");
		phone->write = (struct registration_write){
		    .device_id = i + 1, .kept = &phone->binding, .kept_count = 1, .done = phone_answered};
	}
	storm_measure(fixture, "first registrations");
	storm_measure(fixture, "refreshed registrations");
	free(storm.phones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(measure, fixture_setup, fixture_teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
