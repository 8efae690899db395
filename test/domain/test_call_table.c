// Calls under random events, with and without memory: whatever phones, callers, administrators and the clock do, the
// domain asks signalling for nothing that makes no sense, one party at most has the call, and everything is given back.
#include "base/log.h"
#include "domain/call_table.h"
#include "domain/watch.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANCHORED_MAX = 64 };
enum { SESSIONS = 4000, CALLS = 400, USERS = 4, DEVICES = 8, TRUNKS = 2 };

enum progress { INVITED, CANCELLED, ANSWERED, TALKING, OVER };

struct party {
	uint64_t leg;
	unsigned call;
	bool is_caller;
	enum progress progress;
	uint64_t request; // one of ours that it was asked and has not answered
	unsigned acks_due;
};

// A leg in the relay.
struct anchored {
	uint64_t leg;
	bool connected; // it has answered an offer
};

// What the relay has been asked and not answered.
struct exchange {
	uint64_t token, from, to;
	bool is_answer;
	char text[40];
};

struct world {
	struct loop *loop;
	struct directory *directory;
	struct registrations *registrations;
	struct call_table *calls;
	struct signalling signalling;
	struct records records;
	struct media media;
	struct anchored anchored[ANCHORED_MAX];
	size_t anchored_count;
	struct exchange exchanges[ANCHORED_MAX];
	size_t exchange_count;
	unsigned prompts;
	struct party sessions[SESSIONS + 1];
	unsigned session_count, call_count, record_count, forwarded_count, taken;
	unsigned seen[DEVICE_TALKING + 1];
	bool settled[CALLS + 1];
	bool without_offer[CALLS + 1];
	bool memory_fails;
	struct watch *watch;
	bool reported_over[CALLS + 1], reports_lost;
	unsigned reported_overs;
	struct turn_plan turns[USERS + 1][3];
};

static unsigned chance(struct world *w, unsigned below)
{
	return (unsigned)sim_choice(w->loop, below);
}

// ---- signalling, strict about what may be asked when

static struct party *party_of(void *context, uint64_t id)
{
	struct world *w = context;

	assert_true(id > 0 && id <= w->session_count);
	assert_int_not_equal(w->sessions[id].progress, OVER);
	return &w->sessions[id];
}

static enum err fake_invite(void *context, const struct outgoing_invite *invite, uint64_t *session)
{
	struct world *w = context;
	unsigned call = 0;

	for (size_t i = 6; i < invite->body.bytes.length; i++) // "offer 17"
		call = call * 10 + (unsigned)(invite->body.bytes.at[i] - '0');
	assert_false(call && w->settled[call]); // nobody rings once the caller has his answer
	assert_true(invite->max_forwards > 0 && invite->max_forwards < 70);
	assert_true((invite->target == TARGET_BINDING) == (invite->binding != NULL));
	assert_true((invite->target == TARGET_TRUNK) == (invite->trunk != NULL));
	if (w->session_count == SESSIONS || chance(w, 10) == 0)
		return ERR_TRUNK_DOWN;
	*session = ++w->session_count;
	w->sessions[*session] = (struct party){.leg = invite->leg, .call = call};
	return ERR_NONE;
}

static void fake_cancel(void *context, uint64_t id, enum leg_end why, struct str said)
{
	struct party *party = party_of(context, id);

	(void)why;
	(void)said;
	assert_false(party->is_caller);
	assert_int_equal(party->progress, INVITED);
	party->progress = CANCELLED;
}

static void fake_acknowledge(void *context, uint64_t id, const struct body *body)
{
	struct party *party = party_of(context, id);

	(void)body;
	assert_true(party->acks_due > 0);
	party->acks_due--;
	if (party->progress == ANSWERED)
		party->progress = TALKING;
}

static void fake_answer_early(void *context, uint64_t id, const struct body *body)
{
	struct party *party = party_of(context, id);

	(void)body;
	assert_false(party->is_caller);
	assert_int_equal(party->progress, INVITED);
}

