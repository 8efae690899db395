// Devices' holders and registrations, users' reach. Written only where they changed: most writes change none of it.
#include "store/derived_sql.h"

#include "domain/device.h"

#include <assert.h>
#include <stdlib.h>

enum { SQL_MAX = 2048, TITLE_MAX = 128 };

void derived_write_registering(struct writer *w)
{
	const struct field *kind = entity_field(&device_type, STR("kind"));
	bool first = true;

	writer_text(w, "kind IN (");
	for (int i = 0; kind->choices[i]; i++) {
		if (!device_kind_registers(i))
			continue;
		writer_format(w, "%s'%s'", first ? "" : ", ", kind->choices[i]);
		first = false;
	}
	writer_text(w, ")");
}

// ---- whom it concerns

static enum err take_device(void *context, const struct row *row)
{
	struct derived_ids *ids = context;

	if (ids->device_count < sizeof ids->devices / sizeof *ids->devices)
		ids->devices[ids->device_count++] = row_id(row, 0);
	return ERR_NONE;
}

static enum err take_user_and_device(void *context, const struct row *row)
{
	struct derived_ids *ids = context;

	if (ids->user_count < sizeof ids->users / sizeof *ids->users)
		ids->users[ids->user_count++] = row_id(row, 1);
	return take_device(context, row);
}

enum err derived_gather(struct database *database, enum entity_kind kind, uint64_t id, struct derived_ids *ids)
{
	if (kind == ENTITY_SELECTION)
		return database_run(database, "SELECT device_id, user_id FROM selections WHERE id = $1",
				    VALUES(value_id(id)), (struct row_visitor){take_user_and_device, ids});
	if (kind != ENTITY_USER)
		return ERR_NONE;
	if (ids->user_count < sizeof ids->users / sizeof *ids->users)
		ids->users[ids->user_count++] = id;
	return database_run(database,
			    "SELECT device_id FROM assignments WHERE user_id = $1 "
			    "UNION ALL SELECT device_id FROM selections WHERE user_id = $1",
			    VALUES(value_id(id)), (struct row_visitor){take_device, ids});
}

// ---- who holds a device

struct holding {
	char held[16], holder[TITLE_MAX]; // as it should be
	bool found, right;
};

static enum err take_holding(void *context, const struct row *row)
{
	struct holding *holding = context;

	holding->found = true;
	holding->right = str_equal(row_text(row, 0), row_text(row, 2)) && str_equal(row_text(row, 1), row_text(row, 3));
	str_to_cstring(row_text(row, 0), holding->held, sizeof holding->held);
	str_to_cstring(row_text(row, 1), holding->holder, sizeof holding->holder);
	return ERR_NONE;
}

static enum err holder_refresh(struct database *database, uint64_t device_id)
{
	struct holding holding = {.found = false};
	enum err err = database_run(
	    database,
	    "SELECT CASE WHEN EXISTS (SELECT 1 FROM assignments WHERE device_id = $1) THEN 'assigned' "
	    "WHEN EXISTS (SELECT 1 FROM selections WHERE device_id = $1) THEN 'selected' ELSE 'nobody' END, "
	    "coalesce((SELECT title FROM users WHERE id = (SELECT min(user_id) FROM assignments WHERE device_id = "
	    "$1)), "
	    "(SELECT title FROM users WHERE id = (SELECT user_id FROM selections WHERE device_id = $1)), ''), "
	    "held, holder FROM devices WHERE id = $1",
	    VALUES(value_id(device_id)), (struct row_visitor){take_holding, &holding});

	if (err || !holding.found || holding.right)
		return err;
	return database_run(
	    database, "UPDATE devices SET held = $2, holder = $3 WHERE id = $1",
	    VALUES(value_id(device_id), value_text(str_of(holding.held)), value_text(str_of(holding.holder))), NO_ROWS);
}

// ---- whether a user can be reached: by what is assigned, or else by what is selected

struct reaching {
	char reach[16];
	bool found, right;
};

static enum err take_reach(void *context, const struct row *row)
{
	struct reaching *reaching = context;

	reaching->found = true;
	reaching->right = str_equal(row_text(row, 0), row_text(row, 1));
	str_to_cstring(row_text(row, 0), reaching->reach, sizeof reaching->reach);
	return ERR_NONE;
}

