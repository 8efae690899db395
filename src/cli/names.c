// Finds what people name.
#include "cli/names.h"
#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The fields by which each kind is named, in the order they are tried.
static const char *const keys[ENTITY_KIND_COUNT][3] = {
    [ENTITY_USER] = {"extension", "name"},
    [ENTITY_DEVICE] = {"number", "canonical"},
    [ENTITY_TRUNK] = {"title"},
    [ENTITY_DID] = {"canonical", "number"},
};

static json_t *by_key(struct cli *cli, enum entity_kind kind, const char *key, const char *name, bool *failed)
{
	char *escaped = client_escape(name), *path = NULL;
	if (asprintf(&path, "%s?%s=%s&limit=2", entity_type(kind)->plural, key, escaped) < 0)
		path = NULL;
	json_t *page = client_call(cli->client, "GET", needed(path), NULL);
	*failed = page == NULL;
	json_t *found = json_array_get(json_object_get(page, "items"), 0);
	json_incref(found);
	json_decref(page);
	free(path);
	free(escaped);
	return found;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

json_t *entity_named(struct cli *cli, enum entity_kind kind, const char *name)
{
	const struct entity_type *type = entity_type(kind);
	bool by_id = strncmp(name, "id:", 3) == 0, failed = false, missing = true;
	json_t *found = NULL;
	for (size_t i = 0; !by_id && !found && !failed && keys[kind][i]; i++)
		found = by_key(cli, kind, keys[kind][i], name, &failed);
	if (found || failed)
		return found;
	// Where numbers are names, an id must say that it is one: a mistyped number must not hit somebody else's device.
	if (by_id || (!keys[kind][0] && is_number(name))) {
		char *escaped = client_escape(by_id ? name + 3 : name), *path = NULL;
		if (asprintf(&path, "%s/%s", type->plural, escaped) < 0)
			path = NULL;
		found = client_find(cli->client, needed(path), &missing);
		free(path);
		free(escaped);
	}
	if (!found && missing)
		fprintf(stderr, "carillon: There is no %s \"%s\".\n", type->name, name);
	return found;
}

char *id_named(struct cli *cli, enum entity_kind kind, const char *name)
{
	char *id = NULL;
	if (kind == ENTITY_SESSION || kind == ENTITY_SELECTION)
		return needed(strdup(strncmp(name, "id:", 3) == 0 ? name + 3 : name));
	json_t *found = entity_named(cli, kind, name);
	const char *text = json_string_value(json_object_get(found, "id"));
	if (text)
		id = needed(strdup(text));
	json_decref(found);
	return id;
}