static void fake_progress(void *context, uint64_t id, unsigned status, const struct body *body)
{
	struct party *party = party_of(context, id);

	(void)body;
	assert_true(party->is_caller && status >= 180 && status < 190);
	assert_int_equal(party->progress, INVITED);
}

static void settle(struct world *w, const struct party *party)
{
	assert_true(party->is_caller);
	assert_int_equal(party->progress, INVITED);
	assert_false(w->settled[party->call]);
	w->settled[party->call] = true;
}

static void fake_accept(void *context, uint64_t id, const struct body *body)
{
	struct party *party = party_of(context, id);

	(void)body;
	settle(context, party);
	party->progress = ANSWERED;
}

static void fake_refuse(void *context, uint64_t id, const struct refusal *refusal)
{
	struct party *party = party_of(context, id);

	assert_true(refusal->status >= 300 && refusal->status < 700);
	settle(context, party);
	party->progress = OVER;
}

static void fake_hang_up(void *context, uint64_t id, enum leg_end why, struct str said)
{
	struct party *party = party_of(context, id);

	(void)why;
	(void)said;
	if (party->is_caller)
		assert_true(party->progress == ANSWERED || party->progress == TALKING);
	else
		assert_int_equal(party->progress, TALKING); // its 2xx has been acknowledged
	party->progress = OVER;
}

static enum err fake_request(void *context, uint64_t id, uint64_t token, const struct dialog_request *request)
{
	struct party *party = party_of(context, id);

	// Before the call is connected only an UPDATE may come, and only to the caller or to whom he hears.
	assert_true(party->progress == TALKING || (party->progress != CANCELLED && request->method == DIALOG_UPDATE));
	if (party->request)
		return ERR_REQUEST_PENDING;
	party->request = token;
	return ERR_NONE;
}

static void fake_reply(void *context, uint64_t id, uint64_t transaction, unsigned status, const struct body *body)
{
	(void)party_of(context, id);
	(void)body;
	assert_int_equal(transaction, 77);
	assert_true(status >= 200);
}

// ---- the media relay, as strict

static bool relay_available(void *context)
{
	return chance(context, 4) > 0;
}

static struct anchored *anchored_find(struct world *w, uint64_t leg)
{
	for (size_t i = 0; i < w->anchored_count; i++)
		if (w->anchored[i].leg == leg)
			return &w->anchored[i];
	return NULL;
}

static struct anchored *anchored_enter(struct world *w, uint64_t leg)
{
	struct anchored *anchored = anchored_find(w, leg);

	assert_true(leg > 0);
	if (!anchored) {
		anchored = &w->anchored[w->anchored_count++];
		*anchored = (struct anchored){.leg = leg};
	}
	return anchored;
}

static enum err relay_translate(void *context, const struct media_exchange *said)
{
	struct world *w = context;

	assert_true(said->from.leg != said->to.leg && said->record.length == 26);
	if (w->anchored_count + 2 > ANCHORED_MAX || w->exchange_count == ANCHORED_MAX || chance(w, 8) == 0)
		return ERR_NO_MEDIA_RELAY;
	struct anchored *from = anchored_enter(w, said->from.leg);
	from->connected = from->connected || said->is_answer;
	anchored_enter(w, said->to.leg);
	struct exchange *exchange = &w->exchanges[w->exchange_count++];
	*exchange = (struct exchange){
	    .token = said->token, .from = said->from.leg, .to = said->to.leg, .is_answer = said->is_answer};
	if (str_starts(said->body->bytes, STR("offer "))) // else the caller has made none
		snprintf(exchange->text, sizeof exchange->text, "%.*s", STR_ARG(said->body->bytes));
	return ERR_NONE;
}

static enum err relay_play(void *context, uint64_t leg, const struct media_prompt *prompt)
{
	struct world *w = context;
	const struct anchored *anchored = anchored_find(w, leg);

