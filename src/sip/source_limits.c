// The limits themselves: buckets, failures and bans of what the tables remember.
#include "sip/source_limits.h"

#include "base/log.h"
#include "sip/allowance.h"
#include "sip/source_table.h"

#include <stdlib.h>
#include <time.h>

enum {
	REQUESTS_PER_S = 50,
	REQUESTS_BURST = 400,
	KNOWN_REQUESTS_PER_S = 10000,
	DEVICE_REQUESTS_PER_S = 50,
	DEVICE_REQUESTS_BURST = 500, // its lamps, all at once after a start
	FAILURES_WAIT = 5,
	WAIT_S = 30,
	FAILURES_BAN = 50,
	WINDOW_S = 600,
	BAN_S = 600,
	CONNECTIONS_PER_SOURCE = 500,
	REMEMBERED = 32768,
	FLOWS_PER_SOURCE = 8,
	GOOD_MS = 24 * 3600 * 1000, // an account that was right from a source counts as at home there for so long
	TRUSTED_MS = 10000,         // a neighbour is asked about again after that
	TOLD_MS = 60000,            // between two lines in the log about the same source
};

struct sip_limits {
	struct loop *loop;
	struct sip_limits_settings settings;
	struct limits_table sources, flows, accounts;
	struct allowances devices;
	uint64_t last_ban_over_ms; // until then somebody may be banned
	uint64_t refused_devices, dropped_over_limit, dropped_banned, refused_connections, bans, waits;
};

// ---- life

static void default_to(unsigned *setting, unsigned value)
{
	if (*setting == 0)
		*setting = value;
}

static void take_settings(struct sip_limits *limits, const struct sip_limits_settings *given)
{
	struct sip_limits_settings *settings = &limits->settings;

	*settings = *given;
	default_to(&settings->requests_per_s, REQUESTS_PER_S);
	default_to(&settings->requests_burst, REQUESTS_BURST);
	default_to(&settings->known_requests_per_s, KNOWN_REQUESTS_PER_S);
	default_to(&settings->device_requests_per_s, DEVICE_REQUESTS_PER_S);
	default_to(&settings->device_requests_burst, DEVICE_REQUESTS_BURST);
	default_to(&settings->failures_wait, FAILURES_WAIT);
	default_to(&settings->wait_s, WAIT_S);
	default_to(&settings->failures_ban, FAILURES_BAN);
	default_to(&settings->window_s, WINDOW_S);
	default_to(&settings->ban_s, BAN_S);
	default_to(&settings->connections_per_source, CONNECTIONS_PER_SOURCE);
	default_to(&settings->remembered, REMEMBERED);
}

void sip_limits_change(struct sip_limits *limits, const struct sip_limits_settings *given)
{
	struct sip_limits_settings changed = *given;

	changed.trusts = limits->settings.trusts;
	changed.context = limits->settings.context;
	changed.remembered = limits->settings.remembered;
	take_settings(limits, &changed);
}

struct sip_limits *sip_limits_create(struct loop *loop, const struct sip_limits_settings *given)
{
	struct sip_limits *limits = calloc(1, sizeof *limits);
	if (!limits)
		return NULL;
	struct sip_limits_settings *settings = &limits->settings;
	limits->loop = loop;
	take_settings(limits, given);
	if (limits_table_init(&limits->sources, settings->remembered) &&
	    limits_table_init(&limits->flows, (size_t)settings->remembered * FLOWS_PER_SOURCE) &&
	    limits_table_init(&limits->accounts, settings->remembered) &&
	    allowances_init(&limits->devices, settings->remembered))
		return limits;
	sip_limits_destroy(limits);
	return NULL;
}

void sip_limits_destroy(struct sip_limits *limits)
{
	if (!limits)
		return;
	limits_table_free(&limits->sources);
	limits_table_free(&limits->flows);
	limits_table_free(&limits->accounts);
	allowances_free(&limits->devices);
	free(limits);
}

// ---- keys

static struct limits_key source_key(const struct net_address *address)
{
	return (struct limits_key){net_address_source(address), 0};
}

static struct limits_key flow_key(const struct flow *flow)
{
	return (struct limits_key){flow->remote, flow->transport};
}

static struct limits_key account_key(const struct flow *flow, struct str account)
{
	return (struct limits_key){net_address_source(&flow->remote), hash_str(account)};
}

