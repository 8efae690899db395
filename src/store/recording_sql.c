#include "store/recording_sql.h"

#include "store/audit_sql.h"

enum { PIECES_MAX = 200 };

enum err recording_write(struct change_set *set, const struct recording *recording)
{
	bool removes = str_empty(recording->wav);
	int64_t there = 0, user = 1;
	enum err err = database_integer(set->database, "SELECT count(*) FROM recordings WHERE name = $1",
					VALUES(value_text(recording->name)), &there);

	if (!err && recording->user_id)
		err = database_integer(set->database, "SELECT count(*) FROM users WHERE id = $1",
				       VALUES(value_id(recording->user_id)), &user);
	if (err)
		return err;
	if (!user || (removes && !there))
		return ERR_NOT_FOUND;
	if (removes)
		err = database_run(set->database, "DELETE FROM recordings WHERE name = $1",
				   VALUES(value_text(recording->name)), NO_ROWS);
	else
		err = database_run(
		    set->database,
		    "INSERT INTO recordings (name, user_id, at, ms, wav) VALUES ($1, $2, $3, $4, $5) "
		    "ON CONFLICT (name) DO UPDATE SET at = excluded.at, ms = excluded.ms, wav = excluded.wav",
		    VALUES(value_text(recording->name), value_id(recording->user_id), value_integer(set->now_ms),
			   value_integer((int64_t)recording->ms), value_bytes(recording->wav)),
		    NO_ROWS);
	return err ? err : audit_write_recording(set, recording, removes ? "delete" : there ? "update" : "create");
}

// ---- reading

struct reading {
	struct arena *arena;
	struct recording *at;
	size_t count, room;
};

static enum err take(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct recording *recording = &reading->at[reading->count];

	if (reading->count == reading->room)
		return ERR_NONE;
	*recording = (struct recording){
	    .name = arena_copy(reading->arena, row_text(row, 0)),
	    .user_id = row_id(row, 1),
	    .at = row_integer(row, 2),
	    .ms = row_id(row, 3),
	    .wav = arena_copy(reading->arena, row_text(row, 4)),
	};
	reading->count++;
	return recording->name.at && recording->wav.at ? ERR_NONE : ERR_NO_MEMORY;
}

enum err recording_read(struct database *database, struct str name, struct arena *arena, struct recording *recording)
{
	struct reading reading = {.arena = arena, .at = recording, .room = 1};
	enum err err = database_run(database, "SELECT name, user_id, at, ms, wav FROM recordings WHERE name = $1",
				    VALUES(value_text(name)), (struct row_visitor){take, &reading});

	if (err)
		return err;
	return reading.count ? ERR_NONE : ERR_NOT_FOUND;
}

enum err recording_list(struct database *database, struct arena *arena, struct recording_page *page)
{
	struct reading reading = {
	    .arena = arena, .at = arena_alloc(arena, PIECES_MAX * sizeof *reading.at), .room = PIECES_MAX};

	if (!reading.at)
		return ERR_NO_MEMORY;
	enum err err = database_run(
	    database, "SELECT name, user_id, at, ms, '' FROM recordings WHERE user_id IS NULL ORDER BY name",
	    VALUES_NONE, (struct row_visitor){take, &reading});
	*page = (struct recording_page){reading.at, reading.count};
	return err;
}
