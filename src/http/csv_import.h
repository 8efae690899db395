// What the imports share: rows that become writes, and problems named by row and column.
#ifndef HTTP_CSV_IMPORT_H
#define HTTP_CSV_IMPORT_H

#include "domain/records.h"
#include "http/csv_table.h"

struct import_row {
	size_t number, line; // row 1 is the header
	struct str *cells;
};

struct import {
	struct request *request;
	enum write_mode mode;
	const char *columns[CSV_COLUMNS_MAX]; // of the file, by name; in the arena
	size_t column_count;
	struct import_row *rows;
	size_t row_count;
	struct record_write *writes; // as many as rows at most
	size_t *write_rows;          // the row of each
	size_t write_count;
	size_t created, updated, unchanged;
	json_t *problems, *passwords;
	bool no_memory;
};

// Reads parameters and the whole file. False: *answer says why not. import_end must follow in any case.
bool import_begin(struct import *import, struct request *request, struct answer *answer);
void import_end(struct import *import);
size_t import_column(const struct import *import, const char *name); // column_count: there is none
// Adds a problem; `column` NULL: it is about the row.
void import_refuse(struct import *import, size_t row, const char *column, const struct problem *problem);
void import_write(struct import *import, size_t row, enum write_kind kind, struct entity *entity);
// Writes, or tries, and answers.
struct answer import_finish(struct import *import);

#endif
