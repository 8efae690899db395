// Whole requests answered on the test's own thread, with each allocation failing in turn: the answer is the right one or
// a 503, and everything works as before afterwards.
#include "http/answer.h"
#include "http/fixture.h"
#include "http/identity.h"
#include "http/router.h"
#include "lib/failing_allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char token[64];

static int scene_setup(void **state)
{
	json_set_alloc_funcs(malloc, free); // ours: what jansson takes can fail, too
	fixture_setup(state);
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"t\",\"role\":\"admin\"}");
	snprintf(token, sizeof token, "%s", text_of(&reply, "secret"));
	reply_free(&reply);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	return 0;
}

// Gives the status. What the arena takes for the request itself is not part of the experiment.
static unsigned answered(struct fixture *f, enum method method, const char *uri, const char *body, unsigned fail)
{
	struct request *request = calloc(1, sizeof *request);
	char authorization[128];
	*request = (struct request){.server = f->server, .method = method, .uri = str_of(uri)};
	arena_init(&request->arena, REQUEST_MEMORY_MAX);
	snprintf(authorization, sizeof authorization, "Bearer %s", token);
	request->headers.authorization = str_of(authorization);
	request->headers.content_type = STR("application/json");
	request->body = body ? strdup(body) : NULL;
	request->body_size = body ? strlen(body) : 0;
	if (fail)
		failing_allocator_arm(fail);
	request_answer(request);
	bool failed = fail && failing_allocator_disarm();
	unsigned status = request->answer.status;
	if (status == 503) { // said in full, whatever memory there was
		json_t *document = json_loadb(request->answer.body.at, request->answer.body.length, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(document, "code")), "no_memory");
		json_decref(document);
	}
	answer_free(&request->answer);
	free(request->body);
	arena_free(&request->arena);
	free(request);
	return failed || !fail ? status : status | 1u << 31;
}

static void survives(struct fixture *f, enum method method, const char *uri, const char *body, unsigned expected)
{
	unsigned n = 1, refused = 0, status;
	for (; n < 5000; n++) {
		status = answered(f, method, uri, body, n);
		if (status & 1u << 31)
			break;
		refused += status == 503;
		// A creation that was committed before the memory ran out is found to be there the next time. And jansson
		// says "invalid token" of what it could not keep.
		if (status != 503 && status != expected && status != 409 && !(body && status == 400))
			fail_msg("%s with allocation %u failing gave %u", uri, n, status);
	}
	assert_true(n < 5000 && n > 3 && refused > 0);
	status &= ~(1u << 31);
	if (status != expected && status != 409)
		fail_msg("%s with all memory gave %u", uri, status);
}

static void memory_that_runs_out_gives_503_and_harms_nothing(void **state)
{
	struct fixture *f = *state;
	answered(f, METHOD_GET, "/api/v1/users", NULL, 0); // a thread's first hash makes what all later ones use
	survives(f, METHOD_GET, "/api/v1/users?q=jane&sort=-name", NULL, 200);
	survives(f, METHOD_GET, "/api/v1/users/2", NULL, 200);
	survives(f, METHOD_GET, "/api/v1/users/99", NULL, 404);
	survives(f, METHOD_GET, "/api/v1/calls", NULL, 200);
	survives(f, METHOD_GET, "/api/v1/registrations", NULL, 200);
	survives(f, METHOD_GET, "/api/v1/users/2/ring-plan/preview", NULL, 200);
	survives(f, METHOD_GET, "/metrics", NULL, 200);
	survives(f, METHOD_PATCH, "/api/v1/users/2", "{\"title\":\"Jane\",\"call_limit\":3}", 200);
	survives(f, METHOD_PATCH, "/api/v1/users/2", "{\"extension\":\"x\",\"shoe_size\":43,\"role\":1}", 422);
	survives(f, METHOD_POST, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}", 201);
	survives(f, METHOD_POST, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"331\"}", 201);
	survives(f, METHOD_PUT, "/api/v1/users/2/ring-plan",
		 "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\",\"ring_s\":7}]}", 200);
	survives(f, METHOD_POST, "/api/v1/session", "{\"name\":1,\"age\":2}", 422);
	expect(ask(f, &f->admin, "GET", "/api/v1/users", NULL), 200);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users/2", NULL);
	assert_string_equal(text_of(&reply, "title"), "Jane");
	assert_int_equal(json_array_size(json_object_get(reply.json, "turns")), 1);
	expect(reply, 200);
}

static void times_are_read_strictly(void **state)
{
	(void)state;
	int64_t time_ms = 0;
	assert_true(time_parse(STR("2023-11-14T22:13:20.123Z"), &time_ms));
	assert_int_equal(time_ms, 1700000000123);
	assert_true(time_parse(STR("2023-11-14"), &time_ms));
	assert_int_equal(time_ms, 1699920000000);
	static const char *const wrong[] = {
	    "",           "2023",       "2023-11-14T22:13:20",      "2023-11-14 22:13:20Z",     "2023-11-14T24:13:20Z",
	    "2023-00-14", "2023-1a-14", "2023-11-14T22:13:20.12aZ", "2023-11-14T22:13:20+01:00"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(time_parse(str_of(wrong[i]), &time_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(memory_that_runs_out_gives_503_and_harms_nothing, scene_setup,
					    fixture_teardown),
	    cmocka_unit_test(times_are_read_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
