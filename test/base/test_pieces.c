// Pieces: distinct, aligned, of every size, and no heap once warm.
#include "base/pieces.h"
#include "base/sanitized.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum { SIZES = 6000 };

static void gives_distinct_pieces_of_every_size(void **state)
{
	static unsigned char *given[SIZES];
	struct pieces pieces;
	(void)state;

	pieces_init(&pieces);
	for (int round = 0; round < 2; round++) {
		for (size_t size = 0; size < SIZES; size++) {
			given[size] = pieces_take(&pieces, size);
			assert_non_null(given[size]);
			assert_int_equal((uintptr_t)given[size] % alignof(max_align_t), 0);
			memset(given[size], (int)(size % 251), size);
		}
		for (size_t size = 0; size < SIZES; size++) {
			for (size_t i = 0; i < size; i++)
				assert_int_equal(given[size][i], size % 251); // nobody else wrote there
			pieces_give(&pieces, given[size], size);
		}
	}
	pieces_give(&pieces, NULL, 0);
	pieces_free(&pieces);
}

static void need_no_heap_once_warm(void **state)
{
	struct pieces pieces;
	(void)state;

	if (SANITIZED) {
		print_message("skipped: under a sanitizer every piece comes from the heap\n");
		skip();
	}
	pieces_init(&pieces);
	for (int round = 0; round < 2; round++) {
		failing_allocator_arm(0);
		for (size_t size = 1; size <= 4096; size++)
			pieces_give(&pieces, pieces_take(&pieces, size), size);
		assert_true(round == 0 || failing_allocator_count() == 0);
		failing_allocator_disarm();
	}
	pieces_free(&pieces);
}

static void waste_less_than_an_eighth(void **state)
{
	struct pieces pieces;
	(void)state;

	if (SANITIZED) {
		print_message("skipped: under a sanitizer every piece comes from the heap\n");
		skip();
	}
	pieces_init(&pieces);
	for (size_t size = 33; size <= 4096; size++) {
		void *piece = pieces_take(&pieces, size);
		size_t room = 0;
		for (unsigned i = 0; i < PIECES_SIZES; i++)
			if (pieces.pools[i].in_use)
				room = pieces.pools[i].object_size;
		assert_true(room >= size && (room - size < 16 || 8 * room < 9 * size));
		pieces_give(&pieces, piece, size);
	}
	pieces_free(&pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_distinct_pieces_of_every_size),
	    cmocka_unit_test(need_no_heap_once_warm),
	    cmocka_unit_test(waste_less_than_an_eighth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
