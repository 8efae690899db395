// Server transactions: the machines of RFC 3261 sections 17.2.1 (INVITE, with RFC 6026's Accepted) and 17.2.2 (all others),
// how requests find them (section 17.2.3), and answers that need none.
#include "sip/answered.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum server_state {
	SERVER_TRYING,     // others: nothing answered yet
	SERVER_PROCEEDING, // INVITE: from the start; others: after a provisional response
	SERVER_ACCEPTED,   // INVITE: a 2xx was sent (timer L)
	SERVER_COMPLETED,  // a final response was sent (INVITE: not a 2xx; timers G, H, or J)
	SERVER_CONFIRMED,  // INVITE: its ACK came; more of them are absorbed (timer I)
	SERVER_ENDED,
	SERVER_STATES
};

static const char *const state_names[SERVER_STATES] = {"trying",    "proceeding", "accepted",
						       "completed", "confirmed",  "ended"};

enum server_event {
	SERVER_REPETITION, // the request again
	SERVER_ACK,
	SERVER_PROVISIONAL, // the user sends 1xx,
	SERVER_SUCCESS,     // 2xx,
	SERVER_REFUSAL,     // 3xx to 6xx
	SERVER_REPEAT_DUE,  // 200 ms without an answer; timer G
	SERVER_TIME_OVER,   // timers H, I, J, L
	SERVER_EVENTS
};

static const char *const event_names[SERVER_EVENTS] = {"repetition", "ack",        "provisional", "success",
						       "refusal",    "repeat_due", "time_over"};

// One request and its answer. It is in the table until its end, or until answered.c has what is known of the request.
struct sip_server_transaction {
	struct hash_node node; // in transactions->servers; in none once answered.c has the request
	struct sip_transactions *transactions;
	const struct sip_server_handlers *handlers; // NULL: nobody wants to know
	void *user;
	struct timer repeat;
	struct timer deadline;
	struct flow flow;              // where responses go
	struct str key;                // what requests find it by; owned; empty once answered.c has it
	struct str lines;              // head's; until the final response; owned
	struct sip_response_head head; // what responses repeat of the request
	struct str response;           // the last one sent, while it may be sent again; owned, but see server_is_last
	struct str tag;                // its To tag: in `response`, or empty
	uint64_t started_ms;
	uint32_t repeat_ms;
	enum sip_method method;
	enum server_state state;
	bool cancelled;
};

// ---- state and end

static void server_set_state(struct sip_server_transaction *transaction, enum server_state state)
{
	log_debug("server_transaction", LOG_STR("key", transaction->key),
		  LOG_TEXT("method", sip_method_name(transaction->method)),
		  LOG_TEXT("from", state_names[transaction->state]), LOG_TEXT("to", state_names[state]));
	transaction->state = state;
}

static uint32_t *server_counter(struct sip_server_transaction *transaction)
{
	struct sip_transaction_counters *counters = &transaction->transactions->counters;

	return transaction->method == SIP_INVITE ? &counters->invite_servers : &counters->servers;
}

static void server_let_go_response(struct sip_server_transaction *transaction)
{
	sip_kept_free(transaction->transactions, &transaction->response);
	transaction->tag = STR_NONE;
}

// Nothing that comes finds it any more.
static void server_leave_table(struct sip_server_transaction *transaction)
{
	struct sip_transactions *transactions = transaction->transactions;

	if (transaction->node.hash == 0)
		return;
	hash_remove(transactions->servers, &transaction->node);
	sip_kept_free(transactions, &transaction->key);
	--*server_counter(transaction);
}

static void server_free(struct sip_server_transaction *transaction)
{
	struct sip_transactions *transactions = transaction->transactions;

	timer_stop(&transaction->repeat);
	timer_stop(&transaction->deadline);
	server_leave_table(transaction);
	server_let_go_response(transaction);
	sip_kept_free(transactions, &transaction->lines);
	pool_give(&transactions->server_pool, transaction);
}

// ---- the steps

static bool server_is_reliable(const struct sip_server_transaction *transaction)
{
	return sip_transport_is_reliable(&transaction->flow);
}

static void server_start_deadline(struct sip_server_transaction *transaction, uint64_t delay_ms)
{
	timer_start_about(transaction->transactions->loop, &transaction->deadline, delay_ms);
}

// RFC 6026 section 7.1: a response that cannot be sent changes nothing; the timers see to the end.
static void server_send(struct sip_server_transaction *transaction)
{
	int error = sip_transport_send(transaction->transactions->transport, &transaction->flow, transaction->response);

	if (error)
		log_info("response_not_sent", LOG_STR("key", transaction->key), LOG_INT("error", error));
}

