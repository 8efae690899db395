// Call records in the database: one row for the call, one for each leg. Names come from the network, so they are made
// valid UTF-8 on the way in.
#include "store/call_record_sql.h"

#include "base/log.h"
#include "base/writer.h"
#include "domain/device.h"
#include "store/call_quality_sql.h"
#include "store/text.h"

#include <assert.h>
#include <string.h>

enum { LEGS_MAX = 1000, LIMIT_MAX = 1000 };

// ---- names

static const char *const kind_names[] = {
#define DEVICE_KIND(name, json, registers, relay, single, label) json,
#include "domain/device_kinds.def"
#undef DEVICE_KIND
    NULL};

// The index of a name that this program may not know (any more): then the fallback.
static int name_index(const char *const *names, struct str name, int fallback)
{
	for (int i = 0; names[i]; i++)
		if (str_equal(str_of(names[i]), name))
			return i;
	return fallback;
}

static enum err err_of_name(struct str name)
{
	for (int i = 0; i < ERR_COUNT; i++)
		if (str_equal(str_of(err_name((enum err)i)), name))
			return (enum err)i;
	return ERR_INTERNAL;
}

// ---- saving

static struct value clean(struct str text, struct arena *arena)
{
	struct str cleaned = text_clean(text, arena);

	if (!cleaned.at && !str_empty(text))
		return value_text(STR("?")); // out of memory: better a record without this text than none
	return value_text(cleaned);
}

// What lists are searched by: everybody's name and number, line by line.
static struct value search_of(const struct call_record *record, struct arena *arena)
{
	const struct str parts[] = {record->caller_number, record->caller_name, record->dialled, record->canonical,
				    record->callee_title};
	enum { PARTS = sizeof parts / sizeof *parts };
	size_t room = PARTS;

	for (size_t i = 0; i < PARTS; i++)
		room += parts[i].length;
	struct writer w = writer_into(arena_alloc(arena, room), room);
	if (!w.at)
		return value_text(STR_NONE);
	for (size_t i = 0; i < PARTS; i++) {
		if (i > 0)
			writer_char(&w, '\n');
		writer_str(&w, parts[i]);
	}
	struct str search = writer_result(&w);
	text_fold((char *)(uintptr_t)search.at, search.length);
	return clean(search, arena);
}

static enum err leg_save(struct database *database, const struct leg_record *leg, uint64_t record_number,
			 size_t position, struct arena *arena)
{
	return database_run(
	    database,
	    "INSERT INTO call_legs (record, position, device_id, device_number, device_title, "
	    "device_kind, started_at, "
	    "ringing_at, answered_at, ended_at, outcome, sip_status, reason, planned_start_ms, "
	    "planned_stop_ms, q850, confirmed_at, number, anchor_reason) "
	    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
	    VALUES(value_id(record_number), value_integer((int64_t)position), value_id(leg->device_id),
		   clean(leg->device_number, arena), clean(leg->device_title, arena),
		   value_text(str_of(kind_names[leg->device_kind])), value_integer(leg->started_at),
		   value_integer(leg->ringing_at), value_integer(leg->answered_at), value_integer(leg->ended_at),
		   value_text(str_of(outcome_names[leg->outcome])), value_integer(leg->sip_status),
		   clean(leg->reason, arena), value_integer(leg->planned_start_ms), value_integer(leg->planned_stop_ms),
		   value_integer(leg->q850), value_integer(leg->confirmed_at), value_integer(leg->number),
		   value_text(leg->anchor_reason)),
	    NO_ROWS);
}

