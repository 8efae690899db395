// Calls and legs from the inside; for the files that make up call_table.h's module alone:
//   call_table.c  the table, its ports, what signalling tells; calls and legs by their ids
//   call.c        a call's states: who wins, who ends it, what the caller gets
//   leg.c         a leg's states, and what each asks of signalling
//   leg_begin.c   a leg made and sent, or taken over from another call
//   attempt.c     a ring plan being carried out: turns that start, stop, start early
//   call_redirect.c  3xx: what a device wants to ring in its place
//   call_route.c  who calls, who is called, what number is shown
//   call_inbound.c   the same of calls that trunks bring
//   caller_id.c   what number is shown, and who sent the call on
//   hairpin.c     a leg of ours that comes back in
//   number_refusal.c  a second try where a trunk refuses the number shown
//   call_relay.c  requests within a call, carried from one side to the other
//   call_transfer.c  a call that takes over one side of another: transfers, moves
//   call_replace.c   a caller who takes somebody's place in a call
//   call_confirm.c   a leg that is taken by a key: who answers hears who calls
//   wire.c        what a leg is sent, by way of the media relay where that is needed
//   anchor.c      who needs the media relay, and why
//   comfort.c     what those hear who have nobody to hear
//   call_feature.c   feature codes that are done elsewhere: the caller hears how it went
//   call_join.c   two who are up are told of each other's media
//   call_pickup.c a caller who takes a call that rings at somebody else's
//   call_write.c  what is kept of it all: call records
//   call_explain.c   what would happen, step by step, without a call
//   call_view.c   what is shown of it all: snapshots and explanations
//   lamp.c        what is told of it all: an extension's busy lamp
//   plan_warnings.c  what of a user's settings leads nowhere
//   call_watch.c  who watches is told which calls have changed
#ifndef DOMAIN_CALL_H
#define DOMAIN_CALL_H

#include "base/hash.h"
#include "base/list.h"
#include "base/pieces.h"
#include "base/pool.h"
#include "base/slots.h"
#include "domain/call_table.h"
#include "domain/cause.h"
#include "domain/diversion.h"
#include "domain/ring_plan.h"
#include "domain/shown_reason.h"
#include "domain/toll.h"
#include "domain/trunk_use.h"

enum leg_state {
#define LEG_STATE(name, text, final) LEG_##name,
#include "domain/leg_states.def"
#undef LEG_STATE
	LEG_STATE_COUNT
};

enum leg_event_kind {
#define LEG_EVENT(name, text) LEG_EVENT_##name,
#include "domain/leg_events.def"
#undef LEG_EVENT
	LEG_EVENT_COUNT
};

enum call_state {
#define CALL_STATE(name, text) CALL_##name,
#include "domain/call_states.def"
#undef CALL_STATE
	CALL_STATE_COUNT
};

// Why a leg's media go through the relay.
enum anchor_reason {
	ANCHOR_NONE,
#define ANCHOR_REASON(name, text) ANCHOR_##name,
#include "domain/anchor_reasons.def"
#undef ANCHOR_REASON
	ANCHOR_REASON_COUNT
};
extern const char *const anchor_reason_names[ANCHOR_REASON_COUNT];

enum call_event {
#define CALL_EVENT(name, text) CALL_EVENT_##name,
#include "domain/call_events.def"
#undef CALL_EVENT
	CALL_EVENT_COUNT
};

enum {
	CALLS_MAX = 1000000,
	FORWARDS_MAX = 5,            // in one call
	RELAYS_MAX = 16,             // requests under way in one call
	RING_OUTSIDE_MS = 3 * 60000, // an outside number rings no longer (as timer C, RFC 3261 section 16.6)
	RETRY_AFTER_S = 10,          // with a 503 of our own: while we shut down, or no trunk has room
	REDIRECTS_MAX = 5,           // obeyed in one call
};

// How an attempt, or one leg of it, came out.
struct result {
	enum outcome outcome;
	unsigned status; // for the caller; 0: nothing worth telling
	unsigned cause;  // Q.850, when the far end said so
	enum err err;    // when it was our refusal
};

// The hairpin guard. A leg that is shown with the caller's own number, or with one that all share, is awaited back for as long as a
// carrier takes to send it on, and no longer than until a phone rings; one that shows a person's own number here, which nobody else shows, for as long as it rings.
enum {
	HAIRPIN_KEYS = 3,
	HAIRPIN_MS = 4000,
	HAIRPIN_REPLACED_MS = 2000, // where the carrier shows somebody else, or nobody
	HAIRPIN_SAME_MAX = 2,       // legs to one number that show one caller
};

