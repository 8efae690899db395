// Patterns: what they take, which goes first, and the tree of routes against a walk over all of them.
#include "domain/dial_pattern.h"
#include "domain/route_table.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void patterns_take_numbers(void **state)
{
	static const struct {
		const char *pattern, *number;
		bool takes;
	} rows[] = {
	    {"", "+441444123456", true},
	    {"", "112", true},
	    {"+44", "+441444123456", true},
	    {"+44", "+44", true},
	    {"+44", "+4", false},
	    {"+44!", "+44", true},
	    {"+44.", "+44", false},
	    {"+44.", "+441", true},
	    {"+44X", "+441", true},
	    {"+44X", "+4412", false},
	    {"+44X", "+44", false},
	    {"+44Z", "+440", false},
	    {"+44Z", "+449", true},
	    {"+44N", "+441", false},
	    {"+44n", "+442", true},
	    {"+44N!", "+442079460000", true},
	    {"+44[13-5]", "+444", true},
	    {"+44[13-5]", "+442", false},
	    {"+44[13-5].", "+441", false},
	    {"XXX", "112", true},
	    {"XXX", "+12", false},
	    {"!", "", true},
	    {".", "", false},
	    {".", "+", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dial_pattern pattern;
		assert_true(dial_pattern_read(str_of(rows[i].pattern), &pattern));
		if (dial_pattern_takes(&pattern, str_of(rows[i].number)) != rows[i].takes)
			fail_msg("%s and %s", rows[i].pattern, rows[i].number);
	}
}

static void what_is_no_pattern_is_refused(void **state)
{
	static const char *const rows[] = {
	    "4+4",  "++",  "+44.1", "+44!!", "+44.!", "[",  "[]", "[1", "1]",    "[9-1]", "[1-]",
	    "[-1]", "[a]", "[+]",   "Y",     "+44 1", "_X", "*1", "#",  "+44-1", "[[1]]", "000000000000000000001"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dial_pattern pattern;
		if (dial_pattern_read(str_of(rows[i]), &pattern))
			fail_msg("%s was read", rows[i]);
	}
	struct dial_pattern pattern;
	assert_true(dial_pattern_read(STR("00000000000000000000."), &pattern)); // as long as can be
	assert_false(dial_pattern_read((struct str){"1\0", 2}, &pattern));
}

// ---- which goes first

// From the most specific to the least, all of which take the number.
static void the_most_specific_goes_first(void **state)
{
	static const char *const order[] = {
	    "+441444123456", "+44144412345[67]!", "+441444XXXXXX", "+441444.", "+441444",
	    "+44144[3-5]!",  "+44144N!",          "+44144Z!",      "+44144X!", "+44144.",
	    "+44[12]!",      "+44[1-3]!",         "+44!",          ".",        ""};
	enum { COUNT = sizeof order / sizeof *order };
	struct route routes[COUNT];
	const struct route *found[COUNT];
	struct route_table table = {NULL};

	(void)state;
	for (size_t i = COUNT; i-- > 0;) {
		routes[i] = (struct route){.entity = {ENTITY_ROUTE, COUNT - i, 1}, .pattern = str_of(order[i])};
		assert_true(route_table_enter(&table, &routes[i]));
	}
	assert_int_equal(route_table_find(&table, STR("+441444123456"), found, COUNT), COUNT);
	for (size_t i = 0; i < COUNT; i++)
		if (found[i] != &routes[i])
			fail_msg("%.*s stands where %s should", STR_ARG(found[i]->pattern), order[i]);
	assert_int_equal(route_table_find(&table, STR("+441444123456"), found, 3), 3);
	assert_ptr_equal(found[2], &routes[2]);
	for (size_t i = 0; i < COUNT; i++)
		route_table_leave(&table, &routes[i]);
	assert_null(table.root);
}

// ---- the tree against a walk

enum { MODEL = 40 };

static void pattern_make(char text[PATTERN_TEXT_MAX])
{
	static const char *const pieces[] = {"1", "2", "3", "X", "Z", "N", "[12]", "[2-4]"};
	unsigned count = (unsigned)rand() % 4;

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		strcat(text, pieces[rand() % 8]);
	if (rand() % 2)
		strcat(text, rand() % 2 ? "." : "!");
}

static void the_tree_finds_what_a_walk_finds(void **state)
{
	static char texts[MODEL][PATTERN_TEXT_MAX];
	struct route routes[MODEL];
	struct route_table table = {NULL};

	(void)state;
	memset(routes, 0, sizeof routes);
	srand(11);
	for (unsigned step = 0; step < 5000; step++) {
		size_t at = (size_t)rand() % MODEL, count = 0;
		const struct route *found[MODEL];
		char number[8];
		if (routes[at].entity.id) {
			route_table_leave(&table, &routes[at]);
			routes[at].entity.id = 0;
		} else {
			pattern_make(texts[at]);
			routes[at] = (struct route){
			    .entity = {ENTITY_ROUTE, at + 1, 1}, .pattern = str_of(texts[at]), .cost = rand() % 3};
			assert_true(route_table_enter(&table, &routes[at]));
		}
		snprintf(number, sizeof number, "%.*d", rand() % 5, rand() % 5000);
		size_t all = route_table_find(&table, str_of(number), found, MODEL);
		for (size_t i = 0; i < MODEL; i++) {
			struct dial_pattern pattern;
			bool takes = routes[i].entity.id && dial_pattern_read(routes[i].pattern, &pattern) &&
				     dial_pattern_takes(&pattern, str_of(number));
			size_t places = 0;
			for (size_t f = 0; f < all; f++)
				places += found[f] == &routes[i];
			assert_int_equal(places, takes);
			count += takes;
		}
		assert_int_equal(all, count);
	}
	for (size_t i = 0; i < MODEL; i++)
		if (routes[i].entity.id)
			route_table_leave(&table, &routes[i]);
	assert_null(table.root);
}

static void ten_thousand_routes_without_an_allocation(void **state)
{
	enum { MANY = 10000 };
	static struct route routes[MANY];
	static char texts[MANY][16];
	struct route_table table = {NULL};
	const struct route *found[16];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof texts[i], "+4414%04zu%s", i, i % 2 ? "XXX" : "");
		routes[i] = (struct route){.entity = {ENTITY_ROUTE, i + 1, 1}, .pattern = str_of(texts[i])};
		assert_true(route_table_enter(&table, &routes[i]));
	}
	failing_allocator_arm(1);
	assert_int_equal(route_table_find(&table, STR("+44140777123"), found, 16), 1);
	assert_int_equal(route_table_find(&table, STR("+441407771234"), found, 16), 0);
	assert_int_equal(route_table_find(&table, STR("+441407781234"), found, 16), 1);
	assert_false(failing_allocator_disarm());
	assert_ptr_equal(found[0], &routes[778]);
	for (size_t i = 0; i < MANY; i++)
		route_table_leave(&table, &routes[i]);
	assert_null(table.root);
}

static void without_memory_nothing_is_entered(void **state)
{
	struct route first = {.entity = {ENTITY_ROUTE, 1, 1}, .pattern = STR("+44")},
		     second = {.entity = {ENTITY_ROUTE, 2, 1}, .pattern = STR("+441444")};
	bool failed = true;

	(void)state;
	for (unsigned n = 1; failed; n++) {
		struct route_table table = {NULL};
		const struct route *found[2];
		assert_true(route_table_enter(&table, &first));
		failing_allocator_arm(n);
		bool entered = route_table_enter(&table, &second);
		failed = failing_allocator_disarm();
		assert_int_equal(entered, !failed);
		assert_int_equal(route_table_find(&table, STR("+441444123456"), found, 2), entered ? 2 : 1);
		route_table_leave(&table, &second);
		route_table_leave(&table, &first);
		assert_null(table.root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns_take_numbers),
	    cmocka_unit_test(what_is_no_pattern_is_refused),
	    cmocka_unit_test(the_most_specific_goes_first),
	    cmocka_unit_test(the_tree_finds_what_a_walk_finds),
	    cmocka_unit_test(ten_thousand_routes_without_an_allocation),
	    cmocka_unit_test(without_memory_nothing_is_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
