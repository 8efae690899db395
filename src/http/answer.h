// The answers a handler can give.
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "http/request.h"

// Every wrong field of one request.
enum { PROBLEMS_MAX = 32 };
struct problem_list {
	struct problem problems[PROBLEMS_MAX];
	size_t count;
};
// A place to describe the next problem; the last one again once the list is full.
struct problem *problem_list_next(struct problem_list *list);
// The refusal for the request as a whole.
enum err problem_list_err(const struct problem_list *list);

// Takes the reference to `body`. NULL means that it could not be built: there was no memory.
struct answer answer_json(struct request *request, unsigned status, json_t *body);
struct answer answer_empty(unsigned status);
// Copies. For constant text use answer_constant.
struct answer answer_text(unsigned status, const char *type, struct str text);
struct answer answer_constant(unsigned status, const char *type, struct str text);
// Server-Sent Events, until the listener's stream ends. Takes the listener.
struct answer answer_stream(struct listener *listener);
// A whole HTTP answer that somebody else wrote. Copies.
struct answer answer_verbatim(struct request *request, struct str text);
// A problem document (RFC 9457).
struct answer answer_err(struct request *request, enum err err);
struct answer answer_problem(struct request *request, const struct problem *problem);
// With further members. Takes the reference to `more`; NULL: there was no memory for them.
struct answer answer_problem_with(struct request *request, const struct problem *problem, json_t *more);
struct answer answer_problems(struct request *request, const struct problem_list *list);
void answer_free(struct answer *answer);

// JSON of text from anywhere: what is not UTF-8 becomes U+FFFD. NULL when there is no memory.
json_t *json_text(struct str text);
json_t *json_id(uint64_t id);       // "12"; null for 0
json_t *json_time(int64_t time_ms); // "2026-01-31T12:00:00.000Z"; null for 0
bool time_parse(struct str text, int64_t *time_ms);
// Takes the reference to value, which may be NULL. False when it was, or there is no memory.
bool json_put(json_t *object, const char *key, json_t *value);

#endif
