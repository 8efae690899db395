// Digest authentication as server: who a request is from, whether it proves it, and the challenge when it does not.
#include "sip/auth.h"

#include "sip/auth_header.h"
#include "sip/nonce.h"
#include "sip/syntax.h"

#include <stdlib.h>
#include <string.h>

struct sip_auth {
	struct sip_nonces *nonces; // owned
	struct str realm;          // in `realm_bytes`
	enum digest_algorithm offered[2];
	size_t offered_count;
	char realm_bytes[];
};

struct sip_auth *sip_auth_create(struct loop *loop, struct str realm, unsigned nonce_life_s)
{
	struct sip_auth *auth = malloc(sizeof *auth + realm.length);
	if (!auth)
		return NULL;
	auth->nonces = sip_nonces_create(loop, (uint64_t)nonce_life_s * 1000);
	if (!auth->nonces) {
		free(auth);
		return NULL;
	}
	if (realm.length > 0)
		memcpy(auth->realm_bytes, realm.at, realm.length);
	auth->realm = (struct str){auth->realm_bytes, realm.length};
	sip_auth_offer(auth, STR("SHA-256 MD5"));
	return auth;
}

void sip_auth_set_nonce_life(struct sip_auth *auth, unsigned nonce_life_s)
{
	sip_nonces_set_life(auth->nonces, (uint64_t)nonce_life_s * 1000);
}

bool sip_auth_offer(struct sip_auth *auth, struct str algorithms)
{
	enum digest_algorithm offered[2];
	size_t count = 0;
	struct str name;
	while (str_take(&algorithms, ' ', &name)) {
		if (str_empty(name))
			continue;
		if (count == 2 || !sip_auth_algorithm(name, &offered[count]))
			return false;
		count++;
	}
	if (count == 0)
		return false;
	memcpy(auth->offered, offered, sizeof offered);
	auth->offered_count = count;
	return true;
}

void sip_auth_destroy(struct sip_auth *auth)
{
	if (!auth)
		return;
	sip_nonces_destroy(auth->nonces);
	free(auth);
}

enum found { FOUND_NONE, FOUND_OURS, FOUND_BROKEN };

static enum found find_in(const struct sip_auth *auth, const struct sip_message *request, enum sip_header_name name,
			  struct sip_auth_fields *fields)
{
	struct sip_walk walk = {0};
	struct str value;
	while (sip_value_next(request, name, &walk, &value)) {
		switch (sip_auth_fields_parse(value, fields)) {
		case SIP_AUTH_DIGEST:
			if (sip_auth_unescaped_equal(fields->realm, auth->realm))
				return FOUND_OURS;
			break;
		case SIP_AUTH_OTHER_SCHEME: // as if it were not there (RFC 4475 section 3.3.7)
			break;
		case SIP_AUTH_BROKEN:
			return FOUND_BROKEN;
		}
	}
	return FOUND_NONE;
}

// The first credentials for our realm.
static enum found find_credentials(const struct sip_auth *auth, const struct sip_message *request,
				   struct sip_auth_fields *fields)
{
	enum found found = find_in(auth, request, SIP_HEADER_AUTHORIZATION, fields);
	return found != FOUND_NONE ? found : find_in(auth, request, SIP_HEADER_PROXY_AUTHORIZATION, fields);
}

bool sip_auth_username(const struct sip_auth *auth, const struct sip_message *request, char *name, size_t size)
{
	struct sip_auth_fields fields;
	if (find_credentials(auth, request, &fields) != FOUND_OURS || str_empty(fields.username) ||
	    fields.username.length >= size)
		return false;
	struct str username = syntax_unquote(fields.username, name);
	name[username.length] = '\0';
	return strlen(name) == username.length;
}

// The uri parameter must be the Request-URI, or a signature could be moved to another request. On the way proxies and
// telephones add or drop parameters and the default port; where the request goes stays the same by that.
static bool same_target(struct str text, const struct sip_uri *target)
{
	struct sip_uri uri;
	const char *why;
	size_t at;
	if (str_equal(text, target->text))
		return true;
	if (!sip_uri_parse(text, &uri, &why, &at))
		return false;
	if (uri.scheme != URI_SIP && uri.scheme != URI_SIPS)
		return sip_uri_equal(&uri, target);
	struct sip_uri bare = *target;
	uint16_t default_port = uri.scheme == URI_SIPS ? 5061 : 5060;
	uri.port = uri.port ? uri.port : default_port;
	bare.port = bare.port ? bare.port : default_port;
	uri.parameters = uri.headers = bare.parameters = bare.headers = STR_NONE;
	return sip_uri_equal(&uri, &bare);
}

