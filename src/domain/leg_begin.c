// A leg from the other end: made, entered in the table, permitted, sent; or taken over from another call.
#include "domain/call.h"
#include "domain/trunk_number.h"

#include <assert.h>

struct leg *leg_new(struct call *call)
{
	struct call_table *table_of_calls = call->table;
	struct leg *leg = pool_take(&table_of_calls->legs_pool);

	if (!leg)
		return NULL;
	list_init(&leg->node);
	list_init(&leg->letters);
	leg->call = call;
	leg->id = slots_add(table_of_calls->legs, leg);
	if (!leg->id) {
		pool_give(&table_of_calls->legs_pool, leg);
		return NULL;
	}
	leg->comfort = PROMPT_COUNT;
	leg->number = call->legs_begun++;
	return leg;
}

void leg_free(struct leg *leg)
{
	struct call_table *table_of_calls = leg->call->table;

	if (leg->id)
		slots_remove(table_of_calls->legs, leg->id);
	leg_unload_trunk(leg);
	list_remove(&leg->node);
	pool_give(&table_of_calls->legs_pool, leg);
}

// Signalling knows the leg by its id, and that stays.
void leg_take(struct leg *to, struct leg *from)
{
	struct slots *legs = from->call->table->legs;

	relay_drop_leg(from);
	anchor_leave(to);
	slots_remove(legs, to->id);
	slots_set(legs, from->id, to);
	to->id = from->id;
	from->id = 0;
	to->session = from->session;
	to->device_id = from->device_id;
	to->trunk_id = from->trunk_id;
	to->permit = from->permit;
	from->permit = (struct toll_permit){.granted = false};
	to->started_at = to->ringing_at = to->answered_at = call_time_ms(to->call);
	to->rang = true;
	to->outcome = OUTCOME_ANSWERED;
	to->status = from->status;
	to->counted = from->counted;
	to->talks = from->talks;
	assert(!to->on_trunk);
	to->on_trunk = from->on_trunk;
	to->anchored = from->anchored;
	to->anchor_reason = from->anchor_reason;
	to->left_behind = from->left_behind;
	to->comfort = from->comfort;
	to->comforted_ms = from->comforted_ms;
	to->media = from->media;
	to->behind_nat = from->behind_nat;
	to->heard_from = from->heard_from;
	letters_take(to, from);
	from->counted = from->talks = from->on_trunk = from->anchored = false;
	from->left_behind = 0;
	if (from->turn)
		from->turn->counted_legs = 0;
	if (to->turn)
		to->turn->counted_legs = to->counted;
	leg_set_state(to, from->state);
	leg_set_state(from, LEG_ENDED);
}

void leg_take_accepted(struct leg *to, struct leg *from)
{
	leg_take(to, from);
	leg_set_state(to, LEG_ACCEPTED);
}

void leg_await_answer(struct leg *leg)
{
	leg_set_state(leg, LEG_ANSWERED);
}

void caller_arrives(struct leg *leg, uint64_t session)
{
	leg->session = session;
	leg->started_at = call_time_ms(leg->call);
	leg_set_state(leg, LEG_CALLING);
}

void leg_list(struct leg *leg, struct attempt *attempt, struct call_turn *turn)
{
	leg->attempt = attempt;
	leg->turn = turn;
	leg->began_ms = loop_now_ms(leg->call->table->ports.loop);
	list_append(&attempt->legs, &leg->node);
	attempt->leg_count++;
	attempt->open_legs++;
}

// What an external device plays before it is answered is a mailbox's or a carrier's, never the person's; and what one of
// several plays is not what the caller will get.
bool leg_may_be_heard(const struct leg *leg)
{
	return leg->attempt->alone && !leg->turn->confirm &&
	       (leg->device_id == 0 || device_kind_registers(leg->turn->device_kind));
}

static enum err leg_enter(struct leg *leg, struct attempt *attempt, struct call_turn *turn)
{
	struct call_table *table_of_calls = leg->call->table;

	if (turn->plan.device_id) {
		if (turn->counted_legs == 0 && !tally_add(table_of_calls, TALLY_DEVICE, turn->plan.device_id))
			return ERR_NO_MEMORY;
		turn->counted_legs++;
		leg->counted = true;
	}
	leg->device_id = turn->plan.device_id;
	leg_list(leg, attempt, turn);
	return ERR_NONE;
}

// No leg goes outside without this.
static enum err leg_permit(const struct attempt *attempt, const struct call_turn *turn, const struct route *route,
			   struct toll_permit *permit)
{
	const struct toll_question question = toll_question_of(attempt, turn, route);

	return toll_enter(attempt->call->table->toll, &question, permit);
}

static enum err leg_invite(struct leg *leg, const struct outgoing_invite *invite)
{
	struct signalling *signalling = leg->call->table->ports.signalling;

	assert(leg->permit.granted || !invite->trunk);
	return signalling->invite(signalling->context, invite, &leg->session);
}

