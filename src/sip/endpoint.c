// Takes what the transport delivers to where it belongs: broken messages, responses, requests of running transactions, of dialogs,
// and new ones by their method.
#include "base/log.h"
#include "domain/directory.h"
#include "sip/identity.h"
#include "sip/owned.h"
#include "sip/registrar.h"
#include "sip/rules.h"
#include "sip/session.h"
#include "sip/signalling.h"
#include "sip/subscription.h"
#include "sip/trunk_health.h"
#include "sip/trunk_leg.h"
#include "sip/trunk_names.h"
#include "sip/trunk_registration.h"

#include <errno.h>

enum {
	LINES_MAX = 2048,
	FLOOD_LASTS_MS = 10000,
	FLOOD_A_LOOK = 50
}; // requests dropped unread, in the tenth of a second between two looks

// ---- answers without state

void sip_endpoint_answer(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			 unsigned status, struct str extra)
{
	struct sip_response response = {.status = status, .extra = extra};
	sip_respond_stateless(endpoint->transactions, from, request, &response);
}

void sip_endpoint_answer_once(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request,
			      unsigned status, struct str extra)
{
	struct sip_response response = {.status = status, .extra = extra};
	sip_respond_once(endpoint->transactions, from, request, &response);
}

// What a trunk has been told to call us.
static bool is_own_name(const struct sip_endpoint *endpoint, struct str host)
{
	for (const struct trunk *trunk = directory_trunk_after(endpoint->directory, NULL); trunk;
	     trunk = directory_trunk_after(endpoint->directory, trunk))
		if (!str_empty(trunk->own_host) && str_equal_nocase(trunk->own_host, host))
			return true;
	return false;
}

bool sip_endpoint_is_ours(const struct sip_endpoint *endpoint, const struct sip_uri *uri)
{
	struct str domains = endpoint->domains, domain;
	if (str_empty(str_trim(domains)) || uri->scheme == URI_TEL)
		return true;
	if (str_equal_nocase(uri->host, endpoint->realm) ||
	    sip_transport_is_local(endpoint->transport, uri->host, uri->port))
		return true;
	while (str_take(&domains, ' ', &domain))
		if (!str_empty(domain) && str_equal_nocase(uri->host, domain))
			return true;
	return is_own_name(endpoint, uri->host);
}

// ---- overload

bool sip_endpoint_is_emergency(const struct sip_endpoint *endpoint, const struct sip_message *request)
{
	return request->method == SIP_INVITE &&
	       number_is_emergency(directory_plan(endpoint->directory), request->uri.user);
}

// What would begin something new. What has begun goes on, and calls for help are always taken.
static bool is_one_too_many(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request)
{
	char lines[32];
	struct writer w = writer_into(lines, sizeof lines);

	if (request->method != SIP_INVITE && request->method != SIP_REGISTER)
		return false;
	// While strangers flood us, phones that are known do not pay for it.
	if (loop_now_ms(endpoint->loop) < endpoint->flood_until_ms && sip_limits_knows(endpoint->limits, from))
		return false;
	if (sip_overload_admits(endpoint->overload, request) || sip_endpoint_is_emergency(endpoint, request))
		return false;
	writer_format(&w, "Retry-After: %u\r\n", sip_overload_retry_after_s(endpoint->overload));
	sip_endpoint_answer(endpoint, from, request, 503, writer_result(&w));
	return true;
}

// ---- requests outside any dialog

static void receive_invite(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *invite)
{
	struct identity who;
	if (invite_server_merged(endpoint, invite)) {
		sip_endpoint_answer(endpoint, from, invite, 482, STR_NONE); // RFC 3261 section 8.2.2.2
		return;
	}
	// Our own, which somebody has sent back to us: it would go round for ever.
	if (session_of_response(endpoint, invite)) {
		sip_endpoint_answer(endpoint, from, invite, 482, STR_NONE);
		return;
	}
	if (identity_establish(endpoint, from, invite, TRUST_DEVICES_AND_TRUNKS, &who))
		invite_server_received(endpoint, from, invite, &who);
}