	assert_non_null(anchored);
	assert_true(anchored->connected && prompt->prompt < PROMPT_COUNT);
	w->prompts++;
	return chance(w, 8) ? ERR_NONE : ERR_NO_MEDIA_RELAY;
}

static void relay_stop(void *context, uint64_t leg)
{
	assert_non_null(anchored_find(context, leg));
}

static void relay_release(void *context, uint64_t leg)
{
	struct world *w = context;
	struct anchored *anchored = anchored_find(w, leg);

	assert_non_null(anchored);
	*anchored = w->anchored[--w->anchored_count];
	for (size_t i = w->exchange_count; i-- > 0;)
		if (w->exchanges[i].from == leg || w->exchanges[i].to == leg)
			w->exchanges[i] = w->exchanges[--w->exchange_count];
}

static void relay_answers(struct world *w)
{
	const struct exchange exchange = w->exchanges[0];
	const struct body body = {.type = STR("application/sdp"),
				  .bytes = exchange.is_answer ? STR("answer") : str_of(exchange.text)};

	w->exchange_count--;
	memmove(w->exchanges, w->exchanges + 1, w->exchange_count * sizeof exchange);
	if (chance(w, 12) == 0)
		call_table_media_failed(w->calls, exchange.token);
	else
		call_table_media_translated(w->calls, exchange.token, &body);
}

static void relay_acts(struct world *w)
{
	static const char keys[] = {'1', '1', '2', '5'};

	if (w->anchored_count == 0)
		return;
	struct anchored *anchored = &w->anchored[chance(w, (unsigned)w->anchored_count)];
	uint64_t leg = anchored->leg;
	switch (chance(w, 8)) {
	case 0:
		if (chance(w, 20) == 0)
			call_table_media_lost(w->calls, leg);
		break;
	case 1:
		call_table_key_pressed(w->calls, leg, keys[chance(w, 4)]);
		break;
	case 2:
		call_table_prompt_over(w->calls, leg);
		break;
	default:
		if (w->exchange_count > 0)
			relay_answers(w);
	}
}

// ---- records: each leg has one outcome, each call one record and one more for each forward

static void save_call(void *context, struct call_record *record)
{
	struct world *w = context;

	w->record_count++;
	w->forwarded_count += !str_empty(record->forwarded_from);
	assert_int_equal(record->id.length, 26);
	assert_true(record->ended_at >= record->started_at && record->started_at > 0);
	assert_true(record->outcome >= 0 && outcome_names[record->outcome]);
	unsigned answered = 0;
	for (size_t i = 0; i < record->leg_count; i++) {
		const struct leg_record *leg = &record->legs[i];
		answered += leg->outcome == OUTCOME_ANSWERED;
		assert_true(leg->ended_at >= leg->started_at && leg->ended_at > 0);
		if (leg->outcome == OUTCOME_NOT_RUNG)
			assert_true(leg->started_at == 0 && !str_empty(leg->reason));
		if (leg->confirmed_at)
			assert_true(leg->answered_at && leg->confirmed_at >= leg->answered_at);
		if (leg->outcome == OUTCOME_ANSWERED || leg->outcome == OUTCOME_TOO_SOON ||
		    leg->outcome == OUTCOME_NOT_CONFIRMED)
			assert_true(leg->answered_at > 0);
		if (leg->outcome == OUTCOME_BUSY || leg->outcome == OUTCOME_UNREACHABLE ||
		    leg->outcome == OUTCOME_TIMED_OUT)
			assert_int_equal(leg->answered_at, 0);
	}
	assert_true(answered <= 1);
	if (record->outcome == OUTCOME_ANSWERED && record->leg_count > 0)
		assert_int_equal(answered, 1);
	call_record_free(record);
}

static void save_registration(void *context, struct registration_write *write)
{
	(void)context;
	write->err = ERR_NONE;
	write->done(write);
}

