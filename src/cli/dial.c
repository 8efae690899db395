// Explains what would happen if a number were dialled, or a trunk brought a call for it.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *path_of(struct cli *cli)
{
	char *number = client_escape(cli->arguments[0]), *path = NULL;
	if (cli->as) {
		char *as = client_escape(cli->as);
		if (asprintf(&path, "routes/explain?number=%s&as=%s", number, as) < 0)
			path = NULL;
		free(as);
	} else {
		char *id = id_named(cli, ENTITY_TRUNK, cli->from_trunk);
		char *caller = client_escape(cli->caller ? cli->caller : "");
		if (id && asprintf(&path, "routes/explain?number=%s&from_trunk=%s&caller=%s", number, id, caller) < 0)
			path = NULL;
		free(caller);
		free(id);
	}
	free(number);
	return path;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

// What comes from outside and may hold anything goes through here.
static void line_print(const char *before, const json_t *value)
{
	char cell[CELL_MAX];
	cell_write(value, cell, sizeof cell);
	printf("%s%s\n", before, cell);
}

static void trunk_write(const json_t *way, const char *name, char *into, size_t size)
{
	(void)name;
	cell_write(json_object_get(json_object_get(way, "trunk"), "title"), into, size);
}

static void state_write(const json_t *way, const char *name, char *into, size_t size)
{
	const json_t *trunk = json_object_get(way, "trunk");
	(void)name;
	snprintf(into, size, "%s", json_is_true(json_object_get(trunk, "enabled")) ? text_of(trunk, "service") : "off");
}

static void shown_write(const json_t *way, const char *name, char *into, size_t size)
{
	if (json_is_true(json_object_get(way, "anonymous")))
		snprintf(into, size, "anonymous");
	else
		cell_write(json_object_get(way, name), into, size);
}

static void taken_write(const json_t *way, const char *name, char *into, size_t size)
{
	snprintf(into, size, "%s", json_is_true(json_object_get(way, name)) ? "->" : "");
}

static void pattern_write(const json_t *way, const char *name, char *into, size_t size)
{
	snprintf(into, size, "%s", text_of(way, name)[0] ? text_of(way, name) : "every number");
}

static void result_print(const json_t *answer)
{
	const char *result = text_of(answer, "result");
	const json_t *user = json_object_get(answer, "user");
	char title[CELL_MAX];
	if (strcmp(result, "user") == 0) {
		cell_write(json_object_get(user, "title"), title, sizeof title);
		printf("It rings at %s, %s: see carillon ring %s.\n", text_of(user, "extension"), title,
		       text_of(user, "extension"));
	} else if (strcmp(result, "feature") == 0) {
		printf("It does what the feature %s does.\n", text_of(answer, "feature"));
	} else if (strcmp(result, "outside") == 0) {
		puts("It goes out over the route marked with ->.");
	} else {
		printf("It is refused with %d: %s\n", (int)json_integer_value(json_object_get(answer, "sip_status")),
		       text_of(answer, "sentence"));
	}
}

static void answer_print(const json_t *answer)
{
	static const struct column columns[] = {{"taken", "", taken_write},
						{"pattern", "PATTERN", pattern_write},
						{"cost", "COST", NULL},
						{"trunk", "TRUNK", trunk_write},
						{"state", "STATE", state_write},
						{"sent", "SENT", NULL},
						{"caller_number", "SHOWN", shown_write},
						{"caller_number_reason", "BY", NULL},
						{"sentence", "WHY", NULL}};
	const json_t *steps = json_object_get(answer, "steps"), *routes = json_object_get(answer, "routes");
	for (size_t i = 0; i < json_array_size(steps); i++)
		line_print("", json_object_get(json_array_get(steps, i), "sentence"));
	if (json_array_size(routes))
		table_print(routes, columns, sizeof columns / sizeof *columns, "");
	result_print(answer);
}

int route_explain_run(struct cli *cli)
{
	if (cli->argument_count != 1 || (cli->as == NULL) == (cli->from_trunk == NULL))
		return usage(cli, "Say which number, and who dials it: --as EXTENSION, or --from-trunk TRUNK.");
	char *path = path_of(cli);
	if (!path)
		return EXIT_REFUSED;
	json_t *answer = client_call(cli->client, "GET", path, NULL);
	free(path);
	if (!answer)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(answer);
	else
		answer_print(answer);
	json_decref(answer);
	return EXIT_DONE;
}
