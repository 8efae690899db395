// Signing in and out, passwords, tokens.
#include "http/fixture.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct reply try_sign_in(struct fixture *f, const char *name, const char *password)
{
	char body[256];
	snprintf(body, sizeof body, "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
	return ask(f, NULL, "POST", "/api/v1/session", body);
}

static void signing_in_gives_a_strict_cookie_and_a_csrf_token(void **state)
{
	struct fixture *f = *state;
	char cookie[256];
	struct reply reply = try_sign_in(f, "jane", PASSWORD);
	assert_int_equal(reply.status, 201);
	reply_header(&reply, "Set-Cookie", cookie, sizeof cookie);
	assert_non_null(strstr(cookie, "; HttpOnly"));
	assert_non_null(strstr(cookie, "; SameSite=Strict"));
	assert_non_null(strstr(cookie, "; Path=/"));
	assert_null(strstr(cookie, "Secure")); // this is plain HTTP
	assert_int_equal(strlen(text_of(&reply, "csrf_token")), 43);
	assert_string_equal(text_of(&reply, "role"), "agent");
	assert_null(strstr(reply.body, "hash"));
	reply_free(&reply);
	reply = ask_with(f, NULL, "POST /api/v1/session", "X-Forwarded-Proto: https\r\n",
			 "{\"name\":\"jane\",\"password\":\"" PASSWORD "\"}");
	assert_non_null(strstr(reply_header(&reply, "Set-Cookie", cookie, sizeof cookie), "; Secure"));
	reply_free(&reply);
}

static void unknown_name_and_wrong_password_look_alike(void **state)
{
	struct fixture *f = *state;
	struct reply wrong = try_sign_in(f, "jane", "wrong horse 11"),
		     unknown = try_sign_in(f, "nobody", "wrong horse 11");
	assert_int_equal(wrong.status, 401);
	assert_int_equal(unknown.status, 401);
	assert_string_equal(wrong.body, unknown.body);
	reply_free(&wrong);
	reply_free(&unknown);
}

static int64_t time_of(struct fixture *f, const char *name)
{
	int64_t best_us = INT64_MAX;
	for (int i = 0; i < 3; i++) {
		struct timespec before, after;
		clock_gettime(CLOCK_MONOTONIC, &before);
		struct reply reply = try_sign_in(f, name, "wrong horse 11");
		clock_gettime(CLOCK_MONOTONIC, &after);
		assert_int_equal(reply.status, 401);
		reply_free(&reply);
		int64_t us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
		best_us = us < best_us ? us : best_us;
	}
	return best_us;
}

static void unknown_name_and_wrong_password_take_as_long(void **state)
{
	struct fixture *f = *state;
	int64_t wrong_us = time_of(f, "jane"), unknown_us = time_of(f, "nobody");

	// A machine that is busy elsewhere may stretch one of the two; without its hash an unknown name takes a hundredth.
	assert_true(unknown_us * 5 > wrong_us && wrong_us * 5 > unknown_us);
}

struct guesser {
	struct fixture *f;
	char name[16];
	int status;
};

static void *guess(void *context)
{
	struct guesser *guesser = context;
	struct reply reply = try_sign_in(guesser->f, guesser->name, "wrong horse 11");
	guesser->status = reply.status;
	reply_free(&reply);
	return NULL;
}

static void a_flood_of_sign_ins_leaves_room_for_others(void **state)
{
	enum { GUESSERS = 16 };
	struct fixture *f = *state;
	struct guesser guessers[GUESSERS];
	pthread_t threads[GUESSERS];
	for (int i = 0; i < GUESSERS; i++) {
		guessers[i].f = f;
		snprintf(guessers[i].name, sizeof guessers[i].name, "guess%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL, guess, &guessers[i]), 0);
	}
	for (int i = 0; i < 20; i++)
		expect(ask(f, &f->admin, "GET", "/api/v1/users", NULL), 200);
	for (int i = 0; i < GUESSERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(guessers[i].status, 401); // each had to wait for its turn, and had it
	}
}

static void sign_in_says_what_is_wrong_with_the_body(void **state)
{
	struct fixture *f = *state;
	expect_field(ask(f, NULL, "POST", "/api/v1/session", "{}"), 422, "name", "missing_field");
	expect_field(ask(f, NULL, "POST", "/api/v1/session", "{}"), 422, "password", "missing_field");
	expect_field(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":1,\"password\":\"x\"}"), 422, "name",
		     "invalid_field");
	expect_field(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"a\",\"password\":\"x\",\"admin\":true}"), 422,
		     "admin", "unknown_field");
}

