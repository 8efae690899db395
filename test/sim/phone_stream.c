// A simulated phone's connections, from the first SYN to the last byte.
#include "sim/phone_stream.h"

#include "sim/plane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool phone_is_stream(const struct phone *phone)
{
	return phone->transport != TRANSPORT_UDP;
}

bool phone_is_web_socket(const struct phone *phone)
{
	return phone->transport == TRANSPORT_WS || phone->transport == TRANSPORT_WSS;
}

bool phone_is_secured(const struct phone *phone)
{
	return phone->transport == TRANSPORT_TLS || phone->transport == TRANSPORT_WSS;
}

// ---- coming and going

static void wire_free(struct wire *wire)
{
	tls_channel_close(wire->tls);
	tcp_close(wire->connection);
	list_remove(&wire->node);
	free(wire->early);
	free(wire);
}

static void wire_lost(struct wire *wire)
{
	struct phone *phone = wire->phone;
	wire_free(wire);
	phone_flow_lost(phone);
}

static struct wire *wire_find(const struct phone *phone, uint64_t id)
{
	list_each (node, following, &phone->wires) {
		struct wire *wire = container_of(node, struct wire, node);
		if (wire->id == id)
			return wire;
	}
	return NULL;
}

void phone_stream_close(struct phone *phone)
{
	list_each (node, following, &phone->wires)
		wire_free(container_of(node, struct wire, node));
}

void phone_stream_forget(struct phone *phone)
{
	struct net_address end = phone->address;
	end.port = 0;
	sim_reset_connections(phone_loop(phone), &end);
}

// ---- speaking

void wire_write(struct wire *wire, struct str bytes)
{
	if (wire->tls)
		tls_channel_send(wire->tls, bytes);
	else
		tcp_send(wire->connection, bytes);
}

static void wire_show(const struct wire *wire, struct str message, bool said)
{
	const struct phone *phone = wire->phone;
	const struct net_address server = plane_server(phone->plane, phone->transport);
	if (phone_is_secured(phone) || phone_is_web_socket(phone))
		plane_message_seen(phone->plane, &(struct sim_packet){.at_ms = loop_now_ms(phone_loop(phone)),
								      .transport = SIM_TCP,
								      .from = said ? phone->address : server,
								      .to = said ? server : phone->address,
								      .bytes = message});
}

static void wire_say(struct wire *wire, struct str message)
{
	wire_show(wire, message, true);
	if (phone_is_web_socket(wire->phone))
		wire_say_frames(wire, message);
	else
		wire_write(wire, message);
}

static void wire_say_later(struct wire *wire, struct str message)
{
	wire->early = realloc(wire->early, wire->early_size + sizeof message.length + message.length);
	assert(wire->early);
	memcpy(wire->early + wire->early_size, &message.length, sizeof message.length);
	memcpy(wire->early + wire->early_size + sizeof message.length, message.at, message.length);
	wire->early_size += sizeof message.length + message.length;
}

void wire_ready(struct wire *wire)
{
	wire->state = WIRE_OPEN;
	for (size_t at = 0, length; at < wire->early_size; at += sizeof length + length) {
		memcpy(&length, wire->early + at, sizeof length);
		wire_say(wire, (struct str){wire->early + at + sizeof length, length});
	}
	wire->early_size = 0;
}

// ---- hearing

void wire_drop(struct wire *wire, size_t size)
{
	wire->used -= size;
	memmove(wire->buffer, wire->buffer + size, wire->used);
}

bool wire_hand_up(struct wire *wire, struct str message, enum sip_framing framing)
{
	struct phone *phone = wire->phone;
	const uint64_t id = wire->id;
	char *copy =
	    malloc(message.length ? message.length : 1); // exactly as large, so that reading past its end is seen
	assert(copy);
	memcpy(copy, message.at, message.length);
	wire_show(wire, message, false);
	if (framing == SIP_STREAM)
		wire_drop(wire, (size_t)(message.at - wire->buffer) + message.length);
	phone_receive(phone, id, copy, message.length, framing);
	free(copy);
	return wire_find(phone, id) != NULL;
}

static bool wire_hear_stream(struct wire *wire)
{
	for (;;) {
		struct sip_fault fault;
		size_t skipped = 0;
		const long length = sip_message_frame(wire->buffer, wire->used, &skipped, &fault);
		if (length < 0)
			phone_complain(wire->phone, NULL, "a stream that is no SIP: %s", fault.why);
		if (length <= 0)
			return true;
		if (!wire_hand_up(wire, (struct str){wire->buffer + skipped, (size_t)length}, SIP_STREAM))
			return false;
	}
}

