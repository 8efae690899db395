// The calls there are now, and ending one.
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

struct calls_question {
	struct question question;
	struct call_snapshot *calls;
	size_t count;
	uint64_t hang_up; // the call to end, or 0
	bool done;
};

static void calls_answer(struct question *question)
{
	struct calls_question *asked = container_of(question, struct calls_question, question);
	if (asked->hang_up)
		asked->done = call_table_hang_up(question->calls, asked->hang_up);
	else
		asked->done = call_table_snapshot(question->calls, &question->arena, &asked->calls, &asked->count);
}

static json_t *leg_show(const struct leg_snapshot *leg)
{
	json_t *object = json_object();
	if (json_put(object, "id", json_id(leg->leg)) && json_put(object, "device_id", json_id(leg->device_id)) &&
	    json_put(object, "number", json_text(leg->device_number)) &&
	    json_put(object, "title", json_text(leg->device_title)) &&
	    json_put(object, "state", json_string(leg->state)) &&
	    json_put(object, "started_at", json_time(leg->started_at)) &&
	    json_put(object, "answered_at", json_time(leg->answered_at)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *call_show(const struct call_snapshot *call)
{
	json_t *object = json_object(), *legs = json_array();
	bool built = true;
	for (size_t i = 0; built && i < call->leg_count; i++)
		built = json_array_append_new(legs, leg_show(&call->legs[i])) == 0;
	built = json_put(object, "legs", legs) && built && json_put(object, "id", json_id(call->call)) &&
		json_put(object, "record_id", json_text(call->record_id)) &&
		json_put(object, "caller_number", json_text(call->caller_number)) &&
		json_put(object, "caller_name", json_text(call->caller_name)) &&
		json_put(object, "dialled", json_text(call->dialled)) &&
		json_put(object, "state", json_string(call->state)) &&
		json_put(object, "started_at", json_time(call->started_at)) &&
		json_put(object, "answered_at", json_time(call->answered_at));
	if (built)
		return object;
	json_decref(object);
	return NULL;
}

static struct answer calls_show(struct request *request, const struct calls_question *asked)
{
	json_t *items = json_array();
	for (size_t i = 0; i < asked->count; i++) {
		if (json_array_append_new(items, call_show(&asked->calls[i])) != 0) {
			json_decref(items);
			return answer_err(request, ERR_NO_MEMORY);
		}
	}
	return collection_page(request, items, (int64_t)asked->count, STR_NONE);
}

struct answer calls_list(struct request *request)
{
	struct problem problem = {0};
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	struct calls_question *asked = question_new(server_call_line(request->server), sizeof *asked, calls_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	enum err err = question_ask(&asked->question);
	if (!err && !asked->done)
		err = ERR_NO_MEMORY;
	struct answer answer = err ? answer_err(request, err) : calls_show(request, asked);
	question_free(&asked->question);
	return answer;
}

struct answer call_delete(struct request *request)
{
	uint64_t id = request_id(request);
	if (id == 0)
		return answer_err(request, ERR_NOT_FOUND);
	struct calls_question *asked = question_new(server_call_line(request->server), sizeof *asked, calls_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->hang_up = id;
	enum err err = question_ask(&asked->question);
	if (!err && !asked->done)
		err = ERR_NOT_FOUND;
	question_free(&asked->question);
	return err ? answer_err(request, err) : answer_empty(204);
}
