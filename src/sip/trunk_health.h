// Whether the targets of trunks are in service: asked by OPTIONS (RFC 3261 section 11) at the trunk's interval, and learned from calls. It
// alone tells the resolver which of the targets that it watches are dead, so calls and checks have one truth.
//
// A target is out of service with the first check that fails: no answer within TRUNK_HEALTH_SILENCE_MS (UDP has sent it four times by
// then), no connection, or a final 408 or 503. Any other final response means that somebody is there. So is one that a call found silent. It
// is back after two good checks in a row. Without an interval a target that a call found silent is left out for TARGET_DEAD_MS.
#ifndef SIP_TRUNK_HEALTH_H
#define SIP_TRUNK_HEALTH_H

#include "domain/trunk_state.h"
#include "sip/core.h"

enum {
	TRUNK_HEALTH_SILENCE_MS = 4000,
	TRUNK_HEALTH_FIRST_MS = 1000,   // the first look comes within this
	TRUNK_HEALTH_AGAIN_MS = 10000,  // while out of service, when the interval is not shorter
	TRUNK_HEALTH_CONFIRM_MS = 2000, // the second good one follows the first so soon
};

struct trunk_health;
struct sip_lookup;

struct trunk_health *trunk_health_create(struct sip_endpoint *endpoint); // NULL when there is no memory
void trunk_health_destroy(struct trunk_health *health);
// What the trunk's name and targets stand for now; those that it does not hold any more are forgotten.
void trunk_health_know(struct trunk_health *health, const struct trunk *trunk, const struct sip_lookup *lookup);
void trunk_health_forget(struct trunk_health *health, uint64_t trunk_id); // it is gone, or out of use
// What became of a call's request to a target of the trunk; duration_ms as in sip_resolver_note.
void trunk_health_note(struct trunk_health *health, uint64_t trunk_id, const struct sip_target *target,
		       enum target_health what, uint64_t duration_ms);
void trunk_health_describe(const struct trunk_health *health, uint64_t trunk_id, struct trunk_state *state);

struct trunk_health_counters trunk_health_count(const struct trunk_health *health);

#endif
