// The four transaction machines of RFC 3261 section 17 with RFC 6026, and their tables. A transaction sends and repeats
// bytes; what the bytes mean is its user's business. Timers: T1 500 ms, T2 4 s, T4 5 s, A to M as in the RFC's table 4.
// Client transactions match responses by branch and CSeq method; server transactions match requests by branch, sent-by and
// method (ACK and CANCEL find the INVITE's), and, for RFC 2543 peers, by Request-URI, From tag, Call-ID, CSeq and Via.
#ifndef SIP_TRANSACTION_H
#define SIP_TRANSACTION_H

#include "sip/response.h"
#include "sip/transport.h"

enum { SIP_T1_MS = 500, SIP_T2_MS = 4000, SIP_T4_MS = 5000, SIP_BRANCH_SIZE = 7 + 20 };
// Server transactions at once, each below 1 kB: 8,000 requests a second, each remembered for 32 s. When more come the longest answered
// ones that are no INVITEs are forgotten sooner.
enum { SIP_SERVERS_MAX = 256 * 1024 };

struct sip_transactions; // both tables
struct sip_client_transaction;
struct sip_server_transaction;

struct sip_transactions *sip_transactions_create(struct loop *loop, struct sip_transport *transport);
void sip_transactions_destroy(struct sip_transactions *transactions); // ends all, calls nobody
struct sip_transaction_counters {
	uint32_t invite_clients, clients, invite_servers, servers; // alive now
	size_t kept_bytes;                                         // copies of messages held now
	uint64_t retransmissions, timeouts;
};
struct sip_transaction_counters sip_transactions_count(const struct sip_transactions *transactions);

// ---- client

struct sip_client_handlers {
	// Each provisional response, the first final one, and (INVITE only) each further 2xx while the transaction lives
	// (RFC 6026 Accepted). After a final response other than a 2xx to an INVITE the user and the transaction know each
	// other no more: the pointer is good until this returns.
	void (*response)(void *user, struct sip_client_transaction *transaction, const struct sip_message *response);
	// No final response in time (408), or the message could not be sent (503). The last call for this user.
	void (*failed)(void *user, struct sip_client_transaction *transaction, unsigned status);
	// An INVITE that had a 2xx: its time is over (timer M), no further 2xx will come. The last call for this user.
	// May be NULL only if the user forgets the transaction at the first 2xx.
	void (*ended)(void *user, struct sip_client_transaction *transaction);
};

// What happens to a request over 1300 bytes whose flow is UDP (RFC 3261 section 18.1.1).
enum sip_large_request {
	SIP_LARGE_AS_IS, // sent by UDP all the same: the target is only reachable so (a phone behind NAT)
	SIP_LARGE_BY_TCP, // sent by TCP to the same address, the Via rewritten; by UDP again if no connection comes about
};

struct sip_client_request {
	enum sip_method method;
	struct str branch; // of its topmost Via; from sip_branch_new
	struct flow flow;  // where it goes
	struct str bytes;  // complete; the topmost Via written by sip_transport_write_via
	enum sip_large_request large;
};

// "z9hG4bK" and 20 random letters and digits, NUL-terminated.
void sip_branch_new(struct loop *loop, char branch[SIP_BRANCH_SIZE + 1]);
// Sends a request and keeps a copy as long as it may be sent again. NULL when there is no memory. A sending error is
// reported by failed(), later, never from within. Not for ACK. handlers may be NULL: nobody wants to know.
struct sip_client_transaction *sip_client_start(struct sip_transactions *transactions,
						const struct sip_client_request *request,
						const struct sip_client_handlers *handlers, void *user);
// CANCELs an INVITE: at once when a provisional response has come, else as soon as one does (RFC 3261 section 9.1).
// `reason` becomes a Reason header line's value when not empty. If no final response follows within 64*T1, failed(408)
// is called. The user stays until the final response. Harmless when called twice or too late.
void sip_client_cancel(struct sip_client_transaction *transaction, struct str reason);
// The user goes away: no handler is called any more, the machine runs to its end alone. Allowed from within the
// handlers. After a 2xx to an INVITE the machine ends at once instead: further 2xx then match no transaction
// (sip_client_receive gives false) and go to whoever owns the dialog, who keeps the ACK. Sessions do this on the first
// 2xx, always.
void sip_client_forget(struct sip_client_transaction *transaction);
// The flow its request went by, with the connection it uses.
const struct flow *sip_client_flow(const struct sip_client_transaction *transaction);
// A response from the network. False when no transaction wants it.
bool sip_client_receive(struct sip_transactions *transactions, const struct flow *from,
			const struct sip_message *response);

