// Subscriptions: who may have one, for how long, and how they end.
#include "sip/subscription_private.h"

#include "base/log.h"
#include "sip/identity.h"
#include "sip/owned.h"
#include "sip/rules.h"

#include <assert.h>

enum {
	MIN_S_DEFAULT = 60,
	MAX_S_DEFAULT = 3600, // RFC 4235 section 3.4, RFC 3842 section 3.4
	PER_DEVICE_DEFAULT = 200,
	MAX_DEFAULT = 50000,
	EVENT_ID_MAX = 64,
	RETRY_AFTER_LIMIT_S = 300,
};

static void default_to(unsigned *setting, unsigned value)
{
	if (*setting == 0)
		*setting = value;
}

void subscriptions_change(struct subscriptions *subscriptions, const struct subscriptions_settings *settings)
{
	subscriptions->settings = *settings;
	default_to(&subscriptions->settings.min_s, MIN_S_DEFAULT);
	default_to(&subscriptions->settings.max_s, MAX_S_DEFAULT);
	default_to(&subscriptions->settings.per_device, PER_DEVICE_DEFAULT);
	default_to(&subscriptions->settings.max, MAX_DEFAULT);
}

struct subscriptions *subscriptions_create(struct sip_endpoint *endpoint, const struct subscriptions_settings *settings)
{
	struct subscriptions *subscriptions = calloc(1, sizeof *subscriptions);

	if (!subscriptions)
		return NULL;
	subscriptions->endpoint = endpoint;
	subscriptions_change(subscriptions, settings);
	pool_init(&subscriptions->pool, sizeof(struct subscription));
	pool_init(&subscriptions->subscribers_pool, sizeof(struct subscriber));
	subscriptions->by_tag = hash_create();
	subscriptions->subscribers = hash_create();
	if (subscriptions->by_tag && subscriptions->subscribers)
		return subscriptions;
	subscriptions_destroy(subscriptions);
	return NULL;
}

static bool stop_one(struct hash_node *node, void *context)
{
	struct subscription *subscription = container_of(node, struct subscription, by_tag);

	(void)context;
	subscription_tell_stop(subscription);
	subscription_free(subscription);
	return true;
}

void subscriptions_stop(struct subscriptions *subscriptions)
{
	hash_visit(subscriptions->by_tag, stop_one, NULL);
}

void subscriptions_destroy(struct subscriptions *subscriptions)
{
	if (!subscriptions)
		return;
	assert(subscriptions->pool.in_use == 0); // each is stopped before
	hash_destroy(subscriptions->by_tag);
	hash_destroy(subscriptions->subscribers);
	pool_free(&subscriptions->pool);
	pool_free(&subscriptions->subscribers_pool);
	free(subscriptions);
}

struct subscriptions_counters subscriptions_count(const struct subscriptions *subscriptions)
{
	return (struct subscriptions_counters){(uint32_t)subscriptions->pool.in_use, subscriptions->notifies,
					       subscriptions->refused};
}

// ---- who subscribes

static bool same_device(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct subscriber, node)->device_id == *(const uint64_t *)key;
}

static struct subscriber *subscriber_find(const struct subscriptions *subscriptions, uint64_t device_id)
{
	struct hash_node *node = hash_find(subscriptions->subscribers, hash_id(device_id), same_device, &device_id);

	return node ? container_of(node, struct subscriber, node) : NULL;
}

static struct subscriber *subscriber_get(struct subscriptions *subscriptions, uint64_t device_id)
{
	struct subscriber *subscriber = subscriber_find(subscriptions, device_id);

	if (subscriber)
		return subscriber;
	subscriber = pool_take(&subscriptions->subscribers_pool);
	if (!subscriber)
		return NULL;
	subscriber->device_id = device_id;
	list_init(&subscriber->subscriptions);
	if (hash_insert(subscriptions->subscribers, &subscriber->node, hash_id(device_id)))
		return subscriber;
	pool_give(&subscriptions->subscribers_pool, subscriber);
	return NULL;
}

static void subscriber_release(struct subscriptions *subscriptions, struct subscriber *subscriber)
{
	if (subscriber->count > 0)
		return;
	hash_remove(subscriptions->subscribers, &subscriber->node);
	pool_give(&subscriptions->subscribers_pool, subscriber);
}