static atomic_llong clock_ms;

static int64_t test_clock(void)
{
	return atomic_load(&clock_ms);
}

static int setup_with_clock(void **state)
{
	atomic_store(&clock_ms, 1700000000000);
	fixture_settings.now_ms = test_clock;
	return fixture_setup(state);
}

static void guessing_gets_slower(void **state)
{
	struct fixture *f = *state;
	char retry[16];
	for (int i = 0; i < 4; i++)
		expect(try_sign_in(f, "jane", "wrong horse 11"), 401);
	struct reply reply = try_sign_in(f, "jane", PASSWORD);
	assert_int_equal(reply.status, 429);
	assert_string_equal(reply_header(&reply, "Retry-After", retry, sizeof retry), "1");
	reply_free(&reply);
	expect(try_sign_in(f, "bob", PASSWORD), 201); // others do not notice
	atomic_fetch_add(&clock_ms, 1000);
	expect(try_sign_in(f, "jane", "wrong horse 11"), 401);
	reply = try_sign_in(f, "jane", PASSWORD);
	assert_string_equal(reply_header(&reply, "Retry-After", retry, sizeof retry), "2");
	reply_free(&reply);
	atomic_fetch_add(&clock_ms, 2000);
	expect(try_sign_in(f, "jane", PASSWORD), 201);
	expect(try_sign_in(f, "jane", PASSWORD), 201); // forgiven
}

static void a_session_ends_by_itself(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"session_life_s\":300,\"session_idle_s\":200}"), 200);
	struct caller jane = sign_in(f, "jane", PASSWORD);
	atomic_fetch_add(&clock_ms, 199999);
	expect(ask(f, &jane, "GET", "/api/v1/session", NULL), 200);
	atomic_fetch_add(&clock_ms, 100000);
	expect(ask(f, &jane, "GET", "/api/v1/session", NULL), 200);
	atomic_fetch_add(&clock_ms, 1);
	expect(ask(f, &jane, "GET", "/api/v1/session", NULL), 401);
	// And before that, when nobody uses it.
	jane = sign_in(f, "jane", PASSWORD);
	atomic_fetch_add(&clock_ms, 200000);
	expect(ask(f, &jane, "GET", "/api/v1/session", NULL), 401);
}

static void signing_out_ends_the_session_and_frees_the_device(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD), bob = sign_in(f, "bob", PASSWORD);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 409);
	expect(ask(f, &jane, "DELETE", "/api/v1/session", NULL), 204);
	expect(ask(f, &jane, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
}

// However one of the sessions ends, the device stays with who works on in another; the last one takes it along.
static void signing_out_keeps_the_device_of_who_works_on_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct caller here = sign_in(f, "jane", PASSWORD), there = sign_in(f, "jane", PASSWORD);
	struct caller home = sign_in(f, "jane", PASSWORD), bob = sign_in(f, "bob", PASSWORD);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	expect(ask(f, &here, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	expect(ask(f, &there, "DELETE", "/api/v1/session", NULL), 204);
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 409);
	expect(ask(f, &f->admin, "DELETE", "/api/v1/sessions/4", NULL), 204); // by the administrator, at home
	expect(ask(f, &home, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 409);
	expect(ask(f, &here, "DELETE", "/api/v1/me/sessions/2", NULL), 204); // the last one
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
}

static void one_signs_in_ten_times_at_most(void **state)
{
	struct fixture *f = *state;
	struct caller first = sign_in(f, "jane", PASSWORD);
	for (int i = 0; i < 9; i++)
		sign_in(f, "jane", PASSWORD);
	expect(ask(f, &first, "GET", "/api/v1/me", NULL), 200);
	struct caller last = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &first, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &last, "GET", "/api/v1/me", NULL), 200);
}

