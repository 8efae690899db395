// The values of the digest headers: reading them, and the hash that they carry.
#include "sip/auth_header.h"

#include "sip/syntax.h"

#define FIELD(name)                                                                                                    \
	{                                                                                                              \
		{#name, sizeof #name - 1}, offsetof(struct sip_auth_fields, name)                                      \
	}

static struct str *field_of(struct sip_auth_fields *fields, struct str name)
{
	static const struct {
		struct str name;
		size_t at;
	} known[] = {FIELD(username), FIELD(realm),  FIELD(nonce), FIELD(uri), FIELD(response), FIELD(algorithm),
		     FIELD(cnonce),   FIELD(opaque), FIELD(qop),   FIELD(nc),  FIELD(stale)};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_equal_nocase(name, known[i].name))
			return (struct str *)(void *)((char *)fields + known[i].at);
	}
	return NULL;
}

enum sip_auth_form sip_auth_fields_parse(struct str value, struct sip_auth_fields *fields)
{
	*fields = (struct sip_auth_fields){.username = STR_NONE};
	size_t scheme = syntax_span(value, 0, SYNTAX_TOKEN);
	if (!str_equal_nocase(str_first(value, scheme), STR("Digest")))
		return SIP_AUTH_OTHER_SCHEME;
	if (scheme == value.length || !syntax_is_space(value.at[scheme]))
		return SIP_AUTH_BROKEN;

	struct str rest = str_from(value, scheme);
	struct syntax_parameter parameter;
	enum syntax_step step;
	while ((step = syntax_parameter_next(&rest, ',', &parameter)) == SYNTAX_ITEM) {
		struct str *field = field_of(fields, parameter.name);
		if (!field)
			continue;
		if (field->at || !parameter.has_value)
			return SIP_AUTH_BROKEN;
		*field = parameter.value;
	}
	return step == SYNTAX_END ? SIP_AUTH_DIGEST : SIP_AUTH_BROKEN;
}

bool sip_auth_algorithm(struct str text, enum digest_algorithm *algorithm)
{
	if (!text.at || str_equal_nocase(text, STR("MD5")))
		*algorithm = DIGEST_MD5;
	else if (str_equal_nocase(text, STR("SHA-256")))
		*algorithm = DIGEST_SHA256;
	else
		return false;
	return true;
}

bool sip_auth_unescaped_equal(struct str received, struct str text)
{
	size_t compared = 0;
	for (size_t i = 0; i < received.length; i++) {
		if (received.at[i] == '\\' && i + 1 < received.length)
			i++;
		if (compared == text.length || text.at[compared++] != received.at[i])
			return false;
	}
	return compared == text.length;
}

void sip_auth_write_quoted(struct writer *w, struct str text)
{
	writer_char(w, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			writer_char(w, '\\');
		writer_char(w, text.at[i]);
	}
	writer_char(w, '"');
}

struct str sip_auth_response(const struct sip_auth_parts *parts, char *hex)
{
	char ha2_hex[DIGEST_HEX_MAX];
	const struct str request[] = {parts->method, parts->uri};
	struct str ha2 = digest_joined_hex(parts->algorithm, request, 2, ha2_hex);
	if (str_empty(parts->qop)) {
		const struct str pieces[] = {parts->ha1, parts->nonce, ha2};
		return digest_joined_hex(parts->algorithm, pieces, 3, hex);
	}
	const struct str pieces[] = {parts->ha1, parts->nonce, parts->nc, parts->cnonce, parts->qop, ha2};
	return digest_joined_hex(parts->algorithm, pieces, 6, hex);
}
