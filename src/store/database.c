// Which database an URL means, and what is the same for all of them.
#include "store/database.h"

#include <stdio.h>

static const struct database_backend *const backends[] = {&sqlite_backend};

enum err database_open(struct str url, enum database_mode mode, struct database **database, char *sentence, size_t size)
{
	struct str location = url;
	struct str scheme;

	if (str_index(url, ':') == url.length || !str_take(&location, ':', &scheme)) {
		snprintf(sentence, size, "The database's address must be like sqlite:/var/lib/carillon/carillon.db.");
		return ERR_MALFORMED;
	}
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
		if (str_equal(scheme, str_of(backends[i]->scheme)))
			return backends[i]->open(location, mode, database, sentence, size);
	snprintf(sentence, size, "There is no kind of database called %.*s; use sqlite.",
		 STR_ARG(str_first(scheme, 32)));
	return ERR_MALFORMED;
}

void database_close(struct database *database)
{
	if (database)
		database->backend->close(database);
}

static enum err take_integer(void *context, const struct row *row)
{
	*(int64_t *)context = row_integer(row, 0);
	return ERR_NONE;
}

enum err database_integer(struct database *database, const char *sql, struct values values, int64_t *integer)
{
	*integer = 0;
	return database_run(database, sql, values, (struct row_visitor){take_integer, integer});
}
