// The transport as its users see it: takes messages from datagrams and streams, sends to either, and knows our own
// addresses.
#include "sip/owned.h"
#include "sip/source_limits.h"
#include "sip/tls.h"
#include "sip/transport_private.h"
#include "sip/websocket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTIONS_DEFAULT = 10000,
	IDLE_DEFAULT_S = 120,
	UDP_REQUEST_MAX = 1300, // bytes
	ROUTE_KEPT_MS = 60000,
	HOST_SIZE = 64,
};

enum { PORT_DEFAULT = 5060 };

// RFC 3261 section 19.1.2, RFC 7118 section 5.3.
static const uint16_t default_ports[SIP_TRANSPORTS] = {
    [TRANSPORT_UDP] = PORT_DEFAULT, [TRANSPORT_TCP] = PORT_DEFAULT, [TRANSPORT_TLS] = 5061, [TRANSPORT_WS] = 80,
    [TRANSPORT_WSS] = 443,
};

static uint16_t port_or_default(uint16_t port, uint8_t kind)
{
	return port ? port : default_ports[kind];
}

// ---- create and destroy

static int open_listeners(struct sip_transport *transport, enum transport kind, const struct net_address *addresses,
			  struct net_address *failed)
{
	for (unsigned i = 0; i < SIP_LISTENERS_MAX && addresses[i].family != 0; i++) {
		struct sip_listener *listener = &transport->listeners[kind][i];
		*listener = (struct sip_listener){.transport = transport, .kind = (uint8_t)kind, .index = (uint8_t)i};
		int error = kind == TRANSPORT_UDP ? sip_udp_listen(listener, &addresses[i])
						  : sip_stream_listen(listener, &addresses[i]);
		if (error) {
			*failed = addresses[i];
			return error;
		}
		transport->listener_count[kind]++;
	}
	return 0;
}

static int open_all_listeners(struct sip_transport *transport, const struct sip_transport_settings *settings,
			      struct net_address *failed)
{
	int error = open_listeners(transport, TRANSPORT_UDP, settings->udp, failed);

	if (!error)
		error = open_listeners(transport, TRANSPORT_TCP, settings->tcp, failed);
	if (!error && transport->tls && tls_has_certificate(transport->tls))
		error = open_listeners(transport, TRANSPORT_TLS, settings->tls, failed);
	if (!error)
		error = open_listeners(transport, TRANSPORT_WS, settings->ws, failed);
	if (!error && transport->tls && tls_has_certificate(transport->tls))
		error = open_listeners(transport, TRANSPORT_WSS, settings->wss, failed);
	return error;
}

bool sip_transport_change(struct sip_transport *transport, const struct sip_transport_settings *settings)
{
	unsigned idle_s = settings->idle_s ? settings->idle_s : IDLE_DEFAULT_S;

	if (!owned_set(&transport->origins, settings->origins))
		return false;
	transport->idle_ms = (uint64_t)idle_s * 1000;
	return true;
}

int sip_transport_create(struct loop *loop, const struct sip_transport_settings *settings,
			 const struct sip_transport_handlers *handlers, void *context, struct sip_transport **created,
			 struct net_address *failed)
{
	struct sip_transport *transport = calloc(1, sizeof *transport);
	unsigned connections_max = settings->connections_max ? settings->connections_max : CONNECTIONS_DEFAULT;
	int error = -ENOMEM;

	*failed = (struct net_address){0};
	if (!transport)
		return -ENOMEM;
	transport->loop = loop;
	transport->handlers = *handlers;
	transport->context = context;
	transport->tls = settings->secure;
	transport->limits = settings->limits;
	memset(transport->foreign, SIP_NO_LISTENER, sizeof transport->foreign);
	pool_init(&transport->connection_pool, sip_connection_size());
	transport->connections = slots_create(connections_max);
	transport->by_remote = hash_create();
	if (!transport->connections || !transport->by_remote)
		goto failed;
	error = -EINVAL;
	if (!sip_transport_change(transport, settings) ||
	    !str_to_cstring(settings->advertised_host, transport->advertised_host, sizeof transport->advertised_host))
		goto failed;
	error = open_all_listeners(transport, settings, failed);
	if (error)
		goto failed;
	*created = transport;
	return 0;
failed:
	sip_transport_destroy(transport);
	return error;
}

