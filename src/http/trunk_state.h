// Trunks that are not well, for the status.
#ifndef HTTP_TRUNK_STATE_H
#define HTTP_TRUNK_STATE_H

#include "domain/records.h"
#include "http/answer.h"
#include "http/http.h"

struct trunks_sick {
	struct overview_group down;    // out of service
	struct overview_group limping; // in service without some of their targets
	struct overview_group unregistered;
	char why[TRUNK_REGISTRATION_SENTENCE_MAX]; // of the first of those
};

// A trunk where it is named beside something else. A value but for its title.
struct trunk_brief {
	uint64_t id;
	struct str title;
	bool enabled;
	enum trunk_service service;
};
json_t *trunk_brief_to_json(const struct trunk_brief *trunk); // NULL when there is no memory
// On the call thread; signalling alone knows it.
enum trunk_service trunk_service_of(const struct http_settings *settings, uint64_t trunk_id);
// The trunks over which a Teams user is reached, as an array, in the order in which they are tried.
enum err teams_trunks_find(struct request *request, json_t **trunks);

// On the call thread.
void trunks_look(const struct http_settings *settings, const struct directory *directory, struct trunks_sick *sick);

#endif
