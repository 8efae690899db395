// The operations that all kinds of entities share.
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"
#include "http/site.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 };

static const struct resource plain_resource = {0};

static const struct resource *resource_of(enum entity_kind kind)
{
	switch (kind) {
	case ENTITY_USER:
		return &user_resource;
	case ENTITY_DEVICE:
		return &device_resource;
	case ENTITY_TOKEN:
		return &token_resource;
	case ENTITY_TRUNK:
		return &trunk_resource;
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_SELECTION:
	case ENTITY_SESSION:
	case ENTITY_KIND_COUNT:
		return &plain_resource;
	case ENTITY_SITE:
		return &site_resource;
	}
	return &plain_resource;
}

// ---- showing

struct answer collection_show(struct request *request, unsigned status, const struct entity *entity, const char *secret)
{
	const struct resource *resource = resource_of(entity->kind);
	json_t *object = entity_to_json(entity);
	bool built = object && (!resource->show || resource->show(entity, object)) &&
		     (!secret || json_put(object, resource->secret, json_string(secret)));
	if (!built) {
		json_decref(object);
		object = NULL;
	}
	struct entity *entities[] = {(struct entity *)(uintptr_t)entity};
	if (object && resource->annotate) {
		enum err err = resource->annotate(request, entities, 1, &object);
		if (err && request->method == METHOD_GET) { // what was written stays written
			json_decref(object);
			return answer_err(request, err);
		}
	}
	struct answer answer = answer_json(request, status, object);
	answer.etag = arena_format(&request->arena, "\"%" PRIu64 "\"", entity->version).at;
	if (status == 201)
		answer.location =
		    arena_format(&request->arena, "/api/v1/%s/%" PRIu64, entity_type(entity->kind)->plural, entity->id)
			.at;
	return answer;
}

enum err collection_find(struct request *request, struct entity **entity)
{
	struct records *records = server_records(request->server);
	uint64_t id = request_id(request);
	return id == 0 ? ERR_NOT_FOUND
		       : records->get(records->context, request->operation->kind, id, &request->arena, entity);
}

struct answer collection_get(struct request *request)
{
	struct entity *entity;
	struct problem problem = {0};
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	enum err err = collection_find(request, &entity);
	return err ? answer_err(request, err) : collection_show(request, 200, entity, NULL);
}

// ---- lists

enum err collection_limit(struct request *request, unsigned *limit, struct problem *problem)
{
	struct str text;
	uint64_t value = LIST_LIMIT_DEFAULT;
	if (request_parameter(request, "limit", &text) && (!str_to_uint(text, LIST_LIMIT_MAX, &value) || value == 0))
		return problem_set(problem, ERR_INVALID_FIELD, "limit", "A limit is 1 to %d.", LIST_LIMIT_MAX);
	*limit = (unsigned)value;
	return ERR_NONE;
}

struct answer collection_page(struct request *request, json_t *items, int64_t total, struct str next)
{
	json_t *page = json_object();
	bool built = json_put(page, "items", items) && (total < 0 || json_put(page, "total", json_integer(total))) &&
		     json_put(page, "next", str_empty(next) ? json_null() : json_text(next));
	if (!built) {
		json_decref(page);
		page = NULL;
	}
	return answer_json(request, 200, page);
}

static enum err sort_read(struct request *request, const struct entity_type *type, struct list_query *query,
			  struct problem *problem)
{
	if (!request_parameter(request, "sort", &query->sort))
		return ERR_NONE;
	struct str name = str_from(query->sort, str_starts(query->sort, STR("-")) ? 1 : 0);
	if (!str_equal(name, STR("id")) && !entity_sort_field(type, name))
		return problem_set(problem, ERR_INVALID_FIELD, "sort", "%s cannot be sorted by \"%.*s\".", type->plural,
				   STR_ARG(str_first(name, 60)));
	return ERR_NONE;
}

static enum err filter_add(struct request *request, const struct field *field, struct list_query *query,
			   struct problem *problem)
{
	const size_t filters_max = sizeof query->filters / sizeof *query->filters;
	struct str value;
	if (field->flags & FIELD_HIDDEN || !request_parameter(request, field->name, &value))
		return ERR_NONE;
	if (query->filter_count == filters_max)
		return problem_set(problem, ERR_INVALID_FIELD, field->name, "At most %zu filters are possible.",
				   filters_max);
	query->filters[query->filter_count++] = (struct list_filter){field, value};
	return ERR_NONE;
}

static enum err filters_read(struct request *request, const struct entity_type *type, struct list_query *query,
			     struct problem *problem)
{
	enum err err = ERR_NONE;
	for (size_t i = 0; !err && i < type->field_count; i++)
		err = filter_add(request, &type->fields[i], query, problem);
	for (size_t i = 0; !err && i < type->derived_count; i++)
		err = filter_add(request, &type->derived[i], query, problem);
	return err;
}

