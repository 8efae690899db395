// Client transactions: the machines of RFC 3261 sections 17.1.1 (INVITE, with RFC 6026's Accepted) and 17.1.2 (all others),
// and CANCEL (section 9.1).
#include "sip/transaction_private.h"

#include "base/log.h"

#include <assert.h>
#include <string.h>

enum client_state {
	CLIENT_CALLING,    // INVITE: sent, nothing heard
	CLIENT_TRYING,     // others: the same
	CLIENT_PROCEEDING, // a provisional response came
	CLIENT_ACCEPTED,   // INVITE: a 2xx came, more may (timer M)
	CLIENT_COMPLETED,  // the final response came; repetitions of it are absorbed (timers D, K)
	CLIENT_ENDED,
	CLIENT_STATES
};

static const char *const state_names[CLIENT_STATES] = {"calling",  "trying",    "proceeding",
						       "accepted", "completed", "ended"};

enum client_event {
	CLIENT_PROVISIONAL,    // 1xx
	CLIENT_SUCCESS,        // 2xx
	CLIENT_REFUSAL,        // 3xx to 6xx
	CLIENT_REPEAT_DUE,     // timers A, E
	CLIENT_TIME_OVER,      // timers B, D, F, K, M
	CLIENT_SENDING_FAILED, // the transport could not send it, or lost the connection it went by
	CLIENT_EVENTS
};

static const char *const event_names[CLIENT_EVENTS] = {"provisional", "success",   "refusal",
						       "repeat_due",  "time_over", "sending_failed"};

enum client_cancel { CANCEL_NONE, CANCEL_WANTED, CANCEL_SENT };

struct sip_client_transaction {
	struct hash_node node; // in transactions->clients
	struct sip_transactions *transactions;
	const struct sip_client_handlers *handlers; // NULL: nobody wants to know
	void *user;
	struct timer repeat;   // A, E
	struct timer deadline; // B, D, F, K, M; or now, to tell of a failure
	struct loss_watch watch;
	struct flow flow;
	struct str kept;          // the request; after an INVITE's refusal its ACK; owned
	struct str cancel_reason; // while the CANCEL is held; owned
	uint32_t repeat_ms;
	enum sip_method method;
	enum client_state state;
	enum client_cancel cancel;
	bool sending_failed; // told at the next turn
	bool by_tcp_for_size;
	uint8_t udp_listener; // where it goes back to if TCP fails
	bool stepping;        // a step is on the stack and frees it at its end
	uint8_t branch_length;
	char branch[SIP_BRANCH_SIZE];
};

// ---- state and end

static void client_set_state(struct sip_client_transaction *transaction, enum client_state state)
{
	log_debug("client_transaction",
		  LOG_STR("branch", ((struct str){transaction->branch, transaction->branch_length})),
		  LOG_TEXT("method", sip_method_name(transaction->method)),
		  LOG_TEXT("from", state_names[transaction->state]), LOG_TEXT("to", state_names[state]));
	transaction->state = state;
}

static uint32_t *client_counter(struct sip_client_transaction *transaction)
{
	struct sip_transaction_counters *counters = &transaction->transactions->counters;

	return transaction->method == SIP_INVITE ? &counters->invite_clients : &counters->clients;
}

static void client_free(struct sip_client_transaction *transaction)
{
	struct sip_transactions *transactions = transaction->transactions;

	timer_stop(&transaction->repeat);
	timer_stop(&transaction->deadline);
	list_remove(&transaction->watch.node);
	sip_kept_free(transactions, &transaction->kept);
	sip_kept_free(transactions, &transaction->cancel_reason);
	hash_remove(transactions->clients, &transaction->node);
	--*client_counter(transaction);
	pool_give(&transactions->client_pool, transaction);
}

// ---- sending

static void client_start_deadline(struct sip_client_transaction *transaction, uint64_t delay_ms)
{
	timer_start_about(transaction->transactions->loop, &transaction->deadline, delay_ms);
}

static void client_send(struct sip_client_transaction *transaction)
{
	struct sip_transport *transport = transaction->transactions->transport;
	int error = sip_transport_send_watched(transport, &transaction->flow, transaction->kept, &transaction->watch);

	if (error) {
		log_debug("client_transaction_not_sent", LOG_INT("error", error));
		transaction->sending_failed = true;
		client_start_deadline(transaction, 0);
	}
}

