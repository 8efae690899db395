// What numbers cost, and what is said of it. That each way of making a leg asks is for the scenarios to show.
#include "domain/toll.h"

#include "lib/cmocka.h"
#include "sim/sim.h"

#include <string.h>

static const struct number_plan plan = {.country_code = {"44", 2},
					.international_prefix = {"00", 2},
					.national_prefix = {"0", 1},
					.emergency = {"112 999", 7}};

struct fixture {
	struct arena arena;
	struct loop *loop;
	struct directory *directory;
	struct toll *toll;
	struct site *site;
	struct user *jane, *bob;
	struct trunk *trunk;
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
	f->loop = sim_create(1);
	f->toll = toll_create(&(struct toll_ports){.loop = f->loop, .directory = f->directory});
	f->site = (struct site *)entity_new(ENTITY_SITE, &f->arena);
	f->jane = (struct user *)entity_new(ENTITY_USER, &f->arena);
	f->bob = (struct user *)entity_new(ENTITY_USER, &f->arena);
	f->trunk = (struct trunk *)entity_new(ENTITY_TRUNK, &f->arena);
	f->jane->extension = STR("510");
	f->jane->title = STR("Jane");
	f->trunk->title = STR("Carrier");
	put(f, &f->bob->entity, 8);
	put(f, &f->trunk->entity, 5);
	put(f, &f->jane->entity, 7);
	put(f, &f->site->entity, SITE_ID);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	toll_destroy(f->toll);
	directory_destroy(f->directory);
	loop_destroy(f->loop);
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

// ---- limits

static const struct route route = {.trunk_id = 5};

static enum err begins(struct fixture *f, uint64_t user, const char *number, struct toll_permit *permit)
{
	const struct toll_question question = {.payer_id = user, .number = str_of(number), .route = &route};
	const struct toll_verdict verdict = toll_judge(f->toll, &question);
	enum err err = toll_enter(f->toll, &question, permit);

	assert_int_equal(err, verdict.err);
	if (err)
		toll_refuse(f->toll, &question, &verdict);
	return err;
}

static void so_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct toll_permit permits[5] = {{false}};

	f->site->user_outside_legs_max = 2;
	f->site->outside_legs_max = 3;
	put(f, &f->site->entity, SITE_ID);
	assert_int_equal(begins(f, 7, "+441444123456", &permits[0]), ERR_NONE);
	assert_int_equal(begins(f, 7, "+441444123456", &permits[1]), ERR_NONE);
	assert_int_equal(begins(f, 7, "+441444123456", &permits[2]), ERR_OUTSIDE_LEGS);
	assert_int_equal(begins(f, 8, "+441444123456", &permits[3]), ERR_NONE);
	assert_int_equal(begins(f, 8, "+441444123456", &permits[4]), ERR_OUTSIDE_LEGS); // the site's
	assert_int_equal(toll_count(f->toll).legs, 3);
	f->site->outside_legs_max = 0;
	f->jane->outside_legs_max = 3; // her own
	put(f, &f->site->entity, SITE_ID);
	put(f, &f->jane->entity, 7);
	assert_int_equal(begins(f, 7, "+441444123456", &permits[2]), ERR_NONE);
	for (int i = 0; i < 5; i++)
		toll_leave(f->toll, &permits[i]);
	assert_int_equal(toll_count(f->toll).legs, 0);
	assert_int_equal(begins(f, 7, "+441444123456", &permits[0]), ERR_NONE);
	toll_leave(f->toll, &permits[0]);
}

static unsigned legs_until_refused(struct fixture *f, uint64_t user, const char *number, enum err why)
{
	unsigned count = 0;
	enum err err;

	for (struct toll_permit permit; !(err = begins(f, user, number, &permit)); count++)
		toll_leave(f->toll, &permit);
	assert_int_equal(err, why);
	return count;
}

