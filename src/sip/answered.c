// Requests that have had their final answer, in the order in which their time is over: all wait for as long. What they are known by
// is not kept, its hash will do: the key of SipHash is secret, and where 10,000 requests a second are remembered, one is taken for
// another's repetition once in 200 years.
#include "sip/answered.h"

#include "base/fetch.h"
#include "sip/owned.h"

#include <stddef.h>
#include <string.h>

struct sip_answered {
	struct hash_node node;     // in transactions->answered
	struct sip_answered *next; // of its kind, whose time is over later
	uint64_t until_ms;
	uint16_t port; // where the answer goes again, by UDP,
	uint8_t family;
	uint8_t listener;
	uint8_t method; // enum sip_method
	uint16_t status;
	uint16_t address_length, reason_length, tag_length, extra_length, type_length, body_length;
	char texts[]; // in this order; the address in as many bytes as its family has
};

enum { ANSWERED_OTHERS, ANSWERED_INVITES };

static uint32_t *answered_counter(struct sip_transactions *transactions, enum sip_method method)
{
	return method == SIP_INVITE ? &transactions->counters.invite_servers : &transactions->counters.servers;
}

static size_t answered_size(const struct sip_answered *answered)
{
	return offsetof(struct sip_answered, texts) + answered->address_length + answered->reason_length +
	       answered->tag_length + answered->extra_length + answered->type_length + answered->body_length;
}

static void answered_forget(struct sip_transactions *transactions, struct sip_answered *answered)
{
	size_t size = answered_size(answered);

	--*answered_counter(transactions, answered->method);
	transactions->counters.kept_bytes -= size;
	hash_remove(transactions->answered, &answered->node);
	owned_give((char *)answered, size);
}

// Nothing of these has been read for 32 s, so while one is forgotten the next one's place in the table is fetched, and the one after that.
static void forget_first(struct sip_transactions *transactions, struct sip_answered_queue *kind)
{
	struct sip_answered *first = kind->first, *next = first->next;

	if (next) {
		fetch(next->next);
		hash_fetch(transactions->answered, next->node.hash);
	}
	kind->first = next;
	answered_forget(transactions, first);
}

// ---- their time

static void wait_for_oldest(struct sip_transactions *transactions)
{
	uint64_t now_ms = loop_now_ms(transactions->loop), until_ms = UINT64_MAX;

	for (unsigned kind = 0; kind < SIP_ANSWERED_KINDS; kind++) {
		const struct sip_answered *first = transactions->answered_in_order[kind].first;
		if (first && first->until_ms < until_ms)
			until_ms = first->until_ms;
	}
	if (until_ms != UINT64_MAX)
		timer_start_about(transactions->loop, &transactions->answered_over,
				  until_ms > now_ms ? until_ms - now_ms : 0);
}

static void time_over(struct timer *timer)
{
	struct sip_transactions *transactions = container_of(timer, struct sip_transactions, answered_over);
	uint64_t now_ms = loop_now_ms(transactions->loop);

	for (unsigned kind = 0; kind < SIP_ANSWERED_KINDS; kind++) {
		struct sip_answered_queue *queue = &transactions->answered_in_order[kind];
		while (queue->first && queue->first->until_ms <= now_ms)
			forget_first(transactions, queue);
	}
	wait_for_oldest(transactions);
}

// ---- what is kept

static void put(char **room, uint16_t *length, struct str text)
{
	if (!str_empty(text))
		memcpy(*room, text.at, text.length);
	*room += text.length;
	*length = (uint16_t)text.length;
}

static struct str take(const char **at, uint16_t length)
{
	struct str text = {*at, length};

	*at += length;
	return text;
}