static void a_password_from_the_administrator_must_be_changed(void **state)
{
	struct fixture *f = *state;
	char path[64];
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/users",
				 "{\"name\":\"new\",\"title\":\"New\",\"extension\":\"600\",\"role\":\"admin\"}");
	assert_int_equal(reply.status, 201);
	struct caller new = sign_in(f, "new", text_of(&reply, "password"));
	snprintf(path, sizeof path, "/api/v1/users/%s", text_of(&reply, "id"));
	char old[64], body[256];
	snprintf(old, sizeof old, "%s", text_of(&reply, "password"));
	reply_free(&reply);
	reply = ask(f, &new, "GET", "/api/v1/users", NULL);
	assert_string_equal(text_of(&reply, "code"), "password_change_due");
	expect(reply, 403);
	expect(ask(f, &new, "GET", "/api/v1/me", NULL), 200);
	snprintf(body, sizeof body, "{\"password\":\"%s\",\"new_password\":\"short\"}", old);
	expect_field(ask(f, &new, "PUT", "/api/v1/me/password", body), 422, "new_password", "invalid_field");
	snprintf(body, sizeof body, "{\"password\":\"%s\",\"new_password\":\"%s\"}", old, old);
	expect_field(ask(f, &new, "PUT", "/api/v1/me/password", body), 422, "new_password", "invalid_field");
	expect_field(ask(f, &new, "PUT", "/api/v1/me/password",
			 "{\"password\":\"not this one\",\"new_password\":\"a better horse\"}"),
		     422, "password", "invalid_field");
	snprintf(body, sizeof body, "{\"password\":\"%s\",\"new_password\":\"a better horse\"}", old);
	expect(ask(f, &new, "PUT", "/api/v1/me/password", body), 204);
	expect(ask(f, &new, "GET", "/api/v1/users", NULL), 200);
	expect(try_sign_in(f, "new", old), 401);
	expect(try_sign_in(f, "new", "a better horse"), 201);
}

static void a_new_password_ends_the_other_sessions(void **state)
{
	struct fixture *f = *state;
	struct caller here = sign_in(f, "jane", PASSWORD), there = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &here, "PUT", "/api/v1/me/password",
		   "{\"password\":\"" PASSWORD "\",\"new_password\":\"a better horse\"}"),
	       204);
	expect(ask(f, &here, "GET", "/api/v1/me", NULL), 200);
	expect(ask(f, &there, "GET", "/api/v1/me", NULL), 401);
	char path[64];
	snprintf(path, sizeof path, "/api/v1/users/%d", (int)f->jane_id);
	expect(ask(f, &f->admin, "PATCH", path, "{\"password\":\"from the admin\"}"), 200);
	expect(ask(f, &here, "GET", "/api/v1/me", NULL), 401);
}

static void writes_need_the_csrf_token(void **state)
{
	struct fixture *f = *state;
	struct caller forged = f->admin;
	strcpy(forged.csrf, "");
	struct reply reply = ask(f, &forged, "POST", "/api/v1/trunks", "{\"title\":\"t\",\"host\":\"192.0.2.1\"}");
	assert_string_equal(text_of(&reply, "code"), "no_csrf_token");
	expect(reply, 403);
	forged.csrf[0] = f->admin.csrf[0] == 'a' ? 'b' : 'a';
	strcpy(forged.csrf + 1, f->admin.csrf + 1);
	expect(ask(f, &forged, "POST", "/api/v1/trunks", "{\"title\":\"t\",\"host\":\"192.0.2.1\"}"), 403);
	expect(ask(f, &forged, "DELETE", "/api/v1/session", NULL), 403);
	expect(ask(f, &forged, "GET", "/api/v1/trunks", NULL), 200); // reading needs none
	expect(ask(f, &f->admin, "POST", "/api/v1/trunks", "{\"title\":\"t\",\"host\":\"192.0.2.1\"}"), 201);
}

