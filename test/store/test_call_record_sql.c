// Call records and registrations come back as they were given, names from the network included.
#include "store/call_record_sql.h"

#include "store/fixture.h"
#include "store/registration_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct call_record *new_record(unsigned number, int64_t started_at)
{
	struct call_record *record = call_record_new(NULL);

	assert_non_null(record);
	record->id = arena_format(&record->arena, "%026u", number);
	record->started_at = started_at;
	record->answered_at = started_at + 5000;
	record->ended_at = started_at + 65000;
	record->caller_number = STR("511");
	record->caller_name = STR("Bob");
	record->caller_user_id = 2;
	record->caller_device_number = STR("331");
	record->dialled = STR("510");
	record->canonical = STR("510");
	record->callee_user_id = 1;
	record->callee_title = STR("Jane");
	record->outcome = OUTCOME_ANSWERED;
	record->sip_status = 200;
	record->ended_by = STR("caller");
	record->forwarded_from = STR("01HF0000000000000000000000");
	record->transferred_by = STR("512 Car\xFFol");
	record->call_id = STR("f81d4fae-7dec-11d0@192.0.2.1");
	record->leg_count = 2;
	record->legs = arena_alloc(&record->arena, 2 * sizeof *record->legs);
	assert_non_null(record->legs);
	record->legs[0] = (struct leg_record){.number = 1,
					      .device_id = 1,
					      .device_number = STR("330"),
					      .device_title = STR("Desk"),
					      .device_kind = DEVICE_SIP_PHONE,
					      .started_at = started_at,
					      .ringing_at = started_at + 100,
					      .ended_at = started_at + 5001,
					      .outcome = OUTCOME_ANSWERED_ELSEWHERE,
					      .sip_status = 487};
	record->legs[1] = (struct leg_record){.number = 2,
					      .anchor_reason = STR("prompt"),
					      .device_id = 3,
					      .device_number = STR("01444 123456"),
					      .device_kind = DEVICE_EXTERNAL,
					      .started_at = started_at,
					      .answered_at = started_at + 5000,
					      .confirmed_at = started_at + 8000,
					      .ended_at = started_at + 65000,
					      .outcome = OUTCOME_ANSWERED,
					      .sip_status = 200,
					      .reason = STR("answered")};
	return record;
}

// Operations come after what was posted before them: once this is written, so are the records.
static void wait_for_writer(struct fixture *fixture)
{
	static unsigned count;
	char number[16];

	snprintf(number, sizeof number, "w%u", ++count);
	created(fixture,
		&new_device(fixture, DEVICE_SIP_PHONE, arena_copy(&fixture->arena, str_of(number)).at)->entity);
}

static void save(struct fixture *fixture, struct call_record *record)
{
	fixture->records->save_call(fixture->records->context, record);
}

static struct call_record *read_record(struct fixture *fixture, const char *id)
{
	struct call_record *record = NULL;
	enum err err = fixture->records->record_get(fixture->records->context, str_of(id), &fixture->arena, &record);

	assert_int_equal(err, ERR_NONE);
	return record;
}

static void a_record_comes_back_with_its_legs(void **state)
{
	struct fixture *fixture = *state;
	struct call_record *record = new_record(7, 1700000000000), *read;

	record->err = ERR_BUSY;
	save(fixture, record);
	wait_for_writer(fixture);
	read = read_record(fixture, "00000000000000000000000007");
	assert_int_equal(read->started_at, 1700000000000);
	assert_int_equal(read->ended_at, 1700000065000);
	assert_true(str_equal(read->caller_name, STR("Bob")));
	assert_int_equal(read->caller_user_id, 2);
	assert_int_equal(read->caller_trunk_id, 0);
	assert_int_equal(read->err, ERR_BUSY);
	assert_int_equal(read->outcome, OUTCOME_ANSWERED);
	assert_true(str_equal(read->ended_by, STR("caller")));
	assert_true(str_equal(read->forwarded_from, STR("01HF0000000000000000000000")));
	assert_true(str_equal(read->transferred_by, STR("512 Car?ol"))); // names come from the network
	assert_int_equal(read->leg_count, 2);
	assert_int_equal(read->legs[0].outcome, OUTCOME_ANSWERED_ELSEWHERE);
	assert_int_equal(read->legs[1].device_kind, DEVICE_EXTERNAL);
	assert_int_equal(read->legs[1].answered_at, 1700000005000);
	assert_int_equal(read->legs[1].confirmed_at, 1700000008000);
	assert_int_equal(read->legs[0].confirmed_at, 0);
	assert_true(str_equal(read->legs[1].reason, STR("answered")));
	assert_int_equal(
	    fixture->records->record_get(fixture->records->context, STR("nothing"), &fixture->arena, &read),
	    ERR_NOT_FOUND);
}

