// Reads and writes comma-separated values.
#include "base/csv.h"

#include <string.h>

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static char delimiter_find(struct str text)
{
	size_t commas = 0, semicolons = 0, tabs = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.length && (quoted || !is_line_end(text.at[i])); i++) {
		char c = text.at[i];
		if (c == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		commas += c == ',';
		semicolons += c == ';';
		tabs += c == '\t';
	}
	if (semicolons > commas && semicolons >= tabs)
		return ';';
	return tabs > commas ? '\t' : ',';
}

void csv_begin(struct csv *csv, struct str text)
{
	if (str_starts(text, STR("\xEF\xBB\xBF")))
		text = str_from(text, 3);
	*csv = (struct csv){.rest = text, .delimiter = delimiter_find(text), .line = 1};
}

// Over the line end that begins here: LF, CR or CRLF.
static void line_end_skip(struct csv *csv)
{
	size_t length = str_starts(csv->rest, STR("\r\n")) ? 2 : 1;

	csv->rest = str_from(csv->rest, length);
	csv->line++;
}

static enum csv_result broken(struct csv *csv, const char *mistake)
{
	csv->mistake = mistake;
	csv->rest = STR_NONE;
	return CSV_BROKEN;
}

// Behind the opening quote. The cell has its line ends as they are.
static enum csv_result quoted_read(struct csv *csv, struct arena *arena, struct str *cell)
{
	struct str rest = csv->rest;
	size_t length = 0, line = csv->line, i;
	char *text;

	for (i = 0; i < rest.length; i++) {
		if (rest.at[i] == '"' && (i + 1 == rest.length || rest.at[i + 1] != '"'))
			break;
		i += rest.at[i] == '"';
		length++;
		if (length > CSV_CELL_MAX)
			return broken(csv, "A cell is too long; perhaps a quotation mark is missing.");
	}
	if (i == rest.length)
		return broken(csv, "A quotation mark is opened and never closed.");
	text = arena_alloc(arena, length + 1);
	if (!text)
		return CSV_NO_MEMORY;
	length = 0;
	for (size_t from = 0; from < i; from++) {
		char c = rest.at[from];
		line += c == '\n' || (c == '\r' && !(from + 1 < i && rest.at[from + 1] == '\n'));
		from += c == '"';
		text[length++] = c;
	}
	text[length] = '\0';
	csv->line = line;
	csv->rest = str_from(rest, i + 1);
	*cell = (struct str){text, length};
	if (!str_empty(csv->rest) && csv->rest.at[0] != csv->delimiter && !is_line_end(csv->rest.at[0]))
		return broken(csv, "Text stands behind a closing quotation mark.");
	return CSV_ROW;
}

static enum csv_result plain_read(struct csv *csv, struct arena *arena, struct str *cell)
{
	size_t length = 0;

	while (length < csv->rest.length && csv->rest.at[length] != csv->delimiter &&
	       !is_line_end(csv->rest.at[length])) {
		if (csv->rest.at[length] == '"')
			return broken(csv, "A quotation mark stands in the middle of a cell that is not quoted.");
		length++;
	}
	if (length > CSV_CELL_MAX)
		return broken(csv, "A cell is too long.");
	*cell = arena_copy(arena, str_first(csv->rest, length));
	csv->rest = str_from(csv->rest, length);
	return cell->at ? CSV_ROW : CSV_NO_MEMORY;
}

static enum csv_result cell_read(struct csv *csv, struct arena *arena, struct str *cell)
{
	enum csv_result result;

	if (!str_empty(csv->rest) && csv->rest.at[0] == '"') {
		csv->rest = str_from(csv->rest, 1);
		result = quoted_read(csv, arena, cell);
	} else {
		result = plain_read(csv, arena, cell);
	}
	if (result == CSV_ROW && memchr(cell->at, '\0', cell->length))
		return broken(csv, "A cell has a NUL in it.");
	return result;
}

enum csv_result csv_next(struct csv *csv, struct arena *arena, struct csv_row *row)
{
	row->count = 0;
	while (!str_empty(csv->rest) && is_line_end(csv->rest.at[0]))
		line_end_skip(csv);
	if (str_empty(csv->rest))
		return CSV_END;
	row->line = csv->line;
	for (;;) {
		enum csv_result result;
		if (row->count == CSV_COLUMNS_MAX)
			return broken(csv, "A row has too many cells.");
		result = cell_read(csv, arena, &row->cells[row->count++]);
		if (result != CSV_ROW)
			return result;
		if (str_empty(csv->rest))
			return CSV_ROW;
		if (is_line_end(csv->rest.at[0])) {
			line_end_skip(csv);
			return CSV_ROW;
		}
		csv->rest = str_from(csv->rest, 1); // the delimiter
	}
}

// ---- cells

// What a spreadsheet takes for the beginning of a formula, and the mark itself.
static bool needs_mark(struct str text)
{
	return !str_empty(text) && strchr("=+-@\t\r\n'", text.at[0]) && text.at[0];
}

size_t csv_cell_size(struct str text)
{
	return 2 * text.length + 3;
}

void csv_cell_write(struct writer *w, struct str text, char delimiter)
{
	bool quoted = false;

	for (size_t i = 0; i < text.length; i++)
		quoted |= text.at[i] == delimiter || text.at[i] == '"' || text.at[i] == ',' || text.at[i] == ';' ||
			  text.at[i] == '\t' || is_line_end(text.at[i]);
	if (quoted)
		writer_char(w, '"');
	if (needs_mark(text))
		writer_char(w, '\'');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"')
			writer_char(w, '"');
		writer_char(w, text.at[i]);
	}
	if (quoted)
		writer_char(w, '"');
}

struct str csv_cell_read(struct str cell)
{
	return cell.length > 1 && cell.at[0] == '\'' && needs_mark(str_from(cell, 1)) ? str_from(cell, 1) : cell;
}
