// Busy lamps: what is going on at an extension, whatever device it is on, for those who watch it. Part of the call table,
// which tells each change; nobody has to ask again and again. Call thread only.
#ifndef DOMAIN_LAMP_H
#define DOMAIN_LAMP_H

#include "base/list.h"
#include "base/str.h"

struct call_table;

// Somebody who watches. Belongs to the watcher; user_id and changed are his to set.
struct lamp_watch {
	struct list node; // among those of the same user
	uint64_t user_id;
	// Something about the user's calls, or about the user, may have changed. Comes in the middle of that change: only to be noted,
	// call_table_lamp is asked in a later turn.
	void (*changed)(struct lamp_watch *watch);
};

enum lamp_state {
	LAMP_TRYING,    // no device rings yet
	LAMP_EARLY,     // one does; of a caller: he hears it ring
	LAMP_CONFIRMED, // answered
};

// One call that the user is in. The slices live until the next call into the call table.
struct lamp_call {
	uint64_t call;
	enum lamp_state state;
	bool called;      // else he calls
	uint64_t session; // called and LAMP_EARLY: signalling's side of the first leg that rings; else 0
	bool anonymous;   // the other one does not want to be known
	bool holds;       // he has put the other on hold
	bool held;        // the other has put him on hold
	struct str other_number, other_name;
};

enum { LAMP_CALLS_MAX = 8 };

// Begins and ends to tell. False when there is no memory. call_table_unwatch does nothing for one that watches nothing, whose node
// has been list_init-ed.
bool call_table_watch(struct call_table *table, struct lamp_watch *watch);
void call_table_unwatch(struct call_table *table, struct lamp_watch *watch);
// The calls that the user is in now; gives how many, the oldest LAMP_CALLS_MAX of each direction at most.
size_t call_table_lamp(const struct call_table *table, uint64_t user_id, struct lamp_call calls[2 * LAMP_CALLS_MAX]);
// The user has been changed or deleted: whoever watches him is told.
void call_table_user_changed(struct call_table *table, uint64_t user_id);

#endif
