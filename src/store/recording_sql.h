// Recordings for prompts in the database, each change with its entry in the audit log.
#ifndef STORE_RECORDING_SQL_H
#define STORE_RECORDING_SQL_H

#include "store/change.h"

// `wav` empty: it is removed; NOT_FOUND when it is not there. NOT_FOUND, too, when its user is gone.
enum err recording_write(struct change_set *set, const struct recording *recording);
enum err recording_read(struct database *database, struct str name, struct arena *arena, struct recording *recording);
// Of the pieces, without their sound.
enum err recording_list(struct database *database, struct arena *arena, struct recording_page *page);

#endif
