// The metrics of whole parts of the server, as Prometheus reads them.
#include "metrics.h"

#include <inttypes.h>

void metric(struct writer *w, const char *name, const char *type, const char *help, uint64_t value)
{
	writer_format(w, "# HELP carillon_%s %s\n# TYPE carillon_%s %s\ncarillon_%s %" PRIu64 "\n", name, help, name,
		      type, name, value);
}

void metrics_write_limits(const struct sip_limits_counters *limits, struct writer *w)
{
	metric(w, "sip_sources_banned", "gauge", "Addresses banned now.", limits->banned);
	metric(w, "sip_bans_total", "counter", "Addresses banned for wrong passwords.", limits->bans);
	metric(w, "sip_waits_total", "counter", "Devices that had to wait after wrong passwords.", limits->waits);
	metric(w, "sip_dropped_banned_total", "counter", "Messages of banned addresses dropped unread.",
	       limits->dropped_banned);
	metric(w, "sip_dropped_over_limit_total", "counter", "Requests dropped unread, over their limit.",
	       limits->dropped_over_limit);
	metric(w, "sip_refused_devices_total", "counter", "Requests of devices over their own limit: 503.",
	       limits->refused_devices);
	metric(w, "sip_refused_connections_total", "counter", "Connections of banned addresses, or over their limit.",
	       limits->refused_connections);
	metric(w, "sip_sources", "gauge", "Addresses that the limits remember.", limits->sources);
	metric(w, "sip_known_flows", "gauge", "Ports of devices that have authenticated.", limits->flows);
}

void metrics_write_trunks(const struct trunk_health_counters *trunks, struct writer *w)
{
	metric(w, "trunks_out_of_service", "gauge", "Trunks none of whose targets is in service.",
	       trunks->trunks_out_of_service);
	metric(w, "trunk_targets", "gauge", "Targets of trunks.", trunks->targets);
	metric(w, "trunk_targets_out_of_service", "gauge", "Those that calls are not sent to.", trunks->out_of_service);
	metric(w, "trunk_checks_total", "counter", "OPTIONS to targets of trunks that have ended.", trunks->checks);
	metric(w, "trunk_checks_failed_total", "counter", "Those without a good answer.", trunks->failed);
}

static const struct {
	const char *name, *type, *help;
} trunk_metrics[TRUNK_METRIC_COUNT] = {
    [TRUNK_METRIC_OUT] = {"trunk_out_of_service", "gauge", "1 while none of its targets is in service."},
    [TRUNK_METRIC_LEGS] = {"trunk_legs", "gauge", "Legs now, in both directions."},
    [TRUNK_METRIC_LEGS_MAX] = {"trunk_legs_max", "gauge", "Legs that it may carry at once; 0: no limit."},
    [TRUNK_METRIC_BEGUN] = {"trunk_legs_total", "counter", "Legs that have begun."},
    [TRUNK_METRIC_REFUSED] = {"trunk_legs_refused_total", "counter", "Legs refused for its limits."},
    [TRUNK_METRIC_OWN_NUMBER] = {"trunk_own_number_only", "gauge",
				 "1 while own numbers are shown at once, others refused."},
};

void metrics_begin_trunk(enum trunk_metric metric, struct writer *w)
{
	writer_format(w, "# HELP carillon_%s %s\n# TYPE carillon_%s %s\n", trunk_metrics[metric].name,
		      trunk_metrics[metric].help, trunk_metrics[metric].name, trunk_metrics[metric].type);
}

static uint64_t trunk_value(enum trunk_metric metric, const struct trunk_state *state)
{
	switch (metric) {
	case TRUNK_METRIC_OUT:
		return state->service == TRUNK_OUT_OF_SERVICE;
	case TRUNK_METRIC_LEGS:
		return state->legs;
	case TRUNK_METRIC_LEGS_MAX:
		return (uint64_t)state->legs_max;
	case TRUNK_METRIC_BEGUN:
		return state->legs_begun;
	case TRUNK_METRIC_REFUSED:
		return state->legs_refused;
	case TRUNK_METRIC_OWN_NUMBER:
		return state->own_number_until != 0;
	case TRUNK_METRIC_COUNT:
		break;
	}
	return 0;
}

void metrics_write_trunk(enum trunk_metric metric, struct str title, const struct trunk_state *state, struct writer *w)
{
	writer_format(w, "carillon_%s{trunk=\"", trunk_metrics[metric].name);
	for (size_t i = 0; i < title.length; i++) { // a label's value, as the text format escapes it
		if (title.at[i] == '"' || title.at[i] == '\\')
			writer_char(w, '\\');
		writer_char(w, title.at[i] == '\n' ? ' ' : title.at[i]);
	}
	writer_format(w, "\"} %" PRIu64 "\n", trunk_value(metric, state));
}

// A label's value, as Prometheus reads it.
static void write_label(struct writer *w, struct str text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			writer_char(w, '\\');
		writer_char(w, text.at[i] == '\n' ? ' ' : text.at[i]);
	}
}

void metrics_write_registrations(const struct sip_endpoint *endpoint, const struct directory *directory,
				 struct writer *w)
{
	struct trunk_state state;

