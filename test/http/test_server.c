// HTTP itself: what is received, what is refused, and how long anybody may take.
#include "http/fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum afterwards { KEEP_OPEN, HALF_CLOSE };

// Sends the bytes as they are and gives the status of the first answer.
static int status_of(struct fixture *f, const char *bytes, size_t size, enum afterwards afterwards)
{
	struct reply reply;
	int socket = client_connect(&f->address);
	assert_true(socket >= 0);
	client_send(socket, bytes, size);
	if (afterwards == HALF_CLOSE)
		shutdown(socket, SHUT_WR);
	client_receive(socket, &reply);
	close(socket);
	int status = reply.status;
	reply_free(&reply);
	return status;
}

static int status_of_text(struct fixture *f, const char *text)
{
	return status_of(f, text, strlen(text), KEEP_OPEN);
}

static void health_and_readiness_are_told_apart(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
	expect(ask(f, NULL, "GET", "/readyz", NULL), 200);
	fake_records_fail(f->records, ERR_STORE_UNAVAILABLE);
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
	expect(ask(f, NULL, "GET", "/readyz", NULL), 503);
	fake_records_fail(f->records, ERR_NONE);
	expect(ask(f, NULL, "GET", "/readyz", NULL), 200);
}

static void metrics_count_requests(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, NULL, "GET", "/metrics", NULL);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "carillon_http_requests_total{status=\"2xx\"} "));
	reply_free(&reply);
}

static void every_answer_has_the_security_headers(void **state)
{
	struct fixture *f = *state;
	static const char *const wanted[][2] = {
	    {"X-Content-Type-Options", "nosniff"},
	    {"X-Frame-Options", "DENY"},
	    {"Cache-Control", "no-store"},
	    {"Referrer-Policy", "no-referrer"},
	    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	};
	static const char *const paths[] = {"/healthz", "/api/v1/users", "/nothing"};
	for (size_t p = 0; p < 3; p++) {
		struct reply reply = ask(f, NULL, "GET", paths[p], NULL);
		char value[128];
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			assert_string_equal(reply_header(&reply, wanted[i][0], value, sizeof value), wanted[i][1]);
		reply_free(&reply);
	}
}

static void unknown_paths_and_methods_are_said_to_be_so(void **state)
{
	struct fixture *f = *state;
	char allow[64];
	expect(ask(f, NULL, "GET", "/", NULL), 404);
	expect(ask(f, NULL, "GET", "/api/v1/users/", NULL), 404);
	expect(ask(f, NULL, "GET", "/api/v1/users/1/2", NULL), 404);
	expect(ask(f, NULL, "GET", "//api/v1/users", NULL), 404);
	struct reply reply = ask(f, NULL, "PUT", "/api/v1/users", "{}");
	assert_int_equal(reply.status, 405);
	assert_string_equal(reply_header(&reply, "Allow", allow, sizeof allow), "GET, POST");
	reply_free(&reply);
	expect(ask(f, NULL, "BREW", "/api/v1/users", NULL), 405);
}

static void garbage_is_refused_and_the_server_lives(void **state)
{
	struct fixture *f = *state;
	static const char *const garbage[] = {
	    "GET\r\n\r\n",
	    "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
	    "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "GET /%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "GET /healthz?a=1&a=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
	    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
	    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		int status = status_of_text(f, garbage[i]);
		if (status != 0 && status != 400 && status != 505)
			fail_msg("%s gave %d", garbage[i], status);
	}
	char noise[4096];
	for (unsigned seed = 1; seed <= 40; seed++) {
		unsigned value = seed;
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (char)((value = value * 1103515245 + 12345) >> 16);
		status_of(f, noise, sizeof noise, HALF_CLOSE);
	}
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
}

static void a_body_of_more_than_a_megabyte_is_refused(void **state)
{
	struct fixture *f = *state;
	enum { SIZE = (1 << 20) + 1 };
	char *body = malloc(SIZE + 200);
	int head = snprintf(body, 200,
			    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
			    "Content-Length: %d\r\n\r\n",
			    SIZE);
	memset(body + head, ' ', SIZE);
	assert_int_equal(status_of(f, body, (size_t)head, KEEP_OPEN), 413); // its length alone says so
	// One byte less is read, and is no JSON.
	head = snprintf(body, 200,
			"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
			"Content-Length: %d\r\n\r\n",
			SIZE - 1);
	memset(body + head, ' ', SIZE);
	assert_int_equal(status_of(f, body, (size_t)head + SIZE - 1, KEEP_OPEN), 400);
	// In chunks no length is known before.
	head = snprintf(body, 200,
			"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", SIZE);
	memset(body + head, ' ', SIZE);
	memcpy(body + head + SIZE, "\r\n0\r\n\r\n", 7);
	assert_int_equal(status_of(f, body, (size_t)head + SIZE + 7, KEEP_OPEN), 413);
	free(body);
}

