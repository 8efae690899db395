// Text into fixed memory: what is written, and that nothing is written behind its end.
#include "base/writer.h"
#include "lib/cmocka.h"

#include <string.h>

#define assert_written(w, text) assert_true(str_equal(writer_result(w), STR(text)))

static void writes(void **state)
{
	(void)state;
	char memory[128];
	struct writer w = writer_into(memory, sizeof memory);
	writer_text(&w, "a");
	writer_char(&w, '=');
	writer_str(&w, STR("x\0y"));
	writer_str(&w, STR_NONE);
	writer_uint(&w, 0);
	writer_char(&w, ' ');
	writer_uint(&w, UINT64_MAX);
	writer_char(&w, ' ');
	writer_int(&w, INT64_MIN);
	writer_hex(&w, "\x00\xff\x1a", 3);
	writer_format(&w, " %d%s", 5, "z");
	assert_false(w.overflow);
	assert_written(&w, "a=x\0y0 18446744073709551615 -922337203685477580800ff1a 5z");
}

static void fills_exactly(void **state)
{
	(void)state;
	char memory[4];
	struct writer w = writer_into(memory, sizeof memory);
	writer_str(&w, STR("abcd"));
	assert_false(w.overflow);
	writer_str(&w, STR_NONE);
	assert_false(w.overflow);
	writer_char(&w, 'e');
	assert_true(w.overflow);
	assert_written(&w, "abcd");
}

static void stays_overflown(void **state)
{
	(void)state;
	char memory[8];
	memset(memory, '#', sizeof memory);
	struct writer w = writer_into(memory, 4);
	writer_str(&w, STR("abcde"));
	writer_char(&w, 'x'); // would fit, but a gap before it would lie
	writer_format(&w, "x");
	assert_true(w.overflow);
	assert_int_equal(w.used, 0);
	assert_memory_equal(memory, "########", 8);
	w = writer_into(memory, 4);
	writer_int(&w, -12345);
	assert_true(w.overflow && w.used == 0);
	w = writer_into(memory, 4);
	writer_hex(&w, "abc", 3);
	assert_true(w.overflow && w.used == 0);
	w = writer_into(memory, 4);
	writer_format(&w, "%s", "abcd"); // the NUL has no room
	assert_true(w.overflow && w.used == 0);
	assert_memory_equal(memory + 4, "####", 4);
	w = writer_into(NULL, 0);
	writer_format(&w, "%s", "");
	writer_char(&w, 'a');
	assert_true(w.overflow && w.used == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes),
	    cmocka_unit_test(fills_exactly),
	    cmocka_unit_test(stays_overflown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
