// The whole stack: a session of several messages, from several sources by all transports, against a running call plane. The
// input is a script, a step per line that begins with '@', followed by what is sent:
//
//	@N    from source N (0 to 7, sources below); the lines that follow are the message, their ends become CRLF
//	@=N   the same, the bytes as they are
//	@+N   N milliseconds pass (at most ten minutes)
//	@!N   source N's connection breaks
//	@^N   an administrator does something: stack_world_disturb
//
// Within a message "%" and a letter stand for what the source heard before, so that a few bytes answer, authenticate and stay
// within a dialog: %H what a response repeats of the last request, %D what a request repeats of the last response, %E of the
// last request in the dialog's other direction, %C its Contact, %B its branch, %T its To tag; %A the credentials that answer
// the last challenge, %L the line that says how long the rest is, %% a percent sign.
//
// Whatever was sent: the requests the server makes of it parse, and once all time has passed nothing is left.
#include "fuzz/fuzz.h"
#include "fuzz/stack_world.h"

#include "base/digest.h"
#include "base/hash.h"
#include "base/log.h"

#include <string.h>

enum { SOURCES = 8, HEARD_MAX = 16384, MESSAGE_MAX = 32768, STEPS_MAX = 64, PASSES_MAX = 600000 };

struct source {
	struct stack_world *world;
	enum transport transport;
	const char *number; // whose credentials it has
	struct net_address address;
	struct udp_socket *udp;
	struct tcp_connection *tcp;
	struct tls_channel *tls;
	bool open; // what is said is heard
	char stream[HEARD_MAX];
	size_t streamed;
	char request[HEARD_MAX], response[HEARD_MAX], challenge[HEARD_MAX];
	struct sip_message last_request, last_response, last_challenge; // slices of these
	bool has_request, has_response, has_challenge;
	char early[2 * MESSAGE_MAX];
	size_t early_size;
	unsigned counted; // nonces used
};

static const struct {
	enum transport transport;
	const char *number;
	uint8_t host;
} kinds[SOURCES] = {
    {TRANSPORT_UDP, "desk", 1}, {TRANSPORT_UDP, "soft", 2}, {TRANSPORT_TCP, "desk", 3}, {TRANSPORT_TCP, "soft", 4},
    {TRANSPORT_TLS, "soft", 5}, {TRANSPORT_WS, "web", 6},   {TRANSPORT_WSS, "web", 7},  {TRANSPORT_UDP, "account", 9},
};

// ---- hearing

static void keep(char *into, struct str bytes, struct sip_message *message, bool *has)
{
	struct sip_fault fault;
	*has = false;
	if (bytes.length > HEARD_MAX)
		return;
	memcpy(into, bytes.at, bytes.length);
	*has = sip_message_parse(into, bytes.length, SIP_DATAGRAM, message, &fault);
}

static void hear(struct source *source, struct str bytes)
{
	if (str_starts(bytes, STR("SIP/2.0 "))) {
		keep(source->response, bytes, &source->last_response, &source->has_response);
		if (source->has_response &&
		    (source->last_response.status == 401 || source->last_response.status == 407))
			keep(source->challenge, bytes, &source->last_challenge, &source->has_challenge);
		return;
	}
	keep(source->request, bytes, &source->last_request, &source->has_request);
	if (!source->has_request)
		fprintf(stderr, "%.*s\n", STR_ARG(bytes));
	must(source->has_request); // what we ask others is right, whatever it was made of
	must(source->last_request.method != SIP_METHOD_OTHER || source->last_request.to_tag.length);
}

static void datagram_came(void *context, const struct net_address *from, char *bytes, size_t size)
{
	(void)from;
	hear(context, (struct str){bytes, size});
}

static void stream_drop(struct source *source, size_t size)
{
	source->streamed -= size;
	memmove(source->stream, source->stream + size, source->streamed);
}

static void source_opened(struct source *source);

// One message or frame from the stream; false: not all of it is there.
static bool stream_take(struct source *source)
{
	const uint8_t *bytes = (const uint8_t *)source->stream;
	const bool web = source->transport == TRANSPORT_WS || source->transport == TRANSPORT_WSS;
	if (web && !source->open) {
		const char *end = memmem(source->stream, source->streamed, "\r\n\r\n", 4);
		if (!end)
			return false;
		stream_drop(source, (size_t)(end + 4 - source->stream));
		source_opened(source);
		return true;
	}
	if (!web) {
		struct sip_fault fault;
		size_t skipped = 0;
		const long length = sip_message_frame(source->stream, source->streamed, &skipped, &fault);
		if (length <= 0)
			return false;
		hear(source, (struct str){source->stream + skipped, (size_t)length});
		stream_drop(source, skipped + (size_t)length);
		return true;
	}
	const size_t head = source->streamed >= 2 && bytes[1] == 126 ? 4 : 2;
	if (source->streamed < head)
		return false;
	const size_t length = head == 4 ? (size_t)bytes[2] << 8 | bytes[3] : bytes[1] & 0x7fu;
	if (source->streamed < head + length)
		return false;
	if ((bytes[0] & 0x0f) <= 2)
		hear(source, (struct str){source->stream + head, length});
	stream_drop(source, head + length);
	return true;
}