// ---- configuration that keeps changing

static void put_user(struct world *w, unsigned id)
{
	static const char *const extensions[] = {"", "510", "511", "512", "513"};
	static const char *const targets[] = {"510", "511", "513", "599", "01444999999"};
	struct user user = {.entity = {ENTITY_USER, id, 1}, .title = STR("User"), .extension = str_of(extensions[id])};

	user.turns = w->turns[id];
	user.turn_count = chance(w, 4);
	for (size_t i = 0; i < user.turn_count; i++)
		user.turns[i] = (struct turn_plan){.device_id = 1 + (chance(w, 2) + 2 * i + 2 * id) % DEVICES,
						   .start_s = chance(w, 3) * 5,
						   .ring_s = 1 + chance(w, 20)};
	user.strategy = (int)chance(w, 2);
	user.call_limit = chance(w, 4);
	user.do_not_disturb = chance(w, 10) == 0;
	user.decline_stops = (int)chance(w, 2);
	user.six_hundred_stops_all = chance(w, 2);
	user.unanswered = (int)chance(w, 4);
	user.unanswered_target = str_of(targets[chance(w, 5)]);
	user.toll_class = chance(w, 3);
	directory_put(w->directory, &user.entity);
}

static void put_device(struct world *w, unsigned id)
{
	static const char *const numbers[] = {"", "d1", "d2", "d3", "d4", "d5", "d6", "+441444000007", "+441444000008"};
	struct device device = {.entity = {ENTITY_DEVICE, id, 1}, .number = str_of(numbers[id])};

	device.device_kind = id >= 7 ? DEVICE_EXTERNAL : id == 6 ? DEVICE_WEBRTC : DEVICE_SIP_PHONE;
	device.do_not_disturb = chance(w, 10) == 0;
	device.call_limit = chance(w, 3);
	device.too_soon_ms = chance(w, 2) * 1000;
	device.too_late_ms = chance(w, 2) * 5000;
	device.caller_id = (int)chance(w, 2);
	device.confirm = chance(w, 2);
	directory_put(w->directory, &device.entity);
	if (id >= 7 || chance(w, 3) == 0)
		return;
	const struct binding binding = {.device_id = id,
					.contact = str_of(chance(w, 2) ? "sip:one" : "sip:two"),
					.expires_at_ms = (int64_t)loop_time_ms(w->loop) + 100000};
	if (registrations_count(w->registrations) < 20)
		registrations_restore(w->registrations, &binding);
}

static void put_rest(struct world *w)
{
	for (unsigned id = 1; id <= TRUNKS; id++) {
		const struct trunk trunk = {.entity = {ENTITY_TRUNK, id, 1},
					    .title = STR("t"),
					    .host = STR("192.0.2.1"),
					    .enabled = chance(w, 5)};
		const struct route route = {.entity = {ENTITY_ROUTE, id, 1},
					    .pattern = id == 1 ? STR("+44") : STR(""),
					    .trunk_id = id,
					    .toll_class = chance(w, 3)};
		directory_put(w->directory, &trunk.entity);
		directory_put(w->directory, &route.entity);
	}
	const struct did did = {.entity = {ENTITY_DID, 1, 1}, .canonical = STR("+441444000009"), .user_id = 1};
	directory_put(w->directory, &did.entity);
}

static void configure_something(struct world *w)
{
	switch (chance(w, 6)) {
	case 0:
	case 1:
		put_user(w, 1 + chance(w, USERS));
		break;
	case 2:
	case 3:
		put_device(w, 1 + chance(w, DEVICES));
		break;
	case 4:
		directory_remove(w->directory, chance(w, 2) ? ENTITY_USER : ENTITY_DEVICE, 1 + chance(w, USERS));
		break;
	default:
		put_rest(w);
		registrations_forget(w->registrations, 1 + chance(w, DEVICES));
	}
}

// ---- what phones, callers and time do

