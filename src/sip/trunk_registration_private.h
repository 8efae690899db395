// What the files of the trunks' registrations share: trunk_registration.c asks for one,
// trunk_registration_answer.c reads the answers, trunk_registrations.c has all of them.
// Nobody else includes this.
#ifndef SIP_TRUNK_REGISTRATION_PRIVATE_H
#define SIP_TRUNK_REGISTRATION_PRIVATE_H

#include "sip/dialog.h"
#include "sip/register_request.h"
#include "sip/trunk_registration.h"

// What is registered: the trunk's fields as they were when this was begun. Texts are owned.
struct account {
	struct str title, host, user, username, password, realm;
	uint16_t port;
	unsigned transports; // bits, 1 << TRANSPORT_...
	unsigned expires_s;
};

struct credentials_kept {
	struct sip_auth_memory memory;
	bool is_fresh; // answered in this attempt
};

struct trunk_registration {
	struct list node; // in registrations->all
	struct trunk_registrations *registrations;
	uint64_t trunk_id;
	struct account account;
	char call_id[2 * DIALOG_TAG_LENGTH + 1], from_tag[DIALOG_TAG_LENGTH + 1];
	uint32_t cseq;
	unsigned expires_s; // asked for: the trunk's, or what a 423 wanted
	bool is_leaving;    // its binding is being taken back, then it is gone

	// The attempt under way.
	struct sip_lookup lookup;
	unsigned next;           // in lookup.targets
	bool is_kept_target;     // the server that has the binding is asked first, without looking
	struct sip_target tried; // that one, when it failed in this attempt; family 0 = none
	struct sip_client_transaction *transaction;
	unsigned rounds, retry_after_s;
	char why[TRUNK_REGISTRATION_SENTENCE_MAX]; // the last server was of no use
	struct credentials_kept www, proxy;

	// Where the binding is, or was last.
	struct sip_target target; // family 0 = none
	struct flow flow;
	struct loss_watch watch;
	char contact[CONTACT_MAX];
	struct str contact_uri; // in `contact`
	struct str routes;      // owned: Service-Route
	uint64_t registered_ms; // since when without a gap; 0 = it is not
	uint64_t until_ms;      // loop_now_ms; 0 = there is no binding
	unsigned failures;      // in a row
	bool has_flapped;       // its connection ended, and it was made anew at once

	struct timer
	    timer; // the next attempt; while one is under way, the silence of its server; while leaving, its end
	struct timer ping;
	enum trunk_registration_status status;
	unsigned last_status;
	int64_t since; // wall clock
	char sentence[TRUNK_REGISTRATION_SENTENCE_MAX];
};

struct trunk_registrations {
	struct sip_endpoint *endpoint;
	struct list all; // few, searched in order
	void (*left)(void *context);
	void *left_context;
	struct timer leave; // its last moment
	bool is_leaving;
};

// ---- trunk_registration.c

// Its registrations, trunk_id and account are set already.
void trunk_registration_init(struct trunk_registration *registration);
// The next attempt is made then.
void trunk_registration_wait(struct trunk_registration *registration, uint64_t delay_ms);
// A random time, both ends included.
uint64_t trunk_registration_between_ms(const struct trunk_registration *registration, uint64_t least, uint64_t most);
void trunk_registration_say(struct trunk_registration *registration, enum trunk_registration_status status,
			    const char *format, ...) __attribute__((format(printf, 3, 4)));
// No binding has come of the attempt: another one, later.
void trunk_registration_failed(struct trunk_registration *registration, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The carrier has said no: asking again soon would only make it ban us.
void trunk_registration_refused(struct trunk_registration *registration, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// "192.0.2.1:5060 (udp)", for sentences.
struct target_name {
	char text[96];
};
struct target_name trunk_target_name(const struct sip_target *target);
struct register_account trunk_registration_account(const struct trunk_registration *registration);
struct sip_credentials trunk_registration_credentials(const struct trunk_registration *registration);
// To registration->target along registration->flow. `fresh` are the lines that answer a challenge which is not kept. False: it
// could not even be tried.
bool trunk_registration_ask(struct trunk_registration *registration, struct str fresh);
// The same, with what follows when it cannot be tried, or is not answered.
void trunk_registration_ask_target(struct trunk_registration *registration, struct str fresh);
enum again { NEVER_AGAIN, BY_A_NEW_CONNECTION };
// The present server is of no use in this attempt, or its connection is: the next one, if there is any, or a later attempt.
void trunk_registration_go_on(struct trunk_registration *registration, enum again again);
// Something is said along the flow before NATs on the way forget it.
void trunk_registration_keep_open(struct trunk_registration *registration);
// Nothing of it runs any more, and it hears of nothing.
void trunk_registration_stop(struct trunk_registration *registration);

// ---- trunk_registration_answer.c

extern const struct sip_client_handlers trunk_registration_handlers;

// ---- trunk_registrations.c

// Its binding has been taken back, as far as that went. Frees it.
void trunk_registration_left(struct trunk_registration *registration);

#endif
