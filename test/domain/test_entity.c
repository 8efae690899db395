// The field tables: whole, with right defaults, and checks that hold where the rules say.
#include "domain/device.h"
#include "domain/session.h"
#include "domain/site.h"
#include "domain/trunk.h"
#include "domain/user.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdlib.h>
#include <string.h>

static int with_arena(void **state)
{
	static struct arena arena;

	arena_init(&arena, 0);
	*state = &arena;
	return 0;
}

static int without_arena(void **state)
{
	arena_free(*state);
	return 0;
}

static size_t size_of_field(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return sizeof(struct str);
	case FIELD_INTEGER:
	case FIELD_TIME:
		return sizeof(int64_t);
	case FIELD_BOOLEAN:
		return sizeof(bool);
	case FIELD_CHOICE:
		return sizeof(int);
	case FIELD_REFERENCE:
		return sizeof(uint64_t);
	}
	return 0;
}

static void every_table_is_whole(void **state)
{
	(void)state;
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
		const struct entity_type *type = entity_type(kind);
		assert_int_equal(type->kind, kind);
		assert_non_null(type->name);
		assert_non_null(type->plural);
		for (size_t i = 0; i < type->field_count; i++) {
			const struct field *field = &type->fields[i];
			assert_ptr_equal(entity_field(type, str_of(field->name)), field); // also: no name twice
			assert_true(field->offset >= sizeof(struct entity));
			assert_true(field->offset + size_of_field(field->type) <= type->size);
			for (size_t j = 0; j < i; j++)
				assert_true(type->fields[j].offset + size_of_field(type->fields[j].type) <=
						field->offset ||
					    field->offset + size_of_field(field->type) <= type->fields[j].offset);
			assert_true((field->type == FIELD_CHOICE) == (field->choices != NULL));
			if (field->type == FIELD_TEXT || field->type == FIELD_INTEGER)
				assert_non_null(field->rule);
			if (field->type != FIELD_CHOICE && field->type != FIELD_BOOLEAN &&
			    field->type != FIELD_REFERENCE)
				assert_true(field->max > 0 && field->min <= field->max);
			if (field->flags & FIELD_REQUIRED && field->type != FIELD_CHOICE)
				assert_non_null(field->rule);
		}
		assert_null(entity_field(type, STR("no_such_field")));
	}
}

static void fresh_entities_have_their_defaults(void **state)
{
	struct user *user = (struct user *)entity_new(ENTITY_USER, *state);
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, *state);

	assert_int_equal(user->entity.kind, ENTITY_USER);
	assert_int_equal(user->role, ROLE_AGENT);
	assert_int_equal(user->call_limit, 2);
	assert_true(user->six_hundred_stops_all);
	assert_int_equal(trunk->port, 0);
	assert_true(trunk->enabled);
}

static struct user *good_user(struct arena *arena)
{
	struct user *user = (struct user *)entity_new(ENTITY_USER, arena);

	user->name = STR("jane");
	user->title = STR("Jane Doe");
	user->extension = STR("510");
	user->turns = arena_alloc(arena, 3 * sizeof *user->turns);
	user->turns[0] = (struct turn_plan){330, 0, 20};
	user->turns[1] = (struct turn_plan){821, 600, 600};
	user->turn_count = 2;
	return user;
}

static struct device *good_device(struct arena *arena, enum device_kind kind, const char *number)
{
	struct device *device = (struct device *)entity_new(ENTITY_DEVICE, arena);

	device->device_kind = kind;
	device->number = str_of(number);
	return device;
}

static void assert_right(const struct entity *entity)
{
	struct problem problem = {.err = ERR_NONE};

	if (entity_check(entity, &problem))
		fail_msg("%s: %s", problem.field, problem.sentence);
}

static void assert_wrong(const struct entity *entity, enum err err, const char *field)
{
	struct problem problem = {.err = ERR_NONE};

	assert_int_equal(entity_check(entity, &problem), err);
	assert_int_equal(problem.err, err);
	assert_string_equal(problem.field, field);
	assert_true(strlen(problem.sentence) > 10);
	assert_int_equal(entity_check(entity, NULL), err);
}

