// The server's side of a WebSocket (RFC 6455) that speaks SIP (RFC 7118), by memory alone: bytes go in, messages come out,
// and the other way. libwslay cuts the frames; the greeting before them is ours.
#ifndef SIP_WEBSOCKET_H
#define SIP_WEBSOCKET_H

#include "base/str.h"
#include "base/writer.h"

enum { WEBSOCKET_GREETING_MAX = 4096 }; // bytes of the HTTP request

struct websocket;

enum websocket_state {
	WEBSOCKET_GREETING, // the HTTP request has not come yet, or not all of it
	WEBSOCKET_OPEN,
	WEBSOCKET_OVER, // refused, closed or broken: what there was to say has been said
};

struct websocket_handlers {
	// Bytes for the other side. False when it does not take them.
	bool (*send)(void *context, struct str bytes);
	void (*opened)(void *context);
	// One message; its bytes live until it returns and may be written to. It may send, and may not destroy the WebSocket.
	void (*received)(void *context, char *bytes, size_t size);
};

// `origins`: of web pages that may connect, separated by spaces; empty = any. Borrowed, and looked at when the
// greeting is complete. NULL when there is no memory.
struct websocket *websocket_create(const struct str *origins, size_t message_max,
				   const struct websocket_handlers *handlers, void *context);
// The greeting was read, and answered with 101, by somebody else.
void websocket_greeted(struct websocket *websocket);
// Says goodbye where that makes sense, and frees. NULL is allowed.
void websocket_destroy(struct websocket *websocket);
enum websocket_state websocket_receive(struct websocket *websocket, struct str bytes);
// While WEBSOCKET_OPEN. False when it could not be said.
bool websocket_send(struct websocket *websocket, struct str message);
bool websocket_ping(struct websocket *websocket);
const char *websocket_why(const struct websocket *websocket); // it is over

// The answer to somebody who may not connect now.
void websocket_turn_away(struct writer *answer);
// The answer to the HTTP request, up to and with its blank line. 101 when it is one for us; *why says what is wrong with it
// otherwise.
unsigned websocket_greet(struct str request, struct str origins, struct writer *answer, const char **why);

#endif
