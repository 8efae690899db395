// Every call there is, and what signalling tells the domain about them. Call thread only.
// Each event names a leg by its id; an event for a leg that is gone does nothing.
#ifndef DOMAIN_CALL_TABLE_H
#define DOMAIN_CALL_TABLE_H

#include "domain/directory.h"
#include "domain/feature_desk.h"
#include "domain/lamp.h"
#include "domain/media.h"
#include "domain/records.h"
#include "domain/signalling.h"
#include "domain/toll.h"
#include "domain/trunk_use.h"

struct call_table;
struct watch;

struct call_table_ports {
	struct loop *loop;
	struct directory *directory;
	struct registrations *registrations;
	struct signalling *signalling;
	struct records *records;
	struct media *media;
	struct watch *watch;       // told of each call that changes; NULL: nobody
	struct feature_desk *desk; // does what feature codes ask for; NULL: nobody does
};

struct call_table *call_table_create(const struct call_table_ports *ports); // NULL when there is no memory
// Hangs up what is left, writes the records.
void call_table_destroy(struct call_table *table);
// What the trunk carries now, and what was refused for its limits.
struct trunk_use_counters call_table_trunk_use(const struct call_table *table, uint64_t trunk_id);
size_t call_table_count(const struct call_table *table);

enum caller_kind { CALLER_DEVICE, CALLER_TRUNK };

// An INVITE outside any dialog, from a device that has authenticated or a trunk that was recognised.
struct invitation {
	enum caller_kind caller;
	uint64_t device_id;       // CALLER_DEVICE
	uint64_t trunk_id;        // CALLER_TRUNK
	struct str dialled;       // the Request-URI's user part, unescaped
	struct str caller_number; // CALLER_TRUNK: P-Asserted-Identity or From
	struct str caller_name;
	bool anonymous;
	const struct net_address *heard_from; // where his messages come from; NULL: by way of others, or a carrier's
	const struct diversion *diversions;   // CALLER_TRUNK: who has sent the call on, the oldest first
	size_t diversion_count;
	unsigned max_forwards;
	bool answers_early; // an offer of ours before the 200 reaches him reliably, and is answered
	struct str call_id; // of the caller's dialog, for the record
	struct body body;
	bool takes_place; // Replaces: he wants somebody's place
	bool early_only;  // but only while that still rings
	uint64_t place;   // one of our legs; 0: there is no such dialog
	uint64_t session; // signalling's side of the caller's leg
};

// Takes the call: *leg is the caller's leg from now on. May call progress, accept and refuse at once. When there is no
// memory: the refusal, and nothing was taken.
enum err call_table_invited(struct call_table *table, const struct invitation *invitation, uint64_t *leg);
// The caller's CANCEL, with its Reason or empty; refuse(487) follows.
void call_table_cancelled(struct call_table *table, uint64_t leg, struct str reason);
void call_table_acknowledged(struct call_table *table, uint64_t leg, const struct body *body); // ACK for our 2xx
// Our 2xx was never acknowledged, or a reliable provisional answer never was (64*T1).
void call_table_unacknowledged(struct call_table *table, uint64_t leg);
// The caller's answer to the offer that a reliable provisional answer of ours brought him.
void call_table_early_answered(struct call_table *table, uint64_t leg, const struct body *body);

// A leg of ours.
void call_table_progressed(struct call_table *table, uint64_t leg, unsigned status, const struct body *body);
// 2xx. acknowledge() must follow, at once or when the caller's ACK brings the answer.
void call_table_answered(struct call_table *table, uint64_t leg, const struct body *body);
// A final refusal from the wire, or 408 (no answer at all) or 503 (could not be sent). `phrase` is the status line's, `reason`
// the value of its Reason header (RFC 6432), or empty.
void call_table_failed(struct call_table *table, uint64_t leg, unsigned status, struct str phrase, struct str reason);
// The same for a 3xx of a device: what it names, best first, each a number of ours to dial. Trunks redirect nobody.
void call_table_redirected(struct call_table *table, uint64_t leg, unsigned status, struct str reason,
			   const struct str targets[], size_t count);

// What the media relay says (struct media_sink).
void call_table_media_translated(struct call_table *table, uint64_t token, const struct body *body);
void call_table_media_failed(struct call_table *table, uint64_t token);
void call_table_media_lost(struct call_table *table, uint64_t leg);
void call_table_media_quality(struct call_table *table, const struct media_quality *quality); // goes to the store
void call_table_prompt_over(struct call_table *table, uint64_t leg);
void call_table_key_pressed(struct call_table *table, uint64_t leg, char key); // '0' to '9', '*', '#', 'A' to 'D'

// Both directions.
// BYE, with its Reason or empty; already answered with 200.
void call_table_hung_up(struct call_table *table, uint64_t leg, struct str reason);
void call_table_expired(struct call_table *table, uint64_t leg); // its session timer; BYE has been sent
void call_table_requested(struct call_table *table, uint64_t leg, uint64_t transaction,
			  const struct dialog_request *request);