static uint64_t now(const struct sip_limits *limits)
{
	return loop_now_ms(limits->loop);
}

// The flow, if somebody has authenticated on it.
static struct limits_entry *known_flow(const struct sip_limits *limits, const struct flow *from)
{
	struct limits_key key = flow_key(from);
	struct limits_entry *flow = limits_table_find(&limits->flows, &key);
	return flow && flow->good_until_ms > now(limits) ? flow : NULL;
}

static struct limits_entry *find_source(const struct sip_limits *limits, const struct net_address *address)
{
	struct limits_key key = source_key(address);
	return limits_table_find(&limits->sources, &key);
}

static struct limits_entry *find_account(const struct sip_limits *limits, const struct flow *from, struct str account)
{
	struct limits_key key = account_key(from, account);
	return limits_table_find(&limits->accounts, &key);
}

// Asked anew every few seconds, since trunks come and go.
static bool is_trusted(struct sip_limits *limits, struct limits_entry *source, const struct net_address *address)
{
	const struct sip_limits_settings *settings = &limits->settings;
	if (source->trusted_until_ms > now(limits))
		return true;
	if (!settings->trusts || !settings->trusts(settings->context, address))
		return false;
	source->trusted_until_ms = now(limits) + TRUSTED_MS;
	source->filled_ms = 0; // the larger bucket is full at first
	return true;
}

// ---- buckets

// Full when it is new, and once what it lacks has come again.
static bool take_token(struct limits_entry *entry, uint64_t now_ms, uint64_t per_s, uint64_t burst)
{
	uint64_t full = burst * 1000, gone_ms = now_ms - entry->filled_ms;

	if (entry->filled_ms == 0 || gone_ms >= full / per_s || entry->tokens + gone_ms * per_s >= full)
		entry->tokens = full;
	else
		entry->tokens += gone_ms * per_s;
	entry->filled_ms = now_ms ? now_ms : 1;
	if (entry->tokens < 1000)
		return false;
	entry->tokens -= 1000;
	return true;
}

static bool take_known(const struct sip_limits *limits, struct limits_entry *entry)
{
	uint64_t per_s = limits->settings.known_requests_per_s;
	return take_token(entry, now(limits), per_s, 2 * per_s);
}

// One line a minute about each, whatever it sends.
static void tell_of(const struct sip_limits *limits, struct limits_entry *entry, const char *event)
{
	char text[64];
	struct writer w = writer_into(text, sizeof text);

	if (entry->told_until_ms > now(limits))
		return;
	entry->told_until_ms = now(limits) + TOLD_MS;
	net_address_write_host(&w, &entry->key.address);
	log_warning(event, LOG_STR("source", writer_result(&w)));
}

static bool over_limit(struct sip_limits *limits, struct limits_entry *entry)
{
	limits->dropped_over_limit++;
	tell_of(limits, entry, "sip_source_over_limit");
	return false;
}

static bool is_banned(const struct sip_limits *limits, const struct limits_entry *source)
{
	return source && source->barred_until_ms > now(limits);
}

// Noticed when something comes from there again.
static void end_ban(struct sip_limits *limits, struct limits_entry *source)
{
	char text[64];
	struct writer w = writer_into(text, sizeof text);

	if (!source || source->worth != WORTH_MUCH || is_banned(limits, source))
		return;
	net_address_write_host(&w, &source->key.address);
	log_info("sip_source_ban_over", LOG_STR("source", writer_result(&w)));
	limits_table_rate(&limits->sources, source, WORTH_SOME);
}

bool sip_limits_admits(struct sip_limits *limits, const struct flow *from, enum limits_message kind)
{
	const struct sip_limits_settings *settings = &limits->settings;
	struct limits_entry *flow = known_flow(limits, from), *source;
	struct limits_key key = source_key(&from->remote);

	if (flow)
		return kind == LIMITS_RESPONSE || take_known(limits, flow) || over_limit(limits, flow);
	source = kind == LIMITS_RESPONSE ? limits_table_find(&limits->sources, &key)
					 : limits_table_get(&limits->sources, &key);
	end_ban(limits, source);
	// Where somebody is at home, the message must be read to know whether it comes from them.
	if (is_banned(limits, source) && source->good_until_ms <= now(limits)) {
		limits->dropped_banned++;
		return false;
	}
	if (kind == LIMITS_RESPONSE)
		return true;
	if (!source) { // all places are taken by those who have connections
		limits->dropped_over_limit++;
		return false;
	}
	if (source->trusted_until_ms > now(limits))
		return take_known(limits, source) || over_limit(limits, source);
	return take_token(source, now(limits), settings->requests_per_s, settings->requests_burst) ||
	       is_trusted(limits, source, &from->remote) || over_limit(limits, source);
}

