// Ranges of one width that overlap leave open which of them a number belongs to.
#include "store/did_rules.h"

struct other {
	uint64_t id;
	char label[96], canonical[DID_CANONICAL_MAX + 1];
};

static enum err take_other(void *context, const struct row *row)
{
	struct other *other = context;

	other->id = row_id(row, 0);
	str_to_cstring(row_text(row, 1), other->label, sizeof other->label);
	str_to_cstring(row_text(row, 2), other->canonical, sizeof other->canonical);
	return ERR_NONE;
}

enum err did_overlap_check(struct change_set *set, const struct did *did)
{
	int64_t width = did->last_value - did->first_value;
	struct other other = {.id = 0};
	enum err err;

	err =
	    database_run(set->database,
			 "SELECT id, " DID_LABEL ", canonical FROM dids WHERE first_value >= $1 AND first_value <= $2 "
			 "AND last_value - first_value = $3 AND id <> $4 ORDER BY first_value, id LIMIT 1",
			 VALUES(value_integer(did->first_value - width), value_integer(did->last_value),
				value_integer(width), value_integer((int64_t)did->entity.id)),
			 (struct row_visitor){take_other, &other});
	if (err || !other.id)
		return err;
	if (set->problem && !set->problem->other_id)
		set->problem->other_id = other.id;
	if (width == 0)
		return problem_set(set->problem, ERR_NOT_UNIQUE, "number", "Another did is this number already: %s.",
				   other.label);
	return problem_set(set->problem, ERR_NOT_UNIQUE, "last",
			   "The range %s (%s) is as wide and shares numbers with this one; make one of them narrower.",
			   other.label, other.canonical);
}