enum turn_state { TURN_WAITING, TURN_RINGING, TURN_OVER };

// One device's turn in an attempt. Times count from the attempt's start.
struct call_turn {
	struct turn plan;   // as the ring plan has it; never changed
	uint64_t starts_ms; // as it turned out
	uint64_t stops_ms;
	enum turn_state state;
	bool rung; // it has had legs
	unsigned counted_legs;
	const struct leg *redirector; // whose 3xx asked for it, or NULL
	uint64_t shows_own_over;      // the trunk that has refused the number shown: the user's own goes there now
	unsigned number_refused;      // by this status, until a second leg shows that it was about the number
	uint64_t guest_id;            // then: the user whose device it is; 0: an outside number
	int device_kind;
	struct str device_number, device_title; // in the record's arena, as they were when the call came
	struct str number;                      // canonical; external, Teams and outside numbers
	uint64_t too_soon_ms;                   // an answer before this is a voicemail's; 0: any is good
	uint64_t too_late_ms;                   // it rings no longer; 0: as long as the ring plan says
	bool confirm;                           // who answers takes the call by a key
	bool cut;                               // stops_ms is the guard's, before the ring plan's
	enum outcome outcome;                   // when it never rang
	const char *reason;                     // likewise, a sentence
};

// What a call does to reach one target: an extension or an outside number. Being forwarded is a new attempt, with a
// record of its own.
struct attempt {
	struct list node;      // in call.attempts, the present one last
	struct list of_called; // in the tally of counted_user_id
	struct call *call;
	struct call_record *record;     // owned until it is saved; its arena has the attempt's texts
	uint64_t user_id;               // whose extension; 0: an outside number
	uint64_t counted_user_id;       // whose calls it is counted among; 0: nobody's
	uint64_t guests[REDIRECTS_MAX]; // users it was redirected to, counted likewise until somebody answers
	size_t guest_count;
	uint64_t payer_id; // outside: whose toll class and caller ID it has; 0: an emergency call without holder
	struct str called; // the extension; empty when the caller dialled outside himself
	bool emergency;
	bool alone;             // at most one leg will ever ring: early media may pass
	bool last_ended_failed; // the turn that ended last had failed, not run out of time
	bool settled;           // its result is known; the record waits for legs to finish
	uint64_t began_ms;      // loop_now_ms
	struct result best;     // the best of the failures so far
	struct call_turn *turns;
	size_t turn_count;
	struct list legs; // of struct leg, in the order they began
	size_t leg_count, open_legs;
};

struct leg {
	uint64_t id;      // in call_table.legs; 0 once final
	struct list node; // in attempt.legs; the caller's in none
	struct call *call;
	struct attempt *attempt; // NULL: the caller's
	struct call_turn *turn;  // NULL: the caller's
	unsigned number;         // within the call: 0 the caller, 1 ...
	enum leg_state state;    // written by leg_set_state alone
	uint64_t session;        // signalling's side
	uint64_t device_id, trunk_id;
	struct toll_permit permit; // to the outside
	bool counted;              // among the device's calls
	bool on_trunk;             // counted among the trunk's legs
	bool holds;                // he has put the other on hold, by the last offer of his that was accepted
	bool talks;                // and among those in which the device does more than ring
	struct hash_node outside[HAIRPIN_KEYS]; // trunk legs: in call_table.outside
	struct str shown_number;    // trunk legs: the caller's number sent along, in the record's arena; empty: none
	enum shown_kind shown_kind; // whose it is
	uint64_t came_back_over;    // the trunk that brought it in again; 0: none did
	uint64_t began_ms;          // loop_now_ms
	int64_t started_at, ringing_at, answered_at, ended_at; // wall clock, 0 = never
	bool offered;                                          // the INVITE had an offer
	struct str contact;                // of a device, PREPARING: where it is to be invited; in the record's arena
	struct confirmation *confirmation; // PREPARING to DISMISSED, when the turn wants a key; owned
	struct list letters;               // of struct letter: what it is sent once the relay has answered (wire.c)
	bool unaccepted;                   // a caller's, and our 2xx is still among them
	enum media_kind media;
	bool behind_nat;
	struct net_address heard_from;    // behind a NAT: where its messages come from; none: by way of others
	bool prompted;                    // it hears a prompt before it has the call
	bool offer_is_ours;               // that it was invited with: the relay's, since nobody had made one
	bool anchored;                    // the relay knows it, and is told when it ends
	enum anchor_reason anchor_reason; // the first there was
	uint64_t left_behind;  // the relay's side of whom it talked with, who is gone; for the ringing tone. 0: none
	enum prompt comfort;   // what it hears there meanwhile; PROMPT_COUNT: nothing
	uint64_t comforted_ms; // loop_now_ms, since then
	int64_t confirmed_at;  // wall clock: the 1; 0 = never
	bool rang;
	bool alerted;      // by a 180
	unsigned progress; // the last provisional status
	enum leg_end why;  // STOPPING: the first reason
	enum outcome outcome;
	unsigned status;     // the last final one from the wire
	unsigned understood; // what that means for the caller (cause.h)
	unsigned cause;      // Q.850, as the far end gave it; 0: it gave none
	struct str reason;
	struct str *targets; // of a 3xx, as dialled; in the record's arena
	size_t target_count, targets_tried;
	bool redirected; // one of them rang
};

