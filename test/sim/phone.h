// A simulated SIP user agent: a phone that registers, or a carrier at the far end of a trunk. It reads with the project's
// parser and writes its own bytes; transactions and dialogs are its own small ones, so that what src/sip gets wrong there
// is not got wrong here in the same way. What it does next is drawn from the world's choices. It checks every message it
// gets and tells the referee what it saw.
#ifndef TEST_SIM_PHONE_H
#define TEST_SIM_PHONE_H

#include "domain/trunk.h"
#include "sim/sim.h"
#include "sip/message.h"

struct plane;
struct phone;
struct phone_call;

enum { PHONE_TOKEN_SIZE = 40, PHONE_MESSAGE_MAX = 4096 };

enum phone_role { PHONE_DEVICE, PHONE_CARRIER };

struct phone {
	struct plane *plane;
	unsigned index;
	enum phone_role role;
	enum transport transport;
	struct net_address address;    // where it listens; by WebSocket nowhere
	struct udp_socket *udp;        // one of these two
	struct tcp_listener *listener; //
	struct tls *tls;               // owned; NULL where nothing is secured
	struct list wires;             // phone_stream.h
	uint64_t next_wire;
	char host[24];                  // its address as text, in no other phone's messages
	char contact[PHONE_TOKEN_SIZE]; // the user part of its Contact, likewise
	char number[PHONE_TOKEN_SIZE];  // the device's
	char password[PHONE_TOKEN_SIZE];
	char extension[PHONE_TOKEN_SIZE]; // of the device's holder; empty: nobody holds it
	uint64_t device_id;
	bool challenges;  // a carrier that wants digest
	bool never_pongs; // to a WebSocket's pings
	// Registration.
	char register_call_id[PHONE_TOKEN_SIZE + 24];
	uint32_t register_cseq;
	unsigned expires_s;       // what it asks for; 0: takes its binding away and makes no new one
	uint64_t bound_until_ms;  // by the last 200 to a REGISTER
	uint64_t bound_since_ms;  // without a break; 0 = it may be without a binding
	unsigned asked_expires_s; // in the REGISTER that went out last
	bool registering;
	struct timer register_timer;
	// What it has under way.
	struct list requests; // struct request: sent, waiting for a final response or to repeat an ACK
	struct list answers;  // struct answer: requests that came, with what was answered
	struct list calls;    // struct phone_call, until the world ends
	bool sent_garbage;
	bool removed;          // its device was deleted
	bool closing;          // opens no connection any more
	bool away;             // its network is
	uint64_t came_back_ms; // 0 = it never was away
	struct timer away_timer;
};

// What a request's head says.
struct request_head {
	enum sip_method method;
	uint32_t cseq;
	char uri[256];
	char from[256], to[256]; // whole values, with tags
	char call_id[300];
};

// A request that the phone sent.
struct request {
	struct list node;
	struct phone *phone;
	struct phone_call *call; // NULL: none
	struct request_head head;
	char branch[PHONE_TOKEN_SIZE];
	char *bytes; // owned
	size_t size;
	char *ack; // owned; sent again with each repeated final response to an INVITE
	size_t ack_size;
	struct timer timer;
	uint64_t interval_ms, started_ms;
	bool provisional;
	bool authorised; // it carries credentials
	unsigned final;  // status, 0 = none yet
	// The final response, or NULL after 32 s without one. The request stays for repetitions.
	void (*done)(struct request *request, const struct sip_message *response);
};

// A request that came, and what it was answered.
struct answer {
	struct list node;
	struct phone *phone;
	struct phone_call *call;
	enum sip_method method;
	uint32_t cseq;
	char branch[64];
	uint64_t wire;   // 0 = UDP
	char head[1024]; // Via, From, Call-ID and CSeq lines as they came
	char to[512];    // To's value
	bool has_to_tag;
	char *bytes; // owned; the last response
	size_t size;
	unsigned status;
	bool acked;
	struct timer timer;
	uint64_t interval_ms, started_ms;
};

// ---- phone.c: coming and going, sockets, dispatch

struct phone_settings {
	struct plane *plane;
	unsigned index;
	enum phone_role role;
	enum transport transport;
	struct net_address address;
	struct str name; // in its certificate; empty: its address
};
struct phone *phone_create(const struct phone_settings *settings);
void phone_destroy(struct phone *phone);
void phone_send(struct phone *phone, uint64_t wire, struct str bytes); // wire 0: whatever leads to the server
void phone_register(struct phone *phone);                              // for expires_s
void phone_send_garbage(struct phone *phone);
// Its network goes away for so long; then all its connections have broken, and it makes itself known anew.
void phone_go_away(struct phone *phone, uint64_t duration_ms);
bool phone_was_away(const struct phone *phone); // not long ago: what comes may be old
void phone_flow_lost(struct phone *phone);      // a connection of its has broken
// All calls are over, nothing is under way.
bool phone_is_quiet(const struct phone *phone);
struct loop *phone_loop(const struct phone *phone);
uint64_t phone_chance(const struct phone *phone, uint64_t below); // 0 to below - 1
bool phone_with_chance(const struct phone *phone, unsigned percent);
void phone_token(const struct phone *phone, const char *prefix, char *into, size_t size);
// Something is wrong with the server: see referee.h.
void phone_complain(const struct phone *phone, const struct phone_call *call, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// ---- phone_wire.c: requests and their answers

struct request_settings {
	struct phone_call *call;
	const char *branch; // NULL: a new one
	const char *extra;  // header lines
	const char *body;   // SDP, or NULL
	void (*done)(struct request *request, const struct sip_message *response);
};
struct request *request_send(struct phone *phone, const struct request_head *head,
			     const struct request_settings *settings);
// An ACK for a 2xx: sent once; gives the bytes, to be freed by the caller.
char *ack_send(struct phone *phone, const struct request_head *head, const char *body, size_t *size);
const char *phone_contact_parameter(const struct phone *phone); // of a Contact's URI: ";transport=tcp"
void request_free(struct request *request);
void phone_response(struct phone *phone, const struct sip_message *response);
struct answer *answer_find(struct phone *phone, const struct sip_message *request);
struct answer *answer_start(struct phone *phone, uint64_t wire, const struct sip_message *request);
struct answer_settings {
	unsigned status;
	const char *tag;   // of To, when the request had none
	const char *extra; // header lines
	const char *body;  // SDP, or NULL
};
void answer_send(struct answer *answer, const struct answer_settings *settings);
void answer_free(struct answer *answer);
void answer_acked(struct answer *answer);
// Writes the Authorization or Proxy-Authorization line; false when the challenge cannot be answered.
bool phone_write_credentials(struct phone *phone, struct writer *w, const struct sip_message *response,
			     const char *method, const char *uri);
// Checks what a carrier was sent for its challenge.
bool phone_credentials_are_right(struct phone *phone, const struct sip_message *request);

#endif
