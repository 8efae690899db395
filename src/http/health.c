// Whether the server lives and works, its numbers, and the description of its API.
#include "http/answer.h"
#include "http/openapi.h"
#include "http/router.h"
#include "http/server.h"

#include <string.h>

enum { METRICS_MAX = 64 << 10 };

static const char text_type[] = "text/plain; charset=utf-8";

struct answer health_live(struct request *request)
{
	(void)request;
	return answer_constant(200, text_type, STR("ok\n"));
}

static void nothing_asked(struct question *question)
{
	(void)question;
}

static enum err call_thread_answers(struct request *request)
{
	struct question *question = question_new(server_call_line(request->server), sizeof *question, nothing_asked);
	if (!question)
		return ERR_NO_MEMORY;
	enum err err = question_ask(question);
	question_free(question);
	return err;
}

struct answer health_ready(struct request *request)
{
	struct records *records = server_records(request->server);
	struct problem problem = {0};
	char sentence[200] = "";
	if (!records->healthy(records->context, sentence, sizeof sentence))
		problem_set(&problem, ERR_STORE_UNAVAILABLE, NULL, "%s",
			    sentence[0] ? sentence : "The database cannot be used.");
	else if (call_thread_answers(request))
		problem_set(&problem, ERR_OVERLOADED, NULL, "The call thread does not answer.");
	if (problem.err)
		return answer_problem(request, &problem);
	return answer_constant(200, text_type, STR("ready\n"));
}

struct metrics_question {
	struct question question;
	void (*write)(void *context, struct writer *w);
	void *context;
	struct writer w;
};

static void metrics_answer(struct question *question)
{
	struct metrics_question *asked = container_of(question, struct metrics_question, question);
	if (asked->write)
		asked->write(asked->context, &asked->w);
}

struct answer metrics_get(struct request *request)
{
	const struct http_settings *settings = server_settings(request->server);
	struct metrics_question *asked = question_new(server_call_line(request->server), sizeof *asked, metrics_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	char *text = arena_alloc(&asked->question.arena, METRICS_MAX);
	asked->write = settings->metrics;
	asked->context = settings->context;
	asked->w = writer_into(text, METRICS_MAX);
	enum err err = text ? question_ask(&asked->question) : ERR_NO_MEMORY;
	if (!err) {
		server_metrics(request->server, &asked->w);
		err = asked->w.overflow ? ERR_INTERNAL : ERR_NONE;
	}
	struct answer answer =
	    err ? answer_err(request, err)
		: answer_text(200, "text/plain; version=0.0.4; charset=utf-8", writer_result(&asked->w));
	question_free(&asked->question);
	return answer;
}

struct answer openapi_get(struct request *request)
{
	(void)request;
	return answer_constant(200, "application/json", (struct str){openapi_document, openapi_document_size});
}