static struct caller token_make(struct fixture *f, const char *role)
{
	struct caller caller = {.cookie = ""};
	char body[128];
	snprintf(body, sizeof body, "{\"title\":\"for a test\",\"role\":\"%s\"}", role);
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", body);
	assert_int_equal(reply.status, 201);
	snprintf(caller.token, sizeof caller.token, "%s", text_of(&reply, "secret"));
	assert_int_equal(strlen(caller.token), 43);
	reply_free(&reply);
	return caller;
}

static void a_token_works_without_csrf_until_it_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct caller token = token_make(f, "admin");
	expect(ask(f, &token, "POST", "/api/v1/trunks", "{\"title\":\"t\",\"host\":\"192.0.2.1\"}"), 201);
	struct reply reply = ask(f, &token, "GET", "/api/v1/tokens", NULL);
	assert_null(strstr(reply.body, "secret"));
	expect(reply, 200);
	expect(ask(f, &token, "DELETE", "/api/v1/tokens/1", NULL), 204);
	expect(ask(f, &token, "GET", "/api/v1/trunks", NULL), 401);
}

static void a_token_is_allowed_what_its_role_says(void **state)
{
	struct fixture *f = *state;
	struct caller auditor = token_make(f, "auditor"), agent = token_make(f, "agent");
	expect(ask(f, &auditor, "GET", "/api/v1/trunks", NULL), 200);
	expect(ask(f, &auditor, "POST", "/api/v1/trunks", "{\"title\":\"t\",\"host\":\"192.0.2.1\"}"), 403);
	expect(ask(f, &agent, "GET", "/api/v1/trunks", NULL), 403);
	expect(ask(f, &agent, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 403); // nobody has signed in
}

static void a_wrong_token_is_nobody_even_with_a_good_cookie(void **state)
{
	struct fixture *f = *state;
	char headers[512];
	snprintf(headers, sizeof headers, "Cookie: %s\r\nAuthorization: Bearer nonsense\r\n", f->admin.cookie);
	expect(ask_with(f, NULL, "GET /api/v1/users", headers, NULL), 401);
	snprintf(headers, sizeof headers, "Cookie: a=b; %s; c=d\r\n", f->admin.cookie);
	expect(ask_with(f, NULL, "GET /api/v1/users", headers, NULL), 200);
}

static void an_administrator_ends_sessions(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	char path[128];
	snprintf(path, sizeof path, "/api/v1/sessions?user_id=%d", (int)f->jane_id);
	struct reply reply = ask(f, &f->admin, "GET", path, NULL);
	json_t *session = json_array_get(json_object_get(reply.json, "items"), 0);
	assert_non_null(session);
	assert_null(json_object_get(session, "csrf"));
	snprintf(path, sizeof path, "/api/v1/sessions/%s", json_string_value(json_object_get(session, "id")));
	reply_free(&reply);
	expect(ask(f, &jane, "DELETE", path, NULL), 403);
	expect(ask(f, &f->admin, "DELETE", path, NULL), 204);
	expect(ask(f, &jane, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &f->admin, "DELETE", path, NULL), 404);
}

// ---- the site's policies

static void a_second_sign_in_is_treated_as_the_site_wants(void **state)
{
	struct fixture *f = *state;
	struct caller first = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"multi_login\":\"refuse\"}"), 200);
	struct reply reply = try_sign_in(f, "jane", PASSWORD);
	assert_string_equal(text_of(&reply, "code"), "signed_in_elsewhere");
	expect(reply, 409);
	expect(try_sign_in(f, "jane", "wrong horse 11"), 401); // only the right password learns of it
	expect(ask(f, &first, "GET", "/api/v1/me", NULL), 200);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"multi_login\":\"take_over\"}"), 200);
	struct caller second = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &first, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &second, "GET", "/api/v1/me", NULL), 200);
	expect_field(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"session_life_s\":5}"), 422, "session_life_s",
		     "invalid_field");
	expect(ask(f, &second, "PATCH", "/api/v1/settings", "{\"multi_login\":\"allow\"}"), 403);
}

