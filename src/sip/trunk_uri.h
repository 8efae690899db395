// How a trunk stands in the URIs of what we send to it.
#ifndef SIP_TRUNK_URI_H
#define SIP_TRUNK_URI_H

#include "base/writer.h"
#include "domain/trunk.h"

// Its host, with the port where that must be said.
void trunk_write_host(const struct trunk *trunk, struct writer *w);
// "sip:user@host;transport=tcp", or without "user@" when that is empty: a Request-URI.
void trunk_write_uri(const struct trunk *trunk, struct str user, struct writer *w);

#endif
