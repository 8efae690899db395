// One row for each key. An old one of the same key is replaced: whoever asks has looked whether it still counts.
#include "store/answer_sql.h"

enum { KEPT_MAX = 100000, SWEEP_MAX = 10000 };

enum err answer_mark(struct database *database, const struct actor *actor, int64_t now_ms)
{
	if (!actor || str_empty(actor->key))
		return ERR_NONE;
	return database_run(database,
			    "INSERT INTO request_answers (key, request, at, status, type, etag, location, body) "
			    "VALUES ($1, $2, $3, 0, '', '', '', '') ON CONFLICT (key) DO UPDATE SET "
			    "request = excluded.request, at = excluded.at, status = 0, type = '', etag = '', "
			    "location = '', body = ''",
			    VALUES(value_text(actor->key), value_text(actor->key_request), value_integer(now_ms)),
			    NO_ROWS);
}

enum err answer_save(struct database *database, const struct kept_answer *answer)
{
	return database_run(
	    database,
	    "INSERT INTO request_answers (key, request, at, status, type, etag, location, body) "
	    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO UPDATE SET "
	    "request = excluded.request, at = excluded.at, status = excluded.status, type = excluded.type, "
	    "etag = excluded.etag, location = excluded.location, body = excluded.body",
	    VALUES(value_text(answer->key), value_text(answer->request), value_integer(answer->at_ms),
		   value_integer(answer->status), value_text(answer->type), value_text(answer->etag),
		   value_text(answer->location), value_text(answer->body)),
	    NO_ROWS);
}

struct reading {
	struct arena *arena;
	struct kept_answer *answer;
	bool found;
};

static enum err take_answer(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct kept_answer *answer = reading->answer;

	*answer = (struct kept_answer){
	    .request = arena_copy(reading->arena, row_text(row, 0)),
	    .at_ms = row_integer(row, 1),
	    .status = (unsigned)row_integer(row, 2),
	    .type = arena_copy(reading->arena, row_text(row, 3)),
	    .etag = arena_copy(reading->arena, row_text(row, 4)),
	    .location = arena_copy(reading->arena, row_text(row, 5)),
	    .body = arena_copy(reading->arena, row_text(row, 6)),
	};
	reading->found = true;
	return answer->request.at && answer->type.at && answer->etag.at && answer->location.at && answer->body.at
		   ? ERR_NONE
		   : ERR_NO_MEMORY;
}

enum err answer_read(struct database *database, struct str key, struct arena *arena, struct kept_answer *answer)
{
	struct reading reading = {.arena = arena, .answer = answer};
	enum err err = database_run(
	    database, "SELECT request, at, status, type, etag, location, body FROM request_answers WHERE key = $1",
	    VALUES(value_text(key)), (struct row_visitor){take_answer, &reading});

	if (err || !reading.found)
		return err ? err : ERR_NOT_FOUND;
	answer->key = key;
	return ERR_NONE;
}

enum err answer_sweep(struct database *database, int64_t before_ms)
{
	enum err err = database_run(database, "DELETE FROM request_answers WHERE at < $1",
				    VALUES(value_integer(before_ms)), NO_ROWS);

	return err ? err
		   : database_run(database,
				  "DELETE FROM request_answers WHERE key IN (SELECT key FROM request_answers "
				  "ORDER BY at DESC LIMIT $1 OFFSET $2)",
				  VALUES(value_integer(SWEEP_MAX), value_integer(KEPT_MAX)), NO_ROWS);
}