// ---- life

static void lamp_changed(struct lamp_watch *watch)
{
	struct subscription *subscription = container_of(watch, struct subscription, watch);

	if (subscription->changed)
		return;
	subscription->changed = true;
	subscription_tell(subscription);
}

static void flow_lost(struct loss_watch *flow)
{
	container_of(flow, struct subscription, flow)->dialog.flow.connection = 0;
}

static void expired(struct timer *timer)
{
	subscription_end(container_of(timer, struct subscription, expiry), "timeout");
}

void subscription_free(struct subscription *subscription)
{
	struct subscriptions *owner = subscription->owner;
	struct subscriber *subscriber = subscription->subscriber;

	if (subscription->notify)
		sip_client_forget(subscription->notify);
	timer_stop(&subscription->tell);
	timer_stop(&subscription->expiry);
	list_remove(&subscription->flow.node);
	if (subscription->package == EVENT_DIALOG)
		call_table_unwatch(owner->endpoint->calls, &subscription->watch);
	if (subscription->by_tag.hash != 0)
		hash_remove(owner->by_tag, &subscription->by_tag);
	list_remove(&subscription->node);
	subscriber->count--;
	subscriber_release(owner, subscriber);
	dialog_clear(&subscription->dialog);
	owned_free(&subscription->resource);
	owned_free(&subscription->extension);
	owned_free(&subscription->event_id);
	pool_give(&owner->pool, subscription);
}

void subscription_end(struct subscription *subscription, const char *reason)
{
	if (subscription->state == SUBSCRIPTION_ENDING)
		return;
	subscription->state = SUBSCRIPTION_ENDING;
	subscription->ending = reason;
	subscription->due = true;
	timer_stop(&subscription->expiry);
	subscription_tell(subscription);
}

void subscriptions_end_of_device(struct subscriptions *subscriptions, uint64_t device_id)
{
	struct subscriber *subscriber = subscriber_find(subscriptions, device_id);

	if (!subscriber)
		return;
	list_each (node, following, &subscriber->subscriptions)
		subscription_end(container_of(node, struct subscription, node), "rejected");
}

static struct subscription *subscription_new(struct subscriptions *owner, uint64_t device_id)
{
	struct subscriber *subscriber = subscriber_get(owner, device_id);
	struct subscription *subscription = subscriber ? pool_take(&owner->pool) : NULL;

	if (!subscription) {
		if (subscriber)
			subscriber_release(owner, subscriber);
		return NULL;
	}
	subscription->owner = owner;
	subscription->subscriber = subscriber;
	subscriber->count++;
	list_init(&subscription->node);
	list_append(&subscriber->subscriptions, &subscription->node);
	dialog_init(&subscription->dialog);
	list_init(&subscription->flow.node);
	subscription->flow.lost = flow_lost;
	list_init(&subscription->watch.node);
	subscription->watch.changed = lamp_changed;
	timer_init(&subscription->tell, subscription_tell_timer);
	timer_init(&subscription->expiry, expired);
	return subscription;
}

// ---- what a SUBSCRIBE asks for

struct subscribe_request {
	enum event_package package;
	struct str event_id;
	struct str number; // in `memory`: the user part of the Request-URI
	uint64_t user_id;  // EVENT_DIALOG
	uint64_t device_id;
	unsigned seconds; // 0: only to be told once, or no more
	char memory[SIP_URI_MAX];
};

static void answer_reason(struct subscriptions *subscriptions, const struct flow *from,
			  const struct sip_message *request, unsigned status, struct str reason)
{
	struct sip_response response = {.status = status, .reason = reason};

	sip_respond_once(subscriptions->endpoint->transactions, from, request, &response);
}

