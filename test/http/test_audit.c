// The audit log, undo, and what somebody is told whose change came too late; on a real database.
#include "http/real_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

static const json_t *change_of(const json_t *entry, const char *field)
{
	const json_t *change;
	size_t i;
	json_array_foreach(json_object_get(entry, "changes"), i,
			   change) if (strcmp(text(change, "field"), field) == 0) return change;
	return NULL;
}

// The newest entry of a query; the reply must be freed.
static const json_t *newest(struct fixture *f, const char *query, struct reply *reply)
{
	char path[256];
	snprintf(path, sizeof path, "/api/v1/audit?%s", query);
	*reply = ask(f, &f->admin, "GET", path, NULL);
	assert_int_equal(reply->status, 200);
	return json_array_get(json_object_get(reply->json, "items"), 0);
}

static unsigned newest_id(struct fixture *f, const char *query)
{
	struct reply reply;
	unsigned id = (unsigned)atoi(text(newest(f, query, &reply), "id"));
	reply_free(&reply);
	return id;
}

static struct reply undo(struct fixture *f, unsigned id)
{
	char path[64];
	snprintf(path, sizeof path, "/api/v1/audit/%u/undo", id);
	return ask(f, &f->admin, "POST", path, "{}");
}

static void a_change_is_told_field_by_field(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\"}");
	const json_t *entry = newest(f, "entity=device&entity_id=1", &reply);
	assert_string_equal(text(entry, "action"), "create");
	assert_string_equal(text(entry, "actor"), "admin");
	assert_string_equal(text(entry, "via"), "console");
	assert_string_equal(text(entry, "address"), "127.0.0.1");
	assert_string_equal(text(entry, "label"), "330");
	assert_true(json_is_null(json_object_get(change_of(entry, "title"), "before")));
	assert_string_equal(text(change_of(entry, "title"), "after"), "Desk");
	assert_null(change_of(entry, "call_limit")); // at its default
	expect(reply, 200);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"title\":\"a\\tb\\\\n\",\"call_limit\":3}"), 422);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1",
		   "{\"description\":\"a\\tb\\n\\\\n\",\"call_limit\":3,\"confirm\":true}"),
	       200);
	entry = newest(f, "entity=device&entity_id=1", &reply);
	assert_string_equal(text(entry, "action"), "update");
	assert_int_equal(json_array_size(json_object_get(entry, "changes")), 3);
	assert_string_equal(text(change_of(entry, "description"), "before"), "");
	assert_string_equal(text(change_of(entry, "description"), "after"), "a\tb\n\\n");
	assert_int_equal(json_integer_value(json_object_get(change_of(entry, "call_limit"), "before")), 0);
	assert_int_equal(json_integer_value(json_object_get(change_of(entry, "call_limit"), "after")), 3);
	assert_true(json_is_true(json_object_get(change_of(entry, "confirm"), "after")));
	expect(reply, 200);
	unsigned id = newest_id(f, "entity=device");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"call_limit\":3}"), 200); // nothing differs
	assert_int_equal(newest_id(f, "entity=device"), id);
}

static void no_secret_gets_into_it(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\",\"password\":\"opensesame1\"}");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/trunks/1", "{\"password\":\"opensesame2\"}"), 200);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"password\":\"opensesame3xx\"}"), 200);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	expect(ask(f, &f->admin, "POST", "/api/v1/devices/1/password", "{}"), 200);
	create(f, "/api/v1/tokens", "{\"title\":\"t\",\"role\":\"admin\"}");
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"opensesame4\",\"password\":\"opensesame5\"}"), 401);
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"jane\",\"password\":\"opensesame6\"}"), 401);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/audit?limit=1000", NULL);
	assert_int_equal(reply.status, 200);
	assert_null(strstr(reply.body, "opensesame"));
	assert_null(strstr(reply.body, "argon2"));
	assert_null(strstr(reply.body, "ha1"));
	assert_null(strstr(reply.body, "secret_hash"));
	assert_null(strstr(reply.body, "csrf"));
	reply_free(&reply);
	const json_t *change = change_of(newest(f, "entity=user&entity_id=2", &reply), "password");
	assert_string_equal(text(change, "after"), "changed");
	assert_true(json_is_true(json_object_get(change, "secret")));
	expect(reply, 200);
	assert_non_null(change_of(newest(f, "entity=device&action=update", &reply), "sip_password"));
	expect(reply, 200);
	reply = undo(f, newest_id(f, "entity=trunk&action=update"));
	assert_string_equal(text(reply.json, "code"), "not_undoable");
	expect(reply, 409);
}

