// How things are: the metrics, what the status has of the adapters, the trunks' states.
#include "base/log.h"
#include "metrics.h"
#include "server.h"

void trunk_state_write(void *context, uint64_t trunk_id, struct trunk_state *state)
{
	struct server *server = context;

	const struct trunk *trunk = directory_trunk(server->directory, trunk_id);
	struct trunk_use_counters use = call_table_trunk_use(server->calls, trunk_id);

	sip_endpoint_trunk_state(server->endpoint, trunk_id, state);
	state->legs = use.legs;
	state->legs_begun = use.begun;
	state->legs_refused = use.refused_full + use.refused_paced;
	state->legs_max = trunk ? trunk->legs_max : 0;
	state->legs_per_s = trunk ? trunk->legs_per_s : 0;
	state->own_number_until = trunk ? call_table_own_number_until(server->calls, trunk) : 0;
}

// For each trunk by its title.
static void trunk_metrics_write(struct server *server, struct writer *w)
{
	struct trunk_state state;

	for (enum trunk_metric metric = 0; metric < TRUNK_METRIC_COUNT; metric++) {
		metrics_begin_trunk(metric, w);
		for (const struct trunk *trunk = directory_trunk_after(server->directory, NULL); trunk;
		     trunk = directory_trunk_after(server->directory, trunk)) {
			trunk_state_write(server, trunk->entity.id, &state);
			metrics_write_trunk(metric, trunk->title, &state, w);
		}
	}
}

static size_t relays_look(const struct server *server, struct media_relay_state relays[MEDIA_RELAYS_MAX])
{
	return server->rtpengine ? rtpengine_status(server->rtpengine, relays) : 0;
}

void metrics_write(void *context, struct writer *w)
{
	struct server *server = context;
	struct sip_endpoint_counters sip = sip_endpoint_count(server->endpoint);
	struct store_counters store = store_count(server->store);

	metric(w, "calls", "gauge", "Calls now.", call_table_count(server->calls));
	metric(w, "registrations", "gauge", "Bindings now.", registrations_count(server->registrations));
	metric(w, "sip_messages_received_total", "counter", "SIP messages received.", sip.transport.received);
	metric(w, "sip_messages_sent_total", "counter", "SIP messages sent.", sip.transport.sent);
	metric(w, "sip_messages_broken_total", "counter", "Messages that did not parse.", sip.transport.broken);
	metric(w, "sip_connections", "gauge", "SIP connections now.", sip.transport.connections);
	metric(w, "tls_handshakes_total", "counter", "TLS connections of SIP secured.", sip.transport.handshakes);
	metric(w, "tls_handshakes_failed_total", "counter", "TLS connections of SIP that could not be secured.",
	       sip.transport.handshakes_failed);
	metric(w, "tls_certificate_ends_seconds", "gauge", "When our certificate ends, since 1970; 0: there is none.",
	       (uint64_t)tls_certificate_ends_s(server->tls));
	metric(w, "sip_retransmissions_total", "counter", "Messages sent again.", sip.transactions.retransmissions);
	metric(w, "sip_timeouts_total", "counter", "Transactions without an answer.", sip.transactions.timeouts);
	metric(w, "sip_targets_out_of_order", "gauge", "Servers of trunks that are left out for now.",
	       sip.resolver.dead);
	metrics_write_trunks(&sip.trunks, w);
	metrics_write_registrations(server->endpoint, server->directory, w);
	trunk_metrics_write(server, w);
	metric(w, "dns_questions_total", "counter", "Questions to name servers.", sip.resolver.cache.asked);
	metric(w, "dns_questions_failed_total", "counter", "Those that nobody answered.", sip.resolver.cache.failed);
	metric(w, "dns_answers_stale_total", "counter", "Old answers used for want of new ones.",
	       sip.resolver.cache.stale);
	metric(w, "dns_cache_entries", "gauge", "Answers in memory.", sip.resolver.cache.entries);
	metric(w, "sip_sessions", "gauge", "SIP sessions in memory.", sip.sessions);
	metric(w, "sip_subscriptions", "gauge", "Subscriptions of phones now: busy lamps and messages waiting.",
	       sip.subscriptions);
	metric(w, "sip_subscriptions_refused_total", "counter", "Subscriptions refused, over their limit.",
	       sip.refused_subscriptions);
	metric(w, "sip_notifies_total", "counter", "NOTIFY requests sent to subscribers.", sip.notifies);
	metric(w, "sip_registers_total", "counter", "REGISTER requests.", sip.registers);
	metric(w, "sip_invites_total", "counter", "INVITE requests.", sip.invites);
	metric(w, "sip_refused_authentication_total", "counter", "Wrong credentials.", sip.refused_authentication);
	metrics_write_limits(&sip.limits, w);
	metrics_write_overload(&sip.overload, w);
	struct media_relay_state relays[MEDIA_RELAYS_MAX];
	metrics_write_relays(relays, relays_look(server, relays), w);
	metrics_write_toll(call_table_toll(server->calls), w);
	metric(w, "store_commits_total", "counter", "Transactions committed.", store.commits);
	metric(w, "store_writes_total", "counter", "Writes committed.", store.writes);
	metric(w, "store_failures_total", "counter", "Transactions that failed.", store.failures);
	metric(w, "store_waiting", "gauge", "Writes waiting.", store.waiting);
	metric(w, "store_records_kept", "gauge", "Call records not written yet.", store.records_kept);
	metrics_write_quality(&store.heard, w);
	metric(w, "log_lines_lost_total", "counter", "Log lines dropped.", log_lost());
}

void status_write(void *context, struct http_status *status)
{
	struct server *server = context;
	struct sip_endpoint_counters sip = sip_endpoint_count(server->endpoint);
	struct store_counters store = store_count(server->store);

	*status = (struct http_status){
	    .certificate_ends_s = tls_certificate_ends_s(server->tls),
	    .banned = (unsigned)sip.limits.banned,
	    .records_waiting = store.records_kept,
	    .records_lost = store.records_lost,
	    .overload = {.now = sip.overload.overloaded,
			 .busy_percent = sip.overload.busy_percent,
			 .admitted_percent = sip.overload.admitted_percent,
			 .refused_calls = sip.overload.refused_calls,
			 .refused_registers = sip.overload.refused_registers},
	};
	status->relay_count = relays_look(server, status->relays);
}