static void a_head_of_more_than_its_room_is_refused(void **state)
{
	struct fixture *f = *state;
	enum { SIZE = 100000 };
	char *text = malloc(SIZE);
	int head = snprintf(text, SIZE, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ");
	memset(text + head, 'a', SIZE - (size_t)head);
	memcpy(text + SIZE - 4, "\r\n\r\n", 4);
	int status = status_of(f, text, SIZE, KEEP_OPEN);
	assert_true(status == 431 || status == 0);
	memset(text, 'a', SIZE);
	memcpy(text, "GET /", 5);
	status = status_of(f, text, SIZE, KEEP_OPEN);
	assert_true(status == 414 || status == 0);
	free(text);
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
}

static void half_requests_do_not_stop_others(void **state)
{
	struct fixture *f = *state;
	enum { HALVES = 100 };
	int sockets[HALVES];
	for (int i = 0; i < HALVES; i++) {
		const char *half =
		    i % 2 ? "GET /healthz HT"
			  : "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{\"na";
		sockets[i] = client_connect(&f->address);
		assert_true(client_send(sockets[i], half, strlen(half)));
	}
	expect(ask(f, NULL, "GET", "/readyz", NULL), 200);
	for (int i = 0; i < HALVES; i++)
		close(sockets[i]);
	expect(ask(f, NULL, "GET", "/readyz", NULL), 200);
}

// A byte now and then keeps a connection from being idle, but not for ever.
static void who_sends_too_slowly_is_cut_off(void **state)
{
	struct fixture *f = *state;
	const char *request =
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	int socket = client_connect(&f->address);
	struct pollfd wait = {.fd = socket, .events = POLLIN};
	size_t sent = 0;
	while (sent < strlen(request) && poll(&wait, 1, 100) == 0)
		client_send(socket, request + sent++, 1);
	assert_true(sent > 5 && sent < strlen(request)); // it was closed on the way
	close(socket);
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
}

static int setup_impatient(void **state)
{
	fixture_settings.receive_s = 1;
	return fixture_setup(state);
}

static void one_connection_carries_many_requests(void **state)
{
	struct fixture *f = *state;
	const char *request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	int socket = client_connect(&f->address);
	for (int i = 0; i < 200; i++) {
		struct reply reply;
		assert_true(client_send(socket, request, strlen(request)));
		client_receive(socket, &reply);
		assert_int_equal(reply.status, 200);
		reply_free(&reply);
	}
	close(socket);
}

static void who_leaves_before_the_answer_harms_nobody(void **state)
{
	struct fixture *f = *state;
	const char *request = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
	for (int i = 0; i < 100; i++) {
		int socket = client_connect(&f->address);
		assert_true(client_send(socket, request, strlen(request)));
		close(socket);
	}
	expect(ask(f, NULL, "GET", "/readyz", NULL), 200);
}

static void bodies_must_be_json_objects(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"admin\""), 400);
	expect(ask(f, NULL, "POST", "/api/v1/session", "[1,2]"), 400);
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"a\",\"name\":\"b\"}"), 400);
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"\xff\xfe\"}"), 400);
	expect(ask(f, NULL, "POST", "/api/v1/session", "{\"name\":\"a\\u0000b\"}"), 400);
	expect(ask_with(f, NULL, "POST /api/v1/session", "Content-Type: text/plain\r\n", NULL),
	       422); // empty: fields missing
	const char *form =
	    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	    "Content-Length: 6\r\nConnection: close\r\n\r\nname=a";
	assert_int_equal(status_of_text(f, form), 415);
	char deep[8192];
	memset(deep, '[', sizeof deep);
	deep[sizeof deep - 1] = '\0';
	expect(ask(f, NULL, "POST", "/api/v1/session", deep), 400);
}

static void a_problem_is_a_problem_document(void **state)
{
	struct fixture *f = *state;
	char type[64];
	struct reply reply = ask(f, NULL, "GET", "/api/v1/users", NULL);
	assert_int_equal(reply.status, 401);
	assert_string_equal(reply_header(&reply, "Content-Type", type, sizeof type), "application/problem+json");
	assert_string_equal(reply_header(&reply, "WWW-Authenticate", type, sizeof type), "Bearer");
	assert_string_equal(text_of(&reply, "type"), "urn:carillon:problem:not_signed_in");
	assert_string_equal(text_of(&reply, "title"), "Sign in first.");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "status")), 401);
	assert_true(json_is_array(json_object_get(reply.json, "field")));
	reply_free(&reply);
}

static void a_store_that_fails_gives_503_and_recovers(void **state)
{
	struct fixture *f = *state;
	char retry[16];
	fake_records_fail(f->records, ERR_STORE_UNAVAILABLE);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users", NULL);
	assert_int_equal(reply.status, 503);
	assert_string_not_equal(reply_header(&reply, "Retry-After", retry, sizeof retry), "");
	reply_free(&reply);
	fake_records_fail(f->records, ERR_NONE);
	expect(ask(f, &f->admin, "GET", "/api/v1/users", NULL), 200);
}

static void a_port_in_use_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct http_server *second = NULL;
	struct http_settings settings = {
	    .listen = f->address, .records = fake_records_port(f->records), .call_thread = f->queue, .watch = f->watch};
	assert_true(http_server_create(&settings, &second) < 0);
}

// ---- /sip

