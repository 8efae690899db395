// One number is one number, however it is written; and all are read anew when the site dials in another way.
#include "domain/site.h"
#include "store/fixture.h"

#include <string.h>

static struct did *new_did(struct fixture *fixture, const char *number, uint64_t user_id)
{
	struct did *did = (struct did *)entity_new(ENTITY_DID, &fixture->arena);

	did->number = str_of(number);
	did->user_id = user_id;
	return did;
}

static struct str device_canonical(struct fixture *fixture, uint64_t id)
{
	return ((struct device *)stored(fixture, ENTITY_DEVICE, id))->canonical;
}

static struct site *settings(struct fixture *fixture)
{
	return stored(fixture, ENTITY_SITE, SITE_ID);
}

static void a_device_is_one_however_its_number_is_written(void **state)
{
	static const char *const spellings[] = {"+44 1444 123456", "0044 1444123456", "(01444) 12-34-56",
						"+44 (0)1444 123456"};
	struct fixture *fixture = *state;
	uint64_t mobile = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "01444 123456")->entity);

	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		assert_int_equal(try_create(fixture, &new_device(fixture, DEVICE_EXTERNAL, spellings[i])->entity),
				 ERR_NOT_UNIQUE);
		assert_problem(fixture, "not_unique", "number");
		assert_int_equal(fixture->problem.other_id, mobile);
		assert_string_equal(fixture->problem.sentence,
				    "+441444123456 is there already, written \"01444 123456\".");
	}
	created(fixture, &new_device(fixture, DEVICE_TEAMS, "+441444123456")->entity); // reached in another way
	struct device *device = stored(fixture, ENTITY_DEVICE, mobile);
	device->title = STR("Mobile");
	assert_int_equal(try_update(fixture, &device->entity), ERR_NONE);
}

static void a_number_that_cannot_be_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(try_create(fixture, &new_device(fixture, DEVICE_EXTERNAL, "01444 12345")->entity),
			 ERR_BAD_NUMBER);
	assert_problem(fixture, "bad_number", "number");
	assert_non_null(strstr(fixture->problem.sentence, "one digit short"));
}

static void another_country_reads_all_numbers_anew(void **state)
{
	struct fixture *fixture = *state;
	struct user *jane = new_user(fixture, "jane", "510");
	uint64_t user = created(fixture, &jane->entity);
	uint64_t there = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "030 2312 5000")->entity);
	uint64_t same = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "+44 1444 123456")->entity);
	uint64_t did = created(fixture, &new_did(fixture, "030 2312 5001", user)->entity);
	struct site *site = settings(fixture);

	assert_true(str_equal(device_canonical(fixture, there), STR("+443023125000")));
	fixture_told(fixture);
	site->country = STR("DE");
	assert_int_equal(try_update(fixture, &site->entity), ERR_NONE);
	assert_string_equal(fixture_told(fixture), "device 1 changed\ndid 1 changed\nsettings 1 changed\n");
	assert_true(str_equal(device_canonical(fixture, there), STR("+493023125000")));
	assert_true(str_equal(device_canonical(fixture, same), STR("+441444123456")));
	assert_true(str_equal(((struct did *)stored(fixture, ENTITY_DID, did))->canonical, STR("+493023125001")));
	assert_true(str_equal(((struct did *)stored(fixture, ENTITY_DID, did))->number, STR("030 2312 5001")));
	assert_int_equal(((struct device *)stored(fixture, ENTITY_DEVICE, there))->entity.version, 2);
	uint64_t next = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "030 2312 5002")->entity);
	assert_true(str_equal(device_canonical(fixture, next), STR("+493023125002")));
	site = settings(fixture);
	site->short_codes = STR("101"); // nothing changes by that
	fixture_told(fixture);
	assert_int_equal(try_update(fixture, &site->entity), ERR_NONE);
	assert_string_equal(fixture_told(fixture), "settings 1 changed\n");
}

