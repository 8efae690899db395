// A simulated phone's connections: TCP, TLS, WebSocket and WebSocket over TLS, framed as they are on the wire.
#ifndef TEST_SIM_PHONE_STREAM_H
#define TEST_SIM_PHONE_STREAM_H

#include "sim/phone.h"
#include "sip/tls.h"

enum { WIRE_BUFFER_SIZE = 32768 };

enum wire_state { WIRE_OPENING, WIRE_SECURING, WIRE_GREETING, WIRE_OPEN };

// One connection, whoever opened it.
struct wire {
	struct list node; // in its phone's list, newest last
	uint64_t id;
	struct phone *phone;
	struct tcp_connection *connection; // owned
	struct tls_channel *tls;           // owned, or NULL
	enum wire_state state;
	bool accepted;
	bool over;   // the other side has said goodbye, or what it says is no good
	char *early; // owned; what is to be said once it is open: messages, each behind its length
	size_t early_size;
	char buffer[WIRE_BUFFER_SIZE]; // what came, out of TLS
	size_t used;
	char message[WIRE_BUFFER_SIZE]; // WebSocket: what came of a message in pieces
	size_t message_size;
};

bool phone_is_stream(const struct phone *phone);
bool phone_is_web_socket(const struct phone *phone);
bool phone_is_secured(const struct phone *phone);
int phone_stream_listen(struct phone *phone);
void phone_stream_send(struct phone *phone, uint64_t wire, struct str bytes); // wire 0: whatever leads to the server
void phone_stream_close(struct phone *phone);                                 // all of them
// They break, and the server is not told: the network was away.
void phone_stream_forget(struct phone *phone);

// ---- phone.c

void phone_receive(struct phone *phone, uint64_t wire, char *bytes, size_t size, enum sip_framing framing);

// ---- phone_websocket.c: the client's side of RFC 6455

void wire_greet(struct wire *wire);
// Says a message, in one frame or several.
void wire_say_frames(struct wire *wire, struct str message);
// Takes what it can of the buffer. False when the wire is gone.
bool wire_hear_frames(struct wire *wire);

// ---- between phone_stream.c and phone_websocket.c

void wire_write(struct wire *wire, struct str bytes); // for the wire, secured where that is due
void wire_ready(struct wire *wire);                   // it can be spoken on
void wire_drop(struct wire *wire, size_t size);       // from the buffer's beginning
// Hands up a message out of the wire; false when the wire is gone afterwards.
bool wire_hand_up(struct wire *wire, struct str message, enum sip_framing framing);

#endif
