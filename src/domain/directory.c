// The configuration as the call thread sees it. Each entity is kept as a copy of its own in an entry; a change makes a
// whole new entry, enters it into every index, and only then takes the old one out, so that running out of memory
// half-way leaves the old state.
#include "domain/directory.h"

#include "base/fetch.h"
#include "base/hash.h"
#include "base/list.h"
#include "domain/did_table.h"
#include "domain/number_plan.h"
#include "domain/route_table.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Who has a device: those with it on their ring plan, and the one who picked it.
struct holding {
	struct hash_node node; // in holdings, by device
	uint64_t device_id;
	struct list assignments; // of struct assignment, lowest user first
	struct list selections;  // of struct entry; more than one only while one replaces another
};

struct assignment {
	struct list node;        // in its holding
	struct holding *holding; // NULL: not entered
	const struct user *user;
};

// In one piece with its entity, and behind that a user's assignments or a trunk's ranges. What most look-ups read comes with one line of
// the cache: the second.
struct entry {
	struct hash_node by_canonical;  // external numbers and Teams users: in directory.outside
	struct hash_node by_user;       // DIDs: in directory.dids_of_users
	struct list in_kind;            // trunks: in directory.trunks; selections: in their holding
	struct assignment *assignments; // users: as many as turns
	struct holding *holding;        // selections
	struct net_range *ranges;       // trunks: where calls are taken from
	size_t range_count;
	alignas(CACHE_LINE) struct hash_node by_id; // in directory.by_id[kind]
	struct hash_node by_key;                    // in directory.by_key[kind], see key_of
	alignas(max_align_t) struct entity entity[];
};

struct directory {
	struct number_plan plan;
	struct feature_codes features;
	struct arena arena; // the feature codes
	struct hash_table *by_id[ENTITY_KIND_COUNT];
	struct hash_table *by_key[ENTITY_KIND_COUNT];
	struct hash_table *holdings;
	struct hash_table *dids_of_users;
	struct phone_keys *phone_keys;
	struct hash_table *outside; // devices that are phone numbers, by their canonical one
	struct list trunks;         // few, so searched in order
	struct did_table dids;
	struct route_table routes;
	struct route teams_routes[ROUTES_MAX]; // made of the trunks
	size_t teams_route_count;
};

// ---- the second key of each kind: a text, or for selections the user

static struct str key_of(const struct entity *entity)
{
	switch (entity->kind) {
	case ENTITY_USER:
		return ((const struct user *)entity)->extension;
	case ENTITY_DEVICE:
		return ((const struct device *)entity)->number;
	case ENTITY_SELECTION: {
		const struct selection *selection = (const struct selection *)entity;
		return (struct str){(const char *)&selection->user_id, sizeof selection->user_id};
	}
	case ENTITY_TRUNK:
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_SESSION:
	case ENTITY_TOKEN:
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	return STR_NONE;
}

// A device that does not register never signs in, so its number is nobody's name.
static bool has_key(const struct entity *entity)
{
	switch (entity->kind) {
	case ENTITY_DEVICE:
		return device_kind_registers(((const struct device *)entity)->device_kind);
	case ENTITY_USER:
	case ENTITY_SELECTION:
		return true;
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_TRUNK:
	case ENTITY_SESSION:
	case ENTITY_TOKEN:
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	return false;
}

static bool same_id(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct entry, by_id)->entity->id == *(const uint64_t *)key;
}

static bool same_key(const struct hash_node *node, const void *key)
{
	return str_equal(key_of(container_of(node, const struct entry, by_key)->entity), *(const struct str *)key);
}

static struct str canonical_of(const struct entry *entry)
{
	const struct device *device = (const struct device *)entry->entity;

	return device->canonical;
}

static bool same_teams_user(const struct hash_node *node, const void *key)
{
	const struct entry *entry = container_of(node, const struct entry, by_canonical);

	return ((const struct device *)entry->entity)->device_kind == DEVICE_TEAMS &&
	       str_equal(canonical_of(entry), *(const struct str *)key);
}

// Goes on to the end, to see whether there is more than one.
struct canonical_search {
	struct str canonical;
	const struct device *found;
	size_t count;
};

static bool canonical_gather(const struct hash_node *node, const void *key)
{
	struct canonical_search *search = *(struct canonical_search *const *)key;
	const struct entry *entry = container_of(node, const struct entry, by_canonical);

	if (str_equal(canonical_of(entry), search->canonical)) {
		search->found = (const struct device *)entry->entity;
		search->count++;
	}
	return false;
}

static bool same_device(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct holding, node)->device_id == *(const uint64_t *)key;
}

