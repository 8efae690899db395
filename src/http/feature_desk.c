// Selecting and releasing a phone, do-not-disturb, as dialled on a phone.
#include "http/feature_desk.h"

#include "domain/device.h"
#include "domain/session.h"
#include "domain/site.h"
#include "http/attempts.h"
#include "http/passwords.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 3, ORDER_MEMORY_MAX = 1 << 20 };

struct http_feature_desk {
	struct feature_desk port;
	struct feature_desk_settings settings;
	struct passwords *passwords; // of its own: no sign-in keeps a phone waiting, nor the other way round
	struct attempts attempts;
	struct queue *orders;
	pthread_t thread;
	pthread_mutex_t lock; // of `ended`
	bool ended;
	atomic_uint waiting;
	bool over; // the thread's own
	struct queue_item last;
};

// One order being carried out.
struct work {
	struct http_feature_desk *desk;
	struct records *records;
	const struct feature_order *order;
	struct arena arena;
	const struct device *device;
	int64_t now_ms;
};

static int64_t wall_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum err user_read(struct work *work, uint64_t id, struct user **user)
{
	struct entity *entity;
	enum err err = work->records->get(work->records->context, ENTITY_USER, id, &work->arena, &entity);
	if (!err)
		*user = (struct user *)entity;
	return err;
}

// In whose name is written from now on.
static void act_as(struct work *work, const struct user *user, struct actor *actor)
{
	*actor = (struct actor){
	    .user_id = user->entity.id, .name = user->name, .via = VIA_PHONE, .address = work->device->number};
	work->records->act_as(work->records->context, actor);
}

// ---- selecting

// Nobody learns whether there is such an extension, whether it has a PIN, or which of both was wrong.
static enum err pin_check(struct work *work, struct user **user)
{
	struct attempts *attempts = &work->desk->attempts;
	const struct net_address nowhere = {0};
	struct str extension = str_of(work->order->extension);
	struct str device = arena_format(&work->arena, "device %" PRIu64, work->order->device_id);
	struct entity *entity = NULL;
	if (!device.at)
		return ERR_NO_MEMORY;
	if (attempts_wait_s(attempts, extension, &nowhere, work->now_ms) ||
	    attempts_wait_s(attempts, device, &nowhere, work->now_ms))
		return ERR_TOO_MANY_ATTEMPTS;
	enum err err =
	    work->records->find(work->records->context, ENTITY_USER, "extension", extension, &work->arena, &entity);
	if (err && err != ERR_NOT_FOUND)
		return err;
	*user = (struct user *)entity;
	err = passwords_verify(work->desk->passwords, str_of(work->order->pin), *user ? (*user)->pin_hash : STR_NONE);
	if (err == ERR_WRONG_CREDENTIALS) {
		attempts_failed(attempts, extension, &nowhere, work->now_ms);
		attempts_failed(attempts, device, &nowhere, work->now_ms);
		return ERR_PIN_REFUSED;
	}
	// The device's failures stay: a PIN of one's own must not buy further guesses at those of others.
	if (!err)
		attempts_succeeded(attempts, extension, &nowhere);
	return err;
}

static enum err selection_of(struct work *work, const char *field, uint64_t id, struct selection **selection)
{
	struct entity *entity = NULL;
	struct str text = arena_format(&work->arena, "%" PRIu64, id);
	if (!text.at)
		return ERR_NO_MEMORY;
	enum err err =
	    work->records->find(work->records->context, ENTITY_SELECTION, field, text, &work->arena, &entity);
	*selection = (struct selection *)entity;
	return err;
}

// The store has the last word, in one transaction: as for who selects in a browser.
static enum err selection_write(struct work *work, const struct user *user)
{
	struct records *records = work->records;
	struct selection *selection = NULL;
	struct entity *site;
	struct problem problem = {0};
	enum err err = records->get(records->context, ENTITY_SITE, SITE_ID, &work->arena, &site);
	if (err)
		return err;
	err = selection_of(work, "user_id", user->entity.id, &selection);
	if (err && err != ERR_NOT_FOUND)
		return err;
	bool present = err == ERR_NONE;
	if (!present)
		selection = (struct selection *)entity_new(ENTITY_SELECTION, &work->arena);
	if (!selection)
		return ERR_NO_MEMORY;
	int64_t lease_s = ((const struct site *)site)->lease_s;
	selection->user_id = user->entity.id;
	selection->device_id = work->order->device_id;
	selection->created_at = work->now_ms;
	selection->expires_at = lease_s ? work->now_ms + lease_s * 1000 : 0;
	return present ? records->update(records->context, &selection->entity, &problem)
		       : records->create(records->context, &selection->entity, &problem);
}

static enum err device_select(struct work *work)
{
	struct user *user = NULL;
	struct actor actor;
	enum err err = pin_check(work, &user);
	if (err)
		return err;
	act_as(work, user, &actor);
	err = ERR_STALE;
	for (int tries = 0; tries < TRIES && (err == ERR_STALE || err == ERR_NOT_UNIQUE); tries++)
		err = selection_write(work, user);
	work->records->act_as(work->records->context, NULL);
	return err;
}

static enum err device_release(struct work *work)
{
	struct records *records = work->records;
	struct selection *selection = NULL;
	struct user *user = NULL;
	struct problem problem = {0};
	struct actor actor;
	enum err err = selection_of(work, "device_id", work->order->device_id, &selection);
	if (err == ERR_NOT_FOUND) // it is assigned, and stays so
		return ERR_NOT_ALLOWED;
	if (!err)
		err = user_read(work, selection->user_id, &user);
	if (err)
		return err;
	act_as(work, user, &actor);
	err = records->remove(records->context, ENTITY_SELECTION, selection->entity.id, selection->entity.version,
			      DELETE_IF_FREE, &problem);
	records->act_as(records->context, NULL);
	return err;
}

