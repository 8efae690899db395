// The token endpoint of the Microsoft identity platform (RFC 6749 section 4.4), GET /users/{name} and
// POST /communications/getPresencesByUserId of Microsoft Graph 1.0.
#include "http/graph.h"
#include "base/log.h"
#include "http/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ANSWER_MAX = 8 << 20, // 650 presences, each with a long message
	PAGES_MAX = 16,
	RENEW_BEFORE_S = 300, // a token is renewed this long before it ends, or at half of its life
	TOKEN_LIFE_MAX_S = 24 * 60 * 60,
};

const char *const availability_names[] = {
    [PRESENCE_UNKNOWN] = "unknown",
    [PRESENCE_AVAILABLE] = "available",
    [PRESENCE_BUSY] = "busy",
    [PRESENCE_DO_NOT_DISTURB] = "do_not_disturb",
    [PRESENCE_AWAY] = "away",
    [PRESENCE_OFFLINE] = "offline",
    NULL,
};

struct graph {
	char *tenant, *client_id, *client_secret, *login_url, *graph_url; // owned
	const atomic_bool *abandoned;
	char *token;             // owned; NULL: none
	time_t renew_s;          // monotonic
	struct fetch_line *line; // owned
	struct graph_counters counters;
};

static time_t monotonic_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

// An address without the slashes at its end.
static char *address_copy(struct str text)
{
	while (text.length && text.at[text.length - 1] == '/')
		text.length--;
	return strndup(text.at ? text.at : "", text.length);
}

static char *text_copy(struct str text)
{
	return strndup(text.at ? text.at : "", text.length);
}

struct graph *graph_create(const struct graph_settings *settings)
{
	struct graph *graph = calloc(1, sizeof *graph);
	if (!graph)
		return NULL;
	graph->tenant = text_copy(settings->tenant);
	graph->client_id = text_copy(settings->client_id);
	graph->client_secret = text_copy(settings->client_secret);
	graph->login_url = address_copy(settings->login_url);
	graph->graph_url = address_copy(settings->graph_url);
	graph->abandoned = settings->abandoned;
	graph->line = fetch_line_create();
	if (graph->line && graph->tenant && graph->client_id && graph->client_secret && graph->login_url &&
	    graph->graph_url)
		return graph;
	graph_destroy(graph);
	return NULL;
}

void graph_destroy(struct graph *graph)
{
	if (!graph)
		return;
	secret_free(graph->token);
	secret_free(graph->client_secret);
	free(graph->tenant);
	free(graph->client_id);
	free(graph->login_url);
	free(graph->graph_url);
	fetch_line_destroy(graph->line);
	free(graph);
}