static void heard(struct fixture *fixture, const struct call_record *record, const struct call_quality *how)
{
	struct call_quality quality = *how;

	quality.record = record->id;
	fixture->records->quality(fixture->records->context, &quality);
}

static const struct call_quality well = {.leg = 2,
					 .relay = {"west", 4},
					 .codec = {"PC\xFF", 3},
					 .packets = 900,
					 .lost = 3,
					 .jitter_ms = 7,
					 .mos_hundred = 420};
static const struct call_quality silent = {.leg = 0, .relay = {"west", 4}, .codec = {"", 0}};

static void expect_well(const struct call_quality *quality)
{
	assert_non_null(quality);
	assert_true(str_equal(quality->relay, STR("west")));
	assert_true(str_equal(quality->codec, STR("PC?")));
	assert_int_equal(quality->packets, 900);
	assert_int_equal(quality->lost, 3);
	assert_int_equal(quality->jitter_ms, 7);
	assert_int_equal(quality->mos_hundred, 420);
}

static void how_a_leg_was_heard_may_come_before_the_record_or_after_it(void **state)
{
	struct fixture *fixture = *state;
	struct database *database;
	char sentence[200];

	for (unsigned before = 0; before < 2; before++) {
		struct call_record *record = new_record(20 + before, 1700000000000), *read;
		char *id = strndup(record->id.at, record->id.length);
		if (before)
			heard(fixture, record, &well);
		if (before)
			wait_for_writer(fixture);
		save(fixture, record);
		wait_for_writer(fixture);
		if (!before)
			heard(fixture, &(struct call_record){.id = str_of(id)}, &well);
		heard(fixture, &(struct call_record){.id = str_of(id)}, &silent);
		wait_for_writer(fixture);
		read = read_record(fixture, id);
		expect_well(read->legs[1].quality);
		assert_null(read->legs[0].quality);
		assert_non_null(read->caller_quality);
		assert_int_equal(read->caller_quality->mos_hundred, 0);
		assert_true(str_equal(read->legs[1].anchor_reason, STR("prompt")));
		assert_true(str_empty(read->legs[0].anchor_reason));
		assert_int_equal(read->legs[1].number, 2);
		free(id);
	}
	fixture_close(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_quality WHERE kept_for = (SELECT "
						 "number FROM call_records WHERE id = record_id)"),
			    "4");
	assert_int_equal(database_open(str_of(fixture->url), DATABASE_WRITE, &database, sentence, sizeof sentence), 0);
	assert_int_equal(database_run(database, "DELETE FROM call_records", VALUES_NONE, NO_ROWS), ERR_NONE);
	database_close(database);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_quality"), "0"); // deleted with the record
}

static void two_relays_that_carried_a_leg_are_added_up(void **state)
{
	struct fixture *fixture = *state;
	struct call_record *record = new_record(30, 1700000000000);
	struct call_quality second = well;

	heard(fixture, record, &well);
	second.relay = STR("east");
	second.codec = STR_NONE;
	second.packets = 100;
	second.lost = 97;
	second.jitter_ms = 5;
	second.mos_hundred = 0;
	heard(fixture, record, &second);
	second.jitter_ms = 9;
	second.mos_hundred = 210;
	heard(fixture, record, &second);
	save(fixture, record);
	wait_for_writer(fixture);
	const struct call_quality *quality = read_record(fixture, "00000000000000000000000030")->legs[1].quality;
	assert_int_equal(quality->packets, 1100);
	assert_int_equal(quality->lost, 197);
	assert_int_equal(quality->jitter_ms, 9);
	assert_int_equal(quality->mos_hundred, 210); // the worst of them
	assert_true(str_equal(quality->relay, STR("east")));
	assert_true(str_equal(quality->codec, STR("PC?")));
	assert_int_equal(store_count(fixture->store).heard.count, 2);
}

