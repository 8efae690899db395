// The checks of trunks' targets. Each trunk has its list; a target that several trunks name has one state in all of them.
#include "sip/trunk_health.h"

#include "base/log.h"
#include "domain/watch.h"
#include "sip/dialog.h"
#include "sip/resolver.h"
#include "sip/trunk_identity.h"
#include "sip/trunk_leg.h"
#include "sip/trunk_uri.h"

#include <stdlib.h>
#include <string.h>

enum { URI_MAX = 512, LINES_MAX = 512 };

struct health_trunk {
	struct list node;
	uint64_t trunk_id;
	enum trunk_service service;
	uint64_t interval_ms; // 0: nothing is sent
	struct list targets;  // of struct health_target
};

struct health_target {
	struct list node;
	struct trunk_health *health;
	struct health_trunk *trunk;
	struct sip_target target;
	char host[DNS_NAME_MAX + 1];
	enum trunk_service service;
	const char *reason;
	unsigned last_status, good; // good ones in a row, while out of service
	int64_t round_trip_ms, checked_at, since;
	bool looked; // the first check is over: the second one spreads them
	uint64_t sent_ms;
	struct sip_client_transaction *transaction;
	struct timer
	    due; // the next check; the silence of the one under way; without checks: when it may be tried again
};

struct trunk_health {
	struct sip_endpoint *endpoint;
	struct list trunks;
	uint64_t checks, failed;
};

// ---- finding

static struct health_trunk *trunk_find(const struct trunk_health *health, uint64_t trunk_id)
{
	list_each (node, following, &health->trunks) {
		struct health_trunk *trunk = container_of(node, struct health_trunk, node);
		if (trunk->trunk_id == trunk_id)
			return trunk;
	}
	return NULL;
}

static struct health_target *target_find(const struct health_trunk *trunk, const struct sip_target *target)
{
	list_each (node, following, &trunk->targets) {
		struct health_target *known = container_of(node, struct health_target, node);
		if (sip_target_equal(&known->target, target))
			return known;
	}
	return NULL;
}

// Whether OPTIONS say when it is back, whichever trunk's they are.
static bool is_checked(const struct trunk_health *health, const struct sip_target *target)
{
	list_each (node, following, &health->trunks) {
		const struct health_trunk *trunk = container_of(node, struct health_trunk, node);
		if (trunk->interval_ms && target_find(trunk, target))
			return true;
	}
	return false;
}

// ---- states

static enum trunk_service service_of(const struct health_trunk *trunk)
{
	bool unknown = false;

	list_each (node, following, &trunk->targets) {
		enum trunk_service service = container_of(node, const struct health_target, node)->service;
		if (service == TRUNK_IN_SERVICE)
			return TRUNK_IN_SERVICE;
		unknown = unknown || service == TRUNK_UNKNOWN;
	}
	return unknown ? TRUNK_UNKNOWN : TRUNK_OUT_OF_SERVICE; // without any address as well
}

static struct str title_of(const struct trunk_health *health, uint64_t trunk_id)
{
	const struct trunk *trunk = directory_trunk(health->endpoint->directory, trunk_id);
	return trunk ? trunk->title : STR_NONE;
}

static void trunk_look(struct trunk_health *health, struct health_trunk *trunk)
{
	enum trunk_service service = service_of(trunk), before = trunk->service;

	trunk->service = service;
	watch_trunk(health->endpoint->watch, trunk->trunk_id);
	if (service == before)
		return;
	log_at(service == TRUNK_OUT_OF_SERVICE ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "trunk",
	       LOG_UINT("trunk", trunk->trunk_id), LOG_STR("title", title_of(health, trunk->trunk_id)),
	       LOG_TEXT("from", trunk_service_names[before]), LOG_TEXT("to", trunk_service_names[service]));
}

static void target_log(const struct health_target *target, enum trunk_service before)
{
	char text[64];
	struct writer w = writer_into(text, sizeof text);

	net_address_write(&w, &target->target.address);
	log_at(target->service == TRUNK_OUT_OF_SERVICE ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "trunk_target",
	       LOG_UINT("trunk", target->trunk->trunk_id),
	       LOG_STR("title", title_of(target->health, target->trunk->trunk_id)),
	       LOG_STR("address", writer_result(&w)), LOG_TEXT("transport", transport_names[target->target.transport]),
	       LOG_TEXT("from", trunk_service_names[before]), LOG_TEXT("to", trunk_service_names[target->service]),
	       LOG_TEXT("why", target->reason ? target->reason : "It answers."));
}

