// carillon: finds the command in commands.def and runs it.
#include "cli/cli.h"
#include "cli/client.h"

#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct command commands[] = {
#define COMMAND(words, run, kind, arguments, help) {words, run, ENTITY_##kind, arguments, help},
#include "cli/commands.def"
#undef COMMAND
};
const size_t command_count = sizeof commands / sizeof *commands;

enum { HELP_COLUMN = 34 };

static const char introduction[] =
    "Usage: carillon [options] command ...\n"
    "\n"
    "Speaks to a Carillon server over its API.\n"
    "\n"
    "Options:\n"
    "  --url URL      where the server is; else CARILLON_URL, else as `carillon login` left it,\n"
    "                 else http://127.0.0.1:8080\n"
    "  --token TOKEN  who asks; else CARILLON_TOKEN, else as `carillon login` left it\n"
    "  --json         answers as JSON, for programs\n"
    "  --help         this text; after a command, what it takes\n"
    "  --version\n"
    "\n"
    "Commands:\n";
static const char ending[] =
    "\n"
    "Users are named by extension or sign-in name, devices and DIDs by number, trunks by title; id:12 names\n"
    "anything by its id.\n"
    "\n"
    "Exit status: 0 done, 1 refused or failed, 2 the command was wrong.\n"
    "\n"
    "Examples:\n"
    "  carillon device add kind=sip_phone number=330 title=\"Jane's desk\"\n"
    "  carillon plan set jane at_once 330 821 \"01444 123456=10+30\"\n"
    "  carillon ring 510\n"
    "  carillon records --json | jq -r '.[].outcome'\n";

static void help_print(void)
{
	fputs(introduction, stdout);
	for (size_t i = 0; i < command_count; i++) {
		int width = printf("  %s %s", commands[i].words, commands[i].arguments);
		if (width >= HELP_COLUMN)
			width = printf("\n") - 1;
		printf("%*s%s\n", HELP_COLUMN - width, "", commands[i].help);
	}
	fputs(ending, stdout);
}

// The command whose words are the first arguments; gives how many they are.
static const struct command *command_find(char **arguments, int count, int *words)
{
	for (size_t i = 0; i < command_count; i++) {
		struct str rest = str_of(commands[i].words), word;
		bool same = true;
		for (*words = 0; same && str_take(&rest, ' ', &word); ++*words)
			same = *words < count && str_equal(word, str_of(arguments[*words]));
		if (same)
			return &commands[i];
	}
	return NULL;
}

static int unknown_command(char **arguments, int count)
{
	bool noun = false;
	for (size_t i = 0; count > 0 && i < command_count; i++) {
		struct str rest = str_of(commands[i].words), word;
		if (!str_take(&rest, ' ', &word) || !str_equal(word, str_of(arguments[0])) || str_empty(rest))
			continue;
		if (!noun)
			fprintf(stderr, "carillon: After %s comes one of:\n", arguments[0]);
		fprintf(stderr, "  carillon %s %s\n", commands[i].words, commands[i].arguments);
		noun = true;
	}
	if (!noun && count > 0)
		fprintf(stderr, "carillon: There is no command \"%s\"; `carillon --help` lists them.\n", arguments[0]);
	if (count == 0)
		fputs("carillon: Which command? `carillon --help` lists them.\n", stderr);
	return EXIT_USAGE;
}

int usage(const struct cli *cli, const char *format, ...)
{
	va_list arguments;
	fputs("carillon: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nUsage: carillon %s %s\n", cli->command->words, cli->command->arguments);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"url", required_argument, NULL, 'u'},    {"token", required_argument, NULL, 't'},
	    {"json", no_argument, NULL, 'j'},         {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},      {"release", no_argument, NULL, 'r'},
	    {"as", required_argument, NULL, 'a'},     {"from-trunk", required_argument, NULL, 'f'},
	    {"caller", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0},
	};
	struct cli cli = {.output = OUTPUT_TABLES};
	const char *url = NULL, *token = NULL;
	int words;
	setlocale(LC_ALL, "");
	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case 'u':
			url = optarg;
			break;
		case 't':
			token = optarg;
			break;
		case 'j':
			cli.output = OUTPUT_JSON;
			break;
		case 'r':
			cli.release = true;
			break;
		case 'a':
			cli.as = optarg;
			break;
		case 'f':
			cli.from_trunk = optarg;
			break;
		case 'c':
			cli.caller = optarg;
			break;
		case 'h':
			cli.help = true;
			break;
		case 'v':
			puts("carillon " CARILLON_VERSION);
			return EXIT_DONE;
		default:
			return EXIT_USAGE; // getopt has said it
		}
	}
	const struct command *command = command_find(argv + optind, argc - optind, &words);
	if (!command && cli.help && argc == optind) {
		help_print();
		return EXIT_DONE;
	}
	if (!command)
		return unknown_command(argv + optind, argc - optind);
	cli.command = command;
	cli.kind = command->kind;
	cli.arguments = argv + optind + words;
	cli.argument_count = argc - optind - words;
	if (cli.help)
		return command_help(&cli);
	cli.client = client_create(url, token);
	int status = command->run(&cli);
	client_destroy(cli.client);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("carillon: The output cannot be written.\n", stderr);
		return EXIT_REFUSED;
	}
	return status;
}
