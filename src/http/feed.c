// The ring of events, the listeners, and the thread that joins the two.
#include "http/feed.h"
#include "base/log.h"
#include "http/event_text.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	EVENTS_KEPT = 4096,
	BYTES_KEPT = 8 << 20,
	HEARTBEAT_MS = 15 * 1000,
	TICK_MS = 250,
	LINGER_MS = 60 * 1000, // events are gathered on for somebody who comes back
	INTERVAL_MIN_MS = 100, // between batches
	INTERVAL_MAX_MS = 1000,
	BYTES_PER_MS = 20 * 1000, // sent to all listeners together
	WAKES_PER_MS = 4,
	ASIDE_MAX = 128,
};

struct listener {
	struct list node; // in feed.listeners
	struct feed *feed;
	struct listener_settings settings; // last_id is not kept
	uint64_t next;                     // number of the next event to look at
	struct event *event;               // being sent; a reference
	size_t event_sent;
	char aside[ASIDE_MAX]; // what is sent between events: greeting, reset, heartbeat
	size_t aside_length, aside_sent;
	bool asleep, ended;
	int64_t sent_ms; // monotonic: when it was last given something
	void *connection;
};

struct feed {
	struct watch *watch;
	struct teams_presence *presence;
	struct feed_carrier carrier;
	int64_t (*now_ms)(void);
	pthread_t thread;
	pthread_mutex_t lock; // of all below
	bool ending;
	int64_t epoch;                   // ids of another one mean nothing any more
	uint64_t next;                   // number of the event to come
	struct event *ring[EVENTS_KEPT]; // by number
	uint64_t first;                  // number of the oldest that is kept
	size_t bytes;                    // of those kept
	struct list listeners;           // of struct listener
	size_t listener_count;
	bool gathering;                  // the call thread reports
	int64_t alone_since_ms;          // monotonic: nobody listens; 0 = somebody does
	uint64_t load_bytes, load_wakes; // caused by the present batch
	struct feed_counters counters;
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- the ring

static void event_drop(struct event *event)
{
	if (event && --event->holders == 0)
		free(event);
}

static struct event *event_at(const struct feed *feed, uint64_t number)
{
	return feed->ring[number % EVENTS_KEPT];
}

static void oldest_drop(struct feed *feed)
{
	struct event *event = event_at(feed, feed->first);
	feed->ring[feed->first % EVENTS_KEPT] = NULL;
	feed->bytes -= event->length;
	feed->first++;
	event_drop(event);
}

static void event_keep(struct feed *feed, struct event *event)
{
	while (feed->first < feed->next && (feed->next - feed->first == EVENTS_KEPT || feed->bytes > BYTES_KEPT))
		oldest_drop(feed);
	feed->ring[feed->next++ % EVENTS_KEPT] = event;
	feed->bytes += event->length;
	feed->counters.events++;
}

// What was before is not known to have been complete: ids of before mean nothing from now on.
static void ring_begin(struct feed *feed)
{
	while (feed->first < feed->next)
		oldest_drop(feed);
	int64_t now_ms = feed->now_ms();
	feed->epoch = now_ms > feed->epoch ? now_ms : feed->epoch + 1;
}

// ---- listeners

static void aside_say(struct listener *listener, struct str text)
{
	if (listener->aside_length + text.length > ASIDE_MAX)
		return;
	memcpy(listener->aside + listener->aside_length, text.at, text.length);
	listener->aside_length += text.length;
}

static void listener_wake(struct listener *listener)
{
	if (!listener->asleep)
		return;
	listener->asleep = false;
	listener->feed->load_wakes++;
	listener->feed->carrier.wake(listener->connection);
}

static void listener_end(struct listener *listener)
{
	listener->ended = true;
	listener_wake(listener);
}

// The next event that concerns it; NULL: none yet, or it has fallen out of the ring and ends.
static struct event *listener_next(struct listener *listener)
{
	struct feed *feed = listener->feed;
	if (listener->next < feed->first) {
		listener->ended = true;
		feed->counters.dropped++;
		return NULL;
	}
	while (listener->next < feed->next) {
		struct event *event = event_at(feed, listener->next++);
		if (event_concerns(event, &listener->settings))
			return event;
	}
	return NULL;
}

// Whoever sleeps has seen all there is, so only what is new can concern him.
static void listener_look(struct listener *listener)
{
	if (!listener->asleep || listener->event)
		return;
	listener->event = listener_next(listener);
	if (listener->event) {
		listener->event->holders++;
		listener->event_sent = 0;
	}
	if (listener->event || listener->ended)
		listener_wake(listener);
}

static size_t piece_take(const char *text, size_t length, size_t *sent, char *into, size_t size)
{
	size_t more = length - *sent < size ? length - *sent : size;
	memcpy(into, text + *sent, more);
	*sent += more;
	return more;
}

static size_t listener_fill(struct listener *listener, char *into, size_t size)
{
	size_t used = 0;
	while (used < size) {
		if (listener->aside_sent < listener->aside_length) {
			used += piece_take(listener->aside, listener->aside_length, &listener->aside_sent, into + used,
					   size - used);
			continue;
		}
		listener->aside_length = listener->aside_sent = 0;
		if (!listener->event) {
			listener->event = listener_next(listener);
			if (!listener->event)
				break;
			listener->event->holders++;
			listener->event_sent = 0;
		}
		used += piece_take(listener->event->text, listener->event->length, &listener->event_sent, into + used,
				   size - used);
		if (listener->event_sent == listener->event->length) {
			event_drop(listener->event);
			listener->event = NULL;
			listener->event_sent = 0;
		}
	}
	return used;
}

ssize_t feed_read(struct listener *listener, void *connection, char *into, size_t size)
{
	struct feed *feed = listener->feed;
	pthread_mutex_lock(&feed->lock);
	size_t used = listener->ended ? 0 : listener_fill(listener, into, size);
	bool ended = listener->ended || feed->ending;
	feed->counters.bytes_sent += used;
	feed->load_bytes += used;
	if (used > 0) {
		listener->sent_ms = monotonic_ms();
	} else if (!ended) {
		listener->asleep = true;
		listener->connection = connection;
		feed->carrier.sleep(connection);
	}
	pthread_mutex_unlock(&feed->lock);
	return used > 0 || !ended ? (ssize_t)used : -1;
}

// Where a listener begins who has seen everything up to this id; false: that cannot be said any more.
static bool place_find(const struct feed *feed, struct str last_id, uint64_t *next)
{
	struct str rest = last_id, epoch;
	char expected[24];
	uint64_t number;
	snprintf(expected, sizeof expected, "%" PRIx64, (uint64_t)feed->epoch);
	if (!str_take(&rest, '-', &epoch) || !str_equal(epoch, str_of(expected)) ||
	    !str_to_uint(rest, UINT64_MAX - 1, &number) || number + 1 < feed->first || number >= feed->next)
		return false;
	*next = number + 1;
	return true;
}

static void listener_greet(struct listener *listener, struct str last_id)
{
	struct feed *feed = listener->feed;
	char text[ASIDE_MAX];
	bool known = !str_empty(last_id) && place_find(feed, last_id, &listener->next);
	if (!known)
		listener->next = feed->next;
	// An id without an event: from here on the listener can come back.
	snprintf(text, sizeof text, "retry: 2000\nid: %" PRIx64 "-%" PRIu64 "\n%s\n", (uint64_t)feed->epoch,
		 listener->next - 1, known || str_empty(last_id) ? "" : "event: reset\ndata: {}\n");
	aside_say(listener, str_of(text));
}

static size_t listeners_of(const struct feed *feed, uint64_t user_id)
{
	size_t count = 0;
	list_each (node, following, &feed->listeners)
		count += container_of(node, struct listener, node)->settings.user_id == user_id;
	return count;
}

static void gather(struct feed *feed)
{
	feed->alone_since_ms = 0;
	if (feed->gathering)
		return;
	feed->gathering = true;
	ring_begin(feed);
	watch_listen(feed->watch, INTERVAL_MIN_MS);
}

enum err feed_listen(struct feed *feed, const struct listener_settings *settings, struct listener **result)
{
	struct listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		return ERR_NO_MEMORY;
	listener->feed = feed;
	listener->settings = *settings;
	listener->settings.last_id = STR_NONE;
	listener->sent_ms = monotonic_ms();
	pthread_mutex_lock(&feed->lock);
	bool room = !feed->ending && feed->listener_count < LISTENERS_MAX &&
		    listeners_of(feed, settings->user_id) < LISTENERS_PER_USER_MAX;
	if (room) {
		gather(feed);
		listener_greet(listener, settings->last_id);
		list_append(&feed->listeners, &listener->node);
		feed->listener_count++;
	}
	pthread_mutex_unlock(&feed->lock);
	if (!room) {
		free(listener);
		return ERR_OVERLOADED;
	}
	*result = listener;
	return ERR_NONE;
}

void feed_leave(struct listener *listener)
{
	struct feed *feed = listener->feed;
	pthread_mutex_lock(&feed->lock);
	list_remove(&listener->node);
	feed->counters.dropped += !listener->ended && listener->next < feed->first;
	event_drop(listener->event);
	if (--feed->listener_count == 0)
		feed->alone_since_ms = monotonic_ms();
	pthread_mutex_unlock(&feed->lock);
	free(listener);
}

// ---- who may listen no more

static bool ends_with(const struct listener_settings *who, const struct entity_report *entity)
{
	switch (entity->kind) {
	case ENTITY_SESSION:
		return entity->action == ENTITY_DELETED && entity->id == who->session_id;
	case ENTITY_TOKEN:
		return entity->action == ENTITY_DELETED && entity->id == who->token_id;
	case ENTITY_USER:
		return entity->id == who->user_id &&
		       (entity->action == ENTITY_DELETED || entity->role != who->users_role);
	case ENTITY_DEVICE:
	case ENTITY_TRUNK:
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_SELECTION:
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	return false;
}

// So many at once that they are not named: everybody comes back and says anew who he is.
static bool ends_all(const struct entity_report *entity)
{
	return entity->id == 0 &&
	       (entity->kind == ENTITY_SESSION || entity->kind == ENTITY_TOKEN || entity->kind == ENTITY_USER);
}

static void listeners_end(struct feed *feed, const struct entity_report *entity)
{
	bool all = ends_all(entity);
	list_each (node, following, &feed->listeners) {
		struct listener *listener = container_of(node, struct listener, node);
		if (all || ends_with(&listener->settings, entity))
			listener_end(listener);
	}
}

// ---- the thread

// What could not be told is looked up by the listeners themselves: they come back and are told to.
static void all_dropped(struct feed *feed)
{
	ring_begin(feed);
	list_each (node, following, &feed->listeners) {
		feed->counters.dropped++;
		listener_end(container_of(node, struct listener, node));
	}
	log_warning("events_lost", LOG_UINT("listeners", feed->listener_count));
}

static unsigned interval_for(const struct feed *feed)
{
	uint64_t by_bytes = feed->load_bytes / BYTES_PER_MS, by_wakes = feed->load_wakes / WAKES_PER_MS;
	uint64_t interval_ms = by_bytes > by_wakes ? by_bytes : by_wakes;
	if (interval_ms < INTERVAL_MIN_MS)
		return INTERVAL_MIN_MS;
	return interval_ms > INTERVAL_MAX_MS ? INTERVAL_MAX_MS : (unsigned)interval_ms;
}

static void batch_tell(struct feed *feed, struct watch_batch *batch)
{
	bool complete = !batch->incomplete;
	struct event_batch events = {.end = &events.first};
	pthread_mutex_lock(&feed->lock);
	events.epoch = feed->epoch;
	events.next = feed->next; // nobody else adds to the ring
	pthread_mutex_unlock(&feed->lock);
	for (const struct report *report = batch->first; report; report = report->next)
		complete = events_make(&events, report, feed->presence) && complete;
	pthread_mutex_lock(&feed->lock);
	bool current = feed->epoch == events.epoch;
	for (struct event *event = events.first, *following; event; event = following) {
		following = event->following;
		if (current)
			event_keep(feed, event);
		else
			event_drop(event);
	}
	if (!complete)
		all_dropped(feed);
	// The more there is to send to the more listeners, the seldomer: several changes then become one.
	if (feed->gathering)
		watch_listen(feed->watch, interval_for(feed));
	feed->load_bytes = feed->load_wakes = 0;
	list_each (node, following, &feed->listeners)
		listener_look(container_of(node, struct listener, node));
	// After they have been told: whose session was ended hears that it was.
	for (const struct report *report = batch->first; report; report = report->next)
		if (report->kind == REPORT_ENTITY)
			listeners_end(feed, &report->entity);
	pthread_mutex_unlock(&feed->lock);
}

static void listeners_tick(struct feed *feed, int64_t now_ms)
{
	int64_t wall_ms = feed->now_ms();
	list_each (node, following, &feed->listeners) {
		struct listener *listener = container_of(node, struct listener, node);
		if (listener->settings.until_ms && listener->settings.until_ms <= wall_ms)
			listener_end(listener);
		if (!listener->asleep || now_ms - listener->sent_ms < HEARTBEAT_MS)
			continue;
		aside_say(listener, STR(":\n\n"));
		listener_wake(listener);
	}
	if (feed->gathering && feed->alone_since_ms && now_ms - feed->alone_since_ms > LINGER_MS) {
		feed->gathering = false;
		watch_listen(feed->watch, 0);
	}
}

static bool tick(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	bool ending = feed->ending;
	if (!ending)
		listeners_tick(feed, monotonic_ms());
	pthread_mutex_unlock(&feed->lock);
	return !ending;
}

static void *feed_run(void *context)
{
	struct feed *feed = context;
	int64_t tick_ms = monotonic_ms() + TICK_MS;
	for (;;) {
		int64_t left_ms = tick_ms - monotonic_ms();
		struct queue_item *item = watch_wait(feed->watch, left_ms > 0 ? (int)left_ms : 0);
		for (struct queue_item *next; item; item = next) {
			next = item->next;
			struct watch_batch *batch = container_of(item, struct watch_batch, item);
			batch_tell(feed, batch);
			watch_batch_free(batch);
		}
		if (monotonic_ms() < tick_ms)
			continue;
		if (!tick(feed))
			return NULL;
		tick_ms = monotonic_ms() + TICK_MS;
	}
}

// ---- the module's own

struct feed *feed_create(struct watch *watch, const struct feed_carrier *carrier, int64_t (*now_ms)(void),
			 struct teams_presence *presence)
{
	struct feed *feed = calloc(1, sizeof *feed);
	if (!feed)
		return NULL;
	feed->watch = watch;
	feed->presence = presence;
	feed->carrier = *carrier;
	feed->now_ms = now_ms;
	feed->epoch = now_ms();
	feed->next = feed->first = 1;
	list_init(&feed->listeners);
	pthread_mutex_init(&feed->lock, NULL);
	if (pthread_create(&feed->thread, NULL, feed_run, feed) == 0)
		return feed;
	pthread_mutex_destroy(&feed->lock);
	free(feed);
	return NULL;
}

void feed_end(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	feed->ending = true;
	watch_listen(feed->watch, 0);
	list_each (node, following, &feed->listeners)
		listener_end(container_of(node, struct listener, node));
	pthread_mutex_unlock(&feed->lock);
	pthread_join(feed->thread, NULL);
}

void feed_destroy(struct feed *feed)
{
	if (!feed)
		return;
	if (!feed->ending)
		feed_end(feed);
	while (feed->first < feed->next)
		oldest_drop(feed);
	pthread_mutex_destroy(&feed->lock);
	free(feed);
}

struct feed_counters feed_count(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	struct feed_counters counters = feed->counters;
	counters.listeners = feed->listener_count;
	pthread_mutex_unlock(&feed->lock);
	return counters;
}
