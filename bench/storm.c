// A storm of phones on one UDP socket: they register and refresh with digest, call each other's extensions, ring, answer,
// are cancelled and hang up. Every answer is checked; what is missing or wrong is counted, and any such count fails the run.
// It keeps no retransmission timers: on loopback nothing may be lost, and what is lost is a failure. So is what is sent away for
// overload (503 with Retry-After), unless OVERLOAD says that this is what is looked for.
#include "base/digest.h"
#include "base/writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	DEVICES_PER_USER = 3,
	CALLS_MAX = 65536, // places in the ring of calls under way
	MESSAGE_MAX = 4096,
	RING_MS = 20,
	TALK_MS = 200,
	COME_BACK_MS = 500, // after a 503: sooner than asked, a run is short
};

// Devices are numbered from FIRST_DEVICE on, users' extensions from FIRST_EXTENSION on: three devices each.
enum { FIRST_DEVICE = 100000, FIRST_EXTENSION = 500000 };

struct options {
	struct sockaddr_in server;
	unsigned devices, registers_per_s, calls_per_s, seconds;
	const char *realm;
	bool overload;
};

enum call_state { CALL_NONE, CALL_INVITED, CALL_RINGING, CALL_ANSWERED, CALL_ENDING };

// One call, seen from the caller.
struct call {
	enum call_state state;
	uint32_t number;
	unsigned caller; // device
	uint64_t changed_ms, invited_us;
	char to_tag[64];
	char contact[256];
};

// A phone that rings: answered by the storm itself.
struct ringing {
	uint64_t answer_ms;
	char *invite; // a copy of the INVITE, owned
	size_t size;
};

struct storm {
	struct options options;
	int socket;
	char address[64];
	char nonce[256];
	uint32_t nonce_count, register_cseq;
	struct call *calls;
	uint32_t call_count;
	struct ringing *ringing; // ring buffer in order of answering
	size_t ringing_first, ringing_next;
	uint64_t *registering; // per device: when its REGISTER went out, 0 = answered
	unsigned *sent_away;   // devices that come back, in the order in which they do; a ring, with when
	uint64_t *back_ms;
	size_t sent_away_first, sent_away_next;
	uint32_t latencies[100000];
	size_t latency_count;

	uint64_t registers, calls_made, calls_done, cancels, answers, sent, received;
	uint64_t register_failures, call_failures, unexpected;
	uint64_t registers_refused, calls_refused; // with a time to come back
};

enum { RINGING_MAX = 1 << 20 };

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void send_text(struct storm *storm, struct writer *w)
{
	if (w->overflow) {
		storm->unexpected++;
		return;
	}
	if (sendto(storm->socket, w->at, w->used, 0, (const struct sockaddr *)&storm->options.server,
		   sizeof storm->options.server) < 0)
		storm->unexpected++;
	storm->sent++;
}

// ---- reading: just enough for messages of one known server

static struct str header(struct str message, const char *name)
{
	size_t length = strlen(name);
	const char *at = message.at, *end = message.at + message.length;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at < end)
		if ((size_t)(end - at) > length && strncasecmp(at, name, length) == 0 && at[length] == ':') {
			const char *stop = memchr(at, '\r', (size_t)(end - at));

			return stop ? str_trim((struct str){at + length + 1, (size_t)(stop - at) - length - 1})
				    : STR_NONE;
		}
	return STR_NONE;
}

// What stands between two pieces of text in a header; empty when they are not there.
static struct str between(struct str value, const char *before, const char *stops)
{
	const char *at = memmem(value.at, value.length, before, strlen(before));

	if (!at)
		return STR_NONE;
	at += strlen(before);
	size_t left = value.length - (size_t)(at - value.at), length = 0;

	while (length < left && !strchr(stops, at[length]))
		length++;
	return (struct str){at, length};
}

// ---- digest

static void write_authorization(struct storm *storm, struct writer *w, unsigned device, const char *method,
				struct str uri)
{
	char number[16], password[24], count[16], ha1[DIGEST_HEX_MAX], ha2[DIGEST_HEX_MAX], response[DIGEST_HEX_MAX];

