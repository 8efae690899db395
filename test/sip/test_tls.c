// TLS by memory alone: two channels, and between them a wire that the test cuts as it likes.
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"
#include "sip/certificate.h"
#include "sip/certificates.h"
#include "sip/tls.h"

#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIRE_MAX = 1 << 20 };

// One side of a connection.
struct end {
	struct tls_channel *channel;
	char out[WIRE_MAX]; // for the wire
	size_t out_size;
	char heard[WIRE_MAX];
	size_t heard_size;
	bool opened;
	bool wire_is_cut; // it takes nothing
};

struct lab {
	struct loop *loop;
	char folder[64], ca_path[96], server_path[96], client_path[96];
	struct issued ca;
	struct tls *server, *client;
	struct end near, far; // near is ours, the server
};

static bool end_send(void *context, struct str bytes)
{
	struct end *end = context;

	if (end->wire_is_cut)
		return false;
	assert_true(end->out_size + bytes.length <= sizeof end->out);
	memcpy(end->out + end->out_size, bytes.at, bytes.length);
	end->out_size += bytes.length;
	return true;
}

static void end_opened(void *context)
{
	((struct end *)context)->opened = true;
}

static bool end_received(void *context, char *bytes, size_t size)
{
	struct end *end = context;

	assert_true(end->heard_size + size < sizeof end->heard);
	memcpy(end->heard + end->heard_size, bytes, size);
	end->heard_size += size;
	end->heard[end->heard_size] = '\0';
	return true;
}

static const struct tls_handlers end_handlers = {end_send, end_opened, end_received};

static bool end_deliver(struct end *from, struct end *to, size_t piece)
{
	static char bytes[WIRE_MAX];
	size_t size = from->out_size;

	if (size == 0)
		return false;
	memcpy(bytes, from->out, size);
	from->out_size = 0;
	for (size_t at = 0; at < size; at += piece)
		tls_channel_receive(to->channel, str_first((struct str){bytes + at, size - at}, piece));
	return true;
}

// Until neither says anything more.
static void pump(struct lab *lab, size_t piece)
{
	while (end_deliver(&lab->far, &lab->near, piece) || end_deliver(&lab->near, &lab->far, piece))
		;
}

static struct tls *tls_of(struct lab *lab, const struct tls_settings *settings)
{
	char sentence[256];
	struct tls *tls = NULL;

	if (!tls_create(lab->loop, settings, &tls, sentence, sizeof sentence))
		fail_msg("%s", sentence);
	return tls;
}

static void issue_to(const struct lab *lab, const char *path, struct issue issue)
{
	issue.issuer = &lab->ca;
	struct issued issued = certificate_issue(&issue);
	certificate_write(&issued, path);
	certificate_free(&issued);
}

static void set_up_bare(struct lab *lab)
{
	memset(lab, 0, sizeof *lab);
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	lab->loop = sim_create(3);
	snprintf(lab->folder, sizeof lab->folder, "tls-XXXXXX");
	assert_non_null(mkdtemp(lab->folder));
	snprintf(lab->ca_path, sizeof lab->ca_path, "%s/ca.pem", lab->folder);
	snprintf(lab->server_path, sizeof lab->server_path, "%s/server.pem", lab->folder);
	snprintf(lab->client_path, sizeof lab->client_path, "%s/client.pem", lab->folder);
	lab->ca = certificate_issue(&(struct issue){.common_name = "Test CA", .is_ca = true});
	certificate_write(&lab->ca, lab->ca_path);
}

static void set_up(struct lab *lab)
{
	set_up_bare(lab);
	issue_to(lab, lab->server_path, (struct issue){.common_name = "x", .alternative = "DNS:sip.example.com"});
	lab->server = tls_of(lab, &(struct tls_settings){.certificate = str_of(lab->server_path)});
	lab->client = tls_of(lab, &(struct tls_settings){.ca = str_of(lab->ca_path)});
}

static void end_clear(struct end *end)
{
	tls_channel_close(end->channel);
	memset(end, 0, sizeof *end);
}

static void hang_up(struct lab *lab)
{
	end_clear(&lab->near);
	end_clear(&lab->far);
}

