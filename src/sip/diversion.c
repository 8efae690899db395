// Who has sent a call on, read and written by either header.
#include "sip/diversion.h"

#include <string.h>

// ---- reading

// Only what is surely our own: with no domains configured we answer for any, but have not written every.
static bool is_ours(const struct sip_endpoint *endpoint, const struct sip_uri *uri)
{
	if (uri->scheme != URI_SIP && uri->scheme != URI_SIPS)
		return false;
	return str_equal_nocase(uri->host, endpoint->host) || str_equal_nocase(uri->host, endpoint->realm) ||
	       sip_transport_is_local(endpoint->transport, uri->host, uri->port) ||
	       (!str_empty(str_trim(endpoint->domains)) && sip_endpoint_is_ours(endpoint, uri));
}

// The URI without what belongs to the header it came in.
static bool write_plain_uri(const struct sip_uri *uri, char into[DIVERSION_URI_MAX], struct str *text)
{
	static const char *const schemes[] = {[URI_SIP] = "sip:", [URI_SIPS] = "sips:", [URI_TEL] = "tel:"};
	struct writer w = writer_into(into, DIVERSION_URI_MAX);

	if (uri->scheme == URI_OTHER)
		return false;
	writer_text(&w, schemes[uri->scheme]);
	writer_str(&w, uri->user);
	if (uri->scheme != URI_TEL) {
		writer_text(&w, str_empty(uri->user) ? "" : "@");
		writer_text(&w, uri->host_is_ipv6 ? "[" : "");
		writer_str(&w, uri->host);
		writer_text(&w, uri->host_is_ipv6 ? "]" : "");
		if (uri->port)
			writer_format(&w, ":%u", uri->port);
	}
	*text = writer_result(&w);
	return !w.overflow;
}

// A new last one; the oldest makes room.
static struct diversion *append(const struct sip_endpoint *endpoint, struct sip_diversions *diversions,
				const struct sip_uri *uri)
{
	char number[SIP_URI_MAX], whole[DIVERSION_URI_MAX];
	struct str user = sip_number_only(uri->user), text, plain;

	if (user.length > sizeof diversions->numbers[0] || !sip_unescape(user, number, &text) ||
	    !write_plain_uri(uri, whole, &plain))
		return NULL;
	if (diversions->count == DIVERSIONS_MAX) {
		memmove(diversions->numbers, diversions->numbers + 1,
			sizeof diversions->numbers - sizeof *diversions->numbers);
		memmove(diversions->uris, diversions->uris + 1, sizeof diversions->uris - sizeof *diversions->uris);
		memmove(diversions->list, diversions->list + 1, sizeof diversions->list - sizeof *diversions->list);
		diversions->count--;
	}
	size_t i = diversions->count++;
	memcpy(diversions->numbers[i], text.at, text.length);
	memcpy(diversions->uris[i], plain.at, plain.length);
	diversions->list[i] = (struct diversion){
	    .number = {NULL, text.length}, .uri = {NULL, plain.length}, .times = 1, .is_ours = is_ours(endpoint, uri)};
	return &diversions->list[i];
}

static enum diversion_reason reason_of_name(struct str name)
{
	for (int i = 0; diversion_reason_names[i]; i++)
		if (str_equal_nocase(name, str_of(diversion_reason_names[i])))
			return (enum diversion_reason)i;
	return DIVERSION_UNKNOWN;
}

static void read_diversion(const struct sip_endpoint *endpoint, struct str value, struct sip_diversions *diversions)
{
	struct sip_address address;
	struct str text;
	uint64_t times;

	if (!sip_address_parse(value, &address))
		return;
	struct diversion *diversion = append(endpoint, diversions, &address.uri);
	if (!diversion)
		return;
	if (sip_header_parameter(address.parameters, STR("reason"), &text))
		diversion->reason = reason_of_name(text);
	if (sip_header_parameter(address.parameters, STR("counter"), &text) && str_to_uint(text, 1000, &times) && times)
		diversion->times = (unsigned)times;
	if (sip_header_parameter(address.parameters, STR("privacy"), &text))
		diversion->is_private = !str_equal_nocase(text, STR("off"));
}

// The newest comes first (RFC 5806 section 4); at most so many are looked at.
static void read_diversions(const struct sip_endpoint *endpoint, const struct sip_message *invite,
			    struct sip_diversions *diversions)
{
	struct str values[4 * DIVERSIONS_MAX];
	struct sip_walk walk = {0};
	size_t count = 0;

	while (count < sizeof values / sizeof *values &&
	       sip_value_next(invite, SIP_HEADER_DIVERSION, &walk, &values[count]))
		count++;
	while (count-- > 0)
		read_diversion(endpoint, values[count], diversions);
}

