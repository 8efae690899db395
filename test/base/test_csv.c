// CSV as spreadsheets write it, what is no CSV, and cells that no spreadsheet takes for formulas.
#include "base/csv.h"
#include "lib/cmocka.h"

#include <stdio.h>
#include <string.h>

// "a|b/c|d": cells parted by |, rows by /; a mistake as "!LINE".
static const char *rows_of(struct str text)
{
	static char all[4096];
	struct arena arena;
	struct csv_row row;
	struct csv csv;
	enum csv_result result;
	size_t used = 0, rows = 0;

	arena_init(&arena, 0);
	all[0] = '\0';
	csv_begin(&csv, text);
	while ((result = csv_next(&csv, &arena, &row)) == CSV_ROW) {
		used += (size_t)snprintf(all + used, sizeof all - used, "%s", rows++ ? "/" : "");
		for (size_t i = 0; i < row.count; i++)
			used += (size_t)snprintf(all + used, sizeof all - used, "%s%.*s", i ? "|" : "",
						 STR_ARG(row.cells[i]));
	}
	if (result == CSV_BROKEN)
		snprintf(all + used, sizeof all - used, "!%zu", csv.line);
	arena_free(&arena);
	return all;
}

static void every_spreadsheets_way_is_read(void **state)
{
	(void)state;
	assert_string_equal(rows_of(STR("a,b\nc,d\n")), "a|b/c|d");
	assert_string_equal(rows_of(STR("\xEF\xBB\xBF"
					"a;b\r\nc;d,e\r\n")),
			    "a|b/c|d,e");
	assert_string_equal(rows_of(STR("a\tb\rc\td")), "a|b/c|d");
	assert_string_equal(rows_of(STR("\"a,b\";c\n\"d\"\"e\";\"f\n;g\"\n")), "a,b|c/d\"e|f\n;g");
	assert_string_equal(rows_of(STR("a,b\n\n\r\n,\n\"\",x,\n")), "a|b/|/|x|");
	assert_string_equal(rows_of(STR("\"a;b;c;d\",e\n1,2\n")), "a;b;c;d|e/1|2");
	assert_string_equal(rows_of(STR("")), "");
}

static void what_is_none_is_refused_with_its_line(void **state)
{
	static char wide[400], deep[2 * CSV_CELL_MAX];

	(void)state;
	assert_string_equal(rows_of(STR("a,b\nc,\"d\n")), "a|b!2");
	assert_string_equal(rows_of(STR("a,b\n\"c\nd\"e,f\n")), "a|b!3");
	assert_string_equal(rows_of(STR("a,b\nc\"d,e\n")), "a|b!2");
	assert_string_equal(rows_of(STR("a,b\nc\0d,e\n")), "a|b!2");
	memset(wide, ',', sizeof wide);
	assert_string_equal(rows_of((struct str){wide, sizeof wide}), "!1");
	memset(deep, 'x', sizeof deep);
	assert_string_equal(rows_of((struct str){deep, sizeof deep}), "!1");
	deep[0] = '"';
	assert_string_equal(rows_of((struct str){deep, sizeof deep}), "!1");
}

static void no_cell_is_a_formula_and_each_comes_back(void **state)
{
	static const char *const texts[] = {"=1+1",
					    "+44 1444 123456",
					    "-1",
					    "@SUM(A1)",
					    "\tx",
					    "'",
					    "'=1",
					    "''",
					    "a=b",
					    "",
					    "a\"b",
					    "a,b;c\t",
					    "\r\n=x",
					    " =1",
					    "\"=cmd|' /C calc'!A0\""};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char file[256];
		struct writer w = writer_into(file, sizeof file);
		struct arena arena;
		struct csv_row row;
		struct csv csv;
		arena_init(&arena, 0);
		csv_cell_write(&w, str_of(texts[i]), ';');
		const char *cell = file[0] == '"' ? file + 1 : file;
		assert_true(w.used == 0 || !strchr("=+-@\t\r", cell[0]));
		writer_text(&w, ";x\r\n");
		csv_begin(&csv, writer_result(&w));
		assert_int_equal(csv_next(&csv, &arena, &row), CSV_ROW);
		assert_true(str_equal(csv_cell_read(row.cells[0]), str_of(texts[i])));
		arena_free(&arena);
	}
	assert_true(str_equal(csv_cell_read(STR("'Tis")), STR("'Tis"))); // a hand-written one stays
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_spreadsheets_way_is_read),
	    cmocka_unit_test(what_is_none_is_refused_with_its_line),
	    cmocka_unit_test(no_cell_is_a_formula_and_each_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
