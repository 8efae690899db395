// NOTIFYs: what they tell, when they go, and what their answers mean.
#include "sip/subscription_private.h"

#include "base/log.h"
#include "sip/dialog_info.h"
#include "sip/owned.h"
#include "sip/session.h"

#include <inttypes.h>

enum { BODY_MAX = 20000, STOP_RETRY_S = 10 };

static const char *const package_names[EVENT_PACKAGE_COUNT] = {
    [EVENT_DIALOG] = "dialog", [EVENT_MESSAGE_SUMMARY] = "message-summary"};
static const struct str body_types[EVENT_PACKAGE_COUNT] = {
    [EVENT_DIALOG] = {"application/dialog-info+xml", 27},
    [EVENT_MESSAGE_SUMMARY] = {"application/simple-message-summary", 34}};

const char *subscription_forbidden(const struct subscription *subscription)
{
	const struct directory *directory = subscription->owner->endpoint->directory;
	const struct user *user = NULL;

	if (!directory_holder(directory, subscription->subscriber->device_id))
		return "rejected";
	if (subscription->package != EVENT_DIALOG)
		return NULL;
	user = directory_user(directory, subscription->watch.user_id);
	return user && str_equal(user->extension, subscription->extension) ? NULL : "noresource";
}

// ---- the body

static struct dialog_info_pickup pickup_of(const struct subscription *subscription, uint64_t id)
{
	const struct sip_session *session = id ? session_find(subscription->owner->endpoint, id) : NULL;

	if (!session || list_empty(&session->early))
		return (struct dialog_info_pickup){.call_id = STR_NONE};
	const struct early *early = container_of(session->early.next, const struct early, node);
	return (struct dialog_info_pickup){session->dialog.call_id, session->dialog.local_tag, early->tag};
}

static void write_calls(const struct subscription *subscription, const struct dialog_info *info, struct writer *w)
{
	struct lamp_call calls[2 * LAMP_CALLS_MAX];
	size_t count = call_table_lamp(subscription->owner->endpoint->calls, subscription->watch.user_id, calls);

	for (size_t i = 0; i < count; i++) {
		struct dialog_info_pickup pickup = pickup_of(subscription, calls[i].session);
		dialog_info_call(w, info, &calls[i], &pickup);
	}
	if (count == 0)
		dialog_info_nothing(w, info);
}

// Writes the body; gives a hash of what it tells, which the version is no part of.
static uint64_t write_lamp(const struct subscription *subscription, struct writer *w)
{
	const struct sip_endpoint *endpoint = subscription->owner->endpoint;
	const struct user *user = directory_user(endpoint->directory, subscription->watch.user_id);
	const struct dialog_info info = {
	    .entity = subscription->resource,
	    .extension = subscription->extension,
	    .name = user ? user->title : STR_NONE,
	    .host = endpoint->host,
	    .nameless = subscription->owner->settings.nameless,
	};

	dialog_info_begin(w, &info, subscription->version);
	size_t begins = w->used;
	if (user && subscription->state == SUBSCRIPTION_ACTIVE)
		write_calls(subscription, &info, w);
	else
		dialog_info_nothing(w, &info);
	uint64_t told = hash_str(str_from(writer_result(w), begins));
	dialog_info_end(w);
	return told;
}

static uint64_t write_body(const struct subscription *subscription, struct writer *w)
{
	if (subscription->package == EVENT_DIALOG)
		return write_lamp(subscription, w);
	writer_text(w, "Messages-Waiting: no\r\nMessage-Account: ");
	writer_str(w, subscription->resource);
	writer_text(w, "\r\n");
	return 1;
}

// ---- the request

static void write_state(const struct subscription *subscription, struct writer *w)
{
	uint64_t now = loop_now_ms(subscription->owner->endpoint->loop);
	uint64_t left_ms = subscription->expires_at_ms > now ? subscription->expires_at_ms - now : 0;

	writer_format(w, "Event: %s", package_names[subscription->package]);
	if (!str_empty(subscription->event_id)) {
		writer_text(w, ";id=");
		writer_str(w, subscription->event_id);
	}
	if (subscription->state == SUBSCRIPTION_ACTIVE)
		writer_format(w, "\r\nSubscription-State: active;expires=%" PRIu64 "\r\n", (left_ms + 999) / 1000);
	else
		writer_format(w, "\r\nSubscription-State: terminated;reason=%s\r\n", subscription->ending);
}

// The flow and the bytes of the next NOTIFY. False when they do not fit.
static bool write_notify(struct subscription *subscription, struct str branch, struct flow *flow, struct str body,
			 struct writer *w)
{
	struct sip_endpoint *endpoint = subscription->owner->endpoint;
	char extra[512];
	struct writer lines = writer_into(extra, sizeof extra);