static enum err list_read(struct request *request, struct list_query *query, struct problem *problem)
{
	const struct entity_type *type = entity_type(request->operation->kind);
	request_parameter(request, "q", &query->q);
	request_parameter(request, "cursor", &query->cursor);
	enum err err = collection_limit(request, &query->limit, problem);
	if (!err && (type->kind == ENTITY_DEVICE || type->kind == ENTITY_DID)) {
		err = site_search(request, &query->q);
		if (err)
			return problem_set(problem, err, NULL, NULL);
	}
	if (!err)
		err = sort_read(request, type, query, problem);
	if (!err)
		err = filters_read(request, type, query, problem);
	return err ? err : request_parameters_done(request, problem);
}

static struct answer list_answer(struct request *request, json_t *items, const struct entity_page *page)
{
	json_t *body = json_object();
	bool built = json_put(body, "items", items) && json_put(body, "total", json_integer((json_int_t)page->total)) &&
		     json_put(body, "total_exact", json_boolean(!page->total_is_least)) &&
		     json_put(body, "next", str_empty(page->next) ? json_null() : json_text(page->next));
	if (!built) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, 200, body);
}

static enum err page_show(struct request *request, const struct entity_page *page, json_t *items)
{
	const struct resource *resource = resource_of(request->operation->kind);
	json_t **objects = arena_alloc(&request->arena, (page->count + 1) * sizeof(json_t *));
	if (!items || !objects)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < page->count; i++) {
		objects[i] = entity_to_json(page->entities[i]);
		if (json_array_append_new(items, objects[i]) != 0 ||
		    (resource->show && !resource->show(page->entities[i], objects[i])))
			return ERR_NO_MEMORY;
	}
	return resource->annotate ? resource->annotate(request, page->entities, page->count, objects) : ERR_NONE;
}

struct answer collection_list(struct request *request)
{
	struct records *records = server_records(request->server);
	struct list_query query = {.limit = 0};
	struct problem problem = {0};
	struct entity_page page = {0};
	if (list_read(request, &query, &problem))
		return answer_problem(request, &problem);
	enum err err = records->list(records->context, request->operation->kind, &query, &request->arena, &page);
	if (err)
		return answer_err(request, err);
	json_t *items = json_array();
	err = page_show(request, &page, items);
	if (!err)
		return list_answer(request, items, &page);
	json_decref(items);
	return answer_err(request, err);
}

// ---- writes

enum err collection_match(const struct request *request, uint64_t version)
{
	struct str rest = request->headers.if_match, tag;
	char present[32];
	struct writer w = writer_into(present, sizeof present);
	writer_format(&w, "\"%" PRIu64 "\"", version);
	if (str_empty(rest))
		return ERR_NONE;
	while (str_take(&rest, ',', &tag))
		if (str_equal(str_trim(tag), STR("*")) || str_equal(str_trim(tag), writer_result(&w)))
			return ERR_NONE;
	return ERR_STALE;
}

// Moves the members that are no fields from the body into change->extras. False when there is no memory.
static bool extras_take(struct change *change, const struct resource *resource)
{
	change->extras = json_object();
	for (size_t i = 0; change->extras && resource->extras && resource->extras[i]; i++) {
		json_t *value = json_object_get(change->request->json, resource->extras[i]);
		if (value && json_object_set(change->extras, resource->extras[i], value) != 0)
			return false;
		json_object_del(change->request->json, resource->extras[i]);
	}
	return change->extras != NULL;
}

static void references_check(struct change *change)
{
	const struct entity_type *type = entity_type(change->entity->kind);
	struct records *records = server_records(change->request->server);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if (field->type != FIELD_REFERENCE)
			continue;
		uint64_t id = *(uint64_t *)field_of(change->entity, field);
		struct entity *other;
		if (id == 0 || (change->before && id == *(uint64_t *)field_of(change->before, field)))
			continue;
		enum err err = records->get(records->context, field->refers_to, id, &change->request->arena, &other);
		if (err == ERR_NOT_FOUND)
			problem_set(problem_list_next(&change->problems), ERR_INVALID_FIELD, field->name,
				    "There is no %s %" PRIu64 ".", entity_type(field->refers_to)->name, id);
		else if (err)
			problem_set(problem_list_next(&change->problems), err, NULL, NULL);
	}
}

// Everything up to the write itself.
static void change_prepare(struct change *change, enum entity_change_mode mode)
{
	const struct resource *resource = resource_of(change->entity->kind);
	entity_from_json(change->request, change->entity, change->before, mode, &change->problems);
	if (change->problems.count == 0)
		references_check(change);
	// With the fields wrong, the extras are still looked at, so that all that is wrong is said at once.
	if (resource->prepare)
		resource->prepare(change);
}

