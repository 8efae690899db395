// One change, or deletion, of many entities: it succeeds or fails as a whole, and each that stands in the way is named.
#include "http/body.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <string.h>

enum { PROBLEMS_SHOWN_MAX = 200 };

enum bulk_kind { BULK_CHANGE, BULK_DELETE };

struct bulk {
	struct request *request;
	enum bulk_kind kind;
	enum write_mode mode;
	enum delete_mode delete_mode;
	json_t *change; // borrowed from the body
	uint64_t *ids;
	size_t count;
	struct record_write *writes; // of those that can be tried
	size_t write_count;
	json_t *problems;
	bool refused; // one of them at least
	bool no_memory;
};

static void refusal_add(struct bulk *bulk, uint64_t id, const struct problem *problem)
{
	json_t *object = json_object();
	bulk->refused = true;
	if (json_array_size(bulk->problems) >= PROBLEMS_SHOWN_MAX) {
		json_decref(object);
		return;
	}
	bool built = json_put(object, "id", json_id(id)) && json_put(object, "field", json_string(problem->field)) &&
		     json_put(object, "code", json_string(err_name(problem->err))) &&
		     json_put(object, "sentence", json_text(str_of(problem->sentence))) &&
		     json_put(object, "other_id", json_id(problem->other_id));
	if (!built) {
		json_decref(object);
		object = NULL;
	}
	bulk->no_memory |= json_array_append_new(bulk->problems, object) != 0;
}

// ---- what is asked

static bool flag_read(const json_t *body, const char *name, struct problem_list *problems)
{
	const json_t *value = json_object_get(body, name);
	if (value && !json_is_boolean(value))
		problem_set(problem_list_next(problems), ERR_INVALID_FIELD, name, "%s is true or false.", name);
	return json_is_true(value);
}

static void ids_read(struct bulk *bulk, struct problem_list *problems)
{
	const json_t *ids = json_object_get(bulk->request->json, "ids"), *value;
	size_t i;
	if (!json_is_array(ids) || json_array_size(ids) == 0 || json_array_size(ids) > WRITES_MAX) {
		problem_set(problem_list_next(problems), ids ? ERR_INVALID_FIELD : ERR_MISSING_FIELD, "ids",
			    "ids is a list of 1 to %d ids, as text.", WRITES_MAX);
		return;
	}
	bulk->ids = arena_alloc(&bulk->request->arena, json_array_size(ids) * sizeof *bulk->ids);
	bulk->writes = arena_alloc(&bulk->request->arena, json_array_size(ids) * sizeof *bulk->writes);
	if (!bulk->ids || !bulk->writes) {
		problem_set(problem_list_next(problems), ERR_NO_MEMORY, NULL, NULL);
		return;
	}
	json_array_foreach(ids, i, value)
	{
		struct str text = {json_string_value(value), json_string_length(value)};
		if (!json_is_string(value) || !str_to_uint(text, INT64_MAX, &bulk->ids[bulk->count++])) {
			problem_set(problem_list_next(problems), ERR_INVALID_FIELD, "ids", "Item %zu of ids is no id.",
				    i + 1);
			return;
		}
	}
}

static void bulk_read(struct bulk *bulk, struct problem_list *problems)
{
	static const char *const names[] = {"ids", "change", "delete", "release", "dry_run", NULL};
	json_t *body = bulk->request->json;
	body_only(body, names, problems);
	ids_read(bulk, problems);
	bulk->change = json_object_get(body, "change");
	bulk->kind = flag_read(body, "delete", problems) ? BULK_DELETE : BULK_CHANGE;
	bulk->delete_mode = flag_read(body, "release", problems) ? DELETE_AND_RELEASE : DELETE_IF_FREE;
	bulk->mode = flag_read(body, "dry_run", problems) ? WRITE_TRY : WRITE_FOR_GOOD;
	if ((bulk->kind == BULK_DELETE) == (bulk->change != NULL) ||
	    (bulk->change && (!json_is_object(bulk->change) || json_object_size(bulk->change) == 0)))
		problem_set(problem_list_next(problems), ERR_INVALID_FIELD, "change",
			    "Say either which fields to change, as an object, or delete: true.");
}

