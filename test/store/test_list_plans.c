// How the database finds each list: of a large table nothing is sorted as a whole and no row is read that is not shown, whatever a
// list is sorted and filtered by. The plans are SQLite's own, of the very statements that lists run.
#include "store/call_record_sql.h"
#include "store/entity_list.h"

#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

// Stands in for the database's functions and looks at each statement before it runs.
struct spy {
	struct database_backend backend;
	const struct database_backend *real;
	const char *table;
	char wrong[8192]; // statements whose plan is not as it should be
	char last[4096];  // the last plan
	unsigned statements;
};
static struct spy spy;

struct plan {
	char text[4096];
	bool by_id;
	bool sorts_within; // something other than the page's own rows is sorted
	bool reads_rows;   // of the table, one after the other, and not in the order of a list by id
};

static bool holds(struct str text, const char *part)
{
	char copy[512];

	return str_to_cstring(text, copy, sizeof copy) && strstr(copy, part);
}

static enum err take_step(void *context, const struct row *row)
{
	struct plan *plan = context;
	struct str detail = row_text(row, 3);
	char scan[64];
	size_t used = strlen(plan->text);

	snprintf(plan->text + used, sizeof plan->text - used, "  %.*s\n", STR_ARG(detail));
	snprintf(scan, sizeof scan, "SCAN %s", spy.table);
	if (holds(detail, "TEMP B-TREE FOR") && row_integer(row, 1) != 0)
		plan->sorts_within = true;
	if (holds(detail, scan) && !holds(detail, "INDEX") && !plan->by_id)
		plan->reads_rows = true;
	return ERR_NONE;
}

static enum err look_and_run(struct database *database, const char *sql, struct values values,
			     struct row_visitor visitor)
{
	static char explained[LIST_TOTAL_MAX * 20];
	struct plan plan = {.text = ""};
	size_t used = strlen(spy.wrong);

	plan.by_id = strstr(sql, "ORDER BY id") != NULL;
	if (strstr(sql, spy.table) && strncmp(sql, "SELECT", 6) == 0) {
		snprintf(explained, sizeof explained, "EXPLAIN QUERY PLAN %s", sql);
		assert_int_equal(spy.real->run(database, explained, values, (struct row_visitor){take_step, &plan}),
				 ERR_NONE);
		spy.statements++;
		memcpy(spy.last, plan.text, sizeof spy.last);
		if (plan.sorts_within || plan.reads_rows)
			snprintf(spy.wrong + used, sizeof spy.wrong - used, "%.300s\n%s", strstr(sql, " FROM "),
				 plan.text);
	}
	return spy.real->run(database, sql, values, visitor);
}

// Kinds of which there may be many.
static const enum entity_kind large[] = {ENTITY_USER, ENTITY_DEVICE, ENTITY_DID, ENTITY_SESSION, ENTITY_SELECTION};

// A value that a field can have, and one that nothing has.
static struct str value_of(const struct field *field, bool common)
{
	switch (field->type) {
	case FIELD_CHOICE:
		return str_of(field->choices[common ? 0 : 1]);
	case FIELD_BOOLEAN:
		return common ? STR("false") : STR("true");
	case FIELD_TEXT:
		return common ? STR("") : STR("nothing like it");
	case FIELD_INTEGER:
	case FIELD_TIME:
	case FIELD_REFERENCE:
		return common ? STR("0") : STR("77");
	}
	return STR_NONE;
}

static const struct field *field_at(const struct entity_type *type, size_t index)
{
	return index < type->field_count ? &type->fields[index] : &type->derived[index - type->field_count];
}

static void list_look(struct database *database, struct fixture *fixture, enum entity_kind kind,
		      const struct list_query *query)
{
	struct entity_page page;
	enum err err = entity_list(database, kind, query, &fixture->arena, &page);

	if (err)
		fail_msg("%s: %s", entity_type(kind)->plural, err_name(err));
	if (str_empty(page.next))
		return;
	struct list_query following = *query;
	following.cursor = page.next;
	assert_int_equal(entity_list(database, kind, &following, &fixture->arena, &page), ERR_NONE);
}

static void filters_look(struct database *database, struct fixture *fixture, enum entity_kind kind,
			 struct list_query query)
{
	const struct entity_type *type = entity_type(kind);

