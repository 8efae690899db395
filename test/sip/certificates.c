// Certificates for tests; see the header.
#include "sip/certificates.h"

#include "lib/cmocka.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void add_extension(X509 *certificate, X509 *issuer, int name, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, name, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

struct issued certificate_issue(const struct issue *issue)
{
	static long serial = 1;
	struct issued made = {X509_new(), EVP_EC_gen("P-256")};
	const struct issued *issuer = issue->issuer ? issue->issuer : &made;
	X509_NAME *name = X509_get_subject_name(made.certificate);

	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
	ASN1_TIME_set(X509_getm_notBefore(made.certificate), issue->begins_s ? issue->begins_s : YEAR_2023);
	ASN1_TIME_set(X509_getm_notAfter(made.certificate), issue->ends_s ? issue->ends_s : YEAR_2025);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)issue->common_name, -1, -1, 0);
	X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer->certificate));
	X509_set_pubkey(made.certificate, made.key);
	add_extension(made.certificate, issuer->certificate, NID_basic_constraints,
		      issue->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (issue->alternative)
		add_extension(made.certificate, issuer->certificate, NID_subject_alt_name, issue->alternative);
	assert_int_not_equal(X509_sign(made.certificate, issuer->key, EVP_sha256()), 0);
	return made;
}

void certificate_free(struct issued *issued)
{
	X509_free(issued->certificate);
	EVP_PKEY_free(issued->key);
}

void certificate_write(const struct issued *issued, const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, issued->certificate), 1);
	assert_int_equal(PEM_write_PrivateKey(file, issued->key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
}
