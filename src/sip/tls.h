// TLS 1.2 and 1.3 on OpenSSL, by memory alone: bytes of the wire go in, bytes for the wire come out. It opens no socket and
// takes the time from the loop, so it runs in the simulated world as well. Of SIP it knows only whom a certificate names.
#ifndef SIP_TLS_H
#define SIP_TLS_H

#include "base/loop.h"

// Our certificate, whom we trust, and the sessions that can be taken up again.
struct tls;

struct tls_settings {
	struct str
	    certificate; // file: PEM, ours first, then those that lead to the root; empty = none: only connecting works
	struct str key;  // file: PEM; empty = in the certificate's file
	struct str ca;   // file: PEM, whom we trust; empty = whom the system trusts
	bool require_client_certificate; // of those who connect to us
};

// False with a sentence that says what is wrong.
bool tls_create(struct loop *loop, const struct tls_settings *settings, struct tls **tls, char *sentence, size_t size);
void tls_destroy(struct tls *tls); // every channel must have been closed
// Reads the same files again. Channels that are open go on as they are. False leaves everything as it was.
bool tls_reload(struct tls *tls, char *sentence, size_t size);
bool tls_has_certificate(const struct tls *tls);
int64_t tls_certificate_ends_s(const struct tls *tls); // since 1970; 0 = no certificate

// ---- one connection

struct tls_channel;

enum tls_state {
	TLS_SHAKING,
	TLS_OPEN,
	TLS_CLOSED, // the other side has said goodbye
	TLS_FAILED,
};

struct tls_handlers {
	// Bytes for the wire. False when it does not take them: the channel fails.
	bool (*send)(void *context, struct str bytes);
	// The handshake is done; may send.
	void (*opened)(void *context);
	// What the other side said; the bytes live until it returns and may be written to. False: no more, please, the
	// connection is over. It may send, and may not close the channel.
	bool (*received)(void *context, char *bytes, size_t size);
};

// NULL when there is no memory.
struct tls_channel *tls_channel_accept(struct tls *tls, const struct tls_handlers *handlers, void *context);
// `host` is who must be at the other end: a name, or an IP address without brackets.
struct tls_channel *tls_channel_connect(struct tls *tls, struct str host, const struct tls_handlers *handlers,
					void *context);
// Before the start, of one that was accepted: it must show a certificate from a CA that is trusted, good for whatever, which names the
// host.
void tls_channel_demand(struct tls_channel *channel, struct str host);
// Before the start: a wildcard for the first label names the host as well.
void tls_channel_take_wildcards(struct tls_channel *channel);
// Says goodbye where that makes sense, and frees. NULL is allowed.
void tls_channel_close(struct tls_channel *channel);
// Begins the handshake; whoever connects speaks first.
enum tls_state tls_channel_start(struct tls_channel *channel);
// What came from the wire.
enum tls_state tls_channel_receive(struct tls_channel *channel, struct str bytes);
// While TLS_OPEN. False when the channel has failed.
bool tls_channel_send(struct tls_channel *channel, struct str bytes);
enum tls_state tls_channel_state(const struct tls_channel *channel);
const char *tls_channel_why(const struct tls_channel *channel);     // it failed; OpenSSL's reason
const char *tls_channel_version(const struct tls_channel *channel); // "TLSv1.3"
bool tls_channel_resumed(const struct tls_channel *channel);

#endif
