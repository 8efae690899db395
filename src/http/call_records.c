// What happened in calls that are over, leg by leg.
#include "domain/call_record.h"
#include "domain/device.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"
#include "http/site.h"

static bool record_put(json_t *object, const struct call_record *record)
{
	return json_put(object, "id", json_text(record->id)) &&
	       json_put(object, "started_at", json_time(record->started_at)) &&
	       json_put(object, "answered_at", json_time(record->answered_at)) &&
	       json_put(object, "ended_at", json_time(record->ended_at)) &&
	       json_put(object, "caller_number", json_text(record->caller_number)) &&
	       json_put(object, "caller_name", json_text(record->caller_name)) &&
	       json_put(object, "caller_user_id", json_id(record->caller_user_id)) &&
	       json_put(object, "caller_device_id", json_id(record->caller_device_id)) &&
	       json_put(object, "caller_trunk_id", json_id(record->caller_trunk_id)) &&
	       json_put(object, "caller_device_number", json_text(record->caller_device_number)) &&
	       json_put(object, "dialled", json_text(record->dialled)) &&
	       json_put(object, "canonical", json_text(record->canonical)) &&
	       json_put(object, "callee_user_id", json_id(record->callee_user_id)) &&
	       json_put(object, "callee_title", json_text(record->callee_title)) &&
	       json_put(object, "outcome", json_string(outcome_names[record->outcome])) &&
	       json_put(object, "direction",
			json_string(direction_names[record->caller_trunk_id  ? DIRECTION_INCOMING
						    : record->callee_user_id ? DIRECTION_INTERNAL
									     : DIRECTION_OUTGOING])) &&
	       json_put(object, "code", record->err ? json_string(err_name(record->err)) : json_null()) &&
	       json_put(object, "sentence", record->err ? json_string(err_sentence(record->err)) : json_null()) &&
	       json_put(object, "sip_status", json_integer(record->sip_status)) &&
	       json_put(object, "q850", json_integer(record->q850)) &&
	       json_put(object, "ended_by", json_text(record->ended_by)) &&
	       json_put(object, "call_id", json_text(record->call_id)) &&
	       json_put(object, "forwarded_from", json_text(record->forwarded_from)) &&
	       json_put(object, "transferred_by", json_text(record->transferred_by));
}

