// A trunk's host and URI as text.
#include "sip/trunk_uri.h"

#include "base/net.h"
#include "sip/uri.h"

void trunk_write_host(const struct trunk *trunk, struct writer *w)
{
	struct net_address address;
	bool number = net_address_parse(trunk->host, (uint16_t)trunk->port, &address);

	if (number && trunk->port != 0 && trunk->port != (trunk->transport == TRANSPORT_TLS ? 5061 : 5060)) {
		net_address_write(w, &address);
		return;
	}
	if (number && address.family == 6)
		writer_char(w, '[');
	if (number)
		net_address_write_host(w, &address);
	else
		writer_str(w, trunk->host);
	if (number && address.family == 6)
		writer_char(w, ']');
	// RFC 3263 section 4.2: without a port whoever reads it looks for SRV records, too.
	if (!number && trunk->port != 0) {
		writer_char(w, ':');
		writer_uint(w, (uint64_t)trunk->port);
	}
}

void trunk_write_uri(const struct trunk *trunk, struct str user, struct writer *w)
{
	writer_text(w, "sip:");
	if (!str_empty(user)) {
		sip_write_user(w, user);
		writer_char(w, '@');
	}
	trunk_write_host(trunk, w);
	if (trunk->transport != TRANSPORT_UDP && trunk->transport != TRUNK_TRANSPORT_AUTO) {
		writer_text(w, ";transport=");
		writer_text(w, transport_names[trunk->transport]);
	}
	// RFC 3261 section 19.1.1. Without it MS Teams guesses.
	if (trunk_is_teams(trunk) && !str_empty(user))
		writer_text(w, ";user=phone");
}
