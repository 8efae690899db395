// Creating, reading, changing and deleting over the API: users, devices, trunks, routes, DIDs.
#include "http/fixture.h"

#include "base/digest.h"
#include "domain/device.h"

#include <stdio.h>
#include <stdlib.h>
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

static long total(const struct reply *reply)
{
	return (long)json_integer_value(json_object_get(reply->json, "total"));
}

static void a_creation_says_where_and_which_version(void **state)
{
	struct fixture *f = *state;
	char text[64];
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/users",
				 "{\"name\":\"zoe\",\"title\":\"Zo\u00eb\",\"extension\":\"700\"}");
	assert_int_equal(reply.status, 201);
	assert_string_equal(reply_header(&reply, "Location", text, sizeof text), "/api/v1/users/5");
	assert_string_equal(reply_header(&reply, "ETag", text, sizeof text), "\"1\"");
	assert_string_equal(text_of(&reply, "id"), "5");
	assert_string_equal(text_of(&reply, "title"), "Zo\u00eb");
	assert_string_equal(text_of(&reply, "role"), "agent"); // the defaults
	assert_string_equal(text_of(&reply, "strategy"), "at_once");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "call_limit")), 2);
	assert_int_equal(strlen(text_of(&reply, "password")), 16); // shown now and never again
	assert_null(json_object_get(reply.json, "password_hash"));
	reply_free(&reply);
	reply = ask(f, &f->admin, "GET", "/api/v1/users/5", NULL);
	assert_null(json_object_get(reply.json, "password"));
	assert_true(json_is_true(json_object_get(reply.json, "password_change_due")));
	expect(reply, 200);
}

static void every_wrong_field_is_named_at_once(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/users",
				 "{\"name\":\"b ad\",\"extension\":\"5\",\"role\":\"king\",\"call_limit\":\"2\","
				 "\"do_not_disturb\":0,\"shoe_size\":43,\"password\":\"short\",\"toll_class\":1.5}");
	assert_int_equal(reply.status, 422);
	const json_t *fields = json_object_get(reply.json, "field");
	assert_int_equal(json_array_size(fields), 9);
	static const char *const wanted[][2] = {
	    {"name", "A sign-in name has 1 to 64 letters, digits, dots, dashes, underscores or @."},
	    {"extension", "An extension has 2 to 15 digits."},
	    {"role", "role is one of admin, agent, auditor."},
	    {"call_limit",
	     "call_limit must be a whole number, not text. A call limit is 1 to 1000, or 0 for no limit."},
	    {"do_not_disturb", "do_not_disturb must be true or false, not a whole number."},
	    {"shoe_size", "There is no field \"shoe_size\"."},
	    {"toll_class",
	     "toll_class must be a whole number, not a number with a fraction. A toll class is 0 (none), 1 "
	     "(national), 2 (international) or 3 (premium)."},
	    {"title", "title is mandatory. A title has 1 to 100 bytes."},
	    {"password", "A password has 12 to 256 characters."},
	};
	for (size_t i = 0; i < 9; i++) {
		const json_t *field = json_array_get(fields, i);
		assert_string_equal(json_string_value(json_object_get(field, "name")), wanted[i][0]);
		assert_string_equal(json_string_value(json_object_get(field, "sentence")), wanted[i][1]);
	}
	reply_free(&reply);
}

static void what_is_unique_names_the_other(void **state)
{
	struct fixture *f = *state;
	struct reply reply =
	    ask(f, &f->admin, "POST", "/api/v1/users", "{\"name\":\"jane2\",\"title\":\"J\",\"extension\":\"510\"}");
	const json_t *field = json_array_get(json_object_get(reply.json, "field"), 0);
	assert_string_equal(json_string_value(json_object_get(field, "other_id")), "2");
	expect_field(reply, 409, "extension", "not_unique");
}

static void a_patch_changes_what_it_names(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"title\":\"Jane Doe\",\"call_limit\":5}");
	assert_string_equal(text_of(&reply, "title"), "Jane Doe");
	assert_string_equal(text_of(&reply, "extension"), "510");
	expect(reply, 200);
	reply = ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"call_limit\":null}");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "call_limit")), 2); // its default
	assert_string_equal(text_of(&reply, "title"), "Jane Doe");
	expect(reply, 200);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{}"), 200);
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"title\":null}"), 422, "title", "missing_field");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/99", "{}"), 404);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/x", "{}"), 404);
}

