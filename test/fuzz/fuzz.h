// What every harness shares. A harness defines LLVMFuzzerTestOneInput; libFuzzer, or replay.c over the corpus, calls it.
// The property of all of them: what was parsed, printed from its parts and parsed again is the same.
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include "base/writer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                 \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#define must_equal(a, b) must(str_equal((a), (b)))

static inline struct str input(const uint8_t *data, size_t size)
{
	return (struct str){(const char *)data, size};
}

static inline void must_lie_within(struct str outer, struct str inner)
{
	must(inner.length == 0 || (inner.at >= outer.at && inner.at + inner.length <= outer.at + outer.length));
}

#endif
