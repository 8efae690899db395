// Listening to events: who gets which, coming back, being cut off.
#include "http/fixture.h"

#include "domain/registration.h"
#include "http/feed.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STREAM_MAX = 256 << 10, WAIT_MS = 20000 };

// The stream of one listener, its chunks put together again.
struct stream {
	int socket;
	char raw[STREAM_MAX];
	size_t raw_used, raw_read;
	char text[STREAM_MAX];
	size_t used, seen; // seen: not looked at any more
	bool head, ended;
};

static void chunks_read(struct stream *s)
{
	for (;;) {
		char *from = s->raw + s->raw_read, *line_end;
		if (!s->head) {
			line_end = strstr(from, "\r\n\r\n");
			if (!line_end)
				return;
			assert_non_null(strstr(s->raw, "text/event-stream"));
			s->raw_read += (size_t)(line_end + 4 - from);
			s->head = true;
			continue;
		}
		line_end = strstr(from, "\r\n");
		if (!line_end)
			return;
		size_t size = strtoul(from, NULL, 16), whole = (size_t)(line_end + 2 - from) + size + 2;
		if (s->raw_used - s->raw_read < whole)
			return;
		memcpy(s->text + s->used, line_end + 2, size);
		s->used += size;
		s->text[s->used] = '\0';
		s->raw_read += whole;
		s->ended |= size == 0;
	}
}

static bool stream_more(struct stream *s)
{
	struct pollfd wait = {.fd = s->socket, .events = POLLIN};
	if (s->ended || poll(&wait, 1, WAIT_MS) <= 0)
		return false;
	ssize_t more = recv(s->socket, s->raw + s->raw_used, STREAM_MAX - 1 - s->raw_used, 0);
	if (more <= 0) {
		s->ended = true;
		return false;
	}
	s->raw_used += (size_t)more;
	s->raw[s->raw_used] = '\0';
	chunks_read(s);
	return true;
}

static struct stream *listen_with(struct fixture *f, const struct caller *who, const char *query, const char *headers)
{
	struct stream *s = calloc(1, sizeof *s);
	char text[1024], credentials[256];
	snprintf(credentials, sizeof credentials, who->token[0] ? "Authorization: Bearer %s" : "Cookie: %s",
		 who->token[0] ? who->token : who->cookie);
	int length = snprintf(text, sizeof text, "GET /api/v1/events%s HTTP/1.1\r\nHost: x\r\n%s\r\n%s\r\n", query,
			      credentials, headers);
	s->socket = client_connect(&f->address);
	client_send(s->socket, text, (size_t)length);
	while (!strstr(s->text, "\n\n") && stream_more(s))
		;
	assert_non_null(strstr(s->text, "retry: 2000\nid: "));
	return s;
}

static void stream_close(struct stream *s)
{
	close(s->socket);
	free(s);
}

// Reads on until the text comes, in whatever order: what happens together is told together.
static void hears(struct stream *s, const char *text)
{
	const char *found;
	time_t until = time(NULL) + WAIT_MS / 1000;
	while (!(found = strstr(s->text + s->seen, text)) || !strstr(found, "\n\n"))
		if (!stream_more(s) || time(NULL) > until)
			fail_msg("\"%s\" did not come, but:\n%s", text, s->text + s->seen);
}

static void never_heard(const struct stream *s, const char *text)
{
	if (strstr(s->text, text))
		fail_msg("\"%s\" came:\n%s", text, s->text);
}

static void ends(struct stream *s)
{
	while (stream_more(s))
		;
	assert_true(s->ended);
}

static void last_id_of(const struct stream *s, char *into, size_t size)
{
	const char *id = s->text;
	for (const char *next; (next = strstr(id, "id: ")) && (next == s->text || next[-1] == '\n');)
		id = next + 4;
	snprintf(into, size, "Last-Event-ID: %.*s\r\n", (int)strcspn(id, "\n"), id);
}

// ---- what there is to hear

static void binding_add(void *context)
{
	struct fixture *f = context;
	struct binding binding = {.device_id = 1,
				  .expires_at_ms = 4000000000000,
				  .contact = STR("sip:330@192.0.2.1"),
				  .call_id = STR("a"),
				  .user_agent = STR("Phone/1")};
	net_address_parse(STR("192.0.2.9"), 5062, &binding.flow.remote);
	assert_true(registrations_restore(f->registrations, &binding));
	watch_device(f->watch, 1);
}

