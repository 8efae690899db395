// The directory against a naive model: after any series of changes both give the same answers.
#include "domain/directory.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS = 12, TEXTS = 6 };

static const struct number_plan plan = {
    .country_code = {"44", 2}, .international_prefix = {"00", 2}, .national_prefix = {"0", 1}, .emergency = {"112", 3}};

static unsigned chance(unsigned below)
{
	return (unsigned)rand() % below;
}

// ---- the model: the entities as they were put, by id

struct model {
	struct user users[IDS + 1];
	struct device devices[IDS + 1];
	struct route routes[IDS + 1];
	struct did dids[IDS + 1];
	struct selection selections[IDS + 1];
	struct turn_plan turns[IDS + 1][3];
};

static const char *const extensions[TEXTS] = {"510", "511", "512", "5100", "51", "99"};
static const char *const prefixes[TEXTS] = {"", "+", "+44", "+441", "+441444", "+42"};
static const char *const canonicals[TEXTS] = {"+441444123456", "+442079460000", "+420222333444", "112", "+4", ""};

static bool there(const struct entity *entity)
{
	return entity->id != 0;
}

static const struct user *model_holder(const struct model *model, uint64_t device_id)
{
	for (int i = 1; i <= IDS; i++)
		for (size_t t = 0; there(&model->users[i].entity) && t < model->users[i].turn_count; t++)
			if (model->users[i].turns[t].device_id == device_id)
				return &model->users[i];
	for (int i = 1; i <= IDS; i++)
		if (there(&model->selections[i].entity) && model->selections[i].device_id == device_id)
			return there(&model->users[model->selections[i].user_id].entity)
				   ? &model->users[model->selections[i].user_id]
				   : NULL;
	return NULL;
}

static int by_worth(const void *a, const void *b)
{
	const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;

	if (x->pattern.length != y->pattern.length)
		return x->pattern.length > y->pattern.length ? -1 : 1;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->entity.id < y->entity.id ? -1 : 1;
}

static size_t model_routes(const struct model *model, struct str canonical, const struct route *routes[IDS])
{
	size_t count = 0;

	for (int i = 1; i <= IDS; i++)
		if (there(&model->routes[i].entity) && str_starts(canonical, model->routes[i].pattern))
			routes[count++] = &model->routes[i];
	qsort(routes, count, sizeof(const struct route *), by_worth);
	return count;
}

// ---- changes: unique fields are kept unique, as the store does

static bool extension_used(const struct model *model, struct str extension, int but)
{
	for (int i = 1; i <= IDS; i++)
		if (i != but && there(&model->users[i].entity) && str_equal(model->users[i].extension, extension))
			return true;
	return false;
}

static struct entity *change_user(struct model *model, int id)
{
	struct user *user = &model->users[id];
	struct str extension = str_of(extensions[chance(TEXTS)]);

	if (extension_used(model, extension, id))
		return NULL;
	*user = (struct user){.entity = {.kind = ENTITY_USER}, .extension = extension, .turns = model->turns[id]};
	user->turn_count = chance(4);
	for (size_t t = 0; t < user->turn_count; t++)
		user->turns[t] = (struct turn_plan){.device_id = 1 + (chance(4) + 4 * t) % IDS, .ring_s = 7};
	return &user->entity;
}

static struct entity *change_device(struct model *model, int id)
{
	static const char *const numbers[IDS + 1] = {"",   "d1", "d2", "d3",  "d4",  "d5", "d6",
						     "d7", "d8", "d9", "d10", "d11", "d12"};

	model->devices[id] = (struct device){.entity = {.kind = ENTITY_DEVICE},
					     .number = str_of(numbers[id]),
					     .device_kind = (int)chance(DEVICE_KIND_COUNT)};
	return &model->devices[id].entity;
}