// What is under way in joining the two sides of a call (RFC 3725).
enum join_step {
	JOIN_ANSWER_WAITED, // the winner's 200 brought an offer; the caller is asked to answer it
	JOIN_OFFER_WAITED,  // one side is asked for an offer
	JOIN_OFFER_SENT,    // the other side is asked to answer that
};

// A call that is to take over one side of another one.
struct succession {
	struct call *from;     // the other one; NULL: it is over, or this is no such call
	struct leg *leaver;    // whose place in it is taken
	uint64_t subscription; // signalling's, of a leaver who wants to know how it goes; 0: he does not
};

struct call {
	struct list node;      // in call_table.calls
	struct list of_caller; // in the tally of caller_user_id
	struct list changed;   // in call_table.changed while its watchers wait to be told
	struct call_table *table;
	uint64_t id;           // counts from 1
	uint64_t began_ms;     // loop_now_ms
	int64_t began_at;      // wall clock
	enum call_state state; // written by call_set_state alone
	struct leg *caller;
	struct list attempts;
	struct leg *winner; // NULL until somebody answered
	enum caller_kind caller_kind;
	int caller_device_kind;
	uint64_t caller_device_id, caller_user_id, caller_trunk_id;
	uint64_t counted_user_id;     // whose calls the caller's side is counted among; 0: nobody's
	bool transfers;               // its caller was in another call before, or is still
	struct succession succession; // what it takes over
	bool moves;                   // to another device of the leaver's own
	struct call *successor;       // that is to take over one side of this one, or NULL
	enum join_step join_step;
	struct leg *offerer; // JOIN_OFFER_WAITED, JOIN_OFFER_SENT
	unsigned join_tries;
	bool anonymous;
	unsigned max_forwards; // as it arrived
	unsigned forwards;
	unsigned redirects;
	uint64_t visited[FORWARDS_MAX + REDIRECTS_MAX + 1]; // the users tried
	size_t visited_count;
	char caller_canonical[NUMBER_MAX]; // of a caller from outside, or ""
	char did_dialled[NUMBER_MAX];      // of ours that he called, canonical, or ""
	struct diversion
	    *diversions; // by whom it was sent on before it came, the oldest first; in the first record's arena
	size_t diversion_count;
	struct body offer;     // owned; empty: the caller's INVITE had none
	bool rang;             // the caller knows
	unsigned told;         // the provisional status he heard last
	bool early_media;      // the caller has an answer to his offer already, a device's own
	struct leg *early_leg; // whose; NULL once that is over
	bool answers_early;    // the caller answers an offer that comes before the 2xx
	bool answered_early;   // and he did
	int64_t answered_at;
	unsigned legs_begun;
	struct timer clock;
	struct list relays;
	size_t relay_count;
	struct str said; // the Reason that whoever ends it gave, while that is being handled
};

// A request on its way from one side of a call to the other and its answer's way back.
struct relay {
	struct list node; // in call.relays
	uint64_t id;      // in call_table.relays: the token
	struct leg *from, *to;
	uint64_t transaction;
	enum dialog_method method;
	bool own;        // asked by us, of `to`, which is `from` as well
	bool offered;    // the request had a body, so its ACK brings none
	bool holds;      // that body puts the other on hold
	bool awaits_ack; // a 2xx went back; the ACK brings the answer
};

// How many calls a user or a device is in, and of a user: which.
enum tally_kind { TALLY_USER, TALLY_DEVICE, TALLY_KIND_COUNT };
struct tally {
	struct hash_node node;
	uint64_t id;
	unsigned count;
	unsigned talking;     // devices: of these, the calls in which it does more than ring
	struct list calls;    // of struct call: he calls
	struct list attempts; // of struct attempt: he is called
};

// A user who is watched.
struct lamp {
	struct hash_node node; // in call_table.lamps, by user
	uint64_t user_id;
	struct list watches; // of struct lamp_watch; never empty
};

