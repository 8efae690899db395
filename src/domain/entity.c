// What all entities share, by their field tables: making, copying, checking.
#include "domain/entity.h"

#include "domain/device.h"
#include "domain/did.h"
#include "domain/session.h"
#include "domain/site.h"
#include "domain/trunk.h"
#include "domain/user.h"

#include <assert.h>
#include <string.h>

static const struct entity_type *const types[ENTITY_KIND_COUNT] = {
    [ENTITY_USER] = &user_type,       [ENTITY_DEVICE] = &device_type, [ENTITY_TRUNK] = &trunk_type,
    [ENTITY_ROUTE] = &route_type,     [ENTITY_DID] = &did_type,       [ENTITY_SELECTION] = &selection_type,
    [ENTITY_SESSION] = &session_type, [ENTITY_TOKEN] = &token_type,   [ENTITY_SITE] = &site_type,
};

const struct entity_type *entity_type(enum entity_kind kind)
{
	assert((unsigned)kind < ENTITY_KIND_COUNT);
	return types[kind];
}

const struct field *entity_field(const struct entity_type *type, struct str name)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (str_equal(str_of(type->fields[i].name), name))
			return &type->fields[i];
	return NULL;
}

const struct field *entity_sort_field(const struct entity_type *type, struct str name)
{
	const struct field *field = entity_field(type, name);

	if (field)
		return field->flags & FIELD_HIDDEN ? NULL : field;
	for (size_t i = 0; i < type->derived_count; i++)
		if (!(type->derived[i].flags & FIELD_FILTER) && str_equal(str_of(type->derived[i].name), name))
			return &type->derived[i];
	return NULL;
}

static int choice_of(const struct field *field, const char *name)
{
	for (int i = 0; field->choices[i]; i++)
		if (strcmp(field->choices[i], name) == 0)
			return i;
	assert(!"a fallback that is no choice");
	return 0;
}

// Fallbacks are literals, so they live as long as any arena.
static void field_set_fallback(struct entity *entity, const struct field *field)
{
	void *value = field_of(entity, field);
	bool right = true;

	switch (field->type) {
	case FIELD_TEXT:
		*(struct str *)value = str_of(field->fallback);
		break;
	case FIELD_INTEGER:
	case FIELD_TIME:
		right = str_to_int(str_of(field->fallback), INT64_MIN, INT64_MAX, value);
		break;
	case FIELD_BOOLEAN:
		*(bool *)value = strcmp(field->fallback, "true") == 0;
		break;
	case FIELD_CHOICE:
		*(int *)value = choice_of(field, field->fallback);
		break;
	case FIELD_REFERENCE:
		right = str_to_uint(str_of(field->fallback), UINT64_MAX, value);
		break;
	}
	assert(right);
	(void)right;
}

bool field_is_open(const struct entity *entity, const struct field *field)
{
	return field->flags & FIELD_NULLABLE && *(const int64_t *)field_of(entity, field) == FIELD_OPEN;
}

struct str field_to_text(const struct entity *entity, const struct field *field, struct arena *arena)
{
	const void *value = field_of(entity, field);

	switch (field->type) {
	case FIELD_TEXT:
		return ((const struct str *)value)->at ? *(const struct str *)value : STR("");
	case FIELD_INTEGER:
		if (field_is_open(entity, field))
			return STR("");
		return arena_format(arena, "%lld", (long long)*(const int64_t *)value);
	case FIELD_TIME:
		return arena_format(arena, "%lld", (long long)*(const int64_t *)value);
	case FIELD_BOOLEAN:
		return *(const bool *)value ? STR("true") : STR("false");
	case FIELD_CHOICE:
		return str_of(field->choices[*(const int *)value]);
	case FIELD_REFERENCE:
		return *(const uint64_t *)value
			   ? arena_format(arena, "%llu", (unsigned long long)*(const uint64_t *)value)
			   : STR("");
	}
	return STR_NONE;
}

static bool choice_from_text(const struct field *field, struct str text, int *value)
{
	for (int i = 0; field->choices[i]; i++) {
		if (str_equal(str_of(field->choices[i]), text)) {
			*value = i;
			return true;
		}
	}
	return false;
}

