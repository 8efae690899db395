// The choices of RFC 2782 and RFC 3263 among records that are there: which first, which next. Pure but for chance.
#ifndef SIP_NEXT_HOP_H
#define SIP_NEXT_HOP_H

#include "base/dns_answer.h"
#include "base/loop.h"
#include "domain/trunk.h"

// Writes the indexes of the SRV records in the order in which they are to be tried: by priority, and within one by chance
// as the weights want it (RFC 2782). `count` is at most DNS_RECORDS_MAX.
void srv_order(struct loop *loop, const struct dns_record *records, size_t count, uint8_t order[DNS_RECORDS_MAX]);

// A service that a NAPTR record leads to.
struct naptr_service {
	struct str name; // borrowed from the record: where its SRV records are
	enum transport transport;
};
enum { NAPTR_SERVICES_MAX = 8 };

// The services of the records that speak of SIP over one of the transports (bits, 1 << TRANSPORT_...), in order of their
// preference (RFC 3263 section 4.1). Gives how many.
size_t naptr_choose(const struct dns_record *records, size_t count, unsigned transports,
		    struct naptr_service services[NAPTR_SERVICES_MAX]);

// "_sip._udp." and the like, to be put before a host (RFC 3263 section 4.1); 5060 or 5061.
const char *srv_prefix(enum transport transport);
uint16_t default_port(enum transport transport);

#endif
