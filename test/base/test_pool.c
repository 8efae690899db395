// Pools: zeroed, aligned, distinct objects, and no heap once warm.
#include "base/pool.h"
#include "base/sanitized.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdalign.h>
#include <string.h>

enum { OBJECTS = 3000 };

static void gives_distinct_zeroed_objects(void **state)
{
	(void)state;
	const size_t sizes[] = {1, 24, 40, 5000};
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct pool pool;
		unsigned char *objects[OBJECTS / 10];
		pool_init(&pool, sizes[s]);
		for (int round = 0; round < 2; round++) {
			for (size_t i = 0; i < OBJECTS / 10; i++) {
				objects[i] = pool_take(&pool);
				assert_int_equal((uintptr_t)objects[i] % alignof(max_align_t), 0);
				for (size_t b = 0; b < sizes[s]; b++)
					assert_int_equal(objects[i][b], 0);
				memset(objects[i], (int)i & 0x7f, sizes[s]);
			}
			assert_int_equal(pool.in_use, OBJECTS / 10);
			for (size_t i = 0; i < OBJECTS / 10; i++) {
				size_t given = i * 7 % (OBJECTS / 10); // so that its neighbours are still out
				for (size_t b = 0; b < sizes[s]; b++)
					assert_int_equal(objects[given][b], given & 0x7f); // nobody else wrote there
				pool_give(&pool, objects[given]);
			}
		}
		assert_int_equal(pool.in_use, 0);
		pool_give(&pool, NULL);
		pool_free(&pool);
	}
}

static void needs_no_heap_once_warm(void **state)
{
	(void)state;
	if (SANITIZED) {
		print_message("skipped: under a sanitizer every object comes from the heap\n");
		skip();
	}
	struct pool pool;
	void *objects[OBJECTS];
	pool_init(&pool, 100);
	for (int round = 0; round < 3; round++) {
		failing_allocator_arm(0);
		for (size_t i = 0; i < OBJECTS; i++)
			objects[i] = pool_take(&pool);
		assert_true(round == 0 || failing_allocator_count() == 0);
		failing_allocator_disarm();
		for (size_t i = 0; i < OBJECTS; i++)
			pool_give(&pool, objects[i]);
	}
	pool_free(&pool);
}

static void survives_without_memory(void **state)
{
	(void)state;
	struct pool pool;
	pool_init(&pool, 100);
	failing_allocator_arm(1);
	assert_null(pool_take(&pool));
	assert_true(failing_allocator_disarm());
	assert_int_equal(pool.in_use, 0);
	void *object = pool_take(&pool);
	assert_non_null(object);
	pool_give(&pool, object);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_distinct_zeroed_objects),
	    cmocka_unit_test(needs_no_heap_once_warm),
	    cmocka_unit_test(survives_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
