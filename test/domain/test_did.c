// DIDs as they are typed, and found: ranges against a walk over all of them.
#include "domain/did_table.h"
#include "lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct number_plan plan = {
    .country_code = {"44", 2}, .international_prefix = {"00", 2}, .national_prefix = {"0", 1}, .emergency = {"112", 3}};

static void numbers_and_ranges_are_read(void **state)
{
	static const struct {
		const char *number, *last, *canonical; // NULL: refused, for `field`
		const char *field;
	} rows[] = {
	    {"01444 555500", "", "+441444555500", NULL},
	    {"+44 1444 555500", "+44 1444 555599", "+441444555500-+441444555599", NULL},
	    {"+44 1444 555500", "01444 555599", "+441444555500-+441444555599", NULL},
	    {"01444 555500", "555599", "+441444555500-+441444555599", NULL},
	    {"01444 555500", "99", "+441444555500-+441444555599", NULL},
	    {"01444 555500", "0599", "+441444550599", "last"}, // before the first
	    {"01444 555500", "55", "+441444555500-+441444555555", NULL},
	    {"5500", "5599", "5500-5599", NULL},
	    {"5500", "99", "5500-5599", NULL},
	    {"01444 555500", "00", NULL, "last"}, // one number is no range
	    {"01444 555500", "+44 1444 5555990", NULL, "last"},
	    {"01444 555500", "-", NULL, "last"},
	    {"014", "", NULL, "number"},
	    {"01444 000000", "999999", "+441444000000-+441444999999", NULL},
	    {"01440 000000", "01449 999999", NULL, "last"}, // too many
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct did did = {.number = str_of(rows[i].number), .last = str_of(rows[i].last)};
		struct problem problem = {.err = ERR_NONE};
		struct arena arena;
		arena_init(&arena, 0);
		enum err err = did_canonicalize(&plan, &did, &arena, &problem);
		if (rows[i].field) {
			assert_int_not_equal(err, ERR_NONE);
			assert_string_equal(problem.field, rows[i].field);
			assert_int_not_equal(strlen(problem.sentence), 0);
		} else {
			assert_int_equal(err, ERR_NONE);
			assert_true(str_equal(did.canonical, str_of(rows[i].canonical)));
		}
		arena_free(&arena);
	}
}

static void values_keep_numbers_apart(void **state)
{
	int64_t e164, code, with_zero;

	(void)state;
	assert_true(did_value(STR("+1234567"), &e164));
	assert_true(did_value(STR("123456"), &code));
	assert_true(did_value(STR("0123456"), &with_zero));
	assert_true(e164 != code && code != with_zero && e164 < code);
	assert_false(did_value(STR(""), &code));
	assert_false(did_value(STR("+"), &code));
	assert_false(did_value(STR("+44144x"), &code));
	assert_false(did_value(STR("+1234567890123456"), &code));
	assert_false(did_values(STR("+441444555500-"), &e164, &code));
}

static void the_last_digits_are_the_extension(void **state)
{
	struct did did = {.target = DID_DIGITS, .extension_digits = 3, .extension_prefix = STR("2")};
	char room[NUMBER_MAX];

	(void)state;
	assert_true(str_equal(did_extension(&did, STR("+441444555510"), room), STR("2510")));
	assert_null(did_extension(&did, STR("+44"), room).at);
	did.extension_prefix = STR_NONE;
	assert_true(str_equal(did_extension(&did, STR("5510"), room), STR("510")));
}

