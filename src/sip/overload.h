// Overload: how much of the call thread is taken, and who is sent away before what was accepted suffers. Looks ten times a second
// and moves the share of new requests that are taken, so that the thread stays a little below all it can do; at once and by more
// when the socket's queue fills. Costs a hash of the Call-ID for a request while there is overload, and nothing otherwise.
#ifndef SIP_OVERLOAD_H
#define SIP_OVERLOAD_H

#include "base/loop.h"
#include "sip/message.h"

struct sip_overload;

struct sip_overload_settings {
	unsigned busy_percent;  // of the call thread's time that may be taken; 0: nobody is ever sent away
	unsigned retry_after_s; // for which those sent away stay away: half of it to one and a half; 0 = 10
	unsigned store_wait_ms; // a REGISTER that waits so long for the store sends others away; 0 = 1000
	// How full the fullest queue of a socket is, in percent, and for how long the oldest REGISTER waits for the store.
	unsigned (*queue_percent)(void *context);
	uint64_t (*store_waits_ms)(void *context);
	void *context;
};

struct sip_overload *sip_overload_create(struct loop *loop,
					 const struct sip_overload_settings *settings); // NULL: no memory
// Other figures from now on; whom it asks stays.
void sip_overload_change(struct sip_overload *overload, const struct sip_overload_settings *settings);
void sip_overload_destroy(struct sip_overload *overload);

// Whether a new request may go on. The same for all requests of a call, so that nobody passes the challenge in vain, and for
// each repetition. Registrations give way before calls do. A request that may not is counted.
bool sip_overload_admits(struct sip_overload *overload, const struct sip_message *request);
unsigned
sip_overload_retry_after_s(const struct sip_overload *overload); // spread, so that they do not all come back at once
// RFC 7339 section 5: what goes into the topmost Via of an answer to a neighbour that understands it, in place of its oc. Lives
// until the loop's next turn.
struct str sip_overload_feedback(struct sip_overload *overload);

struct sip_overload_counters {
	bool overloaded;                                     // now: an episode, which ends after five seconds without
	unsigned busy_percent, admitted_percent;             // now
	uint64_t episodes, refused_calls, refused_registers; // since the start
};
struct sip_overload_counters sip_overload_count(const struct sip_overload *overload);

#endif
