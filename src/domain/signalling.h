// The port to SIP: what the domain asks of signalling. sip/ implements it, and so do the tests.
// The domain knows a leg by its leg id and signalling's side of it by its session id; neither ever holds a pointer of the
// other's. Calls here never call back into the domain before they return.
#ifndef DOMAIN_SIGNALLING_H
#define DOMAIN_SIGNALLING_H

#include "domain/diversion.h"
#include "domain/err.h"
#include "domain/registration.h"

// A message's payload. Borrowed for the length of the call.
struct body {
	struct str type;   // "application/sdp"
	struct str bytes;  // empty = none
	uint64_t from_leg; // within the domain: whose it is; 0: our own
};

// Why a leg is ended or not rung any more; each has its Reason header (RFC 3326).
enum leg_end {
	LEG_END_NORMAL,             // no Reason
	LEG_END_ANSWERED_ELSEWHERE, // SIP;cause=200;text="Call completed elsewhere"
	LEG_END_DECLINED_ELSEWHERE, // SIP;cause=600;text="Busy Everywhere"
	LEG_END_CALLER_GAVE_UP,     // no Reason of our own: it counts as missed
	LEG_END_TURN_TIMED_OUT,     // SIP;cause=408;text="Ring time over"
	LEG_END_EXPIRED,            // SIP;cause=408;text="Session timer expired": it was not heard of any more
	LEG_END_TOO_SOON,           // Q.850;cause=16;text="Answered too soon": no person, and nothing to try again
	LEG_END_TOO_LATE,           // as TURN_TIMED_OUT: its voicemail would answer now
	LEG_END_SERVER,             // we are shutting down, or an administrator ended the call
};

enum { REDIRECT_TARGETS_MAX = 5 };

enum target_kind { TARGET_BINDING, TARGET_TRUNK };

// Whose number a trunk is shown.
enum shown_kind {
	SHOWN_CALLERS,  // of somebody outside who calls
	SHOWN_SHARED,   // the trunk's, or a fixed one
	SHOWN_PERSONAL, // of one user here
};

struct outgoing_invite {
	uint64_t leg;
	enum target_kind target;
	const struct binding *binding; // TARGET_BINDING
	const struct trunk *trunk;     // TARGET_TRUNK
	struct str number;             // TARGET_TRUNK: what is dialled, as the trunk wants it
	struct str device_number;      // TARGET_BINDING: the To's user, so that a phone knows itself
	struct str caller_number;      // From: the caller's extension, or the number shown outside
	enum shown_kind shown_kind;    // TARGET_TRUNK: whose that is
	struct str caller_name;        // From's display name, or empty
	bool anonymous;                // privacy asked for: From is anonymous, the number only in P-Asserted-Identity
	struct str dialled;            // the extension that was called: To's display on phones
	const struct diversion
	    *diversions; // TARGET_TRUNK: who has sent the call on, the oldest first, when the trunk wants to know
	size_t diversion_count;
	unsigned max_forwards; // already lowered by one
	struct body body;      // empty: the offer comes in the 200
	bool answers_early;    // an offer that comes before the 200, reliably, can be answered (answer_early)
};

enum dialog_method {
	DIALOG_INVITE,
	DIALOG_UPDATE,
	DIALOG_INFO,
	DIALOG_MESSAGE,
	DIALOG_REFER,
	DIALOG_NOTIFY,
	DIALOG_OPTIONS
};

// A request within a call, carried from one leg to the other.
struct dialog_request {
	enum dialog_method method;
	struct body body;
	struct str info_package; // INFO
	struct str refer_to;     // REFER: what is to be dialled
	bool refers_to_leg;      // REFER: with Replaces: it is about somebody in a call already
	uint64_t replaces;       // his place, one of our legs; 0: there is no such dialog
};

// An answer that ends an attempt, from us to the caller.
struct refusal {
	unsigned status;        // 300 to 699
	unsigned cause;         // Q.850, told to carriers (RFC 6432); 0 = none
	struct str reason;      // the phrase; empty: the usual one
	struct str warning;     // a sentence for the Warning header, or empty
	unsigned retry_after_s; // 0 = none
};

struct signalling {
	void *context;
	// Rings: sends an INVITE. 0 and the session, or the refusal (nothing was sent, no event will come).
	enum err (*invite)(void *context, const struct outgoing_invite *invite, uint64_t *session);
	// Stops a leg that was invited and has no final answer. Exactly one of call_table_answered and call_table_failed
	// still comes, within 64*T1 at the latest.
	// `said` is what the other side gave as its own Reason (RFC 3326), or empty; passed on where `why` has none.
	void (*cancel)(void *context, uint64_t session, enum leg_end why, struct str said);
	// ACK for a 2xx to an INVITE of ours, the first or a later one. Sent again by signalling whenever the 2xx is.
	void (*acknowledge)(void *context, uint64_t session, const struct body *body);
	// The answer to the offer that a provisional answer brought (RFC 3262 section 5); an INVITE without one alone has it.
	void (*answer_early)(void *context, uint64_t session, const struct body *body);
	// The caller's leg: a provisional answer 180 to 189, then exactly one of accept and refuse. A body of accept other than the
	// one he heard and settled early is told him afterwards.
	void (*progress)(void *context, uint64_t session, unsigned status, const struct body *body);
	void (*accept)(void *context, uint64_t session, const struct body *body);
	void (*refuse)(void *context, uint64_t session,
		       const struct refusal *refusal); // the session is gone after this
	// BYE on an answered leg, either direction; the session is gone for the domain after this.
	void (*hang_up)(void *context, uint64_t session, enum leg_end why, struct str said);
	// Within a call. `token` comes back in call_table_replied. At most one INVITE or UPDATE is under way per direction.
	enum err (*request)(void *context, uint64_t session, uint64_t token, const struct dialog_request *request);
	// Answers what call_table_requested brought. A 2xx to an INVITE is later followed by call_table_acknowledged.
	void (*reply)(void *context, uint64_t session, uint64_t transaction, unsigned status, const struct body *body);
	// How it goes with what a REFER that was accepted asked for: provisional ones, then one final status.
	void (*refer_progress)(void *context, uint64_t session, uint64_t transaction, unsigned status);
	// As accept, with an answer to his offer that takes all of it and sends nothing. The refusal when there is none.
	enum err (*accept_on_hold)(void *context, uint64_t session, const struct body *offer);
};

#endif
