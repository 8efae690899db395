// The trunks as they are now, target by target.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000 };

static void cell_words(const json_t *row, const char *name, char *into, size_t size)
{
	cell_write(json_object_get(row, name), into, size);
	for (char *at = into; *at; at++)
		if (*at == '_')
			*at = ' ';
}

static json_t *title_of(const json_t *trunks, const json_t *id)
{
	const json_t *trunk;
	size_t i;

	json_array_foreach(trunks, i, trunk) if (json_equal(json_object_get(trunk, "id"), id)) return json_object_get(
	    trunk, "title");
	return NULL;
}

// A row for each target; for a trunk without any, one that says why.
static json_t *rows_of(const json_t *states, const json_t *trunks)
{
	json_t *rows = json_array(), *state, *target;
	size_t i, j;

	json_array_foreach(states, i, state)
	{
		json_t *targets = json_object_get(state, "targets");
		json_t *title = title_of(trunks, json_object_get(state, "trunk_id"));
		json_array_foreach(targets, j, target)
		{
			json_object_set(target, "trunk", title);
			json_array_append(rows, target);
		}
		if (json_array_size(targets) == 0) {
			json_object_set(state, "trunk", title);
			json_array_append(rows, state);
		}
	}
	return rows;
}

int trunks_run(struct cli *cli)
{
	static const struct column columns[] = {
	    {"trunk", "TRUNK", NULL},         {"host", "HOST", NULL},           {"address", "ADDRESS", NULL},
	    {"transport", "TRANSPORT", NULL}, {"service", "STATE", cell_words}, {"since", "SINCE", cell_time},
	    {"last_status", "ANSWER", NULL},  {"round_trip_ms", "MS", NULL},    {"reason", "WHY", NULL}};
	if (cli->argument_count)
		return usage(cli, "It takes nothing.");
	json_t *answer = client_call(cli->client, "GET", "trunk-states", NULL);
	json_t *states = json_object_get(answer, "items"); // borrowed
	json_t *trunks = states ? client_list(cli->client, "trunks", LIST_MAX) : NULL;
	int result = EXIT_REFUSED;
	if (trunks && cli->output == OUTPUT_JSON) {
		json_print(states);
		result = EXIT_DONE;
	} else if (trunks) {
		json_t *rows = rows_of(states, trunks);
		table_print(rows, columns, sizeof columns / sizeof *columns, "There is no trunk.");
		json_decref(rows);
		result = EXIT_DONE;
	}
	json_decref(answer);
	json_decref(trunks);
	return result;
}
