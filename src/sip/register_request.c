// The bytes of a REGISTER, and the reading of its answer.
#include "sip/register_request.h"

#include "base/net.h"

enum { SECONDS_MAX = 30 * 24 * 3600 };

#define LINE_PREFIX "trunk-"

// ---- writing

static void write_host(struct str host, struct writer *w)
{
	struct net_address address;
	bool bracketed = net_address_parse(host, 0, &address) && address.family == 6;

	if (bracketed)
		writer_char(w, '[');
	if (bracketed)
		net_address_write_host(w, &address);
	else
		writer_str(w, host);
	if (bracketed)
		writer_char(w, ']');
}

void register_write_uri(const struct register_account *account, struct writer *w)
{
	writer_text(w, "sip:");
	write_host(account->host, w);
	if (account->port) {
		writer_char(w, ':');
		writer_uint(w, account->port);
	}
}

// The address-of-record names a domain: no port (RFC 3261 section 10.2, To).
static void write_record(const struct register_account *account, struct writer *w)
{
	writer_text(w, "<sip:");
	sip_write_user(w, account->user);
	writer_char(w, '@');
	write_host(account->host, w);
	writer_char(w, '>');
}

void register_write_contact(const struct register_account *account, uint64_t trunk_id, struct sip_transport *transport,
			    const struct flow *flow, struct writer *w)
{
	writer_text(w, "sip:");
	sip_write_user(w, account->user);
	writer_char(w, '@');
	sip_transport_write_local(transport, w, flow);
	if (flow->transport != TRANSPORT_UDP) {
		writer_text(w, ";transport=");
		writer_text(w, transport_names[flow->transport]);
	}
	writer_text(w, ";line=" LINE_PREFIX);
	writer_uint(w, trunk_id);
}

uint64_t register_line(const struct sip_uri *uri)
{
	struct str line;
	uint64_t id = 0;

	if (!sip_parameter(uri->parameters, ';', STR("line"), &line) || !str_starts_nocase(line, STR(LINE_PREFIX)) ||
	    !str_to_uint(str_from(line, sizeof LINE_PREFIX - 1), INT64_MAX, &id))
		return 0;
	return id;
}

static void write_line(struct writer *w, const char *name, struct str value)
{
	writer_text(w, name);
	writer_text(w, ": ");
	writer_str(w, value);
	writer_text(w, "\r\n");
}

bool register_write(const struct register_draft *draft, struct sip_transport *transport, const struct flow *flow,
		    struct writer *w)
{
	writer_text(w, "REGISTER ");
	register_write_uri(draft->account, w);
	writer_text(w, " SIP/2.0\r\n");
	sip_transport_write_via(transport, w, flow, draft->branch);
	writer_text(w, "Max-Forwards: 70\r\nFrom: ");
	write_record(draft->account, w);
	writer_text(w, ";tag=");
	writer_str(w, draft->from_tag);
	writer_text(w, "\r\nTo: ");
	write_record(draft->account, w);
	writer_text(w, "\r\n");
	write_line(w, "Call-ID", draft->call_id);
	writer_format(w, "CSeq: %u REGISTER\r\nContact: <", (unsigned)draft->cseq);
	writer_str(w, draft->contact);
	writer_format(w, ">\r\nExpires: %u\r\n", draft->expires_s);
	writer_str(w, draft->extra);
	writer_text(w, "Supported: path\r\nUser-Agent: Carillon/" CARILLON_VERSION "\r\nContent-Length: 0\r\n\r\n");
	return !w->overflow;
}

// ---- reading

static unsigned seconds_of(struct str text)
{
	uint64_t seconds;
	size_t digits = 0;

	text = str_trim(text);
	while (digits < text.length && text.at[digits] >= '0' && text.at[digits] <= '9')
		digits++;
	if (digits == 0)
		return 0;
	return str_to_uint(str_first(text, digits), SECONDS_MAX, &seconds) ? (unsigned)seconds : SECONDS_MAX;
}

unsigned register_seconds(const struct sip_message *response, enum sip_header_name name)
{
	return seconds_of(sip_header_value(response, name));
}

// How surely a binding is ours: by its whole address; by the line that we gave it, when a border controller on the way has put in
// an address of its own.
enum likeness { OF_OTHERS, OUR_LINE, OURS };

static enum likeness likeness_of(const struct sip_uri *theirs, struct str contact)
{
	struct sip_uri ours;
	const char *why;
	size_t at;
	uint64_t line = register_line(theirs);

	if (!sip_uri_parse(contact, &ours, &why, &at))
		return OF_OTHERS;
	if (line != 0 && line != register_line(&ours))
		return OF_OTHERS;
	if (str_equal(theirs->user, ours.user) && str_equal_nocase(theirs->host, ours.host) &&
	    theirs->port == ours.port)
		return OURS;
	return line != 0 ? OUR_LINE : OF_OTHERS;
}

// What one value of Contact grants: its own expires, else what holds for all.
static unsigned value_grants(const struct sip_address *address, unsigned otherwise)
{
	struct str expires;

	return sip_header_parameter(address->parameters, STR("expires"), &expires) ? seconds_of(expires) : otherwise;
}

unsigned register_granted_s(const struct sip_message *response, struct str contact, unsigned asked_s)
{
	bool said = sip_header_first(response, SIP_HEADER_EXPIRES) != NULL;
	unsigned granted = said ? register_seconds(response, SIP_HEADER_EXPIRES) : asked_s, otherwise = granted;
	enum likeness best = OF_OTHERS;
	struct sip_walk walk = {0};
	struct sip_address address;
	struct str value;
	bool any = false;

	while (sip_value_next(response, SIP_HEADER_CONTACT, &walk, &value)) {
		if (!sip_address_parse(value, &address))
			continue;
		enum likeness likeness = likeness_of(&address.uri, contact);
		unsigned grants = value_grants(&address, otherwise);
		// Among those that may as well be ours the one that ends first is no risk.
		if (!any || likeness > best || (likeness == best && grants < granted)) {
			granted = grants;
			best = likeness;
		}
		any = true;
	}
	return granted;
}

bool register_service_route(const struct sip_message *response, struct writer *w)
{
	struct sip_walk walk = {0};
	struct sip_address address;
	struct str value, lr;
	bool any = false;

	while (sip_value_next(response, SIP_HEADER_SERVICE_ROUTE, &walk, &value)) {
		// RFC 3608 section 6.1: loose routers only.
		if (!sip_address_parse(value, &address) || !address.angle ||
		    !sip_parameter(address.uri.parameters, ';', STR("lr"), &lr))
			return false;
		if (any)
			writer_text(w, ", ");
		writer_str(w, value);
		any = true;
	}
	return any && !w->overflow;
}
