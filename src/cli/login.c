// Signs in with name and password, and leaves a token for the commands that follow.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *pair(const char *first, const char *one, const char *second, const char *two)
{
	return needed(json_pack("{ssss}", first, one, second, two));
}

static bool done(json_t *answer)
{
	json_decref(answer);
	return answer != NULL;
}

// The first password is somebody else's choice, so it opens nothing but this.
static bool password_change(struct cli *cli, const char *old)
{
	fputs("The password must be changed first.\n", stderr);
	char *new = prompt_secret("New password: ");
	char *again = new ? prompt_secret("The same again: ") : NULL;
	bool changed = false;
	if (!again || strcmp(new, again) != 0) {
		fputs("carillon: The two differ.\n", stderr);
	} else {
		json_t *body = pair("password", old, "new_password", new);
		changed = done(client_call(cli->client, "PUT", "me/password", body));
		json_decref(body);
	}
	free(new);
	free(again);
	return changed;
}

static bool token_keep(struct cli *cli, const char *role)
{
	char host[128] = "", title[160];
	gethostname(host, sizeof host - 1);
	snprintf(title, sizeof title, "carillon on %.80s", host);
	json_t *body = pair("title", title, "role", role);
	json_t *token = client_call(cli->client, "POST", "tokens", body);
	json_decref(body);
	if (!token)
		return false;
	json_t *saved = needed(json_pack("{ssssss}", "url", client_url(cli->client), "token",
					 json_string_value(json_object_get(token, "secret")), "id",
					 json_string_value(json_object_get(token, "id"))));
	bool kept = saved_write(saved);
	json_decref(saved);
	json_decref(token);
	return kept;
}

static bool sign_in(struct cli *cli, const char *name, const char *password)
{
	json_t *body = pair("name", name, "password", password);
	client_use_session(cli->client, NULL);
	json_t *session = client_call(cli->client, "POST", "session", body);
	json_decref(body);
	if (!session)
		return false;
	const char *role = json_string_value(json_object_get(session, "role"));
	client_use_session(cli->client, json_string_value(json_object_get(session, "csrf_token")));
	bool kept = !json_is_true(json_object_get(session, "password_change_due")) || password_change(cli, password);
	kept = kept && token_keep(cli, role);
	done(client_call(cli->client, "DELETE", "session", NULL));
	json_decref(session);
	return kept;
}

int login_run(struct cli *cli)
{
	if (cli->argument_count > 1)
		return usage(cli, "One name is enough.");
	char *name = cli->argument_count ? needed(strdup(cli->arguments[0])) : prompt_line("Name: ");
	char *password = name ? prompt_secret("Password: ") : NULL;
	bool signed_in = password && sign_in(cli, name, password);
	if (signed_in)
		printf("Signed in to %s as %s.\n", client_url(cli->client), name);
	free(name);
	free(password);
	return signed_in ? EXIT_DONE : EXIT_REFUSED;
}

int logout_run(struct cli *cli)
{
	json_t *saved = saved_read();
	const char *id = json_string_value(json_object_get(saved, "id"));
	char path[64];
	if (cli->argument_count)
		return usage(cli, "It takes nothing.");
	if (id) {
		snprintf(path, sizeof path, "tokens/%.40s", id);
		done(client_call(cli->client, "DELETE", path, NULL));
	}
	json_decref(saved);
	saved_remove();
	return EXIT_DONE;
}