// ---- each of them

static enum err item_prepare(struct bulk *bulk, uint64_t id)
{
	struct request *request = bulk->request;
	struct records *records = server_records(request->server);
	struct change change = {.request = request};
	struct problem problem = {0};
	struct entity *before;
	enum err err = records->get(records->context, request->operation->kind, id, &request->arena, &before);
	if (err) {
		problem_set(&problem, err, NULL, NULL);
		refusal_add(bulk, id, &problem);
		return err == ERR_NOT_FOUND ? ERR_NONE : err;
	}
	change.before = before;
	change.entity = bulk->kind == BULK_DELETE ? before : entity_copy(before, &request->arena);
	if (!change.entity)
		return ERR_NO_MEMORY;
	if (bulk->kind == BULK_CHANGE)
		collection_prepare(&change, bulk->change, CHANGE_MERGE);
	else if (before->kind == ENTITY_USER && id == request->identity.user->entity.id)
		problem_set(problem_list_next(&change.problems), ERR_NOT_ALLOWED, NULL,
			    "Nobody can delete themselves.");
	for (size_t i = 0; i < change.problems.count; i++)
		refusal_add(bulk, id, &change.problems.problems[i]);
	if (change.problems.count == 0)
		bulk->writes[bulk->write_count++] =
		    (struct record_write){.kind = bulk->kind == BULK_DELETE ? WRITE_REMOVE : WRITE_UPDATE,
					  .entity = change.entity,
					  .mode = bulk->delete_mode};
	return ERR_NONE;
}

// When some are wrong already the others are only tried, so that everything is said at once.
static enum err bulk_write(struct bulk *bulk)
{
	struct records *records = server_records(bulk->request->server);
	enum write_mode mode = bulk->refused ? WRITE_TRY : bulk->mode;
	enum err err = records->write_all(records->context, bulk->writes, bulk->write_count, mode);
	bool named = false;
	for (size_t i = 0; err && i < bulk->write_count; i++) {
		if (!bulk->writes[i].err)
			continue;
		refusal_add(bulk, bulk->writes[i].entity->id, &bulk->writes[i].problem);
		named = true;
	}
	return named ? ERR_NONE : err;
}

static struct answer bulk_answer(struct bulk *bulk)
{
	struct request *request = bulk->request;
	if (bulk->no_memory)
		return answer_err(request, ERR_NO_MEMORY);
	if (bulk->refused) {
		struct problem problem = {0};
		json_t *more = json_object();
		problem_set(&problem, ERR_SOME_REFUSED, NULL, "Nothing was changed: %zu things stand in the way. %s",
			    json_array_size(bulk->problems),
			    json_string_value(json_object_get(json_array_get(bulk->problems, 0), "sentence")));
		if (json_object_set(more, "problems", bulk->problems) != 0) {
			json_decref(more);
			more = NULL;
		}
		return answer_problem_with(request, &problem, more);
	}
	json_t *body = json_object();
	if (!json_put(body, "count", json_integer((json_int_t)bulk->count)) ||
	    !json_put(body, "dry_run", json_boolean(bulk->mode == WRITE_TRY))) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, 200, body);
}

struct answer collection_bulk(struct request *request)
{
	struct bulk bulk = {.request = request, .problems = json_array()};
	struct problem_list problems = {.count = 0};
	struct answer answer;
	enum err err = bulk.problems ? ERR_NONE : ERR_NO_MEMORY;
	bulk_read(&bulk, &problems);
	for (size_t i = 0; !err && problems.count == 0 && i < bulk.count; i++)
		err = item_prepare(&bulk, bulk.ids[i]);
	if (!err && problems.count == 0)
		err = bulk_write(&bulk);
	answer = problems.count ? answer_problems(request, &problems)
		 : err          ? answer_err(request, err)
				: bulk_answer(&bulk);
	json_decref(bulk.problems);
	return answer;
}