static void server_send_again(struct sip_server_transaction *transaction)
{
	if (str_empty(transaction->response))
		return;
	transaction->transactions->counters.retransmissions++;
	server_send(transaction);
}

static void server_tell_ended(struct sip_server_transaction *transaction)
{
	const struct sip_server_handlers *handlers = transaction->handlers;

	transaction->handlers = NULL;
	if (handlers)
		handlers->ended(transaction->user, transaction);
}

// Nothing to do: a repetition is absorbed, a wait is over.
static void step_nothing(struct sip_server_transaction *transaction)
{
	(void)transaction;
}

static void step_send_again(struct sip_server_transaction *transaction)
{
	server_send_again(transaction);
}

static void step_send(struct sip_server_transaction *transaction)
{
	timer_stop(&transaction->repeat);
	server_send(transaction);
}

// 200 ms have gone by, and the caller's retransmission is near.
static void step_send_trying(struct sip_server_transaction *transaction)
{
	sip_server_respond(transaction, &(struct sip_response){.status = 100});
}

// A final response: nothing more will be made of the request.
static void server_send_final(struct sip_server_transaction *transaction)
{
	timer_stop(&transaction->repeat);
	sip_kept_free(transaction->transactions, &transaction->lines);
	server_send(transaction);
}

static void step_accept(struct sip_server_transaction *transaction)
{
	server_send_final(transaction);
	server_start_deadline(transaction, SIP_TRANSACTION_MS); // timer L
	if (!transaction->handlers)
		server_let_go_response(transaction); // nobody will ask for it again
}

static void step_refuse(struct sip_server_transaction *transaction)
{
	server_send_final(transaction);
	server_start_deadline(transaction, SIP_TRANSACTION_MS); // timer H
	if (server_is_reliable(transaction)) {
		server_let_go_response(transaction);
		return;
	}
	transaction->repeat_ms = SIP_T1_MS;
	timer_start(transaction->transactions->loop, &transaction->repeat, SIP_T1_MS);
}

// Timer G.
static void step_refuse_again(struct sip_server_transaction *transaction)
{
	transaction->repeat_ms = 2 * transaction->repeat_ms < SIP_T2_MS ? 2 * transaction->repeat_ms : SIP_T2_MS;
	timer_start(transaction->transactions->loop, &transaction->repeat, transaction->repeat_ms);
	server_send_again(transaction);
}

static void step_acknowledged(struct sip_server_transaction *transaction)
{
	timer_stop(&transaction->repeat);
	server_let_go_response(transaction);
	if (server_is_reliable(transaction))
		server_set_state(transaction, SERVER_ENDED);
	else
		server_start_deadline(transaction, SIP_T4_MS); // timer I
	server_tell_ended(transaction);
}

// Timer H: the ACK never came.
static void step_give_up(struct sip_server_transaction *transaction)
{
	transaction->transactions->counters.timeouts++;
	server_tell_ended(transaction);
}

// What comes again is answered by answered.c.
static void step_finish(struct sip_server_transaction *transaction)
{
	server_send_final(transaction);
	transaction->response = transaction->tag = STR_NONE; // borrowed
	// Timer J, for a user who wants to know. With 0 it still ends with the loop's next turn: he stands in the middle of something.
	bool waits = transaction->handlers && !server_is_reliable(transaction);
	server_start_deadline(transaction, waits ? SIP_TRANSACTION_MS : 0);
}

static void step_tell_ended(struct sip_server_transaction *transaction)
{
	server_tell_ended(transaction);
}

// ---- the tables

struct server_step {
	enum server_state next;
	void (*act)(struct sip_server_transaction *transaction); // NULL: cannot be
};

