// Imports: all rows or none, and everything that is wrong is said at once.
#include "http/csv_import.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"
#include "http/site.h"

#include <stdio.h>
#include <string.h>

enum { PROBLEMS_SHOWN_MAX = 1000, SIP_PASSWORD_MIN = 8, SIP_PASSWORD_MAX = 64 };

// ---- what all imports share

static enum err parameters_read(struct import *import, struct problem *problem)
{
	struct str text;
	import->mode = WRITE_FOR_GOOD;
	if (request_parameter(import->request, "dry_run", &text)) {
		if (str_equal(text, STR("true")))
			import->mode = WRITE_TRY;
		else if (!str_equal(text, STR("false")))
			return problem_set(problem, ERR_INVALID_FIELD, "dry_run", "dry_run is true or false.");
	}
	return request_parameters_done(import->request, problem);
}

static enum err mistake(struct problem *problem, const struct csv *csv, enum csv_result result)
{
	if (result == CSV_NO_MEMORY)
		return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	return problem_set(problem, ERR_MALFORMED, NULL, "Line %zu: %s", csv->line,
			   csv->mistake ? csv->mistake : "The file has no header.");
}

static enum err header_read(struct import *import, const struct csv_row *row, struct problem *problem)
{
	for (size_t i = 0; i < row->count; i++) {
		struct str name = arena_copy(&import->request->arena, str_trim(row->cells[i]));
		if (!name.at)
			return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
		if (import_column(import, name.at) < import->column_count)
			return problem_set(problem, ERR_INVALID_FIELD, name.at, "The column %.60s is there twice.",
					   name.at);
		import->columns[import->column_count++] = name.at;
	}
	return ERR_NONE;
}

static enum err row_keep(struct import *import, const struct csv_row *row, struct problem *problem)
{
	struct import_row *kept = &import->rows[import->row_count];
	if (import->row_count == WRITES_MAX)
		return problem_set(problem, ERR_TOO_LARGE, NULL, "At most %d rows can be imported at once.",
				   WRITES_MAX);
	*kept = (struct import_row){.number = import->row_count + 2, .line = row->line};
	kept->cells = arena_alloc(&import->request->arena, import->column_count * sizeof *kept->cells);
	if (!kept->cells)
		return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	import->row_count++;
	if (row->count != import->column_count) {
		struct problem wrong = {0};
		problem_set(&wrong, ERR_INVALID_FIELD, NULL, "The row has %zu cells, the header %zu.", row->count,
			    import->column_count);
		import_refuse(import, import->row_count - 1, NULL, &wrong);
		kept->cells = NULL;
		return ERR_NONE;
	}
	for (size_t i = 0; i < row->count; i++)
		kept->cells[i] = csv_cell_read(row->cells[i]);
	return ERR_NONE;
}

static enum err file_read(struct import *import, struct problem *problem)
{
	struct request *request = import->request;
	struct csv_row row;
	struct csv csv;
	csv_begin(&csv, (struct str){request->body ? request->body : "", request->body_size});
	enum csv_result result = csv_next(&csv, &request->arena, &row);
	if (result != CSV_ROW)
		return mistake(problem, &csv, result);
	enum err err = header_read(import, &row, problem);
	while (!err && (result = csv_next(&csv, &request->arena, &row)) == CSV_ROW)
		err = row_keep(import, &row, problem);
	if (!err && result != CSV_END)
		err = mistake(problem, &csv, result);
	return err;
}

bool import_begin(struct import *import, struct request *request, struct answer *answer)
{
	struct problem problem = {0};
	struct str type =
	    str_trim(str_first(request->headers.content_type, str_index(request->headers.content_type, ';')));
	*import = (struct import){.request = request, .problems = json_array(), .passwords = json_array()};
	import->rows = arena_alloc(&request->arena, WRITES_MAX * sizeof *import->rows);
	import->writes = arena_alloc(&request->arena, WRITES_MAX * sizeof *import->writes);
	import->write_rows = arena_alloc(&request->arena, WRITES_MAX * sizeof *import->write_rows);
	if (!import->rows || !import->writes || !import->write_rows || !import->problems || !import->passwords)
		problem_set(&problem, ERR_NO_MEMORY, NULL, NULL);
	else if (!parameters_read(import, &problem) && !str_equal_nocase(type, STR("text/csv")))
		problem_set(&problem, ERR_WRONG_MEDIA_TYPE, NULL,
			    "The body must be CSV, said by Content-Type: text/csv.");
	else if (!problem.err)
		file_read(import, &problem);
	if (problem.err)
		*answer = answer_problem(request, &problem);
	return !problem.err;
}

