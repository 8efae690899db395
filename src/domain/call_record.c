// Making and giving back call records.
#include "domain/call_record.h"

#include "domain/records.h"

#include <stdatomic.h>
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

struct call_records {
	struct call_record *spare;                // its taker's own
	_Atomic(struct call_record *) given_back; // by whatever thread
	atomic_size_t count;                      // of both
};

static struct call_record *take_spare(struct call_records *records)
{
	struct call_record *record;

	if (!records->spare)
		records->spare = atomic_exchange(&records->given_back, NULL);
	record = records->spare;
	if (record) {
		records->spare = record->next;
		atomic_fetch_sub(&records->count, 1);
	}
	return record;
}

struct call_records *call_records_create(void)
{
	return calloc(1, sizeof(struct call_records));
}

void call_records_destroy(struct call_records *records)
{
	struct call_record *record;

	if (!records)
		return;
	while ((record = take_spare(records))) {
		struct arena arena = record->arena;
		arena_free(&arena);
	}
	free(records);
}

// A record lives in its own arena: one piece of memory for most calls.
static struct call_record *record_in(struct arena arena, struct call_records *home)
{
	struct call_record *record = arena_alloc(&arena, sizeof *record);

	if (record) {
		record->arena = arena;
		record->home = home;
	}
	return record;
}

struct call_record *call_record_new(struct call_records *home)
{
	struct call_record *spare = home ? take_spare(home) : NULL;
	struct arena arena;

	if (spare) {
		spare->next = NULL;
		return spare;
	}
	arena_init(&arena, 0);
	return record_in(arena, home);
}

void call_record_free(struct call_record *record)
{
	struct call_records *home = record ? record->home : NULL;
	struct arena arena;

	if (!record)
		return;
	arena = record->arena;
	if (!home || atomic_load(&home->count) >= CALL_RECORDS_SPARE) {
		arena_free(&arena);
		return;
	}
	arena_reset(&arena);
	record = record_in(arena, home); // in the block that stayed, empty as a new one
	if (!record)
		return;
	atomic_fetch_add(&home->count, 1);
	record->next = atomic_load(&home->given_back);
	while (!atomic_compare_exchange_weak(&home->given_back, &record->next, record))
		;
}
