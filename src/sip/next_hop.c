// The order of SRV records and the choice among NAPTR records.
#include "sip/next_hop.h"

#include <assert.h>

// ---- SRV

// Picks one of `order` at or after `from`, all of the same priority, by weight, and brings it to `from`.
static void pick(struct loop *loop, const struct dns_record *records, uint8_t *order, size_t from, size_t end)
{
	uint64_t total = 0, sum = 0;
	size_t chosen = from;

	for (size_t i = from; i < end; i++)
		total += records[order[i]].srv.weight;
	// RFC 2782: a number from 0 to the total, both included; the first whose running sum reaches it, those without
	// weight standing first.
	uint64_t number = loop_random_uint(loop) % (total + 1);
	for (unsigned weighty = 0; weighty < 2; weighty++) {
		for (size_t i = from; i < end; i++) {
			if ((records[order[i]].srv.weight > 0) != (weighty > 0))
				continue;
			sum += records[order[i]].srv.weight;
			if (sum >= number) {
				chosen = i;
				goto found;
			}
		}
	}
found:;
	uint8_t index = order[chosen];
	order[chosen] = order[from];
	order[from] = index;
}

void srv_order(struct loop *loop, const struct dns_record *records, size_t count, uint8_t order[DNS_RECORDS_MAX])
{
	assert(count <= DNS_RECORDS_MAX);
	for (size_t i = 0; i < count; i++) { // insertion: few, and mostly in order
		size_t at = i;
		for (; at > 0 && records[order[at - 1]].srv.priority > records[i].srv.priority; at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
	}
	for (size_t begin = 0, end; begin < count; begin = end) {
		for (end = begin; end < count; end++)
			if (records[order[end]].srv.priority != records[order[begin]].srv.priority)
				break;
		for (size_t i = begin; i + 1 < end; i++)
			pick(loop, records, order, i, end);
	}
}

// ---- NAPTR

static const struct {
	struct str service;
	enum transport transport;
} naptr_transports[] = {
    {{"SIP+D2U", 7}, TRANSPORT_UDP},
    {{"SIP+D2T", 7}, TRANSPORT_TCP},
    {{"SIPS+D2T", 8}, TRANSPORT_TLS},
};

// Only the flag "s" is used with SIP, and no regular expression (RFC 3263 section 4.1).
static bool usable(const struct dns_naptr *naptr, unsigned transports, enum transport *transport)
{
	if (!str_equal_nocase(naptr->flags, STR("s")) || !str_empty(naptr->regexp) || str_empty(naptr->replacement))
		return false;
	for (size_t i = 0; i < sizeof naptr_transports / sizeof *naptr_transports; i++) {
		*transport = naptr_transports[i].transport;
		if (str_equal_nocase(naptr->services, naptr_transports[i].service))
			return (transports & 1u << *transport) != 0;
	}
	return false;
}

static bool comes_before(const struct dns_naptr *a, const struct dns_naptr *b)
{
	return a->order != b->order ? a->order < b->order : a->preference < b->preference;
}

size_t naptr_choose(const struct dns_record *records, size_t count, unsigned transports,
		    struct naptr_service services[NAPTR_SERVICES_MAX])
{
	const struct dns_naptr *chosen[NAPTR_SERVICES_MAX];
	enum transport transport;
	size_t found = 0, at;

	for (size_t i = 0; i < count; i++) {
		const struct dns_naptr *naptr = &records[i].naptr;
		if (!usable(naptr, transports, &transport))
			continue;
		for (at = found; at > 0 && comes_before(naptr, chosen[at - 1]); at--)
			if (at < NAPTR_SERVICES_MAX) {
				chosen[at] = chosen[at - 1];
				services[at] = services[at - 1];
			}
		if (at == NAPTR_SERVICES_MAX)
			continue;
		chosen[at] = naptr;
		services[at] = (struct naptr_service){naptr->replacement, transport};
		found += found < NAPTR_SERVICES_MAX;
	}
	// Of a higher order none may be used once one of a lower fits (RFC 3403 section 4.1).
	for (at = 0; at < found && chosen[at]->order == chosen[0]->order; at++)
		;
	return at;
}

// ---- what has always been so

const char *srv_prefix(enum transport transport)
{
	switch (transport) {
	case TRANSPORT_UDP:
		return "_sip._udp.";
	case TRANSPORT_TCP:
		return "_sip._tcp.";
	case TRANSPORT_TLS:
		return "_sips._tcp.";
	case TRANSPORT_WS: // nobody is looked for over WebSocket: browsers come to us
	case TRANSPORT_WSS:
		break;
	}
	return "_sip._tcp.";
}

uint16_t default_port(enum transport transport)
{
	return transport == TRANSPORT_TLS || transport == TRANSPORT_WSS ? 5061 : 5060;
}