static void the_site_is_checked(void **state)
{
	struct site *site = (struct site *)entity_new(ENTITY_SITE, *state);

	site->country = STR("GB");
	site->closed_days = STR("12-25 02-29");
	assert_right(&site->entity);
	site->closed_days = STR("12-25 02-30");
	assert_wrong(&site->entity, ERR_INVALID_FIELD, "closed_days");
}

static void users_are_checked(void **state)
{
	struct user *user = good_user(*state);

	assert_right(&user->entity);
	user->extension = STR("51a");
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "extension");
	user->extension = STR("5");
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "extension");
	user->extension = STR("1234567890123456");
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "extension");
	user->extension = STR("123456789012345");
	assert_right(&user->entity);
	user->extension = STR("");
	assert_wrong(&user->entity, ERR_MISSING_FIELD, "extension");
	user->extension = STR("510");
	user->name = STR("jane doe");
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "name");
	user->name = STR("jane");
	user->toll_class = 4;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "toll_class");
	user->toll_class = -1;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "toll_class");
	user->toll_class = 3;
	user->role = 3;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "role");
	user->role = -1;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "role");
}

static void ring_plans_are_checked(void **state)
{
	struct user *user = good_user(*state);

	user->turns[1].ring_s = 0;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "turns");
	user->turns[1].ring_s = 601;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "turns");
	user->turns[1].ring_s = 1;
	assert_right(&user->entity);
	user->turns[1].start_s = 601;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "turns");
	user->turns[1].start_s = -1;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "turns");
	user->turns[1] = user->turns[0];
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "turns");
	user->turns[1].device_id = 0;
	assert_wrong(&user->entity, ERR_MISSING_FIELD, "turns");
	user->turn_count = USER_TURNS_MAX + 1;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "turns");
}

static void targets_are_checked(void **state)
{
	struct user *user = good_user(*state);

	user->unanswered = UNANSWERED_EXTENSION;
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "unanswered_target");
	user->unanswered_target = STR("510"); // his own
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "unanswered_target");
	user->unanswered_target = STR("511");
	assert_right(&user->entity);
	user->unanswered = UNANSWERED_OUTSIDE;
	assert_right(&user->entity);
	user->unanswered_target = STR("");
	assert_wrong(&user->entity, ERR_MISSING_FIELD, "unanswered_target");
}

static void texts_are_readable(void **state)
{
	// Valid UTF-8 up to its corners (RFC 3629), and everything just beyond them.
	static const char *const good[] = {"Ren\xC3\xA9",      "\xC2\x80",         "\xE0\xA0\x80",
					   "\xED\x9F\xBF",     "\xEE\x80\x80",     "\xEF\xBF\xBF",
					   "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a b"};
	static const char *const bad[] = {"\x80",
					  "\xC1\xBF",
					  "\xC3",
					  "\xC3(",
					  "\xE0\x9F\xBF",
					  "\xED\xA0\x80",
					  "\xE2\x82",
					  "\xF0\x8F\xBF\xBF",
					  "\xF4\x90\x80\x80",
					  "\xF5\x80\x80\x80",
					  "\xFF",
					  "a\nb",
					  "a\rb",
					  "a\tb",
					  "\x7F",
					  "\x1B[2J"};
	struct user *user = good_user(*state);

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		user->title = str_of(good[i]);
		assert_right(&user->entity);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		user->title = str_of(bad[i]);
		assert_wrong(&user->entity, ERR_INVALID_FIELD, "title");
	}
	user->title = (struct str){"a\0b", 3};
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "title");
	// A slice that ends inside a character must not be read beyond its end.
	char *cut = malloc(1);
	cut[0] = '\xE2';
	user->title = (struct str){cut, 1};
	assert_wrong(&user->entity, ERR_INVALID_FIELD, "title");
	free(cut);
}

