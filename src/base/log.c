// The log: callers pack records into a buffer of bounded size; a thread of its own swaps that buffer for an empty one
// and writes it out, so that nobody ever waits for a disk, a pipe or the journal but that thread.
#include "base/log_record.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

// The lines' place in this source is not what they tell about.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

enum { BUFFER_SIZE = 512 * 1024, OUTPUT_SIZE = 128 * 1024, STOP_WAIT_S = 1, GATHER_NS = 1000000, DIRECT_WAIT_MS = 50 };

// All that the writing thread works with. When it is stuck at log_stop it is left behind, and frees this itself.
struct drain {
	pthread_cond_t filled;   // something to write, or to stop
	pthread_cond_t finished; // the thread is done
	bool stopping, done, abandoned;
	bool journal;     // standard error is the journal
	char *filling;    // owned; callers pack into it
	size_t filled_to; // bytes
	char *draining;   // owned; the thread writes it out
	uint64_t lost_said;
	char *output; // owned; text on its way to standard error
	struct writer text;
	uint64_t lines; // in `text`
};

// The log belongs to the process, like standard error.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // guards `drain`, its first lines up to filled_to, `capture`
static struct drain *drain;                              // NULL while not started
static pthread_t drain_thread;
static struct {
	void (*line)(struct str line, void *context);
	void *context;
} capture;
static atomic_int highest_level = LOG_LEVEL_INFO;
static _Atomic uint64_t lost;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&highest_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&highest_level, memory_order_relaxed);
}

uint64_t log_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}

void log_capture(void (*line)(struct str line, void *context), void *context)
{
	pthread_mutex_lock(&lock);
	capture.line = line;
	capture.context = context;
	pthread_mutex_unlock(&lock);
}

// ---- text to standard error

static void write_line(struct writer *w, const struct log_record *record)
{
	log_record_write_time(w, record->time_ms);
	writer_char(w, ' ');
	writer_text(w, log_level_name(record->level));
	writer_char(w, ' ');
	log_record_write(w, record);
	writer_char(w, '\n');
}

// Writes all of it; waits_ms -1 for as long as it takes, else false when it would take longer for some part.
static bool write_out(struct str text, int wait_ms)
{
	while (text.length > 0) {
		// what a pipe that is ready takes for certain
		size_t part = wait_ms < 0 || text.length < 4096 ? text.length : 4096;
		struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
		if (wait_ms >= 0 && poll(&ready, 1, wait_ms) <= 0)
			return false;
		ssize_t written = write(STDERR_FILENO, text.at, part);
		if (written >= 0)
			text = str_from(text, (size_t)written);
		else if (errno == EAGAIN && wait_ms < 0)
			poll(&ready, 1, -1); // somebody else set it to non-blocking
		else if (errno != EINTR)
			return false;
	}
	return true;
}

// Without the thread: before log_start, after log_stop and in tests. A reader that is stuck is waited for once, for a
// moment, and then only tried.
static void write_directly(const struct log_record *record)
{
	static atomic_bool stuck;
	char memory[LOG_LINE_MAX];
	struct writer w = writer_into(memory, sizeof memory);
	write_line(&w, record);
	bool fine = write_out(writer_result(&w), atomic_load(&stuck) ? 0 : DIRECT_WAIT_MS);
	atomic_store(&stuck, !fine);
	if (!fine)
		atomic_fetch_add(&lost, 1);
}

static void flush(struct drain *d)
{
	if (!write_out(writer_result(&d->text), -1))
		atomic_fetch_add(&lost, d->lines);
	d->text = writer_into(d->output, OUTPUT_SIZE);
	d->lines = 0;
}

// ---- the journal

// True when standard error is the stream that systemd says it connected to the journal.
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[64];
	if (!stream || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	return strcmp(stream, own) == 0;
}

// "CARILLON_CALL_ID=": capitals, digits and underscores, and a prefix, so that no field can pass for one of systemd's.
static void write_journal_key(struct writer *w, const char *key)
{
	writer_text(w, "CARILLON_");
	for (; *key; key++) {
		bool letter = (*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z');
		bool fits = letter || (*key >= '0' && *key <= '9');
		writer_char(w, !fits ? '_' : *key >= 'a' ? (char)(*key - ('a' - 'A')) : *key);
	}
	writer_char(w, '=');
}

static void write_journal_value(struct writer *w, const struct log_field *field)
{
	switch (field->type) {
	case LOG_FIELD_STR:
		writer_str(w, field->text); // the journal takes any byte
		break;
	case LOG_FIELD_UINT:
		writer_uint(w, field->number);
		break;
	case LOG_FIELD_INT:
		writer_int(w, (int64_t)field->number);
		break;
	}
}

static struct iovec piece_since(const struct writer *w, size_t start)
{
	return (struct iovec){w->at + start, w->used - start};
}

static void send_to_journal(struct drain *d, const struct log_record *record)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG}; // by enum log_level
	struct iovec pieces[LOG_FIELDS_MAX + 3];
	int count = 0;
	struct writer *w = &d->text; // one record at a time here
	*w = writer_into(d->output, OUTPUT_SIZE);
	writer_text(w, "MESSAGE=");
	log_record_write(w, record);
	pieces[count++] = piece_since(w, 0);
	size_t start = w->used;
	writer_format(w, "PRIORITY=%d", priorities[record->level]);
	pieces[count++] = piece_since(w, start);
	start = w->used;
	writer_text(w, "CARILLON_EVENT=");
	writer_str(w, record->event);
	pieces[count++] = piece_since(w, start);
	for (size_t i = 0; i < record->count; i++) {
		start = w->used;
		write_journal_key(w, record->fields[i].key);
		write_journal_value(w, &record->fields[i]);
		pieces[count++] = piece_since(w, start);
	}
	if (sd_journal_sendv(pieces, count) < 0)
		atomic_fetch_add(&lost, 1);
	*w = writer_into(d->output, OUTPUT_SIZE);
}