static void a_put_gives_the_rest_its_defaults(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"call_limit\":7,\"do_not_disturb\":true}"), 200);
	expect_field(ask(f, &f->admin, "PUT", "/api/v1/users/2", "{\"title\":\"Jane\"}"), 422, "extension",
		     "missing_field");
	struct reply reply = ask(f, &f->admin, "PUT", "/api/v1/users/2", "{\"title\":\"Jane\",\"extension\":\"510\"}");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "call_limit")), 2);
	assert_true(json_is_false(json_object_get(reply.json, "do_not_disturb")));
	assert_string_equal(text_of(&reply, "name"), "jane"); // what is fixed stays
	expect(reply, 200);
	sign_in(f, "jane", PASSWORD); // and what is hidden
}

static void what_was_read_may_be_sent_back(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123456\",\"title\":\"Mobile\"}");
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	create(f, "/api/v1/dids", "{\"number\":\"+44 1444 200200\",\"user_id\":\"2\",\"trunk_id\":\"1\"}");
	static const char *const paths[] = {"/api/v1/users/2", "/api/v1/devices/1", "/api/v1/trunks/1",
					    "/api/v1/dids/1"};
	for (size_t i = 0; i < 4; i++) {
		struct reply reply = ask(f, &f->admin, "GET", paths[i], NULL);
		char *body = json_dumps(reply.json, 0);
		reply_free(&reply);
		expect(ask(f, &f->admin, "PUT", paths[i], body), 200);
		expect_field(ask(f, &f->admin, "PUT", paths[i], body), 412, "version", "stale"); // it has another now
		free(body);
	}
}

static void a_stale_etag_changes_nothing(void **state)
{
	struct fixture *f = *state;
	expect(ask_with(f, &f->admin, "PATCH /api/v1/users/2", "If-Match: \"1\"\r\n", "{\"title\":\"A\"}"), 200);
	expect(ask_with(f, &f->admin, "PATCH /api/v1/users/2", "If-Match: \"1\"\r\n", "{\"title\":\"B\"}"), 412);
	expect(ask_with(f, &f->admin, "PUT /api/v1/users/2", "If-Match: W/\"2\"\r\n", "{\"title\":\"B\"}"), 412);
	expect(ask_with(f, &f->admin, "DELETE /api/v1/users/2", "If-Match: \"1\"\r\n", NULL), 412);
	expect(ask_with(f, &f->admin, "PATCH /api/v1/users/2", "If-Match: \"1\", \"2\"\r\n", "{\"title\":\"C\"}"), 200);
	expect(ask_with(f, &f->admin, "PATCH /api/v1/users/2", "If-Match: *\r\n", "{\"title\":\"D\"}"), 200);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users/2", NULL);
	assert_string_equal(text_of(&reply, "title"), "D");
	expect(reply, 200);
}

static void what_is_fixed_stays_fixed(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"number\":\"331\"}"), 409, "number",
		     "fixed_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"kind\":\"softphone\"}"), 409, "kind",
		     "fixed_field");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"number\":\"330\",\"title\":\"Desk\"}"), 200);
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"name\":\"joan\"}"), 409, "name", "fixed_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"id\":\"3\"}"), 422, "id", "invalid_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"password_hash\":\"x\"}"), 422, "password_hash",
		     "unknown_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"turns\":[1]}"), 422, "turns", "invalid_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"canonical\":\"+441444\"}"), 422, "canonical",
		     "invalid_field");
}

static void an_extension_is_held_while_its_user_is_signed_in(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"extension\":\"511\"}"), 409, "extension",
		     "signed_in");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"role\":\"admin\"}"), 409, "role", "signed_in");
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"title\":\"Jane Doe\"}"), 200);
	expect(ask(f, &jane, "DELETE", "/api/v1/session", NULL), 204);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"extension\":\"511\"}"), 200);
}

static void nobody_demotes_or_deletes_themselves(void **state)
{
	struct fixture *f = *state;
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/users/1", "{\"role\":\"agent\"}"), 403, "role", "not_allowed");
	expect(ask(f, &f->admin, "DELETE", "/api/v1/users/1", NULL), 403);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/users/2", NULL), 204);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/users/2", NULL), 404);
}

