// An account for each user and trunk that has legs to the outside, or had some within the last hour.
#include "domain/toll_usage.h"

#include "base/hash.h"
#include "base/hour.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>

enum { FORGOTTEN_AT_ONCE = 2 }; // accounts looked at with each new leg, so that none has to look at all

struct account {
	struct hash_node node;
	struct list by_use; // in toll_usage.by_use, the one used last at the end
	uint64_t id;
	unsigned legs;
	struct hour hour, international;
};

struct toll_usage {
	struct loop *loop;
	struct hash_table *accounts[TOLL_SCOPE_COUNT];
	struct list by_use[TOLL_SCOPE_COUNT];
	struct pool pool;
};

struct toll_usage *toll_usage_create(struct loop *loop)
{
	struct toll_usage *usage = calloc(1, sizeof *usage);

	if (!usage)
		return NULL;
	usage->loop = loop;
	pool_init(&usage->pool, sizeof(struct account));
	for (int scope = 0; scope < TOLL_SCOPE_COUNT; scope++) {
		list_init(&usage->by_use[scope]);
		usage->accounts[scope] = hash_create();
		if (!usage->accounts[scope]) {
			toll_usage_destroy(usage);
			return NULL;
		}
	}
	return usage;
}

static void account_forget(struct toll_usage *usage, int scope, struct account *account)
{
	assert(account->legs == 0);
	hash_remove(usage->accounts[scope], &account->node);
	list_remove(&account->by_use);
	pool_give(&usage->pool, account);
}

void toll_usage_destroy(struct toll_usage *usage)
{
	if (!usage)
		return;
	for (int scope = 0; scope < TOLL_SCOPE_COUNT; scope++) {
		if (!usage->accounts[scope])
			continue;
		list_each (node, following, &usage->by_use[scope])
			account_forget(usage, scope, container_of(node, struct account, by_use));
		hash_destroy(usage->accounts[scope]);
	}
	pool_free(&usage->pool);
	free(usage);
}

static bool same_account(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct account, node)->id == *(const uint64_t *)key;
}

static struct account *account_find(const struct toll_usage *usage, struct toll_count count)
{
	struct hash_node *node = hash_find(usage->accounts[count.scope], hash_uint(count.id), same_account, &count.id);

	return node ? container_of(node, struct account, node) : NULL;
}

static struct account *account_get(struct toll_usage *usage, struct toll_count count)
{
	struct account *account = account_find(usage, count);

	if (account)
		return account;
	account = pool_take(&usage->pool);
	if (!account)
		return NULL;
	account->id = count.id;
	list_init(&account->by_use);
	if (!hash_insert(usage->accounts[count.scope], &account->node, hash_uint(count.id))) {
		pool_give(&usage->pool, account);
		return NULL;
	}
	return account;
}

static void account_used(struct toll_usage *usage, enum toll_scope scope, struct account *account)
{
	list_remove(&account->by_use);
	list_append(&usage->by_use[scope], &account->by_use);
}

// The last leg ended, and the last one began over an hour ago.
static void accounts_forget(struct toll_usage *usage, enum toll_scope scope)
{
	uint64_t now_ms = loop_now_ms(usage->loop);
	int looked_at = 0;

	list_each (node, following, &usage->by_use[scope]) {
		struct account *account = container_of(node, struct account, by_use);
		if (looked_at++ == FORGOTTEN_AT_ONCE)
			return;
		if (account->legs > 0)
			account_used(usage, scope, account); // a leg that lasts must not keep all others
		else if (hour_count(&account->hour, now_ms) == 0)
			account_forget(usage, (int)scope, account);
		else
			return;
	}
}

unsigned toll_usage_of(const struct toll_usage *usage, struct toll_count count, enum toll_measure measure)
{
	const struct account *account = account_find(usage, count);
	uint64_t now_ms = loop_now_ms(usage->loop);

	if (!account)
		return 0;
	switch (measure) {
	case TOLL_LEGS_NOW:
		return account->legs;
	case TOLL_LEGS_PER_HOUR:
		return hour_count(&account->hour, now_ms);
	case TOLL_INTERNATIONAL_PER_HOUR:
		return hour_count(&account->international, now_ms);
	case TOLL_MEASURE_COUNT:
		break;
	}
	return 0;
}

size_t toll_usage_accounts(const struct toll_usage *usage)
{
	size_t count = 0;

	for (int scope = 0; scope < TOLL_SCOPE_COUNT; scope++)
		count += hash_count(usage->accounts[scope]);
	return count;
}

bool toll_usage_add(struct toll_usage *usage, struct toll_count count, bool international)
{
	struct account *account = account_get(usage, count);
	uint64_t now_ms = loop_now_ms(usage->loop);

	if (!account)
		return false;
	account->legs++;
	hour_add(&account->hour, now_ms);
	if (international)
		hour_add(&account->international, now_ms);
	account_used(usage, count.scope, account);
	accounts_forget(usage, count.scope);
	return true;
}

void toll_usage_drop(struct toll_usage *usage, struct toll_count count)
{
	struct account *account = account_find(usage, count);

	assert(account && account->legs > 0);
	account->legs--;
	account_used(usage, count.scope, account);
}
