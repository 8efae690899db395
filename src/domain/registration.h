// Where a SIP device is now and until when. The call thread reads bindings from memory; a binding is acknowledged only
// after the store has it on disk.
#ifndef DOMAIN_REGISTRATION_H
#define DOMAIN_REGISTRATION_H

#include "base/list.h"
#include "base/loop.h"
#include "base/net.h"
#include "domain/err.h"
#include "domain/records.h"
#include "domain/trunk.h"

// The way a message came or goes. A value.
struct flow {
	uint8_t transport;         // enum transport
	uint8_t listener;          // which of our sockets, in the order of the configuration
	uint16_t name;             // TLS: whom its certificate must name (sip_transport_name); not kept over a restart
	struct net_address remote; // where the packets come from
	uint64_t connection;       // TCP, TLS, WS: its id; 0 = UDP, or connect anew. Not kept over a restart
};

enum { BINDINGS_PER_DEVICE_MAX = 10, CONTACT_MAX = 512, INSTANCE_MAX = 128, CALL_ID_MAX = 255 };

struct binding {
	struct list node; // in its device's list, best q first
	uint64_t device_id;
	int64_t expires_at_ms; // loop_steady_time_ms; across a restart, the wall clock
	uint32_t cseq;
	uint16_t q;      // thousandths
	uint32_t reg_id; // RFC 5626; 0 = none
	bool behind_nat; // requests go to flow.remote, whatever the contact or the path says
	struct flow flow;
	struct str contact;  // the URI as registered, without < >
	struct str instance; // +sip.instance, or empty
	struct str call_id;
	struct str path; // RFC 3327, or empty
	struct str user_agent;
};

struct registrations;
struct watch;

struct registrations *registrations_create(struct loop *loop, struct records *records);
// Whether a write is under way, or waits for another one.
bool registrations_busy(const struct registrations *registrations);
// The store is about to be closed: what would be written from now on is refused with ERR_STORE_UNAVAILABLE.
void registrations_stop(struct registrations *registrations);
// No write may be under way any more: close the store first, and let its completions run.
void registrations_destroy(struct registrations *registrations);
// Who is told when a device's bindings come and go; a refresh that changes nothing is not told.
void registrations_watch(struct registrations *registrations, struct watch *watch);
// At start, from the store.
bool registrations_restore(struct registrations *registrations, const struct binding *binding);
// The device's live bindings, best q first; NULL when there is none. Valid until the next call into this module.
const struct list *registrations_of(struct registrations *registrations, uint64_t device_id);
// A device whose bindings will be read soon, fetched while other work is done (base/fetch.h): the second step waits for what the first has
// fetched.
void registrations_expect(const struct registrations *registrations, uint64_t device_id);
void registrations_fetch(const struct registrations *registrations, uint64_t device_id);
bool registrations_any(struct registrations *registrations, uint64_t device_id); // one not yet expired
size_t registrations_count(const struct registrations *registrations);
void registrations_each(struct registrations *registrations, void (*visit)(const struct binding *, void *context),
			void *context);
// The device is gone or disabled: its bindings go too, in memory and in the store.
void registrations_forget(struct registrations *registrations, uint64_t device_id);
// The connection broke: bindings that only it could reach (behind NAT, or WebSocket) are gone from now on, in memory and
// in the store; to the others a new connection will be made.
void registrations_flow_lost(struct registrations *registrations, uint64_t connection);

// One REGISTER, its syntax already checked (RFC 3261 section 10.3).
struct registration_update {
	uint64_t device_id;
	struct str call_id;
	uint32_t cseq;
	bool remove_all;                // Contact: *
	const struct binding *contacts; // expires_at_ms: 0 removes it; else when it ends
	size_t contact_count;
};

// A contact replaces the one with the same instance and reg_id, or else the same text. When there are more than
// BINDINGS_PER_DEVICE_MAX, those that would end first make room. Checks the order of CSeqs per Call-ID, writes to the store, then to memory, then calls done on the call thread with 0
// (the device's bindings as registrations_of gives them now) or the refusal; the old state then stands. One update per
// device is under way at a time; up to four more wait, further ones are refused at once with ERR_OVERLOADED.
// `update` is copied. `done` may be called before this returns.
void registrations_update(struct registrations *registrations, const struct registration_update *update,
			  void (*done)(void *context, uint64_t token, enum err err), void *context, uint64_t token);

#endif
