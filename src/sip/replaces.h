// Replaces (RFC 3891): which dialog somebody is to take the place of.
#ifndef SIP_REPLACES_H
#define SIP_REPLACES_H

#include "sip/session.h"

struct sip_replaces {
	struct str call_id, to_tag, from_tag; // slices of the value
	bool early_only;
};

// The value of the header, unescaped. False when it cannot be read (400).
bool sip_replaces_parse(struct str value, struct sip_replaces *replaces);
// The dialog of ours that it names, whichever side it was seen from; NULL: none (481).
struct sip_session *replaces_session(const struct sip_endpoint *endpoint, const struct sip_replaces *replaces);

#endif
