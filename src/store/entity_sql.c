// Reads and writes one entity, with statements made from its kind's field table. Names of tables and columns come from
// that table alone; everything else is a value.
#include "store/entity_sql.h"

#include "base/log.h"
#include "store/derived_sql.h"
#include "store/text.h"

#include <assert.h>
#include <string.h>

enum { SQL_MAX = 4096, FIELDS_MAX = 48 };

// ---- values

struct value value_of_field(const struct entity *entity, const struct field *field)
{
	const void *at = field_of(entity, field);

	switch (field->type) {
	case FIELD_TEXT:
		return value_text(*(const struct str *)at);
	case FIELD_INTEGER:
	case FIELD_TIME:
		return value_integer(*(const int64_t *)at);
	case FIELD_BOOLEAN:
		return value_boolean(*(const bool *)at);
	case FIELD_CHOICE:
		return value_text(str_of(field->choices[*(const int *)at]));
	case FIELD_REFERENCE:
		return value_id(*(const uint64_t *)at);
	}
	return (struct value){.type = VALUE_NULL};
}

static int choice_index(const struct field *field, struct str name)
{
	for (int i = 0; field->choices[i]; i++)
		if (str_equal(str_of(field->choices[i]), name))
			return i;
	return -1;
}

static bool boolean_parse(struct str text, struct value *value)
{
	*value = value_boolean(str_equal(text, STR("true")) || str_equal(text, STR("1")));
	return value->integer || str_equal(text, STR("false")) || str_equal(text, STR("0"));
}

bool value_parse(const struct field *field, struct str text, struct value *value)
{
	int64_t integer;
	uint64_t id;

	switch (field->type) {
	case FIELD_TEXT:
		*value = value_text(text);
		return true;
	case FIELD_INTEGER:
	case FIELD_TIME:
		if (!str_to_int(text, INT64_MIN, INT64_MAX, &integer))
			return false;
		*value = value_integer(integer);
		return true;
	case FIELD_BOOLEAN:
		return boolean_parse(text, value);
	case FIELD_CHOICE:
		*value = value_text(text);
		return choice_index(field, text) >= 0;
	case FIELD_REFERENCE:
		if (!str_to_uint(text, INT64_MAX, &id))
			return false;
		*value = value_id(id);
		return true;
	}
	return false;
}

// ---- reading

void entity_write_columns(struct writer *w, const struct entity_type *type)
{
	writer_text(w, "id, version");
	for (size_t i = 0; i < type->field_count; i++) {
		writer_text(w, ", ");
		writer_text(w, type->fields[i].name);
	}
}

unsigned entity_column_count(const struct entity_type *type)
{
	return 2 + (unsigned)type->field_count;
}

static enum err field_from_row(const struct row *row, unsigned column, const struct field *field, void *at,
			       struct arena *arena)
{
	switch (field->type) {
	case FIELD_TEXT:
		*(struct str *)at = arena_copy(arena, row_text(row, column));
		return ((struct str *)at)->at ? ERR_NONE : ERR_NO_MEMORY;
	case FIELD_INTEGER:
	case FIELD_TIME:
		*(int64_t *)at = row_integer(row, column);
		return ERR_NONE;
	case FIELD_BOOLEAN:
		*(bool *)at = row_integer(row, column) != 0;
		return ERR_NONE;
	case FIELD_CHOICE:
		*(int *)at = choice_index(field, row_text(row, column));
		if (*(int *)at >= 0)
			return ERR_NONE;
		log_error("store_choice_unknown", LOG_TEXT("field", field->name),
			  LOG_STR("value", row_text(row, column)));
		return ERR_INTERNAL;
	case FIELD_REFERENCE:
		*(uint64_t *)at = row_id(row, column);
		return ERR_NONE;
	}
	return ERR_INTERNAL;
}

enum err entity_from_row(const struct row *row, enum entity_kind kind, struct arena *arena, struct entity **entity)
{
	const struct entity_type *type = entity_type(kind);
	struct entity *made = arena_alloc(arena, type->size);

	if (!made)
		return ERR_NO_MEMORY;
	made->kind = kind;
	made->id = row_id(row, 0);
	made->version = row_id(row, 1);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		enum err err = field_from_row(row, 2 + (unsigned)i, field, field_of(made, field), arena);
		if (err)
			return err;
	}
	*entity = made;
	return ERR_NONE;
}

struct reading {
	enum entity_kind kind;
	struct arena *arena;
	struct entity *entity; // NULL until a row came
};

static enum err take_entity(void *context, const struct row *row)
{
	struct reading *reading = context;

	return entity_from_row(row, reading->kind, reading->arena, &reading->entity);
}

static enum err take_turn(void *context, const struct row *row)
{
	struct user *user = context;

	if (user->turn_count < USER_TURNS_MAX)
		user->turns[user->turn_count++] =
		    (struct turn_plan){row_id(row, 0), row_integer(row, 1), row_integer(row, 2)};
	return ERR_NONE;
}

