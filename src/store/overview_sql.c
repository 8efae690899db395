// Counts what is not as it should be. A device registers or does not by its kind, as device_kinds.def says.
#include "store/overview_sql.h"

#include "base/writer.h"
#include "domain/device.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SQL_MAX = 2048 };

// "kind IN ('sip_phone', ...)": those that register.
static void registering_write(struct writer *w)
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

static enum err take_one(void *context, const struct row *row)
{
	struct overview_group *group = context;

	if (group->count < OVERVIEW_EXAMPLES_MAX) {
		group->examples[group->count].id = row_id(row, 0);
		snprintf(group->examples[group->count].label, sizeof group->examples[0].label, "%.*s",
			 STR_ARG(row_text(row, 1)));
	}
	group->count++;
	return ERR_NONE;
}

// `sql` has '%' where the kinds that register are meant, and $1 where the present time is.
static enum err group_read(struct database *database, const char *sql, int64_t now_ms, struct overview_group *group)
{
	char text[SQL_MAX];
	struct writer w = writer_into(text, sizeof text);
	struct str rest = str_of(sql), piece;
	bool timed = strstr(sql, "$1") != NULL;

	while (str_take(&rest, '%', &piece)) {
		writer_str(&w, piece);
		if (!str_empty(rest))
			registering_write(&w);
	}
	writer_char(&w, '\0');
	assert(!w.overflow);
	memset(group, 0, sizeof *group);
	return database_run(database, text, timed ? VALUES(value_integer(now_ms)) : VALUES_NONE,
			    (struct row_visitor){take_one, group});
}

#define REGISTERED "EXISTS (SELECT 1 FROM registrations WHERE device_id = devices.id AND expires_at > $1)"

static const char unregistered_sql[] =
    "SELECT id, number FROM devices WHERE % AND id IN (SELECT device_id FROM assignments) AND NOT " REGISTERED;
static const char unreachable_sql[] = "SELECT id, title || ' (' || extension || ')' FROM users WHERE EXISTS "
				      "(SELECT 1 FROM assignments WHERE user_id = users.id) AND NOT EXISTS "
				      "(SELECT 1 FROM assignments JOIN devices ON devices.id = assignments.device_id "
				      "WHERE assignments.user_id = users.id AND (NOT (%) OR " REGISTERED "))";
static const char without_device_sql[] =
    "SELECT id, title || ' (' || extension || ')' FROM users WHERE NOT EXISTS "
    "(SELECT 1 FROM assignments WHERE user_id = users.id) AND id NOT IN (SELECT user_id FROM selections)";

static enum err count_read(struct database *database, const char *sql, uint64_t *count)
{
	int64_t counted = 0;
	enum err err = database_integer(database, sql, VALUES_NONE, &counted);

	*count = (uint64_t)counted;
	return err;
}

enum err overview_read(struct database *database, int64_t now_ms, struct store_overview *overview)
{
	enum err err = count_read(database, "SELECT count(*) FROM users", &overview->users);

	if (!err)
		err = count_read(database, "SELECT count(*) FROM devices", &overview->devices);
	if (!err)
		err = count_read(database, "SELECT count(*) FROM trunks", &overview->trunks);
	if (!err)
		err = count_read(database, "SELECT count(*) FROM sessions", &overview->sessions);
	if (!err)
		err = count_read(database, "SELECT count(*) FROM selections", &overview->selections);
	if (!err)
		err = group_read(database, unregistered_sql, now_ms, &overview->unregistered);
	if (!err)
		err = group_read(database, unreachable_sql, now_ms, &overview->unreachable_users);
	return err ? err : group_read(database, without_device_sql, now_ms, &overview->users_without_device);
}