struct call_table {
	struct call_table_ports ports;
	struct pieces offers; // the texts of the calls' offers
	struct pool calls_pool, legs_pool, attempts_pool, relays_pool, tallies_pool, lamps_pool, confirmations_pool,
	    letters_pool;
	struct slots *legs, *relays, *letters;
	struct hash_table *tallies[TALLY_KIND_COUNT];
	struct hash_table
	    *outside[HAIRPIN_KEYS]; // trunk legs: by the number they dial, the one they show, the user they are for
	struct hash_table *number_refusals;          // trunks that have refused the number shown (number_refusal.c)
	uint64_t number_retries, own_numbers_learnt; // counted for ever
	struct hash_table *lamps;                    // users whose calls somebody watches
	struct list calls;
	struct list changed;         // of struct call.changed
	struct toll *toll;           // owned
	struct trunk_use *trunk_use; // owned
	size_t count;
	uint64_t last_id;
	bool draining;
};

// ---- call_table.c

bool tally_add(struct call_table *table, enum tally_kind kind, uint64_t id); // false when there is no memory
void tally_drop(struct call_table *table, enum tally_kind kind, uint64_t id);
// A device that is counted in a call talks in it from now on; no more.
void tally_talk(struct call_table *table, uint64_t device_id);
void tally_hush(struct call_table *table, uint64_t device_id);
unsigned tally_count(const struct call_table *table, enum tally_kind kind, uint64_t id);
struct tally *tally_find(const struct call_table *table, enum tally_kind kind, uint64_t id); // NULL: in none

struct call *call_new(struct call_table *table, const struct body *offer); // NULL when there is no memory
bool call_keep_offer(struct call *call, const struct body *offer);         // false when there is no memory
void call_drop_offer(struct call *call);

// ---- call.c

extern const char *const call_state_names[CALL_STATE_COUNT];
// Something happened, to `leg` or to the call as a whole (NULL). `body` as it came, or NULL.
void call_happens(struct call *call, enum call_event event, struct leg *leg, const struct body *body);
// Begins what the invitation asks for.
void call_begin(struct call *call, const struct invitation *invitation);
struct destination;
// Rings it, or refuses the caller.
void call_try(struct call *call, const struct destination *destination);
void call_refuse(struct call *call, const struct result *result);
void call_refuse_for(struct call *call, enum err err);
void call_set_state(struct call *call, enum call_state state);
void call_settle_answered(struct call *call, enum outcome outcome, enum err err, const char *ended_by);
// The present attempt ended without an answer.
void call_unanswered(struct call *call);
struct attempt *call_attempt(const struct call *call); // the present one
// Saves the records that are complete and gives everything back once all is over. Last thing in each event.
void call_tidy(struct call *call);

// ---- leg.c

extern const char *const leg_state_names[LEG_STATE_COUNT];
struct leg_event {
	enum leg_event_kind kind;
	unsigned status; // PROGRESSED, FAILED, REPLIED
	unsigned cause;  // FAILED: Q.850
	const struct body *body;
	struct str reason;         // FAILED: the phrase; CANCELLED, HUNG_UP: the Reason that was given
	const struct str *targets; // FAILED by a 3xx: what it named
	size_t target_count;
	uint64_t token;                       // REQUESTED: the transaction; REPLIED: the relay
	const struct dialog_request *request; // REQUESTED
	enum leg_end why;                     // STOP
	char key;                             // KEY
	struct result result;                 // STOP of a caller who waits: what he gets
};
// One more in the attempt, for the turn; counted nowhere yet.
void leg_list(struct leg *leg, struct attempt *attempt, struct call_turn *turn);
// `to`, a new leg, becomes what `from` is: its id, session and state. `from` has ended.
void leg_take(struct leg *to, struct leg *from);
void leg_take_accepted(struct leg *to, struct leg *from); // a caller's, whom we have just sent a 2xx
// Its 2xx brought an offer, and its ACK will bring the answer when the caller's does.
void leg_await_answer(struct leg *leg);
struct leg *leg_new(struct call *call); // NULL when there is no memory
void leg_free(struct leg *leg);
bool leg_is_open(const struct leg *leg);
// Counted among the trunk's legs until it ends. The refusal when that is full.
enum err leg_load_trunk(struct leg *leg, uint64_t trunk_id, enum trunk_leg_kind kind);
void leg_unload_trunk(struct leg *leg);
void leg_talk(struct leg *leg); // its device, when it has one, does more than ring from now on
void leg_happens(struct leg *leg, const struct leg_event *event);
void leg_stop(struct leg *leg, enum leg_end why); // not for a caller who waits: caller_refuse
void leg_abandon(struct leg *leg);                // the server ends: whatever was still to come is not waited for
void caller_arrives(struct leg *leg, uint64_t session);
void caller_ring(struct call *call, unsigned status, const struct body *body);
void caller_refuse(struct call *call, const struct result *result);
void caller_accept(struct call *call, const struct body *body);
// Our 2xx to the caller was acknowledged: so is the winner's, with the answer when that came in the ACK.
void winner_acknowledge(struct call *call, const struct body *body);
void leg_set_media(struct leg *leg, const struct binding *binding); // of one of ours that is to be invited
// The winner has the call. Its ACK goes out at once, unless the caller's has yet to bring the answer.
void winner_accept(struct leg *leg);
// INVITEs a device at one of its bindings (trunk NULL) or over a trunk. The refusal when nothing was sent.
enum err leg_begin(struct attempt *attempt, struct call_turn *turn, const struct binding *binding,
		   const struct route *route);
