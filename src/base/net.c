// Addresses as values: reading, writing and comparing them, and ranges of them.
#include "base/net.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static size_t bytes_used(const struct net_address *address)
{
	return address->family == 6 ? 16 : address->family == 4 ? 4 : 0;
}

static struct net_address from_ipv6(const uint8_t bytes[16], uint16_t port)
{
	struct net_address address = {.family = 6, .port = port};
	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
		address.family = 4;
		memcpy(address.bytes, bytes + sizeof mapped_prefix, 4);
	} else {
		memcpy(address.bytes, bytes, 16);
	}
	return address;
}

// As inet_pton has it, without a copy: a message names addresses five times. Four numbers without leading zeros.
static bool ipv4_read(struct str host, uint8_t bytes[4])
{
	size_t at = 0;
	for (int part = 0; part < 4; part++) {
		unsigned value = 0;
		if (part > 0 && (at == host.length || host.at[at++] != '.'))
			return false;
		size_t begin = at;
		for (; at < host.length && at < begin + 3 && host.at[at] >= '0' && host.at[at] <= '9'; at++)
			value = value * 10 + (unsigned)(host.at[at] - '0');
		if (at == begin || value > 255 || (host.at[begin] == '0' && at > begin + 1))
			return false;
		bytes[part] = (uint8_t)value;
	}
	return at == host.length;
}

bool net_address_parse(struct str host, uint16_t port, struct net_address *address)
{
	bool bracketed = host.length >= 2 && host.at[0] == '[' && host.at[host.length - 1] == ']';
	if (bracketed)
		host = (struct str){host.at + 1, host.length - 2};
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	if (!bracketed && ipv4_read(host, bytes)) {
		*address = (struct net_address){.family = 4, .port = port};
		memcpy(address->bytes, bytes, 4);
		return true;
	}
	if (!str_to_cstring(host, text, sizeof text) || inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	*address = from_ipv6(bytes, port);
	return true;
}

bool net_address_parse_with_port(struct str text, uint16_t default_port, struct net_address *address)
{
	struct str host = text, port_text = STR_NONE;
	bool bracketed = text.length > 0 && text.at[0] == '[';
	size_t end = bracketed ? str_index(text, ']') + 1 : str_index(text, ':');
	// more than one colon outside brackets: an IPv6 address without a port
	bool bare_ipv6 = !bracketed && str_index(str_from(text, end + 1), ':') < str_from(text, end + 1).length;
	uint64_t port = default_port;
	if (!bare_ipv6 && end < text.length) {
		if (text.at[end] != ':')
			return false;
		host = str_first(text, end);
		port_text = str_from(text, end + 1);
		if (!str_to_uint(port_text, UINT16_MAX, &port))
			return false;
	}
	return net_address_parse(host, (uint16_t)port, address);
}

static bool label_valid(struct str label)
{
	for (size_t i = 0; i < label.length; i++) {
		char c = label.at[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' &&
		    c != '_')
			return false;
	}
	return label.length >= 1 && label.length <= 63;
}

bool net_name_valid(struct str name)
{
	struct str label = STR_NONE;

	if (name.length > 0 && name.at[name.length - 1] == '.')
		name.length--;
	if (name.length == 0 || name.length > 253 || name.at[name.length - 1] == '.')
		return false;
	while (str_take(&name, '.', &label))
		if (!label_valid(label))
			return false;
	for (size_t i = 0; i < label.length; i++)
		if (label.at[i] < '0' || label.at[i] > '9')
			return true;
	return false;
}

// inet_ntop writes IPv4 by sprintf: a tenth of what a call costs besides the kernel.
static struct str ipv4_text(const uint8_t bytes[4], char text[INET_ADDRSTRLEN])
{
	size_t used = 0;
	for (int i = 0; i < 4; i++) {
		unsigned value = bytes[i];
		if (i > 0)
			text[used++] = '.';
		if (value >= 100)
			text[used++] = (char)('0' + value / 100);
		if (value >= 10)
			text[used++] = (char)('0' + value / 10 % 10);
		text[used++] = (char)('0' + value % 10);
	}
	return (struct str){text, used};
}

void net_address_write_host(struct writer *w, const struct net_address *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	if (address->family == 4)
		writer_str(w, ipv4_text(address->bytes, text));
	else if (address->family == 6)
		writer_text(w, inet_ntop(AF_INET6, address->bytes, text, sizeof text));
}

void net_address_write(struct writer *w, const struct net_address *address)
{
	if (address->family == 6)
		writer_char(w, '[');
	net_address_write_host(w, address);
	if (address->family == 6)
		writer_char(w, ']');
	writer_char(w, ':');
	writer_uint(w, address->port);
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return a->port == b->port && net_address_same_host(a, b);
}

bool net_address_same_host(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, bytes_used(a)) == 0;
}

bool net_address_is_any(const struct net_address *address)
{
	static const uint8_t zeros[16];
	return address->family != 0 && memcmp(address->bytes, zeros, bytes_used(address)) == 0;
}

struct net_address net_address_source(const struct net_address *address)
{
	struct net_address source = *address;
	source.port = 0;
	if (source.family == 6)
		memset(source.bytes + 8, 0, 8);
	return source;
}

uint64_t net_address_hash(const struct net_address *address)
{
	uint8_t key[19] = {address->family, (uint8_t)(address->port >> 8), (uint8_t)address->port};
	memcpy(key + 3, address->bytes, bytes_used(address));
	return hash_bytes(key, 3 + bytes_used(address));
}

bool net_address_from_sockaddr(const struct sockaddr *from, struct net_address *address)
{
	// copied, since nothing promises that `from` is aligned for its real type
	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, from, sizeof in);
		*address = (struct net_address){.family = 4, .port = ntohs(in.sin_port)};
		memcpy(address->bytes, &in.sin_addr, 4);
		return true;
	}
	if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, from, sizeof in6);
		*address = from_ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
		return true;
	}
	return false;
}

socklen_t net_address_to_sockaddr(const struct net_address *address, struct sockaddr_storage *into)
{
	memset(into, 0, sizeof *into);
	if (address->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)into;
		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->bytes, 4);
		return sizeof *in;
	}
	if (address->family == 6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)into;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(address->port);
		memcpy(&in6->sin6_addr, address->bytes, 16);
		return sizeof *in6;
	}
	return 0;
}

// ---- ranges

// True when the first `bits` bits of both are the same.
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);
	return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

bool net_range_parse(struct str text, struct net_range *range)
{
	size_t slash = str_index(text, '/');
	struct str host = str_first(text, slash);
	struct net_address base;
	if (!net_address_parse(host, 0, &base))
		return false;
	// a range of IPv4-mapped addresses is written with the bits of IPv6
	bool mapped = base.family == 4 && str_index(host, ':') < host.length;
	uint64_t all = base.family == 4 && !mapped ? 32 : 128, bits = all;
	if (slash < text.length && !str_to_uint(str_from(text, slash + 1), all, &bits))
		return false;
	if (mapped && bits < 96)
		return false;
	*range = (struct net_range){.base = {.family = base.family}, .bits = (uint8_t)(mapped ? bits - 96 : bits)};
	// bits beyond the range are cleared, so that equal ranges are equal values
	for (unsigned bit = 0; bit < range->bits; bit++)
		range->base.bytes[bit / 8] |= (uint8_t)(base.bytes[bit / 8] & (0x80 >> bit % 8));
	return true;
}

bool net_range_holds(const struct net_range *range, const struct net_address *address)
{
	return range->base.family != 0 && range->base.family == address->family &&
	       same_bits(range->base.bytes, address->bytes, range->bits);
}