static bool read_event(const struct sip_message *request, struct subscribe_request *wanted)
{
	struct str event = sip_header_value(request, SIP_HEADER_EVENT);
	size_t semicolon = str_index(event, ';');
	struct str name = str_trim(str_first(event, semicolon));

	if (str_equal(name, STR("dialog"))) // event packages are compared with case (RFC 6665 section 8.2.1)
		wanted->package = EVENT_DIALOG;
	else if (str_equal(name, STR("message-summary")))
		wanted->package = EVENT_MESSAGE_SUMMARY;
	else
		return false;
	if (!sip_header_parameter(str_from(event, semicolon + 1), STR("id"), &wanted->event_id))
		wanted->event_id = STR_NONE;
	return wanted->event_id.length <= EVENT_ID_MAX;
}

static bool accepts(const struct sip_message *request, enum event_package package)
{
	static const char *const types[] = {"application/dialog-info+xml", "application/simple-message-summary"};
	struct sip_walk walk = {0};
	struct str value;
	bool any = false;

	while (sip_value_next(request, SIP_HEADER_ACCEPT, &walk, &value)) {
		struct str type = str_trim(str_first(value, str_index(value, ';')));
		any = true;
		if (str_equal_nocase(type, str_of(types[package])) || str_equal(type, STR("*/*")) ||
		    str_equal_nocase(type, STR("application/*")))
			return true;
	}
	return !any; // RFC 6665 section 4.1.2.1: then the package's own is meant
}

// False: 423 (RFC 6665 section 4.2.1.1).
static bool read_expires(const struct subscriptions *subscriptions, const struct sip_message *request,
			 struct subscribe_request *wanted)
{
	uint64_t seconds = subscriptions->settings.max_s;

	if (!str_to_uint(sip_header_value(request, SIP_HEADER_EXPIRES), UINT32_MAX, &seconds))
		seconds = subscriptions->settings.max_s;
	wanted->seconds = seconds > subscriptions->settings.max_s ? subscriptions->settings.max_s : (unsigned)seconds;
	return seconds == 0 || seconds >= subscriptions->settings.min_s;
}

// Whose lamp, or whose messages: 0, or the status of the refusal. Messages are each device's own business.
static unsigned find_resource(const struct subscriptions *subscriptions, const struct sip_message *request,
			      struct subscribe_request *wanted)
{
	const struct directory *directory = subscriptions->endpoint->directory;
	const struct device *device = directory_device(directory, wanted->device_id);
	const struct user *holder = directory_holder(directory, wanted->device_id);

	if (!device || !holder)
		return 403;
	if (request->uri.user.length > sizeof wanted->memory ||
	    !sip_unescape(request->uri.user, wanted->memory, &wanted->number) || str_empty(wanted->number))
		return 404;
	const struct user *user = directory_user_by_extension(directory, wanted->number);
	if (wanted->package == EVENT_MESSAGE_SUMMARY) {
		if (str_equal(wanted->number, device->number) || user == holder)
			return 0;
		return user ? 403 : 404;
	}
	wanted->user_id = user ? user->entity.id : 0;
	return user ? 0 : 404;
}

// Common to those outside and within a dialog. False: it has been answered.
static bool subscribe_read(struct subscriptions *subscriptions, const struct flow *from,
			   const struct sip_message *request, struct subscribe_request *wanted)
{
	struct sip_endpoint *endpoint = subscriptions->endpoint;
	struct identity who;

	if (!identity_establish(endpoint, from, request, TRUST_DEVICES, &who))
		return false;
	wanted->device_id = who.id;
	if (!read_event(request, wanted)) {
		sip_endpoint_answer_once(endpoint, from, request, 489, STR(SIP_ALLOW_EVENTS_LINE));
		return false;
	}
	if (!read_expires(subscriptions, request, wanted)) {
		char line[40];
		struct writer w = writer_into(line, sizeof line);
		writer_format(&w, "Min-Expires: %u\r\n", subscriptions->settings.min_s);
		sip_endpoint_answer_once(endpoint, from, request, 423, writer_result(&w));
		return false;
	}
	return true;
}

// ---- taking it

static void answer_busy(struct subscriptions *subscriptions, const struct flow *from, const struct sip_message *request)
{
	sip_endpoint_answer_once(subscriptions->endpoint, from, request, 503, STR("Retry-After: 5\r\n"));
}

