// The port to the media relay. Legs between a plain phone and a browser, Teams, a NAT or a prompt need one; without a relay
// such a leg is refused with ERR_NO_MEDIA_RELAY and the other legs do not notice.
//
// The domain hands every session description that goes from one leg to another through it and passes on what comes back
// (anchor.c). A side is a leg, named by its id, which is never used again. Nothing here waits, and nothing calls back before
// it returns: what comes of it, and what the relay sees by itself, is told through struct media_sink. After release nothing
// is told of that side any more but its quality.
#ifndef DOMAIN_MEDIA_H
#define DOMAIN_MEDIA_H

#include "base/net.h"
#include "base/str.h"
#include "domain/err.h"

struct body;

// What a side can carry.
enum media_kind {
	MEDIA_PLAIN,   // RTP/AVP
	MEDIA_BROWSER, // UDP/TLS/RTP/SAVPF: DTLS-SRTP, ICE, rtcp-mux (RFC 8827)
	MEDIA_TEAMS,   // RTP/SAVP: SDES with AES_CM_128_HMAC_SHA1_80, required both ways (RFC 4568)
};

struct media_side {
	uint64_t leg;
	unsigned number; // of the leg within the call record; 0 is the caller
	enum media_kind kind;
	bool behind_nat; // where its packets come from counts, not what its description says
	struct net_address
	    heard_from; // then: where its messages come from, and so its packets, most likely; none: not known
};

// One description on its way from a side to another. All borrowed for the length of the call.
struct media_exchange {
	uint64_t token;    // comes back with the result
	struct str record; // the call record's id; several exchanges of a call share it
	struct media_side from, to;
	bool is_answer; // to the offer that went the other way last
	const struct body *body;
};

enum prompt {
#define PROMPT(name, text) PROMPT_##name,
#include "domain/prompts.def"
#undef PROMPT
	PROMPT_COUNT
};
extern const char *const prompt_names[PROMPT_COUNT];

// All borrowed for the length of the call.
struct media_prompt {
	enum prompt prompt;
	struct str language; // "en", "cs"
	struct str caller;   // PROMPT_CALL: the extension or number that calls, or empty: not known, or not to be said
	uint64_t caller_user_id; // whose name may have been recorded; 0: nobody's
};

// What a side received from the relay and sent to it, as far as the relay saw.
struct media_quality {
	struct str record;
	unsigned number;      // of the leg, as in media_side
	struct str relay;     // its name
	struct str codec;     // "PCMA", "opus"; empty: nothing came
	uint64_t packets;     // received from this side
	uint64_t lost;        // of them
	unsigned jitter_ms;   // mean, interarrival (RFC 3550 6.4.1)
	unsigned mos_hundred; // mean opinion score by 100, 100 to 500; 0: not known
};

struct media {
	void *context;
	bool takes_all; // every call goes through it while it is available, not only those that need it
	// Whether a leg that needs the relay can have one now. The rest is asked for when this says yes.
	bool (*available)(void *context);
	// What the side `to` is to get in place of the body: translated or failed within 5 s, with the token. The refusal, or both
	// sides are the relay's until they are released.
	enum err (*translate)(void *context, const struct media_exchange *exchange);
	// Says it to this side alone, in place of what it hears. prompt_over comes at its end, not when it was stopped or another
	// one took its place.
	enum err (*play)(void *context, uint64_t leg, const struct media_prompt *prompt);
	void (*stop)(void *context, uint64_t leg); // nothing plays after this; harmless when nothing does
	// The leg is over: whatever it had with any other side ends, its ports are free at once. Harmless for one never seen.
	void (*release)(void *context, uint64_t leg);
};

// What the adapter says, on the call thread.
struct media_sink {
	void *context;
	void (*translated)(void *context, uint64_t token, const struct body *body);
	void (*failed)(void *context, uint64_t token);
	void (*prompt_over)(void *context, uint64_t leg);
	void (*key_pressed)(void *context, uint64_t leg, char key); // '0' to '9', '*', '#', 'A' to 'D'
	void (*lost)(void *context, uint64_t leg); // its relay is gone; the next exchange takes another one
	void (*quality)(void *context, const struct media_quality *quality); // after release
};

#endif
