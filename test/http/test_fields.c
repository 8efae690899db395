// Every field's limits, tried through the API as the field tables have them, and text that other languages would take for
// commands; on a real database.
#include "http/real_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum entity_kind kinds[] = {ENTITY_USER, ENTITY_DEVICE, ENTITY_TRUNK, ENTITY_ROUTE, ENTITY_DID};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct {
	const char *path, *right; // a body that is right
} bodies[KINDS] = {
    {"/api/v1/users", "{\"name\":\"joe\",\"title\":\"Joe\",\"extension\":\"540\"}"},
    {"/api/v1/devices", "{\"kind\":\"external\",\"number\":\"+44 1444 123456\"}"},
    {"/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\",\"username\":\"carillon\"}"},
    {"/api/v1/routes", "{\"trunk_id\":\"1\",\"pattern\":\"+44\"}"},
    {"/api/v1/dids", "{\"number\":\"+44 1444 200200\",\"user_id\":\"2\"}"},
};

// The body with this one field otherwise. Takes the reference to value.
static struct reply try_with(struct fixture *f, size_t kind, const char *field, json_t *value)
{
	json_t *body = json_loads(bodies[kind].right, 0, NULL);
	json_object_set_new(body, field, value);
	char *text = json_dumps(body, 0);
	struct reply reply = ask(f, &f->admin, "POST", bodies[kind].path, text);
	free(text);
	json_decref(body);
	return reply;
}

// Whatever it was: it is gone again.
static void forget(struct fixture *f, size_t kind, struct reply *reply)
{
	char path[128];
	if (reply->status == 201) {
		snprintf(path, sizeof path, "%s/%s", bodies[kind].path, text_of(reply, "id"));
		expect(ask(f, &f->admin, "DELETE", path, NULL), 204);
	}
	reply_free(reply);
}

static void refused(struct fixture *f, size_t kind, const struct field *field, json_t *value)
{
	expect_field(try_with(f, kind, field->name, value), 422, field->name, "invalid_field");
}

static void taken(struct fixture *f, size_t kind, const struct field *field, json_t *value)
{
	struct reply reply = try_with(f, kind, field->name, value);
	if (reply.status != 201)
		print_error("%s of %s: %s\n", field->name, bodies[kind].path, reply.body);
	assert_int_equal(reply.status, 201);
	forget(f, kind, &reply);
}

static json_t *long_text(int64_t length)
{
	char *text = malloc((size_t)length + 1);
	memset(text, '1', (size_t)length);
	text[length] = '\0';
	json_t *value = json_string(text);
	free(text);
	return value;
}

static void field_is_bounded(struct fixture *f, size_t kind, const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
		refused(f, kind, field, long_text(field->max + 1));
		refused(f, kind, field, json_string("a\x01z"));
		refused(f, kind, field, json_integer(7));
		if (field->min > 1)
			refused(f, kind, field, long_text(field->min - 1));
		break;
	case FIELD_INTEGER:
		refused(f, kind, field, json_integer(field->max + 1));
		refused(f, kind, field, json_integer(field->min - 1));
		refused(f, kind, field, json_real(1.5));
		refused(f, kind, field, json_string("1"));
		taken(f, kind, field, json_integer(field->max));
		taken(f, kind, field, json_integer(field->min));
		if (field->flags & FIELD_NULLABLE)
			taken(f, kind, field, json_null());
		break;
	case FIELD_BOOLEAN:
		refused(f, kind, field, json_string("true"));
		refused(f, kind, field, json_integer(1));
		taken(f, kind, field, json_true());
		break;
	case FIELD_CHOICE:
		refused(f, kind, field, json_string("neither"));
		refused(f, kind, field, json_integer(0));
		break;
	case FIELD_REFERENCE:
		refused(f, kind, field, json_string("999999"));
		refused(f, kind, field, json_integer(1));
		break;
	case FIELD_TIME:
		refused(f, kind, field, json_string("yesterday"));
		break;
	}
}

