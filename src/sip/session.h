// A session: one leg of a call as signalling sees it, from its INVITE to the answer to its BYE. The domain knows it by its id.
// invite_client.c makes those that we ring, invite_server.c those of callers; what both have in common is in session.c (life,
// ACK, BYE), exchange.c (our own requests) and session_requests.c (what the other side asks).
#ifndef SIP_SESSION_H
#define SIP_SESSION_H

#include "sip/core.h"
#include "sip/dialog.h"
#include "sip/identity.h"
#include "sip/session_timer.h"

enum session_role { SESSION_CALLEE, SESSION_CALLER }; // whom we talk to: somebody we ring, or somebody who called

enum session_state {
	SESSION_STARTING,   // INVITE sent or received, nothing said yet
	SESSION_RINGING,    // a provisional answer
	SESSION_CANCELLING, // callee: we gave up, the final answer is awaited
	SESSION_ANSWERED,   // a 2xx without its ACK: theirs awaits ours, ours awaits theirs
	SESSION_UP,
	SESSION_LEAVING,   // to be hung up as soon as the ACK of our 2xx is here
	SESSION_ENDING,    // our BYE is under way
	SESSION_LINGERING, // over; only repetitions of the 2xx still get their ACK
	SESSION_OVER,      // about to be freed
	SESSION_STATE_COUNT
};

// A request of ours and its transaction.
struct exchange {
	struct list node; // in its session's list
	struct sip_session *session;
	struct sip_dialog *dialog;                  // the session's, or one of its forks
	struct sip_client_transaction *transaction; // NULL once it has been forgotten
	enum sip_method method;
	uint32_t cseq;
	unsigned max_forwards;
	uint64_t token;                    // the domain's, for what it asked
	bool authorised;                   // credentials were sent once
	bool offers;                       // it has an offer, or asks for one
	struct str extra, body_type, body; // owned, kept only where a challenge may have to be answered
	void (*answered)(struct exchange *exchange, const struct sip_message *response); // every response
	void (*failed)(struct exchange *exchange, unsigned status);                      // no response: 408, 503
};

// A request of theirs that the domain has to answer.
struct question {
	struct sip_server_transaction *transaction; // NULL: this place is free
	uint64_t id;
	uint32_t cseq;
	uint8_t method; // enum sip_method
	bool offers;    // its answer is an answer to an offer
	bool silent;    // a REFER that wants no NOTIFY
};

// The REFER of theirs that they are told about.
struct referral {
	uint64_t question; // 0: none
	uint32_t cseq;
	bool is_first; // in the dialog
};

enum {
	QUESTIONS_MAX = 4,
	EARLY_MAX = 16,
	FORKS_MAX = 8,
	PROGRESS_AGAIN_MS =
	    60000, // proxies on the way give up after three minutes of silence (RFC 3261 section 13.3.1.1)
};

// One branch of our INVITE that has given itself a tag but not yet answered.
struct early {
	struct list node;
	uint32_t remote_cseq;
	bool remote_cseq_known;
	struct str tag; // owned
	// Once it has answered reliably (RFC 3262):
	struct sip_dialog *dialog; // owned, from the fork pool; NULL before
	uint32_t rseq;             // of its last reliable answer
	bool answer_due;           // that brought an offer: the PRACK waits for early_answer
	bool settled;              // an offer and its answer have been exchanged
	struct str sdp_type, sdp;  // owned: its answer to our INVITE's offer, or its own offer
};

// Our provisional answers to a caller (RFC 3262). One at a time waits for its PRACK; what is said meanwhile is held.
struct reliable {
	bool supported, required; // by the INVITE
	bool waits;               // the last one, for its PRACK
	bool has_sdp;             // it has a session description, so that no 2xx may overtake it
	bool offered;             // which is an offer: the INVITE had none
	bool settled;             // an offer and its answer have been exchanged
	uint32_t rseq;            // of the last one
	uint32_t repeat_ms;
	uint64_t give_up_at_ms;
	struct str sdp;                  // owned: what was said last so
	unsigned held_status;            // 0: nothing is held; 200: the answer
	struct str held_type, held_body; // owned
};

