// Call records in the database.
#ifndef STORE_CALL_RECORD_SQL_H
#define STORE_CALL_RECORD_SQL_H

#include "domain/records.h"
#include "store/database.h"

// Saving one that is there already changes nothing. After an error part of it may have been written.
enum err call_record_save(struct database *database, const struct call_record *record);
// The newest first. ERR_MALFORMED: a cursor that is not one of ours, or a limit outside 1 to 1000.
enum err call_record_list(struct database *database, const struct record_query *query, struct arena *arena,
			  struct record_page *page);
// With its legs. ERR_NOT_FOUND.
enum err call_record_read(struct database *database, struct str id, struct arena *arena, struct call_record **record);

#endif