static const struct server_step invite_steps[SERVER_STATES][SERVER_EVENTS] = {
    [SERVER_PROCEEDING] =
	{
	    [SERVER_REPETITION] = {SERVER_PROCEEDING, step_send_again},
	    [SERVER_ACK] = {SERVER_PROCEEDING, step_nothing},
	    [SERVER_PROVISIONAL] = {SERVER_PROCEEDING, step_send},
	    [SERVER_SUCCESS] = {SERVER_ACCEPTED, step_accept},
	    [SERVER_REFUSAL] = {SERVER_COMPLETED, step_refuse},
	    [SERVER_REPEAT_DUE] = {SERVER_PROCEEDING, step_send_trying},
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_nothing}, // forgotten, and no memory to refuse it
	},
    [SERVER_ACCEPTED] =
	{
	    [SERVER_REPETITION] = {SERVER_ACCEPTED, step_nothing},
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_tell_ended}, // timer L
	},
    [SERVER_COMPLETED] =
	{
	    [SERVER_REPETITION] = {SERVER_COMPLETED, step_send_again},
	    [SERVER_ACK] = {SERVER_CONFIRMED, step_acknowledged},
	    [SERVER_REPEAT_DUE] = {SERVER_COMPLETED, step_refuse_again}, // timer G
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_give_up},           // timer H
	},
    [SERVER_CONFIRMED] =
	{
	    [SERVER_REPETITION] = {SERVER_CONFIRMED, step_nothing},
	    [SERVER_ACK] = {SERVER_CONFIRMED, step_nothing},
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_nothing}, // timer I
	},
};

static const struct server_step other_steps[SERVER_STATES][SERVER_EVENTS] = {
    [SERVER_TRYING] =
	{
	    [SERVER_REPETITION] = {SERVER_TRYING, step_nothing},
	    [SERVER_PROVISIONAL] = {SERVER_PROCEEDING, step_send},
	    [SERVER_SUCCESS] = {SERVER_COMPLETED, step_finish},
	    [SERVER_REFUSAL] = {SERVER_COMPLETED, step_finish},
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_nothing}, // forgotten, and no memory to refuse it
	},
    [SERVER_PROCEEDING] =
	{
	    [SERVER_REPETITION] = {SERVER_PROCEEDING, step_send_again},
	    [SERVER_PROVISIONAL] = {SERVER_PROCEEDING, step_send},
	    [SERVER_SUCCESS] = {SERVER_COMPLETED, step_finish},
	    [SERVER_REFUSAL] = {SERVER_COMPLETED, step_finish},
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_nothing}, // the same
	},
    [SERVER_COMPLETED] =
	{
	    [SERVER_REPETITION] = {SERVER_COMPLETED, step_nothing},
	    [SERVER_TIME_OVER] = {SERVER_ENDED, step_tell_ended}, // timer J
	},
};

static const struct server_step *server_find_step(const struct sip_server_transaction *transaction,
						  enum server_event event)
{
	return &(transaction->method == SIP_INVITE ? invite_steps : other_steps)[transaction->state][event];
}

// The transaction may be gone afterwards.
static void server_step(struct sip_server_transaction *transaction, enum server_event event)
{
	const struct server_step *step = server_find_step(transaction, event);

	if (!step->act) {
		log_error("server_transaction_impossible", LOG_TEXT("state", state_names[transaction->state]),
			  LOG_TEXT("event", event_names[event]));
		return;
	}
	if (step->next != transaction->state)
		server_set_state(transaction, step->next);
	step->act(transaction);
	if (transaction->state == SERVER_ENDED)
		server_free(transaction);
}

static void server_repeat_due(struct timer *timer)
{
	server_step(container_of(timer, struct sip_server_transaction, repeat), SERVER_REPEAT_DUE);
}

static void server_deadline(struct timer *timer)
{
	server_step(container_of(timer, struct sip_server_transaction, deadline), SERVER_TIME_OVER);
}

// ---- finding

// RFC 3261 section 17.2.3. Without the magic cookie the branch says nothing, and the request is one of RFC 2543. The
// method is compared apart, and the To tag that the RFC lists there is not needed: nobody sends two requests that
// differ in it alone.
static void write_key(struct writer *w, const struct sip_message *request)
{
	if (str_starts(request->via.branch, STR("z9hG4bK"))) {
		writer_str(w, request->via.branch);
		writer_char(w, ' ');
		writer_str(w, request->via.host);
		writer_char(w, ':');
		writer_uint(w, request->via.port);
		return;
	}
	writer_str(w, request->request_uri);
	writer_char(w, ' ');
	writer_str(w, request->from_tag);
	writer_char(w, ' ');
	writer_str(w, request->call_id);
	writer_char(w, ' ');
	writer_uint(w, request->cseq);
	writer_char(w, ' ');
	writer_str(w, request->via.text);
}

// Written into the scratch.
static struct str server_key_of(struct sip_transactions *transactions, const struct sip_message *request)
{
	struct writer w = sip_scratch(transactions);

	write_key(&w, request);
	return writer_result(&w);
}