bool sip_limits_admits_device(struct sip_limits *limits, uint64_t device_id, struct str number)
{
	const struct sip_limits_settings *settings = &limits->settings;
	uint64_t now_us = now(limits) * 1000;
	struct allowance *device = allowances_of(&limits->devices, hash_uint(device_id), now_us);

	if (allowance_take(device, now_us, settings->device_requests_per_s, settings->device_requests_burst))
		return true;
	limits->refused_devices++;
	if (allowance_tells(device, now_us))
		log_warning("sip_device_over_limit", LOG_STR("device", number));
	return false;
}

// ---- connections

bool sip_limits_connected(struct sip_limits *limits, const struct net_address *remote)
{
	struct limits_key key = source_key(remote);
	struct limits_entry *source = limits_table_get(&limits->sources, &key);
	bool banned = is_banned(limits, source) && source->good_until_ms <= now(limits);

	if (!source || banned ||
	    (source->holders >= limits->settings.connections_per_source && !is_trusted(limits, source, remote))) {
		limits->refused_connections++;
		if (source && !banned)
			tell_of(limits, source, "sip_source_has_too_many_connections");
		return false;
	}
	limits_table_hold(&limits->sources, source);
	return true;
}

void sip_limits_disconnected(struct sip_limits *limits, const struct net_address *remote)
{
	limits_table_release(&limits->sources, find_source(limits, remote));
}

// ---- wrong passwords

bool sip_limits_knows(const struct sip_limits *limits, const struct flow *from)
{
	return known_flow(limits, from) != NULL;
}

bool sip_limits_admits_account(const struct sip_limits *limits, const struct flow *from, struct str account)
{
	if (limits->last_ban_over_ms <= now(limits) || !is_banned(limits, find_source(limits, &from->remote)) ||
	    known_flow(limits, from))
		return true;
	const struct limits_entry *at_home = find_account(limits, from, account);
	return at_home && at_home->good_until_ms > now(limits);
}

unsigned sip_limits_wait_s(const struct sip_limits *limits, const struct flow *from, struct str account)
{
	const struct limits_entry *waiting = find_account(limits, from, account), *flow = known_flow(limits, from);

	if (!waiting || waiting->barred_until_ms <= now(limits))
		return 0;
	if (flow && flow->account == hash_str(account)) // its neighbour guesses
		return 0;
	return (unsigned)((waiting->barred_until_ms - now(limits) + 999) / 1000);
}