// Where the entity and the first of its texts lie is known before the entry is read, so their lines come at once and not one after the
// other.
static void entry_fetch(const struct entry *entry, enum entity_kind kind)
{
	fetch(&entry->by_id);
	fetch((const char *)&entry->by_id + CACHE_LINE);
	fetch((const char *)entry->entity + entity_type(kind)->size);
}

static struct entry *entry_by_id(const struct directory *directory, enum entity_kind kind, uint64_t id)
{
	struct hash_node *node = hash_find(directory->by_id[kind], hash_id(id), same_id, &id);

	return node ? container_of(node, struct entry, by_id) : NULL;
}

static const struct entity *entity_by_id(const struct directory *directory, enum entity_kind kind, uint64_t id)
{
	const struct entry *entry = entry_by_id(directory, kind, id);

	return entry ? entry->entity : NULL;
}

static const struct entity *entity_by_key(const struct directory *directory, enum entity_kind kind, struct str key)
{
	struct hash_node *node = hash_find(directory->by_key[kind], hash_str(key), same_key, &key);

	return node ? container_of(node, struct entry, by_key)->entity : NULL;
}

// ---- holdings

static struct holding *holding_find(const struct directory *directory, uint64_t device_id)
{
	struct hash_node *node = hash_find(directory->holdings, hash_id(device_id), same_device, &device_id);

	return node ? container_of(node, struct holding, node) : NULL;
}

static struct holding *holding_get(struct directory *directory, uint64_t device_id)
{
	struct holding *holding = holding_find(directory, device_id);

	if (holding)
		return holding;
	holding = calloc(1, sizeof *holding);
	if (!holding)
		return NULL;
	holding->device_id = device_id;
	list_init(&holding->assignments);
	list_init(&holding->selections);
	if (!hash_insert(directory->holdings, &holding->node, hash_id(device_id))) {
		free(holding);
		return NULL;
	}
	return holding;
}

static void holding_release(struct directory *directory, struct holding *holding)
{
	if (!list_empty(&holding->assignments) || !list_empty(&holding->selections))
		return;
	hash_remove(directory->holdings, &holding->node);
	free(holding);
}

static bool assignment_enter(struct directory *directory, struct assignment *assignment, uint64_t device_id)
{
	struct holding *holding = holding_get(directory, device_id);

	if (!holding)
		return false;
	struct list *place = holding->assignments.previous;
	while (place != &holding->assignments &&
	       container_of(place, struct assignment, node)->user->entity.id > assignment->user->entity.id)
		place = place->previous;
	list_insert_after(place, &assignment->node);
	assignment->holding = holding;
	return true;
}

// ---- entries

static struct str inbound_of(const struct trunk *trunk)
{
	return str_empty(trunk->inbound) ? trunk->host : trunk->inbound;
}

static void ranges_parse(struct entry *entry)
{
	struct str rest = inbound_of((const struct trunk *)entry->entity), piece;

	while (str_take(&rest, ' ', &piece))
		if (net_range_parse(piece, &entry->ranges[entry->range_count]))
			entry->range_count++;
}

static void assignments_prepare(struct entry *entry)
{
	const struct user *user = (const struct user *)entry->entity;

	for (size_t i = 0; i < user->turn_count; i++) {
		entry->assignments[i] = (struct assignment){.user = user};
		list_init(&entry->assignments[i].node);
	}
}

// What an entry needs beside its entity: assignments or ranges, of which there is at most one for every two bytes of text.
static size_t extra_size(const struct entity *entity)
{
	if (entity->kind == ENTITY_USER)
		return ((const struct user *)entity)->turn_count * sizeof(struct assignment);
	if (entity->kind == ENTITY_TRUNK)
		return (inbound_of((const struct trunk *)entity).length / 2 + 1) * sizeof(struct net_range);
	return 0;
}

