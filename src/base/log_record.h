// One event as the log keeps it while it waits to be written: packed bytes, and how they become text. For log.c only.
#ifndef BASE_LOG_RECORD_H
#define BASE_LOG_RECORD_H

#include "base/log.h"
#include "base/writer.h"

enum {
	LOG_RECORD_MAX = 8192,                    // bytes packed; fields that find no room are left out
	LOG_VALUE_MAX = 4096,                     // bytes; a longer value ends in "..."
	LOG_LINE_MAX = 5 * LOG_RECORD_MAX + 1024, // bytes of a record as text: most bytes become four, "\x00"
	LOG_FIELDS_MAX = 32,
};

struct log_record {
	enum log_level level;
	uint64_t time_ms; // since 1970-01-01 UTC
	struct str event;
	struct log_field fields[LOG_FIELDS_MAX]; // borrow from the packed bytes
	size_t count;
};

// Packs into LOG_RECORD_MAX bytes; gives the bytes used.
size_t log_record_pack(char *into, enum log_level level, const char *event, const struct log_field *fields,
		       size_t count);
// Unpacks the record that the bytes begin with; gives the bytes it takes.
size_t log_record_unpack(const char *from, struct log_record *record);

// "event key=value key=value".
void log_record_write(struct writer *w, const struct log_record *record);
// "2031-01-31T12:34:56.789Z".
void log_record_write_time(struct writer *w, uint64_t time_ms);
const char *log_level_name(enum log_level level);
// As it is when that cannot be misread, else in quotes with everything escaped that could end the value, the line, or
// steer a terminal.
void log_value_write(struct writer *w, struct str value);

#endif
