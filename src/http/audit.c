// Who changed what from which value to which.
#include "http/audit.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <string.h>
#include <time.h>

const struct entity_type *audit_entity_type(const struct audit_entry *entry)
{
	for (int kind = 0; kind < ENTITY_KIND_COUNT; kind++)
		if (str_equal(str_of(entity_type((enum entity_kind)kind)->name), entry->entity))
			return entity_type((enum entity_kind)kind);
	return NULL;
}

struct str audit_signature(struct request *request, const struct audit_entry *entry)
{
	time_t seconds = (time_t)(entry->at / 1000);
	struct tm parts;
	char text[32] = "";
	if (gmtime_r(&seconds, &parts))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
	struct str who = str_empty(entry->actor) ? STR("the server") : entry->actor;
	struct str made = arena_format(&request->arena, "%.*s, %s", STR_ARG(who), text);
	return made.at ? made : who;
}

// ---- showing

// The text as JSON of the field's type; as text when the field is gone or its type has changed since.
static json_t *value_show(struct request *request, const struct entity_type *type, struct str name, struct str text)
{
	struct entity *scratch = type ? entity_new(type->kind, &request->arena) : NULL;
	const struct field *field = type ? entity_field(type, name) : NULL;
	if (scratch && field && field_from_text(scratch, field, text, &request->arena))
		return field_to_json(scratch, field);
	if (scratch && type->kind == ENTITY_USER && str_equal(name, STR("turns")) &&
	    user_turns_from_text((struct user *)scratch, text, &request->arena))
		return turns_to_json((struct user *)scratch);
	return json_text(text);
}

static json_t *change_show(struct request *request, const struct entity_type *type, const struct audit_change *change)
{
	json_t *object = json_object();
	json_t *before = change->had_before ? value_show(request, type, change->field, change->before) : json_null();
	json_t *after = change->secret      ? json_string("changed")
			: change->has_after ? value_show(request, type, change->field, change->after)
					    : json_null();
	bool built = json_put(object, "before", before);
	built = json_put(object, "after", after) && built;
	if (built && json_put(object, "field", json_text(change->field)) &&
	    json_put(object, "secret", json_boolean(change->secret)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *changes_show(struct request *request, const struct audit_entry *entry)
{
	const struct entity_type *type = audit_entity_type(entry);
	json_t *changes = json_array();
	for (size_t i = 0; i < entry->change_count; i++) {
		if (json_array_append_new(changes, change_show(request, type, &entry->changes[i])) != 0) {
			json_decref(changes);
			return NULL;
		}
	}
	return changes;
}

json_t *audit_entry_show(struct request *request, const struct audit_entry *entry)
{
	json_t *object = json_object();
	if (json_put(object, "id", json_id(entry->id)) && json_put(object, "at", json_time(entry->at)) &&
	    json_put(object, "group_id", json_id(entry->group_id)) &&
	    json_put(object, "actor_id", json_id(entry->actor_id)) &&
	    json_put(object, "actor", json_text(entry->actor)) && json_put(object, "via", json_text(entry->via)) &&
	    json_put(object, "token", json_text(entry->token)) &&
	    json_put(object, "address", json_text(entry->address)) &&
	    json_put(object, "action", json_text(entry->action)) &&
	    json_put(object, "entity", json_text(entry->entity)) &&
	    json_put(object, "entity_id", json_id(entry->entity_id)) &&
	    json_put(object, "label", json_text(entry->label)) &&
	    json_put(object, "version", json_integer((json_int_t)entry->version)) &&
	    json_put(object, "undoes", json_id(entry->undoes)) &&
	    json_put(object, "undone_by", json_id(entry->undone_by)) &&
	    json_put(object, "changes", changes_show(request, entry)))
		return object;
	json_decref(object);
	return NULL;
}

// ---- finding

enum err audit_find(struct request *request, uint64_t id, struct audit_entry **entry)
{
	struct records *records = server_records(request->server);
	const struct audit_query query = {.id = id, .limit = 1};
	struct audit_page page = {0};
	if (id == 0)
		return ERR_NOT_FOUND;
	enum err err = records->audit_list(records->context, &query, &request->arena, &page);
	if (!err && page.count == 0)
		err = ERR_NOT_FOUND;
	if (!err)
		*entry = &page.entries[0];
	return err;
}

static enum err id_read(struct request *request, const char *name, uint64_t *id, struct problem *problem)
{
	struct str text;
	if (request_parameter(request, name, &text) && (!str_to_uint(text, INT64_MAX, id) || *id == 0))
		return problem_set(problem, ERR_INVALID_FIELD, name, "%s must be an id.", name);
	return ERR_NONE;
}

static enum err time_read(struct request *request, const char *name, int64_t *time_ms, struct problem *problem)
{
	struct str text;
	if (request_parameter(request, name, &text) && !time_parse(text, time_ms))
		return problem_set(problem, ERR_INVALID_FIELD, name, "%s must be a time such as 2026-01-31T12:00:00Z.",
				   name);
	return ERR_NONE;
}

static enum err query_read(struct request *request, struct audit_query *query, struct problem *problem)
{
	request_parameter(request, "q", &query->q);
	request_parameter(request, "cursor", &query->cursor);
	request_parameter(request, "entity", &query->entity);
	request_parameter(request, "action", &query->action);
	if (collection_limit(request, &query->limit, problem) ||
	    id_read(request, "actor_id", &query->actor_id, problem) ||
	    id_read(request, "entity_id", &query->entity_id, problem) ||
	    id_read(request, "group_id", &query->group_id, problem) ||
	    time_read(request, "from", &query->from, problem) || time_read(request, "to", &query->to, problem))
		return problem->err;
	return request_parameters_done(request, problem);
}

struct answer audit_get_all(struct request *request)
{
	struct records *records = server_records(request->server);
	struct audit_query query = {.limit = 0};
	struct audit_page page = {0};
	struct problem problem = {0};
	if (query_read(request, &query, &problem))
		return answer_problem(request, &problem);
	enum err err = records->audit_list(records->context, &query, &request->arena, &page);
	if (err)
		return answer_err(request, err);
	json_t *items = json_array();
	for (size_t i = 0; i < page.count; i++) {
		if (json_array_append_new(items, audit_entry_show(request, &page.entries[i])) != 0) {
			json_decref(items);
			return answer_err(request, ERR_NO_MEMORY);
		}
	}
	return collection_page(request, items, -1, page.next);
}

struct answer audit_get(struct request *request)
{
	struct audit_entry *entry;
	struct problem problem = {0};
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	enum err err = audit_find(request, request_id(request), &entry);
	return err ? answer_err(request, err) : answer_json(request, 200, audit_entry_show(request, entry));
}
