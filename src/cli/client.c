// Speaks to the server.
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ANSWER_MAX = 64 << 20 };

struct client {
	CURL *curl;
	char *url, *token;
	char *csrf;    // of a session; NULL = there is none
	bool *missing; // set instead of saying that something is not there; NULL = say it
	char error[CURL_ERROR_SIZE];
};

struct received {
	char *at;
	size_t size;
};

void *needed(void *memory)
{
	if (memory)
		return memory;
	fputs("carillon: There is no memory left.\n", stderr);
	exit(1);
}

// ---- what login leaves

static char *saved_path(bool make_folders)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *folder = NULL, *path = NULL;
	if (base && base[0] == '/')
		folder = asprintf(&folder, "%s", base) < 0 ? NULL : folder;
	else
		folder = asprintf(&folder, "%s/.config", home ? home : "") < 0 ? NULL : folder;
	needed(folder);
	if (make_folders)
		mkdir(folder, 0700);
	if (asprintf(&path, "%s/carillon", folder) < 0)
		path = NULL;
	needed(path);
	if (make_folders)
		mkdir(path, 0700);
	free(path);
	if (asprintf(&path, "%s/carillon/client.json", folder) < 0)
		path = NULL;
	free(folder);
	return needed(path);
}

json_t *saved_read(void)
{
	char *path = saved_path(false);
	json_t *content = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	free(path);
	return content;
}

bool saved_write(const json_t *content)
{
	char *path = saved_path(true);
	mode_t before = umask(0077); // it holds a secret
	bool written = json_dump_file(content, path, JSON_INDENT(2)) == 0;
	umask(before);
	if (!written)
		fprintf(stderr, "carillon: %s cannot be written: %s.\n", path, strerror(errno));
	free(path);
	return written;
}

void saved_remove(void)
{
	char *path = saved_path(false);
	remove(path);
	free(path);
}

// ---- the client

static char *chosen(const char *given, const char *variable, const json_t *saved, const char *key)
{
	const char *text = given ? given : getenv(variable);
	if (!text)
		text = json_string_value(json_object_get(saved, key));
	return text ? needed(strdup(text)) : NULL;
}

struct client *client_create(const char *url, const char *token)
{
	struct client *client = needed(calloc(1, sizeof *client));
	json_t *saved = saved_read();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	client->curl = needed(curl_easy_init());
	client->url = chosen(url, "CARILLON_URL", saved, "url");
	if (!client->url)
		client->url = needed(strdup("http://127.0.0.1:8080"));
	client->token = chosen(token, "CARILLON_TOKEN", saved, "token");
	json_decref(saved);
	size_t length = strlen(client->url);
	while (length > 0 && client->url[length - 1] == '/')
		client->url[--length] = '\0';
	return client;
}

void client_destroy(struct client *client)
{
	curl_easy_cleanup(client->curl);
	curl_global_cleanup();
	free(client->url);
	free(client->token);
	free(client->csrf);
	free(client);
}

const char *client_url(const struct client *client)
{
	return client->url;
}

void client_use_session(struct client *client, const char *csrf)
{
	free(client->csrf);
	client->csrf = csrf ? needed(strdup(csrf)) : NULL;
	free(client->token);
	client->token = NULL;
	curl_easy_setopt(client->curl, CURLOPT_USERAGENT,
			 "carillon/" CARILLON_VERSION);         // the audit log tells it from a machine
	curl_easy_setopt(client->curl, CURLOPT_COOKIEFILE, ""); // keeps cookies, in memory only
}

char *client_escape(const char *text)
{
	char *escaped = needed(curl_easy_escape(NULL, text, 0));
	char *copy = needed(strdup(escaped));
	curl_free(escaped);
	return copy;
}

static size_t receive(char *bytes, size_t one, size_t size, void *context)
{
	struct received *received = context;
	(void)one;
	if (size > ANSWER_MAX - received->size)
		return 0;
	received->at = needed(realloc(received->at, received->size + size + 1));
	memcpy(received->at + received->size, bytes, size);
	received->size += size;
	return size;
}

