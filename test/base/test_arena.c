// Arenas: alignment, zeroes, limits, reuse, and no memory.
#include "base/arena.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdalign.h>
#include <string.h>

static void gives_aligned_zeroes(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 0);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 300; size += 7) {
			unsigned char *piece = arena_alloc(&arena, size);
			assert_non_null(piece);
			assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(piece[i], 0);
			memset(piece, 0xaa, size);
		}
		unsigned char *large = arena_alloc(&arena, 100000);
		assert_non_null(large);
		memset(large, 0xaa, 100000);
		arena_reset(&arena);
		assert_int_equal(arena.taken, 0);
	}
	arena_free(&arena);
}

static void keeps_to_its_limit(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 64);
	assert_null(arena_alloc(&arena, 65));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 8));
	assert_non_null(arena_alloc(&arena, 40));
	assert_null(arena_alloc(&arena, 32));
	assert_non_null(arena_alloc(&arena, 16));
	assert_null(arena_alloc(&arena, 0));
	arena_reset(&arena);
	assert_non_null(arena_alloc(&arena, 64));
	arena_free(&arena);
	arena_free(&arena); // twice is harmless
}

static void copies_and_formats(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 0);
	struct str copy = arena_copy(&arena, STR("a\0b"));
	assert_true(str_equal(copy, STR("a\0b")));
	assert_int_equal(copy.at[3], '\0');
	struct str empty = arena_copy(&arena, STR_NONE);
	assert_non_null(empty.at);
	assert_string_equal(empty.at, "");
	assert_string_equal(arena_format(&arena, "%05d-%s", 42, "x").at, "00042-x");
	assert_string_equal(arena_format(&arena, "%s", "").at, "");
	arena_free(&arena);
}

static void survives_without_memory(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 0);
	failing_allocator_arm(1);
	assert_null(arena_alloc(&arena, 1));
	assert_true(failing_allocator_disarm());
	failing_allocator_arm(1);
	assert_null(arena_copy(&arena, STR("x")).at);
	assert_true(failing_allocator_disarm());
	failing_allocator_arm(1);
	assert_null(arena_format(&arena, "%d", 1).at);
	assert_true(failing_allocator_disarm());
	assert_int_equal(arena.taken, 0);
	assert_non_null(arena_alloc(&arena, 1));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_aligned_zeroes),
	    cmocka_unit_test(keeps_to_its_limit),
	    cmocka_unit_test(copies_and_formats),
	    cmocka_unit_test(survives_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