// nc-value = 8LHEX
static bool parse_count(struct str nc, uint32_t *count)
{
	if (nc.length != 8)
		return false;
	*count = 0;
	for (size_t i = 0; i < nc.length; i++) {
		int digit = syntax_hex(nc.at[i]);
		if (digit < 0)
			return false;
		*count = *count << 4 | (uint32_t)digit;
	}
	return *count > 0;
}

// Whether they are what our challenge asked for: qop=auth, so no answers in the way of RFC 2069, which can be replayed.
static bool well_formed(const struct sip_auth_fields *fields, const struct sip_message *request, uint32_t *count,
			enum digest_algorithm *algorithm)
{
	return !str_empty(fields->username) && !str_empty(fields->nonce) && !str_empty(fields->cnonce) &&
	       str_equal_nocase(fields->qop, STR("auth")) && parse_count(fields->nc, count) &&
	       sip_auth_algorithm(fields->algorithm, algorithm) &&
	       fields->response.length == 2 * digest_size(*algorithm) && same_target(fields->uri, &request->uri);
}

// Compares with the hash that the secret gives. A secret that is unknown is replaced by one that nothing matches, so that
// the work is the same.
static bool response_right(const struct sip_auth_fields *fields, const struct sip_message *request,
			   enum digest_algorithm algorithm, const struct sip_auth_secret *secret)
{
	static const char nobody[DIGEST_HEX_MAX + 1] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	char expected_hex[DIGEST_HEX_MAX], given[DIGEST_HEX_MAX];
	size_t hex_length = 2 * digest_size(algorithm);
	struct str ha1 = algorithm == DIGEST_MD5 ? secret->ha1_md5 : secret->ha1_sha256;
	bool known = ha1.length == hex_length;
	const struct sip_auth_parts parts = {
	    .algorithm = algorithm,
	    .ha1 = known ? ha1 : (struct str){nobody, hex_length},
	    .nonce = fields->nonce,
	    .nc = fields->nc,
	    .cnonce = fields->cnonce,
	    .qop = fields->qop,
	    .method = request->method_text,
	    .uri = fields->uri,
	};
	struct str expected = sip_auth_response(&parts, expected_hex);
	for (size_t i = 0; i < hex_length; i++) {
		char c = fields->response.at[i];
		given[i] = c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c;
	}
	bool equal = str_equal_secret(expected, (struct str){given, hex_length});
	return known & equal;
}

enum sip_auth_result sip_auth_check(struct sip_auth *auth, const struct net_address *from,
				    const struct sip_message *request, const struct sip_auth_secret *secrets,
				    size_t secret_count)
{
	struct sip_auth_fields fields;
	struct sip_nonce nonce;
	enum digest_algorithm algorithm;
	uint32_t count;
	bool right = false;
	switch (find_credentials(auth, request, &fields)) {
	case FOUND_NONE:
		return SIP_AUTH_NONE;
	case FOUND_BROKEN:
		return SIP_AUTH_MALFORMED;
	case FOUND_OURS:
		break;
	}
	if (!well_formed(&fields, request, &count, &algorithm))
		return SIP_AUTH_MALFORMED;
	if (!sip_nonce_read(auth->nonces, from, fields.nonce, &nonce))
		return SIP_AUTH_STALE;
	for (size_t i = 0; i < secret_count; i++)
		right |= response_right(&fields, request, algorithm, &secrets[i]);
	if (!right)
		return SIP_AUTH_WRONG;
	return sip_nonce_use(auth->nonces, &nonce, count) ? SIP_AUTH_OK : SIP_AUTH_STALE;
}

static void write_one(struct writer *w, const struct sip_auth *auth, struct str header, struct str nonce,
		      struct str algorithm)
{
	writer_str(w, header);
	writer_text(w, ": Digest realm=");
	sip_auth_write_quoted(w, auth->realm);
	writer_text(w, ", nonce=\"");
	writer_str(w, nonce);
	writer_text(w, "\", algorithm=");
	writer_str(w, algorithm);
	writer_text(w, ", qop=\"auth\"");
}

void sip_auth_write_challenge(struct sip_auth *auth, const struct net_address *to, struct writer *w, unsigned status,
			      bool stale)
{
	static const struct str names[] = {[DIGEST_MD5] = {"MD5", 3}, [DIGEST_SHA256] = {"SHA-256", 7}};
	struct str header =
	    sip_header_wire_name(status == 407 ? SIP_HEADER_PROXY_AUTHENTICATE : SIP_HEADER_WWW_AUTHENTICATE);
	char text[SIP_NONCE_SIZE];
	struct str nonce = sip_nonce_issue(auth->nonces, to, text);
	for (size_t i = 0; i < auth->offered_count; i++) {
		write_one(w, auth, header, nonce, names[auth->offered[i]]);
		writer_text(w, stale ? ", stale=true\r\n" : "\r\n");
	}
}
