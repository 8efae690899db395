// One request, one table.
#include "cli/search.h"

#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS_SHOWN = 50 };

int search_run(struct cli *cli, const struct search *search)
{
	char *path = NULL;
	if (cli->argument_count > 1)
		return usage(cli, "Put the words to look for in quotes.");
	char *escaped = client_escape(cli->argument_count ? cli->arguments[0] : "");
	if (asprintf(&path, "%s?q=%s", search->resource, escaped) < 0)
		path = NULL;
	free(escaped);
	json_t *rows = client_list(cli->client, needed(path), ROWS_SHOWN);
	free(path);
	if (!rows)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(rows);
	else
		table_print(rows, search->columns, search->column_count, search->when_empty);
	json_decref(rows);
	return EXIT_DONE;
}
