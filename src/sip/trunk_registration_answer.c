// What the carrier answers to a REGISTER, and what follows from it.
#include "sip/trunk_registration_private.h"

#include "base/log.h"
#include "sip/owned.h"
#include "sip/trunk_health.h"

#include <stdio.h>

enum {
	ROUNDS_MAX = 6,            // answers to challenges and 423s in one attempt
	SERVICE_ROUTES_MAX = 2048, // of Service-Route
	REFRESH_MIN_MS = 5000,
	LINE_MAX = 3072,
	REASON_MAX = 60, // of theirs, in a sentence of ours
	HOST_MAX = 80,   // likewise
};

static void note(struct trunk_registration *registration, enum target_health health, uint64_t duration_ms)
{
	trunk_health_note(registration->registrations->endpoint->trunk_health, registration->trunk_id,
			  &registration->target, health, duration_ms);
}

static void take_routes(struct trunk_registration *registration, const struct sip_message *response)
{
	char text[SERVICE_ROUTES_MAX];
	struct writer w = writer_into(text, sizeof text);
	struct str routes = register_service_route(response, &w) ? writer_result(&w) : STR_NONE;

	if (!str_equal(routes, registration->routes) && !owned_set(&registration->routes, routes))
		log_error("trunk_registration_out_of_memory", LOG_UINT("trunk", registration->trunk_id));
}

static void registered(struct trunk_registration *registration, const struct sip_message *response)
{
	struct sip_transport *transport = registration->registrations->endpoint->transport;
	unsigned granted_s = register_granted_s(response, registration->contact_uri, registration->expires_s);
	uint64_t now_ms = loop_now_ms(registration->registrations->endpoint->loop);
	uint64_t granted_ms = (uint64_t)granted_s * 1000, least_ms = granted_ms * 5 / 8;

	if (granted_s == 0) {
		trunk_registration_failed(registration, "%s accepts the registration, and does not keep it.",
					  trunk_target_name(&registration->target).text);
		return;
	}
	if (!registration->registered_ms)
		registration->registered_ms = now_ms;
	registration->until_ms = now_ms + granted_ms;
	take_routes(registration, response);
	sip_transport_keep(transport, registration->flow.connection, granted_s);
	if (registration->flow.connection)
		sip_transport_watch(transport, registration->flow.connection, &registration->watch);
	if (!timer_running(&registration->ping))
		trunk_registration_keep_open(registration);
	// Early enough that several attempts can fail before the time is over.
	least_ms = least_ms < REFRESH_MIN_MS ? REFRESH_MIN_MS : least_ms;
	trunk_registration_wait(registration,
				trunk_registration_between_ms(registration, least_ms, least_ms + granted_ms / 8));
	trunk_registration_say(registration, TRUNK_REGISTERED, "Registered at %s for %u seconds.",
			       trunk_target_name(&registration->target).text, granted_s);
}

// A 401 or 407 is answered once by what it asks, and again when only the nonce was too old. What was kept of an earlier attempt counts
// for nothing: its nonce may have been forgotten.
static bool authorise(struct trunk_registration *registration, const struct sip_message *response)
{
	struct credentials_kept *kept = response->status == 407 ? &registration->proxy : &registration->www;
	const struct sip_credentials credentials = trunk_registration_credentials(registration);
	const struct register_account account = trunk_registration_account(registration);
	char line[LINE_MAX], text[SIP_URI_MAX];
	struct writer w = writer_into(line, sizeof line), uri = writer_into(text, sizeof text);

	if (str_empty(credentials.username) ||
	    (kept->is_fresh && !sip_auth_is_stale(&kept->memory, response, &credentials)) ||
	    registration->rounds++ >= ROUNDS_MAX)
		return false;
	register_write_uri(&account, &uri);
	if (!sip_auth_write_answer(&w, response, &credentials, STR("REGISTER"), writer_result(&uri), STR_NONE,
				   registration->registrations->endpoint->loop) ||
	    w.overflow)
		return false;
	kept->is_fresh = true;
	sip_auth_remember(&kept->memory, response, &credentials);
	if (kept->memory.length > 0) {
		kept->memory.used = 0; // it is written anew, with the first count
		w.used = 0;
	}
	trunk_registration_ask_target(registration, writer_result(&w));
	return true;
}

static void unauthorised(struct trunk_registration *registration, const struct sip_message *response)
{
	const struct account *account = &registration->account;
	bool was_answered = response->status == 407 ? registration->proxy.is_fresh : registration->www.is_fresh;

	if (was_answered)
		trunk_registration_refused(
		    registration, "The carrier does not accept the user name or the password (%u).", response->status);
	else if (str_empty(account->username))
		trunk_registration_refused(registration,
					   "The carrier asks for a password (%u), and the trunk has no user name.",
					   response->status);
	else
		trunk_registration_refused(
		    registration,
		    "The carrier asks for a password (%u) in a way that cannot be answered: another realm than the "
		    "trunk's, "
		    "or an unknown algorithm.",
		    response->status);
}

