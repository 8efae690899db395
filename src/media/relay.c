// The checks: a ping every two seconds, sent four times within one round; when none of them is answered the relay is down
// until two pings in a row are. A relay that has started anew between two pings is found by its uptime.
#include "media/relay.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUND_MS = 2000,
	ROUND_DOWN_MS = 1000, // while it is down
	PATIENCE_MS = 1500,   // datagrams after 0, 100, 300 and 700 ms
	GOOD_WANTED = 2,
	UPTIME_SLACK_S = 2 // two clocks, of which one counts whole seconds
};

enum relay_service { RELAY_UNKNOWN, RELAY_UP, RELAY_DOWN };
static const char *const service_names[] = {"unknown", "up", "down"};

struct relay {
	struct relays *relays;
	char name[MEDIA_RELAY_NAME_MAX + 1];
	struct net_address address;
	unsigned weight;
	struct ng_client *client;
	struct timer round;
	struct ng_request *check; // the ping or the question after it
	uint64_t asked_us;
	enum relay_service service;
	unsigned good; // in a row
	int64_t since, latency_us;
	size_t sessions;
	uint64_t uptime_s, uptime_at_ms; // as last told; uptime_at_ms 0: never
};

struct relays {
	struct loop *loop;
	struct net_address local;
	relay_gone *gone;
	void *context;
	struct relay *relays[MEDIA_RELAYS_MAX]; // owned
	size_t count;
};

static void service_set(struct relay *relay, enum relay_service service)
{
	if (relay->service == service)
		return;
	log_at(service == RELAY_DOWN ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "media_relay",
	       LOG_TEXT("relay", relay->name), LOG_TEXT("from", service_names[relay->service]),
	       LOG_TEXT("to", service_names[service]), LOG_UINT("sessions", relay->sessions));
	relay->service = service;
	relay->since = (int64_t)loop_time_ms(relay->relays->loop);
}

// ---- one round

static void round_over(struct relay *relay)
{
	timer_start(relay->relays->loop, &relay->round, relay->service == RELAY_DOWN ? ROUND_DOWN_MS : ROUND_MS);
}

static void ping_missed(struct relay *relay)
{
	bool was_up = relay->service == RELAY_UP;

	relay->good = 0;
	relay->uptime_at_ms = 0;
	service_set(relay, RELAY_DOWN);
	round_over(relay);
	if (was_up)
		relay->relays->gone(relay->relays->context, relay, UINT64_MAX);
}

static void uptime_take(struct relay *relay, uint64_t uptime_s)
{
	uint64_t now_ms = loop_now_ms(relay->relays->loop);
	bool anew =
	    relay->uptime_at_ms && uptime_s + UPTIME_SLACK_S < relay->uptime_s + (now_ms - relay->uptime_at_ms) / 1000;

	relay->uptime_s = uptime_s;
	relay->uptime_at_ms = now_ms;
	if (!anew)
		return;
	log_warning("media_relay_restarted", LOG_TEXT("relay", relay->name), LOG_UINT("sessions", relay->sessions));
	relay->relays->gone(relay->relays->context, relay,
			    now_ms - (uptime_s * 1000 < now_ms ? uptime_s * 1000 : now_ms));
}

static void statistics_answered(void *context, const json_t *answer)
{
	struct relay *relay = context;
	const json_t *totals = json_object_get(json_object_get(answer, "statistics"), "totalstatistics");
	uint64_t uptime_s = ng_uint(totals, "uptime", UINT64_MAX);

	relay->check = NULL;
	round_over(relay);
	if (uptime_s < UINT64_MAX / 2000)
		uptime_take(relay, uptime_s);
}

static struct ng_request *ask(struct relay *relay, const char *command, ng_answered *handler)
{
	json_t *object = json_pack("{s:s}", "command", command);
	struct ng_request *request = object ? ng_send(relay->client, object, PATIENCE_MS, handler, relay) : NULL;

	json_decref(object);
	return request;
}

static void ping_answered(void *context, const json_t *answer)
{
	struct relay *relay = context;

	relay->check = NULL;
	if (!str_equal(ng_result(answer), STR("pong"))) {
		ping_missed(relay);
		return;
	}
	relay->latency_us = (int64_t)(loop_now_us(relay->relays->loop) - relay->asked_us);
	relay->good++;
	if (relay->service == RELAY_UNKNOWN || relay->good >= GOOD_WANTED)
		service_set(relay, RELAY_UP);
	relay->check = ask(relay, "statistics", statistics_answered);
	if (!relay->check)
		round_over(relay);
}