static void tear_down(struct lab *lab)
{
	hang_up(lab);
	tls_destroy(lab->server);
	tls_destroy(lab->client);
	certificate_free(&lab->ca);
	unlink(lab->ca_path);
	unlink(lab->server_path);
	unlink(lab->client_path);
	rmdir(lab->folder);
	loop_destroy(lab->loop);
}

// Connects as somebody who means to reach this host.
static void connect_to(struct lab *lab, const char *host, size_t piece)
{
	lab->near.channel = tls_channel_accept(lab->server, &end_handlers, &lab->near);
	lab->far.channel = tls_channel_connect(lab->client, str_of(host), &end_handlers, &lab->far);
	assert_non_null(lab->near.channel);
	assert_non_null(lab->far.channel);
	assert_int_equal(tls_channel_start(lab->near.channel), TLS_SHAKING);
	assert_int_equal(tls_channel_start(lab->far.channel), TLS_SHAKING);
	pump(lab, piece);
}

static void assert_talks(struct lab *lab)
{
	lab->near.heard_size = lab->far.heard_size = 0;
	assert_true(tls_channel_send(lab->far.channel, STR("hello")));
	pump(lab, WIRE_MAX);
	assert_string_equal(lab->near.heard, "hello");
	assert_true(tls_channel_send(lab->near.channel, STR("how do you do")));
	pump(lab, WIRE_MAX);
	assert_string_equal(lab->far.heard, "how do you do");
}

static void assert_open(struct lab *lab)
{
	if (tls_channel_state(lab->near.channel) != TLS_OPEN || tls_channel_state(lab->far.channel) != TLS_OPEN)
		fail_msg("near: %s; far: %s", tls_channel_why(lab->near.channel), tls_channel_why(lab->far.channel));
	assert_true(lab->near.opened);
	assert_true(lab->far.opened);
	assert_talks(lab);
}

// ---- names (RFC 5922 section 7)

