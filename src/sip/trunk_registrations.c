// All registrations of trunks: they come, change and go with the trunks of the directory.
#include "sip/trunk_registration_private.h"

#include "base/log.h"
#include "domain/watch.h"
#include "sip/owned.h"
#include "sip/trunk_leg.h"

enum { BEGIN_MS = 200 }; // several accounts do not come in the same millisecond

// ---- accounts

static struct str user_of(const struct trunk *trunk)
{
	return str_empty(trunk->registration_user) ? trunk->username : trunk->registration_user;
}

static unsigned transports_of(const struct trunk_registrations *registrations, const struct trunk *trunk)
{
	return trunk_destination(registrations->endpoint, trunk, SIP_TO_SEND).transports;
}

// False when there is no memory; some of it may have been taken over then.
static bool account_take(struct trunk_registration *registration, const struct trunk *trunk)
{
	struct account *account = &registration->account;

	account->port = (uint16_t)trunk->port;
	account->transports = transports_of(registration->registrations, trunk);
	account->expires_s = registration->expires_s = (unsigned)trunk->registration_expires_s;
	return owned_set(&account->title, trunk->title) && owned_set(&account->host, trunk->host) &&
	       owned_set(&account->user, user_of(trunk)) && owned_set(&account->username, trunk->username) &&
	       owned_set(&account->password, trunk->password) && owned_set(&account->realm, trunk->realm);
}

static void account_free(struct account *account)
{
	if (account->password.length > 0)
		explicit_bzero((void *)(uintptr_t)account->password.at, account->password.length);
	owned_free(&account->title);
	owned_free(&account->host);
	owned_free(&account->user);
	owned_free(&account->username);
	owned_free(&account->password);
	owned_free(&account->realm);
}

// What the binding is known by at the carrier.
static bool same_binding(const struct trunk_registration *registration, const struct trunk *trunk)
{
	const struct account *account = &registration->account;

	return str_equal(account->host, trunk->host) && str_equal(account->user, user_of(trunk)) &&
	       account->port == trunk->port && account->transports == transports_of(registration->registrations, trunk);
}

static bool same_request(const struct trunk_registration *registration, const struct trunk *trunk)
{
	const struct account *account = &registration->account;

	return str_equal(account->username, trunk->username) && str_equal(account->password, trunk->password) &&
	       str_equal(account->realm, trunk->realm) && account->expires_s == trunk->registration_expires_s;
}

// ---- coming and going

static void registration_free(struct trunk_registration *registration)
{
	trunk_registration_stop(registration);
	list_remove(&registration->node);
	account_free(&registration->account);
	owned_free(&registration->routes);
	free(registration);
}

enum which { THE_PRESENT_ONE, A_LEAVING_ONE };

static struct trunk_registration *find(const struct trunk_registrations *registrations, uint64_t trunk_id,
				       enum which which)
{
	list_each (node, following, &registrations->all) {
		struct trunk_registration *registration = container_of(node, struct trunk_registration, node);
		if (registration->trunk_id == trunk_id && registration->is_leaving == (which == A_LEAVING_ONE))
			return registration;
	}
	return NULL;
}

static void begin(struct trunk_registrations *registrations, const struct trunk *trunk)
{
	struct trunk_registration *registration = calloc(1, sizeof *registration);
	uint64_t least_ms = 0;

	if (!registration)
		goto no_memory;
	registration->registrations = registrations;
	registration->trunk_id = trunk->entity.id;
	trunk_registration_init(registration);
	list_init(&registration->node);
	if (!account_take(registration, trunk)) {
		registration_free(registration);
		goto no_memory;
	}
	// What takes the old binding back must not meet the new one.
	if (find(registrations, trunk->entity.id, A_LEAVING_ONE))
		least_ms = TRUNK_REGISTER_LEAVE_MS;
	list_append(&registrations->all, &registration->node);
	trunk_registration_wait(registration,
				trunk_registration_between_ms(registration, least_ms, least_ms + BEGIN_MS));
	trunk_registration_say(registration, TRUNK_REGISTERING, "%.*s is asked to register %.*s.",
			       STR_ARG(registration->account.host), STR_ARG(registration->account.user));
	return;

no_memory:
	log_error("trunk_registration_out_of_memory", LOG_UINT("trunk", trunk->entity.id));
}

// Takes the binding back, if there is one, or may be.
static void leave(struct trunk_registration *registration)
{
	struct loop *loop = registration->registrations->endpoint->loop;
	bool is_bound = registration->until_ms > loop_now_ms(loop) || registration->transaction;

	trunk_registration_stop(registration);
	if (!is_bound) {
		registration_free(registration);
		return;
	}
	log_info("trunk_registration_taken_back", LOG_UINT("trunk", registration->trunk_id),
		 LOG_STR("title", registration->account.title));
	registration->is_leaving = true;
	registration->rounds = 0;
	registration->www.is_fresh = registration->proxy.is_fresh = false;
	trunk_registration_wait(registration, TRUNK_REGISTER_LEAVE_MS);
	if (!trunk_registration_ask(registration, STR_NONE))
		trunk_registration_left(registration);
}

void trunk_registration_left(struct trunk_registration *registration)
{
	struct trunk_registrations *registrations = registration->registrations;
	struct trunk_registration *following;
	uint64_t trunk_id = registration->trunk_id;

	registration_free(registration);
	following = find(registrations, trunk_id, THE_PRESENT_ONE);
	if (following && following->cseq == 0) // it has waited for this
		trunk_registration_wait(following, 0);
	if (registrations->is_leaving && list_empty(&registrations->all))
		timer_start(registrations->endpoint->loop, &registrations->leave, 0);
}