// The INVITE, with this offer. The refusal: the leg has failed.
enum err leg_send(struct leg *leg, const struct binding *binding, const struct route *route, const struct body *offer);
void leg_fail(struct leg *leg, enum outcome outcome, const char *reason); // the call is not told
void leg_set_state(struct leg *leg, enum leg_state state);
void leg_note_end(struct leg *leg, enum leg_end why); // what it is recorded as
bool leg_may_be_heard(const struct leg *leg);         // its early media reaches the caller
const char *leg_end_sentence(enum leg_end why);

// ---- attempt.c

struct attempt *attempt_new(struct call *call); // NULL when there is no memory
void attempt_free(struct attempt *attempt);
// Lays out the user's turns, or the only one of an outside number. False when there is no memory.
bool attempt_plan_user(struct attempt *attempt, const struct user *user);
bool attempt_plan_outside(struct attempt *attempt, const struct number *number);
// The only turn is that of one device of the user's.
bool attempt_plan_device(struct attempt *attempt, const struct user *user, uint64_t device_id);
// The only turn is the one of a leg that is up already.
bool attempt_plan_leg(struct attempt *attempt, const struct leg *leg);
// Room for so many further turns; legs keep theirs. False when there is no memory.
bool attempt_make_room(struct attempt *attempt, size_t more);
bool turn_describe(struct attempt *attempt, struct call_turn *turn); // false: likewise
void attempt_ring(struct attempt *attempt);
// No turn rings, and this is why.
void attempt_forbid(struct attempt *attempt, const char *reason);
// Starts and stops turns that are due or may start early; tells the call when none is left.
void attempt_advance(struct attempt *attempt);
void attempt_leg_failed(struct attempt *attempt, struct leg *leg);
// A leg has begun to ring: its turn's voicemail guard counts from now.
void attempt_leg_rings(struct attempt *attempt, struct leg *leg);
// Ends all ringing, but for one leg (or NULL). Turns that have not started never will.
void attempt_stop(struct attempt *attempt, const struct leg *but, enum leg_end why);
// The outcome of a device, as the wire's status tells it.
enum outcome outcome_of_status(unsigned status, bool rang);

// ---- call_confirm.c

size_t confirmation_size(void);
// Before it is invited. The refusal: the leg is still to fail.
enum err confirm_prepare(struct leg *leg);
void confirm_begin(struct leg *leg, const struct body *answer); // its 200
void confirm_end(struct leg *leg);                              // gives back what it needed
// Its states; see leg.c's table.
void prompting_is_connected(struct leg *leg, const struct leg_event *event);
void prompting_key(struct leg *leg, const struct leg_event *event);
void prompting_requested(struct leg *leg, const struct leg_event *event);
void prompting_is_heard(struct leg *leg, const struct leg_event *event);
void prompting_waited(struct leg *leg, const struct leg_event *event);
void prompting_is_lost(struct leg *leg, const struct leg_event *event);
void prompting_hangs_up(struct leg *leg, const struct leg_event *event);
void prompting_is_stopped(struct leg *leg, const struct leg_event *event);
void dismissed_is_over(struct leg *leg, const struct leg_event *event);
void dismissed_hangs_up(struct leg *leg, const struct leg_event *event);

// ---- wire.c: in the order of these calls, each for one leg. What a body says may reach it changed; a failure of the relay's comes
// back as LEG_EVENT_MEDIA_LOST, as a refusal of the request, or ends the call, and never before these return.

