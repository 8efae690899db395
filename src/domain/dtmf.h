// Keys that a phone sends as SIP INFO, which no RFC defines: application/dtmf-relay ("Signal=5", "Duration=160", a line each)
// and application/dtmf (the key alone).
#ifndef DOMAIN_DTMF_H
#define DOMAIN_DTMF_H

#include "domain/signalling.h"

// '0' to '9', '*', '#', 'A' to 'D'. False: the body is no key.
bool dtmf_read(const struct body *body, char *key);

#endif