static void log_bar(struct sip_limits *limits, const char *event, const struct limits_entry *entry, struct str account,
		    unsigned seconds)
{
	char source[64], until[32];
	struct writer w = writer_into(source, sizeof source);
	time_t end = (time_t)(loop_time_ms(limits->loop) / 1000 + seconds);
	struct tm tm;

	net_address_write_host(&w, &entry->key.address);
	if (!gmtime_r(&end, &tm) || strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		until[0] = '\0';
	log_warning(event, LOG_STR("source", writer_result(&w)), LOG_STR("account", account), LOG_TEXT("until", until),
		    LOG_TEXT("why", "wrong passwords"), LOG_UINT("failures", entry->failures));
}

// Gives how many there are now within the window.
static unsigned count_failure(const struct sip_limits *limits, struct limits_entry *entry)
{
	if (entry->failures_over_ms <= now(limits)) {
		entry->failures = 0;
		entry->failures_over_ms = now(limits) + (uint64_t)limits->settings.window_s * 1000;
	}
	return ++entry->failures;
}

static void account_failed(struct sip_limits *limits, const struct flow *from, struct str account)
{
	struct limits_key key = account_key(from, account);
	struct limits_entry *entry = limits_table_get(&limits->accounts, &key);

	if (!entry || entry->barred_until_ms > now(limits) ||
	    count_failure(limits, entry) < limits->settings.failures_wait)
		return;
	entry->barred_until_ms = now(limits) + (uint64_t)limits->settings.wait_s * 1000;
	limits_table_rate(&limits->accounts, entry, WORTH_SOME);
	limits->waits++;
	log_bar(limits, "sip_account_waits", entry, account, limits->settings.wait_s);
	entry->failures = 0;
}

// Whoever guesses on a flow that they made known before gives that up.
static void forget_guesser(struct sip_limits *limits, const struct flow *from, struct str account)
{
	struct limits_entry *flow = known_flow(limits, from);
	if (flow && flow->account != hash_str(account))
		limits_table_forget(&limits->flows, flow);
}

void sip_limits_failed(struct sip_limits *limits, const struct flow *from, struct str account)
{
	struct limits_key key = source_key(&from->remote);
	struct limits_entry *source = limits_table_get(&limits->sources, &key);

	account_failed(limits, from, account);
	if (!source || is_trusted(limits, source, &from->remote))
		return;
	if (source->worth == WORTH_LITTLE)
		limits_table_rate(&limits->sources, source, WORTH_SOME);
	if (count_failure(limits, source) < limits->settings.failures_ban)
		return;
	forget_guesser(limits, from, account);
	if (is_banned(limits, source))
		return;
	source->barred_until_ms = now(limits) + (uint64_t)limits->settings.ban_s * 1000;
	if (limits->last_ban_over_ms < source->barred_until_ms)
		limits->last_ban_over_ms = source->barred_until_ms;
	limits_table_rate(&limits->sources, source, WORTH_MUCH);
	limits->bans++;
	log_bar(limits, "sip_source_banned", source, account, limits->settings.ban_s);
	source->failures = 0;
}

static void good_for(struct limits_table *table, struct limits_entry *entry, uint64_t until_ms)
{
	if (!entry)
		return;
	if (entry->good_until_ms < until_ms)
		entry->good_until_ms = until_ms;
	if (entry->worth == WORTH_LITTLE)
		limits_table_rate(table, entry, WORTH_SOME);
}

static uint64_t at_home_until_ms(const struct sip_limits *limits, unsigned known_s)
{
	uint64_t known_ms = (uint64_t)known_s * 1000;

	return now(limits) + (known_ms > GOOD_MS ? known_ms : GOOD_MS);
}

// Its flow from now on, and somebody is at home at its source.
static struct limits_entry *known_for(struct sip_limits *limits, const struct flow *from, unsigned known_s)
{
	struct limits_key source = source_key(&from->remote), flow = flow_key(from);
	struct limits_entry *known = limits_table_get(&limits->flows, &flow);

	good_for(&limits->flows, known, now(limits) + (uint64_t)known_s * 1000);
	good_for(&limits->sources, limits_table_get(&limits->sources, &source), at_home_until_ms(limits, known_s));
	return known;
}

void sip_limits_authenticated(struct sip_limits *limits, const struct flow *from, struct str account, unsigned known_s)
{
	struct limits_key pair = account_key(from, account);
	struct limits_entry *known = known_for(limits, from, known_s);

	if (known)
		known->account = pair.more;
	good_for(&limits->accounts, limits_table_get(&limits->accounts, &pair), at_home_until_ms(limits, known_s));
}

void sip_limits_registered(struct sip_limits *limits, const struct flow *from, unsigned known_s)
{
	known_for(limits, from, known_s);
}

// ---- counting

struct banned_count {
	const struct sip_limits *limits;
	size_t count;
};

static bool count_if_banned(struct hash_node *node, void *context)
{
	struct banned_count *banned = context;
	banned->count += is_banned(banned->limits, container_of(node, struct limits_entry, node));
	return true;
}

uint64_t sip_limits_dropped(const struct sip_limits *limits)
{
	return limits->dropped_over_limit + limits->dropped_banned;
}

struct sip_limits_counters sip_limits_count(const struct sip_limits *limits)
{
	struct banned_count banned = {limits, 0};

	hash_visit(limits->sources.entries, count_if_banned, &banned);
	return (struct sip_limits_counters){
	    .refused_devices = limits->refused_devices,
	    .dropped_over_limit = limits->dropped_over_limit,
	    .dropped_banned = limits->dropped_banned,
	    .refused_connections = limits->refused_connections,
	    .bans = limits->bans,
	    .waits = limits->waits,
	    .banned = banned.count,
	    .sources = hash_count(limits->sources.entries),
	    .flows = hash_count(limits->flows.entries),
	    .accounts = hash_count(limits->accounts.entries),
	};
}