static void devices_are_checked_by_their_kind(void **state)
{
	static const struct {
		enum device_kind kind;
		const char *number;
		bool right;
	} rows[] = {
	    {DEVICE_SIP_PHONE, "330", true},
	    {DEVICE_SIP_PHONE, "desk_330.a-B", true},
	    {DEVICE_SIP_PHONE, "33 0", false},
	    {DEVICE_SOFTPHONE, "a@b", false},
	    {DEVICE_WEBRTC, "web1", true},
	    {DEVICE_EXTERNAL, "01444 123456", true},
	    {DEVICE_EXTERNAL, "+44 (0)1444", true},
	    {DEVICE_EXTERNAL, "call me", false},
	    {DEVICE_EXTERNAL, "+-", false},
	    {DEVICE_TEAMS, "+441444123456", true},
	    {DEVICE_TEAMS, "01444123456", false},
	    {DEVICE_TEAMS, "+44 1444 123456", false},
	    {DEVICE_SIP_PHONE, "012345678901234567890123456789012", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct device *device = good_device(*state, rows[i].kind, rows[i].number);
		if (rows[i].right)
			assert_right(&device->entity);
		else
			assert_wrong(&device->entity, ERR_INVALID_FIELD, "number");
	}
}

static void device_settings_fit_together(void **state)
{
	struct device *device = good_device(*state, DEVICE_EXTERNAL, "01444 123456");

	device->caller_id = CALLER_ID_FIXED;
	assert_wrong(&device->entity, ERR_MISSING_FIELD, "caller_id_number");
	device->caller_id_number = STR("+44 1444 555000");
	assert_right(&device->entity);
	device->too_soon_ms = 1500;
	device->too_late_ms = 1500;
	assert_wrong(&device->entity, ERR_INVALID_FIELD, "too_late_ms");
	device->too_late_ms = FIELD_OPEN;
	assert_right(&device->entity);
	device->too_soon_ms = -2;
	assert_wrong(&device->entity, ERR_INVALID_FIELD, "too_soon_ms");
	device->too_soon_ms = 1500;
	device->too_late_ms = 19000;
	assert_right(&device->entity);
	device->ha1_md5 = STR("0123456789abcdef0123456789abcdeF");
	assert_wrong(&device->entity, ERR_INVALID_FIELD, "ha1_md5");
	device->ha1_md5 = STR("0123456789abcdef0123456789abcdef");
	assert_right(&device->entity);
	device->description = STR("two\nlines");
	assert_right(&device->entity);
	device->title = STR("two\nlines");
	assert_wrong(&device->entity, ERR_INVALID_FIELD, "title");
}

static void trunks_and_routes_are_checked(void **state)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, *state);
	struct route *route = (struct route *)entity_new(ENTITY_ROUTE, *state);

	trunk->title = STR("carrier");
	trunk->host = STR("192.0.2.1");
	assert_right(&trunk->entity);
	trunk->inbound = STR("192.0.2.0/24 2001:db8::/32");
	assert_right(&trunk->entity);
	trunk->inbound = STR("192.0.2.0/33");
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "inbound");
	trunk->inbound = STR("");
	trunk->host = STR("sip.carrier.example");
	assert_right(&trunk->entity);
	const char *const wrong_hosts[] = {"192.0.2.256", "carrier example", "-",
					   "a..b",        ".example",        "http://carrier.example"};
	for (size_t i = 0; i < sizeof wrong_hosts / sizeof *wrong_hosts; i++) {
		trunk->host = str_of(wrong_hosts[i]);
		assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "host");
	}
	trunk->host = STR("2001:db8::1");
	trunk->transport = TRUNK_TRANSPORT_AUTO;
	assert_right(&trunk->entity);
	trunk->transport = TRANSPORT_WSS;
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "transport");
	assert_wrong(&route->entity, ERR_MISSING_FIELD, "trunk_id");
	route->trunk_id = 1;
	assert_right(&route->entity);
	route->pattern = STR("+44");
	assert_right(&route->entity);
	route->pattern = STR("4+4");
	assert_wrong(&route->entity, ERR_INVALID_FIELD, "pattern");
}

