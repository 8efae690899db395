// What is going on now: calls and registrations.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_MAX = 100000 };

static void legs_write(const json_t *call, const char *name, char *into, size_t size)
{
	const json_t *leg;
	size_t i, used = 0;
	into[0] = '\0';
	json_array_foreach(json_object_get(call, name), i, leg)
	{
		char number[CELL_MAX], state[CELL_MAX];
		cell_write(json_object_get(leg, "number"), number, sizeof number);
		cell_write(json_object_get(leg, "state"), state, sizeof state);
		int more = snprintf(into + used, size - used, "%s%s %s", i ? ", " : "", number, state);
		used += more > 0 ? (size_t)more : 0;
		if (used >= size)
			break;
	}
}

static int print(const struct cli *cli, json_t *rows, const struct column *columns, size_t count,
		 const char *when_empty)
{
	if (!rows)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(rows);
	else
		table_print(rows, columns, count, when_empty);
	json_decref(rows);
	return EXIT_DONE;
}

int calls_run(struct cli *cli)
{
	static const struct column columns[] = {
	    {"id", "CALL", NULL},           {"started_at", "SINCE", cell_time}, {"caller_number", "CALLER", NULL},
	    {"caller_name", "NAME", NULL},  {"dialled", "DIALLED", NULL},       {"state", "STATE", NULL},
	    {"legs", "DEVICES", legs_write}};
	if (cli->argument_count)
		return usage(cli, "It takes nothing.");
	json_t *page = client_call(cli->client, "GET", "calls", NULL);
	json_t *rows = json_incref(json_object_get(page, "items"));
	json_decref(page);
	return print(cli, rows, columns, sizeof columns / sizeof *columns, "There are no calls.");
}

int hangup_run(struct cli *cli)
{
	char path[64];
	if (cli->argument_count != 1 || strspn(cli->arguments[0], "0123456789") != strlen(cli->arguments[0]))
		return usage(cli, "Say which call.");
	snprintf(path, sizeof path, "calls/%.24s", cli->arguments[0]);
	json_t *answer = client_call(cli->client, "DELETE", path, NULL);
	json_decref(answer);
	return answer ? EXIT_DONE : EXIT_REFUSED;
}

int move_run(struct cli *cli)
{
	char path[64];
	if (cli->argument_count != 2 || strspn(cli->arguments[0], "0123456789") != strlen(cli->arguments[0]))
		return usage(cli, "Say which call, and to which device.");
	char *device = id_named(cli, ENTITY_DEVICE, cli->arguments[1]);
	if (!device)
		return EXIT_REFUSED;
	snprintf(path, sizeof path, "calls/%.24s/move", cli->arguments[0]);
	json_t *body = json_pack("{s:s}", "device_id", device);
	json_t *answer = client_call(cli->client, "POST", path, body);
	json_decref(body);
	free(device);
	json_decref(answer);
	return answer ? EXIT_DONE : EXIT_REFUSED;
}

int registrations_run(struct cli *cli)
{
	static const struct column columns[] = {{"number", "DEVICE", NULL},       {"title", "TITLE", NULL},
						{"extension", "EXTENSION", NULL}, {"transport", "TRANSPORT", NULL},
						{"remote", "FROM", NULL},         {"expires_at", "UNTIL", cell_time},
						{"user_agent", "PHONE", NULL},    {"contact", "CONTACT", NULL}};
	if (cli->argument_count)
		return usage(cli, "It takes nothing.");
	return print(cli, client_list(cli->client, "registrations", LIVE_MAX), columns,
		     sizeof columns / sizeof *columns, "No device is registered.");
}

// ---- events

static char event_name[32];

// An event is a line that names it and one that has its data.
static void event_line(const char *line)
{
	if (strncmp(line, "event: ", 7) == 0)
		snprintf(event_name, sizeof event_name, "%s", line + 7);
	if (strncmp(line, "data: ", 6) != 0)
		return;
	printf("{\"event\":\"%s\",\"data\":%s}\n", event_name, line + 6);
	fflush(stdout);
}

int events_run(struct cli *cli)
{
	char path[256] = "events";
	for (int i = 0; i < cli->argument_count; i++) {
		char *kind = client_escape(cli->arguments[i]);
		size_t used = strlen(path);
		snprintf(path + used, sizeof path - used, "%s%s", i ? "," : "?kinds=", kind);
		free(kind);
	}
	return client_stream(cli->client, path, event_line) ? EXIT_DONE : EXIT_REFUSED;
}