// ---- the thread

static void drain_record(struct drain *d, const struct log_record *record)
{
	if (d->journal) {
		send_to_journal(d, record);
		return;
	}
	if (OUTPUT_SIZE - d->text.used < LOG_LINE_MAX)
		flush(d);
	write_line(&d->text, record);
	d->lines++;
}

static void say_what_was_lost(struct drain *d, uint64_t lost_until_now)
{
	char packed[LOG_RECORD_MAX];
	struct log_record record;
	const struct log_field fields[] = {LOG_UINT("count", lost_until_now - d->lost_said)};
	log_record_pack(packed, LOG_LEVEL_WARNING, "log_lines_lost", fields, 1);
	log_record_unpack(packed, &record);
	drain_record(d, &record);
	d->lost_said = lost_until_now;
}

static void drain_free(struct drain *d)
{
	if (!d)
		return;
	pthread_cond_destroy(&d->filled);
	pthread_cond_destroy(&d->finished);
	free(d->filling);
	free(d->draining);
	free(d->output);
	free(d);
}

static void *drain_run(void *context)
{
	struct drain *d = context;
	pthread_mutex_lock(&lock);
	for (;;) {
		while (d->filled_to == 0 && !d->stopping)
			pthread_cond_wait(&d->filled, &lock);
		if (d->filled_to == 0)
			break;
		// what comes in this moment wakes nobody, so that a burst costs its callers one wake-up
		pthread_mutex_unlock(&lock);
		nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
		pthread_mutex_lock(&lock);
		char *full = d->filling;
		size_t size = d->filled_to;
		d->filling = d->draining;
		d->draining = full;
		d->filled_to = 0;
		// what is lost by now was lost after these lines and before the next
		uint64_t lost_until_now = log_lost();
		pthread_mutex_unlock(&lock);
		struct log_record record;
		for (size_t at = 0; at < size;) {
			at += log_record_unpack(full + at, &record);
			drain_record(d, &record);
		}
		if (lost_until_now != d->lost_said)
			say_what_was_lost(d, lost_until_now);
		if (!d->journal)
			flush(d);
		pthread_mutex_lock(&lock);
	}
	d->done = true;
	bool abandoned = d->abandoned;
	pthread_cond_signal(&d->finished);
	pthread_mutex_unlock(&lock);
	if (abandoned)
		drain_free(d);
	return NULL;
}

static struct drain *drain_create(void)
{
	struct drain *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&d->filled, NULL);
	pthread_cond_init(&d->finished, &monotonic);
	pthread_condattr_destroy(&monotonic);
	d->filling = malloc(BUFFER_SIZE);
	d->draining = malloc(BUFFER_SIZE);
	d->output = malloc(OUTPUT_SIZE);
	if (!d->filling || !d->draining || !d->output) {
		drain_free(d);
		return NULL;
	}
	d->text = writer_into(d->output, OUTPUT_SIZE);
	d->journal = stderr_is_journal();
	d->lost_said = log_lost();
	return d;
}

int log_start(void)
{
	pthread_mutex_lock(&lock);
	bool started = drain != NULL;
	pthread_mutex_unlock(&lock);
	if (started)
		return -EALREADY;
	struct drain *d = drain_create();
	if (!d)
		return -ENOMEM;
	// signals are for the thread with the loop
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&drain_thread, NULL, drain_run, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		drain_free(d);
		return -error;
	}
	pthread_mutex_lock(&lock);
	drain = d;
	pthread_mutex_unlock(&lock);
	return 0;
}

void log_stop(void)
{
	pthread_mutex_lock(&lock);
	struct drain *d = drain;
	drain = NULL;
	if (!d) {
		pthread_mutex_unlock(&lock);
		return;
	}
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STOP_WAIT_S;
	d->stopping = true;
	pthread_cond_signal(&d->filled);
	while (!d->done && pthread_cond_timedwait(&d->finished, &lock, &until) != ETIMEDOUT)
		;
	bool done = d->done;
	d->abandoned = !done;
	pthread_mutex_unlock(&lock);
	if (!done) {
		pthread_detach(drain_thread);
		return;
	}
	pthread_join(drain_thread, NULL);
	drain_free(d);
}

// ---- callers

// To the thread, under the lock.
static void enqueue(struct drain *d, const char *packed, size_t size)
{
	if (size > BUFFER_SIZE - d->filled_to) {
		atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
		return;
	}
	memcpy(d->filling + d->filled_to, packed, size);
	if (d->filled_to == 0)
		pthread_cond_signal(&d->filled);
	d->filled_to += size;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	char packed[LOG_RECORD_MAX];
	size_t size = log_record_pack(packed, level, event, fields, count);
	pthread_mutex_lock(&lock);
	void (*captured)(struct str line, void *context) = capture.line;
	void *context = capture.context;
	bool queued = drain && !captured;
	if (queued)
		enqueue(drain, packed, size);
	pthread_mutex_unlock(&lock);
	if (queued)
		return;
	struct log_record record;
	log_record_unpack(packed, &record);
	if (!captured) {
		write_directly(&record);
		return;
	}
	char line[LOG_LINE_MAX];
	struct writer w = writer_into(line, sizeof line);
	writer_text(&w, log_level_name(level));
	writer_char(&w, ' ');
	log_record_write(&w, &record);
	captured(writer_result(&w), context);
}
