// TLS on OpenSSL; see the header. A BIO of our own stands where others have a socket: it reads from the bytes that just came
// and writes to the handler, so nothing is copied or kept on the way.
#include "sip/tls.h"

#include "base/hash.h"
#include "sip/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATH_SIZE = 1024,
	HOST_SIZE = 256,
	REMEMBERED = 64,        // sessions with those we connect to
	CHAIN_MAX = 32 * 1024,  // bytes of certificates from the other side
	CHAIN_DEPTH_MAX = 8,    // certificates between it and the root
	PLAIN_SIZE = 16 * 1024, // a record's content
	WHY_SIZE = 160,
};

// A session to take up again with a host.
struct remembered {
	char host[HOST_SIZE];
	SSL_SESSION *session; // owned; NULL = free
};

struct tls {
	struct loop *loop;
	char certificate[PATH_SIZE], key[PATH_SIZE], ca[PATH_SIZE];
	bool require_client_certificate;
	SSL_CTX *server, *client; // owned; server NULL without a certificate. Channels hold their own reference
	BIO_METHOD *wire;         // owned
	struct remembered remembered[REMEMBERED];
};

struct tls_channel {
	struct tls *tls;
	SSL *ssl; // owned
	const struct tls_handlers *handlers;
	void *context;
	enum tls_state state;
	struct str incoming;  // what came from the wire and was not read yet; within one call
	char host[HOST_SIZE]; // who must be at the other end; empty when they connected
	bool by_wildcards;
	bool demands; // a certificate of them who connected
	char why[WHY_SIZE];
};

// ---- the wire, as OpenSSL sees it

static int wire_read(BIO *bio, char *into, size_t size, size_t *taken)
{
	struct tls_channel *channel = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (str_empty(channel->incoming)) {
		BIO_set_retry_read(bio);
		return 0;
	}
	*taken = size < channel->incoming.length ? size : channel->incoming.length;
	memcpy(into, channel->incoming.at, *taken);
	channel->incoming = str_from(channel->incoming, *taken);
	return 1;
}

static int wire_write(BIO *bio, const char *bytes, size_t size, size_t *taken)
{
	struct tls_channel *channel = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!channel->handlers->send(channel->context, (struct str){bytes, size}))
		return 0;
	*taken = size;
	return 1;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *wire_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tcp_connection");

	if (method && BIO_meth_set_read_ex(method, wire_read) && BIO_meth_set_write_ex(method, wire_write) &&
	    BIO_meth_set_ctrl(method, wire_control))
		return method;
	BIO_meth_free(method);
	return NULL;
}

// ---- reasons

// The last thing that OpenSSL complained of, in its words. They hold no secrets.
static const char *openssl_reason(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);

	return reason ? reason : "no reason given";
}

static bool refuse(char *sentence, size_t size, const char *what, const char *path)
{
	snprintf(sentence, size, "%s %s cannot be used: %s", what, path, openssl_reason());
	ERR_clear_error();
	return false;
}

static void channel_fail(struct tls_channel *channel)
{
	long verified = SSL_get_verify_result(channel->ssl);

	if (channel->state == TLS_FAILED)
		return;
	channel->state = TLS_FAILED;
	if (verified != X509_V_OK)
		snprintf(channel->why, sizeof channel->why, "%s", X509_verify_cert_error_string(verified));
	else
		snprintf(channel->why, sizeof channel->why, "%s", openssl_reason());
	ERR_clear_error();
}

// ---- whom we trust

static bool names_host(const struct tls_channel *channel, X509 *certificate)
{
	return certificate_names(certificate, str_of(channel->host)) ||
	       (channel->by_wildcards && certificate_names_by_wildcard(certificate, str_of(channel->host)));
}