enum err entity_read_turns(struct database *database, struct user *user, struct arena *arena)
{
	struct turn_plan turns[USER_TURNS_MAX];
	enum err err;

	user->turns = turns;
	user->turn_count = 0;
	err = database_run(database,
			   "SELECT device_id, start_s, ring_s FROM assignments WHERE user_id = $1 ORDER BY position",
			   VALUES(value_id(user->entity.id)), (struct row_visitor){take_turn, user});
	user->turns = NULL;
	if (err || user->turn_count == 0)
		return err;
	user->turns = arena_alloc(arena, user->turn_count * sizeof *turns);
	if (!user->turns)
		return ERR_NO_MEMORY;
	memcpy(user->turns, turns, user->turn_count * sizeof *turns);
	return ERR_NONE;
}

// The entity whose column has this value.
static enum err read_where(struct database *database, const char *column, struct value value, struct reading *reading)
{
	char sql[SQL_MAX];
	struct writer w = writer_into(sql, sizeof sql);
	const struct entity_type *type = entity_type(reading->kind);
	enum err err;

	writer_text(&w, "SELECT ");
	entity_write_columns(&w, type);
	writer_format(&w, " FROM %s WHERE %s = $1", type->plural, column);
	writer_char(&w, '\0');
	assert(!w.overflow);
	err = database_run(database, sql, VALUES(value), (struct row_visitor){take_entity, reading});
	if (err)
		return err;
	if (!reading->entity)
		return ERR_NOT_FOUND;
	return reading->kind == ENTITY_USER
		   ? entity_read_turns(database, (struct user *)reading->entity, reading->arena)
		   : ERR_NONE;
}

enum err entity_read(struct database *database, enum entity_kind kind, uint64_t id, struct arena *arena,
		     struct entity **entity)
{
	struct reading reading = {.kind = kind, .arena = arena};
	enum err err = read_where(database, "id", value_id(id), &reading);

	if (!err)
		*entity = reading.entity;
	return err;
}

enum err entity_find(struct database *database, const struct entity_key *key, struct arena *arena,
		     struct entity **entity)
{
	struct reading reading = {.kind = key->kind, .arena = arena};
	struct value value;
	enum err err;

	if (!value_parse(key->field, key->value, &value))
		return ERR_NOT_FOUND;
	err = read_where(database, key->field->name, value, &reading);
	if (!err)
		*entity = reading.entity;
	return err;
}

// ---- writing

// Every text field shown, one a line, folded.
static enum err search_text(const struct entity *entity, struct arena *arena, struct str *search)
{
	const struct entity_type *type = entity_type(entity->kind);
	struct writer w;
	size_t size = 1;

	for (size_t i = 0; i < type->field_count; i++)
		if (type->fields[i].type == FIELD_TEXT)
			size += 1 + ((const struct str *)field_of(entity, &type->fields[i]))->length;
	w = writer_into(arena_alloc(arena, size), size);
	if (!w.at)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if (field->type != FIELD_TEXT || (field->flags & FIELD_HIDDEN))
			continue;
		if (w.used)
			writer_char(&w, '\n');
		writer_str(&w, *(const struct str *)field_of(entity, field));
	}
	text_fold(w.at, w.used);
	*search = writer_result(&w);
	return ERR_NONE;
}

bool entity_has_words(enum entity_kind kind)
{
	return kind == ENTITY_USER || kind == ENTITY_DEVICE || kind == ENTITY_DID;
}

static enum err words_add(struct database *database, const struct entity_type *type, uint64_t id)
{
	return entity_has_words(type->kind) ? database->backend->words_add(database, type->plural, id) : ERR_NONE;
}

static enum err words_remove(struct database *database, const struct entity_type *type, uint64_t id)
{
	return entity_has_words(type->kind) ? database->backend->words_remove(database, type->plural, id) : ERR_NONE;
}

// Whether the row of the table has other words than these.
static enum err words_differ(struct database *database, const struct entity_type *type, uint64_t id, struct str search,
			     bool *differ)
{
	char sql[128];
	struct writer w = writer_into(sql, sizeof sql);
	int64_t found = 0;
	enum err err;

	writer_format(&w, "SELECT 1 FROM %s WHERE id = $1 AND search <> $2", type->plural);
	writer_char(&w, '\0');
	err = database_integer(database, sql, VALUES(value_id(id), value_text(search)), &found);
	*differ = found != 0;
	return err;
}

// ---- a user's turns

static enum err turns_insert(struct database *database, const struct user *user)
{
	for (size_t i = 0; i < user->turn_count; i++) {
		const struct turn_plan *turn = &user->turns[i];
		enum err err =
		    database_run(database,
				 "INSERT INTO assignments (user_id, position, device_id, start_s, ring_s) "
				 "VALUES ($1, $2, $3, $4, $5)",
				 VALUES(value_id(user->entity.id), value_integer((int64_t)i), value_id(turn->device_id),
					value_integer(turn->start_s), value_integer(turn->ring_s)),
				 NO_ROWS);
		if (err)
			return err;
	}
	return ERR_NONE;
}

