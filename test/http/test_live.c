// What is going on and what has been: registrations, calls, call records.
#include "http/fixture.h"

#include "base/queue.h"
#include "domain/registration.h"

#include <stdio.h>
#include <string.h>

static const json_t *item(const struct reply *reply, size_t index)
{
	return json_array_get(json_object_get(reply->json, "items"), index);
}

static const char *item_text(const struct reply *reply, size_t index, const char *name)
{
	const char *text = json_string_value(json_object_get(item(reply, index), name));
	return text ? text : "";
}

// ---- registrations

enum { BINDINGS = 25 };

static void bindings_add(void *context)
{
	struct fixture *f = context;
	for (unsigned i = 0; i < BINDINGS; i++) {
		char contact[64];
		unsigned device = i * 7 % BINDINGS; // in no order
		snprintf(contact, sizeof contact, "sip:%u@192.0.2.1:5060", 300 + device);
		struct binding binding = {.device_id = device / 5 + 1,
					  .expires_at_ms = 4000000000000,
					  .contact = str_of(contact),
					  .call_id = STR("a"),
					  .user_agent = STR("Phone/1 \xFF")};
		net_address_parse(STR("192.0.2.9"), 5062, &binding.flow.remote);
		assert_true(registrations_restore(f->registrations, &binding));
	}
}

static void registrations_are_listed_by_pages(void **state)
{
	struct fixture *f = *state;
	char path[256] = "/api/v1/registrations?limit=10", last[64] = "";
	size_t seen = 0;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\"}");
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\"}]}"),
	       200);
	on_call_thread(f, bindings_add, f);
	for (int pages = 1; path[0]; pages++) {
		struct reply reply = ask(f, &f->admin, "GET", path, NULL);
		assert_int_equal(reply.status, 200);
		assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), BINDINGS);
		for (size_t i = 0; item(&reply, i); i++, seen++) {
			assert_true(strcmp(item_text(&reply, i, "contact"), last) > 0);
			snprintf(last, sizeof last, "%s", item_text(&reply, i, "contact"));
		}
		char cursor[128] = "";
		for (const char *c = text_of(&reply, "next"); *c; c++)
			snprintf(cursor + strlen(cursor), sizeof cursor - strlen(cursor), *c == ' ' ? "%%20" : "%c",
				 *c);
		path[0] = '\0';
		if (cursor[0])
			snprintf(path, sizeof path, "/api/v1/registrations?limit=10&cursor=%s", cursor);
		else
			assert_int_equal(pages, 3);
		reply_free(&reply);
	}
	assert_int_equal(seen, BINDINGS);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/registrations?device_id=1", NULL);
	assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 5);
	assert_string_equal(item_text(&reply, 0, "number"), "330");
	assert_string_equal(item_text(&reply, 0, "extension"), "510");
	assert_string_equal(item_text(&reply, 0, "remote"), "192.0.2.9:5062");
	assert_string_equal(item_text(&reply, 0, "user_agent"), "Phone/1 \uFFFD");
	assert_string_equal(item_text(&reply, 0, "expires_at"), "2096-10-02T07:06:40.000Z");
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/registrations?cursor=x", NULL), 422, "cursor", "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/registrations?device_id=0", NULL), 422, "device_id",
		     "invalid_field");
}

// ---- calls

static void calls_are_shown_and_hung_up(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/calls", NULL);
	assert_string_equal(item_text(&reply, 0, "id"), "7");
	assert_string_equal(item_text(&reply, 0, "caller_name"), "B\uFFFDb");
	assert_string_equal(item_text(&reply, 0, "started_at"), "2023-11-14T22:13:20.000Z");
	const json_t *leg = json_array_get(json_object_get(item(&reply, 0), "legs"), 0);
	assert_string_equal(json_string_value(json_object_get(leg, "state")), "ringing");
	assert_true(json_is_null(json_object_get(leg, "answered_at")));
	expect(reply, 200);
	expect(ask(f, &f->admin, "POST", "/api/v1/calls/7/move", "{\"device_id\":\"1\"}"), 202);
	expect(ask(f, &f->admin, "POST", "/api/v1/calls/7/move", "{\"device_id\":\"3\"}"), 403);
	expect(ask(f, &f->admin, "POST", "/api/v1/calls/8/move", "{\"device_id\":\"1\"}"), 404);
	expect(ask(f, &f->admin, "POST", "/api/v1/calls/7/move", "{\"device_id\":\"2\"}"), 409);
	expect(ask(f, &f->admin, "POST", "/api/v1/calls/7/move", "{\"device\":\"1\"}"), 422);
	expect(ask(f, &f->admin, "POST", "/api/v1/calls/7/move", "{\"device_id\":\"1\",\"when\":\"now\"}"), 422);
	assert_int_equal(fake_calls_moves(), 1); // whatever is refused is not done
	expect(ask(f, &f->admin, "DELETE", "/api/v1/calls/8", NULL), 404);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/calls/x", NULL), 404);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/calls/7", NULL), 204);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/calls/7", NULL), 404);
}

