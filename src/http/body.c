// Reads JSON bodies that are no entity.
#include "http/body.h"

#include <inttypes.h>
#include <string.h>

void body_only(const json_t *object, const char *const *names, struct problem_list *problems)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		bool known = false;
		for (size_t i = 0; names[i]; i++)
			known |= strcmp(name, names[i]) == 0;
		if (!known)
			problem_set(problem_list_next(problems), ERR_UNKNOWN_FIELD, name,
				    "There is no field \"%.60s\".", name);
	}
}

struct str body_text(const json_t *object, const char *name, struct problem_list *problems)
{
	const json_t *value = json_object_get(object, name);
	if (!value)
		problem_set(problem_list_next(problems), ERR_MISSING_FIELD, name, "%s is mandatory.", name);
	else if (!json_is_string(value))
		problem_set(problem_list_next(problems), ERR_INVALID_FIELD, name, "%s must be text.", name);
	else
		return (struct str){json_string_value(value), json_string_length(value)};
	return STR_NONE;
}

uint64_t body_id(const json_t *object, const char *name, struct problem_list *problems)
{
	size_t count = problems->count;
	uint64_t id = 0;
	struct str text = body_text(object, name, problems);
	if (problems->count == count && !str_to_uint(text, INT64_MAX, &id))
		problem_set(problem_list_next(problems), ERR_INVALID_FIELD, name, "%s must be an id, as text.", name);
	return id;
}

bool body_boolean(const json_t *object, const char *name, bool fallback, struct problem_list *problems)
{
	const json_t *value = json_object_get(object, name);
	if (value && !json_is_boolean(value))
		problem_set(problem_list_next(problems), ERR_INVALID_FIELD, name, "%s is true or false.", name);
	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t body_integer(const json_t *object, const struct body_integer *wanted, struct problem_list *problems)
{
	const json_t *value = json_object_get(object, wanted->name);
	if (!value)
		return wanted->fallback;
	if (json_is_integer(value) && json_integer_value(value) >= wanted->min &&
	    json_integer_value(value) <= wanted->max)
		return json_integer_value(value);
	problem_set(problem_list_next(problems), ERR_INVALID_FIELD, wanted->called,
		    "%s must be a whole number from %" PRId64 " to %" PRId64 ".", wanted->called, wanted->min,
		    wanted->max);
	return wanted->fallback;
}
