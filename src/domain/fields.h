// Short ways to write the rows of a field table. Only for the files that hold one: each defines OF as its structure.
#ifndef DOMAIN_FIELDS_H
#define DOMAIN_FIELDS_H

#include "domain/entity.h"

#include <stddef.h>

#define FIELD_ROW(column, member, type_, ...)                                                                          \
	{                                                                                                              \
		.name = (column), .type = (type_), .offset = offsetof(OF, member), __VA_ARGS__                         \
	}
#define TEXT(member, ...)      FIELD_ROW(#member, member, FIELD_TEXT, __VA_ARGS__)
#define INTEGER(member, ...)   FIELD_ROW(#member, member, FIELD_INTEGER, __VA_ARGS__)
#define BOOLEAN(member, ...)   FIELD_ROW(#member, member, FIELD_BOOLEAN, __VA_ARGS__)
#define CHOICE(member, ...)    FIELD_ROW(#member, member, FIELD_CHOICE, __VA_ARGS__)
#define REFERENCE(member, ...) FIELD_ROW(#member, member, FIELD_REFERENCE, __VA_ARGS__)
#define TIME(member, ...)      FIELD_ROW(#member, member, FIELD_TIME, .max = INT64_MAX, __VA_ARGS__)

// Ends with .check and whatever else only some kinds have.
#define ENTITY_TYPE(kind_, name_, plural_, table, ...)                                                                 \
	{                                                                                                              \
		.kind = (kind_), .name = (name_), .plural = (plural_), .size = sizeof(OF), .fields = (table),          \
		.field_count = sizeof(table) / sizeof *(table), __VA_ARGS__                                            \
	}
#define DERIVED(table) .derived = (table), .derived_count = sizeof(table) / sizeof *(table)

#endif
