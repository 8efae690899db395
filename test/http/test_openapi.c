// Holds the running server against api/openapi.yaml: the same operations, and each error that is documented can be had.
#include "http/fixture.h"

#include "domain/device.h"
#include "http/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *document(struct fixture *f)
{
	struct reply reply = ask(f, NULL, "GET", "/openapi.json", NULL);
	assert_int_equal(reply.status, 200);
	json_t *read = json_incref(reply.json);
	reply_free(&reply);
	assert_non_null(read);
	return read;
}

static void lower(const char *from, char *into)
{
	for (; *from; from++)
		*into++ = (char)(*from | 0x20);
	*into = '\0';
}

static json_t *operation_of(const json_t *read, const struct operation *operation)
{
	char method[16];
	lower(method_name(operation->method), method);
	return json_object_get(json_object_get(json_object_get(read, "paths"), operation->path), method);
}

static void every_operation_is_in_both(void **state)
{
	json_t *read = document(*state), *methods, *described;
	const char *path, *method;
	size_t count = 0;
	for (size_t i = 0; i < operation_count; i++) {
		const char *id = json_string_value(json_object_get(operation_of(read, &operations[i]), "operationId"));
		if (!id || strcmp(id, operations[i].id) != 0)
			fail_msg("%s is not described, or as %s", operations[i].id, id ? id : "nothing");
	}
	json_object_foreach(json_object_get(read, "paths"), path, methods)
	    json_object_foreach(methods, method, described) count += strcmp(method, "parameters") != 0;
	assert_int_equal(count, operation_count);
	json_decref(read);
}

// ---- the schemas

static const json_t *resolve(const json_t *read, const json_t *schema)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	if (!reference)
		return schema;
	return json_object_get(json_object_get(json_object_get(read, "components"), "schemas"),
			       strrchr(reference, '/') + 1);
}

static const char *schema_name(enum entity_kind kind)
{
	static const char *const names[ENTITY_KIND_COUNT] = {
	    [ENTITY_USER] = "UserFields",   [ENTITY_DEVICE] = "DeviceFields", [ENTITY_TRUNK] = "TrunkFields",
	    [ENTITY_ROUTE] = "RouteFields", [ENTITY_DID] = "DidFields",       [ENTITY_SELECTION] = "SelectionFields",
	    [ENTITY_TOKEN] = "TokenFields", [ENTITY_SITE] = "Settings",       [ENTITY_SESSION] = "SessionEntryFields"};
	return names[kind];
}

static void choices_are_described(const struct field *field, const json_t *schema)
{
	const json_t *values = json_object_get(schema, "enum");
	size_t count = 0;
	for (; field->choices[count]; count++)
		assert_string_equal(json_string_value(json_array_get(values, count)), field->choices[count]);
	assert_int_equal(json_array_size(values), count);
}

static void field_is_described(const struct field *field, const json_t *property, const json_t *schema)
{
	assert_int_equal(json_is_true(json_object_get(property, "readOnly")), (field->flags & FIELD_READ_ONLY) != 0);
	assert_int_equal(json_is_true(json_object_get(property, "writeOnly")), (field->flags & FIELD_HIDDEN) != 0);
	switch (field->type) {
	case FIELD_TEXT:
		assert_int_equal(json_integer_value(json_object_get(schema, "maxLength")), field->max);
		break;
	case FIELD_INTEGER:
		assert_int_equal(json_integer_value(json_object_get(schema, "minimum")), field->min);
		assert_int_equal(json_integer_value(json_object_get(schema, "maximum")), field->max);
		break;
	case FIELD_BOOLEAN:
		assert_string_equal(json_string_value(json_object_get(schema, "type")), "boolean");
		break;
	case FIELD_CHOICE:
		choices_are_described(field, schema);
		break;
	case FIELD_REFERENCE:
		break;
	case FIELD_TIME:
		assert_string_equal(json_string_value(json_object_get(schema, "format")), "date-time");
		break;
	}
}

static void every_field_is_described_as_it_is(void **state)
{
	json_t *read = document(*state);
	const json_t *schemas = json_object_get(json_object_get(read, "components"), "schemas");
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
		const struct entity_type *type = entity_type((enum entity_kind)kind);
		const json_t *properties =
		    json_object_get(json_object_get(schemas, schema_name(type->kind)), "properties");
		size_t shown = 2; // id and version
		for (size_t i = 0; i < type->field_count; i++) {
			const struct field *field = &type->fields[i];
			const json_t *property = json_object_get(properties, field->name);
			if (field->flags & FIELD_HIDDEN && field->flags & FIELD_READ_ONLY) {
				assert_null(property);
				continue;
			}
			if (!property)
				fail_msg("%s of a %s is not described", field->name, type->name);
			field_is_described(field, property, resolve(read, property));
			shown++;
		}
		if (kind == ENTITY_USER)
			shown += 3; // password, pin, turns
		if (kind == ENTITY_TRUNK)
			shown++; // inbound_password
		if (kind == ENTITY_SITE)
			shown++; // graph_client_secret_is_set
		assert_int_equal(json_object_size(properties), shown);
	}
	json_decref(read);
}

