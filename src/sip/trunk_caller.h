// Which trunk a request comes from, and whom it is for. A trunk is recognised by the address that the request comes from: by its inbound
// ranges, else by its host, by what its name stands for, or by the server or connection that it is registered at. Several accounts at
// one carrier share all these: among the trunks that the address allows the Request-URI decides, being the Contact of one of them.
// Whatever a request says of itself is nothing where the address does not allow the trunk.
#ifndef SIP_TRUNK_CALLER_H
#define SIP_TRUNK_CALLER_H

#include "sip/core.h"

// The trunk whose calls sign in with this name, where it may be used from there. NULL: none.
const struct trunk *trunk_of_name(const struct sip_endpoint *endpoint, struct str name, const struct flow *from);
// NULL: none. Those whose calls sign in are not recognised by address.
const struct trunk *trunk_of_request(const struct sip_endpoint *endpoint, const struct flow *from,
				     const struct sip_message *request);
// The user part, as written, that names who is called. A carrier that sends calls to our Contact says it in P-Called-Party-ID
// (RFC 7315) or To alone, since the Request-URI then names the account.
struct str trunk_called_user(const struct trunk *trunk, const struct sip_message *invite);

#endif
