// Slices: comparing, cutting, converting, and their edges.
#include "base/str.h"
#include "lib/cmocka.h"

#include <string.h>

static void compares(void **state)
{
	(void)state;
	assert_true(str_equal(STR(""), STR_NONE));
	assert_true(str_equal(STR("a\0b"), STR("a\0b")));
	assert_false(str_equal(STR("a\0b"), STR("a\0c")));
	assert_false(str_equal(STR("ab"), STR("abc")));
	assert_true(str_equal_nocase(STR("INVITE"), STR("invite")));
	assert_false(str_equal_nocase(STR("invite"), STR("invites")));
	// '@' and '`', '[' and '{' differ in the bit that tells cases apart, and are no letters
	assert_false(str_equal_nocase(STR("@["), STR("`{")));
	assert_true(str_equal_secret(STR("secret"), STR("secret")));
	assert_false(str_equal_secret(STR("secret"), STR("secreT")));
	assert_false(str_equal_secret(STR("secret"), STR("secre")));
	assert_false(str_equal_secret(STR("secre"), STR("secret")));
	assert_true(str_equal_secret(STR_NONE, STR("")));
	assert_true(str_compare(STR("a"), STR("b")) < 0);
	assert_true(str_compare(STR("ab"), STR("a")) > 0);
	assert_true(str_compare(STR("\xff"), STR("a")) > 0);
	assert_int_equal(str_compare(STR_NONE, STR("")), 0);
	assert_true(str_starts(STR("sip:x"), STR("sip:")));
	assert_false(str_starts(STR("si"), STR("sip:")));
	assert_true(str_starts_nocase(STR("SIP:x"), STR("sip:")));
	assert_true(str_starts(STR("x"), STR_NONE));
}

static void cuts(void **state)
{
	(void)state;
	assert_true(str_equal(str_from(STR("abc"), 1), STR("bc")));
	assert_true(str_equal(str_from(STR("abc"), 9), STR("")));
	assert_true(str_equal(str_from(STR_NONE, 9), STR("")));
	assert_true(str_equal(str_first(STR("abc"), 2), STR("ab")));
	assert_true(str_equal(str_first(STR("abc"), 9), STR("abc")));
	assert_true(str_equal(str_trim(STR(" \t a b\r\n")), STR("a b")));
	assert_true(str_equal(str_trim(STR(" \r\n")), STR("")));
	assert_int_equal(str_index(STR("abc"), 'c'), 2);
	assert_int_equal(str_index(STR("abc"), 'x'), 3);
	assert_int_equal(str_index(STR_NONE, 'x'), 0);
	assert_true(str_empty(str_of(NULL)));
}

static void takes_pieces(void **state)
{
	(void)state;
	struct str rest = STR("a,,b,"), piece;
	assert_true(str_take(&rest, ',', &piece) && str_equal(piece, STR("a")));
	assert_true(str_take(&rest, ',', &piece) && str_equal(piece, STR("")));
	assert_true(str_take(&rest, ',', &piece) && str_equal(piece, STR("b")));
	assert_false(str_take(&rest, ',', &piece));
}

static void converts_numbers(void **state)
{
	(void)state;
	uint64_t u = 7;
	int64_t i = 7;
	assert_true(str_to_uint(STR("18446744073709551615"), UINT64_MAX, &u) && u == UINT64_MAX);
	assert_false(str_to_uint(STR("18446744073709551616"), UINT64_MAX, &u));
	assert_false(str_to_uint(STR("99999999999999999999999"), UINT64_MAX, &u));
	assert_true(str_to_uint(STR("65535"), 65535, &u) && u == 65535);
	assert_false(str_to_uint(STR("65536"), 65535, &u));
	assert_true(u == 65535); // left alone on failure
	const struct str wrong[] = {STR(""),   STR("-1"),  STR("+1"),  STR(" 1"),
				    STR("1 "), STR("0x1"), STR("1\0"), STR_NONE};
	for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
		assert_false(str_to_uint(wrong[w], UINT64_MAX, &u));
	assert_true(str_to_int(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &i) && i == INT64_MIN);
	assert_true(str_to_int(STR("9223372036854775807"), INT64_MIN, INT64_MAX, &i) && i == INT64_MAX);
	assert_false(str_to_int(STR("9223372036854775808"), INT64_MIN, INT64_MAX, &i));
	assert_false(str_to_int(STR("-9223372036854775809"), INT64_MIN, INT64_MAX, &i));
	assert_true(str_to_int(STR("-0"), -1, 1, &i) && i == 0);
	assert_false(str_to_int(STR("-2"), -1, 1, &i));
	assert_false(str_to_int(STR("--1"), -9, 9, &i));
	assert_false(str_to_int(STR("-"), -9, 9, &i));
}

static void copies_terminated(void **state)
{
	(void)state;
	char into[4];
	assert_true(str_to_cstring(STR("abc"), into, sizeof into));
	assert_string_equal(into, "abc");
	assert_false(str_to_cstring(STR("abcd"), into, sizeof into));
	assert_string_equal(into, "");
	assert_false(str_to_cstring(STR("a\0b"), into, sizeof into));
	assert_true(str_to_cstring(STR_NONE, into, 1));
	assert_false(str_to_cstring(STR_NONE, into, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compares),          cmocka_unit_test(cuts),
	    cmocka_unit_test(takes_pieces),      cmocka_unit_test(converts_numbers),
	    cmocka_unit_test(copies_terminated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