// The only place where a state is written: in every trunk that has the target, and for calls.
static void set_service(struct trunk_health *health, const struct sip_target *target, enum trunk_service service,
			const char *reason)
{
	list_each (node, following, &health->trunks) {
		struct health_trunk *trunk = container_of(node, struct health_trunk, node);
		struct health_target *known = target_find(trunk, target);
		if (!known)
			continue;
		known->good = 0;
		known->reason = reason;
		if (known->service == service)
			continue;
		enum trunk_service before = known->service;
		known->service = service;
		known->since = (int64_t)loop_time_ms(health->endpoint->loop);
		target_log(known, before);
		trunk_look(health, trunk);
	}
}

static void tell_resolver(struct trunk_health *health, const struct sip_target *target, enum target_health what,
			  uint64_t duration_ms)
{
	sip_resolver_note(health->endpoint->resolver, target, what, duration_ms);
}

static void set_out(struct trunk_health *health, const struct sip_target target, const char *reason)
{
	tell_resolver(health, &target, TARGET_DEAD, TARGET_UNTIL_CHECKED);
	set_service(health, &target, TRUNK_OUT_OF_SERVICE, reason);
}

static void set_in(struct trunk_health *health, const struct sip_target target)
{
	tell_resolver(health, &target, TARGET_ALIVE, 0);
	set_service(health, &target, TRUNK_IN_SERVICE, NULL);
}

// ---- a check

static uint64_t random_below(struct trunk_health *health, uint64_t end)
{
	return end ? loop_random_uint(health->endpoint->loop) % end : 0;
}

// The first look comes soon, the second one anywhere within an interval: so they are spread from then on.
static void next_check(struct health_target *target)
{
	struct trunk_health *health = target->health;
	uint64_t interval = target->trunk->interval_ms, delay = interval;

	if (interval == 0) {
		timer_stop(&target->due);
		return;
	}
	if (!target->looked)
		delay = random_below(health, TRUNK_HEALTH_FIRST_MS);
	else if (target->service == TRUNK_OUT_OF_SERVICE && target->good > 0)
		delay = TRUNK_HEALTH_CONFIRM_MS;
	else if (target->service == TRUNK_OUT_OF_SERVICE && interval > TRUNK_HEALTH_AGAIN_MS)
		delay = TRUNK_HEALTH_AGAIN_MS;
	timer_start(health->endpoint->loop, &target->due, delay);
}

// `status`: its final response; 0: none came, for the reason given.
static void check_over(struct health_target *target, unsigned status, const char *reason)
{
	struct trunk_health *health = target->health;
	struct loop *loop = health->endpoint->loop;
	bool first = !target->looked, good = status != 0 && status != 408 && status != 503;

	target->transaction = NULL;
	target->looked = true;
	target->last_status = status;
	target->round_trip_ms = status ? (int64_t)(loop_now_ms(loop) - target->sent_ms) : -1;
	target->checked_at = (int64_t)loop_time_ms(loop);
	health->checks++;
	health->failed += !good;
	if (!good)
		set_out(health, target->target, status ? "It answered that it is not available." : reason);
	else if (target->service == TRUNK_OUT_OF_SERVICE && target->good == 0)
		target->good = 1;
	else if (target->service != TRUNK_IN_SERVICE)
		set_in(health, target->target);
	if (first && good)
		timer_start(loop, &target->due, 1 + random_below(health, target->trunk->interval_ms));
	else
		next_check(target);
}

static void check_response(void *user, struct sip_client_transaction *transaction, const struct sip_message *response)
{
	(void)transaction;
	if (response->status >= 200)
		check_over(user, response->status, NULL);
}

static void check_failed(void *user, struct sip_client_transaction *transaction, unsigned status)
{
	(void)transaction;
	check_over(user, 0, status == 408 ? "It does not answer." : "It cannot be connected to.");
}

static const struct sip_client_handlers check_handlers = {.response = check_response, .failed = check_failed};