// ---- the errors

struct scene {
	struct fixture *f;
	struct caller jane, bob, otto, token, newcomer; // who has yet to change the password
};

static void path_of(const struct operation *operation, const char *id, char *path, size_t size)
{
	const char *place = strstr(operation->path, "{id}");
	if (place)
		snprintf(path, size, "%.*s%s%s", (int)(place - operation->path), operation->path, id, place + 4);
	else
		snprintf(path, size, "%s", operation->path);
}

static const char *present_id(const struct operation *operation)
{
	if (strstr(operation->path, "/calls/"))
		return "7";
	if (strstr(operation->path, "/call-records/"))
		return "01HF0000000000000000000001";
	if (strstr(operation->path, "/prompts/"))
		return "en-press";
	return operation->kind == ENTITY_USER ? "2" : "1";
}

static bool has_body(const struct operation *operation)
{
	return operation->method == METHOD_POST || operation->method == METHOD_PUT || operation->method == METHOD_PATCH;
}

static struct reply say(struct scene *scene, const struct caller *who, const struct operation *operation,
			const char *suffix, const char *headers)
{
	char path[256], request[512];
	path_of(operation, present_id(operation), path, sizeof path);
	snprintf(request, sizeof request, "%s %s%s", method_name(operation->method), path, suffix);
	return ask_with(scene->f, who, request, headers, has_body(operation) ? "{}" : NULL);
}

static struct reply forbidden(struct scene *scene, const struct operation *operation)
{
	struct caller without_csrf = scene->jane;
	switch (operation->access) {
	case ACCESS_ADMIN:
	case ACCESS_AGENT:
		return say(scene, &scene->otto, operation, "", "");
	case ACCESS_READER:
		return say(scene, &scene->jane, operation, "", "");
	case ACCESS_PERSON:
		return say(scene, &scene->newcomer, operation, "", "");
	case ACCESS_ANYBODY:
	case ACCESS_SELF:
		break;
	}
	without_csrf.csrf[0] = '\0';
	return say(scene, &without_csrf, operation, "", "");
}

static struct reply missing(struct scene *scene, const struct operation *operation)
{
	char path[256];
	if (operation->handler == session_delete)
		return say(scene, &scene->token, operation, "", "");
	if (operation->handler == me_device_delete)
		return say(scene, &scene->bob, operation, "", "");
	path_of(operation, "999999", path, sizeof path);
	return ask(scene->f, &scene->f->admin, method_name(operation->method), path, has_body(operation) ? "{}" : NULL);
}

static struct reply second_sign_in(struct scene *scene)
{
	struct fixture *f = scene->f;
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"multi_login\":\"refuse\"}"), 200);
	struct reply reply =
	    ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"jane\",\"password\":\"" PASSWORD "\"}");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"multi_login\":null}"), 200);
	return reply;
}

// A value that somebody else has, or something that others need.
static struct reply conflict(struct scene *scene, const struct operation *operation)
{
	static const struct {
		const char *operation, *body;
	} bodies[] = {
	    {"createUser", "{\"name\":\"jane\",\"title\":\"J\",\"extension\":\"999\"}"},
	    {"replaceUser", "{\"title\":\"J\",\"extension\":\"520\"}"},
	    {"changeUser", "{\"name\":\"joan\"}"},
	    {"replaceRingPlan", "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"2\"}]}"},
	    {"createDevice", "{\"kind\":\"sip_phone\",\"number\":\"330\"}"},
	    {"replaceDevice", "{\"number\":\"331\"}"},
	    {"changeDevice", "{\"number\":\"331\"}"},
	    {"createTrunk", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}"},
	    {"replaceTrunk", "{\"title\":\"Other\",\"host\":\"192.0.2.1\"}"},
	    {"changeTrunk", "{\"title\":\"Other\"}"},
	    {"createDid", "{\"number\":\"+441444200200\",\"user_id\":\"2\"}"},
	    {"replaceDid", "{\"number\":\"+441444200201\",\"user_id\":\"2\"}"},
	    {"changeDid", "{\"number\":\"+44 1444 200201\"}"},
	    {"selectDevice", "{\"device_id\":\"1\"}"},
	    {"moveCall", "{\"device_id\":\"2\"}"},
	    {"beginMyPhone", "{}"},
	    {"bulkUsers", "{\"ids\":[\"999999\"],\"delete\":true}"},
	    {"bulkDevices", "{\"ids\":[\"999999\"],\"delete\":true}"},
	};
	if (operation->handler == session_create)
		return second_sign_in(scene);
	const struct caller *who = strcmp(operation->id, "selectDevice") == 0 ? &scene->bob : &scene->f->admin;
	const char *body = NULL;
	char path[256];
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		if (strcmp(bodies[i].operation, operation->id) == 0)
			body = bodies[i].body;
	path_of(operation, present_id(operation), path, sizeof path);
	return ask(scene->f, who, method_name(operation->method), path, body);
}

