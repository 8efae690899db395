// Session timers (RFC 4028): a simulated phone refreshes when that is its part, and hangs up when nobody does.
#include "sim/phone_extensions.h"

#include "sim/plane.h"

#include <stdio.h>
#include <string.h>

enum { MIN_S = 90, GUARD_S = 32, AGAIN_MS = 2000 };

struct session_expires {
	unsigned interval_s; // 0 = none
	bool uac, uas;
};

static struct session_expires read_expires(const struct sip_message *message)
{
	const struct str value = sip_header_value(message, SIP_HEADER_SESSION_EXPIRES);
	struct session_expires read = {0};
	struct str refresher;
	uint64_t seconds;
	if (!str_to_uint(str_trim(str_first(value, str_index(value, ';'))), UINT32_MAX, &seconds))
		return read;
	read.interval_s = (unsigned)seconds;
	if (sip_header_parameter(str_from(value, str_index(value, ';') + 1), STR("refresher"), &refresher)) {
		read.uac = str_equal_nocase(refresher, STR("uac"));
		read.uas = str_equal_nocase(refresher, STR("uas"));
	}
	return read;
}

// The refresher at half of it, the other shortly before the end (section 10).
void phone_timer_start(struct phone_call *call)
{
	const unsigned guard_s = call->session_s / 3 < GUARD_S ? call->session_s / 3 : GUARD_S;
	const unsigned wait_s = call->session_ours ? call->session_s / 2 : call->session_s - guard_s;
	if (call->session_s && call->state == PHONE_CALL_TALKING && !call->vanished)
		timer_start(phone_loop(call->phone), &call->session_timer, (uint64_t)wait_s * 1000);
	else
		timer_stop(&call->session_timer);
}

static void agree(struct phone_call *call, unsigned interval_s, bool ours)
{
	call->session_s = interval_s;
	call->session_ours = ours;
	phone_timer_start(call);
}

const char *phone_timer_request_lines(struct phone_call *call, char lines[PHONE_LINES_MAX])
{
	int used = 0;
	lines[0] = '\0';
	if (!call->manner.session_s)
		return lines;
	const unsigned wanted_s = call->session_s ? call->session_s : call->manner.session_s;
	used = snprintf(lines, PHONE_LINES_MAX, "Supported: timer\r\nSession-Expires: %u", wanted_s);
	if (call->session_s)
		used += snprintf(lines + used, PHONE_LINES_MAX - (size_t)used, ";refresher=%s",
				 call->session_ours ? "uac" : "uas");
	used += snprintf(lines + used, PHONE_LINES_MAX - (size_t)used, "\r\n");
	if (call->session_min_s)
		snprintf(lines + used, PHONE_LINES_MAX - (size_t)used, "Min-SE: %u\r\n", call->session_min_s);
	return lines;
}

const char *phone_timer_answer_lines(struct phone_call *call, const struct sip_message *request,
				     char lines[PHONE_LINES_MAX])
{
	const struct session_expires asked = read_expires(request);
	lines[0] = '\0';
	if (!call->manner.session_s || !asked.interval_s) {
		agree(call, 0, false);
		return lines;
	}
	if (asked.interval_s < MIN_S)
		phone_complain(call->phone, call, "a session of %u s", asked.interval_s);
	const bool theirs = asked.uac || (!asked.uas && phone_with_chance(call->phone, 50));
	snprintf(lines, PHONE_LINES_MAX, "%sSession-Expires: %u;refresher=%s\r\n", theirs ? "Require: timer\r\n" : "",
		 asked.interval_s, theirs ? "uac" : "uas");
	agree(call, asked.interval_s, !theirs);
	return lines;
}

void phone_timer_answered(struct phone_call *call, const struct sip_message *response)
{
	const struct session_expires granted = read_expires(response);
	if (granted.interval_s && !call->manner.session_s)
		phone_complain(call->phone, call, "a session timer for one who knows none");
	if (granted.interval_s && !granted.uac && !granted.uas)
		phone_complain(call->phone, call, "a session timer without a refresher");
	if (granted.interval_s && granted.interval_s < call->session_min_s)
		phone_complain(call->phone, call, "a session shorter than Min-SE");
	agree(call, granted.interval_s, granted.uac);
}

bool phone_timer_raise(struct phone_call *call, const struct sip_message *response)
{
	uint64_t least_s = 0;
	if (call->session_min_s || !str_to_uint(sip_header_value(response, SIP_HEADER_MIN_SE), UINT32_MAX, &least_s))
		return false;
	call->session_min_s = (unsigned)least_s;
	if (call->manner.session_s < least_s)
		call->manner.session_s = (unsigned)least_s;
	return true;
}

static void refreshed(struct request *request, const struct sip_message *response)
{
	struct phone_call *call = request->call;
	if (response && response->status < 200)
		return;
	call->asking = false;
	if (call->vanished || call->state != PHONE_CALL_TALKING)
		return;
	if (response && response->status < 300)
		phone_timer_answered(call, response);
	else if (!response || response->status == 481 || response->status == 408)
		phone_call_bye(call);
	else
		timer_start(phone_loop(call->phone), &call->session_timer, AGAIN_MS);
}

static void session_due(struct timer *timer)
{
	struct phone_call *call = container_of(timer, struct phone_call, session_timer);
	char lines[PHONE_LINES_MAX];
	if (call->state != PHONE_CALL_TALKING || call->vanished)
		return;
	if (!call->session_ours) {
		if (plane_is_orderly(call->phone->plane))
			phone_complain(call->phone, call, "nobody refreshes the session");
		phone_call_bye(call);
		return;
	}
	if (call->asking) {
		timer_start(phone_loop(call->phone), timer, AGAIN_MS);
		return;
	}
	call->asking = true;
	const struct request_head head = phone_call_head(call, SIP_UPDATE, ++call->cseq);
	request_send(call->phone, &head,
		     &(struct request_settings){
			 .call = call, .extra = phone_timer_request_lines(call, lines), .done = refreshed});
}

void phone_timer_init(struct phone_call *call)
{
	timer_init(&call->session_timer, session_due);
}