static void call_somebody(struct world *w)
{
	static const char *const numbers[] = {"510", "511", "512", "513", "01444999999", "112", "nonsense", "599"};
	char offer[20], caller[20];

	if (w->call_count == CALLS || w->session_count >= SESSIONS)
		return;
	unsigned call = ++w->call_count;
	uint64_t id = ++w->session_count;
	snprintf(offer, sizeof offer, "offer %u", call);
	// Now and then one with the number of a leg that is out: he is taken for that leg.
	snprintf(caller, sizeof caller, "+4414441%05u", chance(w, 4) ? call : 0);
	w->without_offer[call] = chance(w, 4) == 0;
	w->sessions[id] = (struct party){.call = call, .is_caller = true};
	struct invitation invitation = {.caller = chance(w, 4) ? CALLER_DEVICE : CALLER_TRUNK,
					.device_id = 1 + chance(w, DEVICES),
					.trunk_id = 1 + chance(w, TRUNKS),
					.dialled = str_of(numbers[chance(w, 8)]),
					.caller_number = str_of(caller),
					.anonymous = chance(w, 4) == 0,
					.max_forwards = chance(w, 9) == 0 ? chance(w, 5) : 70,
					.answers_early = chance(w, 2),
					.call_id = STR("c"),
					.session = id};
	if (invitation.caller == CALLER_TRUNK && chance(w, 4))
		invitation.dialled = STR("+441444000009");
	if (!w->without_offer[call])
		invitation.body = (struct body){.type = STR("application/sdp"), .bytes = str_of(offer)};
	uint64_t leg = 0;
	enum err err = call_table_invited(w->calls, &invitation, &leg);
	w->sessions[id].leg = leg;
	if (err) {
		assert_int_equal(err, ERR_NO_MEMORY);
		w->sessions[id].progress = OVER;
		w->settled[call] = true;
	} else {
		w->taken++;
	}
}

// UPDATE, and what comes back for one, while it rings.
static void early_acts(struct world *w, struct party *party)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR("early")};
	const struct dialog_request request = {.method = DIALOG_UPDATE, .body = body};
	uint64_t token = party->request;

	if (!token) {
		call_table_requested(w->calls, party->leg, 77, &request);
		return;
	}
	party->request = 0;
	unsigned due = party->acks_due++; // one too many for an UPDATE does no harm
	call_table_replied(w->calls, party->leg, token, chance(w, 2) ? 200 : 500, &body);
	party->acks_due = due;
}

static void caller_acts(struct world *w, struct party *party)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR("answer")};

	if (party->progress == INVITED && chance(w, 4) == 0) {
		early_acts(w, party);
	} else if (chance(w, 4) == 0) {
		call_table_early_answered(w->calls, party->leg, &body);
	} else if (party->progress == INVITED && chance(w, 8) == 0) { // no PRACK: signalling has refused him
		settle(w, party);
		party->progress = OVER;
		call_table_unacknowledged(w->calls, party->leg);
	} else if (party->progress == INVITED && chance(w, 3) == 0) {
		call_table_cancelled(w->calls, party->leg, STR_NONE);
	} else if (party->progress == ANSWERED) {
		if (chance(w, 8) == 0) {
			call_table_unacknowledged(w->calls, party->leg);
			return;
		}
		party->progress = TALKING;
		call_table_acknowledged(w->calls, party->leg, &body);
	}
}

static void fail_leg(struct world *w, struct party *party)
{
	static const unsigned statuses[] = {302, 401, 404, 408, 480, 486, 487, 488, 500, 503, 600, 603, 606};

	static const char *const numbers[] = {"510", "511", "512", "513", "01444999999", "112", "nonsense", "599"};
	const struct str targets[] = {str_of(numbers[chance(w, 8)]), str_of(numbers[chance(w, 8)])};

	party->progress = OVER;
	if (chance(w, 2))
		call_table_failed(w->calls, party->leg, statuses[chance(w, 13)], STR("No"), STR_NONE);
	else
		call_table_redirected(w->calls, party->leg, 302, STR("Moved"), targets, chance(w, 3));
}