static void renew(struct trunk_registration *registration, const struct trunk *trunk)
{
	bool is_asked_anew = !same_request(registration, trunk);

	if (!account_take(registration, trunk))
		log_error("trunk_registration_out_of_memory", LOG_UINT("trunk", trunk->entity.id));
	if (!is_asked_anew)
		return;
	registration->www.memory.length = registration->proxy.memory.length = 0;
	registration->failures = 0;
	sip_lookup_stop(&registration->lookup);
	if (registration->transaction)
		sip_client_forget(registration->transaction);
	registration->transaction = NULL;
	trunk_registration_wait(registration, trunk_registration_between_ms(registration, 0, BEGIN_MS));
}

void trunk_registrations_changed(struct trunk_registrations *registrations, uint64_t trunk_id)
{
	const struct trunk *trunk = directory_trunk(registrations->endpoint->directory, trunk_id);
	bool is_wanted = trunk && trunk->enabled && trunk->registers && !registrations->is_leaving;
	struct trunk_registration *present = find(registrations, trunk_id, THE_PRESENT_ONE);

	if (present && is_wanted && same_binding(present, trunk)) {
		renew(present, trunk);
		return;
	}
	if (present)
		leave(present);
	if (is_wanted)
		begin(registrations, trunk);
	else if (present)
		watch_trunk(registrations->endpoint->watch, trunk_id);
}

void trunk_registrations_leave(struct trunk_registrations *registrations, void (*left)(void *context), void *context)
{
	registrations->is_leaving = true;
	registrations->left = left;
	registrations->left_context = context;
	timer_start(registrations->endpoint->loop, &registrations->leave, TRUNK_REGISTER_LEAVE_MS);
	list_each (node, following, &registrations->all) {
		struct trunk_registration *registration = container_of(node, struct trunk_registration, node);
		if (!registration->is_leaving)
			leave(registration);
	}
	if (list_empty(&registrations->all))
		timer_start(registrations->endpoint->loop, &registrations->leave, 0);
}

static void leave_over(struct timer *timer)
{
	struct trunk_registrations *registrations = container_of(timer, struct trunk_registrations, leave);

	void (*left)(void *context) = registrations->left;

	registrations->left = NULL;
	if (left)
		left(registrations->left_context);
}

// ---- what others want to know

void trunk_registration_describe(const struct trunk_registrations *registrations, uint64_t trunk_id,
				 struct trunk_registration_state *state)
{
	const struct trunk_registration *registration = find(registrations, trunk_id, THE_PRESENT_ONE);
	const struct loop *loop = registrations->endpoint->loop;
	uint64_t now = loop_now_ms(loop);
	int64_t wall = (int64_t)loop_time_ms(loop);

	*state = (struct trunk_registration_state){.status = TRUNK_REGISTRATION_OFF};
	if (!registration)
		return;
	state->status = registration->status;
	state->since = registration->since;
	state->last_status = registration->last_status;
	if (registration->until_ms > now)
		state->registered_until = wall + (int64_t)(registration->until_ms - now);
	if (!registration->transaction && timer_running(&registration->timer))
		state->next_try_at = wall + (int64_t)registration->timer.due_ms - (int64_t)now;
	memcpy(state->sentence, registration->sentence, sizeof state->sentence);
}

bool trunk_registration_came_from(const struct trunk_registrations *registrations, uint64_t trunk_id,
				  const struct flow *from)
{
	const struct trunk_registration *registration = find(registrations, trunk_id, THE_PRESENT_ONE);

	if (!registration || registration->until_ms <= loop_now_ms(registrations->endpoint->loop))
		return false;
	return (from->connection != 0 && from->connection == registration->flow.connection) ||
	       net_address_same_host(&from->remote, &registration->target.address);
}

struct str trunk_registration_routes(const struct trunk_registrations *registrations, uint64_t trunk_id)
{
	const struct trunk_registration *registration = find(registrations, trunk_id, THE_PRESENT_ONE);
	bool is_bound = registration && registration->until_ms > loop_now_ms(registrations->endpoint->loop);

	return is_bound ? registration->routes : STR_NONE;
}

bool trunk_registration_target(const struct trunk_registrations *registrations, uint64_t trunk_id,
			       struct sip_target *target)
{
	const struct trunk_registration *registration = find(registrations, trunk_id, THE_PRESENT_ONE);

	if (!registration || registration->until_ms <= loop_now_ms(registrations->endpoint->loop))
		return false;
	*target = registration->target;
	return true;
}

// ---- life

struct trunk_registrations *trunk_registrations_create(struct sip_endpoint *endpoint)
{
	struct trunk_registrations *registrations = calloc(1, sizeof *registrations);

	if (!registrations)
		return NULL;
	registrations->endpoint = endpoint;
	list_init(&registrations->all);
	timer_init(&registrations->leave, leave_over);
	return registrations;
}

void trunk_registrations_destroy(struct trunk_registrations *registrations)
{
	if (!registrations)
		return;
	timer_stop(&registrations->leave);
	list_each (node, following, &registrations->all)
		registration_free(container_of(node, struct trunk_registration, node));
	free(registrations);
}
