// What follows from several tables and is kept beside a row, so that lists find it by an index: devices.held, holder and registered,
// users.reach. Each write that may change one of them gathers whom it concerns, before and after, and refreshes these.
#ifndef STORE_DERIVED_SQL_H
#define STORE_DERIVED_SQL_H

#include "base/writer.h"
#include "domain/user.h"
#include "store/database.h"

// Users and devices whose derived columns may have changed. An id may stand there twice.
struct derived_ids {
	uint64_t users[2], devices[2 * USER_TURNS_MAX + 2];
	size_t user_count, device_count;
};

// Adds those that an entity touches as it is now; kinds that touch none add nothing.
enum err derived_gather(struct database *database, enum entity_kind kind, uint64_t id, struct derived_ids *ids);
enum err derived_refresh(struct database *database, const struct derived_ids *ids);
// A device's bindings came or went.
enum err derived_registration(struct database *database, uint64_t device_id, int64_t now_ms);
// Forgets bindings that were over by then, with what follows from them, in a transaction of its own. For when the database is opened,
// and for the space: as long as it is open, whoever has the bindings in memory removes them in time.
enum err derived_sweep(struct database *database, int64_t before_ms);
// "kind IN ('sip_phone', ...)": those that register.
void derived_write_registering(struct writer *w);

#endif
