// What the three files of the loop on libuv share. Nobody else includes this.
#ifndef BASE_LOOP_UV_H
#define BASE_LOOP_UV_H

#include "base/timer_wheel.h"

#include <sys/socket.h>
#include <uv.h>

// One receive takes up to this many datagrams, each in a piece as large as a datagram can be.
enum { LOOP_PIECE_SIZE = 64 * 1024, LOOP_PIECES = 20, LOOP_RANDOM_SIZE = 4096 };
// So many datagrams wait for the end of a turn, and so many bytes of them; with more they go before it.
enum { LOOP_HELD = 64, LOOP_HELD_BYTES = 2 * LOOP_PIECE_SIZE };

struct signal_watch;

// Datagrams that go out at the end of the turn.
struct udp_held {
	unsigned count;
	size_t used;                           // bytes of `room`
	struct udp_socket *sockets[LOOP_HELD]; // by which they go
	struct list watches[LOOP_HELD];        // heads: who wants to know of a refusal
	struct mmsghdr messages[LOOP_HELD];    // made once, but for the sizes
	struct iovec pieces[LOOP_HELD];        // in `room`
	struct sockaddr_storage places[LOOP_HELD];
	char *room; // LOOP_HELD_BYTES, behind loop->received
};

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
	char *received; // owned, LOOP_PIECES * LOOP_PIECE_SIZE bytes, and what is held behind them
	struct udp_held held;
	struct list refused;   // watches of what the kernel refused
	struct timer refusals; // tells them
};

// Calls back with bytes that live until the handler returns; under the address sanitizer with a copy of exactly that
// size on the heap, so that reading too far or too late is found.
void loop_deliver(void (*deliver)(void *object, const void *extra, char *bytes, size_t size), void *object,
		  const void *extra, struct str bytes);
void udp_held_init(struct loop *loop);
void udp_send_held(struct loop *loop);
// Asks the kernel for buffers that hold a burst of datagrams; what it refuses is not needed.
void loop_enlarge_buffers(uv_handle_t *handle);

#endif
