// Session timers: who refreshes, when, and what happens when nobody does (RFC 4028). Where the choice is ours we refresh
// ourselves: so a phone that is gone is noticed by its silence, and none is hung up on because it forgot.
#include "base/log.h"
#include "sip/owned.h"
#include "sip/session.h"

enum {
	INTERVAL_MAX_S = 7 * 86400,
	REFRESH_AGAIN_MS = 10000, // after a refusal that says nothing about why
	RAISES_MAX = 3,
	GUARD_S = 32, // section 10: how long before its end a session is given up
};

void session_note_said(struct sip_session *session, struct str type, struct str sdp)
{
	struct session_clock *clock = &session->clock;

	if ((clock->updates_taken && !clock->restate_due) || str_empty(sdp)) // an UPDATE needs none
		return;
	if (sdp.at == clock->said.at)
		return;
	if (!owned_set(&clock->said, sdp) || !owned_set(&clock->said_type, type))
		owned_free(&clock->said);
}

// ---- reading

static unsigned seconds_of(struct str value)
{
	uint64_t seconds = 0;
	struct str digits = str_trim(str_first(value, str_index(value, ';')));

	if (!str_to_uint(digits, UINT32_MAX, &seconds))
		return 0;
	return (unsigned)(seconds > INTERVAL_MAX_S ? INTERVAL_MAX_S : seconds);
}

static struct session_ask ask_of(const struct sip_message *message)
{
	struct str value = sip_header_value(message, SIP_HEADER_SESSION_EXPIRES), refresher;
	struct session_ask ask = {
	    .interval_s = seconds_of(value),
	    .knows = sip_list_has(message, SIP_HEADER_SUPPORTED, STR("timer")) ||
		     sip_list_has(message, SIP_HEADER_REQUIRE, STR("timer")),
	};

	if (sip_header_parameter(str_from(value, str_index(value, ';') + 1), STR("refresher"), &refresher)) {
		ask.refresher_uac = str_equal_nocase(refresher, STR("uac"));
		ask.refresher_uas = str_equal_nocase(refresher, STR("uas"));
	}
	return ask;
}

static void note_allow(struct sip_session *session, const struct sip_message *message)
{
	if (sip_header_first(message, SIP_HEADER_ALLOW))
		session->clock.peer_updates =
		    !session->clock.updates_refused && sip_list_has(message, SIP_HEADER_ALLOW, STR("UPDATE"));
}

static unsigned least_s(const struct sip_session *session)
{
	unsigned own = session->endpoint->session_min_s;
	return session->clock.min_s > own ? session->clock.min_s : own;
}

// What we ask for; 0: nothing.
static unsigned wanted_s(const struct sip_session *session)
{
	const struct session_clock *clock = &session->clock;
	unsigned wanted = clock->interval_s ? clock->interval_s : session->endpoint->session_expires_s;

	return wanted && wanted < least_s(session) ? least_s(session) : wanted;
}

// ---- running

static void run(struct sip_session *session)
{
	struct session_clock *clock = &session->clock;
	struct loop *loop = session->endpoint->loop;
	uint64_t whole_ms = (uint64_t)clock->interval_s * 1000;
	unsigned guard_s = clock->interval_s / 3 < GUARD_S ? clock->interval_s / 3 : GUARD_S;

	clock->expires_at_ms = loop_now_ms(loop) + whole_ms - (uint64_t)guard_s * 1000;
	if ((clock->interval_s == 0 || clock->updates_taken) && !clock->restate_due)
		owned_free(&clock->said); // no refresh will need it
	if (clock->interval_s == 0)
		timer_stop(&clock->timer);
	else
		timer_start(loop, &clock->timer, clock->ours ? whole_ms / 2 : whole_ms - (uint64_t)guard_s * 1000);
	log_debug("session_timer", LOG_UINT("session", session->id), LOG_UINT("interval_s", clock->interval_s),
		  LOG_TEXT("refresher", clock->ours ? "ours" : "theirs"));
}

