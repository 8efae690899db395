// The client's side of a WebSocket (RFC 6455), written anew: its own frames, in one piece or several, its own masks, and a
// look at each frame of the server's.
#include "sim/phone_stream.h"

#include "base/writer.h"
#include "sim/plane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPCODE_MORE, OPCODE_TEXT, OPCODE_BINARY, OPCODE_CLOSE = 8, OPCODE_PING, OPCODE_PONG };
enum { FRAME_FIN = 0x80, FRAME_RESERVED = 0x70, FRAME_OPCODE = 0x0f, FRAME_MASKED = 0x80, FRAME_HEAD_MAX = 14 };

// The sample of RFC 6455 section 1.3.
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==", expected_accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

void wire_greet(struct wire *wire)
{
	char memory[512];
	struct writer w = writer_into(memory, sizeof memory);
	writer_format(&w,
		      "GET /sip HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
		      "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
		      plane_server_host(wire->phone->plane), key);
	wire_write(wire, writer_result(&w));
}

// ---- saying

static void frame_write(struct wire *wire, int opcode, bool last, struct str payload)
{
	char *frame = malloc(FRAME_HEAD_MAX + payload.length);
	const uint32_t mask = (uint32_t)phone_chance(wire->phone, UINT32_MAX);
	size_t used = 2;
	assert(frame && payload.length < 65536);
	frame[0] = (char)((last ? FRAME_FIN : 0) | opcode);
	if (payload.length < 126) {
		frame[1] = (char)(FRAME_MASKED | payload.length);
	} else {
		frame[1] = (char)(FRAME_MASKED | 126);
		frame[used++] = (char)(payload.length >> 8);
		frame[used++] = (char)payload.length;
	}
	for (int i = 0; i < 4; i++)
		frame[used++] = (char)(mask >> (8 * i));
	for (size_t i = 0; i < payload.length; i++)
		frame[used + i] = (char)(payload.at[i] ^ (char)(mask >> (8 * (i % 4))));
	wire_write(wire, (struct str){frame, used + payload.length});
	free(frame);
}

void wire_say_frames(struct wire *wire, struct str message)
{
	int opcode = phone_with_chance(wire->phone, 90) ? OPCODE_TEXT : OPCODE_BINARY;
	while (message.length > 1 && phone_with_chance(wire->phone, 15)) {
		const struct str piece = str_first(message, 1 + phone_chance(wire->phone, message.length - 1));
		frame_write(wire, opcode, false, piece);
		message = str_from(message, piece.length);
		opcode = OPCODE_MORE;
		if (phone_with_chance(wire->phone, 10)) // between the pieces of a message, too (section 5.4)
			frame_write(wire, OPCODE_PING, true, STR("ping"));
	}
	frame_write(wire, opcode, true, message);
}

// ---- hearing

static bool line_is(struct str answer, const char *line)
{
	struct str one;
	while (str_take(&answer, '\n', &one))
		if (str_equal_nocase(str_trim(one), str_of(line)))
			return true;
	return false;
}

static void check_greeting(struct wire *wire, struct str answer)
{
	char accept[80];
	snprintf(accept, sizeof accept, "Sec-WebSocket-Accept: %s", expected_accept);
	if (!str_starts(answer, STR("HTTP/1.1 101 ")) || !line_is(answer, accept) ||
	    !line_is(answer, "Sec-WebSocket-Protocol: sip") || !line_is(answer, "Upgrade: websocket") ||
	    !line_is(answer, "Connection: Upgrade"))
		phone_complain(wire->phone, NULL, "a WebSocket is answered with %.*s", STR_ARG(str_first(answer, 300)));
}

// The answer to the greeting. False: not all of it is there.
static bool hear_greeting(struct wire *wire)
{
	const struct str all = {wire->buffer, wire->used};
	for (size_t end = 4; end <= all.length; end++) {
		if (memcmp(all.at + end - 4, "\r\n\r\n", 4) != 0)
			continue;
		check_greeting(wire, str_first(all, end));
		wire_drop(wire, end);
		wire_ready(wire);
		return true;
	}
	return false;
}

struct frame {
	int opcode;
	bool last;
	size_t size; // with its head
	struct str payload;
};

// False: not all of it is there.
static bool frame_read(const struct wire *wire, struct frame *frame)
{
	const uint8_t *bytes = (const uint8_t *)wire->buffer;
	size_t head = 2, length;
	if (wire->used < head)
		return false;
	if (bytes[0] & FRAME_RESERVED || bytes[1] & FRAME_MASKED)
		phone_complain(wire->phone, NULL, "a frame with reserved bits, or masked");
	length = bytes[1] & ~FRAME_MASKED;
	if (length == 127)
		phone_complain(wire->phone, NULL, "a frame that is far too long");
	if (length == 126) {
		head = 4;
		if (wire->used < head)
			return false;
		length = (size_t)bytes[2] << 8 | bytes[3];
	}
	*frame =
	    (struct frame){bytes[0] & FRAME_OPCODE, bytes[0] & FRAME_FIN, head + length, {wire->buffer + head, length}};
	return wire->used >= frame->size;
}

static bool frame_is_message(struct wire *wire, const struct frame *frame)
{
	if ((frame->opcode == OPCODE_MORE) != (wire->message_size > 0))
		phone_complain(wire->phone, NULL, "a frame out of its turn");
	if (wire->message_size + frame->payload.length > sizeof wire->message) {
		phone_complain(wire->phone, NULL, "more bytes than any message of ours has");
		return false;
	}
	memcpy(wire->message + wire->message_size, frame->payload.at, frame->payload.length);
	wire->message_size += frame->payload.length;
	return frame->last;
}

// False when the wire is gone.
static bool frame_take(struct wire *wire, const struct frame *frame)
{
	switch (frame->opcode) {
	case OPCODE_PING:
		if (!wire->phone->never_pongs)
			frame_write(wire, OPCODE_PONG, true, frame->payload);
		break;
	case OPCODE_PONG:
		if (!str_equal(frame->payload, STR("ping")))
			phone_complain(wire->phone, NULL, "a pong for another ping");
		break;
	case OPCODE_CLOSE:
		frame_write(wire, OPCODE_CLOSE, true, frame->payload);
		wire->over = true;
		break;
	case OPCODE_MORE:
	case OPCODE_TEXT:
	case OPCODE_BINARY:
		if (frame_is_message(wire, frame)) {
			const size_t size = wire->message_size;
			wire->message_size = 0;
			return wire_hand_up(wire, (struct str){wire->message, size}, SIP_DATAGRAM);
		}
		break;
	default:
		phone_complain(wire->phone, NULL, "a frame of kind %d", frame->opcode);
	}
	return true;
}

bool wire_hear_frames(struct wire *wire)
{
	struct frame frame;
	if (wire->state == WIRE_GREETING && !hear_greeting(wire))
		return true;
	while (!wire->over && frame_read(wire, &frame)) {
		char payload[WIRE_BUFFER_SIZE];
		memcpy(payload, frame.payload.at, frame.payload.length);
		frame.payload.at = payload;
		wire_drop(wire, frame.size);
		if (!frame_take(wire, &frame))
			return false;
	}
	return true;
}