static enum err call_save(struct database *database, const struct call_record *record, struct arena *arena)
{
	return database_run(
	    database,
	    "INSERT INTO call_records (id, search, started_at, answered_at, ended_at, caller_number, caller_name, "
	    "caller_user_id, caller_device_id, caller_trunk_id, caller_device_number, dialled, canonical, "
	    "callee_user_id, "
	    "callee_title, outcome, err, sip_status, ended_by, call_id, forwarded_from, transferred_by, q850) "
	    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, "
	    "$22, $23) "
	    "ON CONFLICT (id) DO NOTHING",
	    VALUES(value_text(record->id), search_of(record, arena), value_integer(record->started_at),
		   value_integer(record->answered_at), value_integer(record->ended_at),
		   clean(record->caller_number, arena), clean(record->caller_name, arena),
		   value_id(record->caller_user_id), value_id(record->caller_device_id),
		   value_id(record->caller_trunk_id), clean(record->caller_device_number, arena),
		   clean(record->dialled, arena), clean(record->canonical, arena), value_id(record->callee_user_id),
		   clean(record->callee_title, arena), value_text(str_of(outcome_names[record->outcome])),
		   value_text(str_of(err_name(record->err))), value_integer(record->sip_status),
		   value_text(record->ended_by), clean(record->call_id, arena), value_text(record->forwarded_from),
		   clean(record->transferred_by, arena), value_integer(record->q850)),
	    NO_ROWS);
}

// Only what the relay carried can be known of; other records cost nothing.
static bool was_anchored(const struct call_record *record)
{
	for (size_t i = 0; i < record->leg_count; i++)
		if (!str_empty(record->legs[i].anchor_reason))
			return true;
	return false;
}

enum err call_record_save(struct database *database, const struct call_record *record)
{
	struct arena arena;
	enum err err;

	arena_init(&arena, 0);
	err = call_save(database, record, &arena);
	bool is_new = database->changed_rows > 0;
	uint64_t number = database->given_id;
	for (size_t i = 0; !err && is_new && i < record->leg_count; i++)
		err = leg_save(database, &record->legs[i], number, i, &arena);
	if (!err && is_new && was_anchored(record))
		err = call_quality_keep(database, record->id, number);
	arena_free(&arena);
	return err;
}

// ---- reading

#define RECORD_COLUMNS                                                                                                 \
	"id, started_at, answered_at, ended_at, caller_number, caller_name, caller_user_id, caller_device_id, "        \
	"caller_trunk_id, caller_device_number, dialled, canonical, callee_user_id, callee_title, outcome, err, "      \
	"sip_status, ended_by, call_id, forwarded_from, transferred_by, q850, number"

enum { NUMBER_COLUMN = 22 };

// Copies texts until one fails.
struct copying {
	const struct row *row;
	struct arena *arena;
	enum err err;
};

static struct str copy_text(struct copying *copying, unsigned column)
{
	struct str text = arena_copy(copying->arena, row_text(copying->row, column));

	if (!text.at)
		copying->err = ERR_NO_MEMORY;
	return text;
}

static enum err record_from_row(const struct row *row, struct arena *arena, struct call_record **result)
{
	struct copying copying = {row, arena, ERR_NONE};
	struct call_record *record = arena_alloc(arena, sizeof *record);

	if (!record)
		return ERR_NO_MEMORY;
	record->id = copy_text(&copying, 0);
	record->started_at = row_integer(row, 1);
	record->answered_at = row_integer(row, 2);
	record->ended_at = row_integer(row, 3);
	record->caller_number = copy_text(&copying, 4);
	record->caller_name = copy_text(&copying, 5);
	record->caller_user_id = row_id(row, 6);
	record->caller_device_id = row_id(row, 7);
	record->caller_trunk_id = row_id(row, 8);
	record->caller_device_number = copy_text(&copying, 9);
	record->dialled = copy_text(&copying, 10);
	record->canonical = copy_text(&copying, 11);
	record->callee_user_id = row_id(row, 12);
	record->callee_title = copy_text(&copying, 13);
	record->outcome = name_index(outcome_names, row_text(row, 14), OUTCOME_FAILED);
	record->err = err_of_name(row_text(row, 15));
	record->sip_status = (unsigned)row_integer(row, 16);
	record->ended_by = copy_text(&copying, 17);
	record->call_id = copy_text(&copying, 18);
	record->forwarded_from = copy_text(&copying, 19);
	record->transferred_by = copy_text(&copying, 20);
	record->q850 = (unsigned)row_integer(row, 21);
	*result = record;
	return copying.err;
}

struct reading {
	struct arena *arena;
	struct call_record *record;
	uint64_t number; // the record's, of the last row
	struct record_page *page;
	unsigned limit;
	bool more;
};