bool field_from_text(struct entity *entity, const struct field *field, struct str text, struct arena *arena)
{
	void *value = field_of(entity, field);

	switch (field->type) {
	case FIELD_TEXT:
		*(struct str *)value = arena_copy(arena, text);
		return ((struct str *)value)->at != NULL;
	case FIELD_INTEGER:
		*(int64_t *)value = FIELD_OPEN;
		if (field->flags & FIELD_NULLABLE && str_empty(text))
			return true;
		return str_to_int(text, field->flags & FIELD_NULLABLE ? 0 : INT64_MIN, INT64_MAX, value);
	case FIELD_TIME:
		return str_to_int(text, INT64_MIN, INT64_MAX, value);
	case FIELD_BOOLEAN:
		*(bool *)value = str_equal(text, STR("true"));
		return *(bool *)value || str_equal(text, STR("false"));
	case FIELD_CHOICE:
		return choice_from_text(field, text, value);
	case FIELD_REFERENCE:
		*(uint64_t *)value = 0;
		return str_empty(text) || str_to_uint(text, INT64_MAX, value);
	}
	return false;
}

bool field_equal(const struct entity *a, const struct entity *b, const struct field *field)
{
	const void *x = field_of(a, field), *y = field_of(b, field);

	switch (field->type) {
	case FIELD_TEXT:
		return str_equal(*(const struct str *)x, *(const struct str *)y);
	case FIELD_INTEGER:
	case FIELD_TIME:
		return *(const int64_t *)x == *(const int64_t *)y;
	case FIELD_BOOLEAN:
		return *(const bool *)x == *(const bool *)y;
	case FIELD_CHOICE:
		return *(const int *)x == *(const int *)y;
	case FIELD_REFERENCE:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	}
	return false;
}

struct entity *entity_new(enum entity_kind kind, struct arena *arena)
{
	const struct entity_type *type = entity_type(kind);
	struct entity *entity = arena_alloc(arena, type->size);

	if (!entity)
		return NULL;
	entity->kind = kind;
	for (size_t i = 0; i < type->field_count; i++)
		if (type->fields[i].fallback)
			field_set_fallback(entity, &type->fields[i]);
	return entity;
}

static size_t turns_size(const struct entity *entity)
{
	return entity->kind == ENTITY_USER ? ((const struct user *)entity)->turn_count * sizeof(struct turn_plan) : 0;
}

size_t entity_copy_size(const struct entity *entity)
{
	const struct entity_type *type = entity_type(entity->kind);
	size_t size = type->size + turns_size(entity);

	for (size_t i = 0; i < type->field_count; i++)
		if (type->fields[i].type == FIELD_TEXT)
			size += ((const struct str *)field_of(entity, &type->fields[i]))->length + 1;
	return size;
}

// The structure comes first, then the turns, which want alignment, then the texts, which do not.
struct entity *entity_copy_into(const struct entity *entity, void *room)
{
	const struct entity_type *type = entity_type(entity->kind);
	struct entity *copy = room;
	char *rest = (char *)room + type->size;

	memcpy(copy, entity, type->size);
	if (entity->kind == ENTITY_USER) {
		struct user *user = (struct user *)copy;
		if (user->turn_count > 0)
			memcpy(rest, user->turns, turns_size(entity));
		user->turns = user->turn_count > 0 ? (struct turn_plan *)(void *)rest : NULL;
		rest += turns_size(entity);
	}
	for (size_t i = 0; i < type->field_count; i++) {
		if (type->fields[i].type != FIELD_TEXT)
			continue;
		struct str *text = field_of(copy, &type->fields[i]);
		if (text->length > 0)
			memcpy(rest, text->at, text->length);
		rest[text->length] = '\0';
		text->at = rest;
		rest += text->length + 1;
	}
	return copy;
}

struct entity *entity_copy(const struct entity *entity, struct arena *arena)
{
	void *room = arena_alloc(arena, entity_copy_size(entity));

	return room ? entity_copy_into(entity, room) : NULL;
}