// Told of each certificate of the chain. The other side's own, once the chain is good, must name whom we meant to reach
// (RFC 5922 section 7.3).
static int verify(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls_channel *channel = SSL_get_app_data(ssl);

	if (!good || X509_STORE_CTX_get_error_depth(store) > 0 || !channel->host[0])
		return good;
	if (names_host(channel, X509_STORE_CTX_get_current_cert(store)))
		return good;
	X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

// ---- sessions of ours that the other side let us take up again

static struct remembered *remembered_for(struct tls *tls, const char *host)
{
	return &tls->remembered[hash_str(str_of(host)) % REMEMBERED];
}

static void forget(struct remembered *remembered)
{
	SSL_SESSION_free(remembered->session);
	remembered->session = NULL;
}

static void forget_all(struct tls *tls)
{
	for (unsigned i = 0; i < REMEMBERED; i++)
		forget(&tls->remembered[i]);
}

// 1: we keep the reference.
static int session_came(SSL *ssl, SSL_SESSION *session)
{
	struct tls_channel *channel = SSL_get_app_data(ssl);
	struct tls *tls = channel->tls;

	if (SSL_get_SSL_CTX(ssl) != tls->client || !channel->host[0])
		return 0;
	struct remembered *remembered = remembered_for(tls, channel->host);
	forget(remembered);
	memcpy(remembered->host, channel->host, sizeof remembered->host);
	remembered->session = session;
	return 1;
}

// Each is taken up once: in TLS 1.3 whoever listens could tell two such connections to be the same client's.
static void take_up_session(struct tls_channel *channel)
{
	struct remembered *remembered = remembered_for(channel->tls, channel->host);

	if (!remembered->session || strcmp(remembered->host, channel->host) != 0)
		return;
	SSL_set_session(channel->ssl, remembered->session);
	forget(remembered);
}

// ---- what is read from files

// A key with a pass phrase is not asked for one on the terminal: there is nobody.
static int no_pass_phrase(char *into, int size, int writing, void *user)
{
	(void)into;
	(void)size;
	(void)writing;
	(void)user;
	return -1;
}

static bool load_certificate(const struct tls *tls, SSL_CTX *context, char *sentence, size_t size)
{
	const char *key = tls->key[0] ? tls->key : tls->certificate;

	if (SSL_CTX_use_certificate_chain_file(context, tls->certificate) != 1)
		return refuse(sentence, size, "The certificate", tls->certificate);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return refuse(sentence, size, "The key", key);
	return true;
}

static bool load_trust(const struct tls *tls, SSL_CTX *context, char *sentence, size_t size)
{
	if (!tls->ca[0]) {
		SSL_CTX_set_default_verify_paths(context);
		return true;
	}
	return SSL_CTX_load_verify_file(context, tls->ca) == 1 || refuse(sentence, size, "The file of CAs", tls->ca);
}

// Ciphers and curves are OpenSSL's and the system's choice (openssl.cnf), which follow what is known of their strength.
static SSL_CTX *context_create(const struct tls *tls, const SSL_METHOD *method, char *sentence, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context) {
		refuse(sentence, size, "TLS", "");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(context, CHAIN_MAX);
	SSL_CTX_set_verify_depth(context, CHAIN_DEPTH_MAX);
	SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
	if (load_trust(tls, context, sentence, size) &&
	    (!tls->certificate[0] || load_certificate(tls, context, sentence, size)))
		return context;
	SSL_CTX_free(context);
	return NULL;
}

static SSL_CTX *server_create(const struct tls *tls, char *sentence, size_t size)
{
	static const unsigned char application[] = "carillon-sip";
	SSL_CTX *context = context_create(tls, TLS_server_method(), sentence, size);

	if (!context)
		return NULL;
	SSL_CTX_set_session_id_context(context, application, sizeof application - 1);
	if (!tls->require_client_certificate)
		return context;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	// Public CAs no longer issue certificates for clients; a carrier's server certificate is as good.
	SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
	if (tls->ca[0])
		SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(tls->ca));
	return context;
}

static SSL_CTX *client_create(const struct tls *tls, char *sentence, size_t size)
{
	SSL_CTX *context = context_create(tls, TLS_client_method(), sentence, size);

	if (!context)
		return NULL;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, verify);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, session_came);
	return context;
}