static enum err turns_write(struct database *database, const struct user *user)
{
	enum err err = database_run(database, "DELETE FROM assignments WHERE user_id = $1",
				    VALUES(value_id(user->entity.id)), NO_ROWS);

	return err ? err : turns_insert(database, user);
}

// $1 id, $2 version, $3 search, then the fields.
static enum err run_with_fields(struct database *database, const char *sql, const struct entity *entity)
{
	const struct entity_type *type = entity_type(entity->kind);
	struct value values[3 + FIELDS_MAX];
	struct arena arena;
	struct str search;
	bool differ = false; // from the words of the row as it is, if there is one
	enum err err;

	assert(type->field_count <= FIELDS_MAX);
	arena_init(&arena, 0);
	err = search_text(entity, &arena, &search);
	if (!err)
		err = words_differ(database, type, entity->id, search, &differ);
	if (!err && differ)
		err = words_remove(database, type, entity->id);
	if (!err) {
		values[0] = value_id(entity->id);
		values[1] = value_integer((int64_t)entity->version);
		values[2] = value_text(search);
		for (size_t i = 0; i < type->field_count; i++)
			values[3 + i] = value_of_field(entity, &type->fields[i]);
		err = database_run(database, sql, (struct values){values, 3 + type->field_count}, NO_ROWS);
	}
	arena_free(&arena);
	return !err && differ ? words_add(database, type, entity->id) : err;
}

static enum err id_take(struct database *database, const struct entity_type *type, uint64_t *id)
{
	int64_t next;
	enum err err = database_integer(database, "UPDATE last_ids SET id = id + 1 WHERE kind = $1 RETURNING id",
					VALUES(value_text(str_of(type->name))), &next);

	if (!err && next <= 0)
		err = ERR_INTERNAL; // the migration forgot its row
	*id = (uint64_t)next;
	return err;
}

enum err entity_insert(struct database *database, struct entity *entity)
{
	const struct entity_type *type = entity_type(entity->kind);
	char sql[SQL_MAX];
	struct writer w = writer_into(sql, sizeof sql);
	struct derived_ids ids = {.user_count = 0};
	enum err err = entity->id ? ERR_NONE : id_take(database, type, &entity->id);

	if (err)
		return err;
	entity->version = 1;
	writer_format(&w, "INSERT INTO %s (id, version, search", type->plural);
	for (size_t i = 0; i < type->field_count; i++)
		writer_format(&w, ", %s", type->fields[i].name);
	writer_text(&w, ") VALUES ($1, $2, $3");
	for (size_t i = 0; i < type->field_count; i++)
		writer_format(&w, ", $%zu", 4 + i);
	writer_text(&w, ")");
	writer_char(&w, '\0');
	assert(!w.overflow);
	err = run_with_fields(database, sql, entity);
	if (!err)
		err = words_add(database, type, entity->id);
	if (!err && entity->kind == ENTITY_USER)
		err = turns_insert(database, (const struct user *)entity);
	if (!err)
		err = derived_gather(database, entity->kind, entity->id, &ids);
	return err ? err : derived_refresh(database, &ids);
}

enum err entity_update(struct database *database, const struct entity *entity)
{
	const struct entity_type *type = entity_type(entity->kind);
	char sql[SQL_MAX];
	struct writer w = writer_into(sql, sizeof sql);
	struct derived_ids ids = {.user_count = 0};
	enum err err;

	writer_format(&w, "UPDATE %s SET version = $2, search = $3", type->plural);
	for (size_t i = 0; i < type->field_count; i++)
		writer_format(&w, ", %s = $%zu", type->fields[i].name, 4 + i);
	writer_text(&w, " WHERE id = $1");
	writer_char(&w, '\0');
	assert(!w.overflow);
	err = derived_gather(database, entity->kind, entity->id, &ids);
	if (!err)
		err = run_with_fields(database, sql, entity);
	if (!err && entity->kind == ENTITY_USER)
		err = turns_write(database, (const struct user *)entity);
	if (!err)
		err = derived_gather(database, entity->kind, entity->id, &ids);
	return err ? err : derived_refresh(database, &ids);
}

enum err entity_delete(struct database *database, enum entity_kind kind, uint64_t id)
{
	char sql[SQL_MAX];
	struct writer w = writer_into(sql, sizeof sql);
	struct derived_ids ids = {.user_count = 0};
	enum err err = derived_gather(database, kind, id, &ids);

	writer_format(&w, "DELETE FROM %s WHERE id = $1", entity_type(kind)->plural);
	writer_char(&w, '\0');
	if (!err)
		err = words_remove(database, entity_type(kind), id);
	if (!err)
		err = database_run(database, sql, VALUES(value_id(id)), NO_ROWS);
	return err ? err : derived_refresh(database, &ids);
}
