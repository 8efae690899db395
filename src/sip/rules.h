// What a request must be like before anybody asks what it is about: URI schemes, hosts, hops, extensions, payload types
// (RFC 3261 section 8.2). Pure: looks at the message alone.
#ifndef SIP_RULES_H
#define SIP_RULES_H

#include "sip/core.h"

// Nothing wrong: 0. Otherwise the status to refuse with; `extra` then has the header lines that explain it, and *reason, when not
// empty, the phrase.
unsigned rules_check(const struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
		     struct writer *extra, struct str *reason);
// The same for a request within a dialog, where neither the host nor the hops matter.
unsigned rules_check_in_dialog(const struct sip_message *request, struct writer *extra);

#endif
