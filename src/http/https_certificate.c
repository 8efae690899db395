// Keeps the texts of certificate and key, and gives each connection its own reading of them: so they can be exchanged at any time. What
// that costs is little beside the handshake's own arithmetic.
#include "http/https_certificate.h"
#include "http/http.h"

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { CHAIN_MAX = 8, PATH_SIZE = 4096 };

struct texts {
	gnutls_datum_t chain, key; // PEM, by gnutls_malloc
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct texts current; // under the lock

static void texts_free(struct texts *texts)
{
	gnutls_free(texts->chain.data);
	if (texts->key.data)
		gnutls_memset(texts->key.data, 0, texts->key.size);
	gnutls_free(texts->key.data);
	*texts = (struct texts){{NULL, 0}, {NULL, 0}};
}

// ---- reading

static int chain_make(const gnutls_datum_t *text, gnutls_pcert_st **chain, unsigned *count)
{
	gnutls_pcert_st *made = gnutls_calloc(CHAIN_MAX, sizeof *made);
	if (!made)
		return GNUTLS_E_MEMORY_ERROR;
	*count = CHAIN_MAX;
	int error = gnutls_pcert_list_import_x509_raw(made, count, text, GNUTLS_X509_FMT_PEM, 0);
	if (error) {
		gnutls_free(made);
		return error;
	}
	*chain = made;
	return 0;
}

static void chain_free(gnutls_pcert_st *chain, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gnutls_pcert_deinit(&chain[i]);
	gnutls_free(chain);
}

static int key_make(const gnutls_datum_t *text, gnutls_privkey_t *key)
{
	int error = gnutls_privkey_init(key);
	if (error)
		return error;
	error = gnutls_privkey_import_x509_raw(*key, text, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (error)
		gnutls_privkey_deinit(*key);
	return error;
}

static int texts_make(const struct texts *texts, gnutls_pcert_st **chain, unsigned *count, gnutls_privkey_t *key)
{
	int error = chain_make(&texts->chain, chain, count);
	if (error)
		return error;
	error = key_make(&texts->key, key);
	if (error)
		chain_free(*chain, *count);
	return error;
}

static int file_load(struct str path, gnutls_datum_t *text)
{
	char name[PATH_SIZE];
	return str_to_cstring(path, name, sizeof name) ? gnutls_load_file(name, text) : GNUTLS_E_FILE_ERROR;
}

bool http_certificate_read(struct str certificate, struct str key, char *sentence, size_t size)
{
	struct texts read = {{NULL, 0}, {NULL, 0}}, before;
	gnutls_pcert_st *chain = NULL;
	gnutls_privkey_t private = NULL;
	unsigned count = 0;
	struct str key_path = str_empty(key) ? certificate : key;
	struct str failed = certificate;

	int error = file_load(certificate, &read.chain);
	if (!error) {
		failed = key_path;
		error = file_load(key_path, &read.key);
	}
	if (!error)
		error = texts_make(&read, &chain, &count, &private);
	if (error) {
		texts_free(&read);
		snprintf(sentence, size, "%.*s cannot be used for HTTPS: %s", STR_ARG(failed), gnutls_strerror(error));
		return false;
	}
	chain_free(chain, count);
	gnutls_privkey_deinit(private);
	pthread_mutex_lock(&lock);
	before = current;
	current = read;
	pthread_mutex_unlock(&lock);
	texts_free(&before);
	return true;
}

void http_certificate_forget(void)
{
	pthread_mutex_lock(&lock);
	texts_free(&current);
	pthread_mutex_unlock(&lock);
}

// ---- giving

int https_certificate_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
			   unsigned *count, gnutls_ocsp_data_st **staples, unsigned *staple_count,
			   gnutls_privkey_t *key, unsigned *flags)
{
	(void)session;
	(void)info;
	*staples = NULL;
	*staple_count = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL; // what is given is the session's own
	pthread_mutex_lock(&lock);
	int error = texts_make(&current, chain, count, key);
	pthread_mutex_unlock(&lock);
	return error ? -1 : 0;
}