static void an_administrator_hears_of_everything(void **state)
{
	struct fixture *f = *state;
	struct stream *s = listen_with(f, &f->admin, "", "");
	create(f, "/api/v1/devices",
	       "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\",\"available_for_selection\":true}");
	hears(s, "event: entity\ndata: {\"kind\":\"device\",\"id\":\"1\",\"version\":1,\"action\":\"created\"}");
	hears(s, "event: device\ndata: {\"id\":\"1\",\"number\":\"330\",\"title\":\"Desk\",\"kind\":\"sip_phone\","
		 "\"available_for_selection\":true,\"registered\":false,\"contacts\":0,\"presence\":null,\"held\":"
		 "\"nobody\",\"holder\":"
		 "null,\"holder_count\":0}");
	on_call_thread(f, binding_add, f);
	hears(s, "\"registered\":true,\"contacts\":1,\"presence\":null,\"held\":\"nobody\",\"holder\":null,\"holder_"
		 "count\":0}");
	struct caller jane = sign_in(f, "jane", PASSWORD);
	hears(s, "event: session\ndata: {\"kind\":\"session\",\"id\":\"2\",\"version\":1,\"action\":\"created\","
		 "\"user_id\":\"2\",\"user_title\":\"jane\",\"extension\":\"510\"}");
	expect(ask(f, &jane, "PUT", "/api/v1/me/device", "{\"device_id\":\"1\"}"), 200);
	hears(s, "\"held\":\"selected\",\"holder\":{\"user_id\":\"2\",\"title\":\"jane\",\"extension\":\"510\","
		 "\"expires_at\":\"");
	s->seen = s->used;
	expect(ask(f, &jane, "DELETE", "/api/v1/session", NULL), 204);
	hears(s, "event: entity\ndata: {\"kind\":\"selection\",\"id\":\"1\",\"version\":1,\"action\":\"deleted\"");
	hears(s, "event: session\ndata: {\"kind\":\"session\",\"id\":\"2\",\"version\":1,\"action\":\"deleted\"");
	hears(s, "\"contacts\":1,\"presence\":null,\"held\":\"nobody\",\"holder\":null,\"holder_count\":0}");
	expect(ask(f, &f->admin, "DELETE", "/api/v1/devices/1", NULL), 204);
	hears(s, "{\"kind\":\"device\",\"id\":\"1\",\"version\":1,\"action\":\"deleted\"}");
	never_heard(s, "password");
	never_heard(s, "secret");
	stream_close(s);
}

static void only_the_kinds_asked_for_come(void **state)
{
	struct fixture *f = *state;
	struct stream *s = listen_with(f, &f->admin, "?kinds=call,device", "");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	hears(s, "event: device");
	never_heard(s, "event: entity");
	stream_close(s);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/events?kinds=calls", NULL), 422, "kinds", "invalid_field");
}

// ---- roles

static void a_call_is_reported(void *context)
{
	struct fixture *f = context;
	static uint64_t others[] = {3};
	static struct leg_snapshot leg = {.leg = 1,
					  .device_id = 1,
					  .device_number = {"+441444123456", sizeof "+441444123456" - 1},
					  .state = "ringing"};
	static struct turn_snapshot turn = {.device_id = 1,
					    .number = {"+441444123456", sizeof "+441444123456" - 1},
					    .stop_ms = 20000,
					    .state = "ringing"};
	struct arena *arena;
	struct report *report = watch_report(f->watch, REPORT_CALL, &arena);
	report->call = (struct call_snapshot){.call = 9,
					      .record_id = STR("01HF0000000000000000000001"),
					      .caller_number = STR("520"),
					      .dialled = STR("510"),
					      .called = STR("510"),
					      .state = "ringing",
					      .caller_user_id = 3,
					      .callee_user_id = 2,
					      .others = others,
					      .other_count = 1,
					      .legs = &leg,
					      .leg_count = 1,
					      .turns = &turn,
					      .turn_count = 1};
	watch_soon(f->watch);
}

