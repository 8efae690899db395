// Where trunks are: the addresses that their hosts and targets stand for are kept fresh, so that calls from there are known and calls to
// there need not wait.
#ifndef SIP_TRUNK_NAMES_H
#define SIP_TRUNK_NAMES_H

#include "sip/core.h"

struct trunk_names;

struct trunk_names *trunk_names_create(struct sip_endpoint *endpoint); // NULL when there is no memory
void trunk_names_destroy(struct trunk_names *names);
// The directory has another trunk by this id now, or none.
void trunk_names_changed(struct trunk_names *names, uint64_t trunk_id);

// Whether the trunk's name stands for this address.
bool trunk_names_have(const struct trunk_names *names, uint64_t trunk_id, const struct net_address *address);
// The enabled trunk that calls from this address belong to: by its inbound addresses, or by what its name stands for.
const struct trunk *trunk_of_address(const struct sip_endpoint *endpoint, const struct net_address *address);

#endif
