// The desk that carries out feature codes: on a real database, with a clock of the test's own.
#include "domain/session.h"
#include "http/attempts.h"
#include "http/feature_desk.h"
#include "http/real_store.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIN "470815"

static int64_t clock_ms;

static int64_t clock_read(void)
{
	return clock_ms;
}

struct waited {
	struct feature_order order;
	sem_t back;
};

static void order_back(struct feature_order *order)
{
	sem_post(&container_of(order, struct waited, order)->back);
}

static void waited_make(struct waited *waited, enum feature feature, const char *extension, const char *pin)
{
	*waited = (struct waited){.order = {.feature = feature, .device_id = 1, .done = order_back}};
	snprintf(waited->order.extension, sizeof waited->order.extension, "%s", extension);
	snprintf(waited->order.pin, sizeof waited->order.pin, "%s", pin);
	sem_init(&waited->back, 0, 0);
}

static enum err order(struct http_feature_desk *desk, enum feature feature, const char *extension, const char *pin)
{
	struct feature_desk *port = feature_desk_port(desk);
	struct waited waited;
	waited_make(&waited, feature, extension, pin);
	assert_int_equal(port->take(port->context, &waited.order), ERR_NONE);
	while (sem_wait(&waited.back) != 0)
		;
	sem_destroy(&waited.back);
	assert_true(waited.order.pin[0] == '\0');
	return waited.order.err;
}

static struct http_feature_desk *desk_open(struct fixture *f)
{
	struct http_feature_desk *desk =
	    feature_desk_create(&(struct feature_desk_settings){f->store_records, f->queue, clock_read});
	assert_non_null(desk);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	create(f, "/api/v1/users",
	       "{\"name\":\"dan\",\"title\":\"Dan\",\"extension\":\"540\",\"pin\":\"" PIN "\",\"password\":\"" PASSWORD
	       "\"}");
	create(f, "/api/v1/users",
	       "{\"name\":\"eve\",\"title\":\"Eve\",\"extension\":\"541\",\"pin\":\"" PIN "\",\"password\":\"" PASSWORD
	       "\"}");
	return desk;
}

static void failures_make_wait_by_phone_and_by_extension(void **state)
{
	struct fixture *f = *state;
	struct http_feature_desk *desk = desk_open(f);
	for (int i = 0; i < ATTEMPTS_FREE; i++)
		assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "540", "4711"), ERR_PIN_REFUSED);
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "529", "4711"), ERR_PIN_REFUSED); // there is no 529
	// The phone has to wait, whatever it dials; a right PIN is not even looked at.
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "541", PIN), ERR_TOO_MANY_ATTEMPTS);
	clock_ms += 1000;
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "541", PIN), ERR_NONE);
	// That has not made the phone's next failures any cheaper.
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "529", "4711"), ERR_PIN_REFUSED);
	clock_ms += 1000;
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "541", PIN), ERR_TOO_MANY_ATTEMPTS);
	clock_ms += 1000;
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "541", PIN), ERR_NONE);
	feature_desk_destroy(desk);
}

static void a_selection_lasts_for_the_lease(void **state)
{
	struct fixture *f = *state;
	struct http_feature_desk *desk = desk_open(f);
	struct arena arena;
	struct entity *entity;
	arena_init(&arena, 0);
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "540", PIN), ERR_NONE);
	assert_int_equal(
	    f->store_records->find(f->store_records->context, ENTITY_SELECTION, "device_id", STR("1"), &arena, &entity),
	    ERR_NONE);
	const struct selection *selection = (const struct selection *)entity;
	assert_true(selection->expires_at == clock_ms + INT64_C(43200) * 1000);
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "541", PIN), ERR_DEVICE_TAKEN);
	assert_int_equal(order(desk, FEATURE_RELEASE_DEVICE, "", ""), ERR_NONE);
	assert_int_equal(order(desk, FEATURE_RELEASE_DEVICE, "", ""), ERR_NOT_ALLOWED);
	assert_int_equal(order(desk, FEATURE_SELECT_DEVICE, "541", PIN), ERR_NONE);
	arena_free(&arena);
	feature_desk_destroy(desk);
}

static void what_was_taken_comes_back_and_then_nothing_is_taken(void **state)
{
	struct fixture *f = *state;
	struct http_feature_desk *desk = desk_open(f);
	struct feature_desk *port = feature_desk_port(desk);
	struct waited waited[ORDERS_MAX + 2];
	size_t taken = 0;
	enum err err = ERR_NONE;
	for (; taken < ORDERS_MAX + 2; taken++) {
		waited_make(&waited[taken], FEATURE_SELECT_DEVICE, "540", "4711");
		err = port->take(port->context, &waited[taken].order);
		if (err)
			break;
	}
	// The desk had taken one or two up by then at most, since each costs a hash; after a few, none.
	assert_true(err == ERR_OVERLOADED || taken == ORDERS_MAX + 2);
	feature_desk_end(desk);
	for (size_t i = 0; i < taken; i++)
		while (sem_wait(&waited[i].back) != 0)
			;
	struct waited late;
	waited_make(&late, FEATURE_RELEASE_DEVICE, "", "");
	assert_int_equal(port->take(port->context, &late.order), ERR_SHUTTING_DOWN);
	feature_desk_destroy(desk);
}

static int setup(void **state)
{
	fixture_store = &real_store;
	clock_ms = (int64_t)time(NULL) * 1000; // the store has its own clock, and judges leases by it
	return fixture_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	    SERVED(failures_make_wait_by_phone_and_by_extension),
	    SERVED(a_selection_lasts_for_the_lease),
	    SERVED(what_was_taken_comes_back_and_then_nothing_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
