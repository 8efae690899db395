// A queue between threads: posters push onto a stack by compare-and-swap; the taker takes the whole stack at once and
// turns it round. Only the first post since then wakes the taker.
#include "base/queue.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
	_Atomic(struct queue_item *) newest;
	atomic_size_t length;
	atomic_bool woken;     // since the stack was last taken
	struct wakeup *wakeup; // taken from by a loop
	int event;             // taken from by queue_wait: an eventfd, else -1
};

// All that was posted, in order of posting.
static struct queue_item *take_all(struct queue *queue)
{
	// First: who pushes after the stack is taken finds it so. A poster does the two the other way round, so both sides' are in the one
	// order of all plain atomics; in a weaker one each could miss the other's, and an item would lie there unseen.
	atomic_store(&queue->woken, false);
	struct queue_item *item = atomic_exchange(&queue->newest, NULL), *first = NULL;
	while (item) {
		struct queue_item *older = item->next;
		item->next = first;
		first = item;
		item = older;
	}
	return first;
}

static void run_all(void *context)
{
	struct queue *queue = context;
	for (struct queue_item *item = take_all(queue), *next; item; item = next) {
		next = item->next;
		atomic_fetch_sub_explicit(&queue->length, 1, memory_order_relaxed);
		item->run(item);
	}
}

static struct queue *create(void)
{
	struct queue *queue = calloc(1, sizeof *queue);
	if (queue)
		queue->event = -1;
	return queue;
}

int queue_create_on_loop(struct loop *loop, struct queue **result)
{
	struct queue *queue = create();
	if (!queue)
		return -ENOMEM;
	int error = wakeup_create(loop, run_all, queue, &queue->wakeup);
	if (error) {
		free(queue);
		return error;
	}
	*result = queue;
	return 0;
}

int queue_create(struct queue **result)
{
	struct queue *queue = create();
	if (!queue)
		return -ENOMEM;
	queue->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->event < 0) {
		int error = -errno;
		free(queue);
		return error;
	}
	*result = queue;
	return 0;
}

void queue_post_quietly(struct queue *queue, struct queue_item *item)
{
	// counted first, so that the taker never counts below zero
	atomic_fetch_add_explicit(&queue->length, 1, memory_order_relaxed);
	struct queue_item *newest = atomic_load_explicit(&queue->newest, memory_order_relaxed);
	do
		item->next = newest;
	while (!atomic_compare_exchange_weak(&queue->newest, &newest, item));
}

void queue_wake(struct queue *queue)
{
	if (atomic_exchange(&queue->woken, true))
		return;
	if (queue->wakeup)
		wakeup_signal(queue->wakeup);
	else
		eventfd_write(queue->event, 1);
}

void queue_post(struct queue *queue, struct queue_item *item)
{
	queue_post_quietly(queue, item);
	queue_wake(queue);
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct queue_item *queue_wait(struct queue *queue, int timeout_ms)
{
	struct queue_item *first = take_all(queue);
	int64_t until_ms = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int left_ms = timeout_ms;
	while (!first && left_ms != 0) {
		// the event may be left over from items already taken, hence the loop
		struct pollfd readable = {.fd = queue->event, .events = POLLIN};
		eventfd_t count;
		if (poll(&readable, 1, left_ms) > 0)
			eventfd_read(queue->event, &count);
		first = take_all(queue);
		if (timeout_ms > 0) {
			int64_t rest_ms = until_ms - now_ms();
			left_ms = rest_ms > 0 ? (int)rest_ms : 0;
		}
	}
	size_t taken = 0;
	for (struct queue_item *item = first; item; item = item->next)
		taken++;
	atomic_fetch_sub_explicit(&queue->length, taken, memory_order_relaxed);
	return first;
}

size_t queue_length(const struct queue *queue)
{
	return atomic_load_explicit(&queue->length, memory_order_relaxed);
}

void queue_destroy(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->wakeup)
		wakeup_destroy(queue->wakeup);
	if (queue->event >= 0)
		close(queue->event);
	free(queue);
}