static void device_acts(struct world *w, struct party *party)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR("sdp")};

	if (party->progress != INVITED && party->progress != CANCELLED)
		return;
	switch (chance(w, 6)) {
	case 5:
		early_acts(w, party);
		break;
	case 0:
		party->progress = ANSWERED;
		party->acks_due++;
		call_table_answered(w->calls, party->leg, &body);
		break;
	case 1:
		fail_leg(w, party);
		break;
	default:
		call_table_progressed(w->calls, party->leg, chance(w, 2) ? 180 : 183, chance(w, 2) ? &body : NULL);
	}
}

static void talker_acts(struct world *w, struct party *party)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR("again")};
	const struct dialog_request request = {.method = (enum dialog_method)chance(w, 7),
					       .body = chance(w, 2) ? body : (struct body){.bytes = STR_NONE}};
	uint64_t token = party->request;

	switch (chance(w, 5)) {
	case 0:
		party->progress = OVER;
		if (chance(w, 3))
			call_table_hung_up(w->calls, party->leg, STR_NONE);
		else
			call_table_expired(w->calls, party->leg);
		break;
	case 1:
		if (!token)
			break;
		party->request = 0;
		unsigned status = chance(w, 2) ? 200 : 488;
		party->acks_due = status == 200 ? 1 : 0; // only an INVITE's is wanted; the others are not counted
		call_table_replied(w->calls, party->leg, token, status, &body);
		if (party->progress == TALKING)
			party->acks_due = 0;
		break;
	case 2:
		call_table_requested(w->calls, party->leg, 77, &request);
		break;
	default:
		break; // ACK of a re-INVITE that nobody sent: harmless
	}
}

static void somebody_acts(struct world *w)
{
	unsigned newest = w->session_count, from = newest > 30 ? newest - 30 : 0;

	if (newest == 0)
		return;
	struct party *party = &w->sessions[from + 1 + chance(w, newest - from)];
	if (party->progress == OVER)
		return;
	if (party->progress == TALKING)
		talker_acts(w, party);
	else if (party->is_caller)
		caller_acts(w, party);
	else
		device_acts(w, party);
}

// Those in the relay may have answered and not taken the call yet.
static void one_at_most_has_each_call(struct world *w)
{
	static unsigned char talking[CALLS + 1];

	memset(talking, 0, sizeof talking);
	for (unsigned i = 1; i <= w->session_count; i++) {
		const struct party *party = &w->sessions[i];
		if (!party->is_caller && party->call && !anchored_find(w, party->leg) &&
		    (party->progress == TALKING || party->progress == ANSWERED))
			assert_true(talking[party->call]++ == 0);
	}
}

// A party that has answered is seen to talk, until it has hung up.
static void devices_are_seen_as_they_are(struct world *w)
{
	for (unsigned id = 1; id <= DEVICES; id++)
		w->seen[call_table_device_activity(w->calls, id)]++;
}

// Whoever watches hears of each call, of its end once, and of nothing after that.
static void reports_are_right(struct world *w)
{
	for (struct queue_item *item = watch_wait(w->watch, 0), *next; item; item = next) {
		struct watch_batch *batch = container_of(item, struct watch_batch, item);
		next = item->next;
		w->reports_lost |= batch->incomplete;
		for (const struct report *report = batch->first; report; report = report->next) {
			if (report->kind != REPORT_CALL || !report->call.state)
				continue;
			assert_in_range(report->call.call, 1, CALLS);
			assert_false(w->reported_over[report->call.call]);
			w->reported_over[report->call.call] = report->call.over;
			w->reported_overs += report->call.over;
			assert_true(!report->call.over || report->call.outcome);
			for (size_t i = 0; i < report->call.leg_count; i++)
				assert_true(report->call.turn_count > 0 &&
					    (!report->call.over || report->call.legs[i].outcome));
		}
		watch_batch_free(batch);
	}
}

