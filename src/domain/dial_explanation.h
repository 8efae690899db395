// What would happen if a number were dialled, or a trunk brought a call for it, step by step and without a call. Asked of the very
// functions that calls use. Call thread only.
#ifndef DOMAIN_DIAL_EXPLANATION_H
#define DOMAIN_DIAL_EXPLANATION_H

#include "domain/call_table.h"
#include "domain/shown_reason.h"
#include "domain/toll.h"

// Who dials what: a user of ours, or somebody outside over a trunk.
struct dial_question {
	struct str number;   // as dialled, or as the trunk writes it
	struct str as;       // the extension of who dials; empty: a trunk brings the call
	uint64_t from_trunk; // then: which
	struct str caller;   // then: the caller's number as the trunk writes it; empty: he withholds it
};

// What was looked at, in this order, up to the one that decided.
enum dial_step_kind {
	DIAL_STEP_NUMBER,      // how it is read
	DIAL_STEP_CALLER,      // from a trunk: who calls
	DIAL_STEP_FEATURE,     // a feature code
	DIAL_STEP_EMERGENCY,   // an emergency code
	DIAL_STEP_EXTENSION,   // somebody's extension
	DIAL_STEP_LOOP,        // from a trunk: a call of ours that comes back
	DIAL_STEP_DID,         // a public number of ours
	DIAL_STEP_UNKNOWN_DID, // what is set for numbers that lead nowhere
	DIAL_STEP_ROUTES,      // the ways out
	DIAL_STEP_COUNT
};
extern const char *const dial_step_names[]; // "number" ..., ends with NULL

struct dial_step {
	enum dial_step_kind kind;
	bool holds;          // it is that
	struct str sentence; // in words
};

// A way out, in the order they are tried.
struct dial_route {
	uint64_t route_id, trunk_id;
	struct str pattern, trunk; // the trunk's title
	int64_t cost;
	bool enabled;     // the trunk
	enum err why_not; // no leg would begin over it now
	struct toll_verdict toll;
	struct str sentence;      // in words, either way
	struct str sent;          // the number as it goes on the wire
	struct str caller_number; // that the trunk is shown
	enum shown_reason shown_reason;
	bool anonymous;
};

enum dial_result { DIAL_REFUSED, DIAL_FEATURE, DIAL_USER, DIAL_OUTSIDE };
extern const char *const dial_result_names[]; // "refused" ..., ends with NULL

struct dial_explanation {
	enum dial_result result;
	enum err refused;     // DIAL_REFUSED: why
	enum feature feature; // DIAL_FEATURE: which
	uint64_t user_id;     // DIAL_USER: who
	struct str user_title, user_extension;
	uint64_t did_id;          // by which of our numbers; 0: none
	struct str did;           // in its canonical form
	struct str canonical;     // the number as understood; empty: it is none
	enum number_class class_; // of that
	bool emergency;
	struct str caller_number, caller_name; // as phones are shown them
	struct dial_step steps[DIAL_STEP_COUNT];
	size_t step_count;
	struct dial_route *routes;
	size_t route_count;
};

// Slices live in the arena. UNKNOWN_NUMBER: nobody has the extension `as`; NOT_FOUND: there is no such trunk; NO_MEMORY.
enum err call_table_explain_dial(struct call_table *table, const struct dial_question *question, struct arena *arena,
				 struct dial_explanation *explanation);

#endif
