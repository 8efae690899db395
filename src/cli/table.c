// Prints tables.
#include "cli/table.h"
#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

enum { COLUMNS_MAX = 16, GAP = 2, NAME_WIDTH = 24 };

long long json_time_ms(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	struct tm parts = {0};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
	if (!rest)
		return 0;
	return (long long)timegm(&parts) * 1000 + (rest[0] == '.' ? atoi(rest + 1) : 0);
}

void cell_time(const json_t *row, const char *name, char *into, size_t size)
{
	long long time_ms = json_time_ms(row, name);
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm parts;
	into[0] = '\0';
	if (time_ms && localtime_r(&seconds, &parts))
		strftime(into, size, "%Y-%m-%d %H:%M:%S", &parts);
}

// What a caller calls themselves must not move the cursor.
static void harmless(const char *text, char *into, size_t size)
{
	size_t length = 0;
	for (; *text && length + 1 < size; text++)
		into[length++] = (unsigned char)*text < ' ' || *text == 0x7F ? '?' : *text;
	while (length > 0 && *text && ((unsigned char)into[length - 1] & 0xC0) == 0x80)
		length--; // no half of a character
	into[length] = '\0';
}

void cell_write(const json_t *value, char *into, size_t size)
{
	into[0] = '\0';
	if (json_is_string(value))
		harmless(json_string_value(value), into, size);
	else if (json_is_integer(value))
		snprintf(into, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		snprintf(into, size, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		snprintf(into, size, "%zu", json_array_size(value));
}

size_t text_width(const char *text)
{
	size_t width = 0;
	mbstate_t state = {0};
	wchar_t letter;
	while (*text) {
		size_t length = mbrtowc(&letter, text, strlen(text), &state);
		if (length == 0 || length > strlen(text)) { // not of this locale: a column for each byte
			memset(&state, 0, sizeof state);
			letter = L'?';
			length = 1;
		}
		int columns = wcwidth(letter);
		width += columns > 0 ? (size_t)columns : 0;
		text += length;
	}
	return width;
}

void text_print(const char *text, size_t width)
{
	size_t used = text_width(text);
	printf("%s%*s", text, used < width ? (int)(width - used) : 0, "");
}

static void column_write(const struct column *column, const json_t *row, char *into)
{
	if (column->write)
		column->write(row, column->name, into, CELL_MAX);
	else
		cell_write(json_object_get(row, column->name), into, CELL_MAX);
}

void table_print(const json_t *rows, const struct column *columns, size_t count, const char *when_empty)
{
	size_t widths[COLUMNS_MAX], i;
	const json_t *row;
	char text[CELL_MAX];
	if (json_array_size(rows) == 0) {
		puts(when_empty);
		return;
	}
	for (size_t c = 0; c < count; c++)
		widths[c] = text_width(columns[c].title);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < count; c++) {
			column_write(&columns[c], row, text);
			if (text_width(text) > widths[c])
				widths[c] = text_width(text);
		}
	}
	for (size_t c = 0; c < count; c++)
		text_print(columns[c].title, c + 1 < count ? widths[c] + GAP : 0);
	putchar('\n');
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < count; c++) {
			column_write(&columns[c], row, text);
			text_print(text, c + 1 < count ? widths[c] + GAP : 0);
		}
		putchar('\n');
	}
}

void pair_print(const char *name, const char *value)
{
	text_print(name, NAME_WIDTH);
	printf("%s\n", value);
}

void json_print(const json_t *value)
{
	char *text = needed(json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY));
	puts(text);
	free(text);
}