static void step(struct world *w)
{
	if (w->memory_fails && chance(w, 3) == 0)
		failing_allocator_arm(1 + chance(w, 12));
	switch (chance(w, 10)) {
	case 0:
		call_somebody(w);
		break;
	case 1:
		configure_something(w);
		break;
	case 2:
		if (chance(w, 10) == 0)
			call_table_hang_up(w->calls, 1 + chance(w, w->call_count + 1));
		break;
	default:
		somebody_acts(w);
	}
	for (unsigned acts = chance(w, 4); acts > 0; acts--)
		relay_acts(w);
	failing_allocator_disarm();
	sim_run_for(w->loop, chance(w, 4) == 0 ? chance(w, 6000) : 0);
	one_at_most_has_each_call(w);
	devices_are_seen_as_they_are(w);
	reports_are_right(w);
}

// Everybody hangs up, refuses and acknowledges, until nothing is left.
static void wind_up(struct world *w)
{
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 1; i <= w->session_count; i++) {
			struct party *party = &w->sessions[i];
			if (party->progress == OVER)
				continue;
			if (party->is_caller && party->progress == INVITED) {
				call_table_cancelled(w->calls, party->leg, STR_NONE);
			} else if (party->progress == INVITED || party->progress == CANCELLED) {
				party->progress = OVER;
				call_table_failed(w->calls, party->leg, 487, STR("Gone"), STR_NONE);
			} else {
				party->progress = OVER;
				call_table_hung_up(w->calls, party->leg, STR_NONE);
			}
		}
	}
}

static void world_open(struct world *w, uint64_t seed)
{
	static const struct number_plan plan = {.country_code = {"44", 2},
						.international_prefix = {"00", 2},
						.national_prefix = {"0", 1},
						.emergency = {"112", 3}};

	memset(w, 0, sizeof *w);
	w->loop = sim_create(seed);
	w->signalling = (struct signalling){.context = w,
					    fake_invite,
					    fake_cancel,
					    fake_acknowledge,
					    fake_answer_early,
					    fake_progress,
					    fake_accept,
					    fake_refuse,
					    fake_hang_up,
					    fake_request,
					    fake_reply};
	w->records = (struct records){.context = w, .save_registration = save_registration, .save_call = save_call};
	w->media = (struct media){.context = w,
				  .available = relay_available,
				  .translate = relay_translate,
				  .play = relay_play,
				  .stop = relay_stop,
				  .release = relay_release,
				  .takes_all = chance(w, 2) == 0};
	w->directory = directory_create(&plan);
	w->registrations = registrations_create(w->loop, &w->records);
	w->watch = watch_create(w->loop, w->directory, w->registrations);
	registrations_watch(w->registrations, w->watch);
	const struct call_table_ports ports = {.loop = w->loop,
					       .directory = w->directory,
					       .registrations = w->registrations,
					       .signalling = &w->signalling,
					       .records = &w->records,
					       .media = &w->media,
					       .watch = w->watch};
	w->calls = call_table_create(&ports);
	for (unsigned id = 1; id <= DEVICES; id++)
		put_device(w, id);
	for (unsigned id = 1; id <= USERS; id++)
		put_user(w, id);
	put_rest(w);
}

static void world_close(struct world *w)
{
	call_table_destroy(w->calls); // its pools assert that nothing is out
	registrations_destroy(w->registrations);
	watch_destroy(w->watch);
	directory_destroy(w->directory);
	assert_int_equal(sim_count(w->loop).timers, 0);
	loop_destroy(w->loop);
}

