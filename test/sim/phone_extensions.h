// What some simulated phones know beyond RFC 3261: reliable provisional responses (RFC 3262, phone_reliable.c) and session
// timers (RFC 4028, phone_timer.c). Each phone keeps its own books, and complains about a server that breaks the rules.
#ifndef TEST_SIM_PHONE_EXTENSIONS_H
#define TEST_SIM_PHONE_EXTENSIONS_H

#include "sim/phone_call.h"

// ---- reliable provisional responses

void phone_reliable_init(struct phone_call *call);
// A caller: a provisional response came. What is reliable gets its PRACK.
void phone_reliable_heard(struct phone_call *call, const struct sip_message *response);
// A callee: what the INVITE allows and demands.
void phone_reliable_invited(struct phone_call *call, const struct sip_message *invite);
// The lines of a 18x; "" when it is sent as of old.
const char *phone_reliable_lines(struct phone_call *call, bool media, char lines[PHONE_LINES_MAX]);
bool phone_reliable_waits(const struct phone_call *call); // for a PRACK: nothing else is said meanwhile
void phone_reliable_pracked(struct phone *phone, struct answer *answer, const struct sip_message *prack);

// ---- session timers

void phone_timer_init(struct phone_call *call);
// The lines of an INVITE, re-INVITE or UPDATE.
const char *phone_timer_request_lines(struct phone_call *call, char lines[PHONE_LINES_MAX]);
// A request came that may have asked for a timer: the lines of its 2xx, and the timer runs.
const char *phone_timer_answer_lines(struct phone_call *call, const struct sip_message *request,
				     char lines[PHONE_LINES_MAX]);
void phone_timer_answered(struct phone_call *call, const struct sip_message *response); // a 2xx to one of ours
// A 422: true when it may be asked once more.
void phone_timer_start(struct phone_call *call); // what was agreed counts from now on, once the call is up
bool phone_timer_raise(struct phone_call *call, const struct sip_message *response);

#endif
