// The password that a trunk's calls sign in with: given, kept as hashes, never shown; on a real database.
#include "http/real_store.h"

#include <string.h>

#define TRUNKS "/api/v1/trunks"

static void a_name_needs_its_password(void **state)
{
	struct fixture *f = *state;
	expect_field(ask(f, &f->admin, "POST", TRUNKS,
			 "{\"title\":\"In\",\"host\":\"192.0.2.1\",\"inbound_username\":\"carrier\"}"),
		     422, "inbound_password", "missing_field");
	expect_field(ask(f, &f->admin, "POST", TRUNKS,
			 "{\"title\":\"In\",\"host\":\"192.0.2.1\",\"inbound_password\":\"long enough\"}"),
		     422, "inbound_username", "missing_field");
	expect_field(ask(f, &f->admin, "POST", TRUNKS,
			 "{\"title\":\"In\",\"host\":\"192.0.2.1\",\"inbound_username\":\"carrier\",\"inbound_"
			 "password\":\"short\"}"),
		     422, "inbound_password", "invalid_field");
	expect_field(
	    ask(f, &f->admin, "POST", TRUNKS,
		"{\"title\":\"In\",\"host\":\"192.0.2.1\",\"inbound_username\":\"carrier\",\"inbound_password\":7}"),
	    422, "inbound_password", "invalid_field");
	expect_field(ask(f, &f->admin, "POST", TRUNKS,
			 "{\"title\":\"In\",\"host\":\"192.0.2.1\",\"inbound_username\":\"a carrier\","
			 "\"inbound_password\":\"long enough\"}"),
		     422, "inbound_username", "invalid_field");
}

static void make(struct fixture *f)
{
	create(f, TRUNKS,
	       "{\"title\":\"In\",\"host\":\"192.0.2.1\",\"inbound_username\":\"carrier\",\"inbound_password\":\"long "
	       "enough\"}");
}

static void it_is_never_shown(void **state)
{
	struct fixture *f = *state;
	make(f);
	struct reply reply = ask(f, &f->admin, "GET", TRUNKS "/1", NULL);
	assert_string_equal(text_of(&reply, "inbound_username"), "carrier");
	assert_null(strstr(reply.body, "ha1"));
	assert_null(strstr(reply.body, "inbound_password"));
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/audit", NULL);
	assert_null(strstr(reply.body, "long enough"));
	expect(reply, 200);
}

static void what_else_changes_keeps_it_another_name_does_not(void **state)
{
	struct fixture *f = *state;
	make(f);
	expect(ask(f, &f->admin, "PATCH", TRUNKS "/1", "{\"title\":\"Into\"}"), 200);
	expect(ask(f, &f->admin, "PATCH", TRUNKS "/1", "{\"inbound_password\":\"\"}"), 200);
	expect_field(ask(f, &f->admin, "PATCH", TRUNKS "/1", "{\"inbound_username\":\"another\"}"), 422,
		     "inbound_password", "missing_field");
	expect(ask(f, &f->admin, "PATCH", TRUNKS "/1",
		   "{\"inbound_username\":\"another\",\"inbound_password\":\"as long as that\"}"),
	       200);
	expect(ask(f, &f->admin, "PATCH", TRUNKS "/1", "{\"inbound_username\":\"\"}"), 200);
}

static void nobody_else_signs_in_as_it(void **state)
{
	struct fixture *f = *state;
	make(f);
	expect_field(ask(f, &f->admin, "POST", TRUNKS,
			 "{\"title\":\"Two\",\"host\":\"192.0.2.2\",\"inbound_username\":\"carrier\","
			 "\"inbound_password\":\"long enough\"}"),
		     409, "inbound_username", "not_unique");
	expect_field(ask(f, &f->admin, "POST", "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"carrier\"}"),
		     409, "number", "not_unique");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	expect_field(ask(f, &f->admin, "PATCH", TRUNKS "/1",
			 "{\"inbound_username\":\"330\",\"inbound_password\":\"long enough\"}"),
		     409, "inbound_username", "not_unique");
	// Those without a name are not in each other's way.
	create(f, TRUNKS, "{\"title\":\"Two\",\"host\":\"192.0.2.2\"}");
	create(f, TRUNKS, "{\"title\":\"Three\",\"host\":\"192.0.2.3\"}");
}

static void whoever_registers_has_a_name(void **state)
{
	struct fixture *f = *state;
	expect_field(ask(f, &f->admin, "POST", TRUNKS, "{\"title\":\"Reg\",\"host\":\"192.0.2.1\",\"registers\":true}"),
		     422, "username", "missing_field");
	create(f, TRUNKS,
	       "{\"title\":\"Reg\",\"host\":\"192.0.2.1\",\"registers\":true,\"registration_user\":\"+441632960000\"}");
}

static int setup(void **state)
{
	fixture_store = &real_store;
	return fixture_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	    SERVED(a_name_needs_its_password),
	    SERVED(it_is_never_shown),
	    SERVED(what_else_changes_keeps_it_another_name_does_not),
	    SERVED(nobody_else_signs_in_as_it),
	    SERVED(whoever_registers_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