static void so_many_an_hour(void **state)
{
	struct fixture *f = *state;

	f->site->user_outside_legs_per_hour = 9;
	f->site->user_international_legs_per_hour = 4;
	f->trunk->outside_legs_per_hour = 14;
	f->jane->toll_class = f->bob->toll_class = TOLL_PREMIUM;
	put(f, &f->site->entity, SITE_ID);
	put(f, &f->trunk->entity, 5);
	put(f, &f->jane->entity, 7);
	put(f, &f->bob->entity, 8);
	assert_int_equal(legs_until_refused(f, 7, "+420222333444", ERR_INTERNATIONAL_LEGS_PER_HOUR), 4);
	assert_int_equal(legs_until_refused(f, 7, "+449012345678", ERR_INTERNATIONAL_LEGS_PER_HOUR), 0); // premium
	assert_int_equal(legs_until_refused(f, 7, "+441444123456", ERR_OUTSIDE_LEGS_PER_HOUR), 5);
	assert_int_equal(legs_until_refused(f, 8, "+441444123456", ERR_OUTSIDE_LEGS_PER_HOUR), 5); // the trunk's
	sim_run_for(f->loop, 61 * 60 * 1000);
	assert_int_equal(legs_until_refused(f, 8, "+441444123456", ERR_OUTSIDE_LEGS_PER_HOUR), 9);
}

static void emergencies_count_nowhere(void **state)
{
	struct fixture *f = *state;
	struct toll_question question = {.number = STR("112"), .route = &route, .free = true};
	struct toll_permit permit = {.granted = false};

	f->site->outside_legs_per_hour = 1;
	put(f, &f->site->entity, SITE_ID);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(toll_enter(f->toll, &question, &permit), ERR_NONE);
		assert_true(permit.granted);
		toll_leave(f->toll, &permit);
	}
	assert_int_equal(legs_until_refused(f, 7, "+441444123456", ERR_OUTSIDE_LEGS_PER_HOUR), 1);
	assert_int_equal(toll_enter(f->toll, &question, &permit), ERR_NONE);
	toll_leave(f->toll, &permit);
}

// Whoever has no leg any more, and began none for an hour, is forgotten; a leg that lasts keeps nobody but its own.
static void memory_is_for_those_of_the_last_hour(void **state)
{
	struct fixture *f = *state;
	struct toll_permit lasts, permit;

	assert_int_equal(begins(f, 7, "+441444123456", &lasts), ERR_NONE);
	for (uint64_t id = 100; id < 10100; id++) {
		put(f, &f->bob->entity, id);
		assert_int_equal(begins(f, id, "+441444123456", &permit), ERR_NONE);
		toll_leave(f->toll, &permit);
		sim_run_for(f->loop, 60 * 1000);
		directory_remove(f->directory, ENTITY_USER, id);
		assert_in_range(toll_count(f->toll).remembered, 1, 70);
	}
	toll_leave(f->toll, &lasts);
}

// A phone's password was stolen, and at night whoever has it dials abroad as fast as he can, for ten hours, twenty calls at a time;
// each lasts until it is cut off or a minute is over. What of it gets out is what the limits of every user say.
static void a_stolen_password_costs_little(void **state)
{
	struct fixture *f = *state;
	struct toll_permit permits[20] = {{false}};
	unsigned tried = 0, out = 0;

	f->jane->toll_class = TOLL_INTERNATIONAL;
	put(f, &f->jane->entity, 7);
	for (int minute = 0; minute < 600; minute++) {
		for (int i = 0; i < 20; i++) {
			toll_leave(f->toll, &permits[i]);
			tried++;
			out += begins(f, 7, "+371234567890", &permits[i]) == ERR_NONE;
		}
		assert_true(toll_count(f->toll).legs <= 10);
		sim_run_for(f->loop, 60 * 1000);
	}
	for (int i = 0; i < 20; i++)
		toll_leave(f->toll, &permits[i]);
	assert_int_equal(tried, 12000);
	assert_int_equal(out, 200); // twenty an hour
	// With the class that everybody has unless an administrator raises it, nothing gets out at all.
	f->bob->toll_class = TOLL_NATIONAL;
	put(f, &f->bob->entity, 8);
	assert_int_equal(legs_until_refused(f, 8, "+371234567890", ERR_TOLL_CLASS), 0);
}

