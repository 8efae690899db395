// Entities in the database: every statement is made from the field table, so a new field needs a column and nothing here.
#ifndef STORE_ENTITY_SQL_H
#define STORE_ENTITY_SQL_H

#include "base/writer.h"
#include "domain/user.h"
#include "store/database.h"

// "id, version, name, ..." in the order in which entity_from_row reads them.
void entity_write_columns(struct writer *w, const struct entity_type *type);
unsigned entity_column_count(const struct entity_type *type);
// All but what only its kind has: a user's turns.
enum err entity_from_row(const struct row *row, enum entity_kind kind, struct arena *arena, struct entity **entity);
enum err entity_read_turns(struct database *database, struct user *user, struct arena *arena);

// Kinds there may be many of: their words are in the index of words.
bool entity_has_words(enum entity_kind kind);

// Complete, or ERR_NOT_FOUND.
enum err entity_read(struct database *database, enum entity_kind kind, uint64_t id, struct arena *arena,
		     struct entity **entity);
// By a field, as text. ERR_NOT_FOUND too when the value cannot be one of the field.
struct entity_key {
	enum entity_kind kind;
	const struct field *field;
	struct str value;
};
enum err entity_find(struct database *database, const struct entity_key *key, struct arena *arena,
		     struct entity **entity);
// False when the text is no value of this field. A FIELD_TEXT borrows it.
bool value_parse(const struct field *field, struct str text, struct value *value);
struct value value_of_field(const struct entity *entity, const struct field *field);

// Gives entity->id (the next of its kind, unless it has one: that of an entity that was deleted) and version 1.
enum err entity_insert(struct database *database, struct entity *entity);
// Writes every field; entity->version is written as it is.
enum err entity_update(struct database *database, const struct entity *entity);
enum err entity_delete(struct database *database, enum entity_kind kind, uint64_t id);

#endif
