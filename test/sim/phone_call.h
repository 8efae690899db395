// A simulated phone's side of one call: a caller's or a callee's dialog as the phone itself sees it.
#ifndef TEST_SIM_PHONE_CALL_H
#define TEST_SIM_PHONE_CALL_H

#include "sim/phone.h"

enum phone_call_state {
	PHONE_CALL_TRYING,   // the INVITE went out or came in
	PHONE_CALL_RINGING,  // a 18x was sent or came
	PHONE_CALL_ANSWERED, // callee: the 200 was sent, no ACK has come
	PHONE_CALL_TALKING,  // the ACK was sent or came
	PHONE_CALL_OVER,
};

enum { PHONE_LINES_MAX = 200 };

enum decision { DECIDE_ANSWER, DECIDE_REFUSE, DECIDE_NOTHING, DECIDE_VANISH };
enum on_cancel { ON_CANCEL_OBEY, ON_CANCEL_ANSWER, ON_CANCEL_SILENT };

// What a phone is going to do with a call. Times in milliseconds; 0 = never where nothing else is said.
struct manner {
	// A callee.
	bool trying;              // sends a 100
	bool rings;               // sends 18x
	uint64_t ring_after_ms;   // after the INVITE
	uint64_t ring_again_ms;   // between repeated 18x
	unsigned ring_status;     // 180 or 183
	unsigned ring_tags;       // how many To tags the 18x use
	bool early_media;         // 183 with SDP
	enum decision decision;   //
	uint64_t decide_after_ms; // after the INVITE
	unsigned refusal;         // status
	enum on_cancel on_cancel;
	bool answers_twice; // a second 200 with another To tag
	bool says_twice;    // every response is sent two times
	// A caller.
	uint64_t give_up_ms; // CANCELs
	bool no_offer;       // INVITE without SDP
	// Both.
	bool reliable;      // knows 100rel; a callee uses it when it may
	unsigned session_s; // knows session timers, and asks for so many; 0 = does not
	uint64_t vanish_ms; // nothing is sent and nothing heard from then on
	uint64_t talk_ms;   // hangs up
	uint64_t act_ms;    // between things done in the call
};

struct phone_call {
	struct list node;     // in its phone's calls
	struct list leg_node; // callee: in its caller's legs
	struct list legs;     // caller: the callees' calls
	struct phone *phone;
	unsigned number; // in the plane, from 1; in the SDP's origin
	bool incoming;
	bool twin;     // the second dialog of a phone that answered twice
	bool vanished; // deaf and mute
	enum phone_call_state state;
	struct manner manner;
	struct phone_call *peer; // callee: the caller's call, when it could be told
	unsigned talks_to;       // number of the call whose SDP came last, 0 = none
	unsigned sdp_version;

	char call_id[300];
	char local[200], remote[200]; // From and To, without tags
	char local_tag[PHONE_TOKEN_SIZE], remote_tag[100];
	char target[300]; // where requests within the dialog go
	char dialled[64]; // caller; callee of a carrier: the number
	unsigned tags_used;
	uint32_t cseq, remote_cseq;
	struct request *invite;       // caller: while it has no final response
	struct answer *invite_answer; // callee: while it has none
	bool asking;                  // a re-INVITE or UPDATE of ours is under way
	bool challenged;              // the INVITE went out again with credentials
	bool cancel_due;              // as soon as a provisional response comes
	bool offered;                 // the INVITE had SDP

	// What happened, by loop_now_ms; 0 = never.
	uint64_t started_ms; // INVITE sent (with credentials) or arrived
	uint64_t ringing_ms, answered_ms, acked_ms, cancelled_ms, over_ms;
	uint64_t settled_ms;   // caller: final response came, or it gave up
	unsigned final;        // status sent or received
	unsigned cancel_cause; // of the CANCEL's Reason, 0 = none
	bool bye_came, bye_sent;
	bool got_response;
	bool network_failed; // its connection broke while it ran
	bool moved;          // it was transferred, or has talked to several
	bool picked_up;      // a phone that rang for it was told so
	uint64_t heard_ms;   // when the SDP of somebody else came last

	// phone_reliable.c
	uint64_t rseq;         // of the last reliable response, 0 = none
	uint64_t unpracked_ms; // callee: when it was first sent, 0 = it has its PRACK
	uint64_t repeat_ms;
	bool answered_early; // callee: the answer went out reliably
	// phone_timer.c
	char session_lines[PHONE_LINES_MAX]; // callee: of the 200
	unsigned session_s;                  // agreed, 0 = no timer
	bool session_ours;                   // we refresh
	unsigned session_min_s;              // that a 422 asked for
	uint64_t vanished_ms;

	struct timer ring_timer, decide_timer, end_timer, act_timer, vanish_timer, reliable_timer, session_timer;
};

struct phone_call *phone_call_start(struct phone *phone, const char *dialled, const struct manner *manner);
// Requests from the server.
void phone_call_request(struct phone *phone, uint64_t wire, const struct sip_message *request);
void phone_call_unacknowledged(struct phone_call *call, struct answer *answer);         // our 200 had no ACK in 32 s
bool phone_call_vanished(const struct phone *phone, const struct sip_message *message); // the one with its Call-ID
void phone_call_forget_answer(struct phone_call *call, const struct answer *answer);
void phone_call_hang_up(struct phone_call *call); // BYE, CANCEL or a refusal, whatever fits
void phone_call_vanish(struct phone_call *call);
void phone_call_free(struct phone_call *call);
const char *phone_call_state_name(enum phone_call_state state);

// ---- between phone_call.c, phone_caller.c, phone_callee.c and phone_requests.c

enum { PHONE_SDP_MAX = 400 };

struct phone_call *phone_call_new(struct phone *phone, const struct manner *manner);
uint64_t phone_call_now(const struct phone_call *call);
void phone_call_set_state(struct phone_call *call, enum phone_call_state state);
void phone_call_talk(struct phone_call *call);
const char *phone_call_write_sdp(struct phone_call *call, char sdp[PHONE_SDP_MAX]);
void phone_call_hear_sdp(struct phone_call *call, const struct sip_message *message);
struct request_head phone_call_head(struct phone_call *call, enum sip_method method, uint32_t cseq);
void phone_call_nothing_more(struct request *request, const struct sip_message *response); // for answers nobody minds
void phone_call_bye(struct phone_call *call);
void phone_call_acknowledge(struct phone_call *call, struct request *request, const char *body);
void phone_call_learn_target(struct phone_call *call, const struct sip_message *message);
void phone_call_refuse(struct answer *answer, unsigned status); // or any other answer without more
void phone_caller_gives_up(struct phone_call *call);
void phone_caller_waits_no_longer(struct phone_call *call);
void phone_callee_rings(struct timer *timer);   // its ring_timer
void phone_callee_decides(struct timer *timer); // its decide_timer
void phone_callee_refuse(struct phone_call *call, unsigned status);
void phone_callee_take_invite(struct phone *phone, struct answer *answer, const struct sip_message *invite);
void phone_callee_take_cancel(struct phone *phone, uint64_t wire, const struct sip_message *cancel);

#endif
