// Whoever may not, cannot: every operation of routes.def with tokens of each role and each scope. And what other languages would take
// for commands is text in every field, in lists, and in the tables that spreadsheets open. On a real database.
#include "http/real_store.h"
#include "http/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- tokens

static struct caller token_with(struct fixture *f, const char *role, const char *scopes)
{
	struct caller token = {.cookie = ""};
	char body[256];
	snprintf(body, sizeof body, "{\"title\":\"t\",\"role\":\"%s\",\"scopes\":\"%s\"}", role, scopes);
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", body);
	snprintf(token.token, sizeof token.token, "%s", text_of(&reply, "secret"));
	expect(reply, 201);
	return token;
}

// About something that there is not, and with a body that nothing takes: nobody loses anything where it is let through.
static struct reply knock(struct fixture *f, const struct caller *who, const struct operation *operation)
{
	char path[256];
	const char *place = strstr(operation->path, "{id}");
	bool body =
	    operation->method == METHOD_POST || operation->method == METHOD_PUT || operation->method == METHOD_PATCH;
	if (place)
		snprintf(path, sizeof path, "%.*s999%s", (int)(place - operation->path), operation->path, place + 4);
	else
		snprintf(path, sizeof path, "%s", operation->path);
	return ask(f, who, method_name(operation->method), path, body ? "{\"nonsense\":1}" : NULL);
}

// What calls are told to do needs a scope of its own.
static const char *scope_of(const struct operation *operation)
{
	if (operation->method == METHOD_GET)
		return "read";
	return strncmp(operation->path, "/api/v1/calls/", 14) == 0 ? "calls" : "write";
}

static bool role_may_use(enum role role, enum access access)
{
	if (access == ACCESS_ADMIN)
		return role == ROLE_ADMIN;
	if (access == ACCESS_READER)
		return role != ROLE_AGENT;
	return access != ACCESS_AGENT || role != ROLE_AUDITOR;
}

static void expect_knock(struct fixture *f, const struct caller *who, const struct operation *operation, bool may)
{
	if (may && operation->handler == me_sessions_delete)
		return; // it would end the administrator's, who is needed here
	struct reply reply = knock(f, who, operation);
	if ((reply.status != 403) != may)
		fail_msg("%s gave %d, and it %s", operation->id, reply.status, may ? "may" : "may not");
	reply_free(&reply);
}

static void a_token_gets_no_further_than_its_role(void **state)
{
	struct fixture *f = *state;
	for (int role = 0; role_names[role]; role++) {
		struct caller token = token_with(f, role_names[role], "read write calls");
		for (size_t i = 0; i < operation_count; i++)
			expect_knock(f, &token, &operations[i], role_may_use((enum role)role, operations[i].access));
	}
}

static void a_token_gets_no_further_than_its_scopes(void **state)
{
	struct fixture *f = *state;
	static const char *const scopes[] = {"read", "write", "calls"};
	for (size_t which = 0; which < 3; which++) {
		struct caller token = token_with(f, "admin", scopes[which]);
		for (size_t i = 0; i < operation_count; i++)
			expect_knock(f, &token, &operations[i],
				     operations[i].access == ACCESS_ANYBODY ||
					 strcmp(scope_of(&operations[i]), scopes[which]) == 0);
	}
}

// ---- text

