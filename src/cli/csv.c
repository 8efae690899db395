// Tables out and in, as CSV.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

static bool is_table(const char *name)
{
	static const char *const names[] = {"users", "devices", "dids", "ring-plans"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

int export_run(struct cli *cli)
{
	char *path = NULL;
	bool semicolon = cli->argument_count == 2 && strcmp(cli->arguments[1], "semicolon") == 0;
	if (cli->argument_count < 1 || cli->argument_count > 2 || !is_table(cli->arguments[0]) ||
	    (cli->argument_count == 2 && !semicolon))
		return usage(cli, "Say which table: users, devices, dids or ring-plans.");
	if (asprintf(&path, "export/%s%s", cli->arguments[0], semicolon ? "?delimiter=semicolon" : "") < 0)
		path = NULL;
	char *text = client_text(cli->client, needed(path));
	free(path);
	if (!text)
		return EXIT_REFUSED;
	fputs(text, stdout);
	free(text);
	return EXIT_DONE;
}

// The file's text, or NULL: said why.
static char *file_text(const char *name)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	char *text = needed(malloc(FILE_MAX + 2));
	if (!file) {
		fprintf(stderr, "carillon: %s cannot be read: %s.\n", name, strerror(errno));
		free(text);
		return NULL;
	}
	size_t size = fread(text, 1, FILE_MAX + 1, file);
	text[size] = '\0';
	if (file != stdin)
		fclose(file);
	if (size <= FILE_MAX && strlen(text) == size)
		return text;
	fprintf(stderr, "carillon: %s %s.\n", name,
		size > FILE_MAX ? "is larger than a megabyte; import it in parts" : "is no text");
	free(text);
	return NULL;
}

static long long count_of(const json_t *result, const char *name)
{
	return (long long)json_integer_value(json_object_get(result, name));
}

static void result_print(const json_t *result)
{
	const json_t *made;
	size_t i;
	printf("%s%lld created, %lld changed, %lld as they were.\n",
	       json_is_true(json_object_get(result, "dry_run")) ? "Nothing was changed. It would be: " : "",
	       count_of(result, "created"), count_of(result, "updated"), count_of(result, "unchanged"));
	json_array_foreach(json_object_get(result, "passwords"), i, made)
	    printf("device %s: SIP password %s\n", json_string_value(json_object_get(made, "number")),
		   json_string_value(json_object_get(made, "sip_password")));
}

int import_run(struct cli *cli)
{
	char *path = NULL;
	bool only_try = cli->argument_count == 3 && strcmp(cli->arguments[2], "try") == 0;
	if (cli->argument_count < 2 || cli->argument_count > 3 || !is_table(cli->arguments[0]) ||
	    (cli->argument_count == 3 && !only_try))
		return usage(cli, "Say which table (users, devices, dids or ring-plans) and which file.");
	char *text = file_text(cli->arguments[1]);
	if (!text)
		return EXIT_REFUSED;
	if (asprintf(&path, "import/%s%s", cli->arguments[0], only_try ? "?dry_run=true" : "") < 0)
		path = NULL;
	json_t *result = client_send(cli->client, needed(path), "text/csv", text);
	free(path);
	free(text);
	if (!result)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(result);
	else
		result_print(result);
	json_decref(result);
	return EXIT_DONE;
}