static struct reply too_large(struct scene *scene, const struct operation *operation)
{
	char path[256], text[512];
	struct reply reply;
	path_of(operation, present_id(operation), path, sizeof path);
	int length = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n",
			      method_name(operation->method), path);
	int socket = client_connect(&scene->f->address);
	client_send(socket, text, (size_t)length);
	client_receive(socket, &reply);
	close(socket);
	return reply;
}

static struct reply wrong_type(struct scene *scene, const struct operation *operation, const struct caller *who)
{
	char path[256], text[1024];
	struct reply reply;
	path_of(operation, present_id(operation), path, sizeof path);
	int length =
	    snprintf(text, sizeof text,
		     "%s %s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\nX-CSRF-Token: %s\r\nContent-Type: text/plain\r\n"
		     "Content-Length: 2\r\nConnection: close\r\n\r\n{}",
		     method_name(operation->method), path, who->cookie, who->csrf);
	int socket = client_connect(&scene->f->address);
	client_send(socket, text, (size_t)length);
	client_receive(socket, &reply);
	close(socket);
	return reply;
}

static struct reply invalid(struct scene *scene, const struct operation *operation, const struct caller *who)
{
	char path[256];
	if (!has_body(operation) || strstr(operation->path, "/import/") || strstr(operation->path, "/recording"))
		return say(scene, who, operation, "?nonsense=1", "");
	path_of(operation, present_id(operation), path, sizeof path);
	return ask(scene->f, who, method_name(operation->method), path, "{\"nonsense\":1}");
}

static struct reply too_often(struct scene *scene, const struct operation *operation)
{
	const char *body = operation->handler == session_create
			       ? "{\"name\":\"guess\",\"password\":\"wrong horse 11\"}"
			       : "{\"password\":\"wrong horse 11\",\"new_password\":\"a better horse\"}";
	struct reply reply;
	for (int i = 0; i < 4; i++) {
		reply = ask(scene->f, &scene->otto, method_name(operation->method), operation->path, body);
		reply_free(&reply);
	}
	return ask(scene->f, &scene->otto, method_name(operation->method), operation->path, body);
}

static struct reply unavailable(struct scene *scene, const struct operation *operation, const struct caller *who)
{
	char path[256];
	const char *body =
	    operation->handler == session_create ? "{\"name\":\"jane\",\"password\":\"" PASSWORD "\"}" : NULL;
	path_of(operation, present_id(operation), path, sizeof path);
	fake_records_fail(scene->f->records, ERR_STORE_UNAVAILABLE);
	struct reply reply = ask(scene->f, who, method_name(operation->method), path, body);
	fake_records_fail(scene->f->records, ERR_NONE);
	return reply;
}

static struct reply provoke(struct scene *scene, const struct operation *operation, int status)
{
	const struct caller *who =
	    operation->access == ACCESS_READER || operation->access == ACCESS_ADMIN ? &scene->f->admin : &scene->jane;
	switch (status) {
	case 400:
		return say(scene, who, operation, "?a=%zz", "");
	case 401:
		if (operation->handler == session_create)
			return ask(scene->f, NULL, "POST", operation->path, "{\"name\":\"a\",\"password\":\"b\"}");
		return say(scene, NULL, operation, "", "");
	case 403:
		return forbidden(scene, operation);
	case 404:
		return missing(scene, operation);
	case 409:
		return conflict(scene, operation);
	case 412:
		return say(scene, who, operation, "", "If-Match: \"999\"\r\n");
	case 413:
		return too_large(scene, operation);
	case 415:
		return wrong_type(scene, operation, who);
	case 422:
		return invalid(scene, operation, who);
	case 429:
		return too_often(scene, operation);
	case 503:
		return unavailable(scene, operation, who);
	default:
		return (struct reply){.status = -1};
	}
}

