// Counts what is not as it should be, by what is kept beside devices and users (derived_sql.h).
#include "store/overview_sql.h"

#include "base/writer.h"
#include "store/derived_sql.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SQL_MAX = 2048 };

static enum err take_example(void *context, const struct row *row)
{
	struct overview_group *group = context;
	unsigned taken = 0;

	while (taken < OVERVIEW_EXAMPLES_MAX && group->examples[taken].id)
		taken++;
	if (taken == OVERVIEW_EXAMPLES_MAX)
		return ERR_INTERNAL;
	group->examples[taken].id = row_id(row, 0);
	snprintf(group->examples[taken].label, sizeof group->examples[0].label, "%.*s", STR_ARG(row_text(row, 1)));
	return ERR_NONE;
}

// What is counted: the label's SQL, the table, and which of its rows.
struct group_sql {
	const char *label, *table, *condition;
	bool registering; // of the kinds that register alone
};
static const struct group_sql unregistered_sql = {"number", "devices", "registered = FALSE AND held = 'assigned'",
						  true},
			      unreachable_sql = {"title || ' (' || extension || ')'", "users", "reach = 'unreachable'",
						 false},
			      without_device_sql = {"title || ' (' || extension || ')'", "users", "reach = 'nothing'",
						    false};

static void group_write(struct writer *w, const struct group_sql *sql)
{
	writer_format(w, " FROM %s WHERE %s", sql->table, sql->condition);
	if (!sql->registering)
		return;
	writer_text(w, " AND ");
	derived_write_registering(w);
}

static enum err count_read(struct database *database, const char *sql, uint64_t *count)
{
	int64_t counted = 0;
	enum err err = database_integer(database, sql, VALUES_NONE, &counted);

	*count = (uint64_t)counted;
	return err;
}

static enum err group_read(struct database *database, const struct group_sql *sql, struct overview_group *group)
{
	char text[SQL_MAX];
	struct writer w = writer_into(text, sizeof text);
	enum err err;

	memset(group, 0, sizeof *group);
	writer_text(&w, "SELECT count(*)");
	group_write(&w, sql);
	writer_char(&w, '\0');
	assert(!w.overflow);
	err = count_read(database, text, &group->count);
	if (err || group->count == 0)
		return err;
	w = writer_into(text, sizeof text);
	writer_format(&w, "SELECT id, %s", sql->label);
	group_write(&w, sql);
	writer_format(&w, " ORDER BY id LIMIT %d", OVERVIEW_EXAMPLES_MAX);
	writer_char(&w, '\0');
	assert(!w.overflow);
	return database_run(database, text, VALUES_NONE, (struct row_visitor){take_example, group});
}

enum err overview_read(struct database *database, struct store_overview *overview)
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
		err = group_read(database, &unregistered_sql, &overview->unregistered);
	if (!err)
		err = group_read(database, &unreachable_sql, &overview->unreachable_users);
	return err ? err : group_read(database, &without_device_sql, &overview->users_without_device);
}
