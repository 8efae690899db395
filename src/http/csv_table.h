// Tables of CSV: which columns a kind of entity has, made from its field table.
#ifndef HTTP_CSV_TABLE_H
#define HTTP_CSV_TABLE_H

#include "base/csv.h"
#include "http/answer.h"

enum csv_column_kind {
	COLUMN_FIELD,
	COLUMN_REFERENCE,    // by what people call the other: a user's extension, a trunk's title
	COLUMN_SIP_PASSWORD, // of a device; taken, never given
};

struct csv_column {
	enum csv_column_kind kind;
	char name[32];
	const struct field *field; // NULL: COLUMN_SIP_PASSWORD
};

struct csv_table {
	const struct entity_type *type;
	struct csv_column columns[CSV_COLUMNS_MAX];
	size_t count;
	const char *key; // the column that tells rows apart
};

// Every field that can be written.
void csv_table_of(enum entity_kind kind, struct csv_table *table);
// What people call an entity of the kind.
const struct field *csv_label_field(enum entity_kind kind);
// "comma" by default, or "semicolon" as European spreadsheets want it; the parameter `delimiter`.
enum err csv_delimiter_read(struct request *request, char *delimiter, struct problem *problem);

#endif