static void every_field_has_its_limits(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/trunks", "{\"title\":\"Other\",\"host\":\"192.0.2.1\"}");
	for (size_t kind = 0; kind < KINDS; kind++) {
		const struct entity_type *type = entity_type(kinds[kind]);
		for (size_t i = 0; i < type->field_count; i++)
			if (!(type->fields[i].flags & FIELD_READ_ONLY))
				field_is_bounded(f, kind, &type->fields[i]);
	}
}

// What is set by the server, or fixed, cannot be set by anybody else.
static void nobody_sets_what_the_server_sets(void **state)
{
	struct fixture *f = *state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		const struct entity_type *type = entity_type(kinds[kind]);
		for (size_t i = 0; i < type->field_count; i++) {
			const struct field *field = &type->fields[i];
			if (!(field->flags & FIELD_READ_ONLY))
				continue;
			struct reply reply = try_with(f, kind, field->name, json_string("1"));
			assert_int_equal(reply.status, 422);
			reply_free(&reply);
		}
	}
}

static const char *const commands[] = {
    "'; DROP TABLE users; --",
    "\" OR 1=1 --",
    "%' OR '1'='1",
    "$1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=HYPERLINK(\"http://192.0.2.1/\",\"x\")",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{7*7}} ${7*7} #{7*7}",
    "../../../../etc/passwd",
};

static char *escaped(const char *text)
{
	char *into = malloc(3 * strlen(text) + 1), *at = into;
	for (; *text; text++)
		at += sprintf(at, "%%%02X", (unsigned char)*text);
	return into;
}

static void text_is_text_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		json_t *body = json_pack("{ss ss ss ss}", "kind", "sip_phone", "number", "330", "title", commands[i],
					 "description", commands[i]);
		char *text = json_dumps(body, 0), *q = escaped(commands[i]), path[512];
		struct reply reply = ask(f, &f->admin, "POST", "/api/v1/devices", text);
		char id[32];
		snprintf(id, sizeof id, "%s", text_of(&reply, "id"));
		assert_string_equal(text_of(&reply, "title"), commands[i]);
		expect(reply, 201);
		const char *queries[] = {"q", "title", "description"};
		for (size_t j = 0; j < 3; j++) {
			snprintf(path, sizeof path, "/api/v1/devices?%s=%s&sort=title", queries[j], q);
			reply = ask(f, &f->admin, "GET", path, NULL);
			char type[64];
			assert_string_equal(reply_header(&reply, "Content-Type", type, sizeof type),
					    "application/json");
			assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 1);
			expect(reply, 200);
		}
		// Where a value of its own kind is wanted, or a name, it is refused.
		static const char *const wrong[] = {
		    "/api/v1/devices?sort=", "/api/v1/devices?kind=", "/api/v1/devices?held=",
		    "/api/v1/devices?holder_id=", "/api/v1/users?signed_in="};
		for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
			snprintf(path, sizeof path, "%s%s", wrong[j], q);
			reply = ask(f, &f->admin, "GET", path, NULL);
			assert_int_equal(reply.status, 422);
			reply_free(&reply);
		}
		snprintf(path, sizeof path, "/api/v1/devices?cursor=%s", q);
		reply = ask(f, &f->admin, "GET", path, NULL);
		assert_true(reply.status == 400 || reply.status == 422);
		reply_free(&reply);
		snprintf(path, sizeof path, "/api/v1/audit?q=%s&entity=%s&action=%s", q, q, q);
		expect(ask(f, &f->admin, "GET", path, NULL), 200);
		snprintf(path, sizeof path, "/api/v1/call-records?q=%s", q);
		expect(ask(f, &f->admin, "GET", path, NULL), 200);
		snprintf(path, sizeof path, "/api/v1/devices/%s", id);
		expect(ask(f, &f->admin, "DELETE", path, NULL), 204);
		free(q);
		free(text);
		json_decref(body);
	}
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users", NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 4);
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
	    SERVED(every_field_has_its_limits),
	    SERVED(nobody_sets_what_the_server_sets),
	    SERVED(text_is_text_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