static enum err take_record(void *context, const struct row *row)
{
	struct reading *reading = context;

	reading->number = row_id(row, NUMBER_COLUMN);
	return record_from_row(row, reading->arena, &reading->record);
}

static enum err take_leg(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct copying copying = {row, reading->arena, ERR_NONE};
	struct call_record *record = reading->record;

	if (record->leg_count == LEGS_MAX)
		return ERR_NONE;
	record->legs[record->leg_count++] = (struct leg_record){
	    .device_id = row_id(row, 0),
	    .device_number = copy_text(&copying, 1),
	    .device_title = copy_text(&copying, 2),
	    .device_kind = name_index(kind_names, row_text(row, 3), DEVICE_SIP_PHONE),
	    .started_at = row_integer(row, 4),
	    .ringing_at = row_integer(row, 5),
	    .answered_at = row_integer(row, 6),
	    .ended_at = row_integer(row, 7),
	    .outcome = name_index(outcome_names, row_text(row, 8), OUTCOME_FAILED),
	    .sip_status = (unsigned)row_integer(row, 9),
	    .reason = copy_text(&copying, 10),
	    .planned_start_ms = row_integer(row, 11),
	    .planned_stop_ms = row_integer(row, 12),
	    .q850 = (unsigned)row_integer(row, 13),
	    .confirmed_at = row_integer(row, 14),
	    .number = (unsigned)row_integer(row, 15),
	    .anchor_reason = copy_text(&copying, 16),
	};
	return copying.err;
}

static enum err legs_read(struct database *database, struct reading *reading)
{
	struct value number = value_id(reading->number);
	int64_t count;
	enum err err =
	    database_integer(database, "SELECT count(*) FROM call_legs WHERE record = $1", VALUES(number), &count);

	if (err || count == 0)
		return err;
	reading->record->legs =
	    arena_alloc(reading->arena, (count < LEGS_MAX ? (size_t)count : LEGS_MAX) * sizeof(struct leg_record));
	if (!reading->record->legs)
		return ERR_NO_MEMORY;
	return database_run(database,
			    "SELECT device_id, device_number, device_title, device_kind, started_at, ringing_at, "
			    "answered_at, ended_at, outcome, sip_status, reason, planned_start_ms, planned_stop_ms, "
			    "q850, confirmed_at, number, anchor_reason "
			    "FROM call_legs WHERE record = $1 "
			    "ORDER BY position",
			    VALUES(number), (struct row_visitor){take_leg, reading});
}

enum err call_record_read(struct database *database, struct str id, struct arena *arena, struct call_record **record)
{
	struct reading reading = {.arena = arena};
	enum err err = database_run(database, "SELECT " RECORD_COLUMNS " FROM call_records WHERE id = $1",
				    VALUES(value_text(id)), (struct row_visitor){take_record, &reading});

	if (!err && !reading.record)
		err = ERR_NOT_FOUND;
	if (!err)
		err = legs_read(database, &reading);
	if (!err)
		err = call_quality_read(database, arena, reading.record);
	if (!err)
		*record = reading.record;
	return err;
}

// ---- pages: the cursor is "STARTED_AT.NUMBER" of the last row

static enum err take_listed(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct record_page *page = reading->page;
	enum err err;

	if (page->count == reading->limit) {
		reading->more = true;
		return ERR_NONE;
	}
	err = record_from_row(row, reading->arena, &page->records[page->count]);
	if (err)
		return err;
	reading->number = row_id(row, NUMBER_COLUMN);
	page->count++;
	return ERR_NONE;
}

// The statement grows with what is asked for, so that each question finds its index.
struct record_draft {
	struct writer w;
	char sql[2048];
	struct value values[12];
	size_t count;
};

static unsigned place(struct record_draft *draft, struct value value)
{
	assert(draft->count < sizeof draft->values / sizeof *draft->values);
	draft->values[draft->count++] = value;
	return (unsigned)draft->count;
}