bool tls_reload(struct tls *tls, char *sentence, size_t size)
{
	SSL_CTX *client, *server = NULL;

	ERR_clear_error();
	client = client_create(tls, sentence, size);
	if (client && tls->certificate[0])
		server = server_create(tls, sentence, size);
	if (!client || (tls->certificate[0] && !server)) {
		SSL_CTX_free(client);
		return false;
	}
	forget_all(tls);
	SSL_CTX_free(tls->client);
	SSL_CTX_free(tls->server);
	tls->client = client;
	tls->server = server;
	return true;
}

bool tls_create(struct loop *loop, const struct tls_settings *settings, struct tls **created, char *sentence,
		size_t size)
{
	struct tls *tls = calloc(1, sizeof *tls);

	snprintf(sentence, size, "there is no memory for TLS");
	if (!tls)
		return false;
	tls->loop = loop;
	tls->require_client_certificate = settings->require_client_certificate;
	tls->wire = wire_method();
	if (!tls->wire)
		goto failed;
	snprintf(sentence, size, "a path of [tls] is too long");
	if (!str_to_cstring(settings->certificate, tls->certificate, sizeof tls->certificate) ||
	    !str_to_cstring(settings->key, tls->key, sizeof tls->key) ||
	    !str_to_cstring(settings->ca, tls->ca, sizeof tls->ca))
		goto failed;
	if (!tls_reload(tls, sentence, size))
		goto failed;
	*created = tls;
	return true;
failed:
	tls_destroy(tls);
	return false;
}

void tls_destroy(struct tls *tls)
{
	if (!tls)
		return;
	forget_all(tls);
	SSL_CTX_free(tls->client);
	SSL_CTX_free(tls->server);
	BIO_meth_free(tls->wire);
	free(tls);
}

bool tls_has_certificate(const struct tls *tls)
{
	return tls->server;
}

int64_t tls_certificate_ends_s(const struct tls *tls)
{
	return tls->server ? certificate_ends_s(SSL_CTX_get0_certificate(tls->server)) : 0;
}

// ---- channels

static struct tls_channel *channel_create(struct tls *tls, SSL_CTX *context, const struct tls_handlers *handlers,
					  void *user)
{
	struct tls_channel *channel = context ? calloc(1, sizeof *channel) : NULL;
	BIO *wire;

	if (!channel)
		return NULL;
	channel->tls = tls;
	channel->handlers = handlers;
	channel->context = user;
	channel->ssl = SSL_new(context);
	if (!channel->ssl)
		goto no_ssl;
	if (!SSL_set_app_data(channel->ssl, channel))
		goto no_wire;
	wire = BIO_new(tls->wire);
	if (!wire)
		goto no_wire;
	BIO_set_data(wire, channel);
	BIO_set_init(wire, 1);
	SSL_set_bio(channel->ssl, wire, wire); // owned by it from now on
	X509_VERIFY_PARAM_set_time(SSL_get0_param(channel->ssl), (time_t)(loop_time_ms(tls->loop) / 1000));
	return channel;
no_wire:
	SSL_free(channel->ssl);
no_ssl:
	free(channel);
	ERR_clear_error();
	return NULL;
}

struct tls_channel *tls_channel_accept(struct tls *tls, const struct tls_handlers *handlers, void *context)
{
	struct tls_channel *channel = channel_create(tls, tls->server, handlers, context);

	if (channel)
		SSL_set_accept_state(channel->ssl);
	return channel;
}

struct tls_channel *tls_channel_connect(struct tls *tls, struct str host, const struct tls_handlers *handlers,
					void *context)
{
	struct tls_channel *channel = channel_create(tls, tls->client, handlers, context);
	struct net_address address;

	if (!channel)
		return NULL;
	SSL_set_connect_state(channel->ssl);
	if (!str_to_cstring(host, channel->host, sizeof channel->host) || str_empty(host))
		goto failed;
	// RFC 6066 section 3: an address is no name to send.
	if (!net_address_parse(host, 0, &address) && SSL_set_tlsext_host_name(channel->ssl, channel->host) != 1)
		goto failed;
	take_up_session(channel);
	return channel;
failed:
	tls_channel_close(channel);
	return NULL;
}