static void teams_trunk_is_what_direct_routing_takes(void **state)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, *state);

	trunk->title = STR("Teams");
	trunk->host = STR("sip.pstnhub.microsoft.com");
	trunk->profile = TRUNK_TEAMS;
	trunk->transport = TRANSPORT_TLS;
	assert_wrong(&trunk->entity, ERR_MISSING_FIELD, "own_host");
	trunk->own_host = STR("sbc");
	assert_wrong(&trunk->entity, ERR_MISSING_FIELD, "own_host");
	trunk->own_host = STR("192.0.2.1");
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "own_host");
	trunk->own_host = STR("sbc.example.com:5061");
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "own_host");
	trunk->own_host = STR("sbc.example.com");
	assert_right(&trunk->entity);
	trunk->transport = TRANSPORT_TCP;
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "transport");
	trunk->transport = TRANSPORT_TLS;
	trunk->called_format = NUMBER_FORMAT_NATIONAL;
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "called_format");
	trunk->called_format = NUMBER_FORMAT_E164;
	trunk->caller_format = NUMBER_FORMAT_E164_NO_PLUS;
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "caller_format");
	trunk->caller_format = NUMBER_FORMAT_E164;
	trunk->username = STR("account");
	trunk->registers = true;
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "registers");
	trunk->registers = false;
	trunk->from_user = TRUNK_FROM_ACCOUNT;
	assert_wrong(&trunk->entity, ERR_INVALID_FIELD, "from_user");
}

static void copies_are_deep(void **state)
{
	struct arena copies;
	char name[] = "jane";
	struct user *user = good_user(*state);

	arena_init(&copies, 0);
	user->name = str_of(name);
	struct user *copy = (struct user *)entity_copy(&user->entity, &copies);
	assert_non_null(copy);
	memset(name, 'x', 4);
	memset(user->turns, 0, 2 * sizeof *user->turns);
	assert_true(str_equal(copy->name, STR("jane")));
	assert_int_equal(copy->name.at[4], '\0');
	assert_int_equal(copy->turn_count, 2);
	assert_int_equal(copy->turns[1].device_id, 821);
	assert_right(&copy->entity);
	user->turn_count = 0;
	assert_null(((struct user *)entity_copy(&user->entity, &copies))->turns);
	arena_free(&copies);
	for (unsigned n = 1;; n++) {
		arena_init(&copies, 0);
		failing_allocator_arm(n);
		struct entity *entity = entity_copy(&user->entity, &copies);
		bool failed = failing_allocator_disarm();
		arena_free(&copies);
		if (!failed)
			break;
		assert_null(entity);
	}
}

static void refusals_have_all_they_need(void **state)
{
	(void)state;
	for (int err = 1; err < ERR_COUNT; err++) {
		assert_true(err_http_status(err) >= 400 && err_http_status(err) < 600);
		assert_true(err_sip_status(err) >= 400 && err_sip_status(err) < 700);
		assert_true(strlen(err_sentence(err)) > 10);
		assert_int_equal(err_sentence(err)[strlen(err_sentence(err)) - 1], '.');
		for (const char *c = err_name(err); *c; c++)
			assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
	}
	assert_string_equal(err_name(ERR_NO_HOLDER), "no_holder");
}

static void first_problem_stays(void **state)
{
	struct problem problem = {.err = ERR_NONE};

	(void)state;
	assert_int_equal(problem_set(&problem, ERR_STALE, "version", NULL), ERR_STALE);
	assert_string_equal(problem.sentence, err_sentence(ERR_STALE));
	assert_int_equal(problem_set(&problem, ERR_IN_USE, "id", "%s", "other"), ERR_STALE);
	assert_string_equal(problem.field, "version");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_table_is_whole),
	    cmocka_unit_test(fresh_entities_have_their_defaults),
	    cmocka_unit_test(users_are_checked),
	    cmocka_unit_test(the_site_is_checked),
	    cmocka_unit_test(ring_plans_are_checked),
	    cmocka_unit_test(targets_are_checked),
	    cmocka_unit_test(texts_are_readable),
	    cmocka_unit_test(devices_are_checked_by_their_kind),
	    cmocka_unit_test(device_settings_fit_together),
	    cmocka_unit_test(trunks_and_routes_are_checked),
	    cmocka_unit_test(teams_trunk_is_what_direct_routing_takes),
	    cmocka_unit_test(copies_are_deep),
	    cmocka_unit_test(refusals_have_all_they_need),
	    cmocka_unit_test(first_problem_stays),
	};

	return cmocka_run_group_tests(tests, with_arena, without_arena);
}
