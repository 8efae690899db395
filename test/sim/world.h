// The inside of a simulated world, shared by loop_sim.c, network_sim.c and stream_sim.c.
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "sim/sim.h"

#include "base/hash.h"
#include "base/slots.h"
#include "base/timer_wheel.h"

enum { SIGNALS_MAX = 64 };

enum event_kind {
	EVENT_DATAGRAM,
	EVENT_SYN,     // a connection's request arrives at the listener
	EVENT_OPEN,    // the answer arrives at the one who asked
	EVENT_REFUSED, // or the refusal
	EVENT_PIECE,   // bytes of a stream
	EVENT_FIN,
	EVENT_RESET,
};

// Something that arrives at a moment.
struct event {
	struct list node; // in a connection's inbox while it is stalled
	uint64_t at_ms;
	uint64_t sequence; // events of the same millisecond keep their order
	enum event_kind kind;
	struct net_address from, to;
	uint64_t connection; // streams: the receiver
	uint64_t sender;     // and the one who sent it
	int error;           // EVENT_REFUSED
	size_t size;
	char *bytes; // owned
};

enum bound_kind { BOUND_UDP, BOUND_TCP };

// An address that something listens on.
struct bound {
	struct hash_node node;
	struct loop *loop;
	enum bound_kind kind;
	struct net_address address;
};

struct udp_socket {
	struct bound bound;
	udp_received *received;
	void *context;
};

struct tcp_listener {
	struct bound bound;
	void (*accepted)(void *context, struct tcp_connection *connection, const struct net_address *from);
	void *context;
};

enum connection_state { CONNECTION_ASKING, CONNECTION_OPEN, CONNECTION_ENDED };

struct tcp_connection {
	struct loop *loop;
	uint64_t id;
	uint64_t peer; // 0 until it is there; may be gone
	enum connection_state state;
	struct net_address local, remote;
	const struct tcp_handlers *handlers;
	void *context;
	bool reading;
	struct list inbox;        // events that came while nobody read or the host was down; owned
	struct list early;        // EVENT_PIECEs sent before the connection was there; owned
	uint64_t last_arrival_ms; // at the peer: what is sent later arrives later
	size_t waiting;           // bytes sent and not yet received
};

struct wakeup {
	struct list node; // in the loop's pending list while signalled
	struct loop *loop;
	void (*handler)(void *context);
	void *context;
};

struct down_host {
	struct list node;
	struct net_address host;
};

struct loop {
	uint64_t now_ms;
	uint64_t wall_offset_ms;
	unsigned busy_permille; // since busy_since_ms; before that busy_us
	uint64_t busy_since_ms, busy_us;
	unsigned queue_percent;
	struct timer_wheel wheel;
	uint64_t random_state; // what the code under test draws from
	uint64_t network_state;
	uint64_t choice_state;

	struct event **heap; // owned; the earliest at 0
	size_t heap_count, heap_size;
	uint64_t sequence;

	struct hash_table *bound;
	struct slots *connections;
	struct list pending;     // wakeups
	struct list refused;     // watches of refused datagrams
	struct timer refusals;   // tells them
	struct list down;        // down_hosts
	struct net_address home; // the first address bound: where tcp_connect connects from
	uint16_t next_port;

	struct list dns_records; // owned
	enum sim_dns_servers dns_servers;
	uint64_t dns_asked;

	struct sim_network network;
	enum sim_fate (*filter)(void *context, const struct sim_packet *packet);
	void *filter_context;
	struct sim_watcher watcher;
	struct {
		void (*handler)(void *context);
		void *context;
	} signals[SIGNALS_MAX];
	bool stopped;
	struct sim_count count;
};

uint64_t draw(uint64_t *state);
uint64_t draw_below(uint64_t *state, uint64_t below); // 0 when below is 0
// A new event of the world, with a copy of the bytes; not yet waiting.
struct event *event_new(struct loop *loop, enum event_kind kind, uint64_t at_ms, struct str bytes);
void event_push(struct loop *loop, struct event *event); // it waits for its moment; takes it
void event_free(struct event *event);

bool network_chance(struct loop *loop, unsigned permille);
uint64_t network_delay(struct loop *loop);
bool network_is_down(const struct loop *loop, const struct net_address *host);
void network_init(struct loop *loop);
void network_sent(struct loop *loop, const struct sim_packet *packet, enum sim_fate fate);
void network_arrived(struct loop *loop, const struct event *event, enum sim_transport transport);
struct bound *bound_find(struct loop *loop, enum bound_kind kind, const struct net_address *address);
int bound_add(struct loop *loop, struct bound *bound, enum bound_kind kind, const struct net_address *local);
void bound_remove(struct bound *bound);
uint16_t port_next(struct loop *loop);

void dns_forget(struct loop *loop); // all records
void datagram_arrive(struct loop *loop, const struct event *event);
void stream_arrive(struct loop *loop, struct event *event); // takes it
void streams_resume(struct loop *loop);                     // hosts have come up: what was stalled goes on

#endif
