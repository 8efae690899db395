// What the parts of the transport share; nobody else includes this.
#ifndef SIP_TRANSPORT_PRIVATE_H
#define SIP_TRANSPORT_PRIVATE_H

#include "base/hash.h"
#include "base/pool.h"
#include "base/slots.h"
#include "sip/transport.h"

struct sip_udp_listener {
	struct sip_transport *transport;
	struct udp_socket *socket;
	struct net_address local;
	uint8_t index;
};

struct sip_tcp_listener {
	struct sip_transport *transport;
	struct tcp_listener *listener;
	struct net_address local;
	uint8_t index;
};

enum { SIP_ROUTES_KEPT = 64 };

// Which address of ours the kernel uses towards a host: asked once in a while, for sockets bound to 0.0.0.0 or ::.
struct sip_route {
	struct net_address remote, local;
	uint64_t asked_ms;
};

struct sip_transport {
	struct loop *loop;
	struct sip_transport_handlers handlers;
	void *context;
	char advertised_host[256];
	uint64_t idle_ms;
	struct sip_udp_listener udp[SIP_LISTENERS_MAX];
	struct sip_tcp_listener tcp[SIP_LISTENERS_MAX];
	uint8_t udp_count, tcp_count;
	struct slots *connections;    // by id; of struct sip_connection
	struct hash_table *by_remote; // the same, by the address at the other end
	struct pool connection_pool;
	struct sip_route routes[SIP_ROUTES_KEPT];
	struct sip_transport_counters counters;
};

// Parses one message and hands it up. False when it could not be parsed.
bool sip_transport_deliver(struct sip_transport *transport, const struct flow *from, char *bytes, size_t size);

int sip_udp_open(struct sip_transport *transport, const struct net_address *local);
void sip_udp_close(struct sip_udp_listener *listener);
int sip_udp_send(struct sip_transport *transport, const struct flow *flow, struct str bytes);

int sip_tcp_open(struct sip_transport *transport, const struct net_address *local);
void sip_tcp_close(struct sip_tcp_listener *listener);
int sip_tcp_send(struct sip_transport *transport, struct flow *flow, struct str bytes);
size_t sip_tcp_connection_size(void); // for the pool
// Our end of the connection; family 0 when it is gone or not open yet.
struct net_address sip_tcp_connection_local(const struct sip_transport *transport, uint64_t connection);
void sip_tcp_close_all(struct sip_transport *transport); // calls nobody

#endif
