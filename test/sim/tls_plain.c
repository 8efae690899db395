// sip/tls.h for simulated worlds: the records, the handshake, the names and the goodbye of TLS, without its cryptography, which
// would cost more than all the rest and draw its randomness from elsewhere than the seed. Linked in the place of sip/tls.c;
// whatever uses it is the real thing. A certificate is a line of names here, not a file.
//
// A record: its kind, two bytes of length, and so many bytes, each turned round so that nobody reads it by mistake.
#include "sip/tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_HEAD = 3, RECORD_MAX = 16384, NAMES_MAX = 256, TURNED = 0xa5 };

enum record_kind { RECORD_HELLO = 22, RECORD_WELCOME, RECORD_DATA, RECORD_GOODBYE };

struct tls {
	char certificate[NAMES_MAX]; // names, separated by spaces; empty: only connecting works
};

struct tls_channel {
	const struct tls *tls;
	const struct tls_handlers *handlers;
	void *context;
	enum tls_state state;
	const char *why;
	char host[NAMES_MAX]; // who must be there; empty: it was accepted
	char *bytes;          // owned; of records that are not complete
	size_t used;
};

bool tls_create(struct loop *loop, const struct tls_settings *settings, struct tls **tls, char *sentence, size_t size)
{
	(void)loop;
	(void)sentence;
	(void)size;
	*tls = calloc(1, sizeof **tls);
	return *tls && str_to_cstring(settings->certificate, (*tls)->certificate, sizeof(*tls)->certificate);
}

void tls_destroy(struct tls *tls)
{
	free(tls);
}

bool tls_reload(struct tls *tls, char *sentence, size_t size)
{
	(void)tls;
	(void)sentence;
	(void)size;
	return true;
}

bool tls_has_certificate(const struct tls *tls)
{
	return tls->certificate[0] != '\0';
}

int64_t tls_certificate_ends_s(const struct tls *tls)
{
	return tls_has_certificate(tls) ? INT64_MAX : 0;
}

// ---- channels

static struct tls_channel *channel_create(struct tls *tls, const struct tls_handlers *handlers, void *context)
{
	struct tls_channel *channel = calloc(1, sizeof *channel);
	assert(channel);
	channel->tls = tls;
	channel->handlers = handlers;
	channel->context = context;
	return channel;
}

struct tls_channel *tls_channel_accept(struct tls *tls, const struct tls_handlers *handlers, void *context)
{
	return tls_has_certificate(tls) ? channel_create(tls, handlers, context) : NULL;
}

void tls_channel_demand(struct tls_channel *channel, struct str host)
{
	(void)channel;
	(void)host;
}

void tls_channel_take_wildcards(struct tls_channel *channel)
{
	(void)channel;
}

struct tls_channel *tls_channel_connect(struct tls *tls, struct str host, const struct tls_handlers *handlers,
					void *context)
{
	struct tls_channel *channel = channel_create(tls, handlers, context);
	const bool fits = !str_empty(host) && str_to_cstring(host, channel->host, sizeof channel->host);
	assert(fits);
	(void)fits;
	return channel;
}

static enum tls_state channel_fail(struct tls_channel *channel, const char *why)
{
	channel->why = why;
	return channel->state = TLS_FAILED;
}

static bool record_send(struct tls_channel *channel, enum record_kind kind, struct str bytes)
{
	char *record = malloc(RECORD_HEAD + bytes.length);
	assert(record && bytes.length <= RECORD_MAX);
	record[0] = (char)kind;
	record[1] = (char)(bytes.length >> 8);
	record[2] = (char)bytes.length;
	for (size_t i = 0; i < bytes.length; i++)
		record[RECORD_HEAD + i] = (char)(bytes.at[i] ^ TURNED);
	const bool sent = channel->handlers->send(channel->context, (struct str){record, RECORD_HEAD + bytes.length});
	free(record);
	if (!sent)
		channel_fail(channel, "cannot be sent to");
	return sent;
}

