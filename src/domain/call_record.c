// Making and giving back call records.
#include "domain/call_record.h"

#include "domain/records.h"

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
	struct arena arena;
	struct call_record *record;

	arena_init(&arena, 0);
	record = arena_alloc(&arena, sizeof *record);
	if (record)
		record->arena = arena; // which holds the record itself: one piece of memory for most calls
	return record;
}

void call_record_free(struct call_record *record)
{
	struct arena arena;

	if (!record)
		return;
	arena = record->arena;
	arena_free(&arena);
}
