// A world to test in: implements base/loop.h with a clock that jumps and a network that loses, doubles, delays and
// reorders as told, all from one seed. Link `loop_sim` instead of `base_loop`; nothing above notices.
// One loop is one world: the server, the phones and the carriers all open their sockets on the same loop, each with
// addresses of its own; any address may be bound (but not 0.0.0.0 or ::), port 0 picks a free one. Nothing happens
// outside sim_step and the functions that call it.
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include "base/loop.h"

// A new world at 1000 ms on its clock, 2024-01-01 00:00:00 UTC on its wall, over a perfect network with a delay of 1 ms.
// NULL when there is no memory. Ends with loop_destroy. loop_create makes the world of seed 1.
struct loop *sim_create(uint64_t seed);

// ---- time

// Does what is due next: one packet, one wake-up or the timers of one millisecond, at the moment it is due. False when
// nothing waits at all.
bool sim_step(struct loop *loop);
// Steps through everything due until then; the clock then shows `until_ms` (of loop_now_ms).
void sim_run_until(struct loop *loop, uint64_t until_ms);
void sim_run_for(struct loop *loop, uint64_t duration_ms);
// Steps until nothing waits any more or `limit_ms` have passed; false in the latter case.
bool sim_run_idle(struct loop *loop, uint64_t limit_ms);
// The wall clock jumps; timers do not notice.
void sim_set_time(struct loop *loop, uint64_t wall_ms);
// From now on the thread sleeps for so many thousandths less of each second, as loop_busy_us tells.
void sim_set_busy(struct loop *loop, unsigned permille);
// How full all sockets' queues are said to be.
void sim_set_queue(struct loop *loop, unsigned percent);
void sim_raise_signal(struct loop *loop, int number); // runs the handler of loop_on_signal
// Another stream of the seed, for the test's own choices: the loop's randomness does not depend on how many are taken.
uint64_t sim_choice(struct loop *loop, uint64_t below); // 0 to below - 1; 0 when below is 0

// ---- the network

struct sim_network {
	unsigned loss_permille;      // UDP datagrams that never arrive
	unsigned duplicate_permille; // that arrive twice
	unsigned reorder_permille;   // that wait for another reorder_ms, so that later ones overtake them
	unsigned reorder_ms;
	unsigned delay_min_ms, delay_max_ms; // each way, drawn anew for each datagram; differing ones reorder, too
	bool cut_streams;                    // TCP bytes arrive in pieces cut at random places
};
void sim_set_network(struct loop *loop, const struct sim_network *network);

// A host that is down receives nothing and what it sends is lost; TCP connections to it hang until it is up again,
// and new ones are not answered.
void sim_host_down(struct loop *loop, const struct net_address *host); // the port does not matter
void sim_host_up(struct loop *loop, const struct net_address *host);
// As tcp_connect, for a host of one's own: `from` says which, its port is not used. tcp_connect itself connects from the
// first address that was bound in this world, so open the server's sockets first.
int sim_tcp_connect(struct loop *loop, const struct net_address *from, const struct net_address *to,
		    const struct tcp_handlers *handlers, void *context, struct tcp_connection **connection);
// Every TCP connection with this end breaks (-ECONNRESET on both sides), what is under way is lost. A port of 0 means all of
// the host's. Gives how many broke.
unsigned sim_reset_connections(struct loop *loop, const struct net_address *end);

enum sim_transport { SIM_UDP, SIM_TCP };

// What becomes of a packet. SIM_REFUSED: the kernel does not take it, and whoever watches it is told in the next turn.
enum sim_fate { SIM_DELIVERED, SIM_LOST, SIM_DOUBLED, SIM_REFUSED };

struct sim_packet {
	uint64_t at_ms; // when it was sent, or arrived
	enum sim_transport transport;
	struct net_address from, to;
	struct str bytes;
};

// Asked for each datagram as it is sent, before chance is: SIM_DELIVERED leaves it to the network, all others decide it. NULL undoes
// it.
void sim_filter(struct loop *loop, enum sim_fate (*filter)(void *context, const struct sim_packet *packet),
		void *context);
// Told of each datagram and each piece of a stream: as it is sent (arrived = false, with its fate) and as it arrives, just
// before its handler runs. NULL undoes it.
struct sim_watcher {
	void (*sent)(void *context, const struct sim_packet *packet, enum sim_fate fate);
	void (*arrived)(void *context, const struct sim_packet *packet);
	void *context;
};
void sim_watch(struct loop *loop, const struct sim_watcher *watcher);

// ---- names (base/dns.h asks these; an answer takes the network's delay twice)

// A record as in a zone file: "carrier.example 300 SRV 10 60 5060 a.carrier.example", "... A 10.0.1.1",
// "... NAPTR 10 50 s SIP+D2U _sip._udp.carrier.example". What has no record is nothing, and stays so for 30 s.
void sim_dns_add(struct loop *loop, const char *record);
void sim_dns_remove(struct loop *loop, const char *name); // all its records
enum sim_dns_servers {
	SIM_DNS_ANSWER,
	SIM_DNS_SILENT, // a question fails after DNS_PATIENCE_MS
	SIM_DNS_FAIL    // at once
};
void sim_dns_servers(struct loop *loop, enum sim_dns_servers servers);
uint64_t sim_dns_asked(const struct loop *loop); // questions ever

// ---- what is there

struct sim_count {
	unsigned timers;     // running
	unsigned packets;    // under way
	unsigned sockets;    // UDP sockets, TCP listeners and connections open
	unsigned wakeups;    // existing
	uint64_t sent;       // datagrams and pieces of streams, ever
	uint64_t arrived;    // ever
	uint64_t steps;      // ever
	uint64_t transcript; // a hash over every arrival: when, from where, to where, which bytes
};
struct sim_count sim_count(const struct loop *loop);

#endif
