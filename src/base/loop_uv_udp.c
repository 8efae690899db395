// UDP on libuv: datagrams are received in batches and sent at once; neither touches the heap.
#include "base/loop_uv.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>

struct udp_socket {
	uv_udp_t uv;
	struct loop *loop;
	udp_received *received;
	void *context;
};

static void provide_buffer(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
	struct udp_socket *udp = handle->data;
	(void)suggested_size;
	*buffer = uv_buf_init(udp->loop->received, LOOP_PIECES * LOOP_PIECE_SIZE);
}

static void deliver(void *object, const void *from, char *bytes, size_t size)
{
	struct udp_socket *udp = object;
	udp->received(udp->context, from, bytes, size);
}

static void datagram_came(uv_udp_t *handle, ssize_t size, const uv_buf_t *buffer, const struct sockaddr *source,
			  unsigned flags)
{
	struct udp_socket *udp = handle->data;
	struct net_address from;
	// Without a source it is no datagram: nothing more to read, or an error that only concerns something sent before.
	if (size < 0 || !source || (flags & UV_UDP_PARTIAL) != 0)
		return;
	if (net_address_from_sockaddr(source, &from))
		loop_deliver(deliver, udp, &from, (struct str){buffer->base, (size_t)size});
}

static void udp_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int udp_open(struct loop *loop, const struct net_address *local, udp_received *received, void *context,
	     struct udp_socket **result)
{
	struct sockaddr_storage address;
	if (net_address_to_sockaddr(local, &address) == 0)
		return -EAFNOSUPPORT;
	struct udp_socket *udp = calloc(1, sizeof *udp);
	if (!udp)
		return -ENOMEM;
	*udp = (struct udp_socket){.loop = loop, .received = received, .context = context};
	int error = uv_udp_init_ex(&loop->uv, &udp->uv, address.ss_family | UV_UDP_RECVMMSG);
	if (error) {
		free(udp);
		return error;
	}
	udp->uv.data = udp;
	// IPv4 has sockets of its own, so that [::] and 0.0.0.0 may both be bound and an address has one form
	error = uv_udp_bind(&udp->uv, (struct sockaddr *)&address, local->family == 6 ? UV_UDP_IPV6ONLY : 0);
	if (!error)
		error = uv_udp_recv_start(&udp->uv, provide_buffer, datagram_came);
	if (error) {
		uv_close((uv_handle_t *)&udp->uv, udp_closed);
		return error;
	}
	loop_enlarge_buffers((uv_handle_t *)&udp->uv);
	loop->open++;
	*result = udp;
	return 0;
}

struct net_address udp_local(const struct udp_socket *udp)
{
	struct sockaddr_storage address;
	struct net_address local = {0};
	int size = sizeof address;
	if (uv_udp_getsockname(&udp->uv, (struct sockaddr *)&address, &size) == 0)
		net_address_from_sockaddr((struct sockaddr *)&address, &local);
	return local;
}

unsigned udp_queue_percent(const struct udp_socket *udp)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof memory;
	uv_os_fd_t fd;
	if (uv_fileno((const uv_handle_t *)&udp->uv, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0 || memory[SK_MEMINFO_RCVBUF] == 0)
		return 0;
	return (unsigned)((uint64_t)memory[SK_MEMINFO_RMEM_ALLOC] * 100 / memory[SK_MEMINFO_RCVBUF]);
}

int udp_send(struct udp_socket *udp, const struct net_address *to, struct str datagram)
{
	struct sockaddr_storage address;
	if (net_address_to_sockaddr(to, &address) == 0)
		return -EAFNOSUPPORT;
	if (datagram.length > UINT16_MAX)
		return -EMSGSIZE;
	// libuv takes bytes that may be written to, but only reads them
	uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)datagram.at, (unsigned)datagram.length);
	int sent = uv_udp_try_send(&udp->uv, &buffer, 1, (struct sockaddr *)&address);
	return sent < 0 ? sent : 0;
}

void udp_close(struct udp_socket *udp)
{
	if (!udp)
		return;
	udp->loop->open--;
	uv_udp_recv_stop(&udp->uv); // drops the rest of a batch too, when a handler closes the socket
	uv_close((uv_handle_t *)&udp->uv, udp_closed);
}
