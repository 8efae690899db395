#include "wire.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BATCH = 64, // datagrams sent or received by one call
	DATAGRAM_MAX = 4096,
	STREAM_BUFFER = 1 << 18, // of each direction of a connection
	SOCKET_BUFFER = 8 << 20,
	EVENTS = 64,
};

struct link {
	int socket;
	char address[32];
	bool pending; // is in wire.pending
	// UDP: what waits to be sent.
	char *datagrams; // BATCH * DATAGRAM_MAX
	size_t sizes[BATCH];
	unsigned count;
	// Streams.
	SSL *tls;
	char *in, *out;
	size_t in_used, out_used;
};

struct wire {
	enum wire_kind kind;
	struct link *links;
	unsigned link_count;
	unsigned *pending;
	unsigned pending_count;
	int epoll;
	SSL_CTX *tls;
	struct wire_counts counts;
	char *room; // where datagrams come in: BATCH * DATAGRAM_MAX
};

const char *wire_via(const struct wire *wire)
{
	static const char *const names[] = {"UDP", "TCP", "TLS", "WS"};

	return names[wire->kind];
}

const char *wire_parameter(const struct wire *wire)
{
	static const char *const names[] = {"", ";transport=tcp", ";transport=tls", ";transport=ws"};

	return names[wire->kind];
}

unsigned wire_links(const struct wire *wire)
{
	return wire->link_count;
}

const char *wire_address(const struct wire *wire, unsigned link)
{
	return wire->links[link].address;
}

struct wire_counts wire_counts(const struct wire *wire)
{
	return wire->counts;
}

// ---- sending

static void pend(struct wire *wire, unsigned at)
{
	if (wire->links[at].pending)
		return;
	wire->links[at].pending = true;
	wire->pending[wire->pending_count++] = at;
}

static void flush_datagrams(struct wire *wire, struct link *link)
{
	struct mmsghdr headers[BATCH];
	struct iovec pieces[BATCH];
	unsigned sent = 0;

	memset(headers, 0, sizeof headers);
	for (unsigned i = 0; i < link->count; i++) {
		pieces[i] = (struct iovec){link->datagrams + (size_t)i * DATAGRAM_MAX, link->sizes[i]};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	}
	while (sent < link->count) {
		int n = sendmmsg(link->socket, headers + sent, link->count - sent, 0);
		if (n <= 0 && errno != EINTR)
			break;
		sent += n > 0 ? (unsigned)n : 0;
	}
	wire->counts.failed += link->count - sent;
	link->count = 0;
}

// Takes what could be written off the front.
static void flush_stream(struct link *link)
{
	size_t done = 0;

	while (done < link->out_used) {
		ssize_t n = link->tls ? SSL_write(link->tls, link->out + done, (int)(link->out_used - done))
				      : send(link->socket, link->out + done, link->out_used - done, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	memmove(link->out, link->out + done, link->out_used - done);
	link->out_used -= done;
}

void wire_flush(struct wire *wire)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < wire->pending_count; i++) {
		unsigned at = wire->pending[i];
		struct link *link = &wire->links[at];
		if (wire->kind == WIRE_UDP)
			flush_datagrams(wire, link);
		else
			flush_stream(link);
		link->pending = link->out_used > 0;
		if (link->pending)
			wire->pending[kept++] = at;
	}
	wire->pending_count = kept;
}

static bool append(struct link *link, const void *bytes, size_t size)
{
	if (link->out_used + size > STREAM_BUFFER)
		return false;
	memcpy(link->out + link->out_used, bytes, size);
	link->out_used += size;
	return true;
}