// Mostly known from when it was looked for.
static uint64_t server_hash_of(struct sip_transactions *transactions, const struct sip_message *request)
{
	return request->transaction_hash ? request->transaction_hash : hash_str(server_key_of(transactions, request));
}

static bool server_has_key(const struct hash_node *node, const void *sought)
{
	const struct sip_server_transaction *transaction =
	    container_of((struct hash_node *)node, struct sip_server_transaction, node);
	const struct sip_message *request = sought;

	return sip_server_takes(transaction->method, request->method) &&
	       str_equal(transaction->key, server_key_of(transaction->transactions, request));
}

// What a request is known by makes the To tag of its answers, the same for each repetition. The table's own hash is nobody's business.
static uint64_t tag_seed(uint64_t key_hash)
{
	return hash_bytes(&key_hash, sizeof key_hash);
}

// The tag that goes with an answer which names none.
static struct str server_tag(const struct sip_server_transaction *transaction, char made[SIP_TAG_SIZE])
{
	return str_empty(transaction->tag) ? sip_response_tag(tag_seed(transaction->node.hash), made)
					   : transaction->tag;
}

// RFC 3261 section 9.2: the CANCEL gets its 200 whatever becomes of the request, with the To tag that the request's
// answers have. It needs no transaction: the same question gets the same answer.
static void server_cancel(struct sip_server_transaction *transaction, const struct flow *from,
			  const struct sip_message *cancel)
{
	char made[SIP_TAG_SIZE];
	bool first = !transaction->cancelled;

	sip_respond_stateless(transaction->transactions, from, cancel,
			      &(struct sip_response){.status = 200, .to_tag = server_tag(transaction, made)});
	transaction->cancelled = true;
	if (first && transaction->method == SIP_INVITE && transaction->state == SERVER_PROCEEDING &&
	    transaction->handlers)
		transaction->handlers->cancelled(transaction->user, transaction, cancel);
}

void sip_server_expect(struct sip_transactions *transactions, struct sip_message *request)
{
	request->transaction_hash = server_hash_of(transactions, request);
	hash_fetch(transactions->servers, request->transaction_hash);
	hash_fetch(transactions->answered, request->transaction_hash);
}

enum sip_server_match sip_server_receive(struct sip_transactions *transactions, const struct flow *from,
					 struct sip_message *request)
{
	uint64_t hash = request->transaction_hash = server_hash_of(transactions, request);
	struct hash_node *node = hash_find(transactions->servers, hash, server_has_key, request);

	if (!node)
		return sip_answered_receive(transactions, from, &(struct sip_server_key){hash, request->method},
					    request);
	struct sip_server_transaction *transaction = container_of(node, struct sip_server_transaction, node);
	if (request->method == SIP_CANCEL) {
		server_cancel(transaction, from, request);
	} else if (request->method == SIP_ACK) {
		// The ACK of a 2xx belongs to the dialog, with whatever branch it comes.
		if (transaction->state == SERVER_ACCEPTED)
			return SIP_SERVER_NEW;
		server_step(transaction, SERVER_ACK);
	} else {
		server_step(transaction, SERVER_REPETITION);
	}
	return SIP_SERVER_ABSORBED;
}

// ---- what others call

// Fills in what is kept of the request.
static bool server_keep_request(struct sip_server_transaction *transaction, const struct sip_message *request)
{
	struct sip_transactions *transactions = transaction->transactions;
	struct writer w = sip_scratch(transactions);

	write_key(&w, request);
	if (w.overflow)
		return false;
	transaction->key = sip_kept_copy(transactions, writer_result(&w));
	w = sip_scratch(transactions);
	sip_response_head_write(&w, request, &transaction->head);
	if (!transaction->key.at || w.overflow)
		return false;
	transaction->lines = sip_kept_copy(transactions, writer_result(&w));
	transaction->head.lines = transaction->lines.at;
	return transaction->lines.at != NULL;
}

// Where there are as many as there may be, the one that was answered longest ago has waited enough for repetitions of its request.
static bool server_make_room(struct sip_transactions *transactions)
{
	const struct sip_transaction_counters *counters = &transactions->counters;

	if (counters->invite_servers + counters->servers < transactions->servers_max)
		return true;
	return sip_answered_make_room(transactions);
}