	query.filter_count = 0;
	list_look(database, fixture, kind, &query);
	if (!str_empty(query.q))
		return;
	query.filter_count = 1;
	for (size_t i = 0; i < type->field_count + type->derived_count; i++)
		for (int common = 0; common < 2; common++) {
			const struct field *field = field_at(type, i);
			if (field->flags & FIELD_HIDDEN)
				continue;
			query.filters[0] = (struct list_filter){field, value_of(field, common)};
			list_look(database, fixture, kind, &query);
		}
}

static void sorts_look(struct database *database, struct fixture *fixture, enum entity_kind kind, struct str q)
{
	const struct entity_type *type = entity_type(kind);

	spy.table = type->plural;
	for (size_t i = 0; i < type->field_count + type->derived_count; i++) {
		const struct field *field = field_at(type, i);
		struct list_query query = {.q = q, .limit = 2, .sort = str_of(field->name)};
		if (field->flags & (FIELD_HIDDEN | FIELD_FILTER))
			continue;
		filters_look(database, fixture, kind, query);
		query.sort = arena_format(&fixture->arena, "-%s", field->name);
		filters_look(database, fixture, kind, query);
		arena_reset(&fixture->arena);
	}
	filters_look(database, fixture, kind, (struct list_query){.q = q, .limit = 2});
}

static void spy_on(struct database *database)
{
	memset(&spy, 0, sizeof spy);
	spy.real = database->backend;
	spy.backend = *database->backend;
	spy.backend.run = look_and_run;
	database->backend = &spy.backend;
}

static void no_list_sorts_or_reads_a_whole_table(void **state)
{
	struct fixture *fixture = *state;
	struct database *database;
	char sentence[256];

	phones_make(fixture, LIST_TOTAL_MAX + 50); // so many that a common filter leads to a list in order
	assert_int_equal(database_open(str_of(fixture->url), DATABASE_READ, &database, sentence, sizeof sentence),
			 ERR_NONE);
	spy_on(database);
	for (size_t i = 0; i < sizeof large / sizeof *large; i++)
		sorts_look(database, fixture, large[i], STR_NONE);
	sorts_look(database, fixture, ENTITY_DEVICE, STR("phone"));
	sorts_look(database, fixture, ENTITY_DEVICE, STR("phone 777"));
	sorts_look(database, fixture, ENTITY_DEVICE, STR("on"));
	database->backend = spy.real;
	database_close(database);
	assert_true(spy.statements > 1000);
	if (spy.wrong[0]) // what lists are sorted by needs an index that ends with the id
		fail_msg("%s", spy.wrong);
}

static void each_list_of_calls_has_its_index(void **state)
{
	static const struct {
		struct record_query query;
		const char *index, *second;
	} lists[] = {
	    {{.limit = 2}, "SEARCH call_records USING INDEX call_records_by_start (started_at", ""},
	    {{.limit = 2, .cursor = {"1700000000000.7", 15}}, "USING INDEX call_records_by_start (started_at", ""},
	    {{.limit = 2, .outcome = "answered"},
	     "SEARCH call_records USING INDEX call_records_by_start (started_at",
	     ""},
	    {{.limit = 2, .outcome = "busy"}, "INDEX call_records_by_outcome (outcome=? AND started_at", ""},
	    {{.limit = 2, .user_id = 7},
	     "INDEX call_records_by_caller (caller_user_id=? AND started_at",
	     "INDEX call_records_by_callee (callee_user_id=? AND started_at"},
	    {{.limit = 2, .device_id = 7},
	     "INDEX call_records_by_device (caller_device_id=? AND started_at",
	     "INDEX call_legs_by_device (device_id=?)"},
	};
	struct fixture *fixture = *state;
	struct database *database;
	struct record_page page;
	char sentence[256];

	assert_int_equal(database_open(str_of(fixture->url), DATABASE_READ, &database, sentence, sizeof sentence),
			 ERR_NONE);
	spy_on(database);
	spy.table = "call_records";
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		assert_int_equal(call_record_list(database, &lists[i].query, &fixture->arena, &page), ERR_NONE);
		if (!strstr(spy.last, lists[i].index) || !strstr(spy.last, lists[i].second))
			fail_msg("not by %s and %s, but\n%s", lists[i].index, lists[i].second, spy.last);
	}
	database->backend = spy.real;
	database_close(database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_list_sorts_or_reads_a_whole_table, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(each_list_of_calls_has_its_index, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
