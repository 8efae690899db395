// The event loop on libuv: turns, time, randomness, signals and wake-ups. UDP and TCP are in files of their own.
#include "base/loop_uv.h"

#include "base/sanitized.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct signal_watch {
	uv_signal_t uv;
	struct signal_watch *next;
	int number;
	void (*handler)(void *context);
	void *context;
};

struct wakeup {
	uv_async_t uv;
	struct loop *loop;
	void (*handler)(void *context);
	void *context;
};

// ---- turns

static void alarm_rang(uv_timer_t *alarm)
{
	struct loop *loop = alarm->data;
	loop->alarm_due_ms = 0; // only ends the sleep: the timers run in the turn that follows
}

static void run_turn(uv_prepare_t *turn)
{
	struct loop *loop = turn->data;
	timer_wheel_advance(&loop->wheel, uv_now(&loop->uv));
	udp_send_held(loop);
	uint64_t next_ms = timer_wheel_next(&loop->wheel);
	if (next_ms == UINT64_MAX) {
		uv_timer_stop(&loop->alarm);
		loop->alarm_due_ms = 0;
	} else if (loop->wheel.now_ms + next_ms != loop->alarm_due_ms) {
		loop->alarm_due_ms = loop->wheel.now_ms + next_ms;
		uint64_t now_ms = uv_now(&loop->uv);
		uint64_t delay_ms = loop->alarm_due_ms > now_ms ? loop->alarm_due_ms - now_ms : 0;
		uv_timer_start(&loop->alarm, alarm_rang, delay_ms, 0);
	}
}

int loop_create(struct loop **result)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return -ENOMEM;
	int error = -ENOMEM;
	loop->schedule = -1;
	loop->received = malloc((size_t)LOOP_PIECES * LOOP_PIECE_SIZE + LOOP_HELD_BYTES);
	if (!loop->received)
		goto free_loop;
	error = uv_loop_init(&loop->uv);
	if (error)
		goto free_received;
	uv_prepare_init(&loop->uv, &loop->turn);
	uv_timer_init(&loop->uv, &loop->alarm);
	loop->turn.data = loop->alarm.data = loop;
	uv_prepare_start(&loop->turn, run_turn);
	timer_wheel_init(&loop->wheel, uv_now(&loop->uv));
	udp_held_init(loop);
	// a peer that closes first must be an error of one connection, not the end of the process
	signal(SIGPIPE, SIG_IGN);
	loop->began_time_ms = loop_time_ms(loop);
	loop->began_ms = loop_now_ms(loop);
	*result = loop;
	return 0;

free_received:
	free(loop->received);
free_loop:
	free(loop);
	return error;
}

static void signal_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void run_dry(struct loop *loop)
{
	// a forgotten loop_stop only interrupts
	loop->running = true;
	while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
		;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	assert(loop->open == 0);
	// lets what was closed go, and connections send their last bytes; those wait a second at most
	uv_unref((uv_handle_t *)&loop->turn);
	uv_unref((uv_handle_t *)&loop->alarm);
	for (struct signal_watch *watch = loop->signals, *next; watch; watch = next) {
		next = watch->next;
		uv_close((uv_handle_t *)&watch->uv, signal_watch_closed);
	}
	run_dry(loop);
	uv_close((uv_handle_t *)&loop->turn, NULL);
	uv_close((uv_handle_t *)&loop->alarm, NULL);
	run_dry(loop);
	int error = uv_loop_close(&loop->uv);
	assert(error == 0);
	(void)error;
	if (loop->schedule >= 0)
		close(loop->schedule);
	free(loop->received);
	free(loop);
}

void loop_run(struct loop *loop)
{
	uv_update_time(&loop->uv);
	loop->running = true;
	if (loop->schedule < 0)
		loop->schedule = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	udp_send_held(loop); // of the turn that stopped it
	loop->running = false;
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

struct timer_wheel *loop_wheel(struct loop *loop)
{
	return &loop->wheel;
}

// ---- time

uint64_t loop_now_ms(const struct loop *loop)
{
	// before the first turn nothing keeps libuv's own idea of the time fresh
	return loop->running ? uv_now(&loop->uv) : uv_hrtime() / 1000000;
}

uint64_t loop_now_us(const struct loop *loop)
{
	(void)loop;
	return uv_hrtime() / 1000;
}

// What the kernel counts of the thread: how long it ran, and waited to run. libuv would look at the sockets twice a turn for it.
// Where the kernel does not say, what it ran.
uint64_t loop_busy_us(const struct loop *loop)
{
	char text[96];
	unsigned long long ran_ns, waited_ns;
	struct timespec ran;
	ssize_t size = loop->schedule >= 0 ? pread(loop->schedule, text, sizeof text - 1, 0) : 0;

	text[size > 0 ? size : 0] = '\0';
	if (sscanf(text, "%llu %llu", &ran_ns, &waited_ns) == 2)
		return (ran_ns + waited_ns) / 1000;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran);
	return (uint64_t)ran.tv_sec * 1000000 + (uint64_t)ran.tv_nsec / 1000;
}