// Whoever plants a cookie in a browser before its owner signs in has nothing of the session then.
static void a_sign_in_gives_a_new_session_and_ends_the_old_one(void **state)
{
	struct fixture *f = *state;
	struct caller old = sign_in(f, "jane", PASSWORD);
	char headers[256], cookie[256];
	snprintf(headers, sizeof headers, "Cookie: %s\r\n", old.cookie);
	struct reply reply =
	    ask_with(f, NULL, "POST /api/v1/session", headers, "{\"name\":\"bob\",\"password\":\"" PASSWORD "\"}");
	reply_header(&reply, "Set-Cookie", cookie, sizeof cookie);
	assert_true(strncmp(cookie, old.cookie, strlen(old.cookie)) != 0);
	expect(reply, 201);
	expect(ask(f, &old, "GET", "/api/v1/me", NULL), 401);
	reply = ask_with(f, NULL, "POST /api/v1/session", "Cookie: carillon_session=planted\r\n",
			 "{\"name\":\"bob\",\"password\":\"" PASSWORD "\"}");
	reply_header(&reply, "Set-Cookie", cookie, sizeof cookie);
	assert_null(strstr(cookie, "planted"));
	expect(reply, 201);
}

static void ones_own_sessions_are_listed_and_ended(void **state)
{
	struct fixture *f = *state;
	struct caller here = sign_in(f, "jane", PASSWORD), there = sign_in(f, "jane", PASSWORD);
	struct caller bob = sign_in(f, "bob", PASSWORD);
	struct reply reply = ask(f, &here, "GET", "/api/v1/me/sessions", NULL);
	const json_t *items = json_object_get(reply.json, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_true(json_is_true(json_object_get(json_array_get(items, 0), "current")));
	assert_true(json_is_false(json_object_get(json_array_get(items, 1), "current")));
	assert_null(json_object_get(json_array_get(items, 0), "csrf"));
	expect(reply, 200);
	expect(ask(f, &bob, "DELETE", "/api/v1/me/sessions/3", NULL), 404); // not his
	expect(ask(f, &there, "GET", "/api/v1/me", NULL), 200);
	expect(ask(f, &here, "DELETE", "/api/v1/me/sessions/3", NULL), 204);
	expect(ask(f, &there, "GET", "/api/v1/me", NULL), 401);
	there = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &here, "DELETE", "/api/v1/me/sessions", NULL), 204);
	expect(ask(f, &here, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &there, "GET", "/api/v1/me", NULL), 401);
	expect(ask(f, &bob, "GET", "/api/v1/me", NULL), 200);
}

static size_t sessions_of_mine(struct fixture *f, const struct caller *who)
{
	struct reply reply = ask(f, who, "GET", "/api/v1/me/sessions", NULL);
	size_t count = json_array_size(json_object_get(reply.json, "items"));
	expect(reply, 200);
	return count;
}

