// One API write, or several that succeed or fail as one. An API thread prepares it and waits; the writer runs it in its
// transaction; it is over when it is durable and the call thread has what it changed.
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include "store/change.h"

#include <pthread.h>

struct number_plan;

// EXPIRE has no items: whatever is over is removed. NOTE has none either: it writes into the audit log alone; nor ANSWER, which
// writes what a request with an idempotency key was answered, nor RECORDING.
enum operation_kind { OPERATION_WRITE, OPERATION_EXPIRE, OPERATION_NOTE, OPERATION_ANSWER, OPERATION_RECORDING };

// One entity to be written.
struct operation_item {
	enum write_kind kind;
	enum entity_kind entity_kind;
	uint64_t
	    id; // update, remove; creation: 0, or that of an entity that was deleted. Of the entity once it is over
	uint64_t version; // expected: update, remove; 0: whatever it is. The new one once it is over
	enum delete_mode mode;
	struct change *own; // about the entity itself; owned until told
	struct problem problem;
	enum err err;
};

struct operation {
	struct queue_item item; // in the writer's queue
	enum operation_kind kind;
	struct operation_item *items; // the caller's
	size_t item_count;
	enum write_mode mode;
	const struct actor *actor; // NULL: the server itself
	const struct audit_note *note;
	const struct kept_answer *answer;
	const struct recording *recording;
	struct change *others; // what changes besides; told before the items' own. Owned until told
	enum err err;          // of the first item that was refused, or of the whole
	pthread_mutex_t mutex; // of pending
	pthread_cond_t over;
	unsigned pending; // what is still waited for: the commit, and each change until it was told
};

// An item about this entity (NULL for a removal): copies it, checks its fields, makes its canonical number. After a refusal
// the item holds nothing. operation_item_free gives back what was never run.
enum err operation_item_prepare(struct operation_item *item, const struct number_plan *plan,
				const struct entity *entity);
void operation_item_free(struct operation_item *item);
// Its items are prepared. operation_end must follow.
void operation_begin(struct operation *operation);
// By the writer, in a transaction. May be run again after operation_undo. With several items each of them is tried, so that
// all that is wrong is said at once; when one was refused, or it was only a try, nothing may be committed.
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
