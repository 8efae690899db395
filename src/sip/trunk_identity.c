// The caller's identity towards and from trunks. An anonymous caller's number stands in P-Asserted-Identity alone, with Privacy, and
// only where the trunk is trusted to keep it.
#include "sip/trunk_identity.h"

#include "domain/trunk_number.h"
#include "sip/trunk_uri.h"

uint16_t trunk_own_name(const struct sip_endpoint *endpoint, const struct trunk *trunk)
{
	return str_empty(trunk->own_host) ? 0 : sip_transport_name(endpoint->transport, trunk->own_host);
}

void trunk_write_product(const struct trunk *trunk, struct writer *w)
{
	if (trunk_is_teams(trunk))
		writer_text(w, "X-MS-SBC: Carillon/" CARILLON_VERSION "\r\n");
}

static bool is_digits(struct str text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return !str_empty(text);
}

static void write_shown(const struct sip_endpoint *endpoint, const struct outgoing_invite *invite, struct str host,
			struct writer *w)
{
	const struct trunk *trunk = invite->trunk;
	char room[ROUTE_NUMBER_MAX];
	struct str number = number_formatted(directory_plan(endpoint->directory),
					     (enum number_format)trunk->caller_format, invite->caller_number, room);

	sip_write_display(w, trunk->from_name ? invite->caller_name : STR_NONE);
	writer_text(w, "<sip:");
	if (!str_empty(number)) {                               // an empty one is no URI (RFC 3261 section 25.1)
		if (trunk_is_teams(trunk) && is_digits(number)) // an extension: every number of Teams begins so
			writer_char(w, '+');
		sip_write_user(w, number);
		writer_char(w, '@');
	}
	writer_str(w, host);
	writer_char(w, '>');
}

// Carriers that go by From know the account at their own host.
static void write_account(const struct trunk *trunk, struct str name, struct writer *w)
{
	sip_write_display(w, trunk->from_name ? name : STR_NONE);
	writer_text(w, "<sip:");
	sip_write_user(w, str_empty(trunk->registration_user) ? trunk->username : trunk->registration_user);
	writer_char(w, '@');
	trunk_write_host(trunk, w);
	writer_char(w, '>');
}

void trunk_write_from(const struct sip_endpoint *endpoint, const struct outgoing_invite *invite, struct str host,
		      struct writer *w)
{
	const struct trunk *trunk = invite->trunk;

	if (invite->anonymous) // RFC 3323 section 4.1.1.3
		writer_text(w, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	else if (trunk->from_user == TRUNK_FROM_ACCOUNT && !str_empty(trunk->username))
		write_account(trunk, invite->caller_name, w);
	else
		write_shown(endpoint, invite, host, w);
}

static bool is_asserted(const struct outgoing_invite *invite)
{
	switch ((enum asserted_identity)invite->trunk->asserted_identity) {
	case ASSERTED_ALWAYS:
		return true;
	case ASSERTED_PUBLIC:
		return !invite->anonymous;
	case ASSERTED_NEVER:
		break;
	}
	return false;
}

void trunk_write_identity(const struct sip_endpoint *endpoint, const struct outgoing_invite *invite, struct str host,
			  struct writer *w)
{
	if (!str_empty(invite->caller_number) && is_asserted(invite)) {
		writer_text(w, "P-Asserted-Identity: ");
		write_shown(endpoint, invite, host, w);
		writer_text(w, "\r\n");
	}
	if (invite->anonymous)
		writer_text(w, "Privacy: id\r\n");
}

struct sip_address trunk_caller(const struct trunk *trunk, const struct sip_message *invite)
{
	struct sip_walk walk = {0};
	struct sip_address address;
	struct str value;

	while (trunk && trunk->trusts_asserted_identity &&
	       sip_value_next(invite, SIP_HEADER_P_ASSERTED_IDENTITY, &walk, &value))
		if (sip_address_parse(value, &address) && !str_empty(address.uri.user))
			return address;
	return invite->from;
}
