// Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): as server towards devices, as client towards trunks.
// MD5 and SHA-256, qop=auth. Nonces carry their own time under a key of this process; the only state is which counts of
// a nonce were used. The same answer and the same work for an unknown user and a wrong password.
#ifndef SIP_AUTH_H
#define SIP_AUTH_H

#include "base/digest.h"
#include "base/loop.h"
#include "sip/message.h"

struct sip_auth; // server side

struct sip_auth_secret {
	struct str ha1_md5;    // 32 hex digits; empty = unknown user
	struct str ha1_sha256; // 64 hex digits
};

enum sip_auth_result {
	SIP_AUTH_OK,
	SIP_AUTH_NONE,  // no credentials for our realm: challenge
	SIP_AUTH_WRONG, // unknown user or wrong password: challenge anew, or 403; the caller treats both alike
	SIP_AUTH_STALE, // the nonce is too old, was not issued to this source, or its count was used (and then the response is
			// right): challenge with stale=true
	SIP_AUTH_MALFORMED, // 400
};

// nonce_life_s: how long a nonce is good for. NULL when there is no memory.
struct sip_auth *sip_auth_create(struct loop *loop, struct str realm, unsigned nonce_life_s);
void sip_auth_set_nonce_life(struct sip_auth *auth, unsigned nonce_life_s);
void sip_auth_destroy(struct sip_auth *auth);
// What challenges offer, best first, separated by spaces: "SHA-256 MD5" unless told otherwise. False, and nothing changes, when
// it names none or something else. RFC 8760 has old clients skip what they do not know; many give up instead.
bool sip_auth_offer(struct sip_auth *auth, struct str algorithms);
// The username in the credentials for our realm (unescaped into `name`, NUL-terminated), so that its secret can be looked up.
// False when there are none, or a name that is too long or holds a NUL. Authorization for REGISTER and in-dialog requests, Proxy-Authorization too: either is taken.
bool sip_auth_username(const struct sip_auth *auth, const struct sip_message *request, char *name, size_t size);
// Any of the secrets will do; all are compared. One with empty hashes does the same work as a known one and gives SIP_AUTH_WRONG.
// A password is only ever compared for a nonce that was issued to `from`: neither can a guess be made in somebody else's name,
// nor does any go uncounted.
enum sip_auth_result sip_auth_check(struct sip_auth *auth, const struct net_address *from,
				    const struct sip_message *request, const struct sip_auth_secret *secrets,
				    size_t count);
// Writes the WWW-Authenticate (401) or Proxy-Authenticate (407) lines, one for each algorithm offered.
void sip_auth_write_challenge(struct sip_auth *auth, const struct net_address *to, struct writer *w, unsigned status,
			      bool stale);

// ---- client side

struct sip_credentials {
	struct str username, password;
	struct str realm; // the only realm answered; empty = any, but then only once per transaction
};

// Writes the Authorization or Proxy-Authorization line that answers the best challenge in `response` (401 or 407). False,
// with nothing written, when none can be answered: unknown algorithm, no qop=auth among those offered, another realm, or
// credentials that were refused: with a previous_nonce (that of the refused ones) only a challenge with stale=true and
// another nonce is answered.
bool sip_auth_write_answer(struct writer *w, const struct sip_message *response,
			   const struct sip_credentials *credentials, struct str method, struct str uri,
			   struct str previous_nonce, struct loop *loop);
// The nonce that sip_auth_write_answer would answer, as received; to be kept as the next previous_nonce. STR_NONE when none
// can be answered.
struct str sip_auth_answered_nonce(const struct sip_message *response, const struct sip_credentials *credentials);

// A challenge kept, so that later requests to the same peer carry credentials at once: nc counts on, and the peer need not
// challenge each of them. All zero = nothing kept.
struct sip_auth_memory {
	char challenge[1024];
	size_t length; // of it; 0 = none
	uint32_t used; // the last nc that was sent
	bool proxy;
};
// Keeps the challenge that sip_auth_write_answer answered with nc 1; nothing when it is too long or has no qop.
void sip_auth_remember(struct sip_auth_memory *memory, const struct sip_message *response,
		       const struct sip_credentials *credentials);
// The challenge says that what was kept was answered rightly, and only its nonce is too old: same realm, another nonce, stale=true.
bool sip_auth_is_stale(const struct sip_auth_memory *memory, const struct sip_message *response,
		       const struct sip_credentials *credentials);
// False, with nothing written, when there is nothing kept.
bool sip_auth_write_remembered(struct writer *w, struct sip_auth_memory *memory,
			       const struct sip_credentials *credentials, struct str method, struct str uri,
			       struct loop *loop);

#endif