static void a_certificate_names_whom_it_says(void **state)
{
	static const struct {
		const char *common_name, *alternative, *host;
		bool named;
	} rows[] = {
	    {"x", "DNS:sip.example.com", "sip.example.com", true},
	    {"x", "DNS:sip.example.com", "SIP.Example.COM", true},
	    {"x", "DNS:sip.example.com", "example.com", false},
	    {"x", "DNS:*.example.com", "sip.example.com", false},
	    {"x", "URI:sip:example.com", "example.com", true},
	    {"x", "URI:SIP:example.com;transport=tls", "example.com", true},
	    {"x", "URI:sip:jane@example.com", "example.com", false},
	    {"x", "URI:https://example.com", "example.com", false},
	    {"x", "URI:sip:example.com,DNS:sip.example.com", "sip.example.com", false}, // the URI alone counts
	    {"x", "URI:sip:jane@example.com,DNS:sip.example.com", "sip.example.com", true},
	    {"x", "DNS:a.example.com,DNS:b.example.com", "b.example.com", true},
	    {"sip.example.com", NULL, "sip.example.com", true},
	    {"sip.example.com", "DNS:other.example.com", "sip.example.com", false},
	    {"sip.example.com", "email:jane@example.com", "sip.example.com", false},
	    {"x", "IP:192.0.2.1", "192.0.2.1", true},
	    {"x", "IP:192.0.2.1", "192.0.2.2", false},
	    {"x", "IP:2001:db8::1", "2001:0db8::1", true},
	    {"x", "DNS:192.0.2.1", "192.0.2.1", false},
	    {"x", "URI:sip:192.0.2.1:5061", "192.0.2.1", true},
	    {"x", "URI:sip:[2001:db8::1]:5061", "2001:db8::1", true},
	    {"x", "DNS:sip.example.com", "", false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct issued issued = certificate_issue(
		    &(struct issue){.common_name = rows[i].common_name, .alternative = rows[i].alternative});
		if (certificate_names(issued.certificate, str_of(rows[i].host)) != rows[i].named)
			fail_msg("row %zu: %s", i, rows[i].host);
		assert_int_equal(certificate_ends_s(issued.certificate), YEAR_2025);
		certificate_free(&issued);
	}
}

static void a_wildcard_stands_for_one_label(void **state)
{
	static const struct {
		const char *alternative, *host;
		bool named;
	} rows[] = {
	    {"DNS:*.pstnhub.example.com", "sip.pstnhub.example.com", true},
	    {"DNS:*.PSTNHUB.example.com", "SIP2.pstnhub.example.com", true},
	    {"DNS:*.example.com", "sip.pstnhub.example.com", false},
	    {"DNS:*.pstnhub.example.com", "pstnhub.example.com", false},
	    {"DNS:s*.example.com", "sip.example.com", false},
	    {"DNS:*.com", "example.com", false},
	    {"DNS:*", "sip", false},
	    {"DNS:sip.example.com", "sip.example.com", false}, // that one is certificate_names'
	    {"IP:192.0.2.1", "192.0.2.1", false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct issued issued =
		    certificate_issue(&(struct issue){.common_name = "x", .alternative = rows[i].alternative});
		if (certificate_names_by_wildcard(issued.certificate, str_of(rows[i].host)) != rows[i].named)
			fail_msg("row %zu: %s", i, rows[i].host);
		certificate_free(&issued);
	}
}

// ---- handshakes

static void two_that_trust_each_other_talk(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	(void)state;

	set_up(lab);
	assert_true(tls_has_certificate(lab->server));
	assert_false(tls_has_certificate(lab->client));
	assert_int_equal(tls_certificate_ends_s(lab->server), YEAR_2025);
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_open(lab);
	assert_string_equal(tls_channel_version(lab->near.channel), "TLSv1.3");
	hang_up(lab);
	connect_to(lab, "sip.example.com", 1); // byte by byte
	assert_open(lab);
	tear_down(lab);
	free(lab);
}

static void refused_because(struct lab *lab, const char *host, const char *why)
{
	connect_to(lab, host, WIRE_MAX);
	assert_int_equal(tls_channel_state(lab->far.channel), TLS_FAILED);
	assert_string_equal(tls_channel_why(lab->far.channel), why);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_FAILED); // the alert tells it
	assert_false(tls_channel_send(lab->far.channel, STR("secret")));
	assert_false(lab->far.opened);
	hang_up(lab);
}

static void whoever_is_not_who_we_meant_is_refused(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	(void)state;

	set_up(lab);
	refused_because(lab, "other.example.com", "hostname mismatch");
	refused_because(lab, "192.0.2.1", "hostname mismatch");
	sim_set_time(lab->loop, (uint64_t)(YEAR_2025 + 1) * 1000);
	refused_because(lab, "sip.example.com", "certificate has expired");
	sim_set_time(lab->loop, (uint64_t)(YEAR_2023 - 1) * 1000);
	refused_because(lab, "sip.example.com", "certificate is not yet valid");
	sim_set_time(lab->loop, (uint64_t)(YEAR_2023 + 1) * 1000);

	struct issued self =
	    certificate_issue(&(struct issue){.common_name = "x", .alternative = "DNS:sip.example.com"});
	certificate_write(&self, lab->server_path);
	certificate_free(&self);
	char sentence[256];
	assert_true(tls_reload(lab->server, sentence, sizeof sentence));
	refused_because(lab, "sip.example.com", "self-signed certificate");
	tear_down(lab);
	free(lab);
}

static void clients_must_have_a_certificate_where_we_ask_for_one(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	(void)state;

	set_up(lab);
	tls_destroy(lab->server);
	lab->server = tls_of(lab, &(struct tls_settings){.certificate = str_of(lab->server_path),
							 .ca = str_of(lab->ca_path),
							 .require_client_certificate = true});
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_FAILED);
	assert_string_equal(tls_channel_why(lab->near.channel), "peer did not return a certificate");
	assert_false(lab->near.opened);
	hang_up(lab);

	struct issued self = certificate_issue(&(struct issue){.common_name = "stranger"});
	certificate_write(&self, lab->client_path);
	certificate_free(&self);
	tls_destroy(lab->client);
	const struct tls_settings with = {.certificate = str_of(lab->client_path), .ca = str_of(lab->ca_path)};
	lab->client = tls_of(lab, &with);
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_FAILED);
	assert_string_equal(tls_channel_why(lab->near.channel), "self-signed certificate");
	hang_up(lab);

	issue_to(lab, lab->client_path, (struct issue){.common_name = "carrier"});
	char sentence[256];
	assert_true(tls_reload(lab->client, sentence, sizeof sentence));
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_open(lab);
	tear_down(lab);
	free(lab);
}

