// Sockets and flows: where messages come from and go to (RFC 3261 section 18, RFC 3581, RFC 5626 keep-alives).
// Frames streams, fills in received and rport, picks the socket. Connections of TCP and TLS are opened when something is sent
// to where none leads, and used again for whoever stands at the other end.
#ifndef SIP_TRANSPORT_H
#define SIP_TRANSPORT_H

#include "base/loop.h"
#include "domain/registration.h"
#include "sip/message.h"

struct sip_transport;
struct sip_limits;
struct tls;

enum { SIP_LISTENERS_MAX = 4 }; // of each kind

struct sip_transport_settings {
	struct net_address udp[SIP_LISTENERS_MAX]; // family 0 ends the list
	struct net_address tcp[SIP_LISTENERS_MAX];
	struct net_address tls[SIP_LISTENERS_MAX]; // only with a certificate
	struct net_address ws[SIP_LISTENERS_MAX];  // SIP over WebSocket (RFC 7118)
	struct net_address wss[SIP_LISTENERS_MAX]; // the same over TLS; only with a certificate
	struct str origins;        // of web pages that may connect by WebSocket, separated by spaces; empty = any
	struct tls *secure;        // borrowed; NULL = no TLS either way
	struct sip_limits *limits; // borrowed; NULL = everybody may do everything
	struct str
	    advertised_host; // in Via and Contact; empty = the socket's own address (for 0.0.0.0: the one that the route
			     // to the peer gives)
	unsigned connections_max; // all together; 0 = 10000
	unsigned idle_s;          // a connection with nothing registered and nothing said is closed; 0 = 120
};

// `received` and `broken` may send, and may not destroy the transport.
struct sip_transport_handlers {
	// A message that parsed. Its bytes and the slices live until this returns. For requests the topmost Via's received and
	// rport are already right for answering (see sip_transport_reply_flow). A response whose topmost Via is not ours never
	// comes here (RFC 3261 section 18.1.2).
	void (*received)(void *context, const struct flow *from, struct sip_message *message);
	// One that did not, and is no response. What is answerable is answered by the endpoint; the rest is only counted.
	// Broken responses are dropped without a word.
	void (*broken)(void *context, const struct flow *from, struct sip_message *message,
		       const struct sip_fault *fault);
	// For flow.name of one that connects to us over TLS from there: its certificate must be shown and name that. 0: none is asked
	// for. May be NULL.
	uint16_t (*demands)(void *context, const struct net_address *remote);
	// A connection is gone, or could never be opened. Never called from within sip_transport_send.
	void (*flow_lost)(void *context, uint64_t connection);
};

// 0, or a negative errno with *failed set to the address that could not be opened.
int sip_transport_create(struct loop *loop, const struct sip_transport_settings *settings,
			 const struct sip_transport_handlers *handlers, void *context, struct sip_transport **transport,
			 struct net_address *failed);
// SIP over WebSocket where somebody else listens, namely an HTTP server: `kind` is TRANSPORT_WS, or TRANSPORT_WSS when it does the TLS.
// Once for each. Our Via and Contact name that address to those who came by it.
void sip_transport_set_foreign(struct sip_transport *transport, enum transport kind, const struct net_address *local);
// What the HTTP server is to answer to this request: the head as websocket_greet takes it. 101: the socket may come.
void sip_transport_greet(struct sip_transport *transport, const struct net_address *from, struct str head,
			 struct writer *answer);
// The socket of one that was answered with 101, and what came on it since. Refused, it is closed.
void sip_transport_adopt(struct sip_transport *transport, enum transport kind, const struct tcp_foreign *socket,
			 struct str early);
// Takes over idle_s and origins; connections that are there go on. False, and nothing has changed, when there is no memory.
bool sip_transport_change(struct sip_transport *transport, const struct sip_transport_settings *settings);
// Closes everything and calls nobody.
void sip_transport_destroy(struct sip_transport *transport);

// A flow for something new to `remote`: over the first of our listeners that speaks its address family, no connection
// yet. False when none does; for TLS none is needed.
bool sip_transport_flow_to(const struct sip_transport *transport, enum transport kind, const struct net_address *remote,
			   struct flow *flow);