	snprintf(number, sizeof number, "%u", FIRST_DEVICE + device);
	snprintf(password, sizeof password, "secret%u", FIRST_DEVICE + device);
	snprintf(count, sizeof count, "%08x", ++storm->nonce_count);
	struct str one[] = {str_of(number), str_of(storm->options.realm), str_of(password)};
	struct str two[] = {str_of(method), uri};
	struct str all[] = {
	    digest_joined_hex(DIGEST_MD5, one, 3, ha1), str_of(storm->nonce), str_of(count), STR("storm"), STR("auth"),
	    digest_joined_hex(DIGEST_MD5, two, 2, ha2)};
	struct str answer = digest_joined_hex(DIGEST_MD5, all, 6, response);

	writer_format(
	    w,
	    "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%.*s\", response=\"%.*s\", "
	    "algorithm=MD5, cnonce=\"storm\", qop=auth, nc=%s\r\n",
	    number, storm->options.realm, storm->nonce, STR_ARG(uri), STR_ARG(answer), count);
}

// ---- registering

static void send_register(struct storm *storm, unsigned device, uint64_t now_ms)
{
	char text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);
	unsigned number = FIRST_DEVICE + device;
	uint32_t cseq = ++storm->register_cseq;

	writer_format(
	    &w,
	    "REGISTER sip:carillon SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKr%x;rport\r\nMax-Forwards: 70\r\n"
	    "From: <sip:%u@carillon>;tag=r\r\nTo: <sip:%u@carillon>\r\nCall-ID: storm-%u-%u\r\nCSeq: %u REGISTER\r\n"
	    "Contact: <sip:%u@%s>\r\nExpires: 3600\r\n",
	    storm->address, cseq, number, number, number, (unsigned)getpid(), cseq, number, storm->address);
	if (storm->nonce[0])
		write_authorization(storm, &w, device, "REGISTER", STR("sip:carillon"));
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	storm->registering[device] = now_ms;
	send_text(storm, &w);
}

// Whether the nonce is new.
static bool take_nonce(struct storm *storm, struct str message)
{
	const char *md5 = memmem(message.at, message.length, "algorithm=MD5", 13);

	if (!md5)
		return false;
	const char *line = md5;
	while (line > message.at && line[-1] != '\n')
		line--;
	struct str nonce = between((struct str){line, (size_t)(message.at + message.length - line)}, "nonce=\"", "\"");
	if (!str_to_cstring(nonce, storm->nonce, sizeof storm->nonce))
		return false;
	storm->nonce_count = 0;
	return true;
}

static void register_answered(struct storm *storm, struct str message, unsigned status, uint64_t now_ms)
{
	uint64_t number = 0;

	if (!str_to_uint(between(header(message, "To"), "sip:", "@"), UINT32_MAX, &number) || number < FIRST_DEVICE ||
	    number - FIRST_DEVICE >= storm->options.devices) {
		storm->unexpected++;
		return;
	}
	unsigned device = (unsigned)(number - FIRST_DEVICE);
	if (status == 401 && take_nonce(storm, message)) {
		send_register(storm, device, now_ms);
		return;
	}
	if (status == 503 && !str_empty(header(message, "Retry-After"))) {
		storm->registering[device] = 0;
		storm->registers_refused++;
		storm->sent_away[storm->sent_away_next % storm->options.devices] = device;
		storm->back_ms[storm->sent_away_next++ % storm->options.devices] = now_ms + COME_BACK_MS;
		return;
	}
	if (status != 200 || !storm->registering[device]) {
		storm->register_failures++;
		return;
	}
	storm->registering[device] = 0;
	storm->registers++;
}

// ---- calling

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
			  "m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

static void write_caller_head(struct storm *storm, struct writer *w, const struct call *call, const char *method,
			      struct str uri, unsigned cseq)
{
	bool same = strcmp(method, "INVITE") == 0 || strcmp(method, "CANCEL") == 0;

