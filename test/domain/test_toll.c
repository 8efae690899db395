// What numbers cost, and what is said of it. That each way of making a leg asks is for the scenarios to show.
#include "domain/toll.h"

#include "lib/cmocka.h"

#include <string.h>

static const struct number_plan plan = {.country_code = {"44", 2},
					.international_prefix = {"00", 2},
					.national_prefix = {"0", 1},
					.emergency = {"112 999", 7}};

struct fixture {
	struct arena arena;
	struct directory *directory;
	struct toll *toll;
	struct site *site;
	struct user *jane;
};

static void put(struct fixture *f, struct entity *entity, uint64_t id)
{
	entity->id = id;
	assert_int_equal(directory_put(f->directory, entity), ERR_NONE);
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = *state = &fixture;

	arena_init(&f->arena, 0);
	f->directory = directory_create(&plan);
	f->toll = toll_create(f->directory);
	f->site = (struct site *)entity_new(ENTITY_SITE, &f->arena);
	f->jane = (struct user *)entity_new(ENTITY_USER, &f->arena);
	put(f, &f->jane->entity, 7);
	put(f, &f->site->entity, SITE_ID);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	toll_destroy(f->toll);
	directory_destroy(f->directory);
	arena_free(&f->arena);
	return 0;
}

static struct toll_verdict asked(struct fixture *f, const char *number)
{
	return toll_judge(f->toll, &(struct toll_question){.payer_id = 7, .number = str_of(number)});
}

static void a_number_has_a_class(void **state)
{
	struct fixture *f = *state;

	f->site->premium_prefixes = STR("+449 118");
	put(f, &f->site->entity, SITE_ID);
	assert_int_equal(toll_class_of(f->directory, STR("112")), TOLL_NONE);
	assert_int_equal(toll_class_of(f->directory, STR("101")), TOLL_NATIONAL);
	assert_int_equal(toll_class_of(f->directory, STR("118")), TOLL_PREMIUM);
	assert_int_equal(toll_class_of(f->directory, STR("+441444123456")), TOLL_NATIONAL);
	assert_int_equal(toll_class_of(f->directory, STR("+449012345678")), TOLL_PREMIUM);
	assert_int_equal(toll_class_of(f->directory, STR("+420222333444")), TOLL_INTERNATIONAL);
	assert_int_equal(toll_class_of(f->directory, STR("what is this")), TOLL_INTERNATIONAL);
	// By the metadata: premium at home and abroad, satellites; a call that is free for the caller is not.
	f->site->premium_prefixes = STR_NONE;
	put(f, &f->site->entity, SITE_ID);
	assert_int_equal(toll_class_of(f->directory, STR("118")), TOLL_NATIONAL);
	assert_int_equal(toll_class_of(f->directory, STR("+449012345678")), TOLL_PREMIUM);
	assert_int_equal(toll_class_of(f->directory, STR("+499001234567")), TOLL_PREMIUM);
	assert_int_equal(toll_class_of(f->directory, STR("+881612345678")), TOLL_PREMIUM);
	assert_int_equal(toll_class_of(f->directory, STR("+80012345678")), TOLL_INTERNATIONAL);
}

static void nobody_pays_for_nobody(void **state)
{
	struct fixture *f = *state;
	struct toll_question question = {.number = STR("+441444123456")};

	assert_int_equal(toll_judge(f->toll, &question).err, ERR_TOLL_CLASS);
	question.payer_id = 99; // deleted
	assert_int_equal(toll_judge(f->toll, &question).err, ERR_TOLL_CLASS);
	question.free = true;
	assert_int_equal(toll_judge(f->toll, &question).err, ERR_NONE);
}

static void the_verdict_is_said_in_words(void **state)
{
	struct fixture *f = *state;
	char room[TOLL_SENTENCE_MAX];
	struct toll_verdict verdict = asked(f, "+420222333444");

	assert_string_equal(toll_sentence(&verdict, room).at,
			    "This needs toll class 2 (international), and who pays has 1 (national).");
	verdict = asked(f, "+441444123456");
	assert_string_equal(toll_sentence(&verdict, room).at, "Allowed.");
	f->site->denied_prefixes = STR("+441");
	put(f, &f->site->entity, SITE_ID);
	verdict = asked(f, "+441444123456");
	assert_string_equal(toll_sentence(&verdict, room).at, "Nobody may dial numbers that begin like this one.");
}

static void countries_by_name_and_by_code(void **state)
{
	struct fixture *f = *state;

	f->jane->toll_class = TOLL_INTERNATIONAL;
	put(f, &f->jane->entity, 7);
	f->site->allowed_countries = STR("FR JM +49");
	put(f, &f->site->entity, SITE_ID);
	assert_int_equal(asked(f, "+33123456789").err, ERR_NONE);
	assert_int_equal(asked(f, "+49301234567").err, ERR_NONE);
	assert_int_equal(asked(f, "+18765123456").err, ERR_NONE);
	assert_int_equal(asked(f, "+12125551234").err, ERR_COUNTRY_DENIED);
	assert_int_equal(asked(f, "+420222333444").err, ERR_COUNTRY_DENIED);
	assert_int_equal(asked(f, "+441444123456").err, ERR_NONE);
}

static void lists_of_prefixes_are_checked(void **state)
{
	static const char *const good[] = {"", "+44", "+44 90 118", " +1  +2 ", "+123456789012345"};
	static const char *const bad[] = {"44,45", "+", "++4", "4+4", "+44x", "+1234567890123456", "00 44 a"};
	struct fixture *f = *state;
	struct problem problem;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		f->site->denied_prefixes = f->site->premium_prefixes = str_of(good[i]);
		assert_int_equal(entity_check(&f->site->entity, &problem), ERR_NONE);
	}
	f->site->denied_prefixes = STR_NONE;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		problem = (struct problem){.err = ERR_NONE};
		f->site->premium_prefixes = str_of(bad[i]);
		assert_int_equal(entity_check(&f->site->entity, &problem), ERR_INVALID_FIELD);
		assert_string_equal(problem.field, "premium_prefixes");
	}
	f->site->premium_prefixes = STR_NONE;
	f->site->allowed_countries = STR("FR +49 US");
	assert_int_equal(entity_check(&f->site->entity, &problem), ERR_NONE);
	f->site->allowed_countries = STR("FR XX");
	assert_int_equal(entity_check(&f->site->entity, NULL), ERR_INVALID_FIELD);
	f->site->allowed_countries = STR("+33 49");
	problem = (struct problem){.err = ERR_NONE};
	assert_int_equal(entity_check(&f->site->entity, &problem), ERR_INVALID_FIELD);
	assert_string_equal(problem.field, "allowed_countries");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_number_has_a_class, setup, teardown),
	    cmocka_unit_test_setup_teardown(nobody_pays_for_nobody, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_verdict_is_said_in_words, setup, teardown),
	    cmocka_unit_test_setup_teardown(countries_by_name_and_by_code, setup, teardown),
	    cmocka_unit_test_setup_teardown(lists_of_prefixes_are_checked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
