// The queue: order, wake-ups, waiting, and two threads at once.
#include "base/queue.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 20000, POSTERS = 2 };

struct numbered {
	struct queue_item item;
	unsigned poster;
	unsigned number;
};

struct poster {
	struct queue *queue;
	struct numbered *items;
};

// What the taking side saw; handlers find it here.
static struct {
	unsigned next[POSTERS];
	unsigned taken;
	struct loop *loop;
} seen;

static void take(struct queue_item *item)
{
	struct numbered *numbered = container_of(item, struct numbered, item);
	assert_int_equal(numbered->number, seen.next[numbered->poster]);
	seen.next[numbered->poster]++;
	if (++seen.taken == ITEMS * POSTERS && seen.loop)
		loop_stop(seen.loop);
}

static void *post_all(void *context)
{
	struct poster *poster = context;
	for (unsigned i = 0; i < ITEMS; i++)
		queue_post(poster->queue, &poster->items[i].item);
	return NULL;
}

static void start_posters(struct queue *queue, struct poster posters[POSTERS], pthread_t threads[POSTERS])
{
	for (unsigned p = 0; p < POSTERS; p++) {
		posters[p] = (struct poster){queue, calloc(ITEMS, sizeof *posters[p].items)};
		for (unsigned i = 0; i < ITEMS; i++)
			posters[p].items[i] = (struct numbered){.item.run = take, .poster = p, .number = i};
		assert_int_equal(pthread_create(&threads[p], NULL, post_all, &posters[p]), 0);
	}
}

static void join_posters(struct poster posters[POSTERS], const pthread_t threads[POSTERS])
{
	for (unsigned p = 0; p < POSTERS; p++) {
		pthread_join(threads[p], NULL);
		free(posters[p].items);
	}
}

static int forget(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof seen);
	return 0;
}

static void a_thread_takes_in_order(void **state)
{
	(void)state;
	struct queue *queue;
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	assert_int_equal(queue_create(&queue), 0);
	start_posters(queue, posters, threads);
	while (seen.taken < ITEMS * POSTERS) {
		struct queue_item *item = queue_wait(queue, -1);
		assert_non_null(item);
		for (struct queue_item *next; item; item = next) {
			next = item->next;
			item->run(item);
		}
	}
	join_posters(posters, threads);
	assert_int_equal(queue_length(queue), 0);
	assert_null(queue_wait(queue, 0));
	queue_destroy(queue);
}

static void a_loop_takes_in_order(void **state)
{
	(void)state;
	struct queue *queue;
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	assert_int_equal(loop_create(&seen.loop), 0);
	assert_int_equal(queue_create_on_loop(seen.loop, &queue), 0);
	start_posters(queue, posters, threads);
	loop_run(seen.loop);
	join_posters(posters, threads);
	assert_int_equal(seen.taken, ITEMS * POSTERS);
	assert_int_equal(queue_length(queue), 0);
	queue_destroy(queue);
	loop_destroy(seen.loop);
}

static void waiting_ends_in_time(void **state)
{
	(void)state;
	struct queue *queue;
	struct numbered one = {.item.run = take}, two = {.item.run = take, .number = 1};
	assert_int_equal(queue_create(&queue), 0);
	assert_null(queue_wait(queue, 0));
	assert_null(queue_wait(queue, 5));
	queue_post(queue, &one.item);
	queue_post(queue, &two.item);
	assert_int_equal(queue_length(queue), 2);
	struct queue_item *item = queue_wait(queue, -1);
	assert_ptr_equal(item, &one.item);
	assert_ptr_equal(item->next, &two.item);
	assert_null(two.item.next);
	// the wake-up of the two is still pending; it must not look like a third
	assert_null(queue_wait(queue, 5));
	queue_destroy(queue);
	queue_destroy(NULL);
}

// Posts itself again until it has run five times.
struct repeater {
	struct queue_item item;
	struct queue *queue;
};

static void repeat(struct queue_item *item)
{
	struct repeater *repeater = container_of(item, struct repeater, item);
	if (++seen.taken == 5)
		loop_stop(seen.loop);
	else
		queue_post(repeater->queue, item);
}

static void items_may_post(void **state)
{
	(void)state;
	struct repeater repeater = {.item.run = repeat};
	assert_int_equal(loop_create(&seen.loop), 0);
	assert_int_equal(queue_create_on_loop(seen.loop, &repeater.queue), 0);
	failing_allocator_arm_from(1); // posting needs no memory
	queue_post(repeater.queue, &repeater.item);
	loop_run(seen.loop);
	failing_allocator_disarm();
	assert_int_equal(seen.taken, 5);
	queue_destroy(repeater.queue);
	loop_destroy(seen.loop);
}

static void survives_without_memory(void **state)
{
	(void)state;
	struct queue *queue;
	struct loop *loop;
	failing_allocator_arm(1);
	assert_int_equal(queue_create(&queue), -ENOMEM);
	failing_allocator_disarm();
	assert_int_equal(loop_create(&loop), 0);
	for (unsigned n = 1; n <= 2; n++) {
		failing_allocator_arm(n);
		assert_int_equal(queue_create_on_loop(loop, &queue), -ENOMEM);
		assert_true(failing_allocator_disarm());
	}
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_thread_takes_in_order, forget),
	    cmocka_unit_test_setup(a_loop_takes_in_order, forget),
	    cmocka_unit_test_setup(waiting_ends_in_time, forget),
	    cmocka_unit_test_setup(items_may_post, forget),
	    cmocka_unit_test_setup(survives_without_memory, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