static struct entity *change_route(struct model *model, int id)
{
	model->routes[id] = (struct route){.entity = {.kind = ENTITY_ROUTE},
					   .pattern = str_of(prefixes[chance(TEXTS)]),
					   .cost = chance(3),
					   .trunk_id = 1};
	return &model->routes[id].entity;
}

static struct entity *change_did(struct model *model, int id)
{
	struct str canonical = str_of(canonicals[chance(TEXTS - 1)]); // the last is no number

	for (int i = 1; i <= IDS; i++)
		if (i != id && there(&model->dids[i].entity) && str_equal(model->dids[i].canonical, canonical))
			return NULL;
	model->dids[id] = (struct did){.entity = {.kind = ENTITY_DID}, .canonical = canonical, .trunk_id = chance(3)};
	return &model->dids[id].entity;
}

static struct entity *change_selection(struct model *model, int id)
{
	uint64_t user = 1 + chance(IDS), device = 1 + chance(IDS);

	for (int i = 1; i <= IDS; i++)
		if (i != id && there(&model->selections[i].entity) &&
		    (model->selections[i].user_id == user || model->selections[i].device_id == device))
			return NULL;
	model->selections[id] =
	    (struct selection){.entity = {.kind = ENTITY_SELECTION}, .user_id = user, .device_id = device};
	return &model->selections[id].entity;
}

