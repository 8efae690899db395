// Via values: print and parse again.
#include "fuzz/fuzz.h"
#include "sip/message.h"

static void print(struct writer *w, const struct sip_via *via)
{
	writer_text(w, "SIP/2.0/");
	writer_str(w, via->transport);
	writer_text(w, via->host_is_ipv6 ? " [" : " ");
	writer_str(w, via->host);
	writer_text(w, via->host_is_ipv6 ? "]" : "");
	if (via->port)
		writer_format(w, ":%u", via->port);
	if (via->parameters.at) {
		writer_char(w, ';');
		writer_str(w, via->parameters);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = input(data, size);
	struct sip_via via, again;
	bool fine = sip_via_parse(text, &via);
	must_lie_within(text, via.transport);
	must_lie_within(text, via.host);
	must_lie_within(text, via.branch);
	must_lie_within(text, via.received);
	must_lie_within(text, via.parameters);
	if (!fine)
		return 0;

	char *printed = malloc(size + 32);
	must(printed);
	struct writer w = writer_into(printed, size + 32);
	print(&w, &via);
	must(!w.overflow);
	must(sip_via_parse(writer_result(&w), &again));
	must(via.port == again.port && via.rport == again.rport && via.rport_value == again.rport_value &&
	     via.host_is_ipv6 == again.host_is_ipv6);
	must_equal(via.transport, again.transport);
	must_equal(via.host, again.host);
	must_equal(via.branch, again.branch);
	must_equal(via.received, again.received);
	must_equal(via.parameters, again.parameters);
	free(printed);
	return 0;
}