static bool stream_came(struct source *source, const char *bytes, size_t size)
{
	if (source->streamed + size > sizeof source->stream)
		source->streamed = 0;
	if (size > sizeof source->stream)
		return true;
	memcpy(source->stream + source->streamed, bytes, size);
	source->streamed += size;
	while (stream_take(source))
		;
	return true;
}

// ---- saying

static void wire_write(struct source *source, struct str bytes)
{
	if (source->tls)
		tls_channel_send(source->tls, bytes);
	else if (source->tcp)
		tcp_send(source->tcp, bytes);
}

static void say(struct source *source, struct str message)
{
	if (source->transport != TRANSPORT_WS && source->transport != TRANSPORT_WSS) {
		wire_write(source, message);
		return;
	}
	// A frame whose mask changes nothing.
	static char frame[MESSAGE_MAX + 8];
	const uint8_t head[] = {0x81, 0x80 | 126, (uint8_t)(message.length >> 8), (uint8_t)message.length, 0, 0, 0, 0};
	memcpy(frame, head, sizeof head);
	memcpy(frame + sizeof head, message.at, message.length);
	wire_write(source, (struct str){frame, sizeof head + message.length});
}

static void source_opened(struct source *source)
{
	source->open = true;
	for (size_t at = 0, length; at < source->early_size; at += sizeof length + length) {
		memcpy(&length, source->early + at, sizeof length);
		say(source, (struct str){source->early + at + sizeof length, length});
	}
	source->early_size = 0;
}

static void source_secured(struct source *source)
{
	static const char greeting[] = "GET /sip HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
				       "Sec-WebSocket-Protocol: sip\r\n\r\n";
	if (source->transport == TRANSPORT_WS || source->transport == TRANSPORT_WSS)
		wire_write(source, STR(greeting));
	else
		source_opened(source);
}

static bool tls_says(void *context, struct str bytes)
{
	struct source *source = context;
	return source->tcp && tcp_send(source->tcp, bytes) == 0;
}

static void tls_opened(void *context)
{
	source_secured(context);
}

static bool tls_heard(void *context, char *bytes, size_t size)
{
	return stream_came(context, bytes, size);
}

static const struct tls_handlers tls_handlers = {tls_says, tls_opened, tls_heard};

static void source_close(struct source *source)
{
	tls_channel_close(source->tls);
	tcp_close(source->tcp);
	source->tls = NULL;
	source->tcp = NULL;
	source->open = false;
	source->streamed = source->early_size = 0;
}

static void connected(void *context, int error)
{
	struct source *source = context;
	if (error) {
		source_close(source);
		return;
	}
	if (source->transport == TRANSPORT_TLS || source->transport == TRANSPORT_WSS) {
		source->tls = tls_channel_connect(source->world->tls, STR("192.0.2.1"), &tls_handlers, source);
		tls_channel_start(source->tls);
	} else {
		source_secured(source);
	}
}

static void received(void *context, char *bytes, size_t size)
{
	struct source *source = context;
	if (!source->tls) {
		stream_came(source, bytes, size);
		return;
	}
	const enum tls_state state = tls_channel_receive(source->tls, (struct str){bytes, size});
	if (state == TLS_CLOSED || state == TLS_FAILED)
		source_close(source);
}

static void ended(void *context, int error)
{
	(void)error;
	source_close(context);
}

static const struct tcp_handlers tcp_handlers = {connected, received, ended};

static void source_send(struct source *source, struct str message)
{
	const struct net_address server = stack_world_server(source->transport);
	struct loop *loop = source->world->loop;
	if (source->transport == TRANSPORT_UDP) {
		(void)udp_send(source->udp, &server, message, NULL);
		return;
	}
	if (!source->tcp)
		must(sim_tcp_connect(loop, &source->address, &server, &tcp_handlers, source, &source->tcp) == 0);
	if (source->open) {
		say(source, message);
	} else if (source->early_size + sizeof message.length + message.length <= sizeof source->early) {
		memcpy(source->early + source->early_size, &message.length, sizeof message.length);
		memcpy(source->early + source->early_size + sizeof message.length, message.at, message.length);
		source->early_size += sizeof message.length + message.length;
	}
}

