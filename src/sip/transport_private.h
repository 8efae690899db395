// What the parts of the transport share; nobody else includes this.
#ifndef SIP_TRANSPORT_PRIVATE_H
#define SIP_TRANSPORT_PRIVATE_H

#include "base/hash.h"
#include "base/pool.h"
#include "base/slots.h"
#include "sip/transport.h"

struct sip_listener {
	struct sip_transport *transport;
	struct udp_socket *udp;   // of TRANSPORT_UDP
	struct tcp_listener *tcp; // of all others; NULL: somebody else listens, and hands over what comes
	struct net_address local;
	uint8_t kind; // enum transport
	uint8_t index;
};

enum { SIP_ROUTES_KEPT = 64, SIP_NAMES_MAX = 1024, SIP_TRANSPORTS = TRANSPORT_WSS + 1, SIP_NO_LISTENER = 255 };

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
	struct sip_listener listeners[SIP_TRANSPORTS][SIP_LISTENERS_MAX + 1]; // one more, of somebody else
	uint8_t foreign[SIP_TRANSPORTS]; // its index there; SIP_NO_LISTENER: there is none
	uint8_t listener_count[SIP_TRANSPORTS];
	struct tls *tls;                 // NULL: nothing can be secured
	struct str origins;              // owned; of web pages that may connect
	struct sip_limits *limits;       // NULL: there are none
	struct str names[SIP_NAMES_MAX]; // owned; flow.name - 1 is the index
	bool names_by_wildcard[SIP_NAMES_MAX];
	unsigned name_count;
	struct slots *connections;    // by id; of struct sip_connection
	struct hash_table *by_remote; // the same, by the address at the other end
	struct pool connection_pool;
	struct sip_route routes[SIP_ROUTES_KEPT];
	struct sip_transport_counters counters;
};

// Whether the sender may be listened to, asked before the message is read.
bool sip_transport_admits(const struct sip_transport *transport, const struct flow *from, struct str message);
// Parses one message and hands it up. False when it could not be parsed.
bool sip_transport_deliver(struct sip_transport *transport, const struct flow *from, char *bytes, size_t size);

static inline bool sip_is_secured(uint8_t kind)
{
	return kind == TRANSPORT_TLS || kind == TRANSPORT_WSS;
}

static inline bool sip_is_web_socket(uint8_t kind)
{
	return kind == TRANSPORT_WS || kind == TRANSPORT_WSS;
}

int sip_udp_listen(struct sip_listener *listener, const struct net_address *local);
int sip_udp_send(struct sip_transport *transport, const struct flow *flow, struct str bytes, struct loss_watch *watch);

int sip_stream_listen(struct sip_listener *listener, const struct net_address *local);
int sip_stream_send(struct sip_transport *transport, struct flow *flow, struct str bytes);
// Our end of the connection; family 0 when it is gone or not open yet.
struct net_address sip_stream_local(const struct sip_transport *transport, uint64_t connection);
void sip_stream_close_all(struct sip_transport *transport); // calls nobody
size_t sip_connection_size(void);                           // for the pool

#endif