static enum diversion_reason reason_of_cause(unsigned cause)
{
	switch (cause) {
	case 302:
		return DIVERSION_UNCONDITIONAL;
	case 486:
		return DIVERSION_USER_BUSY;
	case 408:
		return DIVERSION_NO_ANSWER;
	case 480:
	case 487:
		return DIVERSION_DEFLECTION;
	case 503:
		return DIVERSION_UNAVAILABLE;
	default:
		return DIVERSION_UNKNOWN;
	}
}

// An entry whose URI has a cause was reached because the one before it sent the call on (RFC 4458).
static void read_history(const struct sip_endpoint *endpoint, const struct sip_message *invite,
			 struct sip_diversions *diversions)
{
	struct sip_address before = {.angle = false}, entry;
	struct sip_walk walk = {0};
	struct str value, text;
	uint64_t cause;

	for (size_t i = 0; i < 4 * DIVERSIONS_MAX && sip_value_next(invite, SIP_HEADER_HISTORY_INFO, &walk, &value);
	     i++) {
		if (!sip_address_parse(value, &entry))
			continue;
		if (!str_empty(before.uri.text) && sip_parameter(entry.uri.parameters, ';', STR("cause"), &text) &&
		    str_to_uint(text, 699, &cause)) {
			struct diversion *diversion = append(endpoint, diversions, &before.uri);
			if (diversion) {
				diversion->reason = reason_of_cause((unsigned)cause);
				diversion->is_private = sip_parameter(before.uri.headers, '&', STR("Privacy"), &text) &&
							!str_equal_nocase(text, STR("none"));
			}
		}
		before = entry;
	}
}

void sip_diversions_read(const struct sip_endpoint *endpoint, const struct sip_message *invite,
			 struct sip_diversions *diversions)
{
	diversions->count = 0;
	if (sip_header_first(invite, SIP_HEADER_DIVERSION))
		read_diversions(endpoint, invite, diversions);
	else
		read_history(endpoint, invite, diversions);
	for (size_t i = 0; i < diversions->count; i++) {
		diversions->list[i].number.at = diversions->numbers[i];
		diversions->list[i].uri.at = diversions->uris[i];
	}
}

// ---- writing

static void write_uri(struct writer *w, const struct diversion *diversion, struct str host)
{
	if (!str_empty(diversion->uri)) {
		writer_str(w, diversion->uri);
		return;
	}
	writer_text(w, "sip:");
	sip_write_user(w, diversion->number);
	writer_text(w, str_empty(diversion->number) ? "" : "@");
	writer_str(w, host);
}

// The newest first (RFC 5806 section 4).
static void write_diversions(const struct outgoing_invite *invite, struct str host, struct writer *w)
{
	for (size_t i = invite->diversion_count; i-- > 0;) {
		const struct diversion *diversion = &invite->diversions[i];
		writer_text(w, "Diversion: <");
		write_uri(w, diversion, host);
		writer_format(w, ">;reason=%s", diversion_reason_names[diversion->reason]);
		if (diversion->times > 1)
			writer_format(w, ";counter=%u", diversion->times);
		writer_text(w, diversion->is_private ? ";privacy=full\r\n" : "\r\n");
	}
}

// "1", "1.1", "1.1.1": each was reached by the one before (RFC 7044 section 10.3).
static void write_index(struct writer *w, size_t depth)
{
	writer_text(w, "1");
	while (depth-- > 0)
		writer_text(w, ".1");
}

static void write_history(const struct outgoing_invite *invite, struct str host, struct str target, struct writer *w)
{
	for (size_t i = 0; i <= invite->diversion_count; i++) {
		const struct diversion *diversion = i < invite->diversion_count ? &invite->diversions[i] : NULL;
		writer_text(w, "History-Info: <");
		if (diversion)
			write_uri(w, diversion, host);
		else
			writer_str(w, target);
		if (i > 0)
			writer_format(w, ";cause=%u", diversion_cause(invite->diversions[i - 1].reason));
		writer_text(w, diversion && diversion->is_private ? "?Privacy=history>;index=" : ">;index=");
		write_index(w, i);
		if (i > 0) {
			writer_text(w, ";mp=");
			write_index(w, i - 1);
		}
		writer_text(w, "\r\n");
	}
}

void sip_diversions_write(const struct outgoing_invite *invite, struct str host, struct str target, struct writer *w)
{
	if (invite->diversion_count == 0)
		return;
	switch ((enum trunk_diversion)invite->trunk->diversion) {
	case TRUNK_DIVERSION_NONE:
		break;
	case TRUNK_DIVERSION_DIVERSION:
		write_diversions(invite, host, w);
		break;
	case TRUNK_DIVERSION_HISTORY_INFO:
		write_history(invite, host, target, w);
		break;
	case TRUNK_DIVERSION_BOTH:
		write_diversions(invite, host, w);
		write_history(invite, host, target, w);
		break;
	}
}
