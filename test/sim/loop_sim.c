// The clock, the randomness, the wake-ups and the heap of events of a simulated world.
#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { START_MS = 1000, CONNECTIONS_MAX = 1 << 20 };

#define WALL_OFFSET_MS (UINT64_C(1704067200000) - START_MS) // 2024-01-01 at the beginning

// ---- chance

// One step of SplitMix64.
uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t draw_below(uint64_t *state, uint64_t below)
{
	return below ? draw(state) % below : 0;
}

uint64_t sim_choice(struct loop *loop, uint64_t below)
{
	return draw_below(&loop->choice_state, below);
}

// ---- events

static bool event_before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->sequence < b->sequence;
}

void event_free(struct event *event)
{
	free(event->bytes);
	free(event);
}

void event_push(struct loop *loop, struct event *event)
{
	if (loop->heap_count == loop->heap_size) {
		loop->heap_size = loop->heap_size ? loop->heap_size * 2 : 256;
		loop->heap = realloc(loop->heap, loop->heap_size * sizeof *loop->heap);
		assert(loop->heap);
	}
	size_t at = loop->heap_count++;
	while (at > 0 && event_before(event, loop->heap[(at - 1) / 2])) {
		loop->heap[at] = loop->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	loop->heap[at] = event;
}

static struct event *heap_pop(struct loop *loop)
{
	struct event *first = loop->heap[0];
	struct event *last = loop->heap[--loop->heap_count];
	size_t at = 0, child;
	while ((child = 2 * at + 1) < loop->heap_count) {
		if (child + 1 < loop->heap_count && event_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!event_before(loop->heap[child], last))
			break;
		loop->heap[at] = loop->heap[child];
		at = child;
	}
	loop->heap[at] = last;
	return first;
}

struct event *event_new(struct loop *loop, enum event_kind kind, uint64_t at_ms, struct str bytes)
{
	struct event *event = calloc(1, sizeof *event);
	assert(event);
	list_init(&event->node);
	event->kind = kind;
	event->at_ms = at_ms;
	event->sequence = ++loop->sequence;
	event->size = bytes.length;
	event->bytes =
	    malloc(bytes.length ? bytes.length : 1); // exactly as large, so that reading past its end is seen
	assert(event->bytes);
	if (bytes.length)
		memcpy(event->bytes, bytes.at, bytes.length);
	return event;
}

// ---- the loop

struct loop *sim_create(uint64_t seed)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return NULL;
	loop->now_ms = START_MS;
	loop->wall_offset_ms = WALL_OFFSET_MS;
	loop->random_state = draw(&seed);
	loop->network_state = draw(&seed);
	loop->choice_state = draw(&seed);
	loop->network = (struct sim_network){.delay_min_ms = 1, .delay_max_ms = 1};
	list_init(&loop->pending);
	network_init(loop);
	list_init(&loop->down);
	list_init(&loop->dns_records);
	timer_wheel_init(&loop->wheel, loop->now_ms);
	loop->wheel.about_ms = 1; // each thing at its own time
	loop->bound = hash_create();
	loop->connections = slots_create(CONNECTIONS_MAX);
	if (loop->bound && loop->connections)
		return loop;
	if (loop->bound)
		hash_destroy(loop->bound);
	if (loop->connections)
		slots_destroy(loop->connections);
	free(loop);
	return NULL;
}

int loop_create(struct loop **loop)
{
	*loop = sim_create(1);
	return *loop ? 0 : -ENOMEM;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	assert(hash_count(loop->bound) == 0 && slots_count(loop->connections) == 0 && loop->count.wakeups == 0);
	while (loop->heap_count)
		event_free(heap_pop(loop));
	free(loop->heap);
	list_each (node, following, &loop->down)
		free(container_of(node, struct down_host, node));
	dns_forget(loop);
	hash_destroy(loop->bound);
	slots_destroy(loop->connections);
	free(loop);
}

void loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped && sim_step(loop))
		;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

uint64_t loop_now_us(const struct loop *loop)
{
	return loop->now_ms * 1000;
}

uint64_t loop_time_ms(const struct loop *loop)
{
	return loop->now_ms + loop->wall_offset_ms;
}

uint64_t loop_busy_us(const struct loop *loop)
{
	return loop->busy_us + (loop->now_ms - loop->busy_since_ms) * loop->busy_permille;
}

void sim_set_busy(struct loop *loop, unsigned permille)
{
	loop->busy_us = loop_busy_us(loop);
	loop->busy_since_ms = loop->now_ms;
	loop->busy_permille = permille;
}

void sim_set_queue(struct loop *loop, unsigned percent)
{
	loop->queue_percent = percent;
}

uint64_t loop_steady_time_ms(const struct loop *loop)
{
	return loop->now_ms + WALL_OFFSET_MS;
}

void sim_set_time(struct loop *loop, uint64_t wall_ms)
{
	loop->wall_offset_ms = wall_ms - loop->now_ms;
}