static struct entry *entry_new(const struct entity *entity)
{
	const size_t alignment = alignof(max_align_t);
	size_t size = (entity_copy_size(entity) + alignment - 1) / alignment * alignment;
	size_t whole = offsetof(struct entry, entity) + size + extra_size(entity);
	struct entry *entry = aligned_alloc(CACHE_LINE, (whole + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

	if (!entry)
		return NULL;
	*entry = (struct entry){0};
	list_init(&entry->in_kind);
	entity_copy_into(entity, entry->entity);
	void *extra = (char *)entry->entity + size;
	if (entity->kind == ENTITY_TRUNK) {
		entry->ranges = extra;
		ranges_parse(entry);
	} else if (entity->kind == ENTITY_USER) {
		entry->assignments = extra;
		assignments_prepare(entry);
	}
	return entry;
}

// Takes the entry out of every index it is in, and frees it.
static void entry_drop(struct directory *directory, struct entry *entry)
{
	enum entity_kind kind = entry->entity->kind;

	if (entry->by_id.hash)
		hash_remove(directory->by_id[kind], &entry->by_id);
	if (entry->by_key.hash)
		hash_remove(directory->by_key[kind], &entry->by_key);
	if (entry->by_canonical.hash)
		hash_remove(directory->outside, &entry->by_canonical);
	list_remove(&entry->in_kind);
	if (kind == ENTITY_DID)
		did_table_leave(&directory->dids, (const struct did *)entry->entity);
	if (kind == ENTITY_ROUTE)
		route_table_leave(&directory->routes, (const struct route *)entry->entity);
	if (entry->by_user.hash)
		hash_remove(directory->dids_of_users, &entry->by_user);
	if (entry->holding)
		holding_release(directory, entry->holding);
	if (kind == ENTITY_USER && entry->assignments) {
		for (size_t i = 0; i < ((struct user *)entry->entity)->turn_count; i++) {
			list_remove(&entry->assignments[i].node);
			if (entry->assignments[i].holding)
				holding_release(directory, entry->assignments[i].holding);
		}
	}
	free(entry);
}

static bool entry_enter_keys(struct directory *directory, struct entry *entry)
{
	const struct entity *entity = entry->entity;

	if (!hash_insert(directory->by_id[entity->kind], &entry->by_id, hash_id(entity->id))) {
		entry->by_id.hash = 0;
		return false;
	}
	if (entity->kind == ENTITY_DEVICE && !str_empty(canonical_of(entry)) &&
	    !hash_insert(directory->outside, &entry->by_canonical, hash_str(canonical_of(entry)))) {
		entry->by_canonical.hash = 0;
		return false;
	}
	if (!has_key(entity))
		return true;
	if (!hash_insert(directory->by_key[entity->kind], &entry->by_key, hash_str(key_of(entity)))) {
		entry->by_key.hash = 0;
		return false;
	}
	return true;
}

static bool entry_enter(struct directory *directory, struct entry *entry)
{
	const struct entity *entity = entry->entity;

	if (!entry_enter_keys(directory, entry))
		return false;
	if (entity->kind == ENTITY_DID &&
	    !hash_insert(directory->dids_of_users, &entry->by_user, hash_id(((const struct did *)entity)->user_id))) {
		entry->by_user.hash = 0;
		return false;
	}
	if (entity->kind == ENTITY_TRUNK)
		list_append(&directory->trunks, &entry->in_kind);
	if (entity->kind == ENTITY_ROUTE)
		return route_table_enter(&directory->routes, (const struct route *)entity);
	if (entity->kind == ENTITY_DID)
		return did_table_enter(&directory->dids, (const struct did *)entity);
	if (entity->kind == ENTITY_SELECTION) {
		entry->holding = holding_get(directory, ((const struct selection *)entity)->device_id);
		if (!entry->holding)
			return false;
		list_insert_after(&entry->holding->selections, &entry->in_kind);
	}
	if (entity->kind == ENTITY_USER) {
		const struct user *user = (const struct user *)entity;
		for (size_t i = 0; i < user->turn_count; i++)
			if (!assignment_enter(directory, &entry->assignments[i], user->turns[i].device_id))
				return false;
	}
	return true;
}

static bool kept_here(enum entity_kind kind)
{
	return kind != ENTITY_SESSION && kind != ENTITY_TOKEN;
}

static bool is_tried_before(const struct trunk *one, const struct trunk *other)
{
	return one->enabled == other->enabled ? one->entity.id < other->entity.id : one->enabled;
}

static const struct trunk *teams_trunk_after(const struct directory *directory, const struct trunk *before)
{
	const struct trunk *next = NULL, *trunk = NULL;

	while ((trunk = directory_trunk_after(directory, trunk)))
		if (trunk_is_teams(trunk) && (!before || is_tried_before(before, trunk)) &&
		    (!next || is_tried_before(trunk, next)))
			next = trunk;
	return next;
}

static void teams_routes_make(struct directory *directory)
{
	const struct trunk *trunks[ROUTES_MAX];
	size_t count = directory_teams_trunks(directory, trunks, ROUTES_MAX);

	directory->teams_route_count = 0;
	for (size_t i = 0; i < count && trunks[i]->enabled; i++)
		directory->teams_routes[directory->teams_route_count++] = (struct route){
		    .entity.kind = ENTITY_ROUTE,
		    .trunk_id = trunks[i]->entity.id,
		};
}

enum err directory_put(struct directory *directory, const struct entity *entity)
{
	assert(entity->id != 0);
	if (!kept_here(entity->kind))
		return ERR_NONE;
	struct entry *old = entry_by_id(directory, entity->kind, entity->id);
	struct entry *entry = entry_new(entity);
	if (!entry)
		return ERR_NO_MEMORY;
	if (!entry_enter(directory, entry)) {
		entry_drop(directory, entry);
		return ERR_NO_MEMORY;
	}
	if (entity->kind == ENTITY_SITE)
		number_plan_of_site((const struct site *)entry->entity, &directory->plan);
	if (old)
		entry_drop(directory, old);
	if (entity->kind == ENTITY_TRUNK)
		teams_routes_make(directory);
	return ERR_NONE;
}

void directory_remove(struct directory *directory, enum entity_kind kind, uint64_t id)
{
	if (!kept_here(kind))
		return;
	struct entry *entry = entry_by_id(directory, kind, id);
	if (entry)
		entry_drop(directory, entry);
	if (kind == ENTITY_TRUNK)
		teams_routes_make(directory);
}

// ---- the directory as a whole

bool directory_set_features(struct directory *directory, const struct feature_codes *codes)
{
	for (int i = 0; i < FEATURE_COUNT; i++) {
		directory->features.code[i] = arena_copy(&directory->arena, codes->code[i]);
		if (!directory->features.code[i].at)
			return false;
	}
	return true;
}

const struct feature_codes *directory_features(const struct directory *directory)
{
	return &directory->features;
}

struct directory *directory_create(const struct number_plan *plan)
{
	struct directory *directory = calloc(1, sizeof *directory);

	if (!directory)
		return NULL;
	arena_init(&directory->arena, 0);
	list_init(&directory->trunks);
	directory->features = feature_codes_usual;
	directory->plan = *plan;
	bool whole = true;
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
		directory->by_id[kind] = hash_create();
		directory->by_key[kind] = hash_create();
		whole = whole && directory->by_id[kind] && directory->by_key[kind];
	}
	directory->holdings = hash_create();
	directory->dids_of_users = hash_create();
	directory->outside = hash_create();
	directory->phone_keys = phone_keys_create();
	if (!whole || !directory->phone_keys || !directory->holdings || !directory->outside ||
	    !directory->dids_of_users) {
		directory_destroy(directory);
		return NULL;
	}
	return directory;
}

static bool drop_visited(struct hash_node *node, void *context)
{
	entry_drop(context, container_of(node, struct entry, by_id));
	return true;
}

void directory_destroy(struct directory *directory)
{
	if (!directory)
		return;
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++)
		if (directory->by_id[kind])
			hash_visit(directory->by_id[kind], drop_visited, directory);
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
		hash_destroy(directory->by_id[kind]);
		hash_destroy(directory->by_key[kind]);
	}
	hash_destroy(directory->holdings);
	hash_destroy(directory->outside);
	did_table_free(&directory->dids);
	hash_destroy(directory->dids_of_users);
	phone_keys_destroy(directory->phone_keys);
	arena_free(&directory->arena);
	free(directory);
}

