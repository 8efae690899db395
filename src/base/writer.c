// Text built in a fixed piece of memory.
#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct writer writer_into(void *memory, size_t size)
{
	return (struct writer){.at = memory, .size = size};
}

// Where `size` more bytes go, or NULL when they do not fit or something before them did not.
static char *reserve(struct writer *w, size_t size)
{
	if (w->overflow || size > w->size - w->used) {
		w->overflow = true;
		return NULL;
	}
	char *place = w->at + w->used;
	w->used += size;
	return place;
}

void writer_char(struct writer *w, char c)
{
	char *place = reserve(w, 1);
	if (place)
		*place = c;
}

void writer_str(struct writer *w, struct str s)
{
	if (s.length == 0)
		return;
	char *place = reserve(w, s.length);
	if (place)
		memcpy(place, s.at, s.length);
}

void writer_uint(struct writer *w, uint64_t value)
{
	char digits[20];
	size_t first = sizeof digits;
	do {
		digits[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	writer_str(w, (struct str){digits + first, sizeof digits - first});
}

void writer_int(struct writer *w, int64_t value)
{
	if (value >= 0) {
		writer_uint(w, (uint64_t)value);
		return;
	}
	// a minus alone must not stay behind when the digits do not fit
	char text[21];
	struct writer number = writer_into(text, sizeof text);
	writer_char(&number, '-');
	writer_uint(&number, 0 - (uint64_t)value);
	writer_str(w, writer_result(&number));
}

void writer_hex(struct writer *w, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	char *place = size <= SIZE_MAX / 2 ? reserve(w, 2 * size) : NULL;
	if (!place) {
		w->overflow = true;
		return;
	}
	for (size_t i = 0; i < size; i++) {
		place[2 * i] = digits[from[i] >> 4];
		place[2 * i + 1] = digits[from[i] & 15];
	}
}

void writer_format(struct writer *w, const char *format, ...)
{
	if (w->overflow)
		return;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(w->at ? w->at + w->used : NULL, w->size - w->used, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= w->size - w->used)
		w->overflow = true;
	else
		w->used += (size_t)length;
}
