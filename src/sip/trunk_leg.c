// Trunk legs: one target after the other until one answers.
#include "sip/trunk_leg.h"

#include "base/log.h"
#include "sip/owned.h"
#include "sip/trunk_health.h"
#include "sip/trunk_registration.h"

enum {
	// RFC 3263 would wait for timer B, which is longer than anybody lets a phone ring. A server answers 100 within 200 ms
	// (RFC 3261 section 17.2.1); by now the INVITE has been there four times.
	SILENCE_MS = 8 * SIP_T1_MS,
	// So long without a word until the domain gave up says as much as timer B.
	GIVEN_UP_MS = 20 * SIP_T1_MS,
	RETRY_AFTER_S = 30, // where a 503 does not say
};

struct trunk_leg {
	struct sip_session *session;
	struct sip_lookup lookup;
	struct sip_target target; // the present one
	unsigned next;            // in lookup.targets
	bool asked;               // there is a present target
	bool heard;               // it has said something
	uint64_t asked_ms;
	struct timer timer; // the silence of the present target; when cancelled, until that is told
	// What each exchange begins with.
	unsigned max_forwards;
	struct str extra, body_type, body; // owned
	void (*answered)(struct exchange *exchange, const struct sip_message *response);
	void (*failed)(struct exchange *exchange, unsigned status);
};

uint16_t trunk_flow_name(const struct sip_endpoint *endpoint, const struct trunk *trunk, struct str host)
{
	struct net_address address;

	uint16_t name =
	    sip_transport_name(endpoint->transport, net_address_parse(host, 0, &address) ? trunk->host : host);

	if (trunk_is_teams(trunk))
		sip_transport_name_by_wildcard(endpoint->transport, name);
	return name;
}

struct sip_destination trunk_destination(const struct sip_endpoint *endpoint, const struct trunk *trunk,
					 enum sip_lookup_purpose purpose)
{
	unsigned transports = 0;

	if (trunk->transport != TRUNK_TRANSPORT_AUTO)
		transports = 1u << trunk->transport;
	for (int t = TRANSPORT_UDP; trunk->transport == TRUNK_TRANSPORT_AUTO && t <= TRANSPORT_TLS; t++)
		if (sip_transport_listener(endpoint->transport, (enum transport)t, 0).family != 0)
			transports |= 1u << t;
	struct sip_destination destination = {.transports = transports, .purpose = purpose};
	destination.place_count = trunk_targets(trunk, destination.places);
	return destination;
}

// ---- the targets

// Who shows a certificate there.
static uint16_t expected_name(const struct trunk_leg *leg, const struct sip_target *target)
{
	const struct sip_endpoint *endpoint = leg->session->endpoint;
	struct str host = sip_lookup_host(&leg->lookup, target);
	struct net_address address;

	if (target->transport != TRANSPORT_TLS)
		return 0;
	if (net_address_parse(host, 0, &address))
		return leg->session->trunk_name;
	uint16_t name = sip_transport_name(endpoint->transport, host);
	if (leg->session->is_teams)
		sip_transport_name_by_wildcard(endpoint->transport, name);
	return name;
}

static bool send_to(struct trunk_leg *leg, const struct sip_target *target, const struct flow *flow)
{
	struct sip_session *session = leg->session;
	struct exchange_draft draft = {
	    .dialog = &session->dialog,
	    .method = SIP_INVITE,
	    .max_forwards = leg->max_forwards,
	    .extra = leg->extra,
	    .body = {.type = leg->body_type, .bytes = leg->body},
	    .answered = leg->answered,
	    .failed = leg->failed,
	};

	session->dialog.flow = *flow;
	session->expected = expected_name(leg, target);
	if (!exchange_start(session, &draft))
		return false;
	leg->target = *target;
	leg->asked = true;
	leg->heard = false;
	leg->asked_ms = loop_now_ms(session->endpoint->loop);
	timer_stop(&leg->timer);
	if (leg->next < leg->lookup.count) // the last has all the time there is
		timer_start(session->endpoint->loop, &leg->timer, SILENCE_MS);
	return true;
}

static enum err try_next(struct trunk_leg *leg)
{
	const struct sip_transport *transport = leg->session->endpoint->transport;
	struct flow flow;

	while (leg->next < leg->lookup.count) {
		const struct sip_target target = leg->lookup.targets[leg->next++];
		if (!sip_transport_flow_to(transport, target.transport, &target.address, &flow))
			continue; // we speak neither that transport nor that family
		return send_to(leg, &target, &flow) ? ERR_NONE : ERR_NO_MEMORY;
	}
	return ERR_TRUNK_DOWN;
}

static void over(struct trunk_leg *leg, unsigned status)
{
	struct call_table *calls = leg->session->endpoint->calls;
	uint64_t id = leg->session->leg;

	session_free(leg->session);
	if (id)
		call_table_failed(calls, id, status, STR_NONE, STR_NONE);
}

static void note(struct trunk_leg *leg, enum target_health health, uint64_t duration_ms)
{
	trunk_health_note(leg->session->endpoint->trunk_health, leg->session->trunk_id, &leg->target, health,
			  duration_ms);
}