static void client_repeat(struct sip_client_transaction *transaction, uint32_t next_ms)
{
	transaction->transactions->counters.retransmissions++;
	transaction->repeat_ms = next_ms;
	timer_start(transaction->transactions->loop, &transaction->repeat, next_ms);
	client_send(transaction);
}

// The first sending, by the flow as it is now.
static void client_begin(struct sip_client_transaction *transaction)
{
	struct sip_transactions *transactions = transaction->transactions;

	client_start_deadline(transaction, SIP_TRANSACTION_MS);
	transaction->repeat_ms = SIP_T1_MS;
	if (!sip_transport_is_reliable(&transaction->flow))
		timer_start(transactions->loop, &transaction->repeat, SIP_T1_MS);
	client_send(transaction);
}

static void client_send_cancel(struct sip_client_transaction *transaction, struct str reason)
{
	struct sip_transactions *transactions = transaction->transactions;
	struct writer w = sip_scratch(transactions);

	transaction->cancel = CANCEL_SENT;
	// RFC 3261 section 9.1: a peer that never ends the INVITE is not waited for longer than this.
	client_start_deadline(transaction, SIP_TRANSACTION_MS);
	if (!sip_own_write_cancel(&w, transaction->kept, reason))
		return;
	sip_client_start(transactions,
			 &(struct sip_client_request){.method = SIP_CANCEL,
						      .branch = {transaction->branch, transaction->branch_length},
						      .flow = transaction->flow,
						      .bytes = writer_result(&w)},
			 NULL, NULL);
}

// ---- the size switch

// Rewrites the kept request for another flow, and takes the flow. False when it cannot be done: nothing has changed.
static bool client_move(struct sip_client_transaction *transaction, const struct flow *flow)
{
	struct sip_transactions *transactions = transaction->transactions;
	struct writer w = sip_scratch(transactions);
	struct str moved;

	if (!sip_own_write_moved(&w, transaction->kept, transactions->transport, flow))
		return false;
	moved = sip_kept_copy(transactions, writer_result(&w));
	if (!moved.at)
		return false;
	sip_kept_free(transactions, &transaction->kept);
	transaction->kept = moved;
	transaction->flow = *flow;
	return true;
}

static void client_choose_transport(struct sip_client_transaction *transaction, enum sip_large_request large)
{
	struct flow tcp;

	if (large == SIP_LARGE_AS_IS || transaction->flow.transport != TRANSPORT_UDP ||
	    !sip_transport_too_large_for_udp(transaction->kept.length) ||
	    !sip_transport_flow_to(transaction->transactions->transport, TRANSPORT_TCP, &transaction->flow.remote,
				   &tcp))
		return;
	transaction->udp_listener = transaction->flow.listener;
	transaction->by_tcp_for_size = client_move(transaction, &tcp);
}

// ---- telling the user

static void client_tell(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	if (transaction->handlers)
		transaction->handlers->response(transaction->user, transaction, response);
}

static void client_tell_last(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	const struct sip_client_handlers *handlers = transaction->handlers;

	transaction->handlers = NULL;
	if (handlers)
		handlers->response(transaction->user, transaction, response);
}

static void client_tell_failed(struct sip_client_transaction *transaction, unsigned status)
{
	const struct sip_client_handlers *handlers = transaction->handlers;

	transaction->handlers = NULL;
	if (handlers)
		handlers->failed(transaction->user, transaction, status);
}

// ---- the steps

static void client_quiet(struct sip_client_transaction *transaction)
{
	timer_stop(&transaction->repeat);
	timer_stop(&transaction->deadline);
	list_remove(&transaction->watch.node);
	transaction->sending_failed = false;
}

// Nothing to do: a repetition of what is known, or the end of a wait.
static void step_nothing(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)transaction;
	(void)response;
}

static void step_tell(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	client_tell(transaction, response);
}

// The INVITE arrived: it is not sent again, and from here on rings as long as its user lets it. The connection may go now;
// the response would come by another (RFC 3261 section 18.2.2).
static void step_invite_arrived(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	client_quiet(transaction);
	if (transaction->cancel == CANCEL_WANTED) {
		client_send_cancel(transaction, transaction->cancel_reason);
		sip_kept_free(transaction->transactions, &transaction->cancel_reason);
	}
	client_tell(transaction, response);
}