static void what_the_network_calls_itself_becomes_valid_text(void **state)
{
	struct fixture *fixture = *state;
	struct call_record *record = new_record(8, 1700000000000), *read;

	record->caller_name = (struct str){"Mal\xFFlory\0\xE2\x82", 11};
	save(fixture, record);
	wait_for_writer(fixture);
	read = read_record(fixture, "00000000000000000000000008");
	assert_true(str_equal(read->caller_name, STR("Mal?lory???")));
}

static void the_list_shows_the_newest_first_in_pages(void **state)
{
	struct fixture *fixture = *state;
	struct record_query query = {.limit = 3};
	struct record_page page;
	unsigned seen = 0;

	for (unsigned i = 0; i < 10; i++)
		save(fixture, new_record(i, 1700000000000 + i / 2)); // two each share their start
	wait_for_writer(fixture);
	do {
		assert_int_equal(
		    fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page), ERR_NONE);
		for (size_t i = 0; i < page.count; i++) {
			char id[32];
			snprintf(id, sizeof id, "%026u", 9 - seen++);
			assert_true(str_equal(page.records[i]->id, str_of(id)));
			assert_int_equal(page.records[i]->leg_count, 0);
		}
		query.cursor = page.next;
	} while (!str_empty(page.next));
	assert_int_equal(seen, 10);
	query = (struct record_query){.limit = 100, .from = 1700000000001, .to = 1700000000003};
	assert_int_equal(fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page),
			 ERR_NONE);
	assert_int_equal(page.count, 4);
	query = (struct record_query){.limit = 100, .q = STR("JANE")};
	assert_int_equal(fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page),
			 ERR_NONE);
	assert_int_equal(page.count, 10);
	query = (struct record_query){.limit = 100, .q = STR("nobody")};
	assert_int_equal(fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page),
			 ERR_NONE);
	assert_int_equal(page.count, 0);
	query = (struct record_query){.limit = 100, .cursor = STR("yesterday")};
	assert_int_equal(fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page),
			 ERR_MALFORMED);
}

static size_t records_found(struct fixture *fixture, struct record_query query)
{
	struct record_page page;

	query.limit = 100;
	assert_int_equal(fixture->records->record_list(fixture->records->context, &query, &fixture->arena, &page),
			 ERR_NONE);
	return page.count;
}

// Record 0 comes from Bob's device to Jane and rings devices 1 and 3; 1 comes over trunk 5; 2 leads outside and is busy.
static void records_are_found_by_who_what_and_how(void **state)
{
	struct fixture *fixture = *state;
	struct call_record *record = new_record(0, 1700000000000);

	record->legs[1].planned_start_ms = 10000;
	record->legs[1].planned_stop_ms = 30000;
	save(fixture, record);
	record = new_record(1, 1700000001000);
	record->caller_user_id = 0;
	record->caller_trunk_id = 5;
	record->leg_count = 1;
	save(fixture, record);
	record = new_record(2, 1700000002000);
	record->callee_user_id = 0;
	record->outcome = OUTCOME_BUSY;
	record->caller_device_id = 7;
	record->leg_count = 0;
	save(fixture, record);
	wait_for_writer(fixture);
	record = read_record(fixture, "00000000000000000000000000");
	assert_int_equal(record->legs[1].planned_start_ms, 10000);
	assert_int_equal(record->legs[1].planned_stop_ms, 30000);
	assert_int_equal(records_found(fixture, (struct record_query){.user_id = 2}), 2);
	assert_int_equal(records_found(fixture, (struct record_query){.user_id = 1}), 2);
	assert_int_equal(records_found(fixture, (struct record_query){.user_id = 3}), 0);
	assert_int_equal(records_found(fixture, (struct record_query){.device_id = 1}), 2);
	assert_int_equal(records_found(fixture, (struct record_query){.device_id = 3}), 1);
	assert_int_equal(records_found(fixture, (struct record_query){.device_id = 7}), 1);
	assert_int_equal(records_found(fixture, (struct record_query){.outcome = "busy"}), 1);
	assert_int_equal(records_found(fixture, (struct record_query){.direction = DIRECTION_INCOMING}), 1);
	assert_int_equal(records_found(fixture, (struct record_query){.direction = DIRECTION_INTERNAL}), 1);
	assert_int_equal(records_found(fixture, (struct record_query){.direction = DIRECTION_OUTGOING}), 1);
	assert_int_equal(records_found(fixture, (struct record_query){.direction = DIRECTION_OUTGOING,
								      .outcome = "busy",
								      .user_id = 2,
								      .q = STR("bob"),
								      .device_id = 7}),
			 1);
}