static struct curl_slist *header_add(struct curl_slist *headers, const char *name, const char *value)
{
	char *line = NULL;
	if (!value)
		return headers;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		line = NULL;
	headers = needed(curl_slist_append(headers, needed(line)));
	free(line);
	return headers;
}

// "row 3, kind: ..." of an import.
static void row_say(const json_t *problem)
{
	const char *column = json_string_value(json_object_get(problem, "column"));
	const char *sentence = json_string_value(json_object_get(problem, "sentence"));
	fprintf(stderr, "carillon: row %lld%s%s: %s\n", (long long)json_integer_value(json_object_get(problem, "row")),
		column ? ", " : "", column ? column : "", sentence ? sentence : "");
}

// A sentence for each thing that is wrong.
static void problem_say(long status, const json_t *problem)
{
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const json_t *fields = json_object_get(problem, "field"), *field;
	size_t i;
	if (json_array_size(fields) < 2)
		fprintf(stderr, "carillon: %s\n",
			detail ? detail : "The server gave an answer that cannot be understood.");
	json_array_foreach(fields, i, field) if (json_array_size(fields) > 1)
	    fprintf(stderr, "carillon: %s\n", json_string_value(json_object_get(field, "sentence")));
	json_array_foreach(json_object_get(problem, "problems"), i, field) row_say(field);
	if (!detail)
		fprintf(stderr, "carillon: (It was HTTP status %ld.)\n", status);
	const char *code = json_string_value(json_object_get(problem, "code"));
	if (code && strcmp(code, "not_signed_in") == 0)
		fputs("carillon: `carillon login` signs in; or give --token or CARILLON_TOKEN.\n", stderr);
}

static json_t *answer_read(struct client *client, const struct received *received)
{
	long status = 0;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	json_t *answer = received->size ? json_loadb(received->at, received->size, 0, NULL) : json_object();
	if (status >= 200 && status < 300 && answer)
		return answer;
	if (status == 404 && client->missing)
		*client->missing = true;
	else
		problem_say(status, answer);
	json_decref(answer);
	return NULL;
}

// One request; `type` and `text` NULL: it has no body. False: there was no answer, which has been said.
static bool exchange(struct client *client, const char *method, const char *path, const char *type, const char *text,
		     struct received *received)
{
	struct curl_slist *headers = NULL;
	char *url = NULL, *authorization = NULL;
	if (asprintf(&url, "%s/api/v1/%s", client->url, path) < 0)
		url = NULL;
	if (client->token && asprintf(&authorization, "Bearer %s", client->token) < 0)
		authorization = NULL;
	headers = header_add(headers, "Authorization", authorization);
	headers = header_add(headers, "X-CSRF-Token", client->csrf);
	headers = header_add(headers, "Content-Type", type);
	curl_easy_setopt(client->curl, CURLOPT_URL, needed(url));
	curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, text);
	if (!text)
		curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, received);
	curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->error);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, 60L);
	client->error[0] = '\0';
	CURLcode code = curl_easy_perform(client->curl);
	if (code != CURLE_OK)
		fprintf(stderr, "carillon: %s does not answer: %s.\n", client->url,
			client->error[0] ? client->error : curl_easy_strerror(code));
	curl_slist_free_all(headers);
	free(authorization);
	free(url);
	return code == CURLE_OK;
}

json_t *client_call(struct client *client, const char *method, const char *path, const json_t *body)
{
	struct received received = {0};
	char *text = body ? needed(json_dumps(body, JSON_COMPACT)) : NULL;
	bool answered = exchange(client, method, path, text ? "application/json" : NULL, text, &received);
	json_t *answer = answered ? answer_read(client, &received) : NULL;
	free(received.at);
	free(text);
	return answer;
}

json_t *client_send(struct client *client, const char *path, const char *type, const char *text)
{
	struct received received = {0};
	bool answered = exchange(client, "POST", path, type, text, &received);
	json_t *answer = answered ? answer_read(client, &received) : NULL;
	free(received.at);
	return answer;
}

