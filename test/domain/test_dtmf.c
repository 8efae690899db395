// Keys in bodies of SIP INFO.
#include "domain/dtmf.h"
#include "lib/cmocka.h"

static char key_of(const char *type, const char *bytes)
{
	const struct body body = {.type = str_of(type), .bytes = str_of(bytes)};
	char key;

	return dtmf_read(&body, &key) ? key : 0;
}

static void the_relay_form_names_its_signal(void **state)
{
	(void)state;
	assert_int_equal(key_of("application/dtmf-relay", "Signal=1\r\nDuration=160\r\n"), '1');
	assert_int_equal(key_of("Application/DTMF-Relay; charset=utf-8", "Duration= 250\nsignal = *"), '*');
	assert_int_equal(key_of("application/dtmf-relay", "Signal=11"), '#');
	assert_int_equal(key_of("application/dtmf-relay", "Signal=10"), '*');
	assert_int_equal(key_of("application/dtmf-relay", "Signal=d"), 'D');
}

static void the_plain_form_is_the_key(void **state)
{
	(void)state;
	assert_int_equal(key_of("application/dtmf", "2"), '2');
	assert_int_equal(key_of("application/dtmf", " #\r\n"), '#');
}

static void anything_else_is_no_key(void **state)
{
	(void)state;
	assert_int_equal(key_of("application/dtmf-relay", ""), 0);
	assert_int_equal(key_of("application/dtmf-relay", "Signal"), 0);
	assert_int_equal(key_of("application/dtmf-relay", "Signal="), 0);
	assert_int_equal(key_of("application/dtmf-relay", "Signal=12"), 0);
	assert_int_equal(key_of("application/dtmf-relay", "Duration=1"), 0);
	assert_int_equal(key_of("application/dtmf-relay", "1"), 0);
	assert_int_equal(key_of("application/dtmf", "E"), 0);
	assert_int_equal(key_of("application/dtmf", "16"), 0);
	assert_int_equal(key_of("application/sdp", "1"), 0);
	assert_int_equal(key_of(NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_relay_form_names_its_signal),
	    cmocka_unit_test(the_plain_form_is_the_key),
	    cmocka_unit_test(anything_else_is_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