// The 200 first, then a NOTIFY of all there is (RFC 6665 section 4.2.1.2). False: refused for want of memory.
static bool subscribe_accept(struct subscription *subscription, const struct flow *from,
			     const struct sip_message *request, unsigned seconds)
{
	struct sip_endpoint *endpoint = subscription->owner->endpoint;
	char lines[512];
	struct writer w = writer_into(lines, sizeof lines);
	struct sip_server_transaction *transaction =
	    sip_server_start(endpoint->transactions, from, request, NULL, NULL);

	if (!transaction) {
		answer_busy(subscription->owner, from, request);
		return false;
	}
	writer_format(&w, "Expires: %u\r\n", seconds);
	dialog_write_contact(&subscription->dialog, endpoint->transport, from, &w);
	const struct sip_response response = {
	    .status = 200, .to_tag = subscription->dialog.local_tag, .extra = writer_result(&w)};
	bool accepted = !w.overflow && sip_server_respond(transaction, &response) == 0;
	sip_server_forget(transaction); // answers 500 where that failed
	if (!accepted)
		return false;
	subscription->due = true;
	subscription->expires_at_ms = loop_now_ms(endpoint->loop) + (uint64_t)seconds * 1000;
	if (seconds == 0) {
		subscription_end(subscription, "timeout");
	} else {
		timer_start(endpoint->loop, &subscription->expiry, (uint64_t)seconds * 1000);
		subscription_tell(subscription);
	}
	return true;
}

static void follow_flow(struct subscription *subscription, const struct flow *from)
{
	struct sip_endpoint *endpoint = subscription->owner->endpoint;

	subscription->dialog.flow = *from;
	list_remove(&subscription->flow.node);
	if (from->connection != 0 && !sip_transport_watch(endpoint->transport, from->connection, &subscription->flow))
		subscription->dialog.flow.connection = 0;
}

static bool write_resource(struct subscription *subscription, const struct sip_message *request)
{
	char text[SIP_URI_MAX];
	struct writer w = writer_into(text, sizeof text);

	writer_text(&w, "sip:");
	writer_str(&w, request->uri.user);
	writer_char(&w, '@');
	if (request->uri.host_is_ipv6)
		writer_char(&w, '[');
	writer_str(&w, request->uri.host);
	if (request->uri.host_is_ipv6)
		writer_char(&w, ']');
	return !w.overflow && owned_set(&subscription->resource, writer_result(&w));
}

// False when there is no memory.
static bool fill(struct subscription *subscription, const struct flow *from, const struct sip_message *request,
		 const struct subscribe_request *wanted)
{
	struct sip_endpoint *endpoint = subscription->owner->endpoint;

	subscription->package = wanted->package;
	subscription->watch.user_id = wanted->user_id;
	if (!dialog_start_server(&subscription->dialog, endpoint->loop, request, from) ||
	    !write_resource(subscription, request) || !owned_set(&subscription->extension, wanted->number) ||
	    !owned_set(&subscription->event_id, wanted->event_id) ||
	    !hash_insert(subscription->owner->by_tag, &subscription->by_tag, hash_str(subscription->dialog.local_tag)))
		return false;
	follow_flow(subscription, from);
	return wanted->package != EVENT_DIALOG || call_table_watch(endpoint->calls, &subscription->watch);
}

// A phone that has been restarted has forgotten its dialogs; each of its lamps is to count once.
static void drop_forgotten(struct subscriber *subscriber, const struct subscription *fresh)
{
	list_each (node, following, &subscriber->subscriptions) {
		struct subscription *old = container_of(node, struct subscription, node);
		if (old != fresh && old->package == fresh->package && str_equal(old->extension, fresh->extension) &&
		    str_equal(old->event_id, fresh->event_id) && str_equal(old->dialog.target, fresh->dialog.target) &&
		    !str_equal(old->dialog.call_id, fresh->dialog.call_id)) {
			subscription_free(old);
			return;
		}
	}
}

static bool is_over_limit(struct subscriptions *subscriptions, uint64_t device_id)
{
	const struct subscriber *subscriber = subscriber_find(subscriptions, device_id);

	return subscriptions->pool.in_use >= subscriptions->settings.max ||
	       (subscriber && subscriber->count >= subscriptions->settings.per_device);
}

