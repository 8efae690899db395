// The network of a simulated world: who listens where, what becomes of a packet, and UDP.
#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { DATAGRAM_MAX = 65507, EPHEMERAL_FIRST = 32768 };

// ---- addresses

static bool bound_same(const struct hash_node *node, const void *key)
{
	const struct bound *a = container_of(node, struct bound, node);
	const struct bound *b = key;
	return a->kind == b->kind && net_address_equal(&a->address, &b->address);
}

struct bound *bound_find(struct loop *loop, enum bound_kind kind, const struct net_address *address)
{
	struct bound wanted = {.kind = kind, .address = *address};
	struct hash_node *node = hash_find(loop->bound, net_address_hash(address), bound_same, &wanted);
	return node ? container_of(node, struct bound, node) : NULL;
}

uint16_t port_next(struct loop *loop)
{
	if (loop->next_port < EPHEMERAL_FIRST)
		loop->next_port = EPHEMERAL_FIRST;
	return loop->next_port++;
}

int bound_add(struct loop *loop, struct bound *bound, enum bound_kind kind, const struct net_address *local)
{
	if (local->family == 0 || net_address_is_any(local))
		return -EADDRNOTAVAIL;
	bound->loop = loop;
	bound->kind = kind;
	bound->address = *local;
	if (local->port == 0) {
		do
			bound->address.port = port_next(loop);
		while (bound_find(loop, kind, &bound->address));
	} else if (bound_find(loop, kind, local)) {
		return -EADDRINUSE;
	}
	if (!hash_insert(loop->bound, &bound->node, net_address_hash(&bound->address)))
		return -ENOMEM;
	if (loop->home.family == 0)
		loop->home = bound->address;
	loop->count.sockets++;
	return 0;
}

void bound_remove(struct bound *bound)
{
	hash_remove(bound->loop->bound, &bound->node);
	bound->loop->count.sockets--;
}

// ---- what the network does

static struct down_host *down_find(const struct loop *loop, const struct net_address *host)
{
	list_each (node, following, &loop->down) {
		struct down_host *down = container_of(node, struct down_host, node);
		if (net_address_same_host(&down->host, host))
			return down;
	}
	return NULL;
}

bool network_is_down(const struct loop *loop, const struct net_address *host)
{
	return down_find(loop, host) != NULL;
}

void sim_host_down(struct loop *loop, const struct net_address *host)
{
	if (down_find(loop, host))
		return;
	struct down_host *down = calloc(1, sizeof *down);
	assert(down);
	down->host = *host;
	list_append(&loop->down, &down->node);
}

void sim_host_up(struct loop *loop, const struct net_address *host)
{
	struct down_host *down = down_find(loop, host);
	if (!down)
		return;
	list_remove(&down->node);
	free(down);
	streams_resume(loop);
}

bool network_chance(struct loop *loop, unsigned permille)
{
	return permille > 0 && draw_below(&loop->network_state, 1000) < permille;
}

uint64_t network_delay(struct loop *loop)
{
	const struct sim_network *network = &loop->network;
	return network->delay_min_ms +
	       draw_below(&loop->network_state, network->delay_max_ms - network->delay_min_ms + 1);
}

// FNV-1a: quick, and the same in every process.
static void hash_in(uint64_t *hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
}

void network_sent(struct loop *loop, const struct sim_packet *packet, enum sim_fate fate)
{
	loop->count.sent++;
	if (loop->watcher.sent)
		loop->watcher.sent(loop->watcher.context, packet, fate);
}

void network_arrived(struct loop *loop, const struct event *event, enum sim_transport transport)
{
	const struct sim_packet packet = {loop->now_ms, transport, event->from, event->to, {event->bytes, event->size}};
	uint64_t *hash = &loop->count.transcript;
	loop->count.arrived++;
	hash_in(hash, &packet.at_ms, sizeof packet.at_ms);
	hash_in(hash, packet.from.bytes, sizeof packet.from.bytes);
	hash_in(hash, &packet.from.port, sizeof packet.from.port);
	hash_in(hash, packet.to.bytes, sizeof packet.to.bytes);
	hash_in(hash, &packet.to.port, sizeof packet.to.port);
	hash_in(hash, packet.bytes.at, packet.bytes.length);
	if (loop->watcher.arrived)
		loop->watcher.arrived(loop->watcher.context, &packet);
}