void import_end(struct import *import)
{
	json_decref(import->problems);
	json_decref(import->passwords);
}

size_t import_column(const struct import *import, const char *name)
{
	size_t i = 0;
	while (i < import->column_count && strcmp(import->columns[i], name) != 0)
		i++;
	return i;
}

void import_refuse(struct import *import, size_t row, const char *column, const struct problem *problem)
{
	json_t *object = json_object();
	if (json_array_size(import->problems) >= PROBLEMS_SHOWN_MAX) {
		json_decref(object);
		return;
	}
	bool built = json_put(object, "row", json_integer((json_int_t)import->rows[row].number)) &&
		     json_put(object, "line", json_integer((json_int_t)import->rows[row].line)) &&
		     json_put(object, "column", column ? json_text(str_of(column)) : json_null()) &&
		     json_put(object, "code", json_string(err_name(problem->err))) &&
		     json_put(object, "sentence", json_text(str_of(problem->sentence))) &&
		     json_put(object, "other_id", json_id(problem->other_id));
	if (!built) {
		json_decref(object);
		object = NULL;
	}
	import->no_memory |= json_array_append_new(import->problems, object) != 0;
}

void import_write(struct import *import, size_t row, enum write_kind kind, struct entity *entity)
{
	import->write_rows[import->write_count] = row;
	import->writes[import->write_count++] = (struct record_write){.kind = kind, .entity = entity};
}

// The column that a field's problem is about.
static const char *column_of(const struct import *import, const struct problem *problem)
{
	char name[64];
	if (!problem->field[0])
		return NULL;
	if (str_equal(str_of(problem->field), STR("canonical")))
		return "number";
	if (str_starts(str_of(problem->field), STR("turns")))
		return "device";
	snprintf(name, sizeof name, "%s", problem->field);
	size_t length = strlen(name);
	if (length > 3 && strcmp(name + length - 3, "_id") == 0)
		name[length - 3] = '\0';
	size_t column = import_column(import, name);
	return column < import->column_count ? import->columns[column] : NULL;
}

static struct answer refusal(struct import *import)
{
	struct problem problem = {0};
	json_t *more = json_object();
	problem_set(&problem, ERR_ROWS_REFUSED, NULL, "%zu things are wrong; nothing was imported.",
		    json_array_size(import->problems));
	if (json_object_set(more, "problems", import->problems) != 0) {
		json_decref(more);
		more = NULL;
	}
	return answer_problem_with(import->request, &problem, more);
}

struct answer import_finish(struct import *import)
{
	struct request *request = import->request;
	struct records *records = server_records(request->server);
	bool wrong = json_array_size(import->problems) > 0;
	enum err err =
	    records->write_all(records->context, import->writes, import->write_count, wrong ? WRITE_TRY : import->mode);
	for (size_t i = 0; err && i < import->write_count; i++) {
		const struct record_write *write = &import->writes[i];
		if (write->err)
			import_refuse(import, import->write_rows[i], column_of(import, &write->problem),
				      &write->problem);
	}
	if (import->no_memory)
		return answer_err(request, ERR_NO_MEMORY);
	if (json_array_size(import->problems))
		return refusal(import);
	if (err)
		return answer_err(request, err);
	json_t *body = json_object();
	bool tried = import->mode == WRITE_TRY;
	bool built = json_put(body, "dry_run", json_boolean(tried)) &&
		     json_put(body, "rows", json_integer((json_int_t)import->row_count)) &&
		     json_put(body, "created", json_integer((json_int_t)import->created)) &&
		     json_put(body, "updated", json_integer((json_int_t)import->updated)) &&
		     json_put(body, "unchanged", json_integer((json_int_t)import->unchanged)) &&
		     (tried ? json_put(body, "passwords", json_array())
			    : json_object_set(body, "passwords", import->passwords) == 0);
	if (!built) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, 200, body);
}

// ---- entities

struct entity_import {
	struct import import;
	struct csv_table table;
	const struct csv_column *columns[CSV_COLUMNS_MAX]; // of the file
	struct number_plan plan;
};

static const struct csv_column sip_password_column = {.kind = COLUMN_SIP_PASSWORD, .name = "sip_password"};

static const struct csv_column *table_column(const struct csv_table *table, const char *name)
{
	if (table->type->kind == ENTITY_DEVICE && strcmp(name, sip_password_column.name) == 0)
		return &sip_password_column;
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	return NULL;
}

