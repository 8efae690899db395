// Runs the migrations that a database has not seen yet.
#include "store/migrate.h"

#include "base/log.h"

#include <stdio.h>

static enum err migration_run(struct database *database, const struct migration *migration)
{
	enum err err = database_begin(database);

	if (err)
		return err;
	err = database->backend->script(database, migration->sql);
	if (!err)
		err = database->backend->set_version(database, migration->number);
	if (!err)
		err = database_commit(database);
	if (err)
		database_rollback(database);
	return err;
}

enum err migrate(struct database *database, char *sentence, size_t size)
{
	unsigned version;
	char part[256];
	enum err err = database->backend->version(database, &version, part, sizeof part);

	if (err) {
		snprintf(sentence, size, "The database %s", part);
		return err;
	}
	if (version > migration_count) {
		snprintf(sentence, size,
			 "The database was written by a newer Carillon (schema %u; this program knows schema %u): use "
			 "that version, or a backup from before.",
			 version, migration_count);
		return ERR_NOT_ALLOWED;
	}
	for (; version < migration_count; version++) {
		const struct migration *migration = &migrations[version];
		err = migration_run(database, migration);
		if (err) {
			snprintf(sentence, size, "The database's schema cannot be brought to version %u: %s.",
				 migration->number, database->message);
			return err;
		}
		log_info("schema_migrated", LOG_UINT("number", migration->number), LOG_TEXT("name", migration->name));
	}
	return ERR_NONE;
}
