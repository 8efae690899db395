// {"callid":"...","source_tag":"...","type":"DTMF","event":1, ...}
#include "media/keys.h"

#include "media/ng.h"
#include "media/relay.h"

#include <errno.h>
#include <stdlib.h>

struct keys {
	const struct relays *relays;
	struct udp_socket *socket;
	key_heard *heard;
	void *context;
};

// RFC 4733 section 3.2.
static const char keys_by_event[] = "0123456789*#ABCD";

bool key_read(struct str datagram, struct key_event *event)
{
	json_t *object = json_loadb(datagram.at ? datagram.at : "", datagram.length, 0, NULL);
	uint64_t number = ng_uint(object, "event", UINT64_MAX);
	bool right = json_is_object(object) && number < sizeof keys_by_event - 1 &&
		     str_equal(ng_text(object, "type"), STR("DTMF")) &&
		     str_to_cstring(ng_text(object, "callid"), event->call_id, sizeof event->call_id) &&
		     str_to_cstring(ng_text(object, "source_tag"), event->tag, sizeof event->tag);

	if (right)
		event->key = keys_by_event[number];
	json_decref(object);
	return right;
}

static void received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct keys *keys = context;
	struct key_event event;

	if (relays_hold(keys->relays, from) && key_read((struct str){bytes, size}, &event))
		keys->heard(keys->context, str_of(event.call_id), str_of(event.tag), event.key);
}

int keys_listen(struct loop *loop, const struct net_address *local, const struct relays *relays, key_heard *heard,
		void *context, struct keys **keys)
{
	struct keys *made = calloc(1, sizeof *made);

	if (!made)
		return -ENOMEM;
	made->relays = relays;
	made->heard = heard;
	made->context = context;
	int error = udp_open(loop, local, received, made, &made->socket);
	if (error) {
		free(made);
		return error;
	}
	*keys = made;
	return 0;
}

struct net_address keys_local(const struct keys *keys)
{
	return udp_local(keys->socket);
}

void keys_close(struct keys *keys)
{
	if (!keys)
		return;
	udp_close(keys->socket);
	free(keys);
}
