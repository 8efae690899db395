// The configuration file: what it sets, and the sentence for each thing that can be wrong with it.
#include "base/config.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct settings {
	struct str listen;
	int64_t port;
	bool open;
	struct str path;
	int64_t offset;
};

static const struct config_key keys[] = {
    {"sip", "listen", CONFIG_TEXT, offsetof(struct settings, listen), "0.0.0.0", 0, 0, "Where it listens."},
    {"sip", "port", CONFIG_INTEGER, offsetof(struct settings, port), "5060", 1, 65535, "The port."},
    {"http", "open", CONFIG_BOOLEAN, offsetof(struct settings, open), "no", 0, 0, "Whether it is open."},
    {"store", "path", CONFIG_TEXT, offsetof(struct settings, path), NULL, 0, 0, "The file."},
    {"store", "offset", CONFIG_INTEGER, offsetof(struct settings, offset), "-5", INT64_MIN, INT64_MAX, "Any number."},
};

static struct arena arena;
static struct settings settings;
static struct config_error error;

static bool read_text(struct str text)
{
	char path[64];
	int fd = memfd_create("config", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.at, text.length), (ssize_t)text.length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	memset(&settings, 0xff, sizeof settings);
	bool fine = config_read(path, keys, sizeof keys / sizeof *keys, &settings, &arena, &error);
	close(fd);
	return fine;
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void defaults(void **state)
{
	(void)state;
	memset(&settings, 0xff, sizeof settings);
	assert_true(config_read(NULL, keys, sizeof keys / sizeof *keys, &settings, &arena, &error));
	assert_true(str_equal(settings.listen, STR("0.0.0.0")));
	assert_int_equal(settings.port, 5060);
	assert_false(settings.open);
	assert_true(str_empty(settings.path));
	assert_int_equal(settings.offset, -5);
	assert_true(read_text(STR("")));
	assert_int_equal(settings.port, 5060);
}

static void a_file_overrides_them(void **state)
{
	(void)state;
	assert_true(read_text(STR("\xef\xbb\xbf# first\n"
				  "\n"
				  "[sip]\r\n"
				  "  ; an indented comment\n"
				  "listen = 192.0.2.1 \r\n"
				  "port=5070   ; and why\n"
				  "[http]\n"
				  "[store]\n"
				  "path = /var/lib/a b=c.db\n"
				  "[http]\n"
				  "open: Yes")));
	assert_true(str_equal(settings.listen, STR("192.0.2.1")));
	assert_int_equal(settings.port, 5070);
	assert_true(settings.open);
	assert_true(str_equal(settings.path, STR("/var/lib/a b=c.db")));
	assert_int_equal(settings.offset, -5);
}

static void words_for_yes_and_no(void **state)
{
	(void)state;
	const char *const words[] = {"yes", "TRUE", "On", "no", "false", "OFF"};
	for (int i = 0; i < 6; i++) {
		char text[64];
		snprintf(text, sizeof text, "[http]\nopen = %s\n", words[i]);
		assert_true(read_text(str_of(text)));
		assert_int_equal(settings.open, i < 3);
	}
}

static void errors_name_line_and_key(void **state)
{
	(void)state;
	const struct {
		struct str text;
		unsigned line;
		const char *sentence;
	} rows[] = {
	    {STR("[sip]\n\nport = 0\n"), 3, "[sip] port must be a whole number from 1 to 65535, not \"0\"."},
	    {STR("[sip]\nport = 65536\n"), 2, "[sip] port must be a whole number from 1 to 65535, not \"65536\"."},
	    {STR("[sip]\nport = 5060x"), 2, "[sip] port must be a whole number from 1 to 65535, not \"5060x\"."},
	    {STR("[sip]\nport =\n"), 2, "[sip] port must be a whole number from 1 to 65535, not \"\"."},
	    {STR("[store]\noffset = 9223372036854775808\n"), 2,
	     "[store] offset must be a whole number from -9223372036854775808 to 9223372036854775807, not "
	     "\"9223372036854775808\"."},
	    {STR("[http]\nopen = maybe\n"), 2, "[http] open must be yes or no, not \"maybe\"."},
	    {STR("[http]\nopen = 1\x1b[2J\n"), 2, "[http] open must be yes or no, not \"1?[2J\"."},
	    {STR("[sip]\nprot = 1\n"), 2, "[sip] has no key \"prot\"; it has listen, port."},
	    {STR("[sip]\nPort = 1\n"), 2, "[sip] has no key \"Port\"; it has listen, port."},
	    {STR("[spi]\n"), 1, "There is no section [spi]; there are sip, http, store."},
	    {STR("[]\n"), 1, "There is no section []; there are sip, http, store."},
	    {STR("port = 1\n"), 1, "\"port\" stands before any [section]."},
	    {STR("[sip]\nport = 1\n# x\nport = 2\n"), 4, "[sip] port was set in line 2 already."},
	    {STR("[sip]\nport = 1\nport = 0\n"), 3, "[sip] port was set in line 2 already."},
	    {STR("[sip]\nport = 1\n[http]\n[sip]\nport = 1\n"), 5, "[sip] port was set in line 2 already."},
	    {STR("[sip]\nport\n"), 2, "The line is neither a [section] nor \"key = value\" nor a comment."},
	    {STR("[sip\nport = 1\n"), 1, "The line is neither a [section] nor \"key = value\" nor a comment."},
	    {STR("[sip]\nport ; = 1\n"), 2, "The line is neither a [section] nor \"key = value\" nor a comment."},
	    {STR("[sip]\nport\nport = 0\n"), 2, "The line is neither a [section] nor \"key = value\" nor a comment."},
	    {STR("[sip]\n= 1\n"), 2, "There is no key before the \"=\"."},
	    {STR("[sip]\nlisten = a\n  port = 1\n"), 3,
	     "The line begins with a space: a section or a key must be at its very start."},
	    {STR("[sip]\nport = \0 1\n"), 2, "This is no text file: it holds a NUL byte."},
	    {STR("[http]\nopen = maybe\n[sip]\nport = 0\n"), 2, "[http] open must be yes or no, not \"maybe\"."},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_false(read_text(rows[i].text));
		assert_string_equal(error.sentence, rows[i].sentence);
		assert_int_equal(error.line, rows[i].line);
	}
}

static void long_lines_are_errors_and_never_cut(void **state)
{
	(void)state;
	bool refused = false;
	for (size_t length = 150; length < 450; length++) {
		char text[600], value[451];
		memset(value, 'x', length);
		value[length] = '\0';
		snprintf(text, sizeof text, "[store]\npath = %s\noffset = 1\n", value);
		if (read_text(str_of(text))) {
			assert_false(refused);
			assert_true(str_equal(settings.path, str_of(value)));
			assert_int_equal(settings.offset, 1);
			continue;
		}
		refused = true;
		assert_int_equal(error.line, 2);
		assert_memory_equal(error.sentence, "The line is longer than ", 24);
	}
	assert_true(refused);
	char text[512] = "# ";
	memset(text + 2, 'x', 500);
	assert_false(read_text(str_of(text))); // a comment too
}

static void unreadable_files(void **state)
{
	(void)state;
	const size_t count = sizeof keys / sizeof *keys;
	assert_false(config_read("/nonexistent/file", keys, count, &settings, &arena, &error));
	assert_int_equal(error.line, 0);
	assert_string_equal(error.sentence, "/nonexistent/file cannot be opened: No such file or directory.");
	assert_false(config_read("/", keys, count, &settings, &arena, &error));
	assert_int_equal(error.line, 0);
	assert_string_equal(error.sentence, "/ cannot be read: Is a directory.");
}

static void long_names_fit_the_sentence(void **state)
{
	(void)state;
	char text[256] = "[";
	memset(text + 1, 'y', 150);
	strcpy(text + 151, "]\n");
	assert_false(read_text(str_of(text)));
	assert_true(strlen(error.sentence) < sizeof error.sentence);
	assert_memory_equal(error.sentence, "There is no section [yyy", 24);
}

static void survives_without_memory(void **state)
{
	(void)state;
	unsigned failures = 0;
	for (unsigned n = 1;; n++) {
		arena_free(&arena);
		failing_allocator_arm(n);
		bool fine = read_text(STR("[sip]\nlisten = 192.0.2.1\n"));
		if (!failing_allocator_disarm())
			break;
		assert_false(fine);
		assert_string_equal(error.sentence, "There is no memory left for the configuration.");
		failures++;
	}
	assert_true(failures > 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(defaults),
	    test(a_file_overrides_them),
	    test(words_for_yes_and_no),
	    test(errors_name_line_and_key),
	    test(long_lines_are_errors_and_never_cut),
	    test(unreadable_files),
	    test(long_names_fit_the_sentence),
	    test(survives_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