void sip_transport_destroy(struct sip_transport *transport)
{
	if (!transport)
		return;
	for (unsigned kind = 0; kind < SIP_TRANSPORTS; kind++) {
		for (unsigned i = 0; i < transport->listener_count[kind]; i++) {
			if (kind == TRANSPORT_UDP)
				udp_close(transport->listeners[kind][i].udp);
			else
				tcp_listener_close(transport->listeners[kind][i].tcp);
		}
	}
	if (transport->connections && transport->by_remote)
		sip_stream_close_all(transport);
	if (transport->connections)
		slots_destroy(transport->connections);
	if (transport->by_remote)
		hash_destroy(transport->by_remote);
	pool_free(&transport->connection_pool);
	owned_free(&transport->origins);
	for (unsigned i = 0; i < transport->name_count; i++)
		free((char *)transport->names[i].at);
	free(transport);
}

// ---- where somebody else listens

void sip_transport_set_foreign(struct sip_transport *transport, enum transport kind, const struct net_address *local)
{
	uint8_t index = transport->listener_count[kind];

	assert(transport->foreign[kind] == SIP_NO_LISTENER);
	transport->listeners[kind][index] =
	    (struct sip_listener){.transport = transport, .local = *local, .kind = (uint8_t)kind, .index = index};
	transport->foreign[kind] = index;
	transport->listener_count[kind]++;
}

void sip_transport_greet(struct sip_transport *transport, const struct net_address *from, struct str head,
			 struct writer *answer)
{
	const char *why;

	if (transport->limits && !sip_limits_connected(transport->limits, from)) {
		transport->counters.refused_connections++;
		websocket_turn_away(answer);
		return;
	}
	if (transport->limits)
		sip_limits_disconnected(transport->limits, from); // it counts once its socket comes
	(void)websocket_greet(head, transport->origins, answer, &why);
}

// ---- our own addresses

static const struct net_address *listener_local(const struct sip_transport *transport, uint8_t kind, unsigned n)
{
	return n < transport->listener_count[kind] ? &transport->listeners[kind][n].local : NULL;
}

// The n-th listener of all kinds, or NULL.
static const struct sip_listener *any_listener(const struct sip_transport *transport, unsigned n)
{
	for (unsigned kind = 0; kind < SIP_TRANSPORTS; kind++) {
		if (n < transport->listener_count[kind])
			return &transport->listeners[kind][n];
		n -= transport->listener_count[kind];
	}
	return NULL;
}

struct net_address sip_transport_listener(const struct sip_transport *transport, enum transport kind, unsigned n)
{
	const struct net_address *local = listener_local(transport, (uint8_t)kind, n);

	return local ? *local : (struct net_address){0};
}

bool sip_transport_flow_to(const struct sip_transport *transport, enum transport kind, const struct net_address *remote,
			   struct flow *flow)
{
	const struct net_address *local;

	for (unsigned n = 0; (local = listener_local(transport, (uint8_t)kind, n)); n++) {
		if (local->family == remote->family) {
			*flow = (struct flow){.transport = (uint8_t)kind, .listener = (uint8_t)n, .remote = *remote};
			return true;
		}
	}
	// Who connects to us must find us; who is connected to answers on the same connection (RFC 5923).
	if (kind == TRANSPORT_TLS && transport->tls && transport->listener_count[kind] == 0) {
		*flow = (struct flow){.transport = (uint8_t)kind, .listener = SIP_NO_LISTENER, .remote = *remote};
		return true;
	}
	return false;
}

void sip_transport_name_by_wildcard(struct sip_transport *transport, uint16_t name)
{
	if (name)
		transport->names_by_wildcard[name - 1] = true;
}

uint16_t sip_transport_name(struct sip_transport *transport, struct str host)
{
	unsigned n = 0;
	char *copy;

	while (n < transport->name_count && !str_equal_nocase(transport->names[n], host))
		n++;
	if (n < transport->name_count)
		return (uint16_t)(n + 1);
	copy = n < SIP_NAMES_MAX && !str_empty(host) ? malloc(host.length) : NULL;
	if (!copy)
		return 0;
	memcpy(copy, host.at, host.length);
	transport->names[transport->name_count++] = (struct str){copy, host.length};
	return (uint16_t)(n + 1);
}

// The kernel says which address of ours it would use towards the host. Nothing is sent.
static struct net_address ask_route(const struct net_address *remote)
{
	struct sockaddr_storage storage;
	socklen_t size = net_address_to_sockaddr(remote, &storage);
	int descriptor = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct net_address local = {0};

	if (descriptor < 0)
		return local;
	if (connect(descriptor, (struct sockaddr *)&storage, size) == 0) {
		size = sizeof storage;
		if (getsockname(descriptor, (struct sockaddr *)&storage, &size) == 0)
			net_address_from_sockaddr((struct sockaddr *)&storage, &local);
	}
	close(descriptor);
	return local;
}