// ---- server

struct sip_server_handlers {
	void (*cancelled)(void *user, struct sip_server_transaction *transaction,
			  const struct sip_message *cancel); // INVITE, once; the CANCEL has its 200
	// INVITE: the ACK for a non-2xx final response came, or its time is over; other methods: the machine has ended.
	// The last call for this user; never from within sip_server_respond.
	void (*ended)(void *user, struct sip_server_transaction *transaction);
};

// Begins to fetch what sip_server_receive will look at (base/fetch.h). May be left out.
void sip_server_expect(struct sip_transactions *transactions, struct sip_message *request);

enum sip_server_match {
	SIP_SERVER_NEW,      // no transaction: the caller may start one
	SIP_SERVER_ABSORBED, // a repetition, a CANCEL with its INVITE, or the ACK of a refusal: taken care of
};
// A request from the network, ACK and CANCEL included. An ACK for a 2xx is SIP_SERVER_NEW: it belongs to the dialog. A
// CANCEL that matches nothing is SIP_SERVER_NEW: answer 481.
enum sip_server_match sip_server_receive(struct sip_transactions *transactions, const struct flow *from,
					 struct sip_message *request);
// Starts a server transaction for a request. Copies what answers need (Vias, From, To, Call-ID, CSeq, Record-Routes).
// NULL when there is no memory, or SIP_SERVERS_MAX that are still of use. Without handlers (NULL) nobody says when it ends:
// its pointer is then good for as long as the function that sends the final response runs. Better forgotten than left to its timers:
// then it shrinks to what a repetition needs. An INVITE that has had no response after 200 ms is answered 100 by itself.
struct sip_server_transaction *sip_server_start(struct sip_transactions *transactions, const struct flow *from,
						const struct sip_message *request,
						const struct sip_server_handlers *handlers, void *user);
// Sends a response and moves the machine. `to_tag` is added to To when the request had none; when it is empty, the tag
// of the response before is used again, or one made as in sip_respond_stateless. `extra` is whole header lines, each
// with CRLF; `body` may be empty. A 2xx to an INVITE is repeated by the dialog's owner, not here; while it waits for
// the ACK (64*T1, RFC 6026 Accepted) repetitions of the INVITE are absorbed. 0, or -EALREADY after a final response,
// -EMSGSIZE, -ENOMEM (the machine then stands as before).
int sip_server_respond(struct sip_server_transaction *transaction, const struct sip_response *response);
// INVITE: sends the bytes of its 2xx again, or those of its last provisional response (RFC 3262 section 3).
void sip_server_repeat(struct sip_server_transaction *transaction);
// The user goes away. A transaction with no final response yet is answered 500 first. That of an INVITE whose 2xx was acknowledged, and
// that of any other request, shrinks to what absorbs or answers repetitions for 32 s more.
void sip_server_forget(struct sip_server_transaction *transaction);
// The flow its responses go by.
const struct flow *sip_server_flow(const struct sip_server_transaction *transaction);

// An answer without any state (RFC 3261 section 8.2.7): nothing is kept. The To tag is a keyed hash of what its
// transaction would be known by, the same for each repetition. `request` may be broken as long as the fault said answerable. An ACK is
// never answered.
int sip_respond_stateless(struct sip_transactions *transactions, const struct flow *from,
			  const struct sip_message *request, const struct sip_response *response);
// A final answer of which nobody wants to know more: a repetition of the request gets the same again. So are answered those who have
// shown who they are, since a digest is good once. It takes no transaction but for an INVITE, whose refusal waits for its ACK. Without any
// state where there is no memory.
void sip_respond_once(struct sip_transactions *transactions, const struct flow *from, const struct sip_message *request,
		      const struct sip_response *response);

#endif
