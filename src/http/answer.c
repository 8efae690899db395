// Makes answers: JSON, problem documents, text.
#include "http/answer.h"
#include "http/feed.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

// What can be said when there is no memory to say anything else.
static const char no_memory_document[] =
    "{\"type\":\"urn:carillon:problem:no_memory\",\"title\":\"The server is out of memory.\",\"status\":503,"
    "\"code\":\"no_memory\",\"detail\":\"The server is out of memory.\",\"field\":[]}\n";

enum { RETRY_AFTER_S = 2 };

struct problem *problem_list_next(struct problem_list *list)
{
	struct problem *problem = &list->problems[list->count < PROBLEMS_MAX ? list->count++ : PROBLEMS_MAX - 1];
	*problem = (struct problem){0};
	return problem;
}

enum err problem_list_err(const struct problem_list *list)
{
	if (list->count == 0)
		return ERR_NONE;
	for (size_t i = 0; i < list->count; i++)
		if (list->problems[i].err == ERR_NO_MEMORY || list->problems[i].err == ERR_STORE_UNAVAILABLE)
			return list->problems[i].err;
	for (size_t i = 1; i < list->count; i++)
		if (list->problems[i].err != list->problems[0].err)
			return ERR_INVALID_FIELD;
	return list->problems[0].err;
}

// ---- pieces of JSON

bool json_put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

// RFC 3629 is left to jansson: it refuses what is wrong, and then each byte above ASCII is replaced.
static json_t *json_text_mended(struct str text)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	char *mended = malloc(text.length * 3 + 1);
	size_t length = 0;
	if (!mended)
		return NULL;
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.at[i] < 0x80) {
			mended[length++] = text.at[i];
		} else {
			memcpy(mended + length, replacement, 3);
			length += 3;
		}
	}
	json_t *value = json_stringn(mended, length);
	free(mended);
	return value;
}

json_t *json_text(struct str text)
{
	json_t *value = json_stringn(text.at ? text.at : "", text.length);
	return value ? value : json_text_mended(text);
}

json_t *json_id(uint64_t id)
{
	char text[24];
	if (id == 0)
		return json_null();
	struct writer w = writer_into(text, sizeof text);
	writer_uint(&w, id);
	return json_stringn(w.at, w.used);
}

json_t *json_time(int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm parts;
	char text[40];
	if (time_ms <= 0 || !gmtime_r(&seconds, &parts))
		return json_null();
	size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
	struct writer w = writer_into(text + length, sizeof text - length);
	writer_format(&w, ".%03dZ", (int)(time_ms % 1000));
	return json_stringn(text, length + w.used);
}

static bool digits_read(const char *at, int count, int *value)
{
	*value = 0;
	for (int i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		*value = *value * 10 + at[i] - '0';
	}
	return true;
}

// RFC 3339 in UTC: "2026-01-31T12:00:00Z", with or without milliseconds; or a date alone.
bool time_parse(struct str text, int64_t *time_ms)
{
	struct tm parts = {0};
	int milliseconds = 0;
	char t[25] = {0};
	if ((text.length != 10 && text.length != 20 && text.length != 24) || !str_to_cstring(text, t, sizeof t))
		return false;
	if (!digits_read(t, 4, &parts.tm_year) || t[4] != '-' || !digits_read(t + 5, 2, &parts.tm_mon) || t[7] != '-' ||
	    !digits_read(t + 8, 2, &parts.tm_mday))
		return false;
	if (text.length > 10 && (t[10] != 'T' || !digits_read(t + 11, 2, &parts.tm_hour) || t[13] != ':' ||
				 !digits_read(t + 14, 2, &parts.tm_min) || t[16] != ':' ||
				 !digits_read(t + 17, 2, &parts.tm_sec) || t[text.length - 1] != 'Z'))
		return false;
	if (text.length == 24 && (t[19] != '.' || !digits_read(t + 20, 3, &milliseconds)))
		return false;
	if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 ||
	    parts.tm_min > 59 || parts.tm_sec > 60)
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon--;
	*time_ms = (int64_t)timegm(&parts) * 1000 + milliseconds;
	return true;
}

// ---- answers

struct answer answer_empty(unsigned status)
{
	return (struct answer){.status = status};
}

struct answer answer_verbatim(struct request *request, struct str text)
{
	struct str copy = arena_copy(&request->arena, text);
	uint64_t status = 0;
	if (!copy.at)
		return answer_err(request, ERR_NO_MEMORY);
	if (!str_starts(copy, STR("HTTP/1.1 ")) || !str_to_uint(str_first(str_from(copy, 9), 3), 599, &status))
		return answer_err(request, ERR_INTERNAL);
	return (struct answer){.status = (unsigned)status, .verbatim = copy};
}

struct answer answer_constant(unsigned status, const char *type, struct str text)
{
	return (struct answer){.status = status, .type = type, .body = text};
}

