// One line per event: a name and key=value fields. Values from outside are escaped, so a line is always a line.
//
//	2031-01-31T12:34:56.789Z info leg_state call=17 from="Jane \"J\" Doe" to=ringing
//
// Lines go to a buffer of bounded size that a thread of its own writes out: a full disk or a stuck reader loses
// lines (counted, and said in the log once it moves again) and never holds up the caller.
// Under systemd they go to the journal with the same fields (CARILLON_CALL=17), their raw bytes and a priority;
// elsewhere to standard error. A value longer than 4 KiB is cut, and fields beyond 8 KiB or 32 are left out.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_field_type { LOG_FIELD_STR, LOG_FIELD_UINT, LOG_FIELD_INT };

struct log_field {
	const char *key;
	enum log_field_type type;
	struct str text;
	uint64_t number;
};

#define LOG_STR(key, value)                                                                                            \
	{                                                                                                              \
		(key), LOG_FIELD_STR, (value), 0                                                                       \
	}
#define LOG_TEXT(key, terminated)                                                                                      \
	{                                                                                                              \
		(key), LOG_FIELD_STR, str_of(terminated), 0                                                            \
	}
#define LOG_UINT(key, value)                                                                                           \
	{                                                                                                              \
		(key), LOG_FIELD_UINT, {NULL, 0}, (uint64_t)(value)                                                    \
	}
#define LOG_INT(key, value)                                                                                            \
	{                                                                                                              \
		(key), LOG_FIELD_INT, {NULL, 0}, (uint64_t)(int64_t)(value)                                            \
	}

// log_info("leg_state", LOG_UINT("call", id), LOG_TEXT("to", "ringing"));
#define log_at(level, event, ...)                                                                                      \
	do {                                                                                                           \
		if (log_enabled(level)) {                                                                              \
			const struct log_field log_fields_[] = {__VA_ARGS__};                                          \
			log_write((level), (event), log_fields_, sizeof log_fields_ / sizeof *log_fields_);            \
		}                                                                                                      \
	} while (0)
#define log_error(event, ...)   log_at(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) log_at(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...)    log_at(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)   log_at(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

// Starts the writing thread. Before it, after log_stop, and in tests, lines are written at once to standard error.
int log_start(void); // 0, or a negative errno; -EALREADY when it was started before
// Writes what is left (waiting at most a second) and stops the thread.
void log_stop(void);
void log_set_level(enum log_level level); // default LOG_LEVEL_INFO
bool log_enabled(enum log_level level);
bool log_level_parse(struct str name, enum log_level *level); // error, warning, info, debug
// Any thread.
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);
// Tests: every line goes to this function instead, on the caller's thread and without the time ("info leg_state
// call=17"); NULL undoes it.
void log_capture(void (*line)(struct str line, void *context), void *context);
uint64_t log_lost(void); // lines dropped since start

#endif
