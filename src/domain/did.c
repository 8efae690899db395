// The fields of a DID, and how what is typed becomes a number or a range.
#include "domain/did.h"

#include "base/writer.h"
#include "domain/fields.h"
#include "domain/trunk.h"
#include "domain/user.h"

#include <string.h>

// What no E.164 number reaches; a short code is its digits beyond that, set apart by their count.
#define SHORT_CODES 10000000000000000

const char *const unknown_did_names[] = {"site", "not_found", "busy", "extension", NULL};

enum err unknown_did_check(int unknown_did, struct str extension, struct problem *problem)
{
	if (unknown_did == UNKNOWN_DID_EXTENSION && !extension_allowed(extension))
		return problem_set(problem, ERR_INVALID_FIELD, "unknown_did_extension",
				   "Say which extension takes the calls for unknown numbers: 2 to 15 digits.");
	return ERR_NONE;
}

static const char *const target_names[] = {"user", "digits", "busy", "not_found", NULL};

static bool prefix_allowed(struct str text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return true;
}

#define OF struct did
static const struct field did_fields[] = {
    TEXT(number, .flags = FIELD_REQUIRED, .min = 2, .max = 40,
	 .rule = "A DID is a phone number such as +44 1444 123456.", .allows = phone_number_allowed),
    TEXT(last, .max = 40, .rule = "The last number of a range is a phone number, or the digits it ends with.",
	 .allows = phone_number_allowed),
    TEXT(canonical, .flags = FIELD_READ_ONLY | FIELD_UNIQUE, .max = DID_CANONICAL_MAX,
	 .rule = "A canonical DID has at most 40 characters."),
    CHOICE(target, .choices = target_names, .fallback = "user"),
    REFERENCE(user_id, .refers_to = ENTITY_USER, .rule = "Say whose extension it reaches."),
    INTEGER(extension_digits, .min = 0, .max = EXTENSION_MAX, .fallback = "0",
	    .rule = "An extension is made of the last 1 to 15 digits; 0 when it is not made of them."),
    TEXT(extension_prefix, .max = EXTENSION_MAX - 1, .rule = "At most 14 digits can be put in front.",
	 .allows = prefix_allowed),
    REFERENCE(trunk_id, .refers_to = ENTITY_TRUNK, .rule = "The trunk that delivers it; 0 for any."),
    INTEGER(first_value, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .max = INT64_MAX,
	    .rule = "A number's value is a whole number."),
    INTEGER(last_value, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .max = INT64_MAX,
	    .rule = "A number's value is a whole number."),
};

static enum err did_check(const struct entity *entity, struct problem *problem)
{
	const struct did *did = (const struct did *)entity;
	size_t length = did->extension_prefix.length + (size_t)did->extension_digits;

	if (did->target == DID_USER && did->user_id == 0)
		return problem_set(problem, ERR_MISSING_FIELD, "user_id", "Say whose extension it reaches.");
	if (did->target != DID_USER && did->user_id != 0)
		return problem_set(problem, ERR_INVALID_FIELD, "user_id",
				   "A number that does not lead to a user names none.");
	if (did->target == DID_DIGITS && did->extension_digits == 0)
		return problem_set(problem, ERR_MISSING_FIELD, "extension_digits",
				   "Say how many of the last digits are the extension.");
	if (did->target == DID_DIGITS && (length < 2 || length > EXTENSION_MAX))
		return problem_set(problem, ERR_INVALID_FIELD, "extension_digits",
				   "With what stands in front an extension has 2 to %d digits.", EXTENSION_MAX);
	return ERR_NONE;
}

const struct entity_type did_type = ENTITY_TYPE(ENTITY_DID, "did", "dids", did_fields, .check = did_check);
#undef OF

bool did_value(struct str canonical, int64_t *value)
{
	bool e164 = str_starts(canonical, STR("+"));
	struct str digits = str_from(canonical, e164);
	uint64_t number;

	if (digits.length > 15 || !str_to_uint(digits, SHORT_CODES - 1, &number))
		return false;
	*value = (int64_t)number + (e164 ? 0 : SHORT_CODES * (int64_t)(1 + digits.length));
	return true;
}

