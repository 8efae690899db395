// The port to the media relay. Legs between a plain phone and a browser, Teams or a prompt need one; without a relay such
// a leg is refused with ERR_NO_MEDIA_RELAY and the other legs do not notice.
#ifndef DOMAIN_MEDIA_H
#define DOMAIN_MEDIA_H

#include "domain/err.h"

struct media {
	void *context;
	// Whether a leg that needs the relay can be offered one now.
	bool (*available)(void *context);
};

#endif
