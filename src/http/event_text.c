// From a report to the text of its events.
#include "http/event_text.h"
#include "domain/device.h"
#include "http/call_json.h"
#include "http/presence_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const event_kind_names[] = {
    [EVENT_CALL] = "call",   [EVENT_DEVICE] = "device", [EVENT_ENTITY] = "entity", [EVENT_SESSION] = "session",
    [EVENT_TRUNK] = "trunk", [EVENT_ALARM] = "alarm",   [EVENT_KIND_COUNT] = NULL,
};

bool event_concerns(const struct event *event, const struct listener_settings *who)
{
	if (!(who->kinds & 1u << event->kind))
		return false;
	if (who->role != ROLE_AGENT)
		return event->for_readers;
	for (size_t i = 0; i < event->user_count; i++)
		if (event->users[i] == who->user_id)
			return true;
	return event->for_agents;
}

static void user_add(struct event *audience, uint64_t user_id)
{
	if (user_id && audience->user_count < EVENT_USERS_MAX)
		audience->users[audience->user_count++] = user_id;
}

// Takes the reference to `data`, which may be NULL.
static bool event_make(struct event_batch *batch, const struct event *audience, json_t *data)
{
	char head[96];
	char *json = data ? json_dumps(data, JSON_COMPACT) : NULL;
	json_decref(data);
	if (!json)
		return false;
	int head_length =
	    snprintf(head, sizeof head, "id: %" PRIx64 "-%" PRIu64 "\nevent: %s\ndata: ", (uint64_t)batch->epoch,
		     batch->next, event_kind_names[audience->kind]);
	size_t length = (size_t)head_length + strlen(json) + 2;
	struct event *event = malloc(sizeof *event + length + 1);
	if (event) {
		*event = *audience;
		event->holders = 1;
		event->length = length;
		snprintf(event->text, length + 1, "%s%s\n\n", head, json);
		batch->next++;
		event->following = NULL;
		*batch->end = event;
		batch->end = &event->following;
	}
	free(json);
	return event != NULL;
}

// ---- calls

// Whoever is called sees the devices; whoever calls, or was called before, sees only the call.
static bool call_make(struct event_batch *batch, const struct call_snapshot *call)
{
	struct event audience = {.kind = EVENT_CALL, .for_readers = true};
	user_add(&audience, call->callee_user_id);
	if (!call->state || !event_make(batch, &audience, call_to_json(call, CALL_WITH_DEVICES)))
		return false;
	struct event others = {.kind = EVENT_CALL};
	for (size_t i = 0; i < call->other_count; i++)
		user_add(&others, call->others[i]);
	return others.user_count == 0 || event_make(batch, &others, call_to_json(call, CALL_WITHOUT_DEVICES));
}

// ---- devices

static json_t *holder_show(const struct device_report *device)
{
	if (!device->holder_id)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "user_id", json_id(device->holder_id)) &&
	    json_put(object, "title", json_text(device->holder_title)) &&
	    json_put(object, "extension", json_text(device->holder_extension)) &&
	    json_put(object, "expires_at", json_time(device->expires_at)))
		return object;
	json_decref(object);
	return NULL;
}

static bool device_make(struct event_batch *batch, const struct device_report *device, struct teams_presence *presence)
{
	struct event audience = {
	    .kind = EVENT_DEVICE, .for_readers = true, .for_agents = device->available_for_selection};
	const struct field *kind = entity_field(&device_type, STR("kind"));
	json_t *data = json_object();
	bool built = json_put(data, "id", json_id(device->device_id));
	// Without an id: so many have changed that whoever shows some must read them anew.
	if (built && device->device_id)
		built = json_put(data, "number", json_text(device->number)) &&
			json_put(data, "title", json_text(device->title)) &&
			json_put(data, "kind", json_string(kind->choices[device->device_kind])) &&
			json_put(data, "available_for_selection", json_boolean(device->available_for_selection)) &&
			json_put(data, "registered", json_boolean(device->contacts > 0)) &&
			json_put(data, "contacts", json_integer(device->contacts)) &&
			json_put(data, "presence", presence_to_json(presence, device->device_id)) &&
			json_put(data, "held", json_string(held_names[device->held])) &&
			json_put(data, "holder", holder_show(device)) &&
			json_put(data, "holder_count", json_integer((json_int_t)device->holders));
	user_add(&audience, device->holder_id);
	audience.for_agents |= device->device_id == 0;
	if (!built) {
		json_decref(data);
		data = NULL;
	}
	return event_make(batch, &audience, data);
}