// The server that the trunk is registered at knows the account; the others may not.
static void prefer_registered(struct trunk_leg *leg)
{
	const struct trunk_registrations *registrations = leg->session->endpoint->trunk_registrations;
	struct sip_target *targets = leg->lookup.targets, registered;

	if (!trunk_registration_target(registrations, leg->session->trunk_id, &registered))
		return;
	for (unsigned i = 1; i < leg->lookup.count; i++) {
		if (!sip_target_equal(&targets[i], &registered))
			continue;
		registered = targets[i];
		memmove(targets + 1, targets, i * sizeof *targets);
		targets[0] = registered;
		return;
	}
}

static void lookup_done(struct sip_lookup *lookup)
{
	struct trunk_leg *leg = container_of(lookup, struct trunk_leg, lookup);
	prefer_registered(leg);
	if (try_next(leg) != ERR_NONE)
		over(leg, 503);
}

// Not a word from this target, and there is another. Should it wake up after all, it is told CANCEL; its 2xx would be
// acknowledged and hung up (invite_client_late).
static void silent(struct trunk_leg *leg)
{
	struct sip_session *session = leg->session;
	struct exchange *invite = session_offer(session, &session->dialog);

	note(leg, TARGET_DEAD, TARGET_DEAD_MS);
	if (invite) {
		session->abandoned_cseq = invite->cseq;
		sip_client_cancel(invite->transaction, STR_NONE);
		exchange_end(invite);
	}
	if (try_next(leg) != ERR_NONE)
		over(leg, 503);
}

static void timer_fired(struct timer *timer)
{
	struct trunk_leg *leg = container_of(timer, struct trunk_leg, timer);
	if (leg->session->state == SESSION_CANCELLING)
		over(leg, 487);
	else
		silent(leg);
}

// ---- what others call

enum err trunk_leg_start(struct sip_session *session, const struct trunk *trunk, const struct exchange_draft *draft)
{
	struct sip_endpoint *endpoint = session->endpoint;
	const struct sip_destination destination = trunk_destination(endpoint, trunk, SIP_TO_SEND);
	struct trunk_leg *leg = calloc(1, sizeof *leg);

	if (!leg)
		return ERR_NO_MEMORY;
	leg->session = session;
	leg->max_forwards = draft->max_forwards;
	leg->answered = draft->answered;
	leg->failed = draft->failed;
	timer_init(&leg->timer, timer_fired);
	session->trunk_leg = leg;
	if (!owned_set(&leg->extra, draft->extra) || !owned_set(&leg->body_type, draft->body.type) ||
	    !owned_set(&leg->body, draft->body.bytes))
		return ERR_NO_MEMORY;
	if (!sip_lookup_start(endpoint->resolver, &leg->lookup, &destination, lookup_done))
		return ERR_NONE;
	prefer_registered(leg);
	return try_next(leg);
}

void trunk_leg_heard(struct sip_session *session, const struct sip_message *response)
{
	struct trunk_leg *leg = session->trunk_leg;

	if (!leg)
		return;
	leg->heard = true;
	timer_stop(&leg->timer);
	if (response->status != 503)
		note(leg, TARGET_ALIVE, 0);
	// RFC 3263 section 4.3: whoever has begun to ring is not left for another.
	if (response->status > 100 && response->status < 300)
		trunk_leg_free(session);
}

static uint64_t retry_after_ms(const struct sip_message *response)
{
	struct str value = sip_header_value(response, SIP_HEADER_RETRY_AFTER);
	uint64_t seconds = RETRY_AFTER_S;
	size_t digits = 0;

	while (digits < value.length && value.at[digits] >= '0' && value.at[digits] <= '9')
		digits++;
	if (digits > 0 && !str_to_uint(str_first(value, digits), TARGET_BUSY_MAX_MS / 1000, &seconds))
		seconds = TARGET_BUSY_MAX_MS / 1000;
	return seconds * 1000;
}

bool trunk_leg_failed(struct sip_session *session, const struct sip_message *response)
{
	struct trunk_leg *leg = session->trunk_leg;

	if (!leg || (response && response->status != 503))
		return false;
	timer_stop(&leg->timer);
	if (response)
		note(leg, TARGET_BUSY, retry_after_ms(response));
	else if (!leg->heard)
		note(leg, TARGET_DEAD, TARGET_DEAD_MS);
	return session->state == SESSION_STARTING && try_next(leg) == ERR_NONE;
}

bool trunk_leg_cancelled(struct sip_session *session)
{
	struct trunk_leg *leg = session->trunk_leg;
	struct loop *loop = session->endpoint->loop;

	if (!leg)
		return false;
	timer_stop(&leg->timer);
	sip_lookup_stop(&leg->lookup);
	if (!leg->asked) {
		timer_start(loop, &leg->timer, 0);
		return true;
	}
	if (!leg->heard && loop_now_ms(loop) - leg->asked_ms >= GIVEN_UP_MS)
		note(leg, TARGET_DEAD, TARGET_DEAD_MS);
	return false;
}

void trunk_leg_free(struct sip_session *session)
{
	struct trunk_leg *leg = session->trunk_leg;

	if (!leg)
		return;
	session->trunk_leg = NULL;
	timer_stop(&leg->timer);
	sip_lookup_stop(&leg->lookup);
	owned_free(&leg->extra);
	owned_free(&leg->body_type);
	owned_free(&leg->body);
	free(leg);
}
