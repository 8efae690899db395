// Columns of CSV.
#include "http/csv_table.h"

#include <stdio.h>
#include <string.h>

const struct field *csv_label_field(enum entity_kind kind)
{
	const char *name = kind == ENTITY_USER ? "extension" : kind == ENTITY_DEVICE ? "number" : "title";

	return entity_field(entity_type(kind), str_of(name));
}

static void column_add(struct csv_table *table, const struct field *field)
{
	struct csv_column *column = &table->columns[table->count++];
	size_t length = strlen(field->name);
	if (field->type == FIELD_REFERENCE && length > 3)
		length -= 3; // "user_id" is the column "user"
	column->kind = field->type == FIELD_REFERENCE ? COLUMN_REFERENCE : COLUMN_FIELD;
	column->field = field;
	snprintf(column->name, sizeof column->name, "%.*s", (int)length, field->name);
}

void csv_table_of(enum entity_kind kind, struct csv_table *table)
{
	*table = (struct csv_table){.type = entity_type(kind), .key = kind == ENTITY_USER ? "name" : "number"};
	for (size_t i = 0; i < table->type->field_count; i++)
		if (!(table->type->fields[i].flags & (FIELD_HIDDEN | FIELD_READ_ONLY)))
			column_add(table, &table->type->fields[i]);
}

enum err csv_delimiter_read(struct request *request, char *delimiter, struct problem *problem)
{
	struct str text;
	*delimiter = ',';
	if (!request_parameter(request, "delimiter", &text) || str_equal(text, STR("comma")))
		return ERR_NONE;
	*delimiter = ';';
	if (str_equal(text, STR("semicolon")))
		return ERR_NONE;
	return problem_set(problem, ERR_INVALID_FIELD, "delimiter", "The delimiter is comma or semicolon.");
}
