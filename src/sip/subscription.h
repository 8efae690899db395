// Subscriptions of phones (RFC 6665): to the busy lamp of an extension (RFC 4235) and to their messages waiting (RFC 3842), of
// which there are none here. Nothing of it is kept over a restart: at an orderly end each phone is told to come again.
#ifndef SIP_SUBSCRIPTION_H
#define SIP_SUBSCRIPTION_H

#include "sip/core.h"

#define SIP_ALLOW_EVENTS_LINE "Allow-Events: dialog, message-summary\r\n"

struct subscriptions;

struct subscriptions_settings {
	unsigned min_s, max_s;    // of one that is asked for longer: cut
	unsigned per_device, max; // at once
	bool nameless;            // lamps do not tell who calls whom
};
// What is 0 gets its default.
struct subscriptions *subscriptions_create(struct sip_endpoint *endpoint,
					   const struct subscriptions_settings *settings);
// Other figures from now on; subscriptions that are there go on.
void subscriptions_change(struct subscriptions *subscriptions, const struct subscriptions_settings *settings);
// Each one is told with one NOTIFY that nobody waits for, and forgotten. While the call table is still there.
void subscriptions_stop(struct subscriptions *subscriptions);
void subscriptions_destroy(struct subscriptions *subscriptions);

// A SUBSCRIBE outside any dialog.
void subscription_received(struct subscriptions *subscriptions, const struct flow *from,
			   const struct sip_message *request);
// A request in the dialog of a subscription. False: it is in none.
bool subscription_received_inside(struct subscriptions *subscriptions, const struct flow *from,
				  const struct sip_message *request);
// The device is gone, or has a new password: its subscriptions end.
void subscriptions_end_of_device(struct subscriptions *subscriptions, uint64_t device_id);

struct subscriptions_counters {
	uint32_t subscriptions; // now
	uint64_t notifies;      // sent
	uint64_t refused;       // over a limit
};
struct subscriptions_counters subscriptions_count(const struct subscriptions *subscriptions);

#endif
