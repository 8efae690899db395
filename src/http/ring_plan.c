// A user's ring plan: which devices are assigned, in which order and for how long they ring, and what a caller would get.
#include "domain/ring_plan.h"
#include "domain/device.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *device_kind_json(int kind)
{
	return entity_field(&device_type, STR("kind"))->choices[kind];
}

static const char *strategy_json(int strategy)
{
	return entity_field(&user_type, STR("strategy"))->choices[strategy];
}

// ---- showing

static json_t *turn_show(const struct turn_plan *turn, const struct device *device)
{
	json_t *object = json_object();
	if (json_put(object, "device_id", json_id(turn->device_id)) &&
	    json_put(object, "start_s", json_integer(turn->start_s)) &&
	    json_put(object, "ring_s", json_integer(turn->ring_s)) &&
	    (!device || (json_put(object, "number", json_text(device->number)) &&
			 json_put(object, "title", json_text(device->title)) &&
			 json_put(object, "kind", json_string(device_kind_json(device->device_kind))))))
		return object;
	json_decref(object);
	return NULL;
}

static struct answer ring_plan_show(struct request *request, const struct user *user)
{
	struct records *records = server_records(request->server);
	json_t *body = json_object(), *turns = json_array();
	enum err err = ERR_NONE;
	for (size_t i = 0; !err && i < user->turn_count; i++) {
		struct entity *device = NULL;
		err = records->get(records->context, ENTITY_DEVICE, user->turns[i].device_id, &request->arena, &device);
		if (err == ERR_NOT_FOUND)
			err = ERR_NONE;
		if (!err && json_array_append_new(turns, turn_show(&user->turns[i], (struct device *)device)))
			err = ERR_NO_MEMORY;
	}
	if (!json_put(body, "turns", turns) ||
	    !json_put(body, "strategy", json_string(strategy_json(user->strategy))) ||
	    !json_put(body, "user_id", json_id(user->entity.id)) ||
	    !json_put(body, "version", json_integer((json_int_t)user->entity.version)))
		err = err ? err : ERR_NO_MEMORY;
	if (err) {
		json_decref(body);
		return answer_err(request, err);
	}
	struct answer answer = answer_json(request, 200, body);
	answer.etag = arena_format(&request->arena, "\"%" PRIu64 "\"", user->entity.version).at;
	return answer;
}

struct answer ring_plan_get(struct request *request)
{
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	return err ? answer_err(request, err) : ring_plan_show(request, (struct user *)entity);
}

// ---- changing

// Members that only an answer has are taken back as well, so that a plan read can be sent again.
static void turn_read(const json_t *value, size_t index, struct turn_plan *turn, struct problem_list *problems)
{
	static const char *const names[] = {"device_id", "start_s", "ring_s", "number", "title", "kind", NULL};
	char start[48], ring[48], device[48];
	snprintf(start, sizeof start, "turns[%zu].start_s", index);
	snprintf(ring, sizeof ring, "turns[%zu].ring_s", index);
	snprintf(device, sizeof device, "turns[%zu].device_id", index);
	if (!json_is_object(value)) {
		problem_set(problem_list_next(problems), ERR_INVALID_FIELD, "turns", "Turn %zu must be an object.",
			    index + 1);
		return;
	}
	body_only(value, names, problems);
	const json_t *id = json_object_get(value, "device_id");
	if (!json_is_string(id) ||
	    !str_to_uint((struct str){json_string_value(id), json_string_length(id)}, INT64_MAX, &turn->device_id))
		problem_set(problem_list_next(problems), id ? ERR_INVALID_FIELD : ERR_MISSING_FIELD, device,
			    "%s must be a device's id, as text.", device);
	turn->start_s = body_integer(
	    value, &(struct body_integer){.name = "start_s", .called = start, .min = 0, .max = RING_S_MAX}, problems);
	turn->ring_s =
	    body_integer(value,
			 &(struct body_integer){
			     .name = "ring_s", .called = ring, .min = 1, .max = RING_S_MAX, .fallback = RING_S_DEFAULT},
			 problems);
}

static void strategy_read(const json_t *body, struct user *user, struct problem_list *problems)
{
	const struct field *field = entity_field(&user_type, STR("strategy"));
	const json_t *value = json_object_get(body, "strategy");
	for (int i = 0; value && field->choices[i]; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), field->choices[i]) == 0) {
			user->strategy = i;
			return;
		}
	}
	problem_set(problem_list_next(problems), value ? ERR_INVALID_FIELD : ERR_MISSING_FIELD, "strategy",
		    "strategy is at_once or in_sequence.");
}

static void plan_read(struct request *request, struct user *user, struct problem_list *problems)
{
	static const char *const names[] = {"strategy", "turns", "user_id", "version", NULL};
	const json_t *turns = json_object_get(request->json, "turns"), *value;
	struct problem problem = {0};
	size_t i;
	body_only(request->json, names, problems);
	strategy_read(request->json, user, problems);
	if (!json_is_array(turns) || json_array_size(turns) > USER_TURNS_MAX) {
		problem_set(problem_list_next(problems), turns ? ERR_INVALID_FIELD : ERR_MISSING_FIELD, "turns",
			    "turns is a list of at most %d devices.", USER_TURNS_MAX);
		return;
	}
	user->turn_count = json_array_size(turns);
	user->turns = arena_alloc(&request->arena, (user->turn_count + 1) * sizeof *user->turns);
	if (!user->turns) {
		problem_set(problem_list_next(problems), ERR_NO_MEMORY, NULL, NULL);
		return;
	}
	json_array_foreach(turns, i, value) turn_read(value, i, &user->turns[i], problems);
	if (problems->count == 0 && entity_check(&user->entity, &problem))
		*problem_list_next(problems) = problem;
}