size_t letter_size(void);
bool wire_needs_relay(const struct leg *leg, const struct body *offer);
// MEDIA_OFFERED brings what the leg is to be invited with. The refusal: nothing will come.
enum err wire_prepare(struct leg *leg, const struct body *offer);
// MEDIA_ANSWERED brings what the other side would be told.
void wire_to_relay(struct leg *leg, const struct body *answer);
void wire_progress(struct leg *leg, unsigned status, const struct body *body); // bodies: NULL: none
void wire_accept(struct leg *leg, const struct body *body);
void wire_acknowledge(struct leg *leg, const struct body *body);
void wire_answer_early(struct leg *leg, const struct body *body);
enum err wire_request(struct leg *leg, uint64_t token, const struct dialog_request *request);
void wire_reply(struct leg *leg, uint64_t transaction, unsigned status, const struct body *body);
void wire_reply_offer(struct leg *leg, uint64_t transaction, const struct body *body); // a 2xx to an INVITE without one
// What still waits is not sent.
void wire_refuse(struct leg *leg, const struct refusal *refusal);
void wire_cancel(struct leg *leg, enum leg_end why);
void wire_hang_up(struct leg *leg, enum leg_end why);
void letters_drop(struct leg *leg);
void letters_take(struct leg *to, struct leg *from);

// ---- anchor.c

bool media_relay_is_there(const struct call_table *table);
enum media_kind media_kind_of_device(int device_kind);
bool media_kinds_need_relay(enum media_kind one, enum media_kind other);
// What the caller's leg can carry, and whether it is behind a NAT.
void anchor_note_caller(struct call *call, const struct invitation *invitation);
// From whom the body comes, when it has to go through the relay on its way to the leg; NULL: it need not.
struct leg *anchor_partner(const struct leg *to, const struct body *body);
struct anchored_body {
	const struct body *body;
	bool is_answer;
};
enum err anchor_exchange(struct leg *from, struct leg *to, uint64_t token, const struct anchored_body *said);
void anchor_leave(struct leg *leg);
void anchor_forget_left_behind(struct leg *leg);

// ---- comfort.c

// Whatever either side is to hear of us now begins, or ends.
void comfort_update(struct call *call);
void talker_has_heard(struct leg *leg, const struct leg_event *event);

// ---- call_redirect.c

// A leg has failed with targets of its own: the first one that may be dialled rings in its place. True when one does; the
// attempt's turns may have moved.
bool redirect_obey(struct leg *leg);
// Whether there is a redirection that nobody answered, and its next target rings now.
bool redirect_go_on(struct attempt *attempt);
// A leg has won: the call counts among those of the user who talks, and of no other whom it was redirected to or from.
void redirect_count_winner(const struct leg *leg);
void redirect_uncount(struct attempt *attempt);
// Whether the user may be called by this call at all.
enum err user_may_be_called(const struct call *call, const struct user *user);
bool was_visited(const struct call *call, uint64_t user_id);

// ---- call_route.c

// Whether a device can ring now, as far as can be told beforehand. `why` is a sentence.
enum err device_may_ring(const struct call_table *table, const struct device *device, int caller_device_kind,
			 const char **why);
struct destination {
	const struct user *user; // NULL: outside
	const struct did *did;   // the number of ours that was called, or NULL
	bool unknown;            // what is set for numbers that lead nowhere applies
	struct number outside;
	bool emergency;
};
// Fills in the call's side of the caller and the record's.
enum err caller_identify(struct call *call, const struct invitation *invitation, struct call_record *record);
enum err destination_find(struct call *call, struct str dialled, struct destination *destination);
// What a DID stands for when this number of it is called. BUSY and UNKNOWN_NUMBER are answers that it may be set to.
enum err destination_of_did(const struct directory *directory, const struct did *did, struct str canonical,
			    struct destination *destination);
// The same two for a caller who comes over a trunk.
// The first without counting the leg: for asking.
enum err caller_read(struct call *call, const struct invitation *invitation, struct call_record *record);
enum err caller_from_trunk(struct call *call, const struct invitation *invitation, struct call_record *record);
// A device of ours calls: the invitation names it.
enum err caller_from_device(struct call *call, const struct invitation *invitation, struct call_record *record);
// What a Teams user dialled, by what comes of it.
struct str dialled_on_teams(const struct directory *directory, struct str dialled);
enum err destination_from_trunk(struct call *call, struct str dialled, struct destination *destination);
// What a user of ours reaches by dialling it.
enum err destination_of_user(const struct call_table *table, const struct user *user, struct str dialled,
			     struct destination *destination);
// What a device of the user's asks for by 3xx: what the user himself may dial, but no emergency number.
enum err destination_of_redirect(const struct call *call, const struct user *user, struct str dialled,
				 struct destination *destination);
