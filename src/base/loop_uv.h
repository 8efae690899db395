// What the three files of the loop on libuv share. Nobody else includes this.
#ifndef BASE_LOOP_UV_H
#define BASE_LOOP_UV_H

#include "base/timer_wheel.h"

#include <uv.h>

// One receive takes up to this many datagrams, each in a piece as large as a datagram can be.
enum { LOOP_PIECE_SIZE = 64 * 1024, LOOP_PIECES = 20, LOOP_RANDOM_SIZE = 4096 };

struct signal_watch;

struct loop {
	uv_loop_t uv;
	uv_prepare_t turn;     // runs the timers that are due, once in each turn, before the loop sleeps
	uv_timer_t alarm;      // ends the sleep when the wheel wants to be advanced
	uint64_t alarm_due_ms; // 0 while not set
	bool running;
	int schedule;                     // the thread's schedstat, once it runs; -1
	uint64_t began_time_ms, began_ms; // wall clock, and monotonic
	size_t open;                      // sockets, connections and wake-ups that their owners have not closed
	struct timer_wheel wheel;
	struct signal_watch *signals; // owned
	uint8_t random[LOOP_RANDOM_SIZE];
	size_t random_left; // bytes not given out yet, at the end of `random`
	// What was received, of whichever socket: handlers return before the next receive. Mostly untouched, so that it
	// costs the memory of the datagrams that really came.
	char *received; // owned, LOOP_PIECES * LOOP_PIECE_SIZE bytes
};

// Calls back with bytes that live until the handler returns; under the address sanitizer with a copy of exactly that
// size on the heap, so that reading too far or too late is found.
void loop_deliver(void (*deliver)(void *object, const void *extra, char *bytes, size_t size), void *object,
		  const void *extra, struct str bytes);
// Asks the kernel for buffers that hold a burst of datagrams; what it refuses is not needed.
void loop_enlarge_buffers(uv_handle_t *handle);

#endif