struct phone_keys *directory_phone_keys(const struct directory *directory)
{
	return directory->phone_keys;
}

const struct number_plan *directory_plan(const struct directory *directory)
{
	return &directory->plan;
}

// ---- questions

const struct user *directory_user(const struct directory *directory, uint64_t id)
{
	return (const struct user *)entity_by_id(directory, ENTITY_USER, id);
}

const struct user *directory_user_by_extension(const struct directory *directory, struct str extension)
{
	return (const struct user *)entity_by_key(directory, ENTITY_USER, extension);
}

const struct device *directory_device(const struct directory *directory, uint64_t id)
{
	return (const struct device *)entity_by_id(directory, ENTITY_DEVICE, id);
}

const struct device *directory_device_by_number(const struct directory *directory, struct str number)
{
	return (const struct device *)entity_by_key(directory, ENTITY_DEVICE, number);
}

uint64_t directory_expect(const struct directory *directory, enum entity_kind kind, struct str key)
{
	uint64_t hash = hash_str(key);

	hash_fetch(directory->by_key[kind], hash);
	return hash;
}

void directory_fetch(const struct directory *directory, enum entity_kind kind, uint64_t expected)
{
	const struct hash_node *node = hash_first(directory->by_key[kind], expected);

	if (node)
		entry_fetch(container_of(node, const struct entry, by_key), kind);
}