	writer_format(
	    w,
	    "%s %.*s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKc%x%s;rport\r\nMax-Forwards: 70\r\n"
	    "From: <sip:%u@carillon>;tag=c%x\r\nTo: <sip:x@carillon>%s%s\r\nCall-ID: c%x-%u\r\nCSeq: %u %s\r\n",
	    method, STR_ARG(uri), storm->address, call->number, same ? "i" : method, FIRST_DEVICE + call->caller,
	    call->number, call->to_tag[0] ? ";tag=" : "", call->to_tag, call->number, (unsigned)getpid(), cseq, method);
}

static void send_invite(struct storm *storm, uint64_t us)
{
	char text[MESSAGE_MAX], uri[64];
	struct writer w = writer_into(text, sizeof text);
	unsigned users = storm->options.devices / DEVICES_PER_USER;
	uint32_t number = ++storm->call_count;
	struct call *call = &storm->calls[number % CALLS_MAX];

	if (call->state != CALL_NONE)
		storm->call_failures++;
	// Callers and callees are different people, spread over all of them.
	unsigned callee = (number * 7919u) % users, caller = (callee + users / 2) % users;
	*call = (struct call){.state = CALL_INVITED,
			      .number = number,
			      .caller = caller * DEVICES_PER_USER,
			      .changed_ms = us / 1000,
			      .invited_us = us};
	snprintf(uri, sizeof uri, "sip:%u@carillon", FIRST_EXTENSION + callee);
	write_caller_head(storm, &w, call, "INVITE", str_of(uri), 1);
	write_authorization(storm, &w, call->caller, "INVITE", str_of(uri));
	writer_format(&w, "Contact: <sip:%u@%s>\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		      FIRST_DEVICE + call->caller, storm->address, sizeof sdp - 1, sdp);
	storm->calls_made++;
	send_text(storm, &w);
}

static void send_within(struct storm *storm, const struct call *call, const char *method, unsigned cseq)
{
	char text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);

	write_caller_head(storm, &w, call, method, str_of(call->contact), cseq);
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	send_text(storm, &w);
}

static void call_answered(struct storm *storm, struct str message, unsigned status, struct str cseq)
{
	char number_text[16];
	struct str id = header(message, "Call-ID");
	struct str digits = between(id, "c", "-");

	if (!str_to_cstring(digits, number_text, sizeof number_text)) {
		storm->unexpected++;
		return;
	}
	uint32_t number = (uint32_t)strtoul(number_text, NULL, 16);
	struct call *call = &storm->calls[number % CALLS_MAX];
	uint64_t us = now_us();

	if (call->number != number || call->state == CALL_NONE) {
		storm->unexpected++;
		return;
	}
	if (str_equal(cseq, STR("2 BYE"))) {
		if (status == 200 && call->state == CALL_ENDING)
			storm->calls_done++;
		else
			storm->call_failures++;
		call->state = CALL_NONE;
	} else if (status == 180 && call->state == CALL_INVITED) {
		call->state = CALL_RINGING;
		if (storm->latency_count < sizeof storm->latencies / sizeof *storm->latencies)
			storm->latencies[storm->latency_count++] = (uint32_t)(us - call->invited_us);
	} else if (status == 200 && (call->state == CALL_INVITED || call->state == CALL_RINGING)) {
		if (!str_to_cstring(between(header(message, "To"), ";tag=", ";>"), call->to_tag, sizeof call->to_tag) ||
		    !str_to_cstring(between(header(message, "Contact"), "<", ">"), call->contact, sizeof call->contact))
			storm->unexpected++;
		send_within(storm, call, "ACK", 1);
		call->state = CALL_ANSWERED;
		call->changed_ms = us / 1000;
	} else if (status == 503 && call->state == CALL_INVITED && !str_empty(header(message, "Retry-After"))) {
		storm->calls_refused++;
		send_within(storm, call, "ACK", 1);
		call->state = CALL_NONE;
	} else if (status >= 300) {
		fprintf(stderr, "storm: call refused with %u\n", status);
		storm->call_failures++;
		send_within(storm, call, "ACK", 1);
		call->state = CALL_NONE;
	} else if (status != 100) {
		storm->unexpected++;
	}
}

