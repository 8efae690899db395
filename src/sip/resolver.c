// A lookup goes through RFC 3263 section 4 over what the cache holds, from the beginning, each time an answer comes, until
// nothing is missing. So there is no state between the steps, and what is cached is found at once.
#include "sip/resolver.h"

#include "sip/next_hop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sip_resolver {
	struct loop *loop;
	struct dns *dns;         // owned
	struct dns_cache *cache; // owned
	struct list waiting;     // lookups
	struct dead_targets dead;
};

// ---- one run through the records

struct run {
	struct sip_resolver *resolver;
	struct sip_lookup *lookup;
	uint8_t place; // of the lookup's, the present one
	bool waiting;  // something has been asked for
};

static struct dns_view look(struct run *run, enum dns_type type, struct str name)
{
	struct dns_view view = dns_cache_look(run->resolver->cache, type, name);
	run->waiting = run->waiting || view.known == DNS_KNOWN_LATER;
	if (view.good_until_ms < run->lookup->good_until_ms)
		run->lookup->good_until_ms = view.good_until_ms;
	return view;
}

static void add_target(struct run *run, const struct net_address *address, uint16_t port, enum transport transport)
{
	struct sip_lookup *lookup = run->lookup;
	struct sip_target target = {*address, transport, run->place};

	target.address.port = port;
	for (unsigned i = 0; i < lookup->count; i++)
		if (sip_target_equal(&lookup->targets[i], &target))
			return;
	if (lookup->count < SIP_TARGETS_MAX)
		lookup->targets[lookup->count++] = target;
}

// IPv4 first: the media that is offered is the phones', and mostly that.
static void add_host(struct run *run, struct str host, uint16_t port, enum transport transport)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};

	for (size_t t = 0; t < 2; t++) {
		struct dns_view view = look(run, types[t], host);
		for (size_t i = 0; view.known == DNS_KNOWN_RECORDS && i < view.count; i++)
			add_target(run, &view.records[i].address, port, transport);
	}
}

// The servers of "_sip._udp.example.com". False when it is certain that there is no such service.
static bool add_service(struct run *run, struct str service, enum transport transport)
{
	struct dns_view view = look(run, DNS_SRV, service);
	uint8_t order[DNS_RECORDS_MAX];

	if (view.known != DNS_KNOWN_RECORDS)
		return view.known != DNS_KNOWN_NOTHING;
	srv_order(run->resolver->loop, view.records, view.count, order);
	for (size_t i = 0; i < view.count; i++) {
		const struct dns_srv *srv = &view.records[order[i]].srv;
		if (!str_empty(srv->target)) // the root as target: decidedly not there (RFC 2782)
			add_host(run, srv->target, srv->port, transport);
	}
	return true;
}

static bool add_service_of_host(struct run *run, struct str host, enum transport transport)
{
	char name[DNS_NAME_MAX + 16];
	struct writer w = writer_into(name, sizeof name);
	writer_text(&w, srv_prefix(transport));
	writer_str(&w, host);
	return add_service(run, writer_result(&w), transport);
}

static enum transport first_transport(unsigned transports)
{
	for (int t = TRANSPORT_UDP; t <= TRANSPORT_WSS; t++)
		if (transports & 1u << t)
			return (enum transport)t;
	return TRANSPORT_UDP;
}

// RFC 3263 section 4.1: no transport was said. NAPTR records name the services; without any, all are asked for.
static bool add_any_service(struct run *run, struct str host)
{
	struct dns_view view = look(run, DNS_NAPTR, host);
	struct naptr_service services[NAPTR_SERVICES_MAX];
	bool any = false;

	if (view.known == DNS_KNOWN_LATER)
		return true;
	size_t count = view.known == DNS_KNOWN_RECORDS
			   ? naptr_choose(view.records, view.count, run->lookup->transports, services)
			   : 0;
	for (size_t i = 0; i < count; i++)
		any = add_service(run, services[i].name, services[i].transport) || any;
	for (int t = TRANSPORT_UDP; count == 0 && t <= TRANSPORT_TLS; t++)
		if (run->lookup->transports & 1u << t)
			any = add_service_of_host(run, host, (enum transport)t) || any;
	return any;
}

static struct str place_host(const struct sip_lookup *lookup, unsigned place)
{
	return (struct str){lookup->names + lookup->places[place].begins, lookup->places[place].length};
}

static void collect_place(struct run *run)
{
	struct sip_lookup *lookup = run->lookup;
	struct str host = place_host(lookup, run->place);
	enum transport transport = first_transport(lookup->transports);
	bool several = (lookup->transports & (lookup->transports - 1)) != 0;
	uint16_t said = lookup->places[run->place].port, port = said ? said : default_port(transport);
	struct net_address address;

	if (net_address_parse(host, port, &address)) {
		add_target(run, &address, port, transport);
		return;
	}
	if (said == 0 && (several ? add_any_service(run, host) : add_service_of_host(run, host, transport)))
		return;
	add_host(run, host, port, transport); // RFC 3263 section 4.2
}

static void collect(struct run *run)
{
	for (run->place = 0; run->place < run->lookup->place_count; run->place++)
		collect_place(run);
}

// Leaves out who is known to be out of order. When nobody is left, those that were only busy are asked again.
static void leave_out_dead(struct sip_lookup *lookup)
{
	const struct sip_resolver *resolver = lookup->resolver;

	for (enum target_health most = TARGET_ALIVE; most <= TARGET_BUSY; most++) {
		unsigned kept = 0;
		for (unsigned i = 0; i < lookup->count; i++) {
			const struct sip_target target = lookup->targets[i];
			if (dead_targets_look(&resolver->dead, resolver->loop, &target) > most)
				continue;
			lookup->targets[i] = lookup->targets[kept]; // those left out stay behind
			lookup->targets[kept++] = target;
		}
		if (kept > 0 || most == TARGET_BUSY) {
			lookup->count = kept;
			return;
		}
	}
}

