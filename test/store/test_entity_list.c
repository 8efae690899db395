// Lists: search, filters, sorting in both directions, and pages that show each row once whatever comes and goes.
#include "store/entity_list.h"

#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

static const struct field *device_field(const char *name)
{
	return entity_field(entity_type(ENTITY_DEVICE), str_of(name));
}

static enum err list(struct fixture *fixture, enum entity_kind kind, const struct list_query *query,
		     struct entity_page *page)
{
	return fixture->records->list(fixture->records->context, kind, query, &fixture->arena, page);
}

// "330 821 ..." of all pages of `limit`; checks the totals on the way.
static const char *numbers(struct fixture *fixture, struct list_query query, unsigned limit, uint64_t total)
{
	static char text[4096];
	size_t used = 0;

	query.limit = limit;
	for (unsigned pages = 0; pages < 1000; pages++) {
		struct entity_page page;
		assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
		assert_int_equal(page.total, total);
		assert_true(page.count <= limit);
		for (size_t i = 0; i < page.count; i++) {
			const struct device *device = (const struct device *)page.entities[i];
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "",
						 STR_ARG(device->number));
		}
		if (str_empty(page.next))
			return text;
		assert_int_equal(page.count, limit);
		query.cursor = page.next;
	}
	fail_msg("the pages do not end");
	return NULL;
}

static void devices_make(struct fixture *fixture)
{
	static const struct {
		enum device_kind kind;
		const char *number, *title;
		int64_t call_limit;
		bool offered;
	} devices[] = {
	    {DEVICE_SIP_PHONE, "330", "Desk of Jane", 2, false},
	    {DEVICE_SOFTPHONE, "821", "laptop", 0, true},
	    {DEVICE_EXTERNAL, "01444 123456", "Jane, mobile", 1, false},
	    {DEVICE_SIP_PHONE, "331", "desk of BOB", 2, true},
	    {DEVICE_WEBRTC, "900",
	     "\xC5\x98\xC3\xAD\xC4\x8D"
	     "ANY 100%",
	     1, false},
	    {DEVICE_TEAMS, "+441444123499", "", 0, false},
	};

	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		struct device *device = new_device(fixture, devices[i].kind, devices[i].number);
		device->title = str_of(devices[i].title);
		device->call_limit = devices[i].call_limit;
		device->available_for_selection = devices[i].offered;
		created(fixture, &device->entity);
	}
}

static void pages_are_the_same_whatever_their_size(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *sort, *expected;
	} orders[] = {
	    {"", "330 821 01444 123456 331 900 +441444123499"},
	    {"-id", "+441444123499 900 331 01444 123456 821 330"},
	    {"number", "+441444123499 01444 123456 330 331 821 900"},
	    {"-number", "900 821 331 330 01444 123456 +441444123499"},
	    {"title", "+441444123499 331 330 01444 123456 821 900"},
	    {"-title", "900 821 01444 123456 330 331 +441444123499"},
	    {"call_limit", "821 +441444123499 01444 123456 900 330 331"},
	    {"-call_limit", "331 330 900 01444 123456 +441444123499 821"},
	    {"kind", "01444 123456 330 331 821 +441444123499 900"},
	    {"available_for_selection", "330 01444 123456 900 +441444123499 821 331"},
	    {"-available_for_selection", "331 821 +441444123499 900 01444 123456 330"},
	};

	devices_make(fixture);
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		for (unsigned limit = 1; limit <= 7; limit++)
			assert_string_equal(
			    numbers(fixture, (struct list_query){.sort = str_of(orders[i].sort)}, limit, 6),
			    orders[i].expected);
}

static void a_search_looks_into_every_text_shown(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *q, *expected;
		uint64_t total;
	} searches[] = {
	    {"jane", "330 01444 123456", 2},
	    {"DESK", "330 331", 2},
	    {"desk jane", "330", 1}, // every word
	    {"jane  desk\n", "330", 1},
	    {"44123", "01444 123456 +441444123499", 2}, // in the canonical number
	    {"\xC5\x99\xC3\xAD\xC4\x8D", "900", 1},
	    {"0%", "900", 1},
	    {"%", "900", 1},
	    {"_", "", 0},
	    {"sip_phone", "", 0},
	    {"deskofjane", "", 0},
	};

	devices_make(fixture);
	for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
		for (unsigned limit = 1; limit <= 3; limit++) {
			struct list_query query = {.q = str_of(searches[i].q)};
			assert_string_equal(searches[i].total ? numbers(fixture, query, limit, searches[i].total)
							      : searches[i].expected,
					    searches[i].expected);
			query.sort = STR("number");
			if (searches[i].total == 0)
				numbers(fixture, query, limit, 0);
		}
	assert_string_equal(numbers(fixture, (struct list_query){.q = STR("desk"), .sort = STR("-number")}, 1, 2),
			    "331 330");
}