// Length in bytes of the UTF-8 character that begins here (RFC 3629 section 4), 0 when it is none.
static size_t utf8_length(const unsigned char *at, size_t room)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t length;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xC2 && at[0] <= 0xDF)
		length = 2;
	else if (at[0] >= 0xE0 && at[0] <= 0xEF)
		length = 3;
	else if (at[0] >= 0xF0 && at[0] <= 0xF4)
		length = 4;
	else
		return 0;
	if (room < length)
		return 0;
	if (at[0] == 0xE0)
		low = 0xA0; // no longer form of what fits into two bytes
	else if (at[0] == 0xED)
		high = 0x9F; // no surrogates
	else if (at[0] == 0xF0)
		low = 0x90;
	else if (at[0] == 0xF4)
		high = 0x8F; // nothing above U+10FFFF
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xBF)
			return 0;
	return length;
}

// Readable text: valid UTF-8 without control characters, which would otherwise reach headers and terminals.
static bool text_readable(struct str text, bool lines)
{
	for (size_t i = 0; i < text.length;) {
		const unsigned char *at = (const unsigned char *)text.at + i;
		size_t length = utf8_length(at, text.length - i);
		if (length == 0)
			return false;
		if ((at[0] < 0x20 && !(lines && (at[0] == '\n' || at[0] == '\t'))) || at[0] == 0x7F)
			return false;
		i += length;
	}
	return true;
}

static enum err text_check(const struct field *field, struct str text, struct problem *problem)
{
	if (str_empty(text)) {
		if (field->flags & FIELD_REQUIRED)
			return problem_set(problem, ERR_MISSING_FIELD, field->name, "%s", field->rule);
		return ERR_NONE;
	}
	if (!text_readable(text, field->flags & FIELD_LINES))
		return problem_set(problem, ERR_INVALID_FIELD, field->name,
				   "%s must be valid UTF-8 text without control "
				   "characters.",
				   field->name);
	if ((int64_t)text.length < field->min || (int64_t)text.length > field->max)
		return problem_set(problem, ERR_INVALID_FIELD, field->name, "%s", field->rule);
	if (field->allows && !field->allows(text))
		return problem_set(problem, ERR_INVALID_FIELD, field->name, "%s", field->rule);
	return ERR_NONE;
}

static enum err integer_check(const struct field *field, int64_t value, struct problem *problem)
{
	if (value >= field->min && value <= field->max)
		return ERR_NONE;
	if (field->flags & FIELD_NULLABLE && value == FIELD_OPEN)
		return ERR_NONE;
	return problem_set(problem, ERR_INVALID_FIELD, field->name, "%s",
			   field->rule ? field->rule : "The time is wrong.");
}

static enum err choice_check(const struct field *field, int value, struct problem *problem)
{
	for (int i = 0; field->choices[i]; i++)
		if (i == value)
			return ERR_NONE;
	return problem_set(problem, ERR_INVALID_FIELD, field->name, "%s is none of the choices.", field->name);
}

enum err entity_check_field(const struct entity *entity, const struct field *field, struct problem *problem)
{
	const void *value = field_of(entity, field);

	switch (field->type) {
	case FIELD_TEXT:
		return text_check(field, *(const struct str *)value, problem);
	case FIELD_INTEGER:
	case FIELD_TIME:
		return integer_check(field, *(const int64_t *)value, problem);
	case FIELD_BOOLEAN:
		return ERR_NONE;
	case FIELD_CHOICE:
		return choice_check(field, *(const int *)value, problem);
	case FIELD_REFERENCE:
		if ((field->flags & FIELD_REQUIRED) && *(const uint64_t *)value == 0)
			return problem_set(problem, ERR_MISSING_FIELD, field->name, "%s", field->rule);
		return ERR_NONE;
	}
	return ERR_NONE;
}

enum err entity_check(const struct entity *entity, struct problem *problem)
{
	const struct entity_type *type = entity_type(entity->kind);

	for (size_t i = 0; i < type->field_count; i++) {
		enum err err = entity_check_field(entity, &type->fields[i], problem);
		if (err)
			return err;
	}
	return type->check ? type->check(entity, problem) : ERR_NONE;
}
