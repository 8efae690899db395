// The audit log over HTTP.
#ifndef HTTP_AUDIT_H
#define HTTP_AUDIT_H

#include "http/answer.h"

// NULL when there is no memory.
json_t *audit_entry_show(struct request *request, const struct audit_entry *entry);
// The entry of an id: NOT_FOUND.
enum err audit_find(struct request *request, uint64_t id, struct audit_entry **entry);
// NULL: the entry is about no kind that there is.
const struct entity_type *audit_entity_type(const struct audit_entry *entry);
// "jane, 2026-01-31 12:00" for a sentence.
struct str audit_signature(struct request *request, const struct audit_entry *entry);

#endif