// "(SELECT count(*), sum(can ring) FROM table ...)" as a CASE: nothing, unreachable or reachable.
static void reach_write(struct writer *w, const char *table, const char *otherwise)
{
	writer_format(w,
		      "WHEN EXISTS (SELECT 1 FROM %s WHERE user_id = $1) THEN CASE WHEN EXISTS (SELECT 1 FROM %s "
		      "JOIN devices ON devices.id = %s.device_id WHERE user_id = $1 AND (registered OR NOT ",
		      table, table, table);
	derived_write_registering(w);
	writer_format(w, ")) THEN 'reachable' ELSE 'unreachable' END %s", otherwise);
}

static enum err reach_refresh(struct database *database, uint64_t user_id)
{
	char sql[SQL_MAX];
	struct writer w = writer_into(sql, sizeof sql);
	struct reaching reaching = {.found = false};
	enum err err;

	writer_text(&w, "SELECT CASE ");
	reach_write(&w, "assignments", "");
	reach_write(&w, "selections", "ELSE 'nothing' END");
	writer_text(&w, ", reach FROM users WHERE id = $1");
	writer_char(&w, '\0');
	assert(!w.overflow);
	err = database_run(database, sql, VALUES(value_id(user_id)), (struct row_visitor){take_reach, &reaching});
	if (err || !reaching.found || reaching.right)
		return err;
	return database_run(database, "UPDATE users SET reach = $2 WHERE id = $1",
			    VALUES(value_id(user_id), value_text(str_of(reaching.reach))), NO_ROWS);
}

enum err derived_refresh(struct database *database, const struct derived_ids *ids)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < ids->device_count; i++)
		err = holder_refresh(database, ids->devices[i]);
	for (size_t i = 0; !err && i < ids->user_count; i++)
		err = reach_refresh(database, ids->users[i]);
	return err;
}

// ---- whether a device is registered

// Shared phones have several users; each is refreshed.
struct holders {
	uint64_t ids[64];
	size_t count;
};

static enum err take_holder(void *context, const struct row *row)
{
	struct holders *holders = context;

	if (holders->count < sizeof holders->ids / sizeof *holders->ids)
		holders->ids[holders->count++] = row_id(row, 0);
	return ERR_NONE;
}

enum err derived_registration(struct database *database, uint64_t device_id, int64_t now_ms)
{
	struct holders holders = {.count = 0};
	int64_t registered = 0;
	enum err err =
	    database_integer(database, "SELECT 1 FROM registrations WHERE device_id = $1 AND expires_at > $2 LIMIT 1",
			     VALUES(value_id(device_id), value_integer(now_ms)), &registered);

	if (!err)
		err = database_run(database, "UPDATE devices SET registered = $2 WHERE id = $1 AND registered <> $2",
				   VALUES(value_id(device_id), value_boolean(registered != 0)), NO_ROWS);
	if (err || database->changed_rows == 0)
		return err;
	err = database_run(database,
			   "SELECT user_id FROM assignments WHERE device_id = $1 "
			   "UNION ALL SELECT user_id FROM selections WHERE device_id = $1",
			   VALUES(value_id(device_id)), (struct row_visitor){take_holder, &holders});
	for (size_t i = 0; !err && i < holders.count; i++)
		err = reach_refresh(database, holders.ids[i]);
	return err;
}

// Those that a restart outlived.
struct ended {
	uint64_t *devices; // owned
	size_t count, room;
};

static enum err take_ended(void *context, const struct row *row)
{
	struct ended *ended = context;

	if (ended->count == ended->room) {
		size_t room = ended->room ? 2 * ended->room : 256;
		uint64_t *devices = realloc(ended->devices, room * sizeof *devices);
		if (!devices)
			return ERR_NO_MEMORY;
		ended->devices = devices;
		ended->room = room;
	}
	ended->devices[ended->count++] = row_id(row, 0);
	return ERR_NONE;
}

enum err derived_sweep(struct database *database, int64_t before_ms)
{
	struct ended ended = {.devices = NULL};
	enum err err = database_begin(database);

	if (!err)
		err = database_run(database, "DELETE FROM registrations WHERE expires_at <= $1",
				   VALUES(value_integer(before_ms)), NO_ROWS);
	if (!err)
		err = database_run(database,
				   "SELECT id FROM devices WHERE registered AND NOT EXISTS "
				   "(SELECT 1 FROM registrations WHERE device_id = devices.id)",
				   VALUES_NONE, (struct row_visitor){take_ended, &ended});
	for (size_t i = 0; !err && i < ended.count; i++)
		err = derived_registration(database, ended.devices[i], before_ms);
	if (!err)
		err = database_commit(database);
	if (err)
		database_rollback(database);
	free(ended.devices);
	return err;
}