// ---- do-not-disturb

static enum err do_not_disturb_set(struct work *work, bool on)
{
	struct user *user = NULL;
	struct actor actor;
	enum err err = ERR_STALE;
	for (int tries = 0; err == ERR_STALE && tries < TRIES; tries++) {
		struct problem problem = {0};
		err = user_read(work, work->order->user_id, &user);
		if (err)
			return err;
		if (user->do_not_disturb == on)
			return ERR_NONE;
		user->do_not_disturb = on;
		act_as(work, user, &actor);
		err = work->records->update(work->records->context, &user->entity, &problem);
		work->records->act_as(work->records->context, NULL);
	}
	return err;
}

// ---- the thread

static enum err order_carry_out(struct work *work)
{
	struct entity *device;
	enum err err =
	    work->records->get(work->records->context, ENTITY_DEVICE, work->order->device_id, &work->arena, &device);
	if (err)
		return err;
	work->device = (const struct device *)device;
	switch (work->order->feature) {
	case FEATURE_SELECT_DEVICE:
		return device_select(work);
	case FEATURE_RELEASE_DEVICE:
		return device_release(work);
	case FEATURE_DO_NOT_DISTURB:
		return do_not_disturb_set(work, true);
	case FEATURE_DISTURB:
		return do_not_disturb_set(work, false);
	case FEATURE_PICK_UP:
	case FEATURE_TAKE_OVER:
	case FEATURE_NONE:
		break;
	}
	return ERR_INTERNAL;
}

static void order_return(struct queue_item *item)
{
	struct feature_order *order = container_of(item, struct feature_order, item);
	order->done(order);
}

static struct http_feature_desk *desk_of_thread(struct http_feature_desk *desk)
{
	static _Thread_local struct http_feature_desk *own;
	if (desk)
		own = desk;
	return own;
}

static void order_run(struct queue_item *item)
{
	struct http_feature_desk *desk = desk_of_thread(NULL);
	struct feature_order *order = container_of(item, struct feature_order, item);
	struct work work = {
	    .desk = desk, .records = desk->settings.records, .order = order, .now_ms = desk->settings.now_ms()};
	atomic_fetch_sub(&desk->waiting, 1);
	arena_init(&work.arena, ORDER_MEMORY_MAX);
	order->err = order_carry_out(&work);
	arena_free(&work.arena);
	explicit_bzero(order->pin, sizeof order->pin);
	order->item.run = order_return;
	queue_post(desk->settings.call_thread, &order->item);
}

static void last_run(struct queue_item *item)
{
	container_of(item, struct http_feature_desk, last)->over = true;
}

static void *desk_run(void *context)
{
	struct http_feature_desk *desk = context;
	desk_of_thread(desk);
	while (!desk->over)
		for (struct queue_item *item = queue_wait(desk->orders, -1), *next; item; item = next) {
			next = item->next;
			item->run(item);
		}
	return NULL;
}

// ---- from other threads

static enum err order_take(void *context, struct feature_order *order)
{
	struct http_feature_desk *desk = context;
	enum err err = ERR_NONE;
	pthread_mutex_lock(&desk->lock);
	if (desk->ended)
		err = ERR_SHUTTING_DOWN;
	else if (atomic_load(&desk->waiting) >= ORDERS_MAX)
		err = ERR_OVERLOADED;
	if (!err) {
		atomic_fetch_add(&desk->waiting, 1);
		order->item.run = order_run;
		queue_post(desk->orders, &order->item);
	}
	pthread_mutex_unlock(&desk->lock);
	return err;
}

struct http_feature_desk *feature_desk_create(const struct feature_desk_settings *settings)
{
	struct http_feature_desk *desk = calloc(1, sizeof *desk);
	if (!desk)
		return NULL;
	desk->settings = *settings;
	if (!desk->settings.now_ms)
		desk->settings.now_ms = wall_clock_ms;
	desk->port = (struct feature_desk){desk, order_take};
	desk->last.run = last_run;
	pthread_mutex_init(&desk->lock, NULL);
	pthread_mutex_init(&desk->attempts.lock, NULL);
	desk->passwords = passwords_create(0);
	if (desk->passwords && queue_create(&desk->orders) == 0 &&
	    pthread_create(&desk->thread, NULL, desk_run, desk) == 0)
		return desk;
	desk->ended = true;
	feature_desk_destroy(desk);
	return NULL;
}

struct feature_desk *feature_desk_port(struct http_feature_desk *desk)
{
	return &desk->port;
}

void feature_desk_end(struct http_feature_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	bool ends = !desk->ended;
	desk->ended = true;
	if (ends)
		queue_post(desk->orders, &desk->last);
	pthread_mutex_unlock(&desk->lock);
	if (ends)
		pthread_join(desk->thread, NULL);
}

void feature_desk_destroy(struct http_feature_desk *desk)
{
	if (!desk)
		return;
	feature_desk_end(desk);
	if (desk->orders)
		queue_destroy(desk->orders);
	passwords_destroy(desk->passwords);
	pthread_mutex_destroy(&desk->attempts.lock);
	pthread_mutex_destroy(&desk->lock);
	free(desk);
}
