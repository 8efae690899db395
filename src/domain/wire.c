// What a leg is sent. Most of it goes to signalling at once. A description of media that needs the relay goes there first, and
// whatever else the leg is to be sent meanwhile waits behind it: letters, which leave in their order. Every wait is bounded here,
// whatever the relay does.
#include "domain/call.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum { RELAY_WAIT_MS = 5000 };

enum letter_kind {
	LETTER_INVITE,   // one of ours is to be invited with this offer
	LETTER_TO_RELAY, // what the leg has answered, for the relay alone
	LETTER_PROGRESS,
	LETTER_ACCEPT,
	LETTER_ACKNOWLEDGE,
	LETTER_ANSWER_EARLY,
	LETTER_REQUEST,
	LETTER_REPLY,
};

struct letter {
	struct list node; // in leg.letters
	uint64_t id;      // in call_table.letters: the relay's token
	struct leg *leg;
	struct timer clock; // of the relay
	enum letter_kind kind;
	bool is_answer;                // to an offer that the leg has made
	bool waiting;                  // for the relay
	unsigned status;               // PROGRESS, REPLY
	uint64_t token;                // REQUEST: the domain's; REPLY: the transaction
	struct dialog_request request; // REQUEST, but for the body
	struct body body;
	char *kept; // what body and request.info_package lie in, once it waits; owned
};

static const struct body no_body = {.bytes = {NULL, 0}};

size_t letter_size(void)
{
	return sizeof(struct letter);
}

static struct signalling *signalling_of(const struct leg *leg)
{
	return leg->call->table->ports.signalling;
}

// ---- to signalling, or back to the domain

static enum err deliver(struct leg *leg, const struct letter *letter, const struct body *body)
{
	struct signalling *signalling = signalling_of(leg);
	struct dialog_request request;

	switch (letter->kind) {
	case LETTER_INVITE:
		leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_MEDIA_OFFERED, .body = body});
		return ERR_NONE;
	case LETTER_TO_RELAY:
		leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_MEDIA_ANSWERED, .body = body});
		return ERR_NONE;
	case LETTER_PROGRESS:
		signalling->progress(signalling->context, leg->session, letter->status, body);
		return ERR_NONE;
	case LETTER_ACCEPT:
		leg->unaccepted = false;
		signalling->accept(signalling->context, leg->session, body);
		return ERR_NONE;
	case LETTER_ACKNOWLEDGE:
		signalling->acknowledge(signalling->context, leg->session, body);
		return ERR_NONE;
	case LETTER_ANSWER_EARLY:
		signalling->answer_early(signalling->context, leg->session, body);
		return ERR_NONE;
	case LETTER_REQUEST:
		request = letter->request;
		request.body = *body;
		return signalling->request(signalling->context, leg->session, letter->token, &request);
	case LETTER_REPLY:
		signalling->reply(signalling->context, leg->session, letter->token, letter->status, body);
		return ERR_NONE;
	}
	return ERR_NONE;
}

// The relay does not do it: nobody is told of media that are not there.
static void give_up(struct leg *leg, const struct letter *letter)
{
	struct call *call = leg->call;

	log_warning("media_not_relayed", LOG_UINT("call", call->id), LOG_UINT("leg", leg->number));
	switch (letter->kind) {
	case LETTER_INVITE:
	case LETTER_TO_RELAY:
		leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_MEDIA_LOST});
		return;
	case LETTER_PROGRESS: // he hears his own ringing tone instead
		deliver(leg, letter, &no_body);
		return;
	case LETTER_ACCEPT: // still to be refused, at the latest when he has lost his patience
		if (leg->state == LEG_ACCEPTED)
			leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_UNACKNOWLEDGED});
		return;
	case LETTER_ACKNOWLEDGE:
		deliver(leg, letter, &no_body);
		call_happens(call, CALL_EVENT_STOPPED, NULL, NULL);
		return;
	case LETTER_ANSWER_EARLY: // its own patience ends this
		return;
	case LETTER_REQUEST:
		leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_REPLIED,
						     .token = letter->token,
						     .status = err_sip_status(ERR_NO_MEDIA_RELAY)});
		return;
	case LETTER_REPLY:
		signalling_of(leg)->reply(signalling_of(leg)->context, leg->session, letter->token,
					  err_sip_status(ERR_NO_MEDIA_RELAY), &no_body);
		relay_acknowledged(leg, NULL);
		return;
	}
}

// ---- letters