void tls_channel_close(struct tls_channel *channel)
{
	if (!channel)
		return;
	if (channel->state == TLS_OPEN || channel->state == TLS_CLOSED)
		record_send(channel, RECORD_GOODBYE, STR_NONE);
	free(channel->bytes);
	free(channel);
}

enum tls_state tls_channel_start(struct tls_channel *channel)
{
	if (channel->host[0])
		record_send(channel, RECORD_HELLO, str_of(channel->host));
	return channel->state;
}

static bool names_have(struct str names, struct str host)
{
	struct str name;
	while (str_take(&names, ' ', &name))
		if (str_equal_nocase(name, host))
			return true;
	return false;
}

static void channel_open(struct tls_channel *channel)
{
	channel->state = TLS_OPEN;
	channel->handlers->opened(channel->context);
}

static void record_shake(struct tls_channel *channel, enum record_kind kind, struct str bytes)
{
	const bool accepted = !channel->host[0];
	if (kind != (accepted ? RECORD_HELLO : RECORD_WELCOME)) {
		channel_fail(channel, "unexpected message");
	} else if (accepted) {
		if (record_send(channel, RECORD_WELCOME, str_of(channel->tls->certificate)))
			channel_open(channel);
	} else if (names_have(bytes, str_of(channel->host))) {
		channel_open(channel);
	} else {
		channel_fail(channel, "the certificate is somebody else's");
	}
}

// False: no more.
static bool record_take(struct tls_channel *channel, enum record_kind kind, char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(bytes[i] ^ TURNED);
	if (channel->state == TLS_SHAKING)
		record_shake(channel, kind, (struct str){bytes, size});
	else if (kind == RECORD_GOODBYE)
		channel->state = TLS_CLOSED;
	else if (kind == RECORD_DATA)
		return channel->handlers->received(channel->context, bytes, size);
	else
		channel_fail(channel, "unexpected message");
	return true;
}

static size_t record_size(const struct tls_channel *channel)
{
	const uint8_t *head = (const uint8_t *)channel->bytes;
	return RECORD_HEAD + ((size_t)head[1] << 8 | head[2]);
}

enum tls_state tls_channel_receive(struct tls_channel *channel, struct str bytes)
{
	channel->bytes = realloc(channel->bytes, channel->used + bytes.length + 1);
	assert(channel->bytes);
	memcpy(channel->bytes + channel->used, bytes.at, bytes.length);
	channel->used += bytes.length;
	while ((channel->state == TLS_SHAKING || channel->state == TLS_OPEN) && channel->used >= RECORD_HEAD &&
	       channel->used >= record_size(channel)) {
		const size_t size = record_size(channel) - RECORD_HEAD;
		const enum record_kind kind = (enum record_kind)(uint8_t)channel->bytes[0];
		char *record = malloc(size + 1); // of its own, so that reading past its end is seen
		assert(record);
		memcpy(record, channel->bytes + RECORD_HEAD, size);
		channel->used -= RECORD_HEAD + size;
		memmove(channel->bytes, channel->bytes + RECORD_HEAD + size, channel->used);
		const bool more = record_take(channel, kind, record, size);
		free(record);
		if (!more)
			break;
	}
	return channel->state;
}

bool tls_channel_send(struct tls_channel *channel, struct str bytes)
{
	while (channel->state == TLS_OPEN && bytes.length) {
		const struct str piece = str_first(bytes, RECORD_MAX);
		bytes = str_from(bytes, piece.length);
		record_send(channel, RECORD_DATA, piece);
	}
	return channel->state == TLS_OPEN;
}

enum tls_state tls_channel_state(const struct tls_channel *channel)
{
	return channel->state;
}

const char *tls_channel_why(const struct tls_channel *channel)
{
	return channel->why ? channel->why : "";
}

const char *tls_channel_version(const struct tls_channel *channel)
{
	(void)channel;
	return "none";
}

bool tls_channel_resumed(const struct tls_channel *channel)
{
	(void)channel;
	return false;
}