static struct net_address route_local(struct sip_transport *transport, const struct net_address *remote)
{
	struct net_address host = *remote;
	uint64_t now_ms = loop_now_ms(transport->loop);
	struct sip_route *route;

	host.port = PORT_DEFAULT;
	route = &transport->routes[net_address_hash(&host) % SIP_ROUTES_KEPT];
	if (!net_address_equal(&route->remote, &host) || now_ms - route->asked_ms > ROUTE_KEPT_MS)
		*route = (struct sip_route){.remote = host, .local = ask_route(&host), .asked_ms = now_ms};
	return route->local;
}

static void write_host(struct writer *w, struct str host)
{
	bool bare_ipv6 = str_index(host, ':') < host.length && host.at[0] != '[';

	if (bare_ipv6)
		writer_char(w, '[');
	writer_str(w, host);
	if (bare_ipv6)
		writer_char(w, ']');
}

// New connections reach us where we listen, whatever port this one happens to have.
static void write_port(struct writer *w, const struct net_address *listener)
{
	if (!listener || listener->port == 0)
		return;
	writer_char(w, ':');
	writer_uint(w, listener->port);
}

void sip_transport_write_local(struct sip_transport *transport, struct writer *w, const struct flow *flow)
{
	const struct net_address *listener = listener_local(transport, flow->transport, flow->listener);
	struct net_address local = {0};
	char text[HOST_SIZE];
	struct writer host = writer_into(text, sizeof text);

	if (flow->transport != TRANSPORT_UDP)
		local = sip_stream_local(transport, flow->connection);
	if (local.family == 0 && listener)
		local = *listener;
	if (local.family == 0 || net_address_is_any(&local)) {
		uint16_t port = local.port;
		local = route_local(transport, &flow->remote);
		local.port = port;
	}
	net_address_write_host(&host, &local);
	write_host(w, transport->advertised_host[0] ? str_of(transport->advertised_host) : writer_result(&host));
	write_port(w, listener);
}

void sip_transport_write_own(struct sip_transport *transport, struct writer *w, const struct flow *flow, uint16_t name)
{
	if (name == 0) {
		sip_transport_write_local(transport, w, flow);
		return;
	}
	writer_str(w, transport->names[name - 1]);
	write_port(w, listener_local(transport, flow->transport, flow->listener));
}

void sip_transport_write_via(struct sip_transport *transport, struct writer *w, const struct flow *flow,
			     struct str branch)
{
	writer_str(w, STR("Via: SIP/2.0/"));
	writer_text(w, sip_transport_via_name(flow->transport));
	writer_char(w, ' ');
	sip_transport_write_local(transport, w, flow);
	writer_str(w, STR(";rport;branch="));
	writer_str(w, branch);
	writer_str(w, STR("\r\n"));
}

const char *sip_transport_via_name(uint8_t transport)
{
	static const char *const names[] = {
	    [TRANSPORT_UDP] = "UDP", [TRANSPORT_TCP] = "TCP", [TRANSPORT_TLS] = "TLS",
	    [TRANSPORT_WS] = "WS",   [TRANSPORT_WSS] = "WSS",
	};

	return transport < sizeof names / sizeof *names ? names[transport] : "UDP";
}

static bool host_is_advertised(const struct sip_transport *transport, struct str host)
{
	return transport->advertised_host[0] && str_equal_nocase(host, str_of(transport->advertised_host));
}

// Whether an interface of this machine has the address: only then can a socket be bound to it.
static bool host_is_bindable(const struct net_address *host)
{
	struct net_address address = *host;
	struct sockaddr_storage storage;
	socklen_t size;
	int descriptor;
	bool bindable;

	address.port = 0;
	size = net_address_to_sockaddr(&address, &storage);
	descriptor = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return false;
	bindable = bind(descriptor, (struct sockaddr *)&storage, size) == 0;
	close(descriptor);
	return bindable;
}

bool sip_transport_is_local(const struct sip_transport *transport, struct str host, uint16_t port)
{
	struct net_address address = {0};
	bool advertised = host_is_advertised(transport, host);
	const struct sip_listener *listener;

	if (!advertised && !net_address_parse(host, port, &address))
		return false;
	for (unsigned n = 0; (listener = any_listener(transport, n)); n++) {
		const struct net_address *local = &listener->local;
		if (local->port != port_or_default(port, listener->kind))
			continue;
		if (advertised || net_address_same_host(local, &address))
			return true;
		if (local->family == address.family && net_address_is_any(local) && host_is_bindable(&address))
			return true;
	}
	return false;
}

// ---- receiving

