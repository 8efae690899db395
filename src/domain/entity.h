// What administrators manage, described once: each kind of entity is a plain structure and a table of its fields. From
// the table the store makes its statements, the API its JSON and its checks, the client its columns.
#ifndef DOMAIN_ENTITY_H
#define DOMAIN_ENTITY_H

#include "base/arena.h"
#include "domain/err.h"

enum entity_kind {
	ENTITY_USER,
	ENTITY_DEVICE,
	ENTITY_TRUNK,
	ENTITY_ROUTE,
	ENTITY_DID,
	ENTITY_SELECTION,
	ENTITY_SESSION,
	ENTITY_TOKEN,
	ENTITY_SITE, // one alone
	ENTITY_KIND_COUNT
};

// The first member of every entity's structure.
struct entity {
	enum entity_kind kind;
	uint64_t id;      // given by the store, from 1
	uint64_t version; // grows with each change; 0 in an update: whatever it is now
};

enum field_type {
	FIELD_TEXT,      // struct str; min and max count bytes of valid UTF-8
	FIELD_INTEGER,   // int64_t
	FIELD_BOOLEAN,   // bool
	FIELD_CHOICE,    // int, an index into choices
	FIELD_REFERENCE, // uint64_t, the id of an entity of kind `refers_to`; 0 = none
	FIELD_TIME,      // int64_t, milliseconds since 1970-01-01 UTC
};

enum field_flag {
	FIELD_REQUIRED = 1, // must be given on creation
	FIELD_FIXED = 2,    // cannot be changed later
	FIELD_UNIQUE = 4,
	FIELD_HIDDEN = 8,     // never leaves the server: secrets (which may be given) and hashes (read-only as well)
	FIELD_READ_ONLY = 16, // set by the server alone
	FIELD_LINES = 32,     // text of several lines
	FIELD_NULLABLE =
	    64, // an integer of 0 and more that may be left open, as FIELD_OPEN: null in JSON, an empty text
	FIELD_FILTER = 128, // derived: lists can be filtered by it, not sorted
};

enum { FIELD_OPEN = -1 }; // in memory and in SQL

struct field {
	const char *name; // in SQL, JSON and on the screen
	enum field_type type;
	unsigned flags;
	size_t offset;
	int64_t min, max;
	const char *const *choices; // FIELD_CHOICE, ends with NULL
	enum entity_kind refers_to; // FIELD_REFERENCE
	const char *fallback;       // the default, as text; NULL: empty, 0, false, the first choice
	const char *rule; // what would be right: "An extension has 2 to 15 digits." Every text and integer has one
	bool (*allows)(struct str text); // FIELD_TEXT: a further check, or NULL
	const char *secret;              // FIELD_HIDDEN: what people call what is kept here; NULL: nothing they know of
};

struct entity_type {
	enum entity_kind kind;
	const char *name;   // "user"
	const char *plural; // "users": the table's name and the path's
	size_t size;        // of the structure
	const struct field *fields;
	size_t field_count;
	const struct field *derived; // what lists know besides; in no structure: offset means nothing
	size_t derived_count;
	// Rules between fields, after each field alone was found right. May be NULL.
	enum err (*check)(const struct entity *entity, struct problem *problem);
};

const struct entity_type *entity_type(enum entity_kind kind);
const struct field *entity_field(const struct entity_type *type, struct str name); // NULL: there is none
// What lists can be sorted by: shown, or derived and no mere filter. NULL: there is none.
const struct field *entity_sort_field(const struct entity_type *type, struct str name);
// A new entity with every field at its default. NULL when there is no memory.
struct entity *entity_new(enum entity_kind kind, struct arena *arena);
// A deep copy, with what only its kind has (a user's turns). Each text has a NUL behind it.
struct entity *entity_copy(const struct entity *entity, struct arena *arena);
// The same into memory of the caller's, aligned for anything and of entity_copy_size bytes.
size_t entity_copy_size(const struct entity *entity);
struct entity *entity_copy_into(const struct entity *entity, void *room);
// Checks one field by its row in the table.
enum err entity_check_field(const struct entity *entity, const struct field *field, struct problem *problem);
// Checks each field by its table, then the kind's own rules. The problem names the field.
enum err entity_check(const struct entity *entity, struct problem *problem);

// A field's value as text, as field_from_text takes it: a choice by its name, no reference and what is left open as "". at == NULL: no memory.
struct str field_to_text(const struct entity *entity, const struct field *field, struct arena *arena);
// False when the text is no value of the field, or there is no memory. Limits are entity_check_field's business.
bool field_from_text(struct entity *entity, const struct field *field, struct str text, struct arena *arena);
bool field_equal(const struct entity *a, const struct entity *b, const struct field *field);

// Whether it was left open.
bool field_is_open(const struct entity *entity, const struct field *field);

static inline void *field_of(const struct entity *entity, const struct field *field)
{
	return (char *)(uintptr_t)entity + field->offset;
}

#endif
