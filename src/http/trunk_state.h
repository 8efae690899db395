// Trunks that are not well, for the status.
#ifndef HTTP_TRUNK_STATE_H
#define HTTP_TRUNK_STATE_H

#include "domain/records.h"
#include "http/http.h"

struct trunks_sick {
	struct overview_group down;    // out of service
	struct overview_group limping; // in service without some of their targets
	struct overview_group unregistered;
	char why[TRUNK_REGISTRATION_SENTENCE_MAX]; // of the first of those
};

// On the call thread.
void trunks_look(const struct http_settings *settings, const struct directory *directory, struct trunks_sick *sick);

#endif
