// Reads certificates with OpenSSL; see the header.
#include "sip/certificate.h"

#include "base/net.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static struct str asn1_text(const ASN1_STRING *string)
{
	return (struct str){(const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)};
}

// The host of "sip:example.com" and the like. False for another scheme and for a URI with a user part: such a one is a
// person, no domain.
static bool uri_host(struct str uri, struct str *host)
{
	size_t end = 0;

	if (!str_starts_nocase(uri, STR("sip:")) || str_index(uri, '@') < uri.length)
		return false;
	*host = str_from(uri, 4);
	if (!str_empty(*host) && host->at[0] == '[') {
		*host = str_from(*host, 1);
		*host = str_first(*host, str_index(*host, ']'));
		return true;
	}
	while (end < host->length && !strchr(":;?", host->at[end]))
		end++;
	*host = str_first(*host, end);
	return true;
}

static bool address_is(const ASN1_OCTET_STRING *octets, const struct net_address *address)
{
	size_t size = address->family == 4 ? 4 : 16;

	return address->family != 0 && (size_t)ASN1_STRING_length(octets) == size &&
	       memcmp(ASN1_STRING_get0_data(octets), address->bytes, size) == 0;
}

static bool same_host(struct str named, struct str host, const struct net_address *address)
{
	struct net_address other;

	if (address->family != 0)
		return net_address_parse(named, 0, &other) && net_address_same_host(&other, address);
	return !str_empty(named) && str_equal_nocase(named, host);
}

static bool alternative_names(const GENERAL_NAMES *names, struct str host)
{
	struct net_address address = {0};
	bool has_uri = false, by_uri = false, by_name = false;
	struct str named;

	(void)net_address_parse(host, 0, &address);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_URI && uri_host(asn1_text(name->d.uniformResourceIdentifier), &named)) {
			has_uri = true;
			by_uri = by_uri || same_host(named, host, &address);
		} else if (name->type == GEN_DNS && address.family == 0) {
			by_name = by_name || same_host(asn1_text(name->d.dNSName), host, &address);
		} else if (name->type == GEN_IPADD) {
			by_name = by_name || address_is(name->d.iPAddress, &address);
		}
	}
	return has_uri ? by_uri : by_name;
}

// Certificates of long ago have no subjectAltName. One with several common names is not guessed at.
static bool common_name(X509 *certificate, struct str host)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	return str_equal_nocase(asn1_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))), host);
}

bool certificate_names(X509 *certificate, struct str host)
{
	int state = 0;
	GENERAL_NAMES *names;
	bool matches;

	if (str_empty(host))
		return false;
	names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &state, NULL);
	// -1: there is none. -2: several, and otherwise one that cannot be read.
	if (!names)
		return state == -1 && common_name(certificate, host);
	matches = alternative_names(names, host);
	GENERAL_NAMES_free(names);
	return matches;
}

bool certificate_names_by_wildcard(X509 *certificate, struct str host)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	struct str rest = str_from(host, str_index(host, '.'));
	bool matches = false;

	// A wildcard for all of a top-level domain stands for nobody.
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && str_index(str_from(rest, 1), '.') < rest.length - 1;
	     i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		struct str named = name->type == GEN_DNS ? asn1_text(name->d.dNSName) : STR_NONE;
		if (str_starts(named, STR("*.")) && str_equal_nocase(str_from(named, 1), rest))
			matches = true;
	}
	GENERAL_NAMES_free(names);
	return matches;
}

int64_t certificate_ends_s(const X509 *certificate)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) ? (int64_t)timegm(&tm) : 0;
}
