// The console's files: which paths give which file, in which form, kept for how long, and what a browser may do with them.
#include "http/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void file_write(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static int with_console(void **state)
{
	char assets[128];
	snprintf(folder, sizeof folder, "/tmp/carillon-console-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(assets, sizeof assets, "%s/assets", folder);
	assert_int_equal(mkdir(assets, 0700), 0);
	file_write("index.html", "<meta nonce=\"CSP_NONCE\">");
	file_write("scheme.js", "plain scheme");
	file_write("assets/main-1a2b.js", "plain main");
	file_write("assets/main-1a2b.js.br", "br main");
	file_write("assets/main-1a2b.js.gz", "gzip main");
	file_write(".sources", "not for anybody");
	fixture_settings.console = folder;
	int result = fixture_setup(state);
	fixture_settings.console = NULL;
	return result;
}

static int without_console(void **state)
{
	static const char *const names[] = {"index.html",
					    "scheme.js",
					    ".sources",
					    "assets/main-1a2b.js",
					    "assets/main-1a2b.js.br",
					    "assets/main-1a2b.js.gz",
					    "assets",
					    ""};
	char path[128];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		remove(path);
	}
	return fixture_teardown(state);
}

static const char *header_of(const struct reply *reply, const char *name)
{
	static char value[1000];
	return reply_header(reply, name, value, sizeof value);
}

static void expect_body(struct fixture *f, const char *path, const char *headers, const char *body,
			const char *encoding)
{
	char request[200];
	snprintf(request, sizeof request, "GET %s", path);
	struct reply reply = ask_with(f, NULL, request, headers, NULL);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, body);
	assert_string_equal(header_of(&reply, "Content-Encoding"), encoding);
	assert_string_equal(header_of(&reply, "Vary"), "Accept-Encoding");
	assert_string_equal(header_of(&reply, "Content-Type"), "text/javascript; charset=utf-8");
	reply_free(&reply);
}

static void the_smallest_form_that_is_accepted_is_sent(void **state)
{
	struct fixture *f = *state;
	static const char path[] = "/assets/main-1a2b.js";
	expect_body(f, path, "", "plain main", "");
	expect_body(f, path, "Accept-Encoding: gzip, deflate, br\r\n", "br main", "br");
	expect_body(f, path, "Accept-Encoding: GZIP;q=0.5\r\n", "gzip main", "gzip");
	expect_body(f, path, "Accept-Encoding: br;q=0, gzip;q=0.000\r\n", "plain main", "");
	expect_body(f, path, "Accept-Encoding: br;q=0.001\r\n", "br main", "br");
	expect_body(f, path, "Accept-Encoding: brotli, x-gzip\r\n", "plain main", "");
	expect_body(f, "/scheme.js", "Accept-Encoding: br\r\n", "plain scheme", "");
}

static void only_what_is_named_by_its_content_is_kept_unasked(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, NULL, "GET", "/assets/main-1a2b.js", NULL);
	assert_string_equal(header_of(&reply, "Cache-Control"), "public, max-age=31536000, immutable");
	reply_free(&reply);
	reply = ask(f, NULL, "GET", "/scheme.js", NULL);
	assert_string_equal(header_of(&reply, "Cache-Control"), "no-cache");
	char headers[200];
	snprintf(headers, sizeof headers, "If-None-Match: %s\r\n", header_of(&reply, "ETag"));
	reply_free(&reply);
	reply = ask_with(f, NULL, "GET /scheme.js", headers, NULL);
	assert_int_equal(reply.status, 304);
	assert_int_equal(reply.size, 0);
	reply_free(&reply);
	expect(ask_with(f, NULL, "GET /scheme.js", "If-None-Match: \"another\"\r\n", NULL), 200);
	reply = ask(f, NULL, "GET", "/", NULL);
	assert_string_equal(header_of(&reply, "Cache-Control"), "no-cache");
	reply_free(&reply);
}

static void pages_get_the_index_and_files_that_are_missing_do_not(void **state)
{
	struct fixture *f = *state;
	static const char *const pages[] = {"/", "/users", "/users/12", "/devices/sip/new", "/index.html"};
	static const char *const nothing[] = {
	    "/assets/main-2.js", "/assets/",  "/api/v1/nothing",         "/api/",      "/a.php",
	    "/users/a.b",        "/.sources", "/assets/main-1a2b.js.br", "/%2e%2e/x.y"};
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		struct reply reply = ask(f, NULL, "GET", pages[i], NULL);
		assert_int_equal(reply.status, 200);
		assert_string_equal(header_of(&reply, "Content-Type"), "text/html; charset=utf-8");
		reply_free(&reply);
	}
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		expect(ask(f, NULL, "GET", nothing[i], NULL), 404);
	expect(ask(f, &f->admin, "POST", "/users", "{}"), 404);
}

// The policy allows no inline script, nothing from elsewhere, and only styles that carry the nonce of this very answer.
static void the_index_comes_with_a_strict_policy_and_a_new_nonce(void **state)
{
	struct fixture *f = *state;
	char before[100] = "";
	for (int i = 0; i < 2; i++) {
		struct reply reply = ask(f, NULL, "GET", "/", NULL);
		char policy[1000], nonce[100], expected[200];
		reply_header(&reply, "Content-Security-Policy", policy, sizeof policy);
		assert_int_equal(sscanf(reply.body, "<meta nonce=\"%99[^\"]\">", nonce), 1);
		assert_true(strlen(nonce) >= 22);
		assert_string_not_equal(nonce, before);
		snprintf(before, sizeof before, "%s", nonce);
		snprintf(expected, sizeof expected, "style-src 'self' 'nonce-%s';", nonce);
		assert_non_null(strstr(policy, expected));
		assert_non_null(strstr(policy, "default-src 'none'; script-src 'self';"));
		assert_non_null(strstr(policy, "frame-ancestors 'none'"));
		assert_null(strstr(policy, "unsafe"));
		assert_null(strstr(policy, "http"));
		reply_free(&reply);
	}
}

static void without_a_console_there_is_none(void **state)
{
	struct fixture *f = *state;
	expect(ask(f, NULL, "GET", "/", NULL), 404);
	expect(ask(f, NULL, "GET", "/healthz", NULL), 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_console, without_console)
	const struct CMUnitTest tests[] = {
	    TEST(the_smallest_form_that_is_accepted_is_sent),
	    TEST(only_what_is_named_by_its_content_is_kept_unasked),
	    TEST(pages_get_the_index_and_files_that_are_missing_do_not),
	    TEST(the_index_comes_with_a_strict_policy_and_a_new_nonce),
	    cmocka_unit_test_setup_teardown(without_a_console_there_is_none, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