// ---- being called

static void respond(struct storm *storm, struct str request, const char *status, const char *cseq, const char *body)
{
	char text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);
	struct str to = header(request, "To");
	bool tagged = memmem(to.at, to.length, ";tag=", 5) != NULL;

	writer_format(&w, "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n",
		      status, STR_ARG(header(request, "Via")), STR_ARG(header(request, "From")), STR_ARG(to),
		      tagged ? "" : ";tag=phone", STR_ARG(header(request, "Call-ID")),
		      STR_ARG(cseq ? str_of(cseq) : header(request, "CSeq")));
	writer_format(&w, "Contact: <sip:phone@%s>\r\n", storm->address);
	if (body)
		writer_text(&w, "Content-Type: application/sdp\r\n");
	writer_format(&w, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
	send_text(storm, &w);
}

static struct ringing *ringing_find(struct storm *storm, struct str call_id)
{
	for (size_t i = storm->ringing_first; i != storm->ringing_next; i++) {
		struct ringing *ringing = &storm->ringing[i % RINGING_MAX];

		if (ringing->invite &&
		    str_equal(header((struct str){ringing->invite, ringing->size}, "Call-ID"), call_id))
			return ringing;
	}
	return NULL;
}

static void ringing_drop(struct ringing *ringing)
{
	free(ringing->invite);
	ringing->invite = NULL;
}

// The three phones of one person answer one after the other, so that the first wins and the others are cancelled.
static void invited(struct storm *storm, struct str message, uint64_t now_ms)
{
	struct ringing *ringing = &storm->ringing[storm->ringing_next++ % RINGING_MAX];
	uint64_t number = 0;

	respond(storm, message, "180 Ringing", NULL, NULL);
	if (!str_to_uint(between(message, "sip:", "@"), UINT32_MAX, &number))
		storm->unexpected++;
	*ringing =
	    (struct ringing){.answer_ms = now_ms + RING_MS, .invite = malloc(message.length), .size = message.length};
	if ((number - FIRST_DEVICE) % DEVICES_PER_USER != 0)
		ringing->answer_ms += 1000; // never comes to it
	if (!ringing->invite)
		abort();
	memcpy(ringing->invite, message.at, message.length);
}

static void cancelled(struct storm *storm, struct str message)
{
	struct ringing *ringing = ringing_find(storm, header(message, "Call-ID"));

	respond(storm, message, "200 OK", NULL, NULL);
	storm->cancels++;
	if (!ringing || !memmem(message.at, message.length, "cause=200", 9)) {
		storm->unexpected++;
		return;
	}
	respond(storm, (struct str){ringing->invite, ringing->size}, "487 Request Terminated", NULL, NULL);
	ringing_drop(ringing);
}

static void answer_due(struct storm *storm, uint64_t now_ms)
{
	while (storm->ringing_first != storm->ringing_next &&
	       !storm->ringing[storm->ringing_first % RINGING_MAX].invite)
		storm->ringing_first++;
	for (size_t i = storm->ringing_first; i != storm->ringing_next; i++) {
		struct ringing *ringing = &storm->ringing[i % RINGING_MAX];

		if (!ringing->invite || ringing->answer_ms > now_ms)
			continue;
		respond(storm, (struct str){ringing->invite, ringing->size}, "200 OK", NULL, sdp);
		storm->answers++;
		ringing_drop(ringing);
	}
}

