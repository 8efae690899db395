// What tests of the user agent stand on: an endpoint at 10.0.0.1 in the simulated world, with a real directory and real
// registrations, a faked store and a faked call table that writes down what it is told. Peers are bare sockets that send and
// get texts; "\n" in them stands for CRLF.
#ifndef TEST_SIP_RIG_H
#define TEST_SIP_RIG_H

#include "domain/call_table.h"
#include "lib/cmocka.h"
#include "sim/sim.h"
#include "sip/endpoint.h"

enum { RIG_TEXT_MAX = 65536, RIG_MESSAGES_MAX = 64, RIG_WRITES_MAX = 8 };
enum { RIG_DEVICE_PER_S = 10, RIG_DEVICE_BURST = 200 }; // what a device may begin

enum rig_store { STORE_AT_ONCE, STORE_WAITS, STORE_FAILS };

struct rig {
	struct loop *loop;
	struct arena arena; // texts of the test
	struct directory *directory;
	struct registrations *registrations;
	struct sip_endpoint *endpoint;
	struct signalling *signalling;
	struct records records;
	enum rig_store store;
	struct registration_write *writes[RIG_WRITES_MAX]; // STORE_WAITS: what waits
	unsigned write_count;
	uint64_t desk, soft; // devices 330 and 821
	uint64_t trunk;      // at 10.0.1.1, with a password
	// A proxy in 10.0.3.0/24 has authenticated whom its From names.

	struct str last_sent; // by a peer

	// The faked call table.
	char events[8192];    // a line for each call from signalling
	enum err invited;     // what call_table_invited gives
	uint64_t session;     // the last caller's
	uint64_t transaction; // the last question's
	struct list watches;  // of lamps
	struct lamp_call lamp[2 * LAMP_CALLS_MAX];
	size_t lamp_count;
};

// The one that the faked call table writes to.
struct rig *rig_start(unsigned session_expires_s); // 0: no session timer of its own
void rig_stop(struct rig *rig);
void rig_store_answer(struct rig *rig, enum err err); // the first write that waits is over
// Something changed at the extensions that are watched: rig->lamp is what it is now.
void rig_lamp_changed(struct rig *rig);
// Compares what the call table was told since the last time, then forgets it.
void rig_told(struct rig *rig, const char *events);

struct peer {
	struct rig *rig;
	struct udp_socket *socket;
	const char *got[RIG_MESSAGES_MAX]; // in the rig's arena
	unsigned count, read;
	struct net_address last_from;
};

void peer_open(struct peer *peer, struct rig *rig, const char *host, uint16_t port);
void peer_close(struct peer *peer);
void peer_send(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void peer_send_bytes(struct peer *peer, struct str bytes);
// The next message that came, with "\n" for CRLF; fails when there is none. Runs the world for a moment first.
const char *peer_next(struct peer *peer);
// Fails when something unread came.
void peer_nothing(struct peer *peer);

// With tags, branches, Call-IDs, nonces and dates of ours replaced by words.
const char *masked(struct rig *rig, const char *text);
// The value of the first header of the name; "" when there is none.
const char *header_of(struct rig *rig, const char *text, const char *name);
const char *text_of(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Compares the start of a text.
void assert_starts(const char *text, const char *start);
void assert_has(const char *text, const char *piece);
void assert_lacks(const char *text, const char *piece);

struct login {
	const char *user, *password;
	const char *method, *uri;
};
// The Authorization line that answers a 401 (its MD5 challenge), with "\n".
const char *authorization(struct rig *rig, const char *challenge, const struct login *login);

// REGISTER with the lines given, challenged and sent again with the password "secret"; gives the answer.
const char *peer_register(struct peer *peer, const char *number, unsigned cseq, const char *lines);

#endif
