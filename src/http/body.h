// Reads JSON bodies that are no entity. Every mistake is added to the list.
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/answer.h"

// Says so of every member that is not named; names ends with NULL.
void body_only(const json_t *object, const char *const *names, struct problem_list *problems);
// Mandatory text, borrowed from the body.
struct str body_text(const json_t *object, const char *name, struct problem_list *problems);
// Mandatory id, as text. 0 when it is wrong.
uint64_t body_id(const json_t *object, const char *name, struct problem_list *problems);

// Optional; `fallback` when it is absent.
bool body_boolean(const json_t *object, const char *name, bool fallback, struct problem_list *problems);

struct body_integer {
	const char *name;   // of the member
	const char *called; // in problems: "turns[2].ring_s"
	int64_t min, max, fallback;
};
int64_t body_integer(const json_t *object, const struct body_integer *wanted, struct problem_list *problems);

#endif