// The other side is gone without a BYE.
static void expired(struct sip_session *session)
{
	struct call_table *calls = session->endpoint->calls;
	uint64_t leg = session->leg;

	log_info("session_expired", LOG_UINT("session", session->id), LOG_UINT("leg", leg));
	session->leg = 0;
	session_bye(session, &session->dialog, LEG_END_EXPIRED, STR_NONE);
	if (leg)
		call_table_expired(calls, leg);
}

// Not beyond the end of the session.
static void again_in(struct sip_session *session, uint64_t delay_ms)
{
	struct session_clock *clock = &session->clock;
	uint64_t now = loop_now_ms(session->endpoint->loop);
	uint64_t left = clock->expires_at_ms > now ? clock->expires_at_ms - now : 0;

	if (clock->interval_s != 0 && delay_ms > left)
		delay_ms = left;
	timer_start(session->endpoint->loop, &clock->timer, delay_ms);
}

// RFC 3261 section 14.1: who made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
static uint64_t glare_ms(const struct sip_session *session)
{
	uint64_t random = loop_random_uint(session->endpoint->loop);

	return session->role == SESSION_CALLEE ? 2100 + random % 191 * 10 : random % 201 * 10;
}

static void refresh(struct sip_session *session);

static void refresh_refused(struct sip_session *session, enum sip_method method, unsigned status)
{
	if (status == 481 || status == 408) {
		expired(session);
	} else if (status == 491) {
		again_in(session, glare_ms(session));
	} else if (method == SIP_UPDATE && (status == 405 || status == 501)) {
		session->clock.peer_updates = false;
		session->clock.updates_refused = true;
		refresh(session);
	} else {
		session->clock.restate_due = false; // it will not be heard
		again_in(session, session->clock.interval_s ? REFRESH_AGAIN_MS : 0);
	}
}

static void refresh_answered(struct exchange *exchange, const struct sip_message *response)
{
	struct sip_session *session = exchange->session;
	enum sip_method method = exchange->method;
	uint32_t cseq = exchange->cseq;

	if (response->status < 200 || exchange_authorise(exchange, response))
		return;
	if (response->status == 422 && session_timer_raise(session, response) && exchange_repeat(exchange))
		return;
	exchange_end(exchange);
	if (response->status < 300) {
		dialog_refresh_target(&session->dialog, response);
		if (method == SIP_INVITE) {
			session_acknowledge(session, &session->dialog, cseq, NULL);
			session->clock.restate_due = false;
		} else {
			session->clock.updates_taken = true;
		}
	}
	if (session->state != SESSION_UP)
		return;
	if (response->status < 300)
		session_timer_answered(session, response);
	else
		refresh_refused(session, method, response->status);
}

static void refresh_failed(struct exchange *exchange, unsigned status)
{
	struct sip_session *session = exchange->session;
	enum sip_method method = exchange->method;

	exchange_end(exchange);
	if (session->state == SESSION_UP)
		refresh_refused(session, method, status);
}

// By UPDATE where the other side takes it, else by re-INVITE with what we said last (RFC 4028 section 7.4).
static void refresh(struct sip_session *session)
{
	struct session_clock *clock = &session->clock;
	bool invite = clock->restate_due || !clock->peer_updates;
	struct exchange_draft draft = {
	    .dialog = &session->dialog,
	    .method = invite ? SIP_INVITE : SIP_UPDATE,
	    .max_forwards = 70,
	    .extra = STR(SIP_ALLOW_LINE SIP_SUPPORTED_LINE),
	    .answered = refresh_answered,
	    .failed = refresh_failed,
	};

	if (session->state != SESSION_UP || session_is_negotiating(session)) {
		again_in(session, glare_ms(session));
		return;
	}
	if (invite)
		draft.body = (struct body){.type = clock->said_type, .bytes = clock->said};
	if ((invite && str_empty(clock->said)) || !exchange_start(session, &draft))
		again_in(session, REFRESH_AGAIN_MS);
	else
		again_in(session, (uint64_t)clock->interval_s * 1000); // its answer will say; this is the end
}

