// One number however it is spelt, and the site's way of dialling; on a real database.
#include "http/real_store.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

static void any_spelling_finds_a_number(void **state)
{
	static const char *const spellings[] = {"01444%20123456",     "%2B44%201444%20123456",    "0044%201444123456",
						"(01444)%2012-34-56", "%2B44%20(0)1444%20123456", "1444123456"};
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123456\"}");
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123457\"}");
	create(f, "/api/v1/dids", "{\"number\":\"+44 1444 123456\",\"user_id\":\"2\"}");
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		char path[128];
		snprintf(path, sizeof path, "/api/v1/devices?q=%s", spellings[i]);
		struct reply reply = ask(f, &f->admin, "GET", path, NULL);
		assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 1);
		expect(reply, 200);
		snprintf(path, sizeof path, "/api/v1/dids?q=%s", spellings[i]);
		reply = ask(f, &f->admin, "GET", path, NULL);
		assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 1);
		expect(reply, 200);
		snprintf(path, sizeof path, "/api/v1/call-records?q=%s", spellings[i]);
		expect(ask(f, &f->admin, "GET", path, NULL), 200);
	}
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices?q=01444", NULL); // the beginning of two
	assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 2);
	expect(reply, 200);
}

static void another_country_dials_in_another_way(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"030 2312 5000\"}");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"country\":\"XX\"}"), 422, "country",
		     "invalid_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"country\":\"US\"}"), 422, "country",
		     "bad_number");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"country\":\"DE\"}"), 200);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices?q=030%202312%205000", NULL);
	const json_t *device = json_array_get(json_object_get(reply.json, "items"), 0);
	assert_string_equal(text(device, "canonical"), "+493023125000");
	assert_string_equal(text(device, "number"), "030 2312 5000");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/numbers/explain?number=110", NULL);
	assert_string_equal(text(reply.json, "class"), "emergency");
	expect(reply, 200);
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
	    SERVED(any_spelling_finds_a_number),
	    SERVED(another_country_dials_in_another_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
