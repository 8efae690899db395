// UDP on libuv's poll: datagrams are received in batches and sent together when the turn ends; neither touches the heap. libuv's own UDP
// asks the kernel again after each batch, until there is nothing: one system call in three when datagrams come singly. Sent one by one
// they woke the other side 2.3 times in a call to three devices, together 1.7 times, which took a sixth less at 1,000 calls a second.
#include "base/loop_uv.h"

#include "base/log.h"
#include "base/writer.h"

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

// ---- sending

// What a full queue drops is lost as datagrams are lost: whoever needs it sends it again.
static int refusal(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM ? 0 : -error;
}

static void tell_refused(struct timer *timer)
{
	loss_watches_tell(&container_of(timer, struct loop, refusals)->refused);
}

void udp_held_init(struct loop *loop)
{
	struct udp_held *held = &loop->held;

	held->room = loop->received + (size_t)LOOP_PIECES * LOOP_PIECE_SIZE;
	for (int i = 0; i < LOOP_HELD; i++) {
		list_init(&held->watches[i]);
		held->messages[i].msg_hdr =
		    (struct msghdr){.msg_name = &held->places[i], .msg_iov = &held->pieces[i], .msg_iovlen = 1};
	}
	list_init(&loop->refused);
	timer_init(&loop->refusals, tell_refused);
}

static void hold(struct udp_socket *udp, const struct net_address *to, struct str datagram, struct loss_watch *watch)
{
	struct udp_held *held = &udp->loop->held;

	if (held->count == LOOP_HELD || datagram.length > LOOP_HELD_BYTES - held->used)
		udp_send_held(udp->loop);
	unsigned i = held->count++;
	held->sockets[i] = udp;
	held->messages[i].msg_hdr.msg_namelen = net_address_to_sockaddr(to, &held->places[i]);
	held->pieces[i] = (struct iovec){held->room + held->used, datagram.length};
	if (datagram.length > 0)
		memcpy(held->pieces[i].iov_base, datagram.at, datagram.length);
	held->used += datagram.length;
	if (!watch)
		return;
	list_remove(&watch->node);
	list_append(&held->watches[i], &watch->node);
}

static void refused_log(const struct udp_held *held, unsigned which, int error)
{
	struct net_address to = {0};
	char text[64];
	struct writer w = writer_into(text, sizeof text);

	net_address_from_sockaddr((const struct sockaddr *)&held->places[which], &to);
	net_address_write(&w, &to);
	log_info("datagram_refused", LOG_STR("to", writer_result(&w)), LOG_TEXT("reason", strerror(error)));
}

// Whoever watches sees to it; of all others the log tells.
static void refused(struct loop *loop, unsigned which, int error)
{
	struct list *watches = &loop->held.watches[which], *watch = watches->next;

	if (list_empty(watches)) {
		refused_log(&loop->held, which, error);
		return;
	}
	list_remove(watch);
	list_append(&loop->refused, watch);
	timer_start(loop, &loop->refusals, 0);
}

// From the `from`-th on, those of one socket. Gives how many are done with: sent, dropped or refused.
static unsigned send_some(struct loop *loop, unsigned from)
{
	struct udp_held *held = &loop->held;
	unsigned end = from + 1;

	while (end < held->count && held->sockets[end] == held->sockets[from])
		end++;
	int sent =
	    sendmmsg(held->sockets[from]->descriptor, held->messages + from, end - from, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		return (unsigned)sent;
	if (sent < 0 && errno == EINTR)
		return 0;
	if (sent < 0 && refusal(errno)) // of the first one
		refused(loop, from, errno);
	return 1;
}

void udp_send_held(struct loop *loop)
{
	struct udp_held *held = &loop->held;

	for (unsigned done = 0; done < held->count;)
		done += send_some(loop, done);
	for (unsigned i = 0; i < held->count; i++)
		list_remove(&held->watches[i]); // nobody is told of these any more
	held->count = 0;
	held->used = 0;
}

static int send_now(const struct udp_socket *udp, const struct net_address *to, struct str datagram)
{
	struct sockaddr_storage address;
	socklen_t size = net_address_to_sockaddr(to, &address);
	ssize_t sent;

	do
		sent = sendto(udp->descriptor, datagram.at, datagram.length, MSG_DONTWAIT | MSG_NOSIGNAL,
			      (struct sockaddr *)&address, size);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? refusal(errno) : 0;
}

int udp_send(struct udp_socket *udp, const struct net_address *to, struct str datagram, struct loss_watch *watch)
{
	// What an IP packet holds besides the header of UDP, and of IPv4 its own.
	const size_t most = UINT16_MAX - 8 - (to->family == 4 ? 20 : 0);

	if (to->family != 4 && to->family != 6)
		return -EAFNOSUPPORT;
	if (datagram.length > most)
		return -EMSGSIZE;
	if (!udp->loop->running)
		return send_now(udp, to, datagram);
	hold(udp, to, datagram, watch);
	return 0;
}

void udp_close(struct udp_socket *udp)
{
	if (!udp)
		return;
	udp_send_held(udp->loop);
	udp->loop->open--;
	if (udp->closed)
		*udp->closed = true; // drops the rest of a batch too
	uv_close((uv_handle_t *)&udp->uv, udp_closed);
}