static void a_record_given_twice_is_one(void **state)
{
	struct fixture *fixture = *state;

	save(fixture, new_record(1, 1700000000000));
	save(fixture, new_record(1, 1700000000000));
	wait_for_writer(fixture);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM call_legs"), "2");
	assert_int_equal(store_count(fixture->store).records_kept, 0);
}

// ---- registrations

struct loaded {
	struct fixture *fixture;
	unsigned entities, bindings;
	struct binding last; // texts copied
};

static bool take_entity(void *context, const struct entity *entity)
{
	struct loaded *loaded = context;

	assert_true(entity->id > 0);
	loaded->entities++;
	return true;
}

static bool take_binding(void *context, const struct binding *binding)
{
	struct loaded *loaded = context;
	struct arena *arena = &loaded->fixture->arena;

	loaded->bindings++;
	loaded->last = *binding;
	loaded->last.contact = arena_copy(arena, binding->contact);
	loaded->last.instance = arena_copy(arena, binding->instance);
	loaded->last.call_id = arena_copy(arena, binding->call_id);
	loaded->last.path = arena_copy(arena, binding->path);
	loaded->last.user_agent = arena_copy(arena, binding->user_agent);
	return true;
}

static struct loaded load(struct fixture *fixture)
{
	struct loaded loaded = {.fixture = fixture};
	const struct store_visitor visitor = {take_entity, take_binding, &loaded};
	char sentence[256];

	assert_true(store_load(fixture->store, &visitor, sentence, sizeof sentence));
	return loaded;
}

static void answer_times_are_those_of_the_device(void **state)
{
	struct fixture *fixture = *state;
	struct answer_time *times;
	size_t count;

	for (unsigned i = 0; i < 3; i++)
		save(fixture, new_record(i, 1700000000000 + i * 60000));
	wait_for_writer(fixture);
	assert_int_equal(fixture->records->answer_times(fixture->records->context, 3, &fixture->arena, &times, &count),
			 ERR_NONE);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(times[i].kind, ANSWER_CONFIRMED);
		assert_int_equal(times[i].ms, 5000); // no 180 came: since the INVITE
	}
	assert_int_equal(fixture->records->answer_times(fixture->records->context, 99, &fixture->arena, &times, &count),
			 ERR_NONE);
	assert_int_equal(count, 0);
}