static void secrets_are_not_searched_sorted_or_filtered(void **state)
{
	struct fixture *fixture = *state;
	struct device *device = new_device(fixture, DEVICE_SIP_PHONE, "330");
	struct list_query query = {.q = STR("0123456789abcdef"), .limit = 10};
	struct entity_page page;

	device->ha1_md5 = STR("0123456789abcdef0123456789abcdef");
	created(fixture, &device->entity);
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
	assert_int_equal(page.count, 0);
	query = (struct list_query){.sort = STR("ha1_md5"), .limit = 10};
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_UNKNOWN_FIELD);
	query = (struct list_query){.limit = 10, .filter_count = 1};
	query.filters[0] = (struct list_filter){device_field("ha1_md5"), device->ha1_md5};
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_UNKNOWN_FIELD);
}

static void filters_take_values_of_their_field(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *field, *value, *expected;
	} filters[] = {
	    {"kind", "sip_phone", "330 331"},
	    {"kind", "fax", NULL},
	    {"kind", "softphone,webrtc", "821 900"},
	    {"kind", "webrtc,fax", NULL},
	    {"available_for_selection", "true", "821 331"},
	    {"available_for_selection", "maybe", NULL},
	    {"call_limit", "2", "330 331"},
	    {"call_limit", "two", NULL},
	    {"title", "LAPTOP", "821"},
	    {"number", "900", "900"},
	};
	struct list_query query = {.limit = 10, .filter_count = 1};
	struct entity_page page;

	devices_make(fixture);
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		query.filters[0] = (struct list_filter){device_field(filters[i].field), str_of(filters[i].value)};
		if (filters[i].expected)
			assert_string_equal(numbers(fixture, query, 10, strchr(filters[i].expected, ' ') ? 2 : 1),
					    filters[i].expected);
		else
			assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_INVALID_FIELD);
	}
	query.filters[0] = (struct list_filter){device_field("kind"), STR("sip_phone")};
	query.filters[1] = (struct list_filter){device_field("available_for_selection"), STR("true")};
	query.filter_count = 2;
	query.q = STR("bob");
	assert_string_equal(numbers(fixture, query, 1, 1), "331");
}

static void a_reference_of_none_can_be_filtered_and_sorted(void **state)
{
	struct fixture *fixture = *state;
	struct did did = {.entity = {.kind = ENTITY_DID}, .number = STR("01444 123400")};
	struct list_query query = {.limit = 1, .filter_count = 1};
	struct entity_page page;
	uint64_t trunk = created(fixture, &new_trunk(fixture, "carrier")->entity);

	did.user_id = created(fixture, &new_user(fixture, "jane", "510")->entity);
	created(fixture, &did.entity);
	did.number = STR("01444 123401");
	did.trunk_id = trunk;
	created(fixture, &did.entity);
	query.filters[0] = (struct list_filter){entity_field(entity_type(ENTITY_DID), STR("trunk_id")), STR("0")};
	assert_int_equal(list(fixture, ENTITY_DID, &query, &page), ERR_NONE);
	assert_int_equal(page.total, 1);
	assert_int_equal(((struct did *)page.entities[0])->trunk_id, 0);
	query = (struct list_query){.limit = 1, .sort = STR("-trunk_id")};
	assert_int_equal(list(fixture, ENTITY_DID, &query, &page), ERR_NONE);
	assert_int_equal(((struct did *)page.entities[0])->trunk_id, trunk);
	query.cursor = page.next;
	assert_int_equal(list(fixture, ENTITY_DID, &query, &page), ERR_NONE);
	assert_int_equal(((struct did *)page.entities[0])->trunk_id, 0);
	assert_true(str_empty(page.next));
}

static void a_cursor_that_is_not_ours_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const char *const cursors[] = {"x", "-1", "0", "1.", "1.x", "1.!", "99999999999999999999", ".", "1.2.3"};
	struct entity_page page;

	devices_make(fixture);
	for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
		struct list_query query = {.limit = 2, .cursor = str_of(cursors[i]), .sort = STR("call_limit")};
		assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_MALFORMED);
	}
	struct list_query query = {.limit = 0};
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_MALFORMED);
	query.limit = 1001;
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_MALFORMED);
}