static void clock_strikes(struct timer *timer)
{
	struct sip_session *session = container_of(timer, struct sip_session, clock.timer);
	struct session_clock *clock = &session->clock;
	bool over = clock->interval_s != 0 && loop_now_ms(session->endpoint->loop) >= clock->expires_at_ms;

	if (over && session->state == SESSION_UP)
		expired(session);
	else if (clock->restate_due || (clock->interval_s != 0 && clock->ours))
		refresh(session);
}

void session_restate(struct sip_session *session)
{
	session->clock.restate_due = true;
	refresh(session);
}

void session_timer_init(struct sip_session *session)
{
	timer_init(&session->clock.timer, clock_strikes);
}

void session_timer_clear(struct sip_session *session)
{
	timer_stop(&session->clock.timer);
	session->clock.interval_s = 0;
	session->clock.restate_due = false;
	owned_free(&session->clock.said);
	owned_free(&session->clock.said_type);
}

// ---- their requests

unsigned session_timer_check(const struct sip_endpoint *endpoint, const struct sip_message *request,
			     struct writer *extra)
{
	struct session_ask ask = ask_of(request);

	// Whoever does not know the timer has it from a proxy, and could not obey (RFC 4028 section 9).
	if (!ask.knows || ask.interval_s == 0 || ask.interval_s >= endpoint->session_min_s)
		return 0;
	writer_format(extra, "Min-SE: %u\r\n", endpoint->session_min_s);
	return 422;
}

void session_timer_asked(struct sip_session *session, const struct sip_message *request)
{
	unsigned min_s = seconds_of(sip_header_value(request, SIP_HEADER_MIN_SE));

	note_allow(session, request);
	session->clock.asked = ask_of(request);
	if (min_s > session->clock.min_s)
		session->clock.min_s = min_s;
}

void session_timer_accept(struct sip_session *session, struct writer *extra)
{
	struct session_clock *clock = &session->clock;
	struct session_ask asked = clock->asked;
	unsigned own = session->endpoint->session_expires_s;

	if (asked.interval_s >= least_s(session)) {
		clock->interval_s = own && own < asked.interval_s ? own : asked.interval_s;
	} else {
		clock->interval_s = asked.knows || clock->peer_updates ? own : 0;
	}
	if (clock->interval_s && clock->interval_s < least_s(session))
		clock->interval_s = least_s(session);
	clock->ours = !(asked.knows && asked.refresher_uac);
	clock->asked = (struct session_ask){0};
	if (clock->interval_s) {
		writer_format(extra, "%sSession-Expires: %u;refresher=%s\r\n", clock->ours ? "" : "Require: timer\r\n",
			      clock->interval_s, clock->ours ? "uas" : "uac");
	}
	run(session);
}

// ---- requests of ours

void session_timer_write_request(const struct sip_session *session, struct writer *extra)
{
	const struct session_clock *clock = &session->clock;
	unsigned wanted = wanted_s(session);

	if (!wanted)
		return;
	writer_format(extra, "Session-Expires: %u", wanted);
	if (clock->interval_s) // the roles stay as they are (RFC 4028 section 7.4)
		writer_text(extra, clock->ours ? ";refresher=uac" : ";refresher=uas");
	writer_text(extra, "\r\n");
	if (least_s(session) != SESSION_MIN_S)
		writer_format(extra, "Min-SE: %u\r\n", least_s(session));
}

void session_timer_answered(struct sip_session *session, const struct sip_message *response)
{
	struct session_clock *clock = &session->clock;
	struct session_ask answer = ask_of(response);

	note_allow(session, response);
	clock->ours = !answer.refresher_uas;
	clock->raises = 0;
	if (answer.interval_s)
		clock->interval_s = answer.interval_s;
	else // it knows no timer, but takes our refreshes (RFC 4028 section 7.2)
		clock->interval_s = clock->peer_updates ? wanted_s(session) : 0;
	run(session);
}

bool session_timer_raise(struct sip_session *session, const struct sip_message *response)
{
	struct session_clock *clock = &session->clock;
	unsigned min_s = seconds_of(sip_header_value(response, SIP_HEADER_MIN_SE));

	if (clock->raises == RAISES_MAX || min_s <= least_s(session))
		return false;
	clock->raises++;
	clock->min_s = min_s;
	return true;
}
