// Making and giving back call records.
#include "domain/call_record.h"

#include "domain/records.h"

#include <stdlib.h>

const char *const actor_via_names[] = {"server", "console", "token", "client", "phone", NULL};
const char *const direction_names[] = {"any", "incoming", "internal", "outgoing", NULL};

const char *const outcome_names[] = {
    [OUTCOME_ANSWERED] = "answered",
    [OUTCOME_ANSWERED_ELSEWHERE] = "answered_elsewhere",
    [OUTCOME_DECLINED] = "declined",
    [OUTCOME_DECLINED_ELSEWHERE] = "declined_elsewhere",
    [OUTCOME_CALLER_GAVE_UP] = "caller_gave_up",
    [OUTCOME_TIMED_OUT] = "timed_out",
    [OUTCOME_BUSY] = "busy",
    [OUTCOME_UNREACHABLE] = "unreachable",
    [OUTCOME_NOT_RUNG] = "not_rung",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_TOO_SOON] = "too_soon",
    [OUTCOME_TOO_LATE] = "too_late",
    [OUTCOME_NOT_CONFIRMED] = "not_confirmed",
    NULL,
};

struct call_record *call_record_new(void)
{
	struct call_record *record = calloc(1, sizeof *record);

	if (record)
		arena_init(&record->arena, 0);
	return record;
}

void call_record_free(struct call_record *record)
{
	if (!record)
		return;
	arena_free(&record->arena);
	free(record);
}