static void a_sip_password_is_shown_once_and_kept_as_hashes(void **state)
{
	struct fixture *f = *state;
	struct records *records = fake_records_port(f->records);
	struct arena arena;
	struct entity *entity;
	char hex[DIGEST_HEX_MAX], first[32];
	arena_init(&arena, 0);
	struct reply reply =
	    ask(f, &f->admin, "POST", "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	assert_int_equal(reply.status, 201);
	snprintf(first, sizeof first, "%s", text_of(&reply, "sip_password"));
	assert_int_equal(strlen(first), 20);
	reply_free(&reply);
	assert_int_equal(records->get(records->context, ENTITY_DEVICE, 1, &arena, &entity), ERR_NONE);
	const struct device *device = (struct device *)entity;
	const struct str pieces[] = {STR("330"), STR("example.com"), str_of(first)};
	assert_true(str_equal(device->ha1_md5, digest_joined_hex(DIGEST_MD5, pieces, 3, hex)));
	assert_true(str_equal(device->ha1_sha256, digest_joined_hex(DIGEST_SHA256, pieces, 3, hex)));
	arena_free(&arena);
	reply = ask(f, &f->admin, "GET", "/api/v1/devices/1", NULL);
	assert_null(strstr(reply.body, "ha1"));
	assert_null(strstr(reply.body, "sip_password"));
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", "/api/v1/devices/1/password", NULL);
	assert_int_equal(strlen(text_of(&reply, "sip_password")), 20);
	assert_string_not_equal(text_of(&reply, "sip_password"), first);
	expect(reply, 200);
	expect(ask(f, &f->admin, "POST", "/api/v1/devices/9/password", NULL), 404);
	expect_field(ask(f, &f->admin, "POST", "/api/v1/devices/1/password", "{\"password\":\"mine\"}"), 422,
		     "password", "unknown_field");
	reply = ask(f, &f->admin, "POST", "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123456\"}");
	assert_null(json_object_get(reply.json, "sip_password"));
	expect(reply, 201);
	expect(ask(f, &f->admin, "POST", "/api/v1/devices/2/password", NULL), 403);
}

// Nothing but the word sets it: neither a write of the device nor its creation.
static void an_external_number_is_verified_by_a_word(void **state)
{
	struct fixture *f = *state;
	const char *path = "/api/v1/devices/1/verification";
	expect(ask(f, &f->admin, "POST", "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123456\"}"),
	       201);
	expect(ask(f, &f->admin, "POST", "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}"), 201);
	expect_field(ask(f, &f->admin, "POST", "/api/v1/devices",
			 "{\"kind\":\"external\",\"number\":\"01444 123457\",\"verified_how\":\"code\"}"),
		     422, "verified_how", "invalid_field");
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/devices/1", "{\"verified_by\":\"me\"}"), 422, "verified_by",
		     "invalid_field");
	struct reply reply = ask(f, &f->admin, "POST", path, "{\"by\":\"Jane, on the phone from it\"}");
	assert_string_equal(text_of(&reply, "verified_how"), "administrator");
	assert_string_equal(text_of(&reply, "verified_by"), "Jane, on the phone from it");
	assert_true(json_is_string(json_object_get(reply.json, "verified_at")));
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", path, "{}");
	assert_string_equal(text_of(&reply, "verified_by"), "admin");
	expect(reply, 200);
	reply = ask(f, &f->admin, "DELETE", path, NULL);
	assert_string_equal(text_of(&reply, "verified_how"), "not");
	assert_true(json_is_null(json_object_get(reply.json, "verified_at")));
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "POST", path, "{\"by\":1}"), 422, "by", "invalid_field");
	expect(ask(f, &f->admin, "POST", "/api/v1/devices/2/verification", "{}"), 403);
	expect(ask(f, &f->admin, "POST", "/api/v1/devices/9/verification", "{}"), 404);
	struct caller jane = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &jane, "POST", path, "{}"), 403);
}

static void a_device_in_use_needs_a_word_to_be_deleted(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\"}]}"),
	       200);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/devices/1", NULL), 409);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/devices/1?release=maybe", NULL), 422);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/devices/1?release=true", NULL), 204);
	expect(ask(f, &f->admin, "GET", "/api/v1/devices/1", NULL), 404);
}

static void a_trunks_password_goes_in_and_never_out(void **state)
{
	struct fixture *f = *state;
	struct reply reply =
	    ask(f, &f->admin, "POST", "/api/v1/trunks",
		"{\"title\":\"Carrier\",\"host\":\"192.0.2.1\",\"username\":\"u\",\"password\":\"topsecret\"}");
	assert_null(strstr(reply.body, "topsecret"));
	expect(reply, 201);
	expect(ask(f, &f->admin, "PUT", "/api/v1/trunks/1", "{\"title\":\"Carrier\",\"host\":\"192.0.2.2\"}"), 200);
	expect_field(ask(f, &f->admin, "POST", "/api/v1/trunks", "{\"title\":\"Other\",\"host\":\"not an address\"}"),
		     422, "host", "invalid_field");
	expect_field(ask(f, &f->admin, "POST", "/api/v1/routes", "{\"pattern\":\"+44\",\"trunk_id\":\"9\"}"), 422,
		     "trunk_id", "invalid_field");
	expect_field(ask(f, &f->admin, "POST", "/api/v1/routes", "{\"pattern\":\"+44\",\"trunk_id\":1}"), 422,
		     "trunk_id", "invalid_field");
	create(f, "/api/v1/routes", "{\"pattern\":\"+44\",\"trunk_id\":\"1\"}");
	reply = ask(f, &f->admin, "GET", "/api/v1/routes/1", NULL);
	assert_string_equal(text_of(&reply, "trunk_id"), "1");
	expect(reply, 200);
}

