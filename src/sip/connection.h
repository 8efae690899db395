// A connection of the transport, as its parts see it: transport_stream.c keeps it, finds it and ends it, framing.c cuts
// messages out of what comes, transport_tls.c puts TLS between it and the wire, transport_ws.c WebSocket between that and the
// messages. Nobody else includes this.
//
//	wire -> tcp_connection -> [tls_channel] -> [websocket] -> messages
//
#ifndef SIP_CONNECTION_H
#define SIP_CONNECTION_H

#include "sip/tls.h"
#include "sip/transport_private.h"
#include "sip/websocket.h"

enum sip_connection_state {
	CONNECTION_OPENING,  // TCP is being connected
	CONNECTION_SECURING, // the handshake of TLS
	CONNECTION_GREETING, // the handshake of WebSocket
	CONNECTION_OPEN,
	CONNECTION_BROKEN, // ends with the loop's next turn
};

struct sip_connection {
	struct hash_node node; // in by_remote
	struct sip_transport *transport;
	struct tcp_connection *tcp;  // owned
	struct tls_channel *tls;     // owned; NULL when nothing is secured
	struct websocket *websocket; // owned; NULL where messages follow each other in a stream
	uint64_t id;
	struct net_address remote;
	uint8_t kind; // enum transport
	uint8_t listener;
	uint16_t name;   // whom its certificate was to name; 0 = only its address, or it came to us
	bool is_counted; // among its source's (source_limits.h)
	enum sip_connection_state state;
	const char *why;     // it is broken
	unsigned ping_bytes; // line ends seen since the last message
	struct timer timer;  // the next moment at which it may end
	uint64_t state_since_ms;
	uint64_t active_ms; // when something was last said, either way
	uint64_t heard_ms;  // WebSocket: when anything came, or a ping was sent after
	bool pinged;        // WebSocket: a ping was sent and nothing came since
	bool ping_due;      // a ping of ours (sip_transport_ping) waits for its answer since pinged_ms
	bool answers_pings; // one was answered before
	uint64_t pinged_ms;
	uint64_t keep_until_ms; // a registration needs it until then
	uint64_t half_since_ms; // half a message lies in `incoming` since then; 0 = none
	struct str incoming;    // what came of a message that is not complete; owned
	struct str outgoing;    // what is to be sent once it is secured; owned
	struct list watches;    // of struct loss_watch
};

void sip_connection_set_state(struct sip_connection *connection, enum sip_connection_state state);
// Ends it with the loop's next turn. `why` is for the log.
void sip_connection_break(struct sip_connection *connection, const char *why);
// Something that ends it sooner came up. What ends it later is found out when its timer fires.
void sip_connection_schedule(struct sip_connection *connection);
struct flow sip_connection_flow(const struct sip_connection *connection);
// The other side can be spoken to from now on: what waited is sent.
void sip_connection_ready(struct sip_connection *connection);
// There is nothing between it and what is said any more but, perhaps, WebSocket.
void sip_connection_secured(struct sip_connection *connection);
// What the other side said, secured or not.
void sip_connection_take(struct sip_connection *connection, char *bytes, size_t size);
// Bytes for the wire, secured where that is due. 0 or a negative errno, after which the connection is no good.
int sip_connection_write(struct sip_connection *connection, struct str bytes);
// Says the bytes, framed and secured where that is due. 0 or a negative errno, after which the connection is no good.
int sip_connection_say(struct sip_connection *connection, struct str bytes);

// ---- bytes that wait, counted

// Adds a copy of the bytes behind what waits. False when there is no memory.
bool sip_bytes_append(struct sip_transport *transport, struct str *waiting, struct str bytes);
void sip_bytes_free(struct sip_transport *transport, struct str *waiting);

// ---- framing

// Bytes of the stream, as the other side said them.
void sip_framing_take(struct sip_connection *connection, char *bytes, size_t size);

// ---- WebSocket

bool sip_ws_accept(struct sip_connection *connection); // false without memory
void sip_ws_take(struct sip_connection *connection, struct str bytes);

// ---- TLS

// Before the first byte: the connection came to us, or we open it and expect flow->name there. False without memory.
bool sip_tls_accept(struct sip_connection *connection);
bool sip_tls_connect(struct sip_connection *connection);
void sip_tls_start(struct sip_connection *connection);
// Counts and logs that it failed, with the peer.
void sip_tls_note_failure(struct sip_connection *connection, const char *why);
// Bytes of the wire.
void sip_tls_take(struct sip_connection *connection, struct str bytes);

#endif