// The head as the SIP side sees it decides what it says here.
static void fake_greet(void *context, const struct net_address *from, struct str head, struct writer *answer)
{
	(void)context;
	assert_true(net_address_same_host(from, &(struct net_address){.family = 4, .bytes = {127, 0, 0, 1}}));
	assert_true(str_starts(head, STR("GET /sip HTTP/1.1\r\nHost: test\r\nTwice: one\r\nTwice: two\r\n")));
	assert_memory_equal(head.at + head.length - 4, "\r\n\r\n", 4);
	if (memmem(head.at, head.length, "Refuse:", 7))
		writer_text(answer, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain\r\n"
				    "Content-Length: 4\r\n\r\nNo.\n");
	else if (memmem(head.at, head.length, "Nonsense:", 9))
		writer_text(answer, "BREW");
	else
		writer_text(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				    "Sec-WebSocket-Accept: right\r\n\r\n");
}

static void fake_adopt(void *context, const struct tcp_foreign *foreign, bool secured, struct str early)
{
	char text[64];
	struct writer w = writer_into(text, sizeof text);
	(void)context;
	assert_false(secured);
	assert_null(foreign->closed);
	writer_format(&w, "early: %.*s from %u to %u", STR_ARG(early), foreign->remote.port, foreign->local.port);
	assert_int_equal(write(foreign->socket, text, w.used), (ssize_t)w.used);
	close(foreign->socket);
}

static int setup_with_sip(void **state)
{
	fixture_settings.handover = (struct http_handover){.greet = fake_greet, .adopt = fake_adopt};
	return fixture_setup(state);
}

// Sends the head for /sip with these lines and gives all that comes until the end.
static size_t said_to_sip(struct fixture *f, const char *lines, char *into, size_t size, uint16_t *port)
{
	char text[512];
	size_t got = 0;
	struct sockaddr_storage address;
	socklen_t address_size = sizeof address;
	struct net_address ours;
	int socket = client_connect(&f->address);
	snprintf(text, sizeof text, "GET /sip HTTP/1.1\r\nHost: test\r\nTwice: one\r\nTwice: two\r\n%s", lines);
	assert_true(client_send(socket, text, strlen(text)));
	assert_int_equal(getsockname(socket, (struct sockaddr *)&address, &address_size), 0);
	net_address_from_sockaddr((struct sockaddr *)&address, &ours);
	*port = ours.port;
	for (ssize_t more; (more = read(socket, into + got, size - 1 - got)) > 0;)
		got += (size_t)more;
	into[got] = '\0';
	close(socket);
	return got;
}

static void the_socket_of_sip_is_given_away(void **state)
{
	char answer[1024], wanted[128];
	struct fixture *f = *state;
	uint16_t port;
	said_to_sip(f, "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst words", answer, sizeof answer, &port);
	assert_ptr_equal(strstr(answer, "HTTP/1.1 101 Switching Protocols\r\n"), answer);
	assert_non_null(strstr(answer, "\r\nUpgrade: websocket\r\n"));
	assert_non_null(strstr(answer, "\r\nSec-WebSocket-Accept: right\r\n"));
	assert_null(strstr(answer, "Content-Length"));
	snprintf(wanted, sizeof wanted, "\r\n\r\nearly: first words from %u to %u", port, f->address.port);
	assert_non_null(strstr(answer, wanted));
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
}

static void who_is_refused_by_sip_is_told_so(void **state)
{
	char answer[1024];
	uint16_t port;
	said_to_sip(*state, "Refuse: yes\r\n\r\n", answer, sizeof answer, &port);
	assert_ptr_equal(strstr(answer, "HTTP/1.1 403 "), answer);
	assert_non_null(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(answer, "\r\n\r\nNo.\n"));
	said_to_sip(*state, "Nonsense: yes\r\nConnection: close\r\n\r\n", answer, sizeof answer, &port);
	assert_ptr_equal(strstr(answer, "HTTP/1.1 500 "), answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(health_and_readiness_are_told_apart),
	    SERVED(metrics_count_requests),
	    SERVED(every_answer_has_the_security_headers),
	    SERVED(unknown_paths_and_methods_are_said_to_be_so),
	    SERVED(garbage_is_refused_and_the_server_lives),
	    SERVED(a_body_of_more_than_a_megabyte_is_refused),
	    SERVED(a_head_of_more_than_its_room_is_refused),
	    SERVED(half_requests_do_not_stop_others),
	    cmocka_unit_test_setup_teardown(who_sends_too_slowly_is_cut_off, setup_impatient, fixture_teardown),
	    SERVED(one_connection_carries_many_requests),
	    SERVED(who_leaves_before_the_answer_harms_nobody),
	    SERVED(bodies_must_be_json_objects),
	    SERVED(a_problem_is_a_problem_document),
	    SERVED(a_store_that_fails_gives_503_and_recovers),
	    SERVED(a_port_in_use_is_an_error),
	    cmocka_unit_test_setup_teardown(the_socket_of_sip_is_given_away, setup_with_sip, fixture_teardown),
	    cmocka_unit_test_setup_teardown(who_is_refused_by_sip_is_told_so, setup_with_sip, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
