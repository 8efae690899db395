// What one command takes: its arguments, and the fields of what it changes.
#include "cli/cli.h"

#include <stdio.h>

enum { FIELD_COLUMN = 26 };

static void field_help(const struct field *field)
{
	int width = printf("  %s", field->name);
	printf("%*s", width < FIELD_COLUMN ? FIELD_COLUMN - width : 1, "");
	for (int i = 0; field->choices && field->choices[i]; i++)
		printf("%s%s", i ? ", " : "", field->choices[i]);
	if (field->type == FIELD_BOOLEAN)
		printf("yes or no");
	if (!field->choices && field->type != FIELD_BOOLEAN && field->rule)
		printf("%s", field->rule);
	if (field->flags & FIELD_REQUIRED)
		printf(" (mandatory)");
	else if (field->fallback)
		printf(" (default %s)", field->fallback);
	if (field->flags & FIELD_FIXED)
		printf(" (cannot be changed later)");
	putchar('\n');
}

int command_help(const struct cli *cli)
{
	printf("Usage: carillon %s %s\n\nIt %s.\n", cli->command->words, cli->command->arguments, cli->command->help);
	if (cli->command->run != add_run && cli->command->run != set_run)
		return EXIT_DONE;
	const struct entity_type *type = entity_type(cli->kind);
	printf("\nFields:\n");
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if (field->flags & FIELD_READ_ONLY || (cli->command->run == set_run && field->flags & FIELD_FIXED))
			continue;
		field_help(field);
	}
	if (cli->kind == ENTITY_USER)
		printf("  password                12 to 256 characters; - asks for it; without one, one is made and "
		       "shown\n");
	return EXIT_DONE;
}