static void answer_over_limit(struct subscriptions *subscriptions, const struct flow *from,
			      const struct sip_message *request, uint64_t device_id)
{
	char line[40];
	struct writer w = writer_into(line, sizeof line);

	subscriptions->refused++;
	log_info("subscription_refused", LOG_UINT("device", device_id),
		 LOG_UINT("subscriptions", subscriptions->pool.in_use));
	writer_format(&w, "Retry-After: %d\r\n", RETRY_AFTER_LIMIT_S);
	sip_endpoint_answer_once(subscriptions->endpoint, from, request, 503, writer_result(&w));
}

static void take(struct subscriptions *subscriptions, const struct flow *from, const struct sip_message *request,
		 const struct subscribe_request *wanted)
{
	struct subscription *subscription = subscription_new(subscriptions, wanted->device_id);

	if (!subscription || !fill(subscription, from, request, wanted))
		answer_busy(subscriptions, from, request);
	else if (subscribe_accept(subscription, from, request, wanted->seconds)) {
		drop_forgotten(subscription->subscriber, subscription);
		return;
	}
	if (subscription)
		subscription_free(subscription);
}

void subscription_received(struct subscriptions *subscriptions, const struct flow *from,
			   const struct sip_message *request)
{
	struct subscribe_request wanted = {.seconds = 0};

	if (!subscribe_read(subscriptions, from, request, &wanted))
		return;
	if (!sip_header_first(request, SIP_HEADER_CONTACT)) {
		answer_reason(subscriptions, from, request, 400, STR("Contact is missing"));
		return;
	}
	if (!accepts(request, wanted.package)) {
		sip_endpoint_answer_once(subscriptions->endpoint, from, request, 406, STR_NONE);
		return;
	}
	unsigned status = find_resource(subscriptions, request, &wanted);
	if (status)
		sip_endpoint_answer_once(subscriptions->endpoint, from, request, status, STR_NONE);
	else if (is_over_limit(subscriptions, wanted.device_id))
		answer_over_limit(subscriptions, from, request, wanted.device_id);
	else
		take(subscriptions, from, request, &wanted);
}

// ---- within its dialog

static bool same_dialog(const struct hash_node *node, const void *key)
{
	const struct subscription *subscription = container_of(node, const struct subscription, by_tag);

	return dialog_matches(&subscription->dialog, key);
}

static void refresh(struct subscription *subscription, const struct flow *from, const struct sip_message *request)
{
	struct subscriptions *owner = subscription->owner;
	struct subscribe_request wanted = {.seconds = 0};
	char lines[1024];
	struct writer w = writer_into(lines, sizeof lines);
	unsigned status = rules_check_in_dialog(request, &w);

	if (status) {
		sip_endpoint_answer(owner->endpoint, from, request, status, writer_result(&w));
		return;
	}
	if (!subscribe_read(owner, from, request, &wanted))
		return;
	if (subscription->state == SUBSCRIPTION_ENDING || wanted.package != subscription->package ||
	    wanted.device_id != subscription->subscriber->device_id)
		status = 481;
	else if (!dialog_in_order(&subscription->dialog, request))
		status = 500; // RFC 3261 section 12.2.2
	else if (subscription_forbidden(subscription)) {
		status = 403;
		subscription_end(subscription, subscription_forbidden(subscription));
	}
	if (status) {
		sip_endpoint_answer_once(owner->endpoint, from, request, status, STR_NONE);
		return;
	}
	if (!dialog_refresh_target(&subscription->dialog, request))
		return; // no memory: it will come again
	follow_flow(subscription, from);
	subscribe_accept(subscription, from, request, wanted.seconds);
}

bool subscription_received_inside(struct subscriptions *subscriptions, const struct flow *from,
				  const struct sip_message *request)
{
	struct hash_node *node = hash_find(subscriptions->by_tag, hash_str(request->to_tag), same_dialog, request);

	if (!node)
		return false;
	if (request->method == SIP_SUBSCRIBE)
		refresh(container_of(node, struct subscription, by_tag), from, request);
	else
		sip_endpoint_answer(subscriptions->endpoint, from, request, 405, STR("Allow: SUBSCRIBE\r\n"));
	return true;
}
