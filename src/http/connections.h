// Connections and the deadline of each: libmicrohttpd's own timer starts anew with each byte. And how many requests are under
// way, for an end that answers them. From any thread.
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <microhttpd.h>
#include <stdint.h>

struct connections;

// A request must have come in whole within receive_s. NULL when there is no memory.
struct connections *connections_create(int64_t receive_s);
void connections_destroy(struct connections *connections); // NULL is allowed

// libmicrohttpd's MHD_NotifyConnectionCallback; the context is the connections.
void connections_changed(void *context, struct MHD_Connection *mhd, void **socket_context,
			 enum MHD_ConnectionNotificationCode code);
// Since when it waits for a request, monotonic; 0: one is being answered.
void connection_waits(struct MHD_Connection *mhd, int64_t since_ms);
// Cuts those that have kept us waiting too long. Called once a second; the context is the connections.
void connections_expire(void *context);

// More, or fewer, requests are under way.
void connections_under_way(struct connections *connections, int count);
// Until none is, for at most that long.
void connections_wait(struct connections *connections, unsigned seconds);

int64_t http_monotonic_ms(void);

#endif
