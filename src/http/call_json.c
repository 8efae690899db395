// Calls as JSON.
#include "http/call_json.h"
#include "domain/device.h"

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *or_nothing(json_t *object, bool built)
{
	if (built)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *leg_show(const struct leg_snapshot *leg)
{
	json_t *object = json_object();
	return or_nothing(object, json_put(object, "id", json_id(leg->leg)) &&
				      json_put(object, "device_id", json_id(leg->device_id)) &&
				      json_put(object, "number", json_text(leg->device_number)) &&
				      json_put(object, "title", json_text(leg->device_title)) &&
				      json_put(object, "state", json_string(leg->state)) &&
				      json_put(object, "started_at", json_time(leg->started_at)) &&
				      json_put(object, "ringing_at", json_time(leg->ringing_at)) &&
				      json_put(object, "answered_at", json_time(leg->answered_at)) &&
				      json_put(object, "ended_at", json_time(leg->ended_at)) &&
				      json_put(object, "outcome", text_or_null(leg->outcome)) &&
				      json_put(object, "reason", json_text(leg->reason)));
}

static json_t *turn_show(const struct turn_snapshot *turn)
{
	json_t *object = json_object();
	const struct field *kind = entity_field(&device_type, STR("kind"));
	return or_nothing(object, json_put(object, "device_id", json_id(turn->device_id)) &&
				      json_put(object, "number", json_text(turn->number)) &&
				      json_put(object, "title", json_text(turn->title)) &&
				      json_put(object, "kind", json_string(kind->choices[turn->device_kind])) &&
				      json_put(object, "planned_start_ms", json_integer(turn->planned_start_ms)) &&
				      json_put(object, "planned_stop_ms", json_integer(turn->planned_stop_ms)) &&
				      json_put(object, "start_ms", json_integer(turn->start_ms)) &&
				      json_put(object, "stop_ms", json_integer(turn->stop_ms)) &&
				      json_put(object, "state", json_string(turn->state)) &&
				      json_put(object, "outcome", text_or_null(turn->outcome)) &&
				      json_put(object, "reason", text_or_null(turn->reason)));
}

static bool parts_put(json_t *object, const struct call_snapshot *call, enum call_view view)
{
	json_t *legs = json_array(), *turns = json_array();
	bool built = true, devices = view == CALL_WITH_DEVICES;
	for (size_t i = 0; devices && built && i < call->leg_count; i++)
		built = json_array_append_new(legs, leg_show(&call->legs[i])) == 0;
	for (size_t i = 0; devices && built && i < call->turn_count; i++)
		built = json_array_append_new(turns, turn_show(&call->turns[i])) == 0;
	// Both references go, whatever happens.
	built = json_put(object, "legs", legs) && built;
	return json_put(object, "turns", turns) && built;
}

json_t *call_to_json(const struct call_snapshot *call, enum call_view view)
{
	json_t *object = json_object();
	return or_nothing(object, json_put(object, "id", json_id(call->call)) &&
				      json_put(object, "record_id", json_text(call->record_id)) &&
				      json_put(object, "caller_number", json_text(call->caller_number)) &&
				      json_put(object, "caller_name", json_text(call->caller_name)) &&
				      json_put(object, "caller_user_id", json_id(call->caller_user_id)) &&
				      json_put(object, "caller_device_id", json_id(call->caller_device_id)) &&
				      json_put(object, "caller_trunk_id", json_id(call->caller_trunk_id)) &&
				      json_put(object, "dialled", json_text(call->dialled)) &&
				      json_put(object, "called", json_text(call->called)) &&
				      json_put(object, "callee_user_id", json_id(call->callee_user_id)) &&
				      json_put(object, "callee_title", json_text(call->callee_title)) &&
				      json_put(object, "state", json_string(call->state)) &&
				      json_put(object, "caller_holds", json_boolean(call->caller_holds)) &&
				      json_put(object, "callee_holds", json_boolean(call->callee_holds)) &&
				      json_put(object, "over", json_boolean(call->over)) &&
				      json_put(object, "outcome", text_or_null(call->outcome)) &&
				      json_put(object, "started_at", json_time(call->started_at)) &&
				      json_put(object, "answered_at", json_time(call->answered_at)) &&
				      json_put(object, "ring_started_at", json_time(call->ring_started_at)) &&
				      parts_put(object, call, view));
}