static void step_invite_accepted(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	client_quiet(transaction);
	sip_kept_free(transaction->transactions, &transaction->kept);
	client_start_deadline(transaction, SIP_TRANSACTION_MS);
	client_tell(transaction, response);
}

// RFC 3261 section 17.1.1.3: the ACK of a refusal is the transaction's.
static void client_acknowledge(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	struct sip_transactions *transactions = transaction->transactions;
	struct writer w = sip_scratch(transactions);
	bool written = sip_own_write_ack(&w, transaction->kept, response);

	sip_kept_free(transactions, &transaction->kept);
	if (!written)
		return;
	sip_transport_send(transactions->transport, &transaction->flow, writer_result(&w));
	if (!sip_transport_is_reliable(&transaction->flow))
		transaction->kept = sip_kept_copy(transactions, writer_result(&w));
}

static void step_invite_refused(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	client_quiet(transaction);
	client_acknowledge(transaction, response);
	if (sip_transport_is_reliable(&transaction->flow))
		client_set_state(transaction, CLIENT_ENDED);
	else
		client_start_deadline(transaction, SIP_TIMER_D_MS);
	client_tell_last(transaction, response);
}

static void step_acknowledge_again(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)response;
	if (str_empty(transaction->kept))
		return;
	transaction->transactions->counters.retransmissions++;
	sip_transport_send(transaction->transactions->transport, &transaction->flow, transaction->kept);
}

// Timer A.
static void step_repeat_invite(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)response;
	client_repeat(transaction, 2 * transaction->repeat_ms);
}

// Timer E before a provisional response.
static void step_repeat(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	uint32_t next_ms = 2 * transaction->repeat_ms;

	(void)response;
	client_repeat(transaction, next_ms < SIP_T2_MS ? next_ms : SIP_T2_MS);
}

// Timer E after one.
static void step_repeat_slowly(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)response;
	client_repeat(transaction, SIP_T2_MS);
}

static void step_finished(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	client_quiet(transaction);
	sip_kept_free(transaction->transactions, &transaction->kept);
	if (sip_transport_is_reliable(&transaction->flow))
		client_set_state(transaction, CLIENT_ENDED);
	else
		client_start_deadline(transaction, SIP_T4_MS);
	client_tell_last(transaction, response);
}

static void step_time_out(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)response;
	transaction->transactions->counters.timeouts++;
	client_tell_failed(transaction, 408);
}

// Timer M.
static void step_accepted_over(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	const struct sip_client_handlers *handlers = transaction->handlers;

	(void)response;
	transaction->handlers = NULL;
	if (handlers && handlers->ended)
		handlers->ended(transaction->user, transaction);
}

// RFC 3261 section 18.1.1: what went by TCP for its size alone goes by UDP when no connection comes about.
static void step_sending_failed(struct sip_client_transaction *transaction, const struct sip_message *response)
{
	struct flow udp = {
	    .transport = TRANSPORT_UDP, .listener = transaction->udp_listener, .remote = transaction->flow.remote};

	(void)response;
	client_quiet(transaction);
	if (transaction->by_tcp_for_size) {
		transaction->by_tcp_for_size = false;
		if (client_move(transaction, &udp)) {
			client_begin(transaction);
			return;
		}
	}
	client_set_state(transaction, CLIENT_ENDED);
	client_tell_failed(transaction, 503);
}

// ---- the tables

struct client_step {
	enum client_state next;
	void (*act)(struct sip_client_transaction *transaction, const struct sip_message *response); // NULL: cannot be
};