// Each device must exist; that nobody else has it, the store sees to in the write's own transaction.
static void devices_check(struct request *request, const struct user *user, struct problem_list *problems)
{
	struct records *records = server_records(request->server);
	for (size_t i = 0; i < user->turn_count; i++) {
		struct entity *device;
		char name[48];
		enum err err =
		    records->get(records->context, ENTITY_DEVICE, user->turns[i].device_id, &request->arena, &device);
		snprintf(name, sizeof name, "turns[%zu].device_id", i);
		if (err == ERR_NOT_FOUND)
			problem_set(problem_list_next(problems), ERR_INVALID_FIELD, name,
				    "There is no device %" PRIu64 ".", user->turns[i].device_id);
		else if (err)
			problem_set(problem_list_next(problems), err, NULL, NULL);
	}
}

static bool version_matches(const json_t *body, uint64_t version)
{
	const json_t *value = json_object_get(body, "version");
	return !value || (json_is_integer(value) && (uint64_t)json_integer_value(value) == version);
}

struct answer ring_plan_put(struct request *request)
{
	struct records *records = server_records(request->server);
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	if (!err)
		err = collection_match(request, entity->version);
	if (!err && !version_matches(request->json, entity->version))
		err = ERR_STALE;
	if (err == ERR_STALE)
		return answer_stale(request, ENTITY_USER, request_id(request));
	if (err)
		return answer_err(request, err);
	struct user *user = (struct user *)entity;
	plan_read(request, user, &problems);
	if (problems.count == 0)
		devices_check(request, user, &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	err = records->update(records->context, entity, &problem);
	if (err == ERR_STALE)
		return answer_stale(request, ENTITY_USER, request_id(request));
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return ring_plan_show(request, user);
}

// ---- what a caller would get

struct explain_question {
	struct question question;
	struct str extension;
	struct ring_explanation explanation;
	enum err err;
};

static void explain_answer(struct question *question)
{
	struct explain_question *asked = container_of(question, struct explain_question, question);
	asked->err = call_table_explain(question->calls, asked->extension, &question->arena, &asked->explanation);
}

static json_t *explanation_turn_show(const struct ring_explanation_turn *turn)
{
	json_t *object = json_object();
	if (json_put(object, "device_id", json_id(turn->device_id)) &&
	    json_put(object, "number", json_text(turn->number)) && json_put(object, "title", json_text(turn->title)) &&
	    json_put(object, "kind", json_string(device_kind_json(turn->device_kind))) &&
	    json_put(object, "start_ms", json_integer(turn->start_ms)) &&
	    json_put(object, "stop_ms", json_integer(turn->stop_ms)) &&
	    json_put(object, "rings", json_boolean(turn->rings)) &&
	    json_put(object, "code", turn->why_not ? json_string(err_name(turn->why_not)) : json_null()) &&
	    json_put(object, "sentence", json_text(turn->sentence)) &&
	    json_put(object, "targets", json_integer(turn->targets)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *warnings_show(const struct ring_explanation *explanation)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < explanation->warning_count; i++) {
		const struct ring_warning *warning = &explanation->warnings[i];
		json_t *object = json_object();
		if (!json_put(object, "code", json_string(warning->code)) ||
		    !json_put(object, "detail", json_text(warning->detail)) ||
		    !json_put(object, "sentence", json_text(warning->sentence))) {
			json_decref(object);
			object = NULL;
		}
		if (json_array_append_new(list, object) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *explanation_show(const struct ring_explanation *explanation)
{
	json_t *body = json_object(), *turns = json_array();
	enum err refused = explanation->refused;
	bool built = true;
	for (size_t i = 0; built && i < explanation->turn_count; i++)
		built = json_array_append_new(turns, explanation_turn_show(&explanation->turns[i])) == 0;
	built = json_put(body, "turns", turns) && built && json_put(body, "user_id", json_id(explanation->user_id)) &&
		json_put(body, "extension", json_text(explanation->extension)) &&
		json_put(body, "title", json_text(explanation->title)) &&
		json_put(body, "strategy", json_string(strategy_json(explanation->strategy))) &&
		json_put(body, "refused", refused ? json_string(err_name(refused)) : json_null()) &&
		json_put(body, "sentence", refused ? json_string(err_sentence(refused)) : json_null()) &&
		json_put(body, "afterwards", json_text(explanation->afterwards)) &&
		json_put(body, "warnings", warnings_show(explanation));
	if (built)
		return body;
	json_decref(body);
	return NULL;
}

struct answer ring_plan_preview(struct request *request)
{
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	if (err)
		return answer_err(request, err);
	struct explain_question *asked = question_new(server_call_line(request->server), sizeof *asked, explain_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->extension = arena_copy(&asked->question.arena, ((struct user *)entity)->extension);
	err = asked->extension.at ? question_ask(&asked->question) : ERR_NO_MEMORY;
	if (!err)
		err = asked->err;
	struct answer answer =
	    err ? answer_err(request, err) : answer_json(request, 200, explanation_show(&asked->explanation));
	question_free(&asked->question);
	return answer;
}