static void fields_go_with_the_target(void **state)
{
	static const struct {
		struct did did;
		const char *field; // NULL: right
	} rows[] = {
	    {{.target = DID_USER, .user_id = 1}, NULL},
	    {{.target = DID_USER}, "user_id"},
	    {{.target = DID_BUSY}, NULL},
	    {{.target = DID_BUSY, .user_id = 1}, "user_id"},
	    {{.target = DID_NOT_FOUND, .extension_digits = 3}, NULL}, // kept for when it is wanted again
	    {{.target = DID_DIGITS, .extension_digits = 3}, NULL},
	    {{.target = DID_DIGITS}, "extension_digits"},
	    {{.target = DID_DIGITS, .extension_digits = 1}, "extension_digits"},
	    {{.target = DID_DIGITS, .extension_digits = 1, .extension_prefix = {"5", 1}}, NULL},
	    {{.target = DID_DIGITS, .extension_digits = 15, .extension_prefix = {"5", 1}}, "extension_digits"},
	    {{.target = DID_DIGITS, .extension_digits = 3, .extension_prefix = {"5x", 2}}, "extension_prefix"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct did did = rows[i].did;
		struct problem problem = {.err = ERR_NONE};
		did.entity.kind = ENTITY_DID;
		did.number = STR("01444 555500");
		assert_int_equal(entity_check(&did.entity, &problem) == ERR_NONE, rows[i].field == NULL);
		if (rows[i].field)
			assert_string_equal(problem.field, rows[i].field);
	}
}

// ---- found

enum { MODEL = 60 };

static const struct did *walk(const struct did *dids, struct str canonical, uint64_t trunk_id)
{
	const struct did *found = NULL;
	int64_t value, first, last, width = INT64_MAX;

	assert_true(did_value(canonical, &value));
	for (size_t i = 0; i < MODEL; i++) {
		if (dids[i].entity.id == 0 || (trunk_id && dids[i].trunk_id && dids[i].trunk_id != trunk_id))
			continue;
		assert_true(did_values(dids[i].canonical, &first, &last));
		if (value >= first && value <= last && last - first < width) {
			found = &dids[i];
			width = last - first;
		}
	}
	return found;
}

// Aligned to their width, so that no two of one width overlap unless they are the same.
static bool range_make(struct did *dids, size_t at, char text[DID_CANONICAL_MAX])
{
	static const int widths[] = {1, 1, 2, 5, 10, 100};
	int width = widths[rand() % 6], first = rand() % (300 / width) * width;

	snprintf(text, DID_CANONICAL_MAX, width == 1 ? "+4414445%03d" : "+4414445%03d-+4414445%03d", first,
		 first + width - 1);
	for (size_t i = 0; i < MODEL; i++)
		if (i != at && dids[i].entity.id && str_equal(dids[i].canonical, str_of(text)))
			return false;
	return true;
}

static void the_narrowest_is_found(void **state)
{
	static char texts[MODEL][DID_CANONICAL_MAX];
	struct did dids[MODEL] = {{.target = DID_BUSY}};
	struct did_table table = {NULL, 0, 0};

	(void)state;
	srand(7);
	for (unsigned step = 0; step < 3000; step++) {
		size_t at = (size_t)rand() % MODEL;
		if (dids[at].entity.id) {
			did_table_leave(&table, &dids[at]);
			dids[at].entity.id = 0;
		} else if (range_make(dids, at, texts[at])) {
			dids[at].entity.id = at + 1;
			dids[at].trunk_id = (uint64_t)rand() % 3;
			dids[at].canonical = str_of(texts[at]);
			assert_true(did_table_enter(&table, &dids[at]));
		}
		char number[NUMBER_MAX];
		snprintf(number, sizeof number, "+4414445%03d", rand() % 310);
		for (uint64_t trunk = 0; trunk < 3; trunk++)
			assert_ptr_equal(did_table_find(&table, str_of(number), trunk),
					 walk(dids, str_of(number), trunk));
	}
	assert_null(did_table_find(&table, STR("nonsense"), 0));
	did_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_and_ranges_are_read),
	    cmocka_unit_test(values_keep_numbers_apart),
	    cmocka_unit_test(the_last_digits_are_the_extension),
	    cmocka_unit_test(fields_go_with_the_target),
	    cmocka_unit_test(the_narrowest_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