static void receive_new(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request)
{
	switch (request->method) {
	case SIP_REGISTER:
		sip_registrar_receive(endpoint->registrar, from, request);
		return;
	case SIP_INVITE:
		receive_invite(endpoint, from, request);
		return;
	case SIP_OPTIONS:
		sip_endpoint_answer(endpoint, from, request, 200,
				    STR(SIP_ALLOW_LINE SIP_ACCEPT_LINE SIP_ALLOW_EVENTS_LINE
					"Supported: path, 100rel\r\n" SIP_SUPPORTED_LINE));
		return;
	case SIP_BYE:
	case SIP_CANCEL:
	case SIP_UPDATE:
	case SIP_INFO:
	case SIP_PRACK:
	case SIP_NOTIFY: // we subscribe to nothing
		sip_endpoint_answer(endpoint, from, request, 481, STR_NONE);
		return;
	case SIP_SUBSCRIBE:
		subscription_received(endpoint->subscriptions, from, request);
		return;
	case SIP_PUBLISH:
	case SIP_REFER:
	case SIP_MESSAGE: // within calls only
		sip_endpoint_answer(endpoint, from, request, 405, STR(SIP_ALLOW_LINE));
		return;
	case SIP_ACK: // for a 2xx or a refusal that is long gone
	case SIP_METHOD_OTHER:
	case SIP_METHOD_COUNT:
		return;
	}
}

static void receive_outside(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request)
{
	char lines[LINES_MAX];
	struct writer w = writer_into(lines, sizeof lines);
	struct str reason = STR_NONE;

	if (request->method == SIP_METHOD_OTHER) {
		sip_endpoint_answer(endpoint, from, request, 501, STR(SIP_ALLOW_LINE));
		return;
	}
	if (is_one_too_many(endpoint, from, request))
		return;
	unsigned status = request->method == SIP_CANCEL ? 0 : rules_check(endpoint, from, request, &w, &reason);
	if (status) {
		struct sip_response response = {.status = status, .reason = reason, .extra = writer_result(&w)};
		sip_respond_stateless(endpoint->transactions, from, request, &response);
		return;
	}
	receive_new(endpoint, from, request);
}

// A banned source's requests go on where they name an account that is at home there.
static bool is_admitted(const struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request)
{
	const struct sip_address *own = request->method == SIP_REGISTER ? &request->to : &request->from;
	return sip_limits_admits_account(endpoint->limits, from, own->uri.user);
}

// For a dialog that nobody here has. A stranger's INVITE is challenged whatever tag it carries.
static void refuse_inside(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *request)
{
	struct identity who;

	if (request->method != SIP_INVITE)
		sip_endpoint_answer(endpoint, from, request, 481, STR_NONE);
	else if (identity_establish(endpoint, from, request, TRUST_DEVICES_AND_TRUNKS, &who))
		sip_endpoint_answer_once(endpoint, from, request, 481, STR_NONE);
}

// Who calls or registers, and who is called: there when they are looked up (base/fetch.h).
struct expected {
	uint64_t caller;
	uint64_t called; // 0: nobody
};

static struct expected parties_expect(const struct sip_endpoint *endpoint, const struct sip_message *request)
{
	struct expected expected = {directory_expect(endpoint->directory, ENTITY_DEVICE, request->from.uri.user), 0};

	if (request->method == SIP_INVITE)
		expected.called = directory_expect(endpoint->directory, ENTITY_USER, request->uri.user);
	return expected;
}

static void parties_fetch(const struct sip_endpoint *endpoint, const struct expected *expected)
{
	directory_fetch(endpoint->directory, ENTITY_DEVICE, expected->caller);
	if (expected->called)
		directory_fetch(endpoint->directory, ENTITY_USER, expected->called);
}