static void who_comes_and_goes_is_told(void **state)
{
	struct fixture *f = *state;
	struct reply reply;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	struct caller jane = sign_in(f, "jane", PASSWORD);
	const json_t *entry = newest(f, "action=sign_in", &reply);
	assert_string_equal(text(entry, "actor"), "jane");
	assert_string_equal(text(entry, "label"), "jane (510)");
	expect(reply, 200);
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	entry = newest(f, "action=select&actor_id=2", &reply);
	assert_string_equal(text(entry, "label"), "330");
	expect(reply, 200);
	expect(ask(f, &jane, "DELETE", "/api/v1/session", NULL), 204);
	assert_string_equal(text(newest(f, "action=release&q=JANE", &reply), "label"), "330");
	expect(reply, 200);
	assert_string_equal(text(newest(f, "action=sign_out", &reply), "actor"), "jane");
	expect(reply, 200);
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"jane\",\"password\":\"wrong horse\"}"), 401);
	assert_string_equal(text(newest(f, "action=sign_in_failed", &reply), "label"), "jane");
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"robot\",\"role\":\"admin\"}");
	struct caller robot = {.cookie = ""};
	snprintf(robot.token, sizeof robot.token, "%s", text_of(&reply, "secret"));
	reply_free(&reply);
	expect(ask(f, &robot, "PATCH", "/api/v1/devices/1", "{\"title\":\"x\"}"), 200);
	entry = newest(f, "entity=device", &reply);
	assert_string_equal(text(entry, "via"), "token");
	assert_string_equal(text(entry, "token"), "robot");
	assert_string_equal(text(entry, "actor"), "admin");
	expect(reply, 200);
	expect(ask_with(f, &robot, "PATCH /api/v1/devices/1", "User-Agent: carillon/1\r\n", "{\"title\":\"y\"}"), 200);
	assert_string_equal(text(newest(f, "entity=device", &reply), "via"), "client");
	expect(reply, 200);
	expect(ask(f, &jane, "GET", "/api/v1/audit", NULL), 401);
	jane = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &jane, "GET", "/api/v1/audit", NULL), 403);
}

static void a_change_is_undone_where_nothing_newer_is_in_the_way(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\"}");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"title\":\"Hall\",\"call_limit\":1}"), 200);
	unsigned first = newest_id(f, "entity=device");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"description\":\"by the door\"}"), 200);
	expect(undo(f, first), 200); // another field's change is in nobody's way
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices/1", NULL);
	assert_string_equal(text(reply.json, "title"), "Desk");
	assert_string_equal(text(reply.json, "description"), "by the door");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "call_limit")), 0);
	expect(reply, 200);
	unsigned undoing = newest_id(f, "entity=device");
	assert_int_equal(atoi(text(newest(f, "entity=device", &reply), "undoes")), first);
	expect(reply, 200);
	reply = undo(f, first);
	assert_string_equal(text(reply.json, "code"), "overtaken");
	expect(reply, 409);
	expect(undo(f, undoing), 200); // and so back again
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"title\":\"Kitchen\"}"), 200);
	unsigned kitchen = newest_id(f, "entity=device");
	reply = undo(f, kitchen - 1);
	assert_string_equal(text(reply.json, "code"), "overtaken");
	const json_t *field = json_array_get(json_object_get(reply.json, "field"), 0);
	assert_string_equal(text(field, "name"), "title");
	assert_int_equal(atoi(text(field, "other_id")), kitchen);
	assert_non_null(strstr(text(reply.json, "detail"), "admin, "));
	expect(reply, 409);
	expect(undo(f, 999999), 404);
}

