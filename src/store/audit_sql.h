// The audit log: one row for each change, written in the change's own transaction, so that neither is there without the
// other. Values are kept as text, field by field; secrets are named and never kept.
#ifndef STORE_AUDIT_SQL_H
#define STORE_AUDIT_SQL_H

#include "store/change.h"

// Notes one change of the set. `before` NULL: created; `after` NULL: deleted. Nothing when nothing differs.
enum err audit_write(struct change_set *set, const struct entity *before, const struct entity *after);
// Notes what changed no entity: a sign-in that failed.
enum err audit_write_note(struct change_set *set, const struct audit_note *note);
// Notes that a recording came, was replaced or went.
enum err audit_write_recording(struct change_set *set, const struct recording *recording, const char *action);

// ERR_MALFORMED: the cursor is not one of ours.
enum err audit_list(struct database *database, const struct audit_query *query, struct arena *arena,
		    struct audit_page *page);
// Forgets what happened before that time, a few thousand entries at once.
enum err audit_sweep(struct database *database, int64_t before_ms);

#endif
