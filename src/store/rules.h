// The rules between entities, looked at inside the write's own transaction, on the one thread that writes: what they find
// true is still true when it is committed.
#ifndef STORE_RULES_H
#define STORE_RULES_H

#include "domain/number.h"
#include "store/change.h"

// Fields alone and canonical numbers by this plan: needs no database. Texts made live in `arena`.
enum err rules_prepare(const struct number_plan *plan, struct entity *entity, struct arena *arena,
		       struct problem *problem);
// Before it is written. `before` is NULL on creation. May release selections that have expired, or that an assignment
// takes the place of.
enum err rules_write(struct change_set *set, const struct entity *before, const struct entity *after);
// Before it is deleted. Releases what goes with it, and in DELETE_AND_RELEASE also what would stand in the way: a device's
// places on ring plans and its selection, a user's tokens. A user's sessions and selection go in any case.
enum err rules_remove(struct change_set *set, const struct entity *before, enum delete_mode mode);
// Whatever has expired by now, a few of each kind: selections and sessions.
enum err rules_expire(struct change_set *set);

#endif