	writer_text(w, "# HELP carillon_trunk_registered 1 while the carrier sends calls of the trunk here.\n"
		       "# TYPE carillon_trunk_registered gauge\n");
	for (const struct trunk *trunk = directory_trunk_after(directory, NULL); trunk;
	     trunk = directory_trunk_after(directory, trunk)) {
		sip_endpoint_trunk_state(endpoint, trunk->entity.id, &state);
		if (state.registration.status == TRUNK_REGISTRATION_OFF)
			continue;
		writer_format(w, "carillon_trunk_registered{trunk=\"%" PRIu64 "\",title=\"", trunk->entity.id);
		write_label(w, trunk->title);
		writer_format(w, "\"} %d\n", state.registration.registered_until != 0);
	}
}

enum relay_metric {
	RELAY_UP,
	RELAY_SESSIONS,
	RELAY_LATENCY,
	RELAY_COMMANDS,
	RELAY_RETRANSMISSIONS,
	RELAY_TIMEOUTS,
	RELAY_METRIC_COUNT
};
static const struct {
	const char *name, *type, *help;
} relay_metrics[RELAY_METRIC_COUNT] = {
    [RELAY_UP] = {"media_relay_up", "gauge", "1 while it answers."},
    [RELAY_SESSIONS] = {"media_relay_sessions", "gauge", "Pairs of legs on it now."},
    [RELAY_LATENCY] = {"media_relay_latency_microseconds", "gauge", "Of the last check that was answered."},
    [RELAY_COMMANDS] = {"media_relay_commands_total", "counter", "Commands sent to it, checks among them."},
    [RELAY_RETRANSMISSIONS] = {"media_relay_retransmissions_total", "counter", "Commands sent again."},
    [RELAY_TIMEOUTS] = {"media_relay_timeouts_total", "counter", "Commands without an answer."},
};

static uint64_t relay_value(enum relay_metric metric, const struct media_relay_state *relay)
{
	switch (metric) {
	case RELAY_UP:
		return relay->up;
	case RELAY_SESSIONS:
		return relay->sessions;
	case RELAY_LATENCY:
		return relay->latency_us < 0 ? 0 : (uint64_t)relay->latency_us;
	case RELAY_COMMANDS:
		return relay->commands;
	case RELAY_RETRANSMISSIONS:
		return relay->retransmissions;
	case RELAY_TIMEOUTS:
		return relay->timeouts;
	case RELAY_METRIC_COUNT:
		break;
	}
	return 0;
}

void metrics_write_relays(const struct media_relay_state *relays, size_t count, struct writer *w)
{
	for (enum relay_metric metric = 0; count > 0 && metric < RELAY_METRIC_COUNT; metric++) {
		writer_format(w, "# HELP carillon_%s %s\n# TYPE carillon_%s %s\n", relay_metrics[metric].name,
			      relay_metrics[metric].help, relay_metrics[metric].name, relay_metrics[metric].type);
		for (size_t i = 0; i < count; i++) {
			writer_format(w, "carillon_%s{relay=\"", relay_metrics[metric].name);
			write_label(w, str_of(relays[i].name));
			writer_format(w, "\"} %" PRIu64 "\n", relay_value(metric, &relays[i]));
		}
	}
}

void metrics_write_overload(const struct sip_overload_counters *overload, struct writer *w)
{
	metric(w, "sip_overload", "gauge", "1 while some new requests are sent away.", overload->overloaded);
	metric(w, "sip_overload_total", "counter", "Times that it began.", overload->episodes);
	metric(w, "sip_overload_refused_calls_total", "counter", "New calls sent away.", overload->refused_calls);
	metric(w, "sip_overload_refused_registers_total", "counter", "Registrations sent away.",
	       overload->refused_registers);
	metric(w, "sip_busy_percent", "gauge", "Of the call thread's time, when requests came last.",
	       overload->busy_percent);
	metric(w, "sip_admitted_percent", "gauge", "Of the new calls.", overload->admitted_percent);
}

void metrics_write_toll(const struct toll *toll, struct writer *w)
{
	struct toll_counters counters = toll_count(toll);

	metric(w, "outside_legs", "gauge", "Legs to the outside now, without emergencies.", counters.legs);
	metric(w, "outside_legs_total", "counter", "Legs to the outside that began.", counters.begun);
	metric(w, "outside_legs_refused_total", "counter", "Those that toll protection refused.", counters.refused);
	metric(w, "toll_alarms", "gauge", "Limits of calls to the outside that are reached or near.", counters.alarms);
}

void metrics_write_quality(const struct mos_counters *heard, struct writer *w)
{
	static const char name[] = "carillon_leg_mos";

	writer_format(w, "# HELP %s Mean opinion scores of legs that the media relay carried.\n# TYPE %s histogram\n",
		      name, name);
	for (size_t i = 0; i < MOS_BOUND_COUNT; i++)
		writer_format(w, "%s_bucket{le=\"%u.%02u\"} %" PRIu64 "\n", name, mos_bounds[i] / 100,
			      mos_bounds[i] % 100, heard->at_most[i]);
	writer_format(w, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 ".%02u\n%s_count %" PRIu64 "\n", name,
		      heard->count, name, heard->sum_hundred / 100, (unsigned)(heard->sum_hundred % 100), name,
		      heard->count);
}
