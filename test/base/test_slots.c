// Ids: never 0, never found again once removed, never more objects than the limit.
#include "base/slots.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

static void ids_outlive_their_objects(void **state)
{
	(void)state;
	struct slots *slots = slots_create(1);
	int object;
	uint64_t earlier = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t id = slots_add(slots, &object);
		assert_true(id != 0 && id != earlier);
		assert_ptr_equal(slots_find(slots, id), &object);
		assert_null(slots_find(slots, earlier));
		slots_remove(slots, earlier); // finds nothing, removes nothing
		assert_int_equal(slots_count(slots), 1);
		assert_true(slots_add(slots, &object) == 0); // full
		slots_remove(slots, id);
		slots_remove(slots, id);
		assert_int_equal(slots_count(slots), 0);
		earlier = id;
	}
	slots_destroy(slots);
	slots_destroy(NULL);
}

static void foreign_ids_find_nothing(void **state)
{
	(void)state;
	struct slots *slots = slots_create(10);
	int object;
	const uint64_t foreign[] = {0, 1, 2, UINT32_MAX, UINT64_MAX, (uint64_t)1 << 32};
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
		assert_null(slots_find(slots, foreign[i]));
	assert_true(slots_add(slots, &object) == 1);
	assert_null(slots_find(slots, (uint64_t)1 << 32 | 1));
	slots_destroy(slots);
}

static void remove_visited(void *object, void *context)
{
	uint64_t *id = object;
	slots_remove(context, *id);
}

static void grows_to_its_limit(void **state)
{
	(void)state;
	struct slots *slots = slots_create(1000);
	uint64_t ids[1000];
	int other;
	for (int i = 0; i < 1000; i++)
		assert_true((ids[i] = slots_add(slots, &ids[i])) != 0);
	assert_true(slots_add(slots, &other) == 0);
	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(slots_find(slots, ids[i]), &ids[i]);
	slots_remove(slots, ids[500]);
	slots_remove(slots, ids[600]);
	// the one that was free for longest comes first
	uint64_t id = slots_add(slots, &other);
	assert_int_equal((uint32_t)id, (uint32_t)ids[500]);
	slots_remove(slots, id);
	slots_visit(slots, remove_visited, slots);
	assert_int_equal(slots_count(slots), 0);
	slots_destroy(slots);
}

static void survives_without_memory(void **state)
{
	(void)state;
	int object;
	failing_allocator_arm(1);
	assert_null(slots_create(10));
	assert_true(failing_allocator_disarm());
	struct slots *slots = slots_create(10);
	failing_allocator_arm(1);
	assert_true(slots_add(slots, &object) == 0);
	assert_true(failing_allocator_disarm());
	assert_true(slots_add(slots, &object) != 0);
	slots_destroy(slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_outlive_their_objects),
	    cmocka_unit_test(foreign_ids_find_nothing),
	    cmocka_unit_test(grows_to_its_limit),
	    cmocka_unit_test(survives_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
