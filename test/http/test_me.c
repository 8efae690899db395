// Selecting a device for the session, and ring plans.
#include "domain/feature_code.h"
#include "http/fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void device_add(struct fixture *f, const char *number)
{
	char body[128];
	snprintf(body, sizeof body, "{\"kind\":\"sip_phone\",\"number\":\"%s\",\"available_for_selection\":true}",
		 number);
	create(f, "/api/v1/devices", body);
}

static void me_tells_who_and_what(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	device_add(f, "330");
	struct reply reply = ask(f, &jane, "GET", "/api/v1/me", NULL);
	assert_string_equal(text_of(&reply, "role"), "agent");
	assert_true(json_is_true(json_object_get(reply.json, "may_select")));
	assert_int_equal(json_array_size(json_object_get(reply.json, "devices")), 0);
	assert_null(strstr(reply.body, "hash"));
	expect(reply, 200);
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	reply = ask(f, &jane, "GET", "/api/v1/me", NULL);
	const json_t *device = json_array_get(json_object_get(reply.json, "devices"), 0);
	assert_string_equal(json_string_value(json_object_get(device, "number")), "330");
	assert_true(json_is_false(json_object_get(device, "registered")));
	expect(reply, 200);
}

static bool has_pin(struct fixture *f, const struct caller *who, const char *path)
{
	struct reply reply = ask(f, who, "GET", path, NULL);
	const json_t *said = json_object_get(reply.json, "has_pin");
	bool has = json_is_true(said);

	assert_true(json_is_boolean(said));
	assert_null(strstr(reply.body, "4711"));
	expect(reply, 200);
	return has;
}

static void a_pin_is_told_of_but_not_shown(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	char path[64];

	snprintf(path, sizeof path, "/api/v1/users/%" PRIu64, f->jane_id);
	assert_false(has_pin(f, &jane, "/api/v1/me"));
	assert_false(has_pin(f, &f->admin, path));
	expect(ask(f, &jane, "PATCH", "/api/v1/me", "{\"pin\":\"4711\"}"), 200);
	assert_true(has_pin(f, &jane, "/api/v1/me"));
	assert_true(has_pin(f, &f->admin, path));
	expect(ask(f, &jane, "PATCH", "/api/v1/me", "{\"pin\":\"\"}"), 200);
	assert_false(has_pin(f, &jane, "/api/v1/me"));
}

static void me_tells_the_codes_to_dial(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	struct reply reply = ask(f, &jane, "GET", "/api/v1/me", NULL);
	const json_t *codes = json_object_get(reply.json, "feature_codes");

	assert_string_equal(json_string_value(json_object_get(codes, "pick_up")), "*8");
	assert_string_equal(json_string_value(json_object_get(codes, "select_device")), "*70");
	assert_int_equal(json_object_size(codes), FEATURE_COUNT);
	expect(reply, 200);
}

static size_t selectable(struct fixture *f, const struct caller *who)
{
	struct reply reply = ask(f, who, "GET", "/api/v1/me/selectable-devices", NULL);
	size_t count = 0, i;
	const json_t *item;
	json_array_foreach(json_object_get(reply.json, "items"), i, item) count +=
	    json_is_null(json_object_get(item, "holder"));
	assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 2);
	expect(reply, 200);
	return count;
}

static void only_free_and_available_devices_are_offered(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD), bob = sign_in(f, "bob", PASSWORD);
	device_add(f, "330");
	device_add(f, "331");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"332\"}");
	assert_int_equal(selectable(f, &jane), 2);
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	assert_int_equal(selectable(f, &bob), 1);
	struct reply reply = ask(f, &bob, "GET", "/api/v1/me/selectable-devices?q=330", NULL);
	const json_t *taken = json_array_get(json_object_get(reply.json, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(taken, "holder"), "title")), "jane");
	expect(reply, 200);
	expect_field(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 409, "device_id",
		     "device_taken");
	expect_field(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"3\"}"), 403, "device_id",
		     "not_allowed");
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"99\"}"), 422);
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"2\"}"), 200); // changes her mind
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	expect(ask(f, &bob, "DELETE", "/api/v1/me/device", NULL), 204);
	expect(ask(f, &bob, "DELETE", "/api/v1/me/device", NULL), 404);
	assert_int_equal(selectable(f, &bob), 1);
}

