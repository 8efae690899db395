// Who sent a request: a device by its digest, a trunk by its address, or by its digest where it has one. What a request says of
// itself in From is not believed.
#ifndef SIP_IDENTITY_H
#define SIP_IDENTITY_H

#include "sip/core.h"

enum identity_kind { IDENTITY_DEVICE, IDENTITY_TRUNK };

struct identity {
	enum identity_kind kind;
	uint64_t id;
	const struct device *device; // IDENTITY_DEVICE; the directory's, until it changes
};

enum identity_trust { TRUST_DEVICES, TRUST_DEVICES_AND_TRUNKS };

// False: the request was answered (401, 400 for credentials that cannot be read, 503 for an account that must wait
// or has asked for too much) or dropped,
// since its sender is banned; without any state.
bool identity_establish(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			enum identity_trust trust, struct identity *who);

#endif
