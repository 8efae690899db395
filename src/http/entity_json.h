// Entities as JSON and back, by their field tables.
#ifndef HTTP_ENTITY_JSON_H
#define HTTP_ENTITY_JSON_H

#include "http/answer.h"

// Every field that may leave the server, with id and version. NULL when there is no memory.
json_t *field_to_json(const struct entity *entity, const struct field *field); // NULL when there is no memory
json_t *entity_to_json(const struct entity *entity);

enum entity_change_mode {
	CHANGE_CREATE,  // what is not given has its default; mandatory fields must be given
	CHANGE_REPLACE, // the same, but what is fixed or hidden stays
	CHANGE_MERGE,   // what is not given stays (RFC 7396); null means the default
};

// Reads `body` into `entity` (a new one, or a copy of `before`). `before` is NULL on creation. Every wrong field is added to
// the list; only an empty list means that the entity may be written. Texts are copied into the request's arena.
void entity_from_json(struct request *request, struct entity *entity, const struct entity *before,
		      enum entity_change_mode mode, struct problem_list *problems);

#endif