static void a_binding_comes_back_whole(void **state)
{
	struct fixture *fixture = *state;
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	struct binding binding = new_binding(device, "sip:330@10.0.0.7:5062;transport=tcp", 17);
	struct loaded loaded;

	binding.q = 700;
	binding.reg_id = 2;
	binding.behind_nat = true;
	binding.flow.transport = TRANSPORT_TCP;
	binding.flow.listener = 3;
	binding.instance = STR("<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>");
	binding.path = STR("<sip:edge.example.com;lr>");
	binding.user_agent = STR("Phone \xFF 1.0");
	assert_true(net_address_parse(STR("2001:db8::7"), 5062, &binding.flow.remote));
	assert_int_equal(binding_save(fixture, binding), ERR_NONE);
	loaded = load(fixture);
	assert_int_equal(loaded.entities, 2); // the device, and the settings
	assert_int_equal(loaded.bindings, 1);
	assert_int_equal(loaded.last.device_id, device);
	assert_int_equal(loaded.last.expires_at_ms, binding.expires_at_ms);
	assert_int_equal(loaded.last.cseq, 17);
	assert_int_equal(loaded.last.q, 700);
	assert_int_equal(loaded.last.reg_id, 2);
	assert_true(loaded.last.behind_nat);
	assert_int_equal(loaded.last.flow.transport, TRANSPORT_TCP);
	assert_int_equal(loaded.last.flow.listener, 3);
	assert_int_equal(loaded.last.flow.connection, 0);
	assert_true(net_address_equal(&loaded.last.flow.remote, &binding.flow.remote));
	assert_true(str_equal(loaded.last.contact, binding.contact));
	assert_true(str_equal(loaded.last.instance, binding.instance));
	assert_true(str_equal(loaded.last.call_id, binding.call_id));
	assert_true(str_equal(loaded.last.path, binding.path));
	assert_true(str_equal(loaded.last.user_agent, STR("Phone ? 1.0")));
}

static void bindings_are_replaced_removed_and_forgotten(void **state)
{
	struct fixture *fixture = *state;
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	struct str removed = STR("sip:a@192.0.2.7");
	struct registration registration = {.write = {.device_id = device, .removed = &removed, .removed_count = 1}};
	struct binding expired = new_binding(device, "sip:old@192.0.2.7", 1);

	assert_int_equal(binding_save(fixture, new_binding(device, "sip:a@192.0.2.7", 1)), ERR_NONE);
	assert_int_equal(binding_save(fixture, new_binding(device, "sip:b@192.0.2.7", 1)), ERR_NONE);
	assert_int_equal(binding_save(fixture, new_binding(device, "sip:b@192.0.2.7", 2)), ERR_NONE);
	expired.expires_at_ms = now_ms() - 1;
	assert_int_equal(binding_save(fixture, expired), ERR_NONE);
	assert_int_equal(load(fixture).bindings, 2); // the expired one is not given
	assert_int_equal(save_and_wait(fixture, &registration), ERR_NONE);
	assert_int_equal(load(fixture).bindings, 1);
	assert_int_equal(load(fixture).last.cseq, 2);
	registration.write.remove_all = true;
	assert_int_equal(save_and_wait(fixture, &registration), ERR_NONE);
	assert_int_equal(load(fixture).bindings, 0);
	// A device that nobody knows.
	assert_int_equal(binding_save(fixture, new_binding(99, "sip:a@192.0.2.7", 1)), ERR_NOT_FOUND);
}

static bool refuse_binding(void *context, const struct binding *binding)
{
	(void)context;
	(void)binding;
	return false;
}

static void a_visitor_that_refuses_ends_the_loading(void **state)
{
	struct fixture *fixture = *state;
	struct loaded loaded = {.fixture = fixture};
	const struct store_visitor visitor = {take_entity, refuse_binding, &loaded};
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	char sentence[256] = "";

	assert_int_equal(binding_save(fixture, new_binding(device, "sip:a@192.0.2.7", 1)), ERR_NONE);
	assert_false(store_load(fixture->store, &visitor, sentence, sizeof sentence));
	assert_true(strlen(sentence) > 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(how_a_leg_was_heard_may_come_before_the_record_or_after_it),
	    TEST(two_relays_that_carried_a_leg_are_added_up),
	    TEST(a_record_comes_back_with_its_legs),
	    TEST(what_the_network_calls_itself_becomes_valid_text),
	    TEST(the_list_shows_the_newest_first_in_pages),
	    TEST(records_are_found_by_who_what_and_how),
	    TEST(a_record_given_twice_is_one),
	    TEST(answer_times_are_those_of_the_device),
	    TEST(a_binding_comes_back_whole),
	    TEST(bindings_are_replaced_removed_and_forgotten),
	    TEST(a_visitor_that_refuses_ends_the_loading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
