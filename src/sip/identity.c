// Authentication of requests. An unknown name and a wrong password take the same way through here and get the same answer.
#include "sip/identity.h"

#include "base/log.h"
#include "sip/trunk_caller.h"

enum { NAME_MAX_LENGTH = 128, CHALLENGE_MAX = 1024 };

static void challenge(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
		      bool stale)
{
	char lines[CHALLENGE_MAX];
	struct writer w = writer_into(lines, sizeof lines);
	sip_auth_write_challenge(endpoint->auth, &from->remote, &w, 401, stale);
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

// A guess is not told to be right or wrong, and counts, before the time is over.
static bool must_wait(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
		      const char *name)
{
	char lines[64];
	struct writer w = writer_into(lines, sizeof lines);
	unsigned wait_s = sip_limits_wait_s(endpoint->limits, from, str_of(name));

	if (!wait_s)
		return false;
	sip_limits_failed(endpoint->limits, from, str_of(name));
	writer_format(&w, "Retry-After: %u\r\n", wait_s);
	sip_endpoint_answer(endpoint, from, request, 503, writer_result(&w));
	return true;
}

// Calls for help are always taken, and what has begun goes on.
static bool is_over_limit(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			  const struct device *device)
{
	bool is_new = str_empty(request->to_tag) || request->method == SIP_REGISTER;

	if (!is_new || sip_limits_admits_device(endpoint->limits, device->entity.id, device->number) ||
	    sip_endpoint_is_emergency(endpoint, request))
		return false;
	sip_endpoint_answer(endpoint, from, request, 503, STR("Retry-After: 1\r\n"));
	return true;
}

// The device that a proxy in front has authenticated: the user part of From, which that proxy answers for.
static const struct device *device_vouched_for(const struct sip_endpoint *endpoint, const struct flow *from,
					       const struct sip_message *request)
{
	for (size_t i = 0; i < SIP_TRUSTED_MAX; i++)
		if (net_range_holds(&endpoint->authenticated_by[i], &from->remote))
			return directory_device_by_number(endpoint->directory, request->from.uri.user);
	return NULL;
}

// What is asked next about the device.
static void expect(const struct sip_endpoint *endpoint, const struct device *device, const struct sip_message *request)
{
	if (request->method == SIP_REGISTER) {
		registrations_expect(endpoint->registrations, device->entity.id);
	} else {
		directory_expect_device(endpoint->directory, device->entity.id);
		directory_expect_holder(endpoint->directory, device->entity.id);
	}
}

static bool take_vouched_for(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			     const struct device *device, struct identity *who)
{
	expect(endpoint, device, request);
	if (is_over_limit(endpoint, from, request, device))
		return false;
	*who = (struct identity){IDENTITY_DEVICE, device->entity.id, device};
	return true;
}

// Its own, and those of whoever has it in a browser now.
static size_t secrets_of_device(const struct sip_endpoint *endpoint, const struct device *device,
				struct sip_auth_secret secrets[1 + PHONE_KEYS_OF_DEVICE])
{
	struct sip_secret keys[PHONE_KEYS_OF_DEVICE];
	size_t count = 0;

	secrets[0] = (struct sip_auth_secret){device->ha1_md5, device->ha1_sha256};
	if (device->device_kind == DEVICE_WEBRTC) {
		const struct user *holder = directory_holder(endpoint->directory, device->entity.id);
		if (holder)
			count = phone_keys_of(directory_phone_keys(endpoint->directory), device->entity.id,
					      holder->entity.id, (int64_t)loop_time_ms(endpoint->loop), keys);
	}
	for (size_t i = 0; i < count; i++)
		secrets[1 + i] = (struct sip_auth_secret){keys[i].ha1_md5, keys[i].ha1_sha256};
	return 1 + count;
}

bool identity_establish(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			enum identity_trust trust, struct identity *who)
{
	char name[NAME_MAX_LENGTH];
	const struct device *device = NULL;
	const struct trunk *signs_in = NULL;
	struct sip_auth_secret secrets[1 + PHONE_KEYS_OF_DEVICE] = {0};
	size_t secret_count = 1;
	bool named = sip_auth_username(endpoint->auth, request, name, sizeof name);

	if (!named) {
		device = device_vouched_for(endpoint, from, request);
		if (device)
			return take_vouched_for(endpoint, from, request, device, who);
	}
	// Credentials win over the address: a phone may stand beside a trunk.
	if (!named && trust == TRUST_DEVICES_AND_TRUNKS) {
		const struct trunk *trunk = trunk_of_request(endpoint, from, request);
		if (trunk) {
			*who = (struct identity){IDENTITY_TRUNK, trunk->entity.id, NULL};
			return true;
		}
	}
	if (named && !sip_limits_admits_account(endpoint->limits, from, str_of(name)))
		return false;
	if (named)
		device = directory_device_by_number(endpoint->directory, str_of(name));
	if (device)
		expect(endpoint, device, request);
	if (named && !device && trust == TRUST_DEVICES_AND_TRUNKS)
		signs_in = trunk_of_name(endpoint, str_of(name), from);
	if (device)
		secret_count = secrets_of_device(endpoint, device, secrets);
	else if (signs_in)
		secrets[0] = (struct sip_auth_secret){signs_in->inbound_ha1_md5, signs_in->inbound_ha1_sha256};
	enum sip_auth_result result = sip_auth_check(endpoint->auth, &from->remote, request, secrets, secret_count);
	if (named && (result == SIP_AUTH_OK || result == SIP_AUTH_WRONG) && must_wait(endpoint, from, request, name))
		return false;
	switch (result) {
	case SIP_AUTH_OK:
		if (signs_in) {
			sip_limits_authenticated(endpoint->limits, from, signs_in->inbound_username,
						 SIP_LIMITS_KNOWN_S);
			*who = (struct identity){IDENTITY_TRUNK, signs_in->entity.id, NULL};
			return true;
		}
		if (!device)
			break;
		sip_limits_authenticated(endpoint->limits, from, device->number, SIP_LIMITS_KNOWN_S);
		if (is_over_limit(endpoint, from, request, device))
			return false;
		*who = (struct identity){IDENTITY_DEVICE, device->entity.id, device};
		return true;
	case SIP_AUTH_NONE:
		break;
	case SIP_AUTH_WRONG:
		log_refusal(endpoint, from, request, named ? name : "");
		sip_limits_failed(endpoint->limits, from, named ? str_of(name) : STR_NONE);
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
