// What happened in a call, leg by leg. Made by the call thread when the call ends, kept by the store.
#ifndef DOMAIN_CALL_RECORD_H
#define DOMAIN_CALL_RECORD_H

#include "base/arena.h"
#include "domain/call_quality.h"
#include "domain/err.h"

// How a leg, or the call as a whole, ended.
enum outcome {
	OUTCOME_ANSWERED,
	OUTCOME_ANSWERED_ELSEWHERE,
	OUTCOME_DECLINED,
	OUTCOME_DECLINED_ELSEWHERE,
	OUTCOME_CALLER_GAVE_UP,
	OUTCOME_TIMED_OUT,
	OUTCOME_BUSY,
	OUTCOME_UNREACHABLE, // not registered, or no response
	OUTCOME_NOT_RUNG,    // its turn never came, or something forbade it: see err
	OUTCOME_REFUSED,     // by us: no route, no permission, do-not-disturb
	OUTCOME_FAILED,
	OUTCOME_TOO_SOON,      // answered by a voicemail at once: the guard dropped it
	OUTCOME_TOO_LATE,      // stopped by the guard before its voicemail answers
	OUTCOME_NOT_CONFIRMED, // answered, but nobody pressed 1
	OUTCOME_COUNT
};
extern const char *const outcome_names[]; // "answered" ..., ends with NULL

struct leg_record {
	unsigned number; // within the call, 1 ...; 0: there never was a leg
	uint64_t device_id;
	struct str device_number, device_title;
	int device_kind;
	int64_t planned_start_ms; // by the ring plan, after the call's arrival
	int64_t planned_stop_ms;
	int64_t started_at;   // INVITE sent; 0 = never
	int64_t ringing_at;   // first 180; 0 = never
	int64_t answered_at;  // 0 = never; also when it was dropped after that
	int64_t confirmed_at; // the 1 was pressed; 0 = never, or not asked for
	int64_t ended_at;
	int outcome;
	unsigned sip_status;                // the last final status from the wire, or 0
	unsigned q850;                      // the cause that the far end gave (ITU-T Q.850), or 0
	struct str reason;                  // a sentence
	struct str anchor_reason;           // why the media relay carried it: "browser", "teams" ...; empty: it did not
	const struct call_quality *quality; // when it is read: how it was heard; NULL: not known
};

// Owns all its memory through `arena`; freed by the store with call_record_free.
struct call_record {
	struct arena arena;
	struct call_records *home;                 // where its memory goes when it is freed; NULL: to the heap
	struct call_record *next;                  // while it is there
	struct str id;                             // 26 characters, sortable by time; given at the start of the call
	int64_t started_at, answered_at, ended_at; // wall clock ms; 0 = never
	struct str caller_number, caller_name;     // as the callee saw them
	uint64_t caller_user_id, caller_device_id, caller_trunk_id;
	struct str caller_device_number;
	struct str dialled;   // as dialled
	struct str canonical; // as understood
	uint64_t callee_user_id;
	struct str callee_title;
	int outcome;
	enum err err;        // why, when refused
	unsigned sip_status; // what the caller got
	unsigned q850;       // the cause that whoever ended the call gave, or the callee that refused it; 0: none
	struct str ended_by; // "caller", "callee", "server"
	struct str call_id;
	struct str
	    forwarded_from; // id of the record this call was forwarded from when nobody answered, or transferred, or empty
	struct str transferred_by; // number and name of who transferred the call to this target, or empty
	const struct call_quality *caller_quality; // as a leg's
	struct leg_record *legs;
	size_t leg_count;
};

// The memory of freed records, up to CALL_RECORDS_SPARE of them: the call thread takes it without going to the heap.
enum { CALL_RECORDS_SPARE = 1024 };
struct call_records;
struct call_records *call_records_create(void); // NULL when there is no memory
void call_records_destroy(
    struct call_records *records); // after every record that was taken from it is freed; NULL is allowed

// One thread only may take records from `home`; NULL: from the heap. NULL when there is no memory.
struct call_record *call_record_new(struct call_records *home);
void call_record_free(struct call_record *record); // any thread; NULL is allowed

#endif
