// What the parts of the transaction layer share; nobody else includes this.
#ifndef SIP_TRANSACTION_PRIVATE_H
#define SIP_TRANSACTION_PRIVATE_H

#include "base/hash.h"
#include "base/pool.h"
#include "sip/transaction.h"

// What one machine's timers and waits are worth (RFC 3261 table 4, RFC 6026 section 7).
enum {
	SIP_TRANSACTION_MS = 64 * SIP_T1_MS, // B, F, H, J, L, M
	SIP_TIMER_D_MS = 32000,
	SIP_TRYING_MS = 200,    // RFC 3261 section 17.2.1
	SIP_ANSWERED_KINDS = 2, // INVITEs, and others
};

struct sip_answered;

struct sip_transactions {
	struct loop *loop;
	struct sip_transport *transport;
	struct hash_table *clients;  // by branch
	struct hash_table *servers;  // by what sip_server_receive makes of a request
	unsigned servers_max;        // SIP_SERVERS_MAX, but in tests
	struct hash_table *answered; // likewise: requests that have had their final answer (answered.h)
	struct sip_answered_queue {
		struct sip_answered *first, *last; // owned; the oldest first
	} answered_in_order[SIP_ANSWERED_KINDS];
	struct timer answered_over; // runs while there are any
	struct pool client_pool, server_pool;
	struct sip_transaction_counters counters;
	char scratch[SIP_MESSAGE_MAX + 1024]; // where messages are written before they are sent or kept
};

// Copies of messages are counted. An empty `at` when there is no memory.
struct str sip_kept_copy(struct sip_transactions *transactions, struct str bytes);
void sip_kept_free(struct sip_transactions *transactions, struct str *kept); // leaves STR_NONE
struct writer sip_scratch(struct sip_transactions *transactions);

// From the bytes of an INVITE of ours: its CANCEL, with a Reason unless that is empty (RFC 3261 section 9.1), and the
// ACK of a refusal, To and its tag from the response (section 17.1.1.3). From any request of ours: the same with the
// topmost Via for another flow. False when it could not be written.
bool sip_own_write_cancel(struct writer *w, struct str invite_bytes, struct str reason);
bool sip_own_write_ack(struct writer *w, struct str invite_bytes, const struct sip_message *response);
bool sip_own_write_moved(struct writer *w, struct str request_bytes, struct sip_transport *transport,
			 const struct flow *flow);

// Whether what came belongs to a request of that method with the same key: an ACK finds its INVITE (RFC 3261 section 17.2.3), a CANCEL
// whatever it cancels (section 9.2).
static inline bool sip_server_takes(enum sip_method own, enum sip_method came)
{
	return came == SIP_ACK ? own == SIP_INVITE : came == SIP_CANCEL || came == own;
}

size_t sip_client_size(void); // for the pools
size_t sip_server_size(void);
void sip_client_free_all(struct sip_transactions *transactions); // calls nobody
void sip_server_free_all(struct sip_transactions *transactions);

#endif
