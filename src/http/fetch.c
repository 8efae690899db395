// One request, one answer of bounded size within bounded time; no redirection is followed.
#include "http/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct received {
	char *at;
	size_t size;
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
	if (count > FETCH_MAX - received->size)
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

static CURLcode perform(CURL *curl, const struct fetch *fetch, struct received *received, long *status)
{
	curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)FETCH_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, received_add);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
	if (fetch->form)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->form);
	if (fetch->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, fetch->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, fetch->password);
	}
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return code;
}

json_t *fetch_json(const struct fetch *fetch, char *sentence, size_t size)
{
	struct received received = {0};
	json_t *json = NULL;
	long status = 0;
	pthread_once(&once, library_start);
	if (!url_is_safe(fetch->url)) {
		snprintf(sentence, size, "%.100s is not https", fetch->url);
		return NULL;
	}
	CURL *curl = curl_easy_init();
	CURLcode code = curl ? perform(curl, fetch, &received, &status) : CURLE_OUT_OF_MEMORY;
	if (fetch->status)
		*fetch->status = status;
	if (code != CURLE_OK)
		snprintf(sentence, size, "%.100s: %s", fetch->url, curl_easy_strerror(code));
	else if (status != 200)
		snprintf(sentence, size, "%.100s answered %ld", fetch->url, status);
	else
		json = json_loadb(received.at ? received.at : "", received.size, JSON_REJECT_DUPLICATES, NULL);
	if (code == CURLE_OK && status == 200 && !json_is_object(json)) {
		json_decref(json);
		json = NULL;
		snprintf(sentence, size, "%.100s answered no JSON", fetch->url);
	}
	curl_easy_cleanup(curl);
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
