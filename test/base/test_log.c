// The log: what lines look like, that no value can forge one, and that no reader can hold up a caller.
#include "base/log_record.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// ---- capture

static char captured[LOG_LINE_MAX];
static size_t captured_count;

static void keep_line(struct str line, void *context)
{
	assert_ptr_equal(context, captured);
	assert_true(str_to_cstring(line, captured, sizeof captured));
	captured_count++;
}

static int capture_lines(void **state)
{
	(void)state;
	captured_count = 0;
	log_set_level(LOG_LEVEL_INFO);
	log_capture(keep_line, captured);
	return 0;
}

static int capture_no_more(void **state)
{
	(void)state;
	log_capture(NULL, NULL);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static void a_line_has_level_event_and_fields(void **state)
{
	(void)state;
	log_warning("leg_state", LOG_UINT("call", UINT64_MAX), LOG_INT("error", -5), LOG_TEXT("to", "ringing"),
		    LOG_STR("nothing", STR_NONE), LOG_TEXT("null", NULL));
	assert_string_equal(captured,
			    "warning leg_state call=18446744073709551615 error=-5 to=ringing nothing=\"\" null=\"\"");
}

static void levels_filter(void **state)
{
	(void)state;
	enum log_level level = LOG_LEVEL_ERROR;
	log_debug("a", LOG_UINT("n", 1));
	assert_int_equal(captured_count, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("a", LOG_UINT("n", 1));
	assert_string_equal(captured, "debug a n=1");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("a", LOG_UINT("n", 2));
	assert_int_equal(captured_count, 1);
	log_error("a", LOG_UINT("n", 3));
	assert_string_equal(captured, "error a n=3");
	assert_true(log_level_parse(STR("debug"), &level) && level == LOG_LEVEL_DEBUG);
	assert_true(log_level_parse(STR("warning"), &level) && level == LOG_LEVEL_WARNING);
	assert_false(log_level_parse(STR("loud"), &level));
	assert_false(log_level_parse(STR_NONE, &level));
}

static void no_value_can_forge_a_line(void **state)
{
	(void)state;
	const struct {
		struct str value;
		const char *text;
	} rows[] = {
	    {STR("sip:jane@example.org;x"), "sip:jane@example.org;x"},
	    {STR("a b"), "\"a b\""},
	    {STR("a=b"), "\"a=b\""},
	    {STR("say \"hi\" \\"), "\"say \\\"hi\\\" \\\\\""},
	    {STR("x\r\nerror forged"), "\"x\\x0d\\x0aerror forged\""},
	    {STR("\x1b[2J\x7f"), "\"\\x1b[2J\\x7f\""},
	    {STR("a\0b"), "\"a\\x00b\""},
	    {STR("Jos\xc3\xa9"), "\"Jos\xc3\xa9\""},
	    {STR("\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {STR("\xc2\x9b"), "\"\\xc2\\x9b\""},                   // a C1 control
	    {STR("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\""},          // right-to-left override
	    {STR("\xc0\x8a"), "\"\\xc0\\x8a\""},                   // an overlong line feed
	    {STR("\xe0\x80\x8a"), "\"\\xe0\\x80\\x8a\""},          // likewise
	    {STR("\xe0\x81\x81"), "\"\\xe0\\x81\\x81\""},          // an overlong A
	    {STR("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\""},          // a surrogate
	    {STR("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\""}, // beyond Unicode
	    {STR("\xff\xfe"), "\"\\xff\\xfe\""},
	    {STR("\xe2\x82"), "\"\\xe2\\x82\""}, // cut off
	    {STR("\xc3(\x80"), "\"\\xc3(\\x80\""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[128];
		struct writer w = writer_into(text, sizeof text);
		log_value_write(&w, rows[i].value);
		writer_char(&w, '\0');
		assert_string_equal(text, rows[i].text);
	}
}

static void long_values_are_cut(void **state)
{
	(void)state;
	static char value[20000];
	memset(value, 0x01, sizeof value);
	log_info("e", LOG_STR("v", ((struct str){value, LOG_VALUE_MAX})));
	assert_int_equal(strlen(captured), strlen("info e v=\"\"") + 4 * LOG_VALUE_MAX);
	log_info("e", LOG_STR("v", ((struct str){value, sizeof value})), LOG_UINT("after", 1));
	assert_int_equal(strlen(captured), strlen("info e v=\"...\" after=1") + 4 * (LOG_VALUE_MAX - 3));
	assert_non_null(strstr(captured, "\\x01...\" after=1"));
	struct log_field many[LOG_FIELDS_MAX + 5];
	for (size_t i = 0; i < LOG_FIELDS_MAX + 5; i++)
		many[i] = (struct log_field)LOG_STR("k", ((struct str){value, i < 10 ? 1000 : 0}));
	log_write(LOG_LEVEL_INFO, "e", many, LOG_FIELDS_MAX + 5); // beyond 8 KiB, and too many
	assert_true(strlen(captured) < LOG_LINE_MAX);
}

static void time_is_utc(void **state)
{
	(void)state;
	char text[64];
	struct writer w = writer_into(text, sizeof text);
	log_record_write_time(&w, UINT64_C(1927712096007));
	writer_char(&w, '\0');
	assert_string_equal(text, "2031-02-01T11:34:56.007Z");
}

// ---- standard error as a pipe

struct pipe_world {
	int saved; // the real standard error
	int read;  // the end the test reads from
	pthread_t reader;
	char *text; // what came out, once read
	size_t size;
	uint64_t lost_before;
};

static int pipe_up(void **state)
{
	static struct pipe_world world;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	world = (struct pipe_world){.saved = dup(STDERR_FILENO), .read = ends[0], .lost_before = log_lost()};
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	*state = &world;
	return 0;
}

static int pipe_down(void **state)
{
	struct pipe_world *world = *state;
	dup2(world->saved, STDERR_FILENO);
	close(world->saved);
	close(world->read);
	free(world->text);
	return 0;
}

enum { TEXT_MAX = 8 * 1024 * 1024 };

// Reads until the end, or until something is there.
static void read_until(struct pipe_world *world, const char *something)
{
	if (!world->text)
		world->text = calloc(1, TEXT_MAX + 1);
	ssize_t got = 1;
	while (got > 0 && world->size < TEXT_MAX && (!something || !strstr(world->text, something))) {
		got = read(world->read, world->text + world->size, TEXT_MAX - world->size);
		world->size += got > 0 ? (size_t)got : 0;
	}
}

static void *read_all(void *context)
{
	read_until(context, NULL);
	return NULL;
}

static void start_reading(struct pipe_world *world)
{
	assert_int_equal(pthread_create(&world->reader, NULL, read_all, world), 0);
}

static void finish_reading(struct pipe_world *world)
{
	dup2(world->saved, STDERR_FILENO); // closes the pipe
	pthread_join(world->reader, NULL);
}

static void lines_go_to_standard_error(void **state)
{
	struct pipe_world *world = *state;
	log_info("before", LOG_UINT("n", 1));
	assert_int_equal(log_start(), 0);
	assert_int_equal(log_start(), -EALREADY);
	log_info("between", LOG_UINT("n", 2));
	log_stop();
	log_stop();
	log_info("after", LOG_UINT("n", 3));
	start_reading(world);
	finish_reading(world);
	const char *const expected[] = {"Z info before n=1", "Z info between n=2", "Z info after n=3"};
	struct str rest = {world->text, world->size}, line;
	for (size_t i = 0; i < 3; i++) {
		assert_true(str_take(&rest, '\n', &line));
		// 2031-01-31T12:34:56.789
		assert_true(line.length > 23 && line.at[4] == '-' && line.at[10] == 'T' && line.at[19] == '.');
		assert_true(str_equal(str_from(line, 23), str_of(expected[i])));
	}
	assert_true(str_empty(rest));
}

static uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum { STUCK_LINES = 40000 };

// Counts the lines in order, and adds up what the log says it lost.
static void count_lines(const struct pipe_world *world, uint64_t *written, uint64_t *said_lost)
{
	struct str rest = {world->text, world->size}, line;
	uint64_t previous = 0;
	*written = *said_lost = 0;
	while (str_take(&rest, '\n', &line)) {
		unsigned long long number;
		char text[256];
		assert_true(str_to_cstring(str_from(line, 23), text, sizeof text));
		if (sscanf(text, "Z info stuck n=%llu", &number) == 1) {
			assert_true(number > previous);
			previous = number;
			(*written)++;
		} else {
			assert_int_equal(sscanf(text, "Z warning log_lines_lost count=%llu", &number), 1);
			*said_lost += number;
		}
	}
}

static void a_stuck_reader_holds_nobody_up(void **state)
{
	struct pipe_world *world = *state;
	assert_int_equal(log_start(), 0);
	uint64_t began_ms = clock_ms();
	for (uint64_t n = 1; n <= STUCK_LINES; n++)
		log_info("stuck", LOG_UINT("n", n));
	assert_in_range(clock_ms() - began_ms, 0, 2000);
	assert_in_range(log_lost() - world->lost_before, 1, STUCK_LINES);
	read_until(world, "log_lines_lost");
	log_info("stuck", LOG_UINT("n", STUCK_LINES + 1));
	start_reading(world);
	log_stop();
	finish_reading(world);
	uint64_t written, said_lost;
	count_lines(world, &written, &said_lost);
	uint64_t lost = log_lost() - world->lost_before;
	assert_true(said_lost == lost);
	assert_true(written + lost == STUCK_LINES + 1);
}

static void a_stuck_reader_does_not_hold_up_the_end(void **state)
{
	struct pipe_world *world = *state;
	assert_int_equal(log_start(), 0);
	for (uint64_t n = 1; n <= 4000; n++)
		log_info("stuck", LOG_UINT("n", n));
	uint64_t began_ms = clock_ms();
	log_stop();
	assert_in_range(clock_ms() - began_ms, 900, 3000);
	began_ms = clock_ms();
	for (int n = 0; n < 100; n++)
		log_info("stuck", LOG_UINT("n", 1));
	assert_in_range(clock_ms() - began_ms, 0, 1000);
	assert_in_range(log_lost() - world->lost_before, 100, 4100);
	// the thread that was left behind ends once it is read from
	char line[4096];
	size_t lines = 0;
	while (lines < 4000) {
		ssize_t got = read(world->read, line, sizeof line);
		assert_true(got > 0);
		for (ssize_t i = 0; i < got; i++)
			lines += line[i] == '\n';
	}
}

enum { THREADS = 4, LINES_EACH = 1000 };

static void *log_many(void *context)
{
	for (unsigned n = 0; n < LINES_EACH; n++)
		log_info("line", LOG_UINT("thread", *(const unsigned *)context), LOG_UINT("n", n));
	return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
	struct pipe_world *world = *state;
	pthread_t threads[THREADS];
	unsigned names[THREADS], next[THREADS] = {0};
	start_reading(world);
	assert_int_equal(log_start(), 0);
	for (unsigned t = 0; t < THREADS; t++) {
		names[t] = t;
		assert_int_equal(pthread_create(&threads[t], NULL, log_many, &names[t]), 0);
	}
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	log_stop();
	finish_reading(world);
	assert_int_equal(log_lost(), world->lost_before);
	struct str rest = {world->text, world->size}, line;
	while (str_take(&rest, '\n', &line)) {
		unsigned thread, n;
		char text[256];
		assert_true(str_to_cstring(str_from(line, 23), text, sizeof text));
		assert_int_equal(sscanf(text, "Z info line thread=%u n=%u", &thread, &n), 2);
		assert_true(thread < THREADS && next[thread]++ == n);
	}
	for (unsigned t = 0; t < THREADS; t++)
		assert_int_equal(next[t], LINES_EACH);
}

static void survives_without_memory(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 4; n++) {
		failing_allocator_arm(n);
		assert_int_equal(log_start(), -ENOMEM);
		assert_true(failing_allocator_disarm());
	}
	log_capture(keep_line, captured);
	failing_allocator_arm(0);
	log_info("e", LOG_TEXT("v", "x"));
	assert_int_equal(failing_allocator_count(), 0);
	log_capture(NULL, NULL);
}

// ---- the journal

static char journal[4096];

int __wrap_sd_journal_sendv(const struct iovec *pieces, int count);

int __wrap_sd_journal_sendv(const struct iovec *pieces, int count)
{
	struct writer w = writer_into(journal, sizeof journal);
	for (int i = 0; i < count; i++) {
		writer_str(&w, (struct str){pieces[i].iov_base, pieces[i].iov_len});
		writer_char(&w, '|');
	}
	writer_char(&w, '\0');
	return 0;
}

static void the_journal_gets_fields(void **state)
{
	(void)state;
	struct stat status;
	char stream[64];
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_equal(log_start(), 0);
	log_error("leg_state", LOG_UINT("call_id", 17), LOG_INT("e-2", -1), LOG_STR("from", STR("a\nb")));
	log_stop();
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(journal,
			    "MESSAGE=leg_state call_id=17 e-2=-1 from=\"a\\x0ab\"|PRIORITY=3|"
			    "CARILLON_EVENT=leg_state|CARILLON_CALL_ID=17|CARILLON_E_2=-1|CARILLON_FROM=a\nb|");
}

#define test_captured(function) cmocka_unit_test_setup_teardown(function, capture_lines, capture_no_more)
#define test_piped(function)    cmocka_unit_test_setup_teardown(function, pipe_up, pipe_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test_captured(a_line_has_level_event_and_fields),
	    test_captured(levels_filter),
	    test_captured(no_value_can_forge_a_line),
	    test_captured(long_values_are_cut),
	    cmocka_unit_test(time_is_utc),
	    test_piped(lines_go_to_standard_error),
	    test_piped(a_stuck_reader_holds_nobody_up),
	    test_piped(a_stuck_reader_does_not_hold_up_the_end),
	    test_piped(threads_do_not_mix_lines),
	    cmocka_unit_test(survives_without_memory),
	    cmocka_unit_test(the_journal_gets_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
