// An IP address with a port, as a value. IPv4-mapped IPv6 addresses are kept as IPv4, so that one host has one form.
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/str.h"
#include "base/writer.h"

#include <sys/socket.h>

struct net_address {
	uint8_t family;    // 4, 6, or 0 for none
	uint16_t port;     // host byte order
	uint8_t bytes[16]; // network byte order; 4 are used for IPv4, the rest are zero
};

// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". No port, no name.
bool net_address_parse(struct str host, uint16_t port, struct net_address *address);
// "192.0.2.1:5060" or "[2001:db8::1]:5060"; a missing port gives `default_port`.
bool net_address_parse_with_port(struct str text, uint16_t default_port, struct net_address *address);
// Host without brackets; with brackets for IPv6 and the port.
void net_address_write_host(struct writer *w, const struct net_address *address);
void net_address_write(struct writer *w, const struct net_address *address);
// A host's or a service's name: labels of letters, digits, '-' and '_' with dots between, 253 bytes at most, the last label
// not a number (that would be an address gone wrong). A dot at the end is allowed.
bool net_name_valid(struct str name);
bool net_address_equal(const struct net_address *a, const struct net_address *b);
bool net_address_same_host(const struct net_address *a, const struct net_address *b);
bool net_address_is_any(const struct net_address *address); // 0.0.0.0 or ::
// Who is behind it, as far as can be told: an IPv4 host, or an IPv6 network of 64 bits, since whoever has one address of it has
// them all. No port.
struct net_address net_address_source(const struct net_address *address);
uint64_t net_address_hash(const struct net_address *address);
bool net_address_from_sockaddr(const struct sockaddr *from, struct net_address *address);
socklen_t net_address_to_sockaddr(const struct net_address *address, struct sockaddr_storage *into);

// "192.0.2.0/24", "2001:db8::/32" or a bare address.
struct net_range {
	struct net_address base;
	uint8_t bits;
};
bool net_range_parse(struct str text, struct net_range *range);
bool net_range_holds(const struct net_range *range, const struct net_address *address);

#endif