static void direction_write(struct record_draft *draft, enum call_direction direction)
{
	switch (direction) {
	case DIRECTION_ANY:
		return;
	case DIRECTION_INCOMING:
		writer_text(&draft->w, " AND caller_trunk_id IS NOT NULL");
		return;
	case DIRECTION_INTERNAL:
		writer_text(&draft->w, " AND caller_trunk_id IS NULL AND callee_user_id IS NOT NULL");
		return;
	case DIRECTION_OUTGOING:
		writer_text(&draft->w, " AND caller_trunk_id IS NULL AND callee_user_id IS NULL");
		return;
	}
}

// Answered calls are in no index by outcome: wherever one looks there are some.
static void outcome_write(struct record_draft *draft, const char *outcome)
{
	writer_format(&draft->w, " AND outcome = $%u", place(draft, value_text(str_of(outcome))));
	if (strcmp(outcome, outcome_names[OUTCOME_ANSWERED]) != 0)
		writer_text(&draft->w, " AND outcome <> 'answered'"); // the index is found by this very condition
}

static void conditions_write(struct record_draft *draft, const struct record_query *query)
{
	if (query->user_id) {
		unsigned user = place(draft, value_id(query->user_id));
		writer_format(&draft->w, " AND (caller_user_id = $%u OR callee_user_id = $%u)", user, user);
	}
	if (query->device_id) {
		unsigned device = place(draft, value_id(query->device_id));
		writer_format(&draft->w,
			      " AND (caller_device_id = $%u OR number IN (SELECT record FROM call_legs WHERE "
			      "device_id = $%u))",
			      device, device);
	}
	if (query->outcome)
		outcome_write(draft, query->outcome);
	direction_write(draft, query->direction);
}

static enum err page_run(struct database *database, const struct record_query *query, struct reading *reading)
{
	struct record_draft draft = {.count = 0};
	struct str rest = query->cursor, time;
	struct str pattern = text_pattern(query->q, reading->arena);
	int64_t at = INT64_MAX, number = 0;

	if (!pattern.at)
		return ERR_NO_MEMORY;
	if (!str_empty(query->cursor) && (!str_take(&rest, '.', &time) || !str_to_int(time, 0, INT64_MAX, &at) ||
					  !str_to_int(rest, 1, INT64_MAX, &number)))
		return ERR_MALFORMED;
	draft.w = writer_into(draft.sql, sizeof draft.sql);
	writer_text(&draft.w, "SELECT " RECORD_COLUMNS " FROM call_records WHERE started_at <= $1 AND "
			      "(started_at < $1 OR number < $2) AND started_at >= $3 AND started_at < $4");
	place(&draft, value_integer(at));
	place(&draft, value_integer(number));
	place(&draft, value_integer(query->from));
	place(&draft, value_integer(query->to ? query->to : INT64_MAX));
	if (!str_empty(query->q))
		writer_format(&draft.w, " AND search LIKE $%u ESCAPE '\\'", place(&draft, value_text(pattern)));
	conditions_write(&draft, query);
	writer_format(&draft.w, " ORDER BY started_at DESC, number DESC LIMIT $%u",
		      place(&draft, value_integer((int64_t)query->limit + 1)));
	writer_char(&draft.w, '\0');
	assert(!draft.w.overflow);
	return database_run(database, draft.sql, (struct values){draft.values, draft.count},
			    (struct row_visitor){take_listed, reading});
}

enum err call_record_list(struct database *database, const struct record_query *query, struct arena *arena,
			  struct record_page *page)
{
	struct reading reading = {.arena = arena, .page = page, .limit = query->limit};
	enum err err;

	*page = (struct record_page){.records = NULL};
	if (query->limit < 1 || query->limit > LIMIT_MAX)
		return ERR_MALFORMED;
	page->records = arena_alloc(arena, query->limit * sizeof *page->records);
	if (!page->records)
		return ERR_NO_MEMORY;
	err = page_run(database, query, &reading);
	if (err || !reading.more)
		return err;
	const struct call_record *last = page->records[page->count - 1];
	page->next = arena_format(arena, "%lld.%llu", (long long)last->started_at, (unsigned long long)reading.number);
	return page->next.at ? ERR_NONE : ERR_NO_MEMORY;
}