	*flow = dialog_next_flow(&subscription->dialog, endpoint->transport);
	write_state(subscription, &lines);
	const struct request_draft draft = {
	    .method = SIP_NOTIFY,
	    .cseq = ++subscription->dialog.local_cseq,
	    .max_forwards = 70,
	    .branch = branch,
	    .extra = writer_result(&lines),
	    .body_type = body_types[subscription->package],
	    .body = body,
	};
	return !lines.overflow && dialog_write_request(&subscription->dialog, endpoint->transport, flow, &draft, w);
}

// RFC 5057 section 5.1: these end the subscription, whatever else they say.
static bool ends_subscription(unsigned status)
{
	switch (status) {
	case 401: // phones do not challenge us, and would only be asked again
	case 403:
	case 404:
	case 405:
	case 407:
	case 408:
	case 410:
	case 416:
	case 480:
	case 481:
	case 482:
	case 483:
	case 484:
	case 485:
	case 489:
	case 501:
	case 503: // could not be sent
	case 604:
		return true;
	default:
		return false;
	}
}

static void notify_over(struct subscription *subscription, unsigned status)
{
	subscription->notify = NULL;
	if (ends_subscription(status))
		log_debug("subscription_lost", LOG_UINT("device", subscription->subscriber->device_id),
			  LOG_UINT("status", status));
	if (ends_subscription(status) || (subscription->state == SUBSCRIPTION_ENDING && !subscription->due))
		subscription_free(subscription);
	else if (subscription->changed || subscription->due)
		subscription_tell(subscription);
}

static void notify_response(void *user, struct sip_client_transaction *transaction, const struct sip_message *response)
{
	struct subscription *subscription = user;

	(void)transaction;
	if (response->status >= 200)
		notify_over(subscription, response->status);
}

static void notify_failed(void *user, struct sip_client_transaction *transaction, unsigned status)
{
	(void)transaction;
	notify_over(user, status);
}

static const struct sip_client_handlers notify_handlers = {.response = notify_response, .failed = notify_failed};

static void notify_send(struct subscription *subscription, struct str body)
{
	struct sip_endpoint *endpoint = subscription->owner->endpoint;
	char branch[SIP_BRANCH_SIZE + 1], text[DIALOG_REQUEST_MAX];
	struct writer w = writer_into(text, sizeof text);
	struct sip_client_request request = {
	    .method = SIP_NOTIFY,
	    .large = subscription->dialog.pinned ? SIP_LARGE_AS_IS : SIP_LARGE_BY_TCP,
	};

	sip_branch_new(endpoint->loop, branch);
	request.branch = str_of(branch);
	if (write_notify(subscription, request.branch, &request.flow, body, &w)) {
		request.bytes = writer_result(&w);
		subscription->notify =
		    sip_client_start(endpoint->transactions, &request, &notify_handlers, subscription);
	}
	if (!subscription->notify) { // no memory, or a route too long for a request
		subscription_free(subscription);
		return;
	}
	subscription->owner->notifies++;
	subscription->version++;
	subscription->notified_ms = loop_now_ms(endpoint->loop);
}

static void notify_now(struct subscription *subscription)
{
	char body[BODY_MAX];
	struct writer w = writer_into(body, sizeof body);
	const char *forbidden = subscription_forbidden(subscription);

	if (forbidden && subscription->state == SUBSCRIPTION_ACTIVE) {
		subscription_end(subscription, forbidden);
		return;
	}
	uint64_t told = write_body(subscription, &w);
	bool news = told != subscription->told || subscription->due;
	subscription->changed = subscription->due = false;
	if (!news)
		return;
	subscription->told = told;
	notify_send(subscription, w.overflow ? STR_NONE : writer_result(&w));
}

void subscription_tell_timer(struct timer *timer)
{
	notify_now(container_of(timer, struct subscription, tell));
}

// One at a time: the answer to the one under way comes first (RFC 6665 section 4.2.2).
void subscription_tell(struct subscription *subscription)
{
	struct loop *loop = subscription->owner->endpoint->loop;
	uint64_t now = loop_now_ms(loop), earliest = subscription->notified_ms + NOTIFY_GAP_MS;

	if (subscription->notify)
		return;
	if (!subscription->due && subscription->notified_ms != 0 && earliest > now)
		timer_start(loop, &subscription->tell, earliest - now);
	else
		timer_start(loop, &subscription->tell, 1);
}

void subscription_tell_stop(struct subscription *subscription)
{
	struct sip_endpoint *endpoint = subscription->owner->endpoint;
	char branch[SIP_BRANCH_SIZE + 1], text[DIALOG_REQUEST_MAX], reason[40];
	struct writer w = writer_into(text, sizeof text), why = writer_into(reason, sizeof reason - 1);
	struct flow flow;

	writer_format(&why, "probation;retry-after=%d", STOP_RETRY_S);
	reason[why.used] = '\0';
	subscription->state = SUBSCRIPTION_ENDING;
	subscription->ending = reason;
	sip_branch_new(endpoint->loop, branch);
	if (write_notify(subscription, str_of(branch), &flow, STR_NONE, &w))
		sip_transport_send(endpoint->transport, &flow, writer_result(&w));
}