struct sip_server_transaction *sip_server_start(struct sip_transactions *transactions, const struct flow *from,
						const struct sip_message *request,
						const struct sip_server_handlers *handlers, void *user)
{
	struct sip_server_transaction *transaction;
	bool is_invite = request->method == SIP_INVITE;
	uint64_t hash = server_hash_of(transactions, request);

	assert(request->method != SIP_ACK);
	if (!server_make_room(transactions))
		return NULL;
	transaction = pool_take(&transactions->server_pool);
	if (!transaction)
		return NULL;
	transaction->transactions = transactions;
	if (!server_keep_request(transaction, request) ||
	    !hash_insert(transactions->servers, &transaction->node, hash)) {
		sip_kept_free(transactions, &transaction->lines);
		sip_kept_free(transactions, &transaction->key);
		pool_give(&transactions->server_pool, transaction);
		return NULL;
	}
	transaction->handlers = handlers;
	transaction->user = user;
	transaction->method = request->method;
	transaction->state = is_invite ? SERVER_PROCEEDING : SERVER_TRYING;
	transaction->flow = sip_transport_reply_flow(from, &request->via);
	transaction->started_ms = loop_now_ms(transactions->loop);
	timer_init(&transaction->repeat, server_repeat_due);
	timer_init(&transaction->deadline, server_deadline);
	++*server_counter(transaction);
	if (is_invite)
		timer_start(transactions->loop, &transaction->repeat, SIP_TRYING_MS);
	return transaction;
}

// The response with the To tag that goes with it, if any.
static struct sip_response server_tagged(const struct sip_server_transaction *transaction,
					 const struct sip_response *response, char made[SIP_TAG_SIZE])
{
	struct sip_response tagged = *response;

	if (response->status == 100 || !transaction->head.takes_tag)
		tagged.to_tag = STR_NONE;
	else if (str_empty(response->to_tag))
		tagged.to_tag = server_tag(transaction, made);
	return tagged;
}

// A final response to anything but an INVITE is not repeated from here: it is borrowed from where it was written, and forgotten once sent.
static bool server_is_last(const struct sip_server_transaction *transaction, const struct sip_response *response)
{
	return transaction->method != SIP_INVITE && response->status >= 200;
}

// Writes the response and keeps it in place of the one before.
static int server_make(struct sip_server_transaction *transaction, const struct sip_response *response)
{
	struct sip_transactions *transactions = transaction->transactions;
	uint64_t delay_ms = loop_now_ms(transactions->loop) - transaction->started_ms;
	struct writer w = sip_scratch(transactions);
	struct str kept, tag;

	sip_response_write(&w, &transaction->head, response, delay_ms, &tag);
	if (w.overflow || w.used > SIP_MESSAGE_MAX)
		return -EMSGSIZE;
	kept = writer_result(&w);
	if (!server_is_last(transaction, response))
		kept = sip_kept_copy(transactions, kept);
	if (!kept.at)
		return -ENOMEM;
	server_let_go_response(transaction);
	transaction->response = kept;
	if (!str_empty(tag))
		transaction->tag = (struct str){kept.at + (tag.at - w.at), tag.length};
	return 0;
}

// From now on answered.c has what is known of the request.
static bool server_hand_over(struct sip_server_transaction *transaction, const struct sip_response *response)
{
	struct sip_server_key key = {transaction->node.hash, transaction->method};

	if (!sip_answered_add(transaction->transactions, &key, &transaction->flow, response))
		return false;
	server_leave_table(transaction);
	return true;
}

int sip_server_respond(struct sip_server_transaction *transaction, const struct sip_response *response)
{
	enum server_event event = SERVER_REFUSAL;
	char made[SIP_TAG_SIZE];
	struct sip_response tagged = server_tagged(transaction, response, made);
	int error;

	if (response->status < 300)
		event = response->status < 200 ? SERVER_PROVISIONAL : SERVER_SUCCESS;
	if (!server_find_step(transaction, event)->act)
		return -EALREADY;
	error = server_make(transaction, &tagged);
	if (error)
		return error;
	if (server_is_last(transaction, response) && !server_is_reliable(transaction) &&
	    !server_hand_over(transaction, &tagged)) {
		transaction->response = transaction->tag = STR_NONE; // borrowed
		return -ENOMEM;
	}
	server_step(transaction, event);
	return 0;
}

void sip_server_repeat(struct sip_server_transaction *transaction)
{
	if (transaction->state == SERVER_ACCEPTED || transaction->state == SERVER_PROCEEDING)
		server_send_again(transaction);
}

// Nobody is told any more, and nothing that it knows is needed but what answered.c keeps of it.
static void server_end_early(struct sip_server_transaction *transaction)
{
	server_set_state(transaction, SERVER_ENDED);
	server_free(transaction);
}