bool did_values(struct str canonical, int64_t *first, int64_t *last)
{
	size_t dash = str_index(canonical, '-');

	if (!did_value(str_first(canonical, dash), first))
		return false;
	*last = *first;
	return dash == canonical.length || did_value(str_from(canonical, dash + 1), last);
}

static enum err problem_about(enum err err, struct problem *problem, const char *field)
{
	if (problem && strcmp(problem->field, "number") == 0)
		str_to_cstring(str_of(field), problem->field, sizeof problem->field);
	return err;
}

// The last digits alone stand for the first number with these at its end.
static bool digits_replace(struct str typed, const struct number *first, struct number *last)
{
	size_t length = strlen(first->canonical), count = 0;
	char digits[NUMBER_MAX];

	for (size_t i = 0; i < typed.length; i++)
		if (typed.at[i] >= '0' && typed.at[i] <= '9' && count < sizeof digits)
			digits[count++] = typed.at[i];
	if (str_starts(str_trim(typed), STR("+")) || count == 0 || count >= length)
		return false;
	*last = *first;
	memcpy(last->canonical + length - count, digits, count);
	return true;
}

static enum err last_read(const struct number_plan *plan, struct str typed, const struct number *first,
			  struct number *last, struct problem *problem)
{
	struct problem wrong = {.err = ERR_NONE};
	int64_t from, to;
	enum err err = number_parse(plan, typed, last, &wrong);

	if ((err || strlen(last->canonical) != strlen(first->canonical)) && digits_replace(typed, first, last))
		err = ERR_NONE;
	if (err)
		return problem_set(problem, err, "last", "%s", wrong.sentence);
	if (strlen(last->canonical) != strlen(first->canonical) || !did_value(str_of(first->canonical), &from) ||
	    !did_value(str_of(last->canonical), &to))
		return problem_set(problem, ERR_INVALID_FIELD, "last",
				   "The first and the last number of a range have the same length; this one is %s.",
				   last->canonical);
	if (to <= from)
		return problem_set(problem, ERR_INVALID_FIELD, "last",
				   "The last number of a range comes after the first; this one is %s.",
				   last->canonical);
	if (to - from >= DID_RANGE_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "last", "A range has at most %d numbers.",
				   DID_RANGE_MAX);
	return ERR_NONE;
}

enum err did_canonicalize(const struct number_plan *plan, struct did *did, struct arena *arena, struct problem *problem)
{
	struct number first, last;
	enum err err = number_parse(plan, did->number, &first, problem);

	if (err)
		return problem_about(err, problem, "number");
	if (!str_empty(did->last))
		err = last_read(plan, did->last, &first, &last, problem);
	if (err)
		return err;
	if (did->target == DID_DIGITS &&
	    strlen(first.canonical) - (first.canonical[0] == '+') < (size_t)did->extension_digits)
		return problem_set(problem, ERR_INVALID_FIELD, "extension_digits", "%s has fewer digits.",
				   first.canonical);
	did->canonical = str_empty(did->last) ? arena_copy(arena, str_of(first.canonical))
					      : arena_format(arena, "%s-%s", first.canonical, last.canonical);
	if (!did->canonical.at)
		return ERR_NO_MEMORY;
	return did_values(did->canonical, &did->first_value, &did->last_value) ? ERR_NONE : ERR_INTERNAL;
}

struct str did_extension(const struct did *did, struct str canonical, char room[NUMBER_MAX])
{
	struct writer w = writer_into(room, NUMBER_MAX);
	size_t digits = (size_t)did->extension_digits;

	if (canonical.length - str_starts(canonical, STR("+")) < digits)
		return STR_NONE;
	writer_str(&w, did->extension_prefix);
	writer_str(&w, str_from(canonical, canonical.length - digits));
	return writer_result(&w);
}