static const char *state_now(struct fixture *f, const struct caller *who, char *into, size_t size)
{
	struct reply reply = ask(f, who, "GET", "/api/v1/me", NULL);
	snprintf(into, size, "%s", text_of(&reply, "state"));
	expect(reply, 200);
	return into;
}

static void do_not_disturb_is_ones_own_to_set(void **state)
{
	struct fixture *f = *state;
	char now[32];
	struct caller bob = sign_in(f, "bob", PASSWORD);
	assert_string_equal(state_now(f, &bob, now, sizeof now), "unreachable");
	struct reply reply = ask(f, &bob, "PATCH", "/api/v1/me", "{\"do_not_disturb\":true}");
	assert_string_equal(text_of(&reply, "state"), "do_not_disturb");
	expect(reply, 200);
	assert_string_equal(state_now(f, &bob, now, sizeof now), "do_not_disturb");
	expect(ask(f, &bob, "PATCH", "/api/v1/me", "{}"), 200);
	assert_string_equal(state_now(f, &bob, now, sizeof now), "do_not_disturb");
	expect_field(ask(f, &bob, "PATCH", "/api/v1/me", "{\"do_not_disturb\":\"yes\"}"), 422, "do_not_disturb",
		     "invalid_field");
	expect_field(ask(f, &bob, "PATCH", "/api/v1/me", "{\"role\":\"admin\"}"), 422, "role", "unknown_field");
	expect(ask(f, &bob, "PATCH", "/api/v1/me", "{\"do_not_disturb\":false}"), 200);
	assert_string_equal(state_now(f, &bob, now, sizeof now), "unreachable");
}

static void the_last_device_is_remembered(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	device_add(f, "330");
	struct reply reply = ask(f, &jane, "GET", "/api/v1/me", NULL);
	assert_true(json_is_null(json_object_get(reply.json, "last_device")));
	expect(reply, 200);
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	expect(ask(f, &jane, "DELETE", "/api/v1/session", NULL), 204);
	jane = sign_in(f, "jane", PASSWORD);
	reply = ask(f, &jane, "GET", "/api/v1/me", NULL);
	assert_true(json_is_null(json_object_get(reply.json, "selection")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(reply.json, "last_device"), "number")),
			    "330");
	expect(reply, 200);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"available_for_selection\":false}"), 200);
	reply = ask(f, &jane, "GET", "/api/v1/me", NULL);
	assert_true(json_is_null(json_object_get(reply.json, "last_device")));
	expect(reply, 200);
}

static void who_has_devices_assigned_selects_none(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	device_add(f, "330");
	device_add(f, "331");
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\"}]}"),
	       200);
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"2\"}"), 403);
}

// ---- two agents, one device, at the same moment

enum { ROUNDS = 100 };

struct racer {
	struct fixture *f;
	struct caller who;
	pthread_barrier_t *start;
	int statuses[ROUNDS];
};

static void *race(void *context)
{
	struct racer *racer = context;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(racer->start);
		struct reply reply = ask(racer->f, &racer->who, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}");
		racer->statuses[i] = reply.status;
		reply_free(&reply);
		pthread_barrier_wait(racer->start);
		reply = ask(racer->f, &racer->who, "DELETE", "/api/v1/me/device", NULL);
		reply_free(&reply);
	}
	return NULL;
}

