// A whole call plane in a simulated world: the real sip/ and domain/ as the server, records in memory, phones and carriers
// around it. Everything, the configuration included, comes from one seed.
#ifndef TEST_SIM_PLANE_H
#define TEST_SIM_PLANE_H

#include "domain/call_table.h"
#include "sim/phone_call.h"
#include "sip/endpoint.h"
#include "sip/tls.h"

#include <stdio.h>

enum {
	PLANE_SDP_BASE = 1000000, // plus the call's number: what stands in an SDP's origin
	PLANE_USERS_MAX = 16,
	PLANE_DEVICES_MAX = 64,
	PLANE_PHONES_MAX = 96,
	PLANE_CARRIERS_MAX = 2,
	PLANE_FAILURE_MAX = 1024,
};

// What the referee remembers of a user, to judge what was rung.
struct plane_user {
	struct user user;
	char name[24], title[24], extension[16], target[24], caller_id[24];
	struct turn_plan turns[8];
	bool changed; // its configuration was changed while calls ran
};

struct plane_device {
	struct device device;
	char number[PHONE_TOKEN_SIZE], canonical[32], title[24], password[24], ha1_md5[DIGEST_HEX_MAX],
	    ha1_sha256[DIGEST_HEX_MAX];
	int holder; // index of the user, -1 = nobody
};

struct plane_record { // of a call, as it was saved
	char id[32], forwarded_from[32], call_id[300];
	int outcome;
	unsigned sip_status;
	unsigned answered_legs, started_legs;
};

struct plane_totals {
	uint64_t calls, answered, refused, gave_up, legs, outside_legs, records, registers_refused, packets, glares,
	    referred, transferred;
	uint64_t finals[700]; // of those refused
};

struct plane {
	struct loop *loop;
	const struct sim_watcher *watcher; // or NULL
	uint64_t seed;
	unsigned calls_wanted;
	// The server.
	struct directory *directory;
	struct registrations *registrations;
	struct sip_endpoint *endpoint;
	struct call_table *table;
	struct records records;
	struct media media;
	struct tls *tls;
	struct net_address server;
	char server_host[32];
	// Those around it.
	struct plane_user users[PLANE_USERS_MAX];
	unsigned user_count;
	struct plane_device devices[PLANE_DEVICES_MAX];
	unsigned device_count;
	struct phone *phones[PLANE_PHONES_MAX];
	unsigned phone_count;
	struct site site;      // what it allows of calls to the outside
	bool closed;           // it is outside its opening hours
	unsigned outside_legs; // carriers were asked for, without emergencies
	struct trunk trunks[PLANE_CARRIERS_MAX];
	char trunk_names[PLANE_CARRIERS_MAX][24];
	unsigned trunk_count;
	// What happens.
	struct sim_network network;
	bool orderly;      // nothing is lost, doubled or overtaken, and every delay is the same
	bool flows_die;    // connections break, networks go away
	bool transfers;    // phones transfer calls and take them over
	bool store_fails;  // some commits do
	bool config_moves; // users change while calls run
	bool dies;         // the server is shut down in the middle
	unsigned drain_at; // so many calls have begun: no new ones from then on; 0 = never
	uint64_t drained_ms;
	struct timer traffic_timer;
	unsigned started;
	uint64_t hung_up_ms;       // when the administrator last ended calls; 0 = never
	struct phone_call **calls; // owned array; the calls belong to their phones
	unsigned call_count, call_size;
	unsigned settled_count;     // the first so many in `calls` are over for good
	struct plane_record *saved; // owned
	unsigned saved_count, saved_size;
	struct list writes;              // registration writes that wait for their commit
	char failure[PLANE_FAILURE_MAX]; // the first thing that went wrong; empty = nothing has
	unsigned failed_call;            // its number, 0 = no single call
	uint64_t failed_ms;
	struct plane_totals totals;
};

