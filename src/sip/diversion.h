// Diversion (RFC 5806) and History-Info (RFC 7044) on the wire: who has sent a call on.
#ifndef SIP_DIVERSION_H
#define SIP_DIVERSION_H

#include "domain/signalling.h"
#include "sip/core.h"

// What an INVITE brought, the oldest first, with the texts that it borrows.
struct sip_diversions {
	struct diversion list[DIVERSIONS_MAX];
	size_t count;
	char numbers[DIVERSIONS_MAX][64];
	char uris[DIVERSIONS_MAX][DIVERSION_URI_MAX];
};

// Diversion where there is one, else the entries of History-Info that name a reason (RFC 7544 section 6). What cannot be read is left
// out; of more than DIVERSIONS_MAX the latest count.
void sip_diversions_read(const struct sip_endpoint *endpoint, const struct sip_message *invite,
			 struct sip_diversions *diversions);
// The header lines that the trunk wants. `host` is our own; `target` the URI that the INVITE goes to.
void sip_diversions_write(const struct outgoing_invite *invite, struct str host, struct str target, struct writer *w);

#endif
