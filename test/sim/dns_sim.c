// The names of a simulated world: base/dns.h over a table of records.
#include "base/dns.h"
#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTHING_TTL_S = 30, TEXT_MAX = 256 };

struct sim_record {
	struct list node;
	char name[TEXT_MAX];
	uint32_t ttl_s;
	enum dns_type type;
	struct dns_record record;
	char texts[4][TEXT_MAX]; // what the record's slices point at
};

struct dns {
	struct loop *loop;
	struct list queries;
};

struct dns_query {
	struct list node;
	struct dns *dns;
	struct timer timer;
	dns_answered *answered;
	void *context;
	enum dns_type type;
	char name[TEXT_MAX];
};

// ---- the table

static bool read_address(struct sim_record *made, const char *data)
{
	return net_address_parse(str_of(data), 0, &made->record.address);
}

static bool read_srv(struct sim_record *made, const char *data)
{
	struct dns_srv *srv = &made->record.srv;
	if (sscanf(data, "%hu %hu %hu %255s", &srv->priority, &srv->weight, &srv->port, made->texts[0]) != 4)
		return false;
	srv->target = str_of(strcmp(made->texts[0], ".") == 0 ? "" : made->texts[0]);
	return true;
}

static bool read_naptr(struct sim_record *made, const char *data)
{
	struct dns_naptr *naptr = &made->record.naptr;
	if (sscanf(data, "%hu %hu %255s %255s %255s", &naptr->order, &naptr->preference, made->texts[0], made->texts[1],
		   made->texts[2]) != 5)
		return false;
	naptr->flags = str_of(made->texts[0]);
	naptr->services = str_of(made->texts[1]);
	naptr->regexp = STR("");
	naptr->replacement = str_of(made->texts[2]);
	return true;
}

void sim_dns_add(struct loop *loop, const char *record)
{
	static const struct {
		const char *name;
		enum dns_type type;
		bool (*read)(struct sim_record *made, const char *data);
	} types[] = {{"A", DNS_A, read_address},
		     {"AAAA", DNS_AAAA, read_address},
		     {"SRV", DNS_SRV, read_srv},
		     {"NAPTR", DNS_NAPTR, read_naptr}};
	struct sim_record *made = calloc(1, sizeof *made);
	char type[8];
	int data = 0;
	bool read = false;

	assert(made);
	assert(sscanf(record, "%255s %u %7s %n", made->name, &made->ttl_s, type, &data) == 3);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcmp(types[i].name, type) != 0)
			continue;
		made->type = types[i].type;
		read = types[i].read(made, record + data);
	}
	assert(read);
	list_append(&loop->dns_records, &made->node);
}

void sim_dns_remove(struct loop *loop, const char *name)
{
	list_each (node, following, &loop->dns_records) {
		struct sim_record *record = container_of(node, struct sim_record, node);
		if (strcmp(record->name, name) != 0)
			continue;
		list_remove(node);
		free(record);
	}
}

void dns_forget(struct loop *loop)
{
	list_each (node, following, &loop->dns_records)
		free(container_of(node, struct sim_record, node));
}

void sim_dns_servers(struct loop *loop, enum sim_dns_servers servers)
{
	loop->dns_servers = servers;
}

uint64_t sim_dns_asked(const struct loop *loop)
{
	return loop->dns_asked;
}

// ---- questions

static void answer(struct timer *timer)
{
	struct dns_query *query = container_of(timer, struct dns_query, timer);
	struct loop *loop = query->dns->loop;
	struct dns_record records[DNS_RECORDS_MAX];
	struct dns_answer found = {
	    .status = DNS_NOTHING, .type = query->type, .ttl_s = NOTHING_TTL_S, .records = records};

	list_each (node, following, &loop->dns_records) {
		struct sim_record *record = container_of(node, struct sim_record, node);
		if (record->type != query->type || !str_equal_nocase(str_of(record->name), str_of(query->name)))
			continue;
		if (found.count == 0 || record->ttl_s < found.ttl_s)
			found.ttl_s = record->ttl_s;
		found.status = DNS_FOUND;
		assert(found.count < DNS_RECORDS_MAX);
		records[found.count++] = record->record;
	}
	if (loop->dns_servers != SIM_DNS_ANSWER)
		found = (struct dns_answer){.status = DNS_FAILED, .type = query->type};
	list_remove(&query->node);
	query->answered(query->context, &found);
	free(query);
}

struct dns_query *dns_ask(struct dns *dns, enum dns_type type, struct str name, dns_answered *answered, void *context)
{
	struct dns_query *query = net_name_valid(name) ? calloc(1, sizeof *query) : NULL;
	if (!query)
		return NULL;
	query->dns = dns;
	query->type = type;
	query->answered = answered;
	query->context = context;
	assert(str_to_cstring(name, query->name, sizeof query->name));
	list_append(&dns->queries, &query->node);
	timer_init(&query->timer, answer);
	timer_start(dns->loop, &query->timer,
		    dns->loop->dns_servers == SIM_DNS_SILENT ? DNS_PATIENCE_MS : 2 * network_delay(dns->loop));
	dns->loop->dns_asked++;
	return query;
}

void dns_cancel(struct dns_query *query)
{
	if (!query)
		return;
	timer_stop(&query->timer);
	list_remove(&query->node);
	free(query);
}

bool dns_servers_valid(struct str servers)
{
	(void)servers;
	return true;
}

int dns_create(struct loop *loop, struct str servers, struct dns **result)
{
	struct dns *dns = calloc(1, sizeof *dns);
	(void)servers;
	if (!dns)
		return -ENOMEM;
	dns->loop = loop;
	list_init(&dns->queries);
	*result = dns;
	return 0;
}

void dns_destroy(struct dns *dns)
{
	if (!dns)
		return;
	list_each (node, following, &dns->queries)
		dns_cancel(container_of(node, struct dns_query, node));
	free(dns);
}