static bool write_options(const struct health_target *target, const struct trunk *trunk, const struct flow *flow,
			  struct str branch, struct writer *w)
{
	struct sip_endpoint *endpoint = target->health->endpoint;
	char uri[URI_MAX], remote[URI_MAX], local[URI_MAX];
	struct writer to = writer_into(remote, sizeof remote), from = writer_into(local, sizeof local),
		      request_uri = writer_into(uri, sizeof uri);
	char lines[LINES_MAX];
	struct writer extra = writer_into(lines, sizeof lines);
	struct sip_dialog dialog;

	trunk_write_uri(trunk, STR_NONE, &request_uri);
	writer_text(&to, "<sip:");
	trunk_write_host(trunk, &to);
	writer_char(&to, '>');
	writer_text(&from, "<sip:");
	if (!trunk_is_teams(trunk)) { // which is asked by a server, not by anybody there
		sip_write_user(&from, str_empty(trunk->username) ? STR("carillon") : trunk->username);
		writer_char(&from, '@');
	}
	writer_str(&from, str_empty(trunk->own_host) ? endpoint->host : trunk->own_host);
	writer_char(&from, '>');
	const struct dialog_start start = {
	    .target = writer_result(&request_uri),
	    .local = writer_result(&from),
	    .remote = writer_result(&to),
	    .flow = *flow,
	    .own_name = trunk_own_name(endpoint, trunk),
	};
	struct request_draft draft = {
	    .method = SIP_OPTIONS,
	    .cseq = 1,
	    .max_forwards = 70,
	    .branch = branch,
	};
	bool written = !to.overflow && !from.overflow && !request_uri.overflow &&
		       dialog_start_client(&dialog, endpoint->loop, &start);
	if (written) {
		dialog.is_nobody = trunk_is_teams(trunk);
		writer_text(&extra, SIP_ACCEPT_LINE);
		if (trunk_is_teams(trunk)) // from here it learns whether we take REFER and NOTIFY
			writer_text(&extra, SIP_ALLOW_LINE);
		trunk_write_product(trunk, &extra);
		dialog_write_contact(&dialog, endpoint->transport, flow, &extra);
		draft.extra = writer_result(&extra);
		written = !extra.overflow && dialog_write_request(&dialog, endpoint->transport, flow, &draft, w);
	}
	dialog_clear(&dialog);
	return written;
}

static void check_begin(struct health_target *target)
{
	struct sip_endpoint *endpoint = target->health->endpoint;
	const struct trunk *trunk = directory_trunk(endpoint->directory, target->trunk->trunk_id);
	char branch[SIP_BRANCH_SIZE + 1], text[DIALOG_REQUEST_MAX];
	struct writer w = writer_into(text, sizeof text);
	struct sip_client_request request = {.method = SIP_OPTIONS, .large = SIP_LARGE_BY_TCP};

	target->sent_ms = loop_now_ms(endpoint->loop);
	if (!trunk || !sip_transport_flow_to(endpoint->transport, target->target.transport, &target->target.address,
					     &request.flow)) {
		check_over(target, 0, "No listener of this server speaks its transport and address family.");
		return;
	}
	if (target->target.transport == TRANSPORT_TLS)
		request.flow.name = trunk_flow_name(endpoint, trunk, str_of(target->host));
	sip_branch_new(endpoint->loop, branch);
	request.branch = str_of(branch);
	if (write_options(target, trunk, &request.flow, request.branch, &w)) {
		request.bytes = writer_result(&w);
		target->transaction = sip_client_start(endpoint->transactions, &request, &check_handlers, target);
	}
	if (target->transaction)
		timer_start(endpoint->loop, &target->due, TRUNK_HEALTH_SILENCE_MS);
	else
		next_check(target); // no memory says nothing of the target
}

static void due(struct timer *timer)
{
	struct health_target *target = container_of(timer, struct health_target, due);
	struct sip_target copy = target->target;

	if (target->transaction) {
		sip_client_forget(target->transaction);
		check_over(target, 0, "It does not answer.");
	} else if (target->trunk->interval_ms) {
		check_begin(target);
	} else {
		set_service(target->health, &copy, TRUNK_UNKNOWN, NULL); // a call may try it again
	}
}

// ---- what is known of a trunk

// Nobody says any more that it is back, so nobody says that it is out.
static void release(struct trunk_health *health, const struct sip_target target)
{
	if (is_checked(health, &target))
		return;
	tell_resolver(health, &target, TARGET_ALIVE, 0);
	set_service(health, &target, TRUNK_UNKNOWN, NULL);
}

