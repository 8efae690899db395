// Times until an answer, from the legs of call records: by an index, the newest first, a bounded number of them.
#include "store/answer_time_sql.h"

struct reading {
	struct answer_time *times;
	size_t count;
};

static enum err take_leg(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct leg_record leg = {
	    .started_at = row_integer(row, 0),
	    .ringing_at = row_integer(row, 1),
	    .answered_at = row_integer(row, 2),
	    .confirmed_at = row_integer(row, 3),
	    .ended_at = row_integer(row, 4),
	    .outcome = OUTCOME_FAILED,
	};

	for (int i = 0; outcome_names[i]; i++)
		if (str_equal(str_of(outcome_names[i]), row_text(row, 5)))
			leg.outcome = i;
	if (reading->count < ANSWER_TIMES_MAX && answer_time_of(&leg, &reading->times[reading->count]))
		reading->count++;
	return ERR_NONE;
}

enum err answer_time_list(struct database *database, uint64_t device_id, struct arena *arena,
			  struct answer_time **times, size_t *count)
{
	struct reading reading = {.times = arena_alloc(arena, ANSWER_TIMES_MAX * sizeof **times)};

	if (!reading.times)
		return ERR_NO_MEMORY;
	enum err err = database_run(
	    database,
	    "SELECT started_at, ringing_at, answered_at, confirmed_at, ended_at, outcome FROM call_legs "
	    "WHERE device_id = $1 AND started_at > 0 ORDER BY started_at DESC LIMIT $2",
	    VALUES(value_id(device_id), value_integer(ANSWER_TIMES_MAX)), (struct row_visitor){take_leg, &reading});
	*times = reading.times;
	*count = reading.count;
	return err;
}
