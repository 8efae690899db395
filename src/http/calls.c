// The calls there are now, and ending one.
#include "http/body.h"
#include "http/call_json.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

struct calls_question {
	struct question question;
	struct call_snapshot *calls;
	size_t count;
	uint64_t hang_up; // the call to end, or 0
	uint64_t move;    // the call to move, or 0
	uint64_t device_id, user_id;
	enum err err;
	bool done;
};

static void calls_answer(struct question *question)
{
	struct calls_question *asked = container_of(question, struct calls_question, question);
	if (asked->hang_up)
		asked->done = call_table_hang_up(question->calls, asked->hang_up);
	else if (asked->move)
		asked->err = call_table_move(question->calls, asked->move, asked->device_id, asked->user_id);
	else
		asked->done = call_table_snapshot(question->calls, &question->arena, &asked->calls, &asked->count);
}

static struct answer calls_show(struct request *request, const struct calls_question *asked)
{
	json_t *items = json_array();
	for (size_t i = 0; i < asked->count; i++) {
		if (json_array_append_new(items, call_to_json(&asked->calls[i], CALL_WITH_DEVICES)) != 0) {
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

struct answer call_move(struct request *request)
{
	static const char *const names[] = {"device_id", NULL};
	struct problem_list problems = {.count = 0};
	uint64_t id = request_id(request);
	body_only(request->json, names, &problems);
	uint64_t device_id = body_id(request->json, "device_id", &problems);
	if (id == 0)
		return answer_err(request, ERR_NOT_FOUND);
	struct calls_question *asked = question_new(server_call_line(request->server), sizeof *asked, calls_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->move = id;
	asked->device_id = problems.count ? 0 : device_id; // to none: that there is no such call says more
	// Whoever is no administrator moves his own calls alone.
	asked->user_id = request->identity.role == ROLE_ADMIN ? 0 : request->identity.user->entity.id;
	enum err err = question_ask(&asked->question);
	if (!err)
		err = asked->err;
	question_free(&asked->question);
	if (problems.count && err != ERR_NO_SUCH_CALL)
		return answer_problems(request, &problems);
	return err ? answer_err(request, err) : answer_empty(202);
}