static void a_session_is_taken_up_again_with_the_same_host_only(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	char sentence[256];
	(void)state;

	set_up(lab);
	issue_to(lab, lab->server_path,
		 (struct issue){.common_name = "x", .alternative = "DNS:sip.example.com,DNS:two.example.com"});
	assert_true(tls_reload(lab->server, sentence, sizeof sentence));
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_false(tls_channel_resumed(lab->near.channel));
	hang_up(lab);
	connect_to(lab, "two.example.com", WIRE_MAX);
	assert_false(tls_channel_resumed(lab->near.channel));
	hang_up(lab);
	for (unsigned i = 0; i < 3; i++) {
		connect_to(lab, "sip.example.com", WIRE_MAX);
		assert_open(lab);
		assert_true(tls_channel_resumed(lab->near.channel));
		assert_true(tls_channel_resumed(lab->far.channel));
		hang_up(lab);
	}
	assert_true(tls_reload(lab->client, sentence, sizeof sentence)); // it may trust others now
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_false(tls_channel_resumed(lab->near.channel));
	tear_down(lab);
	free(lab);
}

static void a_new_certificate_leaves_what_is_open_alone(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	static struct end old_near, old_far;
	char sentence[256];
	(void)state;

	set_up(lab);
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_open(lab);
	issue_to(lab, lab->server_path, (struct issue){.common_name = "x", .alternative = "DNS:new.example.com"});
	assert_true(tls_reload(lab->server, sentence, sizeof sentence));
	assert_talks(lab);
	old_near = lab->near; // their channels keep the address of where they report to: they are closed, and no more
	old_far = lab->far;
	memset(&lab->near, 0, sizeof lab->near);
	memset(&lab->far, 0, sizeof lab->far);
	refused_because(lab, "sip.example.com", "hostname mismatch");
	connect_to(lab, "new.example.com", WIRE_MAX);
	assert_open(lab);
	tls_channel_close(old_near.channel);
	tls_channel_close(old_far.channel);
	tear_down(lab);
	free(lab);
}

static void files_that_cannot_be_used_change_nothing(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	struct tls *none = NULL;
	char sentence[256];
	FILE *file;
	(void)state;

	set_up(lab);
	file = fopen(lab->server_path, "w");
	fputs("not a certificate\n", file);
	fclose(file);
	assert_false(tls_reload(lab->server, sentence, sizeof sentence));
	assert_non_null(strstr(sentence, "The certificate tls-"));
	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_open(lab);
	assert_false(tls_create(lab->loop, &(struct tls_settings){.certificate = str_of(lab->server_path)}, &none,
				sentence, sizeof sentence));
	assert_false(
	    tls_create(lab->loop, &(struct tls_settings){.ca = STR("nowhere.pem")}, &none, sentence, sizeof sentence));
	assert_non_null(strstr(sentence, "The file of CAs nowhere.pem cannot be used"));
	// a key that is another's
	issue_to(lab, lab->server_path, (struct issue){.common_name = "x"});
	issue_to(lab, lab->client_path, (struct issue){.common_name = "x"});
	assert_false(tls_create(
	    lab->loop, &(struct tls_settings){.certificate = str_of(lab->server_path), .key = str_of(lab->client_path)},
	    &none, sentence, sizeof sentence));
	assert_non_null(strstr(sentence, "key values mismatch"));
	assert_null(none);
	tear_down(lab);
	free(lab);
}

// ---- what strangers send

