// The media relay: one or several rtpengine (Debian's package), told what to do by the ng protocol. The only adapter of
// domain/media.h that carries anything.
#ifndef MEDIA_RTPENGINE_H
#define MEDIA_RTPENGINE_H

#include "domain/media.h"
#include "domain/media_relay.h"

struct loop;
struct rtpengine;

struct rtpengine_relay {
	struct str name; // at most MEDIA_RELAY_NAME_MAX bytes
	struct net_address address;
	unsigned weight; // at least 1
};

struct rtpengine_options {
	struct loop *loop;
	struct rtpengine_relay relays[MEDIA_RELAYS_MAX];
	size_t relay_count;
	struct net_address local;       // to speak from; family 0: whatever leads there
	struct net_address dtmf_listen; // where the relays send the keys that they hear; family 0: nowhere
	bool takes_all;                 // media.takes_all
	// Orders the file that says this: rtpengine_prompt_ready follows, with the same leg and sequence, once this has returned. A
	// refusal: it does not.
	enum err (*prompt_order)(void *context, const struct media_prompt *prompt, uint64_t leg, uint64_t sequence);
	void *prompt_context;
};

// NULL, with errno set: the address for keys cannot be had, or there is no memory. Options and sink are copied. The sink is told
// nothing before the first translate.
struct rtpengine *rtpengine_create(const struct rtpengine_options *options, const struct media_sink *sink);
struct media rtpengine_media(struct rtpengine *rtpengine);
// All on the call thread.
// A file as a relay sees it, and how long it is; NULL: it cannot be had.
void rtpengine_prompt_ready(struct rtpengine *rtpengine, uint64_t leg, uint64_t sequence, const char *path,
			    uint64_t length_ms);
size_t rtpengine_status(const struct rtpengine *rtpengine, struct media_relay_state states[MEDIA_RELAYS_MAX]);
struct net_address rtpengine_dtmf_local(const struct rtpengine *rtpengine); // family 0: it does not listen
void rtpengine_destroy(struct rtpengine *rtpengine);                        // NULL is allowed

#endif