static void letter_free(struct letter *letter)
{
	struct call_table *table = letter->leg->call->table;

	timer_stop(&letter->clock);
	list_remove(&letter->node);
	slots_remove(table->letters, letter->id);
	free(letter->kept);
	pool_give(&table->letters_pool, letter);
}

static void letters_go_on(struct leg *leg);

// Its time in the relay is over, one way or the other; `body` is NULL when nothing came of it.
static void letter_leaves(struct letter *letter, const struct body *body)
{
	struct leg *leg = letter->leg;
	const struct letter left = *letter;
	const struct body said = body ? *body : no_body;

	letter->kept = NULL; // until it has been delivered
	letter_free(letter);
	if (!body) {
		give_up(leg, &left);
	} else {
		enum err err = deliver(leg, &left, &said);
		if (err)
			leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_REPLIED,
							     .token = left.token,
							     .status = err_sip_status(err)});
	}
	free(left.kept);
	letters_go_on(leg);
	comfort_update(leg->call);
}

static void relay_is_late(struct timer *timer)
{
	struct letter *letter = container_of(timer, struct letter, clock);
	struct call *call = letter->leg->call;

	letter_leaves(letter, NULL);
	call_tidy(call);
}

// With whom the leg exchanges it, and which way. NULL: nobody, it goes as it is.
static struct leg *partner_of(const struct leg *leg, const struct letter *letter)
{
	if (letter->kind == LETTER_TO_RELAY)
		return leg == leg->call->caller ? leg->call->winner : leg->call->caller;
	if (letter->kind == LETTER_REQUEST && letter->request.method != DIALOG_INVITE &&
	    letter->request.method != DIALOG_UPDATE)
		return NULL;
	return anchor_partner(leg, &letter->body);
}

// Where it refuses, that too comes later: nothing happens to the leg while somebody sends it something.
static void ask_relay(struct letter *letter, struct leg *partner)
{
	struct leg *leg = letter->leg;
	bool to_partner = letter->kind == LETTER_TO_RELAY;
	const struct anchored_body said = {&letter->body, letter->is_answer};
	enum err err = anchor_exchange(to_partner ? leg : partner, to_partner ? partner : leg, letter->id, &said);

	letter->waiting = true;
	timer_start(leg->call->table->ports.loop, &letter->clock, err ? 0 : RELAY_WAIT_MS);
}

static void letters_go_on(struct leg *leg)
{
	if (list_empty(&leg->letters))
		return;
	struct letter *letter = container_of(leg->letters.next, struct letter, node);
	if (letter->waiting)
		return;
	struct leg *partner = partner_of(leg, letter);
	if (partner)
		ask_relay(letter, partner);
	else
		letter_leaves(letter, &letter->body);
}

static char *keep(char **at, struct str *text)
{
	char *start = *at;

	if (!str_empty(*text))
		memcpy(start, text->at, text->length);
	*text = (struct str){start, text->length};
	*at = start + text->length;
	return start;
}

static struct letter *letter_keep(struct leg *leg, const struct letter *draft)
{
	struct call_table *table = leg->call->table;
	struct letter *letter = pool_take(&table->letters_pool);
	struct str *package = &letter->request.info_package;

	if (!letter)
		return NULL;
	*letter = *draft;
	letter->leg = leg;
	letter->kept = malloc(draft->body.type.length + draft->body.bytes.length + package->length + 1);
	letter->id = letter->kept ? slots_add(table->letters, letter) : 0;
	if (!letter->id) {
		free(letter->kept);
		pool_give(&table->letters_pool, letter);
		return NULL;
	}
	char *at = letter->kept;
	keep(&at, &letter->body.type);
	keep(&at, &letter->body.bytes);
	keep(&at, package);
	letter->request.body = no_body;
	timer_init(&letter->clock, relay_is_late);
	list_append(&leg->letters, &letter->node);
	return letter;
}

static enum err post(struct leg *leg, const struct letter *draft)
{
	if (list_empty(&leg->letters) && !partner_of(leg, draft))
		return deliver(leg, draft, &draft->body);
	if (draft->kind == LETTER_ACCEPT)
		leg->unaccepted = true;
	struct letter *letter = letter_keep(leg, draft);
	if (!letter)
		return ERR_NO_MEMORY;
	if (leg->letters.next == &letter->node)
		letters_go_on(leg);
	return ERR_NONE;
}

// Where there is no memory to wait with, it is as if the relay had failed.
static void post_surely(struct leg *leg, const struct letter *draft)
{
	if (post(leg, draft))
		give_up(leg, draft);
}