static void received(struct storm *storm, struct str message, uint64_t now_ms)
{
	uint64_t status = 0;

	storm->received++;
	if (str_starts(message, STR("SIP/2.0 "))) {
		struct str cseq = header(message, "CSeq");

		str_to_uint(str_first(str_from(message, 8), 3), 699, &status);
		if (memmem(cseq.at, cseq.length, "REGISTER", 8))
			register_answered(storm, message, (unsigned)status, now_ms);
		else
			call_answered(storm, message, (unsigned)status, cseq);
	} else if (str_starts(message, STR("INVITE "))) {
		invited(storm, message, now_ms);
	} else if (str_starts(message, STR("CANCEL "))) {
		cancelled(storm, message);
	} else if (str_starts(message, STR("BYE "))) {
		respond(storm, message, "200 OK", NULL, NULL);
	} else if (!str_starts(message, STR("ACK "))) {
		storm->unexpected++;
	}
}

// ---- the storm's own clock

static void hang_up_due(struct storm *storm, uint64_t now_ms)
{
	uint32_t looked_at = 2000 + 2 * storm->options.calls_per_s; // a call lasts for less than two seconds

	for (uint32_t i = storm->call_count > looked_at ? storm->call_count - looked_at : 1; i <= storm->call_count;
	     i++) {
		struct call *call = &storm->calls[i % CALLS_MAX];

		if (call->state == CALL_ANSWERED && now_ms - call->changed_ms >= TALK_MS) {
			call->state = CALL_ENDING;
			call->changed_ms = now_ms;
			send_within(storm, call, "BYE", 2);
		}
	}
}

static void receive_all(struct storm *storm, int wait_ms)
{
	char bytes[65536];
	struct pollfd look = {.fd = storm->socket, .events = POLLIN};

	if (poll(&look, 1, wait_ms) <= 0)
		return;
	for (int i = 0; i < 64; i++) {
		ssize_t size = recv(storm->socket, bytes, sizeof bytes, MSG_DONTWAIT);

		if (size < 0)
			return;
		received(storm, (struct str){bytes, (size_t)size}, now_us() / 1000);
	}
}

static void come_back(struct storm *storm, uint64_t now_ms)
{
	for (; storm->sent_away_first != storm->sent_away_next; storm->sent_away_first++) {
		size_t at = storm->sent_away_first % storm->options.devices;

		if (storm->back_ms[at] > now_ms)
			return;
		send_register(storm, storm->sent_away[at], now_ms);
	}
}

// Every device once, as fast as the server acknowledges, at most 256 on their way at once.
static void register_all(struct storm *storm)
{
	unsigned next = 0;
	uint64_t began = now_us(), quiet_since = began, last = 0;

	send_register(storm, 0, began / 1000);
	next = 1;
	while (storm->registers < storm->options.devices && now_us() - quiet_since < 5000000) {
		while (storm->nonce[0] && next < storm->options.devices &&
		       next - storm->registers - (storm->sent_away_next - storm->sent_away_first) < 256)
			send_register(storm, next++, now_us() / 1000);
		come_back(storm, now_us() / 1000);
		receive_all(storm, 1);
		if (storm->registers != last) {
			last = storm->registers;
			quiet_since = now_us();
		}
	}
	storm->register_failures += storm->options.devices - storm->registers;
	printf("registered %" PRIu64 " devices in %.2f s: %.0f acknowledged a second\n", storm->registers,
	       (double)(now_us() - began) / 1e6, (double)storm->registers / ((double)(now_us() - began) / 1e6));
	fflush(stdout);
}

