// Lists that are looked through by words alone, the newest first.
#ifndef CLI_SEARCH_H
#define CLI_SEARCH_H

#include "cli/cli.h"
#include "cli/table.h"

struct search {
	const char *resource; // "call-records"
	const struct column *columns;
	size_t column_count;
	const char *when_empty;
};

// Shows the first page of what has the words of the command's one argument; of all without one.
int search_run(struct cli *cli, const struct search *search);

#endif
