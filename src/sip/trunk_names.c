// The hosts of trunks, and their targets. Each name is looked up when it appears and again when what is known of it grows old; the cache then asks
// before it must, so that no call ever meets a name that is not there.
#include "sip/trunk_names.h"

#include "base/log.h"
#include "sip/trunk_health.h"
#include "sip/trunk_leg.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_AGAIN_MIN_MS = 2000, LOOK_AGAIN_MAX_MS = 600 * 1000 };

struct trunk_name {
	struct list node;
	struct sip_endpoint *endpoint;
	uint64_t trunk_id;
	struct sip_lookup lookup;
	struct timer again;
	unsigned count; // known now: hosts, their ports mean nothing
	struct net_address hosts[SIP_TARGETS_MAX];
};

struct trunk_names {
	struct sip_endpoint *endpoint;
	struct list names; // few, searched in order
};

// ---- looking

static bool has_host(const struct trunk_name *name, const struct net_address *address)
{
	for (unsigned i = 0; i < name->count; i++)
		if (net_address_same_host(&name->hosts[i], address))
			return true;
	return false;
}

static bool same_hosts(const struct trunk_name *name)
{
	if (name->count != name->lookup.count)
		return false;
	for (unsigned i = 0; i < name->count; i++)
		if (!has_host(name, &name->lookup.targets[i].address))
			return false;
	return true;
}

static void looked(struct sip_lookup *lookup)
{
	struct trunk_name *name = container_of(lookup, struct trunk_name, lookup);
	struct loop *loop = name->endpoint->loop;
	uint64_t now = loop_now_ms(loop), wait_ms;
	const struct trunk *trunk = directory_trunk(name->endpoint->directory, name->trunk_id);

	if (!same_hosts(name))
		log_info("trunk_addresses", LOG_UINT("trunk", name->trunk_id),
			 LOG_STR("title", trunk ? trunk->title : STR_NONE), LOG_UINT("count", lookup->count));
	for (unsigned i = 0; i < lookup->count; i++)
		name->hosts[i] = lookup->targets[i].address;
	name->count = lookup->count;
	if (trunk)
		trunk_health_know(name->endpoint->trunk_health, trunk, lookup);
	if (lookup->good_until_ms == UINT64_MAX) // addresses stay what they are
		return;
	// In the last fifth of its time the cache asks, and the look after that finds the new answer.
	wait_ms = lookup->good_until_ms > now ? (lookup->good_until_ms - now) / 6 * 5 : 0;
	if (wait_ms < LOOK_AGAIN_MIN_MS)
		wait_ms = LOOK_AGAIN_MIN_MS;
	timer_start(loop, &name->again, wait_ms < LOOK_AGAIN_MAX_MS ? wait_ms : LOOK_AGAIN_MAX_MS);
}

static void look(struct trunk_name *name)
{
	const struct trunk *trunk = directory_trunk(name->endpoint->directory, name->trunk_id);
	struct sip_destination destination;

	if (!trunk)
		return;
	destination = trunk_destination(name->endpoint, trunk, SIP_TO_RECOGNISE);
	if (sip_lookup_start(name->endpoint->resolver, &name->lookup, &destination, looked))
		looked(&name->lookup);
}

static void look_again(struct timer *timer)
{
	look(container_of(timer, struct trunk_name, again));
}

// ---- the names

static void name_free(struct trunk_name *name)
{
	list_remove(&name->node);
	sip_lookup_stop(&name->lookup);
	timer_stop(&name->again);
	free(name);
}

void trunk_names_changed(struct trunk_names *names, uint64_t trunk_id)
{
	const struct trunk *trunk = directory_trunk(names->endpoint->directory, trunk_id);

	list_each (node, following, &names->names) {
		struct trunk_name *name = container_of(node, struct trunk_name, node);
		if (name->trunk_id == trunk_id)
			name_free(name);
	}
	if (!trunk || !trunk->enabled) {
		trunk_health_forget(names->endpoint->trunk_health, trunk_id);
		return;
	}
	struct trunk_name *name = calloc(1, sizeof *name);
	if (!name) {
		log_error("trunk_name_out_of_memory", LOG_UINT("trunk", trunk_id));
		return;
	}
	name->endpoint = names->endpoint;
	name->trunk_id = trunk_id;
	timer_init(&name->again, look_again);
	list_append(&names->names, &name->node);
	look(name);
}

bool trunk_names_have(const struct trunk_names *names, uint64_t trunk_id, const struct net_address *address)
{
	list_each (node, following, &names->names) {
		const struct trunk_name *name = container_of(node, const struct trunk_name, node);
		for (unsigned i = 0; name->trunk_id == trunk_id && i < name->count; i++)
			if (net_address_same_host(&name->hosts[i], address))
				return true;
	}
	return false;
}

const struct trunk *trunk_of_address(const struct sip_endpoint *endpoint, const struct net_address *address)
{
	const struct trunk *trunk = directory_trunk_by_address(endpoint->directory, address);

	if (trunk)
		return trunk;
	list_each (node, following, &endpoint->trunk_names->names) {
		const struct trunk_name *name = container_of(node, const struct trunk_name, node);
		trunk = directory_trunk(endpoint->directory, name->trunk_id);
		if (!trunk || !trunk->enabled || !str_empty(trunk->inbound)) // which is all there is, when it is given
			continue;
		if (has_host(name, address))
			return trunk;
	}
	return NULL;
}

struct trunk_names *trunk_names_create(struct sip_endpoint *endpoint)
{
	struct trunk_names *names = calloc(1, sizeof *names);

	if (!names)
		return NULL;
	names->endpoint = endpoint;
	list_init(&names->names);
	return names;
}

void trunk_names_destroy(struct trunk_names *names)
{
	if (!names)
		return;
	list_each (node, following, &names->names)
		name_free(container_of(node, struct trunk_name, node));
	free(names);
}
