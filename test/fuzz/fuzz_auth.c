// Values of the digest headers: print and parse again.
#include "fuzz/fuzz.h"
#include "sip/auth_header.h"

enum { FIELDS = sizeof(struct sip_auth_fields) / sizeof(struct str) };
static const char *const names[FIELDS] = {"username", "realm",  "nonce", "uri", "response", "algorithm",
					  "cnonce",   "opaque", "qop",   "nc",  "stale"};

static void print(struct writer *w, const struct str *fields)
{
	const char *separator = "Digest ";
	for (int i = 0; i < FIELDS; i++) {
		if (!fields[i].at)
			continue;
		writer_text(w, separator);
		writer_text(w, names[i]);
		writer_text(w, "=\"");
		writer_str(w, fields[i]);
		writer_char(w, '"');
		separator = ", ";
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union {
		struct sip_auth_fields named;
		struct str all[FIELDS];
	} fields, again;
	struct str text = input(data, size);
	bool any = false;
	if (sip_auth_fields_parse(text, &fields.named) != SIP_AUTH_DIGEST)
		return 0;
	for (int i = 0; i < FIELDS; i++) {
		must_lie_within(text, fields.all[i]);
		any = any || fields.all[i].at;
	}
	if (!any)
		return 0;

	char *printed = malloc(size + 512);
	must(printed);
	struct writer w = writer_into(printed, size + 512);
	print(&w, fields.all);
	must(!w.overflow);
	must(sip_auth_fields_parse(writer_result(&w), &again.named) == SIP_AUTH_DIGEST);
	for (int i = 0; i < FIELDS; i++) {
		must((fields.all[i].at == NULL) == (again.all[i].at == NULL));
		must_equal(fields.all[i], again.all[i]);
	}
	must(sip_auth_unescaped_equal(fields.named.realm, fields.named.realm) ||
	     str_index(fields.named.realm, '\\') < fields.named.realm.length);
	free(printed);
	return 0;
}