enum patience { WAIT_FOR_MISSING, TAKE_WHAT_IS_THERE };

// False when something is still missing.
static bool lookup_run(struct sip_lookup *lookup, enum patience patience)
{
	struct run run = {.resolver = lookup->resolver, .lookup = lookup};

	lookup->count = 0;
	lookup->good_until_ms = UINT64_MAX;
	collect(&run);
	if (run.waiting && patience == WAIT_FOR_MISSING)
		return false;
	if (lookup->purpose == SIP_TO_SEND)
		leave_out_dead(lookup);
	return true;
}

// ---- lookups

static void answer_came(void *context)
{
	struct sip_resolver *resolver = context;
	struct list round;

	// Those that still wait go back into the list; a handler may stop any other.
	list_insert_after(&resolver->waiting, &round);
	list_remove(&resolver->waiting);
	while (!list_empty(&round)) {
		struct sip_lookup *lookup = container_of(round.next, struct sip_lookup, node);
		list_remove(&lookup->node);
		list_append(&resolver->waiting, &lookup->node);
		if (!lookup_run(lookup, WAIT_FOR_MISSING))
			continue;
		sip_lookup_stop(lookup);
		lookup->done(lookup);
	}
}

static void lookup_expired(struct timer *timer)
{
	struct sip_lookup *lookup = container_of(timer, struct sip_lookup, deadline);
	sip_lookup_stop(lookup);
	lookup_run(lookup, TAKE_WHAT_IS_THERE);
	lookup->done(lookup);
}

static void keep_place(struct sip_lookup *lookup, struct str host, uint16_t port)
{
	size_t used = 0;

	for (unsigned i = 0; i < lookup->place_count; i++)
		used += lookup->places[i].length;
	if (host.length > DNS_NAME_MAX || host.length > sizeof lookup->names - used)
		return;
	if (host.length > 0)
		memcpy(lookup->names + used, host.at, host.length);
	lookup->places[lookup->place_count++] = (struct sip_lookup_place){port, (uint16_t)used, (uint16_t)host.length};
}

// Priority and weight mean what they mean in SRV records.
static void keep_places(struct sip_lookup *lookup, const struct sip_destination *destination)
{
	struct dns_record records[TRUNK_TARGETS_MAX] = {0};
	uint8_t order[DNS_RECORDS_MAX];

	if (destination->place_count == 0)
		keep_place(lookup, destination->host, destination->port);
	for (size_t i = 0; i < destination->place_count; i++)
		records[i].srv = (struct dns_srv){
		    .priority = destination->places[i].priority,
		    .weight = destination->places[i].weight,
		};
	srv_order(lookup->resolver->loop, records, destination->place_count, order);
	for (size_t i = 0; i < destination->place_count; i++)
		keep_place(lookup, destination->places[order[i]].host, destination->places[order[i]].port);
}

bool sip_lookup_start(struct sip_resolver *resolver, struct sip_lookup *lookup,
		      const struct sip_destination *destination, void (*done)(struct sip_lookup *lookup))
{
	*lookup = (struct sip_lookup){
	    .resolver = resolver,
	    .done = done,
	    .transports = destination->transports,
	    .purpose = destination->purpose,
	};
	list_init(&lookup->node);
	timer_init(&lookup->deadline, lookup_expired);
	if (destination->transports == 0)
		return true;
	keep_places(lookup, destination);
	if (lookup_run(lookup, WAIT_FOR_MISSING))
		return true;
	list_append(&resolver->waiting, &lookup->node);
	timer_start(resolver->loop, &lookup->deadline, SIP_LOOKUP_MS);
	return false;
}

struct str sip_lookup_host(const struct sip_lookup *lookup, const struct sip_target *target)
{
	return place_host(lookup, target->place);
}

void sip_lookup_stop(struct sip_lookup *lookup)
{
	if (!lookup->resolver)
		return;
	list_remove(&lookup->node);
	timer_stop(&lookup->deadline);
}

// ---- the resolver as a whole

void sip_resolver_note(struct sip_resolver *resolver, const struct sip_target *target, enum target_health health,
		       uint64_t duration_ms)
{
	dead_targets_note(&resolver->dead, resolver->loop, target, health, duration_ms);
}

int sip_resolver_create(struct loop *loop, struct str servers, struct sip_resolver **result)
{
	struct sip_resolver *resolver = calloc(1, sizeof *resolver);
	int error = -ENOMEM;

	if (!resolver)
		return error;
	resolver->loop = loop;
	list_init(&resolver->waiting);
	error = dns_create(loop, servers, &resolver->dns);
	if (error)
		goto failed;
	error = -ENOMEM;
	resolver->cache = dns_cache_create(loop, resolver->dns, answer_came, resolver);
	if (!resolver->cache)
		goto failed;
	*result = resolver;
	return 0;

failed:
	sip_resolver_destroy(resolver);
	return error;
}

void sip_resolver_destroy(struct sip_resolver *resolver)
{
	if (!resolver)
		return;
	assert(list_empty(&resolver->waiting));
	dns_cache_destroy(resolver->cache);
	dns_destroy(resolver->dns);
	free(resolver);
}

struct sip_resolver_counters sip_resolver_count(const struct sip_resolver *resolver)
{
	return (struct sip_resolver_counters){
	    .cache = dns_cache_count(resolver->cache),
	    .dead = dead_targets_count(&resolver->dead, resolver->loop),
	};
}
