// Trunks that register at their carrier: RFC 3261 section 10 as a client. Each keeps one binding alive, tells how it is, and takes
// the binding back when it is not wanted any more.
//
// One REGISTER is under way at a time, to the server that has the binding, else to those that RFC 3263 gives, one after the other.
// It is sent again when a part of the time that was granted is over; at once (within two seconds, so that not all come together) when
// the connection to the carrier breaks; after a failure when the back-off of RFC 5626 section 4.5 says so, or the carrier's Retry-After;
// after a refusal (a wrong password, an unknown account) when a long pause is over. Flows are kept open by CRLF CRLF (RFC 5626
// section 4.4.1): over TCP and TLS every 95 to 120 seconds, over UDP, where nobody answers it, every 24 to 29 for the NATs on the way.
#ifndef SIP_TRUNK_REGISTRATION_H
#define SIP_TRUNK_REGISTRATION_H

#include "domain/trunk_registration.h"
#include "sip/core.h"

enum {
	TRUNK_REGISTER_LEAVE_MS = 2000, // an un-REGISTER is not waited for any longer
	TRUNK_REGISTER_BASE_S = 30,     // RFC 5626 section 4.5
	TRUNK_REGISTER_MAX_S = 1800,    // likewise; and the most that a Retry-After is obeyed for
	TRUNK_REGISTER_STABLE_MS = 120 * 1000,
};

struct trunk_registrations;

struct trunk_registrations *trunk_registrations_create(struct sip_endpoint *endpoint); // NULL when there is no memory
void trunk_registrations_destroy(struct trunk_registrations *registrations);           // says nothing to anybody
// The directory has another trunk by this id now, or none. What does not matter to the carrier changes nothing.
void trunk_registrations_changed(struct trunk_registrations *registrations, uint64_t trunk_id);
// Takes all bindings back; `left` is called once, when that is answered or TRUNK_REGISTER_LEAVE_MS are over, in a later turn.
void trunk_registrations_leave(struct trunk_registrations *registrations, void (*left)(void *context), void *context);

// How it is now. The endpoint's watch is told of each change.
void trunk_registration_describe(const struct trunk_registrations *registrations, uint64_t trunk_id,
				 struct trunk_registration_state *state);
// Whether a message came from the very server, or over the very connection, that the trunk is registered at.
bool trunk_registration_came_from(const struct trunk_registrations *registrations, uint64_t trunk_id,
				  const struct flow *from);
// The route that the carrier wants calls to take (RFC 3608), as Route values; empty = none. Valid until the loop's next turn.
struct str trunk_registration_routes(const struct trunk_registrations *registrations, uint64_t trunk_id);
// The server that the trunk is registered at, or was last; false when there is none.
bool trunk_registration_target(const struct trunk_registrations *registrations, uint64_t trunk_id,
			       struct sip_target *target);

#endif