struct sip_session {
	struct sip_endpoint *endpoint;
	uint64_t id;
	uint64_t leg; // the domain's; 0 = it does not know us yet, or no more
	enum session_role role;
	enum session_state state;
	uint64_t device_id, trunk_id; // who the other side is; one of them
	struct hash_node by_tag;
	struct hash_node by_origin; // callers
	struct sip_dialog dialog;
	struct loss_watch watch;             // on the connection that the dialog uses
	struct list exchanges;               // requests of ours
	struct trunk_leg *trunk_leg;         // callee over a trunk, until somebody rings; owned
	struct trunk_account *trunk_account; // whose password answers challenges; owned
	uint16_t trunk_name;                 // flow.name of the trunk's host
	uint16_t expected;                   // flow.name of the trunk's target that it was sent to; 0: the trunk's host
	bool is_teams;                       // the trunk's profile when it began
	bool offered;                        // the INVITE had a session description
	bool offers_reliable;                // callee: the INVITE says that we know 100rel
	uint32_t invite_cseq;                // of the INVITE that made it
	uint32_t abandoned_cseq;             // of the last INVITE that was given up for another target
	struct list early;                   // callee: branches without a final answer
	struct list forks;                   // callee: dialogs of further 2xx, answered with ACK and BYE
	struct question questions[QUESTIONS_MAX];
	uint64_t last_question;

	// A 2xx of ours to an INVITE, repeated until its ACK comes (RFC 3261 section 13.3.1.4); before it the INVITE itself.
	struct sip_server_transaction *invite;
	struct timer timer; // repetitions of it; while ringing, of the provisional answer; while lingering, the end
	uint64_t repeat_ms;
	uint64_t give_up_at_ms;
	uint64_t linger_until_ms;
	uint32_t answered_cseq; // of the INVITE that it answers
	bool ack_due;           // their 2xx to an INVITE of ours waits for acknowledge()
	uint32_t due_cseq;      // of that INVITE
	unsigned last_provisional;
	struct reliable reliable; // callers
	int end;                  // enum leg_end, for the BYE
	struct str said;          // owned, likewise
	struct session_clock clock;
	struct referral referral;

	struct str authorization; // owned: the line that the INVITE was accepted with, for its ACK
};

// ---- life (session.c)

struct sip_session *session_new(struct sip_endpoint *endpoint, enum session_role role); // NULL when there is no memory
// Into the tables, once the dialog has its tag. False when there is no memory.
bool session_enter(struct sip_session *session);
struct sip_session *session_find(const struct sip_endpoint *endpoint, uint64_t id);
// The dialog uses another connection from now on: noticed when it breaks, so that the next request goes where the Contact says.
void session_watch_flow(struct sip_session *session);
// Of a request in a dialog (To has our tag), or of a response (From has it).
struct sip_session *session_of_request(const struct sip_endpoint *endpoint, const struct sip_message *request);
struct sip_session *session_of_response(const struct sip_endpoint *endpoint, const struct sip_message *response);
struct sip_session *session_of_tag(const struct sip_endpoint *endpoint, struct str local_tag, struct str call_id);
void session_set_state(struct sip_session *session, enum session_state state);
// The transaction of our 2xx has ended by itself before its ACK came.
void session_lost_invite(struct sip_session *session);
// Forgets every transaction and gives all back.
void session_free(struct sip_session *session);
// The BYE is answered, or none was needed: frees, or waits for late 2xx if there can be any.
void session_finish(struct sip_session *session);

// ---- requests of ours (exchange.c)

struct exchange_draft {
	struct sip_dialog *dialog;
	enum sip_method method;
	unsigned max_forwards;
	uint64_t token;
	struct str extra;
	struct body body;
	void (*answered)(struct exchange *exchange, const struct sip_message *response);
	void (*failed)(struct exchange *exchange, unsigned status);
};
// NULL when there is no memory or it does not fit.
struct exchange *exchange_start(struct sip_session *session, const struct exchange_draft *draft);
// The handler is through with it.
void exchange_end(struct exchange *exchange);
// An INVITE's, or one without lines or body of its own: the same once more, with its session timer as it is now.
bool exchange_repeat(struct exchange *exchange);
// A 401 or 407 that the trunk's password answers: sent once more. False: it stands as it is.
bool exchange_authorise(struct exchange *exchange, const struct sip_message *response);
// Requests that carry an offer of media, or may: one at a time, either way (RFC 3261 section 14, RFC 3311 section 5).
static inline bool session_may_offer(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_UPDATE;
}
// The INVITE or UPDATE of ours in this dialog whose offer has no answer yet, or NULL.
struct exchange *session_offer(const struct sip_session *session, const struct sip_dialog *dialog);
// An offer is open in the dialog, either way, or the ACK that closes the last one is on its way.
bool session_is_negotiating(const struct sip_session *session);
// Where the dialog's next request goes, and by which of our sockets.
struct flow session_next_hop(const struct sip_session *session, const struct sip_dialog *dialog);

// ---- the rest of a dialog's life (session.c)

// The body of a message, as a slice of it.
struct body session_body(const struct sip_message *message);
// ACK for a 2xx with this CSeq, kept for its repetitions.
void session_acknowledge(struct sip_session *session, struct sip_dialog *dialog, uint32_t cseq,
			 const struct body *body);