void sip_server_forget(struct sip_server_transaction *transaction)
{
	transaction->handlers = NULL;
	switch (transaction->state) {
	case SERVER_TRYING:
	case SERVER_PROCEEDING:
		if (sip_server_respond(transaction, &(struct sip_response){.status = 500}))
			server_start_deadline(transaction, 0);
		else if (transaction->method != SIP_INVITE)
			server_end_early(transaction);
		break;
	case SERVER_ACCEPTED:
		if (server_hand_over(transaction, &(struct sip_response){.to_tag = transaction->tag}))
			server_end_early(transaction);
		else
			server_let_go_response(transaction);
		break;
	case SERVER_COMPLETED:
		if (transaction->method != SIP_INVITE)
			server_end_early(transaction);
		break;
	case SERVER_CONFIRMED:
	case SERVER_ENDED:
	case SERVER_STATES:
		break;
	}
}

const struct flow *sip_server_flow(const struct sip_server_transaction *transaction)
{
	return &transaction->flow;
}

// ---- without a transaction

// Into the scratch, with the To tag that goes with it: the same as a transaction's. 0, or -EMSGSIZE.
static int write_answer(struct sip_transactions *transactions, const struct sip_message *request, uint64_t key_hash,
			struct sip_response *response, char made[SIP_TAG_SIZE], struct str *answer)
{
	struct writer w = sip_scratch(transactions);
	struct sip_response_head head;
	struct str tag;

	if (str_empty(response->to_tag) && str_empty(request->to_tag) && response->status != 100)
		response->to_tag = sip_response_tag(tag_seed(key_hash), made);
	sip_response_head_write(&w, request, &head);
	size_t begins = w.used;
	sip_response_write(&w, &head, response, 0, &tag);
	*answer = (struct str){w.at + begins, w.used - begins};
	return w.overflow || answer->length > SIP_MESSAGE_MAX ? -EMSGSIZE : 0;
}

int sip_respond_stateless(struct sip_transactions *transactions, const struct flow *from,
			  const struct sip_message *request, const struct sip_response *response)
{
	struct flow flow = sip_transport_reply_flow(from, &request->via);
	struct sip_response tagged = *response;
	char made[SIP_TAG_SIZE];
	struct str answer;
	int error;

	if (request->method == SIP_ACK)
		return 0;
	error = write_answer(transactions, request, server_hash_of(transactions, request), &tagged, made, &answer);
	return error ? error : sip_transport_send(transactions->transport, &flow, answer);
}

// An INVITE's refusal waits for its ACK.
static bool respond_by_transaction(struct sip_transactions *transactions, const struct flow *from,
				   const struct sip_message *request, const struct sip_response *response)
{
	struct sip_server_transaction *transaction = sip_server_start(transactions, from, request, NULL, NULL);

	if (!transaction)
		return false;
	sip_server_respond(transaction, response);
	sip_server_forget(transaction); // answers 500 if it could not
	return true;
}

void sip_respond_once(struct sip_transactions *transactions, const struct flow *from, const struct sip_message *request,
		      const struct sip_response *response)
{
	struct flow flow = sip_transport_reply_flow(from, &request->via);
	struct sip_response tagged = *response;
	char made[SIP_TAG_SIZE];
	struct str answer;

	assert(response->status >= 200);
	if (request->method == SIP_INVITE) {
		if (!respond_by_transaction(transactions, from, request, response))
			sip_respond_stateless(transactions, from, request, response);
		return;
	}
	struct sip_server_key key = {server_hash_of(transactions, request), request->method};
	if (write_answer(transactions, request, key.hash, &tagged, made, &answer)) {
		sip_respond_stateless(transactions, from, request, &(struct sip_response){.status = 500});
		return;
	}
	if (!sip_transport_is_reliable(&flow) && server_make_room(transactions))
		sip_answered_add(transactions, &key, &flow, &tagged); // without memory a repetition is taken as new
	int error = sip_transport_send(transactions->transport, &flow, answer);
	if (error)
		log_info("response_not_sent", LOG_STR("call", request->call_id), LOG_INT("error", error));
}

size_t sip_server_size(void)
{
	return sizeof(struct sip_server_transaction);
}

static bool free_visited(struct hash_node *node, void *context)
{
	(void)context;
	server_free(container_of(node, struct sip_server_transaction, node));
	return true;
}

void sip_server_free_all(struct sip_transactions *transactions)
{
	hash_visit(transactions->servers, free_visited, NULL);
}