// ---- alarms

static void a_limit_that_is_near_and_one_that_is_reached(void **state)
{
	struct fixture *f = *state;
	struct toll_alarm alarms[TOLL_ALARMS_MAX];
	struct toll_permit permits[10];
	char room[TOLL_ALARM_SENTENCE_MAX];

	f->site->user_outside_legs_per_hour = 10;
	put(f, &f->site->entity, SITE_ID);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(toll_alarms(f->toll, alarms, TOLL_ALARMS_MAX), 0);
		assert_int_equal(begins(f, 7, "+441444123456", &permits[i]), ERR_NONE);
	}
	assert_int_equal(toll_alarms(f->toll, alarms, TOLL_ALARMS_MAX), 2); // ten at once is the other limit
	assert_false(alarms[0].reached);
	assert_string_equal(toll_alarm_sentence(&alarms[0], room).at,
			    "510 Jane: 8 of 10 calls to the outside within an hour.");
	for (int i = 8; i < 10; i++)
		assert_int_equal(begins(f, 7, "+441444123456", &permits[i]), ERR_NONE);
	for (int i = 0; i < 10; i++)
		toll_leave(f->toll, &permits[i]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(begins(f, 7, "+441444123456", &permits[0]), ERR_OUTSIDE_LEGS_PER_HOUR);
	assert_int_equal(toll_alarms(f->toll, alarms, TOLL_ALARMS_MAX), 2);
	assert_true(alarms[0].reached);
	assert_string_equal(toll_alarm_sentence(&alarms[0], room).at,
			    "510 Jane: 10 of 10 calls to the outside within an hour, 3 refused.");
	sim_run_for(f->loop, TOLL_WARNING_MS);
	assert_int_equal(toll_alarms(f->toll, alarms, TOLL_ALARMS_MAX), 1);
	sim_run_for(f->loop, TOLL_ALARM_MS);
	assert_int_equal(toll_alarms(f->toll, alarms, TOLL_ALARMS_MAX), 0);
}

// A thousand refusals a minute are one line in the log.
static void an_alarm_is_told_once_a_minute(void **state)
{
	struct toll_alarms alarms = {.count = 0};
	struct toll_alarm noted = {.limit = 10, .used = 8, .at_ms = 1000};

	(void)state;
	assert_non_null(toll_alarms_note(&alarms, &noted));
	assert_null(toll_alarms_note(&alarms, &noted));
	noted.reached = true; // worse: at once
	assert_non_null(toll_alarms_note(&alarms, &noted));
	for (int i = 0; i < 1000; i++) {
		noted.at_ms += 59;
		assert_null(toll_alarms_note(&alarms, &noted));
	}
	noted.at_ms += 1000;
	assert_non_null(toll_alarms_note(&alarms, &noted));
	assert_int_equal(alarms.count, 1);
	assert_int_equal(alarms.list[0].refused, 1002);
	for (noted.id = 1; noted.id < 1000; noted.id++)
		assert_non_null(toll_alarms_note(&alarms, &noted));
	assert_int_equal(alarms.count, TOLL_ALARMS_MAX);
	assert_int_equal(alarms.list[TOLL_ALARMS_MAX - 1].id, 999);
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
	    cmocka_unit_test_setup_teardown(so_many_at_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(so_many_an_hour, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_stolen_password_costs_little, setup, teardown),
	    cmocka_unit_test_setup_teardown(emergencies_count_nowhere, setup, teardown),
	    cmocka_unit_test_setup_teardown(memory_is_for_those_of_the_last_hour, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_limit_that_is_near_and_one_that_is_reached, setup, teardown),
	    cmocka_unit_test(an_alarm_is_told_once_a_minute),
	    cmocka_unit_test_setup_teardown(countries_by_name_and_by_code, setup, teardown),
	    cmocka_unit_test_setup_teardown(lists_of_prefixes_are_checked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