// The 2xx to an INVITE of ours came again: this one's or an earlier one's ACK was lost.
void session_repeat_ack(struct sip_session *session, struct sip_dialog *dialog, uint32_t cseq);
// Ends a confirmed dialog in whatever way its state needs. The domain is told nothing any more.
void session_hang_up(struct sip_session *session, enum leg_end why, struct str said);
void session_bye(struct sip_session *session, struct sip_dialog *dialog, enum leg_end why, struct str said);
enum err session_request(struct sip_session *session, uint64_t token, const struct dialog_request *request);
// The Reason header's value for an ending, or else what the other side of the call said itself. A carrier is told in the telephone
// network's words as well.
struct str session_reason(const struct sip_session *session, enum leg_end why, struct str said);
// What a CANCEL or BYE says of why (RFC 3326), as one value.
struct str session_said(const struct sip_message *request, struct writer *w);

// ---- requests of theirs (session_requests.c)

// In a dialog of this session; the transaction layer has not seen it before.
void session_receive(struct sip_session *session, const struct flow *from, const struct sip_message *request);
// A request of theirs that the domain has to answer.
void session_ask_domain(struct sip_session *session, const struct flow *from, const struct sip_message *request,
			enum dialog_method method);
// Whether an INVITE or UPDATE of theirs waits for its answer.
bool session_asked_to_answer(const struct sip_session *session);
void session_reply(struct sip_session *session, uint64_t question, unsigned status, const struct body *body);
// Sends our 2xx to an INVITE and repeats it until the ACK is here.
bool session_answer_invite(struct sip_session *session, struct sip_server_transaction *invite, uint32_t cseq,
			   const struct body *body);
// No 2xx could be sent: the call ends as if it had never been acknowledged, but not from within this function.
void session_cannot_answer(struct sip_session *session);
// All questions get this status; for when the dialog ends under them.
void session_drop_questions(struct sip_session *session, unsigned status);
extern const struct sip_server_handlers session_server_handlers;

// ---- the branches of an INVITE of ours (early.c)

struct early *early_find(const struct sip_session *session, struct str tag);
// A provisional answer with a tag. False when it says nothing: a repetition, out of order (RFC 3262 section 4), or that a branch is
// over (199).
bool early_heard(struct sip_session *session, const struct sip_message *response);
// The domain's answer to the offer that a reliable answer brought: it goes into the PRACK.
void early_answer(struct sip_session *session, const struct body *body);
// The branch that can take an UPDATE, or NULL.
struct early *early_settled(const struct sip_session *session);
// This one has answered: the session's dialog goes on where it was. Gives what it answered reliably, owned by the caller now.
struct body early_win(struct sip_session *session, const struct sip_message *response);
void early_drop_all(struct sip_session *session); // no branch rings any more

// ---- a leg that we ring (invite_client.c)

enum err invite_client_start(struct sip_endpoint *endpoint, const struct outgoing_invite *invite, uint64_t *session);
void invite_client_cancel(struct sip_session *session, enum leg_end why, struct str said);
// A device's 3xx goes to the domain with the numbers that it names (redirection.c). The session no longer has the leg.
void session_redirected(uint64_t leg, const struct sip_session *session, const struct sip_message *response);
// A 2xx to an INVITE that no transaction wanted: a repetition, or another branch's.
void invite_client_late(struct sip_session *session, const struct sip_message *response);

// ---- a caller's leg (invite_server.c)

// An INVITE outside any dialog, of somebody who is known.
void invite_server_received(struct sip_endpoint *endpoint, const struct flow *from, const struct sip_message *invite,
			    const struct identity *who);
// Whether the same INVITE has come already, by another way (RFC 3261 section 8.2.2.2).
bool invite_server_merged(const struct sip_endpoint *endpoint, const struct sip_message *invite);
void invite_server_progress(struct sip_session *session, unsigned status, const struct body *body);
void invite_server_accept(struct sip_session *session, const struct body *body);
void invite_server_refuse(struct sip_session *session, const struct refusal *refusal);
void invite_server_repeat_progress(struct sip_session *session);

// ---- its reliable provisional answers (reliable.c)

bool reliable_wanted(const struct sip_session *session, const struct body *body);
// The lines of such an answer, before it is sent; it is repeated from then on.
void reliable_begin(struct sip_session *session, const struct body *body, struct writer *extra);
void reliable_repeat(struct sip_session *session); // its time has come
// Said while another one waits: true when it is held.
bool reliable_hold(struct sip_session *session, unsigned status, const struct body *body);
void reliable_clear(struct sip_session *session);
void reliable_receive_prack(struct sip_session *session, const struct flow *from, const struct sip_message *prack);

#endif
