// What is kept of a call: one record for each target it tried, with a line for each leg and for each turn that never rang.
#include "domain/call.h"

#include "base/log.h"

#include <assert.h>

// 26 characters of Crockford's base 32: 48 bits of time, then 80 random ones, so that ids sort by time.
static struct str record_id(struct call_record *record, struct loop *loop)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char text[26];
	uint8_t random[16];
	uint64_t time = (uint64_t)record->started_at;

	for (int i = 9; i >= 0; i--) {
		text[i] = alphabet[time % 32];
		time /= 32;
	}
	loop_random(loop, random, sizeof random);
	for (int i = 0; i < 16; i++)
		text[10 + i] = alphabet[random[i] % 32];
	return arena_copy(&record->arena, (struct str){text, sizeof text});
}

int64_t call_time_ms(const struct call *call)
{
	return call->began_at + (int64_t)(loop_now_ms(call->table->ports.loop) - call->began_ms);
}

struct call_record *record_begin(struct call *call)
{
	struct loop *loop = call->table->ports.loop;
	struct call_record *record = call_record_new(call->table->ports.records->spare);

	if (!record)
		return NULL;
	record->started_at = call_time_ms(call);
	record->id = record_id(record, loop);
	if (!record->id.at) {
		call_record_free(record);
		return NULL;
	}
	return record;
}

void record_forward(struct attempt *attempt, const struct attempt *before)
{
	struct call_record *record = attempt->record;
	const struct call_record *from = before->record;

	record->caller_number = arena_copy(&record->arena, from->caller_number);
	record->caller_name = arena_copy(&record->arena, from->caller_name);
	record->caller_device_number = arena_copy(&record->arena, from->caller_device_number);
	record->dialled = arena_copy(&record->arena, from->dialled);
	record->call_id = arena_copy(&record->arena, from->call_id);
	record->forwarded_from = arena_copy(&record->arena, from->id);
	record->caller_user_id = from->caller_user_id;
	record->caller_device_id = from->caller_device_id;
	record->caller_trunk_id = from->caller_trunk_id;
}

void record_settle(struct attempt *attempt, const struct result *result, unsigned status, const char *ended_by)
{
	struct call *call = attempt->call;
	struct call_record *record = attempt->record;

	assert(!attempt->settled);
	attempt->settled = true;
	record->outcome = result->outcome;
	record->err = result->err;
	record->sip_status = status;
	record->q850 = cause_in_reason(call->said);
	if (!record->q850)
		record->q850 = result->cause;
	record->ended_by = str_of(ended_by);
	record->ended_at = call_time_ms(call);
	lamp_call_changed(call);
	list_remove(&attempt->of_called);
	if (attempt->counted_user_id)
		tally_drop(call->table, TALLY_USER, attempt->counted_user_id);
	attempt->counted_user_id = 0;
	redirect_uncount(attempt);
}

static void leg_describe(struct leg_record *line, const struct call_turn *turn)
{
	line->device_id = turn->plan.device_id;
	line->device_number = turn->device_number;
	line->device_title = turn->device_title;
	line->device_kind = turn->device_kind;
	line->planned_start_ms = (int64_t)turn->plan.start_ms;
	line->planned_stop_ms = (int64_t)turn->plan.stop_ms;
}

static void line_of_leg(struct leg_record *line, const struct leg *leg)
{
	leg_describe(line, leg->turn);
	line->number = leg->number;
	line->started_at = leg->started_at;
	line->ringing_at = leg->ringing_at;
	line->answered_at = leg->answered_at;
	line->confirmed_at = leg->confirmed_at;
	line->ended_at = leg->ended_at;
	line->outcome = leg->outcome;
	line->sip_status = leg->status;
	line->q850 = leg->cause;
	line->reason = leg->reason;
	line->anchor_reason = str_of(anchor_reason_names[leg->anchor_reason]);
}

static void line_of_turn(struct leg_record *line, const struct call_turn *turn, int64_t ended_at)
{
	leg_describe(line, turn);
	line->ended_at = ended_at;
	line->outcome = turn->outcome;
	line->reason = str_of(turn->reason);
}

static void record_fill(struct attempt *attempt)
{
	struct call_record *record = attempt->record;
	size_t most = attempt->leg_count + attempt->turn_count;

	record->legs = arena_alloc(&record->arena, (most + 1) * sizeof *record->legs);
	if (!record->legs) {
		log_error("record_without_legs", LOG_STR("record", record->id));
		return;
	}
	for (size_t i = 0; i < attempt->turn_count; i++) {
		const struct call_turn *turn = &attempt->turns[i];
		size_t before = record->leg_count;
		list_each (node, following, &attempt->legs) {
			const struct leg *leg = container_of(node, const struct leg, node);
			if (leg->turn == turn)
				line_of_leg(&record->legs[record->leg_count++], leg);
		}
		if (record->leg_count == before)
			line_of_turn(&record->legs[record->leg_count++], turn, record->ended_at);
	}
}

void call_table_media_quality(struct call_table *table, const struct media_quality *quality)
{
	struct records *records = table->ports.records;

	records->quality(records->context, &(struct call_quality){.record = quality->record,
								  .leg = quality->number,
								  .relay = quality->relay,
								  .codec = quality->codec,
								  .packets = quality->packets,
								  .lost = quality->lost,
								  .jitter_ms = quality->jitter_ms,
								  .mos_hundred = quality->mos_hundred});
}

void record_save(struct attempt *attempt)
{
	struct records *records = attempt->call->table->ports.records;
	struct call_record *record = attempt->record;

	record_fill(attempt);
	attempt->record = NULL;
	log_info("call_record", LOG_UINT("call", attempt->call->id), LOG_STR("record", record->id),
		 LOG_STR("caller", record->caller_number), LOG_STR("dialled", record->dialled),
		 LOG_TEXT("outcome", outcome_names[record->outcome]), LOG_UINT("status", record->sip_status),
		 LOG_STR("ended_by", record->ended_by));
	records->save_call(records->context, record);
}
