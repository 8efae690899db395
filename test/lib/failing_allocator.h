// Lets a test see each allocation of the code under test fail in turn:
//
//	for (unsigned n = 1; ; n++) {
//		failing_allocator_arm(n);
//		bool fine = thing_create(&thing);
//		if (!failing_allocator_disarm())
//			break; // it made fewer than n: all have been seen to fail
//		assert_false(fine);
//	}
//
// Link with the dependency `failing_allocator`. Counts malloc, calloc and realloc of the thread that armed it, in code
// linked statically; what shared libraries allocate for themselves is left alone.
#ifndef TEST_FAILING_ALLOCATOR_H
#define TEST_FAILING_ALLOCATOR_H

#include <stdbool.h>

// The n-th allocation from here on fails, 1 being the next; those after it succeed again.
void failing_allocator_arm(unsigned n);
// Every allocation from the n-th on fails.
void failing_allocator_arm_from(unsigned n);
// Allocations succeed again. True when at least one has failed since it was armed.
bool failing_allocator_disarm(void);
// Allocations of this thread since its last call to arm: to show that a path makes none.
unsigned failing_allocator_count(void);

#endif