static void rows_that_go_shift_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct list_query query = {.limit = 2, .sort = STR("number")};
	struct entity_page page;
	struct device *last;

	devices_make(fixture);
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
	last = (struct device *)page.entities[1];
	assert_int_equal(try_remove(fixture, &last->entity, DELETE_IF_FREE), ERR_NONE); // the cursor's own row
	query.cursor = page.next;
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
	assert_true(str_equal(((struct device *)page.entities[0])->number, STR("330")));
}

static void users_come_with_their_turns(void **state)
{
	struct fixture *fixture = *state;
	uint64_t device = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	struct user *user = new_user(fixture, "jane", "510");
	struct list_query query = {.limit = 10};
	struct entity_page page;

	give(fixture, user, &device, 1);
	created(fixture, &user->entity);
	assert_int_equal(list(fixture, ENTITY_USER, &query, &page), ERR_NONE);
	assert_int_equal(((struct user *)page.entities[0])->turn_count, 1);
	assert_int_equal(((struct user *)page.entities[0])->turns[0].device_id, device);
}

// A search that finds more than is gathered at first takes the other way; the rows must be the same.
static void both_ways_of_searching_agree(void **state)
{
	struct fixture *fixture = *state;
	struct list_query query = {.limit = 500, .q = STR("phone"), .sort = STR("-number")};
	struct entity_page page;
	unsigned seen = 0;
	struct str last = STR("9999");

	phones_make(fixture, 1003);
	for (int pages = 0; pages < 3; pages++) {
		assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
		assert_int_equal(page.total, 1003);
		for (size_t i = 0; i < page.count; i++) {
			assert_true(str_compare(((struct device *)page.entities[i])->number, last) < 0);
			last = ((struct device *)page.entities[i])->number;
			seen++;
		}
		query.cursor = page.next;
	}
	assert_int_equal(seen, 1003);
	assert_true(str_empty(query.cursor));
}

// ---- by what other tables say

static struct list_query derived(enum entity_kind kind, const char *name, const char *value)
{
	const struct entity_type *type = entity_type(kind);
	struct list_query query = {.limit = 100, .filter_count = 1};

	for (size_t i = 0; i < type->derived_count; i++)
		if (strcmp(type->derived[i].name, name) == 0)
			query.filters[0] = (struct list_filter){&type->derived[i], str_of(value)};
	assert_non_null(query.filters[0].field);
	return query;
}

static uint64_t users_found(struct fixture *fixture, const char *name, const char *value)
{
	struct list_query query = derived(ENTITY_USER, name, value);
	struct entity_page page;

	assert_int_equal(list(fixture, ENTITY_USER, &query, &page), ERR_NONE);
	return page.total;
}

// Jane (1) has devices 1 and 3, Bob (2) has selected device 2. Device 1 is registered, and device 2 was.
static void holders_set(struct fixture *fixture)
{
	struct binding expired = new_binding(2, "sip:821@192.0.2.1", 1);
	struct user *jane = new_user(fixture, "jane", "510");

	devices_make(fixture);
	give(fixture, jane, (const uint64_t[]){1, 3}, 2);
	created(fixture, &jane->entity);
	created(fixture, &new_user(fixture, "bob", "520")->entity);
	created(fixture, &new_session(fixture, 2, now_ms() + 60000)->entity);
	created(fixture, &new_selection(fixture, 2, 2, 0)->entity);
	expired.expires_at_ms = now_ms() - 1000;
	assert_int_equal(binding_save(fixture, new_binding(1, "sip:330@192.0.2.1", 1)), ERR_NONE);
	assert_int_equal(binding_save(fixture, expired), ERR_NONE);
}

