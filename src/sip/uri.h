// SIP and SIPS URIs (RFC 3261 section 19.1), tel URIs as far as a number goes (RFC 3966). Slices borrow the text.
#ifndef SIP_URI_H
#define SIP_URI_H

#include "base/writer.h"

enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL, URI_OTHER };

enum {
	SIP_URI_MAX = 1024,          // bytes
	SIP_URI_PARAMETERS_MAX = 64, // and as many headers
};

struct sip_uri {
	enum uri_scheme scheme;
	struct str text; // the whole URI
	struct str user; // still escaped; empty = none. Of a tel URI: the number as written, with its visual separators
	struct str password;
	struct str host; // IPv6 without brackets
	bool host_is_ipv6;
	uint16_t port;         // 0 = not given
	struct str parameters; // what follows the first ';', without it
	struct str headers;    // what follows '?', without it
};

// On failure *why is a sentence and *at the offset into the text. An unknown scheme is no failure: URI_OTHER.
bool sip_uri_parse(struct str text, struct sip_uri *uri, const char **why, size_t *at);
// "transport=udp;lr" and the like; separator ';' or '&'. False when there is no such parameter; a bare one gives an
// empty value. Names compare without case.
bool sip_parameter(struct str parameters, char separator, struct str name, struct str *value);
// Replaces %XX; `into` has room for as many bytes as the text. False on a broken escape. NUL octets are kept.
bool sip_unescape(struct str text, char *into, struct str *result);
// A telephone number may carry parameters of its own within the user part (RFC 3966); they are not dialled.
struct str sip_number_only(struct str user);
// Writes a user part, escaping what RFC 3261 section 25.1 does not allow there.
void sip_write_user(struct writer *w, struct str user);
// Equality by RFC 3261 section 19.1.4; tel URIs by RFC 3966 section 5. Never true for two URIs that mean different places,
// at times false for two that mean the same.
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

#endif