static void a_session_left_alone_takes_no_device_from_one_in_use(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings", "{\"session_idle_s\":200}"), 200);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"available_for_selection\":true}");
	sign_in(f, "jane", PASSWORD);
	struct caller used = sign_in(f, "jane", PASSWORD);
	expect(ask(f, &used, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	atomic_fetch_add(&clock_ms, 150000);
	assert_int_equal(sessions_of_mine(f, &used), 2);
	atomic_fetch_add(&clock_ms, 100000);
	for (int tries = 0; sessions_of_mine(f, &used) == 2 && tries < 600; tries++)
		poll(NULL, 0, 100);
	assert_int_equal(sessions_of_mine(f, &used), 1);
	expect(ask(f, &used, "DELETE", "/api/v1/me/device", NULL), 204); // it was still there
}

// ---- tokens

static struct caller token_with(struct fixture *f, const char *body)
{
	struct caller token = {.cookie = ""};
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", body);
	snprintf(token.token, sizeof token.token, "%s", text_of(&reply, "secret"));
	expect(reply, 201);
	return token;
}

static void a_token_may_do_what_its_scopes_say(void **state)
{
	struct fixture *f = *state;
	struct caller reads = token_with(f, "{\"title\":\"r\",\"role\":\"admin\",\"scopes\":\"read\"}");
	struct caller ends = token_with(f, "{\"title\":\"c\",\"role\":\"admin\",\"scopes\":\"calls\"}");
	struct caller writes = token_with(f, "{\"title\":\"w\",\"role\":\"admin\",\"scopes\":\"read write\"}");
	const char *device = "{\"kind\":\"sip_phone\",\"number\":\"330\"}";
	expect(ask(f, &reads, "GET", "/api/v1/users", NULL), 200);
	expect(ask(f, &reads, "POST", "/api/v1/devices", device), 403);
	expect(ask(f, &reads, "DELETE", "/api/v1/calls/7", NULL), 403);
	expect(ask(f, &writes, "DELETE", "/api/v1/calls/7", NULL), 403);
	expect(ask(f, &writes, "POST", "/api/v1/devices", device), 201);
	expect(ask(f, &ends, "GET", "/api/v1/users", NULL), 403);
	expect(ask(f, &ends, "DELETE", "/api/v1/calls/7", NULL), 204);
	expect_field(ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"t\",\"scopes\":\"all\"}"), 422, "scopes",
		     "invalid_field");
}

static void a_token_ends(void **state)
{
	struct fixture *f = *state;
	expect_field(
	    ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"t\",\"expires_at\":\"2023-11-14T22:13:20Z\"}"),
	    422, "expires_at", "invalid_field");
	struct caller token = token_with(f, "{\"title\":\"t\",\"expires_at\":\"2023-11-14T22:13:21Z\"}");
	expect(ask(f, &token, "GET", "/api/v1/me", NULL), 200);
	atomic_fetch_add(&clock_ms, 1000);
	expect(ask(f, &token, "GET", "/api/v1/me", NULL), 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define TIMED(test)  cmocka_unit_test_setup_teardown(test, setup_with_clock, fixture_teardown)
	    SERVED(signing_in_gives_a_strict_cookie_and_a_csrf_token),
	    SERVED(unknown_name_and_wrong_password_look_alike),
	    SERVED(unknown_name_and_wrong_password_take_as_long),
	    SERVED(a_flood_of_sign_ins_leaves_room_for_others),
	    SERVED(sign_in_says_what_is_wrong_with_the_body),
	    TIMED(guessing_gets_slower),
	    TIMED(a_session_ends_by_itself),
	    SERVED(signing_out_ends_the_session_and_frees_the_device),
	    SERVED(signing_out_keeps_the_device_of_who_works_on_elsewhere),
	    SERVED(one_signs_in_ten_times_at_most),
	    SERVED(a_password_from_the_administrator_must_be_changed),
	    SERVED(a_new_password_ends_the_other_sessions),
	    SERVED(writes_need_the_csrf_token),
	    SERVED(a_token_works_without_csrf_until_it_is_deleted),
	    SERVED(a_token_is_allowed_what_its_role_says),
	    SERVED(a_wrong_token_is_nobody_even_with_a_good_cookie),
	    SERVED(an_administrator_ends_sessions),
	    SERVED(a_second_sign_in_is_treated_as_the_site_wants),
	    SERVED(a_sign_in_gives_a_new_session_and_ends_the_old_one),
	    SERVED(ones_own_sessions_are_listed_and_ended),
	    cmocka_unit_test_setup_teardown(a_session_left_alone_takes_no_device_from_one_in_use, setup_with_clock,
					    fixture_teardown),
	    SERVED(a_token_may_do_what_its_scopes_say),
	    cmocka_unit_test_setup_teardown(a_token_ends, setup_with_clock, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