static void receive_request(struct sip_endpoint *endpoint, const struct flow *from, struct sip_message *request)
{
	// A registrar does not care for tags; phones that keep the one of their last REGISTER are known.
	bool inside = !str_empty(request->to_tag) && request->method != SIP_REGISTER && request->method != SIP_CANCEL;
	struct expected expected = {0};

	sip_server_expect(endpoint->transactions, request);
	if (!inside)
		expected = parties_expect(endpoint, request);
	if (!is_admitted(endpoint, from, request))
		return;
	if (!inside)
		parties_fetch(endpoint, &expected);
	if (sip_server_receive(endpoint->transactions, from, request) == SIP_SERVER_ABSORBED)
		return;
	if (!inside) {
		if (request->method != SIP_ACK)
			receive_outside(endpoint, from, request);
		return;
	}
	struct sip_session *session = session_of_request(endpoint, request);
	if (session)
		session_receive(session, from, request);
	else if (!subscription_received_inside(endpoint->subscriptions, from, request))
		refuse_inside(endpoint, from, request);
}

// ---- what the transport tells

// Trunks, and whom the configuration names.
static bool trusts(void *context, const struct net_address *address)
{
	const struct sip_endpoint *endpoint = context;

	for (size_t i = 0; i < SIP_TRUSTED_MAX; i++)
		if (net_range_holds(&endpoint->trusted[i], address))
			return true;
	return trunk_of_address(endpoint, address) != NULL;
}

static void received(void *context, const struct flow *from, struct sip_message *message)
{
	struct sip_endpoint *endpoint = context;
	if (message->is_request) {
		if (message->via.takes_feedback && trusts(endpoint, &from->remote))
			message->via.feedback = sip_overload_feedback(endpoint->overload);
		receive_request(endpoint, from, message);
		return;
	}
	if (sip_client_receive(endpoint->transactions, from, message))
		return;
	// A 2xx to an INVITE outlives its transaction (RFC 3261 section 13.2.2.4). Everything else comes too late.
	if (message->method != SIP_INVITE || message->status < 200 || message->status >= 300)
		return;
	struct sip_session *session = session_of_response(endpoint, message);
	if (session)
		invite_client_late(session, message);
}

static void broken(void *context, const struct flow *from, struct sip_message *message, const struct sip_fault *fault)
{
	struct sip_endpoint *endpoint = context;
	if (!sip_limits_admits_account(endpoint->limits, from, STR_NONE))
		return;
	log_debug("sip_broken", LOG_UINT("at", fault->at), LOG_TEXT("why", fault->why));
	if (!fault->answerable || fault->status == 0)
		return;
	struct sip_response response = {.status = fault->status};
	if (fault->status == 400)
		response.reason = str_of(fault->why); // RFC 3261 section 21.4.1
	sip_respond_stateless(endpoint->transactions, from, message, &response);
}

// Both ends prove themselves where Microsoft connects.
static uint16_t demands(void *context, const struct net_address *remote)
{
	const struct sip_endpoint *endpoint = context;
	const struct trunk *trunk = trunk_of_address(endpoint, remote);

	return trunk_is_teams(trunk) ? trunk_flow_name(endpoint, trunk, trunk->host) : 0;
}

static void flow_lost(void *context, uint64_t connection)
{
	struct sip_endpoint *endpoint = context;
	registrations_flow_lost(endpoint->registrations, connection);
}

static const struct sip_transport_handlers handlers = {
    .received = received,
    .broken = broken,
    .demands = demands,
    .flow_lost = flow_lost,
};

// ---- life

// A queue that strangers fill, whose requests are dropped unread, is soon empty again: nobody else is sent away for it.
static unsigned queue_percent(void *context)
{
	struct sip_endpoint *endpoint = context;
	uint64_t dropped = sip_limits_dropped(endpoint->limits);
	bool is_flood = dropped - endpoint->dropped_before >= FLOOD_A_LOOK;

	endpoint->dropped_before = dropped;
	if (is_flood)
		endpoint->flood_until_ms = loop_now_ms(endpoint->loop) + FLOOD_LASTS_MS;
	return is_flood ? 0 : sip_transport_queue_percent(endpoint->transport);
}