enum err destination_of_forward(const struct call *call, const struct user *user, struct destination *destination);
// What toll.h is asked about a leg of the turn over the route.
struct toll_question toll_question_of(const struct attempt *attempt, const struct call_turn *turn,
				      const struct route *route);
// The routes to a number. An emergency code that none leads to goes the way of the country's own numbers.
size_t routes_to(const struct directory *directory, struct str canonical, bool emergency,
		 const struct route *routes[ROUTES_MAX]);
// The next route for the turn that its legs have not tried and that may be taken; NULL: none is left. *why says whether there
// are none or why none may be.
const struct route *route_of_leg(const struct leg *leg); // the one over its trunk; NULL: gone
const struct route *route_next(const struct attempt *attempt, const struct call_turn *turn, enum err *why);
// The route by which a leg of the turn's went; NULL: it is there no more.
const struct route *route_over(const struct attempt *attempt, const struct call_turn *turn, uint64_t trunk_id);

// ---- caller_id.c

// A number that the user may show outside, as it was typed: his own, else one that reaches him; empty: he has none.
struct str caller_id_of_user(const struct directory *directory, const struct user *user);
// The number of the user's own that a leg of this turn may show, canonical, or the trunk's; empty: there is none.
struct str caller_id_own(const struct attempt *attempt, const struct call_turn *turn, const struct trunk *trunk,
			 char room[NUMBER_MAX]);
// Keeps those that the caller brought. False when there is no memory.
bool diversions_keep(struct call *call, const struct invitation *invitation, struct arena *arena);
// How often the call has been sent on before it came, by what it brought.
unsigned diversions_hops(const struct call *call);
// It has been sent on by us for this user already.
bool diversions_show_loop(const struct call *call, const struct user *user);
// By whom the call was sent on until it goes out by this turn, the oldest first. Gives how many; `rooms` holds their numbers.
size_t diversions_gather(const struct attempt *attempt, const struct call_turn *turn,
			 struct diversion diversions[DIVERSIONS_MAX], char rooms[DIVERSIONS_MAX][NUMBER_MAX]);
// What a device or trunk is told of the caller; gives why a trunk is shown this number and no other. `room` may hold the number.
enum shown_reason caller_shown(const struct attempt *attempt, const struct call_turn *turn,
			       struct outgoing_invite *invite, char room[NUMBER_MAX]);

// ---- hairpin.c

// A call that a trunk brings.
struct hairpin_arrival {
	struct str dialled;      // canonical
	struct str caller;       // likewise; empty: he is not shown
	const struct user *user; // who is reached by it, or NULL
	uint64_t trunk_id;
};
// The leg goes out, shown so.
void hairpin_watch(struct leg *leg, const struct outgoing_invite *invite);
void hairpin_forget(struct leg *leg);
// Whether the call is a leg of ours that comes back; the leg knows it then.
bool hairpin_comes_back(const struct call_table *table, const struct hairpin_arrival *arrival);
// So many legs show this caller to this number already that one more must be going round.
bool hairpin_is_crowded(const struct call_table *table, const struct call_turn *turn,
			const struct outgoing_invite *invite);

// ---- number_refusal.c

// The trunk has refused the leg because of the number shown: it is tried once more with the user's own. False: it is not.
bool number_refusal_retry(struct leg *leg);
// A leg that shows the user's own number has got further than the one before.
void number_refusal_confirm(const struct leg *leg);
// Whether the trunk is known to refuse numbers that are not the user's own.
bool number_refusals_known(const struct call_table *table, const struct trunk *trunk);
void number_refusals_free(struct call_table *table);

// ---- call_relay.c

void relay_requested(struct leg *leg, const struct leg_event *event);
void relay_replied(struct leg *leg, const struct leg_event *event);
// An ACK for a re-INVITE's 2xx: its answer goes on when the other side waits for it.
void relay_acknowledged(struct leg *leg, const struct body *body);
// The leg is over before the call is connected; whoever asked it is answered.
void relay_leg_over(struct leg *leg);
// The call ends, and with it what is under way in it.
void relay_drop_all(struct call *call);

// ---- lamp.c

// A leg or the call itself is in another state.
void lamp_call_changed(const struct call *call);

// Asks this side alone, by a re-INVITE; the answer comes as SIDE_ACCEPTED or SIDE_REFUSED. An empty body asks for an offer.
enum err relay_ask(struct leg *leg, const struct body *offer);
// The leg goes to another call: what is under way between the two sides ends.
void relay_drop_leg(struct leg *leg);
struct leg *other_side(const struct leg *leg);

// ---- call_transfer.c

