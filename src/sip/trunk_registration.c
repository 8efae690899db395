// One registration: when it is asked for, where, with which credentials, and what the answer leads to.
#include "sip/trunk_registration_private.h"

#include "base/log.h"
#include "domain/watch.h"
#include "sip/owned.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	SILENCE_MS = 8 * SIP_T1_MS, // until the next server is asked; the last one has timer F
	AT_ONCE_MS = 2000,
	PAUSE_S = 1800, // after a refusal
	UDP_PING_MS = 29 * 1000,
	STREAM_PING_MS = 120 * 1000,
	REQUEST_MAX = 8192, // a REGISTER of ours
	LINES_MAX = 6144,
};

static struct loop *loop_of(const struct trunk_registration *registration)
{
	return registration->registrations->endpoint->loop;
}

static uint64_t now_ms(const struct trunk_registration *registration)
{
	return loop_now_ms(loop_of(registration));
}

uint64_t trunk_registration_between_ms(const struct trunk_registration *registration, uint64_t least, uint64_t most)
{
	return least + loop_random_uint(loop_of(registration)) % (most - least + 1);
}

// ---- its state

// The only one that writes the status. What the carrier said comes through here: no control characters leave.
static void say(struct trunk_registration *registration, enum trunk_registration_status status, const char *format,
		va_list arguments)
{
	enum trunk_registration_status before = registration->status;
	bool is_well = status == TRUNK_REGISTERED || status == TRUNK_REGISTERING;
	char sentence[TRUNK_REGISTRATION_SENTENCE_MAX];

	vsnprintf(sentence, sizeof sentence, format, arguments);
	for (char *c = sentence; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	if (status != before || strcmp(sentence, registration->sentence) != 0)
		log_at(is_well ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "trunk_registration",
		       LOG_UINT("trunk", registration->trunk_id), LOG_STR("title", registration->account.title),
		       LOG_TEXT("from", trunk_registration_status_names[before]),
		       LOG_TEXT("to", trunk_registration_status_names[status]), LOG_TEXT("why", sentence));
	if (status != before)
		registration->since = (int64_t)loop_time_ms(loop_of(registration));
	registration->status = status;
	memcpy(registration->sentence, sentence, sizeof sentence);
	watch_trunk(registration->registrations->endpoint->watch, registration->trunk_id);
}

void trunk_registration_say(struct trunk_registration *registration, enum trunk_registration_status status,
			    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(registration, status, format, arguments);
	va_end(arguments);
}

struct target_name trunk_target_name(const struct sip_target *target)
{
	struct target_name result;
	struct writer w = writer_into(result.text, sizeof result.text - 1);

	net_address_write(&w, &target->address);
	writer_text(&w, " (");
	writer_text(&w, transport_names[target->transport]);
	writer_char(&w, ')');
	result.text[w.used] = '\0';
	return result;
}

// ---- the next attempt

void trunk_registration_wait(struct trunk_registration *registration, uint64_t delay_ms)
{
	timer_start(loop_of(registration), &registration->timer, delay_ms);
}

// RFC 5626 section 4.5: the upper bound doubles with each failure; waited is half of it to all.
static uint64_t back_off_ms(const struct trunk_registration *registration)
{
	unsigned doubled = registration->failures < 7 ? registration->failures : 7;
	uint64_t upper_s = (uint64_t)TRUNK_REGISTER_BASE_S << doubled;

	if (upper_s > TRUNK_REGISTER_MAX_S)
		upper_s = TRUNK_REGISTER_MAX_S;
	return trunk_registration_between_ms(registration, upper_s * 500, upper_s * 1000);
}

static void note_gap(struct trunk_registration *registration)
{
	uint64_t now = now_ms(registration);

	if (registration->registered_ms && now - registration->registered_ms >= TRUNK_REGISTER_STABLE_MS) {
		registration->failures = 0;
		registration->has_flapped = false;
	}
	registration->registered_ms = 0;
	if (registration->until_ms <= now)
		registration->until_ms = 0;
}

void trunk_registration_failed(struct trunk_registration *registration, const char *format, ...)
{
	uint64_t asked_ms = (uint64_t)registration->retry_after_s * 1000;
	va_list arguments;

	note_gap(registration);
	registration->failures++;
	trunk_registration_wait(registration, asked_ms ? trunk_registration_between_ms(registration, asked_ms,
										       asked_ms + asked_ms / 10 + 1000)
						       : back_off_ms(registration));
	if (registration->until_ms == 0)
		timer_stop(&registration->ping);
	va_start(arguments, format);
	say(registration, TRUNK_REGISTRATION_FAILED, format, arguments);
	va_end(arguments);
}

void trunk_registration_refused(struct trunk_registration *registration, const char *format, ...)
{
	va_list arguments;

	note_gap(registration);
	registration->until_ms = 0;
	timer_stop(&registration->ping);
	list_remove(&registration->watch.node);
	trunk_registration_wait(registration,
				trunk_registration_between_ms(registration, PAUSE_S * 500, PAUSE_S * 1000));
	va_start(arguments, format);
	say(registration, TRUNK_REGISTRATION_REFUSED, format, arguments);
	va_end(arguments);
}

// ---- one request

struct register_account trunk_registration_account(const struct trunk_registration *registration)
{
	const struct account *account = &registration->account;

	return (struct register_account){account->user, account->host, account->port};
}

struct sip_credentials trunk_registration_credentials(const struct trunk_registration *registration)
{
	const struct account *account = &registration->account;

	return (struct sip_credentials){account->username, account->password, account->realm};
}

static void write_kept(struct trunk_registration *registration, struct credentials_kept *kept, struct str uri,
		       struct writer *w)
{
	const struct sip_credentials credentials = trunk_registration_credentials(registration);

	(void)sip_auth_write_remembered(w, &kept->memory, &credentials, STR("REGISTER"), uri, loop_of(registration));
}

bool trunk_registration_ask(struct trunk_registration *registration, struct str fresh)
{
	struct sip_endpoint *endpoint = registration->registrations->endpoint;
	const struct register_account account = trunk_registration_account(registration);
	char branch[SIP_BRANCH_SIZE + 1], text[REQUEST_MAX], lines[LINES_MAX], uri[SIP_URI_MAX];
	struct writer contact = writer_into(registration->contact, sizeof registration->contact);
	struct writer extra = writer_into(lines, sizeof lines), w = writer_into(text, sizeof text);
	struct writer request_uri = writer_into(uri, sizeof uri);

	register_write_uri(&account, &request_uri);
	register_write_contact(&account, registration->trunk_id, endpoint->transport, &registration->flow, &contact);
	registration->contact_uri = writer_result(&contact);
	writer_str(&extra, fresh);
	write_kept(registration, &registration->www, writer_result(&request_uri), &extra);
	write_kept(registration, &registration->proxy, writer_result(&request_uri), &extra);
	sip_branch_new(endpoint->loop, branch);
	const struct register_draft draft = {
	    .account = &account,
	    .call_id = str_of(registration->call_id),
	    .from_tag = str_of(registration->from_tag),
	    .branch = str_of(branch),
	    .contact = registration->contact_uri,
	    .cseq = ++registration->cseq,
	    .expires_s = registration->is_leaving ? 0 : registration->expires_s,
	    .extra = writer_result(&extra),
	};
	if (contact.overflow || extra.overflow || !register_write(&draft, endpoint->transport, &registration->flow, &w))
		return false;
	const struct sip_client_request request = {
	    .method = SIP_REGISTER,
	    .branch = draft.branch,
	    .flow = registration->flow,
	    .bytes = writer_result(&w),
	    .large = SIP_LARGE_BY_TCP,
	};
	registration->transaction =
	    sip_client_start(endpoint->transactions, &request, &trunk_registration_handlers, registration);
	return registration->transaction != NULL;
}

// Another server may be asked after the present one.
static bool has_next(const struct trunk_registration *registration)
{
	return registration->is_kept_target ? registration->lookup.count > 1
					    : registration->next < registration->lookup.count;
}

void trunk_registration_ask_target(struct trunk_registration *registration, struct str fresh)
{
	bool is_asked = trunk_registration_ask(registration, fresh);

	if (registration->is_leaving) {
		if (!is_asked)
			trunk_registration_left(registration);
		return;
	}
	timer_stop(&registration->timer);
	if (!is_asked)
		trunk_registration_failed(
		    registration, "A REGISTER could not be made: no memory, or the account's texts are too long.");
	else if (has_next(registration))
		timer_start(loop_of(registration), &registration->timer, SILENCE_MS);
}

static bool flow_toward(const struct trunk_registration *registration, const struct sip_target *target,
			struct flow *flow)
{
	struct sip_transport *transport = registration->registrations->endpoint->transport;

	if (!sip_transport_flow_to(transport, target->transport, &target->address, flow))
		return false;
	if (target->transport == TRANSPORT_TLS) // RFC 5922 section 7.3
		flow->name = sip_transport_name(transport, registration->account.host);
	return true;
}

// False: nobody is left.
static bool try_next(struct trunk_registration *registration)
{
	while (registration->next < registration->lookup.count) {
		const struct sip_target target = registration->lookup.targets[registration->next++];
		struct flow flow;
		if (sip_target_equal(&target, &registration->tried) || !flow_toward(registration, &target, &flow))
			continue;
		list_remove(&registration->watch.node);
		registration->target = target;
		registration->flow = flow;
		trunk_registration_ask_target(registration, STR_NONE);
		return true;
	}
	return false;
}

// ---- finding the registrar

static bool look(struct trunk_registration *registration, enum sip_lookup_purpose purpose);

static void looked(struct trunk_registration *registration)
{
	if (try_next(registration))
		return;
	// Calls leave out who is known to be dead; whoever registers finds out whether that is still so.
	if (registration->lookup.purpose == SIP_TO_SEND && registration->lookup.count == 0) {
		if (look(registration, SIP_TO_RECOGNISE))
			looked(registration);
		return;
	}
	if (registration->why[0])
		trunk_registration_failed(registration, "%s", registration->why);
	else if (registration->lookup.count == 0)
		trunk_registration_failed(registration,
					  "No server is found for the name %.*s: check the name, and DNS.",
					  STR_ARG(registration->account.host));
	else
		trunk_registration_failed(registration, "No socket of ours can speak to %.*s by the trunk's transport.",
					  STR_ARG(registration->account.host));
}

static void lookup_done(struct sip_lookup *lookup)
{
	looked(container_of(lookup, struct trunk_registration, lookup));
}

static bool look(struct trunk_registration *registration, enum sip_lookup_purpose purpose)
{
	struct sip_endpoint *endpoint = registration->registrations->endpoint;
	const struct account *account = &registration->account;
	const struct sip_destination destination = {
	    .host = account->host,
	    .port = account->port,
	    .transports = account->transports,
	    .purpose = purpose,
	};

	registration->next = 0;
	return sip_lookup_start(endpoint->resolver, &registration->lookup, &destination, lookup_done);
}

void trunk_registration_go_on(struct trunk_registration *registration, enum again again)
{
	timer_stop(&registration->timer);
	if (registration->is_kept_target) {
		registration->is_kept_target = false;
		if (again == NEVER_AGAIN)
			registration->tried = registration->target;
		if (look(registration, SIP_TO_SEND))
			looked(registration);
	} else if (!try_next(registration)) {
		trunk_registration_failed(registration, "%s", registration->why);
	}
}

// The server that has the binding first (RFC 5626 section 4.4): the others may not even know of it.
static void attempt(struct trunk_registration *registration)
{
	registration->rounds = registration->retry_after_s = registration->next = 0;
	registration->tried = (struct sip_target){0};
	registration->www.is_fresh = registration->proxy.is_fresh = false;
	registration->why[0] = '\0';
	registration->is_kept_target = registration->until_ms > now_ms(registration);
	if (registration->is_kept_target)
		trunk_registration_ask_target(registration, STR_NONE);
	else if (look(registration, SIP_TO_SEND))
		looked(registration);
}

// ---- timers and connections

void trunk_registration_keep_open(struct trunk_registration *registration)
{
	uint64_t most_ms = registration->flow.transport == TRANSPORT_UDP ? UDP_PING_MS : STREAM_PING_MS;

	timer_start(loop_of(registration), &registration->ping,
		    trunk_registration_between_ms(registration, most_ms * 4 / 5, most_ms));
}

static void ping_due(struct timer *timer)
{
	struct trunk_registration *registration = container_of(timer, struct trunk_registration, ping);
	struct sip_transport *transport = registration->registrations->endpoint->transport;

	if (registration->flow.transport == TRANSPORT_UDP)
		(void)sip_transport_send(transport, &registration->flow, STR("\r\n\r\n"));
	else
		sip_transport_ping(transport, registration->flow.connection);
	trunk_registration_keep_open(registration);
}

static void timer_fired(struct timer *timer)
{
	struct trunk_registration *registration = container_of(timer, struct trunk_registration, timer);

	if (registration->is_leaving) {
		trunk_registration_left(registration);
	} else if (registration->transaction) {
		sip_client_forget(registration->transaction);
		trunk_registration_handlers.failed(registration, NULL, 408);
	} else {
		attempt(registration);
	}
}

// The flow that calls would come by is gone (RFC 5626 section 4.4.3).
static void flow_lost(struct loss_watch *watch)
{
	struct trunk_registration *registration = container_of(watch, struct trunk_registration, watch);

	registration->flow.connection = 0;
	timer_stop(&registration->ping);
	// What is under way is told so itself.
	if (registration->is_leaving || registration->transaction || registration->until_ms == 0)
		return;
	sip_lookup_stop(&registration->lookup);
	note_gap(registration);
	if (registration->has_flapped)
		registration->failures++;
	trunk_registration_wait(registration, registration->has_flapped
						  ? back_off_ms(registration)
						  : trunk_registration_between_ms(registration, 0, AT_ONCE_MS));
	registration->has_flapped = true;
	registration->until_ms = 0;
	trunk_registration_say(registration, TRUNK_REGISTRATION_FAILED, "The connection to %s has ended.",
			       trunk_target_name(&registration->target).text);
}

void trunk_registration_init(struct trunk_registration *registration)
{
	struct loop *loop = loop_of(registration);

	list_init(&registration->watch.node);
	registration->watch.lost = flow_lost;
	timer_init(&registration->timer, timer_fired);
	timer_init(&registration->ping, ping_due);
	dialog_random_text(loop, registration->call_id, 2 * DIALOG_TAG_LENGTH);
	dialog_random_text(loop, registration->from_tag, DIALOG_TAG_LENGTH);
}

void trunk_registration_stop(struct trunk_registration *registration)
{
	timer_stop(&registration->timer);
	timer_stop(&registration->ping);
	sip_lookup_stop(&registration->lookup);
	list_remove(&registration->watch.node);
	if (registration->transaction)
		sip_client_forget(registration->transaction);
	registration->transaction = NULL;
}