void loop_random(struct loop *loop, void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(draw(&loop->random_state) >> 32);
}

uint64_t loop_random_uint(struct loop *loop)
{
	return draw(&loop->random_state);
}

int loop_on_signal(struct loop *loop, int number, void (*handler)(void *context), void *context)
{
	if (number <= 0 || number >= SIGNALS_MAX || loop->signals[number].handler)
		return -EINVAL;
	loop->signals[number].handler = handler;
	loop->signals[number].context = context;
	return 0;
}

void sim_raise_signal(struct loop *loop, int number)
{
	assert(number > 0 && number < SIGNALS_MAX && loop->signals[number].handler);
	loop->signals[number].handler(loop->signals[number].context);
}

struct timer_wheel *loop_wheel(struct loop *loop)
{
	return &loop->wheel;
}

// ---- wake-ups

int wakeup_create(struct loop *loop, void (*handler)(void *context), void *context, struct wakeup **wakeup)
{
	*wakeup = calloc(1, sizeof **wakeup);
	if (!*wakeup)
		return -ENOMEM;
	list_init(&(*wakeup)->node);
	(*wakeup)->loop = loop;
	(*wakeup)->handler = handler;
	(*wakeup)->context = context;
	loop->count.wakeups++;
	return 0;
}

void wakeup_signal(struct wakeup *wakeup)
{
	list_remove(&wakeup->node);
	list_append(&wakeup->loop->pending, &wakeup->node);
}

void wakeup_destroy(struct wakeup *wakeup)
{
	if (!wakeup)
		return;
	list_remove(&wakeup->node);
	wakeup->loop->count.wakeups--;
	free(wakeup);
}

struct sim_count sim_count(const struct loop *loop)
{
	struct sim_count count = loop->count;
	for (int level = 0; level < TIMER_WHEEL_LEVELS; level++)
		for (int slot = 0; slot < TIMER_WHEEL_SLOTS; slot++)
			for (const struct list *head = &loop->wheel.slots[level][slot], *node = head->next;
			     node != head; node = node->next)
				count.timers++;
	count.packets = (unsigned)loop->heap_count;
	return count;
}

// ---- stepping

// The earliest moment at which something waits; false when nothing does.
static bool next_moment(struct loop *loop, uint64_t *at_ms, bool *is_event)
{
	const uint64_t wait_ms = timer_wheel_next(&loop->wheel);
	const uint64_t timer_ms = wait_ms == UINT64_MAX ? wait_ms : loop->wheel.now_ms + wait_ms;
	const uint64_t event_ms = loop->heap_count ? loop->heap[0]->at_ms : UINT64_MAX;
	if (timer_ms == UINT64_MAX && event_ms == UINT64_MAX)
		return false;
	*is_event = event_ms < timer_ms || (event_ms == timer_ms && (loop->heap[0]->sequence & 1));
	*at_ms = *is_event ? event_ms : timer_ms;
	return true;
}

static bool step_wakeup(struct loop *loop)
{
	if (list_empty(&loop->pending))
		return false;
	struct wakeup *wakeup = container_of(loop->pending.next, struct wakeup, node);
	list_remove(&wakeup->node);
	wakeup->handler(wakeup->context);
	return true;
}

static void step_to(struct loop *loop, uint64_t at_ms, bool is_event)
{
	if (at_ms > loop->now_ms)
		loop->now_ms = at_ms;
	if (!is_event) {
		timer_wheel_advance(&loop->wheel, loop->now_ms);
		return;
	}
	struct event *event = heap_pop(loop);
	if (event->kind != EVENT_DATAGRAM) {
		stream_arrive(loop, event);
		return;
	}
	datagram_arrive(loop, event);
	event_free(event);
}

bool sim_step(struct loop *loop)
{
	uint64_t at_ms;
	bool is_event;
	loop->count.steps++;
	if (step_wakeup(loop))
		return true;
	if (!next_moment(loop, &at_ms, &is_event))
		return false;
	step_to(loop, at_ms, is_event);
	return true;
}

void sim_run_until(struct loop *loop, uint64_t until_ms)
{
	uint64_t at_ms;
	bool is_event;
	while (!list_empty(&loop->pending) || (next_moment(loop, &at_ms, &is_event) && at_ms <= until_ms))
		sim_step(loop);
	if (until_ms > loop->now_ms)
		loop->now_ms = until_ms;
}

void sim_run_for(struct loop *loop, uint64_t duration_ms)
{
	sim_run_until(loop, loop->now_ms + duration_ms);
}

bool sim_run_idle(struct loop *loop, uint64_t limit_ms)
{
	const uint64_t until_ms = loop->now_ms + limit_ms;
	uint64_t at_ms;
	bool is_event;
	for (;;) {
		if (list_empty(&loop->pending)) {
			if (!next_moment(loop, &at_ms, &is_event))
				return true;
			if (at_ms > until_ms)
				return false;
		}
		sim_step(loop);
	}
}