// A masked text frame (RFC 6455 section 5.2). The mask is zero: what matters is that the server unmasks.
static bool append_frame(struct link *link, struct str text)
{
	uint8_t head[8] = {0x81, 0};
	size_t used = 2;

	if (text.length < 126) {
		head[1] = (uint8_t)(0x80 | text.length);
	} else {
		head[1] = 0x80 | 126;
		head[2] = (uint8_t)(text.length >> 8);
		head[3] = (uint8_t)text.length;
		used = 4;
	}
	return link->out_used + used + 4 + text.length <= STREAM_BUFFER && append(link, head, used) &&
	       append(link, "\0\0\0\0", 4) && append(link, text.at, text.length);
}

void wire_send(struct wire *wire, unsigned at, struct str text)
{
	struct link *link = &wire->links[at];
	bool kept;

	wire->counts.sent++;
	if (text.length > DATAGRAM_MAX) {
		wire->counts.failed++;
		return;
	}
	pend(wire, at);
	if (wire->kind == WIRE_UDP) {
		memcpy(link->datagrams + (size_t)link->count * DATAGRAM_MAX, text.at, text.length);
		link->sizes[link->count++] = text.length;
		if (link->count == BATCH)
			flush_datagrams(wire, link);
		return;
	}
	kept = wire->kind == WIRE_WS ? append_frame(link, text) : append(link, text.at, text.length);
	wire->counts.failed += !kept;
}

// ---- receiving

static void receive_datagrams(struct wire *wire, unsigned at, wire_handler *handler, void *context)
{
	struct mmsghdr headers[BATCH];
	struct iovec pieces[BATCH];

	memset(headers, 0, sizeof headers);
	for (unsigned i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec){wire->room + (size_t)i * DATAGRAM_MAX, DATAGRAM_MAX};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	}
	int n = recvmmsg(wire->links[at].socket, headers, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		wire->counts.received++;
		handler(context, at, (struct str){pieces[i].iov_base, headers[i].msg_len});
	}
}

// The first frame's payload, and how many bytes it took; 0 when it is not whole. Servers do not mask.
static size_t frame_read(const struct link *link, struct str *payload)
{
	const uint8_t *at = (const uint8_t *)link->in;
	size_t head = 2, length;

	if (link->in_used < 2)
		return 0;
	length = at[1] & 0x7f;
	if (length == 126) {
		if (link->in_used < 4)
			return 0;
		length = (size_t)at[2] << 8 | at[3];
		head = 4;
	}
	if (link->in_used < head + length)
		return 0;
	*payload = (at[0] & 0x0f) <= 2 ? (struct str){link->in + head, length} : STR_NONE;
	return head + length;
}

// The next message at the front of what has come in.
static size_t next_message(const struct wire *wire, struct link *link, struct str *text)
{
	size_t blank = 0;

	if (wire->kind == WIRE_WS)
		return frame_read(link, text);
	while (blank < link->in_used && (link->in[blank] == '\r' || link->in[blank] == '\n'))
		blank++; // keep-alives (RFC 5626)
	*text = (struct str){link->in + blank, message_length((struct str){link->in + blank, link->in_used - blank})};
	return text->length || blank ? blank + text->length : 0;
}

static void receive_stream(struct wire *wire, unsigned at, wire_handler *handler, void *context)
{
	struct link *link = &wire->links[at];

	for (;;) {
		size_t room = STREAM_BUFFER - link->in_used;
		ssize_t n = link->tls ? SSL_read(link->tls, link->in + link->in_used, (int)room)
				      : recv(link->socket, link->in + link->in_used, room, 0);
		if (n <= 0)
			break;
		link->in_used += (size_t)n;
		size_t used;
		struct str text;
		while ((used = next_message(wire, link, &text)) > 0) {
			if (!str_empty(text)) {
				wire->counts.received++;
				handler(context, at, text);
			}
			memmove(link->in, link->in + used, link->in_used - used);
			link->in_used -= used;
		}
	}
}

void wire_receive(struct wire *wire, int wait_ms, wire_handler *handler, void *context)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(wire->epoll, events, EVENTS, wait_ms);

	for (int i = 0; i < n; i++) {
		if (wire->kind == WIRE_UDP)
			receive_datagrams(wire, events[i].data.u32, handler, context);
		else
			receive_stream(wire, events[i].data.u32, handler, context);
	}
}