static uint64_t store_waits_ms(void *context)
{
	const struct sip_endpoint *endpoint = context;

	return sip_registrar_waits_ms(endpoint->registrar);
}

static bool overload_build(struct sip_endpoint *endpoint, const struct sip_endpoint_settings *settings)
{
	struct sip_overload_settings overload = settings->overload;

	overload.queue_percent = queue_percent;
	overload.store_waits_ms = store_waits_ms;
	overload.context = endpoint;
	endpoint->overload = sip_overload_create(endpoint->loop, &overload);
	return endpoint->overload != NULL;
}

static bool limits_build(struct sip_endpoint *endpoint, const struct sip_endpoint_settings *settings)
{
	struct sip_limits_settings limits = settings->limits;

	limits.trusts = trusts;
	limits.context = endpoint;
	memcpy(endpoint->trusted, settings->trusted, sizeof endpoint->trusted);
	memcpy(endpoint->authenticated_by, settings->authenticated_by, sizeof endpoint->authenticated_by);
	endpoint->limits = sip_limits_create(endpoint->loop, &limits);
	return endpoint->limits != NULL;
}

// Who was registered before the restart is no stranger after it.
static void binding_is_known(const struct binding *binding, void *context)
{
	struct sip_endpoint *endpoint = context;
	const struct device *device = directory_device(endpoint->directory, binding->device_id);
	int64_t left_ms = binding->expires_at_ms - (int64_t)loop_steady_time_ms(endpoint->loop);

	if (device && left_ms > 0)
		sip_limits_authenticated(endpoint->limits, &binding->flow, device->number, (unsigned)(left_ms / 1000));
}

static bool keep_names(struct sip_endpoint *endpoint, const struct sip_endpoint_settings *settings)
{
	struct str domains, first;
	if (!owned_set(&endpoint->realm, settings->realm) || !owned_set(&endpoint->domains, settings->domains))
		return false;
	domains = str_trim(endpoint->domains);
	endpoint->host = str_take(&domains, ' ', &first) ? first : endpoint->realm;
	return true;
}

static void session_timers_take(struct sip_endpoint *endpoint, const struct sip_endpoint_settings *settings)
{
	endpoint->session_expires_s = settings->session_expires_s;
	endpoint->session_min_s = settings->session_min_s ? settings->session_min_s : SESSION_MIN_S;
}

static struct sip_registrar_settings registrar_settings(const struct sip_endpoint_settings *settings)
{
	return (struct sip_registrar_settings){settings->register_min_s, settings->register_max_s,
					       settings->register_default_s};
}

static struct subscriptions_settings subscriptions_settings(const struct sip_endpoint_settings *settings)
{
	return (struct subscriptions_settings){
	    .min_s = settings->subscribe_min_s,
	    .max_s = settings->subscribe_max_s,
	    .per_device = settings->subscriptions_per_device,
	    .max = settings->subscriptions_max,
	    .nameless = settings->lamps_nameless,
	};
}

bool sip_endpoint_change(struct sip_endpoint *endpoint, const struct sip_endpoint_settings *settings)
{
	const struct sip_registrar_settings registrar = registrar_settings(settings);
	const struct subscriptions_settings subscriptions = subscriptions_settings(settings);

	if (!sip_transport_change(endpoint->transport, &settings->transport))
		return false;
	memcpy(endpoint->trusted, settings->trusted, sizeof endpoint->trusted);
	memcpy(endpoint->authenticated_by, settings->authenticated_by, sizeof endpoint->authenticated_by);
	sip_limits_change(endpoint->limits, &settings->limits);
	sip_overload_change(endpoint->overload, &settings->overload);
	sip_auth_set_nonce_life(endpoint->auth, settings->nonce_life_s);
	session_timers_take(endpoint, settings);
	sip_registrar_change(endpoint->registrar, &registrar);
	subscriptions_change(endpoint->subscriptions, &subscriptions);
	return true;
}

