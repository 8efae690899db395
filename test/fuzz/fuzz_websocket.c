// WebSocket, greeting and frames: however the stream is cut, the same is said and heard. Each message is said back.
#include "fuzz/fuzz.h"
#include "sip/websocket.h"

#include <string.h>

enum { OUT_MAX = 1 << 16 };

struct log {
	size_t used;
	char bytes[OUT_MAX];
};

struct talk {
	struct websocket *websocket;
	struct log said, heard; // each in order; which came first is a matter of the pieces
};

static bool note(struct log *log, struct str bytes)
{
	if (bytes.length > sizeof log->bytes - log->used)
		return false;
	memcpy(log->bytes + log->used, bytes.at, bytes.length);
	log->used += bytes.length;
	return true;
}

static bool said(void *context, struct str bytes)
{
	return note(&((struct talk *)context)->said, bytes);
}

static void opened(void *context)
{
	note(&((struct talk *)context)->heard, STR("opened "));
}

static void heard(void *context, char *bytes, size_t size)
{
	must(size > 0 && size <= 1000);
	struct talk *talk = context;
	note(&talk->heard, STR("heard "));
	note(&talk->heard, (struct str){bytes, size});
	(void)websocket_send(talk->websocket, (struct str){bytes, size});
}

static const struct websocket_handlers handlers = {said, opened, heard};

static enum websocket_state run(struct str bytes, size_t piece, struct talk *talk)
{
	struct websocket *websocket =
	    websocket_create(&STR("https://a.example https://b.example"), 1000, &handlers, talk);
	enum websocket_state state = WEBSOCKET_GREETING;

	must(websocket);
	talk->websocket = websocket;
	talk->said.used = talk->heard.used = 0;
	for (size_t at = 0; at < bytes.length && state != WEBSOCKET_OVER; at += piece)
		state = websocket_receive(websocket, str_first(str_from(bytes, at), piece));
	websocket_destroy(websocket);
	return state;
}

static void must_be_the_same(const struct log *a, const struct log *b)
{
	must(a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk whole, cut;
	struct str bytes = input(data, size);
	enum websocket_state state = run(bytes, size ? size : 1, &whole);

	// wslay reads the reason of a close as it comes, but only where more than its code comes at once: what breaks there ends the one
	// before the close is complete, the other with it.
	enum websocket_state late = run(bytes, 1, &cut);
	must(late == state || (state == WEBSOCKET_OVER && late == WEBSOCKET_OPEN));
	if (state != WEBSOCKET_OVER) // a close overtakes the pong of what came with it
		must_be_the_same(&whole.said, &cut.said);
	must_be_the_same(&whole.heard, &cut.heard);
	return 0;
}