static void lists_search_sort_filter_and_page(void **state)
{
	struct fixture *f = *state;
	char body[128];
	for (int i = 0; i < 25; i++) {
		snprintf(body, sizeof body, "{\"kind\":\"%s\",\"number\":\"%d\",\"title\":\"Room %d\"}",
			 i % 5 ? "sip_phone" : "webrtc", 300 + i, 100 - i);
		create(f, "/api/v1/devices", body);
	}
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices?kind=webrtc", NULL);
	assert_int_equal(total(&reply), 5);
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/devices?q=Room+8&sort=-number&limit=3", NULL);
	assert_int_equal(total(&reply), 10);
	assert_string_equal(item_text(&reply, 0, "number"), "320");
	assert_string_equal(item_text(&reply, 2, "number"), "318");
	char path[256];
	snprintf(path, sizeof path, "/api/v1/devices?q=Room%%208&sort=-number&limit=3&cursor=%s",
		 text_of(&reply, "next"));
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", path, NULL);
	assert_string_equal(item_text(&reply, 0, "number"), "317");
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/devices?limit=0", NULL), 422, "limit", "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/devices?limit=1001", NULL), 422, "limit", "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/devices?sort=ha1_md5", NULL), 422, "sort", "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/devices?ha1_md5=a", NULL), 422, "ha1_md5", "unknown_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/devices?colour=red", NULL), 422, "colour", "unknown_field");
}

// Each text and number of each kind, one step beyond its limits.
static void every_limit_of_every_field_is_kept(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"01444 123456\"}");
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	create(f, "/api/v1/routes", "{\"pattern\":\"+44\",\"trunk_id\":\"1\"}");
	create(f, "/api/v1/dids", "{\"number\":\"+44 1444 200200\",\"user_id\":\"2\"}");
	static const struct {
		enum entity_kind kind;
		const char *path;
	} places[] = {{ENTITY_USER, "/api/v1/users/2"},
		      {ENTITY_DEVICE, "/api/v1/devices/1"},
		      {ENTITY_TRUNK, "/api/v1/trunks/1"},
		      {ENTITY_ROUTE, "/api/v1/routes/1"},
		      {ENTITY_DID, "/api/v1/dids/1"}};
	unsigned tried = 0;
	for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
		const struct entity_type *type = entity_type(places[p].kind);
		for (size_t i = 0; i < type->field_count; i++) {
			const struct field *field = &type->fields[i];
			char body[4096];
			if (field->flags & (FIELD_READ_ONLY | FIELD_FIXED) ||
			    (field->type != FIELD_TEXT && field->type != FIELD_INTEGER))
				continue;
			if (field->type == FIELD_TEXT) {
				snprintf(body, sizeof body, "{\"%s\":\"%0*d\"}", field->name, (int)field->max + 1, 0);
				expect_field(ask(f, &f->admin, "PATCH", places[p].path, body), 422, field->name,
					     "invalid_field");
			} else {
				snprintf(body, sizeof body, "{\"%s\":%lld}", field->name, (long long)field->max + 1);
				expect_field(ask(f, &f->admin, "PATCH", places[p].path, body), 422, field->name,
					     "invalid_field");
				snprintf(body, sizeof body, "{\"%s\":%lld}", field->name, (long long)field->min - 1);
				expect_field(ask(f, &f->admin, "PATCH", places[p].path, body), 422, field->name,
					     "invalid_field");
			}
			tried++;
		}
	}
	assert_true(tried > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(a_creation_says_where_and_which_version),
	    SERVED(every_wrong_field_is_named_at_once),
	    SERVED(what_is_unique_names_the_other),
	    SERVED(a_patch_changes_what_it_names),
	    SERVED(a_put_gives_the_rest_its_defaults),
	    SERVED(what_was_read_may_be_sent_back),
	    SERVED(a_stale_etag_changes_nothing),
	    SERVED(what_is_fixed_stays_fixed),
	    SERVED(an_extension_is_held_while_its_user_is_signed_in),
	    SERVED(nobody_demotes_or_deletes_themselves),
	    SERVED(a_sip_password_is_shown_once_and_kept_as_hashes),
	    SERVED(an_external_number_is_verified_by_a_word),
	    SERVED(a_device_in_use_needs_a_word_to_be_deleted),
	    SERVED(a_trunks_password_goes_in_and_never_out),
	    SERVED(lists_search_sort_filter_and_page),
	    SERVED(every_limit_of_every_field_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
