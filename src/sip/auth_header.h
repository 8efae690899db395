// The values of the digest headers (RFC 7616 sections 3.3 and 3.4), challenge or credentials. For src/sip/ alone.
#ifndef SIP_AUTH_HEADER_H
#define SIP_AUTH_HEADER_H

#include "base/digest.h"
#include "base/writer.h"

// Without quotes, escapes as received; at == NULL when the parameter is absent.
struct sip_auth_fields {
	struct str username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc, stale;
};

enum sip_auth_form {
	SIP_AUTH_DIGEST,
	SIP_AUTH_OTHER_SCHEME, // not "Digest"
	SIP_AUTH_BROKEN,       // cannot be read, or has one of these parameters twice
};
enum sip_auth_form sip_auth_fields_parse(struct str value, struct sip_auth_fields *fields);

// Absent means MD5. False for any other than MD5 and SHA-256.
bool sip_auth_algorithm(struct str text, enum digest_algorithm *algorithm);
// Whether a field that was received with its escapes means this text.
bool sip_auth_unescaped_equal(struct str received, struct str text);
void sip_auth_write_quoted(struct writer *w, struct str text);

// The parts of RFC 7616 section 3.4.1, as they stand in the header without their quotes.
struct sip_auth_parts {
	enum digest_algorithm algorithm;
	struct str ha1; // hex
	struct str nonce, nc, cnonce;
	struct str qop; // "auth", or empty for the way of RFC 2069
	struct str method, uri;
};
// H(HA1:nonce:nc:cnonce:qop:HA2), into `hex` of DIGEST_HEX_MAX bytes.
struct str sip_auth_response(const struct sip_auth_parts *parts, char *hex);

#endif
