// Many at once, and once only: bulk operations and idempotency keys; on a real database.
#include "http/real_store.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

static const json_t *problem(const struct reply *reply, size_t i)
{
	return json_array_get(json_object_get(reply->json, "problems"), i);
}

static void devices_make(struct fixture *f)
{
	for (int i = 1; i <= 4; i++) {
		char body[128];
		snprintf(body, sizeof body, "{\"kind\":\"sip_phone\",\"number\":\"33%d\"}", i);
		create(f, "/api/v1/devices", body);
	}
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"2\"},{\"device_id\":\"3\"}]}"),
	       200);
}

static void all_are_changed_or_none(void **state)
{
	struct fixture *f = *state;
	devices_make(f);
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/devices/bulk",
				 "{\"ids\":[\"1\",\"2\"],\"change\":{\"title\":\"Hall\"}}");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "count")), 2);
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/devices?title=Hall", NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 2);
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", "/api/v1/users/bulk",
		    "{\"ids\":[\"2\",\"99\",\"3\"],\"change\":{\"extension\":\"777\"}}");
	assert_string_equal(text(reply.json, "code"), "some_refused");
	assert_int_equal(json_array_size(json_object_get(reply.json, "problems")), 2);
	assert_string_equal(text(problem(&reply, 0), "id"), "99");
	assert_string_equal(text(problem(&reply, 0), "code"), "not_found");
	assert_string_equal(text(problem(&reply, 1), "id"), "3"); // Jane, 2, would have had it first
	assert_string_equal(text(problem(&reply, 1), "field"), "extension");
	assert_string_equal(text(problem(&reply, 1), "code"), "not_unique");
	expect(reply, 409);
	reply = ask(f, &f->admin, "GET", "/api/v1/users?extension=777", NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 0);
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", "/api/v1/devices/bulk",
		    "{\"ids\":[\"1\"],\"change\":{\"call_limit\":5000,\"number\":\"1\"}}");
	assert_int_equal(json_array_size(json_object_get(reply.json, "problems")), 2);
	expect(reply, 409);
	expect_field(ask(f, &f->admin, "POST", "/api/v1/devices/bulk", "{\"ids\":[\"1\"]}"), 422, "change",
		     "invalid_field");
	expect_field(ask(f, &f->admin, "POST", "/api/v1/devices/bulk", "{\"ids\":[1],\"delete\":true}"), 422, "ids",
		     "invalid_field");
	expect_field(ask(f, &f->admin, "POST", "/api/v1/devices/bulk", "{\"ids\":[],\"delete\":true}"), 422, "ids",
		     "invalid_field");
}

static void a_deletion_names_its_consequences(void **state)
{
	struct fixture *f = *state;
	devices_make(f);
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/devices/bulk",
				 "{\"ids\":[\"1\",\"2\",\"3\"],\"delete\":true,\"dry_run\":true}");
	assert_int_equal(json_array_size(json_object_get(reply.json, "problems")), 2);
	assert_string_equal(text(problem(&reply, 0), "id"), "2");
	assert_non_null(strstr(text(problem(&reply, 0), "sentence"), "jane (510)"));
	assert_string_equal(text(problem(&reply, 0), "other_id"), "2");
	expect(reply, 409);
	reply = ask(f, &f->admin, "POST", "/api/v1/devices/bulk",
		    "{\"ids\":[\"1\",\"2\",\"3\"],\"delete\":true,\"release\":true,\"dry_run\":true}");
	assert_true(json_is_true(json_object_get(reply.json, "dry_run")));
	expect(reply, 200);
	expect(ask(f, &f->admin, "GET", "/api/v1/devices/1", NULL), 200); // it was only a try
	expect(ask(f, &f->admin, "POST", "/api/v1/devices/bulk",
		   "{\"ids\":[\"1\",\"2\",\"3\"],\"delete\":true,\"release\":true}"),
	       200);
	reply = ask(f, &f->admin, "GET", "/api/v1/devices", NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 1);
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/users/2", NULL);
	assert_int_equal(json_array_size(json_object_get(reply.json, "turns")), 0);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "reachable_count")), 0);
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", "/api/v1/users/bulk", "{\"ids\":[\"1\",\"3\"],\"delete\":true}");
	assert_string_equal(text(problem(&reply, 0), "code"), "not_allowed"); // oneself
	expect(reply, 409);
	expect(ask(f, &f->admin, "GET", "/api/v1/users/3", NULL), 200);
}

static void a_key_makes_a_request_count_once(void **state)
{
	struct fixture *f = *state;
	static const char body[] = "{\"kind\":\"sip_phone\",\"number\":\"330\"}";
	static const char key[] = "Idempotency-Key: 5f2c\r\n";
	struct reply first = ask_with(f, &f->admin, "POST /api/v1/devices", key, body);
	assert_int_equal(first.status, 201);
	struct reply second = ask_with(f, &f->admin, "POST /api/v1/devices", key, body);
	char location[64], etag[64];
	assert_int_equal(second.status, 201);
	assert_string_equal(first.body, second.body); // the password too
	assert_string_equal(reply_header(&second, "Location", location, sizeof location), "/api/v1/devices/1");
	assert_string_equal(reply_header(&second, "ETag", etag, sizeof etag), "\"1\"");
	reply_free(&first);
	reply_free(&second);
	expect_field(ask_with(f, &f->admin, "POST /api/v1/devices", key, "{\"kind\":\"sip_phone\",\"number\":\"331\"}"),
		     422, "Idempotency-Key", "key_reused");
	expect(ask_with(f, &f->admin, "POST /api/v1/devices", "", body), 409); // without a key it counts again
	// A refusal is an answer, too.
	expect(ask_with(f, &f->admin, "POST /api/v1/devices", "Idempotency-Key: b\r\n", body), 409);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/devices/1", NULL), 204);
	expect(ask_with(f, &f->admin, "POST /api/v1/devices", "Idempotency-Key: b\r\n", body), 409);
	// Somebody else's key of the same text is another key.
	struct reply reply = ask(f, &f->admin, "PATCH", "/api/v1/users/3", "{\"role\":\"admin\"}");
	expect(reply, 200);
	struct caller bob = sign_in(f, "bob", PASSWORD);
	expect(ask_with(f, &bob, "POST /api/v1/devices", key, body), 201);
	char longest[256];
	snprintf(longest, sizeof longest, "Idempotency-Key: %0129d\r\n", 1);
	expect_field(ask_with(f, &f->admin, "POST /api/v1/devices", longest, body), 422, "Idempotency-Key",
		     "invalid_field");
}

static int setup(void **state)
{
	fixture_store = &real_store;
	return fixture_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	    SERVED(all_are_changed_or_none),
	    SERVED(a_deletion_names_its_consequences),
	    SERVED(a_key_makes_a_request_count_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