// RFC 3261 section 18.1.2: a response whose topmost Via is none of ours is not for us. Bound to 0.0.0.0 any address may be
// ours; whether the branch is, the transactions know.
static bool via_is_ours(const struct sip_transport *transport, const struct flow *from, const struct sip_via *via)
{
	uint16_t port = port_or_default(via->port, from->transport);
	struct net_address address = {0}, local;
	bool advertised = host_is_advertised(transport, via->host);
	const struct sip_listener *listener;

	if (!advertised && !net_address_parse(via->host, port, &address))
		return false;
	for (unsigned n = 0; (listener = any_listener(transport, n)); n++)
		if (listener->local.port == port && (advertised || net_address_is_any(&listener->local) ||
						     net_address_same_host(&listener->local, &address)))
			return true;
	if (from->transport == TRANSPORT_UDP)
		return false;
	local = sip_stream_local(transport, from->connection);
	return advertised || net_address_same_host(&local, &address);
}

// RFC 3261 section 18.2.1: received says where the request really came from when the Via's host does not; RFC 3581
// section 4: asked for rport, both are said. What the sender wrote there itself counts for nothing.
static void complete_via(struct sip_via *via, const struct flow *from, struct writer *received)
{
	struct net_address sent_by;

	via->received = STR_NONE;
	via->rport_value = via->rport ? from->remote.port : 0;
	if (!via->rport && net_address_parse(via->host, 0, &sent_by) && net_address_same_host(&sent_by, &from->remote))
		return;
	net_address_write_host(received, &from->remote);
	via->received = writer_result(received);
}

bool sip_transport_admits(const struct sip_transport *transport, const struct flow *from, struct str message)
{
	bool response = str_starts(message, STR("SIP/2.0 "));

	return !transport->limits ||
	       sip_limits_admits(transport->limits, from, response ? LIMITS_RESPONSE : LIMITS_REQUEST);
}

bool sip_transport_deliver(struct sip_transport *transport, const struct flow *from, char *bytes, size_t size)
{
	// RFC 7118 section 5: a message of WebSocket is one of SIP, Content-Length or not.
	bool alone = from->transport == TRANSPORT_UDP || sip_is_web_socket(from->transport);
	enum sip_framing framing = alone ? SIP_DATAGRAM : SIP_STREAM;
	struct sip_message message;
	struct sip_fault fault = {0};
	char host[HOST_SIZE];
	struct writer received = writer_into(host, sizeof host);
	bool understood = sip_message_parse(bytes, size, framing, &message, &fault);

	if (message.is_request && (understood || fault.answerable))
		complete_via(&message.via, from, &received);
	if (!understood) {
		transport->counters.broken++;
		if (message.is_request && transport->handlers.broken)
			transport->handlers.broken(transport->context, from, &message, &fault);
		return false;
	}
	transport->counters.received++;
	if (message.is_request || via_is_ours(transport, from, &message.via))
		transport->handlers.received(transport->context, from, &message);
	return true;
}

// ---- sending

int sip_transport_send_watched(struct sip_transport *transport, struct flow *flow, struct str bytes,
			       struct loss_watch *watch)
{
	int error = -EPROTONOSUPPORT;

	if (flow->transport == TRANSPORT_UDP)
		error = sip_udp_send(transport, flow, bytes, watch);
	else if (flow->transport < SIP_TRANSPORTS)
		error = sip_stream_send(transport, flow, bytes);
	if (error)
		return error;
	transport->counters.sent++;
	if (watch && sip_transport_is_reliable(flow))
		sip_transport_watch(transport, flow->connection, watch);
	return 0;
}

int sip_transport_send(struct sip_transport *transport, struct flow *flow, struct str bytes)
{
	return sip_transport_send_watched(transport, flow, bytes, NULL);
}

struct flow sip_transport_reply_flow(const struct flow *from, const struct sip_via *via)
{
	struct flow flow = *from;

	if (from->transport != TRANSPORT_UDP || !via->rport)
		flow.remote.port = port_or_default(via->port, from->transport);
	return flow;
}

bool sip_transport_too_large_for_udp(size_t size)
{
	return size > UDP_REQUEST_MAX;
}

struct sip_transport_counters sip_transport_count(const struct sip_transport *transport)
{
	return transport->counters;
}

unsigned sip_transport_queue_percent(const struct sip_transport *transport)
{
	unsigned fullest = 0;

	for (unsigned i = 0; i < transport->listener_count[TRANSPORT_UDP]; i++) {
		unsigned percent = udp_queue_percent(transport->listeners[TRANSPORT_UDP][i].udp);
		fullest = percent > fullest ? percent : fullest;
	}
	return fullest;
}