static struct answer answer_no_memory(void)
{
	struct answer answer = answer_constant(503, "application/problem+json",
					       (struct str){no_memory_document, sizeof no_memory_document - 1});
	answer.retry_after_s = RETRY_AFTER_S;
	return answer;
}

struct answer answer_text(unsigned status, const char *type, struct str text)
{
	struct answer answer = {.status = status, .type = type};
	answer.owned = malloc(text.length + 1);
	if (!answer.owned)
		return answer_no_memory();
	memcpy(answer.owned, text.at ? text.at : "", text.length);
	answer.body = (struct str){answer.owned, text.length};
	return answer;
}

struct growing {
	char *at;
	size_t used, size;
};

static int growing_add(const char *bytes, size_t size, void *context)
{
	struct growing *text = context;
	if (text->size - text->used < size) {
		size_t room = text->size * 2 + size + 256;
		char *at = realloc(text->at, room);
		if (!at)
			return -1;
		text->at = at;
		text->size = room;
	}
	memcpy(text->at + text->used, bytes, size);
	text->used += size;
	return 0;
}

static struct answer answer_document(unsigned status, const char *type, json_t *body)
{
	struct growing text = {0};
	bool dumped =
	    body && json_dump_callback(body, growing_add, &text, JSON_COMPACT) == 0 && growing_add("\n", 1, &text) == 0;
	json_decref(body);
	if (!dumped) {
		free(text.at);
		return answer_no_memory();
	}
	return (struct answer){.status = status, .type = type, .body = {text.at, text.used}, .owned = text.at};
}

struct answer answer_json(struct request *request, unsigned status, json_t *body)
{
	(void)request;
	return answer_document(status, "application/json", body);
}

static json_t *problem_field_json(const struct problem *problem)
{
	json_t *field = json_object();
	if (json_put(field, "name", json_string(problem->field)) &&
	    json_put(field, "code", json_string(err_name(problem->err))) &&
	    json_put(field, "sentence", json_text(str_of(problem->sentence))) &&
	    (problem->other_id == 0 || json_put(field, "other_id", json_id(problem->other_id))))
		return field;
	json_decref(field);
	return NULL;
}

static json_t *problem_document(enum err err, struct str detail, const struct problem *problems, size_t count)
{
	json_t *document = json_object(), *fields = json_array();
	char type[80];
	struct writer w = writer_into(type, sizeof type);
	writer_format(&w, "urn:carillon:problem:%s", err_name(err));
	bool built = json_put(document, "type", json_text(writer_result(&w))) &&
		     json_put(document, "title", json_string(err_sentence(err))) &&
		     json_put(document, "status", json_integer(err_http_status(err))) &&
		     json_put(document, "code", json_string(err_name(err))) &&
		     json_put(document, "detail", json_text(detail));
	for (size_t i = 0; built && i < count; i++)
		built = problems[i].field[0] == '\0' ||
			json_array_append_new(fields, problem_field_json(&problems[i])) == 0;
	built = json_object_set(document, "field", fields) == 0 && built;
	json_decref(fields);
	if (built)
		return document;
	json_decref(document);
	return NULL;
}

static struct answer answer_refusal(enum err err, struct str detail, const struct problem *problems, size_t count)
{
	struct answer answer = answer_document(err_http_status(err), "application/problem+json",
					       problem_document(err, detail, problems, count));
	if (answer.status == 503)
		answer.retry_after_s = RETRY_AFTER_S;
	return answer;
}

struct answer answer_err(struct request *request, enum err err)
{
	(void)request;
	return answer_refusal(err, str_of(err_sentence(err)), NULL, 0);
}

struct answer answer_problem(struct request *request, const struct problem *problem)
{
	(void)request;
	return answer_refusal(problem->err, str_of(problem->sentence), problem, 1);
}

struct answer answer_problem_with(struct request *request, const struct problem *problem, json_t *more)
{
	(void)request;
	json_t *document = problem_document(problem->err, str_of(problem->sentence), problem, 1);
	if (!document || !more || json_object_update_missing(document, more) != 0) {
		json_decref(document);
		document = NULL;
	}
	json_decref(more);
	return answer_document(err_http_status(problem->err), "application/problem+json", document);
}

struct answer answer_problems(struct request *request, const struct problem_list *list)
{
	enum err err = problem_list_err(list);
	if (list->count == 1)
		return answer_problem(request, &list->problems[0]);
	struct str detail =
	    arena_format(&request->arena, "%zu fields are wrong. %s", list->count, list->problems[0].sentence);
	return answer_refusal(err, detail, list->problems, list->count);
}

struct answer answer_stream(struct listener *listener)
{
	return (struct answer){.status = 200, .type = "text/event-stream", .stream = listener};
}

void answer_free(struct answer *answer)
{
	if (answer->stream)
		feed_leave(answer->stream);
	free(answer->owned);
	*answer = (struct answer){0};
}