void call_table_replied(struct call_table *table, uint64_t leg, uint64_t token, unsigned status,
			const struct body *body);

// How many legs go outside and which alarms stand; for asking what it would say of one.
const struct toll *call_table_toll(const struct call_table *table);

// No new calls from now on (503 with Retry-After); the running ones end by themselves.
void call_table_drain(struct call_table *table);

// What is going on, for the API. Slices live in the arena.
struct leg_snapshot {
	uint64_t leg;
	uint64_t device_id;
	struct str device_number, device_title;
	const char *state;
	int64_t started_at, ringing_at, answered_at, ended_at; // wall clock ms, 0 = not yet
	const char *outcome;                                   // NULL while it is open
	struct str reason;
};
// One device's turn on the ring plan that is being carried out. Times count from ring_started_at.
struct turn_snapshot {
	uint64_t device_id; // 0: an outside number, dialled or forwarded to
	struct str number, title;
	int device_kind;
	int64_t planned_start_ms, planned_stop_ms; // as the ring plan has it
	int64_t start_ms, stop_ms;                 // as it turned out, or will if nothing else happens
	const char *state;                         // "waiting", "ringing", "over"
	const char *outcome;                       // why it never rang; NULL while it may, or when it did
	const char *reason;                        // likewise, a sentence
};
struct call_snapshot {
	uint64_t call;
	struct str record_id;
	struct str caller_number, caller_name, dialled;
	uint64_t caller_user_id, caller_device_id, caller_trunk_id;
	uint64_t callee_user_id;         // whose extension is tried now; 0: an outside number, or nobody's
	struct str called, callee_title; // that extension or number as understood, and that person
	const char *state;
	int64_t started_at, answered_at;
	int64_t ring_started_at;         // of the present target: later than started_at when the call was forwarded
	bool caller_holds, callee_holds; // who has put the other on hold
	bool over;                       // this is the last that is heard of it
	const char *outcome;             // NULL until it is settled
	uint64_t *others; // users besides callee_user_id whom the call concerns: who calls, who was tried before
	size_t other_count;
	struct leg_snapshot *legs;
	size_t leg_count;
	struct turn_snapshot *turns;
	size_t turn_count;
};
// False when the arena is full.
bool call_table_snapshot(struct call_table *table, struct arena *arena, struct call_snapshot **calls, size_t *count);
bool call_table_hang_up(struct call_table *table, uint64_t call); // by an administrator; false: there is no such call
// What a device does in calls now. One that calls somebody talks from the start.
enum device_activity { DEVICE_IDLE, DEVICE_RINGING, DEVICE_TALKING };
enum device_activity call_table_device_activity(const struct call_table *table, uint64_t device_id);
// Rings another device of somebody who is in the call and, when it answers, takes the call there. `user_id`: who asks for it and
// may move his own calls alone; 0: an administrator. The refusal, or it rings.
enum err call_table_move(struct call_table *table, uint64_t call, uint64_t device_id, uint64_t user_id);
// Until when the trunk is sent nothing but own numbers, since it has refused others (wall clock, ms); 0: it is not known to.
int64_t call_table_own_number_until(const struct call_table *table, const struct trunk *trunk);
struct number_refusal_counters {
	uint64_t retries; // legs tried again with an own number
	uint64_t learnt;  // trunks that were found to want nothing else
};
struct number_refusal_counters call_table_number_refusals(const struct call_table *table);
unsigned call_table_calls_of_user(const struct call_table *table, uint64_t user_id);

// What would happen if `dialled` were called now, device by device, without calling.
struct ring_explanation_turn {
	uint64_t device_id;
	struct str number, title;
	int device_kind;
	int64_t start_ms, stop_ms; // after the call's arrival
	bool rings;
	bool cut;            // by the voicemail guard: it stops before the ring plan says
	enum err why_not;    // when it does not ring
	struct str sentence; // in words, either way
	unsigned targets;    // contacts that would ring
};
// What will not do what it looks like.
enum { RING_WARNINGS_MAX = 4 };
struct ring_warning {
	const char *code;  // "forward_loop", "forward_chain", "foreign_caller_id", "no_own_number"
	struct str detail; // the extensions or the number that it is about
	struct str sentence;
};
struct ring_explanation {
	uint64_t user_id;
	struct str extension, title;
	int strategy;
	enum err refused; // the caller gets this at once, no device rings (do-not-disturb, call limit, no devices)
	struct ring_explanation_turn *turns;
	size_t turn_count;
	struct str afterwards; // what a caller gets when nobody answers, in words
	struct ring_warning warnings[RING_WARNINGS_MAX];
	size_t warning_count;
};
enum err call_table_explain(struct call_table *table, struct str extension, struct arena *arena,
			    struct ring_explanation *explanation);

#endif
