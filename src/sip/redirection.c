// What a 3xx of a device names: the numbers in those Contacts that are ours to dial, best q first. A host of somebody else's
// is left out: nobody has us call him by answering so.
#include "sip/session.h"

enum { Q_WHOLE = 1000 };

struct target {
	unsigned q; // thousandths
	char text[SIP_URI_MAX];
	struct str number;
};

static unsigned q_of(struct str parameters)
{
	struct str value, whole;
	uint64_t thousandths = 0;

	if (!sip_header_parameter(parameters, STR("q"), &value) || !str_take(&value, '.', &whole))
		return Q_WHOLE;
	if (str_equal(whole, STR("1")))
		return Q_WHOLE;
	for (size_t i = 0; i < 3; i++) {
		char digit = i < value.length ? value.at[i] : '0';
		thousandths = thousandths * 10 + (digit >= '0' && digit <= '9' ? (uint64_t)(digit - '0') : 0);
	}
	return (unsigned)thousandths;
}

// The host we call ourselves towards this device counts, too.
static bool is_ours(const struct sip_session *session, const struct sip_uri *uri)
{
	const struct sip_endpoint *endpoint = session->endpoint;
	struct sip_address local;

	if (uri->scheme == URI_TEL)
		return true;
	if (uri->scheme != URI_SIP && uri->scheme != URI_SIPS)
		return false;
	if (str_equal_nocase(uri->host, endpoint->realm) ||
	    sip_transport_is_local(endpoint->transport, uri->host, uri->port))
		return true;
	if (sip_address_parse(session->dialog.local, &local) && str_equal_nocase(uri->host, local.uri.host))
		return true;
	return !str_empty(str_trim(endpoint->domains)) && sip_endpoint_is_ours(endpoint, uri);
}

static bool target_read(const struct sip_session *session, struct str value, struct target *target)
{
	struct sip_address address;

	if (!sip_address_parse(value, &address) || !is_ours(session, &address.uri) || str_empty(address.uri.user) ||
	    address.uri.user.length > sizeof target->text)
		return false;
	target->q = q_of(address.parameters);
	// A telephone number may carry parameters of its own (RFC 3966).
	struct str user = str_first(address.uri.user, str_index(address.uri.user, ';'));
	return sip_unescape(user, target->text, &target->number) && !str_empty(target->number);
}

static void target_insert(struct target targets[REDIRECT_TARGETS_MAX + 1], size_t *count, const struct target *target)
{
	size_t at = *count;

	for (; at > 0 && targets[at - 1].q < target->q; at--) {
		targets[at] = targets[at - 1];
		targets[at].number.at = targets[at].text;
	}
	targets[at] = *target;
	targets[at].number.at = targets[at].text;
	if (*count < REDIRECT_TARGETS_MAX)
		++*count;
}

void session_redirected(uint64_t leg, const struct sip_session *session, const struct sip_message *response)
{
	struct call_table *calls = session->endpoint->calls;
	struct target targets[REDIRECT_TARGETS_MAX + 1], target;
	struct str numbers[REDIRECT_TARGETS_MAX], value;
	struct sip_walk walk = {0};
	size_t count = 0;

	while (sip_value_next(response, SIP_HEADER_CONTACT, &walk, &value))
		if (target_read(session, value, &target))
			target_insert(targets, &count, &target);
	for (size_t i = 0; i < count; i++)
		numbers[i] = targets[i].number;
	call_table_redirected(calls, leg, response->status, response->reason, numbers, count);
}
