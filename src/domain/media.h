// The port to the media relay. Legs between a plain phone and a browser, Teams or a prompt need one; without a relay such
// a leg is refused with ERR_NO_MEDIA_RELAY and the other legs do not notice.
//
// A leg goes through the relay from offer to release. The domain names it by its leg id, and all legs of one call by the
// call's id: rtpengine knows the first as a tag and the second as a call-id (ng protocol), of which several offers differ
// by their branch. Nothing here waits, and nothing calls back before it returns. What comes of it, and what the relay sees
// by itself, is told through call_table.h: media_offered, media_answered, prompt_over, key_pressed, media_lost. After release
// nothing is told of the leg any more.
#ifndef DOMAIN_MEDIA_H
#define DOMAIN_MEDIA_H

#include "base/str.h"
#include "domain/err.h"

struct body;

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

struct media {
	void *context;
	// Whether a leg that needs the relay can be offered one now. The rest is asked for when this says yes.
	bool (*available)(void *context);
	// What the leg is to be offered in place of `offer`, the caller's own; where that is empty, something of the relay's:
	// media_offered within 5 s, or media_lost. The refusal, or the leg is the relay's until release.
	enum err (*offer)(void *context, uint64_t call, uint64_t leg, const struct body *offer);
	// What the leg answered: it can hear the relay. Brings media_answered: what the caller is to get in our 200, the answer
	// to his offer, or an offer where he made none.
	enum err (*answer)(void *context, uint64_t leg, const struct body *answer);
	// The answer to such an offer, from the caller's ACK.
	void (*complete)(void *context, uint64_t leg, const struct body *answer);
	// Says it to this leg alone, in place of what it hears (play media, from-tag). prompt_over comes at its end, not when it was
	// stopped or another one took its place.
	enum err (*play)(void *context, uint64_t leg, const struct media_prompt *prompt);
	void (*stop)(void *context, uint64_t leg); // nothing plays after this; harmless when nothing does
	void (*release)(void *context, uint64_t leg);
};

#endif