static void source_open(struct source *source, unsigned index, struct stack_world *world)
{
	source->world = world;
	source->transport = kinds[index].transport;
	source->number = kinds[index].number;
	source->address = (struct net_address){.family = 4, .port = 5060, .bytes = {10, 0, 0, kinds[index].host}};
	source->tcp = NULL;
	source->tls = NULL;
	source->open = source->has_request = source->has_response = source->has_challenge = false;
	source->streamed = source->early_size = source->counted = 0;
	if (source->transport == TRANSPORT_UDP)
		must(udp_open(world->loop, &source->address, datagram_came, source, &source->udp) == 0);
}

// ---- templates

static void write_headers(struct writer *w, const struct sip_message *message, enum sip_header_name name)
{
	for (const struct sip_header *header = sip_header_first(message, name); header;
	     header = sip_header_next(message, header))
		writer_format(w, "%.*s: %.*s\r\n", STR_ARG(header->name), STR_ARG(header->value));
}

static void write_value(struct writer *w, const char *name, const struct sip_message *message,
			enum sip_header_name from)
{
	writer_format(w, "%s: %.*s\r\n", name, STR_ARG(sip_header_value(message, from)));
}

static void write_dialog(struct writer *w, const struct source *source, char letter)
{
	const bool swapped = letter == 'E';
	const struct sip_message *of = letter == 'D' ? &source->last_response : &source->last_request;
	if (letter == 'D' ? !source->has_response : !source->has_request)
		return;
	if (letter == 'H')
		write_headers(w, of, SIP_HEADER_VIA);
	write_value(w, "From", of, swapped ? SIP_HEADER_TO : SIP_HEADER_FROM);
	write_value(w, "To", of, swapped ? SIP_HEADER_FROM : SIP_HEADER_TO);
	if (letter == 'H') {
		w->used -= 2; // the tag goes behind what was asked
		if (str_empty(of->to_tag))
			writer_text(w, ";tag=callee");
		writer_text(w, "\r\n");
		write_value(w, "CSeq", of, SIP_HEADER_CSEQ);
	}
	write_value(w, "Call-ID", of, SIP_HEADER_CALL_ID);
}

static struct str part(struct str challenge, const char *name)
{
	char wanted[24];
	snprintf(wanted, sizeof wanted, "%s=\"", name);
	for (size_t at = 0; at + strlen(wanted) < challenge.length; at++) {
		const struct str rest = str_from(challenge, at + strlen(wanted));
		if (str_starts(str_from(challenge, at), str_of(wanted)))
			return str_first(rest, str_index(rest, '"'));
	}
	return STR_NONE;
}

// `head` is the message so far: its first line has the method and the URI.
static void write_credentials(struct writer *w, struct source *source, struct str head)
{
	const bool proxy = source->has_challenge && source->last_challenge.status == 407;
	struct str method, uri, value;
	char ha1[DIGEST_HEX_MAX], ha2[DIGEST_HEX_MAX], response[DIGEST_HEX_MAX], count[16];
	if (!source->has_challenge || !str_take(&head, ' ', &method) || !str_take(&head, ' ', &uri))
		return;
	value = sip_header_value(&source->last_challenge,
				 proxy ? SIP_HEADER_PROXY_AUTHENTICATE : SIP_HEADER_WWW_AUTHENTICATE);
	const struct str nonce = part(value, "nonce"), realm = part(value, "realm");
	snprintf(count, sizeof count, "%08x", ++source->counted);
	const struct str a1[] = {str_of(source->number), realm, STR("secret")}, a2[] = {method, uri};
	const struct str all[] = {
	    digest_joined_hex(DIGEST_SHA256, a1, 3, ha1), nonce, str_of(count), STR("c"), STR("auth"),
	    digest_joined_hex(DIGEST_SHA256, a2, 2, ha2)};
	writer_format(w, "%s: Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", ",
		      proxy ? "Proxy-Authorization" : "Authorization", source->number, STR_ARG(realm), STR_ARG(nonce),
		      STR_ARG(uri));
	writer_format(w, "response=\"%.*s\", cnonce=\"c\", nc=%s, qop=auth, algorithm=SHA-256\r\n",
		      STR_ARG(digest_joined_hex(DIGEST_SHA256, all, 6, response)), count);
}

