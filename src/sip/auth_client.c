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

// The first challenge with the strongest algorithm, and the header's value that it was read from.
static bool choose(const struct sip_message *response, const struct sip_credentials *credentials,
		   struct str previous_nonce, struct sip_auth_fields *best, struct str *text)
{
	enum sip_header_name name =
	    response->status == 407 ? SIP_HEADER_PROXY_AUTHENTICATE : SIP_HEADER_WWW_AUTHENTICATE;
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
		*text = value;
		best_algorithm = algorithm;
		found = true;
	}
	return found;
}

// What stands in the line must not end it.
static bool printable(struct str text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return false;
	}
	return true;
}

// A parameter whose escapes are still in it, as the peer wrote it.
static void write_echo(struct writer *w, const char *name, struct str value)
{
	writer_text(w, ", ");
	writer_text(w, name);
	writer_text(w, "=\"");
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
	write_echo(w, "realm", challenge->realm);
	write_echo(w, "nonce", challenge->nonce);
	write_echo(w, "uri", parts->uri);
	write_echo(w, "response", sip_auth_response(parts, hex));
	if (challenge->algorithm.at) {
		writer_text(w, ", algorithm=");
		writer_text(w, parts->algorithm == DIGEST_MD5 ? "MD5" : "SHA-256");
	}
	if (challenge->opaque.at)
		write_echo(w, "opaque", challenge->opaque);
	if (!str_empty(parts->qop)) {
		write_echo(w, "cnonce", parts->cnonce);
		writer_text(w, ", qop=auth, nc=");
		writer_str(w, parts->nc);
	}
	writer_text(w, "\r\n");
}

// What is being signed.
struct target {
	struct str method, uri;
	uint32_t count; // nc
	bool proxy;
};

static void sign(struct writer *w, const struct sip_auth_fields *challenge, const struct sip_credentials *credentials,
		 const struct target *target, struct loop *loop)
{
	enum digest_algorithm algorithm = DIGEST_MD5;
	char ha1_hex[DIGEST_HEX_MAX], cnonce[17], nc[9];
	(void)sip_auth_algorithm(challenge->algorithm, &algorithm);
	snprintf(cnonce, sizeof cnonce, "%016llx", (unsigned long long)loop_random_uint(loop));
	snprintf(nc, sizeof nc, "%08x", (unsigned)target->count);
	const struct str secret[] = {credentials->username, challenge->realm, credentials->password};
	const struct sip_auth_parts parts = {
	    .algorithm = algorithm,
	    .ha1 = digest_joined_hex(algorithm, secret, 3, ha1_hex),
	    .nonce = challenge->nonce,
	    .nc = str_of(nc),
	    .cnonce = str_of(cnonce),
	    .qop = challenge->qop.at ? STR("auth") : STR_NONE,
	    .method = target->method,
	    .uri = target->uri,
	};
	struct str header =
	    sip_header_wire_name(target->proxy ? SIP_HEADER_PROXY_AUTHORIZATION : SIP_HEADER_AUTHORIZATION);
	write_line(w, header, challenge, credentials->username, &parts);
	explicit_bzero(ha1_hex, sizeof ha1_hex);
}

bool sip_auth_write_answer(struct writer *w, const struct sip_message *response,
			   const struct sip_credentials *credentials, struct str method, struct str uri,
			   struct str previous_nonce, struct loop *loop)
{
	struct sip_auth_fields challenge;
	struct str text;
	if (!printable(credentials->username) || !printable(uri) ||
	    !choose(response, credentials, previous_nonce, &challenge, &text))
		return false;
	const struct target target = {.method = method, .uri = uri, .count = 1, .proxy = response->status == 407};
	sign(w, &challenge, credentials, &target, loop);
	return true;
}

struct str sip_auth_answered_nonce(const struct sip_message *response, const struct sip_credentials *credentials)
{
	struct sip_auth_fields challenge;
	struct str text;
	return choose(response, credentials, STR_NONE, &challenge, &text) ? challenge.nonce : STR_NONE;
}

bool sip_auth_is_stale(const struct sip_auth_memory *memory, const struct sip_message *response,
		       const struct sip_credentials *credentials)
{
	struct sip_auth_fields challenge, answered;
	struct str text, kept = {memory->challenge, memory->length};
	return memory->length > 0 && sip_auth_fields_parse(kept, &answered) == SIP_AUTH_DIGEST &&
	       choose(response, credentials, STR_NONE, &challenge, &text) &&
	       str_equal_nocase(challenge.stale, STR("true")) && str_equal(challenge.realm, answered.realm) &&
	       !str_equal(challenge.nonce, answered.nonce);
}

void sip_auth_remember(struct sip_auth_memory *memory, const struct sip_message *response,
		       const struct sip_credentials *credentials)
{
	struct sip_auth_fields challenge;
	struct str text;
	memory->length = 0;
	if (!choose(response, credentials, STR_NONE, &challenge, &text) || !challenge.qop.at ||
	    text.length > sizeof memory->challenge)
		return;
	memcpy(memory->challenge, text.at, text.length);
	memory->length = text.length;
	memory->used = 1;
	memory->proxy = response->status == 407;
}

bool sip_auth_write_remembered(struct writer *w, struct sip_auth_memory *memory,
			       const struct sip_credentials *credentials, struct str method, struct str uri,
			       struct loop *loop)
{
	struct sip_auth_fields challenge;
	struct str text = {memory->challenge, memory->length};
	if (memory->length == 0 || memory->used == UINT32_MAX || !printable(credentials->username) || !printable(uri) ||
	    sip_auth_fields_parse(text, &challenge) != SIP_AUTH_DIGEST)
		return false;
	const struct target target = {.method = method, .uri = uri, .count = ++memory->used, .proxy = memory->proxy};
	sign(w, &challenge, credentials, &target, loop);
	return true;
}
