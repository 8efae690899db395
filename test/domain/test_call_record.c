#include "domain/call_record.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <pthread.h>

enum { RECORDS = 20000, WAITING = 64 };

static struct call_record *filled(struct call_records *home)
{
	struct call_record *record = call_record_new(home);

	assert_non_null(record);
	assert_true(str_empty(record->id));
	assert_int_equal(record->leg_count, 0);
	record->id = arena_copy(&record->arena, STR("01M8FE5H1C0NRT0QSYCQGYW3WC"));
	record->leg_count = 1;
	record->legs = arena_alloc(&record->arena, 3 * sizeof *record->legs);
	record->legs[0].device_number = arena_copy(&record->arena, STR("330"));
	return record;
}

static void what_was_freed_is_empty_when_it_comes_again(void **state)
{
	struct call_records *home = call_records_create();
	struct call_record *one = filled(home), *two = filled(home);

	(void)state;
	call_record_free(one);
	call_record_free(two);
	one = filled(home);
	two = filled(home);
	assert_ptr_not_equal(one, two);
	call_record_free(one);
	call_record_free(two);
	call_records_destroy(home);
}

static void as_many_are_spared_as_may_be(void **state)
{
	enum { TAKEN = CALL_RECORDS_SPARE + 10 };
	static struct call_record *records[TAKEN];
	struct call_records *home = call_records_create();

	(void)state;
	for (size_t i = 0; i < TAKEN; i++)
		records[i] = filled(home);
	for (size_t i = 0; i < TAKEN; i++)
		call_record_free(records[i]);
	failing_allocator_arm(0);
	for (size_t i = 0; i < TAKEN; i++)
		records[i] = call_record_new(home);
	unsigned from_the_heap = failing_allocator_count();
	failing_allocator_disarm();
	assert_int_equal(from_the_heap, TAKEN - CALL_RECORDS_SPARE);
	for (size_t i = 0; i < TAKEN; i++)
		call_record_free(records[i]);
	call_records_destroy(home);
}

// The store's thread frees while the call thread takes.
struct hand_over {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	struct call_record *waiting[WAITING];
	size_t count;
	uint64_t freed;
};

static void *free_all(void *context)
{
	struct hand_over *hand_over = context;

	for (uint64_t expected = 0; expected < RECORDS; expected++) {
		pthread_mutex_lock(&hand_over->mutex);
		while (hand_over->count == 0)
			pthread_cond_wait(&hand_over->moved, &hand_over->mutex);
		struct call_record *record = hand_over->waiting[--hand_over->count];
		pthread_cond_signal(&hand_over->moved);
		pthread_mutex_unlock(&hand_over->mutex);
		if (str_equal(record->legs[0].device_number, STR("330")))
			hand_over->freed += record->callee_user_id;
		call_record_free(record);
	}
	return NULL;
}

static void one_thread_takes_what_another_frees(void **state)
{
	struct hand_over hand_over = {.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
	struct call_records *home = call_records_create();
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, free_all, &hand_over), 0);
	for (uint64_t i = 0; i < RECORDS; i++) {
		struct call_record *record = filled(home);
		record->callee_user_id = i;
		pthread_mutex_lock(&hand_over.mutex);
		while (hand_over.count == WAITING)
			pthread_cond_wait(&hand_over.moved, &hand_over.mutex);
		hand_over.waiting[hand_over.count++] = record;
		pthread_cond_signal(&hand_over.moved);
		pthread_mutex_unlock(&hand_over.mutex);
	}
	pthread_join(thread, NULL);
	assert_int_equal(hand_over.freed, (uint64_t)RECORDS * (RECORDS - 1) / 2);
	call_records_destroy(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_freed_is_empty_when_it_comes_again),
	    cmocka_unit_test(as_many_are_spared_as_may_be),
	    cmocka_unit_test(one_thread_takes_what_another_frees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