// For flow.name, of something new over TLS: who the certificate at the other end must name, as the configuration has it. Without
// one (0) it must name the address. And for a name of ours. 0 as well when there is no memory or there are too many.
uint16_t sip_transport_name(struct sip_transport *transport, struct str host);
// A certificate with a wildcard for the name's first label is good, too, from now on (RFC 2818 section 3.1).
void sip_transport_name_by_wildcard(struct sip_transport *transport, uint16_t name);
// Sends the bytes along the flow. UDP is sent at the end of the turn. On streams the flow's connection is used; when it is gone or 0, one
// to flow->remote that is there already or is opened now (and flow->connection set); the bytes wait for it. Returns 0 or a
// negative errno. A connection that fails later is told by flow_lost and to its watches.
int sip_transport_send(struct sip_transport *transport, struct flow *flow, struct str bytes);
// The same, and `watch` is told when the bytes turn out to be lost: the kernel refuses the datagram, or the connection goes, now or later.
int sip_transport_send_watched(struct sip_transport *transport, struct flow *flow, struct str bytes,
			       struct loss_watch *watch);
// Where the response to a request goes that came by `from` with this topmost Via: over UDP to the source address, and its
// port if rport was asked for, else the Via's (RFC 3261 section 18.2.2, RFC 3581 section 4); over TCP on the same
// connection, and when that is gone by a new one to the source's host and the Via's port. maddr is ignored on purpose: it
// would let anybody aim our packets.
struct flow sip_transport_reply_flow(const struct flow *from, const struct sip_via *via);
// Whether what goes along the flow arrives or breaks with its connection, so that nothing need be repeated.
static inline bool sip_transport_is_reliable(const struct flow *flow)
{
	return flow->transport != TRANSPORT_UDP;
}
// Whether nobody on the way can read what goes along the flow: sips: is only spoken there.
static inline bool sip_transport_is_secured(const struct flow *flow)
{
	return flow->transport == TRANSPORT_TLS || flow->transport == TRANSPORT_WSS;
}

// False when the connection is gone already (or 0): nothing will be told.
bool sip_transport_watch(struct sip_transport *transport, uint64_t connection, struct loss_watch *watch);
// The connection is needed for so long, idle or not: somebody registered over it. 0 takes it back.
void sip_transport_keep(struct sip_transport *transport, uint64_t connection, unsigned seconds);

// Asks whether the other end of the connection is there: CRLF CRLF (RFC 5626 section 4.4.1), which keeps the bindings of NATs on the
// way open, too. Whoever has ever answered must do so within ten seconds each time, or the connection is taken for broken; whoever
// never does, does not know the question. No WebSocket. Harmless when the connection is gone.
void sip_transport_ping(struct sip_transport *transport, uint64_t connection);

// Whether a request of this size must not go by UDP (RFC 3261 section 18.1.1: over 1300 bytes).
bool sip_transport_too_large_for_udp(size_t size);

// Host and port of ours to put into Via and Contact for this flow; an IPv6 host in brackets.
void sip_transport_write_local(struct sip_transport *transport, struct writer *w, const struct flow *flow);
// The same for a Contact, under the name that sip_transport_name gave; 0: as above.
void sip_transport_write_own(struct sip_transport *transport, struct writer *w, const struct flow *flow, uint16_t name);
// The whole topmost Via line of a request of ours, with rport (RFC 3581 section 3) and CRLF.
void sip_transport_write_via(struct sip_transport *transport, struct writer *w, const struct flow *flow,
			     struct str branch);
const char *sip_transport_via_name(uint8_t transport); // "UDP" for TRANSPORT_UDP ...
// True when host and port (0 = 5060) name one of our listeners (for Route headers and loops).
bool sip_transport_is_local(const struct sip_transport *transport, struct str host, uint16_t port);
// The bound address of the n-th listener of a transport; family 0 when there is none. For tests and logs.
struct net_address sip_transport_listener(const struct sip_transport *transport, enum transport kind, unsigned n);

// How full the fullest queue of our UDP sockets is, in percent.
unsigned sip_transport_queue_percent(const struct sip_transport *transport);

struct sip_transport_counters {
	uint64_t received, sent, broken, refused_connections;
	uint64_t handshakes, handshakes_failed; // of TLS
	unsigned connections;
	size_t buffered_bytes; // half messages held
};
struct sip_transport_counters sip_transport_count(const struct sip_transport *transport);

#endif