// RFC 3261 section 10.2.8.
static bool ask_for_longer(struct trunk_registration *registration, const struct sip_message *response)
{
	unsigned least_s = register_seconds(response, SIP_HEADER_MIN_EXPIRES);

	if (least_s <= registration->expires_s || registration->rounds++ >= ROUNDS_MAX)
		return false;
	registration->expires_s = least_s;
	trunk_registration_ask_target(registration, STR_NONE);
	return true;
}

static bool passes(unsigned status)
{
	return status < 400 || status == 408 || status == 429 || status == 480 || status == 491 ||
	       (status >= 500 && status < 600 && status != 501 && status != 505);
}

static void refused(struct trunk_registration *registration, const struct sip_message *response)
{
	const unsigned status = response->status;
	const struct str reason =
	    str_first(str_empty(response->reason) ? sip_reason_phrase(status) : response->reason, REASON_MAX);
	struct sip_address address;
	struct sip_walk walk = {0};
	struct str value;

	registration->retry_after_s = register_seconds(response, SIP_HEADER_RETRY_AFTER);
	if (registration->retry_after_s > TRUNK_REGISTER_MAX_S)
		registration->retry_after_s = TRUNK_REGISTER_MAX_S;
	if (status == 503) {
		uint64_t busy_s = registration->retry_after_s ? registration->retry_after_s : TRUNK_REGISTER_BASE_S;
		note(registration, TARGET_BUSY,
		     busy_s * 1000 < TARGET_BUSY_MAX_MS ? busy_s * 1000 : TARGET_BUSY_MAX_MS);
		snprintf(registration->why, sizeof registration->why, "%s answers 503 %.*s.",
			 trunk_target_name(&registration->target).text, STR_ARG(reason));
		trunk_registration_go_on(registration, NEVER_AGAIN);
	} else if (status < 400 && sip_value_next(response, SIP_HEADER_CONTACT, &walk, &value) &&
		   sip_address_parse(value, &address)) {
		// Not followed: calls from there would be strangers', and the password is for the host that was named.
		trunk_registration_failed(registration,
					  "The carrier sends us elsewhere (%u): to %.*s. Make that the trunk's host.",
					  status, STR_ARG(str_first(address.uri.host, HOST_MAX)));
	} else if (passes(status)) {
		trunk_registration_failed(registration, "%s answers %u %.*s.",
					  trunk_target_name(&registration->target).text, status, STR_ARG(reason));
	} else if (status == 404) {
		trunk_registration_refused(registration, "The carrier does not know this account (404 %.*s).",
					   STR_ARG(reason));
	} else {
		trunk_registration_refused(registration, "The carrier refuses this account (%u %.*s).", status,
					   STR_ARG(reason));
	}
}

static void answered(void *user, struct sip_client_transaction *transaction, const struct sip_message *response)
{
	struct trunk_registration *registration = user;
	bool challenged = response->status == 401 || response->status == 407;

	if (response->status < 200) {
		if (!registration->is_leaving)
			timer_stop(&registration->timer);
		return;
	}
	registration->flow.connection = sip_client_flow(transaction)->connection;
	registration->transaction = NULL;
	registration->last_status = response->status;
	if (registration->is_leaving) {
		if (!challenged || !authorise(registration, response))
			trunk_registration_left(registration);
		return;
	}
	timer_stop(&registration->timer);
	if (response->status != 503)
		note(registration, TARGET_ALIVE, 0);
	if (response->status < 300)
		registered(registration, response);
	else if (challenged && !authorise(registration, response))
		unauthorised(registration, response);
	else if (!challenged && (response->status != 423 || !ask_for_longer(registration, response)))
		refused(registration, response);
}

static void not_answered(void *user, struct sip_client_transaction *transaction, unsigned status)
{
	struct trunk_registration *registration = user;
	(void)transaction;

	// The connection that it went by broke, which says nothing of the server.
	bool broke = status == 503 && registration->is_kept_target && registration->flow.connection != 0;

	registration->transaction = NULL;
	registration->retry_after_s = 0;
	if (registration->is_leaving) {
		trunk_registration_left(registration);
		return;
	}
	if (broke)
		registration->flow.connection = 0;
	else
		note(registration, TARGET_DEAD, TARGET_DEAD_MS);
	snprintf(registration->why, sizeof registration->why,
		 status == 408 ? "No answer from %s." : "No connection to %s.",
		 trunk_target_name(&registration->target).text);
	trunk_registration_go_on(registration, broke ? BY_A_NEW_CONNECTION : NEVER_AGAIN);
}

const struct sip_client_handlers trunk_registration_handlers = {.response = answered, .failed = not_answered};
