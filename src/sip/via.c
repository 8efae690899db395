// One Via value: the sender's protocol, where it wants its answers, and its branch (RFC 3261 section 20.42, RFC 3581).
#include "sip/message.h"
#include "sip/syntax.h"

// Reads a token with spaces around it; moves *at behind them.
static bool take_token(struct str value, size_t *at, struct str *token)
{
	size_t begin = syntax_skip_space(value, *at);
	size_t end = syntax_span(value, begin, SYNTAX_TOKEN);
	*token = syntax_slice(value, begin, end);
	*at = syntax_skip_space(value, end);
	return end > begin;
}

static bool take_slash(struct str value, size_t *at)
{
	if (*at == value.length || value.at[*at] != '/')
		return false;
	++*at;
	return true;
}

static struct str without_brackets(struct str host)
{
	if (host.length >= 2 && host.at[0] == '[' && host.at[host.length - 1] == ']')
		return syntax_slice(host, 1, host.length - 1);
	return host;
}

// The parameters that transport and transactions need are kept; one that stands twice counts as it stands first.
static bool parse_parameters(struct sip_via *via)
{
	struct str rest = via->parameters;
	struct syntax_parameter parameter;
	enum syntax_step step;
	uint64_t port;
	while ((step = syntax_parameter_next(&rest, ';', &parameter)) == SYNTAX_ITEM) {
		if (str_equal_nocase(parameter.name, STR("branch")) && str_empty(via->branch)) {
			via->branch = parameter.value;
		} else if (str_equal_nocase(parameter.name, STR("received")) && str_empty(via->received)) {
			via->received = without_brackets(parameter.value);
		} else if (str_equal_nocase(parameter.name, STR("rport")) && !via->rport) {
			via->rport = true;
			if (str_to_uint(parameter.value, 65535, &port))
				via->rport_value = (uint16_t)port;
		} else if (str_equal_nocase(parameter.name, STR("oc"))) {
			via->takes_feedback =
			    true; // by loss, which all who know it at all understand (RFC 7339 section 4)
		}
	}
	return step == SYNTAX_END;
}

bool sip_via_parse(struct str value, struct sip_via *via)
{
	*via = (struct sip_via){.text = value};
	size_t at = 0;
	struct str protocol, version;
	if (!take_token(value, &at, &protocol) || !take_slash(value, &at) || !take_token(value, &at, &version) ||
	    !take_slash(value, &at))
		return false;
	// A space is the only thing that parts the transport from the host.
	if (!take_token(value, &at, &via->transport) || !syntax_is_space(value.at[at - 1]))
		return false;

	struct syntax_hostport sent_by;
	const char *why;
	if (!syntax_hostport_parse(value, SYNTAX_SPACED, &at, &sent_by, &why))
		return false;
	via->host = sent_by.host;
	via->host_is_ipv6 = sent_by.is_ipv6;
	via->port = sent_by.port;

	at = syntax_skip_space(value, at);
	if (at < value.length) {
		if (value.at[at] != ';')
			return false;
		via->parameters = str_from(value, at + 1);
		if (!parse_parameters(via))
			return false;
	}
	// Last, so that a message of another version can be answered with 505.
	return str_equal_nocase(protocol, STR("SIP")) && str_equal(version, STR("2.0"));
}