static void devices_are_found_by_who_holds_them(void **state)
{
	struct fixture *fixture = *state;
	struct list_query wrong = derived(ENTITY_DEVICE, "held", "stolen");
	struct entity_page page;

	holders_set(fixture);
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "held", "assigned"), 1, 2), "330 01444 123456");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "held", "selected"), 1, 1), "821");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "held", "nobody"), 2, 3), "331 900 +441444123499");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "holder_id", "1"), 5, 2), "330 01444 123456");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "holder_id", "2"), 5, 1), "821");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "registered", "true"), 5, 1), "330");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "registered", "false"), 2, 5),
			    "821 01444 123456 331 900 +441444123499");
	assert_int_equal(list(fixture, ENTITY_DEVICE, &wrong, &page), ERR_INVALID_FIELD);
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "holder", "JANE"), 5, 2), "330 01444 123456");
	struct list_query by_holder = {.sort = STR("-holder")}, by_state = {.sort = STR("-registered")};
	assert_string_equal(numbers(fixture, by_holder, 2, 6), "01444 123456 330 821 +441444123499 900 331");
	assert_string_equal(numbers(fixture, by_state, 2, 6), "330 +441444123499 900 331 01444 123456 821");
	// And it follows: a title or a plan that changes, a selection that ends, a user who goes.
	struct user *jane = stored(fixture, ENTITY_USER, 1);
	give(fixture, jane, (const uint64_t[]){3, 4}, 2);
	jane->title = STR("Janet");
	assert_int_equal(try_update(fixture, &jane->entity), ERR_NONE);
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "holder", "janet"), 5, 2), "01444 123456 331");
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "held", "assigned"), 5, 2), "01444 123456 331");
	assert_int_equal(try_remove(fixture, stored(fixture, ENTITY_SELECTION, 1), DELETE_IF_FREE), ERR_NONE);
	struct list_query selected = derived(ENTITY_DEVICE, "held", "selected");
	assert_int_equal(list(fixture, ENTITY_DEVICE, &selected, &page), ERR_NONE);
	assert_int_equal(page.total, 0);
	assert_int_equal(try_remove(fixture, stored(fixture, ENTITY_USER, 1), DELETE_IF_FREE), ERR_NONE);
	assert_string_equal(numbers(fixture, derived(ENTITY_DEVICE, "held", "nobody"), 6, 6),
			    "330 821 01444 123456 331 900 +441444123499");
}

static void much_is_counted_up_to_a_bound(void **state)
{
	struct fixture *fixture = *state;
	struct list_query query = {
	    .limit = 10, .filter_count = 1, .filters = {{device_field("kind"), STR("sip_phone")}}};
	struct entity_page page;

	phones_make(fixture, 10050);
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
	assert_int_equal(page.total, LIST_TOTAL_MAX);
	assert_true(page.total_is_least);
	query = (struct list_query){.limit = 10};
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
	assert_int_equal(page.total, 10050); // all there are costs nothing
	assert_false(page.total_is_least);
	query = (struct list_query){.limit = 10, .q = STR("phone 1005")};
	assert_int_equal(list(fixture, ENTITY_DEVICE, &query, &page), ERR_NONE);
	assert_int_equal(page.total, 2);
	assert_false(page.total_is_least);
}

static void users_are_found_by_what_they_have(void **state)
{
	struct fixture *fixture = *state;
	const struct field *user_id = entity_field(entity_type(ENTITY_SESSION), STR("user_id"));
	uint64_t ids[] = {2, 1, 9}, counts[3];

	holders_set(fixture);
	assert_int_equal(users_found(fixture, "signed_in", "true"), 1);
	assert_int_equal(users_found(fixture, "signed_in", "false"), 1);
	assert_int_equal(users_found(fixture, "has_devices", "true"), 1);
	assert_int_equal(fixture->records->count_by(fixture->records->context, user_id, ENTITY_SESSION, ids, 3, counts),
			 ERR_NONE);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 0);
}

// As its devices register and are gone, and by what is assigned before what is selected.
static void users_reach_follows_their_devices(void **state)
{
	struct fixture *fixture = *state;
	struct registration gone = {.write = {.device_id = 2, .remove_all = true}};
	struct user *bob;

	holders_set(fixture);
	assert_int_equal(users_found(fixture, "reach", "reachable"), 1);   // Jane
	assert_int_equal(users_found(fixture, "reach", "unreachable"), 1); // Bob: the laptop's registration is over
	assert_int_equal(binding_save(fixture, new_binding(2, "sip:821@192.0.2.1", 2)), ERR_NONE);
	assert_int_equal(users_found(fixture, "reach", "reachable"), 2);
	assert_int_equal(save_and_wait(fixture, &gone), ERR_NONE);
	assert_int_equal(users_found(fixture, "reach", "reachable"), 1);
	assert_int_equal(try_remove(fixture, stored(fixture, ENTITY_SELECTION, 1), DELETE_IF_FREE), ERR_NONE);
	assert_int_equal(users_found(fixture, "reach", "nothing"), 1);
	bob = stored(fixture, ENTITY_USER, 2);
	give(fixture, bob, (const uint64_t[]){3}, 1); // Jane's mobile, too
	assert_int_equal(try_update(fixture, &bob->entity), ERR_NONE);
	assert_int_equal(users_found(fixture, "reach", "reachable"), 2);
	assert_int_equal(try_remove(fixture, stored(fixture, ENTITY_DEVICE, 3), DELETE_AND_RELEASE), ERR_NONE);
	assert_int_equal(users_found(fixture, "reach", "nothing"), 1);
	assert_int_equal(users_found(fixture, "reach", "reachable"), 1);
}

