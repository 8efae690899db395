// An HTTP client for tests: says exactly the bytes it is told to, and reads one answer.
#ifndef TEST_HTTP_CLIENT_H
#define TEST_HTTP_CLIENT_H

#include "base/net.h"

#include <jansson.h>

enum { REPLY_HEADERS_MAX = 16 << 10 };

struct reply {
	int status; // 0: the server closed without an answer
	char headers[REPLY_HEADERS_MAX];
	char *body; // terminated, owned
	size_t size;
	json_t *json; // the body, when it is JSON; owned
};

int client_connect(const struct net_address *server);
// Sends all of it; false when the server has closed.
bool client_send(int socket, const void *bytes, size_t size);
// Waits at most ten seconds.
void client_receive(int socket, struct reply *reply);
// A header's value in a buffer of the reply's; "" when it is absent.
const char *reply_header(const struct reply *reply, const char *name, char *into, size_t size);
void reply_free(struct reply *reply);

#endif
