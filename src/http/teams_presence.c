// Rounds of questions: which Teams users there are, who they are at Microsoft, how they are. What stops a round (a server that asks for
// patience, a network) is waited for, and the next round begins with what was left.
#include "http/teams_presence.h"
#include "base/digest.h"
#include "base/log.h"
#include "domain/device.h"
#include "domain/site.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LOOK_MS = 1000,
	DEVICES_MAX = 20000,
	PAGE = 1000,
	LOOKED_UP_MAX = 200,        // names in one round
	MISSING_AGAIN_MS = 3600000, // whom Microsoft does not know is asked for again
	KNOWN_AGAIN_MS = 86400000,  // a name may mean somebody else one day
	BACKOFF_FIRST_MS = 2000,    // doubled with each failure
	BACKOFF_MAX_MS = 300000,
	RETRY_AFTER_MAX_S = 3600,
	REFUSED_AGAIN_MS = 300000,
	STALE_POLLS = 3, // after so many intervals without an answer nothing is known
	STALE_MIN_MS = 120000,
	FINGERPRINT = 32
};

const char *const teams_presence_state_names[] = {
    [TEAMS_PRESENCE_OFF] = "off",         [TEAMS_PRESENCE_STARTING] = "starting", [TEAMS_PRESENCE_WORKING] = "working",
    [TEAMS_PRESENCE_WAITING] = "waiting", [TEAMS_PRESENCE_REFUSED] = "refused",   NULL,
};

// One device with a Teams user.
struct watched {
	uint64_t device_id;
	char *name;                   // as administrators wrote it; owned
	char id[GRAPH_ID_MAX];        // at Microsoft; empty: not known
	int64_t looked_up_ms;         // monotonic; 0: never
	int64_t told_ms;              // monotonic: in which round; 0: never
	struct device_presence shown; // changed with the lock held
};

