// The checks that RFC 3261 section 8.2 has a server make on each request, in the order of that section.
#include "sip/rules.h"

// 416 where the scheme is one we do not serve (RFC 3261 section 8.2.2.1): sips: is one where anybody can listen.
static unsigned check_uris(const struct flow *from, const struct sip_message *request, struct str *reason)
{
	const struct sip_uri *uri = &request->uri;
	if (request->method == SIP_REGISTER &&
	    (request->to.uri.scheme != URI_SIP && request->to.uri.scheme != URI_SIPS)) {
		*reason = STR("To must be a SIP URI");
		return 400;
	}
	if (uri->scheme == URI_OTHER || (uri->scheme == URI_SIPS && !sip_transport_is_secured(from)))
		return 416;
	if (uri->scheme == URI_TEL)
		return request->method == SIP_INVITE || request->method == SIP_OPTIONS ? 0 : 416;
	if (!str_empty(uri->headers)) { // RFC 3261 table 1
		*reason = STR("Request-URI must not have headers");
		return 400;
	}
	return 0;
}

static bool supported(const struct sip_message *request, struct str tag)
{
	if (request->method == SIP_REGISTER)
		return str_equal_nocase(tag, STR("path"));
	if (request->method == SIP_REFER && str_equal_nocase(tag, STR("norefersub")))
		return true;
	if (request->method == SIP_INVITE && str_equal_nocase(tag, STR("replaces")))
		return true;
	return str_equal_nocase(tag, STR("100rel")) || str_equal_nocase(tag, STR("timer"));
}

// Lists what is not understood; as many as fit.
static unsigned list_unsupported(const struct sip_message *request, enum sip_header_name header, struct writer *extra,
				 unsigned found)
{
	struct sip_walk walk = {0};
	struct str tag;
	while (sip_value_next(request, header, &walk, &tag)) {
		tag = str_trim(tag);
		if (str_empty(tag) || supported(request, tag))
			continue;
		if (extra->used + tag.length + 32 < extra->size) {
			writer_text(extra, found ? ", " : "Unsupported: ");
			writer_str(extra, tag);
		}
		found++;
	}
	return found;
}

static unsigned check_extensions(const struct sip_message *request, struct writer *extra)
{
	unsigned found = list_unsupported(request, SIP_HEADER_REQUIRE, extra, 0);
	found = list_unsupported(request, SIP_HEADER_PROXY_REQUIRE, extra, found);
	if (!found)
		return 0;
	if (extra->used > 0)
		writer_text(extra, "\r\n");
	return 420;
}

static bool is_session_body(struct str type)
{
	type = str_trim(str_first(type, str_index(type, ';')));
	return str_equal_nocase(type, STR("application/sdp")) || str_starts_nocase(type, STR("multipart/"));
}

// RFC 3261 section 8.2.3.
static unsigned check_body(const struct sip_message *request, struct writer *extra)
{
	if (str_empty(request->body))
		return 0;
	struct sip_walk walk = {0};
	struct str encoding;
	while (sip_value_next(request, SIP_HEADER_CONTENT_ENCODING, &walk, &encoding))
		if (!str_equal_nocase(str_trim(encoding), STR("identity"))) {
			writer_text(extra, "Accept-Encoding: identity\r\n");
			return 415;
		}
	if (request->method != SIP_INVITE && request->method != SIP_UPDATE)
		return 0;
	if (is_session_body(sip_header_value(request, SIP_HEADER_CONTENT_TYPE)))
		return 0;
	writer_text(extra, SIP_ACCEPT_LINE);
	return 415;
}

unsigned rules_check_in_dialog(const struct sip_message *request, struct writer *extra)
{
	unsigned status = check_extensions(request, extra);
	return status ? status : check_body(request, extra);
}

unsigned rules_check(const struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
		     struct writer *extra, struct str *reason)
{
	unsigned status = check_uris(from, request, reason);
	if (status)
		return status;
	if (!sip_endpoint_is_ours(endpoint, &request->uri))
		return 404;
	// A registration ends here; what may have to go on to somebody needs a hop for it.
	if (request->max_forwards == 0 && request->method != SIP_REGISTER)
		return 483;
	return rules_check_in_dialog(request, extra);
}
