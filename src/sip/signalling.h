// The adapter that implements domain/signalling.h.
#ifndef SIP_SIGNALLING_H
#define SIP_SIGNALLING_H

#include "sip/core.h"

void sip_signalling_init(struct sip_endpoint *endpoint);

#endif