int sip_endpoint_create(struct loop *loop, const struct sip_endpoint_settings *settings, struct directory *directory,
			struct registrations *registrations, struct sip_endpoint **result, struct net_address *failed)
{
	struct sip_endpoint *endpoint = calloc(1, sizeof *endpoint);
	struct sip_registrar_settings registrar = registrar_settings(settings);
	struct subscriptions_settings subscriptions = subscriptions_settings(settings);
	*failed = (struct net_address){0};
	if (!endpoint)
		return -ENOMEM;
	endpoint->loop = loop;
	endpoint->directory = directory;
	endpoint->registrations = registrations;
	endpoint->watch = settings->watch;
	session_timers_take(endpoint, settings);
	pool_init(&endpoint->session_pool, sizeof(struct sip_session));
	pool_init(&endpoint->exchange_pool, sizeof(struct exchange));
	pool_init(&endpoint->fork_pool, sizeof(struct sip_dialog));
	pool_init(&endpoint->early_pool, sizeof(struct early));
	sip_signalling_init(endpoint);
	endpoint->sessions = slots_create(SESSIONS_MAX);
	endpoint->sessions_by_tag = hash_create();
	endpoint->sessions_by_origin = hash_create();
	endpoint->registrar = sip_registrar_create(endpoint, &registrar);
	endpoint->subscriptions = subscriptions_create(endpoint, &subscriptions);
	endpoint->auth = sip_auth_create(loop, settings->realm, settings->nonce_life_s);

	int error = -ENOMEM;
	if (!endpoint->sessions || !endpoint->sessions_by_tag || !endpoint->sessions_by_origin ||
	    !endpoint->registrar || !endpoint->subscriptions || !endpoint->auth || !keep_names(endpoint, settings) ||
	    !limits_build(endpoint, settings) || !overload_build(endpoint, settings))
		goto failed;
	error = -EINVAL;
	if (!str_empty(settings->digest) && !sip_auth_offer(endpoint->auth, settings->digest))
		goto failed;
	struct sip_transport_settings transport = settings->transport;
	transport.limits = endpoint->limits;
	error = sip_transport_create(loop, &transport, &handlers, endpoint, &endpoint->transport, failed);
	if (error)
		goto failed;
	error = -ENOMEM;
	endpoint->transactions = sip_transactions_create(loop, endpoint->transport);
	if (!endpoint->transactions)
		goto failed;
	error = sip_resolver_create(loop, settings->dns_servers, &endpoint->resolver);
	if (error)
		goto failed;
	error = -ENOMEM;
	endpoint->trunk_names = trunk_names_create(endpoint);
	endpoint->trunk_health = trunk_health_create(endpoint);
	endpoint->trunk_registrations = trunk_registrations_create(endpoint);
	if (!endpoint->trunk_names || !endpoint->trunk_health || !endpoint->trunk_registrations)
		goto failed;
	*result = endpoint;
	return 0;

failed:
	sip_endpoint_destroy(endpoint);
	return error;
}

struct signalling *sip_endpoint_signalling(struct sip_endpoint *endpoint)
{
	return &endpoint->signalling;
}

void sip_endpoint_start(struct sip_endpoint *endpoint, struct call_table *calls)
{
	endpoint->calls = calls;
	registrations_each(endpoint->registrations, binding_is_known, endpoint);
	for (const struct trunk *trunk = directory_trunk_after(endpoint->directory, NULL); trunk;
	     trunk = directory_trunk_after(endpoint->directory, trunk))
		sip_endpoint_trunk_changed(endpoint, trunk->entity.id);
}

void sip_endpoint_trunk_changed(struct sip_endpoint *endpoint, uint64_t trunk_id)
{
	trunk_names_changed(endpoint->trunk_names, trunk_id);
	trunk_registrations_changed(endpoint->trunk_registrations, trunk_id);
}

void sip_endpoint_leave(struct sip_endpoint *endpoint, void (*left)(void *context), void *context)
{
	trunk_registrations_leave(endpoint->trunk_registrations, left, context);
}

