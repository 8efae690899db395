// Digest authentication as client: the answer to a challenge.
#include "sip/auth.h"
#include "sip/auth_header.h"
#include "sip/syntax.h"

#include <stdio.h>
#include <string.h>

// What a peer may make us repeat; together with our own fields an answer stays within a kilobyte or two.
enum { ECHO_MAX = 512 };

// Whether a list such as "auth,auth-int" has the token.
static bool list_names(struct str list, struct str token)
{
	struct str piece;
	while (str_take(&list, ',', &piece)) {
		if (str_equal_nocase(syntax_trim(piece), token))
			return true;
	}
	return false;
}

// A challenge without qop is one in the way of RFC 2069, which some servers still send (RFC 7616 section 3.4.3); one that
// offers only auth-int cannot be answered.
static bool answerable(const struct sip_auth_fields *challenge, const struct sip_credentials *credentials,
		       struct str previous_nonce)
{
	enum digest_algorithm algorithm;
	if (!challenge->realm.at || str_empty(challenge->nonce) ||
	    !sip_auth_algorithm(challenge->algorithm, &algorithm) ||
	    (challenge->qop.at && !list_names(challenge->qop, STR("auth"))))
		return false;
	if (challenge->realm.length > ECHO_MAX || challenge->nonce.length > ECHO_MAX ||
	    challenge->opaque.length > ECHO_MAX)
		return false;
	if (!str_empty(credentials->realm) && !sip_auth_unescaped_equal(challenge->realm, credentials->realm))
		return false;
	if (str_empty(previous_nonce))
		return true;
	// Refused once: only a server that says the password was right is answered again.
	return !str_empty(credentials->realm) && str_equal_nocase(challenge->stale, STR("true")) &&
	       !str_equal(challenge->nonce, previous_nonce);
}

// The first challenge with the strongest algorithm.
static bool choose(const struct sip_message *response, enum sip_header_name name,
		   const struct sip_credentials *credentials, struct str previous_nonce, struct sip_auth_fields *best)
{
	struct sip_walk walk = {0};
	struct str value;
	struct sip_auth_fields challenge;
	enum digest_algorithm algorithm, best_algorithm = DIGEST_MD5;
	bool found = false;
	while (sip_value_next(response, name, &walk, &value)) {
		if (sip_auth_fields_parse(value, &challenge) != SIP_AUTH_DIGEST ||
		    !answerable(&challenge, credentials, previous_nonce))
			continue;
		(void)sip_auth_algorithm(challenge.algorithm, &algorithm);
		if (found && (best_algorithm == DIGEST_SHA256 || algorithm == DIGEST_MD5))
			continue;
		*best = challenge;
		best_algorithm = algorithm;
		found = true;
	}
	return found;
}

static bool printable(struct str text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return false;
	}
	return true;
}

// A parameter as the peer wrote it: its escapes are still in it.
static void write_echo(struct writer *w, const char *name, struct str value)
{
	writer_text(w, name);
	writer_str(w, value);
	writer_char(w, '"');
}

static void write_line(struct writer *w, struct str header, const struct sip_auth_fields *challenge,
		       struct str username, const struct sip_auth_parts *parts)
{
	char hex[DIGEST_HEX_MAX];
	writer_str(w, header);
	writer_text(w, ": Digest username=");
	sip_auth_write_quoted(w, username);
	write_echo(w, ", realm=\"", challenge->realm);
	write_echo(w, ", nonce=\"", challenge->nonce);
	write_echo(w, ", uri=\"", parts->uri);
	write_echo(w, ", response=\"", sip_auth_response(parts, hex));
	if (challenge->algorithm.at) {
		writer_text(w, ", algorithm=");
		writer_text(w, parts->algorithm == DIGEST_MD5 ? "MD5" : "SHA-256");
	}
	if (challenge->opaque.at)
		write_echo(w, ", opaque=\"", challenge->opaque);
	if (!str_empty(parts->qop)) {
		write_echo(w, ", cnonce=\"", parts->cnonce);
		writer_text(w, ", qop=auth, nc=");
		writer_str(w, parts->nc);
	}
	writer_text(w, "\r\n");
}

bool sip_auth_write_answer(struct writer *w, const struct sip_message *response,
			   const struct sip_credentials *credentials, struct str method, struct str uri,
			   struct str previous_nonce, struct loop *loop)
{
	bool proxy = response->status == 407;
	struct sip_auth_fields challenge;
	if (!printable(credentials->username) ||
	    !choose(response, proxy ? SIP_HEADER_PROXY_AUTHENTICATE : SIP_HEADER_WWW_AUTHENTICATE, credentials,
		    previous_nonce, &challenge))
		return false;

	enum digest_algorithm algorithm;
	char ha1_hex[DIGEST_HEX_MAX], cnonce[17];
	(void)sip_auth_algorithm(challenge.algorithm, &algorithm);
	snprintf(cnonce, sizeof cnonce, "%016llx", (unsigned long long)loop_random_uint(loop));
	const struct str secret[] = {credentials->username, challenge.realm, credentials->password};
	const struct sip_auth_parts parts = {
	    .algorithm = algorithm,
	    .ha1 = digest_joined_hex(algorithm, secret, 3, ha1_hex),
	    .nonce = challenge.nonce,
	    .nc = STR("00000001"),
	    .cnonce = str_of(cnonce),
	    .qop = challenge.qop.at ? STR("auth") : STR_NONE,
	    .method = method,
	    .uri = uri,
	};
	write_line(w, sip_header_wire_name(proxy ? SIP_HEADER_PROXY_AUTHORIZATION : SIP_HEADER_AUTHORIZATION),
		   &challenge, credentials->username, &parts);
	explicit_bzero(ha1_hex, sizeof ha1_hex);
	return true;
}
