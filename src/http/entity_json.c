// Reads and writes entities as JSON. Knows no entity by name: the field tables say it all.
#include "http/entity_json.h"

#include <string.h>

json_t *field_to_json(const struct entity *entity, const struct field *field)
{
	const void *value = field_of(entity, field);
	switch (field->type) {
	case FIELD_TEXT:
		return json_text(*(const struct str *)value);
	case FIELD_INTEGER:
		return field_is_open(entity, field) ? json_null() : json_integer(*(const int64_t *)value);
	case FIELD_BOOLEAN:
		return json_boolean(*(const bool *)value);
	case FIELD_CHOICE:
		return json_string(field->choices[*(const int *)value]);
	case FIELD_REFERENCE:
		return json_id(*(const uint64_t *)value);
	case FIELD_TIME:
		return json_time(*(const int64_t *)value);
	}
	return NULL;
}

json_t *entity_to_json(const struct entity *entity)
{
	const struct entity_type *type = entity_type(entity->kind);
	json_t *object = json_object();
	bool built = json_put(object, "id", json_id(entity->id)) &&
		     json_put(object, "version", json_integer((json_int_t)entity->version));
	for (size_t i = 0; built && i < type->field_count; i++)
		if (!(type->fields[i].flags & FIELD_HIDDEN))
			built = json_put(object, type->fields[i].name, field_to_json(entity, &type->fields[i]));
	if (built)
		return object;
	json_decref(object);
	return NULL;
}

// ---- reading

struct reader {
	struct request *request;
	struct entity *entity;
	const struct entity *before;  // NULL on creation
	const struct entity *pattern; // with the defaults
	enum entity_change_mode mode;
	struct problem_list *problems;
};

static const char *type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

static void wrong_type(struct reader *reader, const struct field *field, const char *wanted, const json_t *value)
{
	problem_set(problem_list_next(reader->problems), ERR_INVALID_FIELD, field->name, "%s must be %s, not %s.%s%s",
		    field->name, wanted, type_name(value), field->rule ? " " : "", field->rule ? field->rule : "");
}

static bool read_choice(struct reader *reader, const struct field *field, const json_t *value)
{
	char choices[160];
	struct writer w = writer_into(choices, sizeof choices - 1);
	for (int i = 0; field->choices[i]; i++) {
		if (json_is_string(value) && strcmp(field->choices[i], json_string_value(value)) == 0) {
			*(int *)field_of(reader->entity, field) = i;
			return true;
		}
		writer_format(&w, "%s%s", i ? ", " : "", field->choices[i]);
	}
	problem_set(problem_list_next(reader->problems), ERR_INVALID_FIELD, field->name, "%s is one of %.*s.",
		    field->name, STR_ARG(writer_result(&w)));
	return false;
}

static bool read_text(struct reader *reader, const struct field *field, const json_t *value)
{
	if (!json_is_string(value)) {
		wrong_type(reader, field, "text", value);
		return false;
	}
	struct str text = {json_string_value(value), json_string_length(value)};
	struct str copy = arena_copy(&reader->request->arena, text);
	if (!copy.at) {
		problem_set(problem_list_next(reader->problems), ERR_NO_MEMORY, NULL, NULL);
		return false;
	}
	*(struct str *)field_of(reader->entity, field) = copy;
	return true;
}

static bool read_reference(struct reader *reader, const struct field *field, const json_t *value)
{
	uint64_t id = 0;
	struct str text = {json_string_value(value), json_string_length(value)};
	if (!json_is_string(value) || !str_to_uint(text, INT64_MAX, &id)) {
		problem_set(problem_list_next(reader->problems), ERR_INVALID_FIELD, field->name,
			    "%s must be the id of a %s, as text.", field->name, entity_type(field->refers_to)->name);
		return false;
	}
	*(uint64_t *)field_of(reader->entity, field) = id;
	return true;
}

static bool read_time(struct reader *reader, const struct field *field, const json_t *value)
{
	struct str text = {json_string_value(value), json_string_length(value)};
	if (json_is_string(value) && time_parse(text, field_of(reader->entity, field)))
		return true;
	problem_set(problem_list_next(reader->problems), ERR_INVALID_FIELD, field->name,
		    "%s must be a time such as 2026-01-31T12:00:00Z.", field->name);
	return false;
}

static void set_default(struct reader *reader, const struct field *field)
{
	static const size_t sizes[] = {
	    [FIELD_TEXT] = sizeof(struct str), [FIELD_INTEGER] = sizeof(int64_t),    [FIELD_BOOLEAN] = sizeof(bool),
	    [FIELD_CHOICE] = sizeof(int),      [FIELD_REFERENCE] = sizeof(uint64_t), [FIELD_TIME] = sizeof(int64_t),
	};
	memcpy(field_of(reader->entity, field), field_of(reader->pattern, field), sizes[field->type]);
}

