// Why a call ended in the telephone network's words, Q.850 causes, beside SIP's statuses: the one place where each is said in the
// other's (RFC 3398 sections 7.2.4.1 and 8.2.6.1, RFC 3326, RFC 6432). Pure.
#ifndef DOMAIN_CAUSE_H
#define DOMAIN_CAUSE_H

#include "base/str.h"

enum cause {
	CAUSE_NONE = 0, // nobody said
	CAUSE_UNALLOCATED = 1,
	CAUSE_NORMAL_CLEARING = 16,
	CAUSE_BUSY = 17,
	CAUSE_NO_RESPONSE = 18,
	CAUSE_NO_ANSWER = 19,
	CAUSE_ABSENT = 20,
	CAUSE_REJECTED = 21,
	CAUSE_NOT_SELECTED = 26, // somebody else has the call
	CAUSE_UNSPECIFIED = 31,
	CAUSE_CONGESTION = 34,
	CAUSE_MAX = 127,
};

// The cause that a refusal with this status is in the telephone network; CAUSE_NONE: it has no words for it.
unsigned cause_of_status(unsigned status);
// The status for a cause, 400 to 699; 0: no call is refused for it.
unsigned status_of_cause(unsigned cause);
// What it is called, without a full stop; "" when it is not known.
const char *cause_text(unsigned cause);
// What a Reason header's value says in Q.850, among others or alone: 1 to 127; CAUSE_NONE: nothing.
unsigned cause_in_reason(struct str value);
// What a carrier's refusal means. Many say 480, 500 or 503 for anything, and the truth in the cause; a status that is
// precise is believed before a cause, since gateways in between mangle those (486 with 34).
unsigned status_understood(unsigned status, unsigned cause);
// A caller who comes over a trunk gets no status that makes the carrier try again elsewhere: what could not be done behind us
// cannot be done by another way to us either.
unsigned status_for_carrier(unsigned status);

#endif