static void scene_set(struct scene *scene, struct fixture *f)
{
	*scene = (struct scene){.f = f,
				.jane = sign_in(f, "jane", PASSWORD),
				.bob = sign_in(f, "bob", PASSWORD),
				.otto = sign_in(f, "otto", PASSWORD)};
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"340\"}");
	create(f, "/api/v1/users",
	       "{\"name\":\"newcomer\",\"title\":\"N\",\"extension\":\"540\",\"password\":\"" PASSWORD "\"}");
	scene->newcomer = sign_in(f, "newcomer", PASSWORD);
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	create(f, "/api/v1/trunks", "{\"title\":\"Other\",\"host\":\"192.0.2.2\"}");
	create(f, "/api/v1/routes", "{\"pattern\":\"+44\",\"trunk_id\":\"1\"}");
	create(f, "/api/v1/dids", "{\"number\":\"+44 1444 200200\",\"user_id\":\"2\"}");
	create(f, "/api/v1/dids", "{\"number\":\"+44 1444 200201\",\"user_id\":\"2\"}");
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/4/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"2\"}]}"),
	       200);
	expect(ask(f, &scene->jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"t\",\"role\":\"admin\"}");
	snprintf(scene->token.token, sizeof scene->token.token, "%s", text_of(&reply, "secret"));
	reply_free(&reply);
}

static void each_documented_error_can_be_had(void **state)
{
	struct fixture *f = *state;
	struct scene scene;
	json_t *read = document(f), *described;
	const char *status;
	unsigned provoked = 0;
	scene_set(&scene, f);
	for (size_t i = 0; i < operation_count; i++) {
		json_object_foreach(json_object_get(operation_of(read, &operations[i]), "responses"), status, described)
		{
			if (status[0] != '4' && status[0] != '5')
				continue;
			struct reply reply = provoke(&scene, &operations[i], atoi(status));
			if (reply.status != atoi(status))
				fail_msg("%s gave %d instead of %s: %s", operations[i].id, reply.status, status,
					 reply.body ? reply.body : "");
			assert_int_equal(json_integer_value(json_object_get(reply.json, "status")), atoi(status));
			reply_free(&reply);
			provoked++;
		}
	}
	assert_true(provoked > 300);
	json_decref(read);
}

// Whoever may not, gets 403 and nothing else; whoever may, does not.
static void nobody_gets_beyond_their_role(void **state)
{
	struct fixture *f = *state;
	static const bool may[][6] = {
	    [ROLE_ADMIN] = {true, true, true, true, true, true},
	    [ROLE_AGENT] = {true, true, true, true, false, false},
	    [ROLE_AUDITOR] = {true, true, true, false, true, false},
	};
	struct caller callers[] = {f->admin, sign_in(f, "jane", PASSWORD), sign_in(f, "otto", PASSWORD)};
	for (size_t i = 0; i < operation_count; i++) {
		if (operations[i].handler == session_delete || operations[i].handler == me_sessions_delete)
			continue;
		for (int role = 0; role < 3; role++) {
			char path[256];
			path_of(&operations[i], "999", path, sizeof path);
			struct reply reply = ask(f, &callers[role], method_name(operations[i].method), path,
						 has_body(&operations[i]) ? "{\"nonsense\":1}" : NULL);
			if ((reply.status == 403) == may[role][operations[i].access])
				fail_msg("%s as %s gave %d", operations[i].id, role_names[role], reply.status);
			reply_free(&reply);
		}
	}
}

// A page of somebody else's can make a browser send the cookie, but not the session's token with it.
static void nothing_is_written_without_the_csrf_token(void **state)
{
	struct fixture *f = *state;
	struct caller forged = f->admin;
	unsigned tried = 0;
	for (size_t i = 0; i < operation_count; i++) {
		if (operations[i].method == METHOD_GET || operations[i].access == ACCESS_ANYBODY)
			continue;
		for (int wrong = 0; wrong < 2; wrong++) {
			char path[256];
			snprintf(forged.csrf, sizeof forged.csrf, "%s", wrong ? "x" : "");
			path_of(&operations[i], present_id(&operations[i]), path, sizeof path);
			struct reply reply = ask(f, &forged, method_name(operations[i].method), path,
						 has_body(&operations[i]) ? "{}" : NULL);
			if (reply.status != 403 || strcmp(text_of(&reply, "code"), "no_csrf_token") != 0)
				fail_msg("%s gave %d", operations[i].id, reply.status);
			reply_free(&reply);
			tried++;
		}
	}
	assert_true(tried > 60);
	expect(ask(f, &f->admin, "GET", "/api/v1/users/2", NULL), 200); // nobody is gone
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(every_operation_is_in_both),
	    SERVED(every_field_is_described_as_it_is),
	    SERVED(each_documented_error_can_be_had),
	    SERVED(nobody_gets_beyond_their_role),
	    SERVED(nothing_is_written_without_the_csrf_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
