// Entities of every kind, driven by their field tables: each field has a column and comes back as it was written.
#include "store/entity_sql.h"

#include "domain/site.h"
#include "store/fixture.h"
#include "store/migrate.h"

#include <stdio.h>
#include <string.h>

// What a reference may point at; by kind.
struct targets {
	uint64_t of[ENTITY_KIND_COUNT];
};

static struct targets targets_make(struct fixture *fixture)
{
	struct targets targets = {.of = {0}};
	struct device *device = new_device(fixture, DEVICE_SOFTPHONE, "target");

	struct user *user = new_user(fixture, "target", "999999");

	device->available_for_selection = true;
	user->role = ROLE_ADMIN;
	targets.of[ENTITY_USER] = created(fixture, &user->entity);
	targets.of[ENTITY_DEVICE] = created(fixture, &device->entity);
	targets.of[ENTITY_TRUNK] = created(fixture, &new_trunk(fixture, "target")->entity);
	return targets;
}

// The longest text the field takes, out of what its rule likes; `salt` makes it another one.
static struct str text_fill(struct fixture *fixture, const struct field *field, unsigned salt)
{
	static const char *const samples[] = {"%s%u",    "d%s%u",   "+44144%s%u", "0%s%u",    "192.0.2.%s%u",
					      "%s%064x", "%s%032x", "read",       "4%.0s%02u"};

	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		for (int padded = 1; padded >= 0; padded--) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			struct str text = arena_format(&fixture->arena, samples[i], padded ? "4120" : "", salt);
#pragma GCC diagnostic pop
			if ((int64_t)text.length >= field->min && (int64_t)text.length <= field->max &&
			    (!field->allows || field->allows(text)))
				return text;
		}
	}
	if (strcmp(field->name, "country") == 0)
		return salt % 2 ? STR("FR") : STR("DE");
	if (strcmp(field->name, "time_zone") == 0)
		return salt % 2 ? STR("Europe/Prague") : STR("UTC");
	if (strcmp(field->name, "opening_hours") == 0)
		return salt % 2 ? STR("mon-fri 08:00-18:00") : STR("sat 22:00-02:00");
	if (strcmp(field->name, "closed_days") == 0)
		return salt % 2 ? STR("12-25") : STR("2027-04-05");
	if (strcmp(field->name, "graph_url") == 0 || strcmp(field->name, "graph_login_url") == 0)
		return salt % 2 ? STR("https://one.example") : STR("https://other.example:8443");
	fail_msg("no sample fits %s", field->name);
	return STR_NONE;
}

static void field_fill(struct fixture *fixture, const struct targets *targets, struct entity *entity,
		       const struct field *field, unsigned salt)
{
	void *at = field_of(entity, field);
	int choices = 0;

	switch (field->type) {
	case FIELD_TEXT:
		*(struct str *)at = text_fill(fixture, field, 10 + salt);
		break;
	case FIELD_INTEGER:
		*(int64_t *)at = field->max - (int64_t)salt > field->min ? field->max - (int64_t)salt : field->max;
		break;
	case FIELD_TIME:
		*(int64_t *)at = INT64_C(1) << 62 | salt;
		break;
	case FIELD_BOOLEAN:
		*(bool *)at = salt % 2;
		break;
	case FIELD_CHOICE:
		while (field->choices[choices])
			choices++;
		*(int *)at = (int)salt % choices;
		break;
	case FIELD_REFERENCE:
		*(uint64_t *)at = targets->of[field->refers_to];
		break;
	}
}

static struct entity *entity_fill(struct fixture *fixture, const struct targets *targets, enum entity_kind kind,
				  unsigned salt)
{
	const struct entity_type *type = entity_type(kind);
	struct entity *entity = entity_new(kind, &fixture->arena);

	for (size_t i = 0; i < type->field_count; i++)
		field_fill(fixture, targets, entity, &type->fields[i], salt + (unsigned)i);
	// Where a kind has rules between its fields.
	if (kind == ENTITY_DEVICE)
		((struct device *)entity)->device_kind = DEVICE_SIP_PHONE;
	if (kind == ENTITY_DEVICE)
		((struct device *)entity)->too_soon_ms = 1 + salt;
	if (kind == ENTITY_TRUNK)
		((struct trunk *)entity)->transport = TRANSPORT_TLS;
	if (kind == ENTITY_TRUNK)
		((struct trunk *)entity)->profile = TRUNK_CARRIER;
	if (kind == ENTITY_TRUNK)
		((struct trunk *)entity)->unknown_did_extension = STR("4444");
	if (kind == ENTITY_DID)
		((struct did *)entity)->target = DID_USER;
	if (kind == ENTITY_SITE)
		((struct site *)entity)->area_code = STR("2");
	if (kind == ENTITY_USER)
		((struct user *)entity)->unanswered_target = STR("4444");
	return entity;
}

static void assert_same(const struct entity *a, const struct entity *b)
{
	const struct entity_type *type = entity_type(a->kind);

	assert_int_equal(a->id, b->id);
	assert_int_equal(a->version, b->version);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		bool made = strcmp(field->name, "canonical") == 0 || strstr(field->name, "_value"); // on writing
		if (!made && !field_equal(a, b, field))
			fail_msg("%s.%s did not come back", type->name, field->name);
	}
}