// ---- opening

static bool upgrade(struct link *link)
{
	static const char request[] =
	    "GET /sip HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Protocol: sip\r\n\r\n";
	char answer[2048];
	size_t used = 0;

	if (send(link->socket, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
		return false;
	while (used < sizeof answer - 1) {
		ssize_t n = recv(link->socket, answer + used, 1, 0);
		if (n <= 0)
			return false;
		used += (size_t)n;
		if (used >= 4 && memcmp(answer + used - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	return memcmp(answer, "HTTP/1.1 101", 12) == 0;
}

static bool secure(struct wire *wire, struct link *link)
{
	if (!wire->tls)
		wire->tls =
		    SSL_CTX_new(TLS_client_method()); // what is measured is the server, whose certificate is its own
	link->tls = wire->tls ? SSL_new(wire->tls) : NULL;
	return link->tls && SSL_set_fd(link->tls, link->socket) == 1 && SSL_connect(link->tls) == 1;
}

static bool link_open(struct wire *wire, struct link *link, struct sockaddr_in server, unsigned port)
{
	struct sockaddr_in own = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof own;
	int buffer = SOCKET_BUFFER, one = 1;
	bool datagram = wire->kind == WIRE_UDP;

	link->socket = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (link->socket < 0 || bind(link->socket, (struct sockaddr *)&own, sizeof own) != 0 ||
	    connect(link->socket, (struct sockaddr *)&server, sizeof server) != 0)
		return false;
	if (getsockname(link->socket, (struct sockaddr *)&own, &size) != 0)
		return false;
	snprintf(link->address, sizeof link->address, "127.0.0.1:%u", ntohs(own.sin_port));
	if (datagram) {
		setsockopt(link->socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
		setsockopt(link->socket, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
		link->datagrams = malloc((size_t)BATCH * DATAGRAM_MAX);
		return link->datagrams;
	}
	setsockopt(link->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	link->in = malloc(STREAM_BUFFER);
	link->out = malloc(STREAM_BUFFER);
	if (!link->in || !link->out || (wire->kind == WIRE_WS && !upgrade(link)) ||
	    (wire->kind == WIRE_TLS && !secure(wire, link)))
		return false;
	return fcntl(link->socket, F_SETFL, O_NONBLOCK) == 0;
}

struct wire *wire_open(enum wire_kind kind, struct sockaddr_in server, unsigned links, unsigned port)
{
	struct wire *wire = calloc(1, sizeof *wire);

	if (!wire)
		return NULL;
	wire->kind = kind;
	wire->epoll = epoll_create1(EPOLL_CLOEXEC);
	wire->links = calloc(links, sizeof *wire->links);
	wire->pending = calloc(links, sizeof *wire->pending);
	wire->room = malloc((size_t)BATCH * DATAGRAM_MAX);
	for (unsigned i = 0; wire->links && wire->pending && wire->room && i < links; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
		wire->links[i].socket = -1;
		wire->link_count = i + 1;
		if (!link_open(wire, &wire->links[i], server, port ? port + i : 0) ||
		    epoll_ctl(wire->epoll, EPOLL_CTL_ADD, wire->links[i].socket, &event) != 0) {
			fprintf(stderr, "connection %u: %s\n", i, strerror(errno));
			wire_close(wire);
			return NULL;
		}
	}
	return wire;
}

void wire_close(struct wire *wire)
{
	for (unsigned i = 0; i < wire->link_count; i++) {
		struct link *link = &wire->links[i];
		SSL_free(link->tls);
		if (link->socket >= 0)
			close(link->socket);
		free(link->datagrams);
		free(link->in);
		free(link->out);
	}
	SSL_CTX_free(wire->tls);
	close(wire->epoll);
	free(wire->room);
	free(wire->links);
	free(wire->pending);
	free(wire);
}
