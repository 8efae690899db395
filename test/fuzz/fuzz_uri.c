// URIs: print and parse again; equality; escapes both ways.
#include "fuzz/fuzz.h"
#include "sip/uri.h"

static const char *scheme_text(const struct sip_uri *uri)
{
	switch (uri->scheme) {
	case URI_SIP:
		return "sip:";
	case URI_SIPS:
		return "sips:";
	case URI_TEL:
		return "tel:";
	case URI_OTHER:
		break;
	}
	return NULL;
}

static void print(struct writer *w, const struct sip_uri *uri)
{
	if (!scheme_text(uri)) {
		writer_str(w, uri->text);
		return;
	}
	writer_text(w, scheme_text(uri));
	writer_str(w, uri->user);
	if (uri->password.at) {
		writer_char(w, ':');
		writer_str(w, uri->password);
	}
	if (uri->scheme != URI_TEL) {
		writer_text(w, str_empty(uri->user) ? "" : "@");
		writer_text(w, uri->host_is_ipv6 ? "[" : "");
		writer_str(w, uri->host);
		writer_text(w, uri->host_is_ipv6 ? "]" : "");
	}
	if (uri->port)
		writer_format(w, ":%u", uri->port);
	if (uri->parameters.at) {
		writer_char(w, ';');
		writer_str(w, uri->parameters);
	}
	if (uri->headers.at) {
		writer_char(w, '?');
		writer_str(w, uri->headers);
	}
}

// What a user part means survives being written by us.
static void user_round_trip(const struct sip_uri *uri)
{
	char meaning[SIP_URI_MAX], written[3 * SIP_URI_MAX], meaning_again[3 * SIP_URI_MAX];
	struct str plain, again;
	struct writer w = writer_into(written, sizeof written);
	must(sip_unescape(uri->user, meaning, &plain));
	sip_write_user(&w, plain);
	must(!w.overflow);
	must(sip_unescape(writer_result(&w), meaning_again, &again));
	must_equal(plain, again);
}

// Two URIs are equal whichever is asked first.
static void pair_is_symmetric(struct str first, struct str second)
{
	struct sip_uri a, b;
	const char *why;
	size_t at;
	if (sip_uri_parse(first, &a, &why, &at) && sip_uri_parse(second, &b, &why, &at))
		must(sip_uri_equal(&a, &b) == sip_uri_equal(&b, &a));
}

// One URI, or two with a line end between.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = input(data, size), value;
	struct sip_uri uri, again;
	const char *why = NULL;
	size_t at = SIZE_MAX;
	const size_t line_end = str_index(text, '\n');
	if (line_end < size) {
		pair_is_symmetric(str_first(text, line_end), str_from(text, line_end + 1));
		return 0;
	}
	if (!sip_uri_parse(text, &uri, &why, &at)) {
		must(why && at <= size);
		return 0;
	}
	must_lie_within(text, uri.user);
	must_lie_within(text, uri.host);
	must_lie_within(text, uri.parameters);
	must_lie_within(text, uri.headers);

	char printed[SIP_URI_MAX];
	struct writer w = writer_into(printed, sizeof printed);
	print(&w, &uri);
	must(!w.overflow);
	must(sip_uri_parse(writer_result(&w), &again, &why, &at));
	must(uri.scheme == again.scheme && uri.port == again.port && uri.host_is_ipv6 == again.host_is_ipv6);
	must_equal(uri.user, again.user);
	must_equal(uri.password, again.password);
	must_equal(uri.host, again.host);
	must_equal(uri.parameters, again.parameters);
	must_equal(uri.headers, again.headers);
	must(sip_uri_equal(&uri, &uri));
	must(sip_uri_equal(&uri, &again) && sip_uri_equal(&again, &uri));
	if (uri.scheme == URI_SIP || uri.scheme == URI_SIPS)
		user_round_trip(&uri);
	(void)sip_parameter(uri.parameters, ';', STR("transport"), &value);
	return 0;
}