static struct entity *entity_at(struct model *model, enum entity_kind kind, int id)
{
	switch (kind) {
	case ENTITY_USER:
		return &model->users[id].entity;
	case ENTITY_DEVICE:
		return &model->devices[id].entity;
	case ENTITY_ROUTE:
		return &model->routes[id].entity;
	case ENTITY_DID:
		return &model->dids[id].entity;
	case ENTITY_SELECTION:
	case ENTITY_TRUNK:
	case ENTITY_SESSION:
	case ENTITY_TOKEN:
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	return &model->selections[id].entity;
}

static void change_something(struct model *model, struct directory *directory)
{
	static const enum entity_kind kinds[] = {ENTITY_USER, ENTITY_DEVICE, ENTITY_ROUTE, ENTITY_DID,
						 ENTITY_SELECTION};
	enum entity_kind kind = kinds[chance(5)];
	int id = 1 + (int)chance(IDS);
	struct entity *entity = NULL;

	if (chance(3) == 0) {
		directory_remove(directory, kind, (uint64_t)id);
		entity_at(model, kind, id)->id = 0;
		return;
	}
	if (kind == ENTITY_USER)
		entity = change_user(model, id);
	else if (kind == ENTITY_DEVICE)
		entity = change_device(model, id);
	else if (kind == ENTITY_ROUTE)
		entity = change_route(model, id);
	else if (kind == ENTITY_DID)
		entity = change_did(model, id);
	else
		entity = change_selection(model, id);
	if (!entity)
		return;
	entity->id = (uint64_t)id;
	assert_int_equal(directory_put(directory, entity), ERR_NONE);
}

// ---- both are asked everything

static uint64_t id_of(const void *entity)
{
	return entity ? ((const struct entity *)entity)->id : 0;
}

// Whoever is there or not: nothing is asked of it but that nothing comes of it.
static void fetch_all(const struct directory *directory)
{
	for (uint64_t id = 0; id <= IDS; id++) {
		directory_expect_device(directory, id);
		directory_fetch_device(directory, id);
		directory_expect_holder(directory, id);
	}
	for (int t = 0; t < TEXTS; t++) {
		struct str extension = str_of(extensions[t]);
		directory_fetch(directory, ENTITY_USER, directory_expect(directory, ENTITY_USER, extension));
		directory_fetch(directory, ENTITY_DEVICE, directory_expect(directory, ENTITY_DEVICE, extension));
	}
}

static void compare_people(const struct model *model, const struct directory *directory)
{
	for (int i = 1; i <= IDS; i++) {
		const struct user *user = &model->users[i];
		assert_int_equal(id_of(directory_user(directory, (uint64_t)i)), user->entity.id);
		assert_int_equal(id_of(directory_device(directory, (uint64_t)i)), model->devices[i].entity.id);
		assert_int_equal(id_of(directory_holder(directory, (uint64_t)i)),
				 id_of(model_holder(model, (uint64_t)i)));
		if (!there(&user->entity))
			continue;
		struct turn_plan turns[USER_TURNS_MAX];
		size_t count = directory_turns(directory, user, turns);
		if (user->turn_count > 0) {
			assert_int_equal(count, user->turn_count);
			assert_memory_equal(turns, user->turns, count * sizeof *turns);
			continue;
		}
		uint64_t selected = 0;
		for (int s = 1; s <= IDS; s++)
			if (there(&model->selections[s].entity) && model->selections[s].user_id == (uint64_t)i)
				selected = model->selections[s].device_id;
		assert_int_equal(count, selected ? 1 : 0);
		if (selected) {
			assert_int_equal(turns[0].device_id, selected);
			assert_int_equal(turns[0].ring_s, RING_S_DEFAULT);
		}
	}
	for (int t = 0; t < TEXTS; t++) {
		uint64_t expected = 0;
		for (int i = 1; i <= IDS; i++)
			if (there(&model->users[i].entity) &&
			    str_equal(model->users[i].extension, str_of(extensions[t])))
				expected = (uint64_t)i;
		assert_int_equal(id_of(directory_user_by_extension(directory, str_of(extensions[t]))), expected);
	}
}

static void compare_numbers(const struct model *model, const struct directory *directory)
{
	for (int i = 1; i <= IDS; i++) {
		const struct device *device = &model->devices[i];
		uint64_t expected = device_kind_registers(device->device_kind) ? device->entity.id : 0;
		if (there(&device->entity))
			assert_int_equal(id_of(directory_device_by_number(directory, device->number)), expected);
	}
	for (int t = 0; t < TEXTS; t++) {
		const struct route *expected[IDS], *routes[IDS];
		struct str canonical = str_of(canonicals[t]);
		size_t count = model_routes(model, canonical, expected);
		for (size_t max = 0; max <= IDS; max += 3) {
			size_t wanted = count < max ? count : max;
			assert_int_equal(directory_routes(directory, canonical, routes, max), wanted);
			for (size_t i = 0; i < wanted; i++)
				assert_int_equal(routes[i]->entity.id, expected[i]->entity.id);
		}
		for (uint64_t trunk = 0; trunk < 3; trunk++) {
			uint64_t did = 0;
			for (int i = 1; i <= IDS; i++)
				if (there(&model->dids[i].entity) && str_equal(model->dids[i].canonical, canonical) &&
				    (trunk == 0 || model->dids[i].trunk_id == 0 || model->dids[i].trunk_id == trunk))
					did = (uint64_t)i;
			assert_int_equal(id_of(directory_did(directory, canonical, trunk)), did);
		}
	}
}

static void answers_as_the_model_does(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		static struct model model;
		struct directory *directory = directory_create(&plan);
		memset(&model, 0, sizeof model);
		srand(seed);
		for (int step = 0; step < 150; step++) {
			change_something(&model, directory);
			fetch_all(directory);
			compare_people(&model, directory);
			compare_numbers(&model, directory);
		}
		directory_destroy(directory);
	}
}