struct plane_settings {
	uint64_t seed;
	unsigned calls;
	// Told of each packet that arrives, or NULL.
	const struct sim_watcher *watcher;
};
struct plane_result {
	struct plane_totals totals;
	uint64_t transcript;
	uint64_t simulated_ms;
	char failure[PLANE_FAILURE_MAX]; // empty = all is well
	unsigned failed_call;
	char ring_plan[512];           // of the one it was to
	char failed_call_ids[16][300]; // the Call-IDs of its legs
	unsigned failed_call_id_count;
};
// One world from its first REGISTER until everything was given back.
void plane_run(const struct plane_settings *settings, struct plane_result *result);

// ---- for the phones

struct loop *plane_loop(const struct plane *plane);
struct net_address plane_server(const struct plane *plane, enum transport transport);
const char *plane_server_host(const struct plane *plane);
const char *plane_server_text(const struct plane *plane);
bool plane_is_orderly(const struct plane *plane);
// A message on a flow where the watcher of packets cannot read it, as it is said or was heard.
void plane_message_seen(const struct plane *plane, const struct sim_packet *packet);
struct manner plane_callee_manner(const struct plane *plane, const struct phone *phone);
void plane_register_refused(struct plane *plane, const struct phone *phone, unsigned status);
bool plane_transfers(const struct phone *phone);
void plane_something_to_dial(const struct phone *phone, char *dialled, size_t size);
void plane_fail(struct plane *plane, const struct phone_call *call, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// ---- configuration.c: who there is, drawn from the seed

void configuration_make(struct plane *plane);
void configuration_change(struct plane *plane); // one user, while calls run
// Where a phone sends calls on to: anywhere, or to a number that its user has on the ring plan as well.
void configuration_sent_on(struct plane *plane, const struct phone *phone, char *dialled, size_t size);
void configuration_remove_device(struct plane *plane);
void configuration_remove_user(struct plane *plane);  // who may come back by configuration_change
void configuration_change_trunk(struct plane *plane); // off, or on again
void configuration_rest(struct plane *plane);         // no trunk is asked by OPTIONS any more
// Something to dial, and how.
struct phone *configuration_caller(struct plane *plane);
void configuration_dialled(struct plane *plane, const struct phone *caller, char *dialled, size_t size);
struct manner configuration_caller_manner(struct plane *plane, const struct phone *caller);

// ---- records_fake.c: the records port in memory

void records_fake_init(struct plane *plane);
void records_fake_flush(struct plane *plane); // what waits is committed now
void records_fake_finish(struct plane *plane);

// ---- referee.c: what must hold

void plane_call_added(struct plane *plane, struct phone_call *call);
void plane_call_changed(struct plane *plane, struct phone_call *call);
void plane_call_moves(struct plane *plane, struct phone_call *call, unsigned talks_to);
void plane_refers(struct plane *plane, struct phone_call *call,
		  struct phone_call *other); // other: NULL, or its place is given
void plane_refer_answered(struct plane *plane, struct phone_call *call, unsigned status);
void plane_leg_invited(struct plane *plane, struct phone_call *leg, const struct sip_message *invite);
void plane_leg_cancelled(struct plane *plane, struct phone_call *leg, const struct sip_message *cancel);
void plane_leg_unacknowledged(struct plane *plane, struct phone_call *call, unsigned status);
void plane_call_refused(struct plane *plane, struct phone_call *call, const struct sip_message *response);
void plane_wire_lost(struct plane *plane, struct phone *phone);
// referee_outside.c: a leg that a carrier is asked for may be, and is the only one to its number.
void referee_judge_outside(struct plane *plane, const struct phone_call *leg, const struct sip_message *invite);
void referee_judge_twice(struct plane *plane, const struct phone_call *leg, const struct sip_message *invite);
void referee_sweep(struct plane *plane);        // every so often while calls run
void referee_finish(struct plane *plane);       // once all is quiet
void referee_finish_early(struct plane *plane); // the server was shut down: there must be a record of each call

#endif