void letters_drop(struct leg *leg)
{
	list_each (node, following, &leg->letters)
		letter_free(container_of(node, struct letter, node));
}

void letters_take(struct leg *to, struct leg *from)
{
	list_each (node, following, &from->letters) {
		struct letter *letter = container_of(node, struct letter, node);
		list_remove(&letter->node);
		letter->leg = to;
		list_append(&to->letters, &letter->node);
	}
	to->unaccepted = from->unaccepted;
}

void call_table_media_translated(struct call_table *table, uint64_t token, const struct body *body)
{
	struct letter *letter = slots_find(table->letters, token);

	if (!letter || !letter->waiting)
		return;
	struct call *call = letter->leg->call;
	const struct body ours = {.type = body->type, .bytes = body->bytes};
	letter_leaves(letter, &ours);
	call_tidy(call);
}

void call_table_media_failed(struct call_table *table, uint64_t token)
{
	struct letter *letter = slots_find(table->letters, token);

	if (!letter || !letter->waiting)
		return;
	struct call *call = letter->leg->call;
	letter_leaves(letter, NULL);
	call_tidy(call);
}

// ---- what the domain sends

static struct body body_or_none(const struct body *body)
{
	return body ? *body : no_body;
}

bool wire_needs_relay(const struct leg *leg, const struct body *offer)
{
	return anchor_partner(leg, offer) != NULL;
}

enum err wire_prepare(struct leg *leg, const struct body *offer)
{
	return post(leg, &(struct letter){.kind = LETTER_INVITE, .body = *offer});
}

void wire_to_relay(struct leg *leg, const struct body *answer)
{
	post_surely(leg, &(struct letter){.kind = LETTER_TO_RELAY, .body = *answer, .is_answer = true});
}

void wire_progress(struct leg *leg, unsigned status, const struct body *body)
{
	post_surely(
	    leg, &(struct letter){
		     .kind = LETTER_PROGRESS, .status = status, .body = body_or_none(body), .is_answer = leg->offered});
}

void wire_accept(struct leg *leg, const struct body *body)
{
	post_surely(leg,
		    &(struct letter){.kind = LETTER_ACCEPT, .body = body_or_none(body), .is_answer = leg->offered});
}

void wire_acknowledge(struct leg *leg, const struct body *body)
{
	post_surely(leg, &(struct letter){.kind = LETTER_ACKNOWLEDGE, .body = body_or_none(body), .is_answer = true});
}

void wire_answer_early(struct leg *leg, const struct body *body)
{
	post_surely(leg, &(struct letter){.kind = LETTER_ANSWER_EARLY, .body = body_or_none(body), .is_answer = true});
}

enum err wire_request(struct leg *leg, uint64_t token, const struct dialog_request *request)
{
	return post(
	    leg, &(struct letter){.kind = LETTER_REQUEST, .token = token, .request = *request, .body = request->body});
}

void wire_reply(struct leg *leg, uint64_t transaction, unsigned status, const struct body *body)
{
	post_surely(leg, &(struct letter){.kind = LETTER_REPLY,
					  .token = transaction,
					  .status = status,
					  .body = body_or_none(body),
					  .is_answer = true});
}

void wire_reply_offer(struct leg *leg, uint64_t transaction, const struct body *body)
{
	post_surely(leg, &(struct letter){.kind = LETTER_REPLY, .token = transaction, .status = 200, .body = *body});
}

// ---- the end of it: nothing waits any more

void wire_refuse(struct leg *leg, const struct refusal *refusal)
{
	letters_drop(leg);
	signalling_of(leg)->refuse(signalling_of(leg)->context, leg->session, refusal);
}

void wire_cancel(struct leg *leg, enum leg_end why)
{
	letters_drop(leg);
	signalling_of(leg)->cancel(signalling_of(leg)->context, leg->session, why, leg->call->said);
}

// A 2xx of his wants its ACK all the same (RFC 3261 section 13.2.2.4).
static void acknowledge_what_waits(struct leg *leg)
{
	list_each (node, following, &leg->letters) {
		const struct letter *letter = container_of(node, struct letter, node);
		if (letter->kind == LETTER_ACKNOWLEDGE)
			deliver(leg, letter, &no_body);
	}
}

void wire_hang_up(struct leg *leg, enum leg_end why)
{
	struct signalling *signalling = signalling_of(leg);

	acknowledge_what_waits(leg);
	letters_drop(leg);
	signalling->hang_up(signalling->context, leg->session, why, leg->call->said);
}