static void rage(struct storm *storm)
{
	const struct options *options = &storm->options;
	uint64_t began = now_us(), end = began + (uint64_t)options->seconds * 1000000, registers = 0, calls = 0;

	for (uint64_t us = began; us < end + 3000000; us = now_us()) {
		uint64_t gone = us < end ? us - began : end - began;

		for (; registers < gone * options->registers_per_s / 1000000; registers++) {
			unsigned device = (unsigned)(registers % options->devices);

			if (storm->registering[device])
				storm->register_failures++;
			send_register(storm, device, us / 1000);
		}
		for (; calls < gone * options->calls_per_s / 1000000; calls++)
			send_invite(storm, us);
		answer_due(storm, us / 1000);
		hang_up_due(storm, us / 1000);
		receive_all(storm, 1);
		if (us >= end && storm->calls_done + storm->calls_refused + storm->call_failures >= storm->calls_made)
			break;
	}
	for (unsigned i = 0; i < options->devices; i++)
		storm->register_failures += storm->registering[i] != 0;
	for (unsigned i = 0; i < CALLS_MAX; i++)
		storm->call_failures += storm->calls[i].state != CALL_NONE;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int report(struct storm *storm)
{
	struct rusage usage;
	size_t n = storm->latency_count;

	getrusage(RUSAGE_SELF, &usage);
	qsort(storm->latencies, n, sizeof *storm->latencies, by_size);
	printf("registers %" PRIu64 " refused %" PRIu64 " failures %" PRIu64 "\n", storm->registers,
	       storm->registers_refused, storm->register_failures);
	printf("calls %" PRIu64 " completed %" PRIu64 " refused %" PRIu64 " failures %" PRIu64 " cancels %" PRIu64
	       " answers %" PRIu64 " unexpected %" PRIu64 "\n",
	       storm->calls_made, storm->calls_done, storm->calls_refused, storm->call_failures, storm->cancels,
	       storm->answers, storm->unexpected);
	if (n)
		printf("INVITE to 180 at the caller: p50 %u us, p99 %u us\n", storm->latencies[n / 2],
		       storm->latencies[n * 99 / 100]);
	printf("messages sent %" PRIu64 " received %" PRIu64 "; generator's own CPU %.1f s\n", storm->sent,
	       storm->received,
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	if (!storm->options.overload && (storm->registers_refused || storm->calls_refused))
		return EXIT_FAILURE;
	return storm->register_failures || storm->call_failures || storm->unexpected ? EXIT_FAILURE : EXIT_SUCCESS;
}

static unsigned number_of(const char *text, unsigned max)
{
	uint64_t value;

	if (!str_to_uint(str_of(text), max, &value)) {
		fprintf(stderr, "storm: \"%s\" is not a number up to %u\n", text, max);
		exit(EXIT_FAILURE);
	}
	return (unsigned)value;
}

int main(int count, char **arguments)
{
	static struct storm storm;
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof local;
	int buffer = 8 << 20;

	if (count != 7 && !(count == 8 && strcmp(arguments[7], "OVERLOAD") == 0)) {
		fputs("usage: storm PORT DEVICES REGISTERS_PER_S CALLS_PER_S SECONDS REALM [OVERLOAD]\n"
		      "Sends to 127.0.0.1 alone.\n",
		      stderr);
		return EXIT_FAILURE;
	}
	storm.options = (struct options){
	    .server = {.sin_family = AF_INET,
		       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		       .sin_port = htons((uint16_t)number_of(arguments[1], 65535))},
	    .devices = number_of(arguments[2], 100000),
	    .registers_per_s = number_of(arguments[3], 100000),
	    .calls_per_s = number_of(arguments[4], 20000),
	    .seconds = number_of(arguments[5], 3600),
	    .realm = arguments[6],
	    .overload = count == 8,
	};
	storm.socket = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(storm.socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
		setsockopt(storm.socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	if (storm.socket < 0 || bind(storm.socket, (struct sockaddr *)&local, sizeof local) < 0 ||
	    getsockname(storm.socket, (struct sockaddr *)&local, &size) < 0) {
		fprintf(stderr, "storm: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	snprintf(storm.address, sizeof storm.address, "127.0.0.1:%u", ntohs(local.sin_port));
	storm.calls = calloc(CALLS_MAX, sizeof *storm.calls);
	storm.ringing = calloc(RINGING_MAX, sizeof *storm.ringing);
	storm.registering = calloc(storm.options.devices, sizeof *storm.registering);
	storm.sent_away = calloc(storm.options.devices, sizeof *storm.sent_away);
	storm.back_ms = calloc(storm.options.devices, sizeof *storm.back_ms);
	if (!storm.calls || !storm.ringing || !storm.registering || !storm.sent_away || !storm.back_ms)
		return EXIT_FAILURE;
	register_all(&storm);
	rage(&storm);
	return report(&storm);
}
