// Whether anybody else signs in with a name.
#include "store/sign_in_names.h"

#include "domain/device.h"
#include "domain/trunk.h"

#include <stdio.h>

struct holder {
	uint64_t id; // 0: nobody
	char label[128];
};

static enum err take_holder(void *context, const struct row *row)
{
	struct holder *holder = context;

	holder->id = row_id(row, 0);
	snprintf(holder->label, sizeof holder->label, "%.*s", STR_ARG(row_text(row, 1)));
	return ERR_NONE;
}

static enum err look(struct change_set *set, const char *sql, struct values values, struct holder *holder)
{
	*holder = (struct holder){.id = 0};
	return database_run(set->database, sql, values, (struct row_visitor){take_holder, holder});
}

static enum err trunk_check(struct change_set *set, struct str name, uint64_t except, const char *field)
{
	struct holder holder;
	enum err err = look(set, "SELECT id, title FROM trunks WHERE inbound_username = $1 AND id <> $2 LIMIT 1",
			    VALUES(value_text(name), value_integer((int64_t)except)), &holder);

	if (!err && holder.id)
		err = problem_set(set->problem, ERR_NOT_UNIQUE, field, "The calls of trunk %s sign in as %.*s already.",
				  holder.label, STR_ARG(name));
	return err;
}

static enum err device_check(struct change_set *set, struct str name, const char *field)
{
	struct holder holder;
	enum err err =
	    look(set, "SELECT id, number FROM devices WHERE number = $1 LIMIT 1", VALUES(value_text(name)), &holder);

	if (!err && holder.id)
		err = problem_set(set->problem, ERR_NOT_UNIQUE, field, "Device %s signs in with this name already.",
				  holder.label);
	return err;
}

enum err sign_in_name_check(struct change_set *set, const struct entity *after)
{
	if (after->kind == ENTITY_DEVICE)
		return trunk_check(set, ((const struct device *)after)->number, 0, "number");
	const struct trunk *trunk = (const struct trunk *)after;
	if (str_empty(trunk->inbound_username))
		return ERR_NONE;
	enum err err = trunk_check(set, trunk->inbound_username, after->id, "inbound_username");
	return err ? err : device_check(set, trunk->inbound_username, "inbound_username");
}