static const struct client_step invite_steps[CLIENT_STATES][CLIENT_EVENTS] = {
    [CLIENT_CALLING] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_PROCEEDING, step_invite_arrived},
	    [CLIENT_SUCCESS] = {CLIENT_ACCEPTED, step_invite_accepted},
	    [CLIENT_REFUSAL] = {CLIENT_COMPLETED, step_invite_refused},
	    [CLIENT_REPEAT_DUE] = {CLIENT_CALLING, step_repeat_invite},      // timer A
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_time_out},              // timer B
	    [CLIENT_SENDING_FAILED] = {CLIENT_CALLING, step_sending_failed}, // ends it, or goes by UDP
	},
    [CLIENT_PROCEEDING] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_PROCEEDING, step_tell},
	    [CLIENT_SUCCESS] = {CLIENT_ACCEPTED, step_invite_accepted},
	    [CLIENT_REFUSAL] = {CLIENT_COMPLETED, step_invite_refused},
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_time_out}, // cancelled, and still no final response
	},
    [CLIENT_ACCEPTED] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_ACCEPTED, step_nothing},
	    [CLIENT_SUCCESS] = {CLIENT_ACCEPTED, step_tell},
	    [CLIENT_REFUSAL] = {CLIENT_ACCEPTED, step_nothing},
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_accepted_over}, // timer M
	},
    [CLIENT_COMPLETED] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_COMPLETED, step_nothing},
	    [CLIENT_SUCCESS] = {CLIENT_COMPLETED, step_nothing},
	    [CLIENT_REFUSAL] = {CLIENT_COMPLETED, step_acknowledge_again},
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_nothing}, // timer D
	},
};

static const struct client_step other_steps[CLIENT_STATES][CLIENT_EVENTS] = {
    [CLIENT_TRYING] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_PROCEEDING, step_tell},
	    [CLIENT_SUCCESS] = {CLIENT_COMPLETED, step_finished},
	    [CLIENT_REFUSAL] = {CLIENT_COMPLETED, step_finished},
	    [CLIENT_REPEAT_DUE] = {CLIENT_TRYING, step_repeat}, // timer E
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_time_out}, // timer F
	    [CLIENT_SENDING_FAILED] = {CLIENT_TRYING, step_sending_failed},
	},
    [CLIENT_PROCEEDING] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_PROCEEDING, step_tell},
	    [CLIENT_SUCCESS] = {CLIENT_COMPLETED, step_finished},
	    [CLIENT_REFUSAL] = {CLIENT_COMPLETED, step_finished},
	    [CLIENT_REPEAT_DUE] = {CLIENT_PROCEEDING, step_repeat_slowly}, // timer E
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_time_out},            // timer F
	    [CLIENT_SENDING_FAILED] = {CLIENT_PROCEEDING, step_sending_failed},
	},
    [CLIENT_COMPLETED] =
	{
	    [CLIENT_PROVISIONAL] = {CLIENT_COMPLETED, step_nothing},
	    [CLIENT_SUCCESS] = {CLIENT_COMPLETED, step_nothing},
	    [CLIENT_REFUSAL] = {CLIENT_COMPLETED, step_nothing},
	    [CLIENT_TIME_OVER] = {CLIENT_ENDED, step_nothing}, // timer K
	},
};

// The transaction may be gone afterwards.
static void client_step(struct sip_client_transaction *transaction, enum client_event event,
			const struct sip_message *response)
{
	bool is_invite = transaction->method == SIP_INVITE;
	const struct client_step *step = &(is_invite ? invite_steps : other_steps)[transaction->state][event];

	if (!step->act) {
		log_error("client_transaction_impossible", LOG_TEXT("state", state_names[transaction->state]),
			  LOG_TEXT("event", event_names[event]));
		return;
	}
	if (step->next != transaction->state)
		client_set_state(transaction, step->next);
	transaction->stepping = true;
	step->act(transaction, response);
	transaction->stepping = false;
	if (transaction->state == CLIENT_ENDED)
		client_free(transaction);
}

static void client_repeat_due(struct timer *timer)
{
	client_step(container_of(timer, struct sip_client_transaction, repeat), CLIENT_REPEAT_DUE, NULL);
}

static void client_deadline(struct timer *timer)
{
	struct sip_client_transaction *transaction = container_of(timer, struct sip_client_transaction, deadline);

	client_step(transaction, transaction->sending_failed ? CLIENT_SENDING_FAILED : CLIENT_TIME_OVER, NULL);
}

static void client_lost(struct loss_watch *watch)
{
	client_step(container_of(watch, struct sip_client_transaction, watch), CLIENT_SENDING_FAILED, NULL);
}

// ---- what others call

