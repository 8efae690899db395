// Who changed what, and taking a change back.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 40 };

// "title: Desk -> Hall; confirm: no -> yes"
static void changes_write(const json_t *row, const char *name, char *into, size_t size)
{
	const json_t *change;
	size_t i, used = 0;
	into[0] = '\0';
	json_array_foreach(json_object_get(row, name), i, change)
	{
		char field[VALUE_MAX], before[VALUE_MAX], after[VALUE_MAX];
		cell_write(json_object_get(change, "field"), field, sizeof field);
		cell_write(json_object_get(change, "before"), before, sizeof before);
		cell_write(json_object_get(change, "after"), after, sizeof after);
		bool arrow = !json_is_null(json_object_get(change, "before"));
		int length = snprintf(into + used, size - used, "%s%s: %s%s%s", i ? "; " : "", field, before,
				      arrow ? " -> " : "", after);
		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
	}
}

static void who_write(const json_t *row, const char *name, char *into, size_t size)
{
	char actor[VALUE_MAX], via[VALUE_MAX];
	cell_write(json_object_get(row, name), actor, sizeof actor);
	cell_write(json_object_get(row, "via"), via, sizeof via);
	snprintf(into, size, "%s%s%s", actor, actor[0] ? ", " : "", via);
}

static void what_write(const json_t *row, const char *name, char *into, size_t size)
{
	char entity[VALUE_MAX], label[VALUE_MAX];
	cell_write(json_object_get(row, name), entity, sizeof entity);
	cell_write(json_object_get(row, "label"), label, sizeof label);
	snprintf(into, size, "%s %s", entity, label);
}

int audit_run(struct cli *cli)
{
	static const struct column columns[] = {
	    {"id", "ID", NULL},      {"at", "WHEN", cell_time},      {"actor", "WHO", who_write},
	    {"action", "DID", NULL}, {"entity", "WHAT", what_write}, {"changes", "CHANGES", changes_write}};
	return search_run(
	    cli, &(struct search){"audit", columns, sizeof columns / sizeof *columns, "Nothing was changed yet."});
}

// What was secret is made anew and shown, or must be set anew.
static void secrets_print(const json_t *undone)
{
	const json_t *lost;
	size_t i;
	json_array_foreach(json_object_get(undone, "lost"), i, lost)
	{
		const char *name = json_string_value(lost), *secret = json_string_value(json_object_get(undone, name));
		pair_print(name, secret ? secret : "must be set anew");
	}
}

int undo_run(struct cli *cli)
{
	char *path = NULL;
	if (cli->argument_count != 1)
		return usage(cli, "Say which change, by its id in `carillon audit`.");
	char *escaped = client_escape(cli->arguments[0]);
	if (asprintf(&path, "audit/%s/undo", escaped) < 0)
		path = NULL;
	free(escaped);
	json_t *body = needed(json_object()), *undone = client_call(cli->client, "POST", needed(path), body);
	free(path);
	json_decref(body);
	if (!undone)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON) {
		json_print(undone);
	} else {
		printf("Change %s is undone.\n", cli->arguments[0]);
		secrets_print(undone);
	}
	json_decref(undone);
	return EXIT_DONE;
}