static const char *const commands[] = {
    "'; DROP TABLE users; --",
    "\" OR \"1\"=\"1",
    "%' UNION SELECT password_hash FROM users --",
    "a* OR b NEAR(c) -d ^e",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=HYPERLINK(\"http://192.0.2.1/\";\"x\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
};

static const struct {
	const char *path, *exported;
	enum entity_kind kind;
	const char *right; // a body that is right
} kinds[] = {
    {"/api/v1/users", "users", ENTITY_USER, "{\"name\":\"joe\",\"title\":\"Joe\",\"extension\":\"540\"}"},
    {"/api/v1/devices", "devices", ENTITY_DEVICE, "{\"kind\":\"sip_phone\",\"number\":\"330\"}"},
    {"/api/v1/trunks", NULL, ENTITY_TRUNK, "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\",\"username\":\"us\"}"},
    {"/api/v1/routes", NULL, ENTITY_ROUTE, "{\"trunk_id\":\"1\",\"prefix\":\"+44\"}"},
    {"/api/v1/dids", "dids", ENTITY_DID, "{\"number\":\"+44 1444 200200\",\"user_id\":\"2\"}"},
    {"/api/v1/tokens", NULL, ENTITY_TOKEN, "{\"title\":\"t\",\"role\":\"agent\"}"},
};

static char *percent_encoded(const char *text)
{
	char *into = malloc(3 * strlen(text) + 1), *at = into;
	for (; *text; text++)
		at += sprintf(at, "%%%02X", (unsigned char)*text);
	return into;
}

// A spreadsheet takes no cell for a formula, quoted or not.
static void assert_no_formula(const char *csv)
{
	bool quoted = false, begins = true;
	for (const char *c = csv + 3; *c; c++) { // after the mark of UTF-8
		if (begins && !quoted && *c == '"') {
			quoted = true;
			continue; // still the cell's beginning
		}
		if (begins && strchr("=@", *c))
			fail_msg("a cell begins with a formula: %.60s", c);
		if (begins && strchr("+-", *c) && (c[1] < '0' || c[1] > '9'))
			fail_msg("a cell begins with a formula: %.60s", c);
		if (quoted && *c == '"' && c[1] == '"')
			c++;
		else if (quoted && *c == '"')
			quoted = false;
		begins = !quoted && (*c == ',' || *c == '\n');
	}
}

static void list_finds(struct fixture *f, size_t kind, const struct field *field, const char *command)
{
	char path[1024], *q = percent_encoded(command);
	snprintf(path, sizeof path, "%s?%s=%s&sort=%s", kinds[kind].path, field->name, q, field->name);
	struct reply reply = ask(f, &f->admin, "GET", path, NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 1);
	expect(reply, 200);
	snprintf(path, sizeof path, "%s?q=%s", kinds[kind].path, q);
	reply = ask(f, &f->admin, "GET", path, NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 1);
	expect(reply, 200);
	free(q);
	if (!kinds[kind].exported)
		return;
	snprintf(path, sizeof path, "/api/v1/export/%s", kinds[kind].exported);
	reply = ask(f, &f->admin, "GET", path, NULL);
	assert_no_formula(reply.body);
	expect(reply, 200);
}

// True when it was taken, and found as it is.
static bool field_takes(struct fixture *f, size_t kind, const struct field *field, const char *command)
{
	json_t *body = json_loads(kinds[kind].right, 0, NULL);
	char path[128];
	json_object_set_new(body, field->name, json_string(command));
	char *text = json_dumps(body, 0);
	struct reply reply = ask(f, &f->admin, "POST", kinds[kind].path, text);
	bool taken = reply.status == 201;
	free(text);
	json_decref(body);
	if (!taken) {
		expect_field(reply, 422, field->name, "invalid_field");
		return false;
	}
	snprintf(path, sizeof path, "%s/%s", kinds[kind].path, text_of(&reply, "id"));
	if (!(field->flags & FIELD_HIDDEN)) {
		assert_string_equal(text_of(&reply, field->name), command);
		list_finds(f, kind, field, command);
	}
	reply_free(&reply);
	expect(ask(f, &f->admin, "DELETE", path, NULL), 204);
	return true;
}

static void commands_are_text_in_every_field(void **state)
{
	struct fixture *f = *state;
	unsigned taken = 0, refused = 0;
	create(f, "/api/v1/trunks", "{\"title\":\"Other\",\"host\":\"192.0.2.1\"}");
	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
		const struct entity_type *type = entity_type(kinds[kind].kind);
		for (size_t i = 0; i < type->field_count; i++) {
			const struct field *field = &type->fields[i];
			if (field->type != FIELD_TEXT || field->flags & FIELD_READ_ONLY)
				continue;
			for (size_t j = 0; j < sizeof commands / sizeof *commands; j++)
				++*(field_takes(f, kind, field, commands[j]) ? &taken : &refused);
		}
	}
	assert_true(taken > 60);
	assert_true(refused > 60);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users", NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "total")), 4); // nobody is gone, nobody came
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/audit?limit=1000", NULL);
	assert_null(strstr(reply.body, "$argon2id"));
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
	    SERVED(a_token_gets_no_further_than_its_role),
	    SERVED(a_token_gets_no_further_than_its_scopes),
	    SERVED(commands_are_text_in_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
