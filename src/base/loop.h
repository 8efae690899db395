// The event loop: sockets, timers, the only clock and the only randomness of the call plane. loop_uv.c runs it on
// libuv; the simulation in test/sim links its own implementation of this header instead, with a clock and a network
// of its own, so everything above runs unchanged and repeatably from a seed.
// One thread owns a loop; only wakeup_signal may be called from others. Functions return 0 or a negative errno.
// A handler may close or free the object that called it.
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/list.h"
#include "base/net.h"

struct loop;

int loop_create(struct loop **loop);  // ignores SIGPIPE from then on
void loop_destroy(struct loop *loop); // everything opened on it must have been closed
void loop_run(struct loop *loop);     // until loop_stop
void loop_stop(struct loop *loop);
uint64_t loop_now_ms(const struct loop *loop);  // monotonic, the same during one turn
uint64_t loop_now_us(const struct loop *loop);  // monotonic, read now: for measuring
uint64_t loop_busy_us(const struct loop *loop); // what its thread did not sleep since some moment; its thread alone
uint64_t loop_time_ms(const struct loop *loop); // wall clock, milliseconds since 1970-01-01 UTC
// The wall clock as it was when the loop was made, and what has gone by since: does not jump when somebody sets the clock.
uint64_t loop_steady_time_ms(const struct loop *loop);
void loop_random(struct loop *loop, void *bytes, size_t size); // cryptographically strong
uint64_t loop_random_uint(struct loop *loop);

// ---- timers (wheel in timer.c; 1 ms ticks; start and stop cost O(1) and allocate nothing)

struct timer {
	struct list node;                     // in the wheel while it runs
	uint64_t due_ms;                      // by loop_now_ms
	void (*handler)(struct timer *timer); // find the owner with container_of
};

void timer_init(struct timer *timer, void (*handler)(struct timer *timer));
// Starts, or starts anew. Fires once, never early, never before the next turn.
void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms);
// Likewise, but up to 127 ms late, when others of the kind are due: what need not be to the millisecond does not wake the process for
// itself, and what it sends goes out together. 0 is the next turn.
void timer_start_about(struct loop *loop, struct timer *timer, uint64_t delay_ms);
void timer_stop(struct timer *timer); // harmless when not running
static inline bool timer_running(const struct timer *timer)
{
	return timer->due_ms != 0;
}

// ---- wake-ups from other threads

struct wakeup;

int wakeup_create(struct loop *loop, void (*handler)(void *context), void *context, struct wakeup **wakeup);
void wakeup_signal(struct wakeup *wakeup); // any thread; several signals may become one call
void wakeup_destroy(struct wakeup *wakeup);

// ---- signals (SIGTERM, SIGHUP ...); at most one handler each (-EEXIST), until the loop is destroyed

int loop_on_signal(struct loop *loop, int number, void (*handler)(void *context), void *context);

// ---- sockets that a library of somebody else's reads and writes (the simulation has none of them)

struct loop_watch;
enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };
typedef void loop_ready(void *context, int socket, unsigned ready); // which of the two, or both

// Watches for nothing until loop_watch_set says for what. To be stopped before the socket is closed.
int loop_watch_start(struct loop *loop, int socket, loop_ready *ready, void *context, struct loop_watch **watch);
void loop_watch_set(struct loop_watch *watch, unsigned wanted);
void loop_watch_stop(struct loop_watch *watch);

// ---- what was sent and cannot arrive

// Told once, then no longer in any list. Belongs to the watcher, who may list_remove(&watch->node) at any time; list_init it before
// first use.
struct loss_watch {
	struct list node;
	void (*lost)(struct loss_watch *watch);
};

// Tells all in the list. They may take others out of it, and put some in.
static inline void loss_watches_tell(struct list *watches)
{
	while (!list_empty(watches)) {
		struct loss_watch *watch = container_of(watches->next, struct loss_watch, node);
		list_remove(&watch->node);
		watch->lost(watch);
	}
}

// ---- UDP

struct udp_socket;

// The bytes live until the handler returns and may be written to (the SIP parser unfolds in place).
typedef void udp_received(void *context, const struct net_address *from, char *bytes, size_t size);

int udp_open(struct loop *loop, const struct net_address *local, udp_received *received, void *context,
	     struct udp_socket **socket);
struct net_address udp_local(const struct udp_socket *socket); // with the real port when 0 was asked for
// How full the kernel's queue of what was not received yet is, in percent. 0 when the kernel does not say.
unsigned udp_queue_percent(const struct udp_socket *socket);
// Sends at the end of the turn, in the order given: whoever gets several datagrams is woken for all of them at once. While the loop does
// not run, now. What a full queue drops is lost as datagrams are lost. -EMSGSIZE for more than a datagram holds; another negative
// errno when the kernel refuses it now; `watch` is told in the next turn when it refuses it at the end of this one (NULL: nobody is).
int udp_send(struct udp_socket *socket, const struct net_address *to, struct str datagram, struct loss_watch *watch);
void udp_close(struct udp_socket *socket);

// ---- TCP

struct tcp_listener;
struct tcp_connection;

struct tcp_handlers {
	void (*connected)(void *context,
			  int error); // outgoing only; 0 or negative errno, after which it must be closed
	void (*received)(void *context, char *bytes, size_t size); // bytes as in udp_received
	void (*ended)(void *context, int error); // the other side closed (0) or it broke; it must be closed
};

// `accepted` must set handlers with tcp_handle before it returns, or close the connection.
int tcp_listen(struct loop *loop, const struct net_address *local,
	       void (*accepted)(void *context, struct tcp_connection *connection, const struct net_address *from),
	       void *context, struct tcp_listener **listener);
struct net_address tcp_listener_local(const struct tcp_listener *listener);
void tcp_listener_close(struct tcp_listener *listener);

int tcp_connect(struct loop *loop, const struct net_address *to, const struct tcp_handlers *handlers, void *context,
		struct tcp_connection **connection);
// A connection that somebody else has accepted and spoken on.
struct tcp_foreign {
	int socket; // a stream; the loop's from now on
	struct net_address local,
	    remote; // as its user is to see them: the socket may be a pair's, and lead to who holds the wire
	void (*closed)(void *context); // the socket has been closed; NULL: nobody wants to know
	void *context;
};
// When this fails the socket is closed, too, and closed has been called.
int tcp_adopt(struct loop *loop, const struct tcp_foreign *foreign, const struct tcp_handlers *handlers, void *context,
	      struct tcp_connection **connection);
void tcp_handle(struct tcp_connection *connection, const struct tcp_handlers *handlers, void *context);
struct net_address tcp_local(const struct tcp_connection *connection);
struct net_address tcp_remote(const struct tcp_connection *connection);
// Copies what the kernel does not take at once. -ENOBUFS when that could make more than 256 KiB wait, and -ENOMEM when
// there is no memory: nothing is sent then, and the connection goes on. After any other error, and when -ENOMEM came in
// the middle of the bytes, `ended` follows in a later turn. May be called while connecting.
int tcp_send(struct tcp_connection *connection, struct str bytes);
void tcp_read_stop(struct tcp_connection *connection);
void tcp_read_start(struct tcp_connection *connection);
// Sends what waits for at most a second, then closes. No handler is called any more.
void tcp_close(struct tcp_connection *connection);

#endif