struct teams_presence {
	struct teams_presence_settings settings;
	atomic_bool ending;
	pthread_mutex_t lock; // of `ended`, and whatever others read: the table and the view
	pthread_cond_t ended;
	pthread_t thread;
	struct watched *watched; // by device id; written by the thread alone, with the lock held
	size_t count;
	struct teams_presence_view view;
	// the thread's alone
	struct graph *graph; // NULL: off
	uint8_t fingerprint[FINGERPRINT];
	int64_t poll_ms, next_ms, heard_ms; // monotonic
	unsigned failures;                  // in a row
	size_t first_batch;                 // where the next round begins
	bool names_left;                    // to be looked up in the next round
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

// ---- what others are told

struct told {
	struct queue_item item;
	struct watch *watch;
	size_t count;
	uint64_t ids[];
};

static void told_run(struct queue_item *item)
{
	struct told *told = container_of(item, struct told, item);
	for (size_t i = 0; i < told->count; i++)
		watch_device(told->watch, told->ids[i]);
	free(told);
}

// Devices whose presence has changed.
struct changes {
	uint64_t *ids; // owned
	size_t count;
};

static struct changes changes_begin(const struct teams_presence *presence)
{
	return (struct changes){.ids = calloc(presence->count + 1, sizeof(uint64_t))};
}

static void changes_tell(struct teams_presence *presence, struct changes *changes)
{
	struct told *told = NULL;
	if (changes->count && presence->settings.watch)
		told = malloc(sizeof *told + changes->count * sizeof *told->ids);
	if (told) {
		*told = (struct told){.item.run = told_run, .watch = presence->settings.watch, .count = changes->count};
		memcpy(told->ids, changes->ids, changes->count * sizeof *told->ids);
		queue_post(presence->settings.call_thread, &told->item);
	}
	free(changes->ids);
}

// The one place that writes what is shown of a user.
static void shown_set(struct teams_presence *presence, struct watched *watched, const struct device_presence *now,
		      struct changes *changes)
{
	bool same = watched->shown.availability == now->availability &&
		    strcmp(watched->shown.activity, now->activity) == 0 && (watched->shown.at != 0) == (now->at != 0);
	pthread_mutex_lock(&presence->lock);
	watched->shown = *now;
	pthread_mutex_unlock(&presence->lock);
	if (!same && changes->ids)
		changes->ids[changes->count++] = watched->device_id;
}

// The one place that writes how it goes.
static void state_set(struct teams_presence *presence, enum teams_presence_state state, const char *sentence)
{
	enum teams_presence_state was = presence->view.state;
	pthread_mutex_lock(&presence->lock);
	presence->view.state = state;
	snprintf(presence->view.sentence, sizeof presence->view.sentence, "%s", sentence);
	presence->view.next_at =
	    state == TEAMS_PRESENCE_OFF ? 0 : presence->settings.now_ms() + (presence->next_ms - monotonic_ms());
	if (presence->graph)
		presence->view.counters = graph_count(presence->graph);
	pthread_mutex_unlock(&presence->lock);
	if (was != state)
		log_info("teams_presence", LOG_TEXT("from", teams_presence_state_names[was]),
			 LOG_TEXT("to", teams_presence_state_names[state]), LOG_TEXT("why", sentence));
}

// ---- the table

static void table_free(struct watched *watched, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(watched[i].name);
	free(watched);
}

static int by_device(const void *a, const void *b)
{
	const struct watched *one = a, *other = b;
	return (one->device_id > other->device_id) - (one->device_id < other->device_id);
}

static struct watched *watched_find(const struct teams_presence *presence, uint64_t device_id)
{
	const struct watched key = {.device_id = device_id};
	return presence->count ? bsearch(&key, presence->watched, presence->count, sizeof key, by_device) : NULL;
}

// What is known of a device goes on, unless it is another user's now.
static bool watched_add(struct teams_presence *presence, struct watched *watched, const struct device *device)
{
	const struct watched *before = watched_find(presence, device->entity.id);
	char *name = strndup(device->teams_user.at, device->teams_user.length);
	if (!name)
		return false;
	*watched = before && strcmp(before->name, name) == 0 ? *before : (struct watched){.shown = {.at = 0}};
	watched->device_id = device->entity.id;
	watched->name = name;
	return true;
}

static void table_replace(struct teams_presence *presence, struct watched *watched, size_t count)
{
	struct watched *before = presence->watched;
	size_t count_before = presence->count;
	pthread_mutex_lock(&presence->lock);
	presence->watched = watched;
	presence->count = count;
	presence->view.users = count;
	pthread_mutex_unlock(&presence->lock);
	table_free(before, count_before);
}

static enum err page_take(struct teams_presence *presence, const struct entity_page *page, struct watched **table,
			  size_t *count)
{
	struct watched *more = realloc(*table, (*count + page->count + 1) * sizeof *more);
	if (!more)
		return ERR_NO_MEMORY;
	*table = more;
	for (size_t i = 0; i < page->count && *count < DEVICES_MAX; i++) {
		const struct device *device = (const struct device *)page->entities[i];
		if (device->device_kind != DEVICE_TEAMS || str_empty(device->teams_user))
			continue;
		if (!watched_add(presence, &more[*count], device))
			return ERR_NO_MEMORY;
		++*count;
	}
	return ERR_NONE;
}

static enum err table_read(struct teams_presence *presence)
{
	struct records *records = presence->settings.records;
	struct list_query query = {.limit = PAGE, .filter_count = 1};
	struct watched *table = NULL;
	struct entity_page page;
	struct arena arenas[2]; // the cursor is read from the page before
	size_t count = 0;
	enum err err = ERR_NONE;
	query.filters[0] = (struct list_filter){entity_field(&device_type, STR("kind")), STR("teams")};
	arena_init(&arenas[0], 0);
	arena_init(&arenas[1], 0);
	for (unsigned turn = 0; !err; turn = !turn) {
		arena_reset(&arenas[turn]);
		err = records->list(records->context, ENTITY_DEVICE, &query, &arenas[turn], &page);
		if (!err)
			err = page_take(presence, &page, &table, &count);
		if (err || str_empty(page.next))
			break;
		query.cursor = page.next;
	}
	arena_free(&arenas[0]);
	arena_free(&arenas[1]);
	if (err) {
		table_free(table, count);
		return err;
	}
	if (count)
		qsort(table, count, sizeof *table, by_device);
	table_replace(presence, table, count);
	return ERR_NONE;
}

// Nothing is known any more: it was turned off, or nobody has answered for too long.
static void table_forget(struct teams_presence *presence)
{
	struct changes changes = changes_begin(presence);
	for (size_t i = 0; i < presence->count; i++)
		shown_set(presence, &presence->watched[i], &(struct device_presence){.at = 0}, &changes);
	changes_tell(presence, &changes);
}

// ---- a round

static bool is_due(const struct watched *watched, int64_t now_ms)
{
	int64_t again_ms = watched->id[0] ? KNOWN_AGAIN_MS : MISSING_AGAIN_MS;
	return watched->looked_up_ms == 0 || now_ms - watched->looked_up_ms >= again_ms;
}

static enum graph_result names_look_up(struct teams_presence *presence, struct graph_refusal *refusal)
{
	int64_t now_ms = monotonic_ms();
	size_t asked = 0;
	for (size_t i = 0; i < presence->count && asked < LOOKED_UP_MAX && !atomic_load(&presence->ending); i++) {
		struct watched *watched = &presence->watched[i];
		char id[GRAPH_ID_MAX] = "";
		if (!is_due(watched, now_ms))
			continue;
		uint64_t requests = graph_count(presence->graph).requests;
		enum graph_result result = graph_find_user(presence->graph, str_of(watched->name), id, refusal);
		if (result == GRAPH_WAIT || result == GRAPH_REFUSED)
			return result;
		if (result == GRAPH_NOT_FOUND)
			log_warning("teams_user_unknown", LOG_TEXT("name", watched->name),
				    LOG_UINT("device", watched->device_id));
		memcpy(watched->id, id, sizeof watched->id);
		watched->looked_up_ms = now_ms;
		asked += graph_count(presence->graph).requests != requests; // an id is known without asking
	}
	presence->names_left = asked == LOOKED_UP_MAX;
	return GRAPH_DONE;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(struct watched *const *)a)->id, (*(struct watched *const *)b)->id);
}