static bool read_value(struct reader *reader, const struct field *field, const json_t *value)
{
	if (json_is_null(value) && field->flags & FIELD_NULLABLE) {
		*(int64_t *)field_of(reader->entity, field) = FIELD_OPEN;
		return true;
	}
	if (json_is_null(value)) {
		set_default(reader, field);
		if (field->flags & FIELD_REQUIRED)
			problem_set(problem_list_next(reader->problems), ERR_MISSING_FIELD, field->name,
				    "%s is mandatory.", field->name);
		return !(field->flags & FIELD_REQUIRED);
	}
	switch (field->type) {
	case FIELD_TEXT:
		return read_text(reader, field, value);
	case FIELD_INTEGER:
		if (!json_is_integer(value)) {
			wrong_type(reader, field, "a whole number", value);
			return false;
		}
		if (field->flags & FIELD_NULLABLE && json_integer_value(value) < 0) {
			problem_set(problem_list_next(reader->problems), ERR_INVALID_FIELD, field->name, "%s",
				    field->rule);
			return false;
		}
		*(int64_t *)field_of(reader->entity, field) = json_integer_value(value);
		return true;
	case FIELD_BOOLEAN:
		if (!json_is_boolean(value)) {
			wrong_type(reader, field, "true or false", value);
			return false;
		}
		*(bool *)field_of(reader->entity, field) = json_is_true(value);
		return true;
	case FIELD_CHOICE:
		return read_choice(reader, field, value);
	case FIELD_REFERENCE:
		return read_reference(reader, field, value);
	case FIELD_TIME:
		return read_time(reader, field, value);
	}
	return false;
}

// What a client read and sends back unchanged is no mistake.
static void read_unchangeable(struct reader *reader, const char *name, json_t *present, const json_t *value,
			      enum err err)
{
	if (!present || !json_equal(present, value))
		problem_set(problem_list_next(reader->problems), err, name,
			    err == ERR_FIXED_FIELD ? "%s cannot be changed once created." : "%s is set by the server.",
			    name);
	json_decref(present);
}

static void read_member(struct reader *reader, const char *name, const json_t *value)
{
	const struct field *field = entity_field(entity_type(reader->entity->kind), str_of(name));
	const struct entity *before = reader->before;
	if (strcmp(name, "id") == 0) {
		read_unchangeable(reader, name, before ? json_id(before->id) : NULL, value, ERR_INVALID_FIELD);
	} else if (strcmp(name, "version") == 0 && before) {
		if (!json_is_integer(value) || (uint64_t)json_integer_value(value) != before->version)
			problem_set(problem_list_next(reader->problems), ERR_STALE, name, NULL);
	} else if (!field || (field->flags & FIELD_HIDDEN && field->flags & FIELD_READ_ONLY)) {
		problem_set(problem_list_next(reader->problems), ERR_UNKNOWN_FIELD, name,
			    "There is no field \"%.60s\".", name);
	} else if (field->flags & FIELD_READ_ONLY) {
		read_unchangeable(reader, name, before ? field_to_json(before, field) : NULL, value, ERR_INVALID_FIELD);
	} else if (before && field->flags & FIELD_FIXED) {
		read_unchangeable(reader, name, field_to_json(before, field), value, ERR_FIXED_FIELD);
	} else if (read_value(reader, field, value)) {
		struct problem problem = {0};
		if (entity_check_field(reader->entity, field, &problem))
			*problem_list_next(reader->problems) = problem;
	}
}

// A mandatory field that is missing, and on replacement the default of one that is not mandatory.
static void read_absent(struct reader *reader, const struct field *field)
{
	bool creating = reader->mode == CHANGE_CREATE;
	if (reader->mode == CHANGE_MERGE || field->flags & (FIELD_HIDDEN | FIELD_READ_ONLY) ||
	    (!creating && field->flags & FIELD_FIXED))
		return;
	if (field->flags & FIELD_REQUIRED)
		problem_set(problem_list_next(reader->problems), ERR_MISSING_FIELD, field->name, "%s is mandatory.%s%s",
			    field->name, field->rule ? " " : "", field->rule ? field->rule : "");
	else if (!creating)
		set_default(reader, field);
}

void entity_from_json(struct request *request, struct entity *entity, const struct entity *before,
		      enum entity_change_mode mode, struct problem_list *problems)
{
	const struct entity_type *type = entity_type(entity->kind);
	struct reader reader = {request, entity, before, entity_new(entity->kind, &request->arena), mode, problems};
	struct problem problem = {0};
	const char *name;
	json_t *value;
	if (!reader.pattern) {
		problem_set(problem_list_next(problems), ERR_NO_MEMORY, NULL, NULL);
		return;
	}
	json_object_foreach(request->json, name, value) read_member(&reader, name, value);
	for (size_t i = 0; i < type->field_count; i++)
		if (!json_object_get(request->json, type->fields[i].name))
			read_absent(&reader, &type->fields[i]);
	if (problems->count == 0 && type->check && type->check(entity, &problem))
		*problem_list_next(problems) = problem;
}