static void what_is_no_hello_fails(void **state)
{
	static const char *const garbage[] = {"OPTIONS sip:510@192.0.2.1 SIP/2.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
					      "\x16\x03\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
	struct lab *lab = malloc(sizeof *lab);
	(void)state;

	set_up(lab);
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		lab->near.channel = tls_channel_accept(lab->server, &end_handlers, &lab->near);
		tls_channel_start(lab->near.channel);
		assert_int_equal(tls_channel_receive(lab->near.channel, str_of(garbage[i])), TLS_FAILED);
		assert_true(tls_channel_why(lab->near.channel)[0] != '\0');
		assert_int_equal(tls_channel_receive(lab->near.channel, STR("more")), TLS_FAILED);
		end_clear(&lab->near);
	}
	tear_down(lab);
	free(lab);
}

// A client of OpenSSL's own, to do what ours never does.
struct stranger {
	SSL_CTX *context;
	SSL *ssl;
};

static void stranger_set_up(struct stranger *stranger, int version)
{
	stranger->context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(stranger->context, 0);
	SSL_CTX_set_min_proto_version(stranger->context, version);
	SSL_CTX_set_max_proto_version(stranger->context, version);
	stranger->ssl = SSL_new(stranger->context);
	SSL_set_bio(stranger->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(stranger->ssl);
}

static void stranger_tear_down(struct stranger *stranger)
{
	SSL_free(stranger->ssl);
	SSL_CTX_free(stranger->context);
}

// Lets it go on, and passes on what either has said.
static void stranger_pump(struct stranger *stranger, struct lab *lab)
{
	char bytes[4096], said[64];

	for (unsigned round = 0; round < 20; round++) {
		if (SSL_in_init(stranger->ssl))
			SSL_do_handshake(stranger->ssl);
		else
			SSL_read(stranger->ssl, said, sizeof said);
		int size = BIO_read(SSL_get_wbio(stranger->ssl), bytes, sizeof bytes);
		if (size > 0)
			tls_channel_receive(lab->near.channel, (struct str){bytes, (size_t)size});
		BIO_write(SSL_get_rbio(stranger->ssl), lab->near.out, (int)lab->near.out_size);
		lab->near.out_size = 0;
	}
}

static void old_versions_are_refused(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	struct stranger stranger;
	(void)state;

	set_up(lab);
	lab->near.channel = tls_channel_accept(lab->server, &end_handlers, &lab->near);
	stranger_set_up(&stranger, TLS1_1_VERSION);
	stranger_pump(&stranger, lab);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_FAILED);
	assert_string_equal(tls_channel_why(lab->near.channel), "unsupported protocol");
	stranger_tear_down(&stranger);
	tear_down(lab);
	free(lab);
}

static void nobody_negotiates_anew(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	struct stranger stranger;
	(void)state;

	set_up(lab);
	lab->near.channel = tls_channel_accept(lab->server, &end_handlers, &lab->near);
	stranger_set_up(&stranger, TLS1_2_VERSION);
	stranger_pump(&stranger, lab);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_OPEN);
	assert_string_equal(tls_channel_version(lab->near.channel), "TLSv1.2");
	assert_int_equal(SSL_write(stranger.ssl, "one", 3), 3);
	stranger_pump(&stranger, lab);
	assert_string_equal(lab->near.heard, "one");
	assert_int_equal(SSL_renegotiate(stranger.ssl), 1);
	assert_int_not_equal(SSL_do_handshake(stranger.ssl), 1);
	stranger_pump(&stranger, lab);
	assert_true(SSL_in_init(stranger.ssl)); // it asked in vain
	stranger_tear_down(&stranger);
	tear_down(lab);
	free(lab);
}

// ---- talk

static void much_and_often_arrives_as_it_was_said(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	static char bytes[300000];
	(void)state;

	set_up(lab);
	connect_to(lab, "sip.example.com", WIRE_MAX);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	assert_true(tls_channel_send(lab->far.channel, (struct str){bytes, sizeof bytes}));
	pump(lab, 999);
	assert_int_equal(lab->near.heard_size, sizeof bytes);
	assert_memory_equal(lab->near.heard, bytes, sizeof bytes);
	lab->near.heard_size = 0;
	for (size_t i = 0; i < 5000; i++)
		assert_true(tls_channel_send(lab->far.channel, (struct str){bytes + i, 1}));
	assert_true(tls_channel_send(lab->far.channel, STR_NONE));
	pump(lab, 77);
	assert_int_equal(lab->near.heard_size, 5000);
	assert_memory_equal(lab->near.heard, bytes, 5000);
	tear_down(lab);
	free(lab);
}