// Whom a round asks for: those that are known, by their id, of which each is asked for once.
struct asking {
	struct teams_presence *presence;
	struct watched **users; // owned
	size_t user_count;
	const char **ids; // owned
	size_t id_count;
	int64_t began_ms;
	struct changes changes;
};

static bool asking_begin(struct teams_presence *presence, struct asking *asking)
{
	*asking = (struct asking){.presence = presence, .began_ms = monotonic_ms()};
	asking->users = calloc(presence->count + 1, sizeof(struct watched *));
	asking->ids = calloc(presence->count + 1, sizeof *asking->ids);
	if (!asking->users || !asking->ids)
		return false;
	for (size_t i = 0; i < presence->count; i++)
		if (presence->watched[i].id[0])
			asking->users[asking->user_count++] = &presence->watched[i];
	qsort(asking->users, asking->user_count, sizeof(struct watched *), by_id);
	for (size_t i = 0; i < asking->user_count; i++)
		if (i == 0 || strcmp(asking->users[i]->id, asking->users[i - 1]->id) != 0)
			asking->ids[asking->id_count++] = asking->users[i]->id;
	asking->changes = changes_begin(presence);
	return true;
}

static void asking_end(struct asking *asking)
{
	changes_tell(asking->presence, &asking->changes);
	free(asking->users);
	free(asking->ids);
}

static void presence_take(void *context, const struct graph_presence *said)
{
	struct asking *asking = context;
	struct watched key = {.device_id = 0}, *wanted = &key;
	struct device_presence now = {.availability = said->availability, .at = asking->presence->settings.now_ms()};
	if (!str_to_cstring(said->id, key.id, sizeof key.id))
		return;
	struct watched **found = bsearch(&wanted, asking->users, asking->user_count, sizeof(struct watched *), by_id);
	if (!found)
		return; // nobody asked for it
	str_to_cstring(said->activity, now.activity, sizeof now.activity);
	while (found > asking->users && by_id(found - 1, &wanted) == 0)
		found--;
	for (; found < asking->users + asking->user_count && by_id(found, &wanted) == 0; found++) {
		(*found)->told_ms = asking->began_ms;
		shown_set(asking->presence, *found, &now, &asking->changes);
	}
}

static enum graph_result batches_ask(struct teams_presence *presence, struct asking *asking,
				     struct graph_refusal *refusal)
{
	size_t batches = (asking->id_count + GRAPH_BATCH_MAX - 1) / GRAPH_BATCH_MAX;
	const struct graph_taker taker = {presence_take, asking};
	for (size_t i = 0; i < batches && !atomic_load(&presence->ending); i++) {
		size_t batch = (presence->first_batch + i) % batches, from = batch * GRAPH_BATCH_MAX;
		size_t left = asking->id_count - from;
		enum graph_result result =
		    graph_presences(presence->graph, asking->ids + from,
				    left < GRAPH_BATCH_MAX ? left : GRAPH_BATCH_MAX, &taker, refusal);
		if (result != GRAPH_DONE) {
			presence->first_batch = batch; // those before have had their turn
			return result;
		}
	}
	presence->first_batch = 0;
	return GRAPH_DONE;
}

