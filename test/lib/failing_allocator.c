// Stands between the code under test and the heap; see the header.
#include "lib/failing_allocator.h"

#include <stddef.h>
#include <stdint.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static _Thread_local unsigned calls;
static _Thread_local unsigned failures;
static _Thread_local unsigned first_to_fail = UINT32_MAX;
static _Thread_local unsigned last_to_fail = UINT32_MAX;

static void arm(unsigned first, unsigned last)
{
	calls = failures = 0;
	first_to_fail = first;
	last_to_fail = last;
}

void failing_allocator_arm(unsigned n)
{
	arm(n, n);
}

void failing_allocator_arm_from(unsigned n)
{
	arm(n, UINT32_MAX);
}

bool failing_allocator_disarm(void)
{
	first_to_fail = last_to_fail = UINT32_MAX;
	return failures > 0;
}

unsigned failing_allocator_count(void)
{
	return calls;
}

static bool refuse(void)
{
	calls++;
	if (first_to_fail == UINT32_MAX || calls < first_to_fail || calls > last_to_fail)
		return false;
	failures++;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return refuse() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return refuse() ? NULL : __real_aligned_alloc(alignment, size);
}
