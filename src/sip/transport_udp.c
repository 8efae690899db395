// SIP over UDP: one datagram, one message.
#include "sip/transport_private.h"

#include <errno.h>

// Line ends, zeros and blanks keep a hole in a NAT open and ask for nothing.
static bool is_keepalive(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\0' && bytes[i] != ' ')
			return false;
	return true;
}

static void udp_listener_received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct sip_listener *listener = context;
	struct flow flow = {.transport = TRANSPORT_UDP, .listener = listener->index, .remote = *from};
	size_t skipped = 0;

	if (is_keepalive(bytes, size))
		return;
	// RFC 3261 section 7.5: line ends before the start-line are ignored.
	while (bytes[skipped] == '\r' || bytes[skipped] == '\n')
		skipped++;
	struct str message = {bytes + skipped, size - skipped};
	if (!sip_transport_admits(listener->transport, &flow, message))
		return;
	sip_transport_deliver(listener->transport, &flow, bytes + skipped, size - skipped);
}

int sip_udp_listen(struct sip_listener *listener, const struct net_address *local)
{
	int error = udp_open(listener->transport->loop, local, udp_listener_received, listener, &listener->udp);

	if (!error)
		listener->local = udp_local(listener->udp);
	return error;
}

int sip_udp_send(struct sip_transport *transport, const struct flow *flow, struct str bytes, struct loss_watch *watch)
{
	if (flow->listener >= transport->listener_count[TRANSPORT_UDP])
		return -EADDRNOTAVAIL;
	return udp_send(transport->listeners[TRANSPORT_UDP][flow->listener].udp, &flow->remote, bytes, watch);
}