struct graph_counters graph_count(const struct graph *graph)
{
	return graph->counters;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

// ---- refusals

// A word of theirs for the log and the screen: letters, digits, dots, dashes and underscores.
static void word_copy(const char *from, char *into, size_t size)
{
	size_t length = 0;
	for (; *from && length + 1 < size; from++)
		if ((*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z') ||
		    (*from >= '0' && *from <= '9') || *from == '_' || *from == '.' || *from == '-')
			into[length++] = *from;
	into[length] = '\0';
}

static enum graph_result no_memory(struct graph_refusal *refusal)
{
	snprintf(refusal->sentence, sizeof refusal->sentence, "There is no memory for it.");
	return GRAPH_WAIT;
}

// What comes again by itself: a network, a server that is overloaded, or that asks us to wait.
static bool passes(long status)
{
	return status == 0 || status == 408 || status == 429 || status >= 500;
}

// One request. The answer may be any JSON object, also a refusal's; NULL when none came.
static json_t *ask(struct graph *graph, struct fetch *fetch, long *status, struct graph_refusal *refusal)
{
	*refusal = (struct graph_refusal){.retry_after_s = 0};
	fetch->status = status;
	fetch->retry_after_s = &refusal->retry_after_s;
	fetch->abandoned = graph->abandoned;
	fetch->line = graph->line;
	fetch->max = ANSWER_MAX;
	fetch->refusals = true;
	json_t *answer = fetch_json(fetch, refusal->sentence, sizeof refusal->sentence);
	graph->counters.requests++;
	graph->counters.throttled += *status == 429;
	graph->counters.failed += *status != 200;
	return answer;
}

// ---- the token

static char *token_form(const struct graph *graph)
{
	char *client_id = fetch_escape(str_of(graph->client_id)), *secret = fetch_escape(str_of(graph->client_secret));
	char *scope = fetch_escape(str_of(graph->graph_url)), *form = NULL;
	if (!client_id || !secret || !scope ||
	    asprintf(&form, "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s%%2F.default",
		     client_id, secret, scope) < 0)
		form = NULL;
	free(client_id);
	secret_free(secret);
	free(scope);
	return form;
}

// Their error in our words where it is one of those that people make (RFC 6749 section 5.2).
static enum graph_result token_refused(long status, const json_t *answer, struct graph_refusal *refusal)
{
	char code[64];
	word_copy(text_of(answer, "error"), code, sizeof code);
	bool wrong = strcmp(code, "invalid_client") == 0;
	if (code[0])
		snprintf(refusal->sentence, sizeof refusal->sentence, "Microsoft's sign-in refuses us: %s.%s", code,
			 wrong ? " The client id or the client secret is wrong, or the secret has expired."
			 : strcmp(code, "invalid_request") == 0     ? " The tenant may be wrong."
			 : strcmp(code, "unauthorized_client") == 0 ? " The application is not known in this tenant."
								    : "");
	return passes(status) ? GRAPH_WAIT : GRAPH_REFUSED;
}

static enum graph_result token_take(struct graph *graph, const json_t *answer, struct graph_refusal *refusal)
{
	json_int_t life_s = json_integer_value(json_object_get(answer, "expires_in"));
	const char *token = text_of(answer, "access_token");
	if (!*token || strpbrk(token, "\r\n")) {
		snprintf(refusal->sentence, sizeof refusal->sentence, "Microsoft's sign-in gave no token.");
		return GRAPH_WAIT;
	}
	if (life_s < 1 || life_s > TOKEN_LIFE_MAX_S)
		life_s = life_s < 1 ? 1 : TOKEN_LIFE_MAX_S;
	secret_free(graph->token);
	graph->token = strdup(token);
	graph->renew_s = monotonic_s() + (life_s > 2 * RENEW_BEFORE_S ? life_s - RENEW_BEFORE_S : life_s / 2);
	graph->counters.tokens++;
	return graph->token ? GRAPH_DONE : no_memory(refusal);
}

static enum graph_result token_get(struct graph *graph, struct graph_refusal *refusal)
{
	long status = 0;
	char *url = NULL, *tenant, *form;
	enum graph_result result = GRAPH_WAIT;
	if (graph->token && monotonic_s() < graph->renew_s)
		return GRAPH_DONE;
	tenant = fetch_escape(str_of(graph->tenant));
	form = token_form(graph);
	if (!tenant || !form || asprintf(&url, "%s/%s/oauth2/v2.0/token", graph->login_url, tenant) < 0) {
		url = NULL;
		result = no_memory(refusal);
	} else {
		json_t *answer = ask(graph, &(struct fetch){.url = url, .form = form}, &status, refusal);
		result = answer && status == 200 ? token_take(graph, answer, refusal)
						 : token_refused(status, answer, refusal);
		json_decref(answer);
	}
	free(tenant);
	secret_free(form);
	free(url);
	return result;
}

// ---- questions with the token

static enum graph_result refused(struct graph *graph, long status, const json_t *answer, struct graph_refusal *refusal)
{
	char code[64];
	word_copy(text_of(json_object_get(answer, "error"), "code"), code, sizeof code);
	if (status == 401) { // the token was taken back: the next time there is a new one
		secret_free(graph->token);
		graph->token = NULL;
	}
	if (status == 403)
		snprintf(refusal->sentence, sizeof refusal->sentence,
			 "Microsoft Graph refuses us (%s): the application needs the permissions Presence.Read.All and "
			 "User.ReadBasic.All, with an administrator's consent.",
			 code[0] ? code : "403");
	else if (status)
		snprintf(refusal->sentence, sizeof refusal->sentence, "Microsoft Graph answered %ld%s%s.", status,
			 code[0] ? ", " : "", code);
	if (status == 404 || status == 400) // 400: no user can be called that
		return GRAPH_NOT_FOUND;
	return passes(status) || status == 401 ? GRAPH_WAIT : GRAPH_REFUSED;
}

// The answer is the caller's when it is done. Once with a new token where the present one is not taken.
static enum graph_result question(struct graph *graph, const char *url, const char *json, json_t **answer,
				  struct graph_refusal *refusal)
{
	enum graph_result result = GRAPH_WAIT;
	for (int turn = 0; turn < 2; turn++) {
		long status = 0;
		result = token_get(graph, refusal);
		if (result != GRAPH_DONE)
			return result;
		*answer =
		    ask(graph, &(struct fetch){.url = url, .json = json, .bearer = graph->token}, &status, refusal);
		if (*answer && status == 200)
			return GRAPH_DONE;
		result = refused(graph, status, *answer, refusal);
		json_decref(*answer);
		*answer = NULL;
		if (status != 401)
			break;
	}
	return result;
}

// ---- users

// "3b0e6f5a-...": an id needs no looking up.
static bool is_id(struct str name)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	if (name.length != sizeof shape - 1)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.at[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (shape[i] == '-' ? c != '-' : !hex)
			return false;
	}
	return true;
}

static void id_copy(struct str from, char id[GRAPH_ID_MAX])
{
	for (size_t i = 0; i < from.length; i++)
		id[i] = (char)(from.at[i] >= 'A' && from.at[i] <= 'Z' ? from.at[i] + ('a' - 'A') : from.at[i]);
	id[from.length] = '\0';
}

enum graph_result graph_find_user(struct graph *graph, struct str name, char id[GRAPH_ID_MAX],
				  struct graph_refusal *refusal)
{
	char *url = NULL;
	json_t *answer = NULL;
	*refusal = (struct graph_refusal){.retry_after_s = 0};
	if (is_id(name)) {
		id_copy(name, id);
		return GRAPH_DONE;
	}
	char *escaped = fetch_escape(name);
	if (!escaped || asprintf(&url, "%s/v1.0/users/%s?$select=id", graph->graph_url, escaped) < 0)
		url = NULL;
	free(escaped);
	if (!url)
		return no_memory(refusal);
	enum graph_result result = question(graph, url, NULL, &answer, refusal);
	free(url);
	struct str found = str_of(text_of(answer, "id"));
	if (result == GRAPH_DONE && is_id(found))
		id_copy(found, id);
	else if (result == GRAPH_DONE)
		result = GRAPH_NOT_FOUND;
	json_decref(answer);
	return result;
}

// ---- presences

static enum availability availability_of(const char *name)
{
	static const struct {
		const char *name;
		enum availability availability;
	} all[] = {{"Available", PRESENCE_AVAILABLE},
		   {"AvailableIdle", PRESENCE_AVAILABLE},
		   {"Busy", PRESENCE_BUSY},
		   {"BusyIdle", PRESENCE_BUSY},
		   {"DoNotDisturb", PRESENCE_DO_NOT_DISTURB},
		   {"Away", PRESENCE_AWAY},
		   {"BeRightBack", PRESENCE_AWAY},
		   {"Offline", PRESENCE_OFFLINE}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].availability;
	return PRESENCE_UNKNOWN;
}

static void page_take(const json_t *page, const struct graph_taker *taker)
{
	size_t i;
	const json_t *item;
	json_array_foreach(json_object_get(page, "value"), i, item)
	{
		char activity[GRAPH_ACTIVITY_MAX], id[GRAPH_ID_MAX];
		struct str found = str_of(text_of(item, "id"));
		if (!is_id(found))
			continue;
		id_copy(found, id);
		word_copy(text_of(item, "activity"), activity, sizeof activity);
		taker->take(taker->context,
			    &(struct graph_presence){.id = str_of(id),
						     .availability = availability_of(text_of(item, "availability")),
						     .activity = str_of(activity)});
	}
}

static char *ids_body(const char *const *ids, size_t count)
{
	json_t *body = json_object(), *list = json_array();
	bool built = true;
	for (size_t i = 0; built && i < count; i++)
		built = json_array_append_new(list, json_string(ids[i])) == 0;
	built = json_object_set_new(body, "ids", list) == 0 && built;
	char *text = built ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

// Our token goes to nobody else's server: a page that lies elsewhere is not asked for.
static bool is_ours(const struct graph *graph, const char *url)
{
	size_t length = strlen(graph->graph_url);
	return strncmp(url, graph->graph_url, length) == 0 && url[length] == '/';
}

enum graph_result graph_presences(struct graph *graph, const char *const *ids, size_t count,
				  const struct graph_taker *taker, struct graph_refusal *refusal)
{
	char *url = NULL, *body = ids_body(ids, count);
	enum graph_result result = GRAPH_DONE;
	if (!body || asprintf(&url, "%s/v1.0/communications/getPresencesByUserId", graph->graph_url) < 0) {
		free(body);
		return no_memory(refusal);
	}
	for (int pages = 0; url && result == GRAPH_DONE && pages < PAGES_MAX; pages++) {
		json_t *page = NULL;
		result = question(graph, url, pages ? NULL : body, &page, refusal);
		free(url);
		url = NULL;
		if (result == GRAPH_DONE)
			page_take(page, taker);
		const char *next = text_of(page, "@odata.nextLink");
		if (*next && is_ours(graph, next))
			url = strdup(next);
		else if (*next)
			log_warning("graph_page_elsewhere", LOG_TEXT("why", "its address is not Microsoft Graph's"));
		json_decref(page);
	}
	free(url);
	free(body);
	return result;
}
