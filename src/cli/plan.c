// A user's ring plan: showing it, and replacing it from one line.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *plan_path(struct cli *cli, const char *user)
{
	char *id = id_named(cli, ENTITY_USER, user), *path = NULL;
	if (!id)
		return NULL;
	if (asprintf(&path, "users/%s/ring-plan", id) < 0)
		path = NULL;
	free(id);
	return needed(path);
}

static int plan_print(const struct cli *cli, json_t *plan)
{
	static const struct column columns[] = {{"number", "DEVICE", NULL},
						{"kind", "KIND", NULL},
						{"title", "TITLE", NULL},
						{"start_s", "START", NULL},
						{"ring_s", "RING", NULL}};
	if (!plan)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON) {
		json_print(plan);
	} else {
		bool at_once = strcmp(json_string_value(json_object_get(plan, "strategy")), "at_once") == 0;
		puts(at_once ? "All ring at once, each from its start:" : "They ring in sequence:");
		table_print(json_object_get(plan, "turns"), columns, sizeof columns / sizeof *columns,
			    "No device is assigned.");
	}
	json_decref(plan);
	return EXIT_DONE;
}

int plan_show_run(struct cli *cli)
{
	if (cli->argument_count != 1)
		return usage(cli, "Say which user.");
	char *path = plan_path(cli, cli->arguments[0]);
	if (!path)
		return EXIT_REFUSED;
	json_t *plan = client_call(cli->client, "GET", path, NULL);
	free(path);
	return plan_print(cli, plan);
}

// "330", "330=20" or "330=10+20". NULL: said why.
static json_t *turn_read(struct cli *cli, const char *argument)
{
	struct str rest = str_of(argument), number, start;
	uint64_t start_s = 0, ring_s = 20;
	char name[64];
	str_take(&rest, '=', &number);
	if (!str_empty(rest)) {
		size_t plus = str_index(rest, '+');
		start = plus < rest.length ? str_first(rest, plus) : STR("0");
		struct str ring = plus < rest.length ? str_from(rest, plus + 1) : rest;
		if (!str_to_uint(start, 600, &start_s) || !str_to_uint(ring, 600, &ring_s)) {
			usage(cli, "\"%s\" is not DEVICE, DEVICE=RING or DEVICE=START+RING with seconds up to 600.",
			      argument);
			return NULL;
		}
	}
	if (!str_to_cstring(number, name, sizeof name)) {
		usage(cli, "\"%s\" is no device.", argument);
		return NULL;
	}
	char *id = id_named(cli, ENTITY_DEVICE, name);
	if (!id)
		return NULL;
	json_t *turn = needed(
	    json_pack("{sssIsI}", "device_id", id, "start_s", (json_int_t)start_s, "ring_s", (json_int_t)ring_s));
	free(id);
	return turn;
}

int plan_set_run(struct cli *cli)
{
	const char *strategy = "at_once";
	int at = 1;
	if (cli->argument_count < 1)
		return usage(cli, "Say which user.");
	if (cli->argument_count > 1 &&
	    (strcmp(cli->arguments[1], "at_once") == 0 || strcmp(cli->arguments[1], "in_sequence") == 0))
		strategy = cli->arguments[at++];
	json_t *turns = needed(json_array());
	for (; at < cli->argument_count; at++) {
		if (json_array_append_new(turns, turn_read(cli, cli->arguments[at])) != 0) {
			json_decref(turns);
			return EXIT_REFUSED;
		}
	}
	char *path = plan_path(cli, cli->arguments[0]);
	json_t *body = needed(json_pack("{ssso}", "strategy", strategy, "turns", turns));
	json_t *plan = path ? client_call(cli->client, "PUT", path, body) : NULL;
	json_decref(body);
	free(path);
	return plan_print(cli, plan);
}