// Every column must be one, and the one that tells rows apart be there.
static enum err columns_check(struct entity_import *of, struct problem *problem)
{
	struct import *import = &of->import;
	for (size_t i = 0; i < import->column_count; i++) {
		of->columns[i] = table_column(&of->table, import->columns[i]);
		if (!of->columns[i])
			return problem_set(problem, ERR_UNKNOWN_FIELD, import->columns[i],
					   "There is no column \"%.60s\" here.", import->columns[i]);
	}
	if (import_column(import, of->table.key) == import->column_count)
		return problem_set(problem, ERR_MISSING_FIELD, of->table.key, "The column %s is needed.",
				   of->table.key);
	return ERR_NONE;
}

// Who is already there under the row's key.
static enum err before_find(struct entity_import *of, size_t row, struct entity **before)
{
	struct request *request = of->import.request;
	struct records *records = server_records(request->server);
	struct str key = of->import.rows[row].cells[import_column(&of->import, of->table.key)];
	const char *field = of->table.key;
	*before = NULL;
	if (of->table.type->kind == ENTITY_DID) {
		size_t last = import_column(&of->import, "last");
		struct did did = {.number = key};
		if (last < of->import.column_count)
			did.last = of->import.rows[row].cells[last];
		if (did_canonicalize(&of->plan, &did, &request->arena, NULL))
			return ERR_NONE; // the store will say what is wrong with it
		field = "canonical";
		key = did.canonical;
	}
	enum err err = records->find(records->context, of->table.type->kind, field, key, &request->arena, before);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static enum err reference_read(struct entity_import *of, struct entity *entity, const struct field *field,
			       struct str text, struct problem *problem)
{
	struct request *request = of->import.request;
	struct records *records = server_records(request->server);
	const struct field *label = csv_label_field(field->refers_to);
	struct entity *other;
	if (str_empty(text)) {
		*(uint64_t *)field_of(entity, field) = 0;
		return ERR_NONE;
	}
	enum err err = records->find(records->context, field->refers_to, label->name, text, &request->arena, &other);
	if (err == ERR_NOT_FOUND)
		return problem_set(problem, ERR_INVALID_FIELD, field->name, "There is no %s with the %s \"%.*s\".",
				   entity_type(field->refers_to)->name, label->name, STR_ARG(str_first(text, 60)));
	if (err)
		return problem_set(problem, err, NULL, NULL);
	*(uint64_t *)field_of(entity, field) = other->id;
	return ERR_NONE;
}

// Spreadsheets write TRUE for true.
static struct str boolean_text(struct str text)
{
	if (str_equal_nocase(text, STR("true")) || str_equal(text, STR("1")))
		return STR("true");
	if (str_equal_nocase(text, STR("false")) || str_equal(text, STR("0")))
		return STR("false");
	return text;
}

static enum err field_read(struct entity_import *of, struct entity *entity, const struct entity *plain,
			   const struct csv_column *column, struct str text, struct problem *problem)
{
	const struct field *field = column->field;
	struct arena *arena = &of->import.request->arena;
	if (column->kind == COLUMN_REFERENCE) {
		enum err err = reference_read(of, entity, field, text, problem);
		if (err)
			return err;
	} else if (str_empty(text) && field->type != FIELD_TEXT) {
		struct str fallback = field_to_text(plain, field, arena); // an empty cell is the default
		if (!fallback.at || !field_from_text(entity, field, fallback, arena))
			return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	} else if (!field_from_text(entity, field, field->type == FIELD_BOOLEAN ? boolean_text(text) : text, arena)) {
		return problem_set(problem, ERR_INVALID_FIELD, field->name, "\"%.*s\" is no value of %s.%s%s",
				   STR_ARG(str_first(text, 60)), field->name, field->rule ? " " : "",
				   field->rule ? field->rule : "");
	}
	return entity_check_field(entity, field, problem);
}

static void password_set(struct entity_import *of, size_t row, struct device *device, struct str given)
{
	struct import *import = &of->import;
	struct problem problem = {0};
	char made[SIP_PASSWORD_LENGTH + 1];
	if (!str_empty(given)) {
		struct str realm = server_settings(import->request->server)->realm;
		if (given.length < SIP_PASSWORD_MIN || given.length > SIP_PASSWORD_MAX) {
			problem_set(&problem, ERR_INVALID_FIELD, "sip_password", "A SIP password has %d to %d bytes.",
				    SIP_PASSWORD_MIN, SIP_PASSWORD_MAX);
			import_refuse(import, row, "sip_password", &problem);
		} else {
			import->no_memory |= !device_set_password(device, realm, given, &import->request->arena);
		}
		return;
	}
	json_t *object = json_object();
	import->no_memory |= sip_password_make(import->request, device, made) != ERR_NONE ||
			     !json_put(object, "row", json_integer((json_int_t)import->rows[row].number)) ||
			     !json_put(object, "number", json_text(device->number)) ||
			     !json_put(object, "sip_password", json_string(made));
	import->no_memory |= json_array_append_new(import->passwords, object) != 0;
	explicit_bzero(made, sizeof made);
}

static bool same_fields(const struct entity *a, const struct entity *b)
{
	const struct entity_type *type = entity_type(a->kind);
	for (size_t i = 0; i < type->field_count; i++)
		if (!(type->fields[i].flags & FIELD_READ_ONLY) && !field_equal(a, b, &type->fields[i]))
			return false;
	return true;
}

// Reads the cells into the entity; gives how many problems there were.
static size_t cells_read(struct entity_import *of, size_t row, struct entity *entity, const struct entity *before,
			 const struct entity *plain)
{
	struct import *import = &of->import;
	size_t wrong = 0;
	for (size_t i = 0; i < import->column_count; i++) {
		struct problem problem = {0};
		const struct field *field = of->columns[i]->field;
		if (of->columns[i]->kind == COLUMN_SIP_PASSWORD)
			continue;
		enum err err = field_read(of, entity, plain, of->columns[i], import->rows[row].cells[i], &problem);
		// A DID's number may be written otherwise.
		if (!err && before && field->flags & FIELD_FIXED && !field_equal(before, entity, field))
			err = problem_set(&problem, ERR_FIXED_FIELD, field->name, "%s cannot be changed once created.",
					  field->name);
		if (err)
			import_refuse(import, row, import->columns[i], &problem);
		wrong += err != ERR_NONE;
	}
	return wrong;
}

static bool row_check(struct entity_import *of, size_t row, const struct entity *entity, const struct entity *before)
{
	struct import *import = &of->import;
	const struct user *user = (const struct user *)entity, *was = (const struct user *)before;
	struct problem problem = {0};
	if (entity_check(entity, &problem)) {
		size_t column = import_column(import, problem.field);
		import_refuse(import, row, column < import->column_count ? import->columns[column] : NULL, &problem);
		return false;
	}
	if (entity->kind == ENTITY_USER && before && before->id == import->request->identity.user->entity.id &&
	    user->role != was->role) {
		problem_set(&problem, ERR_NOT_ALLOWED, "role", "Nobody can change their own role.");
		import_refuse(import, row, "role", &problem);
		return false;
	}
	return true;
}

static enum err row_import(struct entity_import *of, size_t row, const struct entity *plain)
{
	struct import *import = &of->import;
	struct arena *arena = &import->request->arena;
	struct entity *before, *entity;
	enum err err = before_find(of, row, &before);
	if (err)
		return err;
	entity = before ? entity_copy(before, arena) : entity_new(of->table.type->kind, arena);
	if (!entity)
		return ERR_NO_MEMORY;
	if (cells_read(of, row, entity, before, plain) || !row_check(of, row, entity, before))
		return ERR_NONE;
	size_t password = import_column(import, "sip_password");
	struct str given = password < import->column_count ? import->rows[row].cells[password] : STR_NONE;
	if (entity->kind == ENTITY_DEVICE && (!before || !str_empty(given)) &&
	    device_kind_registers(((struct device *)entity)->device_kind))
		password_set(of, row, (struct device *)entity, given);
	if (before && str_empty(given) && same_fields(before, entity)) {
		import->unchanged++;
		return ERR_NONE;
	}
	import->created += before == NULL;
	import->updated += before != NULL;
	import_write(import, row, before ? WRITE_UPDATE : WRITE_CREATE, entity);
	return ERR_NONE;
}

struct answer csv_import(struct request *request)
{
	struct entity_import of;
	struct problem problem = {0};
	struct answer answer;
	if (!import_begin(&of.import, request, &answer))
		goto out;
	csv_table_of(request->operation->kind, &of.table);
	const struct entity *plain = entity_new(request->operation->kind, &request->arena);
	enum err err = plain ? columns_check(&of, &problem) : ERR_NO_MEMORY;
	if (!err)
		err = site_plan(request, &of.plan);
	for (size_t row = 0; !err && row < of.import.row_count; row++)
		if (of.import.rows[row].cells)
			err = row_import(&of, row, plain);
	answer = problem.err ? answer_problem(request, &problem)
		 : err       ? answer_err(request, err)
			     : import_finish(&of.import);
out:
	import_end(&of.import);
	return answer;
}
