// Questions to the domain name system through c-ares, which does the asking over UDP and TCP, the repeating and the choice of
// server. It never reads or writes but when the loop says that it can, and its answers are told in a turn of their own, so
// that handlers may do what they like.
#include "base/dns.h"

#include <ares.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// 1 s, then 2 s, for each server.
enum { TRY_MS = 1000, TRIES = 2, CLASS_IN = 1, SOCKETS_MAX = 2 * DNS_SERVERS_MAX + 16, ANSWER_MAX = 64 * 1024 };

struct dns {
	struct loop *loop;
	ares_channel channel; // NULL when it could not be made
	struct timer timer;   // when c-ares wants to repeat or give up
	struct list queries;  // owned
	struct loop_watch *watches[SOCKETS_MAX];
	int sockets[SOCKETS_MAX]; // of the watches
};

struct dns_query {
	struct list node;
	struct dns *dns;
	dns_answered *answered; // NULL: cancelled
	void *context;
	bool asking;          // c-ares still knows it
	struct timer deliver; // runs from the answer until it is told
	struct dns_answer answer;
	struct arena arena; // the answer's
	enum dns_type type;
	struct str name;
};

// ---- c-ares' sockets and its clock

static void start_timer(struct dns *dns)
{
	struct timeval most = {.tv_sec = 60}, left;
	struct timeval *wait = ares_timeout(dns->channel, NULL, &left);
	timer_stop(&dns->timer);
	if (!wait)
		return;
	if (wait->tv_sec >= most.tv_sec)
		wait = &most;
	timer_start(dns->loop, &dns->timer, (uint64_t)wait->tv_sec * 1000 + (uint64_t)wait->tv_usec / 1000 + 1);
}

static void time_passed(struct timer *timer)
{
	struct dns *dns = container_of(timer, struct dns, timer);
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	start_timer(dns);
}

static void socket_ready(void *context, int socket, unsigned ready)
{
	struct dns *dns = context;
	ares_process_fd(dns->channel, ready & LOOP_READABLE ? socket : ARES_SOCKET_BAD,
			ready & LOOP_WRITABLE ? socket : ARES_SOCKET_BAD);
	start_timer(dns);
}

static size_t watch_of(const struct dns *dns, int socket)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (dns->watches[i] && dns->sockets[i] == socket)
			return i;
	return SOCKETS_MAX;
}

// A socket that cannot be watched is silent: c-ares gives up on it when its time is over.
static void socket_watch(struct dns *dns, int socket, unsigned wanted)
{
	size_t i = 0;
	while (i < SOCKETS_MAX && dns->watches[i])
		i++;
	if (i == SOCKETS_MAX || loop_watch_start(dns->loop, socket, socket_ready, dns, &dns->watches[i]) != 0)
		return;
	dns->sockets[i] = socket;
	loop_watch_set(dns->watches[i], wanted);
}

// Called by c-ares before it closes a socket, too.
static void socket_state(void *context, ares_socket_t socket, int readable, int writable)
{
	struct dns *dns = context;
	unsigned wanted = (readable ? LOOP_READABLE : 0u) | (writable ? LOOP_WRITABLE : 0u);
	size_t i = watch_of(dns, socket);

	if (i == SOCKETS_MAX) {
		if (wanted)
			socket_watch(dns, socket, wanted);
	} else if (wanted) {
		loop_watch_set(dns->watches[i], wanted);
	} else {
		loop_watch_stop(dns->watches[i]);
		dns->watches[i] = NULL;
	}
}

// ---- queries

static void query_free(struct dns_query *query)
{
	timer_stop(&query->deliver);
	list_remove(&query->node);
	arena_free(&query->arena);
	free(query);
}

static void deliver(struct timer *timer)
{
	struct dns_query *query = container_of(timer, struct dns_query, deliver);
	list_remove(&query->node); // dns_destroy no longer finds it
	if (query->answered)
		query->answered(query->context, &query->answer);
	query_free(query);
}

static enum dns_status status_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return DNS_FOUND;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_ENOTIMP: // a server too old for this type has none of it
	case ARES_EFORMERR:
		return DNS_NOTHING;
	}
	return DNS_FAILED;
}

