// Text for people: tables and lists of fields. Foreign text is made harmless for a terminal.
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>

struct column {
	const char *name;  // of the JSON's member
	const char *title; // above it
	// The cell's text, in a buffer of `size`; NULL: the member as it is.
	void (*write)(const json_t *row, const char *name, char *into, size_t size);
};

enum { CELL_MAX = 256 };

// One line per row, or a sentence when there are none.
void table_print(const json_t *rows, const struct column *columns, size_t count, const char *when_empty);
// A cell's usual text: empty for null, yes and no, numbers, text without control characters.
void cell_write(const json_t *value, char *into, size_t size);
// A member of this name with a time, as local time.
void cell_time(const json_t *row, const char *name, char *into, size_t size);
// "name  value", one line each.
void pair_print(const char *name, const char *value);
void json_print(const json_t *value);
// Milliseconds since 1970 of an RFC 3339 time; 0 for null.
long long json_time_ms(const json_t *object, const char *name);
// Columns on the screen.
size_t text_width(const char *text);
// Prints and fills up with blanks.
void text_print(const char *text, size_t width);

#endif
