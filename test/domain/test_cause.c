// What SIP and the telephone network say of an ending, each in the other's words.
#include "domain/cause.h"
#include "lib/cmocka.h"

static void causes_and_statuses(void **state)
{
	static const struct {
		unsigned cause, status;
	} rows[] = {{1, 404},  {17, 486}, {18, 480}, {19, 480}, {21, 403}, {22, 410},  {27, 502},
		    {28, 484}, {34, 503}, {41, 503}, {42, 503}, {47, 503}, {102, 504}, {127, 500}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(status_of_cause(rows[i].cause), rows[i].status);
	// No refusal, none at all, out of range.
	assert_int_equal(status_of_cause(16), 0);
	assert_int_equal(status_of_cause(26), 0);
	assert_int_equal(status_of_cause(0), 0);
	assert_int_equal(status_of_cause(4711), 0);
	assert_string_equal(cause_text(17), "User busy");
	assert_string_equal(cause_text(99), "");
	assert_string_equal(cause_text(4711), "");
	// RFC 3398 section 8.2.6.1; busy is 17 and nothing that a carrier would try again for.
	assert_int_equal(cause_of_status(486), 17);
	assert_int_equal(cause_of_status(600), 17);
	assert_int_equal(cause_of_status(603), 21);
	assert_int_equal(cause_of_status(404), 1);
	assert_int_equal(cause_of_status(480), 18);
	assert_int_equal(cause_of_status(482), 25);
	assert_int_equal(cause_of_status(503), 41);
	assert_int_equal(cause_of_status(487), CAUSE_NONE);
}

static void a_cause_is_found_in_a_reason(void **state)
{
	static const struct {
		const char *value;
		unsigned cause;
	} rows[] = {
	    {"Q.850;cause=17;text=\"User busy\"", 17},
	    {"q.850 ; CAUSE = 17", 17},
	    {"SIP;cause=200;text=\"a, Q.850;cause=1\", Q.850;cause=26", 26},
	    {"SIP;cause=480;text=\"\\\", Q.850;cause=1\",Q.850;text=\"x\";cause=18", 18},
	    {"SIP;cause=486", 0},
	    {"Q.850", 0},
	    {"Q.850;cause", 0},
	    {"Q.850;cause=", 0},
	    {"Q.850;cause=128", 0},
	    {"Q.850;cause=-1", 0},
	    {"Q.850;cause=17x", 0},
	    {"Q.8500;cause=17", 0},
	    {"Q.850;cause=99999999999999999999", 0},
	    {"\"Q.850;cause=17", 0},
	    {"SIP;text=\"\\", 0},
	    {",,;;==", 0},
	    {"", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(cause_in_reason(str_of(rows[i].value)), rows[i].cause);
}

static void a_vague_status_is_understood_by_its_cause(void **state)
{
	(void)state;
	assert_int_equal(status_understood(480, 17), 486);
	assert_int_equal(status_understood(503, 1), 404);
	assert_int_equal(status_understood(500, 34), 503);
	assert_int_equal(status_understood(480, 16), 480);
	assert_int_equal(status_understood(480, 0), 480);
	assert_int_equal(status_understood(486, 34), 486);
	assert_int_equal(status_understood(404, 34), 404);
	assert_int_equal(status_understood(603, 17), 603);
}

static void a_carrier_is_not_made_to_try_again(void **state)
{
	(void)state;
	assert_int_equal(status_for_carrier(408), 480);
	assert_int_equal(status_for_carrier(500), 480);
	assert_int_equal(status_for_carrier(504), 480);
	assert_int_equal(status_for_carrier(600), 486);
	assert_int_equal(status_for_carrier(603), 603);
	assert_int_equal(status_for_carrier(486), 486);
	assert_int_equal(status_for_carrier(404), 404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(causes_and_statuses),
	    cmocka_unit_test(a_cause_is_found_in_a_reason),
	    cmocka_unit_test(a_vague_status_is_understood_by_its_cause),
	    cmocka_unit_test(a_carrier_is_not_made_to_try_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
