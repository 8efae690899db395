// UDP on libuv's poll: datagrams are received in batches and sent at once; neither touches the heap. libuv's own UDP asks the kernel
// again after each batch, until there is nothing: one system call in three when datagrams come singly.
#include "base/loop_uv.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Where a batch of datagrams goes. Made once: of what the kernel writes there, only the length of the source's address is read again.
struct batch {
	struct mmsghdr messages[LOOP_PIECES];
	struct iovec pieces[LOOP_PIECES];
	struct sockaddr_storage sources[LOOP_PIECES];
};

struct udp_socket {
	uv_poll_t uv;
	int descriptor;
	struct loop *loop;
	udp_received *received;
	void *context;
	bool *closed; // set when a handler closes the socket under the hands of `receive`
	struct batch batch;
};

static void batch_init(struct batch *batch, char *room)
{
	for (int i = 0; i < LOOP_PIECES; i++) {
		batch->pieces[i] = (struct iovec){room + (size_t)i * LOOP_PIECE_SIZE, LOOP_PIECE_SIZE};
		batch->messages[i].msg_hdr = (struct msghdr){.msg_name = &batch->sources[i],
							     .msg_namelen = sizeof batch->sources[i],
							     .msg_iov = &batch->pieces[i],
							     .msg_iovlen = 1};
	}
}

static void deliver(void *object, const void *from, char *bytes, size_t size)
{
	struct udp_socket *udp = object;
	udp->received(udp->context, from, bytes, size);
}

// One batch, if there is any. More than that may wait.
static void receive(struct udp_socket *udp)
{
	struct mmsghdr *messages = udp->batch.messages;
	bool closed = false;

	udp->closed = &closed;
	int count = recvmmsg(udp->descriptor, messages, LOOP_PIECES, MSG_DONTWAIT, NULL);
	// An error only concerns something sent before.
	for (int i = 0; i < count && !closed; i++) {
		const struct sockaddr *source = (struct sockaddr *)&udp->batch.sources[i];
		struct net_address from;
		messages[i].msg_hdr.msg_namelen = sizeof udp->batch.sources[i];
		if (messages[i].msg_hdr.msg_flags & MSG_TRUNC || !net_address_from_sockaddr(source, &from))
			continue;
		loop_deliver(deliver, udp, &from, (struct str){udp->batch.pieces[i].iov_base, messages[i].msg_len});
	}
	if (!closed)
		udp->closed = NULL;
}

// After a whole batch others have their turn first: the poll tells again of what is left.
static void datagrams_came(uv_poll_t *handle, int status, int events)
{
	(void)events;
	if (status < 0) // libuv stops at an error of the socket, which concerns something sent before
		uv_poll_start(handle, UV_READABLE, datagrams_came);
	receive(handle->data);
}

static void udp_closed(uv_handle_t *handle)
{
	struct udp_socket *udp = handle->data;

	close(udp->descriptor);
	free(udp);
}

// A bound socket, or a negative errno. IPv4 has sockets of its own, so that [::] and 0.0.0.0 may both be bound and an address has one
// form.
static int bound_socket(const struct net_address *local)
{
	struct sockaddr_storage address;
	socklen_t size = net_address_to_sockaddr(local, &address);
	const int yes = 1;
	int descriptor, error;

	if (size == 0)
		return -EAFNOSUPPORT;
	descriptor = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return -errno;
	if ((local->family != 6 || setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0) &&
	    bind(descriptor, (struct sockaddr *)&address, size) == 0)
		return descriptor;
	error = -errno;
	close(descriptor);
	return error;
}

int udp_open(struct loop *loop, const struct net_address *local, udp_received *received, void *context,
	     struct udp_socket **result)
{
	struct udp_socket *udp = calloc(1, sizeof *udp);
	int error = -ENOMEM;

	if (!udp)
		return error;
	*udp = (struct udp_socket){
	    .loop = loop, .received = received, .context = context, .descriptor = bound_socket(local)};
	error = udp->descriptor;
	if (error < 0)
		goto free_udp;
	batch_init(&udp->batch, loop->received);
	error = uv_poll_init(&loop->uv, &udp->uv, udp->descriptor);
	if (error)
		goto close_socket;
	udp->uv.data = udp;
	error = uv_poll_start(&udp->uv, UV_READABLE, datagrams_came);
	if (error) {
		uv_close((uv_handle_t *)&udp->uv, udp_closed);
		return error;
	}
	loop_enlarge_buffers((uv_handle_t *)&udp->uv);
	loop->open++;
	*result = udp;
	return 0;

close_socket:
	close(udp->descriptor);
free_udp:
	free(udp);
	return error;
}

struct net_address udp_local(const struct udp_socket *udp)
{
	struct sockaddr_storage address;
	struct net_address local = {0};
	socklen_t size = sizeof address;

	if (getsockname(udp->descriptor, (struct sockaddr *)&address, &size) == 0)
		net_address_from_sockaddr((struct sockaddr *)&address, &local);
	return local;
}

unsigned udp_queue_percent(const struct udp_socket *udp)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof memory;

	if (getsockopt(udp->descriptor, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0 || memory[SK_MEMINFO_RCVBUF] == 0)
		return 0;
	return (unsigned)((uint64_t)memory[SK_MEMINFO_RMEM_ALLOC] * 100 / memory[SK_MEMINFO_RCVBUF]);
}

int udp_send(struct udp_socket *udp, const struct net_address *to, struct str datagram)
{
	struct sockaddr_storage address;
	socklen_t size = net_address_to_sockaddr(to, &address);
	ssize_t sent;

	if (size == 0)
		return -EAFNOSUPPORT;
	if (datagram.length > UINT16_MAX)
		return -EMSGSIZE;
	do
		sent = sendto(udp->descriptor, datagram.at, datagram.length, MSG_DONTWAIT | MSG_NOSIGNAL,
			      (struct sockaddr *)&address, size);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

void udp_close(struct udp_socket *udp)
{
	if (!udp)
		return;
	udp->loop->open--;
	if (udp->closed)
		*udp->closed = true; // drops the rest of a batch too
	uv_close((uv_handle_t *)&udp->uv, udp_closed);
}
