// list, show, add, set and delete: the same for every kind, by the field tables.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/prompt.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 100000 };

// ---- list

static const struct column user_columns[] = {{"extension", "EXTENSION", NULL}, {"name", "NAME", NULL},
					     {"title", "TITLE", NULL},         {"role", "ROLE", NULL},
					     {"strategy", "STRATEGY", NULL},   {"turns", "DEVICES", NULL},
					     {"do_not_disturb", "DND", NULL},  {"unanswered", "UNANSWERED", NULL}};
static const struct column device_columns[] = {
    {"number", "NUMBER", NULL},      {"kind", "KIND", NULL},
    {"title", "TITLE", NULL},        {"available_for_selection", "SELECTABLE", NULL},
    {"do_not_disturb", "DND", NULL}, {"canonical", "CANONICAL", NULL}};
static const struct column trunk_columns[] = {{"title", "TITLE", NULL},     {"host", "HOST", NULL},
					      {"port", "PORT", NULL},       {"transport", "TRANSPORT", NULL},
					      {"username", "USER", NULL},   {"registers", "REGISTERS", NULL},
					      {"inbound", "INBOUND", NULL}, {"enabled", "ENABLED", NULL}};
static const struct column route_columns[] = {
    {"id", "ID", NULL},       {"pattern", "PATTERN", NULL}, {"trunk_id", "TRUNK ID", NULL},    {"cost", "COST", NULL},
    {"strip", "STRIP", NULL}, {"prepend", "PREPEND", NULL}, {"toll_class", "TOLL CLASS", NULL}};
static const struct column did_columns[] = {{"number", "NUMBER", NULL},
					    {"canonical", "CANONICAL", NULL},
					    {"user_id", "USER ID", NULL},
					    {"target", "TARGET", NULL},
					    {"trunk_id", "TRUNK ID", NULL}};
static const struct column token_columns[] = {{"id", "ID", NULL},
					      {"title", "TITLE", NULL},
					      {"role", "ROLE", NULL},
					      {"user_id", "USER ID", NULL},
					      {"created_at", "CREATED", cell_time}};
static const struct column session_columns[] = {{"id", "ID", NULL},
						{"user_id", "USER ID", NULL},
						{"created_at", "SINCE", cell_time},
						{"expires_at", "UNTIL", cell_time},
						{"client", "CLIENT", NULL}};
static const struct column selection_columns[] = {{"id", "ID", NULL},
						  {"user_id", "USER ID", NULL},
						  {"device_id", "DEVICE ID", NULL},
						  {"created_at", "SINCE", cell_time},
						  {"expires_at", "UNTIL", cell_time}};

static const struct {
	const struct column *columns;
	size_t count;
} tables[ENTITY_KIND_COUNT] = {
#define TABLE(columns)                                                                                                 \
	{                                                                                                              \
		columns, sizeof(columns) / sizeof *(columns)                                                           \
	}
    [ENTITY_USER] = TABLE(user_columns),       [ENTITY_DEVICE] = TABLE(device_columns),
    [ENTITY_TRUNK] = TABLE(trunk_columns),     [ENTITY_ROUTE] = TABLE(route_columns),
    [ENTITY_DID] = TABLE(did_columns),         [ENTITY_TOKEN] = TABLE(token_columns),
    [ENTITY_SESSION] = TABLE(session_columns), [ENTITY_SELECTION] = TABLE(selection_columns),
#undef TABLE
};

