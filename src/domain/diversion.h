// Who has sent a call on, on its way here and by us: what Diversion (RFC 5806) and History-Info (RFC 7044) tell a carrier, so that it
// lets the caller's own number pass, and what shows a loop.
#ifndef DOMAIN_DIVERSION_H
#define DOMAIN_DIVERSION_H

#include "base/str.h"

enum diversion_reason {
#define DIVERSION_REASON(name, text, cause) DIVERSION_##name,
#include "domain/diversion_reasons.def"
#undef DIVERSION_REASON
	DIVERSION_REASON_COUNT
};
extern const char *const diversion_reason_names[];      // as in a Diversion header: "follow-me" ..., ends with NULL
unsigned diversion_cause(enum diversion_reason reason); // as in History-Info (RFC 4458, RFC 7544 section 3)

enum {
	DIVERSIONS_MAX = 10,     // kept of what a caller brought, and told
	DIVERSION_HOPS_MAX = 10, // a call that was sent on more often than that, by their counters, goes no further
	DIVERSION_URI_MAX = 256,
};

struct diversion {
	struct str number; // the user part, as dialled; may be empty
	struct str uri;    // the whole URI of one that came; empty: one of ours, written with our host
	enum diversion_reason reason;
	unsigned times;  // 1 and up
	bool is_private; // whoever sent it on is not to be shown
	bool is_ours;    // it came, but with our own host: we wrote it
};

#endif
