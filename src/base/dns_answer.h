// What a name server says: reads the wire format (RFC 1035 section 4) into records. Pure; the bytes are not trusted.
#ifndef BASE_DNS_ANSWER_H
#define BASE_DNS_ANSWER_H

#include "base/arena.h"
#include "base/net.h"

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 }; // as on the wire

enum dns_status {
	DNS_FOUND,   // one record at least
	DNS_NOTHING, // there is no such name, or nothing of this type
	DNS_FAILED   // nobody answered, or not with sense: nothing is known
};

struct dns_srv { // RFC 2782
	uint16_t priority, weight, port;
	struct str target; // empty: the root, the service is decidedly not there
};

struct dns_naptr { // RFC 3403
	uint16_t order, preference;
	struct str flags, services, regexp;
	struct str replacement; // empty: none
};

struct dns_record {
	union {
		struct net_address address; // A, AAAA; its port is 0
		struct dns_srv srv;
		struct dns_naptr naptr;
	};
};

enum { DNS_RECORDS_MAX = 64, DNS_NAME_MAX = 253 };

struct dns_answer {
	enum dns_status status;
	enum dns_type type;
	uint32_t ttl_s; // the shortest on the way; of nothing: as RFC 2308 section 5 says, 0 when not said
	const struct dns_record *records;
	size_t count; // at most DNS_RECORDS_MAX, further ones are left out
};

// The answer to a question for that name and type. Records that make no sense are left out; a message that makes none is
// DNS_FAILED. Texts and records are in the arena.
struct dns_answer dns_answer_read(struct str message, enum dns_type type, struct str name, struct arena *arena);

#endif