uint64_t loop_time_ms(const struct loop *loop)
{
	(void)loop;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t loop_steady_time_ms(const struct loop *loop)
{
	return loop->began_time_ms + (loop_now_ms(loop) - loop->began_ms);
}

// ---- randomness

// More than 256 bytes at once may be interrupted by a signal (getrandom(2)).
static void get_random(uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t given = getrandom(bytes, size, 0);
		if (given < 0 && errno == EINTR)
			continue;
		if (given <= 0) {
			// tags, nonces and tokens would become guessable: there is no going on
			fprintf(stderr, "the kernel gives no random bytes\n");
			abort();
		}
		bytes += given;
		size -= (size_t)given;
	}
}

void loop_random(struct loop *loop, void *bytes, size_t size)
{
	uint8_t *into = bytes;
	while (size > 0) {
		if (loop->random_left == 0) {
			get_random(loop->random, sizeof loop->random);
			loop->random_left = sizeof loop->random;
		}
		size_t part = size < loop->random_left ? size : loop->random_left;
		uint8_t *from = loop->random + sizeof loop->random - loop->random_left;
		memcpy(into, from, part);
		explicit_bzero(from, part); // what was given out is a secret of whoever asked
		loop->random_left -= part;
		into += part;
		size -= part;
	}
}

uint64_t loop_random_uint(struct loop *loop)
{
	uint64_t value;
	loop_random(loop, &value, sizeof value);
	return value;
}

// ---- signals

static void signal_came(uv_signal_t *handle, int number)
{
	struct signal_watch *watch = handle->data;
	(void)number;
	watch->handler(watch->context);
}

int loop_on_signal(struct loop *loop, int number, void (*handler)(void *context), void *context)
{
	for (const struct signal_watch *watch = loop->signals; watch; watch = watch->next)
		if (watch->number == number)
			return -EEXIST;
	struct signal_watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return -ENOMEM;
	*watch = (struct signal_watch){.number = number, .handler = handler, .context = context};
	int error = uv_signal_init(&loop->uv, &watch->uv);
	if (error) {
		free(watch);
		return error;
	}
	watch->uv.data = watch;
	error = uv_signal_start(&watch->uv, signal_came, number);
	if (error) {
		uv_close((uv_handle_t *)&watch->uv, signal_watch_closed);
		return error;
	}
	uv_unref((uv_handle_t *)&watch->uv);
	watch->next = loop->signals;
	loop->signals = watch;
	return 0;
}

// ---- wake-ups

static void wakeup_came(uv_async_t *handle)
{
	struct wakeup *wakeup = handle->data;
	wakeup->handler(wakeup->context);
}

int wakeup_create(struct loop *loop, void (*handler)(void *context), void *context, struct wakeup **result)
{
	struct wakeup *wakeup = calloc(1, sizeof *wakeup);
	if (!wakeup)
		return -ENOMEM;
	*wakeup = (struct wakeup){.loop = loop, .handler = handler, .context = context};
	int error = uv_async_init(&loop->uv, &wakeup->uv, wakeup_came);
	if (error) {
		free(wakeup);
		return error;
	}
	wakeup->uv.data = wakeup;
	loop->open++;
	*result = wakeup;
	return 0;
}

void wakeup_signal(struct wakeup *wakeup)
{
	uv_async_send(&wakeup->uv);
}

static void wakeup_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void wakeup_destroy(struct wakeup *wakeup)
{
	if (!wakeup)
		return;
	wakeup->loop->open--;
	uv_close((uv_handle_t *)&wakeup->uv, wakeup_closed);
}

// ---- for UDP and TCP

void loop_deliver(void (*deliver)(void *object, const void *extra, char *bytes, size_t size), void *object,
		  const void *extra, struct str bytes)
{
	char *copy = SANITIZED ? malloc(bytes.length) : NULL;
	if (copy)
		memcpy(copy, bytes.at, bytes.length);
	// the bytes are the loop's own buffer, so they may be written to
	deliver(object, extra, copy ? copy : (char *)(uintptr_t)bytes.at, bytes.length);
	free(copy);
}

void loop_enlarge_buffers(uv_handle_t *handle)
{
	const int options[][2] = {{SO_RCVBUFFORCE, SO_RCVBUF}, {SO_SNDBUFFORCE, SO_SNDBUF}};
	const int size = 4 * 1024 * 1024;
	uv_os_fd_t fd;
	if (uv_fileno(handle, &fd) != 0)
		return;
	for (size_t i = 0; i < 2; i++)
		// beyond the system's limit when we may, else up to it
		if (setsockopt(fd, SOL_SOCKET, options[i][0], &size, sizeof size) != 0)
			setsockopt(fd, SOL_SOCKET, options[i][1], &size, sizeof size);
}