static void trunks_are_known_by_their_addresses(void **state)
{
	struct directory *directory = directory_create(&plan);
	struct trunk alone = {.entity = {ENTITY_TRUNK, 1, 1}, .host = STR("192.0.2.1"), .enabled = true};
	struct trunk many = {.entity = {ENTITY_TRUNK, 2, 1},
			     .host = STR("192.0.2.2"),
			     .inbound = STR("198.51.100.0/24  2001:db8::/32"),
			     .enabled = true};
	static const struct {
		const char *address;
		uint64_t trunk;
	} rows[] = {{"192.0.2.1", 1},    {"192.0.2.2", 0},   {"198.51.100.7", 2},
		    {"198.51.101.7", 0}, {"2001:db8::5", 2}, {"2001:db9::5", 0}};

	(void)state;
	assert_int_equal(directory_put(directory, &alone.entity), ERR_NONE);
	assert_int_equal(directory_put(directory, &many.entity), ERR_NONE);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct net_address address;
		assert_true(net_address_parse(str_of(rows[i].address), 5060, &address));
		assert_int_equal(id_of(directory_trunk_by_address(directory, &address)), rows[i].trunk);
	}
	many.enabled = false;
	assert_int_equal(directory_put(directory, &many.entity), ERR_NONE);
	struct net_address address;
	assert_true(net_address_parse(STR("198.51.100.7"), 5060, &address));
	assert_null(directory_trunk_by_address(directory, &address));
	directory_destroy(directory);
}

static void the_settings_are_kept(void **state)
{
	struct directory *directory = directory_create(&plan);
	struct site site = {.entity = {.kind = ENTITY_SITE, .id = SITE_ID}, .lease_s = 60};

	(void)state;
	assert_null(directory_site(directory));
	assert_int_equal(directory_put(directory, &site.entity), ERR_NONE);
	site.lease_s = 61;
	assert_int_equal(directory_site(directory)->lease_s, 60);
	assert_int_equal(directory_put(directory, &site.entity), ERR_NONE);
	assert_int_equal(directory_site(directory)->lease_s, 61);
	directory_destroy(directory);
}

static void what_is_given_is_copied(void **state)
{
	char extension[] = "510";
	struct user user = {.entity = {ENTITY_USER, 1, 1}, .extension = str_of(extension)};
	struct directory *directory = directory_create(&plan);

	(void)state;
	assert_int_equal(directory_put(directory, &user.entity), ERR_NONE);
	memset(extension, 'x', 3);
	assert_non_null(directory_user_by_extension(directory, STR("510")));
	assert_true(str_equal(directory_plan(directory)->country_code, STR("44")));
	directory_destroy(directory);
}

// A change that finds no memory leaves everything as it was.
static void out_of_memory_leaves_the_old_state(void **state)
{
	struct turn_plan turns[] = {{1, 0, 20}, {2, 0, 20}, {3, 0, 20}};
	struct user user = {.entity = {ENTITY_USER, 1, 1}, .extension = STR("510"), .turns = turns, .turn_count = 1};
	bool failed = true;

	(void)state;
	for (unsigned n = 1; failed; n++) {
		struct directory *directory = directory_create(&plan);
		user.turn_count = 1;
		user.extension = STR("510");
		assert_int_equal(directory_put(directory, &user.entity), ERR_NONE);
		user.turn_count = 3;
		user.extension = STR("511");
		failing_allocator_arm(n);
		enum err err = directory_put(directory, &user.entity);
		failed = failing_allocator_disarm();
		// A table that could not grow still works, so an allocation may fail without the change failing.
		assert_true(err == ERR_NONE || (failed && err == ERR_NO_MEMORY));
		assert_int_equal(id_of(directory_user_by_extension(directory, STR("510"))), err ? 1 : 0);
		assert_int_equal(id_of(directory_user_by_extension(directory, STR("511"))), err ? 0 : 1);
		assert_int_equal(id_of(directory_holder(directory, 1)), 1);
		assert_int_equal(id_of(directory_holder(directory, 3)), err ? 0 : 1);
		directory_destroy(directory);
	}
	failed = true;
	for (unsigned n = 1; failed; n++) {
		failing_allocator_arm(n);
		struct directory *directory = directory_create(&plan);
		failed = failing_allocator_disarm();
		assert_true(failed || directory);
		directory_destroy(directory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_as_the_model_does),
	    cmocka_unit_test(trunks_are_known_by_their_addresses),
	    cmocka_unit_test(the_settings_are_kept),
	    cmocka_unit_test(what_is_given_is_copied),
	    cmocka_unit_test(out_of_memory_leaves_the_old_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
