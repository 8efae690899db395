// Session timers (RFC 4028), and requests of our own that keep a dialog as it is. Each side of a call has its own: what one
// phone negotiated is nothing to the other. For the files of sessions alone.
#ifndef SIP_SESSION_TIMER_H
#define SIP_SESSION_TIMER_H

#include "sip/core.h"

struct sip_session;

enum { SESSION_MIN_S = 90 }; // RFC 4028 section 4: what holds where no Min-SE is written

struct session_clock {
	struct timer timer;     // the next refresh of ours, or the end of the session
	uint64_t expires_at_ms; // by loop_now_ms
	unsigned interval_s;    // agreed; 0: there is no timer
	unsigned min_s;         // the largest Min-SE that was heard; 0: none
	bool ours;              // we refresh
	unsigned raises;        // 422 obeyed in a row
	bool peer_updates;      // the other side allows UPDATE
	bool updates_taken;     // and has taken one of ours
	bool updates_refused;   // whatever it says it allows
	bool restate_due;       // what we said last has to be said again, by re-INVITE
	struct session_ask {    // what their last INVITE or UPDATE asked for
		unsigned interval_s;
		bool knows, refresher_uac, refresher_uas;
	} asked;
	// Our last session description, kept where a refresh would need it: owned.
	struct str said_type, said;
};

void session_timer_init(struct sip_session *session);
void session_timer_clear(struct sip_session *session); // stops, gives back

// ---- their requests

// Whether a request asks for less than we grant: 422, and `extra` has the Min-SE line. 0: it does not.
unsigned session_timer_check(const struct sip_endpoint *endpoint, const struct sip_message *request,
			     struct writer *extra);
// An INVITE or UPDATE of theirs: what its 2xx will be measured by.
void session_timer_asked(struct sip_session *session, const struct sip_message *request);
// The lines of that 2xx; the timer runs from here on.
void session_timer_accept(struct sip_session *session, struct writer *extra);

// ---- requests of ours

// The lines of an INVITE or UPDATE.
void session_timer_write_request(const struct sip_session *session, struct writer *extra);
// A 2xx to one: the timer runs as it says.
void session_timer_answered(struct sip_session *session, const struct sip_message *response);
// A 422: true when the request may be sent once more, with the Min-SE it wants (RFC 4028 section 7.4). Three times, each time
// for more.
bool session_timer_raise(struct sip_session *session, const struct sip_message *response);

// ---- what was said

// A session description of ours went out.
void session_note_said(struct sip_session *session, struct str type, struct str sdp);
// What noted last goes out once more, in a re-INVITE, as soon as nothing else is under way.
void session_restate(struct sip_session *session);

#endif