// A registration that ended while the server was away is over when it comes back.
static void what_ended_meanwhile_is_over_at_start(void **state)
{
	struct fixture *fixture = *state;
	char sentence[256];

	holders_set(fixture);
	assert_int_equal(try_remove(fixture, stored(fixture, ENTITY_DEVICE, 3), DELETE_AND_RELEASE), ERR_NONE);
	assert_int_equal(users_found(fixture, "reach", "reachable"), 1);
	fixture_sql(fixture, "UPDATE registrations SET expires_at = 1000");
	fixture_close(fixture);
	assert_true(fixture_open(fixture, sentence, sizeof sentence));
	assert_int_equal(users_found(fixture, "reach", "reachable"), 0);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM devices WHERE registered"), "0");
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM registrations"), "0");
}

// Words found by their index, by looking at each row, and both.
static void words_are_found_however_long_they_are(void **state)
{
	struct fixture *fixture = *state;

	devices_make(fixture);
	assert_string_equal(numbers(fixture, (struct list_query){.q = STR("ja")}, 1, 2), "330 01444 123456");
	assert_string_equal(numbers(fixture, (struct list_query){.q = STR("mobile ja")}, 1, 1), "01444 123456");
	assert_string_equal(numbers(fixture, (struct list_query){.q = STR("\xC5\x99\xC3\xAD\xC4\x8D")}, 1, 1), "900");
	struct device *desk = stored(fixture, ENTITY_DEVICE, 1);
	desk->title = STR("a \"quoted\" OR one");
	assert_int_equal(try_update(fixture, &desk->entity), ERR_NONE);
	assert_string_equal(numbers(fixture, (struct list_query){.q = STR("\"quoted\"")}, 1, 1), "330");
	assert_string_equal(numbers(fixture, (struct list_query){.q = STR("jane")}, 1, 1), "01444 123456");
	assert_int_equal(try_remove(fixture, &desk->entity, DELETE_IF_FREE), ERR_NONE);
	struct list_query gone = {.q = STR("quoted"), .limit = 1};
	struct entity_page page;
	assert_int_equal(list(fixture, ENTITY_DEVICE, &gone, &page), ERR_NONE);
	assert_int_equal(page.total, 0);
	fixture_sql(fixture, "INSERT INTO devices_words (devices_words) VALUES ('integrity-check')");
}

static void the_overview_names_who_cannot_be_reached(void **state)
{
	struct fixture *fixture = *state;
	struct store_overview overview;
	struct user *tom = new_user(fixture, "tom", "530");

	holders_set(fixture);
	give(fixture, tom, (const uint64_t[]){4}, 1);
	created(fixture, &tom->entity);
	created(fixture, &new_user(fixture, "ann", "540")->entity);
	assert_int_equal(fixture->records->overview(fixture->records->context, &overview), ERR_NONE);
	assert_int_equal(overview.users, 4);
	assert_int_equal(overview.devices, 6);
	assert_int_equal(overview.selections, 1);
	assert_int_equal(overview.unregistered.count, 1); // Jane's mobile does not register, and 821 is not assigned
	assert_string_equal(overview.unregistered.examples[0].label, "331");
	assert_int_equal(overview.unreachable_users.count,
			 2); // Bob has selected a laptop that is not registered any more
	assert_int_equal(overview.unreachable_users.examples[0].id, 2);
	assert_int_equal(overview.unreachable_users.examples[1].id, 3);
	assert_int_equal(overview.users_without_device.count, 1);
	assert_int_equal(overview.users_without_device.examples[0].id, 4);
	assert_true(overview.disk_free_bytes > 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(pages_are_the_same_whatever_their_size),
	    TEST(a_search_looks_into_every_text_shown),
	    TEST(secrets_are_not_searched_sorted_or_filtered),
	    TEST(filters_take_values_of_their_field),
	    TEST(a_reference_of_none_can_be_filtered_and_sorted),
	    TEST(a_cursor_that_is_not_ours_is_refused),
	    TEST(rows_that_go_shift_nothing),
	    TEST(users_come_with_their_turns),
	    TEST(both_ways_of_searching_agree),
	    TEST(devices_are_found_by_who_holds_them),
	    TEST(much_is_counted_up_to_a_bound),
	    TEST(users_are_found_by_what_they_have),
	    TEST(users_reach_follows_their_devices),
	    TEST(what_ended_meanwhile_is_over_at_start),
	    TEST(words_are_found_however_long_they_are),
	    TEST(the_overview_names_who_cannot_be_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