// Of whom nothing was said nothing is known.
static void silent_forget(struct teams_presence *presence, struct asking *asking)
{
	for (size_t i = 0; i < presence->count; i++)
		if (presence->watched[i].told_ms != asking->began_ms)
			shown_set(presence, &presence->watched[i], &(struct device_presence){.at = 0},
				  &asking->changes);
}

static enum graph_result round_run(struct teams_presence *presence, struct graph_refusal *refusal)
{
	struct asking asking;
	*refusal = (struct graph_refusal){.sentence = "The devices cannot be read now."};
	if (table_read(presence))
		return GRAPH_WAIT;
	enum graph_result result = names_look_up(presence, refusal);
	if (result != GRAPH_DONE)
		return result;
	if (asking_begin(presence, &asking))
		result = batches_ask(presence, &asking, refusal);
	else
		result = GRAPH_WAIT;
	if (result == GRAPH_DONE)
		silent_forget(presence, &asking);
	pthread_mutex_lock(&presence->lock);
	presence->view.known = asking.user_count;
	if (result == GRAPH_DONE)
		presence->view.heard_at = presence->settings.now_ms();
	pthread_mutex_unlock(&presence->lock);
	asking_end(&asking);
	return result;
}

// As Microsoft says, or twice as long as the time before, with a little chance in it so that not everybody comes back at once.
static int64_t patience_ms(const struct teams_presence *presence, const struct graph_refusal *refusal)
{
	int64_t wait_ms = BACKOFF_FIRST_MS;
	if (refusal->retry_after_s > 0)
		return (int64_t)(refusal->retry_after_s < RETRY_AFTER_MAX_S ? refusal->retry_after_s
									    : RETRY_AFTER_MAX_S) *
		       1000;
	for (unsigned i = 1; i < presence->failures && wait_ms < BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > BACKOFF_MAX_MS)
		wait_ms = BACKOFF_MAX_MS;
	return wait_ms + monotonic_ms() % (wait_ms / 4);
}

static void round_end(struct teams_presence *presence, enum graph_result result, const struct graph_refusal *refusal)
{
	int64_t now_ms = monotonic_ms();
	if (atomic_load(&presence->ending))
		return;
	switch (result) {
	case GRAPH_DONE:
		presence->failures = 0;
		presence->heard_ms = now_ms;
		presence->next_ms = presence->names_left ? now_ms : now_ms + presence->poll_ms;
		state_set(presence, TEAMS_PRESENCE_WORKING, "");
		return;
	case GRAPH_WAIT:
		presence->failures++;
		presence->next_ms = now_ms + patience_ms(presence, refusal);
		state_set(presence, TEAMS_PRESENCE_WAITING, refusal->sentence);
		return;
	case GRAPH_NOT_FOUND:
	case GRAPH_REFUSED:
		presence->failures++;
		presence->next_ms = now_ms + REFUSED_AGAIN_MS;
		state_set(presence, TEAMS_PRESENCE_REFUSED, refusal->sentence);
		return;
	}
}

// ---- turning on and off

static void turn_off(struct teams_presence *presence)
{
	if (!presence->graph)
		return;
	state_set(presence, TEAMS_PRESENCE_OFF, "");
	graph_destroy(presence->graph);
	presence->graph = NULL;
	table_forget(presence);
	table_replace(presence, NULL, 0);
	pthread_mutex_lock(&presence->lock);
	presence->view.heard_at = 0;
	presence->view.known = 0;
	pthread_mutex_unlock(&presence->lock);
}

// Whom we are and where we ask: with any other everything begins anew.
static void fingerprint_make(const struct site *site, struct arena *arena, uint8_t fingerprint[FINGERPRINT])
{
	struct str all = arena_format(arena, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(site->graph_tenant),
				      STR_ARG(site->graph_client_id), STR_ARG(site->graph_client_secret),
				      STR_ARG(site->graph_login_url), STR_ARG(site->graph_url));
	digest_sha256(all, fingerprint);
	if (all.at)
		explicit_bzero((char *)(uintptr_t)all.at, all.length);
}