static void an_agent_hears_of_what_is_his(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD), bob = sign_in(f, "bob", PASSWORD);
	struct stream *janes = listen_with(f, &jane, "", ""), *bobs = listen_with(f, &bob, "", "");
	struct stream *admins = listen_with(f, &f->admin, "", "");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"340\",\"available_for_selection\":true}");
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	on_call_thread(f, a_call_is_reported, f);
	expect(ask(f, &f->admin, "PATCH", "/api/v1/users/2", "{\"do_not_disturb\":true}"), 200);
	hears(janes, "event: device\ndata: {\"id\":\"2\",\"number\":\"340\"");
	hears(janes, "+441444123456");
	hears(janes, "event: entity\ndata: {\"kind\":\"user\",\"id\":\"2\"");
	hears(bobs, "event: call\ndata: {\"id\":\"9\"");
	hears(admins, "event: call\ndata: {\"id\":\"9\"");
	hears(admins, "event: entity\ndata: {\"kind\":\"user\",\"id\":\"2\"");
	// Something that Bob gets too, after all the rest.
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"2\"}"), 200);
	hears(bobs, "\"holder\":{\"user_id\":\"3\"");
	never_heard(bobs, "+441444123456");
	never_heard(bobs, "\"user_id\":\"2\"");
	never_heard(bobs, "\"kind\":\"trunk\"");
	never_heard(bobs, "\"330\"");
	hears(janes, "\"holder\":{\"user_id\":\"3\"");
	never_heard(janes, "\"kind\":\"trunk\"");
	never_heard(janes, "\"330\"");
	stream_close(janes);
	stream_close(bobs);
	stream_close(admins);
}

// ---- coming back

static void whoever_comes_back_gets_what_was_missed(void **state)
{
	struct fixture *f = *state;
	char id[128];
	struct stream *s = listen_with(f, &f->admin, "", "");
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	hears(s, "event: device");
	last_id_of(s, id, sizeof id);
	stream_close(s);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"340\"}");
	s = listen_with(f, &f->admin, "", id);
	hears(s, "\"number\":\"340\"");
	never_heard(s, "\"number\":\"330\"");
	never_heard(s, "reset");
	stream_close(s);
	static const char *const strange[] = {"Last-Event-ID: 1-1\r\n", "Last-Event-ID: x\r\n", "Last-Event-ID: -\r\n"};
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		s = listen_with(f, &f->admin, "", strange[i]);
		hears(s, "event: reset\ndata: {}");
		stream_close(s);
	}
}

static void many_changes(void *context)
{
	struct fixture *f = context;
	struct arena *arena;
	for (int i = 0; i < 3900; i++) {
		struct report *report = watch_report(f->watch, REPORT_ENTITY, &arena);
		if (report)
			report->entity = (struct entity_report){.kind = ENTITY_TRUNK, .id = 5};
	}
	watch_soon(f->watch);
}

static void what_has_left_the_ring_is_a_reset(void **state)
{
	struct fixture *f = *state;
	char id[128];
	struct stream *s = listen_with(f, &f->admin, "", "");
	last_id_of(s, id, sizeof id);
	stream_close(s);
	s = listen_with(f, &f->admin, "?kinds=device", "");
	on_call_thread(f, many_changes, f);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	hears(s, "\"number\":\"330\"");
	on_call_thread(f, many_changes, f);
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"340\"}");
	hears(s, "\"number\":\"340\"");
	stream_close(s);
	s = listen_with(f, &f->admin, "", id);
	hears(s, "event: reset");
	stream_close(s);
}

