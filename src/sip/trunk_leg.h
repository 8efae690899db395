// The way of an outgoing INVITE over a trunk: it looks for the next hop, and goes on to the next when one is out of order
// (RFC 3263 section 4.3), each time with a new transaction. Once somebody has said more than 100 it is gone.
#ifndef SIP_TRUNK_LEG_H
#define SIP_TRUNK_LEG_H

#include "sip/resolver.h"
#include "sip/session.h"

// What a trunk names, as the resolver wants it.
struct sip_destination trunk_destination(const struct sip_endpoint *endpoint, const struct trunk *trunk,
					 enum sip_lookup_purpose purpose);
// For flow.name, over TLS to a target that stands for this host: a target's name names its certificate (it is configured so), an address
// shows one of the trunk's host (RFC 5922 section 7.3).
uint16_t trunk_flow_name(const struct sip_endpoint *endpoint, const struct trunk *trunk, struct str host);

// Sends the INVITE, or looks where to first. The session's dialog needs no flow yet. ERR_TRUNK_DOWN when nobody can be
// reached: nothing was sent, no handler of the draft will be called.
enum err trunk_leg_start(struct sip_session *session, const struct trunk *trunk, const struct exchange_draft *draft);
// The target answered: it lives.
void trunk_leg_heard(struct sip_session *session, const struct sip_message *response);
// The INVITE's transaction has ended, its exchange too: by this response, or by none (NULL). True: it went on to the next
// target.
bool trunk_leg_failed(struct sip_session *session, const struct sip_message *response);
// The domain gave up. True when nothing is under way: the end (487) will be told in a turn of its own.
bool trunk_leg_cancelled(struct sip_session *session);
void trunk_leg_free(struct sip_session *session);

#endif