struct sip_client_transaction *sip_client_start(struct sip_transactions *transactions,
						const struct sip_client_request *request,
						const struct sip_client_handlers *handlers, void *user)
{
	uint64_t hash = hash_str(request->branch);

	hash_fetch(transactions->clients, hash);
	struct sip_client_transaction *transaction = pool_take(&transactions->client_pool);

	assert(request->method != SIP_ACK && request->branch.length <= SIP_BRANCH_SIZE);
	if (!transaction)
		return NULL;
	transaction->kept = sip_kept_copy(transactions, request->bytes);
	if (!transaction->kept.at)
		goto no_copy;
	if (!hash_insert(transactions->clients, &transaction->node, hash))
		goto no_node;
	transaction->transactions = transactions;
	transaction->handlers = handlers;
	transaction->user = user;
	transaction->method = request->method;
	transaction->state = request->method == SIP_INVITE ? CLIENT_CALLING : CLIENT_TRYING;
	transaction->flow = request->flow;
	transaction->branch_length = (uint8_t)request->branch.length;
	memcpy(transaction->branch, request->branch.at, request->branch.length);
	timer_init(&transaction->repeat, client_repeat_due);
	timer_init(&transaction->deadline, client_deadline);
	list_init(&transaction->watch.node);
	transaction->watch.lost = client_lost;
	++*client_counter(transaction);
	client_choose_transport(transaction, request->large);
	client_begin(transaction);
	return transaction;
no_node:
	sip_kept_free(transactions, &transaction->kept);
no_copy:
	pool_give(&transactions->client_pool, transaction);
	return NULL;
}

void sip_client_cancel(struct sip_client_transaction *transaction, struct str reason)
{
	if (transaction->method != SIP_INVITE || transaction->cancel != CANCEL_NONE)
		return;
	if (transaction->state == CLIENT_PROCEEDING) {
		client_send_cancel(transaction, reason);
	} else if (transaction->state == CLIENT_CALLING) {
		transaction->cancel = CANCEL_WANTED;
		transaction->cancel_reason = sip_kept_copy(transaction->transactions, reason);
	}
}

void sip_client_forget(struct sip_client_transaction *transaction)
{
	transaction->handlers = NULL;
	if (transaction->state != CLIENT_ACCEPTED)
		return;
	client_set_state(transaction, CLIENT_ENDED);
	if (!transaction->stepping)
		client_free(transaction);
}

const struct flow *sip_client_flow(const struct sip_client_transaction *transaction)
{
	return &transaction->flow;
}

struct client_key {
	struct str branch;
	enum sip_method method;
};

static bool client_has_key(const struct hash_node *node, const void *sought)
{
	const struct sip_client_transaction *transaction =
	    container_of((struct hash_node *)node, struct sip_client_transaction, node);
	const struct client_key *key = sought;

	return transaction->method == key->method &&
	       str_equal((struct str){transaction->branch, transaction->branch_length}, key->branch);
}

// RFC 3261 section 17.1.3.
bool sip_client_receive(struct sip_transactions *transactions, const struct flow *from,
			const struct sip_message *response)
{
	struct client_key key = {response->via.branch, response->method};
	struct hash_node *node = hash_find(transactions->clients, hash_str(key.branch), client_has_key, &key);
	enum client_event event = CLIENT_REFUSAL;

	(void)from;
	if (!node)
		return false;
	if (response->status < 300)
		event = response->status < 200 ? CLIENT_PROVISIONAL : CLIENT_SUCCESS;
	struct sip_client_transaction *transaction = container_of(node, struct sip_client_transaction, node);
	if (event == CLIENT_SUCCESS && transaction->method == SIP_INVITE && !transaction->handlers) {
		// Its user has gone, but a 2xx must be acknowledged: whoever has the dialog does it.
		client_set_state(transaction, CLIENT_ENDED);
		client_free(transaction);
		return false;
	}
	client_step(transaction, event, response);
	return true;
}

size_t sip_client_size(void)
{
	return sizeof(struct sip_client_transaction);
}

static bool free_visited(struct hash_node *node, void *context)
{
	(void)context;
	client_free(container_of(node, struct sip_client_transaction, node));
	return true;
}

void sip_client_free_all(struct sip_transactions *transactions)
{
	hash_visit(transactions->clients, free_visited, NULL);
}