uint64_t leg_user(const struct leg *leg); // who answers for what it asks; 0: a trunk, or nobody
void transfer_requested(struct leg *leg, const struct leg_event *event);
// The caller's side is to be that of `leg`, who is in another call: as it is shown and as it pays.
bool caller_becomes(struct call *call, const struct leg *leg);
// `call` is to take over the side of `leaver`, whose call goes on until it does. The record says so. False when there is no
// memory.
bool succession_begin(struct call *call, struct leg *leaver);
// The leaver goes before the call is answered: the other side waits here. False: nobody is to wait.
bool succession_waits(struct leg *leaver);
// Who waits for another one to be rung when this one has hung up, or NULL.
struct leg *succession_heir(const struct leg *leaver);
// A step that the leaver may want to hear of.
void succession_report(const struct call *call, unsigned status);
// The call is not to take over anything any more, nor to be taken over.
void succession_end(struct call *call);
// `leg`, who is in another call, comes over as the winner. False when there is no memory: nothing was done.
bool callee_comes(struct call *call, struct leg *leg);
// Who takes the call is the called from now on.
void callee_is(struct attempt *attempt, const struct call *picker);
void transfer_answered(struct call *call, struct leg *leg, const struct body *body);

// He may move his own legs alone, and a trunk those that it carries.
bool leg_is_same_owner(const struct leg *leg, const struct leg *other);

// ---- call_replace.c

// The caller takes a place. The refusal, or it is under way.
enum err replace_begin(struct call *call, const struct invitation *invitation);

// ---- call_feature.c

// Hands what the code asks for to the desk. The refusal when it was not taken; otherwise the call is SERVING.
enum err serve_begin(struct call *call, enum feature feature, struct str argument);
void served_acknowledged(struct call *call, struct leg *leg, const struct body *body);
void served_is_left(struct call *call, struct leg *leg, const struct body *body);
bool dials_selection(const struct directory *directory, struct str dialled);
// What was dialled without what may be a PIN: for records and logs. at == NULL: no memory.
struct str dialled_shown(const struct directory *directory, struct str dialled, struct arena *arena);

enum err take_over_begin(struct call *call); // of his own call at another device
void replace_again(struct call *call, struct leg *leg, const struct body *body);
void replace_replied(struct leg *stays, unsigned status, const struct body *body);

// ---- call_pickup.c

// The caller takes the call that this attempt rings for. The refusal, or it is done and his own call is nothing any more.
enum err pick_up_begin(struct call *picker, struct attempt *attempt);
enum err pick_up_by_extension(struct call *picker, struct str extension);
void picked_up_asks(struct call *call, struct leg *leg, const struct body *body);
void picked_up_connects(struct call *call, struct leg *leg, const struct body *body);
void picked_up_accepted(struct call *call, struct leg *leg, const struct body *body);
void picked_up_fails(struct call *call, struct leg *leg, const struct body *body);
void picked_up_caller_gives_up(struct call *call, struct leg *leg, const struct body *body);

// ---- call_join.c

bool join_may_try_later(struct call *call);
void join_try_later(struct call *call);

// `leg` has accepted what somebody asked of it who is gone: the two are told of each other's media again.
void join_restore(struct call *call, struct leg *leg, const struct body *body);

// The two sides are up. `offer`: the winner's, when its 200 has yet to be acknowledged.
void join_begin(struct call *call, const struct body *offer);
void join_replied(struct leg *leg, unsigned status, const struct body *body);
void join_accepted(struct call *call, struct leg *leg, const struct body *body);
void join_again(struct call *call, struct leg *leg, const struct body *body);

// ---- call_write.c

// The wall clock at the call's beginning, and what has gone by since: what happens in a call has its order and its length, whoever
// sets the clock meanwhile.
int64_t call_time_ms(const struct call *call);
struct call_record *record_begin(struct call *call);
// What a record takes over from the one of the target tried before.
void record_forward(struct attempt *attempt, const struct attempt *before);
// The attempt's result is known; what the caller got is `status`, or 0 when the call was forwarded.
void record_settle(struct attempt *attempt, const struct result *result, unsigned status, const char *ended_by);
void record_save(struct attempt *attempt);

// ---- call_view.c

bool call_snapshot_make(const struct call *call, struct arena *arena, struct call_snapshot *snapshot);

// ---- plan_warnings.c

// Adds what is to be warned of. False when there is no memory.
bool plan_warn(const struct directory *directory, const struct user *user, struct arena *arena,
	       struct ring_explanation *explanation);

// ---- call_watch.c

// The call, one of its legs or turns has another state.
void call_changed(struct call *call);
// It will be given back: what there is to say of it is said now.
void call_report_over(struct call *call);
bool calls_report_changed(void *call_table, size_t max); // for watch_calls

#endif
