// One request, one answer of bounded size within bounded time; no redirection is followed.
#include "http/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct received {
	char *at;
	size_t size, max;
};

struct fetch_line {
	CURL *curl;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void library_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t received_add(char *bytes, size_t one, size_t count, void *context)
{
	struct received *received = context;
	(void)one;
	if (count > received->max - received->size)
		return 0;
	char *more = realloc(received->at, received->size + count);
	if (!more)
		return 0;
	memcpy(more + received->size, bytes, count);
	received->at = more;
	received->size += count;
	return count;
}

static bool url_is_safe(const char *url)
{
	static const char *const safe[] = {"https://", "http://127.0.0.1:", "http://[::1]:", "http://localhost:"};
	for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
		if (strncmp(url, safe[i], strlen(safe[i])) == 0)
			return true;
	return false;
}

static int look_up(void *context, curl_off_t in_all, curl_off_t in, curl_off_t out_all, curl_off_t out)
{
	const atomic_bool *abandoned = context;
	(void)in_all;
	(void)in;
	(void)out_all;
	(void)out;
	return atomic_load(abandoned) ? 1 : 0;
}

static void ends_set(CURL *curl, const struct fetch *fetch)
{
	const char *authorities = getenv("SSL_CERT_FILE");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)FETCH_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (authorities && *authorities)
		curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
	if (!fetch->abandoned)
		return;
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)fetch->abandoned);
}

static void credentials_set(CURL *curl, const struct fetch *fetch)
{
	if (fetch->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, fetch->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, fetch->password);
	}
	if (fetch->bearer) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, fetch->bearer);
	}
}

static CURLcode perform(CURL *curl, const struct fetch *fetch, struct received *received, long *status)
{
	struct curl_slist *headers = fetch->json ? curl_slist_append(NULL, "Content-Type: application/json") : NULL;
	curl_off_t retry_after_s = 0;
	if (fetch->json && !headers)
		return CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, received_add);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (fetch->form || fetch->json)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->form ? fetch->form : fetch->json);
	ends_set(curl, fetch);
	credentials_set(curl, fetch);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (fetch->retry_after_s)
		*fetch->retry_after_s = (long)retry_after_s;
	curl_slist_free_all(headers);
	return code;
}

struct fetch_line *fetch_line_create(void)
{
	struct fetch_line *line = calloc(1, sizeof *line);
	pthread_once(&once, library_start);
	if (line)
		line->curl = curl_easy_init();
	if (line && line->curl)
		return line;
	free(line);
	return NULL;
}

void fetch_line_destroy(struct fetch_line *line)
{
	if (!line)
		return;
	curl_easy_cleanup(line->curl);
	free(line);
}

static CURL *handle_take(const struct fetch *fetch)
{
	pthread_once(&once, library_start);
	if (!fetch->line)
		return curl_easy_init();
	curl_easy_reset(fetch->line->curl); // its connections stay
	return fetch->line->curl;
}

json_t *fetch_json(const struct fetch *fetch, char *sentence, size_t size)
{
	struct received received = {.max = fetch->max ? fetch->max : FETCH_MAX};
	json_t *json = NULL;
	long status = 0;
	if (fetch->status)
		*fetch->status = 0;
	if (!url_is_safe(fetch->url)) {
		snprintf(sentence, size, "%.100s is not https", fetch->url);
		return NULL;
	}
	CURL *curl = handle_take(fetch);
	CURLcode code = curl ? perform(curl, fetch, &received, &status) : CURLE_OUT_OF_MEMORY;
	bool wanted = code == CURLE_OK && (status == 200 || fetch->refusals);
	if (fetch->status)
		*fetch->status = code == CURLE_OK ? status : 0;
	if (code != CURLE_OK)
		snprintf(sentence, size, "%.100s: %s", fetch->url, curl_easy_strerror(code));
	else if (status != 200)
		snprintf(sentence, size, "%.100s answered %ld", fetch->url, status);
	if (wanted)
		json = json_loadb(received.at ? received.at : "", received.size, JSON_REJECT_DUPLICATES, NULL);
	if (wanted && !json_is_object(json)) {
		json_decref(json);
		json = NULL;
		if (status == 200)
			snprintf(sentence, size, "%.100s answered no JSON", fetch->url);
	}
	if (!fetch->line)
		curl_easy_cleanup(curl);
	if (received.at)
		explicit_bzero(received.at, received.size); // there may be a token in it
	free(received.at);
	return json;
}

char *fetch_escape(struct str text)
{
	char *escaped = malloc(3 * text.length + 1), *at = escaped;
	if (!escaped)
		return NULL;
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			     c == '.' || c == '_' || c == '~';
		at += plain ? sprintf(at, "%c", c) : sprintf(at, "%%%02X", c);
	}
	*at = '\0';
	return escaped;
}