static void round_begin(struct timer *timer)
{
	struct relay *relay = container_of(timer, struct relay, round);

	relay->asked_us = loop_now_us(relay->relays->loop);
	relay->check = ask(relay, "ping", ping_answered);
	if (!relay->check)
		round_over(relay); // no memory: that says nothing of the relay
}

// ---- what others ask

struct relay *relays_choose(const struct relays *relays, const struct relay *other_than)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < relays->count; i++)
		if (relays->relays[i]->service == RELAY_UP && relays->relays[i] != other_than)
			total += relays->relays[i]->weight;
	if (total == 0)
		return NULL;
	at = loop_random_uint(relays->loop) % total;
	for (size_t i = 0; i < relays->count; i++) {
		struct relay *relay = relays->relays[i];
		if (relay->service != RELAY_UP || relay == other_than)
			continue;
		if (at < relay->weight)
			return relay;
		at -= relay->weight;
	}
	return NULL;
}

bool relays_available(const struct relays *relays)
{
	for (size_t i = 0; i < relays->count; i++)
		if (relays->relays[i]->service == RELAY_UP)
			return true;
	return false;
}

bool relays_hold(const struct relays *relays, const struct net_address *host)
{
	for (size_t i = 0; i < relays->count; i++)
		if (net_address_same_host(&relays->relays[i]->address, host))
			return true;
	return false;
}

size_t relays_states(const struct relays *relays, struct media_relay_state states[MEDIA_RELAYS_MAX])
{
	for (size_t i = 0; i < relays->count; i++) {
		const struct relay *relay = relays->relays[i];
		struct ng_counters counters = ng_client_count(relay->client);
		states[i] = (struct media_relay_state){
		    .address = relay->address,
		    .up = relay->service == RELAY_UP,
		    .since = relay->since,
		    .sessions = relay->sessions,
		    .latency_us = relay->latency_us,
		    .commands = counters.sent,
		    .retransmissions = counters.retransmissions,
		    .timeouts = counters.timeouts,
		};
		memcpy(states[i].name, relay->name, sizeof relay->name);
	}
	return relays->count;
}

struct ng_client *relay_client(const struct relay *relay)
{
	return relay->client;
}

bool relay_is_up(const struct relay *relay)
{
	return relay->service == RELAY_UP;
}

struct str relay_name(const struct relay *relay)
{
	return str_of(relay->name);
}

void relay_take(struct relay *relay)
{
	relay->sessions++;
}

void relay_give(struct relay *relay)
{
	relay->sessions--;
}

// ---- making and ending

int relays_create(struct loop *loop, const struct net_address *local, relay_gone *gone, void *context,
		  struct relays **relays)
{
	struct relays *made = calloc(1, sizeof *made);

	if (!made)
		return -ENOMEM;
	made->loop = loop;
	made->local = *local;
	made->gone = gone;
	made->context = context;
	*relays = made;
	return 0;
}

int relays_add(struct relays *relays, const struct relay_settings *settings)
{
	struct relay *relay;
	int error;

	if (relays->count == MEDIA_RELAYS_MAX)
		return -ENOSPC;
	relay = calloc(1, sizeof *relay);
	if (!relay)
		return -ENOMEM;
	relay->relays = relays;
	relay->address = settings->address;
	relay->weight = settings->weight;
	relay->latency_us = -1;
	str_to_cstring(str_first(settings->name, MEDIA_RELAY_NAME_MAX), relay->name, sizeof relay->name);
	error = ng_client_create(relays->loop, &relays->local, &relay->address, &relay->client);
	if (error) {
		free(relay);
		return error;
	}
	timer_init(&relay->round, round_begin);
	timer_start(relays->loop, &relay->round, 1);
	relays->relays[relays->count++] = relay;
	return 0;
}

void relays_destroy(struct relays *relays)
{
	if (!relays)
		return;
	for (size_t i = 0; i < relays->count; i++) {
		timer_stop(&relays->relays[i]->round);
		ng_client_destroy(relays->relays[i]->client);
		free(relays->relays[i]);
	}
	free(relays);
}