void tls_channel_take_wildcards(struct tls_channel *channel)
{
	channel->by_wildcards = true;
}

void tls_channel_demand(struct tls_channel *channel, struct str host)
{
	channel->demands = true;
	// What does not fit names nobody.
	if (!str_to_cstring(host, channel->host, sizeof channel->host))
		snprintf(channel->host, sizeof channel->host, "-");
	SSL_set_verify(channel->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	SSL_set_purpose(channel->ssl, X509_PURPOSE_ANY); // public CAs no longer issue certificates for clients
}

void tls_channel_close(struct tls_channel *channel)
{
	if (!channel)
		return;
	ERR_clear_error();
	if (channel->state == TLS_OPEN || channel->state == TLS_CLOSED)
		SSL_shutdown(channel->ssl); // close_notify; an answer is not waited for
	SSL_free(channel->ssl);
	ERR_clear_error();
	free(channel);
}

// A session that is taken up again brings no new certificate.
static bool shows_what_is_demanded(const struct tls_channel *channel)
{
	X509 *certificate = SSL_get0_peer_certificate(channel->ssl);

	return !channel->demands || (certificate && names_host(channel, certificate));
}

static void channel_shake(struct tls_channel *channel)
{
	int done = SSL_do_handshake(channel->ssl);

	if (done == 1 && !shows_what_is_demanded(channel)) {
		channel->state = TLS_FAILED;
		snprintf(channel->why, sizeof channel->why, "no certificate of the trunk's host");
	} else if (done == 1) {
		channel->state = TLS_OPEN;
		channel->handlers->opened(channel->context);
	} else if (SSL_get_error(channel->ssl, done) != SSL_ERROR_WANT_READ) {
		channel_fail(channel);
	}
}

// Reads until nothing more comes of what is there.
static void channel_read(struct tls_channel *channel)
{
	char plain[PLAIN_SIZE];

	while (channel->state == TLS_OPEN) {
		int size = SSL_read(channel->ssl, plain, sizeof plain);
		if (size > 0) {
			if (!channel->handlers->received(channel->context, plain, (size_t)size))
				return;
			continue;
		}
		switch (SSL_get_error(channel->ssl, size)) {
		case SSL_ERROR_WANT_READ:
			return;
		case SSL_ERROR_ZERO_RETURN:
			channel->state = TLS_CLOSED;
			return;
		default:
			channel_fail(channel);
			return;
		}
	}
}

enum tls_state tls_channel_start(struct tls_channel *channel)
{
	ERR_clear_error();
	channel_shake(channel);
	return channel->state;
}

enum tls_state tls_channel_receive(struct tls_channel *channel, struct str bytes)
{
	ERR_clear_error();
	channel->incoming = bytes;
	if (channel->state == TLS_SHAKING)
		channel_shake(channel);
	channel_read(channel);
	channel->incoming = STR_NONE;
	return channel->state;
}

bool tls_channel_send(struct tls_channel *channel, struct str bytes)
{
	size_t taken;

	if (channel->state != TLS_OPEN)
		return false;
	ERR_clear_error();
	if (str_empty(bytes) || SSL_write_ex(channel->ssl, bytes.at, bytes.length, &taken) == 1)
		return true;
	channel_fail(channel);
	return false;
}

enum tls_state tls_channel_state(const struct tls_channel *channel)
{
	return channel->state;
}

const char *tls_channel_why(const struct tls_channel *channel)
{
	return channel->why;
}

const char *tls_channel_version(const struct tls_channel *channel)
{
	return SSL_get_version(channel->ssl);
}

bool tls_channel_resumed(const struct tls_channel *channel)
{
	return SSL_session_reused(channel->ssl);
}