static void write_contact(struct writer *w, const struct source *source)
{
	const struct sip_message *of = source->has_response ? &source->last_response : &source->last_request;
	struct sip_address contact;
	if ((source->has_response || source->has_request) &&
	    sip_address_parse(sip_header_value(of, SIP_HEADER_CONTACT), &contact))
		writer_str(w, contact.uri.text);
}

// The rest of the message is its body, behind an empty line.
static void write_length(struct writer *w, struct str rest)
{
	size_t lines = 0, start = 0;
	for (size_t i = 0; i + 1 < rest.length && !start; i++)
		if (rest.at[i] == '\n' && rest.at[i + 1] == '\n')
			start = i + 2;
	const struct str body = start ? str_from(rest, start) : STR_NONE;
	for (size_t i = 0; i < body.length; i++)
		lines += body.at[i] == '\n';
	writer_format(w, "Content-Length: %zu\r\n", body.length + lines);
}

static void write_template(struct writer *w, struct source *source, char letter, struct str rest)
{
	switch (letter) {
	case 'H':
	case 'D':
	case 'E':
		write_dialog(w, source, letter);
		break;
	case 'A':
		write_credentials(w, source, (struct str){w->at, w->used});
		break;
	case 'C':
		write_contact(w, source);
		break;
	case 'B':
		writer_str(w, source->has_request ? source->last_request.via.branch : STR("z9hG4bKnone"));
		break;
	case 'T':
		writer_str(w, source->has_response ? source->last_response.to_tag : STR("none"));
		break;
	case 'L':
		write_length(w, rest);
		break;
	default:
		writer_char(w, letter);
	}
}

static struct str expand(struct source *source, struct str template, char *memory)
{
	struct writer w = writer_into(memory, MESSAGE_MAX);
	for (size_t i = 0; i < template.length; i++) {
		const char c = template.at[i];
		if (c == '%' && i + 1 < template.length) {
			write_template(&w, source, template.at[i + 1], str_from(template, i + 2));
			// A template of whole lines takes its own line end along.
			if (strchr("HDEAL", template.at[i + 1]) && i + 2 < template.length &&
			    template.at[i + 2] == '\n')
				i++;
			i++;
		} else if (c == '\n') {
			writer_text(&w, "\r\n");
		} else {
			writer_char(&w, c);
		}
	}
	return (struct str){w.at, w.used};
}

// ---- the script

static uint64_t number_of(struct str *step)
{
	struct str line = STR_NONE;
	uint64_t number = 0;
	(void)str_take(step, '\n', &line);
	for (size_t i = 0; i < line.length && line.at[i] >= '0' && line.at[i] <= '9' && number < PASSES_MAX; i++)
		number = 10 * number + (uint64_t)(line.at[i] - '0');
	return number;
}

static void step_run(struct stack_world *world, struct source *sources, struct str step)
{
	static char memory[MESSAGE_MAX];
	const char kind = str_empty(step) ? ' ' : step.at[0];
	if (strchr("+!^=", kind))
		step = str_from(step, 1);
	const uint64_t number = number_of(&step);
	struct source *source = &sources[number % SOURCES];
	switch (kind) {
	case '+':
		sim_run_for(world->loop, number < PASSES_MAX ? number : PASSES_MAX);
		return;
	case '!':
		sim_reset_connections(
		    world->loop, &(struct net_address){.family = 4, .bytes = {10, 0, 0, source->address.bytes[3]}});
		break;
	case '^':
		stack_world_disturb(world, (unsigned)number);
		break;
	case '=':
		source_send(source, str_first(step, MESSAGE_MAX));
		break;
	default:
		source_send(source, expand(source, step, memory));
	}
	sim_run_for(world->loop, 20); // there, and an answer back
}

static void script_run(struct stack_world *world, struct source *sources, struct str script)
{
	for (unsigned steps = 0; steps < STEPS_MAX && !str_empty(script); steps++) {
		size_t end = 1;
		while (end < script.length && !(script.at[end] == '@' && script.at[end - 1] == '\n'))
			end++;
		step_run(world, sources, str_from(str_first(script, end), 1));
		script = str_from(script, end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source sources[SOURCES];
	log_set_level(getenv("FUZZ_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	hash_set_secret((const uint8_t[16]){1});
	struct stack_world *world = stack_world_open();
	for (unsigned i = 0; i < SOURCES; i++)
		source_open(&sources[i], i, world);
	script_run(world, sources, input(data, size));
	for (unsigned i = 0; i < SOURCES; i++)
		source_close(&sources[i]);
	for (unsigned i = 0; i < SOURCES; i++)
		if (sources[i].transport == TRANSPORT_UDP)
			udp_close(sources[i].udp);
	stack_world_close(world);
	return 0;
}
