// What a certificate says of its bearer: the SIP domains it names (RFC 5922) and when it ends.
#ifndef SIP_CERTIFICATE_H
#define SIP_CERTIFICATE_H

#include "base/str.h"

#include <openssl/x509.h>

// Whether the certificate is one of this host's, a name or an IP address (IPv6 without brackets), by RFC 5922 section 7:
// sip URIs count first, DNS names only without those, the common name only without any subjectAltName. Wildcards name
// nobody.
bool certificate_names(X509 *certificate, struct str host);
// Whether a DNS name of it, with a wildcard for the first label, stands for this name (RFC 2818 section 3.1).
bool certificate_names_by_wildcard(X509 *certificate, struct str host);
// Seconds since 1970; 0 when it cannot be told.
int64_t certificate_ends_s(const X509 *certificate);

#endif
