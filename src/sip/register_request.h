// A REGISTER of ours to a carrier (RFC 3261 section 10.2), and what its 2xx says of us (section 10.2.4). Pure: bytes in, bytes out.
#ifndef SIP_REGISTER_REQUEST_H
#define SIP_REGISTER_REQUEST_H

#include "base/writer.h"
#include "sip/transport.h"

// Who registers where; borrowed.
struct register_account {
	struct str user; // of the address-of-record
	struct str host; // the registrar: a name, or an IP address
	uint16_t port;   // 0 = as DNS says, or the usual one
};

struct register_draft {
	const struct register_account *account;
	struct str call_id, from_tag, branch;
	struct str contact; // from register_write_contact
	uint32_t cseq;
	unsigned expires_s; // 0 takes the contact back
	struct str extra;   // whole header lines: credentials
};

// The Request-URI: "sip:sip.example.com". It is what credentials are made for.
void register_write_uri(const struct register_account *account, struct writer *w);
// Our Contact's URI for what goes along the flow: "sip:user@192.0.2.1:5060;transport=tcp;line=trunk-7". By the line the trunk's own
// binding is found among others of the same address-of-record, before and after a restart.
void register_write_contact(const struct register_account *account, uint64_t trunk_id, struct sip_transport *transport,
			    const struct flow *flow, struct writer *w);
// The trunk's id in a URI that was made by register_write_contact; 0: it is none.
uint64_t register_line(const struct sip_uri *uri);
bool register_write(const struct register_draft *draft, struct sip_transport *transport, const struct flow *flow,
		    struct writer *w);

// For how many seconds a 2xx keeps our contact; 0: it does not. Bindings of others are no business of ours. A registrar that shows
// our contact changed (as one behind a border controller does), or none at all, is believed as far as that goes.
unsigned register_granted_s(const struct sip_message *response, struct str contact, unsigned asked_s);
// The Service-Route (RFC 3608) as Route values joined by commas; false when there is none, or one that is too long or unreadable.
bool register_service_route(const struct sip_message *response, struct writer *w);
// Seconds of a Retry-After or Min-Expires header; 0: there is none.
unsigned register_seconds(const struct sip_message *response, enum sip_header_name name);

#endif
