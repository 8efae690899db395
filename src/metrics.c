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