bool sip_answered_add(struct sip_transactions *transactions, const struct sip_server_key *key, const struct flow *flow,
		      const struct sip_response *response)
{
	struct sip_response kept = {.to_tag = response->to_tag};
	bool is_invite = key->method == SIP_INVITE;

	if (!is_invite)
		kept = *response;
	struct str address = {(const char *)flow->remote.bytes,
			      flow->remote.family == 4 ? 4 : sizeof flow->remote.bytes};
	size_t size = offsetof(struct sip_answered, texts) + address.length + kept.reason.length + kept.to_tag.length +
		      kept.extra.length + kept.body_type.length + kept.body.length;
	struct sip_answered *answered = (void *)owned_take(size);
	if (!answered)
		return false;
	char *room = answered->texts;
	answered->node = (struct hash_node){.next = NULL, .hash = 0};
	answered->next = NULL;
	answered->until_ms = loop_now_ms(transactions->loop) + SIP_TRANSACTION_MS;
	answered->port = flow->remote.port;
	answered->family = flow->remote.family;
	answered->listener = flow->listener;
	answered->method = (uint8_t)key->method;
	answered->status = (uint16_t)kept.status;
	put(&room, &answered->address_length, address);
	put(&room, &answered->reason_length, kept.reason);
	put(&room, &answered->tag_length, kept.to_tag);
	put(&room, &answered->extra_length, kept.extra);
	put(&room, &answered->type_length, kept.body_type);
	put(&room, &answered->body_length, kept.body);
	if (!hash_insert(transactions->answered, &answered->node, key->hash)) {
		owned_give((char *)answered, size);
		return false;
	}
	struct sip_answered_queue *queue =
	    &transactions->answered_in_order[is_invite ? ANSWERED_INVITES : ANSWERED_OTHERS];
	if (queue->first)
		queue->last->next = answered;
	else
		queue->first = answered;
	queue->last = answered;
	transactions->counters.kept_bytes += size;
	++*answered_counter(transactions, key->method);
	if (!timer_running(&transactions->answered_over))
		wait_for_oldest(transactions);
	return true;
}

static struct sip_response answered_response(const struct sip_answered *answered)
{
	const char *at = answered->texts + answered->address_length;
	struct sip_response response = {.status = answered->status};

	response.reason = take(&at, answered->reason_length);
	response.to_tag = take(&at, answered->tag_length);
	response.extra = take(&at, answered->extra_length);
	response.body_type = take(&at, answered->type_length);
	response.body = take(&at, answered->body_length);
	return response;
}

// ---- what comes again

static bool answered_has_key(const struct hash_node *node, const void *sought)
{
	const struct sip_answered *answered = container_of((struct hash_node *)node, struct sip_answered, node);
	const struct sip_server_key *key = sought;

	return sip_server_takes(answered->method, key->method);
}

// The same again, to where it went before, whoever asks for it.
static void send_again(struct sip_transactions *transactions, struct sip_answered *answered,
		       const struct sip_message *request)
{
	struct sip_response response = answered_response(answered);
	struct writer w = sip_scratch(transactions);
	struct sip_response_head head;
	struct str tag;

	sip_response_head_write(&w, request, &head);
	size_t begins = w.used;
	sip_response_write(&w, &head, &response, 0, &tag);
	if (w.overflow)
		return;
	transactions->counters.retransmissions++;
	struct flow flow = {.transport = TRANSPORT_UDP,
			    .listener = answered->listener,
			    .remote = {.family = answered->family, .port = answered->port}};
	memcpy(flow.remote.bytes, answered->texts, answered->address_length);
	sip_transport_send(transactions->transport, &flow, (struct str){w.at + begins, w.used - begins});
}

enum sip_server_match sip_answered_receive(struct sip_transactions *transactions, const struct flow *from,
					   const struct sip_server_key *key, const struct sip_message *request)
{
	struct hash_node *node = hash_find(transactions->answered, key->hash, answered_has_key, key);

	if (!node)
		return SIP_SERVER_NEW;
	struct sip_answered *answered = container_of(node, struct sip_answered, node);
	if (request->method == SIP_ACK) // of a 2xx: it belongs to the dialog
		return SIP_SERVER_NEW;
	if (request->method == SIP_CANCEL)
		sip_respond_stateless(
		    transactions, from, request,
		    &(struct sip_response){.status = 200, .to_tag = answered_response(answered).to_tag});
	else if (request->method != SIP_INVITE)
		send_again(transactions, answered, request);
	return SIP_SERVER_ABSORBED;
}

bool sip_answered_make_room(struct sip_transactions *transactions)
{
	struct sip_answered_queue *others = &transactions->answered_in_order[ANSWERED_OTHERS];

	if (!others->first)
		return false;
	forget_first(transactions, others);
	return true;
}

bool sip_answered_init(struct sip_transactions *transactions)
{
	timer_init(&transactions->answered_over, time_over);
	transactions->answered = hash_create();
	return transactions->answered != NULL;
}

void sip_answered_free_all(struct sip_transactions *transactions)
{
	timer_stop(&transactions->answered_over);
	for (unsigned kind = 0; kind < SIP_ANSWERED_KINDS; kind++)
		while (transactions->answered_in_order[kind].first)
			forget_first(transactions, &transactions->answered_in_order[kind]);
	hash_destroy(transactions->answered);
}