static void a_goodbye_is_no_failure_and_a_broken_record_is(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	(void)state;

	set_up(lab);
	connect_to(lab, "sip.example.com", WIRE_MAX);
	tls_channel_close(lab->far.channel);
	lab->far.channel = NULL;
	end_deliver(&lab->far, &lab->near, WIRE_MAX);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_CLOSED);
	hang_up(lab);

	connect_to(lab, "sip.example.com", WIRE_MAX);
	assert_true(tls_channel_send(lab->far.channel, STR("hello")));
	lab->far.out[lab->far.out_size - 1] ^= 1;
	end_deliver(&lab->far, &lab->near, WIRE_MAX);
	assert_int_equal(tls_channel_state(lab->near.channel), TLS_FAILED);
	assert_int_equal(lab->near.heard_size, 0);
	hang_up(lab);

	connect_to(lab, "sip.example.com", WIRE_MAX);
	lab->far.wire_is_cut = true;
	assert_false(tls_channel_send(lab->far.channel, STR("hello")));
	assert_int_equal(tls_channel_state(lab->far.channel), TLS_FAILED);
	tear_down(lab);
	free(lab);
}

// ---- no memory

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

// Shakes hands and says hello; false when that did not come about.
static bool try_to_talk(struct lab *lab)
{
	lab->near.channel = tls_channel_accept(lab->server, &end_handlers, &lab->near);
	lab->far.channel = tls_channel_connect(lab->client, STR("sip.example.com"), &end_handlers, &lab->far);
	if (!lab->near.channel || !lab->far.channel)
		return false;
	tls_channel_start(lab->near.channel);
	tls_channel_start(lab->far.channel);
	pump(lab, WIRE_MAX);
	if (tls_channel_state(lab->far.channel) != TLS_OPEN || !tls_channel_send(lab->far.channel, STR("hello")))
		return false;
	pump(lab, WIRE_MAX);
	return lab->near.heard_size == 5;
}

// OpenSSL makes some thousand allocations here; each eleventh is seen to fail.
static void without_memory_a_connection_fails_and_no_more(void **state)
{
	struct lab *lab = malloc(sizeof *lab);
	unsigned refused = 0, n;
	(void)state;

	set_up(lab);
	assert_true(try_to_talk(lab)); // what is made once is made
	hang_up(lab);
	for (n = 1;; n += n < 40 ? 1 : 11) {
		failing_allocator_arm(n);
		bool talked = try_to_talk(lab);
		bool failed = failing_allocator_disarm();
		if (failed && !talked)
			refused++;
		assert_true(talked || failed);
		hang_up(lab);
		if (!failed)
			break;
	}
	assert_true(n > 100);
	assert_true(refused > 10);
	assert_true(try_to_talk(lab));
	tear_down(lab);
	free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_names_whom_it_says),
	    cmocka_unit_test(a_wildcard_stands_for_one_label),
	    cmocka_unit_test(two_that_trust_each_other_talk),
	    cmocka_unit_test(whoever_is_not_who_we_meant_is_refused),
	    cmocka_unit_test(clients_must_have_a_certificate_where_we_ask_for_one),
	    cmocka_unit_test(a_session_is_taken_up_again_with_the_same_host_only),
	    cmocka_unit_test(a_new_certificate_leaves_what_is_open_alone),
	    cmocka_unit_test(files_that_cannot_be_used_change_nothing),
	    cmocka_unit_test(what_is_no_hello_fails),
	    cmocka_unit_test(old_versions_are_refused),
	    cmocka_unit_test(nobody_negotiates_anew),
	    cmocka_unit_test(much_and_often_arrives_as_it_was_said),
	    cmocka_unit_test(a_goodbye_is_no_failure_and_a_broken_record_is),
	    cmocka_unit_test(without_memory_a_connection_fails_and_no_more),
	};

	if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