// Bytes out of TLS, or off the wire. False when the wire is gone.
static bool wire_hear(struct wire *wire, const char *bytes, size_t size)
{
	if (wire->used + size > sizeof wire->buffer) {
		phone_complain(wire->phone, NULL, "more bytes than any message of ours has");
		return true;
	}
	memcpy(wire->buffer + wire->used, bytes, size);
	wire->used += size;
	return phone_is_web_socket(wire->phone) ? wire_hear_frames(wire) : wire_hear_stream(wire);
}

// ---- TLS

static bool tls_says(void *context, struct str bytes)
{
	struct wire *wire = context;
	return tcp_send(wire->connection, bytes) == 0;
}

static void wire_secured(struct wire *wire)
{
	if (phone_is_web_socket(wire->phone)) {
		wire->state = WIRE_GREETING;
		wire_greet(wire);
	} else {
		wire_ready(wire);
	}
}

static void tls_opened(void *context)
{
	wire_secured(context);
}

// The channel may not be closed from here, so what it says is heard once it is done.
static bool tls_heard(void *context, char *bytes, size_t size)
{
	struct wire *wire = context;
	if (wire->used + size > sizeof wire->buffer) {
		phone_complain(wire->phone, NULL, "more bytes than any message of ours has");
		return false;
	}
	memcpy(wire->buffer + wire->used, bytes, size);
	wire->used += size;
	return true;
}

static const struct tls_handlers tls_handlers = {tls_says, tls_opened, tls_heard};

static void wire_begin(struct wire *wire)
{
	struct phone *phone = wire->phone;
	if (!phone_is_secured(phone)) {
		wire_secured(wire);
		return;
	}
	wire->state = WIRE_SECURING;
	wire->tls = wire->accepted
			? tls_channel_accept(phone->tls, &tls_handlers, wire)
			: tls_channel_connect(phone->tls, str_of(plane_server_host(phone->plane)), &tls_handlers, wire);
	assert(wire->tls);
	tls_channel_start(wire->tls);
}

// ---- TCP

static void wire_connected(void *context, int error)
{
	struct wire *wire = context;
	if (error)
		wire_lost(wire);
	else
		wire_begin(wire);
}

static void wire_received(void *context, char *bytes, size_t size)
{
	struct wire *wire = context;
	if (!wire->tls) {
		if (wire_hear(wire, bytes, size) && wire->over)
			wire_lost(wire);
		return;
	}
	const enum tls_state state = tls_channel_receive(wire->tls, (struct str){bytes, size});
	if (state == TLS_FAILED && !wire->phone->sent_garbage)
		phone_complain(wire->phone, NULL, "TLS failed: %s", tls_channel_why(wire->tls));
	if (wire_hear(wire, "", 0) && (state == TLS_CLOSED || state == TLS_FAILED || wire->over))
		wire_lost(wire);
}

static void wire_ended(void *context, int error)
{
	(void)error;
	wire_lost(context);
}

static const struct tcp_handlers wire_handlers = {wire_connected, wire_received, wire_ended};

static struct wire *wire_new(struct phone *phone)
{
	struct wire *wire = calloc(1, sizeof *wire);
	assert(wire);
	wire->phone = phone;
	wire->id = ++phone->next_wire;
	list_append(&phone->wires, &wire->node);
	return wire;
}

static void wire_accepted(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	struct wire *wire = wire_new(context);
	(void)from;
	wire->accepted = true;
	wire->connection = connection;
	tcp_handle(connection, &wire_handlers, wire);
	wire_begin(wire);
}

int phone_stream_listen(struct phone *phone)
{
	return tcp_listen(phone_loop(phone), &phone->address, wire_accepted, phone, &phone->listener);
}

static struct wire *wire_to_server(struct phone *phone)
{
	const struct net_address server = plane_server(phone->plane, phone->transport);
	if (!list_empty(&phone->wires))
		return container_of(phone->wires.previous, struct wire, node);
	if (phone->closing)
		return NULL;
	struct wire *wire = wire_new(phone);
	const int error =
	    sim_tcp_connect(phone_loop(phone), &phone->address, &server, &wire_handlers, wire, &wire->connection);
	assert(error == 0);
	(void)error;
	return wire;
}

void phone_stream_send(struct phone *phone, uint64_t wire_id, struct str bytes)
{
	struct wire *wire = wire_find(phone, wire_id);
	if (!wire)
		wire = wire_to_server(phone);
	if (wire && wire->state == WIRE_OPEN)
		wire_say(wire, bytes);
	else if (wire)
		wire_say_later(wire, bytes);
}