static void target_free(struct health_target *target)
{
	struct trunk_health *health = target->health;
	const struct sip_target copy = target->target;
	bool was_out = target->service == TRUNK_OUT_OF_SERVICE;

	if (target->transaction)
		sip_client_forget(target->transaction);
	timer_stop(&target->due);
	list_remove(&target->node);
	free(target);
	if (was_out)
		release(health, copy);
}

static void target_add(struct trunk_health *health, struct health_trunk *trunk, const struct sip_target *address,
		       struct str host)
{
	struct health_target *target = calloc(1, sizeof *target);

	if (!target) {
		log_error("trunk_health_out_of_memory", LOG_UINT("trunk", trunk->trunk_id));
		return;
	}
	target->health = health;
	target->trunk = trunk;
	target->target = *address;
	memcpy(target->host, host.at, host.length); // a name's or an address's length
	target->round_trip_ms = -1;
	target->since = (int64_t)loop_time_ms(health->endpoint->loop);
	timer_init(&target->due, due);
	// What another trunk knows of it is true here as well.
	list_each (node, following, &health->trunks) {
		const struct health_trunk *other = container_of(node, struct health_trunk, node);
		const struct health_target *known = other == trunk ? NULL : target_find(other, address);
		if (known) {
			target->service = known->service;
			target->reason = known->reason;
			target->since = known->since;
		}
	}
	list_append(&trunk->targets, &target->node);
	next_check(target);
}

static bool lookup_has(const struct sip_lookup *lookup, const struct sip_target *target)
{
	for (unsigned i = 0; i < lookup->count; i++)
		if (sip_target_equal(&lookup->targets[i], target))
			return true;
	return false;
}

static void interval_set(struct trunk_health *health, struct health_trunk *trunk, uint64_t interval_ms)
{
	if (trunk->interval_ms == interval_ms)
		return;
	trunk->interval_ms = interval_ms;
	list_each (node, following, &trunk->targets) {
		struct health_target *target = container_of(node, struct health_target, node);
		if (target->transaction)
			sip_client_forget(target->transaction);
		target->transaction = NULL;
		target->looked = false;
		if (!interval_ms && target->service == TRUNK_OUT_OF_SERVICE)
			release(health, target->target);
		next_check(target);
	}
}

static struct health_trunk *trunk_get(struct trunk_health *health, uint64_t trunk_id)
{
	struct health_trunk *trunk = trunk_find(health, trunk_id);

	if (trunk)
		return trunk;
	trunk = calloc(1, sizeof *trunk);
	if (!trunk) {
		log_error("trunk_health_out_of_memory", LOG_UINT("trunk", trunk_id));
		return NULL;
	}
	trunk->trunk_id = trunk_id;
	list_init(&trunk->targets);
	list_append(&health->trunks, &trunk->node);
	return trunk;
}

void trunk_health_know(struct trunk_health *health, const struct trunk *entity, const struct sip_lookup *lookup)
{
	struct health_trunk *trunk = trunk_get(health, entity->entity.id);

	if (!trunk)
		return;
	interval_set(health, trunk, (uint64_t)entity->options_interval_s * 1000);
	list_each (node, following, &trunk->targets) {
		struct health_target *target = container_of(node, struct health_target, node);
		if (!lookup_has(lookup, &target->target))
			target_free(target);
	}
	for (unsigned i = 0; i < lookup->count; i++)
		if (!target_find(trunk, &lookup->targets[i]))
			target_add(health, trunk, &lookup->targets[i], sip_lookup_host(lookup, &lookup->targets[i]));
	if (trunk->service != service_of(trunk))
		trunk_look(health, trunk);
}

static void trunk_free(struct health_trunk *trunk)
{
	list_remove(&trunk->node); // first: what it knows holds for nobody any more
	list_each (node, following, &trunk->targets)
		target_free(container_of(node, struct health_target, node));
	free(trunk);
}

void trunk_health_forget(struct trunk_health *health, uint64_t trunk_id)
{
	struct health_trunk *trunk = trunk_find(health, trunk_id);
	if (trunk)
		trunk_free(trunk);
}

// ---- what calls find

