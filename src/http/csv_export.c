// Exports: tables that can be imported again as they are.
#include "http/csv_table.h"
#include "http/router.h"
#include "http/server.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000, EXPORT_BYTES_MAX = 128 << 20 };

struct export
{
	struct request *request;
	struct csv_table table;
	char delimiter;
	char *text; // owned
	size_t used, size;
	struct arena arena; // of one page
};

// Room for `more` bytes at the end. False when there is no memory, or it is too much of it.
static bool room_make(struct export *export, size_t more)
{
	size_t size = export->size ? export->size : 64 << 10;
	if (export->size - export->used >= more)
		return true;
	while (size - export->used < more)
		size *= 2;
	if (size > EXPORT_BYTES_MAX)
		return false;
	char *text = realloc(export->text, size);
	if (!text)
		return false;
	export->text = text;
	export->size = size;
	return true;
}

static bool cell_add(struct export *export, struct str cell, char end)
{
	size_t size = csv_cell_size(cell) + 2;
	if (!room_make(export, size))
		return false;
	struct writer w = writer_into(export->text + export->used, size);
	csv_cell_write(&w, cell, export->delimiter);
	if (end == '\n')
		writer_char(&w, '\r');
	writer_char(&w, end);
	export->used += w.used;
	return true;
}

static char end_of(const struct export *export, size_t column, size_t count)
{
	return column + 1 == count ? '\n' : export->delimiter;
}

static enum err label_find(struct export *export, enum entity_kind kind, uint64_t id, struct str *label)
{
	struct records *records = server_records(export->request->server);
	struct entity *entity;
	*label = STR("");
	if (id == 0)
		return ERR_NONE;
	enum err err = records->get(records->context, kind, id, &export->arena, &entity);
	if (!err)
		*label = *(struct str *)field_of(entity, csv_label_field(kind));
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static enum err entity_add(struct export *export, const struct entity *entity)
{
	for (size_t i = 0; i < export->table.count; i++) {
		const struct csv_column *column = &export->table.columns[i];
		struct str text = STR_NONE;
		enum err err = ERR_NONE;
		if (column->kind == COLUMN_REFERENCE)
			err = label_find(export, column->field->refers_to, *(uint64_t *)field_of(entity, column->field),
					 &text);
		else
			text = field_to_text(entity, column->field, &export->arena);
		if (err)
			return err;
		if (!text.at || !cell_add(export, text, end_of(export, i, export->table.count)))
			return ERR_NO_MEMORY;
	}
	return ERR_NONE;
}

// ---- ring plans: a line for each device; a user without devices has one line with none

static const char *const plan_columns[] = {"user", "strategy", "device", "start_s", "ring_s"};
enum { PLAN_COLUMNS = 5 };

static enum err turn_add(struct export *export, const struct user *user, const struct turn_plan *turn)
{
	const struct field *strategy = entity_field(&user_type, STR("strategy"));
	struct arena *arena = &export->arena;
	struct str cells[PLAN_COLUMNS] = {user->extension, str_of(strategy->choices[user->strategy]), STR(""), STR(""),
					  STR("")};
	if (turn) {
		enum err err = label_find(export, ENTITY_DEVICE, turn->device_id, &cells[2]);
		if (err)
			return err;
		cells[3] = arena_format(arena, "%lld", (long long)turn->start_s);
		cells[4] = arena_format(arena, "%lld", (long long)turn->ring_s);
	}
	for (size_t i = 0; i < PLAN_COLUMNS; i++)
		if (!cells[i].at || !cell_add(export, cells[i], end_of(export, i, PLAN_COLUMNS)))
			return ERR_NO_MEMORY;
	return ERR_NONE;
}

static enum err plan_add(struct export *export, const struct entity *entity)
{
	const struct user *user = (const struct user *)entity;
	enum err err = user->turn_count == 0 ? turn_add(export, user, NULL) : ERR_NONE;
	for (size_t i = 0; !err && i < user->turn_count; i++)
		err = turn_add(export, user, &user->turns[i]);
	return err;
}

// ---- the whole

static enum err pages_add(struct export *export, enum entity_kind kind, struct list_query *query,
			  enum err (*add)(struct export *export, const struct entity *entity))
{
	struct records *records = server_records(export->request->server);
	char cursor[64] = "";
	enum err err = ERR_NONE;
	do {
		struct entity_page page = {0};
		query->cursor = str_of(cursor);
		err = records->list(records->context, kind, query, &export->arena, &page);
		for (size_t i = 0; !err && i < page.count; i++)
			err = add(export, page.entities[i]);
		if (!err && !str_to_cstring(page.next, cursor, sizeof cursor))
			err = ERR_INTERNAL;
		arena_reset(&export->arena);
	} while (!err && cursor[0]);
	return err;
}

static void export_drop(struct export *export)
{
	arena_free(&export->arena);
	free(export->text);
}

static struct answer export_answer(struct export *export, enum err err)
{
	if (err) {
		export_drop(export);
		return answer_err(export->request, err);
	}
	arena_free(&export->arena);
	return (struct answer){.status = 200,
			       .type = "text/csv; charset=utf-8; header=present",
			       .body = {export->text, export->used},
			       .owned = export->text};
}

static bool start(struct export *export, struct request *request)
{
	*export = (struct export){.request = request};
	arena_init(&export->arena, REQUEST_MEMORY_MAX);
	if (!room_make(export, 3))
		return false;
	memcpy(export->text, "\xEF\xBB\xBF", 3); // without it spreadsheets take UTF-8 for something else
	export->used = 3;
	return true;
}

struct answer csv_export(struct request *request)
{
	struct list_query query = {.limit = PAGE};
	struct problem problem = {0};
	struct str kind;
	struct export export;
	if (!start(&export, request))
		return export_answer(&export, ERR_NO_MEMORY);
	enum err err = csv_delimiter_read(request, &export.delimiter, &problem);
	if (request->operation->kind == ENTITY_DEVICE && request_parameter(request, "kind", &kind))
		query.filters[query.filter_count++] =
		    (struct list_filter){entity_field(&device_type, STR("kind")), kind};
	if (!err)
		err = request_parameters_done(request, &problem);
	if (err) {
		export_drop(&export);
		return answer_problem(request, &problem);
	}
	csv_table_of(request->operation->kind, &export.table);
	for (size_t i = 0; !err && i < export.table.count; i++)
		if (!cell_add(&export, str_of(export.table.columns[i].name), end_of(&export, i, export.table.count)))
			err = ERR_NO_MEMORY;
	if (!err)
		err = pages_add(&export, request->operation->kind, &query, entity_add);
	return export_answer(&export, err);
}

struct answer csv_export_plans(struct request *request)
{
	struct list_query query = {.limit = PAGE};
	struct problem problem = {0};
	struct export export;
	if (!start(&export, request))
		return export_answer(&export, ERR_NO_MEMORY);
	enum err err = csv_delimiter_read(request, &export.delimiter, &problem);
	if (!err)
		err = request_parameters_done(request, &problem);
	if (err) {
		export_drop(&export);
		return answer_problem(request, &problem);
	}
	for (size_t i = 0; !err && i < PLAN_COLUMNS; i++)
		if (!cell_add(&export, str_of(plan_columns[i]), end_of(&export, i, PLAN_COLUMNS)))
			err = ERR_NO_MEMORY;
	if (!err)
		err = pages_add(&export, ENTITY_USER, &query, plan_add);
	return export_answer(&export, err);
}
