// Takes a request's URI, cookies and body apart.
#include "http/request.h"
#include "http/server.h"

#include <string.h>

static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

const char *method_name(enum method method)
{
	return method < METHOD_OTHER ? names[method] : "other";
}

enum method method_parse(const char *name)
{
	if (strcmp(name, "HEAD") == 0)
		return METHOD_GET;
	for (int i = 0; i < METHOD_OTHER; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum method)i;
	return METHOD_OTHER;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

// RFC 3629 section 4: the bytes that follow, and the bounds of the first of them.
static bool is_utf8(struct str text)
{
	for (size_t i = 0; i < text.length;) {
		unsigned char first = (unsigned char)text.at[i++], low = 0x80, high = 0xBF;
		int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
		if ((first >= 0x80 && first < 0xC2) || first > 0xF4)
			return false;
		if (first == 0xE0 || first == 0xF0)
			low = first == 0xE0 ? 0xA0 : 0x90; // no longer form than needed
		if (first == 0xED || first == 0xF4)
			high = first == 0xED ? 0x9F : 0x8F; // no surrogates, nothing beyond U+10FFFF
		for (; more > 0; more--, low = 0x80, high = 0xBF) {
			unsigned char next = i < text.length ? (unsigned char)text.at[i++] : 0;
			if (next < low || next > high)
				return false;
		}
	}
	return true;
}

// RFC 3986 section 2.1; in a query '+' is a blank, as forms write it.
static enum err percent_decode(struct arena *arena, struct str from, char plus, struct str *into)
{
	char *text = arena_alloc(arena, from.length + 1);
	size_t length = 0;
	if (!text)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < from.length; i++) {
		char c = from.at[i];
		if (c == '%') {
			int high = i + 2 < from.length ? hex_value(from.at[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_value(from.at[i + 2]);
			if (low < 0)
				return ERR_MALFORMED;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+') {
			c = plus;
		}
		if (c == '\0')
			return ERR_MALFORMED;
		text[length++] = c;
	}
	*into = (struct str){text, length};
	return is_utf8(*into) ? ERR_NONE : ERR_MALFORMED;
}

static enum err query_add(struct request *request, struct str pair, struct problem *problem)
{
	struct query_parameter parameter = {.used = false};
	size_t equals = str_index(pair, '=');
	if (request->query_count == QUERY_PARAMETERS_MAX)
		return problem_set(problem, ERR_MALFORMED, NULL, "The URI has more than %d parameters.",
				   QUERY_PARAMETERS_MAX);
	enum err err = percent_decode(&request->arena, str_first(pair, equals), ' ', &parameter.name);
	if (!err)
		err = percent_decode(&request->arena, str_from(pair, equals + 1), ' ', &parameter.value);
	if (err)
		return problem_set(problem, err, NULL,
				   err == ERR_MALFORMED ? "The URI's query is badly encoded." : NULL);
	for (size_t i = 0; i < request->query_count; i++)
		if (str_equal(request->query[i].name, parameter.name))
			return problem_set(problem, ERR_MALFORMED, NULL, "The parameter %.*s is given twice.",
					   STR_ARG(str_first(parameter.name, 60)));
	request->query[request->query_count++] = parameter;
	return ERR_NONE;
}

enum err request_read_uri(struct request *request, struct problem *problem)
{
	size_t mark = str_index(request->uri, '?');
	struct str query = str_from(request->uri, mark + 1), pair;
	enum err err = percent_decode(&request->arena, str_first(request->uri, mark), '+', &request->path);
	if (err)
		return problem_set(problem, err, NULL,
				   err == ERR_MALFORMED ? "The URI's path is badly encoded." : NULL);
	while (str_take(&query, '&', &pair)) {
		err = str_empty(pair) ? ERR_NONE : query_add(request, pair, problem);
		if (err)
			return err;
	}
	return ERR_NONE;
}

enum err request_read_json(struct request *request, struct problem *problem)
{
	json_error_t error;
	struct str type =
	    str_trim(str_first(request->headers.content_type, str_index(request->headers.content_type, ';')));
	if (request->body_size == 0) {
		request->json = json_object();
		return request->json ? ERR_NONE : problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	}
	if (!str_equal_nocase(type, STR("application/json")) &&
	    !str_equal_nocase(type, STR("application/merge-patch+json")))
		return problem_set(problem, ERR_WRONG_MEDIA_TYPE, NULL, NULL);
	request->json = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &error);
	if (!request->json && (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory))
		return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	if (!request->json)
		return problem_set(problem, ERR_MALFORMED, NULL, "The JSON is wrong in line %d, column %d: %s.",
				   error.line, error.column, error.text);
	if (!json_is_object(request->json))
		return problem_set(problem, ERR_MALFORMED, NULL, "The body must be a JSON object.");
	return ERR_NONE;
}

bool request_parameter(struct request *request, const char *name, struct str *value)
{
	for (size_t i = 0; i < request->query_count; i++) {
		if (!str_equal(request->query[i].name, str_of(name)))
			continue;
		request->query[i].used = true;
		*value = request->query[i].value;
		return true;
	}
	return false;
}

enum err request_parameters_done(struct request *request, struct problem *problem)
{
	for (size_t i = 0; i < request->query_count; i++) {
		struct str name = arena_copy(&request->arena, str_first(request->query[i].name, 60));
		if (!request->query[i].used)
			return problem_set(problem, ERR_UNKNOWN_FIELD, name.at, "There is no parameter \"%.*s\" here.",
					   STR_ARG(name));
	}
	return ERR_NONE;
}

uint64_t request_id(const struct request *request)
{
	uint64_t id = 0;
	return str_to_uint(request->id, INT64_MAX, &id) ? id : 0;
}

struct str request_cookie(const struct request *request, const char *name)
{
	struct str rest = request->headers.cookie, pair;
	while (str_take(&rest, ';', &pair)) {
		size_t equals = str_index(pair, '=');
		if (str_equal(str_trim(str_first(pair, equals)), str_of(name)))
			return str_trim(str_from(pair, equals + 1));
	}
	return STR_NONE;
}

int64_t request_now_ms(const struct request *request)
{
	return server_now_ms(request->server);
}