// Null: nothing is known.
static json_t *quality_show(const struct call_quality *quality)
{
	if (!quality)
		return json_null();
	json_t *object = json_object();
	const char *rating = call_quality_rating(quality);
	double sent = (double)quality->packets + (double)quality->lost;
	if (json_put(object, "relay", json_text(quality->relay)) &&
	    json_put(object, "codec", json_text(quality->codec)) &&
	    json_put(object, "packets", json_integer((json_int_t)quality->packets)) &&
	    json_put(object, "lost", json_integer((json_int_t)quality->lost)) &&
	    json_put(object, "loss_percent", json_real(sent > 0 ? 100 * (double)quality->lost / sent : 0)) &&
	    json_put(object, "jitter_ms", json_integer(quality->jitter_ms)) &&
	    json_put(object, "mos", rating ? json_real(quality->mos_hundred / 100.0) : json_null()) &&
	    json_put(object, "rating", rating ? json_string(rating) : json_null()))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *leg_show(const struct leg_record *leg)
{
	json_t *object = json_object();
	const struct field *kind = entity_field(&device_type, STR("kind"));
	if (json_put(object, "device_id", json_id(leg->device_id)) &&
	    json_put(object, "number", json_text(leg->device_number)) &&
	    json_put(object, "title", json_text(leg->device_title)) &&
	    json_put(object, "kind", json_string(kind->choices[leg->device_kind])) &&
	    json_put(object, "planned_start_ms", json_integer(leg->planned_start_ms)) &&
	    json_put(object, "planned_stop_ms", json_integer(leg->planned_stop_ms)) &&
	    json_put(object, "started_at", json_time(leg->started_at)) &&
	    json_put(object, "ringing_at", json_time(leg->ringing_at)) &&
	    json_put(object, "answered_at", json_time(leg->answered_at)) &&
	    json_put(object, "confirmed_at", json_time(leg->confirmed_at)) &&
	    json_put(object, "ended_at", json_time(leg->ended_at)) &&
	    json_put(object, "outcome", json_string(outcome_names[leg->outcome])) &&
	    json_put(object, "sip_status", json_integer(leg->sip_status)) &&
	    json_put(object, "q850", json_integer(leg->q850)) && json_put(object, "reason", json_text(leg->reason)) &&
	    json_put(object, "anchor_reason",
		     str_empty(leg->anchor_reason) ? json_null() : json_text(leg->anchor_reason)) &&
	    json_put(object, "quality", quality_show(leg->quality)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *record_show(const struct call_record *record)
{
	json_t *object = json_object();
	if (record_put(object, record))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *record_show_legs(const struct call_record *record)
{
	json_t *object = record_show(record), *legs = json_array();
	bool built = object != NULL;
	for (size_t i = 0; built && i < record->leg_count; i++)
		built = json_array_append_new(legs, leg_show(&record->legs[i])) == 0;
	// Both references go, whatever happens.
	built = json_put(object, "legs", legs) && built;
	if (json_put(object, "caller_quality", quality_show(record->caller_quality)) && built)
		return object;
	json_decref(object);
	return NULL;
}

static enum err time_parameter(struct request *request, const char *name, int64_t *time_ms, struct problem *problem)
{
	struct str text;
	if (request_parameter(request, name, &text) && !time_parse(text, time_ms))
		return problem_set(problem, ERR_INVALID_FIELD, name, "%s must be a time such as 2026-01-31T12:00:00Z.",
				   name);
	return ERR_NONE;
}

static enum err id_parameter(struct request *request, const char *name, uint64_t *id, struct problem *problem)
{
	struct str text;
	if (request_parameter(request, name, &text) && (!str_to_uint(text, INT64_MAX, id) || *id == 0))
		return problem_set(problem, ERR_INVALID_FIELD, name, "%s must be an id.", name);
	return ERR_NONE;
}

// The index among the names, or as it was when the parameter is absent.
static enum err name_parameter(struct request *request, const char *name, const char *const *names, int *index,
			       struct problem *problem)
{
	struct str text;
	if (!request_parameter(request, name, &text))
		return ERR_NONE;
	for (int i = 0; names[i]; i++) {
		if (str_equal(str_of(names[i]), text)) {
			*index = i;
			return ERR_NONE;
		}
	}
	return problem_set(problem, ERR_INVALID_FIELD, name, "%s is none of the choices.", name);
}

static enum err records_read(struct request *request, struct record_query *query, struct problem *problem)
{
	request_parameter(request, "q", &query->q);
	request_parameter(request, "cursor", &query->cursor);
	int direction = DIRECTION_ANY, outcome = -1;
	enum err err = site_search(request, &query->q);
	if (err)
		return problem_set(problem, err, NULL, NULL);
	if (collection_limit(request, &query->limit, problem) ||
	    id_parameter(request, "user_id", &query->user_id, problem) ||
	    id_parameter(request, "device_id", &query->device_id, problem) ||
	    name_parameter(request, "outcome", outcome_names, &outcome, problem) ||
	    name_parameter(request, "direction", direction_names, &direction, problem) ||
	    time_parameter(request, "from", &query->from, problem) ||
	    time_parameter(request, "to", &query->to, problem))
		return problem->err;
	query->direction = (enum call_direction)direction;
	query->outcome = outcome >= 0 ? outcome_names[outcome] : NULL;
	return request_parameters_done(request, problem);
}

struct answer call_records_list(struct request *request)
{
	struct records *records = server_records(request->server);
	struct record_query query = {.limit = 0};
	struct record_page page = {0};
	struct problem problem = {0};
	if (records_read(request, &query, &problem))
		return answer_problem(request, &problem);
	enum err err = records->record_list(records->context, &query, &request->arena, &page);
	if (err)
		return answer_err(request, err);
	json_t *items = json_array();
	for (size_t i = 0; i < page.count; i++) {
		if (json_array_append_new(items, record_show(page.records[i])) != 0) {
			json_decref(items);
			return answer_err(request, ERR_NO_MEMORY);
		}
	}
	return collection_page(request, items, -1, page.next);
}

struct answer call_record_get(struct request *request)
{
	struct records *records = server_records(request->server);
	struct call_record *record;
	enum err err = records->record_get(records->context, request->id, &request->arena, &record);
	return err ? answer_err(request, err) : answer_json(request, 200, record_show_legs(record));
}