void collection_prepare(struct change *change, json_t *body, enum entity_change_mode mode)
{
	json_t *whole = change->request->json;
	change->request->json = body; // which the readers look into
	change_prepare(change, mode);
	change->request->json = whole;
}

static struct answer change_answer(struct change *change, unsigned status, enum err err, const struct problem *problem)
{
	struct request *request = change->request;
	const struct resource *resource = resource_of(change->entity->kind);
	if (change->problems.count && problem_list_err(&change->problems) == ERR_STALE)
		return answer_stale(request, request->operation->kind, change->entity->id);
	if (change->problems.count)
		return answer_problems(request, &change->problems);
	if (err == ERR_STALE)
		return answer_stale(request, request->operation->kind, change->entity->id);
	if (err)
		return problem->err ? answer_problem(request, problem) : answer_err(request, err);
	if (resource->changed)
		resource->changed(change);
	return collection_show(request, status, change->entity, change->secret[0] ? change->secret : NULL);
}

struct answer collection_create(struct request *request)
{
	struct records *records = server_records(request->server);
	struct change change = {.request = request, .entity = entity_new(request->operation->kind, &request->arena)};
	struct problem problem = {0};
	enum err err = ERR_NONE;
	struct answer answer;
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	if (change.entity && extras_take(&change, resource_of(request->operation->kind))) {
		change_prepare(&change, CHANGE_CREATE);
		if (change.problems.count == 0)
			err = records->create(records->context, change.entity, &problem);
		answer = change_answer(&change, 201, err, &problem);
	} else {
		answer = answer_err(request, ERR_NO_MEMORY);
	}
	json_decref(change.extras);
	return answer;
}

// One try: STALE when somebody else was faster.
static enum err change_try(struct change *change, enum entity_change_mode mode, struct problem *problem)
{
	struct request *request = change->request;
	struct records *records = server_records(request->server);
	struct entity *before;
	enum err err = collection_find(request, &before);
	if (!err)
		err = collection_match(request, before->version);
	if (err)
		return problem_set(problem, err, NULL, NULL);
	change->before = before;
	change->entity = entity_copy(before, &request->arena);
	if (!change->entity)
		return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	change_prepare(change, mode);
	if (change->problems.count)
		return ERR_NONE;
	return records->update(records->context, change->entity, problem);
}

static struct answer collection_write(struct request *request, enum entity_change_mode mode)
{
	struct change change = {.request = request};
	struct problem problem = {0};
	enum err err = ERR_STALE;
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	if (!extras_take(&change, resource_of(request->operation->kind))) {
		json_decref(change.extras);
		return answer_err(request, ERR_NO_MEMORY);
	}
	// Whoever named no version wants the change on top of whatever there is.
	for (int tries = 0; err == ERR_STALE && tries < TRIES; tries++) {
		problem = (struct problem){0};
		err = change_try(&change, mode, &problem);
		if (!str_empty(request->headers.if_match))
			break;
	}
	struct answer answer = change.entity      ? change_answer(&change, 200, err, &problem)
			       : err == ERR_STALE ? answer_stale(request, request->operation->kind, request_id(request))
						  : answer_problem(request, &problem);
	json_decref(change.extras);
	return answer;
}

struct answer collection_replace(struct request *request)
{
	return collection_write(request, CHANGE_REPLACE);
}

struct answer collection_change(struct request *request)
{
	return collection_write(request, CHANGE_MERGE);
}

static enum err release_read(struct request *request, enum delete_mode *mode, struct problem *problem)
{
	struct str release;
	*mode = DELETE_IF_FREE;
	if (!request_parameter(request, "release", &release) || str_equal(release, STR("false")))
		return request_parameters_done(request, problem);
	if (!str_equal(release, STR("true")))
		return problem_set(problem, ERR_INVALID_FIELD, "release", "release is true or false.");
	*mode = DELETE_AND_RELEASE;
	return request_parameters_done(request, problem);
}

struct answer collection_delete(struct request *request)
{
	struct records *records = server_records(request->server);
	const struct resource *resource = resource_of(request->operation->kind);
	struct problem problem = {0};
	struct entity *entity;
	enum delete_mode mode;
	if (release_read(request, &mode, &problem))
		return answer_problem(request, &problem);
	enum err err = collection_find(request, &entity);
	if (!err)
		err = collection_match(request, entity->version);
	if (!err && resource->deletable)
		err = resource->deletable(request, &problem);
	if (!err)
		err = records->remove(records->context, entity->kind, entity->id,
				      str_empty(request->headers.if_match) ? 0 : entity->version, mode, &problem);
	if (err == ERR_STALE)
		return answer_stale(request, request->operation->kind, request_id(request));
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return answer_empty(204);
}
