// A load on a SIP server: it plays every phone, checks every answer, and counts what is wrong. There are no retransmission timers:
// on loopback nothing may be lost, and what is lost is a failure.
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include "base/writer.h"
#include "message.h"
#include "wire.h"

#include <stdint.h>

enum peer { PEER_CARILLON, PEER_KAMAILIO };
enum plan { PLAN_AT_ONCE, PLAN_IN_SEQUENCE, PLAN_TRUNK };

// Numbers: the extension of user u is FIRST_EXTENSION + base + u, the device j of that user
// FIRST_DEVICE + base + u * devices + j.
enum { FIRST_DEVICE = 10000000, FIRST_EXTENSION = 50000000, MESSAGE_MAX = 4096 };

struct options {
	struct sockaddr_in server;
	enum peer peer;
	enum wire_kind transport;
	enum plan plan;
	unsigned links, port;    // the first link's port; 0: any
	unsigned users, devices; // devices of each user
	unsigned base;           // where their numbers begin
	unsigned rate, seconds;  // operations a second
	unsigned ring_ms, talk_ms;
	unsigned expires_s;
	const char *realm; // NULL: without digest
	bool calls;        // else registrations
	bool fresh;        // registrations: of devices that are not registered, and are not afterwards; else refreshes
	unsigned anchored; // calls: 1 when a media relay stands between the sides, so that each hears its address
};

struct counts {
	uint64_t started, done, failed, unexpected, retransmitted;
};

struct load {
	struct options options;
	struct wire *wire;
	uint64_t now_us;
	char nonce[256];
	uint32_t nonce_count;
	uint32_t registers; // sent; the CSeq of the last
	struct counts registrations, calls;
	uint32_t *latencies; // us, from an operation's request to what shows that it was taken
	size_t latency_count, latency_max;
	char complaint[512]; // the first that was wrong
};

// Something is not as it should be: the first is kept, in words.
void load_complain(struct load *load, const char *what, struct str text);
void load_latency(struct load *load, uint64_t us);
// The digest of a name for a request, as a header line; nothing where there was no challenge.
void load_authorize(struct load *load, struct writer *w, const char *header, unsigned name, const char *method,
		    const char *uri);
bool load_take_challenge(struct load *load, struct str challenge);
unsigned load_link_of(const struct load *load, unsigned device); // of a device counted from 0
unsigned load_device_number(const struct options *options, unsigned device);
unsigned load_extension(const struct options *options, unsigned user);
// Who registers, or calls, as the device: a registrar of users knows the user alone.
unsigned load_name(const struct options *options, unsigned device);
// Random enough to be told apart: of this run.
extern unsigned load_run;

// ---- register.c

bool registrations_begin(struct load *load); // false when there is no memory
void registration_start(struct load *load, unsigned device);
void registration_answered(struct load *load, const struct message *message);
uint64_t registrations_open(const struct load *load);
void registrations_end(void);

// ---- call.c

bool calls_begin(struct load *load); // false when there is no memory
void call_start(struct load *load);
void call_answered(struct load *load, unsigned link, const struct message *message); // a response
void call_requested(struct load *load, unsigned link, const struct message *message, struct str text);
void calls_tick(struct load *load); // phones answer, callers hang up
uint64_t calls_open(const struct load *load);
void calls_end(void);

#endif
