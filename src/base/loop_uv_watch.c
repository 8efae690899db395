// Watching sockets that another library owns, on libuv.
#include "base/loop_uv.h"

#include <errno.h>
#include <stdlib.h>

struct loop_watch {
	uv_poll_t uv;
	struct loop *loop;
	int socket;
	loop_ready *ready;
	void *context;
};

// An error is both: whoever reads or writes then finds it.
static void poll_came(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *watch = handle->data;
	unsigned ready = 0;
	if (status < 0 || (events & UV_READABLE) != 0)
		ready |= LOOP_READABLE;
	if (status < 0 || (events & UV_WRITABLE) != 0)
		ready |= LOOP_WRITABLE;
	watch->ready(watch->context, watch->socket, ready);
}

static void watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int loop_watch_start(struct loop *loop, int socket, loop_ready *ready, void *context, struct loop_watch **result)
{
	struct loop_watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return -ENOMEM;
	*watch = (struct loop_watch){.loop = loop, .socket = socket, .ready = ready, .context = context};
	int error = uv_poll_init(&loop->uv, &watch->uv, socket);
	if (error) {
		free(watch);
		return error;
	}
	watch->uv.data = watch;
	loop->open++;
	*result = watch;
	return 0;
}

void loop_watch_set(struct loop_watch *watch, unsigned wanted)
{
	int events =
	    ((wanted & LOOP_READABLE) != 0 ? UV_READABLE : 0) | ((wanted & LOOP_WRITABLE) != 0 ? UV_WRITABLE : 0);
	if (events)
		uv_poll_start(&watch->uv, events, poll_came);
	else
		uv_poll_stop(&watch->uv);
}

void loop_watch_stop(struct loop_watch *watch)
{
	if (!watch)
		return;
	watch->loop->open--;
	uv_poll_stop(&watch->uv); // at once: the socket may be closed after this
	uv_close((uv_handle_t *)&watch->uv, watch_closed);
}