void sip_endpoint_trunk_state(const struct sip_endpoint *endpoint, uint64_t trunk_id, struct trunk_state *state)
{
	trunk_health_describe(endpoint->trunk_health, trunk_id, state);
	trunk_registration_describe(endpoint->trunk_registrations, trunk_id, &state->registration);
}

void sip_endpoint_set_foreign(struct sip_endpoint *endpoint, enum transport kind, const struct net_address *local)
{
	sip_transport_set_foreign(endpoint->transport, kind, local);
}

void sip_endpoint_greet(struct sip_endpoint *endpoint, const struct net_address *from, struct str head,
			struct writer *answer)
{
	sip_transport_greet(endpoint->transport, from, head, answer);
}

void sip_endpoint_adopt(struct sip_endpoint *endpoint, enum transport kind, const struct tcp_foreign *socket,
			struct str early)
{
	sip_transport_adopt(endpoint->transport, kind, socket, early);
}

void sip_endpoint_device_ended(struct sip_endpoint *endpoint, uint64_t device_id)
{
	subscriptions_end_of_device(endpoint->subscriptions, device_id);
}

void sip_endpoint_stop(struct sip_endpoint *endpoint)
{
	subscriptions_stop(endpoint->subscriptions);
}

static void drop_session(void *object, void *context)
{
	(void)context;
	session_free(object);
}

void sip_endpoint_destroy(struct sip_endpoint *endpoint)
{
	if (!endpoint)
		return;
	if (endpoint->sessions)
		slots_visit(endpoint->sessions, drop_session, NULL);
	trunk_registrations_destroy(endpoint->trunk_registrations);
	trunk_names_destroy(endpoint->trunk_names);
	trunk_health_destroy(endpoint->trunk_health);
	sip_resolver_destroy(endpoint->resolver);
	sip_registrar_destroy(endpoint->registrar);
	subscriptions_destroy(endpoint->subscriptions);
	if (endpoint->transactions)
		sip_transactions_destroy(endpoint->transactions);
	if (endpoint->transport)
		sip_transport_destroy(endpoint->transport);
	sip_limits_destroy(endpoint->limits);
	sip_overload_destroy(endpoint->overload);
	if (endpoint->auth)
		sip_auth_destroy(endpoint->auth);
	hash_destroy(endpoint->sessions_by_tag);
	hash_destroy(endpoint->sessions_by_origin);
	slots_destroy(endpoint->sessions);
	pool_free(&endpoint->session_pool);
	pool_free(&endpoint->exchange_pool);
	pool_free(&endpoint->fork_pool);
	pool_free(&endpoint->early_pool);
	owned_free(&endpoint->realm);
	owned_free(&endpoint->domains);
	free(endpoint);
}

struct sip_endpoint_counters sip_endpoint_count(const struct sip_endpoint *endpoint)
{
	struct subscriptions_counters subscriptions = subscriptions_count(endpoint->subscriptions);

	return (struct sip_endpoint_counters){
	    .transport = sip_transport_count(endpoint->transport),
	    .transactions = sip_transactions_count(endpoint->transactions),
	    .resolver = sip_resolver_count(endpoint->resolver),
	    .trunks = trunk_health_count(endpoint->trunk_health),
	    .limits = sip_limits_count(endpoint->limits),
	    .overload = sip_overload_count(endpoint->overload),
	    .sessions = slots_count(endpoint->sessions),
	    .subscriptions = subscriptions.subscriptions,
	    .notifies = subscriptions.notifies,
	    .refused_subscriptions = subscriptions.refused,
	    .registers = sip_registrar_count(endpoint->registrar),
	    .invites = endpoint->invites,
	    .refused_authentication = endpoint->refused_authentication,
	};
}

struct net_address sip_endpoint_listener(const struct sip_endpoint *endpoint, enum transport kind, unsigned n)
{
	return sip_transport_listener(endpoint->transport, kind, n);
}
