// Hashes by libcrypto. Algorithms are fetched once for the process and contexts made once for a thread, since either
// costs more than hashing a line of text.
#include "base/digest.h"

#include "base/writer.h"

#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct contexts {
	EVP_MD_CTX *hash;
	EVP_MAC_CTX *mac;
	char mac_key[32]; // the last one, which the context has taken in: half of what it costs to sign a line of text
	size_t mac_key_length; // 0: there was none, or it was longer
};

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_key_t contexts_key;
static EVP_MD *algorithms[2]; // by enum digest_algorithm
static EVP_MAC *hmac;

// A hash that cannot be computed has no safe substitute: every answer would let someone in or lock everyone out.
static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "libcrypto cannot provide %s\n", what);
	abort();
}

static void free_contexts(void *value)
{
	struct contexts *contexts = value;
	EVP_MD_CTX_free(contexts->hash);
	EVP_MAC_CTX_free(contexts->mac);
	explicit_bzero(contexts->mac_key, sizeof contexts->mac_key);
	free(contexts);
}

static void prepare(void)
{
	algorithms[DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
	algorithms[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	require(algorithms[DIGEST_SHA256] && hmac, "SHA-256");
	require(pthread_key_create(&contexts_key, free_contexts) == 0, "a context");
}

static struct contexts *own_contexts(void)
{
	pthread_once(&prepared, prepare);
	struct contexts *contexts = pthread_getspecific(contexts_key);
	if (contexts)
		return contexts;
	contexts = calloc(1, sizeof *contexts);
	require(contexts, "a context");
	contexts->hash = EVP_MD_CTX_new();
	contexts->mac = EVP_MAC_CTX_new(hmac);
	char name[] = "SHA2-256";
	const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
					 OSSL_PARAM_construct_end()};
	require(contexts->hash && contexts->mac && EVP_MAC_CTX_set_params(contexts->mac, parameters) == 1 &&
		    pthread_setspecific(contexts_key, contexts) == 0,
		"a context");
	return contexts;
}

size_t digest_size(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_MD5 ? 16 : 32;
}

static void hash_joined(enum digest_algorithm algorithm, const struct str *pieces, size_t count, uint8_t *hash)
{
	EVP_MD_CTX *context = own_contexts()->hash;
	bool fine = algorithms[algorithm] && EVP_DigestInit_ex2(context, algorithms[algorithm], NULL) == 1;
	for (size_t i = 0; fine && i < count; i++) {
		fine = i == 0 || EVP_DigestUpdate(context, ":", 1) == 1;
		if (fine && pieces[i].length > 0)
			fine = EVP_DigestUpdate(context, pieces[i].at, pieces[i].length) == 1;
	}
	fine = fine && EVP_DigestFinal_ex(context, hash, NULL) == 1;
	require(fine, algorithm == DIGEST_MD5 ? "MD5" : "SHA-256");
}

struct str digest_joined_hex(enum digest_algorithm algorithm, const struct str *pieces, size_t count, char *hex)
{
	uint8_t hash[DIGEST_SIZE_MAX];
	hash_joined(algorithm, pieces, count, hash);
	struct writer w = writer_into(hex, DIGEST_HEX_MAX);
	writer_hex(&w, hash, digest_size(algorithm));
	return writer_result(&w);
}

void digest_sha256(struct str text, uint8_t hash[32])
{
	hash_joined(DIGEST_SHA256, &text, 1, hash);
}

// Begins with the key. Without one OpenSSL goes on with that of the call before.
static bool mac_begin(struct contexts *contexts, struct str key)
{
	if (key.length > 0 && key.length == contexts->mac_key_length &&
	    memcmp(key.at, contexts->mac_key, key.length) == 0)
		return EVP_MAC_init(contexts->mac, NULL, 0, NULL) == 1;
	contexts->mac_key_length = key.length <= sizeof contexts->mac_key ? key.length : 0;
	if (contexts->mac_key_length > 0)
		memcpy(contexts->mac_key, key.at, key.length);
	const char *bytes = key.length > 0 ? key.at : "";
	return EVP_MAC_init(contexts->mac, (const unsigned char *)bytes, key.length, NULL) == 1;
}

void digest_hmac(struct str key, struct str text, uint8_t mac[32])
{
	struct contexts *contexts = own_contexts();
	size_t size = 0;
	bool fine = mac_begin(contexts, key);
	if (fine && text.length > 0)
		fine = EVP_MAC_update(contexts->mac, (const unsigned char *)text.at, text.length) == 1;
	fine = fine && EVP_MAC_final(contexts->mac, mac, &size, 32) == 1 && size == 32;
	require(fine, "HMAC");
}

// ---- base64url, RFC 4648 section 5

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str digest_base64url(const void *bytes, size_t size, char *into)
{
	const uint8_t *from = bytes;
	size_t used = 0;
	uint32_t bits = 0;
	unsigned held = 0; // bits not yet written
	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | from[i];
		for (held += 8; held >= 6; held -= 6)
			into[used++] = alphabet[bits >> (held - 6) & 63];
	}
	if (held > 0)
		into[used++] = alphabet[bits << (6 - held) & 63];
	return (struct str){into, used};
}

static int alphabet_index(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool digest_base64url_decode(struct str text, void *into, size_t *size)
{
	uint8_t *to = into;
	size_t used = 0;
	uint32_t bits = 0;
	unsigned held = 0; // bits not yet written
	if (text.length % 4 == 1)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		int value = alphabet_index(text.at[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held < 8)
			continue;
		if (used == *size)
			return false;
		held -= 8;
		to[used++] = (uint8_t)(bits >> held);
	}
	// bits left over must be zero, so that each value has exactly one spelling
	if ((bits & ((1u << held) - 1)) != 0)
		return false;
	*size = used;
	return true;
}