static void came(void *context, int status, int timeouts, unsigned char *bytes, int size)
{
	struct dns_query *query = context;
	enum dns_status known = status_of(status);

	(void)timeouts;
	query->asking = false;
	if (!query->answered) {
		query_free(query);
		return;
	}
	query->answer = (struct dns_answer){.status = known, .type = query->type};
	if (known != DNS_FAILED && bytes && size > 0 && size <= ANSWER_MAX) {
		struct dns_answer read = dns_answer_read((struct str){(const char *)bytes, (size_t)size}, query->type,
							 query->name, &query->arena);
		if (read.status != DNS_FAILED || known == DNS_FOUND)
			query->answer = read;
	} else if (known == DNS_FOUND) {
		query->answer.status = DNS_FAILED;
	}
	timer_start(query->dns->loop, &query->deliver, 0);
}

struct dns_query *dns_ask(struct dns *dns, enum dns_type type, struct str name, dns_answered *answered, void *context)
{
	if (!net_name_valid(name))
		return NULL;
	struct dns_query *query = calloc(1, sizeof *query);
	if (!query)
		return NULL;
	arena_init(&query->arena, ANSWER_MAX);
	list_init(&query->node);
	timer_init(&query->deliver, deliver);
	query->name = arena_copy(&query->arena, name);
	if (!query->name.at) {
		query_free(query);
		return NULL;
	}
	query->dns = dns;
	query->type = type;
	query->answered = answered;
	query->context = context;
	query->asking = true;
	list_append(&dns->queries, &query->node);
	ares_query(dns->channel, query->name.at, CLASS_IN, (int)type, came, query);
	start_timer(dns);
	return query;
}

// c-ares cannot forget a single question: the query waits for its answer alone.
void dns_cancel(struct dns_query *query)
{
	if (!query)
		return;
	query->answered = NULL;
	if (!query->asking)
		query_free(query);
}

// ---- life

bool dns_servers_valid(struct str servers)
{
	struct net_address address;
	struct str piece;
	unsigned count = 0;

	while (str_take(&servers, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		if (!net_address_parse_with_port(piece, 53, &address) || address.port == 0 || ++count > DNS_SERVERS_MAX)
			return false;
	}
	return true;
}

// As c-ares wants them: separated by commas.
static bool set_servers(struct dns *dns, struct str servers)
{
	char list[DNS_SERVERS_MAX * 64];
	struct writer w = writer_into(list, sizeof list - 1);
	struct net_address address;
	struct str piece;

	while (str_take(&servers, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		if (!net_address_parse_with_port(piece, 53, &address))
			return false;
		if (w.used > 0)
			writer_char(&w, ',');
		net_address_write(&w, &address);
	}
	if (w.overflow)
		return false;
	list[w.used] = '\0';
	return w.used == 0 || ares_set_servers_ports_csv(dns->channel, list) == ARES_SUCCESS;
}

int dns_create(struct loop *loop, struct str servers, struct dns **result)
{
	struct dns *dns = calloc(1, sizeof *dns);
	struct ares_options options = {
	    .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
	    .timeout = TRY_MS,
	    .tries = TRIES,
	    .sock_state_cb = socket_state,
	    .sock_state_cb_data = dns,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;

	if (!dns)
		return -ENOMEM;
	dns->loop = loop;
	timer_init(&dns->timer, time_passed);
	list_init(&dns->queries);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(dns);
		return -ENOMEM;
	}
	int status = ares_init_options(&dns->channel, &options, mask);
	if (status != ARES_SUCCESS) {
		dns->channel = NULL;
		dns_destroy(dns);
		return status == ARES_ENOMEM ? -ENOMEM : -EIO;
	}
	if (!set_servers(dns, servers)) {
		dns_destroy(dns);
		return -EINVAL;
	}
	*result = dns;
	return 0;
}

void dns_destroy(struct dns *dns)
{
	if (!dns)
		return;
	list_each (node, following, &dns->queries)
		dns_cancel(container_of(node, struct dns_query, node));
	if (dns->channel)
		ares_destroy(dns->channel); // ends the cancelled ones, and closes every socket
	assert(list_empty(&dns->queries));
	timer_stop(&dns->timer);
	ares_library_cleanup();
	free(dns);
}