// "name=value" as a parameter, anything else as words to search for.
static char *query_add(char *path, const char *argument)
{
	const char *equals = strchr(argument, '=');
	char *name = equals ? needed(strndup(argument, (size_t)(equals - argument))) : needed(strdup("q"));
	char *value = client_escape(equals ? equals + 1 : argument), *longer = NULL;
	if (asprintf(&longer, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', name, value) < 0)
		longer = NULL;
	free(name);
	free(value);
	free(path);
	return needed(longer);
}

int list_run(struct cli *cli)
{
	const struct entity_type *type = entity_type(cli->kind);
	char *path = needed(strdup(type->plural)), empty[64];
	for (int i = 0; i < cli->argument_count; i++)
		path = query_add(path, cli->arguments[i]);
	json_t *rows = client_list(cli->client, path, LIST_MAX);
	free(path);
	if (!rows)
		return EXIT_REFUSED;
	snprintf(empty, sizeof empty, "There are no %s.", type->plural);
	if (cli->output == OUTPUT_JSON)
		json_print(rows);
	else
		table_print(rows, tables[cli->kind].columns, tables[cli->kind].count, empty);
	json_decref(rows);
	return EXIT_DONE;
}

// ---- show

static void entity_print(const struct cli *cli, const json_t *entity)
{
	const char *name;
	json_t *value;
	char text[1024];
	if (cli->output == OUTPUT_JSON) {
		json_print(entity);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)entity, name, value)
	{
		const struct field *field = entity_field(entity_type(cli->kind), str_of(name));
		if (strcmp(name, "turns") == 0 || strcmp(name, "version") == 0)
			continue;
		if (field && field->type == FIELD_TIME)
			cell_time(entity, name, text, sizeof text);
		else
			cell_write(value, text, sizeof text);
		pair_print(name, text);
	}
}

int show_run(struct cli *cli)
{
	if (cli->argument_count != 1)
		return usage(cli, "Say which %s.", entity_type(cli->kind)->name);
	json_t *entity = entity_named(cli, cli->kind, cli->arguments[0]);
	if (!entity)
		return EXIT_REFUSED;
	entity_print(cli, entity);
	json_decref(entity);
	return EXIT_DONE;
}

// ---- add and set

// The JSON of a value as it was typed. NULL: said why.
static json_t *value_read(struct cli *cli, const struct field *field, const char *text)
{
	static const char *const yes[] = {"yes", "true", "on", NULL}, *const no[] = {"no", "false", "off", NULL};
	int64_t number;
	if (!*text && field->type != FIELD_TEXT)
		return json_null();
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_CHOICE:
	case FIELD_TIME:
		return json_string(text);
	case FIELD_INTEGER:
		if (str_to_int(str_of(text), INT64_MIN, INT64_MAX, &number))
			return json_integer(number);
		usage(cli, "%s must be a whole number.", field->name);
		return NULL;
	case FIELD_BOOLEAN:
		for (int i = 0; yes[i]; i++)
			if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0)
				return json_boolean(strcmp(text, yes[i]) == 0);
		usage(cli, "%s is yes or no.", field->name);
		return NULL;
	case FIELD_REFERENCE: {
		char *id = id_named(cli, field->refers_to, text);
		json_t *value = id ? json_string(id) : NULL;
		free(id);
		return value;
	}
	}
	return NULL;
}

// Not to be seen on the command line: with the value - it is typed in. Of some only a hash is kept, so they are no fields.
static bool is_secret(const char *name)
{
	return strcmp(name, "password") == 0 || strcmp(name, "pin") == 0 || strcmp(name, "inbound_password") == 0 ||
	       strcmp(name, "graph_client_secret") == 0;
}

static json_t *secret_read(const char *name, const char *text)
{
	char *typed = strcmp(text, "-") == 0 ? prompt_secret(strcmp(name, "pin") == 0 ? "PIN: " : "Password: ")
					     : needed(strdup(text));
	json_t *value = typed ? json_string(typed) : NULL;
	free(typed);
	return value;
}

static int member_read(struct cli *cli, const char *argument, json_t *body)
{
	const char *equals = strchr(argument, '=');
	json_t *value;
	if (!equals)
		return usage(cli, "\"%s\" is not field=value.", argument);
	char *name = needed(strndup(argument, (size_t)(equals - argument)));
	const struct field *field = entity_field(entity_type(cli->kind), str_of(name));
	if (!field && !is_secret(name)) {
		int status = usage(cli, "A %s has no field %s; `carillon %s --help` lists them.",
				   entity_type(cli->kind)->name, name, cli->command->words);
		free(name);
		return status;
	}
	value = is_secret(name) ? secret_read(name, equals + 1) : value_read(cli, field, equals + 1);
	int failed = json_object_set_new(body, name, value);
	free(name);
	return failed ? EXIT_USAGE : EXIT_DONE;
}

// The body from the arguments that are left, or NULL: said why.
static json_t *body_read(struct cli *cli, int from, int *status)
{
	json_t *body = needed(json_object());
	*status = from < cli->argument_count ? EXIT_DONE : usage(cli, "Give at least one field=value.");
	for (int i = from; *status == EXIT_DONE && i < cli->argument_count; i++)
		*status = member_read(cli, cli->arguments[i], body);
	if (*status == EXIT_DONE)
		return body;
	json_decref(body);
	return NULL;
}

