// What must hold in every simulated world, judged by what the phones saw.
#include "sim/plane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECOVERY_MS = 45000, // what RFC 3261's repetitions may need when packets are lost: 64*T1 and some
	CALM_SLACK_MS = 250,
	TURN_SLACK_MS = 20,
	VANISHED_MS = 600000, // a session lasts no longer without being refreshed
};

// How long news may take to get everywhere.
static uint64_t news_ms(const struct plane *plane)
{
	return plane->orderly ? 6 * plane->network.delay_max_ms + CALM_SLACK_MS : RECOVERY_MS;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

// ---- calls come and change

void plane_call_added(struct plane *plane, struct phone_call *call)
{
	if (plane->call_count == plane->call_size) {
		plane->call_size = plane->call_size ? 2 * plane->call_size : 256;
		plane->calls = realloc(plane->calls, plane->call_size * sizeof *plane->calls);
		assert(plane->calls);
	}
	plane->calls[plane->call_count++] = call;
	call->number = plane->call_count;
}

static struct phone_call *call_numbered(const struct plane *plane, unsigned number)
{
	return number > 0 && number <= plane->call_count ? plane->calls[number - 1] : NULL;
}

void plane_call_changed(struct plane *plane, struct phone_call *call)
{
	if (call->state == PHONE_CALL_TALKING && !call->incoming)
		plane->totals.answered++;
}

// While the server drains, whoever was let in before goes on, and all others are told to come back.
void plane_call_refused(struct plane *plane, struct phone_call *call, const struct sip_message *response)
{
	if (response->status == 503 && plane->drained_ms && call->started_ms > plane->drained_ms + news_ms(plane) &&
	    !sip_header_first(response, SIP_HEADER_RETRY_AFTER))
		plane_fail(plane, call, "refused while the server drains, without Retry-After");
}

static void judge_drain(struct plane *plane, const struct phone_call *caller)
{
	if (plane->drained_ms && caller->started_ms > plane->drained_ms + news_ms(plane) && caller->answered_ms)
		plane_fail(plane, caller, "a call is taken while the server drains");
}

void plane_wire_lost(struct plane *plane, struct phone *phone)
{
	list_each (node, following, &phone->calls) {
		struct phone_call *call = container_of(node, struct phone_call, node);
		if (call->state == PHONE_CALL_OVER && call->over_ms + RECOVERY_MS < loop_now_ms(plane->loop))
			continue; // else its BYE may be lost with it
		call->network_failed = true;
		if (call->peer)
			call->peer->network_failed = true;
	}
}

// ---- who is transferred: with whom he talks changes, and who rings for him is not told by any SDP

static void mark_moved(struct plane *plane, struct phone_call *call)
{
	struct phone_call *partner = call ? call_numbered(plane, call->talks_to) : NULL;
	if (call)
		call->moved = true;
	if (partner)
		partner->moved = true;
	if (call && call->peer)
		call->peer->moved = true;
}

void plane_call_moves(struct plane *plane, struct phone_call *call, unsigned talks_to)
{
	struct phone_call *next = call_numbered(plane, talks_to);
	if (!plane->transfers || (call->talks_to == 0 && call->dialled[0] != '*'))
		return;
	mark_moved(plane, call);
	if (next)
		next->moved = true;
}

void plane_refers(struct plane *plane, struct phone_call *call, struct phone_call *other)
{
	plane->totals.referred++;
	mark_moved(plane, call);
	mark_moved(plane, other);
}

void plane_refer_answered(struct plane *plane, struct phone_call *call, unsigned status)
{
	plane->totals.transferred += status < 300;
	if (status != 202 && status != 403 && status != 404 && status != 481 && status != 491 && status != 500 &&
	    status != 503 && status != 480)
		plane_fail(plane, call, "a REFER got %u", status);
}

// Two who were joined know of each other.
static void judge_joined(struct plane *plane, const struct phone_call *call)
{
	const struct phone_call *partner = call_numbered(plane, call->talks_to);
	const uint64_t now_ms = loop_now_ms(plane->loop);
	const uint64_t patience_ms = news_ms(plane) + 5 * 4000; // asked again when both were asking
	if (!partner || call->state != PHONE_CALL_TALKING || partner->state != PHONE_CALL_TALKING || call->vanished ||
	    partner->vanished || call->network_failed || partner->network_failed || !call->moved)
		return;
	if (now_ms > latest(latest(call->heard_ms, partner->heard_ms), latest(call->acked_ms, partner->acked_ms)) +
			 patience_ms &&
	    partner->talks_to != call->number)
		plane_fail(plane, call, "talks to call %u, which talks to call %u", partner->number, partner->talks_to);
}

// ---- who calls whom

static const struct plane_user *user_of_extension(const struct plane *plane, struct str extension)
{
	for (unsigned i = 0; i < plane->user_count; i++)
		if (str_equal(extension, str_of(plane->users[i].extension)))
			return &plane->users[i];
	return NULL;
}

// Without an offer only the caller's number tells; good when exactly one call without an offer fits.
static struct phone_call *caller_by_number(const struct plane *plane, struct str number)
{
	struct phone_call *found = NULL;
	if (plane->transfers) // a target is rung without an offer as well
		return NULL;
	for (unsigned i = 0; i < plane->call_count; i++) {
		struct phone_call *call = plane->calls[i];
		if (call->incoming || call->offered ||
		    (call->state == PHONE_CALL_OVER && call->over_ms + RECOVERY_MS < loop_now_ms(plane->loop)))
			continue;
		if (!str_equal(number, str_of(call->phone->extension)))
			continue;
		if (found)
			return NULL;
		found = call;
	}
	return found;
}

static struct phone_call *caller_of(const struct plane *plane, const struct phone_call *leg,
				    const struct sip_message *invite)
{
	struct phone_call *call = call_numbered(plane, leg->talks_to);
	return call && !call->incoming ? call : leg->offered ? NULL : caller_by_number(plane, invite->from.uri.user);
}

// ---- the ring plan

struct timeline_turn {
	uint64_t device_id;
	uint64_t start_ms, ring_ms;
};

// The same arithmetic as the domain's, written again.
static size_t timeline_of(const struct plane_user *user, struct timeline_turn turns[8])
{
	uint64_t at_ms = 0;
	size_t count = user->user.turn_count;
	for (size_t i = 0; i < count; i++) {
		const struct turn_plan *plan = &user->turns[i];
		const bool sequence = user->user.strategy == STRATEGY_IN_SEQUENCE;
		turns[i] = (struct timeline_turn){plan->device_id, sequence ? at_ms : (uint64_t)plan->start_s * 1000,
						  (uint64_t)plan->ring_s * 1000};
		at_ms += turns[i].ring_ms;
	}
	return count;
}

static const struct timeline_turn *turn_of(const struct timeline_turn *turns, size_t count, uint64_t device_id)
{
	for (size_t i = 0; i < count; i++)
		if (turns[i].device_id == device_id)
			return &turns[i];
	return NULL;
}

static bool timeline_can_be_judged(const struct plane *plane, const struct phone_call *caller,
				   const struct plane_user *user)
{
	return plane->orderly && user && !user->changed && !caller->network_failed &&
	       caller->phone->role == PHONE_DEVICE;
}

static const struct phone_call *leg_to(const struct phone_call *caller, uint64_t device_id)
{
	list_each (node, following, &caller->legs) {
		const struct phone_call *leg = container_of(node, struct phone_call, leg_node);
		if (leg->phone->device_id == device_id && !leg->twin)
			return leg;
	}
	return NULL;
}

// A turn that starts early takes along, by as much, those that were to start only after its end. How early a turn was that
// reached no phone cannot be seen.
static bool was_taken_along(const struct phone_call *leg, const struct timeline_turn *turns, size_t count,
			    const struct timeline_turn *turn)
{
	const uint64_t early_ms = turn->start_ms - (leg->started_ms - leg->peer->started_ms);
	for (size_t i = 0; i < count; i++) {
		const struct phone_call *other = leg_to(leg->peer, turns[i].device_id);
		if (turns[i].start_ms + turns[i].ring_ms > turn->start_ms)
			continue;
		if (!other || other->started_ms - leg->peer->started_ms + early_ms <= turns[i].start_ms + TURN_SLACK_MS)
			return true;
	}
	return false;
}

// One of its phones has declined: that stops the device.
static bool device_failed(const struct phone_call *caller, uint64_t device_id)
{
	list_each (node, following, &caller->legs) {
		const struct phone_call *leg = container_of(node, struct phone_call, leg_node);
		if (leg->phone->device_id == device_id && leg->state == PHONE_CALL_OVER && leg->final >= 300)
			return true;
	}
	return false;
}

// A turn that started early needs every turn before it to have failed or to be over.
static void judge_early_start(struct plane *plane, const struct phone_call *leg, const struct timeline_turn *turns,
			      size_t count, const struct timeline_turn *turn)
{
	list_each (node, following, &leg->peer->legs) {
		const struct phone_call *other = container_of(node, struct phone_call, leg_node);
		const struct timeline_turn *theirs = turn_of(turns, count, other->phone->device_id);
		if (other->twin || !theirs || theirs == turn || theirs->start_ms >= turn->start_ms ||
		    other->started_ms + theirs->ring_ms <= leg->started_ms + TURN_SLACK_MS)
			continue;
		if (!other->vanished && !device_failed(leg->peer, theirs->device_id))
			plane_fail(
			    plane, leg,
			    "device %llu rings before its time (%llu ms) while device %llu, from %llu ms and for "
			    "%llu ms, rings on",
			    (unsigned long long)turn->device_id, (unsigned long long)turn->start_ms,
			    (unsigned long long)theirs->device_id, (unsigned long long)theirs->start_ms,
			    (unsigned long long)theirs->ring_ms);
	}
}

static void judge_start(struct plane *plane, const struct phone_call *leg)
{
	const struct plane_user *user = user_of_extension(plane, str_of(leg->peer->dialled));
	struct timeline_turn turns[8];
	if (!timeline_can_be_judged(plane, leg->peer, user) || leg->phone->role != PHONE_DEVICE)
		return;
	const size_t count = timeline_of(user, turns);
	const struct timeline_turn *turn = turn_of(turns, count, leg->phone->device_id);
	if (!turn)
		return; // forwarded to somebody else
	const uint64_t after_ms = leg->started_ms - leg->peer->started_ms;
	if (after_ms > turn->start_ms + 4 * plane->network.delay_max_ms + TURN_SLACK_MS)
		plane_fail(plane, leg, "device %llu rings %llu ms after the call, its turn is at %llu ms",
			   (unsigned long long)turn->device_id, (unsigned long long)after_ms,
			   (unsigned long long)turn->start_ms);
	if (after_ms < turn->start_ms && !was_taken_along(leg, turns, count, turn))
		judge_early_start(plane, leg, turns, count, turn);
}

// For how long a phone's device rings; 0: nobody can say.
static uint64_t ring_time_ms(const struct plane *plane, const struct phone_call *leg)
{
	const struct plane_user *user = leg->peer ? user_of_extension(plane, str_of(leg->peer->dialled)) : NULL;
	struct timeline_turn turns[8];
	if (!leg->peer || !timeline_can_be_judged(plane, leg->peer, user) || leg->phone->role != PHONE_DEVICE)
		return 0;
	const struct timeline_turn *turn = turn_of(turns, timeline_of(user, turns), leg->phone->device_id);
	return turn ? turn->ring_ms : 0;
}

// When it is told at the latest that its time is over, after its INVITE: the CANCEL waits for the first provisional response.
static uint64_t ring_limit_ms(const struct plane *plane, const struct phone_call *leg)
{
	const uint64_t heard_ms = leg->ringing_ms && !leg->manner.trying
				      ? leg->ringing_ms - leg->started_ms + 2 * plane->network.delay_max_ms
				      : 0;
	return latest(ring_time_ms(plane, leg), heard_ms) + TURN_SLACK_MS;
}

static void judge_ring_time(struct plane *plane, const struct phone_call *leg)
{
	const uint64_t wanted_ms = ring_time_ms(plane, leg), rang_ms = leg->cancelled_ms - leg->started_ms;
	if (wanted_ms && (rang_ms + TURN_SLACK_MS < wanted_ms || rang_ms > ring_limit_ms(plane, leg)))
		plane_fail(plane, leg, "device %llu rang for %llu ms instead of %llu ms",
			   (unsigned long long)leg->phone->device_id, (unsigned long long)rang_ms,
			   (unsigned long long)wanted_ms);
}

static bool somebody_declined(const struct phone_call *caller, uint64_t until_ms)
{
	list_each (node, following, &caller->legs) {
		const struct phone_call *leg = container_of(node, struct phone_call, leg_node);
		if (leg->final >= 300 && leg->over_ms <= until_ms + RECOVERY_MS)
			return true;
	}
	return false;
}

static bool rang(const struct phone_call *caller, const struct phone *phone)
{
	list_each (node, following, &caller->legs)
		if (container_of(node, struct phone_call, leg_node)->phone == phone)
			return true;
	return false;
}

static const struct device *device_of(const struct plane *plane, uint64_t id)
{
	for (unsigned i = 0; i < plane->device_count; i++)
		if (plane->devices[i].device.entity.id == id)
			return &plane->devices[i].device;
	return NULL;
}

static void judge_missed_turn(struct plane *plane, const struct phone_call *caller, const struct timeline_turn *turn)
{
	const struct device *device = device_of(plane, turn->device_id);
	if (!device || device->do_not_disturb || device->call_limit)
		return;
	for (unsigned i = 0; i < plane->phone_count; i++) {
		const struct phone *phone = plane->phones[i];
		const bool bound = phone->bound_since_ms && phone->bound_since_ms < caller->started_ms;
		if (phone->role == PHONE_DEVICE && phone->device_id == turn->device_id && bound && caller->offered &&
		    !rang(caller, phone))
			plane_fail(plane, caller, "phone %u was never rung, though its turn was at %llu ms",
				   phone->index, (unsigned long long)turn->start_ms);
	}
}

// Every phone that could ring in its turn must have, when the call lasted beyond the turn's start.
static void judge_missed_turns(struct plane *plane, const struct phone_call *caller)
{
	const struct plane_user *user = user_of_extension(plane, str_of(caller->dialled));
	struct timeline_turn turns[8];
	if (!timeline_can_be_judged(plane, caller, user) || caller->moved || !caller->challenged ||
	    !caller->settled_ms || caller->vanished || user->user.do_not_disturb || user->user.call_limit ||
	    strcmp(caller->phone->extension, caller->dialled) == 0)
		return;
	const size_t count = timeline_of(user, turns);
	for (size_t i = 0; i < count; i++) {
		const uint64_t due_ms = caller->started_ms + turns[i].start_ms;
		if (due_ms + news_ms(plane) < caller->settled_ms && !somebody_declined(caller, due_ms))
			judge_missed_turn(plane, caller, &turns[i]);
	}
}

// ---- legs

// In how many calls a user is for sure: those that both sides have been talking in for a while.
static unsigned calls_of(const struct plane *plane, const char *extension)
{
	const uint64_t now_ms = loop_now_ms(plane->loop);
	unsigned count = 0;
	for (unsigned i = 0; i < plane->call_count; i++) {
		const struct phone_call *caller = plane->calls[i];
		const struct phone_call *callee = caller->incoming ? NULL : call_numbered(plane, caller->talks_to);
		if (!callee || caller->state != PHONE_CALL_TALKING || callee->state != PHONE_CALL_TALKING ||
		    caller->vanished || callee->vanished || caller->acked_ms + news_ms(plane) > now_ms)
			continue;
		count += strcmp(caller->phone->extension, extension) == 0 ||
			 (callee->phone->role == PHONE_DEVICE && strcmp(callee->phone->extension, extension) == 0);
	}
	return count;
}

// Nobody who does not want to be disturbed is, nobody has more calls than allowed, and a device that belongs to nobody calls
// nobody.
static void judge_permission(struct plane *plane, const struct phone_call *leg)
{
	const struct phone_call *caller = leg->peer;
	const struct plane_user *user = user_of_extension(plane, str_of(leg->phone->extension));
	if (leg->phone->role == PHONE_DEVICE && user && user->user.do_not_disturb && !user->changed)
		plane_fail(plane, leg, "a phone of somebody who must not be disturbed rings");
	const struct device *device = device_of(plane, leg->phone->device_id);
	if (device && device->do_not_disturb)
		plane_fail(plane, leg, "a phone that must not disturb rings");
	// The limit is looked at when a call comes, not at each of its turns.
	const bool first = caller->legs.next == caller->legs.previous && leg->started_ms < caller->started_ms + 1000;
	if (plane->orderly && first && !plane->transfers && leg->phone->role == PHONE_DEVICE && user &&
	    user->user.call_limit && !user->changed && calls_of(plane, user->extension) >= user->user.call_limit)
		plane_fail(plane, leg, "a phone rings of somebody who has as many calls as allowed");
	if (caller->phone->role == PHONE_DEVICE && !caller->phone->extension[0] && strcmp(caller->dialled, "999") != 0)
		plane_fail(plane, leg, "a device that belongs to nobody calls somebody");
}

// A leg may begin and end before the right machine of a carrier hears of it: while the carrier challenges it, or while a
// machine of it that is not there is waited for.
static bool legs_may_be_unseen(const struct plane *plane)
{
	for (unsigned i = 0; i < plane->trunk_count; i++)
		if (plane->trunk_names[i][0] != '\0')
			return true;
	for (unsigned i = 0; i < plane->phone_count; i++)
		if (plane->phones[i]->challenges)
			return true;
	return false;
}

// The limits hold at every moment, and by what carriers see as well: worlds last less than an hour. One with several machines
// may see a leg twice.
static void judge_limits(struct plane *plane, const struct phone_call *leg, const struct sip_message *invite)
{
	const int64_t legs_max = plane->site.outside_legs_max, per_hour = plane->site.outside_legs_per_hour;
	const unsigned legs = toll_count(call_table_toll(plane->table)).legs;
	if (legs_max && legs > legs_max)
		plane_fail(plane, leg, "%u legs to the outside, more than %lld", legs, (long long)legs_max);
	if (leg->phone->role != PHONE_CARRIER || str_equal(invite->uri.user, STR("999")))
		return;
	plane->outside_legs++;
	plane->totals.outside_legs++;
	if (per_hour && plane->outside_legs > per_hour && !legs_may_be_unseen(plane))
		plane_fail(plane, leg, "leg %u to the outside, more than %lld within an hour", plane->outside_legs,
			   (long long)per_hour);
}

void plane_leg_invited(struct plane *plane, struct phone_call *leg, const struct sip_message *invite)
{
	struct phone_call *caller = caller_of(plane, leg, invite);
	plane->totals.legs++;
	judge_limits(plane, leg, invite);
	leg->peer = caller;
	if (leg->phone->role == PHONE_CARRIER)
		str_to_cstring(invite->uri.user, leg->dialled, sizeof leg->dialled);
	referee_judge_outside(plane, leg, invite);
	// What reaches it now may have been sent for a long time, and given up on.
	leg->network_failed = phone_was_away(leg->phone);
	if (leg->offered && !caller)
		plane_fail(plane, leg, "a leg with the SDP of no caller");
	if (leg->phone->role == PHONE_DEVICE && !str_equal(invite->to.uri.user, str_of(leg->phone->number)))
		plane_fail(plane, leg, "device %s is called as %.*s", leg->phone->number, STR_ARG(invite->to.uri.user));
	if (leg->phone->role == PHONE_DEVICE && !str_equal(invite->uri.user, str_of(leg->phone->contact)))
		plane_fail(plane, leg, "the INVITE's URI is not the registered contact: %.*s",
			   STR_ARG(invite->request_uri));
	if (!caller)
		return;
	list_append(&caller->legs, &leg->leg_node);
	if (caller->phone->role == PHONE_DEVICE && leg->phone->role == PHONE_DEVICE &&
	    !str_equal(invite->from.uri.user, str_of(caller->phone->extension)))
		plane_fail(plane, leg, "the caller shows as %.*s instead of %s", STR_ARG(invite->from.uri.user),
			   caller->phone->extension);
	if (caller->over_ms && !caller->moved && caller->over_ms + news_ms(plane) < leg->started_ms &&
	    !leg->network_failed)
		plane_fail(plane, leg, "a phone is rung for a call that is over");
	if (plane->drained_ms && caller->started_ms > plane->drained_ms + news_ms(plane))
		plane_fail(plane, leg, "a phone is rung for a call that came while the server drains");
	judge_permission(plane, leg);
	referee_judge_twice(plane, leg, invite);
	judge_start(plane, leg);
}

static bool answered_elsewhere(const struct phone_call *leg)
{
	list_each (node, following, &leg->peer->legs) {
		const struct phone_call *other = container_of(node, struct phone_call, leg_node);
		if (other != leg && other->answered_ms)
			return true;
	}
	return false;
}

void plane_leg_cancelled(struct plane *plane, struct phone_call *leg, const struct sip_message *cancel)
{
	const struct phone_call *caller = leg->peer;
	(void)cancel;
	if (plane->transfers && leg->cancel_cause == 200) { // or picked up
		if (caller && !answered_elsewhere(leg))
			leg->peer->picked_up = true;
		return;
	}
	if (!caller || !caller->offered) // without an offer not all of the call's legs may be known
		return;
	switch (leg->cancel_cause) {
	case 200:
		if (!answered_elsewhere(leg))
			plane_fail(plane, leg, "told that the call was answered elsewhere, and it was not");
		break;
	case 408:
		judge_ring_time(plane, leg);
		break;
	case 0:
		if (!caller->cancelled_ms && !caller->vanished && !caller->network_failed &&
		    caller->state != PHONE_CALL_OVER &&
		    (!plane->hung_up_ms || loop_now_ms(plane->loop) > plane->hung_up_ms + news_ms(plane)))
			plane_fail(plane, leg, "cancelled as if the caller had given up");
		break;
	default:
		break;
	}
}

void plane_leg_unacknowledged(struct plane *plane, struct phone_call *call, unsigned status)
{
	const struct phone_call *caller = call->peer;
	if (status < 300 && call->state == PHONE_CALL_OVER)
		return; // a re-INVITE that crossed the BYE
	if (!plane->flows_die && (status >= 300 || (caller && caller->offered && !caller->vanished)))
		plane_fail(plane, call, "its %u was never acknowledged", status);
}

// ---- the sweep

static bool said_something(const struct phone_call *leg)
{
	return leg->manner.trying || leg->ringing_ms;
}

static void judge_loser(struct plane *plane, const struct phone_call *caller, const struct phone_call *leg)
{
	const uint64_t now_ms = loop_now_ms(plane->loop);
	const uint64_t news = news_ms(plane);
	if (leg->vanished || leg->network_failed || leg->state == PHONE_CALL_OVER)
		return;
	if (leg->state == PHONE_CALL_TRYING || leg->state == PHONE_CALL_RINGING) {
		const uint64_t known_ms = latest(caller->settled_ms, latest(leg->started_ms, leg->ringing_ms));
		if (said_something(leg) && now_ms > known_ms + news)
			plane_fail(plane, leg, "phone %u still rings although the call was settled at %.3f s",
				   leg->phone->index, (double)caller->settled_ms / 1000);
		return;
	}
	if (caller->state == PHONE_CALL_TALKING && caller->talks_to == leg->number)
		return;
	const uint64_t known_ms = latest(latest(caller->settled_ms, caller->over_ms), leg->answered_ms);
	if (now_ms > known_ms + news)
		plane_fail(plane, leg, "phone %u believes itself in a call that the caller does not have with it",
			   leg->phone->index);
}

// Where every packet takes as long, whoever answers first has the call; an answer behind a CANCEL,
// or one that comes after the device's time, does not count.
static void judge_first_answer(struct plane *plane, const struct phone_call *caller, const struct phone_call *winner)
{
	list_each (node, following, &caller->legs) {
		const struct phone_call *leg = container_of(node, struct phone_call, leg_node);
		const bool sooner =
		    leg->answered_ms && leg->answered_ms < winner->answered_ms &&
		    leg->answered_ms + 2 * plane->network.delay_max_ms < leg->started_ms + ring_time_ms(plane, leg);
		if (plane->orderly && sooner && !device_failed(caller, leg->phone->device_id) && !winner->twin &&
		    !leg->twin && !leg->cancelled_ms && !leg->vanished && !leg->network_failed &&
		    leg->phone->role == PHONE_DEVICE && winner->phone->role == PHONE_DEVICE)
			plane_fail(plane, leg, "phone %u answered first, and phone %u has the call", leg->phone->index,
				   winner->phone->index);
	}
}

static void judge_winner(struct plane *plane, const struct phone_call *caller)
{
	const uint64_t now_ms = loop_now_ms(plane->loop);
	const struct phone_call *winner = call_numbered(plane, caller->talks_to);
	if (now_ms < caller->acked_ms + news_ms(plane))
		return;
	if (!winner || !winner->incoming || (winner->peer && winner->peer != caller)) {
		plane_fail(plane, caller, "the caller does not know whom it talks with");
		return;
	}
	if (winner->vanished || winner->network_failed)
		return;
	judge_first_answer(plane, caller, winner);
	if (winner->state == PHONE_CALL_OVER && now_ms > winner->over_ms + news_ms(plane))
		plane_fail(plane, caller, "the caller is left in a call that the callee has ended");
	if (winner->state == PHONE_CALL_TALKING && winner->talks_to != caller->number)
		plane_fail(plane, caller, "the callee has the SDP of somebody else");
	if (winner->state == PHONE_CALL_TRYING || winner->state == PHONE_CALL_RINGING)
		plane_fail(plane, caller, "the caller talks with a phone that has not answered");
}

// A phone that was forgotten, and rings for ever.
static void judge_ringing(struct plane *plane, const struct phone_call *leg)
{
	const uint64_t now_ms = loop_now_ms(plane->loop);
	if ((leg->state != PHONE_CALL_TRYING && leg->state != PHONE_CALL_RINGING) || leg->vanished ||
	    leg->network_failed || !said_something(leg) || ring_time_ms(plane, leg) == 0)
		return;
	if (now_ms > leg->started_ms + ring_limit_ms(plane, leg) + news_ms(plane))
		plane_fail(plane, leg, "phone %u rings on although its time is over", leg->phone->index);
}

// By when the server notices that a phone has vanished: it did not acknowledge, or the session was not refreshed. 0: it
// cannot.
static uint64_t noticed_ms(const struct phone_call *call)
{
	if (!call->vanished)
		return 0;
	if (!call->incoming && !call->acked_ms && call->offered)
		return call->vanished_ms + RECOVERY_MS;
	return call->session_s && call->acked_ms ? call->vanished_ms + (uint64_t)call->session_s * 1000 + RECOVERY_MS
						 : 0;
}

static void judge_left_behind(struct plane *plane, const struct phone_call *call, const struct phone_call *vanished)
{
	const uint64_t known_ms = noticed_ms(vanished);
	if (!plane->orderly || known_ms == 0 || call->state != PHONE_CALL_TALKING || call->vanished ||
	    call->talks_to != vanished->number)
		return;
	if (loop_now_ms(plane->loop) > latest(known_ms, call->answered_ms + RECOVERY_MS) + news_ms(plane))
		plane_fail(plane, call, "phone %u is left in a call with phone %u, which has vanished",
			   call->phone->index, vanished->phone->index);
}

static void judge_vanished(struct plane *plane, const struct phone_call *caller)
{
	list_each (node, following, &caller->legs) {
		const struct phone_call *leg = container_of(node, struct phone_call, leg_node);
		judge_left_behind(plane, leg, caller);
		judge_left_behind(plane, caller, leg);
	}
}

// All of it is over and was judged long enough.
static bool is_settled(const struct plane *plane, const struct phone_call *call)
{
	const uint64_t now_ms = loop_now_ms(plane->loop);
	if (call->vanished)
		return call->vanished_ms + VANISHED_MS < now_ms;
	return call->state == PHONE_CALL_OVER && call->over_ms + 4 * RECOVERY_MS < now_ms;
}

void referee_sweep(struct plane *plane)
{
	while (plane->settled_count < plane->call_count && is_settled(plane, plane->calls[plane->settled_count]))
		plane->settled_count++;
	for (unsigned i = plane->settled_count; i < plane->call_count && !plane->failure[0]; i++) {
		const struct phone_call *call = plane->calls[i];
		judge_joined(plane, call);
		if (call->moved)
			continue;
		if (call->incoming) {
			judge_ringing(plane, call);
			continue;
		}
		judge_vanished(plane, call);
		if (call->vanished || call->network_failed || !call->settled_ms || is_settled(plane, call))
			continue;
		list_each (node, following, &call->legs)
			judge_loser(plane, call, container_of(node, struct phone_call, leg_node));
		if (call->state == PHONE_CALL_TALKING)
			judge_winner(plane, call);
	}
}

// ---- the end

static bool was_forwarded(const struct plane *plane, const struct plane_record *record)
{
	for (unsigned i = 0; i < plane->saved_count; i++)
		if (strcmp(plane->saved[i].forwarded_from, record->id) == 0)
			return true;
	return false;
}

static void judge_records(struct plane *plane, const struct phone_call *caller)
{
	const struct plane_record *last = NULL;
	unsigned firsts = 0, started = 0, seen = 0;
	for (unsigned i = 0; i < plane->saved_count; i++) {
		const struct plane_record *record = &plane->saved[i];
		if (strcmp(record->call_id, caller->call_id) != 0)
			continue;
		if (!was_forwarded(plane, record))
			last = record;
		started += record->started_legs;
		firsts += record->forwarded_from[0] == '\0';
		// A leg may answer and the call fail all the same: when the caller never acknowledged.
		if (record->outcome == OUTCOME_ANSWERED
			? record->answered_legs != 1
			: record->answered_legs != 0 && record->outcome != OUTCOME_FAILED)
			plane_fail(plane, caller, "a record with outcome %s and %u answered legs",
				   outcome_names[record->outcome], record->answered_legs);
	}
	if (caller->moved || caller->dialled[0] == '*') { // his record may be another one's
		if (firsts > 1)
			plane_fail(plane, caller, "%u records of one call", firsts);
		return;
	}
	if (firsts != 1 && !caller->phone->removed)
		plane_fail(plane, caller, "%u records of one call", firsts);
	list_each (node, following, &caller->legs)
		seen += !container_of(node, struct phone_call, leg_node)->twin;
	// Whoever picked it up has a leg in the record and was rung by nobody; and may hang up before the caller is told.
	started -= caller->picked_up && started > seen;
	if (!last || caller->network_failed || plane->dies)
		return;
	if (plane->orderly && caller->offered && (seen > started || (seen < started && !legs_may_be_unseen(plane))))
		plane_fail(plane, caller, "%u phones were rung, the records have %u legs that began", seen, started);
	if (caller->vanished)
		return;
	if (caller->final && !caller->cancelled_ms && last->sip_status != caller->final)
		plane_fail(plane, caller, "the caller got %u, the record says %u", caller->final, last->sip_status);
	if (caller->answered_ms && !caller->cancelled_ms && last->outcome != OUTCOME_ANSWERED)
		plane_fail(plane, caller, "answered, but the record says %s", outcome_names[last->outcome]);
}

static void judge_caller(struct plane *plane, const struct phone_call *caller)
{
	plane->totals.calls++;
	plane->totals.refused += caller->final >= 300;
	if (caller->final >= 300 && caller->final < 700)
		plane->totals.finals[caller->final]++;
	plane->totals.gave_up += caller->cancelled_ms != 0;
	judge_drain(plane, caller);
	if (caller->vanished)
		return;
	if (caller->state != PHONE_CALL_OVER)
		plane_fail(plane, caller, "the caller is still %s", phone_call_state_name(caller->state));
	if (!caller->final && !caller->network_failed)
		plane_fail(plane, caller, "the caller never got a final response");
	// Seven INVITEs can all be lost; anything that comes later is repeated more often than chance can undo.
	if (caller->final == 408 && !caller->got_response && plane->orderly)
		plane_fail(plane, caller, "the caller got no response at all");
}

static void judge_leg(struct plane *plane, const struct phone_call *leg)
{
	if (!leg->vanished && leg->state != PHONE_CALL_OVER)
		plane_fail(plane, leg, "phone %u is still %s at the end", leg->phone->index,
			   phone_call_state_name(leg->state));
}

// Whether the server has taken the call: it went past the challenge, and its session is long enough. (When a 422 is lost,
// what repeats the INVITE may get a 401, since its nonce was used.) Nor is a carrier judged that was not known as one yet.
static bool was_taken(const struct phone_call *caller)
{
	return caller->got_response && caller->final != 422 && caller->final != 401 &&
	       (caller->phone->role == PHONE_CARRIER) != caller->challenged;
}

void referee_finish(struct plane *plane)
{
	for (unsigned i = 0; i < plane->call_count && !plane->failure[0]; i++) {
		const struct phone_call *call = plane->calls[i];
		if (call->incoming) {
			judge_leg(plane, call);
			continue;
		}
		judge_caller(plane, call);
		if (was_taken(call))
			judge_records(plane, call);
		judge_missed_turns(plane, call);
	}
}

void referee_finish_early(struct plane *plane)
{
	for (unsigned i = 0; i < plane->call_count && !plane->failure[0]; i++)
		if (!plane->calls[i]->incoming && was_taken(plane->calls[i]))
			judge_records(plane, plane->calls[i]);
}
