// Lists of entities: search, filters, sorting, pages by a cursor.
#ifndef STORE_ENTITY_LIST_H
#define STORE_ENTITY_LIST_H

#include "domain/records.h"
#include "store/database.h"

// The connection must be in a reading transaction, so that page and total are of one state.
// ERR_UNKNOWN_FIELD: sorted or filtered by no field, or a hidden one. ERR_INVALID_FIELD: a filter's value can be none of its
// field. ERR_MALFORMED: the cursor is not one of ours.
enum err entity_list(struct database *database, enum entity_kind kind, const struct list_query *query,
		     struct arena *arena, struct entity_page *page);

// For each of the ids, how many entities of the kind have it in their reference field.
enum err entity_count_by(struct database *database, const struct field *field, enum entity_kind kind,
			 const uint64_t *ids, size_t count, uint64_t *counts);

#endif
