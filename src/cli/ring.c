// Explains what would ring if an extension were called now.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void when_write(const json_t *turn, const char *name, char *into, size_t size)
{
	(void)name;
	if (json_is_true(json_object_get(turn, "rings")))
		snprintf(into, size, "%g to %g s", (double)json_integer_value(json_object_get(turn, "start_ms")) / 1000,
			 (double)json_integer_value(json_object_get(turn, "stop_ms")) / 1000);
	else
		snprintf(into, size, "does not ring");
}

static void preview_print(const json_t *preview)
{
	static const struct column columns[] = {{"number", "DEVICE", NULL},
						{"title", "TITLE", NULL},
						{"when", "WHEN", when_write},
						{"sentence", "WHY", NULL}};
	char title[CELL_MAX];
	cell_write(json_object_get(preview, "title"), title, sizeof title);
	printf("%s, %s: ", text_of(preview, "extension"), title);
	if (json_is_string(json_object_get(preview, "refused")))
		printf("nothing rings. %s\n", text_of(preview, "sentence"));
	else
		puts(strcmp(text_of(preview, "strategy"), "at_once") == 0 ? "all ring at once."
									  : "they ring in sequence.");
	table_print(json_object_get(preview, "turns"), columns, sizeof columns / sizeof *columns,
		    "There is no device.");
	printf("%s\n", text_of(preview, "afterwards"));
	const json_t *warning;
	size_t i;
	json_array_foreach(json_object_get(preview, "warnings"), i, warning)
	    printf("Warning: %s\n", text_of(warning, "sentence"));
}

int ring_run(struct cli *cli)
{
	char *path = NULL;
	if (cli->argument_count != 1)
		return usage(cli, "Say which extension.");
	char *id = id_named(cli, ENTITY_USER, cli->arguments[0]);
	if (!id)
		return EXIT_REFUSED;
	if (asprintf(&path, "users/%s/ring-plan/preview", id) < 0)
		path = NULL;
	json_t *preview = client_call(cli->client, "GET", needed(path), NULL);
	free(path);
	free(id);
	if (!preview)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(preview);
	else
		preview_print(preview);
	json_decref(preview);
	return EXIT_DONE;
}