// ---- what is managed, and sessions

static bool entity_make(struct event_batch *batch, const struct entity_report *entity)
{
	bool session = entity->kind == ENTITY_SESSION;
	struct event audience = {.kind = session ? EVENT_SESSION : EVENT_ENTITY, .for_readers = true};
	json_t *data = json_object();
	bool built = json_put(data, "kind", json_string(entity_type(entity->kind)->name)) &&
		     json_put(data, "id", json_id(entity->id)) &&
		     json_put(data, "version", json_integer((json_int_t)entity->version)) &&
		     json_put(data, "action", json_string(entity_action_names[entity->action]));
	if (built && entity->user_id)
		built = json_put(data, "user_id", json_id(entity->user_id)) &&
			json_put(data, "user_title", json_text(entity->title)) &&
			json_put(data, "extension", json_text(entity->extension));
	user_add(&audience, entity->user_id);
	audience.for_agents = entity->kind == ENTITY_USER && entity->id == 0; // it may be any of them
	if (!built) {
		json_decref(data);
		data = NULL;
	}
	return event_make(batch, &audience, data);
}

// ---- trunks

static bool trunk_make(struct event_batch *batch, uint64_t trunk_id)
{
	const struct event audience = {.kind = EVENT_TRUNK, .for_readers = true};
	json_t *data = json_object();

	if (!json_put(data, "id", json_id(trunk_id))) {
		json_decref(data);
		data = NULL;
	}
	return event_make(batch, &audience, data);
}

// ---- alarms

static bool alarm_make(struct event_batch *batch, const struct toll_alarm *alarm)
{
	struct event audience = {.kind = EVENT_ALARM, .for_readers = true};
	char sentence[TOLL_ALARM_SENTENCE_MAX];
	json_t *data = json_object();
	bool built = json_put(data, "severity", json_string(alarm->reached ? "error" : "warning")) &&
		     json_put(data, "of", json_string(toll_scope_names[alarm->scope])) &&
		     json_put(data, "id", json_id(alarm->id)) &&
		     json_put(data, "label", json_text(str_of(alarm->label))) &&
		     json_put(data, "limit", json_string(toll_measure_names[alarm->measure])) &&
		     json_put(data, "used", json_integer(alarm->used)) &&
		     json_put(data, "of_at_most", json_integer(alarm->limit)) &&
		     json_put(data, "refused", json_integer((json_int_t)alarm->refused)) &&
		     json_put(data, "at", json_time(alarm->at)) &&
		     json_put(data, "sentence", json_text(toll_alarm_sentence(alarm, sentence)));
	if (!built) {
		json_decref(data);
		data = NULL;
	}
	return event_make(batch, &audience, data);
}

bool events_make(struct event_batch *batch, const struct report *report, struct teams_presence *presence)
{
	switch (report->kind) {
	case REPORT_CALL:
		return call_make(batch, &report->call);
	case REPORT_DEVICE:
		return device_make(batch, &report->device, presence);
	case REPORT_ENTITY:
		return entity_make(batch, &report->entity);
	case REPORT_TRUNK:
		return trunk_make(batch, report->trunk_id);
	case REPORT_ALARM:
		return alarm_make(batch, &report->alarm);
	}
	return false;
}