json_t *client_put(struct client *client, const char *path, const char *type, struct str bytes)
{
	struct received received = {0};
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.length);
	bool answered = exchange(client, "PUT", path, type, bytes.at, &received);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1); // as long as the text is
	json_t *answer = answered ? answer_read(client, &received) : NULL;
	free(received.at);
	return answer;
}

char *client_text(struct client *client, const char *path)
{
	struct received received = {0};
	long status = 0;
	if (!exchange(client, "GET", path, NULL, NULL, &received))
		return NULL;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		json_decref(answer_read(client, &received));
		free(received.at);
		return NULL;
	}
	received.at = needed(realloc(received.at, received.size + 1));
	received.at[received.size] = '\0';
	return received.at;
}

// ---- what goes on

struct lines {
	struct received received; // what has come of the present line
	void (*take)(const char *line);
	CURL *curl;
};

static size_t receive_lines(char *bytes, size_t one, size_t size, void *context)
{
	struct lines *lines = context;
	struct received *line = &lines->received;
	long status = 0;
	curl_easy_getinfo(lines->curl, CURLINFO_RESPONSE_CODE, &status);
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\n' || status != 200) {
			if (receive(bytes + i, one, 1, line) != 1)
				return 0;
			continue;
		}
		line->at = needed(realloc(line->at, line->size + 1));
		line->at[line->size] = '\0';
		lines->take(line->at);
		line->size = 0;
	}
	return size;
}

bool client_stream(struct client *client, const char *path, void (*take)(const char *line))
{
	struct lines lines = {.take = take, .curl = client->curl};
	char *url = NULL, *authorization = NULL;
	if (asprintf(&url, "%s/api/v1/%s", client->url, path) < 0)
		url = NULL;
	if (client->token && asprintf(&authorization, "Bearer %s", client->token) < 0)
		authorization = NULL;
	struct curl_slist *headers = header_add(NULL, "Authorization", authorization);
	curl_easy_setopt(client->curl, CURLOPT_URL, needed(url));
	curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, receive_lines);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &lines);
	curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->error);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, 0L);
	client->error[0] = '\0';
	CURLcode code = curl_easy_perform(client->curl);
	json_t *answer = NULL;
	long status = 0;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		fprintf(stderr, "carillon: %s does not answer: %s.\n", client->url,
			client->error[0] ? client->error : curl_easy_strerror(code));
	else if (status != 200)
		answer = answer_read(client, &lines.received);
	json_decref(answer);
	curl_slist_free_all(headers);
	free(lines.received.at);
	free(authorization);
	free(url);
	return code == CURLE_OK && status == 200;
}

json_t *client_find(struct client *client, const char *path, bool *missing)
{
	*missing = false;
	client->missing = missing;
	json_t *found = client_call(client, "GET", path, NULL);
	client->missing = NULL;
	return found;
}

json_t *client_list(struct client *client, const char *path, size_t most)
{
	json_t *all = needed(json_array());
	char *cursor = NULL;
	bool more = true;
	while (more && json_array_size(all) < most) {
		char *page_path = NULL;
		size_t limit = most - json_array_size(all) < 1000 ? most - json_array_size(all) : 1000;
		if (asprintf(&page_path, "%s%climit=%zu%s%s", path, strchr(path, '?') ? '&' : '?', limit,
			     cursor ? "&cursor=" : "", cursor ? cursor : "") < 0)
			page_path = NULL;
		json_t *page = client_call(client, "GET", needed(page_path), NULL);
		free(page_path);
		free(cursor);
		cursor = NULL;
		if (!page) {
			json_decref(all);
			return NULL;
		}
		json_array_extend(all, json_object_get(page, "items"));
		const char *next = json_string_value(json_object_get(page, "next"));
		more = next != NULL;
		if (next)
			cursor = client_escape(next);
		json_decref(page);
	}
	free(cursor);
	return all;
}
