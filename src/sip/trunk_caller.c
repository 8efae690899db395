// Requests of trunks: whose they are, and the number that they are for.
#include "sip/trunk_caller.h"

#include "sip/register_request.h"
#include "sip/trunk_names.h"
#include "sip/trunk_registration.h"

static bool is_allowed(const struct sip_endpoint *endpoint, const struct trunk *trunk, const struct flow *from)
{
	uint64_t id = trunk->entity.id;

	if (!trunk->enabled || (trunk_is_teams(trunk) && from->transport != TRANSPORT_TLS))
		return false;
	if (directory_trunk_has_address(endpoint->directory, id, &from->remote))
		return true;
	return str_empty(trunk->inbound) && // which are all there are, when they are given
	       (trunk_names_have(endpoint->trunk_names, id, &from->remote) ||
		trunk_registration_came_from(endpoint->trunk_registrations, id, from));
}

static struct str account_of(const struct trunk *trunk)
{
	if (!trunk->registers)
		return STR_NONE;
	return str_empty(trunk->registration_user) ? trunk->username : trunk->registration_user;
}

static bool names_account(const struct sip_uri *uri, const struct trunk *trunk)
{
	char text[SIP_URI_MAX];
	struct str user;

	return !str_empty(uri->user) && uri->user.length <= sizeof text && sip_unescape(uri->user, text, &user) &&
	       str_equal(user, account_of(trunk));
}

// How much the request looks like one to this trunk's account.
static unsigned likeness(const struct trunk *trunk, const struct sip_message *request)
{
	if (trunk->registers && register_line(&request->uri) == trunk->entity.id)
		return 3;
	if (names_account(&request->uri, trunk))
		return 2;
	return names_account(&request->to.uri, trunk) ? 1 : 0;
}

const struct trunk *trunk_of_name(const struct sip_endpoint *endpoint, struct str name, const struct flow *from)
{
	for (const struct trunk *trunk = directory_trunk_after(endpoint->directory, NULL); trunk;
	     trunk = directory_trunk_after(endpoint->directory, trunk)) {
		if (!trunk->enabled || str_empty(name) || !str_equal(trunk->inbound_username, name))
			continue;
		if (str_empty(trunk->inbound) ||
		    directory_trunk_has_address(endpoint->directory, trunk->entity.id, &from->remote))
			return trunk;
	}
	return NULL;
}

// Of two that are as like, one that is known by its address alone.
static bool is_better(const struct trunk *trunk, const struct trunk *best)
{
	bool signs_in = !str_empty(trunk->inbound_username), best_signs_in = !str_empty(best->inbound_username);

	return signs_in == best_signs_in ? trunk->entity.id < best->entity.id : best_signs_in;
}

const struct trunk *trunk_of_request(const struct sip_endpoint *endpoint, const struct flow *from,
				     const struct sip_message *request)
{
	const struct trunk *best = NULL;
	unsigned most = 0;

	for (const struct trunk *trunk = directory_trunk_after(endpoint->directory, NULL); trunk;
	     trunk = directory_trunk_after(endpoint->directory, trunk)) {
		if (!is_allowed(endpoint, trunk, from))
			continue;
		unsigned like = likeness(trunk, request);
		if (!best || like > most || (like == most && is_better(trunk, best))) {
			best = trunk;
			most = like;
		}
	}
	// A call to an account whose calls sign in must do so, though another account may be called from there without.
	return best && str_empty(best->inbound_username) ? best : NULL;
}

struct str trunk_called_user(const struct trunk *trunk, const struct sip_message *invite)
{
	struct str value = sip_header_value(invite, SIP_HEADER_P_CALLED_PARTY_ID);
	struct sip_address called;

	if (!trunk->registers ||
	    (register_line(&invite->uri) != trunk->entity.id && !names_account(&invite->uri, trunk)))
		return invite->uri.user;
	if (!str_empty(value) && sip_address_parse(value, &called) && !str_empty(called.uri.user))
		return called.uri.user;
	return str_empty(invite->to.uri.user) ? invite->uri.user : invite->to.uri.user;
}
