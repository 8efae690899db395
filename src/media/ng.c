// Commands under way, each with a timer and a random cookie, so that nobody who cannot read them can answer them.
#include "media/ng.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_WAIT_MS = 100 };

struct ng_request {
	struct hash_node node; // of the client, by cookie
	struct ng_client *client;
	char cookie[NG_COOKIE_SIZE];
	struct timer timer; // the next datagram, or the end
	uint64_t give_up_ms, wait_ms;
	ng_answered *handler;
	void *context;
	size_t size;
	char datagram[];
};

struct ng_client {
	struct loop *loop;
	struct net_address relay;
	struct udp_socket *socket;
	struct hash_table *requests;
	struct ng_counters counters;
};

// ---- reading

json_t *ng_read(struct str datagram, struct str *cookie)
{
	json_t *answer;

	*cookie = str_first(datagram, str_index(datagram, ' '));
	if (cookie->length != NG_COOKIE_SIZE || cookie->length == datagram.length)
		return NULL;
	struct str text = str_from(datagram, NG_COOKIE_SIZE + 1);
	answer = json_loadb(text.at, text.length, 0, NULL);
	if (!answer || json_is_object(answer))
		return answer;
	json_decref(answer);
	return NULL;
}

struct str ng_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_string(value) ? (struct str){json_string_value(value), json_string_length(value)} : STR_NONE;
}

struct str ng_result(const json_t *answer)
{
	return ng_text(answer, "result");
}

uint64_t ng_uint(const json_t *object, const char *key, uint64_t fallback)
{
	const json_t *value = json_object_get(object, key);
	uint64_t number;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return (uint64_t)json_integer_value(value);
	if (json_is_string(value) && str_to_uint(ng_text(object, key), INT64_MAX, &number))
		return number;
	return fallback;
}

// ---- requests

static bool has_cookie(const struct hash_node *node, const void *key)
{
	const struct ng_request *request = container_of(node, struct ng_request, node);

	return memcmp(request->cookie, key, NG_COOKIE_SIZE) == 0;
}

static struct ng_request *request_find(const struct ng_client *client, struct str cookie)
{
	struct hash_node *node = hash_find(client->requests, hash_str(cookie), has_cookie, cookie.at);

	return node ? container_of(node, struct ng_request, node) : NULL;
}

static void request_free(struct ng_request *request)
{
	hash_remove(request->client->requests, &request->node);
	timer_stop(&request->timer);
	free(request);
}

// The request is gone before its handler runs, so that this may do anything.
static void request_over(struct ng_request *request, const json_t *answer)
{
	ng_answered *handler = request->handler;
	void *context = request->context;

	request_free(request);
	handler(context, answer);
}

// What cannot be sent now is sent again later.
static void request_transmit(struct ng_request *request)
{
	struct ng_client *client = request->client;
	uint64_t left_ms = request->give_up_ms - loop_now_ms(client->loop);

	(void)udp_send(client->socket, &client->relay, (struct str){request->datagram, request->size}, NULL);
	timer_start(client->loop, &request->timer, request->wait_ms < left_ms ? request->wait_ms : left_ms);
	request->wait_ms *= 2;
}

static void request_due(struct timer *timer)
{
	struct ng_request *request = container_of(timer, struct ng_request, timer);

	if (loop_now_ms(request->client->loop) >= request->give_up_ms) {
		request->client->counters.timeouts++;
		request_over(request, NULL);
		return;
	}
	request->client->counters.retransmissions++;
	request_transmit(request);
}

struct ng_request *ng_send(struct ng_client *client, const json_t *command, uint64_t patience_ms, ng_answered *handler,
			   void *context)
{
	size_t size = json_dumpb(command, NULL, 0, JSON_COMPACT);
	uint8_t random[NG_COOKIE_SIZE / 2];

	if (size == 0 || size > NG_DATAGRAM_MAX - NG_COOKIE_SIZE - 1)
		return NULL;
	struct ng_request *request = calloc(1, sizeof *request + NG_COOKIE_SIZE + 1 + size);
	if (!request)
		return NULL;
	loop_random(client->loop, random, sizeof random);
	struct writer w = writer_into(request->datagram, NG_COOKIE_SIZE + 1);
	writer_hex(&w, random, sizeof random);
	writer_char(&w, ' ');
	memcpy(request->cookie, request->datagram, NG_COOKIE_SIZE);
	request->client = client;
	request->handler = handler;
	request->context = context;
	request->wait_ms = FIRST_WAIT_MS;
	request->give_up_ms = loop_now_ms(client->loop) + patience_ms;
	request->size = NG_COOKIE_SIZE + 1 + size;
	timer_init(&request->timer, request_due);
	const struct str cookie = {request->cookie, NG_COOKIE_SIZE};
	if (json_dumpb(command, request->datagram + NG_COOKIE_SIZE + 1, size, JSON_COMPACT) != size ||
	    !hash_insert(client->requests, &request->node, hash_str(cookie))) {
		free(request);
		return NULL;
	}
	client->counters.sent++;
	request_transmit(request);
	return request;
}

void ng_cancel(struct ng_request *request)
{
	if (request)
		request_free(request);
}

// ---- the client

static void received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct ng_client *client = context;
	struct str cookie;
	json_t *answer = NULL;

	if (net_address_equal(from, &client->relay))
		answer = ng_read((struct str){bytes, size}, &cookie);
	struct ng_request *request = answer ? request_find(client, cookie) : NULL;
	if (request)
		request_over(request, answer);
	else
		client->counters.strays++;
	json_decref(answer);
}

int ng_client_create(struct loop *loop, const struct net_address *local, const struct net_address *relay,
		     struct ng_client **client)
{
	const struct net_address any = {.family = relay->family};
	struct ng_client *made = calloc(1, sizeof *made);
	int error = -ENOMEM;

	if (!made)
		return error;
	made->loop = loop;
	made->relay = *relay;
	made->requests = hash_create();
	if (!made->requests)
		goto no_table;
	error = udp_open(loop, local && local->family ? local : &any, received, made, &made->socket);
	if (error)
		goto no_socket;
	*client = made;
	return 0;

no_socket:
	hash_destroy(made->requests);
no_table:
	free(made);
	return error;
}

static bool drop(struct hash_node *node, void *context)
{
	(void)context;
	request_free(container_of(node, struct ng_request, node));
	return true;
}

void ng_client_destroy(struct ng_client *client)
{
	if (!client)
		return;
	hash_visit(client->requests, drop, NULL);
	hash_destroy(client->requests);
	udp_close(client->socket);
	free(client);
}

struct ng_counters ng_client_count(const struct ng_client *client)
{
	return client->counters;
}
