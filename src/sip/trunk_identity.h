// Who calls, as a trunk is told and as it tells us: From, P-Asserted-Identity (RFC 3325) and Privacy (RFC 3323).
#ifndef SIP_TRUNK_IDENTITY_H
#define SIP_TRUNK_IDENTITY_H

#include "sip/core.h"
#include "sip/message.h"

// From's value without a tag. `host`: of our own URIs.
void trunk_write_from(const struct sip_endpoint *endpoint, const struct outgoing_invite *invite, struct str host,
		      struct writer *w);
// The lines P-Asserted-Identity and Privacy, as the trunk wants them.
void trunk_write_identity(const struct sip_endpoint *endpoint, const struct outgoing_invite *invite, struct str host,
			  struct writer *w);
// What our Contact calls us towards the trunk, for a dialog's own_name; 0: nothing special.
uint16_t trunk_own_name(const struct sip_endpoint *endpoint, const struct trunk *trunk);
// The line by which MS Teams is told what it talks to; nothing for others.
void trunk_write_product(const struct trunk *trunk, struct writer *w);
// The address that names the caller of an INVITE from the trunk: the first P-Asserted-Identity with a user, when the trunk is trusted
// with that, else From.
struct sip_address trunk_caller(const struct trunk *trunk, const struct sip_message *invite);

#endif