static void every_field_of_every_kind_comes_back(void **state)
{
	struct fixture *fixture = *state;
	const struct targets targets = targets_make(fixture);

	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
		struct entity *entity = entity_fill(fixture, &targets, (enum entity_kind)kind, 0), *other;
		created(fixture, entity);
		assert_int_equal(entity->version, 1);
		assert_same(entity, stored(fixture, entity->kind, entity->id));

		// Every field that may change does.
		other = entity_fill(fixture, &targets, entity->kind, 7);
		other->id = entity->id;
		other->version = 1;
		for (size_t i = 0; i < entity_type(entity->kind)->field_count; i++) {
			const struct field *field = &entity_type(entity->kind)->fields[i];
			if ((field->flags & FIELD_FIXED) && field->type == FIELD_TEXT)
				*(struct str *)field_of(other, field) = *(struct str *)field_of(entity, field);
			if ((field->flags & FIELD_FIXED) && field->type == FIELD_TIME)
				*(int64_t *)field_of(other, field) = *(int64_t *)field_of(entity, field);
		}
		if (try_update(fixture, other))
			fail_msg("%s: %s", fixture->problem.field, fixture->problem.sentence);
		assert_int_equal(other->version, 2);
		assert_same(other, stored(fixture, entity->kind, entity->id));
		assert_int_equal(try_remove(fixture, other, DELETE_IF_FREE), ERR_NONE);
		assert_null(stored(fixture, entity->kind, entity->id));
	}
}

static void ids_are_never_used_twice(void **state)
{
	struct fixture *fixture = *state;
	struct device *device = new_device(fixture, DEVICE_SIP_PHONE, "330");
	uint64_t first = created(fixture, &device->entity);

	assert_int_equal(try_remove(fixture, &device->entity, DELETE_IF_FREE), ERR_NONE);
	assert_int_equal(created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "331")->entity), first + 1);
}

static void a_users_turns_keep_their_order(void **state)
{
	struct fixture *fixture = *state;
	uint64_t devices[3] = {created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity),
			       created(fixture, &new_device(fixture, DEVICE_SOFTPHONE, "821")->entity),
			       created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "01444 123456")->entity)};
	uint64_t reversed[3] = {devices[2], devices[1], devices[0]};
	struct user *user = new_user(fixture, "jane", "510"), *read;

	give(fixture, user, devices, 3);
	created(fixture, &user->entity);
	give(fixture, user, reversed, 3);
	user->turns[1].ring_s = 600;
	assert_int_equal(try_update(fixture, &user->entity), ERR_NONE);
	read = stored(fixture, ENTITY_USER, user->entity.id);
	assert_int_equal(read->turn_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read->turns[i].device_id, reversed[i]);
		assert_int_equal(read->turns[i].start_s, (int64_t)i * 5);
	}
	assert_int_equal(read->turns[1].ring_s, 600);
}

static void canonical_numbers_are_made_on_writing(void **state)
{
	struct fixture *fixture = *state;
	struct device *device = new_device(fixture, DEVICE_EXTERNAL, "01444 123456"), *read;
	struct did did = {.entity = {.kind = ENTITY_DID}, .number = STR("+44 (0)1444 123400")};
	struct did *read_did;

	created(fixture, &device->entity);
	read = stored(fixture, ENTITY_DEVICE, device->entity.id);
	assert_true(str_equal(read->number, STR("01444 123456")));
	assert_true(str_equal(read->canonical, STR("+441444123456")));
	did.user_id = created(fixture, &new_user(fixture, "jane", "510")->entity);
	created(fixture, &did.entity);
	read_did = stored(fixture, ENTITY_DID, did.entity.id);
	assert_true(str_equal(read_did->canonical, STR("+441444123400")));
	// The same number, otherwise written.
	did.number = STR("01444-123400");
	assert_int_equal(try_create(fixture, &did.entity), ERR_NOT_UNIQUE);
	assert_problem(fixture, "not_unique", "number");
	assert_int_equal(fixture->problem.other_id, read_did->entity.id);
	// And a device that registers has none.
	device = new_device(fixture, DEVICE_SIP_PHONE, "330");
	created(fixture, &device->entity);
	read = stored(fixture, ENTITY_DEVICE, device->entity.id);
	assert_true(str_empty(read->canonical));
}

static void what_is_no_number_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct did did = {.entity = {.kind = ENTITY_DID}, .number = STR("+44 99999999999999999999")};

	did.user_id = created(fixture, &new_user(fixture, "jane", "510")->entity);
	assert_int_equal(try_create(fixture, &did.entity), ERR_BAD_NUMBER);
	assert_problem(fixture, "bad_number", "number");
	assert_true(strlen(fixture->problem.sentence) > 0);
}

