// How a session description is to be changed on its way from a side to another: the commands of the ng protocol for it.
#ifndef MEDIA_DESCRIPTION_H
#define MEDIA_DESCRIPTION_H

#include "domain/media.h"

#include <jansson.h>

// What the sender says of its media. The texts stay the body's.
struct description {
	struct str text;
	bool has_ice;   // candidates are offered or answered
	bool sends;     // of some medium at least
	uint64_t place; // a hash of the addresses and ports of all media
	uint8_t family; // of the first one's address: 4, 6, or 0: a name
};

// ERR_NOT_ACCEPTABLE: it is no session description, or not one that such a side may give: a browser's media are secured by
// DTLS, those of Teams by SDES, or they are refused.
enum err description_read(const struct body *body, enum media_kind kind, struct description *description);

struct description_way {
	const char *call_id, *from_tag, *to_tag; // of the sender and the receiver of this description
	bool to_has_ice;                         // said the receiver of itself last
	bool keeps_place;                        // the sender is where packets of it have come from
	unsigned association; // of the receiver with relays, counted from 0: another one has other keys
};
// The command, which the caller owns; NULL when there is no memory.
json_t *description_command(const struct media_exchange *exchange, const struct description *description,
			    const struct description_way *way);

#endif
