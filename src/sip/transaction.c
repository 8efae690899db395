// The transaction layer as a whole: its two tables, its pools and its counters. The machines are in client_transaction.c and
// server_transaction.c.
#include "sip/answered.h"
#include "sip/owned.h"

#include <stdlib.h>
#include <string.h>

struct sip_transactions *sip_transactions_create(struct loop *loop, struct sip_transport *transport)
{
	struct sip_transactions *transactions = calloc(1, sizeof *transactions);

	if (!transactions)
		return NULL;
	transactions->loop = loop;
	transactions->transport = transport;
	transactions->servers_max = SIP_SERVERS_MAX;
	pool_init(&transactions->client_pool, sip_client_size());
	pool_init(&transactions->server_pool, sip_server_size());
	transactions->clients = hash_create();
	transactions->servers = hash_create();
	if (sip_answered_init(transactions) && transactions->clients && transactions->servers)
		return transactions;
	sip_transactions_destroy(transactions);
	return NULL;
}

void sip_transactions_destroy(struct sip_transactions *transactions)
{
	if (!transactions)
		return;
	if (transactions->clients) {
		sip_client_free_all(transactions);
		hash_destroy(transactions->clients);
	}
	if (transactions->servers) {
		sip_server_free_all(transactions);
		hash_destroy(transactions->servers);
	}
	sip_answered_free_all(transactions);
	pool_free(&transactions->client_pool);
	pool_free(&transactions->server_pool);
	free(transactions);
}

struct sip_transaction_counters sip_transactions_count(const struct sip_transactions *transactions)
{
	return transactions->counters;
}

struct str sip_kept_copy(struct sip_transactions *transactions, struct str bytes)
{
	char *copy = owned_take(bytes.length);

	if (!copy)
		return STR_NONE;
	if (!str_empty(bytes))
		memcpy(copy, bytes.at, bytes.length);
	transactions->counters.kept_bytes += bytes.length;
	return (struct str){copy, bytes.length};
}

void sip_kept_free(struct sip_transactions *transactions, struct str *kept)
{
	transactions->counters.kept_bytes -= kept->length;
	owned_give((char *)(uintptr_t)kept->at, kept->length);
	*kept = STR_NONE;
}

struct writer sip_scratch(struct sip_transactions *transactions)
{
	return writer_into(transactions->scratch, sizeof transactions->scratch);
}

void sip_branch_new(struct loop *loop, char branch[SIP_BRANCH_SIZE + 1])
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
	uint8_t random[SIP_BRANCH_SIZE - 7];

	loop_random(loop, random, sizeof random);
	memcpy(branch, "z9hG4bK", 7);
	for (size_t i = 0; i < sizeof random; i++)
		branch[7 + i] = letters[random[i] % 64];
	branch[SIP_BRANCH_SIZE] = '\0';
}
