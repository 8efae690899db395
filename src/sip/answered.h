// Requests that have had their final answer, for the 32 s in which they may come again: others than INVITE get the same once more
// (RFC 3261 section 17.2.2, timer J), an INVITE that was accepted is absorbed (RFC 6026 section 7.1, timer L). What an answer repeats of
// its request comes with the repetition, so only what is new in it is kept: under 200 bytes, where a transaction with its response takes
// 800. For the transaction layer alone.
#ifndef SIP_ANSWERED_H
#define SIP_ANSWERED_H

#include "sip/transaction_private.h"

struct sip_server_key {
	uint64_t hash; // of what a request is known by
	enum sip_method method;
};

// Of an INVITE the answer is not kept but for its To tag; another request's went by UDP. False when there is no memory.
bool sip_answered_add(struct sip_transactions *transactions, const struct sip_server_key *key, const struct flow *flow,
		      const struct sip_response *response);
// The request has come again, or its ACK or CANCEL has.
enum sip_server_match sip_answered_receive(struct sip_transactions *transactions, const struct flow *from,
					   const struct sip_server_key *key, const struct sip_message *request);
// Forgets the one that was answered longest ago and is no INVITE; false when there is none.
bool sip_answered_make_room(struct sip_transactions *transactions);
bool sip_answered_init(struct sip_transactions *transactions); // false: no memory
void sip_answered_free_all(struct sip_transactions *transactions);

#endif