static void a_local_number_follows_the_area_code(void **state)
{
	struct fixture *fixture = *state;
	struct site *site = settings(fixture);

	site->area_code = STR("1444");
	assert_int_equal(try_update(fixture, &site->entity), ERR_NONE);
	uint64_t one = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "212345")->entity);
	site = settings(fixture);
	site->area_code = STR("1273");
	assert_int_equal(try_update(fixture, &site->entity), ERR_NONE);
	assert_true(str_equal(device_canonical(fixture, one), STR("+441273212345")));
}

static void a_plan_that_makes_a_number_impossible_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint64_t mobile = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "01444 123456")->entity);
	struct site *site = settings(fixture);

	site->country = STR("US");
	assert_int_equal(try_update(fixture, &site->entity), ERR_BAD_NUMBER);
	assert_problem(fixture, "bad_number", "country");
	assert_int_equal(fixture->problem.other_id, mobile);
	assert_non_null(strstr(fixture->problem.sentence, "the device 01444 123456 cannot be: "));
	assert_true(str_equal(settings(fixture)->country, STR("GB")));
	assert_true(str_equal(device_canonical(fixture, mobile), STR("+441444123456")));
}

static void a_plan_that_makes_two_numbers_one_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint64_t user = created(fixture, &new_user(fixture, "jane", "510")->entity);
	created(fixture, &new_did(fixture, "030 2312 5001", user)->entity);
	created(fixture, &new_did(fixture, "+49 30 23125001", user)->entity);
	struct site *site = settings(fixture);

	site->country = STR("DE");
	assert_int_equal(try_update(fixture, &site->entity), ERR_NOT_UNIQUE);
	assert_problem(fixture, "not_unique", "country");
	assert_string_equal(
	    fixture->problem.sentence,
	    "Dialled so, the number 030 2312 5001 cannot be: Another did is this number already: +49 30 23125001.");
	assert_true(str_equal(((struct did *)stored(fixture, ENTITY_DID, 1))->canonical, STR("+443023125001")));
}

static void a_plan_that_makes_an_extension_an_emergency_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct user *jane = new_user(fixture, "jane", "155");

	jane->title = STR("Jane");
	created(fixture, &jane->entity);
	struct site *site = settings(fixture);
	site->country = STR("CZ");
	assert_int_equal(try_update(fixture, &site->entity), ERR_IN_USE);
	assert_problem(fixture, "in_use", "country");
	assert_string_equal(fixture->problem.sentence,
			    "155 would lead to the emergency services, and is the extension of "
			    "Jane; give Jane another one first.");
}

static void what_cannot_be_a_plan_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct site *site = settings(fixture);

	site->country = STR("ZZ");
	assert_int_equal(try_update(fixture, &site->entity), ERR_INVALID_FIELD);
	assert_problem(fixture, "invalid_field", "country");
	site->country = STR("GB");
	site->area_code = STR("01444");
	assert_int_equal(try_update(fixture, &site->entity), ERR_INVALID_FIELD);
	assert_string_equal(fixture->problem.sentence,
			    "The area code is written without the 0 that is dialled before it: 1444.");
	site->area_code = STR("999");
	assert_int_equal(try_update(fixture, &site->entity), ERR_INVALID_FIELD);
	assert_string_equal(fixture->problem.sentence, "No numbers of the United Kingdom begin with 999.");
	site->area_code = STR_NONE;
	site->emergency = STR("112 9x9");
	assert_int_equal(try_update(fixture, &site->entity), ERR_INVALID_FIELD);
	assert_problem(fixture, "invalid_field", "emergency");
	site->emergency = STR_NONE;
	site->short_codes = STR("1xx 118xxx");
	site->national_prefix = STR("none");
	assert_int_equal(try_update(fixture, &site->entity), ERR_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_device_is_one_however_its_number_is_written),
	    TEST(a_number_that_cannot_be_is_refused),
	    TEST(another_country_reads_all_numbers_anew),
	    TEST(a_local_number_follows_the_area_code),
	    TEST(a_plan_that_makes_a_number_impossible_is_refused),
	    TEST(a_plan_that_makes_two_numbers_one_is_refused),
	    TEST(a_plan_that_makes_an_extension_an_emergency_is_refused),
	    TEST(what_cannot_be_a_plan_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
