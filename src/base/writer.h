// Builds text in a fixed piece of memory. Once something does not fit, `overflow` stays true and nothing
// more is written, so a whole message is checked once, at its end.
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include "base/str.h"

#include <string.h>

struct writer {
	char *at;
	size_t size; // bytes at `at`
	size_t used; // bytes written
	bool overflow;
};

struct writer writer_into(void *memory, size_t size);
void writer_char(struct writer *w, char c);
void writer_str(struct writer *w, struct str s);
// Inline, so that a literal's length is known.
static inline void writer_text(struct writer *w, const char *terminated)
{
	writer_str(w, (struct str){terminated, terminated ? strlen(terminated) : 0});
}
void writer_uint(struct writer *w, uint64_t value);
void writer_int(struct writer *w, int64_t value);
void writer_hex(struct writer *w, const void *bytes, size_t size); // lower case
// Needs room for one byte more than it writes.
void writer_format(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline struct str writer_result(const struct writer *w)
{
	return (struct str){w->at, w->used};
}

#endif
