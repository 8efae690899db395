// Metrics as Prometheus reads them: the text format, one value each.
#ifndef METRICS_H
#define METRICS_H

#include "domain/call_quality.h"
#include "domain/media_relay.h"
#include "domain/toll.h"
#include "sip/endpoint.h"

// `type` is gauge or counter; the name goes out as carillon_<name>.
void metric(struct writer *w, const char *name, const char *type, const char *help, uint64_t value);
void metrics_write_limits(const struct sip_limits_counters *limits, struct writer *w);
// For each trunk that registers, whether it is registered. On the call thread.
void metrics_write_registrations(const struct sip_endpoint *endpoint, const struct directory *directory,
				 struct writer *w);
void metrics_write_trunks(const struct trunk_health_counters *trunks, struct writer *w);
enum trunk_metric {
	TRUNK_METRIC_OUT,
	TRUNK_METRIC_LEGS,
	TRUNK_METRIC_LEGS_MAX,
	TRUNK_METRIC_BEGUN,
	TRUNK_METRIC_REFUSED,
	TRUNK_METRIC_OWN_NUMBER,
	TRUNK_METRIC_COUNT
};
// One value of a trunk, with its title as the label `trunk`; what it means comes before the first.
void metrics_begin_trunk(enum trunk_metric metric, struct writer *w);
void metrics_write_trunk(enum trunk_metric metric, struct str title, const struct trunk_state *state, struct writer *w);
void metrics_write_toll(const struct toll *toll, struct writer *w);
// As a histogram of mean opinion scores.
void metrics_write_quality(const struct mos_counters *heard, struct writer *w);
// Each with its name as the label `relay`.
void metrics_write_relays(const struct media_relay_state *relays, size_t count, struct writer *w);
void metrics_write_overload(const struct sip_overload_counters *overload, struct writer *w);

#endif
