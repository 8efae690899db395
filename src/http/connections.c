// Which connections there are, since when each keeps us waiting, and how many requests are under way.
#include "http/connections.h"

#include "base/list.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct connections {
	int64_t receive_s;
	pthread_mutex_t lock;
	pthread_cond_t answered_all;
	struct list list; // of struct connection
	size_t under_way; // requests handed to a worker and not yet answered in full
};

// One connection, for the deadline: libmicrohttpd's own timer starts anew with each byte.
struct connection {
	struct list node;
	struct connections *of;
	int socket;
	int64_t since_ms; // when it began to wait for a request, monotonic; 0 = one is being answered
};

int64_t http_monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct connections *connections_create(int64_t receive_s)
{
	struct connections *connections = calloc(1, sizeof *connections);
	pthread_condattr_t attributes;
	if (!connections)
		return NULL;
	connections->receive_s = receive_s;
	list_init(&connections->list);
	pthread_mutex_init(&connections->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&connections->answered_all, &attributes);
	pthread_condattr_destroy(&attributes);
	return connections;
}

void connections_destroy(struct connections *connections)
{
	if (!connections)
		return;
	pthread_cond_destroy(&connections->answered_all);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

void connection_waits(struct MHD_Connection *mhd, int64_t since_ms)
{
	struct connection *connection = connection_of(mhd);
	if (!connection)
		return;
	pthread_mutex_lock(&connection->of->lock);
	connection->since_ms = since_ms;
	pthread_mutex_unlock(&connection->of->lock);
}

void connections_changed(void *context, struct MHD_Connection *mhd, void **socket_context,
			 enum MHD_ConnectionNotificationCode code)
{
	struct connections *connections = context;
	struct connection *connection = *socket_context;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	pthread_mutex_lock(&connections->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = calloc(1, sizeof *connection);
		*socket_context = connection;
		if (connection && info) {
			*connection = (struct connection){
			    .of = connections, .socket = info->connect_fd, .since_ms = http_monotonic_ms()};
			list_append(&connections->list, &connection->node);
		}
	} else if (connection) {
		list_remove(&connection->node);
		free(connection);
		*socket_context = NULL;
	}
	pthread_mutex_unlock(&connections->lock);
}

// The lock keeps a socket's number from being given to another meanwhile.
void connections_expire(void *context)
{
	struct connections *connections = context;
	int64_t latest_ms = http_monotonic_ms() - connections->receive_s * 1000;
	pthread_mutex_lock(&connections->lock);
	list_each (node, following, &connections->list) {
		struct connection *connection = container_of(node, struct connection, node);
		if (connection->since_ms && connection->since_ms < latest_ms)
			shutdown(connection->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&connections->lock);
}

void connections_under_way(struct connections *connections, int count)
{
	pthread_mutex_lock(&connections->lock);
	connections->under_way += (size_t)count;
	if (connections->under_way == 0)
		pthread_cond_signal(&connections->answered_all);
	pthread_mutex_unlock(&connections->lock);
}

void connections_wait(struct connections *connections, unsigned seconds)
{
	struct timespec until;
	int waited = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&connections->lock);
	while (connections->under_way && waited == 0)
		waited = pthread_cond_timedwait(&connections->answered_all, &connections->lock, &until);
	pthread_mutex_unlock(&connections->lock);
}