static void turn_on(struct teams_presence *presence, const struct site *site, struct arena *arena)
{
	uint8_t fingerprint[FINGERPRINT];
	fingerprint_make(site, arena, fingerprint);
	if (presence->graph && memcmp(fingerprint, presence->fingerprint, sizeof fingerprint) == 0)
		return;
	turn_off(presence);
	presence->graph = graph_create(&(struct graph_settings){.tenant = site->graph_tenant,
								.client_id = site->graph_client_id,
								.client_secret = site->graph_client_secret,
								.login_url = site->graph_login_url,
								.graph_url = site->graph_url,
								.abandoned = &presence->ending});
	if (!presence->graph)
		return;
	memcpy(presence->fingerprint, fingerprint, sizeof fingerprint);
	presence->heard_ms = presence->next_ms = 0;
	presence->failures = 0;
	presence->first_batch = 0;
	state_set(presence, TEAMS_PRESENCE_STARTING, "");
}

static void settings_read(struct teams_presence *presence)
{
	struct records *records = presence->settings.records;
	struct entity *entity;
	struct arena arena;
	arena_init(&arena, 0);
	if (records->get(records->context, ENTITY_SITE, SITE_ID, &arena, &entity) == ERR_NONE) {
		const struct site *site = (const struct site *)entity;
		int64_t poll_ms = site->graph_poll_s * 1000;
		if (poll_ms < presence->poll_ms && presence->failures == 0)
			presence->next_ms = 0; // more often from now on
		presence->poll_ms = poll_ms;
		if (site->graph_presence)
			turn_on(presence, site, &arena);
		else
			turn_off(presence);
		explicit_bzero((char *)(uintptr_t)site->graph_client_secret.at, site->graph_client_secret.length);
	}
	arena_free(&arena);
}

static void stale_forget(struct teams_presence *presence, int64_t now_ms)
{
	int64_t most_ms = STALE_POLLS * presence->poll_ms;
	if (most_ms < STALE_MIN_MS)
		most_ms = STALE_MIN_MS;
	if (presence->heard_ms && now_ms - presence->heard_ms > most_ms) {
		presence->heard_ms = 0;
		table_forget(presence);
	}
}

static void look(struct teams_presence *presence)
{
	struct graph_refusal refusal;
	settings_read(presence);
	if (!presence->graph)
		return;
	stale_forget(presence, monotonic_ms());
	if (monotonic_ms() < presence->next_ms)
		return;
	enum graph_result result = round_run(presence, &refusal);
	round_end(presence, result, &refusal);
}

// ---- the thread

static void *presence_run(void *context)
{
	struct teams_presence *presence = context;
	while (!atomic_load(&presence->ending)) {
		struct timespec until;
		look(presence);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_MS / 1000;
		pthread_mutex_lock(&presence->lock);
		while (!atomic_load(&presence->ending) &&
		       pthread_cond_timedwait(&presence->ended, &presence->lock, &until) == 0)
			;
		pthread_mutex_unlock(&presence->lock);
	}
	return NULL;
}

struct teams_presence *teams_presence_create(const struct teams_presence_settings *settings)
{
	struct teams_presence *presence = calloc(1, sizeof *presence);
	pthread_condattr_t attributes;
	if (!presence)
		return NULL;
	presence->settings = *settings;
	pthread_mutex_init(&presence->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&presence->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&presence->thread, NULL, presence_run, presence) == 0)
		return presence;
	pthread_cond_destroy(&presence->ended);
	pthread_mutex_destroy(&presence->lock);
	free(presence);
	return NULL;
}

void teams_presence_end(struct teams_presence *presence)
{
	if (!presence || atomic_load(&presence->ending))
		return;
	pthread_mutex_lock(&presence->lock);
	atomic_store(&presence->ending, true);
	pthread_cond_signal(&presence->ended);
	pthread_mutex_unlock(&presence->lock);
	pthread_join(presence->thread, NULL);
}

void teams_presence_destroy(struct teams_presence *presence)
{
	if (!presence)
		return;
	teams_presence_end(presence);
	graph_destroy(presence->graph);
	table_free(presence->watched, presence->count);
	pthread_cond_destroy(&presence->ended);
	pthread_mutex_destroy(&presence->lock);
	free(presence);
}

// ---- any thread

bool teams_presence_of(struct teams_presence *presence, uint64_t device_id, struct device_presence *known)
{
	if (!presence)
		return false;
	pthread_mutex_lock(&presence->lock);
	const struct watched *watched = watched_find(presence, device_id);
	if (watched)
		*known = watched->shown;
	pthread_mutex_unlock(&presence->lock);
	return watched != NULL;
}

void teams_presence_look(struct teams_presence *presence, struct teams_presence_view *view)
{
	pthread_mutex_lock(&presence->lock);
	*view = presence->view;
	pthread_mutex_unlock(&presence->lock);
}
