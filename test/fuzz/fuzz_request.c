// The API's requests: path and query, and bodies; an entity of any kind read from JSON, written and read again is the same.
// A URI begins with '/'; else the first byte chooses the kind, the second whether the entity is created or changes another.
#include "fuzz/fuzz.h"
#include "http/body.h"
#include "http/entity_json.h"

#include <string.h>

enum { MODES = 3 };

static void must_be_problems(const struct problem_list *problems)
{
	must(problems->count > 0);
	for (size_t i = 0; i < problems->count && i < PROBLEMS_MAX; i++)
		must(problems->problems[i].err != ERR_NONE);
}

static void must_be_same(const struct entity_type *type, const struct entity *a, const struct entity *b)
{
	static const size_t sizes[] = {
	    [FIELD_TEXT] = 0,
	    [FIELD_INTEGER] = sizeof(int64_t),
	    [FIELD_BOOLEAN] = sizeof(bool),
	    [FIELD_CHOICE] = sizeof(int),
	    [FIELD_REFERENCE] = sizeof(uint64_t),
	    [FIELD_TIME] = sizeof(int64_t),
	};
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if (field->flags & (FIELD_HIDDEN | FIELD_READ_ONLY))
			continue;
		if (field->type == FIELD_TEXT)
			must_equal(*(struct str *)field_of(a, field), *(struct str *)field_of(b, field));
		else
			must(memcmp(field_of(a, field), field_of(b, field), sizes[field->type]) == 0);
	}
}

// What only the server sets is no part of what a client may send on creation.
static void drop_unchangeable(const struct entity_type *type, json_t *object)
{
	json_object_del(object, "id");
	json_object_del(object, "version");
	for (size_t i = 0; i < type->field_count; i++)
		if (type->fields[i].flags & FIELD_READ_ONLY)
			json_object_del(object, type->fields[i].name);
}

// Mandatory secrets are not shown; another one does.
static void add_hidden(const struct entity_type *type, json_t *from, json_t *object)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const char *name = type->fields[i].name;
		if (type->fields[i].flags & FIELD_HIDDEN && json_object_get(from, name))
			json_object_set(object, name, json_object_get(from, name));
	}
}

static void entity_round_trip(struct request *request, enum entity_kind kind, enum entity_change_mode mode)
{
	const struct entity_type *type = entity_type(kind);
	struct entity *entity = entity_new(kind, &request->arena), *again = entity_new(kind, &request->arena);
	struct entity *before = mode == CHANGE_CREATE ? NULL : entity_new(kind, &request->arena);
	struct problem_list problems = {0};

	must(entity && again && (mode == CHANGE_CREATE || before));
	if (before) {
		before->id = entity->id = 1;
		before->version = entity->version = 1;
	}
	entity_from_json(request, entity, before, mode, &problems);
	if (problems.count) {
		must_be_problems(&problems);
		return;
	}
	json_t *given = request->json, *written = entity_to_json(entity);
	must(written);
	if (mode == CHANGE_CREATE) {
		drop_unchangeable(type, written);
		add_hidden(type, given, written);
		request->json = written;
		entity_from_json(request, again, NULL, CHANGE_CREATE, &problems);
		must(problems.count == 0);
		must_be_same(type, entity, again);
		request->json = given;
	}
	json_decref(written);
}

static void read_plain(json_t *body)
{
	static const char *const names[] = {"name", "device", "ring_s", NULL};
	struct problem_list problems = {0};
	body_only(body, names, &problems);
	(void)body_text(body, "name", &problems);
	(void)body_id(body, "device", &problems);
	int64_t ring_s = body_integer(body, &(struct body_integer){"ring_s", "turns[2].ring_s", 1, 600, 20}, &problems);
	must(ring_s >= 1 && ring_s <= 600);
	if (problems.count)
		must_be_problems(&problems);
}

// What was read is text without control over the terminal of whoever logs it, and each parameter is used once.
static void read_uri(struct request *request)
{
	struct problem problem = {0};
	struct str value;
	if (request_read_uri(request, &problem)) {
		must(problem.err != ERR_NONE);
		return;
	}
	must(request->query_count <= QUERY_PARAMETERS_MAX);
	must(request_parameters_done(request, &problem) == (request->query_count ? ERR_UNKNOWN_FIELD : ERR_NONE));
	must(!request_parameter(request, "\n", &value) || value.length <= request->uri.length);
	request->headers.cookie = request->uri;
	must_lie_within(request->uri, request_cookie(request, "carillon"));
	for (size_t i = 0; i < request->query_count; i++) {
		char name[256];
		if (str_to_cstring(request->query[i].name, name, sizeof name))
			must(request_parameter(request, name, &value));
		else
			request->query[i].used = true;
	}
	must(request_parameters_done(request, &problem) == ERR_NONE);
	(void)request_id(request);
}

static void read_body(struct request *request, const uint8_t *data, size_t size)
{
	static const struct str types[] = {{"application/json", 16},
					   {"application/json; charset=utf-8", 31},
					   {"application/merge-patch+json", 28},
					   {"text/plain", 10}};
	struct problem problem = {0};
	request->body = malloc(size - 1);
	must(request->body);
	request->body_size = size - 2;
	memcpy(request->body, data + 2, size - 2);
	request->headers.content_type = types[data[1] % 4];
	if (request_read_json(request, &problem)) {
		must(problem.err != ERR_NONE);
	} else {
		entity_round_trip(request, (enum entity_kind)(data[0] % ENTITY_KIND_COUNT),
				  (enum entity_change_mode)(data[1] % MODES));
		read_plain(request->json);
	}
	json_decref(request->json);
	free(request->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request = {0};
	if (size < 2)
		return 0;
	arena_init(&request.arena, REQUEST_MEMORY_MAX);
	request.method = method_parse(data[1] % 2 ? "HEAD" : data[1] % 4 ? "DELETE" : "BREW");
	must(method_name(request.method)[0] != '\0');
	if (data[0] == '/') {
		request.uri = input(data, size);
		read_uri(&request);
	} else {
		read_body(&request, data, size);
	}
	arena_free(&request.arena);
	return 0;
}