// Somebody looks soon, whatever was planned.
static void check_soon(struct trunk_health *health, const struct sip_target *target)
{
	list_each (node, following, &health->trunks) {
		struct health_target *known = target_find(container_of(node, struct health_trunk, node), target);
		if (known && !known->transaction)
			next_check(known);
	}
}

static void unchecked_note(struct trunk_health *health, struct health_target *known, enum target_health what,
			   uint64_t duration_ms)
{
	const struct sip_target target = known->target;

	tell_resolver(health, &target, what, duration_ms);
	if (what == TARGET_DEAD) {
		set_service(health, &target, TRUNK_OUT_OF_SERVICE, "A call found it silent.");
		timer_start(health->endpoint->loop, &known->due, duration_ms);
	} else if (what == TARGET_ALIVE) {
		timer_stop(&known->due);
		set_service(health, &target, TRUNK_IN_SERVICE, NULL);
	}
}

void trunk_health_note(struct trunk_health *health, uint64_t trunk_id, const struct sip_target *target,
		       enum target_health what, uint64_t duration_ms)
{
	struct health_trunk *trunk = trunk_find(health, trunk_id);
	struct health_target *known = trunk ? target_find(trunk, target) : NULL;

	if (!known) {
		tell_resolver(health, target, what, duration_ms);
	} else if (!is_checked(health, target)) {
		unchecked_note(health, known, what, duration_ms);
	} else if (what == TARGET_DEAD) {
		known->looked = true;
		set_out(health, known->target, "A call found it silent.");
		check_soon(health, target);
	} else if (known->service != TRUNK_OUT_OF_SERVICE) { // a late word of one that is out is no check
		tell_resolver(health, target, what, duration_ms);
		if (what == TARGET_ALIVE && known->service == TRUNK_UNKNOWN)
			set_service(health, &known->target, TRUNK_IN_SERVICE, NULL);
	}
}

// ---- what is shown

static void target_describe(const struct health_target *target, struct trunk_target_state *state)
{
	struct writer w = writer_into(state->address, sizeof state->address - 1);

	net_address_write(&w, &target->target.address);
	state->address[w.used] = '\0';
	memcpy(state->host, target->host, sizeof target->host);
	state->transport = transport_names[target->target.transport];
	state->service = target->service;
	state->reason = target->reason;
	state->last_status = target->last_status;
	state->round_trip_ms = target->round_trip_ms;
	state->checked_at = target->checked_at;
	state->since = target->since;
}

void trunk_health_describe(const struct trunk_health *health, uint64_t trunk_id, struct trunk_state *state)
{
	const struct health_trunk *trunk = trunk_find(health, trunk_id);

	state->trunk_id = trunk_id;
	state->service = trunk ? trunk->service : TRUNK_UNKNOWN;
	state->reason = NULL;
	state->target_count = 0;
	if (!trunk)
		return;
	if (list_empty(&trunk->targets))
		state->reason = "Its host stands for no address.";
	else if (trunk->service == TRUNK_OUT_OF_SERVICE)
		state->reason = "None of its targets is in service.";
	list_each (node, following, &trunk->targets)
		if (state->target_count < TRUNK_STATE_TARGETS_MAX)
			target_describe(container_of(node, const struct health_target, node),
					&state->targets[state->target_count++]);
}

struct trunk_health_counters trunk_health_count(const struct trunk_health *health)
{
	struct trunk_health_counters counters = {.checks = health->checks, .failed = health->failed};

	list_each (node, following, &health->trunks) {
		const struct health_trunk *trunk = container_of(node, const struct health_trunk, node);
		counters.trunks_out_of_service += trunk->service == TRUNK_OUT_OF_SERVICE;
		list_each (inner, behind, &trunk->targets) {
			counters.targets++;
			counters.out_of_service +=
			    container_of(inner, const struct health_target, node)->service == TRUNK_OUT_OF_SERVICE;
		}
	}
	return counters;
}

// ---- life

struct trunk_health *trunk_health_create(struct sip_endpoint *endpoint)
{
	struct trunk_health *health = calloc(1, sizeof *health);

	if (!health)
		return NULL;
	health->endpoint = endpoint;
	list_init(&health->trunks);
	return health;
}

void trunk_health_destroy(struct trunk_health *health)
{
	if (!health)
		return;
	list_each (node, following, &health->trunks)
		trunk_free(container_of(node, struct health_trunk, node));
	free(health);
}
