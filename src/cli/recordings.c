// Recordings for prompts: the pieces, and the names of users.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

static void recorded_write(const json_t *piece, const char *name, char *into, size_t size)
{
	const char *when = json_string_value(json_object_get(piece, name));
	snprintf(into, size, "%s", when ? when : "as shipped");
}

int prompt_list_run(struct cli *cli)
{
	static const struct column columns[] = {{"id", "PROMPT", NULL},
						{"text", "SAYS", NULL},
						{"recorded_at", "RECORDED", recorded_write},
						{"longest_s", "AT MOST S", NULL}};
	if (cli->argument_count != 0)
		return usage(cli, "It takes nothing.");
	json_t *answer = client_call(cli->client, "GET", "prompts", NULL);
	if (!answer)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(answer);
	else
		table_print(json_object_get(answer, "items"), columns, sizeof columns / sizeof *columns,
			    "There are none.");
	json_decref(answer);
	return EXIT_DONE;
}

// The file's bytes, owned by the caller; at == NULL: said why.
static struct str file_bytes(const char *name)
{
	FILE *file = fopen(name, "rb");
	if (!file) {
		fprintf(stderr, "carillon: %s cannot be read: %s.\n", name, strerror(errno));
		return STR_NONE;
	}
	char *bytes = needed(malloc(FILE_MAX + 1));
	size_t size = fread(bytes, 1, FILE_MAX + 1, file);
	fclose(file);
	if (size <= FILE_MAX)
		return (struct str){bytes, size};
	fprintf(stderr, "carillon: %s is larger than a megabyte.\n", name);
	free(bytes);
	return STR_NONE;
}

static int recording_send(struct cli *cli, const char *path, const char *file)
{
	struct str bytes = file_bytes(file);
	json_t *answer = bytes.at ? client_put(cli->client, path, "audio/wav", bytes) : NULL;
	free((char *)(uintptr_t)bytes.at);
	if (!answer)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(answer);
	else
		printf("Recorded: %.1f s.\n", json_number_value(json_object_get(answer, "duration_ms")) / 1000);
	json_decref(answer);
	return EXIT_DONE;
}

static int recording_delete(struct cli *cli, const char *path)
{
	json_t *answer = client_call(cli->client, "DELETE", path, NULL);
	if (!answer)
		return EXIT_REFUSED;
	json_decref(answer);
	puts("Deleted.");
	return EXIT_DONE;
}

static char *piece_path(const char *piece)
{
	char *path = NULL, *escaped = client_escape(piece);
	if (asprintf(&path, "prompts/%s/recording", escaped) < 0)
		path = NULL;
	free(escaped);
	return needed(path);
}

// NULL: said why.
static char *name_path(struct cli *cli)
{
	char *path = NULL, *id = id_named(cli, ENTITY_USER, cli->arguments[0]);
	if (!id)
		return NULL;
	if (asprintf(&path, "users/%s/recorded-name/recording", id) < 0)
		path = NULL;
	free(id);
	return needed(path);
}

int prompt_record_run(struct cli *cli)
{
	if (cli->argument_count != 2)
		return usage(cli, "Say which prompt and which file.");
	char *path = piece_path(cli->arguments[0]);
	int result = recording_send(cli, path, cli->arguments[1]);
	free(path);
	return result;
}

int prompt_restore_run(struct cli *cli)
{
	if (cli->argument_count != 1)
		return usage(cli, "Say which prompt.");
	char *path = piece_path(cli->arguments[0]);
	int result = recording_delete(cli, path);
	free(path);
	return result;
}

int name_record_run(struct cli *cli)
{
	if (cli->argument_count != 2)
		return usage(cli, "Say which user and which file.");
	char *path = name_path(cli);
	int result = path ? recording_send(cli, path, cli->arguments[1]) : EXIT_REFUSED;
	free(path);
	return result;
}

int name_forget_run(struct cli *cli)
{
	if (cli->argument_count != 1)
		return usage(cli, "Say which user.");
	char *path = name_path(cli);
	int result = path ? recording_delete(cli, path) : EXIT_REFUSED;
	free(path);
	return result;
}
