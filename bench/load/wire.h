// The connections of a load: UDP sockets, or streams (TCP, TLS, WebSocket), many of them. What is sent is gathered and goes out
// together; what comes in is cut into messages.
#ifndef BENCH_LOAD_WIRE_H
#define BENCH_LOAD_WIRE_H

#include "base/str.h"

#include <netinet/in.h>

enum wire_kind { WIRE_UDP, WIRE_TCP, WIRE_TLS, WIRE_WS };

struct wire;

// A message that came by a link. The text lives until the handler returns.
typedef void wire_handler(void *context, unsigned link, struct str text);

// Opens `links` sockets or connections to the server, from the ports `port` and following, or any (0). NULL, and says why on
// standard error.
struct wire *wire_open(enum wire_kind kind, struct sockaddr_in server, unsigned links, unsigned port);
void wire_close(struct wire *wire);
unsigned wire_links(const struct wire *wire);
const char *wire_address(const struct wire *wire, unsigned link); // "127.0.0.1:40000", ours
const char *wire_via(const struct wire *wire);                    // "UDP", "TCP", "TLS" or "WS"
const char *wire_parameter(const struct wire *wire);              // of a URI: "" or ";transport=tcp" ...
// Copies. Goes out with wire_flush at the latest. What cannot be sent is counted.
void wire_send(struct wire *wire, unsigned link, struct str text);
void wire_flush(struct wire *wire);
// Waits at most so long for messages and hands each to the handler.
void wire_receive(struct wire *wire, int wait_ms, wire_handler *handler, void *context);

struct wire_counts {
	uint64_t sent, received, failed;
};
struct wire_counts wire_counts(const struct wire *wire);

#endif
