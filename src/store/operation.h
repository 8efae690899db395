// One API write. An API thread prepares it and waits; the writer runs it in its transaction; it is over when it is durable
// and the call thread has what it changed.
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include "store/change.h"

#include <pthread.h>

struct number_plan;

enum operation_kind { OPERATION_CREATE, OPERATION_UPDATE, OPERATION_REMOVE, OPERATION_EXPIRE };

struct operation {
	struct queue_item item; // in the writer's queue
	enum operation_kind kind;
	enum entity_kind entity_kind;
	uint64_t id;      // update, remove; of a creation once it is over
	uint64_t version; // expected: update, remove; 0: whatever it is. The new one once it is over
	enum delete_mode mode;
	struct change *own;    // about the entity itself; NULL for OPERATION_EXPIRE. Owned until told
	struct change *others; // what changes besides; told before own. Owned until told
	enum err err;
	struct problem problem;
	pthread_mutex_t mutex; // of pending
	pthread_cond_t over;
	unsigned pending; // what is still waited for: the commit, and each change until it was told
};

// Copies the entity (NULL for remove and expire), checks its fields, makes its canonical number. After a refusal the
// operation needs no operation_end.
enum err operation_prepare(struct operation *operation, const struct number_plan *plan, const struct entity *entity);
// By the writer, in a transaction. May be run again after operation_undo.
enum err operation_run(struct operation *operation, struct database *database);
// What it did was rolled back.
void operation_undo(struct operation *operation);
// By the writer after the commit, or with the operation's refusal: tells the changes in order, then wakes who waits. Nobody
// waits for what an OPERATION_EXPIRE changed: it is over when this returns.
void operation_finish(struct operation *operation, void (*changed)(void *context, struct entity_change *change),
		      void *context);
void operation_wait(struct operation *operation);
void operation_end(struct operation *operation);

#endif
