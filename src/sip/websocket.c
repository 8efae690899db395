// A WebSocket on libwslay; see the header. wslay asks for bytes and hands bytes out through callbacks, so it never waits.
#include "sip/websocket.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

struct websocket {
	wslay_event_context_ptr frames; // owned
	const struct websocket_handlers *handlers;
	void *context;
	enum websocket_state state;
	const struct str *origins;
	struct str incoming;                   // what came and was not read yet; within one call
	char greeting[WEBSOCKET_GREETING_MAX]; // what has come of the HTTP request
	size_t greeting_size;
	const char *why;
};

static ssize_t frames_receive(wslay_event_context_ptr frames, uint8_t *into, size_t size, int flags, void *user)
{
	struct websocket *websocket = user;

	(void)flags;
	if (str_empty(websocket->incoming)) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (size > websocket->incoming.length)
		size = websocket->incoming.length;
	memcpy(into, websocket->incoming.at, size);
	websocket->incoming = str_from(websocket->incoming, size);
	return (ssize_t)size;
}

static ssize_t frames_send(wslay_event_context_ptr frames, const uint8_t *bytes, size_t size, int flags, void *user)
{
	struct websocket *websocket = user;

	(void)flags;
	if (websocket->handlers->send(websocket->context, (struct str){(const char *)bytes, size}))
		return (ssize_t)size;
	wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void frames_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *message,
			   void *user)
{
	struct websocket *websocket = user;

	(void)frames;
	if (!wslay_is_ctrl_frame(message->opcode) && message->msg_length > 0)
		websocket->handlers->received(websocket->context, (char *)(uintptr_t)message->msg, message->msg_length);
}

static const struct wslay_event_callbacks callbacks = {
    .recv_callback = frames_receive, .send_callback = frames_send, .on_msg_recv_callback = frames_message};

struct websocket *websocket_create(const struct str *origins, size_t message_max,
				   const struct websocket_handlers *handlers, void *context)
{
	struct websocket *websocket = calloc(1, sizeof *websocket);

	if (!websocket)
		return NULL;
	*websocket = (struct websocket){.handlers = handlers, .context = context, .origins = origins, .why = ""};
	if (wslay_event_context_server_init(&websocket->frames, &callbacks, websocket) == 0) {
		wslay_event_config_set_max_recv_msg_length(websocket->frames, message_max);
		return websocket;
	}
	free(websocket);
	return NULL;
}

static void over(struct websocket *websocket, const char *why)
{
	if (websocket->state == WEBSOCKET_OVER)
		return;
	websocket->state = WEBSOCKET_OVER;
	websocket->why = why;
}

// Puts what is queued on the wire.
static bool flush(struct websocket *websocket)
{
	return wslay_event_send(websocket->frames) == 0;
}

void websocket_destroy(struct websocket *websocket)
{
	if (!websocket)
		return;
	if (websocket->state == WEBSOCKET_OPEN &&
	    wslay_event_queue_close(websocket->frames, WSLAY_CODE_GOING_AWAY, NULL, 0) == 0)
		flush(websocket);
	wslay_event_context_free(websocket->frames);
	free(websocket);
}

// Takes what belongs to the HTTP request off the front of the bytes.
static void greet(struct websocket *websocket, struct str *bytes)
{
	char text[512];
	struct writer answer = writer_into(text, sizeof text);
	size_t before = websocket->greeting_size, taken = str_first(*bytes, WEBSOCKET_GREETING_MAX - before).length;
	const char *end;

	memcpy(websocket->greeting + before, bytes->at, taken);
	websocket->greeting_size += taken;
	end = memmem(websocket->greeting, websocket->greeting_size, "\r\n\r\n", 4);
	if (!end && websocket->greeting_size < WEBSOCKET_GREETING_MAX) {
		*bytes = STR_NONE;
		return;
	}
	size_t size = end ? (size_t)(end - websocket->greeting) + 4 : 0;
	unsigned status =
	    websocket_greet((struct str){websocket->greeting, size}, *websocket->origins, &answer, &websocket->why);
	if (!websocket->handlers->send(websocket->context, writer_result(&answer)) || status != 101) {
		over(websocket, websocket->why);
		return;
	}
	*bytes = str_from(*bytes, size - before);
	websocket->state = WEBSOCKET_OPEN;
	websocket->handlers->opened(websocket->context);
}

void websocket_greeted(struct websocket *websocket)
{
	websocket->state = WEBSOCKET_OPEN;
}

enum websocket_state websocket_receive(struct websocket *websocket, struct str bytes)
{
	if (websocket->state == WEBSOCKET_GREETING)
		greet(websocket, &bytes);
	if (websocket->state != WEBSOCKET_OPEN || str_empty(bytes))
		return websocket->state;
	websocket->incoming = bytes;
	bool read = wslay_event_recv(websocket->frames) == 0;
	websocket->incoming = STR_NONE;
	// A ping has its pong queued, a close its close, a fault the close that names it.
	bool sent = flush(websocket);
	if (!read || !sent)
		over(websocket, "it broke");
	else if (wslay_event_get_close_sent(websocket->frames))
		over(websocket, wslay_event_get_close_received(websocket->frames)
				    ? "closed by the other side"
				    : "frames or text that break RFC 6455");
	return websocket->state;
}

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
static bool is_utf8(struct str text)
{
	for (size_t i = 0; i < text.length;) {
		unsigned char c = (unsigned char)text.at[i++];
		unsigned more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : 3;
		if (more == 0)
			continue;
		if (c < 0xc2 || c > 0xf4 || more > text.length - i)
			return false;
		unsigned char next = (unsigned char)text.at[i];
		if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) || (c == 0xf0 && next < 0x90) ||
		    (c == 0xf4 && next > 0x8f))
			return false;
		for (; more > 0; more--)
			if (((unsigned char)text.at[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool say(struct websocket *websocket, uint8_t opcode, struct str bytes)
{
	const struct wslay_event_msg message = {
	    .opcode = opcode, .msg = (const uint8_t *)bytes.at, .msg_length = bytes.length};

	if (websocket->state != WEBSOCKET_OPEN || wslay_event_queue_msg(websocket->frames, &message) != 0)
		return false;
	return flush(websocket);
}

bool websocket_send(struct websocket *websocket, struct str message)
{
	// Text where it is, since that is what scripts in browsers are best at.
	return say(websocket, is_utf8(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, message);
}

bool websocket_ping(struct websocket *websocket)
{
	return say(websocket, WSLAY_PING, STR_NONE);
}

const char *websocket_why(const struct websocket *websocket)
{
	return websocket->why;
}