enum err leg_send(struct leg *leg, const struct binding *binding, const struct route *route, const struct body *offer)
{
	struct attempt *attempt = leg->attempt;
	struct call *call = leg->call;
	struct call_turn *turn = leg->turn;
	char number[ROUTE_NUMBER_MAX], shown[NUMBER_MAX], rooms[DIVERSIONS_MAX][NUMBER_MAX];
	struct diversion diversions[DIVERSIONS_MAX];
	struct outgoing_invite invite = {
	    .leg = leg->id,
	    .target = route ? TARGET_TRUNK : TARGET_BINDING,
	    .binding = binding,
	    .device_number = turn->device_number,
	    .dialled = attempt->called,
	    .max_forwards = call->max_forwards - 1 - call->forwards,
	    .body = *offer,
	    .answers_early = call->answers_early && leg_may_be_heard(leg),
	};
	if (route) {
		const struct directory *directory = call->table->ports.directory;
		invite.trunk = directory_trunk(directory, route->trunk_id);
		invite.number = trunk_number(directory_plan(directory), invite.trunk, route, attempt->emergency,
					     turn->number, number);
		invite.diversions = diversions;
		if (invite.trunk->diversion != TRUNK_DIVERSION_NONE)
			invite.diversion_count = diversions_gather(attempt, turn, diversions, rooms);
	}
	caller_shown(attempt, turn, &invite, shown);
	enum err err =
	    route && !attempt->emergency && hairpin_is_crowded(call->table, turn, &invite) ? ERR_LOOP : ERR_NONE;
	if (route && !err)
		err = leg_load_trunk(leg, route->trunk_id, attempt->emergency ? TRUNK_LEG_EMERGENCY : TRUNK_LEG_OUT);
	if (route && !err)
		hairpin_watch(leg, &invite);
	if (!err)
		err = leg_invite(leg, &invite);
	if (err) {
		leg_fail(leg, OUTCOME_UNREACHABLE, err_sentence(err));
		return err;
	}
	leg->started_at = call_time_ms(leg->call);
	leg->offered = !str_empty(invite.body.bytes);
	turn->rung = true;
	leg_set_state(leg, LEG_INVITED);
	return ERR_NONE;
}

// Whatever was dialled: all that goes there is SRTP.
static bool leg_is_over_teams(const struct leg *leg)
{
	return trunk_is_teams(directory_trunk(leg->call->table->ports.directory, leg->trunk_id));
}

void leg_set_media(struct leg *leg, const struct binding *binding)
{
	leg->media = leg_is_over_teams(leg) ? MEDIA_TEAMS : media_kind_of_device(leg->turn->device_kind);
	leg->behind_nat = binding && binding->behind_nat;
	if (leg->behind_nat && str_empty(binding->path))
		leg->heard_from = binding->flow.remote;
	leg->prompted = leg->turn->confirm;
}

// It is invited when the relay has said what with.
static enum err leg_prepare(struct leg *leg, const struct binding *binding, const struct body *offer)
{
	enum err err = leg->prompted ? confirm_prepare(leg) : ERR_NONE;

	if (err)
		return err;
	if (binding) {
		leg->contact = arena_copy(&leg->attempt->record->arena, binding->contact);
		if (!leg->contact.at)
			return ERR_NO_MEMORY;
	}
	err = wire_prepare(leg, offer);
	if (err)
		return err;
	leg->turn->rung = true;
	leg_set_state(leg, LEG_PREPARING);
	return ERR_NONE;
}

// What any telephone takes, from nowhere (RFC 5737).
static const char offer_from_nowhere[] = "v=0\r\n"
					 "o=- 1 1 IN IP4 192.0.2.1\r\n"
					 "s=-\r\n"
					 "c=IN IP4 192.0.2.1\r\n"
					 "t=0 0\r\n"
					 "m=audio 9 RTP/AVP 8 0 101\r\n"
					 "a=rtpmap:101 telephone-event/8000\r\n"
					 "a=fmtp:101 0-15\r\n";

// A caller has made none, or was in another call when he did: whoever hears a prompt, and MS Teams, which takes no INVITE without
// one, get one of the relay's. He is asked himself once somebody has taken the call.
static struct body leg_offer(struct leg *leg)
{
	const struct call *call = leg->call;
	struct body offer = call->offer;

	leg->offer_is_ours = str_empty(offer.bytes) && (leg->prompted || leg->media == MEDIA_TEAMS);
	if (leg->offer_is_ours)
		offer = (struct body){.type = STR("application/sdp"), .bytes = str_of(offer_from_nowhere)};
	offer.from_leg = call->caller->id;
	return offer;
}

enum err leg_begin(struct attempt *attempt, struct call_turn *turn, const struct binding *binding,
		   const struct route *route)
{
	struct call *call = attempt->call;
	struct leg *leg = leg_new(call);
	if (!leg)
		return ERR_NO_MEMORY;
	enum err err = route ? leg_permit(attempt, turn, route, &leg->permit) : ERR_NONE;
	if (!err)
		err = leg_enter(leg, attempt, turn);
	if (err) {
		toll_leave(call->table->toll, &leg->permit);
		leg_free(leg);
		return err;
	}
	leg->trunk_id = route ? route->trunk_id : 0;
	leg_set_media(leg, binding);
	const struct body offer = leg_offer(leg);
	if (!wire_needs_relay(leg, &offer))
		return leg_send(leg, binding, route, &offer);
	err = leg_prepare(leg, binding, &offer);
	if (err)
		leg_fail(leg, OUTCOME_FAILED, err_sentence(err));
	return err;
}