static void of_two_who_select_at_once_one_gets_it(void **state)
{
	struct fixture *f = *state;
	pthread_barrier_t start;
	pthread_t threads[2];
	struct racer racers[2] = {{.f = f, .who = sign_in(f, "jane", PASSWORD), .start = &start},
				  {.f = f, .who = sign_in(f, "bob", PASSWORD), .start = &start}};
	device_add(f, "330");
	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	for (int i = 0; i < ROUNDS; i++) {
		int first = racers[0].statuses[i], second = racers[1].statuses[i];
		if (!((first == 200 && second == 409) || (first == 409 && second == 200)))
			fail_msg("round %d: %d and %d", i, first, second);
	}
}

// ---- ring plans

static void a_ring_plan_is_read_and_replaced(void **state)
{
	struct fixture *f = *state;
	device_add(f, "330");
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123456\"}");
	struct reply reply = ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
				 "{\"strategy\":\"in_sequence\",\"turns\":[{\"device_id\":\"2\",\"ring_s\":30},"
				 "{\"device_id\":\"1\",\"start_s\":5}]}");
	const json_t *turns = json_object_get(reply.json, "turns");
	assert_string_equal(json_string_value(json_object_get(json_array_get(turns, 0), "number")), "01444 123456");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(turns, 1), "ring_s")), 20);
	char *body = json_dumps(reply.json, 0);
	expect(reply, 200);
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan", body), 200); // what was read may be sent back
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan", body), 412); // once
	free(body);
	reply = ask(f, &f->admin, "GET", "/api/v1/users/2", NULL);
	assert_int_equal(json_array_size(json_object_get(reply.json, "turns")), 2);
	assert_string_equal(text_of(&reply, "strategy"), "in_sequence");
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "PUT", "/api/v1/users/3/ring-plan",
			 "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\"}]}"),
		     409, "turns", "device_taken");
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/3/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"2\"}]}"),
	       200); // an external number may be shared
}

static void everything_wrong_with_a_ring_plan_is_said(void **state)
{
	struct fixture *f = *state;
	device_add(f, "330");
	static const struct {
		const char *body, *name, *code;
	} wrong[] = {
	    {"{\"turns\":[]}", "strategy", "missing_field"},
	    {"{\"strategy\":\"random\",\"turns\":[]}", "strategy", "invalid_field"},
	    {"{\"strategy\":\"at_once\"}", "turns", "missing_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":{}}", "turns", "invalid_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[7]}", "turns", "invalid_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{}]}", "turns[0].device_id", "missing_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"9\"}]}", "turns[0].device_id", "invalid_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\",\"ring_s\":0}]}", "turns[0].ring_s",
	     "invalid_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\",\"ring_s\":601}]}", "turns[0].ring_s",
	     "invalid_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\",\"start_s\":-1}]}", "turns[0].start_s",
	     "invalid_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\",\"volume\":11}]}", "volume", "unknown_field"},
	    {"{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\"},{\"device_id\":\"1\"}]}", "turns",
	     "invalid_field"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		expect_field(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan", wrong[i].body), 422, wrong[i].name,
			     wrong[i].code);
}

static void a_preview_says_why_a_device_would_not_ring(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users/2/ring-plan/preview", NULL);
	const json_t *turn = json_array_get(json_object_get(reply.json, "turns"), 1);
	assert_string_equal(text_of(&reply, "extension"), "510");
	assert_string_equal(json_string_value(json_object_get(turn, "code")), "unreachable");
	assert_true(json_is_null(json_object_get(reply.json, "refused")));
	expect(reply, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(me_tells_who_and_what),
	    SERVED(a_pin_is_told_of_but_not_shown),
	    SERVED(me_tells_the_codes_to_dial),
	    SERVED(only_free_and_available_devices_are_offered),
	    SERVED(do_not_disturb_is_ones_own_to_set),
	    SERVED(the_last_device_is_remembered),
	    SERVED(who_has_devices_assigned_selects_none),
	    SERVED(of_two_who_select_at_once_one_gets_it),
	    SERVED(a_ring_plan_is_read_and_replaced),
	    SERVED(everything_wrong_with_a_ring_plan_is_said),
	    SERVED(a_preview_says_why_a_device_would_not_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
