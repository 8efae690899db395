// What the times until an answer say of the voicemail behind a number.
#include "domain/answer_times.h"
#include "lib/cmocka.h"

static struct answer_time times[ANSWER_TIMES_MAX];
static size_t time_count;

static void answered_at(int64_t ms, enum answer_kind kind)
{
	times[time_count++] = (struct answer_time){kind, true, ms};
}

// People: 4 to 18 s, all over.
static void people_answer(size_t count)
{
	for (size_t i = 0; i < count; i++)
		answered_at(4000 + (int64_t)(i * 7919) % 14000, ANSWER_TAKEN);
}

static struct answer_times study(void)
{
	struct answer_times result;

	answer_times_study(times, time_count, &result);
	return result;
}

static int begin(void **state)
{
	(void)state;
	time_count = 0;
	return 0;
}

static void few_answers_propose_nothing(void **state)
{
	(void)state;
	people_answer(ANSWER_TIMES_NEEDED - 1);
	times[time_count++] = (struct answer_time){ANSWER_REFUSED, false, 3000};
	struct answer_times result = study();
	assert_int_equal(result.answers, ANSWER_TIMES_NEEDED - 1);
	assert_false(result.proposes);
	assert_int_equal(result.buckets[3][ANSWER_REFUSED], 1); // drawn all the same
}

static void people_alone_need_the_usual_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < 30; i++)
		answered_at(3000 + 200 * (int64_t)i, ANSWER_TAKEN);
	struct answer_times result = study();
	assert_true(result.proposes);
	assert_int_equal(result.too_soon.reason, PROPOSAL_NONE_SEEN);
	assert_int_equal(result.too_soon.ms, 1500);
	assert_int_equal(result.too_late.reason, PROPOSAL_NONE_SEEN);
	assert_int_equal(result.too_late.ms, 19000);
}

static void a_cluster_at_once_is_a_voicemail(void **state)
{
	(void)state;
	people_answer(30);
	for (size_t i = 0; i < 7; i++)
		answered_at(200 + 100 * (int64_t)i, i % 2 ? ANSWER_TOO_SOON : ANSWER_TAKEN);
	struct proposal soon = study().too_soon;
	assert_int_equal(soon.reason, PROPOSAL_VOICEMAIL);
	assert_int_equal(soon.answers, 7);
	assert_int_equal(soon.from_ms, 200);
	assert_int_equal(soon.to_ms, 800);
	assert_int_equal(soon.ms, 1300); // half a second beyond
}

static void soon_answers_that_run_into_the_others_are_unclear(void **state)
{
	(void)state;
	for (size_t i = 0; i < 40; i++)
		answered_at(1000 + 100 * (int64_t)i, ANSWER_TAKEN);
	assert_int_equal(study().too_soon.reason, PROPOSAL_UNCLEAR);
	assert_int_equal(study().too_soon.ms, 0);
}

static void a_cluster_late_is_the_voicemails_own_time(void **state)
{
	(void)state;
	people_answer(30);
	for (size_t i = 0; i < 6; i++)
		answered_at(25000 + 60 * (int64_t)i, ANSWER_TAKEN);
	struct proposal late = study().too_late;
	assert_int_equal(late.reason, PROPOSAL_VOICEMAIL);
	assert_int_equal(late.answers, 6);
	assert_int_equal(late.ms, 24000);
}

static void late_people_are_no_voicemail(void **state)
{
	(void)state;
	for (size_t i = 0; i < 40; i++)
		answered_at(5000 + 500 * (int64_t)i, ANSWER_TAKEN);
	assert_int_equal(study().too_late.reason, PROPOSAL_UNCLEAR);
}

static void what_takes_longer_than_a_minute_is_in_the_last_bucket(void **state)
{
	(void)state;
	answered_at(999, ANSWER_TAKEN);
	answered_at(1000, ANSWER_CONFIRMED);
	answered_at(600000, ANSWER_TAKEN);
	struct answer_times result = study();
	assert_int_equal(result.buckets[0][ANSWER_TAKEN], 1);
	assert_int_equal(result.buckets[1][ANSWER_CONFIRMED], 1);
	assert_int_equal(result.buckets[ANSWER_BUCKETS_MAX - 1][ANSWER_TAKEN], 1);
	assert_int_equal(result.bucket_count, ANSWER_BUCKETS_MAX);
}

static void a_leg_says_how_long_it_rang(void **state)
{
	const struct leg_record taken = {
	    .started_at = 1000, .ringing_at = 4000, .answered_at = 9000, .outcome = OUTCOME_ANSWERED};
	const struct leg_record silent = {.started_at = 1000, .answered_at = 1200, .outcome = OUTCOME_TOO_SOON};
	const struct leg_record stopped = {
	    .started_at = 1000, .ringing_at = 2000, .ended_at = 21000, .outcome = OUTCOME_TOO_LATE};
	const struct leg_record lost = {
	    .started_at = 1000, .ringing_at = 2000, .ended_at = 9000, .outcome = OUTCOME_ANSWERED_ELSEWHERE};
	struct answer_time time;

	(void)state;
	assert_true(answer_time_of(&taken, &time));
	assert_int_equal(time.ms, 5000);
	assert_true(answer_time_of(&silent, &time)); // no 180 came
	assert_int_equal(time.ms, 200);
	assert_int_equal(time.kind, ANSWER_TOO_SOON);
	assert_true(answer_time_of(&stopped, &time));
	assert_false(time.answered);
	assert_int_equal(time.ms, 19000);
	assert_false(answer_time_of(&lost, &time));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(few_answers_propose_nothing, begin),
	    cmocka_unit_test_setup(people_alone_need_the_usual_times, begin),
	    cmocka_unit_test_setup(a_cluster_at_once_is_a_voicemail, begin),
	    cmocka_unit_test_setup(soon_answers_that_run_into_the_others_are_unclear, begin),
	    cmocka_unit_test_setup(a_cluster_late_is_the_voicemails_own_time, begin),
	    cmocka_unit_test_setup(late_people_are_no_voicemail, begin),
	    cmocka_unit_test_setup(what_takes_longer_than_a_minute_is_in_the_last_bucket, begin),
	    cmocka_unit_test_setup(a_leg_says_how_long_it_rang, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
