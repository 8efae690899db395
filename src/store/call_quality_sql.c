// One row for each leg that the media relay carried. Until the record is there, `kept_for` is empty.
#include "store/call_quality_sql.h"

#include "store/text.h"

enum err call_quality_save(struct database *database, const struct call_quality *quality, int64_t now_ms)
{
	struct arena arena;

	arena_init(&arena, 0);
	struct str codec = text_clean(quality->codec, &arena), relay = text_clean(quality->relay, &arena);
	enum err err = database_run(
	    database,
	    "INSERT INTO call_quality (record_id, leg, kept_for, noted_at, relay, codec, packets, lost, jitter_ms, "
	    "mos_hundred) "
	    "VALUES ($1, $2, (SELECT number FROM call_records WHERE id = $1), $3, $4, $5, $6, $7, $8, $9) "
	    "ON CONFLICT (record_id, leg) DO UPDATE SET relay = excluded.relay, "
	    "codec = CASE WHEN excluded.codec = '' THEN call_quality.codec ELSE excluded.codec END, "
	    "packets = call_quality.packets + excluded.packets, lost = call_quality.lost + excluded.lost, "
	    "jitter_ms = CASE WHEN excluded.jitter_ms > call_quality.jitter_ms THEN excluded.jitter_ms "
	    "ELSE call_quality.jitter_ms END, "
	    "mos_hundred = CASE WHEN call_quality.mos_hundred = 0 OR (excluded.mos_hundred > 0 AND "
	    "excluded.mos_hundred < call_quality.mos_hundred) THEN excluded.mos_hundred "
	    "ELSE call_quality.mos_hundred END",
	    VALUES(value_text(quality->record), value_integer(quality->leg), value_integer(now_ms), value_text(relay),
		   value_text(codec), value_integer((int64_t)(quality->packets & INT64_MAX)),
		   value_integer((int64_t)(quality->lost & INT64_MAX)), value_integer(quality->jitter_ms),
		   value_integer(quality->mos_hundred)),
	    NO_ROWS);
	arena_free(&arena);
	return err;
}

enum err call_quality_keep(struct database *database, struct str record_id, uint64_t record_number)
{
	return database_run(database, "UPDATE call_quality SET kept_for = $2 WHERE record_id = $1",
			    VALUES(value_text(record_id), value_id(record_number)), NO_ROWS);
}

struct reading {
	struct arena *arena;
	struct call_record *record;
};

static void attach(struct call_record *record, const struct call_quality *quality)
{
	if (quality->leg == 0)
		record->caller_quality = quality;
	for (size_t i = 0; i < record->leg_count; i++)
		if (record->legs[i].number && record->legs[i].number == quality->leg)
			record->legs[i].quality = quality;
}

static enum err take_quality(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct call_quality *quality = arena_alloc(reading->arena, sizeof *quality);

	if (!quality)
		return ERR_NO_MEMORY;
	*quality = (struct call_quality){
	    .record = reading->record->id,
	    .leg = (unsigned)row_integer(row, 0),
	    .relay = arena_copy(reading->arena, row_text(row, 1)),
	    .codec = arena_copy(reading->arena, row_text(row, 2)),
	    .packets = (uint64_t)row_integer(row, 3),
	    .lost = (uint64_t)row_integer(row, 4),
	    .jitter_ms = (unsigned)row_integer(row, 5),
	    .mos_hundred = (unsigned)row_integer(row, 6),
	};
	if (!quality->relay.at || !quality->codec.at)
		return ERR_NO_MEMORY;
	attach(reading->record, quality);
	return ERR_NONE;
}

enum err call_quality_read(struct database *database, struct arena *arena, struct call_record *record)
{
	struct reading reading = {arena, record};

	return database_run(
	    database,
	    "SELECT leg, relay, codec, packets, lost, jitter_ms, mos_hundred FROM call_quality WHERE record_id = $1",
	    VALUES(value_text(record->id)), (struct row_visitor){take_quality, &reading});
}

enum err call_quality_sweep(struct database *database, int64_t before_ms)
{
	return database_run(database, "DELETE FROM call_quality WHERE kept_for IS NULL AND noted_at < $1",
			    VALUES(value_integer(before_ms)), NO_ROWS);
}