static void secret_print(const json_t *entity)
{
	static const char *const secrets[][2] = {
	    {"sip_password", "SIP password"}, {"password", "password"}, {"secret", "token"}};
	for (size_t i = 0; i < 3; i++) {
		const char *secret = json_string_value(json_object_get(entity, secrets[i][0]));
		if (secret)
			printf("The %s, shown only now: %s\n", secrets[i][1], secret);
	}
}

static const char *entity_label(const json_t *entity)
{
	static const char *const names[] = {"extension", "number", "title", "id"};
	for (size_t i = 0; i < 4; i++) {
		const char *text = json_string_value(json_object_get(entity, names[i]));
		if (text && *text)
			return text;
	}
	return "";
}

static int changed_print(const struct cli *cli, json_t *entity, const char *what)
{
	if (!entity)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON) {
		json_print(entity);
	} else {
		char label[CELL_MAX], text[CELL_MAX];
		cell_write(json_object_get(entity, "id"), text, sizeof text);
		snprintf(label, sizeof label, "%s", entity_label(entity));
		printf("The %s %s (id %s) is %s.\n", entity_type(cli->kind)->name, label, text, what);
		secret_print(entity);
	}
	json_decref(entity);
	return EXIT_DONE;
}

int add_run(struct cli *cli)
{
	int status;
	json_t *body = body_read(cli, 0, &status);
	if (!body)
		return status;
	json_t *entity = client_call(cli->client, "POST", entity_type(cli->kind)->plural, body);
	json_decref(body);
	return changed_print(cli, entity, "created");
}

static char *path_of(const struct cli *cli, const char *id, const char *rest)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s%s", entity_type(cli->kind)->plural, id, rest) < 0)
		path = NULL;
	return needed(path);
}

int set_run(struct cli *cli)
{
	int status;
	if (cli->argument_count < 1)
		return usage(cli, "Say which %s.", entity_type(cli->kind)->name);
	json_t *body = body_read(cli, 1, &status);
	if (!body)
		return status;
	char *id = id_named(cli, cli->kind, cli->arguments[0]);
	if (!id) {
		json_decref(body);
		return EXIT_REFUSED;
	}
	char *path = path_of(cli, id, "");
	json_t *entity = client_call(cli->client, "PATCH", path, body);
	json_decref(body);
	free(path);
	free(id);
	return changed_print(cli, entity, "changed");
}

// ---- the site's settings, of which there is one

int settings_show_run(struct cli *cli)
{
	if (cli->argument_count)
		return usage(cli, "It takes nothing.");
	json_t *settings = client_call(cli->client, "GET", entity_type(cli->kind)->plural, NULL);
	if (!settings)
		return EXIT_REFUSED;
	json_object_del(settings, "id");
	entity_print(cli, settings);
	json_decref(settings);
	return EXIT_DONE;
}

int settings_set_run(struct cli *cli)
{
	int status;
	json_t *body = body_read(cli, 0, &status);
	if (!body)
		return status;
	json_t *settings = client_call(cli->client, "PATCH", entity_type(cli->kind)->plural, body);
	if (settings && cli->output == OUTPUT_JSON)
		json_print(settings);
	else if (settings)
		puts("The settings are changed.");
	status = settings ? EXIT_DONE : EXIT_REFUSED;
	json_decref(body);
	json_decref(settings);
	return status;
}

// ---- delete, and a new SIP password

int delete_run(struct cli *cli)
{
	if (cli->argument_count != 1)
		return usage(cli, "Say which %s.", entity_type(cli->kind)->name);
	char *id = id_named(cli, cli->kind, cli->arguments[0]);
	if (!id)
		return EXIT_REFUSED;
	char *path = path_of(cli, id, cli->release ? "?release=true" : "");
	json_t *answer = client_call(cli->client, "DELETE", path, NULL);
	if (answer && cli->output == OUTPUT_TABLES)
		printf("The %s %s is deleted.\n", entity_type(cli->kind)->name, cli->arguments[0]);
	int status = answer ? EXIT_DONE : EXIT_REFUSED;
	json_decref(answer);
	free(path);
	free(id);
	return status;
}

int device_password_run(struct cli *cli)
{
	if (cli->argument_count != 1)
		return usage(cli, "Say which device.");
	char *id = id_named(cli, cli->kind, cli->arguments[0]);
	if (!id)
		return EXIT_REFUSED;
	char *path = path_of(cli, id, "/password");
	json_t *entity = client_call(cli->client, "POST", path, NULL);
	free(path);
	free(id);
	return changed_print(cli, entity, "to sign in with a new password");
}
