// Comma-separated values (RFC 4180), as spreadsheets write them: commas, semicolons or tabs between cells, any line end, a byte
// order mark or none. Reading is bounded and strict about quotes; what is wrong is said with its line.
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/arena.h"
#include "base/writer.h"

enum { CSV_COLUMNS_MAX = 64, CSV_CELL_MAX = 8192 };

enum csv_result { CSV_ROW, CSV_END, CSV_BROKEN, CSV_NO_MEMORY };

struct csv_row {
	struct str cells[CSV_COLUMNS_MAX]; // in the arena given to csv_next, quotes taken off
	size_t count;
	size_t line; // in which the row begins, from 1
};

struct csv {
	struct str rest;
	char delimiter;
	size_t line;
	const char *mistake; // a sentence, after CSV_BROKEN
};

// Finds the delimiter in the first line: whichever of , ; and tab stands there most often outside quotes.
void csv_begin(struct csv *csv, struct str text);
// The next row; empty lines are skipped. After CSV_BROKEN csv->line is where it is, and nothing more can be read.
enum csv_result csv_next(struct csv *csv, struct arena *arena, struct csv_row *row);

// A cell that means the same in a spreadsheet: what it would take for a formula (= + - @, a tab or a line end in front) gets an
// apostrophe in front, and so does what begins with one already, so that csv_cell_read gives back every text as it was.
void csv_cell_write(struct writer *w, struct str text, char delimiter);
size_t csv_cell_size(struct str text); // at most
// Takes off an apostrophe that csv_cell_write has put in front. Whoever wrote the file by hand needs none.
struct str csv_cell_read(struct str cell);

#endif