// Gives how many prompts were played.
static unsigned play(uint64_t seed, bool memory_fails)
{
	static struct world w;

	world_open(&w, seed);
	w.memory_fails = memory_fails;
	watch_listen(w.watch, 100);
	for (unsigned i = 0; i < 2500; i++)
		step(&w);
	wind_up(&w);
	assert_int_equal(call_table_count(w.calls), 0);
	for (unsigned id = 1; id <= USERS; id++)
		assert_int_equal(call_table_calls_of_user(w.calls, id), 0);
	for (unsigned id = 1; id <= DEVICES; id++)
		assert_int_equal(call_table_device_activity(w.calls, id), DEVICE_IDLE);
	assert_true(w.seen[DEVICE_IDLE] > 0 && w.seen[DEVICE_RINGING] > 0 && w.seen[DEVICE_TALKING] > 0);
	sim_run_for(w.loop, 1000);
	reports_are_right(&w);
	assert_true(w.reports_lost || w.reported_overs == w.taken);
	assert_true(memory_fails || !w.reports_lost);
	assert_true(w.taken > 50);
	assert_int_equal(w.record_count, w.taken + w.forwarded_count);
	assert_int_equal(w.anchored_count, 0);
	world_close(&w);
	return w.prompts;
}

static void random_calls_leave_nothing_behind(void **state)
{
	unsigned prompts = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 24; seed++)
		prompts += play(seed, false);
	assert_true(prompts > 0);
}

static void random_calls_without_memory_leave_nothing_behind(void **state)
{
	(void)state;
	for (uint64_t seed = 101; seed <= 112; seed++)
		play(seed, true);
}

// The server ends in the middle of everything: each caller gets his answer, each record is written.
static void destruction_ends_running_calls(void **state)
{
	static struct world w;

	(void)state;
	for (uint64_t seed = 201; seed <= 210; seed++) {
		world_open(&w, seed);
		for (unsigned i = 0; i < 150; i++)
			step(&w);
		world_close(&w);
		assert_int_equal(w.record_count, w.taken + w.forwarded_count);
		for (unsigned call = 1; call <= w.call_count; call++)
			assert_true(w.settled[call]);
	}
}

static void events_for_legs_that_are_gone_do_nothing(void **state)
{
	static struct world w;
	const struct dialog_request request = {.method = DIALOG_INFO};

	(void)state;
	world_open(&w, 1);
	for (uint64_t leg = 0; leg < 3; leg++) {
		call_table_cancelled(w.calls, leg, STR_NONE);
		call_table_acknowledged(w.calls, leg, NULL);
		call_table_unacknowledged(w.calls, leg);
		call_table_progressed(w.calls, leg, 180, NULL);
		call_table_answered(w.calls, leg, NULL);
		call_table_failed(w.calls, leg, 486, STR_NONE, STR_NONE);
		call_table_redirected(w.calls, leg, 302, STR_NONE, NULL, 0);
		call_table_early_answered(w.calls, leg, NULL);
		call_table_expired(w.calls, leg);
		call_table_hung_up(w.calls, leg, STR_NONE);
		call_table_requested(w.calls, leg, 1, &request);
		call_table_replied(w.calls, leg, 1, 200, NULL);
	}
	assert_false(call_table_hang_up(w.calls, 1));
	world_close(&w);
}

static void creation_without_memory_gives_nothing(void **state)
{
	struct call_table_ports ports = {.loop = NULL};
	bool failed = true;

	(void)state;
	for (unsigned n = 1; failed; n++) {
		failing_allocator_arm(n);
		struct call_table *table = call_table_create(&ports);
		failed = failing_allocator_disarm();
		assert_true(failed || table);
		call_table_destroy(table);
	}
}

static void nobody(struct str line, void *context)
{
	(void)line;
	(void)context;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_calls_leave_nothing_behind),
	    cmocka_unit_test(random_calls_without_memory_leave_nothing_behind),
	    cmocka_unit_test(destruction_ends_running_calls),
	    cmocka_unit_test(events_for_legs_that_are_gone_do_nothing),
	    cmocka_unit_test(creation_without_memory_gives_nothing),
	};

	log_capture(nobody, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
