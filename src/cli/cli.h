// carillon, the command-line client: what its commands share. It knows the server by its API alone, and the entities by
// the same field tables as the server.
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "domain/entity.h"

#include <jansson.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

enum output { OUTPUT_TABLES, OUTPUT_JSON };

struct client;

// One run of the program.
struct cli {
	struct client *client;
	enum output output;
	bool help;                            // --help was given after a command
	bool release;                         // --release: delete it even when somebody has it
	const char *as, *from_trunk, *caller; // --as, --from-trunk, --caller: of `route`; NULL: not given
	const struct command *command;
	enum entity_kind kind; // of the command; ENTITY_KIND_COUNT = none
	char **arguments;      // after the command's own words
	int argument_count;
};

struct command {
	const char *words; // "user list"
	int (*run)(struct cli *cli);
	enum entity_kind kind;
	const char *arguments; // "USER field=value ..."
	const char *help;
};

extern const struct command commands[];
extern const size_t command_count;

// Says on standard error what is wrong and how the command is used; gives EXIT_USAGE.
int usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Prints what the command takes.
int command_help(const struct cli *cli);

#define COMMAND(words, run, kind, arguments, help) int run(struct cli *cli);
#define ENTITY_NONE                                ENTITY_KIND_COUNT
#include "cli/commands.def"
#undef COMMAND

#endif
