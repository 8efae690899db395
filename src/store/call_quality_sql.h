// How the legs of calls were heard, in the database.
#ifndef STORE_CALL_QUALITY_SQL_H
#define STORE_CALL_QUALITY_SQL_H

#include "domain/call_record.h"
#include "store/database.h"

// Beside the record, or until it comes. A second one of the same leg (its relay was lost) is added to the first.
enum err call_quality_save(struct database *database, const struct call_quality *quality, int64_t now_ms);
// The record was saved: what is known of its legs belongs to it.
enum err call_quality_keep(struct database *database, struct str record_id, uint64_t record_number);
// Puts what is known into the record and its legs, in the arena.
enum err call_quality_read(struct database *database, struct arena *arena, struct call_record *record);
// Forgets what no record ever came for.
enum err call_quality_sweep(struct database *database, int64_t before_ms);

#endif
