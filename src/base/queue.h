// A queue between threads. Any thread posts; one side takes: either a loop (the handler runs on the loop's thread) or a
// thread that waits. Items are threaded through their owner's memory, so posting never allocates and cannot fail.
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/loop.h"

struct queue_item {
	struct queue_item *next;
	void (*run)(struct queue_item *item); // called by the taking side; the item is no longer in the queue
};

struct queue;

// Taken from by the loop: each item's run() is called there, in order of posting.
int queue_create_on_loop(struct loop *loop, struct queue **queue);
// Taken from by queue_wait.
int queue_create(struct queue **queue);
void queue_post(struct queue *queue, struct queue_item *item);
// Likewise, but wakes nobody: it is taken with the next item that does, or when the taker looks by itself.
void queue_post_quietly(struct queue *queue, struct queue_item *item);
void queue_wake(struct queue *queue); // for what was posted quietly
// Takes all that is there as a list in order of posting. Waits up to timeout_ms (-1: for ever, 0: not at all) for the
// first; NULL when none came.
struct queue_item *queue_wait(struct queue *queue, int timeout_ms);
size_t queue_length(const struct queue *queue); // about
void queue_destroy(struct queue *queue);        // must be empty, and nobody may be posting

#endif
