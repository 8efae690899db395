// Certificates made for a test, with keys on P-256, which take no time.
#ifndef TEST_SIP_CERTIFICATES_H
#define TEST_SIP_CERTIFICATES_H

#include <openssl/x509.h>
#include <stdbool.h>

struct issued {
	X509 *certificate;
	EVP_PKEY *key;
};

// The simulated world begins on 2024-01-01.
#define YEAR_2023 1672531200L
#define YEAR_2025 1735689600L

struct issue {
	const char *common_name;
	const char *alternative;     // "DNS:sip.example.com,URI:sip:example.com", or NULL
	long begins_s, ends_s;       // since 1970; 0 = 2023, and 2025
	const struct issued *issuer; // NULL: itself
	bool is_ca;
};

struct issued certificate_issue(const struct issue *issue);
void certificate_free(struct issued *issued);
// Certificate and key, in one PEM file.
void certificate_write(const struct issued *issued, const char *path);

#endif
