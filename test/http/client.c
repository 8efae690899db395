// An HTTP client for tests, on bare sockets.
#include "http/client.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

int client_connect(const struct net_address *server)
{
	struct sockaddr_storage address;
	socklen_t size = net_address_to_sockaddr(server, &address);
	int socket_ = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(socket_ >= 0);
	if (connect(socket_, (struct sockaddr *)&address, size) != 0) {
		close(socket_);
		return -1;
	}
	return socket_;
}

bool client_send(int socket, const void *bytes, size_t size)
{
	for (size_t sent = 0; sent < size;) {
		ssize_t more = send(socket, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
		if (more <= 0)
			return false;
		sent += (size_t)more;
	}
	return true;
}

static bool read_more(int socket, char *into, size_t size, size_t *used)
{
	struct pollfd wait = {.fd = socket, .events = POLLIN};
	if (*used >= size || poll(&wait, 1, WAIT_MS) <= 0)
		return false;
	ssize_t more = recv(socket, into + *used, size - *used, 0);
	if (more <= 0)
		return false;
	*used += (size_t)more;
	return true;
}

const char *reply_header(const struct reply *reply, const char *name, char *into, size_t size)
{
	const char *line = strstr(reply->headers, "\r\n");
	size_t length = strlen(name);
	into[0] = '\0';
	for (; line && line[2]; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, length) != 0 || line[2 + length] != ':')
			continue;
		const char *value = line + 2 + length + 1;
		value += strspn(value, " ");
		snprintf(into, size, "%.*s", (int)strcspn(value, "\r"), value);
		break;
	}
	return into;
}

void client_receive(int socket, struct reply *reply)
{
	char text[REPLY_HEADERS_MAX] = "", length_text[32];
	size_t used = 0;
	char *end = NULL;
	*reply = (struct reply){.status = 0};
	while (!end) {
		if (!read_more(socket, text, sizeof text - 1, &used))
			return;
		text[used] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end && strncmp(text, "HTTP/1.1 100", 12) == 0) { // an interim answer: the real one follows
			used -= (size_t)(end + 4 - text);
			memmove(text, end + 4, used);
			text[used] = '\0';
			end = strstr(text, "\r\n\r\n");
		}
	}
	memcpy(reply->headers, text, (size_t)(end + 2 - text));
	sscanf(reply->headers, "HTTP/1.1 %d", &reply->status);
	size_t size = (size_t)atol(reply_header(reply, "Content-Length", length_text, sizeof length_text));
	reply->body = calloc(1, size + 1);
	assert(reply->body);
	reply->size = used - (size_t)(end + 4 - text);
	memcpy(reply->body, end + 4, reply->size < size ? reply->size : size);
	while (reply->size < size && read_more(socket, reply->body, size, &reply->size))
		;
	reply->json = json_loadb(reply->body, reply->size, 0, NULL);
}

void reply_free(struct reply *reply)
{
	json_decref(reply->json);
	free(reply->body);
	*reply = (struct reply){.status = 0};
}