void sim_set_network(struct loop *loop, const struct sim_network *network)
{
	assert(network->delay_min_ms <= network->delay_max_ms);
	loop->network = *network;
}

void sim_filter(struct loop *loop, enum sim_fate (*filter)(void *context, const struct sim_packet *packet),
		void *context)
{
	loop->filter = filter;
	loop->filter_context = context;
}

void sim_watch(struct loop *loop, const struct sim_watcher *watcher)
{
	loop->watcher = watcher ? *watcher : (struct sim_watcher){0};
}

// ---- UDP

int udp_open(struct loop *loop, const struct net_address *local, udp_received *received, void *context,
	     struct udp_socket **socket)
{
	struct udp_socket *made = calloc(1, sizeof *made);
	if (!made)
		return -ENOMEM;
	int error = bound_add(loop, &made->bound, BOUND_UDP, local);
	if (error) {
		free(made);
		return error;
	}
	made->received = received;
	made->context = context;
	*socket = made;
	return 0;
}

struct net_address udp_local(const struct udp_socket *socket)
{
	return socket->bound.address;
}

unsigned udp_queue_percent(const struct udp_socket *socket)
{
	return socket->bound.loop->queue_percent;
}

static void tell_refused(struct timer *timer)
{
	loss_watches_tell(&container_of(timer, struct loop, refusals)->refused);
}

void network_init(struct loop *loop)
{
	list_init(&loop->refused);
	timer_init(&loop->refusals, tell_refused);
}

static void refuse(struct loop *loop, struct loss_watch *watch)
{
	if (!watch)
		return;
	list_remove(&watch->node);
	list_append(&loop->refused, &watch->node);
	timer_start(loop, &loop->refusals, 0);
}

static enum sim_fate datagram_fate(struct loop *loop, const struct sim_packet *packet)
{
	enum sim_fate fate = loop->filter ? loop->filter(loop->filter_context, packet) : SIM_DELIVERED;
	if (fate != SIM_DELIVERED)
		return fate;
	if (network_is_down(loop, &packet->from) || network_chance(loop, loop->network.loss_permille))
		return SIM_LOST;
	return network_chance(loop, loop->network.duplicate_permille) ? SIM_DOUBLED : SIM_DELIVERED;
}

int udp_send(struct udp_socket *socket, const struct net_address *to, struct str datagram, struct loss_watch *watch)
{
	struct loop *loop = socket->bound.loop;
	if (datagram.length > DATAGRAM_MAX)
		return -EMSGSIZE;
	if (to->family != socket->bound.address.family)
		return -EAFNOSUPPORT;
	const struct sim_packet packet = {loop->now_ms, SIM_UDP, socket->bound.address, *to, datagram};
	const enum sim_fate fate = datagram_fate(loop, &packet);
	network_sent(loop, &packet, fate);
	if (fate == SIM_REFUSED)
		refuse(loop, watch);
	for (int copies = fate == SIM_DELIVERED ? 1 : fate == SIM_DOUBLED ? 2 : 0; copies > 0; copies--) {
		uint64_t delay_ms = network_delay(loop);
		if (network_chance(loop, loop->network.reorder_permille))
			delay_ms += loop->network.reorder_ms;
		struct event *event = event_new(loop, EVENT_DATAGRAM, loop->now_ms + delay_ms, datagram);
		event->from = packet.from;
		event->to = *to;
		event_push(loop, event);
	}
	return 0;
}

void udp_close(struct udp_socket *socket)
{
	if (!socket)
		return;
	bound_remove(&socket->bound);
	free(socket);
}

void datagram_arrive(struct loop *loop, const struct event *event)
{
	struct bound *bound = bound_find(loop, BOUND_UDP, &event->to);
	if (!bound || network_is_down(loop, &event->to))
		return;
	struct udp_socket *socket = container_of(bound, struct udp_socket, bound);
	network_arrived(loop, event, SIM_UDP);
	socket->received(socket->context, &event->from, event->bytes, event->size);
}
