// Sockets and flows: where messages come from and go to (RFC 3261 section 18, RFC 3581, RFC 5626 keep-alives).
// Frames streams, fills in received and rport, picks the socket, moves large requests from UDP to TCP.
#ifndef SIP_TRANSPORT_H
#define SIP_TRANSPORT_H

#include "base/loop.h"
#include "domain/registration.h"
#include "sip/message.h"

struct sip_transport;

struct sip_transport_settings {
	struct net_address udp[4]; // listeners; family 0 ends the list
	struct net_address tcp[4];
	struct str
	    advertised_host; // in Via and Contact; empty = the socket's own address (for 0.0.0.0: the one that the route
			     // to the peer gives)
	unsigned connections_max; // all together
	unsigned idle_s;          // a connection with nothing registered and nothing said is closed
};

struct sip_transport_handlers {
	// A message that parsed. Its bytes and the slices live until this returns. For requests the topmost Via's received and
	// rport are already right for answering (see sip_transport_reply_flow).
	void (*received)(void *context, const struct flow *from, struct sip_message *message);
	// One that did not. Requests that are answerable are answered by the endpoint.
	void (*broken)(void *context, const struct flow *from, struct sip_message *message,
		       const struct sip_fault *fault);
	void (*flow_lost)(void *context, uint64_t connection);
};

// 0, or a negative errno with *failed set to the address that could not be opened.
int sip_transport_create(struct loop *loop, const struct sip_transport_settings *settings,
			 const struct sip_transport_handlers *handlers, void *context, struct sip_transport **transport,
			 struct net_address *failed);
void sip_transport_destroy(struct sip_transport *transport);

// Sends the bytes along the flow. UDP is sent now. On TCP the flow's connection is used; when it is gone or 0, one to
// flow->remote is opened (and flow->connection set) and the bytes wait for it. Returns 0 or a negative errno. A connection
// that fails later is told by flow_lost.
int sip_transport_send(struct sip_transport *transport, struct flow *flow, struct str bytes);

// Whether a request of this size must not go by UDP (RFC 3261 section 18.1.1: over 1300 bytes).
bool sip_transport_too_large_for_udp(size_t size);

// Host and port of ours to put into Via and Contact for this flow.
void sip_transport_write_local(struct sip_transport *transport, struct writer *w, const struct flow *flow);
const char *sip_transport_via_name(uint8_t transport); // "UDP" for TRANSPORT_UDP ...
// True when host and port name one of our listeners (for Route headers and loops).
bool sip_transport_is_local(const struct sip_transport *transport, struct str host, uint16_t port);
// The bound address of the n-th listener of a transport; family 0 when there is none. For tests and logs.
struct net_address sip_transport_listener(const struct sip_transport *transport, enum transport kind, unsigned n);

struct sip_transport_counters {
	uint64_t received, sent, broken, refused_connections;
	unsigned connections;
};
struct sip_transport_counters sip_transport_count(const struct sip_transport *transport);

#endif
