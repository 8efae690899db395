// What trunks have beside their fields: the password that their calls sign in with, kept only as hashes.
#include "domain/trunk.h"
#include "http/collection.h"
#include "http/server.h"

enum { INBOUND_PASSWORD_MIN = 8, INBOUND_PASSWORD_MAX = 128 };

static const char *const extras[] = {"inbound_password", NULL};

static void refuse(struct change *change, enum err err, const char *field, const char *sentence)
{
	problem_set(problem_list_next(&change->problems), err, field, "%s", sentence);
}

static void password_set(struct change *change, struct trunk *trunk, struct str password)
{
	struct request *request = change->request;

	if (!trunk_set_inbound_password(trunk, server_settings(request->server)->realm, password, &request->arena))
		problem_set(problem_list_next(&change->problems), ERR_NO_MEMORY, NULL, NULL);
}

// A hash is made of the name, too: with another name the password must be said again.
static bool is_missing(const struct trunk *trunk, const struct trunk *before)
{
	return !before || !str_equal(before->inbound_username, trunk->inbound_username);
}

static void trunk_prepare(struct change *change)
{
	struct trunk *trunk = (struct trunk *)change->entity;
	const json_t *value = json_object_get(change->extras, "inbound_password");
	struct str password = {json_string_value(value), json_string_length(value)};

	if (value && !json_is_null(value) && !json_is_string(value))
		refuse(change, ERR_INVALID_FIELD, "inbound_password", "inbound_password must be text.");
	else if (!str_empty(password) &&
		 (password.length < INBOUND_PASSWORD_MIN || password.length > INBOUND_PASSWORD_MAX))
		refuse(change, ERR_INVALID_FIELD, "inbound_password", "An inbound password has 8 to 128 bytes.");
	else if (str_empty(trunk->inbound_username) && !str_empty(password))
		refuse(change, ERR_MISSING_FIELD, "inbound_username", "Say the name that goes with the password.");
	else if (str_empty(trunk->inbound_username))
		trunk->inbound_ha1_md5 = trunk->inbound_ha1_sha256 = STR_NONE;
	else if (!str_empty(password))
		password_set(change, trunk, password);
	else if (is_missing(trunk, (const struct trunk *)change->before))
		refuse(change, ERR_MISSING_FIELD, "inbound_password", "Say the password that goes with the name.");
}

const struct resource trunk_resource = {
    .extras = extras,
    .prepare = trunk_prepare,
};