static void a_listener_who_does_not_read_is_cut_off(void **state)
{
	struct fixture *f = *state;
	int little = 4096;
	char number[128], text[64];
	struct stream *s = listen_with(f, &f->admin, "", "");
	setsockopt(s->socket, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
	struct stream *other = listen_with(f, &f->admin, "?kinds=device", "");
	time_t until = time(NULL) + 60;
	// More than the kernel takes for him; then his connection has some seconds to move on, and does not.
	for (int i = 0; feed_count(fixture_feed(f)).listeners == 2; i++) {
		assert_true(time(NULL) < until);
		if (i < 8)
			on_call_thread(f, many_changes, f);
		snprintf(number, sizeof number, "{\"kind\":\"sip_phone\",\"number\":\"%d\"}", 400 + i);
		snprintf(text, sizeof text, "\"number\":\"%d\"", 400 + i);
		create(f, "/api/v1/devices", number);
		hears(other, text); // whoever does read goes on
	}
	assert_true(feed_count(fixture_feed(f)).dropped > 0);
	stream_close(s);
	stream_close(other);
}

static void too_much_at_once_is_a_reset_for_all(void **state)
{
	struct fixture *f = *state;
	char id[128];
	struct stream *s = listen_with(f, &f->admin, "?kinds=device", "");
	last_id_of(s, id, sizeof id);
	on_call_thread(f, many_changes, f);
	on_call_thread(f, many_changes, f); // most likely in the same batch, which holds 4,000
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	while (!strstr(s->text, "\"330\"") && stream_more(s))
		;
	if (s->ended) {
		stream_close(s);
		s = listen_with(f, &f->admin, "", id);
		hears(s, "event: reset");
	}
	stream_close(s);
}

// ---- the end

static void the_stream_ends_with_the_session(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD);
	struct stream *s = listen_with(f, &jane, "", "");
	expect(ask(f, &jane, "DELETE", "/api/v1/session", NULL), 204);
	ends(s);
	never_heard(s, "event: reset");
	stream_close(s);
	jane = sign_in(f, "jane", PASSWORD);
	s = listen_with(f, &jane, "", "");
	struct stream *admins = listen_with(f, &f->admin, "", "");
	expect(ask(f, &f->admin, "DELETE", "/api/v1/sessions/3", NULL), 204);
	ends(s);
	stream_close(s);
	hears(admins, "\"id\":\"3\",\"version\":1,\"action\":\"deleted\"");
	stream_close(admins);
}

static void the_stream_ends_with_the_token_and_with_the_role(void **state)
{
	struct fixture *f = *state;
	struct caller token = {.cookie = ""};
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"t\",\"role\":\"auditor\"}");
	snprintf(token.token, sizeof token.token, "%s", text_of(&reply, "secret"));
	expect(reply, 201);
	struct stream *s = listen_with(f, &token, "", "");
	expect(ask(f, &f->admin, "DELETE", "/api/v1/tokens/1", NULL), 204);
	ends(s);
	stream_close(s);
	struct caller otto = sign_in(f, "otto", PASSWORD);
	s = listen_with(f, &otto, "", "");
	expect(ask(f, &f->admin, "DELETE", "/api/v1/sessions/2", NULL), 204);
	ends(s);
	stream_close(s);
}

static int64_t clock_ms;

static int64_t clock_now(void)
{
	return __atomic_load_n(&clock_ms, __ATOMIC_SEQ_CST);
}

static int setup_with_clock(void **state)
{
	fixture_settings.now_ms = clock_now;
	__atomic_store_n(&clock_ms, 1700000000000, __ATOMIC_SEQ_CST);
	return fixture_setup(state);
}

static void the_stream_ends_when_the_session_expires(void **state)
{
	struct fixture *f = *state;
	struct stream *s = listen_with(f, &f->admin, "", "");
	__atomic_store_n(&clock_ms, 1700000000000 + 43201 * 1000, __ATOMIC_SEQ_CST);
	ends(s);
	stream_close(s);
}

static void a_server_that_ends_ends_the_streams(void **state)
{
	struct fixture *f = *state;
	struct stream *s[20];
	for (size_t i = 0; i < 20; i++)
		s[i] = listen_with(f, &f->admin, "", "");
	fixture_server_end(f);
	for (size_t i = 0; i < 20; i++) {
		ends(s[i]);
		stream_close(s[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(an_administrator_hears_of_everything),
	    SERVED(only_the_kinds_asked_for_come),
	    SERVED(an_agent_hears_of_what_is_his),
	    SERVED(whoever_comes_back_gets_what_was_missed),
	    SERVED(what_has_left_the_ring_is_a_reset),
	    SERVED(a_listener_who_does_not_read_is_cut_off),
	    SERVED(too_much_at_once_is_a_reset_for_all),
	    SERVED(the_stream_ends_with_the_session),
	    SERVED(the_stream_ends_with_the_token_and_with_the_role),
	    cmocka_unit_test_setup_teardown(the_stream_ends_when_the_session_expires, setup_with_clock,
					    fixture_teardown),
	    SERVED(a_server_that_ends_ends_the_streams),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
