// Registrations from the inside, for the two files that make them up: registration.c keeps the bindings, and
// registration_change.c changes them, by way of the store.
#ifndef DOMAIN_REGISTRATION_PLACE_H
#define DOMAIN_REGISTRATION_PLACE_H

#include "base/hash.h"
#include "base/pieces.h"
#include "domain/registration.h"

// A binding in memory, in one piece with its texts.
struct kept {
	struct binding binding;
	struct hash_node by_connection; // in registrations.connections while the flow has a connection
};

struct place {
	struct hash_node node; // in registrations.places, by device
	struct registrations *registrations;
	uint64_t device_id;
	struct list bindings;  // of struct kept, best q first
	struct change *change; // the one under way, and those that wait behind it; NULL: none
	struct timer expiry;   // runs while there are bindings: the first one's end
};

enum change_kind {
	CHANGE_REGISTER, // somebody waits for it
	CHANGE_EXPIRE,   // the store forgets what memory has forgotten already
	CHANGE_FORGET,   // likewise, all of the device's
};

// One change to a device's bindings, from its arrival until the store has it.
struct change {
	struct change *next; // waits behind this one
	struct place *place;
	enum change_kind kind;
	struct registration_write write;
	struct arena arena; // texts, and the arrays of `write`
	struct str call_id; // CHANGE_REGISTER from here on
	uint32_t cseq;
	bool remove_all;
	struct kept **contacts; // as asked for, owned until they are in force; NULL once moved
	size_t contact_count;
	void (*done)(void *context, uint64_t token, enum err err);
	void *context;
	uint64_t token;
};

struct registrations {
	struct loop *loop;
	struct records *records;
	struct hash_table *places;
	struct hash_table *connections;
	size_t count;   // bindings
	size_t changes; // under way, and those that wait
	struct pool places_pool;
	struct pieces pieces; // for struct kept
	struct change *spare; // done with, each with a block of its arena: owned
	size_t spare_count;
	bool stopped;
	struct watch *watch; // NULL: nobody is told of changes
};

// ---- registration.c

static inline struct kept *kept_of(struct list *node)
{
	return container_of(container_of(node, struct binding, node), struct kept, binding);
}

// NULL when there is no memory.
struct kept *kept_new(struct registrations *registrations, const struct binding *binding);
// One that is not in force; NULL is allowed.
void kept_free(struct registrations *registrations, struct kept *kept);
// Puts a binding in force. It ends up reachable even when there is no memory to notice the loss of its connection.
void kept_enter(struct place *place, struct kept *kept);
void kept_drop(struct registrations *registrations, struct kept *kept);
void place_empty(struct place *place); // drops all its bindings
bool same_contact(const struct binding *a, const struct binding *b);
struct kept *place_match(struct place *place, const struct binding *contact); // NULL: none is the same contact
struct place *place_find(const struct registrations *registrations, uint64_t device_id);
struct place *place_get(struct registrations *registrations, uint64_t device_id); // NULL when there is no memory
// Gives the place back when nothing is left in it.
void place_release(struct place *place);
// After any change to a place's bindings.
void expiry_restart(struct place *place);

// ---- registration_change.c

struct change *registration_change_new(struct place *place, enum change_kind kind); // NULL when there is no memory
void registration_change_free(struct change *change);
void registration_changes_free_spare(struct registrations *registrations);
// Starts it, or has it wait its turn; freed when done.
void registration_change_enqueue(struct change *change);

#endif
