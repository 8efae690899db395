// The trunks as they are now, target by target.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/table.h"

#include <stdio.h>
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

// "registered", or what it is instead.
static void cell_registration(const json_t *row, const char *name, char *into, size_t size)
{
	const char *status = json_string_value(json_object_get(json_object_get(row, name), "status"));
	snprintf(into, size, "%s", status ? status : "-");
}

// Why the target is not in service, or else what became of the registration.
static void cell_why(const json_t *row, const char *name, char *into, size_t size)
{
	const json_t *registration = json_object_get(row, "registration");
	const char *reason = json_string_value(json_object_get(row, name));
	const char *status = json_string_value(json_object_get(registration, "status"));
	const char *sentence = json_string_value(json_object_get(registration, "sentence"));
	bool is_registered = !status || strcmp(status, "registered") == 0;
	snprintf(into, size, "%s%s%s", reason ? reason : "", reason && !is_registered ? " " : "",
		 is_registered ? "" : sentence);
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
			json_object_set(target, "registration", json_object_get(state, "registration"));
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
	static const struct column columns[] = {{"trunk", "TRUNK", NULL},
						{"host", "HOST", NULL},
						{"address", "ADDRESS", NULL},
						{"transport", "TRANSPORT", NULL},
						{"service", "STATE", cell_words},
						{"since", "SINCE", cell_time},
						{"last_status", "ANSWER", NULL},
						{"round_trip_ms", "MS", NULL},
						{"registration", "REGISTRATION", cell_registration},
						{"reason", "WHY", cell_why}};
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

// ---- one trunk's registration

int trunk_registration_run(struct cli *cli)
{
	static const char *const names[][2] = {{"status", "status"},
					       {"sentence", "what happened"},
					       {"last_status", "last answer"},
					       {"since", "since"},
					       {"registered_until", "registered until"},
					       {"next_try_at", "next try"}};
	char path[64], text[CELL_MAX];
	if (cli->argument_count != 1)
		return usage(cli, "Say which trunk.");
	char *id = id_named(cli, ENTITY_TRUNK, cli->arguments[0]);
	if (!id)
		return EXIT_REFUSED;
	snprintf(path, sizeof path, "trunks/%.24s/state", id);
	free(id);
	json_t *state = client_call(cli->client, "GET", path, NULL);
	const json_t *registration = json_object_get(state, "registration");
	if (state && cli->output == OUTPUT_JSON)
		json_print(registration);
	else if (state && !json_is_object(registration))
		puts("It does not register, or is disabled.");
	for (size_t i = 0; cli->output == OUTPUT_TABLES && json_is_object(registration) && i < 6; i++) {
		if (i < 3)
			cell_write(json_object_get(registration, names[i][0]), text, sizeof text);
		else
			cell_time(registration, names[i][0], text, sizeof text);
		pair_print(names[i][1], text);
	}
	json_decref(state);
	return state ? EXIT_DONE : EXIT_REFUSED;
}