static void find_compares_exactly(void **state)
{
	struct fixture *fixture = *state;
	struct records *records = fixture->records;
	struct entity *entity = NULL;
	uint64_t jane = created(fixture, &new_user(fixture, "jane", "510")->entity);

	assert_int_equal(records->find(records->context, ENTITY_USER, "name", STR("jane"), &fixture->arena, &entity),
			 ERR_NONE);
	assert_int_equal(entity->id, jane);
	assert_int_equal(records->find(records->context, ENTITY_USER, "name", STR("Jane"), &fixture->arena, &entity),
			 ERR_NOT_FOUND);
	assert_int_equal(
	    records->find(records->context, ENTITY_USER, "extension", STR("510"), &fixture->arena, &entity), ERR_NONE);
	assert_int_equal(records->find(records->context, ENTITY_USER, "title", STR("jane"), &fixture->arena, &entity),
			 ERR_UNKNOWN_FIELD);
	assert_int_equal(
	    records->find(records->context, ENTITY_SELECTION, "user_id", STR("x"), &fixture->arena, &entity),
	    ERR_NOT_FOUND);
}

// ---- hostile texts

static const char *const hostile[] = {
    "'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "x' OR '1'='1",
    "$1",
    "?1",
    "%",
    "_",
    "\\",
    "%' ESCAPE '",
    "1); DELETE FROM users",
    "\xC5\x98\xC3\xAD\xC4\x8Dka \xF0\x9F\x93\x9E",
    "a'||(SELECT password_hash FROM users)||'",
};

static void no_text_is_taken_for_sql(void **state)
{
	struct fixture *fixture = *state;
	struct records *records = fixture->records;
	const struct entity_type *type = entity_type(ENTITY_DEVICE);
	char name[16];

	created(fixture, &new_user(fixture, "bystander", "998")->entity);
	for (size_t h = 0; h < sizeof hostile / sizeof *hostile; h++) {
		struct str text = str_of(hostile[h]);
		struct device *device;
		struct entity *found;
		struct entity_page page;
		snprintf(name, sizeof name, "h%zu", h);
		device = new_device(fixture, DEVICE_SIP_PHONE,
				    (const char *)(uintptr_t)arena_copy(&fixture->arena, str_of(name)).at);
		// Every text field without a rule of its own takes it; those with one refuse it before it gets here.
		device->title = device->description = device->teams_user = text;
		created(fixture, &device->entity);
		device = stored(fixture, ENTITY_DEVICE, device->entity.id);
		assert_true(str_equal(device->title, text));

		struct list_query query = {.q = text, .limit = 1000};
		assert_int_equal(records->list(records->context, ENTITY_DEVICE, &query, &fixture->arena, &page),
				 ERR_NONE);
		assert_true(page.count >= 1);
		query = (struct list_query){.limit = 1000, .filter_count = 1};
		query.filters[0] = (struct list_filter){entity_field(type, STR("title")), text};
		assert_int_equal(records->list(records->context, ENTITY_DEVICE, &query, &fixture->arena, &page),
				 ERR_NONE);
		assert_int_equal(page.count, 1);
		query = (struct list_query){.limit = 1000, .sort = text};
		assert_int_equal(records->list(records->context, ENTITY_DEVICE, &query, &fixture->arena, &page),
				 ERR_UNKNOWN_FIELD);
		query = (struct list_query){.limit = 1000, .sort = STR("title"), .cursor = text};
		assert_int_equal(records->list(records->context, ENTITY_DEVICE, &query, &fixture->arena, &page),
				 ERR_MALFORMED);
		assert_int_equal(records->find(records->context, ENTITY_USER, "name", text, &fixture->arena, &found),
				 ERR_NOT_FOUND);
		struct call_record *record;
		assert_int_equal(records->record_get(records->context, text, &fixture->arena, &record), ERR_NOT_FOUND);
		struct record_query record_query = {.q = text, .limit = 10};
		struct record_page record_page;
		assert_int_equal(records->record_list(records->context, &record_query, &fixture->arena, &record_page),
				 ERR_NONE);
	}
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM users"), "1");
	fixture_check_file(fixture);
}

// Read only: the tables have every column the field tables name, and none besides.
static void the_schema_has_the_fields_and_no_others(void **state)
{
	struct fixture *fixture = *state;

	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
		const struct entity_type *type = entity_type((enum entity_kind)kind);
		char sql[128], expected[16];
		snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s')", type->plural);
		snprintf(expected, sizeof expected, "%zu",
			 type->field_count + 3 + (kind == ENTITY_DEVICE ? 3 : kind == ENTITY_USER));
		assert_string_equal(fixture_sql(fixture, sql), expected);
		snprintf(sql, sizeof sql, "SELECT id FROM last_ids WHERE kind = '%s'", type->name);
		assert_string_equal(fixture_sql(fixture, sql), kind == ENTITY_SITE ? "1" : "0"); // it is there already
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_schema_has_the_fields_and_no_others),
	    TEST(every_field_of_every_kind_comes_back),
	    TEST(ids_are_never_used_twice),
	    TEST(a_users_turns_keep_their_order),
	    TEST(canonical_numbers_are_made_on_writing),
	    TEST(what_is_no_number_is_refused),
	    TEST(find_compares_exactly),
	    TEST(no_text_is_taken_for_sql),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