// ---- call records

static void expect_quality(const json_t *quality, const char *text)
{
	char *shown = json_dumps(quality, JSON_COMPACT);
	assert_string_equal(shown, text);
	free(shown);
}

static void call_records_are_listed_and_told(void **state)
{
	struct fixture *f = *state;
	struct call_record *record = call_record_new(NULL);
	record->id = STR("01HF0000000000000000000001");
	record->started_at = 1700000000000;
	record->ended_at = 1700000009000;
	record->caller_number = STR("200");
	record->dialled = STR("510");
	record->outcome = OUTCOME_REFUSED;
	record->err = ERR_DO_NOT_DISTURB;
	record->legs = arena_alloc(&record->arena, 2 * sizeof *record->legs);
	record->leg_count = 2;
	record->legs[0] = (struct leg_record){
	    .device_id = 3, .device_number = STR("330"), .outcome = OUTCOME_NOT_RUNG, .reason = STR("Do not disturb.")};
	static const struct call_quality heard = {.relay = {"west", 4},
						  .codec = {"PCM\xFF", 4},
						  .packets = 990,
						  .lost = 10,
						  .jitter_ms = 4,
						  .mos_hundred = 385};
	static const struct call_quality silence = {.relay = {"west", 4}, .codec = {"", 0}};
	record->legs[1] =
	    (struct leg_record){.number = 1, .anchor_reason = STR("browser"), .outcome = 0, .quality = &heard};
	record->caller_quality = &silence;
	fake_records_add_call(f->records, record);
	struct reply reply =
	    ask(f, &f->admin, "GET", "/api/v1/call-records?from=2023-11-14&to=2023-11-15T00:00:00Z", NULL);
	assert_string_equal(item_text(&reply, 0, "outcome"), "refused");
	assert_null(json_object_get(item(&reply, 0), "legs"));
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/call-records?from=2023-11-15", NULL);
	assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 0);
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/call-records?from=yesterday", NULL), 422, "from",
		     "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/call-records?to=2023-13-01", NULL), 422, "to", "invalid_field");
	reply = ask(f, &f->admin, "GET", "/api/v1/call-records/01HF0000000000000000000001", NULL);
	assert_string_equal(text_of(&reply, "code"), "do_not_disturb");
	const json_t *leg = json_array_get(json_object_get(reply.json, "legs"), 0);
	assert_string_equal(json_string_value(json_object_get(leg, "outcome")), "not_rung");
	assert_string_equal(json_string_value(json_object_get(leg, "reason")), "Do not disturb.");
	assert_true(json_is_null(json_object_get(leg, "started_at")));
	assert_true(json_is_null(json_object_get(leg, "anchor_reason")));
	assert_true(json_is_null(json_object_get(leg, "quality")));
	leg = json_array_get(json_object_get(reply.json, "legs"), 1);
	assert_string_equal(json_string_value(json_object_get(leg, "anchor_reason")), "browser");
	expect_quality(json_object_get(leg, "quality"),
		       "{\"relay\":\"west\",\"codec\":\"PCM\uFFFD\",\"packets\":990,\"lost\":10,\"loss_percent\":1.0,"
		       "\"jitter_ms\":4,\"mos\":3.8500000000000001,\"rating\":\"fair\"}");
	expect_quality(
	    json_object_get(reply.json, "caller_quality"),
	    "{\"relay\":\"west\",\"codec\":\"\",\"packets\":0,\"lost\":0,\"loss_percent\":0.0,\"jitter_ms\":0,"
	    "\"mos\":null,\"rating\":null}");
	expect(reply, 200);
	expect(ask(f, &f->admin, "GET", "/api/v1/call-records/none", NULL), 404);
}

// ---- a call thread that does not come to it

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

static void be_busy(struct queue_item *item)
{
	(void)item;
	pthread_mutex_lock(&busy);
	pthread_mutex_unlock(&busy);
}

static void a_call_thread_that_hangs_costs_a_503_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct queue_item item = {.run = be_busy};
	pthread_mutex_lock(&busy);
	queue_post(f->queue, &item);
	expect(ask(f, NULL, "GET", "/readyz", NULL), 503);
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
	pthread_mutex_unlock(&busy);
	expect(ask(f, NULL, "GET", "/readyz", NULL), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(registrations_are_listed_by_pages),
	    SERVED(calls_are_shown_and_hung_up),
	    SERVED(call_records_are_listed_and_told),
	    SERVED(a_call_thread_that_hangs_costs_a_503_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