void directory_expect_device(const struct directory *directory, uint64_t id)
{
	hash_fetch(directory->by_id[ENTITY_DEVICE], hash_id(id));
}

void directory_fetch_device(const struct directory *directory, uint64_t id)
{
	const struct hash_node *node = hash_first(directory->by_id[ENTITY_DEVICE], hash_id(id));

	if (node)
		entry_fetch(container_of(node, const struct entry, by_id), ENTITY_DEVICE);
}

void directory_expect_holder(const struct directory *directory, uint64_t device_id)
{
	hash_fetch(directory->holdings, hash_id(device_id));
}

const struct site *directory_site(const struct directory *directory)
{
	return (const struct site *)entity_by_id(directory, ENTITY_SITE, SITE_ID);
}

const struct device *directory_device_by_canonical(const struct directory *directory, struct str canonical)
{
	struct canonical_search search = {.canonical = canonical};
	struct canonical_search *key = &search;

	hash_find(directory->outside, hash_str(canonical), canonical_gather, &key);
	return search.count == 1 ? search.found : NULL;
}

const struct device *directory_teams_device(const struct directory *directory, struct str canonical)
{
	struct hash_node *node = hash_find(directory->outside, hash_str(canonical), same_teams_user, &canonical);

	return node ? (const struct device *)container_of(node, struct entry, by_canonical)->entity : NULL;
}

const struct trunk *directory_trunk(const struct directory *directory, uint64_t id)
{
	return (const struct trunk *)entity_by_id(directory, ENTITY_TRUNK, id);
}

const struct trunk *directory_trunk_after(const struct directory *directory, const struct trunk *previous)
{
	const struct entry *entry = previous ? entry_by_id(directory, ENTITY_TRUNK, previous->entity.id) : NULL;
	const struct list *next = entry ? entry->in_kind.next : directory->trunks.next;

	if (next == &directory->trunks)
		return NULL;
	return (const struct trunk *)container_of(next, const struct entry, in_kind)->entity;
}

const struct trunk *directory_trunk_by_address(const struct directory *directory, const struct net_address *address)
{
	list_each (node, following, &directory->trunks) {
		const struct entry *entry = container_of(node, struct entry, in_kind);
		const struct trunk *trunk = (const struct trunk *)entry->entity;
		for (size_t i = 0; trunk->enabled && i < entry->range_count; i++)
			if (net_range_holds(&entry->ranges[i], address))
				return trunk;
	}
	return NULL;
}

