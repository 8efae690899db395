// Bindings in the database: one row each, replaced by device and contact.
#include "store/registration_sql.h"

#include "base/log.h"
#include "store/derived_sql.h"
#include "store/text.h"

#include <time.h>

static enum err binding_save(struct database *database, const struct binding *binding, struct arena *arena)
{
	char remote[64];
	struct writer w = writer_into(remote, sizeof remote);
	struct str user_agent = text_clean(binding->user_agent, arena); // the one that may hold anything
	enum err err;

	if (!user_agent.at && !str_empty(binding->user_agent))
		return ERR_NO_MEMORY;
	if (binding->flow.remote.family)
		net_address_write(&w, &binding->flow.remote);
	// Out of devices: a device that was deleted meanwhile gets no row, and no constraint breaks the transaction.
	err = database_run(
	    database,
	    "INSERT INTO registrations (device_id, contact, expires_at, cseq, q, reg_id, behind_nat, transport, "
	    "listener, remote, instance, call_id, path, user_agent) "
	    "SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 FROM devices WHERE id = $1 "
	    "ON CONFLICT (device_id, contact) DO UPDATE SET expires_at = excluded.expires_at, cseq = excluded.cseq, "
	    "q = excluded.q, reg_id = excluded.reg_id, behind_nat = excluded.behind_nat, "
	    "transport = excluded.transport, listener = excluded.listener, remote = excluded.remote, "
	    "instance = excluded.instance, call_id = excluded.call_id, path = excluded.path, "
	    "user_agent = excluded.user_agent",
	    VALUES(value_id(binding->device_id), value_text(binding->contact), value_integer(binding->expires_at_ms),
		   value_integer(binding->cseq), value_integer(binding->q), value_integer(binding->reg_id),
		   value_boolean(binding->behind_nat), value_text(str_of(transport_names[binding->flow.transport])),
		   value_integer(binding->flow.listener), value_text(writer_result(&w)), value_text(binding->instance),
		   value_text(binding->call_id), value_text(binding->path), value_text(user_agent)),
	    NO_ROWS);
	if (!err && database->changed_rows == 0)
		return ERR_NOT_FOUND;
	return err;
}

static enum err bindings_remove(struct database *database, const struct registration_write *write)
{
	enum err err = ERR_NONE;

	if (write->remove_all)
		return database_run(database, "DELETE FROM registrations WHERE device_id = $1",
				    VALUES(value_id(write->device_id)), NO_ROWS);
	for (size_t i = 0; !err && i < write->removed_count; i++)
		err = database_run(database, "DELETE FROM registrations WHERE device_id = $1 AND contact = $2",
				   VALUES(value_id(write->device_id), value_text(write->removed[i])), NO_ROWS);
	return err;
}

static int64_t wall_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum err registration_save(struct database *database, const struct registration_write *write)
{
	struct arena arena;
	enum err err = bindings_remove(database, write);

	arena_init(&arena, 0);
	for (size_t i = 0; !err && i < write->kept_count; i++)
		err = binding_save(database, &write->kept[i], &arena);
	arena_free(&arena);
	if (!err && !write->refreshes)
		err = derived_registration(database, write->device_id, wall_clock_ms());
	return err;
}

struct loading {
	bool (*visit)(void *context, const struct binding *binding);
	void *context;
};

static int transport_of(struct str name)
{
	for (int i = 0; transport_names[i]; i++)
		if (str_equal(str_of(transport_names[i]), name))
			return i;
	return -1;
}

static enum err take_binding(void *context, const struct row *row)
{
	const struct loading *loading = context;
	const int transport = transport_of(row_text(row, 7));
	struct binding binding = {
	    .device_id = row_id(row, 0),
	    .contact = row_text(row, 1),
	    .expires_at_ms = row_integer(row, 2),
	    .cseq = (uint32_t)row_integer(row, 3),
	    .q = (uint16_t)row_integer(row, 4),
	    .reg_id = (uint32_t)row_integer(row, 5),
	    .behind_nat = row_integer(row, 6) != 0,
	    .flow = {.transport = (uint8_t)transport, .listener = (uint8_t)row_integer(row, 8)},
	    .instance = row_text(row, 10),
	    .call_id = row_text(row, 11),
	    .path = row_text(row, 12),
	    .user_agent = row_text(row, 13),
	};
	struct str remote = row_text(row, 9);

	list_init(&binding.node);
	if (transport < 0 || (!str_empty(remote) && !net_address_parse_with_port(remote, 0, &binding.flow.remote))) {
		log_error("store_binding_unreadable", LOG_UINT("device", binding.device_id), LOG_STR("remote", remote));
		return ERR_NONE; // the phone will register again
	}
	return loading->visit(loading->context, &binding) ? ERR_NONE : ERR_INTERNAL;
}

enum err registration_load(struct database *database, int64_t now_ms,
			   bool (*visit)(void *context, const struct binding *binding), void *context)
{
	struct loading loading = {visit, context};

	return database_run(database,
			    "SELECT device_id, contact, expires_at, cseq, q, reg_id, behind_nat, transport, listener, "
			    "remote, instance, call_id, path, user_agent FROM registrations WHERE expires_at > $1 "
			    "ORDER BY device_id, contact",
			    VALUES(value_integer(now_ms)), (struct row_visitor){take_binding, &loading});
}
