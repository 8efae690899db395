// Subscriptions from the inside, for the two files that make them up: subscription.c takes and ends them, subscription_notify.c
// tells them.
#ifndef SIP_SUBSCRIPTION_PRIVATE_H
#define SIP_SUBSCRIPTION_PRIVATE_H

#include "sip/dialog.h"
#include "sip/subscription.h"

enum {
	NOTIFY_GAP_MS = 1000
}; // not sooner after the one before, but for the first and the last (RFC 6665 section 4.2.2)

enum event_package { EVENT_DIALOG, EVENT_MESSAGE_SUMMARY, EVENT_PACKAGE_COUNT };

enum subscription_state {
	SUBSCRIPTION_ACTIVE,
	SUBSCRIPTION_ENDING, // the last NOTIFY is to be sent, or under way
};

struct subscriptions {
	struct sip_endpoint *endpoint;
	struct subscriptions_settings settings;
	struct pool pool, subscribers_pool;
	struct hash_table *by_tag;
	struct hash_table *subscribers; // by device
	uint64_t notifies, refused;
};

// A device that subscribes.
struct subscriber {
	struct hash_node node;
	uint64_t device_id;
	unsigned count;
	struct list subscriptions; // the oldest first
};

struct subscription {
	struct subscriptions *owner;
	struct subscriber *subscriber;
	struct list node;        // among the subscriber's
	struct hash_node by_tag; // our tag
	enum event_package package;
	enum subscription_state state; // written by subscription_end alone
	const char *ending;            // ENDING: the reason, as Subscription-State has it
	struct sip_dialog dialog;
	struct loss_watch flow;
	struct str resource;                   // owned: the URI that was subscribed to
	struct str extension;                  // owned
	struct str event_id;                   // owned: Event's id parameter, or empty
	struct lamp_watch watch;               // EVENT_DIALOG
	struct sip_client_transaction *notify; // the one under way, or NULL
	bool changed;                          // something may be there to tell
	bool due;                              // a NOTIFY is, whether it tells anything new or not
	uint64_t notified_ms;                  // loop_now_ms of the last one; 0: none
	uint64_t told;                         // hash of what it told
	unsigned version;                      // of the next one
	struct timer tell;                     // the next NOTIFY
	struct timer expiry;
	uint64_t expires_at_ms; // loop_now_ms
};

// ---- subscription.c

// Says so with a last NOTIFY, then is gone. `reason` is static text.
void subscription_end(struct subscription *subscription, const char *reason);
void subscription_free(struct subscription *subscription);

// ---- subscription_notify.c

// Whether it may go on: the extension is there, and its device has a holder. NULL, or the reason why not.
const char *subscription_forbidden(const struct subscription *subscription);
// Sends a NOTIFY as soon as may be.
void subscription_tell(struct subscription *subscription);
void subscription_tell_timer(struct timer *timer);
// One NOTIFY that the subscription is over, for now; nobody waits for its answer.
void subscription_tell_stop(struct subscription *subscription);

#endif
