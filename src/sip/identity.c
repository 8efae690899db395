// Authentication of requests. An unknown name and a wrong password take the same way through here and get the same answer.
#include "sip/identity.h"

#include "base/log.h"
#include "sip/trunk_names.h"

enum { NAME_MAX_LENGTH = 128, CHALLENGE_MAX = 1024 };

static void challenge(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
		      bool stale)
{
	char lines[CHALLENGE_MAX];
	struct writer w = writer_into(lines, sizeof lines);
	sip_auth_write_challenge(endpoint->auth, &w, 401, stale);
	if (!w.overflow)
		sip_endpoint_answer(endpoint, from, request, 401, writer_result(&w));
}

static void log_refusal(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			const char *name)
{
	char address[64];
	struct writer w = writer_into(address, sizeof address);
	net_address_write(&w, &from->remote);
	endpoint->refused_authentication++;
	log_warning("sip_authentication_refused", LOG_STR("remote", writer_result(&w)),
		    LOG_TEXT("method", sip_method_name(request->method)), LOG_TEXT("device", name));
}

bool identity_establish(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			enum identity_trust trust, struct identity *who)
{
	char name[NAME_MAX_LENGTH];
	const struct device *device = NULL;
	struct sip_auth_secret secret = {0};
	bool named = sip_auth_username(endpoint->auth, request, name, sizeof name);

	// Credentials win over the address: a phone may stand beside a trunk.
	if (!named && trust == TRUST_DEVICES_AND_TRUNKS) {
		const struct trunk *trunk = trunk_of_address(endpoint, &from->remote);
		if (trunk) {
			*who = (struct identity){IDENTITY_TRUNK, trunk->entity.id};
			return true;
		}
	}
	if (named)
		device = directory_device_by_number(endpoint->directory, str_of(name));
	if (device)
		secret = (struct sip_auth_secret){device->ha1_md5, device->ha1_sha256};
	switch (sip_auth_check(endpoint->auth, request, &secret)) {
	case SIP_AUTH_OK:
		if (!device)
			break;
		*who = (struct identity){IDENTITY_DEVICE, device->entity.id};
		return true;
	case SIP_AUTH_NONE:
		break;
	case SIP_AUTH_WRONG:
		log_refusal(endpoint, from, request, named ? name : "");
		break;
	case SIP_AUTH_STALE:
		challenge(endpoint, from, request, true);
		return false;
	case SIP_AUTH_MALFORMED:
		sip_endpoint_answer(endpoint, from, request, 400, STR_NONE);
		return false;
	}
	challenge(endpoint, from, request, false);
	return false;
}
