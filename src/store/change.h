// What one API write changes: the entity it is about, and others along with it (a deleted device leaves ring plans). After
// the commit each change goes to the call thread.
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "domain/number.h"
#include "domain/records.h"
#include "store/database.h"

struct operation;

struct change {
	struct entity_change told; // first; before and after live in the arena
	struct arena arena;
	struct operation *operation; // waits until it was told; NULL: nobody does
	struct change *next;
};

// What a write's rules look at and may change besides.
struct change_set {
	struct database *database; // the writer's, in a transaction
	int64_t now_ms;            // wall clock
	struct problem *problem;
	struct arena scratch;      // for looking around
	struct change *others;     // changed besides, in order; owned
	const struct actor *actor; // NULL: the server itself
	struct number_plan plan;   // the site's, once it is read; its texts are in scratch
	bool plan_is_read;
	uint64_t group_id; // of the audit log: the set's first entry; 0: none yet
};

struct change *change_create(void);       // NULL when there is no memory
void change_free(struct change *change);  // NULL is allowed
void changes_free(struct change *change); // it and those after it

void change_set_init(struct change_set *set, struct database *database, struct problem *problem);
// Leaves the others to whoever took them.
void change_set_end(struct change_set *set);

// Deletes the entity of an id and notes that; ERR_NOT_FOUND.
enum err change_set_remove(struct change_set *set, enum entity_kind kind, uint64_t id);
// Takes the device from the user's ring plan and notes that.
enum err change_set_take_turn(struct change_set *set, uint64_t user_id, uint64_t device_id);
// Writes an entity as it is to be from now on, in its next version, and notes that. `before`: as it was.
enum err change_set_update(struct change_set *set, const struct entity *before, const struct entity *after);

#endif
