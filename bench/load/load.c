// What a load is asked to do, its pace, and what comes of it.
//   load server=127.0.0.1:5060 peer=carillon|kamailio what=calls|refreshes|registrations [key=value ...]
// Registers every device and prints "ready". For each line on its standard input it does its work and prints one line of JSON, and
// ends when there is none left. So whoever measures the server knows what happened between two looks at its processes.
#include "load.h"

#include "base/digest.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LATENCIES_MAX = 1 << 20, GRACE_S = 3, UNREGISTER_S = 2, PREPARE_OPEN_MAX = 200 };

unsigned load_run;

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

// ---- what the scenarios share

void load_complain(struct load *load, const char *what, struct str text)
{
	struct writer w = writer_into(load->complaint, sizeof load->complaint - 1);

	if (load->complaint[0])
		return;
	writer_format(&w, "%s: ", what);
	for (size_t i = 0; i < text.length && i < 300 && w.used + 2 < w.size; i++)
		writer_char(&w, text.at[i] >= ' ' && text.at[i] < 127 && text.at[i] != '"' && text.at[i] != '\\'
				    ? text.at[i]
				    : ' ');
	load->complaint[w.used] = '\0';
}

void load_latency(struct load *load, uint64_t us)
{
	if (load->latency_count < load->latency_max)
		load->latencies[load->latency_count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

bool load_take_challenge(struct load *load, struct str challenge)
{
	struct str nonce = message_between(challenge, "nonce=\"", "\"");

	load->nonce_count = 0;
	return load->options.realm && !str_empty(nonce) && str_to_cstring(nonce, load->nonce, sizeof load->nonce);
}

void load_authorize(struct load *load, struct writer *w, const char *header, unsigned name, const char *method,
		    const char *uri)
{
	char number[16], password[24], count[16], ha1[DIGEST_HEX_MAX], ha2[DIGEST_HEX_MAX], response[DIGEST_HEX_MAX];

	if (!load->nonce[0])
		return;
	snprintf(number, sizeof number, "%u", name);
	snprintf(password, sizeof password, "secret%u", name);
	snprintf(count, sizeof count, "%08x", ++load->nonce_count);
	struct str one[] = {str_of(number), str_of(load->options.realm), str_of(password)};
	struct str two[] = {str_of(method), str_of(uri)};
	struct str all[] = {
	    digest_joined_hex(DIGEST_MD5, one, 3, ha1), str_of(load->nonce), str_of(count), STR("load"), STR("auth"),
	    digest_joined_hex(DIGEST_MD5, two, 2, ha2)};
	struct str answer = digest_joined_hex(DIGEST_MD5, all, 6, response);
	writer_format(w,
		      "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%.*s\", "
		      "algorithm=MD5, cnonce=\"load\", qop=auth, nc=%s\r\n",
		      header, number, load->options.realm, load->nonce, uri, STR_ARG(answer), count);
}

unsigned load_device_number(const struct options *options, unsigned device)
{
	return FIRST_DEVICE + options->base + device;
}

unsigned load_extension(const struct options *options, unsigned user)
{
	return FIRST_EXTENSION + options->base + user;
}

unsigned load_name(const struct options *options, unsigned device)
{
	return options->peer == PEER_KAMAILIO ? load_extension(options, device / options->devices)
					      : load_device_number(options, device);
}

unsigned load_link_of(const struct load *load, unsigned device)
{
	return device % wire_links(load->wire);
}

// ---- what comes in

static void received(void *context, unsigned link, struct str text)
{
	struct load *load = context;
	struct message message;

	load->now_us = clock_us();
	if (!message_read(text, &message)) {
		load->calls.unexpected++;
		load_complain(load, "no SIP", text);
	} else if (message.status && message.method == METHOD_REGISTER) {
		registration_answered(load, &message);
	} else if (message.status) {
		call_answered(load, link, &message);
	} else {
		call_requested(load, link, &message, text);
	}
}

static void turn(struct load *load, int wait_ms)
{
	wire_flush(load->wire);
	wire_receive(load->wire, wait_ms, received, load);
	load->now_us = clock_us();
	if (load->options.calls)
		calls_tick(load);
}

// ---- the work

static bool prepare(struct load *load)
{
	const struct options *options = &load->options;
	unsigned devices = options->users * options->devices, next = 0;
	uint64_t began = load->now_us = clock_us();

	if (!options->calls && options->fresh)
		devices = 1; // to be challenged; what is measured registers the others
	while (load->registrations.done + load->registrations.failed < devices) {
		// One alone until there is a nonce.
		uint64_t open_max = options->realm && !load->nonce[0] ? 1 : PREPARE_OPEN_MAX;
		while (next < devices && registrations_open(load) < open_max)
			registration_start(load, next++);
		turn(load, 1);
		if (load->now_us - began > (uint64_t)(60 + devices / 1000) * 1000000)
			break;
	}
	if (load->registrations.done == devices)
		return true;
	fprintf(stderr, "%" PRIu64 " of %u devices are registered. %s\n", load->registrations.done, devices,
		load->complaint);
	return false;
}

// The next run finds devices that are not registered where it is to register them, and none behind connections that were closed.
static void unregister(struct load *load)
{
	const struct options *options = &load->options;
	bool fresh = !options->calls && options->fresh;
	uint64_t next = fresh, last = (uint64_t)options->users * options->devices, lost = registrations_open(load);
	uint64_t end = clock_us() + (uint64_t)UNREGISTER_S * 1000000;

	if (fresh && last > load->registrations.started + 1)
		last = load->registrations.started + 1;
	load->options.expires_s = 0;
	while (load->now_us < end && (next < last || registrations_open(load) > lost)) {
		while (next < last && registrations_open(load) < lost + PREPARE_OPEN_MAX)
			registration_start(load, (unsigned)next++);
		turn(load, 1);
	}
}

static void operation_start(struct load *load, uint64_t number)
{
	const struct options *options = &load->options;
	unsigned devices = options->users * options->devices;

	load->now_us = clock_us();
	if (options->calls)
		call_start(load);
	else
		registration_start(load, (unsigned)((number + options->fresh) % devices));
}

static uint64_t open_operations(const struct load *load)
{
	return load->options.calls ? calls_open(load) : registrations_open(load);
}

// Gives how long it took to start them all.
static uint64_t work(struct load *load)
{
	const struct options *options = &load->options;
	uint64_t total = (uint64_t)options->rate * options->seconds, started = 0, began = clock_us(), took = 0, end;

	load->now_us = began;
	while (started < total) {
		uint64_t due = (load->now_us - began) * options->rate / 1000000;
		for (; started < due && started < total; started++)
			operation_start(load, started);
		turn(load, 1);
	}
	took = load->now_us - began;
	end = load->now_us + (uint64_t)GRACE_S * 1000000 + (uint64_t)options->talk_ms * 1000;
	while (open_operations(load) > 0 && load->now_us < end)
		turn(load, 1);
	wire_flush(load->wire);
	return took;
}

// ---- what came of it

static int by_size(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
	return (one > two) - (one < two);
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint32_t percentile(const struct load *load, unsigned per_thousand)
{
	return load->latency_count ? load->latencies[(load->latency_count - 1) * per_thousand / 1000] : 0;
}

struct progress {
	struct counts counts;
	struct wire_counts wire;
	double cpu_s;
};

static struct progress progress_of(const struct load *load)
{
	return (struct progress){.counts = load->options.calls ? load->calls : load->registrations,
				 .wire = wire_counts(load->wire),
				 .cpu_s = cpu_s()};
}

// What came since `before`; `took_us`: until all was started.
static void report(struct load *load, const struct progress *before, uint64_t took_us)
{
	struct progress now = progress_of(load);

	qsort(load->latencies, load->latency_count, sizeof *load->latencies, by_size);
	printf("{\"started\": %" PRIu64 ", \"done\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"unexpected\": %" PRIu64
	       ", \"retransmitted\": %" PRIu64 ", \"seconds\": %.3f, \"cpu_s\": %.3f, \"p50_us\": %u, \"p99_us\": %u, "
	       "\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"complaint\": \"%s\"}\n",
	       now.counts.started - before->counts.started, now.counts.done - before->counts.done,
	       now.counts.failed - before->counts.failed + open_operations(load),
	       now.counts.unexpected - before->counts.unexpected,
	       now.counts.retransmitted - before->counts.retransmitted, (double)took_us / 1e6,
	       now.cpu_s - before->cpu_s, percentile(load, 500), percentile(load, 990),
	       now.wire.sent - before->wire.sent, now.wire.received - before->wire.received, load->complaint);
	fflush(stdout);
}

// ---- being asked

static bool number(const char *text, unsigned *value)
{
	uint64_t read;

	if (!str_to_uint(str_of(text), UINT32_MAX, &read))
		return false;
	*value = (unsigned)read;
	return true;
}

static bool choice(const char *text, const char *const *choices, unsigned *value)
{
	for (*value = 0; choices[*value]; ++*value)
		if (strcmp(text, choices[*value]) == 0)
			return true;
	return false;
}

static bool server_read(char *text, struct sockaddr_in *server)
{
	char *colon = strrchr(text, ':');
	unsigned port;

	if (!colon || !number(colon + 1, &port) || port > 65535)
		return false;
	*colon = '\0';
	*server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	return inet_pton(AF_INET, text, &server->sin_addr) == 1;
}

static bool option(struct options *options, char *text)
{
	static const char *const peers[] = {"carillon", "kamailio", NULL},
				 *const transports[] = {"udp", "tcp", "tls", "ws", NULL},
				 *const plans[] = {"at_once", "in_sequence", "trunk", NULL},
				 *const whats[] = {"calls", "refreshes", "registrations", NULL};
	char *value = strchr(text, '=');
	unsigned chosen;

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(text, "server") == 0)
		return server_read(value, &options->server);
	if (strcmp(text, "realm") == 0)
		return (options->realm = *value ? value : NULL, true);
	if (strcmp(text, "peer") == 0)
		return choice(value, peers, &chosen) ? (options->peer = (enum peer)chosen, true) : false;
	if (strcmp(text, "transport") == 0)
		return choice(value, transports, &chosen) ? (options->transport = (enum wire_kind)chosen, true) : false;
	if (strcmp(text, "plan") == 0)
		return choice(value, plans, &chosen) ? (options->plan = (enum plan)chosen, true) : false;
	if (strcmp(text, "what") == 0 && choice(value, whats, &chosen)) {
		options->calls = chosen == 0;
		options->fresh = chosen == 2;
		return true;
	}
	const struct {
		const char *name;
		unsigned *value;
	} numbers[] = {
	    {"links", &options->links},         {"port", &options->port},         {"users", &options->users},
	    {"base", &options->base},           {"devices", &options->devices},   {"rate", &options->rate},
	    {"seconds", &options->seconds},     {"ring_ms", &options->ring_ms},   {"talk_ms", &options->talk_ms},
	    {"expires_s", &options->expires_s}, {"anchored", &options->anchored},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strcmp(text, numbers[i].name) == 0)
			return number(value, numbers[i].value);
	return false;
}

static bool wait_for_line(void)
{
	int c;

	while ((c = getchar()) != '\n')
		if (c == EOF)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	static struct load load = {.options = {.links = 2,
					       .users = 1000,
					       .devices = 1,
					       .rate = 200,
					       .seconds = 5,
					       .ring_ms = 50,
					       .expires_s = 3600,
					       .calls = true}};
	int status = 1;

	for (int i = 1; i < argc; i++)
		if (!option(&load.options, argv[i])) {
			fprintf(stderr, "%s: no such option, or no such value\n", argv[i]);
			return 2;
		}
	if (!load.options.links || !load.options.users || !load.options.devices || !load.options.rate ||
	    !load.options.server.sin_port) {
		fprintf(stderr, "server, links, users, devices and rate are needed\n");
		return 2;
	}
	load_run = (unsigned)getpid() ^ (unsigned)clock_us();
	load.latency_max = LATENCIES_MAX;
	load.latencies = calloc(LATENCIES_MAX, sizeof *load.latencies);
	load.wire = wire_open(load.options.transport, load.options.server, load.options.links, load.options.port);
	if (!load.latencies || !load.wire || !registrations_begin(&load) || !calls_begin(&load))
		return 1;
	if (prepare(&load)) {
		printf("ready\n");
		fflush(stdout);
		load.registrations = (struct counts){0};
		while (wait_for_line()) {
			struct progress before = progress_of(&load);
			load.latency_count = 0;
			report(&load, &before, work(&load));
			status = 0;
		}
		if (load.options.fresh || load.options.transport != WIRE_UDP)
			unregister(&load);
	}
	wire_close(load.wire);
	registrations_end();
	calls_end();
	free(load.latencies);
	return status;
}