bool directory_trunk_has_address(const struct directory *directory, uint64_t id, const struct net_address *address)
{
	const struct entry *entry = entry_by_id(directory, ENTITY_TRUNK, id);

	for (size_t i = 0; entry && i < entry->range_count; i++)
		if (net_range_holds(&entry->ranges[i], address))
			return true;
	return false;
}

const struct did *directory_did(const struct directory *directory, struct str canonical, uint64_t trunk_id)
{
	return did_table_find(&directory->dids, canonical, trunk_id);
}

// The walk sees each DID of the user and never says "same": the lowest is wanted.
struct did_search {
	uint64_t user_id;
	const struct did *found;
};

static bool did_gather(const struct hash_node *node, const void *key)
{
	struct did_search *search = *(struct did_search *const *)key;
	const struct did *did = (const struct did *)container_of(node, const struct entry, by_user)->entity;

	if (did->user_id == search->user_id && (!search->found || did->entity.id < search->found->entity.id))
		search->found = did;
	return false;
}

const struct did *directory_did_of_user(const struct directory *directory, uint64_t user_id)
{
	struct did_search search = {.user_id = user_id};
	struct did_search *key = &search;

	hash_find(directory->dids_of_users, hash_id(user_id), did_gather, &key);
	return search.found;
}

struct holding_view directory_holding(const struct directory *directory, uint64_t device_id)
{
	const struct holding *holding = holding_find(directory, device_id);
	struct holding_view view = {.held = HELD_BY_NOBODY};

	if (!holding)
		return view;
	if (!list_empty(&holding->assignments)) {
		view.held = HELD_BY_ASSIGNMENT;
		view.user = container_of(holding->assignments.next, struct assignment, node)->user;
		list_each (node, following, &holding->assignments)
			view.holders++;
		return view;
	}
	const struct entry *entry = container_of(holding->selections.next, struct entry, in_kind);
	const struct selection *selection = (const struct selection *)entry->entity;
	view.user = directory_user(directory, selection->user_id);
	view.held = view.user ? HELD_BY_SELECTION : HELD_BY_NOBODY;
	view.holders = view.user ? 1 : 0;
	view.expires_at = selection->expires_at;
	return view;
}

const struct user *directory_holder(const struct directory *directory, uint64_t device_id)
{
	return directory_holding(directory, device_id).user;
}

static const struct selection *selection_of(const struct directory *directory, uint64_t user_id)
{
	struct str key = {(const char *)&user_id, sizeof user_id};

	return (const struct selection *)entity_by_key(directory, ENTITY_SELECTION, key);
}

uint64_t directory_selected(const struct directory *directory, uint64_t user_id)
{
	const struct selection *selection = selection_of(directory, user_id);

	return selection ? selection->device_id : 0;
}

size_t directory_turns(const struct directory *directory, const struct user *user,
		       struct turn_plan turns[USER_TURNS_MAX])
{
	if (user->turn_count > 0) {
		size_t count = user->turn_count < USER_TURNS_MAX ? user->turn_count : USER_TURNS_MAX;
		memcpy(turns, user->turns, count * sizeof *turns);
		return count;
	}
	const struct selection *selection = selection_of(directory, user->entity.id);
	if (!selection)
		return 0;
	turns[0] = (struct turn_plan){.device_id = selection->device_id, .start_s = 0, .ring_s = RING_S_DEFAULT};
	return 1;
}

size_t directory_routes(const struct directory *directory, struct str canonical, const struct route **routes,
			size_t max)
{
	return route_table_find(&directory->routes, canonical, routes, max);
}

size_t directory_teams_routes(const struct directory *directory, const struct route **routes, size_t max)
{
	size_t count = directory->teams_route_count < max ? directory->teams_route_count : max;

	for (size_t i = 0; i < count; i++)
		routes[i] = &directory->teams_routes[i];
	return count;
}

size_t directory_teams_trunks(const struct directory *directory, const struct trunk **trunks, size_t max)
{
	size_t count = 0;

	for (const struct trunk *trunk = NULL; count < max && (trunk = teams_trunk_after(directory, trunk));)
		trunks[count++] = trunk;
	return count;
}