static void what_was_made_is_deleted_and_what_was_deleted_made_again(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\"}");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"331\"}");
	unsigned made = newest_id(f, "entity=device");
	expect(undo(f, made), 200);
	expect(ask(f, &f->admin, "GET", "/api/v1/devices/2", NULL), 404);
	expect(undo(f, made), 409);
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\",\"start_s\":5,\"ring_s\":9}]}"),
	       200);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/devices/1?release=true", NULL), 204);
	struct reply reply = undo(f, newest_id(f, "entity=device&action=delete&entity_id=1"));
	assert_string_equal(text(reply.json, "entity_id"), "1");
	assert_int_equal(strlen(text(reply.json, "sip_password")), 20);
	assert_string_equal(json_string_value(json_array_get(json_object_get(reply.json, "lost"), 0)), "sip_password");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/users/2/ring-plan", NULL);
	const json_t *turn = json_array_get(json_object_get(reply.json, "turns"), 0);
	assert_string_equal(text(turn, "number"), "330");
	assert_int_equal(json_integer_value(json_object_get(turn, "start_s")), 5);
	expect(reply, 200);
	// Whose number somebody else has by now cannot come back.
	expect(ask(f, &f->admin, "DELETE", "/api/v1/users/3", NULL), 204);
	unsigned gone = newest_id(f, "entity=user&action=delete");
	create(f, "/api/v1/users", "{\"name\":\"rob\",\"title\":\"Rob\",\"extension\":\"520\"}");
	expect_field(undo(f, gone), 409, "extension", "not_unique");
	expect(ask(f, &f->admin, "GET", "/api/v1/users/3", NULL), 404);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/users/5", NULL), 204);
	reply = undo(f, gone);
	assert_string_equal(text(reply.json, "entity_id"), "3");
	char password[64];
	snprintf(password, sizeof password, "%s", text(reply.json, "password"));
	expect(reply, 200);
	sign_in(f, "bob", password);
}

// The log holds no secret, so neither a PIN comes back nor what a trunk signs in with: the answer names them.
static void what_must_be_set_anew_is_named(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/3", "{\"pin\":\"4711\"}"), 200);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/users/3", NULL), 204);
	struct reply reply = undo(f, newest_id(f, "entity=user&action=delete"));
	const json_t *lost = json_object_get(reply.json, "lost");
	assert_int_equal(json_array_size(lost), 2);
	assert_string_equal(json_string_value(json_array_get(lost, 0)), "password");
	assert_string_equal(json_string_value(json_array_get(lost, 1)), "pin");
	assert_true(strlen(text(reply.json, "password")) > 8);
	assert_null(json_object_get(reply.json, "pin"));
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/users/3", NULL);
	assert_true(json_is_false(json_object_get(reply.json, "has_pin")));
	expect(reply, 200);
	create(f, "/api/v1/trunks",
	       "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\",\"username\":\"us\",\"password\":\"s3cret\"}");
	expect(ask(f, &f->admin, "DELETE", "/api/v1/trunks/1", NULL), 204);
	reply = undo(f, newest_id(f, "entity=trunk&action=delete"));
	assert_int_equal(json_array_size(json_object_get(reply.json, "lost")), 1);
	assert_null(json_object_get(reply.json, "password"));
	expect(reply, 200);
}

static void a_stale_change_is_told_what_the_other_changed(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\"}");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"title\":\"Hall\"}"), 200);
	static const char *const requests[] = {"PATCH /api/v1/devices/1", "PUT /api/v1/devices/1",
					       "DELETE /api/v1/devices/1", "POST /api/v1/devices/1/password"};
	for (size_t i = 0; i < 4; i++) {
		struct reply reply = ask_with(f, &f->admin, requests[i], "If-Match: \"1\"\r\n",
					      i < 2    ? "{\"kind\":\"sip_phone\",\"number\":\"330\"}"
					      : i == 3 ? "{}"
						       : NULL);
		const json_t *changes = json_object_get(reply.json, "changes");
		assert_int_equal(json_array_size(changes), 1);
		assert_string_equal(text(json_array_get(changes, 0), "actor"), "admin");
		const json_t *title = change_of(json_array_get(changes, 0), "title");
		assert_string_equal(text(title, "before"), "Desk");
		assert_string_equal(text(title, "after"), "Hall");
		assert_string_equal(text(json_object_get(reply.json, "present"), "title"), "Hall");
		char etag[32];
		assert_string_equal(reply_header(&reply, "ETag", etag, sizeof etag), "\"2\"");
		expect(reply, 412);
	}
	struct reply reply = ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"version\":1,\"title\":\"x\"}");
	assert_int_equal(json_array_size(json_object_get(reply.json, "changes")), 1);
	expect(reply, 412);
	reply = ask_with(f, &f->admin, "PUT /api/v1/users/2/ring-plan", "If-Match: \"9\"\r\n",
			 "{\"strategy\":\"at_once\",\"turns\":[]}");
	assert_true(json_is_array(json_object_get(json_object_get(reply.json, "present"), "turns")));
	expect(reply, 412);
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
	    SERVED(a_change_is_told_field_by_field),
	    SERVED(no_secret_gets_into_it),
	    SERVED(who_comes_and_goes_is_told),
	    SERVED(a_change_is_undone_where_nothing_newer_is_in_the_way),
	    SERVED(what_must_be_set_anew_is_named),
	    SERVED(what_was_made_is_deleted_and_what_was_deleted_made_again),
	    SERVED(a_stale_change_is_told_what_the_other_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
